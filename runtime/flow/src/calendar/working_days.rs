//! Working days, for deadlines that are counted in them.
//!
//! A working day is a day on which a span begins: make-up workdays count, holidays and days
//! without spans do not.
//!
//! A deadline follows the Civil Code of the People's Republic of China, whose rules are those of
//! administrative practice, too: the day of receipt is not counted, the period runs from the
//! next day (art. 201); the last day has to be one on which work is done, and where there are
//! business hours it ends when they end (art. 203).

use jiff::{civil::Date, tz::TimeZone};
use trunkline_model::Timestamp;

use super::{Calendar, openings::date_of};

impl Calendar {
    /// Whether work is done on a day: a span begins on it.
    pub fn is_working_day(&self, date: Date) -> bool {
        !self.day(date).spans.is_empty()
    }

    /// The deadline of something received at a time and due within some working days: the end of
    /// the last span of the last of them, by the clocks of a zone.
    ///
    /// The day of receipt is not counted, at whatever hour it came in and whether it was a working
    /// day or not. Within no days means on that same day, or, when nothing of it is left, on the
    /// next working day. A calendar that is always open has a working day every day, which ends
    /// at midnight.
    ///
    /// None when the calendar has not as many working days within
    /// [`CALENDAR_DAYS_MAX`](crate::limits::CALENDAR_DAYS_MAX) days.
    pub fn add_working_days(&self, received: Timestamp, days: u32, zone: &TimeZone) -> Option<Timestamp> {
        let today = date_of(received.as_millis(), zone)?;
        if days == 0 {
            return self
                .days(today)
                .filter_map(|date| self.end_of(date, zone))
                .find(|end| *end > received);
        }
        let skipped = usize::try_from(days - 1).ok()?;
        let last = self
            .days(today.tomorrow().ok()?)
            .filter(|date| self.is_working_day(*date))
            .nth(skipped)?;
        self.end_of(last, zone)
    }

    /// The end of a day's last span; none when it has none.
    fn end_of(&self, date: Date, zone: &TimeZone) -> Option<Timestamp> {
        self.openings(date, zone)
            .map(|opening| opening.until)
            .max()
            .map(Timestamp::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trunkline_model::Duration;

    use super::{
        super::tests::{calendar, time, zone},
        *,
    };

    /// National Day of 2026: closed from 1 to 7 October, Saturday the 10th made up for.
    fn office() -> Calendar {
        let week = ["mon", "tue", "wed", "thu", "fri"].map(|day| format!("{day} 08:30-12:00 13:30-17:30\n"));
        let days: String = (1..=7).map(|day| format!("holiday 2026-10-0{day}\n")).collect();
        calendar(&format!("{}{days}like fri 2026-10-10\n", week.concat()))
    }

    #[test]
    fn deadlines_in_working_days() {
        for (received, days, due) in [
            // The day of receipt is not counted, at whatever hour.
            ("2026-11-23T09:00", 1, "2026-11-24T17:30"),
            ("2026-11-23T17:29", 1, "2026-11-24T17:30"),
            ("2026-11-23T23:59", 1, "2026-11-24T17:30"),
            ("2026-11-23T00:00", 3, "2026-11-26T17:30"),
            // Over a weekend; received on one.
            ("2026-11-20T10:00", 1, "2026-11-23T17:30"),
            ("2026-11-21T10:00", 1, "2026-11-23T17:30"),
            ("2026-11-22T10:00", 5, "2026-11-27T17:30"),
            // Over the holidays, with the make-up Saturday counted.
            ("2026-09-30T16:00", 1, "2026-10-08T17:30"),
            ("2026-09-30T16:00", 3, "2026-10-10T17:30"),
            ("2026-09-30T16:00", 4, "2026-10-12T17:30"),
            ("2026-10-03T12:00", 1, "2026-10-08T17:30"),
            // Within no days: today while something is left of it.
            ("2026-11-23T17:29", 0, "2026-11-23T17:30"),
            ("2026-11-23T17:30", 0, "2026-11-24T17:30"),
            ("2026-11-21T10:00", 0, "2026-11-23T17:30"),
        ] {
            assert_eq!(
                office().add_working_days(time(received), days, &zone()),
                Some(time(due)),
                "{days} after {received}"
            );
        }
    }

    #[test]
    fn nights_and_calendars_that_never_close_or_never_open() {
        let nights = calendar("fri 22:00-06:00");
        assert!(nights.is_working_day("2026-11-27".parse().unwrap()));
        assert!(!nights.is_working_day("2026-11-28".parse().unwrap()));
        assert_eq!(
            nights.add_working_days(time("2026-11-23T09:00"), 1, &zone()),
            Some(time("2026-11-28T06:00"))
        );
        assert_eq!(
            Calendar::always().add_working_days(time("2026-11-23T09:00"), 2, &zone()),
            Some(time("2026-11-26T00:00"))
        );
        assert_eq!(
            calendar("").add_working_days(time("2026-11-23T09:00"), 1, &zone()),
            None
        );
        assert_eq!(
            office().add_working_days(time("2026-11-23T09:00"), u32::MAX, &zone()),
            None
        );
    }

    proptest! {
        /// A deadline comes after receipt, ends a working day, has as many working days behind
        /// it as it should, and later receipt or more days never make it earlier.
        #[test]
        fn deadlines_are_in_order(minute in 0_u64..400 * 1440, later in 0_u64..5 * 1440, days in 1_u32..60) {
            let office = office();
            let received = time("2026-01-01T00:00") + Duration::from_secs(60 * minute);
            let due = office.add_working_days(received, days, &zone()).unwrap();
            prop_assert!(due > received);
            prop_assert!(!office.is_open(due, &zone()));
            prop_assert!(office.is_open(due - Duration::from_millis(1), &zone()));
            let (first, last) = (
                date_of(received.as_millis(), &zone()).unwrap().tomorrow().unwrap(),
                date_of(due.as_millis(), &zone()).unwrap(),
            );
            let worked = office
                .days(first)
                .take_while(|date| *date <= last)
                .filter(|date| office.is_working_day(*date))
                .count();
            prop_assert_eq!(worked, days as usize);
            let received_later = received + Duration::from_secs(60 * later);
            prop_assert!(office.add_working_days(received_later, days, &zone()).unwrap() >= due);
            prop_assert!(office.add_working_days(received, days + 1, &zone()).unwrap() > due);
        }
    }
}
