//! Reading single parameters; shared by WADO-RS and WADO-URI.

use std::collections::BTreeMap;

use super::{Annotation, IccProfile, Region, RenderingError, Viewport, Window, WindowFunction};
use crate::Uid;

/// Pixels that a side of a rendered image may have.
pub(super) const LONGEST_SIDE: u32 = 16_384;

/// The parameters of a request that are known here, each once.
#[derive(Debug)]
pub(super) struct Fields<'a>(BTreeMap<&'static str, &'a str>);

impl<'a> Fields<'a> {
    /// Takes the parameters that have one of these names, case and all.
    pub(super) fn collect<'n>(
        known: &[&'static str],
        pairs: impl IntoIterator<Item = (&'n str, &'a str)>,
    ) -> Result<Self, RenderingError> {
        let mut fields = BTreeMap::new();
        for (name, value) in pairs {
            let Some(name) = known.iter().find(|known| **known == name) else { continue };
            if fields.insert(*name, value.trim()).is_some() {
                return Err(RenderingError::Repeated(name));
            }
        }
        Ok(Self(fields))
    }

    pub(super) fn get(&self, name: &'static str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// What a parameter says, if it is there.
    pub(super) fn read<T>(
        &self,
        parameter: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<Option<T>, RenderingError> {
        let read = |text| read(text).ok_or(RenderingError::Value { parameter, expected });
        self.get(parameter).map(read).transpose()
    }

    pub(super) fn uid(&self, parameter: &'static str) -> Result<Option<Uid>, RenderingError> {
        self.read(parameter, "a UID", |text| Uid::parse(text).ok())
    }

    pub(super) fn quality(&self, parameter: &'static str) -> Result<Option<u8>, RenderingError> {
        self.read(parameter, "a whole number from 1 to 100", |text| {
            whole(text).and_then(|number| u8::try_from(number).ok()).filter(|number| (1..=100).contains(number))
        })
    }

    pub(super) fn annotation(&self, parameter: &'static str) -> Result<Annotation, RenderingError> {
        let read = self.read(parameter, "patient, technique or both with a comma between them", annotation)?;
        Ok(read.unwrap_or_default())
    }

    /// Character sets in the order of their weights is for negotiation; here they are only taken apart.
    pub(super) fn charset(&self) -> Vec<String> {
        let list = self.get("charset").unwrap_or_default().split(',');
        let names = list.map(|one| one.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        names.filter(|name| !name.is_empty()).take(32).collect()
    }
}

pub(super) fn whole(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// A side of the viewport.
pub(super) fn side(text: &str) -> Option<u32> {
    whole(text).filter(|side| (1..=LONGEST_SIDE).contains(side))
}

/// A decimal number; Rust would also read "inf" and "nan".
pub(super) fn decimal(text: &str) -> Option<f64> {
    let written = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| written && number.is_finite())
}

/// `vw,vh[,[sx],[sy],[sw],[sh]]`
pub(super) fn viewport(text: &str) -> Option<Viewport> {
    let parts: Vec<&str> = text.split(',').map(str::trim).take(7).collect();
    let (sides, region) = parts.split_at_checked(2).filter(|(_, region)| region.len() <= 4)?;
    let number = |at: usize| match region.get(at) {
        None | Some(&"") => Some(None),
        Some(text) => decimal(text).map(Some),
    };
    let size = |at| number(at).filter(|size| *size != Some(0.0));
    // Left and top may have a sign that means nothing: "whose absolute values specify".
    let region = Region {
        left: number(0)?.unwrap_or(0.0).abs(),
        top: number(1)?.unwrap_or(0.0).abs(),
        width: size(2)?,
        height: size(3)?,
    };
    Some(Viewport { width: side(sides[0])?, height: side(sides[1])?, region })
}

/// `center,width,function`
pub(super) fn window(text: &str) -> Option<Window> {
    let mut parts = text.split(',').map(str::trim);
    let (center, width, function) = (decimal(parts.next()?)?, decimal(parts.next()?)?, parts.next()?);
    let function = match function {
        "linear" => WindowFunction::Linear,
        "linear-exact" => WindowFunction::LinearExact,
        "sigmoid" => WindowFunction::Sigmoid,
        _ => return None,
    };
    let window = Window { center, width, function: Some(function) };
    (parts.next().is_none() && has_width(window)).then_some(window)
}

/// At least 1 for a linear window, more than 0 for the others (PS3.3 §C.11.2.1.2.1, §C.11.2.1.3). Of an image's own function only
/// the second is known to hold.
pub(super) fn has_width(window: Window) -> bool {
    match window.function {
        Some(WindowFunction::Linear) => window.width >= 1.0,
        _ => window.width > 0.0,
    }
}

pub(super) fn icc_profile(text: &str) -> Option<IccProfile> {
    Some(match text {
        "no" => IccProfile::No,
        "yes" => IccProfile::Yes,
        "srgb" => IccProfile::Srgb,
        "adobergb" => IccProfile::AdobeRgb,
        "rommrgb" => IccProfile::RommRgb,
        "displayp3" => IccProfile::DisplayP3,
        _ => return None,
    })
}

fn annotation(text: &str) -> Option<Annotation> {
    let mut annotation = Annotation::default();
    for keyword in text.split(',').map(str::trim).take(32) {
        let is_keyword = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match keyword {
            "patient" => annotation.patient = true,
            "technique" => annotation.technique = true,
            "" => return None,
            other if other.len() <= 32 && other.chars().all(is_keyword) => {
                annotation.unsupported.push(other.to_owned())
            }
            _ => return None,
        }
    }
    Some(annotation)
}
