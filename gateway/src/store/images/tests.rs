//! The index: what is stored, found, refused, replaced and forgotten, and whose it is.

use medvan_imaging::{
    TransferSyntax, Uid,
    query::{Narrow, TextBound},
};
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::*;
use crate::{
    catalog::{Hospital, HospitalId, OnConflict},
    store::{Store, StoreError},
};

const NOW: OffsetDateTime = time::macros::datetime!(2026-11-01 9:00 UTC);

fn origin(at: OffsetDateTime) -> Origin {
    Origin {
        id: Uuid::now_v7(),
        protocol: Protocol::Stow,
        source: "pacs".to_owned(),
        called: None,
        peer: [127, 0, 0, 1].into(),
        at,
    }
}

struct Index {
    store: Store,
    hospital: HospitalId,
    _folder: tempfile::TempDir,
}

impl Index {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("medvan.sqlite")).await.unwrap();
        for id in ["kaede", "sumire"] {
            let hospital = Hospital::new(
                id.parse().unwrap(),
                serde_json::from_str(r#"{"ja": "病院", "en": "Hospital"}"#).unwrap(),
            );
            store.put_hospital(&hospital, false).await.unwrap();
        }
        Self { store, hospital: "kaede".parse().unwrap(), _folder: folder }
    }

    async fn takes(&self, instances: &[NewInstance], on_conflict: OnConflict, at: OffsetDateTime) -> Vec<Placed> {
        let pack = Uuid::now_v7();
        self.store
            .index_instances(&self.hospital, &origin(at), pack, instances.to_vec(), on_conflict, at)
            .await
            .unwrap()
    }

    async fn stores(&self, instances: &[NewInstance]) -> Vec<Placed> {
        self.takes(instances, OnConflict::Refuse, NOW).await
    }

    async fn studies(&self, narrow: &[Narrow]) -> Vec<(String, u64, u64)> {
        let found = self.store.find_studies(&self.hospital, narrow, 0, 100).await.unwrap();
        found.into_iter().map(|study| (study.uid.to_string(), study.series, study.instances)).collect()
    }
}

impl Index {
    /// Leaves the database so many pages more than it has.
    async fn leaves_pages(&self, pages: i64) {
        let mut writer = self.store.0.writer.acquire().await.unwrap();
        let row = sqlx::query("PRAGMA page_count").fetch_one(&mut *writer).await.unwrap();
        let most = row.try_get::<i64, _>(0).unwrap() + pages;
        sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {most}")))
            .execute(&mut *writer)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_what_comes_when_there_is_room_again_is_stored() {
    let index = Index::open().await;
    index.leaves_pages(2).await;
    let many: Vec<NewInstance> = (1..200).map(|number| instance(&format!("1.1.1.{number}"), "P1", 1)).collect();
    let origin = origin(NOW);
    let full = index
        .store
        .index_instances(&index.hospital, &origin, Uuid::now_v7(), many.clone(), OnConflict::Refuse, NOW)
        .await;
    assert!(matches!(full, Err(StoreError::NoSpace)), "{full:?}");
    assert!(index.studies(&[]).await.is_empty());
    index.leaves_pages(10_000).await;
    assert!(index.stores(&many).await.iter().all(|placed| *placed == Placed::New));
    index.store.check_writable().await.unwrap();
}

/// An instance of the study, series and number that its UID says: `1.<study>.<series>.<number>`.
fn instance(uid: &str, patient: &str, content: u8) -> NewInstance {
    let series = uid.rsplit_once('.').unwrap().0;
    let study = series.rsplit_once('.').unwrap().0;
    NewInstance {
        study: NewStudy {
            uid: Uid::parse(study).unwrap(),
            patient_id: patient.to_owned(),
            accession: String::new(),
            study_id: String::new(),
            date: "20261101".to_owned(),
            words: vec![format!("name{}", patient.to_lowercase())],
            attributes: format!(r#"{{"00100020": {{"vr": "LO", "Value": ["{patient}"]}}}}"#),
        },
        series: NewSeries { uid: Uid::parse(series).unwrap(), modality: "CT".to_owned(), attributes: "{}".to_owned() },
        uid: Uid::parse(uid).unwrap(),
        class: Uid::known("1.2.840.10008.5.1.4.1.1.2"),
        syntax: TransferSyntax::explicit_little(),
        number: Some(1),
        frames: None,
        rows: Some(2),
        columns: Some(2),
        bits: Some(16),
        at_byte: u64::from(content) * 100,
        bytes: 100,
        digest: [content; 32],
        kind: Kind::Original,
    }
}

#[tokio::test]
async fn studies_count_their_series_and_instances() {
    let index = Index::open().await;
    let some = ["1.1.1.1", "1.1.1.2", "1.1.2.1", "1.2.1.1"].map(|uid| instance(uid, "P1", 1));
    assert_eq!(index.stores(&some).await, [Placed::New; 4]);
    assert_eq!(index.studies(&[]).await, [("1.1".to_owned(), 2, 3), ("1.2".to_owned(), 1, 1)]);
    let narrow = [Narrow::SeriesInstanceUid(vec!["1.1.2".to_owned()])];
    let found = index.store.find_instances(&index.hospital, &narrow, 0, 100).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].study_uid.as_str(), found[0].place.length), ("1.1", 100));
}

