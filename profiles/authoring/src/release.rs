//! [`Release`]: in which release of FHIR a resource is written.

/// A release of FHIR. What both have alike is written once; each resource says where they differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Release {
    /// 4.0.1, which hospitals have (JP Core 1.2.0).
    #[default]
    R4,
    /// 5.0.0, which has ImagingSelection.
    R5,
}

impl Release {
    /// As a CapabilityStatement has it.
    pub const fn version(self) -> &'static str {
        match self {
            Self::R4 => "4.0.1",
            Self::R5 => "5.0.0",
        }
    }
}
