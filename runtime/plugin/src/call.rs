//! One call's way: breaker, arguments, slots, a fresh sandbox, the answer, the counts.
//!
//! A short call begins on its caller's own thread, since a change of threads costs as much as
//! the sandbox. Whatever does not end at once, within about a tick, moves to the guests'
//! threads; a function that has been slow lately goes there from the start ([`pace`](crate::pace)).

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};
use tracing::Instrument as _;
use trunkline_model::{FaultKind, Outcome, Refusal, Value, signature::REFUSED};
use wasmtime::{Store, component::Val};

use crate::{
    BreakerState,
    beginning::Among,
    bench::{Probe, Probed},
    dynamic, faults,
    guest::{CallContext, Guest},
    introspect::Export,
    limits::HANDLES_MAX,
    plugin::{Call, Loaded},
    shape::Shape,
    slots::{NoSlot, Slot},
    turns::{InTurns, Ran, processor_time},
    values::{self, Budget, Mismatch},
};

/// Ticks that a guest runs before it first gives way; later it is every one.
const FIRST_TICKS: u64 = 2;

/// Calls a function and counts what came of it.
pub(crate) async fn call(plugin: &Arc<Loaded>, call: Call, probe: Option<Arc<Probe>>) -> Outcome {
    let began = Instant::now();
    let Some(&position) = plugin.functions.get(&call.function) else {
        return no_such_function(plugin, &call);
    };
    let signature = &plugin.interface.functions[position];
    let span = tracing::info_span!(
        "plugin call",
        plugin = %plugin.name,
        function = %call.function,
        call = %call.id,
        attempt = call.attempt,
    );
    let outcome = admitted(plugin, position, call, began, probe)
        .instrument(span)
        .await;
    plugin.shared.counts.outcome(&outcome);
    plugin.meter.outcome(&outcome);
    plugin.shared.log.settle(&plugin.name);
    plugin.called[position].metrics.record(
        &plugin.name,
        &signature.function,
        &outcome,
        began.elapsed().as_secs_f64(),
    );
    outcome
}

fn no_such_function(plugin: &Loaded, call: &Call) -> Outcome {
    let functions = &plugin.interface.functions;
    let known: Vec<_> = functions
        .iter()
        .map(|signature| signature.function.as_str())
        .collect();
    Outcome::fault(
        FaultKind::Host,
        format!(
            "plugin `{}` exports no function `{}`; it exports {}",
            plugin.name,
            call.function,
            known.join(", ")
        ),
    )
}

async fn admitted(
    plugin: &Arc<Loaded>,
    position: usize,
    call: Call,
    began: Instant,
    probe: Option<Arc<Probe>>,
) -> Outcome {
    let arguments = match arguments(plugin, position, &call.arguments) {
        Ok(arguments) => arguments,
        Err(fault) => return fault,
    };
    let Some(admitted) = plugin.breaker.admit() else {
        return Outcome::fault(
            FaultKind::Open,
            format!(
                "plugin `{}` faulted many times in a row and is not called for a while",
                plugin.name
            ),
        );
    };
    if admitted.is_probe() {
        breaker_is(plugin, BreakerState::Probing);
    }
    let time = call.time.min(plugin.grants.limits.time);
    let deadline = began + time.to_std();
    let outcome = match slots(plugin, deadline).await {
        Ok(slots) => {
            let context = CallContext {
                id: call.id,
                attempt: call.attempt,
                locale: call.locale,
                deadline,
                time,
                probe,
            };
            sandboxed(plugin, position, arguments, context, slots).await
        }
        Err(none) => Outcome::fault(FaultKind::Overloaded, none.sentence(plugin, time)),
    };
    if let Some(state) = admitted.finish(&outcome) {
        breaker_is(plugin, state);
    }
    outcome
}

/// Tells the operator that a plugin's breaker has another state.
fn breaker_is(plugin: &Loaded, state: BreakerState) {
    plugin.meter.breaker(state);
    let (name, department) = (&plugin.name, &plugin.department_name);
    let pause = plugin.host.limits.breaker_pause;
    match state {
        BreakerState::Open => {
            plugin.meter.opened();
            tracing::warn!(
                plugin = %name, %department, breaker = state.as_str(),
                "plugin `{name}` faulted {} times in a row or in its probe: it is not called for {pause}",
                plugin.host.limits.breaker_faults,
            );
        }
        BreakerState::Probing => tracing::info!(
            plugin = %name, %department, breaker = state.as_str(),
            "one call of plugin `{name}` is let through to see"
        ),
        BreakerState::Closed => tracing::info!(
            plugin = %name, %department, breaker = state.as_str(),
            "plugin `{name}` answers again"
        ),
    }
}

