//! Values that the rules give and that cannot be used: the identity provider gets its success, and everybody sees whom it hits.

use emulate::databases::on_each_database;
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, each, ok, problem};
use crate::scim_idp::*;
use crate::ui_browser::Browser;
use crate::world::World;

fn starting(day: &str) -> Value {
    json!({"userName": "ann", "title": day})
}

/// An attribute for products that is a date at the identity provider.
fn with_a_date(console: &Console<'_>) {
    let row = json!({"target": "attr:start", "source": {"attribute": "title"},
        "steps": [{"date_format": {"format": "%d/%m/%y"}}]});
    ok(&console.put(
        "/connectors/idp/rules",
        json!({"rules": {"mapping": [row]}}),
    ));
}

#[test]
fn a_value_that_cannot_be_used_flags_the_user_and_the_old_one_stays() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        with_a_date(&console);
        world.run(world.provision.work_off()).unwrap();
        let ann = id_of(&idp.post("/Users", &starting("2026-12-31")));
        idp.user("ben");
        let start = || {
            let found = console.show("/directories/default/users?search=ann");
            let key = found["items"][0]["key"].as_str().unwrap().to_owned();
            let user = console.show(&format!("/directories/default/users/{key}"));
            user["attributes"]["start"][0].clone()
        };
        let path = "/connectors/idp/value-errors";
        assert_eq!(console.show(path)["items"], json!([]));
        assert_eq!(start(), "31/12/26");

        let put = idp.put(&format!("/Users/{ann}"), &starting("soon"));
        assert_eq!(put.status, 200, "the identity provider notices nothing");
        assert_eq!(start(), "31/12/26", "the old value stays");
        let flagged = console.show(path);
        assert_eq!(each(&flagged, "user_name"), ["ann"]);
        assert_eq!(console.show("/connectors/idp")["value_errors"], 1);
        let one = flagged["items"][0].clone();
        assert_eq!(one["user_id"], json!(ann));
        assert_eq!(
            one["errors"],
            json!([{"target": "attr:start", "message": "is not a date of the format"}])
        );

        // A run over everybody counts it, and finds nothing new.
        world.wait(jiff::SignedDuration::from_mins(5));
        let begun = console.call("/connectors/idp/reconcile").json();
        world.run(world.provision.work_off()).unwrap();
        let job = console.show(&format!("/jobs/{}", begun["job"]["id"].as_str().unwrap()));
        assert_eq!(job["counts"]["error"], 1, "{job}");
        assert_eq!(console.show(path)["items"][0], one);
        assert_eq!(problem(&console.get(&format!("{path}?after=x"))).0, 422);

        idp.put(&format!("/Users/{ann}"), &starting("2027-01-01"));
        assert_eq!(console.show(path)["items"], json!([]));
        assert_eq!(start(), "01/01/27");

        // Whoever goes is not in the list any more, nor who comes without the value.
        idp.put(&format!("/Users/{ann}"), &starting("later"));
        let cid = json!({"userName": "cid", "title": "then"});
        let cid = id_of(&idp.post("/Users", &cid));
        assert_eq!(each(&console.show(path), "user_name"), ["ann", "cid"]);
        let first = console.show(&format!("{path}?limit=1"));
        let next = first["next"].as_str().unwrap();
        let rest = console.show(&format!("{path}?after={next}"));
        assert_eq!(each(&rest, "user_name"), ["cid"]);
        assert_eq!(idp.delete(&format!("/Users/{ann}")).status, 204);
        let operations = json!([{"op": "remove", "path": "title"}]);
        idp.patch(&format!("/Users/{cid}"), &operations);
        assert_eq!(console.show(path)["items"], json!([]));
    });
}

