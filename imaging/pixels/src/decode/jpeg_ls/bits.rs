//! [`Bits`]: the entropy-coded bits of a scan.

use super::broken;
use crate::DecodeError;

/// Reads bits, the most significant first. After a byte FF the next one has only seven, so that no marker can appear (§A.1).
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The bits read but not yet used, from the top.
    cache: u64,
    cached: u32,
    after_ff: bool,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, cache: 0, cached: 0, after_ff: false }
    }

    /// Reads up to 32 bits.
    pub(super) fn take(&mut self, count: u32) -> Result<u32, DecodeError> {
        if count == 0 {
            return Ok(0);
        }
        if self.cached < count {
            self.fill();
        }
        let bits = (self.cache >> (64 - count)) as u32;
        self.skip(count)?;
        Ok(bits)
    }

    /// Counts zeros up to the next one, and reads over it. More than `most` of them are an error.
    pub(super) fn zeros(&mut self, most: u32) -> Result<u32, DecodeError> {
        let mut zeros = 0;
        loop {
            self.fill();
            let here = self.cache.leading_zeros().min(self.cached);
            zeros += here;
            if zeros > most {
                return Err(broken("a code word is too long"));
            }
            if here < self.cached {
                self.skip(here + 1)?;
                return Ok(zeros);
            }
            // Nothing but zeros in the cache: an empty one means that the scan has ended.
            if self.cached == 0 {
                return Err(broken("its scan ends early"));
            }
            self.skip(here)?;
        }
    }

    /// Everything from the next marker on.
    pub(super) fn rest(self) -> &'a [u8] {
        let mut at = self.at;
        while at < self.bytes.len() && !self.is_marker(at) {
            at += 1;
        }
        &self.bytes[at..]
    }

    fn skip(&mut self, count: u32) -> Result<(), DecodeError> {
        self.cached = self.cached.checked_sub(count).ok_or_else(|| broken("its scan ends early"))?;
        self.cache = self.cache.checked_shl(count).unwrap_or(0);
        Ok(())
    }

    fn fill(&mut self) {
        while self.cached <= 56 {
            let Some(&byte) = self.bytes.get(self.at).filter(|_| !self.is_marker(self.at)) else { return };
            let bits = if self.after_ff { 7 } else { 8 };
            self.cached += bits;
            self.cache |= u64::from(byte) << (64 - self.cached);
            self.after_ff = byte == 0xFF;
            self.at += 1;
        }
    }

    fn is_marker(&self, at: usize) -> bool {
        self.bytes[at] == 0xFF && self.bytes.get(at + 1).is_none_or(|next| next & 0x80 != 0)
    }
}
