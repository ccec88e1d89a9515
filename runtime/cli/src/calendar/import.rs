//! `trunkline calendar import`: the YAML that an iCalendar file amounts to.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, sync::Arc};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use jiff::civil::Date;
use trunkline_flow::{
    Sources,
    calendar::icalendar::{Marks, Named, import},
    limits::{EVENT_DAYS_MAX, FILE_BYTES_MAX},
};
use trunkline_node::Clock;

use super::tell;
use crate::exit::{Exit, Failure, Outcome};

/// Print the holidays and make-up workdays of an iCalendar file as a calendar's YAML
///
/// A calendar may also import the file as it is, with `import: holidays.ics`; then its days follow
/// the file. This prints them to be kept, and read, in YAML.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline calendar import holidays.ics\n  \
    trunkline calendar import --workdays-if 班 --like friday holidays.ics >> calendars/office.yaml")]
pub(super) struct Import {
    /// The iCalendar file
    file: PathBuf,
    /// Events that mention this are make-up workdays; may be given more than once
    #[arg(long, value_name = "WORDS")]
    workdays_if: Vec<String>,
    /// Of the other events only those that mention this are holidays; may be given more than once
    #[arg(long, value_name = "WORDS")]
    holidays_if: Vec<String>,
    /// The weekday whose spans make-up workdays follow
    #[arg(long, value_enum, value_name = "WEEKDAY", default_value_t = Like::Monday)]
    like: Like,
    /// The last day to print; else the end of next year, since events may recur for ever
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
}

/// A weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
enum Like {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Like {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }
}

impl Import {
    /// Runs the command.
    pub(super) fn run(&self) -> Outcome {
        let path = self.file.display().to_string();
        let io_error = |error: std::io::Error| {
            Failure::usage(anyhow!(error).context(format!("failed to read {path}; name an iCalendar file")))
        };
        let bytes = std::fs::metadata(&self.file).map_err(io_error)?.len();
        if bytes > FILE_BYTES_MAX as u64 {
            return Err(Failure::usage(anyhow!(
                "{path} has {bytes} bytes; a file may have {FILE_BYTES_MAX}"
            )));
        }
        let text = String::from_utf8(std::fs::read(&self.file).map_err(io_error)?).map_err(|error| {
            Failure::usage(anyhow!(
                "{path} is no UTF-8 text from byte {} on; save it as UTF-8",
                error.utf8_error().valid_up_to()
            ))
        })?;
        let words = |words: &[String]| words.iter().map(|word| word.as_str().into()).collect();
        let marks = Marks {
            workdays_if: words(&self.workdays_if),
            holidays_if: words(&self.holidays_if),
        };
        let (named, findings) = import(&path, &text, &marks);
        tell(&findings, &Sources::new([(path.as_str(), text.as_str())]))?;
        if let Some(suspect) = &named.suspect {
            anstream::eprintln!(
                "`{suspect}` looks like a make-up workday and is taken for a holiday; say what marks such days: --workdays-if 班"
            );
        }
        let until = self.until.map_or_else(end_of_next_year, Ok)?;
        anstream::print!("{}", yaml(&self.file, &named, self.like, until));
        Ok(Exit::Done)
    }
}

fn end_of_next_year() -> Result<Date, Failure> {
    let now = jiff::Timestamp::from_millisecond(Clock::system().now().as_millis());
    now.ok()
        .and_then(|now| {
            let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
            Date::new(today.year() + 1, 12, 31).ok()
        })
        .ok_or_else(|| {
            Failure::usage(anyhow!(
                "the system's clock is wrong; name the last day: --until DATE"
            ))
        })
}

/// Days that are called the same and follow each other.
struct Run<'n> {
    first: Date,
    last: Date,
    name: &'n str,
}

