//! A sliding window of calls, in parts: what is older than the window falls out a part at a time.

use trunkline_model::{Duration, Timestamp};

/// Parts of a window.
const PARTS: usize = 60;

/// Calls and failures of the last while.
pub(super) struct Window {
    part: Duration,
    /// By the part's number modulo their count.
    parts: [Part; PARTS],
}

#[derive(Clone, Copy, Default)]
struct Part {
    /// Which part since the epoch this is.
    number: i64,
    calls: u64,
    failures: u64,
}

impl Window {
    pub(super) fn new(span: Duration) -> Self {
        Self {
            part: super::part(span, PARTS as u64),
            parts: [Part::default(); PARTS],
        }
    }

    /// How long one part is.
    pub(super) const fn part(&self) -> Duration {
        self.part
    }

    pub(super) fn count(&mut self, at: Timestamp, failed: bool) {
        let number = self.number(at);
        let part = &mut self.parts[number.rem_euclid(PARTS as i64) as usize];
        if part.number != number {
            *part = Part {
                number,
                ..Part::default()
            };
        }
        part.calls += 1;
        part.failures += u64::from(failed);
    }

    /// Calls and failures within the window that ends now.
    pub(super) fn sums(&self, now: Timestamp) -> (u64, u64) {
        let number = self.number(now);
        let within = number - PARTS as i64 + 1..=number;
        let parts = self.parts.iter().filter(|part| within.contains(&part.number));
        parts.fold((0, 0), |(calls, failures), part| {
            (calls + part.calls, failures + part.failures)
        })
    }

    fn number(&self, at: Timestamp) -> i64 {
        at.as_millis() / self.part.as_millis() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_window_is_out_of_it() {
        let mut window = Window::new(Duration::from_secs(60));
        let at = |second: i64| Timestamp::from_millis(1_800_000_000_000 + second * 1_000);
        for second in 0..60 {
            window.count(at(second), second % 2 == 0);
        }
        assert_eq!(window.sums(at(59)), (60, 30));
        assert_eq!(window.sums(at(60)), (59, 29));
        assert_eq!(window.sums(at(89)), (30, 15));
        // A part is used again for what comes a window later.
        window.count(at(120), true);
        assert_eq!(window.sums(at(120)), (1, 1));
        assert_eq!(window.sums(at(10_000)), (0, 0));
    }
}
