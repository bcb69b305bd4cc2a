//! Problems: users of whom new rules would make nothing that can be used, found before the rules are stored.

use std::sync::Arc;

use directory::rules::RuleError;
use directory::{ConnectorId, Rules, SourceGroupPk, ValueError};
use scim::name::echo;
use store::{ConnectorGroup, ReadTx, StandingFilter};

use super::simulation::{Audience, Range, Simulation};
use super::user::PreviewedUser;
use crate::loaded::LoadedConnector;
use crate::{Provision, ProvisionError};

/// Users that are listed; the rest is counted.
const LISTED_MAX: usize = 20;
/// Groups read at once.
const CHUNK: i64 = 1_000;
const REMEDY: &str = "change the row, or save the rules anyway";
const GROUPS_REMEDY: &str =
    "change the steps, or save the rules anyway: members then keep the groups they have";

impl Provision {
    /// Finds users who would get an empty, a taken or an overlong value by new rules and do not so by the present
    /// ones, and source groups of whose names new rules make nothing that can be one. Rules that map values and name
    /// groups as before are not tried.
    pub async fn check_rules_on_data(
        &self,
        id: ConnectorId,
        rules: &Rules,
    ) -> Result<(), ProvisionError> {
        let (this, rules) = (self.clone(), rules.clone());
        self.store()
            .read_at_length(move |tx| {
                let present = this.require_connector(tx, id)?;
                let before = &present.connector.rules;
                let is_mapped_anew = before.mapping != rules.mapping;
                if !is_mapped_anew && before.groups.names == rules.groups.names {
                    return Ok(());
                }
                let tried = Arc::new(present.with_rules(tx, rules.clone())?);
                let mut problems = Problems {
                    rules: &rules,
                    found: Vec::new(),
                };
                let mut count = problems.look_at_groups(tx, &present, &tried)?;
                if is_mapped_anew {
                    let simulation = Simulation::new(&this, tx, &present, &tried, &mut problems);
                    count += simulation.run(Range::All)?.problems;
                }
                problems.verdict(count)
            })
            .await
    }
}

struct Problems<'r> {
    rules: &'r Rules,
    found: Vec<RuleError>,
}

impl Problems<'_> {
    fn verdict(mut self, count: u64) -> Result<(), ProvisionError> {
        if count == 0 {
            return Ok(());
        }
        let more = count.saturating_sub(self.found.len() as u64);
        if more > 0 {
            self.found.push(RuleError {
                path: self
                    .found
                    .last()
                    .map_or("mapping", |it| it.path.as_str())
                    .to_owned(),
                message: format!("there are {more} more of them"),
                remedy: "a preview lists them all".to_owned(),
            });
        }
        Err(ProvisionError::Rules(self.found))
    }

    /// Looks at the names of all source groups. Returns how many of them new rules spoil.
    fn look_at_groups(
        &mut self,
        tx: &ReadTx<'_>,
        present: &LoadedConnector,
        tried: &LoadedConnector,
    ) -> Result<u64, ProvisionError> {
        let (connector, mut after, mut count) = (present.connector.id, SourceGroupPk(0), 0);
        loop {
            let chunk = tx.connector_groups(connector, StandingFilter::Any, after, CHUNK)?;
            for ConnectorGroup {
                group, standing, ..
            } in &chunk
            {
                let seen = standing.clone().seen(group.pk, group.display_name.clone());
                let is_new = present.rules.name_fault(&seen).is_none();
                let Some(fault) = tried.rules.name_fault(&seen).filter(|_| is_new) else {
                    continue;
                };
                count += 1;
                if self.found.len() < LISTED_MAX {
                    let name = echo(&group.display_name);
                    self.found.push(RuleError {
                        path: "groups.names".to_owned(),
                        message: format!(
                            "what the rules make of the group '{name}' {}",
                            fault.as_str()
                        ),
                        remedy: GROUPS_REMEDY.to_owned(),
                    });
                }
            }
            match chunk.last() {
                Some(last) => after = last.group.pk,
                None => return Ok(count),
            }
        }
    }

    /// The row that sets a target.
    fn path(&self, target: &str) -> String {
        let rows = &self.rules.mapping;
        match rows.iter().position(|row| row.target.to_string() == target) {
            Some(index) => format!("mapping[{index}]"),
            None => "mapping".to_owned(),
        }
    }

    fn problem(&self, user: &PreviewedUser) -> RuleError {
        let name = &user.user_name;
        let (target, message) = match (&user.taken_name, user.errors.first()) {
            (Some(taken), _) => {
                let whose = match &user.taken_by {
                    Some(holder) => format!("{holder} has"),
                    None => "somebody else has".to_owned(),
                };
                let message = format!("'{name}' would have the user name '{taken}', which {whose}");
                ("username", message)
            }
            (None, Some(ValueError { target, message })) => {
                (target.as_str(), format!("of '{name}' the value {message}"))
            }
            (None, None) => ("username", format!("'{name}' would have no usable value")),
        };
        RuleError {
            path: self.path(target),
            message,
            remedy: REMEDY.to_owned(),
        }
    }
}

impl Audience for Problems<'_> {
    fn user(&mut self, user: PreviewedUser) -> Result<(), ProvisionError> {
        if user.is_new_problem && self.found.len() < LISTED_MAX {
            let problem = self.problem(&user);
            self.found.push(problem);
        }
        Ok(())
    }

    fn progress(&mut self, _looked_at: u64) -> Result<(), ProvisionError> {
        Ok(())
    }
}
