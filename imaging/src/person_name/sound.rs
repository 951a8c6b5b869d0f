//! How a word sounds in Japanese, written so that every way to write it comes out the same.
//!
//! The sound is Kunrei-shiki with the large kana only (`しょ` is `siyo`, `っ` is `tu`), because then the beginning of a word
//! has the beginning of its sound: `Sh`, `Sy`, `し` all begin `しょうじ`. Long vowels are short, `ぢ` and `づ` are `じ` and `ず`,
//! `ゔ` is `ぶ`, and an `n` before `y` is `ni`, because `Shinya` may be `しんや` or `しにゃ`.

/// The sound of a whole word in hiragana, or in Latin letters that can be read as Japanese.
pub(super) fn of_word(look: &str) -> Option<String> {
    read(look, false)
}

/// The sound of the beginning of a word: the last syllable may be incomplete.
pub(super) fn of_beginning(look: &str) -> Option<String> {
    read(look, true)
}

fn read(look: &str, beginning: bool) -> Option<String> {
    let mut sound = Sound(String::with_capacity(look.len()));
    if look.is_ascii() {
        let mut rest = look.as_bytes();
        while !rest.is_empty() {
            rest = rest.get(sound.romaji(rest, beginning)?..)?;
        }
    } else {
        for kana in look.chars() {
            sound.kana(kana)?;
        }
    }
    (!sound.0.is_empty()).then_some(sound.0)
}

/// What follows a consonant, or several that are written for it.
#[derive(Clone, Copy)]
enum Row {
    /// The vowel: `ka`, `ki`, `ku`, `ke`, `ko`.
    Plain,
    /// An `i`, then a small kana: `kya`, `kyu`, `kye`, `kyo`; `sha`, `shi`, `shu`, `she`, `sho`.
    WithI,
    /// An `u`, then a small kana: `fa`, `fi`, `fu`, `fe`, `fo`.
    WithU,
}

/// Consonants as they are written, as they sound, and what follows. None stands behind a beginning of its own.
const ROWS: &[(&str, &str, Row)] = &[
    ("sh", "s", Row::WithI),
    ("ch", "t", Row::WithI),
    ("jy", "z", Row::WithI),
    ("dy", "z", Row::WithI),
    ("ky", "k", Row::WithI),
    ("gy", "g", Row::WithI),
    ("sy", "s", Row::WithI),
    ("zy", "z", Row::WithI),
    ("ty", "t", Row::WithI),
    ("ny", "n", Row::WithI),
    ("hy", "h", Row::WithI),
    ("by", "b", Row::WithI),
    ("py", "p", Row::WithI),
    ("my", "m", Row::WithI),
    ("ry", "r", Row::WithI),
    ("ts", "t", Row::WithU),
    ("dz", "z", Row::Plain),
    ("kw", "k", Row::Plain),
    ("gw", "g", Row::Plain),
    ("j", "z", Row::WithI),
    ("f", "h", Row::WithU),
    ("v", "b", Row::WithU),
    ("k", "k", Row::Plain),
    ("g", "g", Row::Plain),
    ("s", "s", Row::Plain),
    ("z", "z", Row::Plain),
    ("t", "t", Row::Plain),
    ("d", "d", Row::Plain),
    ("n", "n", Row::Plain),
    ("h", "h", Row::Plain),
    ("b", "b", Row::Plain),
    ("p", "p", Row::Plain),
    ("m", "m", Row::Plain),
    ("r", "r", Row::Plain),
    ("y", "y", Row::Plain),
    ("w", "w", Row::Plain),
];

struct Sound(String);

impl Sound {
    /// Reads one syllable, or half of one, and says how many letters it has.
    fn romaji(&mut self, rest: &[u8], beginning: bool) -> Option<usize> {
        match *rest {
            [vowel, ..] if is_vowel(vowel) => self.syllable("", vowel.into()),
            [b'h'] if self.ends_with("aiueo") => {}
            [b'h', b'y', ..] if self.ends_with("ou") => {}
            [b'h', next, ..] if self.ends_with("aiueo") && !is_vowel(next) && next != b'y' => {}
            [b'n', next, ..] if !is_vowel(next) && next != b'y' => self.0.push('n'),
            [b'n'] | [b'm', b'b' | b'm' | b'p', ..] => self.0.push('n'),
            [b't', b'c', ..] => self.syllable("t", 'u'),
            [one, two, ..] if one == two => self.syllable("t", 'u'),
            _ => return self.row(rest, beginning),
        }
        Some(1)
    }

