use medvan_imaging::Uid;
use time::Duration;

use super::*;

fn study(number: u32) -> Uid {
    format!("1.2.{number}").parse().unwrap()
}

/// Work of the one service on a study of a hospital.
pub(super) fn work(of: &str, number: u32) -> NewJob {
    let job = Job::sample(of, study(number).as_str(), NOON);
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(job.id.as_bytes());
    NewJob { job, digest }
}

pub(super) async fn put(store: &Store, new: &NewJob) -> Vec<Uuid> {
    store.put_job(new, NOON, |_, _| Ok(())).await.unwrap().unwrap().into_iter().map(|job| job.id).collect()
}

/// Takes so many jobs of one service for half a minute.
pub(super) async fn claims(store: &Store, now: OffsetDateTime, most: u32) -> Vec<Job> {
    store
        .claim_jobs(
            now,
            now + Duration::seconds(30),
            Places { most, of_vendor: u32::MAX, of_service: |_: &ServiceName| 100 },
        )
        .await
        .unwrap()
}

pub(super) async fn state(store: &Store, job: &Job) -> (JobState, u64) {
    let job = store.job(&job.hospital, job.id).await.unwrap().unwrap();
    (job.state, job.attempts)
}

/// The study as it is in the index.
pub(super) async fn indexed(store: &Store, of: &str, number: u32, patient: &str) {
    sqlx::query(
        "INSERT OR REPLACE INTO studies (hospital, uid, patient_id, accession, study_id, date, modalities, series, instances, \
         changed_at, attributes) VALUES ($1, $2, $3, '', '', '20261122', 'CT', 1, 1, 0, '{}')",
    )
    .bind(of)
    .bind(study(number).as_str())
    .bind(patient)
    .execute(&store.0.writer)
    .await
    .unwrap();
}

#[tokio::test]
async fn work_that_nobody_took_yet_gives_way_to_work_on_more_images() {
    let (_dir, store) = store().await;
    let (first, second, other) = (work("kiku", 1), work("kiku", 1), work("kiku", 2));
    assert!(put(&store, &first).await.is_empty());
    assert!(put(&store, &other).await.is_empty());
    assert_eq!(put(&store, &second).await, [first.job.id], "it is named, so that its workitem is canceled");
    assert_eq!(state(&store, &first.job).await.0, JobState::Superseded);
    assert!(store.put_job(&second, NOON, |_, _| Ok(())).await.unwrap().is_none(), "the very same work is put in once");
    assert_eq!(claims(&store, NOON, 10).await.len(), 2);
}

#[tokio::test]
async fn a_hospital_with_a_thousand_studies_lets_others_pass() {
    let (_dir, store) = store().await;
    for number in 0..20 {
        put(&store, &work("kiku", number)).await;
    }
    put(&store, &work("ran", 1)).await;
    put(&store, &work("ran", 2)).await;
    let whose = |jobs: Vec<Job>| jobs.into_iter().filter(|job| job.hospital.as_str() == "ran").count();
    assert_eq!(whose(claims(&store, NOON, 2).await), 1, "one of each");
    assert_eq!(whose(claims(&store, NOON, 2).await), 1, "and again");
    assert_eq!(claims(&store, NOON, 4).await.len(), 4, "where others have nothing, all places are its own");
}

#[tokio::test]
async fn a_vendor_with_a_hundred_jobs_that_hang_leaves_places_to_others() {
    let (_dir, store) = store().await;
    let of = |vendor: &str, service: u32, number| {
        let mut new = work("kiku", number);
        new.job.service = format!("{vendor}.s{service}").parse().unwrap();
        new
    };
    for number in 0..9 {
        put(&store, &of("asagao", number, number)).await;
    }
    let claim = async |most, of_vendor| {
        let places = Places { most, of_vendor, of_service: |_: &ServiceName| 8 };
        store.claim_jobs(NOON, NOON + Duration::seconds(30), places).await.unwrap().len()
    };
    assert_eq!((claim(64, 4).await, claim(64, 4).await), (4, 0));
    put(&store, &of("botan", 1, 100)).await;
    assert_eq!(claim(64, 4).await, 1);
}

#[tokio::test]
async fn an_earlier_run_has_no_say_in_a_later_one_that_was_tried_as_often() {
    let (_dir, store) = store().await;
    put(&store, &work("kiku", 1)).await;
    let earlier = claims(&store, NOON, 1).await.remove(0);
    store.settle_job(&earlier, JobState::Dead, NOON, None, NOON).await.unwrap();
    store.run_job_again(&earlier.hospital, earlier.id, Uuid::now_v7(), NOON).await.unwrap();
    let later = claims(&store, NOON, 1).await.remove(0);
    assert_eq!((earlier.id, earlier.attempts), (later.id, later.attempts));
    assert!(!store.hold_job(&earlier, NOON).await.unwrap());
    store.settle_job(&earlier, JobState::Done, NOON, None, NOON).await.unwrap();
    store.give_job_back(&earlier, NOON).await.unwrap();
    store.offer_job(&earlier, NOON, NOON).await.unwrap();
    store.answer_job(&earlier, &nothing_found(), NOON).await.unwrap();
    assert!(store.hold_job(&later, NOON).await.unwrap());
    assert_eq!(state(&store, &later).await, (JobState::Running, 1));
}

