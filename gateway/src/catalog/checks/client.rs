//! Clients.

use medvan_adapters::http::{Guard, Profile};
use medvan_profiles::descriptor::Fault;
use url::{Origin, Url};

use super::{fault, url};
use crate::catalog::{Authentication, Client, JwtAuthentication};

/// Signature algorithms that a client may be given: those of CDS Hooks, and their weaker kin that EHRs use.
const ALGORITHMS: &[&str] = &["ES384", "RS384", "ES256", "RS256"];
/// The ways to write an answer.
const DIALECTS: &[&str] = &["generic", "epic", "oracle", "sandbox"];

/// Faults of a client.
pub fn client(client: &Client, guard: &Guard) -> Vec<Fault> {
    let mut faults = match &client.authentication {
        Authentication::Jwt(jwt) => jwt_faults(jwt, guard),
        Authentication::Loopback => loopback(guard).into_iter().collect(),
    };
    faults.extend(client.fhir_server.as_ref().and_then(|server| fhir_server(server, guard)));
    faults.extend(one_of("/dialect", &client.dialect, DIALECTS));
    let origins = client.origins.iter().enumerate();
    faults.extend(origins.filter_map(|(index, text)| origin(&format!("/origins/{index}"), text)));
    faults
}

fn jwt_faults(jwt: &JwtAuthentication, guard: &Guard) -> Vec<Fault> {
    let mut faults = Vec::new();
    faults.extend(issuer(&jwt.issuer));
    faults.extend(keys(jwt));
    faults.extend(jwt.jwks_url.as_ref().and_then(|jwks| url("/authentication/jwt/jwksUrl", jwks.as_str(), guard)));
    let algorithms = jwt.algorithms.iter().enumerate();
    faults.extend(algorithms.filter_map(|(index, algorithm)| {
        one_of(&format!("/authentication/jwt/algorithms/{index}"), algorithm, ALGORITHMS)
    }));
    faults.extend(life(jwt.max_life_seconds));
    faults
}

/// Queries are written behind it, so it must be a bare base.
fn fhir_server(server: &Url, guard: &Guard) -> Option<Fault> {
    if server.query().is_none() && server.fragment().is_none() {
        return url("/fhirServer", server.as_str(), guard);
    }
    Some(fault(
        "/fhirServer",
        ("it has a query or a fragment", "クエリまたはフラグメントが付いています"),
        ("write the base URL only", "ベース URL だけを書いてください"),
    ))
}

/// Whoever stands on the same machine is believed: only for development.
fn loopback(guard: &Guard) -> Option<Fault> {
    (guard.profile() == Profile::Production).then(|| {
        fault(
            "/authentication",
            ("'loopback' believes every caller", "loopback はすべての呼び出し元を信用します"),
            ("use 'jwt' in production", "本番環境では jwt を使ってください"),
        )
    })
}

fn issuer(issuer: &str) -> Option<Fault> {
    (issuer.trim().is_empty() || issuer.len() > 2_048).then(|| {
        fault(
            "/authentication/jwt/issuer",
            ("it is empty or too long", "空であるか、長すぎます"),
            ("write the `iss` of the client's tokens exactly", "トークンの iss を正確に書いてください"),
        )
    })
}

fn keys(jwt: &JwtAuthentication) -> Option<Fault> {
    let is_set = |jwks: &serde_json::Value| jwks.get("keys").is_some_and(serde_json::Value::is_array);
    let good = match (&jwt.jwks, &jwt.jwks_url) {
        (Some(jwks), None) => is_set(jwks),
        (None, Some(_)) => true,
        _ => false,
    };
    (!good).then(|| {
        fault(
            "/authentication/jwt",
            ("the client's public keys are not known by it", "公開鍵が分かりません"),
            ("write either jwks (a JWK Set) or jwksUrl", "jwks(JWK Set)か jwksUrl のどちらか一方を書いてください"),
        )
    })
}

fn life(seconds: Option<u32>) -> Option<Fault> {
    (!(1..=3_600).contains(&seconds?)).then(|| {
        fault(
            "/authentication/jwt/maxLifeSeconds",
            ("it must be 1 to 3600", "1~3600 にする必要があります"),
            ("CDS Hooks asks for 300 or less", "CDS Hooks では 300 以下が求められます"),
        )
    })
}

fn one_of(place: &str, word: &str, words: &[&str]) -> Option<Fault> {
    (!words.contains(&word)).then(|| {
        let mend = format!("one of: {}", words.join(", "));
        fault(place, ("it is not known", "この値は使えません"), (&mend, &mend))
    })
}

/// An origin as a browser sends it (RFC 6454 §6.2): no path, no trailing slash.
fn origin(place: &str, text: &str) -> Option<Fault> {
    let written = Url::parse(text).map(|url| url.origin());
    let good = matches!(&written, Ok(origin @ Origin::Tuple(..)) if origin.ascii_serialization() == text);
    (!good).then(|| {
        fault(
            place,
            ("it is not an origin", "オリジンではありません"),
            ("write scheme and host, as in https://ehr.example", "https://ehr.example のように書いてください"),
        )
    })
}
