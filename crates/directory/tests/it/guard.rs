//! Limits, and what becomes of what they hold.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use directory::{
    Account, Change, CompiledLimits, CompiledRules, Guarded, Guarding, HoldKind, HoldState, Limit,
    LimitSettings, Reason, Rules, SourceGroup, SourceGroupPk, StandingHold, Status, Subject, Tally,
    Trigger, WindowCounts, apply, evaluate, guard, lets_group_go, plan, worsens,
};
use jiff::Timestamp;
use proptest::prelude::*;
use scim::Resource;
use serde_json::json;

use crate::stage::user;

/// What passed, for the whole of a test: the window never ends.
#[derive(Default)]
struct Ledger {
    base: u64,
    passed: RefCell<BTreeMap<Tally, u64>>,
    by: RefCell<BTreeSet<(usize, Tally)>>,
}

struct Of<'l> {
    ledger: &'l Ledger,
    person: usize,
}

impl WindowCounts for Of<'_> {
    type Error = Infallible;

    fn passed(&self, tally: &Tally) -> u64 {
        let passed = self.ledger.passed.borrow();
        passed.get(tally).copied().unwrap_or_default()
    }

    fn has_passed(&self, tally: &Tally) -> bool {
        let key = (self.person, tally.clone());
        *tally != Tally::Memberships && self.ledger.by.borrow().contains(&key)
    }

    fn base(&self, _tally: &Tally) -> Result<u64, Infallible> {
        Ok(self.ledger.base)
    }
}

/// One person's account, its holds, and what the identity provider says.
#[derive(Clone, Debug)]
struct Person {
    number: usize,
    name: String,
    active: bool,
    deleted: bool,
    groups: BTreeSet<usize>,
    account: Option<Account>,
    standing: Vec<StandingHold>,
}

const GROUPS: [&str; 3] = ["dev", "ops", "staff"];

impl Person {
    fn new(number: usize) -> Self {
        Self {
            number,
            name: format!("user{number}"),
            active: true,
            deleted: false,
            groups: BTreeSet::from([0, 1]),
            account: None,
            standing: Vec::new(),
        }
    }

    fn resource(&self) -> Resource {
        user(json!({"userName": self.name, "active": self.active}))
    }

    fn outcome(&self, rules: &CompiledRules) -> directory::Outcome {
        let resource = self.resource();
        let groups: Vec<SourceGroup> = match self.deleted {
            true => Vec::new(),
            false => self
                .groups
                .iter()
                .map(|&it| SourceGroup::direct(SourceGroupPk(it as i64), GROUPS[it]))
                .collect(),
        };
        let subject = Subject {
            user: (!self.deleted).then_some(&resource),
            groups: &groups,
            existing: self.account.as_ref(),
            now: Timestamp::UNIX_EPOCH,
            trigger: Trigger::Scim,
            overrides: &[],
        };
        evaluate(&subject, rules)
    }

    /// As without any limits.
    fn settle(&mut self, rules: &CompiledRules) {
        let outcome = self.outcome(rules);
        self.account = apply(
            self.account.as_ref(),
            &plan(self.account.as_ref(), &outcome),
        );
    }

    fn settle_guarded(
        &mut self,
        rules: &CompiledRules,
        limits: &CompiledLimits,
        ledger: &Ledger,
    ) -> Guarded {
        let mut outcome = self.outcome(rules);
        let mut guarded = Guarded::default();
        if let Some(account) = &self.account {
            let guarding = Guarding {
                account,
                standing: &self.standing,
                deletions: &BTreeMap::new(),
                name_is_below: false,
                renames_wait: rules.holds_renames(),
                collects: false,
                limits,
            };
            let person = self.number;
            guarded = guard(&guarding, &mut outcome, &Of { ledger, person }).unwrap();
        }
        let todo = plan(self.account.as_ref(), &outcome);
        self.account = apply(self.account.as_ref(), &todo);
        self.note(&guarded, ledger);
        guarded
    }

