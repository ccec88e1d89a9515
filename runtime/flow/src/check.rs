//! From a syntax tree and the plugins' interfaces to a checked hotline, or findings.

pub(crate) mod calendars;
mod calls;
mod carriers;
mod centre;
mod declared;
mod exits;
mod expressions;
mod feeds;
mod flow;
mod flows;
pub(crate) mod graph;
mod hangup;
#[cfg(any(test, feature = "testing"))]
pub mod harness;
mod hotline;
mod keys;
mod loops;
mod mends;
mod packs;
#[cfg(test)]
mod pages;
mod presence;
mod prompts;
mod queues;
mod reach;
mod recordings;
mod rules;
mod surveys;
mod tickets;
mod trunks;
mod types;
mod verbs;
mod voices;
mod world;

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use trunkline_model::{FlowName, PluginName, signature::Interface};

pub use self::calendars::{CalendarNotes, CalendarReport, calendars};
pub(crate) use self::declared::{FlowTypes, flow_types};
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
    check_with(parsed, interfaces, Rules::Enforced)
}

/// What becomes of findings of the rule packs that a hotline holds to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// They are errors: such a hotline does not go live.
    #[default]
    Enforced,
    /// They are warnings: for rehearsing a hotline that does not hold to them yet, and for
    /// contacts that began on a release before a rule was there.
    Reported,
}

/// Checks a hotline as [`check`] does, with the rules of its packs as `rules` says.
pub fn check_with(
    parsed: &Parsed,
    interfaces: &BTreeMap<PluginName, Arc<Interface>>,
    rules: Rules,
) -> Report {
    let Some(hotline) = &parsed.syntax.hotline else {
        // Without it no language, number or plugin is known: nothing else can be judged.
        return Report {
            diagnostics: parsed.diagnostics(),
            checked: None,
        };
    };
    let world = World::new(parsed, hotline, interfaces);
    let built = build(&world, parsed, rules);
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

fn build<'a>(world: &World<'a>, parsed: &'a Parsed, rules: Rules) -> Option<Hotline> {
    hotline::languages(world);
    hotline::fallbacks(world);
    let time_zone = hotline::time_zone(world);
    let numbers = hotline::numbers(world);
    let plugins = hotline::plugins(world, &parsed.syntax.grants);
    hotline::grants(world, &parsed.syntax.grants);
    hotline::signers(world, &parsed.syntax.signers, &parsed.syntax.grants);
    let calendars = calendars::check(&world.findings, &parsed.syntax);
    let calling_window = hotline::calling_window(world);
    let checks = packs::check(world);
    let trunks = trunks::check(world);
    let voices = voices::check(world);
    let ears = voices::ears(world);
    let carriers = carriers::check(world);
    let agents = queues::agents(world);
    let queues = queues::check(world);
    let surveys = surveys::check(world, &parsed.syntax.surveys);
    let tickets = tickets::check(world, &parsed.syntax.tickets);
    let (feeds, webhooks) = feeds::check(world);
    let mut flows = BTreeMap::new();
    for (name, head) in &world.flows {
        if let Some(flow) = flow::check(world, head) {
            flows.insert(FlowName::new(name.clone()), Arc::new(flow));
        }
    }
    flows::check(world);
    if world.flows_are_whole() {
        // A survey that cannot be read may say any of them.
        if parsed.syntax.broken_surveys.is_empty() {
            world.prompts.unused(world);
        }
        world.centre.unused(world);
    }
    (flows.len() == world.flows.len()).then_some(())?;
    let hotline = Hotline {
        name: world.hotline.name.as_ref()?.value.clone(),
        languages: world.languages.clone(),
        dialects: world.dialects.clone(),
        time_zone: time_zone?,
        numbers,
        plugins,
        success: world.hotline.success,
        calendars,
        queues,
        agents,
        surveys: surveys?,
        tickets,
        calling_window,
        trunks,
        voices,
        ears,
        carriers,
        feeds,
        webhooks,
        checks,
        flows,
    };
    voices::silent(world, &hotline);
    // Of a hotline that does not load nothing is proved.
    if !world.findings.borrow().has_errors() {
        rules::check(world, &hotline, rules);
    }
    Some(hotline)
}
