//! A response's body, written by a task of its own: it waits for the client, the client never for more than it takes.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;

use crate::tasks::Tasks;

/// Chunks that may wait for the client.
const WAITING: usize = 2;

/// Where a body is written.
#[derive(Debug, Clone)]
pub(super) struct Outgoing(mpsc::Sender<io::Result<Bytes>>);

/// The client went away, or the bytes cannot be had: the body ends here, without its end.
#[derive(Debug)]
pub(super) struct Ended;

impl Outgoing {
    /// A body that `write` writes. When it fails the connection is cut, so that nobody takes the part for the whole.
    pub(super) fn body<F>(tasks: &Tasks, write: impl FnOnce(Self) -> F) -> Body
    where
        F: Future<Output = Result<(), Ended>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(WAITING);
        let broken = sender.clone();
        let written = write(Self(sender));
        tasks.spawn("body", async move {
            if written.await.is_err() {
                let _ = broken.send(Err(io::ErrorKind::BrokenPipe.into())).await;
            }
        });
        let chunks =
            stream::unfold(
                receiver,
                |mut receiver| async move { receiver.recv().await.map(|chunk| (chunk, receiver)) },
            );
        // A body that compresses asks once more after the end.
        Body::from_stream(chunks.fuse())
    }

    /// To somebody else than a client.
    pub(super) fn to(receiver: mpsc::Sender<io::Result<Bytes>>) -> Self {
        Self(receiver)
    }

    /// Some bytes.
    pub(super) async fn send(&self, bytes: impl Into<Bytes>) -> Result<(), Ended> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Ok(());
        }
        self.0.send(Ok(bytes)).await.map_err(|_| Ended)
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        tracing::error!(%error, "a stored file cannot be read; the answer was cut off");
        Self
    }
}
