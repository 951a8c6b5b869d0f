//! From what is stored to what a call reads. Deterministic: equal contents give equal offers in equal order.

mod titles;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use indexmap::IndexMap;
use medvan_hooks::{
    discovery::Service,
    plan,
    template::{Template, parse_all},
};
use medvan_profiles::descriptor::{HookEntry, ImageEntry, Words};

use super::{Acceptance, Contents, Defect, HospitalView, ImageMember, Member, Offer, Snapshot};
use crate::{
    catalog::{Client, Enrollment, Hospital, HospitalId, Mode, ServiceName, Version, address},
    trust::Recipient,
};

/// Hooks whose answers tell of what was found in the patient's images.
const HOOKS_OF_IMAGES: &[&str] = &["patient-view", "order-sign"];
/// No vendor's key: theirs have a dot.
const OWN_PART: &str = "van";

static OF_PATIENT: LazyLock<IndexMap<String, Template>> = LazyLock::new(|| {
    let template = Template::parse("Patient/{{context.patientId}}").expect("a template of the standard's own");
    IndexMap::from([(ImageMember::PATIENT.to_owned(), template)])
});

pub(super) fn snapshot(contents: Contents, acceptance: &Acceptance) -> Snapshot {
    let versions = by_service(contents.approved);
    let mut clients = by_hospital(contents.clients, |client| &client.hospital);
    let mut enrollments = by_hospital(contents.enrollments, |enrollment| &enrollment.hospital);
    let mut snapshot = Snapshot::default();
    for hospital in contents.hospitals {
        let enrolled = enrollments.remove(&hospital.id).unwrap_or_default();
        let members = members(&enrolled, &versions, acceptance, &mut snapshot.defects);
        let analyzers = analyzers(&enrolled, &versions, &mut snapshot.defects);
        let analyzers = titles::told_apart(&hospital, analyzers, &mut snapshot.defects);
        let clients = clients.remove(&hospital.id).unwrap_or_default();
        let view = view(hospital, clients, members, analyzers);
        snapshot.hospitals.insert(view.hospital.id.clone(), view);
    }
    snapshot
}

fn view(
    hospital: Hospital,
    clients: Vec<Client>,
    members: Vec<Arc<Member>>,
    analyzers: Vec<Arc<ImageMember>>,
) -> HospitalView {
    let clients = clients.into_iter().map(|client| (client.id.clone(), Arc::new(client))).collect();
    HospitalView { hospital, clients, offers: offers(members, &analyzers), analyzers }
}

fn analyzers(
    enrolled: &[Enrollment],
    versions: &HashMap<ServiceName, Vec<Version>>,
    defects: &mut Vec<Defect>,
) -> Vec<Arc<ImageMember>> {
    let mut analyzers = Vec::new();
    for enrollment in enrolled {
        let Some(version) = serving(enrollment, versions) else { continue };
        for entry in &version.descriptor.images {
            match analyzer(enrollment, version, entry) {
                Ok(analyzer) => analyzers.push(Arc::new(analyzer)),
                Err(reason) => {
                    let (hospital, service) = (enrollment.hospital.clone(), enrollment.service.clone());
                    defects.push(Defect { hospital, service, reason });
                }
            }
        }
    }
    analyzers.sort_by(|a, b| (&a.name, &a.entry.id).cmp(&(&b.name, &b.entry.id)));
    analyzers
}

fn analyzer(enrollment: &Enrollment, version: &Version, entry: &ImageEntry) -> Result<ImageMember, String> {
    let descriptor = &version.descriptor;
    let url = address::images_url(descriptor, entry)?;
    Ok(ImageMember {
        name: version.name.clone(),
        version: version.number.clone(),
        mode: enrollment.mode,
        descriptor: Arc::clone(descriptor),
        entry: entry.clone(),
        terms: enrollment.images.clone(),
        token: Recipient::of(&descriptor.transport, url.as_str()),
        url,
        tier: enrollment.tier,
    })
}

fn members(
    enrolled: &[Enrollment],
    versions: &HashMap<ServiceName, Vec<Version>>,
    acceptance: &Acceptance,
    defects: &mut Vec<Defect>,
) -> Vec<Arc<Member>> {
    let mut members = Vec::new();
    for enrollment in enrolled {
        let Some(version) = serving(enrollment, versions) else {
            continue;
        };
        let key = (enrollment.hospital.clone(), enrollment.service.clone());
        let acceptance = acceptance.get(&key).copied();
        for service in &version.descriptor.hooks {
            match member(enrollment, version, service, acceptance) {
                Ok(member) => members.push(Arc::new(member)),
                Err(reason) => {
                    let (hospital, service) = key.clone();
                    defects.push(Defect { hospital, service, reason });
                }
            }
        }
    }
    members.sort_by(|a, b| (&a.name, &a.cds_id).cmp(&(&b.name, &b.cds_id)));
    members
}

/// The pinned version if it is approved, else the newest approved one; none serves without approval.
fn serving<'v>(enrollment: &Enrollment, versions: &'v HashMap<ServiceName, Vec<Version>>) -> Option<&'v Version> {
    let approved = versions.get(&enrollment.service)?;
    match &enrollment.version {
        Some(pin) => approved.iter().find(|version| version.number == *pin),
        None => approved.last(),
    }
}

fn member(
    enrollment: &Enrollment,
    version: &Version,
    service: &HookEntry,
    acceptance: Option<f32>,
) -> Result<Member, String> {
    let descriptor = &version.descriptor;
    let url = address::service_url(descriptor, &service.id)?;
    Ok(Member {
        name: version.name.clone(),
        version: version.number.clone(),
        mode: enrollment.mode,
        tier: enrollment.tier,
        acceptance,
        descriptor: Arc::clone(descriptor),
        cds_id: service.id.clone(),
        key: format!("{}.{}", version.name.vendor, service.id),
        templates: given(templates(&service.prefetch)?, &enrollment.withhold),
        withheld: withheld(service, &enrollment.withhold),
        token: Recipient::of(&descriptor.transport, url.as_str()),
        url,
    })
}

