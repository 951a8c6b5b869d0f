//! [`Inputs`]: the images that a job gives to a service. What it finds must be in them.

use std::collections::HashMap;

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, Uid, attributes::Attributes};

/// The images of one job: of one study of one patient.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Attributes of patient and study, as the first instance has them: what is authored says the same.
    pub study: Attributes,
    /// Their series, in the order of the requirements that they meet.
    pub series: Vec<InputSeries>,
}

/// A series, or the instances of it that were asked for.
#[derive(Debug, Clone)]
pub struct InputSeries {
    /// SeriesInstanceUID.
    pub uid: Uid,
    /// Modality.
    pub modality: String,
    /// Its instances in the order in which they lie in the patient, or by number.
    pub images: Vec<InputImage>,
}

/// An instance of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct InputImage {
    /// SOPInstanceUID.
    pub instance: Uid,
    /// SOPClassUID.
    pub class: Uid,
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// Frames, at least 1.
    pub frames: u32,
    /// Where it lies in the patient, if it says so (PS3.3 section C.7.6.2).
    pub plane: Option<Plane>,
}

/// Where the pixels of an image lie in the patient, in millimetres.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Frame of Reference UID.
    pub frame_of_reference: Uid,
    /// Image Position (Patient): of the centre of the first pixel.
    pub position: [f64; 3],
    /// Image Orientation (Patient): directions of a row and of a column.
    pub orientation: [[f64; 3]; 2],
    /// Pixel Spacing: between rows, between columns.
    pub spacing: [f64; 2],
    /// Slice Thickness, where it is known.
    pub thickness: Option<f64>,
}

/// Attributes of patient, study and frame of reference that evidence takes over as they are (PS3.3 sections C.7.1.1, C.7.2.1,
/// C.7.2.2).
pub const INHERITED: &[Tag] = &[
    tags::SPECIFIC_CHARACTER_SET,
    tags::STUDY_DATE,
    tags::STUDY_TIME,
    tags::ACCESSION_NUMBER,
    tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::STUDY_DESCRIPTION,
    tags::PATIENT_NAME,
    tags::PATIENT_ID,
    tags::ISSUER_OF_PATIENT_ID,
    tags::PATIENT_BIRTH_DATE,
    tags::PATIENT_SEX,
    tags::PATIENT_AGE,
    tags::STUDY_INSTANCE_UID,
    tags::STUDY_ID,
];

impl Inputs {
    /// The StudyInstanceUID; nothing where there are no images.
    pub fn study_uid(&self) -> Option<Uid> {
        self.study.text(tags::STUDY_INSTANCE_UID).and_then(|uid| Uid::parse(&uid).ok())
    }

    /// Every image by its UID, with its series.
    pub fn images(&self) -> HashMap<&Uid, (&InputSeries, &InputImage)> {
        let all = self.series.iter().flat_map(|series| series.images.iter().map(move |image| (series, image)));
        all.map(|(series, image)| (&image.instance, (series, image))).collect()
    }

    /// Adds an instance; the first one also tells whose study it is. Instances without rows or columns are not images and are
    /// left out: a service is not given them to find something in.
    pub fn add(&mut self, attributes: &Attributes) {
        if self.study.is_empty() {
            let inherited = attributes.iter().filter(|(tag, _)| INHERITED.contains(tag));
            self.study = inherited.map(|(tag, attribute)| (*tag, attribute.clone())).collect();
        }
        let Some(uid) = uid(attributes, tags::SERIES_INSTANCE_UID) else { return };
        let Some(image) = InputImage::of(attributes) else { return };
        match self.series.iter_mut().find(|series| series.uid == uid) {
            Some(series) => series.images.push(image),
            None => {
                let modality = attributes.text(tags::MODALITY).unwrap_or_default();
                self.series.push(InputSeries { uid, modality, images: vec![image] });
            }
        }
    }
}

impl InputImage {
    fn of(attributes: &Attributes) -> Option<Self> {
        Some(Self {
            instance: uid(attributes, tags::SOP_INSTANCE_UID)?,
            class: uid(attributes, tags::SOP_CLASS_UID)?,
            rows: whole(attributes, tags::ROWS).filter(|rows| *rows > 0)?,
            columns: whole(attributes, tags::COLUMNS).filter(|columns| *columns > 0)?,
            frames: whole(attributes, tags::NUMBER_OF_FRAMES).unwrap_or(1).max(1),
            plane: Plane::of(attributes),
        })
    }
}

impl Plane {
    fn of(attributes: &Attributes) -> Option<Self> {
        let [a, b, c, d, e, f] = decimals(attributes, tags::IMAGE_ORIENTATION_PATIENT)?;
        Some(Self {
            frame_of_reference: uid(attributes, tags::FRAME_OF_REFERENCE_UID)?,
            position: decimals(attributes, tags::IMAGE_POSITION_PATIENT)?,
            orientation: [[a, b, c], [d, e, f]],
            spacing: decimals(attributes, tags::PIXEL_SPACING)?,
            thickness: decimals::<1>(attributes, tags::SLICE_THICKNESS).map(|[thickness]| thickness),
        })
    }
}

pub(crate) fn uid(attributes: &Attributes, tag: Tag) -> Option<Uid> {
    Uid::parse(attributes.text(tag)?.trim()).ok()
}

pub(crate) fn whole(attributes: &Attributes, tag: Tag) -> Option<u32> {
    attributes.text(tag)?.trim().parse().ok()
}

/// Exactly so many finite numbers.
pub(crate) fn decimals<const N: usize>(attributes: &Attributes, tag: Tag) -> Option<[f64; N]> {
    let texts = attributes.get(tag)?.texts();
    let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.as_deref()?.trim().parse().ok()).collect();
    let numbers = numbers?.into_iter().filter(|number: &f64| number.is_finite()).collect::<Vec<_>>();
    numbers.try_into().ok()
}
