//! Groups in groups on the Crowd face: what products read and write of them.

use directory::Rules;
use directory::rules::NestedGroups;
use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::Console;
use crate::http::Answer;
use crate::world::{Product, World, ok, refusal};

fn rules(written: Value) -> Rules {
    serde_json::from_value(json!({"groups": written})).unwrap()
}

fn preserving() -> Rules {
    rules(json!({"nested_groups": "preserve"}))
}

/// Names in a list of groups or users in JSON.
#[track_caller]
fn names(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let list = answer.json();
    let all = list["groups"].as_array().or(list["users"].as_array());
    let name = |one: &Value| one["name"].as_str().unwrap().to_owned();
    all.unwrap().iter().map(name).collect()
}

/// `all` has `staff`, which has `team`; mira is in `team`, jon in `all`.
fn house(world: &World) -> (String, String, String) {
    let (mira, jon) = (world.mira(), world.user(json!({"userName": "jon"})));
    let team = world.group("Team A+B", &[&mira]);
    let staff = world.group("staff", &[&team]);
    let all = world.group("all", &[&staff, &jon]);
    (team, staff, all)
}

#[test]
fn lists_go_one_step_or_all_the_way() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        house(&world);
        let product = Product::reader(&world).json();
        let list = |path: &str| names(&product.get(path));
        for (path, wanted) in [
            ("/group/child-group/direct?groupname=all", vec!["staff"]),
            (
                "/group/child-group/nested?groupname=ALL",
                vec!["staff", "Team A+B"],
            ),
            ("/group/child-group/direct?groupname=team+a%2Bb", vec![]),
            (
                "/group/parent-group/direct?groupname=team+a%2Bb",
                vec!["staff"],
            ),
            (
                "/group/parent-group/nested?groupname=team+a%2Bb",
                vec!["all", "staff"],
            ),
            (
                "/group/parent-group/nested?groupname=team+a%2Bb&start-index=1&max-results=1",
                vec!["staff"],
            ),
            ("/user/group/direct?username=mira", vec!["Team A+B"]),
            (
                "/user/group/nested?username=mira",
                vec!["all", "staff", "Team A+B"],
            ),
            ("/group/user/direct?groupname=all", vec!["jon"]),
            ("/group/user/nested?groupname=all", vec!["jon", "mira"]),
            (
                "/group/user/nested?groupname=staff&max-results=-1",
                vec!["mira"],
            ),
        ] {
            assert_eq!(list(path), wanted, "{path}");
        }
        let answer = product.get("/group/membership");
        assert!(ok(&answer).contains(
            "<membership group=\"all\"><users><user name=\"jon\"/></users><groups><group name=\"staff\"/></groups></membership>"
        ), "{}", answer.text());
        assert!(ok(&answer).contains("<user name=\"mira\"/></users><groups/></membership>"));
    });
}

#[test]
fn single_checks_tell_direct_from_nested() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        house(&world);
        let product = Product::reader(&world);
        for (path, is) in [
            (
                "/group/child-group/direct?groupname=all&child-groupname=Staff",
                true,
            ),
            (
                "/group/child-group/direct?groupname=all&child-groupname=Team+A%2BB",
                false,
            ),
            (
                "/group/child-group/nested?groupname=all&child-groupname=Team+A%2BB",
                true,
            ),
            (
                "/group/child-group/nested?groupname=all&child-groupname=all",
                false,
            ),
            (
                "/group/child-group/nested?groupname=all&child-groupname=none",
                false,
            ),
            (
                "/group/parent-group/direct?groupname=staff&parent-groupname=all",
                true,
            ),
            (
                "/group/parent-group/direct?groupname=staff&child-groupname=all",
                true,
            ),
            (
                "/group/parent-group/direct?groupname=all&parent-groupname=staff",
                false,
            ),
            (
                "/group/parent-group/nested?groupname=Team+A%2BB&parent-groupname=ALL",
                true,
            ),
            ("/user/group/direct?username=mira&groupname=staff", false),
            ("/user/group/nested?username=MIRA&groupname=staff", true),
            ("/group/user/nested?groupname=all&username=mira", true),
            ("/group/user/nested?groupname=staff&username=jon", false),
        ] {
            let answer = product.get(path);
            match is {
                true => drop(ok(&answer)),
                false => assert_eq!(
                    refusal(&answer),
                    (404, "MEMBERSHIP_NOT_FOUND".into()),
                    "{path}"
                ),
            }
        }
    });
}

