//! Jobs on the worklist of their service, and results that come by themselves.

use medvan_imaging::{
    attributes::Attributes,
    ups::{self, Workitem},
};
use time::Duration;

use super::{
    jobs::{claims, indexed, put, state, work},
    *,
};

fn object(number: u32, bytes: usize) -> ReceivedObject {
    let uid = |rest: String| format!("1.2.3.{rest}").parse().unwrap();
    let class = "1.2.840.10008.5.1.4.1.1.88.34".parse().unwrap();
    let reference = EvidenceObject { series: uid("9".to_owned()), instance: uid(format!("9.{number}")), class };
    ReceivedObject { reference, bytes: vec![7; bytes] }
}

/// A job whose workitem stands on the worklist until an hour after noon.
async fn offered(store: &Store) -> Job {
    offered_with(store, 1, 3).await
}

/// The same for a study and a priority.
async fn offered_with(store: &Store, number: u32, priority: u8) -> Job {
    let mut new = work("kiku", number);
    new.job.priority = priority;
    put(store, &new).await;
    let mut given = Attributes::new();
    for (tag, text) in [((0x0074, 0x1000), "SCHEDULED"), ((0x0074, 0x1200), "MEDIUM"), ((0x0040, 0x4041), "READY")] {
        given.put_text(tag.into(), text);
    }
    for (tag, text) in [((0x0074, 0x1204), "AI"), ((0x0040, 0x4005), "20261123120000+0000")] {
        given.put_text(tag.into(), text);
    }
    let created = Workitem::create(new.job.workitem(), given, "AI", NOON).unwrap();
    let put = store.create_workitem(&new.job.hospital, &created.workitem, None, NOON).await.unwrap();
    assert_eq!(put, PutWorkitem::Created);
    let taken = claims(store, NOON, 1).await.remove(0);
    store.offer_job(&taken, NOON + Duration::hours(1), NOON).await.unwrap();
    taken
}

