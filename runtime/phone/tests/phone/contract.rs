//! The table of collection, `tests/collection/table.yaml`, played row by row over SIP and RTP: keys are
//! events of RFC 4733, words come through a provider that hears them, prompts are sound that is played
//! or waits while the caller has the line on hold. A row that a phone cannot carry is known by what its
//! channel declares ([`Carries`]) and by what the row shows, never by its name.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{SinkExt as _, StreamExt as _};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::sleep,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};
use trunkline_engine::{
    Carries, Channel, Event, Fact, Session,
    collect::{Keys, Prompts},
    session::State,
};
use trunkline_model::{ContactId, VariableName, json::to_json};
use trunkline_node::Clock;
use trunkline_sip::sdp::Direction;

use crate::common::{EVENING, Exchange, Far, Line, PATIENCE, tone, write};

#[path = "../../../../tests/collection/table.rs"]
mod table;

use table::{PROMPTS, Row, flow, rows};

/// Rows that are played at once.
const AT_ONCE: usize = 12;

/// How long it is waited for what should not happen.
const NOTHING_WITHIN: Duration = Duration::from_millis(400);

/// Why a row cannot be shown on a phone; none when it can.
fn lacks(row: &Row, carries: &Carries) -> Option<&'static str> {
    let shows = |rule: &str| row.rules.iter().any(|shown| shown == rule);
    let comes = |what: &str| row.comes.iter().any(|line| line.starts_with(what));
    let one_by_one = matches!(carries.keys, Keys::OneByOne { .. });
    if row.channel == "text" {
        return Some("it is not text");
    }
    if row.given.iter().any(|given| given.starts_with("restart")) {
        return Some("a call does not outlive its server");
    }
    if one_by_one {
        // What comes with a key counts as one message: refused as a whole, dropped as a whole, or known
        // before the prompt that it answers is said.
        if shows("C11") && comes("refused") {
            return Some("keys that are refused together");
        }
        if shows("C12") {
            return Some("keys that are dropped together");
        }
        if shows("C10") && row.ahead.is_empty() && comes("said") {
            return Some("keys that come together");
        }
        // The first of them ends the contact and with it the call.
        if comes("exit") && comes("ahead") {
            return Some("keys after the end");
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_that_a_phone_carries_comes_out_as_it_is_written() {
    let carries = Channel::Phone.carries();
    assert!(matches!(carries.prompts, Prompts::Played { .. }) && carries.words);
    let rows: Vec<Arc<Row>> = rows().into_iter().map(Arc::new).collect();
    let (mut ran, mut left_out) = (Vec::new(), BTreeMap::<_, usize>::new());
    for row in &rows {
        match lacks(row, &carries) {
            None => ran.push(row.clone()),
            Some(why) => *left_out.entry(why).or_default() += 1,
        }
    }
    let caller = Arc::new(Far::carrier().await);
    let wrong: Vec<String> = futures::stream::iter(ran.clone())
        .map(|row| {
            let caller = caller.clone();
            async move {
                // A row that breaks down says so, and the others go on.
                let played = tokio::spawn(Play::run(row.clone(), caller)).await;
                let differences = played.unwrap_or_else(|broke| format!("  {broke}\n"));
                (!differences.is_empty()).then(|| format!("{}:\n{differences}", row.name))
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|wrong| async move { wrong })
        .collect()
        .await;
    assert!(
        wrong.is_empty(),
        "{} of {} rows\n{}",
        wrong.len(),
        ran.len(),
        wrong.join("\n")
    );
    assert_eq!(
        (ran.len(), left_out.values().sum::<usize>()),
        (170, 16),
        "{left_out:?}"
    );
}

/// A row on a line.
struct Play {
    exchange: Exchange,
    provider: Provider,
    contact: ContactId,
    line: Line,
    row: Arc<Row>,
    /// Whether the caller has the line on hold, so that prompts wait.
    holds: bool,
    /// Keys and words that the contact is to have taken or refused.
    given: usize,
}

impl Play {
    async fn run(row: Arc<Row>, caller: Arc<Far>) -> String {
        let provider = Provider::listen().await;
        let exchange = exchange(&row, provider.address).await;
        let holds = row.channel == "line";
        let direction = if holds {
            Direction::SendOnly
        } else {
            Direction::SendReceive
        };
        let line = caller.call_as(exchange.address, "1", direction, Vec::new()).await;
        let contact = exchange.contact(1).await;
        let mut play = Self {
            exchange,
            provider,
            contact,
            line,
            row: row.clone(),
            holds,
            given: 0,
        };
        for given in &row.ahead {
            play.happen(given).await;
        }
        play.pass(trunkline_model::Duration::from_secs(1)).await;
        for given in &row.given {
            play.happen(given).await;
        }
        let session = play.settled().await;
        if session.has_ended() {
            // What was not heard yet is heard when the caller takes the line back, and then it is let go.
            let _ = play.line.turn(Direction::SendReceive).await;
            play.line.is_let_go().await;
        }
        let differences = play.differences(&session).await;
        play.exchange.stop().await;
        differences
    }

    async fn happen(&mut self, given: &str) {
        let (what, with) = given.split_once(' ').unwrap_or((given, ""));
        match what {
            "keys" => {
                // A key pad has capital letters.
                self.line.press(&with.to_ascii_uppercase());
                self.given += with.chars().count();
                self.settled().await;
            }
            "text" => self.say(with).await,
            "wait" => self.pass(with.parse().expect("a length of time")).await,
            "played" => {
                let heard = |session: &Session| match with {
                    "notice" => session.notice.is_none(),
                    _ => session.unheard.is_none(),
                };
                let back = self.line.turn(Direction::SendReceive).await;
                self.exchange.until("it is heard", &self.contact, heard).await;
                let held = self.line.turn(Direction::SendOnly).await;
                // What was pressed before counts now: who is let go meanwhile holds nothing any more.
                if back.and(held).is_err() {
                    self.exchange
                        .until("it ends", &self.contact, Session::has_ended)
                        .await;
                }
            }
            other => panic!("{other}"),
        }
    }

    /// The caller says words.
    async fn say(&mut self, words: &str) {
        if self.row.comes.iter().any(|comes| comes.starts_with("refused")) {
            // Nobody listens, or nothing was understood: nothing comes of it.
            sleep(NOTHING_WITHIN).await;
            self.provider.say(words);
            sleep(NOTHING_WITHIN).await;
            self.settled().await;
            return;
        }
        self.given += 1;
        let waits = PATIENCE.as_millis() / 5;
        for _ in 0..waits {
            if self.counted().await >= self.given {
                break;
            }
            // Said to whoever listens to the question that is asked now; who listened before hears it
            // too, and is not asked any more.
            self.provider.say_once(words);
            sleep(Duration::from_millis(5)).await;
        }
        self.settled().await;
    }

    /// How much of what was given the contact has taken or refused.
    async fn counted(&self) -> usize {
        let events = self.exchange.events(&self.contact).await;
        let counts = |event: &&Event| matches!(event.fact, Fact::Heard { .. } | Fact::InputRefused { .. });
        events.iter().filter(counts).count()
    }

    /// Waits until all that was given has had its effect, and prompts that are played were.
    async fn settled(&self) -> Session {
        let mut session = self.exchange.session(&self.contact).await;
        for _ in 0..PATIENCE.as_millis() / 5 {
            session = self.exchange.session(&self.contact).await;
            let heard = self.holds || session.unheard.is_none();
            let rests = !matches!(session.state, State::Deciding);
            if session.has_ended() || heard && rests && self.counted().await >= self.given {
                return session;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!(
            "{}: {:?}, {} of {} given, unheard {:?}",
            self.row.name,
            session.state,
            self.counted().await,
            self.given,
            session.unheard
        );
    }

    /// Lets time pass, waking the contact whenever it wants to be woken.
    async fn pass(&mut self, time: trunkline_model::Duration) {
        let clock = self.exchange.clock.clone();
        let end = clock.now() + time;
        loop {
            let session = self.settled().await;
            let wake = session.pending().wake.filter(|wake| *wake <= end);
            let Some(wake) = wake else { break };
            clock.advance(wake.since(clock.now()));
            let (exchange, contact) = (&self.exchange, &self.contact);
            exchange
                .until("it wakes", contact, |session| {
                    session.pending().wake.is_none_or(|next| next > wake)
                })
                .await;
        }
        clock.advance(end.since(clock.now()));
    }

    /// What came of it, by the table's words.
    async fn outcome(&self, session: &Session) -> BTreeMap<&'static str, String> {
        let events = self.exchange.events(&self.contact).await;
        let facts = || events.iter().map(|event| &event.fact);
        let mut came = BTreeMap::new();
        for name in ["value", "second"] {
            let variable = VariableName::from(name);
            let value = session
                .frames
                .first()
                .and_then(|frame| frame.variables.get(&variable));
            if let Some(value) = value {
                came.insert(name, to_json(value).to_string());
            }
        }
        match &session.state {
            State::Ended { outcome, .. } => {
                came.insert("exit", outcome.to_string());
            }
            State::Hearing(hearing) => {
                came.insert("asked", String::new());
                came.insert(
                    "until",
                    hearing.until.since(self.exchange.clock.now()).to_string(),
                );
            }
            other => {
                came.insert("exit", format!("{other:?}"));
            }
        }
        let misheard = facts().filter_map(|fact| match fact {
            Fact::Misheard { why, .. } => Some(why.to_string()),
            _ => None,
        });
        came.insert("misheard", misheard.collect::<Vec<_>>().join(", "));
        let said = facts().filter_map(|fact| match fact {
            Fact::Said {
                prompt, notice: None, ..
            } => Some(prompt.as_ref()?.to_string()),
            _ => None,
        });
        came.insert("said", said.collect::<Vec<_>>().join(", "));
        came.insert("ahead", session.keys_ahead.to_string());
        let consent = facts().find_map(|fact| match fact {
            Fact::Consent { given, .. } => Some(given),
            _ => None,
        });
        if let Some(given) = consent {
            came.insert("consent", given.to_string());
        }
        let mut refused = facts().filter_map(|fact| match fact {
            Fact::InputRefused { why, .. } => Some(why.as_str()),
            _ => None,
        });
        came.insert("refused", refused.next_back().unwrap_or_default().to_owned());
        came
    }

    async fn differences(&self, session: &Session) -> String {
        let came = self.outcome(session).await;
        let mut wanted: BTreeMap<&str, &str> =
            BTreeMap::from([("misheard", ""), ("ahead", ""), ("refused", "")]);
        for line in &self.row.comes {
            let (what, with) = line.split_once(' ').unwrap_or((line, ""));
            wanted.insert(what, with);
        }
        let words = |given: &String| given.starts_with("text");
        if self.row.ahead.iter().chain(&self.row.given).any(words) {
            // Words that nobody listens to do not even come.
            wanted.insert("refused", "");
        }
        let mut out = String::new();
        for (what, with) in wanted {
            let is = came.get(what).map(String::as_str);
            if is != Some(with) {
                let _ = writeln!(out, "  {what}: {is:?} instead of {with:?}");
            }
        }
        out
    }
}

/// A hotline that asks the row's question, and its phone.
async fn exchange(row: &Row, ears: SocketAddr) -> Exchange {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let hotline = "hotline: table\nlanguages: [zh-CN]\ntime-zone: Asia/Shanghai\n\
                   numbers: { \"1\": { flow: row } }\n\
                   trunks: { carrier: { from: [127.0.0.1] } }\n\
                   voices: { zh-CN: { engine: tones } }\n\
                   ears: { engine: provider, languages: [zh-CN] }\n";
    write(folder.path(), "hotline.yaml", hotline.as_bytes());
    write(folder.path(), "flows/row.yaml", flow(row, "row", true).as_bytes());
    write(folder.path(), "prompts/zh-CN.yaml", PROMPTS.as_bytes());
    write(folder.path(), "short.wav", &tone(500.0, 40).to_wav());
    // A question that goes on when the notice before it is over.
    let length_ms = if row.notice { 60_000 } else { 40 };
    write(folder.path(), "question.wav", &tone(700.0, length_ms).to_wav());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let engine = format!(
        "case $(cat) in *告知*) cat {};; *) cat {};; esac",
        path("short.wav"),
        path("question.wav")
    );
    let more = format!(
        "[engines.tones]\ncommand = [\"sh\", \"-c\", {engine:?}]\n[ears.provider]\nurl = \"ws://{ears}/listen\"\n"
    );
    Exchange::start_in(folder, &more, Clock::still(EVENING)).await
}

/// A provider that understands what the row's caller says.
struct Provider {
    address: SocketAddr,
    listeners: Arc<Mutex<Vec<Listener>>>,
}

/// Somebody who listens to a question.
struct Listener {
    words: mpsc::UnboundedSender<String>,
    has_heard: bool,
}

impl Provider {
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let address = listener.local_addr().expect("it is bound");
        let listeners = Arc::new(Mutex::new(Vec::new()));
        let all = listeners.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(attend(stream, all.clone()));
            }
        });
        Self { address, listeners }
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All who listen hear words.
    fn say(&self, words: &str) {
        for listener in self.listeners().iter_mut() {
            listener.has_heard = true;
            let _ = listener.words.send(words.to_owned());
        }
    }

    /// Who listens and has heard nothing hears words.
    fn say_once(&self, words: &str) {
        for listener in self.listeners().iter_mut().filter(|listener| !listener.has_heard) {
            listener.has_heard = true;
            let _ = listener.words.send(words.to_owned());
        }
    }
}

/// Listens as `docs/reference/speech-input.md` says.
async fn attend(stream: TcpStream, listeners: Arc<Mutex<Vec<Listener>>>) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    let Some(Ok(Message::Text(start))) = socket.next().await else {
        return;
    };
    assert!(start.as_str().contains("\"language\":\"zh-CN\""), "{start}");
    let mut has_sound = false;
    let mut words = None;
    loop {
        let said = async {
            match &mut words {
                Some(words) => mpsc::UnboundedReceiver::recv(words).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(_))) if !has_sound => {
                    // Only who gets the caller's sound can understand it.
                    has_sound = true;
                    let (sender, receiver) = mpsc::unbounded_channel();
                    words = Some(receiver);
                    let listener = Listener { words: sender, has_heard: false };
                    listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
                }
                Some(Ok(Message::Binary(_))) => {}
                _ => return,
            },
            text = said => {
                let Some(text) = text else { return };
                let partial = serde_json::json!({ "type": "partial", "text": text });
                let heard = serde_json::json!({ "type": "final", "text": text, "confidence": 0.9 });
                let began = r#"{"type":"speech-started"}"#.to_owned();
                for message in [began, partial.to_string(), heard.to_string()] {
                    let _ = socket.send(Message::text(message)).await;
                }
            }
        }
    }
}
