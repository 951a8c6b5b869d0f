//! `medvan apply`: files against a running management API.

use http::StatusCode;
use medvan::{
    apply::{self, ApplyError, Credentials, Management, Object},
    tasks::Tasks,
};
use serde_json::{Value, json};

use crate::api::office::{Office, client, descriptor, enrollment, hospital, vendor};

/// A gateway's API on the loopback, and somebody with both credentials.
async fn desk() -> (Office, Management) {
    let office = Office::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let router = medvan::api::router(office.api.clone());
    Tasks::default().spawn("api", async move { axum::serve(listener, router).await });
    let management = Management::new(&server, &Credentials::in_folder(office.dir.path())).unwrap();
    (office, management)
}

fn objects(values: impl IntoIterator<Item = Value>) -> Vec<Object> {
    let here = std::path::Path::new(".");
    values.into_iter().map(|value| Object::read(value, here).unwrap()).collect()
}

fn of(kind: &str, mut object: Value) -> Value {
    object["kind"] = json!(kind);
    object
}

fn approval(decision: &str) -> Value {
    json!({"kind": "Approval", "service": "asagao.news2", "version": "1.2.0", "decision": decision, "reason": "checked"})
}

/// Everything that hospital `kiku` needs for one service, in an order that does not work.
fn everything() -> Vec<Value> {
    vec![
        of("Enrollment", enrollment("kiku", &json!("live"))),
        approval("approve"),
        of("Service", descriptor()),
        of("Client", client("kiku", "ehr")),
        of("Vendor", vendor("asagao")),
        of("Hospital", hospital("kiku")),
    ]
}

async fn applied(management: &Management, values: Vec<Value>, dry_run: bool) -> Vec<String> {
    let outcomes = apply::apply(management, objects(values), dry_run).await.unwrap();
    outcomes.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn files_bring_an_empty_gateway_to_serve_and_a_second_time_change_nothing() {
    let (office, management) = desk().await;
    assert_eq!(
        applied(&management, everything(), false).await,
        [
            "+ Hospital kiku",
            "+ Client ehr of kiku",
            "+ Vendor asagao",
            "+ Service asagao.news2 1.2.0",
            "~ Approval of asagao.news2 1.2.0: submitted, approve",
            "+ Enrollment of kiku in asagao.news2",
        ]
    );
    assert_eq!(office.offers(), ["van-patient-view", "asagao.news2"]);
    let again = applied(&management, everything(), false).await;
    assert!(again.iter().all(|line| line.starts_with("  ")), "{again:?}");
}

#[tokio::test]
async fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let (office, management) = desk().await;
    let said = applied(&management, everything(), true).await;
    assert_eq!(said.iter().filter(|line| line.starts_with("+ ")).count(), 5);
    let hospitals = office.operator("GET", "/hospitals", &Value::Null).await.expect(StatusCode::OK).json();
    assert_eq!(hospitals, json!({"items": []}));
}

#[tokio::test]
async fn a_changed_file_changes_what_it_says_and_a_suspension_ends_the_offer() {
    let (office, management) = desk().await;
    applied(&management, everything(), false).await;
    let mut slower = hospital("kiku");
    slower["deadlineMs"] = json!(3_000);
    let said = applied(&management, vec![of("Hospital", slower), approval("suspend")], false).await;
    assert_eq!(said, ["~ Hospital kiku: deadlineMs", "~ Approval of asagao.news2 1.2.0: approved, suspend"]);
    assert!(office.offers().is_empty());
}

#[tokio::test]
async fn another_descriptor_under_a_registered_number_is_told_also_by_a_dry_run() {
    let (_office, management) = desk().await;
    applied(&management, everything(), false).await;
    let mut other = descriptor();
    other["limits"]["deadlineMs"] = json!(900);
    for dry_run in [true, false] {
        let objects = objects([of("Service", other.clone())]);
        let refused = apply::apply(&management, objects, dry_run).await.unwrap_err();
        assert!(matches!(refused, ApplyError::VersionChanged { .. }));
        assert!(refused.to_string().contains("(limits.deadlineMs)"), "{refused}");
    }
}

#[tokio::test]
async fn an_object_with_faults_stops_with_the_gateways_own_words() {
    let (_office, management) = desk().await;
    let mut wrong = hospital("kiku");
    wrong["deadlineMs"] = json!(1);
    let refused = apply::apply(&management, objects([of("Hospital", wrong)]), false).await.unwrap_err();
    let words = refused.to_string();
    assert!(words.contains("Hospital kiku: 422") && words.contains("/deadlineMs: "), "{words}");
}

#[tokio::test]
async fn without_the_governors_credential_nothing_is_approved() {
    let (office, management) = desk().await;
    std::fs::remove_file(office.dir.path().join("governor.credential")).unwrap();
    let everything_else = everything().into_iter().filter(|object| object["kind"] != "Approval").collect();
    applied(&management, everything_else, false).await;
    let base = management.server();
    let operator_alone = Management::new(base, &Credentials::in_folder(office.dir.path())).unwrap();
    let refused = apply::apply(&operator_alone, objects([approval("approve")]), false).await.unwrap_err();
    assert!(matches!(refused, ApplyError::NoGovernor), "{refused}");
    assert!(office.offers().is_empty());
}
