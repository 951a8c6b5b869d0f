//! The steps of the demonstration. Each says what happened and whether it is what must be seen.

mod analysis;
mod images;

use std::{future::Future, pin::Pin, time::Duration};

use medvan_fixtures::ehr::{Answer, EhrError};
use serde_json::{Value, json};

use super::stage::Stage;

/// One step.
pub(super) struct Step {
    /// What is shown.
    pub(super) title: &'static str,
    /// Plays it.
    pub(super) play: for<'a> fn(&'a Stage) -> Pin<Box<dyn Future<Output = Seen> + 'a>>,
}

/// What a step showed.
pub(super) struct Seen {
    /// For the person who watches.
    pub(super) told: Vec<String>,
    /// Whether it is what must be seen.
    pub(super) holds: bool,
}

/// Every step, in order.
pub(super) fn all() -> &'static [Step] {
    &[
        Step { title: "The EHR asks what it is enrolled for", play: |stage| Box::pin(discovery(stage)) },
        Step { title: "A chart is opened: an early warning", play: |stage| Box::pin(early_warning(stage)) },
        Step { title: "An order is signed: two vendors, one answer", play: |stage| Box::pin(two_vendors(stage)) },
        Step { title: "The record says who was asked, and what each was sent", play: |stage| Box::pin(record(stage)) },
        Step { title: "The doctor's feedback travels home", play: |stage| Box::pin(feedback(stage)) },
        Step {
            title: "The governor suspends a service: gone from the next call",
            play: |stage| Box::pin(suspension(stage)),
        },
        Step { title: "A service crashes: the other one's cards still come", play: |stage| Box::pin(crash(stage)) },
        Step { title: "A CT study comes in by DICOMweb", play: |stage| Box::pin(images::by_web(stage)) },
        Step {
            title: "It goes to another hospital's PACS by C-STORE",
            play: |stage| Box::pin(images::by_network(stage)),
        },
        Step { title: "It comes out bit for bit, and as a picture", play: |stage| Box::pin(images::out(stage)) },
        Step {
            title: "A smear and a CT come in: AI services find something",
            play: |stage| Box::pin(analysis::found(stage)),
        },
        Step {
            title: "The evidence lies beside the images, for PACS and FHIR",
            play: |stage| Box::pin(analysis::evidence(stage)),
        },
        Step {
            title: "The chart is opened: cards that link to the pictures",
            play: |stage| Box::pin(analysis::told(stage)),
        },
        Step { title: "A stranger with a forged token gets nothing", play: |stage| Box::pin(stranger(stage)) },
    ]
}

impl Seen {
    fn failed(reason: impl std::fmt::Display) -> Self {
        Self { told: vec![reason.to_string()], holds: false }
    }

    fn told(mut self, line: impl Into<String>) -> Self {
        self.told.push(line.into());
        self
    }
}

/// An answer as a screen would show it; it holds if the answer conforms and has these many cards.
fn cards(answer: &Answer, expected: usize) -> Seen {
    let mut told = vec![format!("{} in {} ms", count(answer.cards.len(), "card"), answer.took.as_millis())];
    for card in &answer.cards {
        told.push(format!("[{}] {}", card.indicator(), card.summary()));
        told.push(format!("    — {}", card.source()));
        let labels = card.suggestions().iter().filter_map(|suggestion| suggestion["label"].as_str());
        told.extend(labels.map(|label| format!("    ▸ {label}")));
    }
    told.extend(answer.faults.iter().map(|fault| format!("not as the standard asks: {fault}")));
    Seen { told, holds: answer.faults.is_empty() && answer.cards.len() == expected }
}

async fn order(stage: &Stage) -> Result<Answer, EhrError> {
    stage.ehr.fires("order-sign").on("hanako").ordering("levofloxacin").at(&stage.base_url(), "van-order-sign").await
}

async fn discovery(stage: &Stage) -> Seen {
    match stage.ehr.discovers(&stage.base_url()).await {
        Err(error) => Seen::failed(error),
        Ok(discovery) => {
            let ids = discovery.ids();
            let aggregated = ["van-patient-view", "van-order-select", "van-order-sign"];
            let holds = discovery.faults.is_empty() && aggregated.iter().all(|id| ids.contains(id));
            Seen { told: ids.iter().map(|id| (*id).to_owned()).collect(), holds }
        }
    }
}

async fn early_warning(stage: &Stage) -> Seen {
    match stage.ehr.fires("patient-view").on("ichiro").at(&stage.base_url(), "van-patient-view").await {
        Ok(answer) => cards(&answer, 1),
        Err(error) => Seen::failed(error),
    }
}

