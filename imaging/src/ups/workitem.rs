//! [`Workitem`]: one Unified Procedure Step and what may be done to it (PS3.4 §CC.1.1, §CC.2).

use dicom_dictionary_std::tags;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::{
    Fault, Flaw, State, UPS_PUSH,
    event::{Event, REASONS, copy},
    items,
    requirement::{DEFINED, End, Need, Requirement, TABLE, has_value},
};
use crate::{
    Tag, Uid, VR,
    attributes::{Attribute, Attributes, Content},
    dataset::dictionary_vr,
};

/// One Unified Procedure Step.
#[derive(Debug, Clone, PartialEq)]
pub struct Workitem {
    uid: Uid,
    state: State,
    /// The performer's, who locked it by that.
    transaction: Option<Uid>,
    /// All but its UID, its state and its Transaction UID.
    attributes: Attributes,
    /// What happened to it in memory: whoever stores it stores them with it, whichever way it was changed.
    events: Vec<Event>,
}

/// A workitem that was created.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// The workitem, with the events of its creation.
    pub workitem: Workitem,
    /// Whether something was filled in that the creator left out (status B300).
    pub is_modified: bool,
}

/// What became of a request for another state.
#[derive(Debug, Clone, PartialEq)]
pub enum Transition {
    /// It was done; [`Workitem::events`] say what subscribers hear of it.
    Done,
    /// It is in that state already (statuses B304, B306).
    Already(State),
}

impl Transition {
    /// The status by which DIMSE tells it (tables CC.2.1-2, CC.2.2-2).
    pub const fn status(&self) -> u16 {
        match self {
            Self::Already(State::Canceled) => 0xB304,
            Self::Already(State::Completed) => 0xB306,
            Self::Done | Self::Already(_) => 0x0000,
        }
    }

    /// What the caller is warned of (PS3.18 §11.7.3, §11.8.3).
    pub const fn warning(&self) -> Option<&'static str> {
        match self {
            Self::Already(State::Canceled) => Some("The UPS is already in the requested state of CANCELED."),
            Self::Already(State::Completed) => Some("The UPS is already in the requested state of COMPLETED."),
            Self::Done | Self::Already(_) => None,
        }
    }
}

/// What identifies a workitem is said beside its attributes.
const IDENTITY: [Tag; 4] =
    [tags::SOP_CLASS_UID, tags::SOP_INSTANCE_UID, tags::AFFECTED_SOP_CLASS_UID, tags::AFFECTED_SOP_INSTANCE_UID];
/// They may be left out even where the table asks for their place.
const QUIET: [Tag; 2] = [tags::PATIENT_ID, tags::STUDY_INSTANCE_UID];
const PROGRESS: Tag = tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE;

impl Workitem {
    /// A new workitem (§CC.2.5). What type 2 asks for and the creator left out is filled in without a value; a workitem without a
    /// Worklist Label gets this one.
    ///
    /// # Errors
    /// [`Fault::NotScheduled`] and [`Fault::Flaws`].
    pub fn create(uid: Uid, given: Attributes, worklist: &str, now: OffsetDateTime) -> Result<Created, Fault> {
        let mut attributes: Attributes = given.into_iter().filter(|(tag, _)| tag.group() > 2).collect();
        for tag in IDENTITY.into_iter().chain([tags::SPECIFIC_CHARACTER_SET]) {
            attributes.remove(tag);
        }
        bounded(&attributes)?;
        let mut flaws: Vec<Flaw> = Vec::new();
        if attributes.remove(tags::TRANSACTION_UID).is_some_and(|attribute| !attribute.is_empty()) {
            flaws.push(Flaw::Forbidden(tags::TRANSACTION_UID));
        }
        let mut is_modified = false;
        for row in TABLE {
            if row.create == Need::Place && row.is_top() && attributes.get(row.tag()).is_none() {
                attributes.put_empty(row.tag());
                is_modified = true;
            }
            flaws.extend(row.flaw(row.create, &attributes));
        }
        flaws.extend(with_items(&flaws, &attributes));
        flaws.extend(undefined(&attributes));
        if !flaws.is_empty() {
            return Err(Fault::Flaws(flaws));
        }
        if attributes.remove(tags::PROCEDURE_STEP_STATE).is_none_or(|state| state.texts() != [Some("SCHEDULED".into())])
        {
            return Err(Fault::NotScheduled);
        }
        let empties = TABLE.iter().filter(|row| row.create == Need::Empty).map(Requirement::tag).chain(QUIET);
        for tag in empties {
            if attributes.get(tag).is_none() {
                attributes.put_empty(tag);
            }
        }
        if attributes.text(tags::WORKLIST_LABEL).is_none() {
            attributes.put_text(tags::WORKLIST_LABEL, worklist);
        }
        let mut workitem = Self { uid, state: State::Scheduled, transaction: None, attributes, events: Vec::new() };
        workitem.touch(now);
        workitem.events = [Some(workitem.report()), Event::assigned(&workitem)].into_iter().flatten().collect();
        Ok(Created { workitem, is_modified })
    }

