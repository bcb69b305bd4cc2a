//! What products write themselves: local groups, local memberships, attributes. What an IdP or a
//! rule owns, they cannot touch.

mod nesting;
mod users;

use std::collections::BTreeSet;

use directory::rules::Authority;
use directory::{Cause, Change, DirectoryId, Group, Origin, Trigger, User};
use jiff::Timestamp;
use store::{Attribute, ReadTx, Scope, StoreError, Subject, WriteTx};

use crate::{Provision, ProvisionError};

pub use users::LocalUserDraft;

/// Who writes: an application, in the directory that it sees.
#[derive(Debug, Clone)]
pub struct Writer {
    /// The directory.
    pub directory: DirectoryId,
    /// The application's name, for the journal.
    pub application: String,
    /// The id of the request, for the journal.
    pub request: String,
}

impl Writer {
    fn cause(&self) -> Cause {
        Cause {
            trigger: Trigger::Product,
            connector: None,
            actor: self.application.clone(),
            request: self.request.clone(),
        }
    }

    /// Writes a change into the journal; `known_as` is what its subject was called before.
    fn note(
        &self,
        tx: &WriteTx<'_>,
        subject: Subject,
        known_as: Option<&str>,
        change: &Change,
    ) -> Result<(), StoreError> {
        tx.append_journal(self.directory, subject, known_as, change, &self.cause())
    }
}

/// Why a product's write was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum LocalWriteError {
    /// There is no such user.
    #[error("User <{0}> does not exist")]
    UserNotFound(String),
    /// There is no such group.
    #[error("Group <{0}> does not exist")]
    GroupNotFound(String),
    /// The user is not in the group.
    #[error("User <{user}> is not a member of group <{group}>")]
    MembershipNotFound {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// The user is in the group already.
    #[error("User <{user}> is a member of group <{group}> already")]
    MembershipExists {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// The group is not directly in the group.
    #[error("Group <{child}> is not a member of group <{group}>")]
    ChildGroupNotFound {
        /// The group that would be inside.
        child: String,
        /// The group around it.
        group: String,
    },
    /// The group is directly in the group already.
    #[error("Group <{child}> is a member of group <{group}> already")]
    ChildGroupExists {
        /// The group inside.
        child: String,
        /// The group around it.
        group: String,
    },
    /// A group would come to lie in itself.
    #[error(
        "Group <{child}> cannot be a member of group <{group}>: that one is the same group or lies in it"
    )]
    Circle {
        /// The group that would be inside.
        child: String,
        /// The group around it.
        group: String,
    },
    /// A group of this name exists already.
    #[error("Group <{0}> exists already")]
    GroupExists(String),
    /// A user of this name exists already.
    #[error("User <{0}> exists already")]
    UserExists(String),
    /// The name was another person's until lately.
    #[error(
        "User name <{name}> was another person's and is kept from others until {until}; an administrator can release it"
    )]
    NameReserved {
        /// The name.
        name: String,
        /// How long.
        until: Timestamp,
    },
    /// What was said about the user cannot be kept.
    #[error("{0}")]
    InvalidUser(String),
    /// The identity provider or a rule owns it.
    #[error("{0}")]
    Refused(String),
    /// Anything else.
    #[error(transparent)]
    Failed(#[from] ProvisionError),
}

impl From<StoreError> for LocalWriteError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Provision {
    /// Makes a local group.
    pub async fn create_local_group(
        &self,
        writer: &Writer,
        name: String,
        description: String,
    ) -> Result<Group, LocalWriteError> {
        self.write_locally(writer, move |tx, writer| {
            if tx.directory_group(writer.directory, &name)?.is_some() {
                return Err(LocalWriteError::GroupExists(name.clone()));
            }
            Ok(make_group(tx, writer, &name, &description)?)
        })
        .await
    }

    /// Writes the description of a local group.
    pub async fn update_local_group(
        &self,
        writer: &Writer,
        name: String,
        description: String,
    ) -> Result<Group, LocalWriteError> {
        self.write_locally(writer, move |tx, writer| {
            let group = require_local_group(tx, writer.directory, &name)?;
            if group.description == description {
                return Ok(group);
            }
            tx.update_directory_group(group.pk, &group.name, &description)?;
            let change = Change::UpdateGroup {
                name: group.name.clone(),
                before: group.description.clone(),
                after: description.clone(),
            };
            let subject = Subject::Group(group.pk);
            writer.note(tx, subject, Some(&group.name), &change)?;
            Ok(Group {
                description: description.clone(),
                ..group
            })
        })
        .await
    }