#[tokio::test]
async fn what_is_given_back_was_not_tried_and_what_is_lost_was() {
    let (_dir, store) = store().await;
    put(&store, &work("kiku", 1)).await;
    let taken = claims(&store, NOON, 1).await.remove(0);
    assert_eq!(state(&store, &taken).await, (JobState::Running, 1));
    store.give_job_back(&taken, NOON).await.unwrap();
    assert_eq!(state(&store, &taken).await, (JobState::Waiting, 0));

    let lost = claims(&store, NOON, 1).await.remove(0);
    assert!(claims(&store, NOON + Duration::seconds(29), 1).await.is_empty(), "its lease runs");
    let again = claims(&store, NOON + Duration::seconds(30), 1).await.remove(0);
    assert_eq!(
        (again.id, again.attempts, again.deaths),
        (lost.id, 1, 1),
        "that it was lost says nothing of its service"
    );
    store.settle_job(&lost, JobState::Done, NOON, None, NOON).await.unwrap();
    assert_eq!(state(&store, &again).await, (JobState::Running, 1), "who lost it has no say");
}

/// What came for a try that a stopping process gave back is not taken for the next one's.
#[tokio::test]
async fn no_two_claims_of_a_job_are_the_same_whatever_became_of_the_first() {
    let (_dir, store) = store().await;
    put(&store, &work("kiku", 1)).await;
    let first = claims(&store, NOON, 1).await.remove(0);
    store.give_job_back(&first, NOON).await.unwrap();
    let second = claims(&store, NOON, 1).await.remove(0);
    assert_eq!((first.run, first.attempts), (second.run, second.attempts), "it is the first try again");
    store.offer_job(&second, NOON, NOON).await.unwrap();
    let third = claims(&store, NOON, 1).await.remove(0);
    assert_eq!([first.claim, second.claim, third.claim], [1, 2, 3]);
    for earlier in [first, second] {
        assert!(!store.hold_job(&earlier, NOON).await.unwrap());
        assert!(store.close_received(&earlier, NOON).await.unwrap().is_none());
    }
    assert!(store.hold_job(&third, NOON).await.unwrap());
}

#[tokio::test]
async fn the_most_urgent_that_is_due_goes_first_of_all_services() {
    let (_dir, store) = store().await;
    // Service, priority, minutes from noon on.
    let table = [("a", 3, -9), ("a", 1, 5), ("b", 2, -1), ("c", 1, -1), ("c", 3, -20), ("d", 1, 60), ("e", 2, -2)];
    for (number, (service, priority, minutes)) in table.into_iter().enumerate() {
        let mut new = work("kiku", u32::try_from(number).unwrap());
        new.job.service = format!("asagao.{service}").parse().unwrap();
        new.job.priority = priority;
        let due = NOON + Duration::minutes(minutes);
        store.put_job(&new, due, |_, _| Ok(())).await.unwrap();
    }
    let mut order = Vec::new();
    while let Some(job) = claims(&store, NOON, 1).await.pop() {
        order.push((job.service.service.as_str().to_owned(), job.priority));
        store.settle_job(&job, JobState::Done, NOON, None, NOON).await.unwrap();
    }
    let order: Vec<_> = order.iter().map(|(service, priority)| (service.as_str(), *priority)).collect();
    assert_eq!(order, [("c", 1), ("e", 2), ("b", 2), ("c", 3), ("a", 3)]);
}

#[tokio::test]
async fn a_job_that_is_given_up_and_its_workitem_end_together() {
    let (_dir, store) = store().await;
    put(&store, &work("kiku", 1)).await;
    let lost = claims(&store, NOON, 1).await.remove(0);
    let later = NOON + Duration::minutes(1);
    let job = claims(&store, later, 1).await.remove(0);
    let cancel = |_: &mut medvan_imaging::ups::Workitem| unreachable!("there is no workitem yet");
    assert!(!store.end_job(&lost, JobState::Dead, "too late", later, cancel).await.unwrap());
    assert_eq!(state(&store, &job).await.0, JobState::Running, "who lost it has no say");
    assert!(store.end_job(&job, JobState::Dead, "it does not answer", later, cancel).await.unwrap());
    assert_eq!(state(&store, &job).await.0, JobState::Dead);
}

