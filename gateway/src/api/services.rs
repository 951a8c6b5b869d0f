//! `/services`: what is approved, for everybody with a credential.

use axum::{Json, extract::State};

use super::{
    Api,
    input::{Asked, Listed, Paging},
    problem::Problem,
    versions::VersionView,
};
use crate::catalog;

/// The approved versions of all services.
#[utoipa::path(get, path = "/services", tag = "versions", params(Paging),
    responses((status = OK, description = "A page of approved versions", body = Listed<VersionView>)))]
pub(super) async fn list(
    State(api): State<Api>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<VersionView>>, Problem> {
    let page = paging.page()?;
    let versions = api.store.versions_in(catalog::State::Approved, page).await?;
    let views = versions.into_iter().map(VersionView::from).collect();
    Ok(Json(Listed::new(views, page.limit, VersionView::name)))
}
