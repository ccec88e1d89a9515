//! Bounds of the host as a whole, and bounds that no operator changes. What an operator sets
//! for one plugin stands in [`crate::grants::Limits`].

use trunkline_model::Duration;

/// Bytes of the largest component that is loaded.
pub const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// How deep components lie in components.
pub const COMPONENT_DEPTH_MAX: u32 = 32;

/// Instances that one component becomes, those of components within it counted as often as they
/// are made.
pub const COMPONENT_INSTANCES_MAX: u64 = 1_000;

/// Bytes of machine code that one component becomes.
pub const COMPILED_BYTES_MAX: u64 = 1 << 30;

/// Compiled components that are kept on disk; those used least recently go first.
pub const COMPILED_KEPT_MAX: usize = 512;

/// Bytes of all compiled components that are kept on disk.
pub const COMPILED_KEPT_BYTES_MAX: u64 = 4 << 30;

/// Bytes that are read of what a compiler says of a component.
pub const COMPILER_SAID_BYTES_MAX: u64 = 16 << 10;

/// Functions that the code of one component may consist of.
pub const CODE_FUNCTIONS_MAX: u64 = 100_000;

/// Branches times variables of one function: what a compiler's time grows with.
pub const FUNCTION_TANGLE_MAX: u64 = 2_000_000;

/// Branches times variables of all functions of a component together.
pub const TANGLE_MAX: u64 = 40_000_000;

/// Functions that one component may export.
pub const FUNCTIONS_MAX: usize = 512;

/// Types, counted with all that they contain and the cases that they name, of one function's parameters and
/// result together.
pub const TYPE_NODES_MAX: usize = 4_096;

/// Types, so counted, of all functions and named types that one component describes.
pub const ALL_TYPE_NODES_MAX: usize = 65_536;

/// How deep types lie in types that one component names or describes; wasmtime has the same bound for
/// those that it exports.
pub const TYPE_DEPTH_MAX: usize = 100;

/// Bytes of the WIT in which a component describes its functions itself.
pub const DESCRIBED_BYTES_MAX: usize = 256 << 10;

/// How long such a component may take to describe them.
pub const DESCRIBE_TIME_MAX: Duration = Duration::from_secs(5);

/// Bytes of one line that a plugin logs; the rest is cut.
pub const LOG_LINE_BYTES_MAX: usize = 4_096;

/// Lines that a call on the bench keeps of what it logs.
pub const BENCH_LOG_LINES_KEPT: usize = 200;

/// Bytes kept of what a guest last wrote to its standard error, shown when it traps.
pub const STDERR_BYTES_KEPT: usize = 1_024;

/// Bytes of a key in a plugin's key-value store.
pub const KV_KEY_BYTES_MAX: usize = 256;

/// Keys listed by one call of `kv.keys`.
pub const KV_KEYS_LISTED_MAX: u32 = 1_000;

/// Random bytes that a guest may ask for at once: they are made while no other guest has its turn.
pub const RANDOM_BYTES_MAX: u64 = 64 << 10;

/// Bytes of the head of an HTTP response.
pub const HTTP_RESPONSE_HEAD_BYTES_MAX: usize = 64 << 10;

/// Bytes of the headers or trailers that a guest makes, as they lie in the host's memory. It may hold
/// [`HANDLES_MAX`] of them, and its `memory` does not count them: 16 MiB in all.
pub const HTTP_FIELDS_BYTES_MAX: usize = 16 << 10;

/// Bytes a guest may hand to an outgoing body at once.
pub const HTTP_BODY_CHUNK_BYTES: usize = 64 << 10;

/// Idle connections kept for one host that a plugin talks to.
pub const HTTP_IDLE_CONNECTIONS_MAX: usize = 32;

/// How long an idle connection is kept.
pub const HTTP_IDLE_CONNECTION: std::time::Duration = std::time::Duration::from_secs(30);

/// Addresses of one name that are tried.
pub const HTTP_ADDRESSES_TRIED_MAX: usize = 4;

/// Names that are looked up at once for one plugin. A lookup holds a thread until a name server
/// answers, whoever has stopped waiting for it.
pub const HTTP_LOOKUPS_MAX: usize = 8;

/// Handles to host resources, such as streams, that one call may hold.
pub const HANDLES_MAX: usize = 1_000;

/// Bytes of a guest's stack. A deeper recursion is a trap.
pub const GUEST_STACK_BYTES: usize = 512 << 10;

/// Bytes of the stack that a guest and the host functions it calls share.
pub const FIBER_STACK_BYTES: usize = 1 << 20;

/// A call that has taken less than this many microseconds of processor lately starts on its
/// caller's own thread; a longer one goes to the guests' threads at once.
pub const INLINE_RUN_MICROS_MAX: u64 = 400;

/// While other departments call, a call that takes more than this many microseconds goes to the
/// guests' threads: on its caller's it is what their next call waits for, and nothing interrupts it there.
pub const INLINE_AMONG_OTHERS_MICROS_MAX: u64 = 100;

