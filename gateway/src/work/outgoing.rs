//! The images of a job on their way to the service: opened when it is their turn, drawn where it wants pictures.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use medvan_adapters::analyzer::Image;
use medvan_analysis::inputs::Inputs;
use medvan_pixels::{RenderParameters, Window, WindowFunction};
use medvan_profiles::descriptor::images::{PictureWindow, Sent};

use crate::{
    App,
    archive::Open,
    catalog::HospitalId,
    dicomweb,
    store::{FoundInstance, Place},
};

/// Bytes of a stored instance that are read at once.
const CHUNK: u64 = 1 << 20;

/// How images go out, and whether one of them could not be given.
pub(super) struct Outgoing {
    app: App,
    hospital: HospitalId,
    send: Sent,
    window: Option<PictureWindow>,
    /// An image of ours could not be read or drawn: that the request broke off is not the vendor's fault.
    spoiled: Arc<AtomicBool>,
}

impl Outgoing {
    pub(super) fn new(app: &App, hospital: &HospitalId, send: Sent, window: Option<PictureWindow>) -> Self {
        Self { app: app.clone(), hospital: hospital.clone(), send, window, spoiled: Arc::default() }
    }

    /// Whether an image could not be given.
    pub(super) fn is_spoiled(&self) -> bool {
        self.spoiled.load(Ordering::Relaxed)
    }

    /// The images as the service wants them.
    pub(super) fn all(&self, inputs: &Inputs, images: Vec<FoundInstance>) -> Vec<Image> {
        let known = inputs.images();
        let mut outgoing = Vec::new();
        for found in images {
            let Some((series, image)) = known.get(&found.uid) else { continue };
            let frames: Vec<Option<u32>> = match (self.send, image.frames) {
                (Sent::Dicom, _) | (_, 1) => vec![None],
                (_, frames) => (1..=frames).map(Some).collect(),
            };
            outgoing.extend(frames.into_iter().map(|frame| Image {
                series: series.uid.clone(),
                instance: found.uid.clone(),
                frame,
                modality: series.modality.clone(),
                rows: image.rows,
                columns: image.columns,
                media: self.media(),
                bytes: self.bytes(&found, frame.unwrap_or(1)),
            }));
        }
        outgoing
    }

    fn media(&self) -> &'static str {
        match self.send {
            Sent::Dicom => "application/dicom",
            Sent::Png => "image/png",
            Sent::Jpeg => "image/jpeg",
        }
    }

    fn bytes(&self, found: &FoundInstance, frame: u32) -> BoxStream<'static, io::Result<Bytes>> {
        let (app, hospital, spoiled) = (self.app.clone(), self.hospital.clone(), Arc::clone(&self.spoiled));
        let bytes = match self.send {
            Sent::Dicom => stored_bytes(&app, &hospital, found.place),
            Sent::Png | Sent::Jpeg => drawn(app, hospital, found.clone(), frame, self.media(), self.window),
        };
        bytes
            .inspect(move |piece| {
                if let Err(error) = piece {
                    tracing::warn!(%error, "an image of a job cannot be read or drawn");
                    spoiled.store(true, Ordering::Relaxed);
                }
            })
            .boxed()
    }
}

/// The stored bytes of an instance, piece after piece; it is opened when the first is asked for.
pub(crate) fn stored_bytes(app: &App, hospital: &HospitalId, place: Place) -> BoxStream<'static, io::Result<Bytes>> {
    let (archive, hospital) = (app.archive.clone(), hospital.clone());
    let open = async move { archive.open_place(&hospital, place).await.map_err(io::Error::other) };
    stream::once(open)
        .flat_map(|open| match open {
            Ok(open) => pieces(open).boxed(),
            Err(error) => stream::once(async move { Err(error) }).boxed(),
        })
        .boxed()
}

fn pieces(open: Open) -> impl stream::Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold((open, 0), |(open, at)| async move {
        let length = open.length().saturating_sub(at).min(CHUNK);
        if length == 0 {
            return None;
        }
        let piece = open.bytes(at, length).await;
        // An error is the end: the request is cut off.
        let next = if piece.is_ok() { at + length } else { open.length() };
        Some((piece, (open, next)))
    })
}

fn drawn(
    app: App,
    hospital: HospitalId,
    found: FoundInstance,
    frame: u32,
    media: &'static str,
    window: Option<PictureWindow>,
) -> BoxStream<'static, io::Result<Bytes>> {
    let draw = async move {
        let window = window.map(|PictureWindow { center, width }| Window {
            center,
            width,
            function: WindowFunction::Linear,
            explanation: None,
        });
        let parameters = RenderParameters { window, viewport: None };
        let picture = dicomweb::picture(&app, &hospital, found, frame, media, parameters).await;
        picture.map_err(|refusal| io::Error::other(refusal.to_string()))
    };
    stream::once(draw).boxed()
}
