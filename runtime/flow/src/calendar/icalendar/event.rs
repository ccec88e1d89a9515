//! Events of an iCalendar file, and the days each of them takes.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use jiff::civil::Date;

use super::{
    lines::{Line, lines},
    recurrence::Rule,
    values::{Moment, listed, unescaped, whole_days},
};
use crate::{
    diagnostics::{Code, Finding, Findings},
    limits::{EVENT_DAYS_MAX, FILE_BYTES_MAX, ICALENDAR_DAYS_MAX},
    source::{File, Span},
};

/// An event that takes whole days.
#[derive(Debug)]
pub(crate) struct Event {
    /// What it is called.
    pub(crate) summary: Arc<str>,
    categories: Vec<String>,
    uid: Option<String>,
    /// The instance of the event of the same UID that it stands for.
    instead_of: Option<Date>,
    /// The first day of each time it takes place.
    starts: BTreeSet<Date>,
    /// How many days it takes each time.
    length: u32,
}

impl Event {
    /// All its days.
    pub(crate) fn days(&self) -> impl Iterator<Item = Date> {
        self.starts.iter().flat_map(|start| {
            std::iter::successors(Some(*start), |date| date.tomorrow().ok()).take(self.length as usize)
        })
    }

    /// Whether its summary or one of its categories contains some words, capitals or not.
    pub(crate) fn mentions(&self, words: &str) -> bool {
        let words = words.to_lowercase();
        std::iter::once(&*self.summary)
            .chain(self.categories.iter().map(String::as_str))
            .any(|text| text.to_lowercase().contains(&words))
    }
}

/// Reads the events of a file, number `index` of the hotline's.
pub(crate) fn read(index: usize, file: &File, findings: &mut Findings) -> Vec<Event> {
    let mut reader = Reader {
        index,
        findings,
        open: Vec::new(),
        draft: None,
        events: Vec::new(),
        calendar: false,
        lost: false,
        days: 0,
    };
    if file.text.len() > FILE_BYTES_MAX {
        let message = format!(
            "{} has {} bytes; a file may have {FILE_BYTES_MAX}",
            file.path,
            file.text.len()
        );
        reader.report(
            Code::TooLarge,
            &(0..0),
            message,
            "leave out the events of years that are over",
        );
        return Vec::new();
    }
    for line in lines(&file.text) {
        match line {
            Ok(line) => reader.line(&line),
            Err(no_line) => reader.report(
                Code::BadICalendar,
                &no_line.span,
                "this is no line of an iCalendar file",
                "lines are written `NAME:value` or `NAME;PARAMETER=value:value`; one that goes on begins with a blank",
            ),
        }
        if reader.days > ICALENDAR_DAYS_MAX {
            let message = format!("{} names more than {ICALENDAR_DAYS_MAX} days", file.path);
            reader.report(
                Code::TooLarge,
                &(0..0),
                message,
                "leave out the events of years that are over",
            );
            return Vec::new();
        }
    }
    reader.finish()
}

struct Reader<'f> {
    index: usize,
    findings: &'f mut Findings,
    /// The components that have begun, and where.
    open: Vec<(String, Range<usize>)>,
    /// The event that has begun.
    draft: Option<Draft>,
    events: Vec<Event>,
    /// Whether a VCALENDAR has begun.
    calendar: bool,
    /// Whether what begins and what ends no longer match: the rest is not looked at.
    lost: bool,
    /// How many days all events take.
    days: usize,
}

/// What has been read of an event.
#[derive(Default)]
struct Draft {
    summary: Option<Arc<str>>,
    categories: Vec<String>,
    uid: Option<String>,
    start: Option<Moment>,
    end: Option<(Moment, Range<usize>)>,
    /// How many days `DURATION` says; none for one that is not whole days.
    duration: Option<Option<u32>>,
    rule: Option<Rule>,
    left_out: Vec<Date>,
    besides: Vec<Date>,
    instead_of: Option<Date>,
    cancelled: bool,
    /// Whether something of it could not be read, which has been reported.
    broken: bool,
}

