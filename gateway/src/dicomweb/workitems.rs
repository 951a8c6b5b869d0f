//! UPS-RS: workitems created, found, taken, changed and ended (PS3.18 §11).
//!
//! What a workitem may say and become is decided by [`medvan_imaging::ups`]; here is how it is asked and told.

mod changer;

use std::time::Duration;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use dicom_dictionary_std::tags;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use medvan_imaging::{
    Tag, Uid,
    attributes::Attributes,
    json,
    multipart::ContentType,
    query::{Level, Query},
    ups::{self, Fault, Transition, Workitem},
    xml,
};
use uuid::Uuid;

use super::{
    ask::{Ask, Asked},
    incoming::Incoming,
    refusal::Refusal,
    search::{Form, MOST, warned},
};
use crate::{
    App,
    catalog::HospitalId,
    store::{CancelAsk, PutWorkitem, WorkitemBounds, WorkitemNarrow, WorkitemRoom},
    work::{own_lock, unwanted},
};
pub(super) use changer::Changer;

/// Bytes of a workitem, or of what is changed of one.
const LARGEST: usize = 1 << 20;
/// Bytes of workitems that one search looks at, and of those that it gives: reading them takes one of the few connections to the
/// index.
const LOOKED_AT: usize = 64 << 20;
const GIVEN: usize = 16 << 20;
/// The Worklist Label of those that come without one.
const WORKLIST: &str = "MEDVAN";

/// `POST …/workitems[?workitem={uid}]` (§11.4)
pub(crate) async fn create(State(app): State<App>, ask: Ask, body: Body) -> Result<Response, Refusal> {
    let given = data_set(&app, &ask.headers, body).await?;
    let uid = named(&ask, &given)?;
    let now = app.clock.now();
    let created = match Workitem::create(uid, given, WORKLIST, now) {
        Ok(created) => created,
        Err(fault) => return Ok(refused(&fault, &ask.root)),
    };
    match app.store.create_workitem(ask.hospital(), &created.workitem, Some(room(&app)), now).await? {
        PutWorkitem::Created => {}
        PutWorkitem::Taken => return Ok(conflict("the hospital has a workitem with this UID already")),
        PutWorkitem::Deleted => return Ok(conflict("the hospital had a workitem with this UID, which was deleted")),
        PutWorkitem::NoRoom => return Err(Refusal::TooMany),
    }
    let location = HeaderValue::try_from(format!("{}/workitems/{}", ask.root, created.workitem.uid()));
    let location = location.map_err(|_| Refusal::Internal)?;
    let places = [(header::LOCATION, location.clone()), (header::CONTENT_LOCATION, location)];
    let mut response = (StatusCode::CREATED, places).into_response();
    if created.is_modified {
        warned(&mut response, &ask.root, "The Workitem was created with modifications.");
    }
    Ok(response)
}

/// `GET …/workitems/{workitem}` (§11.5)
pub(crate) async fn retrieve(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let form = Form::choose(&ask.acceptable)?;
    let uid = ask.resource.workitem()?;
    match app.store.workitem(ask.hospital(), &uid).await? {
        Some(workitem) => form.response(&[workitem.view()]),
        None => Err(missing(&app, ask.hospital(), &uid).await),
    }
}

/// `POST …/workitems/{workitem}[?transaction-uid={uid}]` (§11.6)
pub(crate) async fn update(State(app): State<App>, ask: Ask, body: Body) -> Result<Response, Refusal> {
    if !app.store.workitems_may_grow(ask.hospital(), room(&app)).await? {
        return Err(Refusal::TooMany);
    }
    updated(&app, &Changer::Hospital(ask.hospital()), &ask, body).await
}

/// The same for whoever may change this workitem.
pub(super) async fn updated(app: &App, changer: &Changer<'_>, ask: &Asked, body: Body) -> Result<Response, Refusal> {
    let mut changes = data_set(app, &ask.headers, body).await?;
    // Some performers say it in the data set, as DIMSE does.
    let within = changes.text(tags::TRANSACTION_UID);
    changes.remove(tags::TRANSACTION_UID);
    let asked =
        parameter(ask, &["transaction-uid", "TransactionUID"]).filter(|text| !text.is_empty()).map(str::to_owned);
    let transaction = one_uid([asked, within], "TransactionUID")?;
    let now = app.clock.now();
    let title = changer.hospital_title(app);
    let change = |workitem: &mut Workitem| {
        let changes = changer.permitted(workitem, changes, title.as_ref())?;
        workitem.update(transaction.as_ref(), changes, now)
    };
    let changed = changer.change(app, &ask.resource.workitem()?, change).await?;
    Ok(match changed {
        Ok(_) => StatusCode::OK.into_response(),
        // §11.6.3 has its own words for these, and one status.
        Err(Fault::NotInProgress) => {
            said(StatusCode::BAD_REQUEST, "The target URI did not reference a claimed Workitem.", "", &ask.root)
        }
        Err(Fault::Final) => {
            let text = "The submitted request is inconsistent with the current state of the Workitem.";
            said(StatusCode::BAD_REQUEST, text, "", &ask.root)
        }
        Err(fault) => refused(&fault, &ask.root),
    })
}

