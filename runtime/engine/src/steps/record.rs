//! `record`: steering the recording of a contact, and taking a message.
//!
//! Nothing is recorded without the consent that the step names. On a voice channel a message is
//! what the caller said from the prompt to the finish key, the end of the time, or leaving: its
//! recording is the channel's business, and this step has it kept by naming the two times. On a
//! text channel the text is the message, and nothing is recorded.

use trunkline_flow::step::{Key, Record, Step, Verb};
use trunkline_model::{
    StepId, Timestamp, Value, VariableName,
    limits::{MESSAGE_TIME_MAX, SERVICE_TIME_MAX},
};

use crate::{
    collect,
    course::{Course, Given, Then},
    event::{Expects, Fact, Question},
    input::Utterance,
    service::{Demand, Particulars, RecordAnswer, RecordDemand},
    steps::{DECLINED, hearing, service},
};

pub(super) fn enter(course: &mut Course<'_>, id: &StepId, step: &Step) -> Then {
    let Verb::Record(record) = &step.verb else {
        return course.broken();
    };
    let demand = match record {
        Record::Start { consent } => {
            let given = consent
                .as_ref()
                .is_none_or(|name| course.session.consents.get(name) == Some(&true));
            if !given {
                return service::leave_by_exit_or_next(course, id, step, DECLINED);
            }
            RecordDemand::Start
        }
        Record::Stop => RecordDemand::Stop,
        Record::Pause => RecordDemand::Pause,
        Record::Resume => RecordDemand::Resume,
        Record::Message { .. } => return ask(course, id, step),
    };
    have_done(course, demand)
}

fn have_done(course: &mut Course<'_>, demand: RecordDemand) -> Then {
    let until = course.at + SERVICE_TIME_MAX;
    service::ask(course, Demand::Record(demand), Particulars::default(), until)
}

/// Says what is said first, and hears the message.
pub(super) fn ask(course: &mut Course<'_>, id: &StepId, step: &Step) -> Then {
    let Verb::Record(Record::Message {
        prompt, max, finish, ..
    }) = &step.verb
    else {
        return course.broken();
    };
    let channel = course.session.channel;
    if !channel.carries().messages {
        // Nobody is asked for what would be lost.
        return course.leave_by_exit(id, step, DECLINED, Value::None);
    }
    // What was pressed ahead is no message.
    collect::drop_ahead(course);
    course.say(id, prompt, None, Given::default());
    let time = if channel.is_voice() {
        (*max).min(MESSAGE_TIME_MAX)
    } else {
        channel.carries().first_input
    };
    course.emit(Fact::Asked {
        question: Question::Message,
        expects: Expects {
            keys: collect::keypad_order(vec![*finish]),
            text: true,
        },
        hearing: 1,
        // What is said first is heard first, where the channel plays it.
        until: course.at + course.session.playing_time() + time,
    });
    Then::Rest
}

/// Takes a text as the message, or the finish key as its end.
pub(super) fn heard(
    course: &mut Course<'_>,
    id: &StepId,
    step: &Step,
    finish: Key,
    save: &VariableName,
    utterance: &Utterance,
) -> Then {
    let voice = course.session.channel.is_voice();
    let text = match utterance {
        Utterance::Keys(keys) if voice => {
            return match keys.split_once(finish.as_char()) {
                Some((_, rest)) => {
                    collect::keep_ahead(course, rest);
                    said(course)
                }
                // Other keys sound, and are part of what is recorded.
                None => {
                    stop_waiting_for_the_prompt(course);
                    Then::Rest
                }
            };
        }
        // Words recognised in what is recorded do not end it.
        Utterance::Text(_) if voice => return Then::Rest,
        Utterance::Keys(keys) => keys.trim_end_matches(finish.as_char()),
        Utterance::Text(text) => text.trim(),
    };
    if text.is_empty() {
        return course.leave_by_exit(id, step, DECLINED, Value::None);
    }
    course.assign(save, Value::text(text).into());
    course.leave_by_next(id, step)
}

/// Who presses a key hears nothing more of what is said first: the message's time begins.
fn stop_waiting_for_the_prompt(course: &mut Course<'_>) {
    let Some(hearing) = hearing::present(course) else {
        return;
    };
    let until = course.at + hearing.first_input;
    if until < hearing.until {
        course.emit(Fact::Played {
            seq: course.session.seq,
            until: Some(until),
        });
    }
}

/// The message's time is over.
pub(super) fn time_up(course: &mut Course<'_>, id: &StepId, step: &Step) -> Then {
    if course.session.channel.is_voice() {
        said(course)
    } else {
        course.leave_by_exit(id, step, DECLINED, Value::None)
    }
}

/// No message was left.
pub(super) fn declined(course: &mut Course<'_>, id: &StepId, step: &Step) -> Then {
    course.leave_by_exit(id, step, DECLINED, Value::None)
}

/// Has kept what was said since the caller was asked.
fn said(course: &mut Course<'_>) -> Then {
    let Some(hearing) = hearing::present(course) else {
        return course.broken();
    };
    let (from, until): (Timestamp, Timestamp) = (hearing.since, course.at);
    have_done(course, RecordDemand::Message { from, until })
}

pub(super) fn answered(
    course: &mut Course<'_>,
    id: &StepId,
    step: &Step,
    record: &Record,
    answer: &RecordAnswer,
) -> Then {
    match (record, answer) {
        (Record::Message { save, .. }, RecordAnswer::Done { recording }) => {
            course.assign(save, Value::Text(recording.clone()).into());
            course.leave_by_next(id, step)
        }
        (_, RecordAnswer::Done { .. }) => course.leave_by_next(id, step),
        (_, RecordAnswer::Declined | RecordAnswer::Failed) => failed(course, id, step, record),
    }
}

/// It could not be done. A recording that does not start or stop keeps no caller from what they
/// called for; a message that is not kept was not left.
pub(super) fn failed(course: &mut Course<'_>, id: &StepId, step: &Step, record: &Record) -> Then {
    match record {
        Record::Message { .. } => course.leave_by_exit(id, step, DECLINED, Value::None),
        Record::Start { .. } => service::leave_by_exit_or_next(course, id, step, DECLINED),
        Record::Stop | Record::Pause | Record::Resume => course.leave_by_next(id, step),
    }
}

/// The caller left while a message was recorded, which is how most messages end: it is kept.
/// None when this is not what the caller left in.
pub(crate) fn hung_up(course: &mut Course<'_>) -> Option<Then> {
    let (_, _, step) = course.place()?;
    let is_message = matches!(step.verb, Verb::Record(Record::Message { .. }));
    let hears = hearing::present(course).is_some();
    (is_message && hears && course.session.channel.is_voice()).then(|| said(course))
}
