//! Whether plugins' interfaces do what is expected of them: the share of calls that succeed, for
//! each interface in a sliding window. An answer and a function's own refusal succeed; a fault
//! does not.
//!
//! A share below what hotline.yaml expects is a breach, told once when it begins and once when it
//! is over: in the log, in metrics, in the API, and to the operator's webhook. All is counted in
//! memory: after a restart the windows are empty, and what still fails breaches again.

mod window;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use metrics::Gauge;
use trunkline_flow::hotline::{Percent, Success as Expected};
use trunkline_model::{Duration, FaultKind, FunctionName, Outcome, PluginName, Timestamp};

use crate::{clock::Clock, limits::SUCCESS_CHANGES_KEPT, observe, release::Release, webhook::Webhook};
use window::Window;

/// The success of all interfaces of a node's plugins.
pub struct Success {
    clock: Clock,
    webhook: Option<Webhook>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    interfaces: BTreeMap<Name, Watched>,
    /// The last changes, the newest last.
    changes: VecDeque<Change>,
}

/// An interface: the plugin's name, and the interface's own; a component's functions outside of
/// any interface go by the plugin's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    plugin: PluginName,
    interface: Arc<str>,
}

/// What a release expects of an interface, and whose it says that it is.
#[derive(Clone, PartialEq)]
struct Expecting {
    hotline: Arc<str>,
    department: Arc<str>,
    expected: Expected,
    /// The release's last activation.
    activation: u64,
}

struct Watched {
    expecting: Expecting,
    window: Window,
    /// Since when the window counts.
    counting: Timestamp,
    breached: Option<Timestamp>,
    gauges: Gauges,
}

/// How an interface stands, as metrics.
struct Gauges {
    rate: Gauge,
    breach: Gauge,
}

/// An interface as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Its plugin's name in the hotline.
    pub plugin: PluginName,
    /// Its name.
    pub interface: Arc<str>,
    /// Calls in the window.
    pub calls: u64,
    /// Those that faulted.
    pub failures: u64,
    /// What is expected of it.
    pub expected: Expected,
    /// Since when less of it succeeds than is expected.
    pub breached: Option<Timestamp>,
}

/// An interface that fell below what is expected of it, or came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// The hotline.
    pub hotline: Arc<str>,
    /// Whose it is.
    pub department: Arc<str>,
    /// How it stands now; `breached` tells which of both it is.
    pub standing: Standing,
}

impl Standing {
    /// The share of calls that succeeded, from 0 to 1; 1 where there were none.
    pub fn rate(&self) -> f64 {
        if self.calls == 0 {
            return 1.0;
        }
        self.calls.saturating_sub(self.failures) as f64 / self.calls as f64
    }
}

impl Success {
    pub(crate) fn new(clock: Clock, webhook: Option<Webhook>) -> Self {
        Self {
            clock,
            webhook,
            state: Mutex::default(),
        }
    }

    /// Counts what came of a call.
    pub(crate) fn record(
        &self,
        release: &Release,
        plugin: &PluginName,
        function: &FunctionName,
        outcome: &Outcome,
    ) {
        let Some(loaded) = release.plugins().get(plugin) else {
            return;
        };
        // The server's own stop is no failing of the plugin's.
        if matches!(outcome, Outcome::Fault(fault) if fault.kind == FaultKind::Interrupted) {
            return;
        }
        let hotline = release.hotline();
        let own = hotline.plugins.get(plugin).and_then(|plugin| plugin.success);
        let functions = &loaded.plugin.interface().functions;
        let interface = functions
            .iter()
            .find(|known| known.function == *function)
            .and_then(|known| known.interface.clone())
            .unwrap_or_else(|| plugin.as_str().into());
        self.count(
            Name {
                plugin: plugin.clone(),
                interface,
            },
            Expecting {
                hotline: hotline.name.clone(),
                department: loaded.department.clone(),
                expected: expected(hotline.success, own),
                activation: release.activation(),
            },
            matches!(outcome, Outcome::Fault(_)),
        );
    }

    fn count(&self, name: Name, expecting: Expecting, failed: bool) {
        let now = self.clock.now();
        let mut state = self.lock();
        let State { interfaces, changes } = &mut *state;
        let watched = interfaces
            .entry(name.clone())
            .or_insert_with(|| Watched::new(&name, expecting.clone(), now));
        watched.take_over(&name, expecting, now);
        watched.window.count(now, failed);
        if let Some(change) = watched.judge(&name, now) {
            self.tell(changes, change);
        }
    }

    /// Looks at all interfaces again: what was bad may lie outside of its window by now.
    pub(crate) fn sweep(&self) {
        let now = self.clock.now();
        let mut state = self.lock();
        let State { interfaces, changes } = &mut *state;
        for (name, watched) in interfaces {
            if let Some(change) = watched.judge(name, now) {
                self.tell(changes, change);
            }
        }
    }

