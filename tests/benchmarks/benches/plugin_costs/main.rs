//! What a plugin call costs, by what the plugin is written in, by the size of what is passed, and
//! by how many plugins are loaded; each beside a native call, an instance that is used again, a
//! service on loopback, and Extism doing the same step.
//!
//! The step is that of `plugin-call`: the text of an address card in, a record of seven fields
//! out, JSON at both ends.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "benchmarks print, and measure by the clock"
)]

mod extism;
#[path = "../plugin_call/http.rs"]
mod http;
mod native;
#[path = "../plugin_call/ours.rs"]
mod ours;
#[path = "../plugin_call/raw.rs"]
mod raw;
mod reused;

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use benchmarks::{measure, percentile};
use tokio::runtime::Runtime;
use trunkline_plugin::{Host, MemoryKeyValues, Settings};

#[path = "../../../../plugins/address-card/src/card.rs"]
mod card;

/// Bytes of a card's text.
const SIZES: [usize; 4] = [100, 1 << 10, 10 << 10, 100 << 10];

/// Plugins loaded at once.
const LOADED: [usize; 3] = [1, 8, 64];

/// How long each of the runs with several plugins lasts.
const RUN: Duration = Duration::from_secs(3);

/// How long one way is tried at one size in one round.
const ROUND: Duration = Duration::from_millis(250);

/// Rounds; in each, the ways take turns, so that whatever else the machine does falls on all.
const ROUNDS: usize = 6;

/// The fewest calls of one way in a round, however slow it is.
const CALLS_MIN: usize = 10;

/// One way to do the step: a card's text as JSON in, the card as JSON out.
#[async_trait]
trait Step: Send + Sync + 'static {
    async fn step(&self, input: &str) -> String;
}

/// A way to do the step, in this program or in Extism's.
enum Way {
    Here(Arc<dyn Step>),
    Extism(extism::Extism),
}

impl Way {
    fn here(step: impl Step) -> Self {
        Self::Here(Arc::new(step))
    }

    /// The times of calls made one after the other for a round.
    fn round(&self, runtime: &Runtime, input: &str) -> anyhow::Result<Vec<Duration>> {
        match self {
            Self::Here(step) => Ok(round(runtime, step.clone(), input.to_owned())),
            Self::Extism(peer) => peer.round(input, ROUND, CALLS_MIN),
        }
    }
}

fn main() -> anyhow::Result<()> {
    benchmarks::print_machine("plugin-costs");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let rust = benchmarks::component("address-card")?;
    let mut ways = vec![
        ("native call", Way::here(native::Native)),
        (
            "raw wasmtime, one instance used again",
            Way::here(reused::Reused::new(&rust)?),
        ),
        ("raw wasmtime, fresh instance", Way::here(raw::Raw::new(&rust)?)),
        (
            "Trunkline, Rust",
            Way::here(runtime.block_on(ours::Ours::new(rust.clone()))?),
        ),
        (
            "loopback HTTP service, keep-alive",
            Way::here(runtime.block_on(http::Http::new())?),
        ),
    ];
    for (name, built) in [
        ("Trunkline, JavaScript", benchmarks::javascript_component()),
        ("Trunkline, Python", benchmarks::python_component()),
    ] {
        match built {
            Ok(component) => {
                println!("{name}: {} bytes", component.len());
                ways.push((name, Way::here(runtime.block_on(ours::Ours::new(component))?)));
            }
            Err(error) => println!("{name} is left out: {error:#}"),
        }
    }
    for (name, again) in [
        ("Extism, one instance used again", true),
        ("Extism, fresh instance", false),
    ] {
        match extism::Extism::start(again) {
            Ok(peer) => ways.push((name, Way::Extism(peer))),
            Err(error) => println!("{name} is left out: {error:#}"),
        }
    }

    by_size(&runtime, &ways)?;
    println!("\nCalls a second, two at a time, over plugins that take turns:");
    let mut alone = None;
    for loaded in LOADED {
        let calls = many(&runtime, &rust, loaded)?;
        let alone = *alone.get_or_insert(calls);
        println!(
            "  {loaded:>3} loaded {calls:>10.0} a second, {:.2} of one alone",
            calls / alone
        );
    }
    Ok(())
}

