//! One person on a stage: what the identity provider says, what the rules are, and an account in memory.

use directory::{
    Account, Alone, Case, CompiledRules, Membership, Origin, Outcome, Plan, Reason, Remedy, Rules,
    SourceGroup, SourceGroupPk, Status, Subject, Trigger, apply, evaluate, plan,
};
use jiff::{SignedDuration, Timestamp};
use scim::{Dialect, Resource, ResourceType};
use serde_json::{Value, json};

/// Reads rules as an administrator writes them.
pub fn rules(written: Value) -> CompiledRules {
    let rules: Rules = serde_json::from_value(written).unwrap();
    CompiledRules::new(&rules).unwrap()
}

/// Reads a user as an identity provider sends it.
pub fn user(written: Value) -> Resource {
    let Value::Object(map) = written else {
        panic!("not an object")
    };
    Resource::from_request(ResourceType::user(), map, &Dialect::generic())
        .unwrap()
        .0
}

/// Origins from a short notation: `idp:1`, `always`, `local`, `copied`, `rule:department`.
pub fn membership(group: &str, origins: &[&str]) -> Membership {
    let origin = |text: &&str| {
        let (kind, reference) = text.split_once(':').unwrap_or((text, ""));
        Origin::from_parts(kind, reference).unwrap()
    };
    Membership {
        group: group.to_owned(),
        origins: origins.iter().map(origin).collect(),
    }
}

/// A source group of this name.
pub fn called(name: &str) -> SourceGroup {
    SourceGroup::direct(SourceGroupPk(9), name)
}

/// A person with an account or without.
pub struct Person {
    pub rules: CompiledRules,
    pub user: Option<Resource>,
    pub groups: Vec<SourceGroup>,
    pub account: Option<Account>,
    pub now: Timestamp,
}

impl Person {
    /// Ann, whom the identity provider knows, and of whom nobody has heard here yet.
    pub fn new(written: Value) -> Self {
        Self {
            rules: rules(written),
            user: Some(user(json!({"userName": "ann", "displayName": "Ann"}))),
            groups: Vec::new(),
            account: None,
            now: "2026-03-01T09:00:00Z".parse().unwrap(),
        }
    }

    /// Puts the user into source groups, numbered from 1 in this order.
    pub fn in_groups(mut self, names: &[&str]) -> Self {
        self.join(names);
        self
    }

    pub fn join(&mut self, names: &[&str]) {
        self.groups = (1..)
            .zip(names)
            .map(|(id, name)| SourceGroup::direct(SourceGroupPk(id), *name))
            .collect();
    }

    /// Puts the user into one more source group, by way of others.
    pub fn by_way_of(mut self, name: &str, path: &[&str]) -> Self {
        let id = i64::try_from(self.groups.len()).unwrap() + 1;
        self.groups.push(SourceGroup {
            path: path.iter().map(|name| (*name).to_owned()).collect(),
            ..SourceGroup::direct(SourceGroupPk(id), name)
        });
        self
    }

    /// Gives Ann an active account with these memberships.
    pub fn with_account(mut self, memberships: Vec<Membership>) -> Self {
        let groups = std::mem::take(&mut self.groups);
        let rules = std::mem::replace(&mut self.rules, rules(json!({})));
        self.step();
        (self.groups, self.rules) = (groups, rules);
        self.account.as_mut().unwrap().memberships = memberships;
        self
    }

    fn subject(&self, trigger: Trigger) -> Subject<'_> {
        Subject {
            user: self.user.as_ref(),
            groups: &self.groups,
            existing: self.account.as_ref(),
            now: self.now,
            trigger,
            overrides: &[],
        }
    }

    pub fn outcome(&self) -> Outcome {
        evaluate(&self.subject(Trigger::Scim), &self.rules)
    }

    /// What somebody sees who asks why.
    pub fn asked(&self) -> Outcome {
        evaluate(&self.subject(Trigger::Simulate), &self.rules)
    }

    /// What would have to be different for Ann to be in a group, or else to have an active account.
    pub fn would_need(&self, group: Option<&str>) -> Vec<String> {
        let case = Case {
            subject: self.subject(Trigger::Simulate),
            rules: &self.rules,
            around: &Alone,
            shared: None,
        };
        let remedies = match group {
            Some(group) => case.why_not_group(group),
            None => case.why_no_account(),
        };
        remedies.iter().map(Remedy::to_string).collect()
    }

    /// Decides, plans and applies; then checks that deciding again has nothing to do.
    pub fn step(&mut self) -> Plan {
        let plan = plan(self.account.as_ref(), &self.outcome());
        self.account = apply(self.account.as_ref(), &plan);
        let again = directory::plan(self.account.as_ref(), &self.outcome());
        assert_eq!(again.changes, [], "deciding again found more to do");
        plan
    }

    /// As [`step`](Self::step), giving the kinds of the changes.
    pub fn changes(&mut self) -> Vec<&'static str> {
        self.step()
            .changes
            .iter()
            .map(directory::Change::kind)
            .collect()
    }

    pub fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    /// Sorted names of the groups Ann is in.
    pub fn member_of(&self) -> Vec<&str> {
        let memberships = self.account.iter().flat_map(|it| &it.memberships);
        let mut names: Vec<&str> = memberships.map(|it| it.group.as_str()).collect();
        names.sort_unstable();
        names
    }

    pub fn state(&self) -> Option<(Status, Reason)> {
        self.account.as_ref().map(|it| (it.status, it.reason))
    }

    pub fn origins(&self, group: &str) -> Vec<String> {
        let memberships = self.account.iter().flat_map(|it| &it.memberships);
        let found = memberships.filter(|it| it.group == group);
        found
            .flat_map(|it| &it.origins)
            .map(|it| {
                format!("{}:{}", it.kind(), it.reference())
                    .trim_end_matches(':')
                    .to_owned()
            })
            .collect()
    }
}
