//! Credentials: made on first start, issued, ended.

use std::os::unix::fs::PermissionsExt as _;

use http::StatusCode;
use medvan::{
    api::{self, CredentialError},
    clock::Clock,
    store::Store,
};
use serde_json::{Value, json};
use time::{Duration, format_description::well_known::Rfc3339};

use super::office::{NOON, Office, hospital};

#[tokio::test]
async fn the_first_credentials_are_in_files_that_only_their_owner_can_read() {
    let office = Office::open().await;
    for role in ["operator", "governor"] {
        let file = office.dir.path().join(format!("{role}.credential"));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.starts_with(&format!("mv_{role}_")), "a credential of its role");
    }
}

#[tokio::test]
async fn no_secret_is_in_the_database() {
    let office = Office::open().await;
    let issued = office.credential("operator", "").await;
    office.api.store.close().await;
    for entry in office.dir.path().read_dir().unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_str().unwrap().starts_with("medvan.db") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for secret in [&office.operator, &office.governor, &issued] {
            let random = &secret.as_bytes()[secret.len() - 43..];
            assert!(!bytes.windows(random.len()).any(|window| window == random), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_second_start_makes_no_new_credentials_and_an_interrupted_first_one_is_taken_up() {
    let office = Office::open().await;
    let clock = Clock::fixed(NOON);
    assert!(api::first_credentials(&office.api.store, office.dir.path(), &clock).await.unwrap().is_empty());

    // The file is there, the store does not know it: the process died between the two.
    let store = Store::open(&office.dir.path().join("other.db")).await.unwrap();
    assert_eq!(api::first_credentials(&store, office.dir.path(), &clock).await.unwrap().len(), 2);
    let kept = std::fs::read_to_string(office.dir.path().join("operator.credential")).unwrap();
    assert_eq!(kept.trim(), office.operator);
}

#[tokio::test]
async fn a_credential_file_that_others_can_read_stops_the_start() {
    let office = Office::open().await;
    let file = office.dir.path().join("operator.credential");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = Store::open(&office.dir.path().join("other.db")).await.unwrap();
    let refused = api::first_credentials(&store, office.dir.path(), &Clock::fixed(NOON)).await.unwrap_err();
    assert!(matches!(refused, CredentialError::Exposed(_)));
}

#[tokio::test]
async fn a_revoked_and_an_expired_credential_are_refused() {
    let office = Office::open().await;
    let expires_at = (NOON + Duration::hours(1)).format(&Rfc3339).unwrap();
    let wish = json!({"role": "operator", "label": "for an hour", "expiresAt": expires_at});
    let issued = office.operator("POST", "/credentials", &wish).await.expect(StatusCode::CREATED).json();
    let secret = issued["secret"].as_str().unwrap();
    let knock = || office.send(Some(secret), "GET", "/hospitals", &Value::Null);
    knock().await.expect(StatusCode::OK);
    office.pass(Duration::hours(1));
    knock().await.expect(StatusCode::UNAUTHORIZED);

    let other = office.operator("POST", "/credentials", &json!({"role": "operator", "label": "x"})).await.json();
    let path = format!("/credentials/{}", other["id"].as_str().unwrap());
    office.operator("DELETE", &path, &Value::Null).await.expect(StatusCode::NO_CONTENT);
    let revoked = office.send(other["secret"].as_str(), "GET", "/hospitals", &Value::Null).await;
    revoked.expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_operator_cannot_become_the_governor_nor_end_it() {
    let office = Office::open().await;
    let wish = json!({"role": "governor", "label": "x"});
    office.operator("POST", "/credentials", &wish).await.expect(StatusCode::FORBIDDEN);
    let all = office.operator("GET", "/credentials", &Value::Null).await.json();
    let governors = all["items"].as_array().unwrap().iter().find(|item| item["role"] == "governor").unwrap();
    let path = format!("/credentials/{}", governors["id"].as_str().unwrap());
    office.operator("DELETE", &path, &Value::Null).await.expect(StatusCode::FORBIDDEN);
    office.governor("POST", "/credentials", &wish).await.expect(StatusCode::CREATED);
    let operators = json!({"role": "operator", "label": "x"});
    office.governor("POST", "/credentials", &operators).await.expect(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_list_of_credentials_shows_neither_secret_nor_digest() {
    let office = Office::open().await;
    let list = office.operator("GET", "/credentials", &Value::Null).await.expect(StatusCode::OK).json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let mut members: Vec<_> = items[0].as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["createdAt", "createdBy", "id", "label", "role", "subject"]);
}

#[tokio::test]
async fn a_credential_is_for_an_existing_hospital_and_ends_with_it() {
    let office = Office::open().await;
    let wish = |subject: &str| json!({"role": "hospital", "subject": subject, "label": "x"});
    let places = office.operator("POST", "/credentials", &wish("nobody")).await.fault_places();
    assert_eq!(places, ["/subject"]);
    let with_subject = json!({"role": "operator", "subject": "kiku", "label": "x"});
    assert_eq!(office.operator("POST", "/credentials", &with_subject).await.fault_places(), ["/subject"]);

    office.operator("PUT", "/hospitals/kiku", &hospital("kiku")).await.expect(StatusCode::CREATED);
    let secret = office.credential("hospital", "kiku").await;
    office.send(Some(&secret), "GET", "/hospitals/kiku", &Value::Null).await.expect(StatusCode::OK);
    office.operator("DELETE", "/hospitals/kiku", &Value::Null).await.expect(StatusCode::NO_CONTENT);
    office.operator("PUT", "/hospitals/kiku", &hospital("kiku")).await.expect(StatusCode::CREATED);
    let ended = office.send(Some(&secret), "GET", "/hospitals/kiku", &Value::Null).await;
    ended.expect(StatusCode::UNAUTHORIZED);
}
