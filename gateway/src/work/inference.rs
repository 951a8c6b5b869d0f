//! The way `inference`: pixels become tensors here, a bare model says what it makes of them, and that becomes findings.
//!
//! Images are decoded one after the other when their request is made: of a job there is never more than one request in memory.
//! Pixels are decoded by the decoder's workers, numbers are crunched on threads for that.

use std::{sync::Arc, time::Duration};

use medvan_adapters::{
    ErrorKind,
    inference::{Infer, Inferred, Model},
};
use medvan_analysis::{
    finding::{ImageName, Refused},
    inference::{Answer, Asked, Gatherer, Pixels, Request, Tensor, TensorBuilder, along_the_normal},
    inputs::{Inputs, Plane},
};
use medvan_imaging::Uid;
use medvan_pixels::{Scale, Values, Window, WindowFunction};
use medvan_profiles::descriptor::inference::{InferenceWay, Intensity, IntensitySource};

use super::{
    WorkFault,
    perform::{enrolled, told},
};
use crate::{
    App,
    call::tenant,
    catalog::ImageMember,
    dicomweb,
    store::{FoundInstance, Job},
};

/// A frame of an image that the model is given.
struct Frame {
    series: Uid,
    found: FoundInstance,
    /// From 1.
    number: u32,
    /// Where it is one of several.
    is_one_of_several: bool,
    plane: Option<Plane>,
}

/// A job's conversation with a model.
struct Asking<'a> {
    app: &'a App,
    job: &'a Job,
    member: &'a ImageMember,
    way: Arc<InferenceWay>,
    model: Model,
    timeout: Duration,
}

/// Asks the model about all images of a job; its findings as JSON, which nobody has checked yet.
pub(super) async fn ask(
    app: &App,
    job: &Job,
    member: &ImageMember,
    way: &InferenceWay,
    inputs: &Inputs,
    images: Vec<FoundInstance>,
) -> Result<Vec<u8>, WorkFault> {
    let frames = frames(inputs, images);
    let limits = &member.entry.limits;
    if frames.len() > limits.images as usize {
        return Err(WorkFault::TooManyImages);
    }
    let model = Model::new(app.vendors.clone(), member.url.as_str(), limits.answer_bytes as usize);
    let timeout = Duration::from_secs(limits.deadline_seconds.into());
    let asking = Asking { app, job, member, way: Arc::new(way.clone()), model, timeout };
    // The deadline is of the job, however many requests it takes.
    let done = tokio::time::timeout(timeout, asking.all(frames)).await;
    done.unwrap_or_else(|_| Err(WorkFault::Service(ErrorKind::Timeout.into())))
}

impl Asking<'_> {
    async fn all(&self, frames: Vec<Frame>) -> Result<Vec<u8>, WorkFault> {
        let mut gatherer = Gatherer::new(Arc::clone(&self.way));
        for request in requests(&self.way, frames) {
            let (asked, tensor) = self.tensor(request).await?;
            let answer = self.infer(tensor).await?;
            gatherer = computed(move || gathered(gatherer, &asked, &answer)).await??;
        }
        computed(move || {
            let findings = gatherer.finish().map_err(|refused| refusal(&refused))?;
            serde_json::to_vec(&findings).map_err(|error| WorkFault::Findings(error.to_string()))
        })
        .await?
    }

    /// Decodes the images of a request and puts them into its tensor.
    async fn tensor(&self, request: Vec<Frame>) -> Result<(Vec<Asked>, Tensor), WorkFault> {
        let mut builder = TensorBuilder::new(&self.way.input, request.len());
        let mut asked = Vec::with_capacity(request.len());
        for frame in request {
            let scale = scale(&self.way.input.intensity);
            let values = dicomweb::values(self.app, &self.job.hospital, frame.found.clone(), frame.number, scale).await;
            let values = values.map_err(|refusal| {
                tracing::warn!(reason = %refusal, job = %self.job.id, "an image of a job cannot be decoded");
                WorkFault::Unreadable
            })?;
            let (grown, fitted) = computed(move || {
                let fitted = builder.push(&pixels(values));
                (builder, fitted)
            })
            .await?;
            builder = grown;
            let image = ImageName { instance: frame.found.uid, frame: frame.is_one_of_several.then_some(frame.number) };
            asked.push(Asked { series: frame.series, image, fitted: fitted.ok_or(WorkFault::Unreadable)? });
        }
        Ok((asked, builder.finish()))
    }

    async fn infer(&self, tensor: Tensor) -> Result<Inferred, WorkFault> {
        // A contract that ended while the model worked: it is given nothing more.
        enrolled(self.app, self.job)?;
        let (way, id) = (Arc::clone(&self.way), self.job.id);
        let request = computed(move || Request::new(&way, id, &tensor)).await?;
        let request = request.map_err(|error| WorkFault::Request(error.to_string()))?;
        let tenant = tenant(&self.app.secret, &self.job.hospital, &self.member.name.vendor);
        let now = self.app.clock.now();
        let token = self.member.token.as_ref();
        let bearer = token.and_then(|to| self.app.keys.bearer(to, Some(&tenant), now).ok());
        let ask = Infer { body: request.body.into(), json_length: request.json_length, bearer, timeout: self.timeout };
        self.model.infer(ask).await.map_err(|error| match error.kind {
            // The server works and does not take what the descriptor declares: whoever wrote that can mend it.
            ErrorKind::Status(status @ (400 | 404 | 413 | 422)) => WorkFault::Findings(format!(
                "the model server refuses the request with status {status}; compare the model's name, version, inputs and \
                 outputs with the descriptor"
            )),
            _ => error.into(),
        })
    }
}