async fn becomes(store: &Store, job: &Job, to: ups::State) {
    let lock = "2.25.4711".parse().unwrap();
    let change = |workitem: &mut Workitem| workitem.change_state(to, Some(&lock), NOON);
    store.change_workitem(&job.hospital, &job.workitem(), NOON, change).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn what_is_offered_waits_for_its_performer_and_not_for_a_process() {
    let (_dir, store) = store().await;
    let job = offered(&store).await;
    assert_eq!(state(&store, &job).await, (JobState::Offered, 0), "the try is not counted");
    assert!(claims(&store, NOON + Duration::minutes(59), 9).await.is_empty());
    becomes(&store, &job, ups::State::InProgress).await;
    assert_eq!(state(&store, &job).await.0, JobState::Taken);
    let over = claims(&store, NOON + Duration::hours(1), 1).await.remove(0);
    assert_eq!((over.id, over.state, over.attempts), (job.id, JobState::Running, 1));
    assert_eq!(over.offered_until, Some(NOON + Duration::hours(1)));
}

#[tokio::test]
async fn what_was_ended_is_looked_at_at_once() {
    let (_dir, store) = store().await;
    let job = offered(&store).await;
    let cancel = |workitem: &mut Workitem| {
        workitem.request_cancel("the ward", &Attributes::new(), "2.25.4712".parse().unwrap(), NOON)
    };
    store.change_workitem(&job.hospital, &job.workitem(), NOON, cancel).await.unwrap().unwrap().unwrap();
    assert_eq!(claims(&store, NOON, 9).await.len(), 1);
}

#[tokio::test]
async fn an_offer_takes_no_place_of_those_who_are_worked_on() {
    let (_dir, store) = store().await;
    offered(&store).await;
    put(&store, &work("kiku", 2)).await;
    let one_at_once = store
        .claim_jobs(
            NOON,
            NOON + Duration::seconds(30),
            Places { most: 9, of_vendor: u32::MAX, of_service: |_: &ServiceName| 1 },
        )
        .await
        .unwrap();
    assert_eq!(one_at_once.len(), 1, "the offered one does not count");
}

#[tokio::test]
async fn results_are_taken_while_the_job_is_open_within_its_bytes_and_the_last_of_a_name() {
    let (_dir, store) = store().await;
    indexed(&store, "kiku", 1, "P1").await;
    let new = work("kiku", 1);
    put(&store, &new).await;
    let receives = async |job: &Job, object| {
        store.receive(job, &object, ReceivedBounds { objects: 2, bytes: 100 }, NOON).await.unwrap()
    };
    assert_eq!(receives(&new.job, object(1, 10)).await, Receipt::TooLate, "nobody asked yet");
    let job = claims(&store, NOON, 1).await.remove(0);
    assert_eq!(receives(&job, object(1, 60)).await, Receipt::Kept);
    assert_eq!(receives(&job, object(2, 41)).await, Receipt::TooLarge);
    assert_eq!(receives(&job, object(1, 100)).await, Receipt::Kept, "it takes the place of the one before");
    assert_eq!(receives(&job, object(2, 0)).await, Receipt::Kept);
    assert_eq!(receives(&job, object(3, 0)).await, Receipt::TooMany);
    let another_try = Job { claim: 2, ..job.clone() };
    assert_eq!(receives(&another_try, object(1, 1)).await, Receipt::TooLate);
    let another_run = Job { run: uuid::Uuid::now_v7(), ..job.clone() };
    assert_eq!(receives(&another_run, object(3, 1)).await, Receipt::TooLate);
    let kept = store.received(job.id).await.unwrap();
    assert_eq!(kept.iter().map(|object| object.bytes.len()).collect::<Vec<_>>(), [100, 0]);

    // The answer is what holds, and nothing comes after it.
    let answer = Answer { findings: "{}".to_owned(), objects: vec![object(5, 50)], kept_back: None };
    store.answer_job(&job, &answer, NOON).await.unwrap();
    assert_eq!(receives(&job, object(6, 1)).await, Receipt::TooLate);
    let kept = store.received(job.id).await.unwrap();
    assert_eq!(kept.iter().map(|object| object.bytes.len()).collect::<Vec<_>>(), [50]);
    // It goes with the job when that is done, not when it is given up: then it may be run again.
    store.settle_job(&job, JobState::Dead, NOON, None, NOON).await.unwrap();
    assert_eq!(store.received(job.id).await.unwrap().len(), 1);
    store.run_job_again(&job.hospital, job.id, uuid::Uuid::now_v7(), NOON).await.unwrap();
    let again = claims(&store, NOON, 1).await.remove(0);
    store.settle_job(&again, JobState::Done, NOON, None, NOON).await.unwrap();
    assert!(store.received(job.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_acknowledged_is_part_of_the_answer_or_refused() {
    let (_dir, store) = store().await;
    put(&store, &work("kiku", 1)).await;
    let job = claims(&store, NOON, 1).await.remove(0);
    let most = ReceivedBounds { objects: 9, bytes: 100 };
    assert_eq!(store.receive(&job, &object(1, 1), most, NOON).await.unwrap(), Receipt::Kept);
    let answer = store.close_received(&job, NOON).await.unwrap().unwrap();
    assert_eq!(answer.len(), 1);
    assert_eq!(store.receive(&job, &object(2, 1), most, NOON).await.unwrap(), Receipt::TooLate);
    // What was answered does not hold: its service is asked again.
    store.forget_received(&job).await.unwrap();
    store.settle_job(&job, JobState::Waiting, NOON, None, NOON).await.unwrap();
    let again = claims(&store, NOON, 1).await.remove(0);
    assert_eq!(store.receive(&again, &object(2, 1), most, NOON).await.unwrap(), Receipt::Kept);
    assert!(store.close_received(&job, NOON).await.unwrap().is_none(), "the earlier try has no say any more");
}

/// In one transaction: nobody sees a workitem that goes on without its job.
#[tokio::test]
async fn the_workitem_of_a_job_that_is_given_up_says_why() {
    let (_dir, store) = store().await;
    offered(&store).await;
    let over = claims(&store, NOON + Duration::hours(1), 1).await.remove(0);
    let cancel = |workitem: &mut Workitem| {
        workitem.request_cancel("MEDVAN", &Attributes::new(), "2.25.4712".parse().unwrap(), NOON).map(|_| ())
    };
    assert!(store.end_job(&over, JobState::Dead, "nobody took it", NOON, cancel).await.unwrap());
    let workitem = store.workitem(&over.hospital, &over.workitem()).await.unwrap().unwrap();
    assert_eq!((state(&store, &over).await.0, workitem.state()), (JobState::Dead, ups::State::Canceled));
}

#[tokio::test]
async fn who_took_the_workitem_while_it_was_offered_has_the_job() {
    let (_dir, store) = store().await;
    let job = offered(&store).await;
    let over = claims(&store, NOON + Duration::hours(1), 1).await.remove(0);
    becomes(&store, &job, ups::State::InProgress).await;
    store.offer_job(&over, NOON + Duration::hours(2), NOON).await.unwrap();
    assert_eq!(state(&store, &job).await.0, JobState::Taken);
}

#[tokio::test]
async fn a_vendor_changes_a_workitem_only_while_the_job_is_theirs() {
    let (_dir, store) = store().await;
    let job = offered(&store).await;
    let lock: medvan_imaging::Uid = "2.25.4711".parse().unwrap();
    let takes = async || {
        let change = |workitem: &mut Workitem| workitem.change_state(ups::State::InProgress, Some(&lock), NOON);
        store.change_workitem_at_vendor(&job, NOON, change).await.unwrap().unwrap()
    };
    let over = claims(&store, NOON + Duration::hours(1), 1).await.remove(0);
    assert_eq!(takes().await, Err(ups::Fault::Final), "a process looks at it");
    store.offer_job(&over, NOON + Duration::hours(2), NOON).await.unwrap();
    assert!(takes().await.is_ok());
    assert_eq!(state(&store, &job).await.0, JobState::Taken);
    assert_eq!(takes().await, Err(ups::Fault::AlreadyInProgress), "who asks again is told how it stands");
}

#[tokio::test]
async fn more_images_take_a_workitem_from_the_list_in_the_same_moment() {
    let (_dir, store) = store().await;
    let job = offered(&store).await;
    let cancel = |_: &Job, workitem: &mut Workitem| {
        let done = workitem.request_cancel("MEDVAN", &Attributes::new(), "2.25.1".parse().unwrap(), NOON);
        done.map(|_| ())
    };
    let superseded = store.put_job(&work("kiku", 1), NOON, cancel).await.unwrap().unwrap();
    assert_eq!(superseded.iter().map(|job| job.id).collect::<Vec<_>>(), [job.id]);
    let workitem = store.workitem(&job.hospital, &job.workitem()).await.unwrap().unwrap();
    assert_eq!((workitem.state(), state(&store, &job).await.0), (ups::State::Canceled, JobState::Superseded));
}

#[tokio::test]
async fn a_worklist_is_told_in_its_order_and_of_one_vendor() {
    let (_dir, store) = store().await;
    for (number, priority) in [(1, 3), (2, 1), (3, 3)] {
        offered_with(&store, number, priority).await;
    }
    let vendor = news2().vendor;
    let told = async |after| store.worklist(&vendor, after, 2).await.unwrap();
    let first = told((0, Uuid::nil())).await;
    let last = first.last().unwrap();
    let rest = told((last.priority, last.id)).await;
    let studies: Vec<_> = first.iter().chain(&rest).map(|job| job.study.to_string()).collect();
    assert_eq!(studies, ["1.2.2", "1.2.1", "1.2.3"]);
    assert!(store.worklist(&"botan".parse().unwrap(), (0, Uuid::nil()), 2).await.unwrap().is_empty());
}
