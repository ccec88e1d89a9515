//! Chinese. Everything is written out in characters: what engines make of figures depends on
//! what they take them for, and characters are read in one way.
//!
//! Zero is always 零. 〇 is the usual one in dates on paper, but it is no ideograph to Unicode, and
//! some engines drop it; they sound alike, and nobody reads this text.

use trunkline_flow::speech::Speech;

use super::{Figure, groups};
use crate::limits::QUANTITY_DIGITS_MAX;

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

/// Words before which two things are 两: what is counted rather than numbered.
const COUNTED: &str = "个個位名人次天件张張台份户戶条條笔筆项項家辆輛周週倍";
const COUNTED_LONG: [&str; 5] = ["小时", "小時", "分钟", "分鐘", "秒钟"];

/// How a kind of Chinese is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Whether a one among digits is 幺: on the mainland, where 一 is too easily heard as 七 on
    /// the phone. Elsewhere 幺 is not understood.
    yao: bool,
    /// Whether engines of it know the old forms of characters rather than the simplified ones.
    traditional: bool,
}

impl Kind {
    /// Of a tag in small letters.
    pub(super) fn of(tag: &str) -> Self {
        let has = |names: &[&str]| tag.split(['-', '_']).any(|part| names.contains(&part));
        let mandarin = !has(&["yue", "nan", "hak", "wuu"]);
        let abroad = has(&["hk", "tw", "mo", "hant"]);
        Self {
            yao: mandarin && !abroad,
            traditional: (!mandarin && !has(&["hans", "wuu"])) || abroad,
        }
    }

    pub(super) fn spoken(self, value: &Speech, next: &str) -> String {
        let said = match value {
            Speech::Digits(text) => self.one_by_one(text),
            Speech::Number(text) => match Figure::of(text) {
                Some(Figure {
                    negative: false,
                    whole: "2",
                    fraction: "",
                }) if is_counted(next) => "两".to_owned(),
                Some(figure) => number(figure),
                None => text.to_string(),
            },
            Speech::Ordinal(text) => match Figure::of(text) {
                Some(figure) => format!("第{}", number(figure)),
                None => text.to_string(),
            },
            Speech::Date(date) => {
                let year: String = date
                    .year()
                    .unsigned_abs()
                    .to_string()
                    .chars()
                    .map(digit)
                    .collect();
                format!(
                    "{}{year}年{}月{}日",
                    if date.year() < 0 { "公元前" } else { "" },
                    small(date.month().unsigned_abs()),
                    small(date.day().unsigned_abs())
                )
            }
            Speech::Time { hour, minute } => time(*hour, *minute),
            Speech::Money { amount, currency } => money(amount, currency),
            Speech::Text(_) | Speech::Pause(_) | Speech::Recording { .. } => String::new(),
        };
        if self.traditional {
            said.chars().map(old_form).collect()
        } else {
            said
        }
    }

