//! Administrators of the console: invited, given roles, deleted.

use jiff::SignedDuration;
use store::{Administrator, Invitation, ReadTx, Rights, Role, Scope, WriteTx, token_hash};

use crate::breached::is_breached;
use crate::naming::checked_name;
use crate::secret::{INVITATION_PREFIX, Secret, is_well_formed};
use crate::{HashError, Passwords, Provision, ProvisionError};

/// How long an invitation is good.
const INVITATION_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// Fewest characters of a password (OWASP ASVS 5, 6.2.1, asks for 15 where it is the only factor).
const PASSWORD_CHARS_MIN: usize = 15;
/// Most bytes of a password.
const PASSWORD_BYTES_MAX: usize = 1024;
/// Who invites when nobody is there yet.
const FIRST: &str = "first start";

/// Who makes an invitation.
#[derive(Debug, Clone, Copy)]
pub struct Inviter<'i> {
    /// The name, for people.
    pub name: &'i str,
    /// The id of the administrator or token; none for the command line.
    pub id: Option<&'i str>,
}

/// An invitation that was just made; its text is not to be had again.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// What the store keeps.
    pub invitation: Invitation,
    /// The text to show once, as part of a link.
    pub secret: Secret,
}

impl Provision {
    /// Makes a link for somebody new.
    pub async fn invite(
        &self,
        rights: Rights,
        inviter: Inviter<'_>,
    ) -> Result<NewInvitation, ProvisionError> {
        check_rights(&rights)?;
        self.make_invitation(rights, None, inviter).await
    }

    /// Makes a link with which an administrator sets a new password.
    pub async fn invite_again(
        &self,
        administrator: &str,
        inviter: Inviter<'_>,
    ) -> Result<NewInvitation, ProvisionError> {
        let found = self.administrator(administrator).await?;
        if let Some(issuer) = &found.issuer {
            return Err(ProvisionError::Conflict(format!(
                "{} has no password here and signs in at {issuer}; change it there",
                found.name
            )));
        }
        self.make_invitation(found.rights, Some(found.pk), inviter)
            .await
    }

    /// While there is no administrator: a link for the first one. Those before it go on working until one is used.
    pub async fn invite_first(&self) -> Result<Option<NewInvitation>, ProvisionError> {
        let nobody = self
            .store()
            .read(|tx| Ok::<_, ProvisionError>(tx.administrators()?.is_empty()))
            .await?;
        if !nobody {
            return Ok(None);
        }
        let inviter = Inviter {
            name: FIRST,
            id: None,
        };
        self.make_invitation(Rights::of(Role::Owner), None, inviter)
            .await
            .map(Some)
    }

    async fn make_invitation(
        &self,
        rights: Rights,
        administrator: Option<i64>,
        inviter: Inviter<'_>,
    ) -> Result<NewInvitation, ProvisionError> {
        let secret = Secret::generate(INVITATION_PREFIX)?;
        let hash = token_hash(secret.reveal());
        let (name, id) = (inviter.name.to_owned(), inviter.id.map(str::to_owned));
        let invitation = self
            .store()
            .write(Scope::Settings, move |tx| {
                let expires = tx.now() + INVITATION_LIFE;
                Ok::<_, ProvisionError>(tx.insert_invitation(
                    &hash,
                    &rights,
                    administrator,
                    (&name, id.as_deref()),
                    expires,
                )?)
            })
            .await?;
        Ok(NewInvitation { invitation, secret })
    }

    /// The live invitation of this text, and whose password it renews.
    pub async fn invitation(
        &self,
        text: &str,
    ) -> Result<Option<(Invitation, Option<Administrator>)>, ProvisionError> {
        if !is_well_formed(text, INVITATION_PREFIX) {
            return Ok(None);
        }
        let hash = token_hash(text);
        self.store()
            .read(move |tx| {
                let Some(invitation) = tx.invitation(&hash)? else {
                    return Ok(None);
                };
                let of = invited(tx, &invitation)?;
                Ok(Some((invitation, of)))
            })
            .await
    }

    /// Uses an invitation: makes its administrator, or gives the one that it is for a new password.
    pub async fn accept_invitation(
        &self,
        text: &str,
        name: &str,
        password: String,
        passwords: &Passwords,
    ) -> Result<Administrator, ProvisionError> {
        let Some((_, of)) = self.invitation(text).await? else {
            return Err(ProvisionError::not_found("invitation", "of this link"));
        };
        let name = match &of {
            Some(administrator) => administrator.name.clone(),
            None => checked_name(name)?,
        };
        checked_password(&password, &name)?;
        let password = hashed(passwords, password).await?;
        let hash = token_hash(text);
        self.store()
            .write(Scope::Settings, move |tx| {
                let Some(invitation) = tx.invitation(&hash)? else {
                    return Err(ProvisionError::not_found("invitation", "of this link"));
                };
                tx.delete_invitation(&invitation.id)?;
                match invited(tx, &invitation)? {
                    Some(administrator) => {
                        tx.set_administrator_password(administrator.pk, &password)?;
                        tx.end_administrator_sessions(administrator.pk)?;
                        Ok(administrator)
                    }
                    None => {
                        // Somebody is there now: links for the first one end.
                        tx.delete_invitations_called(FIRST)?;
                        let made = tx.insert_administrator(&name, &invitation.rights, &password);
                        made.map_err(|error| {
                            let constraint = "administrator_name";
                            ProvisionError::or_exists(error, constraint, "administrator", &name)
                        })
                    }
                }
            })
            .await
    }

