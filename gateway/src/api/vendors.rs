//! `/vendors`

use axum::{Json, extract::State, http::StatusCode};

use super::{
    Api, deleted, faultless,
    input::{Asked, At, Listed, Paging, Posted},
    problem::{Kind, Problem},
    status_of,
};
use crate::{
    catalog::{Vendor, VendorId, checks},
    store::DeleteVendor,
};

/// Every vendor.
#[utoipa::path(get, path = "/vendors", tag = "vendors", params(Paging),
    responses((status = OK, description = "A page of vendors", body = Listed<Vendor>)))]
pub(super) async fn list(
    State(api): State<Api>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Vendor>>, Problem> {
    let page = paging.page()?;
    let vendors = api.store.vendors(page).await?;
    Ok(Json(Listed::new(vendors, page.limit, |vendor| vendor.id.to_string())))
}

/// One vendor.
#[utoipa::path(get, path = "/vendors/{vendor}", tag = "vendors", params(("vendor" = VendorId, Path)),
    responses((status = OK, description = "The vendor", body = Vendor)))]
pub(super) async fn read(State(api): State<Api>, At(id): At<VendorId>) -> Result<Json<Vendor>, Problem> {
    api.store.vendor(&id).await?.map(Json).ok_or_else(|| Problem::no_such("vendor"))
}

/// Make or change a vendor.
#[utoipa::path(put, path = "/vendors/{vendor}", tag = "vendors", params(("vendor" = VendorId, Path)),
    request_body = Vendor, responses(
        (status = CREATED, description = "It is new", body = Vendor),
        (status = OK, description = "It was changed, or was so already", body = Vendor)))]
pub(super) async fn write(
    State(api): State<Api>,
    At(id): At<VendorId>,
    Posted(vendor): Posted<Vendor>,
) -> Result<(StatusCode, Json<Vendor>), Problem> {
    let mut faults = checks::vendor(&vendor);
    faults.extend(checks::same_id("/id", id.as_str(), vendor.id.as_str()));
    faultless(faults)?;
    let written = api.store.put_vendor(&vendor).await?;
    Ok((status_of(written), Json(vendor)))
}

/// End a vendor that has registered nothing.
#[utoipa::path(delete, path = "/vendors/{vendor}", tag = "vendors", params(("vendor" = VendorId, Path)), responses(
        (status = NO_CONTENT, description = "It is gone"),
        (status = CONFLICT, description = "It has registered versions")))]
pub(super) async fn delete(State(api): State<Api>, At(id): At<VendorId>) -> Result<StatusCode, Problem> {
    match api.store.delete_vendor(&id, api.clock.now()).await? {
        DeleteVendor::HasVersions => Err(Problem::new(
            Kind::Conflict,
            "versions of its services are registered and stay; let the governor withdraw them instead",
        )),
        outcome => deleted(outcome == DeleteVendor::Deleted, "vendor"),
    }
}
