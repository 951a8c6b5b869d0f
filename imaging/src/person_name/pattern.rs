//! [`Pattern`]: what a query asks for, read once and compared with many names.

use super::{
    PersonName,
    fold::{self, Looked},
    sound,
    wildcard::{self, is_wild},
    words::{Words, joined, shorten},
};

/// The longest pattern, in bytes. A name has at most 194 characters.
const MAX_BYTES: usize = 1024;

/// How many wild cards a pattern may have.
const MAX_WILDCARDS: usize = 32;

/// A pattern that is not taken. The sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is too long.
    #[error("a pattern for a person name must not be longer than 1024 bytes")]
    TooLong,
    /// It has too many wild cards.
    #[error("a pattern for a person name must not have more than 32 wild cards")]
    TooManyWildcards,
}

/// A value to match person names with; what it means is told in [`crate::person_name`].
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern(Scope);

/// Which groups a pattern speaks of.
#[derive(Clone, PartialEq, Eq)]
enum Scope {
    /// Any one of them: the pattern has no `=`.
    Any(GroupPattern),
    /// Alphabetic, ideographic, phonetic: those that it gives.
    Each([GroupPattern; 3]),
}

/// Patterns are patients' names.
impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pattern(hidden)")
    }
}

impl Pattern {
    /// Reads a pattern, as it is after decoding.
    ///
    /// # Errors
    /// It is longer, or has more wild cards, than any name needs.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_BYTES {
            return Err(PatternError::TooLong);
        }
        if text.chars().filter(|character| matches!(character, '*' | '?' | '＊' | '？')).count() > MAX_WILDCARDS {
            return Err(PatternError::TooManyWildcards);
        }
        if !text.contains('=') {
            return Ok(Self(Scope::Any(GroupPattern::read(text))));
        }
        let mut groups = text.split('=').map(GroupPattern::read);
        let mut next = || groups.next().unwrap_or_else(|| GroupPattern::read(""));
        Ok(Self(Scope::Each([next(), next(), next()])))
    }

    /// Whether every name matches, also an empty one (PS3.4 §C.2.2.2.3): the pattern is empty or all `*`.
    pub fn is_universal(&self) -> bool {
        match &self.0 {
            Scope::Any(pattern) => pattern.is_universal(),
            Scope::Each(patterns) => patterns.iter().all(GroupPattern::is_universal),
        }
    }

    pub(super) fn matches(&self, name: &PersonName) -> bool {
        match &self.0 {
            Scope::Any(pattern) => pattern.matches_any(&name.groups()),
            Scope::Each(patterns) => {
                patterns.iter().zip(name.groups()).all(|(pattern, group)| pattern.matches_any(&[group]))
            }
        }
    }

    pub(super) fn fuzzy_matches(&self, name: &PersonName) -> bool {
        match &self.0 {
            Scope::Any(pattern) => pattern.fuzzy_matches_any(&name.groups()),
            Scope::Each(patterns) => {
                patterns.iter().zip(name.groups()).all(|(pattern, group)| pattern.fuzzy_matches_any(&[group]))
            }
        }
    }

    /// Prefixes for literal matching: every name that [`PersonName::matches`] has at least one search key that begins with at
    /// least one of them. `None` when every name has to be looked at, because the pattern begins with a wild card.
    pub fn keys(&self) -> Option<Vec<String>> {
        self.best(|pattern| Some(vec![pattern.literal_key()?]))
    }

    /// The same for [`PersonName::fuzzy_matches`]; they serve literal matching too.
    pub fn fuzzy_keys(&self) -> Option<Vec<String>> {
        self.best(GroupPattern::fuzzy_keys)
    }

    /// Each group that is given has to match, so the keys of one are enough: of the one that leaves the fewest names.
    fn best(&self, keys: impl Fn(&GroupPattern) -> Option<Vec<String>>) -> Option<Vec<String>> {
        let patterns = match &self.0 {
            Scope::Any(pattern) => std::slice::from_ref(pattern),
            Scope::Each(patterns) => patterns.as_slice(),
        };
        let shortest = |keys: &Vec<String>| keys.iter().map(|key| key.chars().count()).min();
        patterns.iter().filter_map(keys).max_by_key(shortest).map(without_longer)
    }
}

/// Prefixes without those that begin with another one of them.
fn without_longer(mut keys: Vec<String>) -> Vec<String> {
    keys.sort_unstable();
    keys.dedup_by(|longer, shorter| longer.starts_with(shorter.as_str()));
    keys
}