    /// Takes an invitation back.
    pub async fn revoke_invitation(&self, id: &str) -> Result<(), ProvisionError> {
        let id = id.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                match tx.delete_invitation(&id)? {
                    true => Ok(()),
                    false => Err(ProvisionError::not_found("invitation", &id)),
                }
            })
            .await
    }

    /// The administrator with this id or name.
    pub async fn administrator(&self, text: &str) -> Result<Administrator, ProvisionError> {
        let text = text.to_owned();
        self.store()
            .read(move |tx| require_administrator(tx, &text))
            .await
    }

    /// Gives an administrator other rights. The last owner with a password stays one. Links that somebody made as an
    /// owner end with that.
    pub async fn set_administrator_rights(
        &self,
        administrator: &str,
        rights: Rights,
    ) -> Result<Administrator, ProvisionError> {
        check_rights(&rights)?;
        let text = administrator.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let found = require_administrator(tx, &text)?;
                if let Some(issuer) = &found.issuer {
                    return Err(ProvisionError::Conflict(format!(
                        "{} signs in at {issuer} and has the role that groups there give; change groups or roles of groups",
                        found.name
                    )));
                }
                if rights.role != Role::Owner {
                    keep_an_owner(tx, &found, "role", "cannot be taken from")?;
                }
                tx.set_administrator_rights(found.pk, &rights)?;
                // What a page offered under the old role must not be sent under the new one.
                tx.end_administrator_sessions(found.pk)?;
                require_administrator(tx, &found.id)
            })
            .await
    }

    /// Deletes an administrator, who is signed out at once, and whose links end. The last owner stays.
    pub async fn delete_administrator(&self, administrator: &str) -> Result<(), ProvisionError> {
        let text = administrator.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let found = require_administrator(tx, &text)?;
                keep_an_owner(tx, &found, "administrator", "cannot be deleted, being")?;
                Ok(tx.delete_administrator(found.pk)?)
            })
            .await
    }
}

pub(crate) fn require_administrator(
    tx: &ReadTx<'_>,
    text: &str,
) -> Result<Administrator, ProvisionError> {
    tx.find_administrator(text)?
        .ok_or_else(|| ProvisionError::not_found("administrator", text))
}

/// Who may do everything is confined to nothing.
pub(crate) fn check_rights(rights: &Rights) -> Result<(), ProvisionError> {
    match (rights.role, &rights.connectors) {
        (Role::Owner, Some(_)) => Err(ProvisionError::invalid(
            "connectors",
            "cannot be named for an owner, who may do everything; make it an operator or auditor",
        )),
        (_, Some(connectors)) if connectors.is_empty() => Err(ProvisionError::invalid(
            "connectors",
            "names none; name some, or leave it out for all",
        )),
        _ => Ok(()),
    }
}

fn keep_an_owner(
    tx: &WriteTx<'_>,
    leaving: &Administrator,
    field: &'static str,
    refused: &str,
) -> Result<(), ProvisionError> {
    let others = tx.administrators()?;
    // Who comes from a provider may not come tomorrow: there is always an owner with a password.
    let is_last_way = |one: &Administrator| one.rights.role == Role::Owner && one.issuer.is_none();
    let stays = |one: &Administrator| is_last_way(one) && one.pk != leaving.pk;
    if is_last_way(leaving) && !others.iter().any(stays) {
        return Err(ProvisionError::invalid(
            field,
            format!("{refused} the last owner with a password; make somebody else an owner first"),
        ));
    }
    Ok(())
}

/// Whose password an invitation renews.
fn invited(
    tx: &ReadTx<'_>,
    invitation: &Invitation,
) -> Result<Option<Administrator>, ProvisionError> {
    let Some(pk) = invitation.administrator else {
        return Ok(None);
    };
    let all = tx.administrators()?;
    Ok(all.into_iter().find(|one| one.pk == pk))
}

/// Long, and nothing that is tried first: common passwords, keyboard rows, repetitions, the person's own name.
pub(crate) fn checked_password(password: &str, name: &str) -> Result<(), ProvisionError> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(ProvisionError::invalid(
            "password",
            format!("is too long; it may have {PASSWORD_BYTES_MAX} bytes"),
        ));
    }
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(ProvisionError::invalid(
            "password",
            format!(
                "has {PASSWORD_CHARS_MIN} characters at least; a few words that have nothing to do with each other do well"
            ),
        ));
    }
    if is_breached(password) {
        return Err(ProvisionError::invalid(
            "password",
            "is known from a breach of another site and is among the first that are tried; take another one",
        ));
    }
    let strength = zxcvbn::zxcvbn(
        password,
        &[name, "vestibule", "jira", "confluence", "atlassian"],
    );
    if strength.score() < zxcvbn::Score::Three {
        return Err(ProvisionError::invalid(
            "password",
            "is easily guessed: it has common words, rows or repetitions; take words that have nothing to do with each other",
        ));
    }
    Ok(())
}

pub(crate) async fn hashed(
    passwords: &Passwords,
    password: String,
) -> Result<String, ProvisionError> {
    passwords.hash(password).await.map_err(|error| match error {
        HashError::Busy => ProvisionError::Store(store::StoreError::Busy),
        HashError::Failed(reason) => ProvisionError::invalid("password", reason),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_not_guessable() {
        for weak in [
            "short",
            "passwordpassword",
            "aaaaaaaaaaaaaaaaaaaa",
            "qwertyuiopasdfgh",
            "nEMvXyHeqDd5OQxyXYZI",
        ] {
            assert!(checked_password(weak, "ann").is_err(), "{weak}");
        }
        assert!(checked_password("copper river lantern mosaic", "ann").is_ok());
        assert!(checked_password(&"x".repeat(PASSWORD_BYTES_MAX + 1), "ann").is_err());
    }
}
