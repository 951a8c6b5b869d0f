//! What subscribers are told of a workitem (PS3.4 table CC.2.4-1).

use dicom_dictionary_std::tags;

use super::{UPS_PUSH, Workitem};
use crate::{
    Tag, Uid,
    attributes::{Attribute, Attributes},
};

/// An event, without the envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Event Type ID: 1 state, 2 cancel requested, 3 progress, 5 assigned.
    pub kind: u16,
    /// What it says.
    pub attributes: Attributes,
}

/// Where cancellation is explained: in the request, and in the progress of the workitem.
pub(super) const REASONS: [Tag; 4] = [
    tags::REASON_FOR_CANCELLATION,
    tags::PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE,
    tags::CONTACT_URI,
    tags::CONTACT_DISPLAY_NAME,
];

impl Event {
    /// The state of a workitem, and why where it was canceled.
    pub(super) fn state(workitem: &Workitem) -> Self {
        let mut attributes = Attributes::new();
        attributes.put_text(tags::PROCEDURE_STEP_STATE, workitem.state().word());
        copy(&mut attributes, workitem.attributes(), &[tags::INPUT_READINESS_STATE]);
        let progress = workitem.attributes().items(tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE);
        if let (true, Some(progress)) = (workitem.state() == super::State::Canceled, progress.first()) {
            copy(&mut attributes, progress, &REASONS[..2]);
        }
        Self { kind: 1, attributes }
    }

    /// Somebody asked for its cancellation.
    pub(super) fn cancel_requested(requester: &str, request: &Attributes) -> Self {
        let mut attributes = Attributes::new();
        attributes.put_text(tags::REQUESTING_AE, short(requester));
        copy(&mut attributes, request, &REASONS);
        Self { kind: 2, attributes }
    }

    /// How far it is.
    pub(super) fn progress(workitem: &Workitem) -> Self {
        let mut attributes = Attributes::new();
        copy(&mut attributes, workitem.attributes(), &[tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE]);
        Self { kind: 3, attributes }
    }

    /// Who is to perform it; nothing where nobody is named.
    pub(super) fn assigned(workitem: &Workitem) -> Option<Self> {
        let mut attributes = Attributes::new();
        copy(&mut attributes, workitem.attributes(), &[tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE]);
        if let Some(performer) = workitem.attributes().items(tags::SCHEDULED_HUMAN_PERFORMERS_SEQUENCE).first() {
            copy(
                &mut attributes,
                performer,
                &[tags::HUMAN_PERFORMER_CODE_SEQUENCE, tags::HUMAN_PERFORMER_ORGANIZATION],
            );
        }
        (!attributes.is_empty()).then_some(Self { kind: 5, attributes })
    }

    /// The event of a workitem as it is sent over a WebSocket (PS3.18 §8.10.5).
    pub fn data_set(&self, workitem: &Uid, message_id: u16) -> Attributes {
        let mut attributes = self.attributes.clone();
        attributes.put_text(tags::AFFECTED_SOP_CLASS_UID, UPS_PUSH);
        attributes.put_number(tags::MESSAGE_ID, message_id.into());
        attributes.put_text(tags::AFFECTED_SOP_INSTANCE_UID, workitem.as_str());
        attributes.put_number(tags::EVENT_TYPE_ID, self.kind.into());
        attributes
    }
}

/// A name as an AE can bear it (PS3.5 §6.2): whoever asks by UPS-RS is a client with an id, which may be longer.
fn short(name: &str) -> String {
    const LONGEST: usize = 16;
    let fits = |letter: &char| (letter.is_ascii_graphic() || *letter == ' ') && *letter != '\\';
    let clean: String = name.trim().chars().filter(fits).take(LONGEST).collect();
    clean.trim().to_owned()
}

/// Copies attributes that have values.
pub(super) fn copy(to: &mut Attributes, from: &Attributes, some: &[Tag]) {
    let valued = |tag: &&Tag| from.get(**tag).is_some_and(|attribute: &Attribute| !attribute.is_empty());
    for tag in some.iter().filter(valued) {
        if let Some(attribute) = from.get(*tag) {
            to.put(*tag, attribute.clone());
        }
    }
}
