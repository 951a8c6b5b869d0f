//! Storage commitment (PS3.4 annex J): what was stored is safe before its sender hears of success, so the answer is known at once. It is
//! owed to the node all the same until it took it: on this association, if it waits here, or on one of our own.

use medvan_imaging::{
    TransferSyntax, Uid,
    dimse::{
        Commitment, CommitmentReport, Outcome, Request, Response, STORAGE_COMMITMENT_INSTANCE, Status,
        negotiation::Context,
    },
    query::Narrow,
};
use uuid::Uuid;

use super::Provider;
use crate::{
    dimse::{association::Ended, caller::say_report},
    store::StoreError,
};

/// UIDs that are looked up at once.
const UIDS: usize = 500;

/// A report that a node waits for, held from the outbox while its association is there.
#[derive(Debug)]
pub(super) struct Owed {
    id: Uuid,
    context: u8,
    syntax: TransferSyntax,
    report: CommitmentReport,
}

impl Provider {
    pub(super) async fn commitment(
        &mut self,
        context: &Context,
        request: &Request,
        instance: &Uid,
        action_type: u16,
    ) -> Result<(), Ended> {
        let known = match () {
            () if instance.as_str() != STORAGE_COMMITMENT_INSTANCE => Err(Status::NO_SUCH_INSTANCE),
            () if action_type != Commitment::ACTION => Err(Status::NO_SUCH_ACTION),
            () => Ok(()),
        };
        if let Err(status) = known {
            return self.refuse(context, true, Response::to(request, status)).await;
        }
        let commitment = match self.data_set(context).await? {
            Ok(action) => Commitment::read(&action),
            Err(unreadable) => return self.answer(context, unreadable.answer(request)).await,
        };
        let answer = match commitment {
            Ok(commitment) => match self.owe(context, commitment).await {
                Ok(()) => Response::to(request, Status::SUCCESS),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a storage commitment failed");
                    Response::to(request, Status::PROCESSING_FAILURE).because("the index cannot be read now")
                }
            },
            Err(tag) => {
                let answer = Response::to(request, Status::INVALID_ARGUMENT);
                answer.because(format!("{tag} is missing, malformed or too long"))
            }
        };
        self.answer(context, answer).await
    }

    async fn owe(&mut self, context: &Context, commitment: Commitment) -> Result<(), StoreError> {
        let report = self.judge(commitment).await?;
        let now = self.app.clock.now();
        let (hospital, node) = (&self.session.hospital, &self.session.node.ae_title);
        let lease = self.app.config.outbox.lease_seconds.max(self.app.config.dimse.idle_seconds) * 2;
        let until = now + time::Duration::seconds(i64::try_from(lease).unwrap_or(120));
        let id = self.app.store.owe_report(hospital, node, &report, now, until).await?;
        self.owed.push_back(Owed { id, context: context.id, syntax: context.syntax.clone(), report });
        Ok(())
    }

    async fn judge(&self, commitment: Commitment) -> Result<CommitmentReport, StoreError> {
        let mut report = CommitmentReport {
            transaction: commitment.transaction,
            retrieve: self.session.imaging.ae_title.clone(),
            committed: Vec::new(),
            failed: Vec::new(),
        };
        for references in commitment.references.chunks(UIDS) {
            let uids = references.iter().map(|reference| reference.instance.to_string()).collect();
            let most = u32::try_from(references.len()).unwrap_or(u32::MAX);
            let narrow = [Narrow::SopInstanceUid(uids)];
            let found = self.app.store.find_instances(&self.session.hospital, &narrow, 0, most).await?;
            for reference in references {
                let stored = found.iter().find(|instance| instance.uid == reference.instance);
                report.add(reference.clone(), stored.map(|instance| &instance.class));
            }
        }
        Ok(report)
    }

    /// Reports on this association what is owed to its node.
    pub(super) async fn report(&mut self) -> Result<(), Ended> {
        while let Some(owed) = self.owed.front() {
            self.last_message = self.last_message.wrapping_add(1);
            let message_id = self.last_message;
            say_report(&mut self.association, owed.context, &owed.syntax, message_id, &owed.report).await?;
            let answer = self.association.answer(message_id).await?;
            let taken = answer.status.outcome() != Outcome::Failure;
            let Some(owed) = self.owed.pop_front() else { break };
            let written = if taken {
                self.app.store.reached_node(owed.id).await
            } else {
                self.app.store.try_node_later(owed.id, self.app.clock.now(), &answer.in_words()).await
            };
            if let Err(error) = written {
                // Its time with us ends, and the outbox reports it: at least once.
                tracing::error!(error = &error as &dyn std::error::Error, "the outcome of a report was not recorded");
            }
        }
        Ok(())
    }

    /// The node did not wait for its reports: the outbox calls it.
    pub(super) async fn give_back_what_is_owed(&mut self) {
        for owed in std::mem::take(&mut self.owed) {
            let given = self.app.store.try_node_later(owed.id, self.app.clock.now(), "").await;
            if let Err(error) = given {
                tracing::error!(error = &error as &dyn std::error::Error, "a report waits for the end of its lease");
            }
            self.app.dimse.ring();
        }
    }
}
