//! [`ThisMachine`]: who may look. There is no sign-in for people yet, so it is whoever sits at this machine, and only
//! where the profile believes this machine.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use crate::{
    App,
    call::is_this_machine,
    catalog::{HospitalView, Snapshot},
};

/// Proof: the profile is loopback, and the request comes from this machine.
pub(crate) struct ThisMachine(pub(super) App);

/// There is no viewer here.
///
/// It is a 404 and neither 401 nor 403: those tell a browser that somebody else, or the same person with a password,
/// would be let in. On this gateway nobody would; the pages are not there.
#[derive(Debug)]
pub(crate) struct NoViewer;

impl FromRequestParts<App> for ThisMachine {
    type Rejection = NoViewer;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoViewer> {
        let peer = ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await.map_err(|_| NoViewer)?;
        if is_this_machine(app, &parts.headers, peer.0) { Ok(Self(app.clone())) } else { Err(NoViewer) }
    }
}

impl ThisMachine {
    /// The hospitals that let this machine see their images without a token, by id: those with `imaging` and a client
    /// with `authentication: loopback`.
    pub(super) fn hospitals(snapshot: &Snapshot) -> Vec<&HospitalView> {
        let is_open = |view: &&HospitalView| view.hospital.imaging.is_some() && view.loopback_client().is_some();
        let mut open: Vec<&HospitalView> = snapshot.hospitals().filter(is_open).collect();
        open.sort_by(|one, other| one.hospital.id.cmp(&other.hospital.id));
        open
    }
}

impl IntoResponse for NoViewer {
    fn into_response(self) -> Response {
        let media = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        (StatusCode::NOT_FOUND, media, include_str!("web/no-viewer.html")).into_response()
    }
}
