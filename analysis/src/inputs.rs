//! [`Inputs`]: the images that a job gives to a service. What it finds must be in them.

#[cfg(test)]
mod tests;

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
    /// Instance Number: by it viewers count.
    pub number: Option<u32>,
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// Frames, at least 1.
    pub frames: u32,
    /// Where it lies in the patient, if it says so (PS3.3 section C.7.6.2).
    pub plane: Option<Plane>,
    /// How it is to be shown, if it is grey and one straight line makes its values what they mean.
    pub grey: Option<Grey>,
}

/// How a grey image is to be shown, as it says itself (PS3.3 sections C.7.6.3, C.11.1, C.11.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Grey {
    /// Whether the lowest value is white (MONOCHROME1).
    pub is_inverse: bool,
    /// What makes stored values Hounsfield units and the like; nothing where they are shown as they are.
    pub rescale: Option<Rescale>,
    /// The first window that it names.
    pub window: Option<Window>,
    /// How far pixels lie apart.
    pub pixels: Pixels,
}

/// Modality LUT as a line (PS3.3 section C.11.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Rescale {
    /// Rescale Intercept.
    pub intercept: f64,
    /// Rescale Slope.
    pub slope: f64,
    /// Rescale Type: `HU`, or `US` where it is not specified.
    pub kind: String,
}

/// VOI LUT as a window (PS3.3 section C.11.2.1.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Window Center.
    pub center: f64,
    /// Window Width.
    pub width: f64,
    /// VOI LUT Function, where it is another than LINEAR.
    pub function: Option<String>,
}

/// Distances of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pixels {
    /// Pixel Spacing in millimetres: between rows, between columns.
    Spacing([f64; 2]),
    /// Pixel Aspect Ratio: vertical to horizontal.
    AspectRatio([u32; 2]),
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
            number: whole(attributes, tags::INSTANCE_NUMBER),
            rows: whole(attributes, tags::ROWS).filter(|rows| *rows > 0)?,
            columns: whole(attributes, tags::COLUMNS).filter(|columns| *columns > 0)?,
            frames: whole(attributes, tags::NUMBER_OF_FRAMES).unwrap_or(1).max(1),
            plane: Plane::of(attributes),
            grey: Grey::of(attributes),
        })
    }
}

impl Grey {
    /// Nothing for colours, for values that a table translates, and for frames that differ in how they are translated.
    fn of(attributes: &Attributes) -> Option<Self> {
        let is_inverse = match attributes.text(tags::PHOTOMETRIC_INTERPRETATION)?.trim() {
            "MONOCHROME1" => true,
            "MONOCHROME2" => false,
            _ => return None,
        };
        if !attributes.items(tags::MODALITY_LUT_SEQUENCE).is_empty() {
            return None;
        }
        let modality = attributes.text(tags::MODALITY).unwrap_or_default();
        let mut rescales = groups(attributes, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE)
            .filter(|group| group.get(tags::RESCALE_INTERCEPT).is_some())
            .map(|group| Rescale::of(group, modality.trim()));
        let rescale = rescales.next();
        if rescales.any(|other| Some(other) != rescale) {
            return None;
        }
        let rescale = match rescale {
            // What is there but cannot be read must not be taken for nothing.
            Some(rescale) => Some(rescale?),
            None => None,
        };
        let window = groups(attributes, tags::FRAME_VOILUT_SEQUENCE).find_map(Window::of);
        Some(Self { is_inverse, rescale, window, pixels: Pixels::of(attributes) })
    }
}

/// The attributes themselves, then the functional groups of this kind: the shared one, and that of every frame (PS3.3 section
/// C.7.6.16).
fn groups(attributes: &Attributes, kind: Tag) -> impl Iterator<Item = &Attributes> {
    let each = [tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE];
    let groups = each.into_iter().flat_map(|tag| attributes.items(tag));
    std::iter::once(attributes).chain(groups.filter_map(move |group| group.items(kind).first()))
}

impl Rescale {
    fn of(group: &Attributes, modality: &str) -> Option<Self> {
        let [intercept] = decimals(group, tags::RESCALE_INTERCEPT)?;
        let [slope] = decimals(group, tags::RESCALE_SLOPE)?;
        // Where a CT does not say it, it is Hounsfield units (section C.8.2.1).
        let unsaid = if modality == "CT" { "HU" } else { "US" };
        let kind = group.text(tags::RESCALE_TYPE).map(|kind| kind.trim().to_owned()).filter(|kind| !kind.is_empty());
        (slope != 0.0).then(|| Self { intercept, slope, kind: kind.unwrap_or_else(|| unsaid.to_owned()) })
    }
}

impl Window {
    fn of(group: &Attributes) -> Option<Self> {
        let first = |tag| group.text(tag)?.trim().parse().ok().filter(|number: &f64| number.is_finite());
        let (center, width) = (first(tags::WINDOW_CENTER)?, first(tags::WINDOW_WIDTH)?);
        let function = group.text(tags::VOILUT_FUNCTION).map(|function| function.trim().to_owned());
        let function = function.filter(|function| matches!(function.as_str(), "LINEAR_EXACT" | "SIGMOID"));
        let least = if function.is_some() { f64::MIN_POSITIVE } else { 1.0 };
        (width >= least).then_some(Self { center, width, function })
    }
}

impl Pixels {
    fn of(attributes: &Attributes) -> Self {
        let spacing = groups(attributes, tags::PIXEL_MEASURES_SEQUENCE)
            .find_map(|group| decimals(group, tags::PIXEL_SPACING))
            .filter(|spacing: &[f64; 2]| spacing.iter().all(|distance| *distance > 0.0));
        if let Some(spacing) = spacing {
            return Self::Spacing(spacing);
        }
        let ratio = attributes.get(tags::PIXEL_ASPECT_RATIO).map(|ratio| ratio.texts()).unwrap_or_default();
        let numbers: Vec<u32> = ratio.iter().filter_map(|part| part.as_deref()?.trim().parse().ok()).collect();
        match numbers.as_slice() {
            [vertical, horizontal] if *vertical > 0 && *horizontal > 0 => Self::AspectRatio([*vertical, *horizontal]),
            _ => Self::AspectRatio([1, 1]),
        }
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
