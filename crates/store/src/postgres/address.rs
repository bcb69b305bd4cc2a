//! Where the server is: one or several hosts, and how to speak to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::StoreError;

/// Quiet time after which the system asks whether the other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long sent bytes may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// A database on one of several hosts, of which one accepts writes.
pub(super) struct Address {
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    /// The host that served last.
    last_good: AtomicUsize,
}

impl Address {
    /// Reads a connection URL. `sslmode=require` and stricter mean TLS with a verified certificate; without
    /// them the connection is in the clear. `sslrootcert` names a file of certificates to trust instead of the public ones.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let (url, options) = Options::take(url);
        let config: Config = url.parse().map_err(|error| {
            StoreError::open(format!(
                "its address is not understood: {}",
                with_cause(&error)
            ))
        })?;
        let tls = if options.tls {
            Some(connector(options.root_certificates.as_deref())?)
        } else {
            None
        };
        let hosts = each_host(&config, options.tls)?;
        Ok(Self {
            hosts,
            tls,
            last_good: AtomicUsize::new(0),
        })
    }

    /// The hosts, the one that served last first, each with its number.
    pub(super) fn hosts(&self) -> Vec<(usize, Config)> {
        let first = self.last_good.load(Ordering::Relaxed);
        let mut hosts: Vec<(usize, Config)> = self.hosts.iter().cloned().enumerate().collect();
        hosts.sort_by_key(|(number, _)| *number != first);
        hosts
    }

    pub(super) fn remember(&self, host: usize) {
        self.last_good.store(host, Ordering::Relaxed);
    }

    pub(super) fn tls(&self) -> Option<MakeRustlsConnect> {
        self.tls.clone()
    }
}

/// The parameters that the driver does not know.
#[derive(Default)]
struct Options {
    tls: bool,
    root_certificates: Option<String>,
}

impl Options {
    /// Takes them out of a URL.
    fn take(url: &str) -> (String, Self) {
        let mut options = Self::default();
        let Some((address, query)) = url.split_once('?') else {
            return (url.to_owned(), options);
        };
        let mut rest = Vec::new();
        for parameter in query.split('&') {
            match parameter.split_once('=') {
                Some(("sslmode", mode)) => {
                    options.tls = !matches!(mode, "disable" | "allow" | "prefer")
                }
                Some(("sslrootcert", path)) => options.root_certificates = Some(path.to_owned()),
                _ => rest.push(parameter),
            }
        }
        (format!("{address}?{}", rest.join("&")), options)
    }
}

/// One configuration for each host, so that one host that hangs does not use up the time of the others.
fn each_host(config: &Config, tls: bool) -> Result<Vec<Config>, StoreError> {
    let hosts = config.get_hosts();
    let addresses = config.get_hostaddrs();
    let ports = config.get_ports();
    if hosts.is_empty() && addresses.is_empty() {
        return Err(StoreError::open("its address names no host"));
    }
    let one = |index: usize| {
        let mut one = common(config, tls);
        match hosts.get(index) {
            Some(Host::Tcp(name)) => _ = one.host(name),
            #[cfg(unix)]
            Some(Host::Unix(path)) => _ = one.host_path(path),
            None => {}
        }
        if let Some(address) = addresses.get(index) {
            one.hostaddr(*address);
        }
        if let Some(port) = ports.get(index).or(ports.first()) {
            one.port(*port);
        }
        one
    };
    Ok((0..hosts.len().max(addresses.len())).map(one).collect())
}

/// What is the same for every host.
fn common(config: &Config, tls: bool) -> Config {
    let mut common = Config::new();
    if let Some(user) = config.get_user() {
        common.user(user);
    }
    if let Some(password) = config.get_password() {
        common.password(password);
    }
    if let Some(name) = config.get_dbname() {
        common.dbname(name);
    }
    if let Some(options) = config.get_options() {
        common.options(options);
    }
    common
        .application_name(config.get_application_name().unwrap_or("vestibule"))
        .ssl_mode(if tls {
            SslMode::Require
        } else {
            SslMode::Disable
        })
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        // A standby would refuse the first write; look for the host that accepts them.
        .target_session_attrs(TargetSessionAttrs::ReadWrite)
        .keepalives_idle(KEEPALIVE)
        .tcp_user_timeout(UNACKNOWLEDGED);
    common
}

fn connector(root_certificates: Option<&str>) -> Result<MakeRustlsConnect, StoreError> {
    let mut roots = RootCertStore::empty();
    match root_certificates {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let failed = |error: String| {
                StoreError::open(format!("certificates of sslrootcert={path}: {error}"))
            };
            let found =
                CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| failed(error.to_string()))?;
                roots
                    .add(certificate)
                    .map_err(|error| failed(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(failed("there is none in the file".to_owned()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::open(format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// An error together with what caused it, which the driver's own text leaves out.
pub(super) fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_with_their_ports() {
        let address =
            Address::parse("postgres://me:pw@h1:5433,h2,h3:5435/v?connect_timeout=2").unwrap();
        let ports: Vec<u16> = address
            .hosts()
            .iter()
            .map(|(_, host)| host.get_ports()[0])
            .collect();
        assert_eq!(ports, [5433, 5432, 5435]);
        address.remember(2);
        assert_eq!(address.hosts()[0].0, 2);
        assert_eq!(
            address.hosts()[0].1.get_hosts(),
            [Host::Tcp("h3".to_owned())]
        );
        assert_eq!(address.hosts().len(), 3);
    }

    #[test]
    fn tls_when_asked_for() {
        let mode = |url: &str| {
            Address::parse(url)
                .map(|address| address.tls.is_some())
                .unwrap()
        };
        assert!(!mode("postgres://h/v"));
        assert!(!mode("postgres://h/v?sslmode=prefer"));
        assert!(mode("postgres://h/v?sslmode=require"));
        assert!(mode(
            "postgres://h/v?application_name=x&sslmode=verify-full"
        ));
        assert!(Address::parse("postgres://h/v?sslmode=require&sslrootcert=/nowhere.pem").is_err());
        assert!(Address::parse("postgres://h:notaport/v").is_err());
    }
}
