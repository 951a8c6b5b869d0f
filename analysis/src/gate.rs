//! The gate for results that come as DICOM: what a service made is delivered only where it holds.
//!
//! A result is of the study and patient of its job, is about the images of the job, and is what its SOP class says it is (PS3.3).
//! What is wrong in a way that has one right answer is put right, and the object says so itself (Original Attributes Sequence,
//! PS3.3 section C.12.1.1.9); the same object is always put right to the same bytes. Everything else is kept back, with reasons
//! that the vendor can act on and that repeat nothing of what the object says.
//!
//! What reports and segmentations say is also read into [`crate::finding`], so that cards and FHIR can speak of it.

mod document;
mod findings;
mod identity;
mod known;
mod modules;
mod object;
mod picture;
mod presentation;
mod reading;
mod references;
mod repair;
mod report;
mod segmentation;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, Uid};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    evidence::Reference,
    finding::{CheckedFindings, Refused},
    inputs::Inputs,
};
use known::Known;
use object::Object;
use reading::Faults;

/// Results of one job. More are not looked at.
pub const OBJECTS: usize = 200;

/// The work that results are held against.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The images that the service was given.
    pub inputs: &'a Inputs,
    /// The job.
    pub job: Uuid,
    /// When the results came, in the hospital's own time: it stands in what is put right.
    pub at: OffsetDateTime,
    /// What the same service delivered about this study before. New results may name it.
    pub earlier: &'a [Reference],
}

/// What became of the results of a job.
#[derive(Debug, Clone)]
pub struct Gated {
    /// What may be delivered, in the order in which it came. An object that came twice is there once.
    pub accepted: Vec<AcceptedObject>,
    /// What is kept back.
    pub quarantined: Vec<Quarantined>,
    /// What the accepted reports and segmentations say, as far as findings can say it.
    pub findings: CheckedFindings,
    /// Measurement groups and segments that findings cannot say: codes of other schemes, texts that a page cannot show.
    pub unread: usize,
}

/// A result that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedObject {
    /// How others refer to it.
    pub reference: Reference,
    /// The Part 10 file: as it came, or put right.
    pub bytes: Vec<u8>,
    /// What was put right; nothing where the bytes are as they came.
    pub repairs: Vec<Repair>,
}

/// Something that had one right answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repair {
    /// The attribute that was put in or changed.
    pub tag: Tag,
    /// Why.
    pub reason: &'static str,
}

/// A result that is kept back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Which of the results, from 0.
    pub at: usize,
    /// Its SOPInstanceUID, where it has one.
    pub instance: Option<Uid>,
    /// Why, a hundred reasons at most. Places are keywords of attributes and numbers of items, both from 0.
    pub reasons: Vec<Refused>,
}

/// Holds the Part 10 files that a service gave back against the job. Whoever receives them bounds their bytes.
pub fn read(files: Vec<Vec<u8>>, job: &Job<'_>) -> Gated {
    let mut gate = Gate { objects: Vec::new(), quarantined: Vec::new() };
    for (at, file) in files.into_iter().enumerate() {
        if at >= OBJECTS {
            let mend = format!("send at most {OBJECTS} objects for one job");
            gate.keep_back(at, None, vec![Refused::new("", "there are too many results", mend)]);
            continue;
        }
        match Object::read(file, job.inputs) {
            Ok(object) => gate.objects.push((at, object)),
            Err(reasons) => gate.keep_back(at, None, reasons),
        }
    }
    gate.drop_repeated();
    let known = Known::of(job, gate.objects.iter().map(|(at, object)| (*at, object)));
    gate.judge(&known, job);
    gate.follow_references();
    gate.finish(job)
}

struct Gate {
    /// With their places among the results.
    objects: Vec<(usize, Object)>,
    quarantined: Vec<Quarantined>,
}

