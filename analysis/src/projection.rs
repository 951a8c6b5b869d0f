//! Places in the patient as they show in images: which image planes they lie on or cross, and in which pixels.
//!
//! An image shows what lies within half its slice of its plane (PS3.3 section C.7.6.2.1.1). A point within that is a point of the
//! image, the part of a line within that is a line of it; what lies farther away, or beside the image, is not in it. Whatever is
//! told says how far from the plane it may be, so that nobody takes it for a place in the plane.

mod slab;
#[cfg(test)]
mod tests;

use medvan_imaging::Uid;
use serde::Serialize;

use self::slab::Slab;
use crate::{
    finding::{Findings, Place},
    inputs::Inputs,
};

/// Traces, and points of all traces, that are told.
const TRACES: usize = 20_000;
const POINTS: usize = 200_000;
/// Points that are looked at, each counted once for every image.
const LOOKED_AT: usize = 20_000_000;

/// A finding's place in the patient, in all images that show something of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Projection {
    /// The finding, counted from 0.
    pub finding: usize,
    /// In the order of the images that were given; none where the place is in no image.
    pub images: Vec<Trace>,
}

/// What one image shows of a place in the patient.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// SeriesInstanceUID.
    pub series: Uid,
    /// SOPInstanceUID.
    pub instance: Uid,
    /// Lines through columns and rows as in [`Place::Polyline`]; of one point where the place is one or goes straight through.
    pub lines: Vec<Vec<[f64; 2]>>,
    /// Millimetres by which what is shown lies off the plane at most; none where it lies in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
}

/// Finds places in images. What is too much is left out as a whole: half a line would look like a short one.
#[derive(Debug)]
pub struct Projector {
    slabs: Vec<Slab>,
    traces: usize,
    points: usize,
    looked_at: usize,
    omitted: usize,
}

impl Projector {
    /// For all images of these that say where in the patient they lie.
    pub fn new(images: &Inputs) -> Self {
        Self { slabs: slab::all(images), traces: 0, points: 0, looked_at: 0, omitted: 0 }
    }

    /// The places in the patient of everything that was found to be there.
    pub fn project(&mut self, findings: &Findings) -> Vec<Projection> {
        let present = findings.findings.iter().enumerate().filter(|(_, finding)| finding.presence.is_present());
        let placed = present.filter_map(|(at, finding)| Some((at, patient_points(finding.place.as_ref()?)?)));
        placed
            .filter_map(|(finding, (frame_of_reference, points))| {
                let images = self.traces(frame_of_reference, points);
                self.omitted += usize::from(images.is_none());
                Some(Projection { finding, images: images? })
            })
            .collect()
    }

    /// Places that were left out.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    fn traces(&mut self, frame_of_reference: &Uid, points: &[[f64; 3]]) -> Option<Vec<Trace>> {
        let slabs = self.slabs.iter().filter(|slab| slab.plane.frame_of_reference == *frame_of_reference);
        let slabs: Vec<&Slab> = slabs.collect();
        let looked_at = self.looked_at.saturating_add(slabs.len().saturating_mul(points.len()));
        if looked_at > LOOKED_AT {
            return None;
        }
        self.looked_at = looked_at;
        let (mut traces, mut told) = (Vec::new(), 0);
        for trace in slabs.into_iter().filter_map(|slab| slab.trace(points)) {
            told += trace.lines.iter().map(Vec::len).sum::<usize>();
            traces.push(trace);
            if self.traces + traces.len() > TRACES || self.points + told > POINTS {
                return None;
            }
        }
        self.traces += traces.len();
        self.points += told;
        Some(traces)
    }
}

/// Whether something was found to be at a place in the patient.
pub fn has_places(findings: &Findings) -> bool {
    let present = findings.findings.iter().filter(|finding| finding.presence.is_present());
    present.filter_map(|finding| finding.place.as_ref()).any(|place| patient_points(place).is_some())
}

fn patient_points(place: &Place) -> Option<(&Uid, &[[f64; 3]])> {
    match place {
        Place::PatientPoint { frame_of_reference, at } => Some((frame_of_reference, std::slice::from_ref(at))),
        Place::PatientPolyline { frame_of_reference, points } => Some((frame_of_reference, points)),
        _ => None,
    }
}
