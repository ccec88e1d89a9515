//! `transfer`: to a number, an agent or another hotline; the flow goes on when the other side
//! has left and the caller stays, or with three in the call as soon as the other side answers.

use trunkline_flow::step::{Step, Transfer, TransferTo};
use trunkline_model::{
    StepId, Value,
    limits::{DIALED_WITHIN, QUEUE_TIME_MAX},
};

use crate::{
    course::{Course, Then},
    service::{Demand, Destination, Particulars, TransferAnswer},
    steps::{FAILED, service},
};

pub(super) fn enter(course: &mut Course<'_>, id: &StepId, step: &Step, transfer: &Transfer) -> Then {
    let (to, party) = match &transfer.to {
        TransferTo::Address(party) => (Destination::Address, party),
        TransferTo::Agent(party) => (Destination::Agent, party),
        TransferTo::Hotline(party) => (Destination::Hotline, party),
    };
    let Some(Value::Text(party)) = course.evaluate_open(id, party) else {
        return course.leave_by_exit(id, step, FAILED, Value::None);
    };
    let ring = transfer.time.min(QUEUE_TIME_MAX);
    let demand = Demand::Transfer {
        to,
        // A carrier that dials connects two (TL0830).
        three_way: transfer.three_way && !course.session.channel.dials_itself(),
        ring,
    };
    let particulars = Particulars {
        party: Some(party),
        ..Particulars::default()
    };
    let mut until = course.at + ring;
    if course.session.channel.dials_itself() {
        // What was said is played before it rings, and its end comes from the carrier.
        until = until + course.session.playing_time() + DIALED_WITHIN;
    }
    service::ask(course, demand, particulars, until)
}

pub(super) fn answered(course: &mut Course<'_>, id: &StepId, step: &Step, answer: TransferAnswer) -> Then {
    let exit = match answer {
        TransferAnswer::Ringing | TransferAnswer::Answered => return Then::Rest,
        TransferAnswer::OtherLegEnded | TransferAnswer::Joined => return course.leave_by_next(id, step),
        TransferAnswer::Busy => "busy",
        TransferAnswer::NoAnswer => NO_ANSWER,
        TransferAnswer::Failed => FAILED,
    };
    course.leave_by_exit(id, step, exit, Value::None)
}

/// It rang as long as it may.
pub(super) fn timed_out(course: &mut Course<'_>, id: &StepId, step: &Step) -> Then {
    course.leave_by_exit(id, step, NO_ANSWER, Value::None)
}

const NO_ANSWER: &str = "no-answer";
