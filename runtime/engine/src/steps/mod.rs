//! What each verb does: one file for each that waits for somebody, one for those that do not.

pub(crate) mod ask;
pub(crate) mod call;
pub(crate) mod hearing;
pub(crate) mod menu;
mod office;
pub(crate) mod plain;
mod queue;
pub(crate) mod record;
mod run;
pub(crate) mod service;
pub(crate) mod survey;
pub(crate) mod together;
mod transfer;

use trunkline_flow::step::{Step, Verb};
use trunkline_model::StepId;

use crate::course::{Course, Then};

/// The exit of what took too long.
pub(crate) const TIMEOUT: &str = "timeout";
/// The exit of what could not be done.
pub(crate) const FAILED: &str = "failed";
/// The exit of what the caller, or whoever was asked, did not want.
pub(crate) const DECLINED: &str = "declined";
/// The exit of what may not be.
pub(crate) const REFUSED: &str = "refused";
/// The exit of what is there already.
pub(crate) const DUPLICATE: &str = "duplicate";

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
        Verb::Together(together) => together::enter(course, id, step, together),
        Verb::Queue(queue) => queue::enter(course, id, queue),
        Verb::Transfer(transfer) => transfer::enter(course, id, step, transfer),
        Verb::Callback(callback) => office::callback(course, id, step, callback),
        Verb::Survey(_) => survey::enter(course, id, step),
        Verb::Ticket(ticket) => office::ticket(course, id, step, ticket),
        Verb::Notify(notify) => office::notify(course, id, step, notify),
        Verb::Record(_) => record::enter(course, id, step),
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
