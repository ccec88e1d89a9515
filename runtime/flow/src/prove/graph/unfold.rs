//! How a hotline becomes a graph: from where contacts begin each state's ways are made, and the states that
//! they lead to.

use std::{collections::HashMap, sync::Arc};

use trunkline_model::{Duration, StepId, Value, limits::VOICE_NEXT_KEY};

use super::{
    By, Context, Graph, Kind, SERVICE_SECONDS, State, Way, anybody_can, chosen, first_input, presses,
    seconds, trouble_of,
};
use crate::{
    expression::{Expression, Op, syntax::Operator},
    hotline::{Flow, Hotline, Language},
    prove::{
        facts::{Facts, Given, Worth, holds_when_fine, reads_the_world},
        paths,
        plan::{Memory, Plans},
    },
    step::{Answer, Ask, Call, Key, Menu, Prompt, Record, Step, Target, Verb},
};

/// How much is remembered, and the states that a graph may then have: so many however small its hotline,
/// and so many more for each step and language. Past them less is remembered.
const MEMORIES: [(Memory, usize, usize); 4] = [
    (Memory::Loops, 6_000, 6),
    (Memory::All, 6_000, 6),
    (Memory::Repeated, 6_000, 6),
    (Memory::Nothing, 20_000, 24),
];

type StateKey = (usize, usize, Kind, Language, String);

struct Builder<'h, 'p> {
    hotline: &'h Hotline,
    plans: &'p Plans<'h>,
    number: &'h Arc<str>,
    assumed: &'p [String],
    states: Vec<State<'h>>,
    contexts: Vec<Context<'h>>,
    known: HashMap<StateKey, usize>,
    inside: HashMap<(usize, usize, String), usize>,
    open: Vec<usize>,
    states_max: usize,
}

/// The states of a number's contacts, whatever language they begin in; conditions among `assumed`
/// (by their [`key`](super::facts::key)) are taken as true. None for a number that is not there.
pub(crate) fn build<'h>(hotline: &'h Hotline, number: &str, assumed: &[String]) -> Option<Graph<'h>> {
    let called = hotline.numbers.get(number)?;
    let flow = hotline.flows.get(&called.flow)?;
    build_from(hotline, number, &flow.start, assumed)
}

/// The states of a number's contacts whose callers hung up before anything was said. None where nothing
/// runs on then.
pub(crate) fn build_hung_up<'h>(hotline: &'h Hotline, number: &str) -> Option<Graph<'h>> {
    let called = hotline.numbers.get(number)?;
    let flow = hotline.flows.get(&called.flow)?;
    let graph = build_from(hotline, number, flow.on_hangup.as_ref()?, &[])?;
    Some(Graph {
        hung_up: true,
        ..graph
    })
}

fn build_from<'h>(
    hotline: &'h Hotline,
    number: &str,
    start: &StepId,
    assumed: &[String],
) -> Option<Graph<'h>> {
    let (number, called) = hotline.numbers.get_key_value(number)?;
    let flow = hotline.flows.get(&called.flow)?;
    let start = flow.steps.get_index_of(start)?;
    for (memory, states_min, states_per_step) in MEMORIES {
        let plans = Plans::new(hotline, memory);
        let steps: usize = hotline.flows.values().map(|flow| flow.steps.len()).sum();
        let mut builder = Builder {
            hotline,
            plans: &plans,
            number,
            assumed,
            states: Vec::new(),
            contexts: vec![Context { parent: None, flow }],
            known: HashMap::new(),
            inside: HashMap::new(),
            open: Vec::new(),
            states_max: states_min + states_per_step * steps * hotline.languages.len().max(1),
        };
        let dialects = hotline.dialects.keys();
        let starts = hotline
            .languages
            .iter()
            .chain(dialects)
            .map(|language| {
                let facts = builder.begin(flow, Facts::default(), language);
                (
                    language.clone(),
                    builder.enter(0, start, language, &facts, &facts),
                )
            })
            .collect();
        if builder.explore() {
            let mut graph = Graph {
                hotline,
                number: number.clone(),
                starts,
                states: builder.states,
                contexts: builder.contexts,
                remembering: memory != Memory::Nothing,
                hung_up: false,
                near: Vec::new(),
                tree: Vec::new(),
            };
            (graph.near, graph.tree) = paths::distances(&graph);
            return Some(graph);
        }
    }
    None
}

