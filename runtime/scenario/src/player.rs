//! A contact that is led: plugins are asked, answers come when they are due, time passes.

use std::collections::BTreeSet;

use trunkline_engine::{
    Input, Reply, Utterance,
    session::{Calling, State},
};
use trunkline_model::{CallId, Duration, Outcome, Timestamp};

use crate::Contact;

/// How often a contact may be moved on without its caller: past it, it goes round in circles.
pub(crate) const MOVES_MAX: usize = 10_000;

/// What plugins answer.
pub trait Plugins {
    /// Answers a call that a contact waits for; none when the answer is brought later, by
    /// [`Player::bring`].
    ///
    /// # Errors
    /// There is no answer: what to write so that there is one.
    fn answer(&mut self, calling: &Calling, contact: &Contact) -> Result<Option<Answered>, String>;
}

/// An answer and when it comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// How long it takes.
    pub after: Duration,
    /// What comes of the call.
    pub outcome: Outcome,
}

/// A contact and those who answer it.
#[derive(Debug)]
pub struct Player<P> {
    contact: Contact,
    plugins: P,
    /// Calls that were asked, so that none is asked twice for the same attempt.
    asked: BTreeSet<(CallId, u32)>,
    /// Answers on their way, the next one last.
    due: Vec<Due>,
    /// Why the contact cannot be led on.
    stuck: Option<String>,
}

#[derive(Clone, Debug)]
struct Due {
    at: Timestamp,
    input: Input,
}

impl<P: Plugins> Player<P> {
    /// Leads a contact that has just begun.
    pub fn new(contact: Contact, plugins: P) -> Self {
        let mut player = Self {
            contact,
            plugins,
            asked: BTreeSet::new(),
            due: Vec::new(),
            stuck: None,
        };
        player.dispatch();
        player
    }

    /// The contact.
    pub const fn contact(&self) -> &Contact {
        &self.contact
    }

    /// Why the contact cannot be led on: a call that nobody answers.
    pub fn stuck(&self) -> Option<&str> {
        self.stuck.as_deref()
    }

    /// Gives the contact something of the caller's.
    pub fn hear(&mut self, utterance: Utterance) -> Reply {
        let reply = self.contact.hear(utterance);
        self.dispatch();
        reply
    }

    /// Gives the contact something.
    pub fn take(&mut self, input: &Input) -> Reply {
        let reply = self.contact.take(input);
        self.dispatch();
        reply
    }

    /// The caller leaves.
    pub fn hang_up(&mut self) -> Reply {
        let reply = self.contact.hang_up();
        self.dispatch();
        reply
    }

    /// The node stops: answers on their way are lost, and the contact is rebuilt from its events.
    pub fn restart(&mut self, away: Duration) {
        self.due.clear();
        self.contact.restart(away);
        self.dispatch();
    }

    /// Lets time pass, from one deadline or answer to the next.
    pub fn advance(&mut self, time: Duration) {
        let end = self.contact.at() + time;
        for _ in 0..MOVES_MAX {
            if self.stuck.is_some() || !self.next(Some(end)) {
                break;
            }
        }
        if self.stuck.is_none() {
            self.contact.move_to(end);
        }
    }

    /// Lets the time pass that the hotline itself takes, until `enough` holds or the contact
    /// waits for its caller, or has ended.
    pub fn settle(&mut self, mut enough: impl FnMut(&Contact) -> bool) {
        for _ in 0..MOVES_MAX {
            if self.stuck.is_some() || enough(&self.contact) {
                return;
            }
            let by_itself = matches!(
                self.contact.session().state,
                State::Calling(_) | State::Waiting { .. }
            );
            if !by_itself || !self.next(None) {
                return;
            }
        }
        self.stuck
            .get_or_insert_with(|| format!("the contact went on by itself {MOVES_MAX} times and did not come to rest"));
    }

    /// Moves the clock to what comes next and gives it; false when nothing comes, or not before
    /// `end`.
    fn next(&mut self, end: Option<Timestamp>) -> bool {
        let wake = self.contact.session().pending().wake;
        let due = self.due.last().map(|due| due.at);
        let next = match (wake, due) {
            (Some(wake), Some(due)) => wake.min(due),
            (Some(next), None) | (None, Some(next)) => next,
            (None, None) => return false,
        };
        if end.is_some_and(|end| next > end) {
            return false;
        }
        self.contact.move_to(next);
        // A call's time is over at its deadline: an answer of the same instant is late.
        if wake == Some(next) {
            self.contact.take(&Input::TimeUp);
        } else if let Some(due) = self.due.pop() {
            self.contact.take(&due.input);
        }
        self.dispatch();
        true
    }

    /// Asks for what the contact waits for, and gives what is answered at once.
    fn dispatch(&mut self) {
        for _ in 0..MOVES_MAX {
            self.ask();
            let now = self.contact.at();
            match self.due.pop_if(|due| due.at <= now) {
                Some(due) if self.stuck.is_none() => {
                    self.contact.take(&due.input);
                }
                _ => return,
            }
        }
    }

    fn ask(&mut self) {
        let session = self.contact.session();
        let Some(calling) = session.pending().call else {
            return;
        };
        if self.stuck.is_some() || !self.asked.insert((calling.call.clone(), calling.attempt)) {
            return;
        }
        match self.plugins.answer(calling, &self.contact) {
            Ok(Some(Answered { after, outcome })) => {
                let input = Input::Answer {
                    call: calling.call.clone(),
                    attempt: calling.attempt,
                    outcome,
                };
                self.expect(self.contact.at() + after, input);
            }
            Ok(None) => {}
            Err(mend) => self.stuck = Some(mend),
        }
    }

    /// Brings the answer of a call, to be given at a time, or now if that has passed.
    pub fn bring(&mut self, call: CallId, attempt: u32, outcome: Outcome, at: Timestamp) {
        let input = Input::Answer {
            call,
            attempt,
            outcome,
        };
        self.expect(at, input);
        self.dispatch();
    }

    fn expect(&mut self, at: Timestamp, input: Input) {
        // The next one stands last; of one time, the one that was asked first.
        let place = self.due.partition_point(|other| other.at > at);
        self.due.insert(place, Due { at, input });
    }

    /// When something happens next without anybody's doing.
    pub fn next_at(&self) -> Option<Timestamp> {
        let wake = self.contact.session().pending().wake;
        let due = self.due.last().map(|due| due.at);
        wake.into_iter().chain(due).min()
    }

    /// Those who answer.
    pub const fn plugins(&mut self) -> &mut P {
        &mut self.plugins
    }
}
