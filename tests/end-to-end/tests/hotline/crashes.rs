//! kill -9 at random moments, with many contacts under way: whatever was acknowledged is there
//! after the restart, every contact goes on, and no plugin is asked again for an answer that
//! was recorded.
//!
//! `TRUNKLINE_CRASH_ROUNDS` says how often each store's server is killed; 10 times when it is
//! not set.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use end_to_end::{City, LOOK_EVERY, PATIENCE, Server, http};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{CLIENT_KEY, setup};

/// Callers who talk at the same time.
const CALLERS: u64 = 24;
/// Inputs after which a caller leaves.
const INPUTS_MAX: u32 = 12;
/// A server lives so many milliseconds at least, and up to so many more.
const LIFE_MS: (u64, u64) = (120, 900);

/// What the server has acknowledged.
#[derive(Default)]
struct Ledger {
    /// The inputs of each contact, by its id.
    inputs: BTreeMap<String, Vec<String>>,
    ended: u64,
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // xorshift64*, Vigna 2016.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// What all callers share.
#[derive(Clone)]
struct Floor {
    address: watch::Receiver<String>,
    closing: watch::Receiver<bool>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Floor {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request until it is answered by a server that lives: its status and JSON.
    async fn surely(&self, make: impl Fn(&str) -> reqwest::RequestBuilder) -> (u16, Value) {
        let patience = tokio::time::Instant::now() + PATIENCE * 2;
        loop {
            let address = self.address.borrow().clone();
            if let Ok(response) = make(&address).send().await {
                let status = response.status().as_u16();
                if status < 500
                    && let Ok(bytes) = response.bytes().await
                {
                    return (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null));
                }
            }
            assert!(
                tokio::time::Instant::now() < patience,
                "no server answers at {address}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// One caller after the other, until the floor closes.
    async fn call(self, mut dice: Dice, name: String) {
        for count in 0.. {
            if *self.closing.borrow() {
                return;
            }
            self.one_contact(&mut dice, &format!("{name}-contact-{count}"))
                .await;
        }
    }

    async fn one_contact(&self, dice: &mut Dice, name: &str) {
        let phone = format!("+86138001380{:02}", dice.roll(12));
        let request = json!({ "id": name, "number": "12345", "from": phone });
        let (status, begun) = self
            .surely(|server| {
                http()
                    .post(format!("{server}/api/v1/contacts"))
                    .bearer_auth(CLIENT_KEY)
                    .json(&request)
            })
            .await;
        assert_eq!(status, 201, "{begun}");
        let contact = begun["contact"].as_str().unwrap().to_owned();
        let token = begun["token"].as_str().unwrap().to_owned();
        self.ledger().inputs.entry(contact.clone()).or_default();
        let mut after = 0;
        for count in 0..=INPUTS_MAX {
            let leaves = count == INPUTS_MAX || *self.closing.borrow();
            let mut ask = Value::Null;
            while !leaves && ask.is_null() {
                let path = format!("/api/v1/contacts/{contact}/turns?after={after}&wait=2");
                let (status, body) = self
                    .surely(|server| http().get(format!("{server}{path}")).bearer_auth(&token))
                    .await;
                assert_eq!(status, 200, "{body}");
                for turn in body["turns"].as_array().unwrap() {
                    after = turn["seq"].as_u64().unwrap();
                    if turn["type"] == "ended" {
                        self.ledger().ended += 1;
                        return;
                    }
                    if turn["type"] == "ask" {
                        ask = turn.clone();
                    }
                }
                if *self.closing.borrow() {
                    break;
                }
            }
            let id = format!("{name}-input-{count}");
            let given = if leaves {
                json!({ "id": id, "hang_up": true })
            } else {
                given(&ask, dice, &id)
            };
            let path = format!("/api/v1/contacts/{contact}/inputs");
            let (status, body) = self
                .surely(|server| {
                    http()
                        .post(format!("{server}{path}"))
                        .bearer_auth(&token)
                        .json(&given)
                })
                .await;
            match status {
                202 => self.ledger().inputs.entry(contact.clone()).or_default().push(id),
                // The contact had moved on by itself.
                409 => {}
                _ => panic!("{given} was answered {status}: {body}"),
            }
            if leaves {
                return;
            }
        }
    }
}

/// An input for a question: a key that counts, or words.
fn given(ask: &Value, dice: &mut Dice, id: &str) -> Value {
    let keys: Vec<char> = "0123456789".chars().collect();
    let words = [
        "西湖",
        "疫苗",
        "你们太过分了",
        "公积金",
        "我很着急",
        "是",
        "没有了",
        "随便说说",
    ];
    if ask["text"] == true && dice.roll(2) == 0 {
        json!({ "id": id, "text": words[dice.roll(words.len() as u64) as usize] })
    } else {
        json!({ "id": id, "keys": keys[dice.roll(keys.len() as u64) as usize].to_string() })
    }
}

fn rounds() -> u32 {
    std::env::var("TRUNKLINE_CRASH_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(10)
}

fn seed() -> u64 {
    // Another one each time; the failing one is printed, and can be given.
    std::env::var("TRUNKLINE_CRASH_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| {
            use std::hash::{BuildHasher, RandomState};
            RandomState::new().hash_one("crashes") | 1
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_fjall() {
    crash("fjall").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_sled() {
    crash("sled").await;
}

#[expect(
    clippy::print_stdout,
    reason = "the harness shows the seed when the test fails, and --nocapture what was tried"
)]
async fn crash(store: &str) {
    let seed = seed();
    println!("TRUNKLINE_CRASH_SEED={seed} store={store}");
    let mut dice = Dice(seed);
    let city = City::open().await;
    let mut server = setup(&city).store(store).start().await;
    let (address, at) = watch::channel(server.url());
    let (closing, closes) = watch::channel(false);
    let floor = Floor {
        address: at,
        closing: closes,
        ledger: Arc::default(),
    };
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let dice = Dice(seed.wrapping_add(caller * 2 + 2) | 1);
            tokio::spawn(floor.clone().call(dice, format!("caller-{seed:x}-{caller}")))
        })
        .collect();
    for _ in 0..rounds() {
        tokio::time::sleep(Duration::from_millis(LIFE_MS.0 + dice.roll(LIFE_MS.1))).await;
        server = server.kill().start().await;
        address.send_replace(server.url());
    }
    tokio::time::sleep(Duration::from_millis(LIFE_MS.1)).await;
    closing.send_replace(true);
    for caller in callers {
        caller.await.expect("every caller comes to an end");
    }
    server = server.kill().start().await;
    let (contacts, inputs) = verify(&server, &city, &floor).await;
    println!(
        "{store}: {} kills, {contacts} contacts, {inputs} inputs acknowledged, none lost",
        rounds() + 1
    );
}

/// Looks at every contact that was acknowledged: how many there are, and how many of their
/// inputs were.
async fn verify(server: &Server, city: &City, floor: &Floor) -> (usize, usize) {
    let inputs = floor.ledger().inputs.clone();
    let ended = floor.ledger().ended;
    assert!(
        !inputs.is_empty() && ended > 0,
        "the callers did not get anywhere"
    );
    let asked = city.crm.requests_by_key();
    let mut acknowledged = 0;
    for (contact, inputs) in &inputs {
        let events = journal(server, contact).await;
        for (seq, event) in (1..).zip(&events) {
            assert_eq!(event["seq"], json!(seq), "contact {contact} has a gap");
        }
        let mut recorded: Vec<&str> = Vec::new();
        let mut requested: BTreeMap<&str, u64> = BTreeMap::new();
        let mut answered: BTreeMap<&str, u64> = BTreeMap::new();
        for event in &events {
            let fact = &event["fact"];
            recorded.extend(fact["heard"]["input"].as_str());
            recorded.extend(fact["hung-up"]["input"].as_str());
            if let Some(call) = fact["call-requested"]["call"].as_str() {
                assert!(
                    !answered.contains_key(call),
                    "{call} was requested again after its answer"
                );
                *requested.entry(call).or_default() += 1;
            }
            if let Some(call) = fact["call-answered"]["call"].as_str() {
                *answered.entry(call).or_default() += 1;
            }
        }
        for input in inputs {
            acknowledged += 1;
            assert_eq!(
                recorded.iter().filter(|recorded| *recorded == input).count(),
                1,
                "input {input} of contact {contact} was acknowledged"
            );
        }
        assert!(
            answered.values().all(|count| *count == 1),
            "{contact}: {answered:?}"
        );
        for (call, requests) in requested {
            let asked = asked.get(call).copied().unwrap_or(0);
            assert!(
                asked <= requests,
                "{call} was asked {asked} times for {requests} requests"
            );
        }
        let state = server.contact(contact).await;
        assert_ne!(state["state"], "stranded", "{state}");
    }
    assert!(acknowledged > 0, "nothing was acknowledged");
    (inputs.len(), acknowledged)
}

async fn journal(server: &Server, contact: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let after = events.len();
        let (status, body) = server
            .asked(&format!(
                "/api/v1/contacts/{contact}/events?after={after}&limit=1000"
            ))
            .await;
        assert_eq!(
            status, 200,
            "contact {contact} was acknowledged and is not there: {body}"
        );
        events.extend(body["events"].as_array().unwrap().iter().cloned());
        if body["next"].is_null() {
            return events;
        }
    }
}
