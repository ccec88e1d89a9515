//! Verbs that ask a service of the centre: transfers, ring-backs, tickets, messages,
//! recordings.

use trunkline_model::limits::WAIT_MAX;

use super::{Fields, Reader, Style, named, prompt_field, value_field};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    limits::{CALLBACK_ATTEMPTS_DEFAULT, CALLBACK_ATTEMPTS_MAX, MESSAGE_TIME_MAX},
    parse::value::value,
    syntax::{
        CallbackSyntax, MessageSyntax, NotifySyntax, RecordSyntax, TicketActionSyntax, TicketSyntax,
        TransferSyntax, TransferToSyntax, VerbSyntax,
    },
    yaml::{Kind, Node},
};

pub(super) fn transfer(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> Option<VerbSyntax> {
    let three_way = fields.bool(reader, "three-way");
    let staffed = fields.bool(reader, "staffed");
    let time = fields.duration(reader, "time");
    let to = match &node.kind {
        Kind::Mapping(_) => transfer_to(reader, node)?,
        Kind::Scalar { .. } | Kind::Sequence(_) => {
            // A list is no address, which is said here.
            reader.word(node, "`transfer`")?;
            TransferToSyntax::Address(value(reader, node)?)
        }
    };
    Some(VerbSyntax::Transfer(TransferSyntax {
        to,
        three_way,
        staffed,
        time,
    }))
}

/// `{ agent: … }`, `{ number: … }` or `{ hotline: … }`
fn transfer_to(reader: &Reader<'_>, node: &Node) -> Option<TransferToSyntax> {
    let mut fields = reader.fields(node, "`transfer`", node.span);
    let given = [
        value_field(reader, &mut fields, "number").map(TransferToSyntax::Address),
        value_field(reader, &mut fields, "agent").map(TransferToSyntax::Agent),
        value_field(reader, &mut fields, "hotline").map(TransferToSyntax::Hotline),
    ];
    let written = fields.keys().count();
    fields.finish(reader);
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(to), None) => Some(to),
        (None, _) if written > 0 => None,
        _ => {
            reader.report(
                Finding::new(
                    Code::WrongShape,
                    node.span,
                    "a transfer goes to one place: a number, an agent or another hotline",
                )
                .help("write `transfer: \"110\"`, `transfer: { agent: \"${…}\" }` or `transfer: { hotline: \"12329\" }`"),
            );
            None
        }
    }
}

pub(super) fn callback(reader: &Reader<'_>, node: &Node) -> Option<VerbSyntax> {
    let mut fields = reader.fields(node, "`callback`", node.span);
    let within = fields
        .need(reader, "within", "30m")
        .and_then(|node| reader.duration(node, "`within`", WAIT_MAX));
    let queue = fields.need_word(reader, "queue", "general");
    let number = value_field(reader, &mut fields, "number");
    let attempts = fields.count_within(
        reader,
        "attempts",
        CALLBACK_ATTEMPTS_DEFAULT,
        1..=CALLBACK_ATTEMPTS_MAX,
    );
    let every = fields.duration(reader, "every");
    let window = fields.word(reader, "window");
    fields.finish(reader);
    Some(VerbSyntax::Callback(Box::new(CallbackSyntax {
        queue: queue?,
        within: within?,
        number,
        attempts,
        every,
        window,
    })))
}

/// What a `ticket` step does.
const ACTIONS: [&str; 3] = ["open", "update", "look-up"];

