//! Guessing of passwords: who has been wrong too often is not listened to for a while. The right password
//! does not help then either, or each drop would tell whether a guess was right.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{GUESS_PAUSE, GUESSES_MAX, GUESSING_HOSTS_MAX};

/// When each host's wrong answers are forgotten: one more moves it by a pause.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<HashMap<IpAddr, Instant>>);

impl Guesses {
    /// Whether a host may still answer a challenge.
    pub(crate) fn may(&self, from: IpAddr, now: Instant) -> bool {
        let hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = hosts.get(&host(from)).or_else(|| {
            // Hosts beyond the bound share one place.
            (hosts.len() >= GUESSING_HOSTS_MAX)
                .then(|| hosts.get(&OTHERS))
                .flatten()
        });
        // Room for one more.
        until.is_none_or(|until| *until + GUESS_PAUSE <= now + span())
    }

    /// A host answered wrongly.
    pub(crate) fn wrong(&self, from: IpAddr, now: Instant) {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = host(from);
        if !hosts.contains_key(&key) && hosts.len() >= GUESSING_HOSTS_MAX {
            key = OTHERS;
        }
        let until = hosts.entry(key).or_insert(now);
        // Never further than the bound, so that nobody is locked out for longer than its guesses take to be
        // forgotten.
        *until = ((*until).max(now) + GUESS_PAUSE).min(now + span());
    }

    /// Forgets the hosts whose guesses are forgiven.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|_, until| *until > now);
    }
}

const OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

fn span() -> Duration {
    GUESS_PAUSE * GUESSES_MAX
}

/// What counts as one host: an IPv6 network of 64 bits belongs to one subscriber, who may change the rest at
/// will.
pub(crate) fn host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[tokio::test]
    async fn a_host_that_guesses_is_shut_out_and_let_in_again() {
        let guesses = Guesses::default();
        let now = Instant::now();
        let (one, same, other) = (
            address("2001:db8::1"),
            address("2001:db8::2"),
            address("2001:db8:1::1"),
        );
        for _ in 0..GUESSES_MAX {
            assert!(guesses.may(one, now));
            guesses.wrong(one, now);
        }
        assert!(!guesses.may(one, now) && !guesses.may(same, now) && guesses.may(other, now));
        guesses.wrong(one, now);
        let later = now + GUESS_PAUSE + Duration::from_millis(1);
        assert!(guesses.may(one, later));
        guesses.wrong(one, later);
        assert!(!guesses.may(one, later));
        let much_later = later + span() + Duration::from_millis(1);
        guesses.sweep(much_later);
        assert!(guesses.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn hosts_beyond_the_bound_share_one_place() {
        let guesses = Guesses::default();
        let now = Instant::now();
        let nth = |number: u32| IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 + number));
        for number in 0..=GUESSING_HOSTS_MAX as u32 + GUESSES_MAX {
            guesses.wrong(nth(number), now);
        }
        assert!(guesses.0.lock().unwrap().len() <= GUESSING_HOSTS_MAX + 1);
        assert!(!guesses.may(nth(u32::from(u16::MAX) * 2), now));
        assert!(guesses.may(nth(0), now));
    }
}
