//! [`Level`]: the levels of the Query/Retrieve information model (PS3.4 §C.6).

use std::{collections::HashMap, fmt, sync::LazyLock};

use dicom_core::Tag;

use super::modules::MODULES;

/// A level of the information model. The patient's attributes belong to the study, as in the Study Root model (PS3.4 §C.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Studies, with their patients.
    Study,
    /// Series, with the equipment that made them.
    Series,
    /// Instances.
    Instance,
    /// Workitems, which stand beside the others and may say anything (PS3.4 table CC.2.5-3).
    Workitem,
}

static LEVELS: LazyLock<HashMap<Tag, Level>> = LazyLock::new(|| {
    let tags = MODULES.iter().flat_map(|(level, _, tags)| tags.iter().map(|tag| (*tag, *level)));
    tags.collect()
});

/// The level that an attribute belongs to, by the modules of the composite IODs; private attributes belong to the instance.
pub fn level_of(tag: Tag) -> Level {
    LEVELS.get(&tag).copied().unwrap_or(Level::Instance)
}

impl Level {
    /// The value of Query/Retrieve Level (0008,0052); a search for workitems has none.
    pub fn as_query_retrieve_level(self) -> &'static str {
        match self {
            Self::Study => "STUDY",
            Self::Series => "SERIES",
            Self::Instance => "IMAGE",
            Self::Workitem => "",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Study => "study",
            Self::Series => "series",
            Self::Instance => "instance",
            Self::Workitem => "workitem",
        })
    }
}
