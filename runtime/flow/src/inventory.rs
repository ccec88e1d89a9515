//! What there is to be met in a checked hotline: prompts that may be heard, ways that may be
//! taken, functions that are called. For whoever measures how much of it was met.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use trunkline_model::{FunctionName, PluginName, PromptKey, StepId};

use crate::{
    hotline::Hotline,
    step::{Call, Prompt, Record, Step, Verb},
};

/// A way out of a step. Ways that a caller or an analyst would not tell apart are one: all words
/// that lead to the same step, and all kinds of faults.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Way {
    /// Its name: `next`, `key 1`, `word`, `branch 2`, `else`, or an exit's name; `fault` for
    /// every kind of fault.
    pub exit: Arc<str>,
    /// The step it leads to.
    pub next: StepId,
}

/// The name under which a way out is counted: events tell each word and each kind of fault apart.
pub fn counted(exit: &str) -> String {
    if exit.starts_with("word ") {
        return "word".to_owned();
    }
    match exit.split_once("fault.") {
        Some((branch, _)) if branch.is_empty() || branch.ends_with('.') => format!("{branch}fault"),
        _ => exit.to_owned(),
    }
}

/// The ways out of a step, each once. Those that hold anywhere are the flow's, not the step's.
pub fn ways(step: &Step) -> BTreeSet<Way> {
    let way = |exit: String, next: &StepId| Way {
        exit: exit.into(),
        next: next.clone(),
    };
    let mut ways: BTreeSet<Way> = step
        .next
        .iter()
        .map(|next| way("next".to_owned(), next))
        .collect();
    ways.extend(
        step.exits
            .iter()
            .map(|(exit, edge)| way(counted(exit), &edge.next)),
    );
    match &step.verb {
        Verb::Menu(menu) => {
            ways.extend(
                menu.entries
                    .iter()
                    .map(|entry| way(format!("key {}", entry.key), &entry.next)),
            );
            ways.extend(menu.words.iter().map(|(_, next)| way("word".to_owned(), next)));
            let intents = menu.intent.iter().flat_map(|intent| &intent.edges);
            ways.extend(intents.map(|(case, next)| way(format!("intent {case}"), next)));
        }
        Verb::Choose(choose) => {
            let branches = choose.branches.iter().enumerate();
            ways.extend(branches.map(|(index, (_, next))| way(format!("branch {}", index + 1), next)));
            ways.insert(way("else".to_owned(), &choose.otherwise));
        }
        Verb::Queue(queue) => {
            ways.extend(
                queue
                    .offers
                    .iter()
                    .map(|offer| way(offer.name.to_string(), &offer.next)),
            );
        }
        Verb::Say(_)
        | Verb::Ask(_)
        | Verb::Call(_)
        | Verb::Set(_)
        | Verb::Together(_)
        | Verb::Run(_)
        | Verb::Transfer(_)
        | Verb::Callback(_)
        | Verb::Survey(_)
        | Verb::Ticket(_)
        | Verb::Notify(_)
        | Verb::Record(_)
        | Verb::Wait(_)
        | Verb::End(_) => {}
    }
    ways
}

/// The prompts that a step may say.
pub fn prompts(step: &Step) -> Vec<&Prompt> {
    let mut prompts: Vec<&Arc<Prompt>> = Vec::new();
    match &step.verb {
        Verb::Say(say) => prompts.push(&say.prompt),
        Verb::Menu(menu) => {
            prompts.push(&menu.prompt);
            prompts.extend(menu.entries.iter().filter_map(|entry| entry.say.as_ref()));
        }
        Verb::Ask(ask) => {
            prompts.push(&ask.prompt);
            prompts.extend(&ask.confirm);
        }
        Verb::Call(call) => prompts.extend(&call.meanwhile),
        Verb::Together(together) => prompts.extend(&together.meanwhile),
        Verb::Queue(queue) => {
            prompts.extend(&queue.music);
            prompts.extend(queue.announce.iter().map(|announce| &announce.prompt));
            prompts.extend(queue.offers.iter().map(|offer| &offer.prompt));
        }
        Verb::Notify(notify) => prompts.push(&notify.prompt),
        Verb::Record(record) => {
            if let Record::Message { prompt, .. } = record {
                prompts.push(prompt);
            }
        }
        Verb::Choose(_)
        | Verb::Set(_)
        | Verb::Run(_)
        | Verb::Transfer(_)
        | Verb::Callback(_)
        | Verb::Survey(_)
        | Verb::Ticket(_)
        | Verb::Wait(_)
        | Verb::End(_) => {}
    }
    prompts.into_iter().map(|prompt| &**prompt).collect()
}

