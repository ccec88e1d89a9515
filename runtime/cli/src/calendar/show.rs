//! `trunkline calendar show`: a calendar's days, and what it says of one moment.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::anyhow;
use clap::Args;
use jiff::{
    Span,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};
use serde_json::{Value, json};
use trunkline_flow::calendar::{Calendar, Day, DayKind};
use trunkline_model::Timestamp;
use trunkline_node::Clock;

use super::name;
use crate::{
    exit::{Exit, Failure, Outcome},
    plugin::Format,
    table,
};

/// Days that are shown at most: a year.
const DAYS_SHOWN_MAX: u16 = 366;

/// Deadlines that are shown for a moment, in working days.
const DEADLINES: [u32; 4] = [1, 3, 5, 15];

/// Show a calendar day by day: when it is open, its holidays and make-up workdays
///
/// With `--at` also whether it is open at a moment, when that changes, and when what comes in at
/// that moment is due within so many working days.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline calendar show flows/city-hotline office\n  \
    trunkline calendar show flows/city-hotline office --month 2026-10\n  \
    trunkline calendar show flows/city-hotline office --at 2026-09-30T16:00\n  \
    trunkline calendar show flows/city-hotline office --output-format json | jq '.days[] | select(.working_day)'")]
pub(super) struct Show {
    /// The hotline's folder
    hotline: PathBuf,
    /// The calendar's name
    calendar: String,
    /// The first day; else that of `--at`, or today
    #[arg(long, value_name = "DATE", conflicts_with = "month")]
    from: Option<Date>,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 14, conflicts_with = "month",
        value_parser = clap::value_parser!(u16).range(1..=i64::from(DAYS_SHOWN_MAX)))]
    days: u16,
    /// A month instead, like 2026-10
    #[arg(long, value_name = "MONTH", value_parser = month)]
    month: Option<Date>,
    /// A moment by the hotline's clocks, like 2026-09-30T16:00, or `now`
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Moment>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

#[derive(Clone, Copy, Debug)]
enum Moment {
    Now,
    At(DateTime),
}

/// The first day of a month.
fn month(text: &str) -> Result<Date, String> {
    format!("{text}-01")
        .parse()
        .map_err(|_| "write it like 2026-10".to_owned())
}

fn moment(text: &str) -> Result<Moment, String> {
    if text == "now" {
        return Ok(Moment::Now);
    }
    text.parse()
        .map(Moment::At)
        .map_err(|_| "write it like 2026-09-30T16:00, by the hotline's clocks, or `now`".to_owned())
}

impl Show {
    /// Runs the command.
    pub(super) fn run(&self) -> Outcome {
        let calendars = super::read(&self.hotline)?;
        let Some(calendar) = calendars.known.get(self.calendar.as_str()) else {
            let names: Vec<&str> = calendars.known.keys().map(|name| &**name).collect();
            return Err(Failure::usage(anyhow!(
                "{} has no calendar {:?}; it has {}",
                self.hotline.display(),
                self.calendar,
                names.join(", ")
            )));
        };
        let zone = &calendars.zone;
        let now = Clock::system().now();
        let today = civil(now, zone)?.date();
        let at = match self.at {
            None => None,
            Some(Moment::Now) => Some(now),
            Some(Moment::At(time)) => Some(instant(time, zone)?),
        };
        let (from, until) = match self.month {
            Some(month) => (month, month.last_of_month()),
            None => {
                let first = at.map_or(Ok(today), |at| civil(at, zone).map(DateTime::date))?;
                let from = self.from.unwrap_or(first);
                let until = from.checked_add(Span::new().days(self.days - 1));
                let until = until.map_err(|error| Failure::usage(anyhow!(error)))?;
                (from, until)
            }
        };
        let days: Vec<Day<'_>> = from
            .series(Span::new().days(1))
            .take_while(|date| *date <= until)
            .map(|date| calendar.day(date))
            .collect();
        let shown = Shown {
            name: &self.calendar,
            title: calendars
                .notes
                .get(self.calendar.as_str())
                .and_then(|notes| notes.title.as_deref()),
            calendar,
            zone,
            today,
            days,
            at,
        };
        match self.output_format {
            Format::Text => anstream::print!("{}", shown.told()?),
            Format::Json => anstream::println!("{:#}", shown.as_json()?),
        }
        Ok(Exit::Done)
    }
}

