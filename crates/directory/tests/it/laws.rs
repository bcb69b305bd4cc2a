//! Laws that hold for every person and every set of rules.

use directory::name::same;
use directory::{
    Account, Attributes, Change, CompiledRules, Membership, Memory, Origin, Override, OverrideId,
    OverrideKind, Reason, Rules, SourceGroup, SourceGroupPk, Status, Subject, Trigger, apply,
    evaluate, plan,
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

pub fn start() -> Timestamp {
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
    let action = || word(&["disable", "anonymise", "delete", "keep"]);
    let exempt = prop_oneof![
        4 => Just(json!([])),
        1 => Just(json!(["local", "re:jira-.*"])),
    ];
    let later = prop::option::of((word(&["disable", "anonymise", "delete"]), 1_u32..40));
    let strip = (prop::bool::weighted(0.4), any::<bool>(), list());
    (
        (action(), action(), action(), action()),
        exempt,
        later,
        strip,
    )
        .prop_map(
            |((inactive, deleted, out, dropped), exempt, later, (strip, restore, kept))| {
                let mut cleanup = json!({
                    "idp_inactive": inactive, "idp_deleted": deleted, "out_of_scope": out,
                    "dropped": dropped, "exempt_groups": exempt,
                    "strip_groups": strip, "restore_groups": restore, "strip_exempt": kept,
                });
                for cause in ["idp_inactive", "idp_deleted", "out_of_scope", "dropped"] {
                    let severity = |action: &str| {
                        ["keep", "disable", "anonymise", "delete"]
                            .iter()
                            .position(|it| *it == action)
                    };
                    if let Some((then, days)) = later
                        && severity(then) > severity(cleanup[cause].as_str().unwrap())
                    {
                        cleanup["later"][cause] = json!({"after_days": days, "action": then});
                    }
                }
                cleanup
            },
        )
}

fn inactivity() -> impl Strategy<Value = Value> {
    let rule = (
        1_u32..30,
        any::<bool>(),
        word(&["disable", "anonymise", "delete"]),
        any::<bool>(),
        list(),
        list(),
    );
    let rule = rule.prop_map(|(days, unknown, action, sticky, only, never)| {
        json!({
            "days": days, "include_never_logged_in": unknown, "action": action,
            "sticky": sticky && action != "delete", "only_groups": only, "never": never,
        })
    });
    prop_oneof![2 => Just(Value::Null), 1 => rule]
}

fn accounts() -> impl Strategy<Value = Value> {
    let on = || prop::bool::weighted(0.8);
    let rename = word(&["follow", "pin"]);
    (on(), on(), on(), on(), rename).prop_map(|(create, update, enable, disable, rename)| {
        json!({
            "create": create, "update": update, "enable": enable, "disable": disable,
            "rename": rename,
        })
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

/// Rules that give groups by themselves, keep them away, or act on the account.
fn conditions() -> impl Strategy<Value = Value> {
    let when = word(&[
        "userName pr",
        "title eq \"dev\"",
        "groups eq \"dev\" or groups sw \"jira-\"",
        "not (emails pr)",
    ]);
    let effect = prop::sample::select(vec![
        json!({"add_groups": ["dev", "extra"]}),
        json!({"add_groups": ["jira-admins"]}),
        json!({"drop": true}),
        json!({"disable": true}),
        json!({"disable_at": "nickName"}),
        json!({"disable_at": "nickName", "disable_at_plus": {"years": 3}, "add_groups": ["ops"]}),
        json!({"disable_at": "title"}),
    ]);
    let state = word(&["active", "active", "active", "off"]);
    let rule = (when, effect, state).prop_map(|(when, mut rule, state)| {
        rule["when"] = json!(when);
        rule["state"] = json!(state);
        rule
    });
    prop::collection::vec(rule, 0..3).prop_map(|mut rules: Vec<Value>| {
        for (index, rule) in rules.iter_mut().enumerate() {
            rule["name"] = json!(format!("condition {index}"));
        }
        json!(rules)
    })
}

/// Rows for two of the groups of [`groups`].
fn mapping() -> impl Strategy<Value = Value> {
    let some = word(&["ignore", "pass"]).prop_map(|unmapped| {
        json!({"unmapped": unmapped, "rows": [
            {"source": {"id": "g-0"}, "groups": ["team", "OPS"]},
            {"source": {"id": "g-4"}, "groups": ["team", "jira-admins"]},
        ]})
    });
    prop_oneof![3 => Just(Value::Null), 1 => some]
}

pub fn compile(rules: &Rules) -> CompiledRules {
    let mut compiled = CompiledRules::new(rules).unwrap();
    let known = (0..8).map(|index| (format!("g-{index}"), SourceGroupPk(index)));
    compiled.bind(&known.collect());
    compiled
}

pub fn rules() -> impl Strategy<Value = Rules> {
    let lists = (list(), list(), list(), list(), list());
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
    let filter = prop_oneof![
        3 => Just(Value::Null),
        1 => Just(json!("emails pr")),
        1 => Just(json!("groups eq \"dev\"")),
    ];
    let ways = (authority, nested, accounts(), filter, inactivity());
    let given = (always, conditions(), mapping());
    (lists, given, ways, names(), cleanup(), rows, any::<bool>()).prop_map(
        |(
            (only, never, keep, required, protected),
            (always, conditions, group_mapping),
            (authority, nested, accounts, filter, inactivity),
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
                    "nested_groups": nested, "protected": protected, "mapping": group_mapping,
                    "new_user_groups": ["dev", "welcome"],
                },
                "conditions": conditions,
                "scope": {"required_groups": required, "filter": filter},
                "accounts": accounts,
                "inactivity": inactivity,
                "cleanup": cleanup,
            });
            serde_json::from_value(written).unwrap()
        },
    )
}

pub fn person() -> impl Strategy<Value = Option<Resource>> {
    let active = prop::option::of(any::<bool>());
    let known = (active, any::<bool>(), word(&["ann", "Ann@x.example"])).prop_map(
        |(active, mail, name)| {
            let mut written = json!({"userName": name, "title": "Dev"});
            if let Some(active) = active {
                written["active"] = json!(active);
            }
            if mail {
                written["emails"] = json!([{"value": "ann@x.example"}]);
                written["nickName"] = json!("2025-12-31");
            }
            Some(user(written))
        },
    );
    prop_oneof![1 => Just(None), 5 => known]
}

pub fn groups() -> impl Strategy<Value = Vec<SourceGroup>> {
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
            standing: None,
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
        Origin::Rule(Origin::NEW_USER_GROUPS.into()),
        Origin::Rule("condition 0".into()),
        Origin::Local,
        Origin::Copied,
        Origin::Product,
    ]);
    prop::collection::vec(origin, 1..3)
}

