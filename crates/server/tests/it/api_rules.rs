//! Changing rules through the admin API: previews, applying them, versions, tests and trials.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::world::World;

fn put(console: &Console<'_>, path: &str, body: &Value) -> crate::http::Answer {
    console.send("PUT", path, &body.to_string())
}

#[test]
fn saying_nothing_switches_no_safeguard_off() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let safe = json!({"groups": {"only_assign": ["dev"]}});
        let path = "/connectors/idp/rules";
        let told = |rules: &Value| {
            let groups = &rules["groups"];
            let protected = groups["protected"].as_array().unwrap();
            let has = protected.contains(&json!("jira-administrators"));
            (has, groups["on_existing"].clone())
        };
        let review = (true, json!("review"));
        ok(&put(&console, path, &json!({ "rules": safe })));
        assert_eq!(told(&console.show(path)["rules"]), review);
        let diff = ok(&console.post(&format!("{path}/diff"), json!({ "rules": safe })));
        assert_eq!(
            diff["items"],
            json!([]),
            "it says the same as what came of it"
        );
        let preview = ok(&console.post(&format!("{path}/preview"), json!({ "rules": safe })));
        let preview = format!("{path}/previews/{}", preview["id"].as_str().unwrap());
        assert_eq!(told(&console.show(&preview)["rules"]), review);

        let open = json!({"groups": {"protected": [], "on_existing": "adopt"}});
        let changed = ok(&console.patch("/connectors/idp", json!({ "rules": open })));
        assert_eq!(told(&changed["rules"]), (false, json!("adopt")));
        let none = ok(&console.patch("/connectors/idp", json!({"rules": {}})));
        assert_eq!(told(&none["rules"]), review);
    });
}

#[test]
fn a_list_of_previewed_users_has_their_attributes() {
    let world = World::new(&emulate::databases::TestDatabase::sqlite().unwrap());
    let console = Console::new(&world);
    world.mira();
    let rows = json!([
        {"target": "attr:dept", "source": {"constant": "Sales"}},
        {"target": "first_name", "source": {"constant": "Mira M."}},
    ]);
    let wish = json!({"rules": {"mapping": rows}});
    let preview = ok(&console.post("/connectors/idp/rules/preview", wish));
    let id = preview["id"].as_str().unwrap();
    let csv = console.get(&format!("/connectors/idp/rules/previews/{id}/users.csv"));
    let text = csv.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with(",last_name_after,attributes"), "{text}");
    assert!(lines[1].ends_with("dept:  -> Sales"), "{text}");
    assert!(lines[1].contains(",Mira M.,"), "{text}");
}

