//! Pairs of ports: RTP on an even one, RTCP on the next.

use std::{
    io,
    net::{IpAddr, UdpSocket},
    ops::RangeInclusive,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use crate::limits::PORTS_TRIED_MAX;

#[derive(Debug)]
pub(crate) struct Ports {
    address: IpAddr,
    /// The first even port, and how many pairs there are.
    first: u16,
    pairs: u32,
    next: AtomicU32,
}

impl Ports {
    /// None when the range holds no pair.
    pub(crate) fn new(address: IpAddr, range: &RangeInclusive<u16>, begin: u32) -> Option<Self> {
        let first = range.start().checked_add(range.start() % 2)?;
        let pairs = (u32::from(*range.end()) + 1).checked_sub(first.into())? / 2;
        (pairs > 0 && first > 0).then(|| Self {
            address,
            first,
            pairs,
            next: AtomicU32::new(begin % pairs),
        })
    }

    /// How many pairs there are.
    pub(crate) fn pairs(&self) -> u32 {
        self.pairs
    }

    /// Binds the next free pair. Ports are taken in turn, so that a late packet of a call that has
    /// ended seldom reaches another.
    pub(crate) fn bind(&self) -> io::Result<(u16, UdpSocket, UdpSocket)> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..PORTS_TRIED_MAX.min(self.pairs as usize) {
            let pair = self.next.fetch_add(1, Relaxed) % self.pairs;
            let port = u16::try_from(u32::from(self.first) + pair * 2).unwrap_or(self.first);
            let bound = UdpSocket::bind((self.address, port))
                .and_then(|rtp| Ok((rtp, UdpSocket::bind((self.address, port + 1))?)));
            match bound {
                Ok((rtp, rtcp)) => {
                    rtp.set_nonblocking(true)?;
                    rtcp.set_nonblocking(true)?;
                    return Ok((port, rtp, rtcp));
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn pairs_begin_evenly() {
        assert_eq!(
            Ports::new(HERE, &(10_001..=10_004), 0).map(|ports| (ports.first, ports.pairs)),
            Some((10_002, 1))
        );
        assert_eq!(
            Ports::new(HERE, &(65_534..=65_535), 0).map(|ports| ports.pairs),
            Some(1)
        );
        assert!(Ports::new(HERE, &(65_535..=65_535), 0).is_none());
        assert!(Ports::new(HERE, &(10_000..=10_000), 0).is_none());
    }

    #[test]
    fn a_taken_pair_is_passed_over() {
        let ports = Ports::new(HERE, &(20_780..=20_783), 0).expect("two pairs");
        let taken = UdpSocket::bind((HERE, 20_781));
        let (port, _rtp, _rtcp) = ports.bind().expect("the second pair is free");
        assert_eq!(port, 20_782);
        assert!(ports.bind().is_err());
        drop(taken);
        assert_eq!(ports.bind().expect("the first pair is free").0, 20_780);
    }
}
