//! Searches for priors: who holds one, until when, and which hospital comes first.

use std::collections::BTreeSet;

use medvan_imaging::Uid;
use time::Duration;

use super::*;

fn intake(hospital: &str, study: u32, changed: i64) -> Intake {
    Intake {
        hospital: super::hospital(hospital),
        study: Uid::parse(&format!("1.2.{study}")).unwrap(),
        began_at: at(changed),
        changed_at: at(changed),
        is_cut: false,
    }
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
}

fn named(searches: &[PriorSearch]) -> BTreeSet<String> {
    searches.iter().map(|search| format!("{} {}", search.hospital, search.study)).collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[tokio::test]
async fn a_search_is_held_by_one_until_it_ends_or_its_holder_dies() {
    let (_dir, store) = store().await;
    let study = intake("kiku", 1, 0);
    let state = store.search_priors(&study, at(10), at(70)).await.unwrap();
    assert_eq!((state.until, state.ended_at), (at(70), None));
    let claim = async |now| store.claim_prior_searches(at(now), at(now + 20), &[], (1, 8)).await.unwrap();
    let [search] = &claim(10).await[..] else { panic!("one") };
    assert!(claim(29).await.is_empty(), "somebody has it");
    assert_eq!(claim(30).await.len(), 1, "whoever had it died");
    store.hold_prior_search(search, at(60)).await.unwrap();
    assert!(claim(59).await.is_empty(), "it is held anew");
    assert!(claim(70).await.is_empty(), "nobody waits for it any longer");
    // Asked once more it is the same search; when more of the study came it is another one.
    assert_eq!(store.search_priors(&study, at(71), at(131)).await.unwrap().until, at(70));
    store.end_prior_search(search, "{}", at(72)).await.unwrap();
    store.end_prior_search(search, "{\"late\":1}", at(73)).await.unwrap();
    let ended = store.prior_search(&study.hospital, &study.study).await.unwrap().unwrap();
    assert_eq!((ended.ended_at, ended.report.as_deref()), (Some(at(72)), Some("{}")));
    let more = store.search_priors(&intake("kiku", 1, 5), at(80), at(140)).await.unwrap();
    assert_eq!((more.until, more.ended_at, more.report), (at(140), None, None));
    store.end_prior_search(search, "{}", at(81)).await.unwrap();
    assert_eq!(claim(82).await.len(), 1, "the former search ends nothing of the new one");
}

#[tokio::test]
async fn a_hospital_with_many_waits_for_itself_only() {
    let (_dir, store) = store().await;
    for study in 1..=20 {
        store.search_priors(&intake("kiku", study, 0), at(i64::from(study)), at(600)).await.unwrap();
    }
    store.search_priors(&intake("ran", 30, 0), at(30), at(600)).await.unwrap();
    let claim = async |busy: &[HospitalId], each| {
        named(&store.claim_prior_searches(at(40), at(60), busy, (each, 8)).await.unwrap())
    };
    assert_eq!(claim(&[], 1).await, names(["kiku 1.2.1", "ran 1.2.30"]));
    assert_eq!(claim(&["kiku".parse().unwrap()], 1).await, names([]));
    assert_eq!(claim(&[], 2).await, names(["kiku 1.2.2", "kiku 1.2.3"]));
}
