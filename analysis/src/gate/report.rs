//! Structured reports (PS3.3 section C.17.3): every content item is whole, its coordinates are in the image that it names, and a
//! report that claims to be an Imaging Measurement Report is one (PS3.16 TID 1500).

mod coordinates;
mod measurements;

pub(super) use measurements::is_claimed as is_measurement_report;

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, attributes::Attributes};

use super::{
    known::Known,
    object::{Kind, Object, ReportClass},
    reading::{Faults, at, check_code, nth, reals, text, wholes},
};
use crate::{
    evidence::terms,
    inputs::{decimals, uid},
};

/// Items below items, and items in all.
const DEPTH: usize = 32;
const ITEMS: usize = 50_000;
/// Numbers of all coordinates.
const COORDINATES: usize = 500_000;

const RELATIONS: [&str; 7] = [
    "CONTAINS",
    "HAS OBS CONTEXT",
    "HAS CONCEPT MOD",
    "HAS PROPERTIES",
    "HAS ACQ CONTEXT",
    "INFERRED FROM",
    "SELECTED FROM",
];

pub(super) fn check(object: &Object, known: &Known<'_>, faults: &mut Faults) {
    let Kind::Report(class) = object.kind else { return };
    let root = &object.said;
    document(root, faults);
    if text(root, tags::VALUE_TYPE).as_deref() != Some("CONTAINER") {
        faults.add("/ValueType", "the root of the content is no container", "write CONTAINER");
    }
    check_code(root, tags::CONCEPT_NAME_CODE_SEQUENCE, "", faults);
    let mut walk = Walk { root, class, known, faults, items: 0, coordinates: 0 };
    walk.below(root, "", 0);
    measurements::check(root, faults);
}

fn document(root: &Attributes, faults: &mut Faults) {
    if !matches!(text(root, tags::COMPLETION_FLAG).as_deref(), Some("COMPLETE" | "PARTIAL")) {
        faults.add("/CompletionFlag", "it is none of the allowed values", "write COMPLETE or PARTIAL");
    }
    if text(root, tags::VERIFICATION_FLAG).as_deref() != Some("UNVERIFIED") {
        let mend = "write UNVERIFIED: only a person in the hospital can verify a report";
        faults.add("/VerificationFlag", "a service cannot verify its own report", mend);
    }
}

struct Walk<'a, 'k> {
    root: &'a Attributes,
    class: ReportClass,
    known: &'a Known<'k>,
    faults: &'a mut Faults,
    items: usize,
    coordinates: usize,
}

impl Walk<'_, '_> {
    fn below(&mut self, item: &Attributes, place: &str, depth: usize) {
        for (number, child) in item.items(tags::CONTENT_SEQUENCE).iter().enumerate() {
            self.items += 1;
            if self.faults.is_full() || self.items > ITEMS {
                break;
            }
            let place = nth(place, tags::CONTENT_SEQUENCE, number);
            if depth >= DEPTH {
                let mend = format!("nest content items at most {DEPTH} deep");
                self.faults.add(place, "content items are nested too deep", mend);
                return;
            }
            self.item(child, &place);
            self.below(child, &place, depth + 1);
        }
        if depth == 0 && self.items > ITEMS {
            let mend = format!("write at most {ITEMS} content items");
            self.faults.add("/ContentSequence", "there are too many content items", mend);
        }
        if depth == 0 && self.coordinates > COORDINATES {
            let mend = format!("write at most {COORDINATES} numbers of coordinates in all, or send a Segmentation");
            self.faults.add("/ContentSequence", "there are too many coordinates", mend);
        }
    }

    fn item(&mut self, item: &Attributes, place: &str) {
        let relation = text(item, tags::RELATIONSHIP_TYPE);
        if !relation.is_some_and(|relation| RELATIONS.contains(&relation.as_str())) {
            let mend = "write a relationship of PS3.3 section C.17.3.2.4";
            self.faults.add(at(place, tags::RELATIONSHIP_TYPE), "it is none of the allowed values", mend);
        }
        if item.get(tags::REFERENCED_CONTENT_ITEM_IDENTIFIER).is_some() {
            self.by_reference(item, place);
            return;
        }
        let kind = text(item, tags::VALUE_TYPE).unwrap_or_default();
        if !self.is_allowed(&kind) {
            let mend = "use the value types of the SOP class (PS3.3 section A.35)";
            self.faults.add(at(place, tags::VALUE_TYPE), "the class has no such value type", mend);
            return;
        }
        let may_be_unnamed =
            matches!(kind.as_str(), "IMAGE" | "COMPOSITE" | "WAVEFORM" | "SCOORD" | "SCOORD3D" | "CONTAINER");
        if !may_be_unnamed || !item.items(tags::CONCEPT_NAME_CODE_SEQUENCE).is_empty() {
            check_code(item, tags::CONCEPT_NAME_CODE_SEQUENCE, place, self.faults);
        }
        self.value(&kind, item, place);
    }

