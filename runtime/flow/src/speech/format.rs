//! Formats of values in prompts: `{phone | digits}`.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use trunkline_model::{Type, Value, limits::PRINTED_CHARS_MAX};

use super::{Currency, Speech, Tongue};

/// How a value is said, as written after `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One by one: phone numbers, ticket numbers.
    Digits,
    /// As a quantity.
    Number,
    /// As a place in a row.
    Ordinal,
    /// As a day.
    Date,
    /// As a time of day, in the hotline's zone.
    Time,
    /// As an amount of money; yuan when nothing is named.
    Money(Currency),
}

impl Format {
    /// The names of all formats.
    pub const NAMES: [&'static str; 6] = ["digits", "number", "ordinal", "date", "time", "money"];

    /// The format of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "digits" => Self::Digits,
            "number" => Self::Number,
            "ordinal" => Self::Ordinal,
            "date" => Self::Date,
            "time" => Self::Time,
            "money" => Self::Money(Currency::Cny),
            _ => return None,
        })
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Number => "number",
            Self::Ordinal => "ordinal",
            Self::Date => "date",
            Self::Time => "time",
            Self::Money(_) => "money",
        }
    }

    /// What it takes, for messages.
    pub(crate) const fn wants(self) -> &'static str {
        match self {
            Self::Digits => "a string, a phone or an int",
            Self::Number | Self::Money(_) => "an int or a decimal",
            Self::Ordinal => "an int",
            Self::Date => "a date or a time",
            Self::Time => "a time",
        }
    }

    /// Whether values of a type can be said so.
    pub(crate) const fn fits(self, ty: &Type) -> bool {
        match self {
            Self::Digits => matches!(ty, Type::String | Type::Phone | Type::Int(_) | Type::Char),
            Self::Number | Self::Money(_) => matches!(ty, Type::Int(_) | Type::Decimal),
            Self::Ordinal => matches!(ty, Type::Int(_)),
            Self::Date => matches!(ty, Type::Date | Type::Time),
            Self::Time => matches!(ty, Type::Time),
        }
    }

    /// A value as a voice says it; none for one that the format does not fit, which a checked
    /// prompt does not have.
    pub(crate) fn speech(self, value: &Value, zone: &TimeZone) -> Option<Speech> {
        Some(match (self, value) {
            (Self::Digits, Value::Text(text)) => {
                Speech::Digits(text.chars().take(PRINTED_CHARS_MAX).collect::<String>().into())
            }
            (Self::Digits, Value::Int(int)) => Speech::Digits(int.to_string().into()),
            (Self::Number, Value::Int(int)) => Speech::Number(int.to_string().into()),
            (Self::Number, Value::Decimal(decimal)) => Speech::Number(decimal.to_string().into()),
            (Self::Ordinal, Value::Int(int)) => Speech::Ordinal(int.to_string().into()),
            (Self::Date, Value::Date(date)) => Speech::Date(*date),
            (Self::Date, Value::Time(time)) => Speech::Date(local(time.as_millis(), zone)?.date()),
            (Self::Time, Value::Time(time)) => {
                let time = local(time.as_millis(), zone)?;
                Speech::Time {
                    hour: time.hour().unsigned_abs(),
                    minute: time.minute().unsigned_abs(),
                }
            }
            (Self::Money(currency), Value::Int(int)) => {
                let decimals = currency.decimals();
                let point = if decimals > 0 { "." } else { "" };
                money(format!("{int}{point}{}", "0".repeat(decimals)), currency)
            }
            (Self::Money(currency), Value::Decimal(decimal)) => {
                money(format!("{decimal:.*}", currency.decimals()), currency)
            }
            _ => return None,
        })
    }

    /// What it looks like on a text channel.
    pub(crate) fn shown(speech: &Speech, tongue: Tongue) -> String {
        match speech {
            Speech::Text(text) | Speech::Digits(text) => text.to_string(),
            Speech::Number(number) => grouped(number),
            Speech::Ordinal(number) => ordinal(number, tongue),
            Speech::Date(date) => date_shown(*date, tongue),
            Speech::Time { hour, minute } => time_shown(*hour, *minute, tongue),
            Speech::Money { amount, currency } => {
                let word = Currency::of_code(currency).map_or(&**currency, |known| known.word(tongue));
                let blank = if tongue == Tongue::Chinese { "" } else { " " };
                format!("{}{blank}{word}", grouped(amount))
            }
            Speech::Pause(_) | Speech::Recording { .. } => String::new(),
        }
    }
}

fn local(millis: i64, zone: &TimeZone) -> Option<jiff::Zoned> {
    let time = Timestamp::from_millisecond(millis).ok()?;
    Some(time.to_zoned(zone.clone()))
}

fn money(amount: String, currency: Currency) -> Speech {
    Speech::Money {
        amount: amount.into(),
        currency: currency.code().into(),
    }
}

/// A number with a comma after every third digit before the point.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number
        .find('.')
        .map_or((number, ""), |point| number.split_at(point));
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

fn ordinal(number: &str, tongue: Tongue) -> String {
    match tongue {
        Tongue::Chinese | Tongue::Japanese => format!("第{number}"),
        Tongue::English => {
            let teen = ["11", "12", "13"].iter().any(|teen| number.ends_with(teen));
            let ending = match number.chars().last() {
                Some('1') if !teen => "st",
                Some('2') if !teen => "nd",
                Some('3') if !teen => "rd",
                _ => "th",
            };
            format!("{number}{ending}")
        }
        Tongue::Other => number.to_owned(),
    }
}

