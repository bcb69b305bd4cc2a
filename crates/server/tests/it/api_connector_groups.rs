//! Groups of a connector through the admin API: listed with what became of each, and decided about.

use emulate::databases::on_each_database;
use provision::Writer;
use serde_json::{Value, json};

use crate::api_console::{Console, ok, problem};
use crate::world::World;

/// A product puts a user into a group that it makes.
fn put_in(world: &World, group: &str, user: &str) {
    let writer = Writer {
        directory: world.connector.connector.directory,
        application: "jira".into(),
        request: String::new(),
    };
    let made = Some(String::new());
    let put = world
        .provision
        .add_local_membership(&writer, group.into(), user.into(), made);
    world.run(put).unwrap();
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

fn rules(console: &Console<'_>, rules: Value) -> Value {
    ok(&console.patch("/connectors/idp", json!({"rules": rules})))
}

#[test]
fn groups_are_listed_page_by_page_and_by_state() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let ann = world.user(json!({"userName": "ann"}));
        let dev = world.group("dev", &[&ann]);
        world.group("hidden", &[]);
        world.group("jira-administrators", &[&ann]);
        rules(
            &console,
            json!({"groups": {"never_assign": ["hidden"], "protected": ["re:.*-administrators"]}}),
        );
        let all = console.show("/connectors/idp/groups");
        assert_eq!(names(&all), ["dev", "hidden", "jira-administrators"]);
        assert_eq!(
            all["items"][0],
            json!({"id": dev, "name": "dev", "members": 1, "state": "assigned", "groups": ["dev"]})
        );
        let refused = console.show("/connectors/idp/groups?state=protected");
        assert_eq!(names(&refused), ["jira-administrators"]);
        assert_eq!(refused["items"][0]["protected_by"], "re:.*-administrators");
        assert_eq!(refused["items"][0]["members"], 1);

        let first = console.show("/connectors/idp/groups?limit=2");
        assert_eq!(names(&first), ["dev", "hidden"]);
        let next = first["next"].as_str().unwrap();
        let rest = console.show(&format!("/connectors/idp/groups?limit=2&after={next}"));
        assert_eq!(names(&rest), ["jira-administrators"]);
        assert_eq!(rest.get("next"), None);
        for bad in ["state=odd", "after=x", "limit=0", "colour=red"] {
            let answer = console.get(&format!("/connectors/idp/groups?{bad}"));
            assert!(matches!(answer.status, 400 | 422), "{bad}");
        }
        assert_eq!(console.get("/connectors/nobody/groups").status, 404);
    });
}

#[test]
fn a_former_name_is_told_as_long_as_it_goes_on() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        rules(&console, json!({"groups": {"rename": "alias"}}));
        let ann = world.user(json!({"userName": "ann"}));
        let devs = world.group("Devs", &[&ann]);
        world.patch_group(
            &devs,
            json!([{"op": "replace", "path": "displayName", "value": "Developers"}]),
        );
        let group = || console.show("/connectors/idp/groups")["items"][0].clone();
        assert_eq!(group()["alias"]["name"], "Devs", "{}", group());
        for asked in ["Devs", "Developers"] {
            let path = format!("/directories/default/users/ann/why?group={asked}");
            let why = console.show(&path).to_string();
            assert!(why.contains("was called `Devs` before"), "{why}");
        }
        let path = format!("/connectors/idp/groups/{devs}/decision");
        ok(&console.post(&path, json!({"choice": "rename", "name": "engineers"})));
        assert_eq!(group().get("alias"), None, "{}", group());
        ok(&console.post(&path, json!({"choice": "ignore"})));
        assert_eq!(group().get("alias"), None, "{}", group());
    });
}

#[test]
fn a_group_that_waits_is_decided_about() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        rules(&console, json!({"groups": {"on_existing": "review"}}));
        let ann = world.user(json!({"userName": "ann"}));
        world.user(json!({"userName": "ben"}));
        put_in(&world, "staff", "ben");
        let staff = world.group("Staff", &[&ann]);
        let waiting = console.show("/connectors/idp/groups?state=waiting");
        assert_eq!(names(&waiting), ["Staff"]);
        assert_eq!(
            waiting["items"][0]["existing"],
            json!({"name": "staff", "local": true, "members": 1, "would_add": 1, "would_remove": 1})
        );
        let path = format!("/connectors/idp/groups/{staff}/decision");
        for bad in [
            json!({"choice": "rename"}),
            json!({"choice": "merge", "name": "x"}),
            json!({"choice": "rename", "name": ""}),
            json!({"choice": "burn"}),
            json!({}),
        ] {
            let answer = console.post(&path, bad.clone());
            assert!(matches!(answer.status, 400 | 422), "{bad}");
        }
        let taken = console.post(&path, json!({"choice": "rename", "name": "STAFF"}));
        assert_eq!(problem(&taken).0, 409);

        let decided = ok(&console.post(&path, json!({"choice": "merge"})));
        assert_eq!(decided["state"], "assigned");
        assert_eq!(decided["groups"], json!(["Staff"]));
        let again = console.post(&path, json!({"choice": "merge"}));
        assert_eq!(problem(&again).0, 422);
        let named = console.post(
            "/connectors/idp/groups/staff/decision",
            json!({"choice": "ignore"}),
        );
        assert_eq!(ok(&named)["state"], "ignored");
        let unknown = console.post(
            "/connectors/idp/groups/x/decision",
            json!({"choice": "ignore"}),
        );
        assert_eq!(unknown.status, 404);
    });
}

#[test]
fn a_connector_that_is_made_here_begins_safely_and_is_warned_of_rules_in_vain() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        ok(&console.post(
            "/connectors",
            json!({"name": "new", "rules": {"groups": {"only_assign": ["x"]}}}),
        ));
        let groups = &console.show("/connectors/new")["rules"]["groups"];
        assert_eq!(groups["rename"], "pin");
        assert_eq!(groups["on_existing"], "review");
        assert_eq!(groups["only_assign"], json!(["x"]));
        let protected = groups["protected"].as_array().unwrap();
        assert!(protected.contains(&json!("jira-administrators")));
        let wrong = console.post(
            "/connectors",
            json!({"name": "y", "rules": {"groups": {"only": []}}}),
        );
        assert!(matches!(wrong.status, 400 | 422));
        assert!(wrong.text().contains("only_assign"), "{}", wrong.text());

        rules(
            &console,
            json!({"groups": {"mapping": {"rows": [{"source": {"id": "gone"}, "groups": ["x"]}]}}}),
        );
        let path = &console.show("/connectors/idp/rules")["warnings"][0]["path"];
        assert_eq!(path, "groups.mapping.rows[0].source.id");
    });
}
