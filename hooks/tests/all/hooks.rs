//! The published hooks and their examples.

use medvan_hooks::{
    Hook, Request,
    hook::{self, Need},
};
use serde_json::{Value, json};

/// A call of `hook` with this context.
pub(crate) fn call(hook: &str, context: &Value) -> Value {
    json!({"hook": hook, "hookInstance": "6bc883b2-b795-4dcb-b661-34884a31d472", "context": context})
}

pub(crate) fn parse(value: &Value) -> Request {
    Request::parse(value.to_string().as_bytes()).expect("a request")
}

fn example(hook: &Hook) -> Value {
    serde_json::from_str(hook.example).expect("the example is JSON")
}

#[test]
fn all_thirteen_published_hooks_are_listed_once() {
    let mut names: Vec<&str> = hook::all().iter().map(|hook| hook.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 13);
    assert!(names.iter().all(|name| Hook::find(name).is_some()));
    assert!(Hook::find("com.example.custom").is_none());
}

#[test]
fn the_example_of_every_hook_passes_its_own_schema_without_a_warning() {
    for hook in hook::all() {
        let warnings = parse(&call(hook.name, &example(hook))).check().expect(hook.name);
        let deprecated = usize::from(hook.replaced_by.is_some());
        assert_eq!(warnings.len(), deprecated, "{}: {warnings:?}", hook.name);
    }
}

#[test]
fn a_call_without_a_required_field_is_refused_and_names_it() {
    for hook in hook::all() {
        for field in hook.fields {
            let mut context = example(hook);
            context.as_object_mut().expect("an object").remove(field.name);
            let outcome = parse(&call(hook.name, &context)).check();
            match field.need {
                Need::Required => {
                    let error = outcome.expect_err(field.name);
                    assert_eq!(error.expression(), Some(format!("context.{}", field.name).as_str()));
                }
                Need::Expected => assert!(outcome.expect(field.name).iter().any(|w| w.place.ends_with(field.name))),
                Need::Optional => assert!(outcome.is_ok(), "{}.{}", hook.name, field.name),
            }
        }
    }
}

#[test]
fn a_field_of_the_wrong_type_is_refused_and_named() {
    for hook in hook::all() {
        for field in hook.fields {
            for wrong in [json!(1), json!(true), json!(""), json!([]), json!({}), json!("a b"), json!([1])] {
                let mut context = example(hook);
                context[field.name] = wrong.clone();
                let outcome = parse(&call(hook.name, &context)).check();
                let tolerated = field.name == "fulfillmentTasks" && wrong == json!([]);
                assert!(outcome.is_err() || tolerated, "{}.{} took {wrong}", hook.name, field.name);
            }
        }
    }
}

#[test]
fn the_tokens_of_each_table_are_the_primitive_fields_and_dispatched_orders() {
    let tokens: Vec<&str> =
        Hook::find("order-dispatch").expect("known").fields.iter().filter(|f| f.token).map(|f| f.name).collect();
    assert_eq!(tokens, ["patientId", "dispatchedOrders", "performer"]);
    let sign = Hook::find("order-sign").expect("known");
    assert!(!sign.field("draftOrders").expect("known").token);
    assert!(sign.field("userId").expect("known").token);
}

fn warned(hook: &str, context: &Value) -> (Request, Vec<String>) {
    let mut request = parse(&call(hook, context));
    let warnings = request.check().expect("tolerated");
    (request, warnings.iter().map(ToString::to_string).collect())
}

/// Section 1L of the facts: the standard's own examples contradict its tables.
#[test]
fn names_of_the_standards_own_examples_are_taken_with_a_warning_and_renamed() {
    for (hook, field, alias) in [
        ("order-dispatch", "fulfillmentTasks", "fulfillment-tasks"),
        ("order-dispatch", "dispatchedOrders", "dispatched-orders"),
        ("medication-verify", "medication", "order"),
        ("allergyintolerance-create", "allergyIntolerance", "allergyIntolerances"),
    ] {
        let mut context = example(Hook::find(hook).expect("known"));
        let value = context.as_object_mut().expect("an object").remove(field).expect(field);
        context[alias] = value.clone();
        let (request, warnings) = warned(hook, &context);
        assert_eq!(request.context[field].value(), value);
        assert!(!request.context.contains_key(alias));
        assert_eq!(warnings, [format!("context.{field}: was sent as \"{alias}\"; renamed")]);
    }
}

