//! Frames of an image: which ones a request names, and where their bytes lie (PS3.18 §10.4; PS3.5 §8.1, §8.2 and annex A.4).
//!
//! Nothing is decoded here. A frame is told as [`crate::dataset::Span`]s of the source, so that one frame of a film of four gigabytes is
//! read and nothing else of it.

mod encapsulated;
mod list;
mod native;
#[cfg(test)]
mod tests;

use std::io;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
pub use list::{FrameList, FrameListError};

use self::{encapsulated::Encapsulated, native::Native};
use crate::{
    TransferSyntax,
    dataset::{Dataset, Element, Span, Value},
    transfer_syntax::Pixels,
};

/// The frames of an image.
#[derive(Debug, Clone)]
pub struct Frames {
    count: u32,
    layout: Layout,
}

#[derive(Debug, Clone)]
enum Layout {
    Native(Native),
    Encapsulated(Encapsulated),
}

/// Where one frame lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The stretches that hold it, in order.
    pub spans: Vec<Span>,
    /// Where the stretches are.
    pub place: Place,
    /// Bytes of one number that must be turned round, or 1.
    pub swapped: u8,
    /// Bits before it in the stretches: where several frames share a byte, or a number that is turned round.
    pub skipped_bits: u8,
    /// Its bits.
    pub bits: u64,
}

/// What a frame's stretches count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The source of the data set.
    Source,
    /// The beginning of this element's value, which is in the data set.
    Value(Tag),
}

/// Why frames cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum FramesError {
    /// The instance is no image.
    #[error("the instance has no pixel data")]
    NoPixelData,
    /// An attribute that tells the size of a frame is missing or makes no sense.
    #[error("{0} is missing or is not the size of an image")]
    Attribute(Tag),
    /// There are not so many: 404 for a web client.
    #[error("there is no frame {number}, the last one is {count}")]
    NoSuchFrame {
        /// The number that was asked for, from 1.
        number: u32,
        /// How many there are.
        count: u32,
    },
    /// The pixel data ends before the frame does.
    #[error("the pixel data ends before frame {0} does")]
    Short(u32),
    /// It is one stream that must be decoded from its beginning.
    #[error("the frames of a video cannot be taken out of its stream")]
    Video,
    /// No table says which fragments are which frame, and they do not say it themselves.
    #[error("nothing tells which fragments of the pixel data belong to which frame")]
    Unclear,
    /// The source cannot be read: nobody's mistake but the disk's.
    #[error("the source cannot be read")]
    Io(#[from] io::Error),
}

/// Finds the frames of an image.
///
/// `read` gives the bytes of a stretch of the source. It is asked for offset tables only where these are no longer than the
/// number of fragments allows, and for the first bytes of fragments only where no usable table is there.
///
/// # Errors
/// It is no image, its sizes make no sense, or nothing tells its frames apart.
pub fn locate(
    data_set: &Dataset,
    syntax: &TransferSyntax,
    mut read: impl FnMut(Span) -> io::Result<Vec<u8>>,
) -> Result<Frames, FramesError> {
    let count = count(data_set)?;
    let element = pixel_data(data_set).ok_or(FramesError::NoPixelData)?;
    let layout = match &element.value {
        Value::Fragments(_) if matches!(syntax.pixels, Pixels::Video(_)) && count > 1 => {
            return Err(FramesError::Video);
        }
        Value::Fragments(fragments) => Layout::Encapsulated(Encapsulated::find(data_set, fragments, count, &mut read)?),
        Value::Items(_) => return Err(FramesError::NoPixelData),
        Value::Bytes(_) | Value::Left(_) => Layout::Native(Native::find(data_set, element, count)?),
    };
    Ok(Frames { count, layout })
}

impl Frames {
    /// How many there are by Number of Frames (0028,0008), 1 where it is absent.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Where a frame lies; the first one has the number 1.
    ///
    /// # Errors
    /// There are not so many, or the pixel data ends before.
    pub fn frame(&self, number: u32) -> Result<Frame, FramesError> {
        let index = number.checked_sub(1).filter(|_| number <= self.count);
        let index = index.ok_or(FramesError::NoSuchFrame { number, count: self.count })?;
        match &self.layout {
            Layout::Native(native) => native.frame(index),
            Layout::Encapsulated(encapsulated) => encapsulated.frame(index),
        }
        .ok_or(FramesError::Short(number))
    }
}

impl Frame {
    /// Bytes of its stretches together.
    pub fn length(&self) -> u64 {
        self.spans.iter().map(|span| span.length).sum()
    }

    /// Whether the bytes of its stretches are the frame as they are.
    pub fn is_as_stored(&self) -> bool {
        self.swapped <= 1 && self.skipped_bits == 0 && self.bits == self.length() * 8
    }

    /// The frame out of the bytes of its stretches: numbers turned round, beginning with its first bit (PS3.18 §8.7.3.3.1), zeros
    /// after its last one.
    pub fn take_from(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self.swapped > 1 {
            bytes.chunks_exact_mut(usize::from(self.swapped)).for_each(<[u8]>::reverse);
        }
        let (whole, bits) = (usize::from(self.skipped_bits / 8), u32::from(self.skipped_bits % 8));
        bytes.drain(..whole.min(bytes.len()));
        if bits > 0 {
            // The first pixel is the lowest bit (PS3.5 §8.1.1).
            for at in 0..bytes.len() {
                let next = bytes.get(at + 1).copied().unwrap_or(0);
                bytes[at] = bytes[at] >> bits | next << (8 - bits);
            }
        }
        bytes.truncate(usize::try_from(self.bits.div_ceil(8)).unwrap_or(usize::MAX));
        if let (Some(last), rest @ 1..) = (bytes.last_mut(), self.bits % 8) {
            *last &= (1 << rest) - 1;
        }
        bytes
    }
}

/// All fragments of an encapsulated value, without its offset table: a video's stream, or an instance with one frame.
pub fn stream(data_set: &Dataset) -> Option<&[Span]> {
    match &pixel_data(data_set)?.value {
        Value::Fragments(fragments) => fragments.get(1..),
        _ => None,
    }
}

/// Pixel Data, Float Pixel Data or Double Float Pixel Data (PS3.3 §C.7.6.3, §C.7.6.24, §C.7.6.25).
fn pixel_data(data_set: &Dataset) -> Option<&Element> {
    [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA].iter().find_map(|tag| data_set.get(*tag))
}

/// Number of Frames. Not believed beyond what an Integer String can say.
fn count(data_set: &Dataset) -> Result<u32, FramesError> {
    let text = data_set.ascii(tags::NUMBER_OF_FRAMES).unwrap_or_default();
    if text.is_empty() {
        return Ok(1);
    }
    let count = text.parse().ok().filter(|count| (1..=i32::MAX as u32).contains(count));
    count.ok_or(FramesError::Attribute(tags::NUMBER_OF_FRAMES))
}
