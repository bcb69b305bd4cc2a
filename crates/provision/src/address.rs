//! Address ranges from which a caller may come.

use std::fmt;
use std::net::IpAddr;

use crate::ProvisionError;

/// One address or a CIDR range, of IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// Reads `192.0.2.10`, `10.0.0.0/8`, `2001:db8::/32`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().ok()?;
        let widest = width(network);
        let prefix = prefix.unwrap_or(widest);
        (prefix <= widest).then_some(Self { network, prefix })
    }

    /// The ranges of a stored list. What was stored was read before, so nothing is lost.
    pub fn all(texts: &[String]) -> Vec<Self> {
        texts.iter().filter_map(|text| Self::parse(text)).collect()
    }

    /// Whether an address lies in the range. An IPv4 address written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let network = self.network.to_canonical();
        if width(address) != width(network) {
            return false;
        }
        let shift = u32::from(width(network).saturating_sub(self.prefix));
        bits(address).checked_shr(shift) == bits(network).checked_shr(shift)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == width(self.network) {
            write!(out, "{}", self.network)
        } else {
            write!(out, "{}/{}", self.network, self.prefix)
        }
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Addresses and ranges as they are stored; each has to be one.
pub(crate) fn checked_addresses(addresses: &[String]) -> Result<Vec<String>, ProvisionError> {
    addresses
        .iter()
        .map(|text| {
            AddressRange::parse(text.trim())
                .map(|range| range.to_string())
                .ok_or_else(|| {
                    ProvisionError::invalid(
                        "addresses",
                        format!(
                            "'{text}' is neither an address nor a range; write 192.0.2.10, 10.0.0.0/8 or 2001:db8::/32"
                        ),
                    )
                })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(range: &str, address: &str) -> bool {
        let range = AddressRange::parse(range).unwrap();
        range.contains(address.parse().unwrap())
    }

    #[test]
    fn ranges_hold_what_they_say() {
        assert!(allows("192.0.2.10", "192.0.2.10"));
        assert!(!allows("192.0.2.10", "192.0.2.11"));
        assert!(allows("10.0.0.0/8", "10.255.0.1"));
        assert!(!allows("10.0.0.0/8", "11.0.0.1"));
        assert!(allows("0.0.0.0/0", "203.0.113.9"));
        assert!(!allows("0.0.0.0/0", "2001:db8::1"));
        assert!(allows("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(allows("::/0", "2001:db8::1"));
        assert!(allows("192.0.2.0/24", "::ffff:192.0.2.7"));
        for wrong in ["", "host", "10.0.0.0/33", "10.0.0/8", "1.2.3.4/", "::1/129"] {
            assert!(AddressRange::parse(wrong).is_none(), "{wrong}");
        }
    }
}
