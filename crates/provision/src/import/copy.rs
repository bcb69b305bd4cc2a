//! Copying one piece: what it would change about the directory, and the change itself.

use std::collections::{BTreeSet, HashMap};

use directory::census::{CopiedUser, Piece};
use directory::name::{folded, same};
use directory::{
    Attributes, Cause, Change, DirectoryId, GroupPk, Origin, Reason, Status, Trigger, User, UserPk,
};
use jiff::Timestamp;
use store::{Attribute, ReadTx, Subject, WriteTx};

use super::ImportCounts;
use crate::ProvisionError;

/// Copies pieces within one transaction, and counts what comes of them.
pub(super) struct Copier {
    directory: DirectoryId,
    cause: Cause,
    pub(super) counts: ImportCounts,
    groups: HashMap<String, Option<GroupPk>>,
}

/// What a person lacks of what was found elsewhere.
struct Lack {
    before: Option<User>,
    attributes: Attributes,
    status: Status,
    memberships: Vec<String>,
    extra: Vec<Attribute>,
    /// A log-in that is not known here.
    last_login: Option<Timestamp>,
}

impl Lack {
    fn is_nothing(&self) -> bool {
        self.before.as_ref().is_some_and(|before| {
            attributes_of(before) == self.attributes && before.status == self.status
        }) && self.memberships.is_empty()
            && self.extra.is_empty()
            && self.last_login.is_none()
    }
}

impl Copier {
    pub(super) fn new(directory: DirectoryId, actor: &str, counts: ImportCounts) -> Self {
        Self {
            directory,
            cause: Cause {
                trigger: Trigger::Import,
                connector: None,
                actor: actor.to_owned(),
                request: String::new(),
            },
            counts,
            groups: HashMap::new(),
        }
    }

    /// Counts what a piece would change.
    pub(super) fn compare(&mut self, tx: &ReadTx<'_>, piece: &Piece) -> Result<(), ProvisionError> {
        match piece {
            Piece::Group { name, .. } => {
                let there = self.group(tx, name)?.is_some();
                self.count_group(there);
            }
            Piece::User(user) => {
                self.lack(tx, user)?;
            }
            Piece::Child { group, child } => {
                let pair = self.group(tx, group)?.zip(self.group(tx, child)?);
                if let Some((parent, child)) = pair
                    && !may_nest(tx, parent, child)?
                {
                    return Ok(());
                }
                self.counts.child_groups_added += 1;
            }
        }
        Ok(())
    }

    /// Counts what a piece changes, and changes it.
    pub(super) fn carry_out(
        &mut self,
        tx: &WriteTx<'_>,
        piece: &Piece,
    ) -> Result<(), ProvisionError> {
        match piece {
            Piece::Group { name, description } => {
                let there = self.group(tx, name)?.is_some();
                self.count_group(there);
                if !there {
                    self.make_group(tx, name, description)?;
                }
            }
            Piece::User(user) => {
                if let Some(lack) = self.lack(tx, user)? {
                    self.close(tx, lack)?;
                }
            }
            Piece::Child { group, child } => self.nest(tx, group, child)?,
        }
        Ok(())
    }

    fn count_group(&mut self, there: bool) {
        match there {
            true => self.counts.groups_unchanged += 1,
            false => self.counts.groups_created += 1,
        }
    }

    /// The difference between what a person has here and had elsewhere; none if there is none, or if the account is
    /// not one that was copied.
    fn lack(&mut self, tx: &ReadTx<'_>, user: &CopiedUser) -> Result<Option<Lack>, ProvisionError> {
        let before = tx.directory_user(self.directory, &user.name)?;
        if let Some(before) = &before
            && (before.connector.is_some() || before.reason != Reason::Copied)
        {
            self.counts.leave_alone(&before.name);
            return Ok(None);
        }
        let (held, known) = match &before {
            Some(before) => (
                tx.memberships_of(before.pk)?,
                tx.user_attributes(before.pk)?,
            ),
            None => (Vec::new(), Vec::new()),
        };
        let is_held = |group: &String| held.iter().any(|one| same(&one.group, group));
        let memberships = user.groups.iter().filter(|group| !is_held(group)).cloned();
        let is_known = |name: &str, values: &[String]| {
            let mut known = known.iter();
            known.any(|one| same(&one.name, name) && one.values == values)
        };
        let known_login = match &before {
            Some(before) => tx.last_login(before.pk)?,
            None => None,
        };
        let last_login = user.last_login().filter(|at| *at <= tx.now());
        let extra = user.attributes.iter();
        let extra = extra.filter(|(name, values)| !is_known(name, values));
        let lack = Lack {
            attributes: merged(before.as_ref(), user),
            status: match user.active {
                true => Status::Active,
                false => Status::Disabled,
            },
            memberships: memberships.collect(),
            extra: extra
                .map(|(name, values)| Attribute {
                    name: name.clone(),
                    values: values.clone(),
                })
                .collect(),
            last_login: last_login.filter(|at| known_login.is_none_or(|known| known < *at)),
            before,
        };
        if lack.is_nothing() {
            self.counts.users_unchanged += 1;
            return Ok(None);
        }
        match lack.before {
            Some(_) => self.counts.users_updated += 1,
            None => self.counts.users_created += 1,
        }
        self.counts.memberships_added += i64::try_from(lack.memberships.len()).unwrap_or(i64::MAX);
        Ok(Some(lack))
    }

