//! Descriptors of services that work on images.

use serde_json::{Value, json};

use super::super::{
    Descriptor, dicom_example_text, image_example_text,
    images::{Range, ResultModality},
};

/// The places of the faults after the example was changed at one place.
fn faults(place: &str, value: Value) -> Vec<(String, String)> {
    let mut descriptor: Value = serde_json::from_str(image_example_text()).unwrap();
    let (around, name) = place.rsplit_once('/').unwrap();
    descriptor.pointer_mut(around).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    let faults = Descriptor::check(&descriptor).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.place, fault.reason)).collect()
}

#[test]
fn the_example_passes_and_comes_back_as_it_was() {
    let value: Value = serde_json::from_str(image_example_text()).unwrap();
    let descriptor = Descriptor::check(&value).unwrap();
    let rules = &descriptor.images[0].needs.series[0].rules;
    assert_eq!(rules.spacing_mm, Some(Range { min: None, max: Some(2.5) }));
    assert_eq!(serde_json::to_value(&descriptor.images[0]).unwrap()["needs"]["series"][0]["rules"]["gaps"], false);
    assert!(descriptor.hooks.is_empty());
}

#[test]
fn what_no_study_can_meet_is_refused_when_it_is_registered() {
    let needs = "/images/0/needs";
    let table = [
        ("/images", json!([]), "/hooks"),
        ("/transport/kind", json!("ftp"), "/transport/kind"),
        (&format!("{needs}/series"), json!([]), "/images/0/needs/series"),
        (&format!("{needs}/ageYears"), json!({ "min": 80, "max": 18 }), "/images/0/needs/ageYears"),
        (&format!("{needs}/sex"), json!(["X"]), "/images/0/needs/sex/0"),
        (
            &format!("{needs}/series/0/rules"),
            json!({ "spacingMm": { "min": 3, "max": 1 } }),
            "/images/0/needs/series/0/rules/spacingMm",
        ),
        (
            &format!("{needs}/series/0/rules"),
            json!({ "orientation": ["diagonal"] }),
            "/images/0/needs/series/0/rules/orientation/0",
        ),
        (&format!("{needs}/series/0/rules"), json!({ "modalty": ["CT"] }), "/images/0/needs/series/0/rules/modalty"),
        ("/images/0/way/path", json!("analyze"), "/images/0/way/path"),
        ("/images/0/way/kind", json!("carrier-pigeon"), "/images/0/way/kind"),
        ("/images/0/limits", json!({ "attempts": 0 }), "/images/0/limits/attempts"),
    ];
    for (place, value, expected) in table {
        let found = faults(place, value);
        assert_eq!(found.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), [expected], "{place}");
    }
}

#[test]
fn hooks_are_talked_to_by_cds_hooks() {
    let hook = json!([{ "id": "a", "hook": "patient-view", "description": "x" }]);
    assert_eq!(faults("/hooks", hook)[0].0, "/transport/kind");
}

#[test]
fn two_kinds_of_work_have_two_names() {
    let value: Value = serde_json::from_str(image_example_text()).unwrap();
    let twice = json!([value["images"][0], value["images"][0]]);
    assert_eq!(faults("/images", twice)[0].0, "/images/1/id");
    let need = &value["images"][0]["needs"]["series"][0];
    assert_eq!(faults("/images/0/needs/series", json!([need, need]))[0].0, "/images/0/needs/series/1/name");
}

#[test]
fn results_that_are_dicom_objects_come_in_ways_that_are_said() {
    let dicomweb = |path: &str, results: &str, expects: Value| json!({ "kind": "dicomweb", "path": path, "results": results, "expects": expects });
    let table = [
        (dicomweb("/dicom-web", "fetch", json!(["SR"])), &[][..]),
        (dicomweb("", "store", json!(["SEG", "SR"])), &[]),
        (dicomweb("/jobs/{job}/dicom-web", "fetch", json!(["SR"])), &[]),
        (json!({ "kind": "worklist", "expects": ["SR"] }), &[]),
        (dicomweb("/jobs/{study}", "fetch", json!(["SR"])), &["/images/0/way/path"]),
        (dicomweb("/x{job}", "fetch", json!(["SR"])), &["/images/0/way/path"]),
        (dicomweb("/a", "carry", json!(["SR"])), &["/images/0/way/results"]),
        (dicomweb("/a", "fetch", json!([])), &["/images/0/way/expects"]),
        (dicomweb("/a", "fetch", json!(["CT"])), &["/images/0/way/expects/0"]),
        (json!({ "kind": "dimse", "aeTitle": "A", "host": "::1", "port": 104, "expects": ["SR"] }), &[]),
        (
            json!({ "kind": "dimse", "aeTitle": "A B", "host": "a/b", "port": 0, "expects": ["SR"] }),
            &["/images/0/way/aeTitle", "/images/0/way/host", "/images/0/way/port"],
        ),
        (json!({ "kind": "worklist" }), &["/images/0/way/expects"]),
        (json!({ "kind": "worklist", "expects": ["SR"], "path": "/a" }), &["/images/0/way/path"]),
    ];
    for (way, expected) in table {
        let found = faults("/images/0/way", way.clone());
        assert_eq!(found.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), expected, "{way}");
    }
}

#[test]
fn the_example_of_dicom_results_passes_and_comes_back_as_it_was() {
    let value: Value = serde_json::from_str(dicom_example_text()).unwrap();
    let descriptor = Descriptor::check(&value).unwrap();
    for (at, entry) in descriptor.images.iter().enumerate() {
        assert_eq!(serde_json::to_value(&entry.way).unwrap(), value["images"][at]["way"]);
    }
}

#[test]
fn what_is_a_result_its_class_says() {
    for (class, modality) in [
        ("1.2.840.10008.5.1.4.1.1.88.34", Some("SR")),
        ("1.2.840.10008.5.1.4.1.1.66.4", Some("SEG")),
        ("1.2.840.10008.5.1.4.1.1.7", Some("OT")),
        ("1.2.840.10008.5.1.4.1.1.2", None),
        ("1.2.3", None),
    ] {
        assert_eq!(ResultModality::of_class(class).map(ResultModality::word), modality, "{class}");
    }
}
