//! [`Element`]: a code element, that is, what one half of the code table holds at a time, and the escape sequences that
//! put it there (PS3.5 §6.1.2.4; ISO/IEC 2022).

/// What can stand in one half of the code table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    /// ISO-IR 6.
    Ascii,
    /// ISO-IR 14: ASCII with `¥` and `‾`.
    Romaji,
    /// ISO-IR 13: half-width katakana.
    Katakana,
    /// The right half of an 8-bit set.
    Single(Single),
    /// A set of 94 × 94 characters.
    Double(Double),
    /// Not of ISO 2022: UTF-8's bytes above `7F`.
    Utf8,
    /// Not of ISO 2022: GB 18030's characters of two and four bytes.
    Gb18030,
    /// Not of ISO 2022: those of GB 18030's characters of two bytes that GBK has. Read like [`Self::Gb18030`].
    Gbk,
}

/// An 8-bit set whose left half is ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single {
    /// ISO 8859-1.
    Latin1,
    /// ISO 8859-2.
    Latin2,
    /// ISO 8859-3.
    Latin3,
    /// ISO 8859-4.
    Latin4,
    /// ISO 8859-5.
    Cyrillic,
    /// ISO 8859-6.
    Arabic,
    /// ISO 8859-7.
    Greek,
    /// ISO 8859-8.
    Hebrew,
    /// ISO 8859-9.
    Latin5,
    /// ISO 8859-15.
    Latin9,
    /// TIS 620-2533.
    Thai,
}

/// A set of 94 × 94 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Double {
    /// JIS X 0208: kanji, hiragana, katakana.
    Jisx0208,
    /// JIS X 0212: supplementary kanji.
    Jisx0212,
    /// KS X 1001: Hangul and Hanja.
    Ksx1001,
    /// GB 2312: simplified Chinese.
    Gb2312,
}

impl Double {
    /// Where DICOM puts it (PS3.3 Table C.12-4).
    pub(super) fn side(self) -> Side {
        match self {
            Self::Jisx0208 | Self::Jisx0212 => Side::Left,
            Self::Ksx1001 | Self::Gb2312 => Side::Right,
        }
    }
}

/// A half of the code table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// GL, bytes `21` to `7E`, where code element G0 is always invoked.
    Left,
    /// GR, bytes `A0` to `FF`, where code element G1 is always invoked.
    Right,
}

/// ESC.
pub(super) const ESC: u8 = 0x1B;

/// Escape sequences after the ESC, with what they designate. First those of DICOM (PS3.3 Tables C.12-3 and C.12-4), then
/// others of the same sets in ISO 2022, which are read and never written. None is the beginning of another one.
const ESCAPES: &[(&[u8], Side, Element)] = &[
    (b"(B", Side::Left, Element::Ascii),
    (b"(J", Side::Left, Element::Romaji),
    (b")I", Side::Right, Element::Katakana),
    (b"$B", Side::Left, Element::Double(Double::Jisx0208)),
    (b"$(D", Side::Left, Element::Double(Double::Jisx0212)),
    (b"$)C", Side::Right, Element::Double(Double::Ksx1001)),
    (b"$)A", Side::Right, Element::Double(Double::Gb2312)),
    (b"-A", Side::Right, Element::Single(Single::Latin1)),
    (b"-B", Side::Right, Element::Single(Single::Latin2)),
    (b"-C", Side::Right, Element::Single(Single::Latin3)),
    (b"-D", Side::Right, Element::Single(Single::Latin4)),
    (b"-L", Side::Right, Element::Single(Single::Cyrillic)),
    (b"-G", Side::Right, Element::Single(Single::Arabic)),
    (b"-F", Side::Right, Element::Single(Single::Greek)),
    (b"-H", Side::Right, Element::Single(Single::Hebrew)),
    (b"-M", Side::Right, Element::Single(Single::Latin5)),
    (b"-b", Side::Right, Element::Single(Single::Latin9)),
    (b"-T", Side::Right, Element::Single(Single::Thai)),
    // JIS C 6226 of 1978, which differs from JIS X 0208 in the shape of some kanji.
    (b"$@", Side::Left, Element::Double(Double::Jisx0208)),
    (b"$(B", Side::Left, Element::Double(Double::Jisx0208)),
    (b"$)B", Side::Right, Element::Double(Double::Jisx0208)),
    (b"$)D", Side::Right, Element::Double(Double::Jisx0212)),
    (b"(I", Side::Left, Element::Katakana),
    (b"$A", Side::Left, Element::Double(Double::Gb2312)),
    (b"$(A", Side::Left, Element::Double(Double::Gb2312)),
    (b"$(C", Side::Left, Element::Double(Double::Ksx1001)),
];

/// The escape sequence at the start of `bytes`, which begin with ESC: its length, and what it designates.
pub(super) fn escape_at(bytes: &[u8]) -> Option<(usize, Side, Element)> {
    let rest = bytes.get(1..)?;
    let (sequence, side, element) = ESCAPES.iter().find(|(sequence, ..)| rest.starts_with(sequence))?;
    Some((sequence.len() + 1, *side, *element))
}

/// What follows ESC to designate this element.
pub(super) fn escape_to(side: Side, element: Element) -> Option<&'static [u8]> {
    ESCAPES.iter().find(|(_, at, what)| (*at, *what) == (side, element)).map(|(sequence, ..)| *sequence)
}
