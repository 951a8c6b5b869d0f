//! The words of a name, by look and by sound: what fuzzy matching compares, and what an index holds.

use super::{
    PersonName,
    fold::{self, Looked},
    sound,
};

/// How many characters of a word, or of words run together, are compared. The standard allows 64 in a group.
pub(super) const WORD_CHARS: usize = 64;

/// How many words of a group are looked at.
const MAX_WORDS: usize = 12;

/// How many components a group has (PS3.5 §6.2.1).
const MAX_COMPONENTS: usize = 5;

/// What a name, or a group of it, can be found by.
#[derive(Default)]
pub(super) struct Words {
    /// Words, components without their spaces, whole groups without their delimiters, each by its look.
    pub(super) looks: Vec<String>,
    /// The same by their sounds, as far as they have one.
    pub(super) sounds: Vec<String>,
}

impl Words {
    /// Of any number of groups.
    pub(super) fn of<'a>(groups: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = Self::default();
        for group in groups {
            words.looks.extend(looks(&fold::look(&fold::literal(group))));
        }
        words.looks.sort_unstable();
        words.looks.dedup();
        words.sounds = words.looks.iter().filter_map(|look| sound::of_word(look)).map(shorten).collect();
        words
    }
}

/// See [`PersonName::search_keys`].
pub(super) fn search_keys(name: &PersonName) -> Vec<String> {
    let words = Words::of(name.groups().into_iter().flatten());
    let mut keys = words.looks;
    keys.extend(words.sounds);
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn looks(looked: &[Looked]) -> Vec<String> {
    let words = looked.split(|part| !matches!(part, Looked::Char(_))).map(joined).filter(|word| !word.is_empty());
    let components = looked.split(|part| *part == Looked::Caret).map(joined);
    let mut looks: Vec<String> = words.take(MAX_WORDS).collect();
    looks.extend(components.take(MAX_COMPONENTS));
    looks.push(joined(looked));
    looks.retain(|look| !look.is_empty());
    looks
}

/// The characters without what divides them, as many as are compared.
pub(super) fn joined(looked: &[Looked]) -> String {
    let character = |part: &Looked| if let Looked::Char(character) = part { Some(*character) } else { None };
    looked.iter().filter_map(character).take(WORD_CHARS).collect()
}

/// As many characters as are compared.
pub(super) fn shorten(text: String) -> String {
    match text.char_indices().nth(WORD_CHARS) {
        Some((end, _)) => text[..end].into(),
        None => text,
    }
}
