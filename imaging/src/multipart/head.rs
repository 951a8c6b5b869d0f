//! [`PartHead`]: the headers of one part that mean something to DICOMweb (PS3.18 §8.6.1.2).

use std::{borrow::Cow, fmt::Write};

use memchr::memmem;
use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, utf8_percent_encode};

use super::{ContentType, ContentTypeError, MultipartError};

/// What the head of a part says. Headers of other names are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartHead {
    /// Content-Type. A part without one has the `type` of the whole (RFC 2387 §3.1; real clients rely on it).
    pub content_type: Option<ContentType>,
    /// Content-Location: the URI that names this bulk data in the metadata (PS3.18 §10.5.1.4).
    pub content_location: Option<String>,
    /// Content-Length in bytes. A claim: the delimiter decides where a part ends.
    pub content_length: Option<u64>,
    /// Content-ID, which the parameter `start` of the whole may name (RFC 2387 §3.2).
    pub content_id: Option<String>,
    /// What is wrong with this head, when something is. The part cannot be used; the others can.
    pub flaw: Option<HeadFlaw>,
}

/// What is wrong with the head of one part; the sender's fault. It spoils that part only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadFlaw {
    /// A line is no header field.
    #[error("a line in the head of the part is no header field")]
    Field,
    /// A header comes twice and says different things.
    #[error("a header of the part comes twice with different values")]
    Repeated,
    /// Content-Type cannot be read.
    #[error("the Content-Type of the part cannot be read: {0}")]
    ContentType(#[from] ContentTypeError),
    /// Content-Length is no number.
    #[error("the Content-Length of the part is no number")]
    ContentLength,
    /// The payload is not sent as it is: base64, quoted-printable, gzip.
    #[error("the part is encoded; parts are sent as binary (no Content-Transfer-Encoding, no Content-Encoding)")]
    Encoded,
}

impl PartHead {
    /// The head of a part of this type.
    pub fn of(content_type: ContentType) -> Self {
        Self { content_type: Some(content_type), ..Self::default() }
    }

    /// With a Content-Location.
    #[must_use]
    pub fn located(self, uri: impl Into<String>) -> Self {
        Self { content_location: Some(uri.into()), ..self }
    }

    /// With a Content-Length in bytes.
    #[must_use]
    pub fn sized(self, bytes: u64) -> Self {
        Self { content_length: Some(bytes), ..self }
    }

    /// Reads what stands between a delimiter's line and the empty line. `dash_boundary` is `--` and the boundary.
    pub(super) fn parse(block: &[u8], dash_boundary: &[u8], headers: usize) -> Result<Self, MultipartError> {
        let mut head = Self::default();
        for (number, field) in unfolded(block).enumerate() {
            if number == headers {
                return Err(MultipartError::TooManyHeaders { limit: headers });
            }
            if field.starts_with(dash_boundary) {
                return Err(MultipartError::HeadUnended);
            }
            if let Err(flaw) = head.take(&field) {
                head.flaw.get_or_insert(flaw);
            }
        }
        Ok(head)
    }

    fn take(&mut self, field: &[u8]) -> Result<(), HeadFlaw> {
        let colon = memchr::memchr(b':', field).ok_or(HeadFlaw::Field)?;
        let (name, value) = (field[..colon].trim_ascii_end(), field[colon + 1..].trim_ascii());
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) || value.iter().any(|byte| is_framing(*byte)) {
            return Err(HeadFlaw::Field);
        }
        match name.to_ascii_lowercase().as_slice() {
            b"content-type" => once(&mut self.content_type, ContentType::parse(text(value)?)?),
            b"content-location" => once(&mut self.content_location, text(value)?.to_owned()),
            b"content-id" => once(&mut self.content_id, text(value)?.to_owned()),
            b"content-length" => once(&mut self.content_length, length(value)?),
            b"content-transfer-encoding" | b"content-encoding" => plain(value),
            _ => Ok(()),
        }
    }

    /// Writes the fields, each with its CRLF.
    pub(super) fn write(&self, to: &mut String) {
        let mut field = |name: &str, value: &dyn std::fmt::Display| {
            write!(to, "{name}: {value}\r\n").expect("writing to a String does not fail");
        };
        if let Some(content_type) = &self.content_type {
            field("Content-Type", content_type);
        }
        if let Some(uri) = &self.content_location {
            field("Content-Location", &in_one_line(uri));
        }
        if let Some(id) = &self.content_id {
            field("Content-ID", &in_one_line(id));
        }
        if let Some(bytes) = self.content_length {
            field("Content-Length", &bytes);
        }
    }
}

/// The header fields of a head, folded lines (RFC 5322 §2.2.3) joined by one blank.
fn unfolded(block: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut field = Cow::Borrowed(line(&mut rest));
        while rest.first().is_some_and(|byte| is_blank(*byte)) {
            let field = field.to_mut();
            field.push(b' ');
            field.extend_from_slice(line(&mut rest).trim_ascii_start());
        }
        Some(field)
    })
}

/// Takes one line off, without its CRLF.
fn line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (line, after) = match memmem::find(rest, b"\r\n") {
        Some(at) => (&rest[..at], &rest[at + 2..]),
        None => (*rest, &rest[rest.len()..]),
    };
    *rest = after;
    line
}

fn once<T: PartialEq>(slot: &mut Option<T>, value: T) -> Result<(), HeadFlaw> {
    if slot.as_ref().is_some_and(|before| *before != value) {
        return Err(HeadFlaw::Repeated);
    }
    *slot = Some(value);
    Ok(())
}

fn text(value: &[u8]) -> Result<&str, HeadFlaw> {
    std::str::from_utf8(value).map_err(|_| HeadFlaw::Field)
}

fn length(value: &[u8]) -> Result<u64, HeadFlaw> {
    // `u64::from_str` alone would take a sign.
    let digits = text(value)?;
    let digits = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits } else { "" };
    digits.parse().map_err(|_| HeadFlaw::ContentLength)
}

fn plain(encoding: &[u8]) -> Result<(), HeadFlaw> {
    let known: [&[u8]; 5] = [b"binary", b"8bit", b"7bit", b"identity", b""];
    if known.iter().any(|name| encoding.eq_ignore_ascii_case(name)) { Ok(()) } else { Err(HeadFlaw::Encoded) }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Characters that end lines or texts for some reader behind us.
fn is_framing(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// A URI that cannot begin a new header: controls, blanks and what is not ASCII are percent-encoded.
fn in_one_line(uri: &str) -> PercentEncode<'_> {
    const FORBIDDEN: &AsciiSet = &CONTROLS.add(b' ');
    utf8_percent_encode(uri, FORBIDDEN)
}
