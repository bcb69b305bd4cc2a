//! The past of one user: from what is there now back through the journal, as far as it is to be followed.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{Change, Former};
use crate::model::{Account, Attributes, Membership, Origin, Reason, Status};
use crate::name::{folded, same};
use crate::outcome::{Outcome, Verdict};
use crate::pseudonym;
use crate::trace::Trace;

/// A thing about a user that has a value of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Whether there is an account, in which state and why.
    Status,
    /// An attribute, by the name of the target in the rules.
    Attribute(String),
    /// Being in a group, by its present name.
    Membership(String),
}

impl std::fmt::Display for Aspect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Aspect::Status => f.write_str("status"),
            Aspect::Attribute(name) => f.write_str(name),
            Aspect::Membership(group) => write!(f, "membership in {group}"),
        }
    }
}

/// How an entry of the journal is gone back over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// What was before it is there again.
    Back,
    /// It stays, and with it whatever it set: older entries about the same are not gone back over.
    Stay,
}

/// A user on the way back.
#[derive(Clone, Debug)]
pub struct Past {
    account: Account,
    names: GroupNames,
    staying: BTreeSet<Aspect>,
    conflicts: BTreeSet<Aspect>,
}

impl Past {
    /// The beginning of the way: what is there now, tombstones included.
    pub fn from(present: Account) -> Self {
        Self {
            account: present,
            names: GroupNames::default(),
            staying: BTreeSet::new(),
            conflicts: BTreeSet::new(),
        }
    }

    /// Goes back over the next older entry about the user, one of its memberships, or any group.
    pub fn pass(&mut self, change: &Change, pass: Pass) {
        match change {
            Change::CreateUser { attributes, .. } => self.created(attributes, pass),
            Change::UpdateUser { before, after } => self.set_attributes(before, after, pass),
            Change::RenameUser { from, .. } => {
                let aspect = Aspect::Attribute("username".to_owned());
                let now = self.account.attributes.username.clone();
                if let Some(name) = self.former(aspect, &now, from, pass) {
                    self.account.attributes.username = name;
                }
            }
            Change::Disable { before, .. } => {
                let before = before.unwrap_or(Reason::IdpActive);
                self.set_status(Status::Active, before, pass);
            }
            Change::Anonymise { status, before, .. } => {
                self.set_status(*status, *before, pass);
            }
            Change::Reactivate { before, .. } => {
                let before = before.unwrap_or(Reason::IdpInactive);
                self.set_status(Status::Disabled, before, pass);
            }
            Change::SetReason { before, .. } => {
                self.set_status(self.account.status, *before, pass);
            }
            Change::RemoveUser { before, .. } => self.removed(before.as_ref(), pass),
            Change::AddMembership { group, .. } => self.set_membership(group, None, pass),
            Change::RemoveMembership { group, origins } => {
                self.set_membership(group, Some(origins), pass);
            }
            Change::SetOrigins { group, before, .. } => {
                self.set_membership(group, Some(before), pass);
            }
            Change::CreateGroup { name, .. } => self.names.created(name),
            Change::RenameGroup { from, to, .. } => self.names.renamed(from, to),
            Change::DeleteGroup { name } => self.names.deleted(name),
            // Of groups in groups, of what products write and of whose it is, an account knows nothing.
            Change::LinkUser { .. }
            | Change::AddChildGroup { .. }
            | Change::RemoveChildGroup { .. }
            | Change::SetChildGroupOrigins { .. }
            | Change::UpdateGroup { .. }
            | Change::SetAttribute { .. } => {}
        }
    }

    /// The user as it was at the point that was reached, with groups under the names they had then.
    pub fn account(mut self) -> Account {
        for membership in &mut self.account.memberships {
            if let Some(then) = self.names.then(&membership.group) {
                membership.group = then.to_owned();
            }
        }
        self.account.hide();
        self.account
    }

