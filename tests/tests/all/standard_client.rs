//! The gateway as a CDS Client: what a service behind it may expect by CDS Hooks 2.0 (rows of `hooks/requirements.tsv`),
//! seen with the service's eyes: the requests that reached it over real HTTP.

use std::{collections::HashSet, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use medvan_fixtures::{
    ehr::Outcome,
    misbehaving::RunningMisbehaving,
    services::{Received, RunningService, drug_interaction, early_warning, renal_dosing},
};
use serde_json::{Value, json};

use crate::world::World;

/// A world in which one order is seen by two services of two vendors.
async fn two_services() -> (World, RunningService, RunningService) {
    let world = World::start().await;
    let renal = world.runs(&renal_dosing::SERVICE).await;
    let interaction = world.runs(&drug_interaction::SERVICE).await;
    (world, renal, interaction)
}

async fn signs_an_order(world: &World) {
    let answer = world.asks(world.fires("order-sign").on("hanako").ordering("levofloxacin"), "order-sign").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// The last hook call that reached a service.
fn last(service: &RunningService) -> Received {
    service.received().pop().expect("it was called")
}

/// One service of the storm, on patient-view.
async fn storm_of(descriptor: impl FnOnce(&RunningMisbehaving) -> Value) -> (World, RunningMisbehaving) {
    let world = World::start().await;
    let storm = world.storm().await;
    world.enrolls(&descriptor(&storm), json!("live")).await;
    (world, storm)
}

/// Waits for something that happens after the answer; fails after ten seconds.
async fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1_000 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen");
}

#[tokio::test]
async fn a_service_is_posted_the_members_of_the_standard_and_no_others() {
    let (world, renal, _) = two_services().await;
    let firing = world.fires("order-sign").on("hanako").ordering("levofloxacin");
    let context = firing.context();
    world.asks(firing, "order-sign").await.conforms();
    let received = last(&renal);
    assert_eq!(received.headers["content-type"], "application/json");
    let body = received.body();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["context", "hook", "hookInstance", "prefetch"]);
    assert_eq!(body["hook"], "order-sign");
    assert!(uuid::Uuid::try_parse(body["hookInstance"].as_str().unwrap()).is_ok());
    assert_eq!(body["context"].as_object().unwrap().len(), context.len());
    for (field, value) in &context {
        assert!(received.text.contains(value.as_str()), "{field} is the text that came");
    }
}

/// The claims of a service's token, verified with the gateway's published keys.
async fn claims(world: &World, received: &Received) -> Value {
    let token = received.token().expect("a bearer token");
    let header = jsonwebtoken::decode_header(token).unwrap();
    let set: JwkSet = serde_json::from_value(published_keys(world).await).unwrap();
    let key = DecodingKey::from_jwk(set.find(header.kid.as_ref().unwrap()).expect("a published key")).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims
}

