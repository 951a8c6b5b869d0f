//! [`RenderedQuery`]: parameters of `…/rendered` and `…/thumbnail` (PS3.18 tables 8.3.5-1 and 8.3.5-2).

use super::{
    Annotation, IccProfile, RenderingError, Viewport, Window,
    fields::{Fields, icc_profile, viewport, window},
};

/// What is asked of a rendered resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RenderedQuery {
    /// Where it is to be shown.
    pub viewport: Option<Viewport>,
    /// Which values become visible.
    pub window: Option<Window>,
    /// Quality of a lossy image, 1 to 100.
    pub quality: Option<u8>,
    /// What is written into the image.
    pub annotation: Annotation,
    /// Colours of the image.
    pub icc_profile: Option<IccProfile>,
    /// Character sets of text, as they were listed.
    pub charset: Vec<String>,
}

/// What a rendered resource is of; some parameters make no sense for some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Images, videos and documents.
    Instance,
    /// A presentation state: it has its own region and windows.
    PresentationState,
    /// A thumbnail of anything.
    Thumbnail,
}

const NAMES: &[&str] = &["viewport", "window", "quality", "annotation", "iccprofile", "charset"];

impl RenderedQuery {
    /// Reads the parameters of a request, names and values already percent-decoded.
    ///
    /// # Errors
    /// A value is wrong, or stands twice.
    pub fn from_parameters<'n, 'a>(
        pairs: impl IntoIterator<Item = (&'n str, &'a str)>,
    ) -> Result<Self, RenderingError> {
        let fields = Fields::collect(NAMES, pairs)?;
        Ok(Self {
            viewport: fields.read(
                "viewport",
                "vw,vh or vw,vh,sx,sy,sw,sh, with vw and vh from 1 to 16384 and sw and sh not 0",
                viewport,
            )?,
            window: fields.read(
                "window",
                "center,width,function, with width at least 1 (more than 0 for linear-exact and sigmoid) and function \
                 linear, linear-exact or sigmoid",
                window,
            )?,
            quality: fields.quality("quality")?,
            annotation: fields.annotation("annotation")?,
            icc_profile: fields.read(
                "iccprofile",
                "one of no, yes, srgb, adobergb, rommrgb and displayp3",
                icc_profile,
            )?,
            charset: fields.charset(),
        })
    }

    /// Whether it can be asked of this target (§8.3.5.1.3, §8.3.5.1.4): what that is may be known only when the instance is found.
    ///
    /// # Errors
    /// A parameter means nothing for it.
    pub fn check(&self, target: Target) -> Result<(), RenderingError> {
        let name = match target {
            Target::Instance => return Ok(()),
            Target::PresentationState => "a presentation state",
            Target::Thumbnail => "a thumbnail",
        };
        if self.viewport.is_some_and(|viewport| viewport.region != super::Region::default()) {
            return Err(RenderingError::Target { parameter: "viewport with a region", target: name });
        }
        if target == Target::PresentationState && self.window.is_some() {
            return Err(RenderingError::Target { parameter: "window", target: name });
        }
        Ok(())
    }
}
