use jsonwebtoken::Algorithm as Alg;
use proptest::prelude::*;
use serde_json::{Value, json};
use time::Duration;

use super::*;
use crate::trust::testing::{ENDPOINT, EhrKey, NOW, claims, guarded, set, trust, verify};

/// Changes the claims of a good token and expects this.
async fn check(change: impl Fn(&mut Value), expect: Result<(), Refusal>) {
    let key = EhrKey::es384("k");
    let mut claims = claims();
    change(&mut claims);
    let client = ClientKeys::new(trust(&set(&[&key]))).unwrap();
    let result = verify(&key.sign(&key.header(), &claims), &client, NOW).await;
    assert_eq!(result.map(|_| ()), expect, "{claims}");
}

/// Changes the header of a good token and expects this.
async fn check_header(change: impl Fn(&mut Value), expect: Result<(), Refusal>) {
    let key = EhrKey::es384("k");
    let mut header = key.header();
    change(&mut header);
    let client = ClientKeys::new(trust(&set(&[&key]))).unwrap();
    let result = verify(&key.sign(&header, &claims()), &client, NOW).await;
    assert_eq!(result.map(|_| ()), expect, "{header}");
}

/// Signs with `signer`, publishes `published`.
async fn check_keys(token: &str, published: &str, algorithms: &[&str], expect: Result<(), Refusal>) {
    let algorithms: Vec<String> = algorithms.iter().map(ToString::to_string).collect();
    let client = ClientKeys::new(ClientTrust { algorithms: &algorithms, ..trust(published) }).unwrap();
    assert_eq!(verify(token, &client, NOW).await.map(|_| ()), expect);
}

fn seconds(seconds: i64) -> i64 {
    NOW.unix_timestamp() + seconds
}

#[tokio::test]
async fn a_token_in_order_says_who_called() {
    let key = EhrKey::es384("k");
    let mut claims = claims();
    claims["tenant"] = json!("ward-3");
    let client = ClientKeys::new(trust(&set(&[&key]))).unwrap();
    let verified = verify(&key.sign(&key.header(), &claims), &client, NOW).await.unwrap();
    assert_eq!((verified.iss.as_str(), verified.jti.as_str()), ("https://ehr.minato.example", "nonce-1"));
    assert_eq!((verified.exp, verified.tenant.as_deref()), (NOW + Duration::minutes(5), Some("ward-3")));
}

#[tokio::test]
async fn every_registered_algorithm_verifies() {
    let keys = [
        EhrKey::es384("k"),
        EhrKey::es256("k"),
        EhrKey::rsa("k", Alg::RS256),
        EhrKey::rsa("k", Alg::RS384),
        EhrKey::rsa("k", Alg::RS512),
        EhrKey::rsa("k", Alg::PS256),
        EhrKey::rsa("k", Alg::PS384),
        EhrKey::rsa("k", Alg::PS512),
    ];
    for key in keys {
        check_keys(&key.token(), &set(&[&key]), &[&format!("{:?}", key.alg)], Ok(())).await;
    }
}

#[tokio::test]
async fn only_es384_and_rs384_are_accepted_unless_registered_otherwise() {
    for (key, expect) in [
        (EhrKey::es384("k"), Ok(())),
        (EhrKey::rsa("k", Alg::RS384), Ok(())),
        (EhrKey::es256("k"), Err(Refusal::Algorithm)),
        (EhrKey::rsa("k", Alg::RS256), Err(Refusal::Algorithm)),
    ] {
        check_keys(&key.token(), &set(&[&key]), &[], expect).await;
    }
}

#[tokio::test]
async fn none_is_refused_in_every_spelling() {
    let key = EhrKey::es384("k");
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let mut header = key.header();
        header["alg"] = json!(alg);
        let token = key.sign(&header, &claims());
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        for token in [token, unsigned] {
            check_keys(&token, &set(&[&key]), &[], Err(Refusal::Algorithm)).await;
        }
    }
}

#[tokio::test]
async fn a_public_key_used_as_hmac_secret_is_refused() {
    let key = EhrKey::rsa("k", Alg::RS384);
    let secret = key.jwk()["n"].as_str().unwrap().to_owned();
    for alg in [Alg::HS256, Alg::HS384, Alg::HS512] {
        let header = jsonwebtoken::Header { kid: Some("k".into()), ..jsonwebtoken::Header::new(alg) };
        let hmac = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        let token = jsonwebtoken::encode(&header, &claims(), &hmac).unwrap();
        check_keys(&token, &set(&[&key]), &["ES384", "RS384", "RS256"], Err(Refusal::Algorithm)).await;
    }
}

