//! Channels by which administrators are told, as a configuration says them.

use directory::configuration::{
    Action, ChannelEntry, Kind, Merged, SecretSource, Step, item, member,
};
use directory::notification::{EVERY_MINUTES_DEFAULT, Wants, Way, check_every, check_way};
use serde_json::{Map, Value};
use store::{Channel, ChannelDraft, ReadTx, WriteTx};

use super::MadeSecret;
use super::carry_out::{Done, Work, connector_id, unreadable};
use super::check::Checks;
use super::precedence::names;
use crate::ProvisionError;
use crate::notifications::channels::{check_name, insert, update};
use crate::notifications::find;
use crate::notifications::secrets::{Need, lacking};

const CORRECT: &str = "correct it";

/// A channel as it is stored, without its secret.
pub(super) fn entry(tx: &ReadTx<'_>, channel: Channel) -> Result<ChannelEntry, ProvisionError> {
    let ChannelDraft {
        name,
        way,
        wants,
        every_minutes,
        enabled,
    } = channel.draft;
    let connectors = wants.connectors.map(|ids| names(tx, &ids)).transpose()?;
    Ok(ChannelEntry {
        name,
        enabled: Some(enabled),
        way: Some(way),
        events: Some(wants.events),
        connectors: Some(connectors),
        every_minutes: Some(every_minutes),
        secret: None,
    })
}

/// A channel as it is to be, but for the connectors that it tells of.
fn draft(entry: &ChannelEntry) -> Option<ChannelDraft> {
    Some(ChannelDraft {
        name: entry.name.clone(),
        way: entry.way.clone()?,
        wants: Wants {
            events: entry.events.clone().flatten(),
            connectors: None,
        },
        every_minutes: entry.every_minutes.unwrap_or(EVERY_MINUTES_DEFAULT),
        enabled: entry.enabled.unwrap_or(true),
    })
}

/// How a channel or a subscription tells, of what is said about it; nothing else does.
pub(super) fn way(kind: Kind, said: &Map<String, Value>) -> Option<Way> {
    match kind {
        Kind::Channel => serde_json::from_value(said.get("way")?.clone()).ok(),
        Kind::Subscription => said.get("url")?.as_str().map(crate::subscriptions::way),
        _ => None,
    }
}

impl Checks<'_> {
    /// Checks a channel.
    pub(super) fn channel(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        self.told(&member(&one.path, "name"), check_name(&one.name.name))?;
        let mut entry: ChannelEntry = one.entry().map_err(unreadable)?;
        if let Some(Some(events)) = &entry.events
            && events.is_empty()
        {
            self.fault(
                member(&one.path, "events"),
                "it is empty, so nothing would be told",
                "write null for all events, or enabled: false",
            );
        }
        if let Some(Some(names)) = &mut entry.connectors {
            self.spell(one, Kind::Connector, names)?;
        }
        let Some(draft) = draft(&entry) else {
            self.fault(
                member(&one.path, "way"),
                format!("the {} is new, and it is not said how it tells", one.name),
                "write way: {mail: ...}, {webhook: {url: ...}} or {chat: {format: ...}}",
            );
            return Ok(());
        };
        if let Err(why) = check_every(draft.every_minutes) {
            self.fault(member(&one.path, "every_minutes"), why, CORRECT);
        }
        self.channel_way(one, &draft.way);
        self.channel_secret(one, &draft.way)
    }

    /// Checks how a channel tells, and where.
    fn channel_way(&mut self, one: &Merged, to: &Way) {
        let before = one
            .before
            .as_ref()
            .and_then(|said| way(Kind::Channel, said));
        let reach = || self.provision.check_way_reach(to, before.as_ref());
        let checked = check_way(to).and_then(|()| reach());
        if let Err((name, why)) = checked {
            let way = to.as_str();
            self.fault(format!("{}.way.{way}.{name}", one.path), why, CORRECT);
        }
    }

    /// Writes the names in a list of an object as they are spelt where they are made.
    pub(super) fn spell(
        &mut self,
        one: &mut Merged,
        kind: Kind,
        names: &mut [String],
    ) -> Result<(), ProvisionError> {
        let path = member(&one.path, kind.list());
        for (index, name) in names.iter_mut().enumerate() {
            if let Some(spelt) = self.there(kind, item(&path, index), name) {
                *name = spelt;
            }
        }
        let names = serde_json::to_value(names).map_err(unreadable)?;
        one.after.insert(kind.list().to_owned(), names);
        Ok(())
    }

    /// A secret is not given to another place than the one it was given for.
    fn channel_secret(&mut self, one: &mut Merged, to: &Way) -> Result<(), ProvisionError> {
        let before = one
            .before
            .as_ref()
            .and_then(|said| way(Kind::Channel, said));
        let moves = before.is_some_and(|before| before.place() != to.place());
        let path = member(&one.path, "secret");
        let is_told = self.wrong.iter().any(|wrong| wrong.path == path);
        if let (None, true, Some(what)) = (&one.secret, moves && !is_told, lacking(to)) {
            self.fault(
                path,
                format!("is missing: {what}; the one that is there was given for another place"),
                "write {env: NAME} or {file: PATH}",
            );
        }
        self.secret(one)
    }
}

impl Work {
    /// Makes, changes or removes a channel.
    pub(super) fn channel(
        &self,
        tx: &WriteTx<'_>,
        step: &Step,
        done: &mut Done,
    ) -> Result<(), ProvisionError> {
        if step.action == Action::Delete {
            return Ok(tx.delete_channel(find(tx, &step.object.name)?.pk)?);
        }
        let entry: ChannelEntry = step.entry().map_err(unreadable)?;
        let missing = || ProvisionError::invalid("way", "is missing");
        let mut draft = draft(&entry).ok_or_else(missing)?;
        if let Some(names) = entry.connectors.flatten() {
            let ids = names.iter().map(|name| connector_id(tx, name));
            draft.wants.connectors = Some(ids.collect::<Result<_, _>>()?);
        }
        let secret = match &step.secret {
            Some(SecretSource::Value(text)) => Some(text.as_str()),
            _ => None,
        };
        let key = self.provision.key()?;
        let made = match step.action {
            Action::Create => insert(tx, key, &draft, secret, Need::Later)?.1,
            _ => {
                let before = find(tx, &step.object.name)?;
                draft.name.clone_from(&before.draft.name);
                let need = match before.draft.way.place() == draft.way.place() {
                    true => Need::Later,
                    false => Need::Now,
                };
                update(tx, key, &before, &draft, (secret, need))?
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
