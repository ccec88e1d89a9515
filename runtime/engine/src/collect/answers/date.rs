//! Days: `2026-11-21`, `十二月三号`, `下周三`, `明天下午`, `december third`, `next wednesday`.
//!
//! - A day without a year is the first such day from six months ago on, so that a past month
//!   is past and a coming one is to come. A day without a month is, in the same way, the first
//!   from half a month ago on.
//! - A week begins on Monday. A weekday alone is the next one, today included; 这周五 is of
//!   this week, 下周五 and `next friday` of the next, 上周五 and `last friday` of the last.
//! - A time of day after a day is allowed and dropped: what is asked for is the day.

mod chinese;
mod english;

use jiff::{ToSpan, civil::Date};

use super::{Today, said::Said};

/// The day that was meant.
pub(super) fn understand(said: &Said, today: Today) -> Option<Date> {
    figures(said.compact(), today.0)
        .or_else(|| chinese::understand(said.compact(), today.0))
        .or_else(|| english::understand(&said.words(), today.0))
}

/// `2026-11-21`, `2026/11/21`, `2026.11.21`, `20261121`; `12-3`, `12/3` and `1203` without a year.
fn figures(text: &str, today: Date) -> Option<Date> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.len() {
            8 => in_year(number(&text[..4])?, number(&text[4..6])?, number(&text[6..])?),
            4 => nearest(today, number(&text[..2])?, number(&text[2..])?),
            _ => None,
        };
    }
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    match parts[..] {
        [year, month, day] if year.len() == 4 => in_year(number(year)?, number(month)?, number(day)?),
        // `12.3` would be a number as well.
        [month, day] if !text.contains('.') => nearest(today, number(month)?, number(day)?),
        _ => None,
    }
}

fn number(text: &str) -> Option<u64> {
    let fits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn in_year(year: u64, month: u64, day: u64) -> Option<Date> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    Date::new(i16::try_from(year).ok()?, month, day).ok()
}

/// The first such day from six months ago on. A 29 February may be years away.
fn nearest(today: Date, month: u64, day: u64) -> Option<Date> {
    const LEAP_YEARS_APART_MAX: i16 = 8;
    let earliest = today.checked_sub(6.months()).ok()?;
    (earliest.year()..=earliest.year().saturating_add(LEAP_YEARS_APART_MAX))
        .filter_map(|year| in_year(u64::try_from(year).ok()?, month, day))
        .find(|date| *date >= earliest)
}

/// The first day of that number from half a month ago on.
fn nearest_day(today: Date, day: u64) -> Option<Date> {
    let earliest = today.checked_sub(15.days()).ok()?;
    // Of three months in a row at least one has 31 days, and comes after it.
    (0..=3)
        .filter_map(|months| in_month(earliest, months, day))
        .find(|date| *date >= earliest)
}

/// A day of the month that many months from the date's.
fn in_month(date: Date, months: i64, day: u64) -> Option<Date> {
    let month = date.first_of_month().checked_add(months.months()).ok()?;
    in_year(
        u64::try_from(month.year()).ok()?,
        u64::try_from(month.month()).ok()?,
        day,
    )
}

/// A weekday (Monday is 0) of the week that many weeks from this one.
fn in_week(today: Date, weeks: i64, weekday: i64) -> Option<Date> {
    let monday = i64::from(today.weekday().to_monday_zero_offset());
    today.checked_add((weeks * 7 + weekday - monday).days()).ok()
}

/// The next such weekday (Monday is 0), today included.
fn coming(today: Date, weekday: i64) -> Option<Date> {
    let monday = i64::from(today.weekday().to_monday_zero_offset());
    today.checked_add((weekday - monday).rem_euclid(7).days()).ok()
}

/// A unit in which days are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
}

