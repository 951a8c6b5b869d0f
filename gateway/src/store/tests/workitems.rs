//! How long workitems stay, how many there may be, how they are found among many, and who cancels whose.

use medvan_imaging::{
    AeTitle, Uid,
    attributes::Attributes,
    query::{Level, Query},
    ups::{Fault, State, Workitem},
};
use sqlx::Row as _;
use time::Duration;

use super::*;

const MONTH: Duration = Duration::days(30);

fn uid(text: &str) -> Uid {
    text.parse().unwrap()
}

fn attributes(value: &serde_json::Value) -> Attributes {
    medvan_imaging::json::parse(value.to_string().as_bytes()).unwrap()
}

/// Work on a study of a patient, for a station, from a moment on.
fn work(number: &str, patient: &str, study: &str, station: &str, start: &str) -> Workitem {
    let given = json!({
        "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
        "00741200": {"vr": "CS", "Value": ["HIGH"]},
        "00741204": {"vr": "LO", "Value": ["NODULES"]},
        "00404005": {"vr": "DT", "Value": [start]},
        "00404041": {"vr": "CS", "Value": ["READY"]},
        "00100020": {"vr": "LO", "Value": [patient]},
        "00404025": {"vr": "SQ", "Value": [{
            "00080100": {"vr": "SH", "Value": [station]},
            "00080102": {"vr": "SH", "Value": ["99TEST"]},
            "00080104": {"vr": "LO", "Value": [station]},
        }]},
        "00404021": {"vr": "SQ", "Value": [{
            "0040E020": {"vr": "CS", "Value": ["DICOM"]},
            "0020000D": {"vr": "UI", "Value": [study]},
            "0020000E": {"vr": "UI", "Value": [format!("{study}.1")]},
            "00081199": {"vr": "SQ", "Value": [{
                "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
                "00081155": {"vr": "UI", "Value": [format!("{study}.1.1")]},
            }]},
        }]},
    });
    Workitem::create(uid(number), attributes(&given), "TEST", NOON).unwrap().workitem
}

fn some(number: &str) -> Workitem {
    work(number, "P1", "1.9.1", "AI-1", "20261122120000+0900")
}

impl Store {
    async fn puts(&self, workitem: &Workitem) -> PutWorkitem {
        self.create_workitem(&hospital("kiku"), workitem, Some(MUCH), NOON).await.unwrap()
    }

    async fn has(&self, number: &str) -> bool {
        self.workitem(&hospital("kiku"), &uid(number)).await.unwrap().is_some()
    }

    async fn had(&self, number: &str) -> bool {
        self.had_workitem(&hospital("kiku"), &uid(number)).await.unwrap()
    }

    async fn takes(&self, number: &str, lock: &Uid, at: OffsetDateTime) {
        let change = |workitem: &mut Workitem| workitem.change_state(State::InProgress, Some(lock), at);
        self.change_workitem(&hospital("kiku"), &uid(number), at, change).await.unwrap().unwrap().unwrap();
    }

    /// Asks for its cancellation, as somebody whose own application entity is `CALLER`.
    async fn cancels(&self, number: &str, own: Option<Uid>, at: OffsetDateTime) -> Cancellation {
        let request = attributes(&json!({"00741238": {"vr": "LT", "Value": ["wrong order"]}}));
        let titles = [AeTitle::parse("CALLER").unwrap()];
        let ask = CancelAsk { requester: "ris", titles: &titles, request: &request, lock: uid("2.25.7"), own };
        self.request_cancel(&hospital("kiku"), &uid(number), ask, at).await.unwrap().unwrap()
    }

    async fn subscribes(&self, number: &str, title: &str, has_lock: bool) {
        let title = AeTitle::parse(title).unwrap();
        let done = self.subscribe_to_workitem(&hospital("kiku"), &uid(number), &title, has_lock, NOON).await.unwrap();
        assert_eq!(done, Subscribed::Done);
    }

    async fn purges_workitems(&self, at: OffsetDateTime) {
        self.purge(at, Retention { workitems: Some(MONTH), ..Retention::default() }).await.unwrap();
    }
}

