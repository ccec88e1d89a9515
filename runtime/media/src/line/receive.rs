//! What a line makes of a datagram.

use std::net::SocketAddr;

use super::{Desk, Line};
use crate::{
    Codec, Heard,
    keys::{Detector, Event, Pressed},
    limits::{PACKET_SAMPLES_MAX, RATE},
    rtp::{self, COMFORT_NOISE},
    sequence::{Order, Sequence},
};

/// Lost packets in a row that a listener is given as silence.
const FILLED_MAX: u16 = 5;

/// A packet that counts, for whoever it is relayed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) payload: &'a [u8],
    /// Sound of that law; otherwise it is of a key.
    pub(crate) sound: Option<Codec>,
    /// A key goes down with it.
    pub(crate) pressed: Option<char>,
}

enum Kind {
    Sound(Codec),
    Key(Event),
    Noise,
}

impl Line {
    fn dropped(&self, desk: &Desk) {
        self.counters.dropped.add(1);
        desk.counters.dropped.add(1);
    }

    /// Takes a datagram from the RTP socket; gives what may be relayed.
    pub(crate) fn receive<'a>(
        &mut self,
        desk: &mut Desk,
        bytes: &'a [u8],
        from: SocketAddr,
    ) -> Option<Received<'a>> {
        if rtp::is_rtcp(bytes) {
            self.receive_report(desk, bytes, from);
            return None;
        }
        let received = self.take(desk, bytes, from);
        if received.is_none() {
            self.dropped(desk);
        }
        received.flatten()
    }

    /// None when it does not count; nothing inside when it counts and is not relayed.
    fn take<'a>(
        &mut self,
        desk: &mut Desk,
        bytes: &'a [u8],
        from: SocketAddr,
    ) -> Option<Option<Received<'a>>> {
        let remote = self.remote.as_ref()?;
        if !self.source.would_accept(from, remote) {
            return None;
        }
        let packet = rtp::parse(bytes).ok()?;
        let kind = if Some(packet.payload_type) == remote.keys {
            Kind::Key(Event::parse(packet.payload)?)
        } else if packet.payload_type == COMFORT_NOISE {
            Kind::Noise
        } else if packet.payload_type == remote.codec.payload_type() {
            if packet.payload.is_empty() || packet.payload.len() > PACKET_SAMPLES_MAX {
                return None;
            }
            Kind::Sound(remote.codec)
        } else {
            return None;
        };
        // Only a packet that means something decides who is heard.
        self.source.accepts(from, remote);
        if !remote.receives {
            return None;
        }
        let missing = self.order(desk, &packet, matches!(kind, Kind::Key(_)))?;
        self.ticks_without = 0;
        self.counters.packets_in.add(1);
        self.counters.octets_in.add(packet.payload.len() as u64);
        desk.counters.received.add(1);
        let mut received = Received {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            payload: packet.payload,
            sound: None,
            pressed: None,
        };
        match kind {
            Kind::Noise => return Some(None),
            Kind::Key(event) => received.pressed = self.take_key(desk, &packet, event),
            Kind::Sound(codec) => {
                received.sound = Some(codec);
                self.take_sound(desk, codec, &packet, missing);
            }
        }
        Some(Some(received))
    }

    /// Where the packet stands among the others: how many are missing before it, or none when it is a
    /// late one. Nothing when it does not count.
    fn order(&mut self, desk: &Desk, packet: &rtp::Packet<'_>, key: bool) -> Option<Option<u16>> {
        if key
            && self
                .incoming
                .as_ref()
                .is_some_and(|incoming| incoming.ssrc != packet.ssrc)
        {
            return self.order_key(packet);
        }
        let arrival =
            desk.now.saturating_duration_since(desk.epoch).as_micros() as i64 * i64::from(RATE) / 1_000_000;
        let incoming = match &mut self.incoming {
            Some(incoming) if incoming.ssrc == packet.ssrc => incoming,
            other => {
                // Another sender at the same address, as after a transfer behind it: everything is tied anew.
                let incoming = other.insert(Sequence::new(packet.ssrc, packet.sequence));
                incoming.arrived(arrival, packet.timestamp);
                self.other_sender();
                return Some(Some(0));
            }
        };
        let missing = match incoming.take(packet.sequence) {
            Order::New { missing } => Some(missing),
            Order::Late => None,
            Order::Repeated => {
                self.counters.repeated.add(1);
                return None;
            }
            Order::Jump => return None,
            Order::Restart => {
                self.other_sender();
                return Some(Some(0));
            }
        };
        incoming.arrived(arrival, packet.timestamp);
        let (jitter, lost) = (incoming.jitter(), incoming.lost());
        self.counters
            .jitter_us
            .set(u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX));
        self.counters.lost.set(lost);
        Some(missing)
    }

    /// As `order`, for keys that have a sender of their own beside that of the sound.
    fn order_key(&mut self, packet: &rtp::Packet<'_>) -> Option<Option<u16>> {
        match &mut self.incoming_keys {
            Some(incoming) if incoming.ssrc == packet.ssrc => match incoming.take(packet.sequence) {
                Order::New { missing } => Some(Some(missing)),
                Order::Late => Some(None),
                Order::Restart => Some(Some(0)),
                Order::Jump => None,
                Order::Repeated => {
                    self.counters.repeated.add(1);
                    None
                }
            },
            other => {
                *other = Some(Sequence::new(packet.ssrc, packet.sequence));
                Some(Some(0))
            }
        }
    }

    fn other_sender(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.other_sender();
        }
        if let Some(said) = &mut self.said {
            said.reset();
        }
    }

    /// Stops what the key stops, then tells it. A key is known by its sender and time, whoever else sends in
    /// between.
    fn take_key(&mut self, desk: &mut Desk, packet: &rtp::Packet<'_>, event: Event) -> Option<char> {
        if self.keys_of.replace(packet.ssrc) != Some(packet.ssrc) {
            self.detector = Detector::default();
        }
        match self.detector.take(packet.timestamp, event)? {
            Pressed::Down { key, samples } => {
                if self.keys_left == 0 {
                    self.dropped(desk);
                    return None;
                }
                self.keys_left -= 1;
                self.playing.stop_for_key(&mut desk.over);
                self.tell_over(desk);
                self.tell(Heard::Key {
                    key,
                    held: Self::duration(samples),
                });
                Some(key)
            }
            Pressed::Up { key, samples } => {
                self.tell(Heard::KeyUp {
                    key,
                    held: Self::duration(samples),
                });
                None
            }
        }
    }

    fn take_sound(&mut self, desk: &mut Desk, codec: Codec, packet: &rtp::Packet<'_>, missing: Option<u16>) {
        let hidden = self.is_hidden();
        let wanted = self.speech.is_some()
            || self.listener.is_some()
            || self.recorder.is_some()
            || self.said.is_some();
        if !wanted {
            return;
        }
        let length = codec.decode_into(packet.payload, &mut desk.samples);
        let samples = &desk.samples[..length];
        if let Some(recorder) = &mut self.recorder
            && !hidden
        {
            recorder.said(packet.timestamp, samples);
        }
        if let Some(said) = &mut self.said {
            said.place(packet.timestamp, samples);
        }
        if let (Some(missing), Some(listener)) = (missing, &self.listener) {
            let gap = if missing <= FILLED_MAX { missing } else { 0 };
            let silence = (0..gap).map(|_| vec![0; length].into());
            for piece in silence.chain([samples.into()]) {
                if listener.try_send(piece).is_err() {
                    self.counters.unlistened.add(1);
                }
            }
        }
        if let Some(speech) = &mut self.speech
            && let Some(heard) = speech.take(samples)
        {
            self.tell(heard);
        }
    }
}
