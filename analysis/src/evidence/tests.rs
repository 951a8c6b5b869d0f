use std::{collections::BTreeSet, io::Cursor};

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Uid,
    attributes::{self, AttributePath, Attributes},
    dataset::{Limits, Seekable},
    file::read_file,
};
use proptest::prelude::*;
use serde_json::json;
use time::macros::datetime;
use uuid::Uuid;

use super::{
    Algorithm, Completion, Context, Legend, Object, Predecessor, Qualification, Reference, RgbPicture, Shown,
    content::decimal, draw, pdf, picture, presentation, report, segmentation,
};
use crate::{
    finding::{CheckedFindings, Findings, ImageName, example_text},
    inputs::Inputs,
};

pub(super) const FIRST: &str = "2.25.100000000000000000000000000000000001";
pub(super) const JOB: Uuid = Uuid::from_u128(7);

/// Two slices of 8 × 8 of a patient with a Japanese name.
pub(super) fn inputs() -> Inputs {
    let mut inputs = Inputs::default();
    for (instance, z) in [(FIRST, "0"), ("2.25.100000000000000000000000000000000002", "1")] {
        let mut image = Attributes::new();
        for (tag, text) in [
            (tags::SPECIFIC_CHARACTER_SET, "ISO_IR 13"),
            (tags::PATIENT_NAME, "Yamada^Hanako=山田^花子=やまだ^はなこ"),
            (tags::PATIENT_ID, "SYN-1"),
            (tags::STUDY_INSTANCE_UID, "2.25.40"),
            (tags::SERIES_INSTANCE_UID, "2.25.41"),
            (tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.2"),
            (tags::SOP_INSTANCE_UID, instance),
            (tags::MODALITY, "CT"),
            (tags::FRAME_OF_REFERENCE_UID, "2.25.300000000000000000000000000000000001"),
            (tags::SLICE_THICKNESS, "1"),
            (tags::INSTANCE_NUMBER, if z == "0" { "7" } else { "" }),
            (tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"),
            (tags::RESCALE_INTERCEPT, "-1024"),
            (tags::RESCALE_SLOPE, "1"),
            (tags::WINDOW_CENTER, "40"),
            (tags::WINDOW_WIDTH, "400"),
        ] {
            image.put_text(tag, text);
        }
        image.put_number(tags::ROWS, 8);
        image.put_number(tags::COLUMNS, 8);
        image.put_texts(tags::PIXEL_SPACING, ["0.5", "0.5"].map(str::to_owned));
        image.put_texts(tags::IMAGE_POSITION_PATIENT, ["0", "0", z].map(str::to_owned));
        image.put_texts(tags::IMAGE_ORIENTATION_PATIENT, ["1", "0", "0", "0", "1", "0"].map(str::to_owned));
        inputs.add(&image);
    }
    inputs
}

pub(super) fn algorithm() -> Algorithm {
    Algorithm {
        name: "Nodule finder".to_owned(),
        version: "2.1.0".to_owned(),
        manufacturer: "例示メディカル".to_owned(),
        service_id: "vendor/nodules".to_owned(),
        ..Algorithm::default()
    }
}

pub(super) fn context<'a>(inputs: &'a Inputs, algorithm: &'a Algorithm) -> Context<'a> {
    Context {
        inputs,
        algorithm,
        job: JOB,
        at: datetime!(2026-11-23 18:30:00 +09:00),
        completion: Completion::Partial,
        qualification: Qualification::Research,
        predecessor: None,
    }
}

pub(super) fn example(inputs: &Inputs) -> CheckedFindings {
    Findings::read(example_text().as_bytes(), inputs, JOB).unwrap()
}

pub(super) fn read_back(object: &Object) -> Attributes {
    let source = Seekable::new(Cursor::new(object.bytes.as_slice())).unwrap();
    let file = read_file(source, &Limits { binary: 1 << 20, ..Limits::default() }).unwrap();
    attributes::read(&file.data_set, &|_: &AttributePath| None)
}

/// The codes of the concept names of every item with this value type, through the whole tree.
fn names(item: &Attributes, kind: &str) -> Vec<String> {
    let mut found: Vec<String> = item.items(tags::CONTENT_SEQUENCE).iter().flat_map(|item| names(item, kind)).collect();
    if item.text(tags::VALUE_TYPE).as_deref() == Some(kind) {
        let name = item.items(tags::CONCEPT_NAME_CODE_SEQUENCE).first();
        found.extend(name.and_then(|name| name.text(tags::CODE_VALUE)));
    }
    found
}

fn grey(width: u32, height: u32) -> RgbPicture {
    RgbPicture::new(width, height, vec![96; (width * height * 3) as usize]).unwrap()
}

#[test]
fn what_is_authored_twice_is_the_same_and_another_job_makes_another() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let findings = example(&inputs);
    let all = |context: &Context<'_>| {
        let mut objects = segmentation::author(context, &findings).unwrap();
        objects.push(report::author(context, &findings, &[]).unwrap());
        let image = &picture::worth_drawing(&findings, 1)[0];
        objects.extend(picture::author(context, &findings, image, grey(64, 64)).unwrap());
        objects.extend(presentation::author(context, &findings).unwrap());
        objects.push(pdf::author(context, &findings, &[report::reference(context)]).unwrap());
        objects
    };
    let once = all(&context(&inputs, &algorithm));
    assert_eq!(once.len(), 5);
    assert_eq!(all(&context(&inputs, &algorithm)), once);
    let other = all(&Context { job: Uuid::from_u128(8), ..context(&inputs, &algorithm) });
    assert!(once.iter().zip(&other).all(|(one, two)| one.reference.instance != two.reference.instance));
    let mut series: Vec<&Uid> = once.iter().map(|object| &object.reference.series).collect();
    series.dedup();
    assert_eq!(series.len(), 5, "each kind has a series of its own");
}

