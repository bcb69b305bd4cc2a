//! Metrics in the text form that Prometheus reads. Label values come from fixed sets only.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Which part of the server a request went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Face {
    Scim,
    Crowd,
    Api,
    Other,
}

impl Face {
    /// The face that serves a path.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/scim/") {
            Face::Scim
        } else if path.starts_with("/rest/") || path.starts_with("/crowd/") {
            Face::Crowd
        } else if path.starts_with("/api/") {
            Face::Api
        } else {
            Face::Other
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    face: Face,
    method: &'static str,
    status: u16,
}

/// Why a request was refused before a handler saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Refused {
    /// A credential that is not right.
    Credential,
    /// Too many of those from one address.
    Throttled,
    /// An address that is not allowed.
    Address,
    /// A credential that may only read.
    ReadOnly,
    /// Too many requests of a connector in a second.
    Rate,
    /// Too many requests of a connector at once.
    InFlight,
    /// The keys of an issuer cannot be fetched.
    Keys,
    /// A target that is too long.
    Target,
    /// Too many connections from one address.
    Connections,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    reason: Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FaceLabels {
    face: Face,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectorLabels {
    connector: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabels {
    channel: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApplicationLabels {
    application: String,
}

/// What is shown at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Credential {
    /// A bearer token of a connector.
    Token,
    /// A secret of a client of a connector.
    ClientSecret,
    /// A token of the admin API.
    ApiToken,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CredentialLabels {
    kind: Credential,
    connector: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

/// The figures of this process.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    refusals: Family<RefusalLabels, Counter>,
    durations: Family<FaceLabels, Histogram>,
    due: Family<ConnectorLabels, Gauge>,
    source_users: Family<ConnectorLabels, Gauge>,
    source_groups: Family<ConnectorLabels, Gauge>,
    open_holds: Family<ConnectorLabels, Gauge>,
    held_since: Family<ConnectorLabels, Gauge>,
    connector_silent: Family<ConnectorLabels, Gauge>,
    application_silent: Family<ApplicationLabels, Gauge>,
    application_polled: Family<ApplicationLabels, Gauge>,
    dropped_records: Counter,
    scim_errors: Family<CodeLabels, Counter>,
    notification_failures: Family<ChannelLabels, Gauge>,
    token_remaining: Family<CredentialLabels, Gauge>,
}

/// What the store says about one connector at the time of a scrape.
pub(crate) struct ConnectorFigures {
    pub(crate) connector: String,
    pub(crate) due: i64,
    pub(crate) users: i64,
    pub(crate) groups: i64,
    pub(crate) open_holds: i64,
    /// Seconds since 1970; 0 if nothing is held.
    pub(crate) held_since: i64,
    /// Whether its identity provider has been away for much longer than usual.
    pub(crate) is_silent: bool,
}

/// What the store says about one application at the time of a scrape.
pub(crate) struct ApplicationFigures {
    pub(crate) application: String,
    /// Seconds since 1970; 0 if it never came to fetch.
    pub(crate) polled: i64,
    /// Whether it has been away for much longer than usual.
    pub(crate) is_silent: bool,
}

/// What the store says at the time of a scrape.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) connectors: Vec<ConnectorFigures>,
    pub(crate) applications: Vec<ApplicationFigures>,
    pub(crate) channels: Vec<ChannelFigures>,
    /// What works still and has an end, the first to end of its kind and connector alone.
    pub(crate) endings: Vec<EndingFigures>,
}

/// What the store says about the first token of a kind to end.
pub(crate) struct EndingFigures {
    pub(crate) kind: Credential,
    /// Empty for tokens of the admin API.
    pub(crate) connector: String,
    pub(crate) seconds: i64,
}

/// What the store says about one channel of notifications at the time of a scrape.
pub(crate) struct ChannelFigures {
    pub(crate) channel: String,
    pub(crate) failures: i64,
}

const BUCKETS: [f64; 11] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 20.0,
];

fn durations_histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("vestibule");
        let requests = Family::default();
        registry.register("requests", "Requests answered", requests.clone());
        let refusals = Family::default();
        registry.register(
            "refusals",
            "Requests and connections that were refused at the door",
            refusals.clone(),
        );
        let dropped_records = Counter::default();
        registry.register(
            "request_records_dropped",
            "Records of SCIM requests that could not be kept",
            dropped_records.clone(),
        );
        let scim_errors = Family::default();
        registry.register(
            "scim_errors",
            "Errors that SCIM clients were answered with",
            scim_errors.clone(),
        );
        let durations = Family::<FaceLabels, Histogram>::new_with_constructor(
            durations_histogram as fn() -> Histogram,
        );
        registry.register_with_unit(
            "request_duration",
            "Time until the head of the answer",
            Unit::Seconds,
            durations.clone(),
        );
        let due = Family::default();
        registry.register("due_users", "Users whose evaluation is owed", due.clone());
        let source_users = Family::default();
        registry.register("source_users", "Users of the source", source_users.clone());
        let source_groups = Family::default();
        registry.register(
            "source_groups",
            "Groups of the source",
            source_groups.clone(),
        );
        let open_holds = Family::default();
        registry.register(
            "open_holds",
            "Changes that safety limits keep back",
            open_holds.clone(),
        );
        let held_since = Family::default();
        registry.register(
            "held_since_timestamp",
            "When the oldest open hold began, in seconds since 1970; 0 without one",
            held_since.clone(),
        );
        let connector_silent = Family::default();
        registry.register(
            "connector_silent",
            "1 if an identity provider has been away for much longer than usual",
            connector_silent.clone(),
        );
        let application_silent = Family::default();
        registry.register(
            "application_silent",
            "1 if a product has not fetched for much longer than usual",
            application_silent.clone(),
        );
        let application_polled = Family::default();
        registry.register(
            "application_polled_timestamp",
            "When a product last came to fetch, in seconds since 1970; 0 if it never did",
            application_polled.clone(),
        );
        let notification_failures = Family::default();
        registry.register(
            "notification_failures",
            "Messages of a notification channel that failed since the last one that was taken",
            notification_failures.clone(),
        );
        let token_remaining = Family::default();
        registry.register_with_unit(
            "token_remaining",
            "Time until the first of the tokens that work stops working, where one has an end",
            Unit::Seconds,
            token_remaining.clone(),
        );
        Self {
            registry,
            requests,
            refusals,
            durations,
            due,
            source_users,
            source_groups,
            open_holds,
            held_since,
            connector_silent,
            application_silent,
            application_polled,
            dropped_records,
            scim_errors,
            notification_failures,
            token_remaining,
        }
    }
}

