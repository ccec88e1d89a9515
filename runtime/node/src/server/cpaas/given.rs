//! What a request of a carrier gives to its contact, once.

use trunkline_channel::cpaas::{Dialled, Posted};
use trunkline_engine::{
    Input, Session, Utterance,
    collect::wanted,
    event::Question,
    service::{QueueAnswer, RecordAnswer, ServiceAnswer, Serving, Stage, TransferAnswer},
    session::State as Stands,
};
use trunkline_model::{ContactId, InputId};

use super::{
    answered::pinned,
    call::deliver,
    carrier::Carrier,
    links::{At, Step},
    service::{agent, let_go, message, transfer, wanted_agent},
};
use crate::{
    contacts::Deed,
    server::{State, problem::Refusal},
};

/// What a request gives to its contact.
pub(super) struct Given<'a> {
    pub(super) state: &'a State,
    pub(super) carrier: &'a Carrier,
    pub(super) contact: &'a ContactId,
    pub(super) at: At,
    pub(super) step: Step,
}

impl Given<'_> {
    pub(super) async fn take(&self, posted: &Posted) -> Result<(), Refusal> {
        let session = self.session().await?;
        match self.step {
            Step::Gather => self.gathered(&session, posted).await,
            Step::Poll => self.played(&session).await,
            Step::Record => self.recorded(&session, posted).await,
            Step::Silent => match message(&session) {
                Some(serving) => {
                    self.serve(serving, ServiceAnswer::Record(RecordAnswer::Declined))
                        .await
                }
                None => self.silence(&session).await,
            },
            Step::Dial => self.dialled(&session, posted).await,
            Step::Answered => match transfer(&session).filter(|serving| self.is_of(serving)) {
                Some(serving) if !matches!(serving.stage, Stage::Talking { .. }) => {
                    if let Some(agent) = wanted_agent(serving) {
                        // The desk tells the contact. The agent may have taken the call by hand.
                        let _ = self
                            .state
                            .contacts()
                            .agent_does(agent, self.contact, Deed::Answer);
                        return Ok(());
                    }
                    self.serve(serving, ServiceAnswer::Transfer(TransferAnswer::Answered))
                        .await
                }
                _ => Ok(()),
            },
        }
    }

    /// Whether the document that this request comes from was written for this work, and not for what
    /// was asked before: what came of one transfer says nothing of the next.
    const fn is_of(&self, serving: &Serving) -> bool {
        serving.seq <= self.at.after
    }

    async fn session(&self) -> Result<Session, Refusal> {
        Ok(self.state.contacts().session(self.contact).await?)
    }

    async fn deliver(&self, input: Input) -> Result<(), Refusal> {
        deliver(self.state, self.contact, input).await
    }

    /// Keys or words, or neither.
    async fn gathered(&self, session: &Session, posted: &Posted) -> Result<(), Refusal> {
        let (asked, queued) = match &session.state {
            // What answers a question that is over answers no other.
            Stands::Hearing(hearing) => (hearing.seq <= self.at.after, false),
            Stands::Serving(serving) => (
                false,
                self.is_of(serving) && matches!(serving.stage, Stage::Waiting(_)),
            ),
            _ => (false, false),
        };
        // A notice stands before what may be talked over: it was played to its end.
        if let Some(seq) = session.notice.filter(|seq| *seq <= self.at.after) {
            self.deliver(Input::Played { seq }).await?;
        }
        match (&posted.digits, &posted.words) {
            (Some(digits), _) if asked || queued => self.utter(Utterance::Keys(digits.as_str().into())).await,
            (None, Some(words)) if asked => self.utter(Utterance::Text(words.as_str().into())).await,
            (None, None) if asked => self.silence(session).await,
            _ => self.played(session).await,
        }
    }

    /// A message was recorded. The carrier keeps it, and what it is called there is its name in the flow.
    async fn recorded(&self, session: &Session, posted: &Posted) -> Result<(), Refusal> {
        let Some(recording) = &posted.recording else {
            return self.silence(session).await;
        };
        match &session.state {
            Stands::Hearing(hearing)
                if hearing.question == Question::Message && hearing.seq <= self.at.after =>
            {
                let pinned = pinned(self.state, session).await;
                let finish = pinned.and_then(|pinned| wanted(pinned.release().hotline(), session)?.finish);
                let Some(finish) = finish else {
                    return self.silence(session).await;
                };
                self.played(session).await?;
                self.utter(Utterance::Keys(finish.to_string().into())).await?;
            }
            // The caller has left meanwhile, which ends most messages.
            Stands::Serving(_) => {}
            _ => return Ok(()),
        }
        let session = self.session().await?;
        let Some(serving) = message(&session) else {
            return Ok(());
        };
        tracing::info!(contact = %self.contact, carrier = self.carrier.name, "a message is recorded at the carrier");
        let recording = format!("{}-{}", self.carrier.name, named(recording)).into();
        self.serve(serving, ServiceAnswer::Record(RecordAnswer::Done { recording }))
            .await
    }

    /// Nothing was given in the question's whole time.
    async fn silence(&self, session: &Session) -> Result<(), Refusal> {
        match &session.state {
            Stands::Hearing(hearing) if hearing.seq <= self.at.after => {
                let question = hearing.seq;
                self.deliver(Input::Unanswered { question }).await
            }
            _ => Ok(()),
        }
    }

    /// What stood in the document was said to its end.
    async fn played(&self, session: &Session) -> Result<(), Refusal> {
        match session.unheard {
            Some(seq) if seq <= self.at.after => self.deliver(Input::Played { seq }).await,
            _ => Ok(()),
        }
    }

    async fn utter(&self, utterance: Utterance) -> Result<(), Refusal> {
        let At { after, again } = self.at;
        // The same request gives the same input.
        let id = InputId::new(format!("carrier-{}-{after}-{again}", self.step.as_str()));
        self.deliver(Input::Utterance { id, utterance }).await
    }

    async fn serve(&self, serving: &Serving, answer: ServiceAnswer) -> Result<(), Refusal> {
        self.deliver(Input::ServiceAnswered {
            work: serving.work.clone(),
            attempt: serving.attempt,
            answer,
        })
        .await
    }

    /// What came of a dialled leg, to a transfer or to an agent of a queue.
    async fn dialled(&self, session: &Session, posted: &Posted) -> Result<(), Refusal> {
        self.played(session).await?;
        let came = posted.dialled.unwrap_or(Dialled::Failed);
        if let Some(serving) = transfer(session).filter(|serving| self.is_of(serving)) {
            let talks = matches!(serving.stage, Stage::Talking { .. });
            let spoke = talks || matches!(came, Dialled::Completed | Dialled::Answered);
            if came == Dialled::Completed && !talks {
                self.serve(serving, ServiceAnswer::Transfer(TransferAnswer::Answered))
                    .await?;
            }
            let answer = match came {
                Dialled::Completed | Dialled::Answered => TransferAnswer::OtherLegEnded,
                // The other side had answered, whatever ended it.
                _ if talks => TransferAnswer::OtherLegEnded,
                Dialled::Busy => TransferAnswer::Busy,
                Dialled::NoAnswer => TransferAnswer::NoAnswer,
                Dialled::Failed => TransferAnswer::Failed,
            };
            self.serve(serving, ServiceAnswer::Transfer(answer)).await?;
            if let Some(agent) = wanted_agent(serving) {
                let_go(self.state, self.contact, serving, agent, spoke);
            }
            return Ok(());
        }
        if let Some((serving, agent)) = agent(session).filter(|(serving, _)| self.is_of(serving)) {
            // The contact is told here, and not by way of the queue, so that the answer to this request
            // does not dial the agent again.
            let answer = match came {
                Dialled::Completed | Dialled::Answered => QueueAnswer::AgentLeft,
                Dialled::Busy | Dialled::NoAnswer | Dialled::Failed => QueueAnswer::Failed,
            };
            self.serve(serving, ServiceAnswer::Queue(answer)).await?;
            // The agent may have left by then.
            let _ = self.state.contacts().agent_does(agent, self.contact, Deed::End);
        }
        Ok(())
    }
}

/// A recording's name at the carrier, without the address around it.
fn named(recording: &str) -> String {
    let name = recording.rsplit('/').next().unwrap_or_default();
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect()
}
