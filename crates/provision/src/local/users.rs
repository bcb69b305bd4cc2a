//! Users whom products make themselves, where a directory allows it: kept here, by no identity provider.

use directory::{Attributes, Change, DirectoryId, Former, GivenUp, Reason, Status, User, UserPk};
use scim::fold;
use scim::limits::{EMAIL_CHARS_MAX, NAME_CHARS_MAX};
use scim::name::refuse_name;
use store::{Attribute, ReadTx, StoreError, Subject, WriteTx};

use super::{LocalWriteError, Writer, require_user};
use crate::{Provision, ProvisionError};

/// Longest first, last or display name, in characters.
const TEXT_CHARS_MAX: usize = 255;

/// What a product says about a user; what it does not say stays as it is.
#[derive(Debug, Clone, Default)]
pub struct LocalUserDraft {
    /// The name.
    pub name: String,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The name shown to others.
    pub display_name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Whether the user may log in.
    pub active: Option<bool>,
}

impl Provision {
    /// Says whether products may make users in a directory. Users who were made before stay.
    pub async fn allow_local_users(
        &self,
        directory: DirectoryId,
        allowed: bool,
    ) -> Result<(), ProvisionError> {
        self.store()
            .write(store::Scope::Directory(directory), move |tx| {
                Ok(tx.allow_local_users(directory, allowed)?)
            })
            .await
    }

    /// Makes a user with attributes and, if `hash` has its argon2id hash, a password.
    pub async fn create_local_user(
        &self,
        writer: &Writer,
        draft: LocalUserDraft,
        attributes: Vec<Attribute>,
        hash: Option<String>,
    ) -> Result<User, LocalWriteError> {
        check(&draft)?;
        let this = self.clone();
        self.write_locally(writer, move |tx, writer| {
            require_allowed(tx, writer.directory)?;
            if let Some(holder) = tx.directory_user(writer.directory, &draft.name)? {
                return Err(LocalWriteError::UserExists(holder.name));
            }
            this.require_unreserved(tx, writer.directory, &draft.name, None)?;
            let first = filled(&draft, &Attributes::default());
            let status = status_of(draft.active.unwrap_or(true));
            let user = tx.insert_local_user(writer.directory, &first, status, Reason::Local)?;
            let change = Change::CreateUser {
                attributes: first,
                status,
                reason: Reason::Local,
            };
            writer.note(tx, Subject::User(user), None, &change)?;
            for attribute in &attributes {
                tx.set_local_user_attribute(user, &attribute.name, &attribute.values)?;
            }
            if let Some(hash) = &hash {
                tx.set_local_password(user, Some(hash))?;
            }
            require_user(tx, writer.directory, &draft.name)
        })
        .await
    }

    /// Changes names, mail address and whether the user may log in; not the user name.
    pub async fn update_local_user(
        &self,
        writer: &Writer,
        draft: LocalUserDraft,
    ) -> Result<User, LocalWriteError> {
        check(&draft)?;
        self.write_locally(writer, move |tx, writer| {
            let user = require_local_user(tx, writer.directory, &draft.name)?;
            let before = attributes_of(&user);
            let mut after = filled(&draft, &before);
            after.username.clone_from(&before.username);
            if after != before {
                let change = Change::UpdateUser {
                    before: before.clone(),
                    after: after.clone(),
                };
                tx.update_account(user.pk, &before, &after)?;
                writer.note(tx, Subject::User(user.pk), Some(&user.name), &change)?;
            }
            if let Some(active) = draft.active
                && active != user.active()
            {
                set_active(tx, writer, &user, active)?;
            }
            require_user(tx, writer.directory, &user.name)
        })
        .await
    }

