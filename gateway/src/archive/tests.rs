//! The archive: which packs arrivals write into, and when files go.

use std::fs;

use bytes::Bytes;
use dicom_dictionary_std::tags;
use medvan_imaging::{
    TransferSyntax, Uid, VR,
    dataset::{Dataset, Piece, write},
    file,
};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::*;
use crate::{
    catalog::Hospital,
    store::{Job, JobState, NewJob, Place, Placed, Protocol, PutHospital, Selection},
};

const NOW: OffsetDateTime = datetime!(2026-11-01 9:00 UTC);

struct Images {
    archive: Archive,
    store: Store,
    hospital: HospitalId,
    folder: TempDir,
}

impl Images {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("medvan.sqlite")).await.unwrap();
        let words = serde_json::from_str(r#"{"ja": "楓病院", "en": "Kaede Hospital"}"#).unwrap();
        let hospital = Hospital::new("kaede".parse().unwrap(), words);
        store.put_hospital(&hospital, false).await.unwrap();
        let archive = open(&folder, &store, NOW).await;
        Self { archive, store, hospital: hospital.id, folder }
    }

    fn arrival(&self, kind: Kind) -> Arrival {
        let origin = Origin {
            id: Uuid::now_v7(),
            protocol: Protocol::Stow,
            source: "pacs".to_owned(),
            called: None,
            peer: [127, 0, 0, 1].into(),
            at: NOW,
        };
        self.archive.arrival(&self.hospital, origin, OnConflict::Replace, kind).unwrap()
    }

    /// One arrival with one instance.
    async fn store(&self, number: u32, kind: Kind) -> Place {
        let mut arrival = self.arrival(kind);
        arrive(&mut arrival, number, "").await;
        assert_eq!(outcomes(&mut arrival).await, [Some(Placed::New)]);
        self.leave(arrival).await;
        self.place(number).await
    }

    /// Ends an arrival, and waits until its thread has let go of the pack.
    async fn leave(&self, arrival: Arrival) {
        let before = self.archive.0.shelf.idle();
        drop(arrival);
        while self.archive.0.shelf.idle() == before {
            tokio::task::yield_now().await;
        }
    }

    async fn place(&self, number: u32) -> Place {
        let selection = Selection { study: uid("1.2"), series: None, instance: Some(instance_uid(number)) };
        self.store.select_instances(&self.hospital, &selection, 0, 1).await.unwrap()[0].place
    }

    async fn content(&self, place: Place) -> Vec<u8> {
        let open = self.archive.open_place(&self.hospital, place).await.unwrap();
        open.bytes(0, open.length()).await.unwrap().to_vec()
    }

    fn files(&self) -> usize {
        let folders = fs::read_dir(self.folder.path().join("images").join("kaede")).unwrap();
        folders.map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }
}

async fn open(folder: &TempDir, store: &Store, now: OffsetDateTime) -> Archive {
    Archive::open(folder.path().join("images"), store.clone(), Clock::fixed(now)).await.unwrap()
}

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn instance_uid(number: u32) -> Uid {
    uid(&format!("1.2.1.{number}"))
}