    /// One that was stored.
    pub const fn restore(uid: Uid, state: State, transaction: Option<Uid>, attributes: Attributes) -> Self {
        Self { uid, state, transaction, attributes, events: Vec::new() }
    }

    /// What happened to it since it was created or restored, in order (§CC.2.4).
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Its state as an event: what a new subscriber hears first (table CC.2.3-2).
    pub fn report(&self) -> Event {
        Event::state(self)
    }

    /// Its UID.
    pub const fn uid(&self) -> &Uid {
        &self.uid
    }

    /// Its state.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The performer's Transaction UID: for the store only, nobody is told.
    pub const fn transaction(&self) -> Option<&Uid> {
        self.transaction.as_ref()
    }

    /// What it says, without what identifies it and its state: for the store.
    pub const fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// What a caller sees of it (§CC.2.7): everything but its Transaction UID.
    pub fn view(&self) -> Attributes {
        let mut attributes = self.attributes.clone();
        // JSON and XML are Unicode, whatever the sources of its parts were.
        attributes.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
        attributes.put_text(tags::SOP_CLASS_UID, UPS_PUSH);
        attributes.put_text(tags::SOP_INSTANCE_UID, self.uid.as_str());
        attributes.put_text(tags::PROCEDURE_STEP_STATE, self.state.word());
        attributes
    }

    /// Changes attributes (§CC.2.6): all of them or none. Sequences are given whole.
    ///
    /// # Errors
    /// It is final, the Transaction UID is not its performer's, or attributes may not be changed so.
    pub fn update(&mut self, transaction: Option<&Uid>, changes: Attributes, now: OffsetDateTime) -> Result<(), Fault> {
        self.may_be_changed(transaction)?;
        bounded(&changes)?;
        let forbidden = IDENTITY.into_iter().chain([tags::TRANSACTION_UID]).filter(|tag| changes.get(*tag).is_some());
        let mut flaws: Vec<Flaw> = forbidden.map(Flaw::Forbidden).collect();
        // Asked of what is given only: what is not given stays as it is.
        let asked = TABLE.iter().filter(|row| changes.get(row.path[0]).is_some());
        flaws.extend(asked.filter_map(|row| row.flaw(row.set, &changes)));
        flaws.extend(with_items(&flaws, &changes));
        flaws.extend(undefined(&changes));
        if !flaws.is_empty() {
            return Err(Fault::Flaws(flaws));
        }
        let mut after = self.attributes.clone();
        for (tag, attribute) in changes.into_iter().filter(|(tag, _)| *tag != tags::SPECIFIC_CHARACTER_SET) {
            after.put(tag, attribute);
        }
        bounded(&after)?;
        let before = std::mem::replace(&mut self.attributes, after);
        self.touch(now);
        let is_changed = |tag: Tag| before.get(tag) != self.attributes.get(tag);
        let mut events = Vec::new();
        if is_changed(tags::INPUT_READINESS_STATE) {
            events.push(self.report());
        }
        if is_changed(PROGRESS) {
            events.push(Event::progress(self));
        }
        if is_changed(tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE)
            || is_changed(tags::SCHEDULED_HUMAN_PERFORMERS_SEQUENCE)
        {
            events.extend(Event::assigned(self));
        }
        self.events.extend(events);
        Ok(())
    }

    /// Changes the state (§CC.2.1, table CC.1.1-2). Whoever makes it IN PROGRESS locks it with the Transaction UID.
    ///
    /// # Errors
    /// The table has no such change, the Transaction UID is not the performer's, or what the final state asks for is missing.
    pub fn change_state(
        &mut self,
        to: State,
        transaction: Option<&Uid>,
        now: OffsetDateTime,
    ) -> Result<Transition, Fault> {
        if to == State::Scheduled {
            return Err(Fault::OnlyCreated);
        }
        let transaction = transaction.ok_or(Fault::TransactionMissing)?;
        if self.state != State::Scheduled && self.transaction.as_ref() != Some(transaction) {
            return Err(Fault::TransactionIncorrect);
        }
        match (self.state, to) {
            (State::Scheduled, State::InProgress) => {
                self.transaction = Some(transaction.clone());
                self.enter(to, now);
                Ok(Transition::Done)
            }
            (State::Scheduled, _) => Err(Fault::NotInProgress),
            (State::InProgress, State::InProgress) => Err(Fault::AlreadyInProgress),
            (State::InProgress, _) => self.end(to, now).map(|()| Transition::Done),
            (now, then) if now == then => Ok(Transition::Already(now)),
            _ => Err(Fault::Final),
        }
    }

