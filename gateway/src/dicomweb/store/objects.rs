//! Instances that come as JSON or XML with their bulk data beside them (PS3.18 §10.5.1.4, §10.5.2).
//!
//! The objects come first and are held; the bulk data goes to a file of its own while it arrives. When all is there each
//! object is written as a Part 10 instance, its bulk data copied in at its place. A compressed picture or a video becomes the
//! fragment of an encapsulated one.

mod spool;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, TransferSyntax, Uid, VR,
    attributes::{self, Attributes},
    dataset::{Dataset, Left, Piece, Span, Value, write},
    file, json,
    multipart::{Boundary, Event, Limits, Reader},
    xml,
};

use super::{Receiving, Refusal, Stored, next};
use spool::{Compressed, Spool};

/// How objects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One part with an array of objects.
    Json,
    /// A part for each object.
    Xml,
}

/// Bytes of metadata in one request.
const METADATA: usize = 16 << 20;

impl Receiving {
    /// Reads objects and bulk data, then stores each object as an instance.
    pub(super) async fn objects(&mut self, boundary: &Boundary, format: Format) -> Result<(), Refusal> {
        let mut spool = Spool::new(self.arrival.scratch())?;
        let mut metadata: Vec<Vec<u8>> = Vec::new();
        let mut reader = Reader::new(boundary, Limits::default());
        let (mut is_metadata, mut length) = (false, 0);
        while let Some(event) = next(&mut reader, &mut self.body).await? {
            match event {
                Event::Part(head) => {
                    is_metadata = spool.begins(&head);
                    if is_metadata {
                        metadata.push(Vec::new());
                    }
                }
                Event::Data(bytes) if is_metadata => {
                    length += bytes.len();
                    if length > METADATA {
                        return Err(Refusal::TooLarge(format!("the metadata has more than {METADATA} bytes")));
                    }
                    metadata.last_mut().into_iter().for_each(|part| part.extend_from_slice(&bytes));
                }
                Event::Data(bytes) => spool = spool.take(bytes).await?,
                Event::PartEnd | Event::More | Event::End => {}
            }
        }
        for object in read(&metadata, format)? {
            spool = self.object(object, spool).await?;
        }
        Ok(())
    }

