//! What can go wrong, and whose fault it is.

use serde::{Deserialize, Serialize};

/// Why a frame could not be decoded. The texts hold no value of the object but its Image Pixel attributes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum DecodeError {
    /// The object may well be right; it cannot be decoded here.
    #[error("{what} cannot be decoded here")]
    Unsupported {
        /// Transfer syntax or form of pixels.
        what: String,
    },
    /// The attributes of the object contradict each other or the standard.
    #[error("{attribute} {why}")]
    Description {
        /// The attribute by its keyword.
        attribute: String,
        /// What is wrong with it.
        why: String,
    },
    /// The frame is larger than what is decoded here.
    #[error("the frame takes {bytes} bytes, the most allowed is {limit}")]
    TooLarge {
        /// Bytes that it takes or would take.
        bytes: u64,
        /// Bytes that it may take.
        limit: u64,
    },
    /// The codestream describes another image than the object does.
    #[error("{attribute} is {described} in the object and {found} in its codestream")]
    Mismatch {
        /// The attribute by its keyword.
        attribute: String,
        /// What the object says.
        described: u64,
        /// What the codestream says.
        found: u64,
    },
    /// There are fewer bytes than the image takes.
    #[error("the pixel data end after {found} of {needed} bytes")]
    Truncated {
        /// Bytes that the frame takes.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The codestream breaks the rules of its codec.
    #[error("the {codec} codestream is broken: {why}")]
    Broken {
        /// Name of the codec.
        codec: String,
        /// What the codec says.
        why: String,
    },
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The object is broken: whoever made it has to mend it.
    Object,
    /// We cannot do it: another transfer syntax has to be asked for.
    Ours,
    /// The request asks for what makes no sense.
    Request,
}

impl DecodeError {
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    pub(crate) fn description(attribute: &str, why: &str) -> Self {
        Self::Description { attribute: attribute.into(), why: why.into() }
    }

    pub(crate) fn broken(codec: &str, why: impl Into<String>) -> Self {
        Self::Broken { codec: codec.into(), why: why.into() }
    }

    pub(crate) fn mismatch(attribute: &str, described: u64, found: u64) -> Self {
        Self::Mismatch { attribute: attribute.into(), described, found }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unsupported { .. } | Self::TooLarge { .. } => Fault::Ours,
            Self::Description { .. } | Self::Mismatch { .. } | Self::Truncated { .. } | Self::Broken { .. } => {
                Fault::Object
            }
        }
    }
}

/// Why a frame could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum RenderError {
    /// The object's pixels.
    #[error(transparent)]
    Pixels(#[from] DecodeError),
    /// The region to render has nothing of the image in it.
    #[error("the region to render lies outside of the image")]
    EmptyRegion,
    /// The picture would be larger than what is rendered here.
    #[error("the picture would have {pixels} pixels, the most allowed is {limit}")]
    TooLarge {
        /// Pixels that it would have.
        pixels: u64,
        /// Pixels that it may have.
        limit: u64,
    },
    /// The picture could not be written.
    #[error("the picture cannot be written as {format}: {why}")]
    Format {
        /// PNG or JPEG.
        format: String,
        /// What the encoder says.
        why: String,
    },
}

impl RenderError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Pixels(error) => error.fault(),
            Self::EmptyRegion | Self::TooLarge { .. } => Fault::Request,
            Self::Format { .. } => Fault::Ours,
        }
    }
}
