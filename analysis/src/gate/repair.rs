//! What has one right answer is put right, and said in the object itself (PS3.3 section C.12.1.1.9).
//!
//! Only what the images of the job or the object itself tell: attributes of patient and study that were left out, the lists of
//! instances that repeat what the content names, the character set in which the patient's name is written. Nothing that the
//! service measured or drew is touched.

use std::collections::HashSet;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, Uid, VR,
    attributes::{self, Attributes, NotWritable},
    charset::Charset,
    dataset::{Dataset, Element, Value, is_text},
    person_name::PersonName,
};

use super::{
    Job, Repair,
    known::{Instance, Known},
    object::{Kind, Object},
    reading::{Faults, at},
    references::named,
    segmentation::frames,
};
use crate::{
    evidence::{
        content::{ImageReference, referenced},
        document::{DATE_TIME, REQUIRED, formatted},
        library::study_item,
    },
    inputs::Inputs,
};

/// Something that was changed, with what stood there before.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) repair: Repair,
    before: Option<Element>,
}

/// Names the character set where none is named, or one that nobody knows, and the patient's name shows which it is: that of the
/// images, or UTF-8. Without a name that shows it, whatever is UTF-8 throughout is taken for it.
pub(super) fn name_charset(data_set: &mut Dataset, inputs: &Inputs) -> Option<Change> {
    let named = data_set.bytes(tags::SPECIFIC_CHARACTER_SET).map(Charset::parse);
    let is_known = named.is_some_and(|charset| charset.unknown_terms().is_empty() && !is_default(&charset));
    let mut foreign = Vec::new();
    foreign_values(data_set, &mut foreign);
    if is_known || foreign.is_empty() {
        return None;
    }
    // Escape sequences are ASCII, so that ISO 2022 would pass for UTF-8.
    let is_utf8 = foreign.iter().all(|value| !value.contains(&0x1B) && std::str::from_utf8(value).is_ok());
    let name = data_set.bytes(tags::PATIENT_NAME).filter(|name| is_foreign(name));
    let expected = inputs.study.name(tags::PATIENT_NAME);
    let shows = |term: &str| {
        let decoded = Charset::parse(term.as_bytes()).decode_names(name?).into_iter().next()?;
        Some(groups(&decoded) == groups(expected?))
    };
    let of_images = inputs.study.get(tags::SPECIFIC_CHARACTER_SET).map(|attribute| {
        let terms: Vec<String> = attribute.texts().into_iter().map(Option::unwrap_or_default).collect();
        terms.join("\\")
    });
    let utf8 = is_utf8.then(|| "ISO_IR 192".to_owned());
    let found = match name {
        Some(_) => [utf8, of_images].into_iter().flatten().find(|term| shows(term) == Some(true)),
        None => utf8,
    }?;
    let before = data_set.get(tags::SPECIFIC_CHARACTER_SET).cloned();
    data_set.put_bytes(tags::SPECIFIC_CHARACTER_SET, VR::CS, found);
    let reason = "the character set in which the object is written was not named";
    Some(Change { repair: Repair { tag: tags::SPECIFIC_CHARACTER_SET, reason }, before })
}

/// Whether it can write no more than ASCII: then it says nothing about what is beyond.
fn is_default(charset: &Charset) -> bool {
    charset.specific_character_set().is_empty()
}

fn groups(name: &PersonName) -> [Option<String>; 3] {
    name.groups().map(|group| group.map(|group| group.trim_end_matches(['^', ' ']).to_owned()))
}

/// Bytes that are no character of the default repertoire (PS3.5 section 6.1.1).
fn is_foreign(value: &[u8]) -> bool {
    value.iter().any(|byte| *byte >= 0x80 || *byte == 0x1B)
}

fn foreign_values<'a>(data_set: &'a Dataset, found: &mut Vec<&'a [u8]>) {
    for element in data_set {
        match &element.value {
            Value::Bytes(bytes) if is_text(element.vr) && is_foreign(bytes) => found.push(bytes),
            Value::Items(items) => items
                .iter()
                .filter(|item| item.get(tags::SPECIFIC_CHARACTER_SET).is_none())
                .for_each(|item| foreign_values(item, found)),
            Value::Bytes(_) | Value::Left(_) | Value::Fragments(_) => {}
        }
    }
}

