//! Laws of the way back: what was gone back over is there again, and what others did since stays.

use directory::name::folded;
use directory::{
    Account, Attributes, Change, Membership, Memory, Origin, Pass, Past, Plan, Reason,
    SourceGroupPk, Status, apply, plan,
};
use proptest::prelude::*;

/// Some state of an account; `Removed` is none.
fn state() -> impl Strategy<Value = Account> {
    let word = |words: &'static [&'static str]| prop::sample::select(words);
    let status = prop::sample::select(vec![
        (Status::Active, Reason::IdpActive),
        (Status::Active, Reason::NotInRequiredGroup),
        (Status::Disabled, Reason::IdpInactive),
        (Status::Disabled, Reason::Manual),
        (Status::Removed, Reason::IdpDeleted),
    ]);
    let origins = prop::sample::subsequence(
        vec![Origin::Idp(SourceGroupPk(1)), Origin::Always, Origin::Local],
        1..3,
    );
    let groups = prop::sample::subsequence(vec!["dev", "ops", "all"], 0..4);
    let memberships = (groups, prop::collection::vec(origins, 3)).prop_map(|(groups, origins)| {
        let both = groups.into_iter().zip(origins);
        let one = |(group, origins): (&str, Vec<Origin>)| Membership {
            group: group.to_owned(),
            origins: origins.into_iter().collect(),
        };
        both.map(one).collect::<Vec<_>>()
    });
    let extra = prop::option::of(word(&["x", "y"]));
    (
        word(&["ann", "anna"]),
        word(&["", "a@x"]),
        extra,
        status,
        memberships,
    )
        .prop_map(
            |(username, email, extra, (status, reason), memberships)| Account {
                attributes: Attributes {
                    username: username.to_owned(),
                    email: email.to_owned(),
                    extra: extra
                        .into_iter()
                        .map(|it| ("site".to_owned(), vec![it.to_owned()]))
                        .collect(),
                    ..Attributes::default()
                },
                status,
                reason,
                memberships: if status == Status::Removed {
                    Vec::new()
                } else {
                    memberships
                },
                key: String::new(),
                last_login: None,
                memory: Memory::default(),
            },
        )
}

/// What products see of an account, and why; none if there is none.
fn seen(account: Option<&Account>) -> Option<Account> {
    let mut account = account.filter(|it| it.status != Status::Removed)?.clone();
    account
        .memberships
        .sort_by(|a, b| folded(&a.group).cmp(&folded(&b.group)));
    account.memory.restore.clear();
    Some(account)
}

/// Goes from state to state, writing down the changes and which step they belong to.
fn journal(states: &[Account]) -> (Option<Account>, Vec<(usize, Change)>) {
    let mut account = None;
    let mut journal = Vec::new();
    for (step, state) in states.iter().enumerate() {
        let plan = plan(account.as_ref(), &state.as_outcome());
        account = apply(account.as_ref(), &plan);
        journal.extend(plan.changes.into_iter().map(|change| (step, change)));
    }
    (account, journal)
}

fn undo(
    present: &Account,
    journal: &[(usize, Change)],
    is_undone: impl Fn(usize) -> bool,
) -> (Option<Account>, Plan, usize) {
    let mut past = Past::from(present.clone());
    for (step, change) in journal.iter().rev() {
        past.pass(
            change,
            if is_undone(*step) {
                Pass::Back
            } else {
                Pass::Stay
            },
        );
    }
    let (target, conflicts) = past.undone();
    let plan = plan(Some(present), &target.as_outcome());
    (apply(Some(present), &plan), plan, conflicts.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_former_state_is_found_again(states in prop::collection::vec(state(), 1..6)) {
        let (present, journal) = journal(&states);
        let Some(present) = present else { return Ok(()) };
        for (step, state) in states.iter().enumerate() {
            let mut past = Past::from(present.clone());
            for (_, change) in journal.iter().rev().filter(|(at, _)| *at > step) {
                past.pass(change, Pass::Back);
            }
            prop_assert_eq!(seen(Some(&past.account())), seen(Some(state)));
        }
    }

    #[test]
    fn undoing_the_latest_gives_what_was_and_undoing_that_gives_it_back(
        states in prop::collection::vec(state(), 2..6),
        from in any::<prop::sample::Index>(),
    ) {
        let from = 1 + from.index(states.len() - 1);
        let (present, mut journal) = journal(&states);
        let Some(present) = present else { return Ok(()) };
        let (undone, plan, conflicts) = undo(&present, &journal, |step| step >= from);
        prop_assert_eq!(conflicts, 0);
        prop_assert_eq!(seen(undone.as_ref()), seen(Some(&states[from - 1])));

        let last = states.len();
        journal.extend(plan.changes.into_iter().map(|change| (last, change)));
        let undone = undone.unwrap();
        let (again, _, conflicts) = undo(&undone, &journal, |step| step == last);
        prop_assert_eq!(conflicts, 0);
        prop_assert_eq!(seen(again.as_ref()), seen(Some(&present)));
    }

    #[test]
    fn what_others_did_since_stays(
        states in prop::collection::vec(state(), 3..6),
        undone in prop::collection::vec(any::<bool>(), 6),
    ) {
        let (present, journal) = journal(&states);
        let Some(present) = present else { return Ok(()) };
        let (after, plan, _) = undo(&present, &journal, |step| undone[step]);
        let Some(after) = after else { return Ok(()) };
        // Who was made active or disabled last by somebody else is that still.
        let is_status = |change: &Change| matches!(
            change,
            Change::CreateUser { .. } | Change::Disable { .. } | Change::Reactivate { .. }
                | Change::SetReason { .. } | Change::RemoveUser { .. }
        );
        let last = journal.iter().rev().find(|(_, change)| is_status(change));
        if let Some((step, _)) = last && !undone[*step] {
            prop_assert_eq!((after.status, after.reason), (present.status, present.reason));
        }
        // What nobody undid is not touched.
        if !journal.iter().any(|(step, _)| undone[*step]) {
            prop_assert!(plan.is_empty());
        }
    }
}

#[test]
fn a_group_is_found_under_its_present_name_and_shown_under_its_former() {
    let member = |group: &str| Membership::new(group, Origin::Always);
    let present = Account {
        attributes: Attributes::default(),
        status: Status::Active,
        reason: Reason::IdpActive,
        memberships: Vec::new(),
        key: String::new(),
        last_login: None,
        memory: Memory::default(),
    };
    let rename = Change::RenameGroup {
        from: "dev".into(),
        to: "developers".into(),
        admitted_to: Vec::new(),
    };
    let left = Change::RemoveMembership {
        group: "dev".into(),
        origins: member("dev").origins,
    };
    let mut past = Past::from(present);
    past.pass(&rename, Pass::Stay);
    past.pass(&left, Pass::Back);
    assert_eq!(past.clone().undone().0.memberships, [member("developers")]);
    assert_eq!(past.account().memberships, [member("dev")]);
}
