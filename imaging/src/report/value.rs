//! What a content item says, by its Value Type (PS3.3 §C.17.3.2.1 and §C.18).

use dicom_core::{Tag, dictionary::UidDictionary as _};
use dicom_dictionary_std::{StandardSopClassDictionary, tags};

use super::{
    document::{Reader, readable, text_of},
    moments,
    words::Word,
};
use crate::attributes::{Attributes, Content};

/// Numbers of a list that are shown.
const LISTED: usize = 24;
/// Points of a graphic that are shown.
const POINTS: usize = 8;
/// Instances that one item may name; the standard has one.
const INSTANCES: usize = 16;

/// What is shown of an item beside its name.
pub(super) enum Shown {
    /// Nothing: a container.
    Nothing,
    /// What it says, and what only a machine or a doubt asks for.
    Value {
        /// It may have several lines.
        text: String,
        /// Each a line.
        details: Vec<String>,
    },
    /// Another item, by its place.
    Reference(String),
}

/// The meaning of the code in a sequence, or else the code.
pub(super) fn concept(holder: &Attributes, sequence: Tag) -> Option<String> {
    let item = holder.items(sequence).first()?;
    text_of(item, tags::CODE_MEANING).or_else(|| code(item))
}

fn code(item: &Attributes) -> Option<String> {
    [tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE].into_iter().find_map(|tag| text_of(item, tag))
}

pub(super) fn shown(reader: &mut Reader, item: &Attributes) -> Shown {
    if let Some(place) = item.get(tags::REFERENCED_CONTENT_ITEM_IDENTIFIER).map(|place| listed(&place.texts(), ".")) {
        return Shown::Reference(reader.line(place));
    }
    let text = |tag| text_of(item, tag);
    let value_type = text(tags::VALUE_TYPE).unwrap_or_default();
    let (text, mut details) = match value_type.as_str() {
        "" | "CONTAINER" => return Shown::Nothing,
        "TEXT" => (long_text(reader, item), Vec::new()),
        "CODE" => (concept(item, tags::CONCEPT_CODE_SEQUENCE), Vec::new()),
        "NUM" => (Some(number(reader, item)), Vec::new()),
        "DATE" => (text(tags::DATE).map(|date| moments::date(&date)), Vec::new()),
        "TIME" => (text(tags::TIME).map(|time| moments::time(&time)), Vec::new()),
        "DATETIME" => (text(tags::DATE_TIME).map(|moment| moments::date_time(&moment)), Vec::new()),
        "PNAME" => (item.name(tags::PERSON_NAME).map(readable), Vec::new()),
        "UIDREF" => (text(tags::UID), Vec::new()),
        "IMAGE" | "COMPOSITE" | "WAVEFORM" => instances(reader, item),
        "SCOORD" => (Some(graphic(reader, item, 2)), Vec::new()),
        "SCOORD3D" => {
            let frame = text(tags::REFERENCED_FRAME_OF_REFERENCE_UID);
            let frame = frame.map(|uid| format!("{} {uid}", Word::FrameOfReference.of(reader.language)));
            (Some(graphic(reader, item, 3)), frame.into_iter().collect())
        }
        "TCOORD" => (Some(range(reader, item)), Vec::new()),
        other => (Some(format!("[{other}]")), Vec::new()),
    };
    if let Some(moment) = item.text(tags::OBSERVATION_DATE_TIME) {
        details.push(format!("{} {}", Word::Observed.of(reader.language), moments::date_time(&moment)));
    }
    Shown::Value {
        text: reader.lines(&text.unwrap_or_default()),
        details: details.into_iter().map(|detail| reader.line(detail)).collect(),
    }
}

/// Text Value. One that was left in the file is told of, not passed over.
fn long_text(reader: &Reader, item: &Attributes) -> Option<String> {
    match item.get(tags::TEXT_VALUE).map(|attribute| &attribute.content) {
        Some(Content::Elsewhere(_)) => Some(format!("[{}]", Word::TooLong.of(reader.language))),
        _ => item.text(tags::TEXT_VALUE),
    }
}

/// Numeric Value with its unit, or why there is none (PS3.3 §C.18.1).
fn number(reader: &Reader, item: &Attributes) -> String {
    let measured = item.items(tags::MEASURED_VALUE_SEQUENCE).first();
    let value = measured.and_then(|measured| {
        let value = text_of(measured, tags::NUMERIC_VALUE)?;
        Some(match unit(measured) {
            Some(unit) => format!("{value} {unit}"),
            None => value,
        })
    });
    let qualifier = concept(item, tags::NUMERIC_VALUE_QUALIFIER_CODE_SEQUENCE);
    match (value, qualifier) {
        (Some(value), Some(qualifier)) => format!("{value} ({qualifier})"),
        (Some(value), None) => value,
        (None, Some(qualifier)) => qualifier,
        (None, None) => Word::NotMeasured.of(reader.language).to_owned(),
    }
}

