use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::trust::{ClientKeys, ClientTrust, testing, testing::NOW};

const AUD: &str = "https://ai.example.com/cds-services/news2";

fn issuer() -> Issuer {
    Issuer { iss: "https://gateway.example".into(), jku: "https://gateway.example/.well-known/jwks.json".into() }
}

fn open(dir: &TempDir, algorithms: &[Algorithm]) -> Result<Keyring, KeyringError> {
    Keyring::open(&dir.path().join("keys"), issuer(), algorithms)
}

fn to(algorithm: Algorithm) -> Recipient {
    Recipient { audience: AUD.to_owned(), algorithm }
}

/// What a vendor does: find the key in a copy of our set, verify with another library.
fn vendor_accepts(jwks: &[u8], token: &str) -> Option<Value> {
    let set: JwkSet = serde_json::from_slice(jwks).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = set.find(header.kid.as_ref().unwrap())?;
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[AUD]);
    validation.validate_exp = false; // the token's time is the test's, not the machine's
    let decoded = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation);
    Some(decoded.unwrap().claims)
}

fn kids(keyring: &Keyring) -> Vec<String> {
    let set: Value = serde_json::from_slice(&keyring.jwks_json()).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_vendor_with_our_published_keys_accepts_our_token() {
    let dir = TempDir::new().unwrap();
    let keyring = open(&dir, &[Algorithm::Es384, Algorithm::Rs384]).unwrap();
    for algorithm in [Algorithm::Es384, Algorithm::Rs384] {
        let token = keyring.sign(&to(algorithm), Some("h-7"), NOW).unwrap();
        let claims = vendor_accepts(&keyring.jwks_json(), &token).unwrap();
        let iat = NOW.unix_timestamp();
        assert_eq!((&claims["iss"], &claims["tenant"]), (&json!("https://gateway.example"), &json!("h-7")));
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(iat), &json!(iat + 300)));
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!((header.typ.as_deref(), header.jku), (Some("JWT"), Some(issuer().jku)));
    }
}

#[tokio::test]
async fn our_own_verifier_accepts_it_too() {
    let dir = TempDir::new().unwrap();
    let keyring = open(&dir, &[Algorithm::Es384]).unwrap();
    let (jwks, issuer) = (keyring.jwks_json(), issuer());
    let location = testing::guarded(&issuer.jku);
    let trust = ClientTrust { issuer: &issuer.iss, jwks: Some(&jwks), jwks_url: Some(&location), ..testing::trust("") };
    let to = Recipient { audience: testing::ENDPOINT.to_owned(), ..to(Algorithm::Es384) };
    let token = keyring.sign(&to, None, NOW).unwrap();
    testing::verify(&token, &ClientKeys::new(trust).unwrap(), NOW).await.unwrap();
}

#[test]
fn every_token_has_a_nonce_of_its_own() {
    let dir = TempDir::new().unwrap();
    let keyring = open(&dir, &[Algorithm::Es384]).unwrap();
    let nonce = || {
        vendor_accepts(&keyring.jwks_json(), &keyring.sign(&to(Algorithm::Es384), None, NOW).unwrap()).unwrap()["jti"]
            .clone()
    };
    assert_ne!(nonce(), nonce());
}

#[test]
fn the_keys_are_the_same_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let before = kids(&open(&dir, &[Algorithm::Es384]).unwrap());
    assert_eq!(kids(&open(&dir, &[Algorithm::Es384]).unwrap()), before);
}

#[test]
fn rotation_signs_with_the_key_that_was_published_before() {
    let dir = TempDir::new().unwrap();
    let keyring = open(&dir, &[Algorithm::Es384]).unwrap();
    let copy = keyring.jwks_json();
    let old_token = keyring.sign(&to(Algorithm::Es384), None, NOW).unwrap();
    keyring.rotate(NOW).unwrap();
    let new_token = keyring.sign(&to(Algorithm::Es384), None, NOW).unwrap();
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid;
    assert_ne!(kid(&old_token), kid(&new_token));
    assert!(vendor_accepts(&copy, &new_token).is_some(), "a cached copy of the set must know the new key");
    assert!(vendor_accepts(&keyring.jwks_json(), &old_token).is_some(), "tokens under way must stay good");
}

