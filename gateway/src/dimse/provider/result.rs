//! C-STORE by an AI service: a result of one of its jobs, kept until the job looks at all of them ([`crate::work`]).

use std::io;

use medvan_imaging::{
    Uid,
    dimse::{Request, Response, Status, negotiation::Context},
    file::head,
    stow::FailureReason,
};
use tokio::time::timeout;

use super::Provider;
use crate::{
    catalog::VendorId,
    dimse::association::Ended,
    work::{Bringer, Brought, LARGEST, LONGEST, receive},
};

impl Provider {
    /// Takes a result in and says what became of it.
    pub(super) async fn take_result(
        &mut self,
        context: &Context,
        request: &Request,
        instance: Uid,
        vendor: &VendorId,
    ) -> Result<(), Ended> {
        let Some(_own) = self.app.results.place(vendor) else {
            let answer = Response::to(request, Status::OUT_OF_RESOURCES);
            return self.refuse(context, true, answer.because("too many results at once; try again")).await;
        };
        let head = head(&request.class, &instance, &context.syntax);
        let brought = timeout(LONGEST, self.brought(context, head)).await.map_err(|_| Ended::Silent)??;
        let answer = match brought {
            Err(error) => unkept(request, &error),
            Ok(brought) if brought.is_too_large() => {
                Response::to(request, Status::OUT_OF_RESOURCES).because("a result has too many bytes")
            }
            Ok(brought) => match brought.whole(&self.app).await {
                Ok(Some((bytes, _everybodys))) => self.kept(request, vendor, bytes).await,
                Ok(None) => Response::to(request, Status::OUT_OF_RESOURCES).because("too many results; try again"),
                Err(error) => unkept(request, &error),
            },
        };
        self.answer(context, answer).await
    }

    /// The whole result; what cannot be held is heard to its end all the same.
    async fn brought(&mut self, context: &Context, head: Vec<u8>) -> Result<io::Result<Brought>, Ended> {
        let mut brought = Ok(Brought::new(&self.app, head, LARGEST));
        loop {
            let (piece, is_last) = self.association.data(context.id).await?;
            if let Ok(so_far) = &mut brought
                && let Err(error) = so_far.push(&piece).await
            {
                brought = Err(error);
            }
            if is_last {
                return Ok(brought);
            }
        }
    }

    async fn kept(&self, request: &Request, vendor: &VendorId, bytes: Vec<u8>) -> Response {
        let bringer = Bringer::Entity(&self.session.hospital, vendor, &self.session.node.ae_title);
        let received = receive(&self.app, &bringer, None, bytes).await;
        match received.map(|outcome| outcome.result) {
            Ok(Ok(_)) => Response::to(request, Status::SUCCESS),
            Ok(Err(failure)) => Response::to(request, Status(failure.reason.code())).because(failure.error_comment()),
            Err(error) => unkept(request, &error),
        }
    }
}

fn unkept(request: &Request, error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "a result cannot be kept");
    let reason = FailureReason::ProcessingFailure;
    Response::to(request, Status(reason.code())).because("it could not be made safe; try again")
}
