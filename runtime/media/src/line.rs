//! A stream, on its worker's side.

mod receive;
mod relay;
mod report;
mod send;
mod speech;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use mio::net::UdpSocket;
use tokio::sync::mpsc::{self, error::TrySendError};

pub(crate) use self::receive::Received;
use self::{
    relay::{RelayedKey, Tie},
    report::Reports,
    send::KeyOut,
    speech::Speech,
};
use crate::{
    Heard, Remote, StreamId,
    clock::Instant,
    command::{Action, Order},
    keys::Detector,
    limits::{
        DATAGRAM_BYTES_MAX, DATAGRAMS_PER_TICK_MAX, FRAME, HEARD_WAITING_MAX, HIDDEN_TAIL_TICKS,
        KEYS_PER_SECOND_MAX, LATCH_ADDRESSES_MAX, PACKET_SAMPLES_MAX, RATE, RELAY_GAP_TICKS,
        ROOM_DELAY_SAMPLES, SILENT_AFTER, TICK,
    },
    playing::{Over, Playing},
    random,
    recorder::Recorder,
    remote::Source,
    room::{Mix, RoomId},
    sequence::Sequence,
    statistics::{Counters, WorkerCounters},
    window::Window,
    writer::Writing,
};

/// What a worker lends its lines.
pub(crate) struct Desk {
    /// When this pass began.
    pub(crate) now: Instant,
    /// When the packets of this tick were due.
    pub(crate) due: Instant,
    /// Common to all workers: reports count from it.
    pub(crate) epoch: Instant,
    pub(crate) counters: Arc<WorkerCounters>,
    pub(crate) writing: Writing,
    /// Packets are written here.
    pub(crate) packet: [u8; DATAGRAM_BYTES_MAX],
    /// Sound is decoded here.
    pub(crate) samples: [i16; PACKET_SAMPLES_MAX],
    pub(crate) over: Vec<Over>,
    pub(crate) recordings: u64,
}

const TICKS_PER_SECOND: u32 = (1_000 / TICK.as_millis()) as u32;
const SILENT_TICKS: u32 = (SILENT_AFTER.as_millis() / TICK.as_millis()) as u32;

pub(crate) struct Line {
    pub(crate) id: StreamId,
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    /// Which sockets may hold datagrams: RTP, RTCP.
    pub(crate) readable: [bool; 2],
    /// Datagrams that it may still cost in this tick.
    pub(crate) budget: u32,
    /// The worker where it is; its handle reads it.
    pub(crate) place: Arc<AtomicUsize>,
    /// Workers that pass on its commands.
    pub(crate) visited: Vec<usize>,
    pub(crate) partner: Option<StreamId>,
    pub(crate) room: Option<RoomId>,
    /// The last word on both of them.
    pub(crate) joined_by: Order,
    remote: Option<Remote>,
    source: Source,
    heard: mpsc::Sender<Heard>,
    waiting: VecDeque<Heard>,
    counters: Arc<Counters>,

    // What is sent.
    ssrc: u32,
    sequence: u16,
    /// The time of the next frame.
    clock: u32,
    /// Where the sound ends that was sent last.
    sent_until: u32,
    marker: bool,
    playing: Playing,
    keys: VecDeque<KeyOut>,
    key: Option<KeyOut>,
    tie: Option<Tie>,
    /// Ticks since something was relayed, and after how many silence is filled in.
    relay_gap: u32,
    relay_gap_max: u32,
    /// The key that was relayed last.
    relayed_key: Option<RelayedKey>,

    // What is heard.
    incoming: Option<Sequence>,
    /// Of a sender that only keys come from, besides the one of sound.
    incoming_keys: Option<Sequence>,
    /// Tells the keys of this sender.
    detector: Detector,
    keys_of: Option<u32>,
    keys_left: u32,
    ticks: u32,
    ticks_without: u32,
    speech: Option<Speech>,
    listener: Option<mpsc::Sender<Arc<[i16]>>>,
    said: Option<Window>,
    recorder: Option<Recorder>,
    hidden: bool,
    hidden_ticks: u32,
    reports: Reports,
}

