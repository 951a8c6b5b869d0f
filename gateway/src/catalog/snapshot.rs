//! [`Snapshot`]: everything that a call needs to know about the catalog, resolved beforehand.
//!
//! It is built from the store's [`Contents`] after each change and swapped as a whole ([`super::Catalog`]): a call sees the
//! catalog before a change or after it, never between. Pure: no store, no clock.

mod build;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use indexmap::IndexMap;
use medvan_hooks::{discovery::Service, plan::Union, template::Template};
use medvan_profiles::descriptor::{Descriptor, ImageEntry};
use url::Url;

use super::{
    client::{Authentication, Client},
    enrollment::{Enrollment, ImageTerms, Mode},
    hospital::Hospital,
    ids::{ClientId, HospitalId, ServiceName, VersionNumber},
    version::Version,
};
use crate::trust::Recipient;

/// What the store holds of the catalog.
#[derive(Debug, Default)]
pub struct Contents {
    /// Every hospital.
    pub hospitals: Vec<Hospital>,
    /// Every client.
    pub clients: Vec<Client>,
    /// The approved versions. What is not approved is not here and so cannot serve.
    pub approved: Vec<Version>,
    /// Every enrolment.
    pub enrollments: Vec<Enrollment>,
}

/// Share of accepted cards among those with feedback, where there is enough of it to say anything.
pub type Acceptance = HashMap<(HospitalId, ServiceName), f32>;

/// The catalog as calls see it.
#[derive(Debug, Default)]
pub struct Snapshot {
    hospitals: HashMap<HospitalId, HospitalView>,
    defects: Vec<Defect>,
}

/// One hospital as its calls see it.
#[derive(Debug)]
pub struct HospitalView {
    /// The hospital and its policy.
    pub hospital: Hospital,
    /// Its systems.
    pub clients: HashMap<ClientId, Arc<Client>>,
    /// What its EHRs may call, by CDS service id.
    pub offers: IndexMap<String, Arc<Offer>>,
    /// Its services that work on images, ordered by name.
    pub analyzers: Vec<Arc<ImageMember>>,
}

/// One kind of work on images of an enrolled version.
#[derive(Debug)]
pub struct ImageMember {
    /// The service in the catalog.
    pub name: ServiceName,
    /// The version that serves.
    pub version: VersionNumber,
    /// What its results are for.
    pub mode: Mode,
    /// What the vendor registered.
    pub descriptor: Arc<Descriptor>,
    /// Which of the descriptor's `images`.
    pub entry: ImageEntry,
    /// What the hospital says about it.
    pub terms: ImageTerms,
    /// Where it is called.
    pub url: Url,
    /// What it expects of our tokens; none where it checks none.
    pub token: Option<Recipient>,
    /// The hospital's rank for it.
    pub tier: u8,
}

/// One CDS service that the gateway offers to a hospital.
#[derive(Debug)]
pub struct Offer {
    /// `van-<hook>`, `<vendor>.<service>`, or for a service of several hooks `<vendor>.<service>-<hook>`.
    pub id: String,
    /// The hook.
    pub hook: String,
    /// What discovery says about it.
    pub published: Service,
    /// Its prefetch keys, and back to each member's own.
    pub union: Union,
    /// Who is asked, ordered by name: the index is the planner's member index.
    pub members: Vec<Arc<Member>>,
    /// Whether it stands for all services of a hook.
    pub aggregated: bool,
    /// Whether its answer tells of what was found in the patient's images.
    pub tells_of_images: bool,
}

/// One CDS service of an enrolled version.
#[derive(Debug)]
pub struct Member {
    /// The service in the catalog.
    pub name: ServiceName,
    /// The version that serves.
    pub version: VersionNumber,
    /// What its answers are for.
    pub mode: Mode,
    /// The hospital's rank for it.
    pub tier: u8,
    /// Share of its cards that this hospital's doctors accepted, where enough feedback came.
    pub acceptance: Option<f32>,
    /// What the vendor registered.
    pub descriptor: Arc<Descriptor>,
    /// Its id at the vendor.
    pub cds_id: String,
    /// `<vendor>.<cds_id>`: names it among all members.
    pub key: String,
    /// Its own prefetch templates.
    pub templates: IndexMap<String, Template>,
    /// Keys that it asks for and this hospital does not give it.
    pub withheld: Vec<String>,
    /// Where it is called.
    pub url: Url,
    /// What it expects of our tokens; none where it checks none.
    pub token: Option<Recipient>,
}

