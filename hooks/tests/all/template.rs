//! Templates: what parses, what comes of it for a call, what is remarked.

use indexmap::IndexMap;
use medvan_hooks::{
    Hook, Request,
    template::{Known, Query, Resolution, Scope, Template, Unresolvable, parse_all},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::{Date, macros::date};

use crate::hooks::{call, parse};

const TODAY: Date = date!(2024 - 09 - 13);

fn template(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An order-sign call by a practitioner role, with resources to walk through.
fn sign() -> Value {
    let mut value = call(
        "order-sign",
        &json!({
            "userId": "PractitionerRole/role-1",
            "patientId": "p-1",
            "draftOrders": {"resourceType": "Bundle", "entry": [
                {"fullUrl": "urn:uuid:11", "resource": {
                    "resourceType": "MedicationRequest", "id": "mr-1",
                    "medicationReference": {"reference": "Medication/m.1"},
                    "requester": {"reference": "Practitioner/dr-1"},
                    "reasonReference": [{"reference": "urn:uuid:12"}, {"reference": "Condition/elsewhere"}],
                    "extension": [{"url": "http://x.example/coverage", "valueReference": {"reference": "Coverage/c-1"}}],
                    "groupIdentifier": {"value": "a,b&c=d"}
                }},
                {"resource": {
                    "resourceType": "MedicationRequest", "id": "mr-2",
                    "contained": [{"resourceType": "Medication", "id": "in", "code": {"text": "錠"}}],
                    "medicationReference": {"reference": "Medication/m-2"},
                    "requester": {"reference": "https://ehr.example/fhir/PractitionerRole/role-9/_history/3"},
                    "supportingInformation": [{"reference": "#in"}, {"reference": "https://other.example/fhir/Observation/o"}],
                    "dispenseRequest": {"numberOfRepeatsAllowed": 2}
                }},
                {"fullUrl": "urn:uuid:12", "resource": {
                    "resourceType": "Condition", "id": "co-1", "asserter": {"reference": "Practitioner/dr-2"}
                }},
                {"resource": {"resourceType": "ServiceRequest", "id": "sr-1", "status": "draft"}}
            ]}
        }),
    );
    value["fhirServer"] = json!("https://ehr.example/fhir/");
    value
}

fn resolve_in(call: &Value, text: &str) -> Resolution {
    let request = parse(call);
    let scope = Scope::new(&request, TODAY);
    template(text).resolve(&scope, &|_| Known::NotYet)
}

/// One line per template: the query, or why there is none.
fn check(call: &Value, text: &str, expect: Result<&str, Unresolvable>) {
    let resolution = resolve_in(call, text);
    match expect {
        Ok(url) => {
            let Resolution::Query(query) = resolution else { panic!("{text}: {resolution:?}") };
            assert_eq!(query.as_str(), url, "{text}");
        }
        Err(reason) => assert_eq!(resolution, Resolution::Unresolvable(reason), "{text}"),
    }
}

#[test]
fn context_fields_and_users_are_replaced() {
    for (text, expect) in [
        ("Patient/{{context.patientId}}", Ok("Patient/p-1")),
        ("Patient/{{ context.patientId }}", Ok("Patient/p-1")),
        ("Patient/fixed-7", Ok("Patient/fixed-7")),
        (
            "Observation?patient={{context.patientId}}&code=4548-4&_count=1&_sort=-date",
            Ok("Observation?_count=1&_sort=-date&code=4548-4&patient=p-1"),
        ),
        ("{{context.userId}}", Ok("PractitionerRole/role-1")),
        ("PractitionerRole/{{context.userId}}", Ok("PractitionerRole/role-1")),
        ("Practitioner/{{context.userId}}", Err(Unresolvable::OtherUser)),
        ("PractitionerRole?_id={{context.userId}}", Ok("PractitionerRole?_id=role-1")),
        ("Practitioner?_id={{context.userId}}", Err(Unresolvable::Empty)),
        ("PractitionerRole?_id={{userPractitionerRoleId}}", Ok("PractitionerRole?_id=role-1")),
        ("Practitioner/{{userPractitionerId}}", Err(Unresolvable::OtherUser)),
        ("Patient/{{userPatientId}}", Err(Unresolvable::OtherUser)),
        ("RelatedPerson/{{userRelatedPersonId}}", Err(Unresolvable::OtherUser)),
        ("Encounter/{{context.encounterId}}", Err(Unresolvable::NoSuchField)),
        ("Observation?patient=Patient/{{context.patientId}}", Ok("Observation?patient=Patient/p-1")),
        ("{{context.patientId}}", Err(Unresolvable::NotAnId)),
        ("Observation?x={{context.draftOrders}}", Err(Unresolvable::NotSimple)),
    ] {
        check(&sign(), text, expect);
    }
}

#[test]
fn an_array_of_dispatched_orders_is_joined_by_commas() {
    let dispatch = call(
        "order-dispatch",
        &json!({"patientId": "p", "dispatchedOrders": ["ServiceRequest/a", "DeviceRequest/b", "ServiceRequest/c"], "performer": "Organization/o"}),
    );
    for (text, expect) in [
        ("Task?focus={{context.dispatchedOrders}}", Ok("Task?focus=ServiceRequest/a,DeviceRequest/b,ServiceRequest/c")),
        ("ServiceRequest?_id={{context.dispatchedOrders}}", Ok("ServiceRequest?_id=a,c")),
        ("NutritionOrder?_id={{context.dispatchedOrders}}", Err(Unresolvable::Empty)),
        ("{{context.performer}}", Ok("Organization/o")),
        ("{{context.dispatchedOrders}}", Err(Unresolvable::TooMany)),
        ("{{context.dispatchedOrders[1]}}", Ok("DeviceRequest/b")),
        ("{{context.dispatchedOrders.first()}}", Ok("ServiceRequest/a")),
    ] {
        check(&dispatch, text, expect);
    }
}

#[test]
fn relative_dates_are_computed_from_the_day_of_the_call() {
    for (text, expect) in [
        (
            "Observation?patient={{context.patientId}}&category=laboratory&date=gt{{today() - 90 days}}",
            Ok("Observation?category=laboratory&date=gt2024-06-15&patient=p-1"),
        ),
        ("Observation?date={{today()}}", Ok("Observation?date=2024-09-13")),
        ("Observation?date=ge{{today() -1 day}}", Ok("Observation?date=ge2024-09-12")),
    ] {
        check(&sign(), text, expect);
    }
}

/// The worked example of 3.0 lost the `lt` of the second date when it was printed.
#[test]
fn both_ends_of_a_range_of_dates_keep_their_prefix_and_order() {
    let text = "Appointment?patient={{context.patientId}}&date=gt{{today()}}&date=lt{{today() + 365 days}}";
    check(&sign(), text, Ok("Appointment?date=gt2024-09-13&date=lt2025-09-13&patient=p-1"));
}

#[test]
fn paths_walk_through_the_context() {
    let orders = "context.draftOrders.entry.resource";
    for (path, expect) in [
        ("ofType(MedicationRequest).medication.resolve().id", Ok("m.1,m-2")),
        ("ofType(MedicationRequest).medicationReference.resolve().ofType(Medication).id", Ok("m.1,m-2")),
        ("ofType(MedicationRequest).requester.resolve().ofType(Practitioner).id", Ok("dr-1")),
        ("ofType(MedicationRequest).requester.resolve().ofType(PractitionerRole).id", Ok("role-9")),
        ("ofType(MedicationRequest).requester.resolve().ofType(Organization).id", Err(Unresolvable::Empty)),
        ("ofType(MedicationRequest).reasonReference.resolve().ofType(Condition).id", Ok("co-1,elsewhere")),
        ("ofType(MedicationRequest).reasonReference.first().resolve().asserter.resolve().id", Ok("dr-2")),
        ("ofType(MedicationRequest).reasonReference.resolve().asserter", Err(Unresolvable::NotAtHand)),
        ("ofType(MedicationRequest).extension('http://x.example/coverage').value.resolve().id", Ok("c-1")),
        ("ofType(MedicationRequest).extension('http://x.example/coverage').value", Ok("Coverage/c-1")),
        ("ofType(MedicationRequest).supportingInformation.resolve().code.text", Ok("%E9%8C%A0")),
        ("ofType(MedicationRequest)[1].id", Ok("mr-2")),
        ("where(status = 'draft').id", Ok("sr-1")),
        ("where(asserter.exists()).id", Ok("co-1")),
        ("where(contained.where(code.text = '錠').exists()).id", Ok("mr-2")),
        ("ofType(NutritionOrder).exists()", Ok("false")),
        ("dispenseRequest.numberOfRepeatsAllowed", Ok("2")),
        ("`id`", Ok("mr-1,mr-2,co-1,sr-1")),
        ("nothing.here", Err(Unresolvable::Empty)),
        ("groupIdentifier", Err(Unresolvable::NotSimple)),
        ("groupIdentifier.value", Ok("a%5C%2Cb%26c%3Dd")),
    ] {
        let expect = expect.map(|value| format!("Basic?x={value}"));
        check(
            &sign(),
            &format!("Basic?x={{{{{orders}.{path}}}}}"),
            expect.as_ref().map(String::as_str).map_err(|reason| *reason),
        );
    }
}

#[test]
fn a_union_takes_what_its_sides_have() {
    let either = "Practitioner?_id={{context.draftOrders.entry.resource.requester.resolve().ofType(Practitioner).id|userPractitionerId}}";
    check(&sign(), either, Ok("Practitioner?_id=dr-1"));
    check(&sign(), "Basic?x={{context.patientId | context.patientId}}", Ok("Basic?x=p-1"));
    check(&sign(), "Basic?x={{userPatientId|context.encounterId}}", Err(Unresolvable::NoSuchField));
}

#[test]
fn a_variable_waits_for_its_key_and_then_walks_through_the_result() {
    let request = parse(&sign());
    let scope = Scope::new(&request, TODAY);
    let text = "Practitioner?_id={{%encounter.participant.individual.resolve().ofType(Practitioner).id}}";
    let encounter = json!({"resourceType": "Encounter", "participant": [
        {"individual": {"reference": "Practitioner/a"}}, {"individual": {"reference": "Practitioner/b"}}]});
    let variable = template(text);
    assert_eq!(variable.resolve(&scope, &|_| Known::NotYet), Resolution::Waiting);
    let nothing = Resolution::Unresolvable(Unresolvable::Dependency);
    assert_eq!(variable.resolve(&scope, &|_| Known::Nothing), nothing);
    let Resolution::Query(query) = variable.resolve(&scope, &|_| Known::Value(&encounter)) else { panic!("resolved") };
    assert_eq!(query.as_str(), "Practitioner?_id=a,b");
    assert_eq!(template(text).depends_on().collect::<Vec<_>>(), ["encounter"]);
}

#[test]
fn a_hostile_value_never_leaves_its_place() {
    let hostile = |value: &str| {
        let mut call = call("com.example.custom", &json!({"x": value, "patientId": "p"}));
        call["context"]["r"] = json!({"reference": value});
        call
    };
    for value in [
        "../../admin",
        "a/../b",
        "p&_include=*",
        "p?x",
        "p#x",
        "Patient/..",
        "http://evil.example/Patient/1",
        "Patient/a b",
        "",
        "x/y/z",
    ] {
        check(
            &hostile(value),
            "Patient/{{context.x}}",
            Err(if value.contains('/') && !value.starts_with("Patient/") {
                Unresolvable::OtherUser
            } else {
                Unresolvable::NotAnId
            }),
        );
        let resolution = resolve_in(&hostile(value), "Observation?patient={{context.x}}&code=1");
        if let Resolution::Query(query) = resolution {
            assert!(query.as_str().starts_with("Observation?code=1&patient="));
            assert_eq!(query.as_str().matches('&').count(), 1, "{value}");
            assert!(!query.as_str().contains(['#', ' ']));
        }
    }
}

#[test]
fn equal_queries_are_equal_and_others_are_not() {
    let query = |text: &str| match resolve_in(&sign(), text) {
        Resolution::Query(query) => query,
        other => panic!("{text}: {other:?}"),
    };
    let same = |left: &str, right: &str| query(left) == query(right);
    assert!(same("Observation?patient={{context.patientId}}&code=1", "Observation?code=1&patient=p-1"));
    assert!(same("Observation?code=http://loinc.org|1", "Observation?code=http://loinc.org%7c1"));
    assert!(!same("Observation?code=1,2", "Observation?code=2,1"));
    assert!(!same("Observation?date=gt2020&date=lt2021", "Observation?date=gt2020,lt2021"));
    assert!(!same("Observation?code=1", "Observation?code:in=1"));
    assert!(!same("Observation?code=1", "Observation?code=1&_count=5"));
    assert!(!same("Patient/{{context.patientId}}", "Patient?_id={{context.patientId}}"));
}

#[test]
fn a_query_does_not_show_its_ids_in_debug_texts() {
    let Resolution::Query(query) = resolve_in(&sign(), "Patient/{{context.patientId}}") else { panic!("resolved") };
    assert_eq!(format!("{query:?}"), "Query(read Patient)");
    assert_eq!((query.resource_type(), query.is_search()), ("Patient", false));
}

#[test]
fn texts_that_are_no_template_are_refused_with_the_mend() {
    for (text, mend) in [
        ("", "Type/id"),
        ("Patient", "Type/id"),
        ("Patient?", "at least one parameter"),
        ("Patient?name", "at least one parameter"),
        ("/Patient/{{context.patientId}}", "relative"),
        ("https://ehr.example/Patient/1", "relative"),
        ("Patient/1#x", "relative"),
        ("Patient/{{context.patientId}}/$everything", "operations"),
        ("Patient/{{context.patientId}}/_history/1", "operations"),
        ("Patient/../Observation", "Type/id"),
        ("patient/{{context.patientId}}", "Type/id"),
        ("Patient/{{context.patientId", "needs its }}"),
        ("Patient/context.patientId}}", "needs its }}"),
        ("Patient/{{}}", "a token is"),
        ("Patient/{{patientId}}", "a token is"),
        ("Patient/{{context}}", "a field of the context"),
        ("Patient/{{context.}}", "the name of an element"),
        ("Patient/{{context.patientId.children()}}", "known functions"),
        ("Patient/{{context.patientId.ofType(patient)}}", "resource type"),
        ("Patient?a={{context.x.where(y)}}", "= 'text'"),
        ("Patient?a={{context.x.extension(url)}}", "single quotes"),
        ("Patient?a={{context.x.extension('url}}", "closing quote"),
        ("Patient?a={{today() - 3 months}}", "unit days"),
        ("Patient?a={{today() - 99999999999 days}}", "number"),
        ("Patient?a={{now()}}", "a token is"),
        ("Patient?{{context.x}}=1", "name cannot hold a token"),
        // The experimental box of 3.0 prints this one.
        ("Encounter/{{%context.encounterId}}", "without the percent sign"),
    ] {
        let error = Template::parse(text).expect_err(text).to_string();
        assert!(error.contains(mend), "{text}: {error}");
    }
}

#[test]
fn a_template_is_bounded() {
    let tokens = |count: usize| format!("Patient?a={}", "{{today()}}".repeat(count));
    assert!(Template::parse(&tokens(16)).is_ok());
    assert!(Template::parse(&tokens(17)).is_err());
    assert!(Template::parse(&format!("Patient?a={}", "x".repeat(5000))).is_err());
    assert!(Template::parse(&format!("Patient?a={{{{context{}}}}}", ".a".repeat(40))).is_err());
    let nested = |depth: usize| {
        let inner = (0..depth).fold("a.exists()".to_owned(), |inner, _| format!("a.where({inner}).exists()"));
        format!("Patient?a={{{{context.{inner}}}}}")
    };
    assert!(Template::parse(&nested(8)).is_ok());
    assert!(Template::parse(&nested(9)).is_err());
}

/// Not timed: without the bound it would follow 400^4 references and never end.
#[test]
fn a_path_that_looks_at_everything_for_everything_is_given_up() {
    let reference = |n: usize| json!({"reference": format!("List/l{}", n % 400)});
    let entries: Vec<Value> = (0..400)
        .map(|n| json!({"resource": {"resourceType": "List", "id": format!("l{n}"), "item": (0..400).map(reference).collect::<Vec<_>>()}}))
        .collect();
    let call = call("com.example.custom", &json!({"all": {"resourceType": "Bundle", "entry": entries}}));
    let nested = (0..4).fold("x.exists()".to_owned(), |inner, _| format!("item.resolve().where({inner}).exists()"));
    check(&call, &format!("Basic?x={{{{context.all.entry.resource.where({nested}).id}}}}"), Err(Unresolvable::TooMany));
    check(&call, "Basic?x={{context.all.entry.resource.id}}", Err(Unresolvable::TooMany));
}

#[test]
fn references_inside_a_contained_resource_are_to_its_siblings() {
    let outer = json!({"resourceType": "MedicationRequest", "id": "m", "contained": [
        {"resourceType": "Medication", "id": "med", "manufacturer": {"reference": "#org"}},
        {"resourceType": "Organization", "id": "org", "partOf": {"reference": "#"}, "name": "製薬"},
    ], "medicationReference": {"reference": "#med"}});
    let call = call("com.example.custom", &json!({"order": outer}));
    check(
        &call,
        "Basic?x={{context.order.medication.resolve().manufacturer.resolve().name}}",
        Ok("Basic?x=%E8%A3%BD%E8%96%AC"),
    );
    check(&call, "Basic?x={{context.order.contained.manufacturer.resolve().partOf.resolve().id}}", Ok("Basic?x=m"));
}

#[test]
fn white_space_in_braces_is_not_part_of_a_template() {
    assert_eq!(template("Patient/{{  context.patientId }}"), template("Patient/{{context.patientId}}"));
}

#[test]
fn templates_with_keys_that_lead_nowhere_are_refused_together() {
    let set = |pairs: &[(&str, &str)]| {
        parse_all(&pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect::<IndexMap<_, _>>())
    };
    let later = [("b", "Basic?x={{%a.id}}"), ("a", "Patient/{{context.patientId}}")];
    assert_eq!(set(&later).expect("order does not matter").len(), 2);
    let faults =
        set(&[("a", "Basic?x={{%b.id}}"), ("b", "Basic?x={{%a.id}}"), ("c", "nonsense"), ("d", "Basic?x={{%z.id}}")])
            .expect_err("wrong");
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(
        told[0].starts_with("c: ") && told[1].contains("%z") && told[2] == "a: depends on itself; break the circle"
    );
}

#[test]
fn what_the_recommended_subset_lacks_is_remarked() {
    let hook = Hook::find("order-sign");
    let places = |text: &str| template(text).lint(hook).into_iter().map(|lint| lint.place).collect::<Vec<_>>();
    for clean in [
        "Patient/{{context.patientId}}",
        "Observation?patient={{context.patientId}}&code:in=http://x.example/vs&date=ge2020-01-01&_count=1&_sort=-date",
        "Condition?subject={{context.patientId}}&status=active",
        "Organization?name=sapporo&x={{context.patientId}}",
    ] {
        assert_eq!(places(clean), [""; 0], "{clean}");
    }
    for (text, place) in [
        ("PractitionerRole?_id={{userPractitionerRoleId}}&_include=PractitionerRole:practitioner", "_include"),
        ("Observation?patient={{context.patientId}}&_count=1&sort:desc=date", "sort:desc"),
        ("Observation?patient={{context.patientId}}&code:not=1", "code:not"),
        ("Observation?patient={{context.patientId}}&date=ne2020", "date"),
        ("Observation?patient={{context.patientId}}&subject.name=x", "subject.name"),
        ("Observation?patient={{context.patientId}}&date=gt{{today()}}", "today()"),
        ("Encounter?patient={{context.patient}}", "context.patient"),
        ("Basic?x={{context.draftOrders}}", "context.draftOrders"),
        ("Patient?name=a", "?"),
    ] {
        assert_eq!(places(text), [place], "{text}");
    }
    assert!(template("Basic?x={{context.anything}}").lint(None).is_empty(), "a custom hook has no table");
}

fn scope_of(request: &Request) -> Scope<'_> {
    Scope::new(request, TODAY)
}

proptest! {
    #[test]
    fn arbitrary_texts_never_panic(text in "\\PC{0,80}") {
        let _ = Template::parse(&text);
    }

    #[test]
    fn texts_made_of_the_grammars_words_never_panic_and_resolve_to_relative_urls(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..24)) {
        let text = format!("Basic?x={{{{{}}}}}", words.concat());
        if let Ok(template) = Template::parse(&text) {
            let request = parse(&sign());
            let root = json!({"resourceType": "Bundle", "entry": [{"resource": {"reference": "Patient/1"}}]});
            let resolution = template.resolve(&scope_of(&request), &|_| Known::Value(&root));
            if let Resolution::Query(query) = resolution {
                prop_assert!(query.as_str().starts_with("Basic?x="));
                prop_assert_eq!(query.as_str().matches(['&', '#', ' ']).count(), 0);
            }
        }
    }

    #[test]
    fn any_value_stays_in_its_parameter(value in "\\PC{1,40}") {
        let call = call("com.example.custom", &json!({"x": value.clone()}));
        let request = parse(&call);
        match template("Basic?x={{context.x}}&y=1").resolve(&scope_of(&request), &|_| Known::NotYet) {
            Resolution::Query(query) => {
                let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query_part(&query).as_bytes()).into_owned().collect();
                let unescaped = unescape(&pairs[0].1);
                prop_assert_eq!((pairs.len(), unescaped), (2, value));
            }
            other => prop_assert_eq!(other, Resolution::Unresolvable(Unresolvable::NotAnId)),
        }
    }
}

