//! STOW-RS: instances on their way in (PS3.18 §10.5).
//!
//! A body is read to its end whatever a part of it holds: one broken instance does not cost the others. What was whole when the
//! connection broke is stored; the part that was not is dropped.

mod answer;
mod objects;

use std::time::Duration;

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, header};
use medvan_imaging::multipart::{Boundary, ContentType, Event, Limits, MultipartError, PartHead, Reader};
use uuid::Uuid;

use super::{ask::Ask, incoming::Incoming, negotiation, refusal::Refusal};
use crate::{
    App,
    archive::{Arrival, Expected, Stored},
    store::{Kind, Origin, Protocol},
};
pub(super) use answer::Answer;
use objects::Format;

/// Instances after which what came so far is made safe, so that a long request does not hold ever more rows.
const AT_ONCE: usize = 2_000;

/// `POST …/studies[/{study}]`
pub(crate) async fn store(State(app): State<App>, ask: Ask, body: Body) -> Result<Response, Refusal> {
    let study = ask.resource.study()?;
    let answer = Answer::choose(&ask.acceptable, ask.root.clone(), study.clone())?;
    let content = Content::of(&ask.headers)?;
    let origin = Origin {
        id: Uuid::now_v7(),
        protocol: Protocol::Stow,
        source: ask.client.name().to_owned(),
        called: None,
        peer: ask.peer.ip(),
        at: app.clock.now(),
    };
    let arrival = app.archive.arrival(ask.hospital(), origin, ask.client.on_conflict(), Kind::Original)?;
    let body = Incoming::new(body, Duration::from_millis(app.config.limits.body_read_ms));
    let expected = Expected { study, ..Expected::default() };
    let receiving = Receiving { arrival, expected, body, done: Vec::new(), at_once: 0 };
    // In a task of its own: a client that hangs up must not undo what came whole.
    let work = app.tasks.spawn("store", receiving.run(content));
    let received = work.await.map_err(|_| Refusal::Internal)?;
    received.map(|stored| answer.of(stored.iter().map(Stored::answer)))
}

/// What the body is (§10.5.1.4, table 10.5.1-3).
enum Content {
    /// One instance for each part.
    Instances(Boundary),
    /// One instance, nothing around it.
    Single,
    /// Metadata, then its bulk data.
    Objects(Boundary, Format),
}

const KNOWN: &str = "the Content-Type must be multipart/related with type=\"application/dicom\", \"application/dicom+json\" or \
     \"application/dicom+xml\" and a boundary, or application/dicom for one instance";

impl Content {
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content = value.ok_or(Refusal::UnsupportedMedia(KNOWN))?;
        let content = ContentType::parse(content).map_err(|error| Refusal::BadRequest(error.to_string()))?;
        if content.media() == "application/dicom" {
            return Ok(Self::Single);
        }
        if !content.is_related() {
            return Err(Refusal::UnsupportedMedia(KNOWN));
        }
        let boundary = || content.boundary().map_err(|error| Refusal::BadRequest(error.to_string()));
        // Some clients leave the type out; the parts say it then.
        match content.root_type().as_deref().unwrap_or("application/dicom") {
            "application/dicom" => Ok(Self::Instances(boundary()?)),
            "application/dicom+json" | "application/json" => Ok(Self::Objects(boundary()?, Format::Json)),
            "application/dicom+xml" => Ok(Self::Objects(boundary()?, Format::Xml)),
            _ => Err(Refusal::UnsupportedMedia(KNOWN)),
        }
    }
}

/// A request while it is received.
struct Receiving {
    arrival: Arrival,
    expected: Expected,
    body: Incoming,
    done: Vec<Stored>,
    at_once: usize,
}

impl Receiving {
    async fn run(mut self, content: Content) -> Result<Vec<Stored>, Refusal> {
        let received = match content {
            Content::Single => self.single().await,
            Content::Instances(boundary) => self.parts(&boundary).await,
            Content::Objects(boundary, format) => self.objects(&boundary, format).await,
        };
        if received.is_err() {
            self.arrival.abandon().await;
        }
        self.commit().await;
        if received.is_err() {
            self.arrival.cut().await;
        }
        match received {
            // What was whole before the body broke is stored, and its sender is told so.
            Err(refusal) if !self.done.is_empty() => {
                self.done.push(Stored::unwritable(refusal.to_string()));
                Ok(self.done)
            }
            received => received.map(|()| self.done),
        }
    }

    async fn single(&mut self) -> Result<(), Refusal> {
        while let Some(bytes) = self.body.next().await? {
            self.arrival.write(bytes).await;
        }
        self.finish().await;
        Ok(())
    }

    async fn parts(&mut self, boundary: &Boundary) -> Result<(), Refusal> {
        let mut reader = Reader::new(boundary, Limits::default());
        let mut part = Part::Instance;
        while let Some(event) = next(&mut reader, &mut self.body).await? {
            match event {
                Event::Part(head) => part = Part::of(&head),
                Event::Data(bytes) if part == Part::Instance => self.arrival.write(bytes).await,
                Event::PartEnd if part == Part::Instance => self.finish().await,
                Event::PartEnd => self.done.push(Stored::foreign()),
                Event::Data(_) | Event::More | Event::End => {}
            }
        }
        Ok(())
    }

    async fn finish(&mut self) {
        self.arrival.finish(self.expected.clone()).await;
        self.at_once += 1;
        if self.at_once >= AT_ONCE {
            self.commit().await;
        }
    }

    async fn commit(&mut self) {
        self.at_once = 0;
        self.done.extend(self.arrival.commit().await);
    }
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Instance,
    Foreign,
}

impl Part {
    fn of(head: &PartHead) -> Self {
        let is_instance = head.content_type.as_ref().is_none_or(|content| {
            // Whoever names no better type sends an instance here too.
            matches!(content.media(), "application/dicom" | "application/octet-stream")
        });
        if is_instance && head.flaw.is_none() { Self::Instance } else { Self::Foreign }
    }
}

/// The next event of the body; `None` when it has ended as it must.
async fn next(reader: &mut Reader, body: &mut Incoming) -> Result<Option<Event>, Refusal> {
    loop {
        match reader.next()? {
            Event::More => match body.next().await? {
                Some(bytes) => reader.push(bytes),
                None => return reader.finish().map(|()| None).map_err(Refusal::from),
            },
            // What follows the closing delimiter is nobody's.
            Event::End => return Ok(None),
            event => return Ok(Some(event)),
        }
    }
}

impl From<MultipartError> for Refusal {
    fn from(error: MultipartError) -> Self {
        match error {
            MultipartError::TooManyParts { .. }
            | MultipartError::HeadTooLong { .. }
            | MultipartError::TooManyHeaders { .. } => Self::TooLarge(error.to_string()),
            _ => Self::BadRequest(error.to_string()),
        }
    }
}
