//! One flow: every rule in turn, then the flow as the engine runs it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
};

use indexmap::IndexMap;
use trunkline_model::{FlowName, StepId, Type, VariableName, signature::Signature};

use super::{
    calls, exits,
    expressions::Scribe,
    graph::{Effect, Graph, Way},
    hangup, keys, loops, presence, reach, verbs,
    world::{FlowHead, World},
};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    expression::formula::Formula,
    hotline::{Anywhere, Flow, Variable},
    source::{Span, Word},
    start::StartsOn,
    step::{Edge, Key, Step},
    syntax::{StepSyntax, VerbSyntax},
};

/// A flow as its rules see it.
pub(super) struct FlowView<'w, 'a> {
    pub(super) world: &'w World<'a>,
    pub(super) head: &'w FlowHead<'a>,
    pub(super) steps: &'a [StepSyntax],
    index: HashMap<&'a str, usize>,
    /// The function of each `call` step and of each menu's `intent`, where it is known.
    pub(super) signatures: Vec<Option<&'a Signature>>,
    /// The functions of the branches of each `together` step, where they are known.
    branches: HashMap<usize, Vec<Option<&'a Signature>>>,
    /// What the texts of this flow say, each read once.
    pub(super) formulas: RefCell<HashMap<Span, Option<Rc<Formula>>>>,
    pub(super) types: TypeCache,
    /// Whether this is a survey's scene, which has nothing of its own, and not a flow.
    pub(super) survey: bool,
    /// Whether a way leads to a step that does not exist.
    astray: Cell<bool>,
}

/// Types of answers and results that several rules ask for.
pub(super) type TypeCache = RefCell<HashMap<Arc<str>, Option<Type>>>;

impl<'w, 'a> FlowView<'w, 'a> {
    /// What a survey's questions may read.
    pub(super) fn of_survey(world: &'w World<'a>, head: &'w FlowHead<'a>) -> Self {
        Self {
            survey: true,
            ..Self::new(world, head)
        }
    }

    fn new(world: &'w World<'a>, head: &'w FlowHead<'a>) -> Self {
        let steps: &'a [StepSyntax] = &head.syntax.steps;
        let mut view = Self {
            world,
            head,
            steps,
            index: steps
                .iter()
                .enumerate()
                .map(|(index, step)| (step.name.as_str(), index))
                .collect(),
            signatures: Vec::new(),
            branches: HashMap::new(),
            formulas: RefCell::default(),
            types: RefCell::default(),
            survey: false,
            astray: Cell::new(false),
        };
        view.signatures = steps
            .iter()
            .map(|step| match &step.verb {
                VerbSyntax::Call(call) => calls::resolve(world, &call.function),
                VerbSyntax::Menu(menu) => {
                    let intent = menu.intent.as_ref()?;
                    calls::resolve(world, &intent.function)
                }
                _ => None,
            })
            .collect();
        for (index, step) in steps.iter().enumerate() {
            if let VerbSyntax::Together(together) = &step.verb {
                let branches = together.branches.iter();
                let signatures = branches.map(|(_, call)| calls::resolve(world, &call.function));
                view.branches.insert(index, signatures.collect());
            }
        }
        view
    }

    /// The functions of the branches of a `together` step, where they are known.
    pub(super) fn branches(&self, step: usize) -> &[Option<&'a Signature>] {
        self.branches.get(&step).map_or(&[], Vec::as_slice)
    }

    /// The step that a word names; reports one that does not exist.
    pub(super) fn target(&self, word: &Word) -> Option<usize> {
        let found = self.index.get(word.as_str()).copied();
        if found.is_none() {
            self.astray.set(true);
            let names = self.steps.iter().map(|step| step.name.as_str());
            let outcome = word.as_str() == "end" || self.head.outcomes.contains_key(&word.value);
            let help = if outcome {
                Some(format!(
                    "an outcome is named by a step of its own: `done: {{ end: {} }}`, and `next: done`",
                    if word.as_str() == "end" {
                        "completed"
                    } else {
                        word.as_str()
                    }
                ))
            } else if self.world.flows.contains_key(&word.value) {
                Some(format!(
                    "that is a flow: run it in a step `{{ run: {}, next: … }}`",
                    word.as_str()
                ))
            } else {
                did_you_mean("its steps are", word.as_str(), names)
            };
            self.world.report(
                Finding::new(
                    Code::UnknownStep,
                    word.span,
                    format!(
                        "the flow `{}` has no step `{}`",
                        self.head.syntax.name.as_str(),
                        word.as_str()
                    ),
                )
                .help_if(help),
            );
        }
        found
    }

    /// The step that a word names, without a report.
    pub(super) fn find(&self, word: &Word) -> Option<usize> {
        self.index.get(word.as_str()).copied()
    }

