//! Content items of structured reports (PS3.3 section C.17.3).

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, Uid, VR,
    attributes::{Attribute, Attributes, Content, Number},
};
use medvan_profiles::descriptor::Words;

use super::terms::{ENGLISH, JAPANESE, LANGUAGE, Term};

/// How an item relates to the one above it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Relation {
    Contains,
    HasConceptModifier,
    HasObservationContext,
    HasAcquisitionContext,
    SelectedFrom,
}

impl Relation {
    fn term(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::HasConceptModifier => "HAS CONCEPT MOD",
            Self::HasObservationContext => "HAS OBS CONTEXT",
            Self::HasAcquisitionContext => "HAS ACQ CONTEXT",
            Self::SelectedFrom => "SELECTED FROM",
        }
    }
}

/// An instance, perhaps one frame or segment of it, as a report refers to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImageReference<'a> {
    pub(crate) class: &'a Uid,
    pub(crate) instance: &'a Uid,
    pub(crate) frame: Option<u32>,
    pub(crate) segment: Option<u16>,
}

/// One item of a code sequence. A value longer than 16 characters is a Long Code Value (PS3.3 section 8.1).
pub(crate) fn coded(term: Term<'_>) -> Attributes {
    let mut item = Attributes::new();
    let value = if term.code.len() > 16 { tags::LONG_CODE_VALUE } else { tags::CODE_VALUE };
    item.put_text(value, term.code);
    item.put_text(tags::CODING_SCHEME_DESIGNATOR, term.scheme);
    item.put_text(tags::CODE_MEANING, term.meaning);
    item
}

pub(super) fn container(
    relation: Relation,
    name: Term<'_>,
    template: Option<&str>,
    items: Vec<Attributes>,
) -> Attributes {
    let mut item = item(relation, "CONTAINER", Some(name));
    contain(&mut item, template, items);
    item
}

/// What makes an item, or a whole document, a container.
pub(super) fn contain(item: &mut Attributes, template: Option<&str>, items: Vec<Attributes>) {
    item.put_text(tags::CONTINUITY_OF_CONTENT, "SEPARATE");
    if let Some(template) = template {
        let mut of = Attributes::new();
        of.put_text(tags::MAPPING_RESOURCE, "DCMR");
        of.put_text(tags::TEMPLATE_IDENTIFIER, template);
        item.put_items(tags::CONTENT_TEMPLATE_SEQUENCE, vec![of]);
    }
    with(item, items);
}

/// The item with others below it.
pub(super) fn with(item: &mut Attributes, items: Vec<Attributes>) {
    if !items.is_empty() {
        item.put_items(tags::CONTENT_SEQUENCE, items);
    }
}

pub(super) fn text(relation: Relation, name: Term<'_>, text: impl Into<String>) -> Attributes {
    let mut item = item(relation, "TEXT", Some(name));
    item.put_text(tags::TEXT_VALUE, text);
    item
}

/// Words in both languages: an item each, and each says which (TID 1204).
pub(super) fn words(name: Term<'_>, words: &Words) -> [Attributes; 2] {
    [(&words.en, ENGLISH), (&words.ja, JAPANESE)].map(|(words, language)| {
        let mut item = text(Relation::Contains, name, words.as_str());
        with(&mut item, vec![code(Relation::HasConceptModifier, LANGUAGE, language)]);
        item
    })
}

pub(super) fn code(relation: Relation, name: Term<'_>, value: Term<'_>) -> Attributes {
    let mut item = item(relation, "CODE", Some(name));
    item.put_items(tags::CONCEPT_CODE_SEQUENCE, vec![coded(value)]);
    item
}

pub(super) fn uid(relation: Relation, name: Term<'_>, uid: &Uid) -> Attributes {
    let mut item = item(relation, "UIDREF", Some(name));
    item.put_text(tags::UID, uid.as_str());
    item
}

/// A number; where a decimal string cannot say it wholly the binary number stands beside it.
pub(super) fn number(name: Term<'_>, value: f64, unit: Term<'_>) -> Attributes {
    let mut measured = Attributes::new();
    let text = decimal(value);
    if text.parse() != Ok(value) {
        put_doubles(&mut measured, tags::FLOATING_POINT_VALUE, [value]);
    }
    measured.put_text(tags::NUMERIC_VALUE, text);
    measured.put_items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, vec![coded(unit)]);
    let mut item = item(Relation::Contains, "NUM", Some(name));
    item.put_items(tags::MEASURED_VALUE_SEQUENCE, vec![measured]);
    item
}