/// The unit's symbol of UCUM; where that is for machines only, its meaning.
fn unit(measured: &Attributes) -> Option<String> {
    let units = measured.items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).first()?;
    let symbol = code(units).filter(|_| text_of(units, tags::CODING_SCHEME_DESIGNATOR).as_deref() == Some("UCUM"));
    match symbol.as_deref() {
        Some("1") => None,
        Some(symbol) if !symbol.contains('{') => Some(symbol.to_owned()),
        _ => text_of(units, tags::CODE_MEANING).or_else(|| code(units)),
    }
}

/// What kind of instance is referred to, with its UID and the parts of it that are meant.
fn instances(reader: &Reader, item: &Attributes) -> (Option<String>, Vec<String>) {
    let references = item.items(tags::REFERENCED_SOP_SEQUENCE);
    let mut classes = Vec::new();
    let mut details = Vec::new();
    for reference in references.iter().take(INSTANCES) {
        classes.extend(class(reference).filter(|class| !classes.contains(class)));
        details.extend(text_of(reference, tags::REFERENCED_SOP_INSTANCE_UID));
        for (word, tag) in [
            (Word::Frames, tags::REFERENCED_FRAME_NUMBER),
            (Word::Segments, tags::REFERENCED_SEGMENT_NUMBER),
            (Word::Channels, tags::REFERENCED_WAVEFORM_CHANNELS),
        ] {
            let numbers = reference.get(tag).map(|numbers| listed(&numbers.texts(), ", "));
            details.extend(numbers.map(|numbers| format!("{} {numbers}", word.of(reader.language))));
        }
        for state in reference.items(tags::REFERENCED_SOP_SEQUENCE).iter().take(INSTANCES) {
            let uid = text_of(state, tags::REFERENCED_SOP_INSTANCE_UID);
            details.extend(uid.map(|uid| format!("{} {uid}", Word::Presentation.of(reader.language))));
        }
    }
    if references.len() > INSTANCES {
        details.push("…".to_owned());
    }
    (Some(classes.join(", ")), details)
}

fn class(reference: &Attributes) -> Option<String> {
    let uid = text_of(reference, tags::REFERENCED_SOP_CLASS_UID)?;
    Some(StandardSopClassDictionary.by_uid(&uid).map_or(uid, |known| known.name.to_owned()))
}

/// Graphic Type and its first points, of so many coordinates each (PS3.3 §C.18.6 and §C.18.9).
fn graphic(reader: &Reader, item: &Attributes, coordinates: usize) -> String {
    let kind = text_of(item, tags::GRAPHIC_TYPE).unwrap_or_default();
    let Some(data) = item.get(tags::GRAPHIC_DATA) else { return kind };
    if matches!(data.content, Content::Elsewhere(_)) {
        return format!("{kind} [{}]", Word::TooLong.of(reader.language));
    }
    let numbers = data.texts();
    let count = numbers.len() / coordinates;
    let points = numbers.chunks_exact(coordinates).take(POINTS).map(|point| format!("({})", listed(point, ", ")));
    let shown: Vec<String> = std::iter::once(kind).chain(points).collect();
    let rest = (count > POINTS).then(|| format!(" … {count} {}", Word::Points.of(reader.language)));
    shown.join(" ") + &rest.unwrap_or_default()
}

/// Temporal Range Type and what it spans (PS3.3 §C.18.7).
fn range(reader: &Reader, item: &Attributes) -> String {
    let kind = text_of(item, tags::TEMPORAL_RANGE_TYPE).unwrap_or_default();
    let places = [tags::REFERENCED_SAMPLE_POSITIONS, tags::REFERENCED_TIME_OFFSETS, tags::REFERENCED_DATE_TIME];
    let Some((tag, found)) = places.into_iter().find_map(|tag| Some((tag, item.get(tag)?))) else { return kind };
    let texts = match (tag, found.texts()) {
        (tags::REFERENCED_DATE_TIME, texts) => {
            texts.into_iter().map(|text| text.map(|text| moments::date_time(&text))).collect()
        }
        (_, texts) => texts,
    };
    let rest = (texts.len() > LISTED).then(|| format!(" {} {}", texts.len(), Word::Values.of(reader.language)));
    format!("{kind} {}{}", listed(&texts, ", "), rest.unwrap_or_default())
}

/// The first values of a list.
fn listed(values: &[Option<String>], between: &str) -> String {
    let mut shown: Vec<&str> = values.iter().take(LISTED).map(|value| value.as_deref().unwrap_or_default()).collect();
    if values.len() > LISTED {
        shown.push("…");
    }
    shown.join(between)
}
