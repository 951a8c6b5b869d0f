//! Two foldings of text: [`literal`] for literal matching; [`look`], on top of it, for what looks the same to people.

use unicode_normalization::{UnicodeNormalization, char::decompose_canonical};

use super::variants;

/// How many characters of a group take part in matching. The standard allows 64 (PS3.5 §6.2).
const GROUP_CHARS: usize = 256;

/// Characters folded into at most [`GROUP_CHARS`] others: more are looked at, because several may become one.
const SOURCE_CHARS: usize = 4 * GROUP_CHARS;

/// A group for literal matching: NFKC, lower case, components without spaces around them and without empty ones at the end.
pub(super) fn literal(group: &str) -> String {
    let folded: String =
        group.chars().take(SOURCE_CHARS).nfkc().flat_map(char::to_lowercase).take(GROUP_CHARS).collect();
    let components: Vec<&str> = folded.split('^').map(str::trim).collect();
    components.join("^").trim_end_matches('^').into()
}

/// A character as it looks, or what it does to words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// A letter, a kanji, or a sign that means itself.
    Char(char),
    /// `^`: ends a component.
    Caret,
    /// Ends a word.
    Break,
    /// Divides a word that people also write as one: `Ken-ichi`.
    Soft,
}

/// What [`literal`] text looks like. Each character is folded by itself, or as what stands before it: the look of a text's
/// beginning is the beginning of the text's look, on which [`super::Pattern::keys`] relies.
pub(super) fn look(literal: &str) -> Vec<Looked> {
    let mut looked = Vec::with_capacity(literal.len());
    for character in literal.chars() {
        match character {
            '^' => looked.push(Looked::Caret),
            ',' | ';' | '/' | '=' | '(' | ')' | '、' | '・' | '·' => looked.push(Looked::Break),
            space if space.is_whitespace() => looked.push(Looked::Break),
            '-' | '.' | '_' | '\u{2010}'..='\u{2015}' | '−' => looked.push(Looked::Soft),
            '々' | '〻' | 'ゝ' | 'ヽ' => repeat(&mut looked),
            silent if is_silent(silent) => {}
            other => letters(other, &mut looked),
        }
    }
    looked
}

fn repeat(looked: &mut Vec<Looked>) {
    if let Some(last @ Looked::Char(_)) = looked.last().copied() {
        looked.push(last);
    }
}

/// Apostrophes, the long vowel sign, and signs without width, which choose between glyphs of one kanji.
fn is_silent(character: char) -> bool {
    matches!(
        character,
        '\'' | '’' | '‘' | 'ʼ' | '`' | 'ー' | '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{FEFF}' | '\u{0300}'..='\u{036F}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}'
    )
}

fn letters(character: char, looked: &mut Vec<Looked>) {
    let spelled = match character {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ı' => "i",
        'ς' => "σ",
        _ => "",
    };
    if !spelled.is_empty() {
        looked.extend(spelled.chars().map(Looked::Char));
    } else if has_accents(character) {
        decompose_canonical(character, |part| {
            if !matches!(part, '\u{0300}'..='\u{036F}') {
                looked.push(Looked::Char(part));
            }
        });
    } else {
        looked.push(Looked::Char(variants::usual(large_hiragana(character))));
    }
}

/// Latin, Greek, Cyrillic: alphabets in which a mark is an accent. In kana it is another consonant.
fn has_accents(character: char) -> bool {
    matches!(character, '\u{00C0}'..='\u{052F}' | '\u{1E00}'..='\u{1FFF}')
}

/// Katakana as hiragana, small kana as large ones.
fn large_hiragana(character: char) -> char {
    let hiragana = match character {
        'ァ'..='ヶ' => char::from_u32(u32::from(character) - 0x60).unwrap_or(character),
        other => other,
    };
    match hiragana {
        'ぁ' => 'あ',
        'ぃ' => 'い',
        'ぅ' => 'う',
        'ぇ' => 'え',
        'ぉ' => 'お',
        'っ' => 'つ',
        'ゃ' => 'や',
        'ゅ' => 'ゆ',
        'ょ' => 'よ',
        'ゎ' => 'わ',
        'ゕ' => 'か',
        'ゖ' => 'け',
        other => other,
    }
}
