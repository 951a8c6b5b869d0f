//! An archive to which instances go (STOW-RS, PS3.18 §10.5): what it says of each of them.

use std::{
    collections::{HashMap, HashSet},
    fmt, io,
};

use bytes::Bytes;
use dicom_dictionary_std::tags;
use futures_util::stream::BoxStream;
use medvan_imaging::{Uid, attributes::Attributes, dimse::Status, json};
use reqwest::{StatusCode, header::CONTENT_TYPE};

use super::{LIST, Root};
use crate::{
    advisor::{AdviseError, ErrorKind},
    http::Response,
};

/// Characters of an archive's own words that are kept.
const WORDS: usize = 300;

/// What an archive said of the instances of one request (PS3.18 table 10.5.3-2).
#[derive(Debug, Default)]
pub struct StoreAnswer {
    stored: HashSet<Uid>,
    failed: HashMap<Uid, Refusal>,
    /// The status said that all of them are stored.
    is_all: bool,
}

/// What an archive said of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It has it.
    Stored,
    /// It does not take it.
    Refused(Refusal),
    /// Of others it said something, and of this one nothing.
    Nothing,
}

/// Why an instance was not taken, in the archive's own words where it had some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Failure Reason (0008,1197): a status of C-STORE.
    pub reason: Status,
    /// Error Comment (0000,0902), as some archives add it.
    pub comment: Option<String>,
}

/// Why it is not known that anything was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untaken {
    /// There was no answer.
    NoAnswer(AdviseError),
    /// It refused the request as a whole, in its own words where it had some.
    Status(StatusCode, String),
}

impl Root {
    /// Stores instances of a study in one request, each opened when the one before it has left.
    ///
    /// # Errors
    /// No answer, or one about the whole request. Perhaps something was stored all the same.
    pub async fn store_each(
        &self,
        study: &Uid,
        instances: Vec<BoxStream<'static, io::Result<Bytes>>>,
    ) -> Result<StoreAnswer, Untaken> {
        let request = self.store_request(study, instances, None)?;
        let response = self.client.fetch(request).await.map_err(AdviseError::from)?;
        StoreAnswer::of(&response)
    }

    /// Asks whether the archive is there, by a search for one study (QIDO-RS).
    ///
    /// # Errors
    /// It does not answer, or not with a list.
    pub async fn answers(&self) -> Result<(), Untaken> {
        let response = self.client.fetch(self.search_request("/studies?limit=1", LIST)?).await;
        let response = response.map_err(AdviseError::from)?;
        match response.status {
            StatusCode::NO_CONTENT => Ok(()),
            StatusCode::OK if json::parse_many(&response.body).is_ok() => Ok(()),
            StatusCode::OK => Err(ErrorKind::NotDicom.into()),
            status => Err(Untaken::Status(status, words(&response))),
        }
    }
}

impl StoreAnswer {
    fn of(response: &Response) -> Result<Self, Untaken> {
        let told = Self::read(&response.body);
        match response.status {
            // A page for people, as a proxy has one for who is to log in, is no archive's answer.
            StatusCode::OK if told.is_none() && is_page(response) => Err(ErrorKind::NotDicom.into()),
            // 200 itself says that all are stored (table 10.5.3-1), also where the list is missing or in XML.
            StatusCode::OK => Ok(Self { is_all: true, ..told.unwrap_or_default() }),
            // Some are stored: only those that are named.
            StatusCode::ACCEPTED => Ok(told.unwrap_or_default()),
            status => match told {
                // All of them failed, each for a reason of its own.
                Some(told) if !told.failed.is_empty() => Ok(told),
                _ => Err(Untaken::Status(status, words(response))),
            },
        }
    }

    /// Nothing where it is no store response.
    fn read(body: &[u8]) -> Option<Self> {
        let told = json::parse_many(body).ok()?;
        let mut answer = Self::default();
        for told in &told {
            let named = |item: &Attributes| Uid::parse(item.text(tags::REFERENCED_SOP_INSTANCE_UID)?.trim()).ok();
            answer.stored.extend(told.items(tags::REFERENCED_SOP_SEQUENCE).iter().filter_map(named));
            for item in told.items(tags::FAILED_SOP_SEQUENCE) {
                let Some(uid) = named(item) else { continue };
                let reason = item.text(tags::FAILURE_REASON).and_then(|reason| reason.trim().parse().ok());
                let comment = item.text(tags::ERROR_COMMENT).map(|comment| plain(&comment));
                let comment = comment.filter(|comment| !comment.is_empty());
                answer.failed.insert(uid, Refusal { reason: Status(reason.unwrap_or(0x0110)), comment });
            }
        }
        Some(answer)
    }

    /// What was said of an instance. Whoever says that all is well and names none stored all.
    pub fn of_instance(&self, uid: &Uid) -> Said {
        match self.failed.get(uid) {
            Some(refusal) => Said::Refused(refusal.clone()),
            None if self.stored.contains(uid) => Said::Stored,
            None if self.is_all && self.stored.is_empty() && self.failed.is_empty() => Said::Stored,
            None => Said::Nothing,
        }
    }
}

impl Untaken {
    /// Whether the request as it is will not be taken another time either.
    pub fn is_for_ever(&self) -> bool {
        matches!(self, Self::Status(status, _) if matches!(status.as_u16(), 400 | 406 | 409 | 411..=417 | 422))
    }

    /// Whether it is about the way to the archive, and so about every request: it does not answer, it does not let the gateway in, it is
    /// not there. 500 may be about what was sent.
    pub fn is_of_the_way(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Status(status, _) => !self.is_for_ever() && *status != StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.comment {
            Some(comment) => write!(f, "{}: {comment}", self.reason),
            None => self.reason.fmt(f),
        }
    }
}

