//! What all steps that hear the caller have in common: which step an utterance belongs to,
//! what holds anywhere, being misheard, and time running out.
//!
//! The one meaning of collection (keys, words, key-ahead, what is no input and what is no
//! match) stands in `docs/reference/collection.md`; the table there is this crate's test.

use std::{borrow::Cow, sync::Arc};

use trunkline_flow::{
    step::{Ask, Key, Prompt, Record, Step, Verb},
    words,
};
use trunkline_model::{Duration, StepId, Value, limits::SURVEY_RETRIES};

use crate::{
    collect,
    course::{Course, Then},
    event::{Expects, Fact, Question},
    input::Utterance,
    session::{Hearing, State},
    steps::{ask, menu, record, survey},
};

/// Why a caller was not understood; each is an exit of the step.
pub(super) const NO_INPUT: &str = "no-input";
pub(super) const NO_MATCH: &str = "no-match";
pub(super) const INVALID: &str = "invalid";

/// Puts a question to the caller, and answers it at once with keys pressed ahead.
pub(super) fn listen(
    course: &mut Course<'_>,
    question: Question,
    expects: Expects,
    time: Option<Duration>,
) -> Then {
    let first = time.unwrap_or(course.session.channel.carries().first_input);
    // What is said is heard first, where the channel plays it.
    let until = course.at + course.session.playing_time() + first;
    let hearing = course.session.frames.last().map_or(0, |frame| frame.misheard) + 1;
    course.emit(Fact::Asked {
        question,
        expects,
        hearing,
        until,
    });
    heard_ahead(course)
}

/// Answers the question that is put with the keys that were kept, unless a notice is still
/// being played.
pub(crate) fn heard_ahead(course: &mut Course<'_>) -> Then {
    if !matches!(course.session.state, State::Hearing(_)) || course.session.notice.is_some() {
        return Then::Rest;
    }
    match collect::take_ahead(course) {
        Some(keys) => heard(course, &Utterance::Keys(keys)),
        None => Then::Rest,
    }
}

/// The prompt of the present hearing: the step's own, or at later hearings what it says then.
pub(super) fn prompt_of<'p>(
    course: &Course<'_>,
    first: &'p Arc<Prompt>,
    again: &'p [Arc<Prompt>],
) -> &'p Prompt {
    let misheard = course.session.frames.last().map_or(0, |frame| frame.misheard) as usize;
    match misheard.checked_sub(1) {
        Some(later) => again.get(later).or(again.last()).unwrap_or(first),
        None => first,
    }
}

/// Takes what the caller gives to the question that was put.
pub(crate) fn heard(course: &mut Course<'_>, utterance: &Utterance) -> Then {
    let (Some((_, id, step)), Some(hearing)) = (course.place(), present(course)) else {
        return course.broken();
    };
    match &step.verb {
        Verb::Menu(menu) => menu::heard(course, id, menu, &hearing, utterance),
        Verb::Record(Record::Message { finish, save, .. }) => {
            record::heard(course, id, step, *finish, save, utterance)
        }
        verb => match question(course, verb) {
            Some(ask) if hearing.question == Question::Confirm => {
                ask::confirmed(course, id, step, &ask, &hearing, utterance)
            }
            Some(ask) => ask::heard(course, id, step, &ask, &hearing, utterance),
            None => course.broken(),
        },
    }
}

/// The question that a step puts: its own, or the survey's that is next.
fn question<'a>(course: &Course<'a>, verb: &'a Verb) -> Option<Cow<'a, Ask>> {
    match verb {
        Verb::Ask(ask) => Some(Cow::Borrowed(ask)),
        Verb::Survey(survey) => survey::question(course, survey).map(Cow::Owned),
        _ => None,
    }
}

/// Whether what the caller gives now may stand in the events.
pub(crate) fn hears_secret(course: &Course<'_>) -> bool {
    matches!(course.session.state, State::Hearing(_))
        && matches!(course.place(), Some((_, _, Step { verb: Verb::Ask(ask), .. })) if ask.secret)
}

/// The question's time is over. Keys that came one by one count as they are.
pub(crate) fn time_up(course: &mut Course<'_>) -> Then {
    let (Some((_, id, step)), Some(hearing)) = (course.place(), present(course)) else {
        return course.broken();
    };
    if matches!(step.verb, Verb::Record(_)) {
        return record::time_up(course, id, step);
    }
    // A channel that never told: its notice is over, and the keys that waited for it count.
    if course.session.notice.is_some() {
        course.emit(Fact::Played {
            seq: course.session.seq,
            until: None,
        });
        if !course.session.keys_ahead.is_empty() {
            return heard_ahead(course);
        }
    }
    if let Some(ask) = question(course, &step.verb) {
        let keys = ask::keys_so_far(course, &ask, &hearing);
        if !keys.is_empty() {
            return ask::complete(course, id, step, &ask, &keys);
        }
    }
    misheard(course, id, NO_INPUT)
}