    /// The interfaces of a plugin that were called since the start.
    pub fn of_plugin(&self, plugin: &PluginName) -> Vec<Standing> {
        let now = self.clock.now();
        let state = self.lock();
        let all = state.interfaces.iter();
        all.filter(|(name, _)| name.plugin == *plugin)
            .map(|(name, watched)| watched.standing(name, now))
            .collect()
    }

    /// The last changes, the newest last.
    pub fn changes(&self) -> Vec<Change> {
        self.lock().changes.iter().cloned().collect()
    }

    fn tell(&self, changes: &mut VecDeque<Change>, change: Change) {
        let Change {
            department, standing, ..
        } = &change;
        let Standing {
            plugin,
            interface,
            calls,
            failures,
            expected,
            breached,
        } = standing;
        if breached.is_some() {
            tracing::warn!(
                %plugin, %interface, %department, calls, failures,
                rate = standing.rate(), expected = %expected.rate, window = %expected.window,
                "interface `{interface}` of plugin `{plugin}` succeeds less often than is expected: {failures} of \
                 {calls} calls failed within {}",
                expected.window
            );
        } else {
            tracing::info!(
                %plugin, %interface, %department, calls, failures,
                rate = standing.rate(), expected = %expected.rate, window = %expected.window,
                "interface `{interface}` of plugin `{plugin}` succeeds as often as is expected again"
            );
        }
        if let Some(webhook) = &self.webhook {
            webhook.send(&change);
        }
        if changes.len() == SUCCESS_CHANGES_KEPT {
            changes.pop_front();
        }
        changes.push_back(change);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A plugin's own rate stands for the hotline's.
fn expected(hotline: Expected, own: Option<Percent>) -> Expected {
    Expected {
        rate: own.unwrap_or(hotline.rate),
        ..hotline
    }
}

impl Gauges {
    fn new(name: &Name, department: &str) -> Self {
        let gauge = |metric: &'static str| {
            metrics::gauge!(
                metric,
                "plugin" => name.plugin.to_string(),
                "interface" => name.interface.to_string(),
                "department" => department.to_owned(),
            )
        };
        Self {
            rate: gauge(observe::SUCCESS_RATE),
            breach: gauge(observe::SUCCESS_BREACHED),
        }
    }
}

impl Watched {
    fn new(name: &Name, expecting: Expecting, now: Timestamp) -> Self {
        Self {
            window: Window::new(expecting.expected.window),
            counting: now,
            breached: None,
            gauges: Gauges::new(name, &expecting.department),
            expecting,
        }
    }

    /// The release that was activated last says what is expected, not an older one whose contacts still
    /// call. A window of another length begins anew, and what was breached stays so until it says otherwise.
    fn take_over(&mut self, name: &Name, expecting: Expecting, now: Timestamp) {
        if expecting.activation < self.expecting.activation || self.expecting == expecting {
            return;
        }
        if self.expecting.expected.window != expecting.expected.window {
            self.window = Window::new(expecting.expected.window);
            self.counting = now;
        }
        if self.expecting.department != expecting.department {
            self.gauges.breach.set(0.0);
            self.gauges = Gauges::new(name, &expecting.department);
            self.gauges
                .breach
                .set(f64::from(u8::from(self.breached.is_some())));
        }
        self.expecting = expecting;
    }

    /// Whether something has changed. A breach takes enough calls; it is over when enough calls
    /// say so, or when the window holds no failure any more, and no sooner than a part of the
    /// window later: what wavers at the bound is not told of with every call.
    fn judge(&mut self, name: &Name, now: Timestamp) -> Option<Change> {
        let (calls, failures) = self.window.sums(now);
        let expected = self.expecting.expected;
        let enough = calls >= expected.least.into();
        let holds = expected.rate.holds(calls, failures);
        // Of a window that began anew nothing can be said before it is as long as it should be.
        let clean = failures == 0 && now.since(self.counting) >= expected.window;
        let changed = match self.breached {
            None if enough && !holds => {
                self.breached = Some(now);
                true
            }
            Some(since) if holds && (enough || clean) && now.since(since) >= self.window.part() => {
                self.breached = None;
                true
            }
            _ => false,
        };
        let standing = self.standing(name, now);
        self.gauges.rate.set(standing.rate());
        if changed || self.breached.is_none() {
            self.gauges
                .breach
                .set(f64::from(u8::from(self.breached.is_some())));
        }
        changed.then(|| Change {
            at: now,
            hotline: self.expecting.hotline.clone(),
            department: self.expecting.department.clone(),
            standing,
        })
    }