/// `PUT …/workitems/{workitem}/state` (§11.7)
pub(crate) async fn change_state(State(app): State<App>, ask: Ask, body: Body) -> Result<Response, Refusal> {
    Ok(state_changed(&app, &Changer::Hospital(ask.hospital()), &ask, body).await?.response)
}

/// What became of a change of state.
pub(super) struct StateChange {
    pub(super) response: Response,
    /// The Transaction UID under which it was asked for.
    pub(super) transaction: Option<Uid>,
}

/// The same for whoever may change this workitem.
pub(super) async fn state_changed(
    app: &App,
    changer: &Changer<'_>,
    ask: &Asked,
    body: Body,
) -> Result<StateChange, Refusal> {
    let asked = data_set(app, &ask.headers, body).await?;
    let state = asked.text(tags::PROCEDURE_STEP_STATE).and_then(|text| text.parse::<ups::State>().ok());
    let state = state.ok_or_else(|| bad("ProcedureStepState must be IN PROGRESS, COMPLETED or CANCELED"))?;
    let transaction = asked.text(tags::TRANSACTION_UID).map(|text| Uid::parse(&text)).transpose();
    let transaction = transaction.map_err(|_| bad("TransactionUID is no UID"))?;
    let now = app.clock.now();
    let change = |workitem: &mut Workitem| workitem.change_state(state, transaction.as_ref(), now);
    let changed = changer.change(app, &ask.resource.workitem()?, change).await?;
    if changed.is_ok() {
        app.jobs.ring();
    }
    Ok(StateChange { response: told(StatusCode::OK, changed, &ask.root), transaction })
}

/// `POST …/workitems/{workitem}/cancelrequest` (§11.8)
pub(crate) async fn request_cancel(State(app): State<App>, ask: Ask, body: Body) -> Result<Response, Refusal> {
    let request = data_set(&app, &ask.headers, body).await?;
    let uid = ask.resource.workitem()?;
    let asked = CancelAsk {
        requester: ask.client.name(),
        titles: ask.client.ae_titles(),
        request: &request,
        lock: fresh()?,
        own: own_lock(&app, &uid),
    };
    let Some(canceled) = app.store.request_cancel(ask.hospital(), &uid, asked, app.clock.now()).await? else {
        return Err(missing(&app, ask.hospital(), &uid).await);
    };
    if let Some(job) = canceled.job {
        unwanted(&app, &job).await;
    }
    app.jobs.ring();
    Ok(told(StatusCode::ACCEPTED, canceled.outcome, &ask.root))
}

/// `GET …/workitems` (§11.9)
pub(crate) async fn search(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let form = Form::choose(&ask.acceptable)?;
    let (query, warnings) = Query::from_parameters(Level::Workitem, ask.parameters.iter())?;
    let narrow = WorkitemNarrow::of(&query);
    let most = usize::try_from(query.limit().unwrap_or(u64::MAX).min(MOST)).unwrap_or(usize::MAX);
    let bounds = WorkitemBounds { most, kept: GIVEN, looked_at: LOOKED_AT };
    let mut to_pass = query.offset();
    let matches = |workitem: &Workitem| {
        let is_match = query.matches(&workitem.view());
        if is_match && to_pass > 0 {
            to_pass -= 1;
            return false;
        }
        is_match
    };
    let found = app.store.find_workitems(ask.hospital(), &narrow, bounds, matches).await?;
    if !found.is_looked_through {
        return Err(Refusal::TooLarge(format!(
            "the search looks at more than {LOOKED_AT} bytes of workitems; add ProcedureStepState, PatientID, SOPInstanceUID, \
             ScheduledProcedureStepStartDateTime, ScheduledStationNameCodeSequence.CodeValue or \
             InputInformationSequence.StudyInstanceUID"
        )));
    }
    let answers: Vec<Attributes> = found.workitems.iter().map(|workitem| query.answer(&workitem.view())).collect();
    let mut response = form.response(&answers)?;
    for warning in warnings {
        warned(&mut response, &ask.root, &warning.to_string());
    }
    if !found.is_all && query.limit().is_none_or(|limit| limit > answers.len() as u64) {
        warned(&mut response, &ask.root, "There are additional results that can be requested");
    }
    Ok(response)
}

/// How many workitems systems of a hospital may have.
fn room(app: &App) -> WorkitemRoom {
    let limits = &app.config.limits;
    WorkitemRoom { workitems: limits.workitems_per_hospital, bytes: limits.workitem_bytes_per_hospital }
}

