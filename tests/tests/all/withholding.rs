//! A hospital gives a service less than the service asks for.

use medvan_fixtures::services::early_warning;
use serde_json::json;

use crate::world::{As, World};

#[tokio::test]
async fn a_withheld_key_is_neither_asked_for_nor_sent() {
    let world = World::start().await;
    let news2 = world.runs(&early_warning::SERVICE).await;
    let path = "/hospitals/kaede/enrollments/asagao.early-warning";
    let enrollment =
        json!({"hospital": "kaede", "service": "asagao.early-warning", "mode": "live", "withhold": ["patient"]});
    world.puts(As::Operator, path, &enrollment).await;
    world.fhir.forgets_queries();

    let answer = world.asks(world.fires("patient-view").on("ichiro"), "patient-view").await;

    assert!(world.fhir.queries().iter().all(|query| !query.starts_with("Patient/")), "{:?}", world.fhir.queries());
    let received = news2.received();
    assert_eq!(received.last().unwrap().prefetch_keys(), ["vitals"], "{}", answer.text);
    let discovery = world.ehr.discovers(&world.base()).await.unwrap();
    let published = discovery.templates("van-patient-view").unwrap();
    assert_eq!(published.keys().collect::<Vec<_>>(), ["vitals"]);
}