    /// Somebody who does not perform it asks for its cancellation (§CC.2.2). What nobody performs yet is canceled, by way of IN
    /// PROGRESS under `transaction`; of what is performed its performer hears.
    ///
    /// # Errors
    /// It is completed.
    pub fn request_cancel(
        &mut self,
        requester: &str,
        request: &Attributes,
        transaction: Uid,
        now: OffsetDateTime,
    ) -> Result<Transition, Fault> {
        match self.state {
            State::Completed => Err(Fault::AlreadyCompleted),
            State::Canceled => Ok(Transition::Already(State::Canceled)),
            State::InProgress => {
                bounded(request)?;
                self.events.push(Event::cancel_requested(requester, request));
                Ok(Transition::Done)
            }
            State::Scheduled => {
                bounded(request)?;
                let mut canceled = self.clone();
                canceled.transaction = Some(transaction);
                canceled.enter(State::InProgress, now);
                canceled.discontinue(request)?;
                canceled.end(State::Canceled, now)?;
                *self = canceled;
                Ok(Transition::Done)
            }
        }
    }

    /// Its performer does what somebody else asked for: it is canceled, with the reasons of the request (§CC.2.2).
    ///
    /// # Errors
    /// It is completed, or nobody performs it.
    pub fn grant_cancel(&mut self, request: &Attributes, now: OffsetDateTime) -> Result<Transition, Fault> {
        match self.state {
            State::Completed => Err(Fault::AlreadyCompleted),
            State::Canceled => Ok(Transition::Already(State::Canceled)),
            State::Scheduled => Err(Fault::NotInProgress),
            State::InProgress => {
                bounded(request)?;
                let mut canceled = self.clone();
                canceled.discontinue(request)?;
                canceled.end(State::Canceled, now)?;
                *self = canceled;
                Ok(Transition::Done)
            }
        }
    }

    /// Says in its progress why it is canceled.
    fn discontinue(&mut self, request: &Attributes) -> Result<(), Fault> {
        let mut items = self.attributes.items(PROGRESS).to_vec();
        let mut progress = if items.is_empty() { Attributes::new() } else { items.remove(0) };
        copy(&mut progress, request, &REASONS[..2]);
        if progress.get(tags::PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE).is_none() {
            progress.put_items(tags::PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE, vec![unspecified()]);
        }
        let mut contact = Attributes::new();
        copy(&mut contact, request, &REASONS[2..]);
        if contact.get(tags::CONTACT_URI).is_some() {
            progress.put_items(tags::PROCEDURE_STEP_COMMUNICATIONS_URI_SEQUENCE, vec![contact]);
        }
        items.insert(0, progress);
        self.attributes.put_items(PROGRESS, items);
        bounded(&self.attributes)
    }

    fn may_be_changed(&self, transaction: Option<&Uid>) -> Result<(), Fault> {
        match (self.state, transaction) {
            (State::Canceled | State::Completed, _) => Err(Fault::Final),
            (State::Scheduled, None) => Ok(()),
            (State::Scheduled, Some(_)) => Err(Fault::NotInProgress),
            (State::InProgress, None) => Err(Fault::TransactionMissing),
            (State::InProgress, Some(given)) => {
                if self.transaction.as_ref() == Some(given) {
                    Ok(())
                } else {
                    Err(Fault::TransactionIncorrect)
                }
            }
        }
    }

    fn end(&mut self, to: State, now: OffsetDateTime) -> Result<(), Fault> {
        let mut ended = self.clone();
        if to == State::Canceled {
            // The server fills it in (remark on (0040,4052) in table CC.2.5-3).
            let mut items = ended.attributes.items(PROGRESS).to_vec();
            let mut first = if items.is_empty() { Attributes::new() } else { items.remove(0) };
            if first.text(tags::PROCEDURE_STEP_CANCELLATION_DATE_TIME).is_none() {
                first.put_text(tags::PROCEDURE_STEP_CANCELLATION_DATE_TIME, moment(now));
            }
            items.insert(0, first);
            ended.attributes.put_items(PROGRESS, items);
        }
        let missing = ended.missing_at_end(to);
        if !missing.is_empty() {
            return Err(Fault::Unfinished(missing));
        }
        *self = ended;
        self.enter(to, now);
        Ok(())
    }

