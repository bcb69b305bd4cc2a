//! Laws that hold for every person and every set of rules.

use directory::name::same;
use directory::{
    Account, Attributes, Change, CompiledRules, Membership, Origin, Reason, Rules, SourceGroup,
    SourceGroupPk, Status, Subject, Trigger, apply, evaluate, plan,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use scim::Resource;
use serde_json::{Value, json};

use crate::stage::user;

const NAMES: [&str; 8] = [
    "dev",
    "Dev",
    "ops",
    "OPS-2",
    "jira-users",
    "jira-admins",
    "ｄｅｖ",
    "zoë",
];
const LISTS: [&str; 7] = [
    "dev",
    "re:jira-.*",
    "re:.*",
    "source:ops",
    "OPS",
    "re:o.*",
    "nobody",
];

fn start() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

fn list() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        3 => Just(Vec::new()),
        2 => prop::collection::vec(prop::sample::select(&LISTS[..]), 1..3),
    ]
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words)
}

fn names() -> impl Strategy<Value = Value> {
    let rule = prop::sample::select(vec![
        json!("lower"),
        json!({"regex_replace": {"pattern": "jira-(.*)", "with": "j-$1"}}),
        json!({"regex_replace": {"pattern": "o.*", "with": "ops", "i": true}}),
        json!({"regex_replace": {"pattern": "d", "with": "", "mode": "all"}}),
        json!({"replace": {"find": "dev", "with": ""}}),
    ]);
    let rules = prop::collection::vec(rule.prop_map(|step| json!({"steps": [step]})), 0..3);
    let mode = word(&["first_match", "chain"]);
    let policy = word(&["pass", "keep", "clear", "drop_user"]);
    (rules, mode, policy).prop_map(|(rules, mode, on_no_match)| {
        json!({"rules": rules, "mode": mode, "on_no_match": on_no_match})
    })
}

fn cleanup() -> impl Strategy<Value = Value> {
    let action = || word(&["disable", "delete", "keep"]);
    let exempt = prop_oneof![
        4 => Just(json!([])),
        1 => Just(json!(["local", "re:jira-.*"])),
    ];
    (action(), action(), action(), action(), exempt).prop_map(
        |(inactive, deleted, out, dropped, exempt)| {
            json!({
                "idp_inactive": inactive, "idp_deleted": deleted, "out_of_scope": out,
                "dropped": dropped, "exempt_groups": exempt,
            })
        },
    )
}

fn accounts() -> impl Strategy<Value = Value> {
    let on = || prop::bool::weighted(0.8);
    (on(), on(), on(), on()).prop_map(|(create, update, enable, disable)| {
        json!({"create": create, "update": update, "enable": enable, "disable": disable})
    })
}

/// Steps of every kind, for any target.
fn steps() -> impl Strategy<Value = Value> {
    let step = prop::sample::select(vec![
        json!("lower"),
        json!("title"),
        json!("ascii_fold"),
        json!("unique"),
        json!("sort"),
        json!("last"),
        json!("now"),
        json!("ignore_if_empty"),
        json!({"prefix": {"text": "x-"}}),
        json!({"split": {"sep": "-"}}),
        json!({"join": {"sep": "+"}}),
        json!({"left": 3}),
        json!({"word": {"n": 1, "sep": "@"}}),
        json!({"template": "${value}.${title}"}),
        json!({"coalesce": ["nickName", "title"]}),
        json!({"username_safe": {}}),
        json!({"hash": {"key": "0123456789abcdef"}}),
        json!({"to_bool": {}}),
        json!({"date_parse": {}}),
        json!({"date_add": {"days": 40}}),
        json!({"keep_if": {"pattern": "[a-z@.]+"}}),
        json!({"regex_extract": {"pattern": "^(.)"}}),
        json!({"regex_replace": {"pattern": "a(.*)", "with": "$1"}}),
        json!({"map": {"table": {"dev": ["one", "two"]}, "i": true, "default": "drop_user"}}),
        json!({"map": {"table": {"dev": "one"}, "i": true}}),
        json!({"if": {"when": "groups eq \"dev\"", "then": ["upper"], "else": [{"default": "d"}]}}),
        json!({"drop_user_if": {"when": "groups sw \"jira-\" and emails pr"}}),
        json!({"lookup_user": {}}),
    ]);
    prop::collection::vec(step, 0..4).prop_map(|steps| json!(steps))
}

