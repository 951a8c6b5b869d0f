//! The plan over all services of a call.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;
use medvan_hooks::{
    PrefetchState, Request,
    plan::{Origin, Plan, Union, union},
    prefetch::{EmptySearch, Omission},
    template::{Known, Query, Resolution, Scope, Template, parse_all},
};
use medvan_profiles::Json;
use proptest::prelude::*;
use serde_json::{Value, json};
use time::{Date, macros::date};

use crate::hooks::{call, parse};

const TODAY: Date = date!(2026 - 03 - 01);

type Templates = IndexMap<String, Template>;

fn templates(pairs: &[(&str, &str)]) -> Templates {
    parse_all(&pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()).expect("templates")
}

fn members(services: &[(String, Templates)]) -> Vec<(&str, &Templates)> {
    services.iter().map(|(name, templates)| (name.as_str(), templates)).collect()
}

fn two_services() -> Vec<(String, Templates)> {
    vec![
        (
            "asagao.news2".to_owned(),
            templates(&[
                ("patient", "Patient/{{context.patientId}}"),
                ("vitals", "Observation?patient={{context.patientId}}&category=vital-signs"),
            ]),
        ),
        (
            "kiku.renal".to_owned(),
            templates(&[
                ("pt", "Patient/{{context.patientId}}"),
                ("vitals", "Observation?patient={{context.patientId}}&code=8867-4"),
                ("again", "Observation?category=vital-signs&patient={{context.patientId}}"),
                ("recent", "Observation?patient={{context.patientId}}&date=gt{{today() - 7 days}}"),
            ]),
        ),
    ]
}

fn view(prefetch: &Value) -> Request {
    let mut value =
        call("patient-view", &json!({"userId": "Practitioner/dr-1", "patientId": "p-1", "encounterId": "e-1"}));
    value["prefetch"] = prefetch.clone();
    parse(&value)
}

fn resource(value: &Value) -> PrefetchState {
    PrefetchState::of(Json::from_value(value))
}

fn urls(queries: &[Query]) -> Vec<&str> {
    queries.iter().map(Query::as_str).collect()
}

#[test]
fn the_union_publishes_each_template_once_under_a_key_that_means_it_alone() {
    let services = two_services();
    let union = union("patient-view", &members(&services));
    let published: Vec<(&str, &str)> =
        union.prefetch().iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    assert_eq!(
        published,
        [
            ("patient", "Patient/{{context.patientId}}"),
            ("asagao-news2-vitals", "Observation?patient={{context.patientId}}&category=vital-signs"),
            ("kiku-renal-vitals", "Observation?patient={{context.patientId}}&code=8867-4"),
            ("again", "Observation?category=vital-signs&patient={{context.patientId}}"),
        ]
    );
    assert_eq!(union.key("kiku.renal", "pt", &services[1].1["pt"]), Some("patient"));
}

#[test]
fn the_union_does_not_depend_on_the_order_of_the_members() {
    let mut services = two_services();
    let forward = union("patient-view", &members(&services));
    services.reverse();
    assert_eq!(forward, union("patient-view", &members(&services)));
}

#[test]
fn what_a_client_of_the_recommended_subset_cannot_do_is_not_published() {
    let services = vec![(
        "a.b".to_owned(),
        templates(&[
            ("patient", "Patient/{{context.patientId}}"),
            ("dated", "Observation?patient={{context.patientId}}&date={{today()}}"),
            ("included", "Encounter?patient={{context.patientId}}&_include=Encounter:location"),
            ("dependent", "Basic?x={{%patient.id}}"),
            ("unknown", "Basic?x={{context.colour}}"),
        ]),
    )];
    let union = union("patient-view", &members(&services));
    assert_eq!(union.prefetch().keys().collect::<Vec<_>>(), ["patient"]);
    assert_eq!(union.key("a.b", "dated", &services[0].1["dated"]), Some("dated"), "an EHR may send it all the same");
}

#[test]
fn made_up_keys_do_not_collide_with_own_ones() {
    let services = vec![
        ("a".to_owned(), templates(&[("x", "Patient/1"), ("b-x", "Patient/2")])),
        ("b".to_owned(), templates(&[("x", "Patient/3")])),
    ];
    let union = union("patient-view", &members(&services));
    let keys: Vec<&String> = union.prefetch().keys().collect();
    assert_eq!(keys, ["a-x", "b-x", "b-x-2"]);
}

