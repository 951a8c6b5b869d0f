//! Who may call, proved at the endpoint: JWTs of CDS Hooks in both directions (items 51 to 58 of the standard's
//! "Trusting CDS Clients", and fifteen checks that a sceptical reviewer makes). The numbers in the tables are those
//! checks.

use medvan::config::Config;
use medvan_fixtures::{fhir_server::Grant, misbehaving::RunningMisbehaving};
use serde_json::{Value, json};

use crate::world::{As, Key, KeyServer, Letter, Log, Reply, Tripwire, World};

mod forgeries;
mod rotation;

/// The service that is called.
const SERVICE: &str = "van-patient-view";

/// A hospital whose EHR publishes the keys that a test gives it, and one service that answers anything.
struct Stage {
    world: World,
    published: KeyServer,
    own: Key,
    rsa: Key,
    p256: Key,
    vendor: RunningMisbehaving,
}

impl Stage {
    async fn set() -> Self {
        Self::around(World::start().await, "max-age=60").await
    }

    async fn around(world: World, cache_control: &str) -> Self {
        let published = KeyServer::start(cache_control).await;
        // As Epic writes them: opaque, and not URL-safe.
        let (own, rsa, p256) = (Key::es384("own+A8/x="), Key::rs384("rsa"), Key::es256("p256"));
        published.publishes(&[&own, &rsa, &p256]);
        let stage = Self { vendor: world.storm().await, world, published, own, rsa, p256 };
        stage.world.client("ehr", stage.registration()).await;
        stage.world.enrolls(&stage.vendor.descriptor("ok", "patient-view"), json!("live")).await;
        stage
    }

    fn registration(&self) -> Value {
        json!({"authentication": {"jwt": {"issuer": self.world.ehr.iss(), "jwksUrl": self.published.url()}}})
    }

    fn endpoint(&self) -> String {
        format!("{}/cds-services/{SERVICE}", self.world.base())
    }

    fn claims(&self) -> Value {
        self.world.ehr.claims(&self.endpoint())
    }

    /// A token in order.
    fn token(&self) -> String {
        self.own.sign(&self.own.header(), &self.claims())
    }

    fn letter(&self) -> Letter<'_> {
        let body = self.world.fires("patient-view").body();
        self.world.writes_to(SERVICE).saying(body)
    }

    async fn shows(&self, token: &str) -> Reply {
        self.letter().with("authorization", &format!("Bearer {token}")).send().await
    }

    async fn lets_in(&self, what: &str, token: &str) {
        let reply = self.shows(token).await;
        assert_eq!(reply.status, 200, "{what}: {reply:?}");
    }

    /// A bare 401 (item 56), and no vendor hears of it.
    async fn turns_away(&self, what: &str, token: &str) {
        let asked = self.vendor.calls();
        is_bare_401(what, &self.shows(token).await);
        assert_eq!(self.vendor.calls(), asked, "{what}");
    }
}

fn is_bare_401(what: &str, reply: &Reply) {
    assert_eq!(reply.status, 401, "{what}: {reply:?}");
    assert_eq!(reply.text, "", "{what}: a 401 tells a stranger nothing");
    assert_eq!(reply.header("www-authenticate"), "Bearer", "{what}");
}

#[tokio::test]
async fn forged_bent_and_foreign_tokens_get_a_bare_401() {
    let stage = Stage::set().await;
    let wire = Tripwire::set();
    for (what, forge) in forgeries::REFUSED {
        stage.turns_away(what, &forge(&stage, &wire)).await;
        wire.is_untouched(what);
    }
    stage.lets_in("afterwards a good token", &stage.token()).await;
}

#[tokio::test]
async fn what_the_standard_and_real_ehrs_send_is_let_in() {
    let stage = Stage::set().await;
    let wire = Tripwire::set();
    for (what, make) in forgeries::ACCEPTED {
        stage.lets_in(what, &make(&stage, &wire)).await;
    }
}

/// Check 10 also for a token that nobody registered signed: the `jku` of an attacker names the attacker's own keys.
#[tokio::test]
async fn an_unregistered_jku_is_never_called() {
    let stage = Stage::set().await;
    let attackers = KeyServer::start("max-age=60").await;
    let wire = Tripwire::set();
    let attacker = Key::es384("own+A8/x=");
    attackers.publishes(&[&attacker]);
    for jku in [
        attackers.url(),
        wire.url("/jwks.json"),
        format!("{}#", stage.published.url().replace("127.0.0.1", "localhost")),
    ] {
        for key in [&stage.own, &attacker] {
            let mut header = key.header();
            header["jku"] = json!(jku);
            stage.turns_away("10", &key.sign(&header, &stage.claims())).await;
        }
    }
    wire.is_untouched("10");
    assert_eq!(attackers.fetches(), 0);
}

#[tokio::test]
async fn without_a_bearer_token_nobody_is_let_in() {
    let stage = Stage::set().await;
    let token = stage.token();
    is_bare_401("none", &stage.letter().without("authorization").send().await);
    for value in ["", "Bearer", "Bearer ", &format!("Basic {token}"), &format!("DPoP {token}"), &token] {
        is_bare_401(value, &stage.letter().with("authorization", value).send().await);
    }
    let discovery = stage.world.looks_at("/hospitals/kaede/cds-services").await;
    is_bare_401("discovery", &discovery);
    stage.lets_in("the same token, sent as it should be", &token).await;
}

