//! Scenarios played on several threads.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{runtime::Handle, time::Instant};
use trunkline_flow::Checked;
use trunkline_model::{PluginName, signature::Interface};
use trunkline_node::Release;
use trunkline_scenario::{Coverage, Mocks, Played, Scenario, play};

use super::{printed, real::Real};

/// What scenarios are played with.
pub(crate) struct Cast {
    pub(crate) hotline: Checked,
    pub(crate) interfaces: BTreeMap<PluginName, Arc<Interface>>,
    pub(crate) release: Arc<Release>,
}

impl Cast {
    /// The hotline and the plugins of a release.
    pub(crate) fn of(release: &Arc<Release>) -> Self {
        Self {
            hotline: release.hotline().clone(),
            interfaces: interfaces(release),
            release: release.clone(),
        }
    }
}

/// What the plugins of a release offer.
pub(crate) fn interfaces(release: &Release) -> BTreeMap<PluginName, Arc<Interface>> {
    let plugins = release.plugins().iter();
    plugins
        .map(|(name, loaded)| (name.clone(), loaded.plugin.interface().clone()))
        .collect()
}

/// How scenarios are played.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    /// Whether plugins are called.
    pub(super) real: bool,
    /// How many threads play.
    pub(super) jobs: Option<usize>,
    /// Whether each result is shown when it is there.
    pub(super) shown: bool,
}

/// What came of all scenarios.
pub(super) struct Results<'s> {
    /// Each scenario's, in their order.
    pub(super) results: Vec<Result<'s>>,
    /// What they met together.
    pub(super) coverage: Coverage,
}

/// What came of one scenario.
pub(super) struct Result<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) played: Played,
    /// On the wall.
    pub(super) took: Duration,
}

impl Results<'_> {
    pub(super) fn all_passed(&self) -> bool {
        self.results.iter().all(|result| result.played.passed())
    }

    pub(super) fn failed(&self) -> usize {
        self.results
            .iter()
            .filter(|result| !result.played.passed())
            .count()
    }
}

/// Plays all scenarios. Results are shown in order, each as soon as all before it are there.
pub(super) fn all<'s>(cast: &Cast, scenarios: &'s [Scenario], settings: Settings) -> Results<'s> {
    let jobs = settings
        .jobs
        .unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get))
        .clamp(1, scenarios.len().max(1));
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Done {
        results: scenarios.iter().map(|_| None).collect(),
        shown: 0,
        coverage: Coverage::default(),
    });
    let handle = Handle::current();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let mut coverage = Coverage::default();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = scenarios.get(index) else {
                        break;
                    };
                    let result = one(cast, scenario, settings.real, &handle);
                    coverage.add(&cast.hotline, &result.played.events);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.results[index] = Some(result);
                    if settings.shown {
                        done.show();
                    }
                }
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.coverage.merge(coverage);
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    Results {
        results: done.results.into_iter().flatten().collect(),
        coverage: done.coverage,
    }
}

fn one<'s>(cast: &Cast, scenario: &'s Scenario, real: bool, handle: &Handle) -> Result<'s> {
    let began = Instant::now();
    let played = if real {
        let plugins = Real {
            release: &cast.release,
            handle,
        };
        play(&cast.hotline, scenario, plugins)
    } else {
        play(&cast.hotline, scenario, Mocks::new(scenario, &cast.interfaces))
    };
    Result {
        scenario,
        played,
        took: began.elapsed(),
    }
}

struct Done<'s> {
    results: Vec<Option<Result<'s>>>,
    shown: usize,
    coverage: Coverage,
}

impl Done<'_> {
    fn show(&mut self) {
        while let Some(Some(result)) = self.results.get(self.shown) {
            printed::result(result);
            self.shown += 1;
        }
    }
}
