//! Overrides, the past and undo through the admin API.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::api_release::done;
use crate::scim_idp::Idp;
use crate::world::World;

const LATER: &str = "2100-01-01T00:00:00Z";

fn names_of(user: &Value) -> Vec<String> {
    let memberships = user["memberships"].as_array().unwrap().iter();
    memberships
        .map(|it| it["group"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_override_is_said_shown_reviewed_and_taken_back() {
    on_each_database(|database| {
        let world = World::new(database);
        let ann = world.user(json!({"userName": "ann"}));
        let ben = world.user(json!({"userName": "ben"}));
        world.group("dev", &[&ann]);
        world.group("ops", &[&ben]);
        let console = Console::new(&world);
        let path = "/directories/default/users/ann/overrides";
        let said = ok(&console.post(
            path,
            json!({"kind": "add_to_group", "group": "ops", "until": LATER, "comment": "ticket 7"}),
        ));
        assert_eq!(
            (
                &said["user"],
                &said["group"],
                &said["until"],
                &said["comment"]
            ),
            (
                &json!("ann"),
                &json!("ops"),
                &json!(LATER),
                &json!("ticket 7")
            )
        );
        let shown = console.show("/directories/default/users/ann");
        assert_eq!(names_of(&shown), ["dev", "ops"]);
        assert_eq!(
            shown["memberships"][1]["origins"],
            json!([{"kind": "local", "override": said["id"]}])
        );
        assert_eq!(shown["overrides"], json!([said]));
        ok(&console.post(path, json!({"kind": "exclude", "until": LATER})));
        let shown = console.show("/directories/default/users/ann");
        assert_eq!(
            (&shown["status"], &shown["reason"]),
            (&json!("disabled"), &json!("OVERRIDE"))
        );
        let why = console.show("/directories/default/users/ann/why");
        let lines = why["lines"].to_string();
        assert!(
            lines.contains("override of console: the user may not log in, until 2100"),
            "{lines}"
        );

        let all = console.show("/directories/default/overrides");
        assert_eq!(each(&all, "kind"), ["add_to_group", "exclude"]);
        let page = console.show("/directories/default/overrides?limit=1");
        let next = page["next"].as_str().unwrap();
        let rest = console.show(&format!("/directories/default/overrides?after={next}"));
        assert_eq!(each(&rest, "kind"), ["exclude"]);
        for one in all["items"].as_array().unwrap() {
            let gone = console.delete(&format!("/directories/default/overrides/{}", one["id"]));
            assert_eq!(gone.status, 204, "{}", gone.text());
        }
        let shown = console.show("/directories/default/users/ann");
        assert_eq!(
            (&shown["status"], names_of(&shown)),
            (&json!("active"), vec!["dev".to_owned()])
        );
    });
}

#[test]
fn what_cannot_be_said_is_refused_with_what_to_do() {
    on_each_database(|database| {
        let world = World::new(database);
        world.user(json!({"userName": "ann"}));
        let console = Console::new(&world);
        let path = "/directories/default/users/ann/overrides";
        for (wrong, status, told) in [
            (json!({"kind": "exclude"}), 422, "needs an end"),
            (
                json!({"kind": "exclude", "until": "2001-01-01T00:00:00Z"}),
                422,
                "is past",
            ),
            (
                json!({"kind": "exclude", "until": LATER, "group": "x"}),
                422,
                "leave it out",
            ),
            (
                json!({"kind": "add_to_group", "until": LATER}),
                422,
                "name the group",
            ),
            (
                json!({"kind": "add_to_group", "until": LATER, "group": "x"}),
                404,
                "no group 'x'",
            ),
            (json!({"kind": "magic", "until": LATER}), 422, "keep_as_is"),
        ] {
            let (found, detail) = problem(&console.post(path, wrong.clone()));
            assert_eq!(found, status, "{wrong}: {detail}");
            assert!(detail.contains(told), "{wrong}: {detail}");
        }
        let nobody = console.post(
            "/directories/default/users/nobody/overrides",
            json!({"kind": "keep_as_is"}),
        );
        assert_eq!(problem(&nobody).0, 404);
        assert_eq!(
            problem(&console.delete("/directories/default/overrides/99")).0,
            404
        );
        let (status, _) = problem(&console.get("/directories/default/overrides?after=x"));
        assert_eq!(status, 422);
    });
}

#[test]
fn work_is_looked_at_undone_and_given_back() {
    on_each_database(|database| {
        let world = World::new(database);
        let ann = world.user(json!({"userName": "ann", "displayName": "Ann"}));
        world.group("dev", &[&ann]);
        let console = Console::new(&world);
        let journal = console.show("/directories/default/journal");
        let last = journal["items"].as_array().unwrap().last().unwrap().clone();
        let then = last["at"].as_str().unwrap();
        world.group("ops", &[&ann]);
        let after: jiff::Timestamp = then.parse().unwrap();
        let from = (after + jiff::SignedDuration::from_micros(1)).to_string();

        let selection = json!({"connector": "idp", "from": from});
        let preview = ok(&console.post("/directories/default/undo/preview", selection.clone()));
        assert_eq!(
            (&preview["users"], &preview["group_changes"]),
            (&json!(1), &json!(1))
        );
        let item = &preview["items"][0];
        assert_eq!(item["user"], "ann");
        assert_eq!(names_of(&item["before"]), ["dev", "ops"]);
        assert_eq!(names_of(&item["after"]), ["dev"]);
        assert_eq!(item["changes"][0]["change"], "remove_membership");
        let shown = console.show("/directories/default/users/ann");
        assert_eq!(
            names_of(&shown),
            ["dev", "ops"],
            "a preview changes nothing"
        );

        let done = ok(&console.post("/directories/default/undo", selection));
        assert_eq!(
            (
                &done["users"],
                &done["changes"],
                &done["kept_as_is"],
                &done["conflict_count"]
            ),
            (&json!(1), &json!(1), &json!(1), &json!(0))
        );
        let shown = console.show("/directories/default/users/ann");
        assert_eq!(names_of(&shown), ["dev"]);
        let why = console.show("/directories/default/users/ann/why?group=ops");
        assert!(
            why["lines"].to_string().contains("stays as it is until"),
            "{why}"
        );
        let newest = console.show("/directories/default/journal?order=newest&limit=1");
        assert_eq!(newest["items"][0]["cause"]["trigger"], "undo");

        let past = console.show("/directories/default/users/ann/history");
        assert_eq!(names_of(&past["user"]), ["dev"]);
        let path = format!("/directories/default/users/ann/history?at={from}");
        assert_eq!(names_of(&console.show(&path)["user"]), ["dev"]);
        let before_all = "/directories/default/users/ann/history?at=2001-01-01T00:00:00Z";
        assert!(console.show(before_all)["user"].is_null());
        let since = "/directories/default/users/ann/history?since=2001-01-01T00:00:00Z";
        assert_eq!(console.show(since)["changes"][0]["change"], "create_user");
        let group = format!("/directories/default/groups/ops/history?since={from}");
        assert_eq!(console.show(&group)["members"], 0);

        let request = done["request"].as_str().unwrap();
        ok(&console.post("/directories/default/undo", json!({"request": request})));
        let shown = console.show("/directories/default/users/ann");
        assert_eq!(names_of(&shown), ["dev", "ops"]);
        assert_eq!(
            console.show("/directories/default/overrides")["items"],
            json!([])
        );
    });
}

#[test]
fn an_undo_of_many_answers_with_a_job_that_tells_what_it_did() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let many = 201;
    for n in 0..many {
        world.user(json!({"userName": format!("u{n}")}));
    }
    let console = Console::new(&world);
    let begun = console.post("/directories/default/undo", json!({"connector": "idp"}));
    assert_eq!(begun.status, 202);
    let job = &begun.json()["job"];
    assert_eq!(
        (&job["kind"], &job["total"]),
        (&json!("undo"), &json!(many))
    );
    let job = done(&console, &begun.json());
    assert_eq!(job["counts"], json!({"delete": many}));
    assert_eq!(job["undo"]["users"], many);
    assert_eq!(job["undo"]["kept_as_is"], many);
    assert_eq!(job["undo"]["request"], job["request"]);
    let directory = console.show("/directories/default");
    assert_eq!(directory["active_users"], 0);
}

#[test]
fn an_undo_without_bounds_and_moments_in_the_wrong_order_are_refused() {
    on_each_database(|database| {
        let world = World::new(database);
        world.user(json!({"userName": "ann"}));
        let console = Console::new(&world);
        let all = console.post("/directories/default/undo", json!({}));
        assert!(problem(&all).1.contains("whose work"));
        let turned = json!({"from": LATER, "to": "2001-01-01T00:00:00Z"});
        let turned = console.post("/directories/default/undo/preview", turned);
        assert!(problem(&turned).1.contains("turn them round"));
        let since = format!("/directories/default/users/ann/history?since={LATER}");
        assert!(problem(&console.get(&since)).1.contains("earlier moment"));
        let nobody = console.post(
            "/directories/default/undo",
            json!({"actor": "x", "users": ["y"]}),
        );
        assert_eq!(problem(&nobody).0, 404);
        let nobody = console.get("/directories/default/users/y/history");
        assert_eq!(problem(&nobody).0, 404);
    });
}

#[test]
fn why_tells_requests_attributes_and_what_would_have_to_be_different() {
    on_each_database(|database| {
        let rules = json!({
            "mapping": [{"target": "email", "source": {"attribute": "userName"}, "steps": ["lower"]}],
            "scope": {"required_groups": ["jira-users"]},
            "groups": {"never_assign": ["re:.*admins"]},
        });
        let world = World::with_rules(database, serde_json::from_value(rules).unwrap());
        let ann = world.user(json!({"userName": "Ann@x.example"}));
        let ben = world.user(json!({"userName": "ben"}));
        world.group("jira-users", &[&ann]);
        world.group("admins", &[&ann, &ben]);
        world.group("dev", &[]);
        let console = Console::new(&world);
        let why = "/directories/default/users/Ann@x.example/why";
        let told = console.show(&format!("{why}?attribute=email"));
        assert_eq!(told["values"], json!(["ann@x.example"]));
        assert_eq!(told["lines"].as_array().unwrap().len(), 2, "{told}");
        let told = console.show(&format!("{why}?group=admins"));
        assert_eq!(
            told["conditions"][0],
            "`re:.*admins` must go from `groups.never_assign`"
        );
        let told = console.show(&format!("{why}?group=dev"));
        let conditions = told["conditions"].to_string();
        assert!(
            conditions.contains("source group whose name becomes `dev`"),
            "{conditions}"
        );
        let lines = told["lines"].to_string();
        assert!(
            lines.contains("source groups that become `dev` now: dev"),
            "{lines}"
        );
        let told = console.show(&format!("{why}?group=jira-users"));
        assert_eq!(
            (&told["member"], &told["conditions"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(told["joined"]["what"], "scim");
        let told = console.show("/connectors/idp/users/ben/why");
        assert_eq!(
            told["conditions"],
            json!(["be in one of the required groups: jira-users"])
        );
        // Without an account, what the rows would give, and why there is none.
        let told = console.show("/connectors/idp/users/ben/why?attribute=email");
        assert_eq!(told["values"], json!(["ben"]));
        assert_eq!(
            told["conditions"],
            json!(["be in one of the required groups: jira-users"])
        );
        assert!(
            told["lines"]
                .to_string()
                .contains("no account (NOT_IN_REQUIRED_GROUP)")
        );
        // Of two things in the way, both.
        let told = console.show("/connectors/idp/users/ben/why?group=admins");
        assert_eq!(
            told["conditions"],
            json!([
                "be in one of the required groups: jira-users",
                "`re:.*admins` must go from `groups.never_assign`"
            ])
        );
        let both = console.get(&format!("{why}?group=dev&attribute=email"));
        assert!(problem(&both).1.contains("one after the other"));
        let none = console.get(&format!("{why}?attribute=shoe"));
        assert!(problem(&none).1.contains("attr:NAME"));
    });
}

#[test]
fn a_pilot_is_set_looked_at_and_ended() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let path = "/connectors/idp/pilot";
        assert_eq!(console.show(path)["pilot"], Value::Null);
        for wrong in [
            json!({}),
            json!({"groups": ["a"], "percent": 1}),
            json!({"percent": 101}),
        ] {
            let refused = console.send("PUT", path, &wrong.to_string());
            assert_eq!(problem(&refused).0, 422, "{wrong}");
        }
        let set = console.send("PUT", path, &json!({"groups": ["pilots"]}).to_string());
        assert_eq!(set.status, 204, "{}", set.text());
        for name in ["ann", "ben", "cem"] {
            world.user(json!({"userName": name}));
        }
        let page = console.show(&format!("{path}?limit=2"));
        assert_eq!((&page["inside"], &page["outside"]), (&json!(0), &json!(2)));
        assert_eq!(page["pilot"], json!({"groups": ["pilots"]}));
        assert_eq!(each(&page, "user_name"), ["ann", "ben"]);
        let next = &page["next"];
        let rest = console.show(&format!("{path}?after={next}"));
        assert_eq!(each(&rest, "user_name"), ["cem"]);
        let told = console.show("/connectors/idp/users/ann/why");
        assert!(
            told["lines"]
                .to_string()
                .contains("on pilot without this user"),
            "{told}"
        );
        assert_eq!(console.delete(path).status, 204);
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(console.show("/directories/default")["active_users"], 3);
    });
}

#[test]
fn why_tells_what_ended_a_membership() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let ann = world.user(json!({"userName": "ann"}));
        let dev = idp.group("dev", &[&ann]);
        let ops = world.group("ops", &[&ann]);
        let console = Console::new(&world);
        let why = |group: &str| {
            console.show(&format!("/directories/default/users/ann/why?group={group}"))
        };
        assert_eq!(why("dev").get("left"), None);
        idp.delete(&format!("/Groups/{dev}"));
        let told = why("dev");
        let lines = told["lines"].to_string();
        let deleted = format!(
            "source group `dev` gave it, which the identity provider deleted, `DELETE /Groups/{dev}`"
        );
        assert!(lines.contains(&deleted), "{told}");
        assert_eq!(
            (&told["member"], &told["left"]["what"]),
            (&json!(false), &json!("scim"))
        );
        let request = told["left"]["request"].as_str().unwrap();
        let record = console.show(&format!("/requests?request={request}"));
        assert_eq!(record["items"][0]["method"], "DELETE", "{record}");

        let path = format!("members[value eq \"{ann}\"]");
        world.patch_group(&ops, json!([{"op": "remove", "path": path}]));
        let told = why("ops");
        let lines = told["lines"].to_string();
        assert!(lines.contains("source group `ops` gave it"), "{told}");
        assert_eq!(told["left"]["what"], "scim");
        // Who comes back has left nothing.
        world.patch_group(
            &ops,
            json!([{"op": "add", "path": "members", "value": [{"value": ann}]}]),
        );
        let told = why("ops");
        assert_eq!((&told["member"], told.get("left")), (&json!(true), None));
        assert_eq!(why("nobody").get("left"), None);
    });
}

