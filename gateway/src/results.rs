//! AI results as FHIR R4 and R5, below `/hospitals/{hospital}/fhir`: the gateway as a FHIR *server*, for reading and searching. (The way
//! to a hospital's own FHIR server is [`crate::fhir`].)
//!
//! Nothing is stored as FHIR: resources are written when they are read, from what services found ([`medvan_analysis::fhir`])
//! and from the index of images. What only a shadow found is not there; what a later analysis replaced is found by its id, as
//! withdrawn, and by no search.
//!
//! A request that asks for `fhirVersion=5.0` gets R5, every other one R4. Both are of the same findings; ImagingSelection is R5 only.

mod analyses;
mod ask;
mod capability;
mod devices;
mod parameters;
mod places;
mod question;
mod refusal;
mod side_by_side;
mod stored;
mod studies;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::header;
use medvan_authoring::{Match, Release, SearchSet, Written};

use self::{ask::Ask, question::Question, refusal::Refusal};
use crate::App;

/// The types of resource that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Observation,
    DiagnosticReport,
    ImagingStudy,
    Device,
    Provenance,
    ImagingSelection,
}

/// A page of what was found: resources with their ids, and where the next page begins.
struct Page {
    found: Vec<(String, Written)>,
    next: Option<String>,
}

/// The routes of a hospital's FHIR root.
pub(crate) fn routes() -> Router<App> {
    let below = |rest: &str| format!("/hospitals/{{hospital}}/fhir{rest}");
    Router::new()
        .route(&below("/metadata"), get(capability::metadata))
        .route(&below("/{kind}"), get(search))
        .route(&below("/{kind}/_search"), post(search))
        .route(&below("/{kind}/{id}"), get(read))
        .route("/hospitals/{hospital}/findings", get(side_by_side::read))
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Observation,
        Self::DiagnosticReport,
        Self::ImagingStudy,
        Self::Device,
        Self::Provenance,
        Self::ImagingSelection,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Observation => "Observation",
            Self::DiagnosticReport => "DiagnosticReport",
            Self::ImagingStudy => "ImagingStudy",
            Self::Device => "Device",
            Self::Provenance => "Provenance",
            Self::ImagingSelection => "ImagingSelection",
        }
    }

    fn find(word: &str, release: Release) -> Result<Self, Refusal> {
        match Self::ALL.into_iter().find(|kind| kind.word() == word) {
            None => Err(Refusal::NotServed),
            Some(Self::ImagingSelection) if release == Release::R4 => Err(Refusal::OnlyInR5),
            Some(kind) => Ok(kind),
        }
    }
}

/// `GET …/{kind}/{id}`
async fn read(
    State(app): State<App>,
    Path((_, kind, id)): Path<(String, String, String)>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let kind = Kind::find(&kind, ask.release)?;
    let resource = match kind {
        Kind::Device => devices::read(&app, &ask, &id).await?,
        Kind::ImagingStudy => studies::read(&app, &ask, &id).await?,
        Kind::Observation | Kind::DiagnosticReport | Kind::Provenance | Kind::ImagingSelection => {
            analyses::read(&app, &ask, kind, &id).await?
        }
    };
    Ok(answer(ask.release, &resource.ok_or(Refusal::NotFound)?))
}

/// `GET …/{kind}?…` and `POST …/{kind}/_search`
async fn search(
    State(app): State<App>,
    Path(path): Path<Vec<(String, String)>>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let kind = path.iter().find(|(name, _)| name == "kind").map_or("", |(_, kind)| kind);
    let kind = Kind::find(kind, ask.release)?;
    let question = Question::read(kind, ask.release, &ask.parameters, ask.is_lenient)?;
    let page = match kind {
        Kind::Device => devices::search(&app, &ask, &question).await?,
        Kind::ImagingStudy => studies::search(&app, &ask, &question).await?,
        Kind::Observation | Kind::DiagnosticReport | Kind::Provenance | Kind::ImagingSelection => {
            analyses::search(&app, &ask, kind, &question).await?
        }
    };
    let link = |after: Option<&str>| format!("{}/{}?{}", ask.root, kind.word(), question.understood(after));
    let url = |id: &str| format!("{}/{}/{id}", ask.root, kind.word());
    let set = SearchSet {
        this: link(question.after.as_deref()),
        next: page.next.as_deref().map(|next| link(Some(next))),
        matches: page.found.into_iter().map(|(id, resource)| Match { url: url(&id), resource }).collect(),
    };
    Ok(answer(ask.release, &set.written()))
}

fn answer(release: Release, resource: &Written) -> Response {
    let media = match release {
        Release::R4 => "application/fhir+json; fhirVersion=4.0",
        Release::R5 => "application/fhir+json; fhirVersion=5.0",
    };
    ([(header::CONTENT_TYPE, media)], resource.get().to_owned()).into_response()
}
