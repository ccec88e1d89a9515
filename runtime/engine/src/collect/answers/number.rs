//! Numbers: `325`, `三百二十五`, `three hundred and twenty-five`, `三点五`, `minus two`.

use trunkline_model::Value;

use super::{chinese, digits, english, said::Said};

/// Digits of the longest number.
const DIGITS_MAX: usize = 15;

/// Measure words that may follow a number: the longer before those they begin with.
const MEASURES: [&str; 12] = [
    "个人", "口人", "个", "位", "人", "口", "次", "件", "名", "岁", "天", "号",
];

/// A number within bounds: an int, or a decimal where the flow wants one.
pub(super) fn understand(said: &Said, min: Option<f64>, max: Option<f64>, decimal: bool) -> Option<Value> {
    let figures = figures(said)?;
    let number: f64 = figures.parse().ok()?;
    let in_range = min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
    let value = if decimal {
        Value::Decimal(number)
    } else {
        Value::from(figures.parse::<i64>().ok()?)
    };
    in_range.then_some(value)
}

/// A number in figures: a sign, digits, a point and digits.
pub(super) fn figures(said: &Said) -> Option<String> {
    let (sign, positive) = match said.compact().strip_prefix(['-', '负']) {
        Some(rest) => ("-", rest),
        None => ("", said.compact().strip_prefix('+').unwrap_or(said.compact())),
    };
    if let Some(written) = written(positive).or_else(|| in_chinese(positive)) {
        return Some(format!("{sign}{written}"));
    }
    if !sign.is_empty() {
        return None;
    }
    let words = said.words();
    let (sign, words) = match words.as_slice() {
        ["minus" | "negative", rest @ ..] => ("-", rest),
        rest => ("", rest),
    };
    let number = in_english(words).or_else(|| {
        // Two digits or more, read out one by one. `1.2.3` and `12-34` are other things.
        let signs =
            said.compact().contains(['.', '-']) && said.compact().contains(|c: char| c.is_ascii_digit());
        digits::row(&words.join(" ")).filter(|row| !signs && (2..=DIGITS_MAX).contains(&row.len()))
    })?;
    Some(format!("{sign}{number}"))
}

/// Figures as they are written: `1,200`, `4.5`, `.5`.
fn written(text: &str) -> Option<String> {
    let plain = text.replace(',', "");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, "0"));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits(whole) && digits(fraction) && !fraction.is_empty() && plain.len() <= DIGITS_MAX + 1;
    let whole = if whole.is_empty() { "0" } else { whole };
    match plain.split_once('.') {
        _ if !fits || plain.is_empty() => None,
        Some(_) => Some(format!("{whole}.{fraction}")),
        None => Some(whole.to_owned()),
    }
}

fn in_chinese(text: &str) -> Option<String> {
    let bare = MEASURES
        .iter()
        .find_map(|measure| text.strip_suffix(measure))
        .unwrap_or(text);
    // `一个半` is one and a half.
    if let Some(whole) = text.strip_suffix("个半") {
        return Some(format!("{}.5", chinese::cardinal(whole)?));
    }
    if text == "半个" {
        return Some("0.5".to_owned());
    }
    let Some((whole, fraction)) = bare.split_once('点') else {
        return chinese::cardinal(bare).map(|value| value.to_string());
    };
    let whole = chinese::cardinal(whole)?;
    let fraction = fraction
        .chars()
        .map(|c| chinese::digit(c).or_else(|| c.to_digit(10).map(u64::from)))
        .map(|digit| digit.map(|digit| digit.to_string()))
        .collect::<Option<String>>()?;
    (!fraction.is_empty() && fraction.len() <= DIGITS_MAX).then(|| format!("{whole}.{fraction}"))
}

fn in_english(words: &[&str]) -> Option<String> {
    let Some(point) = words.iter().position(|word| *word == "point") else {
        return english::cardinal(words).map(|value| value.to_string());
    };
    let whole = match &words[..point] {
        [] => 0,
        words => english::cardinal(words)?,
    };
    let fraction = digits::row(&words[point + 1..].join(" "))?;
    (fraction.len() <= DIGITS_MAX).then(|| format!("{whole}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_understood_as_they_are_said() {
        for (text, number) in [
            (" 4２ ", Some("42")),
            ("1,200", Some("1200")),
            ("4.5", Some("4.5")),
            ("-3", Some("-3")),
            ("三百二十五", Some("325")),
            ("三个人", Some("3")),
            ("十二号", Some("12")),
            ("三点一四", Some("3.14")),
            ("一个半", Some("1.5")),
            ("负五", Some("-5")),
            ("嗯，三个吧", Some("3")),
            ("二零", Some("20")),
            ("three hundred and twenty-five", Some("325")),
            ("minus two", Some("-2")),
            ("three point one four", Some("3.14")),
            ("one two three", Some("123")),
            ("12a", None),
            ("inf", None),
            ("1e1", None),
            ("百分之三", None),
            ("1.2.3", None),
            ("12-34", None),
            ("-five", None),
            ("", None),
            (".", None),
        ] {
            assert_eq!(figures(&Said::new(text)).as_deref(), number, "{text}");
        }
    }
}