impl Line {
    pub(crate) fn new(
        id: StreamId,
        sockets: (UdpSocket, UdpSocket),
        place: Arc<AtomicUsize>,
        heard: mpsc::Sender<Heard>,
        counters: Arc<Counters>,
    ) -> Self {
        let (rtp, rtcp) = sockets;
        let clock = random::number();
        Self {
            id,
            rtp,
            rtcp,
            readable: [true; 2],
            budget: DATAGRAMS_PER_TICK_MAX,
            place,
            visited: Vec::new(),
            partner: None,
            room: None,
            joined_by: 0,
            remote: None,
            source: Source::default(),
            heard,
            waiting: VecDeque::new(),
            counters,
            ssrc: random::number(),
            // Below the half, so that old receivers do not take the first turn for a loss (RFC 3711, 3.3.1).
            sequence: (random::number() & 0x7fff) as u16,
            clock,
            sent_until: clock,
            marker: true,
            playing: Playing::default(),
            keys: VecDeque::new(),
            key: None,
            tie: None,
            relay_gap: 0,
            relay_gap_max: RELAY_GAP_TICKS,
            relayed_key: None,
            incoming: None,
            incoming_keys: None,
            detector: Detector::default(),
            keys_of: None,
            keys_left: KEYS_PER_SECOND_MAX,
            ticks: 0,
            ticks_without: 0,
            speech: None,
            listener: None,
            said: None,
            recorder: None,
            hidden: false,
            hidden_ticks: 0,
            reports: Reports::new(),
        }
    }

    /// Tells the owner, now or when there is room. News of what was asked for is kept longest.
    fn tell(&mut self, heard: Heard) {
        if self.waiting.is_empty() {
            match self.heard.try_send(heard) {
                Ok(()) | Err(TrySendError::Closed(_)) => {}
                Err(TrySendError::Full(heard)) => self.waiting.push_back(heard),
            }
        } else if self.waiting.len() < HEARD_WAITING_MAX {
            self.waiting.push_back(heard);
        } else {
            if matches!(heard, Heard::Played { .. } | Heard::Recording(_))
                && let Some(place) = self
                    .waiting
                    .iter()
                    .position(|waiting| !matches!(waiting, Heard::Played { .. } | Heard::Recording(_)))
            {
                self.waiting.remove(place);
                self.waiting.push_back(heard);
            }
            self.counters.unheard.add(1);
        }
    }

    fn tell_waiting(&mut self) {
        while let Some(heard) = self.waiting.pop_front() {
            match self.heard.try_send(heard) {
                Ok(()) => {}
                Err(TrySendError::Full(heard)) => {
                    self.waiting.push_front(heard);
                    return;
                }
                Err(TrySendError::Closed(_)) => {
                    self.waiting.clear();
                    return;
                }
            }
        }
    }

    fn tell_over(&mut self, desk: &mut Desk) {
        for over in desk.over.drain(..) {
            self.tell(Heard::Played {
                id: over.id,
                complete: over.complete,
            });
        }
    }