#[test]
fn the_past_of_a_group_is_found_by_what_the_identity_provider_calls_it() {
    on_each_database(|database| {
        let rules = json!({"groups": {"rename": "pin", "names": {"rules": [{"steps": [{"prefix": {"text": "jira-"}}]}]}}});
        let world = World::with_rules(database, serde_json::from_value(rules).unwrap());
        let ann = world.user(json!({"userName": "ann"}));
        let sales = world.group("Sales", &[&ann]);
        let name = json!([{"op": "replace", "path": "displayName", "value": "Sales EMEA"}]);
        world.patch_group(&sales, name);
        let console = Console::new(&world);
        for asked in ["jira-Sales", "sales emea", "SALES"] {
            let past = console
                .show(&format!("/directories/default/groups/{asked}/history").replace(' ', "%20"));
            assert_eq!(past["who"]["name"], "jira-Sales", "{past}");
            let became = past["who"]["became"].as_str().unwrap_or_default();
            assert_eq!(
                became.contains("products know it as `jira-Sales`"),
                asked != "jira-Sales",
                "{past}"
            );
            let journal = console
                .show(&format!("/directories/default/journal?group={asked}").replace(' ', "%20"));
            assert!(
                !journal["items"].as_array().unwrap().is_empty(),
                "{journal}"
            );
        }
        let none = console.get("/directories/default/groups/marketing/history");
        assert_eq!(problem(&none).0, 404);
    });
}
