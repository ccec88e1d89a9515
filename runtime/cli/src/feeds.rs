//! `trunkline feeds`: what starts contacts on a server though nobody called, as its API lists it.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use crate::{
    api::Api,
    contacts::{Of, to_the_second},
    exit::{Exit, Outcome},
    plugin::Format,
    plugin::kv::encoded,
    table,
};

/// List a server's feeds and webhooks: when they ran, what came of it, what waits to start contacts
///
/// Below the list stands what a feed said that could not be read, and which webhook's secret the
/// server does not have.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline feeds\n  \
    trunkline feeds --run road-works\n  \
    trunkline feeds --drop webhook.sensor\n  \
    trunkline feeds --server http://10.0.0.5:8080 --output-format json")]
pub(crate) struct Feeds {
    #[command(flatten)]
    of: Of,
    /// Have this feed asked now, whenever it is due
    #[arg(long, value_name = "FEED")]
    run: Option<String>,
    /// Let go of all that waits for this feed, or `webhook.NAME`, as given up: it starts no contacts
    #[arg(long, value_name = "FEED", conflicts_with = "run")]
    drop: Option<String>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

#[derive(Deserialize)]
struct Listed {
    feeds: Vec<Feed>,
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
struct Feed {
    feed: String,
    declared: bool,
    function: Option<String>,
    running: bool,
    last: Option<Run>,
    next: Option<String>,
    starts: Starts,
}

#[derive(Deserialize)]
struct Run {
    began: String,
    outcome: Option<String>,
    message: Option<String>,
    new: u64,
    failures: u32,
}

#[derive(Deserialize)]
struct Webhook {
    webhook: String,
    declared: bool,
    secret: Option<String>,
    has_secret: bool,
    starts: Starts,
}

#[derive(Deserialize)]
struct Starts {
    flow: Option<String>,
    waiting: u64,
    started: u64,
    failed: u64,
    message: Option<String>,
}

/// What the server answers when a feed is to be asked.
#[derive(Deserialize)]
struct Asked {
    feed: String,
}

/// What the server answers when what waits is let go of.
#[derive(Deserialize)]
struct Dropped {
    dropped: u64,
}

impl Feeds {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let api = Api::at(&self.of.server)?;
        let key = self.of.api_key.as_deref();
        if let Some(feed) = &self.run {
            let path = format!("/api/v1/feeds/{}/run", encoded(feed));
            let asked: Asked = api.post(&path, key, &serde_json::json!({})).await?;
            anstream::println!("the feed {} is asked as soon as it can be", asked.feed);
            return Ok(Exit::Done);
        }
        if let Some(feed) = &self.drop {
            let path = format!("/api/v1/feeds/{}/waiting", encoded(feed));
            let Dropped { dropped } = api.delete(&path, key).await?;
            anstream::println!("{dropped} that waited for {feed} will start nothing");
            return Ok(Exit::Done);
        }
        let path = "/api/v1/feeds";
        match self.output_format {
            Format::Json => {
                let listed: serde_json::Value = api.get(path, key, Duration::ZERO).await?;
                anstream::println!("{listed:#}");
            }
            Format::Text => {
                let listed: Listed = api.get(path, key, Duration::ZERO).await?;
                if listed.feeds.is_empty() && listed.webhooks.is_empty() {
                    anstream::eprintln!("no feeds and no webhooks at {}", api.base());
                } else {
                    anstream::print!("{}", told(&listed));
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn told(listed: &Listed) -> String {
    let heading = [
        "STARTS ON",
        "FLOW",
        "ASKS",
        "LAST RUN",
        "OUTCOME",
        "NEW",
        "NEXT RUN",
        "WAITING",
        "STARTED",
        "FAILED",
    ];
    let mut rows = vec![heading.map(ToOwned::to_owned).to_vec()];
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for feed in &listed.feeds {
        let last = feed.last.as_ref();
        let outcome = match last {
            _ if feed.running => "running".to_owned(),
            Some(run) => or_none(run.outcome.clone()),
            None => "-".to_owned(),
        };
        let mut row = vec![
            format!("feed.{}", feed.feed),
            of_release(feed.declared, feed.starts.flow.as_ref()),
            or_none(feed.function.clone()),
            or_none(last.map(|run| to_the_second(&run.began))),
            outcome,
            or_none(last.map(|run| run.new.to_string())),
            or_none(feed.next.as_deref().map(to_the_second)),
        ];
        row.extend(counts(&feed.starts));
        rows.push(row);
    }
    for webhook in &listed.webhooks {
        let mut row = vec![
            format!("webhook.{}", webhook.webhook),
            of_release(webhook.declared, webhook.starts.flow.as_ref()),
        ];
        row.extend(std::iter::repeat_n("-".to_owned(), 5));
        row.extend(counts(&webhook.starts));
        rows.push(row);
    }
    let mut text = table::lay_out(&rows);
    let yellow = anstyle::AnsiColor::Yellow.on_default();
    for feed in &listed.feeds {
        if let Some(run) = feed.last.as_ref().filter(|run| run.failures > 0) {
            let said = table::plain(run.message.as_deref().unwrap_or("it did not say why"));
            text.push_str(&format!(
                "\n{yellow}feed.{} has failed {} in a row{yellow:#}: {said}\n",
                feed.feed,
                times(run.failures)
            ));
        }
    }
    let feeds = listed.feeds.iter().map(|feed| ("feed", &feed.feed, &feed.starts));
    let webhooks = listed
        .webhooks
        .iter()
        .map(|webhook| ("webhook", &webhook.webhook, &webhook.starts));
    for (kind, name, starts) in feeds.chain(webhooks) {
        if let Some(message) = &starts.message {
            text.push_str(&format!(
                "\n{yellow}{kind}.{name} does not start all{yellow:#}: {}\n",
                table::plain(message)
            ));
        }
    }
    for webhook in &listed.webhooks {
        if let Some(secret) = webhook.secret.as_ref().filter(|_| !webhook.has_secret) {
            text.push_str(&format!(
                "\n{yellow}webhook.{} refuses all events{yellow:#}: the server has no value of the secret {secret}\n",
                webhook.webhook
            ));
        }
    }
    text
}

/// The flow, or that the live release knows nothing of it.
fn of_release(declared: bool, flow: Option<&String>) -> String {
    match flow {
        Some(flow) => flow.clone(),
        None if declared => "-".to_owned(),
        None => "(not declared)".to_owned(),
    }
}

fn counts(starts: &Starts) -> [String; 3] {
    [starts.waiting, starts.started, starts.failed].map(|count| count.to_string())
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_under_the_list() {
        let starts = |flow: Option<&str>| serde_json::json!({ "flow": flow, "rate": "60 per minute", "waiting": 2, "started": 40, "failed": 1 });
        let listed: Listed = serde_json::from_value(serde_json::json!({
            "feeds": [
                { "feed": "road-works", "declared": true, "function": "works.changes", "every_s": 300.0,
                  "running": false, "next": "2026-11-22T08:05:00Z", "starts": starts(Some("tell")),
                  "last": { "run": 7, "began": "2026-11-22T08:00:00Z", "ended": "2026-11-22T08:00:01Z",
                            "outcome": "refused", "message": "refused: 503\u{1b}[2J", "listed": 0, "new": 0, "failures": 2 } },
                { "feed": "gone", "declared": false, "running": false,
                  "starts": { "waiting": 1, "started": 0, "failed": 0, "message": "the answer\u{1b}[2J has 2MiB" } },
            ],
            "webhooks": [{ "webhook": "sensor", "declared": true, "secret": "sensor-key", "has_secret": false,
                           "starts": starts(Some("alarm")) }],
        }))
        .unwrap();
        let text = told(&listed);
        for part in [
            "feed.road-works",
            "works.changes",
            "refused  0",
            "(not declared)",
            "has failed 2 times in a row",
            "refused: 503 [2J",
            "feed.gone does not start all",
            "the answer [2J has 2MiB",
            "no value of the secret sensor-key",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
