//! Verbs that ask a service of the centre, as the engine runs them.

use std::sync::Arc;

use trunkline_model::{Duration, Type, VariableName};

use super::{
    super::{
        carriers,
        centre::plainly,
        expressions::Scribe,
        flow::{FlowView, key},
        trunks,
    },
    queue::whole,
    saves, variable,
};
use crate::{
    address::{is_number, is_sip},
    diagnostics::{Code, Finding, did_you_mean},
    expression::Expression,
    hotline::ticket_type,
    limits::{CALLBACK_EVERY_DEFAULT, MESSAGE_TIME_DEFAULT, TRANSFER_TIME_DEFAULT},
    source::Word,
    step::{Callback, EVENTS, Key, Notify, Record, Survey, Ticket, TicketAction, Transfer, TransferTo, Wait},
    syntax::{
        CallbackSyntax, MessageSyntax, NotifySyntax, RecordSyntax, TicketActionSyntax, TicketSyntax,
        TransferSyntax, TransferToSyntax, ValueSyntax,
    },
};

/// The channel of a message that names none.
const SMS: &str = "sms";

/// The key that ends a message whose step names none.
const FINISH: char = '#';

/// A text of a step, none when it is wrong.
fn text(scribe: &Scribe<'_, '_, '_, '_>, value: &ValueSyntax) -> Option<Expression> {
    Some(scribe.value(value, Some(&Type::String))?.expression)
}

