//! Accepted reports and segmentations as findings, so that cards and FHIR can speak of them.
//!
//! The objects themselves are what is delivered; this is a reading of them. A measurement group (PS3.16 TID 1410, 1411, 1501) is a
//! finding; so is a segment that no group names. What findings cannot say is left out and counted.

mod groups;
mod segments;

use std::collections::HashSet;

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, attributes::Attributes};

use super::{
    Job,
    object::{Kind, Object},
    reading::{code_value, text},
};
use crate::finding::{CheckedFindings, Code, FINDINGS, Finding, Findings};
use segments::Segments;

/// The findings, and how many groups, segments and measurements they cannot say.
pub(super) fn read<'a>(objects: impl Iterator<Item = &'a Object>, job: &Job<'_>) -> (CheckedFindings, usize) {
    let (segmentations, others): (Vec<&Object>, Vec<&Object>) =
        objects.partition(|object| object.kind == Kind::Segmentation);
    let mut segments = Segments::read(&segmentations, job.inputs);
    let mut gathered = Gathered::default();
    for object in others {
        if matches!(object.kind, Kind::Report(_)) {
            groups::read(&object.said, &mut segments, &mut gathered);
        }
    }
    let (rest, unread) = segments.rest();
    gathered.unread += unread;
    rest.into_iter().for_each(|finding| gathered.push(finding));
    let (findings, dropped) = gathered.findings.gathered(job.inputs, job.job);
    (findings, gathered.unread + dropped)
}

struct Gathered {
    findings: Findings,
    ids: HashSet<String>,
    unread: usize,
}

impl Default for Gathered {
    fn default() -> Self {
        let findings = Findings {
            format: "1".to_owned(),
            summary: None,
            limitations: Vec::new(),
            findings: Vec::new(),
            heat_maps: Vec::new(),
        };
        Self { findings, ids: HashSet::new(), unread: 0 }
    }
}

impl Gathered {
    /// Adds a finding; where another has its id it gets a number behind it.
    fn push(&mut self, mut finding: Finding) {
        if self.findings.findings.len() >= FINDINGS {
            self.unread += 1;
            return;
        }
        if !self.ids.insert(finding.id.clone()) {
            let stem = cut(&finding.id, 54);
            finding.id = format!("{stem} #{}", self.findings.findings.len() + 1);
            self.ids.insert(finding.id.clone());
        }
        self.findings.findings.push(finding);
    }
}

/// The first characters of a text, so that it fits LO.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect::<String>().trim().to_owned()
}

/// The first code of a sequence.
fn code(item: &Attributes, sequence: Tag) -> Option<Code> {
    let item = item.items(sequence).first()?;
    let meaning = text(item, tags::CODE_MEANING)?;
    Some(Code {
        scheme: text(item, tags::CODING_SCHEME_DESIGNATOR)?,
        code: code_value(item)?,
        meaning: cut(&meaning, 64),
    })
}
