//! What a service may answer, and what that means.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::{Body as Answer, Bytes as Sent},
    http::{HeaderMap as Headers, StatusCode as Status, Uri},
    response::IntoResponse,
};
use futures_util::{FutureExt as _, StreamExt as _, stream};

use super::*;
use crate::{
    advisor::Fault,
    testing::{AMPLE, Server, client},
};

type Said = (u16, &'static str, Vec<u8>);

/// Answers by the path; remembers what came.
struct Vendor {
    server: Server,
    came: Arc<Mutex<Vec<(String, Headers, Sent)>>>,
}

impl Vendor {
    async fn that_answers(table: &'static [(&'static str, u16, &'static str, &'static str)]) -> Self {
        let came = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&came);
        let answer = move |uri: Uri, headers: Headers, body: Sent| {
            heard.lock().unwrap().push((uri.path().to_owned(), headers, body));
            let found = table.iter().find(|(path, ..)| uri.path() == *path);
            let (status, media, text): Said = found
                .map_or((404, "text/plain", Vec::new()), |(_, status, media, text)| {
                    (*status, media, text.replace('\n', "\r\n").into_bytes())
                });
            async move { (Status::from_u16(status).unwrap(), [("content-type", media)], Answer::from(text)).into_response() }
        };
        Self { server: Server::axum(Router::new().fallback(answer)).await, came }
    }

    fn root(&self) -> Root {
        let signed = AtomicUsize::new(0);
        let sign = move || Bearer::new(&format!("t.o.{}", signed.fetch_add(1, Ordering::SeqCst))).ok();
        Root::new(client(), &self.server.text("/dicom-web/"), sign, AMPLE)
    }
}

fn uid_of(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn image(bytes: &'static [u8]) -> Image {
    Image {
        series: uid_of("1.2.3.1"),
        instance: uid_of("1.2.3.1.1"),
        frame: None,
        modality: "CT".to_owned(),
        rows: 1,
        columns: 1,
        media: "application/dicom",
        bytes: stream::once(async move { Ok(Bytes::from_static(bytes)) }).boxed(),
    }
}

async fn stores(status: u16, body: &'static str) -> Result<(), AdviseError> {
    let table = Box::leak(Box::new([("/dicom-web/studies/1.2.3", status, "application/dicom+json", body)]));
    let vendor = Vendor::that_answers(table).await;
    vendor.root().store(&uid_of("1.2.3"), vec![image(b"DICM")], None).await
}

#[tokio::test]
async fn instances_leave_in_one_request_with_the_tokens() {
    let vendor = Vendor::that_answers(&[("/dicom-web/studies/1.2.3", 200, "application/dicom+json", "{}")]).await;
    let images = vec![image(b"first instance"), image(b"second instance")];
    vendor.root().store(&uid_of("1.2.3"), images, Some("mvj_token")).await.unwrap();
    let came = vendor.came.lock().unwrap();
    let [(_, headers, body)] = came.as_slice() else { panic!("{} requests", came.len()) };
    let told = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!((told("authorization"), told("medvan-job-token")), ("Bearer t.o.0".to_owned(), "mvj_token".to_owned()));
    let came = instances(&told("content-type"), body.clone(), 9).unwrap();
    assert_eq!(came, ["first instance", "second instance"]);
}

#[tokio::test]
async fn what_was_refused_is_not_stored_and_a_warning_is_no_refusal() {
    const FAILED: &str = r#"{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[43264]}}]}}"#;
    const WARNED: &str = r#"{"00081199":{"vr":"SQ","Value":[{"00081196":{"vr":"US","Value":[45056]}}]}}"#;
    for (status, body, expected) in [
        (200, "{}", None),
        (200, WARNED, None),
        (202, WARNED, None),
        (200, "stored!", None),
        (200, FAILED, Some(ErrorKind::NotStored)),
        (202, FAILED, Some(ErrorKind::NotStored)),
        (409, FAILED, Some(ErrorKind::NotStored)),
        (401, "", Some(ErrorKind::Status(401))),
        (503, "", Some(ErrorKind::Status(503))),
    ] {
        assert_eq!(stores(status, body).await.err().map(|error| error.kind), expected, "{status} {body}");
    }
}

const SERIES_LIST: &str = r#"[
  {"00080060":{"vr":"CS","Value":["CT"]},"0020000E":{"vr":"UI","Value":["1.2.3.1"]}},
  {"00080060":{"vr":"CS","Value":["SR"]},"0020000E":{"vr":"UI","Value":["1.2.3.2"]}}]"#;
