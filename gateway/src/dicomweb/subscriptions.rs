//! Who wants to hear of workitems: subscribe, unsubscribe and suspend (PS3.18 §11.10 to §11.12).

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use medvan_imaging::{
    AeTitle, Uid,
    query::{Level, Query},
};

use super::{
    ask::{Ask, Asked},
    refusal::Refusal,
    workitems::missing,
};
use crate::{
    App,
    store::{Subscribed, Worklist},
};

/// What a path's UID stands for.
pub(super) enum Target {
    Workitem(Uid),
    Worklist(Worklist),
}

/// `POST …/workitems/{workitem}/subscribers/{aetitle}[?deletionlock={true|false}][&filter]` (§11.10)
///
/// Content-Location is where events are heard ([`super::notifications`]).
pub(crate) async fn subscribe(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let (ae_title, target, has_lock) = (ask.subscriber()?, target(&ask)?, is_lock_wanted(&ask)?);
    let (hospital, now) = (ask.hospital(), app.clock.now());
    let uid = ask.resource.workitem()?;
    let subscribed = match target {
        Target::Workitem(uid) => app.store.subscribe_to_workitem(hospital, &uid, &ae_title, has_lock, now).await?,
        Target::Worklist(worklist) => {
            app.store.subscribe_to_worklist(hospital, &worklist, &ae_title, has_lock, now).await?
        }
    };
    match subscribed {
        Subscribed::Done => Ok(subscribed_at(&ask.root, &ae_title)),
        Subscribed::NoWorkitem => Err(missing(&app, hospital, &uid).await),
        Subscribed::TooMany => Ok(full("hospital")),
    }
}

/// It is subscribed; where its events are heard.
pub(super) fn subscribed_at(root: &str, ae_title: &AeTitle) -> Response {
    // The root's scheme is http or https.
    let heard_at = format!("{}/subscribers/{ae_title}", root.replacen("http", "ws", 1)).replace(' ', "%20");
    (StatusCode::CREATED, [(header::CONTENT_LOCATION, heard_at)]).into_response()
}

/// A party has as many subscribers as it may have.
pub(super) fn full(party: &str) -> Response {
    let text = format!("the {party} has as many subscribers as it may have; one must be unsubscribed first\n");
    (StatusCode::FORBIDDEN, text).into_response()
}

/// Whether a subscriber wants that workitems stay.
pub(super) fn is_lock_wanted(ask: &Asked) -> Result<bool, Refusal> {
    match ask.parameters.get("deletionlock") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(bad("deletionlock must be true or false")),
    }
}

/// `DELETE …/workitems/{workitem}/subscribers/{aetitle}` (§11.11)
pub(crate) async fn unsubscribe(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let ae_title = ask.subscriber()?;
    let is_ended = match target(&ask)? {
        Target::Workitem(uid) => app.store.unsubscribe_from_workitem(ask.hospital(), &uid, &ae_title).await?,
        Target::Worklist(worklist) => app.store.unsubscribe_from_worklist(ask.hospital(), &worklist, &ae_title).await?,
    };
    ended(is_ended)
}

/// `POST …/workitems/{worklist}/subscribers/{aetitle}/suspend` (§11.12)
pub(crate) async fn suspend(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let ae_title = ask.subscriber()?;
    let worklist = target(&ask)?.worklist()?;
    ended(app.store.suspend_worklist(ask.hospital(), &worklist, &ae_title).await?)
}

pub(super) fn ended(is_ended: bool) -> Result<Response, Refusal> {
    if is_ended { Ok(StatusCode::OK.into_response()) } else { Err(Refusal::NotFound) }
}

impl Target {
    /// What can be suspended.
    pub(super) fn worklist(self) -> Result<Worklist, Refusal> {
        match self {
            Self::Worklist(worklist) => Ok(worklist),
            Self::Workitem(_) => Err(bad("only a subscription to a worklist can be suspended")),
        }
    }
}

pub(super) fn target(ask: &Asked) -> Result<Target, Refusal> {
    let uid = ask.resource.workitem()?;
    Ok(match uid.as_str() {
        Worklist::ALL => Target::Worklist(Worklist::All),
        Worklist::FILTERED => Target::Worklist(Worklist::Filtered(filter(ask)?)),
        _ => Target::Workitem(uid),
    })
}

/// The matching keys: parameters of their own as in a search, or all of them in `filter`, apart by commas. One that is not
/// understood is refused: without it, its subscriber would hear of more than they asked for.
fn filter(ask: &Asked) -> Result<Vec<(String, String)>, Refusal> {
    let mut pairs = Vec::new();
    for (name, value) in ask.parameters.iter() {
        match name {
            "deletionlock" => {}
            "filter" => {
                for key in value.split(',').filter(|key| !key.is_empty()) {
                    let pair = key.split_once('=').ok_or_else(|| bad("each key of the filter is attribute=value"))?;
                    pairs.push((pair.0.to_owned(), pair.1.to_owned()));
                }
            }
            _ => pairs.push((name.to_owned(), value.to_owned())),
        }
    }
    let keys = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let (_, warnings) = Query::from_parameters(Level::Workitem, keys)?;
    match warnings.first() {
        None => Ok(pairs),
        Some(warning) => Err(bad(&warning.to_string())),
    }
}

fn bad(reason: &str) -> Refusal {
    Refusal::BadRequest(reason.to_owned())
}

impl Asked {
    /// The application entity that the path names.
    pub(super) fn ae_title(&self) -> Result<AeTitle, Refusal> {
        AeTitle::parse(self.resource.rest()).map_err(|error| bad(&error.to_string()))
    }
}

impl Ask {
    /// The same, if this system may hear what it hears.
    pub(super) fn subscriber(&self) -> Result<AeTitle, Refusal> {
        let title = self.ae_title()?;
        let own = self.client.ae_titles();
        if own.is_empty() || own.contains(&title) {
            return Ok(title);
        }
        Err(Refusal::NotTheirs("this system may subscribe and listen under its own AE titles only"))
    }
}