#[test]
fn patient_and_circumstances_are_told_in_utf_8() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let said = read_back(&report::author(&context(&inputs, &algorithm), &example(&inputs), &[]).unwrap());
    for (tag, expected) in [
        (tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192"),
        (tags::PATIENT_NAME, "Yamada^Hanako=山田^花子=やまだ^はなこ"),
        (tags::STUDY_INSTANCE_UID, "2.25.40"),
        (tags::CONTENT_DATE, "20261123"),
        (tags::CONTENT_TIME, "183000"),
        (tags::SERIES_DESCRIPTION, "AI results: Nodule finder"),
        (tags::MANUFACTURER, "例示メディカル"),
        (tags::MANUFACTURER_MODEL_NAME, "Nodule finder"),
        (tags::COMPLETION_FLAG, "PARTIAL"),
        (tags::VERIFICATION_FLAG, "UNVERIFIED"),
        (tags::PRELIMINARY_FLAG, "PRELIMINARY"),
        (tags::CONTENT_QUALIFICATION, "RESEARCH"),
    ] {
        assert_eq!(said.text(tag).as_deref(), Some(expected), "{tag}");
    }
    assert!(said.get(tags::ACCESSION_NUMBER).unwrap().is_empty());
    assert_eq!(said.items(tags::CONTRIBUTING_EQUIPMENT_SEQUENCE).len(), 2);
}

