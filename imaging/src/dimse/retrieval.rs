//! [`Selection`]: which instances a C-MOVE or C-GET asks for (PS3.4 §C.4.2, §C.4.3, §C.6).

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::{
    Uid,
    attributes::{AttributePath, read},
    dataset::Dataset,
};

/// UIDs that one request may list at its level.
const LISTED: usize = 10_000;

/// A query/retrieve information model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Root {
    /// Patients hold studies (§C.6.1).
    Patient,
    /// Studies are the highest (§C.6.2).
    Study,
}

/// Query/Retrieve Level (0008,0052).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// All studies of a patient.
    Patient,
    /// Whole studies.
    Study,
    /// Whole series.
    Series,
    /// Single instances.
    Image,
}

/// Which instances are asked for. A list that is empty says nothing about its level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// At which level.
    pub level: Level,
    /// Of this patient.
    pub patient: Option<String>,
    /// Of these studies.
    pub studies: Vec<Uid>,
    /// Of these series.
    pub series: Vec<Uid>,
    /// These.
    pub instances: Vec<Uid>,
}

/// Why an identifier selects nothing. The texts are short: they go into an Error Comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASelection {
    /// The level is missing or not one of the model.
    #[error("QueryRetrieveLevel is missing or not one of this model")]
    Level,
    /// A unique key that must be there is not, or has several values above the level.
    #[error("{0} must have one value at this level")]
    One(Tag),
    /// The unique key of the level itself has no values.
    #[error("{0} must have a value at this level")]
    Missing(Tag),
    /// A value is no UID.
    #[error("{0} has a value that is no UID")]
    NotAUid(Tag),
    /// There are too many.
    #[error("{0} lists too many UIDs")]
    TooMany(Tag),
}

impl Level {
    /// The level of this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "PATIENT" => Some(Self::Patient),
            "STUDY" => Some(Self::Study),
            "SERIES" => Some(Self::Series),
            "IMAGE" => Some(Self::Image),
            _ => None,
        }
    }
}

impl Selection {
    /// Reads the identifier of a C-MOVE or C-GET. The keys above the level must be there, one value each, unless relational
    /// retrieval was negotiated (§C.4.2.3.2).
    ///
    /// # Errors
    /// It selects nothing.
    pub fn read(identifier: &Dataset, root: Root, is_relational: bool) -> Result<Self, NotASelection> {
        let level = identifier.ascii(tags::QUERY_RETRIEVE_LEVEL).and_then(Level::parse).ok_or(NotASelection::Level)?;
        if level == Level::Patient && root == Root::Study {
            return Err(NotASelection::Level);
        }
        let may_lack = |of| is_relational && level > of;
        let patient = match root {
            Root::Patient => patient(identifier, may_lack(Level::Patient))?,
            Root::Study => None,
        };
        let at = |tag, of| match identifier.get(tag) {
            _ if level < of => Ok(Vec::new()),
            Some(key) if key.value.is_empty() && may_lack(of) => Ok(Vec::new()),
            None if may_lack(of) => Ok(Vec::new()),
            _ => uids(identifier, tag, level == of),
        };
        Ok(Self {
            level,
            patient,
            studies: at(tags::STUDY_INSTANCE_UID, Level::Study)?,
            series: at(tags::SERIES_INSTANCE_UID, Level::Series)?,
            instances: at(tags::SOP_INSTANCE_UID, Level::Image)?,
        })
    }
}

/// The only unique key that is not a UID; it is text in the identifier's character set.
fn patient(identifier: &Dataset, may_lack: bool) -> Result<Option<String>, NotASelection> {
    let nowhere = |_: &AttributePath| None;
    let patient = read(identifier, &nowhere).text(tags::PATIENT_ID);
    if patient.is_some() || may_lack { Ok(patient) } else { Err(NotASelection::One(tags::PATIENT_ID)) }
}

fn uids(identifier: &Dataset, tag: Tag, may_be_several: bool) -> Result<Vec<Uid>, NotASelection> {
    let bytes = identifier.bytes(tag).unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|_| NotASelection::NotAUid(tag))?;
    let text = text.trim_matches([' ', '\0']);
    if text.is_empty() {
        return Err(if may_be_several { NotASelection::Missing(tag) } else { NotASelection::One(tag) });
    }
    let values: Vec<&str> = text.split('\\').take(LISTED + 1).collect();
    match values.len() {
        1 => {}
        _ if !may_be_several => return Err(NotASelection::One(tag)),
        many if many > LISTED => return Err(NotASelection::TooMany(tag)),
        _ => {}
    }
    values.into_iter().map(|value| Uid::parse(value.trim()).map_err(|_| NotASelection::NotAUid(tag))).collect()
}
