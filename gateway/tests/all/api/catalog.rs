//! Writing the catalog, and what calls see of it.

use http::StatusCode;
use serde_json::{Value, json};

use super::office::{Office, client, descriptor, enrollment, hospital, vendor};

const VERSION: &str = "/vendors/asagao/services/news2/versions/1.2.0";

#[tokio::test]
async fn what_is_approved_and_enrolled_is_offered_on_the_next_call() {
    let office = Office::open().await;
    office.furnish().await;
    assert_eq!(office.offers(), ["van-patient-view", "asagao.news2"]);
}

#[tokio::test]
async fn a_suspension_holds_from_the_next_call_on_and_ends_by_reinstatement() {
    let office = Office::open().await;
    office.furnish().await;
    office.decide("suspend").await.expect(StatusCode::OK);
    assert!(office.offers().is_empty());
    office.decide("reinstate").await.expect(StatusCode::OK);
    assert_eq!(office.offers().len(), 2);
    office.decide("withdraw").await.expect(StatusCode::OK);
    assert!(office.offers().is_empty());
    let refused = office.decide("reinstate").await.expect(StatusCode::CONFLICT).json();
    assert_eq!(refused["detail"], "a version in state 'withdrawn' cannot reinstate: possible from here: nothing");
}

#[tokio::test]
async fn nothing_serves_before_the_governor_approved_it() {
    let office = Office::open().await;
    for (path, object) in [
        ("/hospitals/kiku", hospital("kiku")),
        ("/vendors/asagao", vendor("asagao")),
        (VERSION, descriptor()),
        ("/hospitals/kiku/enrollments/asagao.news2", enrollment("kiku", &json!("live"))),
    ] {
        office.operator("PUT", path, &object).await.expect(StatusCode::CREATED);
        assert!(office.offers().is_empty());
    }
    office.decide("approve").await.expect(StatusCode::CONFLICT);
    office.operator("POST", &format!("{VERSION}/submit"), &Value::Null).await.expect(StatusCode::OK);
    assert!(office.offers().is_empty());
    office.decide("approve").await.expect(StatusCode::OK);
    assert!(!office.offers().is_empty());
}

#[tokio::test]
async fn every_decision_is_kept_with_who_and_why() {
    let office = Office::open().await;
    office.furnish().await;
    office.decide("approve").await.expect(StatusCode::OK);
    let history = office.operator("GET", &format!("{VERSION}/history"), &Value::Null).await.json();
    let steps = history["steps"].as_array().unwrap();
    let moves: Vec<_> = steps.iter().map(|step| step["moved"].as_str().unwrap()).collect();
    assert_eq!(moves, ["submit", "approve"], "approving again moves nothing");
    assert!(steps[1]["actor"].as_str().unwrap().starts_with("governor ("));
    assert_eq!(steps[1]["reason"], "checked");
}

#[tokio::test]
async fn a_version_never_changes() {
    let office = Office::open().await;
    office.operator("PUT", "/vendors/asagao", &vendor("asagao")).await.expect(StatusCode::CREATED);
    office.operator("PUT", VERSION, &descriptor()).await.expect(StatusCode::CREATED);
    office.operator("PUT", VERSION, &descriptor()).await.expect(StatusCode::OK);
    let mut other = descriptor();
    other["limits"]["deadlineMs"] = json!(900);
    office.operator("PUT", VERSION, &other).await.expect(StatusCode::CONFLICT);
    let kept = office.operator("GET", VERSION, &Value::Null).await.json();
    assert_eq!(kept["descriptor"], descriptor());
}

#[tokio::test]
async fn a_vendor_registers_and_submits_its_own_service() {
    let office = Office::open().await;
    office.operator("PUT", "/vendors/asagao", &vendor("asagao")).await.expect(StatusCode::CREATED);
    let secret = office.credential("vendor", "asagao").await;
    office.send(Some(&secret), "PUT", VERSION, &descriptor()).await.expect(StatusCode::CREATED);
    let submitted = office.send(Some(&secret), "POST", &format!("{VERSION}/submit"), &Value::Null).await;
    assert_eq!(submitted.expect(StatusCode::OK).json()["state"], "submitted");
}

