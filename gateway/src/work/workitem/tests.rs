//! What is done to a workitem may be done twice, and by nobody else.

use time::macros::datetime;

use super::*;
use crate::{
    config,
    store::{CancelAsk, JobState, NewJob},
};

const NOW: OffsetDateTime = datetime!(2026-11-23 9:00 +9);

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn job() -> Job {
    Job::sample("kiku", "1.2.3", NOW)
}

fn scheduled_one() -> Workitem {
    let mut given = Attributes::new();
    given.put_text(tags::PROCEDURE_STEP_STATE, "SCHEDULED");
    given.put_text(tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, "MEDIUM");
    given.put_text(tags::PROCEDURE_STEP_LABEL, "Gram stain");
    given.put_text(tags::SCHEDULED_PROCEDURE_STEP_START_DATE_TIME, "20261123090000");
    given.put_text(tags::INPUT_READINESS_STATE, "READY");
    Workitem::create(job().workitem(), given, "AI", NOW).unwrap().workitem
}

fn ours() -> Uid {
    uid("2.25.1")
}

fn completes(workitem: &mut Workitem) -> Result<(), Fault> {
    end(workitem, &ours(), performed(&job(), &[], None, NOW), NOW)
}

fn cancels(workitem: &mut Workitem) -> Result<(), Fault> {
    canceled(workitem, &ours(), "the service does not answer", NOW)
}

#[test]
fn a_run_that_begins_once_more_finds_its_workitem_as_it_left_it() {
    let mut workitem = scheduled_one();
    for _ in 0..2 {
        take(&mut workitem, &ours(), NOW).unwrap();
        assert_eq!(workitem.state(), State::InProgress);
    }
    for _ in 0..2 {
        completes(&mut workitem).unwrap();
        assert_eq!(workitem.state(), State::Completed);
    }
    // The process died before the job was settled: it begins once more.
    take(&mut workitem, &ours(), NOW).unwrap();
    assert_eq!(workitem.state(), State::Completed);
}

#[test]
fn what_a_job_does_to_its_workitem_is_told() {
    let mut workitem = scheduled_one();
    take(&mut workitem, &ours(), NOW).unwrap();
    completes(&mut workitem).unwrap();
    // Once more, nothing happens.
    take(&mut workitem, &ours(), NOW).unwrap();
    completes(&mut workitem).unwrap();
    let mut other = scheduled_one();
    cancels(&mut other).unwrap();
    let told = |workitem: &Workitem| -> Vec<String> {
        let states = workitem.events().iter().map(|event| event.attributes.text(tags::PROCEDURE_STEP_STATE));
        states.map(Option::unwrap_or_default).collect()
    };
    assert_eq!(told(&workitem), ["SCHEDULED", "IN PROGRESS", "COMPLETED"]);
    assert_eq!(told(&other), ["SCHEDULED", "IN PROGRESS", "CANCELED"]);
    let why = other.events().last().unwrap().attributes.text(tags::REASON_FOR_CANCELLATION);
    assert_eq!(why.as_deref(), Some("the service does not answer"));
}

#[test]
fn one_that_nobody_took_yet_is_canceled_by_way_of_in_progress() {
    let mut workitem = scheduled_one();
    for _ in 0..2 {
        cancels(&mut workitem).unwrap();
        assert_eq!(workitem.state(), State::Canceled);
    }
    assert!(take(&mut workitem, &ours(), NOW).is_err(), "what was canceled is not begun again");
}

#[test]
fn what_somebody_else_took_is_theirs_to_complete_and_ends_with_the_job() {
    let mut workitem = scheduled_one();
    take(&mut workitem, &uid("2.25.2"), NOW).unwrap();
    assert_eq!(take(&mut workitem, &ours(), NOW), Err(Fault::TransactionIncorrect));
    assert!(completes(&mut workitem).is_err());
    assert_eq!(workitem.state(), State::InProgress);
    cancels(&mut workitem).unwrap();
    assert_eq!(workitem.state(), State::Canceled);
    let too_late = workitem.change_state(State::Completed, Some(&uid("2.25.2")), NOW);
    assert_eq!(too_late, Err(Fault::Final));
}

/// What the gateway took by its own lock is found by that lock again, whoever asks for its cancellation.
#[tokio::test]
async fn what_the_gateway_performs_is_canceled_for_whoever_asks_and_leaves_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let config = config::Config { data: folder.path().join("data"), ..config::Config::default() };
    let app = App::start(config.check().unwrap()).await.unwrap();
    let job = job();
    // The queue of this process has nothing to do yet.
    let tomorrow = app.clock.now() + time::Duration::days(1);
    app.store.put_job(&NewJob { job: job.clone(), digest: [1; 32] }, tomorrow, |_, _| Ok(())).await.unwrap().unwrap();
    let made = Workitem::create(job.workitem(), scheduled_one().view(), "AI", NOW).unwrap().workitem;
    app.store.create_workitem(&job.hospital, &made, None, NOW).await.unwrap();
    begin(&app, &job).await.unwrap();

    let request = Attributes::new();
    let own = own_lock(&app, &job.workitem());
    let ask = CancelAsk { requester: "ris", titles: &[], request: &request, lock: uid("2.25.9"), own };
    let canceled = app.store.request_cancel(&job.hospital, &job.workitem(), ask, NOW).await.unwrap().unwrap();
    canceled.outcome.unwrap();
    let canceled = canceled.job.unwrap();
    assert_eq!((canceled.id, canceled.state), (job.id, JobState::Canceled));
    super::super::unwanted(&app, &canceled).await;
    let record = app.store.exchange(&job.hospital, job.run).await.unwrap().unwrap();
    assert_eq!(record.status, 403);
    assert!(own_lock(&app, &uid("1.2.3")).is_none(), "of no job");
    app.tasks.finish(std::time::Duration::from_secs(20)).await;
}
