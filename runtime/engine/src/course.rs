//! A decision in the making: events are emitted and applied one by one, until the contact
//! waits for something or has ended.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_flow::{
    expression::Expression,
    hotline::{Flow, Hotline},
    step::{Prompt, Step},
    template::Spoken,
};
use trunkline_model::{
    FlowName, StepId, Timestamp, Value, VariableName,
    limits::{EVENTS_PER_TURN_MAX, FRAMES_MAX, STEPS_PER_TURN_MAX},
};

pub(crate) use crate::scope::Given;
use crate::{
    Readings, Session,
    collect::Today,
    event::{Cause, Event, Fact, Personal},
    scope::View,
    secrets::Origin,
    session::State,
    steps,
};

/// The outcome of a contact whose caller left.
pub(crate) const ABANDONED: &str = "abandoned";
/// The outcome of a contact that could not go on.
pub(crate) const FAILED: &str = "failed";
/// The outcome of a flow in which all went well.
pub(crate) const COMPLETED: &str = "completed";

/// A decision in the making.
pub(crate) struct Course<'a> {
    pub(crate) hotline: &'a Hotline,
    pub(crate) session: Session,
    pub(crate) at: Timestamp,
    pub(crate) readings: &'a Readings,
    pub(crate) events: Vec<Event>,
    steps: usize,
}

/// What a step does next.
#[derive(Debug)]
pub(crate) enum Then {
    /// Another step follows.
    Go(StepId),
    /// The contact waits, or has ended.
    Rest,
}

/// A value, and where the secret came from that it was made of, if it was.
#[derive(Clone, Debug)]
pub(crate) struct Valued {
    pub(crate) value: Value,
    pub(crate) secret: Option<Origin>,
}

impl From<Value> for Valued {
    fn from(value: Value) -> Self {
        Self { value, secret: None }
    }
}

impl<'a> Course<'a> {
    pub(crate) fn new(hotline: &'a Hotline, session: Session, at: Timestamp, readings: &'a Readings) -> Self {
        // A clock that was set back never makes a contact's events go back.
        let at = at.max(session.last);
        Self {
            hotline,
            session,
            at,
            readings,
            events: Vec::new(),
            steps: 0,
        }
    }

    pub(crate) fn emit(&mut self, fact: Fact) {
        self.push(fact, None);
    }

    pub(crate) fn emit_with(&mut self, fact: Fact, personal: Personal) {
        self.push(fact, Some(personal));
    }

    fn push(&mut self, fact: Fact, personal: Option<Personal>) {
        let event = Event {
            at: self.at,
            fact,
            personal,
        };
        self.session.apply(&event);
        self.events.push(event);
    }

    /// The flow that the contact is in, and its step.
    pub(crate) fn place(&self) -> Option<(&'a Flow, &'a StepId, &'a Step)> {
        let (flow, step) = self.session.place()?;
        let flow = self.hotline.flows.get(flow)?;
        let (id, step) = flow.steps.get_key_value(step)?;
        Some((flow, id, step))
    }

    /// Goes on from a step until the contact rests.
    pub(crate) fn follow(&mut self, mut then: Then) {
        while let Then::Go(step) = then {
            self.steps += 1;
            then = if self.steps > STEPS_PER_TURN_MAX {
                self.hit_limit("steps-per-turn")
            } else if self.events.len() > EVENTS_PER_TURN_MAX {
                self.hit_limit("events-per-turn")
            } else {
                self.enter(&step)
            };
        }
    }

    fn enter(&mut self, step: &StepId) -> Then {
        let flow = self
            .session
            .frames
            .last()
            .and_then(|frame| self.hotline.flows.get(&frame.flow));
        let Some((id, step)) = flow.and_then(|flow| flow.steps.get_key_value(step)) else {
            return self.broken();
        };
        if let Some(condition) = &step.when
            && !self.holds(id, condition)
        {
            self.emit(Fact::StepPassed { step: id.clone() });
            return step.next.clone().map_or_else(|| self.broken(), Then::Go);
        }
        self.emit(Fact::StepEntered { step: id.clone() });
        if self.session.hung_up.is_some() && steps::needs_caller(&step.verb) {
            return self.end(Cause::Caller, ABANDONED);
        }
        steps::enter(self, id, step)
    }

    /// Leaves the present step by `next`.
    pub(crate) fn leave_by_next(&mut self, id: &StepId, step: &Step) -> Then {
        match &step.next {
            Some(next) => self.leave(id, "next", next),
            None => self.broken(),
        }
    }

