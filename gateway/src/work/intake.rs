//! Studies in which something arrived: judged when nothing more comes, matched against the hospital's enrolments, and turned
//! into jobs.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use medvan_analysis::{
    completeness::{Judgement, Seen, Verdict, judge},
    matching::{PriorMatch, PriorVerdict},
};
use medvan_imaging::ups::Workitem;
use serde_json::json;
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Explained, Priors, StudyImages, WorkFault, priors::wants_one, searching, workitem};
use crate::{
    App,
    catalog::{Completeness, HospitalView, ImageMember},
    store::{Intake, Job, JobPrior, JobSeries, JobState, NewJob},
};

/// How often the table is looked at, where nothing is due before: another process may have stored something.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Studies that are judged at once.
const AT_ONCE: usize = 8;
/// So long nobody else judges a study that was taken.
const LEASE: time::Duration = time::Duration::minutes(5);
/// So long after a fault a study is looked at again.
const AFTER_FAULT: time::Duration = time::Duration::seconds(30);

/// Judges studies until the process stops. A large one takes one of the places and keeps the others waiting for nothing.
pub(crate) async fn watch(app: App) {
    let mut looks = FuturesUnordered::new();
    while !app.tasks.is_stopping() {
        let now = app.clock.now();
        let pause = match app.store.claim_intakes(now, now + LEASE, AT_ONCE - looks.len()).await {
            Ok(intakes) => {
                // In tasks of their own: one that waits for the store here would keep this from asking it.
                looks.extend(intakes.into_iter().map(|intake| app.tasks.spawn("judgement", look(app.clone(), intake))));
                if looks.len() < AT_ONCE { until_next(&app).await } else { Duration::ZERO }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "arrived studies cannot be looked at");
                LOOK_EVERY
            }
        };
        look_on(&app, &mut looks, pause).await;
    }
    // What was taken is judged to its end: nobody else would look at it until its lease is over.
    while looks.next().await.is_some() {}
}

/// Goes on with what is looked at, until there is a place and something may be due, or the process stops.
async fn look_on(app: &App, looks: &mut FuturesUnordered<JoinHandle<()>>, pause: Duration) {
    let pause = tokio::time::sleep(pause);
    tokio::pin!(pause);
    let mut is_over = false;
    while !is_over || looks.len() >= AT_ONCE {
        tokio::select! {
            () = app.tasks.stopping() => return,
            Some(_ended) = looks.next() => {}
            () = &mut pause, if !is_over => is_over = true,
        }
    }
}

/// How long nothing is due.
async fn until_next(app: &App) -> Duration {
    let next = app.store.next_intake().await.ok().flatten();
    let wait = next.map(|due| (due - app.clock.now()).max(time::Duration::ZERO));
    wait.and_then(|wait| Duration::try_from(wait).ok()).map_or(LOOK_EVERY, |wait| wait.min(LOOK_EVERY))
}

async fn look(app: App, intake: Intake) {
    let app = &app;
    let Decided { next, evidence, is_searched } = decide(app, &intake).await.unwrap_or_else(|fault| {
        tracing::warn!(error = &fault as &dyn std::error::Error, hospital = %intake.hospital, "a study cannot be judged");
        let next = fault.may_retry().then(|| app.clock.now() + AFTER_FAULT);
        Decided::of(next, json!({ "fault": fault.to_string() }))
    });
    let kept = app.store.judge_intake(&intake, next, &evidence.to_string(), app.clock.now()).await;
    if let Err(error) = kept {
        // It is looked at again when its lease ends: jobs that are there already are not put in twice.
        tracing::error!(error = &error as &dyn std::error::Error, "what was decided about a study was not kept");
    }
    // The search that it waits for may have ended before that was kept.
    if is_searched && let Err(error) = app.store.recall_intake(&intake, app.clock.now()).await {
        tracing::error!(error = &error as &dyn std::error::Error, "a study waits for its priors longer than it need");
    }
}

/// What was decided about a study.
struct Decided {
    /// When it is looked at again.
    next: Option<OffsetDateTime>,
    evidence: serde_json::Value,
    /// Whether it waits for a search for priors.
    is_searched: bool,
}

