//! What an administrator says about one user beside the rules, and when that ends.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use scim::Resource;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::id::OverrideId;
use crate::model::{Account, Membership, Origin, Reason, Status};
use crate::name::{folded, same};
use crate::outcome::{Outcome, SourceGroup, Subject, Verdict};
use crate::trace::{Entry, OverrideEffect};

/// What an administrator says about one user beside the rules (BY-09).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Its number, by which memberships refer to it.
    pub id: OverrideId,
    /// What it says.
    #[serde(flatten)]
    pub kind: OverrideKind,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// Since when it stands.
    pub created: Timestamp,
    /// Who said it.
    pub actor: String,
    /// What for.
    pub comment: String,
}

/// What an override says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OverrideKind {
    /// The account is active, whatever the identity provider and the rules say.
    KeepActive,
    /// The user may not log in.
    Exclude,
    /// The user is in this group.
    AddToGroup {
        /// The group's name.
        group: String,
    },
    /// The user is not in this group.
    KeepOutOfGroup {
        /// The group's name.
        group: String,
    },
    /// The account stays exactly as it is, until what the identity provider says of the user changes.
    KeepAsIs {
        /// The [`source_mark`] of what the identity provider said.
        mark: String,
    },
}

impl OverrideKind {
    /// The word used in storage and answers.
    pub const fn as_str(&self) -> &'static str {
        match self {
            OverrideKind::KeepActive => "keep_active",
            OverrideKind::Exclude => "exclude",
            OverrideKind::AddToGroup { .. } => "add_to_group",
            OverrideKind::KeepOutOfGroup { .. } => "keep_out_of_group",
            OverrideKind::KeepAsIs { .. } => "keep_as_is",
        }
    }

    /// The group it speaks of; none if it speaks of none.
    pub fn group(&self) -> Option<&str> {
        match self {
            OverrideKind::AddToGroup { group } | OverrideKind::KeepOutOfGroup { group } => {
                Some(group)
            }
            OverrideKind::KeepActive | OverrideKind::Exclude | OverrideKind::KeepAsIs { .. } => {
                None
            }
        }
    }
}

impl Override {
    /// Whether its time is not over.
    fn is_in_time(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether it still counts: its time is not over, and the identity provider says what it said.
    pub fn stands(&self, user: Option<&Resource>, groups: &[SourceGroup], now: Timestamp) -> bool {
        self.is_in_time(now)
            && match &self.kind {
                OverrideKind::KeepAsIs { mark } => *mark == source_mark(user, groups),
                _ => true,
            }
    }
}

/// A mark of everything the identity provider says of one user: another mark, and it says something else.
pub fn source_mark(user: Option<&Resource>, groups: &[SourceGroup]) -> String {
    let Some(user) = user else {
        return "deleted".to_owned();
    };
    let mut hash = Sha256::new();
    hash_map(user.as_map(), &mut hash);
    let mut names: Vec<(i64, &str)> = groups.iter().map(|it| (it.id.0, &*it.name)).collect();
    names.sort_unstable();
    for (id, name) in names {
        hash.update(id.to_le_bytes());
        hash_text(name, &mut hash);
    }
    let digest = hash.finalize();
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The order in which a document's names were written says nothing.
fn hash_map(map: &Map<String, Value>, hash: &mut Sha256) {
    let mut names: Vec<&String> = map.keys().collect();
    names.sort_unstable();
    hash.update([b'{']);
    for name in names {
        hash_text(name, hash);
        hash_value(&map[name], hash);
    }
    hash.update([b'}']);
}

fn hash_value(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Object(map) => hash_map(map, hash),
        Value::Array(items) => {
            hash.update([b'[']);
            items.iter().for_each(|item| hash_value(item, hash));
            hash.update([b']']);
        }
        plain => hash_text(&plain.to_string(), hash),
    }
}

fn hash_text(text: &str, hash: &mut Sha256) {
    hash.update(text.len().to_le_bytes());
    hash.update(text.as_bytes());
}

/// The account as it would be without overrides; none if it bears no sign of any.
pub(crate) fn without(account: &Account, kept_active: bool) -> Option<Account> {
    let status = match (account.status, account.reason) {
        (Status::Disabled, Reason::Override) => Some((Status::Active, Reason::IdpActive)),
        (Status::Active, Reason::Override) => Some((Status::Disabled, Reason::Manual)),
        (Status::Active, Reason::IdpActive) => None,
        (Status::Active, reason) if kept_active => Some((Status::Disabled, reason)),
        _ => None,
    };
    let marked = account.memberships.iter().any(has_override);
    if status.is_none() && !marked {
        return None;
    }
    let mut bare = account.clone();
    (bare.status, bare.reason) = status.unwrap_or((bare.status, bare.reason));
    bare.memberships.retain_mut(|it| {
        let had = !it.origins.is_empty();
        it.origins.retain(|origin| !is_override(origin));
        !had || !it.origins.is_empty()
    });
    Some(bare)
}

fn is_override(origin: &Origin) -> bool {
    matches!(origin, Origin::Override(_))
}

fn has_override(membership: &Membership) -> bool {
    membership.origins.iter().any(is_override)
}

/// Whether an override keeps the account from being cleaned up.
pub(crate) fn keeps_active(subject: &Subject<'_>) -> bool {
    let in_time = |it: &&Override| it.is_in_time(subject.now);
    let standing = || subject.overrides.iter().filter(in_time);
    standing().any(|it| it.kind == OverrideKind::KeepActive)
        && !standing().any(|it| it.kind == OverrideKind::Exclude)
}

/// Memberships, apart from those in groups that an override keeps the user out of.
pub(crate) fn without_kept_out<'a>(
    subject: &Subject<'_>,
    memberships: &'a [Membership],
) -> Cow<'a, [Membership]> {
    let in_time = |it: &&Override| it.is_in_time(subject.now);
    let out = |group: &str| {
        let mut standing = subject.overrides.iter().filter(in_time);
        standing.any(|it| match &it.kind {
            OverrideKind::KeepOutOfGroup { group: out } => same(out, group),
            _ => false,
        })
    };
    if !memberships.iter().any(|it| out(&it.group)) {
        return Cow::Borrowed(memberships);
    }
    let rest = memberships.iter().filter(|it| !out(&it.group));
    Cow::Owned(rest.cloned().collect())
}

