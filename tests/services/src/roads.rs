//! The traffic police's feed of road works, restrictions and closures.
//!
//! `GET /v1/road-works`: 200 with the feed and an `etag`, or 304 when `if-none-match` names the
//! present one. The form is that of the plugin that reads it, `plugins/road-works/README.md`.

use std::io;

use axum::{Router, http::StatusCode, routing::get};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{
    Service,
    feed::{self, District, Publication, Texts},
    problem::Problem,
};

/// The feed as it is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roads {
    /// The districts that works may be in.
    pub districts: Vec<District>,
    /// What is or will be in force.
    pub works: Vec<Work>,
}

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The police's own number.
    pub id: String,
    /// How much of the road is left.
    pub kind: Kind,
    /// Ids of districts; none means the whole city.
    pub districts: Vec<String>,
    /// The first day, `2026-11-20`.
    pub begins: String,
    /// The last day; none while nobody knows.
    pub ends: Option<String>,
    /// The road.
    pub road: Texts,
    /// The text.
    pub text: Texts,
}

/// How much of a road is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nothing.
    Closure,
    /// Some.
    Restriction,
    /// All of it.
    Works,
}

impl Roads {
    /// Reads a feed.
    ///
    /// # Errors
    /// Where it is not of the documented form.
    pub fn read(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// The feed of the demo: works in the districts of Hangzhou, made up.
    pub fn seed() -> Self {
        Self::read(include_str!("../seed/road-works.json")).expect("the seed is tested to be a feed")
    }
}

/// Serves a publication of [`Roads`]. Must be called within a tokio runtime.
///
/// # Errors
/// When the listener has no address.
pub fn serve(listener: TcpListener, publication: Publication) -> io::Result<Service> {
    let router = Router::new()
        .route("/v1/road-works", get(feed::present))
        .fallback(nowhere)
        .with_state(publication);
    Service::start(listener, router)
}

async fn nowhere() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-such-path", "ask GET /v1/road-works")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::feed::Feed;

    #[test]
    fn the_seed_is_complete_in_both_languages_and_has_the_citys_districts() {
        let roads = Roads::seed();
        assert_eq!(roads.districts, Feed::seed().districts);
        let ids: BTreeSet<_> = roads.districts.iter().map(|district| &district.id).collect();
        for work in &roads.works {
            for texts in [&work.road, &work.text] {
                assert_eq!(texts.keys().collect::<Vec<_>>(), ["en", "zh-CN"], "{texts:?}");
            }
            assert!(work.districts.iter().all(|id| ids.contains(id)), "{}", work.id);
            assert!(
                work.ends.as_ref().is_none_or(|ends| *ends >= work.begins),
                "{}",
                work.id
            );
        }
    }
}
