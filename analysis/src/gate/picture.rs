//! Secondary captures (PS3.3 sections A.8, C.8.6): as many pixels as they say.

use dicom_dictionary_std::tags;
use medvan_imaging::attributes::Attributes;

use super::{
    object::{Object, Pixels},
    reading::{Faults, text},
};
use crate::inputs::whole;

pub(super) fn check(object: &Object, faults: &mut Faults) {
    let Some(bytes) = bytes(&object.said, object.reference.class.as_str()) else {
        let mend = "write Rows, Columns, SamplesPerPixel, BitsAllocated and PhotometricInterpretation as the SOP class has them";
        faults.add("/Rows", "its size cannot be read or is not of its class", mend);
        return;
    };
    match object.pixels() {
        Pixels::None => faults.add("/PixelData", "it is missing", "send the pixels"),
        Pixels::Native(sent) => {
            if sent.len() as u64 != bytes && sent.len() as u64 != bytes + bytes % 2 {
                let mend = format!("{bytes} bytes are rows times columns times samples times frames");
                faults.add("/PixelData", "it has another length than its frames", mend);
            }
        }
        Pixels::Fragments(fragments) => {
            if fragments == 0 {
                faults.add("/PixelData", "it has no fragments", "send the pixels");
            }
        }
    }
}

/// Bytes of all frames; nothing where the class has other pixels.
fn bytes(said: &Attributes, class: &str) -> Option<u64> {
    let number = |tag| whole(said, tag).filter(|number| *number > 0).map(u64::from);
    let (rows, columns) = (number(tags::ROWS)?, number(tags::COLUMNS)?);
    let (samples, bits) = (number(tags::SAMPLES_PER_PIXEL)?, number(tags::BITS_ALLOCATED)?);
    let frames = whole(said, tags::NUMBER_OF_FRAMES).map_or(1, u64::from);
    let colours = text(said, tags::PHOTOMETRIC_INTERPRETATION)?;
    let is_grey = matches!(colours.as_str(), "MONOCHROME1" | "MONOCHROME2");
    let fits = match class.rsplit_once(".7.").map(|(_, kind)| kind) {
        Some("2") => is_grey && bits == 8,
        Some("3") => is_grey && bits == 16,
        Some("4") => !is_grey && samples == 3 && bits == 8,
        _ => matches!(bits, 8 | 16) && frames == 1,
    };
    let samples_fit = matches!((is_grey, samples), (true, 1) | (false, 1 | 3));
    // Two pixels share their colours (section C.7.6.3.1.2).
    let samples = if colours == "YBR_FULL_422" { 2 } else { samples };
    let pixels = rows.checked_mul(columns)?.checked_mul(frames)?;
    (fits && samples_fit && frames > 0).then_some(pixels.checked_mul(samples)?.checked_mul(bits / 8)?)
}
