//! A service gets exactly its own prefetch keys and the hook's published context, under names of the hospital and of
//! the event that no other vendor knows (invariant 4; items 13, 22, 31, 57, 61 and 62).

use medvan_fixtures::{
    Received,
    services::{self, Options, RunningService, Service, drug_interaction, renal_dosing},
};
use medvan_profiles::Json;
use serde_json::{Value, json};

use crate::world::{Vendor, World, decoded};

const HOOK: &str = "order-sign";
const EXTENSIONS: [&str; 2] = ["com.epic.cdshooks.request.bpa-trigger-action", "jp.kaede.ward"];

/// What `order-sign` publishes (CDS Hooks library).
const PUBLISHED: [&str; 4] = ["userId", "patientId", "encounterId", "draftOrders"];

fn keys_of(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys
}

fn last(vendor: &RunningService) -> Received {
    vendor.received().pop().expect("it was asked")
}

#[tokio::test]
async fn each_service_receives_exactly_its_own_keys() {
    let world = World::start().await;
    let (renal, interaction) = (world.runs(&renal_dosing::SERVICE).await, world.runs(&drug_interaction::SERVICE).await);
    let fired = || world.fires(HOOK).on("hanako").ordering("levofloxacin");
    for firing in [fired(), fired().filling_prefetch(), fired().with_prefetch("secret", patient("hanako"))] {
        world.asks(firing, HOOK).await.conforms();
        for (vendor, service) in [(&renal, &renal_dosing::SERVICE), (&interaction, &drug_interaction::SERVICE)] {
            let body = last(vendor).body();
            assert_eq!(keys_of(&body["prefetch"]), own_keys(service), "{}", service.id);
            let published = PUBLISHED.iter().all(|field| body["context"].get(field).is_some());
            assert!(published && keys_of(&body["context"]).len() == PUBLISHED.len(), "{}: {body:#}", service.id);
            assert_eq!(keys_of(&body), ["context", "hook", "hookInstance", "prefetch"], "{}", service.id);
        }
    }
}