    fn note(&mut self, guarded: &Guarded, ledger: &Ledger) {
        for tally in &guarded.passed {
            *ledger.passed.borrow_mut().entry(tally.clone()).or_default() += 1;
            ledger.by.borrow_mut().insert((self.number, tally.clone()));
        }
        for (id, _) in &guarded.ended {
            self.standing.retain(|it| it.id != *id);
        }
        for (id, held) in &guarded.renewed {
            let standing = self.standing.iter_mut().find(|it| it.id == *id).unwrap();
            standing.mark.clone_from(&held.mark);
        }
        for held in &guarded.begun {
            let fresh = self.standing.iter().map(|it| it.id).max().unwrap_or(0) + 1;
            self.standing.push(StandingHold {
                id: fresh,
                kind: held.kind,
                group: held.group.clone(),
                state: HoldState::Open,
                mark: held.mark.clone(),
            });
        }
    }

    fn decide(&mut self, state: HoldState) {
        for standing in &mut self.standing {
            standing.state = state;
        }
    }

    fn status(&self) -> (Status, Reason) {
        let account = self.account.as_ref().unwrap();
        (account.status, account.reason)
    }

    fn groups(&self) -> Vec<&str> {
        let memberships = &self.account.as_ref().unwrap().memberships;
        memberships.iter().map(|it| it.group.as_str()).collect()
    }
}

fn one_each() -> LimitSettings {
    LimitSettings {
        deactivations: Some(Limit::new(1, 0)),
        group_memberships: Some(Limit::new(1, 0)),
        memberships: Some(Limit::new(2, 0)),
        renames: Some(Limit::new(1, 0)),
        ..LimitSettings::default()
    }
}

fn compiled(settings: &LimitSettings) -> CompiledLimits {
    CompiledLimits::new(settings).unwrap()
}

fn people(count: usize, rules: &CompiledRules) -> Vec<Person> {
    let mut people: Vec<Person> = (0..count).map(Person::new).collect();
    for person in &mut people {
        person.settle(rules);
    }
    people
}

fn default_rules() -> CompiledRules {
    CompiledRules::new(&Rules::default()).unwrap()
}

#[test]
fn the_first_go_and_the_rest_is_held() {
    let (rules, limits) = (default_rules(), compiled(&LimitSettings::default()));
    let ledger = Ledger {
        base: 200,
        ..Ledger::default()
    };
    let mut people = people(200, &rules);
    for person in &mut people[..11] {
        person.active = false;
        person.settle_guarded(&rules, &limits, &ledger);
    }
    let gone = (Status::Disabled, Reason::IdpInactive);
    assert!(people[..10].iter().all(|it| it.status() == gone));
    assert_eq!(people[10].status(), (Status::Active, Reason::Held));
    let again = people[10].settle_guarded(&rules, &limits, &ledger);
    assert_eq!(
        again,
        Guarded::default(),
        "a second look holds nothing anew"
    );
    people[10].active = true;
    let back = people[10].settle_guarded(&rules, &limits, &ledger);
    assert_eq!(back.ended, [(1, HoldState::Cancelled)]);
    assert_eq!(people[10].status(), (Status::Active, Reason::IdpActive));
}

#[test]
fn a_share_of_many_is_more_than_the_number() {
    let (rules, limits) = (default_rules(), compiled(&LimitSettings::default()));
    let ledger = Ledger {
        base: 1_000,
        ..Ledger::default()
    };
    let mut people = people(51, &rules);
    for person in &mut people {
        person.active = false;
        person.settle_guarded(&rules, &limits, &ledger);
    }
    let held = |it: &&Person| it.status().1 == Reason::Held;
    assert_eq!(people.iter().filter(held).count(), 1);
}

#[test]
fn a_user_counts_once_in_a_window() {
    let (rules, limits) = (default_rules(), compiled(&one_each()));
    let ledger = Ledger::default();
    let mut people = people(2, &rules);
    for active in [false, true, false, true, false] {
        people[0].active = active;
        people[0].settle_guarded(&rules, &limits, &ledger);
    }
    assert_eq!(people[0].status().0, Status::Disabled);
    people[1].active = false;
    people[1].settle_guarded(&rules, &limits, &ledger);
    assert_eq!(people[1].status().1, Reason::Held);
}