impl Decided {
    fn of(next: Option<OffsetDateTime>, evidence: serde_json::Value) -> Self {
        Self { next, evidence, is_searched: false }
    }
}

async fn decide(app: &App, intake: &Intake) -> Result<Decided, WorkFault> {
    let snapshot = app.catalog.current();
    let now = app.clock.now();
    let Some(view) = snapshot.hospital(&intake.hospital).filter(|view| !view.analyzers.is_empty()) else {
        return Ok(Decided::of(None, json!({ "services": 0 })));
    };
    let completeness = completeness(view);
    // Most looks end here, before anything is read.
    let shortest = completeness.shortest();
    let early = judge(&shortest, &seen(app, intake, None, &[]), now);
    if let Verdict::Waiting { until } = early.verdict
        && now < intake.changed_at + shortest.quiet
    {
        let until = until.min(intake.changed_at + shortest.quiet);
        return Ok(Decided::of(Some(until), json!({ "judgement": early })));
    }
    let Some(images) = StudyImages::read(&app.store, &app.archive, &intake.hospital, &intake.study).await? else {
        return Ok(Decided::of(None, json!({ "instances": 0 })));
    };
    let mut explained: Vec<(&Arc<ImageMember>, Explained)> =
        view.analyzers.iter().map(|member| (member, images.explain(member, None))).collect();
    let modalities: Vec<&str> = images.facts.series.iter().map(|series| series.modality.as_str()).collect();
    let judgement = judge(&completeness.policy(modalities), &seen(app, intake, Some(&images), &explained), now);
    match judgement.verdict {
        Verdict::Waiting { until } => Ok(Decided::of(Some(until), json!({ "judgement": judgement }))),
        Verdict::Overdue => {
            tracing::warn!(hospital = %intake.hospital, "a study is not complete at its deadline; nothing is done with it");
            metrics::counter!("medvan_studies_overdue_total", "hospital" => intake.hospital.to_string()).increment(1);
            Ok(Decided::of(None, evidence(&judgement, &explained)))
        }
        Verdict::Complete | Verdict::TakenAsItIs => {
            let next = put_all(app, intake, view, &images, &mut explained, now).await?;
            let evidence = evidence(&judgement, &explained);
            Ok(Decided { next, evidence, is_searched: next.is_some() })
        }
    }
}

