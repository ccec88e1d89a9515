//! Promise: whatever one department's plugin does at full load, the calls of another department's
//! take at p99 no more than twice what they take when it is quiet.
//!
//! Department A makes an ordinary call every two milliseconds, all the time. Department B does one
//! bad thing with 64 calls at once. Quiet and loud take turns, so that whatever else the machine
//! does falls on both.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "benchmarks print, and measure by the clock"
)]

mod attacks;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use benchmarks::percentile;
use tokio::runtime::Runtime;
use trunkline_model::{FunctionName, Value};
use trunkline_plugin::{Deployment, Grants, Host, HostLimits, MemoryKeyValues, Plugin, Settings, compiler};

use attacks::{Attack, attacks};

/// Between two calls of department A.
const EVERY: Duration = Duration::from_millis(2);

/// How long one quiet or loud spell lasts, and how many of each there are for an attack.
const SPELL: Duration = Duration::from_millis(1_500);
const SPELLS: usize = 3;

/// Calls of department B at once.
const AT_ONCE: usize = 64;

/// 200 bytes, as in the benchmark of calls.
const CARD: &str = "id=330106-2031-7; name=王芳; district=西湖区; street=文三路 199 号 创业大厦 4 楼 南侧 由 物业 转交; \
     born=1990; household=417203; registered=true; since=2003-06-01";

/// What is promised of p99 under attack, to what it is without.
const PROMISED: f64 = 2.0;

fn main() -> anyhow::Result<std::process::ExitCode> {
    // Components are compiled as the server compiles them: in a process of their own.
    if let Some(code) = compiler::serve_if_asked() {
        return Ok(code);
    }
    benchmarks::print_machine("isolation");
    let only: Option<String> = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    // As many threads as the node has; the plugin host has its own.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let limits = HostLimits {
        // Open, it would spare us the attack.
        breaker_faults: u32::MAX,
        ..HostLimits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let host = Host::start(settings, Arc::new(MemoryKeyValues::default()))?;
    let card: Arc<[u8]> = benchmarks::component("address-card")?.into();
    let adversary: Arc<[u8]> = benchmarks::component("adversary")?.into();
    let quiet = runtime.block_on(load(&host, card, "cards", "civil-affairs", "{}"))?;
    // What guests talk to is on other machines, as far as can be: on a thread of its own that takes no
    // processor from who needs it.
    let elsewhere = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(|| {
            // A refusal to be nice is no reason not to measure.
            let _ = rustix::process::nice(19);
        })
        .enable_all()
        .build()?;
    let servers = elsewhere.block_on(attacks::servers())?;
    println!(
        "{:34} {:>10} {:>17} {:>17} {:>6}",
        "", "B's calls", "A quiet", "A beside it", "p99"
    );
    println!(
        "{:34} {:>10} {:>17} {:>17} {:>6}",
        "attack", "a second", "p50 · p99 µs", "p50 · p99 µs", "ratio"
    );
    let mut worst: (f64, String) = (0.0, String::new());
    for attack in attacks(&servers) {
        if only
            .as_ref()
            .is_some_and(|only| !attack.name.contains(only.as_str()))
        {
            continue;
        }
        let loud = runtime.block_on(load(&host, adversary.clone(), "loud", "other", &attack.grants))?;
        host.reserve([&quiet, &loud]);
        let ratio = measure(&runtime, &host, &quiet, &loud, &attack);
        if ratio > worst.0 {
            worst = (ratio, attack.name.to_owned());
        }
    }
    println!(
        "\nThe worst is {:.2} ({}); promised is <= {PROMISED}.",
        worst.0, worst.1
    );
    Ok(std::process::ExitCode::SUCCESS)
}

async fn load(
    host: &Arc<Host>,
    component: Arc<[u8]>,
    name: &str,
    department: &str,
    grants: &str,
) -> anyhow::Result<Plugin> {
    let grants: Grants = serde_json::from_str(grants)?;
    let deployment = Deployment {
        name: name.into(),
        department: department.to_owned(),
        config: BTreeMap::new(),
        grants,
    };
    let plugin = host.load(component, deployment).await?;
    plugin.take_over();
    Ok(plugin)
}

/// Measures A's calls with and without B's, and gives the ratio of their p99.
fn measure(runtime: &Runtime, host: &Arc<Host>, quiet: &Plugin, loud: &Plugin, attack: &Attack) -> f64 {
    let (mut before, mut beside) = (Vec::new(), Vec::new());
    let mut attacked = 0;
    let mut attacking = Duration::ZERO;
    // The first spells warm pools and caches.
    for spell in 0..=SPELLS {
        let kept = spell > 0;
        let alone = runtime.block_on(spell_of(quiet));
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let attackers: Vec<_> = (0..attack.at_once.unwrap_or(AT_ONCE))
            .map(|number| {
                runtime.spawn(attacks::keep_attacking(
                    host.clone(),
                    loud.clone(),
                    attack.clone(),
                    number,
                    stop.clone(),
                    calls.clone(),
                ))
            })
            .collect();
        // Until all of them are at it.
        std::thread::sleep(Duration::from_millis(100));
        let (start, first) = (Instant::now(), calls.load(Ordering::Relaxed));
        let together = runtime.block_on(spell_of(quiet));
        if kept {
            attacked += calls.load(Ordering::Relaxed) - first;
            attacking += start.elapsed();
            before.extend(alone);
            beside.extend(together);
        }
        stop.store(true, Ordering::Relaxed);
        for attacker in attackers {
            runtime.block_on(attacker).expect("attacks do not panic");
        }
    }
    let micros = |samples: &mut Vec<Duration>, share| percentile(samples, share).as_secs_f64() * 1e6;
    let alone = (micros(&mut before, 0.5), micros(&mut before, 0.99));
    let together = (micros(&mut beside, 0.5), micros(&mut beside, 0.99));
    let ratio = together.1 / alone.1;
    println!(
        "{:34} {:>10.0} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {ratio:>6.2}",
        attack.name,
        attacked as f64 / attacking.as_secs_f64(),
        alone.0,
        alone.1,
        together.0,
        together.1,
    );
    ratio
}

/// Department A for a while, from a task of the node's runtime as the node makes its calls.
async fn spell_of(plugin: &Plugin) -> Vec<Duration> {
    let plugin = plugin.clone();
    let spell = tokio::spawn(async move {
        let function: FunctionName = plugin.interface().functions[0].function.clone();
        let end = Instant::now() + SPELL;
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut took = Vec::new();
        while Instant::now() < end {
            every.tick().await;
            let call = attacks::call(&function, vec![Value::text(CARD)], 3_000);
            let start = Instant::now();
            let outcome = plugin.call(call).await;
            took.push(start.elapsed());
            assert!(matches!(outcome, trunkline_model::Outcome::Ok(_)), "{outcome:?}");
        }
        took
    });
    spell.await.expect("the calls do not panic")
}