/// Without the keys that the hospital withholds: what is not planned is neither asked for, published nor sent.
fn given(mut templates: IndexMap<String, Template>, withhold: &[String]) -> IndexMap<String, Template> {
    templates.retain(|key, _| !withhold.contains(key));
    templates
}

fn withheld(service: &HookEntry, withhold: &[String]) -> Vec<String> {
    withhold.iter().filter(|key| service.prefetch.contains_key(*key)).cloned().collect()
}

fn templates(prefetch: &IndexMap<String, String>) -> Result<IndexMap<String, Template>, String> {
    parse_all(prefetch).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        format!("prefetch: {}", faults.join("; "))
    })
}

fn offers(members: Vec<Arc<Member>>, analyzers: &[Arc<ImageMember>]) -> IndexMap<String, Arc<Offer>> {
    let mut by_hook: BTreeMap<String, Vec<Arc<Member>>> = BTreeMap::new();
    let tells_of_images = analyzers.iter().any(|analyzer| analyzer.mode != Mode::Shadow);
    if tells_of_images {
        by_hook.extend(HOOKS_OF_IMAGES.iter().map(|hook| ((*hook).to_owned(), Vec::new())));
    }
    let mut singles = Vec::new();
    for member in members {
        let Some(service) = described(&member) else { continue };
        // A shadow service never shows anything: offered singly it would only ever answer nothing.
        if member.mode != Mode::Shadow {
            singles.push(single(&member, service));
        }
        by_hook.entry(service.hook.clone()).or_default().push(member);
    }
    let mut offers = IndexMap::new();
    let aggregated = |(hook, members): (String, Vec<Arc<Member>>)| {
        let tells_of_images = tells_of_images && HOOKS_OF_IMAGES.contains(&hook.as_str());
        aggregated(hook, members, tells_of_images)
    };
    for offer in by_hook.into_iter().map(aggregated).chain(singles) {
        // An id stands for one offer: two services whose names make the same id keep the first by name.
        offers.entry(offer.id.clone()).or_insert_with(|| Arc::new(offer));
    }
    offers
}

fn described(member: &Member) -> Option<&HookEntry> {
    member.descriptor.hooks.iter().find(|service| service.id == member.cds_id)
}

fn aggregated(hook: String, members: Vec<Arc<Member>>, tells_of_images: bool) -> Offer {
    let union = plan::union(&hook, &parts(&members, tells_of_images));
    let published = Service {
        id: format!("van-{hook}"),
        hook: hook.clone(),
        title: Some(format!("MedVAN {hook}")),
        description: format!("Advice of every service enrolled for {hook}, as one answer"),
        prefetch: union.prefetch().clone(),
        usage_requirements: None,
        version: None,
        hook_version: None,
        extension: None,
    };
    Offer { id: published.id.clone(), hook, published, union, members, aggregated: true, tells_of_images }
}

/// `<vendor>.<service>`. Where the service has several hooks each gets an id of its own, because real clients know
/// definitions by id alone (CDS Hooks item 7); the bare name still answers for every hook ([`HospitalView::offered`]).
fn single_id(member: &Member, service: &HookEntry) -> String {
    let hooks = &member.descriptor.hooks;
    let of_same_hook = hooks.iter().filter(|other| other.hook == service.hook).count();
    match (hooks.len(), of_same_hook) {
        (1, _) => member.name.to_string(),
        (_, 1) => format!("{}-{}", member.name, service.hook),
        _ => format!("{}-{}", member.name, service.id),
    }
}

fn single(member: &Arc<Member>, service: &HookEntry) -> Offer {
    let hook = service.hook.clone();
    let members = vec![Arc::clone(member)];
    let union = plan::union(&hook, &parts(&members, false));
    let published = Service {
        id: single_id(member, service),
        hook: hook.clone(),
        // Recommended for every service; the service's name says the same.
        title: service.title.clone().or_else(|| Some(title(&member.descriptor.name))),
        description: service.description.clone(),
        prefetch: union.prefetch().clone(),
        usage_requirements: service.usage_requirements.clone(),
        version: None,
        hook_version: None,
        extension: None,
    };
    Offer { id: published.id.clone(), hook, published, union, members, aggregated: false, tells_of_images: false }
}

fn title(name: &Words) -> String {
    format!("{} / {}", name.ja, name.en)
}

/// What the members ask for, and then what the gateway itself needs to know whose images are meant.
pub(super) fn parts(members: &[Arc<Member>], tells_of_images: bool) -> Vec<(&str, &IndexMap<String, Template>)> {
    let members = members.iter().map(|member| (member.key.as_str(), &member.templates));
    members.chain(tells_of_images.then(|| (OWN_PART, &*OF_PATIENT))).collect()
}

fn by_service(versions: Vec<Version>) -> HashMap<ServiceName, Vec<Version>> {
    let mut grouped: HashMap<_, Vec<Version>> = HashMap::new();
    for version in versions {
        grouped.entry(version.name.clone()).or_default().push(version);
    }
    for versions in grouped.values_mut() {
        versions.sort_by(|a, b| a.number.cmp(&b.number));
    }
    grouped
}

fn by_hospital<T>(things: Vec<T>, hospital: impl Fn(&T) -> &HospitalId) -> HashMap<HospitalId, Vec<T>> {
    let mut grouped: HashMap<_, Vec<T>> = HashMap::new();
    for thing in things {
        grouped.entry(hospital(&thing).clone()).or_default().push(thing);
    }
    grouped
}