/// Puts in what is missing, and writes down what was changed.
pub(super) fn put_right(object: &mut Object, known: &Known<'_>, job: &Job<'_>, faults: &mut Faults) {
    let mut missing = inherited(&object.said, &job.inputs.study);
    match object.kind {
        Kind::Segmentation => missing.extend(sources(&object.said, known)),
        Kind::Report(_) => missing.extend(evidence(&object.said, known)),
        Kind::Presentation | Kind::Picture | Kind::Document => {}
    }
    if let Err(error) = put(object, missing) {
        let tag = match error {
            NotWritable::Charset(tag) | NotWritable::Kind(tag) | NotWritable::Elsewhere(tag) => tag,
        };
        let mend = "write it, or write the object in UTF-8 (ISO_IR 192)";
        faults.add(at("", tag), "it is missing and the object's character set cannot hold it", mend);
        return;
    }
    record(object, job);
}

/// A new attribute and why.
type Missing = (Attributes, &'static str);

/// Attributes of patient and study that must be there (type 2), with the values of the images; without one where the images have
/// none.
fn inherited(said: &Attributes, study: &Attributes) -> Vec<Missing> {
    let mut inherited = Attributes::new();
    for tag in REQUIRED.into_iter().chain([tags::ISSUER_OF_PATIENT_ID]) {
        let own = said.get(tag);
        if own.is_some_and(|own| !own.is_empty()) {
            continue;
        }
        match study.get(tag).filter(|expected| !expected.is_empty()) {
            Some(expected) => inherited.put(tag, expected.clone()),
            None if own.is_none() && tag != tags::ISSUER_OF_PATIENT_ID => inherited.put_empty(tag),
            None => {}
        }
    }
    vec![(inherited, "an attribute of the patient or the study was missing and was copied from the images")]
}

/// Common Instance Reference of a segmentation (section C.12.2), made of the images from which its frames were derived.
fn sources(said: &Attributes, known: &Known<'_>) -> Option<Missing> {
    if !said.items(tags::REFERENCED_SERIES_SEQUENCE).is_empty() {
        return None;
    }
    let frames = frames::all(said);
    let uids = frames.iter().flat_map(|frame| &frame.sources).map(|name| &name.instance);
    let items = by_series(uids, known).into_iter().map(|(series, instances)| {
        let mut item = Attributes::new();
        item.put_items(tags::REFERENCED_INSTANCE_SEQUENCE, instances);
        item.put_text(tags::SERIES_INSTANCE_UID, series.as_str());
        item
    });
    let items: Vec<Attributes> = items.collect();
    let mut missing = Attributes::new();
    missing.put_items(tags::REFERENCED_SERIES_SEQUENCE, items);
    let is_some = !missing.items(tags::REFERENCED_SERIES_SEQUENCE).is_empty();
    is_some.then_some((missing, "the list of source images was missing and was made from the frames' derivations"))
}

/// Current Requested Procedure Evidence of a report (section C.17.2): every instance that its content names. Left alone where it
/// names what nobody knows: that is refused.
fn evidence(said: &Attributes, known: &Known<'_>) -> Option<Missing> {
    let within = |tag: Tag| {
        let mut found = Vec::new();
        said.items(tag).iter().for_each(|item| named(item, &mut found));
        found
    };
    let current = within(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE);
    let other = within(tags::PERTINENT_OTHER_EVIDENCE_SEQUENCE);
    let content = within(tags::CONTENT_SEQUENCE);
    let listed: HashSet<&Uid> = current.iter().chain(&other).collect();
    if content.iter().all(|uid| listed.contains(uid)) || current.iter().any(|uid| known.instance(uid).is_none()) {
        return None;
    }
    let added = content.iter().filter(|uid| !listed.contains(uid));
    let series = by_series(current.iter().chain(added), known);
    let series: Vec<(&Uid, Vec<Attributes>)> = series;
    let mut missing = Attributes::new();
    let item = study_item(known.study.as_ref()?, series);
    missing.put_items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![item]);
    Some((missing, "instances that the content names were missing in the evidence"))
}