    fn row(&mut self, rest: &[u8], beginning: bool) -> Option<usize> {
        if beginning && rest == b"c" {
            self.0.push('t');
            return Some(1);
        }
        let (written, consonant, row) = ROWS.iter().find(|(written, ..)| rest.starts_with(written.as_bytes()))?;
        match rest.get(written.len()) {
            Some(vowel) if is_vowel(*vowel) => self.in_row(consonant, *row, (*vowel).into()),
            None if beginning => self.half(written, consonant, *row),
            _ => return None,
        }
        Some(rest.len().min(written.len() + 1))
    }

    fn in_row(&mut self, consonant: &str, row: Row, vowel: char) {
        match (row, vowel) {
            (Row::Plain, _) => self.syllable(consonant, vowel),
            (Row::WithI, 'i') | (Row::WithU, 'u') => self.syllable(consonant, vowel),
            (Row::WithI, 'e') => {
                self.syllable(consonant, 'i');
                self.syllable("", 'e');
            }
            (Row::WithI, _) => {
                self.syllable(consonant, 'i');
                self.syllable("y", vowel);
            }
            (Row::WithU, _) => {
                self.syllable(consonant, 'u');
                self.syllable("", vowel);
            }
        }
    }

    /// Consonants at the end of a beginning, whose vowel is still to come.
    fn half(&mut self, written: &str, consonant: &str, row: Row) {
        self.0.push_str(consonant);
        match row {
            Row::Plain => {}
            Row::WithI if written.ends_with('y') => self.0.push_str("iy"),
            Row::WithI => self.0.push('i'),
            Row::WithU => self.0.push('u'),
        }
    }

    fn kana(&mut self, kana: char) -> Option<()> {
        const KANA: &[(&str, &str)] = &[
            ("", "あいうえお"),
            ("k", "かきくけこ"),
            ("g", "がぎぐげご"),
            ("s", "さしすせそ"),
            ("z", "ざじずぜぞ"),
            ("t", "たちつてと"),
            ("d", "だぢづでど"),
            ("n", "なにぬねの"),
            ("h", "はひふへほ"),
            ("b", "ばびぶべぼ"),
            ("p", "ぱぴぷぺぽ"),
            ("m", "まみむめも"),
            ("r", "らりるれろ"),
            ("w", "わゐ　ゑを"),
            ("y", "や　ゆ　よ"),
            ("b", "　　ゔ　　"),
        ];
        if kana == 'ん' {
            self.0.push('n');
            return Some(());
        }
        let of_row = |(consonant, row): &(&'static str, &str)| {
            row.chars().zip("aiueo".chars()).find(|(known, _)| *known == kana).map(|(_, vowel)| (*consonant, vowel))
        };
        let (consonant, vowel) = KANA.iter().find_map(of_row)?;
        self.syllable(consonant, vowel);
        Some(())
    }

    /// One kana.
    fn syllable(&mut self, consonant: &str, vowel: char) {
        let consonant = match (consonant, vowel) {
            ("d", 'i' | 'u') => "z",
            ("w", 'i' | 'u' | 'e' | 'o') | ("y", 'i' | 'e') => "",
            (other, _) => other,
        };
        let lengthens = match vowel {
            'u' => self.ends_with("uo"),
            other => self.0.ends_with(other),
        };
        if consonant.is_empty() && lengthens {
            return;
        }
        if consonant == "y" && self.0.ends_with('n') {
            self.0.push('i');
        }
        self.0.push_str(consonant);
        self.0.push(vowel);
    }

    fn ends_with(&self, letters: &str) -> bool {
        self.0.ends_with(|last: char| letters.contains(last))
    }
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'i' | b'u' | b'e' | b'o')
}
