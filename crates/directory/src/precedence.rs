//! Precedence: whose word counts when several connectors of one directory know the same person (BY-15).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{ConnectorId, SourceUserPk};
use crate::model::{Account, Attributes, Membership, Memory, Origin, Reason, Status};
use crate::name::{folded, quoted, same};
use crate::outcome::{Outcome, Verdict};
use crate::rules::{Authority, CompiledRules, REDACTED, RuleError, Target};
use crate::trace::{Entry, MembershipEffect, Trace};

/// Whose word counts in a directory that several connectors share. An account belongs to one of them, which says whether there
/// is one and whether it is active; what else there is to say of it, each gives, and this says whom to believe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Precedence {
    /// The connectors, the one whose word counts most first. After those that are named comes the connector to which the account
    /// belongs, then the others in the order in which they were made.
    pub order: Vec<ConnectorId>,
    /// Other orders for single targets of mapping rows. For `groups`, the first that knows the person decides alone; without an
    /// order of their own the groups that all give are joined.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<Target, Vec<ConnectorId>>,
}

/// What a connector gives to an account that belongs to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// The connector.
    pub connector: ConnectorId,
    /// Its name, for explanations.
    pub name: Arc<str>,
    /// Its user who is the same person.
    pub source: SourceUserPk,
    /// What it gives; nothing while its rules would give the person no active account.
    pub given: Option<Given>,
}

/// What the rules of a connector say of a person, apart from the account itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Attributes; what is empty is left to others.
    pub attributes: Attributes,
    /// Memberships, by the origins that this connector gives them.
    pub memberships: Vec<Membership>,
    /// Targets whose values its rules hide.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden: BTreeSet<String>,
}

impl Given {
    /// What there is to give of a decision that was made on a [`view`].
    pub fn of(outcome: &Outcome) -> Option<Self> {
        let active = Verdict::Account {
            status: Status::Active,
            reason: Reason::IdpActive,
        };
        (outcome.verdict == active).then(|| Self {
            attributes: outcome.attributes.clone(),
            memberships: outcome.memberships.clone(),
            hidden: outcome.hidden_targets().collect(),
        })
    }

    /// Whether it puts the person into a group.
    pub fn has_group(&self, group: &str) -> bool {
        self.memberships.iter().any(|it| same(&it.group, group))
    }
}

/// An account as a connector sees it to which it does not belong: with nothing that others said, so that what the
/// connector says is its own word, and with since when the person has been out of its scope. What comes with a new account it
/// does not give.
pub fn view(account: &Account, out_of_scope_since: Option<Timestamp>) -> Account {
    Account {
        key: account.key.clone(),
        attributes: Attributes::default(),
        status: Status::Active,
        reason: Reason::IdpActive,
        memberships: Vec::new(),
        last_login: account.last_login,
        memory: Memory {
            out_of_scope_since,
            active_since: account.memory.active_since,
            ..Memory::default()
        },
    }
}

/// An account that several connectors speak of.
#[derive(Clone, Copy, Debug)]
pub struct Shared<'a> {
    /// The connector to which it belongs.
    pub owner: ConnectorId,
    /// Whose word counts.
    pub precedence: &'a Precedence,
    /// What the others give.
    pub contributions: &'a [Contribution],
}

impl Precedence {
    /// What is wrong with it.
    pub fn errors(&self) -> Vec<RuleError> {
        let mut errors = Vec::new();
        let mut once = |list: &[ConnectorId], path: String| {
            let again = (1..list.len()).find(|place| list[..*place].contains(&list[*place]));
            if let Some(place) = again {
                let path = format!("{path}[{place}]");
                errors.push(RuleError::new(
                    path,
                    "the connector is named twice",
                    "name it once",
                ));
            }
        };
        once(&self.order, "order".to_owned());
        for (target, list) in &self.targets {
            once(list, format!("targets.{target}"));
        }
        if self.targets.contains_key(&Target::Active) {
            errors.push(RuleError::new(
                "targets.active",
                "whether an account is active is said by the connector to which it belongs",
                "remove it; `connector transfer` gives accounts to another connector",
            ));
        }
        errors
    }

    /// The first in whose hands an account is when its connector has the person no more.
    pub fn heir<'c>(&self, contributions: &'c [Contribution]) -> Option<&'c Contribution> {
        let giving = contributions.iter().filter(|it| it.given.is_some());
        giving.min_by_key(|it| rank(&self.order, it.connector, None))
    }

    fn order_for(&self, target: &Target) -> &[ConnectorId] {
        self.targets.get(target).map_or(&self.order, Vec::as_slice)
    }
}

