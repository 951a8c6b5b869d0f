//! Parameters of rendered resources: of WADO-RS (PS3.18 §8.3.5) and of WADO-URI (§9.1.2, §9.4.1.2, §9.5.1.2).
//!
//! What a parameter means for pixels is not decided here, only what was asked for and whether that can be asked. Names that are
//! not in the tables are left aside: content negotiation and others have theirs.

mod fields;
mod rendered;
#[cfg(test)]
mod tests;
mod uri;

pub use rendered::{RenderedQuery, Target};
pub use uri::{Presentation, UriRegion, WadoUriQuery};

/// Why a rendered resource cannot be asked for like this: 400 for a web client. It names parameters, never their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderingError {
    /// A parameter must be there.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// A parameter's value is wrong.
    #[error("the value of {parameter} must be {expected}")]
    Value {
        /// Its name.
        parameter: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A parameter stands twice.
    #[error("{0} must not be repeated")]
    Repeated(&'static str),
    /// Parameters exclude each other.
    #[error("{0} cannot be used together with {1}")]
    Together(&'static str, &'static str),
    /// A parameter means nothing for what is rendered.
    #[error("{parameter} cannot be used for {target}")]
    Target {
        /// Its name.
        parameter: &'static str,
        /// What is rendered.
        target: &'static str,
    },
}

/// Where the image is to be shown (§8.3.5.1.3). It is made as large as it can be without leaving the viewport or changing its
/// proportions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The part of the image to show.
    pub region: Region,
}

/// A part of an image, in its own pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Region {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width; negative: flipped horizontally; none: to the right edge of the image.
    pub width: Option<f64>,
    /// Height; negative: flipped vertically; none: to the lower edge of the image.
    pub height: Option<f64>,
}

/// A window (§8.3.5.1.4).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Window Center (0028,1050).
    pub center: f64,
    /// Window Width (0028,1051).
    pub width: f64,
    /// VOI LUT Function (0028,1056); none in WADO-URI, where the image's own holds.
    pub function: Option<WindowFunction>,
}

/// How a window spreads values (PS3.3 §C.11.2.1.2 and §C.11.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowFunction {
    /// `linear`
    Linear,
    /// `linear-exact`
    LinearExact,
    /// `sigmoid`
    Sigmoid,
}

/// What is written into the image (§8.3.5.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotation {
    /// Who it is.
    pub patient: bool,
    /// How it was made.
    pub technique: bool,
    /// Keywords that are not known here, for [`Annotation::warning`].
    pub unsupported: Vec<String>,
}

/// Colours of the image, and whether it says so (§8.3.5.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IccProfile {
    /// `no`
    No,
    /// `yes`
    Yes,
    /// `srgb`
    Srgb,
    /// `adobergb`
    AdobeRgb,
    /// `rommrgb`
    RommRgb,
    /// `displayp3`, of later editions
    DisplayP3,
}

impl Annotation {
    /// Whether anything is to be written.
    pub fn is_wanted(&self) -> bool {
        self.patient || self.technique
    }

    /// The value of the `Warning` header for keywords that are not known here. `service` is the base URI of the service.
    pub fn warning(&self, service: &str) -> Option<String> {
        let values = self.unsupported.join(",");
        let text = format!("299 {service}: The following annotation values are not supported: {values}");
        (!self.unsupported.is_empty()).then_some(text)
    }
}
