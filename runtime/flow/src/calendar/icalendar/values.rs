//! Values of iCalendar's properties (RFC 5545, 3.3): dates, lengths of time, texts and lists.

use jiff::civil::Date;

/// A date, and whether an hour of it is meant rather than the day. Midnight by local clocks is
/// how some programs write the day.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) date: Date,
    pub(super) hour: bool,
}

impl Moment {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (day, clock) = text
            .split_once(['T', 't'])
            .map_or((text, None), |(day, clock)| (day, Some(clock)));
        let well_formed = |clock: &str| {
            let digits = clock.strip_suffix(['Z', 'z']).unwrap_or(clock);
            digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if clock.is_some_and(|clock| !well_formed(clock)) {
            return None;
        }
        Some(Self {
            date: date(day)?,
            hour: clock.is_some_and(|clock| clock != "000000"),
        })
    }
}

/// A date as iCalendar writes it: `20261001`.
pub(super) fn date(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Date::new(
        text[..4].parse().ok()?,
        text[4..6].parse().ok()?,
        text[6..].parse().ok()?,
    )
    .ok()
}

/// A text without its backslashes (RFC 5545, 3.3.11).
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => plain.push(' '),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

/// The texts of a list; a comma with a backslash before it is part of one.
pub(super) fn listed(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == ',' && !escaped {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
        escaped = character == '\\' && !escaped;
    }
    parts
        .iter()
        .map(|part| unescaped(part).trim().to_owned())
        .collect()
}

/// How many days a DURATION is; nothing inside when it is not whole days, none when it is no
/// duration.
pub(super) fn whole_days(text: &str) -> Option<Option<u32>> {
    let text = text.strip_prefix('+').unwrap_or(text).to_ascii_uppercase();
    let rest = text.strip_prefix('P')?;
    let (days, clock) = rest
        .split_once('T')
        .map_or((rest, ""), |(days, clock)| (days, clock));
    let mut seconds: u64 = 0;
    for (part, units) in [(days, "WD"), (clock, "HMS")] {
        let mut digits = String::new();
        for character in part.chars() {
            if character.is_ascii_digit() {
                digits.push(character);
                continue;
            }
            let unit = match character {
                'W' => 7 * 86_400,
                'D' => 86_400,
                'H' => 3_600,
                'M' => 60,
                'S' => 1,
                _ => return None,
            };
            if !units.contains(character) {
                return None;
            }
            let count: u64 = std::mem::take(&mut digits).parse().ok()?;
            seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        }
        if !digits.is_empty() {
            return None;
        }
    }
    if rest.is_empty() {
        return None;
    }
    let days = u32::try_from(seconds / 86_400).unwrap_or(u32::MAX);
    Some(seconds.is_multiple_of(86_400).then_some(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_eight_digits() {
        assert_eq!(date("20261001"), "2026-10-01".parse().ok());
        for text in [
            "2026100",
            "20261301",
            "20260230",
            "2026-10-",
            "+2026100",
            "二月一日",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn texts_lists_and_lengths() {
        assert_eq!(unescaped(r"a\, b\; c\\d\ne"), r"a, b; c\d e");
        assert_eq!(listed(r"one, two\, three"), ["one", "two, three"]);
        for (text, days) in [
            ("P1D", Some(Some(1))),
            ("P1W", Some(Some(7))),
            ("PT24H", Some(Some(1))),
            ("PT1H", Some(None)),
        ] {
            assert_eq!(whole_days(text), days, "{text}");
        }
        for text in ["", "P", "1D", "PD", "P1", "-P1D", "P1H", "PT1D", "P一D"] {
            assert_eq!(whole_days(text), None, "{text}");
        }
    }
}
