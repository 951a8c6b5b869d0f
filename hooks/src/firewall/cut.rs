//! Shortens text without breaking a character in two.
//!
//! What the reader sees as one character can be several code points: a kana with its voicing mark, a kanji with
//! its variation selector (the glyph that a family writes its name with), an emoji with its skin tone.

/// Stands at the end of a text that was cut.
const MARK: char = '…';

/// A text of fewer than `most` characters, or `None` when the text has at most that many.
pub(super) fn cut(text: &str, most: usize) -> Option<String> {
    text.char_indices().nth(most)?;
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).take(most - 1).collect();
    let end = starts.into_iter().rev().find(|at| is_between_characters(text, *at))?;
    let mut short = text[..end].trim_end().to_owned();
    short.push(MARK);
    Some(short)
}

fn is_between_characters(text: &str, at: usize) -> bool {
    let continues = text[at..].chars().next().is_some_and(continues_a_character);
    let joined = text[..at].ends_with('\u{200D}');
    !continues && !joined
}

fn continues_a_character(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{3099}'..='\u{309A}' | '\u{FF9E}'..='\u{FF9F}' | '\u{200D}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE00}'..='\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0100}'..='\u{E01EF}')
}