#[test]
fn a_report_says_every_finding_and_names_what_else_was_made() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let findings = example(&inputs);
    let predecessor = Predecessor { study: Uid::known("2.25.40"), reference: of_another_job(&inputs, &algorithm) };
    let context = Context { predecessor: Some(predecessor), ..context(&inputs, &algorithm) };
    let made = segmentation::author(&context, &findings).unwrap();
    let beside = Reference { series: Uid::known("2.25.50"), instance: Uid::known("2.25.51"), class: Uid::known("1.2") };
    let said = read_back(&report::author(&context, &findings, std::slice::from_ref(&beside)).unwrap());
    let groups = names(&said, "CONTAINER").into_iter().filter(|name| name == "125007").count();
    assert_eq!(groups, findings.findings.len());
    assert_eq!(
        names(&said, "NUM"),
        ["111012", "103339001", "111012", "118565006"],
        "the mask comes after what has coordinates"
    );
    assert_eq!(names(&said, "SCOORD"), ["111030", "111030", "111030"]);
    assert_eq!(names(&said, "SCOORD3D"), ["121112", "121112"]);
    let evidence = said.items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE)[0].clone();
    let instances: Vec<String> = evidence
        .items(tags::REFERENCED_SERIES_SEQUENCE)
        .iter()
        .flat_map(|series| series.items(tags::REFERENCED_SOP_SEQUENCE))
        .filter_map(|item| item.text(tags::REFERENCED_SOP_INSTANCE_UID))
        .collect();
    let segmentation = made[0].reference.instance.as_str();
    assert_eq!(instances, [FIRST, "2.25.100000000000000000000000000000000002", segmentation, "2.25.51"]);
    assert_eq!(said.items(tags::PREDECESSOR_DOCUMENTS_SEQUENCE).len(), 1);
}

fn of_another_job(inputs: &Inputs, algorithm: &Algorithm) -> Reference {
    report::reference(&Context { job: Uuid::from_u128(8), ..context(inputs, algorithm) })
}

#[test]
fn a_report_without_findings_says_so() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let none = Findings::read(b"{\"format\": \"1\", \"findings\": []}", &inputs, JOB).unwrap();
    let context = context(&inputs, &algorithm);
    assert_eq!(segmentation::author(&context, &none).unwrap(), []);
    let said = read_back(&report::author(&context, &none, &[]).unwrap());
    assert!(names(&said, "TEXT").contains(&"121071".to_owned()));
}

#[test]
fn a_segment_has_the_tracking_uid_of_its_finding_and_the_pixels_of_its_mask() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let findings = example(&inputs);
    let made = segmentation::author(&context(&inputs, &algorithm), &findings).unwrap();
    let said = read_back(&made[0]);
    let segment = &said.items(tags::SEGMENT_SEQUENCE)[0];
    let tracked = findings.findings[0].tracking_uid.as_ref().map(ToString::to_string);
    assert_eq!(segment.text(tags::TRACKING_UID), tracked);
    assert_eq!(said.text(tags::NUMBER_OF_FRAMES).as_deref(), Some("2"));
    // Runs 10, 2, 6, 2, 44 and 10, 2, 52: pixels 10, 11, 18, 19, and 10, 11 of the second frame.
    let expected = [0, 0b1100, 0b1100, 0, 0, 0, 0, 0, 0, 0b1100, 0, 0, 0, 0, 0, 0];
    assert_eq!(&made[0].bytes[made[0].bytes.len() - 16..], expected);
}

/// Others refer to a group by it, and know it without the report.
#[test]
fn each_measurement_group_has_its_observation_uid() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let findings = example(&inputs);
    let object = report::author(&context(&inputs, &algorithm), &findings, &[]).unwrap();
    assert_eq!(object.reference.instance, report::instance_uid(JOB));
    let said = read_back(&object);
    let measured = said.items(tags::CONTENT_SEQUENCE).iter().find(|item| names(item, "NUM").len() > 1).unwrap().clone();
    let groups: Vec<Option<String>> =
        measured.items(tags::CONTENT_SEQUENCE).iter().map(|group| group.text(tags::OBSERVATION_UID)).collect();
    let expected: Vec<Option<String>> =
        (0..findings.findings.len()).map(|at| Some(report::observation_uid(JOB, at).to_string())).collect();
    let (groups, expected) = (BTreeSet::from_iter(groups), BTreeSet::from_iter(expected));
    assert_eq!(groups, expected);
}

