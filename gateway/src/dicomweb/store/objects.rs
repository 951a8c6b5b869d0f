//! Instances that come as JSON with their bulk data beside it (PS3.18 §10.5.1.4, §10.5.2).
//!
//! The objects come first and are held; the bulk data goes to a file of its own while it arrives. When all is there each
//! object is written as a Part 10 instance, its bulk data copied in at its place.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
};

use bytes::Bytes;
use dicom_dictionary_std::tags;
use medvan_imaging::{
    TransferSyntax, Uid,
    attributes::{self, Attributes},
    dataset::{Left, Piece, Span, Value, write},
    file, json,
    multipart::{Boundary, Event, Limits, PartHead, Reader},
};

use super::{Receiving, Refusal, Stored, next};

/// Bytes of metadata in one request.
const METADATA: usize = 16 << 20;

impl Receiving {
    /// Reads objects and bulk data, then stores each object as an instance.
    pub(super) async fn objects(&mut self, boundary: &Boundary) -> Result<(), Refusal> {
        let mut spool = Spool::new(self.arrival.scratch().map_err(|error| failed(&error))?);
        let mut metadata = Vec::new();
        let mut reader = Reader::new(boundary, Limits::default());
        let mut is_metadata = false;
        while let Some(event) = next(&mut reader, &mut self.body).await? {
            match event {
                Event::Part(head) => is_metadata = spool.begins(&head),
                Event::Data(bytes) if is_metadata => {
                    if metadata.len() + bytes.len() > METADATA {
                        return Err(Refusal::TooLarge(format!("the metadata has more than {METADATA} bytes")));
                    }
                    metadata.extend_from_slice(&bytes);
                }
                Event::Data(bytes) => spool = spool.take(bytes).await?,
                Event::PartEnd | Event::More | Event::End => {}
            }
        }
        let objects = json::parse_many(&metadata).map_err(|error| Refusal::BadRequest(error.to_string()))?;
        for object in objects {
            spool = self.object(&object, spool).await?;
        }
        Ok(())
    }

    async fn object(&mut self, object: &Attributes, spool: Spool) -> Result<Spool, Refusal> {
        let pieces = match instance(object, &spool) {
            Ok(pieces) => pieces,
            Err(reason) => {
                self.commit().await;
                self.done.push(Stored::unwritable(reason));
                return Ok(spool);
            }
        };
        let mut spool = spool;
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => self.arrival.write(bytes.into()).await,
                Piece::Copy { span, .. } => {
                    let mut at = span.offset;
                    let end = span.offset + span.length;
                    while at < end {
                        let (back, bytes) = spool.read(at, end).await?;
                        spool = back;
                        at += bytes.len() as u64;
                        self.arrival.write(bytes).await;
                    }
                }
            }
        }
        self.finish().await;
        Ok(spool)
    }
}

/// The bytes of a Part 10 instance with these attributes.
fn instance(object: &Attributes, spool: &Spool) -> Result<Vec<Piece>, String> {
    let uid = |tag| object.text(tag).and_then(|text| Uid::parse(&text).ok());
    let class = uid(tags::SOP_CLASS_UID).ok_or("SOPClassUID is missing or is no UID")?;
    let uid = uid(tags::SOP_INSTANCE_UID).ok_or("SOPInstanceUID is missing or is no UID")?;
    let mut bulk = |uri: &str| {
        let span = *spool.parts.get(uri)?;
        Some(Value::Left(Left { span, swapped: 1 }))
    };
    let mut object = object.clone();
    // JSON is Unicode whatever the source was; what we write must be able to hold it (§F.2.2).
    object.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
    // Group 0002 is of the file, which we write (PS3.10 §7.1).
    let object: Attributes = object.into_iter().filter(|(tag, _)| tag.group() > 2).collect();
    let data_set = attributes::write(&object, &mut bulk).map_err(|error| error.to_string())?;
    let mut pieces = vec![Piece::Bytes(file::head(&class, &uid, &TransferSyntax::explicit_little()))];
    pieces.extend(write(&data_set, true));
    Ok(pieces)
}

/// Bulk data on its way: one nameless file for all of a request.
struct Spool {
    file: File,
    length: u64,
    parts: HashMap<String, Span>,
    current: Option<String>,
}

impl Spool {
    fn new(file: File) -> Self {
        Self { file, length: 0, parts: HashMap::new(), current: None }
    }

    /// Whether the part that begins is metadata; else it is the bulk data at its location.
    fn begins(&mut self, head: &PartHead) -> bool {
        let media = head.content_type.as_ref().map_or("application/dicom+json", |content| content.media());
        if matches!(media, "application/dicom+json" | "application/json") {
            return true;
        }
        // A compressed picture is not the value of an uncompressed instance: it is as if it had not come.
        let is_plain = !media.starts_with("image/") && !media.starts_with("video/");
        self.current = head.content_location.clone().filter(|_| is_plain);
        if let Some(location) = &self.current {
            self.parts.insert(location.clone(), Span { offset: self.length, length: 0 });
        }
        false
    }

    async fn take(mut self, bytes: Bytes) -> Result<Self, Refusal> {
        let Some(span) = self.current.as_ref().and_then(|location| self.parts.get_mut(location)) else {
            return Ok(self);
        };
        span.length += bytes.len() as u64;
        self.length += bytes.len() as u64;
        blocking(move || self.file.write_all(&bytes).map(|()| self)).await
    }

    async fn read(mut self, at: u64, end: u64) -> Result<(Self, Bytes), Refusal> {
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