/// The keys of all prompts that a hotline may say.
pub fn prompt_keys(hotline: &Hotline) -> BTreeSet<&PromptKey> {
    let steps = hotline.flows.values().flat_map(|flow| flow.steps.values());
    let surveys = hotline.surveys.values().flat_map(|survey| &survey.questions);
    steps
        .flat_map(prompts)
        .chain(surveys.map(|question| &*question.prompt))
        .filter_map(|prompt| prompt.key.as_ref())
        .collect()
}

/// The functions that a hotline's flows call, with the plugins they belong to.
pub fn functions(hotline: &Hotline) -> BTreeMap<PluginName, BTreeSet<FunctionName>> {
    let mut functions: BTreeMap<PluginName, BTreeSet<FunctionName>> = BTreeMap::new();
    let mut called = |plugin: &PluginName, function: &FunctionName| {
        functions
            .entry(plugin.clone())
            .or_default()
            .insert(function.clone());
    };
    for step in hotline.flows.values().flat_map(|flow| flow.steps.values()) {
        let mut call = |call: &Call| called(&call.plugin, &call.function);
        match &step.verb {
            Verb::Call(one) => call(one),
            Verb::Together(together) => together.branches.iter().for_each(|(_, branch)| call(branch)),
            Verb::Menu(menu) => {
                if let Some(intent) = &menu.intent {
                    called(&intent.plugin, &intent.function);
                }
            }
            _ => {}
        }
    }
    functions
}

/// All outcomes that the contacts of a hotline may end with, those of the runtime among them.
pub fn outcomes(hotline: &Hotline) -> BTreeSet<Arc<str>> {
    let steps = hotline.flows.values().flat_map(|flow| flow.steps.values());
    let ends = steps.filter_map(|step| match &step.verb {
        Verb::End(end) => Some(end.outcome.clone()),
        _ => None,
    });
    ends.chain(["abandoned".into(), "failed".into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check, check::harness, parse};

    #[test]
    fn what_there_is_to_be_met_is_counted_once() {
        let sources = harness::files(
            "--- flows/main.yaml
flow: main
start: topics
steps:
  topics:
    menu: hello
    keys: { 1: find, 2: bye }
    words: { a: find, b: find, c: bye }
    on: { no-input: bye, no-match: bye }
  find:
    call: crm.find-citizen
    with: { phone: \"1\" }
    on: { else: bye }
    next: bye
  bye: { end: completed }
",
        );
        let report = check(&parse(&sources), &harness::interfaces());
        let hotline = report
            .checked
            .unwrap_or_else(|| panic!("{:#?}", report.diagnostics));
        let steps = &hotline.flows["main"].steps;
        let told = |step: &str| -> Vec<String> {
            ways(&steps[step])
                .iter()
                .map(|way| format!("{} {}", way.exit, way.next))
                .collect()
        };
        assert_eq!(
            told("topics"),
            [
                "key 1 find",
                "key 2 bye",
                "no-input bye",
                "no-match bye",
                "word bye",
                "word find"
            ]
        );
        assert_eq!(
            told("find"),
            [
                "ambiguous bye",
                "fault bye",
                "next bye",
                "not-found bye",
                "unreachable bye"
            ]
        );
        assert_eq!(prompt_keys(&hotline).len(), 1);
        assert_eq!(functions(&hotline)["crm"].len(), 1);
        assert_eq!(counted("word 公积金"), "word");
        assert_eq!(counted("a.fault.trap"), "a.fault");
        assert_eq!(counted("default.x"), "default.x");
    }
}
