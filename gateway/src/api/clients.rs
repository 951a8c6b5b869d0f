//! `/hospitals/{hospital}/clients`

use axum::{Json, extract::State, http::StatusCode};

use super::{
    Api, deleted, faultless,
    input::{Asked, At, Listed, Paging, Posted},
    problem::{Kind, Problem},
    status_of,
};
use crate::{
    catalog::{Client, ClientId, HospitalId, checks},
    store::PutClient,
};

/// The systems of a hospital.
#[utoipa::path(get, path = "/hospitals/{hospital}/clients", tag = "hospitals",
    params(("hospital" = HospitalId, Path), Paging),
    responses((status = OK, description = "A page of clients", body = Listed<Client>)))]
pub(super) async fn list(
    State(api): State<Api>,
    At(hospital): At<HospitalId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Client>>, Problem> {
    let page = paging.page()?;
    let clients = api.store.clients(&hospital, page).await?;
    Ok(Json(Listed::new(clients, page.limit, |client| client.id.to_string())))
}

/// One system of a hospital.
#[utoipa::path(get, path = "/hospitals/{hospital}/clients/{client}", tag = "hospitals",
    params(("hospital" = HospitalId, Path), ("client" = ClientId, Path)),
    responses((status = OK, description = "The client", body = Client)))]
pub(super) async fn read(
    State(api): State<Api>,
    At((hospital, id)): At<(HospitalId, ClientId)>,
) -> Result<Json<Client>, Problem> {
    api.store.client(&hospital, &id).await?.map(Json).ok_or_else(|| Problem::no_such("client"))
}

/// Make or change a system of a hospital.
#[utoipa::path(put, path = "/hospitals/{hospital}/clients/{client}", tag = "hospitals",
    params(("hospital" = HospitalId, Path), ("client" = ClientId, Path)), request_body = Client, responses(
        (status = CREATED, description = "It is new", body = Client),
        (status = OK, description = "It was changed, or was so already", body = Client),
        (status = CONFLICT, description = "Another client of the hospital has this issuer")))]
pub(super) async fn write(
    State(api): State<Api>,
    At((hospital, id)): At<(HospitalId, ClientId)>,
    Posted(client): Posted<Client>,
) -> Result<(StatusCode, Json<Client>), Problem> {
    let mut faults = checks::client(&client, &api.guard);
    faults.extend(checks::same_id("/id", id.as_str(), client.id.as_str()));
    faults.extend(checks::same_id("/hospital", hospital.as_str(), client.hospital.as_str()));
    faultless(faults)?;
    match api.store.put_client(&client).await? {
        PutClient::NoSuchHospital => Err(Problem::no_such("hospital")),
        PutClient::IssuerTaken => Err(Problem::new(
            Kind::Conflict,
            "another client of this hospital has the same issuer; their tokens could not be told apart",
        )),
        PutClient::Written(written) => {
            api.catalog.renew().await?;
            Ok((status_of(written), Json(client)))
        }
    }
}

/// End a system of a hospital: its next call is refused.
#[utoipa::path(delete, path = "/hospitals/{hospital}/clients/{client}", tag = "hospitals",
    params(("hospital" = HospitalId, Path), ("client" = ClientId, Path)),
    responses((status = NO_CONTENT, description = "It is gone")))]
pub(super) async fn delete(
    State(api): State<Api>,
    At((hospital, id)): At<(HospitalId, ClientId)>,
) -> Result<StatusCode, Problem> {
    let there_was_one = api.store.delete_client(&hospital, &id).await?;
    api.catalog.renew().await?;
    deleted(there_was_one, "client")
}
