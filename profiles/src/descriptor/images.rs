//! What a service that works on images needs, and how it is given.
//!
//! The rules are plain data: which series of a study fit is decided by one pure function of `medvan-analysis`, the same when a
//! study arrives, when it is explained and when a hospital tries out rules over what it has stored.

use serde::{Deserialize, Serialize};

use super::{Fault, Words, inference::InferenceWay, rules, schema};

/// One kind of work on images that a vendor offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageEntry {
    /// Names it within the descriptor.
    pub id: String,
    /// The human-friendly name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does.
    pub description: String,
    /// Why the images are needed.
    pub why: Words,
    /// How the service is given them.
    pub way: ImageWay,
    /// Which ones it needs.
    pub needs: Needs,
    /// What it can bear.
    #[serde(default)]
    pub limits: ImageLimits,
}

/// How a service is given images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ImageWay {
    /// One request with all images, answered with findings as JSON.
    ImageJson {
        /// Below the transport's base URL.
        path: String,
        /// As what.
        send: Sent,
        /// Brightness of pictures; the image's own where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<PictureWindow>,
    },
    /// A bare model behind the Open Inference Protocol v2: tensors are made of pixels, and findings of tensors.
    Inference(InferenceWay),
    /// Instances are stored at the service's DICOMweb root (STOW-RS), and results are DICOM objects.
    Dicomweb(DicomwebWay),
    /// The service finds its work on a worklist (UPS-RS), retrieves the images, stores results and says when it is done.
    Worklist(WorklistWay),
    /// Instances are sent to the service's application entity (C-STORE), which sends its results back (C-STORE).
    Dimse(DimseWay),
}

impl ImageWay {
    /// Whether the service is called at its base URL.
    pub const fn is_called_by_http(&self) -> bool {
        match self {
            Self::ImageJson { .. } | Self::Inference(_) | Self::Dicomweb(_) => true,
            Self::Worklist(_) | Self::Dimse(_) => false,
        }
    }
}

/// A service that is an origin server of DICOMweb itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DicomwebWay {
    /// Its DICOMweb root, below the transport's base URL. A segment `{job}` stands for the job's id, where each job has a root of
    /// its own.
    pub path: String,
    /// How results come back.
    pub results: Returned,
    /// What a complete answer has at least one of.
    pub expects: Vec<ResultModality>,
}

/// A service that pulls its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorklistWay {
    /// What a complete answer has at least one of.
    pub expects: Vec<ResultModality>,
}

/// A service that is an application entity of the DICOM network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DimseWay {
    /// Its AE title: under which it is called and calls.
    pub ae_title: String,
    /// Where it listens, and from where it calls: a name or an address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// Whether it is called by TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls: bool,
    /// What a complete answer has at least one of.
    pub expects: Vec<ResultModality>,
}

/// How results come back that are DICOM objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Returned {
    /// They are looked for at the service's root (QIDO-RS) and fetched (WADO-RS).
    Fetch,
    /// The service stores them at the gateway (STOW-RS).
    Store,
}

/// Modality (0008,0060) of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ResultModality {
    /// A structured report.
    Sr,
    /// A segmentation.
    Seg,
    /// A presentation state.
    Pr,
    /// A picture: secondary capture.
    Ot,
    /// A document: encapsulated PDF.
    Doc,
}

impl ResultModality {
    /// The kind of a result by its SOP class (PS3.4 section B.5); nothing for classes that are no results.
    pub fn of_class(uid: &str) -> Option<Self> {
        let class = uid.strip_prefix("1.2.840.10008.5.1.4.1.1.")?;
        Some(match class {
            "88.11" | "88.22" | "88.33" | "88.34" => Self::Sr,
            "66.4" => Self::Seg,
            "11.1" => Self::Pr,
            "7" | "7.2" | "7.3" | "7.4" => Self::Ot,
            "104.1" => Self::Doc,
            _ => return None,
        })
    }

    /// As DICOM writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sr => "SR",
            Self::Seg => "SEG",
            Self::Pr => "PR",
            Self::Ot => "OT",
            Self::Doc => "DOC",
        }
    }
}