/// The arguments as the component takes them, or a fault that names the parameter.
fn arguments(plugin: &Loaded, position: usize, values: &[Value]) -> Result<Vec<Val>, Outcome> {
    let signature = &plugin.interface.functions[position];
    if values.len() > signature.parameters.len() {
        return Err(Outcome::fault(
            FaultKind::Host,
            format!(
                "{signature} takes {} arguments, not {}",
                signature.parameters.len(),
                values.len()
            ),
        ));
    }
    let bytes_max = plugin.grants.limits.argument_bytes.as_usize();
    if let Some(claimed) = plugin.claimed(position) {
        return dynamic::arguments(claimed, values, bytes_max);
    }
    let export = plugin.export(position);
    let mut budget = Budget::new(bytes_max);
    let mut vals = Vec::with_capacity(export.parameters.len());
    for (index, shape) in export.parameters.iter().enumerate() {
        let value = values.get(index).unwrap_or(&Value::None);
        vals.push(values::lower(value, shape, &mut budget).map_err(|mismatch| {
            let kind = if mismatch.is_too_large() {
                FaultKind::TooLarge
            } else {
                FaultKind::Host
            };
            let name = &signature.parameters[index].name;
            Outcome::fault(
                kind,
                mismatch.sentence(|path| format!("argument `{name}{path}` of `{}`", signature.path())),
            )
        })?);
    }
    Ok(vals)
}

/// A slot of the plugin's own and one of the pool's, in that order: a plugin that is over its
/// own limit must not hold room that others could use.
pub(crate) async fn slots(plugin: &Arc<Loaded>, deadline: Instant) -> Result<(Slot, Slot), NoRoom> {
    let shared = &plugin.shared;
    let own = shared
        .concurrent
        .take(shared.all, deadline)
        .await
        .map_err(NoRoom::OfItsOwn)?;
    Ok((own, pool_slot(plugin, deadline).await?))
}

/// A slot of the pool alone, for what is not a call.
pub(crate) async fn pool_slot(plugin: &Loaded, deadline: Instant) -> Result<Slot, NoRoom> {
    let size = plugin.compiled.size;
    let slots = &plugin.host.pool(size).slots;
    slots
        .take(plugin.department.in_pool(size), deadline)
        .await
        .map_err(NoRoom::InThePool)
}

/// Why a call has nowhere to run.
pub(crate) enum NoRoom {
    /// As many calls of the plugin run as may.
    OfItsOwn(NoSlot),
    /// No sandbox is free for its department.
    InThePool(NoSlot),
}

impl NoRoom {
    /// What a person who meets it should know: what is over, and which line raises it.
    pub(crate) fn sentence(&self, plugin: &Loaded, time: trunkline_model::Duration) -> String {
        let (name, limits) = (&plugin.name, &plugin.grants.limits);
        match self {
            Self::OfItsOwn(NoSlot::Full { waiting }) => format!(
                "plugin `{name}` has {} calls under way and {waiting} that wait, and no more may wait \
                 (grants.yaml: `{name}: limits: {{ concurrent: {}, waiting: {} }}`)",
                plugin.shared.concurrent.held(),
                limits.concurrent,
                limits.waiting,
            ),
            Self::OfItsOwn(NoSlot::Late) => format!(
                "no slot became free for plugin `{name}` within {time}: as many of its calls ran as may at once \
                 (grants.yaml: `{name}: limits: {{ concurrent: {} }}`)",
                limits.concurrent,
            ),
            Self::InThePool(NoSlot::Full { waiting }) => format!(
                "{waiting} calls of the department of plugin `{name}` wait for a sandbox, and no more may wait: \
                 lower `concurrent` of its plugins in grants.yaml so that each has its own queue"
            ),
            Self::InThePool(NoSlot::Late) => format!(
                "no slot became free for plugin `{name}` within {time}: its department's share of the {} \
                 sandboxes was in use (grants.yaml: `{name}: limits: {{ reserve: N }}` keeps some for it)",
                plugin.compiled.pool_limits.instances,
            ),
        }
    }
}