#[test]
fn names_of_groups_that_rules_spoil_are_told_before_and_after() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let ann = idp.user("ann");
        world.group("dev", &[&ann]);
        let names = json!({"rules": [{"steps": [{"prefix": {"text": "p".repeat(254)}}]}]});
        let rules = json!({"groups": {"names": names}});
        let path = "/connectors/idp/rules";
        let refused = console.put(path, json!({"rules": rules}));
        assert_eq!(refused.status, 422, "{}", refused.text());
        let told = refused.json();
        assert_eq!(told["errors"][0]["path"], "groups.names", "{told}");
        assert!(told.to_string().contains("the group 'dev'"), "{told}");

        ok(&console.put(path, json!({"rules": rules, "anyway": true})));
        world.run(world.provision.work_off()).unwrap();
        let shown = console.show("/directories/default/users/ann");
        assert_eq!(shown["memberships"][0]["group"], "dev", "{shown}");
        let flagged = console.show("/connectors/idp/value-errors");
        assert_eq!(each(&flagged, "user_name"), ["ann"]);
        assert_eq!(flagged["items"][0]["errors"][0]["target"], "groups");
        let group = &console.show("/connectors/idp/groups")["items"][0];
        assert_eq!(group["state"], "left_out");
        assert!(
            group["name_fault"]
                .to_string()
                .contains("is too long for a name"),
            "{group}"
        );
    });
}

#[test]
fn rules_read_the_id_and_the_times_of_a_user() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let rules = json!({
            "mapping": [
                {"target": "attr:id", "source": {"attribute": "id"}},
                {"target": "attr:made", "source": {"template": "made ${meta.created}"}},
            ],
            "scope": {"filter": "meta.created pr and meta.lastModified lt \"2100-01-01T00:00:00Z\""},
            "cleanup": {"exempt_when": "meta.lastModified gt \"2001-01-01T00:00:00Z\""},
        });
        ok(&console.put("/connectors/idp/rules", json!({"rules": rules})));
        let ann = idp.user("ann");
        let meta = shown(&idp.get(&format!("/Users/{ann}")))["meta"].clone();
        let account = || console.show("/directories/default/users/ann");
        assert_eq!(account()["status"], "active");
        assert_eq!(account()["attributes"]["id"], json!([ann]));
        let made = format!("made {}", meta["created"].as_str().unwrap());
        assert_eq!(account()["attributes"]["made"], json!([made]));

        // A look at what is stored sees the same.
        world.group("dev", &[&ann]);
        console.call("/connectors/idp/reconcile");
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(account()["attributes"]["id"], json!([ann]));
        let operations = json!([{"op": "replace", "value": {"active": false}}]);
        idp.patch(&format!("/Users/{ann}"), &operations);
        assert_eq!(account()["status"], "active", "written lately, so exempt");

        let odd = json!({"mapping": [{"target": "attr:x", "source": {"attribute": "name"}}]});
        let answer = ok(&console.put("/connectors/idp/rules", json!({"rules": odd})));
        assert_eq!(
            answer["warnings"][0]["path"], "mapping[0].source.attribute",
            "{answer}"
        );
    });
}

#[test]
fn a_table_may_tell_upper_from_lower_case() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let table = json!({"DE": "Germany", "de": "german"});
        let rules = json!({"mapping": [{"target": "attr:x", "source": {"attribute": "title"},
            "steps": [{"map": {"table": table}}]}]});
        ok(&console.put("/connectors/idp/rules", json!({"rules": rules})));
        for (name, title, value) in [("upper", "DE", "Germany"), ("lower", "de", "german")] {
            idp.post("/Users", &json!({"userName": name, "title": title}));
            let shown = console.show(&format!("/directories/default/users/{name}"));
            assert_eq!(shown["attributes"]["x"], json!([value]));
        }
        let body = r#"{"rules": {"mapping": []}, "rules": {}}"#;
        let twice = console.send("PUT", "/connectors/idp/rules", body);
        assert_eq!(problem(&twice).0, 400);
    });
}

