//! Storage commitment (PS3.4 annex J, push model): who was asked to answer for which instances, and the answer.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use super::{fields::put_uid, status::Status};
use crate::{
    AeTitle, Uid,
    dataset::{Dataset, Element, Value},
};

/// Instances that one request may name.
const REFERENCES: usize = 100_000;

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its SOP Class UID.
    pub class: Uid,
    /// Its SOP Instance UID.
    pub instance: Uid,
}

/// What an N-ACTION asks (table J.3-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// Names this request.
    pub transaction: Uid,
    /// The instances that we shall answer for.
    pub references: Vec<Reference>,
}

/// What an N-EVENT-REPORT answers (table J.3-2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentReport {
    /// The request's name.
    pub transaction: Uid,
    /// Where the instances can be had.
    pub retrieve: AeTitle,
    /// What is safe here.
    pub committed: Vec<Reference>,
    /// What is not, each with its failure reason (0008,1197).
    pub failed: Vec<(Reference, u16)>,
}

impl Commitment {
    /// Action Type ID of "request storage commitment" (§J.3.2.1.1).
    pub const ACTION: u16 = 1;

    /// Reads the action information.
    ///
    /// # Errors
    /// The attribute that is missing or not what it must be.
    pub fn read(action: &Dataset) -> Result<Self, Tag> {
        let transaction = action.uid(tags::TRANSACTION_UID).ok_or(tags::TRANSACTION_UID)?;
        let items = action.items(tags::REFERENCED_SOP_SEQUENCE);
        if items.is_empty() || items.len() > REFERENCES {
            return Err(tags::REFERENCED_SOP_SEQUENCE);
        }
        let references = items.iter().map(Reference::read).collect::<Result<_, _>>()?;
        Ok(Self { transaction, references })
    }

    /// The action information, for the one who asks.
    pub fn data_set(&self) -> Dataset {
        let mut action = Dataset::new();
        put_uid(&mut action, tags::TRANSACTION_UID, &self.transaction);
        put_items(&mut action, tags::REFERENCED_SOP_SEQUENCE, self.references.iter().map(Reference::data_set));
        action
    }
}

impl CommitmentReport {
    /// Event Type ID: 1 where all is safe, 2 where something failed (§J.3.3.1.1).
    pub fn event_type(&self) -> u16 {
        if self.failed.is_empty() { 1 } else { 2 }
    }

    /// The event information.
    pub fn data_set(&self) -> Dataset {
        let mut event = Dataset::new();
        put_uid(&mut event, tags::TRANSACTION_UID, &self.transaction);
        event.put_bytes(tags::RETRIEVE_AE_TITLE, VR::AE, self.retrieve.as_str());
        if !self.committed.is_empty() {
            put_items(&mut event, tags::REFERENCED_SOP_SEQUENCE, self.committed.iter().map(Reference::data_set));
        }
        if !self.failed.is_empty() {
            let failed = self.failed.iter().map(|(reference, reason)| {
                let mut item = reference.data_set();
                item.put_bytes(tags::FAILURE_REASON, VR::US, reason.to_le_bytes());
                item
            });
            put_items(&mut event, tags::FAILED_SOP_SEQUENCE, failed);
        }
        event
    }

    /// Puts an instance among those that are safe or those that failed: `stored` is the class that is stored under its UID.
    pub fn add(&mut self, reference: Reference, stored: Option<&Uid>) {
        match stored {
            Some(class) if *class == reference.class => self.committed.push(reference),
            Some(_) => self.failed.push((reference, Status::CLASS_INSTANCE_CONFLICT.0)),
            None => self.failed.push((reference, Status::NO_SUCH_INSTANCE.0)),
        }
    }
}

impl Reference {
    fn read(item: &Dataset) -> Result<Self, Tag> {
        Ok(Self {
            class: item.uid(tags::REFERENCED_SOP_CLASS_UID).ok_or(tags::REFERENCED_SOP_CLASS_UID)?,
            instance: item.uid(tags::REFERENCED_SOP_INSTANCE_UID).ok_or(tags::REFERENCED_SOP_INSTANCE_UID)?,
        })
    }

    fn data_set(&self) -> Dataset {
        let mut item = Dataset::new();
        put_uid(&mut item, tags::REFERENCED_SOP_CLASS_UID, &self.class);
        put_uid(&mut item, tags::REFERENCED_SOP_INSTANCE_UID, &self.instance);
        item
    }
}

fn put_items(data_set: &mut Dataset, tag: Tag, items: impl Iterator<Item = Dataset>) {
    data_set.put(Element { tag, vr: VR::SQ, value: Value::Items(items.collect()) });
}
