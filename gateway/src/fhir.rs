//! Asking a hospital's own FHIR server for what its EHR did not send along.
//!
//! Only the server that is registered for the client is ever asked, whatever a request names; the EHR's token goes
//! there and nowhere else (design, section 7, step 5). What comes back is held as text.

mod pages;

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use medvan_adapters::http::{Bearer, Client, FetchError, GuardedUrl, Request, UrlRefused};
use medvan_hooks::{
    prefetch::{Omission, PrefetchState},
    template::Query,
};
use medvan_profiles::{Json, Limits, identity};
use tokio::time::Instant;

use pages::Pages;

/// Most bytes of one page.
const PAGE_BYTES: usize = 4 << 20;
/// Most pages of one search that are followed; what lies behind is for the service to live without.
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
    /// A resource of another patient than `patient_id` stops the whole query: nothing of it goes further.
    pub(crate) async fn fetch(&self, http: &Client, query: &Query, patient_id: &str, until: Instant) -> Fetched {
        let mut pages = Pages::default();
        let mut next = self.base.under(query.as_str()).ok();
        while let Some(url) = next.take() {
            match self.page(http, url, until).await {
                Ok(Page::Resource(text)) => {
                    if identity::check_json(&text, patient_id).is_err() {
                        return Fetched {
                            state: PrefetchState::Omitted(Omission::ForeignPatient),
                            pages: pages.count(),
                        };
                    }
                    let link = pages.add(text);
                    next = link.filter(|_| pages.count() < MAX_PAGES).and_then(|link| self.follow(&link).ok());
                }
                // A later page that fails leaves what the earlier ones said out: half a list looks like a whole one.
                Ok(Page::State(state)) => return Fetched { state, pages: pages.count() },
                Err(omission) => return Fetched { state: PrefetchState::Omitted(omission), pages: pages.count() },
            }
        }
        Fetched { pages: pages.count(), state: pages.into_state() }
    }

    async fn page(&self, http: &Client, url: GuardedUrl, until: Instant) -> Result<Page, Omission> {
        let time_left = until.saturating_duration_since(Instant::now());
        if time_left.is_zero() {
            return Err(Omission::OutOfTime);
        }
        let response = http.fetch(self.request(url, time_left)).await.map_err(omission)?;
        let resource = || Json::parse(&response.body, &Limits::MESSAGE).map_err(|_| Omission::Unreachable);
        match response.status {
            StatusCode::OK => Ok(Page::Resource(resource()?)),
            // Read of what is not there, or no longer: the standard's `null`.
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Page::State(PrefetchState::Null)),
            _ => match PrefetchState::of(resource()?) {
                failed @ PrefetchState::Failed(_) => Ok(Page::State(failed)),
                _ => Err(Omission::Unreachable),
            },
        }
    }

    fn request(&self, url: GuardedUrl, timeout: Duration) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/fhir+json"));
        Request { headers, bearer: self.token.clone(), ..Request::get(url, timeout, PAGE_BYTES) }
    }

    /// A `next` link, if it stays on the registered server.
    fn follow(&self, link: &str) -> Result<GuardedUrl, UrlRefused> {
        let base = self.base.as_str().trim_end_matches('/');
        self.base.under(link.strip_prefix(base).unwrap_or(link))
    }
}

enum Page {
    Resource(Json),
    State(PrefetchState),
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