    fn is_allowed(&self, kind: &str) -> bool {
        let least = match kind {
            "TEXT" | "CODE" | "DATETIME" | "DATE" | "TIME" | "UIDREF" | "PNAME" | "COMPOSITE" | "IMAGE"
            | "CONTAINER" => ReportClass::BasicText,
            "NUM" | "SCOORD" | "TCOORD" => ReportClass::Enhanced,
            "SCOORD3D" => ReportClass::Comprehensive3D,
            _ => return false,
        };
        self.class >= least
    }

    fn value(&mut self, kind: &str, item: &Attributes, place: &str) {
        match kind {
            "TEXT" => self.some(item, tags::TEXT_VALUE, place),
            "DATETIME" => self.some(item, tags::DATE_TIME, place),
            "DATE" => self.some(item, tags::DATE, place),
            "TIME" => self.some(item, tags::TIME, place),
            "PNAME" => self.some(item, tags::PERSON_NAME, place),
            "CODE" => check_code(item, tags::CONCEPT_CODE_SEQUENCE, place, self.faults),
            "NUM" => self.number(item, place),
            "UIDREF" => self.uid(item, place),
            "IMAGE" | "COMPOSITE" => {
                if item.items(tags::REFERENCED_SOP_SEQUENCE).len() != 1 {
                    let place = at(place, tags::REFERENCED_SOP_SEQUENCE);
                    self.faults.add(place, "there is not exactly one instance", "name one");
                }
            }
            "SCOORD" => self.coordinates += coordinates::in_image(item, self.known, place, self.faults),
            "SCOORD3D" => self.coordinates += coordinates::in_patient(item, self.known, place, self.faults),
            "CONTAINER" => {
                if !matches!(text(item, tags::CONTINUITY_OF_CONTENT).as_deref(), Some("SEPARATE" | "CONTINUOUS")) {
                    let place = at(place, tags::CONTINUITY_OF_CONTENT);
                    self.faults.add(place, "it is none of the allowed values", "write SEPARATE or CONTINUOUS");
                }
            }
            _ => self.some(item, tags::TEMPORAL_RANGE_TYPE, place),
        }
    }

    fn some(&mut self, item: &Attributes, tag: Tag, place: &str) {
        if text(item, tag).is_none() {
            self.faults.add(at(place, tag), "it is missing or empty", "write the value of the item");
        }
    }

    /// Section C.18.1: a number with its unit, or nothing with the reason why.
    fn number(&mut self, item: &Attributes, place: &str) {
        let place = at(place, tags::MEASURED_VALUE_SEQUENCE);
        let measured = match item.items(tags::MEASURED_VALUE_SEQUENCE) {
            [measured] => measured,
            [] if !item.items(tags::NUMERIC_VALUE_QUALIFIER_CODE_SEQUENCE).is_empty() => return,
            _ => {
                self.faults.add(place, "there is not exactly one value", "write one, or say why there is none");
                return;
            }
        };
        if decimals::<1>(measured, tags::NUMERIC_VALUE).is_none() {
            let mend = "write one finite decimal number";
            self.faults.add(at(&place, tags::NUMERIC_VALUE), "it is no finite number", mend);
        }
        if measured.get(tags::FLOATING_POINT_VALUE).is_some() && reals(measured, tags::FLOATING_POINT_VALUE).is_none() {
            let mend = "write one finite number";
            self.faults.add(at(&place, tags::FLOATING_POINT_VALUE), "it is no finite number", mend);
        }
        check_code(measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE, &place, self.faults);
    }

    fn uid(&mut self, item: &Attributes, place: &str) {
        let Some(named) = uid(item, tags::UID) else {
            self.faults.add(
                at(place, tags::UID),
                "it is no UID",
                "write numbers with single dots, at most 64 characters",
            );
            return;
        };
        let is = |term| super::reading::is_coded(item, tags::CONCEPT_NAME_CODE_SEQUENCE, term);
        if is(terms::SOURCE_SERIES) && !self.known.has_series(&named) {
            let mend = "name series of the request, or of your own results";
            self.faults.add(at(place, tags::UID), "it is none of this job's series", mend);
        }
        if is(terms::FRAME_OF_REFERENCE) && !self.known.frames_of_reference.contains(&named) {
            let mend = "use the Frame of Reference UID of the images";
            self.faults.add(at(place, tags::UID), "no image of this job has it", mend);
        }
    }

    /// An item that stands elsewhere in the same report (section C.17.3.2.5).
    fn by_reference(&mut self, item: &Attributes, place: &str) {
        let place = at(place, tags::REFERENCED_CONTENT_ITEM_IDENTIFIER);
        if self.class < ReportClass::Comprehensive {
            self.faults.add(place, "the class has no items by reference", "write the item itself");
            return;
        }
        let path = wholes(item, tags::REFERENCED_CONTENT_ITEM_IDENTIFIER).unwrap_or_default();
        let found = path.split_first().filter(|(root, _)| **root == 1).and_then(|(_, below)| {
            below.iter().try_fold(self.root, |item, number| {
                let number = usize::try_from(*number).ok()?.checked_sub(1)?;
                item.items(tags::CONTENT_SEQUENCE).get(number)
            })
        });
        if found.is_none() {
            self.faults.add(place, "there is no such item", "write numbers of items from 1, from the root on");
        }
    }
}
