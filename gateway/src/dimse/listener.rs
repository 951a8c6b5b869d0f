//! [`DimseListener`]: takes connections in.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    admission::{self, Refusal},
    link::{Link, Wire},
    network::acceptor,
    provider::Provider,
};
use crate::{App, call::Shares, config::Checked, server::TlsError};

/// Connections beyond the associations that are taken in so that they can be told that there is no room. More wait in the
/// system's queue.
const AT_THE_DOOR: usize = 32;
/// Of one address: whoever opens connections and says nothing keeps nobody else out.
const AT_THE_DOOR_OF_ONE: usize = 8;

/// Why the DICOM network cannot be listened to.
#[derive(Debug, thiserror::Error)]
pub enum DimseListenError {
    /// The address cannot be bound.
    #[error("cannot listen for associations on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The certificates cannot be used.
    #[error("dimse.{0}")]
    Tls(#[from] TlsError),
}

/// A bound listener that takes nobody in yet.
pub struct DimseListener {
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl std::fmt::Debug for DimseListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DimseListener").field("address", &self.address).finish_non_exhaustive()
    }
}

impl DimseListener {
    /// Binds `dimse.listen`, if it is set, and loads the certificate.
    ///
    /// # Errors
    /// The address is taken or not ours, or the PEM files cannot be used.
    pub async fn bind(config: &Checked) -> Result<Option<Self>, DimseListenError> {
        let Some(address) = config.dimse.listen else {
            return Ok(None);
        };
        let bind_error = |source| DimseListenError::Bind { address, source };
        let socket = TcpListener::bind(address).await.map_err(bind_error)?;
        let address = socket.local_addr().map_err(bind_error)?;
        let tls = config.dimse.tls.as_ref().map(acceptor).transpose()?;
        Ok(Some(Self { socket, address, tls }))
    }

    /// Where it really listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes associations in until the tasks are stopped.
    pub(crate) async fn serve(self, app: App) {
        if self.tls.is_none() && !self.address.ip().is_loopback() {
            tracing::warn!(address = %self.address, "associations are not encrypted: dimse.tls is not set");
        }
        let door = Arc::new(Semaphore::new(app.config.dimse.associations + AT_THE_DOOR));
        let of_one = Shares::of(AT_THE_DOOR_OF_ONE);
        loop {
            let permit = tokio::select! {
                () = app.tasks.stopping() => return,
                permit = Arc::clone(&door).acquire_owned() => permit,
            };
            let Ok(permit) = permit else { return };
            let (stream, peer) = tokio::select! {
                () = app.tasks.stopping() => return,
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
            let Some(knocking) = of_one.place(&peer.ip()) else {
                metrics::counter!("medvan_associations_total", "outcome" => "crowd").increment(1);
                tracing::debug!(peer = %peer.ip(), "too many connections of one address ask for no association");
                continue;
            };
            let (tls, tasks) = (self.tls.clone(), app.tasks.clone());
            let app = app.clone();
            tasks.spawn("association", async move {
                let _permit = permit;
                serve_connection(app, stream, peer, tls, knocking).await;
            });
        }
    }
}

/// `knocking` is given back when the peer has said who it is.
async fn serve_connection(
    app: App,
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    knocking: OwnedSemaphorePermit,
) {
    let artim = Duration::from_secs(app.config.dimse.artim_seconds);
    let wire = match tls {
        None => Wire::Plain(stream),
        Some(acceptor) => match timeout(artim, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Wire::Tls(Box::new(stream.into())),
            Ok(Err(error)) => return tracing::info!(peer = %peer.ip(), %error, "TLS handshake failed"),
            Err(_) => return tracing::info!(peer = %peer.ip(), "TLS handshake took too long"),
        },
    };
    let link = Link::new(wire, app.config.dimse.pdu_bytes, Duration::from_secs(app.config.dimse.idle_seconds));
    let admitted = admission::admit(&app, link, peer.ip()).await;
    drop(knocking);
    match admitted {
        Ok(admitted) => Provider::new(app, admitted).run().await,
        Err(Refusal::Said(reason)) => {
            metrics::counter!("medvan_associations_total", "outcome" => reason.word()).increment(1);
        }
        Err(Refusal::Gone(ended)) => {
            metrics::counter!("medvan_associations_total", "outcome" => "gone").increment(1);
            tracing::debug!(peer = %peer.ip(), %ended, "no association was asked for");
        }
    }
}
