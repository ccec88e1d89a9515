//! Notices of a commission, told to those who asked for them, by a real component and a real server
//! that is killed in between: each is told each notice once. And a sensor's events, signed as its
//! gateway signs them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    process::Command,
    time::Duration,
};

use city_services::{
    Conduct, Failure, Service,
    feed::{self, District, Feed, Notice, Publication, Texts},
    loopback,
};
use end_to_end::{Folder, LOOK_EVERY, Server, Setup, answer, eventually, http, programs};
use serde_json::{Value, json};

use crate::commands::{err, out, trunkline};

/// The port that the hotline names.
const FEED_WRITTEN: &str = "127.0.0.1:7002";

/// A commission with a feed, and the hotline that reads it every second.
struct Commission {
    publication: Publication,
    feed: Service,
    folder: Folder,
    notices: Vec<Notice>,
}

impl Commission {
    async fn open() -> Self {
        let publication = Publication::new(&Feed::default());
        let feed = feed::serve(loopback().await.unwrap(), publication.clone()).unwrap();
        // What builds the city's components builds this one's.
        let city = tokio::task::spawn_blocking(programs::city_hotline).await.unwrap();
        let at = feed.address().to_string();
        let hotline = city.parent().unwrap().join("health-notices");
        let folder = Folder::copy_of(&hotline, |text| text.replace(FEED_WRITTEN, &at));
        for (from, to) in [
            ("every: 5m", "every: 1s"),
            ("rate: 60 per minute", "rate: 30 per second"),
            // Tests run at any hour.
            ("calling-window: calling-hours", "calling-window: always"),
            ("checks: [cn-12345]", ""),
            ("subscribers-url:", "refresh-s: \"0\"\n      subscribers-url:"),
        ] {
            folder.replace("hotline.yaml", from, to);
        }
        Self {
            publication,
            feed,
            folder,
            notices: Vec::new(),
        }
    }

    fn setup(&self) -> Setup {
        Setup::new(self.folder.path(), self.folder.beside("server"))
    }

    /// Publishes one more notice.
    fn publish(&mut self, id: &str, districts: &[&str]) {
        let texts = |text: &str| Texts::from([("zh-CN".to_owned(), text.to_owned())]);
        self.notices.push(Notice {
            id: id.to_owned(),
            districts: districts.iter().map(|&district| district.to_owned()).collect(),
            issued: "2026-11-20".to_owned(),
            title: texts(id),
            text: texts("请注意。"),
            topics: Vec::new(),
        });
        self.publication.publish(&Feed {
            districts: ["xihu", "gongshu"]
                .map(|id| District {
                    id: id.to_owned(),
                    names: texts(id),
                })
                .to_vec(),
            notices: self.notices.clone(),
        });
    }
}

async fn feed_of(server: &Server) -> Value {
    let (status, listed) = server.asked("/api/v1/feeds").await;
    assert_eq!(status, 200, "{listed}");
    listed["feeds"][0].clone()
}