#[tokio::test]
async fn results_that_were_taken_by_who_died_before_their_answer_was_kept_may_come_again() {
    let (_dir, store) = store().await;
    put(&store, &work("kiku", 1)).await;
    let lost = claims(&store, NOON, 1).await.remove(0);
    assert!(store.close_received(&lost, NOON).await.unwrap().is_some());
    assert_eq!(state(&store, &lost).await.0, JobState::Answered);
    let later = NOON + Duration::seconds(30);
    let again = claims(&store, later, 1).await.remove(0);
    assert_eq!(again.state, JobState::Running);
    store.answer_job(&again, &nothing_found(), later).await.unwrap();
    let after = claims(&store, later + Duration::seconds(30), 1).await.remove(0);
    assert_eq!(after.state, JobState::Answered, "what is kept is not asked for again");
}

#[tokio::test]
async fn a_job_runs_again_under_a_new_name_of_its_run() {
    let (_dir, store) = store().await;
    let new = work("kiku", 1);
    put(&store, &new).await;
    let run = Uuid::now_v7();
    let again = async || store.run_job_again(&new.job.hospital, new.job.id, run, NOON).await.unwrap();
    assert!(!again().await, "it waits");
    let taken = claims(&store, NOON, 1).await.remove(0);
    store.settle_job(&taken, JobState::Dead, NOON, Some("it does not answer"), NOON).await.unwrap();
    assert!(again().await);
    let waiting = claims(&store, NOON, 1).await.remove(0);
    assert_eq!((waiting.id, waiting.run, waiting.attempts), (new.job.id, run, 1));
    assert_ne!(waiting.workitem(), new.job.workitem());
}

#[tokio::test]
async fn the_later_work_counts_in_whichever_order_both_end() {
    for later_first in [false, true] {
        let (_dir, store) = store().await;
        indexed(&store, "kiku", 1, "P1").await;
        let (earlier, later) = (work("kiku", 1), work("kiku", 1));
        put(&store, &earlier).await;
        let earlier_job = claims(&store, NOON, 1).await.remove(0);
        put(&store, &later).await;
        let later_job = claims(&store, NOON, 1).await.remove(0);
        let order = if later_first { [&later_job, &earlier_job] } else { [&earlier_job, &later_job] };
        for job in order {
            store.answer_job(job, &nothing_found(), NOON).await.unwrap();
            store.publish_analysis(job, &[], &CardText::default()).await.unwrap();
        }
        let by =
            async |new: &NewJob| store.analysis(&new.job.hospital, new.job.id).await.unwrap().unwrap().superseded_by;
        assert_eq!((by(&earlier).await, by(&later).await), (Some(later.job.id), None), "later first: {later_first}");
    }
}

#[tokio::test]
async fn a_finding_is_of_the_patient_to_whom_the_study_was_corrected() {
    let (_dir, store) = store().await;
    indexed(&store, "kiku", 1, "P1").await;
    let new = work("kiku", 1);
    put(&store, &new).await;
    let job = claims(&store, NOON, 1).await.remove(0);
    store.answer_job(&job, &nothing_found(), NOON).await.unwrap();
    store.publish_analysis(&job, &[], &CardText::default()).await.unwrap();
    indexed(&store, "kiku", 1, "P2").await;
    let of = async |patient: &str| {
        let narrow = PublishedNarrow { patient_id: Some(patient.to_owned()), ..PublishedNarrow::default() };
        store.published_analyses(&hospital("kiku"), &narrow, None, 10).await.unwrap().len()
    };
    assert_eq!((of("P1").await, of("P2").await), (0, 1));
}

#[tokio::test]
async fn what_came_to_nothing_goes_with_its_record_and_what_was_found_stays() {
    let (_dir, store) = store().await;
    let (dead, done) = (work("kiku", 1), work("kiku", 2));
    for (new, end) in [(&dead, JobState::Dead), (&done, JobState::Done)] {
        put(&store, new).await;
        let taken = claims(&store, NOON, 1).await.remove(0);
        store.settle_job(&taken, end, NOON, None, NOON).await.unwrap();
    }
    let later = datetime!(2999-01-01 0:00 UTC);
    let kept = Retention { exchanges: Some(Duration::days(30)), ..Retention::default() };
    store.purge(later, kept).await.unwrap();
    let left = async |new: &NewJob| store.job(&new.job.hospital, new.job.id).await.unwrap().is_some();
    assert_eq!((left(&dead).await, left(&done).await), (false, true));
}

