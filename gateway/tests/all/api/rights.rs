//! Who may do what (security checks 41 to 43): the whole table, swept.

use http::StatusCode;
use medvan::api::rights::{RIGHTS, Right, Role};
use serde_json::{Value, json};

use super::office::{Office, client, descriptor, enrollment, hospital, vendor};

/// A path of the table with existing objects in it.
fn path(right: &Right, hospital: &str, vendor: &str) -> String {
    let service = if right.path.starts_with("/hospitals") { "asagao.news2" } else { "news2" };
    right
        .path
        .replace("{hospital}", hospital)
        .replace("{vendor}", vendor)
        .replace("{client}", "ehr")
        .replace("{service}", service)
        .replace("{version}", "1.2.0")
        .replace("{job}", "01930000-0000-7000-8000-000000000000")
        .replace("{study}", "2.25.1")
        .replace("{exchange}", "01930000-0000-7000-8000-000000000000")
        .replace("{credential}", "01930000-0000-7000-8000-000000000000")
}

/// A body that the operation would take, so that only the right decides.
fn body(right: &Right, hospital_id: &str) -> Value {
    match (right.method.as_str(), right.path) {
        ("GET" | "DELETE", _) => Value::Null,
        (_, "/hospitals/{hospital}") => hospital(hospital_id),
        (_, "/hospitals/{hospital}/clients/{client}") => client(hospital_id, "ehr"),
        (_, "/hospitals/{hospital}/enrollments/{service}") => enrollment(hospital_id, &json!("live")),
        (_, "/vendors/{vendor}") => vendor("asagao"),
        (_, "/credentials") => json!({"role": "operator", "label": "x"}),
        (_, path) if path.ends_with("{version}") => descriptor(),
        (_, path) if path.ends_with("/decision") => json!({"decision": "approve", "reason": "x"}),
        _ => Value::Null,
    }
}

async fn secrets(office: &Office) -> [(Role, String); 4] {
    [
        (Role::Operator, office.operator.clone()),
        (Role::Governor, office.governor.clone()),
        (Role::Vendor, office.credential("vendor", "asagao").await),
        (Role::Hospital, office.credential("hospital", "kiku").await),
    ]
}

#[tokio::test]
async fn a_role_gets_403_exactly_where_the_table_does_not_name_it() {
    let office = Office::open().await;
    office.furnish().await;
    let secrets = secrets(&office).await;
    // What deletes comes last, or nothing is left to be refused on.
    let (ending, other): (Vec<_>, Vec<_>) = RIGHTS.iter().partition(|right| right.method == http::Method::DELETE);
    for right in other.into_iter().chain(ending) {
        for (role, secret) in &secrets {
            let named = right.roles.contains(role);
            if named && right.method == http::Method::DELETE {
                continue;
            }
            let path = path(right, "kiku", "asagao");
            let answer = office.send(Some(secret), right.method.as_str(), &path, &body(right, "kiku")).await;
            let refused = answer.status == StatusCode::FORBIDDEN;
            // The governor may call POST /credentials, though not for an operator's credential.
            let own_rule = right.path.starts_with("/credentials") && *role == Role::Governor;
            assert!(refused != named || own_rule, "{role:?} {} {path}: {}", right.method, answer.status);
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{role:?} {path}");
            assert!(answer.status.as_u16() < 500, "{role:?} {path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn nobody_without_a_valid_credential_gets_anything_but_a_bare_401() {
    let office = Office::open().await;
    office.furnish().await;
    let wrong_form = "mv_operator_short".to_owned();
    let unknown = format!("mv_operator_{}", "A".repeat(43));
    let other_role = office.operator.replace("operator", "governor");
    for right in RIGHTS {
        for secret in [None, Some(&wrong_form), Some(&unknown), Some(&other_role)] {
            let path = path(right, "kiku", "asagao");
            let answer = office.send(secret.map(String::as_str), right.method.as_str(), &path, &Value::Null).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {path}", right.method);
            assert!(answer.body.is_empty());
        }
    }
}

#[tokio::test]
async fn another_tenants_objects_are_as_if_there_were_none() {
    let office = Office::open().await;
    office.furnish().await;
    office.operator("PUT", "/hospitals/ran", &hospital("ran")).await.expect(StatusCode::CREATED);
    office.operator("PUT", "/vendors/botan", &vendor("botan")).await.expect(StatusCode::CREATED);
    let hospital_secret = office.credential("hospital", "ran").await;
    let vendor_secret = office.credential("vendor", "botan").await;
    for right in RIGHTS {
        let (secret, role) = if right.path.contains("{hospital}") {
            (&hospital_secret, Role::Hospital)
        } else if right.path.contains("{vendor}") {
            (&vendor_secret, Role::Vendor)
        } else {
            continue;
        };
        let expected = if right.roles.contains(&role) { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
        let path = path(right, "kiku", "asagao");
        let theirs = office.send(Some(secret), right.method.as_str(), &path, &body(right, "kiku")).await;
        let nobodys = self::path(right, "nobody", "nobody");
        let nobodys = office.send(Some(secret), right.method.as_str(), &nobodys, &body(right, "nobody")).await;
        assert_eq!(theirs.status, expected, "{} {path}", right.method);
        assert_eq!((theirs.status, theirs.body), (nobodys.status, nobodys.body), "{} {path}", right.method);
    }
}

#[tokio::test]
async fn neither_vendor_nor_operator_can_approve() {
    let office = Office::open().await;
    office.furnish().await;
    let vendor = office.credential("vendor", "asagao").await;
    let path = "/vendors/asagao/services/news2/versions/1.2.0/decision";
    let decision = json!({"decision": "approve", "reason": "it is mine"});
    for secret in [&vendor, &office.operator] {
        let answer = office.send(Some(secret), "POST", path, &decision).await.expect(StatusCode::FORBIDDEN);
        assert_eq!(answer.json()["type"], "https://medvan.example/problems/forbidden");
    }
}