    /// The user with what was gone back over, with groups under their present names; and what could not be gone back
    /// over, as it was changed again since or is gone.
    pub fn undone(mut self) -> (Account, Vec<Aspect>) {
        self.account.hide();
        (self.account, self.conflicts.into_iter().collect())
    }

    /// The former value, where the way leads back to it.
    fn former<T: PartialEq + Clone>(
        &mut self,
        aspect: Aspect,
        now: &T,
        before: &T,
        pass: Pass,
    ) -> Option<T> {
        match pass {
            Pass::Stay => {
                self.staying.insert(aspect);
                None
            }
            Pass::Back if self.staying.contains(&aspect) => {
                if now != before {
                    self.conflicts.insert(aspect);
                }
                None
            }
            Pass::Back => Some(before.clone()),
        }
    }

    fn set_status(&mut self, status: Status, reason: Reason, pass: Pass) -> bool {
        let now = (self.account.status, self.account.reason);
        let former = self.former(Aspect::Status, &now, &(status, reason), pass);
        if let Some((status, reason)) = former {
            (self.account.status, self.account.reason) = (status, reason);
        }
        former.is_some()
    }

    fn created(&mut self, attributes: &Attributes, pass: Pass) {
        if pass == Pass::Stay {
            let names = attribute_names(&self.account.attributes, attributes);
            self.staying
                .extend(names.into_iter().map(Aspect::Attribute));
        }
        if self.set_status(Status::Removed, Reason::Override, pass) {
            self.account.memberships.clear();
        }
    }

    fn removed(&mut self, before: Option<&Former>, pass: Pass) {
        let remembered = || Former {
            status: Status::Active,
            reason: Reason::IdpActive,
            attributes: self.account.attributes.clone(),
            memberships: self.account.memory.restore.clone(),
        };
        let former = before.cloned().unwrap_or_else(remembered);
        let came_back = self.set_status(former.status, former.reason, pass);
        if came_back {
            self.account.memory.restore.clear();
            let present = self.account.attributes.clone();
            self.set_attributes(&former.attributes, &present, pass);
        }
        for membership in former.memberships {
            if came_back || pass == Pass::Stay {
                self.set_membership(&membership.group, Some(&membership.origins), pass);
            }
        }
    }

    fn set_attributes(&mut self, before: &Attributes, after: &Attributes, pass: Pass) {
        for name in attribute_names(before, after) {
            let (old, new) = (value(before, &name), value(after, &name));
            if old == new {
                continue;
            }
            let now = value(&self.account.attributes, &name);
            if let Some(old) = self.former(Aspect::Attribute(name.clone()), &now, &old, pass) {
                set_value(&mut self.account.attributes, &name, old);
            }
        }
    }

    fn set_membership(&mut self, group: &str, before: Option<&BTreeSet<Origin>>, pass: Pass) {
        let (name, gone) = match self.names.present(group) {
            Some(Some(present)) => (present.to_owned(), false),
            Some(None) => (group.to_owned(), true),
            None => (group.to_owned(), false),
        };
        let held = self
            .account
            .memberships
            .iter()
            .position(|it| same(&it.group, &name));
        let now = held.map(|at| self.account.memberships[at].origins.clone());
        let aspect = Aspect::Membership(folded(&name).into_owned());
        let Some(before) = self.former(aspect.clone(), &now, &before.cloned(), pass) else {
            return;
        };
        match (held, before) {
            (Some(at), Some(origins)) => self.account.memberships[at].origins = origins,
            (Some(at), None) => {
                self.account.memberships.remove(at);
            }
            (None, Some(origins)) => {
                if gone {
                    self.conflicts.insert(aspect);
                }
                let group = name;
                self.account.memberships.push(Membership { group, origins });
            }
            (None, None) => {}
        }
    }
}

impl Account {
    /// Entries that end being anonymised do not tell that it was that.
    fn hide(&mut self) {
        if self.status == Status::Disabled && pseudonym::is_one(&self.attributes) {
            self.status = Status::Anonymised;
        }
    }