/// What a pattern says of one group.
#[derive(Clone, PartialEq, Eq)]
struct GroupPattern {
    literal: Vec<char>,
    words: Vec<Word>,
    /// All words run together, when there is no wild card inside: `山田 太郎` may be kept as `山田太郎`.
    joined: Option<Word>,
}

/// The beginning of a word that is looked for.
#[derive(Clone, PartialEq, Eq)]
struct Word {
    /// Its look; wild cards may be inside, none at the end.
    look: String,
    sound: Option<String>,
}

impl GroupPattern {
    fn read(text: &str) -> Self {
        let literal = fold::literal(text);
        let looked: Vec<Looked> = fold::look(&literal).into_iter().filter(|part| *part != Looked::Soft).collect();
        let words = looked.split(|part| !matches!(part, Looked::Char(_))).filter_map(|part| Word::read(&joined(part)));
        let words: Vec<Word> = words.collect();
        let joined = Word::read(&joined(&looked)).filter(|joined| !joined.has_wildcards());
        Self { literal: literal.chars().collect(), words, joined }
    }

    fn is_universal(&self) -> bool {
        self.literal.iter().all(|character| *character == '*')
    }

    fn matches_any(&self, groups: &[Option<&str>]) -> bool {
        self.is_universal() || groups.iter().flatten().any(|group| self.matches_group(group))
    }

    /// A group has as many empty components at its end as the pattern asks for, up to the five of the standard.
    fn matches_group(&self, group: &str) -> bool {
        let mut text: Vec<char> = fold::literal(group).chars().collect();
        let carets = |text: &[char]| text.iter().filter(|character| **character == '^').count();
        let missing = carets(&self.literal).min(4).saturating_sub(carets(&text));
        (0..=missing).any(|more| {
            if more > 0 {
                text.push('^');
            }
            wildcard::matches(&self.literal, &text)
        })
    }

    fn fuzzy_matches_any(&self, groups: &[Option<&str>]) -> bool {
        self.matches_any(groups) || {
            let words = Words::of(groups.iter().copied().flatten());
            let all = !self.words.is_empty() && self.words.iter().all(|word| word.begins_any(&words));
            all || self.joined.as_ref().is_some_and(|joined| joined.begins_any(&words))
        }
    }

    /// What stands before the first wild card begins the whole group; both are looked at without their delimiters.
    fn literal_key(&self) -> Option<String> {
        let prefix: String = self.literal.iter().take_while(|character| !is_wild(**character)).collect();
        Some(joined(&fold::look(&prefix))).filter(|key| !key.is_empty())
    }

    /// A name is found literally, or by all words, so by the one that says most, or by all of them run together.
    fn fuzzy_keys(&self) -> Option<Vec<String>> {
        let mut keys = vec![self.literal_key()?];
        if !self.words.is_empty() {
            let known = |word: &&Word| word.known_beginning().chars().count();
            keys.extend(self.words.iter().max_by_key(known)?.keys()?);
        }
        if let Some(joined) = &self.joined {
            keys.extend(joined.keys()?);
        }
        Some(keys)
    }
}

impl Word {
    /// Nothing is left of a word that is all `*`.
    fn read(look: &str) -> Option<Self> {
        let look = look.trim_end_matches('*');
        let sound = sound::of_beginning(look).map(shorten);
        (!look.is_empty()).then(|| Self { look: look.into(), sound })
    }

    fn has_wildcards(&self) -> bool {
        self.look.contains(is_wild)
    }

    fn begins_any(&self, words: &Words) -> bool {
        let by_look = if self.has_wildcards() {
            let pattern: Vec<char> = self.look.chars().chain(['*']).collect();
            words.looks.iter().any(|look| wildcard::matches(&pattern, &look.chars().collect::<Vec<_>>()))
        } else {
            words.looks.iter().any(|look| look.starts_with(&self.look))
        };
        by_look || self.sound.as_ref().is_some_and(|sound| words.sounds.iter().any(|known| known.starts_with(sound)))
    }

    /// What stands before the first wild card.
    fn known_beginning(&self) -> &str {
        self.look.split(is_wild).next().unwrap_or_default()
    }

    /// Prefixes of the search keys that this word can find.
    fn keys(&self) -> Option<Vec<String>> {
        let look = self.known_beginning();
        (!look.is_empty()).then(|| std::iter::once(look).chain(self.sound.as_deref()).map(str::to_owned).collect())
    }
}
