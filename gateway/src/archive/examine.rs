//! What the index must know about an instance, read from the instance itself.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, Uid,
    attributes::{self, Attribute, AttributePath, Attributes, Content},
    dataset::Dataset,
    file::File,
    person_name::PersonName,
    query::{Level, date_key, level_of},
};

use super::{Expected, Fault};
use crate::store::{Kind, NewInstance, NewSeries, NewStudy};

/// The UIDs of an instance, as far as it has them.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) class: Option<Uid>,
    pub(super) instance: Option<Uid>,
    pub(super) study: Option<Uid>,
    pub(super) series: Option<Uid>,
}

impl Identity {
    /// From the data set; what group 0002 says is only for those who do not read on.
    pub(super) fn of(file: &File) -> Self {
        let uid = |tag| file.data_set.uid(tag);
        Self {
            class: uid(tags::SOP_CLASS_UID),
            instance: uid(tags::SOP_INSTANCE_UID),
            study: uid(tags::STUDY_INSTANCE_UID),
            series: uid(tags::SERIES_INSTANCE_UID),
        }
    }
}

/// The rows of an instance; where its bytes are is filled in by the writer.
pub(super) fn instance(
    file: &File,
    identity: &Identity,
    expected: &Expected,
    kind: Kind,
) -> Result<NewInstance, Fault> {
    let class = present(identity.class.as_ref(), tags::SOP_CLASS_UID)?;
    let uid = present(identity.instance.as_ref(), tags::SOP_INSTANCE_UID)?;
    let study = present(identity.study.as_ref(), tags::STUDY_INSTANCE_UID)?;
    let series = present(identity.series.as_ref(), tags::SERIES_INSTANCE_UID)?;
    if expected.study.as_ref().is_some_and(|expected| *expected != study) {
        return Err(Fault::Other(tags::STUDY_INSTANCE_UID));
    }
    if let Some((expected_class, expected_uid)) = &expected.object {
        same(expected_class, &class, tags::SOP_CLASS_UID)?;
        same(expected_uid, &uid, tags::SOP_INSTANCE_UID)?;
    }
    let levels = Levels::of(&file.data_set);
    let whole = |tag| levels.all.text(tag).and_then(|text| text.trim().parse().ok());
    let text = |tag| levels.all.text(tag).unwrap_or_default().trim().to_owned();
    Ok(NewInstance {
        study: NewStudy {
            uid: study,
            patient_id: text(tags::PATIENT_ID),
            accession: text(tags::ACCESSION_NUMBER),
            study_id: text(tags::STUDY_ID),
            date: date_key(&text(tags::STUDY_DATE)).unwrap_or_default(),
            words: words(&levels.all),
            attributes: json(&levels.study),
        },
        series: NewSeries { uid: series, modality: text(tags::MODALITY), attributes: json(&levels.series) },
        uid,
        class,
        syntax: file.head.syntax.clone(),
        number: whole(tags::INSTANCE_NUMBER),
        frames: whole(tags::NUMBER_OF_FRAMES),
        rows: whole(tags::ROWS),
        columns: whole(tags::COLUMNS),
        bits: whole(tags::BITS_ALLOCATED),
        at_byte: 0,
        bytes: 0,
        digest: [0; 32],
        kind,
    })
}

/// Words by which the patient is found; a name with several values is found by each.
fn words(attributes: &Attributes) -> Vec<String> {
    match attributes.get(tags::PATIENT_NAME).map(|attribute| &attribute.content) {
        Some(Content::Names(names)) => {
            // More names than one are rare, more than a few are nobody's.
            names.iter().flatten().take(4).flat_map(PersonName::search_keys).collect()
        }
        _ => Vec::new(),
    }
}

fn present(uid: Option<&Uid>, tag: Tag) -> Result<Uid, Fault> {
    uid.cloned().ok_or(Fault::Uid(tag))
}

fn same(expected: &Uid, found: &Uid, tag: Tag) -> Result<(), Fault> {
    if expected == found { Ok(()) } else { Err(Fault::Other(tag)) }
}

/// The attributes of an instance by the level to which they belong. Long values are not searched for and stay out.
struct Levels {
    all: Attributes,
    study: Attributes,
    series: Attributes,
}

impl Levels {
    fn of(data_set: &Dataset) -> Self {
        let all = attributes::read(data_set, &|_: &AttributePath| None);
        let of_level = |level: Level| -> Attributes {
            let of_level = all.iter().filter(|(tag, attribute)| level_of(**tag) == level && is_searched(attribute));
            of_level.map(|(tag, attribute)| (*tag, attribute.clone())).collect()
        };
        Self { study: of_level(Level::Study), series: of_level(Level::Series), all }
    }
}

/// What nobody searches by stays out of the index: every row of it is read at every search. It is in the metadata.
fn is_searched(attribute: &Attribute) -> bool {
    let texts = attribute.texts();
    texts.len() <= 64 && texts.iter().flatten().map(String::len).sum::<usize>() <= 4_096
}

fn json(attributes: &Attributes) -> String {
    serde_json::to_string(attributes).unwrap_or_else(|_| "{}".to_owned())
}
