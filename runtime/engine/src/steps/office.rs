//! Steps that have something done and go on: `callback`, `ticket`, `notify`. None needs the
//! caller; each asks a service once and is answered once.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_flow::step::{Callback, Notify, Step, Ticket, TicketAction};
use trunkline_model::{
    StepId, Value,
    limits::{SERVICE_TEXT_CHARS_MAX, SERVICE_TIME_MAX},
};

use crate::{
    course::{Course, Given, Then},
    service::{CallbackAnswer, Demand, NotifyAnswer, Particulars, TicketAnswer},
    steps::{DUPLICATE, FAILED, REFUSED, service},
};

/// Books a ring-back. Without a number to ring there is none.
pub(super) fn callback(course: &mut Course<'_>, id: &StepId, step: &Step, callback: &Callback) -> Then {
    let number = match &callback.number {
        Some(number) => text(course.evaluate_open(id, number)),
        None => course.session.caller.clone(),
    };
    let Some(number) = number else {
        return course.leave_by_exit(id, step, REFUSED, Value::None);
    };
    let demand = Demand::Callback {
        queue: callback.queue.clone(),
        within: callback.within,
        attempts: callback.attempts,
        every: callback.every,
        window: callback
            .window
            .clone()
            .or_else(|| course.hotline.calling_window.clone()),
    };
    let particulars = Particulars {
        party: Some(number),
        ..Particulars::default()
    };
    ask(course, demand, particulars)
}

pub(super) fn booked(course: &mut Course<'_>, id: &StepId, step: &Step, answer: &CallbackAnswer) -> Then {
    match answer {
        CallbackAnswer::Booked { .. } => course.leave_by_next(id, step),
        CallbackAnswer::Duplicate { .. } => course.leave_by_exit(id, step, DUPLICATE, Value::None),
        CallbackAnswer::Refused => course.leave_by_exit(id, step, REFUSED, Value::None),
    }
}

/// Opens, updates or looks up a ticket. Fields without a value are left out.
pub(super) fn ticket(course: &mut Course<'_>, id: &StepId, step: &Step, ticket: &Ticket) -> Then {
    let mut fields = BTreeMap::new();
    for (name, expression) in &ticket.fields {
        if let Some(value) = course.evaluate_open(id, expression) {
            fields.insert(name.clone(), bounded(value));
        }
    }
    let mut particulars = Particulars {
        party: course.session.caller.clone(),
        fields,
        ..Particulars::default()
    };
    let number = match &ticket.action {
        TicketAction::Open { .. } | TicketAction::LookUp { number: None } => None,
        TicketAction::Update { number } | TicketAction::LookUp { number: Some(number) } => {
            match text(course.evaluate_open(id, number)) {
                Some(number) => Some(number),
                // Another ticket than the one that is meant is none.
                None => return course.leave_by_exit(id, step, REFUSED, Value::None),
            }
        }
    };
    particulars.reference = number;
    let demand = match &ticket.action {
        TicketAction::Open { class } => Demand::TicketOpen { class: class.clone() },
        TicketAction::Update { .. } => Demand::TicketUpdate,
        TicketAction::LookUp { .. } => Demand::TicketLookUp,
    };
    ask(course, demand, particulars)
}

pub(super) fn ticketed(
    course: &mut Course<'_>,
    id: &StepId,
    step: &Step,
    ticket: &Ticket,
    answer: &TicketAnswer,
) -> Then {
    let saved = match answer {
        TicketAnswer::Opened(ticket) => Value::Text(ticket.number.clone()),
        TicketAnswer::Updated { number } => Value::Text(number.clone()),
        TicketAnswer::Found(ticket) => ticket.to_value(),
        TicketAnswer::Duplicate { .. } => return course.leave_by_exit(id, step, DUPLICATE, Value::None),
        TicketAnswer::Refused => return course.leave_by_exit(id, step, REFUSED, Value::None),
    };
    // What was asked for decides the variable's type: another kind of answer is none.
    let fits = matches!(
        (&ticket.action, answer),
        (TicketAction::Open { .. }, TicketAnswer::Opened(_))
            | (TicketAction::Update { .. }, TicketAnswer::Updated { .. })
            | (TicketAction::LookUp { .. }, TicketAnswer::Found(_))
    );
    if !fits {
        return course.leave_by_exit(id, step, REFUSED, Value::None);
    }
    if let Some(name) = &ticket.save {
        course.assign(name, saved.into());
    }
    course.leave_by_next(id, step)
}

/// Sends a message. Only a number that is vouched for is written to unasked.
pub(super) fn notify(course: &mut Course<'_>, id: &StepId, step: &Step, notify: &Notify) -> Then {
    let to = match &notify.to {
        Some(to) => text(course.evaluate_open(id, to)),
        None => course.session.caller.clone(),
    };
    let rendered = course.render(id, &notify.prompt, Given::default());
    let (Some(to), Some((language, text))) = (to, rendered) else {
        return course.leave_by_exit(id, step, FAILED, Value::None);
    };
    let demand = Demand::Notify {
        channel: notify.channel.clone(),
        prompt: notify.prompt.key.clone(),
        language,
    };
    let particulars = Particulars {
        party: Some(to),
        text: Some(text),
        ..Particulars::default()
    };
    ask(course, demand, particulars)
}

pub(super) fn sent(course: &mut Course<'_>, id: &StepId, step: &Step, answer: NotifyAnswer) -> Then {
    match answer {
        NotifyAnswer::Sent => course.leave_by_next(id, step),
        NotifyAnswer::Failed => course.leave_by_exit(id, step, FAILED, Value::None),
    }
}

fn ask(course: &mut Course<'_>, demand: Demand, particulars: Particulars) -> Then {
    let until = course.at + SERVICE_TIME_MAX;
    service::ask(course, demand, particulars, until)
}

fn text(value: Option<Value>) -> Option<Arc<str>> {
    match value {
        Some(Value::Text(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// A value that fits into what a service keeps: a longer text is cut.
fn bounded(value: Value) -> Value {
    match value {
        Value::Text(text) if text.chars().count() > SERVICE_TEXT_CHARS_MAX => {
            Value::text(text.chars().take(SERVICE_TEXT_CHARS_MAX).collect::<String>())
        }
        value => value,
    }
}
