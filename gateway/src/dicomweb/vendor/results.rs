//! The results of a job, stored by the service that does it (STOW-RS, PS3.18 §10.5).
//!
//! What is stored is kept for its job and shown to nobody yet ([`crate::work`]).

use std::time::Duration;

use axum::{body::Body, extract::State, response::Response};
use http::header;
use medvan_analysis::gate::OBJECTS;
use medvan_imaging::multipart::instances;
use tokio::time::timeout;

use super::{
    super::{incoming::Incoming, refusal::Refusal, store::Answer},
    caller::VendorAsk,
};
use crate::{
    App,
    work::{Bringer, Brought, LARGEST, LONGEST, receive},
};

/// What the parts of a request have beside their objects.
const FRAME: usize = 1 << 20;
/// `POST …/studies[/{study}]`
pub(super) async fn store(State(app): State<App>, ask: VendorAsk, body: Body) -> Result<Response, Refusal> {
    let study = ask.resource.study()?;
    let answer = Answer::choose(&ask.acceptable, ask.root.clone(), study.clone())?;
    let own = ask.own_job(&app).await?;
    let most = own.as_ref().map_or(LARGEST, |open| open.member.entry.limits.answer_bytes as usize + FRAME);
    let bringer = own.as_ref().map_or(Bringer::Vendor(&ask.vendor), Bringer::Job);
    let _own = app.results.place(&ask.vendor).ok_or(Refusal::Busy)?;
    let content_type = ask.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = Incoming::new(body, Duration::from_millis(app.config.limits.body_read_ms));
    let brought = timeout(LONGEST, brought(&app, body, most)).await.map_err(|_| Refusal::TooSlow)??;
    let (body, _everybodys) = brought.whole(&app).await.map_err(|error| unkept(&error))?.ok_or(Refusal::Busy)?;
    let files =
        instances(content_type, body.into(), OBJECTS).map_err(|error| Refusal::BadRequest(error.to_string()))?;
    let mut outcomes = Vec::with_capacity(files.len());
    for file in files {
        outcomes.push(receive(&app, &bringer, study.as_ref(), file.to_vec()).await?);
    }
    Ok(answer.of(outcomes))
}

async fn brought(app: &App, mut body: Incoming, most: usize) -> Result<Brought, Refusal> {
    let mut brought = Brought::new(app, Vec::new(), most);
    while let Some(piece) = body.next().await? {
        brought.push(&piece).await.map_err(|error| unkept(&error))?;
        if brought.is_too_large() {
            return Err(Refusal::TooLarge(format!("the results of one request have more than {most} bytes")));
        }
    }
    Ok(brought)
}

fn unkept(error: &std::io::Error) -> Refusal {
    tracing::error!(error = error as &dyn std::error::Error, "results cannot be held while they come");
    Refusal::Internal
}
