//! A run: a feed's function is asked what has changed, and what is new is taken.

use std::sync::Arc;

use trunkline_flow::start::{Feed, StartsOn};
use trunkline_journal::Error;
use trunkline_model::{CallId, FaultKind, Outcome, Value};
use trunkline_plugin::Call;

use super::{
    Feeds, PAUSE,
    outbox::{Taken, given},
    record::{Run, is_lasting},
};
use crate::{
    limits::{FEED_CHANGES_MAX, FEED_MESSAGE_CHARS_MAX, SEEN_PER_SOURCE_MAX},
    observe,
    release::Pinned,
};

/// Why a change is given up that is larger than what may wait.
const TOO_LARGE: &str =
    "it has more than 64 KiB as JSON; list less of it, such as a link to its text, under a new key";

/// What came of asking.
struct Asked {
    outcome: Arc<str>,
    message: Option<String>,
    listed: u64,
    new: u64,
}

impl Feeds {
    /// Runs a feed once. Whatever comes of it is recorded; nothing is thrown.
    pub(super) async fn run(self: Arc<Self>, name: Arc<str>) {
        let on = StartsOn::Feed(name.clone());
        let ran = self.run_once(&name, &on).await;
        let now = self.clock.now();
        self.with(&on, |source| {
            source.running = false;
            if ran.is_err() {
                source.held_until = now + PAUSE;
            }
        });
        if let Err(error) = ran {
            tracing::warn!(feed = %name, %error, "a run of a feed could not be kept; trying again");
            self.contacts.notice(&error);
        }
        self.changed.notify_one();
    }

    async fn run_once(&self, name: &Arc<str>, on: &StartsOn) -> Result<(), Error> {
        let Some(pinned) = self.releases.pin_current() else {
            return Ok(());
        };
        let Some(feed) = pinned.release().hotline().feeds.get(name).cloned() else {
            return Ok(());
        };
        let last = self.with(on, |source| source.run.clone());
        let mut run = Run::after(last.as_ref(), self.clock.now());
        // Before anybody is asked: one that is cut off is the same run when it is asked again.
        self.records.keep_run(on, &run, self.clock.now()).await?;
        self.with(on, |source| source.run = Some(run.clone()));
        let asked = self.ask(on, &feed, &pinned, &run).await?;
        let failed = &*asked.outcome != "ok";
        let now = self.clock.now();
        run.ended = Some(now);
        run.listed = asked.listed;
        run.new = asked.new;
        run.failures = if failed { run.failures + 1 } else { 0 };
        run.outcome = Some(asked.outcome.clone());
        metrics::counter!(
            observe::FEED_RUNS,
            "feed" => name.to_string(),
            "outcome" => asked.outcome.to_string()
        )
        .increment(1);
        let took = now.since(run.began).to_std().as_secs_f64();
        metrics::histogram!(observe::FEED_SECONDS, "feed" => name.to_string()).record(took);
        if failed {
            tracing::warn!(
                feed = %name,
                run = run.number,
                outcome = %asked.outcome,
                failures = run.failures,
                "a feed could not be read; `trunkline feeds` shows what it said"
            );
        } else if asked.new > 0 {
            tracing::info!(feed = %name, run = run.number, listed = asked.listed, new = asked.new, "a feed has changed");
        }
        self.records.keep_run(on, &run, now).await?;
        self.with(on, |source| {
            source.run = Some(run);
            source.message = asked.message;
        });
        Ok(())
    }

    async fn ask(&self, on: &StartsOn, feed: &Feed, pinned: &Pinned, run: &Run) -> Result<Asked, Error> {
        let release = pinned.release();
        let call = Call {
            function: feed.function.clone(),
            arguments: Vec::new(),
            id: CallId::new(format!("{on}-{}", run.number)),
            attempt: run.attempt,
            locale: release
                .hotline()
                .languages
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
            time: feed.time,
        };
        let outcome = match release.plugin(&feed.plugin) {
            Some(plugin) => plugin.call(call).await,
            None => Outcome::fault(
                FaultKind::Host,
                format!("the release has no plugin {}", feed.plugin),
            ),
        };
        let success = &self.contacts.success;
        success.record(release, &feed.plugin, &feed.function, &outcome);
        let mut asked = Asked {
            outcome: told(&outcome),
            message: said(&outcome),
            listed: 0,
            new: 0,
        };
        if let Outcome::Ok(Value::List(changes)) = outcome {
            asked.listed = changes.len() as u64;
            let mut over = changes.len().saturating_sub(FEED_CHANGES_MAX) as u64;
            let mut full = 0;
            for (place, change) in (0_u32..).zip(changes.iter().take(FEED_CHANGES_MAX)) {
                let whole = given(change);
                let key = feed.key.as_ref().and_then(|key| whole.get(&**key));
                let id = self.records.id_of(key, &whole);
                let people = feed.to.is_none().then(|| vec![None]);
                let taken = match self.take(on, id, place, whole, people).await {
                    // One that cannot be kept keeps no other from being.
                    Err(error) if is_lasting(&error) => {
                        self.lose(on, &id, &error.to_string()).await?;
                        continue;
                    }
                    taken => taken?,
                };
                match taken {
                    Taken::New => asked.new += 1,
                    Taken::Known => {}
                    Taken::Over => over += 1,
                    Taken::Full => full += 1,
                    Taken::TooLarge => self.lose(on, &id, TOO_LARGE).await?,
                }
            }
            if full > 0 {
                self.counted(on, "full", full);
                tracing::error!(
                    %on,
                    full,
                    remembered = SEEN_PER_SOURCE_MAX,
                    "a feed lists so many changes that no more can be remembered; they are not taken before others are forgotten"
                );
            }
            if over > 0 {
                self.counted(on, "over", over);
                tracing::warn!(%on, over, "so many changes wait that some were not taken; they are looked at again at the next run");
            }
        }
        Ok(asked)
    }
}

/// What came of a call, in a word.
pub(super) fn told(outcome: &Outcome) -> Arc<str> {
    match outcome {
        Outcome::Ok(_) => "ok".into(),
        Outcome::Refusal(_) => "refused".into(),
        Outcome::Fault(fault) => format!("fault.{}", fault.kind).into(),
    }
}

/// What a function said when it gave no answer, for operators.
pub(super) fn said(outcome: &Outcome) -> Option<String> {
    let said = match outcome {
        Outcome::Ok(_) => return None,
        Outcome::Refusal(refusal) => match &refusal.payload {
            Value::None => refusal.case.to_string(),
            Value::Text(text) => format!("{}: {text}", refusal.case),
            payload => format!("{}: {}", refusal.case, given(payload)),
        },
        Outcome::Fault(fault) => fault.message.clone(),
    };
    Some(said.chars().take(FEED_MESSAGE_CHARS_MAX).collect())
}
