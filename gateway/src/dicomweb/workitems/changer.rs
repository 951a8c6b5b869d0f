//! [`Changer`]: who changes a workitem, and what of it is theirs to change.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    AeTitle, Tag, Uid,
    attributes::Attributes,
    ups::{Fault, Flaw, State, Workitem},
};

use super::{super::refusal::Refusal, missing};
use crate::{App, catalog::HospitalId, store::Job, work::retrieved_from};

/// Who changes a workitem.
pub(in crate::dicomweb) enum Changer<'a> {
    /// A system of the hospital whose it is.
    Hospital(&'a HospitalId),
    /// Somebody at the vendor whose job it is of: only while it is theirs, and of it only what they did.
    Vendor(&'a Job),
}

impl Changer<'_> {
    pub(super) const fn hospital(&self) -> &HospitalId {
        match self {
            Self::Hospital(hospital) => hospital,
            Self::Vendor(job) => &job.hospital,
        }
    }

    /// Changes a workitem as far as they may.
    ///
    /// # Errors
    /// There is none, or the database does not take it.
    pub(super) async fn change<T>(
        &self,
        app: &App,
        uid: &Uid,
        change: impl FnOnce(&mut Workitem) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>, Refusal> {
        let now = app.clock.now();
        let changed = match self {
            Self::Hospital(hospital) => app.store.change_workitem(hospital, uid, now, change).await?,
            Self::Vendor(job) => app.store.change_workitem_at_vendor(job, now, change).await?,
        };
        match changed {
            Some(changed) => Ok(changed),
            None => Err(missing(app, self.hospital(), uid).await),
        }
    }

    /// The AE title under which the hospital's systems retrieve what a vendor's performer made.
    pub(super) fn hospital_title(&self, app: &App) -> Option<AeTitle> {
        let snapshot = app.catalog.current();
        let imaging = snapshot.hospital(self.hospital())?.hospital.imaging.as_ref()?;
        Some(imaging.ae_title.clone())
    }

    /// What of a change is theirs to make.
    pub(super) fn permitted(
        &self,
        workitem: &Workitem,
        mut changes: Attributes,
        title: Option<&AeTitle>,
    ) -> Result<Attributes, Fault> {
        const PERFORMED: [Tag; 3] = [
            tags::SPECIFIC_CHARACTER_SET,
            tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE,
            tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE,
        ];
        if matches!(self, Self::Hospital(_)) {
            return Ok(changes);
        }
        if workitem.state() == State::Scheduled {
            return Err(Fault::NotInProgress);
        }
        let others = changes.iter().map(|(tag, _)| *tag).filter(|tag| !PERFORMED.contains(tag));
        let flaws: Vec<Flaw> = others.map(Flaw::Forbidden).collect();
        if !flaws.is_empty() {
            return Err(Fault::Flaws(flaws));
        }
        relocate_outputs(&mut changes, title);
        Ok(changes)
    }
}

/// Says of what was made where the hospital's systems find it: a performer names the place where it stored it, which is none for
/// them (PS3.3 table 10-3b).
fn relocate_outputs(changes: &mut Attributes, title: Option<&AeTitle>) {
    const PLACES: [Tag; 5] = [
        tags::DICOM_RETRIEVAL_SEQUENCE,
        tags::DICOM_MEDIA_RETRIEVAL_SEQUENCE,
        tags::WADO_RETRIEVAL_SEQUENCE,
        tags::XDS_RETRIEVAL_SEQUENCE,
        tags::WADORS_RETRIEVAL_SEQUENCE,
    ];
    const PERFORMED: Tag = tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE;
    let mut performed = changes.items(PERFORMED).to_vec();
    for step in &mut performed {
        let mut outputs = step.items(tags::OUTPUT_INFORMATION_SEQUENCE).to_vec();
        for output in &mut outputs {
            for place in PLACES {
                output.remove(place);
            }
            if let Some(title) = title {
                output.put_items(tags::DICOM_RETRIEVAL_SEQUENCE, vec![retrieved_from(title)]);
            }
        }
        if !outputs.is_empty() {
            step.put_items(tags::OUTPUT_INFORMATION_SEQUENCE, outputs);
        }
    }
    if !performed.is_empty() {
        changes.put_items(PERFORMED, performed);
    }
}
