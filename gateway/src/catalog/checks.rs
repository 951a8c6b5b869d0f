//! What an object must be before it enters the catalog: every fault with its place and its mend, in both languages.
//!
//! Pure: a URL is judged by its text ([`Guard`]); the addresses behind its name are judged when it is called.

mod client;
mod descriptor;
mod enrollment;
mod hospital;
mod imaging;

use medvan_adapters::http::Guard;
use medvan_profiles::descriptor::{Fault, Words};

pub use client::client;
pub use descriptor::{Registration, registration, remarks};
pub use enrollment::{destinations, enrollment};
pub use hospital::{hospital, vendor};

/// A fault, each text as (English, Japanese).
pub fn fault(place: &str, reason: (&str, &str), mend: (&str, &str)) -> Fault {
    Fault {
        place: place.to_owned(),
        reason: reason.0.to_owned(),
        mend: mend.0.to_owned(),
        reason_ja: reason.1.to_owned(),
        mend_ja: mend.1.to_owned(),
    }
}

/// The id in the path names the object; one in the body that says otherwise is a mistake.
pub fn same_id(place: &str, in_path: &str, in_body: &str) -> Option<Fault> {
    (in_path != in_body).then(|| {
        fault(
            place,
            ("it differs from the id in the path", "パスの id と異なります"),
            ("write the same id in both", "同じ id を書いてください"),
        )
    })
}

fn words(place: &str, words: &Words) -> Option<Fault> {
    let bad = |text: &str| text.trim().is_empty() || text.chars().count() > 200;
    (bad(&words.ja) || bad(&words.en)).then(|| {
        fault(
            place,
            ("a text is empty or longer than 200 characters", "空であるか、200文字を超えています"),
            ("write both languages", "日本語と英語の両方を書いてください"),
        )
    })
}

fn url(place: &str, url: &str, guard: &Guard) -> Option<Fault> {
    let refused = guard.check(url).err()?;
    Some(fault(
        place,
        (&refused.to_string(), "この URL は呼び出せません"),
        ("write a URL that the gateway may call", "ゲートウェイから呼び出せる URL を書いてください"),
    ))
}
