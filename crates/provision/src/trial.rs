//! Trials: rules, one row or the rules for names, run on one value or one person (US-14).

use directory::rules::{GroupNames, MappingRow, Source, reads_user_name};
use directory::{Attributes, ConnectorId, Outcome, Rules, SourceGroup, SourceGroupPk, Trigger};
use scim::{Resource, ResourceType};
use serde_json::{Map, Value, json};
use store::ReadTx;

use crate::decide::{Occasion, decide};
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::name_holder::NameHolder;
use crate::preview::find_user;
use crate::world::Stored;
use crate::{Provision, ProvisionError};

/// What to try, and on whom.
#[derive(Debug, Clone)]
pub struct TrialWish {
    /// The rules; those in force if left out.
    pub rules: Option<Rules>,
    /// A row in place of those with its target.
    pub row: Option<MappingRow>,
    /// Rules for names in place of those in the rules.
    pub names: Option<GroupNames>,
    /// On whom.
    pub person: TrialPerson,
}

/// On whom rules are tried.
#[derive(Debug, Clone)]
pub enum TrialPerson {
    /// Somebody of whom nothing is known but these values: what the steps of the row begin with, or the names of groups.
    Values(Vec<String>),
    /// A stored user, by `userName` or SCIM `id`.
    Stored(String),
    /// A user as an identity provider sends it.
    Written {
        /// The user.
        user: Map<String, Value>,
        /// The names of its groups.
        groups: Vec<String>,
    },
}

/// What came of a trial.
#[derive(Debug)]
pub struct Tried {
    /// The decision with its trace.
    pub outcome: Outcome,
    /// The attributes of the account, or without one those that the rows give all the same, as far as they may be seen.
    pub attributes: Attributes,
    /// The name that the user should have and that somebody else has.
    pub taken_name: Option<String>,
    /// Who has it; none if it is only kept for somebody.
    pub taken_by: Option<NameHolder>,
}

impl Provision {
    /// Tries rules on one person, changing nothing.
    pub async fn try_rules(
        &self,
        id: ConnectorId,
        wish: TrialWish,
    ) -> Result<Tried, ProvisionError> {
        let this = self.clone();
        self.store()
            .read(move |tx| {
                let present = this.require_connector(tx, id)?;
                wish.run(tx, &present)
            })
            .await
    }
}

impl TrialWish {
    /// Somebody of whom nothing is known. A `userName` that is typed is the user's own if it can be, for conditions
    /// that ask for it.
    fn somebody(
        &self,
        connector: &LoadedConnector,
        values: &[String],
    ) -> Result<Resource, ProvisionError> {
        let is_name = |row: &MappingRow| reads_user_name(&row.target, row.source.as_ref());
        let typed = match values {
            [name] if self.row.as_ref().is_some_and(is_name) => named(connector, name).ok(),
            _ => None,
        };
        typed.map_or_else(|| named(connector, "somebody"), Ok)
    }

    fn run(&self, tx: &ReadTx<'_>, present: &LoadedConnector) -> Result<Tried, ProvisionError> {
        let id = present.connector.id;
        let mut rules = self
            .rules
            .clone()
            .unwrap_or_else(|| present.connector.rules.clone());
        if let Some(names) = &self.names {
            rules.groups.names = names.clone();
        }
        if let Some(row) = &self.row {
            rules.mapping.retain(|other| other.target != row.target);
            rules.mapping.push(row.clone());
        }
        let mut facts = Facts::default();
        let (source, user) = match &self.person {
            TrialPerson::Values(values) => {
                match (&self.row, &self.names) {
                    (Some(_), None) => {
                        if let Some(row) = rules.mapping.last_mut() {
                            // What is typed takes its place.
                            row.source = Some(Source::Constant(String::new()));
                        }
                    }
                    (None, Some(_)) => facts.groups = groups(values),
                    _ => {
                        return Err(ProvisionError::invalid(
                            "value",
                            "needs either a row or rules for names to be tried on",
                        ));
                    }
                }
                (None, self.somebody(present, values)?)
            }
            TrialPerson::Written {
                user,
                groups: names,
            } => {
                facts.groups = groups(names);
                (None, written(present, user.clone())?)
            }
            TrialPerson::Stored(name) => {
                let source = find_user(tx, id, name)?;
                let stored = tx.source_user_by_pk(id, source)?;
                let stored = stored.ok_or_else(|| ProvisionError::not_found("user", name))?;
                (Some(source), stored.resource()?)
            }
        };
        let person = Person {
            source: source.unwrap_or(directory::SourceUserPk(0)),
            user: &user,
            is_new: source.is_none(),
        };
        if source.is_some() {
            facts = Facts::of(tx, &person)?;
        }
        let mut tried = present.with_rules(tx, rules)?;
        if let (TrialPerson::Values(values), Some(row)) = (&self.person, &self.row) {
            tried.rules.type_in(&row.target, values);
        }
        let world = Stored::new(tx, &tried.connector);
        let occasion = Occasion {
            now: tx.now(),
            trigger: Trigger::Simulate,
            moment: directory::Moment::Later,
        };
        let decision = decide(&world, &tried, &person, facts, occasion)?;
        let mut attributes = decision.outcome.worked_out().clone();
        attributes.redact(&tried.rules.hidden(), None);
        let taken_by = NameHolder::of_taken(tx, tried.connector.directory, &decision)?;
        Ok(Tried {
            outcome: decision.outcome,
            attributes,
            taken_name: decision.taken.map(|taken| taken.name),
            taken_by,
        })
    }
}

/// A user of whom nothing is known but a name.
fn named(connector: &LoadedConnector, name: &str) -> Result<Resource, ProvisionError> {
    let user = Map::from_iter([("userName".to_owned(), json!(name))]);
    written(connector, user)
}

fn written(
    connector: &LoadedConnector,
    user: Map<String, Value>,
) -> Result<Resource, ProvisionError> {
    let (resource, _ignored) =
        Resource::from_request(ResourceType::user(), user, &connector.dialect)?;
    Ok(resource)
}

fn groups(names: &[String]) -> Vec<SourceGroup> {
    // No stored group has such a number.
    (1..)
        .zip(names)
        .map(|(number, name)| SourceGroup::direct(SourceGroupPk(-number), name))
        .collect()
}
