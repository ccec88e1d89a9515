//! Who answers a plugin's requests: a recording, or the network with somebody who writes down
//! what passes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use trunkline_plugin::bench::{HttpReply, HttpRequest, Lost, Network, Replies, ReplyError};

use super::{Failing, Recording, Reply};

/// Characters shown of a request's body.
const BODY_CHARS_SHOWN: usize = 200;

/// Answers from a recording.
pub(in super::super) struct Replay {
    recording: Recording,
    state: Mutex<State>,
}

struct State {
    used: Vec<bool>,
    /// Requests that nothing answered, in words.
    unanswered: Vec<String>,
}

impl Replay {
    pub(in super::super) fn new(recording: Recording) -> Self {
        let used = vec![false; recording.exchanges.len()];
        Self {
            recording,
            state: Mutex::new(State {
                used,
                unanswered: Vec::new(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests that nothing answered.
    pub(in super::super) fn unanswered(&self) -> Vec<String> {
        self.state().unanswered.clone()
    }

    /// Exchanges that were never asked for: their line and request.
    pub(in super::super) fn unused(&self) -> Vec<(usize, String)> {
        let state = self.state();
        let exchanges = self.recording.exchanges.iter().zip(&state.used);
        exchanges
            .filter(|(_, used)| !**used)
            .map(|(exchange, _)| {
                let asked = &exchange.asked;
                (exchange.line, format!("{} {}", asked.method, asked.url))
            })
            .collect()
    }

    fn find(&self, request: &HttpRequest) -> Option<Reply> {
        let mut state = self.state();
        let fitting: Vec<usize> = self
            .recording
            .exchanges
            .iter()
            .enumerate()
            .filter(|(_, exchange)| self.recording.fits(&exchange.asked, request))
            .map(|(index, _)| index)
            .collect();
        let next = fitting
            .iter()
            .find(|index| !state.used[**index])
            .or(fitting.last());
        let Some(&index) = next else {
            state.unanswered.push(in_words(request));
            return None;
        };
        state.used[index] = true;
        Some(self.recording.exchanges[index].reply.clone())
    }
}

fn in_words(request: &HttpRequest) -> String {
    let body = String::from_utf8_lossy(&request.body);
    let body: String = body.chars().take(BODY_CHARS_SHOWN).collect();
    if body.is_empty() {
        format!("{} {}", request.method, request.url)
    } else {
        format!("{} {} with the body {body}", request.method, request.url)
    }
}

#[async_trait]
impl Replies for Replay {
    async fn reply(&self, request: HttpRequest, _network: Network) -> Result<HttpReply, ReplyError> {
        let reply = self.find(&request).ok_or(ReplyError::Refused)?;
        if !reply.after.is_zero() {
            tokio::time::sleep(reply.after).await;
        }
        match reply.fails {
            Some(Failing::Refused) => Err(ReplyError::Refused),
            Some(Failing::TimedOut) => Err(ReplyError::TimedOut),
            Some(Failing::Broken) => Err(ReplyError::Broken),
            None => Ok(HttpReply {
                status: reply.status,
                headers: reply.headers,
                body: reply.body.map(|body| body.bytes()).unwrap_or_default(),
            }),
        }
    }
}

/// Asks the network and keeps what passes.
#[derive(Default)]
pub(in super::super) struct Recorder {
    passed: Mutex<Vec<Passed>>,
}

/// A request that was made on the network.
#[derive(Clone)]
pub(in super::super) struct Passed {
    pub(in super::super) request: HttpRequest,
    pub(in super::super) reply: Result<HttpReply, Failing>,
    /// Why there was no reply.
    pub(in super::super) why: String,
}

impl Recorder {
    /// What passed.
    pub(in super::super) fn passed(&self) -> Vec<Passed> {
        self.kept().clone()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Passed>> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Replies for Recorder {
    async fn reply(&self, request: HttpRequest, network: Network) -> Result<HttpReply, ReplyError> {
        // Whoever asks may wait no longer, and this stops in the middle: that is how it is kept then.
        let place = {
            let mut kept = self.kept();
            kept.push(Passed {
                request: request.clone(),
                reply: Err(Failing::TimedOut),
                why: "no reply came in time".to_owned(),
            });
            kept.len() - 1
        };
        let reply = network.send(&request).await;
        if let Some(passed) = self.kept().get_mut(place) {
            match &reply {
                Ok(reply) => passed.reply = Ok(reply.clone()),
                Err(error) => {
                    passed.reply = Err(match error.lost() {
                        Lost::Refused => Failing::Refused,
                        Lost::TimedOut => Failing::TimedOut,
                        Lost::Broken => Failing::Broken,
                    });
                    passed.why = error.to_string();
                }
            }
        }
        reply
    }
}