#[tokio::test]
async fn a_key_verifies_no_algorithm_but_its_own() {
    let all: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
    let (p256, p384, rsa) = (EhrKey::es256("k"), EhrKey::es384("k"), EhrKey::rsa("k", Alg::RS384));
    for (signer, claimed, published) in [
        (&p256, "ES384", &p256),
        (&p384, "ES256", &p384),
        (&rsa, "RS256", &rsa),
        (&rsa, "PS384", &rsa),
        (&p384, "RS384", &p384),
    ] {
        let mut header = signer.header();
        header["alg"] = json!(claimed);
        let token = signer.sign(&header, &claims());
        check_keys(&token, &set(&[published]), &all, Err(Refusal::UnknownKey)).await;
    }
}

#[tokio::test]
async fn another_key_under_the_same_kid_is_a_wrong_signature() {
    check_keys(&EhrKey::es384("k").token(), &set(&[&EhrKey::es384("k")]), &[], Err(Refusal::Signature)).await;
}

#[tokio::test]
async fn whatever_is_changed_after_signing_is_a_wrong_signature() {
    let key = EhrKey::es384("k");
    let (token, published) = (key.token(), set(&[&key]));
    let mut other = claims();
    other["tenant"] = json!("x");
    let others = key.sign(&key.header(), &other);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let foreign = others.rsplit_once('.').unwrap().1;
    let zeros = "A".repeat(128);
    for signature in [foreign, &zeros, &signature[4..], "", &"A".repeat(4000)] {
        check_keys(&format!("{signed}.{signature}"), &published, &[], Err(Refusal::Signature)).await;
    }
}

#[tokio::test]
async fn the_audience_is_the_called_address_alone() {
    let sibling = "https://gateway.example/hospitals/minato/cds-services/van-order-sign";
    let refused = Err(Refusal::Audience);
    check(|claims| claims["aud"] = json!([ENDPOINT]), Ok(())).await;
    check(|claims| claims["aud"] = json!(format!("{ENDPOINT}/")), Ok(())).await;
    check(|claims| claims["aud"] = json!(sibling), refused).await;
    check(|claims| claims["aud"] = json!([sibling]), refused).await;
    check(|claims| claims["aud"] = json!([ENDPOINT, sibling]), refused).await;
    check(|claims| claims["aud"] = json!(ENDPOINT.to_uppercase()), refused).await;
    check(|claims| claims["aud"] = json!(format!("{ENDPOINT}/feedback")), refused).await;
    check(|claims| claims["aud"] = json!("https://gateway.example"), refused).await;
    check(|claims| claims["aud"] = json!("*"), refused).await;
}

#[tokio::test]
async fn an_audience_of_the_registration_is_accepted_too() {
    let key = EhrKey::es384("k");
    let mut claims = claims();
    claims["aud"] = json!("sand_man");
    let (published, audiences) = (set(&[&key]), ["sand_man".to_owned()]);
    let client = ClientKeys::new(ClientTrust { audiences: &audiences, ..trust(&published) }).unwrap();
    assert!(verify(&key.sign(&key.header(), &claims), &client, NOW).await.is_ok());
}

#[tokio::test]
async fn both_addresses_of_feedback_are_accepted() {
    let key = EhrKey::es384("k");
    let client = ClientKeys::new(trust(&set(&[&key]))).unwrap();
    let verifier = Verifier::new(crate::trust::testing::jwks());
    let feedback = format!("{ENDPOINT}/feedback");
    for audience in [ENDPOINT, &feedback] {
        let mut claims = claims();
        claims["aud"] = json!(audience);
        let token = key.sign(&key.header(), &claims);
        let token = Token::parse(&token).unwrap();
        assert!(verifier.verify(&token, &client, &[ENDPOINT, &feedback], NOW).await.is_ok(), "{audience}");
    }
}

#[tokio::test]
async fn the_issuer_is_the_registered_one() {
    for issuer in ["https://ehr.minato.example/", "https://EHR.minato.example", "https://other.example", "x"] {
        check(|claims| claims["iss"] = json!(issuer), Err(Refusal::Issuer)).await;
    }
}

