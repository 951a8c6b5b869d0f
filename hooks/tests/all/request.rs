//! Reading a call from an EHR and writing it for a vendor.

use indexmap::IndexMap;
use medvan_hooks::{
    FhirAuthorization, Outgoing, PrefetchState, Request, RequestError,
    prefetch::{EmptySearch, Omission},
    request::OmittedKeys,
};
use medvan_profiles::Json;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::hooks::{call, parse};

fn view() -> Value {
    call("patient-view", &json!({"userId": "Practitioner/a", "patientId": "p-1"}))
}

fn authorized() -> Value {
    let mut value = view();
    value["fhirServer"] = json!("https://ehr.example/fhir/r4");
    value["fhirAuthorization"] = json!({
        "access_token": "opaque-token", "token_type": "Bearer", "expires_in": 30,
        "scope": "user/Observation.rs", "subject": "gateway"
    });
    value
}

fn refused(value: &Value) -> RequestError {
    let text = value.to_string();
    Request::parse(text.as_bytes()).and_then(|mut request| request.check()).expect_err(&text)
}

/// Changes one member of a good call and says where the refusal points.
fn refusal_of(mut value: Value, pointer: &str, wrong: Value) -> String {
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    value.pointer_mut(parent).expect("a parent")[member] = wrong;
    refused(&value).expression().expect("a place").to_owned()
}

#[test]
fn a_good_call_is_read_whole() {
    let request = parse(&authorized());
    assert_eq!(
        (request.hook.as_str(), request.patient_id(), request.user()),
        ("patient-view", Some("p-1"), Some("Practitioner/a"))
    );
    let FhirAuthorization { access_token, expires_in, .. } = request.fhir_authorization.expect("sent");
    assert_eq!((access_token.as_str(), expires_in), ("opaque-token", 30));
}

#[test]
fn each_wrong_member_is_refused_at_its_place() {
    for (pointer, wrong, place) in [
        ("/hook", json!(null), "hook"),
        ("/hook", json!(7), "hook"),
        ("/hook", json!(""), "hook"),
        ("/hook", json!("x".repeat(300)), "hook"),
        ("/hookInstance", json!("a\u{0}b"), "hookInstance"),
        ("/hookInstance", json!({}), "hookInstance"),
        ("/context", json!("p-1"), "context"),
        ("/context", json!([]), "context"),
        ("/context", json!(null), "context"),
        ("/prefetch", json!([]), "prefetch"),
        ("/extension", json!([{"url": "a"}]), "extension"),
        ("/fhirServer", json!(null), "fhirServer"),
        ("/fhirServer", json!("ehr.example/fhir"), "fhirServer"),
        ("/fhirServer", json!("file:///etc/passwd"), "fhirServer"),
        ("/fhirServer", json!("https://user:pw@ehr.example/fhir"), "fhirServer"),
        ("/fhirAuthorization", json!("Bearer x"), "fhirAuthorization"),
        ("/fhirAuthorization/access_token", json!(null), "fhirAuthorization.access_token"),
        ("/fhirAuthorization/access_token", json!("a\r\nX-Evil: 1"), "fhirAuthorization.access_token"),
        ("/fhirAuthorization/token_type", json!("MAC"), "fhirAuthorization.token_type"),
        ("/fhirAuthorization/expires_in", json!("300"), "fhirAuthorization.expires_in"),
        ("/fhirAuthorization/expires_in", json!(-1), "fhirAuthorization.expires_in"),
        ("/fhirAuthorization/scope", json!(""), "fhirAuthorization.scope"),
        ("/fhirAuthorization/subject", json!(["a"]), "fhirAuthorization.subject"),
        ("/fhirAuthorization/patient", json!("p-2"), "fhirAuthorization.patient"),
        ("/context/patientId", json!("Patient/p-1"), "context.patientId"),
        ("/context/patientId", json!("p 1"), "context.patientId"),
        ("/context/patientId", json!(".."), "context.patientId"),
    ] {
        assert_eq!(refusal_of(authorized(), pointer, wrong.clone()), place, "{pointer} = {wrong}");
    }
}

#[test]
fn an_authorization_needs_a_server_but_a_server_no_authorization() {
    let mut value = authorized();
    value.as_object_mut().expect("an object").remove("fhirServer");
    assert_eq!(refused(&value).expression(), Some("fhirServer"));
    let mut value = authorized();
    value.as_object_mut().expect("an object").remove("fhirAuthorization");
    assert!(parse(&value).fhir_authorization.is_none());
}

