//! `/services`: what is approved, for everybody with a credential.

use axum::{Json, extract::State};

use super::{
    Api,
    credential::Caller,
    input::{Asked, Listed, Paging},
    problem::Problem,
    versions::VersionView,
};
use crate::catalog;

/// The approved versions of all services. How another vendor's service is called is not shown to vendors.
#[utoipa::path(get, path = "/services", tag = "versions", params(Paging),
    responses((status = OK, description = "A page of approved versions", body = Listed<VersionView>)))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<VersionView>>, Problem> {
    let page = paging.page()?;
    let versions = api.store.versions_in(catalog::State::Approved, page).await?;
    let views = versions.into_iter().map(|version| VersionView::from(version).shown_to(caller.identity())).collect();
    Ok(Json(Listed::new(views, page.limit, VersionView::name)))
}
