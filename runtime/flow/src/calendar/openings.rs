//! When it is open: now, next, and how long.

use jiff::{civil::Date, tz::TimeZone};
use trunkline_model::{Duration, Timestamp};

use super::{Calendar, DAY, OpeningSpan};
use crate::limits::CALENDAR_DAYS_MAX;

/// A stretch of time in which it is open, in milliseconds since 1970; the end is not included.
#[derive(Clone, Copy)]
pub(super) struct Opening {
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Calendar {
    /// Whether it is open at a time, by the clocks of a zone.
    pub fn is_open(&self, at: Timestamp, zone: &TimeZone) -> bool {
        self.always_open() || self.open_until(at.as_millis(), zone).is_some()
    }

    /// When it opens next, by the clocks of a zone: none when it is open already, and none when
    /// it does not open within [`CALENDAR_DAYS_MAX`] days.
    pub fn next_opening(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let now = at.as_millis();
        if self.is_open(at, zone) {
            return None;
        }
        // A span of yesterday that has not begun is one that the clocks moved.
        self.days(date_of(now, zone)?.yesterday().ok()?)
            .find_map(|date| {
                self.openings(date, zone)
                    .map(|opening| opening.from)
                    .filter(|from| *from > now)
                    .min()
            })
            .map(Timestamp::from_millis)
    }

    /// When it closes next, by the clocks of a zone: none when it is closed already, and none
    /// when it stays open for [`CALENDAR_DAYS_MAX`] days. Spans that meet are one.
    pub fn next_closing(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if self.always_open() {
            return None;
        }
        let mut until = self.open_until(at.as_millis(), zone)?;
        let last = self.days(date_of(at.as_millis(), zone)?).last()?;
        // At the end of one span another may have begun.
        while let Some(later) = self.open_until(until, zone) {
            until = later;
            if date_of(until, zone)? > last {
                return None;
            }
        }
        Some(Timestamp::from_millis(until))
    }

    /// How long it is open from one time until another; nothing when the second is the earlier
    /// one. None when more than [`CALENDAR_DAYS_MAX`] days lie between.
    pub fn open_time_between(&self, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Option<Duration> {
        let (from, until) = (from.as_millis(), until.as_millis());
        if until <= from {
            return Some(Duration::default());
        }
        let (first, last) = (date_of(from, zone)?, date_of(until, zone)?);
        if first.until(last).ok()?.get_days() > CALENDAR_DAYS_MAX {
            return None;
        }
        if self.always_open() {
            return Some(Duration::from_millis(until.abs_diff(from)));
        }
        let mut open = 0;
        // What was counted so far: spans may overlap where a night meets another calendar's day.
        let mut counted = from;
        let mut date = first.yesterday().ok()?;
        while date <= last {
            for opening in self.openings(date, zone) {
                let end = opening.until.min(until);
                open += (end - opening.from.max(counted)).max(0);
                counted = counted.max(end);
            }
            date = date.tomorrow().ok()?;
        }
        Some(Duration::from_millis(open.unsigned_abs()))
    }

    fn always_open(&self) -> bool {
        self.spans.is_none()
    }

    /// The end of the span that is open at a time, the latest if there are several.
    fn open_until(&self, now: i64, zone: &TimeZone) -> Option<i64> {
        let today = date_of(now, zone)?;
        // A span that began yesterday may reach over midnight.
        [today.yesterday().ok(), Some(today)]
            .into_iter()
            .flatten()
            .flat_map(|date| self.openings(date, zone))
            .filter(|opening| (opening.from..opening.until).contains(&now))
            .map(|opening| opening.until)
            .max()
    }

    /// The days from one on that are looked through, that one included.
    pub(super) fn days(&self, from: Date) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(from), |date| date.tomorrow().ok())
            .take(CALENDAR_DAYS_MAX.unsigned_abs() as usize)
    }

    /// The stretches of time that begin on a day, in order.
    pub(super) fn openings<'c>(
        &'c self,
        date: Date,
        zone: &'c TimeZone,
    ) -> impl Iterator<Item = Opening> + 'c {
        let spans: &'c [OpeningSpan] = self.day(date).spans;
        spans.iter().filter_map(move |span| {
            let opening = Opening {
                from: instant(date, span.from, zone)?,
                until: instant(date, span.until, zone)?,
            };
            (opening.from < opening.until).then_some(opening)
        })
    }
}

