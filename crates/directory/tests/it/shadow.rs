//! Rules in the shadow: they have no effect, and it can be told which they would have (BY-04).

use directory::{
    CompiledRules, Rules, SourceGroup, SourceGroupPk, Subject, Trigger, evaluate, in_the_shadow,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::laws::{account, groups, person, rules, start};
use crate::stage::user;

/// Every rule and entry in the shadow.
fn shadowed(rules: &Rules) -> Rules {
    let mut written = serde_json::to_value(rules).unwrap();
    let state = |rule: &mut Value| rule["state"] = json!("shadow");
    for list in [
        &["mapping"][..],
        &["conditions"],
        &["groups", "names", "rules"],
        &["groups", "mapping", "rows"],
    ] {
        let place = list
            .iter()
            .try_fold(&mut written, |at, name| at.get_mut(*name));
        place
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .for_each(state);
    }
    state(&mut written["scope"]);
    if written["inactivity"].is_object() {
        state(&mut written["inactivity"]);
    }
    for (part, name) in [
        ("groups", "only_assign"),
        ("groups", "never_assign"),
        ("groups", "always_assign"),
        ("groups", "new_user_groups"),
        ("groups", "protected"),
        ("groups", "never_remove"),
        ("scope", "required_groups"),
        ("cleanup", "strip_exempt"),
        ("cleanup", "exempt_groups"),
    ] {
        for entry in written[part]
            .get_mut(name)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            *entry = json!(format!("shadow:{}", entry.as_str().unwrap()));
        }
    }
    serde_json::from_value(written).unwrap()
}

/// The same rules without what can be in the shadow.
fn without(rules: &Rules) -> Rules {
    let mut rest = Rules {
        mapping: Vec::new(),
        conditions: Vec::new(),
        inactivity: None,
        ..rules.clone()
    };
    rest.scope.filter = None;
    rest.scope.required_groups.clear();
    rest.cleanup.strip_exempt.clear();
    rest.cleanup.exempt_groups.clear();
    let groups = &mut rest.groups;
    groups.names.rules.clear();
    if let Some(mapping) = &mut groups.mapping {
        mapping.rows.clear();
    }
    for list in [
        &mut groups.only_assign,
        &mut groups.never_assign,
        &mut groups.always_assign,
        &mut groups.new_user_groups,
        &mut groups.protected,
        &mut groups.never_remove,
    ] {
        list.clear();
    }
    rest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_in_the_shadow_counts_as_little_as_what_is_not_there(
        rules in rules(),
        user in person(),
        groups in groups(),
        account in account(),
    ) {
        let mut active = rules;
        // What is off stays off, and would come out of the shadow otherwise.
        active.conditions.retain(|rule| rule.state == directory::rules::RuleState::Active);
        let subject = Subject {
            user: user.as_ref(),
            groups: &groups,
            existing: account.as_ref(),
            now: start(),
            trigger: Trigger::Scim,
            overrides: &[],
        };
        let hidden = shadowed(&active);
        let decide = |rules: &Rules| evaluate(&subject, &CompiledRules::new(rules).unwrap());
        prop_assert_eq!(decide(&hidden), decide(&without(&active)));
        prop_assert_eq!(hidden.with_shadows(), active.clone());
        prop_assert_eq!(hidden.has_shadows(), hidden != active);
        // It reads back, and rules without shadows say nothing of them.
        let text = serde_json::to_string(&hidden).unwrap();
        prop_assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), hidden);
    }
}

#[test]
fn what_would_be_is_told_with_the_rule_behind_it() {
    let rules: Rules = serde_json::from_value(json!({
        "conditions": [{"name": "contractors", "when": "title eq \"C\"", "add_groups": ["ext"], "state": "shadow"}],
        "groups": {"never_assign": ["shadow:dev"]},
    }))
    .unwrap();
    let ann = user(json!({"userName": "ann", "title": "C"}));
    let groups = [SourceGroup::direct(SourceGroupPk(1), "dev")];
    let subject = Subject {
        user: Some(&ann),
        groups: &groups,
        existing: None,
        now: start(),
        trigger: Trigger::Simulate,
        overrides: &[],
    };
    let decide = |rules: &Rules| evaluate(&subject, &CompiledRules::new(rules).unwrap());
    let (now, would) = (decide(&rules), decide(&rules.with_shadows()));
    assert_eq!(now.memberships.len(), 1);
    assert!(
        now.lines()
            .iter()
            .any(|it| it.text == "condition `contractors` is in the shadow, and has no effect")
    );
    let texts: Vec<String> = in_the_shadow(&now, &would, None)
        .into_iter()
        .map(|it| it.text)
        .collect();
    for part in [
        "would be: condition `contractors` holds",
        "`ext` is assigned by condition",
        "`never_assign`",
    ] {
        assert!(
            texts.iter().any(|it| it.contains(part)),
            "{part}: {texts:?}"
        );
    }
    let about = in_the_shadow(&now, &would, Some("ext"));
    assert!(
        about.iter().all(|it| !it.text.contains("never_assign")),
        "{about:?}"
    );
    assert!(in_the_shadow(&now, &now, None).is_empty());
}
