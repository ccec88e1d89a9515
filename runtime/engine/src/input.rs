//! What comes in: arrivals, what callers give, answers of plugins, and the passing of time.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use trunkline_flow::start::StartsOn;
use trunkline_model::{CallId, ContactId, Digest, InputId, Outcome, Value, VariableName, WorkId};

use crate::service::ServiceAnswer;

/// A contact that begins.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its identifier.
    pub contact: ContactId,
    /// The release it is to run on.
    pub release: Digest,
    /// How it comes.
    pub channel: Channel,
    /// The number it calls.
    pub number: Arc<str>,
    /// The language it asks for, if it does.
    pub language: Option<Arc<str>>,
    /// The caller's number, vouched for by a trunk or a trusted client; E.164.
    pub caller: Option<Arc<str>>,
    /// What an unvouched client says of itself.
    pub claimed: Option<Arc<str>>,
}

/// A contact that begins though nobody called.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its identifier.
    pub contact: ContactId,
    /// The release it is to run on.
    pub release: Digest,
    /// What it starts on.
    pub on: StartsOn,
    /// Whom it concerns, E.164, when it is somebody: `contact.caller` of its flow.
    pub person: Option<Arc<str>>,
    /// The language of that person, if it is known.
    pub language: Option<Arc<str>>,
    /// What its flow is given: the change, or the fields of the event.
    pub inputs: BTreeMap<VariableName, Value>,
}

/// How a contact comes. Its kind decides how keys are collected and how long it is heard:
/// [`Channel::carries`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Text: each message is complete; prompts stay on the screen.
    Chat,
    /// Voice: keys come one by one, and the clock is short.
    Voice,
    /// A telephone line: voice whose channel tells when a prompt has been heard, by
    /// [`Input::Played`].
    Phone,
    /// A telephone line behind a carrier that reads TwiML: it plays, collects and dials by documents
    /// and posts what came of each.
    Twiml,
    /// The same behind a carrier that reads the verbs of jambonz.
    Jambonz,
    /// None: nobody called. A feed or a webhook started the contact, and nobody is on a line.
    Outbound,
}

impl Channel {
    /// Whether the caller listens and speaks, rather than reads and writes.
    pub const fn is_voice(self) -> bool {
        match self {
            Self::Chat | Self::Outbound => false,
            Self::Voice | Self::Phone | Self::Twiml | Self::Jambonz => true,
        }
    }

    /// Whether the channel's own carrier connects a transfer, so that no service of the node is
    /// asked for it.
    pub const fn dials_itself(self) -> bool {
        match self {
            Self::Chat | Self::Voice | Self::Phone | Self::Outbound => false,
            Self::Twiml | Self::Jambonz => true,
        }
    }
}

/// Something that came in for a contact under way.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The caller gave something.
    Utterance {
        /// The client's name for it; the same again is the same input.
        id: InputId,
        /// What.
        utterance: Utterance,
    },
    /// The caller left.
    HangUp {
        /// The client's name for it, when a client says so.
        id: Option<InputId>,
    },
    /// A plugin call came to its end.
    Answer {
        /// The call.
        call: CallId,
        /// The attempt.
        attempt: u32,
        /// What came of it.
        outcome: Outcome,
    },
    /// A service answered.
    ServiceAnswered {
        /// The work.
        work: WorkId,
        /// The attempt.
        attempt: u32,
        /// What it said.
        answer: ServiceAnswer,
    },
    /// Something happened that a contact may wait for, such as `ticket.closed`.
    EventHappened {
        /// The sender's name for it; the same again is the same input.
        id: InputId,
        /// The event.
        event: Arc<str>,
    },
    /// The channel has played what was said: the caller has heard it.
    Played {
        /// The number of the event that said the last of it, counted from 1 as turns are.
        seq: u64,
    },
    /// The channel heard the caller for the whole of a question's time, and nothing came. For
    /// channels that measure that time themselves.
    Unanswered {
        /// The number of the event that asked.
        question: u64,
    },
    /// A deadline may have passed: the time that comes with the input tells.
    TimeUp,
    /// The node took the contact up again after a restart.
    Recovered,
}

/// What a caller gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Utterance {
    /// Keys of the keypad: `0` to `9`, `*`, `#`.
    Keys(Arc<str>),
    /// Words, typed or recognised.
    Text(Arc<str>),
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It was taken.
    Accepted,
    /// It was not valid now.
    Refused(Refused),
}

/// Why an input was not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// The contact has ended.
    Ended,
    /// Nothing is asked that words could answer.
    NotListening,
    /// A key is none of the keypad's, or there are too many.
    BadKeys,
    /// The text is empty or too long.
    BadText,
}

impl Refused {
    /// The reason's name, for codes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::NotListening => "not-listening",
            Self::BadKeys => "bad-keys",
            Self::BadText => "bad-text",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended => "the contact has ended",
            Self::NotListening => "the contact is not waiting for words now; wait for the next question",
            Self::BadKeys => {
                "keys are 1 to 32 of 0 to 9, * and #, those that wait for the next question included"
            }
            Self::BadText => "text must hold 1 to 4,000 characters",
        })
    }
}
