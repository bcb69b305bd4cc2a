//! What a simulation tells of those whom it looked at.

use directory::name::folded;
use directory::{Account, Change, Operation, Outcome, Plan, value_errors};
use store::StoredAccount;

use super::super::foresight::ForeseenHold;
use super::super::grace::AfterGrace;
use super::super::overlay::Holder;
use super::super::summary::NAMES_MAX;
use super::super::user::{PreviewedAccount, PreviewedUser, tell};
use super::Simulation;
use crate::ProvisionError;
use crate::name_holder::NameHolder;

impl Simulation<'_, '_, '_> {
    /// What is to be told of an account, or of a user without one, that has been decided about.
    pub(super) fn looked(
        &mut self,
        existing: Option<&StoredAccount>,
        outcome: &Outcome,
        (plan, held, after_grace): (Plan, Vec<ForeseenHold>, Option<AfterGrace>),
        taken_name: Option<String>,
    ) -> Result<PreviewedUser, ProvisionError> {
        let errors = value_errors(outcome);
        let before = existing.map(|it| &it.account);
        let mut operations =
            Operation::all_of(&plan, outcome, taken_name.is_some(), !errors.is_empty());
        // What was held before is no work of these rules.
        if held.iter().any(|it| !it.stands) {
            tell(&mut operations, Operation::Held);
        }
        if after_grace.is_some() {
            tell(&mut operations, Operation::Grace);
        }
        let is_shown = self.audience.wants_everybody()
            || !plan.changes.is_empty()
            || !operations.contains(&Operation::Unchanged);
        let after = is_shown.then(|| directory::apply(before, &plan)).flatten();
        for change in &plan.changes {
            if let Change::AddMembership { group, .. } = change {
                self.look_at_group(group)?;
            }
        }
        Ok(PreviewedUser {
            id: None,
            user_name: existing.map_or_else(String::new, |it| it.user.name.clone()),
            operations,
            before: self.account(before.filter(|_| is_shown)),
            after: self.account(after.as_ref()),
            changes: plan.changes,
            held,
            after_grace,
            taken_name,
            taken_by: None,
            errors,
            is_new_problem: false,
        })
    }

    /// Counts somebody who was looked at, and tells of it.
    pub(super) fn tell(&mut self, mut looked: PreviewedUser) -> Result<(), ProvisionError> {
        if let Some(foresight) = &mut self.foresight {
            foresight.count();
        }
        if let (Some(graces), Some(after)) = (&mut self.graces, &looked.after_grace) {
            graces.count(after);
        }
        for operation in &looked.operations {
            *self.summary.operations.entry(*operation).or_default() += 1;
        }
        let is_seen = |operation: &Operation| operation.is_seen();
        self.summary.changed += u64::from(looked.operations.iter().any(is_seen));
        self.summary.problems += u64::from(looked.is_new_problem);
        if looked.is_noteworthy() || self.audience.wants_everybody() {
            if let Some(name) = &looked.taken_name {
                looked.taken_by = self.holder_of(name)?;
            }
            looked.redact(&self.hidden);
            self.audience.user(looked)?;
        }
        Ok(())
    }

    fn holder_of(&self, name: &str) -> Result<Option<NameHolder>, ProvisionError> {
        let holder = match self.world.holder_of(name)? {
            Some(Holder::Account(user)) => {
                let account = self.tx.account(user)?;
                return account
                    .map(|it| NameHolder::of(self.tx, &it.user))
                    .transpose();
            }
            Some(Holder::New(source)) => source,
            None => return Ok(None),
        };
        let connector = &self.tried.connector;
        let Some(user) = self.tx.source_user_by_pk(connector.id, holder)? else {
            return Ok(None);
        };
        Ok(Some(NameHolder {
            key: None,
            name: user.resource()?.user_name().unwrap_or_default().to_owned(),
            connector: Some(connector.name.clone()),
        }))
    }

    /// With new rules, source groups can feed groups that are not there yet, also without members.
    pub(super) fn look_at_groups(&mut self) -> Result<(), ProvisionError> {
        if !self.tried.rules.creates_empty_groups() {
            return Ok(());
        }
        for group in self.tx.source_groups_all(self.tried.connector.id)? {
            if let Some(name) = self
                .tried
                .rules
                .effective_group(&self.tx.seen_by_rules(&group)?)
            {
                self.look_at_group(&name)?;
            }
        }
        Ok(())
    }

    fn look_at_group(&mut self, name: &str) -> Result<(), ProvisionError> {
        let fold = folded(name).into_owned();
        if self.groups.contains_key(&fold) {
            return Ok(());
        }
        let directory = self.tried.connector.directory;
        let found = self.tx.directory_group(directory, name)?;
        if found.is_none() && self.summary.new_groups.len() < NAMES_MAX {
            self.summary.new_groups.push(name.to_owned());
        }
        let spelling = found.map_or_else(|| name.to_owned(), |group| group.name);
        self.groups.insert(fold, spelling);
        Ok(())
    }

    /// An account with the names of its groups as the directory writes them.
    fn account(&self, account: Option<&Account>) -> Option<PreviewedAccount> {
        let mut account = PreviewedAccount::of(account?)?;
        for group in &mut account.groups {
            if let Some(spelling) = self.groups.get(folded(group).as_ref()) {
                group.clone_from(spelling);
            }
        }
        Some(account)
    }
}
