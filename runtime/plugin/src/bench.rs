//! A call on the bench: measured, and with somebody else in place of the network where the test
//! wishes. For tests of plugins; a server's calls pass none of this.
//!
//! A guest cannot tell. What it may ask is checked against its grants as ever, and only a request
//! that is granted comes to [`Replies`].

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::Instant;
use wasmtime::Store;

use crate::{Bytes, guest::Guest, limits::BENCH_LOG_LINES_KEPT};

pub use crate::egress::bench::Network;

/// What a call took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measurement {
    /// From the making of its sandbox to its end; waiting for a slot is not counted.
    pub time: Duration,
    /// The most memory that it had.
    pub memory_peak: Bytes,
    /// The instructions of WebAssembly that it ran; known on a host that counts them, of a guest that
    /// came to its end: one that is stopped in a loop has not written its count down. Of one that
    /// trapped it is the least.
    pub instructions: Option<u64>,
    /// Requests over HTTP that were granted.
    pub http_requests: u32,
    /// What was denied to it first, if something was: a sentence with the line that grants it.
    pub denied: Option<String>,
    /// Operations on its key-value store.
    pub kv_operations: u32,
    /// Lines that it logged, those included that are not kept.
    pub log_lines: u32,
    /// The first of them.
    pub logged: Vec<LogLine>,
}

/// A line that a guest logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// What it says.
    pub text: String,
}

/// How a call is set up.
#[derive(Clone, Default)]
pub struct Bench {
    /// Who answers granted requests; the network when nobody does.
    pub replies: Option<Arc<dyn Replies>>,
}

/// A request as a guest sent it, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The address, query included.
    pub url: String,
    /// Its headers in order, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A reply, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// Its headers in order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Why a request has no reply.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// Nobody took the connection.
    #[error("the connection was refused")]
    Refused,
    /// No reply came in time.
    #[error("no reply came in time")]
    TimedOut,
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// The reply cannot be one of HTTP.
    #[error("the reply cannot be sent: {0}")]
    Unsendable(String),
    /// What happened on the real network.
    #[error(transparent)]
    Network(#[from] crate::egress::bench::NetworkError),
}

/// How a request came to have no reply, for whoever writes it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// There was nobody to answer it.
    Refused,
    /// No reply came in time.
    TimedOut,
    /// What came was no whole reply.
    Broken,
}

impl ReplyError {
    /// What it comes to.
    pub fn lost(&self) -> Lost {
        match self {
            Self::Refused => Lost::Refused,
            Self::TimedOut => Lost::TimedOut,
            Self::Broken | Self::Unsendable(_) => Lost::Broken,
            Self::Network(error) => error.lost(),
        }
    }
}

/// Who answers a guest's requests: replies that were recorded, or the network with somebody who
/// writes down what passes.
#[async_trait]
pub trait Replies: Send + Sync {
    /// Answers one request.
    ///
    /// # Errors
    /// What the guest is to meet instead of a reply.
    async fn reply(&self, request: HttpRequest, network: Network) -> Result<HttpReply, ReplyError>;
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("replies", &self.replies.is_some())
            .finish()
    }
}

/// What is measured of one call.
#[derive(Default)]
pub(crate) struct Probe {
    pub(crate) bench: Bench,
    measured: Mutex<Measurement>,
}

impl Probe {
    pub(crate) fn new(bench: Bench) -> Self {
        Self {
            bench,
            measured: Mutex::default(),
        }
    }

    fn add(&self, to: impl FnOnce(&mut Measurement)) {
        to(&mut self.measured.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn kv_operation(&self) {
        self.add(|measured| measured.kv_operations += 1);
    }

    pub(crate) fn http_request(&self) {
        self.add(|measured| measured.http_requests += 1);
    }

    pub(crate) fn log_line(&self, level: &'static str, text: &str) {
        self.add(|measured| {
            measured.log_lines += 1;
            if measured.logged.len() < BENCH_LOG_LINES_KEPT {
                measured.logged.push(LogLine {
                    level,
                    text: text.to_owned(),
                });
            }
        });
    }

    /// What was measured.
    pub(crate) fn measurement(&self) -> Measurement {
        self.measured
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A guest's store that is read when it goes, however that comes about: a guest that is stopped
/// in the middle is measured as well.
pub(crate) struct Probed {
    pub(crate) store: Store<Guest>,
    began: Option<Instant>,
    /// Whether the guest came to its end, well or not.
    pub(crate) ended: bool,
}

impl Probed {
    pub(crate) fn new(store: Store<Guest>) -> Self {
        // A call that nobody measures does not look at the clock.
        let began = store.data().call.probe.is_some().then(Instant::now);
        Self {
            store,
            began,
            ended: false,
        }
    }
}

impl Drop for Probed {
    fn drop(&mut self) {
        let (Some(began), Some(probe)) = (self.began, self.store.data().call.probe.clone()) else {
            return;
        };
        let left = self.store.get_fuel().ok().filter(|_| self.ended);
        let guest = self.store.data();
        probe.add(|measured| {
            measured.time = began.elapsed();
            measured.memory_peak = Bytes(guest.memory.used() as u64);
            measured.instructions = left.map(|left| u64::MAX - left);
            measured.denied = guest.denied().map(str::to_owned);
        });
    }
}