    /// Leaves the present step by one of its exits; what an error carries goes into the
    /// variable that the exit names.
    pub(crate) fn leave_by_exit(&mut self, id: &StepId, step: &Step, exit: &str, payload: Value) -> Then {
        match step.exits.get(exit) {
            Some(edge) => {
                if let Some(name) = &edge.save {
                    self.assign(name, payload.into());
                }
                self.leave(id, exit, &edge.next)
            }
            None => self.broken(),
        }
    }

    /// Lets go of the service that works for the contact, if one does: whatever takes a contact
    /// out of such a state says so here.
    pub(crate) fn leave_service(&mut self) {
        if let State::Serving(serving) = &self.session.state {
            let work = serving.work.clone();
            self.emit(Fact::ServiceLeft { work });
        }
    }

    /// Leaves the present step for another; for a caller who left meanwhile, what the flow
    /// does then comes instead.
    pub(crate) fn leave(&mut self, id: &StepId, exit: &str, next: &StepId) -> Then {
        self.leave_service();
        self.emit(Fact::StepFinished {
            step: id.clone(),
            exit: exit.into(),
        });
        if self.session.hung_up.is_some() && !self.session.closing {
            return self.close();
        }
        Then::Go(next.clone())
    }

    /// Begins what the flow does for a caller who left.
    pub(crate) fn close(&mut self) -> Then {
        self.leave_service();
        self.emit(Fact::ClosingBegan);
        let hotline = self.hotline;
        let on_hangup = |name: &FlowName| hotline.flows.get(name).and_then(|flow| flow.on_hangup.as_ref());
        let holder = self
            .session
            .frames
            .iter()
            .enumerate()
            .rev()
            .find_map(|(depth, frame)| on_hangup(&frame.flow).map(|step| (depth, step)));
        match holder {
            Some((depth, step)) => {
                self.leave_flows_above(depth, ABANDONED);
                Then::Go(step.clone())
            }
            None => self.end(Cause::Caller, ABANDONED),
        }
    }

    /// Leaves flows until the frame at `depth` is the last.
    pub(crate) fn leave_flows_above(&mut self, depth: usize, outcome: &str) {
        while self.session.frames.len() > depth + 1 {
            self.leave_flow(outcome);
        }
    }

    /// Leaves the flow entered last.
    pub(crate) fn leave_flow(&mut self, outcome: &str) {
        if let Some(frame) = self.session.frames.last() {
            let flow = frame.flow.clone();
            self.emit(Fact::FlowLeft {
                flow,
                outcome: outcome.into(),
            });
        }
    }

    /// Enters a flow at its start.
    pub(crate) fn enter_flow(&mut self, name: &FlowName, inputs: Vec<(VariableName, Valued)>) -> Then {
        let Some(flow) = self.hotline.flows.get(name) else {
            return self.broken();
        };
        if self.session.frames.len() >= FRAMES_MAX {
            return self.hit_limit("frames");
        }
        let fact = Fact::FlowEntered { flow: name.clone() };
        let (secret, open): (Vec<_>, Vec<_>) = inputs
            .into_iter()
            .partition(|(_, valued)| valued.secret.is_some());
        if open.is_empty() {
            self.emit(fact);
        } else {
            let variables: BTreeMap<_, _> = open
                .into_iter()
                .map(|(name, valued)| (name, valued.value))
                .collect();
            self.emit_with(fact, Personal::Variables(variables));
        }
        for (name, valued) in secret {
            self.assign(&name, valued);
        }
        for (name, variable) in &flow.variables {
            if let Some(initial) = &variable.initial
                && let Some(value) = self.evaluate(&flow.start, initial, Given::default())
            {
                self.assign(name, value);
            }
        }
        Then::Go(flow.start.clone())
    }

    /// Assigns a variable of the present flow. What is secret stays out of the events.
    pub(crate) fn assign(&mut self, name: &VariableName, valued: Valued) {
        let Valued { value, secret } = valued;
        let Some(origin) = secret else {
            self.emit_with(Fact::VariableSet { name: name.clone() }, Personal::Value(value));
            return;
        };
        self.emit(Fact::SecretKept {
            name: name.clone(),
            origin,
        });
        let depth = self.session.frames.len().saturating_sub(1);
        self.session
            .secrets
            .variables
            .insert((depth, name.clone()), value);
    }

    /// The value of an expression; none, and an event that says so, when it has none.
    pub(crate) fn evaluate(
        &mut self,
        step: &StepId,
        expression: &Expression,
        given: Given<'_>,
    ) -> Option<Valued> {
        let (value, secret, reads) = {
            let view = self.view(given);
            let value = expression.evaluate(&view);
            (value, view.secret.into_inner(), view.reads.into_inner())
        };
        self.record(reads);
        match value {
            Ok(value) => Some(Valued { value, secret }),
            Err(error) => {
                self.emit(Fact::ExpressionFailed {
                    step: step.clone(),
                    reason: error.to_string().into(),
                });
                None
            }
        }
    }

