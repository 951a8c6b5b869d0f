//! N-ACTION 2, Request UPS Cancel (PS3.4 §CC.2.2): whoever asks is named to the performer by its AE title.

use medvan_imaging::{
    Uid,
    attributes::Attributes,
    dimse::{Request, Response, Status},
};

use super::{Provider, refused};
use crate::{
    store::{CancelAsk, StoreError},
    work::{own_lock, unwanted},
    worklist::fresh,
};

impl Provider {
    pub(super) async fn request_cancel(
        &self,
        request: &Request,
        uid: &Uid,
        reasons: &Attributes,
    ) -> Result<Response, StoreError> {
        let title = &self.session.node.ae_title;
        let ask = CancelAsk {
            requester: title.as_str(),
            titles: std::slice::from_ref(title),
            request: reasons,
            lock: fresh(),
            own: own_lock(&self.app, uid),
        };
        let now = self.app.clock.now();
        let Some(canceled) = self.app.store.request_cancel(&self.session.hospital, uid, ask, now).await? else {
            return self.no_such(request, uid).await;
        };
        if let Some(job) = canceled.job {
            unwanted(&self.app, &job).await;
        }
        self.app.jobs.ring();
        Ok(match canceled.outcome {
            Ok(transition) => Response::to(request, Status(transition.status())),
            Err(fault) => refused(request, &fault),
        })
    }
}