async fn two_vendors(stage: &Stage) -> Seen {
    stage.fhir.forgets_queries();
    match order(stage).await {
        Err(error) => Seen::failed(error),
        Ok(answer) => {
            let queries = stage.fhir.queries();
            let mut distinct = queries.clone();
            distinct.sort();
            distinct.dedup();
            let seen = cards(&answer, 2);
            let once = queries.len() == distinct.len();
            Seen { holds: seen.holds && once, ..seen }.told(format!(
                "{} to the FHIR server, each asked once for both services",
                count(queries.len(), "query")
            ))
        }
    }
}

async fn record(stage: &Stage) -> Seen {
    let explanation = match order(stage).await {
        Ok(answer) => explanation(stage, &answer).await,
        Err(error) => return Seen::failed(error),
    };
    let Some(explanation) = explanation else { return Seen::failed("the exchange has no record") };
    let services = explanation["services"].as_array().cloned().unwrap_or_default();
    let mut seen = Seen { told: Vec::new(), holds: services.len() == 2 };
    for service in &services {
        let sent = service["sent"].as_object().into_iter().flatten();
        let sent: Vec<String> =
            sent.map(|(key, state)| format!("{key}: {}", state.as_str().unwrap_or_default())).collect();
        seen.holds &= service["status"] == "answered" && !sent.is_empty();
        seen = seen.told(format!(
            "{} {}: {} after {:.0} ms; sent {}",
            text(&service["service"]),
            text(&service["version"]),
            text(&service["status"]),
            service["elapsedMs"].as_f64().unwrap_or_default(),
            sent.join(", ")
        ));
    }
    seen
}

async fn feedback(stage: &Stage) -> Seen {
    let answer = match order(stage).await {
        Ok(answer) => answer,
        Err(error) => return Seen::failed(error),
    };
    let mut told = Vec::new();
    for card in &answer.cards {
        let sent = if card.suggestions().is_empty() {
            told.push(format!("overridden: {}", card.summary()));
            stage.ehr.overrides(card, "患者と相談済み").await
        } else {
            told.push(format!("accepted: {}", card.summary()));
            stage.ehr.accepts(card).await
        };
        match sent {
            Ok(taken) if taken.status == 200 => {}
            Ok(taken) => return Seen::failed(format!("feedback: status {}", taken.status)),
            Err(error) => return Seen::failed(error),
        }
    }
    // Deliveries happen in the background; a few seconds are ample on one machine.
    for _ in 0..50 {
        let (waiting, dead) = stage.app.store.outbox_depth().await.unwrap_or((1, 0));
        if waiting == 0 {
            let holds = dead == 0 && !answer.cards.is_empty();
            return Seen { told, holds }.told("delivered to the vendors who made the cards");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Seen { told, holds: false }.told("not delivered")
}

async fn suspension(stage: &Stage) -> Seen {
    let decided = |decision: &str| {
        vec![json!({"kind": "Approval", "service": "hinoki.renal-dosing", "version": "1.0.0", "decision": decision,
                    "reason": "To show what it does"})]
    };
    if let Err(error) = stage.apply(decided("suspend")).await {
        return Seen::failed(error);
    }
    let seen = match order(stage).await {
        Ok(answer) => cards(&answer, 1),
        Err(error) => Seen::failed(error),
    };
    match stage.apply(decided("reinstate")).await {
        Ok(()) => seen.told("…and reinstated"),
        Err(error) => Seen::failed(error),
    }
}

async fn crash(stage: &Stage) -> Seen {
    let crashed = stage.crash("renal-dosing");
    match order(stage).await {
        Err(error) => Seen::failed(error),
        Ok(answer) => {
            let seen = cards(&answer, 1);
            let statuses = &answer.body["extension"]["jp.medvan.exchange"]["services"];
            let told: Vec<String> = statuses
                .as_array()
                .into_iter()
                .flatten()
                .map(|service| format!("{}: {}", text(&service["service"]), text(&service["status"])))
                .collect();
            Seen { holds: seen.holds && crashed, ..seen }.told(told.join(", "))
        }
    }
}

async fn stranger(stage: &Stage) -> Seen {
    let firing = stage.ehr.fires("patient-view").on("ichiro").with_token(Some("e30.e30.Zm9yZ2Vk".to_owned()));
    match firing.at(&stage.base_url(), "van-patient-view").await {
        Ok(answer) => Seen {
            told: vec![format!("status {}", answer.status)],
            holds: answer.status == 401 && answer.text.is_empty(),
        },
        Err(error) => Seen::failed(error),
    }
}

async fn explanation(stage: &Stage, answer: &Answer) -> Option<Value> {
    let id = answer.body["extension"]["jp.medvan.exchange"]["id"].as_str()?.parse().ok()?;
    let hospital = "kaede".parse().ok()?;
    Some(stage.app.store.exchange(&hospital, id).await.ok()??.explanation)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn count(number: usize, word: &str) -> String {
    match (number, word) {
        (1, _) => format!("1 {word}"),
        (_, "query") => format!("{number} queries"),
        _ => format!("{number} {word}s"),
    }
}