#[test]
fn optional_members_sent_as_null_count_as_absent() {
    let mut value = view();
    for member in ["fhirServer", "fhirAuthorization", "prefetch", "extension"] {
        value[member] = Value::Null;
    }
    let request = parse(&value);
    assert!(request.prefetch.is_empty() && request.extension.is_none());
    value["extension"] = json!({"com.example.a": null, "com.example.b": {"c": 1}});
    assert_eq!(parse(&value).extension.expect("sent").keys().collect::<Vec<_>>(), ["com.example.b"]);
}

#[test]
fn a_hook_instance_that_is_no_uuid_is_taken_with_a_warning() {
    let mut value = view();
    value["hookInstance"] = json!("fhir-mcp-instance");
    let warnings = parse(&value).check().expect("tolerated");
    assert_eq!(warnings[0].to_string(), "hookInstance: is not a UUID; taken as it is");
}

#[test]
fn patient_scopes_without_a_patient_are_warned_of() {
    let mut value = authorized();
    value["fhirAuthorization"]["scope"] = json!("patient/Observation.rs");
    assert_eq!(parse(&value).check().expect("tolerated").len(), 1);
    value["fhirAuthorization"]["patient"] = json!("p-1");
    assert!(parse(&value).check().expect("fine").is_empty());
}

#[test]
fn prefetch_values_are_resources_or_null() {
    let mut value = view();
    value["prefetch"] = json!({"a": {"resourceType": "Patient"}, "b": null, "c": {}});
    let request = parse(&value);
    assert_eq!(PrefetchState::of(request.prefetch["c"].clone()), PrefetchState::Null);
    for wrong in [json!("x"), json!([]), json!(1), json!({"id": "1"}), json!({"resourceType": 3})] {
        value["prefetch"] = json!({"patient": wrong});
        assert_eq!(refused(&value).expression(), Some("prefetch.patient"));
    }
    value["prefetch"] = json!({"青葉 太郎": 1});
    assert_eq!(refused(&value).expression(), Some("prefetch[0]"));
}

#[test]
fn a_text_that_two_parsers_could_read_differently_is_refused() {
    for text in [
        r#"{"hook":"a","hook":"b"}"#,
        r#"{"context":{"patientId":"1","patientId":"2"}}"#,
        "{\"hook\":\"\\ud800\"}",
        "\u{feff}{}",
        "{} {}",
        "",
        "[1",
    ] {
        assert!(matches!(Request::parse(text.as_bytes()), Err(RequestError::Json(_))), "{text}");
    }
    assert!(matches!(Request::parse(b"{\"hook\":\"\xff\"}"), Err(RequestError::Json(_))));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(Request::parse(deep.as_bytes()), Err(RequestError::Json(_))));
    assert_eq!(refused(&json!([])).expression(), Some("$this"));
}

/// A list of the right values in the right order is no object.
#[test]
fn a_list_in_place_of_an_object_is_refused() {
    let context = json!({"userId": "Practitioner/a", "patientId": "p-1"});
    assert_eq!(refused(&json!(["patient-view", "i", null, null, context, null, null])).expression(), Some("$this"));
    let authorization = json!(["opaque-token", "Bearer", 30, "user/*.rs", "gateway", null]);
    assert_eq!(refusal_of(authorized(), "/fhirAuthorization", authorization), "fhirAuthorization");
}

#[test]
fn no_error_and_no_debug_text_holds_a_value_of_the_call() {
    let mut value = authorized();
    value["context"]["patientId"] = json!("secret 患者");
    let error = refused(&value);
    let told = format!("{} {error:?} {error}", error.diagnostics());
    assert!(!told.contains("secret") && !told.contains("患者 "));
    assert!(told.contains("context.patientId") && told.contains("FHIR の id"));
    let shown = format!("{:?}", parse(&authorized()));
    assert!(!shown.contains("opaque-token"), "{shown}");
    assert!(!shown.contains("p-1"), "{shown}");
}

fn outgoing(prefetch: IndexMap<String, PrefetchState>, omitted_keys: OmittedKeys) -> String {
    let request = parse(&view());
    let outgoing = Outgoing {
        hook: &request.hook,
        hook_instance: "i-1",
        context: &request.context,
        prefetch,
        omitted_keys,
        extension: Some(IndexMap::new()),
    };
    String::from_utf8(outgoing.to_bytes()).expect("UTF-8")
}

