//! Who made a card: the very version of the service, whatever serves now.
//!
//! Between a card and its feedback the version may have been replaced or suspended. The outcome still belongs to it: it
//! goes to that version's own address, and the outbox holds it back while the version is not approved.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use medvan_hooks::feedback::{self, Feedback};
use medvan_profiles::descriptor::{Descriptor, transport::ExtensionPolicy};
use serde::Deserialize as _;
use url::Url;

use crate::{
    App,
    call::CdsClient,
    catalog::{Enrollment, ImageMember, ServiceName, State, VersionNumber, address},
    store::{Delivery, IssuedCard, Store, StoreError, StoredVersion},
    trust::Recipient,
};

/// What matters about a maker for its feedback.
pub(super) struct Maker {
    /// Its endpoint; none if it has none.
    url: Option<Url>,
    /// What it expects of our tokens.
    token: Option<Recipient>,
    /// Extensions that hospital and service agreed on.
    pub(super) extensions: Vec<String>,
}

/// The makers of one batch, each looked up once.
pub(super) struct Makers<'a> {
    app: &'a App,
    caller: &'a CdsClient,
    known: HashMap<(ServiceName, VersionNumber, String), Option<Maker>>,
}

impl<'a> Makers<'a> {
    pub(super) fn of(app: &'a App, caller: &'a CdsClient) -> Self {
        Self { app, caller, known: HashMap::new() }
    }

    /// The maker of a card; none if this hospital left the service, or the version is over for ever.
    ///
    /// # Errors
    /// The store does not answer.
    pub(super) async fn maker(&mut self, card: &IssuedCard) -> Result<Option<&Maker>, StoreError> {
        let key = (card.service.clone(), card.version.clone(), card.cds_id.clone());
        Ok(match self.known.entry(key) {
            Entry::Occupied(known) => known.into_mut().as_ref(),
            Entry::Vacant(place) => {
                let descriptor = descriptor(self.app, self.caller, card).await?;
                place.insert(descriptor.map(|descriptor| Maker::of(self.caller, &descriptor, &card.cds_id))).as_ref()
            }
        })
    }
}

impl Maker {
    fn of(caller: &CdsClient, descriptor: &Descriptor, cds_id: &str) -> Self {
        let transport = &descriptor.transport;
        // Its own words were written by the gateway: it has no endpoint for what doctors say of them.
        let is_of_images = cds_id.starts_with(ImageMember::CDS_ID);
        let url = if is_of_images { None } else { address::feedback_url(descriptor, cds_id).ok().flatten() };
        let forwards = transport.overrides.extension_policy == ExtensionPolicy::Forward;
        Self {
            token: url.as_ref().and_then(|url| Recipient::of(transport, url.as_str())),
            url,
            extensions: if forwards { caller.hospital().hospital.allow_extensions.clone() } else { Vec::new() },
        }
    }

    /// Where the outcome goes, if anywhere.
    pub(super) fn delivery(&self, feedback: &Feedback) -> Option<Delivery> {
        let body = String::from_utf8(feedback::to_bytes(std::slice::from_ref(feedback))).ok()?;
        Some(Delivery { url: self.url.as_ref()?.to_string(), token: self.token.clone(), body })
    }
}

/// What the maker registered: from the catalog if it serves this hospital now, else from the store.
async fn descriptor(app: &App, caller: &CdsClient, card: &IssuedCard) -> Result<Option<Arc<Descriptor>>, StoreError> {
    let members = caller.hospital().offers.values().flat_map(|offer| &offer.members);
    let mut serving = members.filter(|member| member.name == card.service && member.version == card.version);
    if let Some(member) = serving.next() {
        return Ok(Some(Arc::clone(&member.descriptor)));
    }
    let enrolled: Option<Enrollment> = app.store.enrollment(caller.hospital_id(), &card.service).await?;
    match enrolled {
        None => Ok(None),
        Some(_) => registered(&app.store, card).await,
    }
}

async fn registered(store: &Store, card: &IssuedCard) -> Result<Option<Arc<Descriptor>>, StoreError> {
    let version: Option<StoredVersion> = store.version(&card.service, &card.version).await?;
    let Some(version) = version.filter(|version| version.state != State::Withdrawn) else { return Ok(None) };
    let descriptor = Descriptor::deserialize(&version.descriptor).inspect_err(|error| {
        // Its outcomes are kept; the rest of the batch goes its way.
        tracing::error!(service = %card.service, version = %card.version, %error, "a descriptor cannot be read");
    });
    Ok(descriptor.ok().map(Arc::new))
}