/// The place of a connector in an order: the smaller, the more its word counts.
fn rank(
    order: &[ConnectorId],
    connector: ConnectorId,
    owner: Option<ConnectorId>,
) -> (usize, bool, ConnectorId) {
    let place = order.iter().position(|it| *it == connector);
    (
        place.unwrap_or(usize::MAX),
        owner != Some(connector),
        connector,
    )
}

/// The user's own attributes, with the way to each.
type Field = fn(&mut Attributes) -> &mut String;
const FIELDS: [(Target, Field); 5] = [
    (Target::Username, |it| &mut it.username),
    (Target::Email, |it| &mut it.email),
    (Target::DisplayName, |it| &mut it.display_name),
    (Target::FirstName, |it| &mut it.first_name),
    (Target::LastName, |it| &mut it.last_name),
];

impl Shared<'_> {
    /// Joins what the connectors give with what the one decided to which the account belongs. An account that stays as it is,
    /// or is nobody's to recognise, is left alone.
    pub(crate) fn join(
        &self,
        outcome: &mut Outcome,
        existing: Option<&Account>,
        rules: &CompiledRules,
    ) {
        let Verdict::Account { status, .. } = outcome.verdict else {
            return;
        };
        let left_alone = outcome.trace.entries().contains(&Entry::Frozen);
        if self.contributions.is_empty() || left_alone || status == Status::Anonymised {
            return;
        }
        for one in self.contributions {
            outcome.trace.push(Entry::AlsoKnown {
                connector: Arc::clone(&one.name),
                gives: one.given.is_some(),
            });
        }
        self.join_attributes(outcome);
        if status == Status::Active || !rules.cleanup.strip_groups {
            let Outcome {
                memberships, trace, ..
            } = outcome;
            let is_active = status == Status::Active;
            self.join_groups(memberships, trace, existing, rules, is_active);
        }
    }

    /// The memberships of an active account, once those are joined to them that others give.
    pub(crate) fn joined(
        &self,
        memberships: &[Membership],
        existing: Option<&Account>,
        rules: &CompiledRules,
    ) -> Vec<Membership> {
        let mut joined = memberships.to_vec();
        let mut untold = Trace::default();
        self.join_groups(&mut joined, &mut untold, existing, rules, true);
        joined
    }

    fn giving(&self) -> impl Iterator<Item = (&Contribution, &Given)> {
        let all = self.contributions.iter();
        all.filter_map(|it| Some((it, it.given.as_ref()?)))
    }

    /// Of those who have something to say of a target, the one whose word counts, unless that is the owner.
    fn deciding<T>(
        &self,
        target: &Target,
        owner_says: bool,
        say: impl Fn(&Given) -> Option<T>,
    ) -> Option<(&Contribution, T)> {
        let order = self.precedence.order_for(target);
        let place = |connector| rank(order, connector, Some(self.owner));
        let said = self
            .giving()
            .filter_map(|(one, given)| Some((one, say(given)?)));
        let first = said.min_by_key(|(one, _)| place(one.connector))?;
        let counts = !owner_says || place(first.0.connector) < place(self.owner);
        counts.then_some(first)
    }

    fn join_attributes(&self, outcome: &mut Outcome) {
        let mut told = Vec::new();
        let own_hidden: BTreeSet<String> = outcome.hidden_targets().collect();
        let mut tell = |target: &Target, by: &Contribution, text: String| {
            let target = target.to_string();
            let of_other = by.given.as_ref().map(|it| &it.hidden);
            let is_hidden =
                own_hidden.contains(&target) || of_other.is_some_and(|it| it.contains(&target));
            told.push(Entry::DecidedBy {
                target,
                connector: Arc::clone(&by.name),
                value: Some(if is_hidden { REDACTED.to_owned() } else { text }),
            });
        };
        // What merely stays for want of a value may be another's word of earlier.
        let kept: BTreeSet<String> = outcome.kept_for_want_of_value().collect();
        for (target, field) in FIELDS {
            let own = field(&mut outcome.attributes);
            let said = !own.is_empty() && !kept.contains(&target.to_string());
            let say = |given: &Given| {
                let mut attributes = given.attributes.clone();
                let value = std::mem::take(field(&mut attributes));
                (!value.is_empty()).then_some(value)
            };
            if let Some((by, value)) = self.deciding(&target, said, say) {
                tell(&target, by, quoted(&value));
                *own = value;
            }
        }
        let named = self
            .giving()
            .flat_map(|(_, given)| given.attributes.extra.keys());
        let mut names: Vec<String> = named.cloned().collect();
        names.sort_by_cached_key(|name| (folded(name).into_owned(), name.clone()));
        names.dedup_by(|one, other| same(one, other));
        for name in names {
            let target = Target::try_from(name.clone()).unwrap_or(Target::Username);
            let target = match target {
                Target::Product(_) => target,
                _ => Target::Attribute(name.clone()),
            };
            let own = outcome.attributes.extra.keys().find(|it| same(it, &name));
            let own = own.cloned();
            let value = |given: &Given| {
                let mut found = given.attributes.extra.iter();
                found
                    .find(|(it, values)| same(it, &name) && !values.is_empty())
                    .map(|(_, values)| values.clone())
            };
            let said = own.is_some() && !kept.contains(&target.to_string());
            if let Some((by, values)) = self.deciding(&target, said, value) {
                let texts: Vec<String> = values.iter().map(|it| quoted(it)).collect();
                tell(&target, by, texts.join(", "));
                let name = own.unwrap_or(name);
                outcome.attributes.extra.insert(name, values);
            }
        }
        outcome.trace.entries.extend(told);
    }

    /// Joins memberships. Those of a disabled account follow the others as well, so that the order in which connectors
    /// write does not matter, but for groups for everybody: others than the active only keep them (US-17).
    fn join_groups(
        &self,
        memberships: &mut Vec<Membership>,
        trace: &mut Trace,
        existing: Option<&Account>,
        rules: &CompiledRules,
        is_active: bool,
    ) {
        let given = |given: &Given| match is_active {
            true => given.memberships.clone(),
            false => without_new_always(existing, &given.memberships),
        };
        if !self.precedence.targets.contains_key(&Target::Groups) {
            // A group that nobody has yet is spelled as the first says whose word counts.
            let place = |(one, _): &(&Contribution, _)| {
                rank(&self.precedence.order, one.connector, Some(self.owner))
            };
            let mut giving: Vec<_> = self.giving().collect();
            giving.sort_by_key(place);
            for (one, says) in giving {
                add(memberships, trace, existing, one, &given(says));
            }
        } else if let Some((one, says)) =
            self.deciding(&Target::Groups, true, |says| Some(says.clone()))
        {
            for membership in memberships.iter_mut() {
                let stays = stays_without_a_grant(rules, &membership.group);
                let had_a_grant = membership.origins.iter().any(is_a_grant);
                membership.origins.retain(|it| match it {
                    Origin::Override(_) => true,
                    it => !is_a_grant(it) && (stays || !had_a_grant),
                });
            }
            memberships.retain(|it| !it.origins.is_empty());
            trace.push(Entry::DecidedBy {
                target: Target::Groups.to_string(),
                connector: Arc::clone(&one.name),
                value: None,
            });
            add(memberships, trace, existing, one, &given(&says));
        }
        memberships.sort_by(|a, b| folded(&a.group).cmp(&folded(&b.group)));
    }
}