#[tokio::test]
async fn one_hook_id_never_means_two_services_of_a_vendor() {
    let office = Office::open().await;
    office.furnish().await;
    let mut other = descriptor();
    other["id"] = json!("other");
    let path = "/vendors/asagao/services/other/versions/1.2.0";
    assert_eq!(office.operator("PUT", path, &other).await.fault_places(), ["/hooks/0/id"]);
    office.decide("withdraw").await.expect(StatusCode::OK);
    office.operator("PUT", path, &other).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn two_hospitals_are_never_called_by_one_ae_title() {
    let office = Office::open().await;
    let called = |id: &str, title: &str| {
        let mut hospital = hospital(id);
        hospital["imaging"] = json!({"aeTitle": title, "nodes": [
            {"aeTitle": "PACS", "host": "pacs.example", "port": 104, "store": true}
        ]});
        hospital
    };
    office.operator("PUT", "/hospitals/kiku", &called("kiku", "MEDVAN")).await.expect(StatusCode::CREATED);
    let refused = office.operator("PUT", "/hospitals/ume", &called("ume", " MEDVAN ")).await;
    let refused = refused.expect(StatusCode::CONFLICT).json();
    assert!(refused["detail"].as_str().unwrap().starts_with("imaging.aeTitle"), "{refused}");
    office.operator("PUT", "/hospitals/ume", &called("ume", "MEDVAN_UME")).await.expect(StatusCode::CREATED);
    office.operator("PUT", "/hospitals/kiku", &called("kiku", "MEDVAN")).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn the_same_object_again_changes_nothing_and_another_one_changes_it() {
    let office = Office::open().await;
    office.operator("PUT", "/hospitals/kiku", &hospital("kiku")).await.expect(StatusCode::CREATED);
    office.operator("PUT", "/hospitals/kiku", &hospital("kiku")).await.expect(StatusCode::OK);
    let mut other = hospital("kiku");
    other["deadlineMs"] = json!(3_000);
    office.operator("PUT", "/hospitals/kiku", &other).await.expect(StatusCode::OK);
    let read = office.operator("GET", "/hospitals/kiku", &Value::Null).await.json();
    assert_eq!((&read["deadlineMs"], &read["missedHook"]), (&json!(3_000), &json!("drop")));
}

#[tokio::test]
async fn two_clients_of_a_hospital_cannot_share_an_issuer() {
    let office = Office::open().await;
    office.furnish().await;
    let mut twin = client("kiku", "ehr");
    twin["id"] = json!("twin");
    office.operator("PUT", "/hospitals/kiku/clients/twin", &twin).await.expect(StatusCode::CONFLICT);
    office.operator("PUT", "/hospitals/ran", &hospital("ran")).await.expect(StatusCode::CREATED);
    twin["hospital"] = json!("ran");
    office.operator("PUT", "/hospitals/ran/clients/twin", &twin).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn an_enrolment_ends_at_once_and_is_only_for_what_is_registered() {
    let office = Office::open().await;
    office.furnish().await;
    let path = "/hospitals/kiku/enrollments/asagao.news2";
    office.operator("DELETE", path, &Value::Null).await.expect(StatusCode::NO_CONTENT);
    assert!(office.offers().is_empty());
    office.operator("DELETE", path, &Value::Null).await.expect(StatusCode::NOT_FOUND);

    let pinned = json!({"hospital": "kiku", "service": "asagao.news2", "version": "9.9.9", "mode": "live"});
    assert_eq!(office.operator("PUT", path, &pinned).await.fault_places(), ["/version"]);
    let trial = json!({"trial": {"quota": 10, "until": "2027-01-01T00:00:00Z"}});
    office.operator("PUT", path, &enrollment("kiku", &trial)).await.expect(StatusCode::CREATED);
    assert_eq!(office.operator("GET", path, &Value::Null).await.json()["mode"], trial);
}

#[tokio::test]
async fn a_vendor_that_has_registered_something_stays() {
    let office = Office::open().await;
    office.furnish().await;
    office.operator("DELETE", "/vendors/asagao", &Value::Null).await.expect(StatusCode::CONFLICT);
    office.operator("PUT", "/vendors/botan", &vendor("botan")).await.expect(StatusCode::CREATED);
    office.operator("DELETE", "/vendors/botan", &Value::Null).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn lists_go_on_page_by_page() {
    let office = Office::open().await;
    for id in ["a", "b", "c", "d", "e"] {
        office.operator("PUT", &format!("/hospitals/{id}"), &hospital(id)).await.expect(StatusCode::CREATED);
    }
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/hospitals?limit=2&cursor={cursor}");
        let page = office.operator("GET", &path, &Value::Null).await.expect(StatusCode::OK).json();
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn everybody_with_a_credential_sees_what_is_approved() {
    let office = Office::open().await;
    office.furnish().await;
    let hospital = office.credential("hospital", "kiku").await;
    let list = office.send(Some(&hospital), "GET", "/services", &Value::Null).await.expect(StatusCode::OK).json();
    assert_eq!(list["items"][0]["service"], "asagao.news2");
    office.decide("suspend").await.expect(StatusCode::OK);
    let list = office.send(Some(&hospital), "GET", "/services", &Value::Null).await.json();
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn what_will_not_work_with_every_ehr_is_remarked_and_registered_all_the_same() {
    let office = Office::open().await;
    office.operator("PUT", "/vendors/asagao", &vendor("asagao")).await.expect(StatusCode::CREATED);
    let mut wide = descriptor();
    wide["hooks"][0]["prefetch"] =
        json!({"all": "Observation?code=8867-4", "old": "Condition?patient={{context.patientId}}&sort:desc=date"});
    let why = json!({"ja": "計算のため", "en": "To compute it."});
    wide["hooks"][0]["why"] = json!({"all": why, "old": why});
    let version = "/vendors/asagao/services/news2/versions/1.2.0";
    let answer = office.operator("PUT", version, &wide).await.expect(StatusCode::CREATED).json();
    let places: Vec<&str> =
        answer["remarks"].as_array().unwrap().iter().map(|remark| remark["place"].as_str().unwrap()).collect();
    assert_eq!(places, ["/hooks/0/prefetch/all", "/hooks/0/prefetch/old"], "{answer:#}");
    for member in ["reason", "mend", "reasonJa", "mendJa"] {
        assert!(answer["remarks"][0][member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
    }
    assert_eq!(office.operator("GET", version, &Value::Null).await.json()["remarks"], answer["remarks"]);
}

#[tokio::test]
async fn whoever_decides_sees_which_version_serves_afterwards() {
    let office = Office::open().await;
    office.furnish().await;
    let mut newer = descriptor();
    newer["version"] = json!("1.10.0");
    let newest = "/vendors/asagao/services/news2/versions/1.10.0";
    office.operator("PUT", newest, &newer).await.expect(StatusCode::CREATED);
    office.operator("POST", &format!("{newest}/submit"), &Value::Null).await.expect(StatusCode::OK);
    for (version, decision, serving) in [
        (newest, "approve", json!("1.10.0")),
        (newest, "suspend", json!("1.2.0")),
        (VERSION, "suspend", Value::Null),
        (newest, "reinstate", json!("1.10.0")),
    ] {
        let decided = json!({"decision": decision, "reason": "checked"});
        let answer = office.governor("POST", &format!("{version}/decision"), &decided).await.expect(StatusCode::OK);
        assert_eq!(answer.json()["serving"], serving, "after {decision} of {version}");
    }
}

#[tokio::test]
async fn a_vendor_reads_of_anothers_service_not_how_it_is_called() {
    let office = Office::open().await;
    office.furnish().await;
    office.operator("PUT", "/vendors/botan", &vendor("botan")).await.expect(StatusCode::CREATED);
    for (role, subject, is_shown) in
        [("vendor", "asagao", true), ("vendor", "botan", false), ("hospital", "kiku", true)]
    {
        let secret = office.credential(role, subject).await;
        let listed = office.send(Some(&secret), "GET", "/services", &Value::Null).await.expect(StatusCode::OK).json();
        let descriptor = &listed["items"][0]["descriptor"];
        assert_eq!(descriptor["transport"].is_object(), is_shown, "{role} {subject}");
        assert_eq!(descriptor["modelCard"], self::descriptor()["modelCard"]);
    }
}
