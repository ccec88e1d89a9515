//! What looks like personal data by its form alone: phone numbers, identity numbers, addresses of e-mail.
//!
//! Digits are looked at group by group, since people write `138-0013-8000`, and up to whatever is no digit,
//! since a number may stand in a path or before a full stop.

use std::ops::Range;

use super::Kind;

/// Digits of the longest number that is looked for.
const DIGITS_MAX: usize = 18;

/// Digits of an identity number before its last sign, which may be an X.
const ID_DIGITS: usize = 17;

/// Characters of an address of e-mail, before and behind its sign.
const LOCAL_CHARS_MAX: usize = 64;
const HOST_CHARS_MAX: usize = 255;

/// Everything that is found in a text, in order.
pub(super) fn all(text: &str) -> Vec<(Kind, Range<usize>)> {
    let mut found = Vec::new();
    let mut before: Option<char> = None;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let one = if c == '+' || (c.is_ascii_digit() && !before.is_some_and(|before| before.is_ascii_digit()))
        {
            number(rest)
        } else {
            None
        };
        let one = one.or_else(|| {
            let begins =
                c.is_ascii_alphanumeric() && !before.is_some_and(|before| before.is_ascii_alphanumeric());
            begins
                .then(|| email(rest))
                .flatten()
                .map(|length| (Kind::Email, length))
        });
        // An address may begin with digits that look like a phone number.
        let one = match one {
            Some((Kind::Phone | Kind::IdNumber, _)) if c.is_ascii_digit() => {
                email(rest).map(|length| (Kind::Email, length)).or(one)
            }
            one => one,
        };
        let length = match one {
            Some((kind, length)) => {
                found.push((kind, at..at + length));
                length
            }
            None => c.len_utf8(),
        };
        before = text[at..at + length].chars().last();
        at += length;
    }
    found
}

/// What a text is as a whole.
pub(super) fn whole(text: &str) -> Option<Kind> {
    match &all(text)[..] {
        [(kind, place)] if *place == (0..text.len()) => Some(*kind),
        _ => None,
    }
}

