//! Reports of a line (RFC 3550, 6): every five seconds or so, and goodbye.

use std::{net::SocketAddr, time::Duration};

use super::{Desk, Line};
use crate::{
    clock::Instant,
    limits::{RATE, REPORT_EVERY, TICK},
    random,
    rtcp::{self, REPORT_BYTES_MAX, Sender},
};

pub(super) struct Reports {
    /// Ticks to the next report.
    wait: u32,
    /// Random: it names the stream, and nobody.
    name: [u8; 16],
    /// The time of the packet that was sent last.
    sent: Option<u32>,
    /// Whether anything was sent since the last report.
    active: bool,
    /// The middle of the far end's last time, and when that came.
    last: Option<(u32, Instant)>,
}

const REPORT_TICKS: u32 = (REPORT_EVERY.as_millis() / TICK.as_millis()) as u32;

/// Between half and one and a half times the mean, so that the reports of many streams do not meet (6.2).
fn wait() -> u32 {
    REPORT_TICKS / 2 + random::number() % REPORT_TICKS
}

/// NTP's form of a time that counts from the begin of the process: no far end needs to know the hour (4).
fn ntp(since: Duration) -> u64 {
    (since.as_secs() << 32) | ((u64::from(since.subsec_nanos()) << 32) / 1_000_000_000)
}

impl Reports {
    pub(super) fn new() -> Self {
        let mut name = [0; 16];
        for (place, digits) in name.chunks_exact_mut(8).enumerate() {
            let number = random::number().wrapping_add(place as u32);
            digits.copy_from_slice(format!("{number:08x}").as_bytes());
        }
        Self {
            wait: wait(),
            name,
            sent: None,
            active: false,
            last: None,
        }
    }

    pub(super) fn sent(&mut self, timestamp: u32) {
        self.sent = Some(timestamp);
        self.active = true;
    }
}

impl Line {
    pub(super) fn report_tick(&mut self, desk: &mut Desk) {
        self.reports.wait = self.reports.wait.saturating_sub(1);
        if self.reports.wait > 0 {
            return;
        }
        self.reports.wait = wait();
        let since = desk.now.saturating_duration_since(desk.epoch);
        let sender = self
            .reports
            .sent
            .filter(|_| self.reports.active)
            .map(|timestamp| Sender {
                ntp: ntp(since),
                timestamp,
                // Both counters turn over, as 32 bits do.
                packets: self.counters.packets_out.get() as u32,
                octets: self.counters.octets_out.get() as u32,
            });
        self.reports.active = false;
        let about = self.incoming.as_mut().map(|incoming| {
            let mut block = incoming.block();
            if let Some((middle, came)) = self.reports.last {
                block.last_report = middle;
                let delay = desk.now.saturating_duration_since(came).as_micros() * 65_536 / 1_000_000;
                block.delay = u32::try_from(delay).unwrap_or(u32::MAX);
            }
            block
        });
        let mut bytes = [0; REPORT_BYTES_MAX];
        let length = rtcp::write_report(
            &mut bytes,
            self.ssrc,
            sender.as_ref(),
            about.as_ref(),
            &self.reports.name,
        );
        self.send_report(&bytes[..length]);
    }

    /// Says goodbye to a far end that has heard something.
    pub(super) fn say_goodbye(&mut self, _desk: &mut Desk) {
        if self.reports.sent.is_some() {
            let mut bytes = [0; REPORT_BYTES_MAX];
            let length = rtcp::write_goodbye(&mut bytes, self.ssrc);
            self.send_report(&bytes[..length]);
        }
    }

    fn send_report(&self, bytes: &[u8]) {
        let Some(remote) = &self.remote else {
            return;
        };
        let together = remote.rtcp.is_none_or(|rtcp| rtcp == remote.rtp);
        let socket = if together { &self.rtp } else { &self.rtcp };
        // A report that is lost is followed by another.
        let _ = socket.send_to(bytes, self.source.report_target(remote));
    }

    /// Takes a datagram from the RTCP socket, or one of RTCP from the other.
    pub(crate) fn receive_report(&mut self, desk: &Desk, bytes: &[u8], from: SocketAddr) {
        let counts = self
            .remote
            .as_ref()
            .is_some_and(|remote| self.source.accepts_report(from, remote));
        let report = if counts {
            rtcp::parse(bytes, self.ssrc).ok()
        } else {
            None
        };
        let Some(report) = report else {
            self.counters.dropped.add(1);
            desk.counters.dropped.add(1);
            return;
        };
        // A far end that is muted may send nothing but these.
        self.ticks_without = 0;
        if let Some(sender) = report.sender {
            self.reports.last = Some(((sender.ntp >> 16) as u32, desk.now));
        }
        let Some(about) = report.about_us else {
            return;
        };
        self.counters.far_lost.set(u64::try_from(about.lost).unwrap_or(0));
        self.counters
            .far_jitter_us
            .set(u64::from(about.jitter) * 1_000_000 / u64::from(RATE));
        if about.last_report != 0 {
            let now = (ntp(desk.now.saturating_duration_since(desk.epoch)) >> 16) as u32;
            let round = now.wrapping_sub(about.last_report).wrapping_sub(about.delay);
            // Beyond ten seconds the far end's clock or word is wrong.
            if round < 10 * 65_536 {
                self.counters
                    .round_trip_us
                    .set((u64::from(round) * 1_000_000 / 65_536).max(1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_their_form() {
        assert_eq!(ntp(Duration::from_millis(1_500)), (1 << 32) | (1 << 31));
        assert!((0..100).all(|_| (REPORT_TICKS / 2..REPORT_TICKS * 3 / 2).contains(&wait())));
    }
}
