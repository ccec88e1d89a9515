//! Recurrence rules (RFC 5545, 3.3.10), as far as holidays have them: every year on a date or
//! on such a weekday of a month, and day after day for a while.

use jiff::{
    Span,
    civil::{Date, Weekday},
};

use crate::limits::{EVENT_DAYS_MAX, RECURRENCE_YEAR_LAST};

/// A rule that can be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// Every so many years or days.
    interval: u32,
    /// How many times at most, the first included.
    count: Option<u32>,
    /// Until which day, included.
    until: Option<Date>,
    on: On,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    EveryDay,
    /// The same date each year, where there is one.
    Date {
        month: Option<i8>,
        day: Option<i8>,
    },
    /// The first, second, last … such weekday of a month.
    Nth {
        month: Option<i8>,
        nth: i8,
        weekday: Weekday,
    },
}

impl Rule {
    /// Reads a rule; an error says what of it cannot be followed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut frequency = None;
        let mut rule = Self {
            interval: 1,
            count: None,
            until: None,
            on: On::EveryDay,
        };
        let (mut month, mut day, mut weekday) = (None, None, None);
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let refuse = || format!("`{part}` cannot be followed");
            let (name, value) = part.split_once('=').ok_or_else(refuse)?;
            let number = || value.parse::<u32>().ok().filter(|number| *number > 0);
            match name.to_ascii_uppercase().as_str() {
                "FREQ" => frequency = Some(value.to_ascii_uppercase()),
                "INTERVAL" => rule.interval = number().ok_or_else(refuse)?,
                "COUNT" => rule.count = Some(number().ok_or_else(refuse)?),
                "UNTIL" => {
                    let date = value.get(..8).and_then(super::values::date);
                    rule.until = Some(date.ok_or_else(refuse)?);
                }
                "BYMONTH" => {
                    let known = value.parse().ok().filter(|month| (1..=12).contains(month));
                    month = Some(known.ok_or_else(refuse)?);
                }
                "BYMONTHDAY" => {
                    let known = value.parse().ok().filter(|day| (1..=31).contains(day));
                    day = Some(known.ok_or_else(refuse)?);
                }
                "BYDAY" => weekday = Some(nth_weekday(value).ok_or_else(refuse)?),
                "WKST" => {}
                "RSCALE" if value.eq_ignore_ascii_case("GREGORIAN") => {}
                _ => return Err(refuse()),
            }
        }
        rule.on = match (frequency.as_deref(), month, day, weekday) {
            (Some("YEARLY"), month, None, None) => On::Date { month, day: None },
            (Some("YEARLY"), Some(month), day, None) => On::Date {
                month: Some(month),
                day,
            },
            (Some("YEARLY"), Some(month), None, Some((nth, weekday))) => On::Nth {
                month: Some(month),
                nth,
                weekday,
            },
            (Some("DAILY"), None, None, None) if rule.count.is_some() || rule.until.is_some() => On::EveryDay,
            _ => return Err(format!("`{text}` cannot be followed")),
        };
        Ok(rule)
    }

    /// The days on which it recurs, the first included, up to the end of
    /// [`RECURRENCE_YEAR_LAST`].
    pub(super) fn days(&self, first: Date) -> impl Iterator<Item = Date> {
        let later = std::iter::successors(Some(self.interval), |step| step.checked_add(self.interval))
            .map_while(move |step| self.after(first, step))
            .flatten()
            .filter(move |date| *date > first);
        let many = match self.on {
            On::EveryDay => EVENT_DAYS_MAX,
            On::Date { .. } | On::Nth { .. } => u32::MAX,
        };
        let count = self.count.unwrap_or(u32::MAX).min(many);
        let until = self.until.unwrap_or(Date::MAX);
        std::iter::once(first)
            .chain(later)
            .take_while(move |date| *date <= until)
            .take(count as usize)
    }

    /// The day that comes so many steps after the first: none past the last year, and nothing
    /// inside in a year that has no such day.
    fn after(&self, first: Date, step: u32) -> Option<Option<Date>> {
        if matches!(self.on, On::EveryDay) {
            return first.checked_add(Span::new().days(step)).ok().map(Some);
        }
        let year = i16::try_from(i64::from(first.year()) + i64::from(step))
            .ok()
            .filter(|year| *year <= RECURRENCE_YEAR_LAST)?;
        Some(match self.on {
            On::EveryDay => None,
            On::Date { month, day } => {
                Date::new(year, month.unwrap_or(first.month()), day.unwrap_or(first.day())).ok()
            }
            On::Nth { month, nth, weekday } => Date::new(year, month.unwrap_or(first.month()), 1)
                .ok()
                .and_then(|month| month.nth_weekday_of_month(nth, weekday).ok()),
        })
    }
}

