//! Laws of accounts that several connectors speak of (BY-15).

use std::collections::BTreeMap;

use directory::precedence::view;
use directory::rules::Target;
use directory::{
    Account, Alone, Attributes, Change, CompiledRules, ConnectorId, Contribution, Given,
    Membership, Origin, Outcome, Precedence, Rules, Shared, SourceGroup, SourceGroupPk,
    SourceUserPk, Status, Subject, Trigger, Verdict, apply, evaluate, evaluate_shared, plan,
};
use proptest::prelude::*;
use scim::Resource;
use serde_json::json;

use crate::laws::{account, groups, person, rules, start};
use crate::stage::user as written;

const OWNER: ConnectorId = ConnectorId(5);

fn subject<'a>(
    user: Option<&'a Resource>,
    groups: &'a [SourceGroup],
    existing: Option<&'a Account>,
) -> Subject<'a> {
    Subject {
        user,
        groups,
        existing,
        now: start(),
        trigger: Trigger::Scim,
        overrides: &[],
    }
}

/// What another connector says of the same person, with groups of its own.
fn contribution(
    number: i64,
    rules: &CompiledRules,
    user: &Resource,
    groups: &[SourceGroup],
    account: &Account,
) -> Contribution {
    let seen = view(account, None);
    let own = |group: &SourceGroup| SourceGroup {
        id: SourceGroupPk(group.id.0 + 100 * number),
        ..group.clone()
    };
    let groups: Vec<SourceGroup> = groups.iter().map(own).collect();
    let outcome = evaluate(&subject(Some(user), &groups, Some(&seen)), rules);
    Contribution {
        connector: ConnectorId(number),
        name: format!("c{number}").into(),
        source: SourceUserPk(number),
        given: Given::of(&outcome),
    }
}

fn precedence() -> impl Strategy<Value = Precedence> {
    let order = || {
        Just(vec![1, 2, 5]).prop_shuffle().prop_flat_map(|all| {
            (0..=all.len()).prop_map(move |many| {
                let some = all.iter().take(many);
                some.map(|id| ConnectorId(*id)).collect::<Vec<_>>()
            })
        })
    };
    let target = prop::sample::select(vec![
        Target::Username,
        Target::Email,
        Target::DisplayName,
        Target::Groups,
        Target::Attribute("x".into()),
    ]);
    let targets = prop::collection::btree_map(target, order(), 0..3);
    (order(), targets).prop_map(|(order, targets)| Precedence { order, targets })
}

