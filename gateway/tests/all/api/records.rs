//! Reading what exchanges left behind.

use http::StatusCode;
use medvan::{
    catalog::{ServiceName, VersionNumber},
    store::{Addendum, ExchangeRecord, FeedbackRow, Mark, UsageRow},
};
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

use super::office::{NOON, Office, hospital, vendor};

fn news2() -> ServiceName {
    "asagao.news2".parse().unwrap()
}

fn version() -> VersionNumber {
    "1.2.0".parse().unwrap()
}

/// One exchange at hospital `kiku` in which a service of `asagao` and one of `botan` were asked.
async fn recorded(office: &Office) -> Uuid {
    let id = Uuid::now_v7();
    let entry = |service: &str| json!({"service": service, "status": "answered"});
    let record = ExchangeRecord {
        id,
        hospital: "kiku".parse().unwrap(),
        client: "ehr".parse().unwrap(),
        hook: "patient-view".to_owned(),
        offer: "van-patient-view".to_owned(),
        received_at: NOON - Duration::minutes(1),
        status: 200,
        duration_us: 900,
        explanation: json!({"services": [entry("asagao.news2"), entry("botan.dose")], "suppressed": ["x"]}).to_string(),
        on_trial: false,
        replay: None,
        cards: Vec::new(),
        usage: vec![UsageRow { key: [7; 32], service: news2(), version: version(), mode: "live" }],
        marks: vec![Mark {
            service: news2(),
            version: version(),
            kind: "repaired",
            rule: "summary-length".to_owned(),
            times: 2,
        }],
    };
    office.api.store.record(record).await.unwrap();
    id
}

async fn furnished() -> (Office, Uuid) {
    let office = Office::open().await;
    office.furnish().await;
    office.operator("PUT", "/hospitals/ran", &hospital("ran")).await.expect(StatusCode::CREATED);
    for id in ["botan", "yuri"] {
        office.operator("PUT", &format!("/vendors/{id}"), &vendor(id)).await.expect(StatusCode::CREATED);
    }
    let id = recorded(&office).await;
    (office, id)
}

#[tokio::test]
async fn its_hospital_reads_an_exchange_and_another_one_does_not() {
    let (office, id) = furnished().await;
    let path = format!("/exchanges/{id}");
    for (subject, status) in [("kiku", StatusCode::OK), ("ran", StatusCode::NOT_FOUND)] {
        let secret = office.credential("hospital", subject).await;
        office.send(Some(&secret), "GET", &path, &Value::Null).await.expect(status);
    }
    let whole = office.governor("GET", &path, &Value::Null).await.expect(StatusCode::OK).json();
    assert_eq!((&whole["hospital"], &whole["status"]), (&json!("kiku"), &json!(200)));
}

#[tokio::test]
async fn a_vendor_reads_its_own_part_of_an_exchange_and_nothing_of_the_others() {
    let (office, id) = furnished().await;
    let path = format!("/exchanges/{id}");
    let secret = office.credential("vendor", "botan").await;
    let part = office.send(Some(&secret), "GET", &path, &Value::Null).await.expect(StatusCode::OK).json();
    assert_eq!(part["explanation"], json!({"services": [{"service": "botan.dose", "status": "answered"}]}));
    let mut members: Vec<_> = part.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["explanation", "hook", "id", "receivedAt"]);

    let stranger = office.credential("vendor", "yuri").await;
    office.send(Some(&stranger), "GET", &path, &Value::Null).await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_became_known_later_is_read_with_the_exchange() {
    let (office, id) = furnished().await;
    let note = json!({"service": "asagao.news2", "elapsedMs": 2_500});
    let addendum =
        Addendum { exchange: id, at: NOON, kind: "late", note: note.clone(), usage: None, marks: Vec::new() };
    office.api.store.append(&"kiku".parse().unwrap(), addendum).await.unwrap();
    let path = format!("/exchanges/{id}");
    let whole = office.operator("GET", &path, &Value::Null).await.json();
    assert_eq!(whole["addenda"], json!([{"at": "2026-11-22T12:00:00Z", "kind": "late", "note": note}]));

    for (vendor, expected) in [("asagao", 1), ("botan", 0)] {
        let secret = office.credential("vendor", vendor).await;
        let part = office.send(Some(&secret), "GET", &path, &Value::Null).await.json();
        assert_eq!(part["addenda"].as_array().map_or(0, Vec::len), expected, "{vendor}");
    }
}

