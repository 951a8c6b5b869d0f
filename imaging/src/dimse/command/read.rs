//! Reading a command set.

use std::io::Cursor;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{
    super::fields::{number, tags_of, text, uid},
    Command, CommandField, Message, MoveOriginator, NotACommand, Operation, Priority, Request, Response, SubOperations,
};
use crate::{
    AeTitle,
    dataset::{Dataset, Limits, Seekable, read},
    dimse::status::Status,
    transfer_syntax::Encoding,
};

/// A command set has a few dozen short elements and no sequence.
const LIMITS: Limits = Limits { depth: 1, elements: 256, text: 4_096, binary: 4_096, total: 64 * 1024 };
/// Set in the command field of a response.
const RESPONSE: u16 = 0x8000;
const CANCEL: u16 = 0x0FFF;
/// Command Data Set Type of a command alone; every other value announces a data set.
const NO_DATA_SET: u16 = 0x0101;

impl Message {
    /// Reads a command set.
    ///
    /// # Errors
    /// It is none, or nothing could be answered to it.
    pub fn read(bytes: &[u8]) -> Result<Self, NotACommand> {
        let mut source = Seekable::new(Cursor::new(bytes)).map_err(crate::dataset::ReadError::Io)?;
        let set = read(&mut source, Encoding::ImplicitLittle, &LIMITS)?;
        let has_data_set = number(&set, tags::COMMAND_DATA_SET_TYPE)? != NO_DATA_SET;
        Ok(Self { command: command(&set)?, has_data_set })
    }
}

fn command(set: &Dataset) -> Result<Command, NotACommand> {
    let code = number(set, tags::COMMAND_FIELD)?;
    if code == CANCEL {
        return Ok(Command::Cancel { to: number(set, tags::MESSAGE_ID_BEING_RESPONDED_TO)? });
    }
    let field = CommandField::ALL.into_iter().find(|field| field.code() == code & !RESPONSE);
    let field = field.ok_or(NotACommand::Unknown(code))?;
    if code & RESPONSE != 0 {
        return Ok(Command::Response(response(set, field)?));
    }
    let message_id = number(set, tags::MESSAGE_ID)?;
    Ok(match request(set, field, message_id) {
        Ok(request) => Command::Request(request),
        Err(tag) => Command::Mistyped { message_id, field, tag },
    })
}

fn request(set: &Dataset, field: CommandField, message_id: u16) -> Result<Request, Tag> {
    use CommandField as Field;
    let affected = matches!(
        field,
        Field::CStore | Field::CGet | Field::CFind | Field::CMove | Field::CEcho | Field::NEventReport | Field::NCreate
    );
    let class = uid(set, if affected { tags::AFFECTED_SOP_CLASS_UID } else { tags::REQUESTED_SOP_CLASS_UID })?;
    Ok(Request { message_id, class, operation: operation(set, field)? })
}

fn operation(set: &Dataset, field: CommandField) -> Result<Operation, Tag> {
    let priority = priority(set);
    let short = |tag| set.unsigned_short(tag).ok_or(tag);
    Ok(match field {
        CommandField::CEcho => Operation::Echo,
        CommandField::CFind => Operation::Find { priority },
        CommandField::CGet => Operation::Get { priority },
        CommandField::CMove => Operation::Move { priority, destination: title(set, tags::MOVE_DESTINATION) },
        CommandField::CStore => {
            let instance = uid(set, tags::AFFECTED_SOP_INSTANCE_UID)?;
            Operation::Store { instance, priority, originator: originator(set) }
        }
        CommandField::NEventReport => Operation::EventReport {
            instance: uid(set, tags::AFFECTED_SOP_INSTANCE_UID)?,
            event_type: short(tags::EVENT_TYPE_ID)?,
        },
        CommandField::NAction => Operation::Action {
            instance: uid(set, tags::REQUESTED_SOP_INSTANCE_UID)?,
            action_type: short(tags::ACTION_TYPE_ID)?,
        },
        CommandField::NGet => Operation::GetAttributes {
            instance: uid(set, tags::REQUESTED_SOP_INSTANCE_UID)?,
            attributes: tags_of(set, tags::ATTRIBUTE_IDENTIFIER_LIST),
        },
        CommandField::NSet => Operation::SetAttributes { instance: uid(set, tags::REQUESTED_SOP_INSTANCE_UID)? },
        CommandField::NCreate => Operation::Create {
            instance: match text(set, tags::AFFECTED_SOP_INSTANCE_UID) {
                Some(_) => Some(uid(set, tags::AFFECTED_SOP_INSTANCE_UID)?),
                None => None,
            },
        },
        CommandField::NDelete => Operation::Other(field),
    })
}

/// Some senders leave it out; none depends on it.
fn priority(set: &Dataset) -> Priority {
    match set.unsigned_short(tags::PRIORITY) {
        Some(1) => Priority::High,
        Some(2) => Priority::Low,
        _ => Priority::Medium,
    }
}

fn originator(set: &Dataset) -> Option<MoveOriginator> {
    let ae_title = title(set, tags::MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE)?;
    let message_id = set.unsigned_short(tags::MOVE_ORIGINATOR_MESSAGE_ID).unwrap_or_default();
    Some(MoveOriginator { ae_title, message_id })
}

fn title(set: &Dataset, tag: Tag) -> Option<AeTitle> {
    AeTitle::parse(&text(set, tag)?).ok()
}

fn response(set: &Dataset, field: CommandField) -> Result<Response, NotACommand> {
    Ok(Response {
        to: number(set, tags::MESSAGE_ID_BEING_RESPONDED_TO)?,
        field,
        status: Status(number(set, tags::STATUS)?),
        class: set.uid(tags::AFFECTED_SOP_CLASS_UID),
        instance: set.uid(tags::AFFECTED_SOP_INSTANCE_UID),
        comment: text(set, tags::ERROR_COMMENT),
        offending: tags_of(set, tags::OFFENDING_ELEMENT),
        sub_operations: sub_operations(set),
        type_id: set.unsigned_short(tags::EVENT_TYPE_ID).or_else(|| set.unsigned_short(tags::ACTION_TYPE_ID)),
    })
}

fn sub_operations(set: &Dataset) -> Option<SubOperations> {
    let remaining = set.unsigned_short(tags::NUMBER_OF_REMAINING_SUBOPERATIONS);
    let completed = set.unsigned_short(tags::NUMBER_OF_COMPLETED_SUBOPERATIONS);
    let failed = set.unsigned_short(tags::NUMBER_OF_FAILED_SUBOPERATIONS);
    let warning = set.unsigned_short(tags::NUMBER_OF_WARNING_SUBOPERATIONS);
    [remaining, completed, failed, warning].iter().any(Option::is_some).then(|| SubOperations {
        remaining,
        completed: completed.unwrap_or_default(),
        failed: failed.unwrap_or_default(),
        warning: warning.unwrap_or_default(),
    })
}
