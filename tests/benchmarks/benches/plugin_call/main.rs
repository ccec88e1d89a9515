//! Promise: a plugin call (single-use sandbox, dynamic types, JSON in and out) costs at most
//! 1.5 times raw wasmtime's instantiation and typed call, and at most 0.6 times the same step
//! as a keep-alive HTTP service on loopback; and it scales with cores.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "benchmarks print, and measure by the clock"
)]

mod http;
mod ours;
mod raw;
mod stages;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use benchmarks::{Throughput, measure, percentile};
use criterion::Criterion;

#[path = "../../../../plugins/address-card/src/card.rs"]
mod card;

/// 200 bytes in, a record of seven fields out.
const CARD: &str = "id=330106-2031-7; name=王芳; district=西湖区; street=文三路 199 号 创业大厦 4 楼 南侧 由 物业 转交; \
     born=1990; household=417203; registered=true; since=2003-06-01";

/// How long each of the runs with several workers lasts.
const RUN: Duration = Duration::from_secs(3);

/// One way to do the step: a card's text as JSON in, the card as JSON out.
#[async_trait]
trait Step: Send + Sync + 'static {
    async fn step(&self, input: &str) -> String;
}

fn main() -> anyhow::Result<()> {
    benchmarks::print_machine("plugin-call");
    let component = benchmarks::component("address-card")?;
    // Two threads for whoever asks; the plugin host has its own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let input = serde_json::to_string(CARD)?;
    println!("Of a call, what making the sandbox alone takes:");
    stages::instantiation("address-card (Rust)", &component, false)?;
    if let Some((name, large)) = stages::large_guest() {
        stages::instantiation(&name, &large, true)?;
    }
    println!();
    let raw = Arc::new(raw::Raw::new(&component)?);
    let ours = Arc::new(runtime.block_on(ours::Ours::new(component))?);
    let http = Arc::new(runtime.block_on(http::Http::new())?);
    for step in [&*raw as &dyn Step, &*ours, &*http] {
        let answer = runtime.block_on(step.step(&input));
        anyhow::ensure!(answer.contains("王芳"), "the step gives {answer}");
    }

    println!("Latency, one call after the other, from a task of the runtime:");
    let steps: [Arc<dyn Step>; 3] = [raw.clone(), ours.clone(), http.clone()];
    let [floor, call, peer] = latencies(&runtime, steps, &input);
    println!(
        "  to raw wasmtime {:.2} (promised <= 1.5), to HTTP {:.2} (promised <= 0.6)\n",
        call / floor,
        call / peer
    );

    println!("Calls a second, and processor time for each, both ends:");
    for workers in [1, 2] {
        let floor = throughput(&runtime, "raw wasmtime", raw.clone(), &input, workers);
        let call = throughput(&runtime, "Trunkline", ours.clone(), &input, workers);
        let peer = throughput(&runtime, "HTTP service", http.clone(), &input, workers);
        println!(
            "  calls: {:.2} of raw wasmtime, {:.2} of HTTP; processor time: {:.2} of raw wasmtime, {:.2} of HTTP\n",
            call.per_second() / floor.per_second(),
            call.per_second() / peer.per_second(),
            call.processor_micros() / floor.processor_micros(),
            call.processor_micros() / peer.processor_micros(),
        );
    }

    println!("The same latencies by Criterion:");
    let mut criterion = Criterion::default().configure_from_args();
    for (name, step) in [
        ("raw-wasmtime", raw as Arc<dyn Step>),
        ("trunkline", ours),
        ("http", http),
    ] {
        criterion.bench_function(name, |bench| bench.to_async(&runtime).iter(|| step.step(&input)));
    }
    criterion.final_summary();
    Ok(())
}

/// The medians of calls made one after the other, in microseconds. The ways take turns, so
/// that whatever else the machine does falls on all of them.
fn latencies(runtime: &tokio::runtime::Runtime, steps: [Arc<dyn Step>; 3], input: &str) -> [f64; 3] {
    const ROUNDS: usize = 8;
    const CALLS: usize = 3_000;
    let mut samples: [Vec<Duration>; 3] = Default::default();
    // The first round warms pools and caches.
    for round in 0..=ROUNDS {
        for (step, samples) in steps.iter().zip(&mut samples) {
            let (step, input) = (step.clone(), input.to_owned());
            let calls = async move {
                let mut times = Vec::with_capacity(CALLS);
                for _ in 0..CALLS {
                    let start = Instant::now();
                    std::hint::black_box(step.step(&input).await);
                    times.push(start.elapsed());
                }
                times
            };
            let times = runtime
                .block_on(runtime.spawn(calls))
                .expect("the calls do not panic");
            if round > 0 {
                samples.extend(times);
            }
        }
    }
    let names = [
        "raw wasmtime: fresh instance, typed call",
        "Trunkline: fresh sandbox, by signature",
        "HTTP service, keep-alive, no sandbox",
    ];
    let mut medians = [0.0; 3];
    for ((median, samples), name) in medians.iter_mut().zip(&mut samples).zip(names) {
        let late = percentile(samples, 0.99).as_secs_f64() * 1e6;
        *median = percentile(samples, 0.5).as_secs_f64() * 1e6;
        println!("  {name:42} {median:7.1} µs, p99 {late:7.1} µs");
    }
    medians
}

fn throughput(
    runtime: &tokio::runtime::Runtime,
    name: &str,
    step: Arc<dyn Step>,
    input: &str,
    workers: usize,
) -> Throughput {
    let calls = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + RUN;
    let throughput = measure(|| {
        let tasks: Vec<_> = (0..workers)
            .map(|_| {
                let (step, calls, input) = (step.clone(), calls.clone(), input.to_owned());
                runtime.spawn(async move {
                    while Instant::now() < end {
                        std::hint::black_box(step.step(&input).await);
                        calls.fetch_add(1, Ordering::Relaxed);
                        // A call that never waits must not keep its thread for itself.
                        tokio::task::consume_budget().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).expect("the calls do not panic");
        }
        calls.load(Ordering::Relaxed)
    });
    println!(
        "  {workers} at a time: {name:14} {:8.0} a second, {:6.1} µs of processor time each",
        throughput.per_second(),
        throughput.processor_micros()
    );
    throughput
}