    pub(super) fn step_id(&self, index: usize) -> StepId {
        StepId::new(self.steps[index].name.value.clone())
    }
}

/// Checks a flow; gives it when nothing in it is wrong.
pub(super) fn check(world: &World<'_>, head: &FlowHead<'_>) -> Option<Flow> {
    let view = FlowView::new(world, head);
    let syntax = head.syntax;
    let start = syntax.start.as_ref().and_then(|word| view.target(word));
    let on_hangup = syntax.on_hangup.as_ref().map(|word| view.target(word));
    let otherwise = syntax.otherwise.as_ref().and_then(|word| view.target(word));
    let anywhere = keys::anywhere(&view);
    let wired: Vec<exits::Wired<'_>> = (0..view.steps.len())
        .map(|step| exits::wire(&view, step, otherwise))
        .collect();
    let graph = build_graph(&view, &wired, &anywhere);
    let roots: Vec<usize> = start.into_iter().chain(on_hangup.flatten()).collect();
    let reached = graph.reached(&roots);
    // With no start, steps that are not understood, or a way to a step that does not exist,
    // nothing can be said of ways.
    if start.is_some() && !head.opaque && !view.astray.get() {
        reach::check(&view, &reached, on_hangup.flatten());
        loops::check(&view, &graph, &reached);
    }
    hangup::check(&view, &graph, on_hangup.flatten());
    hangup::check_unattended(&view, &graph, start);
    keys::check(&view, &anywhere, &reached);
    let presence = presence::Presence::new(&view);
    let states = presence.flow(&graph, &roots);

    let mut steps = IndexMap::new();
    let mut complete = true;
    for (index, step) in view.steps.iter().enumerate() {
        let scribe = Scribe::new(&view, &presence, states[index].as_ref());
        match lower(&view, index, &scribe, &wired[index]) {
            Some(lowered) => {
                steps.insert(StepId::new(step.name.value.clone()), lowered);
            }
            None => complete = false,
        }
    }
    let variables = variables(&view, &presence)?;
    if !complete {
        return None;
    }
    let known = |types: &IndexMap<VariableName, Option<Type>>| -> Option<IndexMap<VariableName, Type>> {
        types
            .iter()
            .map(|(name, ty)| Some((name.clone(), ty.clone()?)))
            .collect()
    };
    Some(Flow {
        name: FlowName::new(syntax.name.value.clone()),
        inputs: known(&head.inputs)?,
        outputs: known(&head.outputs)?,
        variables,
        start: view.step_id(start?),
        anywhere: Anywhere {
            keys: anywhere
                .keys
                .iter()
                .map(|(key, _, step)| (*key, view.step_id(*step)))
                .collect(),
            words: keys::longest_first(
                anywhere
                    .words
                    .iter()
                    .map(|(word, step)| (word.value.clone(), view.step_id(*step))),
            ),
        },
        on_hangup: match on_hangup {
            Some(step) => Some(view.step_id(step?)),
            None => None,
        },
        starts_on: syntax
            .starts_on
            .as_ref()
            .and_then(|word| StartsOn::parse(word.as_str())),
        steps,
    })
}

fn variables(
    view: &FlowView<'_, '_>,
    presence: &presence::Presence<'_, '_, '_>,
) -> Option<IndexMap<VariableName, Variable>> {
    let nothing = presence.nothing();
    let scribe = Scribe::new(view, presence, Some(&nothing));
    let mut variables = IndexMap::new();
    let mut complete = true;
    for var in &view.head.syntax.vars {
        let Some(Some(ty)) = view.head.variables.get(var.name.as_str()) else {
            complete = false;
            continue;
        };
        let initial = match &var.is {
            None => None,
            Some(value) => match scribe.value(value, Some(ty)) {
                Some(initial) => Some(initial.expression),
                None => {
                    complete = false;
                    continue;
                }
            },
        };
        variables.insert(
            VariableName::new(var.name.value.clone()),
            Variable {
                ty: ty.clone(),
                initial,
                label: var.label.as_ref().map(|label| label.value.clone()),
            },
        );
    }
    complete.then_some(variables)
}