    /// Deletes a local group with its memberships.
    pub async fn delete_local_group(
        &self,
        writer: &Writer,
        name: String,
    ) -> Result<(), LocalWriteError> {
        let this = self.clone();
        self.write_locally(writer, move |tx, writer| {
            let group = require_local_group(tx, writer.directory, &name)?;
            tx.delete_directory_group(group.pk)?;
            let change = Change::DeleteGroup {
                name: group.name.clone(),
            };
            let subject = Subject::Group(group.pk);
            writer.note(tx, subject, Some(&group.name), &change)?;
            this.refeed_waiting(tx, writer.directory, &writer.cause())?;
            Ok(())
        })
        .await
    }

    /// Puts a user into a group, local or not, with origin `local`. A group that this directory lacks is made, if
    /// `make` has the description that it has elsewhere.
    pub async fn add_local_membership(
        &self,
        writer: &Writer,
        group: String,
        user: String,
        make: Option<String>,
    ) -> Result<(), LocalWriteError> {
        let this = self.clone();
        self.write_locally(writer, move |tx, writer| {
            if let Some(description) = &make
                && tx.directory_group(writer.directory, &group)?.is_none()
            {
                make_group(tx, writer, &group, description)?;
            }
            let (found_group, found_user) = require_both(tx, writer.directory, &group, &user)?;
            if tx
                .membership_origins(found_group.pk, found_user.pk)?
                .is_some()
            {
                return Err(LocalWriteError::MembershipExists {
                    user: found_user.name,
                    group: found_group.name,
                });
            }
            this.refuse_what_would_not_last(tx, &found_group, &found_user)?;
            let origins = BTreeSet::from([Origin::Local]);
            tx.put_membership(found_group.pk, found_user.pk, &origins)?;
            let change = Change::AddMembership {
                group: found_group.name,
                origins,
            };
            let subject = Subject::Membership(found_group.pk, found_user.pk);
            writer.note(tx, subject, None, &change)?;
            Ok(())
        })
        .await
    }

    /// Takes a user out of a group that a product or an administrator had put it into.
    pub async fn remove_local_membership(
        &self,
        writer: &Writer,
        group: String,
        user: String,
    ) -> Result<(), LocalWriteError> {
        let this = self.clone();
        self.write_locally(writer, move |tx, writer| {
            let (found_group, found_user) = require_both(tx, writer.directory, &group, &user)?;
            let Some(origins) = tx.membership_origins(found_group.pk, found_user.pk)? else {
                return Err(LocalWriteError::MembershipNotFound {
                    user: found_user.name,
                    group: found_group.name,
                });
            };
            if let Some(owner) = this.giver(tx, &found_user, &origins)? {
                return Err(LocalWriteError::Refused(format!(
                    "User <{}> is in group <{}> by origin {}; take the user out there, not here",
                    found_user.name,
                    found_group.name,
                    owner.kind()
                )));
            }
            tx.delete_membership(found_group.pk, found_user.pk)?;
            let change = Change::RemoveMembership {
                group: found_group.name,
                origins,
            };
            let subject = Subject::Membership(found_group.pk, found_user.pk);
            writer.note(tx, subject, None, &change)?;
            Ok(())
        })
        .await
    }

    /// Sets attributes of a user; one without values is removed. The others stay.
    pub async fn set_local_user_attributes(
        &self,
        writer: &Writer,
        user: String,
        attributes: Vec<Attribute>,
    ) -> Result<(), LocalWriteError> {
        self.write_locally(writer, move |tx, writer| {
            let found = require_user(tx, writer.directory, &user)?;
            for attribute in &attributes {
                if tx.user_attribute_is_mapped(found.pk, &attribute.name)? {
                    return Err(LocalWriteError::Refused(format!(
                        "Attribute <{}> of user <{}> comes from the identity provider; change it there",
                        attribute.name, found.name
                    )));
                }
                tx.set_local_user_attribute(found.pk, &attribute.name, &attribute.values)?;
                let change = Change::SetAttribute {
                    name: attribute.name.clone(),
                    values: attribute.values.clone(),
                };
                let subject = Subject::User(found.pk);
                writer.note(tx, subject, Some(&found.name), &change)?;
            }
            Ok(())
        })
        .await
    }

