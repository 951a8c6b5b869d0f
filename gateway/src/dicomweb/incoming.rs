//! A request's body as it streams in: no chunk may keep us waiting, the whole may take as long as it takes.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;

use super::refusal::Refusal;

/// A body that is read chunk by chunk.
pub(super) struct Incoming {
    body: Body,
    patience: Duration,
}

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
        Self { body, patience }
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
                    Ok(bytes) => return Ok(Some(bytes)),
                    Err(_) => {}
                },
            }
        }
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
