//! How many durable events a second a store takes, bare and through the journal.
//!
//! ```text
//! cargo run --release -p trunkline-journal --example throughput -- fjall:/tmp/throughput 1000 9
//! ```
//!
//! The arguments are the store, how many tasks write at once, and how many rounds there are. In
//! each round all tasks write for a second bare and for a second through the journal, in turn, so
//! that what else the machine does weighs on both; the ratio is the median of the rounds. Bare, a
//! task appends opaque frames of the size that its events have as frames.

#![expect(clippy::print_stdout, reason = "the measurement is what this prints")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails says so and stops")]

use std::{env, fs, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};
use trunkline_engine::{Event, Fact, Personal};
use trunkline_journal::{Append, Journal, MasterKey, Memory, Standing, Store, Version, open};
use trunkline_model::{ContactId, Timestamp};

/// Events with which the codec alone is measured, and how many of them a contact has.
const CODEC_EVENTS: u32 = 200_000;
const CODEC_EVENTS_PER_CONTACT: u32 = 100;

/// How long all tasks write before the other side has its turn.
const ROUND: Duration = Duration::from_secs(1);

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
    let rounds: usize = arguments.next().map_or(9, |rounds| rounds.parse().unwrap());

    println!(
        "an event through the journal into memory: {:.2} µs of processor time",
        codec_micros().await
    );
    let store = open(&store.parse().unwrap()).unwrap();
    let frame = frame(&store).await;
    println!("{}, {tasks} tasks, frames of {} bytes", store.kind(), frame.len());
    let mut bare = Vec::new();
    let mut journaled = Vec::new();
    for _ in 0..rounds {
        let mut writers = JoinSet::new();
        for _ in 0..tasks {
            writers.spawn(write_bare(
                Arc::clone(&store),
                frame.clone(),
                Instant::now() + ROUND,
            ));
        }
        bare.push(writers.join_all().await.concat());
        let mut writers = JoinSet::new();
        for _ in 0..tasks {
            writers.spawn(write_events(journal(Arc::clone(&store)), Instant::now() + ROUND));
        }
        journaled.push(writers.join_all().await.concat());
    }
    let ratios = bare
        .iter()
        .zip(&journaled)
        .map(|(bare, journaled)| journaled.len() as f64 / bare.len() as f64)
        .collect();
    report("bare", bare);
    report("journal", journaled);
    println!("journal / bare: {:.2}", median(ratios));
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

/// What an event costs one task whose store does nothing but keep: the codec, and a little more.
async fn codec_micros() -> f64 {
    let journal = journal(Arc::new(Memory::new()));
    let events = [event()];
    let begun = processor_time();
    for _ in 0..CODEC_EVENTS / CODEC_EVENTS_PER_CONTACT {
        let mut head = journal.begin(&contact(), &events).await.unwrap();
        for _ in 1..CODEC_EVENTS_PER_CONTACT {
            journal.append(&mut head, &events).await.unwrap();
        }
    }
    (processor_time() - begun).as_secs_f64() * 1e6 / f64::from(CODEC_EVENTS)
}

/// How long this thread has been on a processor, as Linux counts it.
fn processor_time() -> Duration {
    let counted = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(counted.split(' ').next().unwrap().parse().unwrap())
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

/// Prints the median rate of the rounds, and the waits of all of them.
fn report(name: &str, rounds: Vec<Vec<Duration>>) {
    let rates = rounds
        .iter()
        .map(|waits| waits.len() as f64 / ROUND.as_secs_f64())
        .collect();
    let rate = median(rates);
    let mut waits = rounds.concat();
    waits.sort_unstable();
    let millis = |part: usize| {
        let wait = waits.get(waits.len() * part / 1_000).copied().unwrap_or_default();
        wait.as_secs_f64() * 1e3
    };
    println!(
        "{name:>8}: {rate:>9.0} events/s, p50 {:.2} ms, p99 {:.2} ms",
        millis(500),
        millis(990)
    );
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