/// Check 14: a token is good for one hospital.
#[tokio::test]
async fn a_token_for_one_hospital_opens_no_other() {
    let stage = Stage::set().await;
    let world = &stage.world;
    world
        .puts(As::Operator, "/hospitals/momiji", &json!({"id": "momiji", "name": {"ja": "もみじ", "en": "Momiji"}}))
        .await;
    let at_momiji = || {
        let url = format!("{}/hospitals/momiji/cds-services/{SERVICE}", world.gateway.url);
        world.writes_to_url(url).saying(world.fires("patient-view").body())
    };
    let shown = |token: String| at_momiji().with("authorization", &format!("Bearer {token}")).send();
    is_bare_401("14: its EHR is not registered there", &shown(stage.token()).await);
    let mut client = stage.registration();
    client.as_object_mut().unwrap().extend(json!({"hospital": "momiji", "id": "ehr"}).as_object().unwrap().clone());
    world.puts(As::Operator, "/hospitals/momiji/clients/ehr", &client).await;
    is_bare_401("14: registered there too, but the token is for kaede", &shown(stage.token()).await);
    let url = format!("{}/hospitals/momiji/cds-services/{SERVICE}", world.gateway.url);
    let own = stage.own.sign(&stage.own.header(), &world.ehr.claims(&url));
    assert_eq!(shown(own).await.status, 404, "let in, but momiji is enrolled for nothing");
    is_bare_401("14: no such hospital", &world.writes_to_url(url.replace("momiji", "nowhere")).send().await);
}

/// Check 9. The gateway is reached under a name of its own, so that the token's `aud` is right after the restart too.
#[tokio::test]
async fn a_token_is_good_once_also_after_a_restart() {
    const NAME: &str = "http://gateway.example";
    let named = |config: &mut Config| config.external_url = Some(NAME.parse().unwrap());
    let stage = Stage::around(World::configured(named).await, "max-age=60").await;
    let signed = |path: &str| {
        let claims = stage.world.ehr.claims(&format!("{NAME}/hospitals/kaede/cds-services{path}"));
        stage.own.sign(&stage.own.header(), &claims)
    };
    let [spent, fresh, discovered] = [signed("/van-patient-view"), signed("/van-patient-view"), signed("")];
    stage.lets_in("once", &spent).await;
    stage.turns_away("9: twice", &spent).await;
    assert_eq!(discovers(&stage.world, &discovered).await, 200);
    assert_eq!(discovers(&stage.world, &discovered).await, 401);
    let Stage { world, published, own, rsa, p256, vendor } = stage;
    let stage = Stage { world: world.restarts(named).await, published, own, rsa, p256, vendor };
    stage.turns_away("9: after a restart", &spent).await;
    assert_eq!(discovers(&stage.world, &discovered).await, 401, "discovery's tokens are remembered too");
    stage.lets_in("a fresh one after the restart", &fresh).await;
}

async fn discovers(world: &World, token: &str) -> u16 {
    let letter = world.writes_to_url(format!("{}/cds-services", world.base())).without("content-type");
    letter.with("authorization", &format!("Bearer {token}")).send_as(reqwest::Method::GET).await.status
}

/// Of two calls with one token at the same time, one is let in.
#[tokio::test]
async fn a_token_is_good_once_also_at_the_same_moment() {
    let stage = Stage::set().await;
    for _ in 0..5 {
        let token = stage.token();
        let (left, right) = tokio::join!(stage.shows(&token), stage.shows(&token));
        let mut statuses = [left.status, right.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    }
}

/// Check 15: the EHR hears nothing, the operator reads which clock is wrong.
#[tokio::test]
async fn a_wrong_clock_is_reported_to_the_operator() {
    let log = Log::listens();
    let stage = Stage::set().await;
    // So far off that no other test's log line looks like it.
    for (shift, says) in [(-4_520, "the token expired 43"), (5_430, "the token is from 54")] {
        let mut claims = stage.claims();
        claims["iat"] = json!(claims["iat"].as_i64().unwrap() + shift);
        claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 200);
        stage.turns_away("15", &stage.own.sign(&stage.own.header(), &claims)).await;
        let told = |line: &str| line.contains("token refused") && line.contains(says) && line.contains("clock");
        assert!(log.text().lines().any(told), "{says}");
    }
}

/// Items 31 and 57: what the EHR entrusts to the gateway goes to no vendor, in no form.
#[tokio::test]
async fn neither_the_ehrs_token_nor_its_jwt_reaches_a_vendor() {
    let world = World::start().await;
    let vendor = world.storm().await;
    for id in ["ok", "echo"] {
        world.enrolls(&vendor.descriptor(id, "patient-view"), json!("live")).await;
    }
    let token = world.fhir.issues(Grant::for_patient("hanako"));
    let mut body: Value = serde_json::from_str(&world.fires("patient-view").body()).unwrap();
    body["fhirServer"] = json!(world.fhir.base_url());
    body["fhirAuthorization"] = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read", "subject": "medvan",
    });
    let endpoint = format!("{}/cds-services/{SERVICE}", world.base());
    let jwt = world.ehr.token(&endpoint).unwrap();
    let letter = world.writes_to(SERVICE).with("authorization", &format!("Bearer {jwt}"));
    let reply = letter.with("x-forwarded-access-token", &token).saying(body.to_string()).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(world.fhir.queries().len(), 1, "the token was good for the FHIR server");
    assert_eq!(vendor.calls(), 2);
    for received in vendor.received() {
        let everything = format!("{:?} {}", received.headers, received.text);
        for secret in [&token, &jwt, world.fhir.base_url(), "fhirAuthorization", "fhirServer"] {
            assert!(!everything.contains(secret), "{}", received.path);
        }
    }
    assert!(!reply.text.contains(&token));
}
