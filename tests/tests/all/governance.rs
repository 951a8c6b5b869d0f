//! Who may let a service serve, and that it holds from the next call on.

use medvan_fixtures::ehr::Answer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{As, Maker, World, card, name, version_path};

/// A hospital, and a vendor that has registered nothing yet.
async fn stage() -> (World, Maker) {
    let world = World::in_no_hurry().await;
    let sakura = Maker::starts("sakura").await;
    sakura.says(&[card("a", "桜の助言")]);
    let vendor = json!({
        "id": "sakura", "name": {"ja": "桜", "en": "Sakura"},
        "contact": {"name": "Support", "email": "support@sakura.example"},
    });
    world.puts(As::Operator, "/vendors/sakura", &vendor).await;
    (world, sakura)
}

async fn view(world: &World) -> Answer {
    world.asks(world.fires("patient-view"), "patient-view").await
}

/// The same service under another version number.
fn numbered(descriptor: &Value, version: &str) -> Value {
    let mut descriptor = descriptor.clone();
    descriptor["version"] = version.into();
    descriptor
}

/// The version that answered.
fn version(answer: &Answer) -> &str {
    answer.body["extension"]["jp.medvan.exchange"]["services"][0]["version"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn only_an_approved_version_serves_and_a_decision_holds_from_the_next_call_on() {
    let (world, sakura) = stage().await;
    let descriptor = sakura.descriptor("patient-view");
    let path = version_path(&descriptor);
    world.puts(As::Operator, &path, &descriptor).await;
    world.enrolled(&descriptor, json!({"mode": "live"})).await;
    assert_eq!(view(&world).await.status, 404, "a draft");
    world.posts(As::Operator, &format!("{path}/submit"), &json!({})).await;
    assert_eq!(view(&world).await.status, 404, "submitted");
    for (decision, serves) in [
        ("reject", false),
        ("", false),
        ("approve", true),
        ("suspend", false),
        ("reinstate", true),
        ("suspend", false),
        ("withdraw", false),
    ] {
        match decision {
            "" => world.posts(As::Operator, &format!("{path}/submit"), &json!({})).await,
            decision => world.posts(As::Governor, &format!("{path}/decision"), &reasoned(decision)).await,
        };
        let calls = sakura.calls().len();
        let aggregated = view(&world).await;
        let single = world.fires("patient-view").at(&world.base(), "sakura.advice").await.unwrap();
        let expected = if serves { 200 } else { 404 };
        assert_eq!((aggregated.status, single.status), (expected, expected), "after {decision}");
        assert_eq!(sakura.calls().len() - calls, if serves { 2 } else { 0 }, "after {decision}");
        let offered = world.ehr.discovers(&world.base()).await.unwrap();
        assert_eq!(offered.conforms().ids().len(), if serves { 2 } else { 0 }, "after {decision}");
    }
    let (status, _) =
        world.manages(As::Governor, Method::POST, &format!("{path}/decision"), Some(&reasoned("approve"))).await;
    assert_eq!(status, 409, "what is withdrawn is withdrawn for ever");
}

fn reasoned(decision: &str) -> Value {
    json!({"decision": decision, "reason": "審査会の決定"})
}

#[tokio::test]
async fn a_suspended_service_is_missing_in_the_answer_and_the_others_are_not() {
    let (world, sakura) = stage().await;
    world.enrolls(&sakura.descriptor("patient-view"), json!("live")).await;
    let tsubaki = world.makes("tsubaki", "patient-view").await;
    tsubaki.says(&[card("b", "椿の助言")]);
    assert_eq!(view(&world).await.conforms().summaries(), ["桜の助言", "椿の助言"]);
    world.decides(&sakura.descriptor("patient-view"), "suspend").await;
    assert_eq!(view(&world).await.conforms().summaries(), ["椿の助言"]);
    world.decides(&sakura.descriptor("patient-view"), "reinstate").await;
    assert_eq!(view(&world).await.conforms().summaries(), ["桜の助言", "椿の助言"]);
}

#[tokio::test]
async fn a_call_that_was_under_way_before_a_suspension_still_ends() {
    let (world, sakura) = stage().await;
    world.enrolls(&sakura.descriptor("patient-view"), json!("live")).await;
    sakura.holds_back();
    let running = view(&world);
    let suspending = async {
        sakura.is_asked(1).await;
        world.decides(&sakura.descriptor("patient-view"), "suspend").await;
        sakura.lets_go();
    };
    let (answer, ()) = tokio::join!(running, suspending);
    assert_eq!(answer.conforms().summaries(), ["桜の助言"]);
    assert_eq!(view(&world).await.status, 404);
}

#[tokio::test]
async fn nobody_does_what_is_anothers_office() {
    let (world, sakura) = stage().await;
    let descriptor = sakura.descriptor("patient-view");
    let path = version_path(&descriptor);
    world.puts(As::Operator, &path, &descriptor).await;
    world.posts(As::Operator, &format!("{path}/submit"), &json!({})).await;
    let vendor = world.issues("vendor", "sakura").await;
    let hospital = world.issues("hospital", "kaede").await;
    let decision = format!("{path}/decision");
    let enrollment = json!({"hospital": "kaede", "service": name(&descriptor), "mode": "live"});
    let enrollments = "/hospitals/kaede/enrollments/sakura.advice";
    let governors = json!({"role": "governor", "label": "for myself"});
    for (who, role, method, path, body, status) in [
        ("the operator approves", As::Operator, Method::POST, decision.as_str(), reasoned("approve"), 403),
        ("the vendor approves itself", vendor.clone(), Method::POST, &decision, reasoned("approve"), 403),
        ("the hospital approves", hospital.clone(), Method::POST, &decision, reasoned("approve"), 403),
        ("the operator makes itself governor", As::Operator, Method::POST, "/credentials", governors.clone(), 403),
        ("the vendor enrols a hospital", vendor.clone(), Method::PUT, enrollments, enrollment.clone(), 403),
        ("the hospital lifts its own contract", hospital.clone(), Method::PUT, enrollments, enrollment.clone(), 403),
        ("the governor enrols a hospital", As::Governor, Method::PUT, enrollments, enrollment.clone(), 403),
        ("the governor registers a version", As::Governor, Method::PUT, &path, descriptor.clone(), 403),
        ("the hospital registers a version", hospital.clone(), Method::PUT, &path, descriptor.clone(), 403),
        ("the vendor issues credentials", vendor.clone(), Method::POST, "/credentials", governors, 403),
        (
            "a stranger approves",
            As::Holder("mv_governor_x".to_owned()),
            Method::POST,
            &decision,
            reasoned("approve"),
            401,
        ),
    ] {
        let (seen, answer) = world.manages(role, method, path, Some(&body)).await;
        assert_eq!(seen, status, "{who}: {answer}");
    }
    assert_eq!(view(&world).await.status, 404, "nothing was approved and nobody enrolled");
    world.decides(&descriptor, "approve").await;
    world.puts(As::Operator, enrollments, &enrollment).await;
    assert_eq!(view(&world).await.status, 200);
}

#[tokio::test]
async fn a_hospital_and_a_vendor_see_their_own_and_nothing_else_exists() {
    let (world, sakura) = stage().await;
    world.enrolls(&sakura.descriptor("patient-view"), json!("live")).await;
    world.makes("tsubaki", "order-sign").await;
    world.neighbour("momiji", json!({})).await;
    let answer = view(&world).await;
    let exchange = format!("/exchanges/{}", answer.body["extension"]["jp.medvan.exchange"]["id"].as_str().unwrap());
    let nobodys = format!("/exchanges/{}", uuid::Uuid::now_v7());
    for (role, subject, path, status) in [
        ("hospital", "kaede", "/hospitals/kaede", 200),
        ("hospital", "momiji", "/hospitals/kaede", 404),
        ("hospital", "momiji", "/hospitals/kaede/clients/ehr", 404),
        ("hospital", "momiji", "/hospitals/kaede/enrollments", 404),
        ("hospital", "momiji", "/hospitals/kaede/exchanges", 404),
        ("hospital", "momiji", "/hospitals/kaede/usage", 404),
        ("hospital", "momiji", "/hospitals/nowhere", 404),
        ("hospital", "kaede", exchange.as_str(), 200),
        ("hospital", "momiji", &exchange, 404),
        ("hospital", "momiji", &nobodys, 404),
        ("vendor", "sakura", &exchange, 200),
        ("vendor", "tsubaki", &exchange, 404),
        ("vendor", "tsubaki", "/vendors/sakura/versions", 404),
        ("vendor", "tsubaki", "/vendors/sakura/scorecard", 404),
        ("vendor", "tsubaki", "/vendors/tsubaki/scorecard", 200),
    ] {
        let holder = world.issues(role, subject).await;
        let (seen, body) = world.manages(holder, Method::GET, path, None).await;
        assert_eq!(seen, status, "{role} {subject} reads {path}: {body}");
    }
}

#[tokio::test]
async fn a_vendor_learns_of_an_exchange_only_its_own_part() {
    let (world, sakura) = stage().await;
    world.enrolls(&sakura.descriptor("patient-view"), json!("live")).await;
    world.makes("tsubaki", "patient-view").await;
    let answer = view(&world).await;
    let path = format!("/exchanges/{}", answer.body["extension"]["jp.medvan.exchange"]["id"].as_str().unwrap());
    let holder = world.issues("vendor", "sakura").await;
    let (_, seen) = world.manages(holder, Method::GET, &path, None).await;
    assert_eq!(seen["explanation"]["services"].as_array().map(Vec::len), Some(1));
    assert_eq!(seen["explanation"]["services"][0]["service"], "sakura.advice");
    let text = seen.to_string();
    assert!(!text.contains("tsubaki") && !text.contains("kaede"), "{text}");
}

#[tokio::test]
async fn a_registered_version_never_changes() {
    let (world, sakura) = stage().await;
    let descriptor = sakura.descriptor("patient-view");
    let path = version_path(&descriptor);
    let puts = async |body: &Value| world.manages(As::Operator, Method::PUT, &path, Some(body)).await.0;
    let mut other = descriptor.clone();
    other["hooks"][0]["description"] = "Something else".into();
    assert_eq!((puts(&descriptor).await, puts(&descriptor).await, puts(&other).await), (201, 200, 409));
    world.posts(As::Operator, &format!("{path}/submit"), &json!({})).await;
    world.decides(&descriptor, "approve").await;
    assert_eq!((puts(&descriptor).await, puts(&other).await), (200, 409), "approved");
    let kept = world.reads(&path).await;
    assert_eq!((&kept["descriptor"], &kept["state"]), (&descriptor, &json!("approved")));
}

#[tokio::test]
async fn a_new_approved_version_takes_over_unless_the_hospital_is_pinned() {
    let (world, sakura) = stage().await;
    let first = sakura.descriptor("patient-view");
    world.enrolls(&first, json!("live")).await;
    let momiji = world.neighbour("momiji", json!({})).await;
    let pinned = json!({"hospital": "momiji", "service": "sakura.advice", "mode": "live", "version": "1.0.0"});
    world.puts(As::Operator, "/hospitals/momiji/enrollments/sakura.advice", &pinned).await;
    let theirs = async || momiji.asks(momiji.ehr.fires("patient-view"), "patient-view").await;

    let second = numbered(&first, "1.10.0");
    world.puts(As::Operator, &version_path(&second), &second).await;
    world.posts(As::Operator, &format!("{}/submit", version_path(&second)), &json!({})).await;
    assert_eq!(version(&view(&world).await), "1.0.0", "what is only submitted serves nobody");
    world.decides(&second, "approve").await;
    assert_eq!((version(&view(&world).await), version(&theirs().await)), ("1.10.0", "1.0.0"));
    world.registers(&numbered(&first, "1.9.0")).await;
    assert_eq!(version(&view(&world).await), "1.10.0", "the newest by its number, not by its day");
    world.decides(&second, "suspend").await;
    assert_eq!((version(&view(&world).await), version(&theirs().await)), ("1.9.0", "1.0.0"));
    world.decides(&first, "suspend").await;
    assert_eq!(
        (version(&view(&world).await), theirs().await.status),
        ("1.9.0", 404),
        "the pin holds also when it hurts"
    );
}

#[tokio::test]
async fn every_decision_is_kept_with_its_reason() {
    let (world, sakura) = stage().await;
    let descriptor = sakura.descriptor("patient-view");
    world.enrolls(&descriptor, json!("live")).await;
    let decision = format!("{}/decision", version_path(&descriptor));
    world.posts(As::Governor, &decision, &json!({"decision": "suspend", "reason": "誤った助言の報告"})).await;
    let nameless = json!({"decision": "reinstate", "reason": " "});
    assert_eq!(world.manages(As::Governor, Method::POST, &decision, Some(&nameless)).await.0, 422);
    let holder = world.issues("vendor", "sakura").await;
    let (_, history) =
        world.manages(holder, Method::GET, &format!("{}/history", version_path(&descriptor)), None).await;
    let steps = history["steps"].as_array().unwrap();
    let moves: Vec<_> = steps.iter().map(|step| step["moved"].as_str().unwrap()).collect();
    assert_eq!(moves, ["submit", "approve", "suspend"]);
    assert_eq!(steps[2]["reason"], "誤った助言の報告");
}

#[tokio::test]
async fn a_body_that_cannot_be_unpacked_is_refused_in_the_language_of_the_management() {
    let (world, _sakura) = stage().await;
    let url = format!("{}/api/v1/hospitals/kaede", world.gateway.url);
    let sent = world.http.put(url).header("content-encoding", "br").body("{}").send().await.unwrap();
    assert_eq!(
        (sent.status().as_u16(), sent.headers()["content-type"].to_str().unwrap()),
        (415, "application/problem+json")
    );
}