pub(super) fn image(relation: Relation, name: Option<Term<'_>>, reference: &ImageReference<'_>) -> Attributes {
    let mut item = item(relation, "IMAGE", name);
    item.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![referenced(reference)]);
    item
}

/// An item of a sequence of references (PS3.3 table 10-11, C.17.3.6).
pub(crate) fn referenced(reference: &ImageReference<'_>) -> Attributes {
    let mut item = Attributes::new();
    item.put_text(tags::REFERENCED_SOP_CLASS_UID, reference.class.as_str());
    item.put_text(tags::REFERENCED_SOP_INSTANCE_UID, reference.instance.as_str());
    if let Some(frame) = reference.frame {
        item.put_number(tags::REFERENCED_FRAME_NUMBER, u64::from(frame));
    }
    if let Some(segment) = reference.segment {
        item.put_number(tags::REFERENCED_SEGMENT_NUMBER, u64::from(segment));
    }
    item
}

/// Points in an image, with the image (PS3.3 section C.18.6).
pub(super) fn region(graphic: &str, points: &[[f64; 2]], image_of: &ImageReference<'_>) -> Attributes {
    let mut item = item(Relation::Contains, "SCOORD", Some(super::terms::IMAGE_REGION));
    item.put_text(tags::GRAPHIC_TYPE, graphic);
    put_singles(&mut item, tags::GRAPHIC_DATA, points.iter().flatten());
    with(&mut item, vec![image(Relation::SelectedFrom, None, image_of)]);
    item
}

/// Points in the patient (PS3.3 section C.18.9).
pub(super) fn in_patient(graphic: &str, points: &[[f64; 3]], frame_of_reference: &Uid) -> Attributes {
    let mut item = item(Relation::Contains, "SCOORD3D", Some(super::terms::SOURCE_OF_MEASUREMENT));
    item.put_text(tags::GRAPHIC_TYPE, graphic);
    put_singles(&mut item, tags::GRAPHIC_DATA, points.iter().flatten());
    item.put_text(tags::REFERENCED_FRAME_OF_REFERENCE_UID, frame_of_reference.as_str());
    item
}

fn item(relation: Relation, kind: &str, name: Option<Term<'_>>) -> Attributes {
    let mut item = Attributes::new();
    item.put_text(tags::RELATIONSHIP_TYPE, relation.term());
    item.put_text(tags::VALUE_TYPE, kind);
    if let Some(name) = name {
        item.put_items(tags::CONCEPT_NAME_CODE_SEQUENCE, vec![coded(name)]);
    }
    item
}

fn put_singles<'a>(item: &mut Attributes, tag: Tag, numbers: impl Iterator<Item = &'a f64>) {
    let numbers = numbers.map(|number| Some(Number::Single(*number as f32))).collect();
    item.put(tag, Attribute { vr: VR::FL, content: Content::Numbers(numbers) });
}

fn put_doubles(item: &mut Attributes, tag: Tag, numbers: impl IntoIterator<Item = f64>) {
    let numbers = numbers.into_iter().map(|number| Some(Number::Double(number))).collect();
    item.put(tag, Attribute { vr: VR::FD, content: Content::Numbers(numbers) });
}

/// A decimal string: at most 16 characters (PS3.5 section 6.2), as exact as they allow.
pub(super) fn decimal(number: f64) -> String {
    const LONGEST: usize = 16;
    let plain = format!("{number}");
    if plain.len() <= LONGEST {
        return plain;
    }
    let shorter = (0..=15).rev().flat_map(|digits| [format!("{number:.digits$}"), format!("{number:.digits$e}")]);
    let fits = shorter.filter(|text| text.len() <= LONGEST);
    let off = |text: &String| text.parse::<f64>().map_or(f64::INFINITY, |read| (read - number).abs());
    fits.min_by(|one, other| off(one).total_cmp(&off(other))).unwrap_or_else(|| "0".to_owned())
}