#[test]
fn rules_are_previewed_applied_and_taken_back() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mira = world.mira();
        world.group("Jira Users", &[&mira]);
        let present = console.show("/connectors/idp/rules");
        assert_eq!(
            (&present["version"], &present["due"]),
            (&json!(1), &json!(0))
        );

        let mut rules = present["rules"].clone();
        rules["groups"]["names"]["rules"] = json!([{"steps": ["upper"]}]);
        rules["groups"]["always_assign"] = json!(["all"]);
        rules["groups"]["create_empty"] = json!(false);
        let wish = json!({ "rules": rules });
        let preview = ok(&console.post("/connectors/idp/rules/preview", wish.clone()));
        assert_eq!(preview["state"], "done");
        assert_eq!(preview["can_be_applied"], true);
        assert_eq!(preview["looked_at"], 1);
        let summary = &preview["summary"];
        assert_eq!(summary["changed"], 1);
        assert_eq!(summary["operations"], json!({"group_add": 1}));
        assert_eq!(summary["new_groups"], json!(["all"]));
        let path = format!(
            "/connectors/idp/rules/previews/{}",
            preview["id"].as_str().unwrap()
        );
        let shown = console.show(&path);
        assert_eq!(shown["summary"], preview["summary"]);
        assert_eq!(shown["differences"].as_array().unwrap().len(), 3);
        assert_eq!(shown["rules"]["groups"]["always_assign"], json!(["all"]));
        assert_eq!(
            console.show("/connectors/idp/rules/previews")["items"][0],
            preview
        );

        let sample = ok(&console.post("/connectors/idp/rules/sample", wish.clone()));
        assert_eq!(
            (&sample["looked_at"], &sample["changed"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(
            sample["users"][0]["after"]["groups"],
            json!(["all", "Jira Users"])
        );
        let names =
            json!({"name": "Jira Users", "before": ["Jira Users"], "after": ["JIRA USERS"]});
        assert_eq!(sample["groups"], json!([names]));
        let begins = json!({"rules": rules, "user": "MI"});
        let begins = ok(&console.post("/connectors/idp/rules/sample", begins));
        assert_eq!(begins["users"][0]["user_name"], "mira");
        let nobody = json!({"rules": rules, "user": "nobody"});
        assert_eq!(
            problem(&console.post("/connectors/idp/rules/sample", nobody)).0,
            404
        );

        let users = console.show(&format!("{path}/users?q=MIR&operation=group_add"));
        let user = &users["items"][0];
        assert_eq!(user["before"]["groups"], json!(["Jira Users"]));
        assert_eq!(user["after"]["groups"], json!(["all", "Jira Users"]));
        assert_eq!(user["changes"][0]["change"], "add_membership");
        assert_eq!(
            console.show(&format!("{path}/users?q=nobody"))["items"],
            json!([])
        );
        let wrong = console.get(&format!("{path}/users?operation=explode"));
        assert_eq!(problem(&wrong).0, 422);
        let csv = console.get(&format!("{path}/users.csv"));
        assert_eq!(
            csv.header("content-type"),
            Some("text/csv; charset=utf-8; header=present")
        );
        let text = csv.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[1].contains(",group_add,") && lines[1].contains(",all,,"),
            "{}",
            lines[1]
        );

        let apply = json!({"preview": preview["id"], "comment": "everybody"});
        let applied = ok(&console.post("/connectors/idp/rules/apply", apply.clone()));
        assert_eq!(
            (&applied["version"], &applied["comment"]),
            (&json!(2), &json!("everybody"))
        );
        world.run(world.provision.work_off()).unwrap();
        let groups = console.show("/directories/default/users/mira");
        assert_eq!(groups["memberships"].as_array().unwrap().len(), 2);
        let again = problem(&console.post("/connectors/idp/rules/apply", apply));
        assert_eq!(again.0, 409);
        assert!(again.1.contains("preview the rules again"), "{}", again.1);

        let diff = console.post("/connectors/idp/rules/diff", json!({}));
        assert_eq!(ok(&diff)["items"].as_array().unwrap().len(), 3);
        assert_eq!(
            each(&console.show("/connectors/idp/rules/versions"), "comment"),
            ["everybody", "made with the connector"]
        );
        let back = ok(&console.call("/connectors/idp/rules/versions/1/rollback"));
        assert_eq!(back["comment"], "back to version 1");
        assert_eq!(
            console.show("/connectors/idp/rules/versions/1")["rules"],
            back["rules"]
        );
        assert_eq!(
            problem(&console.get("/connectors/idp/rules/versions/7")).0,
            404
        );
        world.run(world.provision.work_off()).unwrap();
        let groups = console.show("/directories/default/users/mira");
        assert_eq!(groups["memberships"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn values_that_stored_users_could_not_have_are_listed_when_rules_are_saved() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        world.mira();
        world.user(json!({"userName": "jon", "displayName": "Jon"}));
        let long = json!({"mapping": [{"target": "display_name", "source": {"template": format!("${{userName}}{}", "x".repeat(300))}}]});
        let from =
            |attribute: &str| json!({"target": "username", "source": {"attribute": attribute}});
        let same = json!({"target": "username", "source": {"constant": "same"}});
        let mut foreseen = from("nickName");
        foreseen["on_null"] = json!("keep");
        for (row, told) in [
            // Nobody has one; whoever has an account keeps its name.
            (
                from("nickName"),
                "'jon' the value is empty, so the old name stays",
            ),
            // Everybody has the same one.
            (same, "which `mira` ("),
        ] {
            let rules = json!({"rules": {"mapping": [row]}});
            let refused = put(&console, "/connectors/idp/rules", &rules);
            assert_eq!(problem(&refused).0, 422, "{}", refused.text());
            let errors = refused.json()["errors"].clone();
            let tells = |it: &Value| it["message"].as_str().unwrap().contains(told);
            assert!(errors.as_array().unwrap().iter().any(tells), "{errors}");
            assert_eq!(errors[0]["path"], "mapping[0]");
            // A check tells the same before.
            let check = "/connectors/idp/rules/check";
            let checked = ok(&console.post(check, rules["rules"].clone()));
            assert_eq!(
                (&checked["valid"], &checked["refusals"]),
                (&json!(true), &errors)
            );
        }
        let kept = json!({"rules": {"mapping": [foreseen]}});
        ok(&put(&console, "/connectors/idp/rules", &kept));
        let refused = put(&console, "/connectors/idp/rules", &json!({ "rules": long }));
        assert_eq!(problem(&refused).0, 422);
        let error = &refused.json()["errors"][0];
        assert_eq!(error["path"], "mapping[0]");
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("255 characters")
        );
        let patched = console.patch("/connectors/idp", json!({ "rules": long }));
        assert_eq!(patched.status, 422);
        let anyway = json!({ "rules": long, "anyway": true });
        let saved = ok(&put(&console, "/connectors/idp/rules", &anyway));
        let job = console.show(&format!("/jobs/{}", saved["job"].as_str().unwrap()));
        assert_eq!(job["kind"], "rules");
    });
}

