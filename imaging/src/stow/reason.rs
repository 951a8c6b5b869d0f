//! The codes of Failure Reason (0008,1197) and Warning Reason (0008,1196), which are statuses of C-STORE as well.

/// Why an instance is not stored (PS3.18 table I.2-2; PS3.4 table B.2-1; PS3.7 annex C). Numbers are only here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// There is no room, or too many store at once: the sender may try again later.
    OutOfResources,
    /// The instance is larger than any may be.
    TooLarge,
    /// An attribute that its SOP class needs is missing or wrong.
    DataSetDoesNotMatchSopClass,
    /// Its study is not the one that the path of the request names.
    StudyDoesNotMatch,
    /// Its SOP class or SOP instance is not the one that was announced.
    InstanceDoesNotMatch,
    /// It is no DICOM, or broken.
    CannotUnderstand,
    /// A part of the request is something else than an instance, or its bulk data did not come.
    NotAnInstance,
    /// The transfer syntax is not taken.
    TransferSyntaxNotSupported,
    /// Something failed here: the sender may try again.
    ProcessingFailure,
    /// Another content is stored under its SOP Instance UID.
    DuplicateSopInstance,
    /// The SOP class is not taken.
    SopClassNotSupported,
    /// This sender may not store it.
    NotAuthorized,
}

/// What the sender of a stored instance should know (PS3.18 table I.2-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarningReason {
    /// Values were changed.
    Coercion,
    /// Elements were left out.
    ElementsDiscarded,
    /// It does not fit its SOP class, and is stored as it is.
    DataSetDoesNotMatchSopClass,
}

impl FailureReason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::OutOfResources,
        Self::TooLarge,
        Self::DataSetDoesNotMatchSopClass,
        Self::StudyDoesNotMatch,
        Self::InstanceDoesNotMatch,
        Self::CannotUnderstand,
        Self::NotAnInstance,
        Self::TransferSyntaxNotSupported,
        Self::ProcessingFailure,
        Self::DuplicateSopInstance,
        Self::SopClassNotSupported,
        Self::NotAuthorized,
    ];

    /// The code: Failure Reason (0008,1197), and Status (0000,0900) of C-STORE.
    pub fn code(self) -> u16 {
        match self {
            Self::OutOfResources => 0xA700,
            Self::TooLarge => 0xA701,
            Self::DataSetDoesNotMatchSopClass => 0xA900,
            Self::StudyDoesNotMatch => 0xA901,
            Self::InstanceDoesNotMatch => 0xA902,
            Self::CannotUnderstand => 0xC000,
            Self::NotAnInstance => 0xC001,
            Self::TransferSyntaxNotSupported => 0xC122,
            Self::ProcessingFailure => 0x0110,
            Self::DuplicateSopInstance => 0x0111,
            Self::SopClassNotSupported => 0x0122,
            Self::NotAuthorized => 0x0124,
        }
    }

    /// In words: what is wrong.
    pub fn text(self) -> &'static str {
        match self {
            Self::OutOfResources => "out of resources; try again later",
            Self::TooLarge => "the instance is larger than this server takes",
            Self::DataSetDoesNotMatchSopClass => "the data set does not match its SOP class",
            Self::StudyDoesNotMatch => "the study is not the one that the request names",
            Self::InstanceDoesNotMatch => "the SOP class or instance is not the announced one",
            Self::CannotUnderstand => "the data set cannot be read",
            Self::NotAnInstance => "the part is no instance, or its bulk data is missing",
            Self::TransferSyntaxNotSupported => "the transfer syntax is not supported",
            Self::ProcessingFailure => "storing failed here; try again",
            Self::DuplicateSopInstance => "another content is stored under this SOP Instance UID",
            Self::SopClassNotSupported => "the SOP class is not supported",
            Self::NotAuthorized => "this sender may not store this instance",
        }
    }

    /// Whether it is what PS3.18 calls bad syntax: then a request that stored nothing is a 400.
    pub(super) fn is_bad_syntax(self) -> bool {
        matches!(self, Self::CannotUnderstand | Self::NotAnInstance)
    }

    /// Whether the same instance may be stored later.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::OutOfResources | Self::ProcessingFailure)
    }
}

impl WarningReason {
    /// The code: Warning Reason (0008,1196), and Status (0000,0900) of C-STORE.
    pub fn code(self) -> u16 {
        match self {
            Self::Coercion => 0xB000,
            Self::ElementsDiscarded => 0xB006,
            Self::DataSetDoesNotMatchSopClass => 0xB007,
        }
    }

    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Coercion => "values of the instance were coerced",
            Self::ElementsDiscarded => "elements of the instance were discarded",
            Self::DataSetDoesNotMatchSopClass => "the data set does not match its SOP class",
        }
    }
}
