//! [`Facts`]: what rules look at, gathered from the attributes of a study's instances.

use std::collections::BTreeSet;

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, Uid, attributes::Attributes};
use medvan_profiles::descriptor::images::Orientation;
use time::{Date, Month};

use super::plane::Planes;

/// Words by which images of a phantom are known: in names, ids, body parts and descriptions.
const PHANTOM: &[&str] = &["phantom", "ファントム"];
/// The same as whole words of a name or an id.
const QUALITY: &[&str] = &["qa", "qc"];
/// Words by which a scout is known in its description.
const SCOUT: &[&str] = &["localizer", "localiser", "scout", "topogram", "scanogram", "surview"];
/// Frames of an enhanced object that are looked at.
const FRAMES: usize = 20_000;

/// What is known of a study.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Age of the patient when the study was made, in years.
    pub age_years: Option<f64>,
    /// PatientSex.
    pub sex: Option<String>,
    /// Its series, in any order.
    pub series: Vec<SeriesFacts>,
    planes: Vec<Planes>,
    unreadable: BTreeSet<Uid>,
}

/// What is known of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesFacts {
    /// SeriesInstanceUID.
    pub uid: Uid,
    /// Modality.
    pub modality: String,
    /// BodyPartExamined.
    pub body_part: String,
    /// SeriesDescription.
    pub description: String,
    /// SeriesNumber.
    pub number: Option<i64>,
    /// SOPClassUIDs.
    pub classes: BTreeSet<String>,
    /// Whether Image Type says ORIGINAL; nothing where it says nothing.
    pub original: Option<bool>,
    /// Whether it is a scout.
    pub localizer: bool,
    /// Whether it is of a phantom.
    pub phantom: bool,
    /// Its plane.
    pub orientation: Option<Orientation>,
    /// Images, frames counted.
    pub images: u64,
    /// Millimetres between slices.
    pub spacing: Option<f64>,
    /// Whether slices are missing.
    pub gaps: Option<bool>,
    /// SliceThickness in millimetres.
    pub thickness: Option<f64>,
    /// ConvolutionKernel.
    pub kernel: String,
    /// Whether a contrast agent is named.
    pub contrast: bool,
    /// ImageLaterality, else Laterality.
    pub laterality: String,
    /// Whether an image says that texts are burned in.
    pub burned_in: bool,
    /// Whether an instance of it cannot be read.
    pub is_unreadable: bool,
}

impl Facts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One instance more. What has no pixels (a report, a presentation state) is no image and is passed over.
    pub fn push(&mut self, instance: &Attributes) {
        self.age_years = self.age_years.or_else(|| age(instance));
        self.sex = self.sex.take().or_else(|| instance.text(tags::PATIENT_SEX));
        let uid = instance.text(tags::SERIES_INSTANCE_UID).and_then(|uid| Uid::parse(&uid).ok());
        let (Some(uid), Some(_rows)) = (uid, instance.text(tags::ROWS)) else { return };
        let at = self.series.iter().position(|series| series.uid == uid).unwrap_or_else(|| {
            self.series.push(SeriesFacts::of(uid, instance));
            self.planes.push(Planes::default());
            self.series.len() - 1
        });
        let (series, planes) = (&mut self.series[at], &mut self.planes[at]);
        series.add(instance);
        slices(instance, |orientation, position| planes.push(orientation, position));
    }

    /// One instance more, of which nothing but its series can be read.
    pub fn push_unreadable(&mut self, series: &Uid) {
        self.unreadable.insert(series.clone());
    }

    /// All instances were pushed.
    #[must_use]
    pub fn whole(mut self) -> Self {
        for (series, planes) in self.series.iter_mut().zip(std::mem::take(&mut self.planes)) {
            series.orientation = planes.orientation();
            (series.spacing, series.gaps) = planes.spacing().unzip();
            series.is_unreadable = self.unreadable.contains(&series.uid);
        }
        self
    }
}

impl SeriesFacts {
    fn of(uid: Uid, instance: &Attributes) -> Self {
        let text = |tag| instance.text(tag).unwrap_or_default();
        let description = text(tags::SERIES_DESCRIPTION);
        let laterality = text(tags::IMAGE_LATERALITY);
        let laterality = if laterality.is_empty() { text(tags::LATERALITY) } else { laterality };
        Self {
            uid,
            modality: text(tags::MODALITY),
            body_part: text(tags::BODY_PART_EXAMINED),
            number: instance.text(tags::SERIES_NUMBER).and_then(|number| number.trim().parse().ok()),
            classes: BTreeSet::new(),
            original: None,
            localizer: is_scout(&description),
            phantom: is_phantom(instance, &description),
            orientation: None,
            images: 0,
            spacing: None,
            gaps: None,
            thickness: thickness(instance),
            kernel: text(tags::CONVOLUTION_KERNEL),
            contrast: !text(tags::CONTRAST_BOLUS_AGENT).trim().is_empty(),
            laterality,
            burned_in: false,
            is_unreadable: false,
            description,
        }
    }