#[tokio::test]
async fn times_are_kept_with_a_minute_of_skew() {
    let too_long = Err(Refusal::LifeTooLong { max_seconds: 300 });
    let table = [
        (-300, 0, None, Ok(())),
        (-359, -59, None, Ok(())),
        (-360, -60, None, Err(Refusal::Expired { seconds: 60 })),
        (-4000, -3700, None, Err(Refusal::Expired { seconds: 3700 })),
        (60, 359, None, Ok(())),
        (61, 300, None, Err(Refusal::FromTheFuture { seconds: 61 })),
        (86_400, 86_700, None, Err(Refusal::FromTheFuture { seconds: 86_400 })),
        (0, 300, Some(0), Ok(())),
        (0, 300, Some(-300), Ok(())),
        (0, 300, Some(60), Ok(())),
        (0, 300, Some(61), Err(Refusal::FromTheFuture { seconds: 61 })),
        (0, 301, None, too_long),
        (0, 360, None, too_long),
        (60, 360, None, too_long),
        (-250, 51, None, too_long),
        (0, 253_402_300_799 - NOW.unix_timestamp(), None, too_long),
    ];
    for (iat, exp, nbf, expect) in table {
        let change = |claims: &mut Value| {
            claims["iat"] = json!(seconds(iat));
            claims["exp"] = json!(seconds(exp));
            if let Some(nbf) = nbf {
                claims["nbf"] = json!(seconds(nbf));
            }
        };
        check(change, expect).await;
    }
}

#[tokio::test]
async fn a_client_may_be_registered_for_longer_lives_up_to_an_hour() {
    let key = EhrKey::es384("k");
    let published = set(&[&key]);
    let mut quarter = claims();
    quarter["exp"] = json!(seconds(900));
    quarter["nbf"] = json!(seconds(-300)); // as Epic's example
    let client = ClientKeys::new(ClientTrust { max_life_seconds: Some(900), ..trust(&published) }).unwrap();
    assert!(verify(&key.sign(&key.header(), &quarter), &client, NOW).await.is_ok());
    for seconds in [0, 3601] {
        let fault = ClientKeys::new(ClientTrust { max_life_seconds: Some(seconds), ..trust(&published) }).unwrap_err();
        assert_eq!(fault, TrustFault::Life);
    }
}

#[tokio::test]
async fn every_required_claim_is_missed() {
    for name in ["iss", "aud", "exp", "iat", "jti"] {
        check(|claims| drop(claims.as_object_mut().unwrap().remove(name)), Err(Refusal::Claim(name))).await;
    }
}

#[tokio::test]
async fn a_claim_of_the_wrong_type_is_refused() {
    let table = [
        ("exp", json!("1795338300")),
        ("exp", json!(null)),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!([1])),
        ("iat", json!("1795338000")),
        ("iat", json!(true)),
        ("nbf", json!("1795338000")),
        ("nbf", json!(null)),
        ("jti", json!(7)),
        ("jti", json!("")),
        ("jti", json!("x".repeat(1025))),
        ("iss", json!({})),
        ("iss", json!(["https://ehr.minato.example"])),
        ("aud", json!(1)),
        ("aud", json!([])),
        ("aud", json!([1])),
        ("aud", json!([ENDPOINT, null])),
        ("aud", json!(vec![ENDPOINT; 9])),
        ("tenant", json!(5)),
    ];
    for (name, value) in table {
        check(|claims| claims[name] = value.clone(), Err(Refusal::Claim(name))).await;
    }
}

#[tokio::test]
async fn times_with_a_fraction_are_numbers_too() {
    check(|claims| claims["exp"] = json!(seconds(299) as f64 + 0.5), Ok(())).await;
}

