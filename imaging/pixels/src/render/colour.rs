//! Colours (PS3.3 §C.7.6.3.1.2).

use super::{Picture, samples::Integers};
use crate::{DecodeError, ImageDescription, NativeFrame, Photometric, SampleKind, lookup_table::Entries};

/// Draws RGB and YBR_FULL.
pub(super) fn draw(frame: &NativeFrame) -> Result<Picture, DecodeError> {
    let format = &frame.format;
    if format.kind != SampleKind::Integer || format.signed {
        return Err(DecodeError::unsupported("signed or floating point colour"));
    }
    if format.samples_per_pixel != 3 {
        return Err(DecodeError::description("SamplesPerPixel", "does not fit PhotometricInterpretation"));
    }
    let integers = Integers::of(format);
    let most = (1_u64 << format.bits_stored) - 1;
    let eight = |bits: u32| {
        let value = integers.value(bits).unsigned_abs();
        ((value * 255 + most / 2) / most) as u8
    };
    let mut pixels: Vec<u8> = integers.bits(frame).map(eight).collect();
    if format.planar_configuration == 1 {
        pixels = by_pixel(&pixels);
    }
    if format.photometric_interpretation == Photometric::YbrFull {
        pixels.chunks_exact_mut(3).for_each(to_rgb);
    }
    Ok(Picture::rgb(format.columns.into(), format.rows.into(), pixels))
}

fn by_pixel(planes: &[u8]) -> Vec<u8> {
    let pixels = planes.len() / 3;
    (0..pixels).flat_map(|pixel| [planes[pixel], planes[pixels + pixel], planes[2 * pixels + pixel]]).collect()
}

/// ITU-R BT.601 with full range, as JFIF has it.
fn to_rgb(pixel: &mut [u8]) {
    let (y, cb, cr) = (f32::from(pixel[0]), f32::from(pixel[1]) - 128.0, f32::from(pixel[2]) - 128.0);
    let rgb = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
    // A cast from a float saturates.
    pixel.copy_from_slice(&rgb.map(|sample| sample.round() as u8));
}

/// Draws PALETTE COLOR (§C.7.6.3.1.5).
pub(super) fn draw_palette(image: &ImageDescription, frame: &NativeFrame) -> Result<Picture, DecodeError> {
    let format = &frame.format;
    let palette = image.palette.as_ref();
    let palette = palette.ok_or_else(|| DecodeError::description("PhotometricInterpretation", "needs a palette"))?;
    if format.kind != SampleKind::Integer {
        return Err(DecodeError::unsupported("a palette for floating point"));
    }
    let tables = [
        palette.red.entries("RedPaletteColorLookupTable", format.signed)?,
        palette.green.entries("GreenPaletteColorLookupTable", format.signed)?,
        palette.blue.entries("BluePaletteColorLookupTable", format.signed)?,
    ];
    // One scale for all three: a palette without bright blue must not be given some.
    let most = tables.iter().map(|table| table.most).max().unwrap_or(1);
    let integers = Integers::of(format);
    let colour = |value: i64| tables.each_ref().map(|table: &Entries| eight(table.of(value), most));
    let pixels = integers.bits(frame).flat_map(|bits| colour(integers.value(bits))).collect();
    Ok(Picture::rgb(format.columns.into(), format.rows.into(), pixels))
}

fn eight(value: u16, most: u16) -> u8 {
    ((u32::from(value) * 255 + u32::from(most) / 2) / u32::from(most)).min(255) as u8
}
