//! `trunkline drain`: before a server is restarted, it takes nobody new, and those on a line finish.

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use crate::{
    api::{Api, ApiError},
    contacts::{Of, to_the_second},
    exit::{Exit, Outcome},
    plugin::Format,
    table,
};

/// How often the server is asked who is left.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often it is told who is left although that has not changed.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// How long a server that does not answer for a while is asked again.
const PATIENCE: Duration = Duration::from_secs(15);

const PATH: &str = "/api/v1/drain";

/// Have a server take no new contacts, and wait until nobody is on a telephone line
///
/// New contacts are refused; those under way go on. All that is durable survives a restart: chats, waits,
/// tickets. Telephone calls do not, so these are waited for. Ends with 0 when nobody is left, and with 1 when
/// the time is over first, with a list of who is left. The server goes on draining either way, until it is
/// restarted or `--undo` takes it back.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline drain && systemctl restart trunkline\n  \
    trunkline drain --wait 30m --server http://10.0.0.5:8080\n  \
    trunkline drain --wait 0s --output-format json\n  \
    trunkline drain --undo")]
pub(crate) struct Drain {
    #[command(flatten)]
    of: Of,
    /// How long to wait for those who are left; `0s` asks once
    #[arg(long, value_name = "TIME", default_value = "10m", conflicts_with = "undo")]
    wait: trunkline_model::Duration,
    /// Take new contacts again
    #[arg(long)]
    undo: bool,
    /// How to print who is left
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

#[derive(Clone, Deserialize)]
struct Left {
    draining: bool,
    left: u64,
    calls: Vec<Call>,
    #[serde(default)]
    others: BTreeMap<String, u64>,
}

#[derive(Clone, Deserialize)]
struct Call {
    contact: String,
    number: String,
    flow: Option<String>,
    step: Option<String>,
    waits_for: Option<String>,
    since: String,
    until: Option<String>,
}

impl Drain {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let api = Api::at(&self.of.server)?;
        let key = self.of.api_key.as_deref();
        if self.undo {
            let json: Json = api.delete(PATH, key).await?;
            match self.output_format {
                Format::Json => anstream::println!("{json:#}"),
                Format::Text => anstream::println!("{} takes new contacts", api.base()),
            }
            return Ok(Exit::Done);
        }
        let mut json: Json = api.post(PATH, key, &serde_json::json!({})).await?;
        let until = Instant::now() + self.wait.to_std();
        let mut told = Told::default();
        let mut heard = Instant::now();
        loop {
            let left = read(&api, &json)?;
            if !left.draining {
                // Somebody took it back, or the server has been restarted: waiting has no end, and that nobody
                // is left says nothing.
                anstream::eprintln!("{} does not drain any more", api.base());
                return Ok(Exit::Findings);
            }
            if left.left == 0 || Instant::now() >= until {
                return Ok(self.end(&api, &json, &left));
            }
            told.progress(&left, Instant::now());
            sleep(ASK_EVERY.min(until.saturating_duration_since(Instant::now()))).await;
            json = match api.get(PATH, key, Duration::ZERO).await {
                Ok(json) => {
                    heard = Instant::now();
                    json
                }
                // A server under load misses one request, and is not given up for it.
                Err(error) if error.may_pass() && heard.elapsed() < PATIENCE => json,
                Err(error) => return Err(error.into()),
            };
        }
    }

    fn end(&self, api: &Api, json: &Json, left: &Left) -> Exit {
        match self.output_format {
            Format::Json => anstream::println!("{json:#}"),
            Format::Text => anstream::print!("{}", ended(api.base(), left)),
        }
        if left.left == 0 {
            Exit::Done
        } else {
            Exit::Findings
        }
    }
}

fn read(api: &Api, json: &Json) -> Result<Left, ApiError> {
    Left::deserialize(json).map_err(|_| ApiError::NotUnderstood {
        base: api.base().to_owned(),
        status: reqwest::StatusCode::OK,
        shown: json.to_string().chars().take(200).collect(),
    })
}

/// What was told of the progress last.
#[derive(Default)]
struct Told {
    last: Option<(u64, Instant)>,
}

impl Told {
    /// Tells who is left when that changed, or nothing was said for a while.
    fn progress(&mut self, left: &Left, now: Instant) {
        let is_news = self
            .last
            .is_none_or(|(count, at)| count != left.left || now.duration_since(at) >= TELL_EVERY);
        if is_news {
            self.last = Some((left.left, now));
            anstream::eprintln!("{}", progress(left));
        }
    }
}

