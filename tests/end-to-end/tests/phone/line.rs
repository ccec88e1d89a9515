//! The sound of a caller whose signalling sipp does: one socket that talks and listens as phones do, a
//! packet every 20 ms, keys as events (RFC 4733) in the same stream.
//!
//! It knows nothing of Trunkline but where it sends from: that is learnt from its first packet, unless
//! the test says so.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use end_to_end::{LOOK_EVERY, PATIENCE};
use tokio::{
    net::UdpSocket,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior},
};

use crate::{
    g711::Codec,
    sound::{self, pitch},
};

/// Samples of a packet.
const FRAME: u32 = 160;
/// How long a packet is.
const PACKET: Duration = Duration::from_millis(20);
/// Packets in which a tone is looked for: a fifth of a second.
const WINDOW: usize = 10;
/// The payload type of keys, as the scenarios write it.
const KEYS: u8 = 101;
/// The keys in the order of their codes.
const CODES: &str = "0123456789*#";

/// A packet that was heard.
#[derive(Clone, Debug)]
struct Heard {
    at: Instant,
    payload_type: u8,
    payload: Vec<u8>,
}

impl Heard {
    /// Its sound; none of a packet that is no sound.
    fn samples(&self) -> Vec<i16> {
        let Some(codec) = Codec::of(self.payload_type) else {
            return Vec::new();
        };
        self.payload.iter().map(|octet| codec.decode(*octet)).collect()
    }
}

/// What a caller sends next, frame by frame.
enum Frame {
    /// Sound, encoded.
    Sound(Vec<u8>),
    /// An event: its code, whether this is its first packet, whether it is over, and how long it is.
    Key {
        code: u8,
        first: bool,
        over: bool,
        samples: u16,
    },
}

struct State {
    codec: Codec,
    to: Option<SocketAddr>,
    /// A tone that goes on and on beneath.
    hums: Vec<u8>,
    hummed: usize,
    /// What is sent where nothing else is.
    silence: u8,
    queue: VecDeque<Frame>,
    sequence: u16,
    time: u32,
    /// When the key that is down began.
    key_began: u32,
    sent: usize,
    heard: Vec<Heard>,
    /// How many packets of these the test has taken notice of.
    noticed: usize,
}

/// A caller's sound. It goes silent when this goes.
pub(crate) struct Line {
    state: Arc<Mutex<State>>,
    port: u16,
    tasks: [JoinHandle<()>; 2],
}

impl Line {
    /// A line that speaks a codec.
    pub(crate) async fn open(codec: Codec) -> Self {
        let socket = Arc::new(
            UdpSocket::bind("127.0.0.1:0")
                .await
                .expect("there is a port on loopback"),
        );
        let port = socket.local_addr().expect("a socket has an address").port();
        let state = Arc::new(Mutex::new(State {
            codec,
            to: None,
            hums: Vec::new(),
            hummed: 0,
            silence: codec.encode(0),
            queue: VecDeque::new(),
            sequence: 65_500,
            time: u32::MAX - 2_000,
            key_began: 0,
            sent: 0,
            heard: Vec::new(),
            noticed: 0,
        }));
        let listening = tokio::spawn(listen(socket.clone(), state.clone()));
        let talking = tokio::spawn(talk(socket, state.clone()));
        Self {
            state,
            port,
            tasks: [listening, talking],
        }
    }

    /// The port that a scenario names in its description.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Presses keys, one after the other, a tenth of a second each.
    pub(crate) fn press(&self, keys: &str) {
        let mut state = self.state();
        for key in keys.chars() {
            let code = CODES.find(key).expect("a key of a phone");
            let code = u8::try_from(code).expect("there are twelve");
            for packet in 1..=5_u16 {
                state.queue.push_back(Frame::Key {
                    code,
                    first: packet == 1,
                    over: false,
                    samples: packet * 160,
                });
            }
            // The end is sent three times, as RFC 4733 has it.
            for _ in 0..3 {
                state.queue.push_back(Frame::Key {
                    code,
                    first: false,
                    over: true,
                    samples: 800,
                });
            }
            for _ in 0..4 {
                let silence = vec![state.silence; FRAME as usize];
                state.queue.push_back(Frame::Sound(silence));
            }
        }
    }

    /// Sends a tone from now on.
    pub(crate) fn hum(&self, hertz: u32) {
        // A second of a tone of whole hertz has no seam.
        let mut state = self.state();
        let codec = state.codec;
        state.hums = sound::tone(hertz, 1.0)
            .into_iter()
            .map(|sample| codec.encode(sample))
            .collect();
        state.hummed = 0;
    }

    /// How many packets came so far.
    pub(crate) fn count(&self) -> usize {
        self.state().heard.len()
    }

    /// What was heard in the last while.
    fn lately(&self, for_: Duration) -> Vec<i16> {
        let since = Instant::now().checked_sub(for_);
        let state = self.state();
        let lately = state.heard.iter().filter(|heard| Some(heard.at) > since);
        lately.flat_map(Heard::samples).collect()
    }

