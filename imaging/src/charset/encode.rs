//! From text to bytes, with the escape sequences that PS3.5 §6.1.2.5.3 asks for.

use encoding_rs::{EncoderResult, Encoding, GB18030, GBK};

use super::{
    element::{ESC, Element, Side, escape_to},
    set::Set,
    table,
};
use crate::person_name::PersonName;

/// A text that this Specific Character Set cannot say. The caller's fault; the mend is [`super::Charset::utf8`], unless the
/// text holds ESC or a delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("character {position} of the text cannot be written in its Specific Character Set")]
pub struct NotEncodable {
    /// Which character of the text it is, counted from 1, in all values together and with their delimiters. The character
    /// itself is not told: it is a patient's.
    pub position: usize,
}

/// One value of VR ST, LT or UT.
pub(super) fn text(sets: &[Set], text: &str) -> Result<Vec<u8>, NotEncodable> {
    let mut writer = Writer::new(sets, false);
    writer.characters(text)?;
    Ok(writer.end())
}

/// Values of VR SH, LO or UC.
pub(super) fn values<T: AsRef<str>>(sets: &[Set], values: &[T]) -> Result<Vec<u8>, NotEncodable> {
    let mut writer = Writer::new(sets, true);
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            writer.delimiter(b'\\');
        }
        writer.characters(value.as_ref())?;
    }
    Ok(writer.end())
}

/// Values of VR PN.
pub(super) fn names(sets: &[Set], names: &[PersonName]) -> Result<Vec<u8>, NotEncodable> {
    let mut writer = Writer::new(sets, true);
    for (position, name) in names.iter().enumerate() {
        if position > 0 {
            writer.delimiter(b'\\');
        }
        for (position, group) in name.written_groups().iter().enumerate() {
            if position > 0 {
                writer.delimiter(b'=');
            }
            writer.group(group)?;
        }
    }
    Ok(writer.end())
}

/// What the two halves of the code table hold for whoever reads; the right one may be undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    left: Element,
    right: Option<Element>,
}

struct Writer<'a> {
    sets: &'a [Set],
    initial: State,
    state: State,
    /// Whether `5C` by itself would divide values.
    divided: bool,
    position: usize,
    bytes: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(sets: &'a [Set], divided: bool) -> Self {
        let first = sets.first().copied().unwrap_or(Set::Ascii);
        let initial = State { left: first.left().unwrap_or(Element::Ascii), right: first.right() };
        Self { sets, initial, state: initial, divided, position: 0, bytes: Vec::new() }
    }

    fn group(&mut self, group: &str) -> Result<(), NotEncodable> {
        for (position, component) in group.split('^').enumerate() {
            if position > 0 {
                self.delimiter(b'^');
            }
            let until_equals = component.split('=').next().unwrap_or_default();
            self.characters(until_equals)?;
            if until_equals.len() < component.len() {
                return Err(NotEncodable { position: self.position + 1 });
            }
        }
        Ok(())
    }

    fn characters(&mut self, text: &str) -> Result<(), NotEncodable> {
        for character in text.chars() {
            self.position += 1;
            self.character(character).ok_or(NotEncodable { position: self.position })?;
        }
        Ok(())
    }

    fn character(&mut self, character: char) -> Option<()> {
        match character {
            // It would be read as the start of an escape sequence.
            '\u{1B}' => None,
            control @ ..='\u{1F}' => {
                self.home();
                self.bytes.push(u8::try_from(control).ok()?);
                Some(())
            }
            _ => self.graphic(character),
        }
    }

    fn graphic(&mut self, character: char) -> Option<()> {
        if self.put(Side::Left, self.state.left, character) {
            return Some(());
        }
        if self.state.right.is_some_and(|right| self.put(Side::Right, right, character)) {
            return Some(());
        }
        for set in self.sets {
            for (side, element) in [(Side::Left, set.left()), (Side::Right, set.right())] {
                let Some(element) = element.filter(|element| self.code(side, *element, character).is_some()) else {
                    continue;
                };
                self.designate(side, element)?;
                self.put(side, element, character);
                return Some(());
            }
        }
        None
    }

    fn put(&mut self, side: Side, element: Element, character: char) -> bool {
        let code = self.code(side, element, character);
        self.bytes.extend(code.iter().flat_map(Code::bytes));
        code.is_some()
    }

    fn code(&self, side: Side, element: Element, character: char) -> Option<Code> {
        let code = Code::of(side, element, character)?;
        (!self.divided || code.bytes() != b"\\").then_some(code)
    }

    fn designate(&mut self, side: Side, element: Element) -> Option<()> {
        let sequence = escape_to(side, element)?;
        self.bytes.push(ESC);
        self.bytes.extend(sequence);
        match side {
            Side::Left => self.state.left = element,
            Side::Right => self.state.right = Some(element),
        }
        Some(())
    }

    /// Makes the first set active again. What stands in the right half where the first set has nothing may stay there, but
    /// nobody may rely on it any more.
    fn home(&mut self) {
        if self.state.left != self.initial.left {
            self.designate(Side::Left, self.initial.left);
        }
        if let Some(right) = self.initial.right.filter(|right| self.state.right != Some(*right)) {
            self.designate(Side::Right, right);
        }
        self.state = self.initial;
    }

    fn delimiter(&mut self, byte: u8) {
        self.home();
        self.position += 1;
        self.bytes.push(byte);
    }

    fn end(mut self) -> Vec<u8> {
        self.home();
        self.bytes
    }
}

