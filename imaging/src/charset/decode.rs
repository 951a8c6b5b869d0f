//! From bytes to text: one walk, in which every byte is looked at once.

use encoding_rs::{GB18030, SHIFT_JIS};

use super::{
    element::{Double, ESC, Element, Side, Single, escape_at},
    set::Set,
    table,
};

/// What stands for bytes without meaning.
const NOTHING: char = char::REPLACEMENT_CHARACTER;

/// Which bytes divide a value, when they are characters by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiters {
    /// None (ST, LT, UT).
    None,
    /// `5C` (SH, LO, UC).
    Values,
    /// `5C`, and inside a value `^` and `=` (PN).
    Names,
}

impl Delimiters {
    fn ends_value(self, byte: u8) -> bool {
        self != Self::None && byte == b'\\'
    }

    /// Whether the first set is in force again after this byte (PS3.5 §6.1.2.5.3).
    fn ends_part(self, byte: u8) -> bool {
        self.ends_value(byte) || self == Self::Names && matches!(byte, b'^' | b'=')
    }
}

/// The text of an element with one value.
pub(super) fn text(sets: &[Set], bytes: &[u8]) -> String {
    if bytes.is_ascii() && memchr::memchr(ESC, bytes).is_none() && !sets.contains(&Set::Jisx0201) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    Walk::over(sets, bytes, Delimiters::None).concat()
}

/// The values of an element; none when it has no bytes.
pub(super) fn values(sets: &[Set], bytes: &[u8], delimiters: Delimiters) -> Vec<String> {
    if bytes.is_empty() { Vec::new() } else { Walk::over(sets, bytes, delimiters) }
}

/// What the two halves of the code table hold.
#[derive(Debug, Clone, Copy)]
struct State {
    left: Element,
    right: Element,
}

impl State {
    /// At the beginning of each value, line and page. Where the first set leaves the right half undefined, something is
    /// assumed for senders that forget their escape sequences.
    fn initial(sets: &[Set]) -> Self {
        let japanese = |set: &Set| matches!(set, Set::Double(Double::Jisx0208 | Double::Jisx0212));
        let assumed = if sets.iter().any(japanese) { Element::Katakana } else { Element::Single(Single::Latin1) };
        Self {
            left: sets.first().and_then(|set| set.left()).unwrap_or(Element::Ascii),
            right: sets.iter().find_map(|set| set.right()).unwrap_or(assumed),
        }
    }
}

struct Walk {
    delimiters: Delimiters,
    initial: State,
    state: State,
    done: Vec<String>,
    text: String,
}

impl Walk {
    fn over(sets: &[Set], bytes: &[u8], delimiters: Delimiters) -> Vec<String> {
        let initial = State::initial(sets);
        let text = String::with_capacity(bytes.len());
        let mut walk = Self { delimiters, initial, state: initial, done: Vec::new(), text };
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            let used = match first {
                ESC => walk.escape(rest),
                ..=0x1F => walk.part_end(first),
                0x20..=0x7F => walk.left(first, rest),
                0x80.. => walk.right(first, rest),
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        walk.done.push(walk.text);
        walk.done
    }

    fn escape(&mut self, rest: &[u8]) -> usize {
        let Some((length, side, element)) = escape_at(rest) else {
            self.text.push(NOTHING);
            return 1;
        };
        match side {
            Side::Left => self.state.left = element,
            Side::Right => self.state.right = element,
        }
        length
    }

    /// A control character or a delimiter.
    fn part_end(&mut self, byte: u8) -> usize {
        self.state = self.initial;
        if self.delimiters.ends_value(byte) {
            self.done.push(std::mem::take(&mut self.text));
        } else {
            self.text.push(byte.into());
        }
        1
    }

    fn left(&mut self, first: u8, rest: &[u8]) -> usize {
        // SPACE and DELETE are in no set: they are there whatever is designated.
        if matches!(first, b' ' | 0x7F) {
            self.text.push(first.into());
            return 1;
        }
        if let Element::Double(set) = self.state.left {
            return self.double(set, first, rest);
        }
        if self.delimiters.ends_part(first) {
            return self.part_end(first);
        }
        self.text.push(match (self.state.left, first) {
            (Element::Romaji, b'\\') => '¥',
            (Element::Romaji, b'~') => '‾',
            (Element::Katakana, _) => katakana(first | 0x80).unwrap_or(NOTHING),
            _ => first.into(),
        });
        1
    }

    fn right(&mut self, first: u8, rest: &[u8]) -> usize {
        match self.state.right {
            Element::Single(set) => self.single(set, first),
            Element::Katakana => self.katakana_or_shift_jis(first, rest),
            Element::Double(set) => self.double(set, first, rest),
            Element::Utf8 => self.utf8(rest),
            Element::Gb18030 | Element::Gbk => self.gb18030(rest),
            // Nothing designates these here.
            Element::Ascii | Element::Romaji => self.single(Single::Latin1, first),
        }
    }

    fn single(&mut self, set: Single, byte: u8) -> usize {
        let character = table::single(set)[usize::from(byte & 0x7F)];
        self.text.push(if character == '\0' { NOTHING } else { character });
        1
    }

    /// A pair of bytes on the same side, or a first byte that has lost its second one.
    fn double(&mut self, set: Double, first: u8, rest: &[u8]) -> usize {
        let side = first & 0x80;
        let second = rest.get(1).copied().filter(|second| second & 0x80 == side);
        match second.map(|second| [first & 0x7F, second & 0x7F]) {
            Some(code @ [0x21..=0x7E, 0x21..=0x7E]) => {
                self.text.push(table::double(set).character(code).unwrap_or(NOTHING));
                2
            }
            // The sender forgot to go back before a delimiter.
            _ if self.delimiters.ends_part(first) => self.part_end(first),
            _ => {
                self.text.push(NOTHING);
                1
            }
        }
    }

    fn katakana_or_shift_jis(&mut self, first: u8, rest: &[u8]) -> usize {
        if let Some(character) = katakana(first) {
            self.text.push(character);
            return 1;
        }
        let pair = rest.get(..2).and_then(|pair| SHIFT_JIS.decode_without_bom_handling_and_without_replacement(pair));
        let kanji = pair.filter(|kanji| kanji.chars().count() == 1);
        self.text.extend(kanji.as_deref().unwrap_or("\u{FFFD}").chars().map(table::jis));
        if kanji.is_some() { 2 } else { 1 }
    }

    fn utf8(&mut self, rest: &[u8]) -> usize {
        let length = rest.iter().take_while(|byte| !byte.is_ascii()).count();
        self.text.push_str(&String::from_utf8_lossy(&rest[..length]));
        length
    }

    /// Characters of two and four bytes, as many as follow each other: their later bytes may be digits, letters and signs.
    fn gb18030(&mut self, rest: &[u8]) -> usize {
        let mut length = 0;
        loop {
            length += match rest[length..] {
                [0x81..=0xFE, b'0'..=b'9', 0x81..=0xFE, b'0'..=b'9', ..] => 4,
                [0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFE, ..] => 2,
                [0x80..=0xFF, ..] => 1,
                _ => break,
            };
        }
        let (text, _) = GB18030.decode_without_bom_handling(&rest[..length]);
        self.text.push_str(&text);
        length
    }
}

/// ISO-IR 13 in the right half of the code table.
fn katakana(byte: u8) -> Option<char> {
    matches!(byte, 0xA1..=0xDF).then(|| char::from_u32(0xFF61 + u32::from(byte - 0xA1))).flatten()
}
