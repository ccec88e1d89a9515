//! Chat over a WebSocket: the turns and inputs of the HTTP API, both ways on one connection.
//!
//! Nothing is different but the way: the same JSON, the same ids, the same refusals. A connection
//! that drops is taken up again with `after`. What closes it is said by its code and a sentence.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::{
        Query, State as Shared,
        ws::{
            CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code,
            rejection::WebSocketUpgradeRejection,
        },
    },
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    response::Response,
};
use serde::Deserialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::tungstenite;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use trunkline_channel::{
    chat::{Answer, Given, Turn},
    problem::Problem,
};
use trunkline_model::ContactId;

use super::{State, auth::bearer, body, callers, problem::Refusal};
use crate::limits::{
    POLL_WAIT_MAX, SOCKET_INPUT_EVERY, SOCKET_INPUTS_AT_ONCE, SOCKET_MESSAGE_BYTES_MAX, SOCKET_PING_EVERY,
    SOCKET_SEND_WITHIN, SOCKET_SILENT_MAX, SOCKETS_MAX, SOCKETS_PER_CONTACT_MAX,
};

/// The subprotocol's name and version.
const PROTOCOL: &str = "trunkline.v1";

/// What a subprotocol that carries a token begins with: browsers cannot send `Authorization`.
const TOKEN: &str = "bearer.";

/// The sockets that are open. A connection that becomes one leaves those that the listener counts.
pub(crate) struct Sockets {
    open: Mutex<Open>,
    at_once: Arc<Semaphore>,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Open {
    opened: u64,
    /// Of each contact, oldest first.
    of: BTreeMap<ContactId, VecDeque<(u64, CancellationToken)>>,
}

/// A socket that is counted until it is gone.
struct Counted {
    sockets: Arc<Sockets>,
    contact: ContactId,
    number: u64,
    /// Newer ones took its place.
    replaced: CancellationToken,
    _place: OwnedSemaphorePermit,
    _task: TaskTrackerToken,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            at_once: Arc::new(Semaphore::new(SOCKETS_MAX)),
            tasks: TaskTracker::new(),
        }
    }
}

impl Sockets {
    /// Counts one more; none when the node has as many as it may. Of a contact that has, the oldest goes:
    /// a telephone that lost its network leaves one behind, and whoever comes now is the caller.
    fn count(self: &Arc<Self>, contact: &ContactId) -> Option<Counted> {
        let place = self.at_once.clone().try_acquire_owned().ok()?;
        let replaced = CancellationToken::new();
        let mut open = self.open();
        open.opened += 1;
        let number = open.opened;
        let own = open.of.entry(contact.clone()).or_default();
        while own.len() >= SOCKETS_PER_CONTACT_MAX
            && let Some((_, oldest)) = own.pop_front()
        {
            oldest.cancel();
        }
        own.push_back((number, replaced.clone()));
        drop(open);
        Some(Counted {
            sockets: self.clone(),
            contact: contact.clone(),
            number,
            replaced,
            _place: place,
            _task: self.tasks.token(),
        })
    }

    /// Returns when all are closed.
    pub(crate) async fn closed(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.sockets.open();
        if let Some(own) = open.of.get_mut(&self.contact) {
            own.retain(|(number, _)| *number != self.number);
            if own.is_empty() {
                open.of.remove(&self.contact);
            }
        }
    }
}

/// Which contact, and from where on.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChatQuery {
    /// The contact.
    contact: String,
    /// Only turns after this number; 0 when left out.
    #[serde(default)]
    after: u64,
}

