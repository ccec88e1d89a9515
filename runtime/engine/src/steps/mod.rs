//! What each verb does: one file for each that waits for somebody, one for those that do not.

pub(crate) mod ask;
pub(crate) mod call;
pub(crate) mod hearing;
pub(crate) mod menu;
mod plain;
mod run;

use trunkline_flow::step::{Step, Verb};
use trunkline_model::StepId;

use crate::course::{Course, Then};

/// Begins a step that has just been entered.
pub(crate) fn enter(course: &mut Course<'_>, id: &StepId, step: &Step) -> Then {
    match &step.verb {
        Verb::Say(say) => plain::say(course, id, step, say),
        Verb::Menu(menu) => menu::ask(course, id, menu),
        Verb::Ask(ask) => ask::ask(course, id, ask),
        Verb::Call(call) => call::enter(course, id, step, call),
        Verb::Choose(choose) => plain::choose(course, id, choose),
        Verb::Set(set) => plain::set(course, id, step, set),
        Verb::Wait(wait) => plain::wait(course, wait),
        Verb::Run(run) => run::enter(course, id, run),
        Verb::End(end) => run::end(course, id, end),
        Verb::Together(_)
        | Verb::Queue(_)
        | Verb::Transfer(_)
        | Verb::Callback(_)
        | Verb::Survey(_)
        | Verb::Ticket(_)
        | Verb::Notify(_)
        | Verb::Record(_) => course.broken(),
    }
}

/// Whether a verb is for a caller who is there.
pub(crate) const fn needs_caller(verb: &Verb) -> bool {
    match verb {
        Verb::Say(_)
        | Verb::Menu(_)
        | Verb::Ask(_)
        | Verb::Wait(_)
        | Verb::Queue(_)
        | Verb::Transfer(_)
        | Verb::Survey(_)
        | Verb::Record(_) => true,
        Verb::Call(_)
        | Verb::Choose(_)
        | Verb::Set(_)
        | Verb::Run(_)
        | Verb::End(_)
        | Verb::Together(_)
        | Verb::Callback(_)
        | Verb::Ticket(_)
        | Verb::Notify(_) => false,
    }
}
