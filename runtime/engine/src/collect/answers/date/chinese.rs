//! Days as they are said in Mandarin.

use jiff::civil::Date;

use super::{
    super::chinese::{cardinal, digit},
    Unit, away, coming, in_month, in_week, in_year, nearest, nearest_day,
};

/// Days counted from today; the longer before those they end with.
const RELATIVE: [(&str, i64); 19] = [
    ("大后天", 3),
    ("大前天", -3),
    ("后天", 2),
    ("前天", -2),
    ("明天", 1),
    ("明日", 1),
    ("明儿", 1),
    ("明早", 1),
    ("明晚", 1),
    ("昨天", -1),
    ("昨日", -1),
    ("昨儿", -1),
    ("昨晚", -1),
    ("今天", 0),
    ("今日", 0),
    ("今儿", 0),
    ("今早", 0),
    ("今晚", 0),
    ("当天", 0),
];

/// Weeks counted from this one.
const WEEKS: [(&str, i64); 11] = [
    ("下下个", 2),
    ("下下", 2),
    ("下个", 1),
    ("下", 1),
    ("上上个", -2),
    ("上上", -2),
    ("上个", -1),
    ("上", -1),
    ("这个", 0),
    ("这", 0),
    ("本", 0),
];

const WEEK: [&str; 3] = ["星期", "礼拜", "周"];

const YEARS: [(&str, i64); 5] = [("今年", 0), ("明年", 1), ("后年", 2), ("去年", -1), ("前年", -2)];

const MONTHS: [(&str, i64); 7] = [
    ("这个月", 0),
    ("本月", 0),
    ("这月", 0),
    ("下个月", 1),
    ("下月", 1),
    ("上个月", -1),
    ("上月", -1),
];

const UNITS: [(&str, Unit); 8] = [
    ("个星期", Unit::Week),
    ("星期", Unit::Week),
    ("个礼拜", Unit::Week),
    ("礼拜", Unit::Week),
    ("周", Unit::Week),
    ("个月", Unit::Month),
    ("天", Unit::Day),
    ("日", Unit::Day),
];

const PARTS_OF_DAY: [&str; 13] = [
    "早上", "早晨", "清晨", "上午", "中午", "下午", "傍晚", "晚上", "夜里", "半夜", "凌晨", "早", "晚",
];

/// The day; all of the text has to say it.
pub(super) fn understand(text: &str, today: Date) -> Option<Date> {
    let (date, rest) = relative(text, today)
        .or_else(|| of_week(text, today))
        .or_else(|| counted(text, today))
        .or_else(|| of_calendar(text, today))?;
    // `十二月三号星期四` has to be a Thursday.
    let rest = match weekday(rest) {
        Some((weekday, rest)) => {
            if weekday != i64::from(date.weekday().to_monday_zero_offset()) {
                return None;
            }
            rest
        }
        None => rest,
    };
    is_time_of_day(rest).then_some(date)
}

/// The first entry whose name the text begins with, and what follows.
fn begin<'t, T: Copy>(text: &'t str, names: &[(&str, T)]) -> Option<(T, &'t str)> {
    names
        .iter()
        .find_map(|(name, value)| Some((*value, text.strip_prefix(name)?)))
}

fn relative(text: &str, today: Date) -> Option<(Date, &str)> {
    let (days, rest) = begin(text, &RELATIVE)?;
    Some((away(today, days, Unit::Day)?, rest))
}

/// `周五`, `星期日`: Monday is 0.
fn weekday(text: &str) -> Option<(i64, &str)> {
    let rest = WEEK.iter().find_map(|week| text.strip_prefix(week))?;
    let c = rest.chars().next()?;
    let number = match c {
        '日' | '天' => 7,
        _ => c.to_digit(10).map(u64::from).or_else(|| digit(c))?,
    };
    let weekday = i64::try_from(number).ok().filter(|day| (1..=7).contains(day))? - 1;
    Some((weekday, &rest[c.len_utf8()..]))
}

