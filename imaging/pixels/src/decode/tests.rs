use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling, api::precision};
use proptest::prelude::*;

use super::{CODECS, Codec, decode};
use crate::{
    DecodeError, EncodedFrame, Fault, ImageDescription, Limits, Photometric, SampleKind,
    testing::{decoded, encoded_in, hex, image, sample_rgb, words},
};

mod codestreams;
mod hostile;
mod uncompressed;

const RLE: &str = "5";
const JPEG_BASELINE: &str = "4.50";
const JPEG_EXTENDED: &str = "4.51";
const JPEG_LOSSLESS: &str = "4.70";
const JPEG_LS: &str = "4.80";
const JPEG_LS_NEAR: &str = "4.81";
const JPEG_2000: &str = "4.90";
const HTJ2K: &str = "4.201";
const DEFLATED: &str = "8.1";

fn rgb(rows: u16, columns: u16) -> ImageDescription {
    image(Photometric::Rgb, rows, columns, 8)
}

fn grey(rows: u16, columns: u16, bits: u16) -> ImageDescription {
    image(Photometric::Monochrome2, rows, columns, bits)
}

fn farthest(one: &[u8], other: &[u8]) -> u8 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(one, other)| one.abs_diff(*other)).max().unwrap()
}

/// PackBits as simply as can be: runs of three and more, the rest as it is.
fn rle(segments: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0; 64];
    out[..4].copy_from_slice(&(segments.len() as u32).to_le_bytes());
    for (place, segment) in segments.iter().enumerate() {
        let offset = out.len() as u32;
        out[4 + 4 * place..8 + 4 * place].copy_from_slice(&offset.to_le_bytes());
        for chunk in segment.chunk_by(|one, other| one == other).flat_map(|run| run.chunks(128)) {
            if chunk.len() == 1 { out.extend([0, chunk[0]]) } else { out.extend([(257 - chunk.len()) as u8, chunk[0]]) }
        }
        if !out.len().is_multiple_of(2) {
            out.push(0);
        }
    }
    out
}

/// Segments of a frame by pixel: for each sample its bytes, the most significant first.
fn segments(samples: &[u8], planes: usize, size: usize) -> Vec<Vec<u8>> {
    let segment = |plane: usize, byte: usize| samples.iter().skip(plane * size + byte).step_by(planes * size).copied();
    (0..planes).flat_map(|plane| (0..size).rev().map(move |byte| segment(plane, byte).collect())).collect()
}

#[test]
fn rle_keeps_the_planes_that_the_object_states() {
    let pixels = [1, 10, 100, 2, 20, 200, 3, 30, 44, 4, 40, 55];
    let stream = rle(&segments(&pixels, 3, 1));
    let by_pixel = encoded_in(RLE, rgb(2, 2));
    assert_eq!(decoded(&by_pixel, stream.clone()).samples, pixels);
    let by_plane = ImageDescription { planar_configuration: 1, ..by_pixel };
    let frame = decoded(&by_plane, stream);
    assert_eq!(frame.samples, [1, 2, 3, 4, 10, 20, 30, 40, 100, 200, 44, 55]);
    assert_eq!(frame.format.planar_configuration, 1);
}

#[test]
fn rle_of_one_bit_is_packed_first() {
    let image = encoded_in(RLE, grey(3, 3, 1));
    assert_eq!(decoded(&image, rle(&[vec![0b1010_1010, 0b1111_1111]])).samples, [0b1010_1010, 1]);
}

