//! Somebody at a desk with the API before them.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use medvan::{
    api::{self, Api},
    archive::Archive,
    catalog::Catalog,
    clock::Clock,
    dicomweb::Origins,
    poll::Reader,
    store::Store,
    trust::{Algorithm, Issuer, Keyring, Logins},
};
use medvan_adapters::http::{Client, Guard, Profile, Settings};
use medvan_profiles::descriptor::example_text;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, macros::datetime};
use tower::ServiceExt as _;

pub(crate) const NOON: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

/// One gateway's API with an empty catalog, and the first credentials.
pub(crate) struct Office {
    pub(crate) dir: TempDir,
    pub(crate) api: Api,
    pub(crate) operator: String,
    pub(crate) governor: String,
    router: Router,
    now: Arc<Mutex<OffsetDateTime>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

impl Office {
    pub(crate) async fn open() -> Self {
        Self::open_in(Profile::Production).await
    }

    pub(crate) async fn open_in(profile: Profile) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = Arc::new(Mutex::new(NOON));
        let clock = {
            let now = Arc::clone(&now);
            Clock::from_fn(move || *now.lock().unwrap())
        };
        let store = Store::open(&dir.path().join("medvan.db")).await.unwrap();
        api::first_credentials(&store, dir.path(), &clock).await.unwrap();
        let catalog = Catalog::load(store.clone()).await.unwrap();
        let guard = Guard::new(profile, []);
        let http = Client::new(guard.clone(), &Settings::default()).unwrap();
        let keys = Arc::new(keyring(dir.path()));
        let discovery = Reader::new(store.clone(), http.clone(), Arc::clone(&keys), clock.clone());
        let origins = Origins { http, keys, logins: Logins::default(), clock: clock.clone() };
        let nodes = medvan::dimse::Network::open(&medvan::config::Dimse::default(), guard.clone()).unwrap();
        let archive = Archive::open(dir.path().join("images"), store.clone(), clock.clone()).await.unwrap();
        let api = Api { store, archive, catalog, clock, guard, discovery, nodes, origins };
        let secret = |role: &str| {
            let text = std::fs::read_to_string(dir.path().join(format!("{role}.credential"))).unwrap();
            text.trim().to_owned()
        };
        let (operator, governor) = (secret("operator"), secret("governor"));
        Self { router: api::router(api.clone()), dir, api, operator, governor, now }
    }

    pub(crate) fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    /// A hospital `kiku`, a vendor `asagao` with the example service approved, the hospital enrolled in it live.
    pub(crate) async fn furnish(&self) {
        for (path, object) in [
            ("/hospitals/kiku", hospital("kiku")),
            ("/hospitals/kiku/clients/ehr", client("kiku", "ehr")),
            ("/vendors/asagao", vendor("asagao")),
            ("/vendors/asagao/services/news2/versions/1.2.0", descriptor()),
        ] {
            self.operator("PUT", path, &object).await.expect(StatusCode::CREATED);
        }
        let version = "/vendors/asagao/services/news2/versions/1.2.0";
        self.operator("POST", &format!("{version}/submit"), &Value::Null).await.expect(StatusCode::OK);
        self.decide("approve").await.expect(StatusCode::OK);
        let path = "/hospitals/kiku/enrollments/asagao.news2";
        self.operator("PUT", path, &enrollment("kiku", &json!("live"))).await.expect(StatusCode::CREATED);
    }

    pub(crate) async fn decide(&self, decision: &str) -> Answer {
        let path = "/vendors/asagao/services/news2/versions/1.2.0/decision";
        self.governor("POST", path, &json!({"decision": decision, "reason": "checked"})).await
    }

    pub(crate) async fn operator(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(Some(&self.operator), method, path, body).await
    }

    pub(crate) async fn governor(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(Some(&self.governor), method, path, body).await
    }

    /// A new credential of a role, issued by whoever may.
    pub(crate) async fn credential(&self, role: &str, subject: &str) -> String {
        let wish = json!({"role": role, "subject": subject, "label": "test"});
        let issuer = if role == "governor" { &self.governor } else { &self.operator };
        let issued = self.send(Some(issuer), "POST", "/credentials", &wish).await;
        issued.expect(StatusCode::CREATED).json()["secret"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn send(&self, secret: Option<&str>, method: &str, path: &str, body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(secret) = secret {
            request = request.header(header::AUTHORIZATION, format!("Bearer {secret}"));
        }
        let body = match body {
            Value::Null => Body::empty(),
            object => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(object.to_string())
            }
        };
        self.raw(request.body(body).unwrap()).await
    }

    pub(crate) async fn raw(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let content_type = response.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: response.status(),
            content_type: content_type.unwrap_or_default(),
            body: response.into_body().collect().await.unwrap().to_bytes(),
        }
    }

    /// The CDS service ids that hospital `kiku` is offered now.
    pub(crate) fn offers(&self) -> Vec<String> {
        let snapshot = self.api.catalog.current();
        let view = snapshot.hospital(&"kiku".parse().unwrap());
        view.map(|view| view.offers.keys().cloned().collect()).unwrap_or_default()
    }
}

impl Answer {
    pub(crate) fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The places of the faults in a 422.
    pub(crate) fn fault_places(self) -> Vec<String> {
        let body = self.expect(StatusCode::UNPROCESSABLE_ENTITY).json();
        let faults = body["faults"].as_array().unwrap();
        faults.iter().map(|fault| fault["place"].as_str().unwrap().to_owned()).collect()
    }
}

fn keyring(dir: &Path) -> Keyring {
    let issuer = Issuer { iss: "http://gateway.example".to_owned(), jku: "http://gateway.example/jwks".to_owned() };
    Keyring::open(&dir.join("keys"), issuer, &[Algorithm::Es384]).unwrap()
}

pub(crate) fn method(text: &str) -> Method {
    text.parse().unwrap()
}

pub(crate) fn hospital(id: &str) -> Value {
    json!({"id": id, "name": {"ja": "菊総合病院", "en": "Kiku General Hospital"}})
}

pub(crate) fn client(hospital: &str, id: &str) -> Value {
    json!({"hospital": hospital, "id": id, "authentication": {"jwt": {
        "issuer": format!("https://{id}.{hospital}.example"), "jwks": {"keys": []}}},
        "fhirServer": "https://fhir.kiku.example/r4"})
}

pub(crate) fn vendor(id: &str) -> Value {
    json!({"id": id, "name": {"ja": "朝顔医療", "en": "Asagao"},
        "contact": {"name": "窓口", "email": "support@asagao.example"}})
}

pub(crate) fn descriptor() -> Value {
    serde_json::from_str(example_text()).unwrap()
}

pub(crate) fn enrollment(hospital: &str, mode: &Value) -> Value {
    json!({"hospital": hospital, "service": "asagao.news2", "mode": mode})
}