/// Who was told what, how often, in contacts that are over; and how many are not.
async fn told(server: &Server) -> (BTreeMap<(String, String), usize>, usize) {
    let (mut told, mut under_way) = (BTreeMap::new(), 0);
    let (_, listed) = server.asked("/api/v1/contacts?state=all&limit=1000").await;
    for contact in listed["contacts"].as_array().unwrap() {
        assert_eq!(contact["channel"], "outbound", "{contact}");
        if contact["state"] != "ended" {
            under_way += 1;
            continue;
        }
        let id = contact["contact"].as_str().unwrap();
        let (_, page) = server
            .asked(&format!("/api/v1/contacts/{id}/events?personal=true"))
            .await;
        let events = page["events"].as_array().unwrap();
        let personal = |kind: &str| {
            events
                .iter()
                .find_map(|event| event["personal"].get(kind))
                .unwrap_or_else(|| panic!("{kind} of {page}"))
        };
        let person = personal("caller")["caller"].as_str().unwrap().to_owned();
        let given = personal("variables").to_string();
        let id = given
            .split('"')
            .find(|part| part.starts_with("n-"))
            .unwrap()
            .to_owned();
        let sent = events
            .iter()
            .filter(|event| event["fact"]["step-finished"]["step"] == "tell")
            .count();
        assert_eq!(sent, 1, "{page}");
        *told.entry((person, id)).or_default() += 1;
    }
    (told, under_way)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_subscriber_is_told_each_notice_once_whatever_kills_the_server() {
    const PEOPLE: usize = 12;
    let mut commission = Commission::open().await;
    let people: Vec<String> = (0..PEOPLE)
        .map(|number| format!("+86138001380{number:02}"))
        .collect();
    for (index, phone) in people.iter().enumerate() {
        let districts: &[&str] = if index % 2 == 0 {
            &["xihu"]
        } else {
            &["xihu", "gongshu"]
        };
        commission.publication.subscribe(phone, districts);
    }
    let mut expected = BTreeSet::new();
    let mut server = commission.setup().start().await;
    for round in 0..6_u64 {
        let id = format!("n-{round}");
        let districts: &[&str] = if round % 2 == 0 { &["xihu"] } else { &["gongshu"] };
        commission.publish(&id, districts);
        let concerned = people
            .iter()
            .enumerate()
            .filter(|(index, _)| round % 2 == 0 || index % 2 == 1);
        expected.extend(concerned.map(|(_, phone)| (phone.clone(), id.clone())));
        // Long enough to be in the middle of a run, of asking whom it concerns, or of telling them.
        tokio::time::sleep(Duration::from_millis(300 + 230 * round)).await;
        server = server.kill().start().await;
    }
    eventually("all are told", async || {
        let (told, under_way) = told(&server).await;
        under_way == 0 && told.len() >= expected.len()
    })
    .await;
    // Two more runs must find nothing new.
    let run = feed_of(&server).await["last"]["run"].as_u64().unwrap();
    eventually("two more runs that went well", async || {
        let feed = feed_of(&server).await;
        let last = &feed["last"];
        last["run"].as_u64() >= Some(run + 2) && last["outcome"] == "ok" && feed["starts"]["waiting"] == 0
    })
    .await;
    let (told, under_way) = told(&server).await;
    assert_eq!(under_way, 0);
    assert!(told.values().all(|count| *count == 1), "{told:?}");
    assert_eq!(told.into_keys().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_down_is_seen_and_comes_back() {
    let mut commission = Commission::open().await;
    commission.publication.subscribe("+8613800138000", &["xihu"]);
    commission.feed.behave(Conduct {
        failure: Some(Failure::Status(503)),
        ..Conduct::default()
    });
    let server = commission.setup().start().await;
    eventually("the failure is seen", async || {
        feed_of(&server).await["last"]["outcome"] == "refused"
    })
    .await;
    let seen = feed_of(&server).await;
    assert!(
        seen["last"]["message"].as_str().unwrap().contains("503"),
        "{seen}"
    );
    commission.feed.behave(Conduct::default());
    commission.publish("n-1", &["xihu"]);
    // An operator need not wait for the next run.
    let asked = http().post(format!("{}/api/v1/feeds/notices/run", server.url()));
    assert_eq!(answer(asked).await.0, 202);
    eventually("the subscriber is told", async || {
        told(&server).await.0.len() == 1
    })
    .await;
    let (status, kept) = server.asked("/api/v1/plugins/health/kv?prefix=copy").await;
    assert_eq!(status, 200);
    assert!(
        kept["values"][0]["text"].as_str().unwrap().contains("n-1"),
        "{kept}"
    );
    let inspected = trunkline(&["plugin", "inspect", "--server", &server.url(), "health"]).await;
    let text = out(&inspected);
    assert_eq!(inspected.status.code(), Some(0), "{text}{}", err(&inspected));
    for part in ["health of ", "functions", "answered", "keeps", "copy-1"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let unknown = trunkline(&["plugin", "inspect", "--server", &server.url(), "helth"]).await;
    assert_eq!(unknown.status.code(), Some(4));
    assert!(err(&unknown).contains("it has health"), "{}", err(&unknown));
    tokio::time::sleep(LOOK_EVERY).await;
}

const ALARMS: [(&str, &str); 3] = [
    (
        "hotline.yaml",
        "hotline: alarms
languages: [en]
time-zone: Asia/Shanghai
numbers: { \"12320\": { flow: answer } }
webhooks: { sensor: { secret: sensor-key, key: id } }
",
    ),
    (
        "flows/answer.yaml",
        "flow: answer
start: hello
steps:
  hello: { say: { en: Hello }, next: done }
  done: { end: completed }
",
    ),
    (
        "flows/alarm.yaml",
        "flow: alarm
starts-on: webhook.sensor
inputs: { id: string, degrees: decimal }
start: look
steps:
  look: { choose: [{ when: \"${degrees > 8}\", next: warm }, { else: cold }] }
  warm: { end: too-warm }
  cold: { end: completed }
",
    ),
];

/// Signs a body now, as the guide has it.
fn signature(body: &str, key: &str) -> String {
    let script = r#"t=$(date +%s)
        v1=$(printf '%s.%s' "$t" "$1" | openssl dgst -sha256 -hmac "$2" -r | cut -d' ' -f1)
        printf 't=%s,v1=%s' "$t" "$v1""#;
    let signed = Command::new("sh").args(["-c", script, "sh", body, key]).output();
    String::from_utf8(signed.unwrap().stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_event_begins_a_contact_once() {
    const KEY: &str = "a-key-of-the-sensor";
    let folder = Folder::empty();
    for (file, text) in ALARMS {
        folder.write(file, text);
    }
    let secrets = folder.beside("secrets.toml");
    fs::write(&secrets, format!("sensor-key = \"{KEY}\"\n")).unwrap();
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
    let setup = Setup::new(folder.path(), folder.beside("server")).secrets(&secrets);
    let server = setup.start().await;
    let send = async |server: &Server, body: &str, key: &str| {
        let event = http()
            .post(format!("{}/api/v1/hooks/sensor", server.url()))
            .header("trunkline-signature", signature(body, key))
            .body(body.to_owned());
        answer(event).await
    };
    let warm = json!({ "id": "s-1", "degrees": 9.5 }).to_string();
    let (status, taken) = send(&server, &warm, KEY).await;
    assert_eq!(
        (status.as_u16(), &taken["again"]),
        (202, &json!(false)),
        "{taken}"
    );
    let (status, refused) = send(&server, &warm, "another key").await;
    assert_eq!((status.as_u16(), &refused["code"]), (401, &json!("unauthorized")));
    let (status, refused) = send(&server, &json!({ "id": "s-2" }).to_string(), KEY).await;
    assert_eq!((status.as_u16(), &refused["code"]), (422, &json!("bad-event")));
    // It is durable: the next server begins what this one did not, and knows the event.
    let server = server.kill().start().await;
    let (status, again) = send(&server, &warm, KEY).await;
    assert_eq!((status.as_u16(), &again["again"]), (202, &json!(true)), "{again}");
    assert_eq!(again["event"], taken["event"]);
    let contacts = async || {
        let (_, listed) = server.asked("/api/v1/contacts?state=all").await;
        listed["contacts"].as_array().unwrap().clone()
    };
    eventually("the contact is over", async || {
        contacts().await.iter().any(|contact| contact["state"] == "ended")
    })
    .await;
    let contacts = contacts().await;
    let [contact] = contacts.as_slice() else {
        panic!("{contacts:?}")
    };
    assert_eq!(contact["number"], "webhook.sensor", "{contact}");
    assert_eq!(contact["outcome"], "too-warm", "{contact}");
    let (_, listed) = server.asked("/api/v1/feeds").await;
    let starts = &listed["webhooks"][0]["starts"];
    assert_eq!(
        (&starts["started"], &starts["waiting"]),
        (&json!(1), &json!(0)),
        "{listed}"
    );
}
