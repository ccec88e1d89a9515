//! The state of one guest: what the host functions of one call know and hold. It is made for
//! the call and dropped with it.

use std::sync::Arc;

use tokio::time::Instant;
use trunkline_model::{CallId, Duration};
use wasmtime::{ResourceLimiter, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    bench::Probe,
    egress::Requests,
    faults::Stop,
    grants::Bytes,
    limits::{HTTP_FIELDS_BYTES_MAX, RANDOM_BYTES_MAX},
    plugin::Loaded,
    stderr::Tail,
};

/// What a guest may know about the call it answers.
pub(crate) struct CallContext {
    pub(crate) id: CallId,
    pub(crate) attempt: u32,
    pub(crate) locale: String,
    pub(crate) deadline: Instant,
    /// The time that it has in all.
    pub(crate) time: Duration,
    /// Of a call on the bench.
    pub(crate) probe: Option<Arc<Probe>>,
}

/// The state of one guest.
pub(crate) struct Guest {
    pub(crate) plugin: Arc<Loaded>,
    pub(crate) call: CallContext,
    pub(crate) memory: Memory,
    pub(crate) requests: Requests,
    resources: ResourceTable,
    http: WasiHttpCtx,
    /// Made when the guest first asks for something of WASI: most calls never do, and the
    /// random numbers in it cost more than all the rest.
    wasi: Option<Box<WasiCtx>>,
    stderr: Option<Tail>,
}

impl Guest {
    pub(crate) fn new(plugin: Arc<Loaded>, call: CallContext) -> Self {
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(HTTP_FIELDS_BYTES_MAX);
        Self {
            memory: Memory {
                used: 0,
                limit: plugin.grants.limits.memory.as_usize(),
                table_elements_max: plugin.compiled.pool_limits.table_elements_max,
            },
            requests: Requests::new(plugin.clone(), call.deadline, call.probe.clone()),
            plugin,
            call,
            resources: ResourceTable::new(),
            http,
            wasi: None,
            stderr: None,
        }
    }

    /// What the guest last wrote to its standard error, if it wrote something.
    pub(crate) fn said(&self) -> Option<String> {
        self.stderr.as_ref().and_then(Tail::read)
    }

    /// What was denied to the guest, if something was: a sentence.
    pub(crate) fn denied(&self) -> Option<&str> {
        self.requests.denied()
    }
}

impl Drop for Guest {
    /// However it ended: memories only grow, so what it has is the most that it had.
    fn drop(&mut self) {
        self.plugin.meter.memory(self.memory.used as u64);
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let stderr = &mut self.stderr;
        let wasi = self.wasi.get_or_insert_with(|| {
            let tail = stderr.get_or_insert_default().clone();
            Box::new(
                WasiCtx::builder()
                    .stderr(tail)
                    .max_random_size(RANDOM_BYTES_MAX)
                    .allow_tcp(false)
                    .allow_udp(false)
                    .allow_ip_name_lookup(false)
                    .build(),
            )
        });
        WasiCtxView {
            ctx: wasi,
            table: &mut self.resources,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.requests,
            table: &mut self.resources,
            ctx: &mut self.http,
        }
    }
}

/// Counts the memory that a guest has, all its memories together.
pub(crate) struct Memory {
    used: usize,
    limit: usize,
    table_elements_max: usize,
}

impl Memory {
    /// Bytes that the guest has: the most that it had, since memories do not shrink.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let wanted = self.used.saturating_add(desired.saturating_sub(current));
        if wanted > self.limit {
            // A trap rather than a failed growth: most guests can do nothing with the latter
            // but abort, and the fault says what happened.
            return Err(Stop::Memory {
                wanted: Bytes(wanted as u64),
                limit: Bytes(self.limit as u64),
            }
            .into());
        }
        self.used = wanted;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= self.table_elements_max)
    }
}
