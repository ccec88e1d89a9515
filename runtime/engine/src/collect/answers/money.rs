//! Amounts of money in the hotline's currency: `12.50元`, `三块五`, `五毛`, `twelve dollars fifty`.
//!
//! The name of the currency tells that an amount is meant, not which one: amounts are numbers.

use super::{chinese, english, number, said::Said};

/// Hundredths of the greatest amount, exclusive.
const HUNDREDTHS_MAX: u64 = 1_000_000_000_000_000;

const LARGE: [&str; 17] = [
    "dollar", "dollars", "yuan", "rmb", "cny", "kuai", "buck", "bucks", "euro", "euros", "pound", "pounds",
    "hkd", "usd", "renminbi", "eur", "gbp",
];
const SMALL: [&str; 6] = ["cent", "cents", "penny", "pence", "fen", "p"];

/// The amount, with up to two decimals.
pub(super) fn understand(said: &Said) -> Option<f64> {
    // Words do not keep a sign.
    if said.compact().starts_with('-') {
        return None;
    }
    let hundredths = in_figures(said.compact())
        .or_else(|| in_chinese(said.compact()))
        .or_else(|| in_english(&said.words()))?;
    // Exact to the hundredth: the bound is far below 2^53.
    (hundredths < HUNDREDTHS_MAX).then(|| hundredths as f64 / 100.0)
}

/// Whole and hundredths from figures with a point: `1200.5` is 120,050.
fn hundredths(figures: &str) -> Option<u64> {
    let (whole, cents) = figures.split_once('.').unwrap_or((figures, ""));
    let cents: u64 = match cents.len() {
        0 => 0,
        1 => cents.parse::<u64>().ok()? * 10,
        2 => cents.parse().ok()?,
        _ => return None,
    };
    whole
        .parse::<u64>()
        .ok()
        .filter(|whole| *whole < HUNDREDTHS_MAX / 100)
        .map(|whole| whole * 100 + cents)
}

/// `¥1,200.50`, `12元`, `12.5`.
fn in_figures(text: &str) -> Option<u64> {
    let amount = text
        .trim_start_matches("人民币")
        .trim_start_matches(['¥', '￥', '$', '€', '£'])
        .trim_end_matches('钱')
        .trim_end_matches(['元', '块', '圆'])
        .replace(',', "");
    let plain = !amount.is_empty()
        && amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && amount.starts_with(|c: char| c.is_ascii_digit())
        && amount.ends_with(|c: char| c.is_ascii_digit());
    if plain { hundredths(&amount) } else { None }
}

/// `三块五`, `一千二`, `十二块零五分`, `八毛五`, `5角`.
fn in_chinese(text: &str) -> Option<u64> {
    let text = text
        .strip_prefix("人民币")
        .unwrap_or(text)
        .trim_end_matches(['钱', '整', '正']);
    match text.split_once(['块', '元', '圆']) {
        Some((whole, rest)) => {
            let whole = hundredths_of(whole)?;
            // `3.5块` leaves no room for more.
            if rest.is_empty() {
                return Some(whole);
            }
            (whole % 100 == 0)
                .then(|| below_one(rest.strip_prefix('钱').unwrap_or(rest)))
                .flatten()
                .map(|cents| whole + cents)
        }
        None => match below_one_named(text) {
            Some(cents) => Some(cents),
            None => hundredths_of(text),
        },
    }
}

/// A number of the large unit: `三百二十五`, `三点五`, `1.5万`.
fn hundredths_of(text: &str) -> Option<u64> {
    match chinese::cardinal(text) {
        Some(whole) => whole.checked_mul(100),
        None => hundredths(&number::figures(&Said::new(text))?).filter(|_| !text.is_empty()),
    }
}

fn one(text: &str) -> Option<u64> {
    let mut characters = text.chars();
    let c = characters.next()?;
    let value = c.to_digit(10).map(u64::from).or_else(|| chinese::digit(c))?;
    characters.next().is_none().then_some(value)
}

/// What follows the large unit: `五`, `五毛`, `五毛二`, `二五`, `零五`, `零五分`, `半`.
fn below_one(text: &str) -> Option<u64> {
    if text == "半" {
        return Some(50);
    }
    if let Some(cents) = below_one_named(text) {
        return Some(cents);
    }
    let mut characters = text.chars();
    let first = characters.next()?;
    let tens = one(&first.to_string())?;
    match characters.as_str() {
        "" => Some(tens * 10).filter(|cents| *cents > 0),
        rest => Some(tens * 10 + one(rest)?),
    }
}