/// Makes of what the rules say what the overrides say. Exclusion wins over being kept active, being kept out of a
/// group over being put into it, and keeping everything as it is over all others.
pub(crate) fn impose(subject: &Subject<'_>, outcome: &mut Outcome) {
    let stands = |it: &&Override| it.stands(subject.user, subject.groups, subject.now);
    let (standing, ended): (Vec<&Override>, Vec<&Override>) =
        subject.overrides.iter().partition(stands);
    for one in ended {
        note(outcome, one, OverrideEffect::Ended);
    }
    let is = |kind: &str| standing.iter().find(|it| it.kind.as_str() == kind).copied();
    if let Some(one) = is("keep_as_is") {
        note(outcome, one, OverrideEffect::Stands);
        return as_it_is(subject, outcome);
    }
    if let Some(one) = is("exclude") {
        note(outcome, one, OverrideEffect::Stands);
        exclude(outcome);
    } else if let Some(one) = is("keep_active") {
        let effect = keep_active(subject.existing, outcome);
        note(outcome, one, effect);
    }
    if !matches!(outcome.verdict, Verdict::Account { .. }) {
        return;
    }
    for one in &standing {
        if let OverrideKind::AddToGroup { group } = &one.kind {
            note(outcome, one, OverrideEffect::Stands);
            add(&mut outcome.memberships, group, one.id);
        }
    }
    for one in &standing {
        if let OverrideKind::KeepOutOfGroup { group } = &one.kind {
            note(outcome, one, OverrideEffect::Stands);
            outcome.memberships.retain(|it| !same(&it.group, group));
        }
    }
}

fn note(outcome: &mut Outcome, one: &Override, effect: OverrideEffect) {
    outcome.trace.push(Entry::Override {
        kind: one.kind.clone(),
        actor: one.actor.clone(),
        until: one.until,
        effect,
    });
}

fn as_it_is(subject: &Subject<'_>, outcome: &mut Outcome) {
    outcome.recheck_at = None;
    let Some(account) = subject.existing else {
        outcome.verdict = Verdict::NoAccount {
            reason: Reason::Override,
        };
        return;
    };
    let (status, mut reason) = (account.status, account.reason);
    // The identity provider calls nobody active whom it deleted.
    if subject.user.is_none() && reason == Reason::IdpActive {
        reason = Reason::IdpDeleted;
    }
    outcome.verdict = match status {
        Status::Removed => Verdict::NoAccount { reason },
        Status::Active | Status::Disabled | Status::Anonymised => {
            Verdict::Account { status, reason }
        }
    };
    outcome.attributes = account.attributes.clone();
    outcome.memberships = account.memberships.clone();
    outcome.memory = account.memory.clone();
}

fn exclude(outcome: &mut Outcome) {
    if let Verdict::Account {
        status: status @ Status::Active,
        reason,
    } = &mut outcome.verdict
    {
        *status = Status::Disabled;
        // That the provider deleted the user is needed when it comes back.
        if *reason != Reason::IdpDeleted {
            *reason = Reason::Override;
        }
    }
}

fn keep_active(existing: Option<&Account>, outcome: &mut Outcome) -> OverrideEffect {
    match (&mut outcome.verdict, existing) {
        (
            Verdict::Account {
                status: status @ Status::Disabled,
                reason,
            },
            _,
        ) => {
            *status = Status::Active;
            // An administrator's lasting word counts again when this one ends.
            if *reason == Reason::Manual {
                *reason = Reason::Override;
            }
        }
        (Verdict::Remove { reason }, Some(account)) => {
            outcome.memory = account.memory.clone();
            outcome.verdict = Verdict::Account {
                status: Status::Active,
                reason: *reason,
            };
            outcome.memberships = without(account, false)
                .map_or_else(|| account.memberships.clone(), |bare| bare.memberships);
        }
        // Nobody could log in by a name that nobody knows.
        (
            Verdict::Account {
                status: Status::Anonymised,
                ..
            },
            _,
        )
        | (Verdict::NoAccount { .. } | Verdict::Remove { .. }, _) => {
            return OverrideEffect::NothingToKeep;
        }
        (Verdict::Account { .. }, _) => {}
    }
    OverrideEffect::Stands
}

fn add(memberships: &mut Vec<Membership>, group: &str, id: OverrideId) {
    if let Some(held) = memberships.iter_mut().find(|it| same(&it.group, group)) {
        held.origins.insert(Origin::Override(id));
        return;
    }
    let fold = folded(group);
    let place = memberships.partition_point(|it| folded(&it.group) < fold);
    let membership = Membership {
        group: group.to_owned(),
        origins: BTreeSet::from([Origin::Override(id)]),
    };
    memberships.insert(place, membership);
}
