//! A call as a vendor receives it: exactly the members the gateway decided to send, each FHIR value the text it came in.

use indexmap::IndexMap;
use medvan_profiles::{Json, descriptor::transport::Overrides};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::prefetch::{self, PrefetchState};

/// What one service is sent. `fhirServer` and `fhirAuthorization` have no place in it: the EHR's token never leaves.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// The service's registered hook.
    pub hook: &'a str,
    /// The gateway's identifier of this call to this service.
    pub hook_instance: &'a str,
    /// The context, under the names of the published table.
    pub context: &'a IndexMap<String, Json>,
    /// The service's own keys and no others.
    pub prefetch: IndexMap<String, PrefetchState>,
    /// What to write for keys that are not known.
    pub omitted_keys: OmittedKeys,
    /// The request extensions that the service may see.
    pub extension: Option<IndexMap<String, Json>>,
}

/// What to write for a key whose state is [`PrefetchState::Omitted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OmittedKeys {
    /// Nothing, as the standard says.
    #[default]
    LeaveOut,
    /// An OperationOutcome that says why: for services that fail when a key or all of `prefetch` is absent. Never `null`,
    /// which would claim that there is no such data.
    SendOutcome,
}

impl From<&Overrides> for OmittedKeys {
    fn from(overrides: &Overrides) -> Self {
        if overrides.always_send_prefetch { Self::SendOutcome } else { Self::LeaveOut }
    }
}

impl Outgoing<'_> {
    /// The body of the call.
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = self.context.values().map(|json| json.as_str().len()).sum::<usize>()
            + self.prefetch.values().map(size).sum::<usize>();
        let mut bytes = Vec::with_capacity(size + 1024);
        // Writing strings and checked JSON texts into memory has no way to fail.
        let written = serde_json::to_writer(&mut bytes, self);
        debug_assert!(written.is_ok());
        bytes
    }
}

impl Serialize for Outgoing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("hook", self.hook)?;
        map.serialize_entry("hookInstance", self.hook_instance)?;
        map.serialize_entry("context", self.context)?;
        let prefetch = Keys(&self.prefetch, self.omitted_keys);
        if prefetch.len() > 0 {
            map.serialize_entry("prefetch", &prefetch)?;
        }
        if let Some(extension) = self.extension.as_ref().filter(|extension| !extension.is_empty()) {
            map.serialize_entry("extension", extension)?;
        }
        map.end()
    }
}

/// The keys that are written: never an empty object (2.0: no `{}`).
struct Keys<'a>(&'a IndexMap<String, PrefetchState>, OmittedKeys);

impl Keys<'_> {
    fn is_written(&self, state: &PrefetchState) -> bool {
        self.1 == OmittedKeys::SendOutcome || !matches!(state, PrefetchState::Omitted(_))
    }

    fn len(&self) -> usize {
        self.0.values().filter(|state| self.is_written(state)).count()
    }
}

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, state) in self.0.iter().filter(|(_, state)| self.is_written(state)) {
            match state {
                PrefetchState::Omitted(omission) => map.serialize_entry(key, &prefetch::outcome_for(*omission))?,
                PrefetchState::Null => map.serialize_entry(key, &())?,
                PrefetchState::Failed(json) | PrefetchState::Resource(json) => map.serialize_entry(key, json)?,
            }
        }
        map.end()
    }
}

fn size(state: &PrefetchState) -> usize {
    match state {
        PrefetchState::Failed(json) | PrefetchState::Resource(json) => json.as_str().len() + 32,
        PrefetchState::Omitted(_) | PrefetchState::Null => 32,
    }
}
