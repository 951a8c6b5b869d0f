//! `/credentials`: the operator issues and revokes all but the governor's; those are the governor's own.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Api,
    credential::{Caller, Identity, Secret},
    faultless,
    input::{Asked, At, Listed, Paging, Posted},
    problem::{Kind, Problem},
    rights::Role,
};
use crate::{catalog::checks, store::StoredCredential};

/// A wish for a credential.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    /// `operator`, `governor`, `vendor` or `hospital`.
    role: Role,
    /// Which vendor or hospital; nothing for the others.
    #[serde(default)]
    subject: String,
    /// What it is for.
    #[schema(max_length = 200)]
    label: String,
    /// When it ends by itself.
    #[serde(default, with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
}

/// A new credential. The secret is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issued {
    #[serde(flatten)]
    credential: CredentialView,
    /// For `Authorization: Bearer`. It is not stored and cannot be shown again.
    secret: String,
}

/// A credential without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CredentialView {
    /// Its id, which is no secret.
    id: Uuid,
    /// `operator`, `governor`, `vendor` or `hospital`.
    role: String,
    /// Which vendor or hospital.
    subject: String,
    /// What it is for.
    label: String,
    /// Who issued it.
    created_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    revoked_at: Option<OffsetDateTime>,
}

/// Every credential, without the secrets.
#[utoipa::path(get, path = "/credentials", tag = "credentials", params(Paging),
    responses((status = OK, description = "A page of credentials", body = Listed<CredentialView>)))]
pub(super) async fn list(
    State(api): State<Api>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<CredentialView>>, Problem> {
    let page = paging.page()?;
    let credentials = api.store.credentials(page).await?.into_iter().map(CredentialView::from).collect();
    Ok(Json(Listed::new(credentials, page.limit, |view: &CredentialView| view.id.to_string())))
}

/// Issue a credential. The operator issues all but the governor's; the governor issues its own.
#[utoipa::path(post, path = "/credentials", tag = "credentials", request_body = Wanted,
    responses((status = CREATED, description = "The credential with its secret, this once", body = Issued)))]
pub(super) async fn issue(
    State(api): State<Api>,
    caller: Caller,
    Posted(wanted): Posted<Wanted>,
) -> Result<(StatusCode, Json<Issued>), Problem> {
    may_manage(&caller, wanted.role)?;
    let identity = subject(&api, &wanted).await?;
    let secret = Secret::mint(wanted.role).map_err(|_| Problem::bare(Kind::Unavailable))?;
    let stored = StoredCredential {
        id: Uuid::now_v7(),
        role: identity.role().word().to_owned(),
        subject: identity.subject().to_owned(),
        label: wanted.label,
        digest: secret.digest(),
        created_by: caller.actor(),
        created_at: api.clock.now(),
        expires_at: wanted.expires_at,
        revoked_at: None,
    };
    api.store.add_credential(&stored).await?;
    Ok((StatusCode::CREATED, Json(Issued { credential: stored.into(), secret: secret.expose().to_owned() })))
}

/// Revoke a credential: its next request is refused.
#[utoipa::path(delete, path = "/credentials/{credential}", tag = "credentials", params(("credential" = Uuid, Path)),
    responses((status = NO_CONTENT, description = "It is revoked")))]
pub(super) async fn revoke(State(api): State<Api>, caller: Caller, At(id): At<Uuid>) -> Result<StatusCode, Problem> {
    let unknown = || Problem::no_such("credential");
    let credential = api.store.credential(id).await?.ok_or_else(unknown)?;
    may_manage(&caller, Role::from_word(&credential.role).ok_or_else(unknown)?)?;
    api.store.revoke_credential(id, api.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The operator must not be able to become the governor, nor the other way round.
fn may_manage(caller: &Caller, role: Role) -> Result<(), Problem> {
    let governors = role == Role::Governor;
    if governors == (caller.role() == Role::Governor) {
        return Ok(());
    }
    let detail = "credentials of the governor are the governor's alone, all others the operator's";
    Err(Problem::new(Kind::Forbidden, detail))
}

async fn subject(api: &Api, wanted: &Wanted) -> Result<Identity, Problem> {
    let identity = Identity::of(wanted.role.word(), &wanted.subject);
    let exists = match &identity {
        Some(Identity::Vendor(id)) => api.store.vendor(id).await?.is_some(),
        Some(Identity::Hospital(id)) => api.store.hospital(id).await?.is_some(),
        Some(Identity::Operator | Identity::Governor) => wanted.subject.is_empty(),
        None => false,
    };
    let label = wanted.label.trim();
    let mut faults = Vec::new();
    if !exists {
        faults.push(checks::fault(
            "/subject",
            ("there is no such vendor or hospital", "該当するベンダーまたは病院がありません"),
            ("name an existing one; leave it out for other roles", "登録済みの id を書いてください"),
        ));
    }
    if label.is_empty() || label.chars().count() > 200 {
        faults.push(checks::fault(
            "/label",
            ("it is empty or longer than 200 characters", "空であるか、200文字を超えています"),
            ("say what the credential is for", "用途を書いてください"),
        ));
    }
    faultless(faults)?;
    identity.ok_or(Problem::bare(Kind::Internal))
}

impl From<StoredCredential> for CredentialView {
    fn from(stored: StoredCredential) -> Self {
        let StoredCredential { id, role, subject, label, created_by, created_at, expires_at, revoked_at, .. } = stored;
        Self { id, role, subject, label, created_by, created_at, expires_at, revoked_at }
    }
}
