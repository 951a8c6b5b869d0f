//! WADO-RS: instances of a study, of a series, or one (PS3.18 §10.4).

use std::collections::HashMap;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use medvan_imaging::{
    TransferSyntax, Uid,
    accept::{Acceptable, Offer},
    multipart::{ContentType, PartHead, Writer},
};

use super::{
    ask::Ask,
    instance::{Leaving, others},
    negotiation,
    outgoing::{Ended, Outgoing},
    refusal::Refusal,
};
use crate::{
    App,
    archive::ReadFault,
    catalog::HospitalId,
    store::{FoundInstance, Selection},
};

/// Rows that are read at once.
const PAGE: u32 = 500;

/// `GET …/studies/{study}[/series/{series}[/instances/{instance}]]`
pub(crate) async fn retrieve(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let (hospital, acceptable) = (ask.hospital(), &ask.acceptable);
    let selection = ask.resource.selection()?;
    let first = app.store.select_instances(hospital, &selection, 0, PAGE).await?;
    let syntaxes = Syntaxes::choose(&app, hospital, &selection, &first, acceptable).await?;
    match offer(acceptable, &selection, &syntaxes)? {
        Packaging::Single => {
            let found = first.first().ok_or(Refusal::NotFound)?;
            single(&app, hospital, found, &syntaxes).await
        }
        Packaging::Parts => match first.as_slice() {
            [found] => one_part(&app, hospital, found, &syntaxes).await,
            _ => Ok(parts(&app, hospital.clone(), selection, first, syntaxes)),
        },
    }
}

/// How the instances are packed.
enum Packaging {
    Single,
    Parts,
}

fn offer(acceptable: &Acceptable, selection: &Selection, syntaxes: &Syntaxes) -> Result<Packaging, Refusal> {
    let held = || syntaxes.chosen.values().flatten().cloned();
    let related = Offer::related("application/dicom").in_syntaxes(held());
    let single = Offer::single("application/dicom").in_syntaxes(held());
    let offers = if selection.instance.is_some() { vec![related, single] } else { vec![related] };
    let choice = negotiation::choose(acceptable, &offers, HAVE)?;
    Ok(if choice.offer == 1 { Packaging::Single } else { Packaging::Parts })
}

const HAVE: &str = "multipart/related; type=\"application/dicom\" in the stored transfer syntax or in Explicit VR Little \
     Endian, and application/dicom for one instance";

/// In which transfer syntax instances leave, by the one in which they are stored.
#[derive(Debug, Clone)]
pub(super) struct Syntaxes {
    chosen: HashMap<Uid, Option<TransferSyntax>>,
}

impl Syntaxes {
    /// # Errors
    /// There is nothing (404), or nothing of it is acceptable (406).
    pub(super) async fn choose(
        app: &App,
        hospital: &HospitalId,
        selection: &Selection,
        first: &[FoundInstance],
        acceptable: &Acceptable,
    ) -> Result<Self, Refusal> {
        let stored = if first.len() < PAGE as usize {
            first.iter().map(|found| found.syntax.clone()).collect()
        } else {
            app.store.syntaxes_of(hospital, selection).await?
        };
        if stored.is_empty() {
            return Err(Refusal::NotFound);
        }
        let choose = |stored: TransferSyntax| {
            let chosen = acceptable.dicom_syntax(&stored, &others(&stored)).map(TransferSyntax::of);
            (stored.uid().clone(), chosen)
        };
        let chosen: HashMap<Uid, Option<TransferSyntax>> = stored.into_iter().map(choose).collect();
        if chosen.values().all(Option::is_none) {
            return Err(Refusal::NotAcceptable(HAVE));
        }
        Ok(Self { chosen })
    }

    /// In which one this instance leaves; `None` where it cannot be given.
    pub(super) fn of(&self, found: &FoundInstance) -> Option<&TransferSyntax> {
        self.chosen.get(found.syntax.uid())?.as_ref()
    }

    /// Whether some instances cannot be given: then the answer is 206 (§10.4.3.2).
    fn is_partial(&self) -> bool {
        self.chosen.values().any(Option::is_none)
    }
}

/// One instance by itself, whatever packaging is asked for: what WADO-URI gives.
pub(super) async fn alone(
    app: &App,
    hospital: &HospitalId,
    found: &FoundInstance,
    acceptable: &Acceptable,
) -> Result<Response, Refusal> {
    let chosen = acceptable.dicom_syntax(&found.syntax, &others(&found.syntax)).map(TransferSyntax::of);
    let chosen = HashMap::from([(found.syntax.uid().clone(), chosen)]);
    single(app, hospital, found, &Syntaxes { chosen }).await
}

