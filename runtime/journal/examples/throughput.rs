//! How many durable events a second a store takes, bare and through the journal.
//!
//! ```text
//! cargo run --release -p trunkline-journal --example throughput -- fjall:/tmp/throughput 1000 5
//! ```
//!
//! The arguments are the store, how many tasks write at once, and for how many seconds. Bare, a
//! task appends opaque frames of the size that its events have as frames.

#![expect(clippy::print_stdout, reason = "the measurement is what this prints")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails says so and stops")]

use std::{env, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};
use trunkline_engine::{Event, Fact, Personal};
use trunkline_journal::{Append, Journal, MasterKey, Memory, Standing, Store, Version, open};
use trunkline_model::{ContactId, Timestamp};

/// Events with which the codec alone is measured, and how many of them a contact has.
const CODEC_EVENTS: u32 = 200_000;
const CODEC_EVENTS_PER_CONTACT: u32 = 100;

fn event() -> Event {
    Event {
        at: Timestamp::from_millis(1_795_000_000_000),
        fact: Fact::Said {
            prompt: Some("what-happened".into()),
            language: "zh-CN".into(),
            notice: None,
        },
        personal: Some(Personal::Text(
            "您好，请问您遇到了什么问题？请用一句话说明。".into(),
        )),
    }
}

/// A contact of its own for each task of each run.
fn contact() -> ContactId {
    let mut random = [0; 10];
    getrandom::fill(&mut random).unwrap();
    ContactId::generate(Timestamp::from_millis(1_795_000_000_000), random)
}

fn journal(store: Arc<dyn Store>) -> Journal {
    Journal::new(store, MasterKey::from_bytes(&[7; 32]))
}

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    let store = arguments.next().unwrap_or_else(|| "memory:".to_owned());
    let tasks = arguments.next().map_or(1_000, |tasks| tasks.parse().unwrap());
    let seconds = arguments.next().map_or(5, |seconds| seconds.parse().unwrap());
    let time = Duration::from_secs(seconds);

    println!(
        "an event through the journal into memory: {:.2} µs",
        codec_micros().await
    );
    let store = open(&store.parse().unwrap()).unwrap();
    let frame = frame(&store).await;
    println!("{}, {tasks} tasks, frames of {} bytes", store.kind(), frame.len());
    // Twice each, so that neither has the cold start alone.
    for _ in 0..2 {
        let mut writers = JoinSet::new();
        for _ in 0..tasks {
            writers.spawn(write_bare(
                Arc::clone(&store),
                frame.clone(),
                Instant::now() + time,
            ));
        }
        let bare = report("bare", writers, time).await;
        let mut writers = JoinSet::new();
        for _ in 0..tasks {
            writers.spawn(write_events(journal(Arc::clone(&store)), Instant::now() + time));
        }
        let through = report("journal", writers, time).await;
        println!("journal / bare: {:.2}", through / bare);
    }
}

/// A frame as the journal writes it.
async fn frame(store: &Arc<dyn Store>) -> Vec<u8> {
    let contact = contact();
    journal(Arc::clone(store))
        .begin(&contact, &[event()])
        .await
        .unwrap();
    let mut frames = store.read(&contact, Version::NONE, 1).await.unwrap();
    frames.remove(0).bytes
}

/// Wall time of one task alone, whose store does nothing but keep: what the codec costs, and a
/// little more.
async fn codec_micros() -> f64 {
    let journal = journal(Arc::new(Memory::new()));
    let events = [event()];
    let begun = Instant::now();
    for _ in 0..CODEC_EVENTS / CODEC_EVENTS_PER_CONTACT {
        let mut head = journal.begin(&contact(), &events).await.unwrap();
        for _ in 1..CODEC_EVENTS_PER_CONTACT {
            journal.append(&mut head, &events).await.unwrap();
        }
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(CODEC_EVENTS)
}

async fn write_bare(store: Arc<dyn Store>, frame: Vec<u8>, until: Instant) -> Vec<Duration> {
    let stream = contact();
    let mut version = Version::NONE;
    let mut waits = Vec::new();
    loop {
        let begun = Instant::now();
        if begun >= until {
            return waits;
        }
        let append = Append {
            stream: &stream,
            expected: version,
            frames: vec![frame.clone()],
            standing: Standing::Open,
            key: None,
        };
        version = store.append(append).await.unwrap();
        waits.push(begun.elapsed());
    }
}

async fn write_events(journal: Journal, until: Instant) -> Vec<Duration> {
    let mut head = None;
    let mut waits = Vec::new();
    loop {
        let begun = Instant::now();
        if begun >= until {
            return waits;
        }
        let events = [event()];
        match &mut head {
            None => head = Some(journal.begin(&contact(), &events).await.unwrap()),
            Some(head) => journal.append(head, &events).await.unwrap(),
        }
        waits.push(begun.elapsed());
    }
}

/// Waits for all writers, prints what they measured and gives the events a second.
async fn report(name: &str, writers: JoinSet<Vec<Duration>>, time: Duration) -> f64 {
    let mut waits = writers.join_all().await.concat();
    waits.sort_unstable();
    let rate = waits.len() as f64 / time.as_secs_f64();
    let millis = |part: usize| {
        let wait = waits.get(waits.len() * part / 1_000).copied().unwrap_or_default();
        wait.as_secs_f64() * 1e3
    };
    println!(
        "{name:>8}: {rate:>9.0} events/s, p50 {:.2} ms, p99 {:.2} ms, longest {:.0} ms",
        millis(500),
        millis(990),
        waits.last().copied().unwrap_or_default().as_secs_f64() * 1e3
    );
    rate
}
