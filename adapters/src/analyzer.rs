//! [`Analyzer`]: the seam to a service that takes images and gives findings, however it talks.
//!
//! As with [`crate::Advisor`] nothing is believed here: the gateway has chosen and opened the images, and it checks what comes
//! back. Images are streams, opened one after the other while they are sent: nobody holds a series.

use std::{fmt, future::Future, io, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use medvan_imaging::Uid;
use uuid::Uuid;

use crate::{advisor::AdviseError, http::Bearer};

/// A service that can be given images. Held as `Arc<dyn Analyzer>`.
pub trait Analyzer: fmt::Debug + Send + Sync {
    /// Asks once. Dropping the future ends the call.
    fn analyze(&self, work: Work) -> Analyzing<'_>;
}

/// What [`Analyzer::analyze`] gives.
pub type Analyzing<'a> = Pin<Box<dyn Future<Output = Result<Analysis, AdviseError>> + Send + 'a>>;

/// The images of one job, for one service. Its `Debug` shows numbers only.
pub struct Work {
    /// The job: the same when it is tried again.
    pub job: Uuid,
    /// StudyInstanceUID.
    pub study: Uid,
    /// In the order in which the service gets them.
    pub images: Vec<Image>,
    /// To compare with; nothing is found in it.
    pub prior: Option<Prior>,
    /// The gateway's own token for this service.
    pub bearer: Option<Bearer>,
    /// Time for everything until the last byte of the answer.
    pub timeout: Duration,
}

/// Images of an earlier study of the same patient.
pub struct Prior {
    /// StudyInstanceUID.
    pub study: Uid,
    /// In the order in which the service gets them, after those of the study at hand.
    pub images: Vec<Image>,
}

/// One image that a service gets: an instance, or one frame of it as a picture.
pub struct Image {
    /// SeriesInstanceUID.
    pub series: Uid,
    /// SOPInstanceUID.
    pub instance: Uid,
    /// The frame, from 1, where it is one of several.
    pub frame: Option<u32>,
    /// Modality.
    pub modality: String,
    /// Rows of its pixels.
    pub rows: u32,
    /// Columns of its pixels.
    pub columns: u32,
    /// `application/dicom`, `image/png` or `image/jpeg`.
    pub media: &'static str,
    /// Its bytes, opened when they are first asked for.
    pub bytes: BoxStream<'static, io::Result<Bytes>>,
}

/// An answer that claims to be JSON and has the allowed size. Nothing else about it is known yet.
#[derive(Clone)]
pub struct Analysis {
    /// The body as it came.
    pub body: Bytes,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({}, {} images)", self.job, self.images.len())
    }
}

impl fmt::Debug for Prior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prior({} images)", self.images.len())
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} of {} x {})", self.media, self.columns, self.rows)
    }
}

impl fmt::Debug for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Analysis({} bytes)", self.body.len())
    }
}
