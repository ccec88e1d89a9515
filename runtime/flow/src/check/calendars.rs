//! Calendars: spans that are spans, days that are days, and what they take from each other,
//! from public calendars and from iCalendar files.
//!
//! A calendar is put together in the order `include`, `import`, `open`, `holidays`, `workdays`:
//! what comes later says more about the same day.

mod written;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::tz::TimeZone;

use crate::{
    calendar::{
        Calendar, DAY, DayKind, OpeningSpan, Spans,
        icalendar::{self, Marks},
        monday_offset, public,
    },
    diagnostics::{Code, Diagnostic, Finding, Findings, did_you_mean},
    expression::WEEKDAYS,
    limits::CALENDAR_DEPTH_MAX,
    parse::Parsed,
    source::{Span, Word},
    syntax::{CalendarSyntax, ImportSyntax, Syntax},
};

/// The weekday that make-up workdays of an iCalendar file follow when nothing else is said.
const IMPORTED_LIKE: usize = 0;

/// What came of a check of the calendars alone.
#[derive(Debug)]
pub struct CalendarReport {
    /// The calendars, `always` among them.
    pub calendars: BTreeMap<Arc<str>, Calendar>,
    /// What each of them says of itself, but for `always`.
    pub notes: BTreeMap<Arc<str>, CalendarNotes>,
    /// The hotline's time zone; none when hotline.yaml does not name one that there is.
    pub time_zone: Option<TimeZone>,
    /// Findings of the files that were parsed, and of the calendars.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a calendar says of itself, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarNotes {
    /// Its file.
    pub file: Arc<str>,
    /// Its title.
    pub title: Option<Arc<str>>,
    /// Where its days come from.
    pub source: Option<Arc<str>>,
}

/// Checks the calendars alone: no flow and no plugin is looked at.
pub fn calendars(parsed: &Parsed) -> CalendarReport {
    let findings = RefCell::new(parsed.findings.clone());
    let calendars = check(&findings, &parsed.syntax);
    let notes = parsed.syntax.calendars.iter().map(|calendar| {
        let value = |word: &Option<Word>| word.as_ref().map(|word| word.value.clone());
        let notes = CalendarNotes {
            file: parsed.files.of(calendar.name.span).path.clone(),
            title: value(&calendar.title),
            source: value(&calendar.source),
        };
        (calendar.name.value.clone(), notes)
    });
    let zone = parsed
        .syntax
        .hotline
        .as_ref()
        .and_then(|hotline| hotline.time_zone.as_ref());
    CalendarReport {
        calendars,
        notes: notes.collect(),
        time_zone: zone.and_then(|zone| TimeZone::get(zone.as_str()).ok()),
        diagnostics: findings.into_inner().into_diagnostics(&parsed.files),
    }
}

/// Checks all calendars; the built-in `always` is among the result.
pub(super) fn check(findings: &RefCell<Findings>, syntax: &Syntax) -> BTreeMap<Arc<str>, Calendar> {
    let mut checked = BTreeMap::from([("always".into(), Calendar::always())]);
    let mut names: BTreeMap<&str, &CalendarSyntax> = BTreeMap::new();
    let report = |finding| findings.borrow_mut().push(finding);
    for calendar in &syntax.calendars {
        let name = calendar.name.as_str();
        if name == "always" {
            report(
                Finding::new(
                    Code::DuplicateName,
                    calendar.name.span,
                    "`always` is built in and always open",
                )
                .help("give this calendar another name"),
            );
        } else if let Some(first) = names.get(name) {
            report(
                Finding::new(
                    Code::DuplicateName,
                    calendar.name.span,
                    format!("there are two calendars `{name}`"),
                )
                .label(first.name.span, "the first"),
            );
        }
        names.entry(name).or_insert(calendar);
    }
    let calendars = Calendars {
        findings,
        syntax,
        names,
        built: RefCell::default(),
    };
    let included: BTreeSet<&str> = syntax
        .calendars
        .iter()
        .flat_map(|calendar| &calendar.include)
        .map(|include| include.calendar.as_str())
        .collect();
    for calendar in &syntax.calendars {
        let spans = calendars.built(calendar, &mut Vec::new());
        calendars.judge(calendar, &spans, included.contains(calendar.name.as_str()));
        checked.insert(calendar.name.value.clone(), Calendar::new(spans));
    }
    calendars.unused_files();
    checked
}

