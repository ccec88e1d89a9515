//! What a carrier is told next, out of a contact's events: pure, so that the same events give the
//! same document.

use trunkline_channel::cpaas::{Gather, Said, Script, Target, Then};
use trunkline_engine::{
    Event, Fact, Personal, Session,
    collect::{Wanted, wanted},
    event::Question,
    service::{Demand, Destination, Stage},
    session::State,
};
use trunkline_flow::speech::Speech;
use trunkline_model::ContactId;

use super::{
    carrier::Carrier,
    links::{At, Played, Step},
};
use crate::{
    limits::{CARRIER_AGENT_RING, CARRIER_PAUSE, CARRIER_QUEUE_PAUSE},
    release::Release,
};

/// What stands between a contact's events and a document.
pub(super) struct Scribe<'a> {
    pub(super) carrier: &'a Carrier,
    pub(super) contact: &'a ContactId,
    /// The carrier's name for the call.
    pub(super) call: &'a str,
    /// The contact's release; without it recordings are read, and nothing is asked.
    pub(super) release: Option<&'a Release>,
}

impl Scribe<'_> {
    /// What the events after `at` say and ask, up to `session`, which they made.
    pub(super) fn script(&self, session: &Session, events: &[(u64, Event)], at: At) -> Script {
        let said = events
            .iter()
            .filter(|(seq, _)| *seq > at.after)
            .filter_map(|(_, event)| self.said(event))
            .collect();
        Script {
            said,
            then: self.then(session, at),
        }
    }

    fn said(&self, event: &Event) -> Option<Said> {
        let Fact::Said { language, notice, .. } = &event.fact else {
            return None;
        };
        let text = event.personal.as_ref().and_then(Personal::text)?.clone();
        let speech = match &event.personal {
            Some(Personal::Spoken { speech, .. }) => speech.clone(),
            _ => Vec::new(),
        };
        let recording = match &speech[..] {
            [Speech::Recording { path, .. }] => self
                .release
                .and_then(|release| release.bundle().recordings.get(path))
                .zip(Played::of(path))
                .map(|(content, played)| self.carrier.links().recording(content, played)),
            _ => None,
        };
        Some(Said {
            text,
            speech,
            language: language.clone(),
            recording,
            firm: notice.is_some(),
        })
    }

    fn then(&self, session: &Session, before: At) -> Then {
        let at = At {
            after: session.seq,
            again: if session.seq == before.after {
                before.again.saturating_add(1)
            } else {
                0
            },
        };
        let link = |step| self.carrier.links().step(self.contact, self.call, step, at);
        let poll = || Then::Poll {
            pause: CARRIER_PAUSE,
            again: link(Step::Poll),
        };
        match &session.state {
            State::Ended { .. } => Then::HangUp,
            State::Hearing(hearing) => {
                let Some(wanted) = self
                    .release
                    .and_then(|release| wanted(release.hotline(), session))
                else {
                    return poll();
                };
                let Wanted { first, finish, .. } = wanted;
                if hearing.question == Question::Message {
                    return Then::Record {
                        action: link(Step::Record),
                        silent: link(Step::Silent),
                        max: first,
                        finish,
                    };
                }
                Then::Gather(Gather {
                    action: link(Step::Gather),
                    keys_max: wanted.keys_max,
                    finish,
                    first,
                    next: wanted.next,
                    // What is secret is not sent to whoever recognises words.
                    words: hearing.expects.text && !wanted.secret,
                    language: session.language.clone(),
                })
            }
            State::Serving(serving) => match (&serving.demand, &serving.stage) {
                (Demand::Queue { .. }, Stage::Waiting(_)) => Then::Gather(Gather {
                    action: link(Step::Gather),
                    keys_max: 1,
                    finish: None,
                    first: CARRIER_QUEUE_PAUSE,
                    next: CARRIER_QUEUE_PAUSE,
                    words: false,
                    language: session.language.clone(),
                }),
                // Nothing was said yet of whether the agent is free.
                (
                    Demand::Transfer {
                        to: Destination::Agent,
                        ..
                    },
                    Stage::Asked,
                ) => poll(),
                _ => match self.target(session) {
                    Some(target) => Then::Dial {
                        target,
                        ring: match &serving.demand {
                            Demand::Transfer { ring, .. } => *ring,
                            _ => CARRIER_AGENT_RING,
                        },
                        action: link(Step::Dial),
                        answered: link(Step::Answered),
                    },
                    None => poll(),
                },
            },
            State::Deciding | State::Calling(_) | State::Together(_) | State::Waiting { .. } => poll(),
        }
    }

    /// To whom the carrier is to connect the caller now; none when it is nobody, or nobody whom a
    /// carrier reaches.
    pub(super) fn target(&self, session: &Session) -> Option<Target> {
        let State::Serving(serving) = &session.state else {
            return None;
        };
        let party = serving.particulars.party.as_deref();
        match (&serving.demand, &serving.stage) {
            (
                Demand::Transfer {
                    to: Destination::Agent,
                    ..
                },
                _,
            ) => self.agent(party?),
            (Demand::Transfer { .. }, _) => Target::of(party?),
            (Demand::Queue { .. }, Stage::Talking { agent }) => self.agent(agent.as_deref()?),
            _ => None,
        }
    }

    /// An agent's telephone, where the agent has one: it is registered with this server.
    fn agent(&self, name: &str) -> Option<Target> {
        let agent = self.release?.hotline().agents.get(name)?;
        self.carrier.agent(agent, name)
    }
}
