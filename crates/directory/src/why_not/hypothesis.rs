//! A case as it would be if this and that were different.

use std::sync::Arc;

use scim::{Dialect, Resource, ResourceType};
use serde_json::{Map, Value};

use super::{Case, Remedy};
use crate::id::SourceGroupPk;
use crate::model::{Account, Reason, Status};
use crate::name::folded;
use crate::outcome::{Outcome, Review, SourceGroup, Subject};
use crate::overrides::Override;
use crate::rules::{
    CompiledRules, Conditional, MappingRow, NameList, NestedGroups, OnNoMatch, OnNull, PlainGroup,
    Row, Source, Target,
};
use crate::trace::Suppressed;

/// A source group that nobody has.
const SUPPOSED: SourceGroupPk = SourceGroupPk(i64::MIN);

/// A case of which parts are supposed.
#[derive(Clone)]
pub(super) struct Hypothesis<'a> {
    case: Case<'a>,
    pub user: Option<Resource>,
    pub groups: Vec<SourceGroup>,
    pub existing: Option<Account>,
    pub overrides: Vec<Override>,
    pub rules: CompiledRules,
    /// Conditional rules of which nobody knows whether they will hold.
    pub open: Vec<Conditional>,
}

impl<'a> Hypothesis<'a> {
    /// The case as it is.
    pub(super) fn of(case: &Case<'a>) -> Self {
        let subject = &case.subject;
        Self {
            case: *case,
            user: subject.user.cloned(),
            groups: subject.groups.to_vec(),
            existing: subject.existing.cloned(),
            overrides: subject.overrides.to_vec(),
            rules: case.rules.clone(),
            open: Vec::new(),
        }
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            user: self.user.as_ref(),
            groups: &self.groups,
            existing: self.existing.as_ref(),
            overrides: &self.overrides,
            ..self.case.subject
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let case = Case {
            subject: self.subject(),
            rules: &self.rules,
            ..self.case
        };
        case.outcome()
    }

    pub(super) fn is_member(&self, group: &str) -> bool {
        self.outcome().is_member(group)
    }

    /// Supposes that something is different.
    pub(super) fn suppose(&mut self, remedy: &Remedy) {
        let rules = &mut self.rules;
        match remedy {
            Remedy::RequiredGroup(_) => rules.required = NameList::default(),
            Remedy::Filter(_) => rules.filter = None,
            Remedy::RowTakes { target, .. } | Remedy::StepTakes { target, .. } => {
                let rows = rules.rows.iter_mut().filter(|row| row.label == *target);
                rows.for_each(takes_everything);
            }
            Remedy::SaysTrue { .. } | Remedy::SaysActive => {
                set_constant(rules, Target::Active, "true");
            }
            Remedy::ProvisionedAgain => self.suppose_provisioned(),
            Remedy::SomeNameMatches => rules.names.on_no_match = OnNoMatch::Clear,
            Remedy::SwitchedOn(Suppressed::Enable) => rules.accounts.enable = true,
            Remedy::SwitchedOn(Suppressed::Create) => rules.accounts.create = true,
            Remedy::SwitchedOn(Suppressed::Update | Suppressed::Disable)
            | Remedy::GivenBy { .. }
            | Remedy::Approved { .. }
            | Remedy::OneOf(_) => {}
            Remedy::ConditionFails(name) => rules.conditions.retain(|it| it.name != *name),
            Remedy::UserName => set_constant(rules, Target::Username, "somebody"),
            Remedy::DecisionLifted | Remedy::EnabledAgain { .. } => self.suppose_enabled(),
            Remedy::LogIn(_) => {
                let now = self.case.subject.now;
                if let Some(account) = &mut self.existing {
                    account.last_login = Some(now);
                }
            }
            Remedy::OverrideEnds { kind, actor, until } => self
                .overrides
                .retain(|it| (&it.kind, &it.actor, &it.until) != (kind, actor, until)),
            Remedy::NotProtected(entry) => rules.protected.remove(entry),
            Remedy::NotNeverAssigned(entry) => rules.never_assign.remove(entry),
            Remedy::OnlyAssigned(name) => rules.only_assign.add_name(name),
            Remedy::GroupsOn => {
                rules.never_assign.remove_everything();
                rules.never_remove.remove_everything();
            }
            Remedy::Becomes { source, group, .. } => {
                for found in self.groups.iter_mut().filter(|it| it.id == *source) {
                    found.standing.get_or_insert_default().own_name = Some(group.clone());
                }
            }
            Remedy::MayFeed { source, .. } => {
                for found in self.groups.iter_mut().filter(|it| it.id == *source) {
                    found.standing.get_or_insert_default().review = Review::Settled;
                }
            }
            Remedy::Flattened { .. } => rules.nested_groups = NestedGroups::Flatten,
            // What an active rule adds that holds, everybody gets: lists mean nothing to either.
            Remedy::ConditionCounts { rule, .. } | Remedy::ConditionHolds { rule, .. } => {
                let mut all = rules.conditions.iter().chain(&self.open);
                let found = all.find(|it| it.name == *rule);
                let groups = found.map(|it| it.add_groups.clone());
                rules.always_assign.extend(groups.unwrap_or_default());
            }
            Remedy::Named(group) => {
                let mut source = SourceGroup::direct(SUPPOSED, group.as_str());
                source.standing.get_or_insert_default().own_name = Some(group.clone());
                self.groups.push(source);
            }
            Remedy::AlwaysAssigned(group) => rules.always_assign.push(PlainGroup {
                name: Arc::from(group.as_str()),
                fold: Arc::from(folded(group).as_ref()),
            }),
        }
    }

    /// What the identity provider will say of somebody whom it deleted, nobody knows: whatever the rules want to hear.
    fn suppose_provisioned(&mut self) {
        let name = self.existing.as_ref().map(|it| &*it.attributes.username);
        let name = name.filter(|it| !it.is_empty()).unwrap_or("somebody");
        let written = Map::from_iter([("userName".to_owned(), Value::from(name))]);
        let user = Resource::from_request(ResourceType::user(), written, &Dialect::generic());
        self.user = user.ok().map(|(user, _ignored)| user);
        self.rules.filter = None;
        self.rules.required = NameList::default();
        self.rules.rows = CompiledRules::default().rows;
        self.open = std::mem::take(&mut self.rules.conditions);
    }

    fn suppose_enabled(&mut self) {
        let removed = |it: &Account| it.status == Status::Removed;
        self.existing = self.existing.take().filter(|it| !removed(it));
        if let Some(account) = &mut self.existing {
            (account.status, account.reason) = (Status::Active, Reason::IdpActive);
            account.last_login = Some(self.case.subject.now);
        }
    }
}

fn takes_everything(row: &mut Row) {
    row.steps = Default::default();
    row.on_null = OnNull::Keep;
    row.on_no_match = OnNoMatch::Pass;
}

/// Gives a target a fixed value.
fn set_constant(rules: &mut CompiledRules, target: Target, value: &str) {
    let row = MappingRow {
        source: Some(Source::Constant(value.to_owned())),
        ..MappingRow::default_for(target.clone())
    };
    if let Ok(row) = Row::compile(&row, "supposed", &mut Vec::new()) {
        rules.rows.retain(|it| it.target != target);
        rules.rows.insert(0, row);
    }
}