/// A contact's turns and inputs over a WebSocket.
///
/// The server sends turns, the client sends inputs; each message is a text of one JSON object, as in the
/// rest of the API. An input is answered by `{"type":"taken","id":…,"seq":…,"reply":"accepted"}`, or by
/// `{"type":"problem","id":…,"problem":{…}}`. The token is sent as `Authorization: Bearer TOKEN`, or, by
/// browsers, as a subprotocol: `Sec-WebSocket-Protocol: trunkline.v1, bearer.TOKEN`. The connection is
/// closed with 1000 after the turn of type `ended`, with 1012 when the server stops, with 1003, 1008
/// or 1009 when what comes cannot be taken, and with 1008 when the contact has opened four newer ones.
#[utoipa::path(
    get,
    path = "/api/v1/chat",
    tag = "callers",
    params(
        ChatQuery,
        ("Sec-WebSocket-Protocol" = Option<String>, Header, description = "`trunkline.v1`, and `bearer.TOKEN` in place of `Authorization`"),
    ),
    responses(
        (status = 101, description = "A WebSocket: messages are turns, and answers to inputs.", body = Answer),
        (status = 400, description = "The request cannot be understood, or is for no WebSocket.", body = Problem),
        (status = 401, description = "The token is missing or not this contact's.", body = Problem),
        (status = 403, description = "A page of another server asks.", body = Problem),
        (status = 404, description = "There is no such contact.", body = Problem),
        (status = 503, description = "Not possible now.", body = Problem),
    )
)]
pub(crate) async fn open(
    Shared(state): Shared<State>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = Query::<ChatQuery>::try_from_uri(&uri).map_err(|error| {
        Refusal::bad_request(
            "bad-query",
            format!("The query cannot be understood: {}.", error.body_text()),
            "Ask for /api/v1/chat?contact=ID, with `&after=SEQ` to take a chat up again.",
        )
    })?;
    if !is_own_page(&headers) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "foreign-origin",
            "Not for this page",
            "The page that asks is of another server.",
            "Open the chat from a page that has the server's own name.",
        ));
    }
    let contact = ContactId::parse(&query.contact).ok_or_else(|| {
        Refusal::bad_request(
            "bad-contact-id",
            "This is no contact's id.",
            "An id has 26 digits and small letters, as it came when the contact began.",
        )
    })?;
    let shown = bearer(&headers).map(str::to_owned).or_else(|| token(&headers));
    let Some(shown) = shown else {
        return Err(Refusal::unauthorized(
            "This is the caller's side of a contact, and no token was sent.",
            "Send the header `Authorization: Bearer TOKEN`, or the subprotocols `trunkline.v1` and `bearer.TOKEN`.",
        ));
    };
    if !state.contacts().opens(&contact, &shown).await? {
        return Err(Refusal::unauthorized(
            "The token does not open this contact.",
            "Send the token that came when this contact began.",
        ));
    }
    let upgrade = upgrade.map_err(|error| {
        Refusal::bad_request(
            "no-websocket",
            format!("The request is for no WebSocket: {}.", error.body_text()),
            "Open it with a WebSocket client of version 13 over HTTP/1.1.",
        )
    })?;
    let counted = state.sockets().count(&contact).ok_or_else(|| {
        Refusal::unavailable(
            "too-many-sockets",
            format!("The server has {SOCKETS_MAX} WebSockets, and may have no more."),
            5,
        )
    })?;
    Ok(upgrade
        .protocols([PROTOCOL])
        .max_message_size(SOCKET_MESSAGE_BYTES_MAX)
        .max_frame_size(SOCKET_MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            let chat = Chat {
                state,
                contact,
                socket,
                after: query.after,
                allowance: Allowance::new(Instant::now()),
                counted,
            };
            chat.run().await;
        }))
}

/// The token among the subprotocols that are offered.
fn token(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|name| name.trim().strip_prefix(TOKEN))
        .map(str::to_owned)
}

/// Whether no page asks, or one of this server's own name. Pages of other servers may open WebSockets
/// wherever they like; nothing else keeps them from it.
fn is_own_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let asks = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let (Some(own), Some((scheme, asks))) = (own, asks) else {
        return false;
    };
    let port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    // Each may name the port that the scheme has anyway; names differ by more than their case.
    let place = |text: &str| {
        let authority: Authority = text.parse().ok()?;
        let host = authority.host().to_ascii_lowercase();
        Some((host, authority.port_u16().unwrap_or(port)))
    };
    let own = place(own);
    own.is_some() && own == place(asks)
}

/// How many inputs may come now.
struct Allowance {
    left: u32,
    /// When the last of them came to it.
    since: Instant,
}

