//! [`AeTitle`]: the name of an application on a DICOM network (PS3.5 §6.2, VR AE; PS3.8 §9.3.2).

use std::fmt;

use serde::{Deserialize, Serialize};

/// An AE title: 1 to 16 printable ASCII characters, no backslash, spaces around it without meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AeTitle(Box<str>);

/// What is wrong with an AE title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an AE title has 1 to 16 printable ASCII characters and no backslash")]
pub struct NotAnAeTitle;

impl AeTitle {
    /// Reads an AE title; spaces around it are taken off.
    ///
    /// # Errors
    /// It is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, NotAnAeTitle> {
        let text = text.trim_matches([' ', '\0']);
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\');
        if text.is_empty() || text.len() > 16 || !printable { Err(NotAnAeTitle) } else { Ok(Self(text.into())) }
    }

    /// Its text, without padding.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for AeTitle {
    type Err = NotAnAeTitle;
    fn from_str(text: &str) -> Result<Self, NotAnAeTitle> {
        Self::parse(text)
    }
}

impl TryFrom<String> for AeTitle {
    type Error = NotAnAeTitle;
    fn try_from(text: String) -> Result<Self, NotAnAeTitle> {
        Self::parse(&text)
    }
}

impl From<AeTitle> for String {
    fn from(title: AeTitle) -> Self {
        title.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::AeTitle;

    #[test]
    fn padding_has_no_meaning() {
        assert_eq!(AeTitle::parse("MEDVAN          "), AeTitle::parse("MEDVAN"));
        for wrong in ["", "    ", "SEVENTEEN_LETTERS", "A\\B", "医療"] {
            assert!(AeTitle::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
