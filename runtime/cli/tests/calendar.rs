//! `trunkline calendar` as it is typed: what it prints, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn calendar(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trunkline"))
        .arg("calendar")
        .args(arguments)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn city() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../flows/city-hotline");
    folder.display().to_string()
}

/// A hotline whose flow does not load and whose calendars do.
fn hotline(calendar: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path: PathBuf = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "hotline.yaml",
        "hotline: bureau\nlanguages: [en]\ntime-zone: Asia/Shanghai\nnumbers: { \"1\": { flow: nowhere } }\n",
    );
    write("calendars/office.yaml", calendar);
    write(
        "calendars/days.ics",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261224\nSUMMARY:Moving\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261226\nSUMMARY:补班\nEND:VEVENT\nEND:VCALENDAR\n",
    );
    let path = folder.path().display().to_string();
    (folder, path)
}

const OFFICE: &str = "calendar: office
import: { file: days.ics, workdays-if: 班, like: friday }
open:
  { monday: [], tuesday: [], wednesday: [], thursday: [\"08:30-12:00\"], friday: [\"22:00-06:00\"], saturday: [], sunday: [] }
";

#[test]
fn days_stand_in_columns() {
    let shown = out(&calendar(&[
        "show",
        &city(),
        "office",
        "--from",
        "2026-10-07",
        "--days",
        "5",
    ]));
    assert_eq!(
        shown,
        "office  工作时间  Asia/Shanghai

  Wed  2026-10-07  closed                    holiday: 国庆节
  Thu  2026-10-08  08:30-12:00  13:30-17:30
  Fri  2026-10-09  08:30-12:00  13:30-17:30
  Sat  2026-10-10  08:30-12:00  13:30-17:30  make-up workday, like friday
  Sun  2026-10-11  closed

Holidays are known until 2026-12-31.
"
    );
}

#[test]
fn a_moment_is_open_or_closed_and_deadlines_follow() {
    let shown = out(&calendar(&[
        "show",
        &city(),
        "office",
        "--days",
        "1",
        "--at",
        "2026-09-30T17:30",
    ]));
    let (days, at) = shown.split_once("\n\nWed 2026-09-30 17:30: ").expect(&shown);
    assert!(days.contains("  Wed  2026-09-30  08:30-12:00"), "{days}");
    assert_eq!(
        at,
        "closed
  opens            Thu 2026-10-08 08:30
  1 working day    Thu 2026-10-08 17:30
  3 working days   Sat 2026-10-10 17:30
  5 working days   Tue 2026-10-13 17:30
  15 working days  Tue 2026-10-27 17:30
"
    );
}

#[test]
fn days_past_what_is_known_are_told() {
    let shown = out(&calendar(&["show", &city(), "office", "--month", "2027-02"]));
    assert_eq!(shown.lines().filter(|line| line.contains("2027-02-")).count(), 28);
    assert!(
        shown.contains("Holidays are known until 2026-12-31 only"),
        "{shown}"
    );
}

#[test]
fn programs_get_json() {
    let (_folder, path) = hotline(OFFICE);
    let arguments = ["show", &path, "office", "--at", "2026-12-24T09:00", "--days", "3"];
    let shown = out(&calendar(
        &[&arguments[..], &["--output-format", "json"]].concat(),
    ));
    let json: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let days = json["days"].as_array().unwrap();
    assert_eq!(
        (&days[0]["kind"], &days[0]["name"]),
        (&"holiday".into(), &"Moving".into())
    );
    assert_eq!(days[0]["working_day"], false);
    assert_eq!(
        (&days[2]["kind"], &days[2]["like"]),
        (&"make-up".into(), &"friday".into())
    );
    assert_eq!(days[2]["spans"][0]["over_midnight"], true);
    assert_eq!(json["at"]["open"], false);
    assert_eq!(json["at"]["opens"], "2026-12-25T22:00:00+08:00");
    assert_eq!(json["at"]["deadlines"][0]["due"], "2026-12-26T06:00:00+08:00");
}

#[test]
fn calendars_are_listed_with_their_sources() {
    let listed = out(&calendar(&["list", &city()]));
    for part in [
        "office         calendars/office.yaml         2026-12-31",
        "cn-2026        built in",
        "国务院办公厅",
    ] {
        assert!(listed.contains(part), "{part} is not in\n{listed}");
    }
    let built_in = out(&calendar(&["list", "--output-format", "json"]));
    let json: serde_json::Value = serde_json::from_str(&built_in).unwrap();
    assert_eq!(
        (&json[0]["name"], &json[0]["built_in"]),
        (&"cn-2026".into(), &true.into())
    );
}

#[test]
fn an_icalendar_file_becomes_yaml() {
    let (folder, _) = hotline(OFFICE);
    let file = folder.path().join("calendars/days.ics").display().to_string();
    let printed = out(&calendar(&[
        "import",
        &file,
        "--workdays-if",
        "班",
        "--like",
        "friday",
        "--until",
        "2026-12-31",
    ]));
    assert_eq!(
        printed,
        "# From days.ics, up to 2026-12-31.
holidays:
  \"2026-12-24\": \"Moving\"
workdays:
  \"2026-12-26\": friday  # 补班
"
    );
    let unmarked = calendar(&["import", &file]);
    assert!(out(&unmarked).contains("补班") && err(&unmarked).contains("--workdays-if"));
}

#[test]
fn what_is_wrong_is_told_with_its_code() {
    let (folder, path) = hotline(&OFFICE.replace("22:00-06:00", "22-6"));
    let file = folder.path().join("calendars/days.ics");
    for (arguments, code, part) in [
        (vec!["show", &path, "office"], 1, "TL0603"),
        (vec!["list", &path], 1, "TL0603"),
        (
            vec!["show", "/no/such/hotline", "office"],
            2,
            "name a hotline's folder",
        ),
        (vec!["import", "/no/such.ics"], 2, "name an iCalendar file"),
    ] {
        let output = calendar(&arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            err(&output)
        );
        assert!(err(&output).contains(part), "{arguments:?}: {}", err(&output));
    }
    let city = city();
    let unknown = calendar(&["show", &city, "offic"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        err(&unknown).contains("always, calling-hours, office"),
        "{}",
        err(&unknown)
    );
    fs::write(
        &file,
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:soon\nEND:VEVENT\nEND:VCALENDAR\n",
    )
    .unwrap();
    let file = file.display().to_string();
    let broken = calendar(&["import", &file]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(
        err(&broken).contains("TL0607") && err(&broken).contains("days.ics:3:9"),
        "{}",
        err(&broken)
    );
}
