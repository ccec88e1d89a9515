//! A hotline as a finite graph of states over typed outcomes.
//!
//! A state is a step within the flows that led to it, in a language, with the facts that matter.
//! From it lead ways: some the caller chooses (keys, words, silence), the others the world does
//! (what plugins and services answer, what data and clocks say). Each way says how many inputs and
//! presses it takes of the caller, and how many seconds at least and at most. Plugin results are
//! their outcomes: ok, each error case, each fault.
//!
//! How it is made stands in [`unfold`]. It is made for one number, from each language that a contact may
//! begin in. Flows that are run stand in it once for each place that runs them.

mod unfold;

use std::sync::Arc;

use trunkline_model::{Duration, Value, json::to_json, limits::VOICE_FIRST_INPUT};

pub(crate) use self::unfold::{build, build_hung_up};
use super::facts::{Facts, holds_when_fine, reads_the_world};
use crate::{
    expression::Expression,
    hotline::{Flow, Hotline, Language},
    step::{Answer, Key, Record, Step, Verb},
};

/// Seconds that an in-house service (a ticket, a message, a booking) takes at most.
pub(crate) const SERVICE_SECONDS: f64 = 2.0;

/// A graph of states.
pub(crate) struct Graph<'h> {
    pub(crate) hotline: &'h Hotline,
    pub(crate) number: Arc<str>,
    /// Where contacts begin, by their language.
    pub(crate) starts: Vec<(Language, usize)>,
    pub(crate) states: Vec<State<'h>>,
    contexts: Vec<Context<'h>>,
    /// Whether conditions were remembered: if not, some ways may exclude each other.
    pub(crate) remembering: bool,
    /// Whether the caller has hung up before the contact begins here.
    pub(crate) hung_up: bool,
    /// How far each state is from where contacts begin: of several that show the same, the nearest
    /// is shown.
    pub(crate) near: Vec<u32>,
    /// By which state and way each is come to then; none where contacts begin.
    pub(crate) tree: Vec<Option<(usize, usize)>>,
}

/// Where a contact stands.
pub(crate) struct State<'h> {
    context: usize,
    /// The step's place in its flow.
    pub(crate) step: usize,
    pub(crate) flow: &'h Flow,
    pub(crate) language: Language,
    facts: Facts,
    pub(crate) kind: Kind,
    pub(crate) ways: Vec<Way>,
}

/// What a state is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// The step's condition is being looked at.
    Gate,
    /// The step is being done.
    Step,
    /// The contact has ended by this step.
    End,
}

/// A way from a state to another.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) by: By,
    pub(crate) to: usize,
    /// Keys, words and answers that the caller gives.
    pub(crate) inputs: u32,
    /// Keys that the caller presses, at least and at most.
    pub(crate) presses: (u32, u32),
    /// Seconds at least and at most.
    pub(crate) seconds: (f64, f64),
    /// Whether every caller can take it when the state is there: not a key that is not always
    /// live, nor an answer that not everybody knows.
    pub(crate) sure: bool,
}

/// What makes a contact take a way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum By {
    /// The step is done.
    Next,
    /// The step's condition does not hold.
    Passed,
    /// The step's condition holds, where it may not.
    Entered,
    /// A branch of `choose`, counted from 0; the last is `else`. And whether the clock or a queue
    /// decides about it.
    Branch(usize, bool),
    /// A key of the menu, of an offer, or one that holds anywhere.
    Key(Key),
    /// Words of the menu, or some that hold anywhere.
    Word(Arc<str>),
    /// What a plugin takes the caller's words for.
    Intent(Arc<str>),
    /// An answer that counts: the value that was chosen, where there are some to choose from; a yes or
    /// a no is `true` or `false`.
    Answer(Option<Arc<str>>),
    /// An exit of the step, by its name.
    Exit(Arc<str>),
    /// The flow that was run has ended by this outcome.
    Ended(Arc<str>),
}

/// Whose choice a way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chooser {
    Caller,
    World,
}

/// What went wrong on a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A plugin or a service failed, or a service refused: nothing the caller can help.
    Failure,
    /// The function's own error, or what does not keep the caller's matter from being dealt with:
    /// a ticket that is there already, a message or a survey that failed.
    Refusal,
    /// The caller gave nothing, or nothing that counts.
    Silence,
    /// It is closed, or a queue is as it is.
    Closed,
    /// A ring-back was refused: what others fall back on.
    LastResort,
}

