//! Settings: from flags, the environment, `vestibule.toml` and the defaults, in this order of weight.
//!
//! Every setting is one row of [`KEYS`]; flags, variables, keys of the file, the reference and the
//! messages about mistakes all come from that row.

mod distance;
mod file;
mod keys;
mod mistake;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use provision::AddressRange;
use store::Database;

pub use keys::{KEYS, Key, flag};
pub use mistake::{Mistake, Mistakes};

use distance::nearest;

/// Begins the name of every environment variable of ours.
const PREFIX: &str = "VESTIBULE_";
/// Read from the current folder when no other file is named.
pub const FILE_NAME: &str = "vestibule.toml";

/// Where the value of a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag, with its dashes.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A key of the configuration file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The key as it is written there.
        key: String,
    },
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line, key } => write!(f, "{}:{line}: {key}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The text of a setting and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// As written; numbers and booleans as TOML writes them.
    pub text: String,
    /// Where it was written.
    pub origin: Origin,
}

/// What was written where, before anything is understood.
pub struct Sources<'a> {
    /// Flags that were used: the key's name and the value.
    pub flags: Vec<(&'static str, String)>,
    /// All environment variables.
    pub variables: Vec<(String, String)>,
    /// The configuration file: its name and text.
    pub file: Option<(&'a Path, &'a str)>,
}

/// Every setting, understood.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder.
    pub data: PathBuf,
    /// Where to listen. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The database; by default a file in the data folder.
    pub database: Database,
    /// What clients put before the paths, without a slash at the end; by default the listening address.
    pub public_url: Option<String>,
    /// Which log lines to write, in the syntax of `tracing`'s filter.
    pub log: String,
    /// How to write log lines.
    pub log_format: LogFormat,
    /// Proxies whose word about a client's address is believed.
    pub trusted_proxies: Vec<AddressRange>,
    /// Who gets the figures of `/metrics` without a token, beside this machine.
    pub metrics_from: Vec<AddressRange>,
    /// Addresses that may be called although they are special.
    pub outbound_allow: Vec<AddressRange>,
    /// The file with the secret key; by default one in the data folder.
    pub secret_key: Option<PathBuf>,
    /// What Crowd clients are told as product and version; by default our own.
    pub crowd_version: Option<String>,
    /// How much of everything there may be.
    pub limits: server::Limits,
    /// How long requests are kept in the record.
    pub retention: server::Retention,
    /// All settings as they were given, by the name of the key.
    pub given: BTreeMap<&'static str, Given>,
    /// Things that are probably not meant, for the log.
    pub doubts: Vec<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One JSON object for each line.
    Json,
}

impl Settings {
    /// Puts the sources together. All mistakes are reported at once.
    pub fn read(sources: &Sources<'_>) -> Result<Self, Mistakes> {
        let mut mistakes = Vec::new();
        let mut given: BTreeMap<&'static str, Given> = KEYS
            .iter()
            .map(|key| {
                (
                    key.name,
                    Given {
                        text: key.default.to_owned(),
                        origin: Origin::Default,
                    },
                )
            })
            .collect();
        if let Some((path, text)) = sources.file {
            given.extend(file::read(path, text, &mut mistakes));
        }
        let doubts = from_variables(&sources.variables, &mut given);
        for (name, text) in &sources.flags {
            let origin = Origin::Flag(flag(name));
            given.insert(
                name,
                Given {
                    text: text.clone(),
                    origin,
                },
            );
        }
        let settings = understand(given, doubts, &mut mistakes);
        match settings {
            Some(settings) if mistakes.is_empty() => Ok(settings),
            _ => Err(Mistakes(mistakes)),
        }
    }
}

/// Takes our variables; gives back sentences about those that look like a slip of the pen. Unknown
/// ones are no mistake: orchestrators set `VESTIBULE_PORT` and the like by themselves.
fn from_variables(
    variables: &[(String, String)],
    given: &mut BTreeMap<&'static str, Given>,
) -> Vec<String> {
    let mut doubts = Vec::new();
    let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
    for (name, text) in variables
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
    {
        if let Some(key) = KEYS.iter().find(|key| key.variable() == *name) {
            let origin = Origin::Variable(name.clone());
            given.insert(
                key.name,
                Given {
                    text: text.clone(),
                    origin,
                },
            );
        } else if let Some(meant) = nearest(name, known.iter().map(String::as_str)) {
            doubts.push(format!(
                "the variable {name} means nothing; did you mean {meant}?"
            ));
        }
    }
    doubts
}

