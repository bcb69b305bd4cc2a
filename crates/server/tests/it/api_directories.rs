//! Users and groups of a directory through the admin API, with origins and explanations.

use directory::Rules;
use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};
use store::{Access, Role};

use crate::api_console::{Console, each, problem};
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::{Product, World};

fn with_rules(database: &TestDatabase, rules: Value) -> World {
    let rules: Rules = serde_json::from_value(rules).unwrap();
    World::with_rules(database, rules)
}

/// The texts of an explanation, and whether the rules want the membership.
fn why(console: &Console, path: &str) -> (Option<bool>, String) {
    let told = console.show(path);
    let lines = told["lines"].as_array().unwrap().iter();
    let texts: Vec<&str> = lines.map(|line| line["text"].as_str().unwrap()).collect();
    (told["member_by_rules"].as_bool(), texts.join("\n"))
}

#[test]
fn a_user_is_shown_with_memberships_and_where_they_come_from() {
    on_each_database(|database| {
        let world = with_rules(
            database,
            json!({
                "mapping": [{"target": "attr:title", "source": {"attribute": "title"}}],
                "groups": {"always_assign": ["everyone"], "names": {"rules": [{"steps": ["lower"]}]}},
            }),
        );
        let mira = world.user(json!({"userName": "mira", "externalId": "x-1", "title": "Dr"}));
        world.group("DEV", &[&mira]);
        let product = Product::writer(&world).json();
        let made = product.post("/group", r#"{"name": "local", "type": "GROUP"}"#);
        assert_eq!(made.status, 201, "{}", made.text());
        let joined = product.post("/user/group/direct?username=mira", r#"{"name": "local"}"#);
        assert_eq!(joined.status, 201, "{}", joined.text());

        let console = Console::new(&world);
        let shown = console.show("/directories/default/users/MIRA");
        assert_eq!(
            shown["memberships"],
            json!([
                {"group": "dev", "origins": [{"kind": "idp", "source_group": "DEV"}]},
                {"group": "everyone", "origins": [{"kind": "always"}]},
                {"group": "local", "origins": [{"kind": "local"}]},
            ])
        );
        assert_eq!(shown["attributes"], json!({"title": ["Dr"]}));
        assert_eq!(
            (&shown["status"], &shown["reason"]),
            (&json!("active"), &json!("IDP_ACTIVE"))
        );
        assert_eq!(
            (&shown["connector"], &shown["external_id"]),
            (&json!("idp"), &json!("x-1"))
        );
        let key = shown["key"].as_str().unwrap();
        assert_eq!(
            console.show(&format!("/directories/default/users/{key}")),
            shown
        );

        let group = console.show("/directories/default/groups/Dev");
        assert_eq!(
            (&group["name"], &group["members"]),
            (&json!("dev"), &json!(1))
        );
        assert_eq!(
            (&group["local"], &group["source_groups"]),
            (&json!(false), &json!(1))
        );
        assert_eq!(
            console.show("/directories/default/groups/local")["local"],
            true
        );
        let members = console.show("/directories/default/groups/dev/members");
        assert_eq!(each(&members, "name"), ["mira"]);
        assert_eq!(
            members["items"][0]["origins"],
            json!([{"kind": "idp", "source_group": "DEV"}])
        );
    });
}

#[test]
fn lists_come_in_pages_and_by_search() {
    on_each_database(|database| {
        let world = World::new(database);
        let ids: Vec<String> = ["Åke", "bea", "CARL", "Émile", "zoe"]
            .map(|name| {
                let mail = format!("{}@example.test", name.len());
                world.user(
                    json!({"userName": name, "displayName": format!("The {name}"),
                    "emails": [{"value": mail}], "active": name != "zoe"}),
                )
            })
            .into();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for name in ["ops", "Dev", "all"] {
            world.group(name, &ids);
        }
        let console = Console::new(&world);
        for (path, sorted) in [
            (
                "/directories/default/users",
                vec!["bea", "CARL", "zoe", "Åke", "Émile"],
            ),
            ("/directories/default/groups", vec!["all", "Dev", "ops"]),
            (
                "/directories/default/groups/ALL/members",
                vec!["bea", "CARL", "zoe", "Åke", "Émile"],
            ),
        ] {
            let whole = console.show(path);
            assert_eq!(each(&whole, "name"), sorted, "{path}");
            assert_eq!(whole.get("next"), None);
            for limit in 1..=sorted.len() {
                let mut walked = Vec::new();
                let mut after = String::new();
                loop {
                    let page = console.show(&format!("{path}?limit={limit}{after}"));
                    walked.extend(each(&page, "name"));
                    let Some(next) = page["next"].as_str() else {
                        break;
                    };
                    after = format!("&after={}", encoded(next));
                }
                assert_eq!(walked, sorted, "{path} by {limit}");
            }
        }
        let found = |query: &str| {
            each(
                &console.show(&format!("/directories/default/users?{query}")),
                "name",
            )
        };
        assert_eq!(found("search=THE%20c"), ["CARL"]);
        assert_eq!(found("search=%C3%A5K"), ["Åke"]);
        assert_eq!(found("search=3@example"), ["bea", "zoe"]);
        assert_eq!(found("search=3@example&active=true"), ["bea"]);
        assert_eq!(found("active=false"), ["zoe"]);
        assert_eq!(found("search=nobody"), Vec::<String>::new());
        assert_eq!(
            each(
                &console.show("/directories/default/groups?search=D"),
                "name"
            ),
            ["Dev"]
        );
    });
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn a_page_goes_on_where_it_stopped_though_users_come_and_go() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let ids: Vec<String> = ["a", "b", "c", "d", "e"]
        .map(|name| world.user(json!({"userName": name})))
        .into();
    let console = Console::new(&world);
    let rules = json!({"rules": {"cleanup": {"idp_deleted": "delete"}}});
    assert_eq!(console.patch("/connectors/idp", rules).status, 200);
    let first = console.show("/directories/default/users?limit=2");
    assert_eq!(each(&first, "name"), ["a", "b"]);
    world.delete_user(&ids[0]);
    world.delete_user(&ids[1]);
    world.user(json!({"userName": "aa"}));
    let after = first["next"].as_str().unwrap();
    let rest = console.show(&format!("/directories/default/users?after={after}"));
    assert_eq!(each(&rest, "name"), ["c", "d", "e"]);
}

#[test]
fn each_membership_and_each_lack_of_one_is_explained() {
    on_each_database(|database| {
        let world = with_rules(
            database,
            json!({"groups": {"never_assign": ["admins"], "always_assign": ["everyone"]}}),
        );
        let mira = world.mira();
        world.group("dev", &[&mira]);
        world.group("Admins", &[&mira]);
        let console = Console::new(&world);
        for (group, member, part) in [
            ("dev", true, "source group `dev` is assigned"),
            ("ADMINS", false, "`Admins` is in `never_assign` by `admins`"),
            ("everyone", true, "assigned to every active user"),
            ("payroll", false, "names `payroll`"),
        ] {
            let path = format!("/directories/default/users/mira/why?group={group}");
            let (by_rules, text) = why(&console, &path);
            assert_eq!(by_rules, Some(member), "{group}: {text}");
            assert!(text.contains(part), "{group}: {text}");
            assert_eq!(console.show(&path)["member"], member);
        }
        let (none, text) = why(&console, "/directories/default/users/mira/why");
        assert_eq!(none, None);
        assert!(
            text.contains("`username` is \"mira\", from userName"),
            "{text}"
        );
        assert!(text.ends_with("account active (IDP_ACTIVE)"), "{text}");
    });
}

#[test]
fn someone_without_an_account_is_explained_at_the_connector() {
    let database = TestDatabase::sqlite().unwrap();
    let world = with_rules(&database, json!({"scope": {"required_groups": ["staff"]}}));
    let id = world.mira();
    let console = Console::new(&world);
    assert_eq!(
        problem(&console.get("/directories/default/users/mira")).0,
        404
    );
    for user in [id.as_str(), "MIRA"] {
        let path = format!("/connectors/idp/users/{user}/why");
        let told = console.show(&path);
        assert_eq!(
            (&told["decision"], &told["reason"]),
            (&json!("none"), &json!("NOT_IN_REQUIRED_GROUP"))
        );
        assert!(why(&console, &path).1.contains("waits for one"));
    }
    let pause = console.patch("/connectors/idp", json!({"state": "paused"}));
    assert_eq!(pause.status, 200);
    let path = format!("/connectors/idp/users/{id}/why");
    assert!(why(&console, &path).1.contains("the connector is paused"));
    assert_eq!(
        problem(&console.get("/connectors/default/users/mira/why")).0,
        404,
        "another connector"
    );
}

#[test]
fn a_name_that_somebody_else_has_is_told() {
    let database = TestDatabase::sqlite().unwrap();
    let world = with_rules(
        &database,
        json!({"mapping": [{"target": "username", "steps": ["strip_domain"]}]}),
    );
    world.user(json!({"userName": "mira@a.test"}));
    let second = world.user(json!({"userName": "mira@b.test"}));
    let console = Console::new(&world);
    let told = console.show(&format!("/connectors/idp/users/{second}/why"));
    assert_eq!(
        (&told["decision"], &told["reason"]),
        (&json!("none"), &json!("CONFLICT"))
    );
    assert_eq!(told["taken_name"], "mira");
    let holder = &told["taken_by"];
    assert_eq!(
        (&holder["name"], &holder["connector"]),
        (&json!("mira"), &json!("idp"))
    );
    let told = told["conditions"].to_string();
    assert!(told.contains("of connector `idp` has it"), "{told}");
}

#[test]
fn the_deleted_and_disabled_are_shown_as_they_are() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let id = world.mira();
    let console = Console::new(&world);
    world.delete_user(&id);
    let shown = console.show("/directories/default/users/mira");
    assert_eq!(
        (&shown["status"], &shown["reason"]),
        (&json!("disabled"), &json!("IDP_DELETED"))
    );
    let told = console.show("/directories/default/users/mira/why?group=dev");
    assert_eq!(
        (&told["decision"], &told["member"]),
        (&json!("disabled"), &json!(false))
    );
    assert!(
        told["lines"][0]["text"]
            .as_str()
            .unwrap()
            .contains("deleted the user")
    );
}

#[test]
fn directories_tell_how_much_is_in_them() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        world.user(json!({"userName": "leaver", "active": false}));
        world.group("dev", &[&mira]);
        world.application("jira", Access::ReadOnly);
        let console = Console::new(&world);
        let listed = console.show("/directories");
        assert_eq!(each(&listed, "name"), ["default"]);
        let shown = console.show("/directories/Default");
        assert_eq!(shown, listed["items"][0]);
        assert_eq!(
            shown,
            console.show(&format!("/directories/{}", shown["id"].as_str().unwrap()))
        );
        assert_eq!(shown["connectors"], json!(["default", "idp"]));
        assert_eq!(
            (&shown["active_users"], &shown["disabled_users"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(shown["groups"], 1);
        assert!(shown["position"].as_i64().unwrap() > 0);
        assert_eq!(shown["users_without_connector"], 0);
        let mira = "/directories/default/users/mira/unlink";
        assert_eq!(console.call(mira).status, 200);
        let shown = console.show("/directories/default");
        let counted = (&shown["active_users"], &shown["users_without_connector"]);
        assert_eq!(counted, (&json!(1), &json!(1)));
    });
}

#[test]
fn parameters_that_cannot_be_used_are_refused() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    world.mira();
    let console = Console::new(&world);
    for (path, status) in [
        ("/directories/none/users", 404),
        ("/directories/default/users/nobody", 404),
        ("/directories/default/groups/nothing", 404),
        ("/directories/default/groups/nothing/members", 404),
        ("/directories/default/users?limit=0", 422),
        ("/directories/default/users?limit=-1", 400),
        ("/directories/default/users?limit=many", 400),
        ("/directories/default/users?active=maybe", 400),
        ("/directories/default/users?serach=x", 400),
        ("/directories/default/users/mira/why?groups=x", 400),
        ("/directories/default/users/%FF", 400),
        ("/directories/default/users/a%00", 400),
        ("/directories/default/users?search=%00", 400),
    ] {
        let (found, detail) = problem(&console.get(path));
        assert_eq!(found, status, "{path}: {detail}");
    }
    let (_, detail) = problem(&console.get("/directories/default/users?serach=x"));
    assert!(
        detail.contains("nothing is called `serach` here"),
        "{detail}"
    );
    let large = console.show("/directories/default/users?limit=4000000000");
    assert_eq!(
        each(&large, "name"),
        ["mira"],
        "a larger page is lowered, not refused"
    );
}

