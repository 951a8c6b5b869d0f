//! [`Decoder`]: frames decoded and drawn, each request in a process of its own (`medvan decode-worker`).
//!
//! Pixels are strangers' bytes in other people's codecs, some of them translated from C. Such a codec may take all memory, never end, or
//! crash in a way that no `catch_unwind` sees. So it runs in a short-lived child process of this same program: without files, with a limit
//! on memory and processor time, watched by the clock, killed when nobody waits for it any more. Nothing of a patient is in its arguments,
//! its environment or any log; pixels go through pipes only.
//!
//! The server itself never decodes a pixel, and storing and forwarding never ask for it.

pub(crate) mod protocol;
mod worker;

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream::BoxStream};
use medvan_pixels::{Fault, FrameFormat, ImageDescription, Limits, RenderError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{call::Shares, catalog::HospitalId};
pub use protocol::What;
use protocol::{Answer, Head};
use worker::Worker;

/// How much the decoding of a request may take.
#[derive(Debug, Clone, Copy)]
pub struct DecoderLimits {
    /// Of each frame.
    pub frame: Limits,
    /// Address space of a worker in bytes, besides the encoded frame that it holds.
    pub memory: u64,
    /// Processor time of a frame; a worker gets as many times it as it has frames.
    pub processor: Duration,
    /// Longest wait for the next frame.
    pub answer: Duration,
    /// Longest wait for a worker while all others are busy.
    pub patience: Duration,
    /// Workers at a time.
    pub workers: usize,
    /// Of these, of one hospital.
    pub workers_of_hospital: usize,
}

impl Default for DecoderLimits {
    /// A hospital may have a worker for each core; there is one more, so that the next hospital does not wait for it.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            frame: Limits::default(),
            memory: 1 << 30,
            processor: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            patience: Duration::from_secs(10),
            workers: cores + 1,
            workers_of_hospital: cores,
        }
    }
}

/// Starts workers. Cheap to clone; clones share the number of workers.
#[derive(Debug, Clone)]
pub struct Decoder {
    program: Arc<PathBuf>,
    limits: DecoderLimits,
    workers: Arc<Semaphore>,
    shares: Arc<Shares>,
}

/// A frame as it stands in an object: see [`medvan_pixels::EncodedFrame`].
#[derive(Debug, Clone, Default)]
pub struct FrameSource {
    /// Its fragments in order; uncompressed: the bytes in which it lies.
    pub fragments: Vec<Bytes>,
    /// The bit at which it begins.
    pub first_bit: u8,
}

impl From<Bytes> for FrameSource {
    fn from(bytes: Bytes) -> Self {
        Self { fragments: vec![bytes], first_bit: 0 }
    }
}

/// A frame that came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedFrame {
    /// What it is.
    pub form: Form,
    /// Samples, PNG, JPEG or numbers.
    pub bytes: Bytes,
}

/// What a decoded frame is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Samples in this form; a transcoded object has to state it.
    Native(FrameFormat),
    /// A picture of this size in pixels.
    Picture {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Floating point of 32 bits in little endian, row after row, the channels of a pixel together.
    Values {
        /// Pixels in a row.
        columns: u32,
        /// Rows.
        rows: u32,
        /// Numbers of a pixel.
        channels: u32,
    },
}

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum DecoderError {
    /// This frame cannot be decoded or drawn; the ones after it may be.
    #[error(transparent)]
    Refused(#[from] RenderError),
    /// All workers were busy for too long.
    #[error("all decoders are busy")]
    Busy,
    /// It took too long, by the clock or by processor time.
    #[error("decoding took too long")]
    TimedOut,
    /// It took more memory than allowed, or the codec gave up as if it had.
    #[error("decoding took too much memory")]
    OutOfMemory,
    /// The codec crashed.
    #[error("the decoder crashed")]
    Crashed,
    /// The encoded frames could not be read.
    #[error("the frames cannot be read")]
    Source(#[source] io::Error),
    /// The worker could not be started or understood.
    #[error("the decoder cannot be used")]
    Worker(#[source] io::Error),
}

impl DecoderError {
    /// Whose fault it is. Of pixels that kill their decoder it is said that they are broken.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Refused(error) => error.fault(),
            Self::Crashed => Fault::Object,
            Self::Busy | Self::TimedOut | Self::OutOfMemory | Self::Source(_) | Self::Worker(_) => Fault::Ours,
        }
    }

    /// Whether the same request may do better later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy | Self::Source(_) | Self::Worker(_))
    }
}