    /// A decision that the account is to be exactly so: for a plan that leads there.
    pub fn as_outcome(&self) -> Outcome {
        let (status, reason) = (self.status, self.reason);
        Outcome {
            verdict: match status {
                Status::Removed => Verdict::Remove { reason },
                Status::Active | Status::Disabled | Status::Anonymised => {
                    Verdict::Account { status, reason }
                }
            },
            attributes: self.attributes.clone(),
            memberships: self.memberships.clone(),
            recheck_at: None,
            memory: self.memory.clone(),
            trace: Trace::default(),
        }
    }
}

const PLAIN: [&str; 5] = [
    "username",
    "email",
    "display_name",
    "first_name",
    "last_name",
];

fn attribute_names(one: &Attributes, other: &Attributes) -> BTreeSet<String> {
    let extra = one.extra.keys().chain(other.extra.keys());
    let extra = extra.map(|name| format!("attr:{name}"));
    PLAIN.into_iter().map(str::to_owned).chain(extra).collect()
}

/// The values of an attribute by the name of its target.
fn value(attributes: &Attributes, name: &str) -> Vec<String> {
    match name.strip_prefix("attr:") {
        Some(name) => attributes.extra.get(name).cloned().unwrap_or_default(),
        None => attributes.plain(name).cloned().into_iter().collect(),
    }
}

fn set_value(attributes: &mut Attributes, name: &str, values: Vec<String>) {
    match name.strip_prefix("attr:") {
        Some(name) if values.is_empty() => {
            attributes.extra.remove(name);
        }
        Some(name) => {
            attributes.extra.insert(name.to_owned(), values);
        }
        None => {
            if let Some(slot) = attributes.plain_mut(name) {
                *slot = values.into_iter().next().unwrap_or_default();
            }
        }
    }
}

impl Attributes {
    /// The values of an attribute by the name of its target: `username`, `attr:title` ...; none if it has none.
    pub fn values_of(&self, target: &str) -> Vec<String> {
        let mut values = value(self, target);
        values.retain(|value| !value.is_empty());
        values
    }

    fn plain(&self, name: &str) -> Option<&String> {
        Some(match name {
            "username" => &self.username,
            "email" => &self.email,
            "display_name" => &self.display_name,
            "first_name" => &self.first_name,
            "last_name" => &self.last_name,
            _ => return None,
        })
    }

    fn plain_mut(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "username" => &mut self.username,
            "email" => &mut self.email,
            "display_name" => &mut self.display_name,
            "first_name" => &mut self.first_name,
            "last_name" => &mut self.last_name,
            _ => return None,
        })
    }
}

/// What groups are called now that had other names at the point that was reached.
#[derive(Clone, Debug, Default)]
struct GroupNames {
    /// By the folded name of then: the name of now, none if the group is gone.
    by_former: BTreeMap<String, Option<String>>,
}

impl GroupNames {
    fn created(&mut self, name: &str) {
        self.by_former.remove(&*folded(name));
    }

    fn renamed(&mut self, from: &str, to: &str) {
        let present = self.by_former.remove(&*folded(to));
        let present = present.unwrap_or_else(|| Some(to.to_owned()));
        self.by_former.insert(folded(from).into_owned(), present);
    }

    fn deleted(&mut self, name: &str) {
        self.by_former.insert(folded(name).into_owned(), None);
    }

    /// The name of now of a group that is known to have had another; `Some(None)` if it is gone.
    fn present(&self, then: &str) -> Option<Option<&str>> {
        self.by_former.get(&*folded(then)).map(Option::as_deref)
    }

    /// The folded name of then, of a group that had another.
    fn then(&self, present: &str) -> Option<&str> {
        let mut all = self.by_former.iter();
        all.find_map(|(then, now)| {
            let now = now.as_deref()?;
            same(now, present).then_some(then.as_str())
        })
    }
}