    /// Sets attributes of a group; one without values is removed. The others stay.
    pub async fn set_local_group_attributes(
        &self,
        writer: &Writer,
        group: String,
        attributes: Vec<Attribute>,
    ) -> Result<(), LocalWriteError> {
        self.write_locally(writer, move |tx, writer| {
            let found = require_group(tx, writer.directory, &group)?;
            for attribute in &attributes {
                tx.set_group_attribute(found.pk, &attribute.name, &attribute.values)?;
                let change = Change::SetAttribute {
                    name: attribute.name.clone(),
                    values: attribute.values.clone(),
                };
                let subject = Subject::Group(found.pk);
                writer.note(tx, subject, Some(&found.name), &change)?;
            }
            Ok(())
        })
        .await
    }

    async fn write_locally<T: Send + 'static>(
        &self,
        writer: &Writer,
        write: impl Fn(&WriteTx<'_>, &Writer) -> Result<T, LocalWriteError> + Send + Sync + 'static,
    ) -> Result<T, LocalWriteError> {
        let writer = writer.clone();
        self.store()
            .write(Scope::Directory(writer.directory), move |tx| {
                write(tx, &writer)
            })
            .await
    }

    /// Why the next evaluation would give the membership again, if it would. What came with a new account is not.
    fn giver(
        &self,
        tx: &WriteTx<'_>,
        user: &User,
        origins: &BTreeSet<Origin>,
    ) -> Result<Option<Origin>, LocalWriteError> {
        let mut ours = origins.iter().filter(|origin| origin.is_ours()).peekable();
        let (Some(_), Some(connector)) = (ours.peek(), user.connector) else {
            return Ok(ours.next().cloned());
        };
        let connector = self.require_connector(tx, connector)?;
        let given_again = |origin: &&Origin| match origin {
            Origin::Rule(rule) => !connector.rules.gives_once(rule),
            _ => true,
        };
        Ok(ours.find(given_again).cloned())
    }

    /// Under the authority `strict` the next evaluation would take the membership away again; a
    /// product must hear that now, not wonder later.
    fn refuse_what_would_not_last(
        &self,
        tx: &WriteTx<'_>,
        group: &Group,
        user: &User,
    ) -> Result<(), LocalWriteError> {
        let Some(connector) = user.connector else {
            return Ok(());
        };
        let connector = self.require_connector(tx, connector)?;
        let groups = &connector.connector.rules.groups;
        let rules = &connector.rules;
        let stays = rules.never_removes(&group.name) || rules.protects(&group.name, None).is_some();
        if groups.authority != Authority::Strict || stays {
            return Ok(());
        }
        Err(LocalWriteError::Refused(format!(
            "The identity provider of user <{}> is the only authority over memberships (rule groups.authority is strict), \
             so the user would be taken out of group <{}> again; name the group in groups.never_remove to allow it",
            user.name, group.name
        )))
    }
}

fn make_group(
    tx: &WriteTx<'_>,
    writer: &Writer,
    name: &str,
    description: &str,
) -> Result<Group, StoreError> {
    let group = tx.insert_directory_group(writer.directory, name, description, true)?;
    let change = Change::CreateGroup {
        name: name.to_owned(),
        description: description.to_owned(),
    };
    writer.note(tx, Subject::Group(group.pk), None, &change)?;
    Ok(group)
}

fn require_user(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    name: &str,
) -> Result<User, LocalWriteError> {
    tx.directory_user(directory, name)?
        .ok_or_else(|| LocalWriteError::UserNotFound(name.to_owned()))
}

fn require_group(
    tx: &WriteTx<'_>,
    directory: DirectoryId,
    name: &str,
) -> Result<Group, LocalWriteError> {
    tx.directory_group(directory, name)?
        .ok_or_else(|| LocalWriteError::GroupNotFound(name.to_owned()))
}

fn require_local_group(
    tx: &WriteTx<'_>,
    directory: DirectoryId,
    name: &str,
) -> Result<Group, LocalWriteError> {
    let group = require_group(tx, directory, name)?;
    // The IdP may have taken up a group that a product had made: then it is the IdP's.
    if group.local && tx.count_bindings(group.pk)? == 0 {
        return Ok(group);
    }
    Err(LocalWriteError::Refused(format!(
        "Group <{}> comes from the identity provider; change it there",
        group.name
    )))
}

fn require_both(
    tx: &WriteTx<'_>,
    directory: DirectoryId,
    group: &str,
    user: &str,
) -> Result<(Group, User), LocalWriteError> {
    Ok((
        require_group(tx, directory, group)?,
        require_user(tx, directory, user)?,
    ))
}
