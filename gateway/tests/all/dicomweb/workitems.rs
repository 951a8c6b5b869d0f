//! UPS-RS, as a requester and a performer use it (PS3.18 §11).

use http::{Method, StatusCode};
use medvan::{clock::Clock, config::ServerLimits, store::Retention};
use serde_json::{Value, json};
use time::Duration;

use super::pacs::{Answer, Pacs};

/// What a requester says of the work, and nothing that could be left out.
pub(super) fn work() -> Value {
    json!({
        "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
        "00741200": {"vr": "CS", "Value": ["HIGH"]},
        "00741204": {"vr": "LO", "Value": ["結節検出"]},
        "00404005": {"vr": "DT", "Value": ["20261123090000+0900"]},
        "00404041": {"vr": "CS", "Value": ["READY"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]},
        "00100020": {"vr": "LO", "Value": ["P-1"]},
        "00404018": {"vr": "SQ", "Value": [code("NODULES")]},
    })
}

pub(super) fn code(value: &str) -> Value {
    json!({
        "00080100": {"vr": "SH", "Value": [value]},
        "00080102": {"vr": "SH", "Value": ["99TEST"]},
        "00080104": {"vr": "LO", "Value": [value]},
    })
}

fn state(to: &str, transaction: &str) -> Value {
    json!({"00741000": {"vr": "CS", "Value": [to]}, "00081195": {"vr": "UI", "Value": [transaction]}})
}

/// What a performer says before it is done.
fn performed() -> Value {
    json!({"00741216": {"vr": "SQ", "Value": [{
        "00404028": {"vr": "SQ", "Value": [code("AI-1")]},
        "00404019": {"vr": "SQ", "Value": [code("NODULES")]},
        "00404050": {"vr": "DT", "Value": ["20261123090001+0900"]},
        "00404051": {"vr": "DT", "Value": ["20261123090031+0900"]},
        "00404033": {"vr": "SQ"},
    }]}})
}

impl Pacs {
    pub(super) async fn says(&self, method: Method, path: &str, data_set: &Value) -> Answer {
        let body = json!([data_set]).to_string();
        self.asks(method, path).with("content-type", "application/dicom+json").carrying(body).await
    }

    pub(super) async fn wants_work(&self, uid: &str) -> Answer {
        self.says(Method::POST, &format!("/workitems?workitem={uid}"), &work()).await
    }

    pub(super) async fn sets(&self, uid: &str, to: &str, transaction: &str) -> Answer {
        self.says(Method::PUT, &format!("/workitems/{uid}/state"), &state(to, transaction)).await
    }

