//! The stage of the end-to-end tests: a gateway, a hospital with its EHR and FHIR server, and vendors, all over real
//! HTTP on loopback.
//!
//! ```text
//! let world = World::start().await;
//! let news2 = world.runs(&services::early_warning::SERVICE).await;   // started, registered, approved, enrolled
//! let answer = world.fires("patient-view").on("hanako").at(&world.base(), "van-patient-view").await?;
//! ```

use std::{path::Path, time::Duration};

use medvan::{
    App,
    clock::Clock,
    config::{Checked, Config},
    server::Listener,
};
use medvan_fixtures::{
    ehr::{Answer, Ehr, Firing},
    fhir_server::{self, FhirServer, RunningFhirServer},
    misbehaving::{self, RunningMisbehaving},
    services::{self, Options, RunningService, Service},
};
use serde_json::{Value, json};
use tempfile::TempDir;

mod hand;
mod keys;
mod log;
mod maker;
mod moving_clock;
mod neighbour;
mod process;
mod stranger;
mod until;
mod vendor;

pub use hand::{Letter, Reply, Socket};
pub use keys::{Key, KeyServer, decoded};
pub use log::Log;
pub use maker::{Maker, card};
pub use moving_clock::MovingClock;
pub use process::Process;
pub use stranger::Tripwire;
pub use until::until;
pub use vendor::Vendor;

/// Everything that takes part. The gateway is one of this process, or a [`Process`] of its own.
pub struct World<G = Gateway> {
    pub gateway: G,
    pub fhir: RunningFhirServer,
    pub ehr: Ehr,
    pub http: reqwest::Client,
}

/// A gateway of this process, with a data folder of its own.
pub struct Gateway {
    pub app: App,
    pub folder: TempDir,
    pub url: String,
}

/// What a stage needs to know of its gateway.
pub trait Stands {
    fn url(&self) -> &str;
    fn data(&self) -> &Path;
}

/// Who speaks to the management API.
#[derive(Debug, Clone)]
pub enum As {
    Operator,
    Governor,
    /// Whoever holds this credential.
    Holder(String),
}

/// A hospital's policy for tests in which nobody may be late, however slow the machine is.
pub fn no_hurry() -> Value {
    json!({"deadlineMs": 30_000, "prefetchMs": 10_000})
}

impl Gateway {
    /// Starts with the defaults on any free port.
    pub async fn start() -> Self {
        Self::start_with(|_| {}, Clock::system()).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config), clock: Clock) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), change, clock).await
    }

    /// Starts on a folder that an earlier gateway may have used.
    pub async fn start_in(folder: TempDir, change: impl FnOnce(&mut Config), clock: Clock) -> Self {
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            data: folder.path().join("data"),
            shutdown_seconds: 5,
            ..Config::default()
        };
        change(&mut config);
        let config: Checked = config.check().unwrap();
        let listener = Listener::bind(&config).await.unwrap();
        let url = format!("http://{}", listener.address());
        let app = App::start_with(config.listening_on(listener.address()), clock).await.unwrap();
        let serving = app.clone();
        app.tasks.spawn("server", async move { serving.serve(listener).await });
        Self { app, folder, url }
    }

    /// Ends as on SIGTERM; the folder stays.
    pub async fn stop(self) -> TempDir {
        self.app.finish().await;
        self.folder
    }
}

impl Stands for Gateway {
    fn url(&self) -> &str {
        &self.url
    }

    fn data(&self) -> &Path {
        &self.app.config.data
    }
}

impl World {
    /// A hospital `kaede` whose EHR signs its calls.
    pub async fn start() -> Self {
        Self::around(Gateway::start().await).await
    }

    /// The same hospital, which waits for every answer.
    pub async fn in_no_hurry() -> Self {
        let world = Self::start().await;
        world.hospital(no_hurry()).await;
        world
    }

    /// The same hospital, whose gateway reads other settings.
    pub async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        Self::around(Gateway::start_with(change, Clock::system()).await).await
    }

    /// The gateway ends and starts again on the same data folder; everybody else stays.
    pub async fn restarts(self, change: impl FnOnce(&mut Config)) -> Self {
        self.while_gateway(async |gateway: Gateway| {
            Gateway::start_in(gateway.stop().await, change, Clock::system()).await
        })
        .await
    }

    /// The same hospital, in no hurry, around a gateway whose clock the test owns. Its EHR signs nothing: tokens live
    /// by the machine's clock.
    pub async fn with_clock(clock: Clock) -> Self {
        let mut world = Self::around(Gateway::start_with(|_| {}, clock).await).await;
        world.hospital(no_hurry()).await;
        world.ehr_is(json!({"authentication": "loopback"})).await;
        world.ehr = world.ehr.unsigned();
        world
    }
}

