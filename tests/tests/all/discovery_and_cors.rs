//! Discovery (items 5 to 10) and CORS (item 60, check 51), as an EHR and a browser see them.

use medvan_fixtures::services::{self, Options, drug_interaction, early_warning, renal_dosing};
use serde_json::json;

use crate::world::{Letter, Reply, World};

const ORIGIN: &str = "https://ehr.kaede.example";

/// The hospital's EHR is also a page in a browser.
async fn with_a_browser_client() -> World {
    let world = World::start().await;
    let mut registration = world.ehr_registration();
    registration["origins"] = json!([ORIGIN]);
    world.client("ehr", registration).await;
    world
}

fn get(world: &World) -> Letter<'_> {
    world.writes_to_url(format!("{}/cds-services", world.base())).without("content-type")
}

async fn discovery(letter: Letter<'_>) -> Reply {
    letter.send_as(reqwest::Method::GET).await
}

#[tokio::test]
async fn discovery_conforms_with_nothing_and_with_everything() {
    let world = World::start().await;
    let empty = world.ehr.discovers(&world.base()).await.unwrap();
    assert_eq!(empty.conforms().ids(), Vec::<&str>::new());
    assert_eq!(discovery(get(&world)).await.text, r#"{"services":[]}"#);
    let _running = [
        world.runs(&early_warning::SERVICE).await,
        world.runs(&renal_dosing::SERVICE).await,
        world.runs(&drug_interaction::SERVICE).await,
    ];
    let full = world.ehr.discovers(&world.base()).await.unwrap();
    let mut ids = full.conforms().ids();
    for id in ["van-patient-view", "van-order-sign", "van-order-select"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "item 7: real clients lose services that share an id");
}

/// Item 8: what is listed can be called, under its own id.
#[tokio::test]
async fn everything_that_is_listed_can_be_called() {
    let world = World::start().await;
    let _running = [world.runs(&early_warning::SERVICE).await, world.runs(&drug_interaction::SERVICE).await];
    let listed = world.ehr.discovers(&world.base()).await.unwrap();
    for service in &listed.services {
        let (id, hook) = (service["id"].as_str().unwrap(), service["hook"].as_str().unwrap());
        world.fires(hook).on("hanako").filling_prefetch().at(&world.base(), id).await.unwrap().conforms();
    }
}

/// Item 10: an EHR that asks daily sees at a glance that nothing changed.
#[tokio::test]
async fn an_etag_changes_when_and_only_when_the_offer_does() {
    let world = World::start().await;
    let running = world.runs(&early_warning::SERVICE).await;
    let first = discovery(get(&world)).await;
    let tag = first.header("etag").to_owned();
    assert!(first.status == 200 && tag.starts_with('"'), "{first:?}");
    let again = discovery(get(&world).with("if-none-match", &tag)).await;
    assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag.as_str()));
    world.decides(&running.descriptor(), "suspend").await;
    let changed = discovery(get(&world).with("if-none-match", &tag)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_ne!(changed.header("etag"), tag);
    assert_eq!(changed.text, r#"{"services":[]}"#, "a suspended service is not offered");
}

/// Another hospital's enrolments are not listed here.
#[tokio::test]
async fn a_hospital_sees_only_its_own_offer() {
    let world = World::start().await;
    let running = services::start(&early_warning::SERVICE, Options::default()).await.unwrap();
    world.registers(&running.descriptor()).await;
    assert_eq!(discovery(get(&world)).await.text, r#"{"services":[]}"#, "approved is not enrolled");
}

fn preflight<'a>(world: &'a World, path: &str, origin: &str) -> Letter<'a> {
    let letter = world.writes_to_url(format!("{}{path}", world.base()));
    let letter = letter.without("authorization").without("content-type").with("origin", origin);
    letter
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "authorization,content-type")
}

/// Item 60: a browser's question carries no token and is answered without one, for discovery, services and feedback.
#[tokio::test]
async fn preflight_answers_registered_origins_without_a_token() {
    let world = with_a_browser_client().await;
    for path in ["/cds-services", "/cds-services/van-patient-view", "/cds-services/van-patient-view/feedback"] {
        let reply = preflight(&world, path, ORIGIN).send_as(reqwest::Method::OPTIONS).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), ORIGIN, "{path}");
        for name in ["authorization", "content-type"] {
            assert!(reply.header("access-control-allow-headers").contains(name), "{path}: {reply:?}");
        }
        for method in ["GET", "POST"] {
            assert!(reply.header("access-control-allow-methods").contains(method), "{path}: {reply:?}");
        }
        assert_eq!(reply.header("access-control-allow-credentials"), "", "{path}: the token is a header, not a cookie");
    }
}

/// Check 51: nobody else's page may read an answer.
#[tokio::test]
async fn other_origins_are_not_let_in() {
    let world = with_a_browser_client().await;
    for origin in [
        "https://evil.example",
        "null",
        "https://ehr.kaede.example.evil.example",
        "http://ehr.kaede.example",
        "https://EHR.kaede.example",
    ] {
        let asked = preflight(&world, "/cds-services/van-patient-view", origin);
        let asked = asked.send_as(reqwest::Method::OPTIONS).await;
        assert_eq!(asked.header("access-control-allow-origin"), "", "{origin}");
        let read = discovery(get(&world).with("origin", origin)).await;
        assert_eq!(read.header("access-control-allow-origin"), "", "{origin}");
    }
    for place in ["/api/v1/hospitals/kaede", "/metrics", "/hospitals/momiji/cds-services"] {
        let letter = world.writes_to_url(format!("{}{place}", world.gateway.url)).with("origin", ORIGIN);
        let reply = letter.with("access-control-request-method", "GET").send_as(reqwest::Method::OPTIONS).await;
        assert_eq!(reply.header("access-control-allow-origin"), "", "{place}: this origin is registered elsewhere");
    }
}

#[tokio::test]
async fn a_registered_page_can_read_answers_and_refusals() {
    let world = with_a_browser_client().await;
    let _running = world.runs(&early_warning::SERVICE).await;
    for body in [world.fires("patient-view").body(), "not JSON".to_owned()] {
        let reply = world.writes_to("van-patient-view").with("origin", ORIGIN).saying(body).send().await;
        assert_eq!(reply.header("access-control-allow-origin"), ORIGIN, "{reply:?}");
        assert!(reply.header("vary").contains("origin"), "{reply:?}");
    }
}