const MUCH: WorkitemRoom = WorkitemRoom { workitems: 1_000_000, bytes: 1 << 40 };

#[tokio::test]
async fn what_ended_goes_after_its_time_unless_it_is_locked_and_is_known_for_a_while() {
    let (_dir, store) = store().await;
    for number in ["1.1", "1.2", "1.3", "1.4"] {
        assert_eq!(store.puts(&some(number)).await, PutWorkitem::Created);
    }
    store.subscribes("1.2", "LOCKER", true).await;
    store.subscribes("1.3", "WATCHER", false).await;
    for number in ["1.1", "1.2", "1.3"] {
        store.cancels(number, None, NOON).await.outcome.unwrap();
    }
    store.purges_workitems(NOON + MONTH - Duration::seconds(1)).await;
    assert!(store.has("1.1").await);
    // Whoever asks again does not make it younger.
    store.cancels("1.1", None, NOON + MONTH).await.outcome.unwrap();
    let later = NOON + MONTH;
    store.purges_workitems(later).await;
    let here = [store.has("1.1").await, store.has("1.2").await, store.has("1.3").await, store.has("1.4").await];
    assert_eq!(here, [false, true, false, true], "the locked one stays, and the one that is scheduled");
    assert_eq!((store.had("1.1").await, store.had("1.2").await), (true, false));
    assert_eq!(store.puts(&some("1.1")).await, PutWorkitem::Deleted);
    assert_eq!(store.puts(&some("1.2")).await, PutWorkitem::Taken);
    assert_eq!(count(&store, "workitem_keys").await, 8, "what it was searched by goes with it");
    assert_eq!(count(&store, "workitem_subscribers").await, 1, "nobody waits for what is not there");

    let (kiku, locker) = (hospital("kiku"), AeTitle::parse("LOCKER").unwrap());
    store.unsubscribe_from_workitem(&kiku, &uid("1.2"), &locker).await.unwrap();
    store.purges_workitems(later).await;
    assert!(!store.has("1.2").await && store.had("1.2").await);
    store.purges_workitems(later + Duration::days(91)).await;
    assert!(!store.had("1.1").await);
    assert_eq!(store.puts(&some("1.1")).await, PutWorkitem::Created);
    store.purge(later + Duration::days(9_999), Retention::default()).await.unwrap();
    assert!(store.has("1.4").await);
}

#[tokio::test]
async fn more_than_one_batch_goes_and_locks_between_them_do_not_stop_it() {
    let (_dir, store) = store().await;
    for number in 0..250 {
        let number = format!("1.1.{number}");
        store.puts(&some(&number)).await;
        if number.ends_with('7') {
            store.subscribes(&number, "LOCKER", true).await;
        }
        store.cancels(&number, None, NOON).await.outcome.unwrap();
    }
    store.purges_workitems(NOON + MONTH).await;
    assert_eq!((count(&store, "workitems").await, count(&store, "workitem_tombs").await), (25, 225));
}

