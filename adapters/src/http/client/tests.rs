use std::{
    io::Write,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, http::header, response::Redirect, routing::get};
use flate2::{Compression, write::GzEncoder};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::*;
use crate::{
    http::{Profile, UrlRefused},
    testing::{AMPLE, Server, client, guard},
};

const LIMIT: usize = 64 << 10;

async fn fetch(server: &Server, timeout: Duration) -> Result<Response, FetchError> {
    client().fetch(Request::get(server.url("/"), timeout, LIMIT)).await
}

/// A client for which every name leads to what `answer` says.
fn client_with_names(guard: Guard, answer: impl Fn(usize) -> Vec<&'static str> + Send + Sync + 'static) -> Client {
    let calls = AtomicUsize::new(0);
    let names: Source = Arc::new(move |_| {
        let addresses = answer(calls.fetch_add(1, Ordering::SeqCst));
        let addresses = addresses.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
        Box::pin(async move { Ok(addresses) })
    });
    Client::with_names(guard, &Settings::default(), &names).unwrap()
}

#[tokio::test]
async fn an_answer_comes_whole_with_status_and_headers() {
    let router = Router::new().route("/", get(|| async { ([(header::ETAG, "\"7\"")], "hello") }));
    let response = fetch(&Server::axum(router).await, AMPLE).await.unwrap();
    assert_eq!((response.status, &response.headers[header::ETAG]), (StatusCode::OK, &"\"7\"".parse().unwrap()));
    assert_eq!(response.body, "hello");
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    let server = Server::axum(Router::new().route("/", get(|| async { "x" }))).await;
    let client = client();
    for _ in 0..20 {
        client.fetch(Request::get(server.url("/"), AMPLE, LIMIT)).await.unwrap();
    }
    assert_eq!(server.sockets(), 1);
}

#[tokio::test]
async fn the_token_goes_into_the_authorization_header() {
    let echo = |headers: HeaderMap| async move { headers[AUTHORIZATION].to_str().unwrap().to_owned() };
    let server = Server::axum(Router::new().route("/", get(echo))).await;
    let mut request = Request::get(server.url("/"), AMPLE, LIMIT);
    request.bearer = Some(Bearer::new("abc.def").unwrap());
    assert_eq!(client().fetch(request).await.unwrap().body, "Bearer abc.def");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_its_target_is_never_called() {
    let target = Server::axum(Router::new().route("/", get(|| async { "inner" }))).await;
    for location in [target.text("/"), "http://169.254.169.254/".into(), "https://127.0.0.1/".into()] {
        let router = Router::new().route("/", get(|| async move { Redirect::temporary(&location) }));
        let response = fetch(&Server::axum(router).await, AMPLE).await.unwrap();
        assert_eq!(response.status, StatusCode::TEMPORARY_REDIRECT);
    }
    assert_eq!(target.sockets(), 0);
}

#[tokio::test]
async fn a_url_of_a_laxer_guard_is_judged_again() {
    let server = Server::saying("").await;
    let strict = Client::new(Guard::new(Profile::Production, []), &Settings::default()).unwrap();
    let result = strict.fetch(Request::get(server.url("/"), AMPLE, LIMIT)).await;
    assert_eq!(result.unwrap_err(), FetchError::Url(UrlRefused::Scheme));
    assert_eq!(server.sockets(), 0);
}

#[tokio::test]
async fn one_bad_address_behind_a_name_refuses_the_name() {
    let production = Guard::new(Profile::Production, []);
    let table: [&[&str]; 9] = [
        &["127.0.0.1"],
        &["8.8.8.8", "127.0.0.1"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["fd00::1"],
        &[],
    ];
    for addresses in table {
        let client = client_with_names(production.clone(), move |_| addresses.to_vec());
        let url = production.check("https://ai.example.com/").unwrap();
        let result = client.fetch(Request::get(url, AMPLE, LIMIT)).await;
        assert_eq!(result.unwrap_err(), FetchError::Address, "{addresses:?}");
    }
}

#[tokio::test]
async fn a_name_that_flips_reaches_the_checked_address_or_nothing() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
    let allowed = || ["flip.example".parse().unwrap()];
    let guard = Guard::new(Profile::Loopback, allowed());
    let client = client_with_names(guard.clone(), |call| vec![if call == 0 { "127.0.0.1" } else { "169.254.169.254" }]);
    let url = guard.check(&format!("http://flip.example:{}/", server.address().port())).unwrap();
    let first = client.fetch(Request::get(url.clone(), AMPLE, LIMIT)).await.unwrap();
    assert_eq!(first.body, "ok");
    let second = client.fetch(Request::get(url, AMPLE, LIMIT)).await;
    assert_eq!(second.unwrap_err(), FetchError::Address);
    assert_eq!(server.sockets(), 1);
}

#[tokio::test]
async fn a_name_that_only_resolves_to_loopback_is_not_loopback() {
    let server = Server::saying("").await;
    let result = guard().check(&format!("http://rebind.example:{}/", server.address().port()));
    assert_eq!(result.unwrap_err(), UrlRefused::Scheme);
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let gone = Server::saying("").await.url("/");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let url = guard().check(&format!("http://{free}/")).unwrap();
    assert_ne!(url, gone);
    let result = client().fetch(Request::get(url, AMPLE, LIMIT)).await;
    assert_eq!(result.unwrap_err(), FetchError::Unreachable);
}

#[tokio::test]
async fn what_is_not_http_is_broken() {
    for answer in ["SSH-2.0-OpenSSH_9.2\r\n", "", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "HTTP/1.1 20"] {
        let result = fetch(&Server::saying(answer).await, AMPLE).await;
        assert_eq!(result.unwrap_err(), FetchError::Broken, "{answer}");
    }
}

#[tokio::test]
async fn endless_headers_are_broken() {
    let server = Server::raw(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"x-more: more\r\n").await.is_ok() {}
    })
    .await;
    assert_eq!(fetch(&server, AMPLE).await.unwrap_err(), FetchError::Broken);
}