/// The channel has heard nothing for the question's whole time.
pub(crate) fn unanswered(course: &mut Course<'_>) -> Then {
    match course.place() {
        // A message of which nothing was recorded is none.
        Some((_, id, step)) if matches!(step.verb, Verb::Record(_)) => record::declined(course, id, step),
        _ => time_up(course),
    }
}

/// Puts the question again, without counting it as a hearing.
pub(crate) fn ask_again(course: &mut Course<'_>) -> Then {
    let Some((_, id, step)) = course.place() else {
        return course.broken();
    };
    match &step.verb {
        Verb::Menu(menu) => menu::ask(course, id, menu),
        Verb::Record(Record::Message { .. }) => record::ask(course, id, step),
        verb => match question(course, verb) {
            Some(ask) => ask::ask(course, id, &ask),
            None => course.broken(),
        },
    }
}

/// The caller was not understood: asks again while the step has retries left, else leaves
/// by the exit of that name. A survey goes on to its next question instead.
pub(super) fn misheard(course: &mut Course<'_>, id: &StepId, why: &str) -> Then {
    let Some((_, _, step)) = course.place() else {
        return course.broken();
    };
    let retries = match &step.verb {
        Verb::Menu(menu) => menu.retries,
        Verb::Ask(ask) => ask.retries,
        Verb::Survey(_) => SURVEY_RETRIES,
        _ => return course.broken(),
    };
    let hearing = course.session.frames.last().map_or(0, |frame| frame.misheard) + 1;
    course.emit(Fact::Misheard {
        why: why.into(),
        hearing,
    });
    // Keys that followed a wrong one were meant for a question that does not come.
    collect::drop_ahead(course);
    if hearing > retries {
        return match &step.verb {
            Verb::Survey(_) => survey::passed(course, id, step),
            _ => course.leave_by_exit(id, step, why, Value::None),
        };
    }
    // Nobody is there to be asked again, when the caller left while words were being told.
    if course.session.hung_up.is_some() {
        return course.close();
    }
    ask_again(course)
}

/// Where a key leads that holds anywhere: in the flow entered last that has it.
pub(super) fn anywhere_key(course: &mut Course<'_>, id: &StepId, key: Key) -> Option<Then> {
    let (depth, next) = innermost(course, |anywhere| anywhere.keys.get(&key).cloned())?;
    Some(leave_to(course, id, &format!("anywhere {key}"), depth, next))
}

/// Where words lead that hold anywhere: in the flow entered last that has one of them.
pub(super) fn anywhere_word(course: &mut Course<'_>, id: &StepId, text: &str) -> Option<Then> {
    let (depth, next) = innermost(course, |anywhere| {
        words::find_word(&anywhere.words, text).map(|(_, step)| step.clone())
    })?;
    Some(leave_to(course, id, "anywhere word", depth, next))
}

/// The same, for words that are all the caller said.
pub(super) fn anywhere_word_alone(course: &mut Course<'_>, id: &StepId, text: &str) -> Option<Then> {
    let (depth, next) = innermost(course, |anywhere| {
        let said = |word: &str| words::plain(word) == text;
        anywhere
            .words
            .iter()
            .find(|(word, _)| said(word))
            .map(|(_, step)| step.clone())
    })?;
    Some(leave_to(course, id, "anywhere word", depth, next))
}

/// The keys that hold anywhere in the flows the contact is in.
pub(super) fn anywhere_keys(course: &Course<'_>) -> Vec<Key> {
    let frames = &course.session.frames;
    let flows = frames
        .iter()
        .filter_map(|frame| course.hotline.flows.get(&frame.flow));
    flows
        .flat_map(|flow| flow.anywhere.keys.keys().copied())
        .collect()
}

/// Whether some words hold anywhere in the flows the contact is in.
pub(super) fn has_anywhere_words(course: &Course<'_>) -> bool {
    let frames = &course.session.frames;
    let mut flows = frames
        .iter()
        .filter_map(|frame| course.hotline.flows.get(&frame.flow));
    flows.any(|flow| !flow.anywhere.words.is_empty())
}

fn innermost(
    course: &Course<'_>,
    find: impl Fn(&trunkline_flow::hotline::Anywhere) -> Option<StepId>,
) -> Option<(usize, StepId)> {
    course
        .session
        .frames
        .iter()
        .enumerate()
        .rev()
        .find_map(|(depth, frame)| {
            let flow = course.hotline.flows.get(&frame.flow)?;
            Some((depth, find(&flow.anywhere)?))
        })
}

fn leave_to(course: &mut Course<'_>, id: &StepId, exit: &str, depth: usize, next: StepId) -> Then {
    let then = course.leave(id, exit, &next);
    course.leave_flows_above(depth, "left");
    then
}

pub(super) fn present(course: &Course<'_>) -> Option<Hearing> {
    match &course.session.state {
        State::Hearing(hearing) => Some(hearing.clone()),
        _ => None,
    }
}