    async fn state_of(&self, uid: &str) -> String {
        let workitem = self.gets(&format!("/workitems/{uid}")).await.expect(StatusCode::OK).json();
        assert!(workitem[0].get("00081195").is_none(), "nobody sees the Transaction UID");
        workitem[0]["00741000"]["Value"][0].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn work_is_offered_taken_done_and_seen() {
    let pacs = Pacs::open().await;
    let answer = pacs.wants_work("1.2.3").await.expect(StatusCode::CREATED);
    assert_eq!(answer.header("location"), format!("{}/workitems/1.2.3", pacs.root()));
    assert_eq!(answer.header("warning"), format!("299 {}: The Workitem was created with modifications.", pacs.root()));
    pacs.wants_work("1.2.3").await.expect(StatusCode::CONFLICT);

    let found = pacs.finds("workitems", "ProcedureStepState=SCHEDULED&PatientName=山田*").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["00741204"]["Value"][0], "結節検出");
    assert_eq!(found[0]["00741202"]["Value"][0], "MEDVAN");

    pacs.sets("1.2.3", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    let taken = pacs.sets("1.2.3", "IN PROGRESS", "2.25.2").await.expect(StatusCode::BAD_REQUEST);
    assert_eq!(taken.header("warning"), format!("299 {}: The Transaction UID is incorrect.", pacs.root()));
    assert_eq!(pacs.finds("workitems", "ProcedureStepState=SCHEDULED").await.len(), 0);

    let early = pacs.sets("1.2.3", "COMPLETED", "2.25.1").await.expect(StatusCode::CONFLICT);
    assert!(early.text().contains("(0040,4033)"), "{}", early.text());
    assert!(early.header("warning").ends_with("inconsistent with the state of the UPS Instance."));
    pacs.says(Method::POST, "/workitems/1.2.3", &performed()).await.expect(StatusCode::BAD_REQUEST);
    pacs.says(Method::POST, "/workitems/1.2.3?transaction-uid=2.25.1", &performed()).await.expect(StatusCode::OK);
    pacs.sets("1.2.3", "COMPLETED", "2.25.1").await.expect(StatusCode::OK);
    assert_eq!(pacs.state_of("1.2.3").await, "COMPLETED");

    let again = pacs.sets("1.2.3", "COMPLETED", "2.25.1").await.expect(StatusCode::OK);
    let warning = format!("299 {}: The UPS is already in the requested state of COMPLETED.", pacs.root());
    assert_eq!(again.header("warning"), warning);
    let late = pacs.says(Method::POST, "/workitems/1.2.3?2.25.1", &performed()).await.expect(StatusCode::BAD_REQUEST);
    assert!(late.header("warning").ends_with("inconsistent with the current state of the Workitem."));
    // Whoever asks for the lock by name does not get it either.
    for query in ["TransactionUID=2.25.1", "includefield=TransactionUID,all", "00081195="] {
        let answer = pacs.gets(&format!("/workitems?{query}")).await;
        assert!(!answer.text().contains("2.25.1"), "{query}");
    }
}

#[tokio::test]
async fn every_key_is_searched_also_within_sequences() {
    let pacs = Pacs::open().await;
    for uid in ["1.2.1", "1.2.2", "1.2.3"] {
        pacs.wants_work(uid).await.expect(StatusCode::CREATED);
    }
    pacs.sets("1.2.2", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    for (query, expected) in [
        ("", vec!["1.2.1", "1.2.2", "1.2.3"]),
        ("SOPInstanceUID=1.2.2", vec!["1.2.2"]),
        ("00741000=IN PROGRESS", vec!["1.2.2"]),
        ("ScheduledProcedureStepPriority=HIGH&offset=1&limit=1", vec!["1.2.2"]),
        ("ScheduledProcedureStepPriority=LOW", vec![]),
        ("ScheduledWorkitemCodeSequence.CodeValue=NODULES&limit=2", vec!["1.2.1", "1.2.2"]),
        ("ScheduledWorkitemCodeSequence.CodeValue=OTHER", vec![]),
        ("ScheduledProcedureStepStartDateTime=20261123-20261124", vec!["1.2.1", "1.2.2", "1.2.3"]),
        ("ScheduledProcedureStepStartDateTime=-20261122", vec![]),
        ("PatientID=P-1&offset=1", vec!["1.2.2", "1.2.3"]),
        ("PatientID=P-1&ProcedureStepState=SCHEDULED&limit=1", vec!["1.2.1"]),
        ("PatientID=P-2", vec![]),
        ("ScheduledStationNameCodeSequence.CodeValue=AI-1", vec![]),
        ("InputInformationSequence.StudyInstanceUID=1.2", vec![]),
    ] {
        let found = pacs.finds("workitems", query).await;
        let uids: Vec<&str> = found.iter().map(|found| found["00080018"]["Value"][0].as_str().unwrap()).collect();
        assert_eq!(uids, expected, "{query}");
    }
    let all = pacs.finds("workitems", "SOPInstanceUID=1.2.1&includefield=all").await;
    assert!(all[0].get("00404010").is_some(), "{all:?}");
    pacs.gets("/workitems?NoSuchAttribute.CodeValue=1").await.expect(StatusCode::OK);
    pacs.gets("/workitems?ScheduledProcedureStepPriority=HIGH&ScheduledProcedureStepPriority=LOW")
        .await
        .expect(StatusCode::BAD_REQUEST);
}

/// Forty of half a megabyte: no answer holds them all, and it says so; each is found by going on behind it.
#[tokio::test]
async fn a_long_answer_ends_with_a_word_and_goes_on_where_it_ended() {
    let pacs = Pacs::open().await;
    let mut long = work();
    long["00411000"] = json!({"vr": "UT", "Value": ["x".repeat(500 << 10)]});
    for _ in 0..40 {
        pacs.says(Method::POST, "/workitems", &long).await.expect(StatusCode::CREATED);
    }
    let answer = pacs.gets("/workitems").await.expect(StatusCode::OK);
    let given = answer.json().as_array().unwrap().len();
    assert!((30..36).contains(&given), "{given}");
    assert!(answer.header("warning").ends_with("There are additional results that can be requested"));
    let rest = pacs.gets(&format!("/workitems?offset={given}")).await.expect(StatusCode::OK);
    assert_eq!(rest.json().as_array().unwrap().len(), 40 - given);
    assert_eq!(rest.header("warning"), "");
}

#[tokio::test]
async fn cancellation_ends_what_nobody_has_taken() {
    let pacs = Pacs::open().await;
    let cancel = |uid: &str| format!("/workitems/{uid}/cancelrequest");
    let reason = json!({"00741238": {"vr": "LT", "Value": ["wrong order"]}});
    for uid in ["1.2.1", "1.2.2", "1.2.3"] {
        pacs.wants_work(uid).await.expect(StatusCode::CREATED);
    }
    pacs.says(Method::POST, &cancel("1.2.1"), &reason).await.expect(StatusCode::ACCEPTED);
    assert_eq!(pacs.state_of("1.2.1").await, "CANCELED");
    let canceled = pacs.gets("/workitems/1.2.1").await.json();
    assert_eq!(canceled[0]["00741002"]["Value"][0]["00741238"]["Value"][0], "wrong order");
    // Without a body too.
    let again = pacs.asks(Method::POST, &cancel("1.2.1")).await.expect(StatusCode::ACCEPTED);
    assert!(again.header("warning").ends_with("The UPS is already in the requested state of CANCELED."));

    pacs.sets("1.2.2", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    // Nobody could tell its performer: whoever asks must not believe so.
    let unheard = pacs.says(Method::POST, &cancel("1.2.2"), &reason).await.expect(StatusCode::CONFLICT);
    assert!(unheard.header("warning").ends_with("The performer cannot be contacted."));
    assert_eq!(pacs.state_of("1.2.2").await, "IN PROGRESS");

    pacs.sets("1.2.3", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    pacs.says(Method::POST, "/workitems/1.2.3?transaction-uid=2.25.1", &performed()).await.expect(StatusCode::OK);
    pacs.sets("1.2.3", "COMPLETED", "2.25.1").await.expect(StatusCode::OK);
    let late = pacs.says(Method::POST, &cancel("1.2.3"), &reason).await.expect(StatusCode::CONFLICT);
    assert!(late.header("warning").ends_with("The UPS is already COMPLETED."));
}

#[tokio::test]
async fn who_performs_hears_of_a_wish_to_cancel_if_somebody_else_listens() {
    let pacs = Pacs::open().await;
    let cancel = "/workitems/1.2.1/cancelrequest";
    let reason = json!({"00741238": {"vr": "LT", "Value": ["wrong order"]}});
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    pacs.sets("1.2.1", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    pacs.says(Method::POST, cancel, &reason).await.expect(StatusCode::CONFLICT);
    pacs.asks(Method::POST, "/workitems/1.2.1/subscribers/AI").await.expect(StatusCode::CREATED);
    pacs.says(Method::POST, cancel, &reason).await.expect(StatusCode::ACCEPTED);
    assert_eq!(pacs.state_of("1.2.1").await, "IN PROGRESS");
    let (kiku, title) = ("kiku".parse().unwrap(), medvan_imaging::AeTitle::parse("AI").unwrap());
    let heard = pacs.store().workitem_notices(&kiku, &title, 9).await.unwrap();
    let request = heard.last().unwrap().event.data_set(&heard[0].workitem, 1);
    let request = serde_json::to_value(&request).unwrap();
    assert_eq!(request["00001002"]["Value"][0], 2);
    assert_eq!(request["00741236"]["Value"][0], "pacs");
    assert_eq!(request["00741238"]["Value"][0], "wrong order");
}

#[tokio::test]
async fn what_was_deleted_after_its_time_is_gone_and_not_unknown() {
    let pacs = Pacs::open().await;
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    pacs.asks(Method::POST, "/workitems/1.2.1/cancelrequest").await.expect(StatusCode::ACCEPTED);
    let later = Clock::system().now() + Duration::days(31);
    let month = Retention { workitems: Some(Duration::days(30)), ..Retention::default() };
    pacs.store().purge(later, month).await.unwrap();
    pacs.gets("/workitems/1.2.1").await.expect(StatusCode::GONE);
    pacs.sets("1.2.1", "IN PROGRESS", "2.25.1").await.expect(StatusCode::GONE);
    pacs.says(Method::POST, "/workitems/1.2.1", &performed()).await.expect(StatusCode::GONE);
    pacs.asks(Method::POST, "/workitems/1.2.1/cancelrequest").await.expect(StatusCode::GONE);
    pacs.asks(Method::POST, "/workitems/1.2.1/subscribers/AI").await.expect(StatusCode::GONE);
    pacs.wants_work("1.2.1").await.expect(StatusCode::CONFLICT);
    pacs.gets("/workitems/1.2.2").await.expect(StatusCode::NOT_FOUND);
    assert!(pacs.finds("workitems", "").await.is_empty());
}

#[tokio::test]
async fn a_hospital_with_as_many_as_it_may_have_is_told_to_wait() {
    let limits = ServerLimits { workitems_per_hospital: 2, ..ServerLimits::default() };
    let pacs = Pacs::limited(limits).await;
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    pacs.wants_work("1.2.2").await.expect(StatusCode::CREATED);
    let full = pacs.wants_work("1.2.3").await.expect(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(full.header("retry-after"), "3600");
    pacs.wants_work("1.2.1").await.expect(StatusCode::CONFLICT);
    pacs.sets("1.2.1", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    pacs.says(Method::POST, "/workitems/1.2.1?transaction-uid=2.25.1", &performed()).await.expect(StatusCode::OK);

    let limits = ServerLimits { workitem_bytes_per_hospital: 100, ..ServerLimits::default() };
    let pacs = Pacs::limited(limits).await;
    pacs.wants_work("1.2.1").await.expect(StatusCode::SERVICE_UNAVAILABLE);
    pacs.gets("/workitems/1.2.1").await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_one_of_many_performers_gets_the_work() {
    let pacs = Pacs::open().await;
    pacs.wants_work("1.2.3").await.expect(StatusCode::CREATED);
    let transactions: Vec<String> = (1..=16).map(|number| format!("2.25.{number}")).collect();
    let tries = transactions.iter().map(|transaction| pacs.sets("1.2.3", "IN PROGRESS", transaction));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 1);
}

#[tokio::test]
async fn a_new_uid_is_given_where_none_is_wanted_and_two_are_refused() {
    let pacs = Pacs::open().await;
    let answer = pacs.says(Method::POST, "/workitems", &work()).await.expect(StatusCode::CREATED);
    assert!(answer.header("location").contains("/workitems/2.25."));
    pacs.gets(answer.header("location")).await.expect(StatusCode::OK);
    let mut named = work();
    named["00080018"] = json!({"vr": "UI", "Value": ["1.2.9"]});
    pacs.says(Method::POST, "/workitems?1.2.8", &named).await.expect(StatusCode::BAD_REQUEST);
    pacs.says(Method::POST, "/workitems", &named).await.expect(StatusCode::CREATED);
    pacs.gets("/workitems/1.2.9").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn what_is_wrong_is_said_and_another_hospital_sees_nothing() {
    let pacs = Pacs::open().await;
    pacs.wants_work("1.2.3").await.expect(StatusCode::CREATED);
    let mut nameless = work();
    nameless.as_object_mut().unwrap().remove("00741204");
    let refused = pacs.says(Method::POST, "/workitems", &nameless).await.expect(StatusCode::BAD_REQUEST);
    assert_eq!(refused.header("warning"), format!("299 {}: (0074,1204) must have a value", pacs.root()));
    for (body, content_type, status) in [
        ("{", "application/dicom+json", StatusCode::BAD_REQUEST),
        ("[{},{}]", "application/dicom+json", StatusCode::BAD_REQUEST),
        ("<a/>", "application/dicom+xml", StatusCode::BAD_REQUEST),
        ("{}", "text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        pacs.posts("/workitems", content_type, body).await.expect(status);
    }
    let large = vec![b' '; (1 << 20) + 1];
    pacs.posts("/workitems", "application/dicom+json", large).await.expect(StatusCode::PAYLOAD_TOO_LARGE);
    pacs.gets("/workitems/1.2.4").await.expect(StatusCode::NOT_FOUND);
    pacs.gets("/workitems/x").await.expect(StatusCode::BAD_REQUEST);
    pacs.sets("1.2.4", "IN PROGRESS", "2.25.1").await.expect(StatusCode::NOT_FOUND);
    let nonsense = json!({"00741000": {"vr": "CS", "Value": ["DONE"]}});
    pacs.says(Method::PUT, "/workitems/1.2.3/state", &nonsense).await.expect(StatusCode::BAD_REQUEST);

    pacs.hospital("sumire", json!({"aeTitle": "SUMIRE"})).await;
    pacs.client("sumire", "pacs", json!("loopback")).await;
    let other = |path: &str| format!("{}/hospitals/sumire/dicom-web{path}", pacs.url());
    pacs.gets(&other("/workitems/1.2.3")).await.expect(StatusCode::NOT_FOUND);
    assert_eq!(pacs.gets(&other("/workitems")).await.expect(StatusCode::OK).json(), json!([]));
    pacs.says(Method::POST, &other("/workitems?workitem=1.2.3"), &work()).await.expect(StatusCode::CREATED);
}
