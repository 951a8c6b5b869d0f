//! One service's failure, slowness or nonsense costs no other service its cards (invariant 3), and what comes of it
//! can be read afterwards. Each behaviour of `medvan_fixtures::misbehaving` stands beside a good service.

use medvan_fixtures::{
    ehr::Answer,
    misbehaving::{BEHAVIOURS, Behaviour, RunningMisbehaving},
    services::{self, Options, RunningService, renal_dosing},
};
use serde_json::{Value, json};

use crate::world::{As, Tripwire, Vendor, World, name};

mod content;
mod limits;

const HOOK: &str = "order-sign";
/// The good service's card says whose it is.
const GOOD: &str = "腎機能投与量チェック";

/// A behaviour, the word that the explanation has for it, and the rules that mended or held back something.
type Row = (&'static str, &'static str, &'static [&'static str]);

/// How long the services may take that never answer in time; the others have all the hospital's time, so that a busy
/// machine changes nothing.
const SHORT_MS: u32 = 800;
/// How long the EHR waits.
const WHOLE_MS: u32 = 20_000;

/// Every behaviour; a test fails when one is missing.
const FATES: &[Row] = &[
    ("ok", "answered", &[]),
    ("nothing", "answered", &[]),
    ("slow", "timed-out", &[]),
    ("hang", "timed-out", &[]),
    ("drip", "timed-out", &[]),
    ("huge", "unusable", &[]),
    ("gzip-bomb-8000000", "unusable", &[]),
    ("breaks-off", "unreachable", &[]),
    ("status", "failed", &[]),
    ("not-evaluable", "not-evaluable", &[]),
    ("redirect", "failed", &[]),
    ("html", "unusable", &[]),
    ("wrong-content-type", "unusable", &[]),
    ("invalid-json", "unusable", &[]),
    ("deep-json", "unusable", &[]),
    ("duplicate-keys", "unusable", &[]),
    ("lone-surrogate", "unusable", &[]),
    ("null-cards", "unusable", &[]),
    ("no-cards", "unusable", &[]),
    ("array", "unusable", &[]),
    ("many-cards", "answered", &["too-many"]),
    ("empties", "answered", &["empty-member"]),
    ("no-selection-behavior", "answered", &["selection-behavior-missing"]),
    ("unknown-selection-behavior", "answered", &["unknown-code"]),
    ("unknown-indicator", "answered", &["unknown-code"]),
    ("no-source", "answered", &["missing-member"]),
    ("no-ids", "answered", &[]),
    ("long-summary", "answered", &["summary-too-long"]),
    ("script", "answered", &["markdown"]),
    ("bad-links", "answered", &["link-target"]),
    ("foreign-patient", "answered", &["foreign-patient"]),
    ("delete-by-resource", "answered", &["delete-by-resource"]),
    ("system-actions", "answered", &["system-action-not-allowed"]),
    ("conflicting-system-actions", "answered", &["system-action-not-allowed"]),
    ("early-system-actions", "answered", &["system-actions-place", "system-action-not-allowed"]),
    ("duplicate", "answered", &[]),
    ("echo", "answered", &[]),
];

/// A hospital with a good service and a vendor of bad ones.
struct Stage {
    world: World,
    good: RunningService,
    storm: RunningMisbehaving,
}

impl Stage {
    async fn set() -> Self {
        let world = World::start().await;
        world.hospital(json!({"deadlineMs": WHOLE_MS})).await;
        let good = services::start(&renal_dosing::SERVICE, Options::default()).await.unwrap();
        world.enrolls(&with_time(good.descriptor(), WHOLE_MS), json!("live")).await;
        Self { storm: world.storm().await, good, world }
    }

    /// Enrols the hospital in one behaviour.
    async fn brings(&self, behaviour: &str) {
        let never_in_time = ["slow-1200", "slow", "hang", "drip"].contains(&behaviour);
        let time = if never_in_time { SHORT_MS } else { WHOLE_MS };
        self.world.enrolls(&with_time(self.storm.descriptor(behaviour, HOOK), time), json!("live")).await;
    }

    /// The hospital's policy, without which it has its time.
    async fn policy(&self, mut policy: Value) {
        policy["deadlineMs"] = json!(WHOLE_MS);
        self.world.hospital(policy).await;
    }

    async fn asks(&self) -> Answer {
        self.world.asks(self.world.fires(HOOK).on("hanako").ordering("levofloxacin"), HOOK).await
    }

    /// Asks, and makes sure that the answer conforms and has the good service's card.
    async fn asks_well(&self, beside: &str) -> (Answer, Value) {
        let asked = self.good.calls();
        let answer = self.asks().await;
        assert!(answer.faults.is_empty(), "beside {beside}: {:?} in {}", answer.faults, answer.text);
        assert!(answer.card_from(GOOD).is_some(), "beside {beside}: {}", answer.text);
        assert_eq!(self.good.calls(), asked + 1, "beside {beside}");
        let explanation = self.world.explains(&answer).await;
        (answer, explanation)
    }
}

fn with_time(mut descriptor: Value, milliseconds: u32) -> Value {
    descriptor["limits"]["deadlineMs"] = json!(milliseconds);
    descriptor
}

