//! N-CREATE: a new workitem (PS3.4 §CC.2.5).

use medvan_imaging::{
    Uid,
    attributes::Attributes,
    dimse::{Request, Response, Status},
    ups::Workitem,
};

use super::{Provider, is_well_known, no_room, refused};
use crate::{
    store::{PutWorkitem, StoreError},
    worklist::{LABEL, fresh, room},
};

impl Provider {
    pub(super) async fn create_workitem(
        &self,
        request: &Request,
        uid: Option<Uid>,
        given: Attributes,
    ) -> Result<Response, StoreError> {
        let uid = uid.unwrap_or_else(fresh);
        if is_well_known(&uid) {
            return Ok(Response::to(request, Status::INVALID_INSTANCE).because("the UID stands for other instances"));
        }
        let now = self.app.clock.now();
        let created = match Workitem::create(uid.clone(), given, LABEL, now) {
            Ok(created) => created,
            Err(fault) => return Ok(refused(request, &fault)),
        };
        let room = Some(room(&self.app));
        let put = self.app.store.create_workitem(&self.session.hospital, &created.workitem, room, now).await?;
        let answer = match put {
            PutWorkitem::Created if created.is_modified => Response::to(request, Status::CREATED_WITH_MODIFICATIONS),
            PutWorkitem::Created => Response::to(request, Status::SUCCESS),
            PutWorkitem::Taken => Response::to(request, Status::DUPLICATE_INSTANCE),
            PutWorkitem::Deleted => {
                Response::to(request, Status::DUPLICATE_INSTANCE).because("a UPS with this UID was deleted")
            }
            PutWorkitem::NoRoom => no_room(request),
        };
        Ok(Response { instance: Some(uid), ..answer })
    }
}