/// What is shown of a calendar.
struct Shown<'c> {
    name: &'c str,
    title: Option<&'c str>,
    calendar: &'c Calendar,
    zone: &'c TimeZone,
    today: Date,
    days: Vec<Day<'c>>,
    at: Option<Timestamp>,
}

impl Shown<'_> {
    fn told(&self) -> Result<String, Failure> {
        let bold = anstyle::Style::new().bold();
        let mut text = String::new();
        // Writing to a string does not fail.
        let title = self.title.map(|title| format!("  {title}")).unwrap_or_default();
        let zone = self.zone.iana_name().unwrap_or("UTC");
        let _ = writeln!(text, "{bold}{}{bold:#}{title}  {zone}\n", self.name);
        let rows: Vec<Vec<String>> = self
            .days
            .iter()
            .map(|day| {
                let date = day.date.to_string();
                let weekday = short(day.date.weekday()).to_owned();
                vec![weekday, date, spans(day), note(day)]
            })
            .collect();
        for (line, day) in table::lay_out(&rows).lines().zip(&self.days) {
            let style = style(day);
            let mark = if day.date == self.today { "> " } else { "  " };
            let _ = writeln!(text, "{mark}{style}{line}{style:#}");
        }
        text.push('\n');
        let _ = writeln!(text, "{}", self.known());
        if let Some(at) = self.at {
            text.push('\n');
            text.push_str(&self.told_at(at)?);
        }
        Ok(text)
    }

    /// Until when the holidays are known.
    fn known(&self) -> String {
        let last_shown = self.days.last().map(|day| day.date);
        match (
            self.calendar.holidays_known_until(),
            self.calendar.last_named_day(),
        ) {
            (Some(until), _) if last_shown > Some(until) => {
                let red = anstyle::AnsiColor::Red.on_default().bold();
                format!(
                    "{red}Holidays are known until {until} only{red:#}: include the calendar of the year after when it is announced"
                )
            }
            (Some(until), _) => format!("Holidays are known until {until}."),
            (None, Some(last)) => {
                format!(
                    "The last day that it names is {last}; it does not say until when its holidays are known (`known-until`)."
                )
            }
            (None, None) => "It names no holidays.".to_owned(),
        }
    }

    fn told_at(&self, at: Timestamp) -> Result<String, Failure> {
        let moment = Moments::of(self, at);
        let bold = anstyle::Style::new().bold();
        let mut text = String::new();
        let state = if moment.open { "open" } else { "closed" };
        let _ = writeln!(text, "{bold}{}: {state}{bold:#}", self.clock(at)?);
        let mut rows = Vec::new();
        match (moment.open, moment.opens, moment.closes) {
            (true, _, Some(closes)) => rows.push(vec!["closes".to_owned(), self.clock(closes)?]),
            (true, _, None) => rows.push(vec!["closes".to_owned(), "never".to_owned()]),
            (false, Some(opens), _) => rows.push(vec!["opens".to_owned(), self.clock(opens)?]),
            (false, None, _) => rows.push(vec!["opens".to_owned(), "never".to_owned()]),
        }
        for (days, due) in moment.due {
            let due = due.map_or_else(|| Ok("never".to_owned()), |due| self.clock(due))?;
            let what = format!("{days} working day{}", if days == 1 { "" } else { "s" });
            rows.push(vec![what, due]);
        }
        for line in table::lay_out(&rows).lines() {
            let _ = writeln!(text, "  {line}");
        }
        Ok(text)
    }

    /// A time by the hotline's clocks, as people read it. Midnight at the end of a day is 24:00 of
    /// that day only in spans; here it is 00:00 of the next.
    fn clock(&self, at: Timestamp) -> Result<String, Failure> {
        let time = civil(at, self.zone)?;
        Ok(format!(
            "{} {} {:02}:{:02}",
            short(time.weekday()),
            time.date(),
            time.hour(),
            time.minute()
        ))
    }

    fn as_json(&self) -> Result<Value, Failure> {
        let time = |at: Timestamp| -> Result<Value, Failure> {
            let at = jiff::Timestamp::from_millisecond(at.as_millis()).map_err(|error| anyhow!(error))?;
            let zoned = at.to_zoned(self.zone.clone());
            Ok(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().into())
        };
        let optional = |at: Option<Timestamp>| at.map_or(Ok(Value::Null), time);
        let at = match self.at {
            None => Value::Null,
            Some(at) => {
                let moment = Moments::of(self, at);
                let due: Result<Vec<Value>, Failure> = moment
                    .due
                    .iter()
                    .map(|(days, due)| Ok(json!({ "working_days": days, "due": optional(*due)? })))
                    .collect();
                json!({
                    "at": time(at)?,
                    "open": moment.open,
                    "opens": optional(moment.opens)?,
                    "closes": optional(moment.closes)?,
                    "deadlines": due?,
                })
            }
        };
        Ok(json!({
            "calendar": self.name,
            "title": self.title,
            "time_zone": self.zone.iana_name(),
            "holidays_known_until": self.calendar.holidays_known_until().map(|date| date.to_string()),
            "days": self.days.iter().map(day_as_json).collect::<Vec<_>>(),
            "at": at,
        }))
    }
}