impl<G> World<G> {
    /// Everybody else stays where they are while something happens to the gateway.
    pub async fn while_gateway<H>(self, happens: impl AsyncFnOnce(G) -> H) -> World<H> {
        let Self { gateway, fhir, ehr, http } = self;
        World { gateway: happens(gateway).await, fhir, ehr, http }
    }
}

impl<G: Stands> World<G> {
    /// The same hospital around a gateway that was started otherwise.
    pub async fn around(gateway: G) -> Self {
        let fhir = fhir_server::start(FhirServer::with_synthetic_patients()).await.unwrap();
        let ehr = Ehr::new("kaede-ehr").fhir(&fhir).publishing_keys().await.unwrap();
        let world = Self { gateway, fhir, ehr, http: hand::client() };
        world.hospital(json!({})).await;
        world.client("ehr", world.ehr_registration()).await;
        world
    }

    /// What the hospital registers for its EHR.
    pub fn ehr_registration(&self) -> Value {
        json!({
            "authentication": {"jwt": {"issuer": self.ehr.iss(), "jwksUrl": self.ehr.jwks_url()}},
            "fhirServer": self.fhir.base_url(),
        })
    }

    /// Registers a system of the hospital.
    pub async fn client(&self, id: &str, registration: Value) {
        let mut client = json!({"hospital": "kaede", "id": id});
        client.as_object_mut().unwrap().extend(registration.as_object().unwrap().clone());
        self.puts(As::Operator, &format!("/hospitals/kaede/clients/{id}"), &client).await;
    }

    /// Registers the hospital's EHR anew, with these members over the old ones.
    pub async fn ehr_is(&self, members: Value) {
        let mut registration = self.ehr_registration();
        registration.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.client("ehr", registration).await;
    }

    /// Sets the hospital's policy over the default.
    pub async fn hospital(&self, policy: Value) {
        let mut hospital = json!({"id": "kaede", "name": {"ja": "かえで病院", "en": "Kaede Hospital"}});
        hospital.as_object_mut().unwrap().extend(policy.as_object().unwrap().clone());
        self.puts(As::Operator, "/hospitals/kaede", &hospital).await;
    }

    /// The hospital's base URL, as its EHR knows it.
    pub fn base(&self) -> String {
        format!("{}/hospitals/kaede", self.gateway.url())
    }