/// How many are left, and who waits longest.
fn progress(left: &Left) -> String {
    let mut text = format!("{} left", calls(left.left));
    if let Some(longest) = left.calls.iter().min_by(|a, b| a.since.cmp(&b.since)) {
        text.push_str(&format!(
            "; longest {} at {}, waits for {} since {}",
            longest.contact,
            longest.place(),
            longest.waits_for.as_deref().unwrap_or("nothing"),
            to_the_second(&longest.since),
        ));
    }
    table::plain(&text)
}

fn calls(count: u64) -> String {
    match count {
        1 => "1 call".to_owned(),
        count => format!("{count} calls"),
    }
}

impl Call {
    fn place(&self) -> String {
        match (&self.flow, &self.step) {
            (Some(flow), Some(step)) => format!("{flow}/{step}"),
            _ => "-".to_owned(),
        }
    }
}

/// Who is left when waiting is over, and what goes on after a restart.
fn ended(base: &str, left: &Left) -> String {
    let others: u64 = left.others.values().sum();
    let mut text = if left.left == 0 {
        format!("{base} has drained: nobody is on a line\n")
    } else {
        let heading = ["CONTACT", "NUMBER", "PLACE", "WAITS FOR", "SINCE", "UNTIL"];
        let mut rows = vec![heading.map(ToOwned::to_owned).to_vec()];
        rows.extend(left.calls.iter().map(|call| {
            vec![
                call.contact.clone(),
                call.number.clone(),
                call.place(),
                call.waits_for.clone().unwrap_or_else(|| "-".to_owned()),
                to_the_second(&call.since),
                call.until
                    .as_deref()
                    .map_or_else(|| "-".to_owned(), to_the_second),
            ]
        }));
        let shown = u64::try_from(left.calls.len()).unwrap_or(u64::MAX);
        let more = match left.left.saturating_sub(shown) {
            0 => String::new(),
            more => format!("and {more} more\n"),
        };
        format!(
            "{}{more}{} left: a restart now cuts them off\n",
            table::lay_out(&rows),
            calls(left.left)
        )
    };
    if others > 0 {
        let by_channel: Vec<String> = left
            .others
            .iter()
            .map(|(channel, count)| format!("{channel} {count}"))
            .collect();
        text.push_str(&table::plain(&format!(
            "{others} more go on after a restart ({})",
            by_channel.join(", ")
        )));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(json: Json) -> Left {
        serde_json::from_value(json).expect("what the server answers")
    }

    fn call(contact: &str, since: &str) -> Json {
        serde_json::json!({
            "contact": contact, "state": "hearing", "channel": "phone", "number": "12345", "release": "0123",
            "language": "zh-CN", "flow": "city", "step": "topics", "waits_for": "caller", "since": since,
            "until": "2026-11-22T08:10:00Z", "arrived": since, "events": 4, "later_field": 1,
        })
    }

    #[test]
    fn who_is_left_is_told_with_who_waits_longest() {
        let two = left(serde_json::json!({
            "draining": true, "since": "2026-11-22T08:00:00Z", "left": 3,
            "calls": [call("first", "2026-11-22T08:05:00.5Z"), call("second\u{1b}[2J", "2026-11-22T08:01:00Z")],
            "next": "second", "others": { "chat": 4, "outbound": 2 },
        }));
        assert_eq!(
            progress(&two),
            "3 calls left; longest second [2J at city/topics, waits for caller since 2026-11-22T08:01:00Z"
        );
        let text = ended("http://127.0.0.1:8080", &two);
        for part in [
            "first ",
            "2026-11-22T08:05:00Z",
            "and 1 more\n3 calls left: a restart now cuts them off\n",
            "6 more go on after a restart (chat 4, outbound 2)\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn nobody_left_is_good_news() {
        let none = left(serde_json::json!({ "draining": true, "left": 0, "calls": [], "others": {} }));
        assert_eq!(progress(&none), "0 calls left");
        assert_eq!(
            ended("http://127.0.0.1:8080", &none),
            "http://127.0.0.1:8080 has drained: nobody is on a line\n"
        );
    }

    #[test]
    fn progress_is_told_when_it_changes_or_after_a_while() {
        let one = left(serde_json::json!({ "draining": true, "left": 1, "calls": [] }));
        let mut told = Told::default();
        let begin = Instant::now();
        told.progress(&one, begin);
        assert_eq!(told.last, Some((1, begin)));
        told.progress(&one, begin + ASK_EVERY);
        assert_eq!(told.last, Some((1, begin)));
        told.progress(&one, begin + TELL_EVERY);
        assert_eq!(told.last, Some((1, begin + TELL_EVERY)));
    }
}