/// The card's text with a street as long as it takes.
fn text(bytes: usize) -> String {
    let street = "No. 199 Wensan Road, ";
    let card = |street: &str| {
        format!(
            "id=330106-2031-7; name=W; district=X; born=1990; household=41; registered=true; street={street}"
        )
    };
    let mut filled = String::new();
    while card(&filled).len() < bytes {
        let left = bytes - card(&filled).len();
        filled.push_str(&street[..left.min(street.len())]);
    }
    card(&filled)
}

/// The medians of each way at each size.
fn by_size(runtime: &Runtime, ways: &[(&str, Way)]) -> anyhow::Result<()> {
    println!(
        "\nMedian of one call after the other, by bytes of the card's text; in brackets to a native call:"
    );
    print!("  {:38}", "");
    for size in SIZES {
        print!(" {size:>20}");
    }
    println!();
    let mut medians = vec![Vec::new(); ways.len()];
    for size in SIZES {
        let input = serde_json::to_string(&text(size))?;
        for (name, way) in ways {
            if let Way::Here(step) = way {
                let answer = runtime.block_on(step.step(&input));
                anyhow::ensure!(answer.contains("330106-2031-7"), "{name} gives {answer:.100}");
            }
        }
        let mut samples = vec![Vec::new(); ways.len()];
        for _ in 0..ROUNDS {
            for ((_, way), samples) in ways.iter().zip(&mut samples) {
                samples.extend(way.round(runtime, &input)?);
            }
        }
        for (medians, samples) in medians.iter_mut().zip(&mut samples) {
            medians.push(percentile(samples, 0.5).as_secs_f64() * 1e6);
        }
    }
    let native = medians[0].clone();
    for ((name, _), medians) in ways.iter().zip(&medians) {
        print!("  {name:38}");
        for (median, native) in medians.iter().zip(&native) {
            print!(" {median:>9.1} µs {:>7}", format!("({:.0})", median / native));
        }
        println!();
    }
    Ok(())
}

/// The times of calls made one after the other, from a task of the runtime.
fn round(runtime: &Runtime, step: Arc<dyn Step>, input: String) -> Vec<Duration> {
    let calls = async move {
        let end = Instant::now() + ROUND;
        let mut times = Vec::new();
        while times.len() < CALLS_MIN || Instant::now() < end {
            let start = Instant::now();
            black_box(step.step(&input).await);
            times.push(start.elapsed());
        }
        times
    };
    runtime
        .block_on(runtime.spawn(calls))
        .expect("the calls do not panic")
}

/// Calls a second over so many plugins, each with code of its own.
fn many(runtime: &Runtime, component: &[u8], loaded: usize) -> anyhow::Result<f64> {
    let host = Host::start(Settings::default(), Arc::new(MemoryKeyValues::default()))?;
    let mut plugins = Vec::with_capacity(loaded);
    for number in 0..loaded {
        // A section without meaning tells their components apart.
        let number = u8::try_from(number)?;
        let mut component = component.to_vec();
        component.extend([0, 3, 1, b'n', number]);
        let name = format!("cards-{number}");
        plugins.push(runtime.block_on(ours::Ours::on(&host, component, &name))?);
    }
    let plugins = Arc::new(plugins);
    let input = serde_json::to_string(&text(200))?;
    let turn = Arc::new(AtomicUsize::new(0));
    for plugin in plugins.iter() {
        black_box(runtime.block_on(plugin.step(&input)));
    }
    let end = Instant::now() + RUN;
    let throughput = measure(|| {
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let (plugins, turn, input) = (plugins.clone(), turn.clone(), input.clone());
                runtime.spawn(async move {
                    while Instant::now() < end {
                        let next = turn.fetch_add(1, Ordering::Relaxed) % plugins.len();
                        black_box(plugins[next].step(&input).await);
                        tokio::task::consume_budget().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).expect("the calls do not panic");
        }
        turn.load(Ordering::Relaxed) as u64
    });
    Ok(throughput.per_second())
}
