//! What services answer when nobody knows what they will: replies that were recorded, whole and
//! torn, answers that mean nothing, failures. The same for the same seed, request by request.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use trunkline_plugin::bench::{HttpReply, HttpRequest, Network, Replies, ReplyError};

use super::random::Random;
use crate::plugin::test::recording::{Asked, Body, Exchange, Failing, Reply};

/// Answers to requests.
pub(super) struct Weather {
    /// None for a network that is down.
    random: Option<Mutex<Random>>,
    recorded: Vec<Reply>,
    passed: Mutex<Vec<Exchange>>,
}

/// Statuses that services give.
const STATUSES: [u16; 10] = [200, 200, 200, 201, 204, 400, 404, 429, 500, 503];

/// Bodies that services should not give, and do.
const BODIES: [&str; 12] = [
    "",
    "{}",
    "[]",
    "null",
    "0",
    "\"\"",
    "<html><body>Bad Gateway</body></html>",
    "{\"error\":null}",
    "{\"id\":null,\"name\":1}",
    "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
    "{\"a\":1e999}",
    "\u{feff}{}",
];

impl Weather {
    pub(super) fn new(seed: Option<u64>, recorded: &[Reply]) -> Self {
        Self {
            random: seed.map(|seed| Mutex::new(Random::new(seed))),
            recorded: recorded.to_vec(),
            passed: Mutex::default(),
        }
    }

    /// What passed.
    pub(super) fn passed(&self) -> Vec<Exchange> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn next(&self) -> Reply {
        let nothing = |fails| Reply {
            fails,
            status: 200,
            headers: Vec::new(),
            body: None,
            after: Duration::ZERO,
        };
        let Some(random) = &self.random else {
            return nothing(Some(Failing::Refused));
        };
        let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
        match random.below(10) {
            0 => nothing(Some(Failing::Refused)),
            1 => nothing(Some(Failing::Broken)),
            2..=6 if !self.recorded.is_empty() => {
                let mut reply = random
                    .one(&self.recorded)
                    .cloned()
                    .unwrap_or_else(|| nothing(None));
                reply.after = Duration::ZERO;
                if random.once_in(3) {
                    reply.status = *random.one(&STATUSES).unwrap_or(&200);
                }
                if random.once_in(3) {
                    reply.body = reply.body.map(|body| torn(&body.bytes(), &mut random));
                }
                reply
            }
            _ => Reply {
                status: *random.one(&STATUSES).unwrap_or(&200),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: random.one(&BODIES).map(|body| Body::Text((*body).to_owned())),
                ..nothing(None)
            },
        }
    }
}

/// A body that was cut off, or changed in one byte.
fn torn(bytes: &[u8], random: &mut Random) -> Body {
    let mut bytes = bytes.to_vec();
    let at = random.below(bytes.len());
    if random.once_in(2) {
        bytes.truncate(at);
    } else if let Some(byte) = bytes.get_mut(at) {
        *byte = (random.next() & 0x7f) as u8;
    }
    String::from_utf8(bytes).map_or_else(|error| Body::Bytes(error.into_bytes()), Body::Text)
}

#[async_trait]
impl Replies for Weather {
    async fn reply(&self, request: HttpRequest, _network: Network) -> Result<HttpReply, ReplyError> {
        let reply = self.next();
        self.passed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Exchange {
                line: 0,
                asked: Asked {
                    method: request.method,
                    url: request.url,
                    headers: Vec::new(),
                    body: None,
                },
                reply: reply.clone(),
            });
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
