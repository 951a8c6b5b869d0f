//! A request's body as it streams in: no chunk may keep us waiting, and what comes must come at some rate. The whole may then
//! take as long as it takes.

use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;

use super::refusal::Refusal;

/// A body that is read chunk by chunk.
pub(super) struct Incoming {
    body: Body,
    patience: Duration,
    began: Instant,
    bytes: u64,
}

/// Bytes a second that a sender must reach on the whole; a modem did. Slower, it would hold a place among those who store for
/// ever.
const SLOWEST: u64 = 1_000;
/// Before that nobody is judged.
const GRACE: Duration = Duration::from_secs(60);

/// Why no more comes.
#[derive(Debug)]
pub(super) enum Cut {
    /// The connection ended or the encoding broke.
    Broken,
    /// Nothing came for too long.
    Slow,
}

impl Incoming {
    pub(super) fn new(body: Body, patience: Duration) -> Self {
        Self { body, patience, began: Instant::now(), bytes: 0 }
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        loop {
            let frame = tokio::time::timeout(self.patience, self.body.frame()).await.map_err(|_| Cut::Slow)?;
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(Cut::Broken),
                // Trailers say nothing to us.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if bytes.is_empty() => {}
                    Ok(bytes) => {
                        self.bytes += bytes.len() as u64;
                        return if self.is_too_slow() { Err(Cut::Slow) } else { Ok(Some(bytes)) };
                    }
                    Err(_) => {}
                },
            }
        }
    }
}

impl Incoming {
    fn is_too_slow(&self) -> bool {
        let elapsed = self.began.elapsed();
        elapsed > GRACE && self.bytes / elapsed.as_secs().max(1) < SLOWEST
    }
}

impl From<Cut> for Refusal {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Broken => Self::BadRequest("the body ended early or could not be decompressed".to_owned()),
            Cut::Slow => Self::TooSlow,
        }
    }
}