#[tokio::test]
async fn silence_and_dripping_end_with_the_time_limit() {
    let silent = Server::raw(|stream| async move { hold(stream).await }).await;
    let dripping_head = Server::raw(|stream| drip(stream, "H")).await;
    let dripping_body = Server::raw(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        drip(stream, "x").await;
    })
    .await;
    for server in [silent, dripping_head, dripping_body] {
        let result = fetch(&server, Duration::from_millis(150)).await;
        assert!(matches!(result, Err(FetchError::Timeout | FetchError::Broken)), "{result:?}");
    }
}

#[tokio::test]
async fn ten_announced_gigabytes_are_refused_by_the_announcement() {
    let server = Server::raw(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n").await;
        hold(stream).await;
    })
    .await;
    assert_eq!(fetch(&server, AMPLE).await.unwrap_err(), FetchError::TooLarge { limit: LIMIT });
}

#[tokio::test]
async fn ten_chunked_gigabytes_are_cut_off_and_hardly_read() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let (done, finished) = tokio::sync::oneshot::channel();
    let done = Arc::new(std::sync::Mutex::new(Some(done)));
    let server = Server::raw(move |mut stream| {
        let (counter, done) = (counter.clone(), done.clone());
        async move {
            let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            while counter.load(Ordering::SeqCst) < 10 << 30 && stream.write_all(&chunk).await.is_ok() {
                counter.fetch_add(0x10000, Ordering::SeqCst);
            }
            done.lock().unwrap().take().map(|done| done.send(()));
        }
    })
    .await;
    assert_eq!(fetch(&server, AMPLE).await.unwrap_err(), FetchError::TooLarge { limit: LIMIT });
    finished.await.unwrap();
    assert!(sent.load(Ordering::SeqCst) < 64 << 20, "the sender must be cut off, not read to the end");
}

#[tokio::test]
async fn a_gzip_answer_is_unpacked() {
    let server = Server::saying(gzip_response(&gzip(b"{\"cards\":[]}", 1))).await;
    assert_eq!(fetch(&server, AMPLE).await.unwrap().body, "{\"cards\":[]}");
}

#[tokio::test]
async fn a_gzip_bomb_is_refused_at_the_limit() {
    let bomb = gzip(&vec![0; 1 << 20], 40); // 40 MiB in 41 KiB
    assert!(bomb.len() < LIMIT);
    let server = Server::saying(gzip_response(&bomb)).await;
    assert_eq!(fetch(&server, AMPLE).await.unwrap_err(), FetchError::TooLarge { limit: LIMIT });
}

#[tokio::test]
async fn endless_empty_gzip_members_are_bounded_too() {
    let empty = gzip(b"", 1).repeat(LIMIT / 20 + 1);
    assert!(empty.len() > LIMIT);
    let server = Server::saying(gzip_response(&empty)).await;
    assert_eq!(fetch(&server, AMPLE).await.unwrap_err(), FetchError::TooLarge { limit: LIMIT });
}

#[tokio::test]
async fn compression_that_was_not_asked_for_or_is_broken_is_refused() {
    let cut = &gzip(b"hello hello hello", 1)[..20];
    let zstd = b"HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx".to_vec();
    for answer in [gzip_response(cut), gzip_response(b"plain"), zstd] {
        assert_eq!(fetch(&Server::saying(answer).await, AMPLE).await.unwrap_err(), FetchError::Encoding);
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    for (length, passes) in [(LIMIT, true), (LIMIT + 1, false)] {
        let router = Router::new().route("/", get(move || async move { vec![b'x'; length] }));
        assert_eq!(fetch(&Server::axum(router).await, AMPLE).await.is_ok(), passes, "{length}");
    }
}

#[test]
fn debug_shows_neither_token_nor_query_nor_body() {
    let mut request = Request::get(guard().check("http://127.0.0.1:8080/Patient?name=Yamada").unwrap(), AMPLE, LIMIT);
    request.bearer = Some(Bearer::new("s3cret").unwrap());
    request.body = Bytes::from_static(b"Yamada").into();
    let text = format!("{request:?}");
    assert_eq!(text, "Request(GET GuardedUrl(http://127.0.0.1:8080), 6 bytes)");
}

async fn hold(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

async fn drip(mut stream: TcpStream, byte: &str) {
    while stream.write_all(byte.as_bytes()).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn gzip(data: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    (0..times).for_each(|_| encoder.write_all(data).unwrap());
    encoder.finish().unwrap()
}

fn gzip_response(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
