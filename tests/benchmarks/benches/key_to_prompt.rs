//! Promise: with 64 contacts pressing keys, the next prompt is there one group commit and 1 ms
//! after the key, at the 99th percentile. The floor is a commit of the same frames to the same
//! kind of store, by as many writers at the same pace.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "benchmarks print, and measure by the clock"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use benchmarks::{hotline, percentile};
use tokio::{runtime::Runtime, task::JoinSet};
use trunkline_engine::{Channel, Input, Utterance, turn::Kind};
use trunkline_journal::{Append, Standing, StoreSpec, Version, open};
use trunkline_model::{ContactId, Timestamp};
use trunkline_node::{Call, Clock, Node, Settings};

const CONTACTS: u64 = 64;
/// Keys that each contact presses.
const KEYS: usize = 100;
/// How long a caller thinks: 64 contacts press about 3,000 keys a second.
const THINKS: Duration = Duration::from_millis(20);
/// Events that a key makes in this hotline, and the bytes of each.
const FRAMES: (usize, usize) = (7, 290);

fn main() -> anyhow::Result<()> {
    benchmarks::print_machine("key-to-prompt");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let directory = tempfile::tempdir()?;
    let place = |name: &str| StoreSpec::Fjall(directory.path().join(name));
    let (commit, commit_late) = told("one group commit", commits(&runtime, &place("bare"))?);
    let folder = directory.path().join("hotline");
    hotline::write(&folder)?;
    let settings = Settings {
        hotline: folder,
        store: place("node"),
        master_key: None,
        watch: false,
        listen: None,
        clock: Clock::system(),
        cache: None,
        rules: trunkline_flow::Rules::Enforced,
        packages: trunkline_node::Shelves::default(),
        secrets: None,
        webhook: None,
        feeds: true,
    };
    let (prompt, prompt_late) = told("key to next prompt", prompts(&runtime, settings)?);
    println!(
        "\nkey to prompt is a commit and {:.2} ms at the median, a commit and {:.2} ms at p99 (promised <= 1 ms); \
         {:.2} and {:.2} times a commit",
        (prompt - commit) * 1e3,
        (prompt_late - commit_late) * 1e3,
        prompt / commit,
        prompt_late / commit_late
    );
    Ok(())
}

fn told(name: &str, mut samples: Vec<Duration>) -> (f64, f64) {
    let (median, late) = (
        percentile(&mut samples, 0.5).as_secs_f64(),
        percentile(&mut samples, 0.99).as_secs_f64(),
    );
    println!(
        "{name:20} {:6.2} ms, p99 {:6.2} ms, of {}",
        median * 1e3,
        late * 1e3,
        samples.len()
    );
    (median, late)
}

fn commits(runtime: &Runtime, spec: &StoreSpec) -> anyhow::Result<Vec<Duration>> {
    let store = open(spec)?;
    runtime.block_on(at_once(move |index| {
        let store = store.clone();
        async move {
            let contact = ContactId::generate(Timestamp::from_millis(index as i64), [3; 10]);
            let mut version = Version::NONE;
            let mut samples = Vec::with_capacity(KEYS);
            for _ in 0..KEYS {
                tokio::time::sleep(THINKS).await;
                let frames = vec![vec![0x5a; FRAMES.1]; FRAMES.0];
                let start = Instant::now();
                let append = Append {
                    stream: &contact,
                    expected: version,
                    frames,
                    standing: Standing::Open,
                    key: None,
                };
                version = store.append(append).await?;
                samples.push(start.elapsed());
            }
            anyhow::Ok(samples)
        }
    }))
}

fn prompts(runtime: &Runtime, settings: Settings) -> anyhow::Result<Vec<Duration>> {
    let node = Arc::new(runtime.block_on(Node::start(settings))?);
    let pressing = node.clone();
    let samples = runtime.block_on(at_once(move |_| {
        let node = pressing.clone();
        async move {
            let call = Call {
                id: None,
                channel: Channel::Chat,
                number: hotline::NUMBER.to_owned(),
                language: None,
                caller: None,
                claimed: None,
            };
            let contact = node.arrive(call).await?.contact;
            let mut heard = node
                .turns(&contact, 0, None)
                .await?
                .last()
                .map_or(0, |turn| turn.seq);
            let mut samples = Vec::with_capacity(KEYS);
            for index in 0..KEYS {
                tokio::time::sleep(THINKS).await;
                let input = Input::Utterance {
                    id: format!("{index}").into(),
                    utterance: Utterance::Keys("1".into()),
                };
                let until = node.clock().now() + trunkline_model::Duration::from_secs(10);
                let start = Instant::now();
                // As a channel does it: the key is given, and whoever hears is waiting already.
                let (delivered, turns) = tokio::join!(
                    node.deliver(&contact, input),
                    node.turns(&contact, heard, Some(until))
                );
                samples.push(start.elapsed());
                delivered?;
                let turns = turns?;
                anyhow::ensure!(
                    turns.iter().any(|turn| matches!(turn.kind, Kind::Say { .. })),
                    "no prompt: {turns:?}"
                );
                heard = turns.last().map_or(heard, |turn| turn.seq);
            }
            anyhow::Ok(samples)
        }
    }))?;
    runtime.block_on(node.shutdown());
    Ok(samples)
}

async fn at_once<F>(work: impl Fn(u64) -> F) -> anyhow::Result<Vec<Duration>>
where
    F: Future<Output = anyhow::Result<Vec<Duration>>> + Send + 'static,
{
    let mut tasks: JoinSet<_> = (0..CONTACTS).map(work).collect();
    let mut samples = Vec::new();
    while let Some(finished) = tasks.join_next().await {
        samples.extend(finished??);
    }
    Ok(samples)
}