impl Allowance {
    const fn new(now: Instant) -> Self {
        Self {
            left: SOCKET_INPUTS_AT_ONCE,
            since: now,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let every = SOCKET_INPUT_EVERY.to_std();
        while self.left < SOCKET_INPUTS_AT_ONCE && self.since + every <= now {
            self.left += 1;
            self.since += every;
        }
        if self.left == SOCKET_INPUTS_AT_ONCE {
            self.since = now;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// One WebSocket.
struct Chat {
    state: State,
    contact: ContactId,
    socket: WebSocket,
    after: u64,
    allowance: Allowance,
    counted: Counted,
}

/// Why a socket is no more.
enum Over {
    /// It is closed with a code and a sentence.
    Close(u16, String),
    /// The other side is gone.
    Gone,
}

impl Chat {
    async fn run(mut self) {
        let over = match self.talk().await {
            Ok(never) => match never {},
            Err(over) => over,
        };
        if let Over::Close(code, reason) = over {
            tracing::debug!(contact = %self.contact, code, "a chat's WebSocket is closed");
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            let _ = self.send(Message::Close(Some(frame))).await;
            // The other side's close, so that none of what was sent is lost with the connection.
            let _ = timeout(SOCKET_SEND_WITHIN.to_std(), async {
                while let Some(Ok(_)) = self.socket.recv().await {}
            })
            .await;
        }
    }

    async fn talk(&mut self) -> Result<std::convert::Infallible, Over> {
        let mut pings = interval(SOCKET_PING_EVERY.to_std());
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            let contacts = self.state.contacts().clone();
            let until = contacts.clock.now() + POLL_WAIT_MAX;
            // Dropping either while it waits loses nothing: turns are asked for by number, and a message
            // is received whole or not at all.
            tokio::select! {
                turns = contacts.turns(&self.contact, self.after, Some(until)) => {
                    let turns = turns.map_err(|_| {
                        Over::Close(close_code::ERROR, "The contact cannot be read now; come again.".to_owned())
                    })?;
                    self.say(turns.iter().map(Turn::from).collect()).await?;
                }
                message = self.socket.recv() => {
                    heard = Instant::now();
                    self.take(message).await?;
                }
                () = self.counted.replaced.cancelled() => {
                    return Err(Over::Close(
                        close_code::POLICY,
                        format!("The contact has opened {SOCKETS_PER_CONTACT_MAX} newer WebSockets."),
                    ));
                }
                _ = pings.tick() => {
                    if heard.elapsed() >= SOCKET_SILENT_MAX.to_std() {
                        return Err(Over::Close(
                            close_code::POLICY,
                            format!("Nothing came for {SOCKET_SILENT_MAX}, not even an answer to pings."),
                        ));
                    }
                    self.send(Message::Ping(Default::default())).await?;
                }
            }
        }
    }

    async fn say(&mut self, turns: Vec<Turn>) -> Result<(), Over> {
        let nothing = turns.is_empty();
        for turn in turns {
            self.after = turn.seq();
            let ended = matches!(turn, Turn::Ended { .. });
            self.tell(&turn).await?;
            if ended {
                return Err(Self::ended());
            }
        }
        if nothing {
            let contacts = self.state.contacts();
            if contacts.is_stopping() {
                return Err(Over::Close(
                    close_code::RESTART,
                    "The server stops; come again with the number of the last turn.".to_owned(),
                ));
            }
            // One who comes back after the end has heard it.
            if contacts
                .session(&self.contact)
                .await
                .is_ok_and(|session| session.has_ended())
            {
                return Err(Self::ended());
            }
        }
        Ok(())
    }

    fn ended() -> Over {
        Over::Close(close_code::NORMAL, "The contact has ended.".to_owned())
    }

    async fn take(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Over> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Binary(_))) => {
                return Err(Over::Close(
                    close_code::UNSUPPORTED,
                    "Send texts of JSON, no bytes.".to_owned(),
                ));
            }
            Some(Ok(Message::Close(_))) | None => return Err(Over::Gone),
            Some(Err(error)) => {
                let error = error.into_inner();
                let too_large = matches!(
                    error.downcast_ref::<tungstenite::Error>(),
                    Some(tungstenite::Error::Capacity(_))
                );
                tracing::debug!(contact = %self.contact, "a chat's WebSocket broke");
                return Err(if too_large {
                    Over::Close(
                        close_code::SIZE,
                        format!("A message has at most {SOCKET_MESSAGE_BYTES_MAX} bytes."),
                    )
                } else {
                    Over::Gone
                });
            }
        };
        if !self.allowance.take(Instant::now()) {
            return Err(Over::Close(
                close_code::POLICY,
                format!("Inputs come too fast: one each {SOCKET_INPUT_EVERY} in the long run."),
            ));
        }
        let (id, answered) = match body::read::<Given>(text.as_bytes()) {
            Ok(given) => {
                let id = given.id.clone();
                (Some(id), callers::take(&self.state, &self.contact, given).await)
            }
            Err(refusal) => (None, Err(refusal)),
        };
        let answer = match (id, answered) {
            (Some(id), Ok(taken)) => Answer::Taken {
                id,
                seq: taken.seq,
                reply: taken.reply,
            },
            (id, Err(refusal)) => Answer::Problem {
                id,
                problem: refusal.into_problem(),
            },
            (None, Ok(_)) => return Ok(()),
        };
        self.tell(&answer).await
    }

    async fn tell<T: serde::Serialize + Sync>(&mut self, what: &T) -> Result<(), Over> {
        let text = serde_json::to_string(what).expect("turns and answers are texts and numbers");
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Over> {
        match timeout(SOCKET_SEND_WITHIN.to_std(), self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over::Gone),
        }
    }
}

#[cfg(test)]
mod tests;
