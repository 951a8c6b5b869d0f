//! N-SET: a workitem says something else (PS3.4 §CC.2.6), under the Transaction UID of its performer.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Uid,
    attributes::Attributes,
    dimse::{Request, Response, Status},
    ups::Workitem,
};

use super::{Provider, no_room, refused, transaction};
use crate::{store::StoreError, worklist::room};

impl Provider {
    pub(super) async fn set_workitem(
        &self,
        request: &Request,
        uid: &Uid,
        mut changes: Attributes,
    ) -> Result<Response, StoreError> {
        let (store, hospital) = (&self.app.store, &self.session.hospital);
        if !store.workitems_may_grow(hospital, room(&self.app)).await? {
            return Ok(no_room(request));
        }
        let transaction = match transaction(&changes) {
            Ok(transaction) => transaction,
            Err(fault) => return Ok(refused(request, &fault)),
        };
        changes.remove(tags::TRANSACTION_UID);
        let now = self.app.clock.now();
        let change = |workitem: &mut Workitem| workitem.update(transaction.as_ref(), changes, now);
        Ok(match store.change_workitem(hospital, uid, now, change).await? {
            None => self.no_such(request, uid).await?,
            Some(Ok(())) => Response::to(request, Status::SUCCESS),
            Some(Err(fault)) => refused(request, &fault),
        })
    }
}