#[test]
fn people_are_found_by_the_beginning_of_what_they_are_called() {
    on_each_database(|database| {
        let world = World::new(database);
        let person = |user: &str, given: &str, family: &str| {
            world.user(json!({
                "userName": user,
                "externalId": format!("ext-{user}"),
                "name": {"givenName": given, "familyName": family},
                "displayName": format!("{given} {family}"),
                "emails": [{"value": format!("{family}@example.test"), "primary": true}],
            }))
        };
        let sol = person("sol", "Mira", "Berg");
        person("u1", "Solveig", "Lind");
        person("u2", "Jon", "Solberg");
        person("u3", "Ann", "Åsen");
        let console = Console::new(&world);
        let found = |query: &str| {
            let path = format!("/directories/default/users?begins=true&search={query}");
            each(&console.show(&path), "name")
        };
        assert_eq!(found("SOL"), ["sol", "u2", "u1"]);
        assert_eq!(found("SOL&limit=2"), ["sol", "u2"]);
        assert_eq!(found("berg"), ["sol"], "only what begins with it");
        assert_eq!(found("%C3%A5s"), ["u3"]);
        assert_eq!(found("mira%20b"), ["sol"]);
        assert_eq!(found(&sol), ["sol"]);
        assert_eq!(found("ext-u3"), ["u3"]);
        assert_eq!(found("olberg"), Vec::<String>::new());
        world.delete_user(&sol);
        assert_eq!(found("ext-sol"), ["sol"], "the account is still there");
        assert_eq!(found("sol&active=true"), ["u2", "u1"]);
        assert_eq!(found("sol&active=false"), ["sol"]);
        let further = console.get("/directories/default/users?begins=true&search=a&after=b");
        assert_eq!(further.status, 422, "{}", further.text());
        let inside = console.show("/directories/default/users?search=OLVEI");
        assert_eq!(each(&inside, "name"), ["u1"], "by the first name");

        let browser = Browser::signed_in(&world, "ann", Role::Auditor);
        let page = |query: &str| browser.get(&format!("/console/people?search={query}"));
        let begins = page("sol");
        assert!(begins.text().contains(">u2</a>"), "{}", begins.text());
        assert!(begins.text().contains("inside=yes"));
        let inside = page("olberg");
        assert!(inside.text().contains(">u2</a>"), "{}", inside.text());
        let asked = page("sol&inside=yes");
        assert!(!asked.text().contains("inside=yes"));
    });
}

