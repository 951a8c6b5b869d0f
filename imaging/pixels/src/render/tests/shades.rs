//! Stored values to shades of grey.

use super::*;

const LINEAR: WindowFunction = WindowFunction::Linear;
const EXACT: WindowFunction = WindowFunction::LinearExact;
const SIGMOID: WindowFunction = WindowFunction::Sigmoid;

/// PS3.3 §C.11.2.1.2.1 and §C.11.2.1.3 give the formulas; the values are worked out by hand.
#[test]
fn windows_spread_values_as_the_standard_says() {
    for (center, width, function, value, expected) in [
        // "c = 2048, w = 4096" is the whole range of 12 bits.
        (2048.0, 4096.0, LINEAR, 0.0, 0.0),
        (2048.0, 4096.0, LINEAR, 4095.0, 1.0),
        (2048.0, 4096.0, LINEAR, 2047.5, 0.5),
        // "c = 2048, w = 1": up to 2047 black, from 2048 on white.
        (2048.0, 1.0, LINEAR, 2047.0, 0.0),
        (2048.0, 1.0, LINEAR, 2048.0, 1.0),
        // "c = 0, w = 100": up to -50 black, from 49 on white.
        (0.0, 100.0, LINEAR, -50.0, 0.0),
        (0.0, 100.0, LINEAR, 49.0, 1.0),
        (0.0, 100.0, LINEAR, -0.5, 0.5),
        (0.0, 100.0, EXACT, -50.0, 0.0),
        (0.0, 100.0, EXACT, 0.0, 0.5),
        (0.0, 100.0, EXACT, 50.0, 1.0),
        (0.0, 100.0, SIGMOID, 0.0, 0.5),
        (0.0, 100.0, SIGMOID, 25.0, 0.731_058_578_630_004_9),
        (0.0, 100.0, SIGMOID, -1e9, 0.0),
        // Not allowed, but found where values are no whole numbers.
        (1.0, 0.5, LINEAR, 1.0, 0.5),
        (1.0, 0.5, LINEAR, 1.25, 1.0),
    ] {
        let shade = window(center, width, function).shade(value);
        assert!((shade - expected).abs() < 1e-12, "{center} {width} {function:?} {value}: {shade}");
    }
}

#[test]
fn the_window_asked_for_goes_before_those_of_the_object() {
    let grey = row(Photometric::Monochrome2, 3, 8);
    let with = |windows| ImageDescription { windows, ..grey.clone() };
    let unusable = [window(100.0, 0.0, LINEAR), window(f64::NAN, 5.0, LINEAR)];
    let own = [unusable[0].clone(), unusable[1].clone(), window(100.5, 101.0, LINEAR), window(1.0, 1.0, LINEAR)];
    let bytes = vec![50, 100, 150];
    assert_eq!(drawn(&grey, bytes.clone()), [0, 128, 255]);
    assert_eq!(drawn(&with(own.to_vec()), bytes.clone()), [0, 128, 255]);
    assert_eq!(drawn(&with(unusable.to_vec()), bytes.clone()), [0, 128, 255]);
    let asked = RenderParameters { window: Some(window(100.0, 1.0, LINEAR)), viewport: None };
    assert_eq!(draw(&with(own.to_vec()), bytes, &asked).pixels, [0, 255, 255]);
}

#[test]
fn a_table_of_values_is_used_where_there_is_no_window() {
    let table = LookupTable { descriptor: [3, 65535, 12], data: words(&[0, 4095, 2048]), segmented: false };
    let image = ImageDescription { voi_lut: Some(table), signed: true, ..row(Photometric::Monochrome2, 4, 16) };
    assert_eq!(drawn(&image, words(&[0xFF00, 0xFFFF, 0, 1])), [0, 0, 255, 128]);
    let windowed = ImageDescription { windows: vec![window(0.0, 1.0, LINEAR)], ..image };
    assert_eq!(drawn(&windowed, words(&[0xFF00, 0xFFFF, 0, 1])), [0, 0, 255, 255]);
}

#[test]
fn rescaling_comes_before_the_window() {
    let rescaled = ImageDescription {
        rescale: Some(Rescale { slope: 2.0, intercept: -1000.0 }),
        windows: vec![window(0.5, 101.0, LINEAR)],
        ..row(Photometric::Monochrome2, 3, 16)
    };
    assert_eq!(drawn(&rescaled, words(&[475, 500, 525])), [0, 128, 255]);
    let table = LookupTable { descriptor: [3, 475, 16], data: words(&[0, 300, 1000]), segmented: false };
    let tabled = ImageDescription { modality_lut: Some(table), windows: Vec::new(), ..rescaled.clone() };
    assert_eq!(drawn(&tabled, words(&[475, 476, 477])), [0, 77, 255]);
    let nonsense = Rescale { slope: 0.0, intercept: f64::INFINITY };
    let unscaled = ImageDescription { rescale: Some(nonsense), windows: Vec::new(), ..rescaled };
    assert_eq!(drawn(&unscaled, words(&[475, 500, 525])), [0, 128, 255]);
}

