//! The workers, and opening streams on them.

use std::{
    fmt, io,
    net::IpAddr,
    ops::RangeInclusive,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc as std_mpsc,
    },
    thread::JoinHandle,
};

use mio::{Poll, Waker};
use tokio::sync::mpsc;

use crate::{
    Heard, Room, Stream, StreamId, clock,
    command::Command,
    limits::{HEARD_MAX, STREAMS_MAX, WORKERS_MAX},
    line::Line,
    ports::Ports,
    random,
    room::RoomId,
    statistics::{Counters, WorkerCounters},
    worker::{WAKER, Worker},
    writer,
};

/// What the operator settles.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where sockets are bound; the unspecified address for all.
    pub address: IpAddr,
    /// Ports of streams: RTP on even ones, RTCP on the next.
    pub ports: RangeInclusive<u16>,
    /// Threads; one carries some thousand streams.
    pub workers: usize,
    /// The folder that relative paths of recordings are taken in; none: the process's own.
    pub recordings: Option<PathBuf>,
}

/// Why media cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No pair of ports.
    #[error("the ports {} to {} hold no pair that begins evenly; name a range such as 10000 to 19999", .0.start(), .0.end())]
    Ports(RangeInclusive<u16>),
    /// No thread, or too many.
    #[error("media needs 1 to {WORKERS_MAX} threads, and {0} were asked for")]
    Workers(usize),
    /// The address is none of this machine's.
    #[error("failed to bind a socket on {address}: {source}; name an address of this machine")]
    Address {
        /// The address.
        address: IpAddr,
        /// Why.
        source: io::Error,
    },
    /// The system gave no thread or no epoll.
    #[error("failed to start a media thread: {0}")]
    Thread(#[source] io::Error),
}

/// Why a stream cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Too many.
    #[error("no more than {STREAMS_MAX} streams can be open at once")]
    Full,
    /// No ports or no sockets.
    #[error(
        "failed to bind a pair of ports: {0}; widen the range of ports, or raise the limit of open files"
    )]
    Bind(#[source] io::Error),
}

/// What is going on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Of each worker.
    pub workers: Vec<WorkerLoad>,
    /// Pairs of ports there are, free or taken.
    pub pairs: u32,
}

/// What a worker has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerLoad {
    /// Streams that are open now.
    pub streams: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets heard.
    pub received: u64,
    /// Datagrams dropped.
    pub dropped: u64,
    /// Packets that left more than 20 ms after they were due.
    pub late: u64,
    /// Ticks that were skipped after a stall.
    pub skipped_ticks: u64,
}

impl Load {
    /// Streams that are open now.
    #[must_use]
    pub fn streams(&self) -> u64 {
        self.workers.iter().map(|worker| worker.streams).sum()
    }

    /// Packets that left late.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.workers.iter().map(|worker| worker.late).sum()
    }
}

/// How a worker is reached.
pub(crate) struct Reach {
    pub(crate) commands: std_mpsc::Sender<Command>,
    pub(crate) waker: Waker,
    pub(crate) counters: Arc<WorkerCounters>,
}

/// What handles and workers share.
pub(crate) struct Shared {
    pub(crate) workers: Vec<Reach>,
    pub(crate) recordings: PathBuf,
    ports: Ports,
    next: AtomicU64,
}

impl Shared {
    /// Tells a worker; one that has ended hears nothing.
    pub(crate) fn tell(&self, worker: usize, command: Command) {
        if let Some(reach) = self.workers.get(worker)
            && reach.commands.send(command).is_ok()
            && let Err(error) = reach.waker.wake()
        {
            // It looks at the next tick.
            tracing::debug!(%error, "a media thread could not be woken");
        }
    }

    /// Higher than all before: names streams and rooms, and tells what was told first.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Relaxed)
    }

    fn least_loaded(&self) -> usize {
        let streams = |worker: &usize| {
            self.workers
                .get(*worker)
                .map_or(u64::MAX, |reach| reach.counters.streams.get())
        };
        (0..self.workers.len()).min_by_key(streams).unwrap_or(0)
    }
}

/// Stops the workers when the last handle is dropped.
struct Owner {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        for worker in 0..self.shared.workers.len() {
            self.shared.tell(worker, Command::Stop);
        }
        // The writer is the last: it ends when the workers have, and everything is on disk.
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a media thread broke down");
            }
        }
    }
}

/// The threads that carry sound. Clones are the same; dropping the last one closes all streams,
/// waits until recordings are on disk, and ends the threads.
#[derive(Clone)]
pub struct Media(Arc<Owner>);