/// Something stored that cannot serve; it is left out and named, the rest serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// Which hospital misses something.
    pub hospital: HospitalId,
    /// Which service.
    pub service: ServiceName,
    /// Why.
    pub reason: String,
}

impl Snapshot {
    /// Resolves the contents.
    pub fn build(contents: Contents, acceptance: &Acceptance) -> Self {
        build::snapshot(contents, acceptance)
    }

    /// What is known of a hospital.
    pub fn hospital(&self, id: &HospitalId) -> Option<&HospitalView> {
        self.hospitals.get(id)
    }

    /// Every hospital.
    pub fn hospitals(&self) -> impl Iterator<Item = &HospitalView> {
        self.hospitals.values()
    }

    /// How much work on images a service takes at once; the most that any of its enrolled versions says.
    pub fn places_of(&self, service: &ServiceName) -> u32 {
        let all = self.hospitals.values().flat_map(|view| &view.analyzers);
        all.filter(|member| member.name == *service).map(|member| member.entry.limits.concurrency).max().unwrap_or(1)
    }

    /// What was left out.
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }
}

impl Offer {
    fn is_single_of(&self, name: &str) -> bool {
        !self.aggregated && self.members.iter().all(|member| member.name.to_string() == name)
    }

    /// Each member's key and templates, in the planner's order; then what the gateway itself needs, where it tells of images.
    pub fn parts(&self) -> Vec<(&str, &IndexMap<String, Template>)> {
        build::parts(&self.members, self.tells_of_images)
    }

    /// Where the gateway's own need is among [`Self::parts`].
    pub fn own_part(&self) -> Option<usize> {
        self.tells_of_images.then_some(self.members.len())
    }
}

impl ImageMember {
    /// What the CDS service ids of cards begin with that tell of images: no hook's id has a slash.
    pub const CDS_ID: &str = "images/";
    /// The gateway's own prefetch key: the patient, to find out by which id the images know them.
    pub const PATIENT: &str = "patient";

    /// Names cards of it as a CDS service id does.
    pub fn cds_id(&self) -> String {
        format!("{}{}", Self::CDS_ID, self.entry.id)
    }

    /// `<vendor>.<cds_id>`, as [`Member::key`].
    pub fn key(&self) -> String {
        format!("{}.{}", self.name.vendor, self.cds_id())
    }
}

impl HospitalView {
    /// What its EHRs may call under this CDS service id.
    pub fn offer(&self, id: &str) -> Option<&Arc<Offer>> {
        self.offers.get(id)
    }

    /// The offers that a call to this id may mean: the one with the id, or all of the service that is named
    /// `<vendor>.<service>`; which of them, the call's hook says.
    pub fn offered(&self, id: &str) -> Vec<Arc<Offer>> {
        match self.offers.get(id) {
            Some(offer) => vec![Arc::clone(offer)],
            None => self.offers.values().filter(|offer| offer.is_single_of(id)).cloned().collect(),
        }
    }

    /// The work on images of this service that is named so, as it is enrolled now.
    pub fn analyzer(&self, service: &ServiceName, entry: &str) -> Option<&Arc<ImageMember>> {
        self.analyzers.iter().find(|member| member.name == *service && member.entry.id == entry)
    }

    /// The client whose tokens carry this `iss`. Issuers are unique within a hospital.
    pub fn client_by_issuer(&self, issuer: &str) -> Option<&Arc<Client>> {
        self.clients
            .values()
            .find(|client| matches!(&client.authentication, Authentication::Jwt(jwt) if jwt.issuer == issuer))
    }

    /// The client that is believed because it stands on the same machine; the first by id.
    pub fn loopback_client(&self) -> Option<&Arc<Client>> {
        self.clients
            .values()
            .filter(|client| client.authentication == Authentication::Loopback)
            .min_by(|a, b| a.id.cmp(&b.id))
    }
}
