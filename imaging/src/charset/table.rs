//! Which character has which code in a set: tables made once from those of `encoding_rs`.

use std::{collections::HashMap, sync::LazyLock};

use encoding_rs::{
    EUC_JP, EUC_KR, Encoding, GB18030, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6, ISO_8859_7,
    ISO_8859_8, ISO_8859_15, WINDOWS_874, WINDOWS_1252, WINDOWS_1254,
};

use super::element::{Double, Single};

/// Rows, and cells of a row, of a double-byte set.
const CELLS: u8 = 94;

/// First byte of a row or cell, in the left half of the code table.
const FIRST: u8 = 0x21;

/// A double-byte set, both ways. Codes are those of the left half of the code table.
pub(super) struct DoubleTable {
    /// By row, then cell; NUL where there is no character.
    characters: Box<[char]>,
    /// Only what belongs to the set itself, not its vendors' extensions.
    codes: HashMap<char, [u8; 2]>,
}

impl DoubleTable {
    /// The character of a code of two bytes `21` to `7E`.
    pub(super) fn character(&self, [row, cell]: [u8; 2]) -> Option<char> {
        let (row, cell) = (row.checked_sub(FIRST)?, cell.checked_sub(FIRST)?);
        if cell >= CELLS {
            return None;
        }
        let place = usize::from(row) * usize::from(CELLS) + usize::from(cell);
        self.characters.get(place).copied().filter(|character| *character != '\0')
    }

    /// The code of a character.
    pub(super) fn code(&self, character: char) -> Option<[u8; 2]> {
        self.codes.get(&character).copied()
    }

    fn new(decode: impl Fn([u8; 2]) -> Option<char>, belongs: impl Fn([u8; 2]) -> bool) -> Self {
        let mut table = Self { characters: Box::default(), codes: HashMap::new() };
        let mut characters = Vec::new();
        for row in FIRST..FIRST + CELLS {
            for cell in FIRST..FIRST + CELLS {
                let character = decode([row, cell]).filter(|character| !is_private(*character));
                characters.push(character.unwrap_or('\0'));
                if let Some(character) = character.filter(|_| belongs([row, cell])) {
                    table.codes.entry(character).or_insert([row, cell]);
                }
            }
        }
        table.characters = characters.into();
        table
    }
}

/// A private use character says nothing to anybody else.
fn is_private(character: char) -> bool {
    matches!(character, '\u{E000}'..='\u{F8FF}')
}

/// The table of a double-byte set.
pub(super) fn double(set: Double) -> &'static DoubleTable {
    static JISX0208: LazyLock<DoubleTable> =
        LazyLock::new(|| DoubleTable::new(|code| decode(EUC_JP, &high(code)).map(jis), is_jisx0208));
    static JISX0212: LazyLock<DoubleTable> = LazyLock::new(|| {
        let third = |code: [u8; 2]| [0x8F, code[0] | 0x80, code[1] | 0x80];
        DoubleTable::new(|code| decode(EUC_JP, &third(code)), |_| true)
    });
    static KSX1001: LazyLock<DoubleTable> =
        LazyLock::new(|| DoubleTable::new(|code| decode(EUC_KR, &high(code)), |_| true));
    static GB2312: LazyLock<DoubleTable> =
        LazyLock::new(|| DoubleTable::new(|code| decode(GB18030, &high(code)), is_gb2312));
    match set {
        Double::Jisx0208 => &JISX0208,
        Double::Jisx0212 => &JISX0212,
        Double::Ksx1001 => &KSX1001,
        Double::Gb2312 => &GB2312,
    }
}

fn high(code: [u8; 2]) -> [u8; 2] {
    code.map(|byte| byte | 0x80)
}

/// The one character that these bytes are.
fn decode(encoding: &'static Encoding, bytes: &[u8]) -> Option<char> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let mut characters = text.chars();
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

/// From the web's reading of six signs of JIS X 0208 to that of Unicode's table of JIS.
pub(super) fn jis(character: char) -> char {
    match character {
        '～' => '〜',
        '∥' => '‖',
        '－' => '−',
        '￠' => '¢',
        '￡' => '£',
        '￢' => '¬',
        other => other,
    }
}

/// Whether a code is one of JIS X 0208:1990, and not of its vendors' rows 13 and 89 to 92.
fn is_jisx0208([row, cell]: [u8; 2]) -> bool {
    match row {
        0x21 | 0x30..=0x4E | 0x50..=0x73 => true,
        0x22 => matches!(cell, 0x21..=0x2E | 0x3A..=0x41 | 0x4A..=0x50 | 0x5C..=0x6A | 0x72..=0x79 | 0x7E),
        0x23 => matches!(cell, 0x30..=0x39 | 0x41..=0x5A | 0x61..=0x7A),
        0x24 | 0x4F => cell <= 0x73 && (row == 0x24 || cell <= 0x53),
        0x25 => cell <= 0x76,
        0x26 => matches!(cell, 0x21..=0x38 | 0x41..=0x58),
        0x27 => matches!(cell, 0x21..=0x41 | 0x51..=0x71),
        0x28 => cell <= 0x40,
        0x74 => cell <= 0x26,
        _ => false,
    }
}

/// Whether a code is one of GB 2312-80, and not of GBK.
fn is_gb2312([row, cell]: [u8; 2]) -> bool {
    match row {
        0x21 | 0x23 | 0x30..=0x56 | 0x58..=0x77 => true,
        0x22 => matches!(cell, 0x31..=0x62 | 0x65..=0x6E | 0x71..=0x7C),
        0x24 => cell <= 0x73,
        0x25 => cell <= 0x76,
        0x26 => matches!(cell, 0x21..=0x38 | 0x41..=0x58),
        0x27 => matches!(cell, 0x21..=0x41 | 0x51..=0x71),
        0x28 => matches!(cell, 0x21..=0x3A | 0x45..=0x69),
        0x29 => matches!(cell, 0x24..=0x6F),
        0x57 => cell <= 0x79,
        _ => false,
    }
}

/// The right half of an 8-bit set: the character of each byte from `80`, NUL where there is none.
pub(super) fn single(set: Single) -> &'static [char; 128] {
    macro_rules! tables {
        ($($set:ident => $encoding:ident),* $(,)?) => {
            match set {
                $(Single::$set => {
                    static TABLE: LazyLock<[char; 128]> = LazyLock::new(|| right_half($encoding));
                    &TABLE
                })*
            }
        };
    }
    tables! {
        Latin1 => WINDOWS_1252, Latin2 => ISO_8859_2, Latin3 => ISO_8859_3, Latin4 => ISO_8859_4, Cyrillic => ISO_8859_5,
        Arabic => ISO_8859_6, Greek => ISO_8859_7, Hebrew => ISO_8859_8, Latin5 => WINDOWS_1254, Latin9 => ISO_8859_15,
        Thai => WINDOWS_874,
    }
}

/// From `A0` on, the web's windows encodings are the ISO ones; before it, all of them are made so.
fn right_half(encoding: &'static Encoding) -> [char; 128] {
    std::array::from_fn(|place| match u8::try_from(place + 128).expect("128 bytes from 80 on end at FF") {
        control @ ..=0x9F => char::from(control),
        byte => decode(encoding, &[byte]).unwrap_or('\0'),
    })
}
