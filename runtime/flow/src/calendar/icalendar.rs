//! iCalendar files (RFC 5545), as far as whole days go: which days their events name.
//!
//! An event is a stretch of days, once, every year, or day after day for a while. Events of some
//! hours are passed over with a warning. A rule or a date that cannot be followed is an error:
//! days that are lost silently are worse than a file that does not load. Time zones, alarms, tasks
//! and all else in such a file say nothing about days and are not looked at.

mod event;
mod lines;
mod recurrence;
mod values;

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

pub(crate) use self::event::{Event, read};
use crate::{
    Sources,
    diagnostics::{Diagnostic, Findings},
    source::Files,
};

/// Words by which programs mark make-up workdays, for a hint when nobody asked for them.
const MAKE_UP_WORDS: [&str; 3] = ["班", "workday", "working day"];

/// Which events are make-up workdays, and which are holidays.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// An event is a make-up workday when its summary or one of its categories contains one of
    /// these.
    pub workdays_if: Vec<Arc<str>>,
    /// Any other event is a holiday when its summary or one of its categories contains one of
    /// these, or when there are none here.
    pub holidays_if: Vec<Arc<str>>,
}

/// The days that the events of a file name, and what they are called there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Days off.
    pub holidays: BTreeMap<Date, Arc<str>>,
    /// Make-up workdays.
    pub workdays: BTreeMap<Date, Arc<str>>,
    /// The summary of an event that looks like a make-up workday and was taken for a holiday.
    pub suspect: Option<Arc<str>>,
}

/// Reads a file's days, and all that is wrong with it. `path` is how findings name it.
pub fn import(path: &str, text: &str, marks: &Marks) -> (Named, Vec<Diagnostic>) {
    let sources = Sources::new([(path, text)]);
    let files = Files::new(&sources);
    let mut findings = Findings::default();
    let index = files.0.iter().position(|file| &*file.path == path);
    let index = index.expect("the file was just put there");
    let events = read(index, &files.0[index], &mut findings);
    (sort(&events, marks), findings.into_diagnostics(&files))
}

/// Sorts the days of events. A day that is marked as a make-up workday is one, whatever else
/// falls on it.
pub(crate) fn sort(events: &[Event], marks: &Marks) -> Named {
    let mut named = Named::default();
    for event in events {
        let workday = marks.workdays_if.iter().any(|mark| event.mentions(mark));
        if workday {
            named
                .workdays
                .extend(event.days().map(|date| (date, event.summary.clone())));
        } else if marks.holidays_if.is_empty() || marks.holidays_if.iter().any(|mark| event.mentions(mark)) {
            if marks.workdays_if.is_empty() && MAKE_UP_WORDS.iter().any(|word| event.mentions(word)) {
                named.suspect.get_or_insert_with(|| event.summary.clone());
            }
            for date in event.days() {
                named
                    .holidays
                    .entry(date)
                    .or_insert_with(|| event.summary.clone());
            }
        }
    }
    named
        .holidays
        .retain(|date, _| !named.workdays.contains_key(date));
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a city's office exports it: National Day and its make-up workdays, Labour Day each
    /// year but one, and a meeting.
    const OFFICE: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Example//Office//ZH\r
X-WR-CALNAME:节假日\r
BEGIN:VTIMEZONE\r
TZID:Asia/Shanghai\r
BEGIN:STANDARD\r
DTSTART:19700101T000000\r
TZOFFSETFROM:+0800\r
TZOFFSETTO:+0800\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:1@example\r
DTSTART;VALUE=DATE:20261001\r
DTEND;VALUE=DATE:20261008\r
SUMMARY:国庆节\\, 放\r
 假\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2@example\r
DTSTART;VALUE=DATE:20260920\r
SUMMARY:国庆节补班\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:3@example\r
DTSTART;VALUE=DATE:20261010\r
DURATION:P1D\r
SUMMARY:Saturday\r
CATEGORIES:office,补班\r
BEGIN:VALARM\r
TRIGGER:-PT15M\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:4@example\r
DTSTART;VALUE=DATE:20250501\r
RRULE:FREQ=YEARLY;UNTIL=20280501\r
EXDATE;VALUE=DATE:20270501\r
SUMMARY:Labour Day\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:5@example\r
DTSTART;TZID=Asia/Shanghai:20261120T090000\r
DTEND;TZID=Asia/Shanghai:20261120T100000\r
SUMMARY:Meeting\r
END:VEVENT\r
END:VCALENDAR\r
";

    fn marks(workdays_if: &[&str], holidays_if: &[&str]) -> Marks {
        let words = |words: &[&str]| words.iter().map(|&word| word.into()).collect();
        Marks {
            workdays_if: words(workdays_if),
            holidays_if: words(holidays_if),
        }
    }

    fn shown(days: &BTreeMap<Date, Arc<str>>) -> Vec<String> {
        days.iter().map(|(date, name)| format!("{date} {name}")).collect()
    }

    #[test]
    fn an_offices_calendar() {
        let (named, findings) = import("office.ics", OFFICE, &marks(&["班"], &[]));
        assert_eq!(named.holidays.len(), 7 + 3);
        assert_eq!(
            shown(&named.holidays)[..3],
            [
                "2025-05-01 Labour Day",
                "2026-05-01 Labour Day",
                "2026-10-01 国庆节, 放假"
            ]
        );
        assert_eq!(
            shown(&named.workdays),
            ["2026-09-20 国庆节补班", "2026-10-10 Saturday"]
        );
        assert_eq!(named.suspect, None);
        let [finding] = &findings[..] else {
            panic!("{findings:?}")
        };
        assert_eq!((finding.code.as_str(), finding.line), ("TL0611", 42));
        assert!(
            finding.message.contains("`Meeting` lasts hours"),
            "{}",
            finding.message
        );
    }

    #[test]
    fn marks_sort_events() {
        let (named, _) = import("office.ics", OFFICE, &Marks::default());
        assert!(named.workdays.is_empty());
        assert_eq!(named.suspect.as_deref(), Some("国庆节补班"));
        let (named, _) = import("office.ics", OFFICE, &marks(&["补班"], &["labour"]));
        assert_eq!((named.holidays.len(), named.workdays.len()), (3, 2));
    }

    #[test]
    fn a_marked_day_is_worked_whatever_else_falls_on_it() {
        let text = OFFICE.replace("20261010", "20261003");
        let (named, _) = import("office.ics", &text, &marks(&["班"], &[]));
        let date: Date = "2026-10-03".parse().unwrap();
        assert!(named.workdays.contains_key(&date) && !named.holidays.contains_key(&date));
    }
}
