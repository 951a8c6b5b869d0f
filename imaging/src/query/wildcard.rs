//! [`Wildcard`]: `*` and `?` (PS3.4 §C.2.2.2.4).

use std::fmt;

/// A pattern: `*` is any characters or none, `?` any one. Case matters. The time to match is bounded by the text's length
/// times the pattern's, and a pattern is short.
#[derive(Clone, PartialEq, Eq)]
pub struct Wildcard {
    pattern: Vec<char>,
}

impl Wildcard {
    /// Characters that a pattern may have.
    pub const LONGEST: usize = 1024;

    /// A pattern; `None` where it is too long.
    pub fn new(pattern: &str) -> Option<Self> {
        let mut pattern: Vec<char> = pattern.chars().take(Self::LONGEST + 1).collect();
        let fits = pattern.len() <= Self::LONGEST;
        pattern.dedup_by(|a, b| *a == '*' && *b == '*');
        fits.then_some(Self { pattern })
    }

    /// Whether it is the same as no pattern at all.
    pub fn is_universal(&self) -> bool {
        self.pattern == ['*']
    }

    /// Whether a text has its form.
    pub fn matches(&self, text: &str) -> bool {
        let mut text = text.chars();
        let mut at = 0;
        // After the last star seen: where the pattern goes on, and the text from which that is tried.
        let mut star: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let before = text.clone();
            match (self.pattern.get(at), text.next()) {
                (Some('*'), _) => {
                    at += 1;
                    star = Some((at, before.clone()));
                    text = before;
                }
                (Some(p), Some(c)) if *p == '?' || *p == c => at += 1,
                (None, None) => return true,
                (_, None) => return false,
                (_, Some(_)) => match &mut star {
                    None => return false,
                    Some((after, from)) => {
                        from.next();
                        at = *after;
                        text = from.clone();
                    }
                },
            }
        }
    }

    /// What every text of this form begins with.
    pub fn prefix(&self) -> String {
        self.pattern.iter().take_while(|c| !matches!(c, '*' | '?')).collect()
    }
}

impl fmt::Debug for Wildcard {
    /// The pattern may be a patient's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wildcard({} characters)", self.pattern.len())
    }
}
