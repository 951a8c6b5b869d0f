//! Descriptors: what the lower crate cannot know about them.

use medvan_adapters::http::Guard;
use medvan_hooks::{Hook, template::parse_all};
use medvan_profiles::descriptor::{Descriptor, Fault, HookEntry, Valid};
use serde_json::Value;

use super::{fault, same_id, url};
use crate::catalog::{ServiceName, VersionNumber};

/// A descriptor that may enter the catalog under this name and number. Only [`registration`] makes one.
#[derive(Debug)]
pub struct Registration {
    name: ServiceName,
    number: VersionNumber,
    descriptor: Valid<Descriptor>,
    value: Value,
}

impl Registration {
    /// The service.
    pub const fn name(&self) -> &ServiceName {
        &self.name
    }

    /// The version of it.
    pub const fn number(&self) -> &VersionNumber {
        &self.number
    }

    /// The descriptor as it came.
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The ids that its hooks have at the vendor, with their places.
    pub fn hook_ids(&self) -> impl Iterator<Item = (String, &str)> {
        self.descriptor.hooks.iter().enumerate().map(|(index, hook)| (format!("/hooks/{index}/id"), hook.id.as_str()))
    }
}

/// Checks a descriptor that is to be registered under a name and number.
///
/// # Errors
/// Every fault that it has.
pub fn registration(
    name: ServiceName,
    number: VersionNumber,
    value: Value,
    guard: &Guard,
) -> Result<Registration, Vec<Fault>> {
    let descriptor = Descriptor::check(&value)?;
    let mut faults = Vec::new();
    faults.extend(same_id("/vendor", name.vendor.as_str(), &descriptor.vendor));
    faults.extend(same_id("/id", name.service.as_str(), &descriptor.id));
    faults.extend(same_id("/version", &number.to_string(), &descriptor.version));
    // A service that pulls its work, or is an application entity, is called nowhere by HTTP.
    if !descriptor.hooks.is_empty() || descriptor.images.iter().any(|entry| entry.way.is_called_by_http()) {
        faults.extend(url("/transport/baseUrl", &descriptor.transport.base_url, guard));
    }
    for (index, hook) in descriptor.hooks.iter().enumerate() {
        faults.extend(templates(index, hook));
    }
    if faults.is_empty() { Ok(Registration { name, number, descriptor, value }) } else { Err(faults) }
}

/// What is legal in a version's templates and yet will not work with every EHR: remarks, no faults.
pub fn remarks(descriptor: &Descriptor) -> Vec<Fault> {
    let hooks = descriptor.hooks.iter().enumerate();
    hooks.flat_map(|(index, entry)| remarks_on(index, entry)).collect()
}

fn remarks_on(index: usize, entry: &HookEntry) -> Vec<Fault> {
    let hook = Hook::find(&entry.hook);
    let templates = parse_all(&entry.prefetch).unwrap_or_default();
    let lints =
        templates.iter().flat_map(|(key, template)| template.lint(hook).into_iter().map(move |lint| (key, lint)));
    lints
        .map(|(key, lint)| {
            let place = lint.place;
            let (english, japanese) = lint.reason;
            let reason = (format!("{place}: {english}"), format!("{place}:{japanese}"));
            fault(&template_place(index, key), (&reason.0, &reason.1), lint.mend)
        })
        .collect()
}

fn template_place(index: usize, key: &str) -> String {
    format!("/hooks/{index}/prefetch/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn templates(index: usize, hook: &HookEntry) -> impl Iterator<Item = Fault> {
    let faults = parse_all(&hook.prefetch).err().unwrap_or_default();
    faults.into_iter().map(move |found| {
        fault(
            &template_place(index, &found.key),
            (&found.fault.to_string(), "プリフェッチテンプレートを読み取れません"),
            ("see \"Prefetch tokens\" in CDS Hooks 2.0.1", "CDS Hooks 2.0.1 の Prefetch tokens を参照してください"),
        )
    })
}