/// The days of a calendar that stands alone: a public one.
pub(crate) fn days(findings: &RefCell<Findings>, calendar: &CalendarSyntax) -> Spans {
    let syntax = Syntax::default();
    let calendars = Calendars {
        findings,
        syntax: &syntax,
        names: BTreeMap::new(),
        built: RefCell::default(),
    };
    calendars.built(calendar, &mut Vec::new())
}

struct Calendars<'a> {
    findings: &'a RefCell<Findings>,
    syntax: &'a Syntax,
    names: BTreeMap<&'a str, &'a CalendarSyntax>,
    /// Those that have been put together, by the place of their name.
    built: RefCell<BTreeMap<Span, Spans>>,
}

impl Calendars<'_> {
    fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// Puts a calendar together. `above` are those that include it.
    fn built<'s>(&'s self, calendar: &'s CalendarSyntax, above: &mut Vec<&'s Word>) -> Spans {
        if let Some(built) = self.built.borrow().get(&calendar.name.span) {
            return built.clone();
        }
        let mut spans = Spans::default();
        above.push(&calendar.name);
        for include in &calendar.include {
            let like = include
                .like
                .as_ref()
                .and_then(|like| written::weekday(self.findings, like));
            if let Some(other) = self.included(&include.calendar, above) {
                spans.include(&other, like);
            }
        }
        above.pop();
        for import in &calendar.import {
            self.import(import, &mut spans);
        }
        self.week(calendar, &mut spans);
        for (day, name) in &calendar.holidays {
            for date in written::dates(self.findings, day) {
                spans.add_holiday(date, name.as_ref().map(|name| name.value.clone()));
            }
        }
        self.workdays(calendar, &mut spans);
        let until = calendar.known_until.as_ref();
        let until = until.and_then(|until| written::date(self.findings, until));
        spans.known_until = spans.known_until.max(until);
        self.built.borrow_mut().insert(calendar.name.span, spans.clone());
        spans
    }

    /// The calendar that is included by a name.
    fn included<'s>(&'s self, name: &'s Word, above: &mut Vec<&'s Word>) -> Option<Spans> {
        let itself = above.last().is_some_and(|above| above.value == name.value);
        let built_in = public::find(name.as_str());
        // A calendar that has a public one's name may include that one.
        if let Some(built_in) = built_in.filter(|_| itself || !self.names.contains_key(name.as_str())) {
            return Some(built_in.spans.clone());
        }
        if let Some(first) = above.iter().find(|above| above.value == name.value) {
            let circle: Vec<&str> = above
                .iter()
                .skip_while(|above| above.value != name.value)
                .map(|above| above.as_str())
                .chain([name.as_str()])
                .collect();
            self.report(
                Finding::new(
                    Code::CalendarCircle,
                    name.span,
                    format!("the calendar includes itself: {}", circle.join(" > ")),
                )
                .label(first.span, "this calendar")
                .help("put what they share into a calendar of its own, and include that"),
            );
            return None;
        }
        if above.len() >= CALENDAR_DEPTH_MAX {
            self.report(
                Finding::new(
                    Code::CalendarCircle,
                    name.span,
                    format!("more than {CALENDAR_DEPTH_MAX} calendars include each other in a row"),
                )
                .help("include the last of them directly"),
            );
            return None;
        }
        if let Some(calendar) = self.names.get(name.as_str()) {
            return Some(self.built(calendar, above));
        }
        // What is wrong with a broken one has been said.
        if !self.syntax.broken_calendars.contains(&name.value) {
            let known = public::all().iter().map(|public| &*public.name);
            let own = self
                .names
                .keys()
                .copied()
                .filter(|own| above.iter().all(|above| above.as_str() != *own));
            self.report(
                Finding::new(
                    Code::UnknownCalendar,
                    name.span,
                    if name.as_str() == "always" {
                        "`always` has no days that another calendar could take over".to_owned()
                    } else {
                        format!("there is no calendar `{}`", name.as_str())
                    },
                )
                .help_if(did_you_mean("there are", name.as_str(), own.chain(known))),
            );
        }
        None
    }

    /// Takes over the days of an iCalendar file.
    fn import(&self, import: &ImportSyntax, spans: &mut Spans) {
        let like = import
            .like
            .as_ref()
            .and_then(|like| written::weekday(self.findings, like));
        let Some(file) = self.syntax.icalendars.get(&import.file.value) else {
            let known = self.syntax.icalendars.keys().map(|name| &**name);
            let name = import.file.as_str();
            self.report(
                Finding::new(
                    Code::MissingFile,
                    import.file.span,
                    format!("there is no file calendars/{name}"),
                )
                .help_if(if name.ends_with(".ics") && !name.contains('/') {
                    did_you_mean("there are", name, known)
                } else {
                    Some("name an iCalendar file in calendars/, such as `holidays.ics`".to_owned())
                }),
            );
            return;
        };
        let words = |words: &[Word]| words.iter().map(|word| word.value.clone()).collect();
        let named = icalendar::sort(
            &file.events,
            &Marks {
                workdays_if: words(&import.workdays_if),
                holidays_if: words(&import.holidays_if),
            },
        );
        if let Some(suspect) = &named.suspect {
            self.report(
                Finding::new(
                    Code::WorkdaysUnmarked,
                    import.file.span,
                    format!("`{suspect}` looks like a make-up workday and is taken for a holiday"),
                )
                .help(format!(
                    "say what marks them: `import: {{ file: {}, workdays-if: 班, like: monday }}`",
                    import.file.as_str()
                )),
            );
        }
        for marks in [&import.workdays_if, &import.holidays_if] {
            let mentioned = |mark: &Word| file.events.iter().any(|event| event.mentions(mark.as_str()));
            if let Some(first) = marks.first()
                && !marks.iter().any(mentioned)
            {
                let words: Vec<String> = marks.iter().map(|mark| format!("`{}`", mark.as_str())).collect();
                self.report(
                    Finding::new(
                        Code::WorkdaysUnmarked,
                        first.span,
                        format!(
                            "no event of {} mentions {}",
                            import.file.as_str(),
                            words.join(" or ")
                        ),
                    )
                    .help(
                        "write words that stand in the summary or the categories of the events that are meant",
                    ),
                );
            }
        }
        for (date, name) in named.holidays {
            spans.add_holiday(date, Some(name));
        }
        for (date, name) in named.workdays {
            spans.add_workday(date, like.unwrap_or(IMPORTED_LIKE), Some(name));
        }
    }

    /// The spans of the week.
    fn week(&self, calendar: &CalendarSyntax, spans: &mut Spans) {
        let mut nights: Vec<(usize, OpeningSpan, &Word)> = Vec::new();
        for (day, written) in calendar.open.iter().flatten() {
            let Some(weekday) = written::weekday(self.findings, day) else {
                continue;
            };
            let mut places: Vec<(OpeningSpan, &Word)> = Vec::new();
            for word in written {
                let Some(span) = written::opening(self.findings, word) else {
                    continue;
                };
                if let Some((_, other)) = places
                    .iter()
                    .find(|(other, _)| other.from < span.until && span.from < other.until)
                {
                    self.report(
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
            let mut week: Vec<OpeningSpan> = places.into_iter().map(|(span, _)| span).collect();
            week.sort_unstable();
            spans.week[weekday] = Some(week);
        }
        for (weekday, night, word) in nights {
            let next = spans.of_weekday((weekday + 1) % WEEKDAYS.len());
            if next.iter().any(|span| span.from + DAY < night.until) {
                self.report(
                    Finding::new(
                        Code::OverlappingSpans,
                        word.span,
                        format!("`{}` reaches into a span of the next day", word.as_str()),
                    )
                    .help("end it where the next day's first span begins"),
                );
            }
        }
    }

    fn workdays(&self, calendar: &CalendarSyntax, spans: &mut Spans) {
        let open = spans.opens();
        for (day, like) in &calendar.workdays {
            let weekday = written::weekday(self.findings, like);
            let Some((date, weekday)) = written::date(self.findings, day).zip(weekday) else {
                continue;
            };
            let usual = spans.day(date);
            let needless = if !open {
                // Days for others to include: whose spans they are, those know.
                None
            } else if spans.of_weekday(weekday).is_empty() {
                Some((
                    like,
                    format!("{date} stays closed: {} has no spans", like.as_str()),
                    "follow a weekday that has some".to_owned(),
                ))
            } else if usual.kind == DayKind::Usual && usual.spans == spans.of_weekday(weekday) {
                let own = WEEKDAYS[monday_offset(date.weekday())];
                Some((
                    day,
                    format!("{date} is a {own} and open at these times anyway"),
                    "is it another day that is made up? Else leave it out".to_owned(),
                ))
            } else {
                None
            };
            if let Some((word, message, help)) = needless {
                self.report(Finding::new(Code::NeedlessWorkday, word.span, message).help(help));
            }
            spans.add_workday(date, weekday, None);
        }
    }

    /// Whether a calendar says when it is open. One that others include may leave it to them.
    fn judge(&self, calendar: &CalendarSyntax, spans: &Spans, included: bool) {
        let name = calendar.name.as_str();
        let mut days = calendar.open.iter().flatten().map(|(day, _)| day.as_str());
        if !days.all(|day| WEEKDAYS.contains(&day)) {
            // Which day a misspelt one is, and whether it opens, shows when it is mended.
            return;
        }
        let unsaid = spans.week.iter().filter(|day| day.is_none()).count();
        if unsaid == WEEKDAYS.len() && calendar.open.is_none() {
            if !included {
                self.report(
                    Finding::new(
                        Code::MissingField,
                        calendar.name.span,
                        format!(
                            "the calendar `{name}` needs `open`, or has to include a calendar that has it"
                        ),
                    )
                    .help("add a line like `open: { monday: [\"08:30-17:30\"] }`"),
                );
            }
        } else if !spans.opens() {
            self.report(
                Finding::new(
                    Code::NeverOpen,
                    calendar.name.span,
                    format!("the calendar `{name}` is never open"),
                )
                .help("give a weekday its spans: `monday: [\"08:30-12:00\", \"13:30-17:30\"]`"),
            );
        } else if unsaid > 0 {
            let days = || {
                WEEKDAYS
                    .into_iter()
                    .zip(&spans.week)
                    .filter(|(_, said)| said.is_none())
                    .map(|(day, _)| day)
            };
            let lines: Vec<String> = days().map(|day| format!("`{day}: []`")).collect();
            self.report(
                Finding::new(
                    Code::WeekdayNotSaid,
                    calendar.name.span,
                    format!("the calendar `{name}` says nothing of {}", all_of(days())),
                )
                .help(format!(
                    "a day that is closed is said to be: {}",
                    lines.join(", ")
                )),
            );
        }
    }

    /// Reports iCalendar files that no calendar imports.
    fn unused_files(&self) {
        let imports = self.syntax.calendars.iter().flat_map(|calendar| &calendar.import);
        let imported: BTreeSet<&str> = imports.map(|import| import.file.as_str()).collect();
        // A calendar that could not be read may import any.
        if !self.syntax.broken_calendars.is_empty() {
            return;
        }
        for (name, file) in &self.syntax.icalendars {
            if !imported.contains(&**name) {
                self.report(
                    Finding::new(
                        Code::StrayFile,
                        file.span,
                        format!("no calendar imports calendars/{name}"),
                    )
                    .help(format!(
                        "add a line to the calendar that needs it: `import: {name}`"
                    )),
                );
            }
        }
    }
}

/// Names in a row: `a, b and c`.
fn all_of<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match &names[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::harness::assert_findings, *};
    use crate::{Sources, parse};

    const FLOW: &str = "--- flows/main.yaml
flow: main
start: a
steps:
  a: { end: completed }
";

    const HOLIDAYS: &str = "BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261001
DTEND;VALUE=DATE:20261004
SUMMARY:国庆节
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261010
SUMMARY:国庆节 补班
END:VEVENT
END:VCALENDAR
";

    fn findings(text: &str) {
        assert_findings(&format!("{text}\n{FLOW}"));
    }

    /// The calendars of some files, which are right.
    fn right(files: &[(&str, &str)]) -> BTreeMap<Arc<str>, Calendar> {
        let report = calendars(&parse(&Sources::new(files.iter().copied())));
        let found: Vec<_> = report
            .diagnostics
            .iter()
            .filter(|finding| &*finding.file != "hotline.yaml")
            .collect();
        assert!(found.is_empty(), "{found:#?}");
        report.calendars
    }

    fn spans(calendar: &Calendar, date: &str) -> String {
        let day = calendar.day(date.parse().unwrap());
        let spans: Vec<String> = day.spans.iter().map(ToString::to_string).collect();
        format!("{} {:?}", spans.join(" "), day.kind)
    }

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
holidays:
  - "2026-02-30"
#   ^^^^^^^^^^^^ TL0605: `2026-02-30` is no date
  - "2026-10-01"
  - "2026-10-07..2026-10-01"
#   ^^^^^^^^^^^^^^^^^^^^^^^^ TL0605: `2026-10-07..2026-10-01` ends before it begins
  - "2026-10-01..10-07"
#   ^^^^^^^^^^^^^^^^^^^ TL0605: `2026-10-01..10-07` is no range of dates
  - "2026-01-01..2028-01-01"
#   ^^^^^^^^^^^^^^^^^^^^^^^^ TL0605: `2026-01-01..2028-01-01` is more than 366 days
workdays: { "2026-10-10": fryday }
#                         ^^^^^^ TL0602: `fryday` is no weekday
known-until: 2026
#            ^^^^ TL0605: `2026` is no date
--- calendars/gaps.yaml
calendar: gaps
#         ^^^^ TL0610: the calendar `gaps` says nothing of tuesday, saturday and sunday
open:
  { monday: ["08:30-12:00"], wednesday: [], thursday: ["08:30-12:00"], friday: ["00:00-24:00"] }
--- calendars/never.yaml
calendar: never
#         ^^^^^ TL0606: the calendar `never` is never open
open: {}
--- calendars/nothing.yaml
calendar: nothing
#         ^^^^^^^ TL0007: the calendar `nothing` needs `open`
holidays: ["2026-10-01"]
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

    #[test]
    fn make_up_workdays_that_change_nothing() {
        findings(
            r##"
--- calendars/office.yaml
calendar: office
open:
  monday: ["08:30-12:00"]
  tuesday: ["08:30-12:00"]
  wednesday: ["08:30-12:00"]
  thursday: ["08:30-12:00"]
  friday: ["08:30-11:00"]
  saturday: []
  sunday: []
holidays: ["2026-10-05"]
workdays:
  "2026-10-05": monday
  "2026-10-10": sunday
#               ^^^^^^ TL0609: 2026-10-10 stays closed: sunday has no spans
  "2026-10-12": tuesday
# ^^^^^^^^^^^^ TL0609: 2026-10-12 is a monday and open at these times anyway
  "2026-10-13": friday
"##,
        );
    }

    #[test]
    fn what_is_included_and_imported_has_to_be_there() {
        findings(
            r##"
--- calendars/office.yaml
calendar: office
include: [cn-2062, { calendar: always, like: mon }, { like: monday }]
#         ^^^^^^^ TL0601: there is no calendar `cn-2062`
#                              ^^^^^^ TL0601: `always` has no days
#                                            ^^^ TL0602: `mon` is no weekday
#                                                   ^^^^^^^^^^^^^^^^ TL0007: `include` needs `calendar`
import: [holiday.ics, { file: ../holidays.ics, when: x }]
#        ^^^^^^^^^^^ TL0009: there is no file calendars/holiday.ics
#                             ^^^^^^^^^^^^^^^ TL0009: there is no file calendars/../holidays.ics
#                                              ^^^^ TL0006: `import` has no field `when`
open: { monday: ["08:30-12:00"], tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
"##,
        );
        findings(
            r##"
--- calendars/a.yaml
calendar: a
include: [b, hours]
--- calendars/b.yaml
calendar: b
include: [a, hours]
#         ^ TL0608: the calendar includes itself: a > b > a
--- calendars/hours.yaml
calendar: hours
open: { monday: ["08:30-12:00"], tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
"##,
        );
    }

    #[test]
    fn icalendar_files_are_imported() {
        let office = "calendar: office
import: { file: holidays.ics, workdays-if: 班, like: tuesday }
open: { monday: [\"08:30-12:00\"], tuesday: [\"09:00-11:00\"], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
";
        let files = [
            ("calendars/office.yaml", office),
            ("calendars/holidays.ics", HOLIDAYS),
        ];
        let office = &right(&files)["office"];
        assert_eq!(spans(office, "2026-10-03"), " Holiday { name: Some(\"国庆节\") }");
        assert_eq!(spans(office, "2026-10-04"), " Usual");
        assert_eq!(
            spans(office, "2026-10-10"),
            "09:00-11:00 MakeUp { like: Tuesday, name: Some(\"国庆节 补班\") }"
        );
    }

    #[test]
    fn make_up_workdays_that_nobody_marked() {
        let week = "open: { monday: [\"08:30-12:00\"], tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }";
        for (import, expected) in [
            ("holidays.ics", "`国庆节 补班` looks like a make-up workday"),
            (
                "{ file: holidays.ics, workdays-if: 上班 }",
                "no event of holidays.ics mentions `上班`",
            ),
        ] {
            let office = format!("calendar: office\nimport: {import}\n{week}\n");
            let files = [
                ("calendars/office.yaml", &*office),
                ("calendars/holidays.ics", HOLIDAYS),
            ];
            let report = calendars(&parse(&Sources::new(files)));
            let found: Vec<_> = report
                .diagnostics
                .iter()
                .filter(|finding| finding.code == Code::WorkdaysUnmarked)
                .map(|finding| finding.message.as_str())
                .collect();
            assert_eq!(found.len(), 1, "{:#?}", report.diagnostics);
            assert!(found[0].starts_with(expected), "{found:?}");
        }
    }

    #[test]
    fn an_icalendar_file_that_nothing_imports_is_a_stray() {
        let stray = format!("--- calendars/holidays.ics\n{HOLIDAYS}");
        let report = calendars(&parse(&super::super::harness::files(&stray)));
        let [finding] = &report.diagnostics[..] else {
            panic!("{:#?}", report.diagnostics)
        };
        assert_eq!(finding.code, Code::StrayFile);
        assert_eq!(&*finding.file, "calendars/holidays.ics");
        let elsewhere = parse(&super::super::harness::files(
            &stray.replace("calendars/", "flows/"),
        ));
        assert_eq!(elsewhere.diagnostics()[0].code, Code::StrayFile);
    }

    #[test]
    fn what_comes_later_says_more() {
        let base = "calendar: base
open: { monday: [\"08:00-12:00\"], tuesday: [\"08:00-12:00\"], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
holidays: { \"2026-10-06\": Base }
known-until: \"2027-06-30\"
";
        let office = "calendar: office
include: [base, { calendar: cn-2026, like: monday }]
open: { monday: [\"09:00-10:00\"] }
holidays: { \"2026-02-14\": Power }
workdays: { \"2026-10-03\": monday }
";
        let files = [("calendars/base.yaml", base), ("calendars/office.yaml", office)];
        let office = &right(&files)["office"];
        for (date, expected) in [
            ("2026-11-23", "09:00-10:00 Usual"),
            ("2026-11-24", "08:00-12:00 Usual"),
            // A day that both include, one that the office closes, and one that it opens.
            ("2026-10-06", " Holiday { name: Some(\"国庆节\") }"),
            ("2026-02-14", " Holiday { name: Some(\"Power\") }"),
            ("2026-10-03", "09:00-10:00 MakeUp { like: Monday, name: None }"),
            ("2026-10-10", "09:00-10:00 MakeUp { like: Monday, name: None }"),
        ] {
            assert_eq!(spans(office, date), expected, "{date}");
        }
        assert_eq!(office.holidays_known_until(), "2027-06-30".parse().ok());
        // A calendar that has a public one's name may take it over and say more.
        let own = base.replace("calendar: base", "calendar: cn-2026\ninclude: cn-2026");
        let own = &right(&[("calendars/cn.yaml", &own)])["cn-2026"];
        assert!(spans(own, "2026-05-01").contains("劳动节"));
    }

    #[test]
    fn calendars_are_checked_without_flows() {
        let report = calendars(&parse(&super::super::harness::files(
            "--- calendars/office.yaml\ncalendar: office\ntitle: 工作时间\nopen: { mon: [] }\n",
        )));
        assert!(report.time_zone.is_some());
        assert_eq!(report.notes["office"].title.as_deref(), Some("工作时间"));
        assert_eq!(&*report.notes["office"].file, "calendars/office.yaml");
        assert_eq!(report.diagnostics[0].code, Code::UnknownWeekday);
    }

    /// The reference's files are a hotline's calendars without findings, its steps stand in a
    /// flow, and its table of deadlines is what is counted.
    #[test]
    fn the_reference_is_true() {
        let page = include_str!("../../../../docs/reference/calendars.md");
        let blocks = page
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split_once("\n```"));
        let mut text = String::new();
        for (block, _) in blocks {
            for line in block.lines() {
                match line.strip_prefix("# ") {
                    Some("steps") => text.push_str(
                        "--- flows/main.yaml\nflow: main\nstart: hours\nsteps:\n  desk: { say: hello, next: done }\n  done: { end: completed }\n",
                    ),
                    Some(path) if path.starts_with("calendars/") => text.push_str(&format!("--- {path}\n")),
                    _ if text.contains("--- flows/") && !text.contains("--- calendars/branch.yaml") => {
                        text.push_str(&format!("  {line}\n"));
                    }
                    _ => text.push_str(&format!("{line}\n")),
                }
            }
        }
        assert_findings(&text);
        let report = calendars(&parse(&super::super::harness::files(&text)));
        let zone = report.time_zone.unwrap();
        let time = |text: &str| {
            let text = text.trim().split_once(' ').unwrap().1;
            let time: jiff::civil::DateTime = text[..16].parse().unwrap();
            let time = time.to_zoned(zone.clone()).unwrap().timestamp();
            trunkline_model::Timestamp::from_millis(time.as_millisecond())
        };
        let mut rows = 0;
        for line in page
            .lines()
            .filter(|line| line.contains("working day") && line.starts_with("| "))
        {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            let [received, within, due] = cells[..] else {
                continue;
            };
            let days = within.trim().split_once(' ').unwrap().0.parse().unwrap();
            let counted = report.calendars["office"].add_working_days(time(received), days, &zone);
            assert_eq!(counted, Some(time(due)), "{line}");
            rows += 1;
        }
        assert_eq!(rows, 4);
    }
}