impl fmt::Display for Untaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(error) => error.fmt(f),
            Self::Status(status, words) if words.is_empty() => write!(f, "the archive answered {status}"),
            Self::Status(status, words) => write!(f, "the archive answered {status}: {words}"),
        }
    }
}

impl<T: Into<AdviseError>> From<T> for Untaken {
    fn from(error: T) -> Self {
        Self::NoAnswer(error.into())
    }
}

/// The first words of an answer that is for people or JSON; a page of HTML says nothing in a row of a list.
fn words(response: &Response) -> String {
    let text = String::from_utf8_lossy(&response.body);
    if text.trim_start().starts_with('<') { String::new() } else { plain(&text) }
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let start: Vec<u8> = response.body.trim_ascii_start().iter().take(14).map(u8::to_ascii_lowercase).collect();
    kind.to_ascii_lowercase().starts_with("text/html") || start.starts_with(b"<html") || start == b"<!doctype html"
}

fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split(|letter: char| letter.is_whitespace() || letter.is_control()).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words.chars().take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    fn answer(status: u16, kind: &'static str, body: &[u8]) -> Response {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        Response { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::copy_from_slice(body) }
    }

    fn uid(number: u32) -> Uid {
        format!("1.2.{number}").parse().unwrap()
    }

    #[test]
    fn an_answer_says_of_each_instance_what_became_of_it() {
        let answer = br#"{"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.1"]}}]},
            "00081198": {"vr": "SQ", "Value": [
              {"00081155": {"vr": "UI", "Value": ["1.2.2"]}, "00081197": {"vr": "US", "Value": [42752]}},
              {"00081155": {"vr": "UI", "Value": ["1.2.3"]}, "00081197": {"vr": "US", "Value": [290]},
               "00000902": {"vr": "LO", "Value": ["no\u0007 SEG\there"]}},
              {"00081155": {"vr": "UI", "Value": ["1.2.4"]}}]}}"#;
        let refused = |reason, comment: Option<&str>| {
            Said::Refused(Refusal { reason: Status(reason), comment: comment.map(str::to_owned) })
        };
        let table = [
            (1, Said::Stored),
            (2, refused(0xA700, None)),
            (3, refused(0x0122, Some("no SEG here"))),
            (4, refused(0x0110, None)),
            (5, Said::Nothing),
        ];
        for body in [&answer[..], &[b"[", &answer[..], b"]"].concat()] {
            let told = StoreAnswer::read(body).unwrap();
            for (number, said) in &table {
                assert_eq!(told.of_instance(&uid(*number)), *said, "{number}");
            }
        }
    }

    /// What an answer that names no instance means for each.
    #[test]
    fn without_a_list_the_status_decides() {
        let json = "application/dicom+json";
        let url = br#"{"00081190": {"vr": "UR", "Value": ["http://a"]}}"#;
        let xml = b"<?xml version='1.0'?><NativeDicomModel/>";
        for (kind, body) in [
            (json, &b"{}"[..]),
            (json, b"[]"),
            (json, url),
            ("text/plain", b"stored"),
            ("application/dicom+xml", xml),
            ("", b""),
        ] {
            let said = |status| StoreAnswer::of(&answer(status, kind, body)).map(|told| told.of_instance(&uid(1)));
            assert_eq!(said(200), Ok(Said::Stored), "{kind}");
            assert_eq!(said(202), Ok(Said::Nothing), "{kind}");
            assert!(matches!(said(409), Err(Untaken::Status(..))), "{kind}");
        }
        // Somebody else answered: what the status says is not said of the instances.
        for (kind, body) in
            [("text/html; charset=utf-8", &b"log in"[..]), ("", b"\n<!DOCTYPE HTML><p>"), ("", b"<html>")]
        {
            assert_eq!(StoreAnswer::of(&answer(200, kind, body)).unwrap_err(), ErrorKind::NotDicom.into());
        }
    }

    /// Some archives answer 409 where each failed, some 202, some 200: the list counts.
    #[test]
    fn a_list_of_failures_counts_with_each_status() {
        let body = br#"{"00081198": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.1"]},
            "00081197": {"vr": "US", "Value": [290]}, "00000902": {"vr": "LO", "Value": [" "]}}]}}"#;
        for status in [200, 202, 400, 409] {
            let told = StoreAnswer::of(&answer(status, "application/dicom+json", body)).unwrap();
            let refusal = Refusal { reason: Status(0x0122), comment: None };
            assert_eq!(told.of_instance(&uid(1)), Said::Refused(refusal), "{status}");
            assert_eq!(told.of_instance(&uid(2)), Said::Nothing, "{status}");
        }
    }

    #[test]
    fn what_is_said_of_the_whole_request_is_told_in_the_archives_words() {
        let status =
            |status: u16, words: &str| Untaken::Status(StatusCode::from_u16(status).unwrap(), words.to_owned());
        let table = [
            (status(401, ""), "the archive answered 401 Unauthorized", false, true),
            (status(409, "no room for SEG"), "the archive answered 409 Conflict: no room for SEG", true, false),
            (status(415, ""), "the archive answered 415 Unsupported Media Type", true, false),
            (status(500, ""), "the archive answered 500 Internal Server Error", false, false),
            (status(503, "later"), "the archive answered 503 Service Unavailable: later", false, true),
            (ErrorKind::Timeout.into(), "no complete answer in time", false, true),
        ];
        for (untaken, words, is_for_ever, is_of_the_way) in table {
            let says = (untaken.to_string(), untaken.is_for_ever(), untaken.is_of_the_way());
            assert_eq!(says, (words.to_owned(), is_for_ever, is_of_the_way));
        }
    }
}
