//! What a line sends at a tick: keys, else what is played, else what it is joined with, else music, else
//! silence.

use super::{Desk, Line};
use crate::{
    Codec, Sound, Tone, clock,
    keys::{Event, Sending},
    limits::{FRAME, KEYS_QUEUED_MAX, LATE_AFTER},
    room::Mix,
    rtp,
};

/// A key on its way out.
pub(super) enum KeyOut {
    /// Not yet begun: as an event or a tone is decided then. Hidden from recordings, or not.
    Waiting(char, bool),
    /// As an event, with the time of its begin.
    Event(Sending, u32),
    /// As a tone, and how far; hidden, or not.
    Tone(Sound, usize, bool),
    /// Ticks without a key.
    Pause(u32),
}

/// What a comma stands for.
const PAUSE_TICKS: u32 = 25;

impl Line {
    /// Whether we may send, and what.
    pub(super) fn sends(&self) -> Option<(Codec, Option<u8>)> {
        self.remote
            .as_ref()
            .filter(|remote| remote.sends)
            .map(|remote| (remote.codec, remote.keys))
    }

    /// Whether something of its own is to be heard, which nothing relayed may cover.
    pub(super) fn speaks_itself(&self) -> bool {
        self.playing.is_busy() || self.key.is_some() || !self.keys.is_empty()
    }

    /// Queues keys to be sent; recordings have no tone of those that are hidden.
    pub(crate) fn queue_keys(&mut self, keys: &str, hidden: bool) {
        for key in keys.chars() {
            if self.keys.len() >= KEYS_QUEUED_MAX {
                break;
            }
            match key {
                ',' | 'w' | 'W' => self.keys.push_back(KeyOut::Pause(PAUSE_TICKS)),
                key if Event::code_of(key).is_some() => self.keys.push_back(KeyOut::Waiting(key, hidden)),
                _ => {}
            }
        }
    }

    pub(super) fn send_tick(&mut self, desk: &mut Desk, mix: Option<&Mix>) {
        let Some((codec, keys)) = self.sends() else {
            return;
        };
        let mut frame = [codec.silence(); FRAME];
        if self.send_key(desk, codec, keys, &mut frame) {
            return;
        }
        if self.playing.next(codec, &mut frame, &mut desk.over) {
            self.send_frame(desk, codec, &frame, false);
            self.tell_over(desk);
            return;
        }
        // Pieces without any sound are over too.
        self.tell_over(desk);
        if self.partner.is_some() {
            self.relay_gap = self.relay_gap.saturating_add(1);
            if self.relay_gap > self.relay_gap_max {
                self.send_frame(desk, codec, &frame, false);
            }
            return;
        }
        // Who waits alone in a room, or with somebody who only listens, has music.
        if let Some(mix) = mix.filter(|mix| !mix.alone || !self.playing.has_music()) {
            codec.encode_into(&mix.samples, &mut frame);
            self.send_frame(desk, codec, &frame, mix.hidden);
            return;
        }
        if !self.playing.next_of_music(codec, &mut frame) {
            frame.fill(codec.silence());
        }
        self.send_frame(desk, codec, &frame, false);
    }

