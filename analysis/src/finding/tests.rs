use medvan_imaging::Uid;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ANSWER_BYTES, CheckedFindings, Findings, Place, Refused, example_text, schema_text};
use crate::inputs::{InputImage, InputSeries, Inputs, Plane};

const FIRST: &str = "2.25.100000000000000000000000000000000001";
const SECOND: &str = "2.25.100000000000000000000000000000000002";
const SPACE: &str = "2.25.300000000000000000000000000000000001";
const JOB: Uuid = Uuid::from_u128(7);

/// Two slices of 8 × 8, a film of another size, and a loop of three frames.
fn inputs() -> Inputs {
    let ct = Uid::known("1.2.840.10008.5.1.4.1.1.2");
    let image = |instance: &'static str, columns: u32, frames: u32, z: Option<f64>| InputImage {
        instance: Uid::known(instance),
        class: ct.clone(),
        number: None,
        rows: 8,
        columns,
        frames,
        plane: z.map(|z| Plane {
            frame_of_reference: Uid::known(SPACE),
            position: [0.0, 0.0, z],
            orientation: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            spacing: [0.5, 0.5],
            thickness: Some(1.0),
        }),
        grey: None,
    };
    let series = |uid: &'static str, images| InputSeries { uid: Uid::known(uid), modality: "CT".to_owned(), images };
    Inputs {
        study: medvan_imaging::attributes::Attributes::new(),
        series: vec![
            series("2.25.41", vec![image(FIRST, 8, 1, Some(0.0)), image(SECOND, 8, 1, Some(1.0))]),
            series("2.25.42", vec![image("2.25.11", 9, 1, None), image("2.25.12", 8, 3, None)]),
        ],
    }
}

fn read(answer: &Value) -> Result<CheckedFindings, Vec<Refused>> {
    Findings::read(answer.to_string().as_bytes(), &inputs(), JOB)
}

fn finding(place: &Value) -> Value {
    let code = json!({"scheme": "SCT", "code": "427359005", "meaning": "Solitary nodule of lung"});
    json!({"format": "1", "findings": [{"id": "a", "code": code, "place": place}]})
}

/// The example with one of its values replaced.
fn example_with(pointer: &str, value: Value) -> Value {
    let mut example: Value = serde_json::from_str(example_text()).unwrap();
    *example.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    example
}

