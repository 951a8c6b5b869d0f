//! [`Uid`]: a unique identifier (PS3.5 §9.1), safe in paths, URLs and SQL because nothing else can be one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A UID: digits and dots, at most 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uid(Box<str>);

/// What is wrong with a UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UidError {
    /// It has no characters.
    #[error("a UID must not be empty")]
    Empty,
    /// It has more than 64 characters.
    #[error("a UID has at most 64 characters")]
    TooLong,
    /// It is not made of numbers with dots between them.
    #[error("a UID is made of numbers with single dots between them")]
    Form,
}

impl Uid {
    /// Reads a UID as it came: padding (NUL or space) at the end is taken off.
    ///
    /// A component with leading zeros breaks PS3.5 §9.1 but is found in real images; it is harmless, so it is taken.
    ///
    /// # Errors
    /// Whatever is no UID.
    pub fn parse(text: &str) -> Result<Self, UidError> {
        let text = text.trim_end_matches(['\0', ' ']);
        if text.is_empty() {
            return Err(UidError::Empty);
        }
        if text.len() > 64 {
            return Err(UidError::TooLong);
        }
        let numbers = text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if numbers { Ok(Self(text.into())) } else { Err(UidError::Form) }
    }

    /// A UID that is known to be one when the program is written.
    ///
    /// # Panics
    /// When it is none.
    pub fn known(text: &'static str) -> Self {
        Self::parse(text).expect("a UID written in the program is one")
    }

    /// The UID that is derived from a UUID, given as its number (PS3.5 section B.2).
    pub fn from_uuid(uuid: u128) -> Self {
        Self(format!("2.25.{uuid}").into())
    }

    /// The number of the UUID from which it is derived, if it is such a one.
    pub fn to_uuid(&self) -> Option<u128> {
        let number: u128 = self.0.strip_prefix("2.25.")?.parse().ok()?;
        (Self::from_uuid(number) == *self).then_some(number)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Uid {
    type Err = UidError;
    fn from_str(text: &str) -> Result<Self, UidError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Uid {
    type Error = UidError;
    fn try_from(text: String) -> Result<Self, UidError> {
        Self::parse(&text)
    }
}

impl From<Uid> for String {
    fn from(uid: Uid) -> Self {
        uid.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::{Uid, UidError};

    #[test]
    fn only_numbers_and_dots_are_a_uid() {
        for (text, expected) in [
            ("1.2.840.10008.1.1", Ok(())),
            ("1.2.3\0", Ok(())),
            ("1.02.3", Ok(())),
            ("", Err(UidError::Empty)),
            ("\0", Err(UidError::Empty)),
            ("1..2", Err(UidError::Form)),
            (".1", Err(UidError::Form)),
            ("1.", Err(UidError::Form)),
            ("../../etc/passwd", Err(UidError::Form)),
            ("1.2.3'; DROP TABLE", Err(UidError::Form)),
            ("１.2", Err(UidError::Form)),
        ] {
            assert_eq!(Uid::parse(text).map(|_| ()), expected, "{text:?}");
        }
        assert!(Uid::parse(&"1".repeat(64)).is_ok());
        assert_eq!(Uid::parse(&"1".repeat(65)), Err(UidError::TooLong));
    }
}