fn runs(days: &BTreeMap<Date, Arc<str>>, until: Date) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    let mut length = 0;
    for (date, name) in days.range(..=until) {
        match runs.last_mut() {
            Some(run)
                if run.name == &**name
                    && run.last.tomorrow().ok() == Some(*date)
                    && length < EVENT_DAYS_MAX =>
            {
                run.last = *date;
                length += 1;
            }
            _ => {
                runs.push(Run {
                    first: *date,
                    last: *date,
                    name,
                });
                length = 1;
            }
        }
    }
    runs
}

/// The fields of a calendar. JSON's texts are YAML's, too.
fn yaml(file: &std::path::Path, named: &Named, like: Like, until: Date) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut yaml = String::new();
    // Writing to a string does not fail.
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let _ = writeln!(yaml, "# From {name}, up to {until}.");
    let holidays = runs(&named.holidays, until);
    let _ = writeln!(yaml, "holidays:{}", if holidays.is_empty() { " {}" } else { "" });
    for run in &holidays {
        let days = if run.first == run.last {
            run.first.to_string()
        } else {
            format!("{}..{}", run.first, run.last)
        };
        let _ = writeln!(yaml, "  {}: {}", text(&days), text(run.name));
    }
    if named.workdays.range(..=until).next().is_some() {
        let _ = writeln!(yaml, "workdays:");
    }
    for (date, name) in named.workdays.range(..=until) {
        // A name is one line, since summaries are.
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(yaml, "  \"{date}\": {}  # {name}", like.as_str());
    }
    yaml
}

#[cfg(test)]
mod tests {
    use trunkline_flow::{calendar::DayKind, check::calendars, parse};

    use super::*;

    const FILE: &str = "BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261001
DTEND;VALUE=DATE:20261004
SUMMARY:国庆节 \"黄金周\": \\#1
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260501
RRULE:FREQ=YEARLY
SUMMARY:劳动节
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261010
SUMMARY:国庆节（班）
END:VEVENT
END:VCALENDAR
";

    #[test]
    fn the_yaml_says_what_the_file_says() {
        let marks = Marks {
            workdays_if: vec!["班".into()],
            holidays_if: Vec::new(),
        };
        let (named, findings) = import("a.ics", FILE, &marks);
        assert!(findings.is_empty(), "{findings:?}");
        let until: Date = "2027-12-31".parse().unwrap();
        let yaml = yaml(std::path::Path::new("/x/a.ics"), &named, Like::Friday, until);
        assert_eq!(
            yaml,
            "# From a.ics, up to 2027-12-31.
holidays:
  \"2026-05-01\": \"劳动节\"
  \"2026-10-01..2026-10-03\": \"国庆节 \\\"黄金周\\\": #1\"
  \"2027-05-01\": \"劳动节\"
workdays:
  \"2026-10-10\": friday  # 国庆节（班）
"
        );
        let week: String = ["monday", "tuesday", "wednesday", "thursday", "friday"]
            .map(|day| format!("  {day}: [\"08:30-12:00\"]\n"))
            .concat();
        let office = format!("calendar: office\nopen:\n{week}  saturday: []\n  sunday: []\n{yaml}");
        let report = calendars(&parse(&Sources::new([("calendars/office.yaml", office)])));
        let found = report
            .diagnostics
            .iter()
            .filter(|finding| &*finding.file != "hotline.yaml");
        assert_eq!(found.count(), 0);
        let office = &report.calendars["office"];
        for (date, name) in named.holidays.range(..=until) {
            assert_eq!(office.day(*date).kind, DayKind::Holiday { name: Some(name) });
        }
        assert!(named.workdays.keys().all(|date| office.is_working_day(*date)));
    }

    #[test]
    fn nothing_is_still_yaml() {
        let yaml = yaml(
            std::path::Path::new("a.ics"),
            &Named::default(),
            Like::Monday,
            Date::MAX,
        );
        assert_eq!(yaml, "# From a.ics, up to 9999-12-31.\nholidays: {}\n");
    }
}
