//! What signatures cost on each call: checking an EHR's token, and signing one's own for a vendor.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use medvan::trust::{Algorithm, ClientKeys, ClientTrust, Issuer, Jwks, Keyring, Recipient, Token, Verifier};
use medvan_adapters::http::{Client, Guard, Profile, Settings};
use time::{OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-11-22 09:00 UTC);
const AUDIENCE: &str = "https://van.example/hospitals/kaede/cds-services/van-patient-view";

fn keyring(folder: &std::path::Path, algorithm: Algorithm) -> Keyring {
    let issuer = Issuer { iss: "https://ehr.example".to_owned(), jku: "https://ehr.example/jwks.json".to_owned() };
    Keyring::open(folder, issuer, &[algorithm]).expect("the folder is fresh")
}

fn tokens(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for algorithm in [Algorithm::Es384, Algorithm::Rs384] {
        let folder = tempfile::tempdir().expect("a folder");
        let keyring = keyring(folder.path(), algorithm);
        let to = Recipient { audience: AUDIENCE.to_owned(), algorithm };
        c.bench_function(&format!("sign {}", algorithm.name()), |b| {
            b.iter(|| keyring.sign(black_box(&to), Some("kaede"), NOW));
        });
        let jwks = keyring.jwks_json();
        let client = Client::new(Guard::new(Profile::Production, []), &Settings::default()).expect("a client");
        // The token names this location; the keys are given, so nothing is fetched from it.
        let location = client.guard().check("https://ehr.example/jwks.json").expect("a public name");
        let trust = ClientTrust {
            issuer: "https://ehr.example",
            jwks: Some(&jwks),
            jwks_url: Some(&location),
            audiences: &[],
            algorithms: &[],
            max_life_seconds: None,
        };
        let keys = ClientKeys::new(trust).expect("the keys are our own");
        let verifier = Verifier::new(Jwks::new(client));
        let text = keyring.sign(&to, Some("kaede"), NOW).expect("a token");
        c.bench_function(&format!("verify {}", algorithm.name()), |b| {
            b.iter(|| {
                let token = Token::parse(black_box(&text)).expect("it is well formed");
                runtime.block_on(verifier.verify(&token, &keys, &[AUDIENCE], NOW)).expect("it is ours")
            });
        });
    }
}

criterion_group!(benches, tokens);
criterion_main!(benches);
