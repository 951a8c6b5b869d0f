//! A PACS of hospital `kiku` that speaks DICOMweb with the gateway.

use std::{
    future::{Future, IntoFuture},
    path::Path,
    pin::Pin,
};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use medvan::{
    App,
    config::{Config, Dimse, ServerLimits},
    dimse::DimseListener,
    server::Listener,
    store::Store,
};
use medvan_fixtures::studies::ChestCt;
use medvan_imaging::multipart::{ContentType, Event, Limits, PartHead, Reader};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The boundary of what is sent.
const BOUNDARY: &str = "kiku.(boundary)+";

pub(crate) struct Pacs {
    app: App,
    folder: TempDir,
    url: String,
    http: reqwest::Client,
}

/// A request about to be sent.
pub(crate) struct Request(reqwest::RequestBuilder);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A part of a multipart answer.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) head: PartHead,
    pub(crate) body: Vec<u8>,
}

impl Pacs {
    /// A gateway in which hospital `kiku` exchanges images and its systems on this machine are believed.
    pub(crate) async fn open() -> Self {
        Self::with(json!({"aeTitle": "KIKU"})).await
    }

    /// The same with this imaging.
    pub(crate) async fn with(imaging: Value) -> Self {
        Self::configured(imaging, ServerLimits::default()).await
    }

    /// The same with these limits.
    pub(crate) async fn limited(limits: ServerLimits) -> Self {
        Self::configured(json!({"aeTitle": "KIKU"}), limits).await
    }

    async fn configured(imaging: Value, limits: ServerLimits) -> Self {
        let (pacs, _) = Self::listening(limits, Dimse::default()).await;
        pacs.hospital("kiku", imaging).await;
        pacs.client("kiku", "pacs", json!("loopback")).await;
        pacs
    }

    /// On the DICOM network too, on the port that is told; the imaging is still to be said.
    pub(crate) async fn networked() -> (Self, u16) {
        let listen = Some(([127, 0, 0, 1], 0).into());
        Self::listening(ServerLimits::default(), Dimse { listen, ..Dimse::default() }).await
    }

    async fn listening(limits: ServerLimits, dimse: Dimse) -> (Self, u16) {
        let folder = tempfile::tempdir().unwrap();
        let (listen, data) = (([127, 0, 0, 1], 0).into(), folder.path().join("data"));
        let config = Config { listen, data, limits, dimse, ..Config::default() };
        let config = config.check().unwrap();
        let listener = Listener::bind(&config).await.unwrap();
        let network = DimseListener::bind(&config).await.unwrap();
        let port = network.as_ref().map_or(0, |network| network.address().port());
        let url = format!("http://{}", listener.address());
        let app = App::start(config.listening_on(listener.address())).await.unwrap();
        let serving = app.clone();
        app.tasks.spawn("server", async move { serving.serve(listener).await });
        if let Some(network) = network {
            app.associate(network);
        }
        (Self { app, folder, url, http: http() }, port)
    }

    /// Registers a hospital.
    pub(crate) async fn hospital(&self, id: &str, imaging: Value) {
        let mut hospital = json!({"id": id, "name": {"ja": "病院", "en": "Hospital"}});
        if !imaging.is_null() {
            hospital["imaging"] = imaging;
        }
        self.puts(&format!("/hospitals/{id}"), &hospital).await;
    }

    /// Registers a system of a hospital.
    pub(crate) async fn client(&self, hospital: &str, id: &str, authentication: Value) {
        self.client_with(hospital, id, json!({"authentication": authentication})).await;
    }

    /// The same with more said of it.
    pub(crate) async fn client_with(&self, hospital: &str, id: &str, mut client: Value) {
        client["hospital"] = hospital.into();
        client["id"] = id.into();
        self.puts(&format!("/hospitals/{hospital}/clients/{id}"), &client).await;
    }

    pub(crate) async fn puts(&self, path: &str, object: &Value) {
        self.manages("operator", Method::PUT, path, object).await.expect_success();
    }

    /// A request of the operator's or the governor's to the management API.
    pub(crate) async fn manages(&self, role: &str, method: Method, path: &str, object: &Value) -> Answer {
        let secret = std::fs::read_to_string(self.app.config.data.join(format!("{role}.credential"))).unwrap();
        let url = format!("{}/api/v1{path}", self.url);
        Request(self.http.request(method, url).bearer_auth(secret.trim()).json(object)).await
    }

    /// The gateway's store, for what no system of a hospital brings.
    pub(crate) fn store(&self) -> &Store {
        &self.app.store
    }

    /// The hospital's DICOMweb root.
    pub(crate) fn root(&self) -> String {
        format!("{}/hospitals/kiku/dicom-web", self.url)
    }

