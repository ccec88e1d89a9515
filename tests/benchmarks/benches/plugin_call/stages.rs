//! Where a call's time goes: making the sandbox, and the rest. What an instance prepared ahead of
//! the call could save at most is the first.

use std::{sync::Arc, time::Instant};

use benchmarks::percentile;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{Component, Linker},
};

const ROUNDS: usize = 2_000;

/// Prints how long it takes to instantiate a component and to let go of the instance, with nothing
/// called in between. Gives the median in microseconds.
pub(crate) fn instantiation(name: &str, component: &[u8], large: bool) -> anyhow::Result<f64> {
    let mut pool = PoolingAllocationConfig::new();
    pool.max_memory_size(512 << 20)
        .total_component_instances(16)
        .total_core_instances(16 * 64)
        .max_core_instances_per_component(64)
        .max_memories_per_component(4)
        .max_tables_per_component(16)
        .table_elements(200_000)
        .linear_memory_keep_resident(if large { 64 << 20 } else { 2 << 20 })
        .table_keep_resident(if large { 1 << 20 } else { 64 << 10 })
        .max_unused_warm_slots(8)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config)?;
    let component = Component::new(&engine, component)?;
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let pre = linker.instantiate_pre(&component)?;
    let (mut made, mut let_go) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        let start = Instant::now();
        let instance = pre.instantiate(&mut store)?;
        made.push(start.elapsed());
        std::hint::black_box(instance);
        let start = Instant::now();
        drop(store);
        let_go.push(start.elapsed());
    }
    let micros = |samples: &mut Vec<_>| percentile(samples, 0.5).as_secs_f64() * 1e6;
    let (made, let_go) = (micros(&mut made), micros(&mut let_go));
    println!("  {name:24} instantiate {made:7.1} µs, let go {let_go:7.1} µs");
    Ok(made)
}

/// A component of a large guest, if one was built: a language with its engine inside.
pub(crate) fn large_guest() -> Option<(String, Arc<[u8]>)> {
    let path = std::env::var_os("TRUNKLINE_LARGE_GUEST").map_or_else(
        || benchmarks::project().join("plugins/road-works/dist/road-works.wasm"),
        Into::into,
    );
    let bytes = std::fs::read(&path).ok()?;
    let name = path.file_stem()?.to_string_lossy().into_owned();
    Some((name, bytes.into()))
}
