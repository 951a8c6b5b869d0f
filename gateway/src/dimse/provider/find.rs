//! C-FIND (PS3.7 §9.1.2, PS3.4 §C.4.1): the same search as QIDO-RS, asked and answered as an identifier.

use std::collections::HashSet;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    attributes::{self, AttributePath, Attributes},
    dataset::Dataset,
    dimse::{Level, Message, Request, Response, Root, Status, bytes_of, negotiation::Context},
    query::{self, Query},
    transfer_syntax::Encoding,
};

use super::Provider;
use crate::{archive::SearchFault, dimse::association::Ended};

/// Results of one search. Who asks for more has asked for nothing in particular.
const MOST: usize = 100_000;
/// The character set that can write everything (PS3.3 §C.12.1.1.2).
pub(super) const UTF_8: &str = "ISO_IR 192";

/// What is searched, and how it is answered.
struct Asked {
    query: Query,
    level: Level,
    /// The asker's character set, which it can certainly read.
    charset: Vec<String>,
    retrieve: String,
    wants_availability: bool,
    is_explicit: bool,
}

impl Provider {
    pub(super) async fn find(&mut self, context: &Context, request: &Request, root: Root) -> Result<(), Ended> {
        let asked = match self.data_set(context).await? {
            Ok(identifier) => self.asked(context, &identifier, root),
            Err(unreadable) => return self.answer(context, unreadable.answer(request)).await,
        };
        let asked = match asked {
            Ok(asked) => asked,
            Err(reason) => {
                let answer = Response::to(request, Status::DATA_SET_MISMATCH).because(reason);
                return self.answer(context, without_instance(answer)).await;
            }
        };
        let status = self.tell_results(context, request, &asked).await?;
        self.answer(context, without_instance(status)).await
    }

    fn asked(&self, context: &Context, identifier: &Dataset, root: Root) -> Result<Asked, String> {
        let nowhere = |_: &AttributePath| None;
        let mut identifier = attributes::read(identifier, &nowhere);
        let level = identifier.text(tags::QUERY_RETRIEVE_LEVEL).and_then(|text| Level::parse(&text));
        let level = level.filter(|level| *level > Level::Patient || root == Root::Patient);
        let level = level.ok_or("QueryRetrieveLevel is missing or not one of this model")?;
        let charset = identifier.get(tags::SPECIFIC_CHARACTER_SET).map(attributes::Attribute::texts);
        let charset = charset.unwrap_or_default().into_iter().map(Option::unwrap_or_default).collect();
        let wants_availability = identifier.remove(tags::INSTANCE_AVAILABILITY).is_some();
        identifier.remove(tags::RETRIEVE_AE_TITLE);
        let of = match level {
            Level::Patient | Level::Study => query::Level::Study,
            Level::Series => query::Level::Series,
            Level::Image => query::Level::Instance,
        };
        let extended = self.session.extended(&context.class);
        let query = Query::from_identifier(of, &identifier, extended).map_err(|error| error.to_string())?;
        let is_explicit = context.syntax.encoding == Encoding::ExplicitLittle;
        let retrieve = self.session.imaging.ae_title.to_string();
        Ok(Asked { query, level, charset, retrieve, wants_availability, is_explicit })
    }

    /// Says every result, and gives the last answer.
    async fn tell_results(&mut self, context: &Context, request: &Request, asked: &Asked) -> Result<Response, Ended> {
        let mut search = self.app.archive.search(&self.session.hospital, asked.query.clone());
        let mut patients = HashSet::new();
        let mut told = 0;
        loop {
            let found = tokio::select! {
                found = search.next() => found,
                ended = self.association.overhear() => return Err(ended),
            };
            self.goes_on()?;
            if self.association.is_cancelled(request.message_id) {
                return Ok(Response::to(request, Status::CANCEL));
            }
            let candidate = match found {
                Ok(Some(candidate)) => candidate,
                Ok(None) => return Ok(Response::to(request, Status::SUCCESS)),
                Err(fault) => return Ok(refusal(request, &fault)),
            };
            if asked.level == Level::Patient && !patients.insert(patient(&candidate)) {
                continue;
            }
            if told >= MOST {
                let answer = Response::to(request, Status::OUT_OF_RESOURCES);
                return Ok(answer.because(format!("there are more than {MOST} results")));
            }
            told += 1;
            let identifier = asked.identifier(&candidate);
            let pending = without_instance(Response::to(request, Status::PENDING));
            self.association.say(context.id, &Message::with_data_set(pending.into()), Some(&identifier)).await?;
        }
    }
}

impl Asked {
    /// What is told of a result, in the asker's character set where that has every character of it.
    fn identifier(&self, candidate: &Attributes) -> Vec<u8> {
        let mut answer = self.query.identifier_answer(candidate);
        if self.level == Level::Patient {
            answer.put_text(tags::QUERY_RETRIEVE_LEVEL, "PATIENT");
        }
        answer.put_text(tags::RETRIEVE_AE_TITLE, self.retrieve.as_str());
        if self.wants_availability {
            answer.put_text(tags::INSTANCE_AVAILABILITY, "ONLINE");
        }
        let own = (!self.charset.is_empty()).then(|| self.charset.clone());
        let stored = candidate.get(tags::SPECIFIC_CHARACTER_SET).map(attributes::Attribute::texts);
        let stored = stored.map(|terms| terms.into_iter().map(Option::unwrap_or_default).collect());
        let choices = [own, Some(Vec::new()), stored, Some(vec![UTF_8.to_owned()])];
        let written = choices.into_iter().flatten().find_map(|charset| written(answer.clone(), charset));
        bytes_of(&written.unwrap_or_default(), self.is_explicit)
    }
}

/// The answer in this character set; none where it has not every character. None named is ASCII.
pub(super) fn written(mut answer: Attributes, charset: Vec<String>) -> Option<Dataset> {
    if charset.is_empty() {
        answer.remove(tags::SPECIFIC_CHARACTER_SET);
    } else {
        answer.put_texts(tags::SPECIFIC_CHARACTER_SET, charset);
    }
    attributes::write(&answer, &mut |_: &str| None).ok()
}

/// Studies of one patient are one result at the patient level.
fn patient(candidate: &Attributes) -> (Option<String>, Option<String>) {
    (candidate.text(tags::PATIENT_ID), candidate.text(tags::ISSUER_OF_PATIENT_ID))
}

fn refusal(request: &Request, fault: &SearchFault) -> Response {
    match fault {
        SearchFault::TooBroad => {
            Response::to(request, Status::OUT_OF_RESOURCES).because("too much would have to be looked at")
        }
        SearchFault::Store(_) | SearchFault::Read(_) => {
            tracing::error!(error = fault as &dyn std::error::Error, "a search failed");
            Response::to(request, Status::CANNOT_UNDERSTAND).because("the index cannot be read now")
        }
    }
}

/// A C-FIND is about no instance.
pub(super) fn without_instance(answer: Response) -> Response {
    Response { instance: None, ..answer }
}
