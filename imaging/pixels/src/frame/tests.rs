use crate::{
    DecodeError, FramePlace, ImageDescription, Photometric,
    testing::{encoded_in, image},
};

fn place(image: &ImageDescription, index: u32, frames: u32, length: u64) -> Option<(u64, u64, u8)> {
    let place = image.place_of_native_frame(index, frames, length).ok()?;
    let FramePlace { offset, length, first_bit } = place;
    Some((offset, length, first_bit))
}

#[test]
fn frames_lie_one_after_the_other() {
    let grey = |bits| image(Photometric::Monochrome2, 3, 3, bits);
    let shared = image(Photometric::YbrFull422, 3, 3, 8);
    let swapped = encoded_in("2", ImageDescription { words: true, ..grey(8) });
    for (what, image, index, frames, length, expected) in [
        ("first", grey(16), 0, 2, 36, Some((0, 18, 0))),
        ("last", grey(16), 1, 2, 36, Some((18, 18, 0))),
        ("after the last", grey(16), 2, 2, 36, None),
        ("beyond the end", grey(16), 1, 2, 35, None),
        ("9 bits each", grey(1), 0, 3, 4, Some((0, 2, 0))),
        ("9 bits each", grey(1), 1, 3, 4, Some((1, 2, 1))),
        ("9 bits each", grey(1), 2, 3, 4, Some((2, 2, 2))),
        ("shared colours", shared.clone(), 1, 2, 40, Some((20, 20, 0))),
        ("colours only said to be shared", shared, 1, 2, 54, Some((27, 27, 0))),
        ("words of two samples", swapped.clone(), 0, 2, 18, Some((0, 10, 0))),
        ("words of two samples", swapped, 1, 2, 18, Some((8, 10, 8))),
    ] {
        assert_eq!(place(&image, index, frames, length), expected, "{what}");
    }
}

#[test]
fn frames_without_end_are_no_overflow() {
    let image = image(Photometric::Rgb, 65535, 65535, 32);
    let error = image.place_of_native_frame(u32::MAX - 1, u32::MAX, u64::MAX - 1).unwrap_err();
    assert!(matches!(error, DecodeError::Truncated { .. }), "{error}");
}
