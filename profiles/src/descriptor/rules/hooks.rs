//! Hooks that can be told apart, and data that is asked for with a reason.

use std::collections::HashSet;

use crate::descriptor::{Descriptor, Fault, HookEntry, fault::below};

/// The gateway names each service by its id, also where one id would do for two hooks.
pub(super) fn ids_are_unique(descriptor: &Descriptor) -> Vec<Fault> {
    let mut known = HashSet::new();
    let again = descriptor.hooks.iter().enumerate().filter(|(_, entry)| !known.insert(entry.id.as_str()));
    again
        .map(|(index, _)| {
            Fault::new(
                format!("/hooks/{index}/id"),
                ("another hook of this descriptor has the same id", "同じ id のフックがほかにあります"),
                ("give each hook its own id", "フックごとに別の id を付けてください"),
            )
        })
        .collect()
}

/// Patient data leaves the hospital only for a reason that people can read.
pub(super) fn every_prefetch_key_has_a_reason(descriptor: &Descriptor) -> Vec<Fault> {
    descriptor.hooks.iter().enumerate().flat_map(|(index, entry)| reasons(index, entry)).collect()
}

fn reasons(index: usize, entry: &HookEntry) -> Vec<Fault> {
    let why = format!("/hooks/{index}/why");
    let unexplained = entry.prefetch.keys().filter(|key| !entry.why.contains_key(*key)).map(|key| {
        Fault::new(
            below(&why, key),
            ("data is asked for without a reason", "データを求める理由がありません"),
            ("say in Japanese and English why the service needs it", "必要な理由を日本語と英語で書いてください"),
        )
    });
    let unasked = entry.why.keys().filter(|key| !entry.prefetch.contains_key(*key)).map(|key| {
        Fault::new(
            below(&why, key),
            ("prefetch has no such key", "prefetch にこのキーがありません"),
            ("remove the reason, or correct the key", "理由を削除するか、キーを直してください"),
        )
    });
    unexplained.chain(unasked).collect()
}
