//! Recordings of a call: the contact's own, and messages that a caller leaves.
//!
//! The flow decides when (`record`), with the consent that it names; the line writes. What the flow
//! waits for is said to be done when the file is: a message that was acknowledged is on the disk.

use tokio::task::JoinHandle;
use trunkline_engine::{
    Session,
    event::Question,
    service::{Demand, RecordDemand, recording_name},
    session::State,
};
use trunkline_media::{Recording, Stream};
use trunkline_model::{ContactId, WorkId};

use super::Caller;
use crate::{message::Message, phone::Inner};

/// The recordings of a call.
#[derive(Default)]
pub(super) struct Records {
    /// The work that was taken up last.
    taken_up: Option<WorkId>,
    /// What the contact waits for.
    awaited: Option<Awaited>,
    /// The event that asked for a message, and the message once it is being left.
    message: Option<(u64, Option<Message>)>,
    /// Whether the contact's own recording is there.
    runs: bool,
    /// A message that is being kept.
    keeping: Option<JoinHandle<bool>>,
}

/// News that the contact is to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Begun,
    Over,
}

impl Caller {
    /// Does what the contact wants of its recordings.
    pub(super) fn record(&mut self, session: &Session) {
        self.await_message(session);
        let State::Serving(serving) = &session.state else {
            return;
        };
        let Demand::Record(demand) = serving.demand else {
            return;
        };
        if self.records.taken_up.as_ref() == Some(&serving.work) {
            return;
        }
        self.records.taken_up = Some(serving.work.clone());
        let stream = &self.leg.stream;
        let name = recording_name(&self.contact, &serving.work, demand);
        let done = match demand {
            RecordDemand::Start => match self.phone.recording(&name) {
                Some(file) => {
                    stream.record(file);
                    self.records.awaited = Some(Awaited::Begun);
                    return;
                }
                None => false,
            },
            RecordDemand::Pause => {
                stream.pause_recording();
                true
            }
            RecordDemand::Resume => {
                stream.resume_recording();
                true
            }
            // It never began, or is over: there is nothing to be waited for.
            RecordDemand::Stop if !self.records.runs => true,
            RecordDemand::Stop => {
                stream.stop_recording();
                self.records.awaited = Some(Awaited::Over);
                return;
            }
            RecordDemand::Message { .. } => {
                let message = self.records.message.take().and_then(|(_, message)| message);
                stream.listen(None);
                match (message, self.phone.recording(&name)) {
                    (Some(message), Some(file)) => {
                        self.records.keeping = Some(message.keep(file));
                        return;
                    }
                    _ => false,
                }
            }
        };
        self.phone.node.contacts().recorded(&self.contact, done);
    }

    /// Prepares for a message while the contact asks for one.
    fn await_message(&mut self, session: &Session) {
        match &session.state {
            State::Hearing(hearing) if hearing.question == Question::Message => {
                let known = self.records.message.as_ref().map(|(asked, _)| *asked);
                if known != Some(hearing.seq) {
                    self.records.drop_message(&self.leg.stream);
                    self.records.message = Some((hearing.seq, None));
                }
            }
            // It is being kept.
            State::Serving(serving)
                if matches!(serving.demand, Demand::Record(RecordDemand::Message { .. })) => {}
            _ => self.records.drop_message(&self.leg.stream),
        }
    }
}

impl Records {
    fn drop_message(&mut self, stream: &Stream) {
        if let Some((_, Some(message))) = self.message.take() {
            message.drop_it();
            stream.listen(None);
        }
    }

    /// Something was heard out: after its tone a message begins.
    pub(super) fn heard_out(&mut self, seq: u64, stream: &Stream, phone: &Inner, contact: &ContactId) {
        if let Some((asked, message)) = &mut self.message
            && *asked == seq
            && message.is_none()
        {
            let file = phone.recording(&format!("message-{contact}-{seq}"));
            *message = file.map(|file| Message::begin(stream, file.with_extension("wav.part")));
        }
    }

    /// A message was kept, or could not be; pends while none is. Dropping the future loses nothing.
    pub(super) async fn kept(&mut self) -> bool {
        let Some(keeping) = &mut self.keeping else {
            return std::future::pending().await;
        };
        let kept = keeping.await.unwrap_or(false);
        self.keeping = None;
        kept
    }

    /// Tells the contact what it waits for.
    pub(super) fn news(&mut self, news: &Recording, phone: &Inner, contact: &ContactId) {
        if let Recording::Failed { error, .. } = news {
            tracing::error!(%contact, %error, "a contact's recording is not whole");
        }
        self.runs = matches!(news, Recording::Began { .. });
        let done = match (self.awaited, news) {
            (Some(Awaited::Begun), Recording::Began { .. })
            | (Some(Awaited::Over), Recording::Done { .. }) => true,
            (Some(_), Recording::Failed { .. }) => false,
            _ => return,
        };
        self.awaited = None;
        phone.node.contacts().recorded(contact, done);
    }
}

/// Whether the contact waits for something to be done with a recording.
pub(super) fn is_wanted(session: &Session) -> bool {
    matches!(&session.state, State::Serving(serving) if matches!(serving.demand, Demand::Record(_)))
}
