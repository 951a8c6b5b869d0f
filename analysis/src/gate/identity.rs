//! Whose result it is, and that it is a new one.

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, Uid, attributes::Attributes};

use super::{
    Job,
    object::{Kind, Object},
    reading::{Faults, at, text},
};
use crate::finding::is_strict;

pub(super) fn check(object: &Object, job: &Job<'_>, faults: &mut Faults) {
    study_and_patient(&object.said, &job.inputs.study, faults);
    is_new(object, job, faults);
    names_itself_once(object, faults);
    modality(object, faults);
}

/// Study and patient are those of the job (PS3.3 sections C.7.1.1, C.7.2.1). What the object does not tell was put in before.
fn study_and_patient(said: &Attributes, expected: &Attributes, faults: &mut Faults) {
    const SAME: &str = "copy it from the images of the request";
    let is_other = |tag: Tag| text(said, tag) != text(expected, tag);
    if is_other(tags::STUDY_INSTANCE_UID) {
        faults.add("/StudyInstanceUID", "it is of another study than the job", SAME);
    }
    if is_other(tags::PATIENT_ID) {
        faults.add("/PatientID", "it is of another patient than the job", SAME);
    }
    if text(said, tags::ISSUER_OF_PATIENT_ID).is_some() && is_other(tags::ISSUER_OF_PATIENT_ID) {
        faults.add("/IssuerOfPatientID", "the patient's ID is another hospital's", SAME);
    }
    if !is_same_name(said, expected) {
        faults.add("/PatientName", "the patient has another name than in the job", SAME);
    }
}

/// Whether names agree in every group that both have. Capital letters and delimiters at the end make no difference
/// (PS3.5 section 6.2).
fn is_same_name(said: &Attributes, expected: &Attributes) -> bool {
    let (Some(said), Some(expected)) = (said.name(tags::PATIENT_NAME), expected.name(tags::PATIENT_NAME)) else {
        return true;
    };
    let plain = |group: &str| {
        let components = group.to_uppercase();
        components.split('^').map(str::trim).collect::<Vec<_>>().join("^").trim_end_matches('^').to_owned()
    };
    let pairs = said.groups().into_iter().zip(expected.groups());
    pairs.filter_map(|(said, expected)| said.zip(expected)).all(|(said, expected)| plain(said) == plain(expected))
}

fn is_new(object: &Object, job: &Job<'_>, faults: &mut Faults) {
    const OWN: &str = "make new UIDs for what you make";
    let own = &object.reference;
    let images = || job.inputs.series.iter().flat_map(|series| &series.images);
    let is_series = |uid: &Uid| job.inputs.series.iter().any(|series| series.uid == *uid);
    let is_study = |uid: &Uid| job.inputs.study_uid().as_ref() == Some(uid);
    if images().any(|image| image.instance == own.instance) || is_series(&own.instance) || is_study(&own.instance) {
        faults.add("/SOPInstanceUID", "it is the UID of an image, series or study of the job", OWN);
    }
    if job.earlier.iter().any(|earlier| earlier.instance == own.instance) {
        faults.add("/SOPInstanceUID", "an earlier result has this UID", OWN);
    }
    if images().any(|image| image.instance == own.series) || is_series(&own.series) || is_study(&own.series) {
        faults.add("/SeriesInstanceUID", "it is the UID of an image, series or study of the job", OWN);
    }
    for (tag, uid) in [(tags::SOP_INSTANCE_UID, &own.instance), (tags::SERIES_INSTANCE_UID, &own.series)] {
        if !is_strict(uid) {
            let mend = "begin with 0, 1 or 2, and no number with 0 unless it is 0 (PS3.5 section 9.1)";
            faults.add(at("", tag), "it is no UID that may be written", mend);
        }
    }
    if own.series == own.instance {
        faults.add("/SeriesInstanceUID", "it is the UID of the instance too", OWN);
    }
}

/// The file's head says the same as its data set (PS3.10 section 7.1).
fn names_itself_once(object: &Object, faults: &mut Faults) {
    let meta = &object.head.meta;
    for (tag, expected) in [
        (tags::MEDIA_STORAGE_SOP_CLASS_UID, &object.reference.class),
        (tags::MEDIA_STORAGE_SOP_INSTANCE_UID, &object.reference.instance),
    ] {
        if meta.uid(tag).is_some_and(|said| said != *expected) {
            faults.add(at("", tag), "the head of the file names another object", "write the same UIDs in both");
        }
    }
}

/// The modality that the class asks for (PS3.3 sections C.8.20.1, C.17.1, C.11.9).
fn modality(object: &Object, faults: &mut Faults) {
    let expected = match object.kind {
        Kind::Report(_) => "SR",
        Kind::Segmentation => "SEG",
        Kind::Presentation => "PR",
        Kind::Picture | Kind::Document => return,
    };
    if text(&object.said, tags::MODALITY).is_some_and(|modality| modality != expected) {
        faults.add("/Modality", "the class has another modality", format!("write {expected}"));
    }
}