async fn single(
    app: &App,
    hospital: &HospitalId,
    found: &FoundInstance,
    syntaxes: &Syntaxes,
) -> Result<Response, Refusal> {
    let syntax = syntaxes.of(found).ok_or(Refusal::NotAcceptable(HAVE))?;
    let leaving = Leaving::open(app, hospital, found, syntax).await?;
    let content_type = ContentType::of("application/dicom").with("transfer-syntax", syntax.uid()).to_string();
    between(app, leaving, content_type, Bytes::new(), Bytes::new()).await
}

/// One instance as the only part.
async fn one_part(
    app: &App,
    hospital: &HospitalId,
    found: &FoundInstance,
    syntaxes: &Syntaxes,
) -> Result<Response, Refusal> {
    let syntax = syntaxes.of(found).ok_or(Refusal::NotAcceptable(HAVE))?;
    let leaving = Leaving::open(app, hospital, found, syntax).await?;
    let mut writer = Writer::new(negotiation::boundary(), &ContentType::of("application/dicom"));
    let head = PartHead::of(ContentType::of("application/dicom").with("transfer-syntax", syntax.uid()));
    let content_type = writer.content_type();
    let before = writer.part(&head);
    between(app, leaving, content_type, before, writer.end()).await
}

/// An instance with what stands around it; its length is told, and a small one is read before the answer begins.
async fn between(
    app: &App,
    leaving: Leaving,
    content_type: String,
    before: Bytes,
    after: Bytes,
) -> Result<Response, Refusal> {
    let head = [(header::CONTENT_TYPE, content_type)];
    if let Some(open) = leaving.if_small() {
        let mut bytes = open.bytes_behind(before.into(), open.whole()).await.map_err(ReadFault::from)?;
        bytes.extend_from_slice(&after);
        return Ok((head, bytes).into_response());
    }
    let length = before.len() as u64 + leaving.length() + after.len() as u64;
    let body = Outgoing::body(&app.tasks, |out| async move {
        leaving.write(before, &out).await?;
        out.send(after).await
    });
    Ok(([(header::CONTENT_LENGTH, HeaderValue::from(length))], head, body).into_response())
}

fn parts(
    app: &App,
    hospital: HospitalId,
    selection: Selection,
    first: Vec<FoundInstance>,
    syntaxes: Syntaxes,
) -> Response {
    let status = if syntaxes.is_partial() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let writer = Writer::new(negotiation::boundary(), &ContentType::of("application/dicom"));
    let content_type = writer.content_type();
    let all = Parts { app: app.clone(), hospital, selection, syntaxes, writer };
    let body = Outgoing::body(&app.tasks, |out| all.write(first, out));
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

struct Parts {
    app: App,
    hospital: HospitalId,
    selection: Selection,
    syntaxes: Syntaxes,
    writer: Writer,
}

impl Parts {
    async fn write(mut self, first: Vec<FoundInstance>, out: Outgoing) -> Result<(), Ended> {
        let mut page = first;
        while let Some(last) = page.last().map(|found| found.id) {
            for found in &page {
                self.part(found, &out).await?;
            }
            let is_last = page.len() < PAGE as usize;
            page = if is_last { Vec::new() } else { self.page(last).await? };
        }
        out.send(self.writer.end()).await
    }

    async fn page(&self, after: i64) -> Result<Vec<FoundInstance>, Ended> {
        let page = self.app.store.select_instances(&self.hospital, &self.selection, after, PAGE).await;
        page.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the index does not answer; the answer was cut off"
            );
            Ended
        })
    }

    async fn part(&mut self, found: &FoundInstance, out: &Outgoing) -> Result<(), Ended> {
        let Some(syntax) = self.syntaxes.of(found) else { return Ok(()) };
        let leaving = Leaving::open(&self.app, &self.hospital, found, syntax).await.map_err(|error| {
            tracing::warn!(reason = %error, "an instance cannot be given in this form; the answer was cut off");
            Ended
        })?;
        let head = PartHead::of(ContentType::of("application/dicom").with("transfer-syntax", syntax.uid()));
        leaving.write(self.writer.part(&head), out).await
    }
}
