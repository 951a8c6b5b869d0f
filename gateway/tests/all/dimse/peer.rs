//! Peers: one that asks, and one that is asked.

use std::{
    io::Cursor,
    net::{SocketAddr, TcpListener, TcpStream},
    thread::JoinHandle,
    time::Duration,
};

use dicom_ul::{
    Pdu,
    association::{
        Association as _, Error,
        client::{ClientAssociation, ClientAssociationOptions},
        server::{AcceptAny, Negotiation, ServerAssociationOptions},
    },
    pdu::{PDataValue, PDataValueType, PresentationContextResultReason, RequestorRoles},
};
use medvan_imaging::{
    Uid,
    dataset::{Dataset, Limits, Seekable, read},
    dimse::{Command, Message, Operation, Priority, Request, Response, Status, bytes_of},
    file,
    transfer_syntax::Encoding,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// An instance as a sender has it.
pub(crate) struct Part {
    pub(crate) instance: Uid,
    pub(crate) data_set: Vec<u8>,
}

impl Part {
    /// Out of a file.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut source = Seekable::new(Cursor::new(bytes)).unwrap();
        let head = file::read_head(&mut source, &Limits::default()).unwrap();
        let instance = head.meta.uid(dicom_dictionary_std::tags::MEDIA_STORAGE_SOP_INSTANCE_UID).unwrap();
        Self { instance, data_set: bytes[usize::try_from(head.data_set_at).unwrap()..].to_vec() }
    }
}

/// Reads a data set of an answer.
pub(crate) fn parse(bytes: &[u8], is_explicit: bool) -> Dataset {
    let encoding = if is_explicit { Encoding::ExplicitLittle } else { Encoding::ImplicitLittle };
    read(&mut Seekable::new(Cursor::new(bytes)).unwrap(), encoding, &Limits::default()).unwrap()
}

/// One that asks.
pub(crate) struct Scu {
    pub(crate) association: ClientAssociation<TcpStream>,
    pub(crate) last: u16,
    heard: Heard,
}

/// A message, and its data set.
type Whole = (Message, Option<Vec<u8>>);

impl Scu {
    /// Asks for an association with these presentation contexts; their ids are 1, 3, 5 and so on.
    pub(crate) fn call(
        address: SocketAddr,
        calling: &str,
        called: &str,
        contexts: &[(&str, &[&str])],
    ) -> Result<Self, Error> {
        Self::call_with(address, calling, called, contexts, |options| options)
    }