/// Rows with sources, steps and options of every kind.
fn rows() -> impl Strategy<Value = Value> {
    let target = word(&[
        "username",
        "email",
        "display_name",
        "active",
        "groups",
        "attr:x",
        "avatar",
    ]);
    let source = prop::sample::select(vec![
        json!({"attribute": "userName"}),
        json!({"attribute": "emails.value"}),
        json!({"first_of": ["nickName", "title"]}),
        json!({"constant": "dev"}),
        json!({"result": "last_name"}),
        json!("groups"),
        json!("email_primary"),
    ]);
    let policy = word(&["pass", "keep", "clear", "drop_user"]);
    let null = word(&["keep", "clear", "drop_user"]);
    let apply = word(&["always", "always", "create_only"]);
    let row = (target, source, steps(), policy, null, apply).prop_map(
        |(target, source, steps, on_no_match, on_null, apply)| {
            json!({
                "target": target, "source": source, "steps": steps, "on_no_match": on_no_match,
                "on_null": on_null, "apply": apply,
            })
        },
    );
    prop::collection::vec(row, 0..4).prop_map(|mut rows: Vec<Value>| {
        // A target other than groups has one row.
        let mut seen = std::collections::BTreeSet::new();
        rows.retain(|row| row["target"] == "groups" || seen.insert(row["target"].to_string()));
        json!(rows)
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let lists = (list(), list(), list(), list());
    let always = prop_oneof![
        Just(vec![]),
        Just(vec!["everyone"]),
        Just(vec!["DEV", "ops"])
    ];
    let authority = word(&["strict", "owned_only", "additive"]);
    let nested = word(&["preserve", "flatten", "ignore"]);
    let plain_rows = prop::sample::select(vec![
        json!([]),
        json!([{"target": "groups", "source": {"attribute": "title"}}]),
        json!([{"target": "username", "steps": ["lower", "strip_domain"]}]),
        json!([{"target": "email", "on_null": "drop_user"}]),
    ]);
    let rows = prop_oneof![plain_rows, rows()];
    let ways = (authority, nested, accounts());
    (lists, always, ways, names(), cleanup(), rows, any::<bool>()).prop_map(
        |(
            (only, never, keep, required),
            always,
            (authority, nested, accounts),
            names,
            cleanup,
            mapping,
            enabled,
        )| {
            let written = json!({
                "mapping": mapping,
                "groups": {
                    "enabled": enabled, "names": names, "only_assign": only, "never_assign": never,
                    "never_remove": keep, "always_assign": always, "authority": authority,
                    "nested_groups": nested,
                },
                "scope": {"required_groups": required},
                "accounts": accounts,
                "cleanup": cleanup,
            });
            serde_json::from_value(written).unwrap()
        },
    )
}

fn person() -> impl Strategy<Value = Option<Resource>> {
    let active = prop::option::of(any::<bool>());
    let known = (active, any::<bool>(), word(&["ann", "Ann@x.example"])).prop_map(
        |(active, mail, name)| {
            let mut written = json!({"userName": name, "title": "Dev"});
            if let Some(active) = active {
                written["active"] = json!(active);
            }
            if mail {
                written["emails"] = json!([{"value": "ann@x.example"}]);
            }
            Some(user(written))
        },
    );
    prop_oneof![1 => Just(None), 5 => known]
}

fn groups() -> impl Strategy<Value = Vec<SourceGroup>> {
    let picked = prop::sample::subsequence((0..NAMES.len()).collect::<Vec<_>>(), 0..5);
    let nested = prop::collection::vec(any::<bool>(), 5);
    (picked, nested).prop_map(|(picked, nested)| {
        let group = |(index, nested): (usize, bool)| SourceGroup {
            id: SourceGroupPk(i64::try_from(index).unwrap()),
            name: NAMES[index].to_owned(),
            path: if nested {
                vec!["inner".to_owned()]
            } else {
                Vec::new()
            },
        };
        picked.into_iter().zip(nested).map(group).collect()
    })
}

fn origins() -> impl Strategy<Value = Vec<Origin>> {
    let origin = prop::sample::select(vec![
        Origin::Idp(SourceGroupPk(0)),
        Origin::Idp(SourceGroupPk(40)),
        Origin::Always,
        Origin::Rule("title".into()),
        Origin::Local,
        Origin::Copied,
        Origin::Product,
    ]);
    prop::collection::vec(origin, 1..3)
}

fn account() -> impl Strategy<Value = Option<Account>> {
    let groups =
        prop::sample::subsequence(vec!["dev", "ops", "jira-admins", "local", "everyone"], 0..4);
    let memberships =
        (groups, prop::collection::vec(origins(), 4)).prop_map(|(groups, origins)| {
            groups
                .into_iter()
                .zip(origins)
                .map(|(group, origins)| Membership {
                    group: group.to_owned(),
                    origins: origins.into_iter().collect(),
                })
                .collect::<Vec<_>>()
        });
    let state = prop::sample::select(vec![
        (Status::Active, Reason::IdpActive),
        (Status::Active, Reason::IdpDeleted),
        (Status::Disabled, Reason::IdpInactive),
        (Status::Disabled, Reason::IdpDeleted),
        (Status::Disabled, Reason::NotInRequiredGroup),
        (Status::Disabled, Reason::Manual),
        (Status::Removed, Reason::IdpDeleted),
        (Status::Removed, Reason::Manual),
    ]);
    let since = prop::option::of(0_i64..30);
    let account = (memberships, state, since).prop_map(|(memberships, (status, reason), since)| {
        let gone = status == Status::Removed;
        let names = memberships.iter().map(|it| it.group.clone()).collect();
        Account {
            attributes: Attributes {
                username: "ann".into(),
                ..Attributes::default()
            },
            status,
            reason,
            restore: if gone { names } else { Vec::new() },
            memberships: if gone { Vec::new() } else { memberships },
            out_of_scope_since: since.map(|minutes| start() - SignedDuration::from_mins(minutes)),
        }
    });
    prop::option::of(account)
}

fn live(account: Option<&Account>) -> impl Iterator<Item = &Membership> {
    account.into_iter().flat_map(|it| &it.memberships)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn decisions(
        rules in rules(),
        user in person(),
        groups in groups(),
        account in account(),
        shuffle in any::<prop::sample::Index>(),
    ) {
        let compiled = CompiledRules::new(&rules).unwrap();
        let subject = Subject {
            user: user.as_ref(),
            groups: &groups,
            existing: account.as_ref(),
            now: start(),
            trigger: Trigger::Scim,
        };
        let outcome = evaluate(&subject, &compiled);

        // Deterministic, and the order of source groups does not matter.
        let mut turned = groups.clone();
        if !turned.is_empty() {
            let middle = shuffle.index(turned.len());
            turned.rotate_left(middle);
            turned.reverse();
        }
        prop_assert_eq!(&outcome, &evaluate(&Subject { groups: &turned, ..subject }, &compiled));

        // Idempotent.
        let todo = plan(account.as_ref(), &outcome);
        let after = apply(account.as_ref(), &todo);
        let again = evaluate(&Subject { existing: after.as_ref(), ..subject }, &compiled);
        let rest = plan(after.as_ref(), &again);
        prop_assert_eq!(rest.changes, Vec::<Change>::new());
        prop_assert_eq!(apply(after.as_ref(), &plan(after.as_ref(), &again)), after.clone());

        // Only where nesting is flattened does it make anybody a member.
        if rules.groups.nested_groups != directory::rules::NestedGroups::Flatten {
            let nested = |it: &Origin| {
                matches!(it, Origin::Idp(id) if groups.iter().any(|group| group.id == *id && group.is_nested()))
            };
            let had = |group: &str, origin: &Origin| {
                live(account.as_ref()).any(|it| same(&it.group, group) && it.origins.contains(origin))
            };
            for one in &outcome.memberships {
                prop_assert!(one.origins.iter().all(|it| !nested(it) || had(&one.group, it)));
            }
        }

        // Every group at most once.
        for (index, one) in outcome.memberships.iter().enumerate() {
            prop_assert!(outcome.memberships[..index].iter().all(|other| !same(&other.group, &one.group)));
        }

        let protected = |group: &str| {
            !rules.groups.enabled || compiled_list(&rules.groups.never_remove, group)
        };
        let forbidden = |group: &str| {
            !rules.groups.enabled || compiled_list(&rules.groups.never_assign, group)
        };
        for change in &todo.changes {
            match change {
                Change::RemoveMembership { group, .. } => {
                    prop_assert!(!protected(group), "{} is never removed", group);
                    prop_assert_ne!(compiled_authority(&rules), "additive");
                }
                Change::AddMembership { group, origins } => {
                    let idp = origins.iter().any(|it| matches!(it, Origin::Idp(_)));
                    prop_assert!(!(idp && forbidden(group)), "{} is never assigned", group);
                }
                Change::SetOrigins { group, before, after } => {
                    let gained = after.difference(before).any(|it| matches!(it, Origin::Idp(_)));
                    prop_assert!(!(gained && forbidden(group)), "{} is never assigned", group);
                }
                _ => {}
            }
        }

        // Nobody inactive or deleted becomes active, and an administrator's word stands.
        let was_active = account.as_ref().is_some_and(|it| it.status == Status::Active);
        let is_active = after.as_ref().is_some_and(|it| it.status == Status::Active);
        if !was_active && is_active {
            prop_assert!(user.as_ref().is_some_and(|it| it.active() != Some(false)));
            prop_assert!(account.as_ref().is_none_or(|it| it.reason != Reason::Manual));
        }

        // Memberships of an account that is disabled are frozen, unless the provider itself says
        // inactive: then it goes on to say which groups the user is in.
        let was_live = account.as_ref().is_some_and(|it| it.status != Status::Removed);
        let is_frozen = |it: &Account| {
            it.status == Status::Disabled && it.reason != Reason::IdpInactive
        };
        if was_live && after.as_ref().is_some_and(is_frozen) {
            let names = |it: Option<&Account>| live(it).map(|it| it.group.clone()).collect::<Vec<_>>();
            prop_assert_eq!(names(account.as_ref()), names(after.as_ref()));
        }

        // Every decision can be told.
        prop_assert!(!outcome.lines().is_empty());
        for membership in &outcome.memberships {
            let _ = outcome.why_group(&membership.group);
        }
    }
}

/// Whether a list has a group, told by rules that allow nothing else.
fn compiled_list(entries: &[String], group: &str) -> bool {
    let mut only = Rules::default();
    only.groups.only_assign = entries
        .iter()
        .filter(|it| !it.starts_with("source:"))
        .cloned()
        .collect();
    !only.groups.only_assign.is_empty()
        && CompiledRules::new(&only)
            .unwrap()
            .effective_group(group)
            .is_some()
}

fn compiled_authority(rules: &Rules) -> &'static str {
    match rules.groups.authority {
        directory::rules::Authority::Strict => "strict",
        directory::rules::Authority::OwnedOnly => "owned_only",
        directory::rules::Authority::Additive => "additive",
    }
}
