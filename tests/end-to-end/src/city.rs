//! A city for one test: its services, and a copy of its hotline that asks them.

use std::time::Duration;

use city_services::{
    Service, crm,
    feed::{self, Feed, Publication},
    loopback,
};

use crate::{Folder, programs};

/// The ports that the hotline in `flows/` names.
const CRM_WRITTEN: &str = "127.0.0.1:7001";
const FEED_WRITTEN: &str = "127.0.0.1:7002";

/// How long the hotline waits for a service: longer than in `flows/`, so that on a busy machine no call takes
/// the way of a service that is away.
pub const CALL_TIME: Duration = Duration::from_secs(8);

/// A city.
pub struct City {
    /// The citizens' register.
    pub crm: Service,
    /// The feed of the health commission.
    pub feed: Service,
    /// The hotline.
    pub folder: Folder,
}

impl City {
    /// Opens a city.
    ///
    /// # Panics
    /// When the machine has no port or no room for it.
    pub async fn open() -> Self {
        let crm = crm::serve(loopback().await.expect("a port is free"), crm::Register::seed())
            .expect("a listener has an address");
        let feed = feed::serve(
            loopback().await.expect("a port is free"),
            Publication::new(&Feed::seed()),
        )
        .expect("a listener has an address");
        // Building what is not built blocks for minutes, the first time.
        let hotline = tokio::task::spawn_blocking(programs::city_hotline)
            .await
            .expect("the components build");
        let (crm_at, feed_at) = (crm.address().to_string(), feed.address().to_string());
        let folder = Folder::copy_of(hotline, |text| {
            patient(text.replace(CRM_WRITTEN, &crm_at).replace(FEED_WRITTEN, &feed_at))
        });
        Self { crm, feed, folder }
    }
}

/// Gives all calls [`CALL_TIME`], in their steps and in what is granted to plugins.
fn patient(text: String) -> String {
    let time = format!("time: {}s", CALL_TIME.as_secs());
    ["time: 1s", "time: 2s", "time: 3s", "time: 4s"]
        .into_iter()
        .fold(text, |text, written| {
            text.replace(&format!("\n    {written}\n"), &format!("\n    {time}\n"))
                .replace(&format!("limits: {{ {written},"), &format!("limits: {{ {time},"))
        })
}
