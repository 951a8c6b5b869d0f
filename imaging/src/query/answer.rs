//! What is told of a result (PS3.18 §10.6.3.3; PS3.4 §C.4.1.1.3.2 for C-FIND).

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{Include, Level, Query, Selector, Within, key::is_private, level_of, selection::Selection};
use crate::attributes::Attributes;

/// An attribute that every answer of a level has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Required {
    /// Its tag.
    pub tag: Tag,
    /// When it is there.
    pub presence: Presence,
    /// Of a sequence, the attributes of its items.
    pub inside: &'static [Tag],
}

/// When a required attribute is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Always, without a value where none is known (types U and R).
    Always,
    /// Where it has a value (type C; also Retrieve URL, which needs a resource to point at).
    Known,
}

const fn always(tag: Tag) -> Required {
    Required { tag, presence: Presence::Always, inside: &[] }
}

const fn known(tag: Tag) -> Required {
    Required { tag, presence: Presence::Known, inside: &[] }
}

/// PS3.18 2024e table 10.6.3-3.
pub const REQUIRED_STUDY: &[Required] = &[
    always(tags::STUDY_DATE),
    always(tags::STUDY_TIME),
    always(tags::ACCESSION_NUMBER),
    known(tags::INSTANCE_AVAILABILITY),
    always(tags::MODALITIES_IN_STUDY),
    always(tags::REFERRING_PHYSICIAN_NAME),
    known(tags::TIMEZONE_OFFSET_FROM_UTC),
    known(tags::RETRIEVE_URL),
    always(tags::PATIENT_NAME),
    always(tags::PATIENT_ID),
    always(tags::PATIENT_BIRTH_DATE),
    always(tags::PATIENT_SEX),
    always(tags::STUDY_INSTANCE_UID),
    always(tags::STUDY_ID),
    always(tags::NUMBER_OF_STUDY_RELATED_SERIES),
    always(tags::NUMBER_OF_STUDY_RELATED_INSTANCES),
];

/// PS3.18 2024e table 10.6.3-4.
pub const REQUIRED_SERIES: &[Required] = &[
    always(tags::MODALITY),
    known(tags::TIMEZONE_OFFSET_FROM_UTC),
    known(tags::SERIES_DESCRIPTION),
    known(tags::RETRIEVE_URL),
    always(tags::SERIES_INSTANCE_UID),
    always(tags::SERIES_NUMBER),
    always(tags::NUMBER_OF_SERIES_RELATED_INSTANCES),
    known(tags::PERFORMED_PROCEDURE_STEP_START_DATE),
    known(tags::PERFORMED_PROCEDURE_STEP_START_TIME),
    Required {
        tag: tags::REQUEST_ATTRIBUTES_SEQUENCE,
        presence: Presence::Known,
        inside: &[tags::SCHEDULED_PROCEDURE_STEP_ID, tags::REQUESTED_PROCEDURE_ID],
    },
];

/// PS3.18 2024e table 10.6.3-5.
pub const REQUIRED_INSTANCE: &[Required] = &[
    always(tags::SOP_CLASS_UID),
    always(tags::SOP_INSTANCE_UID),
    known(tags::INSTANCE_AVAILABILITY),
    known(tags::TIMEZONE_OFFSET_FROM_UTC),
    known(tags::RETRIEVE_URL),
    always(tags::INSTANCE_NUMBER),
    known(tags::ROWS),
    known(tags::COLUMNS),
    known(tags::BITS_ALLOCATED),
    known(tags::NUMBER_OF_FRAMES),
];

