//! How often and how long, in figures and words of both languages.

/// Characters of Chinese numbers.
const NUMERALS: &str = "一二两三四五六七八九十百千几多半好数无";

/// English numbers and ordinals above one.
const WORDS: [&str; 34] = [
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
    "twenty",
    "thirty",
    "hundred",
    "dozen",
    "a dozen",
    "dozens of",
    "several",
    "many",
    "countless",
    "so many",
    "twice",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "umpteenth",
    "a hundred",
    "a thousand",
];

const TIMES: [&str; 12] = [
    "次",
    "遍",
    "趟",
    "回",
    "通电话",
    "个电话",
    "通",
    "封邮件",
    " times",
    " time",
    " calls",
    " emails",
];

const SPANS: [&str; 22] = [
    "天",
    "周",
    "个月",
    "年",
    "个星期",
    "星期",
    "礼拜",
    "个礼拜",
    "个小时",
    "小时",
    "个钟头",
    "钟头",
    "个钟",
    "个多月",
    "个半月",
    " days",
    " weeks",
    " months",
    " years",
    " hours",
    " week",
    " month",
];

/// Whether a number may begin so.
pub(super) fn may_begin_with(char: char) -> bool {
    char.is_ascii_alphanumeric() || NUMERALS.contains(char)
}

/// Characters of "three times" at the beginning, if it says so. Once is not often.
pub(super) fn often(text: &[char]) -> Option<usize> {
    let number = number(text)?;
    if matches!(text[..number], ['一'] | ['1']) {
        return None;
    }
    if begins(text, "twice") {
        return Some(number);
    }
    unit(text, number, &TIMES)
}

/// Characters of "three weeks" at the beginning, if it says so.
pub(super) fn long(text: &[char]) -> Option<usize> {
    unit(text, number(text)?, &SPANS)
}

/// Characters of a number and the longest of its units.
fn unit(text: &[char], number: usize, units: &[&str]) -> Option<usize> {
    let fitting = units.iter().filter(|unit| begins(&text[number..], unit));
    let unit = fitting.map(|unit| unit.chars().count()).max()?;
    Some(number + unit)
}

/// Characters of a number at the beginning.
fn number(text: &[char]) -> Option<usize> {
    let run = |belongs: fn(char) -> bool| text.iter().take_while(|&&char| belongs(char)).count();
    let digits = run(|char| char.is_ascii_digit());
    if digits > 0 {
        let ordinal = ["st", "nd", "rd", "th"]
            .into_iter()
            .any(|end| begins(&text[digits..], end));
        let numerals = text[digits..]
            .iter()
            .take_while(|&&char| NUMERALS.contains(char))
            .count();
        return Some(digits + if ordinal { 2 } else { numerals });
    }
    let numerals = run(|char| NUMERALS.contains(char));
    if numerals > 0 {
        return Some(numerals);
    }
    let words = WORDS.iter().filter(|word| begins(text, word));
    words.map(|word| word.len()).max()
}

fn begins(text: &[char], words: &str) -> bool {
    let mut text = text.iter();
    words.chars().all(|char| text.next() == Some(&char))
}