#[test]
fn a_rejection_stands_until_the_provider_says_otherwise() {
    let (rules, limits) = (default_rules(), compiled(&one_each()));
    let ledger = Ledger::default();
    let mut people = people(2, &rules);
    for person in &mut people {
        person.active = false;
        person.settle_guarded(&rules, &limits, &ledger);
    }
    let person = &mut people[1];
    person.decide(HoldState::Rejected);
    let guarded = person.settle_guarded(&rules, &limits, &Ledger::default());
    assert_eq!(guarded, Guarded::default());
    assert_eq!(person.status().1, Reason::Held);
    person.deleted = true;
    let guarded = person.settle_guarded(&rules, &limits, &Ledger::default());
    assert_eq!(guarded.ended, [(1, HoldState::Cancelled)]);
    assert_eq!(person.status(), (Status::Disabled, Reason::IdpDeleted));
}

#[test]
fn who_is_held_keeps_everything_and_still_gets_more() {
    let (rules, limits) = (default_rules(), compiled(&one_each()));
    let ledger = Ledger::default();
    let mut people = people(2, &rules);
    people[0].active = false;
    people[0].settle_guarded(&rules, &limits, &ledger);
    let person = &mut people[1];
    person.active = false;
    person.groups = BTreeSet::from([1, 2]);
    person.settle_guarded(&rules, &limits, &ledger);
    assert_eq!(person.status(), (Status::Active, Reason::Held));
    assert_eq!(person.groups(), ["dev", "ops", "staff"]);
    person.standing[0].state = HoldState::Approved;
    let guarded = person.settle_guarded(&rules, &limits, &ledger);
    let released = [(1, HoldState::Released), (2, HoldState::Released)];
    assert_eq!(guarded.ended, released, "the group goes with the user");
    assert_eq!(guarded.passed, [], "what was approved counts for nothing");
    assert_eq!(person.status().0, Status::Disabled);
    assert_eq!(person.groups(), ["ops", "staff"]);
}

#[test]
fn break_glass_accounts_and_groups_lose_nothing() {
    let mut rules = Rules::default();
    rules.cleanup.idp_deleted = directory::rules::CleanupAction::Delete;
    let rules = CompiledRules::new(&rules).unwrap();
    let mut settings = one_each();
    settings.break_glass_users = vec!["USER0".into()];
    settings.break_glass_groups = vec!["re:op.*".into()];
    settings.enabled = false;
    let limits = compiled(&settings);
    let ledger = Ledger::default();
    let mut people = people(3, &rules);
    people[0].active = false;
    people[0].groups.clear();
    people[1].groups.clear();
    people[2].deleted = true;
    for person in &mut people {
        let guarded = person.settle_guarded(&rules, &limits, &ledger);
        assert_eq!(guarded, Guarded::default(), "nothing waits for anybody");
    }
    assert_eq!(people[0].status(), (Status::Active, Reason::Held));
    assert_eq!(people[0].groups(), ["dev", "ops"]);
    assert_eq!(people[1].groups(), ["ops"]);
    assert_eq!(people[2].status(), (Status::Active, Reason::Held));
    let outcome = people[0].outcome(&rules);
    assert!(worsens(&plan(people[0].account.as_ref(), &outcome)));
}

#[test]
fn leavers_with_priority_pass_and_count_for_themselves() {
    let mut settings = one_each();
    settings.leavers = 2;
    let (rules, limits) = (default_rules(), compiled(&settings));
    let ledger = Ledger::default();
    let mut people = people(5, &rules);
    for person in &mut people[..4] {
        person.active = false;
        person.settle_guarded(&rules, &limits, &ledger);
    }
    people[4].deleted = true;
    people[4].settle_guarded(&rules, &limits, &ledger);
    let held: Vec<bool> = people
        .iter()
        .map(|it| it.status().1 == Reason::Held)
        .collect();
    assert_eq!(held, [false, false, false, true, true]);
}

#[test]
fn a_held_rename_lets_the_other_attributes_through() {
    let (rules, limits) = (default_rules(), compiled(&one_each()));
    let ledger = Ledger::default();
    let mut people = people(2, &rules);
    for person in &mut people {
        person.name = format!("new{}", person.number);
        person.groups = BTreeSet::from([0, 1, 2]);
        person.settle_guarded(&rules, &limits, &ledger);
    }
    let name = |it: &Person| it.account.as_ref().unwrap().attributes.username.clone();
    assert_eq!(
        (name(&people[0]), name(&people[1])),
        ("new0".into(), "user1".into())
    );
    let shown = &people[1].account.as_ref().unwrap().attributes.display_name;
    assert_eq!(shown, "new1", "it follows the user name of the source");
    assert_eq!(people[1].groups(), GROUPS);
    let held = &people[1].standing[0];
    assert_eq!(
        (held.kind, held.mark.as_str()),
        (HoldKind::Rename, "to new1")
    );
}

