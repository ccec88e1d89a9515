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
            asked.new = self.take_new(on, feed, &changes, FEED_CHANGES_MAX).await?;
        }
        Ok(asked)
    }

    /// Takes what is new of what a feed lists, so many at most; how many that were.
    async fn take_new(
        &self,
        on: &StartsOn,
        feed: &Feed,
        changes: &[Value],
        most: usize,
    ) -> Result<u64, Error> {
        let (mut new, mut over, mut full) = (0, 0, 0);
        for (place, change) in (0_u32..).zip(changes) {
            let whole = given(change);
            let key = feed.key.as_ref().and_then(|key| whole.get(&**key));
            let id = self.records.id_of(key, &whole);
            let people = feed.to.is_none().then(|| vec![None]);
            let taken = if new < most as u64 {
                self.take(on, id, place, whole, people).await
            } else {
                // A feed may list far more than this that is known.
                let known = self.is_known(on, &id).await;
                known.map(|known| if known { Taken::Known } else { Taken::Over })
            };
            match taken {
                Ok(Taken::New) => new += 1,
                Ok(Taken::Known) => {}
                Ok(Taken::Over) => over += 1,
                Ok(Taken::Full) => full += 1,
                Ok(Taken::TooLarge) => self.lose(on, &id, TOO_LARGE).await?,
                // One that cannot be kept keeps no other from being.
                Err(error) if is_lasting(&error) => self.lose(on, &id, &error.to_string()).await?,
                Err(error) => return Err(error),
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
        Ok(new)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Clock,
        feeds::tests::{hotline, start, works},
        testing::NOON,
    };

    #[tokio::test]
    async fn what_is_known_leaves_room_for_what_is_new() {
        // Outside its window nothing starts meanwhile.
        let hotline = hotline("rate: 1 per day, window: day", &works(&[], &[]));
        let node = start(&hotline, &Clock::still(NOON)).await;
        let (feeds, on) = (node.feeds(), StartsOn::Feed("works".into()));
        let pinned = feeds.releases.pin_current().unwrap();
        let feed = &pinned.release().hotline().feeds["works"];
        let changes = ["a", "b", "c"].map(Value::text);
        let take_new = || feeds.take_new(&on, feed, &changes, 2);
        let new = [
            take_new().await.unwrap(),
            take_new().await.unwrap(),
            take_new().await.unwrap(),
        ];
        assert_eq!(new, [2, 1, 0]);
    }
}
