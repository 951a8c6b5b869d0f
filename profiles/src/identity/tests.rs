use proptest::prelude::*;
use serde_json::json;

use super::*;

const PATIENT: &str = "p-1";
const OTHER: &str = "p-2";

/// The patient compartment of FHIR R4, each type with every element that puts a resource into it.
const COMPARTMENT: &[(&str, &[&str])] = &[
    ("Account", &["subject"]),
    ("AdverseEvent", &["subject"]),
    ("AllergyIntolerance", &["patient", "recorder", "asserter"]),
    ("Appointment", &["participant.actor"]),
    ("AppointmentResponse", &["actor"]),
    ("AuditEvent", &["agent.who", "entity.what"]),
    ("Basic", &["subject", "author"]),
    ("BodyStructure", &["patient"]),
    ("CarePlan", &["subject", "activity.detail.performer"]),
    ("CareTeam", &["subject", "participant.member"]),
    ("ChargeItem", &["subject"]),
    ("Claim", &["patient", "payee.party"]),
    ("ClaimResponse", &["patient"]),
    ("ClinicalImpression", &["subject"]),
    ("Communication", &["subject", "sender", "recipient"]),
    ("CommunicationRequest", &["subject", "sender", "recipient", "requester"]),
    ("Composition", &["subject", "author", "attester.party"]),
    ("Condition", &["subject", "asserter"]),
    ("Consent", &["patient"]),
    ("Coverage", &["beneficiary"]),
    ("CoverageEligibilityRequest", &["patient"]),
    ("CoverageEligibilityResponse", &["patient"]),
    ("DetectedIssue", &["patient"]),
    ("DeviceRequest", &["subject", "performer"]),
    ("DeviceUseStatement", &["subject"]),
    ("DiagnosticReport", &["subject"]),
    ("DocumentManifest", &["subject", "author", "recipient"]),
    ("DocumentReference", &["subject", "author"]),
    ("Encounter", &["subject"]),
    ("EnrollmentRequest", &["candidate"]),
    ("EpisodeOfCare", &["patient"]),
    ("ExplanationOfBenefit", &["patient", "payee.party"]),
    ("FamilyMemberHistory", &["patient"]),
    ("Flag", &["subject"]),
    ("Goal", &["subject"]),
    ("Group", &["member.entity"]),
    ("ImagingStudy", &["subject"]),
    ("Immunization", &["patient"]),
    ("ImmunizationEvaluation", &["patient"]),
    ("ImmunizationRecommendation", &["patient"]),
    ("Invoice", &["subject", "recipient"]),
    ("List", &["subject", "source"]),
    ("MeasureReport", &["subject"]),
    ("Media", &["subject"]),
    ("MedicationAdministration", &["subject", "performer.actor"]),
    ("MedicationDispense", &["subject", "receiver"]),
    ("MedicationRequest", &["subject"]),
    ("MedicationStatement", &["subject"]),
    ("MolecularSequence", &["patient"]),
    ("NutritionOrder", &["patient"]),
    ("Observation", &["subject", "performer"]),
    ("Person", &["link.target"]),
    ("Procedure", &["subject", "performer.actor"]),
    ("Provenance", &["target"]),
    ("QuestionnaireResponse", &["subject", "author"]),
    ("RelatedPerson", &["patient"]),
    ("RequestGroup", &["subject", "action.participant"]),
    ("ResearchSubject", &["individual"]),
    ("RiskAssessment", &["subject"]),
    ("Schedule", &["actor"]),
    ("ServiceRequest", &["subject", "performer"]),
    ("Specimen", &["subject"]),
    ("SupplyDelivery", &["patient"]),
    ("SupplyRequest", &["requester"]),
    ("Task", &["for"]),
    ("VisionPrescription", &["patient"]),
];

fn reference_at(resource_type: &str, path: &str, reference: &str) -> Value {
    let target = json!({"reference": reference});
    let mut resource = path.rsplit('.').fold(target, |inner, name| json!({ name: inner }));
    resource["resourceType"] = json!(resource_type);
    resource
}

/// Both ways to ask give the same answer.
fn answer(resource: &Value) -> Result<(), ForeignPatient> {
    let answer = check(resource, PATIENT);
    assert_eq!(check_json(&Json::from_value(resource), PATIENT), answer, "{resource}");
    answer
}

fn passes(resource: &Value) {
    assert_eq!(answer(resource), Ok(()), "{resource}");
}

fn is_foreign(resource: &Value, place: &str) {
    assert_eq!(answer(resource), Err(ForeignPatient { place: place.to_owned() }), "{resource}");
}

fn each_path() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMPARTMENT.iter().flat_map(|(name, paths)| paths.iter().map(move |path| (*name, *path)))
}

