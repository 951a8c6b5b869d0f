//! AE titles of services: to a hospital each is one application.

use std::sync::Arc;

use medvan_profiles::descriptor::images::ImageWay;

use super::{Defect, Hospital, ImageMember};

/// Leaves out services that call themselves as an application of the hospital does, or as a service of another vendor: nobody could
/// tell whose a result is, and a vendor would be taken for a modality.
pub(super) fn told_apart(
    hospital: &Hospital,
    analyzers: Vec<Arc<ImageMember>>,
    defects: &mut Vec<Defect>,
) -> Vec<Arc<ImageMember>> {
    let reasons: Vec<Option<String>> = analyzers.iter().map(|member| fault(hospital, &analyzers, member)).collect();
    let mut left = Vec::with_capacity(analyzers.len());
    for (member, reason) in analyzers.into_iter().zip(reasons) {
        match reason {
            None => left.push(member),
            Some(reason) => {
                defects.push(Defect { hospital: hospital.id.clone(), service: member.name.clone(), reason });
            }
        }
    }
    left
}

fn fault(hospital: &Hospital, all: &[Arc<ImageMember>], member: &ImageMember) -> Option<String> {
    let title = title(member)?;
    let imaging = hospital.imaging.as_ref()?;
    let mut own = imaging.nodes.iter().map(|node| &node.ae_title).chain([&imaging.ae_title]);
    if own.any(|own| own.as_str() == title) {
        return Some(format!("its AE title {title} is the hospital's own, or one of its nodes'"));
    }
    let is_twin =
        |other: &&Arc<ImageMember>| other.name.vendor != member.name.vendor && self::title(other) == Some(title);
    let twin = all.iter().find(is_twin)?;
    Some(format!("its AE title {title} is also that of {}; enrol one of them", twin.name))
}

fn title(member: &ImageMember) -> Option<&str> {
    match &member.entry.way {
        ImageWay::Dimse(way) => Some(way.ae_title.trim()),
        _ => None,
    }
}
