//! Where several services say different things about the same study. It is shown, and nothing is merged.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::finding::{Answer, Code, Finding, Findings, Presence};

/// Disagreements that are told.
const MOST: usize = 100;

/// Something about which two services do not say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disagreement {
    /// What was found, or looked for.
    pub about: Code,
    /// What was asked about it; none where it is whether it is there at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Code>,
    /// What each says who said something, by its place in the list that was given.
    pub says: Vec<Said>,
}

/// What one service says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Its place in the list that was given.
    pub service: usize,
    /// `present`, `absent`, `indeterminate`; or the answers to the question.
    pub answers: BTreeSet<String>,
}

type Key = (String, String);
/// What each service says about something, by its place in the list.
type Sayings = BTreeMap<usize, BTreeSet<String>>;

/// Where answers of several services differ: one says that something is there and another that it is not, or they answer the same
/// question differently. Who says nothing about a thing does not disagree.
pub fn disagreements(answers: &[&Findings]) -> Vec<Disagreement> {
    let mut presence: BTreeMap<Key, (&Code, Sayings)> = BTreeMap::new();
    let mut evaluations: BTreeMap<(Key, Key), (&Code, &Code, Sayings)> = BTreeMap::new();
    for (service, findings) in answers.iter().enumerate() {
        for finding in &findings.findings {
            let about = key(&finding.code);
            let (_, says) = presence.entry(about.clone()).or_insert_with(|| (&finding.code, Sayings::new()));
            says.entry(service).or_default().insert(there(finding).to_owned());
            for evaluation in &finding.evaluations {
                let asked = (about.clone(), key(&evaluation.question));
                let (.., says) =
                    evaluations.entry(asked).or_insert_with(|| (&finding.code, &evaluation.question, Sayings::new()));
                says.entry(service).or_default().insert(said(&evaluation.answer));
            }
        }
    }
    let presence = presence.into_values().filter(|(_, says)| is_contradictory(says));
    let presence = presence.map(|(about, says)| told(about, None, says));
    let evaluations = evaluations.into_values().filter(|(.., says)| differ(says));
    let evaluations = evaluations.map(|(about, question, says)| told(about, Some(question), says));
    presence.chain(evaluations).take(MOST).collect()
}

fn told(about: &Code, question: Option<&Code>, says: Sayings) -> Disagreement {
    let says = says.into_iter().map(|(service, answers)| Said { service, answers }).collect();
    Disagreement { about: about.clone(), question: question.cloned(), says }
}

/// One says that it is there, another only that it is not.
fn is_contradictory(says: &Sayings) -> bool {
    let has = |answers: &BTreeSet<String>, word: Presence| answers.contains(name(word));
    let finds = |answers: &BTreeSet<String>| has(answers, Presence::Present);
    let excludes = |answers: &BTreeSet<String>| has(answers, Presence::Absent) && !finds(answers);
    says.values().any(finds) && says.values().any(excludes)
}

fn differ(says: &Sayings) -> bool {
    let mut each = says.values();
    let first = each.next();
    each.any(|answers| Some(answers) != first)
}

fn there(finding: &Finding) -> &'static str {
    name(finding.presence)
}

fn name(presence: Presence) -> &'static str {
    match presence {
        Presence::Present => "present",
        Presence::Absent => "absent",
        Presence::Indeterminate => "indeterminate",
    }
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Code(code) => code.meaning.clone(),
        Answer::Text(text) => text.clone(),
    }
}

fn key(code: &Code) -> Key {
    (code.scheme.clone(), code.code.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn code(value: &str) -> Value {
        json!({ "scheme": "SCT", "code": value, "meaning": value })
    }

    fn answer(findings: &[Value]) -> Findings {
        let numbered = findings.iter().enumerate().map(|(at, finding)| {
            let mut finding = finding.clone();
            finding["id"] = at.to_string().into();
            finding
        });
        serde_json::from_value(json!({ "format": "1", "findings": numbered.collect::<Vec<_>>() })).unwrap()
    }

    fn presence(value: &str, presence: &str) -> Value {
        json!({ "code": code(value), "presence": presence })
    }

    fn graded(value: &str, grade: &str) -> Value {
        json!({ "code": code(value), "evaluations": [{ "question": code("grade"), "answer": { "text": grade } }] })
    }

    /// What they disagree about, each as the question (or `there`) and what each service says.
    fn between(answers: &[Findings]) -> Vec<(String, Vec<String>)> {
        let all: Vec<&Findings> = answers.iter().collect();
        let told = disagreements(&all).into_iter().map(|found| {
            let question = found.question.map_or("there".to_owned(), |question| question.code);
            let says = found.says.iter().map(|said| {
                let answers: Vec<&str> = said.answers.iter().map(String::as_str).collect();
                format!("{}: {}", said.service, answers.join(", "))
            });
            (format!("{} {question}", found.about.code), says.collect())
        });
        told.collect()
    }

    #[test]
    fn only_what_is_said_differently_is_a_disagreement() {
        let nodule = answer(&[presence("nodule", "present")]);
        let none = answer(&[presence("nodule", "absent")]);
        let unsure = answer(&[presence("nodule", "indeterminate")]);
        let other = answer(&[presence("fracture", "present")]);
        let both = answer(&[presence("nodule", "present"), presence("nodule", "absent")]);
        let says = |one: &Findings, two: &Findings| between(&[one.clone(), two.clone()]);
        assert_eq!(
            says(&nodule, &none),
            [("nodule there".to_owned(), vec!["0: present".to_owned(), "1: absent".to_owned()])]
        );
        for (one, two) in [(&nodule, &nodule), (&nodule, &unsure), (&nodule, &other), (&none, &other), (&nodule, &both)]
        {
            assert_eq!(says(one, two), []);
        }
    }

    #[test]
    fn other_answers_to_the_same_question_are_one_each_as_it_was_given() {
        let [first, same, second] = ["2", "2", "3"].map(|grade| answer(&[graded("nodule", grade)]));
        assert_eq!(between(&[first.clone(), same]), []);
        let told = between(&[first, second, answer(&[presence("nodule", "present")])]);
        assert_eq!(told, [("nodule grade".to_owned(), vec!["0: 2".to_owned(), "1: 3".to_owned()])]);
    }

    #[test]
    fn a_service_does_not_disagree_with_itself() {
        let torn = answer(&[presence("nodule", "present"), presence("nodule", "absent"), graded("nodule", "2")]);
        assert_eq!(between(&[torn]), []);
    }
}