#[tokio::test]
async fn a_job_that_is_not_done_at_its_deadline_is_told_once() {
    let (_dir, store) = store().await;
    put(&store, &work("kiku", 1)).await;
    let deadline = NOON + Duration::hours(1);
    let depth = async |at| store.jobs_depth(at).await.unwrap();
    assert_eq!(depth(deadline).await, JobsDepth { waiting: 1, running: 0, overdue: 0 });
    assert_eq!(depth(deadline + Duration::seconds(1)).await.overdue, 1);
    let told = async |from, to| {
        let seconds = Duration::seconds;
        store.jobs_overdue(deadline + seconds(from), deadline + seconds(to)).await.unwrap()
    };
    assert!(told(-10, 0).await.is_empty());
    assert_eq!(told(0, 10).await, [(news2(), 1)]);
    assert!(told(10, 20).await.is_empty());
    let taken = claims(&store, NOON, 1).await.remove(0);
    store.settle_job(&taken, JobState::Done, NOON, None, NOON).await.unwrap();
    assert!(told(0, 10).await.is_empty());
}

fn nothing_found() -> Answer {
    Answer { findings: "{}".to_owned(), objects: Vec::new(), kept_back: None }
}

#[tokio::test]
async fn a_job_keeps_what_it_is_compared_with() {
    let (_dir, store) = store().await;
    let mut with = work("kiku", 1);
    let series = vec![JobSeries { uid: "1.7.1".parse().unwrap(), instances: vec!["1.7.1.1".parse().unwrap()] }];
    with.job.prior = Some(JobPrior { study: study(7), series });
    put(&store, &with).await;
    put(&store, &work("kiku", 2)).await;
    let claimed = claims(&store, NOON, 10).await;
    let priors: Vec<_> = claimed.iter().map(|job| (job.study.clone(), job.prior.clone(), job.images())).collect();
    assert_eq!(priors, [(study(1), with.job.prior.clone(), 2), (study(2), None, 1)]);
}

#[tokio::test]
async fn people_find_jobs_by_state_service_study_and_deadline() {
    let (_dir, store) = store().await;
    let mut all = Vec::new();
    for number in 1..=4 {
        let mut new = work("kiku", number);
        if number == 4 {
            new.job.service = "botan.box".parse().unwrap();
        }
        put(&store, &new).await;
        all.push(new.job);
    }
    put(&store, &work("ran", 1)).await;
    let dead = claims(&store, NOON, 1).await.remove(0);
    store.settle_job(&dead, JobState::Dead, NOON, Some("no answer"), NOON).await.unwrap();
    let kiku = dead.hospital.clone();
    assert_eq!(kiku.as_str(), "kiku");
    let others: Vec<Uuid> = all.iter().map(|job| job.id).filter(|id| *id != dead.id).collect();
    let finds = async |filter: JobFilter, after: &str, limit| {
        let jobs = store.jobs(&kiku, &filter, Page { after, limit }).await.unwrap();
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let of = |states: &[JobState]| JobFilter { states: states.to_vec(), ..JobFilter::default() };
    assert_eq!(finds(JobFilter::default(), "", 9).await, all.iter().map(|job| job.id).collect::<Vec<_>>());
    assert_eq!(finds(of(&[JobState::Dead, JobState::Canceled]), "", 9).await, [dead.id]);
    assert_eq!(finds(of(&[JobState::Waiting]), "", 9).await, others);
    assert_eq!(finds(of(&[JobState::Waiting, JobState::Dead]), "", 9).await.len(), 4);
    assert!(finds(of(&[JobState::Done]), "", 9).await.is_empty());
    let botan = JobFilter { service: Some("botan.box".parse().unwrap()), ..JobFilter::default() };
    assert_eq!(finds(botan, "", 9).await, [all[3].id]);
    assert_eq!(finds(JobFilter { study: Some(study(2)), ..JobFilter::default() }, "", 9).await, [all[1].id]);
    let overdue = |at| JobFilter { overdue_at: Some(at), ..JobFilter::default() };
    assert!(finds(overdue(NOON + Duration::minutes(59)), "", 9).await.is_empty());
    assert_eq!(
        finds(overdue(NOON + Duration::minutes(61)), "", 9).await,
        others,
        "what was given up is overdue no more"
    );
    let newest = || JobFilter { is_newest_first: true, ..JobFilter::default() };
    assert_eq!(finds(newest(), "", 2).await, [all[3].id, all[2].id]);
    assert_eq!(finds(newest(), &all[2].id.to_string(), 9).await, [all[1].id, all[0].id]);
    let counted = store.jobs_in_states(&kiku, NOON + Duration::minutes(61)).await.unwrap();
    let counted: Vec<_> = counted.into_iter().map(|found| (found.state, found.jobs, found.overdue)).collect();
    assert_eq!(counted, [(JobState::Dead, 1, 0), (JobState::Waiting, 3, 3)]);
}
