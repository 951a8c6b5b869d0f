//! A response's body, written by a task of its own: it waits for the client, but not for ever, because it may hold what others
//! wait for.

use std::{io, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::tasks::Tasks;

/// Chunks that may wait for the client.
const WAITING: usize = 2;
/// Bytes of one. Whoever takes some now and then is not sent away because it is slow.
const CHUNK: usize = 1 << 20;
/// Longest wait for a client to take one.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a body is written.
#[derive(Debug, Clone)]
pub(super) struct Outgoing(mpsc::Sender<Bytes>);

/// The client went away or takes nothing, or the bytes cannot be had: the body ends here, without its end.
#[derive(Debug)]
pub(super) struct Ended;

impl Outgoing {
    /// A body that `write` writes. When it fails the connection is cut, so that nobody takes the part for the whole.
    pub(super) fn body<F>(tasks: &Tasks, write: impl FnOnce(Self) -> F) -> Body
    where
        F: Future<Output = Result<(), Ended>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (whole, is_whole) = oneshot::channel();
        let written = write(Self(sender));
        tasks.spawn("body", async move {
            if written.await.is_ok() {
                let _ = whole.send(());
            }
        });
        let chunks = stream::unfold(Some((receiver, is_whole)), |state| async {
            let (mut receiver, is_whole) = state?;
            match receiver.recv().await {
                Some(chunk) => Some((Ok(chunk), Some((receiver, is_whole)))),
                None => match is_whole.await {
                    Ok(()) => None,
                    Err(_) => Some((Err(io::Error::from(io::ErrorKind::BrokenPipe)), None)),
                },
            }
        });
        // A body that compresses asks once more after the end.
        Body::from_stream(chunks.fuse())
    }

    /// To somebody else than a client.
    pub(super) fn to(receiver: mpsc::Sender<Bytes>) -> Self {
        Self(receiver)
    }

    /// Some bytes.
    pub(super) async fn send(&self, bytes: impl Into<Bytes>) -> Result<(), Ended> {
        let mut bytes = bytes.into();
        while !bytes.is_empty() {
            let chunk = bytes.split_to(bytes.len().min(CHUNK));
            match timeout(PATIENCE, self.0.send(chunk)).await {
                Ok(sent) => sent.map_err(|_| Ended)?,
                Err(_) => {
                    tracing::info!("a client takes nothing of its answer; it was cut off");
                    return Err(Ended);
                }
            }
        }
        Ok(())
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        tracing::error!(%error, "a stored file cannot be read; the answer was cut off");
        Self
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_is_not_waited_for_for_ever() {
        let (tasks, ended) = (Tasks::default(), mpsc::channel(1));
        let (tell, mut told) = ended;
        let body = Outgoing::body(&tasks, |out| async move {
            let mut sent = Ok(());
            while sent.is_ok() {
                sent = out.send("chunk").await;
            }
            tell.send(()).await.unwrap();
            sent
        });
        assert_eq!(told.recv().await, Some(()));
        // What is read of it in the end is not taken for the whole.
        assert!(body.collect().await.is_err());
    }

    /// Eighty seconds for all of it, and ten for each part.
    #[tokio::test(start_paused = true)]
    async fn whoever_takes_some_now_and_then_is_waited_for() {
        let tasks = Tasks::default();
        let mut body = Outgoing::body(&tasks, |out| async move { out.send(vec![7; 8 * CHUNK]).await });
        let mut taken = 0;
        while let Some(frame) = body.frame().await {
            taken += frame.unwrap().into_data().unwrap().len();
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        assert_eq!(taken, 8 * CHUNK);
    }

    #[tokio::test]
    async fn a_body_is_whole_only_where_its_writer_came_to_the_end() {
        let tasks = Tasks::default();
        let whole = Outgoing::body(&tasks, |out| async move { out.send("whole").await });
        assert_eq!(whole.collect().await.unwrap().to_bytes(), "whole");
        let cut = Outgoing::body(&tasks, |out| async move {
            out.send("part").await?;
            Err(Ended)
        });
        assert!(cut.collect().await.is_err());
        let lost = Outgoing::body(&tasks, |out| async move {
            out.send("part").await?;
            panic!("in the middle")
        });
        assert!(lost.collect().await.is_err());
    }
}
