//! Safety limits and holds through the admin API, beside an identity provider that notices nothing.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::scim_idp::*;
use crate::world::World;

/// Users of whom all but the first are held when they are set inactive.
fn leavers(console: &Console<'_>, idp: &Idp<'_>, names: &[&str]) -> Vec<String> {
    let limits =
        json!({"settings": {"limits": {"deactivations": {"at_least": 1}, "renames": null}}});
    let changed = ok(&console.patch("/connectors/idp", limits));
    assert_eq!(changed["settings"]["limits"]["deactivations"]["percent"], 0);
    assert_eq!(changed["settings"]["limits"]["renames"], Value::Null);
    assert_eq!(changed["settings"]["limits"]["memberships"]["at_least"], 50);
    let ids: Vec<String> = names.iter().map(|name| idp.user(name)).collect();
    for id in &ids {
        let operations = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(idp.patch(&format!("/Users/{id}"), &operations).status, 200);
        assert_eq!(shown(&idp.get(&format!("/Users/{id}")))["active"], false);
    }
    ids
}

#[test]
fn holds_are_listed_shown_and_decided() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        leavers(&console, &idp, &["ann", "ben", "cid"]);
        let list = console.show("/holds?state=open&connector=idp&kind=deactivation");
        let names: Vec<&Value> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hold| &hold["user"]["name"])
            .collect();
        assert_eq!(names, ["ben", "cid"]);
        assert_eq!(each(&console.show("/holds?q=BE"), "connector"), ["idp"]);
        let first = console.show("/holds?limit=1");
        let rest = console.show(&format!("/holds?after={}", first["next"].as_str().unwrap()));
        assert_eq!(rest["items"][0]["user"]["name"], "cid");
        let key = rest["items"][0]["user"]["key"].as_str().unwrap();
        assert_eq!(
            console.show(&format!("/holds?user={key}"))["items"],
            rest["items"]
        );

        let (ben, cid) = (&list["items"][0]["id"], &list["items"][1]["id"]);
        let shown = console.show(&format!("/holds/{ben}"));
        assert_eq!(shown["would_change"][0]["change"], "disable");
        assert_eq!(shown["cause"]["trigger"], "scim");
        assert!(shown["why"].to_string().contains("HELD"), "{shown}");
        assert_eq!(console.show("/connectors/idp")["open_holds"], 2);

        let limits = console.show("/connectors/idp/limits");
        assert_eq!(limits["open_holds"], 2);
        let of = &limits["limits"][0];
        assert_eq!(
            (&of["limit"], &of["passed"], &of["allowed"], &of["left"]),
            (&json!("deactivations"), &json!(1), &json!(1), &json!(0))
        );

        let decided = ok(&console.call(&format!("/holds/{ben}/approve")));
        assert_eq!(decided, json!({"decided": 1, "open": 1}));
        let (status, detail) = problem(&console.call(&format!("/holds/{ben}/approve")));
        assert_eq!(status, 409, "{detail}");
        let rejected = ok(&console.post("/connectors/idp/holds/reject", json!({})));
        assert_eq!(rejected, json!({"decided": 1, "open": 0}));
        let shown = console.show(&format!("/holds/{cid}"));
        assert_eq!(
            (&shown["state"], &shown["decided_by"]),
            (&json!("rejected"), &json!("console"))
        );
    });
}

#[test]
fn what_is_asked_wrongly_is_told() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        assert_eq!(problem(&console.get("/holds/7")).0, 404);
        assert_eq!(problem(&console.call("/holds/7/approve")).0, 404);
        assert_eq!(problem(&console.get("/holds?kind=theft")).0, 400);
        assert_eq!(problem(&console.get("/holds?connector=nobody")).0, 404);
        assert_eq!(problem(&console.get("/connectors/nobody/limits")).0, 404);
        let unknown = console.post("/connectors/idp/holds/approve", json!({"kinds": "rename"}));
        assert!(unknown.status >= 400, "{}", unknown.text());
        let change = |limits: Value| {
            let body = json!({"settings": {"limits": limits}});
            let answer = console.patch("/connectors/idp", body);
            (problem(&answer).0, answer.json())
        };
        let (status, told) = change(json!({"window_minutes": 0}));
        assert_eq!(status, 422);
        assert_eq!(told["errors"][0]["path"], "limits.window_minutes");
        assert_eq!(change(json!({"renames": {"percent": 7}})).0, 422);
        assert_eq!(change(json!({"enabled": null})).0, 422);
    });
}

#[test]
fn limits_of_groups_have_the_names_that_people_know() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mira = world.mira();
        let group = world.group("Jira Users", &[&mira]);
        world.remove(&group, &mira);
        let groups = || {
            let limits = console.show("/connectors/idp/limits");
            let mut all = limits["limits"].as_array().unwrap().iter();
            let found = all.find(|one| one["limit"] == "group_memberships");
            found.unwrap()["group"].clone()
        };
        assert_eq!(groups(), "Jira Users");
        world.delete_group(&group);
        world.run(world.provision.work_off()).unwrap();
        let name = groups().as_str().unwrap().to_lowercase();
        assert_eq!(name, "jira users", "also if it is gone");
    });
}
