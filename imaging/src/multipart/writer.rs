//! [`Writer`]: the delimiters and heads of a body that we send.

use bytes::Bytes;

use super::{Boundary, ContentType, PartHead, content_type::quoted_if_needed};

/// Writes what stands around the payloads of a `multipart/related` body. Payloads never pass through it.
#[derive(Debug)]
pub struct Writer {
    boundary: Boundary,
    /// The media type of the root part, without parameters.
    root: String,
    begun: bool,
}

impl Writer {
    /// A writer of parts of this type. Parameters stay out of the quoted `type`: clients that compare it with a media type
    /// fail otherwise.
    pub fn new(boundary: Boundary, root: &ContentType) -> Self {
        Self { boundary, root: root.media().to_owned(), begun: false }
    }

    /// The Content-Type of the whole body.
    pub fn content_type(&self) -> String {
        // The type holds a slash, so RFC 2387 wants its quotes; the boundary gets them only where it must, because there
        // are clients that take quotes for a part of it.
        format!("multipart/related; type=\"{}\"; boundary={}", self.root, quoted_if_needed(self.boundary.as_str()))
    }

    /// The delimiter before a part and the part's head. The payload comes next.
    pub fn part(&mut self, head: &PartHead) -> Bytes {
        let mut text = self.delimiter();
        text.push_str("\r\n");
        head.write(&mut text);
        text.push_str("\r\n");
        self.begun = true;
        text.into()
    }

    /// The closing delimiter.
    pub fn end(self) -> Bytes {
        let mut text = self.delimiter();
        text.push_str("--\r\n");
        text.into()
    }

    /// How long a body with these parts is in bytes, from the first delimiter to the end: heads with the lengths of their
    /// payloads. It is what Content-Length of the whole says.
    pub fn length_of<'a>(&self, parts: impl IntoIterator<Item = (&'a PartHead, u64)>) -> u64 {
        let mut writer = Self { boundary: self.boundary.clone(), root: String::new(), begun: false };
        let around = |bytes: Bytes| u64::try_from(bytes.len()).expect("a head is short");
        let mut length: u64 = 0;
        for (head, payload) in parts {
            length = length.saturating_add(around(writer.part(head))).saturating_add(payload);
        }
        length.saturating_add(around(writer.end()))
    }

    fn delimiter(&self) -> String {
        format!("{}--{}", if self.begun { "\r\n" } else { "" }, self.boundary)
    }
}
