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
    walk::Walk,
    zip,
};
use crate::{
    App,
    archive::ReadFault,
    catalog::HospitalId,
    store::{FoundInstance, Selection},
};

/// `GET …/studies/{study}[/series/{series}[/instances/{instance}]]`
pub(crate) async fn retrieve(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let selection = ask.resource.selection()?;
    let (is_one, name) = (selection.instance.is_some(), name(&selection));
    let walk = Walk::begin(&app, ask.hospital(), selection).await?;
    give(walk, &name, is_one, &ask.acceptable).await
}

/// What an archive of it is called.
pub(super) fn name(selection: &Selection) -> String {
    selection.instance.as_ref().or(selection.series.as_ref()).unwrap_or(&selection.study).to_string()
}

/// Gives the instances of a walk in the form that is acceptable.
pub(super) async fn give(walk: Walk, name: &str, is_one: bool, acceptable: &Acceptable) -> Result<Response, Refusal> {
    let (app, hospital) = (walk.app.clone(), walk.hospital.clone());
    let stored = walk.syntaxes().await?;
    if is_zip_wanted(acceptable, &stored) {
        let syntaxes = Syntaxes::choose(stored, |stored, others| zipped(stored, others, acceptable))?;
        return Ok(zip::archive(name, walk, syntaxes));
    }
    let syntaxes = Syntaxes::choose(stored, |stored, others| acceptable.dicom_syntax(stored, others))?;
    match (offer(acceptable, is_one, &syntaxes)?, walk.only()) {
        (Packaging::Single, Some(found)) => single(&app, &hospital, found, &syntaxes).await,
        (Packaging::Parts, Some(found)) => one_part(&app, &hospital, found, &syntaxes).await,
        _ => Ok(parts(walk, syntaxes)),
    }
}

/// Whether an archive is wanted before anything else that there is.
fn is_zip_wanted(acceptable: &Acceptable, stored: &[TransferSyntax]) -> bool {
    let all = || stored.iter().flat_map(|stored| std::iter::once(stored.clone()).chain(others(stored)));
    let dicom = [Offer::related("application/dicom"), Offer::single("application/dicom")];
    let [related, single] = dicom.map(|offer| offer.in_syntaxes(all()));
    let offers = [related, single, Offer::single(zip::ZIP).in_syntaxes(all())];
    acceptable.choose(&offers).is_some_and(|choice| choice.offer == 2)
}

/// In which transfer syntax an instance goes into an archive: as it is stored, unless the request says another.
fn zipped(stored: &TransferSyntax, others: &[TransferSyntax], acceptable: &Acceptable) -> Option<Uid> {
    let syntaxes = std::iter::once(stored).chain(others).cloned();
    acceptable.syntax_of(&Offer::single(zip::ZIP).in_syntaxes(syntaxes))
}

/// How the instances are packed.
enum Packaging {
    Single,
    Parts,
}

fn offer(acceptable: &Acceptable, is_one: bool, syntaxes: &Syntaxes) -> Result<Packaging, Refusal> {
    let held = || syntaxes.chosen.values().flatten().cloned();
    let related = Offer::related("application/dicom").in_syntaxes(held());
    let single = Offer::single("application/dicom").in_syntaxes(held());
    let offers = if is_one { vec![related, single] } else { vec![related] };
    let choice = negotiation::choose(acceptable, &offers, HAVE)?;
    Ok(if choice.offer == 1 { Packaging::Single } else { Packaging::Parts })
}

const HAVE: &str = "multipart/related; type=\"application/dicom\" in the stored transfer syntax or in Explicit VR Little \
     Endian, application/dicom for one instance, and application/zip";

/// In which transfer syntax instances leave, by the one in which they are stored.
#[derive(Debug, Clone)]
pub(super) struct Syntaxes {
    chosen: HashMap<Uid, Option<TransferSyntax>>,
}

impl Syntaxes {
    /// Decides for each of the stored ones.
    ///
    /// # Errors
    /// Nothing is acceptable (406).
    fn choose(
        stored: Vec<TransferSyntax>,
        choose: impl Fn(&TransferSyntax, &[TransferSyntax]) -> Option<Uid>,
    ) -> Result<Self, Refusal> {
        let choose = |stored: TransferSyntax| {
            let chosen = choose(&stored, &others(&stored)).map(TransferSyntax::of);
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
    pub(super) fn is_partial(&self) -> bool {
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

fn parts(walk: Walk, syntaxes: Syntaxes) -> Response {
    let status = if syntaxes.is_partial() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut writer = Writer::new(negotiation::boundary(), &ContentType::of("application/dicom"));
    let content_type = writer.content_type();
    let tasks = walk.app.tasks.clone();
    let body = Outgoing::body(&tasks, |out| async move {
        let mut walk = walk;
        while let Some(found) = walk.next().await? {
            part(&walk, &found, &syntaxes, &mut writer, &out).await?;
        }
        out.send(writer.end()).await
    });
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

async fn part(
    walk: &Walk,
    found: &FoundInstance,
    syntaxes: &Syntaxes,
    writer: &mut Writer,
    out: &Outgoing,
) -> Result<(), Ended> {
    let Some(syntax) = syntaxes.of(found) else { return Ok(()) };
    let leaving = Leaving::open(&walk.app, &walk.hospital, found, syntax).await.map_err(|error| {
        tracing::warn!(reason = %error, "an instance cannot be given in this form; the answer was cut off");
        Ended
    })?;
    let head = PartHead::of(ContentType::of("application/dicom").with("transfer-syntax", syntax.uid()));
    leaving.write(writer.part(&head), out).await
}