#[test]
fn every_mistake_is_told_when_rules_are_saved() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let username =
            |steps: Value| json!({"mapping": [{"target": "username", "steps": [steps]}]});
        let replace = |pattern: &str, with: &str| {
            username(json!({"regex_replace": {"pattern": pattern, "with": with}}))
        };
        for (rules, path, told) in [
            (
                json!({"mapping": [{"target": "email", "source": {"attribute": "mail"}}]}),
                "mapping[0].source.attribute",
                "mail",
            ),
            (
                json!({"scope": {"filter": "departement eq \"x\""}}),
                "scope.filter",
                "departement",
            ),
            (
                replace("a(?=b)", ""),
                "mapping[0].steps[0].regex_replace.pattern",
                "look-ahead",
            ),
            (
                replace("(?<!a)b", ""),
                "mapping[0].steps[0].regex_replace.pattern",
                "look-behind",
            ),
            (
                replace("(a)\\1", ""),
                "mapping[0].steps[0].regex_replace.pattern",
                "back-reference",
            ),
            (
                replace("(?>a)", ""),
                "mapping[0].steps[0].regex_replace.pattern",
                "atomic group",
            ),
            (
                replace("a++", ""),
                "mapping[0].steps[0].regex_replace.pattern",
                "possessive",
            ),
            (
                replace("a(", ""),
                "mapping[0].steps[0].regex_replace.pattern",
                "unclosed group",
            ),
            (
                replace("(a)", "$2"),
                "mapping[0].steps[0].regex_replace.with",
                "group 2",
            ),
            (
                replace("(a)", "${who}"),
                "mapping[0].steps[0].regex_replace.with",
                "who",
            ),
            (
                username(json!({"constant": "x".repeat(10_001)})),
                "mapping[0].steps[0].constant.constant",
                "10,",
            ),
            (
                json!({"groups": {"always_assign": ["x".repeat(256)]}}),
                "groups.always_assign[0]",
                "no possible name",
            ),
            (
                json!({"mapping": [
                    {"target": "attr:a", "source": {"result": "attr:b"}},
                    {"target": "attr:b", "source": {"result": "attr:a"}}]}),
                "mapping[0]",
                "waits for itself",
            ),
        ] {
            let refused = put(
                &console,
                "/connectors/idp/rules",
                &json!({ "rules": rules }),
            );
            assert_eq!(problem(&refused).0, 422, "{rules}: {}", refused.text());
            let error = &refused.json()["errors"][0];
            assert_eq!(error["path"], path, "{error}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(told), "{path}: {message}");
            assert!(!error["remedy"].as_str().unwrap().is_empty(), "{error}");
        }
        let contradictory = json!({"groups": {"only_assign": ["dev"], "never_assign": ["Dev"]}});
        let saved = ok(&put(
            &console,
            "/connectors/idp/rules",
            &json!({ "rules": contradictory }),
        ));
        assert_eq!(saved["warnings"][0]["path"], "groups.only_assign[0]");
    });
}

