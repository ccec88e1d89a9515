//! The rules of the packs that a hotline holds to, each in a file of its own: proved over the graph of
//! states, with the shortest script that breaks it.

mod labels;
mod r1;
mod r10;
mod r11;
mod r14;
mod r2;
mod r3;
mod r4;
mod r5;
mod r6;
mod r7;
mod r8;
mod r9;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Rules, world::World};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    expression::{ContactField, Op},
    hotline::{Flow, Hotline, PackUse},
    prove::{
        PACKS, facts,
        graph::{self, By, Graph, Kind, Way},
        packs::{Clause, Pack, Rule, pack},
        paths::{self, Avoided, Path},
        witness::{self, Last},
    },
    source::Span,
    syntax::StepSyntax,
};

/// How often another way is looked for when one turns out not to be one that values allow.
const WITNESS_TRIES_MAX: usize = 24;

/// What a rule looks at.
struct Proof<'p, 'a> {
    world: &'p World<'a>,
    hotline: &'p Hotline,
    /// A graph for each number that differs from those before it.
    graphs: &'p [Graph<'p>],
    rule: Rule,
    used: &'p PackUse,
    pack: &'static Pack,
    clause: &'static Clause,
    /// Steps and exits that a rule has found wanting, so that others do not say it again.
    said: &'p RefCell<BTreeSet<(Arc<str>, usize, String)>>,
    rules: Rules,
}

/// Proves the rules of all packs that a hotline holds to.
pub(super) fn check(world: &World<'_>, hotline: &Hotline, rules: Rules) {
    let asks_for_r7 =
        |used: &PackUse| pack(&used.pack).is_some_and(|pack| pack.rules.contains_key(&Rule::R7));
    if !hotline.checks.iter().any(asks_for_r7) {
        r7::check_without_pack(world, hotline, rules);
    }
    if hotline.checks.is_empty() {
        return;
    }
    let mut graphs: Vec<Graph<'_>> = Vec::new();
    for (number, called) in &hotline.numbers {
        // Numbers that lead to the same flow differ only where flows ask which was called.
        let same = |graph: &Graph<'_>| hotline.numbers[&graph.number].flow == called.flow;
        if graphs.iter().any(same) && !asks_for_the_number(hotline) {
            continue;
        }
        match graph::build(hotline, number, &[]) {
            Some(graph) => graphs.push(graph),
            None => world.report(
                Finding::new(
                    Code::TooLargeToProve,
                    number_span(world, number),
                    format!("`{number}` leads to too many states for the rules of `checks` to be proved"),
                )
                .help("run fewer flows within each other, or the same flow from fewer places"),
            ),
        }
    }
    let said = RefCell::default();
    for used in &hotline.checks {
        let Some(pack) = pack(&used.pack) else {
            unknown_pack(world, used);
            continue;
        };
        settings(world, used, pack);
        for (rule, clause) in &pack.rules {
            let proof = Proof {
                world,
                hotline,
                graphs: &graphs,
                rule: *rule,
                used,
                pack,
                clause,
                said: &said,
                rules,
            };
            match rule {
                Rule::R1 => r1::check(&proof),
                Rule::R2 => r2::check(&proof),
                Rule::R3 => r3::check(&proof),
                Rule::R4 => r4::check(&proof),
                Rule::R5 => r5::check(&proof),
                Rule::R6 => r6::check(&proof),
                Rule::R7 => r7::check(&proof),
                Rule::R8 => r8::check(&proof),
                Rule::R9 => r9::check(&proof),
                Rule::R10 => r10::check(&proof),
                Rule::R11 => r11::check(&proof),
                Rule::R14 => r14::check(&proof),
            }
        }
    }
}

fn asks_for_the_number(hotline: &Hotline) -> bool {
    hotline
        .flows
        .values()
        .flat_map(|flow| flow.steps.values())
        .flat_map(graph::read)
        .any(|expression| {
            let mut reads = false;
            facts::walk(expression.root(), &mut |node| {
                let number = ContactField::Number;
                reads |= matches!(&node.op, Op::Contact { field, .. } if *field == number);
            });
            reads
        })
}

fn number_span(world: &World<'_>, number: &str) -> Span {
    let numbers = world.hotline.numbers.iter();
    let found = numbers
        .map(|number| &number.number)
        .find(|word| word.as_str() == number);
    found.map_or_else(|| world.files.beginning("hotline.yaml"), |word| word.span)
}

