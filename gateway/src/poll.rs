//! Polling of vendors' discovery documents (CDS Hooks item 10), to learn that they no longer say what was approved.
//!
//! What a vendor publishes takes no effect here: calls follow the registered [descriptor](medvan_profiles::descriptor)
//! alone. A difference is drift: it is kept, shown to vendor, operator and governor, counted and logged; what shall hold
//! from now on comes as a new version and is approved first.

mod drift;

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use medvan_adapters::{
    cds_hooks::{self, Discovered, Validators},
    http::{Client, Guard},
};
use medvan_hooks::discovery::Services;
use medvan_profiles::descriptor::Descriptor;
use serde::Deserialize as _;
use time::OffsetDateTime;

use crate::{
    App,
    catalog::State,
    clock::Clock,
    store::{Page, Reading, Store, StoreError, StoredVersion},
    trust::{Keyring, Recipient},
};

/// How often is looked whether a reading is due: a version approved just now does not wait for the next round.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Readings under way at once.
const PARALLEL: usize = 4;
/// Time for one reading.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of a discovery document.
const DOCUMENT_BYTES: usize = 1 << 20;
/// Versions in these states are polled: up for review, serving, or suspended.
const POLLED: [State; 3] = [State::Submitted, State::Approved, State::Suspended];

/// Reads vendors' discovery documents and keeps what they say.
#[derive(Debug, Clone)]
pub struct Reader {
    store: Store,
    http: Client,
    keys: Arc<Keyring>,
    clock: Clock,
}

/// Polls until the process stops.
pub(crate) async fn run(app: App) {
    let every = app.config.discovery.poll_seconds;
    if every == 0 {
        return;
    }
    let reader = app.reader();
    let every = Duration::from_secs(every);
    while !app.tasks.is_stopping() {
        if let Err(error) = reader.read_due(every).await {
            tracing::error!(error = &error as &dyn std::error::Error, "discovery documents cannot be polled");
        }
        tokio::select! {
            () = app.tasks.stopping() => {}
            () = tokio::time::sleep(LOOK_EVERY.min(every)) => {}
        }
    }
}

impl Reader {
    /// Which addresses a vendor may register: those that are called on its behalf.
    pub fn guard(&self) -> &Guard {
        self.http.guard()
    }

    /// A reader that goes out through this client, with the gateway's own tokens.
    pub const fn new(store: Store, http: Client, keys: Arc<Keyring>, clock: Clock) -> Self {
        Self { store, http, keys, clock }
    }

    /// Reads the document of every version whose last reading is older than `every`.
    ///
    /// # Errors
    /// The store does not answer. A vendor that does not answer is a fault in its reading.
    pub async fn read_due(&self, every: Duration) -> Result<(), StoreError> {
        for state in POLLED {
            let mut after = String::new();
            loop {
                let versions = self.store.versions_in(state, Page { after: &after, limit: 100 }).await?;
                let Some(last) = versions.last() else { break };
                after = format!("{}@{}", last.name, last.number);
                let readings = versions.into_iter().map(|version| self.read_if_due(version, every));
                let outcomes: Vec<_> = stream::iter(readings).buffer_unordered(PARALLEL).collect().await;
                outcomes.into_iter().collect::<Result<(), _>>()?;
            }
        }
        Ok(())
    }

    /// Reads the document of one version now, and keeps what it says.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn read(&self, version: &StoredVersion) -> Result<Reading, StoreError> {
        let previous = self.store.reading(&version.name, &version.number).await?;
        let reading = match Descriptor::deserialize(&version.descriptor) {
            Ok(descriptor) => self.look(version, &descriptor, previous.clone()).await?,
            Err(_) => return Err(StoreError::Unreadable("descriptor")),
        };
        if reading.changes != previous.unwrap_or_default().changes {
            metrics::counter!("medvan_discovery_drift_total", "service" => version.name.to_string()).increment(1);
            tracing::warn!(service = %version.name, version = %version.number, "discovery and registration differ anew");
        }
        self.store.keep_reading(&version.name, &version.number, &reading).await?;
        Ok(reading)
    }

    async fn read_if_due(&self, version: StoredVersion, every: Duration) -> Result<(), StoreError> {
        let previous = self.store.reading(&version.name, &version.number).await?;
        let is_due = |at: OffsetDateTime| at + every <= self.clock.now();
        if previous.is_none_or(|reading| is_due(reading.read_at)) {
            self.read(&version).await?;
        }
        Ok(())
    }

    /// What the vendor says now; what it said before stays where it says nothing new or nothing at all.
    async fn look(
        &self,
        version: &StoredVersion,
        descriptor: &Descriptor,
        previous: Option<Reading>,
    ) -> Result<Reading, StoreError> {
        let previous = previous.unwrap_or_default();
        let kept = Reading { read_at: self.clock.now(), fault: None, ..previous.clone() };
        if descriptor.hooks.is_empty() {
            // Only CDS Hooks has a discovery.
            return Ok(kept);
        }
        match self.fetch(descriptor, &previous).await {
            Ok(Discovered::Unchanged) => Ok(kept),
            Ok(Discovered::Document { body, validators }) => match Services::parse(&body) {
                Ok(found) => {
                    let siblings = self.siblings(version).await?;
                    let drift = drift::between(descriptor, &found, &siblings);
                    let Validators { etag, last_modified } = validators;
                    Ok(Reading { etag, last_modified, ..drift.into_reading(kept) })
                }
                Err(error) => Ok(Reading { fault: Some(error.to_string()), ..kept }),
            },
            Err(fault) => Ok(Reading { fault: Some(fault), ..kept }),
        }
    }

    async fn fetch(&self, descriptor: &Descriptor, previous: &Reading) -> Result<Discovered, String> {
        let transport = &descriptor.transport;
        let url = format!("{}{}", transport.base_url.trim_end_matches('/'), transport.discovery_path);
        let guarded = self.http.guard().check(&url).map_err(|refused| refused.to_string())?;
        let bearer = Recipient::of(transport, &url).map(|to| self.keys.bearer(&to, None, self.clock.now()));
        let bearer = bearer.transpose().map_err(|error| error.to_string())?;
        let validators = Validators { etag: previous.etag.clone(), last_modified: previous.last_modified.clone() };
        let answer = cds_hooks::discover(&self.http, guarded, bearer, &validators, PATIENCE, DOCUMENT_BYTES).await;
        answer.map_err(|error| error.to_string())
    }

    /// Ids that the vendor's other services have: in a common document they are nothing new.
    async fn siblings(&self, version: &StoredVersion) -> Result<Vec<String>, StoreError> {
        let page = Page { after: "", limit: 1_000 };
        let versions = self.store.versions(&version.name.vendor, page).await?;
        let others = versions.into_iter().filter(|other| other.name != version.name);
        let hooks =
            others.filter_map(|other| Descriptor::deserialize(&other.descriptor).ok()).flat_map(|other| other.hooks);
        Ok(hooks.map(|hook| hook.id).collect())
    }
}