/// Small units by name: `五毛`, `八毛五`, `八毛零五分`, `五分`, `零五分`.
fn below_one_named(text: &str) -> Option<u64> {
    if let Some((tens, rest)) = text.split_once(['毛', '角']) {
        let tens = one(tens).filter(|tens| *tens > 0)?;
        let rest = rest.trim_start_matches('零').trim_end_matches('分');
        let ones = if rest.is_empty() { 0 } else { one(rest)? };
        return Some(tens * 10 + ones);
    }
    let cents = text.strip_suffix('分')?;
    let cents = cents.strip_prefix('零').unwrap_or(cents);
    chinese::cardinal(cents).filter(|cents| (1..100).contains(cents))
}

/// `twelve dollars fifty`, `twelve fifty`, `fifty cents`, `five hundred`.
fn in_english(words: &[&str]) -> Option<u64> {
    if let Some(at) = words.iter().position(|word| LARGE.contains(word)) {
        let whole = amount(&words[..at])?;
        let rest = &words[at + 1..];
        let rest = rest.strip_prefix(&["and"]).unwrap_or(rest);
        return match rest {
            [] => Some(whole),
            _ if whole % 100 > 0 => None,
            [cents @ .., last] if SMALL.contains(last) => {
                english::below_hundred(cents).map(|cents| whole + cents)
            }
            cents => two_digits(cents).map(|cents| whole + cents),
        };
    }
    if let [cents @ .., last] = words
        && SMALL.contains(last)
    {
        return english::below_hundred(cents);
    }
    if let Some(whole) = amount(words) {
        return Some(whole);
    }
    // `twelve fifty`: an amount and two digits that together are no number.
    (1..words.len()).find_map(|at| {
        let whole = english::cardinal(&words[..at])?;
        Some(whole * 100 + two_digits(&words[at..])?)
    })
}

fn amount(words: &[&str]) -> Option<u64> {
    hundredths(&number::figures(&Said::new(&words.join(" ")))?)
}

/// Cents without their name, which are two digits: `fifty`, `oh five`, `50`.
fn two_digits(words: &[&str]) -> Option<u64> {
    match words {
        ["oh" | "o", ones] => english::digit(ones),
        [figures] if figures.len() == 2 && figures.bytes().all(|byte| byte.is_ascii_digit()) => {
            figures.parse().ok()
        }
        _ => english::below_hundred(words).filter(|cents| *cents >= 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_understood_as_they_are_said() {
        for (text, amount) in [
            ("￥1,200.50元", Some(1_200.5)),
            ("12.5", Some(12.5)),
            ("12元", Some(12.0)),
            ("三块五", Some(3.5)),
            ("三块五毛二", Some(3.52)),
            ("三块二五", Some(3.25)),
            ("三块零五", Some(3.05)),
            ("三块零五分", Some(3.05)),
            ("三块半", Some(3.5)),
            ("3块5", Some(3.5)),
            ("12元5角", Some(12.5)),
            ("五毛", Some(0.5)),
            ("五毛钱", Some(0.5)),
            ("八毛五", Some(0.85)),
            ("五分", Some(0.05)),
            ("一千二", Some(1_200.0)),
            ("一千二百块钱", Some(1_200.0)),
            ("一百零五块二", Some(105.2)),
            ("两万五", Some(25_000.0)),
            ("1.5万", Some(15_000.0)),
            ("三点五元", Some(3.5)),
            ("三百元整", Some(300.0)),
            ("twelve dollars fifty", Some(12.5)),
            ("twelve dollars and fifty cents", Some(12.5)),
            ("twelve fifty", Some(12.5)),
            ("twelve oh five", Some(12.05)),
            ("twenty-five fifty", Some(25.5)),
            ("fifty cents", Some(0.5)),
            ("five hundred yuan", Some(500.0)),
            ("a hundred", Some(100.0)),
            ("12 dollars 50", Some(12.5)),
            ("twelve point five", Some(12.5)),
            ("1.234", None),
            ("三块五块", None),
            ("twelve five", None),
            ("三点五元五角", None),
            ("free", None),
            ("-5", None),
            ("块", None),
            ("1.", Some(1.0)),
        ] {
            assert_eq!(understand(&Said::new(text)), amount, "{text}");
        }
    }
}
