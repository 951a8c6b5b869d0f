//! The hook library against its published tables (cds-hooks-library 1.0.1, rows `cds-hooks-library_1.0.1` of
//! `requirements.tsv`): the tables are written here a second time, by hand, so that a slip in `src/hook/` shows.

use indexmap::IndexMap;
use medvan_hooks::{
    Hook, Outgoing, Request,
    hook::{self, Need},
    plan::union,
    request::OmittedKeys,
    template::{Known, Resolution, Scope, Template},
};
use serde_json::{Value, json};
use time::macros::date;

use crate::hooks::{call, parse};

/// One field of a published context table.
struct Row {
    hook: &'static str,
    field: &'static str,
    need: Need,
    form: Form,
    /// "Prefetch Token: Yes".
    token: bool,
}

#[derive(Clone, Copy)]
enum Form {
    /// A FHIR id.
    Id,
    /// `Type/id` of one of these types.
    User(&'static [&'static str]),
    /// A local reference.
    Reference,
    /// An array of local references, at least one.
    References,
    /// A Bundle.
    Bundle,
    /// One resource of this type.
    Resource(&'static str),
    /// An array of Tasks.
    Tasks,
}

const STAFF: Form = Form::User(&["Practitioner", "PractitionerRole"]);
const DOCTOR: Form = Form::User(&["Practitioner"]);
const ANYBODY: Form = Form::User(&["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"]);

const fn must(hook: &'static str, field: &'static str, form: Form, token: bool) -> Row {
    Row { hook, field, need: Need::Required, form, token }
}

const fn may(hook: &'static str, field: &'static str, form: Form, token: bool) -> Row {
    Row { hook, field, need: Need::Optional, form, token }
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    must("patient-view", "userId", ANYBODY, true),
    must("patient-view", "patientId", Form::Id, true),
    may("patient-view", "encounterId", Form::Id, true),

    must("order-select", "userId", STAFF, true),
    must("order-select", "patientId", Form::Id, true),
    may("order-select", "encounterId", Form::Id, true),
    // The hook's page says required, the requirement list optional.
    Row { hook: "order-select", field: "selections", need: Need::Expected, form: Form::References, token: false },
    must("order-select", "draftOrders", Form::Bundle, false),

    must("order-sign", "userId", STAFF, true),
    must("order-sign", "patientId", Form::Id, true),
    may("order-sign", "encounterId", Form::Id, true),
    must("order-sign", "draftOrders", Form::Bundle, false),

    must("order-dispatch", "patientId", Form::Id, true),
    must("order-dispatch", "dispatchedOrders", Form::References, true),
    must("order-dispatch", "performer", Form::Reference, true),
    may("order-dispatch", "fulfillmentTasks", Form::Tasks, false),

    must("appointment-book", "userId", ANYBODY, true),
    must("appointment-book", "patientId", Form::Id, true),
    may("appointment-book", "encounterId", Form::Id, true),
    must("appointment-book", "appointments", Form::Bundle, false),

    must("encounter-start", "userId", STAFF, true),
    must("encounter-start", "patientId", Form::Id, true),
    must("encounter-start", "encounterId", Form::Id, true),

    must("encounter-discharge", "userId", STAFF, true),
    must("encounter-discharge", "patientId", Form::Id, true),
    must("encounter-discharge", "encounterId", Form::Id, true),

    must("allergyintolerance-create", "userId", DOCTOR, true),
    must("allergyintolerance-create", "patientId", Form::Id, true),
    may("allergyintolerance-create", "encounterId", Form::Id, true),
    must("allergyintolerance-create", "allergyIntolerance", Form::Resource("AllergyIntolerance"), false),

    must("problem-list-item-create", "userId", STAFF, true),
    must("problem-list-item-create", "patientId", Form::Id, true),
    may("problem-list-item-create", "encounterId", Form::Id, true),
    must("problem-list-item-create", "conditions", Form::Bundle, false),

    may("medication-refill", "userId", STAFF, true),
    must("medication-refill", "patientId", Form::Id, true),
    may("medication-refill", "encounterId", Form::Id, true),
    must("medication-refill", "medications", Form::Bundle, false),

    must("medication-verify", "userId", STAFF, true),
    must("medication-verify", "patientId", Form::Id, true),
    may("medication-verify", "encounterId", Form::Id, true),
    must("medication-verify", "medication", Form::Resource("MedicationRequest"), false),

    must("medication-prescribe", "userId", DOCTOR, true),
    must("medication-prescribe", "patientId", Form::Id, true),
    may("medication-prescribe", "encounterId", Form::Id, true),
    must("medication-prescribe", "medications", Form::Bundle, false),

    must("order-review", "userId", DOCTOR, true),
    must("order-review", "patientId", Form::Id, true),
    may("order-review", "encounterId", Form::Id, true),
    must("order-review", "orders", Form::Bundle, false),
];

