//! All misdeeds at once beside a good plugin: each has its fault, and the good one's calls are
//! answered, in time.

use std::{sync::Arc, time::Duration as Std};

use trunkline_model::{Duration, FaultKind, Value};
use trunkline_plugin::Plugin;

use crate::guests::{adversary, answer, call_within, fault, host, int, least};

/// The time each bad call has.
const BAD_TIME: Duration = Duration::from_millis(1_500);
/// The time each good call has; on an idle machine one takes far less than a millisecond.
const GOOD_TIME: Duration = Duration::from_millis(1_000);
const GOOD_CALLS: usize = 200;

async fn bad(plugin: Plugin, function: &'static str, arguments: Vec<Value>, expected: FaultKind) {
    for _ in 0..3 {
        let (kind, message) = fault(call_within(&plugin, function, arguments.clone(), BAD_TIME).await);
        // Where turns are few, a bad call may run out of time before it gets to its point.
        assert!(
            kind == expected || kind == FaultKind::TimedOut,
            "{function}: {kind}: {message}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_plugin_is_not_disturbed() {
    let host = host();
    let good = adversary(&host, "good", least()).await;
    let mut running = tokio::task::JoinSet::new();
    for (name, function, arguments, expected) in [
        ("trapper", "trap", vec![], FaultKind::Trap),
        ("spinner", "spin", vec![], FaultKind::TimedOut),
        ("bomber", "allocate", vec![], FaultKind::OutOfMemory),
        ("digger", "recurse", vec![int(0)], FaultKind::Trap),
        ("wide", "recurse-wide", vec![int(0)], FaultKind::Trap),
        ("teller", "huge-text", vec![int(8 << 20)], FaultKind::TooLarge),
        ("lister", "huge-list", vec![int(8 << 20)], FaultKind::TooLarge),
        ("sleeper", "doze", vec![int(600_000)], FaultKind::TimedOut),
        ("leaver", "leave", vec![int(9)], FaultKind::Trap),
    ] {
        let plugin = adversary(&host, name, least()).await;
        for _ in 0..4 {
            running.spawn(bad(plugin.clone(), function, arguments.clone(), expected));
        }
    }
    let noisy = adversary(&host, "noisy", least()).await;
    running.spawn(async move {
        for _ in 0..3 {
            call_within(&noisy, "flood-log", vec![int(20_000)], BAD_TIME).await;
        }
    });

    let mut slowest = Std::ZERO;
    for number in 0..GOOD_CALLS {
        let began = tokio::time::Instant::now();
        let sum = call_within(&good, "add", [int(number as i128), int(1)], GOOD_TIME).await;
        assert_eq!(answer(sum), int(number as i128 + 1));
        slowest = slowest.max(began.elapsed());
        tokio::time::sleep(Std::from_millis(5)).await;
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    assert!(
        slowest < GOOD_TIME.to_std(),
        "the slowest good call took {slowest:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn departments_share_the_processor_not_plugins_calls() {
    let host = host();
    let greedy = adversary(&host, "greedy", least()).await;
    let modest = adversary(&host, "modest", least()).await;
    let spinning: Vec<_> = (0..32)
        .map(|_| {
            let greedy = greedy.clone();
            tokio::spawn(async move { call_within(&greedy, "spin", [], Duration::from_millis(2_000)).await })
        })
        .collect();
    tokio::time::sleep(Std::from_millis(100)).await;
    // One call against 32 of another department: about half of the processor, not a 33rd.
    let began = tokio::time::Instant::now();
    let outcome = call_within(&modest, "work", [int(50)], Duration::from_millis(1_500)).await;
    let took = began.elapsed();
    answer(outcome);
    assert!(took < Std::from_millis(800), "{took:?}");
    for spun in spinning {
        assert_eq!(fault(spun.await.unwrap()).0, FaultKind::TimedOut);
    }
}

#[tokio::test]
async fn timers_beside_spinning_guests_are_on_time() {
    let host = host();
    let plugin = Arc::new(adversary(&host, "spinner", least()).await);
    let spinning: Vec<_> = (0..8)
        .map(|_| {
            let plugin = plugin.clone();
            tokio::spawn(async move { call_within(&plugin, "spin", [], Duration::from_millis(800)).await })
        })
        .collect();
    let mut late = Vec::new();
    for _ in 0..50 {
        let began = tokio::time::Instant::now();
        tokio::time::sleep(Std::from_millis(5)).await;
        late.push(began.elapsed() - Std::from_millis(5));
    }
    late.sort();
    assert!(late[25] < Std::from_millis(20), "median lateness {:?}", late[25]);
    for spun in spinning {
        assert_eq!(fault(spun.await.unwrap()).0, FaultKind::TimedOut);
    }
}