struct Context<'h> {
    parent: Option<(usize, usize, Facts)>,
    flow: &'h Flow,
}

impl<'h> Graph<'h> {
    pub(crate) fn step(&self, state: usize) -> &'h Step {
        let state = &self.states[state];
        &state.flow.steps[state.step]
    }

    pub(crate) fn name(&self, state: usize) -> &'h str {
        let state = &self.states[state];
        state
            .flow
            .steps
            .get_index(state.step)
            .map_or("", |(name, _)| name.as_str())
    }

    /// Whether people, or a promise to ring back, wait here.
    pub(crate) fn is_human(&self, state: usize) -> bool {
        self.states[state].kind == Kind::Step && is_human(&self.step(state).verb)
    }

    /// Whether a ring-back is booked here.
    pub(crate) fn is_callback(&self, state: usize) -> bool {
        self.states[state].kind == Kind::Step && matches!(self.step(state).verb, Verb::Callback(_))
    }

    /// Whether the contact waits here for something that happens elsewhere, like the end of a ticket.
    pub(crate) fn waits_for_event(&self, state: usize) -> bool {
        self.states[state].kind == Kind::Step
            && matches!(&self.step(state).verb, Verb::Wait(wait) if wait.event.is_some())
    }

    /// The outcome of a contact that has ended in this state.
    pub(crate) fn outcome(&self, state: usize) -> Option<&'h str> {
        match &self.step(state).verb {
            Verb::End(end) if self.states[state].kind == Kind::End => Some(&end.outcome),
            _ => None,
        }
    }

    /// Whether the caller may say something here that is heard as an answer: a question, those of a
    /// survey too.
    pub(crate) fn hears(&self, state: usize) -> bool {
        self.states[state].kind == Kind::Step
            && matches!(
                self.step(state).verb,
                Verb::Menu(_) | Verb::Ask(_) | Verb::Survey(_)
            )
    }

    /// Whether the contact waits here for the caller to say or press something: a message, too.
    pub(crate) fn waits_for_caller(&self, state: usize) -> bool {
        let message = matches!(self.step(state).verb, Verb::Record(Record::Message { .. }));
        self.hears(state) || (message && self.states[state].kind == Kind::Step)
    }

    /// Whether the caller is asked something here.
    pub(crate) fn asks(&self, state: usize) -> bool {
        self.states[state].kind == Kind::Step && matches!(self.step(state).verb, Verb::Menu(_) | Verb::Ask(_))
    }

    /// Who chooses among the ways of a state.
    pub(crate) fn chooser(&self, state: usize, way: &Way) -> Chooser {
        let hears = self.states[state].kind == Kind::Step && self.step(state).verb.hears();
        let by_caller = match &way.by {
            By::Key(_) | By::Word(_) | By::Answer(_) => true,
            By::Exit(name) => hears && matches!(&**name, "no-input" | "no-match" | "invalid" | "declined"),
            By::Next | By::Passed | By::Entered | By::Branch(..) | By::Intent(_) | By::Ended(_) => false,
        };
        if hears && by_caller {
            Chooser::Caller
        } else {
            Chooser::World
        }
    }

    /// What went wrong on a way, if something did.
    pub(crate) fn trouble(&self, state: usize, way: &Way) -> Option<Trouble> {
        trouble_of(self.step(state), &way.by)
    }

    /// The flows that a state is in, the number's own first, each with the step it stands in.
    pub(crate) fn frames(&self, state: usize) -> Vec<(&'h Flow, usize)> {
        let state = &self.states[state];
        let mut frames = vec![(state.flow, state.step)];
        let mut context = state.context;
        while let Some((parent, step, _)) = &self.contexts[context].parent {
            context = *parent;
            frames.push((self.contexts[context].flow, *step));
        }
        frames.reverse();
        frames
    }
}

