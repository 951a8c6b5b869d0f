//! Small images for the tests of this crate.

use crate::{EncodedFrame, ImageDescription, Limits, NativeFrame, Photometric, SampleKind, decode};

pub(crate) const NATIVE: &str = "1.2.840.10008.1.2.1";

/// A description of an image in Explicit VR Little Endian.
pub(crate) fn image(photometric: Photometric, rows: u16, columns: u16, bits: u16) -> ImageDescription {
    let single = photometric.is_monochrome() || photometric == Photometric::PaletteColor;
    ImageDescription {
        transfer_syntax: NATIVE.to_owned(),
        rows,
        columns,
        samples_per_pixel: if single { 1 } else { 3 },
        kind: SampleKind::Integer,
        bits_allocated: bits,
        bits_stored: bits,
        high_bit: bits - 1,
        signed: false,
        photometric_interpretation: photometric,
        planar_configuration: 0,
        words: false,
        palette: None,
        rescale: None,
        modality_lut: None,
        windows: Vec::new(),
        voi_lut: None,
        inverse: false,
        pixel_padding_value: None,
        pixel_padding_range_limit: None,
        pixel_aspect_ratio: None,
    }
}

/// The same in another transfer syntax.
pub(crate) fn encoded_in(transfer_syntax: &str, image: ImageDescription) -> ImageDescription {
    ImageDescription { transfer_syntax: format!("1.2.840.10008.1.2.{transfer_syntax}"), ..image }
}

/// A frame that must be decodable.
pub(crate) fn decoded(image: &ImageDescription, bytes: Vec<u8>) -> NativeFrame {
    decode(image, &EncodedFrame::whole(bytes), &Limits::default()).unwrap()
}

pub(crate) fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The image of the codestreams in these tests, made by others' encoders: 9 columns, 7 rows.
pub(crate) fn sample_rgb() -> Vec<u8> {
    let pixel = |place: u32| {
        let (x, y) = (place % 9, place / 9);
        [x * 31 + y * 7, x * x * 3 + y, 200 + x * 5 + y * 11].map(|sample| (sample % 256) as u8)
    };
    (0..63).flat_map(pixel).collect()
}

/// Bytes written in hexadecimal.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
    digits.chunks_exact(2).map(|two| digit(two[0]) << 4 | digit(two[1])).collect()
}
