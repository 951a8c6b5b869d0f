//! What items of a workitem's sequences must say, wherever the sequence stands: the macros that table CC.2.5-3 includes (PS3.4 tables
//! CC.2.5-2a to CC.2.5-2c), at its creation and in each change alike.

use dicom_dictionary_std::tags;

use super::{Flaw, requirement::has_value};
use crate::{
    Tag,
    attributes::{Attribute, Attributes, Content},
};

/// When an attribute must have a value.
#[derive(Debug, Clone, Copy)]
enum When {
    /// Always (type 1).
    Always,
    /// If another one has this value (type 1C).
    Says(Tag, &'static str),
    /// If one of these is there (type 1C).
    Any(&'static [Tag]),
    /// Unless one of these is there (type 1C).
    None(&'static [Tag]),
}

/// Attributes of an item, and when each must have a value.
type Macro = &'static [(Tag, When)];

/// UPS Code Sequence Macro (table CC.2.5-2a): a code in one of its three forms.
const CODE: Macro = &[
    (tags::CODE_VALUE, When::None(&[tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE])),
    (tags::CODING_SCHEME_DESIGNATOR, When::Any(&[tags::CODE_VALUE, tags::LONG_CODE_VALUE])),
    (tags::CODE_MEANING, When::Always),
];

/// UPS Content Item Macro (table CC.2.5-2b).
const CONTENT: Macro = &[
    (tags::VALUE_TYPE, When::Always),
    (tags::CONCEPT_NAME_CODE_SEQUENCE, When::Always),
    (tags::DATE_TIME, When::Says(tags::VALUE_TYPE, "DATETIME")),
    (tags::DATE, When::Says(tags::VALUE_TYPE, "DATE")),
    (tags::TIME, When::Says(tags::VALUE_TYPE, "TIME")),
    (tags::PERSON_NAME, When::Says(tags::VALUE_TYPE, "PNAME")),
    (tags::UID, When::Says(tags::VALUE_TYPE, "UIDREF")),
    (tags::TEXT_VALUE, When::Says(tags::VALUE_TYPE, "TEXT")),
    (tags::CONCEPT_CODE_SEQUENCE, When::Says(tags::VALUE_TYPE, "CODE")),
    (tags::NUMERIC_VALUE, When::Says(tags::VALUE_TYPE, "NUMERIC")),
    (tags::MEASUREMENT_UNITS_CODE_SEQUENCE, When::Says(tags::VALUE_TYPE, "NUMERIC")),
];

/// Referenced Instances and Access Macro (table CC.2.5-2c). Where they are retrieved from may be left out: whoever asks this gateway
/// for them finds them here.
const INSTANCES: Macro = &[
    (tags::TYPE_OF_INSTANCES, When::Always),
    (tags::STUDY_INSTANCE_UID, When::Says(tags::TYPE_OF_INSTANCES, "DICOM")),
    (tags::SERIES_INSTANCE_UID, When::Says(tags::TYPE_OF_INSTANCES, "DICOM")),
    (tags::REFERENCED_SOP_SEQUENCE, When::Always),
];

/// The sequences whose items are such.
const TABLE: &[(Tag, Macro)] = &[
    (tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, CODE),
    (tags::SCHEDULED_STATION_CLASS_CODE_SEQUENCE, CODE),
    (tags::SCHEDULED_STATION_GEOGRAPHIC_LOCATION_CODE_SEQUENCE, CODE),
    (tags::SCHEDULED_WORKITEM_CODE_SEQUENCE, CODE),
    (tags::HUMAN_PERFORMER_CODE_SEQUENCE, CODE),
    (tags::ADMITTING_DIAGNOSES_CODE_SEQUENCE, CODE),
    (tags::REQUESTED_PROCEDURE_CODE_SEQUENCE, CODE),
    (tags::REASON_FOR_REQUESTED_PROCEDURE_CODE_SEQUENCE, CODE),
    (tags::PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE, CODE),
    (tags::PERFORMED_STATION_NAME_CODE_SEQUENCE, CODE),
    (tags::PERFORMED_STATION_CLASS_CODE_SEQUENCE, CODE),
    (tags::PERFORMED_STATION_GEOGRAPHIC_LOCATION_CODE_SEQUENCE, CODE),
    (tags::PERFORMED_WORKITEM_CODE_SEQUENCE, CODE),
    (tags::CONCEPT_NAME_CODE_SEQUENCE, CODE),
    (tags::CONCEPT_CODE_SEQUENCE, CODE),
    (tags::MEASUREMENT_UNITS_CODE_SEQUENCE, CODE),
    (tags::SCHEDULED_PROCESSING_PARAMETERS_SEQUENCE, CONTENT),
    (tags::PERFORMED_PROCESSING_PARAMETERS_SEQUENCE, CONTENT),
    (tags::INPUT_INFORMATION_SEQUENCE, INSTANCES),
    (tags::OUTPUT_INFORMATION_SEQUENCE, INSTANCES),
    (
        tags::REFERENCED_SOP_SEQUENCE,
        &[(tags::REFERENCED_SOP_CLASS_UID, When::Always), (tags::REFERENCED_SOP_INSTANCE_UID, When::Always)],
    ),
    (tags::DICOM_RETRIEVAL_SEQUENCE, &[(tags::RETRIEVE_AE_TITLE, When::Always)]),
    (tags::DICOM_MEDIA_RETRIEVAL_SEQUENCE, &[(tags::STORAGE_MEDIA_FILE_SET_UID, When::Always)]),
    (tags::WADO_RETRIEVAL_SEQUENCE, &[(tags::RETRIEVE_URI, When::Always)]),
    (tags::XDS_RETRIEVAL_SEQUENCE, &[(tags::REPOSITORY_UNIQUE_ID, When::Always)]),
    (tags::WADORS_RETRIEVAL_SEQUENCE, &[(tags::RETRIEVE_URL, When::Always)]),
];

/// What is wrong in the items of what is given, each flaw once. Items that say nothing are none.
pub(super) fn flaws(given: &Attributes) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    collect(given, &mut flaws);
    flaws
}

fn collect(given: &Attributes, flaws: &mut Vec<Flaw>) {
    for (tag, attribute) in given.iter() {
        let Content::Items(items) = &attribute.content else { continue };
        let asked = TABLE.iter().find(|(sequence, _)| sequence == tag).map_or(&[][..], |(_, asked)| asked);
        for item in items.iter().filter(|item| !item.is_empty()) {
            for flaw in asked.iter().filter_map(|(tag, when)| when.flaw(*tag, item)) {
                if !flaws.contains(&flaw) {
                    flaws.push(flaw);
                }
            }
            collect(item, flaws);
        }
    }
}

impl When {
    fn flaw(self, tag: Tag, item: &Attributes) -> Option<Flaw> {
        let has = |tag: &Tag| item.get(*tag).is_some_and(has_value);
        let is_asked = match self {
            Self::Always => true,
            Self::Says(other, word) => item.text(other).is_some_and(|text| text == word),
            Self::Any(others) => others.iter().any(has),
            Self::None(others) => !others.iter().any(has),
        };
        match item.get(tag) {
            _ if !is_asked => None,
            None => Some(Flaw::Missing(tag)),
            Some(found) if !has_value(found) => Some(Flaw::Empty(tag)),
            Some(Attribute { .. }) => None,
        }
    }
}