#[test]
fn a_rule_lets_no_new_name_pass_without_an_administrator() {
    let rules: Rules = serde_json::from_value(json!({"accounts": {"rename": "hold"}})).unwrap();
    let rules = CompiledRules::new(&rules).unwrap();
    let unlimited = compiled(&LimitSettings {
        enabled: false,
        ..LimitSettings::default()
    });
    let mut person = people(1, &rules).remove(0);
    let ledger = Ledger::default();
    let name = |person: &Person| person.account.as_ref().unwrap().attributes.username.clone();
    person.name = "USER0".into();
    person.settle_guarded(&rules, &unlimited, &ledger);
    assert_eq!(name(&person), "USER0", "the same letters are the same name");
    person.name = "other".into();
    let guarded = person.settle_guarded(&rules, &unlimited, &ledger);
    assert_eq!((guarded.begun.len(), name(&person).as_str()), (1, "USER0"));
    assert!(guarded.passed.is_empty(), "what waits counts for no limit");
    let again = person.settle_guarded(&rules, &unlimited, &ledger);
    assert!(again.begun.is_empty(), "held once");
    person.decide(HoldState::Approved);
    person.settle_guarded(&rules, &unlimited, &ledger);
    assert_eq!(name(&person), "other");
}

#[test]
fn a_group_goes_if_few_went_and_few_are_in_it() {
    let ledger = Ledger {
        base: 600,
        ..Ledger::default()
    };
    let counts = Of {
        ledger: &ledger,
        person: 0,
    };
    let settings = LimitSettings {
        break_glass_groups: vec!["admins".into()],
        ..LimitSettings::default()
    };
    let limits = compiled(&settings);
    let goes = |group, members| lets_group_go(&limits, group, members, &counts).unwrap();
    assert!(goes("dev", 60));
    assert!(!goes("dev", 61), "more than a tenth");
    assert!(!goes("Admins", 0));
    ledger.passed.borrow_mut().insert(Tally::GroupDeletions, 3);
    assert!(!goes("dev", 1));
}

#[test]
fn an_explanation_says_what_is_held() {
    let (rules, limits) = (default_rules(), compiled(&one_each()));
    let mut people = people(2, &rules);
    let ledger = Ledger::default();
    people[0].active = false;
    people[0].settle_guarded(&rules, &limits, &ledger);
    let person = &mut people[1];
    person.active = false;
    let mut outcome = person.outcome(&rules);
    let guarding = Guarding {
        account: person.account.as_ref().unwrap(),
        standing: &[],
        deletions: &BTreeMap::new(),
        name_is_below: false,
        renames_wait: false,
        collects: false,
        limits: &limits,
    };
    let counts = Of {
        ledger: &ledger,
        person: 1,
    };
    guard(&guarding, &mut outcome, &counts).unwrap();
    let lines: Vec<String> = outcome.lines().into_iter().map(|line| line.text).collect();
    let held = |it: &String| it.starts_with("HELD: disabling the account (IDP_INACTIVE)");
    assert!(lines.iter().any(held), "{lines:#?}");
    assert_eq!(lines.last().unwrap(), "account active (HELD)");
}

/// One thing that an identity provider does.
#[derive(Clone, Debug)]
enum Step {
    Active(usize, bool),
    Deleted(usize, bool),
    Group(usize, usize, bool),
    Rename(usize, u8),
    Approve(usize),
}

const PEOPLE: usize = 4;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..PEOPLE, any::<bool>()).prop_map(|(who, to)| Step::Active(who, to)),
        (0..PEOPLE, any::<bool>()).prop_map(|(who, to)| Step::Deleted(who, to)),
        (0..PEOPLE, 0..3_usize, any::<bool>()).prop_map(|(who, it, to)| Step::Group(who, it, to)),
        (0..PEOPLE, 0..3_u8).prop_map(|(who, to)| Step::Rename(who, to)),
        (0..PEOPLE).prop_map(Step::Approve),
    ];
    prop::collection::vec(step, 1..40)
}

