//! `menu` as the engine runs it.

use super::super::{
    expressions::Scribe,
    flow::{FlowView, key},
    keys::longest_first,
};
use super::ask::later_prompts;
use crate::{
    step::{Entry, Menu},
    syntax::MenuSyntax,
};

pub(super) fn lower(
    view: &FlowView<'_, '_>,
    menu: &MenuSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Menu> {
    let prompt = scribe.prompt(&menu.prompt);
    let again = later_prompts(scribe, &menu.again);
    let mut entries = Vec::new();
    let mut fine = true;
    for written in &menu.keys {
        let when = written.when.as_ref().map(|word| scribe.condition(word));
        // The key's line is said only when its condition holds.
        let line = match &written.when {
            Some(word) => scribe.knowing(word, true),
            None => scribe.knowing_nothing_more(),
        };
        let say = written.say.as_ref().map(|prompt| line.prompt(prompt));
        let next = written.next.as_ref().and_then(|word| view.find(word));
        let whole = !matches!(when, Some(None)) && !matches!(say, Some(None));
        match key(view.world, &written.key).zip(next).filter(|_| whole) {
            Some((key, next)) => entries.push(Entry {
                key,
                say: say.flatten(),
                next: view.step_id(next),
                when: when.flatten(),
            }),
            None => fine = false,
        }
    }
    let mut words = Vec::new();
    for (word, step) in &menu.words {
        match view.find(step) {
            Some(step) => words.push((word.value.clone(), view.step_id(step))),
            None => fine = false,
        }
    }
    let (prompt, again) = (prompt?, again?);
    fine.then(|| Menu {
        prompt,
        entries,
        words: longest_first(words.into_iter()),
        intent: None,
        retries: menu.retries,
        again,
        time: menu.time,
    })
}