    async fn object(&mut self, object: Result<Attributes, String>, mut spool: Spool) -> Result<Spool, Refusal> {
        let pieces = object.and_then(|object| instance(object, &spool)).and_then(|pieces| {
            let copied = pieces.iter().filter(|piece| matches!(piece, Piece::Copy { .. })).map(Piece::length).sum();
            if spool.grants(copied) {
                Ok(pieces)
            } else {
                Err("its bulk data is named too often in this request".to_owned())
            }
        });
        let pieces = match pieces {
            Ok(pieces) => pieces,
            Err(reason) => {
                self.commit().await;
                self.done.push(Stored::unwritable(reason));
                return Ok(spool);
            }
        };
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

/// The objects; a document that cannot be read fails alone, an array as a whole.
fn read(metadata: &[Vec<u8>], format: Format) -> Result<Vec<Result<Attributes, String>>, Refusal> {
    if format == Format::Xml {
        let read = |part: &Vec<u8>| xml::parse(part).map_err(|error| error.to_string());
        return Ok(metadata.iter().map(read).collect());
    }
    let objects = json::parse_many(&metadata.concat()).map_err(|error| Refusal::BadRequest(error.to_string()))?;
    Ok(objects.into_iter().map(Ok).collect())
}

/// The bytes of a Part 10 instance with these attributes.
fn instance(object: Attributes, spool: &Spool) -> Result<Vec<Piece>, String> {
    let uid = |tag| object.text(tag).and_then(|text| Uid::parse(&text).ok());
    let class = uid(tags::SOP_CLASS_UID).ok_or("SOPClassUID is missing or is no UID")?;
    let uid = uid(tags::SOP_INSTANCE_UID).ok_or("SOPInstanceUID is missing or is no UID")?;
    let mut compressed = None;
    let mut bulk = |uri: &str| {
        let part = spool.part(uri)?;
        Some(match &part.compressed {
            None => Value::Left(Left { span: part.span, swapped: 1 }),
            Some(form) => {
                compressed = Some(form.clone());
                // An empty offset table, then the whole as one fragment (PS3.5 §A.4).
                Value::Fragments(vec![Span { offset: 0, length: 0 }, part.span])
            }
        })
    };
    let mut object = object;
    // JSON is Unicode whatever the source was, and so is XML; what we write must be able to hold it (§F.2.2).
    object.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
    // Group 0002 is of the file, which we write (PS3.10 §7.1).
    let object: Attributes = object.into_iter().filter(|(tag, _)| tag.group() > 2).collect();
    let mut data_set = attributes::write(&object, &mut bulk).map_err(|error| error.to_string())?;
    let syntax = match compressed {
        None => TransferSyntax::explicit_little(),
        Some(form) => encapsulate(&mut data_set, &form)?,
    };
    let mut pieces = vec![Piece::Bytes(file::head(&class, &uid, &syntax))];
    pieces.extend(write(&data_set, true));
    Ok(pieces)
}

/// Without these nobody can show pixels.
const DESCRIBED: [Tag; 5] =
    [tags::SAMPLES_PER_PIXEL, tags::PHOTOMETRIC_INTERPRETATION, tags::ROWS, tags::COLUMNS, tags::BITS_ALLOCATED];

/// Says in the data set what its compressed pixels are, where it did not say so itself (§10.5.2).
fn encapsulate(data_set: &mut Dataset, form: &Compressed) -> Result<TransferSyntax, String> {
    let is_elsewhere = |element: &medvan_imaging::dataset::Element| {
        element.tag != tags::PIXEL_DATA && matches!(element.value, Value::Fragments(_))
    };
    if data_set.iter().any(is_elsewhere) {
        return Err("compressed bulk data can be the value of Pixel Data only".to_owned());
    }
    let frames = data_set.ascii(tags::NUMBER_OF_FRAMES).and_then(|number| number.parse::<u32>().ok()).unwrap_or(1);
    if frames > 1 && !form.is_video {
        return Err("one compressed picture is not the value of several frames; send the instance itself".to_owned());
    }
    if let Some(mut pixels) = data_set.remove(tags::PIXEL_DATA) {
        pixels.vr = VR::OB;
        data_set.put(pixels);
    }
    if let Some(header) = form.header {
        if header.rows == 0 && data_set.get(tags::ROWS).is_none() {
            return Err("the compressed pixels tell their lines only at their end; send the instance itself".to_owned());
        }
        let allocated = if header.precision > 8 { 16 } else { 8 };
        let mut number = |tag, value: u16| {
            if data_set.get(tag).is_none() {
                data_set.put_bytes(tag, VR::US, value.to_le_bytes());
            }
        };
        number(tags::SAMPLES_PER_PIXEL, header.components.into());
        number(tags::ROWS, header.rows);
        number(tags::COLUMNS, header.columns);
        number(tags::BITS_ALLOCATED, allocated);
        number(tags::BITS_STORED, header.precision.into());
        number(tags::HIGH_BIT, u16::from(header.precision).saturating_sub(1));
        number(tags::PIXEL_REPRESENTATION, 0);
        if header.components > 1 {
            number(tags::PLANAR_CONFIGURATION, 0);
        }
        if let (None, Some(photometric)) = (data_set.get(tags::PHOTOMETRIC_INTERPRETATION), header.photometric) {
            data_set.put_bytes(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric);
        }
    }
    for required in DESCRIBED {
        if data_set.get(required).is_none() {
            return Err(format!("{required} is missing, and it cannot be read from the compressed pixels"));
        }
    }
    Ok(TransferSyntax::of(form.syntax.clone()))
}
