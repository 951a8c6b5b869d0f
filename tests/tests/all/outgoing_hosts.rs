//! A private host that is open for a hospital's sake is not open for a vendor's.

use medvan::clock::Clock;
use reqwest::Method;
use serde_json::json;

use crate::world::{As, Gateway, World, version_path};

const INSIDE: &str = "https://fhir.kaede.internal";

#[tokio::test]
async fn a_vendor_cannot_register_the_hospitals_own_server() {
    let open = |config: &mut medvan::config::Config| {
        config.outgoing.allowed_hosts = vec!["fhir.kaede.internal".to_owned()];
    };
    let world = World::around(Gateway::start_with(open, Clock::system()).await).await;
    let client = json!({"hospital": "kaede", "id": "second", "authentication": "loopback", "fhirServer": INSIDE});
    world.puts(As::Operator, "/hospitals/kaede/clients/second", &client).await;

    let storm = world.storm().await;
    let mut descriptor = storm.descriptor("ok", "patient-view");
    world.registers(&descriptor).await;
    descriptor["version"] = json!("9.0.0");
    descriptor["transport"]["baseUrl"] = json!(INSIDE);
    let (status, answer) =
        world.manages(As::Operator, Method::PUT, &version_path(&descriptor), Some(&descriptor)).await;

    assert_eq!((status, &answer["faults"][0]["place"]), (422, &json!("/transport/baseUrl")), "{answer}");
}
