//! How feeds and webhooks stand, for operators.

use std::{collections::BTreeSet, sync::Arc};

use trunkline_flow::start::StartsOn;
use trunkline_model::{Duration, Timestamp};

use super::{Feeds, Source, schedule};

/// How a feed stands.
#[derive(Clone, Debug)]
pub(crate) struct FeedView {
    pub(crate) name: Arc<str>,
    /// Whether the release that is live has it. One that it has not starts nothing; what waits stays.
    pub(crate) declared: bool,
    /// What is asked: `plugin.function`.
    pub(crate) function: Option<String>,
    pub(crate) every: Option<Duration>,
    pub(crate) running: bool,
    pub(crate) last: Option<RunView>,
    /// When it runs next.
    pub(crate) next: Option<Timestamp>,
    pub(crate) starts: StartsView,
}

/// How a webhook stands.
#[derive(Clone, Debug)]
pub(crate) struct WebhookView {
    pub(crate) name: Arc<str>,
    /// Whether the release that is live has it.
    pub(crate) declared: bool,
    /// The secret that events are signed with.
    pub(crate) secret: Option<Arc<str>>,
    /// Whether the server has a value of it.
    pub(crate) has_secret: bool,
    pub(crate) starts: StartsView,
}

/// How a feed last ran.
#[derive(Clone, Debug)]
pub(crate) struct RunView {
    pub(crate) number: u64,
    pub(crate) began: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) outcome: Option<Arc<str>>,
    pub(crate) message: Option<String>,
    pub(crate) listed: u64,
    pub(crate) new: u64,
    pub(crate) failures: u32,
}

/// The contacts that a source starts.
#[derive(Clone, Debug)]
pub(crate) struct StartsView {
    pub(crate) flow: Option<String>,
    pub(crate) rate: Option<String>,
    pub(crate) window: Option<Arc<str>>,
    /// Changes or events that wait.
    pub(crate) waiting: usize,
    /// Since when the oldest waits.
    pub(crate) oldest: Option<Timestamp>,
    /// Contacts that were started, ever.
    pub(crate) started: u64,
    /// What was given up, ever.
    pub(crate) failed: u64,
    /// Changes or events that are remembered, so that they are not told again.
    pub(crate) remembered: u64,
    /// What was wrong when a change last could not start its contacts.
    pub(crate) message: Option<String>,
}

impl Feeds {
    /// All feeds and webhooks: those of the release that is live, and those that something waits for.
    pub(crate) fn overview(&self) -> (Vec<FeedView>, Vec<WebhookView>) {
        let release = self.releases.current();
        let hotline = release.as_ref().map(|release| release.hotline());
        let now = self.clock.now();
        let sources = self.sources();
        let mut names: BTreeSet<StartsOn> = sources.keys().cloned().collect();
        if let Some(hotline) = hotline {
            names.extend(hotline.feeds.keys().cloned().map(StartsOn::Feed));
            names.extend(hotline.webhooks.keys().cloned().map(StartsOn::Webhook));
        }
        let nothing = Source::default();
        let (mut feeds, mut webhooks) = (Vec::new(), Vec::new());
        for on in &names {
            let source = sources.get(on).unwrap_or(&nothing);
            let declared = hotline.and_then(|hotline| hotline.starts(on));
            let starts = StartsView {
                flow: declared
                    .and_then(|starts| starts.flow.as_ref())
                    .map(ToString::to_string),
                rate: declared.map(|starts| starts.rate.to_string()),
                window: declared.and_then(|starts| starts.window.clone()),
                waiting: source.outbox.len(),
                oldest: source.outbox.oldest(),
                started: source.starts.started,
                failed: source.starts.failed,
                remembered: source.remembered,
                message: source.trouble.clone(),
            };
            match on {
                StartsOn::Feed(name) => {
                    let feed = hotline.and_then(|hotline| hotline.feeds.get(name));
                    feeds.push(FeedView {
                        name: name.clone(),
                        declared: feed.is_some(),
                        function: feed.map(|feed| {
                            let function = feed.function.as_str();
                            let own = function.rsplit(['#', '/']).next().unwrap_or(function);
                            format!("{}.{own}", feed.plugin)
                        }),
                        every: feed.map(|feed| feed.every),
                        running: source.running,
                        last: source.run.as_ref().map(|run| RunView {
                            number: run.number,
                            began: run.began,
                            ended: run.ended,
                            outcome: run.outcome.clone(),
                            message: source.message.clone(),
                            listed: run.listed,
                            new: run.new,
                            failures: run.failures,
                        }),
                        next: feed.filter(|_| !source.running).map(|feed| {
                            schedule::due(name, feed, source.run.as_ref(), now)
                                .max(schedule::put_off(source.held_until, now))
                        }),
                        starts,
                    });
                }
                StartsOn::Webhook(name) => {
                    let webhook = hotline.and_then(|hotline| hotline.webhooks.get(name));
                    webhooks.push(WebhookView {
                        name: name.clone(),
                        declared: webhook.is_some(),
                        secret: webhook.map(|webhook| webhook.secret.clone()),
                        has_secret: webhook.is_some_and(|webhook| self.secret(&webhook.secret).is_some()),
                        starts,
                    });
                }
            }
        }
        (feeds, webhooks)
    }
}
