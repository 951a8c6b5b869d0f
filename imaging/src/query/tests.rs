//! One table for each kind of rule; what they share is here.

mod answers;
mod identifiers;
mod matches;
mod moments;
mod narrowing;
mod parameters;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{Level, Query, QueryError};
use crate::attributes::Attributes;

/// Attributes with these texts; a backslash stands between several values.
fn attributes(pairs: &[(Tag, &str)]) -> Attributes {
    let mut attributes = Attributes::new();
    for (tag, text) in pairs {
        attributes.put_texts(*tag, text.split('\\').map(str::to_owned));
    }
    attributes
}

/// The study of 山田^太郎 in Tokyo.
fn study() -> Attributes {
    let mut study = attributes(&[
        (tags::STUDY_DATE, "20260704"),
        (tags::STUDY_TIME, "101530.5"),
        (tags::ACCESSION_NUMBER, "A-17"),
        (tags::MODALITIES_IN_STUDY, "CT\\SR"),
        (tags::STUDY_DESCRIPTION, "胸部CT"),
        (tags::TIMEZONE_OFFSET_FROM_UTC, "+0900"),
        (tags::PATIENT_NAME, "YAMADA^TARO=山田^太郎=やまだ^たろう"),
        (tags::PATIENT_ID, "0012345"),
        (tags::PATIENT_SEX, "M"),
        (tags::STUDY_INSTANCE_UID, "1.2.392.1"),
        (tags::STUDY_ID, "17"),
    ]);
    study.put_number(tags::NUMBER_OF_STUDY_RELATED_SERIES, 2);
    study
}

/// A series of it, with two requests.
fn series() -> Attributes {
    let mut series = study();
    series.put_text(tags::MODALITY, "CT");
    series.put_text(tags::SERIES_INSTANCE_UID, "1.2.392.1.1");
    series.put_text(tags::SERIES_NUMBER, "007");
    series.put_text(tags::SERIES_DESCRIPTION, "Lung 1.0");
    series.put_items(
        tags::REQUEST_ATTRIBUTES_SEQUENCE,
        vec![
            attributes(&[
                (tags::SCHEDULED_PROCEDURE_STEP_ID, "S1"),
                (tags::REQUESTED_PROCEDURE_ID, "R1"),
                (tags::REQUESTED_PROCEDURE_DESCRIPTION, "CT chest"),
            ]),
            attributes(&[(tags::SCHEDULED_PROCEDURE_STEP_ID, "S2"), (tags::REQUESTED_PROCEDURE_ID, "R2")]),
        ],
    );
    series
}

/// An instance of it.
fn instance() -> Attributes {
    let mut instance = series();
    instance.put_text(tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.2");
    instance.put_text(tags::SOP_INSTANCE_UID, "1.2.392.1.1.1");
    instance.put_text(tags::SLICE_THICKNESS, "1.0");
    instance.put_number(tags::ROWS, 512);
    instance
}

/// Parses a query string whose values need no percent-encoding.
fn query(level: Level, text: &str) -> Result<Query, QueryError> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    Query::from_parameters(level, pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))).map(|(query, _)| query)
}