pub(super) fn ticket(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> Option<VerbSyntax> {
    let save = fields.word(reader, "save");
    let word = reader.word(node, "`ticket`")?;
    let mut written = Vec::new();
    let action = match word.as_str() {
        "open" => {
            let class = fields.need_word(reader, "class", "noise");
            written = named(reader, fields, "with");
            fields.belongs(reader, "number", "`ticket: update` and `ticket: look-up`");
            TicketActionSyntax::Open(class?)
        }
        "update" => {
            fields.need(reader, "number", "\"${ticket_number}\"");
            let number = value_field(reader, fields, "number");
            fields.need(reader, "with", "{ note: \"${words}\" }");
            written = named(reader, fields, "with");
            fields.belongs(reader, "class", "`ticket: open`");
            TicketActionSyntax::Update(number?)
        }
        "look-up" => {
            let number = value_field(reader, fields, "number");
            fields.belongs(reader, "class", "`ticket: open`");
            fields.belongs(reader, "with", "`ticket: open` and `ticket: update`");
            if save.is_none() {
                reader.report(
                    Finding::new(
                        Code::MissingField,
                        fields.span,
                        "a ticket that is looked up needs `save`",
                    )
                    .help("add a line like `save: last_ticket`, a variable of type `ticket?`"),
                );
            }
            TicketActionSyntax::LookUp(number)
        }
        other => {
            reader.report(
                Finding::new(
                    Code::WrongValue,
                    word.span,
                    format!("`{other}` is nothing that is done with a ticket"),
                )
                .help_if(did_you_mean("there are", other, ACTIONS)),
            );
            for field in ["class", "number", "with"] {
                fields.take(field);
            }
            return None;
        }
    };
    for (name, _) in &written {
        reader.name(name, "a field of a ticket", Style::Field);
    }
    Some(VerbSyntax::Ticket(Box::new(TicketSyntax {
        action,
        fields: written,
        save,
    })))
}

pub(super) fn notify(reader: &Reader<'_>, node: &Node) -> Option<VerbSyntax> {
    let mut fields = reader.fields(node, "`notify`", node.span);
    fields.need(reader, "say", "your-ticket");
    let prompt = prompt_field(reader, &mut fields, "say");
    let to = value_field(reader, &mut fields, "to");
    let channel = fields.word(reader, "channel");
    if let Some(channel) = &channel {
        reader.name(channel, "a channel", Style::Kebab);
    }
    fields.finish(reader);
    Some(VerbSyntax::Notify(NotifySyntax {
        prompt: prompt?,
        to,
        channel,
    }))
}

/// What a `record` step does with the recording.
const STEERING: [&str; 4] = ["start", "stop", "pause", "resume"];

pub(super) fn record(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> Option<VerbSyntax> {
    if let Kind::Mapping(_) = node.kind {
        fields.belongs(reader, "consent", "`record: start`");
        return message(reader, node);
    }
    let word = reader.word(node, "`record`")?;
    let record = match word.as_str() {
        "start" => RecordSyntax::Start {
            consent: fields.word(reader, "consent"),
        },
        "stop" => RecordSyntax::Stop,
        "pause" => RecordSyntax::Pause,
        "resume" => RecordSyntax::Resume,
        other => {
            fields.take("consent");
            reader.report(
                Finding::new(
                    Code::WrongValue,
                    word.span,
                    format!("`{other}` is nothing that is done with a recording"),
                )
                .help_if(did_you_mean("there are", other, STEERING))
                .help("a message is taken by `record: { message: some-prompt, save: some_variable }`"),
            );
            return None;
        }
    };
    if !matches!(record, RecordSyntax::Start { .. }) {
        fields.belongs(reader, "consent", "`record: start`");
    }
    Some(VerbSyntax::Record(record))
}

/// `{ message: prompt, max: 2m, finish: "#", save: var }`
fn message(reader: &Reader<'_>, node: &Node) -> Option<VerbSyntax> {
    let mut fields = reader.fields(node, "`record` of a message", node.span);
    fields.need(reader, "message", "after-the-tone");
    let prompt = prompt_field(reader, &mut fields, "message");
    let max = fields
        .take("max")
        .and_then(|node| reader.duration(node, "`max`", MESSAGE_TIME_MAX));
    let finish = fields.word(reader, "finish");
    let save = fields.need_word(reader, "save", "voice_message");
    fields.finish(reader);
    Some(VerbSyntax::Record(RecordSyntax::Message(MessageSyntax {
        prompt: prompt?,
        max,
        finish,
        save: save?,
    })))
}