    /// The base URL of the gateway.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A request below the root, or to an absolute URL.
    pub(crate) fn asks(&self, method: Method, path: &str) -> Request {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.root()) };
        Request(self.http.request(method, url))
    }

    pub(crate) fn gets(&self, path: &str) -> Request {
        self.asks(Method::GET, path)
    }

    /// What a search finds; `query` as it is written in a URL, but for characters outside of ASCII.
    pub(crate) async fn finds(&self, resource: &str, query: &str) -> Vec<Value> {
        let answer = self.gets(&format!("/{resource}?{query}")).await.expect(StatusCode::OK);
        answer.json().as_array().unwrap().clone()
    }

    /// Stores files.
    pub(crate) async fn sends(&self, files: impl IntoIterator<Item = Vec<u8>>) -> Answer {
        self.sends_to("/studies", files).await
    }

    pub(crate) async fn sends_to(&self, path: &str, files: impl IntoIterator<Item = Vec<u8>>) -> Answer {
        self.posts(path, &related("application/dicom"), body(files)).await
    }

    pub(crate) async fn posts(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.asks(Method::POST, path).with("content-type", content_type).carrying(body).await
    }

    /// Stores a study whole.
    pub(crate) async fn stores(&self, study: &ChestCt) {
        self.sends(study.files()).await.was_stored();
    }

    /// Whether everything of the gateway ends that runs, soon after it was asked to.
    pub(crate) async fn ends(self) -> bool {
        let Self { app, http, .. } = self;
        drop(http);
        app.tasks.finish(std::time::Duration::from_secs(20)).await
    }

    /// Cuts every file of images off at its beginning.
    pub(crate) fn loses_its_images(&self) {
        each_file(&self.folder.path().join("data/images"), &mut |path| {
            std::fs::File::options().write(true).open(path).unwrap().set_len(0).unwrap();
        });
    }

    /// Takes every file of images away, as a disk that is not there does.
    pub(crate) fn is_without_its_disk(&self) {
        each_file(&self.folder.path().join("data/images"), &mut |path| std::fs::remove_file(path).unwrap());
    }

    /// Bytes of images on the gateway's disk.
    pub(crate) fn bytes_kept(&self) -> u64 {
        size(&self.folder.path().join("data/images"))
    }
}

fn size(folder: &Path) -> u64 {
    let mut sum = 0;
    each_file(folder, &mut |path| sum += path.metadata().unwrap().len());
    sum
}

fn each_file(folder: &Path, see: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() { each_file(&entry.path(), see) } else { see(&entry.path()) }
    }
}

/// A Content-Type of several parts.
pub(crate) fn related(media: &str) -> String {
    format!("multipart/related; type=\"{media}\"; boundary=\"{BOUNDARY}\"")
}

/// A body of instances.
pub(crate) fn body(files: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    parts(files.into_iter().map(|file| ("Content-Type: application/dicom\r\n", file)))
}

/// A body of parts, each with its head.
pub(crate) fn parts<'a>(parts: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Vec<u8> {
    let mut whole = Vec::new();
    for (head, payload) in parts {
        whole.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\n").as_bytes());
        whole.extend_from_slice(&payload);
        whole.extend_from_slice(b"\r\n");
    }
    whole.extend_from_slice(format!("--{BOUNDARY}--").as_bytes());
    whole
}

impl Request {
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn carrying(self, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.body(body))
    }

    pub(crate) fn accepting(self, media: &str) -> Self {
        self.with("accept", media)
    }
}

impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let response = self.0.send().await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            Answer { status, headers, body: response.bytes().await.unwrap() }
        })
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn expect_success(self) -> Self {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        self
    }

    /// All of a request was stored, and nothing had to be remarked.
    #[track_caller]
    pub(crate) fn was_stored(self) -> Self {
        let answer = self.expect(StatusCode::OK);
        assert!(answer.json().get("00081198").is_none() && answer.json().get("0008119A").is_none());
        answer
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body[..self.body.len().min(2_000)]).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn content_type(&self) -> &str {
        self.header(header::CONTENT_TYPE.as_str())
    }

    /// The parts of a multipart answer that came to its end.
    pub(crate) fn parts(&self) -> Vec<Piece> {
        let content = ContentType::parse(self.content_type()).unwrap();
        let mut reader = Reader::new(&content.boundary().unwrap(), Limits::default());
        reader.push(self.body.clone());
        let mut pieces: Vec<Piece> = Vec::new();
        loop {
            match reader.next().unwrap() {
                Event::Part(head) => pieces.push(Piece { head, body: Vec::new() }),
                Event::Data(bytes) => pieces.last_mut().unwrap().body.extend_from_slice(&bytes),
                Event::PartEnd => {}
                Event::End => return pieces,
                Event::More => panic!("the answer was cut off"),
            }
        }
    }

    /// Codes of Failure Reason by the number of their instances, in the sequence of failures.
    pub(crate) fn reasons(&self, sequence: &str) -> Vec<u64> {
        let module = self.json();
        let items = module[sequence]["Value"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["00081197"]["Value"][0].as_u64().unwrap()).collect()
    }

    /// How many instances the answer names as stored.
    pub(crate) fn stored(&self) -> usize {
        self.json()["00081199"]["Value"].as_array().map_or(0, Vec::len)
    }
}

impl Piece {
    pub(crate) fn media(&self) -> String {
        self.head.content_type.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// What a client on this machine calls with.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().gzip(false).build().unwrap()
}
