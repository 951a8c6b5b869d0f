//! Coded terms of PS3.16 (annexes B and D) that the documents are made of.

use crate::finding::Code;

/// A coded concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term<'a> {
    pub(super) scheme: &'a str,
    pub(super) code: &'a str,
    pub(super) meaning: &'a str,
}

impl<'a> From<&'a Code> for Term<'a> {
    fn from(code: &'a Code) -> Self {
        Self { scheme: &code.scheme, code: &code.code, meaning: &code.meaning }
    }
}

const fn dcm(code: &'static str, meaning: &'static str) -> Term<'static> {
    Term { scheme: "DCM", code, meaning }
}

const fn sct(code: &'static str, meaning: &'static str) -> Term<'static> {
    Term { scheme: "SCT", code, meaning }
}

pub(super) const IMAGING_MEASUREMENT_REPORT: Term<'_> = dcm("126000", "Imaging Measurement Report");
pub(super) const LANGUAGE: Term<'_> = dcm("121049", "Language of Content Item and Descendants");
pub(super) const ENGLISH: Term<'_> = Term { scheme: "RFC5646", code: "en", meaning: "English" };
pub(super) const JAPANESE: Term<'_> = Term { scheme: "RFC5646", code: "ja", meaning: "Japanese" };
pub(super) const OBSERVER_TYPE: Term<'_> = dcm("121005", "Observer Type");
pub(super) const DEVICE: Term<'_> = dcm("121007", "Device");
pub(super) const DEVICE_UID: Term<'_> = dcm("121012", "Device Observer UID");
pub(super) const DEVICE_NAME: Term<'_> = dcm("121013", "Device Observer Name");
pub(super) const DEVICE_MANUFACTURER: Term<'_> = dcm("121014", "Device Observer Manufacturer");
pub(super) const DEVICE_MODEL: Term<'_> = dcm("121015", "Device Observer Model Name");
pub(super) const DEVICE_SERIAL: Term<'_> = dcm("121016", "Device Observer Serial Number");
pub(super) const PROCEDURE_REPORTED: Term<'_> = dcm("121058", "Procedure reported");
pub(super) const IMAGE_LIBRARY: Term<'_> = dcm("111028", "Image Library");
pub(super) const IMAGE_LIBRARY_GROUP: Term<'_> = dcm("126200", "Image Library Group");
pub(super) const MODALITY: Term<'_> = dcm("121139", "Modality");
pub(super) const FRAME_OF_REFERENCE: Term<'_> = dcm("112227", "Frame of Reference UID");
pub(super) const IMAGING_MEASUREMENTS: Term<'_> = dcm("126010", "Imaging Measurements");
pub(super) const QUALITATIVE_EVALUATIONS: Term<'_> =
    Term { scheme: "UMLS", code: "C0034375", meaning: "Qualitative Evaluations" };
pub(super) const MEASUREMENT_GROUP: Term<'_> = dcm("125007", "Measurement Group");
pub(super) const TRACKING_IDENTIFIER: Term<'_> = dcm("112039", "Tracking Identifier");
pub(super) const TRACKING_UID: Term<'_> = dcm("112040", "Tracking Unique Identifier");
pub(super) const FINDING_CATEGORY: Term<'_> = sct("276214006", "Finding category");
pub(super) const FINDING: Term<'_> = dcm("121071", "Finding");
pub(super) const FINDING_SITE: Term<'_> = sct("363698007", "Finding Site");
pub(super) const LATERALITY: Term<'_> = sct("272741003", "Laterality");
pub(super) const ALGORITHM_NAME: Term<'_> = dcm("111001", "Algorithm Name");
pub(super) const ALGORITHM_VERSION: Term<'_> = dcm("111003", "Algorithm Version");
pub(super) const ALGORITHM_PARAMETERS: Term<'_> = dcm("111002", "Algorithm Parameters");
pub(super) const ALGORITHM_MANUFACTURER: Term<'_> = dcm("122405", "Algorithm Manufacturer");
pub(super) const IMAGE_REGION: Term<'_> = dcm("111030", "Image Region");
pub(super) const REFERENCED_SEGMENT: Term<'_> = dcm("121191", "Referenced Segment");
pub(super) const SOURCE_SERIES: Term<'_> = dcm("121232", "Source series for segmentation");
pub(super) const SOURCE_OF_MEASUREMENT: Term<'_> = dcm("121112", "Source of Measurement");
/// In percent; the service's own scale.
pub(super) const CERTAINTY_OF_FINDING: Term<'_> = dcm("111012", "Certainty of Finding");
pub(super) const PRESENCE: Term<'_> = sct("705057003", "Presence");
pub(super) const ABSENT: Term<'_> = sct("272519000", "Absent");
pub(super) const INDETERMINATE: Term<'_> = sct("82334004", "Indeterminate");
pub(super) const COMMENT: Term<'_> = dcm("121106", "Comment");
pub(super) const CONCLUSION: Term<'_> = dcm("121077", "Conclusion");
pub(super) const PROCESSING_EQUIPMENT: Term<'_> = dcm("109102", "Processing Equipment");
pub(super) const ARTIFICIAL_INTELLIGENCE: Term<'_> = dcm("123110", "Artificial Intelligence");
pub(super) const SEGMENTATION_DERIVATION: Term<'_> = dcm("113076", "Segmentation");
pub(super) const PROCESSED_IMAGE: Term<'_> = dcm("121322", "Source image for image processing operation");
pub(super) const ABNORMAL_STRUCTURE: Term<'_> = sct("49755003", "Morphologically Abnormal Structure");
pub(super) const PERCENT: Term<'_> = Term { scheme: "UCUM", code: "%", meaning: "Percent" };

/// A unit; what is not common is its own meaning.
pub(super) fn unit(code: &str) -> Term<'_> {
    let meaning = match code {
        "1" => "no units",
        "%" => "Percent",
        "mm" => "millimeter",
        "mm2" => "square millimeter",
        "mm3" => "cubic millimeter",
        "cm" => "centimeter",
        "ml" | "mL" => "milliliter",
        "[hnsf'U]" => "Hounsfield unit",
        "s" => "second",
        "deg" => "degree",
        other => other,
    };
    Term { scheme: "UCUM", code, meaning }
}

/// The procedure of a modality (CID 100).
pub(super) fn procedure(modality: &str) -> Term<'static> {
    let ln = |code, meaning| Term { scheme: "LN", code, meaning };
    match modality {
        "CT" => ln("25045-6", "CT unspecified body region"),
        "MR" => ln("25056-3", "MRI unspecified body region"),
        "PT" => ln("44136-0", "PET unspecified body region"),
        "NM" => ln("49118-3", "NM unspecified body region"),
        "CR" | "DX" => ln("43468-8", "XR unspecified body region"),
        _ => sct("363679005", "Imaging procedure"),
    }
}

/// What a modality is called (CID 29).
pub(super) fn modality(modality: &str) -> Term<'_> {
    let meaning = match modality {
        "CT" => "Computed Tomography",
        "MR" => "Magnetic Resonance",
        "PT" => "Positron emission tomography",
        "NM" => "Nuclear Medicine",
        "US" => "Ultrasound",
        "CR" => "Computed Radiography",
        "DX" => "Digital Radiography",
        "MG" => "Mammography",
        "XA" => "X-Ray Angiography",
        "RF" => "Radiofluoroscopy",
        "OP" => "Ophthalmic Photography",
        "OPT" => "Ophthalmic Tomography",
        "SM" => "Slide Microscopy",
        "ES" => "Endoscopy",
        other => other,
    };
    Term { scheme: "DCM", code: modality, meaning }
}