/// As what an image is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sent {
    /// The instance as it is stored.
    Dicom,
    /// Each frame as a PNG.
    Png,
    /// Each frame as a JPEG.
    Jpeg,
}

/// Which values become black and white (PS3.3 section C.11.2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureWindow {
    /// Window Center.
    pub center: f64,
    /// Window Width, at least 1.
    pub width: f64,
}

/// What a study must have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Needs {
    /// The series, each chosen by its own rules.
    pub series: Vec<SeriesNeed>,
    /// Ages of patients for whom it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_years: Option<Range>,
    /// Sexes of patients for whom it is made: `F`, `M`, `O`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sex: Vec<String>,
    /// An earlier study to compare with, given where a comparable one is stored; not to a bare model ([`ImageWay::Inference`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<PriorNeed>,
}

/// One series that is needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeriesNeed {
    /// Names it within the needs.
    pub name: String,
    /// The work is done without it too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Which series fit.
    #[serde(default)]
    pub rules: SeriesRules,
    /// Which of those that fit is taken; by the first that tells them apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<Preference>,
}

/// Which series fit. What is not said does not matter; texts are compared without regard to case, `*` and `?` stand for any
/// characters and any one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SeriesRules {
    /// Modality (0008,0060): one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modality: Vec<String>,
    /// Body Part Examined (0018,0015): one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body_part: Vec<String>,
    /// SOP Class UID (0008,0016): one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sop_class: Vec<String>,
    /// Value 1 of Image Type (0008,0008) is ORIGINAL, or is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<bool>,
    /// In which plane: one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orientation: Vec<Orientation>,
    /// How many images, frames counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<Range>,
    /// Millimetres between neighbouring slices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spacing_mm: Option<Range>,
    /// Slice Thickness (0018,0050) in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thickness_mm: Option<Range>,
    /// Whether slices may be missing in between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gaps: Option<bool>,
    /// Convolution Kernel (0018,1210): one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kernel: Vec<String>,
    /// With contrast agent (0018,0010), or without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contrast: Option<bool>,
    /// Image Laterality (0020,0062) or Laterality (0020,0060): one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub laterality: Vec<String>,
    /// Whether texts may be burned in (0028,0301). An image that does not say so is taken as one without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burned_in: Option<bool>,
    /// Series Description (0008,103E): one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub description: Vec<String>,
    /// Series Description: none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_description: Vec<String>,
    /// Scouts and localizers are taken too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localizers: Option<bool>,
    /// Images of phantoms for quality control are taken too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phantoms: Option<bool>,
}

impl SeriesRules {
    /// What is wrong with rules that stand at `place`, a JSON Pointer: lists and texts that are too long, and ranges in which
    /// nothing lies.
    pub fn faults(&self, place: &str) -> Vec<Fault> {
        // Plain data becomes JSON always.
        let value = serde_json::to_value(self).unwrap_or_default();
        let mut faults = schema::faults_of_series_rules(&value);
        faults.iter_mut().for_each(|fault| fault.place.insert_str(0, place));
        faults.extend(rules::images::ranges(place, self));
        faults
    }
}

/// From and to, both included; either may be open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Range {
    /// At least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// At most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// The plane of a series' slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// Across the body.
    Axial,
    /// From side to side.
    Coronal,
    /// From front to back.
    Sagittal,
    /// None of these.
    Oblique,
}

/// What makes one series better than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preference {
    /// The thinnest slices.
    Thin,
    /// The most images.
    Many,
    /// Original before derived.
    Original,
    /// The highest series number.
    Late,
}

/// An earlier study to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriorNeed {
    /// How many months back at most.
    pub within_months: u32,
}

/// What a service can bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ImageLimits {
    /// Seconds within which it answers.
    pub deadline_seconds: u32,
    /// Studies at once.
    pub concurrency: u32,
    /// How often it is tried.
    pub attempts: u32,
    /// Most images of one job.
    pub images: u32,
    /// Bytes of the largest answer.
    pub answer_bytes: u32,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self { deadline_seconds: 300, concurrency: 2, attempts: 5, images: 2_000, answer_bytes: 16 << 20 }
    }
}

impl Range {
    /// Whether a number lies within.
    pub fn holds(&self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }
}
