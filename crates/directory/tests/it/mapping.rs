//! The mapping table: its defaults, its steps, and what happens without value or match.

use directory::Attributes;
use scim::{Dialect, Resource, ResourceType};
use serde_json::{Value, json};

use crate::stage::{Person, called, user};

fn mapped(rules: Value, written: Value) -> Attributes {
    let mut person = Person::new(rules);
    person.user = Some(user(written));
    person.outcome().attributes
}

fn username(steps: Value, name: &str) -> String {
    let rules = json!({"mapping": [{"target": "username", "steps": steps}]});
    mapped(rules, json!({"userName": name})).username
}

/// A user of an identity provider that means an empty text.
fn literal(written: Value) -> Resource {
    let map = written.as_object().cloned().unwrap();
    let (user, _ignored) =
        Resource::from_request(ResourceType::user(), map, &Dialect::rfc()).unwrap();
    user
}

/// What is there and empty is no value, unless the row says that it is one.
#[test]
fn an_empty_text_is_a_value_only_where_the_row_says_so() {
    for (empty_as_null, expected) in [(true, "Ann"), (false, "")] {
        let mut ann = Person::new(json!({"mapping": [
            {"target": "display_name", "source": {"attribute": "displayName"}, "steps": ["trim"],
             "empty_as_null": empty_as_null},
            {"target": "attr:title", "source": {"attribute": "title"}, "on_null": "keep",
             "empty_as_null": empty_as_null},
        ]}));
        let title = |person: &Person| {
            let account = person.account.as_ref().unwrap();
            account.attributes.extra.get("title").cloned()
        };
        ann.user = Some(user(
            json!({"userName": "ann", "displayName": "Ann", "title": "Dr"}),
        ));
        ann.step();
        ann.user = Some(literal(
            json!({"userName": "ann", "displayName": "", "title": ""}),
        ));
        ann.step();
        let account = ann.account.as_ref().unwrap();
        assert_eq!(account.attributes.display_name, expected);
        assert_eq!(title(&ann).is_some(), empty_as_null);
        // What is not there at all is no value in either case.
        ann.user = Some(user(
            json!({"userName": "ann", "displayName": "Ann", "title": "Dr"}),
        ));
        ann.step();
        ann.user = Some(user(json!({"userName": "ann"})));
        ann.step();
        let account = ann.account.as_ref().unwrap();
        assert_eq!(account.attributes.display_name, "Ann");
        assert_eq!(title(&ann), Some(vec!["Dr".to_owned()]));
    }
}

#[test]
fn defaults_take_what_clients_send() {
    let ann = mapped(
        json!({}),
        json!({
            "userName": "ann@example.com",
            "displayName": "Ann Archer",
            "name": {"givenName": "Ann", "familyName": "Archer", "formatted": "Dr. Ann Archer"},
            "emails": [
                {"value": "home@example.com", "type": "home"},
                {"value": "work@example.com", "type": "work"},
                {"value": "first@example.com", "primary": true},
            ],
        }),
    );
    assert_eq!(ann.username, "ann@example.com");
    assert_eq!(ann.display_name, "Ann Archer");
    assert_eq!(
        (ann.first_name.as_str(), ann.last_name.as_str()),
        ("Ann", "Archer")
    );
    assert_eq!(ann.email, "first@example.com");
}

#[test]
fn a_full_name_is_found_somewhere() {
    let full =
        |name: Value| mapped(json!({}), json!({"userName": "ann", "name": name})).display_name;
    assert_eq!(
        full(json!({"formatted": "Ann A.", "givenName": "x"})),
        "Ann A."
    );
    assert_eq!(
        full(json!({"givenName": "Ann", "familyName": "Archer"})),
        "Ann Archer"
    );
    assert_eq!(full(json!({"familyName": "Archer"})), "Archer");
    assert_eq!(full(json!({"middleName": "x"})), "ann");
}