/// PS3.4 table CC.2.5-3, return key types 1 and 2; those that are required if set, where they are.
pub const REQUIRED_WORKITEM: &[Required] = &[
    known(tags::SPECIFIC_CHARACTER_SET),
    always(tags::SOP_CLASS_UID),
    always(tags::SOP_INSTANCE_UID),
    always(tags::SCHEDULED_PROCEDURE_STEP_PRIORITY),
    always(tags::PROCEDURE_STEP_LABEL),
    always(tags::WORKLIST_LABEL),
    always(tags::SCHEDULED_PROCESSING_PARAMETERS_SEQUENCE),
    always(tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE),
    always(tags::SCHEDULED_STATION_CLASS_CODE_SEQUENCE),
    always(tags::SCHEDULED_STATION_GEOGRAPHIC_LOCATION_CODE_SEQUENCE),
    known(tags::SCHEDULED_HUMAN_PERFORMERS_SEQUENCE),
    always(tags::SCHEDULED_PROCEDURE_STEP_START_DATE_TIME),
    known(tags::EXPECTED_COMPLETION_DATE_TIME),
    always(tags::SCHEDULED_WORKITEM_CODE_SEQUENCE),
    always(tags::INPUT_READINESS_STATE),
    always(tags::INPUT_INFORMATION_SEQUENCE),
    always(tags::STUDY_INSTANCE_UID),
    always(tags::PATIENT_NAME),
    always(tags::PATIENT_ID),
    always(tags::ISSUER_OF_PATIENT_ID),
    always(tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE),
    always(tags::OTHER_PATIENT_I_DS_SEQUENCE),
    always(tags::PATIENT_BIRTH_DATE),
    always(tags::PATIENT_SEX),
    always(tags::ADMISSION_ID),
    always(tags::ISSUER_OF_ADMISSION_ID_SEQUENCE),
    always(tags::ADMITTING_DIAGNOSES_DESCRIPTION),
    always(tags::ADMITTING_DIAGNOSES_CODE_SEQUENCE),
    always(tags::REFERENCED_REQUEST_SEQUENCE),
    known(tags::MEDICAL_ALERTS),
    known(tags::PREGNANCY_STATUS),
    known(tags::SPECIAL_NEEDS),
    always(tags::PROCEDURE_STEP_STATE),
    always(tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE),
];

impl Query {
    /// What a web service tells of a result: what its level requires, what was searched and what `includefield` names,
    /// never attributes of a lower level.
    pub fn answer(&self, candidate: &Attributes) -> Attributes {
        let mut selection = Selection::default();
        for required in self.required() {
            let has_value = || candidate.get(required.tag).is_some_and(|attribute| !attribute.is_empty());
            if required.presence == Presence::Always || has_value() {
                ask(&mut selection, required);
            }
        }
        let keys = self.keys.iter().map(|key| &key.path);
        let include: &[Vec<Selector>] = match &self.include {
            Include::Only(paths) => paths,
            Include::All => &[],
        };
        for path in keys.chain(include).filter(|path| self.may_tell(path)) {
            selection.ask(path);
        }
        let mut answer = selection.pick(candidate, Some(&self.root), self.zones(candidate));
        if self.include == Include::All {
            let is_all = self.level == Level::Workitem;
            let own = candidate.iter().filter(|(tag, _)| is_all || level_of(**tag) == self.level);
            own.for_each(|(tag, attribute)| answer.put(*tag, attribute.clone()));
        }
        answer
    }

    /// What a C-FIND SCP tells of a result: the keys of the identifier, without a value where none is known, and the
    /// Query/Retrieve Level. A private key that is not known is left out, because its block is unknown too.
    pub fn identifier_answer(&self, candidate: &Attributes) -> Attributes {
        let mut answer = self.requested.pick(candidate, Some(&self.root), self.zones(candidate));
        answer.put_text(tags::QUERY_RETRIEVE_LEVEL, self.level.as_query_retrieve_level());
        answer
    }

    /// The tables that hold for this resource (PS3.18 §10.6.3.3.2 and §10.6.3.3.3).
    fn required(&self) -> impl Iterator<Item = &'static Required> {
        let is_workitem = self.level == Level::Workitem;
        let study = !is_workitem && (self.level == Level::Study || self.within == Within::Anything);
        let series = match self.level {
            Level::Study | Level::Workitem => false,
            Level::Series => true,
            Level::Instance => self.within < Within::Series,
        };
        let instance = self.level == Level::Instance;
        let tables = [
            (study, REQUIRED_STUDY),
            (series, REQUIRED_SERIES),
            (instance, REQUIRED_INSTANCE),
            (is_workitem, REQUIRED_WORKITEM),
        ];
        tables.into_iter().filter(|(holds, _)| *holds).flat_map(|(_, table)| table)
    }

    fn may_tell(&self, path: &[Selector]) -> bool {
        path.first().is_some_and(|first| is_private(first.tag) || level_of(first.tag) <= self.level)
    }
}

fn ask(selection: &mut Selection, required: &Required) {
    let outer = Selector::of(required.tag);
    match required.inside {
        [] => selection.ask(&[outer]),
        inside => inside.iter().for_each(|tag| selection.ask(&[outer.clone(), Selector::of(*tag)])),
    }
}