#[tokio::test]
async fn a_member_that_comes_twice_is_refused() {
    let key = EhrKey::es384("k");
    let (header, claims, published) = (key.header().to_string(), claims().to_string(), set(&[&key]));
    let doubled = |json: &str, member: &str| json.replacen('{', &format!("{{{member},"), 1);
    let tokens = [
        key.sign_text(&header, &doubled(&claims, r#""iss":"https://other.example""#)),
        key.sign_text(&header, &doubled(&claims, r#""\u0069ss":"https://other.example""#)),
        key.sign_text(&header, &doubled(&claims, r#""x":{"a":1,"a":2}"#)),
        key.sign_text(&doubled(&header, r#""alg":"none""#), &claims),
    ];
    for token in tokens {
        check_keys(&token, &published, &[], Err(Refusal::Malformed)).await;
    }
}

#[tokio::test]
async fn the_header_is_read_strictly() {
    check_header(|header| header["typ"] = json!("jwt"), Ok(())).await;
    check_header(|header| header["typ"] = json!("at+jwt"), Err(Refusal::Type)).await;
    check_header(|header| drop(header.as_object_mut().unwrap().remove("typ")), Err(Refusal::Type)).await;
    check_header(|header| header["crit"] = json!(["exp"]), Err(Refusal::Critical)).await;
    check_header(|header| header["alg"] = json!(["ES384"]), Err(Refusal::Malformed)).await;
    check_header(|header| drop(header.as_object_mut().unwrap().remove("kid")), Err(Refusal::Malformed)).await;
}

#[tokio::test]
async fn a_kid_is_only_ever_compared() {
    for kid in ["../../etc/passwd", "' OR 1=1 --", "", "k\0", "K", "日本", "a+/=="] {
        check_header(|header| header["kid"] = json!(kid), Err(Refusal::UnknownKey)).await;
    }
    let odd = EhrKey::es384("a+A8/==");
    check_keys(&odd.token(), &set(&[&odd]), &[], Ok(())).await;
}

#[tokio::test]
async fn a_key_in_the_token_itself_is_not_looked_at() {
    let (trusted, attacker) = (EhrKey::es384("k"), EhrKey::es384("k"));
    let mut header = attacker.header();
    header["jwk"] = attacker.jwk();
    header["x5u"] = json!("https://attacker.example/cert");
    header["x5c"] = json!(["AAAA"]);
    check_keys(&attacker.sign(&header, &claims()), &set(&[&trusted]), &[], Err(Refusal::Signature)).await;
}

#[tokio::test]
async fn a_jku_with_given_keys_is_accepted_only_as_registered() {
    let key = EhrKey::es384("k");
    let (published, url) = (set(&[&key]), guarded("https://ehr.minato.example/jwks.json"));
    let client = ClientKeys::new(ClientTrust { jwks_url: Some(&url), ..trust(&published) }).unwrap();
    for (jku, expect) in [
        ("https://ehr.minato.example/jwks.json", Ok(())),
        ("HTTPS://EHR.minato.example:443/jwks.json", Ok(())),
        ("https://ehr.minato.example/jwks.json?x", Err(Refusal::KeyLocation)),
        ("https://ehr.minato.example.evil.example/jwks.json", Err(Refusal::KeyLocation)),
        ("", Err(Refusal::KeyLocation)),
    ] {
        let mut header = key.header();
        header["jku"] = json!(jku);
        let result = verify(&key.sign(&header, &claims()), &client, NOW).await;
        assert_eq!(result.map(|_| ()), expect, "{jku}");
    }
}

#[tokio::test]
async fn what_is_not_a_compact_jwt_is_malformed() {
    let key = EhrKey::es384("k");
    let good = key.token();
    let (signed, _) = good.rsplit_once('.').unwrap();
    let table = [
        String::new(),
        ".".into(),
        "..".into(),
        "a.b.c".into(),
        signed.to_owned(),
        format!("{good}.x"),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        good.replacen("ey", "e+", 1),
        key.sign_text("[]", "{}"),
        key.sign_text(r#"["ES384","JWT","k",null,null]"#, &claims().to_string()),
        key.sign_text(&key.header().to_string(), "[]"),
        key.sign_text(&key.header().to_string(), "\"x\""),
        key.sign_text(&key.header().to_string(), &format!("\u{feff}{}", claims())),
        key.sign_text(&key.header().to_string(), &format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100))),
        "A".repeat(100_000),
        format!("{}.{}.{}", "A".repeat(4000), "A".repeat(4000), "A".repeat(400)),
    ];
    for token in table {
        assert_eq!(Token::parse(&token).unwrap_err(), Refusal::Malformed, "{}", &token[..token.len().min(40)]);
    }
}

#[test]
fn a_registration_without_what_is_needed_names_the_mend() {
    let published = set(&[&EhrKey::es384("k")]);
    let good = trust(&published);
    let hmac = ["HS256".to_owned()];
    let table = [
        (ClientTrust { issuer: "", ..good }, TrustFault::Issuer),
        (ClientTrust { jwks: None, ..good }, TrustFault::Keys),
        (ClientTrust { jwks: Some(b"{}"), ..good }, TrustFault::KeySet(KeySetError::Malformed)),
        (ClientTrust { algorithms: &hmac, ..good }, TrustFault::Algorithm),
    ];
    for (trust, fault) in table {
        assert_eq!(ClientKeys::new(trust).unwrap_err(), fault);
    }
}

/// The example of CDS Hooks 2.0, "JWT Signing Algorithm": token and key set verify, and the token is long over.
#[tokio::test]
async fn the_example_of_the_standard_verifies() {
    const JWKS: &str = r#"{"keys":[{"kty":"EC","use":"sig","crv":"P-384","kid":"example-kid",
        "x":"46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
        "y":"XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI","alg":"ES384"}]}"#;
    const TOKEN: &str = "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImV4YW1wbGUta2lkIiwiamt1IjoiaHR0cHM6Ly9maGlyLWVoci5leGFtcGxlLmNvbS9qd2tfdXJpIn0.eyJpc3MiOiJodHRwczovL2ZoaXItZWhyLmV4YW1wbGUuY29tLyIsInN1YiI6ImNsaWVudF9pZCIsImF1ZCI6Imh0dHBzOi8vY2RzLmV4YW1wbGUub3JnL2Nkcy1zZXJ2aWNlcy9zb21lLXNlcnZpY2UiLCJleHAiOjE0MjI1Njg4NjAsImlhdCI6MTMxMTI4MDk3MCwianRpIjoiZWUyMmIwMjEtZTFiNy00NjExLWJhNWItOGVlYzZhMzNhYzFlIiwidGVuYW50IjoiMmRkZDZjM2EtOGU5YS00NGM2LWEzMDUtNTIxMTFhZDMwMmEyIn0.CUFPkplnWd6YGIvzoHolWCQBDsCL8QtTWKGg_QFpS169WrqDGzktRi-_we6-6rVzbjerU27ZKww_SW0-b9RTz-dPJNcqsueMio8r6EqXUXhbLm_ch3XFSbDlGHDl_tqo";
    let (token, keys) = (Token::parse(TOKEN).unwrap(), KeySet::parse(JWKS.as_bytes()).unwrap());
    let key = keys.find(&token.header.kid, token.algorithm).unwrap();
    assert!(key.verifies(token.signed.as_bytes(), &token.signature));
    assert_eq!(token.claims.tenant.as_deref(), Some("2ddd6c3a-8e9a-44c6-a305-52111ad302a2"));

    let url = guarded("https://fhir-ehr.example.com/jwk_uri");
    let client =
        ClientKeys::new(ClientTrust { issuer: "https://fhir-ehr.example.com/", jwks_url: Some(&url), ..trust(JWKS) });
    let verifier = Verifier::new(crate::trust::testing::jwks());
    let called = "https://cds.example.org/cds-services/some-service";
    let refusal = verifier.verify(&token, &client.unwrap(), &[called], NOW).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Expired { .. }), "{refusal}");
}

/// Verifies without a runtime of its own: keys that are given need no network, so one poll is enough.
fn verify_now(token: &str, client: &ClientKeys) -> Result<Verified, Refusal> {
    use futures_util::FutureExt as _;
    verify(token, client, NOW).now_or_never().unwrap()
}

proptest! {
    #[test]
    fn any_text_is_refused_without_harm(text in ".{0,200}|[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}") {
        prop_assert!(Token::parse(&text).is_err());
    }

    #[test]
    fn no_single_character_can_be_changed(place: prop::sample::Index, replacement in "[A-Za-z0-9_.=-]") {
        static KEY: std::sync::LazyLock<EhrKey> = std::sync::LazyLock::new(|| EhrKey::es384("k"));
        static TOKEN: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| KEY.token());
        static CLIENT: std::sync::LazyLock<ClientKeys> =
            std::sync::LazyLock::new(|| ClientKeys::new(trust(&set(&[&KEY]))).unwrap());
        let at = place.index(TOKEN.len());
        let mut changed = TOKEN.clone();
        changed.replace_range(at..=at, &replacement);
        prop_assert_eq!(verify_now(&changed, &CLIENT).is_ok(), changed == *TOKEN);
    }
}
