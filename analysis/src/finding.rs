//! [`Findings`]: what an AI service says about the images it was given, in one form for every consumer.
//!
//! One [`Finding`] is what one measurement group of a TID 1500 report says (PS3.16): what was found, where, how it was judged
//! and what was measured. The same values become SR, SEG, a drawn picture and FHIR ([`crate::evidence`]), so nothing that one
//! of them shows is missing from another.
//!
//! The JSON form is published at `/schemas/findings.json`; it is what an `image-json` service answers. Nothing in it is
//! believed before [`Findings::read`] has checked it against the images of the job: whoever holds [`CheckedFindings`] needs no
//! further check.

mod bounded;
mod check;
mod json;
mod place;
mod refused;
#[cfg(test)]
mod tests;
mod text;

use medvan_imaging::Uid;
use medvan_profiles::descriptor::Words;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::inputs::Inputs;
pub(crate) use check::is_strict;
pub use refused::Refused;

/// Bytes of an answer. More are not looked at.
pub const ANSWER_BYTES: usize = 32 << 20;
/// Findings of an answer.
pub const FINDINGS: usize = 10_000;
/// Points of all lines of an answer.
pub const POINTS: usize = 100_000;
/// Pixels of all images over which an answer lays masks and heat maps, each counted as often as something lies over it.
pub const PIXELS: u64 = 1 << 30;
/// Evaluations of a finding, and measurements of a finding.
pub const STATEMENTS: usize = 100;
/// Limitations of an answer, and heat maps of it.
pub const EXTRAS: usize = 50;
/// Images of one mask or heat map.
pub const FRAMES: usize = 20_000;

/// The published JSON Schema, as text.
pub fn schema_text() -> &'static str {
    include_str!("finding/schema.json")
}

/// An answer that uses every part of the format, as text: for documentation, and to start from.
pub fn example_text() -> &'static str {
    include_str!("finding/example.json")
}

/// Findings that are about the images of their job and that DICOM can say. Only [`Findings::read`] and [`crate::gate::read`] make them.
///
/// ```compile_fail,E0423
/// let forged = medvan_analysis::finding::CheckedFindings(never_checked);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct CheckedFindings(Findings);

/// Everything that a service says about one job's images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Findings {
    /// Version of the format: `1`.
    pub format: String,
    /// One sentence for the doctor who will see a card: the whole, not a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Words>,
    /// What stood in the way of a good answer: a kernel that was not trained on, motion.
    #[serde(default, deserialize_with = "bounded::at_most::<_, _, EXTRAS>", skip_serializing_if = "Vec::is_empty")]
    pub limitations: Vec<Words>,
    /// What was found. None is an answer too.
    #[serde(deserialize_with = "bounded::at_most::<_, _, FINDINGS>")]
    pub findings: Vec<Finding>,
    /// Pictures of numbers over images, which findings may name.
    #[serde(default, deserialize_with = "bounded::at_most::<_, _, EXTRAS>", skip_serializing_if = "Vec::is_empty")]
    pub heat_maps: Vec<HeatMap>,
}

/// One typed statement of an AI.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Finding {
    /// Tracking Identifier (112039, DCM): names it for people, unique within the answer.
    pub id: String,
    /// Tracking Unique Identifier (112040, DCM): the same thing in several studies has the same one. Minted where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_uid: Option<Uid>,
    /// What was found: Finding (121071, DCM).
    pub code: Code,
    /// What kind of thing that is: Finding Category (276214006, SCT), and the category of a segment (CID 7150): an anatomical
    /// structure, a morphologically abnormal one, a tissue. Where nothing is said segments are called abnormal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Code>,
    /// Whether it is there; most services only tell of what is.
    #[serde(default, skip_serializing_if = "Presence::is_present")]
    pub presence: Presence,
    /// Where in the body: Finding Site (363698007, SCT).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Code>,
    /// On which side: Laterality (272741003, SCT).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laterality: Option<Code>,
    /// How sure the service is, from 0 to 1, by its own scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Questions and their answers: classes, grades, scores.
    #[serde(default, deserialize_with = "bounded::at_most::<_, _, STATEMENTS>", skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<Evaluation>,
    /// Numbers with units.
    #[serde(default, deserialize_with = "bounded::at_most::<_, _, STATEMENTS>", skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Measurement>,
    /// Where in the images; none where it is about all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Words>,
}

/// Whether a finding is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It is.
    #[default]
    Present,
    /// It was looked for and is not.
    Absent,
    /// It could not be told.
    Indeterminate,
}

/// A coded concept (PS3.3 section 8), with the designators of PS3.16: `SCT`, `RADLEX`, `LN`, `DCM`, `UCUM`, or one of the
/// vendor's own that begins with `99`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Coding Scheme Designator.
    pub scheme: String,
    /// Code Value.
    pub code: String,
    /// Code Meaning, in English.
    pub meaning: String,
}

/// A question and its answer (TID 1500 rows of qualitative evaluations).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// What is asked.
    pub question: Code,
    /// What the answer is.
    pub answer: Answer,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Answer {
    /// A class.
    Code(Code),
    /// Words.
    Text(String),
}

/// A number with its unit (TID 300).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// What is measured.
    pub code: Code,
    /// How much: a finite number.
    pub value: f64,
    /// UCUM unit: `mm`, `mm3`, `1`.
    pub unit: String,
}