#[tokio::test]
async fn a_known_uid_is_the_same_is_refused_is_kept_out_or_replaces() {
    let index = Index::open().await;
    index.stores(&[instance("1.1.1.1", "P1", 1)]).await;
    assert_eq!(index.stores(&[instance("1.1.1.1", "P1", 1)]).await, [Placed::Same]);
    assert_eq!(index.stores(&[instance("1.1.1.1", "P1", 2)]).await, [Placed::Refused]);
    let other = [instance("1.1.1.1", "P1", 2)];
    assert_eq!(index.takes(&other, OnConflict::Keep, NOW).await, [Placed::Kept]);
    assert_eq!(index.takes(&other, OnConflict::Replace, NOW).await, [Placed::Replaced]);
    let digest = index.store.known_digest(&index.hospital, &other[0].uid).await.unwrap();
    assert_eq!(digest, Some(vec![2; 32]));
    // What came first has no row any more, and its file may go.
    assert_eq!(index.store.forget_empty_packs(&index.hospital).await.unwrap().len(), 1);
    assert_eq!(index.store.packs().await.unwrap().len(), 1);
    assert_eq!(index.studies(&[]).await, [("1.1".to_owned(), 1, 1)]);
}

#[tokio::test]
async fn a_study_is_never_two_patients() {
    let index = Index::open().await;
    index.stores(&[instance("1.1.1.1", "P1", 1)]).await;
    let mixed = [instance("1.1.1.2", "P2", 1), instance("1.1.1.3", "P1", 1), instance("1.1.1.4", "", 1)];
    assert_eq!(index.stores(&mixed).await, [Placed::OtherPatient, Placed::New, Placed::New]);
    let together = [instance("1.5.1.1", "P1", 1), instance("1.5.1.2", "P2", 1)];
    assert_eq!(index.stores(&together).await, [Placed::New, Placed::OtherPatient]);
    assert_eq!(index.studies(&[]).await, [("1.1".to_owned(), 1, 3), ("1.5".to_owned(), 1, 1)]);
}

#[tokio::test]
async fn where_the_newest_replaces_only_what_is_known_corrects_its_study() {
    let index = Index::open().await;
    let takes = async |some: &[NewInstance]| index.takes(some, OnConflict::Replace, NOW).await;
    takes(&[instance("1.1.1.1", "P1", 1), instance("1.2.1.1", "P2", 1)]).await;
    // New, and another patient's: it would be listed under P1.
    assert_eq!(takes(&[instance("1.1.1.2", "P2", 1)]).await, [Placed::OtherPatient]);
    // Known, but in another patient's study: all that is there would become P1's.
    let moved = NewInstance { study: instance("1.2.1.9", "P1", 2).study, ..instance("1.1.1.1", "P1", 2) };
    assert_eq!(takes(&[moved]).await, [Placed::OtherPatient]);
    // The same again is no correction.
    assert_eq!(
        takes(&[instance("1.1.1.1", "P3", 1), instance("1.1.1.3", "P3", 1)]).await,
        [Placed::Same, Placed::OtherPatient]
    );
    assert_eq!(index.studies(&[]).await, [("1.1".to_owned(), 1, 1), ("1.2".to_owned(), 1, 1)]);
    // A correction, and what belongs to it.
    let corrected = [instance("1.1.1.1", "P3", 2), instance("1.1.1.3", "P3", 1), instance("1.1.1.4", "P1", 1)];
    assert_eq!(takes(&corrected).await, [Placed::Replaced, Placed::New, Placed::OtherPatient]);
    assert_eq!(index.studies(&[Narrow::PatientId(TextBound::Exact(vec!["P3".to_owned()]))]).await.len(), 1);
}