impl<'h> Builder<'h, '_> {
    fn given<'g>(&'g self, language: &'g Language) -> Given<'g> {
        Given {
            number: Some(self.number),
            language,
            assumed: self.assumed,
            hotline: self.hotline,
        }
    }

    /// What is known when a flow begins: its inputs, and first values of its variables.
    fn begin(&self, flow: &Flow, mut facts: Facts, language: &Language) -> Facts {
        for (name, variable) in &flow.variables {
            let worth = match &variable.initial {
                Some(initial) => facts.worth(initial.root(), self.given(language)),
                None => Worth::Unset,
            };
            facts.set(name.as_str(), &worth);
        }
        facts
    }

    /// The state of a step that is come to, looking at its condition first.
    fn enter(
        &mut self,
        context: usize,
        step: usize,
        language: &Language,
        before: &Facts,
        facts: &Facts,
    ) -> usize {
        let flow = self.contexts[context].flow;
        let kept = self.plans.keep(flow.name.as_str(), step, before, facts);
        let kind = match &flow.steps[step].when {
            Some(when) if facts.holds(when, self.given(language)) != Some(true) => Kind::Gate,
            _ => Kind::Step,
        };
        self.state(context, step, kind, language, kept)
    }

    fn state(&mut self, context: usize, step: usize, kind: Kind, language: &Language, facts: Facts) -> usize {
        let spelt = if facts.0.is_empty() {
            String::new()
        } else {
            format!("{:?}", facts.0)
        };
        let next = self.states.len();
        match self.known.entry((context, step, kind, language.clone(), spelt)) {
            std::collections::hash_map::Entry::Occupied(known) => *known.get(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(next);
                self.states.push(State {
                    context,
                    step,
                    flow: self.contexts[context].flow,
                    language: language.clone(),
                    facts,
                    kind,
                    ways: Vec::new(),
                });
                self.open.push(next);
                next
            }
        }
    }

    fn explore(&mut self) -> bool {
        while let Some(state) = self.open.pop() {
            if self.states.len() > self.states_max {
                return false;
            }
            let ways = self.ways(state);
            self.states[state].ways = ways;
        }
        true
    }

    fn ways(&mut self, state: usize) -> Vec<Way> {
        let State {
            context,
            step: index,
            flow,
            ref language,
            ref facts,
            kind,
            ..
        } = self.states[state];
        let (language, facts) = (language.clone(), facts.clone());
        let step = &flow.steps[index];
        let mut trail = Trail {
            builder: self,
            context,
            flow,
            index,
            language,
            facts,
            ways: Vec::new(),
        };
        match kind {
            Kind::End => {}
            Kind::Gate => trail.gate(step),
            Kind::Step => trail.step(step),
        }
        trail.ways
    }
}

/// The ways out of one state in the making.
struct Trail<'h, 'p, 'b> {
    builder: &'b mut Builder<'h, 'p>,
    context: usize,
    flow: &'h Flow,
    index: usize,
    language: Language,
    facts: Facts,
    ways: Vec<Way>,
}

/// What a way costs: inputs, presses, seconds.
type Cost = (u32, (u32, u32), (f64, f64));

const FREE: Cost = (0, (0, 0), (0.0, 0.0));

const fn taking(least: f64, most: f64) -> Cost {
    (0, (0, 0), (least, most))
}

impl<'h> Trail<'h, '_, '_> {
    fn lead(&mut self, by: By, to: &StepId, facts: &Facts, cost: Cost) {
        self.lead_sure(by, to, facts, cost, true);
    }

    fn lead_sure(&mut self, by: By, to: &StepId, facts: &Facts, cost: Cost, sure: bool) {
        let Some(to) = self.flow.steps.get_index_of(to) else {
            return;
        };
        let language = self.language.clone();
        let before = self.facts.clone();
        let to = self.builder.enter(self.context, to, &language, &before, facts);
        self.push_sure(by, to, cost, sure);
    }

