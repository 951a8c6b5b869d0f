//! `/vendors/{vendor}/services/{service}/versions`: registration, review and the governor's decisions.

use axum::{Json, extract::State, http::StatusCode};
use medvan_profiles::descriptor::{Descriptor, Fault};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{
    Api,
    credential::{Caller, Identity},
    input::{Asked, At, Listed, Paging, Posted},
    problem::{Kind, Problem},
    shape,
};
use crate::{
    catalog::{Move, ServiceId, ServiceName, State as VersionState, VendorId, VersionNumber, checks},
    store::{Moved, Registered, StoredVersion, Transition, Wish},
};

/// The ids in the path.
pub(super) type Named = (VendorId, ServiceId, VersionNumber);

/// One version of a service.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct VersionView {
    /// `vendor.service`.
    service: ServiceName,
    /// Its number.
    version: VersionNumber,
    /// Where it stands.
    state: VersionState,
    /// When it was registered.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// What the vendor registered: see `/schemas/service-descriptor.json`.
    descriptor: Value,
    /// Which version of the service serves hospitals that pinned none: the newest approved one. When it is suspended, the
    /// approved version before it takes over; if there is none, the service serves nobody. Only where one version is
    /// read, not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    serving: Option<VersionNumber>,
    /// What is legal in it and yet will not work with every EHR. Only where one version is read, not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<shape::Fault>)]
    remarks: Vec<Fault>,
}

/// What the governor decides.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Decision {
    /// It may serve.
    Approve,
    /// It goes back to the vendor.
    Reject,
    /// It must not serve now.
    Suspend,
    /// It may serve again.
    Reinstate,
    /// It is over for ever.
    Withdraw,
}

/// A decision with its reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decided {
    /// What.
    decision: Decision,
    /// Why. It is kept and shown to the vendor.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// One move of a version.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Step {
    /// What was done.
    moved: String,
    /// From which state.
    from: String,
    /// To which state.
    to: String,
    /// By whom.
    actor: String,
    /// Why.
    reason: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// Everything that happened to a version.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct History {
    /// Oldest first.
    steps: Vec<Step>,
}

impl VersionView {
    /// `vendor.service@version`, by which lists of all vendors go on.
    pub(super) fn name(&self) -> String {
        format!("{}@{}", self.service, self.version)
    }

    /// As another vendor may see it: not where and how the service is called.
    pub(super) fn shown_to(mut self, reader: &Identity) -> Self {
        if let (Identity::Vendor(reader), Some(descriptor)) = (reader, self.descriptor.as_object_mut())
            && *reader != self.service.vendor
        {
            descriptor.remove("transport");
        }
        self
    }
}

/// The versions that a vendor has registered.
#[utoipa::path(get, path = "/vendors/{vendor}/versions", tag = "versions", params(("vendor" = VendorId, Path), Paging),
    responses((status = OK, description = "A page of versions", body = Listed<VersionView>)))]
pub(super) async fn list(
    State(api): State<Api>,
    At(vendor): At<VendorId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<VersionView>>, Problem> {
    let page = paging.page()?;
    let versions = api.store.versions(&vendor, page).await?.into_iter().map(VersionView::from).collect();
    Ok(Json(Listed::new(versions, page.limit, |view| format!("{}@{}", view.service.service, view.version))))
}

/// One version.
#[utoipa::path(get, path = "/vendors/{vendor}/services/{service}/versions/{version}", tag = "versions",
    params(("vendor" = VendorId, Path), ("service" = ServiceId, Path), ("version" = VersionNumber, Path)),
    responses((status = OK, description = "The version", body = VersionView)))]
pub(super) async fn read(State(api): State<Api>, At(named): At<Named>) -> Result<Json<VersionView>, Problem> {
    let (name, number) = full(named);
    view(&api, &name, &number).await.map(Json)
}

/// Register a version: a draft, whose descriptor never changes.
#[utoipa::path(put, path = "/vendors/{vendor}/services/{service}/versions/{version}", tag = "versions",
    params(("vendor" = VendorId, Path), ("service" = ServiceId, Path), ("version" = VersionNumber, Path)),
    request_body(content = Value, description = "A descriptor: see `/schemas/service-descriptor.json`"), responses(
        (status = CREATED, description = "It is new", body = VersionView),
        (status = OK, description = "The same was registered already", body = VersionView),
        (status = CONFLICT, description = "Another descriptor has this number")))]
pub(super) async fn write(
    State(api): State<Api>,
    At(named): At<Named>,
    Posted(descriptor): Posted<Value>,
) -> Result<(StatusCode, Json<VersionView>), Problem> {
    let (name, number) = full(named);
    let registration =
        checks::registration(name, number, descriptor, api.discovery.guard()).map_err(Problem::invalid)?;
    let (name, number) = (registration.name(), registration.number());
    let hook_ids: Vec<(String, &str)> = registration.hook_ids().collect();
    let ids: Vec<&str> = hook_ids.iter().map(|(_, id)| *id).collect();
    let status = match api.store.register(name, number, registration.value(), &ids, api.clock.now()).await? {
        Registered::Created => StatusCode::CREATED,
        Registered::Unchanged => StatusCode::OK,
        Registered::HookIdTaken(index) => return Err(Problem::invalid(vec![hook_id_taken(&hook_ids[index].0)])),
        Registered::NoSuchVendor => return Err(Problem::no_such("vendor")),
        Registered::Other => {
            let detail = "this version is registered with another descriptor and never changes; give it a new number";
            return Err(Problem::new(Kind::Conflict, detail));
        }
    };
    Ok((status, Json(view(&api, name, number).await?)))
}

