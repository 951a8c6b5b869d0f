//! Ends and limits: running calls finish and are recorded, new ones are refused, and too many calls are told so.

use medvan::{clock::Clock, config::Config};
use medvan_fixtures::ehr::Answer;
use serde_json::json;

use crate::world::{Gateway, Socket, Vendor, World, no_hurry, until};

const HOOK: &str = "patient-view";
const CARD: &str = r#"{"cards":[{"summary":"waited","indicator":"info","source":{"label":"momo"}}]}"#;

/// A hospital with time, and a service that answers when the test lets it.
async fn with_a_waiting_vendor(change: impl FnOnce(&mut Config)) -> (World, Vendor) {
    let world = World::configured(change).await;
    world.hospital(no_hurry()).await;
    let vendor = Vendor::waiting("momo", CARD).await;
    let mut descriptor = vendor.descriptor(HOOK);
    descriptor["limits"]["deadlineMs"] = json!(30_000);
    world.enrolls(&descriptor, json!("live")).await;
    (world, vendor)
}

async fn asks(world: &World) -> Answer {
    world.asks(world.fires(HOOK).on("hanako"), HOOK).await
}

#[track_caller]
fn comes_later(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(answer.body["resourceType"], "OperationOutcome", "{}", answer.text);
}

#[tokio::test]
async fn one_call_too_many_is_told_to_come_later() {
    let (world, vendor) = with_a_waiting_vendor(|config| config.limits.calls_in_flight = 2).await;
    let refused = async {
        vendor.has_received(2).await;
        for _ in 0..3 {
            comes_later(&asks(&world).await);
        }
        assert_eq!(world.looks_at("/healthz").await.status, 200, "the process lives");
        vendor.lets_go();
        vendor.lets_go();
    };
    let (first, second, ()) = tokio::join!(asks(&world), asks(&world), refused);
    for answer in [first, second] {
        answer.conforms();
        assert_eq!(answer.summaries(), ["waited"]);
    }
    vendor.lets_go();
    asks(&world).await.conforms();
    assert_eq!(vendor.received().len(), 3, "the refused calls reached nobody");
}

#[tokio::test]
async fn a_caller_that_stops_speaking_while_it_waits_still_hears_the_answer_and_is_then_let_go() {
    let (world, vendor) = with_a_waiting_vendor(|_| {}).await;
    let body = world.fires(HOOK).on("hanako").body();
    let mut caller = Socket::to(&world).await;
    let head = world.head("van-patient-view", &[&format!("Content-Length: {}", body.len())]);
    caller.says(format!("{head}\r\n{body}")).await;
    caller.stops_speaking().await;
    vendor.has_received(1).await;
    vendor.lets_go();
    let heard = caller.hears().await;
    assert!(heard.starts_with("HTTP/1.1 200") && heard.contains("waited"), "{heard}");
}

#[tokio::test]
async fn a_hospital_that_calls_too_often_leaves_the_others_their_places() {
    let (world, vendor) = with_a_waiting_vendor(|config| config.limits.calls_in_flight_per_hospital = 1).await;
    let momiji = world.neighbour("momiji", no_hurry()).await;
    let mut descriptor = vendor.descriptor(HOOK);
    descriptor["limits"]["deadlineMs"] = json!(30_000);
    world.enrolls_neighbour(&momiji, &descriptor).await;
    let others = async {
        vendor.has_received(1).await;
        comes_later(&asks(&world).await);
        let served = async {
            vendor.has_received(2).await;
            vendor.lets_go();
            vendor.lets_go();
        };
        let (answer, ()) = tokio::join!(momiji.asks(momiji.ehr.fires(HOOK).on("hanako"), HOOK), served);
        assert_eq!(answer.summaries(), ["waited"], "{}", answer.text);
    };
    let (first, ()) = tokio::join!(asks(&world), others);
    assert_eq!(first.summaries(), ["waited"], "{}", first.text);
}

