//! Cards of what AI services found in the patient's images and no doctor has answered yet (`patient-view`, `order-sign`).
//!
//! A call names a FHIR Patient, images know a PatientID: the link between both is an identifier of the Patient that the EHR
//! sends. Where it is not certain that they are the same person, nothing is shown, and the explanation says why.

mod patient;

use std::sync::Arc;

use indexmap::IndexMap;
use medvan_hooks::{
    firewall::{self, Policy},
    merge::Answer,
    plan::Plan,
    prefetch::{EmptySearch, PrefetchState},
};
use medvan_profiles::{Json, identity};
use serde::Serialize;
use serde_json::json;
use time::Duration;
use tokio::time::timeout_at;
use uuid::Uuid;

use super::Call;
use crate::{
    catalog::ImageMember,
    config::ProfileName,
    store::{IssuedCard, StoreError, UnseenAnalysis},
};
use patient::Identified;

/// Cards of one answer.
const MOST: usize = 10;
/// So long after it came a result is told of, if no doctor answers its card.
const TOLD_FOR: Duration = Duration::days(14);

/// What is told of images in one answer.
pub(super) struct ImageCards {
    told: Vec<Told>,
    /// For the explanation; none where the offer does not tell of images.
    pub(super) note: Option<ImagesNote>,
}

/// What one service found, in one or more studies.
struct Told {
    member: Arc<ImageMember>,
    analyses: Vec<UnseenAnalysis>,
}

/// What the explanation says about images; no content and no patient.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImagesNote {
    /// Why nothing can be told, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    untold: Option<&'static str>,
    /// The jobs whose results were told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    jobs: Vec<Uuid>,
    /// Results of studies whose patient has another date of birth.
    #[serde(skip_serializing_if = "is_zero")]
    of_other_birth_date: usize,
}

/// Whose images are meant, taken from the plan before it goes.
pub(super) fn patient(call: &Call<'_>, plan: &Plan<'_>) -> Option<Result<Identified, &'static str>> {
    let mut own = plan.slice(call.offer.own_part()?, EmptySearch::Null);
    let patient = call.request.patient_id().unwrap_or_default();
    Some(match own.swap_remove(ImageMember::PATIENT) {
        Some(PrefetchState::Resource(json)) if identity::check_json(&json, patient).is_ok() => {
            let imaging = call.caller.hospital().hospital.imaging.as_ref();
            Identified::read(&json, imaging.and_then(|imaging| imaging.patient_id_system.as_deref()))
        }
        _ => Err("the EHR neither sent the patient nor let it be read"),
    })
}

/// Looks for what was found in the patient's images. What cannot be read in time is not told.
pub(super) async fn cards(call: &Call<'_>, patient: Option<Result<Identified, &'static str>>) -> ImageCards {
    let patient = match patient {
        None => return ImageCards { told: Vec::new(), note: None },
        Some(Err(untold)) => return ImageCards::untold(untold),
        Some(Ok(patient)) => patient,
    };
    match timeout_at(call.deadline.services_until, unseen(call, &patient)).await {
        Ok(Ok(unseen)) => ImageCards::of(call, unseen, &patient),
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "results of images cannot be read");
            ImageCards::untold("the store does not answer")
        }
        Err(_) => ImageCards::untold("the store does not answer in time"),
    }
}

async fn unseen(call: &Call<'_>, patient: &Identified) -> Result<Vec<UnseenAnalysis>, StoreError> {
    let (store, since) = (&call.app.store, call.at - TOLD_FOR);
    let mut unseen = Vec::new();
    for id in &patient.ids {
        unseen.extend(store.unseen_analyses(call.caller.hospital_id(), id, since, MOST as u32).await?);
    }
    unseen.sort_by_key(|analysis| std::cmp::Reverse(analysis.job));
    unseen.truncate(MOST);
    Ok(unseen)
}

impl ImageCards {
    fn untold(reason: &'static str) -> Self {
        Self { told: Vec::new(), note: Some(ImagesNote { untold: Some(reason), ..ImagesNote::default() }) }
    }

