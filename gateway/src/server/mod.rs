//! The listener: an own accept loop, because only hyper's builder bounds the time for the request head, the number
//! of headers and HTTP/2's streams (axum::serve offers none of these).

pub(crate) mod tls;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::{config::Checked, tasks::Tasks};

pub use tls::TlsError;

/// Longest wait for a peer to take what is written to it.
const LONGEST_WRITE: Duration = Duration::from_secs(60);

/// Why the listener cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A bound listener that serves nothing yet.
pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Listener {
    /// Binds the address of the configuration and loads its certificate.
    ///
    /// # Errors
    /// The address is taken or not ours, or the PEM files cannot be used.
    pub async fn bind(config: &Checked) -> Result<Self, ListenError> {
        let bind_error = |source| ListenError::Bind { address: config.listen, source };
        let socket = TcpListener::bind(config.listen).await.map_err(bind_error)?;
        let address = socket.local_addr().map_err(bind_error)?;
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        Ok(Self { socket, tls, address })
    }

    /// Where it really listens (port 0 asks for any free one).
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the tasks are stopped, then lets open connections finish what they are at.
    pub async fn serve(self, router: Router, config: &Checked, tasks: &Tasks) {
        let builder = connection_builder(config);
        let connections = Arc::new(Semaphore::new(config.limits.connections));
        let graceful = GracefulShutdown::new();
        loop {
            let permit = tokio::select! {
                () = tasks.stopping() => break,
                permit = Arc::clone(&connections).acquire_owned() => permit,
            };
            let Ok(permit) = permit else { break };
            let (stream, peer) = tokio::select! {
                () = tasks.stopping() => break,
                accepted = self.socket.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, or the peer went away: wait a moment instead of spinning.
                        tracing::warn!(%error, "accept failed");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let service = router.clone();
            let (builder, tls, watcher) = (builder.clone(), self.tls.clone(), graceful.watcher());
            let head_time = Duration::from_millis(config.limits.header_read_ms);
            tasks.spawn("connection", async move {
                let _permit = permit;
                serve_connection(stream, peer, tls, head_time, &builder, service, watcher).await;
            });
        }
        drop(self.socket);
        let patience = Duration::from_secs(config.shutdown_seconds);
        if tokio::time::timeout(patience, graceful.shutdown()).await.is_err() {
            tracing::warn!("connections were still open at the end of shutdown");
        }
    }
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    handshake_time: Duration,
    builder: &auto::Builder<TokioExecutor>,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    // Else an answer that nobody takes any more would stay for as long as the connection does.
    stream.set_write_timeout(Some(LONGEST_WRITE));
    let stream = Box::pin(stream);
    match tls {
        None => serve_io(stream, peer, builder, router, watcher).await,
        Some(acceptor) => match tokio::time::timeout(handshake_time, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => serve_io(stream, peer, builder, router, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        },
    }
}

async fn serve_io<Io>(
    io: Io,
    peer: SocketAddr,
    builder: &auto::Builder<TokioExecutor>,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let service = TowerToHyperService::new(service.map_err(|never: Infallible| match never {}));
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(io), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Bounds that hold before any handler runs: slow heads, many headers, HTTP/2 floods.
fn connection_builder(config: &Checked) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.limits.header_read_ms))
        .max_headers(64)
        // Also the memory that a waiting connection holds: the head, and a body chunk by chunk.
        .max_buf_size(16 * 1024)
        // A caller that stops sending may still listen. It is also cheaper: else a buffer of that size is held for each
        // waiting call, only to notice that its caller is gone.
        .half_close(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(64 * 1024)
        .max_pending_accept_reset_streams(32)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}
