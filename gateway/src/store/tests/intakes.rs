use time::Duration;

use super::*;

#[tokio::test]
async fn a_transfer_that_was_cut_off_is_known_until_something_comes_again() {
    let (_dir, store) = store().await;
    let (kiku, ran) = (hospital("kiku"), hospital("ran"));
    let study: medvan_imaging::Uid = "1.2.3".parse().unwrap();
    let arrives = async |at| {
        let mut db = store.write().await.unwrap();
        super::super::intakes::note(&mut db, &kiku, &[study.as_str()], at).await.unwrap();
        db.commit().await.unwrap();
    };
    let looked_at = async |at: OffsetDateTime| {
        let mut intakes = store.claim_intakes(at, at, 9).await.unwrap();
        (intakes.len() == 1).then(|| intakes.remove(0).is_cut)
    };
    arrives(NOON).await;
    store.cut_intakes(&ran, &[&study], NOON).await.unwrap();
    assert_eq!(looked_at(NOON + Duration::seconds(2)).await, Some(false), "another hospital's");
    store.cut_intakes(&kiku, &[&study], NOON).await.unwrap();
    assert_eq!(looked_at(NOON + Duration::seconds(3)).await, Some(true));
    arrives(NOON + Duration::seconds(4)).await;
    assert_eq!(looked_at(NOON + Duration::seconds(6)).await, Some(false), "its sender came again");
}