    fn missing_at_end(&self, to: State) -> Vec<Tag> {
        let view = self.view();
        let is_missing = |row: &&Requirement| {
            let is_asked = match row.end {
                End::Nothing => false,
                End::Value => true,
                End::Completed | End::CompletedOrEmpty => to == State::Completed,
                End::Canceled => to == State::Canceled,
            };
            let found = row.holders(&view).first().and_then(|holder| holder.get(row.tag()));
            is_asked && found.is_none_or(|found| !has_value(found) && row.end != End::CompletedOrEmpty)
        };
        TABLE.iter().filter(is_missing).map(Requirement::tag).collect()
    }

    fn enter(&mut self, state: State, now: OffsetDateTime) {
        self.state = state;
        self.touch(now);
        self.events.push(self.report());
    }

    fn touch(&mut self, now: OffsetDateTime) {
        self.attributes.put_text(tags::SCHEDULED_PROCEDURE_STEP_MODIFICATION_DATE_TIME, moment(now));
    }
}

/// What is wrong in items besides what is known.
fn with_items(known: &[Flaw], given: &Attributes) -> Vec<Flaw> {
    items::flaws(given).into_iter().filter(|flaw| !known.contains(flaw)).collect()
}

fn undefined(given: &Attributes) -> Vec<Flaw> {
    let is_wrong = |(tag, words): &&(Tag, &[&str])| {
        let is_defined = |texts: &[Option<String>]| matches!(texts, [Some(text)] if words.contains(&text.as_str()));
        given.get(*tag).is_some_and(|attribute| !attribute.is_empty() && !is_defined(&attribute.texts()))
    };
    let mut wrong: Vec<Flaw> = DEFINED.iter().filter(is_wrong).map(|(tag, _)| Flaw::Undefined(*tag)).collect();
    if let Some(flaw) = misplaced(given).map(Flaw::Undefined)
        && !wrong.contains(&flaw)
    {
        wrong.push(flaw);
    }
    wrong
}

/// An attribute of another kind than its tag has: nobody would find the sequence or the name in it, and values that are elsewhere
/// are nobody's business here.
fn misplaced(given: &Attributes) -> Option<Tag> {
    given.iter().find_map(|(tag, Attribute { vr, content })| {
        let known = dictionary_vr(*tag);
        let is_other = [VR::SQ, VR::PN].iter().any(|kind| known != VR::UN && (known == *kind) != (vr == kind));
        match content {
            Content::Elsewhere(_) => Some(*tag),
            Content::Inline(_) if !matches!(vr, VR::OB | VR::OW | VR::UN) => Some(*tag),
            _ if is_other => Some(*tag),
            Content::Items(items) => items.iter().find_map(misplaced),
            _ => None,
        }
    })
}

/// Whether it is within what a workitem may say: it is kept, read again and searched.
fn bounded(attributes: &Attributes) -> Result<(), Fault> {
    let mut left = LARGEST;
    weigh(attributes, DEEPEST, &mut left).ok_or(Fault::TooMuch)
}

/// Bytes of a workitem, roughly as JSON: it may name the 20,000 images of a study and of a prior, each with its class.
const LARGEST: usize = 16 << 20;
/// Sequences within sequences.
const DEEPEST: usize = 16;

fn weigh(attributes: &Attributes, depth: usize, left: &mut usize) -> Option<()> {
    /// Of each attribute, and of each value.
    const FRAME: usize = 32;
    for (_, attribute) in attributes.iter() {
        let bytes = match &attribute.content {
            Content::Items(items) => {
                let depth = depth.checked_sub(1)?;
                *left = left.checked_sub(items.len().saturating_mul(FRAME))?;
                items.iter().try_for_each(|item| weigh(item, depth, left))?;
                0
            }
            Content::Inline(bytes) => bytes.len().saturating_mul(4) / 3,
            Content::Elsewhere(url) => url.len(),
            _ => attribute.texts().iter().map(|text| FRAME + text.as_ref().map_or(0, String::len)).sum(),
        };
        *left = left.checked_sub(bytes.saturating_add(FRAME))?;
    }
    Some(())
}

/// (110513, DCM, "Discontinued for unspecified reason") (PS3.16 CID 9300).
fn unspecified() -> Attributes {
    let mut code = Attributes::new();
    code.put_text(tags::CODE_VALUE, "110513");
    code.put_text(tags::CODING_SCHEME_DESIGNATOR, "DCM");
    code.put_text(tags::CODE_MEANING, "Discontinued for unspecified reason");
    code
}

/// A DT with its offset (PS3.5 §6.2).
fn moment(at: OffsetDateTime) -> String {
    const FORM: &[BorrowedFormatItem<'_>] = format_description!(
        "[year][month][day][hour][minute][second].[subsecond digits:6][offset_hour sign:mandatory][offset_minute]"
    );
    // A form without anything that could be missing always fits.
    at.format(FORM).unwrap_or_default()
}
