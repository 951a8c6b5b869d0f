//! Who hears of workitems: the rows of table CC.2.3-2 of PS3.4, asked for by PS3.18 §11.10 to §11.12.

use http::{Method, StatusCode};
use medvan::clock::Clock;
use medvan_imaging::AeTitle;
use serde_json::json;
use time::Duration;

use super::pacs::{Answer, Pacs};

const ALL: &str = "1.2.840.10008.5.1.4.34.5";
const FILTERED: &str = "1.2.840.10008.5.1.4.34.5.1";

impl Pacs {
    async fn subscribes(&self, to: &str, ae_title_and_query: &str) -> Answer {
        self.asks(Method::POST, &format!("/workitems/{to}/subscribers/{ae_title_and_query}")).await
    }

    async fn unsubscribes(&self, from: &str, ae_title: &str) -> Answer {
        self.asks(Method::DELETE, &format!("/workitems/{from}/subscribers/{ae_title}")).await
    }

    async fn suspends(&self, worklist: &str, ae_title: &str) -> Answer {
        self.asks(Method::POST, &format!("/workitems/{worklist}/subscribers/{ae_title}/suspend")).await
    }

    /// What somebody was not sent yet: workitem, kind of event and, if it says it, the state.
    async fn owes(&self, ae_title: &str) -> Vec<String> {
        let ae_title = AeTitle::parse(ae_title).unwrap();
        let notices = self.store().workitem_notices(&"kiku".parse().unwrap(), &ae_title, 1_000).await.unwrap();
        assert!(notices.is_sorted_by(|one, next| one.id < next.id));
        let told = notices.into_iter().map(|notice| {
            let told = serde_json::to_value(notice.event.data_set(&notice.workitem, 1)).unwrap();
            let state = told["00741000"]["Value"][0].as_str().unwrap_or("-").to_owned();
            format!("{} {} {state}", notice.workitem, notice.event.kind)
        });
        told.collect()
    }
}

