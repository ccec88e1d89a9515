//! `feeds` and `webhooks` of hotline.yaml: what starts contacts that nobody called for.

use trunkline_model::{Duration, limits::CALL_TIME_MAX};

use super::fields::{Fields, Reader, Style};
use crate::{
    diagnostics::{Code, Finding},
    limits::{
        FEED_EVERY_MAX, FEED_EVERY_MIN, FEED_JITTER_PART, FEED_TIME_DEFAULT, STARTS_WAITING_DEFAULT,
        STARTS_WAITING_MAX,
    },
    start::Rate,
    syntax::{FeedSyntax, StartsSyntax, WebhookSyntax},
    yaml::Node,
};

/// How many contacts a feed or a webhook starts when it does not say.
const RATE_DEFAULT: Rate = Rate {
    count: 60,
    per: Duration::from_secs(60),
};

pub(super) fn feeds(reader: &Reader<'_>, node: &Node) -> Vec<FeedSyntax> {
    let mut feeds = Vec::new();
    for entry in reader.entries(node, "`feeds`") {
        reader.name(&entry.key, "a feed", Style::Kebab);
        let mut fields = reader.fields(&entry.value, "a feed", entry.key.span);
        let _title = fields.word(reader, "title");
        let call = fields.need_word(reader, "call", "road-works.changes");
        let every = fields
            .need(reader, "every", "5m")
            .and_then(|node| reader.duration(node, "`every`", FEED_EVERY_MAX).zip(Some(node)))
            .and_then(|(every, node)| {
                if every >= FEED_EVERY_MIN {
                    return Some(every);
                }
                reader.report(Finding::new(
                    Code::WrongValue,
                    node.span,
                    format!("`every` is at least {FEED_EVERY_MIN}"),
                ));
                None
            });
        let jitter = fields
            .take("jitter")
            .and_then(|node| reader.duration(node, "`jitter`", every.unwrap_or(FEED_EVERY_MAX)));
        let tenth = every.unwrap_or_default().as_millis() / FEED_JITTER_PART;
        let feed = FeedSyntax {
            name: entry.key.clone(),
            call,
            every,
            jitter: jitter.unwrap_or(Duration::from_millis(tenth)),
            time: fields
                .take("time")
                .and_then(|node| reader.duration(node, "`time`", CALL_TIME_MAX))
                .unwrap_or(FEED_TIME_DEFAULT),
            key: fields.word(reader, "key"),
            to: fields.word(reader, "to"),
            starts: starts(reader, &mut fields),
        };
        fields.finish(reader);
        feeds.push(feed);
    }
    feeds
}

pub(super) fn webhooks(reader: &Reader<'_>, node: &Node) -> Vec<WebhookSyntax> {
    let mut webhooks = Vec::new();
    for entry in reader.entries(node, "`webhooks`") {
        reader.name(&entry.key, "a webhook", Style::Kebab);
        let mut fields = reader.fields(&entry.value, "a webhook", entry.key.span);
        let _title = fields.word(reader, "title");
        let secret = fields.need_word(reader, "secret", "sensor-key");
        if let Some(secret) = &secret {
            reader.name(secret, "a secret", Style::Kebab);
        }
        let webhook = WebhookSyntax {
            name: entry.key.clone(),
            secret,
            key: fields.word(reader, "key"),
            to: fields.word(reader, "to"),
            starts: starts(reader, &mut fields),
        };
        fields.finish(reader);
        webhooks.push(webhook);
    }
    webhooks
}

/// What both say of the contacts they start.
fn starts(reader: &Reader<'_>, fields: &mut Fields<'_>) -> StartsSyntax {
    let rate = fields
        .word(reader, "rate")
        .and_then(|word| reader.read::<Rate>(&word, "`rate`"));
    StartsSyntax {
        rate: rate.unwrap_or(RATE_DEFAULT),
        window: fields.word(reader, "window"),
        waiting_max: fields.count_within(
            reader,
            "max-waiting",
            STARTS_WAITING_DEFAULT,
            1..=STARTS_WAITING_MAX,
        ),
    }
}