impl Form {
    /// Values that the table allows.
    fn good(self) -> Vec<Value> {
        match self {
            Self::Id => vec![json!("a-1"), json!("e.Xy-9")],
            Self::User(types) => types.iter().map(|name| json!(format!("{name}/u-1"))).collect(),
            Self::Reference => vec![json!("Organization/o-1"), json!("CareTeam/c-1"), json!("PractitionerRole/r-1")],
            Self::References => {
                vec![json!(["ServiceRequest/a-1"]), json!(["ServiceRequest/a-1", "ServiceRequest/a-2"])]
            }
            Self::Bundle => vec![bundle()],
            Self::Resource(name) => vec![json!({"resourceType": name, "id": "a-1"})],
            Self::Tasks => vec![json!([{"resourceType": "Task", "focus": {"reference": "ServiceRequest/a-1"}}])],
        }
    }

    /// Values of every other JSON type, and of the right type with the wrong content.
    fn bad(self) -> Vec<Value> {
        let of_other_types = [json!(7), json!(true), json!([7]), json!({"id": "a-1"}), json!("")];
        let of_the_same_type = match self {
            Self::Id => vec![json!("Patient/a-1"), json!("a 1"), json!(["a-1"])],
            Self::User(_) => {
                vec![json!("u-1"), json!("https://ehr.example/fhir/Practitioner/u-1"), json!(["Practitioner/u-1"])]
            }
            Self::Reference => vec![json!("o-1"), json!(["Organization/o-1"])],
            Self::References => vec![json!("ServiceRequest/a-1"), json!([]), json!(["a-1"])],
            Self::Bundle => vec![json!({"resourceType": "MedicationRequest"}), json!([bundle()])],
            Self::Resource(name) => vec![json!({"resourceType": "Observation"}), json!([{"resourceType": name}])],
            Self::Tasks => {
                vec![json!({"resourceType": "Task"}), json!([{"resourceType": "ServiceRequest"}]), json!(["Task/t-1"])]
            }
        };
        of_other_types.into_iter().chain(of_the_same_type).collect()
    }
}

/// A Bundle that holds what the references above refer to.
fn bundle() -> Value {
    let order = |id: &str| json!({"resource": {"resourceType": "ServiceRequest", "id": id, "status": "draft"}});
    json!({"resourceType": "Bundle", "type": "collection", "entry": [order("a-1"), order("a-2")]})
}

fn rows_of(hook: &str) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.hook == hook)
}