async fn published_keys(world: &World) -> Value {
    let url = format!("{}/.well-known/jwks.json", world.gateway.url);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.get(url).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn each_call_carries_a_token_made_for_this_endpoint_alone() {
    let (world, renal, interaction) = two_services().await;
    signs_an_order(&world).await;
    signs_an_order(&world).await;
    let mut nonces = HashSet::new();
    for service in [&renal, &interaction] {
        for received in service.received() {
            let header = jsonwebtoken::decode_header(received.token().unwrap()).unwrap();
            assert!(matches!(header.alg, Algorithm::ES384 | Algorithm::RS384), "{:?}", header.alg);
            assert_eq!(header.typ.as_deref(), Some("JWT"));
            assert_eq!(header.jku, Some(format!("{}/.well-known/jwks.json", world.gateway.url)));
            let claims = claims(&world, &received).await;
            assert_eq!(claims["aud"], format!("{}{}", service.base_url(), received.path));
            let (issued, expires) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
            assert!(issued < expires && expires - issued <= 300, "{claims}");
            assert_eq!(claims["iss"], world.gateway.url.as_str());
            assert!(claims["tenant"].is_string(), "{claims}");
            nonces.insert(claims["jti"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(nonces.len(), 4, "no token twice");
}

#[tokio::test]
async fn the_published_keys_are_public_and_each_has_its_own_name() {
    let world = World::start().await;
    let set = published_keys(&world).await;
    let keys = set["keys"].as_array().unwrap();
    let names: HashSet<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert!(!keys.is_empty());
    assert_eq!(names.len(), keys.len());
    for key in keys {
        assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|private| key.get(private).is_none()), "{key}");
    }
}

#[tokio::test]
async fn what_the_hospital_does_not_have_is_null_and_what_cannot_be_read_is_not_there() {
    let world = World::start().await;
    let storm = world.storm().await;
    let mut descriptor = storm.descriptor("ok", "patient-view");
    let templates = json!({
        "patient": "Patient/{{context.patientId}}",
        "absent": "Location/there-is-none",
        "nothing": "Coverage?patient={{context.patientId}}",
        "unresolvable": "RelatedPerson?_id={{userRelatedPersonId}}",
    });
    let why: Value = templates
        .as_object()
        .unwrap()
        .keys()
        .map(|key| (key.clone(), json!({"ja": "試験", "en": "test"})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    descriptor["hooks"][0]["prefetch"] = templates;
    descriptor["hooks"][0]["why"] = why;
    world.enrolls(&descriptor, json!("live")).await;

    world.asks(world.fires("patient-view").on("hanako"), "patient-view").await.conforms();
    let sent = storm.received().pop().unwrap().body();
    assert_eq!(sent["prefetch"]["patient"]["resourceType"], "Patient");
    assert_eq!((&sent["prefetch"]["absent"], &sent["prefetch"]["nothing"]), (&Value::Null, &Value::Null));
    let mut keys = storm.received().pop().unwrap().prefetch_keys();
    keys.sort();
    assert_eq!(keys, ["absent", "nothing", "patient"]);

    world.fhir.is_broken(500);
    world.asks(world.fires("patient-view").on("hanako"), "patient-view").await.conforms();
    let sent = storm.received().pop().unwrap().body();
    for key in ["patient", "absent", "nothing"] {
        let state = &sent["prefetch"][key];
        assert_eq!(state["resourceType"], "OperationOutcome", "{key}: {sent}");
    }
    assert!(sent["prefetch"].get("unresolvable").is_none());
}

#[tokio::test]
async fn only_what_was_vetted_and_enrolled_is_ever_called() {
    let world = World::start().await;
    let enrolled = world.runs(&early_warning::SERVICE).await;
    let storm = world.storm().await;
    world.registers(&storm.descriptor("ok", "patient-view")).await;
    let fires = || world.fires("patient-view").on("ichiro");
    assert_eq!(world.asks(fires(), "patient-view").await.status, 200);
    assert_eq!((enrolled.calls(), storm.calls()), (1, 0), "approved alone is not enrolled");
    world.decides(&enrolled.descriptor(), "suspend").await;
    assert_eq!(world.asks(fires(), "patient-view").await.status, 404);
    assert_eq!(enrolled.calls(), 1);
}

#[tokio::test]
async fn feedback_reaches_the_maker_at_its_own_address_in_its_own_ids() {
    let (world, storm) = storm_of(|storm| storm.descriptor("ok", "patient-view")).await;
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    let card = &answer.cards[0];
    let outcomes = [Outcome::accepted(card, &[0]).unwrap(), Outcome::overridden(card, Some("対応済み")).unwrap()];
    assert_eq!(world.ehr.reports(&card.service_url, &outcomes).await.unwrap().status, 200);

    let feedback = |storm: &RunningMisbehaving| -> Vec<Received> {
        storm.received().into_iter().filter(|received| received.path == "/cds-services/ok/feedback").collect()
    };
    let received = eventually(|| Some(feedback(&storm)).filter(|received| received.len() == 2)).await;
    let mut items = Vec::new();
    for received in received {
        assert_eq!(received.headers["content-type"], "application/json");
        let body = received.body();
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["feedback"]);
        items.extend(body["feedback"].as_array().unwrap().clone());
    }
    items.sort_by_key(|item| item["outcome"].as_str().unwrap().to_owned());
    let (accepted, overridden) = (&items[0], &items[1]);
    assert_eq!((&accepted["outcome"], &overridden["outcome"]), (&json!("accepted"), &json!("overridden")));
    assert_eq!(accepted["card"], overridden["card"]);
    assert!(accepted["card"].is_string() && accepted["card"] != card.uuid().unwrap(), "the maker's own id");
    let suggestion = &accepted["acceptedSuggestions"][0]["id"];
    assert!(suggestion.is_string() && *suggestion != card.suggestions()[0]["uuid"]);
    assert_eq!(overridden["overrideReason"], json!({"userComment": "対応済み"}));
    for item in [accepted, overridden] {
        assert!(item["outcomeTimestamp"].as_str().unwrap().ends_with('Z'), "{item}");
    }
}
