//! The tables of tokens. Each row starts from a token in order and changes one thing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::Stage;
use crate::world::{Key, Tripwire};

type Make = fn(&Stage, &Tripwire) -> String;

/// Tokens that let nobody in. The number is that of the check.
pub(super) const REFUSED: &[(&str, Make)] = &[
    ("1: alg none", |stage, _| unsigned(stage, "none", "")),
    ("1: alg none in another spelling", |stage, _| unsigned(stage, "nOnE", "")),
    ("1: alg none over a real signature", |stage, _| {
        let token = stage.token();
        unsigned(stage, "none", token.rsplit('.').next().unwrap())
    }),
    ("1: no alg", |stage, _| header(stage, |header| remove(header, "alg"))),
    ("2: HS256 with the EC public key", |stage, _| hmac(stage, &stage.own, Algorithm::HS256, "HS256")),
    ("2: HS384 with the RSA public key", |stage, _| hmac(stage, &stage.rsa, Algorithm::HS384, "HS384")),
    ("2: an HMAC said to be RS384", |stage, _| hmac(stage, &stage.rsa, Algorithm::HS384, "RS384")),
    ("3: a P-256 key said to be ES384", |stage, _| {
        let mut header = stage.p256.header();
        header["alg"] = json!("ES384");
        stage.p256.sign(&header, &stage.claims())
    }),
    ("3: ES256, for which the client is not registered", |stage, _| {
        stage.p256.sign(&stage.p256.header(), &stage.claims())
    }),
    ("3: an RSA key said to be ES384", |stage, _| {
        let mut header = stage.rsa.header();
        header["alg"] = json!("ES384");
        stage.rsa.sign(&header, &stage.claims())
    }),
    ("4: aud of a sibling service", |stage, _| audience(stage, json!(stage.endpoint().replace("van-", "arashi.")))),
    ("4: aud of discovery", |stage, _| audience(stage, json!(format!("{}/cds-services", stage.world.base())))),
    ("4: aud of feedback", |stage, _| audience(stage, json!(format!("{}/feedback", stage.endpoint())))),
    ("4: aud of the gateway as a whole", |stage, _| audience(stage, json!(stage.world.gateway.url))),
    ("4: aud as Meld sends it", |stage, _| audience(stage, json!("sand_man"))),
    ("5: aud with one more place where the token is good", |stage, _| {
        audience(stage, json!([stage.endpoint(), "https://elsewhere.example/cds-services/x"]))
    }),
    ("5: aud with nothing in it", |stage, _| audience(stage, json!([]))),
    ("6: exp 6 minutes ahead", |stage, _| seconds(stage, "exp", 360)),
    ("6: exp a year ahead", |stage, _| seconds(stage, "exp", 31_536_000)),
    ("6: iat ahead, so that the life looks short", |stage, _| {
        claims(stage, |claims| {
            let now = claims["iat"].as_i64().unwrap();
            claims["iat"] = json!(now + 3000);
            claims["exp"] = json!(now + 3200);
        })
    }),
    ("7: exp as a string", |stage, _| as_text(stage, "exp")),
    ("7: iat as a string", |stage, _| as_text(stage, "iat")),
    ("7: nbf as a string", |stage, _| claims(stage, |claims| claims["nbf"] = json!("0"))),
    ("7: nbf null", |stage, _| claims(stage, |claims| claims["nbf"] = Value::Null)),
    ("7: nbf ahead", |stage, _| seconds(stage, "nbf", 200)),
    ("7: exp beyond all time", |stage, _| claims(stage, |claims| claims["exp"] = json!(1e300))),
    ("8: no iss", |stage, _| claims(stage, |claims| remove(claims, "iss"))),
    ("8: no aud", |stage, _| claims(stage, |claims| remove(claims, "aud"))),
    ("8: no exp", |stage, _| claims(stage, |claims| remove(claims, "exp"))),
    ("8: no iat", |stage, _| claims(stage, |claims| remove(claims, "iat"))),
    ("8: no jti", |stage, _| claims(stage, |claims| remove(claims, "jti"))),
    ("8: an empty jti", |stage, _| claims(stage, |claims| claims["jti"] = json!(""))),
    ("8: a foreign iss", |stage, _| claims(stage, |claims| claims["iss"] = json!("https://other.example"))),
    ("10: jku elsewhere", |stage, wire| header(stage, |header| header["jku"] = json!(wire.url("/jwks.json")))),
    ("10: x5u elsewhere, signed by a stranger", |stage, wire| {
        strangers(stage, |header| header["x5u"] = json!(wire.url("/chain.pem")))
    }),
    ("10: the stranger's own key in the token", |stage, _| {
        let stranger = Key::es384(&stage.own.kid);
        let mut header = stranger.header();
        header["jwk"] = stranger.jwk();
        stranger.sign(&header, &stage.claims())
    }),
    ("12: iss twice", |stage, _| twice(stage, r#""iss":"https://other.example""#)),
    ("12: exp twice", |stage, _| twice(stage, r#""exp":1"#)),
    ("12: jti twice", |stage, _| twice(stage, r#""jti":"again""#)),
    ("12: alg twice in the header", |stage, _| {
        let text = stage.own.header().to_string().replacen('{', r#"{"alg":"none","#, 1);
        stage.own.sign_text(&text, &stage.claims().to_string())
    }),
    ("13: kid as a path", |stage, _| kid(stage, "../../../../etc/passwd")),
    ("13: kid as SQL", |stage, _| kid(stage, "own' OR '1'='1")),
    ("13: kid as a URL", |stage, wire| kid(stage, &wire.url("/"))),
    ("13: kid of another key", |stage, _| kid(stage, "rsa")),
    ("13: no kid", |stage, _| header(stage, |header| remove(header, "kid"))),
    ("15: expired 61 s ago", |stage, _| shifted(stage, -361)),
    ("15: made 61 s ahead", |stage, _| shifted(stage, 65)),
    ("typ missing", |stage, _| header(stage, |header| remove(header, "typ"))),
    ("typ of something else", |stage, _| header(stage, |header| header["typ"] = json!("at+jwt"))),
    ("critical extensions", |stage, _| header(stage, |header| header["crit"] = json!(["b64"]))),
    ("signed by a stranger", |stage, _| strangers(stage, |_| {})),
    ("claims changed after signing", |stage, _| {
        let token = stage.token();
        let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        let mut claims = stage.claims();
        claims["tenant"] = json!("other");
        parts[1] = URL_SAFE_NO_PAD.encode(claims.to_string());
        parts.join(".")
    }),
    ("signature cut short", |stage, _| {
        let mut token = stage.token();
        token.truncate(token.len() - 8);
        token
    }),
    ("no signature", |stage, _| stage.token().rsplit_once('.').unwrap().0.to_owned()),
    ("a fourth part", |stage, _| format!("{}.e30", stage.token())),
    ("padded base64", |stage, _| format!("{}==", stage.token())),
    ("not a token at all", |_, _| "open-sesame".to_owned()),
    ("very long", |stage, _| claims(stage, |claims| claims["tenant"] = json!("x".repeat(9000)))),
];

/// Tokens in order, in the forms that the standard allows and real EHRs use.
pub(super) const ACCEPTED: &[(&str, Make)] = &[
    ("5: aud as an array of one", |stage, _| audience(stage, json!([stage.endpoint()]))),
    ("aud with a slash at the end", |stage, _| audience(stage, json!(format!("{}/", stage.endpoint())))),
    ("nbf 5 minutes before iat, as Epic sends it", |stage, _| seconds(stage, "nbf", -300)),
    ("10: the registered jku", |stage, _| header(stage, |header| header["jku"] = json!(stage.published.url()))),
    ("RS384", |stage, _| stage.rsa.sign(&stage.rsa.header(), &stage.claims())),
    ("15: expired less than a minute ago", |stage, _| shifted(stage, -330)),
    ("15: made less than a minute ahead", |stage, _| shifted(stage, 30)),
    ("a tenant", |stage, _| claims(stage, |claims| claims["tenant"] = json!("2ddd6c3a"))),
    ("further claims", |stage, _| claims(stage, |claims| claims["sub"] = json!("client"))),
];

fn header(stage: &Stage, bend: impl FnOnce(&mut Value)) -> String {
    let mut header = stage.own.header();
    bend(&mut header);
    stage.own.sign(&header, &stage.claims())
}

fn claims(stage: &Stage, bend: impl FnOnce(&mut Value)) -> String {
    let mut claims = stage.claims();
    bend(&mut claims);
    stage.own.sign(&stage.own.header(), &claims)
}

fn audience(stage: &Stage, audience: Value) -> String {
    claims(stage, |claims| claims["aud"] = audience)
}

fn kid(stage: &Stage, kid: &str) -> String {
    header(stage, |header| header["kid"] = json!(kid))
}

/// A claim that lies so many seconds after `iat`.
fn seconds(stage: &Stage, name: &str, after: i64) -> String {
    claims(stage, |claims| claims[name] = json!(claims["iat"].as_i64().unwrap() + after))
}

/// The whole token earlier or later.
fn shifted(stage: &Stage, seconds: i64) -> String {
    claims(stage, |claims| {
        for name in ["iat", "exp"] {
            claims[name] = json!(claims[name].as_i64().unwrap() + seconds);
        }
    })
}

fn as_text(stage: &Stage, name: &str) -> String {
    claims(stage, |claims| claims[name] = json!(claims[name].to_string()))
}

fn twice(stage: &Stage, member: &str) -> String {
    let text = stage.claims().to_string().replacen('{', &format!("{{{member},"), 1);
    stage.own.sign_text(&stage.own.header().to_string(), &text)
}

fn strangers(stage: &Stage, bend: impl FnOnce(&mut Value)) -> String {
    let stranger = Key::es384(&stage.own.kid);
    let mut header = stranger.header();
    bend(&mut header);
    stranger.sign(&header, &stage.claims())
}

fn hmac(stage: &Stage, public: &Key, algorithm: Algorithm, said: &str) -> String {
    let header = json!({"alg": said, "typ": "JWT", "kid": public.kid});
    Key::hmac(algorithm, public.jwk().to_string().as_bytes(), &header, &stage.claims())
}

fn unsigned(stage: &Stage, algorithm: &str, signature: &str) -> String {
    let mut header = stage.own.header();
    header["alg"] = json!(algorithm);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", encode(&header), encode(&stage.claims()))
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name).unwrap();
}