#[test]
fn the_smallest_value_of_monochrome1_is_white_and_inverse_says_no_more() {
    for (photometric, inverse, expected) in [
        (Photometric::Monochrome2, false, [0, 128, 255]),
        (Photometric::Monochrome1, false, [255, 127, 0]),
        (Photometric::Monochrome1, true, [255, 127, 0]),
        (Photometric::Monochrome2, true, [255, 127, 0]),
    ] {
        let image = ImageDescription { inverse, ..row(photometric, 3, 8) };
        assert_eq!(drawn(&image, vec![50, 100, 150]), expected);
    }
}

/// Overlays once lay in the bits above, and some old images are shifted up.
#[test]
fn bits_that_are_not_stored_are_not_seen() {
    let twelve = ImageDescription { bits_stored: 12, high_bit: 11, ..row(Photometric::Monochrome2, 3, 16) };
    assert_eq!(drawn(&twelve, words(&[0xF000, 0xA800, 0x0FFF])), [0, 128, 255]);
    let signed = ImageDescription { signed: true, ..twelve };
    assert_eq!(drawn(&signed, words(&[0x0800, 0xF000, 0x17FF])), [0, 128, 255]);
    let shifted = ImageDescription { bits_stored: 8, high_bit: 15, ..row(Photometric::Monochrome2, 3, 16) };
    assert_eq!(drawn(&shifted, words(&[0x00FF, 0x80FF, 0xFF00])), [0, 128, 255]);
}

#[test]
fn padding_has_no_part_in_the_range_of_values() {
    let image =
        ImageDescription { signed: true, pixel_padding_value: Some(-2000), ..row(Photometric::Monochrome2, 4, 16) };
    let values = |values: [i16; 4]| words(&values.map(i16::cast_unsigned));
    assert_eq!(drawn(&image, values([-2000, 0, 50, 100])), [0, 0, 128, 255]);
    let range = ImageDescription { pixel_padding_range_limit: Some(-1000), ..image };
    assert_eq!(drawn(&range, values([-1500, 0, 50, 100])), [0, 0, 128, 255]);
    assert_eq!(drawn(&range, values([-1500, -1000, -2000, -1999])), [0, 0, 0, 0]);
}

#[test]
fn one_bit_has_two_shades_also_where_a_frame_has_one() {
    let mask = image(Photometric::Monochrome2, 1, 3, 1);
    assert_eq!(drawn(&mask, vec![0b010]), [0, 255, 0]);
    assert_eq!(drawn(&mask, vec![0b111]), [255, 255, 255]);
    assert_eq!(drawn(&mask, vec![0b000]), [0, 0, 0]);
}

#[test]
fn thirty_two_bits_and_floating_point_are_drawn() {
    let deep = row(Photometric::Monochrome2, 3, 32);
    let bytes = [0_u32, 1 << 31, u32::MAX].iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(drawn(&deep, bytes), [0, 128, 255]);
    let single = ImageDescription { kind: SampleKind::Float32, ..row(Photometric::Monochrome2, 4, 32) };
    let bytes = [-1.0_f32, 0.0, 1.0, f32::NAN].iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(drawn(&single, bytes), [0, 128, 255, 0]);
    let double = ImageDescription { kind: SampleKind::Float64, ..row(Photometric::Monochrome2, 2, 64) };
    let bytes = [1e-9_f64, 1e9].iter().flat_map(|value| value.to_le_bytes()).collect();
    let asked = RenderParameters { window: Some(window(0.0, 1.0, EXACT)), viewport: None };
    assert_eq!(draw(&double, bytes, &asked).pixels, [128, 255]);
}

/// The table of all values and each value by itself are two ways to the same picture.
#[test]
fn a_large_image_has_the_shades_of_a_small_one() {
    let own = vec![window(300.0, 700.0, SIGMOID)];
    let small = ImageDescription { windows: own.clone(), signed: true, ..row(Photometric::Monochrome1, 5, 16) };
    let large = ImageDescription { rows: 200, columns: 100, ..small.clone() };
    let pixels: Vec<u16> = vec![0, 500, 0xFF00, 40_000, 123];
    let once = drawn(&small, words(&pixels));
    assert_eq!(drawn(&large, words(&pixels.repeat(4000))), once.repeat(4000));
}

#[test]
fn a_window_is_written_as_center_width_function() {
    for (text, expected) in [
        ("40,400,linear", Ok(window(40.0, 400.0, LINEAR))),
        ("-0.5,0.25,linear-exact", Ok(window(-0.5, 0.25, EXACT))),
        ("1e3,2,sigmoid", Ok(window(1000.0, 2.0, SIGMOID))),
        ("40,400", Err("window is center,width,function")),
        ("40,400,linear,5", Err("window is center,width,function")),
        ("40,NaN,linear", Err("the center and the width of a window are decimal numbers")),
        ("inf,400,linear", Err("the center and the width of a window are decimal numbers")),
        ("40,0,sigmoid", Err("the width of a window is at least 1, and more than 0 for linear-exact and sigmoid")),
        ("40,0.5,linear", Err("the width of a window is at least 1, and more than 0 for linear-exact and sigmoid")),
        ("40,400,LINEAR", Err("the function of a window is linear, linear-exact or sigmoid")),
    ] {
        assert_eq!(
            text.parse::<Window>().map_err(|error| error.to_string()),
            expected.map_err(str::to_owned),
            "{text}"
        );
    }
}
