//! Whatever a caller sends, the gateway answers with the stated status and a reason that names a place and a mend,
//! never a patient, and serves the next call. Items are those of the CDS Hooks facts (12 to 16, 29, the defects of
//! section 1L), numbers of checks those of the sceptical reviewer (19, 21, 22 to 25, 27, 29).

use medvan::config::Config;
use medvan_fixtures::misbehaving::RunningMisbehaving;
use medvan_profiles::Json;
use serde_json::{Value, json};

use crate::world::{Reply, Socket, World};

mod bombs;
mod foreign;
mod letters;

/// What no reply may repeat: the patient's id and name in every bad request.
const SECRETS: [&str; 3] = ["himitsu-0451", "秘密", "himitsu-token"];

/// A hospital with one good service on two hooks.
struct Stage {
    world: World,
    vendor: RunningMisbehaving,
}

impl Stage {
    async fn set() -> Self {
        Self::configured(|_| {}).await
    }

    async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let world = World::configured(change).await;
        let vendor = world.storm().await;
        for (id, hook) in [("ok", "patient-view"), ("no-ids", "order-sign")] {
            world.enrolls(&vendor.descriptor(id, hook), json!("live")).await;
        }
        Self { world, vendor }
    }

    /// A good request about the secret patient, as a start for bad ones.
    fn request(&self, hook: &str) -> Value {
        let firing = self.world.fires(hook).on("himitsu-0451");
        serde_json::from_str(&firing.body()).unwrap()
    }

    async fn still_serves(&self, after: &str) {
        for hook in ["patient-view", "order-sign"] {
            let answer = self.world.asks(self.world.fires(hook).on("hanako"), hook).await;
            assert_eq!(answer.status, 200, "after {after}: {}", answer.text);
            answer.conforms();
            assert_eq!(answer.cards.len(), 1, "after {after}: {}", answer.text);
        }
    }
}

/// The status, and a reason without anything of the patient.
#[track_caller]
fn is_refused(what: &str, reply: &Reply, status: u16, place: &str) {
    assert_eq!(reply.status, status, "{what}: {reply:?}");
    assert!(!reply.diagnostics().is_empty(), "{what}");
    assert!(reply.expression().contains(place), "{what}: {place:?} is not in {:?}: {reply:?}", reply.expression());
    tells_nothing(what, &reply.text);
}

#[track_caller]
fn tells_nothing(what: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{what} repeats {secret}: {text}");
    }
}

#[tokio::test]
async fn malformed_requests_get_their_status_and_a_reason() {
    let stage = Stage::set().await;
    for (what, status, place, bend) in letters::BAD {
        let letter = stage.world.writes_to("van-order-sign");
        let reply = bend(letter, stage.request("order-sign")).send().await;
        is_refused(what, &reply, *status, place);
    }
    assert_eq!(stage.vendor.calls(), 0, "no vendor heard of any of them");
    stage.still_serves("malformed requests").await;
}

/// What real senders do and the standard forgives.
#[tokio::test]
async fn harmless_deviations_are_taken_with_a_warning() {
    let stage = Stage::set().await;
    for (what, warning, bend) in letters::FORGIVEN {
        let reply = bend(stage.world.writes_to("van-order-sign"), stage.request("order-sign")).send().await;
        assert_eq!(reply.status, 200, "{what}: {reply:?}");
        let exchange = reply.body()["extension"]["jp.medvan.exchange"]["id"].as_str().unwrap().to_owned();
        let explanation = stage.world.reads(&format!("/exchanges/{exchange}")).await.to_string();
        assert!(explanation.contains(warning), "{what}: {explanation}");
        tells_nothing(what, &explanation);
    }
}

/// Check 24 and 25: what is small on the wire and large in memory.
#[tokio::test]
async fn bombs_are_refused_and_memory_stays_flat() {
    let stage = Stage::set().await;
    for (what, status, bend) in bombs::ALL {
        let reply = bend(stage.world.writes_to("van-order-sign")).send().await;
        is_refused(what, &reply, *status, "");
    }
    assert!(bombs::most_memory() < 900 << 20, "something was unpacked whole: {} bytes", bombs::most_memory());
    stage.still_serves("bombs").await;
}

/// Check 25: a gigabyte that is only announced costs nothing and nobody's patience.
#[tokio::test]
async fn a_declared_gigabyte_is_refused_before_it_is_sent() {
    let stage = Stage::set().await;
    for lines in [&["Content-Length: 1073741824"][..], &["Content-Length: 1073741824", "Expect: 100-continue"]] {
        let mut socket = Socket::to(&stage.world).await;
        let head = stage.world.head("van-order-sign", lines);
        socket.says(format!("{head}\r\n{{\"hook\":")).await;
        let heard = socket.hears().await;
        assert!(heard.starts_with("HTTP/1.1 413"), "{heard}");
        assert!(heard.contains("OperationOutcome"), "{heard}");
    }
    stage.still_serves("a declared gigabyte").await;
}

