//! English. Engines read its figures well when they are told apart: a quantity has commas (so that
//! 1,990 is no year), a day is an ordinal, a time has `a.m.` or `p.m.`, and coins have their name.

use trunkline_flow::speech::Speech;

use super::{Figure, groups};

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

pub(super) fn spoken(value: &Speech, american: bool) -> String {
    match value {
        Speech::Digits(text) => one_by_one(text),
        Speech::Number(text) => Figure::of(text).map_or_else(|| text.to_string(), number),
        Speech::Ordinal(text) => match Figure::of(text) {
            Some(figure) if figure.fraction.is_empty() => number(figure) + ending(figure.whole),
            _ => text.to_string(),
        },
        Speech::Date(date) => {
            let month = MONTHS[usize::from(date.month().unsigned_abs().saturating_sub(1)) % MONTHS.len()];
            let day = date.day().to_string();
            let day = format!("{day}{}", ending(&day));
            if american {
                format!("{month} {day}, {}", date.year())
            } else {
                format!("{day} {month} {}", date.year())
            }
        }
        Speech::Time { hour, minute } => time(*hour, *minute),
        Speech::Money { amount, currency } => money(amount, currency),
        Speech::Text(_) | Speech::Pause(_) | Speech::Recording { .. } => String::new(),
    }
}

/// Blanks let an engine say each by itself, commas let it breathe between groups.
fn one_by_one(text: &str) -> String {
    let said: Vec<String> = groups(text)
        .iter()
        .map(|group| {
            let said: Vec<String> = group
                .iter()
                .map(|character| match character {
                    '+' => "plus".to_owned(),
                    '.' => "point".to_owned(),
                    '#' => "hash".to_owned(),
                    '*' => "star".to_owned(),
                    // A small `a` would be the article.
                    other => other.to_uppercase().to_string(),
                })
                .collect();
            said.join(" ")
        })
        .collect();
    said.join(", ")
}

fn number(figure: Figure<'_>) -> String {
    let mut said = String::new();
    if figure.negative {
        said.push_str("minus ");
    }
    for (index, digit) in figure.whole.chars().enumerate() {
        if index > 0 && (figure.whole.len() - index).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    if !figure.fraction.is_empty() {
        said.push('.');
        said.push_str(figure.fraction);
    }
    said
}

fn ending(number: &str) -> &'static str {
    if ["11", "12", "13"].iter().any(|teen| number.ends_with(teen)) {
        return "th";
    }
    match number.chars().last() {
        Some('1') => "st",
        Some('2') => "nd",
        Some('3') => "rd",
        _ => "th",
    }
}

fn time(hour: u8, minute: u8) -> String {
    let half = if hour < 12 { "a.m." } else { "p.m." };
    let twelve = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
    match (hour, minute) {
        (0, 0) => "midnight".to_owned(),
        (12, 0) => "noon".to_owned(),
        (_, 0) => format!("{twelve} {half}"),
        _ => format!("{twelve}:{minute:02} {half}"),
    }
}

fn money(amount: &str, currency: &str) -> String {
    let Some(figure) = Figure::of(amount) else {
        return format!("{amount} {currency}");
    };
    let Some(words) = words(currency) else {
        return format!("{} {currency}", number(figure));
    };
    let [tens, ones] = figure.coins();
    let coins = tens * 10 + ones;
    // Whole coins only: an amount with more places is read as it is written.
    if figure.fraction.len() > 2 || (coins > 0 && words.coin.is_empty()) {
        return format!("{} {}", number(figure), words.many);
    }
    let main = format!(
        "{} {}",
        number(Figure {
            fraction: "",
            ..figure
        }),
        if figure.whole == "1" {
            words.one
        } else {
            words.many
        }
    );
    if coins == 0 {
        return main;
    }
    let coin = if coins == 1 { words.coin } else { words.coins };
    if figure.whole == "0" {
        let minus = if figure.negative { "minus " } else { "" };
        return format!("{minus}{coins} {coin}");
    }
    format!("{main} and {coins} {coin}")
}

struct Words {
    one: &'static str,
    many: &'static str,
    coin: &'static str,
    coins: &'static str,
}

fn words(currency: &str) -> Option<Words> {
    let (one, many, coin, coins) = match currency {
        "CNY" => ("yuan", "yuan", "fen", "fen"),
        "HKD" => ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
        "MOP" => ("pataca", "patacas", "avo", "avos"),
        "TWD" => ("New Taiwan dollar", "New Taiwan dollars", "cent", "cents"),
        "USD" => ("US dollar", "US dollars", "cent", "cents"),
        "EUR" => ("euro", "euros", "cent", "cents"),
        "GBP" => ("pound", "pounds", "penny", "pence"),
        "JPY" => ("yen", "yen", "", ""),
        "KRW" => ("won", "won", "", ""),
        "SGD" => ("Singapore dollar", "Singapore dollars", "cent", "cents"),
        "AUD" => ("Australian dollar", "Australian dollars", "cent", "cents"),
        "CAD" => ("Canadian dollar", "Canadian dollars", "cent", "cents"),
        "CHF" => ("Swiss franc", "Swiss francs", "centime", "centimes"),
        "THB" => ("baht", "baht", "satang", "satang"),
        "RUB" => ("rouble", "roubles", "kopeck", "kopecks"),
        _ => return None,
    };
    Some(Words {
        one,
        many,
        coin,
        coins,
    })
}
