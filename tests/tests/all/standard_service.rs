//! The gateway as a CDS Service: what an EHR may expect of it by CDS Hooks 2.0 (rows of `hooks/requirements.tsv`), over
//! real HTTP.

use medvan_fixtures::{
    ehr::hooks,
    misbehaving::RunningMisbehaving,
    services::{drug_interaction, early_warning, renal_dosing},
};
use serde_json::{Value, json};

use crate::world::World;

/// A world with services on patient-view that behave in these ways, as long as the second part lives.
async fn world_with(behaviours: &[&str]) -> (World, RunningMisbehaving) {
    let world = World::start().await;
    let storm = world.storm().await;
    for behaviour in behaviours {
        world.enrolls(&storm.descriptor(behaviour, "patient-view"), json!("live")).await;
    }
    (world, storm)
}

/// What came back for a body that the test writes itself.
async fn posts(world: &World, service: &str, content_type: &str, body: String) -> (u16, Option<String>, Value) {
    let url = format!("{}/cds-services/{service}", world.base());
    let token = world.ehr.token(&url).unwrap();
    let request = reqwest::Client::builder().no_proxy().build().unwrap().post(&url).bearer_auth(token);
    let response = request.header("content-type", content_type).body(body).send().await.unwrap();
    let header = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), header, response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn an_empty_catalog_is_still_discovered() {
    let world = World::start().await;
    let discovery = world.ehr.discovers(&world.base()).await.unwrap();
    assert_eq!((discovery.status, discovery.services.len()), (200, 0));
    discovery.conforms();
}

