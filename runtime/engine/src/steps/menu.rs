//! `menu`: keys and words, each with its way; words that are not among them go to the plugin
//! that tells intents, if the menu names one.

use trunkline_flow::{
    step::{Intent, Key, Menu},
    words,
};
use trunkline_model::{
    FaultKind, Outcome, StepId, Value,
    limits::{CALL_RESTARTS_MAX, CALL_TIME_MAX},
};

use crate::{
    collect,
    course::{Course, Given, Then},
    event::{Expects, Question},
    input::Utterance,
    session::{Calling, Hearing},
    steps::{
        call,
        hearing::{self, NO_MATCH},
    },
};

/// Says the head and the lines of the keys that are live, and hears the caller.
pub(super) fn ask(course: &mut Course<'_>, id: &StepId, menu: &Menu) -> Then {
    let mut keys = Vec::new();
    let mut lines = Vec::new();
    for entry in &menu.entries {
        let live = entry
            .when
            .as_ref()
            .is_none_or(|condition| course.holds(id, condition));
        if live {
            keys.push(entry.key);
            lines.extend(&entry.say);
        }
    }
    // Who has pressed ahead knows the menu.
    if course.session.keys_ahead.is_empty() {
        let head = hearing::prompt_of(course, &menu.prompt, &menu.again);
        course.say(id, head, None, Given::default());
        for line in lines {
            course.say(id, line, None, Given::default());
        }
    }
    keys.extend(hearing::anywhere_keys(course));
    let expects = Expects {
        keys: collect::keypad_order(keys),
        text: !menu.words.is_empty() || menu.intent.is_some() || hearing::has_anywhere_words(course),
    };
    hearing::listen(course, Question::Menu, expects, menu.time)
}

/// Takes the first key, or words. The keys after the first are kept for what follows.
pub(super) fn heard(
    course: &mut Course<'_>,
    id: &StepId,
    menu: &Menu,
    hearing: &Hearing,
    utterance: &Utterance,
) -> Then {
    match utterance {
        Utterance::Keys(keys) => {
            let mut rest = keys.chars();
            let Some(key) = rest.next().and_then(Key::new) else {
                return hearing::misheard(course, id, NO_MATCH);
            };
            collect::keep_ahead(course, rest.as_str());
            pressed(course, id, menu, hearing, key)
        }
        Utterance::Text(said) => {
            let text = words::plain(said);
            if let Some(key) = words::single_key(&text) {
                return pressed(course, id, menu, hearing, key);
            }
            if let Some((word, next)) = words::find_word(&menu.words, &text) {
                let (exit, next) = (format!("word {word}"), next.clone());
                return course.leave(id, &exit, &next);
            }
            if let Some(then) = hearing::anywhere_word(course, id, &text) {
                return then;
            }
            match &menu.intent {
                Some(intent) => ask_intent(course, intent, said),
                None => hearing::misheard(course, id, NO_MATCH),
            }
        }
    }
}

/// Asks the plugin what words mean. The caller is heard no more while it thinks.
fn ask_intent(course: &mut Course<'_>, intent: &Intent, said: &str) -> Then {
    let mut arguments = vec![Value::text(said.trim())];
    arguments.resize(1 + intent.left_out, Value::None);
    let calling = Calling {
        call: course.session.contact.call(course.session.calls + 1),
        attempt: 1,
        restarts: 0,
        plugin: intent.plugin.clone(),
        function: intent.function.clone(),
        arguments,
        until: course.at + intent.time.min(CALL_TIME_MAX),
        filler: None,
        at_most_once: false,
        redacted: false,
    };
    call::ask(course, calling);
    Then::Rest
}

/// Takes what the plugin made of the words. What it does not know, and what it fails at, was
/// not understood.
pub(super) fn told(course: &mut Course<'_>, id: &StepId, menu: &Menu, outcome: &Outcome) -> Then {
    let (Some(calling), Some(intent)) = (call::present(course), &menu.intent) else {
        return course.broken();
    };
    call::record(course, &calling, outcome);
    let case = match outcome {
        Outcome::Ok(value) => value.as_text(),
        Outcome::Refusal(_) | Outcome::Fault(_) => None,
    };
    match case.and_then(|case| intent.edges.get_key_value(case)) {
        Some((case, next)) => course.leave(id, &format!("intent {case}"), next),
        None => hearing::misheard(course, id, NO_MATCH),
    }
}

/// The node stopped while the plugin thought: it is asked again, within bounds.
pub(super) fn recovered(course: &mut Course<'_>, id: &StepId, menu: &Menu, calling: Calling) -> Then {
    match &menu.intent {
        Some(intent) if calling.restarts <= CALL_RESTARTS_MAX => {
            let next = Calling {
                attempt: calling.attempt + 1,
                until: course.at + intent.time.min(CALL_TIME_MAX),
                ..calling
            };
            call::ask(course, next);
            Then::Rest
        }
        _ => told(
            course,
            id,
            menu,
            &Outcome::fault(
                FaultKind::Interrupted,
                "the node stopped while the call was under way",
            ),
        ),
    }
}

fn pressed(course: &mut Course<'_>, id: &StepId, menu: &Menu, hearing: &Hearing, key: Key) -> Then {
    // A key counts when it was live as the caller was asked, whatever has changed since.
    let live = hearing.expects.keys.contains(key.as_char());
    if let Some(entry) = menu.entries.iter().find(|entry| live && entry.key == key) {
        return course.leave(id, &format!("key {key}"), &entry.next);
    }
    hearing::anywhere_key(course, id, key).unwrap_or_else(|| hearing::misheard(course, id, NO_MATCH))
}
