//! One call, several services, one answer.

use medvan_fixtures::services::{drug_interaction, early_warning, renal_dosing};

use crate::world::World;

#[tokio::test]
async fn two_vendors_answer_one_order() {
    let world = World::start().await;
    let _renal = world.runs(&renal_dosing::SERVICE).await;
    let _interaction = world.runs(&drug_interaction::SERVICE).await;
    let answer = world.asks(world.fires("order-sign").on("hanako").ordering("levofloxacin"), "order-sign").await;
    answer.conforms();
    assert_eq!(answer.cards.len(), 2, "{}", answer.text);
    let explanation = world.explains(&answer).await;
    assert_eq!(explanation["explanation"]["services"].as_array().map(Vec::len), Some(2), "{explanation:#}");
}

#[tokio::test]
async fn a_shared_query_is_asked_once() {
    let world = World::start().await;
    let _renal = world.runs(&renal_dosing::SERVICE).await;
    let _interaction = world.runs(&drug_interaction::SERVICE).await;
    world.fhir.forgets_queries();
    world.asks(world.fires("order-sign").on("hanako").ordering("levofloxacin"), "order-sign").await.conforms();
    let mut queries = world.fhir.queries();
    let asked = queries.len();
    queries.sort();
    queries.dedup();
    assert_eq!(queries.len(), asked, "{queries:?}");
    assert!(queries.iter().any(|query| query.contains("Patient/hanako")), "{queries:?}");
}

#[tokio::test]
async fn a_deteriorating_patient_gets_an_early_warning() {
    let world = World::start().await;
    let _news2 = world.runs(&early_warning::SERVICE).await;
    let answer = world.asks(world.fires("patient-view").on("ichiro"), "patient-view").await;
    answer.conforms();
    assert_eq!(answer.cards[0].indicator(), "critical", "{}", answer.text);
}
