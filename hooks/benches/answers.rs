//! What the gateway does with answers on each call: the check of one service's answer, and the merge of several.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use medvan_hooks::{
    firewall::{Policy, check},
    merge::{Answer, merge},
};
use serde_json::{Value, json};
use uuid::Uuid;

fn card(number: usize) -> Value {
    json!({
        "uuid": format!("card-{number}"), "summary": format!("腎機能に対して用量が多い可能性があります ({number})"), "indicator": "warning",
        "detail": "eGFR **28** mL/min/1.73m² — [根拠](https://docs.example.com/renal)\n\n| 薬 | 量 |\n|---|---|\n| A | 1.0 |",
        "source": {"label": "腎機能用量", "url": "https://example.com/", "topic": {"system": "urn:topics", "code": format!("t{number}")}},
        "selectionBehavior": "at-most-one",
        "suggestions": [{"label": "減量する", "uuid": format!("s-{number}"), "actions": [{
            "type": "update", "description": "減量", "resource": {
                "resourceType": "MedicationRequest", "id": format!("mr-{number}"), "status": "draft", "intent": "order",
                "subject": {"reference": "Patient/pat-1"}, "dosageInstruction": [{"text": "1回1錠 1日2回 朝夕食後"}]
            }}]}]
    })
}

fn body(cards: usize) -> Vec<u8> {
    json!({"cards": (0..cards).map(card).collect::<Vec<_>>()}).to_string().into_bytes()
}

fn hosts() -> Vec<String> {
    vec!["example.com".to_owned(), "*.example.com".to_owned()]
}

fn policy(hosts: &[String]) -> Policy<'_> {
    Policy { patient_id: Some("pat-1"), link_hosts: hosts, loopback: false, system_actions: &[] }
}

fn answers() -> Vec<Answer> {
    let hosts = hosts();
    let answer = |number: usize| Answer {
        service: format!("vendor{number}.service"),
        tier: 0,
        acceptance: None,
        response: check(&body(2), &policy(&hosts)).expect("an answer").response,
        provenance: None,
    };
    (0..5).map(answer).collect()
}

fn firewall(criterion: &mut Criterion) {
    let hosts = hosts();
    for cards in [1, 3] {
        let body = body(cards);
        criterion.bench_function(&format!("check an answer of {cards} cards"), |bencher| {
            bencher.iter(|| check(black_box(&body), &policy(&hosts)));
        });
    }
}

fn merging(criterion: &mut Criterion) {
    let answers = answers();
    let one = &answers[..1];
    for (name, some) in [("merge one answer", one), ("merge answers of 5 services", &answers)] {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| merge(black_box(some.to_vec()), &mut Uuid::new_v4).response.to_bytes());
        });
    }
}

/// The costliest that two services can agree on: as many cards and suggestions as are let through, alike but for the
/// last suggestion of each card.
fn colluding() -> Vec<Answer> {
    const MOST: usize = 64;
    let hosts = hosts();
    let card = |service: &str, number: usize| {
        let mut card = card(0);
        card["uuid"] = json!(format!("card-{number}"));
        card["suggestions"] = (0..MOST)
            .map(|place| {
                let last = place == MOST - 1;
                let label = if last { format!("{service}-{number}") } else { "様子を見る".to_owned() };
                json!({"label": label, "uuid": format!("s-{number}-{place}")})
            })
            .collect();
        card
    };
    let answer = |service: &str| {
        let cards: Vec<Value> = (0..MOST).map(|number| card(service, number)).collect();
        let body = json!({ "cards": cards }).to_string().into_bytes();
        let response = check(&body, &policy(&hosts)).expect("an answer").response;
        assert_eq!((response.cards.len(), response.cards[0].suggestions.len()), (MOST, MOST));
        Answer { service: service.to_owned(), tier: 0, acceptance: None, response, provenance: None }
    };
    vec![answer("vendor1.service"), answer("vendor2.service")]
}

fn collusion(criterion: &mut Criterion) {
    let answers = colluding();
    let one = &answers[..1];
    for (name, some) in [("merge the largest answer", one), ("merge two that collude", &answers)] {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| merge(black_box(some.to_vec()), &mut Uuid::new_v4).response.to_bytes());
        });
    }
}

criterion_group!(benches, firewall, merging, collusion);
criterion_main!(benches);
