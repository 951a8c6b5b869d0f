//! What becomes of an analysis: DICOM evidence in the hospital's archive, and its way to the hospital's nodes.

use medvan_analysis::{
    evidence::{self, Algorithm, Completion, Context, Object, Predecessor, Qualification, Reference},
    finding::CheckedFindings,
    inputs::Inputs,
};
use medvan_imaging::{Uid, dataset::ReadError};
use time::UtcOffset;
use uuid::Uuid;

use super::{WorkFault, authoring, pictures};
use crate::{
    App,
    archive::{Expected, Fault},
    catalog::{ImageMember, Mode, OnConflict},
    store::{EvidenceObject, FoundInstance, Job, Kind, Origin, Protocol, ReceivedObject, StoredAnalysis},
};

/// All hospitals of the network are in Japan; DICOM has dates and times without a zone.
pub(super) const JAPAN: UtcOffset = time::macros::offset!(+9);

/// Makes evidence of an analysis and stores it. Done twice it is stored once: it is the same, byte for byte.
pub(super) async fn store(
    app: &App,
    job: &Job,
    member: &ImageMember,
    (inputs, images): (Inputs, &[FoundInstance]),
    analysis: &StoredAnalysis,
) -> Result<Vec<EvidenceObject>, WorkFault> {
    let _place = app.authors.acquire().await.map_err(|_| WorkFault::Lost)?;
    let findings =
        CheckedFindings::stored(&analysis.findings).map_err(|error| WorkFault::Evidence(error.to_string()))?;
    let received: Vec<Object> = app.store.received(job.id).await?.into_iter().map(object).collect();
    let given: Vec<Reference> = received.iter().map(|object| object.reference.clone()).collect();
    let pictures = if authoring::gives(&given, evidence::PICTURE) {
        Vec::new()
    } else {
        pictures::of(app, job, &inputs, images, &findings).await
    };
    let (algorithm, predecessor) = (algorithm(member), predecessor(app, job).await?);
    let (id, at, is_trial) = (job.id, analysis.at.to_offset(JAPAN), matches!(member.mode, Mode::Trial { .. }));
    let author = move || {
        let context = Context {
            inputs: &inputs,
            algorithm: &algorithm,
            job: id,
            at,
            completion: Completion::Complete,
            qualification: if is_trial { Qualification::Research } else { Qualification::Product },
            predecessor,
        };
        authoring::made(&context, &findings, &given, pictures)
    };
    let objects = tokio::task::spawn_blocking(author).await;
    let objects = objects.map_err(|_| WorkFault::Evidence("the author was lost".to_owned()))?;
    let objects = objects.map_err(|error| WorkFault::Evidence(error.to_string()))?;
    let mut made = keep(app, job, received, OnConflict::Refuse).await?;
    // What a try before this one stored stays: meanwhile an earlier report may have come to be named in it.
    made.extend(keep(app, job, objects, OnConflict::Keep).await?);
    Ok(made)
}

/// A result that a service gave.
fn object(received: ReceivedObject) -> Object {
    let EvidenceObject { series, instance, class } = received.reference;
    Object { reference: Reference { series, instance, class }, bytes: received.bytes }
}

/// Puts what was made into the outboxes of the nodes that the hospital chose.
pub(super) async fn deliver(
    app: &App,
    job: &Job,
    member: &ImageMember,
    made: &[EvidenceObject],
) -> Result<(), WorkFault> {
    let instances: Vec<Uid> = made.iter().map(|object| object.instance.clone()).collect();
    if instances.is_empty() {
        return Ok(());
    }
    for node in &member.terms.deliver {
        app.store.send_to_node(&job.hospital, node, &instances, app.clock.now()).await?;
    }
    app.dimse.ring();
    Ok(())
}

async fn keep(
    app: &App,
    job: &Job,
    objects: Vec<Object>,
    on_conflict: OnConflict,
) -> Result<Vec<EvidenceObject>, WorkFault> {
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let origin = Origin {
        id: Uuid::now_v7(),
        protocol: Protocol::Own,
        source: job.service.to_string(),
        called: None,
        peer: [127, 0, 0, 1].into(),
        at: app.clock.now(),
    };
    let refused = |fault: Fault| match fault {
        Fault::Conflict | Fault::OtherPatient => WorkFault::TakenUid,
        // What was made of findings is longer than what is taken from anybody: another try makes the same.
        Fault::Unreadable(ReadError::TooMuch) => WorkFault::TooMuch,
        fault => WorkFault::Storing(fault.to_string()),
    };
    let arrival = app.archive.arrival(&job.hospital, origin, on_conflict, Kind::Result);
    let mut arrival = arrival.map_err(refused)?;
    let mut made = Vec::with_capacity(objects.len());
    for Object { reference, bytes } in objects {
        arrival.write(bytes.into()).await;
        arrival.finish(Expected { study: Some(job.study.clone()), object: None }).await;
        let Reference { series, instance, class } = reference;
        made.push(EvidenceObject { series, instance, class });
    }
    for stored in arrival.commit().await {
        stored.outcome.map_err(refused)?;
    }
    Ok(made)
}

/// The report that this job's replaces: of the same service about fewer images of the same study.
async fn predecessor(app: &App, job: &Job) -> Result<Option<Predecessor>, WorkFault> {
    let Some(earlier) = app.store.earlier_analysis(job).await? else { return Ok(None) };
    let report = earlier.evidence.into_iter().find(|object| object.class.as_str() == evidence::REPORT);
    Ok(report.map(|EvidenceObject { series, instance, class }| Predecessor {
        study: earlier.study,
        reference: Reference { series, instance, class },
    }))
}

/// The service as documents name it.
fn algorithm(member: &ImageMember) -> Algorithm {
    let descriptor = &member.descriptor;
    Algorithm {
        name: descriptor.name.en.clone(),
        version: member.version.to_string(),
        manufacturer: descriptor.maker.en.clone(),
        manufacturer_model: descriptor.model_number.clone().unwrap_or_else(|| descriptor.product_name.en.clone()),
        regulatory_number: descriptor.regulatory.number.clone(),
        service_id: member.name.to_string(),
        parameters: Vec::new(),
    }
}
