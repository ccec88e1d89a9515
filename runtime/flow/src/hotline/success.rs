//! The success that is expected of plugins' interfaces.
//!
//! A call that is answered or refused by the function itself is a success; a fault is not. What
//! becomes of a breach is the server's business; who is told of it is the operator's.

use std::{fmt, str::FromStr};

use trunkline_model::Duration;

/// A share, written `99.9%`, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

/// What was read is no percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a percentage is written `99.9%`, from 0% to 100%, with up to four places")]
pub struct NoPercent;

/// Millionths in one percent.
const MILLIONTHS: u32 = 10_000;

/// What is expected of the interfaces of a hotline's plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Success {
    /// The share of calls that should succeed.
    pub rate: Percent,
    /// Over how long a time.
    pub window: Duration,
    /// Out of how many calls at least: fewer say nothing.
    pub least: u32,
}

impl Default for Success {
    fn default() -> Self {
        Self {
            rate: Percent(99 * MILLIONTHS + 9 * MILLIONTHS / 10),
            window: Duration::from_secs(15 * 60),
            least: 100,
        }
    }
}

impl Percent {
    /// In millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// As a number from 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / f64::from(100 * MILLIONTHS)
    }

    /// Whether so many failures of so many calls leave this share of successes or more.
    pub fn holds(self, calls: u64, failures: u64) -> bool {
        let successes = u128::from(calls.saturating_sub(failures));
        successes * u128::from(100 * MILLIONTHS) >= u128::from(calls) * u128::from(self.0)
    }
}

impl FromStr for Percent {
    type Err = NoPercent;

    fn from_str(text: &str) -> Result<Self, NoPercent> {
        let number = text.trim().strip_suffix('%').ok_or(NoPercent)?.trim_end();
        let (whole, places) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || whole.len() > 3 || !digits(places) || places.len() > 4 {
            return Err(NoPercent);
        }
        let whole: u32 = whole.parse().map_err(|_| NoPercent)?;
        let places: u32 = format!("{places:0<4}").parse().map_err(|_| NoPercent)?;
        let millionths = whole * MILLIONTHS + places;
        (millionths <= 100 * MILLIONTHS)
            .then_some(Self(millionths))
            .ok_or(NoPercent)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, places) = (self.0 / MILLIONTHS, self.0 % MILLIONTHS);
        let places = format!("{places:04}");
        match places.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            places => write!(f, "{whole}.{places}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_and_written() {
        for (written, millionths) in [
            ("99.9%", 999_000),
            ("100%", 1_000_000),
            ("0%", 0),
            ("99.99%", 999_900),
            ("99.9999 %", 999_999),
            ("7.05%", 70_500),
        ] {
            let percent: Percent = written.parse().unwrap();
            assert_eq!(percent.millionths(), millionths);
            assert_eq!(percent.to_string(), written.replace(' ', ""));
        }
        for wrong in [
            "99.9",
            "100.1%",
            "-1%",
            "%",
            ".5%",
            "5.%",
            "99.99999%",
            "1e2%",
            "+5%",
            "5,5%",
        ] {
            assert_eq!(wrong.parse::<Percent>(), Err(NoPercent), "{wrong}");
        }
        assert_eq!(Success::default().rate.to_string(), "99.9%");
    }

    #[test]
    fn a_share_holds_exactly() {
        let rate: Percent = "99.9%".parse().unwrap();
        assert!(rate.holds(1_000, 1));
        assert!(!rate.holds(1_000, 2));
        assert!(!rate.holds(999, 1));
        assert!(rate.holds(0, 0));
        assert!(!"100%".parse::<Percent>().unwrap().holds(u64::MAX, 1));
    }
}
