//! Two fonts that every reader has and no file need bring: Helvetica for Latin, and a gothic of Adobe-Japan1 for everything else
//! (ISO 32000-1 sections 9.6.2.2, 9.7.5.2).

/// Widths of Helvetica in thousandths of its size, from the space to the tilde.
const ASCII: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];
/// From the no-break space (U+00A0) on.
const LATIN_1: [u16; 96] = [
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333, 400, 584, 333, 333, 333, 556, 537,
    278, 333, 333, 365, 556, 834, 834, 834, 611, 667, 667, 667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278,
    278, 278, 722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611, 556, 556, 556, 556, 556,
    556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278, 556, 556, 556, 556, 556, 556, 556, 584, 611, 556, 556, 556,
    556, 500, 556, 500,
];

/// Stands for what the Japanese font has not: printers set it for a missing type.
const MISSING: char = '〓';

/// A font of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Font {
    Latin,
    Japanese,
}

/// The character as it can be shown; nothing where it has no shape.
pub(super) fn shown(character: char) -> Option<char> {
    match u32::from(character) {
        0x00 | 0xAD | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF => None,
        // Tabs, and spaces that do not break.
        0x01..=0x1F | 0x7F..=0xA0 => Some(' '),
        // Latin, Greek and Cyrillic, punctuation and signs, what Japanese is written with.
        0x20..=0x17F
        | 0x391..=0x3C9
        | 0x401..=0x451
        | 0x2010..=0x2044
        | 0x20A9..=0x20AC
        | 0x2100..=0x22FF
        | 0x2312
        | 0x2460..=0x24FF
        | 0x2500..=0x266F
        | 0x2E80..=0x2FDF
        | 0x3000..=0x30FF
        | 0x31F0..=0x9FFF
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE4F
        | 0xFF01..=0xFFE6
        | 0x2_0000..=0x2_FFFF => Some(character),
        _ => Some(MISSING),
    }
}

impl Font {
    pub(super) fn of(character: char) -> Self {
        if width_in_latin(character).is_some() { Self::Latin } else { Self::Japanese }
    }

    /// The text as the font's encoding has it: WinAnsi, or UTF-16.
    pub(super) fn encoded(self, text: &str) -> Vec<u8> {
        match self {
            Self::Latin => text.chars().map(|character| u32::from(character).min(0xFF) as u8).collect(),
            // Not every reader takes two codes for one character: it would leave nothing there. What is copied is the true one.
            Self::Japanese => text
                .chars()
                .map(|character| if is_beyond(character) { MISSING } else { character })
                .flat_map(|character| (u32::from(character) as u16).to_be_bytes())
                .collect(),
        }
    }
}

/// Whether a character has two codes in UTF-16.
pub(super) fn is_beyond(character: char) -> bool {
    character.len_utf16() > 1
}

/// How wide a character is, in thousandths of the font's size. In Japanese all are squares, so that every reader sets the lines
/// alike.
pub(super) fn width(character: char) -> u32 {
    width_in_latin(character).map_or(1000, u32::from)
}

fn width_in_latin(character: char) -> Option<u16> {
    let code = u32::from(character) as usize;
    match code {
        0x20..=0x7E => ASCII.get(code - 0x20).copied(),
        0xA0..=0xFF => LATIN_1.get(code - 0xA0).copied(),
        _ => None,
    }
}