impl Media {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the settings cannot work on this machine.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        let Settings {
            address,
            ports,
            workers,
            recordings,
        } = settings;
        if workers == 0 || workers > WORKERS_MAX {
            return Err(StartError::Workers(workers));
        }
        std::net::UdpSocket::bind((address, 0)).map_err(|source| StartError::Address { address, source })?;
        let ports = Ports::new(address, &ports, random::number()).ok_or(StartError::Ports(ports))?;
        let (queue, writer) = writer::start().map_err(StartError::Thread)?;
        let mut reaches = Vec::new();
        let mut seats = Vec::new();
        for _ in 0..workers {
            let poll = Poll::new().map_err(StartError::Thread)?;
            let waker = Waker::new(poll.registry(), WAKER).map_err(StartError::Thread)?;
            let (commands, receiver) = std_mpsc::channel();
            reaches.push(Reach {
                commands,
                waker,
                counters: Arc::default(),
            });
            seats.push((poll, receiver));
        }
        let shared = Arc::new(Shared {
            workers: reaches,
            recordings: recordings.unwrap_or_default(),
            ports,
            next: AtomicU64::new(1),
        });
        // From here on the owner stops what has started.
        let media = Self(Arc::new(Owner {
            shared: Arc::clone(&shared),
            threads: Mutex::default(),
        }));
        let epoch = clock::now();
        for (index, (poll, commands)) in seats.into_iter().enumerate() {
            let worker = Worker::new(index, Arc::clone(&shared), poll, commands, queue.clone(), epoch);
            let thread = std::thread::Builder::new()
                .name(format!("media-{index}"))
                .spawn(move || worker.run())
                .map_err(StartError::Thread)?;
            media.threads().push(thread);
        }
        drop(queue);
        media.threads().push(writer);
        Ok(media)
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.0.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a stream on the least loaded worker; or where another is, when the two will be joined.
    /// It says and hears nothing until [`Stream::connect`].
    ///
    /// # Errors
    /// When no ports are free, or too many streams are open.
    pub fn open(&self, beside: Option<&Stream>) -> Result<(Stream, mpsc::Receiver<Heard>), OpenError> {
        let shared = &self.0.shared;
        let streams: u64 = shared
            .workers
            .iter()
            .map(|worker| worker.counters.streams.get())
            .sum();
        if streams >= STREAMS_MAX as u64 {
            return Err(OpenError::Full);
        }
        let home = beside.map_or_else(|| shared.least_loaded(), |stream| stream.place.load(Relaxed));
        let (port, rtp, rtcp) = shared.ports.bind().map_err(OpenError::Bind)?;
        let sockets = (
            mio::net::UdpSocket::from_std(rtp),
            mio::net::UdpSocket::from_std(rtcp),
        );
        let id = StreamId(shared.number());
        let place = Arc::new(AtomicUsize::new(home));
        let counters = Arc::<Counters>::default();
        let (heard, receiver) = mpsc::channel(HEARD_MAX);
        let line = Line::new(id, sockets, Arc::clone(&place), heard, Arc::clone(&counters));
        if let Some(worker) = shared.workers.get(home) {
            worker.counters.streams.add(1);
        }
        shared.tell(home, Command::Adopt(Box::new(line)));
        let codec = AtomicU8::new(u8::MAX);
        Ok((
            Stream {
                id,
                port,
                home,
                place,
                shared: Arc::clone(shared),
                counters,
                codec,
            },
            receiver,
        ))
    }

    /// A room, where a stream is or on the least loaded worker. Who enters moves there.
    #[must_use]
    pub fn room(&self, beside: Option<&Stream>) -> Room {
        let shared = &self.0.shared;
        let home = beside.map_or_else(|| shared.least_loaded(), |stream| stream.place.load(Relaxed));
        Room {
            id: RoomId(shared.number()),
            home,
        }
    }

    /// What is going on.
    #[must_use]
    pub fn load(&self) -> Load {
        let load = |reach: &Reach| WorkerLoad {
            streams: reach.counters.streams.get(),
            sent: reach.counters.sent.get(),
            received: reach.counters.received.get(),
            dropped: reach.counters.dropped.get(),
            late: reach.counters.late.get(),
            skipped_ticks: reach.counters.skipped_ticks.get(),
        };
        let shared = &self.0.shared;
        Load {
            workers: shared.workers.iter().map(load).collect(),
            pairs: shared.ports.pairs(),
        }
    }
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Media").field(&self.load()).finish()
    }
}
