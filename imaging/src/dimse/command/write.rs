//! Writing a command set.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{
    super::fields::{put_number, put_tags, put_uid},
    Command, CommandField, Message, Operation, Priority, Request, Response,
};
use crate::{dataset::Dataset, dimse::bytes_of};

/// Characters of an Error Comment (VR LO).
const COMMENT: usize = 64;

impl Message {
    /// The command set as bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut set = Dataset::new();
        put_number(&mut set, tags::COMMAND_DATA_SET_TYPE, if self.has_data_set { 0x0001 } else { 0x0101 });
        match &self.command {
            Command::Request(request) => put_request(&mut set, request),
            Command::Response(response) => put_response(&mut set, response),
            Command::Cancel { to } => {
                put_number(&mut set, tags::COMMAND_FIELD, 0x0FFF);
                put_number(&mut set, tags::MESSAGE_ID_BEING_RESPONDED_TO, *to);
            }
            Command::Mistyped { message_id, field, .. } => {
                put_number(&mut set, tags::COMMAND_FIELD, field.code());
                put_number(&mut set, tags::MESSAGE_ID, *message_id);
            }
        }
        let rest = bytes_of(&set, false);
        let length = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        set.put_bytes(tags::COMMAND_GROUP_LENGTH, VR::UL, length.to_le_bytes());
        bytes_of(&set, false)
    }
}

fn put_request(set: &mut Dataset, request: &Request) {
    put_number(set, tags::COMMAND_FIELD, request.operation.field().code());
    put_number(set, tags::MESSAGE_ID, request.message_id);
    put_uid(set, class_of(request.operation.field()), &request.class);
    match &request.operation {
        Operation::Echo | Operation::Other(_) => {}
        Operation::Find { priority } | Operation::Get { priority } => put_priority(set, *priority),
        Operation::Move { priority, destination } => {
            put_priority(set, *priority);
            let destination = destination.as_ref().map_or("", |title| title.as_str());
            set.put_bytes(tags::MOVE_DESTINATION, VR::AE, destination);
        }
        Operation::Store { instance, priority, originator } => {
            put_priority(set, *priority);
            put_uid(set, tags::AFFECTED_SOP_INSTANCE_UID, instance);
            if let Some(originator) = originator {
                let title = tags::MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE;
                set.put_bytes(title, VR::AE, originator.ae_title.as_str());
                put_number(set, tags::MOVE_ORIGINATOR_MESSAGE_ID, originator.message_id);
            }
        }
        Operation::EventReport { instance, event_type } => {
            put_uid(set, tags::AFFECTED_SOP_INSTANCE_UID, instance);
            put_number(set, tags::EVENT_TYPE_ID, *event_type);
        }
        Operation::GetAttributes { instance, attributes } => {
            put_uid(set, tags::REQUESTED_SOP_INSTANCE_UID, instance);
            if !attributes.is_empty() {
                put_tags(set, tags::ATTRIBUTE_IDENTIFIER_LIST, attributes);
            }
        }
        Operation::SetAttributes { instance } => put_uid(set, tags::REQUESTED_SOP_INSTANCE_UID, instance),
        Operation::Create { instance } => {
            if let Some(instance) = instance {
                put_uid(set, tags::AFFECTED_SOP_INSTANCE_UID, instance);
            }
        }
        Operation::Action { instance, action_type } => {
            put_uid(set, tags::REQUESTED_SOP_INSTANCE_UID, instance);
            put_number(set, tags::ACTION_TYPE_ID, *action_type);
        }
    }
}

/// The services that ask about an instance that is there name its class as requested, the others as affected.
fn class_of(field: CommandField) -> Tag {
    match field {
        CommandField::NGet | CommandField::NSet | CommandField::NAction | CommandField::NDelete => {
            tags::REQUESTED_SOP_CLASS_UID
        }
        _ => tags::AFFECTED_SOP_CLASS_UID,
    }
}

fn put_priority(set: &mut Dataset, priority: Priority) {
    let code = match priority {
        Priority::Medium => 0,
        Priority::High => 1,
        Priority::Low => 2,
    };
    put_number(set, tags::PRIORITY, code);
}

fn put_response(set: &mut Dataset, response: &Response) {
    put_number(set, tags::COMMAND_FIELD, response.field.code() | 0x8000);
    put_number(set, tags::MESSAGE_ID_BEING_RESPONDED_TO, response.to);
    put_number(set, tags::STATUS, response.status.0);
    if let Some(class) = &response.class {
        put_uid(set, tags::AFFECTED_SOP_CLASS_UID, class);
    }
    if let Some(instance) = &response.instance {
        put_uid(set, tags::AFFECTED_SOP_INSTANCE_UID, instance);
    }
    if let Some(comment) = &response.comment {
        set.put_bytes(tags::ERROR_COMMENT, VR::LO, line(comment));
    }
    if !response.offending.is_empty() {
        put_tags(set, tags::OFFENDING_ELEMENT, &response.offending);
    }
    if let Some(type_id) = response.type_id {
        let is_event = response.field == CommandField::NEventReport;
        put_number(set, if is_event { tags::EVENT_TYPE_ID } else { tags::ACTION_TYPE_ID }, type_id);
    }
    put_sub_operations(set, response);
}

fn put_sub_operations(set: &mut Dataset, response: &Response) {
    let Some(counts) = response.sub_operations else {
        return;
    };
    if let Some(remaining) = counts.remaining {
        put_number(set, tags::NUMBER_OF_REMAINING_SUBOPERATIONS, remaining);
    }
    put_number(set, tags::NUMBER_OF_COMPLETED_SUBOPERATIONS, counts.completed);
    put_number(set, tags::NUMBER_OF_FAILED_SUBOPERATIONS, counts.failed);
    put_number(set, tags::NUMBER_OF_WARNING_SUBOPERATIONS, counts.warning);
}

/// One value of printable ASCII: a backslash would make it two.
fn line(comment: &str) -> String {
    comment.chars().filter(|letter| (' '..='~').contains(letter) && *letter != '\\').take(COMMENT).collect()
}
