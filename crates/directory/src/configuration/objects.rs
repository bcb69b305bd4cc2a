//! The objects of a configuration: each thing that can be made, changed or removed by itself.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::entries::Configuration;
use super::place::{item, member};
use super::secret::SecretSource;
use crate::name::{folded, same};
use crate::rules::RuleError;

/// What kind of thing it is, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say all")]
pub enum Kind {
    Directory,
    Connector,
    Schema,
    Token,
    Client,
    Application,
    Webhook,
    Channel,
    Subscription,
    Audit,
}

impl Kind {
    /// The word for one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Directory => "directory",
            Kind::Connector => "connector",
            Kind::Schema => "schema",
            Kind::Token => "token",
            Kind::Client => "client",
            Kind::Application => "application",
            Kind::Webhook => "webhook",
            Kind::Channel => "channel",
            Kind::Subscription => "subscription",
            Kind::Audit => "audit log",
        }
    }

    /// What it is part of.
    pub const fn parent(self) -> Option<Kind> {
        match self {
            Kind::Schema | Kind::Token | Kind::Client => Some(Kind::Connector),
            Kind::Webhook => Some(Kind::Application),
            Kind::Directory
            | Kind::Connector
            | Kind::Application
            | Kind::Channel
            | Kind::Subscription
            | Kind::Audit => None,
        }
    }

    /// The member that they are in: a list, but for what there is one of.
    pub const fn list(self) -> &'static str {
        match self {
            Kind::Directory => "directories",
            Kind::Connector => "connectors",
            Kind::Schema => "schemas",
            Kind::Token => "tokens",
            Kind::Client => "clients",
            Kind::Application => "applications",
            Kind::Webhook => "webhooks",
            Kind::Channel => "notifications",
            Kind::Subscription => "subscriptions",
            Kind::Audit => "audit",
        }
    }

    /// The members that name one.
    const fn named_by(self) -> &'static [&'static str] {
        match self {
            Kind::Directory
            | Kind::Connector
            | Kind::Application
            | Kind::Channel
            | Kind::Subscription => &["name"],
            Kind::Token | Kind::Client => &["label"],
            Kind::Webhook => &["url"],
            Kind::Schema => &["document", "id"],
            Kind::Audit => &[],
        }
    }

    /// The member that says where its secret is.
    pub const fn secret(self) -> Option<&'static str> {
        match self {
            Kind::Token | Kind::Client | Kind::Channel | Kind::Subscription => Some("secret"),
            Kind::Application => Some("password"),
            Kind::Webhook => Some("token"),
            Kind::Directory | Kind::Connector | Kind::Schema | Kind::Audit => None,
        }
    }

    const fn parts(self) -> &'static [Kind] {
        match self {
            Kind::Connector => &[Kind::Schema, Kind::Token, Kind::Client],
            Kind::Application => &[Kind::Webhook],
            _ => &[],
        }
    }

    /// Labels say what something is for; several may say the same.
    const fn may_share_its_name(self) -> bool {
        matches!(self, Kind::Token | Kind::Client)
    }
}

/// What an object is called, unambiguously.
#[derive(Clone, Debug)]
pub struct ObjectName {
    /// What it is.
    pub kind: Kind,
    /// The name of what it is part of.
    pub of: Option<String>,
    /// Its name, label, address or URN.
    pub name: String,
    /// How many of the same name come before it.
    pub nth: usize,
}

impl ObjectName {
    /// Whether both mean the same object.
    pub fn is(&self, other: &ObjectName) -> bool {
        let parents = match (&self.of, &other.of) {
            (Some(one), Some(other)) => same(one, other),
            (None, None) => true,
            _ => false,
        };
        self.kind == other.kind && self.nth == other.nth && parents && same(&self.name, &other.name)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == Kind::Audit {
            return out.write_str(self.kind.as_str());
        }
        write!(out, "{} '{}'", self.kind.as_str(), self.name)?;
        match (self.kind.parent(), &self.of) {
            (Some(kind), Some(of)) => write!(out, " of {} '{of}'", kind.as_str()),
            _ => Ok(()),
        }
    }
}

/// An object with what is said of it.
#[derive(Clone, Debug)]
pub struct Object {
    /// Which one.
    pub name: ObjectName,
    /// Where it stands in the document.
    pub path: String,
    /// What is said of it, without its name, its parts and its secret.
    pub body: Map<String, Value>,
    /// Where its secret is, if that is said.
    pub secret: Option<SecretSource>,
}

/// What a configuration says.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Every object, what is needed first.
    pub objects: Vec<Object>,
    /// The lists that are there, also empty ones: what they are of, and the name of what they are part of.
    lists: Vec<(Kind, Option<String>)>,
}