/// More calls than a service takes at once wait for it, and those that wait too long are told apart from failures.
#[tokio::test]
async fn a_service_is_never_asked_more_at_once_than_it_allows() {
    let world = World::start().await;
    world.hospital(json!({"deadlineMs": 3_000})).await;
    let vendor = Vendor::waiting("momo", CARD).await;
    let mut descriptor = vendor.descriptor(HOOK);
    descriptor["limits"]["concurrency"] = json!(1);
    descriptor["limits"]["deadlineMs"] = json!(30_000);
    world.enrolls(&descriptor, json!("live")).await;
    let (first, second) = tokio::join!(asks(&world), asks(&world));
    assert_eq!(vendor.received().len(), 1);
    let mut fates = Vec::new();
    for answer in [first, second] {
        answer.conforms();
        fates.push(world.explains(&answer).await["explanation"]["services"][0]["status"].as_str().unwrap().to_owned());
    }
    fates.sort();
    assert_eq!(fates, ["busy", "timed-out"]);
}

#[tokio::test]
async fn running_calls_finish_and_are_recorded_and_new_ones_are_refused() {
    let (world, vendor) = with_a_waiting_vendor(|config| config.shutdown_seconds = 30).await;
    // A caller that has begun to speak before the end is asked for, and says the rest after it.
    let mut late = Socket::to(&world).await;
    let head = world.head("van-patient-view", &["Content-Length: 2"]);
    let (begun, rest) = head.split_at(40);
    late.says(begun).await;
    let mut idle = Socket::to(&world).await;
    idle.says("GET /readyz HTTP/1.1\r\nHost: gateway\r\n").await;
    let stops = async {
        vendor.has_received(1).await;
        world.gateway.app.tasks.stop();
        late.says(format!("{rest}\r\n{{}}")).await;
        idle.says("\r\n").await;
        let (late, idle) = tokio::join!(late.hears(), idle.hears());
        assert!(late.starts_with("HTTP/1.1 503"), "{late}");
        assert!(late.contains("retry-after: 1") && late.contains("OperationOutcome"), "{late}");
        assert!(idle.starts_with("HTTP/1.1 503"), "readiness says it too: {idle}");
        let url = format!("{}/cds-services/van-patient-view", world.base());
        assert!(world.fires(HOOK).at(&world.base(), "van-patient-view").await.is_err(), "nobody listens at {url}");
        vendor.lets_go();
    };
    let (answer, ()) = tokio::join!(asks(&world), stops);
    answer.conforms();
    assert_eq!(answer.summaries(), ["waited"]);
    let exchange = answer.body["extension"]["jp.medvan.exchange"]["id"].as_str().unwrap().to_owned();
    let World { gateway, .. } = world;
    let gateway = Gateway::start_in(gateway.stop().await, |_| {}, Clock::system()).await;
    let world = World::around(gateway).await;
    let record = world.reads(&format!("/exchanges/{exchange}")).await;
    assert_eq!(record["status"], 200, "{record:#}");
    assert_eq!(record["explanation"]["services"][0]["status"], "answered");
    let all = world.reads("/hospitals/kaede/exchanges").await;
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1), "the refused call disclosed nothing: {all:#}");
}

/// An EHR that hangs up cancels neither the call nor its record: what was disclosed was disclosed.
#[tokio::test]
async fn a_caller_that_hangs_up_leaves_a_record() {
    let (world, vendor) = with_a_waiting_vendor(|_| {}).await;
    let mut socket = Socket::to(&world).await;
    let body = world.fires(HOOK).body();
    let length = format!("Content-Length: {}", body.len());
    socket.says(format!("{}\r\n{body}", world.head("van-patient-view", &[&length]))).await;
    vendor.has_received(1).await;
    drop(socket);
    vendor.lets_go();
    let recorded = async || world.reads("/hospitals/kaede/exchanges").await["items"].get(0).cloned();
    let record = until("a record", recorded).await;
    assert_eq!(record["explanation"]["services"][0]["status"], "answered", "{record:#}");
}
