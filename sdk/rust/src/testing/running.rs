//! A test host at work.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
    time::Duration,
};

use super::{
    exchange::Exchange,
    setup::Call,
    state::{self, State},
};
use crate::{kv::Entry, log::Level};

/// A host that was started on this thread. The last one started is asked by whatever runs
/// there, and each by what it [runs](Running::run) itself. Dropped, it is asked no more.
#[derive(Debug)]
pub struct Running {
    state: Rc<RefCell<State>>,
    /// The time of a call that gives none.
    time: Duration,
}

/// The host stopped the call, since its time was over. A flow sees the fault `timed-out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call was stopped, its time was over")]
pub struct Stopped;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How much it asks to be looked at.
    pub level: Level,
    /// What it says.
    pub message: String,
}

/// A request as it left the host, with secrets in place of their placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    /// `POST`.
    pub method: String,
    /// Where it went.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its body's bytes.
    pub body: Vec<u8>,
}

impl SentRequest {
    /// The first header of a name, in any case, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl Running {
    pub(super) fn new(state: Rc<RefCell<State>>, time: Duration) -> Self {
        state::install(Rc::clone(&state));
        Self { state, time }
    }

    /// Makes a call: from now on it has its time, and when that is over it is stopped at the
    /// next thing that it asks of its host. What was kept, sent and logged before stays.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn run<T>(&self, call: impl FnOnce() -> T) -> Result<T, Stopped> {
        {
            let mut state = self.state.borrow_mut();
            state.deadline = state.now + state.call.time.unwrap_or(self.time);
            state.supervised = true;
        }
        state::install(Rc::clone(&self.state));
        let answer = catch_unwind(AssertUnwindSafe(call));
        state::remove(&self.state);
        let mut state = self.state.borrow_mut();
        state.supervised = false;
        // An answer after the deadline moves nothing, whatever it says.
        match answer {
            Ok(_) if state.now >= state.deadline => Err(Stopped),
            Ok(answer) => Ok(answer),
            Err(panic) if panic.is::<Stopped>() => Err(Stopped),
            Err(panic) => {
                drop(state);
                resume_unwind(panic)
            }
        }
    }

    /// Makes the calls that follow be told of another one.
    pub fn call(&self, call: Call) {
        let mut state = self.state.borrow_mut();
        state.deadline = state.now + call.time.unwrap_or(self.time);
        state.call = call;
    }

    /// Moves the clock on.
    pub fn advance(&self, time: Duration) {
        self.state.borrow_mut().now += time;
    }

    /// Sets the clock, in time since 1970; it may go back.
    pub fn set_clock(&self, since_epoch: Duration) {
        let mut state = self.state.borrow_mut();
        state.now = since_epoch;
        state.deadline = since_epoch + state.call.time.unwrap_or(self.time);
    }

    /// Expects one more request, before those that fit it already.
    pub fn exchange(&self, exchange: Exchange) {
        self.state.borrow_mut().exchanges.insert(0, (exchange, 0));
    }

    /// Forgets what was expected before: the services are other ones from here on.
    pub fn services(&self, exchanges: impl IntoIterator<Item = Exchange>) {
        self.state.borrow_mut().exchanges = exchanges.into_iter().map(|exchange| (exchange, 0)).collect();
    }

    /// Makes the key-value store stop answering, or answer again.
    pub fn kv_unavailable(&self, why: Option<&str>) {
        self.state.borrow_mut().kv_unavailable = why.map(str::to_owned);
    }

    /// What stands in the key-value store under a key, whether it answers or not.
    pub fn kept(&self, key: &str) -> Option<Entry> {
        let mut state = self.state.borrow_mut();
        let now = state.now;
        state.store.get(key, now).ok().flatten()
    }

    /// The requests that left the host, in their order. One that was denied did not.
    pub fn requests(&self) -> Vec<SentRequest> {
        self.state.borrow().requests.clone()
    }

    /// The lines of the log, in their order.
    pub fn lines(&self) -> Vec<Line> {
        self.state.borrow().lines.clone()
    }

    /// The lines of one level, in their order.
    pub fn messages(&self, level: Level) -> Vec<String> {
        let state = self.state.borrow();
        let lines = state.lines.iter().filter(|line| line.level == level);
        lines.map(|line| line.message.clone()).collect()
    }

    /// Those of the expected requests that never came, as `POST https://…`.
    pub fn unasked(&self) -> Vec<String> {
        let state = self.state.borrow();
        let unasked = state.exchanges.iter().filter(|(_, times)| *times == 0);
        unasked
            .map(|(exchange, _)| format!("{} {}", exchange.method, exchange.url))
            .collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        state::remove(&self.state);
    }
}
