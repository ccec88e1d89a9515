//! `ask`: a value of a kind, collected by keys or words, confirmed if the flow wants.

use std::sync::Arc;

use trunkline_flow::{
    step::{Answer, Ask, Key, Step, Verb},
    words,
};
use trunkline_model::{StepId, Value};

use crate::{
    collect::{self, Collected, Keys},
    course::{Course, Given, Then, Valued},
    event::{Expects, Fact, Personal, Question},
    input::Utterance,
    secrets::Origin,
    session::Hearing,
    steps::{
        hearing::{self, INVALID},
        survey,
    },
};

/// Puts the question and hears the caller.
pub(super) fn ask(course: &mut Course<'_>, id: &StepId, ask: &Ask) -> Then {
    if ask.secret {
        // Keys pressed ahead stand in the events, and a secret may not.
        collect::drop_ahead(course);
    }
    // Who has pressed ahead knows the question.
    if course.session.keys_ahead.is_empty() {
        let question = hearing::prompt_of(course, &ask.prompt, &ask.again);
        course.say(id, question, None, Given::default());
    }
    let mut keys = collect::answer_keys(&ask.answer);
    keys.extend(anywhere_keys(course, &ask.answer));
    let expects = Expects {
        keys: collect::keypad_order(keys),
        text: true,
    };
    hearing::listen(course, Question::Ask, expects, ask.time)
}

/// The keys that hold anywhere and cannot be part of the answer.
fn anywhere_keys(course: &Course<'_>, answer: &Answer) -> Vec<Key> {
    let own = collect::answer_keys(answer);
    hearing::anywhere_keys(course)
        .into_iter()
        .filter(|key| !own.contains(key))
        .collect()
}

/// Takes keys or words as an answer, or as what holds anywhere.
pub(super) fn heard(
    course: &mut Course<'_>,
    id: &StepId,
    step: &Step,
    ask: &Ask,
    hearing: &Hearing,
    utterance: &Utterance,
) -> Then {
    match utterance {
        Utterance::Keys(keys) => {
            if let Some(then) = anywhere(course, id, &ask.answer, keys, ask.secret) {
                return then;
            }
            let so_far = format!("{}{keys}", keys_so_far(course, ask, hearing));
            // A message is complete; on a telephone more keys may come.
            let carries = course.session.channel.carries();
            match (collect::collect(&ask.answer, &so_far, carries.keys), carries.keys) {
                (Collected::Complete { keys, rest, finish }, how) => {
                    if !ask.secret {
                        collect::keep_ahead(course, &rest);
                    }
                    if let (Some(finish), Keys::OneByOne { next }) = (finish, how) {
                        let until = course.at + next;
                        course.emit(Fact::AnswerFull { finish, until });
                    }
                    complete(course, id, step, ask, &keys)
                }
                (Collected::Open { next }, _) => {
                    let until = course.at + next;
                    if ask.secret {
                        course.emit(Fact::KeysCollected { until });
                        course.session.secrets.keys = so_far.into();
                    } else {
                        course.emit_with(Fact::KeysCollected { until }, Personal::Text(so_far.into()));
                    }
                    Then::Rest
                }
            }
        }
        Utterance::Text(text) => worded(course, id, step, ask, text),
    }
}

/// Where the first key leads if it holds anywhere; the keys after it are kept.
fn anywhere(course: &mut Course<'_>, id: &StepId, answer: &Answer, keys: &str, secret: bool) -> Option<Then> {
    let key = keys.chars().next().and_then(Key::new)?;
    if !anywhere_keys(course, answer).contains(&key) {
        return None;
    }
    let then = hearing::anywhere_key(course, id, key)?;
    if !secret {
        collect::keep_ahead(course, &keys[1..]);
    }
    Some(then)
}

fn worded(course: &mut Course<'_>, id: &StepId, step: &Step, ask: &Ask, text: &str) -> Then {
    let plain = words::plain(text);
    if words::single_key(&plain).is_some()
        && let Some(then) = anywhere(course, id, &ask.answer, &plain, ask.secret)
    {
        return then;
    }
    // Words that name a choice are the step's own, and come before those that hold anywhere.
    if let Answer::OneOf(choices) = &ask.answer
        && choices.iter().any(|choice| choice.is_named(&plain))
        && let Some(value) = collect::understand_text(&ask.answer, text, course.today())
    {
        return understood(course, id, step, ask, value);
    }
    // A caller's own words may hold any word; what holds anywhere must be all that was said.
    if let Some(then) = hearing::anywhere_word_alone(course, id, &plain) {
        return then;
    }
    match collect::understand_text(&ask.answer, text, course.today()) {
        Some(value) => understood(course, id, step, ask, value),
        // What is no answer may still ask for something else: `give me an agent`.
        None => hearing::anywhere_word(course, id, &plain)
            .unwrap_or_else(|| hearing::misheard(course, id, INVALID)),
    }
}

