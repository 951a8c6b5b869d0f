use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, Uid,
    attributes::{Attributes, Content, Number},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::tests::{FIRST, JOB, algorithm, context, example, inputs, read_back},
    STATES, author,
    outline::{outlines, thinned},
};
use crate::{
    finding::{CheckedFindings, Findings, ImageName, MaskFrame},
    inputs::Inputs,
};

/// Images of 8 × 8 pixels of one series, each as it says.
fn series(images: &[(&'static str, &[(Tag, &str)])]) -> Inputs {
    let mut inputs = Inputs::default();
    for (instance, says) in images {
        let mut image = Attributes::new();
        for (tag, text) in [
            (tags::STUDY_INSTANCE_UID, "2.25.40"),
            (tags::SERIES_INSTANCE_UID, "2.25.41"),
            (tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.2"),
            (tags::SOP_INSTANCE_UID, *instance),
            (tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"),
        ] {
            image.put_text(tag, text);
        }
        image.put_number(tags::ROWS, 8);
        image.put_number(tags::COLUMNS, 8);
        for (tag, text) in *says {
            image.put_texts(*tag, text.split('\\').map(str::to_owned));
        }
        inputs.add(&image);
    }
    inputs
}

fn point(instance: &str) -> Value {
    json!({"type": "point", "image": {"instance": instance}, "at": [2.5, 3]})
}

fn found(places: &[Value], inputs: &Inputs) -> CheckedFindings {
    let code = json!({"scheme": "SCT", "code": "1", "meaning": "Nodule"});
    let finding = |(at, place): (usize, &Value)| json!({"id": at.to_string(), "code": code, "place": place});
    let findings: Vec<Value> = places.iter().enumerate().map(finding).collect();
    let answer = json!({"format": "1", "findings": findings}).to_string();
    Findings::read(answer.as_bytes(), inputs, JOB).unwrap()
}

fn states(findings: &CheckedFindings, inputs: &Inputs) -> Vec<Attributes> {
    let algorithm = algorithm();
    author(&context(inputs, &algorithm), findings).unwrap().iter().map(read_back).collect()
}

fn reals(item: &Attributes, tag: Tag) -> Vec<f32> {
    let Content::Numbers(numbers) = &item.get(tag).unwrap().content else { panic!("{tag}") };
    let single = |number: &Option<Number>| match number.unwrap() {
        Number::Single(number) => number,
        other => panic!("{other:?}"),
    };
    numbers.iter().map(single).collect()
}

#[test]
fn what_can_be_drawn_is_drawn_where_it_was_found() {
    let inputs = inputs();
    let states = states(&example(&inputs), &inputs);
    let [state] = states.as_slice() else { panic!("one series, one state") };
    let annotations = state.items(tags::GRAPHIC_ANNOTATION_SEQUENCE);
    let graphics: Vec<(Option<String>, Vec<f32>)> = annotations
        .iter()
        .flat_map(|annotation| annotation.items(tags::GRAPHIC_OBJECT_SEQUENCE))
        .map(|graphic| (graphic.text(tags::GRAPHIC_TYPE), reals(graphic, tags::GRAPHIC_DATA)))
        .collect();
    let line = |points: &[f32]| (Some("POLYLINE".to_owned()), points.to_vec());
    let expected = [
        // Pixels 10, 11, 18, 19: columns 2 and 3 of rows 1 and 2.
        line(&[2.0, 1.0, 4.0, 1.0, 4.0, 3.0, 2.0, 3.0, 2.0, 1.0]),
        line(&[1.5, 1.0, 4.0, 1.0, 4.0, 3.5, 1.5, 3.5, 1.5, 1.0]),
        line(&[1.0, 1.0, 4.0, 3.0]),
        line(&[2.0, 1.0, 4.0, 1.0, 4.0, 2.0, 2.0, 2.0, 2.0, 1.0]),
    ];
    assert_eq!(graphics, expected, "the indeterminate point is not drawn");
    let texts: Vec<String> = annotations
        .iter()
        .flat_map(|annotation| annotation.items(tags::TEXT_OBJECT_SEQUENCE))
        .filter_map(|text| text.text(tags::UNFORMATTED_TEXT_VALUE))
        .collect();
    insta::assert_json_snapshot!(texts);
}

#[test]
fn a_state_says_how_its_images_are_shown() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let context = context(&inputs, &algorithm);
    let state = read_back(&author(&context, &example(&inputs)).unwrap()[0]);
    for (tag, expected) in [
        (tags::MODALITY, "PR"),
        (tags::SERIES_NUMBER, "9004"),
        (tags::CONTENT_LABEL, "AI_RESULT"),
        (tags::PRESENTATION_CREATION_DATE, "20261123"),
        (tags::PRESENTATION_CREATION_TIME, "183000"),
        (tags::PRESENTATION_LUT_SHAPE, "IDENTITY"),
        (tags::RESCALE_INTERCEPT, "-1024"),
        (tags::RESCALE_SLOPE, "1"),
        (tags::RESCALE_TYPE, "HU"),
    ] {
        assert_eq!(state.text(tag).as_deref(), Some(expected), "{tag}");
    }
    let [area] = state.items(tags::DISPLAYED_AREA_SELECTION_SEQUENCE) else { panic!("all are of one size") };
    let corner = |tag: Tag| area.get(tag).unwrap().texts();
    assert_eq!(corner(tags::DISPLAYED_AREA_TOP_LEFT_HAND_CORNER), [Some("1".to_owned()), Some("1".to_owned())]);
    assert_eq!(corner(tags::DISPLAYED_AREA_BOTTOM_RIGHT_HAND_CORNER), [Some("8".to_owned()), Some("8".to_owned())]);
    assert!(area.get(tags::REFERENCED_IMAGE_SEQUENCE).is_none(), "it is about all");
    let [window] = state.items(tags::SOFTCOPY_VOILUT_SEQUENCE) else { panic!("all have one window") };
    assert_eq!(window.text(tags::WINDOW_CENTER).as_deref(), Some("40"));
    let images = state.items(tags::REFERENCED_SERIES_SEQUENCE)[0].items(tags::REFERENCED_IMAGE_SEQUENCE);
    assert_eq!(images.len(), 2);
}

#[test]
fn images_that_are_shown_in_another_way_have_another_state_or_none() {
    const PALETTE: &[(Tag, &str)] = &[(tags::PHOTOMETRIC_INTERPRETATION, "PALETTE COLOR")];
    const WHITE: &[(Tag, &str)] = &[(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME1")];
    const SLOPE: &[(Tag, &str)] = &[(tags::RESCALE_INTERCEPT, "0"), (tags::RESCALE_SLOPE, "0.5")];
    const BROKEN: &[(Tag, &str)] = &[(tags::RESCALE_INTERCEPT, "0"), (tags::RESCALE_SLOPE, "0")];
    const WINDOW: &[(Tag, &str)] = &[(tags::WINDOW_CENTER, "40\\50"), (tags::WINDOW_WIDTH, "1\\80")];
    for (first, second, expected) in [
        (&[][..], &[][..], &["IDENTITY"][..]),
        (&[], WINDOW, &["IDENTITY"]),
        (&[], WHITE, &["IDENTITY", "INVERSE"]),
        (WHITE, WHITE, &["INVERSE"]),
        (&[], SLOPE, &["IDENTITY", "IDENTITY"]),
        (&[], PALETTE, &["IDENTITY"]),
        (PALETTE, PALETTE, &[]),
        (&[], BROKEN, &["IDENTITY"]),
        (BROKEN, BROKEN, &[]),
    ] {
        let inputs = series(&[("2.25.1", first), ("2.25.2", second)]);
        let states = states(&found(&[point("2.25.1"), point("2.25.2")], &inputs), &inputs);
        let shapes: Vec<Option<String>> = states.iter().map(|state| state.text(tags::PRESENTATION_LUT_SHAPE)).collect();
        let shapes: Vec<&str> = shapes.iter().map(|shape| shape.as_deref().unwrap()).collect();
        assert_eq!(shapes, expected, "{first:?} {second:?}");
    }
}

#[test]
fn images_of_one_state_may_differ_in_size_and_window() {
    const OTHER: &[(Tag, &str)] =
        &[(tags::WINDOW_CENTER, "40\\50"), (tags::WINDOW_WIDTH, "1\\80"), (tags::PIXEL_ASPECT_RATIO, "2\\1")];
    let inputs = series(&[("2.25.1", &[]), ("2.25.2", OTHER)]);
    let states = states(&found(&[point("2.25.1"), point("2.25.2")], &inputs), &inputs);
    let named = |item: &Attributes| {
        let images = item.items(tags::REFERENCED_IMAGE_SEQUENCE).iter();
        images.filter_map(|image| image.text(tags::REFERENCED_SOP_INSTANCE_UID)).collect::<Vec<_>>()
    };
    let areas = states[0].items(tags::DISPLAYED_AREA_SELECTION_SEQUENCE);
    assert_eq!(areas.iter().map(named).collect::<Vec<_>>(), [["2.25.1"], ["2.25.2"]]);
    let ratios = areas.iter().map(|area| area.get(tags::PRESENTATION_PIXEL_ASPECT_RATIO).unwrap().texts());
    let ratio = |one: &str, two: &str| vec![Some(one.to_owned()), Some(two.to_owned())];
    assert_eq!(ratios.collect::<Vec<_>>(), [ratio("1", "1"), ratio("2", "1")]);
    let [window] = states[0].items(tags::SOFTCOPY_VOILUT_SEQUENCE) else { panic!("one image has a window") };
    assert_eq!((named(window), window.text(tags::WINDOW_WIDTH).as_deref()), (vec!["2.25.2".to_owned()], Some("1")));
}

#[test]
fn frames_are_named_where_not_all_are_drawn_in() {
    const FRAMES: &[(Tag, &str)] = &[(tags::NUMBER_OF_FRAMES, "3")];
    let inputs = series(&[("2.25.1", FRAMES)]);
    let place = |frame: u32| json!({"type": "point", "image": {"instance": "2.25.1", "frame": frame}, "at": [1, 1]});
    for (frames, expected) in [(&[3, 1][..], Some(vec!["1", "3"])), (&[1, 2, 3], None)] {
        let places: Vec<Value> = frames.iter().map(|frame| place(*frame)).collect();
        let state = &states(&found(&places, &inputs), &inputs)[0];
        let image = &state.items(tags::REFERENCED_SERIES_SEQUENCE)[0].items(tags::REFERENCED_IMAGE_SEQUENCE)[0];
        let expected = expected.map(|numbers| numbers.iter().map(|number| Some((*number).to_owned())).collect());
        assert_eq!(image.get(tags::REFERENCED_FRAME_NUMBER).map(|numbers| numbers.texts()), expected);
        let annotations = state.items(tags::GRAPHIC_ANNOTATION_SEQUENCE);
        assert_eq!(annotations.len(), frames.len() + 1, "and the legend");
    }
}

/// Single pixels, every second of every second row of 256 × 256: 81,920 points of outlines on each image.
#[test]
fn what_is_too_much_is_left_out_and_said() {
    let mut inputs = series(&[("2.25.1", &[]), ("2.25.2", &[]), ("2.25.3", &[]), ("2.25.4", &[])]);
    for image in inputs.series.iter_mut().flat_map(|series| &mut series.images) {
        (image.rows, image.columns) = (256, 256);
    }
    let row = |row: u32| (0..256).map(move |column| column % 2 == 0 && row.is_multiple_of(2));
    let pixels: Vec<bool> = (0..256).flat_map(row).collect();
    let runs = runs(&pixels);
    let mask = |instance: &str| json!({"type": "mask", "frames": [{"image": {"instance": instance}, "runs": runs}]});
    let places = ["2.25.1", "2.25.2", "2.25.3", "2.25.4"].map(mask);
    let state = &states(&found(&places, &inputs), &inputs)[0];
    let annotations = state.items(tags::GRAPHIC_ANNOTATION_SEQUENCE);
    let points = annotations
        .iter()
        .flat_map(|annotation| annotation.items(tags::GRAPHIC_OBJECT_SEQUENCE))
        .map(|graphic| graphic.text(tags::NUMBER_OF_GRAPHIC_POINTS).unwrap().parse::<usize>().unwrap());
    assert_eq!(points.sum::<usize>(), 81_920, "there is room for one of them");
    let legend = annotations.last().unwrap().items(tags::TEXT_OBJECT_SEQUENCE)[0].clone();
    assert!(legend.text(tags::UNFORMATTED_TEXT_VALUE).unwrap().contains("3 more are not drawn"));
}

#[test]
fn a_long_line_goes_on_in_another() {
    let inputs = series(&[("2.25.1", &[])]);
    let points: Vec<[f64; 2]> = (0..20_000_u32).map(|at| [f64::from(at % 8), f64::from(at / 8 % 8)]).collect();
    let place = json!({"type": "polyline", "image": {"instance": "2.25.1"}, "points": points});
    let state = &states(&found(&[place], &inputs), &inputs)[0];
    let graphics = state.items(tags::GRAPHIC_ANNOTATION_SEQUENCE)[0].items(tags::GRAPHIC_OBJECT_SEQUENCE);
    let pieces: Vec<Vec<f32>> = graphics.iter().map(|graphic| reals(graphic, tags::GRAPHIC_DATA)).collect();
    assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [16_000, 16_000, 8_004]);
    for pair in pieces.windows(2) {
        assert_eq!(pair[0][pair[0].len() - 2..], pair[1][..2], "each begins where the one before ends");
    }
}

#[test]
fn only_so_many_states_are_made() {
    let slopes: Vec<String> = (1..=STATES + 3).map(|slope| slope.to_string()).collect();
    let names: Vec<&'static str> = (1..=STATES + 3).map(|at| &*format!("2.25.{at}").leak()).collect();
    let says: Vec<Vec<(Tag, &str)>> = slopes
        .iter()
        .map(|slope| vec![(tags::RESCALE_INTERCEPT, "0"), (tags::RESCALE_SLOPE, slope.as_str())])
        .collect();
    let images: Vec<(&'static str, &[(Tag, &str)])> =
        names.iter().zip(&says).map(|(name, says)| (*name, says.as_slice())).collect();
    let inputs = series(&images);
    let places: Vec<Value> = names.iter().map(|name| point(name)).collect();
    assert_eq!(states(&found(&places, &inputs), &inputs).len(), STATES);
}

/// Lengths by turns outside and inside.
fn runs(pixels: &[bool]) -> Vec<u32> {
    let mut runs = vec![0];
    let mut inside = false;
    for pixel in pixels {
        if *pixel != inside {
            runs.push(0);
            inside = *pixel;
        }
        *runs.last_mut().unwrap() += 1;
    }
    runs
}

fn mask(pixels: &[bool]) -> MaskFrame {
    MaskFrame { image: ImageName { instance: Uid::known(FIRST), frame: None }, runs: runs(pixels) }
}

/// Unit edges of lines along rows and columns, in no order.
fn edges(lines: &[Vec<[u32; 2]>]) -> Vec<[[u32; 2]; 2]> {
    let mut edges = Vec::new();
    for pair in lines.iter().flat_map(|line| line.windows(2)) {
        let ([from, to], along) =
            if pair[0][0] == pair[1][0] { ([pair[0], pair[1]], 1) } else { ([pair[0], pair[1]], 0) };
        assert_eq!(from[1 - along], to[1 - along], "edges lie along rows and columns");
        for step in from[along].min(to[along])..from[along].max(to[along]) {
            let (mut one, mut other) = (from, from);
            (one[along], other[along]) = (step, step + 1);
            edges.push([one, other]);
        }
    }
    edges.sort_unstable();
    edges
}

/// Where exactly one of two neighbours is inside.
fn expected_edges(pixels: &[bool], width: u32, height: u32) -> Vec<[[u32; 2]; 2]> {
    let at = |x: i64, y: i64| {
        let is_in = (0..i64::from(width)).contains(&x) && (0..i64::from(height)).contains(&y);
        is_in && pixels[(y * i64::from(width) + x) as usize]
    };
    let mut edges = Vec::new();
    for y in 0..=height {
        for x in 0..=width {
            let [column, row] = [i64::from(x), i64::from(y)];
            if at(column, row) != at(column, row - 1) {
                edges.push([[x, y], [x + 1, y]]);
            }
            if at(column, row) != at(column - 1, row) {
                edges.push([[x, y], [x, y + 1]]);
            }
        }
    }
    edges.sort_unstable();
    edges
}

proptest! {
    /// Outlines are closed and have every edge of the mask once.
    #[test]
    fn outlines_are_the_edges_of_a_mask(
        (width, height, pixels) in (1_u32..9, 1_u32..9).prop_flat_map(|(width, height)| {
            let pixels = proptest::collection::vec(any::<bool>(), (width * height) as usize);
            (Just(width), Just(height), pixels)
        })
    ) {
        let lines = outlines(&mask(&pixels), width, usize::MAX).unwrap();
        prop_assert!(lines.iter().all(|line| line.len() >= 5 && line.first() == line.last()));
        prop_assert_eq!(edges(&lines), expected_edges(&pixels, width, height));
        let corners: usize = lines.iter().map(|line| line.len() - 1).sum();
        prop_assert!(corners == 0 || outlines(&mask(&pixels), width, corners - 1).is_none());
    }

    /// A thinned outline is closed, has no corner of its own, and none left out lies farther than said from one that stayed.
    #[test]
    fn thinning_keeps_near(pixels in proptest::collection::vec(any::<bool>(), 400), distance in 0_u32..5) {
        for line in outlines(&mask(&pixels), 20, usize::MAX).unwrap() {
            let thin = thinned(&line, distance);
            prop_assert_eq!(thin.first(), thin.last());
            prop_assert!(thin.iter().all(|corner| line.contains(corner)));
            let near = |corner: &[u32; 2]| {
                thin.iter().any(|kept| kept[0].abs_diff(corner[0]).max(kept[1].abs_diff(corner[1])) <= distance)
            };
            prop_assert!(line.iter().all(near));
        }
    }

    /// Whatever was found never makes more than a reader takes.
    #[test]
    fn any_findings_are_drawn_within_bounds(
        pixels in proptest::collection::vec(any::<bool>(), 64),
        points in proptest::collection::vec([0.0..=8.0, 0.0..=8.0], 2..30),
        words in "\\PC{1,80}",
    ) {
        let inputs = inputs();
        let mut findings = vec![
            json!({"type": "polyline", "image": {"instance": FIRST}, "points": points}),
            json!({"type": "point", "image": {"instance": FIRST}, "at": points[0]}),
        ];
        if pixels.contains(&true) {
            findings.push(json!({"type": "mask", "frames": [{"image": {"instance": FIRST}, "runs": runs(&pixels)}]}));
        }
        let code = json!({"scheme": "SCT", "code": "1", "meaning": "m"});
        let finding = |(at, place)| {
            json!({"id": format!("{at}"), "code": code, "place": place, "text": {"ja": words, "en": words}})
        };
        let all: Vec<Value> = findings.into_iter().enumerate().map(finding).collect();
        let answer = json!({"format": "1", "findings": all}).to_string();
        // Some words no finding may have.
        if let Ok(findings) = Findings::read(answer.as_bytes(), &inputs, JOB) {
            for state in states(&findings, &inputs) {
                for annotation in state.items(tags::GRAPHIC_ANNOTATION_SEQUENCE) {
                    for graphic in annotation.items(tags::GRAPHIC_OBJECT_SEQUENCE) {
                        let numbers = reals(graphic, tags::GRAPHIC_DATA);
                        prop_assert!(numbers.iter().all(|number| (0.0..=8.0).contains(number)));
                    }
                    for text in annotation.items(tags::TEXT_OBJECT_SEQUENCE) {
                        let text = text.text(tags::UNFORMATTED_TEXT_VALUE).unwrap();
                        prop_assert!(text.chars().count() <= 1024);
                    }
                }
            }
        }
    }
}
