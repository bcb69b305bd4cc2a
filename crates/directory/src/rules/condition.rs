//! Conditions: SCIM filters over a user, its groups, and what set the evaluation off.

use std::ops::BitOr;
use std::sync::LazyLock;

use jiff::Timestamp;
use scim::{AttrRef, Attribute, Facts, Filter, Node, Resource, ResourceType};
use serde_json::Value;

use super::RuleError;
use crate::cause::Trigger;
use crate::model::{Account, Attributes};
use crate::outcome::SourceGroup;
use crate::surroundings::Surroundings;

/// What steps and sources may look at: the person, and what earlier rows made of it.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a, 'r> {
    pub user: &'a Resource,
    /// In any order.
    pub groups: &'a [SourceGroup],
    pub existing: Option<&'a Account>,
    pub now: Timestamp,
    pub trigger: Trigger,
    pub around: &'r dyn Surroundings,
    /// What rows before this one made.
    pub results: &'r Attributes,
}

impl<'a> Context<'a, '_> {
    /// What conditions look at.
    pub(crate) fn asked(&self) -> Asked<'a> {
        Asked {
            user: Some(self.user),
            groups: self.groups,
            existing: self.existing,
            trigger: self.trigger,
        }
    }
}

/// What a condition is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// None if the identity provider deleted the user: then no attribute has a value.
    pub user: Option<&'a Resource>,
    pub groups: &'a [SourceGroup],
    pub existing: Option<&'a Account>,
    pub trigger: Trigger,
}

impl Facts for Asked<'_> {
    fn any(&self, attr: &AttrRef, test: &mut dyn FnMut(&Value) -> bool) -> bool {
        match (attr.extension(), attr.attr()) {
            (None, "groups") => self.groups.iter().any(|group| {
                let name = || Value::from(group.name.as_str());
                match attr.sub() {
                    Some("display" | "value") => test(&name()),
                    Some(_) => false,
                    None => test(&serde_json::json!({"value": name(), "display": name()})),
                }
            }),
            (None, TRIGGER) => test(&Value::from(self.trigger.as_str())),
            (None, EXISTING) => test(&Value::from(self.existing.is_some())),
            _ => self.user.is_some_and(|user| user.any(attr, test)),
        }
    }
}

const TRIGGER: &str = "trigger";
const EXISTING: &str = "existing";

/// A user as conditions see it, with what passes as soon as it was seen.
fn vocabulary() -> &'static ResourceType {
    static USER: LazyLock<ResourceType> = LazyLock::new(|| {
        let mut user = lasting_vocabulary().clone();
        user.core.attributes.extend([
            Attribute::text(TRIGGER, "What set the evaluation off."),
            Attribute::boolean(EXISTING, "Whether there is an account already."),
        ]);
        user
    });
    &USER
}

/// A user as the identity provider wrote it.
fn lasting_vocabulary() -> &'static ResourceType {
    static USER: LazyLock<ResourceType> = LazyLock::new(|| {
        let mut user = ResourceType::user().clone();
        // Names of groups are compared without regard to case everywhere.
        let top = user.core.attributes.iter_mut();
        let groups = top.filter(|attribute| attribute.name == "groups");
        for part in groups.flat_map(|groups| &mut groups.sub_attributes) {
            part.case_exact = false;
        }
        user
    });
    &USER
}

/// A compiled condition.
#[derive(Clone, Debug)]
pub(crate) struct Condition(Node);

impl Condition {
    pub(crate) fn compile(text: &str, path: &str) -> Result<Self, RuleError> {
        let node = Filter::parse(text).and_then(|filter| filter.resolve(vocabulary()));
        node.map(Self).map_err(|error| {
            let remedy = "write a SCIM filter over a user, e.g. `department eq \"Sales\"`, \
                          `groups eq \"staff\"`, `trigger eq \"login\"` or `existing eq true`";
            RuleError::new(path, error.detail, remedy)
        })
    }

    /// Compiles a condition that comes out the same as long as the user and its groups are the same.
    pub(crate) fn compile_lasting(text: &str, path: &str) -> Result<Self, RuleError> {
        let node = Filter::parse(text).and_then(|filter| filter.resolve(lasting_vocabulary()));
        node.map(Self).map_err(|error| {
            let remedy = "write a SCIM filter over a user, e.g. `department eq \"Sales\"` or \
                          `groups eq \"staff\"`; `trigger` and `existing` change by themselves \
                          and cannot be asked here";
            RuleError::new(path, error.detail, remedy)
        })
    }

    pub(crate) fn holds(&self, asked: &Asked<'_>) -> bool {
        self.0.matches(asked)
    }

    /// What it asks that passes as soon as the user was seen.
    pub(crate) fn asks(&self) -> Asks {
        fn reads(node: &Node, name: &str) -> bool {
            match node {
                Node::And(terms) | Node::Or(terms) => terms.iter().any(|it| reads(it, name)),
                Node::Not(inner) => reads(inner, name),
                Node::Test { attr, .. } | Node::Present(attr) | Node::Element { attr, .. } => {
                    attr.extension().is_none() && attr.attr() == name
                }
            }
        }
        Asks {
            trigger: reads(&self.0, TRIGGER),
            existing: reads(&self.0, EXISTING),
        }
    }
}

/// What conditions ask that is no part of the user.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asks {
    /// What set the evaluation off.
    pub trigger: bool,
    /// Whether there is an account.
    pub existing: bool,
}

impl BitOr for Asks {
    type Output = Asks;

    fn bitor(self, other: Asks) -> Asks {
        Asks {
            trigger: self.trigger || other.trigger,
            existing: self.existing || other.existing,
        }
    }
}