    fn of(call: &Call<'_>, unseen: Vec<UnseenAnalysis>, patient: &Identified) -> Self {
        let (unseen, others): (Vec<_>, Vec<_>) =
            unseen.into_iter().partition(|analysis| patient.may_be_born(analysis.birth_date.as_deref()));
        let mut told: IndexMap<String, Told> = IndexMap::new();
        for analysis in unseen {
            // A hospital that left a service is not shown it any more; its evidence stays in the archive.
            let enrolled = call.caller.hospital().analyzer(&analysis.service, &analysis.entry);
            let Some(member) = enrolled else { continue };
            let told =
                told.entry(member.key()).or_insert_with(|| Told { member: Arc::clone(member), analyses: vec![] });
            told.analyses.push(analysis);
        }
        let told: Vec<Told> = told.into_values().collect();
        let jobs = told.iter().flat_map(|told| &told.analyses).map(|analysis| analysis.job).collect();
        Self { told, note: Some(ImagesNote { untold: None, jobs, of_other_birth_date: others.len() }) }
    }

    /// Whether there is any card.
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The answers, as checked as any service's.
    pub(super) fn answers(&self, call: &Call<'_>, exchange: Uuid) -> Vec<Answer> {
        self.told.iter().filter_map(|told| told.answer(call, exchange)).collect()
    }

    /// The row by which feedback on a card finds its analysis again.
    pub(super) fn issued(&self, service: &str, minted: &medvan_hooks::merge::Minted) -> Option<IssuedCard> {
        let told = self.told.iter().find(|told| told.member.key() == service)?;
        let job = minted.vendor_id.as_deref()?;
        let analysis = told.analyses.iter().find(|analysis| analysis.job.to_string() == job)?;
        Some(IssuedCard {
            id: minted.gateway_id,
            service: analysis.service.clone(),
            version: analysis.version.clone(),
            cds_id: told.member.cds_id(),
            vendor_id: minted.vendor_id.clone(),
            suggestions: Vec::new(),
        })
    }
}

impl Told {
    fn answer(&self, call: &Call<'_>, exchange: Uuid) -> Option<Answer> {
        let base = &call.base;
        let cards: Vec<_> = self.analyses.iter().map(|analysis| self.card(call, analysis)).collect();
        let host = base.split_once("://").map_or(base.as_str(), |(_, host)| host).to_owned();
        let policy = Policy {
            patient_id: call.request.patient_id(),
            link_hosts: &[host],
            loopback: call.app.config.profile == ProfileName::Loopback,
            system_actions: &[],
        };
        // Its words are a vendor's: they pass what every vendor's words pass.
        let checked = firewall::check(json!({ "cards": cards }).to_string().as_bytes(), &policy).ok()?;
        let first = self.analyses.first()?;
        let descriptor = &self.member.descriptor;
        let provenance = Json::from_value(&json!({
            "exchange": exchange,
            "service": self.member.name,
            "version": first.version,
            "mode": first.mode,
            "productName": descriptor.product_name,
            "regulatory": descriptor.regulatory,
            "jobs": self.analyses.iter().map(|analysis| analysis.job).collect::<Vec<_>>(),
        }));
        Some(Answer {
            service: self.member.key(),
            tier: self.member.tier,
            acceptance: None,
            provenance: Some(provenance),
            response: checked.response,
        })
    }

    fn card(&self, call: &Call<'_>, analysis: &UnseenAnalysis) -> serde_json::Value {
        let hospital = call.caller.hospital_id();
        let finding = analysis.card.finding.as_ref().map(|uid| format!("&finding={uid}")).unwrap_or_default();
        json!({
            "uuid": analysis.job,
            "summary": analysis.card.summary,
            "detail": analysis.card.detail,
            "indicator": "info",
            "source": { "label": format!("{} / {}", self.member.descriptor.name.ja, self.member.descriptor.name.en) },
            "links": [{
                "label": "画像で見る / Show in the images",
                "url": format!("{}/viewer?hospital={hospital}&study={}{finding}", call.base, analysis.study),
                "type": "absolute",
            }],
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