/// The bytes of one character.
struct Code {
    bytes: [u8; 4],
    length: usize,
}

impl Code {
    /// The code that this element has for this character, when it stands on this side.
    fn of(side: Side, element: Element, character: char) -> Option<Self> {
        let high = if side == Side::Right { 0x80 } else { 0 };
        match element {
            Element::Ascii => ascii(character).map(Self::one),
            Element::Romaji => romaji(character).map(Self::one),
            Element::Katakana => katakana(character).map(|code| Self::one(code | high)),
            Element::Single(set) => {
                let place = table::single(set).iter().position(|known| *known == character && character != '\0')?;
                u8::try_from(place).ok().map(|place| Self::one(place | 0x80))
            }
            Element::Double(set) => {
                let [row, cell] = table::double(set).code(character)?.map(|byte| byte | high);
                Some(Self { bytes: [row, cell, 0, 0], length: 2 })
            }
            Element::Utf8 => (!character.is_ascii()).then(|| Self::utf8(character)),
            Element::Gb18030 => Self::chinese(GB18030, character),
            // The web adds the euro sign as a single byte, which GBK does not have.
            Element::Gbk => Self::chinese(GBK, character).filter(|code| code.length == 2),
        }
    }

    fn one(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1 }
    }

    fn utf8(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }

    /// Only codes that are read as the same character again: the web's encoder also takes what older editions of GB 18030
    /// had in private use.
    fn chinese(encoding: &'static Encoding, character: char) -> Option<Self> {
        if character.is_ascii() {
            return None;
        }
        let (mut text, mut bytes) = ([0; 4], [0; 16]);
        let text: &str = character.encode_utf8(&mut text);
        let (result, _, length) = encoding.new_encoder().encode_from_utf8_without_replacement(text, &mut bytes, true);
        let [first, second, third, fourth, ..] = bytes;
        let code = Self { bytes: [first, second, third, fourth], length };
        let back = encoding.decode_without_bom_handling_and_without_replacement(code.bytes())?;
        (result == EncoderResult::InputEmpty && back == text).then_some(code)
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn ascii(character: char) -> Option<u8> {
    u8::try_from(character).ok().filter(|byte| matches!(byte, b' '..=0x7F))
}

fn romaji(character: char) -> Option<u8> {
    match character {
        '¥' => Some(b'\\'),
        '‾' => Some(b'~'),
        '\\' | '~' => None,
        other => ascii(other),
    }
}

/// ISO-IR 13, as it stands in the left half of the code table.
fn katakana(character: char) -> Option<u8> {
    u8::try_from(u32::from(character).checked_sub(0xFF61)?).ok().filter(|place| *place < 63).map(|place| place + 0x21)
}