fn pack_span(world: &World<'_>, used: &PackUse) -> Span {
    let written = world.hotline.checks.iter().map(|pack| &pack.pack);
    written
        .into_iter()
        .find(|word| word.value == used.pack)
        .map_or_else(|| world.files.beginning("hotline.yaml"), |word| word.span)
}

fn unknown_pack(world: &World<'_>, used: &PackUse) {
    let names = PACKS.iter().map(|pack| &*pack.name);
    world.report(
        Finding::new(
            Code::UnknownPack,
            pack_span(world, used),
            format!("there is no rule pack `{}`", used.pack),
        )
        .help_if(did_you_mean("there are", &used.pack, names)),
    );
}

/// Reports settings that none of the pack's rules has.
fn settings(world: &World<'_>, used: &PackUse, pack: &Pack) {
    let numbers: BTreeSet<&str> = pack
        .rules
        .values()
        .flat_map(|clause| clause.settings.keys().map(|name| &**name))
        .collect();
    let lists: BTreeSet<&str> = pack
        .rules
        .values()
        .flat_map(|clause| clause.words.keys().map(|name| &**name))
        .collect();
    let written = world
        .hotline
        .checks
        .iter()
        .find(|written| written.pack.value == used.pack);
    let Some(written) = written else { return };
    let names = written.settings.iter().map(|(name, _)| (name, &numbers));
    for (name, known) in names.chain(written.words.iter().map(|(name, _)| (name, &lists))) {
        if !known.contains(name.as_str()) {
            world.report(
                Finding::new(
                    Code::UnknownField,
                    name.span,
                    format!("the pack `{}` has no setting `{}`", used.pack, name.as_str()),
                )
                .help_if(did_you_mean(
                    "it has",
                    name.as_str(),
                    numbers.iter().chain(&lists).copied().chain(["assume"]),
                )),
            );
        }
    }
}

/// Where a step is named.
fn step_span(world: &World<'_>, flow: &Flow, step: usize) -> Span {
    written(world, flow, step).map_or_else(
        || world.files.beginning("hotline.yaml"),
        |written| written.name.span,
    )
}

/// A step as it is written.
fn written<'w>(world: &'w World<'_>, flow: &Flow, step: usize) -> Option<&'w StepSyntax> {
    let (name, _) = flow.steps.get_index(step)?;
    let head = world.flows.get(flow.name.as_str())?;
    head.syntax
        .steps
        .iter()
        .find(|step| step.name.as_str() == name.as_str())
}