fn date_shown(date: Date, tongue: Tongue) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let (year, month, day) = (date.year(), date.month(), date.day());
    match tongue {
        Tongue::Chinese | Tongue::Japanese => format!("{year}年{month}月{day}日"),
        Tongue::English => {
            let name = MONTHS[usize::from(month.unsigned_abs().saturating_sub(1)) % MONTHS.len()];
            format!("{day} {name} {year}")
        }
        Tongue::Other => date.to_string(),
    }
}

fn time_shown(hour: u8, minute: u8, tongue: Tongue) -> String {
    // Noon and midnight are twelve on a clock of twelve hours.
    let twelve = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
    match tongue {
        Tongue::Chinese => {
            let (part, hour) = match hour {
                0..=5 => ("凌晨", hour),
                6..=11 => ("上午", hour),
                12 => ("中午", hour),
                13..=17 => ("下午", twelve),
                _ => ("晚上", twelve),
            };
            match minute {
                0 => format!("{part}{hour}点"),
                minute => format!("{part}{hour}点{minute:02}分"),
            }
        }
        Tongue::English => {
            let half = if hour < 12 { "am" } else { "pm" };
            format!("{twelve}:{minute:02} {half}")
        }
        Tongue::Japanese | Tongue::Other => format!("{hour:02}:{minute:02}"),
    }
}

#[cfg(test)]
mod tests {
    use trunkline_model::Timestamp;

    use super::*;

    const PAGE: &str = include_str!("../../../../docs/reference/prompts.md");

    fn shown(format: Format, value: &Value, language: &str) -> String {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        Format::shown(&format.speech(value, &zone).unwrap(), Tongue::of(language))
    }

    #[test]
    fn values_look_as_each_language_writes_them() {
        let day = Value::Date(jiff::civil::date(2026, 11, 21));
        // 2026-11-21 20:05 in Shanghai.
        let evening = Value::Time(Timestamp::from_millis(1_795_262_700_000));
        let yuan = Format::Money(Currency::Cny);
        let mut rows = Vec::new();
        for (format, value, zh, en, de) in [
            (
                Format::Date,
                day,
                "2026年11月21日",
                "21 November 2026",
                "2026-11-21",
            ),
            (
                Format::Date,
                evening.clone(),
                "2026年11月21日",
                "21 November 2026",
                "2026-11-21",
            ),
            (Format::Time, evening, "晚上8点05分", "8:05 pm", "20:05"),
            (yuan, Value::Decimal(12.5), "12.50元", "12.50 yuan", "12.50 CNY"),
            (
                yuan,
                Value::Decimal(-1_234_567.5),
                "-1,234,567.50元",
                "-1,234,567.50 yuan",
                "-1,234,567.50 CNY",
            ),
            (yuan, Value::Int(200), "200.00元", "200.00 yuan", "200.00 CNY"),
            (
                Format::Money(Currency::Jpy),
                Value::Int(1_200),
                "1,200日元",
                "1,200 yen",
                "1,200 JPY",
            ),
            (
                Format::Number,
                Value::Decimal(1_200.5),
                "1,200.5",
                "1,200.5",
                "1,200.5",
            ),
            (Format::Number, Value::Int(-100), "-100", "-100", "-100"),
            (Format::Ordinal, Value::Int(3), "第3", "3rd", "3"),
            (Format::Ordinal, Value::Int(112), "第112", "112th", "112"),
            (Format::Digits, "0571".into(), "0571", "0571", "0571"),
        ] {
            let name = match format {
                Format::Money(currency) if currency != Currency::Cny => format!("money {}", currency.code()),
                format => format.name().to_owned(),
            };
            rows.push(format!("| `{name}` | {zh} | {en} | {de} |"));
            for (language, expected) in [("zh-CN", zh), ("en-GB", en), ("de", de)] {
                assert_eq!(
                    shown(format, &value, language),
                    expected,
                    "{format:?} in {language}"
                );
            }
        }
        let (_, table) = PAGE.split_once("What text channels show:").unwrap();
        let shown: Vec<_> = table
            .lines()
            .filter(|line| line.starts_with("| `"))
            .take(Format::NAMES.len() + 1)
            .collect();
        for row in shown {
            assert!(rows.iter().any(|true_row| true_row == row), "the page says {row}");
        }
    }

    #[test]
    fn the_day_has_its_parts() {
        let at = |hour: u8, minute: u8| {
            (
                time_shown(hour, minute, Tongue::Chinese),
                time_shown(hour, minute, Tongue::English),
            )
        };
        for (hour, minute, zh, en) in [
            (0, 5, "凌晨0点05分", "12:05 am"),
            (9, 0, "上午9点", "9:00 am"),
            (12, 30, "中午12点30分", "12:30 pm"),
            (15, 5, "下午3点05分", "3:05 pm"),
            (23, 59, "晚上11点59分", "11:59 pm"),
        ] {
            assert_eq!(at(hour, minute), (zh.to_owned(), en.to_owned()));
        }
    }

    #[test]
    fn every_format_is_found_by_its_name_and_says_what_fits_it() {
        let zone = TimeZone::UTC;
        let samples = [
            (Type::String, Value::from("1")),
            (Type::Phone, Value::from("+86")),
            (Type::INT, Value::Int(1)),
            (Type::Decimal, Value::Decimal(1.0)),
            (Type::Bool, Value::Bool(true)),
            (Type::Date, Value::Date(jiff::civil::date(2026, 1, 1))),
            (Type::Time, Value::Time(Timestamp::from_millis(0))),
            (
                Type::Duration,
                Value::Duration(trunkline_model::Duration::default()),
            ),
        ];
        for name in Format::NAMES {
            let format = Format::of_name(name).unwrap();
            assert_eq!(format.name(), name);
            for (ty, value) in &samples {
                let said = format.speech(value, &zone).is_some();
                assert_eq!(format.fits(ty), said, "{name} of {ty}");
            }
        }
    }
}