/// A weekday with its number: `1MO`, `-1FR`.
fn nth_weekday(text: &str) -> Option<(i8, Weekday)> {
    let (nth, weekday) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let nth: i8 = nth.parse().ok()?;
    let weekday = match weekday.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    (nth != 0 && (-5..=5).contains(&nth)).then_some((nth, weekday))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(rule: &str, first: &str) -> Vec<String> {
        Rule::parse(rule)
            .unwrap()
            .days(first.parse().unwrap())
            .map(|date| date.to_string())
            .collect()
    }

    #[test]
    fn rules_that_holidays_have() {
        for (rule, first, expected) in [
            (
                "FREQ=YEARLY;COUNT=3",
                "2026-10-01",
                "2026-10-01 2027-10-01 2028-10-01",
            ),
            (
                "FREQ=YEARLY;UNTIL=20271001",
                "2026-10-01",
                "2026-10-01 2027-10-01",
            ),
            (
                "FREQ=YEARLY;UNTIL=20271001T000000Z",
                "2026-10-01",
                "2026-10-01 2027-10-01",
            ),
            (
                "FREQ=YEARLY;INTERVAL=2;COUNT=2;WKST=MO",
                "2026-10-01",
                "2026-10-01 2028-10-01",
            ),
            (
                "FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=1;COUNT=2",
                "2026-10-01",
                "2026-10-01 2027-10-01",
            ),
            // A date that most years do not have counts only where it is.
            (
                "FREQ=YEARLY;COUNT=3",
                "2024-02-29",
                "2024-02-29 2028-02-29 2032-02-29",
            ),
            (
                "FREQ=YEARLY;BYMONTH=9;BYDAY=1MO;COUNT=3",
                "2026-09-07",
                "2026-09-07 2027-09-06 2028-09-04",
            ),
            (
                "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=2",
                "2026-05-25",
                "2026-05-25 2027-05-31",
            ),
            (
                "FREQ=DAILY;COUNT=3",
                "2026-12-30",
                "2026-12-30 2026-12-31 2027-01-01",
            ),
            ("FREQ=DAILY;UNTIL=20261002", "2026-10-01", "2026-10-01 2026-10-02"),
        ] {
            assert_eq!(days(rule, first).join(" "), expected, "{rule}");
        }
    }

    #[test]
    fn what_never_ends_ends_with_a_named_year() {
        let found = days("FREQ=YEARLY", "1949-10-01");
        assert_eq!(
            found.len(),
            usize::try_from(RECURRENCE_YEAR_LAST - 1949 + 1).unwrap()
        );
        assert_eq!(
            days("FREQ=DAILY;UNTIL=99991231", "2026-10-01").len(),
            EVENT_DAYS_MAX as usize
        );
        assert_eq!(days("FREQ=YEARLY;INTERVAL=4294967295", "2026-10-01").len(), 1);
    }

    #[test]
    fn rules_that_cannot_be_followed() {
        for rule in [
            "",
            "FREQ=WEEKLY;BYDAY=SU",
            "FREQ=DAILY",
            "FREQ=YEARLY;BYDAY=SU",
            "FREQ=YEARLY;BYMONTH=1,2",
            "FREQ=YEARLY;BYMONTH=13",
            "FREQ=YEARLY;BYMONTHDAY=1",
            "FREQ=YEARLY;RSCALE=CHINESE",
            "FREQ=YEARLY;COUNT=0",
            "FREQ=YEARLY;BYMONTH=9;BYDAY=MO",
            "FREQ=YEARLY;BYMONTH=9;BYDAY=日",
            "FREQ=YEARLY;UNTIL=soon",
            "nonsense",
        ] {
            assert!(
                Rule::parse(rule).unwrap_err().contains("cannot be followed"),
                "{rule}"
            );
        }
    }
}
