//! Rules in the console: forms with the preview beside them, plans, versions, and the way back.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, ok};
use crate::http::Answer;
use crate::ui_browser::{Browser, without_own_scripts};
use crate::ui_form::{fields, filled};
use crate::world::World;

const EDIT: &str = "/console/connectors/idp/edit";
const SECTIONS: [&str; 5] = ["provisioning", "mapping", "groups", "conditions", "cleanup"];
/// The form of rules.
const FORM: &str = " data-preview>";

/// Sends the form of a section with some other values.
fn edit(
    browser: &Browser<'_>,
    section: &str,
    page: &Answer,
    with: &[(&str, &str)],
    button: &str,
) -> Answer {
    let filled = filled(&fields(page, FORM), with, button);
    let filled: Vec<(&str, &str)> = filled
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    browser.submit(&format!("{EDIT}/{section}"), &filled)
}

#[test]
fn what_was_just_added_is_not_told_to_be_wrong_before_it_is_filled_in() {
    on_each_database(|database| {
        let world = World::new(database);
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let page = browser.get(&format!("{EDIT}/conditions"));
        let added = edit(&browser, "conditions", &page, &[], "add:conditions");
        assert_eq!(added.status, 200, "{}", added.text());
        assert!(added.text().contains("Fill in what you have added"));
        assert!(!added.text().contains("the rule does nothing"));
        let previewed = edit(&browser, "conditions", &added, &[], "preview");
        assert_eq!(previewed.status, 422, "{}", previewed.text());
        assert!(previewed.text().contains("the rule does nothing"));
    });
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

/// Every kind of step, and of everything else that a form can say.
fn everything() -> Value {
    let steps = json!(["lower", "upper", "title", "trim", "collapse_spaces", "strip_spaces", "strip_domain",
        "guest_to_email", "ascii_fold", {"replace": {"find": "a \"b\" <c>", "with": "&", "i": true}},
        {"regex_replace": {"pattern": "(a)", "with": "$1", "mode": "all", "i": false}},
        {"regex_extract": {"pattern": "(a)(b)", "group": 2, "i": false}}, {"template": "${value}-${userName}"},
        {"coalesce": ["nickName", "title"]}, {"default": "x"}, {"prefix": {"text": " p", "unless_present": true}},
        {"suffix": {"text": "s ", "unless_present": false}}, {"substring": {"start": 1, "len": 3}}, {"left": 4},
        {"right": 3}, {"split": {"sep": ",", "trim": true, "drop_empty": false}}, "unique", "sort", {"item": 0},
        {"word": {"n": 0, "sep": " "}}, {"map": {"table": {"a": "b", "c=d": "e", "f": ["g", "h"]}, "default": "pass",
        "i": true}}, {"map": {"table": {"a": "b", "x": ["y", "z"]}, "default": {"value": "v"}, "i": false}},
        {"keep_if": {"pattern": ".*", "i": false}}, {"drop_if": {"pattern": "z", "i": false}},
        {"username_safe": {"allowed": "[a-z_]", "replace": "_"}}, {"if": {"when": "title eq \"x\"",
        "then": ["upper", {"if": {"when": "title pr", "then": ["trim"]}}], "else": ["lower"]}}, "redact", "ignore_if_empty",
        {"lookup_user": {"by": "user_name", "return": "title"}}, {"hash": {"key": "0123456789abcdef", "len": 12}}]);
    json!({
        "mapping": [
            {"target": "attr:long", "source": {"attribute": "title"}, "steps": steps, "on_no_match": "keep",
                "on_null": "clear", "state": "shadow"},
            {"target": "attr:when", "source": {"first_of": ["meta.created", "title"]}, "steps": [{"date_parse": {}},
                {"date_add": {"days": 3}}, {"date_diff": {"to": "now", "unit": "hours"}}], "apply": "create_only"},
            {"target": "display_name", "source": {"template": "${displayName}"}, "on_no_match": "pass"},
            {"target": "email", "source": "email_primary"},
            {"target": "attr:same", "source": {"result": "email"}},
        ],
        "groups": {
            "names": {"mode": "chain", "rules": [{"steps": ["lower"]}, {"steps": ["trim"], "state": "off"}]},
            "only_assign": ["re:.*"], "never_assign": ["secret"], "always_assign": ["all"], "new_user_groups": ["new"],
            "mapping": {"rows": [{"source": {"id": "1", "name": "one"}, "groups": ["uno"]}], "unmapped": "pass"},
            "authority": "strict", "nested_groups": "ignore", "create_empty": false, "rename": "alias",
            "alias_days": 7, "on_source_deleted": "delete_if_empty_and_ours", "on_existing": "review",
        },
        "conditions": [{"name": "leavers", "when": "title eq \"x\"", "add_groups": ["bye"], "disable_at": "title",
            "disable_at_plus": {"days": 2}}, {"name": "drop", "when": "title eq \"y\"", "drop": true, "state": "off"}],
        "scope": {"filter": "userName pr", "grace_minutes": 3},
        "identity": {"by_email": true, "by_attribute": "long", "on_existing": "reject"},
        "accounts": {"enable": false, "rename": "pin"},
        "cleanup": {"idp_inactive": "keep", "later": {"idp_inactive": {"after_days": 9, "action": "delete"}},
            "strip_groups": true, "strip_exempt": ["x"], "exempt_when": "title eq \"boss\""},
        "inactivity": {"days": 90, "action": "disable", "only_groups": ["jira"], "sticky": false, "never": ["admins"]},
    })
}

#[test]
fn a_form_that_nobody_touches_says_what_the_rules_say() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let rules = json!({ "rules": everything(), "anyway": true });
    let saved = console.send("PUT", "/connectors/idp/rules", &rules.to_string());
    let saved = ok(&saved);
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    for section in SECTIONS {
        let page = browser.get(&format!("{EDIT}/{section}"));
        let again = edit(&browser, section, &page, &[], "preview");
        assert_eq!(fields(&page, FORM), fields(&again, FORM), "{section}");
        let plan = location(&edit(&browser, section, &again, &[], "plan"));
        let plan = browser.get(&plan);
        assert!(
            plan.text().contains("The rules in force say the same"),
            "{section}: {}",
            plan.text()
        );
    }
    assert_eq!(
        console.show("/connectors/idp/rules")["rules"],
        saved["rules"]
    );
}

