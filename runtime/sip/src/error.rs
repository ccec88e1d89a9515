//! What can go wrong at the two seams: starting, and calling.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::settings::Transport;

/// Why signalling did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No listener was named.
    #[error("failed to start SIP: no listener is named; name at least one, such as UDP on 0.0.0.0:5060")]
    NoListener,
    /// A listener's address is taken or not ours.
    #[error("failed to listen for SIP on {transport:?} {address}: {source}")]
    Listen {
        /// The transport.
        transport: Transport,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A TLS listener without a certificate.
    #[error("failed to listen for SIP on TLS: name a certificate and a key")]
    NoCertificate,
    /// A certificate or key that cannot be read.
    #[error("failed to read {path}: {reason}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The system gives no random numbers.
    #[error("failed to start SIP: the system gives no random numbers")]
    Random,
    /// The stack refused.
    #[error("failed to start SIP: {0}")]
    Stack(String),
}

/// Why a call, or something asked of one, failed. Never says a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The account has no registered phone.
    #[error("failed to call: no phone is registered for the account {0}")]
    NotRegistered(String),
    /// No such trunk, or it has no `to`.
    #[error("failed to call: the trunk {0} is not known or has no target")]
    NoTrunk(String),
    /// The destination is no address.
    #[error("failed to call: the destination is no SIP address")]
    Destination,
    /// The trunk or the node has no room.
    #[error("failed to call: {0} has no room for another call")]
    Full(String),
    /// Signalling is stopping.
    #[error("failed to call: signalling is stopping")]
    Stopping,
    /// The peer refused.
    #[error("the peer answered {status}")]
    Refused {
        /// The status.
        status: u16,
    },
    /// The peer said nothing in time.
    #[error("the peer did not answer in time")]
    NoAnswer,
    /// The call is over, or not in a state for this.
    #[error("the call is over or not in a state for this")]
    Over,
    /// The peer's session description cannot be used.
    #[error("the peer's session description cannot be used: {0}")]
    Description(#[from] crate::sdp::SdpError),
    /// Another offer is under way.
    #[error("another offer is under way")]
    Busy,
}