/// Runs the guest, here or on the guests' threads.
async fn sandboxed(
    plugin: &Arc<Loaded>,
    position: usize,
    arguments: Vec<Val>,
    context: CallContext,
    slots: (Slot, Slot),
) -> Outcome {
    let (deadline, time) = (context.deadline, context.time);
    let pace = &plugin.called[position].pace;
    let mut guest = Box::pin(guest(plugin.clone(), position, arguments, context, slots));

    let mut moved = false;
    let began = Instant::now();
    let beginnings = &plugin.host.beginnings;
    if let Some(among) = beginnings.may(&plugin.share, began, pace.is_lasting())
        && pace.begins_here()
        && let Some(turn) = plugin.host.begun.try_take(plugin.department.begun)
    {
        // Beside others the clock counts what they took of the thread, too.
        let before = (among == Among::Others).then(processor_time);
        let polled = first_poll(plugin, guest.as_mut()).await;
        let took = match before {
            Some(before) => processor_time().saturating_sub(before),
            None => began.elapsed(),
        };
        drop(turn);
        plugin.meter.busy(took);
        beginnings.took(&plugin.share, began, took);
        moved = matches!(polled, Ok(Poll::Pending));
        pace.took_here(took, moved);
        match polled {
            Ok(Poll::Ready(outcome)) => return outcome,
            Ok(Poll::Pending) => {}
            Err(fault) => return fault,
        }
    }

    let guest = InTurns::new(
        guest,
        plugin.host.turns.clone(),
        plugin.department.turns,
        plugin.meter.clone(),
    );
    let mut task = Stopped(
        plugin
            .host
            .guests
            .spawn(async move { tokio::time::timeout_at(deadline, guest).await }.in_current_span()),
    );
    match (&mut task.0).await {
        Ok(Ok(Ran { output, busy })) => {
            if !moved {
                pace.took_elsewhere(busy);
            }
            output
        }
        Ok(Err(_)) => {
            pace.took_elsewhere(Duration::MAX);
            Outcome::fault(FaultKind::TimedOut, took_longer(plugin, time))
        }
        Err(error) => host_failed(plugin, &error),
    }
}

/// Whose bound a call that took too long was over.
fn took_longer(plugin: &Loaded, time: trunkline_model::Duration) -> String {
    let (name, limit) = (&plugin.name, plugin.grants.limits.time);
    if time < limit {
        format!("plugin `{name}` took longer than its time, {time}, which its step gives it")
    } else {
        format!(
            "plugin `{name}` took longer than its time, {time} \
             (grants.yaml: `{name}: limits: {{ time: {limit} }}`)"
        )
    }
}

/// Polls a guest once on this thread, as if it were one of the guests' threads: what it waits
/// for and what it starts belongs there.
async fn first_poll<F: Future<Output = Outcome>>(
    plugin: &Loaded,
    mut guest: Pin<&mut F>,
) -> Result<Poll<Outcome>, Outcome> {
    poll_fn(|context| {
        let _guests = plugin.host.guests.enter();
        let polled = catch_unwind(AssertUnwindSafe(|| guest.as_mut().poll(context)));
        Poll::Ready(polled.map_err(|_| host_failed(plugin, &"a host function panicked")))
    })
    .await
}

fn host_failed(plugin: &Loaded, reason: &dyn std::fmt::Display) -> Outcome {
    tracing::error!(plugin = %plugin.name, %reason, "the host failed during a plugin call");
    Outcome::fault(FaultKind::Host, format!("the host failed: {reason}"))
}

/// A task that is stopped when nobody waits for it any more.
struct Stopped<T>(JoinHandle<T>);