    /// Gives a user another name.
    pub async fn rename_local_user(
        &self,
        writer: &Writer,
        name: String,
        new_name: String,
    ) -> Result<User, LocalWriteError> {
        check_name(&new_name)?;
        let this = self.clone();
        let renamed = self
            .write_locally(writer, move |tx, writer| {
                let user = require_local_user(tx, writer.directory, &name)?;
                if let Some(holder) = tx.directory_user(writer.directory, &new_name)?
                    && holder.pk != user.pk
                {
                    return Err(LocalWriteError::UserExists(holder.name));
                }
                if user.name == new_name {
                    return Ok(user);
                }
                this.require_unreserved(tx, writer.directory, &new_name, Some(user.pk))?;
                let before = attributes_of(&user);
                let after = Attributes {
                    username: new_name.clone(),
                    ..before.clone()
                };
                tx.update_account(user.pk, &before, &after)?;
                let change = Change::RenameUser {
                    from: user.name.clone(),
                    to: new_name.clone(),
                };
                writer.note(tx, Subject::User(user.pk), Some(&user.name), &change)?;
                if fold(&user.name) != fold(&new_name) {
                    free_name(tx, writer, &user, GivenUp::Renamed)?;
                }
                require_user(tx, writer.directory, &new_name)
            })
            .await?;
        self.wake_worker();
        Ok(renamed)
    }

    /// Removes a user with all memberships, the password and all sessions. The key is not given to anybody else.
    pub async fn delete_local_user(
        &self,
        writer: &Writer,
        name: String,
    ) -> Result<(), LocalWriteError> {
        self.write_locally(writer, move |tx, writer| {
            let user = require_local_user(tx, writer.directory, &name)?;
            let before = Former {
                status: user.status,
                reason: user.reason,
                attributes: attributes_of(&user),
                memberships: tx.memberships_of(user.pk)?,
            };
            tx.delete_memberships_of(user.pk)?;
            tx.set_local_password(user.pk, None)?;
            tx.set_account_status(user.pk, Status::Removed, Reason::Local)?;
            let change = Change::RemoveUser {
                name: user.name.clone(),
                reason: Reason::Local,
                before: Some(before),
            };
            writer.note(tx, Subject::User(user.pk), Some(&user.name), &change)?;
            Ok(free_name(tx, writer, &user, GivenUp::Removed)?)
        })
        .await?;
        self.wake_worker();
        Ok(())
    }

    /// Refuses a name that a connector of the directory keeps for somebody else.
    fn require_unreserved(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        name: &str,
        own: Option<UserPk>,
    ) -> Result<(), LocalWriteError> {
        let standing = tx.name_standing(directory, name)?.besides(own);
        let until = match standing.former {
            Some(former) => self.reserved_until(tx, directory, former.at)?,
            None => None,
        };
        until.map_or(Ok(()), |until| {
            let name = name.to_owned();
            Err(LocalWriteError::NameReserved { name, until })
        })
    }

    /// The user of this name, if products may change it: what is checked before work is put into a change.
    pub fn local_user(
        &self,
        tx: &ReadTx<'_>,
        writer: &Writer,
        name: &str,
    ) -> Result<User, LocalWriteError> {
        require_local_user(tx, writer.directory, name)
    }

    /// Gives a user a new password by its argon2id hash, or takes it away. All sessions of the user end.
    pub async fn set_local_password(
        &self,
        writer: &Writer,
        name: String,
        hash: Option<String>,
    ) -> Result<(), LocalWriteError> {
        self.write_locally(writer, move |tx, writer| {
            let user = require_local_user(tx, writer.directory, &name)?;
            Ok(tx.set_local_password(user.pk, hash.as_deref())?)
        })
        .await
    }

    /// Makes every user who is kept here choose a new password. Returns how many passwords there are.
    pub async fn expire_local_passwords(&self, writer: &Writer) -> Result<u64, LocalWriteError> {
        self.write_locally(writer, |tx, writer| {
            Ok(tx.expire_local_passwords(writer.directory)?)
        })
        .await
    }
}

fn set_active(
    tx: &WriteTx<'_>,
    writer: &Writer,
    user: &User,
    active: bool,
) -> Result<(), StoreError> {
    // Who was copied stays so until an identity provider speaks for them.
    let reason = match user.reason {
        Reason::Copied => Reason::Copied,
        _ => Reason::Local,
    };
    let change = match active {
        true => Change::Reactivate {
            reason,
            before: Some(user.reason),
        },
        false => Change::Disable {
            reason,
            before: Some(user.reason),
        },
    };
    tx.set_account_status(user.pk, status_of(active), reason)?;
    writer.note(tx, Subject::User(user.pk), Some(&user.name), &change)
}