/// Puts a job in for each service that fits. Those that compare with an earlier study come when the hospital's archive was asked for
/// it: until then at most.
async fn put_all(
    app: &App,
    intake: &Intake,
    view: &HospitalView,
    images: &StudyImages,
    explained: &mut [(&Arc<ImageMember>, Explained)],
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, WorkFault> {
    let is_wanted = explained.iter().any(|(member, explained)| wants_one(member, &explained.found));
    let until = searching::search(app, intake, view, is_wanted, now).await?;
    let mut priors = Priors::new(&app.store, &app.archive, &intake.hospital, images);
    for (member, explained) in explained.iter_mut().filter(|(_, explained)| explained.found.fits) {
        if until.is_some() && wants_one(member, &explained.found) {
            continue;
        }
        explained.prior = priors.find(member, &explained.found).await?;
        let prior = explained.prior.as_ref().and_then(|found| priors.chosen(found));
        put(app, intake, images, member, explained, prior, now).await?;
    }
    app.jobs.ring();
    Ok(until)
}

fn evidence(judgement: &Judgement, explained: &[(&Arc<ImageMember>, Explained)]) -> serde_json::Value {
    let services: Vec<serde_json::Value> = explained
        .iter()
        .map(|(_, explained)| {
            let mut told = json!({ "service": explained.service, "version": explained.version, "entry": explained.entry,
                                   "fits": explained.found.fits });
            if let Some(prior) = &explained.prior {
                // Which series of it are what is told at `/matching`, as of the study itself.
                let without_series = |verdict: &PriorVerdict| PriorVerdict { needs: Vec::new(), ..verdict.clone() };
                let studies = prior.studies.iter().map(without_series).collect();
                told["prior"] = json!(PriorMatch { chosen: prior.chosen.clone(), studies });
            }
            told
        })
        .collect();
    json!({ "judgement": judgement, "services": services })
}

/// Puts a job in for a service, with its workitem.
async fn put(
    app: &App,
    intake: &Intake,
    images: &StudyImages,
    member: &ImageMember,
    explained: &Explained,
    prior: Option<(JobPrior, Vec<Vec<u8>>)>,
    now: OffsetDateTime,
) -> Result<(), WorkFault> {
    let chosen = images.chosen_for(&explained.found.needs);
    let digest = digest(member, &chosen, prior.as_ref());
    let deadline = time::Duration::seconds(member.entry.limits.deadline_seconds.into());
    let id = Uuid::now_v7();
    let job = Job {
        id,
        run: id,
        hospital: intake.hospital.clone(),
        study: intake.study.clone(),
        patient_id: images.patient_id.clone(),
        service: member.name.clone(),
        version: member.version.clone(),
        entry: member.entry.id.clone(),
        mode: member.mode.word().to_owned(),
        state: JobState::Waiting,
        priority: member.terms.priority.rank(),
        due_at: now,
        // An alarm is due when all tries could have been made.
        deadline_at: now + deadline * i32::try_from(member.entry.limits.attempts).unwrap_or(1),
        attempts: 0,
        deaths: 0,
        claim: 0,
        inputs: chosen.into_iter().map(|(series, _)| series).collect(),
        prior: prior.map(|(prior, _)| prior),
        fault: None,
        offered_until: None,
        created_at: now,
        changed_at: now,
    };
    let cancel = |job: &Job, workitem: &mut Workitem| {
        workitem::canceled(workitem, &workitem::lock(app, job), "more images of the study came", now)
    };
    if app.store.put_job(&NewJob { job: job.clone(), digest }, now, cancel).await?.is_none() {
        return Ok(());
    }
    metrics::counter!("medvan_jobs_total", "service" => job.service.to_string()).increment(1);
    workitem::create(app, &job, member).await
}

/// Of everything that the work depends on: the version, its entry, its mode, and each instance with its content, of a prior too. When
/// one more image comes, or a prior, it is other work.
fn digest(
    member: &ImageMember,
    chosen: &[(JobSeries, Vec<Vec<u8>>)],
    prior: Option<&(JobPrior, Vec<Vec<u8>>)>,
) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(format!("{}@{} {} {}", member.name, member.version, member.entry.id, member.mode.word()).as_bytes());
    for (series, digests) in chosen {
        update(&mut context, series, digests.iter());
    }
    // Nothing where there is none: work that was put in before there were priors is the same.
    if let Some((prior, digests)) = prior {
        context.update(format!(" prior {}", prior.study).as_bytes());
        let mut digests = digests.iter();
        for series in &prior.series {
            update(&mut context, series, digests.by_ref());
        }
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

fn update<'a>(context: &mut Context, series: &JobSeries, digests: impl Iterator<Item = &'a Vec<u8>>) {
    context.update(series.uid.as_str().as_bytes());
    for (instance, digest) in series.instances.iter().zip(digests) {
        context.update(instance.as_str().as_bytes());
        context.update(digest);
    }
}

fn completeness(view: &HospitalView) -> Completeness {
    view.hospital.imaging.as_ref().map(|imaging| imaging.completeness.clone()).unwrap_or_default()
}

fn seen(
    app: &App,
    intake: &Intake,
    images: Option<&StudyImages>,
    explained: &[(&Arc<ImageMember>, Explained)],
) -> Seen {
    Seen {
        began_at: intake.began_at,
        last_at: intake.changed_at,
        instances: images.map_or(0, |images| images.instances),
        expected: images.and_then(|images| images.expected),
        open_transfers: app.archive.arrivals_of(&intake.hospital, &intake.study),
        is_cut: intake.is_cut,
        is_wanted: explained.iter().any(|(_, explained)| explained.found.fits),
    }
}
