//! [`Service`]: what a SOP class is for (PS3.4; PS3.6 table A-1).

use dicom_core::dictionary::UidDictionary as _;
use dicom_dictionary_std::StandardSopClassDictionary;

use super::retrieval::Root;
use crate::{Uid, ups::SopClass};

/// The Verification SOP Class (PS3.4 annex A).
pub const VERIFICATION: &str = "1.2.840.10008.1.1";
/// The Storage Commitment Push Model SOP Class (PS3.4 annex J).
pub const STORAGE_COMMITMENT: &str = "1.2.840.10008.1.20.1";
/// Its only instance.
pub const STORAGE_COMMITMENT_INSTANCE: &str = "1.2.840.10008.1.20.1.1";

/// Everything that the standard defines has a UID below this one; what has not is private.
const DICOM: &str = "1.2.840.10008.";
/// Composite storage classes. One that is newer than our dictionary is known by this root.
const STORAGE: &str = "1.2.840.10008.5.1.4.1.1.";

/// Objects of no patient and no study (PS3.4 annex GG), and directories of media: none that an archive of studies can hold.
const OF_NO_STUDY: &[&str] = &[
    "1.2.840.10008.1.3.10",
    "1.2.840.10008.5.1.4.1.1.200.1",
    "1.2.840.10008.5.1.4.1.1.200.3",
    "1.2.840.10008.5.1.4.1.1.200.7",
    "1.2.840.10008.5.1.4.1.1.201.1",
    "1.2.840.10008.5.1.4.38.1",
    "1.2.840.10008.5.1.4.39.1",
    "1.2.840.10008.5.1.4.43.1",
    "1.2.840.10008.5.1.4.44.1",
    "1.2.840.10008.5.1.4.45.1",
];

/// A service that is provided here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// C-ECHO.
    Verification,
    /// C-STORE.
    Storage,
    /// C-FIND.
    Find(Root),
    /// C-MOVE.
    Move(Root),
    /// C-GET.
    Get(Root),
    /// N-ACTION and N-EVENT-REPORT.
    StorageCommitment,
    /// Workitems, by one of their SOP classes.
    Workitems(SopClass),
}

impl Service {
    /// The service of a SOP class; none for one that is not provided.
    ///
    /// A class that is not below DICOM's own root is private, and a private class that is proposed is one of storage:
    /// modalities have them, and what an archive may not understand it may still keep.
    pub fn of(class: &Uid) -> Option<Self> {
        let class = class.as_str();
        match class {
            VERIFICATION => Some(Self::Verification),
            STORAGE_COMMITMENT => Some(Self::StorageCommitment),
            "1.2.840.10008.5.1.4.1.2.1.1" => Some(Self::Find(Root::Patient)),
            "1.2.840.10008.5.1.4.1.2.1.2" => Some(Self::Move(Root::Patient)),
            "1.2.840.10008.5.1.4.1.2.1.3" => Some(Self::Get(Root::Patient)),
            "1.2.840.10008.5.1.4.1.2.2.1" => Some(Self::Find(Root::Study)),
            "1.2.840.10008.5.1.4.1.2.2.2" => Some(Self::Move(Root::Study)),
            "1.2.840.10008.5.1.4.1.2.2.3" => Some(Self::Get(Root::Study)),
            _ => match SopClass::of(class) {
                Some(of) => Some(Self::Workitems(of)),
                None => is_storage(class).then_some(Self::Storage),
            },
        }
    }

    /// In one word, for logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Storage => "storage",
            Self::Find(_) => "find",
            Self::Move(_) => "move",
            Self::Get(_) => "get",
            Self::StorageCommitment => "storage-commitment",
            Self::Workitems(_) => "workitems",
        }
    }
}

fn is_storage(class: &str) -> bool {
    if !class.starts_with(DICOM) {
        return true;
    }
    if OF_NO_STUDY.contains(&class) {
        return false;
    }
    match StandardSopClassDictionary.by_uid(class) {
        Some(entry) => entry.name.contains("Storage") && !entry.name.contains("Commitment"),
        None => class.starts_with(STORAGE),
    }
}