#[test]
fn each_distinct_query_is_asked_once_and_each_service_gets_its_own_keys() {
    let services = two_services();
    let members = members(&services);
    let request = view(&json!({}));
    let mut plan = Plan::new(&request, &members, &union("patient-view", &members), TODAY);
    let queries = plan.queries();
    assert_eq!(
        urls(&queries),
        [
            "Patient/p-1",
            "Observation?category=vital-signs&patient=p-1",
            "Observation?code=8867-4&patient=p-1",
            "Observation?date=gt2026-02-22&patient=p-1",
        ]
    );
    assert!(plan.queries().is_empty(), "nothing is asked twice");
    for query in queries {
        let state = resource(&json!({"resourceType": "Basic", "code": query.as_str()}));
        plan.supply(query, state);
    }
    let slice = plan.slice(1, EmptySearch::Null);
    assert_eq!(slice.keys().collect::<Vec<_>>(), ["pt", "vitals", "again", "recent"]);
    assert_eq!(slice["pt"], resource(&json!({"resourceType": "Basic", "code": "Patient/p-1"})));
    assert_eq!(slice["again"], plan.slice(0, EmptySearch::Null)["vitals"]);
    assert!(plan.slice(7, EmptySearch::Null).is_empty());
}

#[test]
fn what_the_ehr_sent_is_used_in_all_four_states_and_not_asked_again() {
    let services = two_services();
    let members = members(&services);
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]});
    let request = view(&json!({
        "patient": {"resourceType": "Patient", "id": "p-1"},
        "asagao-news2-vitals": null,
        "kiku-renal-vitals": outcome,
        "not-a-key-of-ours": {"resourceType": "Coverage"}
    }));
    let mut plan = Plan::new(&request, &members, &union("patient-view", &members), TODAY);
    assert_eq!(urls(&plan.queries()), ["Observation?date=gt2026-02-22&patient=p-1"]);
    let slice = plan.slice(1, EmptySearch::Null);
    assert_eq!(slice["pt"].word(), "resource");
    assert_eq!(slice["vitals"], PrefetchState::Failed(Json::from_value(&outcome)));
    assert_eq!(slice["again"], PrefetchState::Null, "shared through the query");
    assert_eq!(slice["recent"], PrefetchState::Omitted(Omission::NotAsked));
    assert!(matches!(plan.slice(1, EmptySearch::Bundle)["again"], PrefetchState::Resource(_)));
    let story = serde_json::to_value(plan.explain(1)).expect("JSON");
    assert_eq!(
        story,
        json!([
            {"key": "pt", "state": "resource", "origin": "ehr"},
            {"key": "vitals", "state": "failed", "origin": "ehr"},
            {"key": "again", "state": "null", "origin": "ehr"},
            {"key": "recent", "state": "omitted", "origin": "nobody", "reason": "nobody asked for it yet"},
        ])
    );
}

#[test]
fn a_failure_gives_way_to_a_resource_of_the_same_query() {
    let services = two_services();
    let members = members(&services);
    let request = view(&json!({
        "asagao-news2-vitals": {"resourceType": "OperationOutcome"},
        "again": {"resourceType": "Bundle", "entry": [{}]}
    }));
    let plan = Plan::new(&request, &members, &union("patient-view", &members), TODAY);
    assert_eq!(plan.slice(0, EmptySearch::Null)["vitals"].word(), "resource");
}

/// The public sandbox fills an unresolvable user token in literally and sends the empty search that comes of it.
#[test]
fn an_empty_answer_to_a_template_that_cannot_be_resolved_is_no_proof_of_absence() {
    let services = vec![("a".to_owned(), templates(&[("user", "PractitionerRole?_id={{userPractitionerRoleId}}")]))];
    let members = members(&services);
    let union = union("patient-view", &members);
    for (sent, state) in [
        (json!({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []}), "omitted"),
        (Value::Null, "omitted"),
        (json!({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "PractitionerRole"}}]}), "resource"),
    ] {
        let request = view(&json!({"user": sent}));
        let mut plan = Plan::new(&request, &members, &union, TODAY);
        assert!(plan.queries().is_empty());
        assert_eq!(plan.slice(0, EmptySearch::Null)["user"].word(), state, "{sent}");
    }
}

