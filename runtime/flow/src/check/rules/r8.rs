//! R8: a synthetic voice says that it is one, before it says anything else. Recordings need no
//! announcement.

use super::{Proof, by_step, reached};
use crate::{
    prove::graph::{Graph, Kind},
    step::{Prompt, Record, Verb},
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    let names = proof.voice_notices();
    for graph in proof.graphs {
        let speaks = |state: usize| {
            let language = &graph.states[state].language;
            may_say(graph, state)
                .into_iter()
                .any(|prompt| prompt.is_synthetic(language))
        };
        let announces = |state: usize| match &graph.step(state).verb {
            Verb::Say(say) if graph.states[state].kind == Kind::Step => {
                say.notice.as_ref().is_some_and(|notice| names.contains(notice))
            }
            _ => false,
        };
        // An announcement may be a recording itself.
        let first = reached(graph, |state| speaks(state) || announces(state), |_, _| true);
        let silent =
            (0..graph.states.len()).filter(|state| first[*state] && speaks(*state) && !announces(*state));
        for state in by_step(graph, silent).into_values() {
            let of = &graph.states[state];
            if !proof.once(of.flow, of.step, "R8") {
                continue;
            }
            let name = names.first().map_or("synthetic-voice", |name| &**name);
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!(
                        "`{}` is the first that a synthetic voice says, and does not announce it",
                        graph.name(state)
                    ),
                )
                .help(format!(
                    "say first that it is one: `{{ say: …, notice: {name} }}`; a recording needs none"
                ));
            proof.report(proof.with_way_by(finding, graph, state, &|at, _| !speaks(at) && !announces(at)));
        }
    }
}

/// What is said in a state, if something is.
pub(super) fn spoken<'g>(graph: &'g Graph<'_>, state: usize) -> Option<&'g Prompt> {
    if graph.states[state].kind != Kind::Step {
        return None;
    }
    match &graph.step(state).verb {
        Verb::Say(say) => Some(&say.prompt),
        Verb::Menu(menu) => Some(&menu.prompt),
        Verb::Ask(ask) => Some(&ask.prompt),
        Verb::Queue(queue) => queue.music.as_deref(),
        Verb::Record(Record::Message { prompt, .. }) => Some(prompt),
        Verb::Survey(survey) => {
            let survey = graph.hotline.surveys.get(&survey.survey)?;
            survey.questions.first().map(|question| &*question.prompt)
        }
        _ => None,
    }
}

/// What may be said in a state: besides what is said first also what is said while the caller waits.
fn may_say<'g>(graph: &'g Graph<'_>, state: usize) -> Vec<&'g Prompt> {
    let mut prompts: Vec<&Prompt> = spoken(graph, state).into_iter().collect();
    if graph.states[state].kind == Kind::Step {
        match &graph.step(state).verb {
            Verb::Menu(menu) => {
                prompts.extend(menu.entries.iter().filter_map(|entry| entry.say.as_deref()));
                prompts.extend(menu.again.iter().map(|prompt| &**prompt));
            }
            Verb::Ask(ask) => {
                prompts.extend(ask.again.iter().map(|prompt| &**prompt));
                prompts.extend(ask.confirm.as_deref());
            }
            Verb::Call(call) => prompts.extend(call.meanwhile.as_deref()),
            Verb::Together(together) => prompts.extend(together.meanwhile.as_deref()),
            Verb::Queue(queue) => {
                prompts.extend(queue.announce.iter().map(|announce| &*announce.prompt));
                prompts.extend(queue.offers.iter().map(|offer| &*offer.prompt));
            }
            _ => {}
        }
    }
    prompts
}