proptest! {
    #[test]
    fn rle_gives_back_what_went_in(
        (rows, columns, bits, planes, samples) in (1_u16..9, 1_u16..9, prop::sample::select(vec![8_u16, 16, 32]), any::<bool>())
            .prop_flat_map(|(rows, columns, bits, colour)| {
                let planes = if colour { 3 } else { 1 };
                let bytes = usize::from(rows * columns * bits / 8) * planes;
                let samples = prop::collection::vec(prop::sample::select(vec![0_u8, 7, 255]), bytes);
                (Just(rows), Just(columns), Just(bits), Just(planes), samples)
            })
    ) {
        let photometric = if planes == 3 { Photometric::Rgb } else { Photometric::Monochrome2 };
        let image = encoded_in(RLE, image(photometric, rows, columns, bits));
        let stream = rle(&segments(&samples, planes, usize::from(bits / 8)));
        prop_assert_eq!(decoded(&image, stream).samples, samples);
    }

    /// The encoder is another one than the decoder; it knows one component.
    #[test]
    fn jpeg_ls_gives_back_what_went_in(
        (rows, columns, bits, near, values) in (1_u16..20, 1_u16..20, 2_u8..=16, 0_u8..4)
            .prop_flat_map(|(rows, columns, bits, near)| {
                let values = prop::collection::vec(0..=u16::MAX >> (16 - bits), usize::from(rows * columns));
                (Just(rows), Just(columns), Just(bits), Just(near), values)
            })
    ) {
        let near = near.min(((1_u32 << bits) - 1) as u8 / 2);
        let mut options = jpegls::EncodeOptions::default();
        (options.precision, options.near) = (Some(bits), near);
        let mut stream = Vec::new();
        jpegls::encode_with_options(&values, columns.into(), rows.into(), &options, &mut stream).unwrap();
        let frame = decoded(&encoded_in(JPEG_LS_NEAR, grey(rows, columns, 16)), stream);
        let found = frame.samples.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
        prop_assert!(found.zip(values).all(|(found, value)| found.abs_diff(value) <= near.into()));
    }

    #[test]
    fn lossless_jpeg_gives_back_what_went_in(
        (rows, columns, bits, predictor, values) in (1_u16..12, 1_u16..12, 2_u8..=16, 1_u8..=7)
            .prop_flat_map(|(rows, columns, bits, predictor)| {
                let values = prop::collection::vec(0..=u16::MAX >> (16 - bits), usize::from(rows * columns));
                (Just(rows), Just(columns), Just(bits), Just(predictor), values)
            })
    ) {
        let (width, height) = (usize::from(columns), usize::from(rows));
        let stream = precision::compress_lossless_arbitrary(&values, width, height, 1, bits, predictor, 0).unwrap();
        let frame = decoded(&encoded_in(JPEG_LOSSLESS, grey(rows, columns, 16)), stream);
        prop_assert_eq!(frame.samples, words(&values));
    }
}

#[test]
fn jpeg_ls_interleaves_colours_in_three_ways() {
    let image = encoded_in(JPEG_LS, rgb(7, 9));
    for stream in [codestreams::JPEG_LS_BY_COMPONENT, codestreams::JPEG_LS_BY_LINE, codestreams::JPEG_LS_BY_SAMPLE] {
        let frame = decoded(&image, hex(stream));
        assert_eq!(frame.samples, sample_rgb());
        assert_eq!(frame.format, image.format());
    }
    for stream in
        [codestreams::JPEG_LS_NEAR_BY_COMPONENT, codestreams::JPEG_LS_NEAR_BY_LINE, codestreams::JPEG_LS_NEAR_BY_SAMPLE]
    {
        let samples = decoded(&image, hex(stream)).samples;
        assert_eq!(farthest(&samples, &sample_rgb()), 2);
    }
}

#[test]
fn jpeg_2000_turns_its_transformation_back_and_says_so() {
    for (syntax, stream) in [(JPEG_2000, codestreams::JPEG_2000_RGB), (HTJ2K, codestreams::HTJ2K_RGB)] {
        let frame = decoded(&encoded_in(syntax, image(Photometric::YbrRct, 7, 9, 8)), hex(stream));
        assert_eq!(frame.samples, sample_rgb());
        assert_eq!(frame.format.photometric_interpretation, Photometric::Rgb);
    }
}

#[test]
fn jpeg_2000_has_sixteen_bits_and_a_sign() {
    let signed = ImageDescription { signed: true, ..encoded_in(JPEG_2000, grey(7, 9, 16)) };
    let expected: Vec<u16> = (0..63).map(|place| (place % 9 * 911 + place / 9 * 4003 - 20000_i32) as u16).collect();
    assert_eq!(decoded(&signed, hex(codestreams::JPEG_2000_SIGNED)).samples, words(&expected));
    let unsigned = encoded_in(HTJ2K, grey(7, 9, 16));
    let expected: Vec<u16> = (0..63).map(|place| (place % 9 * 91 + place / 9 * 403) % 4096).collect();
    assert_eq!(decoded(&unsigned, hex(codestreams::HTJ2K_GREY)).samples, words(&expected));
}

#[test]
fn jpeg_2000_in_the_boxes_of_a_file_is_read_all_the_same() {
    let mut boxed = hex("0000000C 6A502020 0D0A870A");
    boxed.extend(hex(codestreams::JPEG_2000_RGB));
    let image = encoded_in(JPEG_2000, image(Photometric::YbrRct, 7, 9, 8));
    assert_eq!(decoded(&image, boxed).samples, sample_rgb());
}

