//! Who is called with the events of workitems, and when.

use medvan_imaging::{AeTitle, attributes::Attributes, json, ups::Workitem};
use time::Duration;

use super::*;

const MOST_TRIES: u32 = 3;

fn title(text: &str) -> AeTitle {
    AeTitle::parse(text).unwrap()
}

fn work(number: &str) -> Workitem {
    let given = json!({
        "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
        "00741200": {"vr": "CS", "Value": ["HIGH"]},
        "00741204": {"vr": "LO", "Value": ["NODULES"]},
        "00404005": {"vr": "DT", "Value": ["20261122120000+0900"]},
        "00404041": {"vr": "CS", "Value": ["READY"]},
    });
    let given: Attributes = json::parse(given.to_string().as_bytes()).unwrap();
    Workitem::create(number.parse().unwrap(), given, "TEST", NOON).unwrap().workitem
}

impl Store {
    /// Somebody hears of everything at a hospital, and is called from a time on.
    async fn calls(&self, id: &str, ae_title: &str, from: OffsetDateTime) {
        let done = self.subscribe_to_worklist(&hospital(id), &Worklist::All, &title(ae_title), false, NOON).await;
        assert_eq!(done.unwrap(), Subscribed::Done);
        self.call_subscriber(&hospital(id), &title(ae_title), from).await.unwrap();
    }

    async fn happens(&self, id: &str, number: &str) {
        let put = self.create_workitem(&hospital(id), &work(number), None, NOON).await.unwrap();
        assert_eq!(put, PutWorkitem::Created);
    }

    async fn due(&self, at: OffsetDateTime) -> Vec<(String, String)> {
        let due = self.due_subscribers(at, MOST_TRIES).await.unwrap();
        due.into_iter().map(|due| (due.hospital.to_string(), due.ae_title.to_string())).collect()
    }
}

fn who(id: &str, ae_title: &str) -> (String, String) {
    (id.to_owned(), ae_title.to_owned())
}

#[tokio::test]
async fn only_one_for_whom_something_waits_is_called_and_by_one_at_a_time() {
    let (_dir, store) = store().await;
    store.calls("kiku", "WATCHER", NOON).await;
    let listens = store.subscribe_to_worklist(&hospital("kiku"), &Worklist::All, &title("SOCKET"), false, NOON).await;
    assert_eq!(listens.unwrap(), Subscribed::Done);
    assert_eq!(store.due(NOON).await, [], "nothing has happened");
    store.happens("kiku", "1.1").await;
    assert_eq!(store.due(NOON).await, [who("kiku", "WATCHER")], "SOCKET is not called");

    let due = store.due_subscribers(NOON, MOST_TRIES).await.unwrap().remove(0);
    let lease = NOON + Duration::minutes(1);
    assert!(store.claim_subscriber(&due, lease).await.unwrap());
    assert!(!store.claim_subscriber(&due, lease).await.unwrap(), "it is taken");
    assert_eq!(store.due(NOON).await, []);
    assert_eq!(store.due(lease).await, [who("kiku", "WATCHER")], "whoever took it is gone");

    let notices = store.workitem_notices(&due.hospital, &due.ae_title, 9).await.unwrap();
    for notice in &notices {
        store.subscriber_took(&due, notice.id, lease).await.unwrap();
    }
    store.subscriber_called(&due, NOON, 0).await.unwrap();
    assert_eq!(store.due(NOON).await, []);
    let other = store.workitem_notices(&hospital("kiku"), &title("SOCKET"), 9).await.unwrap();
    assert_eq!(other.len(), notices.len(), "what one took the other has still to hear");
}

#[tokio::test]
async fn one_that_cannot_be_reached_is_left_alone_until_it_says_something() {
    let (_dir, store) = store().await;
    let (kiku, watcher) = (hospital("kiku"), title("WATCHER"));
    store.calls("kiku", "WATCHER", NOON).await;
    store.happens("kiku", "1.1").await;
    for tries in 1..=MOST_TRIES {
        let due = store.due_subscribers(NOON, MOST_TRIES).await.unwrap().remove(0);
        assert_eq!(due.tries, tries - 1);
        store.subscriber_called(&due, NOON, tries).await.unwrap();
    }
    assert_eq!(store.due(NOON + Duration::days(6)).await, []);
    assert_eq!(store.workitem_notices(&kiku, &watcher, 9).await.unwrap().len(), 1, "it waits");
    store.subscriber_lives(&kiku, &title("ANOTHER"), NOON).await.unwrap();
    assert_eq!(store.due(NOON).await, []);
    store.subscriber_lives(&kiku, &watcher, NOON).await.unwrap();
    assert_eq!(store.due(NOON).await, [who("kiku", "WATCHER")]);
    assert!(store.unsubscribe_from_worklist(&kiku, &Worklist::All, &watcher).await.unwrap());
    assert_eq!(store.due(NOON).await, [], "nobody waits any more");
}

#[tokio::test]
async fn many_subscribers_of_one_hospital_keep_no_others_waiting() {
    let (_dir, store) = store().await;
    for number in 0..20 {
        store.calls("kiku", &format!("WATCHER{number:02}"), NOON).await;
    }
    store.calls("hagi", "WATCHER", NOON + Duration::seconds(1)).await;
    store.happens("kiku", "1.1").await;
    store.happens("hagi", "1.1").await;
    let due = store.due(NOON + Duration::seconds(1)).await;
    assert_eq!(due.iter().filter(|(hospital, _)| hospital == "kiku").count(), 4);
    assert_eq!(due.last(), Some(&who("hagi", "WATCHER")));
}
