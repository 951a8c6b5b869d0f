//! C-STORE (PS3.7 §9.1.1, PS3.4 annex B): success is said when the instance is safe on disk and found by a search.

use bytes::Bytes;
use dicom_dictionary_std::tags;
use medvan_imaging::{
    Uid,
    dimse::{Operation, Request, Response, Status, negotiation::Context},
    file::head,
};
use uuid::Uuid;

use super::Provider;
use crate::{
    archive::{Arrival, Expected, Fault},
    catalog::{OnConflict, PriorArchive, Retrieve},
    dimse::association::Ended,
    store::{Kind, Origin, Protocol},
};

impl Provider {
    pub(super) async fn store(&mut self, context: &Context, request: &Request, instance: Uid) -> Result<(), Ended> {
        if !context.roles.scu {
            let answer = Response::to(request, Status::NOT_AUTHORIZED);
            return self.refuse(context, true, answer.because("the role of SCU was not agreed on")).await;
        }
        if let Some(vendor) = self.session.vendor.clone() {
            return self.take_result(context, request, instance, &vendor).await;
        }
        let outcome = match self.arrival(self.protocol_of(request)) {
            Ok(mut arrival) => {
                let received = self.receive(context, request, instance, &mut arrival).await;
                // An instance that did not come to its end leaves nothing behind.
                if received.is_err() {
                    arrival.abandon().await;
                }
                self.arrival = Some(arrival);
                received?
            }
            Err(fault) => {
                self.association.skip(context.id).await?;
                Err(fault)
            }
        };
        let answer = match outcome {
            Ok(()) => Response::to(request, Status::SUCCESS),
            Err(fault) => refusal(request, &fault),
        };
        if answer.status != Status::SUCCESS {
            let node = &self.session.node.ae_title;
            tracing::info!(hospital = %self.session.hospital, %node, answer = answer.in_words(), "instance refused");
        }
        self.answer(context, answer).await
    }

    /// All instances of an association arrive together, unless some of them were asked for and some were not.
    fn arrival(&mut self, protocol: Protocol) -> Result<Arrival, Fault> {
        match self.arrival.take() {
            Some(arrival) if self.origin.protocol == protocol => Ok(arrival),
            _ => {
                if self.origin.protocol != protocol {
                    self.origin = Origin { id: Uuid::now_v7(), protocol, ..self.origin.clone() };
                }
                let on_conflict = match protocol {
                    Protocol::CMove => OnConflict::Keep,
                    _ => self.session.imaging.on_conflict_from(&self.session.node),
                };
                self.app.archive.arrival(&self.session.hospital, self.origin.clone(), on_conflict, Kind::Original)
            }
        }
    }

    /// Whether an instance is part of a C-MOVE of the gateway's own (PS3.7 §9.1.1.1.6), by which priors are fetched. Who moves them
    /// may leave that out.
    fn protocol_of(&self, request: &Request) -> Protocol {
        let Operation::Store { originator, .. } = &request.operation else { return Protocol::CStore };
        let imaging = &self.session.imaging;
        let is_archive = || match imaging.priors.as_ref().map(|priors| &priors.archive) {
            Some(PriorArchive::Dimse { node, retrieve: Retrieve::Move }) => *node == self.session.node.ae_title,
            _ => false,
        };
        match originator {
            Some(originator) if originator.ae_title == imaging.ae_title => Protocol::CMove,
            None if is_archive() => Protocol::CStoreUnsaid,
            _ => Protocol::CStore,
        }
    }

    /// What came is kept as it came, behind the head of a file (PS3.10 §7.1).
    async fn receive(
        &mut self,
        context: &Context,
        request: &Request,
        instance: Uid,
        arrival: &mut Arrival,
    ) -> Result<Result<(), Fault>, Ended> {
        let class = request.class.clone();
        arrival.write(Bytes::from(head(&class, &instance, &context.syntax))).await;
        loop {
            let (bytes, is_last) = self.association.data(context.id).await?;
            if !bytes.is_empty() {
                arrival.write(bytes).await;
            }
            if is_last {
                break;
            }
        }
        arrival.finish(Expected { object: Some((class, instance)), ..Expected::default() }).await;
        let stored = arrival.commit().await.pop();
        Ok(stored.map_or(Err(Fault::NotSafe), |stored| stored.outcome.map(|_| ())))
    }
}

/// The status of PS3.4 table B.2-1 and the reason in so few words that they fit into an Error Comment.
fn refusal(request: &Request, fault: &Fault) -> Response {
    let (status, offending, words) = match fault {
        Fault::Unreadable(_) => (Status::CANNOT_UNDERSTAND, None, "the data set cannot be read".to_owned()),
        Fault::Foreign | Fault::Unwritable(_) => (Status::CANNOT_UNDERSTAND, None, "this is no instance".to_owned()),
        Fault::Uid(tag) => (Status::DATA_SET_MISMATCH, Some(*tag), format!("{tag} is missing or no UID")),
        Fault::Other(tag) => (Status::DATA_SET_MISMATCH, Some(*tag), format!("{tag} is not that of the command")),
        Fault::Conflict => (
            Status::CONFLICT,
            Some(tags::SOP_INSTANCE_UID),
            "another content is stored under this SOP Instance UID".to_owned(),
        ),
        Fault::OtherPatient => {
            (Status::DATA_SET_MISMATCH, Some(tags::PATIENT_ID), "the study has another Patient ID here".to_owned())
        }
        Fault::TooLarge(most) => (Status::OUT_OF_RESOURCES, None, format!("an instance may have {most} bytes")),
        Fault::NoSpace => (Status::OUT_OF_RESOURCES, None, "there is no room left on the disk".to_owned()),
        Fault::Busy => (Status::OUT_OF_RESOURCES, None, "too many senders at once; try again".to_owned()),
        Fault::NotSafe => (Status::OUT_OF_RESOURCES, None, "it could not be made safe; try again".to_owned()),
    };
    Response { offending: offending.into_iter().collect(), ..Response::to(request, status).because(words) }
}
