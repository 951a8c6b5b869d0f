//! [`Digest`]: by which two calls are recognised as being about the same, without keeping what they are about.

use aws_lc_rs::digest;
use indexmap::IndexMap;
use medvan_profiles::Json;

/// SHA-256 over a list of texts. Each text's length goes before it, so that no two lists read the same.
pub(super) struct Digest(digest::Context);

impl Digest {
    pub(super) fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.update(&(text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
        self
    }

    /// Every field of a hook's context, as it was sent.
    pub(super) fn context(self, context: &IndexMap<String, Json>) -> Self {
        context.iter().fold(self, |digest, (field, value)| digest.text(field).text(value.as_str()))
    }

    pub(super) fn finish(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.finish().as_ref());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_texts_read_the_same() {
        let of = |texts: &[&str]| texts.iter().fold(Digest::new(), |digest, text| digest.text(text)).finish();
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab", ""]), of(&["ab"]));
    }
}
