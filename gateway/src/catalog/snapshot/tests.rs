use serde_json::{Value, json};

use super::*;
use medvan_profiles::descriptor::{Words, dicom_example_text, example_text};

use crate::catalog::{State, address};

fn words(text: &str) -> Words {
    Words { ja: text.to_owned(), en: text.to_owned() }
}

fn kiku() -> Hospital {
    Hospital::new("kiku".parse().unwrap(), words("菊病院"))
}

fn descriptor(service: &str, number: &str, hooks: &Value) -> Value {
    let mut descriptor: Value = serde_json::from_str(example_text()).unwrap();
    descriptor["id"] = json!(service);
    descriptor["version"] = json!(number);
    descriptor["transport"]["baseUrl"] = json!("https://ai.example/root/");
    descriptor["hooks"] = hooks.clone();
    descriptor
}

fn version(service: &str, number: &str, hooks: &Value) -> Version {
    Version {
        name: format!("asagao.{service}").parse().unwrap(),
        number: number.parse().unwrap(),
        state: State::Approved,
        descriptor: Arc::new(serde_json::from_value(descriptor(service, number, hooks)).unwrap()),
    }
}

fn view_hook(id: &str, prefetch: &Value) -> Value {
    json!([{"id": id, "hook": "patient-view", "description": "d", "prefetch": prefetch}])
}

fn enrolled(service: &str, mode: Mode, pin: Option<&str>) -> Enrollment {
    Enrollment {
        hospital: "kiku".parse().unwrap(),
        service: format!("asagao.{service}").parse().unwrap(),
        version: pin.map(|pin| pin.parse().unwrap()),
        mode,
        tier: 100,
        withhold: Vec::new(),
        images: ImageTerms::default(),
    }
}

fn build(approved: Vec<Version>, enrollments: Vec<Enrollment>) -> Snapshot {
    let contents = Contents { hospitals: vec![kiku()], clients: Vec::new(), approved, enrollments };
    Snapshot::build(contents, &Acceptance::default())
}

/// The offers of hospital `kiku`: id and, for each member, its version.
fn offers(snapshot: &Snapshot) -> Vec<(String, Vec<String>)> {
    let view = snapshot.hospital(&"kiku".parse().unwrap()).unwrap();
    let members =
        |offer: &Offer| offer.members.iter().map(|member| format!("{} {}", member.name, member.version)).collect();
    view.offers.iter().map(|(id, offer)| (id.clone(), members(offer))).collect()
}

fn check(approved: Vec<Version>, enrollments: Vec<Enrollment>, expected: &[(&str, &[&str])]) {
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(id, members)| ((*id).to_owned(), members.iter().map(|member| (*member).to_owned()).collect()))
        .collect();
    assert_eq!(offers(&build(approved, enrollments)), expected);
}

#[test]
fn services_of_one_hook_are_offered_together_and_singly() {
    let hooks = |id| view_hook(id, &json!({}));
    check(
        vec![version("b", "1.0.0", &hooks("b-view")), version("a", "2.0.0", &hooks("a-view"))],
        vec![enrolled("b", Mode::Live, None), enrolled("a", Mode::Live, None)],
        &[
            ("van-patient-view", &["asagao.a 2.0.0", "asagao.b 1.0.0"]),
            ("asagao.a", &["asagao.a 2.0.0"]),
            ("asagao.b", &["asagao.b 1.0.0"]),
        ],
    );
}

#[test]
fn the_newest_approved_version_serves_unless_another_is_pinned() {
    let versions = || ["1.9.0", "1.10.0"].map(|number| version("a", number, &view_hook("v", &json!({})))).to_vec();
    let expect = |serving: &'static str| [("van-patient-view", serving), ("asagao.a", serving)];
    for (pin, serving) in [(None, "asagao.a 1.10.0"), (Some("1.9.0"), "asagao.a 1.9.0")] {
        let expected = expect(serving).map(|(id, member)| (id.to_owned(), vec![member.to_owned()]));
        assert_eq!(offers(&build(versions(), vec![enrolled("a", Mode::Live, pin)])), expected);
    }
    check(versions(), vec![enrolled("a", Mode::Live, Some("3.0.0"))], &[]);
}

#[test]
fn a_shadow_service_is_asked_with_the_others_and_never_offered_singly() {
    check(
        vec![version("a", "1.0.0", &view_hook("v", &json!({})))],
        vec![enrolled("a", Mode::Shadow, None)],
        &[("van-patient-view", &["asagao.a 1.0.0"])],
    );
}

#[test]
fn nobody_is_offered_what_is_not_enrolled_or_not_approved() {
    check(vec![version("a", "1.0.0", &view_hook("v", &json!({})))], vec![], &[]);
    check(vec![], vec![enrolled("a", Mode::Live, None)], &[]);
}