#[test]
fn dependent_templates_are_asked_level_by_level() {
    let services = vec![(
        "a".to_owned(),
        templates(&[
            ("org", "Organization?_id={{%role.entry.resource.organization.resolve().id}}"),
            (
                "role",
                "PractitionerRole?_id={{%encounter.participant.individual.resolve().ofType(PractitionerRole).id}}",
            ),
            ("encounter", "Encounter/{{context.encounterId}}"),
            ("ward", "Location?_id={{%encounter.location.location.resolve().id}}"),
        ]),
    )];
    let members = members(&services);
    let request = view(&json!({}));
    let mut plan = Plan::new(&request, &members, &union("patient-view", &members), TODAY);
    assert_eq!(urls(&plan.queries()), ["Encounter/e-1"]);
    let encounter =
        json!({"resourceType": "Encounter", "participant": [{"individual": {"reference": "PractitionerRole/r"}}]});
    supply(&mut plan, "Encounter/e-1", &encounter);
    let queries = plan.queries();
    assert_eq!(urls(&queries), ["PractitionerRole?_id=r"]);
    for query in queries {
        plan.supply(query, PrefetchState::Omitted(Omission::OutOfTime));
    }
    assert!(plan.queries().is_empty());
    let reasons: Vec<Option<String>> = plan.explain(0).into_iter().map(|story| story.reason).collect();
    assert_eq!(reasons[0].as_deref(), Some("the prefetch key that the template depends on is not known"));
    assert_eq!(reasons[1].as_deref(), Some("not ready in time"));
    assert_eq!(reasons[2], None);
    assert_eq!(reasons[3].as_deref(), Some("the template's path leads to nothing in this call"));
}

fn supply(plan: &mut Plan<'_>, url: &str, value: &Value) {
    let request = view(&json!({}));
    let scope = Scope::new(&request, TODAY);
    let template = Template::parse(url).expect("a constant template");
    let Resolution::Query(query) = template.resolve(&scope, &|_| Known::NotYet) else { panic!("constant") };
    plan.supply(query, resource(value));
}

#[test]
fn nobody_is_named_as_the_origin_of_what_was_not_given() {
    let services = two_services();
    let members = members(&services);
    let request = view(&json!({}));
    let mut plan = Plan::new(&request, &members, &union("patient-view", &members), TODAY);
    for query in plan.queries() {
        plan.supply(query, PrefetchState::Omitted(Omission::NoAccess));
    }
    assert!(plan.explain(0).iter().all(|story| story.origin == Origin::Nobody && story.state == "omitted"));
}

// === every service receives what its own call would have given ===

/// Templates of every kind: shared, equal in other words, unresolvable, dependent.
const POOL: &[(&str, &str)] = &[
    ("patient", "Patient/{{context.patientId}}"),
    ("patient2", "Patient/{{ context.patientId }}"),
    ("encounter", "Encounter/{{context.encounterId}}"),
    ("absent", "Location/{{context.locationId}}"),
    ("user", "{{context.userId}}"),
    ("role", "PractitionerRole?_id={{userPractitionerRoleId}}"),
    ("obs", "Observation?patient={{context.patientId}}&code=1"),
    ("obs", "Observation?code=1&patient=p-1"),
    ("obs", "Observation?patient={{context.patientId}}&code=2"),
    ("meds", "MedicationRequest?patient={{context.patientId}}&date=gt{{today() - 30 days}}"),
    ("more", "Observation?patient={{%patient.id}}&code=1"),
    ("chain", "Basic?x={{%more.entry.resource.id}}"),
];

