//! `/vendors/{vendor}/feedback`: what doctors did with a vendor's cards, also for vendors without an endpoint for it.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Api,
    input::{Asked, At, Listed, Paging},
    problem::Problem,
};
use crate::{
    catalog::{ServiceName, VendorId, VersionNumber},
    store::StoredFeedback,
};

/// What a doctor did with one card.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedbackView {
    /// Its id; ids sort by time.
    id: Uuid,
    /// `vendor.service`.
    service: ServiceName,
    /// The version of it.
    version: VersionNumber,
    /// The CDS service id at the vendor.
    cds_service: String,
    /// The feedback as CDS Hooks has it, with the vendor's own ids.
    feedback: Value,
    /// When it came.
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    /// When the vendor's endpoint took it.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    delivered_at: Option<OffsetDateTime>,
}

/// What doctors did with a vendor's cards, oldest first.
#[utoipa::path(get, path = "/vendors/{vendor}/feedback", tag = "usage", params(("vendor" = VendorId, Path), Paging),
    responses((status = OK, description = "A page of feedback", body = Listed<FeedbackView>)))]
pub(super) async fn list(
    State(api): State<Api>,
    At(vendor): At<VendorId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<FeedbackView>>, Problem> {
    let page = paging.page()?;
    let feedback = api.store.feedback_of(&vendor, page).await?.into_iter().map(FeedbackView::from).collect();
    Ok(Json(Listed::new(feedback, page.limit, |view: &FeedbackView| view.id.to_string())))
}

impl From<StoredFeedback> for FeedbackView {
    fn from(stored: StoredFeedback) -> Self {
        Self {
            id: stored.id,
            service: stored.service,
            version: stored.version,
            cds_service: stored.cds_id,
            feedback: serde_json::from_str(&stored.document).unwrap_or_default(),
            received_at: stored.received_at,
            delivered_at: stored.delivered_at,
        }
    }
}