#[test]
fn an_alias_beside_the_real_name_is_dropped() {
    let mut context = example(Hook::find("medication-verify").expect("known"));
    context["order"] = json!({"resourceType": "Basic"});
    let (request, warnings) = warned("medication-verify", &context);
    assert!(!request.context.contains_key("order"));
    assert_eq!(request.context["medication"].value(), context["medication"]);
    assert_eq!(warnings.len(), 1);
}

#[test]
fn a_wrapped_resource_of_the_standards_examples_is_taken_with_a_warning() {
    let bare = example(Hook::find("allergyintolerance-create").expect("known"))["allergyIntolerance"].clone();
    for wrapped in [json!({"resource": bare}), json!({"resourceType": "Bundle", "entry": [{"resource": bare}]})] {
        let context = json!({"userId": "Practitioner/a", "patientId": "p", "allergyIntolerance": wrapped});
        let (_, warnings) = warned("allergyintolerance-create", &context);
        assert_eq!(warnings, ["context.allergyIntolerance: is wrapped; the table asks for the bare resource"]);
    }
}

#[test]
fn selections_outside_the_draft_orders_and_tasks_of_other_orders_are_warned_of() {
    let mut context = example(Hook::find("order-select").expect("known"));
    context["selections"] = json!(["MedicationRequest/elsewhere"]);
    assert_eq!(
        warned("order-select", &context).1,
        ["context.selections: refers to something that is not in the context"]
    );
    let mut context = example(Hook::find("order-dispatch").expect("known"));
    context["fulfillmentTasks"][0]["focus"] = json!({"reference": "ServiceRequest/other"});
    assert_eq!(warned("order-dispatch", &context).1.len(), 1);
}

#[test]
fn a_user_of_an_unexpected_type_is_a_warning_and_a_bare_user_id_an_error() {
    let context = json!({"userId": "Device/kiosk", "patientId": "p"});
    assert_eq!(warned("patient-view", &context).1, ["context.userId: is of a type that this hook does not expect"]);
    let context = json!({"userId": "dr-1", "patientId": "p"});
    let error = parse(&call("patient-view", &context)).check().expect_err("not a reference");
    assert_eq!(error.expression(), Some("context.userId"));
}

#[test]
fn extra_fields_and_long_ids_pass() {
    let context = json!({"userId": "Practitioner/a", "patientId": "e".repeat(200), "com.example.note": {"a": [1]}});
    let (request, warnings) = warned("patient-view", &context);
    assert!(warnings.is_empty());
    assert_eq!(request.context["com.example.note"].as_str(), r#"{"a":[1]}"#);
}

#[test]
fn a_custom_hook_may_carry_any_object_as_context() {
    for context in [json!({}), json!({"noteId": 7}), json!({"patientId": "p"})] {
        let (request, warnings) = warned("sign-note-inpatient", &context);
        assert!(warnings.is_empty());
        assert_eq!(request.patient_id(), context["patientId"].as_str());
    }
}

/// Not timed: compared one with the other they would take minutes.
#[test]
fn thirty_thousand_selections_are_still_read() {
    let ids: Vec<String> = (0..30_000).map(|n| format!("Task/t{n}")).collect();
    let entries: Vec<Value> =
        (0..30_000).map(|n| json!({"resource": {"resourceType": "Task", "id": format!("t{n}")}})).collect();
    let context = json!({"userId": "Practitioner/a", "patientId": "p", "selections": ids, "draftOrders": {"resourceType": "Bundle", "entry": entries}});
    assert!(warned("order-select", &context).1.is_empty());
}