#[test]
fn an_address_for_work_goes_before_others() {
    let email = |emails: Value| mapped(json!({}), json!({"userName": "a", "emails": emails})).email;
    assert_eq!(
        email(json!([{"value": "h@x", "type": "home"}, {"value": "w@x", "type": "WORK"}])),
        "w@x"
    );
    assert_eq!(
        email(json!([{"value": "h@x", "type": "home"}, {"value": "o@x"}])),
        "h@x"
    );
    assert_eq!(email(json!([])), "");
}

#[test]
fn steps_do_what_their_names_say() {
    for (steps, name, expected) in [
        (json!(["lower"]), "ÄNN@Example.COM", "änn@example.com"),
        (json!(["upper"]), "ann", "ANN"),
        (json!(["title"]), "ann o'neil-smith", "Ann O'Neil-Smith"),
        (json!(["strip_domain"]), "ann@home@example.com", "ann@home"),
        (json!(["strip_domain", "lower"]), "ANN@example.com", "ann"),
        (json!(["strip_spaces"]), "a n n", "ann"),
        (json!(["collapse_spaces"]), "a  n", "a n"),
        (
            json!(["guest_to_email"]),
            "bob_x.example#EXT#@t",
            "bob@x.example",
        ),
        (
            json!([{"replace": {"find": ".", "with": "-"}}]),
            "a.b.c",
            "a-b-c",
        ),
        (
            json!([{"replace": {"find": "B", "with": "$1"}}]),
            "abc",
            "abc",
        ),
        (
            json!([{"replace": {"find": "B", "with": "$1", "i": true}}]),
            "abc",
            "a$1c",
        ),
        (json!([{"prefix": {"text": "x-"}}]), "x-ann", "x-x-ann"),
        (
            json!([{"prefix": {"text": "x-", "unless_present": true}}]),
            "x-ann",
            "x-ann",
        ),
        (json!([{"suffix": {"text": "@x"}}]), "ann", "ann@x"),
        (
            json!([{"suffix": {"text": "@x", "unless_present": true}}]),
            "ann@x",
            "ann@x",
        ),
        (json!([{"constant": "everybody"}]), "ann", "everybody"),
        (json!([{"default": "nobody"}]), "ann", "ann"),
        (json!([{"suffix": {"text": " "}}, "trim"]), "ann", "ann"),
        (
            json!([{"regex_replace": {"pattern": "(.*)0(.*)", "with": "$1$2"}}]),
            "demo0user",
            "demouser",
        ),
        (
            json!([{"regex_replace": {"pattern": "a", "with": "b"}}]),
            "aa",
            "aa",
        ),
        (
            json!([{"regex_replace": {"pattern": "a", "with": "b", "mode": "first"}}]),
            "aa",
            "ba",
        ),
        (
            json!([{"regex_replace": {"pattern": "a", "with": "b", "mode": "all"}}]),
            "aa",
            "bb",
        ),
        (
            json!([{"regex_replace": {"pattern": "A+", "with": "b", "i": true}}]),
            "aa",
            "b",
        ),
    ] {
        assert_eq!(username(steps.clone(), name), expected, "{steps} on {name}");
    }
}

#[test]
fn a_step_that_must_match_may_stand_among_others() {
    let rules = |on_no_match: &str| {
        json!({"mapping": [{
            "target": "attr:team",
            "source": {"attribute": "title"},
            "steps": ["lower", {"regex_replace": {"pattern": "team (.*)", "with": "$1"}}],
            "on_no_match": on_no_match,
        }]})
    };
    let team = |on_no_match, title: &str| {
        let ann = mapped(
            rules(on_no_match),
            json!({"userName": "ann", "title": title}),
        );
        ann.extra.get("team").map(|it| it.join(","))
    };
    assert_eq!(team("clear", "Team Blue").as_deref(), Some("blue"));
    assert_eq!(
        team("pass", "CHIEF").as_deref(),
        Some("chief"),
        "other steps still count"
    );
    assert_eq!(team("clear", "CHIEF"), None);
    assert_eq!(team("keep", "CHIEF"), None, "nothing was there to be kept");
}

