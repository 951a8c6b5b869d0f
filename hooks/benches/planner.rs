//! What the gateway does with a request on each call: reading it, planning over all services, slicing and writing.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use indexmap::IndexMap;
use medvan_hooks::{
    Request,
    plan::{Plan, union},
    prefetch::EmptySearch,
    template::{Template, parse_all},
};
use serde_json::{Value, json};
use time::macros::date;

const SERVICES: usize = 5;

/// A request of about 20 KB: a patient and 40 observations, sent along under the published keys.
fn body() -> Vec<u8> {
    let observation = |number: usize| {
        json!({"resource": {
            "resourceType": "Observation", "id": format!("o-{number}"), "status": "final",
            "subject": {"reference": "Patient/hanako"}, "effectiveDateTime": "2026-11-22T08:00:00+09:00",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "心拍数"}]},
            "valueQuantity": {"value": 72.5, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
            "note": [{"text": "安静時　自動測定　特記事項なし"}]
        }})
    };
    let entries: Vec<Value> = (0..40).map(observation).collect();
    let request = json!({
        "hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/tanaka", "patientId": "hanako"},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "hanako", "name": [{"text": "鈴木　花子"}]},
            "vitals": {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        }
    });
    request.to_string().into_bytes()
}

fn templates() -> IndexMap<String, Template> {
    let texts = [
        ("patient", "Patient/{{context.patientId}}"),
        ("vitals", "Observation?patient={{context.patientId}}&category=vital-signs&_sort=-date&_count=50"),
    ];
    let texts = texts.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect();
    parse_all(&texts).expect("both templates are plain")
}

fn read(c: &mut Criterion) {
    let body = body();
    let name = format!("read and check a request of {} KB", body.len() / 1000);
    c.bench_function(&name, |b| {
        b.iter(|| {
            let mut request = Request::parse(black_box(&body)).expect("it is well formed");
            request.check().expect("it follows its hook");
            request
        });
    });
}

fn plan(c: &mut Criterion) {
    let body = body();
    let request = Request::parse(&body).expect("it is well formed");
    let templates = templates();
    let names: Vec<String> = (0..SERVICES).map(|number| format!("vendor-{number}.service")).collect();
    let members: Vec<_> = names.iter().map(|name| (name.as_str(), &templates)).collect();
    let union = union("patient-view", &members);
    c.bench_function("plan and slice for 5 services, all data sent", |b| {
        b.iter(|| {
            let mut plan = Plan::new(&request, black_box(&members), &union, date!(2026 - 11 - 22));
            assert!(plan.queries().is_empty());
            (0..SERVICES).map(|member| plan.slice(member, EmptySearch::Null).len()).sum::<usize>()
        });
    });
}

criterion_group!(benches, read, plan);
criterion_main!(benches);
