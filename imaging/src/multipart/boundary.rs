//! [`Boundary`]: the text that separates the parts (RFC 2046 §5.1.1).

use std::fmt;

/// The longest boundary, in characters (RFC 2046 §5.1.1).
/// RFC 2046 §5.1.1 allows 70; Orthanc's DICOMweb plug-in sends 73.
const MAX_CHARACTERS: usize = 200;

/// A boundary: at most 200 visible ASCII characters, with blanks inside but not at the end.
///
/// RFC 2046 allows fewer characters. The others are taken when read because the search compares bytes: a strange character
/// there does no harm, and refusing it would lose images. What could break the framing (control characters, quotes,
/// backslashes) is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Boundary(Box<str>);

/// What is wrong with a boundary; the sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoundaryError {
    /// The Content-Type has no parameter `boundary`, or an empty one.
    #[error("a multipart Content-Type needs a parameter `boundary`")]
    Missing,
    /// It has more than 200 characters.
    #[error("a boundary has at most 200 characters")]
    TooLong,
    /// It has a character that no boundary can have, or a blank at its end.
    #[error("a boundary has visible ASCII characters only and does not end in a blank (RFC 2046 section 5.1.1)")]
    Character,
}

impl Boundary {
    /// Reads a boundary without its quotes.
    ///
    /// # Errors
    /// Whatever could not be found in a body.
    pub fn parse(text: &str) -> Result<Self, BoundaryError> {
        if text.is_empty() {
            return Err(BoundaryError::Missing);
        }
        if text.len() > MAX_CHARACTERS {
            return Err(BoundaryError::TooLong);
        }
        let known = text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'));
        if known && !text.ends_with(' ') { Ok(Self(text.into())) } else { Err(BoundaryError::Character) }
    }

    /// A boundary that occurs in no payload, because nobody could guess it before: give 128 random bits.
    pub fn random(entropy: u128) -> Self {
        Self(format!("medvan-{entropy:032x}").into())
    }

    /// Its text, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