    fn push(&mut self, by: By, to: usize, cost: Cost) {
        self.push_sure(by, to, cost, true);
    }

    fn push_sure(&mut self, by: By, to: usize, (inputs, presses, seconds): Cost, sure: bool) {
        // Several names of the same way are one way; the first stands for all.
        let step = &self.flow.steps[self.index];
        let trouble = trouble_of(step, &by);
        if let Some(same) = self.ways.iter_mut().find(|way| {
            way.to == to
                && way.inputs == inputs
                && same_kind(&way.by, &by)
                && trouble_of(step, &way.by) == trouble
        }) {
            same.seconds = (same.seconds.0.min(seconds.0), same.seconds.1.max(seconds.1));
            same.presses = (same.presses.0.min(presses.0), same.presses.1.max(presses.1));
            return;
        }
        self.ways.push(Way {
            by,
            to,
            inputs,
            presses,
            seconds,
            sure,
        });
    }

    /// Does something where these facts hold, that are known and not only supposed.
    fn knowing<R>(&mut self, facts: Facts, does: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.facts, facts);
        let done = does(self);
        self.facts = before;
        done
    }

    fn next_knowing(&mut self, step: &Step, facts: Facts, cost: Cost) {
        self.knowing(facts.clone(), |trail| trail.next(step, &facts, cost));
    }

    fn next(&mut self, step: &Step, facts: &Facts, cost: Cost) {
        if let Some(next) = &step.next {
            self.lead(By::Next, next, facts, cost);
        }
    }

    fn exits(&mut self, step: &Step, cost: impl Fn(&str) -> Option<Cost>) {
        for (name, edge) in &step.exits {
            let Some(cost) = cost(name) else { continue };
            let mut facts = self.facts.clone();
            if let Some(save) = &edge.save {
                facts.set(save.as_str(), &Worth::Set);
            }
            self.knowing(facts.clone(), |trail| {
                trail.lead(By::Exit(name.clone()), &edge.next, &facts, cost);
            });
        }
    }

    /// The condition of a step: it holds, or the step is passed over.
    fn gate(&mut self, step: &Step) {
        let Some(when) = &step.when else { return };
        let language = self.language.clone();
        let facts = self.facts.clone();
        let given = self.builder.given(&language);
        let (holds, fails) = (facts.assume(when, true, given), facts.assume(when, false, given));
        if let Some(holding) = holds {
            let kept = self
                .builder
                .plans
                .keep(self.flow.name.as_str(), self.index, &facts, &holding);
            let to = self
                .builder
                .state(self.context, self.index, Kind::Step, &language, kept);
            self.push(By::Entered, to, FREE);
        }
        if let (Some(failing), Some(next)) = (fails, &step.next) {
            self.lead(By::Passed, next, &failing, FREE);
        }
    }

    fn said(&self, prompt: &Prompt) -> f64 {
        prompt.seconds(&self.language)
    }

    fn step(&mut self, step: &'h Step) {
        let facts = self.facts.clone();
        match &step.verb {
            Verb::Say(say) => {
                let said = self.said(&say.prompt);
                self.next(step, &facts, taking(said, said));
            }
            Verb::Menu(menu) => self.menu(step, menu),
            Verb::Ask(ask) => self.ask(step, ask),
            Verb::Call(call) => {
                let mut after = facts;
                if let Some(save) = &call.save {
                    after.set(save.as_str(), &saved(call));
                }
                self.next_knowing(step, after, taking(0.0, seconds(call.time)));
                self.exits_of_calls(step, seconds(call.time));
            }
            Verb::Together(together) => {
                let longest = together
                    .branches
                    .iter()
                    .map(|(_, call)| seconds(call.time))
                    .fold(0.0, f64::max);
                let mut after = facts;
                for (_, call) in &together.branches {
                    if let Some(save) = &call.save {
                        after.set(save.as_str(), &saved(call));
                        // What came out well is saved also where another branch decides.
                        self.facts.forget(save.as_str());
                    }
                }
                self.next_knowing(step, after, taking(0.0, longest));
                self.exits_of_calls(step, longest);
            }
            Verb::Choose(choose) => self.choose(choose),
            Verb::Set(set) => {
                let mut after = facts;
                let mut language = None;
                for (target, value) in &set.assignments {
                    let worth = after.worth(value.root(), self.builder.given(&self.language));
                    match target {
                        // Without a value the variable stays as it was.
                        Target::Variable(name) if may_fail(value) && !matches!(worth, Worth::Is(_)) => {
                            after.forget(name.as_str());
                        }
                        Target::Variable(name) => after.set(name.as_str(), &worth),
                        Target::Language => language = Some(worth),
                    }
                }
                let languages: Vec<Language> = match language {
                    None => vec![self.language.clone()],
                    Some(Worth::Is(value)) => {
                        let tag = value.as_text().unwrap_or_default();
                        let found = self.builder.hotline.language(tag);
                        vec![found.unwrap_or(&self.language).clone()]
                    }
                    Some(_) => self.builder.hotline.languages.clone(),
                };
                for language in languages {
                    self.language = language;
                    self.next_knowing(step, after.clone(), FREE);
                }
            }
            Verb::Run(run) => self.run(run),
            Verb::End(end) => self.end(end),
            Verb::Queue(queue) => {
                let max = seconds(queue.max);
                let settings = self.builder.hotline.queues.get(&queue.queue);
                let open = settings.map_or(Some(true), |settings| facts.open(&settings.calendar));
                // A talk may be long.
                let mut served = facts.clone();
                served.let_time_pass();
                if open != Some(false) {
                    self.next(step, &served, taking(0.0, max));
                }
                self.exits(step, |name| match (name, open) {
                    ("closed", Some(true)) | ("timeout", _) => None,
                    ("closed", _) => Some(FREE),
                    (_, Some(false)) => None,
                    _ => Some(FREE),
                });
                if open == Some(false) {
                    return;
                }
                // The rest comes after some time.
                self.facts = served;
                let facts = self.facts.clone();
                self.exits(step, |name| (name == "timeout").then_some(taking(max, max)));
                for offer in queue.offers.iter().filter(|offer| offer.after < queue.max) {
                    let (after, said) = (seconds(offer.after), self.said(&offer.prompt));
                    self.lead(
                        By::Key(offer.key),
                        &offer.next,
                        &facts,
                        (1, (1, 1), (after, after + said)),
                    );
                }
                let keys: Vec<Key> = queue.offers.iter().map(|offer| offer.key).collect();
                self.anywhere(&keys, 0.0);
            }
            Verb::Transfer(transfer) => {
                let rings = seconds(transfer.time);
                self.next(step, &facts, taking(0.0, rings));
                self.exits(step, |_| Some(taking(0.0, rings)));
            }
            Verb::Callback(_) | Verb::Ticket(_) | Verb::Notify(_) => {
                let mut after = facts;
                if let Verb::Ticket(ticket) = &step.verb
                    && let Some(save) = &ticket.save
                {
                    after.set(save.as_str(), &Worth::Set);
                }
                // Only who has no number cannot be rung.
                let known = match &step.verb {
                    Verb::Callback(callback) => callback.number.is_some() || after.caller_is_known(),
                    _ => false,
                };
                self.next_knowing(step, after, taking(0.0, SERVICE_SECONDS));
                self.exits(step, |name| {
                    (name != "refused" || !known).then_some(taking(0.0, SERVICE_SECONDS))
                });
            }
            Verb::Survey(survey) => self.survey(step, &survey.survey),
            Verb::Record(record) => {
                let mut after = facts;
                let longest = match record {
                    Record::Message {
                        prompt, max, save, ..
                    } => {
                        after.set(save.as_str(), &Worth::Set);
                        self.said(prompt) + seconds(*max)
                    }
                    Record::Start { .. } | Record::Stop | Record::Pause | Record::Resume => 0.0,
                };
                self.next_knowing(step, after, taking(0.0, longest));
                self.exits(step, |_| Some(taking(0.0, longest)));
            }
            Verb::Wait(wait) => {
                let mut facts = facts;
                facts.let_time_pass();
                self.facts = facts.clone();
                let time = seconds(wait.time);
                let least = if wait.event.is_some() { 0.0 } else { time };
                self.next(step, &facts, taking(least, time));
                self.exits(step, |_| Some(taking(time, time)));
            }
        }
    }

    fn exits_of_calls(&mut self, step: &Step, time: f64) {
        // Of all faults a timeout is the one that takes longest, so it stands for those that
        // lead to the same step.
        let is_timeout = |name: &str| name.ends_with("fault.timed-out");
        self.exits(step, |name| is_timeout(name).then_some(taking(time, time)));
        self.exits(step, |name| (!is_timeout(name)).then_some(taking(0.0, time)));
    }

    fn choose(&mut self, choose: &crate::step::Choose) {
        let language = self.language.clone();
        let mut facts = Some(self.facts.clone());
        let mut of_the_world = false;
        // The branch that is taken when all is open and nobody waits is no trouble.
        let ordinary = choose
            .branches
            .iter()
            .position(|(condition, _)| holds_when_fine(condition.root()) != Some(false))
            .unwrap_or(choose.branches.len());
        for (index, (condition, to)) in choose.branches.iter().enumerate() {
            let Some(here) = facts.take() else { return };
            let given = self.builder.given(&language);
            let decided = here.holds(condition, given).is_some();
            of_the_world |= !decided && reads_the_world(condition.root());
            let (holding, failing) = (
                here.assume(condition, true, given),
                here.assume(condition, false, given),
            );
            if let Some(holding) = holding {
                self.lead(
                    By::Branch(index, of_the_world && index != ordinary),
                    to,
                    &holding,
                    FREE,
                );
            }
            // What nothing asks about any more is not carried through all branches.
            let name = self.flow.name.as_str();
            facts = failing.map(|failing| self.builder.plans.keep(name, self.index, &here, &failing));
        }
        if let Some(rest) = facts {
            self.lead(
                By::Branch(
                    choose.branches.len(),
                    of_the_world && choose.branches.len() != ordinary,
                ),
                &choose.otherwise,
                &rest,
                FREE,
            );
        }
    }

    fn menu(&mut self, step: &Step, menu: &'h Menu) {
        let facts = self.facts.clone();
        let mut live: Vec<&crate::step::Entry> = Vec::new();
        let mut said = self.said(&menu.prompt);
        let language = self.language.clone();
        let mut sure: Vec<Key> = Vec::new();
        for entry in &menu.entries {
            let holds = match &entry.when {
                Some(when) => facts.holds(when, self.builder.given(&language)),
                None => Some(true),
            };
            if holds != Some(false) {
                live.push(entry);
                said += entry.say.as_ref().map_or(0.0, |line| self.said(line));
            }
            if holds == Some(true) {
                sure.push(entry.key);
            }
        }
        let heard: Cost = (1, (1, 1), (0.0, said));
        let spoken: Cost = (1, (0, 1), (0.0, said));
        for entry in live {
            let after = match &entry.when {
                Some(when) => facts.assume(when, true, self.builder.given(&language)),
                None => Some(facts.clone()),
            };
            let Some(after) = after else { continue };
            let is_sure = sure.contains(&entry.key);
            self.lead_sure(By::Key(entry.key), &entry.next, &after, heard, is_sure);
        }
        for (word, to) in &menu.words {
            self.lead(By::Word(word.clone()), to, &facts, spoken);
        }
        if let Some(intent) = &menu.intent {
            let time = seconds(intent.time);
            for (case, to) in &intent.edges {
                let cost = (1, (0, 0), (0.0, said + time));
                self.lead(By::Intent(case.clone()), to, &facts, cost);
            }
        }
        self.anywhere(
            &menu.entries.iter().map(|entry| entry.key).collect::<Vec<_>>(),
            said,
        );
        self.unheard(step, said, menu.time, menu.retries);
    }

    fn ask(&mut self, step: &Step, ask: &'h Ask) {
        let said = self.said(&ask.prompt);
        let (least, most) = presses(&ask.answer);
        let confirming = ask.confirm.as_ref().map(|prompt| self.said(prompt));
        let keying = f64::from(most.saturating_sub(1)) * seconds(VOICE_NEXT_KEY);
        let cost = match confirming {
            None => (1, (least, most), (0.0, said + keying)),
            Some(confirm) => (
                2,
                (least + 1, most + 1),
                (0.0, said + keying + confirm + first_input(ask.time)),
            ),
        };
        let choices = match &ask.answer {
            Answer::YesNo => [true, false].map(Value::Bool).to_vec(),
            Answer::OneOf(choices) => {
                let values = choices.iter().map(|choice| choice.value.clone());
                values.map(Value::Text).collect()
            }
            _ => Vec::new(),
        };
        // What is chosen is the caller's choice, and so is what hangs on it.
        let worths = match choices.as_slice() {
            [] => vec![(None, Worth::Set)],
            values => values
                .iter()
                .map(|value| (Some(chosen(value)), Worth::Is(value.clone())))
                .collect(),
        };
        for (choice, worth) in worths {
            let mut after = self.facts.clone();
            if let Some(save) = &ask.save {
                after.set(save.as_str(), &worth);
            }
            if let Some(next) = &step.next {
                self.knowing(after.clone(), |trail| {
                    trail.lead_sure(By::Answer(choice), next, &after, cost, anybody_can(&ask.answer));
                });
            }
        }
        let own: Vec<Key> = crate::keypad::of_answer(&ask.answer);
        self.anywhere(&own, said);
        self.unheard(step, said, ask.time, ask.retries);
    }

    /// The exits of a step that hears nothing, or nothing that counts, to the end.
    fn unheard(&mut self, step: &Step, said: f64, time: Option<Duration>, retries: u32) {
        let hearings = f64::from(retries + 1);
        let silent = hearings * (said + first_input(time));
        let wrong = (
            retries + 1,
            (0, retries + 1),
            (0.0, hearings * (said + first_input(time))),
        );
        self.exits(step, |name| match name {
            "no-input" => Some(taking(silent, silent)),
            "no-match" | "invalid" => Some(wrong),
            _ => None,
        });
    }

    /// Keys and words that hold anywhere, from the flow entered last outward; `own` are the keys
    /// that the step takes for itself.
    fn anywhere(&mut self, own: &[Key], said: f64) {
        let mut context = self.context;
        let mut facts = self.facts.clone();
        let mut taken: Vec<Key> = own.to_vec();
        let mut heard: Vec<Arc<str>> = Vec::new();
        loop {
            let flow = self.builder.contexts[context].flow;
            for (key, to) in &flow.anywhere.keys {
                if !taken.contains(key) {
                    taken.push(*key);
                    self.leave_to(context, By::Key(*key), to, &facts, (1, (1, 1), (0.0, said)));
                }
            }
            for (word, to) in &flow.anywhere.words {
                if !heard.contains(word) {
                    heard.push(word.clone());
                    self.leave_to(
                        context,
                        By::Word(word.clone()),
                        to,
                        &facts,
                        (1, (0, 1), (0.0, said)),
                    );
                }
            }
            let Some((parent, _, known)) = &self.builder.contexts[context].parent else {
                return;
            };
            let mut outer = known.clone();
            self.builder.plans.bring_home(&mut outer, &facts);
            (context, facts) = (*parent, outer);
        }
    }

    fn leave_to(&mut self, context: usize, by: By, to: &StepId, facts: &Facts, cost: Cost) {
        let flow = self.builder.contexts[context].flow;
        if let Some(to) = flow.steps.get_index_of(to) {
            let language = self.language.clone();
            let to = self.builder.enter(context, to, &language, facts, facts);
            self.push(by, to, cost);
        }
    }

    fn survey(&mut self, step: &Step, name: &str) {
        let facts = self.facts.clone();
        let mut said = 0.0;
        let mut silent = 0.0;
        let mut keys = (0, 0);
        let mut inputs = 0;
        let mut collected: Vec<Key> = Vec::new();
        if let Some(survey) = self.builder.hotline.surveys.get(name) {
            for question in &survey.questions {
                let asked = self.said(&question.prompt);
                said += asked;
                silent += 2.0 * (asked + first_input(None));
                let (least, most) = presses(&question.answer);
                keys = (keys.0 + least, keys.1 + most);
                inputs += 1;
                collected.extend(crate::keypad::of_answer(&question.answer));
            }
        }
        if let Some(next) = &step.next {
            self.lead(By::Answer(None), next, &facts, (inputs, keys, (0.0, silent)));
        }
        self.exits(step, |_| Some(taking(0.0, silent)));
        self.anywhere(&collected, said);
    }

    fn run(&mut self, run: &crate::step::Run) {
        let hotline = self.builder.hotline;
        let Some(flow) = hotline.flows.get(&run.flow) else {
            return;
        };
        let mut inputs = self.builder.plans.of_the_world(&self.facts);
        for (name, value) in &run.inputs {
            let worth = self.facts.worth(value.root(), self.builder.given(&self.language));
            inputs.set(name.as_str(), &worth);
        }
        let inside = (self.context, self.index, format!("{:?}", self.facts.0));
        let next = self.builder.contexts.len();
        let context = *self.builder.inside.entry(inside).or_insert(next);
        if context == next {
            self.builder.contexts.push(Context {
                parent: Some((self.context, self.index, self.facts.clone())),
                flow,
            });
        }
        let language = self.language.clone();
        let facts = self.builder.begin(flow, inputs, &language);
        if let Some(start) = flow.steps.get_index_of(&flow.start) {
            let to = self.builder.enter(context, start, &language, &facts, &facts);
            self.push(By::Entered, to, FREE);
        }
    }

    fn end(&mut self, end: &crate::step::End) {
        let language = self.language.clone();
        let Some((parent, at, known)) = self.builder.contexts[self.context].parent.clone() else {
            let to = self
                .builder
                .state(self.context, self.index, Kind::End, &language, Facts::default());
            self.push(By::Ended(end.outcome.clone()), to, FREE);
            return;
        };
        let flow = self.builder.contexts[parent].flow;
        let step = &flow.steps[at];
        let Verb::Run(run) = &step.verb else { return };
        let mut facts = known.clone();
        self.builder.plans.bring_home(&mut facts, &self.facts);
        let to = if &*end.outcome == "completed" {
            for (name, value) in &run.save {
                // Of an expression over `result` only a plain output is followed.
                let output = crate::prove::facts::key(value.root());
                let worth = end
                    .outputs
                    .iter()
                    .find(|(given, _)| output.ends_with(&format!(".{given}")))
                    .map_or(Worth::Unknown, |(_, output)| {
                        self.facts.worth(output.root(), self.builder.given(&language))
                    });
                facts.set(name.as_str(), &worth);
            }
            step.next.as_ref()
        } else {
            step.exits.get(&end.outcome).map(|edge| &edge.next)
        };
        if let Some(to) = to.and_then(|to| flow.steps.get_index_of(to)) {
            let to = self.builder.enter(parent, to, &language, &facts, &facts);
            self.push(By::Ended(end.outcome.clone()), to, FREE);
        }
    }
}