fn of_week(text: &str, today: Date) -> Option<(Date, &str)> {
    if let Some((weekday, rest)) = weekday(text) {
        return Some((coming(today, weekday)?, rest));
    }
    let (weeks, rest) = begin(text, &WEEKS)?;
    let (weekday, rest) = weekday(rest)?;
    Some((in_week(today, weeks, weekday)?, rest))
}

/// `三天后`, `两周以前`.
fn counted(text: &str, today: Date) -> Option<(Date, &str)> {
    const WAYS: [(&str, i64); 6] = [
        ("之后", 1),
        ("以后", 1),
        ("后", 1),
        ("之前", -1),
        ("以前", -1),
        ("前", -1),
    ];
    UNITS.iter().find_map(|(name, unit)| {
        let (count, rest) = text.split_once(name)?;
        let (way, rest) = begin(rest, &WAYS)?;
        let count = i64::try_from(cardinal(count)?).ok()?;
        Some((away(today, count * way, *unit)?, rest))
    })
}

/// `二〇二六年十二月三号`, `明年一月一日`, `下个月五号`, `十二月三号`, `五号`.
fn of_calendar(text: &str, today: Date) -> Option<(Date, &str)> {
    if let Some((months, rest)) = begin(text, &MONTHS) {
        let (day, rest) = day(rest)?;
        return Some((in_month(today, months, day)?, rest));
    }
    let this_year = i64::from(today.year());
    let (year, rest) = match begin(text, &YEARS) {
        Some((years, rest)) => (Some(u64::try_from(this_year + years).ok()?), rest),
        None => match text.split_once('年') {
            Some((written, rest)) => (Some(year(written)?), rest),
            None => (None, text),
        },
    };
    let Some((month, rest)) = rest.split_once('月') else {
        // A year and a day without a month are no day.
        let (day, rest) = day(rest).filter(|_| year.is_none())?;
        return Some((nearest_day(today, day)?, rest));
    };
    let month = cardinal(month)?;
    let (day, rest) = day_or_end(rest)?;
    let date = match year {
        Some(year) => in_year(year, month, day)?,
        None => nearest(today, month, day)?,
    };
    Some((date, rest))
}

/// A year in figures or digits, two of them of this century; or as a number.
fn year(text: &str) -> Option<u64> {
    let digits: Option<Vec<u64>> = text
        .chars()
        .map(|c| c.to_digit(10).map(u64::from).or_else(|| digit(c)))
        .collect();
    match digits {
        Some(digits) => {
            let value = digits.iter().fold(0, |value, digit| value * 10 + digit);
            match digits.len() {
                4 => Some(value),
                2 => Some(2_000 + value),
                _ => None,
            }
        }
        None => cardinal(text).filter(|year| (1_000..10_000).contains(year)),
    }
}

fn day(text: &str) -> Option<(u64, &str)> {
    let (day, rest) = text.split_once(['号', '日'])?;
    Some((cardinal(day)?, rest))
}

/// The day of a month, which may go without 号 at the end: `十二月三`.
fn day_or_end(text: &str) -> Option<(u64, &str)> {
    day(text).or_else(|| Some((cardinal(text)?, "")))
}

/// Whether a text is a time of day, or nothing: `下午`, `三点半`, `下午3点20分`, `14:30`.
fn is_time_of_day(text: &str) -> bool {
    let clock = PARTS_OF_DAY
        .iter()
        .find_map(|part| text.strip_prefix(part))
        .unwrap_or(text);
    if clock.is_empty() {
        return true;
    }
    let Some((hour, minutes)) = clock.split_once(['点', ':']) else {
        return false;
    };
    let below = |text: &str, limit| cardinal(text).is_some_and(|value| value < limit);
    let whole = matches!(minutes, "" | "钟" | "整" | "半" | "一刻" | "三刻");
    let minutes = minutes.strip_suffix('分').unwrap_or(minutes);
    // `三点零五`
    let minutes = minutes.strip_prefix('零').unwrap_or(minutes);
    below(hour, 25) && (whole || below(minutes, 60))
}
