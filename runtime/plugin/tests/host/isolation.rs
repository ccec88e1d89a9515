//! All misdeeds at once beside a good plugin: each has its fault, and the good one's calls are
//! answered, in time.

use std::time::Duration as Std;

use tokio::task::JoinSet;
use trunkline_model::{Duration, FaultKind, Outcome, Value};
use trunkline_plugin::{HostLimits, Plugin, Settings};

use crate::guests::{adversary, answer, call_within, fault, host, host_with, int, least, settings, until};

/// The time each bad call has.
const BAD_TIME: Duration = Duration::from_millis(1_500);
/// The time each good call has; on an idle machine one takes far less than a millisecond.
const GOOD_TIME: Duration = Duration::from_secs(10);
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
    let mut running = JoinSet::new();
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

    for number in 0..GOOD_CALLS {
        let sum = call_within(&good, "add", [int(number as i128), int(1)], GOOD_TIME).await;
        assert_eq!(answer(sum), int(number as i128 + 1));
        tokio::time::sleep(Std::from_millis(5)).await;
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

/// Calls that take all the processor they are given, until this is dropped.
fn spinning(plugin: &Plugin, calls: usize) -> JoinSet<Outcome> {
    let mut spinning = JoinSet::new();
    for _ in 0..calls {
        let plugin = plugin.clone();
        spinning.spawn(async move { call_within(&plugin, "spin", [], Duration::from_secs(60)).await });
    }
    spinning
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn departments_share_the_processor_not_plugins_calls() {
    // One turn for all: where there is one for each, nobody has to share.
    let host = host_with(Settings {
        limits: HostLimits {
            guest_threads: 1,
            ..HostLimits::default()
        },
        ..settings()
    });
    let greedy = adversary(&host, "greedy", least()).await;
    let modest = adversary(&host, "modest", least()).await;
    let spinning = spinning(&greedy, 32);
    until(&greedy, |now| now.running == 32).await;
    // One call against 32 of another department: about half of the processor, not a 33rd. The
    // processor's time tells, whatever else the machine does.
    let before = greedy.statistics().usage.busy;
    let fill = [int(64 << 10), int(50_000)];
    answer(call_within(&modest, "fill", fill, Duration::from_secs(30)).await);
    let theirs = greedy.statistics().usage.busy - before;
    let own = modest.statistics().usage.busy;
    assert!(theirs < own * 10, "{own:?} beside {theirs:?}");
    assert_eq!(greedy.statistics().running, 32, "they spun all the while");
    drop(spinning);
}

#[tokio::test]
async fn timers_beside_spinning_guests_are_on_time() {
    let host = host();
    let plugin = adversary(&host, "spinner", least()).await;
    let spinning = spinning(&plugin, 8);
    let mut late = Vec::new();
    for _ in 0..50 {
        let began = tokio::time::Instant::now();
        tokio::time::sleep(Std::from_millis(5)).await;
        late.push(began.elapsed() - Std::from_millis(5));
    }
    late.sort();
    // A millisecond or two on an idle machine; the rest is for those who share this one.
    assert!(late[25] < Std::from_millis(200), "median lateness {:?}", late[25]);
    assert_eq!(plugin.statistics().running, 8, "they spun all the while");
    drop(spinning);
}
