//! Calendars: when something is open.
//!
//! A day's spans are those of its weekday, unless the day is a holiday (none) or a make-up
//! workday (those of another weekday). A span that ends before it begins runs over midnight.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{
    civil::{Date, Weekday},
    tz::TimeZone,
};
use trunkline_model::Timestamp;

/// Minutes of a day.
pub(crate) const DAY: u16 = 24 * 60;

/// When something is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// None for the one that is always open.
    spans: Option<Arc<Spans>>,
}

/// What a calendar's file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spans {
    /// Spans by day of the week, Monday first.
    pub(crate) week: [Vec<OpeningSpan>; 7],
    pub(crate) holidays: BTreeSet<Date>,
    /// Days that follow another weekday's spans, by that weekday's offset from Monday.
    pub(crate) workdays: BTreeMap<Date, usize>,
}

/// A span within a day, in minutes after midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OpeningSpan {
    /// When it opens.
    pub(crate) from: u16,
    /// When it closes, past 24 hours for one that runs over midnight.
    pub(crate) until: u16,
}

impl Calendar {
    /// The calendar that is always open.
    pub const fn always() -> Self {
        Self { spans: None }
    }

    pub(crate) fn new(spans: Spans) -> Self {
        Self {
            spans: Some(Arc::new(spans)),
        }
    }

    /// Whether it is open at a time, by the clocks of a zone.
    pub fn is_open(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let Some(spans) = &self.spans else {
            return true;
        };
        let Ok(time) = jiff::Timestamp::from_millisecond(at.as_millis()) else {
            return false;
        };
        let clock = zone.to_datetime(time);
        let minute = u16::from(clock.hour().unsigned_abs()) * 60 + u16::from(clock.minute().unsigned_abs());
        let open = |date: Date, minute: u16| {
            spans
                .of_day(date)
                .iter()
                .any(|span| (span.from..span.until).contains(&minute))
        };
        // A span that began yesterday may reach over midnight.
        open(clock.date(), minute)
            || clock
                .date()
                .yesterday()
                .is_ok_and(|yesterday| open(yesterday, minute + DAY))
    }
}

impl Spans {
    fn of_day(&self, date: Date) -> &[OpeningSpan] {
        if let Some(weekday) = self.workdays.get(&date) {
            return &self.week[*weekday];
        }
        if self.holidays.contains(&date) {
            return &[];
        }
        &self.week[monday_offset(date.weekday())]
    }
}

fn monday_offset(weekday: Weekday) -> usize {
    usize::from(weekday.to_monday_zero_offset().unsigned_abs()) % 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_make_up_days_and_nights() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let day = |from, until| vec![OpeningSpan { from, until }];
        let mut spans = Spans::default();
        spans.week[0] = vec![
            OpeningSpan {
                from: 510,
                until: 720,
            },
            OpeningSpan {
                from: 810,
                until: 1050,
            },
        ];
        spans.week[4] = day(22 * 60, 30 * 60);
        spans.holidays.insert("2026-11-30".parse().unwrap());
        spans.workdays.insert("2026-11-22".parse().unwrap(), 0);
        let calendar = Calendar::new(spans);
        for (at, open) in [
            ("2026-11-23T08:29", false),
            ("2026-11-23T08:30", true),
            ("2026-11-23T12:00", false),
            ("2026-11-23T17:29", true),
            ("2026-11-24T09:00", false),
            // Friday night reaches into Saturday.
            ("2026-11-27T23:00", true),
            ("2026-11-28T05:59", true),
            ("2026-11-28T06:00", false),
            // A holiday, and a Sunday that follows Monday.
            ("2026-11-30T09:00", false),
            ("2026-11-22T09:00", true),
        ] {
            let time: jiff::civil::DateTime = at.parse().unwrap();
            let at_time = time.to_zoned(zone.clone()).unwrap().timestamp();
            let timestamp = Timestamp::from_millis(at_time.as_millisecond());
            assert_eq!(calendar.is_open(timestamp, &zone), open, "{at}");
            assert!(Calendar::always().is_open(timestamp, &zone));
        }
    }
}
