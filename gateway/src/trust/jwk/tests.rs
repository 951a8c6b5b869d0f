use jsonwebtoken::Algorithm as Alg;
use serde_json::{Value, json};

use super::*;
use crate::trust::testing::EhrKey;

fn check(keys: &Value, expect: Result<&[(&str, Algorithm)], KeySetError>) {
    let json = json!({ "keys": keys }).to_string();
    match (KeySet::parse(json.as_bytes()), expect) {
        (Ok(set), Ok(usable)) => {
            for (kid, algorithm) in usable {
                assert!(set.has(kid, *algorithm), "{kid} {algorithm:?}");
            }
            assert_eq!(set.0.values().map(Vec::len).sum::<usize>(), usable.len(), "{json}");
        }
        (set, expect) => assert_eq!(set.map(|_| ()), expect.map(|_| ()), "{json}"),
    }
}

fn with(mut jwk: Value, member: &str, value: Value) -> Value {
    jwk[member] = value;
    jwk
}

fn without(mut jwk: Value, member: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(member);
    jwk
}

#[test]
fn a_key_is_for_one_algorithm() {
    check(&json!([EhrKey::es384("a").jwk()]), Ok(&[("a", Algorithm::Es384)]));
    check(&json!([without(EhrKey::es384("a").jwk(), "alg")]), Ok(&[("a", Algorithm::Es384)]));
    check(&json!([EhrKey::es256("a").jwk()]), Ok(&[("a", Algorithm::Es256)]));
    check(&json!([EhrKey::rsa("r", Alg::RS384).jwk()]), Ok(&[("r", Algorithm::Rs384)]));
    check(&json!([EhrKey::rsa("r", Alg::PS256).jwk()]), Ok(&[("r", Algorithm::Ps256)]));
}

#[test]
fn an_rsa_key_without_alg_is_for_pkcs1_only() {
    let key = without(EhrKey::rsa("r", Alg::RS384).jwk(), "alg");
    check(&json!([key]), Ok(&[("r", Algorithm::Rs256), ("r", Algorithm::Rs384), ("r", Algorithm::Rs512)]));
}

#[test]
fn unusable_keys_are_left_out_and_the_others_kept() {
    let good = EhrKey::es384("good").jwk();
    let other = EhrKey::es384("other").jwk();
    let unusable = [
        with(other.clone(), "alg", json!("ES256")),
        with(other.clone(), "alg", json!("none")),
        with(other.clone(), "use", json!("enc")),
        with(other.clone(), "key_ops", json!(["encrypt"])),
        with(other.clone(), "crv", json!("P-256")),
        with(other.clone(), "crv", json!("secp256k1")),
        with(other.clone(), "kty", json!("OKP")),
        with(other.clone(), "x", json!("AAAA")),
        with(other.clone(), "x", other["y"].clone()),
        without(other.clone(), "kid"),
        without(other, "y"),
        json!({ "kty": "RSA", "kid": "short", "e": "AQAB", "n": "u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0_IzW7yWR7QkrmBL7jTKEn5u" }),
    ];
    for key in unusable {
        check(&json!([key, good]), Ok(&[("good", Algorithm::Es384)]));
        check(&json!([key]), Err(KeySetError::NoUsableKey));
    }
}

#[test]
fn two_keys_under_one_kid_are_none() {
    let (one, two, good) = (EhrKey::es384("twin"), EhrKey::es384("twin"), EhrKey::es384("good"));
    check(&json!([one.jwk(), two.jwk(), good.jwk()]), Ok(&[("good", Algorithm::Es384)]));
    check(&json!([one.jwk(), one.jwk(), one.jwk()]), Err(KeySetError::NoUsableKey));
}

#[test]
fn a_published_private_key_refuses_the_set() {
    let good = EhrKey::es384("good").jwk();
    check(&json!([good, with(good.clone(), "d", json!("AAAA"))]), Err(KeySetError::PrivateKey));
    check(&json!([good, { "kty": "oct", "kid": "s", "k": "c2VjcmV0" }]), Err(KeySetError::PrivateKey));
}

#[test]
fn what_is_not_a_set_is_malformed() {
    let many = vec![EhrKey::es384("x").jwk(); MAX_KEYS + 1];
    check(&json!(many), Err(KeySetError::TooMany));
    check(&json!({}), Err(KeySetError::Malformed));
    for text in ["", "null", "[]", "{}", r#"{"keys":[],"keys":[]}"#, "<html>", "{\"keys\":[{\"kty\":1}]}"] {
        assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err(), KeySetError::Malformed, "{text}");
    }
    assert_eq!(KeySet::parse(&vec![b' '; MAX_BYTES + 1]).unwrap_err(), KeySetError::Malformed);
}
