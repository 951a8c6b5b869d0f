//! QIDO-RS (PS3.18 §10.6): that keys reach the matching of the crate `imaging`, and what leaves. How each key matches is
//! tested there.

use dicom_dictionary_std::tags;
use http::StatusCode;
use medvan_fixtures::studies::ChestCt;
use medvan_imaging::VR;
use serde_json::{Value, json};

use super::{
    instances::{EXPLICIT, capture, chest, file_of, series},
    pacs::Pacs,
};

/// Two studies of a chest and one of captures.
async fn filled() -> Pacs {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    pacs.stores(&other()).await;
    let mut data_set = capture(1);
    let mut item = medvan_imaging::dataset::Dataset::new();
    item.put_bytes(tags::SCHEDULED_PROCEDURE_STEP_ID, VR::SH, "STEP-7");
    let items = medvan_imaging::dataset::Value::Items(vec![item]);
    data_set.put(medvan_imaging::dataset::Element { tag: tags::REQUEST_ATTRIBUTES_SEQUENCE, vr: VR::SQ, value: items });
    pacs.sends([file_of(&data_set, EXPLICIT, &[]), file_of(&capture(2), EXPLICIT, &[])]).await.was_stored();
    pacs
}

fn other() -> ChestCt {
    ChestCt {
        seed: 2,
        patient_id: "K-000456".to_owned(),
        patient_name: "Sato^Taro=佐藤^太郎=さとう^たろう".to_owned(),
        date: "20251231".to_owned(),
        ..chest()
    }
}

async fn count(pacs: &Pacs, resource: &str, query: &str) -> usize {
    pacs.finds(resource, query).await.len()
}

#[tokio::test]
async fn each_of_the_six_resources_finds_its_level() {
    let pacs = filled().await;
    let study = format!("studies/{}", chest().study_uid());
    let series = &series(&chest())[1..];
    for (resource, expected) in [
        ("studies".to_owned(), 3),
        ("series".to_owned(), 3),
        ("instances".to_owned(), 8),
        (format!("{study}/series"), 1),
        (format!("{study}/instances"), 3),
        (format!("{series}/instances"), 3),
    ] {
        assert_eq!(count(&pacs, &resource, "").await, expected, "{resource}");
    }
}

#[tokio::test]
async fn keys_find_what_they_match_and_nothing_else() {
    let pacs = filled().await;
    let (one, two) = (chest().study_uid(), other().study_uid());
    for (resource, query, expected) in [
        ("studies", "PatientName=宮本*", 1),
        ("studies", "PatientName=みやもと*", 1),
        ("studies", "00100010=miyamoto^hanako", 1),
        ("studies", "PatientName=hanako miyamoto&fuzzymatching=true", 1),
        ("studies", "PatientName=Hanako Miyamoto", 0),
        ("studies", "PatientID=K-000*", 2),
        ("studies", "PatientID=k-000*", 0),
        ("studies", "PatientID=K-00012?", 1),
        ("studies", "PatientID=*", 3),
        ("studies", "StudyDate=20261101", 1),
        ("studies", "StudyDate=20260101-", 2),
        ("studies", "StudyDate=-20251231", 1),
        ("studies", "StudyDate=20251231-20260102", 2),
        ("studies", "ModalitiesInStudy=OT", 1),
        ("studies", "AccessionNumber=A0000002", 1),
        ("studies", "AccessionNumber=\"\"&emptyvaluematching=true", 1),
        ("series", "RequestAttributesSequence.ScheduledProcedureStepID=STEP-7", 1),
        ("series", "00400275.00400009=STEP-*", 1),
        ("series", "RequestAttributesSequence.ScheduledProcedureStepID=STEP-8", 0),
        ("instances", "PatientID=C-1&InstanceNumber=2", 1),
        ("instances", "Modality=CT", 6),
    ] {
        assert_eq!(count(&pacs, resource, query).await, expected, "{resource}?{query}");
    }
    for separator in [",", "%5C"] {
        assert_eq!(count(&pacs, "studies", &format!("StudyInstanceUID={one}{separator}{two}")).await, 2);
    }
}