const REPORTS: &str = r#"[{"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.88.34"]},"00080018":{"vr":"UI","Value":["1.2.3.2.1"]}}]"#;

#[tokio::test]
async fn only_series_that_may_be_results_are_looked_into() {
    let vendor = Vendor::that_answers(&[
        ("/dicom-web/studies/1.2.3/series", 200, "application/dicom+json", SERIES_LIST),
        ("/dicom-web/studies/1.2.3/series/1.2.3.2/instances", 200, "application/dicom+json", REPORTS),
    ])
    .await;
    let found = vendor.root().find(&uid_of("1.2.3"), |modality| modality == "SR", |_| true, 9).await.unwrap();
    let report = Listed {
        series: uid_of("1.2.3.2"),
        instance: uid_of("1.2.3.2.1"),
        class: uid_of("1.2.840.10008.5.1.4.1.1.88.34"),
    };
    assert_eq!(found, [report]);
    let none = vendor.root().find(&uid_of("1.2.3"), |_| true, |_| false, 9).await.unwrap();
    assert_eq!(none, [], "what is known already is not told again");
    let tokens: Vec<_> =
        vendor.came.lock().unwrap().iter().take(2).map(|(_, headers, _)| headers["authorization"].clone()).collect();
    assert_eq!(tokens, ["Bearer t.o.0", "Bearer t.o.1"], "each request has a token of its own");
    assert_eq!(vendor.root().find(&uid_of("1.2.4"), |_| true, |_| true, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_list_that_is_none_is_the_services_fault() {
    for (status, media, body, expected) in [
        (204, "application/dicom+json", "", None),
        (200, "application/dicom+json", "[]", None),
        (200, "text/html", "<html>", Some(ErrorKind::NotDicom)),
        (200, "application/dicom+json", r#"[{"00080060":{"vr":"CS","Value":["SR"]}}]"#, Some(ErrorKind::NotDicom)),
        (500, "text/plain", "", Some(ErrorKind::Status(500))),
    ] {
        let table = Box::leak(Box::new([("/dicom-web/studies/1.2.3/series", status, media, body)]));
        let vendor = Vendor::that_answers(table).await;
        let found = vendor.root().find(&uid_of("1.2.3"), |_| true, |_| true, 9).await;
        let kind = found.as_ref().err().map(|error| error.kind);
        assert_eq!(kind, expected, "{status} {body}");
        assert!(found.err().is_none_or(|error| error.fault() == Fault::Vendor));
    }
}

#[tokio::test]
async fn an_object_is_one_instance_of_bounded_size() {
    const PART: &str = "--b\nContent-Type: application/dicom\n\nDICM\n--b--\n";
    const TWO: &str = "--b\n\nDICM\n--b\n\nDICM\n--b--\n";
    let related = "multipart/related; type=\"application/dicom\"; boundary=b";
    let listed = Listed { series: uid_of("1.2.3.2"), instance: uid_of("1.2.3.2.1"), class: uid_of("1.2") };
    for (status, media, body, expected) in [
        (200, related, PART, Ok("DICM")),
        (200, "application/dicom", "DICM", Ok("DICM")),
        (200, related, TWO, Err(ErrorKind::NotDicom)),
        (200, "text/html", "<html>", Err(ErrorKind::NotDicom)),
        (404, "text/plain", "", Err(ErrorKind::Status(404))),
        (
            200,
            "application/dicom",
            "more than seventy bytes, more than seventy bytes, more than seventy bytes",
            Err(ErrorKind::TooLarge),
        ),
    ] {
        let path = "/dicom-web/studies/1.2.3/series/1.2.3.2/instances/1.2.3.2.1";
        let vendor = Vendor::that_answers(Box::leak(Box::new([(path, status, media, body)]))).await;
        let fetched = vendor.root().fetch(&uid_of("1.2.3"), &listed, 70).await.map_err(|error| error.kind);
        assert_eq!(fetched, expected.map(Bytes::from), "{status} {media}");
    }
}

#[tokio::test]
async fn a_forbidden_address_is_not_called() {
    let root = Root::new(client(), "http://169.254.169.254/dicom-web", || None, AMPLE);
    let kind = root.find(&uid_of("1.2.3"), |_| true, |_| true, 9).await.unwrap_err().kind;
    assert_eq!(kind, ErrorKind::Refused);
    assert!(root.store(&uid_of("1.2.3"), Vec::new(), None).now_or_never().unwrap().is_err());
    assert!(!format!("{root:?}").contains("169"));
}
