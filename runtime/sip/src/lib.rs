//! Calls by SIP: listeners, trunks, phones and their registrations, dialogs and what they agree on. Knows no contact and no media.
//!
//! This is the only crate that names rsipstack. That stack logs whole messages at level info: run with the filter
//! [`LOG_DIRECTIVE`] so that no number reaches a log.

mod call;
mod error;
pub mod limits;
pub mod sdp;
mod settings;

pub use call::{
    Arriving, Call, Caller, Destination, DialogId, HangUp, Happened, Incoming, Outgoing, Referred, Source,
    Why,
};
pub use error::{CallError, StartError};
pub use sdp::SessionDescription;
pub use settings::{
    Account, Caps, Config, Credentials, Listen, Network, NotANetwork, Register, Settings, Target, TlsFiles,
    Transport, Trunk,
};

/// The filter that keeps what the stack logs out of ours: its messages name callers.
pub const LOG_DIRECTIVE: &str = "rsipstack=off";
