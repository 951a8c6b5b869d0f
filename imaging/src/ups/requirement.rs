//! What an attribute of a workitem must be at its creation, in a change, and before its end (PS3.4 table CC.2.5-3).

use dicom_dictionary_std::tags;

use super::Flaw;
use crate::{
    Tag,
    attributes::{Attribute, Attributes, Content},
};

/// What is asked of an attribute when it is given (the provider's column of N-CREATE and N-SET).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It must be there with a value (type 1).
    Value,
    /// It must be there, perhaps without a value (type 2).
    Place,
    /// If it is there it must have a value (type 3/1).
    ValueIfGiven,
    /// Nothing.
    Nothing,
    /// It may have no value yet.
    Empty,
    /// It may not be there.
    Absent,
}

/// What is asked before the final state (table CC.2.5-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// O.
    Nothing,
    /// R: a value in both final states.
    Value,
    /// P: a value before COMPLETED.
    Completed,
    /// P, where a sequence without items says that there is nothing.
    CompletedOrEmpty,
    /// X: a value before CANCELED.
    Canceled,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Requirement {
    /// The sequences that lead to it, then itself.
    pub(super) path: &'static [Tag],
    pub(super) create: Need,
    pub(super) set: Need,
    pub(super) end: End,
}

impl Requirement {
    pub(super) fn tag(&self) -> Tag {
        self.path[self.path.len() - 1]
    }

    pub(super) fn is_top(&self) -> bool {
        self.path.len() == 1
    }

    /// The data sets that hold it, or should.
    pub(super) fn holders<'a>(&self, root: &'a Attributes) -> Vec<&'a Attributes> {
        let mut holders = vec![root];
        for sequence in &self.path[..self.path.len() - 1] {
            holders = holders.into_iter().flat_map(|holder| holder.items(*sequence)).collect();
        }
        holders
    }

    /// What is wrong with it in what is given.
    pub(super) fn flaw(&self, need: Need, given: &Attributes) -> Option<Flaw> {
        let tag = self.tag();
        self.holders(given).into_iter().find_map(|holder| {
            let found = holder.get(tag);
            let has_value = found.is_some_and(has_value);
            match need {
                Need::Value | Need::Place if found.is_none() => Some(Flaw::Missing(tag)),
                Need::Value | Need::ValueIfGiven if found.is_some() && !has_value => Some(Flaw::Empty(tag)),
                Need::Empty if has_value => Some(Flaw::Forbidden(tag)),
                Need::Absent if found.is_some() => Some(Flaw::Forbidden(tag)),
                _ => None,
            }
        })
    }
}

/// Whether it says something: items without attributes do not.
pub(super) fn has_value(attribute: &Attribute) -> bool {
    match &attribute.content {
        Content::Items(items) => items.iter().any(|item| !item.is_empty()),
        _ => !attribute.is_empty(),
    }
}

const fn row(path: &'static [Tag], create: Need, set: Need, end: End) -> Requirement {
    Requirement { path, create, set, end }
}

const PROGRESS: Tag = tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE;
const PERFORMED: Tag = tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE;
const PERFORMERS: Tag = tags::SCHEDULED_HUMAN_PERFORMERS_SEQUENCE;
const REQUEST: Tag = tags::REFERENCED_REQUEST_SEQUENCE;

