//! Asking a hospital's own FHIR server for what its EHR did not send along.
//!
//! Only the server that is registered for the client is ever asked, whatever a request names; the EHR's token goes
//! there and nowhere else (design, section 7, step 5). What comes back is held as text.

mod pages;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use medvan_adapters::http::{Bearer, Client, FetchError, GuardedUrl, Request};
use medvan_hooks::{
    prefetch::{Omission, PrefetchState},
    template::Query,
};
use medvan_profiles::{Json, Limits, identity};
use tokio::time::Instant;

use pages::Pages;

/// Most bytes of one page.
const PAGE_BYTES: usize = 4 << 20;
/// Most bytes of all pages of one query.
const QUERY_BYTES: usize = 8 << 20;
/// Most pages of one search that are followed. A search with more is not known: half a list looks like a whole one.
const MAX_PAGES: usize = 8;

/// The right to read from one FHIR server during one call. The token dies with this value.
#[derive(Debug, Clone)]
pub(crate) struct FhirAccess {
    base: GuardedUrl,
    token: Option<Bearer>,
}

/// What a query led to.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// What is known now.
    pub(crate) state: PrefetchState,
    /// Pages that were read.
    pub(crate) pages: usize,
}

impl FhirAccess {
    /// Access to the client's registered server.
    pub(crate) fn new(base: GuardedUrl, token: Option<Bearer>) -> Self {
        Self { base, token }
    }

    /// Runs one query, following pages within the deadline.
    ///
    /// It is known whole or not at all: a list that lacks its end reads as *there is nothing more*. A resource of
    /// another patient than `patient_id` stops the whole query: nothing of it goes further.
    pub(crate) async fn fetch(&self, http: &Client, query: &Query, patient_id: &str, until: Instant) -> Fetched {
        let mut pages = Pages::default();
        let read = self.read(http, query, patient_id, until, &mut pages).await;
        Fetched { pages: pages.count(), state: read.map_or_else(|state| state, |()| pages.into_state()) }
    }

    /// Reads the query's pages to the last; otherwise says what is known instead.
    async fn read(
        &self,
        http: &Client,
        query: &Query,
        patient_id: &str,
        until: Instant,
        pages: &mut Pages,
    ) -> Result<(), PrefetchState> {
        let mut next = Some(self.base.under(query.as_str()).map_err(|_| Omission::Unreachable)?);
        while let Some(url) = next {
            if pages.count() == MAX_PAGES {
                return Err(Omission::TooLarge.into());
            }
            let room = PAGE_BYTES.min(QUERY_BYTES.saturating_sub(pages.bytes()));
            let page = self.page(http, self.request(url, until, room)?, query.is_search()).await?;
            identity::check_json(&page, patient_id).map_err(|_| Omission::ForeignPatient)?;
            let link = pages.add(page)?.filter(|_| !query.asks_for_the_first());
            next = link.map(|link| self.base.linked(&link)).transpose().map_err(|_| Omission::Unreachable)?;
        }
        Ok(())
    }

    async fn page(&self, http: &Client, request: Request, is_search: bool) -> Result<Json, PrefetchState> {
        let response = http.fetch(request).await.map_err(omission)?;
        let resource = || Json::parse(&response.body, &Limits::MESSAGE).map_err(|_| Omission::Unreachable);
        match response.status {
            StatusCode::OK => Ok(resource()?),
            // Read of what is not there, or no longer: the standard's `null`. A search finds nothing with an empty Bundle.
            StatusCode::NOT_FOUND | StatusCode::GONE if !is_search => Err(PrefetchState::Null),
            _ => match PrefetchState::of(resource()?) {
                failed @ PrefetchState::Failed(_) => Err(failed),
                _ => Err(Omission::Unreachable.into()),
            },
        }
    }

    fn request(&self, url: GuardedUrl, until: Instant, limit: usize) -> Result<Request, Omission> {
        let time_left = until.saturating_duration_since(Instant::now());
        if time_left.is_zero() {
            return Err(Omission::OutOfTime);
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/fhir+json"));
        Ok(Request { headers, bearer: self.token.clone(), ..Request::get(url, time_left, limit) })
    }
}

fn omission(error: FetchError) -> Omission {
    match error {
        FetchError::Timeout => Omission::OutOfTime,
        FetchError::TooLarge { .. } => Omission::TooLarge,
        FetchError::Url(_)
        | FetchError::Address
        | FetchError::Unreachable
        | FetchError::Broken
        | FetchError::Encoding => Omission::Unreachable,
    }
}

#[cfg(test)]
mod tests;