/// Check 27.
#[tokio::test]
async fn slow_heads_and_slow_bodies_lose_their_connection() {
    let stage = Stage::configured(|config| {
        config.limits.header_read_ms = 1_000;
        config.limits.body_read_ms = 1_000;
    })
    .await;
    let mut silent = Socket::to(&stage.world).await;
    silent.says("POST /hospitals/kaede/cds-services/van-order-sign HTTP/1.1\r\nHost: g").await;
    let mut slow_head = Socket::to(&stage.world).await;
    slow_head.says("POST /hospitals/kaede/cds-services/van-order-sign HTTP/1.1\r\nX-A: ").await;
    let mut slow_body = Socket::to(&stage.world).await;
    let head = stage.world.head("van-order-sign", &["Content-Length: 100000"]);
    slow_body.says(format!("{head}\r\n{{")).await;
    let (silent, slow_head, slow_body) = tokio::join!(silent.hears(), slow_head.drips("a"), slow_body.drips(" "));
    assert!(!silent.contains(" 200 ") && !slow_head.contains(" 200 "), "{silent}{slow_head}");
    assert!(slow_body.starts_with("HTTP/1.1 408"), "{slow_body}");
    assert!(slow_body.contains("OperationOutcome"), "{slow_body}");
    stage.still_serves("slow callers").await;
}

/// Check 19: where two readers could disagree on where a request ends, nothing after it is read as a request.
#[tokio::test]
async fn no_request_is_smuggled_behind_another() {
    const HIDDEN: &str = "GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n";
    let stage = Stage::set().await;
    let zero = format!("0\r\n\r\n{HIDDEN}");
    for (what, lines, body) in [
        ("CL, then TE", &["Content-Length: 5", "Transfer-Encoding: chunked"][..], zero.as_str()),
        ("TE, then CL", &["Transfer-Encoding: chunked", "Content-Length: 5"], &zero),
        ("two lengths", &["Content-Length: 2", "Content-Length: 60"], &format!("{{}}{HIDDEN}")),
        ("a list of lengths", &["Content-Length: 2, 60"], &format!("{{}}{HIDDEN}")),
        ("a length with a sign", &["Content-Length: +2"], &format!("{{}}{HIDDEN}")),
        ("an unknown coding", &["Transfer-Encoding: xchunked"], &zero),
        ("chunked, but not last", &["Transfer-Encoding: chunked, identity"], &zero),
        ("a blank before the colon", &["Transfer-Encoding : chunked", "Content-Length: 5"], &zero),
        ("a folded line", &["Transfer-Encoding:\r\n chunked", "Content-Length: 5"], &zero),
        ("a bare line feed", &["X-A: b\nTransfer-Encoding: chunked", "Content-Length: 5"], &zero),
        ("a chunk size beyond 64 bits", &["Transfer-Encoding: chunked"], "fffffffffffffffff0\r\n\r\n"),
        ("a chunk that lies", &["Transfer-Encoding: chunked"], &format!("1\r\n{{}}\r\n{zero}")),
    ] {
        let mut socket = Socket::to(&stage.world).await;
        socket.says(format!("{}\r\n{body}", stage.world.head("van-order-sign", lines))).await;
        let heard = socket.hears().await;
        assert_eq!(heard.matches("HTTP/1.1 ").count(), 1, "{what}: {heard}");
        assert!(heard.starts_with("HTTP/1.1 4"), "{what}: {heard}");
        assert!(!heard.contains("alive"), "{what}: {heard}");
    }
    stage.still_serves("smugglers").await;
}

#[tokio::test]
async fn many_or_huge_headers_are_refused() {
    let stage = Stage::set().await;
    let many: Vec<String> = (0..200).map(|number| format!("X-{number}: a")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let huge = format!("X-A: {}", "a".repeat(200_000));
    for lines in [&many[..], &[huge.as_str()]] {
        let mut socket = Socket::to(&stage.world).await;
        socket.says(format!("{}Content-Length: 2\r\n\r\n{{}}", stage.world.head("van-order-sign", lines))).await;
        assert!(socket.hears().await.starts_with("HTTP/1.1 431"));
    }
    stage.still_serves("headers").await;
}

#[tokio::test]
async fn unknown_services_and_paths_are_404_and_other_methods_405() {
    let stage = Stage::set().await;
    for service in [
        "nothing",
        "van-order-select",
        "himitsu-0451",
        "..%2f..%2fetc%2fpasswd",
        "%E7%A7%98%E5%AF%86",
        "a%00b",
        "%27%20OR%201=1",
    ] {
        let reply = stage.world.writes_to(service).saying(stage.request("order-sign").to_string()).send().await;
        assert!(reply.status == 404 || reply.status == 401, "{service}: {reply:?}");
        tells_nothing(service, &reply.text);
    }
    let known =
        stage.world.writes_to("van-order-select").saying(stage.request("order-select").to_string()).send().await;
    is_refused("not enrolled for", &known, 404, "");
    for method in [reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::DELETE] {
        assert_eq!(stage.world.writes_to("van-order-sign").send_as(method).await.status, 405);
    }
    stage.still_serves("unknown services").await;
}

/// Check 29: references in a circle, and contained resources inside contained ones, end.
#[tokio::test]
async fn circles_of_references_end() {
    let stage = Stage::set().await;
    let circle = json!({
        "resourceType": "List", "id": "a",
        "contained": [
            {"resourceType": "List", "id": "b", "entry": [{"item": {"reference": "#c"}}],
             "contained": [{"resourceType": "List", "id": "c", "entry": [{"item": {"reference": "#b"}}]}]},
            {"resourceType": "List", "id": "c", "entry": [{"item": {"reference": "#b"}}, {"item": {"reference": "#"}}]},
        ],
    });
    let firing = stage.world.fires("patient-view").without_fhir_access();
    let answer = stage.world.asks(firing.with_prefetch("patient", Json::from_value(&circle)), "patient-view").await;
    answer.conforms();
    stage.still_serves("circles").await;
}

fn authorization() -> Value {
    json!({
        "access_token": "himitsu-token", "token_type": "Bearer", "expires_in": 300,
        "scope": "user/*.read", "subject": "medvan",
    })
}
