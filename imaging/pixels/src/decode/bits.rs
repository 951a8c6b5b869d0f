//! Samples of one bit: eight in a byte, the first in the lowest bit (PS3.5 §8.1.1).

/// Takes `count` bits out of bytes, beginning at a bit, to where they begin at bit 0. The caller has proved that they are there.
pub(super) fn realign(bytes: &[u8], first_bit: u8, count: u64) -> Vec<u8> {
    let length = count.div_ceil(8) as usize;
    let mut out: Vec<u8> = if first_bit == 0 {
        bytes[..length].to_vec()
    } else {
        let next = bytes.iter().skip(1).copied().chain([0]);
        let pairs = bytes.iter().copied().zip(next).take(length);
        pairs.map(|(low, high)| ((u16::from(low) | u16::from(high) << 8) >> first_bit) as u8).collect()
    };
    if let (Some(last), used @ 1..) = (out.last_mut(), count % 8) {
        *last &= (1 << used) - 1;
    }
    out
}

/// Packs bits.
pub(super) fn pack(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bits.size_hint().0.div_ceil(8));
    for (place, bit) in bits.enumerate() {
        if place % 8 == 0 {
            out.push(0);
        }
        if let Some(last) = out.last_mut() {
            *last |= u8::from(bit) << (place % 8);
        }
    }
    out
}
