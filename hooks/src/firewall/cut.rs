//! Shortens text without breaking a character in two.
//!
//! What the reader sees as one character can be several code points: a kana with its voicing mark, a kanji with
//! its variation selector (the glyph that a family writes its name with), an emoji with its skin tone.

/// Stands at the end of a text that was cut.
const MARK: char = '…';

/// A text of fewer than `most` characters (the mark alone when there is room for no more), or `None` when the text
/// has at most that many.
pub(super) fn cut(text: &str, most: usize) -> Option<String> {
    text.char_indices().nth(most)?;
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).take(most.saturating_sub(1)).collect();
    // A text of nothing but marks upon marks has no such place, and is cut all the same.
    let end = starts.iter().rev().find(|at| is_between_characters(text, **at)).or(starts.last());
    let mut short = text[..end.copied().unwrap_or(0)].trim_end().to_owned();
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
