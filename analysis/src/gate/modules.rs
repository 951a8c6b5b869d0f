//! Attributes that must have a value (type 1) in the modules of each class, as far as somebody reads them.

use dicom_dictionary_std::tags;
use medvan_imaging::Tag;

use super::{
    object::{Kind, Object},
    reading::{Faults, at},
};

/// General Series and SOP Common (PS3.3 sections C.7.3.1, C.12.1).
const ALL: &[Tag] = &[tags::MODALITY];
/// SR Document General and Content (sections C.17.2, C.17.3).
const REPORT: &[Tag] = &[
    tags::CONTENT_DATE,
    tags::CONTENT_TIME,
    tags::INSTANCE_NUMBER,
    tags::COMPLETION_FLAG,
    tags::VERIFICATION_FLAG,
    tags::VALUE_TYPE,
    tags::CONCEPT_NAME_CODE_SEQUENCE,
    tags::CONTINUITY_OF_CONTENT,
];
/// Image Pixel, Segmentation Image, Multi-frame Functional Groups, Enhanced General Equipment (sections C.7.6.3, C.8.20.2,
/// C.7.6.16, C.7.5.2).
const SEGMENTATION: &[Tag] = &[
    tags::IMAGE_TYPE,
    tags::CONTENT_DATE,
    tags::CONTENT_TIME,
    tags::INSTANCE_NUMBER,
    tags::MANUFACTURER,
    tags::MANUFACTURER_MODEL_NAME,
    tags::DEVICE_SERIAL_NUMBER,
    tags::SOFTWARE_VERSIONS,
    tags::CONTENT_LABEL,
    tags::LOSSY_IMAGE_COMPRESSION,
    tags::SEGMENTATION_TYPE,
    tags::SEGMENT_SEQUENCE,
    tags::DIMENSION_ORGANIZATION_SEQUENCE,
    tags::DIMENSION_INDEX_SEQUENCE,
    tags::REFERENCED_SERIES_SEQUENCE,
    tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
];
/// Presentation State Identification, Relationship, Displayed Area (sections C.11.10, C.11.11, C.10.4).
const PRESENTATION: &[Tag] = &[
    tags::INSTANCE_NUMBER,
    tags::CONTENT_LABEL,
    tags::PRESENTATION_CREATION_DATE,
    tags::PRESENTATION_CREATION_TIME,
    tags::REFERENCED_SERIES_SEQUENCE,
    tags::DISPLAYED_AREA_SELECTION_SEQUENCE,
];
/// SC Equipment (section C.8.6.1); pixels are looked at apart.
const PICTURE: &[Tag] = &[tags::CONVERSION_TYPE];
/// Encapsulated Document (section C.24.2).
const DOCUMENT: &[Tag] = &[tags::INSTANCE_NUMBER, tags::BURNED_IN_ANNOTATION, tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT];

pub(super) fn check(object: &Object, faults: &mut Faults) {
    let own = match object.kind {
        Kind::Report(_) => REPORT,
        Kind::Segmentation => SEGMENTATION,
        Kind::Presentation => PRESENTATION,
        Kind::Picture => PICTURE,
        Kind::Document => DOCUMENT,
    };
    for tag in ALL.iter().chain(own) {
        let is_there = object.said.get(*tag).is_some_and(|attribute| !attribute.is_empty());
        if !is_there {
            faults.add(at("", *tag), "it is missing or empty", "write it: it is type 1 (PS3.3)");
        }
    }
}
