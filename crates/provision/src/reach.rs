//! Which addresses may be reached: the defence against requests that somebody makes this server send
//! to places only it can see (server-side request forgery). What can never be reached is refused when it is given;
//! what a name means is found, and asked here, when something is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use directory::JwtSettings;
use directory::notification::Way;
use url::Url;

use crate::{AddressRange, Provision, ProvisionError};

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

/// A host whose address may not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} may not be called: its address {address} is {why}. If it is meant, add the address to the setting outbound_allow"
)]
pub struct Unreached {
    /// The host.
    pub host: String,
    /// The address that was refused.
    pub address: IpAddr,
    /// What kind of address it is.
    pub why: &'static str,
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

    /// Refuses a host whose address is known without asking anybody: one that is an address, and the names of this
    /// machine itself.
    pub fn check_host(&self, host: &str) -> Result<(), Unreached> {
        let known = known_addresses(host);
        let refusals = known
            .iter()
            .map(|address| (*address, self.refusal(*address)));
        let refused: Option<Vec<_>> = refusals.map(|(ip, why)| Some((ip, why?))).collect();
        match refused.unwrap_or_default().first() {
            None => Ok(()),
            Some(&(address, why)) => Err(Unreached {
                host: host.to_owned(),
                address,
                why,
            }),
        }
    }

    /// The same for the host of a URL. What is no URL is told elsewhere.
    fn check_url(&self, url: &str) -> Result<(), Unreached> {
        let url = Url::parse(url).ok();
        url.as_ref()
            .and_then(Url::host_str)
            .map_or(Ok(()), |host| self.check_host(host))
    }
}

/// The addresses that a host has whoever is asked.
fn known_addresses(host: &str) -> Vec<IpAddr> {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse() {
        return vec![address];
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    // RFC 6761, section 6.3.
    match name == "localhost" || name.ends_with(".localhost") {
        true => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        false => Vec::new(),
    }
}

/// What is said of a member that names such a host.
fn refused(why: &Unreached) -> String {
    format!("cannot be used: {why}")
}

impl Provision {
    /// Says what may be reached although it would not be otherwise; without, nothing is.
    pub fn allow_outbound(&self, allowed: Vec<AddressRange>) {
        self.inner.outbound.get_or_init(|| allowed);
    }

    fn guard(&self, reach: Reach) -> Guard {
        let allowed = self.inner.outbound.get().cloned();
        Guard::new(reach, allowed.unwrap_or_default())
    }

    /// Refuses a URL to post to that can never be reached. One that is there already has been told of.
    pub(crate) fn require_reach(
        &self,
        field: &'static str,
        url: &str,
        before: Option<&str>,
    ) -> Result<(), ProvisionError> {
        if before == Some(url) {
            return Ok(());
        }
        let checked = self.guard(Reach::Public).check_url(url);
        checked.map_err(|why| ProvisionError::invalid(field, refused(&why)))
    }

    /// Refuses a way whose place can never be reached. The URL of a chat is its secret.
    pub(crate) fn require_way_reach(
        &self,
        way: &Way,
        secret: Option<&str>,
        before: Option<&Way>,
    ) -> Result<(), ProvisionError> {
        if let (Way::Chat(_), Some(url)) = (way, secret) {
            return self.require_reach("secret", url, None);
        }
        let checked = self.check_way_reach(way, before);
        checked.map_err(|(member, why)| ProvisionError::invalid(member, why))
    }

    /// What is wrong with the place that a way itself names, if anything: the member, and what to do.
    pub(crate) fn check_way_reach(
        &self,
        way: &Way,
        before: Option<&Way>,
    ) -> Result<(), (&'static str, String)> {
        if before.is_some_and(|before| before.place() == way.place()) {
            return Ok(());
        }
        let (member, checked) = match way {
            Way::Mail(mail) => ("host", self.guard(Reach::Network).check_host(&mail.host)),
            Way::Webhook(hook) => ("url", self.guard(Reach::Public).check_url(&hook.url)),
            Way::Chat(_) => return Ok(()),
        };
        checked.map_err(|why| (member, refused(&why)))
    }

    /// Refuses keys of signed tokens that can never be fetched.
    pub(crate) fn require_keys_reach(
        &self,
        jwt: Option<&JwtSettings>,
        before: Option<&JwtSettings>,
    ) -> Result<(), ProvisionError> {
        let place = |jwt: &JwtSettings| jwt.keys_url.as_ref().unwrap_or(&jwt.issuer).clone();
        let Some(url) = jwt
            .map(place)
            .filter(|url| before.map(place).as_ref() != Some(url))
        else {
            return Ok(());
        };
        self.require_issuer_reach("jwt.keys_url", &url)
    }

    /// Refuses a place of an identity provider that can never be reached.
    pub(crate) fn require_issuer_reach(
        &self,
        field: &'static str,
        url: &str,
    ) -> Result<(), ProvisionError> {
        let checked = self.guard(Reach::Network).check_url(url);
        checked.map_err(|why| ProvisionError::invalid(field, refused(&why)))
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

    #[test]
    fn what_is_known_without_asking_is_refused_when_it_is_given() {
        let refused = |guard: &Guard, url: &str| guard.check_url(url).is_err();
        let strict = Guard::new(Reach::Public, Vec::new());
        for url in [
            "http://127.0.0.1:9/hook",
            "https://localhost/",
            "https://LOCALHOST.:8443/x",
            "https://hooks.localhost/x",
            "https://[::1]/x",
            "https://10.0.0.1/x",
            "https://[fe80::1]/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
        ] {
            assert!(refused(&strict, url), "{url}");
        }
        for url in [
            "https://hooks.example.com/10.0.0.1",
            "https://localhost.example.com",
            "https://93.184.216.34/x",
        ] {
            assert!(!refused(&strict, url), "{url}");
        }
        let range = AddressRange::parse("127.0.0.0/8").unwrap();
        let allowing = Guard::new(Reach::Public, vec![range]);
        assert!(!refused(&allowing, "http://localhost:9/hook"));
        assert!(!refused(&allowing, "http://127.0.0.1:9/hook"));
        assert!(refused(&allowing, "http://[::1]:9/hook"));
        let told = strict.check_host("localhost").unwrap_err().to_string();
        assert!(told.contains("outbound_allow"), "{told}");
    }
}
