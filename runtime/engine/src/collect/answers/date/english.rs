//! Days as they are said in English.

use jiff::civil::Date;

use super::{
    super::english::{below_hundred, cardinal, day_number},
    Unit, away, coming, in_week, in_year, nearest, nearest_day,
};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
const PARTS_OF_DAY: [&str; 4] = ["morning", "afternoon", "evening", "night"];

/// The place of a name in a list; from three letters on a name may be cut short.
fn named(names: &[&str], word: &str) -> Option<usize> {
    const SHORT: usize = 3;
    let word = word.trim_end_matches('.');
    let cut = |name: &&&str| word.len() >= SHORT && name.starts_with(word);
    names
        .iter()
        .position(|name| *name == word)
        .or_else(|| names.iter().position(|name| cut(&name)))
}

fn weekday(word: &str) -> Option<i64> {
    named(&WEEKDAYS, word).and_then(|day| i64::try_from(day).ok())
}

/// The day; all of the words have to say it.
pub(super) fn understand(words: &[&str], today: Date) -> Option<Date> {
    let words = without_time(words)?;
    let words = words.strip_prefix(&["on"]).unwrap_or(words);
    match words {
        ["today" | "tonight"] => Some(today),
        ["tomorrow"] => away(today, 1, Unit::Day),
        ["yesterday"] => away(today, -1, Unit::Day),
        ["day", "after", "tomorrow"] | ["the", "day", "after", "tomorrow"] => away(today, 2, Unit::Day),
        ["day", "before", "yesterday"] | ["the", "day", "before", "yesterday"] => away(today, -2, Unit::Day),
        [day] | ["this", day] if weekday(day).is_some() => coming(today, weekday(day)?),
        ["next", day] => in_week(today, 1, weekday(day)?),
        ["last", day] => in_week(today, -1, weekday(day)?),
        ["in", count @ .., unit]
        | [count @ .., unit, "from", "now" | "today"]
        | [count @ .., unit, "later"] => counted(count, unit, today, 1),
        [count @ .., unit, "ago"] => counted(count, unit, today, -1),
        // `thursday december third` has to be a Thursday.
        [day, rest @ ..] if weekday(day).is_some() => of_calendar(rest, today)
            .filter(|date| weekday(day) == Some(i64::from(date.weekday().to_monday_zero_offset()))),
        _ => of_calendar(words, today),
    }
}

/// `tomorrow at 3 pm`, `monday morning`: without the time of day; none when what follows `at`
/// is none.
fn without_time<'w, 's>(words: &'w [&'s str]) -> Option<&'w [&'s str]> {
    let words = match words.iter().position(|word| *word == "at") {
        Some(at) => {
            let of_clock = |word: &&str| {
                word.starts_with(|c: char| c.is_ascii_digit())
                    || below_hundred(&[word]).is_some()
                    || matches!(
                        *word,
                        "am" | "pm"
                            | "a.m"
                            | "p.m"
                            | "o'clock"
                            | "oh"
                            | "half"
                            | "quarter"
                            | "past"
                            | "to"
                            | "noon"
                            | "midnight"
                            | "night"
                    )
            };
            let time = &words[at + 1..];
            if time.is_empty() || !time.iter().all(of_clock) {
                return None;
            }
            &words[..at]
        }
        None => words,
    };
    Some(match words {
        [day @ .., "in", "the", part] if PARTS_OF_DAY.contains(part) => day,
        [day @ .., part] if PARTS_OF_DAY.contains(part) => day,
        day => day,
    })
}

fn counted(count: &[&str], unit: &str, today: Date, way: i64) -> Option<Date> {
    let unit = match unit {
        "day" | "days" => Unit::Day,
        "week" | "weeks" => Unit::Week,
        "month" | "months" => Unit::Month,
        _ => return None,
    };
    let count = match count {
        ["a" | "an"] => 1,
        count => i64::try_from(cardinal(count)?).ok()?,
    };
    away(today, count * way, unit)
}

/// `december third`, `the third of december 2027`, `the fifteenth`.
fn of_calendar(words: &[&str], today: Date) -> Option<Date> {
    let Some(at) = words.iter().position(|word| named(&MONTHS, word).is_some()) else {
        let ["the", day @ ..] = words else { return None };
        // `the fifteen` is no day.
        let number = day_number(day).filter(|_| below_hundred(day).is_none())?;
        return nearest_day(today, number);
    };
    let month = named(&MONTHS, words[at])? as u64 + 1;
    let before = &words[..at];
    let before = before.strip_suffix(&["of"]).unwrap_or(before);
    let before = before.strip_prefix(&["the"]).unwrap_or(before);
    let after = &words[at + 1..];
    let after = after.strip_prefix(&["the"]).unwrap_or(after);
    let (day, years) = if before.is_empty() {
        // The day is one word or two; what is left is the year.
        (1..=after.len().min(2))
            .rev()
            .find_map(|end| Some((day_number(&after[..end])?, &after[end..])))
            .filter(|(_, rest)| rest.is_empty() || year(rest, today).is_some())
            .or_else(|| Some((day_number(after.get(..1)?)?, &after[1..])))?
    } else {
        (day_number(before)?, after)
    };
    match years {
        [] => nearest(today, month, day),
        years => in_year(year(years, today)?, month, day),
    }
}

/// `2027`, `twenty twenty seven`, `two thousand and twenty seven`, `next year`.
fn year(words: &[&str], today: Date) -> Option<u64> {
    let this = u64::try_from(today.year()).ok()?;
    let in_pairs = |at: usize| {
        let century = below_hundred(words.get(..at)?).filter(|century| (10..100).contains(century))?;
        let rest = match words.get(at..)? {
            ["oh" | "o", one] => below_hundred(&[one]).filter(|one| *one < 10)?,
            rest => below_hundred(rest).filter(|rest| *rest >= 10)?,
        };
        Some(century * 100 + rest)
    };
    match words {
        ["this", "year"] => Some(this),
        ["next", "year"] => Some(this + 1),
        ["last", "year"] => this.checked_sub(1),
        _ => cardinal(words)
            .filter(|year| (1_000..10_000).contains(year))
            .or_else(|| in_pairs(1)),
    }
}
