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
    store::{JobSeries, Selection, StoreError},
    work::OpenJob,
};

/// `GET …/studies/{study}[/series/{series}[/instances/{instance}]]`: of what the path names those that the job is about.
pub(super) async fn retrieve(State(app): State<App>, ask: VendorAsk) -> Result<Response, Refusal> {
    let selection = ask.resource.selection()?;
    let (is_one, name) = (selection.instance.is_some(), retrieve::name(&selection));
    let jobs = ask.jobs(&app, &selection.study).await?;
    let (hospital, among) = inputs(&app, &jobs, &selection).await?.ok_or(Refusal::NotFound)?;
    let walk = Walk::begin_among(&app, &hospital, selection, Some(among)).await?;
    let answer = retrieve::give(walk, &name, is_one, &ask.acceptable).await?;
    Ok(ask.until_sent(answer))
}

/// The images of the jobs that the path may name, of their priors too, all of one hospital: two hospitals may have a study of the same UID, and then
/// nobody but who shows the token of a job can say which is meant.
async fn inputs(
    app: &App,
    jobs: &[OpenJob],
    selection: &Selection,
) -> Result<Option<(HospitalId, HashSet<Uid>)>, StoreError> {
    let named = |series: &&JobSeries| selection.series.as_ref().is_none_or(|uid| series.uid == *uid);
    let mut found: Option<(HospitalId, HashSet<Uid>)> = None;
    for open in jobs {
        let series = open.series_of(app, &selection.study).await?;
        if series.is_empty() {
            continue;
        }
        let (hospital, among) = found.get_or_insert_with(|| (open.job.hospital.clone(), HashSet::new()));
        if open.job.hospital != *hospital {
            return Ok(None);
        }
        among.extend(series.iter().filter(named).flat_map(|series| series.instances.iter().cloned()));
    }
    Ok(found)
}
