//! Answers with the health commission's notices for a district.
//!
//! The commission publishes a JSON feed over HTTP. This component keeps the last copy in its
//! key-values, asks again when the copy is older than the setting `refresh-s`, and goes on
//! with it, saying so, while the feed is down. What is in force, and whom it concerns, it tells to flows
//! that start by themselves. [`feed`] reads the feed and finds in it,
//! [`copy`] knows what to do with a copy of some age; both are pure.

mod copy;
mod feed;
mod subscribers;

use std::time::Duration;

use bindings::exports::health::notices::{
    feed::{Guest, Notice, NoticeError},
    news::{self, Change},
};
use copy::{Ages, Copy, Standing};
use feed::{Absent, Feed, Found};
use trunkline_sdk::{call, clock, config, http, kv, log};

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "plugin" });
}
trunkline_sdk::embed_wit!("../wit/notices.wit");
bindings::export!(GovFeed with_types_in bindings);

/// Where the copy is kept. The number changes with the form of [`Copy`].
const COPY_KEY: &str = "copy-1";

/// Bytes of the feed.
const FEED_BYTES_MAX: usize = 60 * 1024;

/// Bytes of a list of subscribers: some forty thousand numbers. The host reads each as some 54 bytes, so
/// that the grant's `reply-bytes` has to be more than 2 MiB for as many.
const SUBSCRIBERS_BYTES_MAX: usize = 768 * 1024;

/// Time kept back from the call's own, to answer from the copy rather than be stopped.
const ANSWER_MARGIN: Duration = Duration::from_millis(100);

struct GovFeed;

impl Guest for GovFeed {
    fn latest(district: String, question: Option<String>) -> Result<Notice, NoticeError> {
        let (feed, stale) = current()?;
        let locale = call::current().locale;
        let found = feed.latest(&district, question.as_deref(), &locale)?;
        Ok(notice(found, stale))
    }

    fn notices(district: String) -> Result<Vec<Notice>, NoticeError> {
        let (feed, stale) = current()?;
        let locale = call::current().locale;
        let found = feed.notices(&district, &locale)?;
        Ok(found.into_iter().map(|found| notice(found, stale)).collect())
    }
}

impl news::Guest for GovFeed {
    fn changes() -> Result<Vec<Change>, String> {
        let (feed, stale) = current().map_err(|error| match error {
            NoticeError::Unreachable(why) => why,
            NoticeError::UnknownDistrict | NoticeError::NoNotice => "there is nothing to give".to_owned(),
        })?;
        if stale {
            return Err("the feed cannot be asked, and its copy holds nothing new".to_owned());
        }
        let locale = call::current().locale;
        let published = feed.published(&locale);
        Ok(published
            .map(|published| Change {
                id: published.id.to_owned(),
                issued: published.issued.to_owned(),
                districts: published.districts.to_vec(),
                title: published.title.to_owned(),
                text: published.text.to_owned(),
            })
            .collect())
    }

    fn affected(change: Change) -> Result<Vec<String>, String> {
        let url = config::require("subscribers-url").map_err(|error| error.to_string())?;
        let reply = http::get(subscribers::address(&url, &change.districts))
            .header("accept", "application/json")
            .timeout(call::current().remaining_less(ANSWER_MARGIN))
            .reply_bytes_max(SUBSCRIBERS_BYTES_MAX)
            .send()
            .map_err(|error| error.to_string())?;
        match reply.status() {
            200 => subscribers::read(reply.body()).map_err(|error| error.to_string()),
            status => Err(format!("the register of subscribers answered {status}")),
        }
    }
}

impl From<Absent> for NoticeError {
    fn from(absent: Absent) -> Self {
        match absent {
            Absent::District => Self::UnknownDistrict,
            Absent::Notice => Self::NoNotice,
        }
    }
}

fn notice(found: Found<'_>, stale: bool) -> Notice {
    Notice {
        id: found.id.to_owned(),
        title: found.title.to_owned(),
        text: found.text.to_owned(),
        district: found.district.to_owned(),
        issued: found.issued.to_owned(),
        stale,
    }
}

/// The feed to answer from, and whether it is a copy that could not be renewed.
fn current() -> Result<(Feed, bool), NoticeError> {
    let ages = Ages::from_settings(
        seconds("refresh-s", Ages::default().refresh),
        seconds("stale-max-s", Ages::default().stale_max),
    );
    let now = clock::since_epoch();
    let kept = kept();
    let standing = kept
        .as_ref()
        .map_or(Standing::Unusable, |copy| copy.standing(now, ages));
    match (standing, kept) {
        (Standing::Fresh, Some(copy)) => Ok((copy.feed, false)),
        // The feed failed a moment ago: callers do not wait for it to fail again.
        (Standing::Waiting, Some(copy)) => Ok((copy.feed, true)),
        (Standing::Due, Some(copy)) => match fetch(copy.etag.as_deref()) {
            Ok(Fetched::New(new)) => Ok((keep(new), false)),
            Ok(Fetched::Unchanged) => Ok((keep(copy.renewed(now)), false)),
            Err(why) => {
                log::warn!("the feed is down, its copy of {} serves: {why}", copy.age(now));
                Ok((keep(copy.failed(now)), true))
            }
        },
        (Standing::Unusable, _) | (_, None) => match fetch(None) {
            Ok(Fetched::New(new)) => Ok((keep(new), false)),
            Ok(Fetched::Unchanged) => Err(unreachable("it says that a copy we do not have is unchanged")),
            Err(why) => Err(unreachable(&why)),
        },
    }
}

enum Fetched {
    New(Copy),
    Unchanged,
}

fn fetch(etag: Option<&str>) -> Result<Fetched, String> {
    let url = config::require("url").map_err(|error| error.to_string())?;
    let mut request = http::get(url)
        .header("accept", "application/json")
        .timeout(call::current().remaining_less(ANSWER_MARGIN))
        .reply_bytes_max(FEED_BYTES_MAX);
    if let Some(etag) = etag {
        request = request.header("if-none-match", etag);
    }
    let reply = request.send().map_err(|error| error.to_string())?;
    match reply.status() {
        200 => Ok(Fetched::New(Copy::new(
            Feed::read(reply.body()).map_err(|error| error.to_string())?,
            reply.header("etag").map(str::to_owned),
            clock::since_epoch(),
        ))),
        304 if etag.is_some() => Ok(Fetched::Unchanged),
        status => Err(format!("the feed answered {status}")),
    }
}

fn kept() -> Option<Copy> {
    kv::get_json(COPY_KEY).unwrap_or_else(|error| {
        log::warn!("the kept copy of the feed cannot be read: {error}");
        None
    })
}

/// Keeps a copy for the calls to come. This call has its answer whether that works or not.
fn keep(copy: Copy) -> Feed {
    if let Err(error) = kv::set_json(COPY_KEY, &copy, None) {
        log::warn!("the feed cannot be kept, every call will ask for it: {error}");
    }
    copy.feed
}

fn seconds(name: &str, default: Duration) -> Duration {
    let seconds = config::get_or(name, default.as_secs()).unwrap_or_else(|error| {
        log::warn!("{error}: {} s hold", default.as_secs());
        default.as_secs()
    });
    Duration::from_secs(seconds)
}

fn unreachable(why: &str) -> NoticeError {
    log::warn!("the feed gave nothing and no copy is at hand: {why}");
    NoticeError::Unreachable(why.to_owned())
}

#[cfg(test)]
mod tests;