fn query_part(query: &Query) -> &str {
    query.as_str().split_once('?').expect("a search").1
}

fn unescape(value: &str) -> String {
    let mut characters = value.chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    text
}

const WORDS: &[&str] = &[
    "context",
    "%key",
    ".",
    "draftOrders",
    "entry",
    "resource",
    "resolve()",
    "ofType(Patient)",
    "where(",
    ")",
    "=",
    "'x'",
    "exists()",
    "first()",
    "[0]",
    "|",
    "today()",
    " + ",
    " - ",
    "3 days",
    "id",
    "extension('u')",
    "userPatientId",
    "{{",
    "}}",
    "`",
    "\\",
    "日",
];

#[test]
fn a_search_that_is_sorted_and_counted_asks_for_the_first() {
    for (text, first) in [
        ("Observation?patient={{context.patientId}}&_sort=-date&_count=1", true),
        ("Observation?_count=50&code=_sort&_sort=date", true),
        ("Observation?patient={{context.patientId}}&_count=50", false),
        ("Observation?patient={{context.patientId}}&_sort=-date", false),
        ("Observation?code=_count,_sort", false),
        ("Patient/{{context.patientId}}", false),
    ] {
        let Resolution::Query(query) = resolve_in(&sign(), text) else { panic!("{text}") };
        assert_eq!(query.asks_for_the_first(), first, "{text}");
    }
}
