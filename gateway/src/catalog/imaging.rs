//! [`HospitalImaging`]: how a hospital exchanges images: its AE title, and the applications on its DICOM network.

use std::collections::BTreeMap;

use medvan_analysis::completeness::{AtDeadline, Policy};
use medvan_imaging::AeTitle;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a hospital exchanges images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HospitalImaging {
    /// The AE title by which its nodes call the gateway. It says which hospital is meant, so no two hospitals have the
    /// same one.
    #[schema(value_type = String, min_length = 1, max_length = 16)]
    pub ae_title: AeTitle,
    /// The applications that may associate with the gateway, and that it may send to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Node>,
    /// What happens to an instance whose UID is stored already with other content. Nodes may differ.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// Days after which originals that were sent for AI work are removed; unset keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub originals_days: Option<u32>,
    /// When a study is complete, so that AI services may work on it.
    #[serde(default, skip_serializing_if = "Completeness::is_usual")]
    pub completeness: Completeness,
    /// `system` of those identifiers of a FHIR Patient whose value is the PatientID of images. Where it is not said, these are the
    /// ones of the form of JP Core, or of type MR, or the only one that a patient has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient_id_system: Option<String>,
    /// Where earlier studies of a patient are looked for that are not stored here; unset: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priors: Option<PriorSource>,
}

/// Where earlier studies are looked for, for services that compare with one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriorSource {
    /// The archive that is asked.
    pub archive: PriorArchive,
    /// So many seconds a study waits for it, from the moment at which it is complete. Then the work is done without.
    #[serde(default = "usual_patience")]
    pub seconds: u32,
}

/// An archive of a hospital's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum PriorArchive {
    /// One of the hospital's nodes: C-FIND, and C-MOVE or C-GET (PS3.4 annex C, study root).
    Dimse {
        /// Its AE title, as it is among the nodes.
        #[schema(value_type = String, min_length = 1, max_length = 16)]
        node: AeTitle,
        /// How it gives images.
        #[serde(default)]
        retrieve: Retrieve,
    },
    /// A DICOMweb root: QIDO-RS and WADO-RS.
    Dicomweb(WebSystem),
}

/// A DICOMweb origin server of a hospital's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebSystem {
    /// The root, above `/studies`.
    pub url: String,
    /// `aud` of the gateway's own token, which goes along with each request; unset: none goes along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Instead of a token: the name under which the operator has entered for this hospital how to log in (`outgoing.credentials`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// How a node gives images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Retrieve {
    /// By C-MOVE to the gateway's AE title: the node must know its address, and be allowed to store here.
    #[default]
    Move,
    /// By C-GET, over the association that the gateway asked for.
    Get,
}

const fn usual_patience() -> u32 {
    60
}

/// When a study is taken as complete. A count that was announced decides before quiet does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Completeness {
    /// So many seconds nothing must have come.
    pub quiet_seconds: u32,
    /// The same for single modalities; of several in a study the longest holds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub quiet_seconds_by_modality: BTreeMap<String, u32>,
    /// So many seconds after its first instance a study is not waited for any longer.
    pub deadline_seconds: u32,
    /// What happens then.
    #[schema(value_type = String)]
    pub at_deadline: AtDeadline,
}

impl Default for Completeness {
    fn default() -> Self {
        Self {
            quiet_seconds: 60,
            quiet_seconds_by_modality: BTreeMap::new(),
            deadline_seconds: 3_600,
            at_deadline: AtDeadline::Run,
        }
    }
}

/// So many times the usual quiet is waited for a sender whose transfer was cut off.
const AFTER_CUT: i32 = 5;

impl Completeness {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The shortest time after which any study can be complete: nothing need be read before.
    pub fn shortest(&self) -> Policy {
        let own = self.quiet_seconds_by_modality.values().copied().min();
        let quiet = own.map_or(self.quiet_seconds, |own| own.min(self.quiet_seconds));
        let quiet = time::Duration::seconds(quiet.into());
        Policy { quiet, quiet_after_cut: quiet * AFTER_CUT, ..self.policy([]) }
    }

    /// What holds for a study with these modalities.
    pub fn policy<'a>(&self, modalities: impl IntoIterator<Item = &'a str>) -> Policy {
        let own = modalities.into_iter().filter_map(|modality| self.quiet_seconds_by_modality.get(modality));
        let quiet = own.max().copied().unwrap_or(self.quiet_seconds);
        let quiet = time::Duration::seconds(quiet.into());
        Policy {
            quiet,
            quiet_after_cut: quiet * AFTER_CUT,
            deadline: time::Duration::seconds(self.deadline_seconds.into()),
            at_deadline: self.at_deadline,
        }
    }
}

/// One application on a hospital's DICOM network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Node {
    /// Its AE title.
    #[schema(value_type = String, min_length = 1, max_length = 16)]
    pub ae_title: AeTitle,
    /// Its host name or IP address. An AE title proves nothing, so a caller is believed only if it calls from here.
    pub host: String,
    /// The port on which it listens; unset for one that only calls. Nothing can be sent to such a one, unless it has `dicomweb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// What is sent to it goes here by STOW-RS; unset: by C-STORE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dicomweb: Option<WebSystem>,
    /// It listens for TLS.
    #[serde(default)]
    pub tls: bool,
    /// It may call from any address: it is behind NAT or moves about. Then whoever knows its AE title is believed.
    #[serde(default)]
    pub any_address: bool,
    /// It may store instances here (C-STORE, storage commitment).
    #[serde(default)]
    pub store: bool,
    /// It may search here (C-FIND).
    #[serde(default)]
    pub query: bool,
    /// It may have instances sent to itself and to other nodes (C-GET, C-MOVE).
    #[serde(default)]
    pub retrieve: bool,
    /// It may create, find, perform and watch workitems here (UPS Push, Watch, Pull, Event and Query), and is called with what happens
    /// to those that it is subscribed to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub workitems: bool,
    /// What happens to an instance from it whose UID is stored already with other content; unset means as the hospital has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<OnConflict>,
}

/// What happens to an instance whose UID is stored already with other content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnConflict {
    /// It is refused: two instances with one UID are a mistake that somebody should look at.
    #[default]
    Refuse,
    /// What is stored stays, and the sender is told that all is well.
    Keep,
    /// It takes the place of what is stored, and what it says of its study and series is what they are found by. An instance that
    /// names another patient is taken only if it is in that study already: a new one would be filed under somebody else's name.
    Replace,
}

impl Node {
    /// Whether anything can be sent to it.
    pub const fn takes(&self) -> bool {
        self.port.is_some() || self.dicomweb.is_some()
    }
}

impl HospitalImaging {
    /// The node with this AE title.
    pub fn node(&self, ae_title: &AeTitle) -> Option<&Node> {
        self.nodes.iter().find(|node| node.ae_title == *ae_title)
    }

    /// What happens to a conflicting instance from this node.
    pub fn on_conflict_from(&self, node: &Node) -> OnConflict {
        node.on_conflict.unwrap_or(self.on_conflict)
    }
}
