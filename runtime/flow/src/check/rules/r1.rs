//! R1: from every state of a public flow a human or a ring-back is within so many inputs and so many
//! seconds, on every branch: failing plugins, silence, closed hours, every language.
//!
//! What is looked at:
//! - Where the contact begins, and every question: the caller has a way to a human, whatever the
//!   world does. A caller who only wants a human counts: keys and words that are always live, and
//!   answers that anybody can give.
//! - Every way on which something went wrong: what follows leads to a human as well. A queue that
//!   refuses leads on to somewhere else. The function's own refusals, and silence of a caller who
//!   has been heard before, may also lead to `completed`, or to waiting for what is under way; and a
//!   ring-back that is refused is what others fall back on: what comes only after it may end the
//!   contact, if something is said (R11).
//!
//! Each is judged as if nothing else went wrong later, since that is a way of its own; so one fault
//! in a flow is one finding.

use super::{Proof, by_step, counted, in_seconds, reached, told};
use crate::{
    check::graph::components,
    diagnostics::Finding,
    prove::{
        game::{Game, Values},
        graph::{By, Chooser, Graph, Trouble, Way},
        paths,
    },
    step::Verb,
    syntax::VerbSyntax,
};

/// How often the graph is looked at again after a finding.
const ROUNDS_MAX: usize = 24;

/// Inputs that are counted one by one when seconds are; who may take more is not held to them.
const INPUTS_COUNTED_MAX: u32 = 16;

/// What reaching a human costs from every state.
struct Costs {
    inputs: Values,
    /// With no more inputs than are allowed.
    seconds: Values,
}

pub(super) fn check(proof: &Proof<'_, '_>) {
    for graph in proof.graphs {
        check_graph(proof, graph);
    }
}

fn check_graph(proof: &Proof<'_, '_>, graph: &Graph<'_>) {
    let goal = |state| graph.is_human(state) || graph.is_callback(state);
    let flow = graph.states[graph.starts[0].1].flow;
    if !(0..graph.states.len()).any(goal) {
        if proof.once(flow, usize::MAX, "R1") {
            let game = Game::new(graph, |_| false);
            let values = game.costs(|_| 0.0);
            let start = graph.starts[0].1;
            let finding = proof
                .finding(
                    proof.flow_span(flow),
                    if proof.hotline.numbers.len() == 1 {
                        format!("no way through `{}` leads to a human or a ring-back", flow.name)
                    } else {
                        format!(
                            "no way through `{}` from {} leads to a human or a ring-back",
                            flow.name, graph.number
                        )
                    },
                )
                .help("lead one to a `queue`, a `transfer` with `staffed: true`, or a `callback`");
            proof.report(proof.with_witness(finding, graph, start, |at, avoided| {
                paths::onward(&game, &values, |_| 0.0, at, avoided)
            }));
        }
        return;
    }
    let inputs_max = u32::try_from(proof.setting("inputs")).unwrap_or(u32::MAX);
    let trouble = |state: usize, way: &_| {
        graph.chooser(state, way) == Chooser::World && graph.trouble(state, way).is_some()
    };
    let parts = components(graph.states.len(), |state| {
        graph.states[state].ways.iter().map(|way| way.to)
    });
    let mut order = vec![0; graph.states.len()];
    for (place, part) in parts.iter().enumerate() {
        for state in part {
            order[*state] = place;
        }
    }
    let starts: Vec<usize> = graph.starts.iter().map(|(_, start)| *start).collect();
    // What comes only after the last resort was refused is not judged.
    let in_time = reached(
        graph,
        |_| false,
        |state, way| graph.trouble(state, way) != Some(Trouble::LastResort),
    );
    let mut excused: Vec<bool> = in_time.iter().map(|in_time| !in_time).collect();
    // Hours that lead to a human are no trouble: what they cost counts. Those that do not are judged as
    // ways that went wrong.
    let hours = |state: usize, way: &Way| graph.trouble(state, way) == Some(Trouble::Closed);
    let mut game = Game::new(graph, goal).closing(trouble);
    let asks_for_hours = graph
        .states
        .iter()
        .enumerate()
        .any(|(state, of)| of.ways.iter().any(|way| hours(state, way)));
    if asks_for_hours {
        let by_any_hour = Costs::of(&game, inputs_max);
        game = Game::new(graph, goal).closing(|state, way| {
            trouble(state, way) && (!hours(state, way) || by_any_hour.is_bad(proof, way.to))
        });
    }
    let mut costs;
    let mut rounds = 0;
    loop {
        game = game.with_goal(|state| goal(state) || excused[state]);
        costs = Costs::of(&game, inputs_max);
        rounds += 1;
        let bad = |state: usize| costs.is_bad(proof, state);
        let judged = (0..graph.states.len())
            .filter(|state| !excused[*state] && (graph.asks(*state) || starts.contains(state)));
        // Those are to blame from which no other that is to blame is reached.
        let mut is_bad = vec![false; parts.len()];
        for state in judged.clone().filter(|state| bad(*state)) {
            is_bad[order[state]] = true;
        }
        let mut above_bad = vec![false; parts.len()];
        for (place, part) in parts.iter().enumerate() {
            above_bad[place] = part
                .iter()
                .flat_map(|state| graph.states[*state].ways.iter().map(|way| order[way.to]))
                .any(|to| to != place && (is_bad[to] || above_bad[to]));
        }
        let among: Vec<usize> = judged
            .filter(|state| bad(*state) && !above_bad[order[*state]])
            .collect();
        if among.is_empty() || rounds == ROUNDS_MAX {
            break;
        }
        for state in by_step(graph, among.iter().copied()).into_values() {
            report_question(proof, graph, &game, &costs, state);
        }
        for state in among {
            excused[state] = true;
        }
    }
    ways_that_went_wrong(proof, graph, (&game, costs), inputs_max, &in_time);
}

