//! `trunkline contacts`: the contacts of a server, as its API lists them.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::{
    api::Api,
    exit::{Exit, Outcome},
    plugin::Format,
    table,
};

/// Contacts that one request asks for.
const PAGE: usize = 500;

/// Which server, and what opens it.
#[derive(Args)]
pub(crate) struct Of {
    /// The server's address
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        env = "TRUNKLINE_SERVER"
    )]
    pub(crate) server: String,
    /// The operator's key
    #[arg(long, value_name = "KEY", env = "TRUNKLINE_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
}

/// List a server's contacts: where each is and what it waits for
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline contacts\n  \
    trunkline contacts --state all --server http://10.0.0.5:8080\n  \
    trunkline contacts --output-format json | jq '.[] | select(.step == \"identify\")'")]
pub(crate) struct Contacts {
    #[command(flatten)]
    of: Of,
    /// Which contacts
    #[arg(long, value_enum, default_value_t = Which::Live)]
    state: Which,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

/// Which contacts to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Those under way
    Live,
    /// Those that wait for their caller
    Hearing,
    /// Those that wait for a plugin
    Calling,
    /// Those that wait for a time
    Waiting,
    /// Those that cannot go on, since their release cannot be rebuilt
    Stranded,
    /// Those that have ended
    Ended,
    /// All
    All,
}

impl Which {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Hearing => "hearing",
            Self::Calling => "calling",
            Self::Waiting => "waiting",
            Self::Stranded => "stranded",
            Self::Ended => "ended",
            Self::All => "all",
        }
    }
}

/// A page of contacts, as far as this command prints them.
#[derive(Deserialize)]
struct Page {
    contacts: Vec<serde_json::Value>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Contact {
    contact: String,
    state: String,
    number: String,
    release: String,
    flow: Option<String>,
    step: Option<String>,
    waits_for: Option<String>,
    since: String,
    until: Option<String>,
    outcome: Option<String>,
}

impl Contacts {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let api = Api::at(&self.of.server)?;
        let mut contacts = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!(
                "/api/v1/contacts?state={}&limit={PAGE}{after}",
                self.state.as_str()
            );
            let page: Page = api.get(&path, self.of.api_key.as_deref(), Duration::ZERO).await?;
            contacts.extend(page.contacts);
            match page.next {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        match self.output_format {
            Format::Json => anstream::println!("{:#}", serde_json::Value::Array(contacts)),
            Format::Text if contacts.is_empty() => {
                anstream::eprintln!("no contacts ({}) at {}", self.state.as_str(), api.base());
            }
            Format::Text => anstream::print!("{}", told(&contacts)),
        }
        Ok(Exit::Done)
    }
}

fn told(contacts: &[serde_json::Value]) -> String {
    let mut rows = vec![
        [
            "CONTACT",
            "STATE",
            "NUMBER",
            "RELEASE",
            "PLACE",
            "WAITS FOR",
            "SINCE",
            "UNTIL",
        ]
        .map(ToOwned::to_owned)
        .to_vec(),
    ];
    for json in contacts {
        let Ok(contact) = Contact::deserialize(json) else {
            // A server of a later version may list what this one does not know.
            rows.push(vec![json.to_string()]);
            continue;
        };
        let place = match (contact.flow, contact.step) {
            (Some(flow), Some(step)) => format!("{flow}/{step}"),
            _ => "-".to_owned(),
        };
        let state = match contact.outcome {
            Some(outcome) => format!("{}: {outcome}", contact.state),
            None => contact.state,
        };
        rows.push(vec![
            contact.contact,
            state,
            contact.number,
            contact.release.chars().take(12).collect(),
            place,
            contact.waits_for.unwrap_or_else(|| "-".to_owned()),
            to_the_second(&contact.since),
            contact
                .until
                .as_deref()
                .map_or_else(|| "-".to_owned(), to_the_second),
        ]);
    }
    table::lay_out(&rows)
}

/// An RFC 3339 time without its fraction.
pub(crate) fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, rest)) => {
            let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{seconds}{zone}")
        }
        None => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_listed_with_their_place() {
        let contact = serde_json::json!({
            "contact": "01k9vt3n1yhm2d5c9jq4k7x8zw", "state": "hearing", "number": "12345",
            "release": "0123456789abcdef", "flow": "city", "step": "topics", "waits_for": "caller",
            "since": "2026-11-22T08:00:00.123Z", "until": "2026-11-22T08:10:00Z", "later_field": 1,
        });
        let text = told(&[contact]);
        let row = text.lines().nth(1).unwrap();
        for cell in ["0123456789ab ", "city/topics", "caller", "2026-11-22T08:00:00Z"] {
            assert!(row.contains(cell), "{row}");
        }
    }
}