#[test]
fn a_member_knows_where_it_is_called_and_where_its_feedback_goes() {
    let snapshot = build(
        vec![version("a", "1.0.0", &view_hook("v", &json!({"patient": "Patient/{{context.patientId}}"})))],
        vec![enrolled("a", Mode::Live, None)],
    );
    let view = snapshot.hospital(&"kiku".parse().unwrap()).unwrap();
    let member = &view.offer("asagao.a").unwrap().members[0];
    assert_eq!(member.url.as_str(), "https://ai.example/root/cds-services/v");
    assert_eq!(
        address::feedback_url(&member.descriptor, "v").unwrap().unwrap().as_str(),
        "https://ai.example/root/cds-services/v/feedback"
    );
    assert_eq!(member.templates.keys().collect::<Vec<_>>(), ["patient"]);
}

#[test]
fn a_service_that_cannot_be_resolved_is_left_out_and_named() {
    let snapshot = build(
        vec![
            version("a", "1.0.0", &view_hook("a-view", &json!({"patient": ""}))),
            version("b", "1.0.0", &view_hook("b-view", &json!({}))),
        ],
        vec![enrolled("a", Mode::Live, None), enrolled("b", Mode::Live, None)],
    );
    assert_eq!(offers(&snapshot).len(), 2);
    assert_eq!(snapshot.defects()[0].service.to_string(), "asagao.a");
}

#[test]
fn a_service_of_several_hooks_has_an_id_for_each_and_answers_to_its_name_for_all() {
    let hooks = json!([
        {"id": "x", "hook": "order-select", "description": "d"},
        {"id": "y", "hook": "order-sign", "description": "d"},
        {"id": "z", "hook": "order-sign", "description": "another one"},
    ]);
    let snapshot = build(vec![version("a", "1.0.0", &hooks)], vec![enrolled("a", Mode::Live, None)]);
    let view = snapshot.hospital(&"kiku".parse().unwrap()).unwrap();
    let singles: Vec<_> = view.offers.keys().filter(|id| id.starts_with("asagao")).map(String::as_str).collect();
    assert_eq!(singles, ["asagao.a-order-select", "asagao.a-y", "asagao.a-z"]);
    assert_eq!(view.offered("asagao.a").len(), 3);
    assert_eq!(view.offered("asagao.a-y").len(), 1);
    assert!(view.offered("asagao.b").is_empty() && view.offered("asagao").is_empty());
}

#[test]
fn a_service_whose_ae_title_is_somebody_elses_is_left_out_and_named() {
    let dimse = |vendor: &str, title: &str| {
        let mut given = descriptor("ct", "1.0.0", &json!([]));
        let dicom: Value = serde_json::from_str(dicom_example_text()).unwrap();
        given["images"] = dicom["images"].clone();
        given["images"].as_array_mut().unwrap().truncate(1);
        given["images"][0]["way"] =
            json!({ "kind": "dimse", "aeTitle": title, "host": "10.1.2.3", "port": 104, "expects": ["SR"] });
        let descriptor = Arc::new(serde_json::from_value(given).unwrap());
        let name = format!("{vendor}.ct").parse().unwrap();
        Version { name, number: "1.0.0".parse().unwrap(), state: State::Approved, descriptor }
    };
    let left_out = |titles: &[(&str, &str)]| -> Vec<String> {
        let imaging = json!({ "aeTitle": "KIKU", "nodes": [{ "aeTitle": "CT1", "host": "10.0.0.1" }] });
        let hospital = Hospital { imaging: Some(serde_json::from_value(imaging).unwrap()), ..kiku() };
        let enrollments = titles
            .iter()
            .map(|(vendor, _)| Enrollment {
                service: format!("{vendor}.ct").parse().unwrap(),
                ..enrolled("ct", Mode::Live, None)
            })
            .collect();
        let approved = titles.iter().map(|(vendor, title)| dimse(vendor, title)).collect();
        let contents = Contents { hospitals: vec![hospital], clients: Vec::new(), approved, enrollments };
        let snapshot = Snapshot::build(contents, &Acceptance::default());
        snapshot.defects().iter().map(|defect| defect.service.to_string()).collect()
    };
    for (titles, expected) in [
        (&[("asagao", "AI1"), ("botan", "AI2")][..], &[][..]),
        (&[("asagao", "KIKU"), ("botan", "AI2")], &["asagao.ct"]),
        (&[("asagao", "AI1"), ("botan", "CT1 ")], &["botan.ct"]),
        (&[("asagao", "AI1"), ("botan", "AI1")], &["asagao.ct", "botan.ct"]),
    ] {
        assert_eq!(left_out(titles), expected, "{titles:?}");
    }
}
