//! N-GET: what a workitem says (PS3.4 §CC.2.7): everything but its Transaction UID.

use medvan_imaging::{
    Tag, Uid,
    attributes::Attributes,
    dimse::{Request, Response, Status},
};

use super::Provider;
use crate::store::StoreError;

impl Provider {
    /// The attributes that are asked for, or all; a warning where some of those are not there.
    pub(super) async fn get_workitem(
        &self,
        request: &Request,
        uid: &Uid,
        wanted: &[Tag],
    ) -> Result<(Response, Option<Attributes>), StoreError> {
        let Some(workitem) = self.app.store.workitem(&self.session.hospital, uid).await? else {
            return Ok((self.no_such(request, uid).await?, None));
        };
        let view = workitem.view();
        if wanted.is_empty() {
            return Ok((Response::to(request, Status::SUCCESS), Some(view)));
        }
        let is_whole = wanted.iter().all(|tag| view.get(*tag).is_some());
        let told = view.into_iter().filter(|(tag, _)| wanted.contains(tag)).collect();
        let status = if is_whole { Status::SUCCESS } else { Status::ATTRIBUTES_NOT_SUPPORTED };
        Ok((Response::to(request, status), Some(told)))
    }
}
