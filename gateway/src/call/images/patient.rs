//! [`Identified`]: by which PatientID the images of a FHIR Patient are known.

use medvan_profiles::Json;
use serde::Deserialize;

/// Identifiers of a patient in one hospital (JP Core Patient): `urn:oid:1.2.392.100495.20.3.51.1` and the hospital's number.
const JP_CORE: &str = "urn:oid:1.2.392.100495.20.3.51.1";
/// "Medical record number" (HL7 table 0203).
const RECORD_NUMBER: &str = "MR";
/// Identifiers that are looked for.
const MOST: usize = 4;
/// Characters of a PatientID (PS3.5, LO).
const LONGEST: usize = 64;

/// A patient as images know them.
#[derive(Debug)]
pub(crate) struct Identified {
    /// Each may be the PatientID of images.
    pub(super) ids: Vec<String>,
    /// `YYYYMMDD`, where the whole date is known.
    birth_date: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patient {
    resource_type: String,
    #[serde(default)]
    identifier: Vec<Identifier>,
    birth_date: Option<String>,
}

#[derive(Deserialize)]
struct Identifier {
    r#use: Option<String>,
    r#type: Option<Concept>,
    system: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Concept {
    #[serde(default)]
    coding: Vec<Coding>,
}

#[derive(Deserialize)]
struct Coding {
    code: Option<String>,
}

impl Identified {
    /// Reads a Patient. `system` is the one that the hospital names; else identifiers of JP Core's form or of type MR count, or the
    /// only one that there is: a number of another kind may be another patient's PatientID.
    ///
    /// # Errors
    /// Why it is not known who it is.
    pub(super) fn read(json: &Json, system: Option<&str>) -> Result<Self, &'static str> {
        let patient: Patient = serde_json::from_str(json.as_str()).map_err(|_| "the patient cannot be read")?;
        if patient.resource_type != "Patient" {
            return Err("what was sent as the patient is none");
        }
        let current: Vec<Identifier> =
            patient.identifier.into_iter().filter(|one| one.r#use.as_deref() != Some("old")).collect();
        let is_meant = |one: &&Identifier| match system {
            Some(system) => one.system.as_deref() == Some(system),
            None => one.is_of_hospital() || current.len() == 1,
        };
        let values = current.iter().filter(is_meant).filter_map(|one| one.value.as_deref().map(str::trim));
        let mut ids: Vec<String> =
            values.filter(|id| (1..=LONGEST).contains(&id.chars().count())).map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        if ids.is_empty() {
            return Err("the patient has no identifier by which images are known");
        }
        if ids.len() > MOST {
            return Err("the patient has too many identifiers");
        }
        let birth_date = patient.birth_date.map(|date| date.replace('-', "")).filter(|date| is_whole(date));
        Ok(Self { ids, birth_date })
    }

    /// Whether nothing speaks against a study's PatientBirthDate: a wrong or reused number shows in it.
    pub(super) fn may_be_born(&self, study: Option<&str>) -> bool {
        match (&self.birth_date, study.map(str::trim).filter(|date| is_whole(date))) {
            (Some(known), Some(told)) => known == told,
            _ => true,
        }
    }
}

impl Identifier {
    fn is_of_hospital(&self) -> bool {
        let is_record = self.r#type.iter().flat_map(|concept| &concept.coding);
        self.system.as_deref().is_some_and(|system| system.starts_with(JP_CORE))
            || is_record.into_iter().any(|coding| coding.code.as_deref() == Some(RECORD_NUMBER))
    }
}

fn is_whole(date: &str) -> bool {
    date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(identifiers: &Value, system: Option<&str>) -> Result<Vec<String>, &'static str> {
        let patient = json!({"resourceType": "Patient", "id": "p", "identifier": identifiers});
        Identified::read(&Json::from_value(&patient), system).map(|known| known.ids)
    }

    #[test]
    fn only_numbers_of_the_hospital_name_images() {
        let own = json!({"system": "urn:oid:1.2.392.100495.20.3.51.11310000001", "value": " 0012 "});
        let record = json!({"system": "urn:x", "type": {"coding": [{"code": "MR"}]}, "value": "77"});
        let insurance = json!({"system": "urn:insurance", "value": "0099"});
        let old = json!({"use": "old", "value": "1"});
        let table = [
            (json!([own, insurance]), None, Ok(vec!["0012"])),
            (json!([record, own]), None, Ok(vec!["0012", "77"])),
            (json!([insurance]), None, Ok(vec!["0099"])),
            (json!([insurance, old]), None, Ok(vec!["0099"])),
            (json!([insurance, {"value": "2"}]), None, Err("no identifier")),
            (json!([own, insurance]), Some("urn:insurance"), Ok(vec!["0099"])),
            (json!([own]), Some("urn:other"), Err("no identifier")),
            (json!([]), None, Err("no identifier")),
            (json!([{"system": "urn:x"}]), None, Err("no identifier")),
            (json!([{"value": "9".repeat(65)}]), None, Err("no identifier")),
        ];
        for (identifiers, system, wanted) in table {
            match (read(&identifiers, system), wanted) {
                (Ok(ids), Ok(wanted)) => assert_eq!(ids, wanted),
                (Err(told), Err(part)) => assert!(told.contains(part), "{told}"),
                (got, wanted) => panic!("{got:?} instead of {wanted:?} for {identifiers}"),
            }
        }
    }

    #[test]
    fn another_date_of_birth_is_another_patient() {
        let born = |date: &str| {
            let patient = json!({"resourceType": "Patient", "identifier": [{"value": "1"}], "birthDate": date});
            Identified::read(&Json::from_value(&patient), None).unwrap()
        };
        let table = [
            ("1950-04-01", Some("19500401"), true),
            ("1950-04-01", Some("19500402"), false),
            ("1950-04-01", None, true),
            ("1950-04-01", Some(""), true),
            ("1950", Some("19500402"), true),
        ];
        for (patient, study, may_be) in table {
            assert_eq!(born(patient).may_be_born(study), may_be, "{patient} {study:?}");
        }
    }
}
