//! What belongs to others: FHIR servers that are not the hospital's, patients that the call is not about.

use medvan_fixtures::{ehr::Ehr, patients};
use medvan_profiles::Json;
use serde_json::json;

use super::{Stage, authorization, is_refused};
use crate::world::Tripwire;

/// Check 21: a server that is not the registered one is never called, in whatever way its address is written.
#[tokio::test]
async fn no_other_fhir_server_than_the_registered_one_is_ever_called() {
    let stage = Stage::set().await;
    let wire = Tripwire::set();
    let port = wire.port();
    let registered = stage.world.fhir.base_url();
    for server in [
        wire.url("/fhir"),
        format!("http://localhost:{port}/fhir"),
        format!("http://localhost.:{port}/fhir"),
        format!("http://[::1]:{port}/fhir"),
        format!("http://[::ffff:127.0.0.1]:{port}/fhir"),
        format!("http://[64:ff9b::7f00:1]:{port}/fhir"),
        format!("http://[fe80::1%25lo]:{port}/fhir"),
        format!("http://0.0.0.0:{port}/fhir"),
        format!("http://0x7f.1:{port}/fhir"),
        format!("http://0177.0.0.1:{port}/fhir"),
        format!("http://2130706433:{port}/fhir"),
        format!("http://user:himitsu-token@127.0.0.1:{port}/fhir"),
        format!("https://127.0.0.1:{port}/fhir"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://127.0.0.1:22/".to_owned(),
        "http://127.0.0.1:25/".to_owned(),
        "http://127.0.0.1:6379/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:70/".to_owned(),
        "//127.0.0.1/fhir".to_owned(),
        String::new(),
        format!("{registered}/../other"),
        format!("{registered}?x=1"),
        format!("{registered}#x"),
        format!("{registered}@127.0.0.1:{port}"),
        format!("{registered}.example"),
        registered.replace("127.0.0.1", "localhost"),
    ] {
        let mut request = stage.request("patient-view");
        request["fhirServer"] = json!(server);
        request["fhirAuthorization"] = authorization();
        let reply = stage.world.writes_to("van-patient-view").saying(request.to_string()).send().await;
        is_refused(&server, &reply, 400, "fhirServer");
        wire.is_untouched(&server);
    }
    assert_eq!(stage.world.fhir.queries(), Vec::<String>::new());
    assert_eq!(stage.vendor.calls(), 0);
    stage.still_serves("foreign FHIR servers").await;
}

/// A hospital that registered no FHIR server gets answers, and whatever its requests name stays uncalled.
#[tokio::test]
async fn where_no_fhir_server_is_registered_none_is_called() {
    let stage = Stage::set().await;
    let wire = Tripwire::set();
    let ehr = Ehr::new("kaede-gate").fhir_at(wire.url("/fhir"), "himitsu-token");
    let registration = json!({"authentication": {"jwt": {"issuer": ehr.iss(), "jwks": ehr.jwks()}}});
    stage.world.client("gate", registration).await;
    let answer = ehr.fires("patient-view").at(&stage.world.base(), "van-patient-view").await.unwrap();
    answer.conforms();
    wire.is_untouched("no registration");
    assert!(stage.world.explains(&answer).await.to_string().contains("fhirServer"), "the operator is told");
}

/// A resource of another patient is stopped: in the context the call is refused, in the prefetch it goes no further.
#[tokio::test]
async fn another_patients_resources_go_no_further() {
    let stage = Stage::set().await;
    let draft = patients::draft("levofloxacin").unwrap();
    let mut request = stage.request("order-sign");
    request["context"]["draftOrders"]["entry"][0]["resource"] = draft.for_patient("somebody-else").value();
    let reply = stage.world.writes_to("van-order-sign").saying(request.to_string()).send().await;
    is_refused("draft of another patient", &reply, 400, "context.draftOrders");
    assert!(!reply.text.contains("somebody-else"));
    for foreign in [
        json!({"resourceType": "Patient", "id": "somebody-else"}),
        json!({"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/somebody-else"}}),
        json!({"resourceType": "Bundle", "type": "searchset", "entry": [
            {"resource": {"resourceType": "Observation", "subject": {"reference": "http://h.example/fhir/Patient/somebody-else"}}},
        ]}),
        json!({"resourceType": "List", "contained": [
            {"resourceType": "Observation", "id": "a", "subject": {"reference": "Patient/somebody-else"}},
        ]}),
    ] {
        let asked = stage.vendor.calls();
        let firing = stage.world.fires("patient-view").without_fhir_access();
        let answer =
            stage.world.asks(firing.with_prefetch("patient", Json::from_value(&foreign)), "patient-view").await;
        answer.conforms();
        let received = stage.vendor.received().pop().unwrap();
        assert_eq!(stage.vendor.calls(), asked + 1);
        assert!(!received.text.contains("somebody-else"), "{}", received.text);
        let explanation = stage.world.explains(&answer).await.to_string();
        assert!(explanation.contains("prefetch.patient: stopped"), "{explanation}");
        assert!(!explanation.contains("somebody-else"), "{explanation}");
    }
    stage.world.fhir.confuses("hanako", "ichiro");
    let answer = stage.world.asks(stage.world.fires("patient-view").on("hanako"), "patient-view").await;
    let received = stage.vendor.received().pop().unwrap();
    assert!(!received.text.contains("ichiro"), "a FHIR server that mixes patients up: {}", received.text);
    answer.conforms();
    stage.world.fhir.recovers();
    stage.still_serves("foreign patients").await;
}