impl<'p> Proof<'p, '_> {
    /// A bound: as the hotline sets it, else as the pack does.
    fn setting(&self, name: &str) -> u64 {
        let own = self.used.settings.get(name);
        own.or_else(|| self.clause.settings.get(name))
            .copied()
            .unwrap_or_default()
    }

    /// A list of words for the languages of the hotline: its own, else the pack's.
    fn words(&self, list: &str) -> Vec<Arc<str>> {
        if let Some(own) = self.used.words.get(list) {
            return own.clone();
        }
        let Some(by_language) = self.clause.words.get(list) else {
            return Vec::new();
        };
        let mut words: Vec<Arc<str>> = Vec::new();
        for language in &self.hotline.languages {
            let primary = language.split('-').next().unwrap_or_default();
            for word in by_language.get(primary).into_iter().flatten() {
                if !words.contains(word) {
                    words.push(word.clone());
                }
            }
        }
        words
    }

    /// The names of notices that only announce a synthetic voice.
    fn voice_notices(&self) -> Vec<Arc<str>> {
        const LIST: &str = "synthetic";
        if let Some(own) = self.used.words.get(LIST) {
            return own.clone();
        }
        let lists = self
            .pack
            .rules
            .values()
            .filter_map(|clause| clause.words.get(LIST));
        lists.flat_map(BTreeMap::values).flatten().cloned().collect()
    }

    /// A finding of this rule; it cites the rule's clause.
    fn finding(&self, span: Span, message: String) -> Finding {
        Finding::new(self.rule.code(), span, message).clause(format!(
            "{} of {} {}: {}",
            self.rule, self.pack.name, self.pack.version, self.clause.source
        ))
    }

    fn report(&self, finding: Finding) {
        self.world.report(match self.rules {
            Rules::Enforced => finding,
            Rules::Reported => finding.warning(),
        });
    }

    /// Where a step is named.
    fn step_span(&self, flow: &Flow, step: usize) -> Span {
        step_span(self.world, flow, step)
    }

    fn written(&self, flow: &Flow, step: usize) -> Option<&'p StepSyntax> {
        written(self.world, flow, step)
    }

    /// Where a way out of a step is written: its own name, the name of its group, or the step.
    fn way_span(&self, flow: &Flow, step: usize, way: &Way) -> Span {
        let Some(written) = self.written(flow, step) else {
            return self.step_span(flow, step);
        };
        let By::Exit(exit) = &way.by else {
            return written.name.span;
        };
        let (branch, kind) = exit.split_once('.').unwrap_or(("", exit));
        let names = [
            exit.to_string(),
            if branch == "fault" {
                "fault".to_owned()
            } else {
                format!("{branch}.fault")
            },
            format!("{branch}.else"),
            if kind.contains("fault") {
                "fault".to_owned()
            } else {
                String::new()
            },
            "else".to_owned(),
        ];
        let find = |name: &String| written.on.iter().find(|exit| exit.name.as_str() == name);
        names
            .iter()
            .find_map(find)
            .map_or(written.name.span, |exit| exit.name.span)
    }

    /// Where a flow is named.
    fn flow_span(&self, flow: &Flow) -> Span {
        let head = self.world.flows.get(flow.name.as_str());
        head.map_or_else(
            || self.world.files.beginning("hotline.yaml"),
            |head| head.syntax.name.span,
        )
    }

    /// Says something of a step once, however many rules and numbers see it.
    fn once(&self, flow: &Flow, step: usize, what: &str) -> bool {
        let same = (Arc::from(flow.name.as_str()), step, what.to_owned());
        self.said.borrow_mut().insert(same)
    }

    /// Whether something was said of a step.
    fn was_said(&self, flow: &Flow, step: usize, what: &str) -> bool {
        let same = (Arc::from(flow.name.as_str()), step, what.to_owned());
        self.said.borrow().contains(&same)
    }

    /// Adds the script of the shortest way that values allow to `state`, and on as `onward` says.
    fn with_witness(
        &self,
        finding: Finding,
        graph: &Graph<'_>,
        state: usize,
        onward: impl Fn(usize, &Avoided) -> Path,
    ) -> Finding {
        self.with_script(finding, graph, state, &Script::default(), onward)
    }

    /// Adds the script of the shortest way to `state`, with nothing after it but what comes by itself.
    fn with_way_to(&self, finding: Finding, graph: &Graph<'_>, state: usize) -> Finding {
        self.with_witness(finding, graph, state, |_, _| Path::default())
    }

    /// Adds the script of such a way, of those that `open` lets through.
    fn with_way_by(
        &self,
        finding: Finding,
        graph: &Graph<'_>,
        state: usize,
        open: &dyn Fn(usize, &Way) -> bool,
    ) -> Finding {
        let script = Script {
            open: Some(open),
            ..Script::default()
        };
        self.with_script(finding, graph, state, &script, |_, _| Path::default())
    }

    /// Adds the script of the shortest way to a step, where a contact can come to it.
    fn with_way_to_step(&self, finding: Finding, flow: &Flow, step: usize) -> Finding {
        let nearest = |graph: &&Graph<'_>| {
            let here = (0..graph.states.len()).filter(|state| {
                let of = &graph.states[*state];
                of.flow.name == flow.name && of.step == step && of.kind == Kind::Step
            });
            here.min_by_key(|state| graph.near[*state])
        };
        match self
            .graphs
            .iter()
            .find_map(|graph| Some((graph, nearest(&graph)?)))
        {
            Some((graph, state)) => self.with_way_to(finding, graph, state),
            None => finding,
        }
    }

    /// Adds a script: the shortest way to `state` that is as `script` wants it and that values allow, and
    /// on as `onward` says.
    fn with_script(
        &self,
        finding: Finding,
        graph: &Graph<'_>,
        state: usize,
        script: &Script<'_>,
        onward: impl Fn(usize, &Avoided) -> Path,
    ) -> Finding {
        // Findings that are not shown need no script.
        if !self.world.findings.borrow().has_room() {
            return finding;
        }
        let mut avoided = Avoided::new();
        // Most of the time the shortest way is one that values allow.
        if script.open.is_none() {
            let (start, path) = paths::shortest(graph, state);
            let (path, last) = script.lead_on(path, onward(state, &avoided));
            if let Ok(witness) = witness::find(graph, start, &path, &last) {
                return finding.witness(witness);
            }
        }
        let open = script.open.unwrap_or(&|_, _| true);
        for (_, start) in graph.starts.iter().cycle().take(WITNESS_TRIES_MAX) {
            let Some(path) = paths::to(graph, *start, state, &avoided, open) else {
                continue;
            };
            let (path, last) = script.lead_on(path, onward(state, &avoided));
            match witness::find(graph, *start, &path, &last) {
                Ok(witness) => return finding.witness(witness),
                Err(stuck) => {
                    let Some(place) = path.0.get(stuck).or(path.0.last()) else {
                        break;
                    };
                    *avoided.entry(*place).or_default() += 20;
                }
            }
        }
        finding.help(if graph.remembering {
            "no script was found that plays this: look whether the conditions on the way exclude each other"
        } else {
            "the hotline has too many states to follow each condition, so this may be a way that conditions exclude"
        })
    }
}

