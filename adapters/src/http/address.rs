//! Who can be reached at an IP address: the IANA special-purpose registries (RFC 6890) as one table.
//!
//! IPv6 is judged by what is allowed, not by what is forbidden: only global unicast `2000::/3` is public, and the
//! blocks inside it that carry an IPv4 address or lead nowhere are taken out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an IP address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The internet.
    Public,
    /// A private network: RFC 1918, carrier NAT (100.64.0.0/10), unique local IPv6. Only for hosts named by the operator.
    Private,
    /// This machine: 127.0.0.0/8 and `::1`.
    Loopback,
    /// Nothing a gateway ever calls: link-local with the cloud metadata services, multicast, unspecified, broadcast,
    /// documentation, and IPv6 forms that hide an IPv4 address.
    Forbidden,
}

impl Reach {
    /// Classifies one address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

type BlockV4 = (Ipv4Addr, u32, Reach);
type BlockV6 = (Ipv6Addr, u32, Reach);

const V4: &[BlockV4] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, Reach::Forbidden),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Reach::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Reach::Private),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Reach::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Reach::Forbidden),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Reach::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Reach::Forbidden),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Reach::Forbidden),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Reach::Forbidden),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Reach::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Reach::Forbidden),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Reach::Forbidden),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Reach::Forbidden),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Reach::Forbidden),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Reach::Forbidden),
];

/// The first match counts; what matches nothing is forbidden.
const V6: &[BlockV6] = &[
    (Ipv6Addr::LOCALHOST, 128, Reach::Loopback),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Reach::Private),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Reach::Forbidden), // Teredo, ORCHID, benchmarking
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, Reach::Forbidden), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Reach::Forbidden), // 6to4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Reach::Forbidden), // documentation
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Reach::Public),
];

fn of_v4(address: Ipv4Addr) -> Reach {
    V4.iter()
        .find(|(block, bits, _)| (address.to_bits() ^ block.to_bits()) >> (32 - bits) == 0)
        .map_or(Reach::Public, |(_, _, reach)| *reach)
}

fn of_v6(address: Ipv6Addr) -> Reach {
    V6.iter()
        .find(|(block, bits, _)| (address.to_bits() ^ block.to_bits()) >> (128 - bits) == 0)
        .map_or(Reach::Forbidden, |(_, _, reach)| *reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_block_is_known_by_its_first_and_last_address() {
        let table = [
            ("0.0.0.0", Reach::Forbidden),
            ("0.255.255.255", Reach::Forbidden),
            ("1.0.0.0", Reach::Public),
            ("9.255.255.255", Reach::Public),
            ("10.0.0.0", Reach::Private),
            ("10.255.255.255", Reach::Private),
            ("100.63.255.255", Reach::Public),
            ("100.64.0.0", Reach::Private),
            ("100.127.255.255", Reach::Private),
            ("100.128.0.0", Reach::Public),
            ("127.0.0.1", Reach::Loopback),
            ("127.255.255.255", Reach::Loopback),
            ("128.0.0.0", Reach::Public),
            ("169.254.169.254", Reach::Forbidden),
            ("172.15.255.255", Reach::Public),
            ("172.16.0.0", Reach::Private),
            ("172.31.255.255", Reach::Private),
            ("172.32.0.0", Reach::Public),
            ("192.0.0.8", Reach::Forbidden),
            ("192.0.2.1", Reach::Forbidden),
            ("192.88.99.1", Reach::Forbidden),
            ("192.168.255.255", Reach::Private),
            ("192.169.0.0", Reach::Public),
            ("198.17.255.255", Reach::Public),
            ("198.18.0.0", Reach::Forbidden),
            ("198.19.255.255", Reach::Forbidden),
            ("198.51.100.1", Reach::Forbidden),
            ("203.0.113.1", Reach::Forbidden),
            ("223.255.255.255", Reach::Public),
            ("224.0.0.1", Reach::Forbidden),
            ("240.0.0.1", Reach::Forbidden),
            ("255.255.255.255", Reach::Forbidden),
            ("::", Reach::Forbidden),
            ("::1", Reach::Loopback),
            ("::2", Reach::Forbidden),
            ("::127.0.0.1", Reach::Forbidden),
            ("::ffff:127.0.0.1", Reach::Forbidden),
            ("::ffff:8.8.8.8", Reach::Forbidden),
            ("64:ff9b::7f00:1", Reach::Forbidden),
            ("64:ff9b:1::a00:1", Reach::Forbidden),
            ("100::1", Reach::Forbidden),
            ("1fff:ffff::1", Reach::Forbidden),
            ("2001:0:53aa::1", Reach::Forbidden),
            ("2001:1ff:ffff::1", Reach::Forbidden),
            ("2001:200::1", Reach::Public),
            ("2001:db8::1", Reach::Forbidden),
            ("2002:7f00:1::1", Reach::Forbidden),
            ("2400:4050::1", Reach::Public),
            ("3ffe::1", Reach::Public),
            ("3fff::1", Reach::Forbidden),
            ("4000::1", Reach::Forbidden),
            ("5f00::1", Reach::Forbidden),
            ("fbff::1", Reach::Forbidden),
            ("fc00::1", Reach::Private),
            ("fdff::1", Reach::Private),
            ("fe80::1", Reach::Forbidden),
            ("fec0::1", Reach::Forbidden),
            ("ff02::1", Reach::Forbidden),
        ];
        for (address, expect) in table {
            assert_eq!(Reach::of(address.parse().unwrap()), expect, "{address}");
        }
    }
}
