//! What an administrator says about one user beside the rules: it counts while it stands, and leaves no trace after.

use directory::{
    Account, CompiledRules, Override, OverrideId, OverrideKind, Reason, SourceGroup, Status,
    Subject, Trigger, apply, evaluate, plan, source_mark,
};
use jiff::{SignedDuration, Timestamp};
use scim::Resource;
use serde_json::{Value, json};

use crate::stage::{membership, rules, user};

fn now() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

struct Ann {
    rules: CompiledRules,
    user: Option<Resource>,
    groups: Vec<SourceGroup>,
    account: Option<Account>,
    overrides: Vec<Override>,
    now: Timestamp,
}

impl Ann {
    fn new(written: Value) -> Self {
        let mut ann = Self {
            rules: rules(written),
            user: Some(user(json!({"userName": "ann"}))),
            groups: vec![SourceGroup::direct(directory::SourceGroupPk(1), "dev")],
            account: None,
            overrides: Vec::new(),
            now: now(),
        };
        ann.step();
        ann
    }

    fn say(&mut self, kind: OverrideKind) {
        self.overrides.push(Override {
            id: OverrideId(7),
            kind,
            until: Some(self.now + SignedDuration::from_hours(1)),
            created: self.now,
            actor: "admin".into(),
            comment: String::new(),
        });
    }

    fn sends(&mut self, written: Value) {
        self.user = Some(user(written));
        self.step();
    }

    fn step(&mut self) {
        let decide = |account: Option<&Account>| {
            let subject = Subject {
                user: self.user.as_ref(),
                groups: &self.groups,
                existing: account,
                now: self.now,
                trigger: Trigger::Scim,
                overrides: &self.overrides,
            };
            evaluate(&subject, &self.rules)
        };
        let todo = plan(self.account.as_ref(), &decide(self.account.as_ref()));
        let after = apply(self.account.as_ref(), &todo);
        let again = plan(after.as_ref(), &decide(after.as_ref()));
        assert_eq!(again.changes, [], "deciding again found more to do");
        self.account = after;
    }

    fn an_hour_later(&mut self) {
        self.now += SignedDuration::from_hours(1);
        self.step();
    }

    fn state(&self) -> (Status, Reason) {
        let account = self.account.as_ref().unwrap();
        (account.status, account.reason)
    }

    fn groups(&self) -> Vec<&str> {
        let memberships = &self.account.as_ref().unwrap().memberships;
        let mut names: Vec<&str> = memberships.iter().map(|it| it.group.as_str()).collect();
        names.sort_unstable();
        names
    }
}

fn group(name: &str) -> String {
    name.to_owned()
}

const ACTIVE: (Status, Reason) = (Status::Active, Reason::IdpActive);

#[test]
fn an_excluded_user_cannot_log_in_until_the_end() {
    let mut ann = Ann::new(json!({"accounts": {"enable": false}}));
    ann.say(OverrideKind::Exclude);
    ann.step();
    assert_eq!(ann.state(), (Status::Disabled, Reason::Override));
    ann.sends(json!({"userName": "ann", "displayName": "Ann"}));
    let account = ann.account.as_ref().unwrap();
    assert_eq!(account.attributes.display_name, "Ann", "a sync goes on");
    assert_eq!(ann.groups(), ["dev"]);
    ann.an_hour_later();
    assert_eq!(ann.state(), ACTIVE);
}

#[test]
fn an_account_is_kept_active_whatever_stands_against_it() {
    for action in ["disable", "delete", "keep"] {
        let mut ann = Ann::new(json!({"cleanup": {"idp_inactive": action, "idp_deleted": action}}));
        ann.say(OverrideKind::KeepActive);
        ann.sends(json!({"userName": "ann", "active": false}));
        assert_eq!(
            ann.state(),
            (Status::Active, Reason::IdpInactive),
            "{action}"
        );
        assert_eq!(ann.groups(), ["dev"]);
        ann.user = None;
        ann.step();
        assert_eq!(
            ann.state(),
            (Status::Active, Reason::IdpDeleted),
            "{action}"
        );
        ann.an_hour_later();
        let status = match action {
            "disable" => Status::Disabled,
            "delete" => Status::Removed,
            _ => Status::Active,
        };
        assert_eq!(ann.state().0, status);
    }
}

