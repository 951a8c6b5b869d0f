//! Work on images that can be told apart, and rules that some series can meet.

use std::collections::HashSet;

use crate::descriptor::{
    Descriptor, Fault,
    images::{Range, SeriesRules},
    transport::Kind,
};

/// A service without hooks and without images does nothing; one with hooks is found by its discovery.
pub(super) fn something_is_offered(descriptor: &Descriptor) -> Vec<Fault> {
    let mut faults = Vec::new();
    if descriptor.hooks.is_empty() && descriptor.images.is_empty() {
        faults.push(Fault::new(
            "/hooks".to_owned(),
            ("neither hooks nor images are described", "hooks も images も書かれていません"),
            ("describe at least one hook, or one kind of work on images", "hooks か images に1つ以上書いてください"),
        ));
    }
    if !descriptor.hooks.is_empty() && descriptor.transport.kind != Kind::CdsHooks {
        faults.push(Fault::new(
            "/transport/kind".to_owned(),
            ("a service with hooks talks CDS Hooks", "hooks のあるサービスは CDS Hooks を話します"),
            ("write cds-hooks", "cds-hooks と書いてください"),
        ));
    }
    faults
}

/// Jobs are named by them.
pub(super) fn ids_are_unique(descriptor: &Descriptor) -> Vec<Fault> {
    let mut known = HashSet::new();
    let again = descriptor.images.iter().enumerate().filter(|(_, entry)| !known.insert(entry.id.as_str()));
    let mut faults: Vec<Fault> = again.map(|(index, _)| twice(format!("/images/{index}/id"))).collect();
    for (index, entry) in descriptor.images.iter().enumerate() {
        let mut known = HashSet::new();
        let again = entry.needs.series.iter().enumerate().filter(|(_, need)| !known.insert(need.name.as_str()));
        faults.extend(again.map(|(need, _)| twice(format!("/images/{index}/needs/series/{need}/name"))));
    }
    faults
}

/// A range from more to less is met by nothing.
pub(super) fn ranges_hold_something(descriptor: &Descriptor) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, entry) in descriptor.images.iter().enumerate() {
        let needs = format!("/images/{index}/needs");
        faults.extend(turned(format!("{needs}/ageYears"), entry.needs.age_years));
        for (at, need) in entry.needs.series.iter().enumerate() {
            faults.extend(ranges(&format!("{needs}/series/{at}/rules"), &need.rules));
        }
    }
    faults
}

pub(in crate::descriptor) fn ranges(place: &str, rules: &SeriesRules) -> Vec<Fault> {
    let all = [("images", rules.images), ("spacingMm", rules.spacing_mm), ("thicknessMm", rules.thickness_mm)];
    all.into_iter().filter_map(|(name, range)| turned(format!("{place}/{name}"), range)).collect()
}

fn turned(place: String, range: Option<Range>) -> Option<Fault> {
    let Range { min: Some(min), max: Some(max) } = range? else { return None };
    (min > max).then(|| {
        Fault::new(
            place,
            ("min is greater than max: nothing can be within", "min が max より大きいため、当てはまるものがありません"),
            ("exchange the two", "2つの数を入れ替えてください"),
        )
    })
}

fn twice(place: String) -> Fault {
    Fault::new(
        place,
        ("the name is used twice in this descriptor", "同じ名前がほかにあります"),
        ("give each its own name", "それぞれ別の名前を付けてください"),
    )
}
