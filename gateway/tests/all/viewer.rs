//! The pages for people at a browser: who gets them, in which language, and with which headers.

use std::{fs, net::SocketAddr, path::Path};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use medvan::{App, config::Config, router::router};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A gateway, and a browser before it.
struct Desk {
    dir: TempDir,
    app: App,
    router: Router,
}

#[derive(Debug)]
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

const HERE: &str = "127.0.0.1:50000";

impl Desk {
    async fn open() -> Self {
        Self::open_with("").await
    }

    async fn open_with(settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("medvan.toml");
        fs::write(&file, settings).unwrap();
        let mut config = Config::read(Some(&file)).unwrap();
        config.data = dir.path().join("data");
        let app = App::start(config.check().unwrap()).await.unwrap();
        Self { router: router(&app), app, dir }
    }

    async fn in_production() -> Self {
        Self::open_with("profile = \"production\"\nbehind_tls_proxy = true\nexternal_url = \"https://van.example\"\n")
            .await
    }

    async fn looks(&self, path: &str) -> Page {
        self.looks_with(path, &[]).await
    }

    async fn looks_with(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        self.looks_from(HERE, path, headers).await
    }

    async fn looks_from(&self, peer: &str, path: &str, headers: &[(&str, &str)]) -> Page {
        let mut request = Request::get(path).extension(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> Page {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Page { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// Registers a hospital; one that is open to this machine has images and a client that is believed by its place.
    async fn hospital(&self, id: &str, name: &str, images: bool, authentication: &Value) {
        let mut hospital = json!({"id": id, "name": {"ja": name, "en": id}});
        if images {
            hospital["imaging"] = json!({"aeTitle": id.to_uppercase()});
        }
        let client = json!({"hospital": id, "id": "pacs", "authentication": authentication});
        let secret = fs::read_to_string(self.data().join("operator.credential")).unwrap();
        for (path, object) in
            [(format!("/hospitals/{id}"), hospital), (format!("/hospitals/{id}/clients/pacs"), client)]
        {
            let request = Request::put(format!("/api/v1{path}"))
                .extension(ConnectInfo(HERE.parse::<SocketAddr>().unwrap()))
                .header("authorization", format!("Bearer {}", secret.trim()))
                .header("content-type", "application/json")
                .body(Body::from(object.to_string()));
            let page = self.send(request.unwrap()).await;
            assert_eq!(page.status, StatusCode::CREATED, "{}", page.text);
        }
    }

    fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    /// What an install leaves, in small.
    fn has_ohif(&self) {
        let folder = self.data().join("ohif");
        put(&folder, "index.html", "<!doctype html><title>OHIF</title>");
        put(&folder, "LICENSE", "MIT");
        put(&folder, "app.bundle.0f6159c501addfe9.js", "plain()");
        put(&folder, "app.bundle.0f6159c501addfe9.js.gz", "compressed");
        put(&folder, "0ddf166f7a343eda.wasm", "\0asm");
        put(&folder, "app.bundle.css", "a {}");
        put(&folder, "assets/a.png", "PNG");
        put(&folder, "assets/data.jsonc", "{}");
        put(self.data().as_path(), "secret.txt", "not for browsers");
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.app.tasks.stop();
    }
}

fn put(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

impl Page {
    #[track_caller]
    fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

fn loopback() -> Value {
    json!("loopback")
}

fn by_token(id: &str) -> Value {
    json!({"jwt": {"issuer": format!("https://pacs.{id}.example"), "jwks": {"keys": []}}})
}

#[tokio::test]
async fn the_page_is_in_the_browser_s_language_or_the_one_that_was_chosen() {
    let desk = Desk::open().await;
    for (path, accepted, expected) in [
        ("/viewer", "ja,en;q=0.8", "<html lang=\"ja\">"),
        ("/viewer", "en-US,en;q=0.9,ja;q=0.8", "<html lang=\"en\">"),
        ("/viewer?hospital=kaede&lang=en", "ja", "<html lang=\"en\">"),
        ("/viewer?lang=ja", "en", "<html lang=\"ja\">"),
        ("/viewer?lang=%22%3E%3Cscript%3E", "ja", "<html lang=\"ja\">"),
    ] {
        let page = desk.looks_with(path, &[("accept-language", accepted)]).await.is(StatusCode::OK);
        assert!(page.text.contains(expected), "{path} {accepted}: {}", page.text);
        assert_eq!(page.header("vary"), "accept-language");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    }
}

#[tokio::test]
async fn the_page_runs_no_script_but_its_own_and_keeps_to_its_policy() {
    let desk = Desk::open().await;
    let page = desk.looks("/viewer").await.is(StatusCode::OK);
    let policy = page.header("content-security-policy");
    for part in
        ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]
    {
        assert!(policy.split("; ").any(|found| found == part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    // The policy would stop what is written into the page itself.
    let scripts: Vec<&str> = page.text.match_indices("<script").map(|(at, _)| &page.text[at..]).collect();
    assert!(scripts.iter().all(|script| script.starts_with("<script type=\"module\" src=\"/viewer/")), "{}", page.text);
    assert!(!page.text.contains("style=") && !page.text.contains("<style"), "{}", page.text);
}

/// Every file that the page or one of its scripts names is there, and no file is there that none names.
#[tokio::test]
async fn the_page_s_files_name_each_other() {
    let desk = Desk::open().await;
    let mut found = vec!["/viewer".to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        next += 1;
        let page = desk.looks(&path).await.is(StatusCode::OK);
        for named in page.text.split(['"', '\'']).filter(|text| text.starts_with("/viewer/") && text.contains('.')) {
            if !found.iter().any(|known| known == named) {
                found.push(named.to_owned());
            }
        }
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/viewer/web");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    for file in files.filter(|name| !name.ends_with(".html")) {
        assert!(found.contains(&format!("/viewer/{file}")), "{file} is named nowhere");
    }
    assert!(found.contains(&"/viewer/hospitals.json".to_owned()));
}

#[tokio::test]
async fn a_browser_that_has_a_file_already_is_not_given_it_again() {
    let desk = Desk::open().await;
    for path in ["/viewer", "/viewer/main.js", "/viewer/style.css"] {
        let page = desk.looks(path).await.is(StatusCode::OK);
        assert_eq!(page.header("cache-control"), "no-cache");
        let tag = page.header("etag").to_owned();
        let again = desk.looks_with(path, &[("if-none-match", &tag)]).await.is(StatusCode::NOT_MODIFIED);
        assert_eq!((again.text.as_str(), again.header("etag")), ("", tag.as_str()));
        desk.looks_with(path, &[("if-none-match", "\"other\"")]).await.is(StatusCode::OK);
    }
    desk.looks("/viewer/other.js").await.is(StatusCode::NOT_FOUND);
    desk.looks("/viewer/..%2fviewer.rs").await.is(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_that_was_led_to_this_machine_by_another_name_sees_nothing() {
    let desk = Desk::open().await;
    for (host, status) in
        [("localhost:8080", StatusCode::OK), ("[::1]", StatusCode::OK), ("rebound.example", StatusCode::NOT_FOUND)]
    {
        desk.looks_with("/viewer/hospitals.json", &[("host", host)]).await.is(status);
    }
}

#[tokio::test]
async fn only_hospitals_that_are_open_to_this_machine_are_listed() {
    let desk = Desk::open().await;
    desk.hospital("sakura", "さくら病院", true, &loopback()).await;
    desk.hospital("kaede", "かえで</script>病院", true, &loopback()).await;
    desk.hospital("matsu", "まつ病院", false, &loopback()).await;
    desk.hospital("take", "たけ病院", true, &by_token("take")).await;
    let page = desk.looks("/viewer/hospitals.json").await.is(StatusCode::OK);
    let expected = json!({"ohif": false, "hospitals": [
        {"id": "kaede", "name": {"ja": "かえで</script>病院", "en": "kaede"}},
        {"id": "sakura", "name": {"ja": "さくら病院", "en": "sakura"}}]});
    assert_eq!(serde_json::from_str::<Value>(&page.text).unwrap(), expected);
    assert_eq!(page.header("cache-control"), "no-store");
    desk.has_ohif();
    let page = desk.looks("/viewer/hospitals.json").await;
    assert_eq!(serde_json::from_str::<Value>(&page.text).unwrap()["ohif"], json!(true));
    let config = desk.looks_with("/ohif/app-config.js", &[("accept-language", "ja")]).await.is(StatusCode::OK);
    let list =
        r#"const hospitals = [{"id":"kaede","name":"かえで\u003c/script>病院"},{"id":"sakura","name":"さくら病院"}];"#;
    assert!(config.text.contains(list), "{}", config.text);
    assert_eq!(config.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(config.header("cache-control"), "no-cache");
    let english = desk.looks("/ohif/app-config.js").await;
    assert!(english.text.contains(r#""id":"sakura","name":"sakura""#), "{}", english.text);
}

#[tokio::test]
async fn without_sign_in_nobody_looks_in_production_nor_from_elsewhere() {
    let paths = [
        "/viewer",
        "/viewer/main.js",
        "/viewer/hospitals.json",
        "/ohif/",
        "/ohif/app-config.js",
        "/ohif/viewer/kaede",
        "/ohif/app.bundle.css",
    ];
    let production = Desk::in_production().await;
    production.hospital("kaede", "かえで病院", true, &by_token("kaede")).await;
    production.has_ohif();
    let loopback = Desk::open().await;
    loopback.has_ohif();
    for path in paths {
        for page in [production.looks(path).await, loopback.looks_from("192.0.2.7:50000", path, &[]).await] {
            let page = page.is(StatusCode::NOT_FOUND);
            assert!(page.text.contains("Sign-in for people comes with the portal"), "{path}: {}", page.text);
            assert!(
                page.text.contains("loopback プロファイル") || page.text.contains("loopback\nプロファイル"),
                "{path}"
            );
            assert!(!page.text.contains("kaede"), "{path}");
            assert_eq!(page.header("cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn ohif_is_served_where_it_is_installed() {
    let desk = Desk::open().await;
    desk.hospital("kaede", "かえで病院", true, &loopback()).await;
    let missing = desk.looks("/ohif/").await.is(StatusCode::NOT_FOUND);
    assert!(missing.text.contains("medvan viewer install"), "{}", missing.text);
    desk.has_ohif();
    for path in ["/ohif/", "/ohif/viewer", "/ohif/viewer/kaede?StudyInstanceUIDs=1.2.3", "/ohif/assets"] {
        let page = desk.looks(path).await.is(StatusCode::OK);
        assert!(page.text.contains("<title>OHIF</title>"), "{path}: {}", page.text);
        assert_eq!(page.header("content-type"), "text/html", "{path}");
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self' 'unsafe-eval' 'sha256-")
                && !policy.contains("script-src 'self' 'unsafe-inline'"),
            "{policy}"
        );
    }
    for (path, media, cache) in [
        ("/ohif/app.bundle.0f6159c501addfe9.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("/ohif/0ddf166f7a343eda.wasm", "application/wasm", "public, max-age=31536000, immutable"),
        ("/ohif/app.bundle.css", "text/css", "no-cache"),
        ("/ohif/assets/a.png", "image/png", "no-cache"),
        ("/ohif/assets/data.jsonc", "application/json", "no-cache"),
    ] {
        let page = desk.looks(path).await.is(StatusCode::OK);
        assert_eq!((page.header("content-type"), page.header("cache-control")), (media, cache), "{path}");
        assert_eq!(page.header("vary"), "accept-encoding", "{path}");
    }
    let redirect = desk.looks("/ohif").await.is(StatusCode::PERMANENT_REDIRECT);
    assert_eq!(redirect.header("location"), "/ohif/");
}

#[tokio::test]
async fn ohif_s_scripts_come_compressed_and_may_make_functions_in_workers() {
    let desk = Desk::open().await;
    desk.has_ohif();
    let path = "/ohif/app.bundle.0f6159c501addfe9.js";
    let plain = desk.looks(path).await.is(StatusCode::OK);
    assert_eq!((plain.text.as_str(), plain.header("content-encoding")), ("plain()", ""));
    assert!(plain.header("content-security-policy").contains("script-src 'self' 'unsafe-eval';"));
    let compressed = desk.looks_with(path, &[("accept-encoding", "gzip, br")]).await.is(StatusCode::OK);
    assert_eq!((compressed.text.as_str(), compressed.header("content-encoding")), ("compressed", "gzip"));
    assert_eq!(compressed.header("content-type"), "text/javascript");
    let tag = plain.header("etag").to_owned();
    assert!(!tag.is_empty());
    desk.looks_with(path, &[("if-none-match", &tag)]).await.is(StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn nothing_but_ohif_s_files_is_served() {
    let desk = Desk::open().await;
    desk.hospital("kaede", "かえで病院", true, &loopback()).await;
    desk.has_ohif();
    for path in [
        "/ohif/none.js",
        "/ohif/../secret.txt",
        "/ohif/%2e%2e/secret.txt",
        "/ohif/..%2fsecret.txt",
        "/ohif/assets/..%5c..%5csecret.txt",
        "/ohif//secret.txt",
        "/ohif/%2fsecret.txt",
        "/ohif/assets/a.png/b.png",
        "/ohif/secret.txt%00.png",
    ] {
        let page = desk.looks(path).await.is(StatusCode::NOT_FOUND);
        assert!(!page.text.contains("not for browsers"), "{path}");
    }
}

#[tokio::test]
async fn without_an_open_hospital_the_own_viewer_says_what_is_missing() {
    let desk = Desk::open().await;
    desk.has_ohif();
    let page = desk.looks("/ohif/").await.is(StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(page.header("location"), "/viewer");
}

#[tokio::test]
async fn the_work_of_services_is_told_to_this_machine_and_to_nobody_else() {
    let desk = Desk::open().await;
    desk.hospital("kaede", "楓", true, &loopback()).await;
    desk.hospital("sakura", "桜", true, &by_token("sakura")).await;
    let jobs = desk.looks("/viewer/hospitals/kaede/jobs?state=dead,canceled&order=newest").await.is(StatusCode::OK);
    assert_eq!(jobs.text, "{\"items\":[]}");
    assert_eq!(desk.looks("/viewer/hospitals/kaede/jobs/summary").await.is(StatusCode::OK).text, "[]");
    let matching = "/viewer/hospitals/kaede/studies/1.2.3/matching";
    assert!(desk.looks(matching).await.is(StatusCode::NOT_FOUND).text.contains("no such study"));
    for path in ["jobs", "jobs/summary", "studies/1.2.3/matching"] {
        for other in ["sakura", "none", "not%20an%20id"] {
            desk.looks(&format!("/viewer/hospitals/{other}/{path}")).await.is(StatusCode::NOT_FOUND);
        }
        let path = format!("/viewer/hospitals/kaede/{path}");
        assert!(desk.looks_from("192.0.2.1:50000", &path, &[]).await.is(StatusCode::NOT_FOUND).text.contains("<html"));
        desk.looks_with(&path, &[("host", "rebound.example")]).await.is(StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_search_for_jobs_that_cannot_be_read_says_what_could_be() {
    let desk = Desk::open().await;
    desk.hospital("kaede", "楓", true, &loopback()).await;
    for (query, words) in [
        ("state=lost", "state is one or more of waiting, running"),
        ("state=dead,", "state is one or more of waiting, running"),
        ("service=asagao", "service is vendor.service"),
        ("study=1..2", "study is a StudyInstanceUID"),
        ("order=random", "oldest"),
        ("states=dead", "unknown field `states`, expected one of `state`"),
        ("limit=0", "limit is 1 to 200"),
    ] {
        let page = desk.looks(&format!("/viewer/hospitals/kaede/jobs?{query}")).await.is(StatusCode::BAD_REQUEST);
        assert!(page.text.contains(words) && !page.text.contains("deserialize"), "{query}: {}", page.text);
    }
}
