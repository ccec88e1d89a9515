//! Inputs that nobody thought of: generated from the types of a component's functions, the same
//! for the same seed.
//!
//! A function may refuse what it likes. What it may not do is fault: trap, run out of time or of
//! memory, or answer with too much or with what is no value. An input that makes it do so is
//! made as small as it gets, and told as a case to keep.

mod random;
mod shrink;
mod values;
mod weather;

use std::{collections::BTreeMap, sync::Arc};

use tokio::time::Instant;
use trunkline_model::{FaultKind, Outcome, Signature, Value};
use trunkline_plugin::{Measurement, Plugin};

pub(super) use self::random::Random;
use self::{values::Generator, weather::Weather};
use super::{
    recording::{Exchange, Reply},
    stand::{Calling, Stand},
};

/// How long one function is fuzzed, however many inputs are wished.
const FUNCTION_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(60);

/// Calls made to find a smaller input.
const SHRINK_CALLS_MAX: usize = 400;

/// The same where each call lasts until its time is over.
const SHRINK_SLOW_CALLS_MAX: usize = 12;

/// Inputs for a function that takes none: only what it asks for differs.
const INPUTS_WITHOUT_PARAMETERS_MAX: u32 = 20;

/// What came of fuzzing one function.
pub(super) struct Fuzzed {
    pub(super) function: Signature,
    /// Inputs that were tried.
    pub(super) inputs: u32,
    /// Whether its time was over before all were.
    pub(super) cut_short: bool,
    /// The most that any of them used.
    pub(super) most: Most,
    pub(super) finding: Option<Finding>,
}

/// The most that several calls used, each by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Most {
    pub(super) time: std::time::Duration,
    pub(super) memory: trunkline_plugin::Bytes,
    /// None where nobody knows, as of a guest that was stopped.
    pub(super) instructions: Option<u64>,
}

impl Most {
    pub(super) fn add(&mut self, usage: &Measurement) {
        self.time = self.time.max(usage.time);
        self.memory = self.memory.max(usage.memory_peak);
        self.instructions = self.instructions.max(usage.instructions);
    }
}

/// An input that makes a function fault.
pub(super) struct Finding {
    pub(super) kind: FaultKind,
    pub(super) message: String,
    pub(super) arguments: Vec<Value>,
    /// What its requests were answered.
    pub(super) exchanges: Vec<Exchange>,
    pub(super) usage: Measurement,
    /// Which input it was, from 1.
    pub(super) input: u32,
}

/// What is fuzzed with.
pub(super) struct Fuzz<'a> {
    pub(super) stand: &'a Stand,
    pub(super) plugin: &'a Plugin,
    pub(super) seed: u64,
    pub(super) inputs: u32,
    /// Replies that were recorded, for others to be made of.
    pub(super) replies: &'a [Reply],
}

/// An input that makes a function fault, before it is made smaller.
struct Found {
    arguments: Vec<Value>,
    weather: u64,
    tried: Tried,
    kind: FaultKind,
    input: u32,
}

/// One input, run.
struct Tried {
    outcome: Outcome,
    usage: Measurement,
    exchanges: Vec<Exchange>,
}

impl Fuzz<'_> {
    /// Fuzzes one function, up to its first finding.
    pub(super) async fn function(&self, function: &Signature) -> Fuzzed {
        let inputs = if function.parameters.is_empty() {
            self.inputs.min(INPUTS_WITHOUT_PARAMETERS_MAX)
        } else {
            self.inputs
        };
        let mut fuzzed = Fuzzed {
            function: function.clone(),
            inputs: 0,
            cut_short: false,
            most: Most::default(),
            finding: None,
        };
        let began = Instant::now();
        for input in 1..=inputs {
            if began.elapsed() > FUNCTION_TIME_MAX {
                fuzzed.cut_short = true;
                break;
            }
            // Each input by itself, so that it can be had again without those before it.
            let mut random = Random::of(self.seed, &function.path(), input);
            // The host counts more of a value than its text: half of the limit stays within it.
            let bytes_max = self.stand.limits().argument_bytes.as_usize() / 2;
            let mut generator = Generator::new(&mut random, bytes_max);
            let arguments: Vec<Value> = function
                .parameters
                .iter()
                .map(|parameter| generator.argument(&parameter.name, &parameter.ty))
                .collect();
            let weather = random.next();
            let tried = self.run(function, arguments.clone(), Some(weather)).await;
            fuzzed.inputs += 1;
            fuzzed.most.add(&tried.usage);
            if let Some(kind) = tried.fault() {
                let found = Found {
                    arguments,
                    weather,
                    tried,
                    kind,
                    input,
                };
                let until = began + FUNCTION_TIME_MAX;
                fuzzed.finding = Some(self.smallest(function, found, until).await);
                break;
            }
        }
        fuzzed
    }

    /// Runs one input, in some weather; without any every request is refused.
    async fn run(&self, function: &Signature, arguments: Vec<Value>, weather: Option<u64>) -> Tried {
        let weather = Arc::new(Weather::new(weather, self.replies));
        let calling = Calling {
            function,
            arguments,
            locale: "zh-CN",
            attempt: 1,
            kv: &BTreeMap::new(),
            replies: Some(weather.clone()),
        };
        let (outcome, usage) = self.stand.call(self.plugin, calling).await;
        Tried {
            outcome,
            usage,
            exchanges: weather.passed(),
        }
    }

    /// The smallest input that makes the same fault, as far as there is time to find it.
    async fn smallest(&self, function: &Signature, found: Found, until: Instant) -> Finding {
        let Found {
            mut arguments,
            weather,
            mut tried,
            kind,
            input,
        } = found;
        let mut calls = match kind {
            FaultKind::TimedOut => SHRINK_SLOW_CALLS_MAX,
            _ => SHRINK_CALLS_MAX,
        };
        let mut weather = Some(weather);
        if !tried.exchanges.is_empty() {
            let without = self.run(function, arguments.clone(), None).await;
            if without.fault() == Some(kind) {
                weather = None;
                tried = without;
            }
        }
        'smaller: loop {
            for (index, parameter) in function.parameters.iter().enumerate() {
                for candidate in shrink::smaller(&arguments[index], &parameter.ty) {
                    if calls == 0 || Instant::now() > until {
                        break 'smaller;
                    }
                    calls -= 1;
                    let mut changed = arguments.clone();
                    changed[index] = candidate;
                    let again = self.run(function, changed.clone(), weather).await;
                    if again.fault() == Some(kind) {
                        arguments = changed;
                        tried = again;
                        continue 'smaller;
                    }
                }
            }
            break;
        }
        let message = match &tried.outcome {
            Outcome::Fault(fault) => fault.message.clone(),
            Outcome::Ok(_) | Outcome::Refusal(_) => String::new(),
        };
        Finding {
            kind,
            message,
            arguments,
            exchanges: tried.exchanges,
            usage: tried.usage,
            input,
        }
    }
}

impl Tried {
    /// Its fault, if it is the plugin's own: an argument that is refused before there is a sandbox is
    /// ours.
    fn fault(&self) -> Option<FaultKind> {
        match &self.outcome {
            Outcome::Fault(_) if self.usage.time.is_zero() => None,
            Outcome::Fault(fault) => match fault.kind {
                FaultKind::Trap
                | FaultKind::TimedOut
                | FaultKind::OutOfMemory
                | FaultKind::TooLarge
                | FaultKind::Host => Some(fault.kind),
                FaultKind::Interrupted | FaultKind::Denied | FaultKind::Overloaded | FaultKind::Open => None,
            },
            Outcome::Ok(_) | Outcome::Refusal(_) => None,
        }
    }
}
