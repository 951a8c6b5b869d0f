//! The way `dicomweb`: the images are stored at the service, as in an archive, and its results are looked for there or come back by
//! themselves (STOW-RS to `/vendors/{vendor}/dicom-web`).
//!
//! No protocol says when a service is done. An answer is complete when there is one result of each modality that the descriptor
//! expects, and nothing new came between two looks.

use std::{collections::HashSet, time::Duration};

use medvan_adapters::{
    ErrorKind,
    dicomweb::{Listed, Root},
    http::Bearer,
};
use medvan_analysis::{gate, inputs::Inputs};
use medvan_imaging::Uid;
use medvan_profiles::descriptor::images::{DicomwebWay, ResultModality, Returned, Sent};

use super::{WorkFault, objects, outgoing::Outgoing, perform::enrolled, priors::PriorImages};
use crate::{
    App,
    call::tenant,
    catalog::ImageMember,
    store::{Answer, FoundInstance, Job},
    trust::job_token,
};

/// The first pause between two looks; it grows, because what takes long may take longer.
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// The longest one.
const LAST_LOOK: Duration = Duration::from_secs(5);
/// Between the last result and the answer: a service may store each by a request of its own.
const QUIET: time::Duration = time::Duration::seconds(1);

/// A job's conversation with a service.
struct Asking<'a> {
    app: &'a App,
    job: &'a Job,
    way: &'a DicomwebWay,
    member: &'a ImageMember,
    root: Root,
}

/// Gives all images of a job, those of its prior before them, and waits for what is made of them.
pub(super) async fn ask(
    app: &App,
    job: &Job,
    member: &ImageMember,
    way: &DicomwebWay,
    inputs: &Inputs,
    (images, prior): (Vec<FoundInstance>, Option<PriorImages>),
) -> Result<Answer, WorkFault> {
    let of_prior = prior.as_ref().map_or(0, |prior| prior.images.len());
    if images.len() + of_prior > member.entry.limits.images as usize {
        return Err(WorkFault::TooManyImages);
    }
    let timeout = Duration::from_secs(member.entry.limits.deadline_seconds.into());
    let root = Root::new(app.vendors.clone(), &address(member.url.as_str(), job), bearer(app, job, member), timeout);
    let asking = Asking { app, job, way, member, root };
    // The deadline is of the job, however many requests it takes.
    let files = tokio::time::timeout(timeout, asking.files(inputs, images, prior)).await;
    let files = files.unwrap_or_else(|_| Err(WorkFault::Service(ErrorKind::Timeout.into())))?;
    let answer = objects::answer(app, job, inputs, &way.expects, files).await;
    if matches!(answer, Err(WorkFault::Findings(_))) {
        // What was refused must not be taken for the answer to the next try.
        app.store.forget_received(job.id).await?;
    }
    answer
}

impl Asking<'_> {
    async fn files(
        &self,
        inputs: &Inputs,
        images: Vec<FoundInstance>,
        prior: Option<PriorImages>,
    ) -> Result<Vec<Vec<u8>>, WorkFault> {
        let sent: HashSet<Uid> = images.iter().map(|image| image.uid.clone()).collect();
        let by_itself = self.way.results == Returned::Store;
        // A process that died meanwhile has lost nothing of what came: then nothing is sent again.
        if !by_itself || !self.is_all_received().await? {
            let outgoing = Outgoing::new(self.app, &self.job.hospital, Sent::Dicom, None);
            let token = by_itself.then(|| job_token(&self.app.secret, self.job.run));
            // What it is compared with is there first. It comes without a token: results about it are nobody's.
            let prior = prior.map(|prior| (prior.study, outgoing.all(&prior.inputs, prior.images), None));
            let at_hand = (self.job.study.clone(), outgoing.all(inputs, images), token.as_deref());
            for (study, images, token) in prior.into_iter().chain([at_hand]) {
                let stored = self.root.store(&study, images, token).await;
                stored.map_err(|error| if outgoing.is_spoiled() { WorkFault::Unreadable } else { error.into() })?;
            }
        }
        if by_itself { self.received().await } else { self.fetched(&sent).await }
    }

    /// Waits until the service has stored its results here.
    async fn received(&self) -> Result<Vec<Vec<u8>>, WorkFault> {
        let mut pause = FIRST_LOOK;
        while !self.is_all_received().await? {
            pause = self.wait(pause).await?;
        }
        Ok(self.app.store.received(self.job.id).await?.into_iter().map(|object| object.bytes).collect())
    }

    async fn is_all_received(&self) -> Result<bool, WorkFault> {
        let notes = self.app.store.received_notes(self.job.id).await?;
        let is_quiet = notes.iter().all(|note| self.app.clock.now() - note.at >= QUIET);
        Ok(is_quiet && objects::is_complete(&self.way.expects, notes.iter().map(|note| note.class.as_str())))
    }

    /// Looks at the service's root until its results are all there, and fetches them.
    async fn fetched(&self, sent: &HashSet<Uid>) -> Result<Vec<Vec<u8>>, WorkFault> {
        let delivered = self.app.store.delivered_before(self.job).await?;
        let known: HashSet<&Uid> = sent.iter().chain(delivered.iter().map(|object| &object.instance)).collect();
        let (mut pause, mut before) = (FIRST_LOOK, Vec::new());
        let listed = loop {
            let mut listed = self.root.find(&self.job.study, may_be_result).await?;
            listed.retain(|object| is_result(object) && !known.contains(&object.instance));
            listed.truncate(gate::OBJECTS + 1);
            if listed == before
                && objects::is_complete(&self.way.expects, listed.iter().map(|object| object.class.as_str()))
            {
                break listed;
            }
            before = listed;
            pause = self.wait(pause).await?;
        };
        let mut room = self.member.entry.limits.answer_bytes as usize;
        let mut files = Vec::with_capacity(listed.len());
        for object in &listed {
            let file = self.root.fetch(&self.job.study, object, room).await?;
            room -= file.len().min(room);
            files.push(file.to_vec());
        }
        Ok(files)
    }

    /// Waits for the next look: how long to wait after that.
    async fn wait(&self, pause: Duration) -> Result<Duration, WorkFault> {
        tokio::time::sleep(pause).await;
        // A contract that ended while the service worked: its results are nobody's.
        enrolled(self.app, self.job)?;
        Ok((pause * 3 / 2).min(LAST_LOOK))
    }
}

/// Series that are no images.
fn may_be_result(modality: &str) -> bool {
    const RESULTS: [ResultModality; 5] =
        [ResultModality::Sr, ResultModality::Seg, ResultModality::Pr, ResultModality::Ot, ResultModality::Doc];
    RESULTS.iter().any(|result| result.word() == modality) || modality == "SC"
}

fn is_result(object: &Listed) -> bool {
    ResultModality::of_class(object.class.as_str()).is_some()
}

/// A segment `{job}` of the path, which stands in the URL percent-encoded, is the id of the run.
fn address(url: &str, job: &Job) -> String {
    url.replace("%7Bjob%7D", &job.run.to_string())
}

fn bearer(app: &App, job: &Job, member: &ImageMember) -> Option<Bearer> {
    let mut recipient = member.token.clone()?;
    recipient.audience = address(&recipient.audience, job);
    let tenant = tenant(&app.secret, &job.hospital, &member.name.vendor);
    app.keys.bearer(&recipient, Some(&tenant), app.clock.now()).ok()
}
