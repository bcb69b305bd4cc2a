//! From which address a request really comes.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{Extensions, HeaderMap, HeaderName};

use crate::app::Settings;

/// The address at the other end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The client's address: the peer's, unless that is a trusted proxy; then the last address in
/// `X-Forwarded-For` that is none of the proxies.
pub(crate) fn client_address(
    settings: &Settings,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Option<IpAddr> {
    let peer = extensions.get::<Peer>()?.0;
    let trusted = |address: IpAddr| is_trusted(settings, address);
    if !trusted(peer) {
        return Some(peer);
    }
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(|value| value.to_str().unwrap_or("?"))
        .collect();
    // The proxies wrote the end of the list, and before it may stand what the client made up. So it
    // is read from its end, and no further than to what cannot be read.
    let client = lines
        .iter()
        .rev()
        .flat_map(|line| line.rsplit(','))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(address_in)
        .find(|address| !address.is_some_and(trusted))
        .flatten();
    Some(client.unwrap_or(peer))
}

/// An address as proxies write it: also in brackets or quotes, and with a port.
fn address_in(part: &str) -> Option<IpAddr> {
    let part = part.trim_matches('"');
    let bare = part
        .strip_prefix('[')
        .and_then(|part| part.strip_suffix(']'));
    let with_port = || part.parse::<SocketAddr>().ok().map(|found| found.ip());
    bare.unwrap_or(part).parse().ok().or_else(with_port)
}

/// How a client reached the proxy; only a trusted one is believed.
pub(crate) const FORWARDED_PROTO: &str = "x-forwarded-proto";
/// The host that a client asked for at the proxy.
pub(crate) const FORWARDED_HOST: &str = "x-forwarded-host";

/// What of a request tells how this server was reached, for addresses in what the API answers.
pub(crate) fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let passed = [
        HOST,
        HeaderName::from_static(FORWARDED_HOST),
        HeaderName::from_static(FORWARDED_PROTO),
    ];
    let passed = passed.into_iter();
    passed
        .filter_map(|name| headers.get(&name).map(|value| (name, value.clone())))
        .collect()
}

/// Takes away what a peer that is no trusted proxy says about the address that was asked for.
pub(crate) fn keep_trusted(settings: &Settings, request: &mut Request) {
    let headers = request.headers();
    if !headers.contains_key(FORWARDED_PROTO) && !headers.contains_key(FORWARDED_HOST) {
        return;
    }
    let peer = request.extensions().get::<Peer>();
    if !peer.is_some_and(|peer| is_trusted(settings, peer.0)) {
        request.headers_mut().remove(FORWARDED_PROTO);
        request.headers_mut().remove(FORWARDED_HOST);
    }
}

/// Whether an address is one of the proxies that are believed.
pub(crate) fn is_trusted(settings: &Settings, address: IpAddr) -> bool {
    let mut proxies = settings.trusted_proxies.iter();
    proxies.any(|proxy| proxy.contains(address))
}

#[cfg(test)]
mod tests {
    use provision::AddressRange;

    use super::*;

    fn client(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let settings = Settings {
            trusted_proxies: proxies
                .iter()
                .map(|text| AddressRange::parse(text).unwrap())
                .collect(),
            ..Settings::default()
        };
        let mut extensions = Extensions::new();
        extensions.insert(Peer(peer.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        client_address(&settings, &extensions, &headers)
            .unwrap()
            .to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client("198.51.100.1", &["10.1.1.1"], &[]), "198.51.100.1");
        assert_eq!(
            client("10.0.0.1", &["192.0.2.7"], &["10.0.0.0/8"]),
            "192.0.2.7"
        );
        let chain = &["6.6.6.6, 192.0.2.7, 10.0.0.2"];
        assert_eq!(client("10.0.0.1", chain, &["10.0.0.0/8"]), "192.0.2.7");
        assert_eq!(
            client("10.0.0.1", &["rubbish"], &["10.0.0.0/8"]),
            "10.0.0.1"
        );
    }

    #[test]
    fn what_stands_before_something_unreadable_is_not_believed() {
        let proxies = &["10.0.0.0/8", "fd00::/8"];
        for (forwarded, found) in [
            ("6.6.6.6, 192.0.2.7:4711", "192.0.2.7"),
            ("6.6.6.6, [2001:db8::7]:4711, 10.0.0.2:80", "2001:db8::7"),
            ("6.6.6.6, [2001:db8::7]", "2001:db8::7"),
            ("6.6.6.6, \"192.0.2.7\"", "192.0.2.7"),
            ("6.6.6.6, unknown", "10.0.0.1"),
            ("6.6.6.6, unknown, 10.0.0.2", "10.0.0.1"),
            ("6.6.6.6,", "6.6.6.6"),
        ] {
            assert_eq!(
                client("10.0.0.1", &[forwarded], proxies),
                found,
                "{forwarded}"
            );
        }
    }
}
