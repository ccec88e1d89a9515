//! One synthesis for everybody who asks for the same at once.
//!
//! Whoever asks drives it; when all have gone it is dropped, and with it the program or the
//! request behind it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

/// Flights that are remembered before those that ended without landing are looked for.
const FORGOTTEN_MAX: usize = 64;

pub(crate) struct Flights<K, T: Clone>(Arc<Mutex<HashMap<K, WeakShared<BoxFuture<'static, T>>>>>);

impl<K, T: Clone> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, T> Flights<K, T>
where
    K: Clone + Eq + std::hash::Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Joins the flight for a key, or starts it. The flag says whether it was started.
    pub(crate) fn join(
        &self,
        key: K,
        start: impl FnOnce() -> BoxFuture<'static, T>,
    ) -> (Shared<BoxFuture<'static, T>>, bool) {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&key).and_then(WeakShared::upgrade) {
            return (flight, false);
        }
        if flights.len() >= FORGOTTEN_MAX {
            flights.retain(|_, flight| flight.upgrade().is_some());
        }
        let (landing, landed) = (self.0.clone(), key.clone());
        let flying = start();
        let flight = async move {
            let result = flying.await;
            let mut flights = landing.lock().unwrap_or_else(PoisonError::into_inner);
            flights.remove(&landed);
            result
        }
        .boxed()
        .shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key, weak);
        }
        (flight, true)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_same_is_made_once_and_nothing_is_made_for_nobody() {
        let flights = Flights::<u32, u32>::default();
        let made = Arc::new(AtomicU32::new(0));
        let start = || {
            let made = made.clone();
            async move {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                made.fetch_add(1, Ordering::Relaxed) + 1
            }
            .boxed()
        };
        let (first, started) = flights.join(1, start);
        let (second, joined) = flights.join(1, start);
        assert!(started && !joined);
        let gone = flights.join(2, start);
        drop(gone);
        // Whoever stops waiting does not stop the others.
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(1), first)
                .await
                .is_err()
        );
        assert_eq!(second.await, 1);
        assert_eq!(made.load(Ordering::Relaxed), 1);
        let (again, started) = flights.join(2, start);
        assert!(started);
        assert_eq!(again.await, 2);
        for key in 10..500 {
            drop(flights.join(key, start));
        }
        assert!(flights.0.lock().unwrap().len() <= FORGOTTEN_MAX);
    }
}
