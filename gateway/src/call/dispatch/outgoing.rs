//! What one service is sent: its own prefetch keys, the hook's published context fields, and of the request's
//! extensions those that the hospital allows and the service takes.

use bytes::Bytes;
use indexmap::IndexMap;
use medvan_hooks::{
    hook::Hook,
    plan::{Origin, Plan},
    prefetch::PrefetchState,
    request::Outgoing,
};
use medvan_profiles::{Json, descriptor::transport::ExtensionPolicy};

use crate::{
    call::{Call, identity},
    catalog::Member,
};

/// A body ready to be sent, and what may be told about it.
pub(crate) struct Outbound {
    pub(crate) body: Bytes,
    /// Its length.
    pub(crate) bytes: usize,
    /// The state of each key; no content.
    pub(crate) keys: IndexMap<String, &'static str>,
    /// The keys that came from the FHIR server.
    pub(crate) fetched: Vec<String>,
    /// Why each omitted key is omitted.
    pub(crate) omitted: IndexMap<String, String>,
}

pub(crate) fn compose(call: &Call<'_>, plan: &Plan<'_>, index: usize, member: &Member) -> Outbound {
    let overrides = &member.descriptor.transport.overrides;
    let prefetch = plan.slice(index, overrides.empty_search);
    let states = prefetch.iter().map(|(key, state)| (key.clone(), PrefetchState::word(state)));
    let keys = states.chain(member.withheld.iter().map(|key| (key.clone(), "withheld"))).collect();
    let hook_instance = identity::hook_instance(&call.app.secret, call.caller, &call.request, &member.name.vendor);
    let outgoing = Outgoing {
        hook: &call.offer.hook,
        hook_instance: &hook_instance.to_string(),
        context: &published_fields(call),
        prefetch,
        omitted_keys: overrides.into(),
        extension: extensions(call, member),
    };
    let body = Bytes::from(outgoing.to_bytes());
    let stories = plan.explain(index);
    let omitted = stories.iter().filter_map(|story| Some((story.key.clone(), story.reason.clone()?))).collect();
    let fetched =
        stories.into_iter().filter(|story| story.origin == Origin::FhirServer).map(|story| story.key).collect();
    Outbound { bytes: body.len(), body, keys, fetched, omitted }
}

/// Fields that the hook does not publish stay here: nobody asked for them (CDS Hooks item 62 lets services ignore
/// them). A custom hook has no published table, so its context goes whole.
fn published_fields(call: &Call<'_>) -> IndexMap<String, Json> {
    let context = &call.request.context;
    match Hook::find(&call.offer.hook) {
        None => context.clone(),
        Some(hook) => context
            .iter()
            .filter(|(name, _)| hook.fields.iter().any(|field| field.name == name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}

fn extensions(call: &Call<'_>, member: &Member) -> Option<IndexMap<String, Json>> {
    if member.descriptor.transport.overrides.extension_policy == ExtensionPolicy::Drop {
        return None;
    }
    let allowed = &call.caller.hospital().hospital.allow_extensions;
    let extension = call.request.extension.as_ref()?;
    let kept: IndexMap<_, _> = extension
        .iter()
        .filter(|(name, _)| allowed.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    (!kept.is_empty()).then_some(kept)
}
