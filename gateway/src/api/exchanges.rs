//! Exchanges: the explanation of every call.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Api,
    credential::{Caller, Identity},
    input::{Asked, At, Listed, Paging},
    problem::{Kind, Problem},
};
use crate::{
    catalog::{HospitalId, VendorId},
    store::{StoredAddendum, StoredExchange},
};

/// One exchange. A vendor sees when and on which hook, and of the explanation only its own services.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExchangeView {
    /// Its id.
    id: Uuid,
    /// The hospital; not for vendors.
    #[serde(skip_serializing_if = "Option::is_none")]
    hospital: Option<HospitalId>,
    /// Which of the hospital's systems called; not for vendors.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    /// The CDS service id that was called; not for vendors.
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<String>,
    /// The hook.
    hook: String,
    /// When it came.
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    /// The HTTP status of the answer; not for vendors.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// How long the answer took, in microseconds; not for vendors.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_us: Option<u64>,
    /// Who was asked, what each was sent (keys and states, no content), what was repaired or suppressed, and why.
    explanation: Value,
    /// What became known later: late answers, comparisons with shadow services.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addenda: Vec<AddendumView>,
}

/// Something that became known of an exchange later.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AddendumView {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// What sort of thing.
    kind: String,
    /// The thing; `service` in it says whose it is.
    note: Value,
}

/// One exchange with its explanation.
#[utoipa::path(get, path = "/exchanges/{exchange}", tag = "exchanges", params(("exchange" = Uuid, Path)),
    responses((status = OK, description = "The exchange", body = ExchangeView)))]
pub(super) async fn read(
    State(api): State<Api>,
    caller: Caller,
    At(id): At<Uuid>,
) -> Result<Json<ExchangeView>, Problem> {
    let unknown = || Problem::no_such("exchange");
    let hospital = api.store.exchange_hospital(id).await?.ok_or_else(unknown)?;
    let exchange = api.store.exchange(&hospital, id).await?.ok_or_else(unknown)?;
    let addenda = api.store.addenda(&hospital, id).await?;
    seen_by(caller.identity(), hospital, exchange, addenda).map(Json).ok_or_else(unknown)
}

/// A hospital's exchanges, newest first.
#[utoipa::path(get, path = "/hospitals/{hospital}/exchanges", tag = "exchanges",
    params(("hospital" = HospitalId, Path), Paging),
    responses((status = OK, description = "A page of exchanges", body = Listed<ExchangeView>)))]
pub(super) async fn list(
    State(api): State<Api>,
    At(hospital): At<HospitalId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<ExchangeView>>, Problem> {
    let limit = paging.limit()?;
    let exchanges = api.store.exchanges(&hospital, before(&paging)?, limit).await?;
    let views = exchanges.into_iter().map(|exchange| whole(hospital.clone(), exchange)).collect();
    Ok(Json(Listed::new(views, limit, |view: &ExchangeView| view.id.to_string())))
}

fn before(paging: &Paging) -> Result<Option<Uuid>, Problem> {
    match paging.cursor() {
        "" => Ok(None),
        cursor => {
            cursor.parse().map(Some).map_err(|_| Problem::new(Kind::Parameter, "cursor is not one of this list's"))
        }
    }
}

fn seen_by(
    identity: &Identity,
    hospital: HospitalId,
    exchange: StoredExchange,
    addenda: Vec<StoredAddendum>,
) -> Option<ExchangeView> {
    let seen = match identity {
        Identity::Operator | Identity::Governor => whole(hospital, exchange),
        Identity::Hospital(own) if *own == hospital => whole(hospital, exchange),
        Identity::Hospital(_) => return None,
        Identity::Vendor(own) => part_of(own, exchange)?,
    };
    let visible = |addendum: &StoredAddendum| match identity {
        Identity::Vendor(own) => is_of(own, &addendum.note),
        Identity::Operator | Identity::Governor | Identity::Hospital(_) => true,
    };
    let addenda = addenda.into_iter().filter(visible).map(AddendumView::from).collect();
    Some(ExchangeView { addenda, ..seen })
}

fn whole(hospital: HospitalId, exchange: StoredExchange) -> ExchangeView {
    ExchangeView {
        id: exchange.id,
        hospital: Some(hospital),
        client: Some(exchange.client),
        offer: Some(exchange.offer),
        hook: exchange.hook,
        received_at: exchange.received_at,
        status: Some(exchange.status),
        duration_us: Some(exchange.duration_us),
        explanation: exchange.explanation,
        addenda: Vec::new(),
    }
}

/// What a vendor may know: its own services' entries; nothing at all where it was not asked.
fn part_of(vendor: &VendorId, exchange: StoredExchange) -> Option<ExchangeView> {
    let services = exchange.explanation.get("services")?.as_array()?;
    let own: Vec<&Value> = services.iter().filter(|entry| is_of(vendor, entry)).collect();
    if own.is_empty() {
        return None;
    }
    let explanation = json!({ "services": own });
    Some(ExchangeView {
        id: exchange.id,
        hospital: None,
        client: None,
        offer: None,
        hook: exchange.hook,
        received_at: exchange.received_at,
        status: None,
        duration_us: None,
        explanation,
        addenda: Vec::new(),
    })
}

fn is_of(vendor: &VendorId, entry: &Value) -> bool {
    let name = entry.get("service").and_then(Value::as_str).unwrap_or_default();
    name.split_once('.').is_some_and(|(owner, _)| owner == vendor.as_str())
}

impl From<StoredAddendum> for AddendumView {
    fn from(StoredAddendum { at, kind, note }: StoredAddendum) -> Self {
        Self { at, kind, note }
    }
}