#[test]
fn a_rule_is_written_seen_planned_applied_and_taken_back() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        world.group("Jira Users", &[&mira]);
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let page = browser.get(&format!("{EDIT}/mapping"));
        assert!(
            page.text().contains(
                "This is what the rules in force make of people; what is held stays as it is."
            ),
            "{}",
            page.text()
        );
        let page = edit(&browser, "mapping", &page, &[], "add:mapping");
        // Another row takes a target that has none yet, and the page comes back at it.
        assert!(page.text().contains("formaction=\"#mapping.1\""));
        let second = edit(&browser, "mapping", &page, &[], "add:mapping");
        assert_eq!(second.status, 200, "{}", second.text());
        let target = "name=\"mapping.1.target\" value=\"email\"";
        assert!(second.text().contains(target), "{}", second.text());
        let page = edit(
            &browser,
            "mapping",
            &page,
            &[("mapping.0.steps.new", "upper")],
            "add:mapping.0.steps",
        );
        let page = edit(
            &browser,
            "mapping",
            &page,
            &[("mapping.0.steps.new", "prefix")],
            "add:mapping.0.steps",
        );
        let text = [("mapping.0.steps.1.prefix.text", "x-")];
        let page = edit(&browser, "mapping", &page, &text, "preview");
        for told in [
            "<strong>1</strong> of 1 people",
            "x-MIRA</ins>",
            "mira</del>",
        ] {
            assert!(page.text().contains(told), "{told} in {}", page.text());
        }
        // The steps change places.
        let turned = edit(&browser, "mapping", &page, &[], "up:mapping.0.steps.1");
        assert!(turned.text().contains("X-MIRA</ins>"));
        let removed = edit(
            &browser,
            "mapping",
            &turned,
            &[],
            "remove:mapping.0.steps.0",
        );
        assert!(removed.text().contains("MIRA</ins>") && !removed.text().contains("X-MIRA"));

        // Another kind of step has other fields.
        let kind = [("mapping.0.steps.1.kind", "left")];
        let other = edit(&browser, "mapping", &page, &kind, "preview");
        assert!(other.text().contains("name=\"mapping.0.steps.1.left\""));

        // What is wrong is told at its place, and nothing is planned.
        let wrong = [("mapping.0.steps.1.kind", "keep_if")];
        let wrong = edit(&browser, "mapping", &page, &wrong, "preview");
        let pattern = [("mapping.0.steps.1.keep_if.pattern", "(")];
        let wrong = edit(&browser, "mapping", &wrong, &pattern, "plan");
        assert_eq!(wrong.status, 422);
        for told in [
            "class=\"fault\" id=\"e-mapping.0.steps.1.keep_if.pattern\"",
            "aria-describedby=\"e-mapping.0.steps.1.keep_if.pattern\" aria-invalid=\"true\"",
            "Row 1, Step 2, Regular expression: ",
        ] {
            assert!(wrong.text().contains(told), "{told}: {}", wrong.text());
        }
        assert!(wrong.text().contains("list=\"targets\""));

        // Whoever is not there leaves the preview as it is.
        let nobody = edit(&browser, "mapping", &page, &[("who", "zzz")], "preview");
        assert_eq!(nobody.status, 200);
        assert!(nobody.text().contains("No user name begins with"));
        assert!(nobody.text().contains("people looked at"));

        let plan = location(&edit(&browser, "mapping", &page, &[], "plan"));
        let shown = browser.get(&plan);
        for told in [
            "x-MIRA</ins>",
            "renamed</span>",
            "<code>mapping[username]</code>",
            "Apply exactly this",
        ] {
            assert!(shown.text().contains(told), "{told} in {}", shown.text());
        }
        let apply = format!("{plan}/apply");
        let applied = browser.fill_in(&plan, &apply, &[("comment", "louder names")]);
        assert_eq!(applied.status, 200, "{}", applied.text());
        assert!(applied.text().contains("The rules are in force"));
        world.run(world.provision.work_off()).unwrap();
        let console = Console::new(&world);
        assert_eq!(console.get("/directories/default/users/x-MIRA").status, 200);
        let jobs = browser.get("/console/jobs");
        assert!(jobs.text().contains("Evaluation by new rules"));
        // The plan says that it was applied, and offers nothing more; who has its form still open is told.
        let over = browser.text(&plan);
        assert!(
            over.contains("Applied ") && over.contains("by ann, as <a"),
            "{over}"
        );
        assert!(
            over.contains("version 2</a>.") && !over.contains("Apply exactly this"),
            "{over}"
        );
        let late = browser.fill_in(&plan, &apply, &[("comment", "twice")]);
        assert_eq!(late.status, 409);
        assert!(late.text().contains("Applied "), "{}", late.text());
        // A form that was begun before cannot overwrite what others did since.
        let old = edit(&browser, "mapping", &page, &[], "plan");
        assert_eq!(old.status, 409);
        assert!(old.text().contains("version 2 is in force"));

        let versions = "/console/connectors/idp/versions";
        assert!(browser.get(versions).text().contains("louder names"));
        let none = browser.get(&format!("{versions}/abc"));
        assert_eq!(none.status, 404);
        assert!(none.text().contains("There is no such page."));
        let first = format!("{versions}/1");
        assert!(browser.get(&first).text().contains("Plan the way back"));
        let back = browser.fill_in(&first, &format!("{first}/plan"), &[]);
        let back = location(&back);
        let back = back.split('?').next().unwrap();
        assert_eq!(
            browser.fill_in(back, &format!("{back}/apply"), &[]).status,
            200
        );
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(console.get("/directories/default/users/mira").status, 200);
        let over = browser.text(&plan);
        assert!(over.contains("which others have followed since"), "{over}");
    });
}

