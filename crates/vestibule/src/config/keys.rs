//! The table of all settings.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written in the file; the flag and the variable follow from it.
    pub name: &'static str,
    /// The default as one would write it; empty where the absence has a meaning of its own.
    pub default: &'static str,
    /// What it does, for the reference. One or two sentences.
    pub about: &'static str,
}

/// All settings, in the order of the reference.
pub const KEYS: &[Key] = &[
    Key {
        name: "data",
        default: "./vestibule-data",
        about: "The folder for everything that is kept. It is made if it is not there. \
                A relative path in the file starts at the folder of the file.",
    },
    Key {
        name: "listen",
        default: "127.0.0.1:8080",
        about: "The address and port to serve HTTP on. Port 0 takes any free port.",
    },
    Key {
        name: "database",
        default: "",
        about: "The database: `sqlite:PATH`, `postgres://USER@HOST/NAME`, or `file:PATH` of a file \
                that holds one of these. By default the file `vestibule.db` in the data folder.",
    },
    Key {
        name: "public_url",
        default: "",
        about: "How others reach this server, for example `https://vestibule.example.org` when a proxy \
                stands before it. Base URLs are printed and answered with it. By default the address \
                of `listen`.",
    },
    Key {
        name: "log",
        default: "info",
        about: "Which log lines are written: `error`, `warn`, `info`, `debug`, `trace`, or by part of \
                the program, as in `info,server=debug`.",
    },
    Key {
        name: "log_format",
        default: "auto",
        about: "How log lines look: `text`, `json`, or `auto` for text on a terminal and JSON elsewhere.",
    },
    Key {
        name: "trusted_proxies",
        default: "",
        about: "Addresses and ranges of reverse proxies whose `X-Forwarded-For` is believed, for example \
                `10.0.0.0/8`. A list in the file; separated by commas elsewhere.",
    },
    Key {
        name: "metrics_from",
        default: "",
        about: "Addresses and ranges from which `/metrics` is answered without a token, for example that of Prometheus; \
                from this machine it always is. A list in the file; separated by commas elsewhere.",
    },
    Key {
        name: "outbound_allow",
        default: "",
        about: "Addresses and ranges that this server may call although it would not do so by itself: its own \
                machine (`127.0.0.1`), link-local addresses and metadata services. Private networks need no \
                mention for mail servers, Crowd servers and identity providers, but do for webhooks and chats. A list in the file; separated by commas elsewhere.",
    },
    Key {
        name: "secret_key",
        default: "",
        about: "The file that holds the secret key of the installation: 64 hexadecimal digits. By default the file \
                `secret-key` in the data folder, which is made at the first start. Several servers on one PostgreSQL \
                database need the same.",
    },
    Key {
        name: "crowd_version",
        default: "",
        about: "What Crowd clients are told as product and version, for example `Crowd/5.3.1`, should one of them \
                insist. By default the name and version of this server.",
    },
    Key {
        name: "scim_rate",
        default: "500",
        about: "Requests of one connector in a second, on average, before it is told to come later; 25 at least, \
                or 0 for no limit. A connector can have a limit of its own.",
    },
    Key {
        name: "scim_burst",
        default: "2000",
        about: "Requests of one connector at once before the average counts; 25 at least.",
    },
    Key {
        name: "scim_in_flight",
        default: "32",
        about: "Requests of one connector that are worked on at a time. Others wait, five seconds at most.",
    },
    Key {
        name: "failed_authentications",
        default: "20",
        about: "Failed authentications from one address in a minute before further failures are told to come \
                later; 0 for no limit. A right credential is always served.",
    },
    Key {
        name: "connections",
        default: "4096",
        about: "Connections at once.",
    },
    Key {
        name: "connections_per_address",
        default: "256",
        about: "Connections at once from one address, except from trusted proxies.",
    },
    Key {
        name: "request_days",
        default: "30",
        about: "Days for which the record of requests is kept.",
    },
    Key {
        name: "request_records",
        default: "200000",
        about: "Requests that are kept in the record at most, of all connectors together; 0 records none.",
    },
];

impl Key {
    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("{}{}", super::PREFIX, self.name.to_uppercase())
    }

    /// The flag, with its dashes.
    pub fn flag(&self) -> String {
        flag(self.name)
    }
}

/// The flag for the name of a key.
pub fn flag(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}
