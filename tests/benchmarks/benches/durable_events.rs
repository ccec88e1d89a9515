//! Promise: with 1,000 contacts at once, durable events a second are at least half of what the
//! bare store does with the same committer; and the engine and the codec take at most 2 µs of
//! processor time for an event.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "benchmarks print, and measure by the clock"
)]

use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use benchmarks::{Throughput, hotline, measure};
use tokio::runtime::Runtime;
use trunkline_engine::{Arrival, Channel, Event, Input, Readings, Session, Utterance, arrive, decide};
use trunkline_flow::{Checked, Sources, check, parse};
use trunkline_journal::{Append, Journal, MasterKey, Standing, Store, StoreSpec, Version, open};
use trunkline_model::{ContactId, Digest, Timestamp};

/// How long each run lasts.
const RUN: Duration = Duration::from_secs(3);

fn main() -> anyhow::Result<()> {
    benchmarks::print_machine("durable-events");
    let sources = Sources {
        files: hotline::files(),
        ..Sources::default()
    };
    let report = check(&parse(&sources), &BTreeMap::new());
    let hotline = report
        .checked
        .unwrap_or_else(|| panic!("{:#?}", report.diagnostics));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;

    let per_input = processor_time_of_an_event(&hotline, &runtime)?;
    for kind in ["fjall", "sled"] {
        println!(
            "\n{kind}, {} events of {} bytes for each key pressed:",
            per_input.events, per_input.frame_bytes
        );
        for contacts in [1, 64, 1_000] {
            let bare = in_a_new_store(kind, |store| bare(&runtime, store, contacts, per_input))?;
            let journal = in_a_new_store(kind, |store| {
                contacts_at_work(&runtime, store, &hotline, contacts)
            })?;
            println!(
                "  {contacts:5} contacts: bare store {:8.0} events a second, Trunkline {:8.0}: {:.2} of it (promised >= 0.5 at 1,000)",
                bare.per_second(),
                journal.per_second(),
                journal.per_second() / bare.per_second(),
            );
        }
    }
    Ok(())
}

/// What one key pressed makes.
#[derive(Clone, Copy)]
struct PerInput {
    events: usize,
    frame_bytes: usize,
}

/// Measures deciding and encoding on one thread, against a store that does nothing durable.
fn processor_time_of_an_event(hotline: &Checked, runtime: &Runtime) -> anyhow::Result<PerInput> {
    const INPUTS: i64 = 2_000;
    const CONTACTS: i64 = 50;
    let begin = || begin(hotline);
    let mut events = 0;
    let deciding = measure(|| {
        for _ in 0..CONTACTS {
            let (mut session, _) = begin();
            for index in 0..INPUTS {
                let decision = decide(
                    hotline,
                    &session,
                    &press(index),
                    session.last,
                    &Readings::default(),
                );
                events += decision.events.len() as u64;
                session = black_box(decision.session);
            }
        }
        events
    });
    let store = open(&StoreSpec::Memory)?;
    let journal = Journal::new(store.clone(), MasterKey::random()?);
    // The same events again and again; what is timed is encoding, sealing and chaining them.
    let (session, _) = begin();
    let batch = decide(hotline, &session, &press(0), session.last, &Readings::default()).events;
    let mut ids = 0;
    let mut append_all = |events: &[Event], with_journal: bool| {
        measure(|| {
            for _ in 0..CONTACTS {
                ids += 1;
                let contact = ContactId::generate(Timestamp::from_millis(ids), [1; 10]);
                if with_journal {
                    let mut head = runtime
                        .block_on(journal.begin(&contact, events))
                        .expect("a new contact");
                    for _ in 1..INPUTS {
                        runtime
                            .block_on(journal.append(&mut head, events))
                            .expect("memory takes it");
                    }
                } else {
                    runtime.block_on(append_bare(&*store, &contact, events.len(), 300, INPUTS));
                }
            }
            (CONTACTS * INPUTS) as u64 * events.len() as u64
        })
    };
    let bare = append_all(&batch, false);
    let encoded = append_all(&batch, true);
    let contact = ContactId::generate(Timestamp::from_millis(ids), [1; 10]);
    let frames = runtime.block_on(store.read(&contact, Version::NONE, batch.len()))?;
    let frame_bytes = frames.iter().map(|frame| frame.bytes.len()).sum::<usize>() / frames.len().max(1);
    let (deciding, encoding) = (
        deciding.processor_micros(),
        encoded.processor_micros() - bare.processor_micros(),
    );
    println!(
        "Processor time of an event: deciding {deciding:.2} µs, codec {encoding:.2} µs, together {:.2} µs (promised <= 2)",
        deciding + encoding
    );
    Ok(PerInput {
        events: batch.len(),
        frame_bytes,
    })
}