impl Costs {
    fn of(game: &Game<'_, '_>, inputs_max: u32) -> Self {
        let seconds = |way: &Way| way.seconds.1;
        let within = (inputs_max <= INPUTS_COUNTED_MAX)
            .then(|| game.costs_within(inputs_max, seconds).pop())
            .flatten();
        Self {
            inputs: game.costs(|way| f64::from(way.inputs)),
            seconds: within.unwrap_or_else(|| game.costs(seconds)),
        }
    }

    fn is_bad(&self, proof: &Proof<'_, '_>, state: usize) -> bool {
        self.inputs.at(state) > proof.setting("inputs") as f64
            || self.seconds.at(state) > proof.setting("seconds") as f64
    }

    /// What is wrong from a state on.
    fn told(&self, proof: &Proof<'_, '_>, state: usize) -> Wrong<'_> {
        let inputs = self.inputs.at(state);
        let far = |message, values| Wrong {
            message,
            values,
            cost: |way| f64::from(way.inputs),
            takes_long: false,
        };
        if inputs.is_infinite() {
            return far(
                "a human or a ring-back cannot be reached".to_owned(),
                &self.inputs,
            );
        }
        if inputs > proof.setting("inputs") as f64 {
            let allowed = counted(proof.setting("inputs") as f64, "input");
            return far(
                format!(
                    "a human is {} away, {allowed} are allowed",
                    counted(inputs, "input")
                ),
                &self.inputs,
            );
        }
        let seconds = self.seconds.at(state);
        let allowed = in_seconds(proof.setting("seconds") as f64);
        Wrong {
            message: if seconds.is_infinite() {
                format!("how long it takes to reach a human is not bounded, {allowed} are allowed")
            } else {
                format!(
                    "it may take {} to reach a human, {allowed} are allowed",
                    in_seconds(seconds)
                )
            },
            values: &self.seconds,
            cost: |way| way.seconds.1,
            takes_long: true,
        }
    }
}

/// What is wrong from a state on.
struct Wrong<'c> {
    message: String,
    /// The values by which the contact would be played, and what they count.
    values: &'c Values,
    cost: fn(&Way) -> f64,
    /// Whether people are reached, but too late.
    takes_long: bool,
}

const TAKES_LONG: &str =
    "shorten what is said on the way, and give its calls and waits less `time`; or set `seconds` of the pack";

fn report_question(
    proof: &Proof<'_, '_>,
    graph: &Graph<'_>,
    game: &Game<'_, '_>,
    costs: &Costs,
    state: usize,
) {
    let of = &graph.states[state];
    if !proof.once(of.flow, of.step, "R1") {
        return;
    }
    let wrong = costs.told(proof, state);
    let what = &wrong.message;
    let span = proof.step_span(of.flow, of.step);
    let (message, help) = if graph.asks(state) {
        (
            format!("from `{}` {what}", graph.name(state)),
            way_for_all_questions(&graph.step(state).verb),
        )
    } else {
        (
            format!("from the beginning of `{}` on {what}", of.flow.name),
            "ask the caller before the contact ends, or lead it to a human",
        )
    };
    let finding = proof
        .finding(span, message)
        .help(if wrong.takes_long { TAKES_LONG } else { help });
    proof.report(proof.with_witness(finding, graph, state, |at, avoided| {
        paths::onward(game, wrong.values, wrong.cost, at, avoided)
    }));
}

/// How to give a question a way to a human. At a question that takes digits they are its answer.
fn way_for_all_questions(verb: &Verb) -> &'static str {
    let digits = matches!(verb, Verb::Ask(ask) if !crate::keypad::of_answer(&ask.answer).is_empty());
    if digits {
        "give the flow a word and a key that is no digit for all questions: `anywhere: { keys: { \"*\": human }, words: { 人工: human, operator: human } }`"
    } else {
        "give the question a key or a word that leads to a human, or the flow one for all questions: `anywhere: { keys: { \"0\": human } }`"
    }
}