impl Reader<'_> {
    fn report(&mut self, code: Code, at: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let span = Span::new(self.index, at.clone());
        self.findings.push(Finding::new(code, span, message).help(help));
    }

    fn line(&mut self, line: &Line<'_>) {
        match line.name.as_str() {
            _ if self.lost => {}
            "BEGIN" => self.begin(line),
            "END" => self.end(line),
            _ if self.open.last().is_some_and(|(name, _)| name == "VEVENT") => self.property(line),
            _ if self.open.is_empty() => self.stray(&line.span),
            _ => {}
        }
    }

    fn stray(&mut self, at: &Range<usize>) {
        if !self.calendar {
            self.report(
                Code::BadICalendar,
                at,
                "this is no iCalendar file: it does not begin with `BEGIN:VCALENDAR`",
                "export the calendar as iCalendar (.ics)",
            );
            // Said once.
            self.calendar = true;
        }
    }

    fn begin(&mut self, line: &Line<'_>) {
        let name = line.value.trim().to_ascii_uppercase();
        match (self.open.is_empty(), name.as_str()) {
            (true, "VCALENDAR") => self.calendar = true,
            (true, _) => self.stray(&line.span),
            (false, "VEVENT") => self.draft = Some(Draft::default()),
            (false, _) => {}
        }
        self.open.push((name, line.span.clone()));
    }

    fn end(&mut self, line: &Line<'_>) {
        let name = line.value.trim().to_ascii_uppercase();
        let begun = self.open.pop();
        if begun.as_ref().is_none_or(|(begun, _)| *begun != name) {
            let message = begun.map_or_else(
                || format!("`END:{name}` ends nothing"),
                |(begun, _)| format!("`END:{name}` stands where `END:{begun}` should"),
            );
            self.report(
                Code::BadICalendar,
                &line.span,
                message,
                "export the calendar anew",
            );
            self.open.clear();
            self.lost = true;
            return;
        }
        if name == "VEVENT"
            && let (Some((_, at)), Some(draft)) = (begun, self.draft.take())
        {
            self.event(draft, &at);
        }
    }

    fn property(&mut self, line: &Line<'_>) {
        let Some(mut draft) = self.draft.take() else {
            return;
        };
        let value = line.value.trim();
        match line.name.as_str() {
            "SUMMARY" => draft.summary = Some(unescaped(value).trim().into()),
            "CATEGORIES" => draft.categories.extend(listed(value)),
            "UID" => draft.uid = Some(value.to_owned()),
            "STATUS" => draft.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            "DTSTART" => draft.start = self.moment(line, value, &mut draft.broken),
            "DTEND" => {
                let end = self.moment(line, value, &mut draft.broken);
                draft.end = end.map(|end| (end, line.value_span.clone()));
            }
            "DURATION" => match whole_days(value) {
                Some(days) => draft.duration = Some(days),
                None => {
                    let message = format!("`{value}` is no length of time");
                    self.report(
                        Code::BadICalendar,
                        &line.value_span,
                        message,
                        "whole days are written `P1D`",
                    );
                    draft.broken = true;
                }
            },
            "RRULE" => match Rule::parse(value) {
                Ok(rule) => draft.rule = Some(rule),
                Err(message) => {
                    self.report(
                        Code::BadICalendar,
                        &line.value_span,
                        message,
                        "a rule is yearly, on a date (`FREQ=YEARLY`) or on a weekday of a month (`FREQ=YEARLY;BYMONTH=9;BYDAY=1MO`); for any other write an event for each year",
                    );
                    draft.broken = true;
                }
            },
            "EXDATE" | "RDATE" if line.parameter("VALUE") == Some("PERIOD") => {
                self.report(
                    Code::BadICalendar,
                    &line.value_span,
                    "stretches of hours cannot be followed",
                    "write days: `RDATE;VALUE=DATE:20261001`",
                );
                draft.broken = true;
            }
            "EXDATE" | "RDATE" => {
                for part in value.split(',') {
                    if let Some(moment) = self.moment(line, part.trim(), &mut draft.broken) {
                        let days = if line.name == "EXDATE" {
                            &mut draft.left_out
                        } else {
                            &mut draft.besides
                        };
                        days.push(moment.date);
                    }
                }
            }
            "RECURRENCE-ID" => {
                let moment = self.moment(line, value, &mut draft.broken);
                draft.instead_of = moment.map(|moment| moment.date);
            }
            _ => {}
        }
        self.draft = Some(draft);
    }

    fn moment(&mut self, line: &Line<'_>, text: &str, broken: &mut bool) -> Option<Moment> {
        let moment = Moment::parse(text);
        if moment.is_none() {
            let message = format!("`{text}` is no date");
            self.report(
                Code::BadICalendar,
                &line.value_span,
                message,
                "a day is written `20261001`, as in `DTSTART;VALUE=DATE:20261001`",
            );
            *broken = true;
        }
        moment
    }

    /// An event has ended: what days does it take?
    fn event(&mut self, draft: Draft, at: &Range<usize>) {
        if draft.broken {
            return;
        }
        let Some(start) = draft.start else {
            self.report(
                Code::BadICalendar,
                at,
                "an event without a first day",
                "it needs a line like `DTSTART;VALUE=DATE:20261001`",
            );
            return;
        };
        let summary: Arc<str> = draft
            .summary
            .filter(|summary| !summary.is_empty())
            .unwrap_or_else(|| start.date.to_string().into());
        let hours =
            start.hour || draft.end.as_ref().is_some_and(|(end, _)| end.hour) || draft.duration == Some(None);
        if hours {
            self.report(
                Code::EventPassedOver,
                at,
                format!("`{summary}` lasts hours, not days, and is passed over"),
                "a calendar takes whole days of an iCalendar file; hours stand in `open`",
            );
            return;
        }
        let length = match (&draft.end, draft.duration.flatten()) {
            // The day of DTEND is not part of the event; one that ends where it begins is a day.
            (Some((end, _)), _) => match start.date.until(end.date).map(|span| span.get_days()) {
                Ok(days) => u32::try_from(days).ok().map(|days| days.max(1)),
                Err(_) => None,
            },
            (None, Some(days)) => Some(days.max(1)),
            (None, None) => Some(1),
        };
        let Some(length) = length.filter(|length| *length <= EVENT_DAYS_MAX) else {
            let place = draft.end.map_or_else(|| at.clone(), |(_, span)| span);
            self.report(
                Code::BadICalendar,
                &place,
                format!("`{summary}` should end after it begins, and within {EVENT_DAYS_MAX} days"),
                "the day of DTEND is the first that is no longer part of the event",
            );
            return;
        };
        let mut starts: BTreeSet<Date> = match &draft.rule {
            Some(rule) => rule.days(start.date).collect(),
            None => BTreeSet::from([start.date]),
        };
        starts.extend(draft.besides);
        for date in &draft.left_out {
            starts.remove(date);
        }
        if draft.cancelled {
            starts.clear();
        }
        self.days += starts.len() * length as usize;
        self.events.push(Event {
            summary,
            categories: draft.categories,
            uid: draft.uid,
            instead_of: draft.instead_of,
            starts,
            length,
        });
    }

    fn finish(mut self) -> Vec<Event> {
        if !self.calendar {
            self.stray(&(0..0));
        } else if let Some((name, at)) = self.open.pop() {
            self.report(
                Code::BadICalendar,
                &at,
                format!("`BEGIN:{name}` is never ended"),
                "the file breaks off; export the calendar anew",
            );
        }
        self.replace();
        self.events
    }

    /// An event may stand for one time of another: then that one does not take place.
    fn replace(&mut self) {
        let moved: Vec<(String, Date)> = self
            .events
            .iter()
            .filter_map(|event| Some((event.uid.clone()?, event.instead_of?)))
            .collect();
        for (uid, date) in moved {
            for event in &mut self.events {
                if event.instead_of.is_none() && event.uid.as_ref() == Some(&uid) {
                    event.starts.remove(&date);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Marks, import};

    /// The days of the events between BEGIN and END of a calendar, and the findings.
    fn days(events: &str) -> (Vec<String>, Vec<String>) {
        let text = format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n");
        let (named, findings) = import("a.ics", &text, &Marks::default());
        (
            named.holidays.keys().map(ToString::to_string).collect(),
            findings
                .iter()
                .map(|finding| {
                    format!(
                        "{}:{} {}: {}",
                        finding.line, finding.column, finding.code, finding.message
                    )
                })
                .collect(),
        )
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\n")
    }

    #[test]
    fn how_long_an_event_is() {
        for (lines, expected) in [
            ("DTSTART;VALUE=DATE:20261001", "2026-10-01"),
            ("DTSTART:20261001", "2026-10-01"),
            (
                "DTSTART;VALUE=DATE:20261001\nDTEND;VALUE=DATE:20261003",
                "2026-10-01 2026-10-02",
            ),
            (
                "DTSTART;VALUE=DATE:20261001\nDTEND;VALUE=DATE:20261001",
                "2026-10-01",
            ),
            (
                "DTSTART;VALUE=DATE:20261001\nDURATION:P2D",
                "2026-10-01 2026-10-02",
            ),
            (
                "DTSTART;VALUE=DATE:20261001\nDURATION:PT48H",
                "2026-10-01 2026-10-02",
            ),
            // Days as midnights by local clocks.
            (
                "DTSTART;TZID=Asia/Shanghai:20261001T000000\nDTEND;TZID=Asia/Shanghai:20261002T000000",
                "2026-10-01",
            ),
            (
                "DTSTART;VALUE=DATE:20261001\nRDATE;VALUE=DATE:20261005,20261006",
                "2026-10-01 2026-10-05 2026-10-06",
            ),
            ("DTSTART;VALUE=DATE:20261001\nSTATUS:CANCELLED", ""),
        ] {
            let (found, findings) = days(&event(lines));
            assert_eq!(found.join(" "), expected, "{lines}");
            assert!(findings.is_empty(), "{findings:?}");
        }
    }

    #[test]
    fn an_instance_that_was_moved() {
        let (found, findings) = days(&format!(
            "{}{}",
            event("UID:1\nDTSTART;VALUE=DATE:20261001\nRRULE:FREQ=YEARLY;COUNT=3"),
            event("UID:1\nRECURRENCE-ID;VALUE=DATE:20271001\nDTSTART;VALUE=DATE:20271002"),
        ));
        assert_eq!(found, ["2026-10-01", "2027-10-02", "2028-10-01"]);
        assert!(findings.is_empty(), "{findings:?}");
    }

    #[test]
    fn findings_say_where() {
        for (lines, expected) in [
            ("SUMMARY:x", "2:1 TL0607: an event without a first day"),
            (
                "DTSTART;VALUE=DATE:20261301",
                "3:20 TL0607: `20261301` is no date",
            ),
            (
                "DTSTART:20261001\nDTEND:20260930",
                "4:7 TL0607: `2026-10-01` should end after it begins",
            ),
            (
                "DTSTART:20261001\nDTEND:20301001",
                "4:7 TL0607: `2026-10-01` should end after it begins",
            ),
            (
                "DTSTART:20261001\nDURATION:a day",
                "4:10 TL0607: `a day` is no length of time",
            ),
            (
                "DTSTART:20261001\nRRULE:FREQ=WEEKLY",
                "4:7 TL0607: `FREQ=WEEKLY` cannot be followed",
            ),
            ("DTSTART:20261001\nEXDATE:x", "4:8 TL0607: `x` is no date"),
            (
                "DTSTART:20261001\nRDATE;VALUE=PERIOD:20261001T000000/P1D",
                "4:20 TL0607: stretches of hours",
            ),
            ("DTSTART:20261001\nfolded\n badly", "4:1 TL0607: this is no line"),
            (
                "SUMMARY:会议\nDTSTART:20261001T090000",
                "2:1 TL0611: `会议` lasts hours",
            ),
            ("DTSTART:20261001T000000Z", "2:1 TL0611: `2026-10-01` lasts hours"),
            (
                "DTSTART:20261001\nDURATION:PT1H",
                "2:1 TL0611: `2026-10-01` lasts hours",
            ),
        ] {
            let (_, findings) = days(&event(lines));
            assert_eq!(findings.len(), 1, "{lines}: {findings:?}");
            assert!(findings[0].starts_with(expected), "{lines}: {findings:?}");
        }
        for (text, expected) in [
            ("", "no iCalendar file"),
            ("hotline:x\n", "no iCalendar file"),
            ("BEGIN:VCARD\nEND:VCARD\n", "no iCalendar file"),
            ("BEGIN:VCALENDAR\n", "`BEGIN:VCALENDAR` is never ended"),
            (
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n",
                "stands where `END:VEVENT` should",
            ),
            (
                "BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VEVENT\n",
                "`END:VEVENT` ends nothing",
            ),
        ] {
            let (_, findings) = import("a.ics", text, &Marks::default());
            assert_eq!(findings.len(), 1, "{text}: {findings:?}");
            assert!(findings[0].message.contains(expected), "{text}: {findings:?}");
        }
    }

    #[test]
    fn too_many_days_are_refused() {
        let one = event("DTSTART:19000101\nDTEND:19001231\nRRULE:FREQ=YEARLY");
        let (found, findings) = days(&one.repeat(3));
        assert!(found.is_empty() && findings[0].contains("TL0002"), "{findings:?}");
    }
}