#[test]
fn schema_and_reader_take_the_example() {
    let schema: Value = serde_json::from_str(schema_text()).unwrap();
    let example: Value = serde_json::from_str(example_text()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
    assert_eq!(faults, Vec::<String>::new());
    let findings = read(&example).unwrap();
    assert_eq!(findings.findings.len(), 9);
    assert!(findings.findings.iter().all(|finding| finding.tracking_uid.is_some()));
}

#[test]
fn what_is_stored_is_read_back_as_it_was() {
    let findings = read(&serde_json::from_str(example_text()).unwrap()).unwrap();
    let text = serde_json::to_string(&findings).unwrap();
    assert_eq!(CheckedFindings::stored(&text).unwrap(), findings);
}

#[test]
fn a_tracking_uid_is_minted_once_and_kept_where_it_is_given() {
    let example = serde_json::from_str(example_text()).unwrap();
    let minted = |job| {
        let findings = Findings::read(Value::to_string(&example).as_bytes(), &inputs(), job).unwrap();
        findings.findings.iter().map(|finding| finding.tracking_uid.clone().unwrap()).collect::<Vec<_>>()
    };
    let (once, again, other) = (minted(JOB), minted(JOB), minted(Uuid::from_u128(8)));
    assert_eq!(once, again);
    assert_eq!(once[0].as_str(), "2.25.200000000000000000000000000000000001");
    assert_eq!(once[0], other[0]);
    assert!(once[1..].iter().zip(&other[1..]).all(|(one, two)| one != two && one.as_str().starts_with("2.25.")));
}

#[test]
fn every_wrong_value_is_refused_where_it_is() {
    let markup = json!({"ja": "結節<script>alert(1)</script>", "en": "nodule"});
    let mask = "/findings/0/place/frames/0";
    for (pointer, value, place, reason) in [
        ("/format", json!("2"), "/format", "the format is another one"),
        ("/findings/0/id", json!("box-1"), "/findings/1/id", "another finding has the same id"),
        ("/findings/0/id", json!("a\\b"), "/findings/0/id", "it has a backslash, which separates values in DICOM"),
        ("/findings/0/id", json!("x".repeat(65)), "/findings/0/id", "it is too long"),
        ("/findings/0/trackingUid", json!("1.02.3"), "/findings/0/trackingUid", "it is no UID that may be written"),
        ("/findings/0/trackingUid", json!("../x"), "/findings/0/trackingUid", "it is no UID"),
        ("/findings/0/code/scheme", json!("ICD10"), "/findings/0/code/scheme", "the coding scheme is not taken"),
        ("/findings/0/code/scheme", json!("99"), "/findings/0/code/scheme", "the coding scheme is not taken"),
        ("/findings/0/code/code", json!("a b"), "/findings/0/code/code", "it is no code value"),
        ("/findings/0/code/meaning", json!(" "), "/findings/0/code/meaning", "it is empty"),
        ("/findings/0/confidence", json!(93), "/findings/0/confidence", "it is outside of 0 to 1"),
        ("/findings/0/confidence", json!("high"), "/findings/0/confidence", "it is of another kind"),
        ("/findings/3/presence", json!("maybe"), "/findings/3/presence", "it is none of the allowed values"),
        ("/findings/0/measurements/0/unit", json!("mm\u{b3}"), "/findings/0/measurements/0/unit", "it is no UCUM unit"),
        ("/findings/0/text", markup, "/findings/0/text/ja", "it has markup"),
        ("/findings/0/text/en", json!("\u{202e}dab"), "/findings/0/text/en", "it has control characters"),
        ("/findings/0/site", Value::Null, "/findings/0/laterality", "there is a side but no site"),
        (
            &format!("{mask}/image/instance"),
            json!("1.2.3"),
            &format!("{mask}/image/instance"),
            "it is none of this job's images",
        ),
        (
            &format!("{mask}/image/instance"),
            json!(SECOND),
            "/findings/0/place/frames/1/image",
            "the image is named twice",
        ),
        (&format!("{mask}/runs"), json!([10, 2, 6]), &format!("{mask}/runs"), "it has another size than the image"),
        (&format!("{mask}/runs"), json!([64]), &format!("{mask}/runs"), "no pixel is inside"),
        (&format!("{mask}/runs"), json!([10, 0, 54]), &format!("{mask}/runs"), "a run has no pixels"),
        (&format!("{mask}/runs"), json!([-1, 65]), &format!("{mask}/runs/0"), "it is of another kind"),
        (
            &format!("{mask}/runs"),
            json!([4294967295_u64, 4294967295_u64]),
            &format!("{mask}/runs"),
            "it has another size than the image",
        ),
        ("/findings/1/place/to", json!([8.5, 3]), "/findings/1/place/to", "it is outside of the image"),
        ("/findings/1/place/from", json!([-0.1, 1]), "/findings/1/place/to", "it is outside of the image"),
        ("/findings/1/place/to", json!([1.5, 3]), "/findings/1/place/to", "the rectangle has no area"),
        ("/findings/1/place/type", json!("circle"), "/findings/1/place/type", "it is none of the allowed values"),
        ("/findings/1/place/type", json!("mask"), "/findings/1/place", "it has other members than its type has"),
        ("/findings/2/place/image/frame", json!(2), "/findings/2/place/image/frame", "the image has no such frame"),
        ("/findings/2/place/image/frame", json!(0), "/findings/2/place/image/frame", "the image has no such frame"),
        ("/findings/2/place/points", json!([[1, 1]]), "/findings/2/place/points", "a line has at least two points"),
        ("/findings/2/place/points/1", json!([1]), "/findings/2/place/points/1", "it has too many or too few items"),
        (
            "/findings/4/place/frameOfReference",
            json!("1.2"),
            "/findings/4/place/frameOfReference",
            "no image of this job has it",
        ),
        ("/findings/4/place/at", json!([0, 0, 1e6]), "/findings/4/place", "it is outside of any scanner"),
        ("/findings/4/place/at", json!([0, 0]), "/findings/4/place", "it has other members than its type has"),
        ("/findings/6/place/heatMap", json!("b"), "/findings/6/place/heatMap", "there is no such heat map"),
        ("/heatMaps/0/range", json!([1, 1]), "/heatMaps/0/range", "the range does not rise"),
        ("/heatMaps/0/frames/0/runs", json!([256, 64]), "/heatMaps/0/frames/0/runs", "a number is above 255"),
        ("/heatMaps/0/frames/0/runs", json!([1, 64, 2]), "/heatMaps/0/frames/0/runs", "a number has no length"),
    ] {
        let refused = read(&example_with(pointer, value.clone())).unwrap_err();
        let told = refused.iter().any(|refused| refused.place == place && refused.reason == reason);
        assert!(told, "{pointer} = {value}: {refused:?}");
    }
}

#[test]
fn a_place_needs_its_frame_and_stays_in_one_series() {
    let loop_of_three = json!({"instance": "2.25.12"});
    let at = |image: &Value| finding(&json!({"type": "point", "image": image, "at": [1, 1]}));
    assert_eq!(read(&at(&loop_of_three)).unwrap_err()[0].reason, "the image has several frames");
    assert!(read(&at(&json!({"instance": "2.25.12", "frame": 3}))).is_ok());
    assert!(read(&finding(&json!({"type": "image", "image": loop_of_three}))).is_ok());
    let two =
        json!([{"image": {"instance": FIRST}, "runs": [0, 64]}, {"image": {"instance": "2.25.11"}, "runs": [0, 72]}]);
    let refused = read(&finding(&json!({"type": "mask", "frames": two}))).unwrap_err();
    assert_eq!(refused[0].place, "/findings/0/place/frames/1/image");
}

#[test]
fn what_is_no_such_json_is_refused_without_repeating_it() {
    let deep = format!("{{\"format\":\"1\",\"findings\":{}", "[".repeat(100_000));
    let long = " ".repeat(ANSWER_BYTES + 1);
    let many = format!("{{\"format\":\"1\",\"findings\":[{}0]}}", "0,".repeat(20_000));
    let twice = "{\"format\":\"1\",\"format\":\"1\",\"findings\":[]}";
    for (bytes, reason) in [
        ("{\"format\":\"1\",\"findings\":[{\"id\":\"a\",\"confidence\":NaN}]}", "it cannot be read as JSON"),
        ("{\"format\":\"1\",\"findings\":[{\"id\":\"a\",\"confidence\":Infinity}]}", "it cannot be read as JSON"),
        ("{\"format\":\"1\",\"findings\":[{\"id\":\"a\",\"confidence\":1e999}]}", "it cannot be read as JSON"),
        ("{\"format\":\"1\",\"findings\":[], \"Yamada, expected x\":1}", "a member is unknown"),
        ("<html>Yamada</html>", "it cannot be read as JSON"),
        ("{\"format\":\"1\"}", "a member is missing"),
        ("{\"format\":\"1\",\"findings\":[", "the answer ends too early"),
        ("{\"format\":\"1\",\"findings\":[]}{}", "something follows the answer"),
        ("\"Yamada\"", "it is of another kind"),
        ("", "the answer ends too early"),
        (twice, "a member is there twice"),
        (&deep, "it is of another kind"),
        (&many, "it is of another kind"),
        (&long, "the answer is too long"),
    ] {
        let refused = Findings::read(bytes.as_bytes(), &inputs(), JOB).unwrap_err();
        assert_eq!(refused.len(), 1);
        assert!(refused[0].reason.starts_with(reason), "{:?} {refused:?}", &bytes[..bytes.len().min(60)]);
        assert!(!format!("{refused:?}").contains("Yamada"), "{refused:?}");
    }
    assert!(Findings::read(b"\xff\xfe", &inputs(), JOB).is_err());
}

#[test]
fn lists_stop_being_read_at_their_end() {
    let code = json!({"scheme": "SCT", "code": "1", "meaning": "m"});
    let many: Vec<Value> = (0..10_001).map(|id| json!({"id": id.to_string(), "code": code})).collect();
    let refused = read(&json!({"format": "1", "findings": many})).unwrap_err();
    assert_eq!(
        (refused[0].place.as_str(), refused[0].reason.as_str()),
        ("/findings", "it has too many or too few items")
    );
    assert_eq!(refused[0].mend, "write a list of at most 10000");
    let line =
        |points: usize| json!({"type": "polyline", "image": {"instance": FIRST}, "points": vec![[1, 1]; points]});
    let two =
        json!([{"id": "a", "code": code, "place": line(60_000)}, {"id": "b", "code": code, "place": line(60_000)}]);
    assert_eq!(read(&json!({"format": "1", "findings": two})).unwrap_err()[0].place, "/findings");
}

#[test]
fn at_most_a_hundred_faults_are_told() {
    let code = json!({"scheme": "", "code": "", "meaning": ""});
    let many: Vec<Value> = (0..5000).map(|id| json!({"id": id.to_string(), "code": code})).collect();
    assert_eq!(read(&json!({"format": "1", "findings": many})).unwrap_err().len(), 100);
}

proptest! {
    /// Whatever is inside a mask comes out of its runs again.
    #[test]
    fn runs_name_the_pixels_inside(pixels in proptest::collection::vec(any::<bool>(), 64)) {
        prop_assume!(pixels.contains(&true));
        let mut runs = vec![0_u32];
        let mut inside = false;
        for pixel in &pixels {
            if *pixel != inside {
                runs.push(0);
                inside = *pixel;
            }
            *runs.last_mut().unwrap() += 1;
        }
        let frames = json!([{"image": {"instance": FIRST}, "runs": runs}]);
        let findings = read(&finding(&json!({"type": "mask", "frames": frames}))).unwrap();
        let Some(Place::Mask { frames }) = &findings.findings[0].place else { panic!() };
        let mut drawn = vec![false; 64];
        frames[0].inside().for_each(|(at, length)| drawn[at..at + length].fill(true));
        prop_assert_eq!(drawn, pixels);
    }

    /// No bytes make the reader panic.
    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\":,a-z0-9.-]{0,64}") {
        let _ = Findings::read(text.as_bytes(), &inputs(), JOB);
    }
}