#[tokio::test]
async fn answers_have_what_the_tables_require() {
    let pacs = filled().await;
    let studies = pacs.finds("studies", "PatientID=K-000123").await;
    for tag in [
        "00080020", "00080030", "00080050", "00080061", "00080090", "00081190", "00100010", "00100020", "00100030",
        "00100040", "0020000D", "00200010", "00201206", "00201208",
    ] {
        assert!(studies[0].get(tag).is_some(), "{tag}: {}", studies[0]);
    }
    assert_eq!(studies[0]["00080090"], json!({"vr": "PN"}));
    assert_eq!((&studies[0]["00201206"]["Value"], &studies[0]["00201208"]["Value"]), (&json!([1]), &json!([3])));
    let url = studies[0]["00081190"]["Value"][0].as_str().unwrap();
    assert_eq!(url, format!("{}/studies/{}", pacs.root(), chest().study_uid()));
    pacs.gets(url).await.expect(StatusCode::OK);
    let series = pacs.finds("series", "PatientID=K-000123").await;
    for tag in ["00080060", "00081190", "0020000D", "0020000E", "00200011", "00201209", "00100020"] {
        assert!(series[0].get(tag).is_some(), "{tag}: {}", series[0]);
    }
    let instances = pacs.finds("instances", "PatientID=K-000123").await;
    for tag in ["00080016", "00080018", "00081190", "00200013", "00280010", "00280011", "00280100", "0020000E"] {
        assert!(instances[0].get(tag).is_some(), "{tag}: {}", instances[0]);
    }
}

#[tokio::test]
async fn fields_of_the_level_are_included_and_lower_ones_never() {
    let pacs = filled().await;
    let found =
        pacs.finds("studies", "PatientID=K-000123&includefield=StudyDescription,Rows&includefield=00080060").await;
    assert_eq!(found[0]["00081030"]["Value"][0], "胸部CT");
    assert!(found[0].get("00280010").is_none() && found[0].get("00080060").is_none());
    let all = pacs.finds("series", "PatientID=K-000123&includefield=all").await;
    assert_eq!(all[0]["00180015"]["Value"][0], "CHEST");
}

#[tokio::test]
async fn nothing_found_is_an_empty_list() {
    let pacs = filled().await;
    for query in ["PatientID=nobody", "offset=1000", "StudyDate=19000101"] {
        let answer = pacs.gets(&format!("/studies?{query}")).await.expect(StatusCode::OK);
        assert_eq!((answer.content_type(), answer.text().as_str()), ("application/dicom+json", "[]"));
    }
}

#[tokio::test]
async fn pages_are_stable_while_more_arrives() {
    let pacs = filled().await;
    let uid = |found: &Value| found["00080018"]["Value"][0].as_str().unwrap().to_owned();
    let whole: Vec<String> = pacs.finds("instances", "").await.iter().map(uid).collect();
    let mut pages = Vec::new();
    for page in 0..4 {
        pages.extend(pacs.finds("instances", &format!("limit=2&offset={}", page * 2)).await.iter().map(uid));
        pacs.sends([file_of(&capture(10 + page), EXPLICIT, &[])]).await.was_stored();
    }
    assert_eq!(pages, whole);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_a_400_with_words_and_without_values() {
    let pacs = filled().await;
    for query in [
        "StudyDate=2020-2021-",
        "StudyDate=yesterday",
        "limit=-1",
        "limit=many",
        "offset=x",
        "fuzzymatching=perhaps",
        "PixelData=yesterday",
        "StudyInstanceUID=yesterday",
    ] {
        let answer = pacs.gets(&format!("/studies?{query}")).await.expect(StatusCode::BAD_REQUEST);
        assert!(answer.body.len() > 20 && !answer.text().contains("yesterday"), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn what_was_not_done_as_asked_is_warned_of() {
    let pacs = filled().await;
    let unknown = pacs.gets("/studies?PatientNick=Hana").await.expect(StatusCode::OK);
    assert_eq!(
        unknown.header("warning"),
        format!("299 {}: The parameter PatientNick is not supported and has been ignored.", pacs.root())
    );
    let fuzzy = pacs.gets("/studies?PatientID=K-000123&fuzzymatching=true").await.expect(StatusCode::OK);
    assert!(fuzzy.header("warning").contains("Only literal matching has been performed."));
    let fine = pacs.gets("/studies?PatientName=Sato&fuzzymatching=true").await.expect(StatusCode::OK);
    assert_eq!(fine.header("warning"), "");
}

#[tokio::test]
async fn results_come_as_json_or_as_xml() {
    let pacs = filled().await;
    for accept in ["*/*", "application/dicom+json", "application/json"] {
        let answer = pacs.gets("/studies").accepting(accept).await.expect(StatusCode::OK);
        assert_eq!(answer.json().as_array().unwrap().len(), 3);
    }
    let xml = "multipart/related; type=\"application/dicom+xml\"";
    let answer = pacs.gets("/studies").accepting(xml).await.expect(StatusCode::OK);
    let parts = answer.parts();
    assert_eq!(parts.len(), 3);
    assert!(parts.iter().all(|part| part.media() == "application/dicom+xml" && part.body.starts_with(b"<?xml")));
}