/// A step as the engine runs it; none when something in it is wrong.
fn lower(
    view: &FlowView<'_, '_>,
    index: usize,
    scribe: &Scribe<'_, '_, '_, '_>,
    wired: &exits::Wired<'_>,
) -> Option<Step> {
    let step = &view.steps[index];
    let when = step.when.as_ref().map(|word| scribe.condition(word));
    // From here on the condition holds.
    let verb = match &step.when {
        Some(word) => verbs::lower(view, index, &scribe.knowing(word, true)),
        None => verbs::lower(view, index, scribe),
    };
    let next = match &step.next {
        Some(word) => Some(view.step_id(view.find(word)?)),
        None => None,
    };
    let mut exits = std::collections::BTreeMap::new();
    for exit in &wired.exits {
        exits.insert(
            exit.name.clone(),
            Edge {
                next: view.step_id(exit.to),
                save: exit.save.map(|word| VariableName::new(word.value.clone())),
            },
        );
    }
    let when = match when {
        Some(when) => Some(when?),
        None => None,
    };
    if !wired.complete {
        return None;
    }
    Some(Step {
        when,
        verb: verb?,
        next,
        exits,
        title: step.title.as_ref().map(|title| title.value.clone()),
        service: step.service.as_ref().map(|service| service.value.clone()),
    })
}

fn build_graph<'a>(
    view: &FlowView<'_, 'a>,
    wired: &[exits::Wired<'a>],
    anywhere: &keys::AnywhereView<'a>,
) -> Graph<'a> {
    let mut graph = Graph::new(view.steps.len());
    for (index, step) in view.steps.iter().enumerate() {
        let mut way = |to: Option<usize>, effect: Effect<'a>| {
            if let Some(to) = to {
                graph.add(index, Way { to, effect });
            }
        };
        let next = step.next.as_ref().and_then(|word| view.target(word));
        if step.when.is_some() {
            way(next, Effect::Passed);
        }
        match &step.verb {
            VerbSyntax::Say { .. }
            | VerbSyntax::Ask(_)
            | VerbSyntax::Call(_)
            | VerbSyntax::Together(_)
            | VerbSyntax::Set(_)
            | VerbSyntax::Run { .. }
            | VerbSyntax::Transfer(_)
            | VerbSyntax::Callback(_)
            | VerbSyntax::Survey(_)
            | VerbSyntax::Ticket(_)
            | VerbSyntax::Notify(_)
            | VerbSyntax::Record(_)
            | VerbSyntax::Wait { .. } => way(next, Effect::Done),
            VerbSyntax::Queue(queue) => {
                way(next, Effect::Done);
                for offer in &queue.offers {
                    let to = offer.next.as_ref().and_then(|word| view.target(word));
                    way(to, Effect::Nothing);
                }
            }
            VerbSyntax::Broken => {
                way(next, Effect::Unknown);
                for exit in &step.on {
                    let to = exit.next.as_ref().and_then(|word| view.target(word));
                    way(to, Effect::Unknown);
                }
            }
            VerbSyntax::Menu(menu) => {
                for key in &menu.keys {
                    let to = key.next.as_ref().and_then(|word| view.target(word));
                    way(to, Effect::Key(key.when.as_ref()));
                }
                let intents = menu.intent.iter().flat_map(|intent| &intent.cases);
                for (_, to) in menu.words.iter().chain(intents) {
                    way(view.target(to), Effect::Nothing);
                }
            }
            VerbSyntax::Choose(choose) => {
                for (branch, (_, to)) in choose.branches.iter().enumerate() {
                    way(view.target(to), Effect::Branch(branch));
                }
                let to = choose.otherwise.as_ref().and_then(|word| view.target(word));
                way(to, Effect::Branch(choose.branches.len()));
            }
            VerbSyntax::End { .. } => {}
        }
        for exit in &wired[index].exits {
            let effect = match exit.save {
                Some(variable) => Effect::Payload(variable, exit.payload.clone()),
                None if refuses(&step.verb, &exit.name) => Effect::Refused,
                None => Effect::Nothing,
            };
            way(Some(exit.to), effect);
        }
        if step.verb.hears() {
            let keys = anywhere.keys.iter().map(|(_, _, to)| *to);
            for to in keys.chain(anywhere.words.iter().map(|(_, to)| *to)) {
                way(Some(to), Effect::Nothing);
            }
        }
    }
    graph
}

/// Whether a way out of a step that waits is taken without any waiting.
fn refuses(verb: &VerbSyntax, exit: &str) -> bool {
    match verb {
        VerbSyntax::Queue(_) => exit != "timeout",
        VerbSyntax::Transfer(_) => exit != "no-answer",
        _ => false,
    }
}

/// A key of the keypad; reports what is none.
pub(super) fn key(world: &World<'_>, word: &Word) -> Option<Key> {
    let mut chars = word.as_str().chars();
    let key = chars.next().filter(|_| chars.next().is_none()).and_then(Key::new);
    if key.is_none() {
        world.report(
            Finding::new(
                Code::BadKey,
                word.span,
                format!("`{}` is no key of the keypad", word.as_str()),
            )
            .help("keys are 0 to 9, \"*\" and \"#\", one at a time; words go under `words`"),
        );
    }
    key
}
