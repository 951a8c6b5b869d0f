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

/// Where a job of a worklist stands.
pub(super) enum Pulled {
    /// It is there until then.
    Offered(OffsetDateTime),
    /// It was done.
    Answered(Answer),
}

/// Puts a job on the worklist, or takes from it what was done.
pub(super) async fn pull(
    app: &App,
    job: &Job,
    member: &ImageMember,
    way: &WorklistWay,
    inputs: &Inputs,
) -> Result<Pulled, WorkFault> {
    let (now, limits) = (app.clock.now(), &member.entry.limits);
    if job.images() > limits.images as usize {
        return Err(WorkFault::TooManyImages);
    }
    let time = Duration::seconds(limits.deadline_seconds.into());
    let until = job.offered_until.unwrap_or(now + time);
    let workitem = app.store.workitem(&job.hospital, &job.workitem()).await?;
    match workitem.map(|workitem| workitem.state()) {
        Some(State::Completed) => {
            let files = app.store.received(job.id).await?.into_iter().map(|object| object.bytes).collect();
            let answer = objects::answer(app, job, inputs, &way.expects, files).await;
            // The workitem is at its end: no other try brings other results.
            let answer = answer.map_err(|fault| match fault {
                WorkFault::Findings(reasons) => WorkFault::Results(reasons),
                fault => fault,
            });
            answer.map(Pulled::Answered)
        }
        Some(State::Scheduled | State::InProgress) if now < until => Ok(Pulled::Offered(until)),
        Some(State::Scheduled) => Err(WorkFault::NotTaken),
        Some(State::InProgress) => Err(WorkFault::NotDone),
        Some(State::Canceled) | None => Err(WorkFault::Declined),
    }
}