#[tokio::test]
async fn a_hospital_has_room_and_its_jobs_always_have() {
    let (_dir, store) = store().await;
    let two = WorkitemRoom { workitems: 2, bytes: 1 << 20 };
    let put =
        async |number: &str, room| store.create_workitem(&hospital("kiku"), &some(number), room, NOON).await.unwrap();
    assert_eq!(put("1.1", Some(two)).await, PutWorkitem::Created);
    assert_eq!(put("1.2", None).await, PutWorkitem::Created, "it is a job's");
    assert_eq!(put("1.3", Some(two)).await, PutWorkitem::Created);
    assert_eq!(put("1.4", Some(two)).await, PutWorkitem::NoRoom);
    assert!(!store.has("1.4").await);
    assert_eq!(put("1.5", None).await, PutWorkitem::Created);
    let few = WorkitemRoom { workitems: 100, bytes: 4_000 };
    assert_eq!(put("1.6", Some(few)).await, PutWorkitem::NoRoom);
    let ran = store.create_workitem(&hospital("ran"), &some("1.4"), Some(two), NOON).await.unwrap();
    assert_eq!(ran, PutWorkitem::Created, "it has room of its own");

    let may_grow =
        async |bytes| store.workitems_may_grow(&hospital("kiku"), WorkitemRoom { workitems: 1, bytes }).await.unwrap();
    assert!(may_grow(4_000).await, "what was taken goes on where nothing new is let in");
    assert!(!may_grow(500).await);
    // Growth counts, and what goes makes room.
    let grow = |workitem: &mut Workitem| {
        let long = attributes(&json!({"00411000": {"vr": "UT", "Value": ["x".repeat(9_000)]}}));
        workitem.update(None, long, NOON)
    };
    store.change_workitem(&hospital("kiku"), &uid("1.1"), NOON, grow).await.unwrap().unwrap().unwrap();
    assert!(!may_grow(4_000).await);
    store.cancels("1.1", None, NOON).await.outcome.unwrap();
    store.purges_workitems(NOON + MONTH).await;
    assert!(may_grow(4_000).await);
    assert_eq!(put("1.7", Some(two)).await, PutWorkitem::Created);
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_also_for_workitems() {
    let (_dir, store) = store().await;
    store.puts(&some("1.0")).await;
    let mut writer = store.0.writer.acquire().await.unwrap();
    let pages: i64 = sqlx::query("PRAGMA page_count").fetch_one(&mut *writer).await.unwrap().get(0);
    let leave = |pages: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(leave(pages + 1)).execute(&mut *writer).await.unwrap();
    drop(writer);
    let mut put = Ok(PutWorkitem::Created);
    for number in 1..200 {
        put = store.create_workitem(&hospital("kiku"), &some(&format!("1.{number}")), Some(MUCH), NOON).await;
        if put.is_err() {
            break;
        }
    }
    assert!(matches!(put, Err(StoreError::NoSpace)), "{put:?}");
    let mut writer = store.0.writer.acquire().await.unwrap();
    sqlx::query(leave(pages + 10_000)).execute(&mut *writer).await.unwrap();
    drop(writer);
    assert_eq!(store.puts(&some("1.300")).await, PutWorkitem::Created);
}

/// What a search finds, and how SQLite goes about it.
async fn finds(store: &Store, parameters: &[(&str, &str)]) -> (Vec<String>, String) {
    let (query, warnings) = Query::from_parameters(Level::Workitem, parameters.iter().copied()).unwrap();
    assert!(warnings.is_empty());
    let narrow = WorkitemNarrow::of(&query);
    let bounds = WorkitemBounds { most: 1_000, kept: 1 << 30, looked_at: 1 << 30 };
    let matches = |workitem: &Workitem| query.matches(&workitem.view());
    let found = store.find_workitems(&hospital("kiku"), &narrow, bounds, matches).await.unwrap();
    let plan = store.workitem_plan(&hospital("kiku"), &narrow).await;
    (found.workitems.iter().map(|workitem| workitem.uid().to_string()).collect(), plan)
}

#[tokio::test]
async fn each_key_finds_by_the_index_what_it_would_find_by_looking_at_all() {
    let (_dir, store) = store().await;
    store.puts(&work("1.1", "P1", "1.9.1", "AI-1", "20261122120000+0900")).await;
    store.puts(&work("1.2", "P2", "1.9.1", "AI-2", "20261123")).await;
    store.puts(&work("1.3", " P1", "1.9.2", "AI-1", "202612")).await;
    store.create_workitem(&hospital("ran"), &some("1.4"), Some(MUCH), NOON).await.unwrap();
    store.takes("1.2", &uid("2.25.1"), NOON).await;
    let (patient, start) = ("PatientID", "ScheduledProcedureStepStartDateTime");
    let (station, study) = ("ScheduledStationNameCodeSequence.CodeValue", "InputInformationSequence.StudyInstanceUID");
    for (parameters, expected) in [
        (vec![(patient, "P1")], vec!["1.1", "1.3"]),
        (vec![(patient, "p1")], vec![]),
        (vec![(patient, "P*")], vec!["1.1", "1.2", "1.3"]),
        (vec![(study, "1.9.1")], vec!["1.1", "1.2"]),
        (vec![(study, "1.9.2,1.9.1")], vec!["1.1", "1.2", "1.3"]),
        (vec![(station, "AI-1")], vec!["1.1", "1.3"]),
        (vec![(station, "AI-1"), (patient, "P1"), (study, "1.9.2")], vec!["1.3"]),
        (vec![(start, "20261123-")], vec!["1.2", "1.3"]),
        (vec![(start, "20261121235959+0000-20261122040000+0000")], vec!["1.1"]),
        (vec![(start, "-20261122")], vec!["1.1"]),
        (vec![("ProcedureStepState", "IN PROGRESS"), (station, "AI-2")], vec!["1.2"]),
        (vec![("ProcedureStepState", "SCHEDULED")], vec!["1.1", "1.3"]),
        (vec![("SOPInstanceUID", "1.3,1.1")], vec!["1.1", "1.3"]),
    ] {
        let (found, plan) = finds(&store, &parameters).await;
        assert_eq!(found, expected, "{parameters:?}");
        let is_scan = plan.lines().any(|step| step.contains("SCAN") && !step.contains("narrowed"));
        assert!(!is_scan, "{parameters:?}: {plan}");
        let is_wild = parameters.iter().any(|(_, value)| value.contains('*'));
        assert!(
            is_wild
                || parameters[0].0.ends_with('D') && parameters[0].0 != patient
                || plan.contains("workitem_keys")
                || plan.contains("by_state"),
            "{parameters:?}: {plan}"
        );
    }
    // A workitem that is moved to another station is found there.
    let moved = |workitem: &mut Workitem| {
        let station = some("1.5").attributes().get(medvan_imaging::Tag(0x0040, 0x4025)).unwrap().clone();
        let mut changes = Attributes::new();
        changes.put(medvan_imaging::Tag(0x0040, 0x4025), station);
        workitem.update(Some(&uid("2.25.1")), changes, NOON)
    };
    store.change_workitem(&hospital("kiku"), &uid("1.2"), NOON, moved).await.unwrap().unwrap().unwrap();
    assert_eq!(finds(&store, &[(station, "AI-1")]).await.0, ["1.1", "1.2", "1.3"]);
    assert!(finds(&store, &[(station, "AI-2")]).await.0.is_empty());
}

#[tokio::test]
async fn what_is_performed_is_canceled_by_whom_it_concerns() {
    let (_dir, store) = store().await;
    store.puts(&some("1.1")).await;
    store.takes("1.1", &uid("2.25.1"), NOON).await;
    let outcome = async |number| store.cancels(number, None, NOON).await.outcome;
    assert_eq!(outcome("1.1").await, Err(Fault::Unreachable));
    store.subscribes("1.1", "CALLER", false).await;
    assert_eq!(outcome("1.1").await, Err(Fault::Unreachable), "who asks would hear of it, and nobody else");
    store.subscribes("1.1", "AI", false).await;
    outcome("1.1").await.unwrap();
    let notices = store.workitem_notices(&hospital("kiku"), &AeTitle::parse("AI").unwrap(), 9).await.unwrap();
    assert_eq!(notices.iter().map(|notice| notice.event.kind).collect::<Vec<_>>(), [1, 2]);
    let workitem = store.workitem(&hospital("kiku"), &uid("1.1")).await.unwrap().unwrap();
    assert_eq!(workitem.state(), State::InProgress);
}

/// A job whose workitem is in progress under this lock.
async fn job_in_progress(store: &Store, study: &str, lock: &Uid) -> Job {
    let job = Job::sample("kiku", study, NOON);
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(job.id.as_bytes());
    store.put_job(&NewJob { job, digest }, NOON, |_, _| Ok(())).await.unwrap().unwrap();
    let job = store
        .claim_jobs(
            NOON,
            NOON + Duration::seconds(30),
            Places { most: 1, of_vendor: u32::MAX, of_service: |_: &ServiceName| 100 },
        )
        .await
        .unwrap()
        .remove(0);
    let workitem = some(job.workitem().as_str());
    store.create_workitem(&job.hospital, &workitem, None, NOON).await.unwrap();
    store.takes(job.workitem().as_str(), lock, NOON).await;
    job
}

#[tokio::test]
async fn a_job_that_the_gateway_performs_is_canceled_with_its_workitem_until_it_is_answered() {
    let (_dir, store) = store().await;
    let lock = uid("2.25.42");
    let state = async |job: &Job| store.job(&job.hospital, job.id).await.unwrap().unwrap().state;
    let step = async |job: &Job| store.workitem(&job.hospital, &job.workitem()).await.unwrap().unwrap();

    let job = job_in_progress(&store, "1.2.1", &lock).await;
    let canceled = store.cancels(job.workitem().as_str(), Some(lock.clone()), NOON).await;
    assert_eq!(canceled.job.map(|job| job.id), Some(job.id));
    canceled.outcome.unwrap();
    assert_eq!((state(&job).await, step(&job).await.state()), (JobState::Canceled, State::Canceled));
    assert!(serde_json::to_string(step(&job).await.attributes()).unwrap().contains("wrong order"));
    // Its service, which was asked already, answers to nobody.
    let answer = Answer { findings: "{}".to_owned(), objects: Vec::new(), kept_back: None };
    store.answer_job(&job, &answer, NOON).await.unwrap();
    assert_eq!((state(&job).await, count(&store, "analyses").await), (JobState::Canceled, 0));

    let job = job_in_progress(&store, "1.2.2", &lock).await;
    store.answer_job(&job, &answer, NOON).await.unwrap();
    let canceled = store.cancels(job.workitem().as_str(), Some(lock.clone()), NOON).await;
    assert_eq!(canceled.outcome, Err(Fault::Unwilling));
    assert_eq!((state(&job).await, step(&job).await.state()), (JobState::Answered, State::InProgress));

    // Somebody else took it from the worklist of its service.
    let job = job_in_progress(&store, "1.2.3", &uid("2.25.43")).await;
    store.subscribes(job.workitem().as_str(), "WATCHER", false).await;
    let canceled = store.cancels(job.workitem().as_str(), Some(lock), NOON).await;
    assert_eq!(canceled.outcome, Err(Fault::Unreachable));
    assert_eq!(state(&job).await, JobState::Running);
}

#[tokio::test]
async fn the_workitem_of_a_job_that_goes_on_stays() {
    let (_dir, store) = store().await;
    let lock = uid("2.25.42");
    let job = job_in_progress(&store, "1.2.1", &lock).await;
    let end = |workitem: &mut Workitem| workitem.grant_cancel(&Attributes::new(), NOON);
    store.change_workitem(&job.hospital, &job.workitem(), NOON, end).await.unwrap().unwrap().unwrap();
    store.purges_workitems(NOON + MONTH).await;
    assert!(store.has(job.workitem().as_str()).await);
    store.settle_job(&job, JobState::Dead, NOON, None, NOON).await.unwrap();
    store.purges_workitems(NOON + MONTH).await;
    assert!(!store.has(job.workitem().as_str()).await);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_keeps_nobody_from_the_next() {
    let (_dir, store) = store().await;
    store.puts(&some("1.1")).await;
    store.subscribes("1.1", "AI", false).await;
    sqlx::query("UPDATE workitem_events SET attributes = '{'").execute(&store.0.writer).await.unwrap();
    store.takes("1.1", &uid("2.25.1"), NOON).await;
    let title = AeTitle::parse("AI").unwrap();
    let notices = store.workitem_notices(&hospital("kiku"), &title, 1).await.unwrap();
    assert!(notices.is_empty(), "it is passed over");
    let notices = store.workitem_notices(&hospital("kiku"), &title, 1).await.unwrap();
    assert_eq!(notices.len(), 1);
}
