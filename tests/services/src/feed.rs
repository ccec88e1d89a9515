//! The health commission's feed of public notices.
//!
//! `GET /v1/notices`: 200 with the feed and an `etag`, or 304 when `if-none-match` names the
//! present one. The form is that of the plugin that reads it, `plugins/gov-feed/README.md`.
//!
//! `GET /v1/subscribers?district=ID`: those who asked to be told of notices for the district, or for
//! several; without a district, all.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{Service, problem::Problem};

/// A text by its language, a BCP 47 tag.
pub type Texts = BTreeMap<String, String>;

/// The feed as it is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// The districts that notices may be for.
    pub districts: Vec<District>,
    /// What is in force.
    pub notices: Vec<Notice>,
}

/// A district of the city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct District {
    /// How flows name it, `xihu`.
    pub id: String,
    /// How people name it.
    pub names: Texts,
}

/// A notice to the public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The commission's own number.
    pub id: String,
    /// Ids of districts; none means the whole city.
    pub districts: Vec<String>,
    /// The day, `2026-11-20`.
    pub issued: String,
    /// The title.
    pub title: Texts,
    /// The text.
    pub text: Texts,
    /// Words by which a question names the matter.
    pub topics: Vec<String>,
}

/// Somebody who asked to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscriber {
    /// The number to tell, in E.164.
    pub phone: String,
    /// Ids of the districts to be told of.
    pub districts: Vec<String>,
}

/// A list of subscribers, as it is given out.
#[derive(Serialize)]
struct Subscribers {
    subscribers: Vec<String>,
}

/// What is published just now; clones publish to the same readers.
#[derive(Clone, Debug)]
pub struct Publication {
    present: Arc<RwLock<Present>>,
    subscribers: Arc<RwLock<Vec<Subscriber>>>,
}

#[derive(Debug)]
struct Present {
    body: String,
    etag: String,
}

impl Feed {
    /// Reads a feed.
    ///
    /// # Errors
    /// Where it is not of the documented form.
    pub fn read(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// The feed of the demo: notices for the districts of Hangzhou.
    pub fn seed() -> Self {
        Self::read(include_str!("../seed/notices.json")).expect("the seed is tested to be a feed")
    }
}

impl Publication {
    /// Publishes a feed.
    pub fn new(feed: &impl Serialize) -> Self {
        Self {
            present: Arc::new(RwLock::new(Present::of(feed))),
            subscribers: Arc::default(),
        }
    }

    /// Takes somebody into the list of those who asked to be told.
    pub fn subscribe(&self, phone: &str, districts: &[&str]) {
        let subscriber = Subscriber {
            phone: phone.to_owned(),
            districts: districts.iter().map(|&district| district.to_owned()).collect(),
        };
        self.subscribers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(subscriber);
    }

    /// Takes the subscribers of the demo into the list.
    #[must_use]
    pub fn with_subscribers(self) -> Self {
        let seed: Vec<Subscriber> = serde_json::from_str(include_str!("../seed/subscribers.json"))
            .expect("the seed is tested to be a list of subscribers");
        *self.subscribers.write().unwrap_or_else(PoisonError::into_inner) = seed;
        self
    }

    /// Publishes another feed in its place.
    pub fn publish(&self, feed: &impl Serialize) {
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Present::of(feed);
    }
}

impl Present {
    fn of(feed: &impl Serialize) -> Self {
        let body = serde_json::to_string(feed).expect("texts and lists are JSON");
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self {
            body,
            etag: format!("\"{:016x}\"", hasher.finish()),
        }
    }
}

/// Serves a publication. Must be called within a tokio runtime.
///
/// # Errors
/// When the listener has no address.
pub fn serve(listener: TcpListener, publication: Publication) -> io::Result<Service> {
    let router = Router::new()
        .route("/v1/notices", get(present))
        .route("/v1/subscribers", get(subscribers))
        .fallback(nowhere)
        .with_state(publication);
    Service::start(listener, router)
}

/// Answers with what is published, or that it is what the asker has.
pub(crate) async fn present(State(publication): State<Publication>, headers: HeaderMap) -> Response {
    let present = publication.present.read().unwrap_or_else(PoisonError::into_inner);
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| {
            tags.split(',')
                .map(|tag| tag.trim().trim_start_matches("W/"))
                .any(|tag| tag == "*" || tag == present.etag)
        });
    let etag = [(ETAG, present.etag.clone())];
    if known {
        return (StatusCode::NOT_MODIFIED, etag).into_response();
    }
    (etag, [(CONTENT_TYPE, "application/json")], present.body.clone()).into_response()
}

async fn subscribers(
    State(publication): State<Publication>,
    Query(asked): Query<Vec<(String, String)>>,
) -> Json<Subscribers> {
    let districts: Vec<&String> = asked
        .iter()
        .filter(|(name, _)| name == "district")
        .map(|(_, district)| district)
        .collect();
    let known = publication
        .subscribers
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    let told = known.iter().filter(|subscriber| {
        districts.is_empty()
            || districts
                .iter()
                .any(|district| subscriber.districts.contains(district))
    });
    Json(Subscribers {
        subscribers: told.map(|subscriber| subscriber.phone.clone()).collect(),
    })
}

async fn nowhere() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-such-path",
        "ask GET /v1/notices or GET /v1/subscribers",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_subscribers_of_the_seed_are_of_its_districts() {
        let publication = Publication::new(&Feed::seed()).with_subscribers();
        let ids: BTreeSet<String> = Feed::seed()
            .districts
            .into_iter()
            .map(|district| district.id)
            .collect();
        let subscribers = publication.subscribers.read().unwrap();
        assert!(!subscribers.is_empty());
        for subscriber in subscribers.iter() {
            assert!(subscriber.phone.starts_with("+86"), "{subscriber:?}");
            assert!(
                subscriber.districts.iter().all(|id| ids.contains(id)),
                "{subscriber:?}"
            );
        }
    }

    #[test]
    fn the_seed_is_complete_in_both_languages() {
        let feed = Feed::seed();
        let ids: BTreeSet<_> = feed.districts.iter().map(|district| &district.id).collect();
        assert_eq!(ids.len(), feed.districts.len());
        let texts = feed.districts.iter().map(|district| &district.names).chain(
            feed.notices
                .iter()
                .flat_map(|notice| [&notice.title, &notice.text]),
        );
        for texts in texts {
            assert_eq!(texts.keys().collect::<Vec<_>>(), ["en", "zh-CN"], "{texts:?}");
        }
        for notice in &feed.notices {
            assert!(
                notice.districts.iter().all(|id| ids.contains(id)),
                "{}",
                notice.id
            );
        }
    }
}
