//! How much a trunk and the whole node carry: calls at once, and new calls a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::settings::Caps;

/// Counts the calls of the node and of each trunk.
#[derive(Default)]
pub(crate) struct Load {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: usize,
    trunks: HashMap<String, Carried>,
}

struct Carried {
    calls: usize,
    /// Calls that may begin at once; fills up with time.
    allowance: f64,
    filled: Instant,
}

/// Why there is no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Full {
    /// The node carries as much as it may.
    Node,
    /// The trunk does.
    Trunk,
}

/// The place of one call; given back when dropped.
pub(crate) struct Place {
    load: Arc<Load>,
    trunk: Option<String>,
}

impl Load {
    /// Takes a place for a call, over a trunk when one is named.
    pub(crate) fn take(
        self: &Arc<Load>,
        calls_max: usize,
        trunk: Option<(&str, Caps)>,
    ) -> Result<Place, Full> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.calls >= calls_max {
            return Err(Full::Node);
        }
        if let Some((name, caps)) = trunk {
            let now = Instant::now();
            let rate = caps
                .calls_per_second
                .filter(|rate| rate.is_finite() && *rate > 0.0);
            let burst = rate.map_or(1.0, |rate| rate.max(1.0));
            let carried = state.trunks.entry(name.to_owned()).or_insert_with(|| Carried {
                calls: 0,
                allowance: burst,
                filled: now,
            });
            if caps.calls.is_some_and(|most| carried.calls >= most) {
                return Err(Full::Trunk);
            }
            if let Some(rate) = rate {
                let gained = now.duration_since(carried.filled).as_secs_f64() * rate;
                carried.allowance = (carried.allowance + gained).min(burst);
                carried.filled = now;
                if carried.allowance < 1.0 {
                    return Err(Full::Trunk);
                }
                carried.allowance -= 1.0;
            }
            carried.calls += 1;
        }
        state.calls += 1;
        Ok(Place {
            load: Arc::clone(self),
            trunk: trunk.map(|(name, _)| name.to_owned()),
        })
    }

    /// The calls of each trunk that has any.
    pub(crate) fn trunks(&self) -> Vec<(String, usize)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .trunks
            .iter()
            .filter(|(_, carried)| carried.calls > 0)
            .map(|(name, carried)| (name.clone(), carried.calls))
            .collect()
    }

    /// Forgets the trunks that are no longer configured and carry nothing.
    pub(crate) fn keep(&self, configured: impl Fn(&str) -> bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .trunks
            .retain(|name, carried| carried.calls > 0 || configured(name));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.load.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.calls = state.calls.saturating_sub(1);
        if let Some(carried) = self.trunk.as_ref().and_then(|name| state.trunks.get_mut(name)) {
            carried.calls = carried.calls.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn places_are_bounded_and_come_back() {
        let load = Arc::new(Load::default());
        let caps = Caps {
            calls: Some(1),
            calls_per_second: None,
        };
        let place = load
            .take(2, Some(("a", caps)))
            .unwrap_or_else(|_| panic!("there is room"));
        assert_eq!(load.take(2, Some(("a", caps))).err(), Some(Full::Trunk));
        let other = load.take(2, None).unwrap_or_else(|_| panic!("there is room"));
        assert_eq!(load.take(2, None).err(), Some(Full::Node));
        drop((place, other));
        assert!(load.trunks().is_empty());
        let again = load.take(2, Some(("a", caps)));
        assert!(again.is_ok() && load.take(2, None).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_the_rate_holds() {
        let load = Arc::new(Load::default());
        let caps = Caps {
            calls: None,
            calls_per_second: Some(2.0),
        };
        let take = || load.take(100, Some(("a", caps))).is_ok();
        assert!(take() && take());
        assert!(!take());
        tokio::time::advance(Duration::from_millis(500)).await;
        assert!(take());
        assert!(!take());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!((0..10).filter(|_| take()).count(), 2);
    }
}
