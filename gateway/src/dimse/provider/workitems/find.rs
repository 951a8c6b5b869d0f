//! C-FIND of workitems (PS3.4 §CC.2.8): the search of UPS-RS, asked and answered as an identifier.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    attributes::{Attribute, Attributes},
    dimse::{Message, Request, Response, Status, bytes_of, negotiation::Context},
    query::{Level, Query},
    transfer_syntax::Encoding,
    ups::Workitem,
};

use super::{super::find::without_instance, Provider, in_some_charset};
use crate::{
    dimse::association::Ended,
    store::{FoundWorkitems, WorkitemNarrow},
    worklist::bounds,
};

/// Results of one search.
const MOST: usize = 5_000;

impl Provider {
    pub(super) async fn find_workitems(
        &mut self,
        context: &Context,
        request: &Request,
        identifier: &Attributes,
    ) -> Result<(), Ended> {
        let query = Query::from_identifier(Level::Workitem, identifier, self.session.extended(&context.class));
        let query = match query {
            Ok(query) => query,
            Err(error) => {
                let answer = Response::to(request, Status::DATA_SET_MISMATCH).because(error.to_string());
                return self.answer(context, answer).await;
            }
        };
        let narrow = WorkitemNarrow::of(&query);
        let matches = |workitem: &Workitem| query.matches(&workitem.view());
        let found = self.app.store.find_workitems(&self.session.hospital, &narrow, bounds(MOST), matches).await;
        let answer = match found {
            Ok(found) => self.tell_found(context, request, identifier, &query, &found).await?,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a search failed");
                Response::to(request, Status::CANNOT_UNDERSTAND).because("the index cannot be read now")
            }
        };
        self.answer(context, answer).await
    }

    /// Says every result, and gives the last answer.
    async fn tell_found(
        &mut self,
        context: &Context,
        request: &Request,
        identifier: &Attributes,
        query: &Query,
        found: &FoundWorkitems,
    ) -> Result<Response, Ended> {
        let own = identifier.get(tags::SPECIFIC_CHARACTER_SET).map(Attribute::texts);
        let own: Option<Vec<String>> = own.map(|terms| terms.into_iter().map(Option::unwrap_or_default).collect());
        let is_explicit = context.syntax.encoding == Encoding::ExplicitLittle;
        for workitem in &found.workitems {
            tokio::select! {
                biased;
                ended = self.association.overhear() => return Err(ended),
                () = std::future::ready(()) => {}
            }
            self.goes_on()?;
            if self.association.is_cancelled(request.message_id) {
                return Ok(Response::to(request, Status::CANCEL));
            }
            let mut told = query.identifier_answer(&workitem.view());
            // That is of studies, series and images.
            told.remove(tags::QUERY_RETRIEVE_LEVEL);
            let told = bytes_of(&in_some_charset(&told, own.as_slice()), is_explicit);
            let pending = without_instance(Response::to(request, Status::PENDING));
            self.association.say(context.id, &Message::with_data_set(pending.into()), Some(&told)).await?;
        }
        Ok(match (found.is_all, found.is_looked_through) {
            (true, _) => Response::to(request, Status::SUCCESS),
            (false, true) => {
                Response::to(request, Status::OUT_OF_RESOURCES).because("there are more results than are given at once")
            }
            (false, false) => {
                Response::to(request, Status::OUT_OF_RESOURCES).because("too much would have to be looked at")
            }
        })
    }
}