impl<T> Drop for Stopped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The guest's whole life.
async fn guest(
    plugin: Arc<Loaded>,
    position: usize,
    arguments: Vec<Val>,
    context: CallContext,
    _slots: (Slot, Slot),
) -> Outcome {
    let _running = plugin.host.ticker.run();
    let export = plugin.export(position);
    let reply_bytes = plugin.grants.limits.reply_bytes;
    let mut probed = Probed::new(store(&plugin, context));
    let store = &mut probed.store;
    let ran = run(&plugin, export, store, &arguments).await;
    probed.ended = true;
    let store = &probed.store;
    match ran {
        Ok(result) => answer(&plugin, position, result),
        Err(error) => {
            let guest = store.data();
            let mut fault = faults::fault(&error, reply_bytes, guest.said());
            if let Some(denied) = guest.denied() {
                fault.message = format!("{}; before that, {denied}", fault.message);
            }
            Outcome::Fault(fault)
        }
    }
}

/// A fresh sandbox, within the plugin's limits.
pub(crate) fn store(plugin: &Arc<Loaded>, context: CallContext) -> Store<Guest> {
    let mut store = Store::new(plugin.compiled.pre.engine(), Guest::new(plugin.clone(), context));
    store.limiter(|guest| &mut guest.memory);
    store.set_epoch_deadline(FIRST_TICKS);
    store.epoch_deadline_async_yield_and_update(1);
    store.set_hostcall_fuel(plugin.grants.limits.reply_bytes.as_usize());
    store.set_max_component_handles(HANDLES_MAX);
    if plugin.host.counts_instructions {
        // Fails only on an engine that does not count.
        let _ = store.set_fuel(u64::MAX);
    }
    store
}

pub(crate) async fn run(
    plugin: &Loaded,
    export: &Export,
    store: &mut Store<Guest>,
    arguments: &[Val],
) -> wasmtime::Result<Option<Val>> {
    let instance = plugin.compiled.pre.instantiate_async(&mut *store).await?;
    let function = instance
        .get_func(&mut *store, export.index)
        .ok_or_else(|| wasmtime::Error::msg("the export was there when the component was loaded"))?;
    let mut result = [Val::Bool(false)];
    let results = if export.result.is_some() {
        &mut result[..]
    } else {
        &mut []
    };
    function.call_async(&mut *store, arguments, results).await?;
    let [result] = result;
    Ok(export.result.is_some().then_some(result))
}

/// The outcome of a function that came back.
fn answer(plugin: &Loaded, position: usize, result: Option<Val>) -> Outcome {
    if let Some(claimed) = plugin.claimed(position) {
        return dynamic::answer(claimed, result, plugin.grants.limits.reply_bytes);
    }
    let shape = plugin.export(position).result.as_ref();
    outcome(shape, result).unwrap_or_else(|mismatch| {
        let signature = &plugin.interface.functions[position];
        Outcome::fault(
            FaultKind::Host,
            mismatch.sentence(|path| format!("the answer{path} of `{}`", signature.path())),
        )
    })
}

fn outcome(shape: Option<&Shape>, result: Option<Val>) -> Result<Outcome, Mismatch> {
    let answered = |value: Option<Value>| Outcome::Ok(value.unwrap_or_default());
    match (shape, result) {
        (Some(Shape::Result { ok, .. }), Some(Val::Result(Ok(payload)))) => {
            values::lift_payload(ok.as_deref(), payload).map(answered)
        }
        (Some(Shape::Result { error, .. }), Some(Val::Result(Err(payload)))) => {
            refusal(error.as_deref(), payload).map(Outcome::Refusal)
        }
        (Some(shape), Some(val)) => values::lift(val, shape).map(Outcome::Ok),
        _ => Ok(answered(None)),
    }
}

fn refusal(shape: Option<&Shape>, payload: Option<Box<Val>>) -> Result<Refusal, Mismatch> {
    match (shape, payload.map(|payload| *payload)) {
        (Some(Shape::Variant(cases)), Some(Val::Variant(name, payload))) => {
            let (case, payload) = values::lift_case(cases, &name, payload)?;
            Ok(Refusal {
                case,
                payload: payload.map(Arc::unwrap_or_clone).unwrap_or_default(),
            })
        }
        (Some(Shape::Enum(names)), Some(Val::Enum(name))) => Ok(Refusal {
            case: values::shared(names, &name),
            payload: Value::None,
        }),
        (Some(shape), Some(val)) => Ok(Refusal {
            case: REFUSED.into(),
            payload: values::lift(val, shape)?,
        }),
        _ => Ok(Refusal {
            case: REFUSED.into(),
            payload: Value::None,
        }),
    }
}
