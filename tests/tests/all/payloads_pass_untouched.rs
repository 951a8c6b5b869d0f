//! FHIR leaves as it came, byte for byte, in both directions (invariant 2, item 3): decimals, unknown elements,
//! `_birthDate`, full-width spaces, the order of keys, escapes and white space inside.

use medvan_fixtures::{
    ehr::Ehr,
    fhir_server::{self, FhirServer},
};
use medvan_profiles::Json;
use serde_json::json;

use crate::world::{Vendor, World};

/// A patient as no serialiser would write it.
const PATIENT: &str = "{\"birthDate\":\"1948-05-03\", \"_birthDate\": {\"extension\":[{\"valueDateTime\":\"1948-05-03T04:10:00+09:00\",\
    \"url\":\"http://hl7.org/fhir/StructureDefinition/patient-birthTime\"}]},\n  \"resourceType\":\"Patient\",\"id\":\"futsu\",\
    \"name\":[{\"text\":\"鈴木　花子\",\"family\":\"\\u9234\\u6728\"}],\"zzz-unknown\":{\"b\":1.00,\"a\":-0.0,\"e\":1.50E+02},\
    \"multipleBirthInteger\":12345678901234567890,\"deceasedBoolean\":false,\"text\":{\"div\":\"<div>a\\/b &#12288;</div>\",\"status\":\"generated\"}}";

const ORDER: &str = "{ \"status\":\"draft\",\"resourceType\":\"MedicationRequest\",\"intent\":\"order\",\"id\":\"o-1\",\
    \"subject\":{\"reference\":\"Patient/futsu\"},\"dosageInstruction\":[{\"doseAndRate\":[{\"doseQuantity\":{\"value\":1.00,\"unit\":\"錠\"}}],\
    \"text\":\"１日１回　朝食後\"}],\"_status\":{\"id\":\"s\"},\"aaa-unknown\":[1.10,2.20e1] }";

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn orders(order: &str) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{order}}}]}}"#)
}

/// The way in: in the context, prefetched by the EHR, and fetched by us.
#[tokio::test]
async fn a_vendor_receives_each_resource_byte_for_byte() {
    let world = World::start().await;
    let fhir = fhir_server::start(FhirServer::empty().holding(json(PATIENT))).await.unwrap();
    let ehr = Ehr::new("kaede-second").fhir(&fhir);
    let trust = json!({"jwt": {"issuer": ehr.iss(), "jwks": ehr.jwks()}});
    world.client("second", json!({"authentication": trust, "fhirServer": fhir.base_url()})).await;
    let vendor = Vendor::saying("momo", r#"{"cards":[]}"#).await;
    world.enrolls(&vendor.descriptor("order-sign"), json!("live")).await;
    let fires = || ehr.fires("order-sign").on("futsu");
    for (what, firing) in
        [("fetched", fires()), ("prefetched", fires().without_fhir_access().with_prefetch("patient", json(PATIENT)))]
    {
        let body = firing.body();
        let drafts = serde_json::from_str::<serde_json::Value>(&body).unwrap()["context"]["draftOrders"].clone();
        assert!(drafts.is_object());
        let answer = firing.at(&world.base(), "van-order-sign").await.unwrap();
        answer.conforms();
        let received = vendor.received().pop().unwrap();
        assert!(received.text.contains(&format!("\"patient\":{PATIENT}")), "{what}: {}", received.text);
    }
    let body = json!({"hook": "order-sign", "hookInstance": "b3c1d9de-5a0e-4c3b-8a5e-2f6f5b7d4c11", "context": {
        "userId": "Practitioner/dr-tanaka", "patientId": "futsu", "draftOrders": "HERE",
    }});
    let body = body.to_string().replace("\"HERE\"", &orders(ORDER));
    assert_eq!(world.writes_to("van-order-sign").saying(body).send().await.status, 200);
    let received = vendor.received().pop().unwrap();
    assert!(received.text.contains(&orders(ORDER)), "{}", received.text);
}

/// A search of several pages becomes one Bundle; what is in it stays as it was.
#[tokio::test]
async fn resources_of_several_pages_stay_as_they_are() {
    const SEARCH: &str = "Observation?patient={{context.patientId}}&_count=1";
    let observation = |number: u32| {
        format!(
            "{{\"valueQuantity\":{{\"value\":{number}.00,\"unit\":\"mg/dL\"}}, \"resourceType\":\"Observation\",\"id\":\"v-{number}\",\
             \"status\":\"final\",\"subject\":{{\"reference\":\"Patient/futsu\"}},\"note\":[{{\"text\":\"全角　空白\"}}]}}"
        )
    };
    let world = World::start().await;
    let server = (1..=3)
        .fold(FhirServer::empty().holding(json(PATIENT)), |server, number| server.holding(json(&observation(number))));
    let fhir = fhir_server::start(server).await.unwrap();
    let ehr = Ehr::new("kaede-second").fhir(&fhir);
    let trust = json!({"jwt": {"issuer": ehr.iss(), "jwks": ehr.jwks()}});
    world.client("second", json!({"authentication": trust, "fhirServer": fhir.base_url()})).await;
    let vendor = Vendor::saying("momo", r#"{"cards":[]}"#).await;
    let mut descriptor = vendor.descriptor("patient-view");
    descriptor["hooks"][0]["prefetch"] = json!({"values": SEARCH});
    descriptor["hooks"][0]["why"] = json!({"values": {"ja": "試験", "en": "test"}});
    world.enrolls(&descriptor, json!("live")).await;
    ehr.fires("patient-view").on("futsu").at(&world.base(), "van-patient-view").await.unwrap().conforms();
    let received = vendor.received().pop().unwrap();
    for number in 1..=3 {
        assert!(received.text.contains(&observation(number)), "{number}: {}", received.text);
    }
    assert!(!received.text.contains(fhir.base_url()) || !received.text.contains("\"next\""), "{}", received.text);
}

/// The way back: what a vendor suggests reaches the EHR in the vendor's own bytes.
#[tokio::test]
async fn the_ehr_receives_each_suggested_resource_byte_for_byte() {
    let action = |kind: &str, resource: &str| format!(r#"{{"type":"{kind}","description":"d","resource":{resource}}}"#);
    let body = format!(
        r#"{{"cards":[{{"summary":"s","indicator":"info","source":{{"label":"momo"}},"selectionBehavior":"any","suggestions":[
            {{"label":"l","actions":[{},{}]}}]}}],"systemActions":[{}]}}"#,
        action("update", ORDER),
        action("create", &ORDER.replace(r#""id":"o-1","#, "")),
        action("update", &ORDER.replace("o-1", "o-2")),
    );
    let world = World::start().await;
    let rule = json!([{"service": "momo.only", "resourceTypes": ["MedicationRequest"]}]);
    world.hospital(json!({"systemActions": rule})).await;
    let vendor = Vendor::saying("momo", body).await;
    world.enrolls(&vendor.descriptor("order-sign"), json!("live")).await;
    let answer = world.asks(world.fires("order-sign").on("futsu").without_fhir_access(), "order-sign").await;
    answer.conforms();
    for resource in [ORDER, &ORDER.replace(r#""id":"o-1","#, ""), &ORDER.replace("o-1", "o-2")] {
        assert!(answer.text.contains(resource), "{resource}\nis not in\n{}", answer.text);
    }
}
