//! What a centre has, as flows name it: queues, agents and their skills, surveys, classes of
//! tickets; and what flows have that is named elsewhere: services, consents.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::world::World;
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    source::Word,
    syntax::{
        AgentSyntax, AgentsSyntax, HotlineSyntax, QueueSpecSyntax, SurveySyntax, Syntax, TicketClassSyntax,
        ValueKind, ValueSyntax, VerbSyntax,
    },
};

/// The centre's own names.
pub(super) struct Centre<'a> {
    pub(super) queues: BTreeMap<&'a str, &'a QueueSpecSyntax>,
    /// Their names, for expressions.
    pub(super) queue_names: Vec<Arc<str>>,
    pub(super) agents: &'a AgentsSyntax,
    pub(super) surveys: BTreeMap<&'a str, &'a SurveySyntax>,
    broken_surveys: &'a BTreeSet<Arc<str>>,
    tickets: BTreeMap<&'a str, &'a TicketClassSyntax>,
    broken_tickets: &'a BTreeSet<Arc<str>>,
    /// The services that steps are.
    pub(super) services: BTreeSet<Arc<str>>,
    /// The consents that steps ask for.
    consents: BTreeSet<Arc<str>>,
    /// The queues, surveys and classes that steps name, each with its kind before it.
    used: RefCell<BTreeSet<(&'static str, Arc<str>)>>,
}

impl<'a> Centre<'a> {
    pub(super) fn new(hotline: &'a HotlineSyntax, syntax: &'a Syntax) -> Self {
        let steps = || syntax.flows.iter().flat_map(|flow| &flow.steps);
        Self {
            queues: hotline
                .queues
                .iter()
                .map(|queue| (queue.name.as_str(), queue))
                .collect(),
            queue_names: hotline
                .queues
                .iter()
                .map(|queue| queue.name.value.clone())
                .collect(),
            agents: &syntax.agents,
            surveys: syntax
                .surveys
                .iter()
                .map(|survey| (survey.name.as_str(), survey))
                .collect(),
            broken_surveys: &syntax.broken_surveys,
            tickets: syntax
                .tickets
                .iter()
                .map(|ticket| (ticket.name.as_str(), ticket))
                .collect(),
            broken_tickets: &syntax.broken_tickets,
            services: steps()
                .filter_map(|step| step.service.as_ref())
                .map(|service| service.value.clone())
                .collect(),
            consents: steps()
                .filter_map(|step| match &step.verb {
                    VerbSyntax::Ask(ask) => ask.consent.as_ref(),
                    _ => None,
                })
                .map(|consent| consent.value.clone())
                .collect(),
            used: RefCell::default(),
        }
    }

    /// Whether there is a queue of this name; reports one that does not exist.
    pub(super) fn queue(&self, world: &World<'_>, word: &Word) -> bool {
        self.used.borrow_mut().insert(("queue", word.value.clone()));
        if self.queues.contains_key(word.as_str()) {
            return true;
        }
        let message = format!("there is no queue `{}`", word.as_str());
        let help = did_you_mean("there are", word.as_str(), self.queues.keys().copied());
        let or = format!(
            "declare it in hotline.yaml: `queues: {{ {}: {{ skills: [] }} }}`",
            word.as_str()
        );
        world.report(Finding::new(Code::UnknownQueue, word.span, message).help(help.unwrap_or(or)));
        false
    }

    /// Whether there is a survey of this name; reports one that does not exist.
    pub(super) fn survey(&self, world: &World<'_>, word: &Word) -> bool {
        self.used.borrow_mut().insert(("survey", word.value.clone()));
        if self.surveys.contains_key(word.as_str()) {
            return true;
        }
        if !self.broken_surveys.contains(&word.value) {
            let message = format!("there is no survey `{}`", word.as_str());
            let help = did_you_mean("there are", word.as_str(), self.surveys.keys().copied());
            let or = format!("write surveys/{}.yaml", word.as_str());
            world.report(Finding::new(Code::UnknownSurvey, word.span, message).help(help.unwrap_or(or)));
        }
        false
    }

    /// Whether there is a class of tickets of this name; reports one that does not exist.
    pub(super) fn ticket(&self, world: &World<'_>, word: &Word) -> bool {
        self.used.borrow_mut().insert(("class", word.value.clone()));
        if self.tickets.contains_key(word.as_str()) {
            return true;
        }
        if !self.broken_tickets.contains(&word.value) {
            let message = format!("there is no class of tickets `{}`", word.as_str());
            let help = did_you_mean("there are", word.as_str(), self.tickets.keys().copied());
            let or = format!("write tickets/{}.yaml", word.as_str());
            world.report(Finding::new(Code::UnknownTicketClass, word.span, message).help(help.unwrap_or(or)));
        }
        false
    }

