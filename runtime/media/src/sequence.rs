//! Which packets are new, late, repeated or lost, and how unevenly they come (RFC 3550, A.1, A.3, A.8).

use std::time::Duration;

use crate::{
    limits::{RATE, SEQUENCE_AHEAD_MAX, SEQUENCE_BEHIND_MAX},
    rtcp::Block,
};

/// What a sequence number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Newer than all before; so many between were not seen.
    New { missing: u16 },
    /// One that was missing.
    Late,
    /// It was here already, or is too old to tell.
    Repeated,
    /// A jump; believed when its successor follows.
    Jump,
    /// The run begins anew here.
    Restart,
}

/// The packets of one sender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sequence {
    pub(crate) ssrc: u32,
    highest: u16,
    turns: u32,
    base: u32,
    received: u64,
    /// Bit n: the packet n before the highest was seen.
    seen: u64,
    after_jump: Option<u16>,
    transit: Option<i64>,
    /// Jitter in samples, times 16.
    jitter: i64,
    expected_before: u64,
    received_before: u64,
}

impl Sequence {
    pub(crate) fn new(ssrc: u32, first: u16) -> Self {
        Self {
            ssrc,
            highest: first,
            turns: 0,
            base: first.into(),
            received: 1,
            seen: 1,
            after_jump: None,
            transit: None,
            jitter: 0,
            expected_before: 0,
            received_before: 0,
        }
    }

    pub(crate) fn take(&mut self, sequence: u16) -> Order {
        let ahead = sequence.wrapping_sub(self.highest);
        let behind = self.highest.wrapping_sub(sequence);
        if (1..=SEQUENCE_AHEAD_MAX).contains(&ahead) {
            if sequence < self.highest {
                self.turns = self.turns.wrapping_add(1);
            }
            self.highest = sequence;
            self.seen = self.seen.checked_shl(ahead.into()).unwrap_or(0) | 1;
            self.received += 1;
            self.after_jump = None;
            return Order::New { missing: ahead - 1 };
        }
        if behind < SEQUENCE_BEHIND_MAX {
            let bit = 1u64 << behind;
            if self.seen & bit != 0 {
                return Order::Repeated;
            }
            self.seen |= bit;
            self.received += 1;
            return Order::Late;
        }
        if self.after_jump == Some(sequence) {
            *self = Self {
                jitter: self.jitter,
                ..Self::new(self.ssrc, sequence)
            };
            return Order::Restart;
        }
        self.after_jump = Some(sequence.wrapping_add(1));
        if behind < SEQUENCE_AHEAD_MAX {
            Order::Repeated
        } else {
            Order::Jump
        }
    }

    /// Notes when a packet came; both in samples.
    pub(crate) fn arrived(&mut self, arrival: i64, timestamp: u32) {
        let transit = arrival.wrapping_sub(timestamp.into());
        if let Some(before) = self.transit {
            // The timestamp's 32 bits turn over: compare within them.
            let difference = i64::from(transit.wrapping_sub(before) as i32).abs();
            if difference < i64::from(RATE) * 10 {
                self.jitter += difference - ((self.jitter + 8) >> 4);
            }
        }
        self.transit = Some(transit);
    }

    pub(crate) fn jitter(&self) -> Duration {
        Duration::from_micros((self.jitter.max(0) as u64 >> 4) * 1_000_000 / u64::from(RATE))
    }

    fn expected(&self) -> u64 {
        (u64::from(self.turns) * 65_536 + u64::from(self.highest)).saturating_sub(self.base.into()) + 1
    }

    pub(crate) fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    /// What a report says of it, without the times of the last report.
    pub(crate) fn block(&mut self) -> Block {
        let expected = self.expected();
        let expected_since = expected.saturating_sub(self.expected_before);
        let received_since = self.received.saturating_sub(self.received_before);
        self.expected_before = expected;
        self.received_before = self.received;
        let lost_since = expected_since.saturating_sub(received_since);
        let fraction = (lost_since * 256)
            .checked_div(expected_since)
            .unwrap_or(0)
            .min(255);
        Block {
            ssrc: self.ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: i32::try_from(self.lost()).unwrap_or(i32::MAX),
            highest: (self.turns << 16) | u32::from(self.highest),
            jitter: u32::try_from(self.jitter.max(0) >> 4).unwrap_or(u32::MAX),
            last_report: 0,
            delay: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_repetition_and_reordering_are_told_apart() {
        let mut sequence = Sequence::new(1, 65_534);
        assert_eq!(sequence.take(65_535), Order::New { missing: 0 });
        assert_eq!(sequence.take(1), Order::New { missing: 1 });
        assert_eq!(sequence.lost(), 1);
        assert_eq!(sequence.take(0), Order::Late);
        assert_eq!(sequence.take(0), Order::Repeated);
        assert_eq!(sequence.lost(), 0);
        assert_eq!(sequence.take(11), Order::New { missing: 9 });
        let block = sequence.block();
        assert_eq!((block.lost, block.highest), (9, 65_536 + 11));
        assert_eq!(block.fraction_lost, (9 * 256 / 14) as u8);
        assert_eq!(sequence.block().fraction_lost, 0);
    }

    #[test]
    fn a_jump_is_believed_when_it_goes_on() {
        let mut sequence = Sequence::new(1, 10);
        assert_eq!(sequence.take(30_000), Order::Jump);
        assert_eq!(sequence.take(11), Order::New { missing: 0 });
        assert_eq!(sequence.take(30_000), Order::Jump);
        assert_eq!(sequence.take(30_001), Order::Restart);
        assert_eq!(sequence.take(30_002), Order::New { missing: 0 });
        assert_eq!(sequence.lost(), 0);
    }

    #[test]
    fn even_packets_have_no_jitter() {
        let mut sequence = Sequence::new(1, 0);
        for packet in 0..100u32 {
            sequence.arrived(i64::from(packet) * 160 + 5_000, (packet * 160).wrapping_sub(800));
        }
        assert_eq!(sequence.jitter(), Duration::ZERO);
        for packet in 100..200u32 {
            sequence.arrived(i64::from(packet) * 160 + i64::from(packet % 2) * 80, packet * 160);
        }
        assert!(
            sequence.jitter() > Duration::from_millis(5),
            "{:?}",
            sequence.jitter()
        );
    }
}
