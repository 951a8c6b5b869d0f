//! Whole resources as they leave, and what must never be said.

use medvan_authoring::Written;
use serde_json::{Value, json};
use time::macros::{date, datetime};

use super::*;

const JOB: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
const FORMER: Uuid = Uuid::from_u128(0x0191_0000_0000_7000_8000_0000_0000_0001);

fn findings() -> Findings {
    let code = |scheme: &str, code: &str, meaning: &str| json!({"scheme": scheme, "code": code, "meaning": meaning});
    serde_json::from_value(json!({
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
    }))
    .unwrap()
}

/// Gives what is told of the findings to a test.
fn telling<T>(findings: &Findings, look: impl FnOnce(Told<'_>) -> T) -> T {
    let evidence = [
        (Uid::known("1.2.840.10008.5.1.4.1.1.88.34"), Uid::known("1.7.1"), "https://gw.example/sr".to_owned()),
        (Uid::known("1.2.840.10008.5.1.4.1.1.66.4"), Uid::known("1.7.2"), "https://gw.example/seg".to_owned()),
    ];
    look(Told {
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
        inputs: &[(Uid::known("1.2.1"), 24)],
        evidence: &evidence,
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
    insta::assert_json_snapshot!(telling(&findings(), |told| json_of(&told.report().written())));
}

#[test]
fn a_report_has_a_provenance() {
    insta::assert_json_snapshot!(telling(&findings(), |told| json_of(&told.provenance().written())));
}

#[test]
fn a_service_is_a_device() {
    let text = medvan_profiles::descriptor::image_example_text();
    let descriptor: Descriptor = serde_json::from_str(text).unwrap();
    insta::assert_json_snapshot!(json_of(&device("asagao.nodules", "1.0.0", Some(&descriptor)).written()));
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
    let report = telling(&findings(), |told| json_of(&told.report().written()));
    assert_eq!((report.get("performer"), report.get("resultsInterpreter")), (None, None));
}

#[test]
fn a_device_has_the_same_id_always_and_another_in_another_version() {
    let id = device_id("asagao.nodules", "1.0.0");
    assert_eq!(id, device_id("asagao.nodules", "1.0.0"));
    assert_ne!(id, device_id("asagao.nodules", "1.0.1"));
}