    pub(crate) fn call_with<'a>(
        address: SocketAddr,
        calling: &'a str,
        called: &'a str,
        contexts: &[(&'a str, &[&'a str])],
        more: impl FnOnce(ClientAssociationOptions<'a>) -> ClientAssociationOptions<'a>,
    ) -> Result<Self, Error> {
        let mut options =
            ClientAssociationOptions::new().calling_ae_title(calling).called_ae_title(called).read_timeout(PATIENCE);
        for (class, syntaxes) in contexts {
            options = options.with_presentation_context(*class, syntaxes.to_vec());
        }
        let association = more(options).establish(address)?;
        Ok(Self { association, last: 0, heard: Heard::default() })
    }

    /// The contexts that were accepted: id and transfer syntax.
    pub(crate) fn contexts(&self) -> Vec<(u8, String)> {
        let contexts = self.association.presentation_contexts().iter();
        contexts.map(|context| (context.id, context.transfer_syntax.clone())).collect()
    }

    pub(crate) fn say(&mut self, context: u8, message: &Message, data_set: Option<&[u8]>) {
        for pdu in pdus(context, message, data_set) {
            self.association.send(&pdu).unwrap();
        }
    }

    /// Asks something; gives the message id.
    pub(crate) fn ask(&mut self, context: u8, class: &str, operation: Operation, data_set: Option<&[u8]>) -> u16 {
        self.last += 1;
        let request = Request { message_id: self.last, class: Uid::parse(class).unwrap(), operation };
        let message = Message { command: request.into(), has_data_set: data_set.is_some() };
        self.say(context, &message, data_set);
        self.last
    }

    pub(crate) fn hear(&mut self) -> (Message, Option<Vec<u8>>) {
        self.try_hear().unwrap()
    }

    /// The next message; or the PDU that came instead, or none at the end.
    pub(crate) fn try_hear(&mut self) -> Result<Whole, Box<Option<Pdu>>> {
        loop {
            if let Some(message) = self.heard.whole() {
                return Ok(message);
            }
            match self.association.receive() {
                Ok(Pdu::PData { data }) => self.heard.take(data),
                Ok(other) => return Err(Box::new(Some(other))),
                Err(_) => return Err(Box::new(None)),
            }
        }
    }

    /// The next answer, and its data set.
    pub(crate) fn answer(&mut self) -> (Response, Option<Vec<u8>>) {
        let (message, data_set) = self.hear();
        match message.command {
            Command::Response(response) => (response, data_set),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn store(&mut self, context: u8, class: &str, instance: &Uid, data_set: &[u8]) -> Response {
        let operation = Operation::Store { instance: instance.clone(), priority: Priority::Medium, originator: None };
        self.ask(context, class, operation, Some(data_set));
        self.answer().0
    }

    /// Asks and hears the answers to the last one; gives that, and the data sets of the others.
    pub(crate) fn find(&mut self, context: u8, class: &str, identifier: &Dataset) -> (Response, Vec<Dataset>) {
        let identifier = bytes_of(identifier, true);
        self.ask(context, class, Operation::Find { priority: Priority::Medium }, Some(&identifier));
        let mut found = Vec::new();
        loop {
            let (answer, data_set) = self.answer();
            if answer.status != Status::PENDING {
                assert_eq!(data_set, None);
                return (answer, found);
            }
            found.push(parse(&data_set.unwrap(), true));
        }
    }

    /// The first accepted context of the request's class in which it came. With one context for each transfer syntax the
    /// library does not say which; any of them may carry the answer.
    pub(crate) fn context_of(&self, request: &Request) -> u8 {
        let mut contexts = self.association.presentation_contexts().iter();
        let of_class = contexts.find(|context| {
            context.abstract_syntax == request.class.as_str()
                && context.reason == PresentationContextResultReason::Acceptance
        });
        of_class.unwrap().id
    }

    /// Waits for the end that the gateway makes.
    pub(crate) fn ends_by(&mut self) -> Option<Pdu> {
        match self.try_hear() {
            Err(end) => *end,
            Ok(message) => panic!("{message:?}"),
        }
    }

    pub(crate) fn release(self) {
        self.association.release().unwrap();
    }
}

/// Messages that are coming in.
#[derive(Default)]
pub(crate) struct Heard {
    command: Vec<u8>,
    message: Option<Message>,
    data_set: Vec<u8>,
    whole: std::collections::VecDeque<(Message, Option<Vec<u8>>)>,
}

impl Heard {
    pub(crate) fn take(&mut self, values: Vec<PDataValue>) {
        for value in values {
            match value.value_type {
                PDataValueType::Command => {
                    self.command.extend(value.data);
                    if value.is_last {
                        let message = Message::read(&std::mem::take(&mut self.command)).unwrap();
                        if message.has_data_set {
                            self.message = Some(message);
                        } else {
                            self.whole.push_back((message, None));
                        }
                    }
                }
                PDataValueType::Data => {
                    self.data_set.extend(value.data);
                    if value.is_last {
                        let message = self.message.take().unwrap();
                        self.whole.push_back((message, Some(std::mem::take(&mut self.data_set))));
                    }
                }
            }
        }
    }

    pub(crate) fn whole(&mut self) -> Option<(Message, Option<Vec<u8>>)> {
        self.whole.pop_front()
    }
}

fn pdus(context: u8, message: &Message, data_set: Option<&[u8]>) -> Vec<Pdu> {
    let pdu = |value_type, is_last, data: &[u8]| Pdu::PData {
        data: vec![PDataValue { presentation_context_id: context, value_type, is_last, data: data.to_vec() }],
    };
    let mut pdus = vec![pdu(PDataValueType::Command, true, &message.write())];
    let chunks: Vec<&[u8]> = data_set.unwrap_or_default().chunks(16_000).collect();
    for (number, chunk) in chunks.iter().enumerate() {
        pdus.push(pdu(PDataValueType::Data, number + 1 == chunks.len(), chunk));
    }
    pdus
}

/// What one that is asked was asked, and what it answers to a C-STORE or N-EVENT-REPORT.
pub(crate) struct Scp {
    pub(crate) port: u16,
    heard: JoinHandle<Vec<Asked>>,
}

/// Something that was asked.
pub(crate) struct Asked {
    pub(crate) calling: String,
    pub(crate) request: Request,
    pub(crate) data_set: Vec<u8>,
}

/// Whoever asks may be the one who is asked.
struct AnyRole;

impl Negotiation for AnyRole {
    fn negotiate_roles(&self, _: &str, scu: bool, scp: bool) -> Option<RequestorRoles> {
        Some(RequestorRoles { scu, scp })
    }
}

impl Scp {
    /// Listens for so many associations, accepts these classes in this transfer syntax, and answers with these statuses in
    /// turn, then with success.
    pub(crate) fn listening(
        associations: usize,
        classes: &'static [&'static str],
        syntax: &'static str,
        statuses: Vec<u16>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::on(listener, associations, classes, syntax, statuses)
    }

    /// The same on a port that was chosen before; answers with success.
    pub(crate) fn listening_on(
        port: u16,
        associations: usize,
        classes: &'static [&'static str],
        syntax: &'static str,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        Self::on(listener, associations, classes, syntax, Vec::new())
    }

    fn on(
        listener: TcpListener,
        associations: usize,
        classes: &'static [&'static str],
        syntax: &'static str,
        statuses: Vec<u16>,
    ) -> Self {
        let port = listener.local_addr().unwrap().port();
        let heard = std::thread::spawn(move || {
            let mut statuses = statuses.into_iter();
            (0..associations).flat_map(|_| serve(&listener, classes, syntax, &mut statuses)).collect()
        });
        Self { port, heard }
    }

    /// What was asked, when all is over.
    pub(crate) fn heard(self) -> Vec<Asked> {
        self.heard.join().unwrap()
    }
}