impl Said {
    /// Whether the list is there that this would be in.
    pub fn speaks_of(&self, name: &ObjectName) -> bool {
        self.lists.iter().any(|(kind, of)| {
            let parents = match (of, &name.of) {
                (Some(one), Some(other)) => same(one, other),
                (None, None) => true,
                _ => false,
            };
            *kind == name.kind && parents
        })
    }

    /// The object of this name.
    pub fn find(&self, name: &ObjectName) -> Option<&Object> {
        self.objects.iter().find(|object| object.name.is(name))
    }

    /// The name of this kind that is the same, as it is spelt there.
    pub fn spelling(&self, kind: Kind, name: &str) -> Option<&str> {
        let mut names = self.objects.iter().map(|object| &object.name);
        let found = names.find(|known| known.kind == kind && same(&known.name, name));
        found.map(|found| found.name.as_str())
    }

    /// Whether there is a thing of this kind and name.
    pub fn has(&self, kind: Kind, name: &str) -> bool {
        self.spelling(kind, name).is_some()
    }

    /// All of a kind.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects
            .iter()
            .filter(move |object| object.name.kind == kind)
    }

    /// What is there twice and may be there only once.
    pub fn twice(&self) -> Vec<RuleError> {
        let twice =
            |object: &&Object| object.name.nth > 0 && !object.name.kind.may_share_its_name();
        let told = |object: &Object| {
            let way = object.name.kind.named_by().iter();
            let path = way.fold(object.path.clone(), |path, name| member(&path, name));
            let message = format!("the {} is there twice", object.name);
            RuleError::new(path, message, "leave one of them")
        };
        self.objects.iter().filter(twice).map(told).collect()
    }
}

/// Takes a configuration apart.
pub fn objects(configuration: &Configuration) -> Said {
    let document = serde_json::to_value(configuration).unwrap_or_default();
    let mut said = Said::default();
    let mut seen = HashMap::new();
    if let Value::Object(mut document) = document {
        for kind in [
            Kind::Directory,
            Kind::Connector,
            Kind::Application,
            Kind::Channel,
            Kind::Subscription,
        ] {
            take_list(kind, None, "", &mut document, &mut seen, &mut said);
        }
        take_audit(&mut document, &mut said);
    }
    said
}

fn take_audit(from: &mut Map<String, Value>, said: &mut Said) {
    if let Some(Value::Object(body)) = from.shift_remove(Kind::Audit.list()) {
        said.objects.push(Object {
            name: ObjectName {
                kind: Kind::Audit,
                of: None,
                name: String::new(),
                nth: 0,
            },
            path: Kind::Audit.list().to_owned(),
            body,
            secret: None,
        });
    }
}

type Seen = HashMap<(Kind, Option<String>, String), usize>;

fn take_list(
    kind: Kind,
    of: Option<&str>,
    path: &str,
    from: &mut Map<String, Value>,
    seen: &mut Seen,
    said: &mut Said,
) {
    let Some(Value::Array(items)) = from.shift_remove(kind.list()) else {
        return;
    };
    said.lists.push((kind, of.map(str::to_owned)));
    let path = member(path, kind.list());
    for (index, entry) in items.into_iter().enumerate() {
        let Value::Object(mut body) = entry else {
            continue;
        };
        let path = item(&path, index);
        let name = name_of(kind, &body);
        if let [only] = kind.named_by() {
            body.shift_remove(*only);
        }
        let key = (
            kind,
            of.map(|of| folded(of).into_owned()),
            folded(&name).into_owned(),
        );
        let count = seen.entry(key).or_default();
        let nth = *count;
        *count += 1;
        let secret = kind.secret().and_then(|member| body.shift_remove(member));
        let secret = secret.and_then(|source| serde_json::from_value(source).ok());
        let mut parts = Said::default();
        for part in kind.parts() {
            take_list(*part, Some(&name), &path, &mut body, seen, &mut parts);
        }
        let of = of.map(str::to_owned);
        let name = ObjectName {
            kind,
            of,
            name,
            nth,
        };
        said.objects.push(Object {
            name,
            path,
            body,
            secret,
        });
        said.objects.append(&mut parts.objects);
        said.lists.append(&mut parts.lists);
    }
}

fn name_of(kind: Kind, body: &Map<String, Value>) -> String {
    let mut way = kind.named_by().iter();
    let first = way.next().and_then(|name| body.get(*name));
    let found = way.fold(first, |here, name| here?.get(*name));
    let name = found.and_then(Value::as_str);
    name.unwrap_or_default().trim().to_owned()
}

/// The entry of which an object was made.
pub(super) fn entry<T: DeserializeOwned>(
    name: &ObjectName,
    body: &Map<String, Value>,
) -> serde_json::Result<T> {
    let mut body = body.clone();
    if let [only] = name.kind.named_by() {
        body.insert((*only).to_owned(), name.name.as_str().into());
    }
    serde_json::from_value(Value::Object(body))
}
