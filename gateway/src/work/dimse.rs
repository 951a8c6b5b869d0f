//! The way `dimse`: the images are sent to the service's application entity (C-STORE), and its results come back to the hospital's
//! (C-STORE), where they are known by their study and by who calls.

use std::time::Duration;

use medvan_adapters::ErrorKind;
use medvan_analysis::inputs::Inputs;
use medvan_profiles::descriptor::images::DimseWay;

use super::{
    WorkFault, objects,
    priors::PriorImages,
    returned::{OpenJob, turn_of},
};
use crate::{
    App,
    catalog::ImageMember,
    dimse::{CallFault, SendFault, ServiceFault, send_to_service, service_node},
    store::{Answer, FoundInstance, Job},
};

/// Sends all images of a job, those of its prior before them, and waits for what is made of them.
pub(super) async fn ask(
    app: &App,
    job: &Job,
    member: &ImageMember,
    way: &DimseWay,
    inputs: &Inputs,
    (images, prior): (Vec<FoundInstance>, Option<PriorImages>),
) -> Result<Answer, WorkFault> {
    let prior = prior.map_or_else(Vec::new, |prior| prior.images);
    if images.len() + prior.len() > member.entry.limits.images as usize {
        return Err(WorkFault::TooManyImages);
    }
    // Whoever is before it has a time of its own: its own begins when it is sent something.
    turn(app, job, way).await?;
    let timeout = Duration::from_secs(member.entry.limits.deadline_seconds.into());
    match tokio::time::timeout(timeout, results(app, job, way, [&prior, &images])).await {
        Ok(brought) => brought?,
        Err(_) => return Err(objects::incomplete(app, job, &way.expects).await?),
    }
    objects::answer(app, job, inputs, &way.expects).await
}

/// `sent` are the images of a prior, and those of the study at hand behind them.
async fn results(app: &App, job: &Job, way: &DimseWay, sent: [&[FoundInstance]; 2]) -> Result<(), WorkFault> {
    if !objects::is_all_received(app, job, &way.expects).await? {
        app.store.forget_received(job).await?;
        let node = service_node(way).ok_or(WorkFault::Service(ErrorKind::Refused.into()))?;
        for images in sent {
            send_to_service(app, &job.hospital, &node, images).await.map_err(|error| fault(&error))?;
        }
    }
    objects::all_received(app, job, &way.expects).await
}

/// Waits until no job that was begun before this one is with the same application entity about the same study: a result names its
/// study, and not its job.
async fn turn(app: &App, job: &Job, way: &DimseWay) -> Result<(), WorkFault> {
    let mut pause = objects::FIRST_LOOK;
    loop {
        let others = app.store.jobs_at_vendor(&job.service.vendor, &job.study).await?;
        let mut open = others.into_iter().filter_map(|other| OpenJob::of(app, other));
        let is_before = |other: &OpenJob| other.is_with(&job.hospital, &way.ae_title) && other.turn() < turn_of(job);
        if !open.any(|other| is_before(&other)) {
            return Ok(());
        }
        pause = objects::wait(app, job, pause).await?;
    }
}

/// Not in the peer's own words: they may name a patient.
fn fault(fault: &ServiceFault) -> WorkFault {
    let kind = match fault {
        ServiceFault::Send(SendFault::Read(_)) => return WorkFault::Unreadable,
        ServiceFault::Call(CallFault::NoPort | CallFault::NotAllowed | CallFault::NoAuthorities) => ErrorKind::Refused,
        ServiceFault::Call(CallFault::NothingAccepted)
        | ServiceFault::Send(SendFault::NoContext(_))
        | ServiceFault::Refused(_) => ErrorKind::NotStored,
        ServiceFault::Call(_) | ServiceFault::Send(SendFault::Ended(_)) => ErrorKind::Unreachable,
    };
    WorkFault::Service(kind.into())
}
