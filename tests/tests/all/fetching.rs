//! Fetching what the EHR did not send along: only from its own FHIR server, only for the patient in context, within
//! its slice of the time, and never so that "not known" looks like "there is none".

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use medvan_fixtures::{Received, Running, ehr::Answer, running};
use serde_json::{Value, json};

use crate::world::{Maker, Tripwire, World, no_hurry};

const OBSERVATIONS: &str = "Observation?patient={{context.patientId}}";

/// A vendor that asks for these keys on `patient-view`, live.
async fn asking(world: &World, vendor: &str, prefetch: &[(&str, &str)]) -> Maker {
    let maker = Maker::starts(vendor).await;
    world.enrolls(&asking_for(&maker, prefetch), json!("live")).await;
    maker
}

fn asking_for(maker: &Maker, prefetch: &[(&str, &str)]) -> Value {
    let mut descriptor = maker.descriptor("patient-view");
    let why = |(key, _): &(&str, &str)| ((*key).to_owned(), json!({"ja": "試験", "en": "test"}));
    descriptor["hooks"][0]["prefetch"] = prefetch.iter().map(|(key, template)| (*key, *template)).collect();
    descriptor["hooks"][0]["why"] = Value::Object(prefetch.iter().map(why).collect());
    descriptor
}

async fn view(world: &World) -> Answer {
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    answer.conforms();
    answer
}

/// What the vendor's last call brought under `prefetch`; null where it brought none.
fn brought(maker: &Maker) -> Value {
    maker.calls().last().unwrap().body()["prefetch"].clone()
}

/// The state of each key that the first service of the exchange was sent.
async fn sent(world: &World, answer: &Answer) -> Value {
    world.explains(answer).await["explanation"]["services"][0]["sent"].clone()
}