/// Understands every value. `None` only when a mistake was added.
fn understand(
    given: BTreeMap<&'static str, Given>,
    doubts: Vec<String>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Settings> {
    let mut reader = Reader {
        given: &given,
        mistakes,
    };
    let data = reader.read("data", path);
    let listen = reader.read("listen", address);
    let data_or_default = data.clone().unwrap_or_default();
    let database = reader.read("database", |given| database(given, &data_or_default));
    let public_url = reader.read("public_url", url);
    let log = reader.read("log", filter);
    let log_format = reader.read("log_format", log_format);
    let trusted_proxies = reader.read("trusted_proxies", ranges);
    let metrics_from = reader.read("metrics_from", ranges);
    let outbound_allow = reader.read("outbound_allow", ranges);
    let secret_key = reader.read("secret_key", optional_path);
    let crowd_version = reader.read("crowd_version", product_version);
    let limits = limits(&mut reader);
    let request_days = reader.read("request_days", |given| number(given, 1, false));
    let request_records = reader.read("request_records", |given| number(given, 1, true));
    Some(Settings {
        data: data?,
        listen: listen?,
        database: database?,
        public_url: public_url?,
        log: log?,
        log_format: log_format?,
        trusted_proxies: trusted_proxies?,
        metrics_from: metrics_from?,
        outbound_allow: outbound_allow?,
        secret_key: secret_key?,
        crowd_version: crowd_version?,
        limits: limits?,
        retention: server::Retention {
            days: request_days?,
            most: request_records?,
        },
        given,
        doubts,
    })
}

struct Reader<'a> {
    given: &'a BTreeMap<&'static str, Given>,
    mistakes: &'a mut Vec<Mistake>,
}

impl Reader<'_> {
    fn read<T>(&mut self, name: &str, parse: impl FnOnce(&Given) -> Result<T, Wrong>) -> Option<T> {
        let given = self.given.get(name)?;
        match parse(given) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.mistakes.push(Mistake {
                    origin: given.origin.clone(),
                    message: wrong.message,
                    remedy: wrong.remedy,
                });
                None
            }
        }
    }
}

/// Why a value cannot be understood, and what to write instead.
struct Wrong {
    message: String,
    remedy: String,
}

fn wrong(message: impl Into<String>, remedy: impl Into<String>) -> Wrong {
    Wrong {
        message: message.into(),
        remedy: remedy.into(),
    }
}

/// A path; one in the file is meant from the folder of the file.
fn path(given: &Given) -> Result<PathBuf, Wrong> {
    if given.text.is_empty() {
        return Err(wrong(
            "the path is empty",
            "name a folder, or leave the setting out",
        ));
    }
    Ok(from_file(&given.origin, Path::new(&given.text)))
}

fn from_file(origin: &Origin, path: &Path) -> PathBuf {
    match origin {
        Origin::File { path: file, .. } => file.parent().unwrap_or(Path::new("")).join(path),
        _ => path.to_path_buf(),
    }
}

fn address(given: &Given) -> Result<SocketAddr, Wrong> {
    given
        .text
        .parse()
        .map_err(|_unparsable: std::net::AddrParseError| {
            wrong(
                format!("`{}` is not an address with a port", given.text),
                "write for example 127.0.0.1:8080, or 0.0.0.0:8080 for all networks",
            )
        })
}

fn database(given: &Given, data: &Path) -> Result<Database, Wrong> {
    if given.text.is_empty() {
        return Ok(Database::Sqlite(data.join("vestibule.db")));
    }
    let text = secret(given)?;
    // The text may hold a password: it is not repeated.
    Database::parse(&text).map_err(|error| {
        wrong(
            error.to_string(),
            "write sqlite:PATH or postgres://USER@HOST/NAME, or file:PATH of a file that holds it",
        )
    })
}

