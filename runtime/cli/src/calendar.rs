//! `trunkline calendar`: when something is open, by the calendars of a hotline's folder.
//!
//! Only the folder's texts are read: a calendar can be looked at while a plugin is missing or a
//! flow is half written. What is shown is what the server would count by, from the same code.

mod import;
mod list;
mod show;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::anyhow;
use clap::{Args, Subcommand};
use jiff::{civil::Weekday, tz::TimeZone};
use trunkline_flow::{
    Calendar as Opening, Severity, Sources,
    check::{CalendarNotes, calendars},
    diagnostics::{Color, Diagnostic, render_in},
    parse,
};
use trunkline_node::read_folder;

use crate::{
    exit::{Failure, Outcome},
    place,
    tongue::tongue,
};

/// Look at calendars: when they are open, their holidays and make-up workdays
#[derive(Args)]
pub(crate) struct Calendar {
    #[command(subcommand)]
    command: CalendarCommand,
}

#[derive(Subcommand)]
enum CalendarCommand {
    Show(show::Show),
    List(list::List),
    Import(import::Import),
}

impl Calendar {
    /// Runs the command.
    pub(crate) fn run(&self) -> Outcome {
        match &self.command {
            CalendarCommand::Show(show) => show.run(),
            CalendarCommand::List(list) => list.run(),
            CalendarCommand::Import(import) => import.run(),
        }
    }
}

/// The calendars of a hotline.
struct Calendars {
    /// The calendars, `always` among them.
    known: BTreeMap<Arc<str>, Opening>,
    notes: BTreeMap<Arc<str>, CalendarNotes>,
    zone: TimeZone,
}

/// Reads the calendars of a hotline's folder, and tells what is wrong with them.
///
/// # Errors
/// There is no hotline, its time zone is none, or one of its calendars cannot be read.
fn read(hotline: &Path) -> Result<Calendars, Failure> {
    let folder = place::hotline(hotline)?;
    let sources = read_folder(&folder).map_err(|error| Failure::from(anyhow!(error)))?;
    let report = calendars(&parse(&sources));
    let of_calendars: Vec<Diagnostic> = report
        .diagnostics
        .into_iter()
        .filter(|finding| finding.file.starts_with("calendars/"))
        .collect();
    tell(&of_calendars, &sources)?;
    let zone = report.time_zone.ok_or_else(|| {
        Failure::from(anyhow!(
            "the hotline has no time zone that is known, and calendars go by its clocks; `trunkline check {}` says what to write",
            hotline.display()
        ))
    })?;
    Ok(Calendars {
        known: report.calendars,
        notes: report.notes,
        zone,
    })
}

/// Prints findings beside what is asked for.
///
/// # Errors
/// One of them is an error.
fn tell(findings: &[Diagnostic], sources: &Sources) -> Result<(), Failure> {
    if !findings.is_empty() {
        anstream::eprint!("{}", render_in(findings, sources, Color::Always, tongue()));
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(
            anyhow!("the calendars have to be mended first; `trunkline explain CODE` says how").into(),
        );
    }
    Ok(())
}

/// A weekday as flows and calendars name it.
const fn name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}