/// The frames of a job's images, in its order.
fn frames(inputs: &Inputs, images: Vec<FoundInstance>) -> Vec<Frame> {
    let known = inputs.images();
    let mut frames = Vec::new();
    for found in images {
        let Some((series, image)) = known.get(&found.uid) else { continue };
        frames.extend((1..=image.frames).map(|number| Frame {
            series: series.uid.clone(),
            found: found.clone(),
            number,
            is_one_of_several: image.frames > 1,
            plane: image.plane.clone(),
        }));
    }
    frames
}

/// The frames of each request: as many images as the model takes at once, or the slices of a series as they lie.
fn requests(way: &InferenceWay, frames: Vec<Frame>) -> Vec<Vec<Frame>> {
    let mut requests: Vec<Vec<Frame>> = Vec::new();
    for frame in frames {
        let has_place = |request: &&mut Vec<Frame>| {
            let is_same_series = request.last().is_some_and(|last| last.series == frame.series);
            if way.input.is_volume() { is_same_series } else { request.len() < way.batch as usize }
        };
        match requests.last_mut().filter(has_place) {
            Some(request) => request.push(frame),
            None => requests.push(vec![frame]),
        }
    }
    if way.input.is_volume() {
        requests = requests.into_iter().map(as_they_lie).collect();
    }
    requests
}

fn as_they_lie(slices: Vec<Frame>) -> Vec<Frame> {
    // The frames of one instance have one plane here: they stay as they are.
    let planes: Vec<Option<&Plane>> = slices.iter().map(|slice| slice.plane.as_ref()).collect();
    let order = along_the_normal(&planes);
    let mut slices: Vec<Option<Frame>> = slices.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| slices[at].take()).collect()
}

fn scale(intensity: &Intensity) -> Scale {
    match intensity.from {
        IntensitySource::Modality => Scale::Modality,
        IntensitySource::Shown => Scale::Shades(None),
        IntensitySource::Window => Scale::Shades(intensity.window.map(|window| Window {
            center: window.center,
            width: window.width,
            function: WindowFunction::LinearExact,
            explanation: None,
        })),
    }
}

fn pixels(values: Values) -> Pixels {
    Pixels { columns: values.columns, rows: values.rows, channels: values.channels, values: values.values }
}

fn gathered(mut gatherer: Gatherer, asked: &[Asked], inferred: &Inferred) -> Result<Gatherer, WorkFault> {
    let answer = Answer::read(&inferred.body, inferred.json_length).map_err(|refused| refusal(&refused))?;
    gatherer.take(asked, &answer).map_err(|refused| refusal(&refused))?;
    Ok(gatherer)
}

fn refusal(refused: &[Refused]) -> WorkFault {
    WorkFault::Findings(told(refused))
}

/// Computes where that holds up nobody.
async fn computed<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Result<T, WorkFault> {
    tokio::task::spawn_blocking(compute).await.map_err(|_| WorkFault::Findings("it cannot be read".to_owned()))
}
