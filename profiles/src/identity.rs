//! Is this resource about the patient of the call, and about nobody else?
//!
//! A resource of another patient, prefetched or returned, must be stopped before it goes further. The check is
//! stricter than the patient compartment of FHIR R4 (§2.42.1): it follows no table of paths but looks at every
//! `reference` in the resource, at any depth, in Bundle entries, contained resources, Parameters and extensions, so
//! that a resource type that nobody thought of is covered too. What may name another patient is a short list
//! ([`NAMES_OTHERS`]).
//!
//! Every `Patient` resource must carry the patient's id; a contained one has only a local id and is let through.
//! What says nothing about an id cannot be compared and passes: a subject by `identifier` or `display` alone, a
//! group, a device, a location. A reference that speaks of a patient but cannot be read (conditional, wrong case,
//! percent-encoded) counts as foreign.

mod outline;
mod place;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use self::{
    outline::{Object, Outline},
    place::Place,
};
use crate::{Json, fhir::Reference};

/// Elements in which another patient is named for a good reason: the other record of the same person, the parent
/// who pays, the unborn child that a measurement looks at.
pub const NAMES_OTHERS: &[(&str, &str)] = &[
    ("Account", "guarantor.party"),
    ("Coverage", "payor"),
    ("Coverage", "policyHolder"),
    ("Coverage", "subscriber"),
    ("Observation", "focus"),
    ("Patient", "link.other"),
];

/// Elements that say whose record this is. A `urn:` here must lead to an entry of the same Bundle.
const SUBJECTS: &[&str] = &["beneficiary", "for", "individual", "patient", "subject"];

/// A resource, or a part of it, belongs to another patient or cannot be shown to belong to this one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the patient of this call at {place}")]
pub struct ForeignPatient {
    /// Where, in the manner of FHIRPath: `Bundle.entry[2].resource.subject`. Never an id or another value.
    pub place: String,
}

/// Checks one resource, with everything inside it, against the patient of the call.
pub fn check(resource: &Value, patient_id: &str) -> Result<(), ForeignPatient> {
    check_outline(Outline::deserialize(resource), patient_id)
}

/// The same, straight from the text: for what nobody needs as a `Value`. A text that cannot be read is foreign.
pub fn check_json(resource: &Json, patient_id: &str) -> Result<(), ForeignPatient> {
    check_outline(serde_json::from_str(resource.as_str()), patient_id)
}

fn check_outline(outline: serde_json::Result<Outline<'_>>, patient_id: &str) -> Result<(), ForeignPatient> {
    let Ok(resource) = outline else {
        return Err(Place::root(None).foreign());
    };
    let root = Place::root(resource.object().and_then(Object::resource_type));
    Check { patient_id }.value(&resource, &root, &Surroundings::default())
}

/// Whether a reference, standing alone (`Action.resourceId`, a field of a hook's context), names another patient.
pub fn names_another_patient(reference: &str, patient_id: &str) -> bool {
    match Reference::parse(reference) {
        Reference::Fragment(_) | Reference::Urn(_) => false,
        Reference::Literal(literal) => {
            literal.resource_type.eq_ignore_ascii_case("Patient")
                && (literal.resource_type, literal.id) != ("Patient", patient_id)
        }
        Reference::Other(text) => speaks_of_a_patient(text),
    }
}

fn speaks_of_a_patient(text: &str) -> bool {
    text.contains('%') || text.split(['/', '?', '#', '|']).any(|part| part.eq_ignore_ascii_case("patient"))
}

struct Check<'p> {
    patient_id: &'p str,
}

/// What a value is inside of.
#[derive(Default, Clone, Copy)]
struct Surroundings<'a> {
    bundle: Option<&'a BundleScope<'a>>,
    is_contained: bool,
}

/// The `urn:` addresses of a Bundle's entries, and of the Bundle around it.
struct BundleScope<'a> {
    around: Option<&'a BundleScope<'a>>,
    urns: HashSet<&'a str>,
}

impl Check<'_> {
    fn value(&self, value: &Outline<'_>, place: &Place<'_>, inside: &Surroundings<'_>) -> Result<(), ForeignPatient> {
        match value {
            Outline::Object(object) => self.object(object, place, inside),
            Outline::Array(items) => {
                items.iter().try_for_each(|(index, item)| self.value(item, &place.item(*index), inside))
            }
            Outline::Text(_) | Outline::Scalar => Ok(()),
        }
    }

    fn object(&self, object: &Object<'_>, place: &Place<'_>, inside: &Surroundings<'_>) -> Result<(), ForeignPatient> {
        self.reference(object, place, inside)?;
        match object.resource_type() {
            Some("Bundle") => {
                let scope = BundleScope::of(object, inside.bundle);
                self.members(object, place, &Surroundings { bundle: Some(&scope), is_contained: false })
            }
            Some(name) => {
                self.own_id(name, object, place, inside)?;
                self.members(object, &place.resource(name), inside)
            }
            None => self.members(object, place, inside),
        }
    }

    fn own_id(
        &self,
        resource_type: &str,
        resource: &Object<'_>,
        place: &Place<'_>,
        inside: &Surroundings<'_>,
    ) -> Result<(), ForeignPatient> {
        let is_other =
            resource_type == "Patient" && !inside.is_contained && resource.id.as_deref() != Some(self.patient_id);
        if is_other { Err(place.member("id").foreign()) } else { Ok(()) }
    }

    fn reference(
        &self,
        object: &Object<'_>,
        place: &Place<'_>,
        inside: &Surroundings<'_>,
    ) -> Result<(), ForeignPatient> {
        let Some(reference) = object.reference.as_deref() else {
            return Ok(());
        };
        let is_foreign = match Reference::parse(reference) {
            Reference::Urn(urn) => place.is_element_of(SUBJECTS) && !is_entry(inside.bundle, urn),
            _ => names_another_patient(reference, self.patient_id) && !place.names_others(),
        };
        if is_foreign { Err(place.foreign()) } else { Ok(()) }
    }

    fn members(&self, object: &Object<'_>, place: &Place<'_>, inside: &Surroundings<'_>) -> Result<(), ForeignPatient> {
        object.members.iter().try_for_each(|(name, value)| {
            let is_contained = inside.is_contained || name == "contained";
            self.value(value, &place.member(name), &Surroundings { is_contained, ..*inside })
        })
    }
}

impl<'a> BundleScope<'a> {
    fn of(bundle: &'a Object<'_>, around: Option<&'a BundleScope<'a>>) -> Self {
        let entries = bundle.member("entry").map_or(&[][..], Outline::items);
        let full_urls = entries.iter().filter_map(|(_, entry)| entry.object()?.full_url.as_deref());
        Self { around, urns: full_urls.filter(|url| url.starts_with("urn:")).collect() }
    }
}

fn is_entry(scope: Option<&BundleScope<'_>>, urn: &str) -> bool {
    std::iter::successors(scope, |scope| scope.around).any(|scope| scope.urns.contains(urn))
}
