//! The worklist of a vendor: workitems of jobs that its services pull (UPS-RS, PS3.18 §11; IHE AI Workflow, Task Performer).

use axum::{body::Body, extract::State, response::Response};
use dicom_dictionary_std::tags;
use http::HeaderValue;
use medvan_adapters::dicomweb::JOB_TOKEN;
use medvan_imaging::{
    attributes::Attributes,
    query::{Level, Query},
    ups::{State as Step, Workitem},
};
use uuid::Uuid;

use super::{
    super::{
        refusal::Refusal,
        search::{Form, MOST, warned},
        workitems::{Changer, StateChange, state_changed, updated},
    },
    caller::VendorAsk,
};
use crate::{App, store::WorkitemNarrow, trust::JobToken, work::OpenJob};

/// Bytes of workitems that one search looks at.
const LOOKED_AT: usize = 16 << 20;
/// What a workitem has beside its references.
const FRAME: usize = 4 << 10;
/// What it costs to see by the index that a workitem does not match.
const LOOK: usize = 256;

/// `GET …/workitems` (§11.9): of all hospitals, the most urgent first.
pub(super) async fn search(State(app): State<App>, ask: VendorAsk) -> Result<Response, Refusal> {
    let form = Form::choose(&ask.acceptable)?;
    let (query, warnings) = Query::from_parameters(Level::Workitem, ask.parameters.iter())?;
    let (answers, is_all) = matching(&app, &ask, &query).await?;
    let mut response = form.response(&answers)?;
    for warning in warnings {
        warned(&mut response, &ask.root, &warning.to_string());
    }
    if !is_all && query.limit().is_none_or(|limit| limit > answers.len() as u64) {
        warned(&mut response, &ask.root, "There are additional results that can be requested");
    }
    Ok(ask.until_sent(response))
}

/// What matches, and whether that is all: an answer has bounds, in workitems and in bytes.
async fn matching(app: &App, ask: &VendorAsk, query: &Query) -> Result<(Vec<Attributes>, bool), Refusal> {
    let most = usize::try_from(query.limit().unwrap_or(MOST).min(MOST)).unwrap_or(usize::MAX);
    let (mut to_pass, mut looked_at, mut answers) = (query.offset(), 0, Vec::new());
    let (mut after, narrow) = ((0, Uuid::nil()), WorkitemNarrow::of(query));
    loop {
        let page = ask.worklist(app, &narrow, after).await?;
        let Some(last) = page.last() else { return Ok((answers, true)) };
        after = (last.priority, last.id);
        for open in page.into_iter().filter_map(|job| OpenJob::of(app, job)) {
            if answers.len() >= most || looked_at > LOOKED_AT {
                return Ok((answers, false));
            }
            looked_at += LOOK;
            let workitem = app.store.workitem_within(&open.job.hospital, &open.job.workitem(), &narrow).await?;
            let Some(workitem) = workitem else { continue };
            // The images are nearly all that a workitem of a job says.
            looked_at += FRAME + weight(&workitem);
            let seen = view(&workitem, &ask.root);
            if !query.matches(&seen) {
                continue;
            }
            if to_pass > 0 {
                to_pass -= 1;
            } else {
                answers.push(query.answer(&seen));
            }
        }
    }
}

/// Bytes of the references in a workitem, roughly.
fn weight(workitem: &Workitem) -> usize {
    const REFERENCE: usize = 200;
    let inputs = workitem.attributes().items(tags::INPUT_INFORMATION_SEQUENCE);
    inputs.iter().map(|item| item.items(tags::REFERENCED_SOP_SEQUENCE).len() * REFERENCE).sum()
}

/// `GET …/workitems/{workitem}` (§11.5)
pub(super) async fn retrieve(State(app): State<App>, ask: VendorAsk) -> Result<Response, Refusal> {
    let form = Form::choose(&ask.acceptable)?;
    let OpenJob { job, .. } = ask.job_of_workitem(&app).await?;
    let workitem = app.store.workitem(&job.hospital, &job.workitem()).await?.ok_or(Refusal::NotFound)?;
    let response = form.response(&[view(&workitem, &ask.root)])?;
    Ok(ask.until_sent(response))
}

/// `POST …/workitems/{workitem}[?transaction-uid={uid}]` (§11.6)
pub(super) async fn update(State(app): State<App>, ask: VendorAsk, body: Body) -> Result<Response, Refusal> {
    let OpenJob { job, .. } = ask.job_of_workitem(&app).await?;
    updated(&app, &Changer::Vendor(&job), &ask, body).await
}

/// `PUT …/workitems/{workitem}/state` (§11.7). Whoever has it under this Transaction UID is given the token for this job alone: also
/// one who did not hear the answer and asks again, whose change is refused.
pub(super) async fn change_state(State(app): State<App>, ask: VendorAsk, body: Body) -> Result<Response, Refusal> {
    let OpenJob { job, .. } = ask.job_of_workitem(&app).await?;
    let StateChange { mut response, transaction } = state_changed(&app, &Changer::Vendor(&job), &ask, body).await?;
    let workitem = app.store.workitem(&job.hospital, &job.workitem()).await?.ok_or(Refusal::NotFound)?;
    let is_holder = transaction.is_some() && workitem.transaction() == transaction.as_ref();
    if is_holder && workitem.state() == Step::InProgress {
        let token = HeaderValue::try_from(JobToken::of(&job).sealed(&app.secret)).map_err(|_| Refusal::Internal)?;
        response.headers_mut().insert(JOB_TOKEN, token);
    }
    Ok(response)
}

/// What a performer sees: where its images are, too (WADO-RS Retrieval Sequence, PS3.3 table 10-3b).
fn view(workitem: &Workitem, root: &str) -> Attributes {
    let mut view = workitem.view();
    let items = view.items(tags::INPUT_INFORMATION_SEQUENCE).to_vec();
    let located = items.into_iter().map(|mut item| {
        let [study, series] =
            [tags::STUDY_INSTANCE_UID, tags::SERIES_INSTANCE_UID].map(|tag| item.text(tag).unwrap_or_default());
        let mut place = Attributes::new();
        place.put_text(tags::RETRIEVE_URL, format!("{root}/studies/{study}/series/{series}"));
        item.remove(tags::DICOM_RETRIEVAL_SEQUENCE);
        item.put_items(tags::WADORS_RETRIEVAL_SEQUENCE, vec![place]);
        item
    });
    view.put_items(tags::INPUT_INFORMATION_SEQUENCE, located.collect());
    view
}