fn instance(number: u32, comment: &str) -> Vec<u8> {
    let (class, uid) = (uid("1.2.840.10008.5.1.4.1.1.7"), instance_uid(number));
    let mut data_set = Dataset::new();
    data_set.put_bytes(tags::SOP_CLASS_UID, VR::UI, class.as_str());
    data_set.put_bytes(tags::SOP_INSTANCE_UID, VR::UI, uid.as_str());
    data_set.put_bytes(tags::STUDY_INSTANCE_UID, VR::UI, "1.2");
    data_set.put_bytes(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.1");
    data_set.put_bytes(tags::IMAGE_COMMENTS, VR::LT, comment);
    let mut bytes = file::head(&class, &uid, &TransferSyntax::explicit_little());
    for piece in write(&data_set, true) {
        let Piece::Bytes(piece) = piece else { panic!("all of it is here") };
        bytes.extend_from_slice(&piece);
    }
    bytes
}

async fn arrive(arrival: &mut Arrival, number: u32, comment: &str) {
    arrival.write(Bytes::from(instance(number, comment))).await;
    arrival.finish(Expected::default()).await;
}

async fn outcomes(arrival: &mut Arrival) -> Vec<Option<Placed>> {
    arrival.commit().await.into_iter().map(|stored| stored.outcome.ok()).collect()
}

#[tokio::test]
async fn small_arrivals_in_a_row_go_into_one_pack_and_each_reads_back_as_it_came() {
    let images = Images::open().await;
    let mut places = Vec::new();
    for number in 1..=3 {
        places.push(images.store(number, Kind::Original).await);
    }
    assert!(places.iter().all(|place| place.pack == places[0].pack), "{places:?}");
    assert_eq!(images.files(), 1);
    for (place, number) in places.into_iter().zip(1..) {
        assert_eq!(images.content(place).await, instance(number, ""));
    }
}

#[tokio::test]
async fn the_images_of_a_hospital_that_ended_go_to_no_other_one() {
    let images = Images::open().await;
    images.store(1, Kind::Original).await;
    assert!(images.store.delete_hospital(&images.hospital, NOW).await.unwrap());
    let words = serde_json::from_str(r#"{"ja": "別の病院", "en": "Another Hospital"}"#).unwrap();
    let other = Hospital::new(images.hospital.clone(), words);
    assert!(matches!(images.store.put_hospital(&other, false).await.unwrap(), PutHospital::InRecords));
}

#[tokio::test]
async fn what_was_known_leaves_no_second_copy() {
    let images = Images::open().await;
    let place = images.store(1, Kind::Original).await;
    // Alone, and as one of two.
    for others in 0..2 {
        let mut again = images.arrival(Kind::Original);
        for _ in 0..=others {
            arrive(&mut again, 1, "").await;
        }
        assert_eq!(outcomes(&mut again).await, vec![Some(Placed::Same); others + 1]);
        images.leave(again).await;
    }
    let next = images.store(2, Kind::Original).await;
    assert_eq!((next.pack, next.offset), (place.pack, place.length));
    assert_eq!(images.content(place).await, instance(1, ""));
    assert_eq!(images.content(next).await, instance(2, ""));
}

#[tokio::test]
async fn arrivals_at_the_same_time_and_results_have_packs_of_their_own() {
    let images = Images::open().await;
    let (mut first, mut second) = (images.arrival(Kind::Original), images.arrival(Kind::Original));
    arrive(&mut first, 1, "").await;
    arrive(&mut second, 2, "").await;
    let (one, two) = tokio::join!(outcomes(&mut first), outcomes(&mut second));
    assert_eq!((one, two), (vec![Some(Placed::New)], vec![Some(Placed::New)]));
    let packs = [images.place(1).await.pack, images.place(2).await.pack];
    assert_ne!(packs[0], packs[1]);
    images.leave(first).await;
    images.leave(second).await;
    assert!(packs.contains(&images.store(3, Kind::Original).await.pack));
    assert!(!packs.contains(&images.store(4, Kind::Result).await.pack));
}

#[tokio::test]
async fn what_an_arrival_left_unfinished_is_not_in_the_way_of_the_next_one() {
    let images = Images::open().await;
    let mut arrival = images.arrival(Kind::Original);
    arrive(&mut arrival, 1, "").await;
    assert_eq!(outcomes(&mut arrival).await, [Some(Placed::New)]);
    // Whole but not committed, then begun and more than the buffer holds.
    arrive(&mut arrival, 2, "").await;
    arrival.write(Bytes::from(vec![7; 3 << 20])).await;
    images.leave(arrival).await;
    let (first, next) = (images.place(1).await, images.store(3, Kind::Original).await);
    assert_eq!((next.pack, next.offset), (first.pack, first.length));
    assert_eq!(images.content(next).await, instance(3, ""));
    assert_eq!(images.content(first).await, instance(1, ""));
}

#[tokio::test]
async fn a_file_goes_when_the_last_original_in_it_is_forgotten() {
    let images = Images::open().await;
    images.store(1, Kind::Original).await;
    images.store(2, Kind::Result).await;
    assert_eq!(images.files(), 2);
    let later = open_later(&images).await;
    assert_eq!(later.forget_originals(&images.hospital, Duration::days(30)).await.unwrap(), 1);
    assert_eq!(images.files(), 1);
    assert_eq!(images.content(images.place(2).await).await, instance(2, ""));
}

#[tokio::test]
async fn an_original_that_a_job_needs_stays_until_the_job_is_done() {
    let images = Images::open().await;
    images.store(1, Kind::Original).await;
    let job = Job { inputs: Vec::new(), ..Job::sample(images.hospital.as_str(), "1.2", NOW) };
    let new = NewJob { job, digest: [0; 32] };
    assert!(images.store.put_job(&new, NOW, |_, _| Ok(())).await.unwrap().is_some());
    assert!(
        images.store.put_job(&new, NOW, |_, _| Ok(())).await.unwrap().is_none(),
        "the same work is not put in twice"
    );
    let later = open_later(&images).await;
    assert_eq!(later.forget_originals(&images.hospital, Duration::days(30)).await.unwrap(), 0);
    let soon = NOW + Duration::minutes(1);
    let taken = images
        .store
        .claim_jobs(
            NOW,
            soon,
            crate::store::Places { most: 1, of_vendor: u32::MAX, of_service: |_: &crate::catalog::ServiceName| 1 },
        )
        .await
        .unwrap();
    assert_eq!(taken.len(), 1);
    assert!(
        images
            .store
            .claim_jobs(
                NOW,
                soon,
                crate::store::Places { most: 1, of_vendor: u32::MAX, of_service: |_: &crate::catalog::ServiceName| 9 }
            )
            .await
            .unwrap()
            .is_empty(),
        "it is taken"
    );
    images.store.settle_job(&taken[0], JobState::Done, NOW, None, NOW).await.unwrap();
    assert_eq!(later.forget_originals(&images.hospital, Duration::days(30)).await.unwrap(), 1);
}

/// The same archive forty days later, in another process.
async fn open_later(images: &Images) -> Archive {
    open(&images.folder, &images.store, NOW + Duration::days(40)).await
}

#[tokio::test]
async fn a_pack_whose_rows_are_gone_is_not_taken_from_whoever_writes_to_it() {
    let images = Images::open().await;
    let pack = images.store(1, Kind::Original).await.pack;
    let mut arrival = images.arrival(Kind::Original);
    // More than the buffer: the pack is taken.
    arrival.write(Bytes::from(instance(2, &"x".repeat(2 << 20)))).await;
    arrival.finish(Expected::default()).await;
    // It is read when it is known not to be the only one.
    arrive(&mut arrival, 3, "").await;
    assert!(!images.archive.0.shelf.lets_go(pack));
    assert_eq!(images.archive.forget_originals(&images.hospital, Duration::ZERO - Duration::days(1)).await.unwrap(), 1);
    assert_eq!(outcomes(&mut arrival).await, [Some(Placed::New); 2]);
    let place = images.place(2).await;
    assert_eq!(place.pack, pack);
    assert_eq!(images.content(place).await.len() as u64, place.length);
    images.leave(arrival).await;
    assert!(images.archive.0.shelf.lets_go(pack));
}

#[tokio::test]
async fn a_pack_that_was_written_to_since_its_rows_were_gone_keeps_its_file() {
    let images = Images::open().await;
    let pack = images.store(1, Kind::Original).await.pack;
    let later = NOW + Duration::days(1);
    let emptied = images.store.forget_originals(&images.hospital, later, later).await.unwrap();
    assert_eq!(emptied.packs, [pack]);
    // Between the rows and the file somebody stores into it, and is done.
    let place = images.store(2, Kind::Original).await;
    assert_eq!(place.pack, pack);
    images.archive.remove_emptied(&images.hospital, &emptied.packs).await.unwrap();
    assert_eq!(images.content(place).await, instance(2, ""));
    assert_eq!(images.files(), 1);
}

#[tokio::test]
async fn the_file_of_what_was_replaced_goes() {
    let images = Images::open().await;
    let mut arrival = images.arrival(Kind::Original);
    arrive(&mut arrival, 1, "").await;
    assert_eq!(outcomes(&mut arrival).await, [Some(Placed::New)]);
    // While the first one's pack is taken, another is begun.
    let mut other = images.arrival(Kind::Original);
    arrive(&mut other, 1, "corrected").await;
    assert_eq!(outcomes(&mut other).await, [Some(Placed::Replaced)]);
    images.leave(arrival).await;
    images.leave(other).await;
    assert_eq!(images.files(), 2);
    images.archive.forget_replaced(&images.hospital).await.unwrap();
    assert_eq!(images.files(), 1);
    assert_eq!(images.content(images.place(1).await).await, instance(1, "corrected"));
}

#[tokio::test]
async fn files_without_rows_are_swept_when_the_archive_is_opened() {
    let Images { archive, store, hospital, folder } = Images::open().await;
    let images = Images { archive, store, hospital, folder };
    images.store(1, Kind::Original).await;
    let stray = images.folder.path().join("images/kaede/00").join(format!("{}.pack", Uuid::now_v7().simple()));
    fs::create_dir_all(stray.parent().unwrap()).unwrap();
    fs::write(&stray, b"half").unwrap();
    let Images { archive, store, hospital, folder } = images;
    drop(archive);
    let archive = open(&folder, &store, NOW).await;
    let images = Images { archive, store, hospital, folder };
    assert_eq!(images.files(), 1);
    assert_eq!(images.content(images.place(1).await).await, instance(1, ""));
}

#[tokio::test]
async fn arrivals_that_share_a_commit_each_learn_what_became_of_theirs() {
    let images = Images::open().await;
    let arrivals = (0..24_u32).map(|number| {
        let mut arrival = images.arrival(Kind::Original);
        async move {
            // Every third one is the same UID with another content: the newest takes its place.
            arrive(&mut arrival, if number % 3 == 0 { 1_000 } else { number }, &number.to_string()).await;
            outcomes(&mut arrival).await
        }
    });
    let told = futures_util::future::join_all(arrivals).await.concat();
    assert_eq!(told.iter().filter(|placed| **placed == Some(Placed::New)).count(), 17);
    assert_eq!(told.iter().filter(|placed| **placed == Some(Placed::Replaced)).count(), 7);
    let all = Selection { study: uid("1.2"), series: None, instance: None };
    let found = images.store.select_instances(&images.hospital, &all, 0, 100).await.unwrap();
    assert_eq!(found.len(), 17);
    let studies = images.store.find_studies(&images.hospital, &[], 0, 10).await.unwrap();
    assert_eq!((studies.len(), studies[0].series, studies[0].instances), (1, 1, 17));
}