/// Whether an origin is what the rules of the account's connector grant.
fn is_a_grant(origin: &Origin) -> bool {
    origin.is_ours() && !matches!(origin, Origin::Override(_))
}

/// Whether a membership that the account's connector does not grant is left alone by it.
fn stays_without_a_grant(rules: &CompiledRules, group: &str) -> bool {
    rules.authority != Authority::Strict || rules.never_remove.find(group, None).is_some()
}

/// Memberships, apart from those that are for everybody and that the account does not have as such.
fn without_new_always(existing: Option<&Account>, memberships: &[Membership]) -> Vec<Membership> {
    let has_it = |group: &str| {
        let mut held = existing.into_iter().flat_map(|it| &it.memberships);
        held.any(|it| same(&it.group, group) && it.origins.contains(&Origin::Always))
    };
    let lasting = |membership: &Membership| {
        let mut membership = membership.clone();
        let stays = |it: &Origin| *it != Origin::Always || has_it(&membership.group);
        membership.origins.retain(stays);
        (!membership.origins.is_empty()).then_some(membership)
    };
    memberships.iter().filter_map(lasting).collect()
}

/// Adds the memberships that one connector gives.
fn add(
    memberships: &mut Vec<Membership>,
    trace: &mut Trace,
    existing: Option<&Account>,
    by: &Contribution,
    given: &[Membership],
) {
    for membership in given {
        let group = membership.group.as_str();
        let mut there = memberships.iter_mut();
        match there.find(|it| same(&it.group, group)) {
            Some(present) => present.origins.extend(membership.origins.iter().cloned()),
            None => {
                // What is there keeps its spelling.
                let mut held = existing.into_iter().flat_map(|it| &it.memberships);
                let held = held.find(|it| same(&it.group, group));
                memberships.push(Membership {
                    group: held.map_or(group, |it| &it.group).to_owned(),
                    origins: membership.origins.clone(),
                });
            }
        }
        let removed = |entry: &Entry| match entry {
            Entry::Membership {
                group: named,
                effect: MembershipEffect::Removed,
            } => same(named, group),
            _ => false,
        };
        trace.entries.retain(|entry| !removed(entry));
        trace.push(Entry::GivenBy {
            group: group.to_owned(),
            connector: Arc::clone(&by.name),
        });
    }
}