#[test]
fn undoing_what_new_rules_did_says_that_they_stay_in_force() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    world.mira();
    let console = Console::new(&world);
    let rules =
        json!({"rules": {"scope": {"filter": "userName eq \"nobody\"", "grace_minutes": 0}}});
    ok(&console.put("/connectors/idp/rules", rules));
    world.run(world.provision.work_off()).unwrap();
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let job = console.show("/jobs?kind=rules")["items"][0].clone();
    let page = browser.text(&format!("/console/jobs/{}", job["id"].as_str().unwrap()));
    assert!(page.contains("Go back to former rules…"), "{page}");
    let request = job["request"].as_str().unwrap();
    let undo = format!("/console/undo?directory=default&request={request}");
    let shown = browser.text(&undo);
    assert!(
        shown.contains("New rules of idp did this, and undoing leaves them in force."),
        "{shown}"
    );
    assert!(
        shown.contains("/console/connectors/idp/versions"),
        "{shown}"
    );
    let sent = [("directory", "default"), ("request", request)];
    let done = browser.fill_in(&undo, "/console/undo", &sent);
    assert!(
        done.text()
            .contains("The identity provider or the rules still say otherwise of one of them"),
        "{}",
        done.text()
    );
}

#[test]
fn what_is_held_stays_as_it_is_before_and_after_and_is_no_work_of_a_plan() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let limits = json!({"settings": {"limits": {"deactivations": {"at_least": 1}}}});
        ok(&console.patch("/connectors/idp", limits));
        for name in ["ann", "ben", "cid"] {
            let id = world.user(json!({ "userName": name }));
            world.patch_user(&id, "active", false);
        }
        let hold = console.show("/holds?q=cid")["items"][0]["id"].clone();
        ok(&console.call(&format!("/holds/{hold}/reject")));
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let page = browser.get(&format!("{EDIT}/mapping"));
        let of = |page: &str, name: &str| {
            let mut cards = page.split("<h3>").skip(1);
            let card = cards.find(|card| {
                card.split("</h3>")
                    .next()
                    .unwrap()
                    .contains(&format!(">{name}<"))
            });
            card.map(|card| card.split("</article>").next().unwrap().to_owned())
        };
        let card_of =
            |page: &str, name: &str| of(page, name).unwrap_or_else(|| panic!("{name}: {page}"));
        for name in ["ben", "cid"] {
            let card = card_of(page.text(), name);
            assert!(card.contains("<dd>active</dd>"), "{name}: {card}");
            assert!(
                card.contains("Held already, and stays so: may no longer log in"),
                "{card}"
            );
        }
        assert!(card_of(page.text(), "ann").contains("<dd>disabled</dd>"));
        // A rule that changes one of the others has nothing to do with the old holds.
        let rules = json!({"rules": {"conditions": [
            {"name": "x", "when": "userName eq \"ann\"", "add_groups": ["new"]}]}});
        let plan = ok(&console.post("/connectors/idp/rules/preview", rules));
        let place = format!(
            "/console/connectors/idp/plans/{}",
            plan["id"].as_str().unwrap()
        );
        let shown = browser.text(&place);
        assert!(
            of(&shown, "ann").is_some() && of(&shown, "ben").is_none(),
            "{shown}"
        );
        assert!(!shown.contains("held by limits"), "{shown}");
        // New holds are told of, and why the numbers differ.
        let rules =
            json!({"rules": {"scope": {"filter": "userName ne \"dan\"", "grace_minutes": 0}}});
        let dan = world.user(json!({ "userName": "dan" }));
        let plan = ok(&console.post("/connectors/idp/rules/preview", rules));
        let place = format!(
            "/console/connectors/idp/plans/{}",
            plan["id"].as_str().unwrap()
        );
        let shown = browser.text(&place);
        assert!(
            shown.contains("Of 1 person the <a") && shown.contains("looks at no limits"),
            "{shown}"
        );
        assert!(
            card_of(&shown, "dan").contains("Held back: may no longer log in"),
            "{shown}"
        );
        assert!(!dan.is_empty() && of(&shown, "ben").is_none(), "{shown}");
    });
}