    /// A hook about to be fired by the hospital's EHR.
    pub fn fires(&self, hook: &str) -> Firing<'_> {
        self.ehr.fires(hook)
    }

    /// Fires at the aggregated service of the hook.
    pub async fn asks(&self, firing: Firing<'_>, hook: &str) -> Answer {
        firing.at(&self.base(), &format!("van-{hook}")).await.unwrap()
    }

    /// Starts a reference service and takes it through the catalog, live.
    pub async fn runs(&self, service: &'static Service) -> RunningService {
        let running = services::start(service, Options::default()).await.unwrap();
        self.enrolls(&running.descriptor(), json!("live")).await;
        running
    }

    /// Starts a vendor of misbehaving services; each behaviour is registered by [`World::enrolls`].
    pub async fn storm(&self) -> RunningMisbehaving {
        misbehaving::start().await.unwrap()
    }

    /// Registers, submits, approves and enrols what a descriptor describes.
    pub async fn enrolls(&self, descriptor: &Value, mode: Value) {
        self.registers(descriptor).await;
        self.enrolled(descriptor, json!({"mode": mode})).await;
    }

    /// Enrols, or changes the enrolment, in what is registered already.
    pub async fn enrolled(&self, descriptor: &Value, terms: Value) {
        let service = name(descriptor);
        let mut enrollment = json!({"hospital": "kaede", "service": service});
        enrollment.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
        self.puts(As::Operator, &format!("/hospitals/kaede/enrollments/{service}"), &enrollment).await;
    }

    /// Ends the hospital's enrolment in what a descriptor describes.
    pub async fn leaves(&self, descriptor: &Value) {
        let path = format!("/hospitals/kaede/enrollments/{}", name(descriptor));
        let (status, body) = self.manages(As::Operator, reqwest::Method::DELETE, &path, None).await;
        assert_eq!(status, 204, "DELETE {path}: {body}");
    }

    /// Starts a vendor whose words the test chooses, live on this hook.
    pub async fn makes(&self, vendor: &str, hook: &str) -> Maker {
        let maker = Maker::starts(vendor).await;
        self.enrolls(&maker.descriptor(hook), json!("live")).await;
        maker
    }

    /// The same, but its answers count for half a second only.
    pub async fn makes_hurried(&self, vendor: &str, hook: &str) -> Maker {
        let maker = Maker::starts(vendor).await;
        let mut descriptor = maker.descriptor(hook);
        descriptor["limits"]["deadlineMs"] = 500.into();
        self.enrolls(&descriptor, json!("live")).await;
        maker
    }

    /// Registers and approves without enrolling anybody.
    pub async fn registers(&self, descriptor: &Value) {
        let vendor = descriptor["vendor"].as_str().unwrap();
        let vendor_object = json!({
            "id": vendor, "name": {"ja": vendor, "en": vendor},
            "contact": {"name": "Support", "email": format!("support@{vendor}.example")},
        });
        self.puts(As::Operator, &format!("/vendors/{vendor}"), &vendor_object).await;
        let version = version_path(descriptor);
        self.puts(As::Operator, &version, descriptor).await;
        self.posts(As::Operator, &format!("{version}/submit"), &json!({})).await;
        self.decides(descriptor, "approve").await;
    }

    /// The governor decides on the descriptor's version.
    pub async fn decides(&self, descriptor: &Value, decision: &str) {
        let path = format!("{}/decision", version_path(descriptor));
        self.posts(As::Governor, &path, &json!({"decision": decision, "reason": "test"})).await;
    }

    /// Reads an object of the management API.
    pub async fn reads(&self, path: &str) -> Value {
        let (status, body) = self.manages(As::Operator, reqwest::Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// The explanation of the exchange behind an answer.
    pub async fn explains(&self, answer: &Answer) -> Value {
        let id =
            answer.body["extension"]["jp.medvan.exchange"]["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text));
        self.reads(&format!("/exchanges/{id}")).await
    }

    /// What became known of an exchange after its answer had left; waits until there is something.
    pub async fn waits_for_addendum(&self, answer: &Answer) -> Value {
        let addendum = async || self.explains(answer).await["addenda"].get(0).cloned();
        until("an addendum comes", addendum).await
    }

    pub async fn puts(&self, role: As, path: &str, body: &Value) -> Value {
        let (status, answer) = self.manages(role, reqwest::Method::PUT, path, Some(body)).await;
        assert!(status < 300, "PUT {path}: {status} {answer}");
        answer
    }

    pub async fn posts(&self, role: As, path: &str, body: &Value) -> Value {
        let (status, answer) = self.manages(role, reqwest::Method::POST, path, Some(body)).await;
        assert!(status < 300, "POST {path}: {status} {answer}");
        answer
    }

    /// One request to the management API: status and body (null when there is none).
    pub async fn manages(&self, role: As, method: reqwest::Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}/api/v1{path}", self.gateway.url());
        let mut request = self.http.request(method, url).bearer_auth(self.credential(role));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.timeout(Duration::from_secs(20)).send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A credential for a vendor or a hospital, as the operator issues it.
    pub async fn issues(&self, role: &str, subject: &str) -> As {
        let wanted = json!({"role": role, "subject": subject, "label": "test"});
        let issued = self.posts(As::Operator, "/credentials", &wanted).await;
        As::Holder(issued["secret"].as_str().unwrap().to_owned())
    }

    fn credential(&self, role: As) -> String {
        let file = match role {
            As::Operator => "operator.credential",
            As::Governor => "governor.credential",
            As::Holder(secret) => return secret,
        };
        std::fs::read_to_string(self.gateway.data().join(file)).unwrap().trim().to_owned()
    }
}

/// Who fared how, as the answer itself tells it: `vendor.service` and status.
pub fn fared(answer: &Answer) -> Vec<(String, String)> {
    let services = answer.body["extension"]["jp.medvan.exchange"]["services"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    services.iter().map(|service| (text(&service["service"]), text(&service["status"]))).collect()
}

/// `vendor.service` of a descriptor.
pub fn name(descriptor: &Value) -> String {
    format!("{}.{}", descriptor["vendor"].as_str().unwrap(), descriptor["id"].as_str().unwrap())
}

/// Where a descriptor's version lives in the management API.
pub fn version_path(descriptor: &Value) -> String {
    let text = |name: &str| descriptor[name].as_str().unwrap().to_owned();
    format!("/vendors/{}/services/{}/versions/{}", text("vendor"), text("id"), text("version"))
}
