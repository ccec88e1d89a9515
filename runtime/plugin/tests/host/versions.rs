//! Two versions of a plugin under one name, each serving those who began with it.

use std::sync::Arc;

use trunkline_plugin::{Grants, Host, Plugin};

use crate::guests::{adversary, answer, call, deployment, host, int, least};

fn component(factor: u32) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(component
          (core module $code
            (func (export "times") (param i64) (result i64) (i64.mul (local.get 0) (i64.const {factor}))))
          (core instance $code (instantiate $code))
          (func (export "times") (param "value" u64) (result u64) (canon lift (core func $code "times"))))"#
    ))
    .unwrap()
}

async fn version(host: &Arc<Host>, factor: u32) -> Plugin {
    host.load(component(factor).into(), deployment("tariff", Grants::default()))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_components_under_one_name_answer_at_once() {
    let host = host();
    let (old, new) = (version(&host, 2).await, version(&host, 3).await);
    assert_ne!(old.digest(), new.digest());
    new.take_over();
    let calls: Vec<_> = (0..400_i128)
        .map(|number| {
            let (plugin, factor) = if number % 2 == 0 { (&old, 2) } else { (&new, 3) };
            let plugin = plugin.clone();
            tokio::spawn(async move {
                let answered = answer(call(&plugin, "times", [int(number)]).await);
                (answered, int(number * factor))
            })
        })
        .collect();
    for call in calls {
        let (answered, wanted) = call.await.unwrap();
        assert_eq!(answered, wanted);
    }
    // The counts are the name's; the old one goes when its last release does, and the new one stays.
    assert_eq!(new.statistics().answers, 400);
    drop(old);
    assert_eq!(answer(call(&new, "times", [int(5)]).await), int(15));
    // It can come back.
    let old = version(&host, 2).await;
    assert_eq!(answer(call(&old, "times", [int(5)]).await), int(10));
}

#[tokio::test]
async fn a_version_that_fails_opens_its_own_breaker_only() {
    let host = host();
    let broken = adversary(&host, "tariff", least()).await;
    let mended = version(&host, 2).await;
    for _ in 0..trunkline_plugin::limits::BREAKER_FAULTS {
        let _ = call(&broken, "trap", []).await;
    }
    assert_eq!(broken.statistics().breaker, trunkline_plugin::BreakerState::Open);
    assert_eq!(answer(call(&mended, "times", [int(4)]).await), int(8));
}
