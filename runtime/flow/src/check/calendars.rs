//! Calendars: spans that are spans, days that are days.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

use super::world::World;
use crate::{
    calendar::{Calendar, DAY, OpeningSpan, Spans},
    diagnostics::{Code, Finding, did_you_mean},
    expression::WEEKDAYS,
    source::Word,
    syntax::CalendarSyntax,
};

/// Checks all calendars; the built-in `always` is among the result.
pub(super) fn check(world: &World<'_>, calendars: &[CalendarSyntax]) -> BTreeMap<Arc<str>, Calendar> {
    let mut checked = BTreeMap::from([("always".into(), Calendar::always())]);
    let mut names: BTreeMap<&str, &Word> = BTreeMap::new();
    for calendar in calendars {
        let name = calendar.name.as_str();
        if name == "always" {
            world.report(
                Finding::new(
                    Code::DuplicateName,
                    calendar.name.span,
                    "`always` is built in and always open",
                )
                .help("give this calendar another name"),
            );
        } else if let Some(first) = names.get(name) {
            world.report(
                Finding::new(
                    Code::DuplicateName,
                    calendar.name.span,
                    format!("there are two calendars `{name}`"),
                )
                .label(first.span, "the first"),
            );
        }
        names.insert(name, &calendar.name);
        checked.insert(name.into(), Calendar::new(spans(world, calendar)));
    }
    checked
}

fn spans(world: &World<'_>, calendar: &CalendarSyntax) -> Spans {
    let mut spans = Spans::default();
    let mut nights: Vec<(usize, OpeningSpan, &Word)> = Vec::new();
    for (day, written) in &calendar.open {
        let Some(weekday) = weekday(world, day) else {
            continue;
        };
        let mut places: Vec<(OpeningSpan, &Word)> = Vec::new();
        for word in written {
            let Some(span) = opening(world, word) else {
                continue;
            };
            if let Some((_, other)) = places
                .iter()
                .find(|(other, _)| other.from < span.until && span.from < other.until)
            {
                world.report(
                    Finding::new(
                        Code::OverlappingSpans,
                        word.span,
                        format!(
                            "`{}` overlaps `{}` of the same day",
                            word.as_str(),
                            other.as_str()
                        ),
                    )
                    .label(other.span, "this one")
                    .help("join them to one span"),
                );
            }
            if span.until > DAY {
                nights.push((weekday, span, word));
            }
            places.push((span, word));
        }
        spans.week[weekday] = places.into_iter().map(|(span, _)| span).collect();
        spans.week[weekday].sort_unstable();
    }
    for (weekday, night, word) in nights {
        let next = &spans.week[(weekday + 1) % WEEKDAYS.len()];
        if next.iter().any(|span| span.from + DAY < night.until) {
            world.report(
                Finding::new(
                    Code::OverlappingSpans,
                    word.span,
                    format!("`{}` reaches into a span of the next day", word.as_str()),
                )
                .help("end it where the next day's first span begins"),
            );
        }
    }
    for word in &calendar.holidays {
        if let Some(date) = date(world, word) {
            spans.holidays.insert(date);
        }
    }
    for (day, like) in &calendar.workdays {
        let weekday = weekday(world, like);
        if let Some((date, weekday)) = date(world, day).zip(weekday) {
            spans.workdays.insert(date, weekday);
        }
    }
    if spans.week.iter().all(Vec::is_empty) {
        world.report(
            Finding::new(
                Code::NeverOpen,
                calendar.name.span,
                format!("the calendar `{}` is never open", calendar.name.as_str()),
            )
            .help("give a weekday its spans: `monday: [\"08:30-12:00\", \"13:30-17:30\"]`"),
        );
    }
    spans
}

/// The offset of a weekday from Monday.
fn weekday(world: &World<'_>, word: &Word) -> Option<usize> {
    let found = WEEKDAYS.iter().position(|day| *day == word.as_str());
    if found.is_none() {
        let lower = word.as_str().to_lowercase();
        let meant = WEEKDAYS
            .iter()
            .find(|day| lower.len() >= 2 && day.starts_with(&lower))
            .map(|day| format!("write `{day}`"));
        world.report(
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

fn opening(world: &World<'_>, word: &Word) -> Option<OpeningSpan> {
    let finding = |message: String, help: &str| {
        world.report(Finding::new(Code::BadOpeningSpan, word.span, message).help(help));
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
            "write it in quotes as \"08:30-12:00\"",
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

fn date(world: &World<'_>, word: &Word) -> Option<Date> {
    let date = (word.as_str().len() == "2026-10-01".len())
        .then(|| word.as_str().parse().ok())
        .flatten();
    if date.is_none() {
        world.report(
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

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn spans_days_and_dates() {
        assert_findings(
            r##"
--- calendars/office.yaml
calendar: office
open:
  monday: ["08:30-12:00", "11:00-17:30"]
#                         ^^^^^^^^^^^^^ TL0604: `11:00-17:30` overlaps `08:30-12:00`
  tue: ["08:30-12:00"]
# ^^^ TL0602: `tue` is no weekday
  friday: ["22:00-06:00", "8:30-9"]
#                         ^^^^^^^^ TL0603: `8:30-9` is no span of time
#          ^^^^^^^^^^^^^ TL0604: `22:00-06:00` reaches into a span of the next day
  saturday: ["05:00-09:00"]
holidays: ["2026-02-30", "2026-10-01"]
#          ^^^^^^^^^^^^ TL0605: `2026-02-30` is no date
workdays: { "2026-10-10": fryday }
#                         ^^^^^^ TL0602: `fryday` is no weekday
--- calendars/never.yaml
calendar: never
#         ^^^^^ TL0606: the calendar `never` is never open
open: {}
--- calendars/night.yaml
calendar: night
open:
  friday: ["22:00-06:00"]
#          ^^^^^^^^^^^^^ TL0604: `22:00-06:00` reaches into a span of the next day
  saturday: ["05:00-09:00"]
--- flows/main.yaml
flow: main
start: a
steps:
  a: { choose: [{ when: "${calendar.offic.open}", next: b }, { else: b }] }
#                                   ^^^^^ TL0601: there is no calendar `offic`
  b: { end: completed }
"##,
        );
    }
}
