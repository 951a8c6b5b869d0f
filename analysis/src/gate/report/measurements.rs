//! Imaging Measurement Reports (PS3.16 TID 1500).

use dicom_dictionary_std::tags;
use medvan_imaging::attributes::Attributes;

use super::super::reading::{Faults, is_coded, nth, text};
use crate::evidence::terms::{self, Term};

const NAME: medvan_imaging::Tag = tags::CONCEPT_NAME_CODE_SEQUENCE;

/// Whether the document says that it is one: by its template or by its title.
pub(in super::super) fn is_claimed(root: &Attributes) -> bool {
    names_template(root) || is_coded(root, NAME, terms::IMAGING_MEASUREMENT_REPORT)
}

fn names_template(root: &Attributes) -> bool {
    let template = root.items(tags::CONTENT_TEMPLATE_SEQUENCE).first();
    template.and_then(|template| text(template, tags::TEMPLATE_IDENTIFIER)).as_deref() == Some("1500")
}

pub(super) fn check(root: &Attributes, faults: &mut Faults) {
    if !is_claimed(root) {
        return;
    }
    if !is_coded(root, NAME, terms::IMAGING_MEASUREMENT_REPORT) {
        let mend = "title it Imaging Measurement Report (126000, DCM), or do not name template 1500";
        faults.add("/ConceptNameCodeSequence", "the title is not that of template 1500", mend);
    }
    let items = root.items(tags::CONTENT_SEQUENCE);
    let has = |term: Term<'_>| items.iter().any(|item| is_coded(item, NAME, term));
    if !has(terms::PROCEDURE_REPORTED) {
        let mend = "write Procedure reported (121058, DCM) below the title";
        faults.add("/ContentSequence", "it does not say which procedure is reported", mend);
    }
    if ![terms::IMAGING_MEASUREMENTS, terms::DERIVED_MEASUREMENTS, terms::QUALITATIVE_EVALUATIONS].into_iter().any(has)
    {
        let mend = "write Imaging Measurements (126010, DCM), Derived Imaging Measurements (126011, DCM) or Qualitative \
                    Evaluations (C0034375, UMLS)";
        faults.add("/ContentSequence", "it reports nothing", mend);
    }
    for (number, container) in items.iter().enumerate() {
        if is_coded(container, NAME, terms::IMAGING_MEASUREMENTS) {
            groups(container, &nth("", tags::CONTENT_SEQUENCE, number), faults);
        }
    }
}

fn groups(container: &Attributes, place: &str, faults: &mut Faults) {
    for (number, group) in container.items(tags::CONTENT_SEQUENCE).iter().enumerate() {
        let place = nth(place, tags::CONTENT_SEQUENCE, number);
        if text(group, tags::VALUE_TYPE).as_deref() == Some("CONTAINER")
            && !is_coded(group, NAME, terms::MEASUREMENT_GROUP)
        {
            let mend = "write containers named Measurement Group (125007, DCM)";
            faults.add(&place, "it is no measurement group", mend);
        }
        let uids = group.items(tags::CONTENT_SEQUENCE).iter().filter(|item| is_coded(item, NAME, terms::TRACKING_UID));
        if uids.count() > 1 {
            faults.add(place, "the group has several tracking UIDs", "write one for each group");
        }
    }
}