/// What went wrong on a way out of a step, if something did.
fn trouble_of(step: &Step, by: &By) -> Option<Trouble> {
    match by {
        By::Branch(_, true) => Some(Trouble::Closed),

        By::Exit(name) => Some(match (&step.verb, &**name) {
            (Verb::Menu(_) | Verb::Ask(_), _) => Trouble::Silence,
            (Verb::Call(_), name) if !name.starts_with("fault.") => Trouble::Refusal,
            (Verb::Together(_), name) if !name.contains(".fault.") => Trouble::Refusal,
            // It is booked already; who was asked and did not want to is done with.
            (Verb::Callback(_), "duplicate") | (Verb::Survey(_) | Verb::Record(_), "declined") => {
                return None;
            }
            // The caller's matter is taken down already, or was before, and stays so.
            (Verb::Ticket(_), "duplicate") | (Verb::Notify(_) | Verb::Survey(_), "failed") => {
                Trouble::Refusal
            }
            (Verb::Callback(_), "refused") => Trouble::LastResort,
            (Verb::Run(_), _) => return None,
            _ => Trouble::Failure,
        }),
        By::Passed | By::Entered => {
            let when = step.when.as_ref().filter(|when| reads_the_world(when.root()))?;
            // Of the two only the one that is not taken when all is as it should be.
            let fine = holds_when_fine(when.root());
            let ordinary = fine == Some(*by == By::Entered);
            (!ordinary).then_some(Trouble::Closed)
        }
        _ => None,
    }
}

/// Whether people answer at a step.
pub(crate) fn is_human(verb: &Verb) -> bool {
    match verb {
        Verb::Queue(_) => true,
        Verb::Transfer(transfer) => transfer.staffed,
        _ => false,
    }
}

/// Seconds of a duration.
pub(crate) fn seconds(duration: Duration) -> f64 {
    duration.to_std().as_secs_f64()
}

/// Seconds that the caller is given to begin with an answer, on the telephone.
pub(crate) fn first_input(time: Option<Duration>) -> f64 {
    seconds(time.unwrap_or(VOICE_FIRST_INPUT))
}

/// How a value that was chosen is named in [`By::Answer`].
pub(crate) fn chosen(value: &Value) -> Arc<str> {
    match value {
        Value::Text(text) => text.clone(),
        value => to_json(value).to_string().into(),
    }
}

/// How many keys an answer takes, at least and at most, when it is given by keys.
pub(crate) fn presses(answer: &Answer) -> (u32, u32) {
    let count = |keys: usize| u32::try_from(keys).unwrap_or(u32::MAX);
    match answer {
        Answer::Text => (0, 0),
        Answer::YesNo | Answer::OneOf(_) => (1, 1),
        Answer::Digits(digits) => {
            // A pause completes an answer as well as the finish key, and one of full length needs neither.
            let (least, most) = (count(*digits.length.start()), count(*digits.length.end()));
            let open = u32::from(digits.finish.is_some() && least < most);
            (least, most.max(most.saturating_sub(1) + open))
        }
        Answer::Date => (4, 8),
        Answer::Phone => (3, 15),
        // A number of the longest length, and the finish key.
        Answer::Number { max: Some(max), .. } if *max >= 0.0 && *max < 1e15 => {
            (1, 1 + count(format!("{max:.0}").len()))
        }
        Answer::Number { .. } | Answer::Money => (1, 16),
        Answer::IdNumber => (18, 18),
    }
}

/// Whether every caller can give such an answer, without knowing a number of some office by heart.
pub(crate) const fn anybody_can(answer: &Answer) -> bool {
    matches!(
        answer,
        Answer::Text
            | Answer::YesNo
            | Answer::OneOf(_)
            | Answer::Phone
            | Answer::Number { .. }
            | Answer::Money
            | Answer::Date
    )
}

/// All that decides where a contact goes from a step, or is handed on to what decides later.
pub(crate) fn read(step: &Step) -> Vec<&Expression> {
    let mut found = conditions(step);
    match &step.verb {
        Verb::Set(set) => found.extend(set.assignments.iter().map(|(_, value)| value)),
        Verb::Run(run) => found.extend(run.inputs.iter().map(|(_, value)| value)),
        Verb::End(end) => found.extend(end.outputs.iter().map(|(_, value)| value)),
        _ => {}
    }
    found
}

/// The conditions of a step, in the order they are looked at.
pub(crate) fn conditions(step: &Step) -> Vec<&Expression> {
    let mut found: Vec<&Expression> = step.when.iter().collect();
    match &step.verb {
        Verb::Choose(choose) => found.extend(choose.branches.iter().map(|(when, _)| when)),
        Verb::Menu(menu) => found.extend(menu.entries.iter().filter_map(|entry| entry.when.as_ref())),
        _ => {}
    }
    found
}
