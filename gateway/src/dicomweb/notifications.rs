//! The connection by which a subscriber hears of workitems (PS3.18 §8.10.4, §8.10.5, §11.13): a WebSocket that begins with what was
//! not sent yet, also from before it was opened, and goes on with what happens.
//!
//! Events are rows ([`crate::store`]), whichever process wrote them: each is taken off when the connection took it, so a connection
//! that breaks off loses none, and may bring the last few twice. Of two connections of one application entity each event leaves by
//! one at least, and perhaps by both.

use std::time::Duration;

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use medvan_imaging::{AeTitle, Uid};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

use super::{
    ask::Ask,
    refusal::Refusal,
    vendor::{is_to_be_pulled, pulled},
};
use crate::{
    App,
    catalog::{HospitalId, VendorId},
    store::{Notice, Party, StoreError},
};

/// How often it is looked for what happened.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Events that are read at once.
const AT_ONCE: u32 = 50;
/// How often a silent connection is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// So long a subscriber may take for one event.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a message from a subscriber, who has nothing to say.
const MOST: usize = 4_096;

/// What can be asked for a connection.
pub(super) type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Whoever listens.
#[derive(Debug)]
pub(super) enum Listener {
    /// A system of a hospital.
    Hospital(HospitalId),
    /// A performer of a vendor.
    Vendor(VendorId),
}

/// What is to be done with an event.
enum Hearing {
    Now,
    /// Its workitem is not on the worklist yet.
    Later,
    /// It is not theirs any more.
    Never,
}

impl Listener {
    fn party(&self) -> Party<'_> {
        match self {
            Self::Hospital(hospital) => Party::Hospital(hospital),
            Self::Vendor(vendor) => Party::Vendor(vendor),
        }
    }

    /// A hospital hears of what is its own; a vendor of what it may read now.
    async fn hearing(&self, app: &App, workitem: &Uid) -> Result<Hearing, StoreError> {
        match self {
            Self::Hospital(_) => Ok(Hearing::Now),
            Self::Vendor(vendor) if pulled(app, vendor, workitem).await?.is_some() => Ok(Hearing::Now),
            Self::Vendor(vendor) if is_to_be_pulled(app, vendor, workitem).await? => Ok(Hearing::Later),
            Self::Vendor(_) => Ok(Hearing::Never),
        }
    }

    fn place(&self, app: &App) -> Option<OwnedSemaphorePermit> {
        match self {
            Self::Hospital(hospital) => app.listeners.place(hospital),
            Self::Vendor(vendor) => app.vendor_listeners.place(vendor),
        }
    }
}

/// `GET …/subscribers/{aetitle}`, upgraded to a WebSocket.
pub(crate) async fn open(State(app): State<App>, ask: Ask, upgrade: Upgrade) -> Result<Response, Refusal> {
    let ae_title = ask.subscriber()?;
    Ok(opened(app, Listener::Hospital(ask.hospital().clone()), ae_title, &ask.headers, upgrade))
}

/// The connection for whoever may listen so.
pub(super) fn opened(
    app: App,
    listener: Listener,
    ae_title: AeTitle,
    headers: &HeaderMap,
    upgrade: Upgrade,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => return refused.into_response(),
    };
    if !is_own_page(headers) {
        return (StatusCode::FORBIDDEN, "a page of another origin may not listen\n").into_response();
    }
    let Some(place) = listener.place(&app) else {
        let wait = [(header::RETRY_AFTER, "60")];
        return (StatusCode::SERVICE_UNAVAILABLE, wait, "as many listen as may\n").into_response();
    };
    let upgrade = upgrade.max_message_size(MOST).max_frame_size(MOST);
    upgrade.on_upgrade(move |socket| listen(app, listener, ae_title, socket, place))
}

/// Browsers say whose page asks; whoever is no browser says nothing.
fn is_own_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == host
}

async fn listen(app: App, listener: Listener, ae_title: AeTitle, socket: WebSocket, place: OwnedSemaphorePermit) {
    let tasks = app.tasks.clone();
    let told = tasks.spawn("subscriber", async move {
        let _place = place;
        if let Err(error) = tell(&app, &listener, &ae_title, socket).await {
            tracing::warn!(error = &error as &dyn std::error::Error, ?listener, "a subscriber cannot be told");
        }
    });
    let _ = told.await;
}

/// Tells until the subscriber goes, takes too long, or the process stops.
async fn tell(app: &App, listener: &Listener, ae_title: &AeTitle, mut socket: WebSocket) -> Result<(), StoreError> {
    let mut heard = Instant::now();
    let mut asked = heard;
    loop {
        if !tell_what_waits(app, listener, ae_title, &mut socket).await? {
            return Ok(());
        }
        tokio::select! {
            () = app.tasks.stopping() => {
                sends(&mut socket, Message::Close(None)).await;
                return Ok(());
            }
            message = socket.recv() => match message {
                // Whatever it says: it is there.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Text(_) | Message::Binary(_))) => heard = Instant::now(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
            },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if heard.elapsed() > PING_EVERY * 3 {
            return Ok(());
        }
        if heard.max(asked).elapsed() > PING_EVERY {
            asked = Instant::now();
            if !sends(&mut socket, Message::Ping(Default::default())).await {
                return Ok(());
            }
        }
    }
}

/// Tells every event that waits, in the order in which they happened; false where the subscriber takes none.
async fn tell_what_waits(
    app: &App,
    listener: &Listener,
    ae_title: &AeTitle,
    socket: &mut WebSocket,
) -> Result<bool, StoreError> {
    let mut behind = 0;
    loop {
        let notices = app.store.workitem_notices_behind(listener.party(), ae_title, behind, AT_ONCE).await?;
        let Some(last) = notices.last() else { return Ok(true) };
        behind = last.id;
        for notice in &notices {
            match listener.hearing(app, &notice.workitem).await? {
                Hearing::Now if !sends(socket, message(notice)?).await => return Ok(false),
                Hearing::Now | Hearing::Never => {
                    app.store.workitem_notice_sent(listener.party(), ae_title, notice.id).await?;
                }
                Hearing::Later => {}
            }
        }
    }
}

fn message(notice: &Notice) -> Result<Message, StoreError> {
    let number = u16::try_from(notice.id.rem_euclid(65_535) + 1).unwrap_or(1);
    let data_set = notice.event.data_set(&notice.workitem, number);
    let text = serde_json::to_string(&data_set).map_err(|_| StoreError::Unreadable("event of a workitem"))?;
    Ok(Message::Text(text.into()))
}

async fn sends(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(PATIENCE, socket.send(message)).await, Ok(Ok(())))
}
