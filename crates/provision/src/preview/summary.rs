//! The summary: what a preview found, in numbers.

use std::collections::BTreeMap;

use directory::{HoldKind, Operation};
use serde::{Deserialize, Serialize};

use super::foresight::LimitForecast;
use super::grace::GraceForecast;

/// Names of groups that a summary lists.
pub(super) const NAMES_MAX: usize = 1_000;

/// What a simulation found, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PreviewSummary {
    /// Users that were looked at.
    pub users: u64,
    /// How many of them products would see a difference of.
    pub changed: u64,
    /// How many of them have which operation; a user can have several.
    pub operations: BTreeMap<Operation, u64>,
    /// Users who get no usable value or not their name, and do so by the present rules.
    pub problems: u64,
    /// Users whose evaluation was still to come anyway.
    pub due: i64,
    /// Groups that would appear, a thousand of them at most.
    pub new_groups: Vec<String>,
    /// Groups of the identity provider that would wait until somebody decides whether they feed the group of the same name,
    /// which has members from elsewhere. A thousand of them at most.
    pub waiting_groups: Vec<String>,
    /// What the safety limits would let through and hold, by kind. Nothing is told of kinds that do not occur.
    pub limits: BTreeMap<HoldKind, LimitForecast>,
    /// The same for the limits of other connectors, by their names: those whose accounts the rules have a say in.
    pub limits_of_others: BTreeMap<String, BTreeMap<HoldKind, LimitForecast>>,
    /// Of groups that somebody would have to leave: how many of these memberships would be held. The first thousand groups.
    pub held_by_group: BTreeMap<String, u64>,
    /// What comes for those who keep their accounts only until a grace time ends.
    pub after_grace: GraceForecast,
}
