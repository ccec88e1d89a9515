//! The operators' side of feeds and webhooks: how they ran, what waits, what they started.

use axum::{
    Json,
    extract::{Path, State as Shared},
    http::StatusCode,
};
use serde::Serialize;
use trunkline_channel::problem::Problem;
use trunkline_flow::start::StartsOn;
use trunkline_model::{Timestamp, json::rfc3339};
use utoipa::ToSchema;

use super::{State, auth::Operator, problem::Refusal};
use crate::feeds::{FeedView, RunView, StartsView, WebhookView};

/// What starts contacts that nobody called for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Feeds {
    feeds: Vec<Feed>,
    webhooks: Vec<Webhook>,
}

/// A feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Feed {
    /// Its name.
    feed: String,
    /// Whether the live release has it. What waits for one that it has not stays where it is.
    declared: bool,
    /// The function that is asked: `plugin.function`.
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    /// The least time between two runs, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    every_s: Option<f64>,
    /// Whether a run is under way.
    running: bool,
    /// Its last run.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Run>,
    /// When it runs next, RFC 3339; in the past when that is at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The contacts that it starts.
    starts: Starts,
}

/// A run of a feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Run {
    /// Which run it is, counted from 1.
    run: u64,
    /// When it began, RFC 3339: the last attempt of one that was cut off.
    began: String,
    /// When it was over, RFC 3339; absent while it is under way, or when the node's end cut it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// What came of it: `ok`, `refused`, or a fault such as `fault.timed-out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// What the function said when it gave no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// How many changes it listed.
    listed: u64,
    /// How many of them were new.
    new: u64,
    /// How many runs in a row have failed.
    failures: u32,
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhook {
    /// Its name, as in `/api/v1/hooks/NAME`.
    webhook: String,
    /// Whether the live release has it.
    declared: bool,
    /// The name of the secret that events are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Whether the server has a value of that secret; without one every event is refused.
    has_secret: bool,
    /// The contacts that it starts.
    starts: Starts,
}

/// The contacts that a feed or a webhook starts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Starts {
    /// The flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<String>,
    /// How many it may start: `60 per minute`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<String>,
    /// The calendar within whose hours it starts them; absent when it may at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<String>,
    /// Changes or events that wait.
    waiting: usize,
    /// Since when the oldest of them waits, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    /// Contacts that were started, ever.
    started: u64,
    /// Changes and people that were given up, ever.
    failed: u64,
    /// Changes or events that are remembered, so that they are not told again.
    remembered: u64,
    /// What was wrong when a change last was given up, or it could not be asked whom it concerns; absent
    /// when that could be asked since.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// What waited and was let go of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dropped {
    /// How many changes or events that were.
    dropped: u64,
}

/// A run that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Asked {
    /// The feed.
    feed: String,
}

impl From<StartsView> for Starts {
    fn from(view: StartsView) -> Self {
        Self {
            flow: view.flow,
            rate: view.rate,
            window: view.window.map(|window| window.to_string()),
            waiting: view.waiting,
            oldest: view.oldest.map(rfc3339),
            started: view.started,
            failed: view.failed,
            remembered: view.remembered,
            message: view.message,
        }
    }
}

impl From<RunView> for Run {
    fn from(view: RunView) -> Self {
        Self {
            run: view.number,
            began: rfc3339(view.began),
            ended: view.ended.map(rfc3339),
            outcome: view.outcome.map(|outcome| outcome.to_string()),
            message: view.message,
            listed: view.listed,
            new: view.new,
            failures: view.failures,
        }
    }
}

impl From<FeedView> for Feed {
    fn from(view: FeedView) -> Self {
        Self {
            feed: view.name.to_string(),
            declared: view.declared,
            function: view.function,
            every_s: view.every.map(|every| every.to_std().as_secs_f64()),
            running: view.running,
            last: view.last.map(Run::from),
            // One that never ran is due from the beginning of time.
            next: view.next.filter(|next| *next > Timestamp::default()).map(rfc3339),
            starts: Starts::from(view.starts),
        }
    }
}

impl From<WebhookView> for Webhook {
    fn from(view: WebhookView) -> Self {
        Self {
            webhook: view.name.to_string(),
            declared: view.declared,
            secret: view.secret.map(|secret| secret.to_string()),
            has_secret: view.has_secret,
            starts: Starts::from(view.starts),
        }
    }
}

/// The feeds and webhooks: last run, next run, what waits, what was started.
#[utoipa::path(
    get,
    path = "/api/v1/feeds",
    tag = "operators",
    responses(
        (status = 200, description = "The feeds and webhooks.", body = Feeds),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn list(Shared(state): Shared<State>, _: Operator) -> Json<Feeds> {
    let (feeds, webhooks) = state.feeds().overview();
    Json(Feeds {
        feeds: feeds.into_iter().map(Feed::from).collect(),
        webhooks: webhooks.into_iter().map(Webhook::from).collect(),
    })
}

/// Asks a feed now, whenever it is due. One that is under way is asked again after it.
#[utoipa::path(
    post,
    path = "/api/v1/feeds/{name}/run",
    tag = "operators",
    params(("name" = String, Path, description = "The feed.")),
    responses(
        (status = 202, description = "It is asked as soon as it can be.", body = Asked),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "There is no such feed.", body = Problem),
    )
)]
pub(crate) async fn run(
    Shared(state): Shared<State>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Asked>), Refusal> {
    if state.feeds().ask_now(&name) {
        return Ok((StatusCode::ACCEPTED, Json(Asked { feed: name })));
    }
    Err(no_such_feed(&name))
}

/// Lets go of all that waits for a feed, or for `webhook.NAME`: of one that the live release no longer has,
/// or of what nobody should be told any more. It counts as given up, and is not taken again.
#[utoipa::path(
    delete,
    path = "/api/v1/feeds/{name}/waiting",
    tag = "operators",
    params(("name" = String, Path, description = "The feed, or `webhook.NAME`.")),
    responses(
        (status = 200, description = "Nothing waits that waited.", body = Dropped),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "There is and was no such feed.", body = Problem),
        (status = 503, description = "The store cannot be written now.", body = Problem),
    )
)]
pub(crate) async fn drop_waiting(
    Shared(state): Shared<State>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<Dropped>, Refusal> {
    // A name has no dot.
    let on = StartsOn::parse(&name).unwrap_or_else(|| StartsOn::Feed(name.as_str().into()));
    match state.feeds().drop_waiting(&on).await {
        Ok(Some(dropped)) => Ok(Json(Dropped { dropped })),
        Ok(None) => Err(no_such_feed(&name)),
        Err(error) => {
            tracing::error!(%on, %error, "what waits cannot be let go of");
            Err(Refusal::unavailable(
                "store-unavailable",
                "The store cannot be written now.",
                2,
            ))
        }
    }
}

fn no_such_feed(name: &str) -> Refusal {
    Refusal::not_found(
        "no-such-feed",
        format!(
            "There is no feed {:?} on which a flow starts.",
            name.chars().take(64).collect::<String>()
        ),
        "GET /api/v1/feeds lists them.",
    )
}