/// A FHIR server that answers each query always the same way, in one of the three states.
fn server(query: &str, salt: u8) -> PrefetchState {
    let number = query.bytes().fold(u32::from(salt), |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    match number % 5 {
        0 => PrefetchState::Null,
        1 => resource(&json!({"resourceType": "OperationOutcome", "id": query})),
        _ => resource(
            &json!({"resourceType": "Bundle", "id": query, "entry": [{"resource": {"id": format!("r{number}")}}]}),
        ),
    }
}

/// What one service would get by itself, template by template, without any plan. Pairs of resolved URL and state.
fn own_call(request: &Request, own: &Templates, salt: u8) -> HashMap<String, (Option<String>, PrefetchState)> {
    let scope = Scope::new(request, TODAY);
    let mut known: HashMap<String, (Option<String>, PrefetchState)> = HashMap::new();
    for _ in 0..own.len() {
        for (key, template) in own {
            let values: HashMap<String, Value> = known
                .iter()
                .filter_map(|(key, (_, state))| match state {
                    PrefetchState::Resource(json) => Some((key.clone(), json.value())),
                    _ => None,
                })
                .collect();
            let resolution = template.resolve(&scope, &|key| match (
                known.contains_key(key),
                values.get(key),
                own.contains_key(key),
            ) {
                (_, Some(value), _) => Known::Value(value),
                (true, None, _) | (_, _, false) => Known::Nothing,
                (false, None, true) => Known::NotYet,
            });
            let outcome = match resolution {
                Resolution::Query(query) => (Some(query.as_str().to_owned()), server(query.as_str(), salt)),
                Resolution::Unresolvable(reason) => (None, PrefetchState::Omitted(Omission::Unresolvable(reason))),
                Resolution::Waiting => continue,
            };
            known.insert(key.clone(), outcome);
        }
    }
    known
}

fn any_services() -> impl Strategy<Value = Vec<(String, Templates)>> {
    let service = prop::sample::subsequence(POOL.to_vec(), 0..POOL.len()).prop_map(|pool| {
        let templates = pool.iter().map(|(key, text)| ((*key).to_owned(), Template::parse(text).expect("a template")));
        templates.collect::<Templates>()
    });
    prop::collection::vec(service, 1..6).prop_map(|services| {
        services.into_iter().enumerate().map(|(n, templates)| (format!("vendor.s{n}"), templates)).collect()
    })
}

/// An EHR that honours some of the published keys, correctly.
fn ehr_sends(union: &Union, honours: &[bool], salt: u8) -> Value {
    let bare = view(&json!({}));
    let scope = Scope::new(&bare, TODAY);
    let mut prefetch = serde_json::Map::new();
    for ((key, text), honours) in union.prefetch().iter().zip(honours) {
        let resolution = Template::parse(text).expect("published").resolve(&scope, &|_| Known::NotYet);
        if let (Resolution::Query(query), true) = (resolution, honours) {
            let value = match server(query.as_str(), salt) {
                PrefetchState::Resource(json) | PrefetchState::Failed(json) => json.value(),
                PrefetchState::Null | PrefetchState::Omitted(_) => Value::Null,
            };
            prefetch.insert(key.clone(), value);
        }
    }
    Value::Object(prefetch)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_service_receives_what_its_own_call_would_have_given(
        services in any_services(),
        honours in prop::collection::vec(any::<bool>(), 16),
        salt in any::<u8>(),
    ) {
        let members = members(&services);
        let union = union("patient-view", &members);
        let sent = ehr_sends(&union, &honours, salt);
        let request = view(&sent);
        let mut plan = Plan::new(&request, &members, &union, TODAY);
        let mut asked: Vec<String> = Vec::new();
        loop {
            let queries = plan.queries();
            if queries.is_empty() { break }
            for query in queries {
                asked.push(query.as_str().to_owned());
                let state = server(query.as_str(), salt);
                plan.supply(query, state);
            }
        }
        let mut distinct = BTreeSet::new();
        for (index, (_, templates)) in services.iter().enumerate() {
            let own = own_call(&request, templates, salt);
            let slice = plan.slice(index, EmptySearch::Null);
            prop_assert_eq!(slice.keys().collect::<Vec<_>>(), templates.keys().collect::<Vec<_>>());
            for (key, state) in slice {
                let dependency = PrefetchState::Omitted(Omission::Unresolvable(medvan_hooks::template::Unresolvable::Dependency));
                let (url, expect) = own.get(&key).cloned().unwrap_or((None, dependency));
                prop_assert_eq!(state, expect, "{} of member {}", key, index);
                distinct.extend(url);
            }
        }
        let from_ehr: BTreeSet<String> = sent_urls(&union, &sent);
        let expected: Vec<&String> = distinct.difference(&from_ehr).collect();
        asked.sort();
        prop_assert_eq!(asked.iter().collect::<Vec<_>>(), expected, "as many queries as distinct ones that were not sent");
    }
}

fn sent_urls(union: &Union, sent: &Value) -> BTreeSet<String> {
    let bare = view(&json!({}));
    let scope = Scope::new(&bare, TODAY);
    let keys = sent.as_object().expect("an object").keys();
    keys.filter_map(|key| {
        match Template::parse(&union.prefetch()[key]).expect("published").resolve(&scope, &|_| Known::NotYet) {
            Resolution::Query(query) => Some(query.as_str().to_owned()),
            Resolution::Unresolvable(_) | Resolution::Waiting => None,
        }
    })
    .collect()
}
