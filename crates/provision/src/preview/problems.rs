//! Problems: users of whom new rules would make nothing that can be used, found before the rules are stored.

use std::sync::Arc;

use directory::rules::RuleError;
use directory::{ConnectorId, Rules, ValueError};

use super::simulation::{Audience, Range, Simulation};
use super::user::PreviewedUser;
use crate::{Provision, ProvisionError};

/// Users that are listed; the rest is counted.
const LISTED_MAX: usize = 20;
const REMEDY: &str = "change the row, or save the rules anyway";

impl Provision {
    /// Finds users who would get an empty, a taken or an overlong value by new rules and do not so by the present
    /// ones. Rules that map values as before are not tried.
    pub async fn check_rules_on_data(
        &self,
        id: ConnectorId,
        rules: &Rules,
    ) -> Result<(), ProvisionError> {
        let (this, rules) = (self.clone(), rules.clone());
        self.store()
            .read_at_length(move |tx| {
                let present = this.require_connector(tx, id)?;
                if present.connector.rules.mapping == rules.mapping {
                    return Ok(());
                }
                let tried = Arc::new(present.with_rules(tx, rules.clone())?);
                let mut problems = Problems {
                    rules: &rules,
                    found: Vec::new(),
                };
                let summary =
                    Simulation::new(&this, tx, &present, &tried, &mut problems).run(Range::All)?;
                problems.verdict(summary.problems)
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
                path: "mapping".to_owned(),
                message: format!("there are {more} more such users"),
                remedy: "a preview lists them all".to_owned(),
            });
        }
        Err(ProvisionError::Rules(self.found))
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
                let message =
                    format!("'{name}' would have the user name '{taken}', which somebody else has");
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