/// The keys of the answer that came one by one before; those of a secret are in memory only.
pub(super) fn keys_so_far(course: &Course<'_>, ask: &Ask, hearing: &Hearing) -> Arc<str> {
    if ask.secret {
        course.session.secrets.keys.clone()
    } else {
        hearing.keys.clone()
    }
}

/// Takes keys as they are for the whole answer.
pub(super) fn complete(course: &mut Course<'_>, id: &StepId, step: &Step, ask: &Ask, keys: &str) -> Then {
    match collect::understand_keys(&ask.answer, keys, course.today()) {
        Some(value) => understood(course, id, step, ask, value),
        None => hearing::misheard(course, id, INVALID),
    }
}

fn understood(course: &mut Course<'_>, id: &StepId, step: &Step, ask: &Ask, value: Value) -> Then {
    // A secret is not read back, since what is said stands in the events; the checker says so.
    let Some(confirm) = ask.confirm.as_ref().filter(|_| !ask.secret) else {
        return answered(course, id, step, ask, value);
    };
    course.emit_with(Fact::Understood, Personal::Value(value.clone()));
    if course.session.keys_ahead.is_empty() {
        course.say(
            id,
            confirm,
            None,
            Given {
                answer: Some(&value),
                ..Given::default()
            },
        );
    }
    let mut keys = collect::answer_keys(&Answer::YesNo);
    keys.extend(anywhere_keys(course, &Answer::YesNo));
    let expects = Expects {
        keys: collect::keypad_order(keys),
        text: true,
    };
    hearing::listen(course, Question::Confirm, expects, ask.time)
}

/// Takes a yes or a no to what was understood, or what holds anywhere. A no asks for the
/// answer again.
pub(super) fn confirmed(
    course: &mut Course<'_>,
    id: &StepId,
    step: &Step,
    ask: &Ask,
    hearing: &Hearing,
    utterance: &Utterance,
) -> Then {
    let confirmed = match utterance {
        Utterance::Keys(keys) => {
            if let Some(then) = anywhere(course, id, &Answer::YesNo, keys, ask.secret) {
                return then;
            }
            match collect::collect(&Answer::YesNo, keys, Keys::Together) {
                Collected::Complete { keys, rest, .. } => {
                    collect::keep_ahead(course, &rest);
                    collect::understand_keys(&Answer::YesNo, &keys, course.today())
                }
                Collected::Open { .. } => None,
            }
        }
        Utterance::Text(text) => {
            let plain = words::plain(text);
            if words::single_key(&plain).is_some()
                && let Some(then) = anywhere(course, id, &Answer::YesNo, &plain, ask.secret)
            {
                return then;
            }
            let said = collect::understand_text(&Answer::YesNo, text, course.today());
            if said.is_none()
                && let Some(then) = hearing::anywhere_word(course, id, &plain)
            {
                return then;
            }
            said
        }
    };
    match (confirmed, &hearing.understood) {
        (Some(Value::Bool(true)), Some(value)) => answered(course, id, step, ask, value.clone()),
        _ => hearing::misheard(course, id, INVALID),
    }
}

fn answered(course: &mut Course<'_>, id: &StepId, step: &Step, ask: &Ask, value: Value) -> Then {
    if matches!(step.verb, Verb::Survey(_)) {
        return survey::answered(course, id, step, value);
    }
    if let Some(name) = &ask.consent {
        course.emit(Fact::Consent {
            name: name.clone(),
            given: value == Value::Bool(true),
        });
    }
    if let Some(name) = &ask.save {
        // Here it is asked for again when it is lost.
        let secret = ask.secret.then(|| Origin {
            depth: course.session.frames.len().saturating_sub(1),
            step: id.clone(),
        });
        course.assign(name, Valued { value, secret });
    }
    course.leave_by_next(id, step)
}