    /// How much sound was heard so far, silence left out. It is that of the packets, however late they come.
    pub(crate) fn sound(&self) -> Duration {
        let state = self.state();
        let loud = state
            .heard
            .iter()
            .filter(|heard| sound::is_loud(&heard.samples()));
        PACKET * u32::try_from(loud.count()).expect("a test's sounds are short")
    }

    /// The payload type of the last packet.
    pub(crate) fn last_payload_type(&self) -> Option<u8> {
        self.state().heard.last().map(|heard| heard.payload_type)
    }

    /// Waits for a tone to be heard; what came before it counts as noticed.
    pub(crate) async fn hears(&self, hertz: u32) {
        self.waits(
            || self.notices(|heard| heard.abs_diff(hertz) <= 20),
            || format!("{hertz} Hz"),
        )
        .await;
    }

    /// Waits for something else than a tone to be heard, whatever it is; what came before it counts as noticed.
    pub(crate) async fn hears_other_than(&self, hertz: u32) {
        self.waits(
            || self.notices(|heard| heard.abs_diff(hertz) > 20),
            || format!("anything but {hertz} Hz"),
        )
        .await;
    }

    /// Looks for a pitch in what was not noticed yet, however late the test looks.
    fn notices(&self, is_it: impl Fn(u32) -> bool) -> bool {
        let mut state = self.state();
        let from = state.noticed;
        let found = state.heard[from..].chunks_exact(WINDOW).position(|window| {
            let samples: Vec<i16> = window.iter().flat_map(Heard::samples).collect();
            pitch(&samples).is_some_and(&is_it)
        });
        let looked_at = match found {
            Some(at) => (at + 1) * WINDOW,
            None => (state.heard.len() - from) / WINDOW * WINDOW,
        };
        state.noticed = from + looked_at;
        found.is_some()
    }

    /// Waits for silence, or for nothing to come; what came before counts as noticed.
    pub(crate) async fn hears_nothing(&self) {
        self.waits(
            || sound::loudness(&self.lately(Duration::from_millis(300))) < 50.0,
            || "silence".to_owned(),
        )
        .await;
        let mut state = self.state();
        state.noticed = state.heard.len();
    }

    async fn waits(&self, mut holds: impl FnMut() -> bool, what: impl Fn() -> String) {
        let patience = Instant::now() + PATIENCE;
        while !holds() {
            if Instant::now() > patience {
                let (heard, sent) = (self.count(), self.state().sent);
                let now = pitch(&self.lately(Duration::from_millis(300)));
                panic!(
                    "{} was not heard within {} s; {heard} packets came, {sent} were sent, and {now:?} Hz is heard now",
                    what(),
                    PATIENCE.as_secs(),
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(socket: Arc<UdpSocket>, state: Arc<Mutex<State>>) {
    let mut datagram = [0; 2_048];
    loop {
        // A far end that is gone is told as an error of the next call; the line stays open.
        let Ok((count, from)) = socket.recv_from(&mut datagram).await else {
            continue;
        };
        let is_rtp = count > 12 && datagram[0] >> 6 == 2 && !(200..=207).contains(&datagram[1]);
        if !is_rtp {
            continue;
        }
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.to = Some(from);
        state.heard.push(Heard {
            at: Instant::now(),
            payload_type: datagram[1] & 0x7f,
            payload: datagram[12..count].to_vec(),
        });
    }
}

async fn talk(socket: Arc<UdpSocket>, state: Arc<Mutex<State>>) {
    let mut ticks = tokio::time::interval(PACKET);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let packet = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(to) = state.to else { continue };
            state.sent += 1;
            (state.next(), to)
        };
        let _ = socket.send_to(&packet.0, packet.1).await;
    }
}

impl State {
    fn next(&mut self) -> Vec<u8> {
        let frame = self.queue.pop_front().unwrap_or_else(|| self.beneath());
        let (marker, payload_type, time, payload) = match frame {
            Frame::Sound(samples) => (false, self.codec.payload_type(), self.time, samples),
            Frame::Key {
                code,
                first,
                over,
                samples,
            } => {
                if first {
                    self.key_began = self.time;
                }
                let [high, low] = samples.to_be_bytes();
                let flags = if over { 0x8a } else { 0x0a };
                (first, KEYS, self.key_began, vec![code, flags, high, low])
            }
        };
        let mut packet = vec![0x80, u8::from(marker) << 7 | payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(time.to_be_bytes());
        packet.extend(0x5157_0042_u32.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.time = self.time.wrapping_add(FRAME);
        packet
    }

    fn beneath(&mut self) -> Frame {
        if self.hums.is_empty() {
            return Frame::Sound(vec![self.silence; FRAME as usize]);
        }
        let at = self.hummed % self.hums.len();
        self.hummed += FRAME as usize;
        Frame::Sound(self.hums[at..at + FRAME as usize].to_vec())
    }
}