impl Decoder {
    /// A decoder whose workers are this program, which is the running one outside of tests.
    pub fn new(program: PathBuf, limits: DecoderLimits) -> Self {
        let workers = Arc::new(Semaphore::new(limits.workers.max(1)));
        let shares = Arc::new(Shares::of(limits.workers_of_hospital.max(1)));
        Self { program: Arc::new(program), limits, workers, shares }
    }

    /// Decodes frames of one object of a hospital. `count` is how many `frames` has at most; they are read when the worker is ready for them.
    ///
    /// # Errors
    /// No worker was free in time, or none could be started.
    pub async fn frames(
        &self,
        hospital: &HospitalId,
        image: ImageDescription,
        what: What,
        count: u32,
        frames: impl Stream<Item = io::Result<FrameSource>> + Send + 'static,
    ) -> Result<Frames, DecoderError> {
        let place = self.place(hospital).await?;
        let head = Head { image, what, limits: self.limits.frame };
        let worker = Worker::start(&self.program, &self.limits, &head, count, frames.take(count as usize).boxed());
        let worker = worker.map_err(DecoderError::Worker)?;
        Ok(Frames { worker: Some(worker), left: count, longest_wait: self.limits.answer, _place: place })
    }

    /// Decodes one frame.
    ///
    /// # Errors
    /// There is no frame.
    pub async fn frame(
        &self,
        hospital: &HospitalId,
        image: ImageDescription,
        what: What,
        frame: FrameSource,
    ) -> Result<DecodedFrame, DecoderError> {
        let one = futures_util::stream::iter([Ok(frame)]);
        self.frames(hospital, image, what, 1, one).await?.next().await.unwrap_or(Err(DecoderError::Crashed))
    }

    async fn place(&self, hospital: &HospitalId) -> Result<[OwnedSemaphorePermit; 2], DecoderError> {
        let place = async {
            let own = self.shares.wait(hospital).await?;
            // The semaphore is never closed.
            Some([own, Arc::clone(&self.workers).acquire_owned().await.ok()?])
        };
        tokio::time::timeout(self.limits.patience, place).await.ok().flatten().ok_or(DecoderError::Busy)
    }
}

/// Frames on their way. Dropped, it kills the worker and makes place for another one.
#[derive(Debug)]
pub struct Frames {
    worker: Option<Worker>,
    left: u32,
    longest_wait: Duration,
    _place: [OwnedSemaphorePermit; 2],
}

impl Frames {
    /// The next frame. After an error that is not [`DecoderError::Refused`] there is none.
    pub async fn next(&mut self) -> Option<Result<DecodedFrame, DecoderError>> {
        let worker = self.worker.as_mut().filter(|_| self.left > 0)?;
        self.left -= 1;
        let answer = tokio::time::timeout(self.longest_wait, worker.answer()).await;
        match answer.unwrap_or(Err(DecoderError::TimedOut)) {
            Ok(None) => {
                self.worker = None;
                None
            }
            Ok(Some((Answer::Native(format), bytes))) => Some(Ok(DecodedFrame { form: Form::Native(format), bytes })),
            Ok(Some((Answer::Picture { width, height }, bytes))) => {
                Some(Ok(DecodedFrame { form: Form::Picture { width, height }, bytes }))
            }
            Ok(Some((Answer::Values { columns, rows, channels }, bytes))) => {
                Some(Ok(DecodedFrame { form: Form::Values { columns, rows, channels }, bytes }))
            }
            Ok(Some((Answer::Refused(error), _))) => Some(Err(error.into())),
            Err(error) => {
                self.worker = None;
                Some(Err(error))
            }
        }
    }

    /// The frames as a stream, for the body of a response.
    pub fn into_stream(self) -> BoxStream<'static, Result<DecodedFrame, DecoderError>> {
        futures_util::stream::unfold(self, |mut frames| async { frames.next().await.map(|frame| (frame, frames)) })
            .boxed()
    }
}