/// Looks at every way on which something went wrong, the nearest first.
fn ways_that_went_wrong(
    proof: &Proof<'_, '_>,
    graph: &Graph<'_>,
    (strict, strict_costs): (&Game<'_, '_>, Costs),
    inputs_max: u32,
    in_time: &[bool],
) {
    let lenient = strict.with_goal(|state| {
        strict.is_goal(state) || graph.outcome(state) == Some("completed") || graph.waits_for_event(state)
    });
    let costs = (strict_costs, Costs::of(&lenient, inputs_max));
    // Who has answered something before is known to be able to, and who has talked to a human has had
    // what was wanted.
    let unheard = reached(
        graph,
        |_| false,
        |state, way| {
            let served = graph.is_human(state) && way.by == By::Next;
            let silent = graph.chooser(state, way) == Chooser::World || graph.trouble(state, way).is_some();
            silent && !served
        },
    );
    let mut nearest: Vec<usize> = (0..graph.states.len()).collect();
    nearest.sort_by_key(|state| (graph.near[*state], *state));
    for state in nearest {
        let of = &graph.states[state];
        if !in_time[state] || proof.was_said(of.flow, of.step, "R1") {
            continue;
        }
        for (index, way) in of.ways.iter().enumerate() {
            let Some(trouble) = graph.trouble(state, way) else {
                continue;
            };
            let may_complete = match trouble {
                Trouble::Refusal => true,
                Trouble::Silence => !unheard[state],
                Trouble::Failure | Trouble::Closed => false,
                Trouble::LastResort => continue,
            };
            let (game, costs) = if may_complete {
                (&lenient, &costs.1)
            } else {
                (strict, &costs.0)
            };
            if !costs.is_bad(proof, way.to) {
                continue;
            }
            // What is written once, like an `else`, is said once.
            let span = proof.way_span(of.flow, of.step, way);
            let place = format!("{} to {}", span.start, graph.name(way.to));
            let first = proof.once(of.flow, of.step, &format!("R1 at {place}"));
            proof.once(of.flow, of.step, &format!("R1 {}", told(way)));
            if !first {
                continue;
            }
            let wrong = costs.told(proof, way.to);
            let finding = proof.finding(
                span,
                match way.by {
                    By::Passed => format!("when `{}` is passed over {}", graph.name(state), wrong.message),
                    _ => format!(
                        "after {} of `{}` {}",
                        way_told(proof, graph, state, way),
                        graph.name(state),
                        wrong.message
                    ),
                },
            );
            let finding = if wrong.takes_long {
                finding.help(TAKES_LONG)
            } else {
                help(finding, trouble)
            };
            proof.report(proof.with_witness(finding, graph, state, |at, avoided| {
                let to = graph.states[at].ways[index].to;
                paths::onward(game, wrong.values, wrong.cost, to, avoided).after((at, index))
            }));
        }
    }
}

fn way_told(proof: &Proof<'_, '_>, graph: &Graph<'_>, state: usize, way: &Way) -> String {
    let By::Branch(index, _) = way.by else {
        return told(way);
    };
    let of = &graph.states[state];
    let branches = match &proof.written(of.flow, of.step).map(|step| &step.verb) {
        Some(VerbSyntax::Choose(choose)) => choose.branches.len(),
        _ => 0,
    };
    if index == branches {
        "`else`".to_owned()
    } else {
        format!("the branch to `{}`", graph.name(way.to))
    }
}

fn help(finding: Finding, trouble: Trouble) -> Finding {
    finding.help(match trouble {
        Trouble::Failure | Trouble::LastResort => "lead it to a human who can be reached some other way, such as a `callback`",
        Trouble::Refusal => "lead it to a human, to a question with a way to one, or to `end: completed` when the caller has what was asked for",
        Trouble::Silence => "who says nothing may not be able to press keys: lead it to a human",
        Trouble::Closed => "when it is closed, offer a `callback`",
    })
}

#[cfg(test)]
mod tests {
    use crate::check::harness::assert_findings;

    const HEAD: &str = "--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { \"12345\": { flow: main } }
plugins:
  crm: { component: plugins/crm.wasm, department: civil }
queues: { general: {} }
calling-window: day
checks: [{ pack: cn-12345, inputs: 1, seconds: 90 }]
--- calendars/day.yaml
calendar: day
open: { monday: [08:00-21:00], tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
--- flows/main.yaml
";

    fn assert_rule(flow: &str) {
        assert_findings(&format!("{HEAD}{flow}"));
    }

    #[test]
    fn a_failing_plugin_leads_to_a_human() {
        assert_rule(
            r##"flow: main
anywhere: { words: { 救命: human, 报警: human, 着火了: human, emergency: human } }
start: hi
steps:
  hi: { say: hello, notice: synthetic-voice, next: find }
  find: { call: crm.find-citizen, with: { phone: "1" }, on: { fault: sorry, else: human }, next: human }
#                                                             ^^^^^ TL1001: after `fault.timed-out` of `find` a human or a ring-back cannot be reached
  sorry: { say: hello, next: done }
  human: { queue: general, on: { else: ring-back }, next: done }
  ring-back: { callback: { within: 30m, queue: general }, on: { duplicate: done, refused: sorry }, next: done }
  done: { end: completed }
"##,
        );
    }
}