/// A context with every field of the table, each with its first good value.
fn full_context(hook: &str) -> Value {
    rows_of(hook)
        .map(|row| (row.field.to_owned(), row.form.good()[0].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What is wrong with the context: the refusal's place, or the warnings, apart from the hook being an old one.
fn judge(hook: &str, context: &Value) -> Result<Vec<String>, String> {
    let judged = parse(&call(hook, context)).check();
    let warnings = judged.map_err(|error| error.expression().unwrap_or_default().to_owned())?;
    Ok(warnings.iter().filter(|warning| warning.place != "hook").map(ToString::to_string).collect())
}

fn with(row: &Row, value: &Value) -> Value {
    let mut context = full_context(row.hook);
    context[row.field] = value.clone();
    context
}

#[test]
fn each_hook_has_the_fields_of_its_table_and_no_others() {
    let mut listed: Vec<&str> = TABLE.iter().map(|row| row.hook).collect();
    listed.dedup();
    assert_eq!(listed.len(), hook::all().len());
    for hook in hook::all() {
        let fields: Vec<&str> = hook.fields.iter().map(|field| field.name).collect();
        assert_eq!(fields, rows_of(hook.name).map(|row| row.field).collect::<Vec<_>>(), "{}", hook.name);
    }
}

#[test]
fn a_required_field_must_be_there_and_an_optional_one_need_not() {
    for row in TABLE {
        let mut context = full_context(row.hook);
        context.as_object_mut().expect("an object").remove(row.field);
        let place = format!("context.{}", row.field);
        match (row.need, judge(row.hook, &context)) {
            (Need::Required, outcome) => assert_eq!(outcome, Err(place), "{}", row.hook),
            (Need::Optional, outcome) => assert_eq!(outcome, Ok(vec![]), "{}.{}", row.hook, row.field),
            (Need::Expected, outcome) => {
                assert_eq!(outcome, Ok(vec![format!("{place}: should be sent; read as empty")]), "{}", row.hook);
            }
        }
    }
}

#[test]
fn a_field_has_the_type_of_its_table_and_no_other() {
    for row in TABLE {
        for good in row.form.good() {
            assert_eq!(judge(row.hook, &with(row, &good)), Ok(vec![]), "{}.{} = {good}", row.hook, row.field);
        }
        for bad in row.form.bad() {
            let place = judge(row.hook, &with(row, &bad)).expect_err(row.hook);
            assert!(place.starts_with(&format!("context.{}", row.field)), "{}: {place}", row.hook);
        }
    }
}

/// A user of another type harms nobody: the call goes on with a remark for the sender.
#[test]
fn a_user_of_a_type_outside_the_table_is_remarked() {
    let remark = "context.userId: is of a type that this hook does not expect";
    for row in TABLE.iter().filter(|row| row.field == "userId") {
        let Form::User(types) = row.form else { panic!("{} has a user of another form", row.hook) };
        for name in ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Device"] {
            let expect = if types.contains(&name) { vec![] } else { vec![remark.to_owned()] };
            assert_eq!(judge(row.hook, &with(row, &json!(format!("{name}/u-1")))), Ok(expect), "{} {name}", row.hook);
        }
    }
}

/// What may not be a token is never asked of an EHR: neither remarked as clean, nor published, nor resolved.
#[test]
fn exactly_the_fields_that_the_table_offers_are_prefetch_tokens() {
    for row in TABLE {
        let text = format!("Basic?x={{{{context.{}}}}}", row.field);
        let template = Template::parse(&text).expect("a template");
        let is_clean = template.lint(Hook::find(row.hook)).is_empty();
        let own = IndexMap::from([("key".to_owned(), template.clone())]);
        let is_published = !union(row.hook, &[("vendor.service", &own)]).prefetch().is_empty();
        let request = parse(&call(row.hook, &full_context(row.hook)));
        let scope = Scope::new(&request, date!(2026 - 03 - 01));
        let is_resolved = matches!(template.resolve(&scope, &|_| Known::NotYet), Resolution::Query(_));
        let is_simple = !matches!(row.form, Form::Bundle | Form::Resource(_) | Form::Tasks);
        assert_eq!((is_clean, is_published, is_resolved), (row.token, row.token, is_simple), "{} {text}", row.hook);
    }
}

#[test]
fn what_refers_to_nothing_in_the_context_is_remarked() {
    let dangling = |field: &str| Ok(vec![format!("context.{field}: refers to something that is not in the context")]);
    let mut select = full_context("order-select");
    select["selections"] = json!(["ServiceRequest/a-1", "ServiceRequest/elsewhere"]);
    assert_eq!(judge("order-select", &select), dangling("selections"));
    for focus in [json!({"reference": "ServiceRequest/another"}), json!({}), json!({"display": "a-1"})] {
        let mut dispatch = full_context("order-dispatch");
        dispatch["fulfillmentTasks"][0]["focus"] = focus;
        assert_eq!(judge("order-dispatch", &dispatch), dangling("fulfillmentTasks"));
    }
}

/// The gateway as client: a service gets every field that came, under its name, as the text that came.
#[test]
fn a_service_gets_the_context_of_every_hook_untouched() {
    for hook in hook::all() {
        let text = hook.example.replace("\"status\": \"draft\"", "\"status\":  \"draft\", \"_x\": 1.00");
        let body = format!(r#"{{"hook":"{}","hookInstance":"i","context":{text}}}"#, hook.name);
        let mut request = Request::parse(body.as_bytes()).expect(hook.name);
        let before = request.context.clone();
        request.check().expect(hook.name);
        let outgoing = Outgoing {
            hook: &request.hook,
            hook_instance: "i",
            context: &request.context,
            prefetch: IndexMap::new(),
            omitted_keys: OmittedKeys::LeaveOut,
            extension: None,
        };
        let sent = Request::parse(&outgoing.to_bytes()).expect(hook.name);
        assert_eq!(sent.context.len(), before.len());
        for (field, value) in before {
            assert_eq!(sent.context[&field].as_str(), value.as_str(), "{}.{field}", hook.name);
        }
    }
}

/// "JSON elements SHALL NOT be null or empty": senders write `null` for an optional field; services never see it.
#[test]
fn an_optional_field_sent_as_null_is_left_out() {
    for row in TABLE.iter().filter(|row| row.need != Need::Required) {
        let mut request = parse(&call(row.hook, &with(row, &Value::Null)));
        request.check().expect(row.hook);
        assert!(!request.context.contains_key(row.field), "{}.{}", row.hook, row.field);
    }
    let mut request = parse(&call("com.example.custom", &json!({"noteId": null, "patientId": "p"})));
    request.check().expect("a custom hook");
    assert_eq!(request.context.keys().collect::<Vec<_>>(), ["patientId"]);
}
