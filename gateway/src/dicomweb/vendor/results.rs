//! The results of a job, stored by the service that does it (STOW-RS, PS3.18 §10.5).
//!
//! What is stored is kept for its job and shown to nobody yet ([`crate::work`]).

use std::time::Duration;

use axum::{body::Body, extract::State, response::Response};
use http::header;
use medvan_imaging::multipart::instances;

use super::{
    super::{incoming::Incoming, refusal::Refusal, store::Answer},
    caller::VendorAsk,
};
use crate::{App, work::receive};

/// Bytes of one request: more than the results of any job may have.
const LARGEST: usize = 40 << 20;
/// Objects of one request.
const OBJECTS: usize = 200;

/// `POST …/studies[/{study}]`
pub(super) async fn store(State(app): State<App>, ask: VendorAsk, body: Body) -> Result<Response, Refusal> {
    let study = ask.resource.study()?;
    let answer = Answer::choose(&ask.acceptable, ask.root.clone(), study.clone())?;
    let jobs = ask.jobs(&app).await?;
    if jobs.is_empty() {
        return Err(Refusal::NotFound);
    }
    let _place = app.results.place(&ask.vendor).ok_or(Refusal::Busy)?;
    let content_type = ask.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = whole(Incoming::new(body, Duration::from_millis(app.config.limits.body_read_ms))).await?;
    let files =
        instances(content_type, body.into(), OBJECTS).map_err(|error| Refusal::BadRequest(error.to_string()))?;
    let mut outcomes = Vec::with_capacity(files.len());
    for file in files {
        outcomes.push(receive(&app, &jobs, study.as_ref(), file.to_vec()).await?);
    }
    Ok(answer.of(outcomes))
}

async fn whole(mut body: Incoming) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await? {
        if bytes.len() + piece.len() > LARGEST {
            return Err(Refusal::TooLarge(format!("the results of one request have more than {LARGEST} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