/// The day that the clocks of a zone show at a time.
pub(super) fn date_of(millis: i64, zone: &TimeZone) -> Option<Date> {
    let time = jiff::Timestamp::from_millisecond(millis).ok()?;
    Some(zone.to_datetime(time).date())
}

/// The time at which the clocks of a zone show some minutes after a day's midnight.
fn instant(date: Date, minutes: u16, zone: &TimeZone) -> Option<i64> {
    let date = if minutes < DAY {
        date
    } else {
        date.tomorrow().ok()?
    };
    let minutes = minutes % DAY;
    let hour = i8::try_from(minutes / 60).ok()?;
    let minute = i8::try_from(minutes % 60).ok()?;
    let time = zone
        .to_ambiguous_timestamp(date.at(hour, minute, 0, 0))
        .compatible()
        .ok()?;
    Some(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::tests::{calendar, office, time, time_in, zone},
        *,
    };

    #[test]
    fn holidays_make_up_days_and_nights() {
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
            assert_eq!(office().is_open(time(at), &zone()), open, "{at}");
            assert!(Calendar::always().is_open(time(at), &zone()));
        }
    }

    #[test]
    fn what_comes_next() {
        for (at, opens, closes) in [
            ("2026-11-23T08:00", Some("2026-11-23T08:30"), None),
            ("2026-11-23T08:30", None, Some("2026-11-23T12:00")),
            ("2026-11-23T12:30", Some("2026-11-23T13:30"), None),
            ("2026-11-23T18:00", Some("2026-11-27T22:00"), None),
            ("2026-11-28T01:00", None, Some("2026-11-28T06:00")),
            // Over a holiday, to the next night.
            ("2026-11-28T07:00", Some("2026-12-04T22:00"), None),
        ] {
            assert_eq!(
                office().next_opening(time(at), &zone()),
                opens.map(time),
                "opens {at}"
            );
            assert_eq!(
                office().next_closing(time(at), &zone()),
                closes.map(time),
                "closes {at}"
            );
        }
    }

    #[test]
    fn spans_that_meet_are_one() {
        let calendar = calendar("mon 08:00-12:00 12:00-24:00\ntue 00:00-03:00");
        assert_eq!(
            calendar.next_closing(time("2026-11-23T09:00"), &zone()),
            Some(time("2026-11-24T03:00"))
        );
    }

    #[test]
    fn what_never_comes() {
        let never = calendar("");
        let at = time("2026-11-23T09:00");
        assert_eq!(never.next_opening(at, &zone()), None);
        assert_eq!(Calendar::always().next_closing(at, &zone()), None);
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let round_the_clock = calendar(&days.map(|day| format!("{day} 00:00-24:00")).join("\n"));
        assert_eq!(round_the_clock.next_closing(at, &zone()), None);
        assert_eq!(round_the_clock.next_opening(at, &zone()), None);
    }

    #[test]
    fn open_time_is_counted_once() {
        let between = |calendar: &Calendar, from, until| {
            calendar
                .open_time_between(time(from), time(until), &zone())
                .unwrap()
                .to_string()
        };
        assert_eq!(
            between(&office(), "2026-11-23T11:00", "2026-11-23T14:00"),
            "1h30m"
        );
        assert_eq!(between(&office(), "2026-11-27T00:00", "2026-12-04T00:00"), "8h");
        assert_eq!(between(&office(), "2026-11-24T00:00", "2026-11-23T00:00"), "0s");
        // A night that reaches into the next day's span.
        let overlapping = calendar("mon 22:00-08:00\ntue 06:00-09:00");
        assert_eq!(
            between(&overlapping, "2026-11-23T00:00", "2026-11-25T00:00"),
            "11h"
        );
        assert_eq!(
            between(&Calendar::always(), "2026-11-23T00:00", "2026-11-24T00:00"),
            "1d"
        );
        assert_eq!(
            office().open_time_between(time("1970-01-01T00:00"), time("2026-11-23T00:00"), &zone()),
            None
        );
    }

    /// Berlin's clocks skip 02:00 to 03:00 on 2026-03-29 and show it twice on 2026-10-25.
    #[test]
    fn clocks_that_are_changed() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let sundays = calendar("sun 01:30-02:30");
        let spring = sundays.next_opening(time_in("2026-03-29T00:00", &berlin), &berlin);
        assert_eq!(spring, Some(time_in("2026-03-29T01:30", &berlin)));
        assert_eq!(
            sundays.next_closing(spring.unwrap(), &berlin),
            Some(time_in("2026-03-29T03:30", &berlin))
        );
        let autumn = time_in("2026-10-25T01:45", &berlin);
        let closing = sundays.next_closing(autumn, &berlin).unwrap();
        // The first 02:30, three quarters of an hour later.
        assert_eq!(closing.since(autumn), Duration::from_secs(45 * 60));
    }

    fn calendars() -> impl Strategy<Value = Calendar> {
        let span = (0_u16..1440, 1_u16..1440).prop_map(|(from, length)| OpeningSpan {
            from,
            until: from + length,
        });
        let day = prop::collection::vec(span, 0..3).prop_map(|mut spans| {
            spans.sort_unstable();
            spans
        });
        (
            prop::collection::vec(day, 7),
            prop::collection::btree_map(0_i32..40, prop::option::of(0_usize..7), 0..8),
        )
            .prop_map(|(week, dated)| {
                let mut spans = super::super::Spans {
                    week: std::array::from_fn(|day| Some(week[day].clone())),
                    ..super::super::Spans::default()
                };
                let first: Date = "2026-03-10".parse().unwrap();
                for (after, like) in dated {
                    let date = first.checked_add(jiff::Span::new().days(after)).unwrap();
                    match like {
                        Some(like) => spans.add_workday(date, like, None),
                        None => spans.add_holiday(date, None),
                    }
                }
                Calendar::new(spans)
            })
    }

    proptest! {
        /// Whether, when and how long agree with each other, also when clocks are changed.
        #[test]
        fn openings_and_closings_agree(
            calendar in calendars(),
            minute in 0_i64..40 * 1440,
            zone in prop::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
        ) {
            let zone = TimeZone::get(zone).unwrap();
            let start = time_in("2026-03-10T00:00", &zone);
            let at = start + Duration::from_secs(60 * minute.unsigned_abs());
            let millisecond = Duration::from_millis(1);
            let (opens, closes) = (calendar.next_opening(at, &zone), calendar.next_closing(at, &zone));
            if calendar.is_open(at, &zone) {
                prop_assert_eq!(opens, None);
                if let Some(closes) = closes {
                    prop_assert!(closes > at);
                    prop_assert!(!calendar.is_open(closes, &zone));
                    prop_assert!(calendar.is_open(closes - millisecond, &zone));
                    prop_assert_eq!(
                        calendar.open_time_between(at, closes, &zone),
                        Some(closes.since(at))
                    );
                }
            } else {
                prop_assert_eq!(closes, None);
                if let Some(opens) = opens {
                    prop_assert!(opens > at);
                    prop_assert!(calendar.is_open(opens, &zone));
                    prop_assert!(!calendar.is_open(opens - millisecond, &zone));
                    prop_assert_eq!(
                        calendar.open_time_between(at, opens, &zone),
                        Some(Duration::default())
                    );
                }
            }
        }

        /// Open time is a sum: it does not matter where a stretch is cut.
        #[test]
        fn open_time_adds_up(calendar in calendars(), mut cuts in prop::collection::vec(0_u64..40 * 1440, 3)) {
            cuts.sort_unstable();
            let at = |minute: u64| time("2026-03-10T00:00") + Duration::from_secs(60 * minute);
            let between = |from, until| {
                calendar
                    .open_time_between(at(from), at(until), &zone())
                    .unwrap()
                    .as_millis()
            };
            prop_assert_eq!(
                between(cuts[0], cuts[2]),
                between(cuts[0], cuts[1]) + between(cuts[1], cuts[2])
            );
        }
    }
}