/// What a calendar says of a moment.
struct Moments {
    open: bool,
    opens: Option<Timestamp>,
    closes: Option<Timestamp>,
    /// When what comes in now is due, by working days.
    due: [(u32, Option<Timestamp>); DEADLINES.len()],
}

impl Moments {
    fn of(shown: &Shown<'_>, at: Timestamp) -> Self {
        let Shown { calendar, zone, .. } = shown;
        Self {
            open: calendar.is_open(at, zone),
            opens: calendar.next_opening(at, zone),
            closes: calendar.next_closing(at, zone),
            due: DEADLINES.map(|days| (days, calendar.add_working_days(at, days, zone))),
        }
    }
}

const fn short(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

fn spans(day: &Day<'_>) -> String {
    if day.spans.is_empty() {
        return "closed".to_owned();
    }
    let spans: Vec<String> = day.spans.iter().map(ToString::to_string).collect();
    spans.join("  ")
}

fn note(day: &Day<'_>) -> String {
    let named = |name: Option<&str>| name.map(|name| format!(": {name}")).unwrap_or_default();
    match day.kind {
        DayKind::Usual => String::new(),
        DayKind::Holiday { name } => format!("holiday{}", named(name)),
        DayKind::MakeUp { like, name: title } => {
            format!("make-up workday, like {}{}", name(like), named(title))
        }
    }
}

fn style(day: &Day<'_>) -> anstyle::Style {
    match day.kind {
        DayKind::Holiday { .. } => anstyle::AnsiColor::Red.on_default(),
        DayKind::MakeUp { .. } => anstyle::AnsiColor::Yellow.on_default(),
        DayKind::Usual if day.spans.is_empty() => anstyle::Style::new().dimmed(),
        DayKind::Usual => anstyle::Style::new(),
    }
}

fn day_as_json(day: &Day<'_>) -> Value {
    let (kind, title, like) = match day.kind {
        DayKind::Usual => ("usual", None, None),
        DayKind::Holiday { name } => ("holiday", name, None),
        DayKind::MakeUp { like, name: title } => ("make-up", title, Some(name(like))),
    };
    let spans = day.spans.iter().map(|span| {
        json!({
            "from": span.opens(),
            "until": span.closes(),
            "over_midnight": span.runs_over_midnight(),
        })
    });
    json!({
        "date": day.date.to_string(),
        "weekday": name(day.date.weekday()),
        "kind": kind,
        "name": title,
        "like": like,
        "spans": spans.collect::<Vec<_>>(),
        "working_day": !day.spans.is_empty(),
    })
}

/// A time as the clocks of a zone show it.
fn civil(at: Timestamp, zone: &TimeZone) -> Result<DateTime, Failure> {
    let time = jiff::Timestamp::from_millisecond(at.as_millis()).map_err(|error| anyhow!(error))?;
    Ok(zone.to_datetime(time))
}

fn instant(time: DateTime, zone: &TimeZone) -> Result<Timestamp, Failure> {
    let time = zone
        .to_ambiguous_timestamp(time)
        .compatible()
        .map_err(|error| Failure::usage(anyhow!(error)))?;
    Ok(Timestamp::from_millis(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_moments_are_read() {
        assert_eq!(month("2026-10").unwrap(), "2026-10-01".parse().unwrap());
        assert!(month("2026-13").is_err() && month("october").is_err());
        assert!(matches!(moment("now"), Ok(Moment::Now)));
        assert!(matches!(moment("2026-09-30T16:00"), Ok(Moment::At(_))));
        assert!(matches!(moment("2026-09-30 16:00"), Ok(Moment::At(_))));
        assert!(moment("tomorrow").is_err());
    }
}