#[test]
fn someone_disabled_is_let_in_for_a_while_and_a_lasting_word_counts_again() {
    for reason in [Reason::IdpInactive, Reason::Manual] {
        let mut ann = Ann::new(json!({}));
        if reason == Reason::IdpInactive {
            ann.sends(json!({"userName": "ann", "active": false}));
        } else {
            let account = ann.account.as_mut().unwrap();
            (account.status, account.reason) = (Status::Disabled, reason);
        }
        ann.say(OverrideKind::KeepActive);
        ann.step();
        assert_eq!(ann.state().0, Status::Active);
        ann.an_hour_later();
        assert_eq!(ann.state(), (Status::Disabled, reason));
    }
}

#[test]
fn a_membership_comes_and_goes_with_its_override_whatever_the_authority() {
    for authority in ["strict", "owned_only", "additive"] {
        let written = json!({"groups": {"authority": authority, "never_assign": ["admins"], "never_remove": ["admins"]}});
        let mut ann = Ann::new(written);
        ann.say(OverrideKind::AddToGroup {
            group: group("admins"),
        });
        ann.step();
        assert_eq!(ann.groups(), ["admins", "dev"]);
        let memberships = &ann.account.as_ref().unwrap().memberships;
        let parts = |it: &directory::Origin| (it.kind(), it.reference());
        let origins = memberships.iter().find(|it| it.group == "admins");
        let origins: Vec<_> = origins.unwrap().origins.iter().map(parts).collect();
        assert_eq!(origins, [("local", "7".to_owned())]);
        ann.an_hour_later();
        assert_eq!(ann.groups(), ["dev"], "{authority}");
    }
}

#[test]
fn a_membership_of_another_origin_outlives_the_override() {
    let mut ann = Ann::new(json!({}));
    ann.account.as_mut().unwrap().memberships = vec![membership("ops", &["local"])];
    ann.say(OverrideKind::AddToGroup {
        group: group("OPS"),
    });
    ann.step();
    ann.an_hour_later();
    let memberships = &ann.account.as_ref().unwrap().memberships;
    assert!(
        memberships.contains(&membership("ops", &["local"])),
        "{memberships:?}"
    );
}

#[test]
fn who_is_kept_out_of_a_group_comes_back_at_the_end() {
    let mut ann = Ann::new(json!({}));
    ann.say(OverrideKind::KeepOutOfGroup {
        group: group("Dev"),
    });
    ann.step();
    assert_eq!(ann.groups(), [""; 0]);
    let subject = Subject {
        user: ann.user.as_ref(),
        groups: &ann.groups,
        existing: ann.account.as_ref(),
        now: ann.now,
        trigger: Trigger::Simulate,
        overrides: &ann.overrides,
    };
    let why = evaluate(&subject, &ann.rules).why_group("dev");
    assert!(!why.member);
    let told = why.lines.iter().any(|line| {
        line.text
            .contains("override of admin: the user is kept out of `Dev`")
    });
    assert!(told, "{:?}", why.lines);
    ann.an_hour_later();
    assert_eq!(ann.groups(), ["dev"]);
}

#[test]
fn an_account_stays_as_it_is_until_the_provider_says_something_else() {
    let mut ann = Ann::new(json!({"groups": {"always_assign": ["all"]}}));
    let account = ann.account.as_mut().unwrap();
    account.attributes.email = "old@x".into();
    account.memberships = vec![membership("gone", &["idp:9"])];
    (account.status, account.reason) = (Status::Disabled, Reason::IdpInactive);
    let before = ann.account.clone();
    let mark = source_mark(ann.user.as_ref(), &ann.groups);
    ann.say(OverrideKind::KeepAsIs { mark });
    ann.overrides[0].until = None;
    ann.step();
    assert_eq!(ann.account, before);
    // The same, with its names written in another order.
    ann.sends(
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann"}),
    );
    assert_eq!(ann.account, before);
    ann.groups[0].name = "devs".into();
    ann.step();
    assert_eq!(ann.state(), ACTIVE);
    assert_eq!(ann.groups(), ["all", "devs"]);
}

#[test]
fn somebody_removed_by_an_undo_stays_removed() {
    let mut ann = Ann::new(json!({}));
    let mark = source_mark(ann.user.as_ref(), &ann.groups);
    let account = ann.account.as_mut().unwrap();
    (account.status, account.reason) = (Status::Removed, Reason::Override);
    account.memberships.clear();
    ann.say(OverrideKind::KeepAsIs { mark });
    ann.step();
    assert_eq!(ann.state().0, Status::Removed);
    ann.sends(json!({"userName": "ann", "title": "Dev"}));
    assert_eq!(ann.state(), ACTIVE);
}
