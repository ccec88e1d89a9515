//! Counters of a stream and of a worker: written by the worker, read by anybody.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// What a stream has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Packets that were heard.
    pub packets_in: u64,
    /// Bytes of sound in them.
    pub octets_in: u64,
    /// Packets that were sent.
    pub packets_out: u64,
    /// Bytes of sound in them.
    pub octets_out: u64,
    /// Packets that never came (RFC 3550, A.3).
    pub lost: u64,
    /// Packets that came twice.
    pub repeated: u64,
    /// Packets that were not heard: of another sender, damaged, of another payload type, while we do not
    /// receive, beyond a limit.
    pub dropped: u64,
    /// Packets that we sent late.
    pub late: u64,
    /// Pieces that the listener had no room for.
    pub unlistened: u64,
    /// Events that the owner had no room for.
    pub unheard: u64,
    /// How unevenly packets come (RFC 3550, 6.4.1).
    pub jitter: Duration,
    /// Packets of ours that the far end says it lost.
    pub far_lost: u64,
    /// The far end's jitter.
    pub far_jitter: Duration,
    /// There and back, by the far end's last report.
    pub round_trip: Option<Duration>,
}

macro_rules! counters {
    ($name:ident { $($field:ident),* $(,)? }) => {
        #[derive(Debug, Default)]
        pub(crate) struct $name { $(pub(crate) $field: Count),* }
    };
}

/// A number that one thread writes.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, by: u64) {
        self.0.fetch_add(by, Relaxed);
    }

    pub(crate) fn sub(&self, by: u64) {
        self.0.fetch_sub(by, Relaxed);
    }

    pub(crate) fn set(&self, to: u64) {
        self.0.store(to, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

counters!(Counters {
    packets_in,
    octets_in,
    packets_out,
    octets_out,
    lost,
    repeated,
    dropped,
    late,
    unlistened,
    unheard,
    jitter_us,
    far_lost,
    far_jitter_us,
    round_trip_us,
});

impl Counters {
    pub(crate) fn read(&self) -> Statistics {
        let round_trip = self.round_trip_us.get();
        Statistics {
            packets_in: self.packets_in.get(),
            octets_in: self.octets_in.get(),
            packets_out: self.packets_out.get(),
            octets_out: self.octets_out.get(),
            lost: self.lost.get(),
            repeated: self.repeated.get(),
            dropped: self.dropped.get(),
            late: self.late.get(),
            unlistened: self.unlistened.get(),
            unheard: self.unheard.get(),
            jitter: Duration::from_micros(self.jitter_us.get()),
            far_lost: self.far_lost.get(),
            far_jitter: Duration::from_micros(self.far_jitter_us.get()),
            round_trip: (round_trip > 0).then(|| Duration::from_micros(round_trip)),
        }
    }
}

counters!(WorkerCounters {
    streams,
    sent,
    received,
    dropped,
    late,
    skipped_ticks
});
