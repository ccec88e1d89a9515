//! Calendars: when something is open, and which days are working days.
//!
//! A day's spans are those of its weekday, unless the day is a holiday (none) or a make-up
//! workday (those of another weekday). A span that ends before it begins runs over midnight.
//!
//! Spans are times of the clock. On a day when the clocks are changed, a time that they skip
//! is taken as the one after the gap, and of a time that they show twice the first counts.
//! Whether it is open, when it opens, and how long all come from the same stretches of time, so
//! they cannot disagree.

pub mod icalendar;
mod openings;
pub mod public;
mod working_days;

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::civil::{Date, Weekday};

/// The calendar that is built in, and always open.
pub const ALWAYS: &str = "always";

/// Minutes of a day.
pub(crate) const DAY: u16 = 24 * 60;

/// When something is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// None for the one that is always open.
    spans: Option<Arc<Spans>>,
}

/// What a calendar's file says, with what it includes and imports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spans {
    /// Spans by day of the week, Monday first; none for a day that nothing is said of.
    pub(crate) week: [Option<Vec<OpeningSpan>>; 7],
    /// Days that are closed, and what for. A day is a holiday or a make-up workday, not both.
    holidays: BTreeMap<Date, Option<Arc<str>>>,
    /// Days that follow another weekday's spans.
    workdays: BTreeMap<Date, MakeUp>,
    /// Until when the holidays are known, where somebody says so.
    pub(crate) known_until: Option<Date>,
}

/// A make-up workday.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MakeUp {
    /// Whose spans it follows, by that weekday's offset from Monday.
    like: usize,
    name: Option<Arc<str>>,
}

/// A span of a day in which it is open; written `08:30-12:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpeningSpan {
    /// When it opens, in minutes after midnight.
    pub(crate) from: u16,
    /// When it closes, past 24 hours for one that runs over midnight.
    pub(crate) until: u16,
}

/// A day by a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day<'a> {
    /// Which day.
    pub date: Date,
    /// What kind of day it is.
    pub kind: DayKind<'a>,
    /// When it is open, in order; the last may run over midnight.
    pub spans: &'a [OpeningSpan],
}

/// What kind of day a day is by a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// It follows its weekday.
    Usual,
    /// A holiday: closed all day.
    Holiday {
        /// What it is called.
        name: Option<&'a str>,
    },
    /// A make-up workday (调休).
    MakeUp {
        /// The weekday whose spans it follows.
        like: Weekday,
        /// What it makes up for.
        name: Option<&'a str>,
    },
}

impl OpeningSpan {
    /// A whole day.
    const WHOLE_DAY: Self = Self { from: 0, until: DAY };

    /// When it opens, as a clock shows it: `08:30`.
    pub fn opens(self) -> String {
        clock(self.from)
    }

    /// When it closes, as a clock shows it: `12:00`, `24:00`, or `06:00` of the next day for one
    /// that runs over midnight.
    pub fn closes(self) -> String {
        clock(if self.until > DAY {
            self.until - DAY
        } else {
            self.until
        })
    }

    /// Whether it ends on the next day.
    pub const fn runs_over_midnight(self) -> bool {
        self.until > DAY
    }
}

fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

impl fmt::Display for OpeningSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.opens(), self.closes())
    }
}

impl Calendar {
    /// The days that are not like others of their weekday: holidays and make-up workdays, in order.
    pub fn exceptions(&self) -> Vec<Date> {
        let Some(spans) = &self.spans else {
            return Vec::new();
        };
        let mut days: Vec<Date> = spans
            .holidays
            .keys()
            .chain(spans.workdays.keys())
            .copied()
            .collect();
        days.sort_unstable();
        days
    }

    /// The calendar that is always open.
    pub const fn always() -> Self {
        Self { spans: None }
    }

    pub(crate) fn new(spans: Spans) -> Self {
        Self {
            spans: Some(Arc::new(spans)),
        }
    }

    /// A day, and when it is open.
    pub fn day(&self, date: Date) -> Day<'_> {
        match &self.spans {
            Some(spans) => spans.day(date),
            None => Day {
                date,
                kind: DayKind::Usual,
                spans: &[OpeningSpan::WHOLE_DAY],
            },
        }
    }

    /// Until when the holidays are known: the last day of `known-until`, the calendar's own or
    /// that of one it includes. After it a day is no holiday because nobody has said so yet.
    pub fn holidays_known_until(&self) -> Option<Date> {
        self.spans.as_ref()?.known_until
    }

    /// The last day that the calendar names as a holiday or a make-up workday.
    pub fn last_named_day(&self) -> Option<Date> {
        let spans = self.spans.as_ref()?;
        let holiday = spans.holidays.last_key_value().map(|(date, _)| *date);
        let workday = spans.workdays.last_key_value().map(|(date, _)| *date);
        holiday.max(workday)
    }
}

impl Spans {
    /// Makes a day a holiday, whatever it was before.
    pub(crate) fn add_holiday(&mut self, date: Date, name: Option<Arc<str>>) {
        self.workdays.remove(&date);
        self.holidays.insert(date, name);
    }

    /// Makes a day a make-up workday like a weekday, by that weekday's offset from Monday.
    pub(crate) fn add_workday(&mut self, date: Date, like: usize, name: Option<Arc<str>>) {
        self.holidays.remove(&date);
        self.workdays.insert(date, MakeUp { like, name });
    }

    /// Takes over what another calendar says. Its make-up workdays follow a weekday of choice.
    pub(crate) fn include(&mut self, other: &Self, like: Option<usize>) {
        for (date, name) in &other.holidays {
            self.add_holiday(*date, name.clone());
        }
        for (date, workday) in &other.workdays {
            self.add_workday(*date, like.unwrap_or(workday.like), workday.name.clone());
        }
        for (own, others) in self.week.iter_mut().zip(&other.week) {
            if others.is_some() {
                own.clone_from(others);
            }
        }
        self.known_until = self.known_until.max(other.known_until);
    }