impl Step {
    fn who(&self) -> usize {
        match self {
            Step::Active(who, _)
            | Step::Deleted(who, _)
            | Step::Group(who, _, _)
            | Step::Rename(who, _)
            | Step::Approve(who) => *who,
        }
    }

    fn carry_out(&self, person: &mut Person) {
        match self {
            Step::Active(_, to) => person.active = *to,
            Step::Deleted(_, to) => {
                if *to {
                    person.groups.clear();
                }
                if person.deleted && !to {
                    returns(person);
                }
                person.deleted = *to;
            }
            Step::Group(_, group, true) if !person.deleted => {
                person.groups.insert(*group);
            }
            Step::Group(_, group, _) => {
                person.groups.remove(group);
            }
            Step::Rename(_, to) => person.name = format!("user{}-{to}", person.number),
            Step::Approve(_) => person.decide(HoldState::Approved),
        }
    }
}

/// Whoever finds the account of a deleted user knows that it was deleted, whatever its reason says.
fn returns(person: &mut Person) {
    if let Some(account) = &mut person.account
        && account.reason == Reason::Held
    {
        account.reason = Reason::IdpDeleted;
    }
}

fn sorted(account: &Option<Account>) -> Option<Account> {
    let mut account = account.clone();
    if let Some(account) = &mut account {
        account.memberships.sort_by(|a, b| a.group.cmp(&b.group));
        account
            .memory
            .restore
            .sort_by(|one, other| one.group.cmp(&other.group));
    }
    account
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_hold_released_gives_what_no_hold_would_have_given(steps in steps()) {
        let mut rules = Rules::default();
        rules.groups.always_assign = vec!["everyone".into()];
        let (rules, limits) = (CompiledRules::new(&rules).unwrap(), compiled(&one_each()));
        let ledger = Ledger::default();
        let mut free = people(PEOPLE, &rules);
        let mut held = free.clone();
        for step in &steps {
            let who = step.who();
            step.carry_out(&mut free[who]);
            free[who].settle(&rules);
            step.carry_out(&mut held[who]);
            held[who].settle_guarded(&rules, &limits, &ledger);
            // Whatever is held, a second look changes nothing.
            let before = held[who].clone();
            let again = held[who].settle_guarded(&rules, &limits, &ledger);
            prop_assert_eq!(again, Guarded::default());
            prop_assert_eq!(&before.account, &held[who].account);
        }
        for (free, held) in free.iter_mut().zip(&mut held) {
            held.decide(HoldState::Approved);
            held.settle_guarded(&rules, &limits, &ledger);
            prop_assert_eq!(&held.standing, &Vec::new());
            if held.deleted {
                // A name that was held is not given to somebody who left meanwhile.
                let name = &held.account.as_ref().unwrap().attributes.username;
                free.account.as_mut().unwrap().attributes.username.clone_from(name);
            }
            prop_assert_eq!(sorted(&held.account), sorted(&free.account));
        }
    }

    #[test]
    fn no_more_goes_than_the_limits_say(steps in steps()) {
        let (rules, limits) = (default_rules(), compiled(&one_each()));
        let ledger = Ledger::default();
        let mut people = people(PEOPLE, &rules);
        for step in steps {
            let person = &mut people[step.who()];
            if matches!(step, Step::Approve(_)) {
                continue;
            }
            step.carry_out(person);
            let before = person.account.clone().unwrap();
            let guarded = person.settle_guarded(&rules, &limits, &ledger);
            let after = person.account.as_ref().unwrap();
            // What is held is not in the account.
            for held in &guarded.begun {
                match &held.change {
                    Change::RemoveMembership { group, .. } => {
                        prop_assert!(after.memberships.iter().any(|it| it.group == *group));
                    }
                    Change::RenameUser { from, .. } => prop_assert_eq!(&after.attributes.username, from),
                    _ => prop_assert_eq!(before.status, after.status),
                }
            }
        }
        let passed = ledger.passed.borrow();
        for (tally, count) in passed.iter() {
            let most = if *tally == Tally::Memberships { 2 } else { 1 };
            prop_assert!(*count <= most, "{:?}", tally);
        }
    }
}