pub fn account() -> impl Strategy<Value = Option<Account>> {
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
        (Status::Disabled, Reason::InactivityRule),
        (Status::Anonymised, Reason::IdpDeleted),
        (Status::Anonymised, Reason::IdpInactive),
        (Status::Removed, Reason::IdpDeleted),
        (Status::Removed, Reason::Manual),
    ]);
    let days = || prop::option::of(0_i64..50);
    let times = (prop::option::of(0_i64..30), days(), days(), days());
    let stripped = any::<bool>();
    let account = (memberships, state, times, stripped).prop_map(
        |(memberships, (status, reason), (since, cleaned, active, login), stripped)| {
            let gone = status == Status::Removed || (stripped && status != Status::Active);
            let name = if status == Status::Anonymised {
                "user-e3b0c442"
            } else {
                "ann"
            };
            let ago =
                |days: Option<i64>| days.map(|it| start() - SignedDuration::from_hours(24 * it));
            let (restore, memberships) = if gone {
                (memberships, Vec::new())
            } else {
                (Vec::new(), memberships)
            };
            Account {
                key: String::new(),
                attributes: Attributes {
                    username: name.into(),
                    email: if name == "ann" {
                        String::new()
                    } else {
                        format!("{name}@user.anon")
                    },
                    ..Attributes::default()
                },
                status,
                reason,
                memberships,
                last_login: ago(login),
                memory: Memory {
                    out_of_scope_since: since.map(|it| start() - SignedDuration::from_mins(it)),
                    cleaned_up_since: ago(cleaned),
                    active_since: ago(active),
                    stays_until: None,
                    restore,
                },
            }
        },
    );
    prop::option::of(account)
}