/// A stream with YCbCr inside and no marker that says so, as DICOM has them; and one with RGB inside.
#[test]
fn lossy_jpeg_becomes_rgb_whatever_it_was() {
    let pixels = [220, 40, 30].repeat(64);
    let encoder = || Encoder::new(&pixels, 8, 8, PixelFormat::Rgb).quality(100).subsampling(Subsampling::S444);
    let transformed = without_jfif(encoder().encode().unwrap());
    let plain = encoder().colorspace(libjpeg_turbo_rs::ColorSpace::Rgb).write_adobe_marker(false).encode().unwrap();
    for (photometric, stream) in [
        (Photometric::YbrFull422, &transformed),
        (Photometric::YbrFull, &transformed),
        (Photometric::Rgb, &plain),
        (Photometric::YbrFull422, &plain),
    ] {
        let frame = decoded(&encoded_in(JPEG_BASELINE, image(photometric, 8, 8, 8)), stream.clone());
        assert!(farthest(&frame.samples, &pixels) <= 2, "{:?}", &frame.samples[..3]);
        assert_eq!(frame.format.photometric_interpretation, Photometric::Rgb);
    }
    // What the object states decides where the stream is silent.
    let frame = decoded(&encoded_in(JPEG_BASELINE, rgb(8, 8)), transformed);
    assert!(farthest(&frame.samples, &pixels) > 50);
}

/// Takes the APP0 segment out.
fn without_jfif(mut stream: Vec<u8>) -> Vec<u8> {
    assert_eq!(stream[2..4], [0xFF, 0xE0]);
    let length = usize::from(u16::from_be_bytes([stream[4], stream[5]]));
    stream.drain(2..4 + length);
    stream
}

#[test]
fn a_jfif_marker_knows_better_than_the_object() {
    let pixels = [220, 40, 30].repeat(64);
    let encoder = Encoder::new(&pixels, 8, 8, PixelFormat::Rgb).quality(100).subsampling(Subsampling::S444);
    let frame = decoded(&encoded_in(JPEG_BASELINE, rgb(8, 8)), encoder.encode().unwrap());
    assert!(farthest(&frame.samples, &pixels) <= 2);
}

#[test]
fn extended_jpeg_has_twelve_bits() {
    let values: Vec<i16> = (0..64).map(|place| 500 + place * 50).collect();
    let stream = precision::compress_12bit(&values, 8, 8, 1, 100, Subsampling::S444).unwrap();
    let image = ImageDescription { bits_stored: 12, high_bit: 11, ..encoded_in(JPEG_EXTENDED, grey(8, 8, 16)) };
    let frame = decoded(&image, stream.clone());
    for (found, value) in frame.samples.chunks_exact(2).zip(values) {
        assert!(u16::from_le_bytes([found[0], found[1]]).abs_diff(value as u16) <= 4);
    }
    // What is above the bits stored would be read as something dark.
    let fewer = ImageDescription { bits_stored: 11, high_bit: 10, ..image };
    let last = decoded(&fewer, stream).samples;
    assert_eq!(last[126..], 2047_u16.to_le_bytes());
}

/// Colours in three scans are right by the standard, but the decoder does not read them: nobody's pixels are broken.
#[test]
fn lossless_jpeg_by_component_is_refused_as_ours() {
    let mut stream = precision::compress_lossless_arbitrary(&[7; 12], 2, 2, 3, 8, 1, 0).unwrap();
    let scan = stream.windows(2).position(|marker| marker == [0xFF, 0xDA]).unwrap();
    stream[scan + 4] = 1;
    let frame = EncodedFrame::whole(stream);
    let error = decode(&encoded_in(JPEG_LOSSLESS, rgb(2, 2)), &frame, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "lossless JPEG with separate components cannot be decoded here");
}

#[test]
fn fragments_make_one_frame() {
    let stream = hex(codestreams::JPEG_LS_BY_LINE);
    let fragments = stream.chunks(10).map(<[u8]>::to_vec).collect();
    let frame = EncodedFrame { fragments, first_bit: 0 };
    let frame = decode(&encoded_in(JPEG_LS, rgb(7, 9)), &frame, &Limits::default()).unwrap();
    assert_eq!(frame.samples, sample_rgb());
}

#[test]
fn deflated_frames_are_inflated() {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&sample_rgb()).unwrap();
    let stream = encoder.finish().unwrap();
    assert_eq!(decoded(&encoded_in(DEFLATED, rgb(7, 9)), stream).samples, sample_rgb());
}

#[test]
fn what_is_unknown_is_told_from_what_is_broken() {
    let check = |image: &ImageDescription| decode(image, &EncodedFrame::default(), &Limits::default()).unwrap_err();
    let video = check(&encoded_in("4.102", rgb(2, 2)));
    assert_eq!(video.fault(), Fault::Ours);
    assert_eq!(video.to_string(), "transfer syntax 1.2.840.10008.1.2.4.102 cannot be decoded here");
    let floats = ImageDescription { kind: SampleKind::Float32, ..encoded_in(JPEG_2000, grey(2, 2, 32)) };
    assert_eq!(check(&floats).fault(), Fault::Ours);
    assert_eq!(check(&grey(2, 2, 12)).to_string(), "BitsAllocated 12 cannot be decoded here");
    assert_eq!(check(&grey(0, 2, 8)).fault(), Fault::Object);
}
