//! Who calls, and may they: before any handler and before the body is read.

use axum::{
    RequestExt as _,
    extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State},
    http::{HeaderMap, request::Parts},
    middleware::Next,
    response::Response,
};

use super::{
    Api, BASE,
    credential::{Caller, Identity, recognise},
    problem::{Kind, Problem},
    rights,
};
use crate::{App, bearer::bearer, catalog::VendorId, store::StoreError};

/// Lets a request through to its handler, with its [`Caller`], or refuses it.
pub(super) async fn admit(State(api): State<Api>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let caller = authenticate(&api, request.headers()).await?;
    let path: MatchedPath = request.extract_parts().await.map_err(|_| Problem::bare(Kind::NotFound))?;
    let path = path.as_str().strip_prefix(BASE).unwrap_or_default();
    let right = rights::right(request.method(), path).ok_or(Problem::bare(Kind::Forbidden))?;
    if !right.roles.contains(&caller.role()) {
        return Err(forbidden(&caller, right));
    }
    let params: RawPathParams = request.extract_parts().await.map_err(|_| Problem::bare(Kind::NotFound))?;
    if !reaches(caller.identity(), &params) {
        return Err(Problem::bare(Kind::NotFound));
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

async fn authenticate(api: &Api, headers: &HeaderMap) -> Result<Caller, Problem> {
    let caller = match bearer(headers) {
        Some(text) => recognise(&api.store, text, api.clock.now()).await?,
        None => None,
    };
    caller.ok_or(Problem::bare(Kind::Unauthorized))
}

/// Whether whoever sent these headers may look at the platform itself: operator or governor.
pub(crate) async fn is_office(api: &Api, headers: &HeaderMap) -> bool {
    authenticate(api, headers).await.is_ok_and(|caller| rights::OFFICE.contains(&caller.role()))
}

/// The vendor whose credential these headers hold, if they hold one.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn vendor(app: &App, headers: &HeaderMap) -> Result<Option<VendorId>, StoreError> {
    let Some(text) = bearer(headers) else { return Ok(None) };
    let caller = recognise(&app.store, text, app.clock.now()).await?;
    Ok(caller.and_then(|caller| match caller.identity() {
        Identity::Vendor(vendor) => Some(vendor.clone()),
        _ => None,
    }))
}

/// A vendor and a hospital reach their own objects only.
fn reaches(identity: &Identity, params: &RawPathParams) -> bool {
    params.iter().all(|(name, value)| match (identity, name) {
        (Identity::Vendor(own), "vendor") => value == own.as_str(),
        (Identity::Hospital(own), "hospital") => value == own.as_str(),
        _ => true,
    })
}

fn forbidden(caller: &Caller, right: &rights::Right) -> Problem {
    let may: Vec<_> = right.roles.iter().map(|role| role.word()).collect();
    let detail = format!("the role {} may not do this; it is for: {}", caller.role().word(), may.join(", "));
    Problem::new(Kind::Forbidden, detail)
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or(Problem::bare(Kind::Unauthorized))
    }
}
