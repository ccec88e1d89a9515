//! From a syntax tree and the plugins' interfaces to a checked hotline, or findings.

mod calendars;
mod calls;
mod exits;
mod expressions;
mod flow;
mod flows;
mod graph;
mod hangup;
#[cfg(test)]
pub(crate) mod harness;
mod hotline;
mod keys;
mod loops;
mod mends;
mod presence;
mod prompts;
mod reach;
mod types;
mod verbs;
mod world;

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use indexmap::IndexMap;
use trunkline_model::{FlowName, PluginName, Type, VariableName, signature::Interface};

use self::world::World;
use crate::{
    diagnostics::{Code, Diagnostic, Finding},
    hotline::Hotline,
    parse::Parsed,
};

/// A hotline that holds to all rules. Only [`check`] makes one.
#[derive(Clone, Debug)]
pub struct Checked(Arc<Hotline>);

impl Deref for Checked {
    type Target = Hotline;

    fn deref(&self) -> &Hotline {
        &self.0
    }
}

/// What came of a check.
#[derive(Debug)]
pub struct Report {
    /// All findings, those of parsing among them, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
    /// The hotline; there exactly when no finding is an error.
    pub checked: Option<Checked>,
}

/// Checks a hotline against the interfaces of its plugins. A declared plugin that is not
/// among `interfaces` has been reported by the caller: it is named once, and what depends on
/// it is not judged.
pub fn check(parsed: &Parsed, interfaces: &BTreeMap<PluginName, Arc<Interface>>) -> Report {
    let Some(hotline) = &parsed.syntax.hotline else {
        // Without it no language, number or plugin is known: nothing else can be judged.
        return Report {
            diagnostics: parsed.diagnostics(),
            checked: None,
        };
    };
    let world = World::new(parsed, hotline, interfaces);
    let built = build(&world, parsed);
    let mut findings = world.findings.into_inner();
    if built.is_none() && !findings.has_errors() {
        let place = parsed.files.beginning("hotline.yaml");
        findings.push(Finding::new(
            Code::WrongShape,
            place,
            "the hotline cannot be built, and no rule says why: that is a fault of the checker",
        ));
    }
    let built = built.filter(|_| !findings.has_errors());
    Report {
        diagnostics: findings.into_diagnostics(&parsed.files),
        checked: built.map(|hotline| Checked(Arc::new(hotline))),
    }
}

/// The types that a flow declares, for editors; none for one that cannot be read.
#[derive(Debug, Default)]
pub(crate) struct FlowTypes {
    /// Inputs and variables together.
    pub(crate) variables: IndexMap<VariableName, Option<Type>>,
    pub(crate) outputs: IndexMap<VariableName, Option<Type>>,
    pub(crate) outcomes: Vec<Arc<str>>,
}

/// The types that all flows declare, by the flows' names.
pub(crate) fn flow_types(
    parsed: &Parsed,
    interfaces: &BTreeMap<PluginName, Arc<Interface>>,
) -> BTreeMap<Arc<str>, FlowTypes> {
    let Some(hotline) = &parsed.syntax.hotline else {
        return BTreeMap::new();
    };
    let world = World::new(parsed, hotline, interfaces);
    let heads = world.flows.into_iter();
    heads
        .map(|(name, head)| {
            let types = FlowTypes {
                variables: head.variables,
                outputs: head.outputs,
                outcomes: head.outcomes.into_keys().collect(),
            };
            (name, types)
        })
        .collect()
}

fn build(world: &World<'_>, parsed: &Parsed) -> Option<Hotline> {
    hotline::languages(world);
    let time_zone = hotline::time_zone(world);
    let numbers = hotline::numbers(world);
    let plugins = hotline::plugins(world);
    hotline::grants(world, &parsed.syntax.grants);
    let calendars = calendars::check(world, &parsed.syntax.calendars);
    let mut flows = BTreeMap::new();
    for (name, head) in &world.flows {
        if let Some(flow) = flow::check(world, head) {
            flows.insert(FlowName::new(name.clone()), Arc::new(flow));
        }
    }
    flows::check(world);
    if world.broken_flows.is_empty() && world.flows.values().all(|head| !head.opaque) {
        world.prompts.unused(world);
    }
    (flows.len() == world.flows.len()).then_some(())?;
    Some(Hotline {
        name: world.hotline.name.as_ref()?.value.clone(),
        languages: world.languages.clone(),
        time_zone: time_zone?,
        numbers,
        plugins,
        calendars,
        queues: BTreeMap::new(),
        agents: BTreeMap::new(),
        surveys: BTreeMap::new(),
        tickets: BTreeMap::new(),
        calling_window: None,
        checks: Vec::new(),
        flows,
    })
}
