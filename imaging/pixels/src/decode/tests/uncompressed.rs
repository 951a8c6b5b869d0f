use proptest::prelude::*;

use super::{grey, rgb};
use crate::{
    DecodeError, EncodedFrame, ImageDescription, Limits, Photometric, SampleKind, decode,
    testing::{decoded, encoded_in, image},
};

const BIG_ENDIAN: &str = "2";
const ENCAPSULATED: &str = "1.98";

#[test]
fn samples_pass_as_they_are() {
    for image in [
        grey(2, 3, 8),
        grey(2, 3, 16),
        grey(3, 1, 32),
        rgb(1, 3),
        encoded_in(ENCAPSULATED, grey(2, 3, 16)),
        ImageDescription { planar_configuration: 1, ..rgb(2, 2) },
        ImageDescription { kind: SampleKind::Float64, ..grey(1, 2, 64) },
    ] {
        let bytes: Vec<u8> = (0..image.format().frame_bytes()).map(|place| place as u8).collect();
        let padded = [bytes.clone(), vec![0xEE]].concat();
        let frame = decoded(&image, padded);
        assert_eq!((frame.samples, frame.format), (bytes, image.format()));
    }
}

#[test]
fn big_endian_words_are_turned() {
    let swapped = |image, bytes: &[u8]| decoded(&encoded_in(BIG_ENDIAN, image), bytes.to_vec()).samples;
    assert_eq!(swapped(grey(1, 2, 16), &[1, 2, 3, 4]), [2, 1, 4, 3]);
    assert_eq!(swapped(grey(1, 1, 32), &[1, 2, 3, 4]), [4, 3, 2, 1]);
    assert_eq!(swapped(grey(1, 3, 8), &[1, 2, 3, 0]), [1, 2, 3]);
    let words = ImageDescription { words: true, ..grey(1, 3, 8) };
    assert_eq!(swapped(words.clone(), &[2, 1, 0, 3]), [1, 2, 3]);
    // The second of two such frames begins within a word: 1 2 3 4 5 6.
    let second = EncodedFrame { fragments: vec![vec![4, 3, 6, 5]], first_bit: 8 };
    assert_eq!(decode(&encoded_in(BIG_ENDIAN, words), &second, &Limits::default()).unwrap().samples, [4, 5, 6]);
}

#[test]
fn shared_colour_differences_are_repeated() {
    let image = image(Photometric::YbrFull422, 1, 4, 8);
    let frame = decoded(&image, vec![1, 2, 100, 200, 3, 4, 101, 201]);
    assert_eq!(frame.samples, [1, 100, 200, 2, 100, 200, 3, 101, 201, 4, 101, 201]);
    assert_eq!(frame.format.photometric_interpretation, Photometric::YbrFull);
}

/// An odd number of pixels leaves a luminance over.
#[test]
fn an_odd_image_shares_its_last_colour_with_nobody() {
    let image = image(Photometric::YbrFull422, 3, 1, 8);
    assert_eq!(decoded(&image, vec![1, 2, 9, 8, 3, 0, 7, 6]).samples, [1, 9, 8, 2, 9, 8, 3, 7, 6]);
}

#[test]
fn an_image_that_only_says_it_shares_colours_keeps_them() {
    let image = image(Photometric::YbrFull422, 1, 2, 8);
    let frame = decoded(&image, vec![1, 100, 200, 2, 101, 201]);
    assert_eq!(frame.samples, [1, 100, 200, 2, 101, 201]);
    assert_eq!(frame.format.photometric_interpretation, Photometric::YbrFull);
}

#[test]
fn the_range_of_television_becomes_rgb() {
    let image = image(Photometric::YbrPartial422, 1, 4, 8);
    let frame = decoded(&image, vec![16, 235, 128, 128, 81, 81, 90, 240]);
    assert_eq!(frame.samples, [0, 0, 0, 255, 255, 255, 254, 0, 0, 254, 0, 0]);
    assert_eq!(frame.format.photometric_interpretation, Photometric::Rgb);
}

#[test]
fn a_short_frame_is_told() {
    let error = decode(&grey(2, 2, 16), &EncodedFrame::whole(vec![0; 7]), &Limits::default()).unwrap_err();
    assert_eq!(error, DecodeError::Truncated { needed: 8, found: 7 });
}

proptest! {
    /// Frames of one bit lie without a gap between them; each comes out by itself, and all together as they were.
    #[test]
    fn packed_frames_come_apart_and_together(
        (rows, columns, frames, bits) in (1_u16..7, 1_u16..7, 1_u32..6).prop_flat_map(|(rows, columns, frames)| {
            let bits = prop::collection::vec(any::<bool>(), usize::from(rows * columns) * frames as usize);
            (Just(rows), Just(columns), Just(frames), bits)
        })
    ) {
        let image = grey(rows, columns, 1);
        let mut value = super::super::bits::pack(bits.iter().copied());
        if !value.len().is_multiple_of(2) {
            value.push(0);
        }
        let mut joined = crate::NativeFrames::default();
        let mut out = Vec::new();
        for (number, expected) in bits.chunks(usize::from(rows * columns)).enumerate() {
            let place = image.place_of_native_frame(number as u32, frames, value.len() as u64).unwrap();
            let bytes = value[place.offset as usize..][..place.length as usize].to_vec();
            let frame = EncodedFrame { fragments: vec![bytes], first_bit: place.first_bit };
            let frame = decode(&image, &frame, &Limits::default()).unwrap();
            prop_assert_eq!(&frame.samples, &super::super::bits::pack(expected.iter().copied()));
            out.extend(joined.push(frame));
        }
        out.extend(joined.finish());
        prop_assert_eq!(out, value);
    }
}