/// Why there is no workitem: there never was one, or it was deleted (§11.5.3).
pub(super) async fn missing(app: &App, hospital: &HospitalId, uid: &Uid) -> Refusal {
    match app.store.had_workitem(hospital, uid).await {
        Ok(true) => Refusal::Gone,
        Ok(false) => Refusal::NotFound,
        Err(error) => error.into(),
    }
}

/// The data set of a request, in JSON or XML; an empty body is an empty one.
async fn data_set(app: &App, headers: &HeaderMap, body: Body) -> Result<Attributes, Refusal> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content =
        ContentType::parse(content.unwrap_or("application/dicom+json")).map_err(|error| bad(&error.to_string()))?;
    let mut body = Incoming::new(body, Duration::from_millis(app.config.limits.body_read_ms));
    let mut text = Vec::new();
    while let Some(bytes) = body.next().await? {
        text.extend_from_slice(&bytes);
        if text.len() > LARGEST {
            return Err(Refusal::TooLarge(format!("a workitem has at most {LARGEST} bytes")));
        }
    }
    if text.is_empty() {
        return Ok(Attributes::new());
    }
    match content.media() {
        "application/dicom+json" | "application/json" => json::parse(&text).map_err(|error| bad(&error.to_string())),
        "application/dicom+xml" => xml::parse(&text).map_err(|error| bad(&error.to_string())),
        _ => Err(Refusal::UnsupportedMedia("the Content-Type must be application/dicom+json or application/dicom+xml")),
    }
}

/// The UID that the creator wants: in the URL, or in the data set; else a new one.
fn named(ask: &Asked, given: &Attributes) -> Result<Uid, Refusal> {
    let asked = parameter(ask, &["workitem", "AffectedSOPInstanceUID"]).map(str::to_owned);
    let [own, affected] = [tags::SOP_INSTANCE_UID, tags::AFFECTED_SOP_INSTANCE_UID].map(|tag: Tag| given.text(tag));
    one_uid([asked, own, affected], "SOPInstanceUID")?.map_or_else(fresh, Ok)
}

/// The UID that is said, however often.
fn one_uid<const WAYS: usize>(said: [Option<String>; WAYS], what: &str) -> Result<Option<Uid>, Refusal> {
    let mut uids = said.into_iter().flatten().map(|text| Uid::parse(&text));
    let Some(first) = uids.next().transpose().map_err(|error| bad(&format!("{what} is no UID: {error}")))? else {
        return Ok(None);
    };
    if uids.any(|uid| uid.as_ref() != Ok(&first)) {
        return Err(bad(&format!("the URL and the data set say different values of {what}")));
    }
    Ok(Some(first))
}

/// A parameter by one of its names; or one that is a UID itself (`?1.2.3`), as some clients read the templates of the standard.
fn parameter<'a>(ask: &'a Asked, names: &[&str]) -> Option<&'a str> {
    let by_name = names.iter().find_map(|name| ask.parameters.get(name));
    by_name.or_else(|| {
        let bare = |(name, value): &(&str, &str)| value.is_empty() && Uid::parse(name).is_ok();
        ask.parameters.iter().find(bare).map(|(name, _)| name)
    })
}

/// A UID that nobody has (PS3.5 §B.2).
fn fresh() -> Result<Uid, Refusal> {
    Uid::parse(&format!("2.25.{}", Uuid::new_v4().as_u128())).map_err(|_| Refusal::Internal)
}

fn told(status: StatusCode, changed: Result<Transition, Fault>, root: &str) -> Response {
    match changed {
        Err(fault) => refused(&fault, root),
        Ok(transition) => {
            let mut response = status.into_response();
            if let Some(warning) = transition.warning() {
                warned(&mut response, root, warning);
            }
            response
        }
    }
}

/// A fault with its text in the header that the standard names, and in the body for people (§11.7.3, §11.8.3).
fn refused(fault: &Fault, root: &str) -> Response {
    let status = match fault {
        Fault::Flaws(_) | Fault::NotScheduled | Fault::TransactionMissing | Fault::TransactionIncorrect => {
            StatusCode::BAD_REQUEST
        }
        Fault::TooMuch => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::CONFLICT,
    };
    let text = fault.to_string();
    match fault {
        Fault::Unfinished(_) => said(status, &Fault::Final.to_string(), &text, root),
        _ => said(status, &text, "", root),
    }
}

fn conflict(text: &str) -> Response {
    (StatusCode::CONFLICT, format!("{text}\n")).into_response()
}

/// A status with the standard's words, and more for people behind them.
fn said(status: StatusCode, words: &str, more: &str, root: &str) -> Response {
    let body = if more.is_empty() { format!("{words}\n") } else { format!("{words} {more}\n") };
    let mut response = (status, body).into_response();
    warned(&mut response, root, words);
    response
}

fn bad(reason: &str) -> Refusal {
    Refusal::BadRequest(reason.to_owned())
}
