//! Group commit: one thread per store takes every write that waits, commits them together and
//! answers each when they are durable.
//!
//! While one commit is on its way to the disk the next one gathers, so the more tasks write,
//! the more each commit carries. A write that fails its fence fails alone.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{
    Error, Kind,
    batch::{Batch, Request, Work},
    ledger::Ledger,
    limits::{COMMIT_REQUESTS_MAX, WAITING_REQUESTS_MAX},
    rows::{CommitError, Rows},
};

/// A store's committer. Dropping it carries out what waits and ends the thread.
pub(crate) struct Committer {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread.
    pub(crate) fn start<R: Rows>(kind: Kind, rows: Arc<R>) -> std::io::Result<Self> {
        let (requests, waiting) = mpsc::channel(WAITING_REQUESTS_MAX);
        let thread = thread::Builder::new()
            .name(format!("commit-{kind}"))
            .spawn(move || {
                Loop {
                    kind,
                    ledger: Ledger::new(Arc::clone(&rows)),
                    rows,
                    stopped: None,
                }
                .run(waiting);
            })?;
        Ok(Self {
            requests: Some(requests),
            thread: Some(thread),
        })
    }

    /// Has work carried out. Waits while too many wait already.
    pub(crate) async fn carry_out(&self, work: Work) -> Result<u64, Error> {
        let stopped = || Error::Fatal {
            cause: "the thread that commits has ended".into(),
        };
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(stopped)?;
        requests
            .send(Request { work, reply })
            .await
            .map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| {
            Err(Error::Unknown {
                cause: "the thread that commits ended before it answered".into(),
            })
        })
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // The loop catches the panics of engines; its own would be printed by the hook.
            drop(thread.join());
        }
    }
}

struct Loop<R> {
    kind: Kind,
    ledger: Ledger<R>,
    rows: Arc<R>,
    /// Why nothing is written any more.
    stopped: Option<Arc<str>>,
}

impl<R: Rows> Loop<R> {
    fn run(mut self, mut incoming: mpsc::Receiver<Request>) {
        let mut received = Vec::with_capacity(COMMIT_REQUESTS_MAX);
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() && incoming.blocking_recv_many(&mut received, COMMIT_REQUESTS_MAX) == 0 {
                return;
            }
            waiting.extend(received.drain(..));
            while waiting.len() < COMMIT_REQUESTS_MAX
                && let Ok(request) = incoming.try_recv()
            {
                waiting.push_back(request);
            }
            self.turn(&mut waiting);
        }
    }

    /// One commit of what waits.
    fn turn(&mut self, waiting: &mut VecDeque<Request>) {
        if let Some(cause) = &self.stopped {
            for request in waiting.drain(..) {
                request.refuse(Error::Fatal {
                    cause: Arc::clone(cause),
                });
            }
            return;
        }
        let mut batch = Batch::default();
        // Staging reads rows, and an engine that has lost its footing may panic there too.
        let staged = catch_unwind(AssertUnwindSafe(|| {
            while !batch.is_full()
                && let Some(request) = waiting.pop_front()
            {
                if let Some(later) = self.ledger.stage(request, &mut batch) {
                    waiting.push_front(later);
                    break;
                }
            }
            self.ledger.close(&mut batch);
        }));
        let outcome = match staged {
            Ok(()) => self.commit(&mut batch),
            Err(panic) => self.stop(&format!("the engine panicked: {}", panic_text(&*panic))),
        };
        batch.answer(&outcome);
    }

    fn commit(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let changes = std::mem::take(&mut batch.changes);
        if changes.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let committed = catch_unwind(AssertUnwindSafe(|| self.rows.commit(changes)));
        let store = self.kind.as_str();
        metrics::histogram!("trunkline_store_commit_seconds", "store" => store)
            .record(begun.elapsed().as_secs_f64());
        metrics::histogram!("trunkline_store_commit_writes", "store" => store).record(batch.len() as f64);
        match committed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(CommitError::Refused(cause))) => {
                self.ledger.forget();
                tracing::warn!(store, %cause, "a commit was refused");
                Err(Error::Unavailable { cause: cause.into() })
            }
            Ok(Err(CommitError::Broken(cause))) => self.stop(&cause),
            Err(panic) => self.stop(&format!("the engine panicked: {}", panic_text(&*panic))),
        }
    }

    /// Takes no more writes; those of the batch in hand may have landed.
    fn stop(&mut self, cause: &str) -> Result<(), Error> {
        tracing::error!(
            store = self.kind.as_str(),
            cause,
            "the store takes no more writes"
        );
        let cause: Arc<str> = cause.into();
        self.ledger.forget();
        self.stopped = Some(Arc::clone(&cause));
        Err(Error::Unknown { cause })
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use std::{ops::Range, sync::Mutex};

    use trunkline_model::ContactId;

    use super::*;
    use crate::{
        Standing, Version,
        rows::{Change, Table, Take},
    };

    /// How a commit is to end.
    type End = fn() -> Result<(), CommitError>;

    /// Rows that are empty, and whose commits end as they are told to.
    struct Told(Mutex<VecDeque<End>>);

    impl Rows for Told {
        fn get(&self, _: Table, _: &[u8]) -> Result<Option<Vec<u8>>, Error> {
            Ok(None)
        }

        fn last_key(&self, _: Table, _: Range<Vec<u8>>) -> Result<Option<Vec<u8>>, Error> {
            Ok(None)
        }

        fn scan(&self, _: Table, _: Range<Vec<u8>>, _: &mut Take<'_>) -> Result<(), Error> {
            Ok(())
        }

        fn commit(&self, _: Vec<Change>) -> Result<(), CommitError> {
            let end = self.0.lock().unwrap().pop_front().unwrap();
            end()
        }
    }

    async fn append(committer: &Committer) -> Result<u64, Error> {
        let work = Work::Append {
            stream: ContactId::from("a"),
            expected: Version::NONE,
            frames: vec![Vec::new()],
            standing: Standing::Open,
            key: None,
        };
        committer.carry_out(work).await
    }

    fn committer(ends: &[End]) -> Committer {
        let told = Told(Mutex::new(ends.iter().copied().collect()));
        Committer::start(Kind::Memory, Arc::new(told)).unwrap()
    }

    #[tokio::test]
    async fn a_refused_commit_may_be_tried_again() {
        let committer = committer(&[|| Err(CommitError::Refused("full".to_owned())), || Ok(())]);
        let error = append(&committer).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        assert_eq!(append(&committer).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn after_a_broken_commit_nothing_is_written_any_more() {
        for end in [(|| Err(CommitError::Broken("no sync".to_owned()))) as End, || {
            panic!("lost its footing")
        }] {
            let committer = committer(&[end]);
            let error = append(&committer).await.unwrap_err();
            assert!(matches!(error, Error::Unknown { .. }), "{error}");
            let error = append(&committer).await.unwrap_err();
            assert!(matches!(error, Error::Fatal { .. }), "{error}");
        }
    }
}