fn live(account: Option<&Account>) -> impl Iterator<Item = &Membership> {
    account.into_iter().flat_map(|it| &it.memberships)
}

/// Overrides of every kind, some of which have ended.
fn overrides() -> impl Strategy<Value = Vec<Override>> {
    let group = || word(&["dev", "Ops", "local", "new"]).prop_map(str::to_owned);
    let kind = prop_oneof![
        Just(OverrideKind::KeepActive),
        Just(OverrideKind::Exclude),
        group().prop_map(|group| OverrideKind::AddToGroup { group }),
        group().prop_map(|group| OverrideKind::KeepOutOfGroup { group }),
        Just(OverrideKind::KeepAsIs {
            mark: "another".into()
        }),
    ];
    let one = (kind, -1..2_i64).prop_map(|(kind, hours)| Override {
        id: OverrideId(hours),
        kind,
        until: Some(start() + SignedDuration::from_hours(hours)),
        created: start(),
        actor: "admin".into(),
        comment: String::new(),
    });
    prop::collection::vec(one, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn overrides_count_while_they_stand(
        rules in rules(),
        user in person(),
        groups in groups(),
        account in account(),
        overrides in overrides(),
    ) {
        let compiled = CompiledRules::new(&rules).unwrap();
        let subject = Subject {
            user: user.as_ref(),
            groups: &groups,
            existing: account.as_ref(),
            now: start(),
            trigger: Trigger::Scim,
            overrides: &overrides,
        };
        let outcome = evaluate(&subject, &compiled);
        let after = apply(account.as_ref(), &plan(account.as_ref(), &outcome));
        let again = evaluate(&Subject { existing: after.as_ref(), ..subject }, &compiled);
        prop_assert_eq!(plan(after.as_ref(), &again).changes, Vec::<Change>::new());

        let stands = |one: &&Override| one.until.is_none_or(|until| start() < until);
        let says = |kind: &OverrideKind| overrides.iter().filter(stands).any(|it| it.kind == *kind);
        let exists = after.as_ref().filter(|it| it.status != Status::Removed);
        if let Some(after) = exists {
            // Nobody logs in by the name of somebody anonymised, whatever an administrator says.
            let hidden = after.status == Status::Anonymised;
            if says(&OverrideKind::Exclude) {
                prop_assert!(hidden || after.status == Status::Disabled);
            } else if says(&OverrideKind::KeepActive) {
                prop_assert!(hidden || after.status == Status::Active);
            }
            for one in overrides.iter().filter(stands) {
                let is_in = |name: &str| live(Some(after)).any(|it| same(&it.group, name));
                match &one.kind {
                    OverrideKind::KeepOutOfGroup { group } => prop_assert!(!is_in(group)),
                    OverrideKind::AddToGroup { group } => {
                        let out = OverrideKind::KeepOutOfGroup { group: group.clone() };
                        prop_assert!(is_in(group) || says(&out));
                    }
                    _ => {}
                }
            }
        }

        // What has ended counts as little as what never was, and leaves no origin behind.
        let later = Subject {
            existing: after.as_ref(),
            now: start() + SignedDuration::from_hours(2),
            ..subject
        };
        let ended = evaluate(&later, &compiled);
        let never = evaluate(&Subject { overrides: &[], ..later }, &compiled);
        prop_assert_eq!(ended.verdict, never.verdict);
        prop_assert_eq!(&ended.attributes, &never.attributes);
        prop_assert_eq!(&ended.memberships, &never.memberships);
        let marked = |it: &Origin| matches!(it, Origin::Override(_));
        prop_assert!(ended.memberships.iter().flat_map(|it| &it.origins).all(|it| !marked(it)));
    }
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
        let compiled = compile(&rules);
        let subject = Subject {
            user: user.as_ref(),
            groups: &groups,
            existing: account.as_ref(),
            now: start(),
            trigger: Trigger::Scim,
            overrides: &[],
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
                    // Of those who lose their account, all groups may be taken.
                    let taken = rules.cleanup.strip_groups && is_lost(after.as_ref());
                    prop_assert!(taken || !protected(group), "{} is never removed", group);
                    prop_assert!(taken || compiled_authority(&rules) != "additive");
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

        // Nothing that rules do ever puts anybody into a protected group.
        let mine = |origins: &std::collections::BTreeSet<Origin>| origins.iter().any(Origin::is_ours);
        for change in &todo.changes {
            if let Change::AddMembership { group, origins } = change {
                prop_assert!(!compiled_list(&rules.groups.protected, group) || !mine(origins), "{group}");
            }
        }

        // What came with a new account is not given again.
        if account.is_some() {
            let given = Origin::Rule(Origin::NEW_USER_GROUPS.into());
            for one in outcome.memberships.iter().filter(|it| it.origins.contains(&given)) {
                let before = account.iter().flat_map(|it| it.memberships.iter().chain(&it.memory.restore));
                let had = before.into_iter().any(|it| same(&it.group, &one.group) && it.origins.contains(&given));
                prop_assert!(had, "{} was taken away", one.group);
            }
        }

        // Nobody inactive or deleted becomes active, and an administrator's word stands.
        let was_active = account.as_ref().is_some_and(|it| it.status == Status::Active);
        let is_active = after.as_ref().is_some_and(|it| it.status == Status::Active);
        if !was_active && is_active {
            prop_assert!(user.as_ref().is_some_and(|it| it.active() != Some(false)));
            prop_assert!(account.as_ref().is_none_or(|it| it.reason != Reason::Manual));
            let sticky = rules.inactivity.as_ref().is_none_or(|it| it.sticky);
            prop_assert!(!sticky || account.as_ref().is_none_or(|it| it.reason != Reason::InactivityRule));
        }

        // Who is anonymised bears no name, and who is not does not bear a pseudonym.
        if let Some(after) = after.as_ref().filter(|it| it.status != Status::Removed) {
            let hidden = after.attributes.email == format!("{}@user.anon", after.attributes.username);
            prop_assert_eq!(after.status == Status::Anonymised, hidden);
        }

        // Whose names are pinned is not renamed, except to hide who it is, and back.
        if rules.accounts.rename == directory::rules::Rename::Pin {
            let hides = |status: Option<Status>| status == Some(Status::Anonymised);
            let either = hides(account.as_ref().map(|it| it.status)) || hides(after.as_ref().map(|it| it.status));
            let renamed = todo.changes.iter().any(|it| it.kind() == "rename_user");
            prop_assert!(either || !renamed);
        }

        // A later look is at a later time.
        prop_assert!(outcome.recheck_at.is_none_or(|at| at > start()));

        // Memberships of an account that is disabled are frozen, unless the provider itself says inactive, a condition
        // disables it or a switch keeps it from being enabled: then the provider goes on to say which groups the user is in.
        let was_live = account.as_ref().is_some_and(|it| it.status != Status::Removed);
        let is_frozen = |it: &Account| {
            !matches!(it.status, Status::Active | Status::Removed)
                && !matches!(it.reason, Reason::IdpInactive | Reason::DisabledByRule)
        };
        let may_follow = rules.cleanup.strip_groups || !rules.accounts.enable;
        if was_live && !may_follow && after.as_ref().is_some_and(is_frozen) {
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

fn is_lost(account: Option<&Account>) -> bool {
    account.is_some_and(|it| it.reason != Reason::IdpActive)
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
            .effective_group(&SourceGroup::direct(SourceGroupPk(0), group))
            .is_some()
}

fn compiled_authority(rules: &Rules) -> &'static str {
    match rules.groups.authority {
        directory::rules::Authority::Strict => "strict",
        directory::rules::Authority::OwnedOnly => "owned_only",
        directory::rules::Authority::Additive => "additive",
    }
}