impl Gate {
    fn keep_back(&mut self, at: usize, instance: Option<Uid>, reasons: Vec<Refused>) {
        self.quarantined.push(Quarantined { at, instance, reasons });
    }

    /// The same bytes twice are one result; two objects that bear one UID are none, for nobody knows which is meant.
    fn drop_repeated(&mut self) {
        let mut first: HashMap<Uid, usize> = HashMap::new();
        let mut torn: HashSet<Uid> = HashSet::new();
        let mut kept: Vec<(usize, Object)> = Vec::new();
        for (at, object) in std::mem::take(&mut self.objects) {
            let uid = object.reference.instance.clone();
            match first.get(&uid) {
                Some(place) if kept[*place].1.bytes == object.bytes => {}
                Some(_) => {
                    torn.insert(uid);
                    kept.push((at, object));
                }
                None => {
                    first.insert(uid, kept.len());
                    kept.push((at, object));
                }
            }
        }
        for (at, object) in kept {
            if torn.contains(&object.reference.instance) {
                let mend = "give each object its own SOPInstanceUID";
                let reasons = vec![Refused::new("/SOPInstanceUID", "another result has the same UID", mend)];
                self.keep_back(at, Some(object.reference.instance), reasons);
            } else {
                self.objects.push((at, object));
            }
        }
    }

    /// Puts right what can be, then looks at everything.
    fn judge(&mut self, known: &Known<'_>, job: &Job<'_>) {
        let mut series: HashMap<Uid, String> = HashMap::new();
        for (at, mut object) in std::mem::take(&mut self.objects) {
            let mut faults = Faults::default();
            repair::put_right(&mut object, known, job, &mut faults);
            check(&mut object, known, job, &mut faults);
            let modality = object.said.text(tags::MODALITY).unwrap_or_default();
            if *series.entry(object.reference.series.clone()).or_insert_with(|| modality.clone()) != modality {
                let mend = "make one series of each modality";
                faults.add("/SeriesInstanceUID", "another result of this series has another modality", mend);
            }
            let reasons = faults.into_inner();
            if reasons.is_empty() {
                self.objects.push((at, object));
            } else {
                self.keep_back(at, Some(object.reference.instance), reasons);
            }
        }
    }

    /// What names a result that is kept back is kept back too, and so on.
    fn follow_references(&mut self) {
        loop {
            let held: HashSet<usize> = self.quarantined.iter().map(|kept| kept.at).collect();
            let leans = |object: &Object| object.beside.iter().find(|(_, at)| held.contains(at)).cloned();
            let (falls, holds): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.objects).into_iter().partition(|(_, object)| leans(object).is_some());
            self.objects = holds;
            if falls.is_empty() {
                return;
            }
            for (at, object) in falls {
                let place = leans(&object).map(|(place, _)| place).unwrap_or_default();
                let mend = "mend that one, then send both again";
                let reasons = vec![Refused::new(place, "it names another result that is kept back", mend)];
                self.keep_back(at, Some(object.reference.instance), reasons);
            }
        }
    }

    fn finish(mut self, job: &Job<'_>) -> Gated {
        self.quarantined.sort_by_key(|kept| kept.at);
        let (findings, unread) = findings::read(self.objects.iter().map(|(_, object)| object), job);
        let accepted = self.objects.into_iter().map(|(_, object)| object.accepted()).collect();
        Gated { accepted, quarantined: self.quarantined, findings, unread }
    }
}

fn check(object: &mut Object, known: &Known<'_>, job: &Job<'_>, faults: &mut Faults) {
    identity::check(object, job, faults);
    modules::check(object, faults);
    object.beside = references::check(&object.said, known, faults);
    match object.kind {
        object::Kind::Report(_) => report::check(object, known, faults),
        object::Kind::Segmentation => segmentation::check(object, known, faults),
        object::Kind::Presentation => presentation::check(object, known, faults),
        object::Kind::Picture => picture::check(object, faults),
        object::Kind::Document => document::check(object, faults),
    }
}