    fn add(&mut self, instance: &Attributes) {
        let frames = instance.text(tags::NUMBER_OF_FRAMES).and_then(|frames| frames.trim().parse().ok()).unwrap_or(1);
        self.images = self.images.saturating_add(std::cmp::max(frames, 1));
        self.classes.extend(instance.text(tags::SOP_CLASS_UID));
        let image_type = instance.get(tags::IMAGE_TYPE).map(|kind| kind.texts()).unwrap_or_default();
        if let Some(Some(first)) = image_type.first() {
            // One that is derived makes the series one that is not original throughout.
            self.original = Some(self.original.unwrap_or(true) && first == "ORIGINAL");
        }
        self.localizer |= image_type.iter().flatten().any(|value| value == "LOCALIZER");
        self.burned_in |= instance.text(tags::BURNED_IN_ANNOTATION).as_deref() == Some("YES");
    }
}

/// Planes of an instance's slices: of a classic one its own, of an enhanced one those of its frames (PS3.3 section C.7.6.16).
fn slices(instance: &Attributes, mut push: impl FnMut([f64; 6], [f64; 3])) {
    let own = decimals(instance, tags::IMAGE_ORIENTATION_PATIENT);
    if let (Some(orientation), Some(position)) = (own, decimals(instance, tags::IMAGE_POSITION_PATIENT)) {
        return push(orientation, position);
    }
    let shared = instance.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
    let shared = shared.and_then(orientation_of);
    for groups in instance.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).iter().take(FRAMES) {
        let position = groups.items(tags::PLANE_POSITION_SEQUENCE).first();
        let position = position.and_then(|position| decimals(position, tags::IMAGE_POSITION_PATIENT));
        if let (Some(orientation), Some(position)) = (orientation_of(groups).or(shared), position) {
            push(orientation, position);
        }
    }
}

fn orientation_of(groups: &Attributes) -> Option<[f64; 6]> {
    decimals(groups.items(tags::PLANE_ORIENTATION_SEQUENCE).first()?, tags::IMAGE_ORIENTATION_PATIENT)
}

fn thickness(instance: &Attributes) -> Option<f64> {
    let own = decimals::<1>(instance, tags::SLICE_THICKNESS);
    let shared = || {
        let groups = instance.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first()?;
        decimals::<1>(groups.items(tags::PIXEL_MEASURES_SEQUENCE).first()?, tags::SLICE_THICKNESS)
    };
    own.or_else(shared).map(|[thickness]| thickness)
}

fn is_phantom(instance: &Attributes, description: &str) -> bool {
    let texts = [tags::PATIENT_NAME, tags::PATIENT_ID, tags::BODY_PART_EXAMINED].map(|tag| instance.text(tag));
    let is_named =
        |text: &str| has_any(text, PHANTOM) || words(text).any(|word| QUALITY.contains(&word.to_lowercase().as_str()));
    texts.iter().flatten().any(|text| is_named(text)) || has_any(description, PHANTOM)
}

/// Whether a series of this description is a scout.
pub(super) fn is_scout(description: &str) -> bool {
    has_any(description, SCOUT)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
}

fn has_any(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// PatientAge as it says itself (PS3.5 section 6.2, AS), else from the day of birth and the day of the study.
fn age(instance: &Attributes) -> Option<f64> {
    let said = instance.text(tags::PATIENT_AGE).and_then(|age| {
        let age = age.trim();
        let (number, unit) = age.split_at_checked(age.len().checked_sub(1)?)?;
        let number: f64 = number.parse::<u32>().ok()?.into();
        Some(match unit {
            "Y" => number,
            "M" => number / 12.0,
            "W" => number / 52.18,
            "D" => number / 365.25,
            _ => return None,
        })
    });
    let day = |tag| date(instance.text(tag)?.trim());
    said.or_else(|| {
        let (born, then) = (day(tags::PATIENT_BIRTH_DATE)?, day(tags::STUDY_DATE)?);
        let months = |date: Date| date.year() * 12 + i32::from(u8::from(date.month()));
        let whole = months(then) - months(born) - i32::from(then.day() < born.day());
        // Whole years, as people count them; of the first year its months.
        (whole >= 0).then(|| if whole < 12 { f64::from(whole) / 12.0 } else { f64::from(whole / 12) })
    })
}

/// A day as DICOM writes it, `YYYYMMDD`.
pub(super) fn date(text: &str) -> Option<Date> {
    let part = |from, to| text.get(from..to)?.parse::<u16>().ok();
    let month = Month::try_from(u8::try_from(part(4, 6)?).ok()?).ok()?;
    Date::from_calendar_date(part(0, 4)?.into(), month, u8::try_from(part(6, 8)?).ok()?).ok()
}

/// Exactly so many finite numbers.
fn decimals<const N: usize>(attributes: &Attributes, tag: Tag) -> Option<[f64; N]> {
    crate::inputs::decimals(attributes, tag)
}
