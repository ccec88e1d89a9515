//! A far end for tests: a small RTP endpoint of its own, which sends sounds and keys and keeps what it hears.
//!
//! It is not a [`Stream`](crate::Stream): one socket, one thread, no RTCP, and no care for anything
//! but being an honest phone. Tests of this crate and of others talk to it over real sockets.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use crate::{
    Codec, Sound, clock,
    keys::{Detector, Event, Pressed, Sending},
    limits::{DATAGRAM_BYTES_MAX, FRAME, PEER_PACKETS_MAX, TICK},
    random, rtp,
};

/// A packet that a peer heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// From where it came.
    pub from: SocketAddr,
    /// As in [`rtp::Packet`].
    pub marker: bool,
    /// As in [`rtp::Packet`].
    pub payload_type: u8,
    /// As in [`rtp::Packet`].
    pub sequence: u16,
    /// As in [`rtp::Packet`].
    pub timestamp: u32,
    /// As in [`rtp::Packet`].
    pub ssrc: u32,
    /// As in [`rtp::Packet`].
    pub payload: Vec<u8>,
}

/// Whom a peer talks to.
#[derive(Clone, Copy, Debug)]
struct Call {
    to: SocketAddr,
    codec: Codec,
    keys: Option<u8>,
}

enum Item {
    Sound(Arc<[u8]>, usize),
    Key(Sending, Option<u32>),
}

#[derive(Default)]
struct State {
    call: Option<Call>,
    /// Sounds and keys, one after the other.
    queue: VecDeque<Item>,
    heard: Vec<Packet>,
}

struct Inner {
    socket: UdpSocket,
    state: Mutex<State>,
    changed: Condvar,
    ended: AtomicBool,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A far end. Dropping it closes its socket.
pub struct Peer {
    inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Binds a port of the system's choice.
    ///
    /// # Errors
    /// When there is no socket or no thread.
    pub fn bind(address: IpAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((address, 0))?;
        let inner = Arc::new(Inner {
            socket,
            state: Mutex::default(),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
        });
        let running = Arc::clone(&inner);
        let thread = std::thread::Builder::new()
            .name("peer".into())
            .spawn(move || run(&running))?;
        Ok(Self {
            inner,
            thread: Some(thread),
        })
    }

    /// Where it hears.
    ///
    /// # Errors
    /// When the socket has none.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.inner.socket.local_addr()
    }

    /// Begins to send, a frame every 20 ms: what is queued, else silence.
    pub fn talk(&self, to: SocketAddr, codec: Codec, keys: Option<u8>) {
        self.inner.state().call = Some(Call { to, codec, keys });
    }

    /// Sends nothing more.
    pub fn hush(&self) {
        self.inner.state().call = None;
    }

    /// Queues a sound; it must have been told whom to talk to, and how.
    pub fn play(&self, sound: &Sound) {
        let mut state = self.inner.state();
        if let Some(call) = state.call {
            state.queue.push_back(Item::Sound(sound.encoded(call.codec), 0));
        }
    }

    /// Queues keys, as events.
    pub fn press(&self, keys: &str) {
        let mut state = self.inner.state();
        let codes = keys.chars().filter_map(Event::code_of);
        state
            .queue
            .extend(codes.map(|code| Item::Key(Sending::new(code), None)));
    }

    /// Sends any bytes, as an attacker would.
    ///
    /// # Errors
    /// When the socket does not take them.
    pub fn send_raw(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.inner.socket.send_to(bytes, to).map(|_| ())
    }

    /// What it has heard, in the order of its coming.
    #[must_use]
    pub fn heard(&self) -> Vec<Packet> {
        self.inner.state().heard.clone()
    }

    /// Forgets what it has heard.
    pub fn forget(&self) {
        self.inner.state().heard.clear();
    }

    /// The sound that it has heard, in the order of sequence numbers; without what was lost, and without
    /// keys.
    #[must_use]
    pub fn sound(&self) -> Vec<i16> {
        sound(&self.heard())
    }

    /// The keys that it has heard as events; `keys` is their payload type.
    #[must_use]
    pub fn keys(&self, keys: u8) -> String {
        let mut detector = Detector::default();
        self.heard()
            .iter()
            .filter(|packet| packet.payload_type == keys)
            .filter_map(
                |packet| match detector.take(packet.timestamp, Event::parse(&packet.payload)?)? {
                    Pressed::Down { key, .. } => Some(key),
                    Pressed::Up { .. } => None,
                },
            )
            .collect()
    }

