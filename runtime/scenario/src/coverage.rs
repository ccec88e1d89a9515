//! What contacts met of a hotline: steps, ways out, keys, prompts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use trunkline_engine::{Event, Fact};
use trunkline_flow::{Checked, inventory, inventory::Way};
use trunkline_model::{FlowName, PromptKey, StepId};

/// How often each part of a hotline was met, over any number of contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Steps that were entered.
    pub steps: BTreeMap<(FlowName, StepId), u64>,
    /// Ways that were taken out of steps.
    pub ways: BTreeMap<(FlowName, StepId, Way), u64>,
    /// Prompts that were said.
    pub prompts: BTreeMap<PromptKey, u64>,
    /// Keys and words that hold anywhere and were given: `anywhere 9`, `anywhere word`, by the
    /// flow that the contact was in.
    pub anywhere: BTreeMap<(FlowName, String), u64>,
}

/// What was met and what was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Steps met, of all.
    pub steps: Share,
    /// Ways taken, of all.
    pub ways: Share,
    /// Prompts heard, of all.
    pub prompts: Share,
    /// The flows, by name.
    pub flows: Vec<FlowReport>,
    /// Prompts that were never heard.
    pub prompts_never_heard: Vec<PromptKey>,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How many were met.
    pub met: usize,
    /// How many there are.
    pub all: usize,
}

/// One flow's part of a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowReport {
    /// The flow.
    pub flow: FlowName,
    /// Steps met, of all.
    pub steps: Share,
    /// Ways taken, of all.
    pub ways: Share,
    /// Steps that were never entered.
    pub steps_never_entered: Vec<StepId>,
    /// Ways that were never taken, as `step exit`, out of steps that were entered.
    pub ways_never_taken: Vec<(StepId, String)>,
    /// Keys that were never pressed, of menus that were entered.
    pub keys_never_pressed: Vec<(StepId, char)>,
}

impl Coverage {
    /// Takes one contact's events in.
    pub fn add(&mut self, hotline: &Checked, events: &[Event]) {
        let mut flows: Vec<&FlowName> = Vec::new();
        for (index, event) in events.iter().enumerate() {
            match &event.fact {
                Fact::FlowEntered { flow } => flows.push(flow),
                Fact::FlowLeft { .. } => {
                    flows.pop();
                }
                Fact::StepEntered { step } => {
                    if let Some(flow) = flows.last() {
                        *self.steps.entry(((*flow).clone(), step.clone())).or_default() += 1;
                    }
                }
                Fact::StepFinished { step, exit } => {
                    if let Some(flow) = flows.last() {
                        self.left(hotline, flow, step, exit, &events[index + 1..]);
                    }
                }
                Fact::Said {
                    prompt: Some(prompt), ..
                } => *self.prompts.entry(prompt.clone()).or_default() += 1,
                _ => {}
            }
        }
    }

    fn left(&mut self, hotline: &Checked, flow: &FlowName, step: &StepId, exit: &str, after: &[Event]) {
        if exit.starts_with("anywhere ") {
            *self.anywhere.entry((flow.clone(), exit.to_owned())).or_default() += 1;
            return;
        }
        let Some(content) = hotline.flows.get(flow).and_then(|flow| flow.steps.get(step)) else {
            return;
        };
        let counted = inventory::counted(exit);
        let mut ways: Vec<Way> = inventory::ways(content)
            .into_iter()
            .filter(|way| *way.exit == counted)
            .collect();
        if ways.len() > 1 {
            // Words that lead to several steps: what was entered next tells which.
            let next = after.iter().find_map(|event| match &event.fact {
                Fact::StepEntered { step } | Fact::StepPassed { step } => Some(step),
                _ => None,
            });
            ways.retain(|way| Some(&way.next) == next);
        }
        if let Some(way) = ways.pop() {
            *self.ways.entry((flow.clone(), step.clone(), way)).or_default() += 1;
        }
    }

    /// Takes what others met in.
    pub fn merge(&mut self, other: Self) {
        fn add<K: Ord>(into: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
            for (key, count) in from {
                *into.entry(key).or_default() += count;
            }
        }
        add(&mut self.steps, other.steps);
        add(&mut self.ways, other.ways);
        add(&mut self.prompts, other.prompts);
        add(&mut self.anywhere, other.anywhere);
    }

    /// What was met of a hotline, and what was not.
    pub fn report(&self, hotline: &Checked) -> Report {
        let mut flows = Vec::new();
        for (name, flow) in &hotline.flows {
            let entered: BTreeSet<&StepId> = flow
                .steps
                .keys()
                .filter(|step| self.steps.contains_key(&(name.clone(), (*step).clone())))
                .collect();
            let mut ways = Share::default();
            let mut ways_never_taken = Vec::new();
            let mut keys_never_pressed = Vec::new();
            for (id, step) in &flow.steps {
                for way in inventory::ways(step) {
                    let taken = self.ways.contains_key(&(name.clone(), id.clone(), way.clone()));
                    ways.all += 1;
                    ways.met += usize::from(taken);
                    if taken || !entered.contains(id) {
                        continue;
                    }
                    match way.exit.strip_prefix("key ").and_then(|key| key.chars().next()) {
                        Some(key) => keys_never_pressed.push((id.clone(), key)),
                        None => {
                            let told = match &*way.exit {
                                "word" => format!("word to {}", way.next),
                                exit => exit.to_owned(),
                            };
                            ways_never_taken.push((id.clone(), told));
                        }
                    }
                }
            }
            flows.push(FlowReport {
                flow: name.clone(),
                steps: Share {
                    met: entered.len(),
                    all: flow.steps.len(),
                },
                ways,
                steps_never_entered: flow
                    .steps
                    .keys()
                    .filter(|step| !entered.contains(step))
                    .cloned()
                    .collect(),
                ways_never_taken,
                keys_never_pressed,
            });
        }
        let prompts = inventory::prompt_keys(hotline);
        let never_heard: Vec<PromptKey> = prompts
            .iter()
            .filter(|key| !self.prompts.contains_key(key.as_str()))
            .map(|key| (*key).clone())
            .collect();
        let sum = |part: fn(&FlowReport) -> Share| {
            flows.iter().map(part).fold(Share::default(), |sum, part| Share {
                met: sum.met + part.met,
                all: sum.all + part.all,
            })
        };
        Report {
            steps: sum(|flow| flow.steps),
            ways: sum(|flow| flow.ways),
            prompts: Share {
                met: prompts.len() - never_heard.len(),
                all: prompts.len(),
            },
            prompts_never_heard: never_heard,
            flows,
        }
    }
}

impl Share {
    /// The share in whole percent, rounded down, so that 100 means all; 100 of nothing.
    pub const fn percent(self) -> usize {
        match (self.met * 100).checked_div(self.all) {
            Some(percent) => percent,
            None => 100,
        }
    }
}
