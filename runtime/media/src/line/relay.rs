//! What a line sends for the one it is bridged with, on receipt.
//!
//! Sequence numbers and timestamps are those of the sender, moved: order and loss stay visible to
//! the far end. Where something else was sent in between they are tied anew, so that they go on
//! without a jump.

use super::{Desk, Line, Received};
use crate::{
    Codec,
    keys::Event,
    limits::{FRAME, PACKET_SAMPLES_MAX, RATE, RELAY_GAP_TICKS, RELAY_KEY_GAP_TICKS},
};

/// How a sender's packets are moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tie {
    ssrc: u32,
    /// The newest packet, as it came and as it went.
    sequence_in: u16,
    sequence_out: u16,
    timestamp_in: u32,
    timestamp_out: u32,
    /// How many packets before the newest may still come: those since the tie.
    span: u16,
}

/// A key on its way across: all its packets carry one time, whatever is sent in between, or one key becomes
/// two.
#[derive(Clone, Copy, Debug)]
pub(super) struct RelayedKey {
    ssrc: u32,
    timestamp_in: u32,
    timestamp_out: u32,
}

/// A jump of a timestamp that is smoothed by tying anew.
const JUMP_SAMPLES: u32 = RATE * 10;

impl Tie {
    /// Where a packet goes, and whether it is the newest; none when it is too old or jumps.
    fn moved(&mut self, packet: &Received<'_>) -> Option<Moved> {
        let ahead = packet.sequence.wrapping_sub(self.sequence_in);
        let since = packet.timestamp.wrapping_sub(self.timestamp_in);
        let jumped = (since as i32).unsigned_abs() > JUMP_SAMPLES;
        if packet.ssrc != self.ssrc || jumped {
            return Some(Moved::Anew);
        }
        let sequence = self.sequence_out.wrapping_add(ahead);
        let timestamp = self.timestamp_out.wrapping_add(since);
        if ahead < 0x8000 {
            self.span = self.span.saturating_add(ahead);
            (self.sequence_in, self.sequence_out) = (packet.sequence, sequence);
            (self.timestamp_in, self.timestamp_out) = (packet.timestamp, timestamp);
            return Some(Moved::To {
                sequence,
                timestamp,
                newest: true,
            });
        }
        let behind = 0u16.wrapping_sub(ahead);
        (behind <= self.span).then_some(Moved::To {
            sequence,
            timestamp,
            newest: false,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moved {
    Anew,
    To {
        sequence: u16,
        timestamp: u32,
        newest: bool,
    },
}

impl Line {
    /// Sends what the partner's far end sent. Not while it says something itself.
    pub(crate) fn relay(&mut self, desk: &mut Desk, packet: &Received<'_>, hidden: bool) {
        let Some((codec, keys)) = self.sends() else {
            return;
        };
        if self.speaks_itself() {
            return;
        }
        let payload_type = match (packet.sound, keys) {
            (Some(_), _) => codec.payload_type(),
            (None, Some(keys)) => keys,
            (None, None) => {
                // Events were not agreed on here: the key goes as a tone.
                if let Some(key) = packet.pressed {
                    self.queue_keys(key.encode_utf8(&mut [0; 4]), hidden);
                }
                return;
            }
        };
        let moved = match &mut self.tie {
            Some(tie) => tie.moved(packet),
            None => Some(Moved::Anew),
        };
        let (sequence, timestamp, newest, anew) = match moved {
            None => return,
            Some(Moved::To {
                sequence,
                timestamp,
                newest,
            }) => (sequence, timestamp, newest, false),
            Some(Moved::Anew) => {
                let (sequence, timestamp) = (self.sequence, self.time());
                self.tie = Some(Tie {
                    ssrc: packet.ssrc,
                    sequence_in: packet.sequence,
                    sequence_out: sequence,
                    timestamp_in: packet.timestamp,
                    timestamp_out: timestamp,
                    span: 0,
                });
                (sequence, timestamp, true, true)
            }
        };
        if newest {
            self.sequence = sequence.wrapping_add(1);
            self.sent_until = timestamp.wrapping_add(match packet.sound {
                Some(_) => packet.payload.len() as u32,
                None => FRAME as u32,
            });
        }
        self.relay_gap = 0;
        let mut marker = packet.marker || anew || std::mem::take(&mut self.marker);
        let mut timestamp = timestamp;
        if packet.sound.is_some() {
            // A peer that packs much into one packet comes less often.
            let ticks = packet.payload.len().div_ceil(FRAME) as u32;
            self.relay_gap_max = RELAY_GAP_TICKS.max(ticks * 2);
        } else {
            match self.relayed_key {
                Some(key) if (key.ssrc, key.timestamp_in) == (packet.ssrc, packet.timestamp) => {
                    timestamp = key.timestamp_out;
                    marker = packet.marker;
                }
                _ => {
                    self.relayed_key = Some(RelayedKey {
                        ssrc: packet.ssrc,
                        timestamp_in: packet.timestamp,
                        timestamp_out: timestamp,
                    });
                }
            }
            // No silence is filled into a key that is still down.
            let ended = Event::parse(packet.payload).is_none_or(|event| event.end);
            self.relay_gap_max = if ended {
                RELAY_GAP_TICKS
            } else {
                RELAY_KEY_GAP_TICKS
            };
        }
        match packet.sound {
            Some(from) => self.relay_sound(
                desk,
                packet.payload,
                (from, codec),
                (marker, sequence, timestamp),
                hidden,
            ),
            None => self.send(desk, payload_type, marker, sequence, timestamp, packet.payload),
        }
    }

    fn relay_sound(
        &mut self,
        desk: &mut Desk,
        sound: &[u8],
        (from, to): (Codec, Codec),
        (marker, sequence, timestamp): (bool, u16, u32),
        hidden: bool,
    ) {
        if from == to {
            self.send(desk, to.payload_type(), marker, sequence, timestamp, sound);
        } else {
            let mut across = [0; PACKET_SAMPLES_MAX];
            let length = from.transcode_into(to, sound, &mut across);
            self.send(
                desk,
                to.payload_type(),
                marker,
                sequence,
                timestamp,
                &across[..length],
            );
        }
        self.record_sent(desk, from, timestamp, sound, hidden);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, timestamp: u32) -> Received<'static> {
        Received {
            ssrc: 1,
            sequence,
            timestamp,
            marker: false,
            payload: &[0; 160],
            sound: Some(Codec::Pcma),
            pressed: None,
        }
    }

    #[test]
    fn order_and_loss_stay_visible_and_what_is_older_than_the_tie_is_dropped() {
        let mut tie = Tie {
            ssrc: 1,
            sequence_in: 65_534,
            sequence_out: 100,
            timestamp_in: u32::MAX,
            timestamp_out: 5_000,
            span: 0,
        };
        let to = |sequence, timestamp, newest| {
            Some(Moved::To {
                sequence,
                timestamp,
                newest,
            })
        };
        assert_eq!(tie.moved(&packet(65_535, 159)), to(101, 5_160, true));
        assert_eq!(tie.moved(&packet(2, 639)), to(104, 5_640, true));
        assert_eq!(tie.moved(&packet(1, 479)), to(103, 5_480, false));
        assert_eq!(tie.moved(&packet(65_530, 0)), None);
        assert_eq!(tie.moved(&packet(3, JUMP_SAMPLES + 640)), Some(Moved::Anew));
        assert_eq!(
            tie.moved(&Received {
                ssrc: 2,
                ..packet(3, 799)
            }),
            Some(Moved::Anew)
        );
    }
}
