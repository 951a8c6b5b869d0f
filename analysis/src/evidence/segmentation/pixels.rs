//! Runs as bits: pixel after pixel and frame after frame, without gaps, the first in the lowest bit (PS3.5 section 8.1.1).

use super::Segmentation;

/// The bits of all frames, segment after segment.
pub(super) fn packed(segmentation: &Segmentation<'_>) -> Vec<u8> {
    let pixels = segmentation.size.rows as usize * segmentation.size.columns as usize;
    let frames: usize = segmentation.masks.iter().map(|mask| mask.frames.len()).sum();
    let mut bits = vec![0; (pixels * frames).div_ceil(8)];
    for (at, frame) in segmentation.masks.iter().flat_map(|mask| &mask.frames).enumerate() {
        for (begin, length) in frame.mask.inside() {
            fill(&mut bits, at * pixels + begin, length);
        }
    }
    bits
}

/// Sets so many bits: whole bytes at once where it can.
fn fill(bits: &mut [u8], begin: usize, length: usize) {
    let mut at = begin;
    let end = begin + length;
    while at < end {
        if at.is_multiple_of(8) && at + 8 <= end {
            bits[at / 8] = 0xFF;
            at += 8;
        } else {
            bits[at / 8] |= 1 << (at % 8);
            at += 1;
        }
    }
}
