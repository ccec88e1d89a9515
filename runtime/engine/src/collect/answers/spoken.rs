//! Every number is understood back from an independent writer of it, in both languages.

use proptest::prelude::*;
use trunkline_flow::step::Answer;
use trunkline_model::Value;

use super::{Today, understand_text};

const LARGEST: u64 = 99_999_999;

fn today() -> Today {
    Today::of(jiff::civil::date(2026, 11, 21))
}

fn number() -> Answer {
    Answer::Number {
        min: None,
        max: None,
        decimal: false,
    }
}

/// Writes a number place by place from the right, unlike the reader, which goes from the left.
fn chinese(number: u64) -> String {
    if number == 0 {
        return "零".into();
    }
    const FIGURES: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    const PLACES: [&str; 8] = ["", "十", "百", "千", "万", "十", "百", "千"];
    let digits: Vec<usize> = number
        .to_string()
        .bytes()
        .rev()
        .map(|b| usize::from(b - b'0'))
        .collect();
    let mut parts: Vec<String> = Vec::new();
    for (place, digit) in digits.iter().enumerate() {
        let wan = place == 4;
        if *digit > 0 {
            parts.push(format!("{}{}", FIGURES[*digit], PLACES[place]));
        } else {
            if wan {
                parts.push("万".into());
            }
            // One 零 for a row of zeros, and none for the place that 万 itself names.
            if !wan && place > 0 && digits[place - 1] > 0 {
                parts.push("零".into());
            }
        }
    }
    parts.reverse();
    parts.concat()
}

fn english(number: u64) -> String {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 10] = [
        "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    ];
    let tail = |rest: u64, joint: &str| match rest {
        0 => String::new(),
        rest => format!("{joint}{}", english(rest)),
    };
    match number {
        0..20 => SMALL[number as usize].to_owned(),
        20..100 => format!("{}{}", TENS[(number / 10) as usize], tail(number % 10, "-")),
        100..1_000 => format!("{} hundred{}", english(number / 100), tail(number % 100, " and ")),
        1_000..1_000_000 => {
            let joint = if number % 1_000 < 100 { " and " } else { ", " };
            format!(
                "{} thousand{}",
                english(number / 1_000),
                tail(number % 1_000, joint)
            )
        }
        _ => {
            let joint = if number % 1_000_000 < 100 { " and " } else { ", " };
            format!(
                "{} million{}",
                english(number / 1_000_000),
                tail(number % 1_000_000, joint)
            )
        }
    }
}

fn assert_understood(number: u64) {
    for text in [chinese(number), english(number), number.to_string()] {
        assert_eq!(
            understand_text(&self::number(), &text, today()),
            Some(Value::Int(number.into())),
            "{number} as {text}"
        );
        let amount = understand_text(&Answer::Money, &text, today());
        assert_eq!(amount, Some(Value::Decimal(number as f64)), "{number} as {text}");
    }
}

#[test]
fn the_writers_write_as_people_do() {
    for (number, zh, en) in [
        (10, "一十", "ten"),
        (305, "三百零五", "three hundred and five"),
        (1_050, "一千零五十", "one thousand and fifty"),
        (10_005, "一万零五", "ten thousand and five"),
        (100_300, "一十万零三百", "one hundred thousand, three hundred"),
        (20_000_300, "二千万零三百", "twenty million, three hundred"),
    ] {
        assert_eq!((chinese(number).as_str(), english(number).as_str()), (zh, en));
    }
}

#[test]
fn small_numbers_are_all_understood_back() {
    (0..20_000).for_each(assert_understood);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers_are_understood_back(number in 0..=LARGEST) {
        assert_understood(number);
    }

    /// Rounder numbers have more zeros in their middle than chance would give.
    #[test]
    fn numbers_with_zeros_are_understood_back(number in 0..=LARGEST, mask in any::<u8>()) {
        let thinned = number
            .to_string()
            .chars()
            .enumerate()
            .map(|(at, c)| if mask >> (at % 8) & 1 == 0 { '0' } else { c })
            .collect::<String>();
        assert_understood(thinned.parse().unwrap());
    }

    /// Whatever is said, nothing panics, and what is understood is within what was asked for.
    #[test]
    fn nothing_that_is_said_does_harm(
        text in prop_oneof![
            "\\PC{0,40}",
            "[零一二两三四五六七八九十百千万亿点半块毛分年月日号周天上下个后前0-9.,/ -]{0,12}",
            "(a|an|and|one|five|twelve|twenty|hundred|thousand|million|point|dollars|cents|double|oh|next|may|the|of|third|in|days|at|[0-9]{1,3}| |-){0,12}",
        ],
        wanted in prop::sample::select(vec![
            number(),
            Answer::Number { min: Some(0.0), max: Some(100.0), decimal: true },
            Answer::Money,
            Answer::Date,
            Answer::Phone,
            Answer::IdNumber,
            Answer::YesNo,
        ]),
    ) {
        match (&wanted, understand_text(&wanted, &text, today())) {
            (Answer::Number { min: Some(min), max: Some(max), .. }, Some(value)) => {
                let Value::Decimal(value) = value else { panic!("{value:?} is no decimal") };
                prop_assert!((*min..=*max).contains(&value));
            }
            (Answer::Money, Some(Value::Decimal(amount))) => {
                prop_assert!(amount >= 0.0 && ((amount * 100.0).round() / 100.0 - amount).abs() < 1e-6);
            }
            (Answer::Phone, Some(Value::Text(number))) => {
                let digits = number.trim_start_matches('+');
                prop_assert!((3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
            }
            _ => {}
        }
    }
}