#[test]
fn flattened_groups_have_no_children_and_all_the_users() {
    on_each_database(|database| {
        let world = World::new(database);
        house(&world);
        let product = Product::reader(&world).json();
        assert!(names(&product.get("/group/child-group/nested?groupname=all")).is_empty());
        assert_eq!(
            names(&product.get("/group/user/direct?groupname=all")),
            ["jon", "mira"]
        );
        assert!(!ok(&product.get("/group/membership")).contains("<group name"));
    });
}

#[test]
fn products_with_write_access_nest_groups() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        house(&world);
        let product = Product::writer(&world);
        assert_eq!(
            product.post("/group", "<group name=\"local\"/>").status,
            201
        );
        let child = "/group/child-group/direct?groupname=";
        let added = product.post(&format!("{child}local"), "<group name=\"Staff\"/>");
        assert_eq!((added.status, added.text()), (201, ""));
        let location = added.header("location").unwrap();
        assert!(
            location.ends_with("/group/child-group/direct?groupname=local&child-groupname=Staff"),
            "{location}"
        );
        let json = product.json();
        assert_eq!(
            names(&json.get("/group/user/nested?groupname=local")),
            ["mira"]
        );
        let more = json.post(
            "/group/parent-group/direct?groupname=local",
            r#"{"name": "all"}"#,
        );
        assert_eq!(more.status, 201, "{}", more.text());
        assert_eq!(
            names(&json.get("/group/child-group/direct?groupname=all")),
            ["local", "staff"]
        );
        for (path, body, wanted) in [
            (
                "child-group/direct?groupname=local",
                "staff",
                (409, "MEMBERSHIP_ALREADY_EXISTS"),
            ),
            (
                "parent-group/direct?groupname=staff",
                "LOCAL",
                (409, "MEMBERSHIP_ALREADY_EXISTS"),
            ),
            (
                "child-group/direct?groupname=staff",
                "all",
                (400, "INVALID_MEMBERSHIP"),
            ),
            (
                "child-group/direct?groupname=Team+A%2BB",
                "all",
                (400, "INVALID_MEMBERSHIP"),
            ),
            (
                "child-group/direct?groupname=all",
                "ALL",
                (400, "INVALID_MEMBERSHIP"),
            ),
            (
                "parent-group/direct?groupname=all",
                "local",
                (400, "INVALID_MEMBERSHIP"),
            ),
            (
                "child-group/direct?groupname=none",
                "all",
                (404, "GROUP_NOT_FOUND"),
            ),
            (
                "child-group/direct?groupname=all",
                "none",
                (400, "GROUP_NOT_FOUND"),
            ),
            (
                "parent-group/direct?groupname=all",
                "none",
                (400, "GROUP_NOT_FOUND"),
            ),
            (
                "parent-group/direct?groupname=none",
                "nobody",
                (404, "GROUP_NOT_FOUND"),
            ),
        ] {
            let answer = product.post(
                &format!("/group/{path}"),
                &format!("<group name=\"{body}\"/>"),
            );
            let (status, reason) = refusal(&answer);
            assert_eq!(
                (status, reason.as_str()),
                wanted,
                "{path} {body}: {}",
                answer.text()
            );
        }
        for (path, wanted) in [
            (
                "child-group/direct?groupname=all&child-groupname=staff",
                (403, "APPLICATION_PERMISSION_DENIED"),
            ),
            (
                "child-group/direct?groupname=local&child-groupname=all",
                (404, "MEMBERSHIP_NOT_FOUND"),
            ),
            (
                "child-group/direct?groupname=none&child-groupname=all",
                (404, "GROUP_NOT_FOUND"),
            ),
            (
                "child-group/direct?groupname=all&child-groupname=none",
                (404, "GROUP_NOT_FOUND"),
            ),
            (
                "child-group/direct?groupname=all",
                (400, "ILLEGAL_ARGUMENT"),
            ),
        ] {
            let (status, reason) = refusal(&product.delete(&format!("/group/{path}")));
            assert_eq!((status, reason.as_str()), wanted, "{path}");
        }
        let gone =
            product.delete("/group/child-group/direct?groupname=local&child-groupname=staff");
        assert_eq!(gone.status, 204, "{}", gone.text());
        let gone =
            product.delete("/group/parent-group/direct?groupname=local&parent-groupname=all");
        assert_eq!(gone.status, 204, "{}", gone.text());
        assert_eq!(
            names(&json.get("/group/child-group/direct?groupname=all")),
            ["staff"]
        );
        let reader = Product::reader(&world);
        for refused in [
            reader.post(&format!("{child}local"), "<group name=\"staff\"/>"),
            reader.delete("/group/child-group/direct?groupname=all&child-groupname=staff"),
        ] {
            assert_eq!(
                refusal(&refused),
                (403, "APPLICATION_PERMISSION_DENIED".into())
            );
        }
    });
}