/// Viewers open a report at its first group.
#[test]
fn groups_with_coordinates_come_first_and_else_in_the_order_of_the_findings() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let findings = example(&inputs);
    let said = read_back(&report::author(&context(&inputs, &algorithm), &findings, &[]).unwrap());
    let measured = said.items(tags::CONTENT_SEQUENCE).iter().find(|item| names(item, "NUM").len() > 1).unwrap().clone();
    let groups = measured.items(tags::CONTENT_SEQUENCE).iter();
    let written: Vec<(usize, usize)> =
        groups.clone().map(|group| (names(group, "SCOORD").len(), names(group, "SCOORD3D").len())).collect();
    assert_eq!(written, [(1, 0), (1, 0), (1, 0), (0, 1), (0, 1), (0, 0), (0, 0), (0, 0), (0, 0)]);
    let places: Vec<Option<String>> = groups.map(|group| group.text(tags::OBSERVATION_UID)).collect();
    let expected = [1, 2, 3, 4, 5, 0, 6, 7, 8].map(|at| Some(report::observation_uid(JOB, at).to_string()));
    assert_eq!(places, expected);
}

/// The example's mask, and others over images of the same and of another series; where frames of reference part them, nothing is told.
#[test]
fn segments_are_known_without_the_images() {
    let algorithm = algorithm();
    for (other_frame, is_known) in [("2.25.300000000000000000000000000000000001", true), ("2.25.3009", false)] {
        let inputs = inputs_with_others(other_frame);
        let mask = |id: &str, instance: &str| {
            let frames = json!([{"image": {"instance": instance}, "runs": [10, 2, 52]}]);
            let code = json!({"scheme": "SCT", "code": "1", "meaning": "m"});
            json!({"id": id, "code": code, "place": {"type": "mask", "frames": frames}})
        };
        let masks =
            [mask("a", FIRST), mask("b", "2.25.61"), mask("c", FIRST), mask("d", "2.25.62"), mask("e", "2.25.63")];
        let answer = json!({"format": "1", "findings": masks});
        let findings = Findings::read(answer.to_string().as_bytes(), &inputs, JOB).unwrap();
        let made = segmentation::author(&context(&inputs, &algorithm), &findings).unwrap();
        let images = inputs.images();
        let series = |instance: &Uid| images.get(instance).map(|(series, _)| &series.uid);
        let is_made = |uid: &Uid| made.iter().any(|object| object.reference.instance == *uid);
        let told = segmentation::segments(JOB, &findings, series, is_made);
        assert_eq!(told.len(), if is_known { 5 } else { 0 }, "{other_frame}");
        for (at, (object, number)) in told {
            let object = made.iter().find(|made| made.reference.instance == object).unwrap();
            let said = read_back(object);
            let segment = &said.items(tags::SEGMENT_SEQUENCE)[number - 1];
            assert_eq!(segment.text(tags::SEGMENT_LABEL).as_deref(), Some(findings.findings[at].id.as_str()));
        }
    }
}

