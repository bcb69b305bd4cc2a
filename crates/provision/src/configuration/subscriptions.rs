//! Subscriptions, as a configuration says them.

use directory::DirectoryId;
use directory::configuration::{
    Action, Kind, Merged, SecretSource, Step, SubscriptionEntry, member,
};
use store::{Subscription, SubscriptionDraft, WriteTx};

use super::MadeSecret;
use super::carry_out::{Done, Work, unreadable};
use super::check::{Checks, said};
use crate::ProvisionError;
use crate::directories::require_directory;
use crate::notifications::channels::check_name;
use crate::subscriptions::{check_url, find, insert, update};

/// A subscription as it is stored, without its key. A directory that is gone is not named.
pub(super) fn entry(
    stored: Subscription,
    name_of: impl Fn(DirectoryId) -> String,
) -> SubscriptionEntry {
    let SubscriptionDraft {
        name,
        url,
        events,
        directories,
        enabled,
    } = stored.draft;
    let names = |ids: Vec<DirectoryId>| {
        let names = ids.into_iter().map(&name_of);
        names.filter(|name| !name.is_empty()).collect()
    };
    SubscriptionEntry {
        name,
        enabled: Some(enabled),
        url: Some(url),
        events: Some(events),
        directories: Some(directories.map(names)),
        secret: None,
    }
}

impl Checks<'_> {
    /// Checks a subscription.
    pub(super) fn subscription(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        self.told(&member(&one.path, "name"), check_name(&one.name.name))?;
        let mut entry: SubscriptionEntry = one.entry().map_err(unreadable)?;
        let is_empty = |name: &str| {
            let list = one.after.get(name).and_then(|value| value.as_array());
            list.is_some_and(Vec::is_empty)
        };
        for name in ["events", "directories"] {
            let was = one.before.as_ref().and_then(|before| before.get(name));
            // The last directory that it was told of may be gone.
            if is_empty(name) && was != one.after.get(name) {
                self.fault(
                    member(&one.path, name),
                    "it is empty, so nothing would be told",
                    "write null for all, or enabled: false",
                );
            }
        }
        if let Some(Some(names)) = &mut entry.directories {
            self.spell(one, Kind::Directory, names)?;
        }
        match &entry.url {
            Some(url) => {
                let (path, before) = (member(&one.path, "url"), said(one, "url"));
                if self.told(&path, check_url(url))?.is_some() {
                    let reach = self.provision.require_reach("url", url, before);
                    self.told(&path, reach)?;
                }
            }
            None => self.fault(
                member(&one.path, "url"),
                format!("the {} is new, and it is not said where to send", one.name),
                "write url: https://HOST/PATH",
            ),
        }
        self.secret(one)
    }
}

impl Work {
    /// Makes, changes or removes a subscription.
    pub(super) fn subscription(
        &self,
        tx: &WriteTx<'_>,
        step: &Step,
        done: &mut Done,
    ) -> Result<(), ProvisionError> {
        let name = &step.object.name;
        if step.action == Action::Delete {
            return Ok(tx.delete_subscription(find(tx, name)?.pk)?);
        }
        let entry: SubscriptionEntry = step.entry().map_err(unreadable)?;
        let secret = match &step.secret {
            Some(SecretSource::Value(text)) => Some(text.as_str()),
            _ => None,
        };
        let key = self.provision.key()?;
        let made = match step.action {
            Action::Create => insert(tx, key, &draft(tx, entry)?, secret)?.1,
            _ => {
                let before = find(tx, name)?;
                let mut draft = draft(tx, entry)?;
                draft.name.clone_from(&before.draft.name);
                if !step.touches(Kind::Directory.list()) {
                    draft.directories.clone_from(&before.draft.directories);
                }
                update(tx, key, &before, &draft, secret)?
            }
        };
        done.secrets.extend(made.map(|secret| MadeSecret {
            object: step.object.clone(),
            id: None,
            secret,
        }));
        Ok(())
    }
}

/// A subscription as it is to be.
fn draft(tx: &WriteTx<'_>, entry: SubscriptionEntry) -> Result<SubscriptionDraft, ProvisionError> {
    let ids = |names: Vec<String>| {
        let ids = names.iter().map(|name| require_directory(tx, name));
        ids.collect::<Result<Vec<_>, _>>()
    };
    Ok(SubscriptionDraft {
        name: entry.name,
        url: entry
            .url
            .ok_or_else(|| ProvisionError::invalid("url", "is missing"))?,
        events: entry.events.flatten(),
        directories: entry.directories.flatten().map(ids).transpose()?,
        enabled: entry.enabled.unwrap_or(true),
    })
}