/// Appends frames of the same number and size to a store as fast as it acknowledges them.
fn bare(runtime: &Runtime, store: Arc<dyn Store>, contacts: u64, per_input: PerInput) -> Throughput {
    at_once(runtime, contacts, move |contact, end, count| {
        let store = store.clone();
        async move {
            let mut version = Version::NONE;
            while Instant::now() < end {
                let frames = vec![vec![0x5a; per_input.frame_bytes]; per_input.events];
                let append = Append {
                    stream: &contact,
                    expected: version,
                    frames,
                    standing: Standing::Open,
                    key: None,
                };
                version = store.append(append).await.expect("the store takes it");
                count.fetch_add(per_input.events as u64, Ordering::Relaxed);
            }
        }
    })
}

/// Presses keys in contacts as fast as what they do is durable.
fn contacts_at_work(
    runtime: &Runtime,
    store: Arc<dyn Store>,
    hotline: &Checked,
    contacts: u64,
) -> Throughput {
    let journal = Journal::new(store, MasterKey::random().expect("the system gives random bytes"));
    let hotline = hotline.clone();
    at_once(runtime, contacts, move |contact, end, count| {
        let (journal, hotline) = (journal.clone(), hotline.clone());
        async move {
            let (mut session, events) = begin(&hotline);
            let mut head = journal.begin(&contact, &events).await.expect("a new contact");
            let mut index = 0;
            while Instant::now() < end {
                index += 1;
                // A contact may have so many events and no more; another one takes its place.
                if session.has_ended() {
                    let (next, events) = begin(&hotline);
                    let family = *contact
                        .as_str()
                        .as_bytes()
                        .first_chunk()
                        .expect("an id has 26 characters");
                    let contact = ContactId::generate(Timestamp::from_millis(index), family);
                    head = journal.begin(&contact, &events).await.expect("a new contact");
                    session = next;
                }
                let decision = decide(
                    &hotline,
                    &session,
                    &press(index),
                    session.last,
                    &Readings::default(),
                );
                journal
                    .append(&mut head, &decision.events)
                    .await
                    .expect("the journal takes it");
                count.fetch_add(decision.events.len() as u64, Ordering::Relaxed);
                session = decision.session;
            }
        }
    })
}

/// Runs one task for each contact until the time is over.
fn at_once<F>(
    runtime: &Runtime,
    contacts: u64,
    work: impl Fn(ContactId, Instant, Arc<AtomicU64>) -> F,
) -> Throughput
where
    F: Future<Output = ()> + Send + 'static,
{
    let count = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + RUN;
    measure(|| {
        let tasks: Vec<_> = (0..contacts)
            .map(|index| {
                let contact = ContactId::generate(Timestamp::from_millis(index as i64), [2; 10]);
                runtime.spawn(work(contact, end, count.clone()))
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).expect("no contact panics");
        }
        count.load(Ordering::Relaxed)
    })
}

async fn append_bare(store: &dyn Store, contact: &ContactId, frames: usize, bytes: usize, times: i64) {
    let mut version = Version::NONE;
    for _ in 0..times {
        let frames = vec![vec![0x5a; bytes]; frames];
        let append = Append {
            stream: contact,
            expected: version,
            frames,
            standing: Standing::Open,
            key: None,
        };
        version = store.append(append).await.expect("memory takes it");
    }
}

fn in_a_new_store(kind: &str, run: impl FnOnce(Arc<dyn Store>) -> Throughput) -> anyhow::Result<Throughput> {
    let directory = tempfile::tempdir()?;
    let store = open(&format!("{kind}:{}", directory.path().join("store").display()).parse()?)?;
    Ok(run(store))
}

fn begin(hotline: &Checked) -> (Session, Vec<Event>) {
    let arrival = Arrival {
        contact: ContactId::generate(Timestamp::from_millis(0), [0; 10]),
        release: Digest::of(b"release"),
        channel: Channel::Chat,
        number: hotline::NUMBER.into(),
        language: None,
        caller: None,
        claimed: None,
    };
    let decision =
        arrive(hotline, arrival, Timestamp::from_millis(0), &Readings::default()).expect("the number exists");
    (decision.session, decision.events)
}

fn press(index: i64) -> Input {
    Input::Utterance {
        id: format!("{index}").into(),
        utterance: Utterance::Keys("1".into()),
    }
}