#[test]
fn what_rules_say_in_vain_is_told_wherever_they_are_written() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mira = world.mira();
        world.group("staff", &[&mira]);
        let places = |told: &Value| each(&json!({"items": told["warnings"]}), "path");
        let vain = json!({
            "groups": {"only_assign": ["a", "jira-.*"], "never_assign": ["A"],
                "mapping": {"rows": [{"source": {"id": "gone", "name": "x"}, "groups": ["a"]}], "unmapped": "pass"}},
            "scope": {"required_groups": [" staff", "Staff", "re:st.*", "source:nobody"]}});
        let by_itself = ok(&console.post("/rules/check", vain.clone()));
        assert_eq!(
            (&by_itself["valid"], &by_itself["errors"]),
            (&json!(true), &json!([]))
        );
        let alone = [
            "groups.only_assign[0]",
            "groups.mapping.rows[0].groups[0]",
            "groups.only_assign[1]",
            "scope.required_groups[0]",
        ];
        assert_eq!(places(&by_itself), alone, "{by_itself}");
        let here = ok(&console.post("/connectors/idp/rules/check", vain.clone()));
        let beside = [
            "groups.mapping.rows[0].source.id",
            "scope.required_groups[0]",
            "scope.required_groups[3]",
        ];
        assert_eq!(places(&here), [&alone[..], &beside[..]].concat(), "{here}");
        let saved = ok(&put(
            &console,
            "/connectors/idp/rules",
            &json!({ "rules": vain }),
        ));
        assert_eq!(saved["warnings"], here["warnings"]);
        assert_eq!(
            console.show("/connectors/idp/rules")["warnings"],
            here["warnings"]
        );
        assert_eq!(
            problem(&console.post("/connectors/nobody/rules/check", vain)).0,
            404
        );

        let wrong = json!({"mapping": [{"target": "usrname"}, {"target": "email", "steps": ["lowr"]}], "grups": {}});
        for path in ["/rules/check", "/connectors/idp/rules/check"] {
            let told = ok(&console.post(path, wrong.clone()));
            assert_eq!(
                (&told["valid"], &told["warnings"]),
                (&json!(false), &json!([]))
            );
            let mut found = each(&json!({"items": told["errors"]}), "path");
            found.sort_unstable();
            assert_eq!(found, ["grups", "mapping[0].target", "mapping[1].steps[0]"]);
        }
        for (path, body) in [
            ("/connectors/idp/rules/preview", json!({ "rules": wrong })),
            ("/connectors/idp/rules/sample", json!({ "rules": wrong })),
            ("/connectors/idp/rules/apply", json!({ "rules": wrong })),
            ("/connectors/idp/rules/diff", json!({ "rules": wrong })),
            ("/connectors/idp/rules/tests/run", json!({ "rules": wrong })),
            ("/connectors", json!({"name": "second", "rules": wrong})),
        ] {
            let refused = console.post(path, body);
            assert_eq!(problem(&refused).0, 422, "{path}");
            assert_eq!(
                refused.json()["errors"].as_array().unwrap().len(),
                3,
                "{path}"
            );
        }
        assert_eq!(
            console
                .patch("/connectors/idp", json!({ "rules": wrong }))
                .status,
            422
        );
    });
}

#[test]
fn tests_are_kept_run_and_stand_in_the_way_of_rules_that_fail_them() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let tests = json!({"tests": [{"name": "guests have no account", "user": {"userName": "gil"},
            "groups": ["guests"], "expect": {"status": "none"}}]});
        ok(&put(&console, "/connectors/idp/rules/tests", &tests));
        assert_eq!(console.show("/connectors/idp/rules/tests"), tests);
        let run = ok(&console.call("/connectors/idp/rules/tests/run"));
        assert_eq!((&run["passed"], &run["failed"]), (&json!(0), &json!(1)));
        assert_eq!(run["results"][0]["mismatches"][0]["found"], "active");
        let strict = json!({"scope": {"required_groups": ["staff"]}});
        let run = ok(&console.post(
            "/connectors/idp/rules/tests/run",
            json!({ "rules": strict }),
        ));
        assert_eq!(run["failed"], 0);
        let lax = json!({"rules": {"groups": {"always_assign": ["a"]}}});
        let refused = put(&console, "/connectors/idp/rules", &lax);
        assert_eq!(problem(&refused).0, 422);
        assert_eq!(
            refused.json()["errors"][0]["path"],
            "tests[guests have no account]"
        );
        let misspelt = json!({"tests": [{"name": "x", "user": {"userName": "y"}, "expect": {"state": "none"}}]});
        assert_eq!(
            problem(&put(&console, "/connectors/idp/rules/tests", &misspelt)).0,
            422
        );
    });
}

