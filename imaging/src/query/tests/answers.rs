use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{attributes, instance, query, series, study};
use crate::{
    Uid,
    attributes::{Attribute, Attributes, Content},
    query::{Level, REQUIRED_INSTANCE, REQUIRED_SERIES, REQUIRED_STUDY, Required, level_of},
};

fn tags_of(attributes: &Attributes) -> Vec<Tag> {
    attributes.iter().map(|(tag, _)| *tag).collect()
}

fn has(attributes: &Attributes, tag: Tag) -> bool {
    attributes.get(tag).is_some()
}

#[test]
fn a_study_has_what_the_table_requires_and_nothing_else() {
    let answer = query(Level::Study, "").unwrap().answer(&study());
    assert_eq!(
        tags_of(&answer),
        [
            tags::STUDY_DATE,
            tags::STUDY_TIME,
            tags::ACCESSION_NUMBER,
            tags::MODALITIES_IN_STUDY,
            tags::REFERRING_PHYSICIAN_NAME,
            tags::TIMEZONE_OFFSET_FROM_UTC,
            tags::PATIENT_NAME,
            tags::PATIENT_ID,
            tags::PATIENT_BIRTH_DATE,
            tags::PATIENT_SEX,
            tags::STUDY_INSTANCE_UID,
            tags::STUDY_ID,
            tags::NUMBER_OF_STUDY_RELATED_SERIES,
            tags::NUMBER_OF_STUDY_RELATED_INSTANCES,
        ]
    );
    let birth_date = answer.get(tags::PATIENT_BIRTH_DATE).unwrap();
    assert_eq!((birth_date.vr, &birth_date.content), (VR::DA, &Content::Empty));
}

#[test]
fn keys_and_included_fields_are_told_and_lower_levels_never() {
    let text = "StudyDescription=*CT*&includefield=PatientComments,SeriesDescription,SOPInstanceUID,00081032.00080100";
    let answer = query(Level::Study, text).unwrap().answer(&instance());
    assert_eq!(answer.text(tags::STUDY_DESCRIPTION).as_deref(), Some("胸部CT"));
    assert!(answer.get(tags::PATIENT_COMMENTS).unwrap().is_empty());
    assert!(answer.get(tags::PROCEDURE_CODE_SEQUENCE).unwrap().is_empty());
    assert!(!has(&answer, tags::SERIES_DESCRIPTION) && !has(&answer, tags::SOP_INSTANCE_UID));
}

#[test]
fn all_fields_are_those_of_the_level() {
    let study = query(Level::Study, "includefield=all").unwrap().answer(&instance());
    assert!(has(&study, tags::STUDY_DESCRIPTION) && !has(&study, tags::MODALITY) && !has(&study, tags::ROWS));
    let in_study = Uid::known("1.2.392.1");
    let series = query(Level::Series, "includefield=all").unwrap().in_study(&in_study).unwrap().answer(&instance());
    assert!(has(&series, tags::MODALITY) && !has(&series, tags::STUDY_DESCRIPTION) && !has(&series, tags::ROWS));
    assert_eq!(series.items(tags::REQUEST_ATTRIBUTES_SEQUENCE)[0].len(), 3);
}

#[test]
fn levels_above_are_told_where_the_path_does_not_name_them() {
    let (in_study, in_series) = (Uid::known("1.2.392.1"), Uid::known("1.2.392.1.1"));
    let everywhere = query(Level::Series, "").unwrap();
    assert!(has(&everywhere.answer(&series()), tags::PATIENT_ID));
    let series_of_study = everywhere.in_study(&in_study).unwrap();
    assert!(!has(&series_of_study.answer(&series()), tags::PATIENT_ID));
    assert!(series_of_study.matches(&series()));
    assert!(!series_of_study.matches(&attributes(&[(tags::STUDY_INSTANCE_UID, "1.2.3")])));

    let instances = query(Level::Instance, "").unwrap();
    let answer = instances.answer(&instance());
    assert!(has(&answer, tags::PATIENT_ID) && has(&answer, tags::MODALITY) && has(&answer, tags::INSTANCE_NUMBER));
    let of_study = instances.in_study(&in_study).unwrap();
    let answer = of_study.answer(&instance());
    assert!(!has(&answer, tags::PATIENT_ID) && has(&answer, tags::MODALITY));
    let answer = of_study.in_series(&in_series).unwrap().answer(&instance());
    assert_eq!(
        tags_of(&answer),
        [
            tags::SOP_CLASS_UID,
            tags::SOP_INSTANCE_UID,
            tags::TIMEZONE_OFFSET_FROM_UTC,
            // The keys of the path.
            tags::STUDY_INSTANCE_UID,
            tags::SERIES_INSTANCE_UID,
            tags::INSTANCE_NUMBER,
            tags::ROWS,
        ]
    );
}