/// Put a draft up for review.
#[utoipa::path(post, path = "/vendors/{vendor}/services/{service}/versions/{version}/submit", tag = "versions",
    params(("vendor" = VendorId, Path), ("service" = ServiceId, Path), ("version" = VersionNumber, Path)), responses(
        (status = OK, description = "It is up for review", body = VersionView),
        (status = CONFLICT, description = "It is no draft")))]
pub(super) async fn submit(
    State(api): State<Api>,
    caller: Caller,
    At(named): At<Named>,
) -> Result<Json<VersionView>, Problem> {
    moved(&api, &caller, full(named), Move::Submit, "").await.map(Json)
}

/// The governor decides about a version. A suspension holds from the next call on.
#[utoipa::path(post, path = "/vendors/{vendor}/services/{service}/versions/{version}/decision", tag = "versions",
    params(("vendor" = VendorId, Path), ("service" = ServiceId, Path), ("version" = VersionNumber, Path)),
    request_body = Decided, responses(
        (status = OK, description = "It is so now, or was so already", body = VersionView),
        (status = CONFLICT, description = "Not from the state that it is in")))]
pub(super) async fn decide(
    State(api): State<Api>,
    caller: Caller,
    At(named): At<Named>,
    Posted(decided): Posted<Decided>,
) -> Result<Json<VersionView>, Problem> {
    if decided.reason.trim().is_empty() || decided.reason.chars().count() > 4_000 {
        return Err(Problem::invalid(vec![reason_missing()]));
    }
    moved(&api, &caller, full(named), decided.decision.into(), &decided.reason).await.map(Json)
}

/// What happened to a version, and who decided it why.
#[utoipa::path(get, path = "/vendors/{vendor}/services/{service}/versions/{version}/history", tag = "versions",
    params(("vendor" = VendorId, Path), ("service" = ServiceId, Path), ("version" = VersionNumber, Path)),
    responses((status = OK, description = "Every move", body = History)))]
pub(super) async fn history(State(api): State<Api>, At(named): At<Named>) -> Result<Json<History>, Problem> {
    let (name, number) = full(named);
    view(&api, &name, &number).await?;
    let steps = api.store.transitions(&name, &number).await?.into_iter().map(Step::from).collect();
    Ok(Json(History { steps }))
}

async fn view(api: &Api, name: &ServiceName, number: &VersionNumber) -> Result<VersionView, Problem> {
    let version = api.store.version(name, number).await?;
    let view = version.map(VersionView::from).ok_or_else(|| Problem::no_such("version"))?;
    let remarks = Descriptor::deserialize(&view.descriptor).map(|descriptor| checks::remarks(&descriptor));
    let serving = api.store.newest_approved(name).await?;
    Ok(VersionView { serving, remarks: remarks.unwrap_or_default(), ..view })
}

async fn moved(
    api: &Api,
    caller: &Caller,
    (name, number): (ServiceName, VersionNumber),
    wanted: Move,
    reason: &str,
) -> Result<VersionView, Problem> {
    let (actor, now) = (caller.actor(), api.clock.now());
    let wish = Wish { name: &name, number: &number, wanted, actor: &actor, reason, now };
    match api.store.move_version(wish).await? {
        Moved::NoSuchVersion => return Err(Problem::no_such("version")),
        Moved::Refused(refused) => return Err(Problem::new(Kind::Conflict, refused.to_string())),
        Moved::To(_) | Moved::Already(_) => {}
    }
    // Also when nothing was moved: a repeated suspension must hold even if the last renewal failed.
    api.catalog.renew().await?;
    view(api, &name, &number).await
}

fn hook_id_taken(place: &str) -> Fault {
    checks::fault(
        place,
        ("another of the vendor's services has a hook with this id", "同じ id のフックを持つサービスがすでにあります"),
        ("give it an id of its own", "別の id にしてください"),
    )
}

fn reason_missing() -> Fault {
    checks::fault(
        "/reason",
        ("it is empty or longer than 4000 characters", "空であるか、4000文字を超えています"),
        ("write why: the vendor reads it", "理由を書いてください(ベンダーが読みます)"),
    )
}

fn full((vendor, service, number): Named) -> (ServiceName, VersionNumber) {
    (ServiceName::new(vendor, service), number)
}

impl From<Decision> for Move {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Approve => Self::Approve,
            Decision::Reject => Self::Reject,
            Decision::Suspend => Self::Suspend,
            Decision::Reinstate => Self::Reinstate,
            Decision::Withdraw => Self::Withdraw,
        }
    }
}

impl From<StoredVersion> for VersionView {
    fn from(version: StoredVersion) -> Self {
        Self {
            service: version.name,
            version: version.number,
            state: version.state,
            created_at: version.created_at,
            descriptor: version.descriptor,
            serving: None,
            remarks: Vec::new(),
        }
    }
}

impl From<Transition> for Step {
    fn from(step: Transition) -> Self {
        let Transition { moved, from, to, actor, reason, at } = step;
        Self { moved, from, to, actor, reason, at }
    }
}
