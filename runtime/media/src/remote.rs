//! Whom a stream talks to, and from whom it listens.

use std::net::{IpAddr, SocketAddr};

use crate::Codec;

/// The far end, as it was negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Where it hears.
    pub rtp: SocketAddr,
    /// Where it takes reports; none: with the sound on one port (rtcp-mux). Without `a=rtcp` it is the next
    /// port.
    pub rtcp: Option<SocketAddr>,
    /// What is spoken.
    pub codec: Codec,
    /// The payload type of keys (telephone-event); none: keys are sent as their tones.
    pub keys: Option<u8>,
    /// Whether we send (from our view: sendrecv or sendonly). On hold we do not, and what is played waits.
    pub sends: bool,
    /// Whether we hear (from our view: sendrecv or recvonly). Otherwise packets are dropped.
    pub receives: bool,
    /// From whom packets may come instead.
    pub only_from: Latch,
}

impl Remote {
    /// A far end that sends and hears, with reports on the next port, strictly from its address.
    #[must_use]
    pub fn new(rtp: SocketAddr, codec: Codec, keys: Option<u8>) -> Self {
        let mut rtcp = rtp;
        rtcp.set_port(rtp.port().wrapping_add(1));
        Self {
            rtp,
            rtcp: Some(rtcp),
            codec,
            keys,
            sends: true,
            receives: true,
            only_from: Latch::default(),
        }
    }
}

/// Who may be heard in place of the negotiated address: a phone behind a translator sends from
/// another one than it can know. The first packet decides, once; after it nobody else is heard but the negotiated
/// address itself, which a late packet of another call of the same peer must not keep out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latch {
    /// Addresses (of the peer that signals) whose first packet moves the stream there, unless
    /// one from the negotiated address came before.
    pub allowed: Vec<IpAddr>,
}

/// Which source is heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    latched: Option<SocketAddr>,
}

impl Source {
    /// Whether a packet from there counts; the first one that does decides, until one comes from the
    /// negotiated address.
    pub(crate) fn accepts(&mut self, from: SocketAddr, remote: &Remote) -> bool {
        let accepted = self.would_accept(from, remote);
        let from = canonical(from);
        if accepted && self.latched != Some(from) {
            if self.latched.is_some() {
                tracing::debug!("a stream was held by another sender than was agreed on, and is taken back");
            }
            self.latched = Some(from);
        }
        accepted
    }

    /// Whether a packet from there would count; decides nothing.
    pub(crate) fn would_accept(&self, from: SocketAddr, remote: &Remote) -> bool {
        let from = canonical(from);
        from == canonical(remote.rtp)
            || match self.latched {
                Some(latched) => latched == from,
                None => remote
                    .only_from
                    .allowed
                    .iter()
                    .any(|ip| ip.to_canonical() == from.ip()),
            }
    }

    /// Whether a report from there counts: it comes from the host that is heard.
    pub(crate) fn accepts_report(&self, from: SocketAddr, remote: &Remote) -> bool {
        let from = canonical(from).ip();
        match self.latched {
            Some(latched) => from == latched.ip(),
            None => {
                from == canonical(remote.rtp).ip()
                    || remote.rtcp.is_some_and(|rtcp| canonical(rtcp).ip() == from)
            }
        }
    }

    /// Where to send: to the source, once there is one.
    pub(crate) fn target(&self, remote: &Remote) -> SocketAddr {
        self.latched.unwrap_or(remote.rtp)
    }

    /// Where to send reports.
    pub(crate) fn report_target(&self, remote: &Remote) -> SocketAddr {
        match (self.latched, remote.rtcp) {
            (Some(latched), Some(_)) if latched != canonical(remote.rtp) => {
                let mut next = latched;
                next.set_port(latched.port().wrapping_add(1));
                next
            }
            (_, Some(rtcp)) => rtcp,
            (_, None) => self.target(remote),
        }
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> SocketAddr {
        address.parse().expect("an address")
    }

    /// A far end that may send from a host besides.
    fn latched(rtp: &str, host: &str) -> Remote {
        let allowed = vec![host.parse().expect("an address")];
        Remote {
            only_from: Latch { allowed },
            ..Remote::new(at(rtp), Codec::Pcma, None)
        }
    }

    #[test]
    fn only_the_negotiated_address_is_heard() {
        let remote = Remote::new(at("10.0.0.1:4000"), Codec::Pcma, None);
        let mut source = Source::default();
        assert!(!source.accepts(at("10.0.0.2:4000"), &remote));
        assert!(!source.accepts(at("10.0.0.1:4002"), &remote));
        assert!(source.accepts(at("10.0.0.1:4000"), &remote));
        assert_eq!(source.report_target(&remote), at("10.0.0.1:4001"));
    }

    #[test]
    fn a_translated_peer_is_latched_once() {
        let remote = latched("192.168.1.5:4000", "203.0.113.9");
        let mut source = Source::default();
        assert!(source.would_accept(at("203.0.113.9:61000"), &remote));
        assert!(!source.accepts(at("203.0.113.8:61000"), &remote));
        assert!(source.accepts(at("203.0.113.9:61000"), &remote));
        assert!(
            !source.accepts(at("203.0.113.9:61002"), &remote),
            "another port of the same host"
        );
        assert_eq!(source.target(&remote), at("203.0.113.9:61000"));
        assert_eq!(source.report_target(&remote), at("203.0.113.9:61001"));
        assert!(source.accepts_report(at("203.0.113.9:7"), &remote));
        assert!(!source.accepts_report(at("203.0.113.8:61001"), &remote));
    }

    #[test]
    fn the_negotiated_address_wins_when_it_comes_first() {
        let remote = latched("10.0.0.1:4000", "10.0.0.2");
        let mut source = Source::default();
        assert!(source.accepts(at("10.0.0.1:4000"), &remote));
        assert!(!source.accepts(at("10.0.0.2:4000"), &remote));
    }

    #[test]
    fn a_late_packet_of_another_call_keeps_nobody_out() {
        let remote = latched("10.0.0.1:4000", "10.0.0.1");
        let mut source = Source::default();
        assert!(source.accepts(at("10.0.0.1:5000"), &remote), "from the same host");
        assert!(source.accepts(at("10.0.0.1:4000"), &remote), "the negotiated one");
        assert_eq!(source.target(&remote), at("10.0.0.1:4000"));
        assert!(!source.accepts(at("10.0.0.1:5000"), &remote));
    }

    #[test]
    fn an_address_in_the_dress_of_ipv6_is_the_same() {
        let remote = Remote::new(at("10.0.0.1:4000"), Codec::Pcma, None);
        assert!(Source::default().accepts(at("[::ffff:10.0.0.1]:4000"), &remote));
    }
}