#[test]
fn people_are_found_by_what_is_inside_of_their_names_page_by_page() {
    on_each_database(|database| {
        let world = World::new(database);
        let long = "l".repeat(110);
        let (first, second) = (format!("{long}-1"), format!("{long}-2"));
        for user in ["ann", "ann b", "anna", first.as_str(), second.as_str()] {
            world.user(json!({
                "userName": user,
                "displayName": "Jörg Größler",
                "emails": [{"value": "one@example.test", "primary": true}],
            }));
        }
        world.user(json!({"userName": "bo", "name": {"familyName": "Grün"}}));
        let console = Console::new(&world);
        let walked = |text: &str| {
            let (mut names, mut after) = (Vec::new(), String::new());
            loop {
                let path = format!("/directories/default/users?limit=1&search={text}{after}");
                let page = console.show(&path);
                names.extend(each(&page, "name"));
                let Some(next) = page["next"].as_str() else {
                    names.sort();
                    return names;
                };
                after = format!("&after={}", encoded(next));
            }
        };
        let five = ["ann", "ann b", "anna", &first, &second];
        assert_eq!(walked("ne@ex"), five, "each once, however alike they are");
        assert_eq!(walked("%C3%96SSL"), Vec::<String>::new());
        assert_eq!(walked("R%C3%96SSL"), Vec::<String>::new());
        assert_eq!(walked("R%C3%96%C3%9FL"), five);
        assert_eq!(walked("%C3%B6"), five);
        assert_eq!(walked("R%C3%BC"), ["bo"]);
        assert_eq!(walked("r%C3%9C"), ["bo"]);
        assert_eq!(walked("nn"), ["ann", "ann b", "anna"]);
        assert_eq!(
            walked("%25"),
            Vec::<String>::new(),
            "no sign has a meaning of its own"
        );
    });
}