    /// The spans of a weekday, by its offset from Monday.
    pub(crate) fn of_weekday(&self, weekday: usize) -> &[OpeningSpan] {
        self.week[weekday].as_deref().unwrap_or_default()
    }

    /// Whether it opens on any weekday.
    pub(crate) fn opens(&self) -> bool {
        self.week.iter().flatten().any(|spans| !spans.is_empty())
    }

    pub(crate) fn day(&self, date: Date) -> Day<'_> {
        if let Some(workday) = self.workdays.get(&date) {
            return Day {
                date,
                kind: DayKind::MakeUp {
                    like: weekday(workday.like),
                    name: workday.name.as_deref(),
                },
                spans: self.of_weekday(workday.like),
            };
        }
        if let Some(name) = self.holidays.get(&date) {
            return Day {
                date,
                kind: DayKind::Holiday {
                    name: name.as_deref(),
                },
                spans: &[],
            };
        }
        Day {
            date,
            kind: DayKind::Usual,
            spans: self.of_weekday(monday_offset(date.weekday())),
        }
    }
}

pub(crate) fn monday_offset(weekday: Weekday) -> usize {
    usize::from(weekday.to_monday_zero_offset().unsigned_abs()) % 7
}

fn weekday(monday_offset: usize) -> Weekday {
    i8::try_from(monday_offset % 7)
        .ok()
        .and_then(|offset| Weekday::from_monday_zero_offset(offset).ok())
        .expect("0 to 6 are the days of a week")
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::tz::TimeZone;
    use trunkline_model::Timestamp;

    use super::*;

    pub(crate) fn zone() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    /// A time by the clocks of a zone.
    pub(crate) fn time_in(text: &str, zone: &TimeZone) -> Timestamp {
        let time: jiff::civil::DateTime = text.parse().unwrap();
        Timestamp::from_millis(time.to_zoned(zone.clone()).unwrap().timestamp().as_millisecond())
    }

    /// A time by the clocks of Shanghai.
    pub(crate) fn time(text: &str) -> Timestamp {
        time_in(text, &zone())
    }

    /// A calendar from spans like `mon 08:30-12:00 13:30-17:30`, days like `holiday 2026-10-01`
    /// and `like fri 2026-10-10`, one a line.
    pub(crate) fn calendar(text: &str) -> Calendar {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let day = |name: &str| days.iter().position(|day| *day == name);
        let minutes = |text: &str| {
            let (hours, minutes) = text.split_once(':').unwrap();
            hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
        };
        let mut spans = Spans::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [] => {}
                ["holiday", date] => spans.add_holiday(date.parse().unwrap(), None),
                ["like", like, date] => spans.add_workday(date.parse().unwrap(), day(like).unwrap(), None),
                [name, ..] => {
                    let written = words[1..]
                        .iter()
                        .map(|span| {
                            let (from, until) = span.split_once('-').unwrap();
                            let (from, until) = (minutes(from), minutes(until));
                            OpeningSpan {
                                from,
                                until: if until < from { until + DAY } else { until },
                            }
                        })
                        .collect();
                    spans.week[day(name).unwrap()] = Some(written);
                }
            }
        }
        Calendar::new(spans)
    }

    /// An office with a lunch break, a night on Fridays, a holiday and a make-up Sunday.
    pub(crate) fn office() -> Calendar {
        calendar(
            "mon 08:30-12:00 13:30-17:30
             fri 22:00-06:00
             holiday 2026-11-30
             like mon 2026-11-22",
        )
    }

    #[test]
    fn a_day_is_what_was_said_of_it_last() {
        let mut spans = Spans::default();
        let date: Date = "2026-10-10".parse().unwrap();
        spans.add_workday(date, 4, None);
        spans.add_holiday(date, Some("停电".into()));
        assert_eq!(spans.day(date).kind, DayKind::Holiday { name: Some("停电") });
        spans.add_workday(date, 4, None);
        assert_eq!(
            spans.day(date).kind,
            DayKind::MakeUp {
                like: Weekday::Friday,
                name: None
            }
        );
        assert_eq!(Calendar::new(spans).last_named_day(), Some(date));
    }

    #[test]
    fn an_included_calendar_gives_all_that_it_says() {
        let Calendar { spans: Some(other) } = calendar(
            "mon 09:00-10:00
             tue 09:00-10:00
             like mon 2026-11-22",
        ) else {
            unreachable!()
        };
        let mut spans = Spans::default();
        spans.include(&other, Some(1));
        assert_eq!(spans.week, other.week);
        let made_up = spans.day("2026-11-22".parse().unwrap());
        assert_eq!(
            made_up.kind,
            DayKind::MakeUp {
                like: Weekday::Tuesday,
                name: None
            }
        );
        assert_eq!(made_up.spans, other.of_weekday(1));
        // What says nothing of a day leaves it as it was.
        spans.include(&Spans::default(), None);
        assert_eq!(spans.week, other.week);
    }

    #[test]
    fn spans_are_shown_as_they_are_written() {
        let Calendar { spans: Some(spans) } = office() else {
            unreachable!()
        };
        assert_eq!(spans.of_weekday(0)[0].to_string(), "08:30-12:00");
        assert_eq!(spans.of_weekday(4)[0].to_string(), "22:00-06:00");
        assert!(spans.of_weekday(4)[0].runs_over_midnight());
        assert_eq!(OpeningSpan::WHOLE_DAY.to_string(), "00:00-24:00");
    }
}