#[test]
fn what_switches_keep_back_is_told_wherever_it_would_have_happened() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let [ann, ben, cid] = ["ann", "ben", "cid"].map(|name| idp.user(name));
        let ann_id = ann.clone();
        let active = |id: &str, active: bool| {
            let operations = json!([{"op": "replace", "value": {"active": active}}]);
            assert_eq!(idp.patch(&format!("/Users/{id}"), &operations).status, 200);
        };
        active(&ben, false);
        let off = json!({"create": false, "update": false, "enable": false, "disable": false});
        ok(&console.put("/connectors/idp/rules", json!({"rules": {"accounts": off}})));
        world.run(world.provision.work_off()).unwrap();

        let warned = || {
            let page = console.show("/requests?limit=1");
            let id = page["items"][0]["id"].to_string();
            let record = console.show(&format!("/requests/{}", id.trim_matches('"')));
            each(&json!({"items": record["warnings"]}), "what")
        };
        idp.user("new");
        assert_eq!(warned(), ["accounts.create"]);
        let operations = json!([{"op": "replace", "path": "displayName", "value": "Ann B."}]);
        idp.patch(&format!("/Users/{ann}"), &operations);
        assert_eq!(warned(), ["accounts.update"]);
        active(&ben, true);
        assert_eq!(warned(), ["accounts.enable"]);
        active(&cid, false);
        assert_eq!(warned(), ["accounts.disable"]);

        let told = |name: &str| console.show(&format!("/directories/default/users/{name}/why"));
        let cid = told("cid");
        assert_eq!(cid["decision"], "active");
        assert!(
            cid.to_string()
                .contains("IDP_INACTIVE: the rules say disable"),
            "{cid}"
        );
        assert!(
            cid["conditions"]
                .to_string()
                .contains("`accounts.disable` must be on"),
            "{cid}"
        );
        let ann = told("ann");
        assert!(
            ann["conditions"]
                .to_string()
                .contains("`accounts.update` must be on"),
            "{ann}"
        );

        // A run over everybody counts them, and so does a preview.
        world.wait(jiff::SignedDuration::from_mins(5));
        let begun = console.call("/connectors/idp/reconcile").json();
        world.run(world.provision.work_off()).unwrap();
        let job = console.show(&format!("/jobs/{}", begun["job"]["id"].as_str().unwrap()));
        assert_eq!(job["counts"]["suppressed"], 4, "{job}");
        let preview = console.post(
            "/connectors/idp/rules/preview",
            json!({"rules": {"accounts": off}}),
        );
        let preview = ok(&preview);
        assert_eq!(
            preview["summary"]["operations"]["suppressed"], 4,
            "{preview}"
        );
        let path = format!(
            "/connectors/idp/rules/previews/{}/users?operation=suppressed",
            preview["id"].as_str().unwrap()
        );
        assert_eq!(
            each(&console.show(&path), "user_name"),
            ["ann", "ben", "cid", "new"]
        );

        // Everybody is listed as it is decided, who was deleted at the identity provider as well.
        let list = "/connectors/idp/suppressed";
        let names = |list: &Value| each(list, "user_name");
        assert_eq!(names(&console.show(list)), ["ann", "ben", "cid", "new"]);
        assert_eq!(idp.delete(&format!("/Users/{ann_id}")).status, 204);
        let whole = console.show(list);
        assert_eq!(names(&whole), ["ben", "cid", "new", "ann"]);
        assert_eq!(console.show("/connectors/idp")["suppressed"], 4);
        let [first, last] = [&whole["items"][0], &whole["items"][3]];
        assert_eq!(first["kept_back"][0]["switch"], "accounts.enable");
        assert_eq!(last["kept_back"][0]["switch"], "accounts.disable");
        assert_eq!(
            (&last["user_id"], &first["user_id"]),
            (&Value::Null, &json!(ben))
        );
        let mut walked = Vec::new();
        let mut next = String::new();
        loop {
            let page = console.show(&format!("{list}?limit=1{next}"));
            walked.extend(names(&page));
            match page["next"].as_str() {
                Some(after) => next = format!("&after={after}"),
                None => break,
            }
        }
        assert_eq!(walked, names(&whole));
        assert_eq!(
            problem(&console.get(&format!("{list}?after=deleted-x"))).0,
            422
        );
        let browser = Browser::signed_in(&world, "eve", Role::Owner);
        let page = browser.get("/console/connectors/idp/conflicts");
        for told in [
            "What switches keep back",
            "keep something back for 4 users",
            "deleted at the identity provider",
        ] {
            assert!(page.text().contains(told), "{told}: {}", page.text());
        }

        // With the switches on everybody follows again.
        ok(&console.put("/connectors/idp/rules", json!({"rules": {}})));
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(console.show(list)["items"], json!([]));
        assert_eq!(console.show("/connectors/idp")["suppressed"], 0);
    });
}
