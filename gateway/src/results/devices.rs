//! Devices: the services, in their versions, that found something for a hospital.

use medvan_analysis::fhir;
use medvan_authoring::Written;
use medvan_profiles::descriptor::Descriptor;

use super::{Ask, Page, Question, Refusal};
use crate::{
    App,
    catalog::{ServiceName, VersionNumber},
    store::PublishedNarrow,
};

pub(super) async fn read(app: &App, ask: &Ask, id: &str) -> Result<Option<Written>, Refusal> {
    for (service, version) in app.store.published_services(ask.hospital(), &PublishedNarrow::default()).await? {
        if id_of(&service, &version) == id {
            return written(app, ask, &service, &version).await.map(Some);
        }
    }
    Ok(None)
}

pub(super) async fn search(app: &App, ask: &Ask, question: &Question) -> Result<Page, Refusal> {
    let mut page = Page { found: Vec::new(), next: None };
    let mut is_reached = question.after.is_none();
    for (service, version) in app.store.published_services(ask.hospital(), &question.narrow()).await? {
        let id = id_of(&service, &version);
        let is_meant = question.ids.as_ref().is_none_or(|ids| ids.contains(&id));
        if is_reached && is_meant {
            if page.found.len() == question.count {
                page.next = page.found.last().map(|(id, _)| id.clone());
                break;
            }
            let device = written(app, ask, &service, &version).await?;
            page.found.push((id.clone(), device));
        }
        is_reached |= question.after.as_ref() == Some(&id);
    }
    Ok(page)
}

pub(super) fn id_of(service: &ServiceName, version: &VersionNumber) -> String {
    fhir::device_id(&service.to_string(), &version.to_string()).to_string()
}

/// A version that is no longer registered is still told by name.
async fn written(app: &App, ask: &Ask, service: &ServiceName, version: &VersionNumber) -> Result<Written, Refusal> {
    let stored = app.store.version(service, version).await?;
    let descriptor = stored.and_then(|stored| serde_json::from_value::<Descriptor>(stored.descriptor).ok());
    Ok(fhir::device(&service.to_string(), &version.to_string(), descriptor.as_ref()).written(ask.release))
}