/// How many calls of a function go to the guests' threads after one took longer than
/// [`INLINE_RUN_MICROS_MAX`].
pub const INLINE_PENALTY_CALLS: u32 = 64;

/// Hundredths of the processors that one department's calls may take on their callers' threads
/// while others call; what is over it goes to the guests' threads.
pub const INLINE_SHARE_PERCENT: u64 = 20;

/// How much of its share a department may take ahead.
pub const INLINE_AHEAD: std::time::Duration = std::time::Duration::from_millis(5);

/// How long after somebody else's call a department is not alone.
pub const OTHERS_WITHIN: std::time::Duration = std::time::Duration::from_millis(250);

/// Faults in a row that open a plugin's breaker.
pub const BREAKER_FAULTS: u32 = 20;

/// How long a breaker stays open before one call is let through as a probe.
pub const BREAKER_PAUSE: Duration = Duration::from_secs(5);

/// Bounds of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLimits {
    /// The pool for guests that begin small, such as those written in Rust or C.
    pub small: PoolLimits,
    /// The pool for guests that begin large, such as JavaScript and Python with their engines.
    pub large: PoolLimits,
    /// A guest that begins with more memory than this is a large one.
    pub small_guest_initial_bytes_max: usize,
    /// Threads that guests may keep busy at once.
    pub guest_threads: usize,
    /// How often a running guest gives way to the next: between one and two of these.
    pub tick: std::time::Duration,
    /// Hundredths of a pool that one department's calls may fill while there are others.
    pub department_share_percent: usize,
    /// Calls of one department that may wait for a sandbox of a pool at once, those of all its
    /// plugins together.
    pub department_waiting_max: usize,
    /// How long the compiler may take for one component.
    pub compile_time: Duration,
    /// Bytes of memory that the compiler may use where it runs in a process of its own.
    pub compile_memory_bytes: u64,
    /// Bytes of memory that the plugins together should not be able to pass; what the machine
    /// has when none are named.
    pub memory_bytes: Option<u64>,
    /// Faults in a row that open a breaker.
    pub breaker_faults: u32,
    /// How long a breaker stays open before a probe.
    pub breaker_pause: Duration,
}

/// Bounds of one pool of sandboxes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PoolLimits {
    /// Sandboxes that exist at once: calls under way, those that wait for a reply included.
    pub instances: u32,
    /// Bytes to which a guest's memory may grow, whatever it is granted.
    pub memory_bytes_max: usize,
    /// Bytes of a finished guest's memory that stay mapped for the next one.
    pub memory_bytes_kept: usize,
    /// Bytes of a finished guest's tables that stay mapped for the next one.
    pub table_bytes_kept: usize,
    /// Unused sandboxes that keep their memory mapped.
    pub warm_slots: u32,
    /// Elements of one table.
    pub table_elements_max: usize,
    /// Core instances that one component may consist of.
    pub core_instances_max: u32,
    /// Memories that one component may have.
    pub memories_max: u32,
    /// Tables that one component may have.
    pub tables_max: u32,
}

impl PoolLimits {
    /// The most memory that this pool keeps for sandboxes nobody uses.
    pub const fn kept_bytes_max(&self) -> usize {
        (self.memory_bytes_kept + self.table_bytes_kept) * self.warm_slots as usize
    }
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            small: PoolLimits {
                instances: 256,
                memory_bytes_max: 256 << 20,
                // More would be kept from being given back until the next guest's memory is made
                // unreachable, which holds up every guest's while it lasts.
                memory_bytes_kept: 256 << 10,
                table_bytes_kept: 64 << 10,
                warm_slots: 256,
                table_elements_max: 20_000,
                core_instances_max: 8,
                memories_max: 2,
                tables_max: 4,
            },
            large: PoolLimits {
                instances: 32,
                memory_bytes_max: 1 << 30,
                memory_bytes_kept: 64 << 20,
                table_bytes_kept: 1 << 20,
                warm_slots: 8,
                table_elements_max: 200_000,
                core_instances_max: 64,
                memories_max: 4,
                tables_max: 16,
            },
            small_guest_initial_bytes_max: 4 << 20,
            guest_threads: std::thread::available_parallelism().map_or(1, usize::from),
            tick: std::time::Duration::from_millis(1),
            department_share_percent: 75,
            department_waiting_max: 1_024,
            compile_time: Duration::from_secs(600),
            compile_memory_bytes: 4 << 30,
            memory_bytes: None,
            breaker_faults: BREAKER_FAULTS,
            breaker_pause: BREAKER_PAUSE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_kept_for_idle_sandboxes_is_bounded() {
        let limits = HostLimits::default();
        assert!(limits.small.kept_bytes_max() <= 256 << 20);
        assert!(limits.large.kept_bytes_max() <= 1 << 30);
    }
}