    /// Sends what the key that is being sent needs in this tick; false when the tick is free for sound.
    fn send_key(&mut self, desk: &mut Desk, codec: Codec, keys: Option<u8>, frame: &mut [u8; FRAME]) -> bool {
        if self.key.is_none() {
            self.key = match self.keys.pop_front() {
                None => return false,
                Some(KeyOut::Waiting(key, hidden)) => match (keys, Event::code_of(key)) {
                    (Some(_), Some(code)) => Some(KeyOut::Event(Sending::new(code), self.time())),
                    _ => Some(KeyOut::Tone(Sound::tone(Tone::Key(key)), 0, hidden)),
                },
                other => other,
            };
        }
        match self.key.take() {
            Some(KeyOut::Event(mut sending, begin)) => {
                let sent = sending.next();
                if !sending.is_over() {
                    self.key = Some(KeyOut::Event(sending, begin));
                }
                // The type may have gone in a re-INVITE: then the rest of the key is left out.
                let (Some(sent), Some(payload_type)) = (sent, keys) else {
                    return false;
                };
                let sequence = self.next_sequence();
                self.marker = true;
                self.send(
                    desk,
                    payload_type,
                    sent.first,
                    sequence,
                    begin,
                    &sent.event.bytes(),
                );
                self.count_late(desk);
                true
            }
            Some(KeyOut::Tone(sound, at, hidden)) => {
                let rest = sound.bytes(codec).get(at..).unwrap_or_default();
                let length = rest.len().min(FRAME);
                frame[..length].copy_from_slice(&rest[..length]);
                if rest.len() > FRAME {
                    self.key = Some(KeyOut::Tone(sound, at + FRAME, hidden));
                }
                self.send_frame(desk, codec, frame, hidden);
                true
            }
            Some(KeyOut::Pause(ticks)) if ticks > 1 => {
                self.key = Some(KeyOut::Pause(ticks - 1));
                false
            }
            _ => false,
        }
    }

    fn next_sequence(&mut self) -> u16 {
        self.tie = None;
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        sequence
    }

    /// The time of a frame that begins now: never before the end of what was relayed.
    pub(super) fn time(&mut self) -> u32 {
        let overlap = self.sent_until.wrapping_sub(self.clock);
        // A relayed stream may run ahead by a little; more is another clock, which no longer matters.
        if (1..=FRAME as u32 * 50).contains(&overlap) {
            self.clock = self.sent_until;
        }
        self.clock
    }

    fn send_frame(&mut self, desk: &mut Desk, codec: Codec, frame: &[u8; FRAME], hidden: bool) {
        let timestamp = self.time();
        let sequence = self.next_sequence();
        let marker = std::mem::take(&mut self.marker);
        self.send(desk, codec.payload_type(), marker, sequence, timestamp, frame);
        self.count_late(desk);
        self.sent_until = timestamp.wrapping_add(FRAME as u32);
        self.record_sent(desk, codec, timestamp, frame, hidden);
    }

    pub(super) fn record_sent(
        &mut self,
        desk: &mut Desk,
        codec: Codec,
        timestamp: u32,
        sound: &[u8],
        hidden: bool,
    ) {
        if let Some(recorder) = &mut self.recorder
            && !hidden
        {
            let length = codec.decode_into(sound, &mut desk.samples);
            recorder.sent(timestamp, &desk.samples[..length]);
        }
    }

    pub(super) fn send(
        &mut self,
        desk: &mut Desk,
        payload_type: u8,
        marker: bool,
        sequence: u16,
        timestamp: u32,
        payload: &[u8],
    ) {
        let Some(remote) = &self.remote else {
            return;
        };
        let packet = rtp::Packet {
            marker,
            payload_type,
            sequence,
            timestamp,
            ssrc: self.ssrc,
            payload,
        };
        let length = rtp::write(&packet, &mut desk.packet);
        if length == 0
            || self
                .rtp
                .send_to(&desk.packet[..length], self.source.target(remote))
                .is_err()
        {
            // The way is blocked for now, as by a full buffer; a call is not ended by that.
            desk.counters.dropped.add(1);
            return;
        }
        self.reports.sent(timestamp);
        self.counters.packets_out.add(1);
        self.counters.octets_out.add(payload.len() as u64);
        desk.counters.sent.add(1);
    }

    /// Counts a packet of this tick that left too late. What is relayed leaves when it comes and is never
    /// late here.
    fn count_late(&self, desk: &Desk) {
        if clock::now().saturating_duration_since(desk.due) > LATE_AFTER {
            self.counters.late.add(1);
            desk.counters.late.add(1);
        }
    }
}
