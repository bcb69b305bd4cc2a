//! Channels as administrators make and change them.

use directory::notification::{check_every, check_way};
use jiff::SignedDuration;
use scim::name::refuse_name;
use store::{Channel, ChannelDraft, ReadTx, Scope, WriteTx};

use super::secrets::Need;
use super::{find, secrets};
use crate::secret::Secret;
use crate::webhooks::later;
use crate::{Provision, ProvisionError, SecretKey};

/// Channels there can be.
const CHANNELS_MAX: usize = 50;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 100;

/// What a channel is to be.
#[derive(Clone)]
pub struct ChannelWish {
    /// Everything but its secret.
    pub draft: ChannelDraft,
    /// The password, the key of the signature, or the URL of the chat. Nothing keeps what is there; an empty one is none,
    /// and for a webhook a new one.
    pub secret: Option<String>,
}

impl Provision {
    /// Makes a channel. A key that was made for its signatures is given back, to be shown once.
    pub async fn create_channel(
        &self,
        wish: ChannelWish,
    ) -> Result<(Channel, Option<Secret>), ProvisionError> {
        check(&wish.draft)?;
        self.require_way_reach(&wish.draft.way, wish.secret.as_deref(), None)?;
        let key = self.key()?.clone();
        self.store()
            .write(Scope::Settings, move |tx| {
                require_free(tx, &wish.draft, None)?;
                let need = Need::Now;
                let (id, made) = insert(tx, &key, &wish.draft, wish.secret.as_deref(), need)?;
                Ok((find(tx, &id)?, made))
            })
            .await
    }

    /// Changes a channel. What it was told, it is not told again.
    pub async fn change_channel(
        &self,
        name: &str,
        wish: ChannelWish,
    ) -> Result<(Channel, Option<Secret>), ProvisionError> {
        check(&wish.draft)?;
        let (key, name, this) = (self.key()?.clone(), name.to_owned(), self.clone());
        self.store()
            .write(Scope::Settings, move |tx| {
                let before = find(tx, &name)?;
                require_free(tx, &wish.draft, Some(&before))?;
                let secret = wish.secret.as_deref();
                this.require_way_reach(&wish.draft.way, secret, Some(&before.draft.way))?;
                let made = update(tx, &key, &before, &wish.draft, (secret, Need::Now))?;
                Ok((find(tx, &before.id)?, made))
            })
            .await
    }

    /// Deletes a channel.
    pub async fn delete_channel(&self, name: &str) -> Result<(), ProvisionError> {
        let name = name.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let channel = find(tx, &name)?;
                Ok(tx.delete_channel(channel.pk)?)
            })
            .await
    }
}

/// Stores a new channel. Gives its id, and a key that was made for its signatures.
pub(crate) fn insert(
    tx: &WriteTx<'_>,
    key: &SecretKey,
    draft: &ChannelDraft,
    secret: Option<&str>,
    need: Need,
) -> Result<(String, Option<Secret>), ProvisionError> {
    if tx.channels()?.len() >= CHANNELS_MAX {
        return Err(ProvisionError::invalid(
            "notification channel",
            format!("there are {CHANNELS_MAX} at most; delete one first"),
        ));
    }
    let id = tx.new_id().to_string();
    let kept = secrets::keep(key, &id, &draft.way, (secret, need), None)?;
    tx.insert_channel(&id, draft, kept.sealed.as_deref())?;
    Ok((id, kept.made))
}

/// Changes a channel. Gives a key that was made for its signatures.
pub(crate) fn update(
    tx: &WriteTx<'_>,
    key: &SecretKey,
    before: &Channel,
    draft: &ChannelDraft,
    secret: (Option<&str>, Need),
) -> Result<Option<Secret>, ProvisionError> {
    let there = (before.draft.way.clone(), before.sealed.clone());
    let kept = secrets::keep(key, &before.id, &draft.way, secret, Some(there))?;
    let now = tx.now();
    let every = SignedDuration::from_mins(i64::from(draft.every_minutes));
    let next_try = match before.failures {
        0 => before.next_try.min(later(now, every)),
        _ => before.next_try.min(now),
    };
    tx.update_channel(before.pk, draft, kept.sealed.as_deref(), next_try)?;
    Ok(kept.made)
}

fn require_free(
    tx: &ReadTx<'_>,
    draft: &ChannelDraft,
    own: Option<&Channel>,
) -> Result<(), ProvisionError> {
    match tx.find_channel(&draft.name)? {
        Some(other) if own.is_none_or(|own| own.pk != other.pk) => Err(ProvisionError::Exists {
            what: "notification channel",
            name: draft.name.clone(),
        }),
        _ => Ok(()),
    }
}

/// Refuses what can be no channel.
fn check(draft: &ChannelDraft) -> Result<(), ProvisionError> {
    check_name(&draft.name)?;
    check_every(draft.every_minutes)
        .map_err(|why| ProvisionError::invalid("every_minutes", why))?;
    check_way(&draft.way).map_err(|(member, why)| ProvisionError::invalid(member, why))
}

/// Refuses what can be no name of a channel.
pub(crate) fn check_name(name: &str) -> Result<(), ProvisionError> {
    let is_good = !name.trim().is_empty()
        && name.trim() == name
        && name.chars().count() <= NAME_CHARS_MAX
        && refuse_name(name).is_none();
    match is_good {
        true => Ok(()),
        false => Err(ProvisionError::invalid(
            "name",
            format!(
                "has to be 1 to {NAME_CHARS_MAX} characters that can be seen, without blanks around them"
            ),
        )),
    }
}