#[test]
fn each_element_of_the_compartment_is_looked_at() {
    for (name, path) in each_path() {
        passes(&reference_at(name, path, "Patient/p-1"));
        passes(&reference_at(name, path, "https://ehr.example/fhir/Patient/p-1/_history/3"));
        is_foreign(&reference_at(name, path, "Patient/p-2"), &format!("{name}.{path}"));
        is_foreign(&reference_at(name, path, "https://ehr.example/fhir/Patient/p-2"), &format!("{name}.{path}"));
    }
}

#[test]
fn another_patient_is_found_in_every_kind_of_wrapping() {
    for (name, path) in each_path() {
        let resource = reference_at(name, path, "Patient/p-2");
        let own = json!({"resourceType": "Patient", "id": PATIENT});
        is_foreign(
            &json!({"resourceType": "Bundle", "entry": [{"resource": own}, {"resource": resource}]}),
            &format!("Bundle.entry[1].resource.{path}"),
        );
        is_foreign(&json!({"resourceType": "List", "contained": [resource]}), &format!("List.contained[0].{path}"));
        let nested = json!({"resourceType": "Bundle", "entry": [{"resource": resource}]});
        is_foreign(
            &json!({"resourceType": "Parameters", "parameter": [{"part": [{"resource": nested}]}]}),
            &format!("Parameters.parameter[0].part[0].resource.entry[0].resource.{path}"),
        );
    }
}

