//! What has to be done so that things are as a configuration says.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::entries::{
    new_application, new_channel, new_connector, new_directory, new_subscription,
};
use super::objects::{Kind, Object, ObjectName, Said, entry};
use super::schema::settings_names;
use super::secret::SecretSource;
use crate::connector::ConnectorSettings;
use crate::rules::{Difference, differences_of};
use crate::schedule::Schedule;

/// The member of a connector that is merged one step deeper.
const SETTINGS: &str = "settings";
/// The member of a connector that only a new one takes.
const ID: &str = "id";

/// An object as it is and as it is to be.
#[derive(Clone, Debug)]
pub struct Merged {
    /// Which one.
    pub name: ObjectName,
    /// Where it stands in the file.
    pub path: String,
    /// What is there; none if the object is to be made.
    pub before: Option<Map<String, Value>>,
    /// What is to be there, whole.
    pub after: Map<String, Value>,
    /// The secret that it is to have; none if it keeps the one it has, or gets one that is generated.
    pub secret: Option<SecretSource>,
}

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Change,
    /// It is removed.
    Delete,
}

impl Action {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Change => "change",
            Action::Delete => "delete",
        }
    }
}

/// One thing to do.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// With what.
    pub object: ObjectName,
    /// Where it stands in the file; empty for what is not in it.
    pub path: String,
    /// What is otherwise afterwards; of what is made, what is otherwise than the default.
    pub differences: Vec<Difference>,
    /// What else has to be known about it.
    pub notes: Vec<String>,
    /// What is there afterwards.
    pub after: Map<String, Value>,
    /// The secret that it gets, if it is not generated.
    pub secret: Option<SecretSource>,
}

/// Something that is not in the file and stays.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What stays.
    pub object: ObjectName,
    /// Why.
    pub reason: String,
}

/// What is to be done, in order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The steps; nothing is to be done if there are none.
    pub steps: Vec<Step>,
    /// What stays although the file does not name it, of the lists that the file has.
    pub kept: Vec<Kept>,
}

impl Merged {
    /// What is to be there, as an entry of its kind.
    pub fn entry<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        entry(&self.name, &self.after)
    }
}

impl Step {
    /// What is there afterwards, as an entry of its kind.
    pub fn entry<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        entry(&self.object, &self.after)
    }

    /// Whether a member is otherwise afterwards.
    pub fn touches(&self, member: &str) -> bool {
        let mut paths = self.differences.iter().map(|one| one.path.as_str());
        paths.any(|path| {
            let rest = path.strip_prefix(member);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }
}

/// Settings with every name: what says nothing by being left out says `null`.
pub fn settings_with(mut settings: Map<String, Value>) -> Map<String, Value> {
    for name in settings_names() {
        settings.entry(name).or_insert(Value::Null);
    }
    settings
}

/// Every object of a configuration as it is and as it is to be: what is not said stays as it is.
pub fn merge(present: &Said, wanted: &Said) -> Vec<Merged> {
    let wanted = wanted.objects.iter();
    wanted
        .map(|object| {
            let before = present.find(&object.name).map(|found| found.body.clone());
            let mut said = object.body.clone();
            if before.is_some() {
                said.shift_remove(ID);
            }
            let after = match object.name.kind.parent() {
                // A part counts as a whole.
                Some(_) => said,
                None => {
                    let base = before.clone();
                    let base = base.unwrap_or_else(|| default_of(object.name.kind));
                    overlaid(base, &said)
                }
            };
            Merged {
                name: object.name.clone(),
                path: object.path.clone(),
                after,
                before,
                secret: object.secret.clone(),
            }
        })
        .collect()
}

fn overlaid(mut base: Map<String, Value>, over: &Map<String, Value>) -> Map<String, Value> {
    for (name, value) in over {
        let value = match (base.get(name), value) {
            (Some(Value::Object(before)), Value::Object(after)) if name == SETTINGS => {
                let mut merged = before.clone();
                merged.extend(after.clone());
                Value::Object(merged)
            }
            _ => value.clone(),
        };
        base.insert(name.clone(), value);
    }
    base
}

/// What is there of something new where nothing is said.
fn default_of(kind: Kind) -> Map<String, Value> {
    let document = match kind {
        Kind::Connector => {
            let settings = ConnectorSettings {
                schedule: Some(Schedule::nightly()),
                ..ConnectorSettings::default()
            };
            let settings = match serde_json::to_value(settings) {
                Ok(Value::Object(settings)) => settings_with(settings),
                _ => Map::new(),
            };
            serde_json::to_value(new_connector(settings))
        }
        Kind::Directory => serde_json::to_value(new_directory()),
        Kind::Application => serde_json::to_value(new_application()),
        Kind::Channel => serde_json::to_value(new_channel()),
        Kind::Subscription => serde_json::to_value(new_subscription()),
        _ => Ok(Value::Null),
    };
    match document {
        Ok(Value::Object(mut members)) => {
            members.shift_remove("name");
            members
        }
        _ => Map::new(),
    }
}

/// What has to be done. With `prune` what is not in a list of the file is removed, else it is named.
pub fn plan(merged: Vec<Merged>, present: &Said, wanted: &Said, prune: bool) -> Plan {
    let mut plan = Plan::default();
    plan.steps.extend(merged.into_iter().filter_map(step));
    for object in present.objects.iter().rev() {
        if !wanted.speaks_of(&object.name) || wanted.find(&object.name).is_some() {
            continue;
        }
        match prune {
            true => plan.steps.push(deletion(object)),
            false => plan.kept.push(Kept {
                object: object.name.clone(),
                reason: "it is not in the file".to_owned(),
            }),
        }
    }
    plan
}

fn step(merged: Merged) -> Option<Step> {
    let (action, before) = match merged.before {
        Some(before) => (Action::Change, before),
        None => (Action::Create, default_of(merged.name.kind)),
    };
    let (before, after) = (Value::Object(before), Value::Object(merged.after));
    let mut differences = differences_of(&before, &after);
    if let (Some(_), Some(member)) = (&merged.secret, merged.name.kind.secret()) {
        differences.push(Difference {
            path: member.to_owned(),
            before: Value::Null,
            after: "the one that is given".into(),
        });
    }
    if action == Action::Change && differences.is_empty() {
        return None;
    }
    let after = match after {
        Value::Object(after) => after,
        _ => Map::new(),
    };
    Some(Step {
        action,
        object: merged.name,
        path: merged.path,
        differences,
        notes: Vec::new(),
        after,
        secret: merged.secret,
    })
}

fn deletion(object: &Object) -> Step {
    Step {
        action: Action::Delete,
        object: object.name.clone(),
        path: String::new(),
        differences: Vec::new(),
        notes: Vec::new(),
        after: Map::new(),
        secret: None,
    }
}
