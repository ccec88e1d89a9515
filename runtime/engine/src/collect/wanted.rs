//! What a channel that collects keys itself has to know of a question.

use trunkline_flow::{
    Hotline,
    step::{Answer, Record, Verb},
};
use trunkline_model::{Duration, limits::MESSAGE_TIME_MAX};

use super::{Keys, keys};
use crate::{
    event::Question,
    session::{Hearing, Session, State},
};

/// How a question's answer is collected by keys, and how long the caller is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The most keys of an answer; 0 where keys are none.
    pub keys_max: usize,
    /// The key that finishes an answer sooner and is no part of it.
    pub finish: Option<char>,
    /// The time to the first key or word, from when the question has been heard; for a message
    /// the longest that it may be.
    pub first: Duration,
    /// The time between two keys.
    pub next: Duration,
    /// Whether the answer may stand nowhere.
    pub secret: bool,
}

/// What the question that a contact is asked wants; none when it is asked nothing.
pub fn wanted(hotline: &Hotline, session: &Session) -> Option<Wanted> {
    let State::Hearing(hearing) = &session.state else {
        return None;
    };
    let (flow, step) = session.place()?;
    let verb = &hotline.flows.get(flow)?.steps.get(step)?.verb;
    let (keys_max, finish, secret) = match verb {
        Verb::Ask(ask) => {
            let (max, finish) = of_answer(&ask.answer, hearing);
            (max, finish, ask.secret)
        }
        Verb::Survey(survey) => {
            let answered = session.frames.last().map_or(0, |frame| frame.survey.len());
            let questions = &hotline.surveys.get(&survey.survey)?.questions;
            let (max, finish) = of_answer(&questions.get(answered)?.answer, hearing);
            (max, finish, false)
        }
        Verb::Record(Record::Message { finish, .. }) => (1, Some(finish.as_char()), false),
        _ => (1, None, false),
    };
    let first = match verb {
        Verb::Record(Record::Message { max, .. }) => (*max).min(MESSAGE_TIME_MAX),
        _ => hearing.first_input,
    };
    let next = match session.channel.carries().keys {
        Keys::OneByOne { next } | Keys::Collected { next: Some(next) } => next,
        Keys::Together | Keys::Collected { next: None } => first,
    };
    Some(Wanted {
        keys_max,
        finish,
        first,
        next,
        secret,
    })
}

fn of_answer(answer: &Answer, hearing: &Hearing) -> (usize, Option<char>) {
    if hearing.question == Question::Confirm {
        return (1, None);
    }
    match answer {
        // A key leads another way, or is no answer: either is known by one.
        Answer::Text => (1, None),
        answer => keys::bounds(answer),
    }
}
