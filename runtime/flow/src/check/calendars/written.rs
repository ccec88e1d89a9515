//! What is written in a calendar: weekdays, spans, dates and ranges of dates.

use std::cell::RefCell;

use jiff::civil::Date;

use crate::{
    calendar::{DAY, OpeningSpan},
    diagnostics::{Code, Finding, Findings, did_you_mean},
    expression::WEEKDAYS,
    limits::EVENT_DAYS_MAX,
    source::Word,
};

fn report(findings: &RefCell<Findings>, finding: Finding) {
    findings.borrow_mut().push(finding);
}

/// The offset of a weekday from Monday.
pub(super) fn weekday(findings: &RefCell<Findings>, word: &Word) -> Option<usize> {
    let found = WEEKDAYS.iter().position(|day| *day == word.as_str());
    if found.is_none() {
        let lower = word.as_str().to_lowercase();
        let meant = WEEKDAYS
            .iter()
            .find(|day| lower.len() >= 2 && day.starts_with(&lower))
            .map(|day| format!("write `{day}`"));
        report(
            findings,
            Finding::new(
                Code::UnknownWeekday,
                word.span,
                format!("`{}` is no weekday", word.as_str()),
            )
            .help_if(meant.or_else(|| did_you_mean("weekdays are", word.as_str(), WEEKDAYS))),
        );
    }
    found
}

/// A span like `08:30-12:00`.
pub(super) fn opening(findings: &RefCell<Findings>, word: &Word) -> Option<OpeningSpan> {
    let finding = |message: String, help: &str| {
        report(
            findings,
            Finding::new(Code::BadOpeningSpan, word.span, message).help(help),
        );
    };
    let minutes = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let two = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
        let (hour, minute) = (two(hour)?, two(minute)?);
        ((hour < 24 && minute < 60) || (hour == 24 && minute == 0)).then_some(hour * 60 + minute)
    };
    let parts = word.as_str().split_once('-');
    let Some((from, until)) = parts.and_then(|(from, until)| minutes(from).zip(minutes(until))) else {
        finding(
            format!("`{}` is no span of time", word.as_str()),
            "write it in quotes as \"08:30-12:00\"; a day without any is `[]`",
        );
        return None;
    };
    if from == until || from == DAY {
        finding(
            format!("`{}` is no time at all", word.as_str()),
            "a whole day is \"00:00-24:00\"",
        );
        return None;
    }
    // One that ends before it begins runs over midnight.
    let until = if until < from { until + DAY } else { until };
    Some(OpeningSpan { from, until })
}

/// A date like `2026-10-01`.
pub(super) fn date(findings: &RefCell<Findings>, word: &Word) -> Option<Date> {
    let date = parse(word.as_str());
    if date.is_none() {
        report(
            findings,
            Finding::new(
                Code::BadDate,
                word.span,
                format!("`{}` is no date", word.as_str()),
            )
            .help("write it as \"2026-10-01\""),
        );
    }
    date
}

/// A date, or a range of dates like `2026-10-01..2026-10-07`, both ends included.
pub(super) fn dates(findings: &RefCell<Findings>, word: &Word) -> Vec<Date> {
    let Some((first, last)) = word.as_str().split_once("..") else {
        return date(findings, word).into_iter().collect();
    };
    let finding = |message: String, help: String| {
        report(
            findings,
            Finding::new(Code::BadDate, word.span, message).help(help),
        );
    };
    let Some((first, last)) = parse(first).zip(parse(last)) else {
        finding(
            format!("`{}` is no range of dates", word.as_str()),
            "write it as \"2026-10-01..2026-10-07\"".to_owned(),
        );
        return Vec::new();
    };
    let days: Vec<Date> = first
        .series(jiff::Span::new().days(1))
        .take_while(|date| *date <= last)
        .take(EVENT_DAYS_MAX as usize + 1)
        .collect();
    if days.is_empty() {
        finding(
            format!("`{}` ends before it begins", word.as_str()),
            format!("write it as \"{last}..{first}\""),
        );
    } else if days.len() > EVENT_DAYS_MAX as usize {
        finding(
            format!("`{}` is more than {EVENT_DAYS_MAX} days", word.as_str()),
            "close the weekdays instead: `monday: []`".to_owned(),
        );
        return Vec::new();
    }
    days
}

fn parse(text: &str) -> Option<Date> {
    (text.len() == "2026-10-01".len())
        .then(|| text.parse().ok())
        .flatten()
}