    fn close(&mut self, tx: &WriteTx<'_>, lack: Lack) -> Result<(), ProvisionError> {
        let name = lack.attributes.username.clone();
        let user = match &lack.before {
            Some(before) => self.update(tx, before, &lack)?,
            None => {
                let (attributes, status) = (&lack.attributes, lack.status);
                let directory = self.directory;
                let user = tx.insert_local_user(directory, attributes, status, Reason::Copied)?;
                let change = Change::CreateUser {
                    attributes: attributes.clone(),
                    status,
                    reason: Reason::Copied,
                };
                self.note(tx, Subject::User(user), None, &change)?;
                user
            }
        };
        if let Some(at) = lack.last_login {
            tx.note_login_at(user, at)?;
        }
        for attribute in lack.extra {
            tx.set_local_user_attribute(user, &attribute.name, &attribute.values)?;
            // Those of a new user are part of its appearance.
            if lack.before.is_some() {
                let change = Change::SetAttribute {
                    name: attribute.name,
                    values: attribute.values,
                };
                self.note(tx, Subject::User(user), Some(&name), &change)?;
            }
        }
        for group in lack.memberships {
            let pk = match self.group(tx, &group)? {
                Some(pk) => pk,
                None => self.make_group(tx, &group, "")?,
            };
            let origins = BTreeSet::from([Origin::Copied]);
            tx.put_membership(pk, user, &origins)?;
            let change = Change::AddMembership { group, origins };
            self.note(tx, Subject::Membership(pk, user), None, &change)?;
        }
        Ok(())
    }

    fn update(
        &self,
        tx: &WriteTx<'_>,
        before: &User,
        lack: &Lack,
    ) -> Result<UserPk, ProvisionError> {
        let (subject, name) = (Subject::User(before.pk), Some(before.name.as_str()));
        let old = attributes_of(before);
        if old != lack.attributes {
            tx.update_account(before.pk, &old, &lack.attributes)?;
            let change = Change::UpdateUser {
                before: old,
                after: lack.attributes.clone(),
            };
            self.note(tx, subject, name, &change)?;
        }
        if before.status != lack.status {
            let (reason, was) = (Reason::Copied, Some(before.reason));
            tx.set_account_status(before.pk, lack.status, reason)?;
            let change = match lack.status {
                Status::Active => Change::Reactivate {
                    reason,
                    before: was,
                },
                _ => Change::Disable {
                    reason,
                    before: was,
                },
            };
            self.note(tx, subject, name, &change)?;
        }
        Ok(before.pk)
    }

    fn nest(&mut self, tx: &WriteTx<'_>, group: &str, child: &str) -> Result<(), ProvisionError> {
        let pair = self.group(tx, group)?.zip(self.group(tx, child)?);
        let Some((parent_pk, child_pk)) = pair else {
            return Ok(());
        };
        if !may_nest(tx, parent_pk, child_pk)? {
            return Ok(());
        }
        self.counts.child_groups_added += 1;
        let origins = BTreeSet::from([Origin::Copied]);
        tx.put_nesting(parent_pk, child_pk, &origins)?;
        let change = Change::AddChildGroup {
            group: group.to_owned(),
            child: child.to_owned(),
            origins,
        };
        self.note(tx, Subject::Nesting(parent_pk, child_pk), None, &change)
    }

    fn group(&mut self, tx: &ReadTx<'_>, name: &str) -> Result<Option<GroupPk>, ProvisionError> {
        let fold = folded(name);
        if let Some(known) = self.groups.get(fold.as_ref()) {
            return Ok(*known);
        }
        let found = tx.directory_group(self.directory, name)?;
        let found = found.map(|group| group.pk);
        self.groups.insert(fold.into_owned(), found);
        Ok(found)
    }

    fn make_group(
        &mut self,
        tx: &WriteTx<'_>,
        name: &str,
        description: &str,
    ) -> Result<GroupPk, ProvisionError> {
        let group = tx.insert_directory_group(self.directory, name, description, true)?;
        let change = Change::CreateGroup {
            name: name.to_owned(),
            description: description.to_owned(),
        };
        self.note(tx, Subject::Group(group.pk), None, &change)?;
        self.groups
            .insert(folded(name).into_owned(), Some(group.pk));
        Ok(group.pk)
    }

    fn note(
        &self,
        tx: &WriteTx<'_>,
        subject: Subject,
        known_as: Option<&str>,
        change: &Change,
    ) -> Result<(), ProvisionError> {
        tx.append_journal(self.directory, subject, known_as, change, &self.cause)?;
        Ok(())
    }
}

/// Whether a group is not in another yet and could be, without lying in itself then.
fn may_nest(tx: &ReadTx<'_>, parent: GroupPk, child: GroupPk) -> Result<bool, ProvisionError> {
    Ok(parent != child
        && tx.nesting_origins(parent, child)?.is_none()
        && !tx.group_lies_below(parent, child)?)
}

/// What was found, and what was there where nothing was found. The spelling of the name stays.
fn merged(before: Option<&User>, user: &CopiedUser) -> Attributes {
    let old = before.map(attributes_of).unwrap_or_default();
    let text = |found: &String, old: String| match found.trim() {
        "" => old,
        found => found.to_owned(),
    };
    let first_name = text(&user.first_name, old.first_name);
    let last_name = text(&user.last_name, old.last_name);
    let both = format!("{first_name} {last_name}");
    let mut display_name = text(&user.display_name, old.display_name);
    if display_name.is_empty() {
        display_name = match both.trim() {
            "" => user.name.clone(),
            both => both.to_owned(),
        };
    }
    Attributes {
        username: before.map_or_else(|| user.name.clone(), |before| before.name.clone()),
        email: text(&user.email, old.email),
        display_name,
        first_name,
        last_name,
        extra: old.extra,
    }
}

fn attributes_of(user: &User) -> Attributes {
    Attributes {
        username: user.name.clone(),
        email: user.email.clone(),
        display_name: user.display_name.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        ..Attributes::default()
    }
}
