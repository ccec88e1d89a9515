//! wasmtime's engines: one constructor for the two pools, and the clock tick by which running
//! guests give way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::Thread,
    time::Duration,
};

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::limits::{FIBER_STACK_BYTES, GUEST_STACK_BYTES, PoolLimits};

/// Makes the engine of one pool. Where instructions are counted guests run a fifth slower, so a
/// server's engines count none.
pub(crate) fn engine(limits: &PoolLimits, counts_instructions: bool) -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(limits.instances)
        .total_core_instances(limits.instances.saturating_mul(limits.core_instances_max))
        .max_core_instances_per_component(limits.core_instances_max)
        .total_memories(limits.instances.saturating_mul(limits.memories_max))
        .max_memories_per_component(limits.memories_max)
        .max_memories_per_module(limits.memories_max)
        .total_tables(limits.instances.saturating_mul(limits.tables_max))
        .max_tables_per_component(limits.tables_max)
        .max_tables_per_module(limits.tables_max)
        .total_stacks(limits.instances)
        .table_elements(limits.table_elements_max)
        .max_memory_size(limits.memory_bytes_max)
        .linear_memory_keep_resident(limits.memory_bytes_kept)
        .table_keep_resident(limits.table_bytes_kept)
        .max_unused_warm_slots(limits.warm_slots)
        // Only the pages that a guest wrote are cleared after it, where the kernel can tell.
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .consume_fuel(counts_instructions)
        // Host functions that wait suspend the guest's fiber; nothing of a guest is concurrent.
        .concurrency_support(false)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// Ticks while guests run, and rests while none does.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    running: AtomicUsize,
    resting: AtomicBool,
    stopped: AtomicBool,
}

/// A guest that runs: while one exists, the engines tick.
pub(crate) struct Running(Arc<Shared>);

/// Ticks without a guest after which the ticker rests.
const IDLE_TICKS_MAX: u32 = 500;

impl Ticker {
    /// Starts a thread that ticks for some engines.
    pub(crate) fn start(engines: Vec<Engine>, tick: Duration) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            running: AtomicUsize::new(0),
            resting: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        });
        let ticking = shared.clone();
        let thread = std::thread::Builder::new()
            .name("trunkline-tick".to_owned())
            .spawn(move || ticking.tick(&engines, tick))?
            .thread()
            .clone();
        Ok(Self { shared, thread })
    }

    /// Ticks until what this gives is dropped.
    pub(crate) fn run(&self) -> Running {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.resting.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(self.shared.clone())
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shared {
    fn tick(&self, engines: &[Engine], tick: Duration) {
        let mut idle = 0;
        while !self.stopped.load(Ordering::SeqCst) {
            if self.running.load(Ordering::SeqCst) > 0 {
                idle = 0;
            } else {
                idle += 1;
            }
            if idle >= IDLE_TICKS_MAX {
                self.resting.store(true, Ordering::SeqCst);
                // Whoever began to run before it could see us rest is seen here.
                if self.running.load(Ordering::SeqCst) == 0 && !self.stopped.load(Ordering::SeqCst) {
                    std::thread::park();
                }
                self.resting.store(false, Ordering::SeqCst);
                idle = 0;
            }
            std::thread::sleep(tick);
            for engine in engines {
                engine.increment_epoch();
            }
        }
    }
}