    /// The value of an expression for a service, whose events hold all that it is asked: what is
    /// secret is not for it.
    pub(crate) fn evaluate_open(&mut self, step: &StepId, expression: &Expression) -> Option<Value> {
        let valued = self.evaluate(step, expression, Given::default())?;
        if valued.secret.is_none() {
            return Some(valued.value);
        }
        self.emit(Fact::ExpressionFailed {
            step: step.clone(),
            reason: "a secret answer is given to plugins only".into(),
        });
        None
    }

    /// Whether a condition holds; one without a value does not.
    pub(crate) fn holds(&mut self, step: &StepId, condition: &Expression) -> bool {
        self.evaluate(step, condition, Given::default())
            .is_some_and(|valued| valued.value == Value::Bool(true))
    }

    /// Says a prompt in the contact's language.
    pub(crate) fn say(
        &mut self,
        step: &StepId,
        prompt: &Prompt,
        notice: Option<&Arc<str>>,
        given: Given<'_>,
    ) {
        let Some((language, spoken, is_marked)) = self.speak(step, prompt, given) else {
            return;
        };
        let fact = Fact::Said {
            prompt: prompt.key.clone(),
            language,
            notice: notice.cloned(),
        };
        let text = spoken.text.into();
        let personal = if self.session.channel.is_voice() && is_marked {
            let speech = spoken.speech;
            Personal::Spoken { text, speech }
        } else {
            Personal::Text(text)
        };
        self.emit_with(fact, personal);
    }

    /// A prompt's text in the contact's language, and the language it is in. What is secret in
    /// it is left out, since what is said stands in the events.
    pub(crate) fn render(
        &mut self,
        step: &StepId,
        prompt: &Prompt,
        given: Given<'_>,
    ) -> Option<(Arc<str>, Arc<str>)> {
        let (language, spoken, _) = self.speak(step, prompt, given)?;
        Some((language, spoken.text.into()))
    }

    /// What is said of a prompt, in which language, and whether a voice says more than the text.
    fn speak(
        &mut self,
        step: &StepId,
        prompt: &Prompt,
        given: Given<'_>,
    ) -> Option<(Arc<str>, Spoken, bool)> {
        let (language, template) = prompt.text(&self.session.language)?;
        let (spoken, reads) = {
            let mut view = self.view(given);
            let mut spoken = template.speak(language, &view);
            if view.secret.borrow().is_some() {
                view.hides_secrets = true;
                let failures = std::mem::take(&mut spoken.failures);
                spoken = Spoken {
                    failures,
                    ..template.speak(language, &view)
                };
            }
            (spoken, view.reads.into_inner())
        };
        self.record(reads);
        for failure in &spoken.failures {
            self.emit(Fact::ExpressionFailed {
                step: step.clone(),
                reason: failure.to_string().into(),
            });
        }
        Some((language.clone(), spoken, template.is_marked()))
    }

    /// The contact's day, in the hotline's time zone.
    pub(crate) fn today(&self) -> Today {
        Today::at(self.at, &self.hotline.time_zone)
    }

    /// Ends the contact.
    pub(crate) fn end(&mut self, cause: Cause, outcome: &str) -> Then {
        self.leave_service();
        self.emit(Fact::Ended {
            cause,
            outcome: outcome.into(),
        });
        Then::Rest
    }

    /// Ends the contact because it hit a bound.
    pub(crate) fn hit_limit(&mut self, limit: &str) -> Then {
        self.emit(Fact::LimitHit { limit: limit.into() });
        self.end(Cause::Limit, FAILED)
    }

    /// Ends a contact that stands where its release has nothing. A checked hotline has no
    /// such place; a journal folded under a wrong release may.
    pub(crate) fn broken(&mut self) -> Then {
        self.end(Cause::Broken, FAILED)
    }

    fn view<'s>(&'s self, given: Given<'s>) -> View<'s> {
        static NONE: BTreeMap<VariableName, Value> = BTreeMap::new();
        View {
            hotline: self.hotline,
            session: &self.session,
            variables: self.session.frames.last().map_or(&NONE, |frame| &frame.variables),
            given,
            readings: self.readings,
            at: self.at,
            hides_secrets: false,
            reads: std::cell::RefCell::default(),
            secret: std::cell::RefCell::default(),
        }
    }

    fn record(&mut self, reads: std::collections::BTreeSet<crate::scope::Reading>) {
        for reading in reads {
            let (name, value) = reading.into_parts();
            self.emit(Fact::Read { name, value });
        }
    }
}
