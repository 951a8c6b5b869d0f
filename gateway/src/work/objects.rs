//! Results that are DICOM objects: held against the job ([`gate`]), what holds is kept as the answer, and nothing else is delivered.

use std::collections::HashSet;

use medvan_analysis::{
    evidence::Reference,
    gate::{self, Gated, Quarantined},
    inputs::Inputs,
};
use medvan_profiles::descriptor::images::ResultModality;

use super::{WorkFault, perform::told, results::JAPAN};
use crate::{
    App,
    store::{Answer, EvidenceObject, Job, ReceivedObject},
};

/// Holds what a service gave back against its job. The service's answer is complete where it has one of each that is expected.
pub(super) async fn answer(
    app: &App,
    job: &Job,
    inputs: &Inputs,
    expects: &[ResultModality],
    files: Vec<Vec<u8>>,
) -> Result<Answer, WorkFault> {
    let earlier: Vec<Reference> = app.store.delivered_before(job).await?.into_iter().map(reference).collect();
    let (inputs, id, at) = (inputs.clone(), job.id, app.clock.now());
    let gated = tokio::task::spawn_blocking(move || {
        gate::read(files, &gate::Job { inputs: &inputs, job: id, at: at.to_offset(JAPAN), earlier: &earlier })
    });
    let gated = gated.await.map_err(|_| WorkFault::Findings("it cannot be read".to_owned()))?;
    count(job, &gated);
    kept(gated, expects)
}

/// Whether objects of these classes are all that is waited for.
pub(super) fn is_complete<'a>(expects: &[ResultModality], classes: impl Iterator<Item = &'a str>) -> bool {
    let came: HashSet<ResultModality> = classes.filter_map(ResultModality::of_class).collect();
    expects.iter().all(|expected| came.contains(expected))
}

fn kept(gated: Gated, expects: &[ResultModality]) -> Result<Answer, WorkFault> {
    let kept_back = (!gated.quarantined.is_empty()).then(|| reasons(&gated.quarantined));
    let classes = gated.accepted.iter().map(|object| object.reference.class.as_str());
    if !is_complete(expects, classes) {
        let missing = "the answer has not one result of each modality that the descriptor expects".to_owned();
        return Err(WorkFault::Findings(kept_back.unwrap_or(missing)));
    }
    let findings = serde_json::to_string(&*gated.findings).map_err(|error| WorkFault::Findings(error.to_string()))?;
    let objects = gated.accepted.into_iter().map(|object| {
        let Reference { series, instance, class } = object.reference;
        ReceivedObject { reference: EvidenceObject { series, instance, class }, bytes: object.bytes }
    });
    Ok(Answer { findings, objects: objects.collect(), kept_back })
}

/// As the vendor may read them.
fn reasons(quarantined: &[Quarantined]) -> String {
    const OBJECTS: usize = 5;
    let of = |kept: &Quarantined| {
        let name = kept.instance.as_ref().map_or_else(|| format!("result {}", kept.at + 1), ToString::to_string);
        format!("{name} is kept back: {}", told(&kept.reasons))
    };
    let mut reasons: Vec<String> = quarantined.iter().take(OBJECTS).map(of).collect();
    if quarantined.len() > OBJECTS {
        reasons.push(format!("and {} more results are kept back", quarantined.len() - OBJECTS));
    }
    reasons.join(" | ")
}

fn reference(object: EvidenceObject) -> Reference {
    let EvidenceObject { series, instance, class } = object;
    Reference { series, instance, class }
}

fn count(job: &Job, gated: &Gated) {
    let repaired = gated.accepted.iter().filter(|object| !object.repairs.is_empty()).count();
    for (outcome, objects) in
        [("accepted", gated.accepted.len() - repaired), ("repaired", repaired), ("kept-back", gated.quarantined.len())]
    {
        metrics::counter!("medvan_results_gated_total", "service" => job.service.to_string(), "outcome" => outcome)
            .increment(objects as u64);
    }
}
