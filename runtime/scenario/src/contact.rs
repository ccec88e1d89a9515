//! One contact in hand: its session, all its events, and its clock.

use std::collections::BTreeMap;

use trunkline_engine::{
    Arrival, Decision, Event, Input, NoSuchNumber, NothingStarts, Readings, Reply, Session, Start, Utterance,
    arrive, arrive_at, decide, turn::Turn,
};
use trunkline_flow::Checked;
use trunkline_model::{Duration, FlowName, InputId, StepId, Timestamp, Value, VariableName};

/// A contact that the hotline has nothing for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotBegin {
    /// It calls a number that is none.
    #[error(transparent)]
    Number(#[from] NoSuchNumber),
    /// It starts on what no flow starts on.
    #[error(transparent)]
    Nothing(#[from] NothingStarts),
}

/// A contact whose clock is moved by hand. Nothing is kept of it but here.
#[derive(Clone, Debug)]
pub struct Contact {
    hotline: Checked,
    session: Session,
    events: Vec<Event>,
    at: Timestamp,
    inputs: u32,
}

impl Contact {
    /// Begins a contact.
    ///
    /// # Errors
    /// The hotline does not have the number.
    pub fn arrive(
        hotline: &Checked,
        arrival: Arrival,
        at: Timestamp,
        readings: &Readings,
    ) -> Result<Self, CannotBegin> {
        let decision = arrive(hotline, arrival, at, readings)?;
        Ok(Self::begun(hotline, decision, at))
    }

    /// Begins a contact in the middle of a flow, with variables that are set already.
    ///
    /// # Errors
    /// The hotline does not have the number.
    pub fn arrive_at(
        hotline: &Checked,
        arrival: Arrival,
        place: (&FlowName, &StepId),
        variables: BTreeMap<VariableName, Value>,
        at: Timestamp,
        readings: &Readings,
    ) -> Result<Self, CannotBegin> {
        let decision = arrive_at(hotline, arrival, place, variables, at, readings)?;
        Ok(Self::begun(hotline, decision, at))
    }

    /// Begins a contact that nobody called for.
    ///
    /// # Errors
    /// No flow starts on what it starts on.
    pub fn start(
        hotline: &Checked,
        start: Start,
        at: Timestamp,
        readings: &Readings,
    ) -> Result<Self, CannotBegin> {
        let decision = trunkline_engine::start(hotline, start, at, readings)?;
        Ok(Self::begun(hotline, decision, at))
    }

    fn begun(hotline: &Checked, decision: Decision, at: Timestamp) -> Self {
        Self {
            hotline: hotline.clone(),
            session: decision.session,
            events: decision.events,
            at,
            inputs: 0,
        }
    }

    /// The hotline it runs on.
    pub const fn hotline(&self) -> &Checked {
        &self.hotline
    }

    /// How it stands.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// All that happened, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What time it is for the contact.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// What the caller noticed after an event, by its number counted from 1.
    pub fn turns(&self, after: u64) -> Vec<Turn> {
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let events = self.events.iter().zip(1_u64..).skip(skipped);
        events.filter_map(|(event, seq)| Turn::of(seq, event)).collect()
    }

    /// Moves the clock, never back. Deadlines that pass are the mover's to give.
    pub fn move_to(&mut self, at: Timestamp) {
        self.at = self.at.max(at);
    }

    /// Gives the contact something, now.
    pub fn take(&mut self, input: &Input, readings: &Readings) -> Reply {
        let decision = decide(&self.hotline, &self.session, input, self.at, readings);
        self.session = decision.session;
        self.events.extend(decision.events);
        decision.reply
    }

    /// Gives the contact something of the caller's, under a name of its own.
    pub fn hear(&mut self, utterance: Utterance, readings: &Readings) -> Reply {
        let id = self.next_id();
        self.take(&Input::Utterance { id, utterance }, readings)
    }

    /// The caller leaves.
    pub fn hang_up(&mut self, readings: &Readings) -> Reply {
        let id = Some(self.next_id());
        self.take(&Input::HangUp { id }, readings)
    }

    /// The node stops and, after some time, takes the contact up again from its events.
    pub fn restart(&mut self, away: Duration, readings: &Readings) {
        self.session = Session::fold(self.session.contact.clone(), &self.events);
        self.at = self.at + away;
        self.take(&Input::Recovered, readings);
    }

    fn next_id(&mut self) -> InputId {
        self.inputs += 1;
        InputId::new(format!("i{}", self.inputs))
    }
}