#[test]
fn circles_of_the_identity_provider_end() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        let (team, _, all) = house(&world);
        world.add(&team, &all);
        let product = Product::reader(&world).json();
        for (path, wanted) in [
            (
                "/group/child-group/nested?groupname=all",
                vec!["staff", "Team A+B"],
            ),
            (
                "/group/parent-group/nested?groupname=all",
                vec!["staff", "Team A+B"],
            ),
            ("/group/user/nested?groupname=staff", vec!["jon", "mira"]),
            (
                "/user/group/nested?username=jon",
                vec!["all", "staff", "Team A+B"],
            ),
        ] {
            assert_eq!(names(&product.get(path)), wanted, "{path}");
        }
        let flat = world.connector.connector.id;
        world
            .run(
                world
                    .provision
                    .change_connector(flat, "admin", |connector| {
                        connector.rules.groups.nested_groups = NestedGroups::Flatten;
                        Ok(())
                    }),
            )
            .unwrap();
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(
            names(&product.get("/group/user/direct?groupname=Team+A%2BB")),
            ["jon", "mira"]
        );
    });
}

#[test]
fn a_change_of_nesting_is_one_event_in_each_format() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        let (team, staff, all) = house(&world);
        let product = Product::reader(&world);
        let token = |answer: &Answer| {
            crowd::answer::events(ok(answer).as_bytes(), |_| {})
                .unwrap()
                .token
                .unwrap()
        };
        let start = token(&product.get("/event"));
        world.add(&all, &team);
        let news = product.get(&format!("/event/{start}"));
        let event = "<groupMembershipEvent><operation>UPDATED</operation><group name=\"Team A+B\"/>\
            <parentGroups><group name=\"all\"/><group name=\"staff\"/></parentGroups><childGroups/></groupMembershipEvent>";
        assert!(ok(&news).contains(event), "{}", news.text());
        assert_eq!(
            ok(&news).matches("Event>").count(),
            2,
            "nothing else is told"
        );
        let in_json = product.json().get(&format!("/event/{start}")).json();
        let event = &in_json["events"][0]["groupMembershipEvent"];
        assert_eq!(event["operation"], "UPDATED", "{in_json}");
        assert_eq!(event["group"]["name"], "Team A+B", "{in_json}");
        // A rename tells the group anew with all that is around it.
        let next = token(&news);
        world.patch_group(
            &staff,
            json!([{"op": "replace", "path": "displayName", "value": "crew"}]),
        );
        let news = product.get(&format!("/event/{next}"));
        let event = "<group name=\"crew\"/><parentGroups><group name=\"all\"/></parentGroups>\
            <childGroups><group name=\"Team A+B\"/></childGroups>";
        assert!(ok(&news).contains(event), "{}", news.text());
    });
}

#[test]
fn the_admin_api_tells_what_is_nested_and_why() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        house(&world);
        let product = Product::writer(&world);
        assert_eq!(
            product.post("/group", "<group name=\"local\"/>").status,
            201
        );
        let added = product.post(
            "/group/child-group/direct?groupname=local",
            "<group name=\"all\"/>",
        );
        assert_eq!(added.status, 201);
        let console = Console::new(&world);
        let get = |path: &str| console.show(&format!("/directories/default{path}"));
        let all = get("/groups/all");
        assert_eq!(all["members"], 1);
        assert_eq!(all["members_below"], 2);
        assert_eq!(
            all["children"],
            json!([{"name": "staff", "origins": [{"kind": "idp", "source_group": "all"}]}])
        );
        assert_eq!(
            all["parents"],
            json!([{"name": "local", "origins": [{"kind": "local"}]}])
        );
        let why = get("/users/mira/why?group=local");
        assert_eq!(why["member"], false);
        assert_eq!(why["member_by_way_of"], json!(["Team A+B", "staff", "all"]));
        let lines = why["lines"].to_string();
        assert!(
            lines.contains("`Team A+B` is in `staff`: source group `staff` has it"),
            "{lines}"
        );
        assert!(
            lines.contains("`all` is in `local`: a product put it there"),
            "{lines}"
        );
        let journal = get("/journal?group=all&order=newest&limit=1");
        let entry = &journal["items"][0];
        assert_eq!(entry["change"]["change"], "add_child_group", "{entry}");
        assert_eq!(
            (&entry["group"], &entry["child_group"]),
            (&json!("local"), &json!("all"))
        );
    });
}
