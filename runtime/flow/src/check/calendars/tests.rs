//! What calendars find, and what they come to.

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
    let page = include_str!("../../../../../docs/reference/calendars.md");
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