#[test]
fn a_patient_resource_carries_the_id_of_the_call() {
    passes(&json!({"resourceType": "Patient", "id": PATIENT}));
    is_foreign(&json!({"resourceType": "Patient", "id": OTHER}), "Patient.id");
    is_foreign(&json!({"resourceType": "Patient"}), "Patient.id");
    is_foreign(&json!({"resourceType": "Patient", "id": 1}), "Patient.id");
    is_foreign(
        &json!({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": OTHER}}]}),
        "Bundle.entry[0].resource.id",
    );
}

#[test]
fn a_contained_patient_has_only_a_local_id() {
    passes(&json!({
        "resourceType": "Observation",
        "contained": [{"resourceType": "Patient", "id": "local"}],
        "subject": {"reference": "#local"},
    }));
}

#[test]
fn posing_as_a_resource_or_being_contained_hides_no_other_patient() {
    for posing in ["Basic", "Bundle", "Patient"] {
        let subject = json!({"resourceType": posing, "id": PATIENT, "reference": "Patient/p-2"});
        is_foreign(&json!({"resourceType": "Flag", "subject": subject}), "Flag.subject");
    }
    let bundle = json!({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": OTHER}}]});
    is_foreign(&json!({"resourceType": "List", "contained": [bundle]}), "List.contained[0].entry[0].resource.id");
}

#[test]
fn what_names_no_patient_passes() {
    for reference in ["Group/g", "Device/d", "Location/l", "Practitioner/p-2", "#", "#local", "https://h/x/Group/1"] {
        passes(&reference_at("Observation", "subject", reference));
    }
    passes(&json!({"resourceType": "Observation", "subject": {"identifier": {"value": "1"}, "display": "山田　太郎"}}));
    passes(
        &json!({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "OperationOutcome", "issue": []}}]}),
    );
    for value in [json!(null), json!([]), json!("Patient/p-2"), json!({"reference": 1})] {
        passes(&value);
    }
}

#[test]
fn a_reference_that_speaks_of_a_patient_but_cannot_be_read_is_foreign() {
    let unreadable = [
        "Patient?identifier=1",
        "patient/p-1",
        "PATIENT/p-2",
        "Patient/",
        "Patient",
        "Patient/p-1?x=1",
        "Patient/p%2D1",
        "%50atient/p-2",
        "fhir/Patient/p-2",
        "/Patient/p-2",
        "ftp://h/Patient/p-2",
        "Patient/p-1#x",
        "Patient/ p-1",
    ];
    for reference in unreadable {
        is_foreign(&reference_at("Observation", "subject", reference), "Observation.subject");
        assert!(names_another_patient(reference, PATIENT), "{reference}");
    }
}

#[test]
fn a_reference_standing_alone_is_compared_too() {
    for own in ["Patient/p-1", "https://h/Patient/p-1", "Observation/p-2", "Group/1", "#x", "urn:uuid:1"] {
        assert!(!names_another_patient(own, PATIENT), "{own}");
    }
    for other in ["Patient/p-2", "https://h/Patient/p-2", "Patient/p-2/_history/1"] {
        assert!(names_another_patient(other, PATIENT), "{other}");
    }
}

#[test]
fn a_urn_leads_to_an_entry_of_the_same_bundle_or_is_foreign() {
    let bundle = |full_url: &str, id: &str| {
        json!({"resourceType": "Bundle", "entry": [
            {"fullUrl": full_url, "resource": {"resourceType": "Patient", "id": id}},
            {"resource": {"resourceType": "Bundle", "entry": [{"resource": reference_at("Condition", "subject", "urn:uuid:1")}]}},
        ]})
    };
    passes(&bundle("urn:uuid:1", PATIENT));
    is_foreign(&bundle("urn:uuid:1", OTHER), "Bundle.entry[0].resource.id");
    is_foreign(&bundle("urn:uuid:2", PATIENT), "Bundle.entry[1].resource.entry[0].resource.subject");
    for (name, path) in [("Coverage", "beneficiary"), ("Task", "for"), ("Flag", "subject"), ("Consent", "patient")] {
        is_foreign(&reference_at(name, path, "urn:uuid:9"), &format!("{name}.{path}"));
    }
    passes(&reference_at("Observation", "performer", "urn:uuid:9"));
}

#[test]
fn another_patient_is_named_only_where_the_list_says() {
    for (name, path) in NAMES_OTHERS {
        let mut resource = reference_at(name, path, "Patient/p-2");
        resource["id"] = json!(PATIENT);
        passes(&resource);
        passes(&json!({"resourceType": "Bundle", "entry": [{"resource": resource}]}));
        let elsewhere = reference_at("Basic", path, "Patient/p-2");
        is_foreign(&elsewhere, &format!("Basic.{path}"));
        let in_extension = reference_at(name, &format!("extension.{path}"), "Patient/p-2");
        assert!(answer(&in_extension).is_err());
    }
    let payors =
        json!({"resourceType": "Coverage", "payor": [{"reference": "Organization/1"}, {"reference": "Patient/p-2"}]});
    passes(&payors);
}

#[test]
fn escapes_hide_no_other_patient() {
    for text in [
        r#"{"resourceType":"Flag","subject":{"reference":"\u0050atient\/p-2"}}"#,
        r#"{"resourceType":"Flag","subject":{"r\u0065ference":"Patient/p-2"}}"#,
        r#"{"resourc\u0065Type":"P\u0061tient","id":"p-2"}"#,
    ] {
        let json = Json::parse(text.as_bytes(), &crate::Limits::MESSAGE).unwrap();
        assert!(check_json(&json, PATIENT).is_err() && check(&json.value(), PATIENT).is_err(), "{text}");
    }
}

#[test]
fn a_text_that_cannot_be_read_is_foreign() {
    let unscanned: Json = serde_json::from_str(r#"{"resourceType":"Patient","id":"p-2","n":1e999}"#).unwrap();
    assert_eq!(check_json(&unscanned, PATIENT), Err(ForeignPatient { place: "Resource".to_owned() }));
}

#[test]
fn a_place_shows_no_value_that_was_put_into_a_name() {
    let resource = json!({"resourceType": "Observation", "p-2": [{"valueBase64Binary": {"reference": "Patient/p-2"}}]});
    is_foreign(&resource, "Observation.?[0].?");
    is_foreign(&json!({"resourceType": "p-2", "subject": {"reference": "Patient/p-2"}}), "Resource.subject");
}

fn any_tree() -> impl Strategy<Value = Value> {
    let name = || prop_oneof![Just("subject".to_owned()), Just("entry".to_owned()), "[a-z0-9-]{0,6}"];
    let leaf =
        prop_oneof![Just(json!(null)), Just(json!({"reference": "Patient/p-1"})), ".{0,6}".prop_map(Value::from)];
    leaf.prop_recursive(8, 60, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map(name(), inner, 0..5).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Puts `planted` somewhere below `tree`, led by `turns`.
fn plant(tree: &mut Value, planted: &Value, turns: &[usize]) {
    match (tree, turns) {
        (Value::Array(items), [turn, rest @ ..]) if !items.is_empty() => {
            let index = turn % items.len();
            plant(&mut items[index], planted, rest);
        }
        (Value::Object(members), [turn, rest @ ..]) if !members.is_empty() => {
            let index = turn % members.len();
            plant(members.values_mut().nth(index).unwrap(), planted, rest);
        }
        (tree, _) => *tree = planted.clone(),
    }
}

proptest! {
    #[test]
    fn another_patient_anywhere_is_found_and_not_repeated(
        mut tree in any_tree(),
        turns in proptest::collection::vec(any::<usize>(), 0..8),
        digits in "[0-9]{6,12}",
    ) {
        let planted = json!({"reference": format!("Patient/{digits}")});
        plant(&mut tree, &planted, &turns);
        let found = answer(&json!({"resourceType": "Basic", "code": tree})).unwrap_err();
        prop_assert!(!found.place.contains(&digits));
        prop_assert!(found.place.starts_with("Basic.code"));
    }

    #[test]
    fn any_value_has_an_answer(tree in any_tree()) {
        let _ = answer(&tree);
    }
}