/// Two services that name one key alike and mean something else by it each get their own.
#[tokio::test]
async fn keys_of_one_name_are_not_mixed_up() {
    let world = World::start().await;
    let (renal, other) = (world.runs(&renal_dosing::SERVICE).await, Vendor::saying("momo", r#"{"cards":[]}"#).await);
    let mut descriptor = other.descriptor(HOOK);
    descriptor["hooks"][0]["prefetch"] = json!({"creatinine": "Encounter/{{context.encounterId}}"});
    descriptor["hooks"][0]["why"] = json!({"creatinine": {"ja": "試験", "en": "test"}});
    world.enrolls(&descriptor, json!("live")).await;
    for firing in [world.fires(HOOK).on("hanako"), world.fires(HOOK).on("hanako").filling_prefetch()] {
        world.asks(firing, HOOK).await.conforms();
        let encounter = other.received().pop().unwrap().body();
        assert_eq!(encounter["prefetch"]["creatinine"]["resourceType"], "Encounter", "{encounter:#}");
        assert_eq!(keys_of(&encounter["prefetch"]), ["creatinine"]);
        assert_eq!(last(&renal).body()["prefetch"]["creatinine"]["resourceType"], "Bundle");
    }
}

/// Item 62: an EHR may say more than the hook publishes; nobody asked for that.
#[tokio::test]
async fn further_context_fields_and_members_stay_here() {
    let world = World::start().await;
    let renal = world.runs(&renal_dosing::SERVICE).await;
    let firing = world.fires(HOOK).saying("insurance", &json!("himitsu")).with_extension(&json!({"x.y": "himitsu"}));
    world.asks(firing, HOOK).await.conforms();
    let received = last(&renal);
    assert!(!received.text.contains("himitsu"), "{}", received.text);
    assert!(received.body().get("extension").is_none());
}

/// Item 61: an extension goes on only where the hospital allows it and the service takes it.
#[tokio::test]
async fn extensions_go_only_where_both_sides_agreed() {
    let [named, other] = EXTENSIONS;
    for (policy, allowed, expected) in [
        ("drop", vec![named], vec![]),
        ("forward", vec![], vec![]),
        ("forward", vec![named], vec![named]),
        ("forward", vec![named, other], vec![named, other]),
    ] {
        let world = World::start().await;
        world.hospital(json!({"allowExtensions": allowed})).await;
        let vendor = Vendor::saying("momo", r#"{"cards":[]}"#).await;
        let mut descriptor = vendor.descriptor(HOOK);
        descriptor["transport"]["overrides"]["extensionPolicy"] = json!(policy);
        world.enrolls(&descriptor, json!("live")).await;
        let extension = json!({named: {"value": "23"}, other: {"value": "3F"}, "com.other.x": {"value": "himitsu"}});
        world.asks(world.fires(HOOK).with_extension(&extension), HOOK).await.conforms();
        let received = vendor.received().pop().unwrap();
        assert_eq!(keys_of(&received.body()["extension"]), expected, "{policy}");
        assert!(!received.text.contains("himitsu"));
    }
}

/// Item 13: two vendors who compare notes find nothing in common; one vendor recognises a retry.
#[tokio::test]
async fn vendors_cannot_connect_what_they_see_of_one_event() {
    const EVENT: &str = "0e6c1bd6-7f1a-4b52-9f3f-0f1c5d3c9a01";
    let world = World::start().await;
    let vendors = [world.runs(&renal_dosing::SERVICE).await, world.runs(&drug_interaction::SERVICE).await];
    let ask = |event: &'static str| world.asks(world.fires(HOOK).on("hanako").as_instance(event), HOOK);
    let seen = || vendors.iter().map(|vendor| Seen::of(&last(vendor))).collect::<Vec<_>>();
    ask(EVENT).await.conforms();
    let first = seen();
    ask(EVENT).await.conforms();
    assert_eq!(seen(), first, "a retry is the same event and the same hospital");
    assert_ne!(first[0].event, first[1].event);
    assert_ne!(first[0].tenant, first[1].tenant);
    for seen in &first {
        assert_ne!(seen.event, EVENT, "the EHR's own name of the event stays here");
        assert!(!seen.tenant.contains("kaede"), "{seen:?}");
        assert!(uuid::Uuid::try_parse(&seen.event).is_ok(), "{seen:?}");
    }
    ask("2f7cf7a4-6e2e-4a3c-8a55-7a9d37f6b002").await.conforms();
    for (now, before) in seen().iter().zip(&first) {
        assert_ne!(now.event, before.event, "another event");
        assert_eq!(now.tenant, before.tenant, "of the same hospital");
    }
}

/// Another data folder is another gateway: its pseudonyms cannot be computed from anything public.
#[tokio::test]
async fn pseudonyms_differ_between_gateways() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let world = World::start().await;
        let renal = world.runs(&renal_dosing::SERVICE).await;
        world.asks(world.fires(HOOK).as_instance("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"), HOOK).await.conforms();
        seen.push(Seen::of(&last(&renal)));
    }
    assert_ne!(seen[0].event, seen[1].event);
    assert_ne!(seen[0].tenant, seen[1].tenant);
}

/// What the call's headers say is as much as its body: our own token, and nothing of the EHR's.
#[tokio::test]
async fn headers_tell_nothing_of_the_caller() {
    let world = World::start().await;
    let vendor = services::start(&renal_dosing::SERVICE, Options::default()).await.unwrap();
    world.enrolls(&vendor.descriptor(), json!("live")).await;
    let letter = world.writes_to("van-order-sign").saying(world.fires(HOOK).body());
    let letter = letter.with("x-forwarded-for", "203.0.113.9").with("cookie", "session=himitsu");
    let letter = letter.with("x-request-id", "himitsu-request").with("traceparent", "himitsu-trace");
    assert_eq!(letter.with("user-agent", "KaedeEHR/himitsu").send().await.status, 412);
    let headers = last(&vendor).headers;
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    names.retain(|name| {
        !["accept", "accept-encoding", "authorization", "content-length", "content-type", "host", "user-agent"]
            .contains(name)
    });
    assert_eq!(names, Vec::<&str>::new(), "{headers:?}");
    assert!(!format!("{headers:?}").contains("himitsu") && !format!("{headers:?}").contains("203.0.113.9"));
}

/// What a vendor can know an event and a hospital by.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    event: String,
    tenant: String,
}

impl Seen {
    fn of(received: &Received) -> Self {
        let (_, claims) = decoded(received.token().expect("our token"));
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self { event: text(&received.body()["hookInstance"]), tenant: text(&claims["tenant"]) }
    }
}

fn own_keys(service: &Service) -> Vec<&'static str> {
    let endpoint = service.endpoints.iter().find(|endpoint| endpoint.hook == HOOK).unwrap();
    let mut keys: Vec<_> = endpoint.prefetch.iter().map(|need| need.key).collect();
    keys.sort_unstable();
    keys
}

fn patient(id: &str) -> Json {
    Json::from_value(&json!({"resourceType": "Patient", "id": id}))
}
