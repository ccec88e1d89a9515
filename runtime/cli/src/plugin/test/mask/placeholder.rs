//! Placeholders: of the form of what they stand for, and never the same.

use super::Kind;

const FAMILY: [char; 10] = ['甲', '乙', '丙', '丁', '戊', '己', '庚', '辛', '壬', '癸'];

/// Digits that have to differ, for a placeholder to be told from what else is written with digits.
const DIGITS_MIN: usize = 4;

/// Whether enough digits of a number can be others for its placeholder to be one.
pub(super) fn has_digits_to_spare(kind: Kind, value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    matches!(kind, Kind::Phone | Kind::IdNumber) && digits >= DIGITS_MIN
}

/// The placeholder of a value, by its number. Digits stay digits, as many as there were.
pub(super) fn made(kind: Kind, value: &str, count: usize) -> String {
    match kind {
        Kind::Phone | Kind::IdNumber if !has_digits_to_spare(kind, value) => format!("masked-{count}"),
        Kind::Phone | Kind::IdNumber => digits(kind, value, count),
        Kind::Name if !value.is_ascii() => {
            let at = count - 1;
            let round = at / FAMILY.len();
            let more = if round == 0 {
                String::new()
            } else {
                (round + 1).to_string()
            };
            format!("某{}{more}", FAMILY[at % FAMILY.len()])
        }
        Kind::Name => format!("Name {count}"),
        Kind::Email => format!("person{count}@mail.example"),
        Kind::Address if !value.is_ascii() => format!("某地址{count}"),
        Kind::Address => format!("Address {count}"),
        Kind::Secret => format!("secret-{count}"),
    }
}

/// From the end: the count, then zeros, then the beginning that tells the region.
fn digits(kind: Kind, value: &str, count: usize) -> String {
    let all = value.chars().filter(char::is_ascii_digit).count();
    let kept = if kind == Kind::IdNumber { 6 } else { 3 };
    let kept = kept.min(all.saturating_sub(DIGITS_MIN));
    let mut left = count;
    let mut place = all;
    let mut made: Vec<char> = Vec::with_capacity(value.len());
    for c in value.chars().rev() {
        made.push(if c.is_ascii_digit() {
            place -= 1;
            if place < kept {
                c
            } else {
                let digit = left % 10;
                left /= 10;
                u32::try_from(digit)
                    .ok()
                    .and_then(|digit| char::from_digit(digit, 10))
                    .unwrap_or('0')
            }
        } else if c.is_alphabetic() {
            // A letter tells as much as a digit: an identity number's last sign, a name beside a number.
            'X'
        } else {
            c
        });
    }
    made.into_iter().rev().collect()
}
