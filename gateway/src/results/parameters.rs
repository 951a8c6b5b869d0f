//! [`Parameters`]: the parameters of a search, decoded.

use super::Refusal;

const MOST: usize = 64;
const LONGEST: usize = 4_096;

/// Names and values in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Adds those of a query string or a form.
    pub(super) fn take(&mut self, encoded: &[u8]) -> Result<(), Refusal> {
        for (name, value) in url::form_urlencoded::parse(encoded) {
            if self.0.len() == MOST || name.len() + value.len() > LONGEST {
                let limits = format!("a search has at most {MOST} parameters of {LONGEST} bytes");
                return Err(Refusal::BadRequest(limits));
            }
            self.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(())
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