#[tokio::test]
async fn instances_that_change_places_in_one_request_are_replaced() {
    let index = Index::open().await;
    index.stores(&[instance("1.1.1.1", "P1", 1), instance("1.1.2.1", "P1", 1)]).await;
    let first = NewInstance { series: instance("1.1.2.9", "P1", 2).series, ..instance("1.1.1.1", "P1", 2) };
    let second = NewInstance { series: instance("1.1.1.9", "P1", 2).series, ..instance("1.1.2.1", "P1", 2) };
    assert_eq!(index.takes(&[first, second], OnConflict::Replace, NOW).await, [Placed::Replaced; 2]);
    assert_eq!(index.studies(&[]).await, [("1.1".to_owned(), 2, 2)]);
    // Both into one: the other series is gone.
    let third = NewInstance { series: instance("1.1.1.9", "P1", 3).series, ..instance("1.1.1.1", "P1", 3) };
    assert_eq!(index.takes(&[third], OnConflict::Replace, NOW).await, [Placed::Replaced]);
    assert_eq!(index.studies(&[]).await, [("1.1".to_owned(), 1, 2)]);
    index.store.forget_empty_packs(&index.hospital).await.unwrap();
    assert_eq!(index.store.packs().await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_first_who_names_the_patient_of_a_study_decides_whose_it_is() {
    let index = Index::open().await;
    let of_patient = async |patient: &str| {
        let narrow = Narrow::PatientId(TextBound::Exact(vec![patient.to_owned()]));
        index.studies(&[narrow]).await.into_iter().map(|(uid, ..)| uid).collect::<Vec<_>>()
    };
    // Within a batch, and later.
    let mixed = [instance("1.1.1.1", "", 1), instance("1.1.1.2", "P1", 1), instance("1.1.1.3", "P2", 1)];
    assert_eq!(index.stores(&mixed).await, [Placed::New, Placed::New, Placed::OtherPatient]);
    index.stores(&[instance("1.2.1.1", "", 1)]).await;
    assert_eq!(index.stores(&[instance("1.2.1.2", "P1", 1)]).await, [Placed::New]);
    assert_eq!(index.stores(&[instance("1.2.1.3", "P2", 1)]).await, [Placed::OtherPatient]);
    assert_eq!(of_patient("P1").await, ["1.1", "1.2"]);
    let named = index.store.find_studies(&index.hospital, &[], 0, 10).await.unwrap();
    assert!(named.iter().all(|study| study.attributes.contains("P1")), "{named:?}");
    // One that names nobody replaces its own content only.
    assert_eq!(index.takes(&[instance("1.1.1.2", "", 2)], OnConflict::Replace, NOW).await, [Placed::Replaced]);
    assert_eq!(of_patient("P1").await, ["1.1", "1.2"]);
    assert_eq!(index.takes(&[instance("1.1.1.4", "P2", 1)], OnConflict::Replace, NOW).await, [Placed::OtherPatient]);
}

#[tokio::test]
async fn two_corrections_of_one_batch_do_not_contradict_each_other() {
    let index = Index::open().await;
    // Another one with a new content, and the same one with its former content.
    for (study, back) in [("1.1", instance("1.1.1.2", "P1", 2)), ("1.2", instance("1.2.1.1", "P1", 1))] {
        let of_study = |number, patient, content| instance(&format!("{study}.1.{number}"), patient, content);
        index.stores(&[of_study(1, "P1", 1), of_study(2, "P1", 1)]).await;
        let corrected = [of_study(1, "P3", 2), of_study(3, "P3", 1), back];
        let placed = index.takes(&corrected, OnConflict::Replace, NOW).await;
        assert_eq!(placed, [Placed::Replaced, Placed::New, Placed::OtherPatient]);
    }
    let narrow = [Narrow::PatientId(TextBound::Exact(vec!["P3".to_owned()]))];
    assert_eq!(index.studies(&narrow).await, [("1.1".to_owned(), 1, 3), ("1.2".to_owned(), 1, 3)]);
}

#[tokio::test]
async fn every_change_is_another_version_whatever_the_clock_says() {
    let index = Index::open().await;
    let all = Selection { study: Uid::parse("1.1").unwrap(), series: None, instance: None };
    let mut versions = std::collections::BTreeSet::new();
    for content in 1..5 {
        let many: Vec<_> = (1..400).map(|number| instance(&format!("1.1.1.{number}"), "P1", content)).collect();
        let now = NOW - Duration::days(content.into());
        index.takes(&many, OnConflict::Replace, now).await;
        versions.insert(index.store.version_of(&index.hospital, &all).await.unwrap());
    }
    assert_eq!(versions.len(), 4);
}

#[tokio::test]
async fn a_replacement_corrects_the_study() {
    let index = Index::open().await;
    index.stores(&[instance("1.1.1.1", "WRONG", 1)]).await;
    let corrected = [instance("1.1.1.1", "RIGHT", 2)];
    assert_eq!(index.takes(&corrected, OnConflict::Replace, NOW).await, [Placed::Replaced]);
    let by_word = |word: &str| [Narrow::PatientNameWord(vec![word.to_owned()])];
    assert_eq!(index.studies(&by_word("nameright")).await.len(), 1);
    assert_eq!(index.studies(&by_word("namewrong")).await, []);
}

#[tokio::test]
async fn another_hospital_finds_nothing_and_may_have_the_same_uids() {
    let mut index = Index::open().await;
    index.stores(&[instance("1.1.1.1", "P1", 1)]).await;
    index.hospital = "sumire".parse().unwrap();
    assert_eq!(index.studies(&[]).await, []);
    let uid = Uid::known("1.1.1.1");
    assert_eq!(index.store.known_digest(&index.hospital, &uid).await.unwrap(), None);
    assert_eq!(index.stores(&[instance("1.1.1.1", "P9", 9)]).await, [Placed::New]);
}

#[tokio::test]
async fn originals_are_forgotten_after_their_time_and_results_stay() {
    let index = Index::open().await;
    let old = NOW - Duration::days(40);
    let result = NewInstance { kind: Kind::Result, ..instance("1.1.2.1", "P1", 2) };
    index.takes(&[instance("1.1.1.1", "P1", 1), instance("1.9.1.1", "P1", 1)], OnConflict::Refuse, old).await;
    index.takes(&[result], OnConflict::Refuse, old).await;
    index.stores(&[instance("1.1.1.2", "P1", 3)]).await;
    let emptied = index.store.forget_originals(&index.hospital, NOW - Duration::days(30), NOW).await.unwrap();
    assert_eq!((emptied.instances, emptied.packs.len()), (2, 1));
    // The study with a result and a young original is left, the other one is gone.
    assert_eq!(index.studies(&[]).await, [("1.1".to_owned(), 2, 2)]);
    let again = index.store.forget_originals(&index.hospital, NOW - Duration::days(30), NOW).await.unwrap();
    assert_eq!((again.instances, again.packs.len()), (0, 0));
}

#[tokio::test]
async fn what_still_has_to_reach_a_node_is_not_forgotten() {
    let index = Index::open().await;
    let old = NOW - Duration::days(40);
    let waiting = instance("1.1.1.1", "P1", 1);
    index.takes(std::slice::from_ref(&waiting), OnConflict::Refuse, old).await;
    let node = medvan_imaging::AeTitle::parse("PACS").unwrap();
    index.store.send_to_node(&index.hospital, &node, &[waiting.uid], NOW).await.unwrap();
    let emptied = index.store.forget_originals(&index.hospital, NOW - Duration::days(30), NOW).await.unwrap();
    assert_eq!(emptied.instances, 0);
}

#[tokio::test]
async fn the_earlier_studies_of_a_patient_are_found_the_latest_first() {
    let index = Index::open().await;
    let of = |study: u32, patient: &str, date: &str| {
        let mut instance = instance(&format!("1.{study}.1.1"), patient, 1);
        instance.study.date = date.to_owned();
        instance
    };
    let all = [
        of(1, "P1", "20260101"),
        of(2, "P1", "20250101"),
        of(3, "P1", "20260601"),
        of(4, "P1", "20261101"),
        of(5, "P1", ""),
        of(6, "P2", "20260601"),
        of(7, "P10", "20260601"),
        of(8, "", "20260601"),
    ];
    index.stores(&all).await;
    let earlier = async |hospital: &str, before: &str, most| {
        let found = index.store.earlier_studies(&hospital.parse().unwrap(), "P1", before, most).await.unwrap();
        found.into_iter().map(|study| study.uid.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(earlier("kaede", "20261101", 16).await, ["1.3", "1.1", "1.2"]);
    assert_eq!(earlier("kaede", "20260601", 1).await, ["1.1"]);
    assert!(earlier("sumire", "20261101", 16).await.is_empty());
    let is_one = async |one: &str, other: &str| {
        let [one, other] = [one, other].map(|uid| Uid::parse(uid).unwrap());
        index.store.are_of_one_patient(&index.hospital, &one, &other).await.unwrap()
    };
    assert!(is_one("1.1", "1.4").await);
    for (one, other) in [("1.1", "1.6"), ("1.1", "1.99"), ("1.8", "1.8")] {
        assert!(!is_one(one, other).await, "{one} {other}");
    }
}