/// The attributes of which something is asked. What is optional in every column is not listed; what items of codes, references and
/// parameters must say is in [`super::items`].
pub(super) const TABLE: &[Requirement] = {
    use Need::{Absent, Empty, Nothing, Place, Value, ValueIfGiven};
    &[
        // Unified Procedure Step Scheduled Procedure Information.
        row(&[tags::SCHEDULED_PROCEDURE_STEP_PRIORITY], Value, ValueIfGiven, End::Value),
        row(&[tags::PROCEDURE_STEP_LABEL], Value, ValueIfGiven, End::Nothing),
        row(&[tags::WORKLIST_LABEL], Place, ValueIfGiven, End::Nothing),
        row(&[tags::SCHEDULED_PROCESSING_PARAMETERS_SEQUENCE], Place, Nothing, End::Nothing),
        row(&[tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE], Place, Nothing, End::Nothing),
        row(&[tags::SCHEDULED_STATION_CLASS_CODE_SEQUENCE], Place, Nothing, End::Nothing),
        row(&[tags::SCHEDULED_STATION_GEOGRAPHIC_LOCATION_CODE_SEQUENCE], Place, Nothing, End::Nothing),
        row(&[PERFORMERS, tags::HUMAN_PERFORMER_CODE_SEQUENCE], Value, Value, End::Nothing),
        row(&[PERFORMERS, tags::HUMAN_PERFORMER_NAME], Value, Value, End::Nothing),
        row(&[PERFORMERS, tags::HUMAN_PERFORMER_ORGANIZATION], Value, Value, End::Nothing),
        row(&[tags::SCHEDULED_PROCEDURE_STEP_START_DATE_TIME], Value, ValueIfGiven, End::Value),
        row(&[tags::EXPECTED_COMPLETION_DATE_TIME], ValueIfGiven, ValueIfGiven, End::Nothing),
        row(&[tags::SCHEDULED_WORKITEM_CODE_SEQUENCE], Place, ValueIfGiven, End::Nothing),
        row(&[tags::COMMENTS_ON_THE_SCHEDULED_PROCEDURE_STEP], Place, ValueIfGiven, End::Nothing),
        row(&[tags::INPUT_READINESS_STATE], Value, ValueIfGiven, End::Value),
        row(&[tags::INPUT_INFORMATION_SEQUENCE], Place, Nothing, End::Nothing),
        // Unified Procedure Step Relationship.
        row(&[tags::PATIENT_NAME], Place, Absent, End::Nothing),
        row(&[tags::PATIENT_ID], Nothing, Absent, End::Nothing),
        row(&[tags::ISSUER_OF_PATIENT_ID], Place, Absent, End::Nothing),
        row(&[tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE], Place, Absent, End::Nothing),
        row(&[tags::OTHER_PATIENT_I_DS_SEQUENCE], Place, Nothing, End::Nothing),
        row(&[tags::OTHER_PATIENT_I_DS_SEQUENCE, tags::PATIENT_ID], Value, Value, End::Nothing),
        row(&[tags::PATIENT_BIRTH_DATE], Place, Absent, End::Nothing),
        row(&[tags::PATIENT_SEX], Place, Absent, End::Nothing),
        row(&[tags::ADMISSION_ID], Place, Absent, End::Nothing),
        row(&[tags::ISSUER_OF_ADMISSION_ID_SEQUENCE], Place, Absent, End::Nothing),
        row(&[tags::ADMITTING_DIAGNOSES_DESCRIPTION], Place, Absent, End::Nothing),
        row(&[tags::ADMITTING_DIAGNOSES_CODE_SEQUENCE], Place, Absent, End::Nothing),
        row(&[REQUEST], Place, Absent, End::Nothing),
        row(&[REQUEST, tags::STUDY_INSTANCE_UID], Value, Nothing, End::Nothing),
        row(&[tags::REPLACED_PROCEDURE_STEP_SEQUENCE], ValueIfGiven, Absent, End::Nothing),
        // Unified Procedure Step Progress Information.
        row(&[tags::PROCEDURE_STEP_STATE], Value, Absent, End::Value),
        row(&[PROGRESS], Empty, Nothing, End::Canceled),
        row(&[PROGRESS, tags::PROCEDURE_STEP_PROGRESS], Nothing, ValueIfGiven, End::Nothing),
        row(&[PROGRESS, tags::PROCEDURE_STEP_PROGRESS_DESCRIPTION], Nothing, ValueIfGiven, End::Nothing),
        row(&[PROGRESS, tags::PROCEDURE_STEP_COMMUNICATIONS_URI_SEQUENCE], Nothing, ValueIfGiven, End::Nothing),
        row(
            &[PROGRESS, tags::PROCEDURE_STEP_COMMUNICATIONS_URI_SEQUENCE, tags::CONTACT_URI],
            Nothing,
            Value,
            End::Nothing,
        ),
        row(&[PROGRESS, tags::PROCEDURE_STEP_CANCELLATION_DATE_TIME], Nothing, ValueIfGiven, End::Canceled),
        row(&[PROGRESS, tags::REASON_FOR_CANCELLATION], Nothing, ValueIfGiven, End::Nothing),
        row(
            &[PROGRESS, tags::PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE],
            Nothing,
            ValueIfGiven,
            End::Canceled,
        ),
        // Unified Procedure Step Performed Procedure Information.
        row(&[PERFORMED], Empty, Nothing, End::Completed),
        row(&[PERFORMED, tags::ACTUAL_HUMAN_PERFORMERS_SEQUENCE], Nothing, ValueIfGiven, End::Nothing),
        row(&[PERFORMED, tags::PERFORMED_STATION_NAME_CODE_SEQUENCE], Nothing, Nothing, End::Completed),
        row(&[PERFORMED, tags::PERFORMED_PROCEDURE_STEP_START_DATE_TIME], Nothing, ValueIfGiven, End::Completed),
        row(&[PERFORMED, tags::PERFORMED_WORKITEM_CODE_SEQUENCE], Nothing, ValueIfGiven, End::Completed),
        row(&[PERFORMED, tags::PERFORMED_PROCEDURE_STEP_END_DATE_TIME], Nothing, ValueIfGiven, End::Completed),
        row(&[PERFORMED, tags::OUTPUT_INFORMATION_SEQUENCE], Nothing, Place, End::CompletedOrEmpty),
    ]
};

/// Attributes that have defined values only.
pub(super) const DEFINED: &[(Tag, &[&str])] = &[
    (tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, &["HIGH", "MEDIUM", "LOW"]),
    (tags::INPUT_READINESS_STATE, &["READY", "UNAVAILABLE", "INCOMPLETE"]),
];
