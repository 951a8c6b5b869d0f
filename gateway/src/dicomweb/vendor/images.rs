//! The images of a job, for the service that does it (WADO-RS, PS3.18 §10.4).

use std::collections::HashSet;

use axum::{extract::State, response::Response};
use medvan_imaging::Uid;

use super::{
    super::{refusal::Refusal, retrieve, walk::Walk},
    caller::VendorAsk,
};
use crate::{
    App,
    catalog::HospitalId,
    store::{JobSeries, Selection},
    work::OpenJob,
};

/// `GET …/studies/{study}[/series/{series}[/instances/{instance}]]`: of what the path names those that the job is about.
pub(super) async fn retrieve(State(app): State<App>, ask: VendorAsk) -> Result<Response, Refusal> {
    let selection = ask.resource.selection()?;
    let (is_one, name) = (selection.instance.is_some(), retrieve::name(&selection));
    let (hospital, among) = inputs(&ask.jobs(&app).await?, &selection).ok_or(Refusal::NotFound)?;
    let walk = Walk::begin_among(&app, &hospital, selection, Some(among)).await?;
    retrieve::give(walk, &name, is_one, &ask.acceptable).await
}

/// The images of the jobs that the path may name, all of one hospital: two hospitals may have a study of the same UID, and then
/// nobody but who shows the token of a job can say which is meant.
fn inputs(jobs: &[OpenJob], selection: &Selection) -> Option<(HospitalId, HashSet<Uid>)> {
    let named = |series: &&JobSeries| selection.series.as_ref().is_none_or(|uid| series.uid == *uid);
    let mut at_work = jobs.iter().filter(|open| open.is_at_work(&selection.study)).map(|open| &open.job).peekable();
    let hospital = at_work.peek()?.hospital.clone();
    let mut among = HashSet::new();
    for job in at_work {
        if job.hospital != hospital {
            return None;
        }
        among.extend(job.inputs.iter().filter(named).flat_map(|series| series.instances.iter().cloned()));
    }
    Some((hospital, among))
}
