//! What every authored object says: of whom, of which study, by whom, and the bytes that it becomes.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, TransferSyntax, VR,
    attributes::{self, Attributes, NotWritable},
    dataset::{Piece, write},
    file,
};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::{Context, Object, Qualification, Reference, content::coded, terms};

pub(super) const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]");
pub(super) const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour][minute][second]");
pub(crate) const DATE_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day][hour][minute][second][offset_hour sign:mandatory][offset_minute]");

/// Characters of a long string.
const LO: usize = 64;

/// Attributes that must be there, with or without value (type 2 of PS3.3 sections C.7.1.1 and C.7.2.1).
pub(crate) const REQUIRED: [Tag; 9] = [
    tags::PATIENT_NAME,
    tags::PATIENT_ID,
    tags::PATIENT_BIRTH_DATE,
    tags::PATIENT_SEX,
    tags::STUDY_DATE,
    tags::STUDY_TIME,
    tags::STUDY_ID,
    tags::ACCESSION_NUMBER,
    tags::REFERRING_PHYSICIAN_NAME,
];

/// Of which kind a series is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    /// Modality.
    pub(super) modality: &'static str,
    /// SeriesNumber: behind those of scanners.
    pub(super) number: u64,
}

/// Patient, study, series, equipment and SOP common of an object, with its number in the series.
pub(super) fn begin(context: &Context<'_>, object: &Reference, series: Series, number: u64) -> Attributes {
    let mut begun = context.inputs.study.clone();
    for tag in REQUIRED {
        if begun.get(tag).is_none() {
            begun.put_empty(tag);
        }
    }
    begun.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
    begun.put_text(tags::SOP_CLASS_UID, object.class.as_str());
    begun.put_text(tags::SOP_INSTANCE_UID, object.instance.as_str());
    begun.put_text(tags::INSTANCE_CREATION_DATE, formatted(context.at, DATE));
    begun.put_text(tags::INSTANCE_CREATION_TIME, formatted(context.at, TIME));
    begun.put_text(tags::CONTENT_DATE, formatted(context.at, DATE));
    begun.put_text(tags::CONTENT_TIME, formatted(context.at, TIME));
    begun.put_text(tags::SERIES_INSTANCE_UID, object.series.as_str());
    begun.put_text(tags::MODALITY, series.modality);
    begun.put_number(tags::SERIES_NUMBER, series.number);
    begun.put_text(tags::SERIES_DESCRIPTION, long_string(&format!("AI results: {}", context.algorithm.name)));
    begun.put_number(tags::INSTANCE_NUMBER, number);
    let qualification = match context.qualification {
        Qualification::Product => "PRODUCT",
        Qualification::Research => "RESEARCH",
    };
    begun.put_text(tags::CONTENT_QUALIFICATION, qualification);
    equipment(context, &mut begun);
    begun.put_items(tags::CONTRIBUTING_EQUIPMENT_SEQUENCE, contributors(context));
    begun
}

/// The file with these attributes, and pixels if there are any.
pub(crate) fn object(reference: Reference, said: &Attributes, pixels: Option<Vec<u8>>) -> Result<Object, NotWritable> {
    let mut data_set = attributes::write(said, &mut |_| None)?;
    if let Some(pixels) = pixels {
        data_set.put_bytes(tags::PIXEL_DATA, VR::OB, pixels);
    }
    let mut bytes = file::head(&reference.class, &reference.instance, &TransferSyntax::explicit_little());
    for piece in write(&data_set, true) {
        // Nothing was left in a source: there is none.
        if let Piece::Bytes(piece) = piece {
            bytes.extend(piece);
        }
    }
    Ok(Object { reference, bytes })
}

/// A text that LO can hold: without separators and control characters, at most 64 characters.
pub(crate) fn long_string(text: &str) -> String {
    let characters = text.chars().filter(|character| !character.is_control() && *character != '\\');
    characters.take(LO).collect::<String>().trim().to_owned()
}

pub(crate) fn formatted(at: OffsetDateTime, form: &[BorrowedFormatItem<'_>]) -> String {
    at.format(form).unwrap_or_default()
}

/// General and Enhanced General Equipment (PS3.3 sections C.7.5.1, C.7.5.2), where all are type 1: the service is the device.
fn equipment(context: &Context<'_>, begun: &mut Attributes) {
    let algorithm = context.algorithm;
    let or = |text: &str, other: &str| {
        let text = long_string(text);
        if text.is_empty() { other.to_owned() } else { text }
    };
    begun.put_text(tags::MANUFACTURER, or(&algorithm.manufacturer, "unknown"));
    begun.put_text(tags::MANUFACTURER_MODEL_NAME, or(&algorithm.manufacturer_model, &or(&algorithm.name, "unknown")));
    begun.put_text(tags::DEVICE_SERIAL_NUMBER, or(&algorithm.service_id, "unknown"));
    begun.put_text(tags::SOFTWARE_VERSIONS, or(&algorithm.version, "unknown"));
}

/// The service, and the gateway that wrote its findings down (PS3.3 section C.12.1).
fn contributors(context: &Context<'_>) -> Vec<Attributes> {
    let mut service = Attributes::new();
    equipment(context, &mut service);
    let number = context.algorithm.regulatory_number.as_deref().map(|number| format!("; medical device {number}"));
    let found = format!("Artificial intelligence that made the findings: {}", context.algorithm.service_id);
    service.put_text(tags::CONTRIBUTION_DESCRIPTION, found + &number.unwrap_or_default());
    let mut gateway = Attributes::new();
    gateway.put_text(tags::MANUFACTURER, "MedVAN");
    gateway.put_text(tags::MANUFACTURER_MODEL_NAME, "MedVAN gateway");
    gateway.put_text(tags::SOFTWARE_VERSIONS, env!("CARGO_PKG_VERSION"));
    gateway.put_text(tags::CONTRIBUTION_DESCRIPTION, "Gateway that checked the findings and wrote this object");
    [service, gateway]
        .into_iter()
        .map(|mut equipment| {
            equipment.put_items(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, vec![coded(terms::PROCESSING_EQUIPMENT)]);
            equipment.put_text(tags::CONTRIBUTION_DATE_TIME, formatted(context.at, DATE_TIME));
            equipment
        })
        .collect()
}
