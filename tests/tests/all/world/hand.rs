//! What an EHR's software never writes: requests by hand, through HTTP ([`Letter`]) or as bytes on a socket
//! ([`Socket`]).

use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::World;

/// Nothing here takes long; whoever waits so long waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A signed `POST` to a CDS Service of the hospital, about to be bent.
pub struct Letter<'a> {
    world: &'a World,
    url: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// A connection to the gateway on which anything may be said.
pub struct Socket(TcpStream);

impl World {
    /// A letter to a service, signed for it by the hospital's EHR.
    pub fn writes_to(&self, service: &str) -> Letter<'_> {
        self.writes_to_url(format!("{}/cds-services/{service}", self.base()))
    }

    /// The same to any address.
    pub fn writes_to_url(&self, url: String) -> Letter<'_> {
        let token = self.ehr.token(&url).unwrap();
        Letter { world: self, url, headers: HeaderMap::new(), body: Vec::new() }
            .with("content-type", "application/json")
            .with("authorization", &format!("Bearer {token}"))
    }

    /// A plain `GET` without any credential.
    pub async fn looks_at(&self, path: &str) -> Reply {
        let response = self.http.get(format!("{}{path}", self.gateway.url)).timeout(PATIENCE).send().await.unwrap();
        Reply::read(response).await
    }

    /// The head of a `POST` to a service, signed, with these further lines; the empty line is not yet written.
    pub fn head(&self, service: &str, lines: &[&str]) -> String {
        let path = format!("/hospitals/kaede/cds-services/{service}");
        let token = self.ehr.token(&format!("{}{path}", self.gateway.url)).unwrap();
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
        );
        for line in lines {
            head.push_str(line);
            head.push_str("\r\n");
        }
        head
    }
}

impl Letter<'_> {
    /// Sets a header in place of what stood there.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    /// Leaves a header out.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// The body.
    pub fn saying(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The FHIR server that is registered for the EHR.
    pub fn fhir_server(&self) -> &str {
        self.world.fhir.base_url()
    }

    /// Sends it and reads the whole reply.
    pub async fn send(self) -> Reply {
        self.send_as(reqwest::Method::POST).await
    }

    /// The same with another method.
    pub async fn send_as(self, method: reqwest::Method) -> Reply {
        let request = self.world.http.request(method, &self.url).headers(self.headers).body(self.body);
        Reply::read(request.timeout(PATIENCE).send().await.unwrap()).await
    }
}

impl Reply {
    async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    /// One header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as a value; null if it is not JSON.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// What the OperationOutcome says to people. Panics when the body is none, or says nothing.
    #[track_caller]
    pub fn diagnostics(&self) -> String {
        let body = self.body();
        assert_eq!(body["resourceType"], "OperationOutcome", "{self:?}");
        assert_eq!(self.header(header::CONTENT_TYPE.as_str()), "application/fhir+json");
        let text = body["issue"][0]["diagnostics"].as_str().unwrap_or_default();
        assert!(text.len() > 10, "an outcome without a reason: {self:?}");
        text.to_owned()
    }

    /// Where in the request the OperationOutcome points to.
    pub fn expression(&self) -> String {
        self.body()["issue"][0]["expression"][0].as_str().unwrap_or_default().to_owned()
    }
}

impl Socket {
    pub async fn to(world: &World) -> Self {
        let address = world.gateway.url.strip_prefix("http://").unwrap();
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Writes; a connection that is closed already takes nothing, which is for [`Self::hears`] to find out.
    pub async fn says(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Says nothing more, and still listens.
    pub async fn stops_speaking(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Everything until the gateway closes the connection. Panics when it never does.
    pub async fn hears(mut self) -> String {
        let mut heard = Vec::new();
        let all = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut heard)).await;
        assert!(all.is_ok(), "the connection stays open after: {}", String::from_utf8_lossy(&heard));
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Goes on writing piece after piece, with pauses, until the gateway closes the connection.
    pub async fn drips(self, piece: &str) -> String {
        let (mut reader, mut writer) = self.0.into_split();
        let mut heard = Vec::new();
        let drip = async {
            while writer.write_all(piece.as_bytes()).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            std::future::pending::<()>().await;
        };
        let ended = async {
            let _ = tokio::time::timeout(PATIENCE, reader.read_to_end(&mut heard)).await.expect("it is never closed");
        };
        tokio::select! { () = drip => {}, () = ended => {} }
        String::from_utf8_lossy(&heard).into_owned()
    }
}

/// Each letter on a connection of its own: what one did to its connection is not the next one's trouble.
pub(super) fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.pool_max_idle_per_host(0).build().unwrap()
}
