//! What we write, fhir-sdk reads as the resource that it claims to be, and loses nothing of it.

use fhir_sdk::r4b::resources;
use medvan_authoring::{
    Agent, Bilingual, BodyStructure, Capabilities, Coded, Component, ComponentValue, Concept, Device, DiagnosticReport,
    Form, Header, ImagingStudy, Link, Match, Named, Observation, Provenance, Release, ResourceCapability,
    SearchParamType, SearchSet, Series, Written,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use time::{
    OffsetDateTime,
    macros::{date, datetime},
};

const AT: OffsetDateTime = datetime!(2026-11-23 9:00:01.234_567 UTC);

fn header(id: &str) -> Header {
    Header { id: id.to_owned(), changed_at: Some(AT) }
}

fn concept(code: &str) -> Concept {
    Concept::from(Coded::of("http://snomed.info/sct", code, "meaning")).called("意味　（全角）".to_owned())
}

fn named(value: &str) -> Named {
    Named { kind: Some(concept("1")), system: Some("urn:dicom:uid".to_owned()), value: value.to_owned() }
}

fn words() -> Bilingual {
    Bilingual { ja: "右上葉に結節".to_owned(), en: "Nodule in the right upper lobe".to_owned() }
}

fn observation() -> Observation {
    let component = |code, value| Component { code: concept(code), value };
    Observation {
        header: header("job.1"),
        is_withdrawn: false,
        identifiers: vec![named("urn:oid:1.2.3")],
        part_of: vec![Link::to("ImagingStudy", "1.2")],
        categories: vec![concept("2")],
        code: concept("3"),
        subject: Link::by("Patient", named("K-1")),
        effective: Some(date!(2026 - 11 - 01)),
        issued: AT,
        value: Some(concept("4")),
        notes: vec![words()],
        body_site: Some(concept("5")),
        body_structure: None,
        device: Link::to("Device", "d"),
        derived_from: vec![Link::to("ImagingStudy", "1.2")],
        components: vec![
            component("6", ComponentValue::Concept(concept("7"))),
            component("8", ComponentValue::Text("text".to_owned())),
            component("9", ComponentValue::Quantity(8.25, "mm".to_owned())),
        ],
    }
}

fn report() -> DiagnosticReport {
    let url = "https://gw.example/hospitals/kiku/dicom-web/studies/1.2/series/1.3/instances/1.4".to_owned();
    DiagnosticReport {
        header: header("job"),
        is_withdrawn: false,
        identifiers: vec![named("urn:uuid:1")],
        categories: vec![concept("1")],
        code: concept("2"),
        subject: Link::by("Patient", named("K-1")),
        effective: Some(date!(2026 - 11 - 01)),
        issued: AT,
        results: vec![Link::to("Observation", "job.1")],
        imaging_studies: vec![Link::to("ImagingStudy", "1.2")],
        conclusion: Some(words()),
        forms: vec![Form { content_type: "application/dicom".to_owned(), url, title: "DICOM SR".to_owned() }],
    }
}

fn device() -> Device {
    Device {
        header: Header { id: "d".to_owned(), changed_at: None },
        identifiers: vec![named("30100BZX99999000")],
        manufacturer: Some("朝顔".to_owned()),
        name: "結節".to_owned(),
        model: "Nodule".to_owned(),
        model_number: Some("N-1".to_owned()),
        kind: Concept::words("AI service"),
        version: "1.0.0".to_owned(),
    }
}

fn provenance() -> Provenance {
    let agent =
        Agent { role: concept("1"), who: Link::to("Device", "d"), on_behalf_of: Some(Link::by("", named("v"))) };
    Provenance {
        header: header("job"),
        targets: vec![Link::to("DiagnosticReport", "job")],
        recorded: AT,
        activity: concept("1"),
        agents: vec![agent],
        sources: vec![Link::to("ImagingStudy", "1.2")],
        revised: vec![Link::to("DiagnosticReport", "former")],
    }
}

fn study() -> ImagingStudy {
    let ct = || Coded::of("http://dicom.nema.org/resources/ontology/DCM", "CT", "");
    let series = Series {
        uid: "1.3".to_owned(),
        number: Some(1),
        modality: ct(),
        description: Some("胸部".to_owned()),
        number_of_instances: 24,
    };
    ImagingStudy {
        header: header("1.2"),
        identifiers: vec![named("urn:oid:1.2")],
        modalities: vec![ct()],
        subject: Link::by("Patient", named("K-1")),
        started: Some(date!(2026 - 11 - 01)),
        description: Some("胸部CT".to_owned()),
        number_of_series: 1,
        number_of_instances: 24,
        series: vec![series],
        dicom_web: "https://gw.example/hospitals/kiku/dicom-web".to_owned(),
    }
}

/// As fhir-sdk writes what it read.
fn through<T: DeserializeOwned + Serialize>(written: &Written) -> Value {
    let typed: T = serde_json::from_str(written.get()).unwrap();
    serde_json::to_value(typed).unwrap()
}

#[track_caller]
fn is_read_whole<T: DeserializeOwned + Serialize>(written: &Written) {
    let sent: Value = serde_json::from_str(written.get()).unwrap();
    assert_eq!(through::<T>(written), sent);
}

#[test]
fn every_resource_is_read_whole() {
    is_read_whole::<resources::Observation>(&observation().written());
    is_read_whole::<resources::DiagnosticReport>(&report().written(Release::R4));
    is_read_whole::<resources::Device>(&device().written(Release::R4));
    is_read_whole::<resources::Provenance>(&provenance().written());
    is_read_whole::<resources::ImagingStudy>(&study().written(Release::R4));
}

#[test]
fn a_page_of_a_search_is_read_whole() {
    let url = |id: &str| format!("https://gw.example/hospitals/kiku/fhir/Observation/{id}");
    let set = SearchSet {
        this: url("?_count=1"),
        next: Some(url("?_count=1&_after=job.1")),
        matches: vec![Match { url: url("job.1"), resource: observation().written() }],
    };
    is_read_whole::<resources::Bundle>(&set.written());
}

#[test]
fn what_a_server_can_be_asked_is_read_whole() {
    let resource =
        ResourceCapability { kind: "Observation", parameters: &[("_id", SearchParamType::Token, "Logical id.")] };
    let capabilities = Capabilities {
        date: "2026-11-23",
        software: "MedVAN",
        version: "1",
        description: "results",
        url: "https://gw.example/hospitals/kiku/fhir",
        security: "tokens",
        resources: &[resource],
    };
    is_read_whole::<resources::CapabilityStatement>(&capabilities.written(Release::R4));
}

#[test]
fn what_was_withdrawn_says_so_and_nothing_is_ever_final() {
    let status = |written: Written| serde_json::from_str::<Value>(written.get()).unwrap()["status"].clone();
    assert_eq!(status(observation().written()), "preliminary");
    assert_eq!(status(report().written(Release::R4)), "preliminary");
    assert_eq!(status(Observation { is_withdrawn: true, ..observation() }.written()), "entered-in-error");
    assert_eq!(status(DiagnosticReport { is_withdrawn: true, ..report() }.written(Release::R4)), "entered-in-error");
}

/// A foreign text may hold what FHIR forbids.
#[test]
fn empty_texts_and_control_characters_are_left_out() {
    let odd = |text: &str| Concept { codes: vec![Coded::of("", text, "\u{0}")], text: Some(text.to_owned()) };
    let quantity = |value| Component { code: odd("q"), value: ComponentValue::Quantity(value, " ".to_owned()) };
    let written = Observation {
        code: odd("  a \u{7}  b "),
        value: Some(odd("　")),
        components: vec![quantity(f64::NAN), quantity(1.0)],
        notes: vec![Bilingual { ja: String::new(), en: "only English".to_owned() }],
        ..observation()
    };
    let read: Value = serde_json::from_str(written.written().get()).unwrap();
    assert_eq!(read["code"]["coding"], serde_json::json!([{"code": "a b"}]));
    assert_eq!(read["component"].as_array().unwrap().len(), 1);
    assert_eq!(read["component"][0]["valueQuantity"], serde_json::json!({"value": 1.0}));
    assert_eq!(read["note"], serde_json::json!([{"text": "only English"}]));
}

/// fhir-sdk's R5 is not built here: a library by others reads whole resources (`tests/interop`).
#[test]
fn r5_differs_where_its_elements_do() {
    let read = |written: Written| serde_json::from_str::<Value>(written.get()).unwrap();
    let (r4, r5) = (read(study().written(Release::R4)), read(study().written(Release::R5)));
    assert_eq!(r5["modality"], serde_json::json!([{"coding": r4["modality"]}]));
    assert_eq!(r5["series"][0]["modality"], r5["modality"][0]);
    let (was, is) = (&r4["contained"][0], &r5["contained"][0]);
    assert_eq!(is["connectionType"], serde_json::json!([{"coding": [was["connectionType"]]}]));
    let payload = serde_json::json!([{"type": was["payloadType"], "mimeType": was["payloadMimeType"]}]);
    assert_eq!((&is["payload"], is.get("payloadType")), (&payload, None));

    let (r4, r5) = (read(report().written(Release::R4)), read(report().written(Release::R5)));
    assert_eq!((&r5["study"], r5.get("imagingStudy")), (&r4["imagingStudy"], None));

    let (r4, r5) = (read(device().written(Release::R4)), read(device().written(Release::R5)));
    assert_eq!(r5["type"], serde_json::json!([r4["type"]]));
    let names: Vec<&Value> = r5["name"].as_array().unwrap().iter().map(|name| &name["value"]).collect();
    let former: Vec<&Value> = r4["deviceName"].as_array().unwrap().iter().map(|name| &name["name"]).collect();
    assert_eq!((names, r5.get("deviceName")), (former, None));
}

/// A site with a side is a BodyStructure that its resource contains, and then no `bodySite` (obs-8 of R5).
#[test]
fn a_site_with_a_side_is_contained() {
    let structure = BodyStructure {
        identifiers: vec![named("1")],
        structure: concept("5"),
        laterality: concept("6"),
        patient: Link::by("Patient", named("K-1")),
    };
    let observation = Observation { body_site: None, body_structure: Some(structure), ..observation() };
    let read: Value = serde_json::from_str(observation.written().get()).unwrap();
    let contained = &read["contained"][0];
    assert_eq!((&contained["resourceType"], read.get("bodySite")), (&Value::from("BodyStructure"), None));
    assert_eq!(read["bodyStructure"]["reference"], format!("#{}", contained["id"].as_str().unwrap()));
    assert_eq!(contained["includedStructure"][0]["laterality"]["coding"][0]["code"], "6");
}
