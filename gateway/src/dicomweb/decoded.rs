//! Compressed frames given uncompressed, and instances of them in Explicit VR Little Endian.

use bytes::Bytes;
use dicom_dictionary_std::tags;
use futures_util::{Stream, StreamExt as _, stream};
use medvan_imaging::{
    TransferSyntax, VR,
    dataset::{Dataset, Element, Piece, Span, Value, write},
    file,
};
use medvan_pixels::{Fault, FrameFormat};

use super::{
    description::describe,
    frames::Image,
    instance::write_pieces,
    outgoing::{Ended, Outgoing},
    refusal::Refusal,
};
use crate::{
    App,
    archive::Open,
    decoder::{DecodedFrame, DecoderError, Form, FrameSource, Frames, What},
};

const CANNOT: &str = "its frames cannot be decoded here; ask for them as they are stored, with transfer-syntax=*";

/// Starts a worker for the frames with these numbers, and waits for the first one.
pub(super) async fn begin(app: &App, image: Image, numbers: Vec<u32>) -> Result<(DecodedFrame, Frames), Refusal> {
    let description = describe(&image, 1).await.map_err(|error| unreadable(&error))?;
    let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    let mut frames =
        app.decoder.frames(&image.hospital.clone(), description, What::Native, count, sources(image, numbers)).await?;
    let first = frames.next().await.ok_or(Refusal::Internal)??;
    Ok((first, frames))
}

/// The next of them.
pub(super) async fn next(frames: &mut Frames) -> Result<DecodedFrame, Ended> {
    let frame = frames.next().await.ok_or(Ended)?;
    frame.map_err(|error| broken_off(&error))
}

/// The encoded frames, each read when the worker is ready for it.
pub(super) fn sources(
    image: Image,
    numbers: Vec<u32>,
) -> impl Stream<Item = std::io::Result<FrameSource>> + Send + 'static {
    stream::iter(numbers).then(move |number| {
        let image = image.clone();
        async move {
            let frame = image.frames.frame(number).map_err(std::io::Error::other)?;
            image.frame_source(&frame).await
        }
    })
}

/// An instance that will be written uncompressed.
pub(super) struct Decoded {
    open: Open,
    before: Vec<Piece>,
    first: Bytes,
    rest: Frames,
    after: Vec<Piece>,
    length: u64,
}

impl Decoded {
    /// Decodes the first frame, and with what it turns out to be writes all that stands around the pixels.
    pub(super) async fn begin(app: &App, image: Image) -> Result<Self, Refusal> {
        let (data_set, open, count) = (image.file.data_set.clone(), image.open.clone(), image.frames.count());
        let (class, uid) = (image.found.class.clone(), image.found.uid.clone());
        let (first, rest) = begin(app, image, (1..=count).collect()).await?;
        let Form::Native(format) = &first.form else { return Err(Refusal::Internal) };
        let pixels = format.frame_bytes() * u64::from(count);
        // One element cannot be longer, and frames of single bits would have to be packed into each other.
        if pixels >= u64::from(u32::MAX) - 1 || format.frame_bits() % 8 != 0 {
            return Err(Refusal::NotAcceptable(CANNOT));
        }
        let mut pieces = vec![Piece::Bytes(file::head(&class, &uid, &TransferSyntax::explicit_little()))];
        let whole = uncompressed(data_set, format, pixels);
        pieces.extend(write(&whole, true));
        let at = pieces.iter().position(|piece| matches!(piece, Piece::Copy { span, .. } if *span == place(pixels)));
        let after = pieces.split_off(at.ok_or(Refusal::Internal)? + 1);
        pieces.pop();
        let around: u64 = pieces.iter().chain(&after).map(Piece::length).sum();
        Ok(Self { open, before: pieces, first: first.bytes, rest, after, length: around + pixels })
    }

    /// Bytes that will be written.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Writes it.
    pub(super) async fn write(mut self, out: &Outgoing) -> Result<(), Ended> {
        write_pieces(&self.open, self.before, out).await?;
        out.send(self.first).await?;
        while let Some(frame) = self.rest.next().await {
            out.send(frame.map_err(|error| broken_off(&error))?.bytes).await?;
        }
        write_pieces(&self.open, self.after, out).await
    }
}

/// A place that no source has: where the decoded pixels go.
const fn place(length: u64) -> Span {
    Span { offset: u64::MAX, length }
}

/// The data set with what uncompressed pixels need to be read (PS3.5 §8.2, PS3.3 §C.7.6.3).
fn uncompressed(mut data_set: Dataset, format: &FrameFormat, length: u64) -> Dataset {
    let mut number = |tag, value: u16| data_set.put_bytes(tag, VR::US, value.to_le_bytes());
    number(tags::SAMPLES_PER_PIXEL, format.samples_per_pixel);
    number(tags::BITS_ALLOCATED, format.bits_allocated);
    number(tags::BITS_STORED, format.bits_stored);
    number(tags::HIGH_BIT, format.high_bit);
    number(tags::PIXEL_REPRESENTATION, u16::from(format.signed));
    if format.samples_per_pixel > 1 {
        number(tags::PLANAR_CONFIGURATION, format.planar_configuration);
    }
    let photometric = format.photometric_interpretation.as_str();
    data_set.put_bytes(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric);
    for only_of_fragments in [tags::EXTENDED_OFFSET_TABLE, tags::EXTENDED_OFFSET_TABLE_LENGTHS] {
        data_set.remove(only_of_fragments);
    }
    let vr = if format.bits_allocated > 8 { VR::OW } else { VR::OB };
    let left = medvan_imaging::dataset::Left { span: place(length), swapped: 1 };
    data_set.put(Element { tag: tags::PIXEL_DATA, vr, value: Value::Left(left) });
    data_set
}

fn unreadable(error: &std::io::Error) -> Refusal {
    tracing::error!(%error, "a stored instance cannot be read");
    Refusal::Internal
}

fn broken_off(error: &DecoderError) -> Ended {
    tracing::warn!(%error, "a frame could not be decoded; the answer was cut off");
    Ended
}

impl From<DecoderError> for Refusal {
    fn from(error: DecoderError) -> Self {
        match error {
            DecoderError::Busy => Self::Busy,
            DecoderError::Source(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                Self::NotAcceptable(CANNOT)
            }
            DecoderError::Source(_) | DecoderError::Worker(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the decoder cannot be used");
                Self::Internal
            }
            error if error.fault() == Fault::Request => Self::BadRequest(error.to_string()),
            error => {
                tracing::info!(reason = %error, "frames cannot be decoded");
                Self::NotAcceptable(CANNOT)
            }
        }
    }
}
