//! N-ACTION 1, Change UPS State (PS3.4 §CC.2.1): take a workitem under a Transaction UID, complete it, give it up.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Uid,
    attributes::Attributes,
    dimse::{Request, Response, Status},
    ups::{State, Workitem},
};

use super::{Provider, invalid, refused, transaction};
use crate::store::StoreError;

impl Provider {
    pub(super) async fn change_state(
        &self,
        request: &Request,
        uid: &Uid,
        asked: &Attributes,
    ) -> Result<Response, StoreError> {
        let state = asked.text(tags::PROCEDURE_STEP_STATE).and_then(|text| text.parse::<State>().ok());
        let Some(state) = state else {
            return Ok(invalid(request, "ProcedureStepState is missing or none of those that are defined"));
        };
        let transaction = match transaction(asked) {
            Ok(transaction) => transaction,
            Err(fault) => return Ok(refused(request, &fault)),
        };
        let (now, hospital) = (self.app.clock.now(), &self.session.hospital);
        let change = |workitem: &mut Workitem| workitem.change_state(state, transaction.as_ref(), now);
        let Some(changed) = self.app.store.change_workitem(hospital, uid, now, change).await? else {
            return self.no_such(request, uid).await;
        };
        self.app.jobs.ring();
        Ok(match changed {
            Ok(transition) => Response::to(request, Status(transition.status())),
            Err(fault) => refused(request, &fault),
        })
    }
}