#[tokio::test]
async fn each_service_of_the_discovery_is_described_and_answers_under_its_id() {
    let world = World::start().await;
    let _news2 = world.runs(&early_warning::SERVICE).await;
    let _renal = world.runs(&renal_dosing::SERVICE).await;
    let discovery = world.ehr.discovers(&world.base()).await.unwrap();
    assert_eq!(discovery.status, 200);
    discovery.conforms();
    assert!(discovery.ids().len() >= 4, "together and singly: {:?}", discovery.ids());
    for service in &discovery.services {
        for member in ["id", "hook", "title", "description"] {
            assert!(service[member].is_string(), "{member} of {service}");
        }
        let firing = world.fires(service["hook"].as_str().unwrap()).on("hanako").ordering("levofloxacin");
        let answer = firing.at(&world.base(), service["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(answer.status, 200, "{}: {}", service["id"], answer.text);
        answer.conforms();
    }
    let single = discovery.services.iter().find(|service| service["id"] != "van-patient-view").unwrap();
    assert!(single["prefetch"].is_object(), "{single}");
    assert!(discovery.services.iter().any(|service| service["usageRequirements"].is_string()));
}

#[tokio::test]
async fn every_published_hook_is_taken_and_answered() {
    let world = World::start().await;
    let storm = world.storm().await;
    for (index, (hook, _)) in hooks().iter().enumerate() {
        // The same behaviour under many names: the number is a parameter that "ok" does not use.
        world.enrolls(&storm.descriptor(&format!("ok-{index}"), hook), json!("live")).await;
        let answer = world.asks(world.fires(hook).on("hanako").ordering("levofloxacin"), hook).await;
        assert_eq!((answer.status, answer.cards.len()), (200, 1), "{hook}: {}", answer.text);
        answer.conforms();
    }
}

#[tokio::test]
async fn having_nothing_to_say_is_an_empty_list_of_cards() {
    let (world, _storm) = world_with(&["nothing"]).await;
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    answer.conforms();
    assert_eq!((answer.status, &answer.body["cards"]), (200, &json!([])));
}

/// A service behind the gateway that was not sent what it needs, and cannot get it.
#[tokio::test]
async fn a_call_without_data_and_without_access_is_a_412() {
    let world = World::start().await;
    let _news2 = world.runs(&early_warning::SERVICE).await;
    let answer = world.asks(world.fires("patient-view").without_fhir_access(), "patient-view").await;
    assert_eq!(answer.status, 412, "{}", answer.text);
    assert_eq!(answer.body["issue"][0]["code"], "required");
}

#[tokio::test]
async fn each_wrong_call_has_a_status_of_its_own() {
    let (world, _storm) = world_with(&["ok"]).await;
    let good = || world.fires("patient-view").body();
    let without = |member: &str| {
        let mut body: Value = serde_json::from_str(&good()).unwrap();
        body.as_object_mut().unwrap().remove(member).expect(member);
        body.to_string()
    };
    let of_another_hook = world.fires("encounter-start").body();
    let json = "application/json";
    for (service, content_type, body, expect) in [
        ("van-patient-view", json, good(), 200),
        ("van-patient-view", "application/json; charset=utf-8", good(), 200),
        ("van-patient-view", "text/plain", good(), 415),
        ("van-patient-view", "application/x-www-form-urlencoded", "a=b".to_owned(), 415),
        ("van-patient-view", json, "<xml/>".to_owned(), 400),
        ("van-patient-view", json, format!("[{}]", good()), 400),
        ("van-patient-view", json, without("hook"), 400),
        ("van-patient-view", json, without("hookInstance"), 400),
        ("van-patient-view", json, without("context"), 400),
        ("van-patient-view", json, of_another_hook, 400),
        ("nobody.nothing", json, good(), 404),
    ] {
        let (status, header, answer) = posts(&world, service, content_type, body.clone()).await;
        assert_eq!(status, expect, "{service} {content_type}: {body}");
        if expect != 200 {
            let is_outcome =
                answer["resourceType"] == "OperationOutcome" && header.as_deref() == Some("application/fhir+json");
            assert!(is_outcome, "{status}: {answer}");
        }
    }
    let nobody = world.fires("patient-view").with_token(None).at(&world.base(), "van-patient-view").await.unwrap();
    assert_eq!((nobody.status, nobody.text.as_str()), (401, ""));
}

#[tokio::test]
async fn an_authorization_without_its_server_is_refused() {
    let (world, _storm) = world_with(&["ok"]).await;
    let mut body: Value = serde_json::from_str(&world.fires("patient-view").body()).unwrap();
    body["fhirAuthorization"] = json!({"access_token": "t", "token_type": "Bearer", "expires_in": 30, "scope": "user/*.rs", "subject": "medvan"});
    let (status, _, answer) = posts(&world, "van-patient-view", "application/json", body.to_string()).await;
    assert_eq!((status, &answer["issue"][0]["expression"]), (400, &json!(["fhirServer"])), "{answer}");
}

/// The EHR fills what the gateway publishes; the gateway fetches the rest, and nothing that it was sent.
#[tokio::test]
async fn what_the_ehr_prefetched_is_used_and_not_asked_for_again() {
    let world = World::start().await;
    let _renal = world.runs(&renal_dosing::SERVICE).await;
    let _interaction = world.runs(&drug_interaction::SERVICE).await;
    let fires = || world.fires("order-sign").on("hanako").ordering("levofloxacin");
    let fetched = world.asks(fires(), "order-sign").await;
    world.fhir.forgets_queries();
    let prefetched = world.asks(fires().filling_prefetch(), "order-sign").await;
    prefetched.conforms();
    assert_eq!(prefetched.summaries(), fetched.summaries());
    let mut queries = world.fhir.queries();
    let asked = queries.len();
    queries.sort();
    queries.dedup();
    assert_eq!(queries.len(), asked, "{queries:?}");
    let published = world.ehr.discovers(&world.base()).await.unwrap().templates("van-order-sign").unwrap();
    let explained = world.explains(&prefetched).await;
    let by_gateway = explained["explanation"]["queries"].as_array().unwrap().len();
    assert_eq!(by_gateway, asked - published.len(), "{explained:#}");
}

/// Every query goes with the token of this call and no other; what one call read, the next one cannot see.
#[tokio::test]
async fn nothing_read_for_one_call_serves_another() {
    let world = World::start().await;
    let _news2 = world.runs(&early_warning::SERVICE).await;
    let fires = || world.fires("patient-view").on("ichiro");
    assert_eq!(world.asks(fires(), "patient-view").await.status, 200);
    let first = world.fhir.queries();
    assert!(!first.is_empty());
    assert_eq!(world.asks(fires(), "patient-view").await.status, 200);
    assert_eq!(world.fhir.queries().len(), 2 * first.len(), "each call reads for itself");
    assert_eq!(world.asks(fires().without_fhir_access(), "patient-view").await.status, 412);
    assert_eq!(world.fhir.queries().len(), 2 * first.len(), "without a token nothing is asked");
}

#[tokio::test]
async fn every_card_and_suggestion_is_numbered_and_named() {
    let (world, _storm) = world_with(&["no-ids", "ok"]).await;
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    answer.conforms();
    assert!(!answer.cards.is_empty());
    for card in &answer.cards {
        assert!(card.uuid().is_some_and(|id| uuid::Uuid::try_parse(id).is_ok()), "{:#}", card.value);
        assert!(card.suggestions().iter().all(|suggestion| suggestion["uuid"].is_string()));
        assert!(!card.source().is_empty());
    }
}

/// Services bend the standard; the EHR never notices.
#[tokio::test]
async fn whatever_services_answer_the_ehr_gets_an_answer_that_conforms() {
    let (world, _storm) = world_with(&[
        "empties",
        "no-selection-behavior",
        "unknown-selection-behavior",
        "unknown-indicator",
        "no-source",
        "long-summary",
        "bad-links",
        "delete-by-resource",
        "early-system-actions",
        "null-cards",
        "html",
        "status-500",
    ])
    .await;
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    answer.conforms();
    assert!(answer.cards.len() >= 3, "{}", answer.text);
}

#[tokio::test]
async fn feedback_is_taken_for_the_cards_of_an_answer() {
    let (world, _storm) = world_with(&["ok"]).await;
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    assert_eq!(world.ehr.accepts(&answer.cards[0]).await.unwrap().status, 200);
    assert_eq!(world.ehr.overrides(&answer.cards[0], "既に対応済み").await.unwrap().status, 200);
    let wrong = json!({"feedback": [{"card": answer.cards[0].uuid(), "outcome": "ignored"}]});
    assert_eq!(world.ehr.posts_feedback(&answer.cards[0].service_url, &wrong).await.unwrap().status, 400);
}
