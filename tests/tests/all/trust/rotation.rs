//! Keys come and go while everybody runs: the EHR's and our own.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use medvan::{clock::Clock, trust::keys::SETTLED};
use medvan_fixtures::services::{self, Options, Trust, early_warning};
use serde_json::json;
use time::Duration;

use super::Stage;
use crate::world::{Gateway, Key, World, decoded};

/// Check 11: a rotation is noticed, a revoked key is dead when the publisher's `max-age` is over; no restart.
#[tokio::test]
async fn an_ehrs_keys_rotate_and_end_without_a_restart() {
    let later = Later::default();
    let world = World::around(Gateway::start_with(|_| {}, later.clock()).await).await;
    let stage = Stage::around(world, "max-age=60").await;
    let new = Key::es384("new");
    let by = |key: &Key| key.sign(&key.header(), &stage.claims());
    stage.lets_in("the first key", &by(&stage.own)).await;
    stage.turns_away("a key that is not published yet", &by(&new)).await;
    stage.published.publishes(&[&stage.own, &new]);
    later.by_seconds(31);
    stage.lets_in("11: the new key, beside the old one", &by(&new)).await;
    stage.lets_in("11: the old key", &by(&stage.own)).await;
    stage.published.publishes(&[&new]);
    later.by_seconds(31 + 61);
    stage.turns_away("11: the revoked key after max-age", &by(&stage.own)).await;
    stage.lets_in("11: the new key stays", &by(&new)).await;
    let fetched = stage.published.fetches();
    for _ in 0..5 {
        stage.turns_away("unknown keys", &by(&Key::es384("unknown"))).await;
    }
    assert_eq!(stage.published.fetches(), fetched, "strangers cannot make the gateway flood a hospital's server");
}

/// Item 57: vendors find our keys where our tokens say, and follow a rotation while we run.
#[tokio::test]
async fn own_keys_rotate_without_a_restart_and_vendors_follow() {
    let world = World::start().await;
    let keys_at = format!("{}/.well-known/jwks.json", world.gateway.url);
    let trust = Trust::keys_at(keys_at.clone()).issuer(world.gateway.url.clone());
    let options = Options { trust: Some(trust), ..Options::default() };
    let vendor = services::start(&early_warning::SERVICE, options).await.unwrap();
    world.enrolls(&vendor.descriptor(), json!("live")).await;
    let mut kids = Vec::new();
    let mut now = world.gateway.app.clock.now();
    for _ in 0..3 {
        let answer = world.asks(world.fires("patient-view").on("ichiro"), "patient-view").await;
        answer.conforms();
        assert_eq!(answer.cards.len(), 1, "{}", answer.text);
        let received = vendor.received();
        let (header, claims) = decoded(received.last().unwrap().token().unwrap());
        assert_eq!(header["jku"], json!(keys_at));
        assert_eq!(
            claims["aud"],
            json!(format!("{}/cds-services/{}", vendor.base_url(), early_warning::SERVICE.endpoints[0].id))
        );
        assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 300);
        kids.push(header["kid"].clone());
        now += SETTLED;
        world.gateway.app.keys.rotate(now).unwrap();
    }
    kids.dedup();
    assert_eq!(kids.len(), 3, "each rotation signs with another key");
}

/// A gateway's clock that a test sets ahead; tokens are made by the real one.
#[derive(Clone, Default)]
struct Later(Arc<AtomicI64>);

impl Later {
    fn by_seconds(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let (real, ahead) = (Clock::system(), Arc::clone(&self.0));
        Clock::from_fn(move || real.now() + Duration::seconds(ahead.load(Ordering::SeqCst)))
    }
}