fn joined(
    subject: &Subject<'_>,
    rules: &CompiledRules,
    precedence: &Precedence,
    contributions: &[Contribution],
) -> Outcome {
    let shared = Shared {
        owner: OWNER,
        precedence,
        contributions,
    };
    evaluate_shared(subject, rules, &Alone, Some(shared))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn decisions_about_shared_accounts(
        owners in rules(),
        others in (rules(), rules()),
        user in person(),
        groups in (groups(), groups(), groups()),
        account in account(),
        precedence in precedence(),
    ) {
        let owners = CompiledRules::new(&owners).unwrap();
        let (first, second) = (CompiledRules::new(&others.0).unwrap(), CompiledRules::new(&others.1).unwrap());
        let blank = Account {
            key: String::new(),
            attributes: Attributes::default(),
            status: Status::Active,
            reason: directory::Reason::IdpActive,
            memberships: Vec::new(),
            last_login: None,
            memory: directory::Memory::default(),
        };
        let known = account.as_ref().unwrap_or(&blank);
        let same = user.clone().unwrap_or_else(|| written(json!({"userName": "ann", "title": "Dev"})));
        let mut contributions = vec![
            contribution(1, &first, &same, &groups.1, known),
            contribution(2, &second, &same, &groups.2, known),
        ];
        let subject = subject(user.as_ref(), &groups.0, account.as_ref());
        let outcome = joined(&subject, &owners, &precedence, &contributions);

        // Deterministic, and the order in which others speak does not matter.
        contributions.reverse();
        let turned = joined(&subject, &owners, &precedence, &contributions);
        prop_assert_eq!(&outcome.attributes, &turned.attributes);
        prop_assert_eq!(&outcome.memberships, &turned.memberships);

        // Whether there is an account, and in which state, is its connector's to say.
        let alone = evaluate(&subject, &owners);
        prop_assert_eq!(outcome.verdict, alone.verdict);

        // Idempotent.
        let after = apply(account.as_ref(), &plan(account.as_ref(), &outcome));
        let later = Subject { existing: after.as_ref(), ..subject };
        let again = joined(&later, &owners, &precedence, &contributions);
        prop_assert_eq!(plan(after.as_ref(), &again).changes, Vec::<Change>::new());

        // Every group once.
        let mut names: Vec<String> = outcome
            .memberships.iter().map(|it| directory::name::folded(&it.group).into_owned()).collect();
        names.sort();
        prop_assert!(names.windows(2).all(|pair| pair[0] != pair[1]));

        // Who gives nothing changes nothing.
        let silent: Vec<Contribution> = contributions
            .iter()
            .map(|one| Contribution { given: None, ..one.clone() })
            .collect();
        let quiet = joined(&subject, &owners, &precedence, &silent);
        prop_assert_eq!(&quiet.attributes, &alone.attributes);
        let sorted = |outcome: &Outcome| {
            let mut all = outcome.memberships.clone();
            all.sort_by(|a, b| a.group.cmp(&b.group));
            all
        };
        prop_assert_eq!(sorted(&quiet), sorted(&alone));

        // An account that is active is in every group that somebody gives, unless one decides alone.
        let active = matches!(outcome.verdict, Verdict::Account { status: Status::Active, .. });
        let frozen = outcome.trace.entries().contains(&directory::trace::Entry::Frozen);
        if active && !frozen && !precedence.targets.contains_key(&Target::Groups) {
            let given = contributions.iter().filter_map(|one| one.given.as_ref());
            for membership in given.flat_map(|it| &it.memberships) {
                let found = outcome.memberships.iter().find(|it| directory::name::same(&it.group, &membership.group));
                prop_assert!(found.is_some_and(|it| it.origins.is_superset(&membership.origins)));
            }
        }
        for line in outcome.lines() {
            prop_assert!(!line.text.is_empty());
        }
    }
}

fn compiled(written: serde_json::Value) -> CompiledRules {
    let rules: Rules = serde_json::from_value(written).unwrap();
    CompiledRules::new(&rules).unwrap()
}

fn gives(number: i64, attributes: Attributes, groups: &[&str]) -> Contribution {
    let origin = || Origin::Idp(SourceGroupPk(100 * number));
    Contribution {
        connector: ConnectorId(number),
        name: format!("c{number}").into(),
        source: SourceUserPk(number),
        given: Some(Given {
            attributes,
            memberships: groups
                .iter()
                .map(|it| Membership::new(*it, origin()))
                .collect(),
            ..Given::default()
        }),
    }
}

fn mail(address: &str) -> Attributes {
    Attributes {
        email: address.into(),
        ..Attributes::default()
    }
}

#[test]
fn each_target_has_the_value_of_whom_the_order_names_first() {
    let rules = compiled(json!({}));
    let ann = written(
        json!({"userName": "ann", "displayName": "Ann", "emails": [{"value": "a@x.example"}]}),
    );
    let contributions = [
        gives(1, mail("one@x.example"), &[]),
        gives(
            2,
            Attributes {
                display_name: "Two".into(),
                ..mail("two@x.example")
            },
            &[],
        ),
    ];
    let subject = subject(Some(&ann), &[], None);
    let seen = |order: &[i64], targets: &[(Target, &[i64])]| {
        let ids = |all: &[i64]| all.iter().map(|id| ConnectorId(*id)).collect::<Vec<_>>();
        let targets = targets
            .iter()
            .map(|(target, all)| (target.clone(), ids(all)));
        let precedence = Precedence {
            order: ids(order),
            targets: targets.collect(),
        };
        let outcome = joined(&subject, &rules, &precedence, &contributions);
        (outcome.attributes.email, outcome.attributes.display_name)
    };
    let told = |email: &str, name: &str| (format!("{email}@x.example"), name.to_owned());
    // Unless something else is said, the account's own connector comes first, and the others in order.
    assert_eq!(seen(&[], &[]), told("a", "Ann"));
    assert_eq!(seen(&[2], &[]), told("two", "Two"));
    assert_eq!(seen(&[1], &[]), told("one", "Ann"));
    assert_eq!(seen(&[1, 2], &[]), told("one", "Two"));
    assert_eq!(seen(&[2], &[(Target::Email, &[5])]), told("a", "Two"));
    assert_eq!(seen(&[5], &[(Target::Email, &[1])]), told("one", "Ann"));
}

