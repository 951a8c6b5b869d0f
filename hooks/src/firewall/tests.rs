#![expect(clippy::needless_pass_by_value, reason = "tests read better with their input written in place")]

mod hostile;
mod properties;
mod repairs;
mod withheld;

use serde_json::{Value, json};

use super::{Checked, Policy, check};

fn policy() -> Policy<'static> {
    static HOSTS: std::sync::LazyLock<Vec<String>> =
        std::sync::LazyLock::new(|| vec!["example.com".to_owned(), "*.hospital.example".to_owned()]);
    static ACTIONS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| vec!["ServiceRequest".to_owned()]);
    Policy { patient_id: Some("pat-1"), link_hosts: &HOSTS, loopback: false, system_actions: &ACTIONS }
}

fn checked(answer: &Value) -> Checked {
    check(answer.to_string().as_bytes(), &policy()).unwrap()
}

/// A card that obeys, with `members` put over it.
fn card_with(members: Value) -> Value {
    let mut card = json!({"summary": "高カリウム血症の恐れ", "indicator": "warning", "source": {"label": "腎機能"}});
    let Value::Object(members) = members else { panic!("members") };
    card.as_object_mut().unwrap().extend(members);
    card
}

fn suggestion_with(action: Value) -> Value {
    card_with(json!({"selectionBehavior": "any", "suggestions": [{"label": "中止する", "actions": [action]}]}))
}

/// One card goes in; what comes out, and the notes as `rule@place`.
fn put(card: Value) -> (Value, Vec<String>, Vec<String>) {
    put_answer(json!({"cards": [card]}))
}

fn put_answer(answer: Value) -> (Value, Vec<String>, Vec<String>) {
    let checked = checked(&answer);
    let repairs = checked.repairs.iter().map(|repair| format!("{}@{}", repair.rule, repair.place));
    let quarantined = checked.quarantined.iter().map(|unit| format!("{}@{}", unit.rule, unit.place));
    let answer = serde_json::from_slice(&checked.response.to_bytes()).unwrap();
    (answer, repairs.collect(), quarantined.collect())
}