/// Bytes of the address of e-mail at the beginning of a text.
fn email(text: &str) -> Option<usize> {
    let sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
    let local = text
        .char_indices()
        .take(LOCAL_CHARS_MAX + 1)
        .find(|(_, c)| !sign(*c))
        .filter(|(_, c)| *c == '@')
        .map(|(at, _)| at)?;
    let host = &text[local + 1..];
    let end = host
        .char_indices()
        .take(HOST_CHARS_MAX)
        .find(|(_, c)| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
        .map_or_else(|| host.len().min(HOST_CHARS_MAX), |(at, _)| at);
    let host = host.get(..end)?.trim_end_matches(['.', '-']);
    host.contains('.').then_some(local + 1 + host.len())
}

/// Groups of digits at the beginning of a text.
struct Groups {
    plus: bool,
    digits: String,
    /// The digits of the first group.
    first: usize,
    /// For each group: how many digits there are up to its end, and how many bytes.
    ends: Vec<(usize, usize)>,
}

/// What the number at the beginning of a text is, and its bytes.
fn number(text: &str) -> Option<(Kind, usize)> {
    let groups = groups(text)?;
    // The most groups that are something: whatever follows a number may be another one.
    groups
        .ends
        .iter()
        .enumerate()
        .rev()
        .find_map(|(index, (count, bytes))| {
            let digits = &groups.digits[..*count];
            let grouped = index > 0;
            // An address of the internet has four parts, and a decimal two.
            if !groups.plus && index != 2 && text[..*bytes].contains('.') {
                return None;
            }
            let more = &text[*bytes..];
            if *count == ID_DIGITS && !groups.plus && is_dated(digits, grouped) {
                let mut signs = more.chars();
                let last = signs.next();
                let ends = !signs.next().is_some_and(|c| c.is_ascii_alphanumeric());
                return (matches!(last, Some('X' | 'x')) && ends).then_some((Kind::IdNumber, bytes + 1));
            }
            if *count == DIGITS_MAX && !groups.plus && is_dated(digits, grouped) {
                return Some((Kind::IdNumber, *bytes));
            }
            let is_phone = if groups.plus {
                (7..=15).contains(count)
            } else {
                is_mobile(digits) || (grouped && is_landline(digits, groups.first))
            };
            is_phone.then_some((Kind::Phone, *bytes))
        })
}

/// A number that stands in groups is an identity number if it holds a date of birth; one that does not
/// is one by its length.
fn is_dated(digits: &str, grouped: bool) -> bool {
    let number = |place: Range<usize>| digits.get(place).and_then(|digits| digits.parse::<u32>().ok());
    !grouped
        || matches!(
            (number(6..10), number(10..12), number(12..14)),
            (Some(1_850..=2_100), Some(1..=12), Some(1..=31))
        )
}

/// A mobile number of China: 138 0013 8000, with 0, 86 or 0086 before it.
fn is_mobile(digits: &str) -> bool {
    let bare = match digits.len() {
        11 => digits,
        12 => digits.strip_prefix('0').unwrap_or_default(),
        13 => digits.strip_prefix("86").unwrap_or_default(),
        15 => digits.strip_prefix("0086").unwrap_or_default(),
        _ => "",
    };
    bare.len() == 11 && bare.starts_with('1') && !matches!(bare.as_bytes()[1], b'0'..=b'2')
}

/// A number of a fixed line with its area: 0571-87654321. Without a sign between, any number may be one.
fn is_landline(digits: &str, first: usize) -> bool {
    digits.starts_with('0')
        && !digits.starts_with("00")
        && matches!(first, 3 | 4)
        && matches!(digits.len() - first, 7 | 8)
}

/// Reads groups of digits, with what people write between them.
fn groups(text: &str) -> Option<Groups> {
    let plus = text.starts_with('+');
    let mut groups = Groups {
        plus,
        digits: String::new(),
        first: 0,
        ends: Vec::new(),
    };
    let mut at = usize::from(plus);
    loop {
        let run = text[at..]
            .bytes()
            .take(DIGITS_MAX + 1)
            .take_while(u8::is_ascii_digit)
            .count();
        if run == 0 || groups.digits.len() + run > DIGITS_MAX {
            break;
        }
        if groups.ends.is_empty() {
            groups.first = run;
        } else if run < 2 {
            break;
        }
        groups.digits.push_str(&text[at..at + run]);
        at += run;
        groups.ends.push((groups.digits.len(), at));
        // `) ` is two signs; more than that is no number's.
        let between: usize = text[at..]
            .chars()
            .take(2)
            .take_while(|c| {
                matches!(
                    c,
                    ' ' | '-' | '.' | '(' | ')' | '\u{a0}' | '\u{2010}' | '\u{2011}' | '\u{2013}'
                )
            })
            .map(char::len_utf8)
            .sum();
        if between == 0 {
            break;
        }
        at += between;
    }
    (!groups.ends.is_empty()).then_some(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_however_they_are_written() {
        for (text, kind, found) in [
            ("call 13800138000.", Kind::Phone, "13800138000"),
            ("tel-13800138000", Kind::Phone, "13800138000"),
            ("/citizens/13800138000.json", Kind::Phone, "13800138000"),
            ("138-0013-8000", Kind::Phone, "138-0013-8000"),
            ("138.0013.8000", Kind::Phone, "138.0013.8000"),
            ("(138 0013 8000)", Kind::Phone, "138 0013 8000"),
            ("手机13800138000，谢谢", Kind::Phone, "13800138000"),
            ("13800138000 2026", Kind::Phone, "13800138000"),
            ("2026 13800138000", Kind::Phone, "13800138000"),
            ("8613800138000", Kind::Phone, "8613800138000"),
            ("0086 138 0013 8000", Kind::Phone, "0086 138 0013 8000"),
            ("+86 (138) 0013-8000", Kind::Phone, "+86 (138) 0013-8000"),
            ("+8613800138000_", Kind::Phone, "+8613800138000"),
            ("0571-87654321", Kind::Phone, "0571-87654321"),
            ("ID 33010619880101123X.", Kind::IdNumber, "33010619880101123X"),
            ("330106198801011234.", Kind::IdNumber, "330106198801011234"),
            ("330106 19880101 123x", Kind::IdNumber, "330106 19880101 123x"),
            ("<wang.fang@city.example>.", Kind::Email, "wang.fang@city.example"),
            (
                "13800138000@mail.example",
                Kind::Email,
                "13800138000@mail.example",
            ),
        ] {
            let all = all(text);
            let [(of, place)] = &all[..] else {
                panic!("{text}: {all:?}")
            };
            assert_eq!((*of, &text[place.clone()]), (kind, found), "{text}");
        }
    }

    #[test]
    fn what_is_nobodys_is_not_found() {
        for text in [
            "2026-11-21",
            "2026-11-21 10:15:30.123",
            "2026-11-21T10:15:30Z",
            "330100",
            "c-1",
            "1.4.0",
            "10086",
            "a@b",
            "12345678901234",
            "127.0.0.1:7001",
            "192.168.100.200",
            "138.100.138.10",
            "139.75123456",
            "550e8400-e29b-41d4-a716-446655440000",
            "1732700000",
            "1732700000000",
            "1 + 1",
            "",
        ] {
            assert_eq!(all(text), [], "{text}");
        }
    }
}