    fn one_by_one(self, text: &str) -> String {
        let groups = groups(text);
        let digits = groups.iter().flatten().filter(|c| c.is_ascii_digit()).count();
        // One or two digits are a counter's or a bus's number: nobody says 幺 of them.
        let yao = self.yao && digits > 2;
        let said: Vec<String> = groups
            .iter()
            .map(|group| {
                let mut said = String::new();
                for character in group {
                    match character {
                        '1' if yao => said.push('幺'),
                        '0'..='9' => said.push(digit(*character)),
                        '+' => said.push('加'),
                        '.' => said.push('点'),
                        '#' => said.push_str("井号"),
                        '*' => said.push_str("星号"),
                        // A letter stands by itself, or an engine makes a word of several.
                        letter if letter.is_ascii() => {
                            said.push(' ');
                            said.push(letter.to_ascii_uppercase());
                            said.push(' ');
                        }
                        other => said.push(*other),
                    }
                }
                said.split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        said.join("，")
    }
}

fn digit(character: char) -> char {
    let index = character.to_digit(10).unwrap_or(0);
    DIGITS[index as usize]
}

fn is_counted(next: &str) -> bool {
    next.chars().next().is_some_and(|c| COUNTED.contains(c))
        || COUNTED_LONG.iter().any(|word| next.starts_with(word))
}

fn number(figure: Figure<'_>) -> String {
    let mut said = String::new();
    if figure.negative {
        said.push('负');
    }
    said.push_str(&integer(figure.whole));
    if !figure.fraction.is_empty() {
        said.push('点');
        said.extend(figure.fraction.chars().map(digit));
    }
    said
}

/// A quantity of things: one that is two is 两.
fn quantity(whole: &str) -> String {
    if whole == "2" {
        "两".to_owned()
    } else {
        integer(whole)
    }
}

fn small(number: u8) -> String {
    integer(&number.to_string())
}

/// A whole number by its places: by four, each with 千, 百 and 十 within.
fn integer(digits: &str) -> String {
    const UNITS: [&str; 4] = ["", "万", "亿", "万"];
    if digits.len() > QUANTITY_DIGITS_MAX {
        return digits.chars().map(digit).collect();
    }
    let number: u64 = digits.parse().unwrap_or(0);
    let group = |place: u32| u16::try_from(number / 10_000_u64.pow(place) % 10_000).unwrap_or(0);
    let mut said = String::new();
    let mut skipped = false;
    for place in (0..4_u32).rev() {
        let value = group(place);
        // 万亿 is one unit when no 亿 of its own follows.
        let unit = match place {
            3 if group(2) == 0 => "万亿",
            place => UNITS[place as usize],
        };
        if value == 0 {
            skipped = true;
            continue;
        }
        if !said.is_empty() && (skipped || value < 1_000) {
            said.push('零');
        }
        skipped = false;
        if value == 2 && place > 0 {
            said.push('两');
        } else {
            let first = said.is_empty();
            four(&mut said, value, first);
        }
        said.push_str(unit);
    }
    if said.is_empty() { "零".to_owned() } else { said }
}

/// A number of up to four digits.
fn four(said: &mut String, value: u16, first: bool) {
    let mut skipped = false;
    let mut begun = false;
    for (size, unit) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = value / size % 10;
        if digit == 0 {
            skipped = begun;
            continue;
        }
        if skipped {
            said.push('零');
            skipped = false;
        }
        match (digit, size) {
            // Ten is 十, a hundred and ten is 一百一十.
            (1, 10) if first && !begun => {}
            (2, 1_000) => said.push('两'),
            _ => said.push(DIGITS[usize::from(digit)]),
        }
        said.push_str(unit);
        begun = true;
    }
}

fn time(hour: u8, minute: u8) -> String {
    let (part, hour) = match hour {
        0..=5 => ("凌晨", hour),
        6..=11 => ("上午", hour),
        12 => ("中午", hour),
        13..=17 => ("下午", hour - 12),
        _ => ("晚上", hour.saturating_sub(12)),
    };
    let hour = quantity(&hour.to_string());
    match minute {
        0 => format!("{part}{hour}点"),
        1..=9 => format!("{part}{hour}点零{}分", small(minute)),
        _ => format!("{part}{hour}点{}分", small(minute)),
    }
}

fn money(amount: &str, currency: &str) -> String {
    let Some(figure) = Figure::of(amount) else {
        return format!("{amount}{}", unit(currency));
    };
    let minus = if figure.negative { "负" } else { "" };
    if currency != "CNY" {
        let said = if figure.fraction.is_empty() {
            format!("{minus}{}", quantity(figure.whole))
        } else {
            number(figure)
        };
        return said + unit(currency);
    }
    let mut said = minus.to_owned();
    let [jiao, fen] = figure.coins();
    let has_yuan = figure.whole != "0" || (jiao == 0 && fen == 0);
    if has_yuan {
        said.push_str(&quantity(figure.whole));
        said.push('元');
    }
    for (coins, unit, leads) in [(jiao, '角', !has_yuan), (fen, '分', !has_yuan && jiao == 0)] {
        match coins {
            0 => continue,
            2 if leads => said.push('两'),
            _ => {
                if unit == '分' && jiao == 0 && has_yuan {
                    said.push('零');
                }
                said.push(DIGITS[usize::from(coins)]);
            }
        }
        said.push(unit);
    }
    said
}

/// What stands after an amount; its code for a currency that is not known.
fn unit(currency: &str) -> &str {
    match currency {
        "CNY" => "元",
        "HKD" => "港元",
        "MOP" => "澳门元",
        "TWD" => "新台币",
        "USD" => "美元",
        "EUR" => "欧元",
        "GBP" => "英镑",
        "JPY" => "日元",
        "KRW" => "韩元",
        "SGD" => "新加坡元",
        "AUD" => "澳元",
        "CAD" => "加元",
        "CHF" => "瑞士法郎",
        "THB" => "泰铢",
        "RUB" => "卢布",
        code => code,
    }
}

/// The old form of a character that is written here.
const fn old_form(character: char) -> char {
    match character {
        '两' => '兩',
        '万' => '萬',
        '亿' => '億',
        '负' => '負',
        '点' => '點',
        '号' => '號',
        '门' => '門',
        '币' => '幣',
        '欧' => '歐',
        '镑' => '鎊',
        '韩' => '韓',
        '铢' => '銖',
        '卢' => '盧',
        other => other,
    }
}
