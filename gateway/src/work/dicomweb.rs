//! The way `dicomweb`: the images are stored at the service, as in an archive, and its results are looked for there or come back by
//! themselves (STOW-RS to `/vendors/{vendor}/dicom-web`).

use std::{collections::HashSet, time::Duration};

use medvan_adapters::{
    ErrorKind,
    dicomweb::{Listed, Root},
    http::Bearer,
};
use medvan_analysis::{gate, inputs::Inputs};
use medvan_imaging::Uid;
use medvan_profiles::descriptor::images::{DicomwebWay, ResultModality, Returned, Sent};

use super::{WorkFault, objects, outgoing::Outgoing, priors::PriorImages};
use crate::{
    App,
    call::tenant,
    catalog::ImageMember,
    store::{Answer, EvidenceObject, FoundInstance, Job, Receipt, ReceivedBounds, ReceivedObject},
    trust::{JobToken, Recipient},
};

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
    let url = address(member.url.as_str(), job);
    let root = Root::new(app.vendors.clone(), &url, signer(app, job, member), timeout);
    let asking = Asking { app, job, way, member, root };
    // The deadline is of the job, however many requests it takes.
    let brought = tokio::time::timeout(timeout, asking.results(inputs, images, prior)).await;
    match brought {
        Ok(brought) => brought?,
        Err(_) if way.results == Returned::Store => return Err(objects::incomplete(app, job, &way.expects).await?),
        Err(_) => return Err(WorkFault::Service(ErrorKind::Timeout.into())),
    }
    objects::answer(app, job, inputs, &way.expects).await
}

impl Asking<'_> {
    /// Gives the images and waits until all results are here, kept as they came.
    async fn results(
        &self,
        inputs: &Inputs,
        images: Vec<FoundInstance>,
        prior: Option<PriorImages>,
    ) -> Result<(), WorkFault> {
        let sent: HashSet<Uid> = images.iter().map(|image| image.uid.clone()).collect();
        let by_itself = self.way.results == Returned::Store;
        if !by_itself || !objects::is_all_received(self.app, self.job, &self.way.expects).await? {
            let outgoing = Outgoing::new(self.app, &self.job.hospital, Sent::Dicom, None);
            if by_itself {
                self.app.store.forget_received(self.job).await?;
            }
            let token = by_itself.then(|| JobToken::of(self.job).sealed(&self.app.secret));
            // What it is compared with is there first. It comes without a token: results about it are nobody's.
            let prior = prior.map(|prior| (prior.study, outgoing.all(&prior.inputs, prior.images), None));
            let at_hand = (self.job.study.clone(), outgoing.all(inputs, images), token.as_deref());
            for (study, images, token) in prior.into_iter().chain([at_hand]) {
                let stored = self.root.store(&study, images, token).await;
                stored.map_err(|error| if outgoing.is_spoiled() { WorkFault::Unreadable } else { error.into() })?;
            }
        }
        if by_itself {
            objects::all_received(self.app, self.job, &self.way.expects).await
        } else {
            self.fetch(&sent).await
        }
    }

    /// Looks at the service's root until its results are all there, and fetches them.
    async fn fetch(&self, sent: &HashSet<Uid>) -> Result<(), WorkFault> {
        let delivered = self.app.store.delivered_before(self.job).await?;
        let known: HashSet<&Uid> = sent.iter().chain(delivered.iter().map(|object| &object.instance)).collect();
        let (mut pause, mut before) = (objects::FIRST_LOOK, Vec::new());
        let listed = loop {
            let is_new = |object: &Listed| is_result(object) && !known.contains(&object.instance);
            let listed = self.root.find(&self.job.study, may_be_result, is_new, gate::OBJECTS + 1).await?;
            if listed == before
                && objects::is_complete(&self.way.expects, listed.iter().map(|object| object.class.as_str()))
            {
                break listed;
            }
            before = listed;
            pause = objects::wait(self.app, self.job, pause).await?;
        };
        let bytes = u64::from(self.member.entry.limits.answer_bytes);
        let most = ReceivedBounds { objects: gate::OBJECTS + 1, bytes };
        self.app.store.forget_received(self.job).await?;
        for listed in listed {
            let file = self.root.fetch(&self.job.study, &listed, bytes as usize).await?;
            let Listed { series, instance, class } = listed;
            let reference = EvidenceObject { series, instance, class };
            let object = ReceivedObject { reference, bytes: file.into() };
            match self.app.store.receive(self.job, &object, most, self.app.clock.now()).await? {
                Receipt::Kept => {}
                Receipt::TooLate => return Err(WorkFault::Lost),
                Receipt::TooLarge | Receipt::TooMany => {
                    return Err(WorkFault::Service(ErrorKind::TooLarge.into()));
                }
            }
        }
        Ok(())
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

/// Signs the gateway's own token for the service's root, anew for each request.
fn signer(app: &App, job: &Job, member: &ImageMember) -> impl Fn() -> Option<Bearer> + Send + Sync + use<> {
    let recipient = member.token.clone().map(|token| Recipient { audience: address(&token.audience, job), ..token });
    let tenant = tenant(&app.secret, &job.hospital, &member.name.vendor);
    let app = app.clone();
    move || app.keys.bearer(recipient.as_ref()?, Some(&tenant), app.clock.now()).ok()
}