#[test]
fn whom_the_identity_provider_deleted_is_explained_like_anybody_else() {
    on_each_database(|database| {
        let world = with_rules(
            database,
            json!({"cleanup": {
                "exempt_groups": ["board"],
                "later": {"idp_deleted": {"after_days": 3, "action": "delete"}},
            }}),
        );
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let limits = json!({"settings": {"limits": {"deactivations": {"at_least": 1}}}});
        assert_eq!(console.patch("/connectors/idp", limits).status, 200);
        let [ann, ben, cid] = ["ann", "ben", "cid"].map(|name| idp.user(name));
        world.group("board", &[&ben]);
        for id in [&ann, &ben, &cid] {
            assert_eq!(idp.delete(&format!("/Users/{id}")).status, 204);
        }
        let asked = |name: &str| {
            let told = console.show(&format!("/directories/default/users/{name}/why"));
            let written = told["written"]["what"].as_str().unwrap_or_default();
            assert!(written.starts_with("DELETE /Users/"), "{name}: {told}");
            told
        };
        let told = asked("ann").to_string();
        for part in [
            "the identity provider deleted the user",
            "IDP_DELETED: the rules say disable",
            "if nothing changes, delete follows at",
            "the identity provider must provision the user again",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(asked("ann")["later"]["action"], "delete");
        let ann = console.show("/directories/default/users/ann");
        assert_eq!(ann["later"], asked("ann")["later"], "{ann}");
        let ben = console.show("/directories/default/users/ben");
        assert_eq!(ben.get("later"), None, "{ben}");
        let ben = asked("ben");
        assert_eq!(ben["decision"], "active", "{ben}");
        assert_eq!(ben["kept_active"], true, "{ben}");
        assert!(
            ben.to_string()
                .contains("is exempt from cleanup by `board`"),
            "{ben}"
        );
        let cid = asked("cid");
        assert_eq!(cid["decision"], "active", "{cid}");
        assert!(cid.to_string().contains("\"safety\""), "{cid}");

        let off = json!({"rules": {"accounts": {"disable": false}}});
        assert_eq!(console.put("/connectors/idp/rules", off).status, 200);
        let told = asked("ben").to_string();
        assert!(told.contains("`accounts.disable` is off"), "{told}");
    });
}

#[test]
fn an_account_that_is_gone_is_still_explained() {
    on_each_database(|database| {
        let world = with_rules(database, json!({"cleanup": {"idp_deleted": "delete"}}));
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let ann = idp.user("ann");
        let key = console.show("/directories/default/users/ann")["key"].clone();
        idp.delete(&format!("/Users/{ann}"));
        for name in ["ann", key.as_str().unwrap()] {
            assert_eq!(
                problem(&console.get(&format!("/directories/default/users/{name}"))).0,
                404
            );
            let told = console.show(&format!("/directories/default/users/{name}/why"));
            assert_eq!(
                (&told["decision"], &told["reason"]),
                (&json!("none"), &json!("IDP_DELETED"))
            );
            assert!(
                told["conditions"]
                    .to_string()
                    .contains("provision the user again")
            );
            let written = told["written"]["what"].as_str().unwrap();
            assert!(written.starts_with("DELETE"), "{told}");
        }
    });
}
