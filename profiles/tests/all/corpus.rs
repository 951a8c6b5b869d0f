//! The JP-CLINS examples (Japan's electronic chart sharing service), unmodified, from the folder that the environment
//! variable `MEDVAN_CORPUS` names. They may not be redistributed, so the project passes without them.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use medvan_profiles::{Json, Limits, fhir, identity};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[expect(clippy::disallowed_methods, reason = "a test has no configuration file")]
fn corpus() -> Option<PathBuf> {
    std::env::var("MEDVAN_CORPUS").ok().map(PathBuf::from)
}

/// Calls `look` with the name and the bytes of each example, or says that it did not.
fn each_example(mut look: impl FnMut(&str, &[u8])) {
    let Some(corpus) = corpus() else {
        // Not `eprintln!`: the test harness swallows that when a test passes.
        let note = "skipped: MEDVAN_CORPUS names no folder, the JP-CLINS examples were not read\n";
        io::stderr().write_all(note.as_bytes()).unwrap();
        return;
    };
    let mut examples = 0;
    for file in fs::read_dir(corpus.join("jp/clins-examples")).unwrap() {
        let path = file.unwrap().path();
        look(&path.file_name().unwrap().to_string_lossy(), &fs::read(&path).unwrap());
        examples += 1;
    }
    assert!(examples >= 31, "only {examples} examples");
}

#[derive(Serialize, Deserialize)]
struct Around {
    before: u8,
    resource: Json,
    after: u8,
}

#[test]
fn every_example_survives_byte_for_byte() {
    let mut with_wide_space = 0;
    each_example(|name, bytes| {
        let json = Json::parse(bytes, &Limits::MESSAGE).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(json.as_str().as_bytes(), bytes.trim_ascii(), "{name}");
        let written = serde_json::to_vec(&Around { before: 1, resource: json.clone(), after: 2 }).unwrap();
        let again: Around = serde_json::from_slice(&written).unwrap();
        assert_eq!(again.resource, json, "{name}");
        assert_eq!(json.value(), serde_json::from_slice::<Value>(bytes).unwrap(), "{name}");
        with_wide_space += usize::from(json.as_str().contains('\u{3000}'));
    });
    assert!(corpus().is_none() || with_wide_space > 0, "no example holds a full-width space");
}

#[test]
fn every_example_says_what_it_is() {
    each_example(|name, bytes| {
        let resource: Value = serde_json::from_slice(bytes).unwrap();
        let resource_type = fhir::resource_type(&resource).unwrap_or_else(|| panic!("{name}"));
        assert!(name.starts_with(resource_type), "{name}");
    });
}

/// Japanese documents lead to their patient by `urn:uuid`, or hold it, and pass for their own patient only.
#[test]
fn every_example_with_a_patient_belongs_to_that_patient_alone() {
    let mut about_a_patient = 0;
    each_example(|name, bytes| {
        let resource: Value = serde_json::from_slice(bytes).unwrap();
        let Some(patient) = patient_of(&resource) else {
            return;
        };
        about_a_patient += 1;
        assert_eq!(identity::check(&resource, &patient), Ok(()), "{name}");
        let json = Json::parse(bytes, &Limits::MESSAGE).unwrap();
        assert_eq!(identity::check_json(&json, &patient), Ok(()), "{name}");
        assert!(identity::check_json(&json, "someone-else").is_err(), "{name}");
        assert!(identity::check(&resource, "someone-else").is_err(), "{name}");
    });
    assert!(corpus().is_none() || about_a_patient >= 8, "only {about_a_patient} examples are about a patient");
}

/// Whose resource it is, found in another way than the check finds it.
fn patient_of(resource: &Value) -> Option<String> {
    let patients = resource["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]);
    let patient = patients.chain([resource]).find(|resource| resource["resourceType"] == "Patient");
    let named = ["subject", "patient"].iter().find_map(|name| resource[*name]["reference"].as_str());
    let id = patient.and_then(|patient| patient["id"].as_str());
    id.or_else(|| named?.strip_prefix("Patient/")).map(str::to_owned)
}
