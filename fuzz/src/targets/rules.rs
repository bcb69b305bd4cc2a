//! Rules as an administrator may write them, or somebody who stole the right to.

use std::sync::LazyLock;

use directory::{
    CompiledRules, Rules, SourceGroup, SourceGroupPk, Subject, Trigger, apply, evaluate, plan,
};
use jiff::Timestamp;
use scim::{Dialect, Resource, ResourceType, json};

pub const WORDS: &[&str] = &[
    "\"mapping\":[",
    "{\"target\":\"email\",",
    "\"target\":\"attr:x\",",
    "\"target\":\"groups\",",
    "\"target\":\"username\",",
    "\"source\":{\"attribute\":\"emails[type eq \\\"work\\\"].value\"}",
    "\"source\":{\"first_of\":[\"title\",\"userName\"]}",
    "\"source\":{\"template\":\"${name.givenName} x\"}",
    "\"source\":{\"constant\":\"x\"}",
    "\"steps\":[",
    "\"trim\"",
    "\"lower\"",
    "\"title\"",
    "\"guest_to_email\"",
    "{\"regex_replace\":{\"pattern\":\"(a+)+$\",\"with\":\"$1$1\"}}",
    "{\"replace\":{\"find\":\"a\",\"with\":\"aa\",\"i\":true}}",
    "{\"suffix\":{\"text\":\"x\",\"unless_present\":true}}",
    "\"mode\":\"all\"",
    "\"mode\":\"chain\"",
    "\"groups\":{",
    "\"never_assign\":[\"re:a.*\"]",
    "\"only_assign\":[\"source:re:.*\"]",
    "\"always_assign\":[\"staff\"]",
    "\"never_remove\":[",
    "\"names\":{\"rules\":[",
    "\"scope\":{",
    "\"required_groups\":[\"g\"]",
    "\"grace_minutes\":",
    "\"cleanup\":{",
    "\"on_no_match\":\"drop_user\"",
    "\"on_null\":\"clear\"",
    "\"authority\":\"strict\"",
    "\"create_empty\":false",
    "null",
    ",",
    "}",
    "]",
    "(?i)",
    "x{1000}{1000}",
    "\\\\p{L}*",
    ".*",
    "${1}",
];

static ANN: LazyLock<Resource> = LazyLock::new(|| {
    let map = json::read_object(include_bytes!("joy.json")).unwrap();
    Resource::from_request(ResourceType::user(), map, &Dialect::generic())
        .unwrap()
        .0
});

/// What is accepted is written so that it reads back as the same, and a plan that was carried out leaves
/// nothing to do: with an account or without, present, inactive or gone.
pub fn rules(input: &[u8]) {
    let rules: Rules = match serde_json::from_slice(input) {
        Ok(rules) => rules,
        Err(_) => return,
    };
    let written = serde_json::to_vec(&rules).unwrap();
    assert_eq!(serde_json::from_slice::<Rules>(&written).unwrap(), rules);
    let compiled = match CompiledRules::new(&rules) {
        Ok(compiled) => compiled,
        Err(errors) => {
            assert!(!errors.is_empty());
            let said = errors
                .iter()
                .all(|error| !error.message.is_empty() && !error.remedy.is_empty());
            return assert!(said, "{errors:?}");
        }
    };
    let groups: Vec<SourceGroup> = (1..)
        .zip([
            "g",
            "Staff",
            "jira-users",
            "ÄÖ \u{202e}x",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
        ])
        .map(|(pk, name)| SourceGroup::direct(SourceGroupPk(pk), name))
        .collect();
    let mut account = None;
    for (user, groups) in [
        (Some(&*ANN), &groups[..]),
        (Some(&*ANN), &[]),
        (None, &[]),
        (Some(&*ANN), &groups[..]),
    ] {
        let decide = |existing: &Option<directory::Account>| {
            let subject = Subject {
                user,
                groups,
                existing: existing.as_ref(),
                now: Timestamp::UNIX_EPOCH,
                trigger: Trigger::Scim,
                overrides: &[],
            };
            plan(existing.as_ref(), &evaluate(&subject, &compiled))
        };
        account = apply(account.as_ref(), &decide(&account));
        let again = decide(&account);
        assert!(
            again.changes.is_empty(),
            "deciding again found {:?}",
            again.changes
        );
    }
}
