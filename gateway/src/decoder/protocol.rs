//! What goes between the gateway and its decode worker. Both are one program, so there are no versions.
//!
//! To the worker: a head, then frames until the stream ends. From it: an answer for each frame, in their order.
//!
//! ```text
//! head    length (4 bytes)  JSON
//! frame   first bit (1)  number of fragments (4)  { length (8)  bytes } …
//! answer  length (4)  JSON  length (8)  bytes
//! ```
//!
//! Numbers are in little endian.

use std::io::{self, Read, Write};

use medvan_pixels::{EncodedFrame, FrameFormat, ImageDescription, Limits, RenderError, RenderParameters, Scale};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Longest JSON taken: three palettes and two tables of 65536 entries have less than a megabyte.
const MOST_JSON: u32 = 4 << 20;

/// Most fragments of a frame.
const MOST_FRAGMENTS: u32 = 1 << 20;

/// What is asked of all frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// How the frames are to be read.
    pub(crate) image: ImageDescription,
    /// What is to be made of them.
    pub(crate) what: What,
    /// How much a frame may take.
    pub(crate) limits: Limits,
}

/// What to make of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// The samples as an uncompressed object holds them.
    Native,
    /// A PNG.
    Png(RenderParameters),
    /// A JPEG of a quality from 1 to 100; none: a good one.
    Jpeg(RenderParameters, Option<u8>),
    /// Numbers, for computations.
    Values(Scale),
}

/// What the worker says of a frame; bytes follow it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    /// Samples, and the form that they have.
    Native(FrameFormat),
    /// A picture.
    Picture { width: u32, height: u32 },
    /// Numbers of 32 bits, as in [`medvan_pixels::Values`].
    Values { columns: u32, rows: u32, channels: u32 },
    /// Nothing; the next frame may be better.
    Refused(RenderError),
}

/// A frame, or how large one was that was not kept.
#[derive(Debug)]
pub(crate) enum Incoming {
    Frame(EncodedFrame),
    TooLarge(u64),
}

/// The bytes of a JSON value with its length before it.
pub(crate) fn json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut out = vec![0; 4];
    serde_json::to_writer(&mut out, value)?;
    let length =
        u32::try_from(out.len() - 4).ok().filter(|length| *length <= MOST_JSON).ok_or_else(|| broken("JSON"))?;
    out[..4].copy_from_slice(&length.to_le_bytes());
    Ok(out)
}

pub(crate) fn read_head(input: &mut impl Read) -> io::Result<Head> {
    let length = u32::from_le_bytes(array(input)?);
    parsed(&bytes(input, length.into(), MOST_JSON.into())?)
}

/// Reads a frame; none where the input ends before one. Of a frame that is too large nothing is kept.
pub(crate) fn read_frame(input: &mut impl Read, most: u64) -> io::Result<Option<Incoming>> {
    let mut first_bit = [0];
    if input.read(&mut first_bit)? == 0 {
        return Ok(None);
    }
    let count = u32::from_le_bytes(array(input)?);
    if count > MOST_FRAGMENTS {
        return Err(broken("number of fragments"));
    }
    let (mut fragments, mut total) = (Vec::new(), 0_u64);
    for _ in 0..count {
        let length = u64::from_le_bytes(array(input)?);
        total = total.saturating_add(length);
        if total > most {
            fragments.clear();
            skip(input, length)?;
        } else {
            fragments.push(bytes(input, length, most)?);
        }
    }
    let frame = EncodedFrame { fragments, first_bit: first_bit[0] };
    Ok(Some(if total > most { Incoming::TooLarge(total) } else { Incoming::Frame(frame) }))
}

pub(crate) fn write_answer(output: &mut impl Write, answer: &Answer, bytes: &[u8]) -> io::Result<()> {
    output.write_all(&json(answer)?)?;
    output.write_all(&(bytes.len() as u64).to_le_bytes())?;
    output.write_all(bytes)
}

pub(crate) fn parsed<T: DeserializeOwned>(json: &[u8]) -> io::Result<T> {
    serde_json::from_slice(json).map_err(io::Error::from)
}

/// Proves that a length which came from the worker is one that the gateway can take.
pub(crate) fn within(length: u64, most: u64) -> io::Result<usize> {
    usize::try_from(length).ok().filter(|_| length <= most).ok_or_else(|| broken("length"))
}

/// Longest JSON of an answer.
pub(crate) fn most_json() -> u64 {
    MOST_JSON.into()
}

fn array<const N: usize>(input: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn bytes(input: &mut impl Read, length: u64, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; within(length, most)?];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn skip(input: &mut impl Read, length: u64) -> io::Result<()> {
    let skipped = io::copy(&mut input.take(length), &mut io::sink())?;
    if skipped == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} out of bounds"))
}

#[cfg(test)]
mod tests;
