//! Who calls: a [`CdsClient`] exists only for a caller that proved itself, and an [`Offer`] is reached only
//! through one.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use http::{HeaderMap, header, uri::Authority};

use super::refusal::Refusal;
use crate::{
    App,
    bearer::bearer,
    catalog::{Client, HospitalId, HospitalView, Offer, Snapshot},
    config::ProfileName,
    store::Replay,
    trust::{self, Token},
};

/// Proof: this client of this hospital may call now. It holds the catalog as it was at that moment.
pub(crate) struct CdsClient {
    snapshot: Arc<Snapshot>,
    hospital: HospitalId,
    client: Arc<Client>,
    replay: Option<Replay>,
}

/// Which endpoint was called: a token is for one endpoint only (CDS Hooks item 54).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Audience<'a> {
    /// `…/cds-services`
    Discovery,
    /// `…/cds-services/{id}`
    Service(&'a str),
    /// `…/cds-services/{id}/feedback`; tokens for the service itself are taken too, the standard gives no example.
    Feedback(&'a str),
    /// A hospital's DICOMweb root. Its clients send thousands of requests, so a token is good for all of them until it ends.
    Images,
    /// A hospital's FHIR root: AI results. Its clients read many resources, too.
    Results,
}

impl CdsClient {
    /// Finds out who calls.
    ///
    /// # Errors
    /// [`Refusal::NotAuthenticated`], without saying what was wrong: the log says it.
    pub(crate) async fn authenticate(
        app: &App,
        hospital: &str,
        audience: Audience<'_>,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<Self, Refusal> {
        let snapshot = app.catalog.current();
        let view = hospital.parse().ok().and_then(|id| snapshot.hospital(&id));
        let view = view.ok_or(Refusal::NotAuthenticated)?;
        let (client, replay) = match bearer(headers) {
            Some(token) => by_token(app, view, audience, token).await.ok_or(Refusal::NotAuthenticated)?,
            // Whoever shows something else than one token is not let in by their place either.
            None if headers.contains_key(header::AUTHORIZATION) => return Err(Refusal::NotAuthenticated),
            None => (by_place(app, view, headers, peer).ok_or(Refusal::NotAuthenticated)?, None),
        };
        let hospital = view.hospital.id.clone();
        Ok(Self { snapshot, hospital, client, replay })
    }

    /// The hospital's id.
    pub(crate) fn hospital_id(&self) -> &HospitalId {
        &self.hospital
    }

    /// The hospital as this call sees it.
    pub(crate) fn hospital(&self) -> &HospitalView {
        // The snapshot never changes and held this hospital when the value was made.
        self.snapshot.hospital(&self.hospital).expect("the snapshot holds the hospital")
    }

    /// The calling system.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The token that must not come again.
    pub(crate) fn replay(&self) -> Option<&Replay> {
        self.replay.as_ref()
    }

    /// Makes the token's end durable where no exchange record does it: discovery and feedback.
    ///
    /// # Errors
    /// [`Refusal::NotRecorded`]: a token that may come again after a restart is not honoured.
    pub(crate) async fn spend_token(&self, app: &App) -> Result<(), Refusal> {
        match &self.replay {
            Some(replay) => app.store.spend(replay.clone()).await.map_err(|_| Refusal::NotRecorded),
            None => Ok(()),
        }
    }

    /// The offers that a call to this id may mean, if this hospital is enrolled for anything in them.
    ///
    /// # Errors
    /// [`Refusal::NoSuchService`], also where another hospital has it.
    pub(crate) fn entitled(&self, id: &str) -> Result<Vec<Arc<Offer>>, Refusal> {
        let offers = self.hospital().offered(id);
        if offers.is_empty() { Err(Refusal::NoSuchService) } else { Ok(offers) }
    }
}

/// This machine is believed only in the loopback profile, and only where the hospital registered such a client.
fn by_place(app: &App, view: &HospitalView, headers: &HeaderMap, peer: SocketAddr) -> Option<Arc<Client>> {
    is_this_machine(app, headers, peer).then(|| view.loopback_client().cloned()).flatten()
}

/// Whether somebody at this machine calls, in the profile that believes them. A page of another site, whose name was made to
/// mean this machine (DNS rebinding), calls from here too, but by that name.
pub(crate) fn is_this_machine(app: &App, headers: &HeaderMap, peer: SocketAddr) -> bool {
    app.config.profile == ProfileName::Loopback && peer.ip().is_loopback() && is_own_name(app, headers)
}

fn is_own_name(app: &App, headers: &HeaderMap) -> bool {
    // No browser speaks HTTP/2 without TLS, where the name is not in the headers.
    let Some(host) = headers.get(header::HOST) else { return true };
    let called = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    called.is_some_and(|called| {
        let name = called.host().trim_matches(['[', ']']);
        let own = app.config.external_url.as_ref().and_then(|url| url.host_str());
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            || own.is_some_and(|own| name.eq_ignore_ascii_case(own))
    })
}

async fn by_token(
    app: &App,
    view: &HospitalView,
    audience: Audience<'_>,
    token: &str,
) -> Option<(Arc<Client>, Option<Replay>)> {
    match check_token(app, view, audience, token).await {
        Ok(checked) => Some(checked),
        Err(refusal) => {
            metrics::counter!("medvan_tokens_refused_total", "reason" => refusal.label()).increment(1);
            // The text tells a skewed clock and the like; it repeats nothing of the token.
            tracing::info!(hospital = %view.hospital.id, reason = %refusal, "token refused");
            None
        }
    }
}

async fn check_token(
    app: &App,
    view: &HospitalView,
    audience: Audience<'_>,
    token: &str,
) -> Result<(Arc<Client>, Option<Replay>), trust::Refusal> {
    let now = app.clock.now();
    let token = Token::parse(token)?;
    let client = view.client_by_issuer(token.claimed_issuer()).ok_or(trust::Refusal::Issuer)?;
    let keys = app.clients.keys(client, &app.http).ok_or(trust::Refusal::KeysUnavailable)?;
    let called = audience.urls(app.config.external_base(), view.hospital.id.as_str());
    let called: Vec<&str> = called.iter().map(String::as_str).collect();
    let verified = app.verifier.verify(&token, &keys, &called, now).await?;
    if matches!(audience, Audience::Images | Audience::Results) {
        return Ok((Arc::clone(client), None));
    }
    let hospital = view.hospital.id.clone();
    app.replay.spend(hospital.as_str(), &verified, now)?;
    let replay = Replay { hospital, issuer: verified.iss, jti: verified.jti, expires_at: verified.exp };
    Ok((Arc::clone(client), Some(replay)))
}

impl Audience<'_> {
    /// The URLs that a token for this endpoint may name.
    fn urls(self, base: &str, hospital: &str) -> Vec<String> {
        let services = format!("{base}/hospitals/{hospital}/cds-services");
        match self {
            Self::Discovery => vec![services],
            Self::Service(id) => vec![format!("{services}/{id}")],
            Self::Feedback(id) => vec![format!("{services}/{id}/feedback"), format!("{services}/{id}")],
            Self::Images => vec![format!("{base}/hospitals/{hospital}/dicom-web")],
            Self::Results => vec![format!("{base}/hospitals/{hospital}/fhir")],
        }
    }
}