#[tokio::test]
async fn whoever_is_subscribed_to_a_workitem_hears_how_it_is_and_what_becomes_of_it() {
    let pacs = Pacs::open().await;
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    pacs.wants_work("1.2.2").await.expect(StatusCode::CREATED);
    pacs.subscribes("1.2.1", "AI").await.expect(StatusCode::CREATED);
    // The same application entity: spaces around its title say nothing.
    pacs.subscribes("1.2.1", "%20AI%20?deletionlock=true").await.expect(StatusCode::CREATED);
    pacs.sets("1.2.1", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    pacs.sets("1.2.1", "IN PROGRESS", "2.25.2").await.expect(StatusCode::BAD_REQUEST);
    pacs.sets("1.2.2", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    let progress = json!({"00741002": {"vr": "SQ", "Value": [{"00741004": {"vr": "DS", "Value": [50]}}]}});
    pacs.says(Method::POST, "/workitems/1.2.1?transaction-uid=2.25.1", &progress).await.expect(StatusCode::OK);
    let heard = ["1.2.1 1 SCHEDULED", "1.2.1 1 SCHEDULED", "1.2.1 1 IN PROGRESS", "1.2.1 3 -"];
    assert_eq!(pacs.owes("AI").await, heard);

    pacs.unsubscribes("1.2.2", "AI").await.expect(StatusCode::NOT_FOUND);
    pacs.unsubscribes("1.2.1", "EHR").await.expect(StatusCode::NOT_FOUND);
    pacs.unsubscribes("1.2.1", "AI").await.expect(StatusCode::OK);
    pacs.unsubscribes("1.2.1", "AI").await.expect(StatusCode::NOT_FOUND);
    assert!(pacs.owes("AI").await.is_empty(), "whoever is subscribed to nothing is owed nothing");
}

#[tokio::test]
async fn whoever_is_subscribed_to_all_hears_of_each_that_comes_until_it_is_suspended() {
    let pacs = Pacs::open().await;
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    pacs.subscribes(ALL, "EHR").await.expect(StatusCode::CREATED);
    assert!(pacs.owes("EHR").await.is_empty(), "without a lock, what is there is not reported");
    pacs.subscribes(ALL, "LOCKER?deletionlock=true").await.expect(StatusCode::CREATED);
    assert_eq!(pacs.owes("LOCKER").await, ["1.2.1 1 SCHEDULED"]);
    pacs.subscribes(ALL, "LOCKER?deletionlock=true").await.expect(StatusCode::CREATED);
    assert_eq!(pacs.owes("LOCKER").await, ["1.2.1 1 SCHEDULED"], "it is subscribed to that one already");

    pacs.wants_work("1.2.2").await.expect(StatusCode::CREATED);
    pacs.wants_work("1.2.2").await.expect(StatusCode::CONFLICT);
    pacs.suspends(ALL, "EHR").await.expect(StatusCode::OK);
    pacs.suspends(ALL, "EHR").await.expect(StatusCode::NOT_FOUND);
    pacs.wants_work("1.2.3").await.expect(StatusCode::CREATED);
    let cancel = |uid: &str| pacs.asks(Method::POST, &format!("/workitems/{uid}/cancelrequest"));
    cancel("1.2.1").await.expect(StatusCode::ACCEPTED);
    cancel("1.2.3").await.expect(StatusCode::ACCEPTED);
    let heard = ["1.2.2 1 SCHEDULED", "1.2.1 1 IN PROGRESS", "1.2.1 1 CANCELED"];
    assert_eq!(pacs.owes("EHR").await, heard, "what it was subscribed to stays");
    assert_eq!(pacs.owes("LOCKER").await.len(), 7);

    pacs.unsubscribes(ALL, "EHR").await.expect(StatusCode::OK);
    pacs.unsubscribes(ALL, "EHR").await.expect(StatusCode::NOT_FOUND);
    cancel("1.2.2").await.expect(StatusCode::ACCEPTED);
    assert!(pacs.owes("EHR").await.is_empty());
}

#[tokio::test]
async fn a_filter_lets_through_what_matches_when_it_comes_or_is_changed() {
    let pacs = Pacs::open().await;
    let station = |value: &str| {
        let mut work = super::workitems::work();
        work["00404025"] = json!({"vr": "SQ", "Value": [super::workitems::code(value)]});
        work
    };
    let offers = async |uid: &str, value: &str| {
        let path = format!("/workitems?workitem={uid}");
        pacs.says(Method::POST, &path, &station(value)).await.expect(StatusCode::CREATED)
    };
    offers("1.2.1", "AI-1").await;
    offers("1.2.2", "AI-2").await;
    let key = "ScheduledStationNameCodeSequence.CodeValue=AI-1";
    pacs.subscribes(FILTERED, &format!("ONE?deletionlock=true&{key}")).await.expect(StatusCode::CREATED);
    let list = "filter=ScheduledStationNameCodeSequence.CodeValue%3DAI-2,ScheduledProcedureStepPriority%3DHIGH";
    pacs.subscribes(FILTERED, &format!("TWO?{list}")).await.expect(StatusCode::CREATED);
    offers("1.2.3", "AI-1").await;
    offers("1.2.4", "AI-2").await;
    let moved = json!({"00404025": station("AI-1")["00404025"]});
    pacs.says(Method::POST, "/workitems/1.2.2", &moved).await.expect(StatusCode::OK);
    let heard = ["1.2.1 1 SCHEDULED", "1.2.3 1 SCHEDULED", "1.2.3 5 -", "1.2.2 1 SCHEDULED"];
    assert_eq!(pacs.owes("ONE").await, heard);
    assert_eq!(pacs.owes("TWO").await, ["1.2.4 1 SCHEDULED", "1.2.4 5 -", "1.2.2 5 -"]);
    // A key that is not understood would let everything through.
    for query in ["NoSuchAttribute=1", "filter=AI-1", "StudyDate=never", "deletionlock=yes"] {
        pacs.subscribes(FILTERED, &format!("ONE?{query}")).await.expect(StatusCode::BAD_REQUEST);
    }
    pacs.suspends(ALL, "ONE").await.expect(StatusCode::NOT_FOUND);
    pacs.suspends(FILTERED, "ONE").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn all_that_are_there_are_subscribed_to_however_many() {
    let pacs = Pacs::open().await;
    for number in 1..=70 {
        pacs.wants_work(&format!("1.2.{number}")).await.expect(StatusCode::CREATED);
    }
    pacs.subscribes(ALL, "EHR?deletionlock=true").await.expect(StatusCode::CREATED);
    let expected: Vec<String> = (1..=70).map(|number| format!("1.2.{number} 1 SCHEDULED")).collect();
    assert_eq!(pacs.owes("EHR").await, expected);
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_said_and_hospitals_hear_of_their_own() {
    let pacs = Pacs::open().await;
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    pacs.subscribes("1.2.9", "AI").await.expect(StatusCode::NOT_FOUND);
    pacs.subscribes("x", "AI").await.expect(StatusCode::BAD_REQUEST);
    for title in ["%20", "SEVENTEEN-LETTERS", "A%5CB", "%E5%8C%BB"] {
        pacs.subscribes("1.2.1", title).await.expect(StatusCode::BAD_REQUEST);
    }
    pacs.suspends("1.2.1", "AI").await.expect(StatusCode::BAD_REQUEST);

    pacs.hospital("sumire", json!({"aeTitle": "SUMIRE"})).await;
    pacs.client("sumire", "pacs", json!("loopback")).await;
    let other = |path: &str| format!("{}/hospitals/sumire/dicom-web{path}", pacs.url());
    pacs.asks(Method::POST, &other("/workitems/1.2.1/subscribers/AI")).await.expect(StatusCode::NOT_FOUND);
    pacs.asks(Method::POST, &other(&format!("/workitems/{ALL}/subscribers/AI"))).await.expect(StatusCode::CREATED);
    pacs.wants_work("1.2.2").await.expect(StatusCode::CREATED);
    assert!(pacs.owes("AI").await.is_empty());
    let (sumire, title) = ("sumire".parse().unwrap(), AeTitle::parse("AI").unwrap());
    assert!(pacs.store().workitem_notices(&sumire, &title, 9).await.unwrap().is_empty());

    for number in 0..64 {
        pacs.subscribes("1.2.1", &format!("AE{number}")).await.expect(StatusCode::CREATED);
    }
    pacs.subscribes("1.2.1", "ONE-MORE").await.expect(StatusCode::FORBIDDEN);
    pacs.subscribes(ALL, "ONE-MORE").await.expect(StatusCode::FORBIDDEN);
    pacs.subscribes(ALL, "AE1").await.expect(StatusCode::CREATED);
    pacs.unsubscribes("1.2.1", "AE0").await.expect(StatusCode::OK);
    pacs.subscribes("1.2.1", "ONE-MORE").await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_system_with_ae_titles_of_its_own_hears_under_them_alone() {
    let pacs = Pacs::open().await;
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    let client = json!({"authentication": "loopback", "aeTitles": ["AI", "AI 2"]});
    pacs.client_with("kiku", "pacs", client).await;
    pacs.subscribes("1.2.1", "AI").await.expect(StatusCode::CREATED);
    pacs.subscribes(ALL, "AI%202").await.expect(StatusCode::CREATED);
    pacs.subscribes("1.2.1", "EHR").await.expect(StatusCode::FORBIDDEN);
    pacs.subscribes(ALL, "EHR").await.expect(StatusCode::FORBIDDEN);
    pacs.unsubscribes(ALL, "EHR").await.expect(StatusCode::FORBIDDEN);
    pacs.suspends(ALL, "EHR").await.expect(StatusCode::FORBIDDEN);
    // What it hears itself is not heard by the performer.
    pacs.sets("1.2.1", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    pacs.asks(Method::POST, "/workitems/1.2.1/cancelrequest").await.expect(StatusCode::CONFLICT);
}

#[tokio::test]
async fn events_wait_a_week_and_the_oldest_make_room() {
    let pacs = Pacs::open().await;
    pacs.subscribes(ALL, "EHR").await.expect(StatusCode::CREATED);
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    pacs.sets("1.2.1", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    let text = "x".repeat(960 << 10);
    for number in 0..70 {
        let description = format!("{number} {text}");
        let progress = json!({"00741002": {"vr": "SQ", "Value": [{"00741006": {"vr": "ST", "Value": [description]}}]}});
        pacs.says(Method::POST, "/workitems/1.2.1?transaction-uid=2.25.1", &progress).await.expect(StatusCode::OK);
    }
    let kept = pacs.owes("EHR").await;
    assert!((60..70).contains(&kept.len()), "{}", kept.len());
    assert!(kept.iter().all(|told| told == "1.2.1 3 -"));
    let now = Clock::system().now();
    pacs.store().purge(now + Duration::days(6), Default::default()).await.unwrap();
    assert_eq!(pacs.owes("EHR").await.len(), kept.len());
    pacs.store().purge(now + Duration::days(8), Default::default()).await.unwrap();
    assert!(pacs.owes("EHR").await.is_empty());
}
