//! What may be done to accounts at all, and who is exempt from cleanup.

use serde_json::{Value, json};

use crate::stage::{Person, membership, rules, user};

fn told(person: &Person) -> String {
    let lines = person.outcome().lines().into_iter();
    lines.map(|line| line.text).collect::<Vec<_>>().join("\n")
}

fn with(switch: &str) -> Value {
    let mut written = json!({"accounts": {}});
    written["accounts"][switch] = json!(false);
    written
}

fn inactive() -> Value {
    json!({"userName": "ann", "displayName": "Ann", "active": false})
}

#[test]
fn no_account_is_made_and_those_that_are_there_follow() {
    let mut new = Person::new(with("create"));
    assert!(new.changes().is_empty());
    assert!(told(&new).contains("`accounts.create` is off"));

    let mut known = Person::new(with("create")).with_account(vec![]);
    known.user = Some(user(json!({"userName": "ann", "displayName": "Ann B"})));
    assert_eq!(known.changes(), ["update_user"]);
}

#[test]
fn attributes_stay_and_memberships_follow() {
    let mut ann = Person::new(with("update"))
        .in_groups(&["dev"])
        .with_account(vec![]);
    ann.user = Some(user(json!({"userName": "ann2", "displayName": "Ann B"})));
    assert_eq!(ann.changes(), ["add_membership"]);
    assert!(told(&ann).contains("`accounts.update` is off"));
    let mut new = Person::new(with("update"));
    assert_eq!(new.changes(), ["create_user"]);
}

#[test]
fn a_disabled_account_stays_disabled() {
    let mut ann = Person::new(json!({}));
    ann.step();
    ann.user = Some(user(inactive()));
    ann.step();
    ann.rules = rules(with("enable"));
    ann.user = Some(user(json!({"userName": "ann", "displayName": "Ann"})));
    assert!(ann.changes().is_empty());
    assert!(told(&ann).contains("`accounts.enable` is off"));
    ann.rules = rules(json!({}));
    assert_eq!(ann.changes(), ["reactivate"]);
}

#[test]
fn an_active_account_stays_active_and_is_not_deleted() {
    for action in ["disable", "delete"] {
        let mut written = with("disable");
        written["cleanup"] = json!({"idp_inactive": action, "idp_deleted": action});
        let held = vec![membership("dev", &["idp:1"])];
        let mut ann = Person::new(written).in_groups(&["dev"]).with_account(held);
        ann.user = Some(user(inactive()));
        ann.step();
        assert_eq!(ann.state().unwrap().0.as_str(), "active");
        let story = format!(
            "IDP_INACTIVE: the rules say {action}\n\
             cleanup is suppressed: `accounts.disable` is off\n\
             source group `dev` is assigned\n\
             the account stays active all the same (IDP_INACTIVE)"
        );
        assert!(told(&ann).ends_with(&story), "{}", told(&ann));
        ann.user = None;
        ann.step();
        assert_eq!(ann.state().unwrap().0.as_str(), "active", "{action}");
        assert_eq!(ann.member_of(), ["dev"]);
    }
}

#[test]
fn some_are_exempt_from_cleanup() {
    let exempt = || {
        json!({"cleanup": {
            "idp_inactive": "disable",
            "exempt_when": "userType eq \"Service\"",
            "exempt_groups": ["Always Active", "source:re:keep-.*"],
        }})
    };
    let after = |kind: &str, groups: &[&str], held: Vec<directory::Membership>| {
        let mut ann = Person::new(exempt()).in_groups(groups).with_account(held);
        let mut written = inactive();
        written["userType"] = json!(kind);
        ann.user = Some(user(written));
        ann.step();
        ann.state().unwrap().0.as_str()
    };
    assert_eq!(after("Employee", &[], vec![]), "disabled");
    assert_eq!(after("service", &[], vec![]), "active");
    assert_eq!(after("Employee", &["keep-x"], vec![]), "active");
    assert_eq!(after("Employee", &["always active"], vec![]), "active");
    let local = vec![membership("Always Active", &["local"])];
    assert_eq!(after("Employee", &[], local.clone()), "active");

    let mut gone = Person::new(exempt()).with_account(local);
    gone.user = None;
    gone.step();
    assert_eq!(gone.state().unwrap().0.as_str(), "active");
    assert!(told(&gone).contains("exempt from cleanup by `Always Active`"));
}
