//! Whole resources as they leave, and what must never be said.

use medvan_authoring::Written;
use serde_json::{Value, json};
use time::macros::{date, datetime};

use super::*;
use crate::evidence;

const JOB: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
const FORMER: Uuid = Uuid::from_u128(0x0191_0000_0000_7000_8000_0000_0000_0001);

fn findings() -> Findings {
    read(&findings_json())
}

fn read(findings: &Value) -> Findings {
    serde_json::from_value(findings.clone()).unwrap()
}

fn findings_json() -> Value {
    let code = |scheme: &str, code: &str, meaning: &str| json!({"scheme": scheme, "code": code, "meaning": meaning});
    json!({
        "format": "1",
        "summary": {"ja": "右上葉に結節1個", "en": "One nodule in the right upper lobe"},
        "limitations": [{"ja": "体動あり", "en": "Motion"}],
        "findings": [
            {
                "id": "nodule-1",
                "trackingUid": "1.2.3.4",
                "code": code("SCT", "27925004", "Nodule"),
                "site": code("SCT", "45653009", "Upper lobe of lung"),
                "laterality": code("SCT", "24028007", "Right"),
                "confidence": 0.873,
                "evaluations": [{"question": code("99ASAGAO", "risk", "Risk"), "answer": {"code": code("SCT", "723509005", "High risk")}}],
                "measurements": [{"code": code("SCT", "103339001", "Long axis"), "value": 8.25, "unit": "mm"}],
                "place": {"type": "box", "image": {"instance": "1.2.5"}, "from": [10.0, 20.0], "to": [18.5, 30.0]},
                "text": {"ja": "結節", "en": "A nodule"},
            },
            {"id": "pneumothorax", "code": code("SCT", "36118008", "Pneumothorax"), "presence": "absent"},
        ],
    })
}