    /// Carries out what concerns this line alone.
    pub(crate) fn act(&mut self, action: Action, desk: &mut Desk) {
        match action {
            Action::Connect(remote) => self.connect(remote),
            Action::Play {
                id,
                sounds,
                keys_stop,
            } => {
                if !self.playing.push(id, sounds, keys_stop) {
                    self.tell(Heard::Played { id, complete: false });
                }
            }
            Action::Repeat { id, sounds } => {
                if let Some(over) = self.playing.repeat(id, sounds) {
                    self.tell(Heard::Played {
                        id: over.id,
                        complete: over.complete,
                    });
                }
            }
            Action::Stop => {
                self.playing.stop(&mut desk.over);
                self.keys.clear();
                self.tell_over(desk);
            }
            Action::SendKeys(keys) => self.queue_keys(&keys, false),
            Action::Record(path) => {
                self.stop_recording(desk);
                desk.recordings += 1;
                let recorder = Recorder::begin(desk.recordings, path, self.heard.clone(), &mut desk.writing);
                self.recorder = Some(recorder);
            }
            Action::PauseRecording => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.pause(&mut desk.writing);
                }
            }
            Action::ResumeRecording => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.resume();
                }
            }
            Action::HideKeys(hidden) => {
                if self.hidden && !hidden {
                    self.hidden_ticks = HIDDEN_TAIL_TICKS;
                }
                self.hidden = hidden;
            }
            Action::StopRecording => self.stop_recording(desk),
            Action::Listen(to) => self.listener = to,
            Action::WatchSpeech(watched) => self.speech = watched.then(Speech::default),
            // These concern several lines: the worker carries them out.
            Action::Bridge { .. }
            | Action::Unbridge(_)
            | Action::Join { .. }
            | Action::LeaveRoom(_)
            | Action::Close => {}
        }
    }

    fn connect(&mut self, mut remote: Remote) {
        remote.only_from.allowed.truncate(LATCH_ADDRESSES_MAX);
        // The same far end, as after a hold: whoever is heard stays.
        let same = self
            .remote
            .as_ref()
            .is_some_and(|before| before.rtp == remote.rtp && before.only_from == remote.only_from);
        if !same {
            self.source = Source::default();
            self.marker = true;
        }
        self.remote = Some(remote);
        self.ticks_without = 0;
        self.tie = None;
    }

    fn stop_recording(&mut self, desk: &mut Desk) {
        if let Some(recorder) = self.recorder.take() {
            recorder.finish(&mut desk.writing);
        }
    }

    /// Joins it with another, or ends that.
    pub(crate) fn pair(&mut self, partner: Option<StreamId>) {
        self.partner = partner;
        self.tie = None;
        self.relay_gap = 0;
        self.relay_gap_max = RELAY_GAP_TICKS;
        self.relayed_key = None;
        self.marker = true;
    }

    /// Enters a room, or leaves it.
    pub(crate) fn enter(&mut self, room: Option<RoomId>) {
        if room != self.room {
            self.room = room;
            self.said = room.map(|_| Window::new(ROOM_DELAY_SAMPLES));
            self.marker = true;
        }
    }

    /// What it says into its room in this tick.
    pub(crate) fn say(&mut self) -> Option<[i16; FRAME]> {
        self.said.as_mut().map(Window::take)
    }

    /// Whether recordings must not have what it says.
    pub(crate) fn is_hidden(&self) -> bool {
        self.hidden || self.hidden_ticks > 0
    }

    /// 20 ms have passed.
    pub(crate) fn tick(&mut self, desk: &mut Desk, mix: Option<&Mix>) {
        self.budget = DATAGRAMS_PER_TICK_MAX;
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(TICKS_PER_SECOND) {
            self.keys_left = KEYS_PER_SECOND_MAX;
        }
        if !self.waiting.is_empty() {
            self.tell_waiting();
        }
        self.watch_silence();
        self.hidden_ticks = self.hidden_ticks.saturating_sub(1);
        self.record_tick(desk);
        self.send_tick(desk, mix);
        self.clock = self.clock.wrapping_add(FRAME as u32);
        self.report_tick(desk);
    }

    /// A stall is not made up for: time goes on without packets.
    pub(crate) fn skip(&mut self, ticks: u32, desk: &mut Desk) {
        self.clock = self.clock.wrapping_add(ticks.wrapping_mul(FRAME as u32));
        for _ in 0..ticks {
            self.record_tick(desk);
        }
    }

    fn record_tick(&mut self, desk: &mut Desk) {
        if let Some(recorder) = &mut self.recorder
            && !recorder.tick(&mut desk.writing)
        {
            self.stop_recording(desk);
        }
    }

    fn watch_silence(&mut self) {
        if !self.remote.as_ref().is_some_and(|remote| remote.receives) {
            self.ticks_without = 0;
            return;
        }
        self.ticks_without = self.ticks_without.saturating_add(1);
        // Told again and again, so that whoever waits longer before ending the call hears of it.
        if self.ticks_without.is_multiple_of(SILENT_TICKS) {
            self.tell(Heard::Silent {
                for_s: u64::from(self.ticks_without / TICKS_PER_SECOND),
            });
        }
    }

    /// Says goodbye, and completes what is open.
    pub(crate) fn close(&mut self, desk: &mut Desk) {
        self.stop_recording(desk);
        self.playing.stop(&mut desk.over);
        self.tell_over(desk);
        self.tell_waiting();
        self.say_goodbye(desk);
    }

    /// It has come to a worker.
    pub(crate) fn arrive(&mut self, worker: usize) {
        self.place.store(worker, Relaxed);
        self.readable = [true; 2];
        self.visited.retain(|visited| *visited != worker);
    }

    /// Samples as time.
    fn duration(samples: u32) -> Duration {
        Duration::from_micros(u64::from(samples) * 1_000_000 / u64::from(RATE))
    }
}
