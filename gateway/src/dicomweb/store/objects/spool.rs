//! [`Spool`]: bulk data on its way, in one nameless file for all of a request.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
};

use bytes::Bytes;
use medvan_imaging::{
    Uid,
    accept::default_of,
    dataset::Span,
    jpeg::FrameHeader,
    multipart::{ContentType, PartHead},
};

use super::Refusal;

/// Bytes of compressed pixels in which their header must stand: behind thumbnails and profiles, which come in 64 KB each.
const BEGINNING: usize = 256 * 1024;

/// How often what came may be copied: several instances may share bulk data, but not all of a disk's room.
const SHARED: u64 = 4;

/// Bulk data of a request.
pub(super) struct Spool {
    file: File,
    length: u64,
    copied: u64,
    parts: HashMap<String, Part>,
    current: Option<String>,
    /// The first bytes of the part that comes, if it is a JPEG stream.
    beginning: Option<Vec<u8>>,
}

/// One part.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Where it is in the file.
    pub(super) span: Span,
    /// How it is compressed, if it is.
    pub(super) compressed: Option<Compressed>,
}

/// What compressed bulk data is.
#[derive(Debug, Clone)]
pub(super) struct Compressed {
    pub(super) syntax: Uid,
    pub(super) is_video: bool,
    pub(super) header: Option<FrameHeader>,
}

impl Compressed {
    /// The transfer syntax that the part names, or the one that is meant by its media type alone (PS3.18 §8.7.3.3).
    fn of(content: &ContentType) -> Option<Self> {
        let media = content.media();
        let is_video = media.starts_with("video/");
        if !is_video && !media.starts_with("image/") {
            return None;
        }
        // What a JPEG is its own header says; without one it is what consumers have.
        let meant =
            if media.eq_ignore_ascii_case("image/jpeg") { "1.2.840.10008.1.2.4.50" } else { default_of(media)? };
        let syntax = content.transfer_syntax().unwrap_or_else(|| Uid::known(meant));
        Some(Self { syntax, is_video, header: None })
    }
}

impl Spool {
    pub(super) fn new(file: io::Result<File>) -> Result<Self, Refusal> {
        let file = file.map_err(|error| failed(&error))?;
        Ok(Self { file, length: 0, copied: 0, parts: HashMap::new(), current: None, beginning: None })
    }

    /// The part at this location.
    pub(super) fn part(&self, location: &str) -> Option<&Part> {
        self.parts.get(location)
    }

    /// Whether so many more bytes may be copied; counts them then.
    pub(super) fn grants(&mut self, bytes: u64) -> bool {
        let copied = self.copied.saturating_add(bytes);
        let is_granted = copied <= self.length.saturating_mul(SHARED);
        if is_granted {
            self.copied = copied;
        }
        is_granted
    }

    /// Whether the part that begins is metadata; else it is the bulk data at its location.
    pub(super) fn begins(&mut self, head: &PartHead) -> bool {
        const METADATA: &[&str] = &["application/dicom+json", "application/json", "application/dicom+xml"];
        let Some(content) = &head.content_type else { return true };
        if METADATA.contains(&content.media()) {
            return true;
        }
        let compressed = Compressed::of(content);
        // A picture in a form that no transfer syntax has is not the value of anything: it is as if it had not come.
        let is_known =
            compressed.is_some() || !(content.media().starts_with("image/") || content.media().starts_with("video/"));
        self.current = head.content_location.clone().filter(|_| is_known);
        self.beginning =
            compressed.as_ref().filter(|_| content.media().eq_ignore_ascii_case("image/jpeg")).map(|_| Vec::new());
        if let Some(location) = &self.current {
            let span = Span { offset: self.length, length: 0 };
            self.parts.insert(location.clone(), Part { span, compressed });
        }
        false
    }

    /// Some bytes of the current part.
    pub(super) async fn take(mut self, bytes: Bytes) -> Result<Self, Refusal> {
        let Some(part) = self.current.as_ref().and_then(|location| self.parts.get_mut(location)) else {
            return Ok(self);
        };
        part.span.length += bytes.len() as u64;
        self.length += bytes.len() as u64;
        if let (Some(beginning), Some(compressed)) = (&mut self.beginning, &mut part.compressed) {
            beginning.extend_from_slice(&bytes[..bytes.len().min(BEGINNING.saturating_sub(beginning.len()))]);
            if let Some(header) = FrameHeader::read(beginning) {
                // The stream knows its process better than whoever named it.
                compressed.syntax = match (header.transfer_syntax(), compressed.syntax.as_str()) {
                    // Of the two lossless ones the narrower may have been meant.
                    (Some(syntax), "1.2.840.10008.1.2.4.70") if syntax.as_str() == "1.2.840.10008.1.2.4.57" => {
                        compressed.syntax.clone()
                    }
                    (syntax, _) => syntax.unwrap_or_else(|| compressed.syntax.clone()),
                };
                compressed.header = Some(header);
                self.beginning = None;
            } else if beginning.len() >= BEGINNING {
                self.beginning = None;
            }
        }
        blocking(move || self.file.write_all(&bytes).map(|()| self)).await
    }

    /// Some bytes from there on.
    pub(super) async fn read(mut self, at: u64, end: u64) -> Result<(Self, Bytes), Refusal> {
        const CHUNK: u64 = 512 * 1024;
        blocking(move || {
            let mut bytes = vec![0; usize::try_from(CHUNK.min(end - at)).map_err(io::Error::other)?];
            self.file.seek(SeekFrom::Start(at))?;
            self.file.read_exact(&mut bytes)?;
            Ok((self, bytes.into()))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::Internal)?;
    done.map_err(|error| failed(&error))
}

fn failed(error: &io::Error) -> Refusal {
    tracing::error!(%error, "bulk data cannot be kept while it arrives");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Refusal::NoRoom,
        _ => Refusal::Internal,
    }
}