/// What a variable is worth that takes a plugin's answer.
fn saved(call: &Call) -> Worth {
    match &call.ok {
        Some(ty) if !ty.is_optional() => Worth::Set,
        _ => Worth::Unknown,
    }
}

/// Whether two ways differ in name only.
fn same_kind(a: &By, b: &By) -> bool {
    match (a, b) {
        (By::Exit(a), By::Exit(b)) => {
            let fault = |name: &str| name.starts_with("fault.") || name.contains(".fault.");
            let group = |name: &Arc<str>| {
                (
                    fault(name),
                    matches!(&**name, "no-input"),
                    matches!(&**name, "timeout"),
                )
            };
            group(a) == group(b)
        }
        (By::Answer(_), By::Answer(_)) => true,
        (a, b) => a == b,
    }
}

/// Whether an expression may have no value: a division by zero, a place that a list does not have, a text that
/// is no number, a number out of range.
fn may_fail(value: &Expression) -> bool {
    let mut may = false;
    crate::prove::facts::walk(value.root(), &mut |node| {
        may |= matches!(node.op, Op::Index(..) | Op::Function(..) | Op::Negate(_))
            || matches!(&node.op, Op::Binary(operator, ..) if !operator.compares()
                && !matches!(operator, Operator::And | Operator::Or));
    });
    may
}