/// The value itself, or what is in the file that `file:PATH` names.
fn secret(given: &Given) -> Result<String, Wrong> {
    let Some(named) = given.text.strip_prefix("file:") else {
        return Ok(given.text.clone());
    };
    let path = from_file(&given.origin, Path::new(named));
    std::fs::read_to_string(&path)
        .map(|text| text.trim().to_owned())
        .map_err(|error| {
            wrong(
                format!("the file {} cannot be read: {error}", path.display()),
                "file:PATH names a file that holds the value",
            )
        })
}

fn url(given: &Given) -> Result<Option<String>, Wrong> {
    let text = given.text.trim_end_matches('/');
    if text.is_empty() {
        return Ok(None);
    }
    let place = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    if place.is_none_or(|place| place.is_empty() || place.contains(['?', '#', ' '])) {
        return Err(wrong(
            format!("`{text}` is not the beginning of a web address"),
            "write for example https://vestibule.example.org",
        ));
    }
    Ok(Some(text.to_owned()))
}

fn optional_path(given: &Given) -> Result<Option<PathBuf>, Wrong> {
    match given.text.as_str() {
        "" => Ok(None),
        _ => path(given).map(Some),
    }
}

/// Name and version with a slash between, as they go into a header.
fn product_version(given: &Given) -> Result<Option<String>, Wrong> {
    let text = &given.text;
    if text.is_empty() {
        return Ok(None);
    }
    let is_good = text.bytes().all(|byte| byte.is_ascii_graphic())
        && text
            .split_once('/')
            .is_some_and(|(name, version)| !name.is_empty() && !version.is_empty());
    match is_good {
        true => Ok(Some(text.clone())),
        false => Err(wrong(
            format!("`{text}` is not a product with a version"),
            "write for example Crowd/5.3.1",
        )),
    }
}

fn filter(given: &Given) -> Result<String, Wrong> {
    match tracing_subscriber::EnvFilter::try_new(&given.text) {
        Ok(_) => Ok(given.text.clone()),
        Err(error) => Err(wrong(
            format!("`{}` is not a log filter: {error}", given.text),
            "write error, warn, info, debug or trace, or for example info,server=debug",
        )),
    }
}

fn log_format(given: &Given) -> Result<LogFormat, Wrong> {
    match given.text.as_str() {
        "auto" => Ok(LogFormat::Auto),
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(wrong(
            format!("`{other}` is not a log format"),
            "write auto, text or json",
        )),
    }
}

fn ranges(given: &Given) -> Result<Vec<AddressRange>, Wrong> {
    let parts = given
        .text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| {
            AddressRange::parse(part).ok_or_else(|| {
                wrong(
                    format!("`{part}` is neither an address nor a range"),
                    "write for example 192.0.2.10, 10.0.0.0/8 or 2001:db8::/32",
                )
            })
        })
        .collect()
}

fn limits(reader: &mut Reader<'_>) -> Option<server::Limits> {
    // Identity providers need at least this many.
    let least = directory::CredentialSettings::RATE_MIN;
    let rate = reader.read("scim_rate", |given| number(given, least, true));
    let burst = reader.read("scim_burst", |given| number(given, least, false));
    let in_flight = reader.read("scim_in_flight", |given| number(given, 1, false));
    let failed = reader.read("failed_authentications", |given| number(given, 1, true));
    let connections = reader.read("connections", |given| number(given, 1, false));
    let per_address = reader.read("connections_per_address", |given| number(given, 1, false));
    Some(server::Limits {
        scim_rate: rate?,
        scim_burst: burst?,
        scim_in_flight: in_flight? as usize,
        failed_authentications: failed?,
        connections: connections? as usize,
        connections_per_address: per_address? as usize,
    })
}

/// A whole number, which is `least` or more; 0 where that means no limit.
fn number(given: &Given, least: u32, or_none: bool) -> Result<u32, Wrong> {
    const MOST: u32 = 1_000_000;
    let number = given.text.parse::<u32>().ok();
    let fits = |number: &u32| (least..=MOST).contains(number) || (or_none && *number == 0);
    number.filter(fits).ok_or_else(|| {
        let none = if or_none { ", or 0 for no limit" } else { "" };
        wrong(
            format!("`{}` is not a number from {least} to {MOST}", given.text),
            format!("write a number from {least} to {MOST}{none}"),
        )
    })
}

#[cfg(test)]
mod tests;
