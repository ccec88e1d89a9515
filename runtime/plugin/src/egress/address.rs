//! Which addresses a granted host may have.
//!
//! A name that somebody else controls may resolve to anything: to this machine, to the cloud's
//! metadata service, to a printer next door. So an address must be public, or lie in one of
//! the networks that the operator named; only an address or `localhost` written in the grant
//! itself stands for itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use trunkline_model::Network;

use crate::grants::Host;

/// Whether a connection to an address of a host is allowed.
pub(super) fn allowed(host: &Host, address: IpAddr, networks: &[Network]) -> bool {
    match host {
        // A grant of an address grants that address.
        Host::Address(granted) => granted.to_canonical() == address.to_canonical(),
        Host::Name(_) if host.is_localhost() => address.to_canonical().is_loopback(),
        Host::Name(_) => is_public(address) || networks.iter().any(|network| network.contains(address)),
    }
}

/// Whether an address is one of the public internet's.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By the registry of special-purpose addresses (RFC 6890).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        // Shared by carriers, 100.64.0.0/10.
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments, 192.0.0.0/24, and the old 6to4 relays.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        // Benchmarks, 198.18.0.0/15.
        || (a == 198 && (18..20).contains(&b))
        // Reserved, 240.0.0.0/4.
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // An address that carries an IPv4 address leads where that one leads.
    let carried = match segments {
        // NAT64, 64:ff9b::/96.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some((high, low)),
        // 6to4, 2002::/16.
        [0x2002, high, low, ..] => Some((high, low)),
        // IPv4-compatible, ::/96.
        [0, 0, 0, 0, 0, 0, high, low] => Some((high, low)),
        _ => None,
    };
    if let Some((high, low)) = carried {
        return is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    }
    // Global unicast is 2000::/3; of it, documentation, Teredo and the rest of 2001::/23 are not.
    (0x2000..0x4000).contains(&segments[0])
        && !(segments[0] == 0x2001 && segments[1] < 0x0200)
        && !(segments[0] == 0x2001 && segments[1] == 0x0db8)
        && !(segments[0] == 0x3fff && segments[1] < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(host: &str, address: &str, networks: &[&str]) -> bool {
        let grant: crate::HttpGrant = format!("GET http://{host}/").parse().unwrap();
        let networks: Vec<Network> = networks.iter().map(|text| text.parse().unwrap()).collect();
        allowed(&grant.target().host, address.parse().unwrap(), &networks)
    }

    #[test]
    fn a_name_leads_to_public_addresses_only() {
        for address in ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"] {
            assert!(allows("crm.example", address, &[]), "{address}");
        }
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!allows("crm.example", address, &[]), "{address}");
        }
    }

    #[test]
    fn what_the_operator_names_is_allowed() {
        assert!(allows("crm.example", "10.1.2.3", &["10.0.0.0/8"]));
        assert!(!allows("crm.example", "10.1.2.3", &["10.2.0.0/16"]));
        assert!(allows("127.0.0.1", "127.0.0.1", &[]));
        assert!(!allows("127.0.0.1", "127.0.0.2", &[]));
        assert!(allows("localhost", "127.0.0.1", &[]));
        assert!(allows("localhost", "::1", &[]));
        assert!(!allows("localhost", "10.0.0.1", &["10.0.0.0/8"]));
        assert!(allows("169.254.169.254", "169.254.169.254", &[]));
    }
}
