//! Group commit: one thread per store takes every write that waits, commits them together and
//! answers each when they are durable.
//!
//! While one commit is on its way to the disk the next one gathers, so the more tasks write,
//! the more each commit carries. A write that fails its fence fails alone; one that has to wait
//! for the next commit lets those pass that are about something else.
//!
//! After a commit that failed half-way the store has stopped: it takes no more writes, and is
//! read no more, because an engine may show rows that it never brought to the disk.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
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
    limits::WAITING_REQUESTS_MAX,
    rows::{CommitError, Rows},
};

/// A store's committer. Dropping it carries out what waits and ends the thread.
pub(crate) struct Committer {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<thread::JoinHandle<()>>,
    stopped: Arc<Stopped>,
}

/// Why a store has stopped, once it has.
type Stopped = OnceLock<Arc<str>>;

impl Committer {
    /// Starts the thread.
    pub(crate) fn start<R: Rows>(kind: Kind, rows: Arc<R>) -> std::io::Result<Self> {
        let (requests, waiting) = mpsc::channel(WAITING_REQUESTS_MAX);
        let stopped = Arc::new(Stopped::new());
        let stopped_by_loop = Arc::clone(&stopped);
        let thread = thread::Builder::new()
            .name(format!("commit-{kind}"))
            .spawn(move || {
                Loop {
                    kind,
                    ledger: Ledger::new(Arc::clone(&rows)),
                    rows,
                    stopped: stopped_by_loop,
                }
                .run(waiting);
            })?;
        Ok(Self {
            requests: Some(requests),
            thread: Some(thread),
            stopped,
        })
    }

    /// Has work carried out. Waits while too many wait already.
    pub(crate) async fn carry_out(&self, work: Work) -> Result<u64, Error> {
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(|| self.thread_ended())?;
        requests
            .send(Request { work, reply })
            .await
            .map_err(|_| self.thread_ended())?;
        answer.await.unwrap_or_else(|_| Err(self.thread_ended()))
    }

    /// Whether the store goes on.
    ///
    /// # Errors
    /// [`Error::Fatal`] once it has stopped, from before any write of the commit that failed is
    /// answered.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.stopped.get() {
            None => Ok(()),
            Some(cause) => Err(fatal(cause)),
        }
    }

    /// A write in the thread's hands is as uncertain as one of a commit that failed.
    fn thread_ended(&self) -> Error {
        fatal(
            self.stopped
                .get_or_init(|| "the thread that commits has ended".into()),
        )
    }
}

fn fatal(cause: &Arc<str>) -> Error {
    Error::Fatal {
        cause: Arc::clone(cause),
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
    stopped: Arc<Stopped>,
}

impl<R: Rows> Loop<R> {
    fn run(mut self, mut incoming: mpsc::Receiver<Request>) {
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match incoming.blocking_recv() {
                    Some(request) => waiting.push_back(request),
                    None => return,
                }
            }
            // More than one commit takes: behind those that were set aside there may be others
            // that need not wait.
            while waiting.len() < WAITING_REQUESTS_MAX
                && let Ok(request) = incoming.try_recv()
            {
                waiting.push_back(request);
            }
            self.turn(&mut waiting);
        }
    }

    /// One commit of what waits.
    fn turn(&mut self, waiting: &mut VecDeque<Request>) {
        if let Some(cause) = self.stopped.get() {
            for request in waiting.drain(..) {
                request.refuse(fatal(cause));
            }
            return;
        }
        let mut batch = Batch::default();
        let mut aside = VecDeque::new();
        // Staging reads rows, and an engine that has lost its footing may panic there too.
        let staged = catch_unwind(AssertUnwindSafe(|| {
            while !batch.is_full()
                && let Some(request) = waiting.pop_front()
            {
                if let Some(later) = self.ledger.stage(request, &mut batch) {
                    aside.push_back(later);
                }
            }
            self.ledger.close(&mut batch);
        }));
        // They came before all that wait still, and are the first of the next batch.
        aside.append(waiting);
        *waiting = aside;
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

    /// Takes no more writes; whether those of the batch in hand landed is not to be learned before
    /// the store is opened again.
    fn stop(&mut self, cause: &str) -> Result<(), Error> {
        tracing::error!(store = self.kind.as_str(), cause, "the store has stopped");
        self.ledger.forget();
        Err(fatal(self.stopped.get_or_init(|| cause.into())))
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
            committer.check().unwrap();
            for _ in 0..2 {
                let error = append(&committer).await.unwrap_err();
                assert!(matches!(error, Error::Fatal { .. }), "{error}");
                let error = committer.check().unwrap_err();
                assert!(matches!(error, Error::Fatal { .. }), "{error}");
            }
        }
    }

    #[test]
    fn what_has_to_wait_lets_the_rest_pass_and_is_first_of_the_next_commit() {
        let rows = Arc::new(Told(Mutex::new(VecDeque::from([
            (|| Ok(())) as End,
            || Ok(()),
            || Ok(()),
        ]))));
        let mut commits = Loop {
            kind: Kind::Memory,
            ledger: Ledger::new(Arc::clone(&rows)),
            rows,
            stopped: Arc::default(),
        };
        let mut waiting = VecDeque::new();
        let mut answers = Vec::new();
        // Three puts of one key, and between them two of others.
        for key in ["k", "k", "a", "k", "b"] {
            let (reply, answer) = oneshot::channel();
            let work = Work::Put {
                space: "crm".to_owned(),
                key: key.to_owned(),
                value: Vec::new(),
                expect: crate::Expect::Any,
                expires: None,
                at: trunkline_model::Timestamp::from_millis(0),
            };
            waiting.push_back(Request { work, reply });
            answers.push(answer);
        }
        let mut versions = vec![None; answers.len()];
        for left in [2, 1, 0] {
            commits.turn(&mut waiting);
            assert_eq!(waiting.len(), left);
            for (version, answer) in versions.iter_mut().zip(&mut answers) {
                if let Ok(answered) = answer.try_recv() {
                    *version = Some(answered.unwrap());
                }
            }
        }
        assert_eq!(versions, [Some(1), Some(4), Some(2), Some(5), Some(3)]);
    }
}