/// Known instances by their series: the job's in its order, then others in the order in which they are named.
fn by_series<'a>(uids: impl Iterator<Item = &'a Uid>, known: &'a Known<'_>) -> Vec<(&'a Uid, Vec<Attributes>)> {
    let mut seen = HashSet::new();
    let uids: Vec<&Uid> = uids.filter(|uid| seen.insert(*uid)).collect();
    let images = known.inputs.series.iter().flat_map(|series| &series.images).map(|image| &image.instance);
    let of_job = images.filter(|uid| seen.contains(uid));
    let others = uids.iter().copied().filter(|uid| known.instance(uid).is_some_and(|found| found.image.is_none()));
    let mut series: Vec<(&Uid, Vec<Attributes>)> = Vec::new();
    for uid in of_job.chain(others) {
        let Some(instance) = known.instance(uid) else { continue };
        let item = reference(uid, instance);
        match series.iter_mut().find(|(other, _)| **other == instance.series) {
            Some((_, items)) => items.push(item),
            None => series.push((&instance.series, vec![item])),
        }
    }
    series
}

fn reference(uid: &Uid, instance: &Instance<'_>) -> Attributes {
    referenced(&ImageReference { class: &instance.class, instance: uid, frame: None, segment: None })
}

fn put(object: &mut Object, missing: Vec<Missing>) -> Result<(), NotWritable> {
    for (mut missing, reason) in missing {
        if missing.is_empty() {
            continue;
        }
        if let Some(charset) = object.said.get(tags::SPECIFIC_CHARACTER_SET) {
            missing.put(tags::SPECIFIC_CHARACTER_SET, charset.clone());
        }
        let written = attributes::write(&missing, &mut |_| None)?;
        missing.remove(tags::SPECIFIC_CHARACTER_SET);
        for (tag, attribute) in missing {
            let Some(element) = written.get(tag) else { continue };
            let before = object.data_set.get(tag).cloned();
            object.data_set.put(element.clone());
            object.said.put(tag, attribute);
            object.changes.push(Change { repair: Repair { tag, reason }, before });
        }
    }
    Ok(())
}

/// What stood there before; what was not there stands without a value.
fn record(object: &mut Object, job: &Job<'_>) {
    if object.changes.is_empty() {
        return;
    }
    let mut before = Dataset::new();
    for Change { repair, before: element } in &object.changes {
        let absent = || {
            let vr = object.data_set.get(repair.tag).map_or(VR::UN, |element| element.vr);
            let value = if vr == VR::SQ { Value::Items(Vec::new()) } else { Value::Bytes(Vec::new()) };
            Element { tag: repair.tag, vr, value }
        };
        before.put(element.clone().unwrap_or_else(absent));
    }
    let mut item = Dataset::new();
    let put = |item: &mut Dataset, tag, value: Value, vr| item.put(Element { tag, vr, value });
    put(&mut item, tags::MODIFIED_ATTRIBUTES_SEQUENCE, Value::Items(vec![before]), VR::SQ);
    item.put_bytes(tags::ATTRIBUTE_MODIFICATION_DATE_TIME, VR::DT, formatted(job.at, DATE_TIME));
    item.put_bytes(tags::MODIFYING_SYSTEM, VR::LO, "MedVAN gateway");
    item.put_bytes(tags::SOURCE_OF_PREVIOUS_VALUES, VR::LO, "");
    item.put_bytes(tags::REASON_FOR_THE_ATTRIBUTE_MODIFICATION, VR::CS, "CORRECT");
    let mut items = object.data_set.items(tags::ORIGINAL_ATTRIBUTES_SEQUENCE).to_vec();
    items.push(item);
    put(&mut object.data_set, tags::ORIGINAL_ATTRIBUTES_SEQUENCE, Value::Items(items), VR::SQ);
}
