//! Objects to judge: what our own authors make of the example, and changes of them.

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, attributes::Attributes};
use time::macros::datetime;

use super::{JOB, said};
use crate::{
    evidence::{
        Algorithm, Completion, Context, Object, Qualification, RgbPicture, document, pdf, picture, presentation,
        report, segmentation,
    },
    finding::{CheckedFindings, Findings, example_text},
    inputs::Inputs,
};

pub(super) const FIRST: &str = "2.25.100000000000000000000000000000000001";
pub(super) const SECOND: &str = "2.25.100000000000000000000000000000000002";
pub(super) const SPACE: &str = "2.25.300000000000000000000000000000000001";

/// Two slices of 8 × 8 of a patient with a Japanese name.
pub(super) fn inputs() -> Inputs {
    let mut inputs = Inputs::default();
    for (instance, z) in [(FIRST, "0"), (SECOND, "1")] {
        let mut image = Attributes::new();
        for (tag, text) in [
            (tags::SPECIFIC_CHARACTER_SET, "ISO_IR 13"),
            (tags::PATIENT_NAME, "Yamada^Hanako=山田^花子=やまだ^はなこ"),
            (tags::PATIENT_ID, "SYN-1"),
            (tags::ISSUER_OF_PATIENT_ID, "HOSPITAL"),
            (tags::STUDY_ID, "STUDY-9"),
            (tags::ACCESSION_NUMBER, "ACC-5"),
            (tags::STUDY_INSTANCE_UID, "2.25.40"),
            (tags::SERIES_INSTANCE_UID, "2.25.41"),
            (tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.2"),
            (tags::SOP_INSTANCE_UID, instance),
            (tags::MODALITY, "CT"),
            (tags::FRAME_OF_REFERENCE_UID, SPACE),
            (tags::SLICE_THICKNESS, "1"),
            (tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"),
        ] {
            image.put_text(tag, text);
        }
        image.put_number(tags::ROWS, 8);
        image.put_number(tags::COLUMNS, 8);
        image.put_texts(tags::PIXEL_SPACING, ["0.5", "0.5"].map(str::to_owned));
        image.put_texts(tags::IMAGE_POSITION_PATIENT, ["0", "0", z].map(str::to_owned));
        image.put_texts(tags::IMAGE_ORIENTATION_PATIENT, ["1", "0", "0", "0", "1", "0"].map(str::to_owned));
        inputs.add(&image);
    }
    inputs
}

/// The evidence of the example: a segmentation, a picture, a report, a presentation state and a PDF, in this order.
pub(super) struct Made {
    pub(super) objects: Vec<Object>,
    pub(super) findings: CheckedFindings,
}

impl Made {
    pub(super) fn all(inputs: &Inputs) -> Self {
        let findings = Findings::read(example_text().as_bytes(), inputs, JOB).unwrap();
        let algorithm = Algorithm {
            name: "Nodule finder".to_owned(),
            version: "2.1.0".to_owned(),
            manufacturer: "例示メディカル".to_owned(),
            service_id: "vendor/nodules".to_owned(),
            ..Algorithm::default()
        };
        let context = Context {
            inputs,
            algorithm: &algorithm,
            job: JOB,
            at: datetime!(2026-11-23 18:00:00 +09:00),
            completion: Completion::Complete,
            qualification: Qualification::Product,
            predecessor: None,
        };
        let mut objects = segmentation::author(&context, &findings).unwrap();
        let name = &picture::worth_drawing(&findings, 1)[0];
        let grey = RgbPicture::new(64, 64, vec![96; 64 * 64 * 3]).unwrap();
        objects.extend(picture::author(&context, &findings, name, grey).unwrap());
        let beside = [objects[1].reference.clone()];
        let report = report::author(&context, &findings, &beside).unwrap();
        let document = pdf::author(&context, &findings, std::slice::from_ref(&report.reference)).unwrap();
        objects.push(report);
        objects.extend(presentation::author(&context, &findings).unwrap());
        objects.push(document);
        Self { objects, findings }
    }

    pub(super) fn segmentation(&self) -> Object {
        self.objects[0].clone()
    }

    pub(super) fn picture(&self) -> Object {
        self.objects[1].clone()
    }

    pub(super) fn report(&self) -> Object {
        self.objects[2].clone()
    }
}

/// Bytes of the pixels of the example's segmentation and picture: they are the last of the file.
const PIXELS: [(&str, usize); 2] = [("SEG", 16), ("OT", 64 * 64 * 3)];

impl Object {
    /// The file with other attributes.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Attributes)) -> Vec<u8> {
        let mut said = said(&self.bytes);
        let modality = said.text(tags::MODALITY).unwrap();
        let length = PIXELS.iter().find(|(of, _)| *of == modality).map(|(_, length)| *length);
        let pixels = length.map(|length| self.bytes[self.bytes.len() - length..].to_vec());
        said.remove(tags::PIXEL_DATA);
        change(&mut said);
        self.file(&said, pixels)
    }

    /// The file with other pixels.
    pub(super) fn with_pixels(&self, pixels: Option<Vec<u8>>) -> Vec<u8> {
        let mut said = said(&self.bytes);
        said.remove(tags::PIXEL_DATA);
        self.file(&said, pixels)
    }

    fn file(&self, said: &Attributes, pixels: Option<Vec<u8>>) -> Vec<u8> {
        document::object(self.reference.clone(), said, pixels).unwrap().bytes
    }

    /// The file without these attributes.
    pub(super) fn without(&self, tags: &[Tag]) -> Vec<u8> {
        self.changed(|said| tags.iter().for_each(|tag| drop(said.remove(*tag))))
    }
}