#[test]
fn where_the_first_has_no_value_the_next_is_believed_and_goes_on_to_be() {
    let rules = compiled(json!({}));
    let ann = written(json!({"userName": "ann"}));
    let precedence = Precedence {
        order: vec![OWNER],
        targets: BTreeMap::new(),
    };
    let first = [gives(1, mail("one@x.example"), &[])];
    let made = joined(&subject(Some(&ann), &[], None), &rules, &precedence, &first);
    assert_eq!(made.attributes.email, "one@x.example");
    let account = apply(None, &plan(None, &made)).unwrap();
    // The row of the owner keeps what it finds; that is another's word, and follows the other.
    let changed = [gives(1, mail("new@x.example"), &[])];
    let again = joined(
        &subject(Some(&ann), &[], Some(&account)),
        &rules,
        &precedence,
        &changed,
    );
    assert_eq!(again.attributes.email, "new@x.example");
}

#[test]
fn groups_are_joined_unless_one_decides_alone() {
    let rules = compiled(json!({}));
    let ann = written(json!({"userName": "ann"}));
    let own = [SourceGroup::direct(SourceGroupPk(1), "own")];
    let others = [
        gives(1, mail(""), &["one", "OWN"]),
        gives(2, mail(""), &["two"]),
    ];
    let account = {
        let precedence = Precedence::default();
        let outcome = joined(
            &subject(Some(&ann), &own, None),
            &rules,
            &precedence,
            &others,
        );
        let names: Vec<&str> = outcome
            .memberships
            .iter()
            .map(|it| it.group.as_str())
            .collect();
        assert_eq!(names, ["one", "own", "two"]);
        assert_eq!(outcome.memberships[1].origins.len(), 2);
        assert!(
            outcome
                .why_group("two")
                .lines
                .iter()
                .any(|it| it.text.contains("connector `c2`"))
        );
        apply(None, &plan(None, &outcome)).unwrap()
    };
    for (order, wanted) in [
        (vec![ConnectorId(2)], vec!["two"]),
        (vec![OWNER], vec!["own"]),
    ] {
        let targets = BTreeMap::from([(Target::Groups, order)]);
        let precedence = Precedence {
            order: Vec::new(),
            targets,
        };
        let subject = subject(Some(&ann), &own, Some(&account));
        let outcome = joined(&subject, &rules, &precedence, &others);
        let names: Vec<&str> = outcome
            .memberships
            .iter()
            .map(|it| it.group.as_str())
            .collect();
        assert_eq!(names, wanted);
    }
    // Once the others say nothing, their groups are left.
    let quiet = joined(
        &subject(Some(&ann), &own, Some(&account)),
        &rules,
        &Precedence::default(),
        &[],
    );
    assert_eq!(quiet.memberships.len(), 1);
}

#[test]
fn a_precedence_that_cannot_be_meant_is_refused() {
    let precedence = Precedence {
        order: vec![OWNER, OWNER],
        targets: BTreeMap::from([(Target::Active, vec![OWNER])]),
    };
    let errors = precedence.errors();
    let paths: Vec<&str> = errors.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["order[1]", "targets.active"]);
    let written = json!({"order": [5], "targets": {"attr:title": [1]}});
    let read: Precedence = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), written);
}