pub(super) fn transfer(
    view: &FlowView<'_, '_>,
    transfer: &TransferSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Transfer> {
    if transfer.three_way {
        let (TransferToSyntax::Address(value)
        | TransferToSyntax::Agent(value)
        | TransferToSyntax::Hotline(value)) = &transfer.to;
        carriers::connect_three(view, value.span);
    }
    let (to, staffed) = match &transfer.to {
        TransferToSyntax::Address(value) => {
            let fits = addressed(view, value, true);
            outside(view, value);
            let to = text(scribe, value)?;
            fits.then_some((TransferTo::Address(to), transfer.staffed))?
        }
        TransferToSyntax::Agent(value) => {
            let known = view.world.centre.agent(view.world, value);
            let to = text(scribe, value)?;
            known.then_some((TransferTo::Agent(to), true))?
        }
        TransferToSyntax::Hotline(value) => {
            let fits = addressed(view, value, false);
            let to = text(scribe, value)?;
            fits.then_some((TransferTo::Hotline(to), transfer.staffed))?
        }
    };
    Some(Transfer {
        to,
        three_way: transfer.three_way,
        staffed,
        time: transfer.time.unwrap_or(TRANSFER_TIME_DEFAULT),
    })
}

/// Reports a call to the outside that no trunk takes there.
fn outside(view: &FlowView<'_, '_>, value: &ValueSyntax) {
    if trunks::lead_outside(view.world) {
        return;
    }
    let mut finding = Finding::new(
        Code::NoWayOutside,
        value.span,
        "no trunk leads outside, so that nobody is rung there",
    );
    if let Some(trunk) = view.world.hotline.trunks.first() {
        finding = finding.label(trunk.name.span, "a trunk");
    }
    view.world
        .report(finding.help("say of a trunk where calls to the outside go: `to: sip.telecom.example`"));
}

/// Whether what is written plainly can be rung; reports when not.
fn addressed(view: &FlowView<'_, '_>, value: &ValueSyntax, sip: bool) -> bool {
    let Some(written) = plainly(value) else {
        return true;
    };
    let address = written.trim();
    let fits = is_number(address) || sip && is_sip(address);
    if !fits {
        view.world.report(
            Finding::new(
                Code::BadNumber,
                value.span,
                format!("`{address}` is no number that can be rung"),
            )
            .help(if sip {
                "write its digits without spaces, as in \"110\" or \"+8657112345\", or an address like \"sip:desk@example.org\""
            } else {
                "write its digits without spaces, as in \"12329\""
            }),
        );
    }
    fits
}

pub(super) fn callback(
    view: &FlowView<'_, '_>,
    callback: &CallbackSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Callback> {
    let known = view.world.centre.queue(view.world, &callback.queue);
    let open = callback
        .window
        .as_ref()
        .is_none_or(|window| view.world.calendar(window));
    let number = callback.number.as_ref().map(|value| {
        let fits = addressed(view, value, false);
        text(scribe, value).filter(|_| fits)
    });
    (known && open).then_some(())?;
    Some(Callback {
        queue: callback.queue.value.clone(),
        within: callback.within,
        number: whole(number)?,
        attempts: callback.attempts,
        every: callback.every.unwrap_or(CALLBACK_EVERY_DEFAULT),
        window: callback.window.as_ref().map(|window| window.value.clone()),
    })
}

pub(super) fn survey(view: &FlowView<'_, '_>, survey: &Word) -> Option<Survey> {
    view.world.centre.survey(view.world, survey).then(|| Survey {
        survey: survey.value.clone(),
    })
}

pub(super) fn ticket(
    view: &FlowView<'_, '_>,
    ticket: &TicketSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Ticket> {
    let mut fine = true;
    let mut fields: Vec<(Arc<str>, Expression)> = Vec::new();
    for (name, value) in &ticket.fields {
        match scribe.written_out(value) {
            Some(valued) => fields.push((name.value.clone(), valued.expression)),
            None => fine = false,
        }
    }
    let (action, given) = match &ticket.action {
        TicketActionSyntax::Open(class) => {
            fine &= view.world.centre.ticket(view.world, class);
            let class = class.value.clone();
            (Some(TicketAction::Open { class }), Type::String)
        }
        TicketActionSyntax::Update(number) => {
            let number = text(scribe, number);
            (number.map(|number| TicketAction::Update { number }), Type::String)
        }
        TicketActionSyntax::LookUp(number) => {
            let number = whole(number.as_ref().map(|number| text(scribe, number)));
            (
                number.map(|number| TicketAction::LookUp { number }),
                ticket_type(),
            )
        }
    };
    if let Some(save) = &ticket.save {
        fine &= variable(view, save).is_some_and(|wanted| saves(view, save, wanted, &given));
    }
    fine.then_some(())?;
    Some(Ticket {
        action: action?,
        fields,
        save: ticket
            .save
            .as_ref()
            .map(|word| VariableName::new(word.value.clone())),
    })
}

pub(super) fn notify(notify: &NotifySyntax, scribe: &Scribe<'_, '_, '_, '_>) -> Option<Notify> {
    let to = notify.to.as_ref().map(|value| text(scribe, value));
    let prompt = scribe.prompt(&notify.prompt);
    Some(Notify {
        to: whole(to)?,
        prompt: prompt?,
        channel: notify
            .channel
            .as_ref()
            .map_or_else(|| SMS.into(), |channel| channel.value.clone()),
    })
}

pub(super) fn record(
    view: &FlowView<'_, '_>,
    record: &RecordSyntax,
    id: &Word,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Record> {
    Some(match record {
        RecordSyntax::Start { consent } => {
            carriers::record(view, id.span);
            if let Some(consent) = consent {
                view.world.centre.consent(view.world, consent);
            }
            Record::Start {
                consent: consent.as_ref().map(|consent| consent.value.clone()),
            }
        }
        RecordSyntax::Stop => Record::Stop,
        RecordSyntax::Pause => Record::Pause,
        RecordSyntax::Resume => Record::Resume,
        RecordSyntax::Message(written) => message(view, written, scribe)?,
    })
}

fn message(
    view: &FlowView<'_, '_>,
    message: &MessageSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Record> {
    carriers::keep_messages(view, message.save.span);
    let prompt = scribe.prompt(&message.prompt);
    let finish = match &message.finish {
        Some(word) => key(view.world, word),
        None => Key::new(FINISH),
    };
    let wanted = variable(view, &message.save)?;
    saves(view, &message.save, wanted, &Type::String).then_some(())?;
    Some(Record::Message {
        prompt: prompt?,
        max: message.max.unwrap_or(MESSAGE_TIME_DEFAULT),
        finish: finish?,
        save: VariableName::new(message.save.value.clone()),
    })
}

pub(super) fn wait(view: &FlowView<'_, '_>, time: Option<Duration>, event: Option<&Word>) -> Option<Wait> {
    let known = event.is_none_or(|event| {
        let found = EVENTS.contains(&event.as_str());
        if !found {
            view.world.report(
                Finding::new(
                    Code::UnknownEvent,
                    event.span,
                    format!("there is no event `{}` to wait for", event.as_str()),
                )
                .help_if(did_you_mean("there are", event.as_str(), EVENTS)),
            );
        }
        found
    });
    known.then_some(())?;
    Some(Wait {
        time: time?,
        event: event.map(|event| event.value.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::harness::{assert_findings, files, interfaces};
    use crate::{
        check, parse,
        step::{Record, TransferTo, Verb},
    };
    use trunkline_model::Duration;

    const HOTLINE: &str = "--- hotline.yaml\nhotline: test\nlanguages: [zh-CN, en]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: main } }\nqueues: { general: {} }\n";

    #[test]
    fn services_are_asked_right() {
        assert_findings(
            &(HOTLINE.to_owned()
                + r##"--- agents.yaml
zhang-wei: {}
--- flows/main.yaml
flow: main
anywhere: { keys: { "#": done } }
#                   ^^^ TL0504: `m` collects this key
vars: { n: { type: int, is: 1 }, words: string? }
start: a
steps:
  a: { transfer: "11 0", on: { else: b }, next: b }
#                ^^^^^^ TL0112: `11 0` is no number that can be rung
  b: { transfer: { agent: zhang-wie }, on: { else: c }, next: c }
#                         ^^^^^^^^^ TL0803: agents.yaml names no agent `zhang-wie`
  c: { record: pause, next: d }
  d: { transfer: { hotline: "sip:a@b" }, three-way: yes, on: { else: e }, next: e }
#                           ^^^^^^^^^ TL0112: `sip:a@b` is no number that can be rung
#                                                   ^^^ TL0010: `three-way` should be `true` or `false`
  e: { callback: { within: 30m, queue: general, attempts: 0, every: 0s }, on: { else: f }, next: f }
#                                                         ^ TL0010: `attempts` is at least 1
#                                                                   ^^ TL0010: `every` should be more than nothing
  f: { callback: { within: 30m, queue: general, number: "${n}" }, on: { else: g }, next: g }
#                                                          ^ TL0202: this should be a string, not an int
  g: { survey: csat, on: { else: h }, next: h }
#              ^^^^ TL0804: there is no survey `csat`
  h: { notify: { say: hello, channel: SMS }, on: { failed: i }, next: i }
#                                     ^^^ TL0107: `SMS` cannot be the name of a channel
  i: { notify: { say: hello, to: "${words}" }, on: { failed: j }, next: j }
#                                   ^^^^^ TL0205: `words` may be absent here
  j: { record: start, consent: recordign, on: { declined: k }, next: k }
#                              ^^^^^^^^^ TL0811: no step asks for the consent `recordign`
  k: { record: stop, consent: recording, next: m }
#                    ^^^^^^^ TL0006: `consent` belongs to `record: start`
  m: { record: { message: hello, max: 2h, save: n }, on: { declined: o }, next: o }
#                                     ^^ TL0010: `max` should be more than nothing and at most 30m
#                                               ^ TL0202: `n` is a int, but this gives a string
  o: { wait: { for: ticket.close, max: 7d }, on: { timeout: p }, next: p }
#                   ^^^^^^^^^^^^ TL0809: there is no event `ticket.close` to wait for
  p: { wait: { for: ticket.closed }, on: { timeout: q }, next: q }
#            ^^^^^^^^^^^^^^^^^^^^^^ TL0007: `wait` for an event needs `max`
  q: { ask: hello, answer: yes-no, consent: recording, on: { else: done }, next: done }
  done: { end: completed }
"##),
        );
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
start: a
steps:
  a: { transfer: { number: "110", hotline: "12329" }, on: { else: b }, next: b }
#                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ TL0005: a transfer goes to one place
  b: { transfer: { nmber: "110" }, on: { else: c }, next: c }
#                  ^^^^^ TL0006: `transfer` has no field `nmber`
  c: { callback: { queue: general }, on: { else: d }, next: d }
#                ^^^^^^^^^^^^^^^^^^ TL0007: `callback` needs `within`
  d: { notify: { to: "1" }, on: { failed: e }, next: e }
#              ^^^^^^^^^^^ TL0007: `notify` needs `say`
  e: { record: halt, next: f }
#              ^^^^ TL0010: `halt` is nothing that is done with a recording
  f: { record: { max: 1m }, next: g }
#              ^^^^^^^^^^^ TL0007: `record` of a message needs `message`
#              ^^^^^^^^^^^ TL0007: `record` of a message needs `save`
  g: { queue: general, survey: csat, next: h }
#                      ^^^^^^ TL0108: a step has one verb, but `g` has `queue` and `survey`
  h: { wait: { fro: ticket.closed, max: 7d }, on: { timeout: i }, next: i }
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ TL0007: `wait` for an event needs `for`
#              ^^^ TL0006: `wait` for an event has no field `fro`
  i: { end: completed }
"##,
        );
    }

    #[test]
    fn what_is_left_out_has_its_usual_value() {
        let text = HOTLINE.to_owned()
            + r##"--- flows/main.yaml
flow: main
vars: { words: string?, who: { type: phone, is: "+8613800138000" } }
start: a
steps:
  a: { transfer: "sip:desk@example.org", on: { else: b }, next: b }
  b: { transfer: { agent: anybody }, three-way: true, time: 10s, on: { else: c }, next: c }
  c: { callback: { within: 30m, queue: general, number: "${who}" }, on: { else: d }, next: d }
  d: { notify: { say: hello }, on: { failed: e }, next: e }
  e: { record: { message: hello, save: words }, on: { declined: done }, next: f }
  f: { notify: { say: { zh-CN: "{words}", en: "{words}" }, to: "${who}", channel: wechat }, on: { failed: g }, next: g }
  g: { wait: { for: callback.done, max: 7d }, on: { timeout: done }, next: h }
  h: { record: pause, next: done }
  done: { end: completed }
"##;
        let report = check(&parse(&files(&text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let checked = report.checked.expect("no findings");
        let steps = &checked.flows["main"].steps;
        let Verb::Transfer(transfer) = &steps["a"].verb else {
            panic!("a transfer")
        };
        assert!(matches!(transfer.to, TransferTo::Address(_)));
        assert!(!transfer.staffed && !transfer.three_way);
        assert_eq!(transfer.time, Duration::from_secs(30));
        let Verb::Transfer(to_agent) = &steps["b"].verb else {
            panic!("a transfer")
        };
        assert!(to_agent.staffed && to_agent.three_way);
        let Verb::Callback(callback) = &steps["c"].verb else {
            panic!("a callback")
        };
        assert_eq!((callback.attempts, callback.every), (3, Duration::from_secs(600)));
        let Verb::Notify(notify) = &steps["d"].verb else {
            panic!("a message")
        };
        assert!(&*notify.channel == "sms" && notify.to.is_none());
        let Verb::Record(Record::Message { max, finish, .. }) = &steps["e"].verb else {
            panic!("a message")
        };
        assert_eq!((*max, finish.as_char()), (Duration::from_secs(120), '#'));
        let Verb::Wait(wait) = &steps["g"].verb else {
            panic!("a wait")
        };
        assert_eq!(wait.event.as_deref(), Some("callback.done"));
        assert_eq!(wait.time, Duration::from_secs(7 * 86_400));
        assert!(steps["h"].exits.is_empty());
    }
}
