//! C-STORE by an AI service: a result of one of its jobs, kept until the job looks at all of them ([`crate::work`]).

use medvan_imaging::{
    Uid,
    dimse::{Request, Response, Status, negotiation::Context},
    file::head,
    stow::FailureReason,
};

use super::Provider;
use crate::{
    catalog::VendorId,
    dimse::association::Ended,
    work::{Bringer, receive},
};

/// Bytes of one result: more than the results of any job may have.
const LARGEST: usize = 40 << 20;

impl Provider {
    /// Takes a result in and says what became of it.
    pub(super) async fn take_result(
        &mut self,
        context: &Context,
        request: &Request,
        instance: Uid,
        vendor: &VendorId,
    ) -> Result<(), Ended> {
        let everybodys = self.app.all_results.clone().try_acquire_owned().ok();
        let Some(_places) = self.app.results.place(vendor).zip(everybodys) else {
            let answer = Response::to(request, Status::OUT_OF_RESOURCES);
            return self.refuse(context, true, answer.because("too many results at once; try again")).await;
        };
        let mut bytes = head(&request.class, &instance, &context.syntax);
        loop {
            let (piece, is_last) = self.association.data(context.id).await?;
            // What is too large is heard to its end and not kept.
            if bytes.len() <= LARGEST {
                bytes.extend_from_slice(&piece);
            }
            if is_last {
                break;
            }
        }
        let answer = if bytes.len() > LARGEST {
            Response::to(request, Status::OUT_OF_RESOURCES).because("a result has too many bytes")
        } else {
            self.kept(request, vendor, bytes).await
        };
        self.answer(context, answer).await
    }

    async fn kept(&self, request: &Request, vendor: &VendorId, bytes: Vec<u8>) -> Response {
        let bringer = Bringer::Entity(&self.session.hospital, vendor, &self.session.node.ae_title);
        let received = receive(&self.app, &bringer, None, bytes).await;
        match received.map(|outcome| outcome.result) {
            Ok(Ok(_)) => Response::to(request, Status::SUCCESS),
            Ok(Err(failure)) => Response::to(request, Status(failure.reason.code())).because(failure.error_comment()),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a result cannot be kept");
                let reason = FailureReason::ProcessingFailure;
                Response::to(request, Status(reason.code())).because("it could not be made safe; try again")
            }
        }
    }
}