    /// The agents, if agents.yaml names them.
    pub(super) fn roster(&self) -> Option<&'a [AgentSyntax]> {
        match self.agents {
            AgentsSyntax::Given(agents) => Some(agents),
            AgentsSyntax::Missing | AgentsSyntax::Broken => None,
        }
    }

    /// Whether an agent written by name is there; reports one who is not. What is written as
    /// an expression is not known before it runs.
    pub(super) fn agent(&self, world: &World<'_>, value: &ValueSyntax) -> bool {
        let Some((agents, name)) = self.roster().zip(plainly(value)) else {
            return true;
        };
        let found = agents.iter().any(|agent| agent.name.as_str() == &**name);
        if !found {
            let names = agents.iter().map(|agent| agent.name.as_str());
            world.report(
                Finding::new(
                    Code::UnknownAgent,
                    value.span,
                    format!("agents.yaml names no agent `{name}`"),
                )
                .help_if(did_you_mean("there are", name, names)),
            );
        }
        found
    }

    /// Whether agents have each of these skills; reports those that none has.
    pub(super) fn skills(&self, world: &World<'_>, skills: &[Word]) -> bool {
        let Some(agents) = self.roster() else { return true };
        let mut known = true;
        for skill in skills {
            let mut all = agents.iter().flat_map(|agent| &agent.skills);
            if all.any(|had| had.value == skill.value) {
                continue;
            }
            known = false;
            let names = agents.iter().flat_map(|agent| &agent.skills).map(Word::as_str);
            world.report(
                Finding::new(
                    Code::UnknownSkill,
                    skill.span,
                    format!("no agent of agents.yaml has the skill `{}`", skill.as_str()),
                )
                .help_if(did_you_mean("there are", skill.as_str(), names)),
            );
        }
        known
    }

    /// Whether some agent has all of these skills at once; true where nobody can tell.
    pub(super) fn somebody_has(&self, skills: &[&Word]) -> bool {
        self.roster().is_none_or(|agents| {
            agents.iter().any(|agent| {
                skills
                    .iter()
                    .all(|skill| agent.skills.iter().any(|had| had.value == skill.value))
            })
        })
    }

    /// Reports a consent that nothing asks for.
    pub(super) fn consent(&self, world: &World<'_>, word: &Word) {
        if world.flows_are_whole() && !self.consents.contains(&word.value) {
            let names = self.consents.iter().map(|name| &**name);
            world.report(
                Finding::new(
                    Code::UnknownConsent,
                    word.span,
                    format!("no step asks for the consent `{}`", word.as_str()),
                )
                .help(
                    did_you_mean("there are", word.as_str(), names).unwrap_or_else(|| {
                        format!(
                            "ask for it: `{{ ask: some-prompt, answer: yes-no, consent: {} }}`",
                            word.as_str()
                        )
                    }),
                ),
            );
        }
    }

    /// Reports queues, surveys and classes that no step names.
    pub(super) fn unused(&self, world: &World<'_>) {
        let used = self.used.borrow();
        let queues = self.queues.values().map(|queue| ("queue", &queue.name));
        let surveys = self.surveys.values().map(|survey| ("survey", &survey.name));
        let classes = self.tickets.values().map(|class| ("class", &class.name));
        for (kind, name) in queues.chain(surveys).chain(classes) {
            if used.contains(&(kind, name.value.clone())) {
                continue;
            }
            let (message, help) = match kind {
                "queue" => (
                    format!("no step leads to the queue `{}`", name.as_str()),
                    "leave it out, or lead a `queue` or `callback` step to it",
                ),
                "survey" => (
                    format!("no step asks the survey `{}`", name.as_str()),
                    "leave it out, or ask it in a `survey` step",
                ),
                _ => (
                    format!("no step opens a ticket of the class `{}`", name.as_str()),
                    "leave it out, or open one in a `ticket` step",
                ),
            };
            world.report(Finding::new(Code::NothingUses, name.span, message).help(help));
        }
    }
}

/// A value that is written plainly, without an expression in it.
pub(super) fn plainly(value: &ValueSyntax) -> Option<&Arc<str>> {
    match &value.kind {
        ValueKind::Scalar(text) if !text.contains("${") => Some(text),
        _ => None,
    }
}
