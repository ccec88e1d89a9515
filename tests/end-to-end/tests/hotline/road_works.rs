//! A plugin written in TypeScript, in a hotline of its own: it is shown, checked against and
//! called like any other, and asks a real service.

use city_services::{
    Conduct, Failure, Service,
    feed::Publication,
    loopback,
    roads::{self, Kind, Roads},
};
use end_to_end::{Caller, Folder, Setup, programs};

use crate::commands::{err, out, trunkline};

/// The address that the hotline names.
const ROADS_WRITTEN: &str = "127.0.0.1:7003";

/// The line of the traffic police, its feed, and what is published in it.
struct Line {
    folder: Folder,
    feed: Service,
    publication: Publication,
}

impl Line {
    async fn open() -> Self {
        let publication = Publication::new(&in_force());
        let feed = roads::serve(loopback().await.unwrap(), publication.clone()).unwrap();
        let at = feed.address().to_string();
        let hotline = programs::root().join("tests/end-to-end/hotlines/road-line");
        let folder = Folder::copy_of(&hotline, |text| text.replace(ROADS_WRITTEN, &at));
        // Building what is not built blocks for minutes, the first time.
        let component = tokio::task::spawn_blocking(|| programs::component("road_works.wasm"))
            .await
            .unwrap();
        folder.write("plugins/road_works.wasm", std::fs::read(component).unwrap());
        Self {
            folder,
            feed,
            publication,
        }
    }

    fn setup(&self) -> Setup {
        Setup::new(self.folder.path(), self.folder.beside("server"))
    }
}

/// The demo's works, in force whatever the day.
fn in_force() -> Roads {
    let mut roads = Roads::seed();
    for work in &mut roads.works {
        work.begins = "2020-01-01".to_owned();
        work.ends = None;
    }
    roads
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_of_typescript_is_shown_with_its_comments_and_wants_what_it_uses() {
    let component = tokio::task::spawn_blocking(|| programs::component("road_works.wasm"))
        .await
        .unwrap();
    let shown = trunkline(&["plugin", "inspect", &component.display().to_string()]).await;
    let text = out(&shown);
    assert_eq!(shown.status.code(), Some(0), "{text}{}", err(&shown));
    for part in [
        "works.latest(district: string) -> notice or unknown-district | no-notice | unreachable(string)",
        "works.changes() -> list<change> or refused(string)",
        "closures before restrictions before works",
        "kv: true",
        "http:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // What made the component leaves nothing of its own in the interface.
    assert!(!text.contains("init("), "{text}");
    assert!(!text.contains("secrets"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hotline_checks_and_its_scenarios_pass() {
    let line = Line::open().await;
    let folder = line.folder.path().display().to_string();
    let checked = trunkline(&["check", &folder]).await;
    assert!(
        out(&checked).contains("loads: 0 errors, 0 warnings"),
        "{}",
        out(&checked)
    );
    let played = trunkline(&["test", &folder]).await;
    assert_eq!(played.status.code(), Some(0), "{}", out(&played));
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_hear_of_their_district_in_their_language() {
    let line = Line::open().await;
    let server = line.setup().start().await;

    let mut chinese = Caller::dial(&server, "12122").await;
    chinese.hears("which-district").await;
    chinese.says("西湖区").await;
    let told = chinese.hears("closed").await;
    assert!(told.contains("西湖区：天目山路封闭。"), "{told}");
    assert!(chinese.hears("more").await.contains('2'));
    chinese.hears("which-district").await;
    chinese.says("浦东").await;
    chinese.hears("unknown-district").await;

    let mut english = Caller::dial(&server, "057100002122").await;
    english.hears("which-district").await;
    english.says("binjiang").await;
    // A closure of the whole city comes before the restriction of the district.
    let told = english.hears("closed").await;
    assert!(
        told.starts_with("Binjiang District: Huancheng Road North is closed."),
        "{told}"
    );
    // The copy that the first call kept served all of them.
    assert_eq!(line.feed.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_fails_takes_the_flows_way_and_an_old_copy_says_so() {
    let line = Line::open().await;
    line.folder
        .replace("hotline.yaml", "refresh-s: \"60\"", "refresh-s: \"0\"");
    let server = line.setup().start().await;
    for failure in [Failure::Status(503), Failure::HangUp, Failure::Garbled] {
        line.feed.behave(Conduct {
            failure: Some(failure),
            ..Conduct::default()
        });
        let mut caller = Caller::dial(&server, "12122").await;
        caller.hears("which-district").await;
        caller.says("xihu").await;
        caller.hears("feed-down").await;
        assert_eq!(caller.ends().await, "unserved", "{failure:?}");
    }
    line.feed.behave(Conduct::default());
    let mut caller = Caller::dial(&server, "12122").await;
    caller.hears("which-district").await;
    caller.says("xihu").await;
    caller.hears("closed").await;
    line.feed.behave(Conduct {
        failure: Some(Failure::HangUp),
        ..Conduct::default()
    });
    caller.hears("which-district").await;
    caller.says("xihu").await;
    caller.hears("closed").await;
    caller.hears("stale").await;
    let (_, plugins) = server.asked("/api/v1/plugins").await;
    // Every failure of the feed was an answer of the plugin's.
    assert_eq!(plugins["plugins"][0]["refusals"], 3, "{plugins}");
    let faults = plugins["plugins"][0]["faults"].as_object().unwrap();
    assert!(faults.values().all(|count| count == 0), "{plugins}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_once() {
    let line = Line::open().await;
    let server = line.setup().start().await;
    let mut caller = Caller::dial(&server, "057100002122").await;
    caller.hears("which-district").await;
    let mut changes = async || {
        caller.says("changes").await;
        caller.hears("tell-changes").await
    };
    assert_eq!(changes().await, "There are 0 changes.");
    let mut roads = in_force();
    roads.works.remove(0);
    roads.works[0].kind = Kind::Restriction;
    line.publication.publish(&roads);
    assert_eq!(changes().await, "There are 2 changes.");
    assert_eq!(changes().await, "There are 0 changes.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_no_grant_covers_is_told_as_such() {
    let line = Line::open().await;
    line.folder.replace("grants.yaml", "/v1/road-works", "/v1/other");
    let server = line.setup().start().await;
    let mut caller = Caller::dial(&server, "057100002122").await;
    caller.hears("which-district").await;
    caller.says("xihu").await;
    caller.hears("feed-down").await;
    // The operator's log has the plugin's own words, and the host's.
    let log = server.log();
    for part in [
        "grant it under `http:` of this plugin in grants.yaml",
        "denied a request",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert_eq!(line.feed.requests(), 0);
}