#[test]
fn of_a_sequence_only_what_was_asked_for_is_told() {
    let ids = [tags::SCHEDULED_PROCEDURE_STEP_ID, tags::REQUESTED_PROCEDURE_ID];
    let answer = query(Level::Series, "").unwrap().answer(&series());
    let items = answer.items(tags::REQUEST_ATTRIBUTES_SEQUENCE);
    assert_eq!(items.iter().map(tags_of).collect::<Vec<_>>(), [ids, ids]);

    let answer = query(Level::Series, "00400275.00400009=S2").unwrap().answer(&series());
    let items = answer.items(tags::REQUEST_ATTRIBUTES_SEQUENCE);
    assert_eq!(items.iter().map(|item| item.text(ids[0])).collect::<Vec<_>>(), [Some("S2".to_owned())]);

    let text = "00400275.00400009=S2&includefield=RequestAttributesSequence";
    let answer = query(Level::Series, text).unwrap().answer(&series());
    assert_eq!(answer.get(tags::REQUEST_ATTRIBUTES_SEQUENCE), series().get(tags::REQUEST_ATTRIBUTES_SEQUENCE));
}

#[test]
fn a_private_attribute_is_told_with_its_creator() {
    let mut candidate = study();
    let text = |text: &str| Attribute { vr: VR::LO, content: Content::Text(vec![Some(text.to_owned())]) };
    candidate.put(Tag(0x0023, 0x0011), text("AcmeCompany"));
    candidate.put(Tag(0x0023, 0x1102), text("value"));
    candidate.put(Tag(0x0023, 0x1103), text("another"));
    let text = "00230010=AcmeCompany&includefield=00231002&includefield=00231009";
    let answer = query(Level::Study, text).unwrap().answer(&candidate);
    let private: Vec<Tag> = tags_of(&answer).into_iter().filter(|tag| tag.group() == 0x0023).collect();
    assert_eq!(private, [Tag(0x0023, 0x0011), Tag(0x0023, 0x1102)]);
}

#[test]
fn attributes_stand_at_the_level_of_their_module() {
    for (tag, level) in [
        (tags::PATIENT_NAME, Level::Study),
        (tags::CLINICAL_TRIAL_SUBJECT_ID, Level::Study),
        (tags::PATIENT_AGE, Level::Study),
        (tags::MODALITIES_IN_STUDY, Level::Study),
        (tags::RETRIEVE_URL, Level::Study),
        (tags::MODALITY, Level::Series),
        (tags::MANUFACTURER, Level::Series),
        (tags::FRAME_OF_REFERENCE_UID, Level::Series),
        (tags::REQUEST_ATTRIBUTES_SEQUENCE, Level::Series),
        (tags::NUMBER_OF_SERIES_RELATED_INSTANCES, Level::Series),
        (tags::SOP_INSTANCE_UID, Level::Instance),
        (tags::FOCAL_SPOTS, Level::Instance),
        (tags::PIXEL_DATA, Level::Instance),
        (Tag(0x0023, 0x1001), Level::Instance),
    ] {
        assert_eq!(level_of(tag), level, "{tag}");
    }
    for (level, table) in
        [(Level::Study, REQUIRED_STUDY), (Level::Series, REQUIRED_SERIES), (Level::Instance, REQUIRED_INSTANCE)]
    {
        assert!(table.iter().all(|Required { tag, .. }| level_of(*tag) <= level), "{level}");
        assert!(table.is_sorted_by_key(|required| required.tag) || level == Level::Instance);
    }
}

#[test]
fn no_attribute_stands_in_two_modules() {
    let mut tags: Vec<Tag> = crate::query::modules::MODULES.iter().flat_map(|(.., tags)| *tags).copied().collect();
    let all = tags.len();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), all);
}
