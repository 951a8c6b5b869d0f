//! The values of samples (PS3.5 §8.1.1: bits beyond Bits Stored are not part of them).

use crate::{FrameFormat, NativeFrame, SampleKind};

/// Reads whole numbers out of samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Integers {
    size: usize,
    /// Bits below the value, and bits of it.
    low: u32,
    stored: u32,
    signed: bool,
}

impl Integers {
    pub(super) fn of(format: &FrameFormat) -> Self {
        let low = u32::from(format.high_bit + 1 - format.bits_stored);
        Self { size: format.sample_bytes(), low, stored: u32::from(format.bits_stored), signed: format.signed }
    }

    /// The value that a sample's bits have.
    pub(super) fn value(&self, bits: u32) -> i64 {
        let high = bits << (32 - self.low - self.stored);
        let shift = 32 - self.stored;
        if self.signed { i64::from(high.cast_signed() >> shift) } else { i64::from(high >> shift) }
    }

    /// The bits of every sample in turn. Samples of one bit are unpacked.
    pub(super) fn bits<'a>(&self, frame: &'a NativeFrame) -> Box<dyn Iterator<Item = u32> + 'a> {
        let bytes = &frame.samples;
        match self.size {
            0 => {
                let all = bytes.iter().flat_map(|byte| (0..8).map(move |bit| u32::from(byte >> bit & 1)));
                Box::new(all.take(frame.format.samples() as usize))
            }
            1 => Box::new(bytes.iter().copied().map(u32::from)),
            2 => Box::new(bytes.chunks_exact(2).map(|two| u32::from(u16::from_le_bytes([two[0], two[1]])))),
            _ => Box::new(bytes.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))),
        }
    }
}

/// The floating point numbers of a frame.
pub(super) fn floats(frame: &NativeFrame) -> Box<dyn Iterator<Item = f64> + '_> {
    let bytes = &frame.samples;
    match frame.format.kind {
        SampleKind::Float64 => Box::new(bytes.chunks_exact(8).map(|eight| {
            let mut word = [0; 8];
            word.copy_from_slice(eight);
            f64::from_le_bytes(word)
        })),
        SampleKind::Float32 | SampleKind::Integer => Box::new(
            bytes.chunks_exact(4).map(|four| f64::from(f32::from_le_bytes([four[0], four[1], four[2], four[3]]))),
        ),
    }
}