/// With a second series of three images, the last of which has this frame of reference.
fn inputs_with_others(frame_of_reference: &str) -> Inputs {
    let mut inputs = inputs();
    for instance in ["2.25.61", "2.25.62", "2.25.63"] {
        let last = if instance == "2.25.63" { frame_of_reference } else { "2.25.300000000000000000000000000000000001" };
        let mut image = Attributes::new();
        for (tag, text) in [
            (tags::STUDY_INSTANCE_UID, "2.25.40"),
            (tags::SERIES_INSTANCE_UID, "2.25.42"),
            (tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.2"),
            (tags::SOP_INSTANCE_UID, instance),
            (tags::MODALITY, "CT"),
            (tags::FRAME_OF_REFERENCE_UID, last),
            (tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"),
        ] {
            image.put_text(tag, text);
        }
        image.put_number(tags::ROWS, 8);
        image.put_number(tags::COLUMNS, 8);
        image.put_texts(tags::PIXEL_SPACING, ["0.5", "0.5"].map(str::to_owned));
        image.put_texts(tags::IMAGE_POSITION_PATIENT, ["0", "0", "0"].map(str::to_owned));
        image.put_texts(tags::IMAGE_ORIENTATION_PATIENT, ["1", "0", "0", "0", "1", "0"].map(str::to_owned));
        inputs.add(&image);
    }
    inputs
}

#[test]
fn findings_are_drawn_at_their_place_and_only_on_their_image() {
    let code = json!({"scheme": "SCT", "code": "1", "meaning": "m"});
    let place = json!({"type": "box", "image": {"instance": FIRST}, "from": [2, 2], "to": [6, 6]});
    let answer = json!({"format": "1", "findings": [{"id": "a", "code": code, "place": place}]});
    let findings = Findings::read(answer.to_string().as_bytes(), &inputs(), JOB).unwrap();
    let legend = Legend { service: "s".to_owned() };
    let drawn = |instance: &'static str| {
        let image = ImageName { instance: Uid::known(instance), frame: None };
        let mut picture = grey(400, 400);
        let shown = Shown { image: &image, rows: 8, columns: 8 };
        draw(&mut picture, &shown, &findings.findings, &findings.heat_maps, &legend);
        picture
    };
    let pixel = |picture: &RgbPicture, x: usize, y: usize| picture.bytes()[(y * 400 + x) * 3..][..3].to_vec();
    let (with, without) = (drawn(FIRST), drawn("2.25.9"));
    assert_eq!(pixel(&with, 100, 200), [255, 176, 0], "the left side of the box, in the first colour");
    assert_eq!(pixel(&with, 200, 200), [96, 96, 96], "within the box the image is seen");
    assert_eq!(pixel(&without, 100, 200), [96, 96, 96]);
    let warned = |picture: &RgbPicture| (0..200).any(|x| pixel(picture, x, 370) == [255, 255, 0]);
    assert!(warned(&with) && warned(&without));
}

#[test]
fn long_lines_are_drawn_on_large_pictures() {
    let code = json!({"scheme": "SCT", "code": "1", "meaning": "m"});
    let place = json!({"type": "box", "image": {"instance": FIRST}, "from": [1, 1], "to": [7, 7]});
    let answer = json!({"format": "1", "findings": [{"id": "a", "code": code, "place": place}]});
    let findings = Findings::read(answer.to_string().as_bytes(), &inputs(), JOB).unwrap();
    let image = ImageName { instance: Uid::known(FIRST), frame: None };
    let shown = Shown { image: &image, rows: 8, columns: 8 };
    for (width, height) in [(640, 640), (4_000, 2_000), (16_384, 200)] {
        let mut picture = grey(width, height);
        let legend = Legend { service: "s".to_owned() };
        draw(&mut picture, &shown, &findings.findings, &findings.heat_maps, &legend);
        let at = ((height / 4 * width + width / 8) * 3) as usize;
        assert_eq!(picture.bytes()[at..at + 3], [255, 176, 0], "the left side on {width} × {height}");
    }
}

#[test]
fn a_picture_has_three_bytes_for_each_pixel() {
    for (width, height, bytes) in [(0, 0, 0), (2, 2, 11), (2, 2, 13), (16_385, 1, 49_155)] {
        assert!(RgbPicture::new(width, height, vec![0; bytes]).is_err(), "{width} × {height}");
    }
}

proptest! {
    /// A decimal string has 16 characters at most and means nearly what it was made of.
    #[test]
    fn decimals_fit(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
        let text = decimal(number);
        prop_assert!(text.len() <= 16, "{text}");
        let read: f64 = text.parse().unwrap();
        prop_assert!((read - number).abs() <= number.abs() * 1e-8, "{number} {text}");
    }

    /// Whatever is found is drawn without a panic on pictures of any size.
    #[test]
    fn any_picture_is_drawn(width in 1_u32..64, height in 1_u32..64) {
        let inputs = inputs();
        let findings = example(&inputs);
        for image in picture::worth_drawing(&findings, 10) {
            let shown = Shown { image: &image, rows: 8, columns: 8 };
            let legend = Legend { service: "名前".to_owned() };
            draw(&mut grey(width, height), &shown, &findings.findings, &findings.heat_maps, &legend);
        }
    }
}
