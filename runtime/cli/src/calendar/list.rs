//! `trunkline calendar list`: the calendars there are.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use trunkline_flow::calendar::public;

use crate::{
    exit::{Exit, Outcome},
    plugin::Format,
    table,
};

/// List a hotline's calendars, and the public ones that are built in
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline calendar list flows/city-hotline\n  \
    trunkline calendar list                       the built-in ones alone\n\n\
    A calendar takes a built-in one over with a line like `include: cn-2026`.")]
pub(super) struct List {
    /// The hotline's folder
    hotline: Option<PathBuf>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

/// A calendar as it is listed.
struct Row {
    name: String,
    file: Option<String>,
    known_until: Option<String>,
    title: Option<String>,
    source: Option<String>,
}

impl List {
    /// Runs the command.
    pub(super) fn run(&self) -> Outcome {
        let mut rows = Vec::new();
        if let Some(hotline) = &self.hotline {
            let calendars = super::read(hotline)?;
            for (name, notes) in &calendars.notes {
                let calendar = calendars.known.get(name);
                let until = calendar.and_then(trunkline_flow::Calendar::holidays_known_until);
                rows.push(Row {
                    name: name.to_string(),
                    file: Some(notes.file.to_string()),
                    known_until: until.map(|date| date.to_string()),
                    title: notes.title.as_ref().map(ToString::to_string),
                    source: notes.source.as_ref().map(ToString::to_string),
                });
            }
        }
        rows.extend(public::all().iter().map(|public| {
            Row {
                name: public.name.to_string(),
                file: None,
                known_until: public
                    .calendar
                    .holidays_known_until()
                    .map(|date| date.to_string()),
                title: Some(public.title.to_string()),
                source: Some(public.source.to_string()),
            }
        }));
        match self.output_format {
            Format::Text => anstream::print!("{}", told(&rows)),
            Format::Json => {
                let rows: Vec<_> = rows.iter().map(as_json).collect();
                anstream::println!("{:#}", serde_json::Value::from(rows));
            }
        }
        Ok(Exit::Done)
    }
}

fn told(rows: &[Row]) -> String {
    let heading = ["CALENDAR", "FILE", "HOLIDAYS KNOWN UNTIL", "TITLE"];
    let mut cells = vec![heading.map(str::to_owned).to_vec()];
    cells.extend(rows.iter().map(|row| {
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            row.name.clone(),
            row.file.clone().unwrap_or_else(|| "built in".to_owned()),
            shown(&row.known_until),
            shown(&row.title),
        ]
    }));
    let mut text = table::lay_out(&cells);
    for row in rows {
        if let Some(source) = &row.source {
            text.push_str(&format!("\n{}: {source}\n", row.name));
        }
    }
    text
}

fn as_json(row: &Row) -> serde_json::Value {
    json!({
        "name": row.name,
        "built_in": row.file.is_none(),
        "file": row.file,
        "title": row.title,
        "source": row.source,
        "holidays_known_until": row.known_until,
    })
}
