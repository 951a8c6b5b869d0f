//! The way `worklist`: the job stands on the worklist of its service (UPS-RS below `/vendors/{vendor}/dicom-web`), until somebody
//! there has taken it, stored the results and completed it.

use medvan_analysis::inputs::Inputs;
use medvan_imaging::ups::State;
use medvan_profiles::descriptor::images::WorklistWay;
use time::{Duration, OffsetDateTime};

use super::{WorkFault, objects};
use crate::{
    App,
    catalog::ImageMember,
    store::{Answer, Job},
};

/// Until when a job is on its worklist, or with whom took it; nothing where it was done.
///
/// # Errors
/// Its time is over, or it was canceled.
pub(super) async fn offered_until(
    app: &App,
    job: &Job,
    member: &ImageMember,
) -> Result<Option<OffsetDateTime>, WorkFault> {
    let (now, limits) = (app.clock.now(), &member.entry.limits);
    if job.images() > limits.images as usize {
        return Err(WorkFault::TooManyImages);
    }
    let time = Duration::seconds(limits.deadline_seconds.into());
    let until = job.offered_until.unwrap_or(now + time);
    let workitem = app.store.workitem(&job.hospital, &job.workitem()).await?;
    match workitem.map(|workitem| workitem.state()) {
        Some(State::Completed) => Ok(None),
        Some(State::Scheduled | State::InProgress) if now < until => {
            if job.offered_until.is_none() {
                app.store.tell_performers(job, now).await?;
            }
            Ok(Some(until))
        }
        Some(State::Scheduled) => Err(WorkFault::NotTaken),
        Some(State::InProgress) => Err(WorkFault::NotDone),
        Some(State::Canceled) | None => Err(WorkFault::Declined),
    }
}

/// What was stored for a job whose workitem is completed.
pub(super) async fn answer(app: &App, job: &Job, way: &WorklistWay, inputs: &Inputs) -> Result<Answer, WorkFault> {
    let answer = objects::answer(app, job, inputs, &way.expects).await;
    // The workitem is at its end: no other try brings other results.
    answer.map_err(|fault| match fault {
        WorkFault::Findings(reasons) => WorkFault::Results(reasons),
        fault => fault,
    })
}
