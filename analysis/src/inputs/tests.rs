use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, attributes::Attributes};

use super::{Grey, Inputs, Pixels, Rescale, Window};

/// Attributes and their values.
type Said<'a> = &'a [(Tag, &'a str)];

fn says(texts: Said<'_>) -> Attributes {
    let mut said = Attributes::new();
    for (tag, text) in texts {
        said.put_texts(*tag, text.split('\\').map(str::to_owned));
    }
    said
}

fn image(texts: Said<'_>) -> Attributes {
    let mut image = says(texts);
    for (tag, text) in [
        (tags::STUDY_INSTANCE_UID, "2.25.1"),
        (tags::SERIES_INSTANCE_UID, "2.25.2"),
        (tags::SOP_INSTANCE_UID, "2.25.3"),
        (tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.2"),
    ] {
        image.put_text(tag, text);
    }
    image.put_number(tags::ROWS, 8);
    image.put_number(tags::COLUMNS, 8);
    image
}

fn grey(image: &Attributes) -> Option<Grey> {
    let mut inputs = Inputs::default();
    inputs.add(image);
    inputs.series[0].images[0].grey.clone()
}

/// A group of functional groups with one item of this kind.
fn group(kind: Tag, item: Attributes) -> Attributes {
    let mut group = Attributes::new();
    group.put_items(kind, vec![item]);
    group
}

#[test]
fn grey_images_tell_how_they_are_shown() {
    const GREY: (Tag, &str) = (tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2 ");
    let plain = Grey { is_inverse: false, rescale: None, window: None, pixels: Pixels::AspectRatio([1, 1]) };
    let window = |center, width, function: Option<&str>| {
        Some(Grey { window: Some(Window { center, width, function: function.map(str::to_owned) }), ..plain.clone() })
    };
    let rescale = |intercept, slope, kind: &str| {
        Some(Grey { rescale: Some(Rescale { intercept, slope, kind: kind.to_owned() }), ..plain.clone() })
    };
    let pixels = |pixels| Some(Grey { pixels, ..plain.clone() });
    let table: &[(Said<'_>, Option<Grey>)] = &[
        (&[], None),
        (&[(tags::PHOTOMETRIC_INTERPRETATION, "RGB")], None),
        (&[GREY], Some(plain.clone())),
        (&[(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME1")], Some(Grey { is_inverse: true, ..plain.clone() })),
        (&[GREY, (tags::WINDOW_CENTER, "40\\300"), (tags::WINDOW_WIDTH, "400\\1500")], window(40.0, 400.0, None)),
        (&[GREY, (tags::WINDOW_CENTER, "40"), (tags::WINDOW_WIDTH, "0.5")], Some(plain.clone())),
        (
            &[GREY, (tags::WINDOW_CENTER, "40"), (tags::WINDOW_WIDTH, "0.5"), (tags::VOILUT_FUNCTION, "SIGMOID")],
            window(40.0, 0.5, Some("SIGMOID")),
        ),
        (&[GREY, (tags::RESCALE_INTERCEPT, "-1024"), (tags::RESCALE_SLOPE, "2")], rescale(-1024.0, 2.0, "US")),
        (
            &[GREY, (tags::MODALITY, "CT"), (tags::RESCALE_INTERCEPT, "0"), (tags::RESCALE_SLOPE, "1")],
            rescale(0.0, 1.0, "HU"),
        ),
        (&[GREY, (tags::RESCALE_INTERCEPT, "0")], None),
        (&[GREY, (tags::PIXEL_SPACING, "0.5\\0.25")], pixels(Pixels::Spacing([0.5, 0.25]))),
        (
            &[GREY, (tags::PIXEL_SPACING, "0\\0"), (tags::PIXEL_ASPECT_RATIO, "4\\3")],
            pixels(Pixels::AspectRatio([4, 3])),
        ),
    ];
    for (texts, expected) in table {
        assert_eq!(grey(&image(texts)), *expected, "{texts:?}");
    }
    let mut table = image(&[GREY]);
    table.put_items(tags::MODALITY_LUT_SEQUENCE, vec![Attributes::new()]);
    assert_eq!(grey(&table), None, "a table, no line");
}

#[test]
fn frames_tell_in_their_groups_how_they_are_shown() {
    let slope = |slope: &str| {
        let said = says(&[(tags::RESCALE_INTERCEPT, "0"), (tags::RESCALE_SLOPE, slope), (tags::RESCALE_TYPE, "HU")]);
        group(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, said)
    };
    let mut shared = group(tags::PIXEL_MEASURES_SEQUENCE, says(&[(tags::PIXEL_SPACING, "2\\2")]));
    let window = says(&[(tags::WINDOW_CENTER, "40"), (tags::WINDOW_WIDTH, "400")]);
    shared.put_items(tags::FRAME_VOILUT_SEQUENCE, vec![window]);
    let mut image = image(&[(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"), (tags::NUMBER_OF_FRAMES, "2")]);
    image.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
    image.put_items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, vec![slope("3"), slope("3")]);
    let expected = Grey {
        is_inverse: false,
        rescale: Some(Rescale { intercept: 0.0, slope: 3.0, kind: "HU".to_owned() }),
        window: Some(Window { center: 40.0, width: 400.0, function: None }),
        pixels: Pixels::Spacing([2.0, 2.0]),
    };
    assert_eq!(grey(&image), Some(expected));
    image.put_items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, vec![slope("3"), slope("4")]);
    assert_eq!(grey(&image), None, "a presentation state has one line for all frames");
}
