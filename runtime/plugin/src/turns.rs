//! Turns at the processor: a guest runs only while it holds one, gives it back whenever it
//! yields or waits, and queues for the next fairly by department.
//!
//! There are more threads than turns, so a thread is always free to find out who is ready:
//! otherwise the order would be that of the threads' own queue, which knows no departments.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{
    slots::{Party, Slot, Slots},
    usage::Meter,
};

/// A guest's future, polled only in its turn.
pub(crate) struct InTurns<F> {
    guest: F,
    turns: Arc<Slots>,
    party: Party,
    meter: Arc<Meter>,
    waiting: Option<oneshot::Receiver<Slot>>,
    busy: Duration,
}

/// Processor time that this thread has used.
pub(crate) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What came of a guest, and how long it kept the processor busy.
pub(crate) struct Ran<T> {
    pub(crate) output: T,
    pub(crate) busy: Duration,
}

impl<F> InTurns<F> {
    /// What the guest takes is counted by `meter` as it does.
    pub(crate) fn new(guest: F, turns: Arc<Slots>, party: Party, meter: Arc<Meter>) -> Self {
        Self {
            guest,
            turns,
            party,
            meter,
            waiting: None,
            busy: Duration::ZERO,
        }
    }
}

impl<F: Future + Unpin> Future for InTurns<F> {
    type Output = Ran<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let turn = loop {
            let mut waiting = match this.waiting.take() {
                Some(waiting) => waiting,
                None => match this.turns.take_or_wait(this.party) {
                    Ok(turn) => break turn,
                    Err(Ok(waiting)) => waiting,
                    // As many may wait as there are guests, so this one's turn is only put off.
                    Err(Err(_)) => {
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                },
            };
            match Pin::new(&mut waiting).poll(context) {
                Poll::Ready(Ok(turn)) => break turn,
                // The sender is only dropped after sending, or with the slots themselves.
                Poll::Ready(Err(_)) => {}
                Poll::Pending => {
                    this.waiting = Some(waiting);
                    return Poll::Pending;
                }
            }
        };
        let began = processor_time();
        let polled = Pin::new(&mut this.guest).poll(context);
        let took = processor_time().saturating_sub(began);
        drop(turn);
        this.busy += took;
        this.meter.busy(took);
        polled.map(|output| Ran {
            output,
            busy: this.busy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Totals;

    #[tokio::test]
    async fn only_one_runs_where_there_is_one_turn() {
        let turns = Slots::new(1, 100, usize::MAX);
        let party = turns.party("one");
        let held = turns.try_take(party).unwrap();
        let totals = Arc::new(Totals::default());
        let meter = Arc::new(Meter::new(&"one".into(), "one", totals.clone()));
        let guest = Box::pin(async {
            std::hint::black_box((0..100_000_u64).map(std::hint::black_box).sum::<u64>());
            7
        });
        let mut task = tokio::spawn(InTurns::new(guest, turns.clone(), party, meter.clone()));
        tokio::task::yield_now().await;
        assert!(
            tokio::time::timeout(Duration::from_millis(5), &mut task)
                .await
                .is_err()
        );
        drop(held);
        assert_eq!(task.await.unwrap().output, 7);
        assert_eq!(turns.held(), 0);
        assert!(!totals.read().busy.is_zero());
    }
}