/// Users of an identity provider may be waiting for a name.
fn free_name(
    tx: &WriteTx<'_>,
    writer: &Writer,
    user: &User,
    manner: GivenUp,
) -> Result<(), StoreError> {
    tx.note_former_name(writer.directory, &user.name, user.pk, manner)?;
    tx.mark_waiting_for_name(writer.directory, &user.name, &writer.cause())
}

fn status_of(active: bool) -> Status {
    match active {
        true => Status::Active,
        false => Status::Disabled,
    }
}

/// What was said, and what was before where nothing was said. Somebody without a display name gets one.
fn filled(draft: &LocalUserDraft, before: &Attributes) -> Attributes {
    let text = |said: &Option<String>, before: &String| said.as_ref().unwrap_or(before).clone();
    let first_name = text(&draft.first_name, &before.first_name);
    let last_name = text(&draft.last_name, &before.last_name);
    let said = text(&draft.display_name, &before.display_name);
    let both = format!("{first_name} {last_name}");
    let candidates = [said.trim(), both.trim(), draft.name.as_str()];
    let display_name = candidates.into_iter().find(|name| !name.is_empty());
    Attributes {
        username: draft.name.clone(),
        email: text(&draft.email, &before.email),
        display_name: display_name.unwrap_or_default().to_owned(),
        first_name,
        last_name,
        extra: before.extra.clone(),
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

fn check(draft: &LocalUserDraft) -> Result<(), LocalWriteError> {
    check_name(&draft.name)?;
    let texts = [
        ("first name", &draft.first_name, TEXT_CHARS_MAX),
        ("last name", &draft.last_name, TEXT_CHARS_MAX),
        ("display name", &draft.display_name, TEXT_CHARS_MAX),
        ("e-mail address", &draft.email, EMAIL_CHARS_MAX),
    ];
    for (what, text, chars_max) in texts {
        let Some(text) = text else { continue };
        let why = match text.chars().count() > chars_max {
            true => Some(format!("more than {chars_max} characters")),
            false => refuse_name(text.trim()).map(str::to_owned),
        };
        if let Some(why) = why {
            let message = format!("The {what} of the user has {why}");
            return Err(LocalWriteError::InvalidUser(message));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), LocalWriteError> {
    let why = match name.chars().count() {
        0 => Some("no characters".to_owned()),
        count if count > NAME_CHARS_MAX => Some(format!("more than {NAME_CHARS_MAX} characters")),
        _ => refuse_name(name).map(str::to_owned),
    };
    why.map_or(Ok(()), |why| {
        let message = format!("The name of the user has {why}");
        Err(LocalWriteError::InvalidUser(message))
    })
}

fn require_allowed(tx: &WriteTx<'_>, directory: DirectoryId) -> Result<(), LocalWriteError> {
    if tx.allows_local_users(directory)? {
        return Ok(());
    }
    let name = tx.directory(directory)?.map(|found| found.name);
    Err(LocalWriteError::Refused(format!(
        "Users come from the identity provider; create this user there. If users are to be made here as well, an \
         administrator can allow local users in directory <{}>",
        name.unwrap_or_default()
    )))
}

fn require_local_user(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    name: &str,
) -> Result<User, LocalWriteError> {
    let user = require_user(tx, directory, name)?;
    if is_local(tx, &user)? {
        return Ok(user);
    }
    Err(LocalWriteError::Refused(format!(
        "User <{}> comes from the identity provider; change or remove the user there, password included",
        user.name
    )))
}

/// Kept here: belongs to no connector, and no user of a source feeds it.
fn is_local(tx: &ReadTx<'_>, user: &User) -> Result<bool, StoreError> {
    Ok(user.connector.is_none() && tx.source_behind(user.pk)?.is_none())
}