    fn standing(&self, name: &Name, now: Timestamp) -> Standing {
        let (calls, failures) = self.window.sums(now);
        Standing {
            plugin: name.plugin.clone(),
            interface: name.interface.clone(),
            calls,
            failures,
            expected: self.expecting.expected,
            breached: self.breached,
        }
    }
}

/// How long a window's part is, at which what is old falls out of it.
fn part(window: Duration, parts: u64) -> Duration {
    Duration::from_millis((window.as_millis() / parts).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: fn() -> Expected = || Expected {
        rate: "90%".parse().unwrap(),
        window: Duration::from_secs(600),
        least: 20,
    };

    fn success() -> (Success, Clock) {
        let clock = Clock::still(Timestamp::from_millis(1_800_000_000_000));
        (Success::new(clock.clone(), None), clock)
    }

    fn calls(success: &Success, interface: &str, good: u32, bad: u32) {
        calls_on(success, interface, &release(2, 600), good, bad);
    }

    fn calls_on(success: &Success, interface: &str, release: &Expecting, good: u32, bad: u32) {
        let name = Name {
            plugin: "crm".into(),
            interface: interface.into(),
        };
        for number in 0..good + bad {
            success.count(name.clone(), release.clone(), number >= good);
        }
    }

    /// What the release of an activation expects, within so many seconds.
    fn release(activation: u64, window: u64) -> Expecting {
        Expecting {
            hotline: "city".into(),
            department: "civil".into(),
            expected: Expected {
                window: Duration::from_secs(window),
                ..EXPECTED()
            },
            activation,
        }
    }

    fn told(success: &Success) -> Vec<(String, bool, u64, u64)> {
        let changes = success.changes();
        changes
            .iter()
            .map(|change| {
                let standing = &change.standing;
                (
                    standing.interface.to_string(),
                    standing.breached.is_some(),
                    standing.calls,
                    standing.failures,
                )
            })
            .collect()
    }

    #[test]
    fn too_few_calls_say_nothing() {
        let (success, _) = success();
        calls(&success, "citizens", 0, 19);
        assert_eq!(told(&success), []);
        calls(&success, "citizens", 0, 1);
        assert_eq!(told(&success), [("citizens".to_owned(), true, 20, 20)]);
    }

    #[test]
    fn each_interface_is_looked_at_by_itself_and_told_of_once() {
        let (success, _) = success();
        calls(&success, "citizens", 90, 10);
        assert_eq!(told(&success), []);
        calls(&success, "orders", 100, 0);
        calls(&success, "citizens", 0, 1);
        assert_eq!(told(&success), [("citizens".to_owned(), true, 101, 11)]);
        calls(&success, "citizens", 0, 50);
        assert_eq!(told(&success).len(), 1);
        let standing = success.of_plugin(&"crm".into());
        assert_eq!((standing[0].calls, standing[0].failures), (151, 61));
        assert!(standing[1].breached.is_none());
    }

    #[test]
    fn it_is_over_when_good_calls_or_the_end_of_the_window_say_so() {
        let (success, clock) = success();
        calls(&success, "citizens", 0, 20);
        // At once nothing is over, however good the next are.
        calls(&success, "citizens", 400, 0);
        assert_eq!(told(&success).len(), 1);
        clock.advance(Duration::from_secs(11));
        success.sweep();
        assert_eq!(told(&success)[1], ("citizens".to_owned(), false, 420, 20));

        calls(&success, "orders", 0, 20);
        assert_eq!(told(&success).len(), 3);
        clock.advance(Duration::from_secs(500));
        success.sweep();
        assert_eq!(told(&success).len(), 3, "the window still holds them");
        clock.advance(Duration::from_secs(120));
        success.sweep();
        assert_eq!(told(&success)[3], ("orders".to_owned(), false, 0, 0));
    }

    #[test]
    fn an_older_release_that_still_calls_does_not_say_what_is_expected() {
        let (success, _) = success();
        let (old, new) = (release(2, 900), release(3, 600));
        for _ in 0..20 {
            calls_on(&success, "citizens", &new, 0, 1);
            calls_on(&success, "citizens", &old, 0, 1);
        }
        assert_eq!(told(&success), [("citizens".to_owned(), true, 20, 20)]);
        let standing = &success.of_plugin(&"crm".into())[0];
        assert_eq!(
            (standing.calls, standing.expected.window),
            (40, new.expected.window)
        );
    }

    #[test]
    fn a_window_that_begins_anew_ends_no_breach_before_it_is_long_enough() {
        let (success, clock) = success();
        calls_on(&success, "citizens", &release(2, 600), 0, 20);
        clock.advance(Duration::from_secs(60));
        calls_on(&success, "citizens", &release(3, 300), 1, 0);
        clock.advance(Duration::from_secs(200));
        success.sweep();
        assert_eq!(told(&success).len(), 1, "one good call says nothing");
        clock.advance(Duration::from_secs(101));
        success.sweep();
        assert!(!told(&success)[1].1);
    }

    #[test]
    fn a_bounded_number_of_changes_is_kept() {
        let (success, clock) = success();
        for _ in 0..SUCCESS_CHANGES_KEPT {
            calls(&success, "citizens", 0, 20);
            clock.advance(Duration::from_secs(3_600));
            success.sweep();
        }
        assert_eq!(success.changes().len(), SUCCESS_CHANGES_KEPT);
    }
}
