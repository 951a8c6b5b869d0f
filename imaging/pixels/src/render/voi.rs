//! [`Window`]: the values of interest (PS3.3 §C.11.2.1).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A range of values that is spread over all shades of grey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Window Center (0028,1050).
    pub center: f64,
    /// Window Width (0028,1051).
    pub width: f64,
    /// VOI LUT Function (0028,1056).
    #[serde(default)]
    pub function: WindowFunction,
    /// Window Center & Width Explanation (0028,1055).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// How values are spread (§C.11.2.1.2, §C.11.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WindowFunction {
    /// In a straight line between the first value and the last; for whole numbers.
    #[default]
    Linear,
    /// In a straight line between two ends that lie between the values.
    LinearExact,
    /// In a curve that never reaches black or white.
    Sigmoid,
}

/// What is wrong with the parameter `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Not three values.
    #[error("window is center,width,function")]
    Form,
    /// Center or width is no number.
    #[error("the center and the width of a window are decimal numbers")]
    Number,
    /// The width is too small.
    #[error("the width of a window is at least 1, and more than 0 for linear-exact and sigmoid")]
    Width,
    /// The function is not one of three.
    #[error("the function of a window is linear, linear-exact or sigmoid")]
    Function,
}

impl FromStr for Window {
    type Err = WindowError;

    /// The value of the query parameter `window`: `center,width,function` (PS3.18 §8.3.5.1.4).
    fn from_str(text: &str) -> Result<Self, WindowError> {
        let mut parts = text.split(',');
        let (Some(center), Some(width), Some(function), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(WindowError::Form);
        };
        let number = |text: &str| text.parse::<f64>().ok().filter(|one| one.is_finite()).ok_or(WindowError::Number);
        let function = match function {
            "linear" => WindowFunction::Linear,
            "linear-exact" => WindowFunction::LinearExact,
            "sigmoid" => WindowFunction::Sigmoid,
            _ => return Err(WindowError::Function),
        };
        let window = Self { center: number(center)?, width: number(width)?, function, explanation: None };
        let least_fits = window.function != WindowFunction::Linear || window.width >= 1.0;
        if window.width > 0.0 && least_fits { Ok(window) } else { Err(WindowError::Width) }
    }
}

impl Window {
    /// Whether it can be used: objects have windows of width 0.
    pub(super) fn is_usable(&self) -> bool {
        self.center.is_finite() && self.width.is_finite() && self.width > 0.0
    }

    /// The shade of a value, from 0 to 1.
    pub(super) fn shade(&self, value: f64) -> f64 {
        let (center, width) = (self.center, self.width);
        match self.function {
            // A width below 1 is not allowed with this function; objects whose values are no whole numbers have it.
            WindowFunction::Linear if width > 1.0 => ((value - (center - 0.5)) / (width - 1.0) + 0.5).clamp(0.0, 1.0),
            WindowFunction::Linear if (width - 1.0).abs() < f64::EPSILON => f64::from(value > center - 0.5),
            WindowFunction::Linear | WindowFunction::LinearExact => ((value - center) / width + 0.5).clamp(0.0, 1.0),
            WindowFunction::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
        }
    }
}