#[test]
fn two_rotations_retire_a_key_and_its_file() {
    let dir = TempDir::new().unwrap();
    let keyring = open(&dir, &[Algorithm::Es384]).unwrap();
    let first = keyring.sign(&to(Algorithm::Es384), None, NOW).unwrap();
    keyring.rotate(NOW).unwrap();
    assert!(matches!(keyring.rotate(NOW + SETTLED - Duration::SECOND), Err(KeyringError::TooSoon)));
    keyring.rotate(NOW + SETTLED).unwrap();
    assert!(vendor_accepts(&keyring.jwks_json(), &first).is_none());
    let key_files = std::fs::read_dir(dir.path().join("keys")).unwrap();
    let key_files = key_files.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "p8").count();
    assert_eq!((key_files, kids(&keyring).len()), (3, 3));
}

#[test]
fn keys_in_wrong_hands_are_replaced_all_at_once() {
    let dir = TempDir::new().unwrap();
    let keyring = open(&dir, &[Algorithm::Es384, Algorithm::Rs384]).unwrap();
    keyring.rotate(NOW).unwrap();
    let stolen = kids(&keyring);
    keyring.replace(NOW).unwrap();
    assert!(kids(&keyring).iter().all(|kid| !stolen.contains(kid)), "not one of them is published any more");
    assert!(stolen.iter().all(|kid| !dir.path().join(format!("keys/{kid}.p8")).exists()));
    let token = keyring.sign(&to(Algorithm::Es384), None, NOW).unwrap();
    assert!(vendor_accepts(&keyring.jwks_json(), &token).is_some());
}

#[test]
fn another_process_rotates_and_this_one_reloads() {
    let dir = TempDir::new().unwrap();
    let (server, command) = (open(&dir, &[Algorithm::Es384]).unwrap(), open(&dir, &[Algorithm::Es384]).unwrap());
    command.rotate(NOW).unwrap();
    assert_ne!(kids(&server), kids(&command));
    server.reload().unwrap();
    assert_eq!(kids(&server), kids(&command));
}

#[cfg(unix)]
#[test]
fn key_files_are_their_owners_alone_and_anything_else_refuses_the_start() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let dir = TempDir::new().unwrap();
    open(&dir, &[Algorithm::Es384]).unwrap();
    let folder = dir.path().join("keys");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let key =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).find(|path| path.extension().unwrap() == "p8");
    fs::set_permissions(key.unwrap(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(open(&dir, &[Algorithm::Es384]), Err(KeyringError::Exposed { .. })));
}

#[test]
fn a_damaged_or_swapped_key_refuses_the_start_and_is_not_overwritten() {
    let dir = TempDir::new().unwrap();
    let keyring = open(&dir, &[Algorithm::Es384]).unwrap();
    let folder = dir.path().join("keys");
    let paths: Vec<_> = kids(&keyring).iter().map(|kid| folder.join(format!("{kid}.p8"))).collect();
    let original = std::fs::read(&paths[0]).unwrap();
    for content in [b"nonsense".to_vec(), Vec::new(), std::fs::read(&paths[1]).unwrap()] {
        std::fs::write(&paths[0], &content).unwrap();
        assert!(matches!(open(&dir, &[Algorithm::Es384]), Err(KeyringError::Damaged { .. })));
        assert_eq!(std::fs::read(&paths[0]).unwrap(), content);
    }
    std::fs::write(&paths[0], original).unwrap();
    std::fs::write(folder.join("ES384.json"), "{}").unwrap();
    assert!(matches!(open(&dir, &[Algorithm::Es384]), Err(KeyringError::Damaged { .. })));
}

#[test]
fn a_token_fits_into_a_header_and_is_hidden_in_debug() {
    let dir = TempDir::new().unwrap();
    let bearer = open(&dir, &[Algorithm::Es384]).unwrap().bearer(&to(Algorithm::Es384), None, NOW).unwrap();
    assert_eq!(format!("{bearer:?}"), "Bearer(hidden)");
}

#[test]
fn only_the_recommended_algorithms_sign() {
    let dir = TempDir::new().unwrap();
    assert!(matches!(open(&dir, &[Algorithm::Es256]), Err(KeyringError::Algorithm(Algorithm::Es256))));
    let keyring = open(&dir, &[Algorithm::Es384]).unwrap();
    assert!(matches!(keyring.sign(&to(Algorithm::Rs384), None, NOW), Err(KeyringError::Algorithm(_))));
}

#[test]
fn the_published_set_holds_no_private_member() {
    let dir = TempDir::new().unwrap();
    let keyring = open(&dir, &[Algorithm::Es384]).unwrap();
    assert!(crate::trust::KeySet::parse(&keyring.jwks_json()).is_ok());
    assert!(!format!("{keyring:?}").contains("kid"));
}