/// Where a finding is. Image coordinates are columns to the right and rows down, in pixels, from the upper left corner of the
/// upper left pixel (PS3.3 section C.18.6.1.2); patient coordinates are millimetres in the frame of reference (section C.18.9).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase", try_from = "place::Fields")]
pub enum Place {
    /// A whole image, or frame.
    Image {
        /// Which.
        image: ImageName,
    },
    /// A point in an image.
    Point {
        /// In which.
        image: ImageName,
        /// Column and row.
        at: [f64; 2],
    },
    /// A line through points in an image; closed where the last is the first again.
    Polyline {
        /// In which.
        image: ImageName,
        /// Columns and rows.
        points: Vec<[f64; 2]>,
    },
    /// A rectangle in an image.
    Box {
        /// In which.
        image: ImageName,
        /// Column and row of the upper left corner.
        from: [f64; 2],
        /// Column and row of the lower right corner.
        to: [f64; 2],
    },
    /// A point in the patient.
    PatientPoint {
        /// Frame of Reference UID.
        frame_of_reference: Uid,
        /// Millimetres.
        at: [f64; 3],
    },
    /// A line through points in the patient.
    PatientPolyline {
        /// Frame of Reference UID.
        frame_of_reference: Uid,
        /// Millimetres.
        points: Vec<[f64; 3]>,
    },
    /// Pixels of one or more images of one series: a mask, or one label of a label map.
    Mask {
        /// Of each image in which there is any.
        frames: Vec<MaskFrame>,
    },
    /// All of a heat map.
    HeatMap {
        /// Its id.
        heat_map: String,
    },
}

/// An image of the job, or one frame of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageName {
    /// SOP Instance UID.
    pub instance: Uid,
    /// Number of the frame, from 1; absent where there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<u32>,
}

/// The pixels of one image that belong to a mask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskFrame {
    /// Of which image.
    pub image: ImageName,
    /// Lengths of runs in reading order, by turns outside and inside, beginning outside (the first may be 0). Their sum is the
    /// number of the image's pixels.
    pub runs: Vec<u32>,
}

/// Numbers over images: where a model looked, or how likely something is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeatMap {
    /// Names it, unique within the answer.
    pub id: String,
    /// What the numbers are.
    pub code: Code,
    /// The number that 0 stands for, and the number that 255 stands for.
    pub range: [f64; 2],
    /// UCUM unit of the numbers.
    pub unit: String,
    /// Of each image.
    #[serde(deserialize_with = "bounded::at_most::<_, _, FRAMES>")]
    pub frames: Vec<HeatFrame>,
}

/// The numbers over one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeatFrame {
    /// Over which image.
    pub image: ImageName,
    /// By turns a number from 0 to 255 and for how many pixels it holds, in reading order. The lengths add up to the image's
    /// pixels.
    pub runs: Vec<u32>,
}

impl Findings {
    /// Reads what a service answered to the job with these images. Findings without a tracking UID get one that is always the
    /// same for this job and their id.
    ///
    /// # Errors
    /// Everything that is wrong with it, by place, a hundred at most. Nothing of what the service wrote is repeated.
    pub fn read(bytes: &[u8], inputs: &Inputs, job: Uuid) -> Result<CheckedFindings, Vec<Refused>> {
        let mut findings = json::parse(bytes).map_err(|refused| vec![refused])?;
        let refused = check::all(&findings, inputs);
        if !refused.is_empty() {
            return Err(refused);
        }
        findings.mint(job);
        Ok(CheckedFindings(findings))
    }

    /// Keeps what holds of findings that were read from results in DICOM, and tells how many do not.
    pub(crate) fn gathered(self, inputs: &Inputs, job: Uuid) -> (CheckedFindings, usize) {
        let (mut findings, dropped) = check::sound(self, inputs);
        findings.mint(job);
        (CheckedFindings(findings), dropped)
    }

    /// The images in which the finding at a place (counted from 0) is, or over which its heat map lies.
    pub fn images_of(&self, at: usize) -> Vec<&ImageName> {
        match self.findings.get(at).and_then(|finding| finding.place.as_ref()) {
            Some(Place::Mask { frames }) => frames.iter().map(|frame| &frame.image).collect(),
            Some(Place::HeatMap { heat_map }) => {
                let maps = self.heat_maps.iter().filter(|map| map.id == *heat_map);
                maps.flat_map(|map| &map.frames).map(|frame| &frame.image).collect()
            }
            place => place.and_then(Place::image).into_iter().collect(),
        }
    }

    fn mint(&mut self, job: Uuid) {
        for finding in &mut self.findings {
            finding.tracking_uid.get_or_insert_with(|| {
                let uuid = Uuid::new_v5(&job, format!("tracking {}", finding.id).as_bytes());
                Uid::from_uuid(uuid.as_u128())
            });
        }
    }
}

impl CheckedFindings {
    /// Reads back what was stored of checked findings. Only for what has not been out of the gateway's hands since.
    ///
    /// # Errors
    /// It was written by another version of the format, or is damaged.
    pub fn stored(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }
}

impl std::ops::Deref for CheckedFindings {
    type Target = Findings;

    fn deref(&self) -> &Findings {
        &self.0
    }
}

impl Place {
    /// The image in which it is, where it is in one.
    pub fn image(&self) -> Option<&ImageName> {
        match self {
            Self::Image { image }
            | Self::Point { image, .. }
            | Self::Polyline { image, .. }
            | Self::Box { image, .. } => Some(image),
            Self::PatientPoint { .. } | Self::PatientPolyline { .. } | Self::Mask { .. } | Self::HeatMap { .. } => None,
        }
    }
}

impl MaskFrame {
    /// The stretches of pixels inside, in reading order: where each begins and how long it is.
    pub fn inside(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        self.runs.iter().enumerate().filter_map(move |(turn, length)| {
            let (begin, length) = (at, *length as usize);
            at += length;
            (turn % 2 == 1 && length > 0).then_some((begin, length))
        })
    }
}

impl Presence {
    /// Whether it is there.
    pub fn is_present(&self) -> bool {
        *self == Self::Present
    }
}
