//! After good and bad calls: no name, id or token of a patient or user in logs, metrics, error bodies or in the data
//! folder (invariant 5, check 48).
//!
//! What must stay, and why it is no leak:
//! - `replay` keeps the `jti` of spent tokens, never a token: a nonce opens nothing.
//! - `usage` keeps a keyed hash of a call, so that a retry is not counted twice.
//! - `feedback` and `outbox` keep what a doctor wrote about a card, for its vendor; it is not part of this test.

use std::{fs, path::Path};

use medvan_fixtures::services::{drug_interaction, early_warning, renal_dosing};
use serde_json::{Value, json};

use crate::world::{Log, World};

/// A patient and a user whom no other test knows: what is found is this test's.
const PATIENT: &str = "kakure-7261";
const NAME: &str = "隠田　密代";
const KANA: &str = "カクレダ";
const USER: &str = "dr-kakureta";
const DRUG_NOTE: &str = "夜間せん妄の既往";
const TOKEN: &str = "geheim-bearer-5502";

/// One place where something was found.
fn found(place: &str, text: &[u8], secrets: &[String]) -> Vec<String> {
    let holds = |secret: &&String| text.windows(secret.len()).any(|window| window == secret.as_bytes());
    secrets.iter().filter(holds).map(|secret| format!("{secret:.24} in {place}")).collect()
}

#[tokio::test]
async fn nothing_of_a_patient_stays_or_is_told() {
    let log = Log::listens();
    let world = World::start().await;
    let storm = world.storm().await;
    let _running = [
        world.runs(&renal_dosing::SERVICE).await,
        world.runs(&drug_interaction::SERVICE).await,
        world.runs(&early_warning::SERVICE).await,
    ];
    for behaviour in
        ["echo", "ok", "status-500", "html", "breaks-off", "foreign-patient", "long-summary", "unknown-indicator"]
    {
        world.enrolls(&storm.descriptor(behaviour, "order-sign"), json!("live")).await;
    }
    let (jwts, told) = calls(&world).await;
    let secrets: Vec<String> =
        [PATIENT, NAME, KANA, USER, DRUG_NOTE, TOKEN].map(str::to_owned).into_iter().chain(jwts).collect();
    let mut leaks = Vec::new();
    for (what, text) in &told {
        leaks.extend(found(what, text.as_bytes(), &secrets));
    }
    let metrics = world.looks_at("/metrics").await;
    assert!(metrics.text.contains("medvan_calls_total") && metrics.text.contains("medvan_tokens_refused_total"));
    leaks.extend(found("/metrics", metrics.text.as_bytes(), &secrets));
    let exchanges = world.reads("/hospitals/kaede/exchanges").await;
    let recorded = exchanges["items"][0]["id"].as_str().unwrap().to_owned();
    leaks.extend(found("/api/v1 exchanges", exchanges.to_string().as_bytes(), &secrets));
    let folder = world.gateway.stop().await;
    let files = files_under(folder.path());
    let database = files.iter().find(|(name, _)| name.ends_with("medvan.sqlite")).expect("the database");
    assert!(!found("database", &database.1, &[recorded]).is_empty(), "what is recorded can be found this way");
    for (name, bytes) in &files {
        leaks.extend(found(name, bytes, &secrets));
    }
    let text = log.text();
    assert!(text.contains("medvan::access") && text.contains("token refused"), "the log was listened to");
    for line in text.lines() {
        leaks.extend(found(line, line.as_bytes(), &secrets));
    }
    assert_eq!(leaks, Vec::<String>::new());
}

/// A mix of calls about the patient. Returns the JWTs used and every text that was told to a stranger or an
/// administrator, which is every reply but the cards themselves.
async fn calls(world: &World) -> (Vec<String>, Vec<(String, String)>) {
    let (mut jwts, mut told) = (Vec::new(), Vec::new());
    for (what, service, body) in letters(world) {
        let url = format!("{}/cds-services/{service}", world.base());
        let jwt = world.ehr.token(&url).unwrap();
        let letter = || world.writes_to(&service).with("authorization", &format!("Bearer {jwt}")).saying(body.clone());
        let first = letter().send().await;
        let replayed = letter().send().await;
        assert_eq!(replayed.status, 401, "{what}");
        if what == "good" {
            assert_eq!(first.status, 200, "{first:?}");
            assert!(first.text.contains(NAME), "the echo tells the doctor what it was sent");
        } else {
            assert_ne!(first.status, 200, "{what}: {first:?}");
            told.push((format!("the reply to: {what}"), first.text));
        }
        jwts.push(jwt);
    }
    (jwts, told)
}

/// Requests with the secrets in every place where a text can stand.
fn letters(world: &World) -> Vec<(&'static str, String, String)> {
    let good = good(world);
    let bent = |place: &str, value: Value| {
        let mut request = good.clone();
        *request.pointer_mut(place).unwrap() = value;
        request.to_string()
    };
    let sign = || "van-order-sign".to_owned();
    let mut keyed = good.clone();
    keyed["prefetch"] = json!({ NAME: 7 });
    let mut server = good.clone();
    server["fhirServer"] = json!(format!("http://{TOKEN}.example/{PATIENT}"));
    vec![
        ("good", sign(), good.to_string()),
        ("cut off", sign(), good.to_string().split_at(700).0.to_owned()),
        ("a patient twice", sign(), good.to_string().replacen('{', &format!("{{\"{NAME}\":1,\"{NAME}\":2,"), 1)),
        ("another hook", sign(), bent("/hook", json!(NAME))),
        ("a patient with a query", sign(), bent("/context/patientId", json!(format!("{PATIENT}&{NAME}")))),
        ("a user that is a name", sign(), bent("/context/userId", json!(NAME))),
        ("orders that are a name", sign(), bent("/context/draftOrders", json!(NAME))),
        ("another patient's token", sign(), bent("/fhirAuthorization/patient", json!("kakure-7261-2"))),
        (
            "a token with a line feed",
            sign(),
            bent("/fhirAuthorization/access_token", json!(format!("{TOKEN}\n{NAME}"))),
        ),
        ("a key that is a name", sign(), keyed.to_string()),
        ("a foreign server", sign(), server.to_string()),
        ("a service that is an id", PATIENT.to_owned(), good.to_string()),
        ("a service that is a name", "%E9%9A%A0%E7%94%B0".to_owned(), good.to_string()),
    ]
}

/// A good call with everything in it: context, prefetch, access to the FHIR server, an extension.
fn good(world: &World) -> Value {
    let firing = world.fires("order-sign").on(PATIENT).ordering("levofloxacin");
    let mut request: Value = serde_json::from_str(&firing.body()).unwrap();
    request["context"]["userId"] = json!(format!("Practitioner/{USER}"));
    request["context"]["draftOrders"]["entry"][0]["resource"]["note"] = json!([{ "text": DRUG_NOTE }]);
    request["fhirServer"] = json!(world.fhir.base_url());
    request["fhirAuthorization"] = json!({
        "access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read",
        "subject": "medvan", "patient": PATIENT,
    });
    request["extension"] = json!({ "jp.kaede.note": { "text": NAME } });
    request["prefetch"] = json!({ "patient": {
        "resourceType": "Patient", "id": PATIENT, "name": [{ "text": NAME }, { "text": KANA }], "birthDate": "1961-02-07", "gender": "female",
    } });
    request
}

/// Name and content of every file, also of those that the database keeps beside its own.
fn files_under(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files_under(&path)
            } else {
                vec![(path.display().to_string(), fs::read(&path).unwrap())]
            }
        })
        .collect()
}