#[test]
fn the_json_way_is_checked_and_planned_too() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    world.mira();
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let place = "/console/connectors/idp/rules";
    let send = |rules: &str, button: &str| {
        let page = browser.get(place);
        let filled = filled(&fields(&page, FORM), &[("rules", rules)], button);
        let filled: Vec<(&str, &str)> = filled
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        browser.submit(place, &filled)
    };
    let no_json = send("{\"groups\": ", "plan");
    assert_eq!(no_json.status, 422);
    assert!(
        no_json.text().contains("line 1, column 11"),
        "{}",
        no_json.text()
    );
    assert!(no_json.text().contains("{&#34;groups&#34;: </textarea>"));
    let unknown = send("{\"grups\": {}}", "plan");
    assert!((400..500).contains(&unknown.status));
    assert!(unknown.text().contains("grups"));
    let right = r#"{"groups": {"always_assign": ["all"]}}"#;
    let seen = send(right, "preview");
    assert!(
        seen.text().contains("joins </span>all</ins>"),
        "{}",
        seen.text()
    );
    assert!(location(&send(right, "plan")).contains("/plans/"));
}

#[test]
fn an_auditor_sees_the_rules_and_no_buttons_and_markup_stays_text() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let evil = "<script>alert(1)</script>";
    let mira = world.user(json!({ "userName": evil, "displayName": "<img src=x>" }));
    world.group(evil, &[&mira]);
    let console = Console::new(&world);
    let rules = json!({"rules": {"mapping": [{"target": "attr:x", "source": {"constant": evil}}],
        "conditions": [{"name": evil, "when": "userName pr", "add_groups": [evil]}]}});
    ok(&console.send("PUT", "/connectors/idp/rules", &rules.to_string()));
    world.run(world.provision.work_off()).unwrap();
    let auditor = Browser::signed_in(&world, "cleo", Role::Auditor);
    let mut pages: Vec<String> = SECTIONS
        .iter()
        .map(|section| format!("{EDIT}/{section}"))
        .collect();
    let others = [
        "",
        "/rules",
        "/versions",
        "/versions/2",
        "/limits",
        "/conflicts",
        "/tokens",
        "/activity",
        "/match",
    ];
    pages.extend(
        others
            .iter()
            .map(|rest| format!("/console/connectors/idp{rest}")),
    );
    pages.extend(
        [
            "/console/holds",
            "/console/jobs",
            "/console/undo?connector=idp",
        ]
        .map(str::to_owned),
    );
    for page in &pages {
        let answer = auditor.get(page);
        assert_eq!(answer.status, 200, "{page}: {}", answer.text());
        let text = without_own_scripts(answer.text());
        assert!(
            !text.contains("<script") && !text.contains("<img"),
            "{page}"
        );
        let main = text.split("<main").nth(1).unwrap();
        for button in [
            "name=\"do\"",
            "method=\"post\" action=",
            "class=\"danger\"",
            ">Approve<",
            ">Approve all",
        ] {
            let is_kept = page.contains("connectors/idp")
                && button.starts_with("method")
                && main.contains("disabled");
            assert!(!main.contains(button) || is_kept, "{button} on {page}");
        }
    }
    assert!(
        auditor
            .get(&format!("{EDIT}/conditions"))
            .text()
            .contains("&#60;script&#62;")
    );
    let form = auditor.fill_in("/console", &format!("{EDIT}/mapping"), &[("do", "plan")]);
    assert!(form.status == 409 || form.status == 403);
    assert_eq!(auditor.get(&format!("{EDIT}/nothing")).status, 404);
}

#[test]
fn a_preview_does_not_make_a_form_forget_what_it_began_with() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    world.mira();
    let console = Console::new(&world);
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let page = browser.get(&format!("{EDIT}/mapping"));
    let page = edit(&browser, "mapping", &page, &[], "add:mapping");
    let rules = json!({"mapping": [{"target": "username", "steps": ["upper"]}]});
    ok(&console.put("/connectors/idp/rules", json!({ "rules": rules })));
    // Looked at as often as one likes, it says the same, and does not put aside what somebody else did meanwhile.
    let page = edit(&browser, "mapping", &page, &[], "preview");
    let again = edit(&browser, "mapping", &page, &[], "preview");
    assert_eq!(page.status, 200);
    assert_eq!(fields(&page, FORM), fields(&again, FORM));
    let refused = edit(&browser, "mapping", &again, &[], "plan");
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(
        refused
            .text()
            .contains("The rules were changed by somebody else meanwhile"),
        "{}",
        refused.text()
    );
}