fn serve(
    listener: &TcpListener,
    classes: &[&'static str],
    syntax: &'static str,
    statuses: &mut impl Iterator<Item = u16>,
) -> Vec<Asked> {
    let mut options: ServerAssociationOptions<'_, AcceptAny, AnyRole> =
        ServerAssociationOptions::new().accept_any().with_negotiation(AnyRole).read_timeout(PATIENCE);
    options = options.with_transfer_syntax(syntax);
    for class in classes {
        options = options.with_abstract_syntax(*class);
    }
    let (stream, _) = listener.accept().unwrap();
    let mut association = options.establish(stream).unwrap();
    let calling = association.peer_ae_title().to_owned();
    let (mut heard, mut asked) = (Heard::default(), Vec::new());
    loop {
        match association.receive() {
            Ok(Pdu::PData { data }) => {
                let context = data[0].presentation_context_id;
                heard.take(data);
                while let Some((message, data_set)) = heard.whole() {
                    let Command::Request(request) = message.command else { panic!("{message:?}") };
                    let status = Status(statuses.next().unwrap_or(0));
                    let mut answer = Response::to(&request, status);
                    if status != Status::SUCCESS {
                        answer = answer.because("said the PACS");
                    }
                    for pdu in pdus(context, &Message::alone(answer.into()), None) {
                        association.send(&pdu).unwrap();
                    }
                    let data_set = data_set.unwrap_or_default();
                    asked.push(Asked { calling: calling.clone(), request, data_set });
                }
            }
            Ok(Pdu::ReleaseRQ) => {
                association.send(&Pdu::ReleaseRP).unwrap();
                return asked;
            }
            _ => return asked,
        }
    }
}
