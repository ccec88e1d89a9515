//! Ports of one test, which no other test has.
//!
//! They lie under those that systems hand out by themselves (32768 and above), so that a port which was
//! free when it was looked at is not taken by somebody's client a moment later.

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    ops::RangeInclusive,
    sync::atomic::{AtomicU16, Ordering},
};

/// The first port that peers have.
const FIRST: u16 = 10_000;
/// One after the last.
const END: u16 = 20_000;
/// Ports of sound of one server.
const SOUND: u16 = 200;

/// A run of free ports, by UDP and TCP, on all addresses of this machine: the first of them.
pub(crate) fn free(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let taken = NEXT.fetch_add(count, Ordering::Relaxed);
        // Runs of this program at the same time begin at different places.
        let offset = u16::try_from(std::process::id() % 50).expect("it is below 50") * 100;
        let first = FIRST + (offset + taken) % (END - FIRST - count);
        if (first..first + count).all(is_free) {
            return first;
        }
    }
}

fn is_free(port: u16) -> bool {
    let everywhere = (Ipv4Addr::UNSPECIFIED, port);
    UdpSocket::bind(everywhere).is_ok() && TcpListener::bind(everywhere).is_ok()
}

/// Ports of sound for one server. It tries another where one is taken.
pub(crate) fn sound() -> RangeInclusive<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let slot = NEXT.fetch_add(1, Ordering::Relaxed) % 60;
    let first = END + slot * SOUND;
    first..=first + SOUND - 1
}
