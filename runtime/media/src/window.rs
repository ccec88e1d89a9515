//! A window of time in which packets of a sender are put where they belong.
//!
//! The reader takes a frame a tick; packets are placed by their timestamps, a fixed delay after
//! the reader, so that late and reordered ones fit. A timestamp is tied to the reader's position
//! by the first packet; a sender whose clock jumps or drifts is tied anew.

use crate::limits::{FRAME, WINDOW_AHEAD_FRAMES, WINDOW_LATE_MAX, WINDOW_SAMPLES};

#[derive(Clone, Debug)]
pub(crate) struct Window {
    samples: Box<[i16]>,
    /// The position of the next sample to be read.
    read: u64,
    delay: u64,
    /// A timestamp and the position that it belongs to.
    anchor: Option<(u32, u64)>,
    late_in_row: u32,
    /// The least by which packets ran ahead of the delay since the last look, and reads since.
    ahead_min: u64,
    reads: u32,
}

impl Window {
    pub(crate) fn new(delay: u64) -> Self {
        Self {
            samples: vec![0; WINDOW_SAMPLES].into(),
            read: 0,
            delay,
            anchor: None,
            late_in_row: 0,
            ahead_min: u64::MAX,
            reads: 0,
        }
    }

    /// The next packet is tied anew: another sender, or another clock.
    pub(crate) fn reset(&mut self) {
        self.anchor = None;
        self.late_in_row = 0;
    }

    /// Where a timestamp belongs; none before the first position.
    fn position(&self, timestamp: u32) -> Option<u64> {
        let (tied, position) = self.anchor?;
        let offset = i64::from(timestamp.wrapping_sub(tied) as i32);
        position.checked_add_signed(offset)
    }

    fn tie(&mut self, timestamp: u32) -> u64 {
        let position = self.read + self.delay;
        self.anchor = Some((timestamp, position));
        self.late_in_row = 0;
        self.ahead_min = u64::MAX;
        self.reads = 0;
        position
    }

    /// Puts a packet's samples where they belong. False when it came too late.
    pub(crate) fn place(&mut self, timestamp: u32, samples: &[i16]) -> bool {
        let end_max = self.read + WINDOW_SAMPLES as u64;
        let length = samples.len() as u64;
        let position = match self.position(timestamp) {
            Some(position) if position >= self.read && position + length <= end_max => {
                self.late_in_row = 0;
                position
            }
            Some(position) if position > self.read => self.tie(timestamp),
            Some(_) if self.late_in_row < WINDOW_LATE_MAX => {
                self.late_in_row += 1;
                return false;
            }
            Some(_) | None => self.tie(timestamp),
        };
        // The anchor follows, so that differences stay small however long the stream lasts.
        self.anchor = Some((timestamp, position));
        self.ahead_min = self
            .ahead_min
            .min(position.saturating_sub(self.read + self.delay));
        let size = self.samples.len();
        for (offset, sample) in samples.iter().enumerate().take(size) {
            let at = (position + offset as u64) % size as u64;
            self.samples[at as usize] = *sample;
        }
        true
    }

    /// Reads the next frame; what nobody has put there is silence.
    pub(crate) fn take(&mut self) -> [i16; FRAME] {
        let mut frame = [0; FRAME];
        let size = self.samples.len() as u64;
        for (offset, sample) in frame.iter_mut().enumerate() {
            let at = ((self.read + offset as u64) % size) as usize;
            *sample = std::mem::take(&mut self.samples[at]);
        }
        self.read += FRAME as u64;
        self.reads += 1;
        if self.reads >= WINDOW_AHEAD_FRAMES {
            // After a stall of the network all packets would be played late for ever.
            if self.ahead_min != u64::MAX && self.ahead_min > 2 * FRAME as u64 {
                self.anchor = None;
            }
            self.reads = 0;
            self.ahead_min = u64::MAX;
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: u64 = 480;

    fn frame(value: i16) -> [i16; FRAME] {
        [value; FRAME]
    }

    #[test]
    fn reordered_packets_are_put_in_order_and_lost_ones_are_silent() {
        let mut window = Window::new(DELAY);
        let start = u32::MAX - 200;
        assert!(window.place(start, &frame(1)));
        assert!(window.place(start.wrapping_add(480), &frame(4)));
        assert!(window.place(start.wrapping_add(160), &frame(2)));
        let heard: Vec<i16> = (0..7).map(|_| window.take()[0]).collect();
        assert_eq!(heard, [0, 0, 0, 1, 2, 0, 4]);
    }

    #[test]
    fn a_late_packet_is_dropped_and_a_late_clock_is_believed() {
        let mut window = Window::new(DELAY);
        assert!(window.place(0, &frame(1)));
        for _ in 0..10 {
            window.take();
        }
        for late in 0..WINDOW_LATE_MAX {
            assert!(!window.place(160 * (late + 1), &frame(2)));
        }
        assert!(window.place(160 * 6, &frame(3)));
        let heard: Vec<i16> = (0..4).map(|_| window.take()[0]).collect();
        assert_eq!(heard, [0, 0, 0, 3]);
    }

    #[test]
    fn a_clock_that_jumps_ahead_is_tied_anew() {
        let mut window = Window::new(DELAY);
        assert!(window.place(0, &frame(1)));
        assert!(window.place(1_000_000, &frame(2)));
        let heard: Vec<i16> = (0..4).map(|_| window.take()[0]).collect();
        assert_eq!(heard[3], 2);
    }

    #[test]
    fn a_sender_that_runs_ahead_is_moved_back() {
        let mut window = Window::new(DELAY);
        let mut timestamp = 0;
        assert!(window.place(timestamp, &frame(1)));
        // The sender's clock gives a burst of 20 frames at once, and goes on at the right pace.
        timestamp += 160 * 20;
        let mut delay_last = 0;
        for round in 0..(2 * WINDOW_AHEAD_FRAMES as i16 + 40) {
            timestamp += 160;
            assert!(window.place(timestamp, &frame(round + 100)));
            delay_last = round + 100 - window.take()[0];
        }
        assert_eq!(delay_last, 3, "frames between a packet and its being heard");
    }

    #[test]
    fn no_timestamp_breaks_it() {
        let mut window = Window::new(DELAY);
        let mut timestamp = 1u32;
        for _ in 0..2_000 {
            timestamp = timestamp.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            window.place(timestamp, &[7; 1_600]);
            if timestamp.is_multiple_of(3) {
                window.take();
            }
        }
    }
}
