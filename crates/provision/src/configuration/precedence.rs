//! Whose word counts in a directory, as a configuration says it: by the names of connectors.

use directory::configuration::{
    Action, DirectoryEntry, Kind, Merged, PrecedenceEntry, Step, member,
};
use directory::name::same;
use directory::{ConnectorId, DirectoryId, Precedence};
use serde_json::Value;
use store::{ReadTx, WriteTx};

use super::carry_out::{Work, connector_id, unreadable};
use super::check::{Checks, within};
use crate::ProvisionError;
use crate::directories::require_directory;

/// The member of a directory.
const MEMBER: &str = "precedence";

/// What is stored, by the names of connectors; those that are gone have none.
pub(super) fn entry(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
) -> Result<Option<PrecedenceEntry>, ProvisionError> {
    let Some(precedence) = tx.precedence(directory)? else {
        return Ok(None);
    };
    let mut entry = PrecedenceEntry {
        order: names(tx, &precedence.order)?,
        ..PrecedenceEntry::default()
    };
    for (target, ids) in precedence.targets {
        entry.targets.insert(target, names(tx, &ids)?);
    }
    Ok(Some(entry))
}

/// The names of connectors in the same order; those that are gone have none.
pub(super) fn names(tx: &ReadTx<'_>, ids: &[ConnectorId]) -> Result<Vec<String>, ProvisionError> {
    let mut names = Vec::with_capacity(ids.len());
    for id in ids {
        names.extend(tx.connector(*id)?.map(|stored| stored.connector.name));
    }
    Ok(names)
}

impl Checks<'_> {
    /// Checks a directory.
    pub(super) fn directory_entry(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        self.name(one)?;
        let is_said = self
            .wanted
            .find(&one.name)
            .is_some_and(|said| said.body.contains_key(MEMBER));
        let entry: DirectoryEntry = one.entry().map_err(unreadable)?;
        let Some(mut entry) = entry.precedence.flatten().filter(|_| is_said) else {
            return Ok(());
        };
        let path = member(&one.path, MEMBER);
        let mut numbers = Vec::new();
        let mut precedence = Precedence {
            order: self.feeding(
                &one.name.name,
                &path,
                "order",
                &mut entry.order,
                &mut numbers,
            ),
            ..Precedence::default()
        };
        for (target, list) in &mut entry.targets {
            let place = member("targets", &target.to_string());
            let ids = self.feeding(&one.name.name, &path, &place, list, &mut numbers);
            precedence.targets.insert(target.clone(), ids);
        }
        let errors = precedence.errors().into_iter();
        self.wrong.extend(errors.map(|error| within(&path, error)));
        let entry = serde_json::to_value(entry).map_err(unreadable)?;
        one.after.insert(MEMBER.to_owned(), entry);
        Ok(())
    }

    /// Spells the connectors of a list as they are, and gives each a number of its own. Those that do not feed the directory
    /// are noted as wrong.
    fn feeding(
        &mut self,
        directory: &str,
        path: &str,
        list: &str,
        names: &mut [String],
        numbers: &mut Vec<String>,
    ) -> Vec<ConnectorId> {
        let mut ids = Vec::with_capacity(names.len());
        for (index, name) in names.iter_mut().enumerate() {
            let place = format!("{path}.{list}[{index}]");
            let Some(spelt) = self.there(Kind::Connector, place.clone(), name) else {
                continue;
            };
            let fed = self.directory_of(&spelt);
            if !same(&fed, directory) {
                self.fault(
                    place,
                    format!("the connector '{spelt}' feeds '{fed}' and has no word here"),
                    "leave it out, or move it here first with `vestibule connector move`",
                );
            }
            let number = numbers.iter().position(|known| *known == spelt);
            let number = number.unwrap_or_else(|| {
                numbers.push(spelt.clone());
                numbers.len() - 1
            });
            ids.push(ConnectorId(i64::try_from(number).unwrap_or(i64::MAX)));
            *name = spelt;
        }
        ids
    }

    /// The directory that a connector feeds: the one it has, since a file moves none, or the one it is made for.
    fn directory_of(&self, connector: &str) -> String {
        let known = [self.present, self.wanted].into_iter().find_map(|said| {
            let mut all = said.all(Kind::Connector);
            let found = all.find(|object| same(&object.name.name, connector))?;
            found.body.get("directory").and_then(Value::as_str)
        });
        known.unwrap_or(connector).to_owned()
    }
}

impl Work {
    /// Says whose word counts in a directory, once its connectors are there.
    pub(super) fn precedence(&self, tx: &WriteTx<'_>, step: &Step) -> Result<(), ProvisionError> {
        if step.object.kind != Kind::Directory || !step.touches(MEMBER) {
            return Ok(());
        }
        let entry: DirectoryEntry = step.entry().map_err(unreadable)?;
        let directory = require_directory(tx, &step.object.name)?;
        let precedence = match entry.precedence.flatten() {
            Some(entry) => Some(stored(tx, entry)?),
            None => None,
        };
        match step.action {
            // Nobody is in it who could be evaluated.
            Action::Create => tx.set_precedence(directory, precedence.as_ref())?,
            _ => drop(
                self.provision
                    .precede(tx, directory, precedence.as_ref(), &self.actor)?,
            ),
        }
        Ok(())
    }
}

fn stored(tx: &WriteTx<'_>, entry: PrecedenceEntry) -> Result<Precedence, ProvisionError> {
    let ids = |names: Vec<String>| {
        let ids = names.iter().map(|name| connector_id(tx, name));
        ids.collect::<Result<Vec<_>, _>>()
    };
    let mut precedence = Precedence {
        order: ids(entry.order)?,
        ..Precedence::default()
    };
    for (target, names) in entry.targets {
        precedence.targets.insert(target, ids(names)?);
    }
    Ok(precedence)
}
