//! An archive to which instances go (STOW-RS, PS3.18 §10.5): what it says of each of them.

use std::{
    collections::{HashMap, HashSet},
    fmt, io,
};

use bytes::Bytes;
use dicom_dictionary_std::tags;
use futures_util::stream::BoxStream;
use medvan_imaging::{Uid, attributes::Attributes, dimse::Status, json};
use reqwest::StatusCode;

use super::{LIST, Root};
use crate::{advisor::AdviseError, http::Response};

/// Characters of an archive's own words that are kept.
const WORDS: usize = 300;

/// What an archive said of the instances of one request (PS3.18 table 10.5.3-2).
#[derive(Debug, Default)]
pub struct StoreAnswer {
    stored: HashSet<Uid>,
    failed: HashMap<Uid, Refusal>,
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
        let told = StoreAnswer::of(&response.body);
        match response.status {
            // An answer that is no store response means that all is well: a failure would have to be named (§10.5.3.2).
            StatusCode::OK | StatusCode::ACCEPTED => Ok(told.unwrap_or_default()),
            // All of them failed, each for a reason of its own.
            _ if told.as_ref().is_some_and(|told| !told.failed.is_empty()) => Ok(told.unwrap_or_default()),
            status => Err(Untaken::Status(status, words(&response))),
        }
    }

    /// Asks whether the archive is there, by a search for one study (QIDO-RS).
    ///
    /// # Errors
    /// It does not answer, or not with a list.
    pub async fn answers(&self) -> Result<(), Untaken> {
        let response = self.client.fetch(self.search_request("/studies?limit=1", LIST)?).await;
        let response = response.map_err(AdviseError::from)?;
        match response.status {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            status => Err(Untaken::Status(status, words(&response))),
        }
    }
}

impl StoreAnswer {
    /// Nothing where it is no store response.
    fn of(body: &[u8]) -> Option<Self> {
        let told = json::parse_many(body).ok()?;
        let mut answer = Self::default();
        for told in &told {
            let named = |item: &Attributes| Uid::parse(item.text(tags::REFERENCED_SOP_INSTANCE_UID)?.trim()).ok();
            answer.stored.extend(told.items(tags::REFERENCED_SOP_SEQUENCE).iter().filter_map(named));
            for item in told.items(tags::FAILED_SOP_SEQUENCE) {
                let Some(uid) = named(item) else { continue };
                let reason = item.text(tags::FAILURE_REASON).and_then(|reason| reason.trim().parse().ok());
                let comment = item.text(tags::ERROR_COMMENT).map(|comment| plain(&comment));
                answer.failed.insert(uid, Refusal { reason: Status(reason.unwrap_or(0x0110)), comment });
            }
        }
        Some(answer)
    }

    /// What was said of an instance. Whoever names none stored all.
    pub fn of_instance(&self, uid: &Uid) -> Said {
        match self.failed.get(uid) {
            Some(refusal) => Said::Refused(refusal.clone()),
            None if self.stored.is_empty() && self.failed.is_empty() || self.stored.contains(uid) => Said::Stored,
            None => Said::Nothing,
        }
    }
}

impl Untaken {
    /// Whether the request as it is will not be taken another time either.
    pub fn is_for_ever(&self) -> bool {
        matches!(self, Self::Status(status, _) if matches!(status.as_u16(), 400 | 406 | 409 | 411..=417 | 422))
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

fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split(|letter: char| letter.is_whitespace() || letter.is_control()).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words.chars().take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::ErrorKind;

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
            let told = StoreAnswer::of(body).unwrap();
            for (number, said) in &table {
                assert_eq!(told.of_instance(&uid(*number)), *said, "{number}");
            }
        }
    }

    #[test]
    fn whoever_says_nothing_of_any_instance_has_them_all() {
        for body in [&b"{}"[..], b"[]", br#"{"00081190": {"vr": "UR", "Value": ["http://a"]}}"#] {
            assert_eq!(StoreAnswer::of(body).unwrap().of_instance(&uid(1)), Said::Stored);
        }
        for body in [&b""[..], b"stored", b"<html></html>"] {
            assert!(StoreAnswer::of(body).is_none());
        }
    }

    #[test]
    fn what_is_said_of_the_whole_request_is_told_in_the_archives_words() {
        let status =
            |status: u16, words: &str| Untaken::Status(StatusCode::from_u16(status).unwrap(), words.to_owned());
        let table = [
            (status(401, ""), "the archive answered 401 Unauthorized", false),
            (status(409, "no room for SEG"), "the archive answered 409 Conflict: no room for SEG", true),
            (status(415, ""), "the archive answered 415 Unsupported Media Type", true),
            (status(503, "later"), "the archive answered 503 Service Unavailable: later", false),
            (ErrorKind::Timeout.into(), "no complete answer in time", false),
        ];
        for (untaken, words, is_for_ever) in table {
            assert_eq!((untaken.to_string().as_str(), untaken.is_for_ever()), (words, is_for_ever));
        }
    }
}