#[test]
fn several_values_pass_one_by_one() {
    let ann = mapped(
        json!({"mapping": [{
            "target": "attr:mail",
            "source": {"attribute": "emails.value"},
            "steps": [{"regex_replace": {"pattern": "(.*)@corp", "with": "$1"}}],
            "on_no_match": "clear",
        }]}),
        json!({"userName": "ann", "emails": [{"value": "a@corp"}, {"value": "b@else"}, {"value": "c@corp"}]}),
    );
    assert_eq!(ann.extra["mail"], ["a", "c"]);
}

#[test]
fn sources_of_every_kind() {
    let written = json!({
        "userName": "ann",
        "name": {"familyName": "Archer"},
        "emails": [{"value": "h@x", "type": "home"}, {"value": "w@x", "type": "work"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales"},
    });
    for (source, expected) in [
        (
            json!({"attribute": "emails[type eq \"home\"].value"}),
            "h@x",
        ),
        (
            json!({"attribute": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"}),
            "Sales",
        ),
        (json!({"attribute": "department"}), "Sales"),
        (json!({"attribute": "emails"}), "h@x, w@x"),
        (
            json!({"first_of": ["nickName", "name.familyName", "userName"]}),
            "Archer",
        ),
        (
            json!({"template": "${name.givenName} ${name.familyName} (${department})"}),
            "Archer (Sales)",
        ),
        (
            json!({"template": "<${emails[type eq \"work\"].value}>"}),
            "<w@x>",
        ),
        (json!({"constant": "fixed"}), "fixed"),
    ] {
        let rules = json!({"mapping": [{"target": "attr:x", "source": source}]});
        let ann = mapped(rules, written.clone());
        assert_eq!(ann.get("attr:x").as_deref(), Some(expected), "{source}");
    }
    let rules = json!({"mapping": [{"target": "attr:x", "source": {"template": "-${nickName}-${title}-"}}]});
    assert_eq!(
        mapped(rules, written).extra.get("x"),
        None,
        "all parts are missing"
    );
}

#[test]
fn without_value_each_target_has_its_way() {
    let mut ann = Person::new(json!({"mapping": [
        {"target": "attr:kept", "source": {"attribute": "title"}, "on_null": "keep"},
        {"target": "attr:cleared", "source": {"attribute": "title"}},
    ]}));
    ann.user = Some(user(json!({
        "userName": "ann", "displayName": "Ann", "title": "Dr",
        "name": {"givenName": "Ann"}, "emails": [{"value": "a@x"}],
    })));
    ann.step();
    ann.user = Some(user(json!({"userName": "ann", "displayName": "Ann"})));
    ann.step();
    let attributes = &ann.account.as_ref().unwrap().attributes;
    assert_eq!(attributes.email, "a@x", "kept by default");
    assert_eq!(attributes.first_name, "", "cleared by default");
    assert_eq!(attributes.get("attr:kept").as_deref(), Some("Dr"));
    assert_eq!(attributes.get("attr:cleared"), None);
}

#[test]
fn nobody_is_known_by_an_impossible_name() {
    let no_name = json!({"mapping": [{"target": "username", "source": {"attribute": "nickName"}}]});
    let mut ann = Person::new(json!({}));
    ann.step();
    ann.rules = crate::stage::rules(no_name.clone());
    assert!(ann.changes().is_empty(), "the old name stays");

    let mut new = Person::new(no_name);
    assert!(new.changes().is_empty(), "nobody appears without a name");
    for nick in ["x".repeat(256).as_str(), "tab\there", "bidi\u{202e}"] {
        new.user = Some(user(json!({"userName": "ann", "nickName": nick})));
        assert!(new.changes().is_empty(), "{nick:?}");
    }
    new.user = Some(user(
        json!({"userName": "ann", "nickName": "é".repeat(255)}),
    ));
    assert_eq!(new.changes(), ["create_user"]);
}

#[test]
fn activity_can_be_mapped() {
    let rules = json!({"mapping": [{
        "target": "active",
        "source": {"attribute": "userType"},
        "steps": [
            {"regex_replace": {"pattern": "Leaver", "with": "false"}},
            {"regex_replace": {"pattern": "Employee", "with": "true"}},
        ],
    }]});
    let kind = |kind: &str| {
        let mut ann = Person::new(rules.clone());
        ann.user = Some(user(json!({"userName": "ann", "userType": kind})));
        ann.step();
        ann.state().unwrap().0.as_str()
    };
    assert_eq!(kind("Leaver"), "disabled");
    assert_eq!(kind("Employee"), "active");
    assert_eq!(
        kind("whatever"),
        "active",
        "not understood, so the plain word counts: absent is active"
    );
}

#[test]
fn a_value_too_long_for_an_expression_changes_nothing() {
    let rules = json!({"mapping": [{
        "target": "display_name",
        "steps": [{"regex_replace": {"pattern": "a", "with": "b", "mode": "all"}}],
    }]});
    let mut ann = Person::new(rules);
    ann.step();
    ann.user = Some(user(
        json!({"userName": "ann", "displayName": "é".repeat(2049)}),
    ));
    assert!(ann.changes().is_empty());
    let lines = ann.outcome().lines();
    assert!(
        lines
            .iter()
            .any(|it| it.text.contains("longer than the 4 KiB")),
        "{lines:?}"
    );
}

#[test]
fn values_do_not_grow_without_end() {
    let grow = json!({"replace": {"find": "a", "with": "aaaaaaaaaaaaaaaa"}});
    let steps: Vec<Value> = std::iter::repeat_n(grow, 50).collect();
    assert_eq!(
        username(json!(steps), "a"),
        "",
        "the row fails, and nobody appears"
    );
}

#[test]
fn rows_can_name_groups() {
    let mut ann = Person::new(json!({
        "mapping": [{
            "target": "groups",
            "source": {"attribute": "department"},
            "steps": ["lower", {"prefix": {"text": "dep-"}}],
        }],
        "groups": {"never_assign": ["dep-board"]},
    }));
    let department = |name: &str| {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        Some(user(
            json!({"userName": "ann", enterprise: {"department": name}}),
        ))
    };
    ann.user = department("Sales");
    ann.step();
    assert_eq!(ann.origins("dep-sales"), ["rule:department"]);
    ann.user = department("Board");
    ann.step();
    assert_eq!(ann.member_of(), Vec::<&str>::new());
}

#[test]
fn group_names_go_through_rules_in_order() {
    let rules = |mode: &str| {
        json!({"groups": {"names": {"mode": mode, "rules": [
            {"steps": ["lower"]},
            {"steps": [{"regex_replace": {"pattern": "app-(.*)", "with": "$1"}}]},
            {"steps": [{"regex_replace": {"pattern": "jira-(.*)", "with": "j-$1"}}]},
        ]}}})
    };
    let name = |mode, name: &str| {
        crate::stage::rules(rules(mode))
            .effective_group(&called(name))
            .unwrap()
    };
    assert_eq!(name("first_match", "APP-Jira-Users"), "jira-users");
    assert_eq!(name("chain", "APP-Jira-Users"), "j-users");
    assert_eq!(
        name("first_match", "Other"),
        "other",
        "plain steps apply to every name"
    );
}

#[test]
fn lists_may_look_at_the_names_before_transformation() {
    let mut ann = Person::new(json!({"groups": {
        "names": {"rules": [{"steps": ["lower", {"prefix": {"text": "x-"}}]}]},
        "only_assign": ["source:Dev", "x-ops"],
    }}))
    .in_groups(&["DEV", "Ops", "Hr"]);
    ann.step();
    assert_eq!(ann.member_of(), ["x-dev", "x-ops"]);
}

#[test]
fn attributes_of_any_extension_are_read() {
    let acme = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User";
    let rules = json!({"mapping": [
        {"target": "attr:badge", "source": {"attribute": format!("{acme}:badge")}},
        {"target": "attr:lead", "source": {
            "template": format!("${{{acme}:teams[lead eq true].name}} / ${{{acme}:floor}}")}},
    ]});
    let ann = mapped(
        rules,
        json!({"userName": "ann", acme: {"Badge": "B-7", "floor": 3, "teams": [
            {"name": "ops", "lead": false}, {"name": "dev", "lead": true}]}}),
    );
    assert_eq!(ann.get("attr:badge").as_deref(), Some("B-7"));
    assert_eq!(ann.get("attr:lead").as_deref(), Some("dev / 3"));
}
