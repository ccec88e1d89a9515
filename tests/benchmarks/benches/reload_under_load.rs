//! Promise: a saved flow is live at most 50 ms (p99) after the last write has settled, for a
//! hotline of 50 flows, while 500 new contacts begin each second and none is lost.
//!
//! A release is saved every second into the watched folder. Every contact must begin, be asked
//! its first question on the release it was given, and answer.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "benchmarks print, and measure by the clock"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use benchmarks::{hotline, percentile};
use tokio::{task::JoinSet, time::MissedTickBehavior};
use trunkline_engine::{Channel, Input, Utterance};
use trunkline_journal::StoreSpec;
use trunkline_model::Digest;
use trunkline_node::{Call, Cause, Clock, Node, Settings, Verdict};

const FLOWS: usize = 50;
const SAVES: usize = 60;
/// Contacts that begin in each 20 ms: 500 a second.
const CONTACTS_PER_TICK: usize = 10;

fn main() -> anyhow::Result<()> {
    benchmarks::print_machine("reload-under-load");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let folder = directory.path().join("hotline");
    write_hotline(&folder)?;
    let settings = Settings {
        hotline: folder.clone(),
        store: StoreSpec::Fjall(directory.path().join("store")),
        master_key: None,
        watch: true,
        listen: None,
        clock: Clock::system(),
        cache: None,
        rules: trunkline_flow::Rules::Enforced,
        packages: trunkline_node::Shelves::default(),
        secrets: None,
        webhook: None,
        feeds: true,
    };
    let node = Arc::new(Node::start(settings).await?);
    let mut reports = node.releases().subscribe();
    let saving = tokio::spawn(async move {
        let mut every_second = tokio::time::interval(Duration::from_secs(1));
        let (mut builds, mut lives) = (Vec::new(), Vec::new());
        for save in 0..SAVES {
            every_second.tick().await;
            let saved = Instant::now();
            fs::write(
                folder.join("prompts/zh-CN.yaml"),
                format!("again: 第 {save} 版。您已经选择了 {{turns}} 次。再来一次请按 1，结束请按 0。\n"),
            )?;
            loop {
                let report = reports.recv().await?;
                if report.cause == Cause::Saved {
                    anyhow::ensure!(
                        report.verdict == Verdict::Live,
                        "a release is not live: {}",
                        report.text
                    );
                    builds.push(report.took.to_std());
                    lives.push(saved.elapsed());
                    break;
                }
            }
        }
        anyhow::Ok((builds, lives))
    });

    let mut contacts = JoinSet::new();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while !saving.is_finished() {
        tick.tick().await;
        for _ in 0..CONTACTS_PER_TICK {
            contacts.spawn(contact(node.clone()));
        }
    }
    let (mut builds, mut lives) = saving.await??;
    let begun = contacts.len();
    let (mut lost, mut answered) = (Vec::new(), Vec::new());
    let mut releases: BTreeMap<Digest, usize> = BTreeMap::new();
    while let Some(finished) = contacts.join_next().await {
        match finished? {
            Ok((release, time)) => {
                *releases.entry(release).or_default() += 1;
                answered.push(time);
            }
            Err(error) => lost.push(error),
        }
    }
    node.shutdown().await;
    println!(
        "{SAVES} releases of {FLOWS} flows saved, one a second, {} of them given to contacts",
        releases.len()
    );
    println!(
        "settled to live:  median {:6.1} ms, p95 {:6.1} ms, p99 {:6.1} ms (promised <= 50)",
        percentile(&mut builds, 0.5).as_secs_f64() * 1e3,
        percentile(&mut builds, 0.95).as_secs_f64() * 1e3,
        percentile(&mut builds, 0.99).as_secs_f64() * 1e3
    );
    println!(
        "written to live:  median {:6.1} ms, p99 {:6.1} ms, settling included",
        percentile(&mut lives, 0.5).as_secs_f64() * 1e3,
        percentile(&mut lives, 0.99).as_secs_f64() * 1e3
    );
    println!(
        "contacts: {begun} begun, {} lost (promised none); arrival to first answer taken: median {:.1} ms, p99 {:.1} ms",
        lost.len(),
        percentile(&mut answered, 0.5).as_secs_f64() * 1e3,
        percentile(&mut answered, 0.99).as_secs_f64() * 1e3
    );
    if let Some(error) = lost.first() {
        anyhow::bail!("a contact was lost: {error}");
    }
    Ok(())
}

/// A contact that begins, answers its first question, and is asked the next.
async fn contact(node: Arc<Node>) -> anyhow::Result<(Digest, Duration)> {
    let start = Instant::now();
    let call = Call {
        id: None,
        channel: Channel::Chat,
        number: hotline::NUMBER.to_owned(),
        language: None,
        caller: None,
        claimed: None,
    };
    let arrived = node.arrive(call).await?;
    for key in ["1", "0"] {
        let input = Input::Utterance {
            id: key.into(),
            utterance: Utterance::Keys(key.into()),
        };
        node.deliver(&arrived.contact, input).await?;
    }
    let session = node.session(&arrived.contact).await?;
    anyhow::ensure!(
        session.has_ended(),
        "the contact did not end: {:?}",
        session.state
    );
    anyhow::ensure!(
        session.release == arrived.release,
        "the contact moved to another release"
    );
    Ok((arrived.release, start.elapsed()))
}

/// The hotline of the benchmarks with as many flows more, each with a number of its own.
fn write_hotline(folder: &Path) -> anyhow::Result<()> {
    hotline::write(folder)?;
    let mut numbers = String::new();
    for index in 1..FLOWS {
        numbers.push_str(&format!("  \"{}\": {{ flow: carousel-{index} }}\n", 100 + index));
        let flow = fs::read_to_string(folder.join("flows/carousel.yaml"))?
            .replace("flow: carousel", &format!("flow: carousel-{index}"));
        fs::write(folder.join(format!("flows/carousel-{index}.yaml")), flow)?;
    }
    let file = folder.join("hotline.yaml");
    fs::write(&file, fs::read_to_string(&file)? + &numbers)?;
    Ok(())
}
