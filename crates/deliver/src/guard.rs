//! Which addresses may be reached: the defence against requests that somebody makes this server send
//! to places only it can see (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use provision::AddressRange;

/// How far requests of one purpose may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public and private networks. For places that an administrator named: self-hosted products and
    /// identity providers usually have private addresses.
    Network,
    /// Public addresses alone. For places that somebody else named.
    Public,
}

/// Decides about addresses. What is in the list of exceptions is always allowed.
#[derive(Debug, Clone)]
pub struct Guard {
    reach: Reach,
    allowed: Vec<AddressRange>,
}

/// Answer about the machine they are asked on, often with credentials, and are no place of anybody's.
const METADATA: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

impl Guard {
    /// A guard that makes exceptions for these ranges.
    pub fn new(reach: Reach, allowed: Vec<AddressRange>) -> Self {
        Self { reach, allowed }
    }

    /// Why an address may not be reached, in words that follow "the address is"; `None` if it may.
    pub fn refusal(&self, address: IpAddr) -> Option<&'static str> {
        let address = plain(address);
        if self.allowed.iter().any(|range| range.contains(address)) {
            return None;
        }
        if METADATA.contains(&address) {
            return Some("that of a cloud's metadata service");
        }
        let (special, private) = match address {
            IpAddr::V4(address) => (special_v4(address), is_private_v4(address)),
            IpAddr::V6(address) => (special_v6(address), is_private_v6(address)),
        };
        special.or((private && self.reach == Reach::Public).then_some("one of a private network"))
    }
}

/// An IPv4 address that is written into an IPv6 address counts as what it is: a translator on the
/// way (NAT64, 6to4) would go there.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address.to_canonical() else {
        return address.to_canonical();
    };
    let from =
        |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => from(high, low),
        [0x2002, high, low, ..] => from(high, low),
        // Long deprecated "IPv4-compatible"; ::1 and :: are what they are.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => from(high, low),
        _ => IpAddr::V6(v6),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [first, second, third, _] = address.octets();
    if address.is_loopback() {
        Some("one of this machine itself")
    } else if address.is_link_local() {
        Some("a link-local one")
    } else if first == 0 {
        Some("unspecified")
    } else if address.is_multicast() {
        Some("a multicast one")
    } else if first >= 240 || (first, second, third) == (192, 0, 0) {
        Some("a reserved one")
    } else {
        None
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || (first == 100 && (64..128).contains(&second))
        || (first == 198 && (18..20).contains(&second))
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() {
        Some("one of this machine itself")
    } else if address.is_unspecified() {
        Some("unspecified")
    } else if address.is_unicast_link_local() {
        Some("a link-local one")
    } else if address.is_multicast() {
        Some("a multicast one")
    } else {
        // Local NAT64 and Teredo hide an IPv4 address that cannot be told from outside.
        match address.segments() {
            [0x64, 0xff9b, 1, ..] | [0x2001, 0, ..] => Some("a tunnel to a hidden address"),
            _ => None,
        }
    }
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_unique_local() || (address.segments()[0] & 0xffc0) == 0xfec0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(reach: Reach, address: &str) -> bool {
        let guard = Guard::new(reach, Vec::new());
        guard.refusal(address.parse().unwrap()).is_some()
    }

    #[test]
    fn nobody_is_led_to_this_machine_its_link_or_its_metadata() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.1.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2001:0:1:2::3",
        ] {
            assert!(refused(Reach::Network, address), "{address}");
            assert!(refused(Reach::Public, address), "{address}");
        }
    }

    #[test]
    fn private_networks_are_for_places_that_an_administrator_named() {
        for address in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "fd12:3456::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
        ] {
            assert!(!refused(Reach::Network, address), "{address}");
            assert!(refused(Reach::Public, address), "{address}");
        }
        for address in ["93.184.216.34", "2606:2800:220:1::1", "172.32.0.1"] {
            assert!(!refused(Reach::Public, address), "{address}");
        }
    }

    #[test]
    fn exceptions_are_made_for_what_the_setting_names() {
        let range = AddressRange::parse("127.0.0.0/8").unwrap();
        let guard = Guard::new(Reach::Public, vec![range]);
        assert_eq!(guard.refusal("127.0.0.1".parse().unwrap()), None);
        assert_eq!(guard.refusal("::ffff:127.0.0.1".parse().unwrap()), None);
        assert!(guard.refusal("::1".parse().unwrap()).is_some());
        assert!(guard.refusal("10.0.0.1".parse().unwrap()).is_some());
    }
}
