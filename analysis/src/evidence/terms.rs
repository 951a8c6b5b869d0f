//! Coded terms of PS3.16 (annexes B and D) that the documents are made of.

use crate::finding::Code;

/// A coded concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) code: &'a str,
    pub(crate) meaning: &'a str,
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

pub(crate) const IMAGING_MEASUREMENT_REPORT: Term<'_> = dcm("126000", "Imaging Measurement Report");
pub(crate) const LANGUAGE: Term<'_> = dcm("121049", "Language of Content Item and Descendants");
pub(crate) const ENGLISH: Term<'_> = Term { scheme: "RFC5646", code: "en", meaning: "English" };
pub(crate) const JAPANESE: Term<'_> = Term { scheme: "RFC5646", code: "ja", meaning: "Japanese" };
pub(crate) const OBSERVER_TYPE: Term<'_> = dcm("121005", "Observer Type");
pub(crate) const DEVICE: Term<'_> = dcm("121007", "Device");
pub(crate) const DEVICE_UID: Term<'_> = dcm("121012", "Device Observer UID");
pub(crate) const DEVICE_NAME: Term<'_> = dcm("121013", "Device Observer Name");
pub(crate) const DEVICE_MANUFACTURER: Term<'_> = dcm("121014", "Device Observer Manufacturer");
pub(crate) const DEVICE_MODEL: Term<'_> = dcm("121015", "Device Observer Model Name");
pub(crate) const DEVICE_SERIAL: Term<'_> = dcm("121016", "Device Observer Serial Number");
pub(crate) const PROCEDURE_REPORTED: Term<'_> = dcm("121058", "Procedure reported");
pub(crate) const IMAGE_LIBRARY: Term<'_> = dcm("111028", "Image Library");
pub(crate) const IMAGE_LIBRARY_GROUP: Term<'_> = dcm("126200", "Image Library Group");
pub(crate) const MODALITY: Term<'_> = dcm("121139", "Modality");
pub(crate) const FRAME_OF_REFERENCE: Term<'_> = dcm("112227", "Frame of Reference UID");
pub(crate) const IMAGING_MEASUREMENTS: Term<'_> = dcm("126010", "Imaging Measurements");
pub(crate) const DERIVATION: Term<'_> = dcm("121401", "Derivation");
pub(crate) const DERIVED_MEASUREMENTS: Term<'_> = dcm("126011", "Derived Imaging Measurements");
pub(crate) const QUALITATIVE_EVALUATIONS: Term<'_> =
    Term { scheme: "UMLS", code: "C0034375", meaning: "Qualitative Evaluations" };
pub(crate) const MEASUREMENT_GROUP: Term<'_> = dcm("125007", "Measurement Group");
pub(crate) const TRACKING_IDENTIFIER: Term<'_> = dcm("112039", "Tracking Identifier");
pub(crate) const TRACKING_UID: Term<'_> = dcm("112040", "Tracking Unique Identifier");
pub(crate) const FINDING_CATEGORY: Term<'_> = sct("276214006", "Finding category");
pub(crate) const FINDING: Term<'_> = dcm("121071", "Finding");
pub(crate) const FINDING_SITE: Term<'_> = sct("363698007", "Finding Site");
pub(crate) const LATERALITY: Term<'_> = sct("272741003", "Laterality");
pub(crate) const ALGORITHM_NAME: Term<'_> = dcm("111001", "Algorithm Name");
pub(crate) const ALGORITHM_VERSION: Term<'_> = dcm("111003", "Algorithm Version");
pub(crate) const ALGORITHM_PARAMETERS: Term<'_> = dcm("111002", "Algorithm Parameters");
pub(crate) const ALGORITHM_MANUFACTURER: Term<'_> = dcm("122405", "Algorithm Manufacturer");
pub(crate) const IMAGE_REGION: Term<'_> = dcm("111030", "Image Region");
pub(crate) const REFERENCED_SEGMENT: Term<'_> = dcm("121191", "Referenced Segment");
pub(crate) const SOURCE_SERIES: Term<'_> = dcm("121232", "Source series for segmentation");
pub(crate) const SOURCE_OF_MEASUREMENT: Term<'_> = dcm("121112", "Source of Measurement");
/// In percent; the service's own scale.
pub(crate) const CERTAINTY_OF_FINDING: Term<'_> = dcm("111012", "Certainty of Finding");
pub(crate) const PRESENCE: Term<'_> = sct("705057003", "Presence");
/// As CID 240 has it. SNOMED CT itself calls this one "Absence findings".
pub(crate) const ABSENT: Term<'_> = sct("272519000", "Absent");
/// SNOMED CT's own "Absent", as FHIR's value sets have it; read, not written.
pub(crate) const ABSENT_OF_SNOMED: Term<'_> = sct("2667000", "Absent");
pub(crate) const INDETERMINATE: Term<'_> = sct("82334004", "Indeterminate");
pub(crate) const COMMENT: Term<'_> = dcm("121106", "Comment");
pub(crate) const CONCLUSION: Term<'_> = dcm("121077", "Conclusion");
pub(crate) const PROCESSING_EQUIPMENT: Term<'_> = dcm("109102", "Processing Equipment");
pub(crate) const ARTIFICIAL_INTELLIGENCE: Term<'_> = dcm("123110", "Artificial Intelligence");
pub(crate) const SEGMENTATION_DERIVATION: Term<'_> = dcm("113076", "Segmentation");
pub(crate) const PROCESSED_IMAGE: Term<'_> = dcm("121322", "Source image for image processing operation");
pub(crate) const ABNORMAL_STRUCTURE: Term<'_> = sct("49755003", "Morphologically Abnormal Structure");
pub(crate) const PERCENT: Term<'_> = Term { scheme: "UCUM", code: "%", meaning: "Percent" };

/// A unit; what is not common is its own meaning.
pub(crate) fn unit(code: &str) -> Term<'_> {
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
pub(crate) fn procedure(modality: &str) -> Term<'static> {
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
pub(crate) fn modality(modality: &str) -> Term<'_> {
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