/// Gives what is told of the findings to a test.
fn telling<T>(findings: &Findings, look: impl FnOnce(Told<'_>) -> T) -> T {
    let evidence = [
        made("1.7", Uid::known("1.7.1"), evidence::REPORT, "https://gw.example/sr"),
        made("1.8", Uid::known("1.7.2"), evidence::SEGMENTATION, "https://gw.example/seg"),
    ];
    telling_in(Release::R4, findings, &evidence, look)
}

/// The same in R5, with what the gateway makes of a job.
fn telling_r5<T>(findings: &Findings, look: impl FnOnce(Told<'_>) -> T) -> T {
    let report = evidence::report::instance_uid(JOB);
    let segmentation = Uid::from_uuid(Uuid::new_v5(&JOB, b"instance 1.2.840.10008.5.1.4.1.1.66.4 0").as_u128());
    let evidence = [
        made("1.7", report, evidence::REPORT, "https://gw.example/sr"),
        made("1.8", segmentation, evidence::SEGMENTATION, "https://gw.example/seg"),
    ];
    telling_in(Release::R5, findings, &evidence, look)
}

fn made(series: &'static str, instance: Uid, class: &'static str, url: &str) -> (Reference, String) {
    (Reference { series: Uid::known(series), instance, class: Uid::known(class) }, url.to_owned())
}

fn telling_in<T>(
    release: Release,
    findings: &Findings,
    evidence: &[(Reference, String)],
    look: impl FnOnce(Told<'_>) -> T,
) -> T {
    let instances: Vec<Uid> = (1..=24).map(|number| Uid::parse(&format!("1.2.1.{number}")).unwrap()).collect();
    let ct = Image { class: Uid::known("1.2.840.10008.5.1.4.1.1.2"), is_multi_frame: false };
    look(Told {
        release,
        job: JOB,
        at: datetime!(2026-11-23 9:00 UTC),
        is_superseded: false,
        supersedes: &[FORMER],
        patient_id: "K-000123",
        study: &Uid::known("1.2"),
        study_date: Some(date!(2026 - 11 - 01)),
        service: "asagao.nodules",
        version: "1.0.0",
        findings,
        inputs: &[(Uid::known("1.2.1"), instances)],
        images: &HashMap::from([(Uid::known("1.2.1.5"), ct)]),
        evidence,
    })
}

fn json_of(written: &Written) -> Value {
    serde_json::from_str(written.get()).unwrap()
}

#[test]
fn a_finding_is_an_observation() {
    let observations: Vec<Value> =
        telling(&findings(), |told| told.observations().map(|one| json_of(&one.written())).collect());
    insta::assert_json_snapshot!(observations);
}

#[test]
fn findings_are_a_report() {
    insta::assert_json_snapshot!(telling(&findings(), |told| json_of(&told.report().written(Release::R4))));
}

#[test]
fn a_report_has_a_provenance() {
    insta::assert_json_snapshot!(telling(&findings(), |told| json_of(&told.provenance().written())));
}

#[test]
fn a_service_is_a_device() {
    let text = medvan_profiles::descriptor::image_example_text();
    let descriptor: Descriptor = serde_json::from_str(text).unwrap();
    insta::assert_json_snapshot!(json_of(&device("asagao.nodules", "1.0.0", Some(&descriptor)).written(Release::R4)));
}

/// Whoever reads only the value must not take what is absent for present.
#[test]
fn what_is_absent_is_never_a_value() {
    let absent = telling(&findings(), |told| json_of(&told.observation(1).unwrap().written()));
    assert_eq!(absent["code"]["coding"][0]["code"], "36118008");
    assert_eq!(absent["valueCodeableConcept"]["coding"][0]["code"], "2667000");
}

/// obs-7: no value where a component has the code of the whole.
#[test]
fn presence_becomes_a_component_where_a_component_asks_the_same() {
    let mut findings = findings();
    let finding = &mut findings.findings[0];
    finding.measurements[0].code = finding.code.clone();
    let written = telling(&findings, |told| json_of(&told.observation(0).unwrap().written()));
    assert_eq!(written.get("valueCodeableConcept"), None);
    assert_eq!(written["component"][0]["code"]["coding"][0]["code"], "705057003");
    assert_eq!(written["component"][0]["valueCodeableConcept"]["coding"][0]["code"], "52101004");
}

#[test]
fn nobody_is_named_as_a_performer() {
    let report = telling(&findings(), |told| json_of(&told.report().written(Release::R4)));
    assert_eq!((report.get("performer"), report.get("resultsInterpreter")), (None, None));
}

#[test]
fn a_device_has_the_same_id_always_and_another_in_another_version() {
    let id = device_id("asagao.nodules", "1.0.0");
    assert_eq!(id, device_id("asagao.nodules", "1.0.0"));
    assert_ne!(id, device_id("asagao.nodules", "1.0.1"));
}

/// The findings with a place of each kind, in the images of [`telling_in`].
fn placed() -> Value {
    let code = |code: &str| json!({"scheme": "SCT", "code": code, "meaning": "Nodule"});
    let places = [
        json!({"type": "image", "image": {"instance": "1.2.1.5", "frame": 1}}),
        json!({"type": "point", "image": {"instance": "1.2.1.6", "frame": 3}, "at": [1.5, 2.0]}),
        json!({"type": "polyline", "image": {"instance": "1.2.1.5"}, "points": [[0.0, 0.5], [1.0, 1.5], [2.0, 0.0]]}),
        json!({"type": "patient-point", "frameOfReference": "1.2.3", "at": [-1.5, 0.0, 30.25]}),
        json!({"type": "patient-polyline", "frameOfReference": "1.2.3", "points": [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]}),
        json!({"type": "mask", "frames": [
            {"image": {"instance": "1.2.1.7", "frame": 1}, "runs": [1, 3]},
            {"image": {"instance": "1.2.1.7", "frame": 4}, "runs": [0, 4]},
            {"image": {"instance": "1.2.1.8", "frame": 2}, "runs": [0, 4]},
        ]}),
        json!({"type": "heat-map", "heatMap": "map"}),
    ];
    let mut findings = findings_json();
    let list = findings["findings"].as_array_mut().unwrap();
    for (at, place) in places.into_iter().enumerate() {
        list.push(json!({"id": format!("placed-{at}"), "code": code("27925004"), "place": place}));
    }
    list[0]["place"]["image"]["instance"] = json!("1.2.1.5");
    findings["heatMaps"] = json!([{
        "id": "map", "code": code("1"), "range": [0.0, 1.0], "unit": "1",
        "frames": [{"image": {"instance": "1.2.1.9"}, "runs": [0, 4]}, {"image": {"instance": "1.2.1.10"}, "runs": [9, 4]}],
    }]);
    findings
}

/// All imaging selections of R5, by id.
fn selections(told: Told<'_>) -> Vec<Value> {
    let selector = told.selector().unwrap();
    selector.parts().map(|(place, part)| json_of(&selector.selection(place, part).unwrap().written())).collect()
}

#[test]
fn every_place_is_an_imaging_selection() {
    insta::assert_json_snapshot!(telling_r5(&read(&placed()), selections));
}

#[test]
fn a_finding_is_an_observation_of_r5_that_is_derived_from_its_selections() {
    let observations: Vec<Value> =
        telling_r5(&findings(), |told| told.observations().map(|one| json_of(&one.written())).collect());
    insta::assert_json_snapshot!(observations);
}

#[test]
fn findings_are_a_report_of_r5() {
    insta::assert_json_snapshot!(telling_r5(&findings(), |told| json_of(&told.report().written(Release::R5))));
}

#[test]
fn a_report_has_a_provenance_in_r5() {
    insta::assert_json_snapshot!(telling_r5(&findings(), |told| json_of(&told.provenance().written())));
}

#[test]
fn a_service_is_a_device_of_r5() {
    let text = medvan_profiles::descriptor::image_example_text();
    let descriptor: Descriptor = serde_json::from_str(text).unwrap();
    insta::assert_json_snapshot!(json_of(&device("asagao.nodules", "1.0.0", Some(&descriptor)).written(Release::R5)));
}

/// Every reference to a selection is to one that is there, and each is found again by its id.
#[test]
fn what_refers_to_a_selection_refers_to_one_that_is_there() {
    telling_r5(&read(&placed()), |told| {
        let all = selections(told);
        let ids: Vec<&str> = all.iter().map(|selection| selection["id"].as_str().unwrap()).collect();
        let observations: Vec<Value> = told.observations().map(|one| json_of(&one.written())).collect();
        let derived = observations.iter().flat_map(|observation| observation["derivedFrom"].as_array().unwrap());
        let focused = all.iter().filter_map(|selection| selection["focus"].as_array()).flatten();
        let referred: Vec<&str> = derived
            .chain(focused)
            .filter_map(|link| link["reference"].as_str().unwrap().strip_prefix("ImagingSelection/"))
            .collect();
        assert_eq!(
            ids.iter().filter(|id| !referred.contains(id)).count(),
            0,
            "each is what an observation is derived from"
        );
        assert_eq!(referred.iter().filter(|id| !ids.contains(id)).count(), 0);
    });
}

/// What a service made itself is not known by heart: there only the place is told.
#[test]
fn segments_and_content_items_are_told_only_of_what_the_gateway_made() {
    let foreign = [
        made("1.7", Uid::known("1.7.1"), evidence::REPORT, "sr"),
        made("1.8", Uid::known("1.7.2"), evidence::SEGMENTATION, "seg"),
    ];
    let told = telling_in(Release::R5, &read(&placed()), &foreign, selections);
    assert!(told.iter().all(|selection| selection["id"].as_str().unwrap().ends_with(".place")), "{told:?}");
    let spatial = told.iter().find(|selection| selection.get("frameOfReferenceUid").is_some()).unwrap();
    assert_eq!(spatial["instance"][0]["uid"], "1.7.1", "the region in space is in the service's own report");
}

#[test]
fn what_was_replaced_withdraws_its_selections() {
    let withdrawn = telling_r5(&read(&placed()), |told| selections(Told { is_superseded: true, ..told }));
    assert!(withdrawn.iter().all(|selection| selection["status"] == "entered-in-error"));
}

#[test]
fn r4_has_no_imaging_selection() {
    assert!(telling(&findings(), |told| told.selector().is_none()));
}
