//! [`ContentType`]: a media type with its parameters (RFC 9110 §8.3.1, PS3.18 §8.7).

use std::{borrow::Cow, fmt};

use super::{Boundary, BoundaryError};
use crate::Uid;

/// The longest value of Content-Type that is read, in bytes.
const MAX_BYTES: usize = 4096;
/// The most parameters of one media type.
const MAX_PARAMETERS: usize = 32;

/// A media type with its parameters: `multipart/related; type="application/dicom"; boundary=b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// `type/subtype` in lower case.
    media: String,
    /// Names in lower case, values without quotes.
    parameters: Vec<(String, String)>,
}

/// What is wrong with a Content-Type; the sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentTypeError {
    /// It is longer than 4096 bytes or has more than 32 parameters.
    #[error("a Content-Type has at most 4096 bytes and 32 parameters")]
    TooLong,
    /// It does not begin with `type/subtype`.
    #[error("a Content-Type begins with `type/subtype`")]
    Media,
    /// A parameter is not `name=value`, or a quote is not closed.
    #[error("a parameter of a Content-Type is `name=value` or `name=\"value\"`")]
    Parameter,
    /// A parameter comes twice with different values: two readers could frame the body differently.
    #[error("a parameter of the Content-Type comes twice with different values")]
    Repeated,
}

impl ContentType {
    /// Reads a Content-Type. Values may be quoted or not; `type=application/dicom` without quotes breaks RFC 9110 but was
    /// in the standard itself until 2016 and is what many clients send.
    ///
    /// # Errors
    /// What cannot be read in one way only.
    pub fn parse(text: &str) -> Result<Self, ContentTypeError> {
        if text.len() > MAX_BYTES {
            return Err(ContentTypeError::TooLong);
        }
        let mut pieces = split_outside_quotes(text, b';');
        let media = pieces.next().and_then(media_name).ok_or(ContentTypeError::Media)?;
        if media.contains('*') {
            return Err(ContentTypeError::Media);
        }
        let mut read = Self { media, parameters: Vec::new() };
        for piece in pieces.filter(|piece| !piece.trim().is_empty()) {
            let (name, value) = parameter(piece).ok_or(ContentTypeError::Parameter)?;
            read.take(name, value)?;
        }
        Ok(read)
    }

    /// A media type known when the program is written, without parameters.
    ///
    /// # Panics
    /// When it is none.
    pub fn of(media: &'static str) -> Self {
        Self::parse(media).expect("a media type written in the program is one")
    }

    /// With one more parameter. Control characters have no place in a header and are left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        let value = value.to_string().chars().filter(|character| !character.is_control()).collect();
        self.parameters.push((name.to_ascii_lowercase(), value));
        self
    }

    /// `type/subtype` in lower case.
    pub fn media(&self) -> &str {
        &self.media
    }

    /// The value of a parameter, its name given in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is `multipart/related`.
    pub fn is_related(&self) -> bool {
        self.media == "multipart/related"
    }

    /// The media type of the root part (RFC 2387 §3.1), in lower case and without parameters: some senders put the transfer
    /// syntax inside the quotes.
    pub fn root_type(&self) -> Option<String> {
        media_name(self.parameter("type")?.split(';').next()?)
    }

    /// The boundary.
    ///
    /// # Errors
    /// There is none, or none that can be used.
    pub fn boundary(&self) -> Result<Boundary, BoundaryError> {
        Boundary::parse(self.parameter("boundary").unwrap_or_default())
    }

    /// The transfer syntax (PS3.18 §8.7.3.5.2). For a part that holds a file, the file's own one counts (§8.7.9).
    pub fn transfer_syntax(&self) -> Option<Uid> {
        Uid::parse(self.parameter("transfer-syntax")?).ok()
    }

    fn take(&mut self, name: String, value: String) -> Result<(), ContentTypeError> {
        match self.parameter(&name) {
            Some(before) if before == value => return Ok(()),
            Some(_) => return Err(ContentTypeError::Repeated),
            None if self.parameters.len() == MAX_PARAMETERS => return Err(ContentTypeError::TooLong),
            None => self.parameters.push((name, value)),
        }
        Ok(())
    }
}

impl std::str::FromStr for ContentType {
    type Err = ContentTypeError;
    fn from_str(text: &str) -> Result<Self, ContentTypeError> {
        Self::parse(text)
    }
}

/// As it stands in a header: values are quoted where they must be.
impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.media)?;
        for (name, value) in &self.parameters {
            write!(f, "; {name}={}", quoted_if_needed(value))?;
        }
        Ok(())
    }
}

/// `type/subtype` in lower case, wildcards included, without blanks around it.
pub(crate) fn media_name(text: &str) -> Option<String> {
    let (kind, subtype) = text.trim().split_once('/')?;
    (is_token(kind) && is_token(subtype)).then(|| format!("{kind}/{subtype}").to_ascii_lowercase())
}

/// One parameter: its name in lower case, its value without quotes. A name alone has the empty value.
pub(crate) fn parameter(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let name = name.trim();
    if !is_token(name) {
        return None;
    }
    Some((name.to_ascii_lowercase(), unquoted(value.trim())?))
}

/// Cuts at a separator wherever it does not stand inside quotes.
pub(crate) fn split_outside_quotes(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = match separator_outside_quotes(text.as_bytes(), separator) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(piece)
    })
}

fn separator_outside_quotes(bytes: &[u8], separator: u8) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    bytes.iter().position(|byte| {
        let literal = std::mem::take(&mut escaped);
        match byte {
            b'\\' if quoted && !literal => escaped = true,
            b'"' if !literal => quoted = !quoted,
            _ => return !quoted && *byte == separator,
        }
        false
    })
}

/// A value without its quotes (RFC 9110 §5.6.4). Without quotes everything visible is taken.
fn unquoted(value: &str) -> Option<String> {
    if value.chars().any(|character| character.is_control() && character != '\t') {
        return None;
    }
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let mut read = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return characters.as_str().is_empty().then_some(read),
            '\\' => read.push(characters.next()?),
            _ => read.push(character),
        }
    }
    None
}

/// A value as it stands in a header: in quotes unless it is a token.
pub(super) fn quoted_if_needed(value: &str) -> Cow<'_, str> {
    if is_token(value) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