fn states() -> IndexMap<String, PrefetchState> {
    let json = |text: &str| Json::parse(text.as_bytes(), &medvan_profiles::Limits::MESSAGE).expect("JSON");
    IndexMap::from([
        ("a".to_owned(), PrefetchState::Omitted(Omission::OutOfTime)),
        ("b".to_owned(), PrefetchState::Null),
        ("c".to_owned(), PrefetchState::of(json(r#"{"resourceType":"OperationOutcome","issue":[]}"#))),
        ("d".to_owned(), PrefetchState::of(json("{\"resourceType\": \"Observation\",\n \"v\": 1.00, \"_x\": \"　\"}"))),
    ])
}

#[test]
fn the_four_states_of_a_key_are_written_as_the_standard_says() {
    let context = r#""context":{"patientId":"p-1","userId":"Practitioner/a"}"#;
    let known = "\"b\":null,\"c\":{\"resourceType\":\"OperationOutcome\",\"issue\":[]},\
                 \"d\":{\"resourceType\": \"Observation\",\n \"v\": 1.00, \"_x\": \"　\"}";
    assert_eq!(
        outgoing(states(), OmittedKeys::LeaveOut),
        format!(r#"{{"hook":"patient-view","hookInstance":"i-1",{context},"prefetch":{{{known}}}}}"#)
    );
}

#[test]
fn a_service_that_cannot_live_without_a_key_is_told_that_it_is_unknown_never_that_there_is_none() {
    let sent: Value = serde_json::from_str(&outgoing(states(), OmittedKeys::SendOutcome)).expect("JSON");
    assert_eq!(sent["prefetch"]["a"]["resourceType"], "OperationOutcome");
    assert_eq!(sent["prefetch"]["a"]["issue"][0]["diagnostics"], "not ready in time");
}

#[test]
fn nothing_empty_is_ever_written() {
    let nothing_known = IndexMap::from([("a".to_owned(), PrefetchState::Omitted(Omission::NoAccess))]);
    for prefetch in [IndexMap::new(), nothing_known] {
        let sent: Value = serde_json::from_str(&outgoing(prefetch, OmittedKeys::LeaveOut)).expect("JSON");
        assert_eq!(
            sent.as_object().expect("an object").keys().collect::<Vec<_>>(),
            ["context", "hook", "hookInstance"]
        );
    }
}

#[test]
fn an_empty_search_is_told_in_the_style_the_service_expects() {
    let bundle = |value: Value| PrefetchState::of(Json::from_value(&value));
    let empty = bundle(json!({"resourceType": "Bundle", "type": "searchset", "total": 0}));
    assert_eq!(empty.clone().in_style(EmptySearch::Null, true), PrefetchState::Null);
    assert_eq!(empty.clone().in_style(EmptySearch::Bundle, true), empty);
    assert!(matches!(PrefetchState::Null.in_style(EmptySearch::Bundle, true), PrefetchState::Resource(_)));
    assert_eq!(PrefetchState::Null.in_style(EmptySearch::Bundle, false), PrefetchState::Null);
    let counted = bundle(json!({"resourceType": "Bundle", "type": "searchset", "total": 3}));
    assert_eq!(counted.clone().in_style(EmptySearch::Null, true), counted);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Request::parse(&bytes).and_then(|mut request| request.check());
    }

    #[test]
    fn a_call_with_one_member_replaced_is_read_or_refused_with_a_place(
        member in prop::sample::select(vec!["hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "prefetch", "extension"]),
        hook in prop::sample::select(medvan_hooks::hook::all().to_vec()),
        value in any_json(),
    ) {
        let mut call = call(hook.name, &serde_json::from_str(hook.example).expect("JSON"));
        call[member] = value;
        if let Err(error) = Request::parse(call.to_string().as_bytes()).and_then(|mut request| request.check()) {
            prop_assert!(error.expression().is_some());
        }
    }
}

/// Small JSON values of every kind, with member names that the rules look at.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~]{0,8}".prop_map(Value::from),
        Just(json!("Patient/p-1")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop::sample::select(vec![
            "resourceType",
            "patientId",
            "userId",
            "entry",
            "resource",
            "reference",
            "access_token",
            "x",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}
