//! The worklist of a vendor: workitems of jobs that its services pull (UPS-RS, PS3.18 §11; IHE AI Workflow, Task Performer).

use axum::{body::Body, extract::State, response::Response};
use dicom_dictionary_std::tags;
use http::{HeaderValue, StatusCode};
use medvan_adapters::dicomweb::JOB_TOKEN;
use medvan_imaging::{
    attributes::Attributes,
    query::{Level, Query},
    ups::{State as Step, Workitem},
};

use super::{
    super::{
        refusal::Refusal,
        search::{Form, MOST, warned},
        workitems::{state_changed, updated},
    },
    caller::VendorAsk,
};
use crate::{App, trust::job_token, work::OpenJob};

/// `GET …/workitems` (§11.9): of all hospitals, the most urgent first.
pub(super) async fn search(State(app): State<App>, ask: VendorAsk) -> Result<Response, Refusal> {
    let form = Form::choose(&ask.acceptable)?;
    let (query, warnings) = Query::from_parameters(Level::Workitem, ask.parameters.iter())?;
    let most = usize::try_from(query.limit().unwrap_or(MOST).min(MOST)).unwrap_or(usize::MAX);
    let (mut to_pass, mut answers) = (query.offset(), Vec::new());
    for open in ask.jobs(&app).await?.iter().filter(|open| open.is_on_worklist()) {
        if answers.len() >= most {
            break;
        }
        let Some(workitem) = app.store.workitem(&open.job.hospital, &open.job.workitem()).await? else { continue };
        let seen = view(&workitem, &ask.root);
        if query.matches(&seen) {
            if to_pass > 0 {
                to_pass -= 1;
            } else {
                answers.push(query.answer(&seen));
            }
        }
    }
    let mut response = form.response(&answers)?;
    for warning in warnings {
        warned(&mut response, &ask.root, &warning.to_string());
    }
    Ok(response)
}

/// `GET …/workitems/{workitem}` (§11.5)
pub(super) async fn retrieve(State(app): State<App>, ask: VendorAsk) -> Result<Response, Refusal> {
    let form = Form::choose(&ask.acceptable)?;
    let OpenJob { job, .. } = ask.job_of_workitem(&app).await?;
    let workitem = app.store.workitem(&job.hospital, &job.workitem()).await?.ok_or(Refusal::NotFound)?;
    form.response(&[view(&workitem, &ask.root)])
}

/// `POST …/workitems/{workitem}[?transaction-uid={uid}]` (§11.6)
pub(super) async fn update(State(app): State<App>, ask: VendorAsk, body: Body) -> Result<Response, Refusal> {
    let OpenJob { job, .. } = ask.job_of_workitem(&app).await?;
    updated(&app, &job.hospital, &ask, body).await
}

/// `PUT …/workitems/{workitem}/state` (§11.7). Whoever takes it is given the token for this job alone.
pub(super) async fn change_state(State(app): State<App>, ask: VendorAsk, body: Body) -> Result<Response, Refusal> {
    let OpenJob { job, .. } = ask.job_of_workitem(&app).await?;
    let mut response = state_changed(&app, &job.hospital, &ask, body).await?;
    if response.status() == StatusCode::OK
        && let Some(workitem) = app.store.workitem(&job.hospital, &job.workitem()).await?
        && workitem.state() == Step::InProgress
    {
        let token = HeaderValue::try_from(job_token(&app.secret, job.run)).map_err(|_| Refusal::Internal)?;
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
        item.put_items(tags::WADORS_RETRIEVAL_SEQUENCE, vec![place]);
        item
    });
    view.put_items(tags::INPUT_INFORMATION_SEQUENCE, located.collect());
    view
}