/// So many units later, or earlier when the count is negative.
fn away(today: Date, count: i64, unit: Unit) -> Option<Date> {
    const COUNT_MAX: i64 = 10_000;
    if count.abs() > COUNT_MAX {
        return None;
    }
    let span = match unit {
        Unit::Day => count.days(),
        Unit::Week => count.weeks(),
        Unit::Month => count.months(),
    };
    today.checked_add(span).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Saturday 21 November 2026.
    const TODAY: Today = Today::of(date(2026, 11, 21));

    #[test]
    fn days_are_understood_as_they_are_said() {
        let day = |month, day| Some(date(2026, month, day));
        for (text, expected) in [
            ("2026-2-3", day(2, 3)),
            ("2026年11月21日", day(11, 21)),
            ("20261203", day(12, 3)),
            ("1203", day(12, 3)),
            ("12/3", day(12, 3)),
            ("今天", day(11, 21)),
            ("明天", day(11, 22)),
            ("明天下午", day(11, 22)),
            ("明天下午三点半", day(11, 22)),
            ("明天3点", day(11, 22)),
            ("后天吧", day(11, 23)),
            ("大后天", day(11, 24)),
            ("大前天", day(11, 18)),
            ("今晚八点", day(11, 21)),
            ("三天后", day(11, 24)),
            ("两周以后", day(12, 5)),
            ("一个月前", day(10, 21)),
            ("这周五", day(11, 20)),
            ("周五", day(11, 27)),
            ("周六", day(11, 21)),
            ("下周三", day(11, 25)),
            ("下个星期三上午", day(11, 25)),
            ("下下周一", day(11, 30)),
            ("上周日", day(11, 15)),
            ("礼拜天", day(11, 22)),
            ("十二月三号", day(12, 3)),
            ("12月3日", day(12, 3)),
            ("十二月三号星期四", day(12, 3)),
            ("十二月三号星期五", None),
            ("五号", Some(date(2026, 12, 5))),
            ("十五号", day(11, 15)),
            ("下个月五号", day(12, 5)),
            ("本月三十一号", None),
            ("一月一日", Some(date(2027, 1, 1))),
            ("五月二十二号", day(5, 22)),
            ("五月二十号", Some(date(2027, 5, 20))),
            ("二月二十九日", Some(date(2028, 2, 29))),
            ("明年一月一日", Some(date(2027, 1, 1))),
            ("去年十二月三号", Some(date(2025, 12, 3))),
            ("二〇二六年十二月三日", day(12, 3)),
            ("二零二七年三月五号", Some(date(2027, 3, 5))),
            ("两千零二十七年三月五号", Some(date(2027, 3, 5))),
            ("26年12月3日", day(12, 3)),
            ("today", day(11, 21)),
            ("tomorrow afternoon", day(11, 22)),
            ("tomorrow at 3 pm", day(11, 22)),
            ("the day after tomorrow", day(11, 23)),
            ("on Wednesday", day(11, 25)),
            ("this wednesday", day(11, 25)),
            ("next wednesday", day(11, 25)),
            ("next Saturday", day(11, 28)),
            ("last friday", day(11, 13)),
            ("in three days", day(11, 24)),
            ("a week from today", day(11, 28)),
            ("two days ago", day(11, 19)),
            ("december third", day(12, 3)),
            ("December 3rd, 2027", Some(date(2027, 12, 3))),
            ("the third of december", day(12, 3)),
            ("3 dec", day(12, 3)),
            ("december twenty first", day(12, 21)),
            (
                "december twenty first twenty twenty seven",
                Some(date(2027, 12, 21)),
            ),
            ("january 1st next year", Some(date(2027, 1, 1))),
            ("the fifteenth", day(11, 15)),
            ("thursday december third", day(12, 3)),
            ("friday december third", None),
            ("2026-02-30", None),
            ("20260230", None),
            ("十三月三号", None),
            ("十二月三十二号", None),
            ("下周", None),
            ("next week", None),
            ("may", None),
            ("12.3", None),
            ("下午", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(understand(&Said::new(text), TODAY), expected, "{text}");
        }
    }

    #[test]
    fn every_day_is_understood_back_whatever_today_is() {
        let mut today = date(2024, 1, 1);
        while today.year() < 2_028 {
            for ahead in [-180, -1, 0, 1, 100, 179] {
                let meant = today.checked_add(i64::from(ahead).days()).unwrap();
                for text in [
                    format!("{}月{}日", meant.month(), meant.day()),
                    format!("{}/{}", meant.month(), meant.day()),
                    format!("{:02}{:02}", meant.month(), meant.day()),
                    meant.to_string(),
                ] {
                    assert_eq!(
                        understand(&Said::new(&text), Today::of(today)),
                        Some(meant),
                        "{text} said on {today}"
                    );
                }
            }
            today = today.checked_add(11.days()).unwrap();
        }
    }
}