fn ids(bundle: &Value) -> Vec<&str> {
    bundle["entry"].as_array().unwrap().iter().map(|entry| entry["resource"]["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_pages_of_a_search_are_joined_into_one_bundle() {
    let world = World::in_no_hurry().await;
    let search = format!("{OBSERVATIONS}&_count=8");
    let sakura = asking(&world, "sakura", &[("values", &search)]).await;
    let _tsubaki = asking(&world, "tsubaki", &[("all", &search)]).await;
    let answer = view(&world).await;
    let bundle = &brought(&sakura)["values"];
    let mut all = ids(bundle);
    assert_eq!((all.len(), bundle["total"].as_u64()), (21, Some(21)));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 21, "no entry twice");
    assert_eq!(bundle.get("link"), None, "page two needs a token that no service has");
    assert_eq!(world.fhir.queries().len(), 3, "{:?}", world.fhir.queries());
    let queries = world.explains(&answer).await["explanation"]["queries"].clone();
    assert_eq!((queries.as_array().map(Vec::len), &queries[0]["pages"]), (Some(1), &json!(3)));
}

#[tokio::test]
async fn who_asks_for_the_newest_gets_the_newest_and_no_more() {
    let world = World::in_no_hurry().await;
    let newest = format!("{OBSERVATIONS}&code=http://loinc.org|2160-0&_sort=-date&_count=1");
    let sakura = asking(&world, "sakura", &[("creatinine", &newest)]).await;
    view(&world).await;
    assert_eq!(ids(&brought(&sakura)["creatinine"]), ["hanako-creatinine-2"]);
    assert_eq!(world.fhir.queries().len(), 1, "{:?}", world.fhir.queries());
}

#[tokio::test]
async fn a_slow_server_costs_its_slice_of_the_time_and_no_more() {
    let world = World::in_no_hurry().await;
    let mut policy = no_hurry();
    policy["prefetchMs"] = 300.into();
    world.hospital(policy).await;
    let sakura = asking(&world, "sakura", &[("patient", "Patient/{{context.patientId}}")]).await;
    sakura.says(&[crate::world::card("a", "データなしの助言")]);
    world.fhir.is_slow(Duration::from_secs(3_600));
    let answer = view(&world).await;
    assert_eq!(answer.summaries(), ["データなしの助言"], "the service was asked all the same");
    assert_eq!(brought(&sakura), Value::Null, "left out, and not as an empty object");
    assert_eq!(sent(&world, &answer).await, json!({"patient": "omitted"}));
}

#[tokio::test]
async fn what_is_not_there_is_null() {
    let world = World::in_no_hurry().await;
    let keys = [
        ("patient", "Patient/{{context.patientId}}"),
        ("dispensed", "MedicationDispense?patient={{context.patientId}}"),
    ];
    let sakura = asking(&world, "sakura", &keys).await;
    let answer = world.asks(world.fires("patient-view").on("nobody"), "patient-view").await;
    answer.conforms();
    assert_eq!(brought(&sakura), json!({"patient": null, "dispensed": null}));
    assert_eq!(sent(&world, &answer).await, json!({"patient": "null", "dispensed": "null"}));
}

#[tokio::test]
async fn a_vendor_may_have_an_empty_search_as_an_empty_bundle() {
    let world = World::in_no_hurry().await;
    let maker = Maker::starts("sakura").await;
    let mut descriptor = asking_for(&maker, &[("dispensed", "MedicationDispense?patient={{context.patientId}}")]);
    descriptor["transport"]["overrides"]["emptySearch"] = "bundle".into();
    world.enrolls(&descriptor, json!("live")).await;
    view(&world).await;
    let bundle = &brought(&maker)["dispensed"];
    assert_eq!((&bundle["resourceType"], &bundle["total"]), (&json!("Bundle"), &json!(0)), "{bundle}");
}

#[tokio::test]
async fn a_server_that_fails_says_so_to_the_service() {
    let world = World::in_no_hurry().await;
    let sakura = asking(&world, "sakura", &[("patient", "Patient/{{context.patientId}}")]).await;
    for status in [400, 401, 403, 500, 503] {
        world.fhir.is_broken(status);
        let answer = view(&world).await;
        assert_eq!(brought(&sakura)["patient"]["resourceType"], "OperationOutcome", "{status}");
        assert_eq!(sent(&world, &answer).await, json!({"patient": "failed"}), "{status}");
    }
    world.fhir.recovers();
    view(&world).await;
    assert_eq!(brought(&sakura)["patient"]["id"], "hanako");
}

#[tokio::test]
async fn another_patients_record_from_the_server_is_stopped() {
    let world = World::in_no_hurry().await;
    let keys = [
        ("patient", "Patient/{{context.patientId}}"),
        ("values", OBSERVATIONS),
        ("user", "Practitioner/{{userPractitionerId}}"),
    ];
    let sakura = asking(&world, "sakura", &keys).await;
    world.fhir.confuses("hanako", "ichiro");
    let answer = view(&world).await;
    let received = sakura.calls().pop().unwrap();
    assert!(!received.text.contains("ichiro") && !received.text.contains("佐藤"), "{}", received.text);
    assert_eq!(received.prefetch_keys(), ["user"], "what is about nobody else goes on");
    assert_eq!(sent(&world, &answer).await, json!({"patient": "omitted", "values": "omitted", "user": "resource"}));
    let told = world.explains(&answer).await["explanation"]["services"][0].clone();
    let stopped = "stopped: it held data of another patient";
    assert_eq!(told["omitted"], json!({"patient": stopped, "values": stopped}), "{told:#}");
    assert_eq!(told["fetched"], json!(["user"]), "what the hospital's server gave");
    world.fhir.recovers();
    view(&world).await;
    assert_eq!(brought(&sakura)["patient"]["id"], "hanako");
}

#[tokio::test]
async fn a_server_other_than_the_registered_one_is_a_400_and_never_called() {
    let world = World::in_no_hurry().await;
    let sakura = asking(&world, "sakura", &[("patient", "Patient/{{context.patientId}}")]).await;
    let wire = Tripwire::set();
    for other in [
        wire.url("/fhir"),
        format!("{}/..", wire.url("/fhir")),
        world.fhir.base_url().replace("127.0.0.1", &format!("127.0.0.1:{}@127.0.0.1", wire.port())),
        format!("{}x", world.fhir.base_url()),
        format!("{}?to={}", world.fhir.base_url(), wire.url("/")),
        "file:///etc/passwd".to_owned(),
    ] {
        let bent = world.ehr.clone().fhir_at(&other, "a-token");
        let answer = bent.fires("patient-view").at(&world.base(), "van-patient-view").await.unwrap();
        assert_eq!(answer.status, 400, "{other}: {}", answer.text);
        assert_eq!(answer.body["issue"][0]["expression"], json!(["fhirServer"]), "{other}: {}", answer.text);
    }
    wire.is_untouched("a server that nobody registered");
    assert!(world.fhir.queries().is_empty() && sakura.calls().is_empty());
    let with_slash = world.ehr.clone().fhir_at(format!("{}/", world.fhir.base_url()), "not-a-token");
    let answer = with_slash.fires("patient-view").at(&world.base(), "van-patient-view").await.unwrap();
    assert_eq!(answer.status, 200, "a slash at the end names the same server: {}", answer.text);
}

#[tokio::test]
async fn without_a_registered_server_none_is_asked() {
    let world = World::in_no_hurry().await;
    let wire = Tripwire::set();
    world.ehr_is(json!({"fhirServer": null})).await;
    let sakura = asking(&world, "sakura", &[("patient", "Patient/{{context.patientId}}")]).await;
    let bent = world.ehr.clone().fhir_at(wire.url("/fhir"), "a-token");
    let answer = world.asks(bent.fires("patient-view"), "patient-view").await;
    assert_eq!(answer.conforms().status, 200);
    wire.is_untouched("a server that nobody registered");
    assert_eq!(sakura.calls()[0].prefetch_keys(), [""; 0]);
    let warnings = world.explains(&answer).await["explanation"]["warnings"].to_string();
    assert!(warnings.contains("fhirServer"), "{warnings}");
}

/// A hospital whose records server says what the test wrote down for each path, and 404 otherwise.
struct Records {
    running: Running,
    pages: Arc<Pages>,
}

#[derive(Default)]
struct Pages {
    answers: Mutex<HashMap<String, (u16, &'static str, String)>>,
    received: Mutex<Vec<Received>>,
}

impl Records {
    async fn start() -> Self {
        let pages = Arc::<Pages>::default();
        let router = Router::new().fallback(turn).with_state(Arc::clone(&pages));
        Self { running: running::serve(router, running::ANY_PORT).await.unwrap(), pages }
    }

    fn base(&self) -> String {
        format!("{}/fhir", self.running.base_url())
    }

    /// Answers this path and query, relative to the base, with a status and a JSON body.
    fn holds(&self, path: &str, status: u16, body: &Value) {
        self.says(path, status, "application/fhir+json", body.to_string());
    }

    fn says(&self, path: &str, status: u16, content_type: &'static str, body: String) {
        self.pages.answers.lock().unwrap().insert(format!("/fhir{path}"), (status, content_type, body));
    }

    /// The EHR of this hospital becomes one whose records are here.
    async fn belong_to(&self, world: &mut World) {
        world.ehr_is(json!({"fhirServer": self.base()})).await;
        world.ehr = world.ehr.clone().fhir_at(self.base(), "the-hospitals-token");
    }

    fn asked(&self) -> Vec<Received> {
        self.pages.received.lock().unwrap().clone()
    }
}

async fn turn(State(pages): State<Arc<Pages>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
    pages.received.lock().unwrap().push(Received { path: path.clone(), headers, text: String::new() });
    let answer = pages.answers.lock().unwrap().get(&path).cloned();
    match answer {
        Some((status, _, to)) if (300..400).contains(&status) => {
            (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, to)]).into_response()
        }
        Some((status, kind, body)) => {
            (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// One page of observations of hanako, with a link to the next.
fn page(ids: &[&str], next: Option<&str>) -> Value {
    let observation = |id: &&str| json!({"resource": {"resourceType": "Observation", "id": id, "status": "final", "subject": {"reference": "Patient/hanako"}}});
    let entry: Vec<_> = ids.iter().map(observation).collect();
    let link: Vec<_> = next.iter().map(|url| json!({"relation": "next", "url": url})).collect();
    json!({"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entry})
}

/// A world whose records are scripted, and a vendor that asks for hanako's observations.
async fn scripted() -> (World, Records, Maker) {
    let mut world = World::in_no_hurry().await;
    let records = Records::start().await;
    records.belong_to(&mut world).await;
    let sakura = asking(&world, "sakura", &[("values", OBSERVATIONS)]).await;
    (world, records, sakura)
}

const FIRST: &str = "/Observation?patient=hanako";

#[tokio::test]
async fn the_ehrs_token_goes_to_its_own_server_and_nowhere_else() {
    let (world, records, sakura) = scripted().await;
    records.holds(FIRST, 200, &page(&["a"], Some(&format!("{}?_getpages=2", records.base()))));
    records.holds("?_getpages=2", 200, &page(&["b"], None));
    view(&world).await;
    let asked = records.asked();
    assert_eq!(
        asked.iter().map(|asked| asked.path.as_str()).collect::<Vec<_>>(),
        ["/fhir/Observation?patient=hanako", "/fhir?_getpages=2"]
    );
    assert!(asked.iter().all(|asked| asked.token() == Some("the-hospitals-token")));
    let call = sakura.calls().pop().unwrap();
    assert_eq!(ids(&call.body()["prefetch"]["values"]), ["a", "b"]);
    let told = format!("{} {:?}", call.text, call.headers);
    for secret in ["the-hospitals-token", "fhirServer", "fhirAuthorization", &records.base()] {
        assert!(!told.contains(secret), "the vendor learns {secret}");
    }
}

#[tokio::test]
async fn half_a_list_never_looks_like_a_whole_one() {
    let wire = Tripwire::set();
    let (world, records, sakura) = scripted().await;
    let next = format!("{}/page2", records.base());
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]});
    for (what, link, status, body, state) in [
        ("gone", next.clone(), 404, json!({}), "omitted"),
        ("expired", next.clone(), 410, outcome.clone(), "failed"),
        ("broken", next.clone(), 500, outcome, "failed"),
        ("empty-handed", next.clone(), 502, json!({}), "omitted"),
        ("of another patient", next.clone(), 200, json!({"resourceType": "Patient", "id": "ichiro"}), "omitted"),
        ("elsewhere", wire.url("/fhir/page2"), 200, json!({}), "omitted"),
    ] {
        records.holds(FIRST, 200, &page(&["a"], Some(&link)));
        records.holds("/page2", status, &body);
        let answer = view(&world).await;
        assert_eq!(sent(&world, &answer).await, json!({"values": state}), "page two is {what}");
        assert_ne!(brought(&sakura)["values"]["resourceType"], "Bundle", "page two is {what}");
    }
    wire.is_untouched("a link that leads away");
}

#[tokio::test]
async fn only_a_read_that_finds_nothing_means_that_there_is_none() {
    let mut world = World::in_no_hurry().await;
    let records = Records::start().await;
    records.belong_to(&mut world).await;
    let keys = [("patient", "Patient/{{context.patientId}}"), ("values", OBSERVATIONS)];
    let sakura = asking(&world, "sakura", &keys).await;
    // Nothing is held at all: of the search, this says that the server does not know such searches.
    let answer = view(&world).await;
    assert_eq!(brought(&sakura), json!({"patient": null}));
    assert_eq!(sent(&world, &answer).await, json!({"patient": "null", "values": "omitted"}));
}

#[tokio::test]
async fn what_is_no_fhir_is_left_out() {
    let (world, records, sakura) = scripted().await;
    let wire = Tripwire::set();
    for (what, status, kind, body) in [
        ("a page of HTML", 502, "text/html", "<h1>502</h1>".to_owned()),
        ("HTML with 200", 200, "text/html", "<h1>login</h1>".to_owned()),
        ("half of a JSON text", 200, "application/fhir+json", "{\"resourceType\":\"Bun".to_owned()),
        (
            "nested a hundred thousand deep",
            200,
            "application/fhir+json",
            format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        ),
        ("a key twice", 200, "application/fhir+json", r#"{"resourceType":"Bundle","type":"a","type":"b"}"#.to_owned()),
        ("a redirect", 302, "text/plain", wire.url("/fhir/Observation")),
    ] {
        records.says(FIRST, status, kind, body);
        let answer = view(&world).await;
        assert_eq!(sent(&world, &answer).await, json!({"values": "omitted"}), "{what}");
        assert_eq!(brought(&sakura), Value::Null, "{what}");
    }
    wire.is_untouched("an address that the server sends to");
}