    /// Waits until what it has heard is enough, looking at each packet; false when it took too long.
    #[must_use]
    pub fn wait_until(&self, at_most: Duration, enough: impl Fn(&[Packet]) -> bool) -> bool {
        let state = self.inner.state();
        let waited = self
            .inner
            .changed
            .wait_timeout_while(state, at_most, |state| !enough(&state.heard));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        enough(&state.heard)
    }

    /// Whether all that was queued is sent.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.inner.state().queue.is_empty()
    }
}

/// The sound of packets, in the order of sequence numbers.
#[must_use]
pub fn sound(packets: &[Packet]) -> Vec<i16> {
    let Some(first) = packets.first() else {
        return Vec::new();
    };
    let mut sound: Vec<(i16, &Packet, Codec)> = packets
        .iter()
        .filter_map(|packet| {
            let place = packet.sequence.wrapping_sub(first.sequence) as i16;
            Some((place, packet, Codec::of_payload_type(packet.payload_type)?))
        })
        .collect();
    sound.sort_by_key(|(place, ..)| *place);
    sound
        .iter()
        .flat_map(|(_, packet, codec)| packet.payload.iter().map(|byte| codec.sample(*byte)))
        .collect()
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.inner.ended.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that broke down has shown why.
            let _ = thread.join();
        }
    }
}

fn run(inner: &Inner) {
    let mut datagram = [0; DATAGRAM_BYTES_MAX];
    let (ssrc, mut sequence, mut timestamp) = (random::number(), random::number() as u16, random::number());
    let mut deadline = clock::now() + TICK;
    while !inner.ended.load(Relaxed) {
        let wait = deadline.saturating_duration_since(clock::now());
        if wait.is_zero() {
            send_tick(inner, ssrc, &mut sequence, timestamp);
            timestamp = timestamp.wrapping_add(FRAME as u32);
            deadline += TICK;
            continue;
        }
        if inner.socket.set_read_timeout(Some(wait)).is_err() {
            return;
        }
        let Ok((length, from)) = inner.socket.recv_from(&mut datagram) else {
            continue;
        };
        let Ok(packet) = rtp::parse(&datagram[..length]) else {
            continue;
        };
        let mut state = inner.state();
        if state.heard.len() < PEER_PACKETS_MAX && !rtp::is_rtcp(&datagram[..length]) {
            state.heard.push(Packet {
                from,
                marker: packet.marker,
                payload_type: packet.payload_type,
                sequence: packet.sequence,
                timestamp: packet.timestamp,
                ssrc: packet.ssrc,
                payload: packet.payload.to_vec(),
            });
        }
        inner.changed.notify_all();
    }
}

fn send_tick(inner: &Inner, ssrc: u32, sequence: &mut u16, now: u32) {
    let mut state = inner.state();
    let Some(call) = state.call else {
        return;
    };
    let silence = [call.codec.silence(); FRAME];
    let mut frame = silence;
    let mut event = None;
    let over = match state.queue.front_mut() {
        Some(Item::Sound(bytes, at)) => {
            let rest = bytes.get(*at..).unwrap_or_default();
            let length = rest.len().min(FRAME);
            frame[..length].copy_from_slice(&rest[..length]);
            *at += FRAME;
            *at >= bytes.len()
        }
        Some(Item::Key(sending, begin)) => {
            event = sending.next().map(|sent| (sent, *begin.get_or_insert(now)));
            sending.is_over()
        }
        None => false,
    };
    if over {
        state.queue.pop_front();
    }
    drop(state);
    let bytes;
    let (payload_type, marker, timestamp, payload) = match (event, call.keys) {
        (Some((sent, begin)), Some(keys)) => {
            bytes = sent.event.bytes();
            (keys, sent.first, begin, &bytes[..])
        }
        _ => (call.codec.payload_type(), false, now, &frame[..]),
    };
    let packet = rtp::Packet {
        marker,
        payload_type,
        sequence: *sequence,
        timestamp,
        ssrc,
        payload,
    };
    let mut into = [0; rtp::HEADER_BYTES + FRAME];
    let length = rtp::write(&packet, &mut into);
    *sequence = sequence.wrapping_add(1);
    // A stream that is gone refuses: an honest phone talks on.
    let _ = inner.socket.send_to(&into[..length], call.to);
}
