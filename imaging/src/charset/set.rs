//! [`Set`]: one value of (0008,0005), with its term (PS3.3 Tables C.12-2 to C.12-5) and the code elements it brings.

use super::element::{Double, Element, Side, Single};

/// One character set of DICOM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// ISO-IR 6: the default repertoire.
    Ascii,
    /// ISO 8859 and TIS 620: ASCII on the left, one of many on the right.
    Single(Single),
    /// JIS X 0201: ISO-IR 14 (romaji) on the left, ISO-IR 13 (katakana) on the right.
    Jisx0201,
    /// A set of 94 × 94 characters, which only code extension can reach.
    Double(Double),
    /// ISO 10646 in UTF-8.
    Utf8,
    /// GB 18030.
    Gb18030,
    /// GBK: what of GB 18030 has two bytes.
    Gbk,
}

/// Sets with their ISO registration number, which is what the terms are made of.
const REGISTERED: &[(u16, Set)] = &[
    (6, Set::Ascii),
    (100, Set::Single(Single::Latin1)),
    (101, Set::Single(Single::Latin2)),
    (109, Set::Single(Single::Latin3)),
    (110, Set::Single(Single::Latin4)),
    (144, Set::Single(Single::Cyrillic)),
    (127, Set::Single(Single::Arabic)),
    (126, Set::Single(Single::Greek)),
    (138, Set::Single(Single::Hebrew)),
    (148, Set::Single(Single::Latin5)),
    (203, Set::Single(Single::Latin9)),
    (166, Set::Single(Single::Thai)),
    (13, Set::Jisx0201),
    (87, Set::Double(Double::Jisx0208)),
    (159, Set::Double(Double::Jisx0212)),
    (149, Set::Double(Double::Ksx1001)),
    (58, Set::Double(Double::Gb2312)),
    (192, Set::Utf8),
];

/// Names from elsewhere that senders put into (0008,0005), as letters and digits only.
const NAMES: &[(&str, Set)] = &[
    ("", Set::Ascii),
    ("GB18030", Set::Gb18030),
    ("ISO2022GB18030", Set::Gb18030),
    ("GBK", Set::Gbk),
    ("ISO2022GBK", Set::Gbk),
    ("UTF8", Set::Utf8),
    ("UNICODE", Set::Utf8),
    ("ASCII", Set::Ascii),
    ("USASCII", Set::Ascii),
    ("LATIN1", Set::Single(Single::Latin1)),
    ("ISO88591", Set::Single(Single::Latin1)),
    ("ISO88592", Set::Single(Single::Latin2)),
    ("ISO88593", Set::Single(Single::Latin3)),
    ("ISO88594", Set::Single(Single::Latin4)),
    ("ISO88595", Set::Single(Single::Cyrillic)),
    ("ISO88596", Set::Single(Single::Arabic)),
    ("ISO88597", Set::Single(Single::Greek)),
    ("ISO88598", Set::Single(Single::Hebrew)),
    ("ISO88599", Set::Single(Single::Latin5)),
    ("ISO885915", Set::Single(Single::Latin9)),
    ("TIS620", Set::Single(Single::Thai)),
    ("SHIFTJIS", Set::Jisx0201),
    ("SJIS", Set::Jisx0201),
    ("ISO2022JP", Set::Double(Double::Jisx0208)),
    ("EUCKR", Set::Double(Double::Ksx1001)),
    ("GB2312", Set::Double(Double::Gb2312)),
];

impl Set {
    /// The set that a term means; letters and digits count, what stands between them does not.
    pub(super) fn of_term(term: &[u8]) -> Option<Self> {
        let letters = term.iter().filter(|byte| byte.is_ascii_alphanumeric());
        let name: String = letters.map(|byte| char::from(byte.to_ascii_uppercase())).collect();
        if let Some((_, set)) = NAMES.iter().find(|(known, _)| *known == name) {
            let blank = !name.is_empty() || term.iter().all(|byte| matches!(byte, b' ' | 0));
            return blank.then_some(*set);
        }
        let number = name.strip_prefix("ISO").unwrap_or(&name);
        let extension = number.strip_prefix("2022");
        let number = extension.unwrap_or(number);
        let number = match number.strip_prefix("IR") {
            Some(number) => number,
            None if extension.is_some() => number,
            None => return None,
        };
        let number: u16 = number.parse().ok()?;
        REGISTERED.iter().find(|(known, _)| *known == number).map(|(_, set)| *set)
    }

    /// Its term when it is the only value.
    pub(super) fn term(self) -> String {
        match self {
            Self::Ascii => String::new(),
            Self::Gb18030 => "GB18030".into(),
            Self::Gbk => "GBK".into(),
            Self::Double(_) => self.extension_term(),
            Self::Single(_) | Self::Jisx0201 | Self::Utf8 => format!("ISO_IR {}", self.registration()),
        }
    }

    /// Its term beside others.
    pub(super) fn extension_term(self) -> String {
        if self.is_unicode() { self.term() } else { format!("ISO 2022 IR {}", self.registration()) }
    }

    fn registration(self) -> u16 {
        REGISTERED.iter().find(|(_, set)| *set == self).map_or(0, |(number, _)| *number)
    }

    /// Whether it encodes all of Unicode or of GBK, in a way of its own that allows no code extension.
    pub(super) fn is_unicode(self) -> bool {
        matches!(self, Self::Utf8 | Self::Gb18030 | Self::Gbk)
    }

    /// Whether only an escape sequence can reach it.
    pub(super) fn is_extension_only(self) -> bool {
        matches!(self, Self::Double(_))
    }

    /// What it brings to the left half of the code table.
    pub(super) fn left(self) -> Option<Element> {
        match self {
            Self::Jisx0201 => Some(Element::Romaji),
            Self::Double(double) => (double.side() == Side::Left).then_some(Element::Double(double)),
            Self::Ascii | Self::Single(_) | Self::Utf8 | Self::Gb18030 | Self::Gbk => Some(Element::Ascii),
        }
    }

    /// What it brings to the right half of the code table.
    pub(super) fn right(self) -> Option<Element> {
        match self {
            Self::Ascii => None,
            Self::Single(single) => Some(Element::Single(single)),
            Self::Jisx0201 => Some(Element::Katakana),
            Self::Double(double) => (double.side() == Side::Right).then_some(Element::Double(double)),
            Self::Utf8 => Some(Element::Utf8),
            Self::Gb18030 => Some(Element::Gb18030),
            Self::Gbk => Some(Element::Gbk),
        }
    }
}