/// Says of a way out of a state whether it may be taken.
type Open<'s> = &'s dyn Fn(usize, &Way) -> bool;

/// What the script of a finding has to be like.
struct Script<'s> {
    /// The ways that may be taken to where it is to lead.
    open: Option<Open<'s>>,
    /// What comes at its end.
    last: Last,
}

impl Script<'_> {
    /// A way to where it is to lead, and on, with what comes last.
    fn lead_on(&self, to: Path, onward: Path) -> (Path, Last) {
        let last = match &self.last {
            Last::Says(words, _) => Last::Says(words.clone(), to.0.len()),
            Last::GoesOn => Last::GoesOn,
            Last::IsRung => Last::IsRung,
        };
        (to.then(onward), last)
    }
}

impl Default for Script<'_> {
    fn default() -> Self {
        Self {
            open: None,
            last: Last::GoesOn,
        }
    }
}

/// How a way is called in messages.
fn told(way: &Way) -> String {
    match &way.by {
        By::Exit(name) => format!("`{name}`"),
        By::Key(key) => format!("key {key}"),
        By::Word(word) => format!("the word `{word}`"),
        By::Branch(index, _) => format!("branch {}", index + 1),
        By::Passed => "its condition not holding".to_owned(),
        By::Entered => "its condition holding".to_owned(),
        By::Intent(case) => format!("the intent `{case}`"),
        By::Answer(None) => "an answer".to_owned(),
        By::Answer(Some(choice)) => format!("the answer `{choice}`"),
        By::Next => "`next`".to_owned(),
        By::Ended(outcome) => format!("the outcome `{outcome}`"),
    }
}

/// Seconds as people say them.
fn in_seconds(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() / 10.0;
    format!("{tenths} s")
}

/// A count and its word.
fn counted(count: f64, one: &str) -> String {
    format!(
        "{count:.0} {one}{}",
        if (count - 1.0).abs() < f64::EPSILON {
            ""
        } else {
            "s"
        }
    )
}

/// The states that can be reached from the starts by ways that `open` lets through; none is gone
/// on from where `stop` says so.
fn reached(graph: &Graph<'_>, stop: impl Fn(usize) -> bool, open: impl Fn(usize, &Way) -> bool) -> Vec<bool> {
    let mut reached = vec![false; graph.states.len()];
    let mut todo: Vec<usize> = graph.starts.iter().map(|(_, start)| *start).collect();
    while let Some(state) = todo.pop() {
        if std::mem::replace(&mut reached[state], true) || stop(state) {
            continue;
        }
        let ways = graph.states[state].ways.iter();
        todo.extend(ways.filter(|way| open(state, way)).map(|way| way.to));
    }
    reached
}

/// The state of each step, among some states, that contacts come to first.
fn by_step<'g>(
    graph: &'g Graph<'_>,
    states: impl Iterator<Item = usize>,
) -> BTreeMap<(&'g str, usize), usize> {
    let mut first: BTreeMap<_, usize> = BTreeMap::new();
    for state in states {
        let of = &graph.states[state];
        let known = first.entry((of.flow.name.as_str(), of.step)).or_insert(state);
        if graph.near[state] < graph.near[*known] {
            *known = state;
        }
    }
    first
}