#[tokio::test]
async fn a_hospital_lists_its_exchanges_newest_first() {
    let (office, first) = furnished().await;
    let second = recorded(&office).await;
    let page = office.operator("GET", "/hospitals/kiku/exchanges?limit=1", &Value::Null).await.json();
    assert_eq!(page["items"][0]["id"], second.to_string());
    let path = format!("/hospitals/kiku/exchanges?limit=1&cursor={}", page["next"].as_str().unwrap());
    let page = office.operator("GET", &path, &Value::Null).await.json();
    assert_eq!(page["items"][0]["id"], first.to_string());
    let none = office.operator("GET", "/hospitals/ran/exchanges", &Value::Null).await.json();
    assert_eq!(none, json!({"items": []}));
}

#[tokio::test]
async fn a_retried_call_is_one_use_for_hospital_and_vendor() {
    let (office, _) = furnished().await;
    recorded(&office).await;
    let line = json!({"service": "asagao.news2", "version": "1.2.0", "mode": "live", "uses": 1});
    for path in ["/hospitals/kiku/usage", "/vendors/asagao/usage"] {
        let usage = office.operator("GET", path, &Value::Null).await.expect(StatusCode::OK).json();
        assert_eq!(usage["lines"], json!([line]), "{path}");
        assert_eq!(usage["from"], "2026-11-01T00:00:00Z");
    }
    let earlier = "/vendors/asagao/usage?from=2026-10-01T00:00:00Z&until=2026-11-01T00:00:00Z";
    assert_eq!(office.operator("GET", earlier, &Value::Null).await.json()["lines"], json!([]));
}

#[tokio::test]
async fn a_scorecard_sums_marks_and_outcomes() {
    let (office, id) = furnished().await;
    recorded(&office).await;
    let feedback = FeedbackRow {
        analysis: None,
        exchange: id,
        card: Uuid::new_v4(),
        service: news2(),
        version: version(),
        cds_id: "news2-patient-view".to_owned(),
        outcome: "accepted".to_owned(),
        document: json!({"card": "c1", "outcome": "accepted"}).to_string(),
        received_at: NOON - Duration::minutes(1),
        delivery: None,
    };
    office.api.store.feedback(&"kiku".parse().unwrap(), &[feedback]).await.unwrap();
    let card = office.operator("GET", "/vendors/asagao/scorecard", &Value::Null).await.expect(StatusCode::OK).json();
    let named = |rest: Value| {
        let mut line = json!({"service": "asagao.news2", "version": "1.2.0"});
        line.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        line
    };
    assert_eq!(card["marks"], json!([named(json!({"kind": "repaired", "rule": "summary-length", "times": 4}))]));
    assert_eq!(card["outcomes"], json!([named(json!({"outcome": "accepted", "cards": 1}))]));

    let list = office.operator("GET", "/vendors/asagao/feedback", &Value::Null).await.json();
    assert_eq!(list["items"][0]["feedback"], json!({"card": "c1", "outcome": "accepted"}));
    assert!(!list.to_string().contains("kiku"), "the hospital is none of the vendor's business");
}

#[tokio::test]
async fn an_id_with_records_goes_to_no_other_hospital_unawares() {
    let (office, id) = furnished().await;
    office.operator("DELETE", "/hospitals/kiku", &Value::Null).await.expect(StatusCode::NO_CONTENT);
    office.operator("PUT", "/hospitals/kiku", &hospital("kiku")).await.expect(StatusCode::CONFLICT);
    office.operator("PUT", "/hospitals/kiku?again=true", &hospital("kiku")).await.expect(StatusCode::CREATED);
    office.operator("PUT", "/hospitals/kiku", &hospital("kiku")).await.expect(StatusCode::OK);
    office.operator("GET", &format!("/exchanges/{id}"), &Value::Null).await.expect(StatusCode::OK);
}