/// What the explanation says about one service.
fn note<'a>(explanation: &'a Value, behaviour: &str) -> &'a Value {
    let services = explanation["explanation"]["services"].as_array().unwrap();
    let name = format!("arashi.{behaviour}");
    services.iter().find(|note| note["service"] == json!(name)).unwrap_or_else(|| panic!("{name}: {explanation:#}"))
}

#[test]
fn every_behaviour_has_its_fate() {
    let known: Vec<_> = BEHAVIOURS.iter().map(|behaviour| behaviour.name).collect();
    let told: Vec<_> = FATES.iter().map(|(id, ..)| Behaviour::find(id).unwrap().0.name).collect();
    assert_eq!(told, known);
}

#[tokio::test]
async fn beside_each_of_them_a_good_service_keeps_its_cards() {
    let stage = Stage::set().await;
    for (behaviour, fate, rules) in FATES {
        stage.brings(behaviour).await;
        let (_, explanation) = stage.asks_well(behaviour).await;
        let note = note(&explanation, behaviour);
        assert_eq!(note["status"], *fate, "{behaviour}: {note:#}");
        for rule in *rules {
            assert!(note.to_string().contains(rule), "{behaviour}: {rule} is not in {note:#}");
        }
        let touched = note["repairs"].is_array() || note["quarantined"].is_array();
        assert_eq!(touched, !rules.is_empty(), "{behaviour}: {note:#}");
        stage.world.leaves(&stage.storm.descriptor(behaviour, HOOK)).await;
    }
}

/// In threads of their own, as the services' work is part of the test's.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_of_them_at_once_cost_the_good_one_nothing() {
    let stage = Stage::set().await;
    for (behaviour, ..) in FATES {
        stage.brings(behaviour).await;
    }
    let (answer, explanation) = stage.asks_well("everything").await;
    for (behaviour, fate, _) in FATES {
        assert_eq!(note(&explanation, behaviour)["status"], *fate, "{behaviour}");
    }
    content::is_harmless(&answer);
}

#[tokio::test]
async fn only_when_every_service_lacks_data_the_ehr_gets_412() {
    let world = World::start().await;
    let storm = world.storm().await;
    world.enrolls(&storm.descriptor("not-evaluable", HOOK), json!("live")).await;
    world.enrolls(&storm.descriptor("status-412", HOOK), json!("live")).await;
    let answer = world.asks(world.fires(HOOK), HOOK).await;
    assert_eq!(answer.status, 412, "{}", answer.text);
    assert_eq!(answer.body["resourceType"], "OperationOutcome");
    world.enrolls(&storm.descriptor("nothing", HOOK), json!("live")).await;
    let answer = world.asks(world.fires(HOOK), HOOK).await;
    answer.conforms();
    assert!(answer.cards.is_empty(), "{}", answer.text);
}

/// Nobody but failing services: the EHR gets an empty answer that conforms, not an error.
#[tokio::test]
async fn where_every_service_fails_the_answer_is_empty_and_conforms() {
    let world = World::start().await;
    let storm = world.storm().await;
    for behaviour in ["status-503", "html", "breaks-off"] {
        world.enrolls(&storm.descriptor(behaviour, HOOK), json!("live")).await;
    }
    let answer = world.asks(world.fires(HOOK), HOOK).await;
    answer.conforms();
    assert!(answer.cards.is_empty(), "{}", answer.text);
}

/// Check 21: a redirect leads nowhere, whatever its status and wherever it points.
#[tokio::test]
async fn redirects_are_not_followed() {
    let stage = Stage::set().await;
    let wire = Tripwire::set();
    for status in [301, 302, 303, 307, 308] {
        let vendor = Vendor::redirecting(&format!("sends-on-{status}"), status, &wire.url("/cds-services/only")).await;
        let descriptor = with_time(vendor.descriptor(HOOK), WHOLE_MS);
        stage.world.enrolls(&descriptor, json!("live")).await;
        let (_, explanation) = stage.asks_well("a redirect").await;
        let services = explanation["explanation"]["services"].as_array().unwrap();
        let note = services.iter().find(|note| note["service"] == json!(name(&descriptor))).unwrap();
        assert_eq!(note["status"], "failed", "{status}: {note:#}");
        assert_eq!(vendor.received().len(), 1);
        wire.is_untouched("a redirect");
        stage.world.leaves(&descriptor).await;
    }
}

/// Suspending takes effect on the next call.
#[tokio::test]
async fn a_suspended_service_is_not_asked_any_more() {
    let stage = Stage::set().await;
    stage.brings("ok").await;
    let (answer, _) = stage.asks_well("ok").await;
    assert_eq!(answer.cards.len(), 2);
    stage.world.decides(&stage.storm.descriptor("ok", HOOK), "suspend").await;
    let (answer, _) = stage.asks_well("a suspended service").await;
    assert_eq!(answer.cards.len(), 1);
    assert_eq!(stage.storm.calls(), 1);
    let scorecard = stage.world.manages(As::Operator, reqwest::Method::GET, "/vendors/arashi/scorecard", None).await;
    assert_eq!(scorecard.0, 200, "{}", scorecard.1);
}