#[test]
fn a_row_names_of_groups_and_whole_rules_are_tried() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mira = world.mira();
        world.group("Staff", &[&mira]);
        let tried = |body: Value| ok(&console.post("/connectors/idp/rules/try", body));
        let row = json!({"target": "email", "steps": ["lower"]});
        let typed = tried(json!({"row": row, "value": "ANN@X.example"}));
        assert_eq!(typed["attributes"]["email"], "ann@x.example");
        let names = json!({"rules": [{"steps": [{"prefix": {"text": "okta-"}}]}]});
        let typed = tried(json!({"names": names, "value": "Staff"}));
        assert_eq!(typed["groups"], json!(["okta-Staff"]));
        let stored = tried(json!({"names": names, "stored_user": "mira"}));
        assert_eq!(stored["groups"], json!(["okta-Staff"]));
        assert_eq!(stored["decision"], "active");
        let taken = tried(json!({"user": {"userName": "mira"}, "groups": ["x"]}));
        assert_eq!(taken["taken_name"], "mira");
        assert_eq!(taken["taken_by"]["connector"], "idp", "{taken}");
        assert!(!taken["lines"].as_array().unwrap().is_empty());
        let row =
            json!({"target": "display_name", "source": {"attribute": "title"}, "steps": ["trim"]});
        for value in [
            "  ann  ",
            "\tann",
            &format!(" {}", "a".repeat(200)),
            "two words ",
        ] {
            let typed = tried(json!({"row": row, "value": value}));
            assert_eq!(typed["attributes"]["display_name"], value.trim(), "{typed}");
        }
        let row = json!({"target": "username", "steps": ["trim", {"if": {"when": "userName sw \"x\"", "then": ["upper"]}}]});
        let typed = tried(json!({"row": row, "value": "  ann\t"}));
        assert_eq!(typed["attributes"]["username"], "ann");
        let typed = tried(json!({"row": row, "value": "xan"}));
        assert_eq!(typed["attributes"]["username"], "XAN");
        let long = tried(json!({"row": {"target": "username"}, "value": "a".repeat(300)}));
        assert_eq!(long["errors"][0]["target"], "username", "{long}");
        let row =
            json!({"target": "attr:langs", "steps": ["unique", "sort", {"join": {"sep": "+"}}]});
        let typed = tried(json!({"row": row, "value": ["fr", "de", "FR", ""]}));
        assert_eq!(
            typed["attributes"]["extra"]["langs"],
            json!(["de+fr"]),
            "{typed}"
        );
        let names = json!({"rules": [{"steps": ["trim"]}]});
        let typed = tried(json!({"names": names, "value": [" Staff", "a\tb"]}));
        assert_eq!(typed["groups"], json!(["Staff"]), "{typed}");
        let wrong = json!({"row": {"target": "usrname", "steps": ["trm"]}, "value": 5});
        let refused = console.post("/connectors/idp/rules/try", wrong);
        assert_eq!(problem(&refused).0, 422);
        assert!(
            problem(&refused).1.contains("a text, or a list of texts"),
            "{}",
            refused.text()
        );
        let wrong = json!({"row": {"target": "usrname", "steps": ["trm"]}, "value": "x"});
        let refused = console.post("/connectors/idp/rules/try", wrong);
        assert_eq!(refused.json()["errors"][0]["path"], "row.target");
        assert_eq!(refused.json()["errors"][1]["path"], "row.steps[0]");
        let nothing = console.post("/connectors/idp/rules/try", json!({"value": "x"}));
        assert_eq!(problem(&nothing).0, 422);
        assert_eq!(console.show("/connectors/idp/rules")["version"], 1);
    });
}
