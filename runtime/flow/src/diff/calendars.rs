//! When something is open: the hours of each weekday, and the days that do not follow them.
//!
//! A calendar is asked rather than read: what counts is when it is open. The hours of a weekday
//! are those of a week so far ahead that no file names a day of it.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use trunkline_model::Timestamp;

use super::change::{Change, Noun};
use crate::{calendar::Calendar, hotline::Hotline};

/// A Monday that no calendar names.
const FAR_MONDAY: Date = jiff::civil::date(2399, 11, 8);

/// The years whose days are compared.
const YEARS: std::ops::Range<i16> = 2024..2037;

const DAY_MINUTES: i64 = 24 * 60;

pub(super) fn compare(old: &Hotline, new: &Hotline, changes: &mut Vec<Change>) {
    for (name, calendar) in &new.calendars {
        match old.calendars.get(name) {
            None => changes.push(Change::Added {
                what: Noun::Calendar,
                name: name.to_string(),
                flow: None,
                detail: String::new(),
            }),
            // Asking takes a while: only what is written differently is asked.
            Some(before) if before != calendar => {
                let (before, after) = (Week::of(before), Week::of(calendar));
                let weekdays = before.by_opening().into_iter().zip(after.by_opening());
                for (weekday, (from, to)) in weekdays.enumerate().filter(|(_, (from, to))| from != to) {
                    changes.push(Change::HoursChanged {
                        calendar: name.clone(),
                        weekday,
                        from: shown(&from),
                        to: shown(&to),
                    });
                }
                let (before, after) = (before.exceptions(), after.exceptions());
                let differ = |one: &BTreeMap<Date, Vec<bool>>, other: &BTreeMap<Date, Vec<bool>>| {
                    let days = one.keys().filter(|day| !other.contains_key(day));
                    stretches(days.copied())
                };
                for (days, exceptions) in [(differ(&after, &before), true), (differ(&before, &after), false)]
                {
                    if !days.is_empty() {
                        changes.push(Change::DaysChanged {
                            calendar: name.clone(),
                            days,
                            exceptions,
                        });
                    }
                }
            }
            Some(_) => {}
        }
    }
    for name in old
        .calendars
        .keys()
        .filter(|name| !new.calendars.contains_key(*name))
    {
        changes.push(Change::Removed {
            what: Noun::Calendar,
            name: name.to_string(),
            flow: None,
        });
    }
}

/// The hours of a calendar's weekdays, in minutes after midnight.
struct Week<'a> {
    calendar: &'a Calendar,
    hours: [Vec<(i64, i64)>; 7],
}

impl<'a> Week<'a> {
    fn of(calendar: &'a Calendar) -> Self {
        let hours = std::array::from_fn(|weekday| {
            let days = i64::try_from(weekday).unwrap_or_default();
            let day = FAR_MONDAY.saturating_add(days.days());
            let mut spans: Vec<(i64, i64)> = Vec::new();
            for minute in 0..DAY_MINUTES {
                if is_open(calendar, day, minute) {
                    match spans.last_mut() {
                        Some((_, until)) if *until == minute => *until += 1,
                        _ => spans.push((minute, minute + 1)),
                    }
                }
            }
            spans
        });
        Self { calendar, hours }
    }

    /// The hours by the weekday on which they begin: a night that reaches into the next day is the
    /// first one's, past 24 hours.
    fn by_opening(&self) -> [Vec<(i64, i64)>; 7] {
        let mut hours = self.hours.clone();
        for weekday in 0..7 {
            let next = (weekday + 1) % 7;
            let reaches = self.hours[weekday]
                .last()
                .is_some_and(|(_, until)| *until == DAY_MINUTES);
            let night = self.hours[next]
                .first()
                .filter(|(from, until)| *from == 0 && *until < DAY_MINUTES);
            if let (true, Some((_, end))) = (reaches, night)
                && let Some((_, until)) = hours[weekday].last_mut()
            {
                *until += end;
                hours[next].remove(0);
            }
        }
        hours
    }

    /// The days that do not have their weekday's hours, and what they have instead at the times at which
    /// anything changes on any weekday.
    fn exceptions(&self) -> BTreeMap<Date, Vec<bool>> {
        let mut times: Vec<i64> = self
            .hours
            .iter()
            .flatten()
            .flat_map(|(from, until)| [*from, *until])
            .collect();
        times.extend([0, DAY_MINUTES / 2]);
        times.retain(|minute| *minute < DAY_MINUTES);
        times.sort_unstable();
        times.dedup();
        let mut exceptions = BTreeMap::new();
        let mut day = jiff::civil::date(YEARS.start, 1, 1);
        while day.year() < YEARS.end {
            let weekday = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
            let usual = |minute: i64| {
                let mut hours = self.hours[weekday].iter();
                hours.any(|(from, until)| (*from..*until).contains(&minute))
            };
            let open: Vec<bool> = times
                .iter()
                .map(|minute| is_open(self.calendar, day, *minute))
                .collect();
            if times
                .iter()
                .zip(&open)
                .any(|(minute, open)| usual(*minute) != *open)
            {
                exceptions.insert(day, open);
            }
            day = day.saturating_add(1.day());
        }
        exceptions
    }
}

/// Whether a calendar is open at a minute of a day. The zone does not matter, since both sides are asked by the
/// same clock: the one without summer time is taken.
fn is_open(calendar: &Calendar, day: Date, minute: i64) -> bool {
    let midnight = day.at(0, 0, 0, 0).to_zoned(TimeZone::UTC);
    let Ok(midnight) = midnight else {
        return false;
    };
    let at = midnight.timestamp().as_millisecond() + minute * 60_000;
    calendar.is_open(Timestamp::from_millis(at), &TimeZone::UTC)
}

fn shown(spans: &[(i64, i64)]) -> String {
    let mut text = String::new();
    for (index, (from, until)) in spans.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{comma}{:02}:{:02}-{:02}:{:02}",
            from / 60,
            from % 60,
            if *until > DAY_MINUTES {
                until - DAY_MINUTES
            } else {
                *until
            } / 60,
            until % 60
        );
    }
    text
}

/// Days, those in a row as one stretch.
fn stretches(days: impl Iterator<Item = Date>) -> Vec<String> {
    let mut stretches: Vec<(Date, Date)> = Vec::new();
    for day in days {
        match stretches.last_mut() {
            Some((_, last)) if last.tomorrow().ok() == Some(day) => *last = day,
            _ => stretches.push((day, day)),
        }
    }
    let shown = |(first, last): (Date, Date)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}..{last}")
        }
    };
    stretches.into_iter().map(shown).collect()
}
