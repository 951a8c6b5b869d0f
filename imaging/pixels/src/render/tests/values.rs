use super::{row, window};
use crate::{
    ImageDescription, Limits, Photometric, RenderError, Rescale, SampleKind, Scale, WindowFunction,
    testing::{decoded, words},
    values,
};

fn numbers(image: &ImageDescription, bytes: Vec<u8>, scale: &Scale) -> Vec<f32> {
    let values = values(image, &decoded(image, bytes), scale, &Limits::default()).unwrap();
    assert_eq!(values.values.len(), (values.columns * values.rows * values.channels) as usize);
    values.values
}

fn ct() -> ImageDescription {
    let rescale = Some(Rescale { slope: 1.0, intercept: -1024.0 });
    ImageDescription { rescale, bits_stored: 12, high_bit: 11, ..row(Photometric::Monochrome2, 4, 16) }
}

#[test]
fn modality_values_are_told_as_they_are() {
    let samples = words(&[0, 1024, 2000, 4095]);
    assert_eq!(numbers(&ct(), samples.clone(), &Scale::Modality), [-1024.0, 0.0, 976.0, 3071.0]);
    // What black and white look like does not change what was measured.
    let inverse = ImageDescription { photometric_interpretation: Photometric::Monochrome1, ..ct() };
    assert_eq!(numbers(&inverse, samples, &Scale::Modality), [-1024.0, 0.0, 976.0, 3071.0]);
}

#[test]
fn shades_have_more_than_eight_bits() {
    let window = Some(window(0.0, 2000.0, WindowFunction::LinearExact));
    let samples = words(&[0, 1024, 1025, 4095]);
    assert_eq!(numbers(&ct(), samples.clone(), &Scale::Shades(window.clone())), [0.0, 0.5, 0.5005, 1.0]);
    let inverse = ImageDescription { photometric_interpretation: Photometric::Monochrome1, ..ct() };
    assert_eq!(numbers(&inverse, samples.clone(), &Scale::Shades(window)), [1.0, 0.5, 0.4995, 0.0]);
    // Without any window from the least value to the greatest.
    let own = numbers(&ct(), samples, &Scale::Shades(None));
    assert_eq!((own[0], own[3]), (0.0, 1.0));
}

#[test]
fn colour_has_three_numbers() {
    let image = row(Photometric::Rgb, 2, 8);
    let samples = vec![0, 51, 255, 102, 153, 204];
    assert_eq!(numbers(&image, samples.clone(), &Scale::Modality), [0.0, 51.0, 255.0, 102.0, 153.0, 204.0]);
    assert_eq!(numbers(&image, samples, &Scale::Shades(None)), [0.0, 0.2, 1.0, 0.4, 0.6, 0.8]);
}

#[test]
fn what_is_not_a_number_is_none_here_either() {
    let image = ImageDescription { kind: SampleKind::Float32, ..row(Photometric::Monochrome2, 3, 32) };
    let bytes: Vec<u8> = [f32::NAN, f32::INFINITY, 1.5].into_iter().flat_map(f32::to_le_bytes).collect();
    assert_eq!(numbers(&image, bytes, &Scale::Modality), [0.0, 0.0, 1.5]);
}

#[test]
fn no_more_numbers_are_made_than_a_picture_may_have() {
    let (image, limits) = (ct(), Limits { picture_pixels: 3, ..Limits::default() });
    let refused = values(&image, &decoded(&image, words(&[0; 4])), &Scale::Modality, &limits);
    assert_eq!(refused, Err(RenderError::TooLarge { pixels: 4, limit: 3 }));
}
