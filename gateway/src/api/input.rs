//! What comes in with a request: path, query and body, each refused with a [`Problem`].

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::IntoResponse as _,
};
use medvan_profiles::{
    descriptor::Fault,
    json::{Limits, scan},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use time::{Date, Month, OffsetDateTime, Time, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};

use super::problem::{Kind, Problem};
use crate::store::{Page, Period};

/// Bounds of one management object.
const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 32, values: 50_000 };
/// Most items on one page.
const LARGEST_PAGE: u32 = 200;

/// The ids in the path. One that has not the form of an id names nothing: 404.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

/// The JSON body as an object.
#[derive(Debug)]
pub(super) struct Posted<T>(pub(super) T);

/// Query parameters.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// How many at most.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(max_length = 256)]
    cursor: Option<String>,
}

/// Which time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Between {
    /// First instant (RFC 3339). Without it: the first of this month, UTC.
    from: Option<String>,
    /// First instant that does not count any more (RFC 3339). Without it: now.
    until: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    /// The items.
    items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Paging {
    /// For lists that ask for more than their part.
    pub(super) const fn new(limit: Option<u32>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// What to ask the store for.
    pub(super) fn page(&self) -> Result<Page<'_>, Problem> {
        Ok(Page { after: self.cursor(), limit: self.limit()? })
    }

    pub(super) fn cursor(&self) -> &str {
        self.cursor.as_deref().unwrap_or_default()
    }

    pub(super) fn limit(&self) -> Result<u32, Problem> {
        match self.limit.unwrap_or(50) {
            limit @ 1..=LARGEST_PAGE => Ok(limit),
            _ => Err(Problem::new(Kind::Parameter, format!("limit is 1 to {LARGEST_PAGE}"))),
        }
    }
}

impl Between {
    /// The period, at most ten years long.
    pub(super) fn period(&self, now: OffsetDateTime) -> Result<Period, Problem> {
        let from = self.from.as_deref().map_or_else(|| Ok(first_of_month(now)), |text| instant("from", text))?;
        let until = self.until.as_deref().map_or(Ok(now), |text| instant("until", text))?;
        if from > until || until - from > time::Duration::days(3_660) {
            return Err(Problem::new(
                Kind::Parameter,
                "from must not be after until, nor more than ten years before it",
            ));
        }
        Ok(Period { from, until })
    }
}

impl<T> Listed<T> {
    /// The page of these items; it is the last one if it is not full.
    pub(super) fn new(items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let full = u32::try_from(items.len()).is_ok_and(|count| count >= limit);
        let next = items.last().filter(|_| full).map(cursor);
        Self { items, next }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(rejection) => Err(Problem::new(Kind::NotFound, rejection.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => {
                // Before the colon are words about how it is read here.
                let text = rejection.body_text();
                let reason = text.split_once(": ").map_or(text.as_str(), |(_, reason)| reason);
                Err(Problem::new(Kind::Parameter, reason))
            }
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Posted<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::bare(Kind::MediaType));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::bare(Kind::TooLarge),
                _ => Problem::new(Kind::NotJson, "the body ended early"),
            }
        })?;
        object(&body).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.len() > LIMITS.bytes {
        return Err(Problem::new(Kind::TooLarge, format!("at most {} bytes", LIMITS.bytes)));
    }
    scan(body, &LIMITS).map_err(|error| Problem::new(Kind::NotJson, error.to_string()))?;
    let mut text = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut text).map_err(|error| Problem::invalid(vec![misfit(&error)]))
}

fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    fault(
        &pointer(error.path()),
        error.inner().to_string(),
        "see the object's schema in /api/v1/openapi.json".to_owned(),
    )
}

/// A fault of an object that is not a descriptor.
pub(super) fn fault(place: &str, reason: String, mend: String) -> Fault {
    Fault { place: place.to_owned(), reason_ja: reason.clone(), mend_ja: mend.clone(), reason, mend }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => {
            format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Enum { variant } => format!("{pointer}/{variant}"),
        Segment::Unknown => pointer,
    })
}

fn instant(name: &str, text: &str) -> Result<OffsetDateTime, Problem> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| Problem::new(Kind::Parameter, format!("{name} is a time like 2026-11-22T09:00:00Z (RFC 3339)")))
}

fn first_of_month(now: OffsetDateTime) -> OffsetDateTime {
    let month: Month = now.month();
    Date::from_calendar_date(now.year(), month, 1).map_or(now, |first| first.with_time(Time::MIDNIGHT).assume_utc())
}
