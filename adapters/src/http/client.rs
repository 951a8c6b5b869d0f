//! [`Client`]: one pool of kept-alive connections for every vendor, and one way to use it.

use std::{fmt, time::Duration};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, HeaderMap},
};
use tracing::warn;

use super::{
    Bearer, ClientError, FetchError, Guard, GuardedUrl, body,
    resolver::{self, GuardedResolver, Source},
};

/// What the operator may set about the client.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Time for name look-up, TCP and TLS together; the request's own time limit holds besides.
    pub connect_timeout: Duration,
    /// Certificates of private authorities, PEM, beside those of the operating system.
    pub extra_roots: Vec<Vec<u8>>,
}

/// The guarded HTTP client. Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    guard: Guard,
}

/// One request. Nothing in it is printed.
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: GuardedUrl,
    /// Headers beside `Authorization`. No `Accept-Encoding` means that the answer comes plain, gzip may be asked for.
    pub headers: HeaderMap,
    /// The token for `Authorization`.
    pub bearer: Option<Bearer>,
    /// The body; empty for a GET.
    pub body: Body,
    /// Time for everything, from the name look-up to the last byte of the answer.
    pub timeout: Duration,
    /// Most bytes of the answer's body, as sent and after decompression.
    pub limit: usize,
}

/// What a request brings along.
pub enum Body {
    /// These bytes. They can be sent again: reqwest does so where an HTTP/2 server says that it has not looked at the request
    /// (GOAWAY, REFUSED_STREAM), as in a rolling restart. The price is that a waiting call holds its body.
    Bytes(Bytes),
    /// Bytes that come while they are sent, and nobody holds: images. An error ends the request.
    Stream(BoxStream<'static, std::io::Result<Bytes>>),
}

/// A complete answer, whatever its status. A redirect is an answer too and is not followed.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
}

impl Default for Settings {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(2), extra_roots: Vec::new() }
    }
}

impl Client {
    /// Builds the pool. Done once at start: a connection is worth more than a client.
    pub fn new(guard: Guard, settings: &Settings) -> Result<Self, ClientError> {
        Self::with_names(guard, settings, &resolver::system())
    }

    /// The rules this client calls by.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends a request and reads the whole answer, within the request's time and size.
    pub async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let timeout = request.timeout;
        match tokio::time::timeout(timeout, self.exchange(request)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(FetchError::Timeout),
        }
    }

    fn with_names(guard: Guard, settings: &Settings, names: &Source) -> Result<Self, ClientError> {
        let roots = certificates(settings)?;
        let builder = || builder(settings).dns_resolver(GuardedResolver::new(guard.clone(), names.clone()));
        // A machine without any root certificate can still call itself; HTTPS then fails, closed.
        let http = builder().tls_certs_merge(roots.clone()).build().or_else(|error| {
            warn!(%error, "no root certificates on this machine: HTTPS calls will fail");
            builder().tls_certs_only(roots).build()
        });
        Ok(Self { http: http.map_err(ClientError)?, guard })
    }

    async fn exchange(&self, request: Request) -> Result<Response, FetchError> {
        self.guard.judge(request.url.url())?;
        let (url, limit) = (request.url.clone(), request.limit);
        let response = self.http.execute(request.into_reqwest()).await;
        let response = response.map_err(|error| FetchError::from_reqwest(&error))?;
        self.judge_peer(&url, &response)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = body::read(response, limit).await?;
        Ok(Response { status, headers, body })
    }

    /// Last line of defence: an answer from an address that would not have been called is not read.
    fn judge_peer(&self, url: &GuardedUrl, response: &reqwest::Response) -> Result<(), FetchError> {
        let peer = response.remote_addr().map(|address| address.ip());
        let host = url.url().host();
        match (host, peer) {
            (Some(host), Some(peer)) if self.guard.admits(&host, peer) => Ok(()),
            _ => Err(FetchError::Address),
        }
    }
}

impl Request {
    /// A GET without headers.
    pub fn get(url: GuardedUrl, timeout: Duration, limit: usize) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            bearer: None,
            body: Body::default(),
            timeout,
            limit,
        }
    }

    fn into_reqwest(self) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method, self.url.url().clone());
        *request.headers_mut() = self.headers;
        if let Some(bearer) = self.bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer.into_header());
        }
        match self.body {
            Body::Bytes(bytes) if bytes.is_empty() => {}
            Body::Bytes(bytes) => *request.body_mut() = Some(bytes.into()),
            Body::Stream(stream) => *request.body_mut() = Some(reqwest::Body::wrap_stream(stream)),
        }
        request
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {:?}, {:?})", self.method, self.url, self.body)
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream(_) => f.write_str("a stream of bytes"),
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status.as_u16(), self.body.len())
    }
}

fn builder(settings: &Settings) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("medvan/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .no_gzip() // `body` unpacks: it bounds both sides
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(256)
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .http1_max_headers(100)
        .http2_max_header_list_size(64 << 10)
        .http2_adaptive_window(true)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
}

fn certificates(settings: &Settings) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let bundles = settings.extra_roots.iter().map(|pem| reqwest::Certificate::from_pem_bundle(pem));
    Ok(bundles.collect::<Result<Vec<_>, _>>().map_err(ClientError)?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