impl Metrics {
    pub(crate) fn request(&self, face: Face, method: &'static str, status: u16, took: Duration) {
        let labels = RequestLabels {
            face,
            method,
            status,
        };
        self.requests.get_or_create(&labels).inc();
        self.durations
            .get_or_create(&FaceLabels { face })
            .observe(took.as_secs_f64());
    }

    pub(crate) fn refused(&self, reason: Refused) {
        self.refusals.get_or_create(&RefusalLabels { reason }).inc();
    }

    /// Counts an answer to a SCIM client by the code of its error.
    pub(crate) fn scim_error(&self, code: &'static str) {
        self.scim_errors.get_or_create(&CodeLabels { code }).inc();
    }

    /// Counts records of requests that were lost.
    pub(crate) fn dropped_records(&self, count: u64) {
        self.dropped_records.inc_by(count);
    }

    /// Of what was deleted nothing is told any more.
    fn forget_figures(&self) {
        for family in [
            &self.due,
            &self.source_users,
            &self.source_groups,
            &self.open_holds,
            &self.held_since,
            &self.connector_silent,
        ] {
            family.clear();
        }
        self.notification_failures.clear();
        self.application_silent.clear();
        self.application_polled.clear();
        self.token_remaining.clear();
    }

    /// The text of a scrape.
    pub(crate) fn text(&self, figures: &Figures) -> String {
        self.forget_figures();
        for figure in &figures.endings {
            let labels = CredentialLabels {
                kind: figure.kind,
                connector: figure.connector.clone(),
            };
            self.token_remaining
                .get_or_create(&labels)
                .set(figure.seconds);
        }
        for figure in &figures.channels {
            let labels = ChannelLabels {
                channel: figure.channel.clone(),
            };
            self.notification_failures
                .get_or_create(&labels)
                .set(figure.failures);
        }
        for figure in &figures.applications {
            let labels = ApplicationLabels {
                application: figure.application.clone(),
            };
            self.application_silent
                .get_or_create(&labels)
                .set(figure.is_silent.into());
            self.application_polled
                .get_or_create(&labels)
                .set(figure.polled);
        }
        for figure in &figures.connectors {
            let labels = ConnectorLabels {
                connector: figure.connector.clone(),
            };
            self.due.get_or_create(&labels).set(figure.due);
            self.source_users.get_or_create(&labels).set(figure.users);
            self.source_groups.get_or_create(&labels).set(figure.groups);
            self.open_holds
                .get_or_create(&labels)
                .set(figure.open_holds);
            self.held_since
                .get_or_create(&labels)
                .set(figure.held_since);
            self.connector_silent
                .get_or_create(&labels)
                .set(figure.is_silent.into());
        }
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => {
                tracing::error!(%error, "metrics could not be written");
                String::new()
            }
        }
    }
}

/// Methods from a fixed set; anything else is `other`.
pub(crate) fn method_label(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
