//! `menu`: keys and words, each with its way.

use trunkline_flow::{
    step::{Key, Menu},
    words,
};
use trunkline_model::StepId;

use crate::{
    collect,
    course::{Course, Given, Then},
    event::{Expects, Question},
    input::Utterance,
    session::Hearing,
    steps::hearing::{self, NO_MATCH},
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
        text: !menu.words.is_empty() || hearing::has_anywhere_words(course),
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
        Utterance::Text(text) => {
            let text = words::plain(text);
            if let Some(key) = words::single_key(&text) {
                return pressed(course, id, menu, hearing, key);
            }
            if let Some((word, next)) = words::find_word(&menu.words, &text) {
                let (exit, next) = (format!("word {word}"), next.clone());
                return course.leave(id, &exit, &next);
            }
            hearing::anywhere_word(course, id, &text)
                .unwrap_or_else(|| hearing::misheard(course, id, NO_MATCH))
        }
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
