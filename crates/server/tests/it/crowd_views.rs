//! Applications that see several directories: which user a name is, whose groups count, where writes go, who may log in.

use emulate::databases::on_each_database;
use provision::{ApplicationChange, DirectoryChoice};
use serde_json::{Value, json};

use crate::api_console::Console;
use crate::http::Answer;
use crate::source::Source;
use crate::world::{Product, World, ok, refusal};

/// Two directories: mira and eng are in both, jon and ann in one.
fn two(world: &World) {
    let (first, second) = (
        Source::new(world, "first", json!({})),
        Source::new(world, "second", json!({})),
    );
    let mira = first.user("mira");
    let ann = first.user("ann");
    first.group("Eng", &[&mira]);
    first.group("only first", &[&ann]);
    let (other, jon) = (second.user("MIRA"), second.user("jon"));
    second.group("eng", &[&jon]);
    second.group("only second", &[&other, &jon]);
}

fn change(world: &World, product: &Product<'_>, change: ApplicationChange) {
    let name = product.credentials.name.clone();
    let found = world
        .provision
        .store()
        .read_blocking(|tx| tx.application(&name))
        .unwrap()
        .unwrap();
    world
        .run(world.provision.change_application(&found.public_id, change))
        .unwrap();
}

fn sees(names: &[&str], aggregate: bool) -> ApplicationChange {
    ApplicationChange {
        directories: Some(names.iter().map(|name| (*name).into()).collect()),
        aggregate_memberships: Some(aggregate),
        ..ApplicationChange::default()
    }
}

fn names(answer: &Answer, list: &str) -> Vec<String> {
    ok(answer);
    let found = answer.json();
    let items = found[list].as_array().unwrap().iter();
    items
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

fn groups_of(product: &Product<'_>, user: &str) -> Vec<String> {
    names(
        &product.get(&format!("/user/group/direct?username={user}")),
        "groups",
    )
}

fn users_of(product: &Product<'_>, group: &str) -> Vec<String> {
    names(
        &product.get(&format!("/group/user/direct?groupname={group}")),
        "users",
    )
}

fn search(product: &Product<'_>, kind: &str, restriction: &str) -> Vec<String> {
    let restriction: String = form_urlencoded(restriction);
    names(
        &product.get(&format!(
            "/search?entity-type={kind}&restriction={restriction}&max-results=-1"
        )),
        &format!("{kind}s"),
    )
}

fn form_urlencoded(text: &str) -> String {
    text.replace(' ', "+")
        .replace('"', "%22")
        .replace('*', "%2A")
}

#[test]
fn a_name_is_the_user_of_the_first_directory_that_has_it() {
    on_each_database(|database| {
        let world = World::new(database);
        two(&world);
        let product = Product::reader_of(&world, "first").json();
        change(&world, &product, sees(&["first", "second"], false));
        let mira = product.get("/user?username=Mira").json();
        assert_eq!(mira["name"], "mira");
        assert_eq!(mira["display-name"], "mira of first");
        let jon = product.get("/user?username=jon").json();
        assert_eq!(jon["display-name"], "jon of second");
        assert_eq!(search(&product, "user", ""), ["ann", "jon", "mira"]);
        assert_eq!(search(&product, "user", "name = mi*"), ["mira"]);
        assert_eq!(search(&product, "user", "name = MIRA"), ["mira"]);
        assert_eq!(
            search(&product, "user", "displayName = \"MIRA of second\""),
            Vec::<String>::new(),
            "a hidden user is not found by what only it has"
        );
        assert_eq!(
            search(&product, "group", ""),
            ["Eng", "only first", "only second"]
        );
        let page = "/search?entity-type=user&start-index=1&max-results=1";
        assert_eq!(names(&product.get(page), "users"), ["jon"]);
        let page = "/search?entity-type=group&start-index=1&max-results=5";
        assert_eq!(
            names(&product.get(page), "groups"),
            ["only first", "only second"]
        );
        // The other way round.
        change(&world, &product, sees(&["second", "first"], false));
        let other = product.get("/user?username=mira").json();
        assert_eq!(other["name"], "MIRA");
        assert_ne!(other["key"], mira["key"]);
        let by_key = |user: &Value| format!("/user?key={}", user["key"].as_str().unwrap());
        ok(&product.get(&by_key(&other)));
        assert_eq!(
            refusal(&product.get(&by_key(&mira))),
            (404, "USER_NOT_FOUND".to_owned()),
            "who is hidden has no key either"
        );
        assert_eq!(product.get("/group?groupname=ENG").json()["name"], "eng");
    });
}

#[test]
fn memberships_count_of_the_users_directory_or_of_all() {
    on_each_database(|database| {
        let world = World::new(database);
        two(&world);
        let product = Product::reader_of(&world, "first").json();
        let member = |user: &str, group: &str| {
            let path = format!("/group/user/direct?groupname={group}&username={user}");
            product.accepting(None).get(&path).status
        };
        let bulk = || ok(&product.get("/group/membership")).to_owned();
        change(&world, &product, sees(&["first", "second"], false));
        assert_eq!(groups_of(&product, "mira"), ["Eng"]);
        assert_eq!(groups_of(&product, "jon"), ["Eng", "only second"]);
        assert_eq!(users_of(&product, "eng"), ["jon", "mira"]);
        assert_eq!(users_of(&product, "only+second"), ["jon"]);
        assert_eq!(member("mira", "only+second"), 404);
        assert_eq!(member("jon", "ENG"), 200);
        assert!(bulk().contains(
            "<membership group=\"only second\"><users><user name=\"jon\"/></users><groups/></membership>"
        ));
        change(&world, &product, sees(&["first", "second"], true));
        assert_eq!(groups_of(&product, "mira"), ["Eng", "only second"]);
        assert_eq!(users_of(&product, "only+second"), ["jon", "mira"]);
        assert_eq!(member("mira", "only+second"), 200);
        let eng = "<membership group=\"Eng\"><users><user name=\"mira\"/><user name=\"jon\"/></users><groups/></membership>";
        assert!(bulk().contains(eng), "{}", bulk());
        assert_eq!(bulk().matches("name=\"mira\"").count(), 2);
        change(&world, &product, sees(&["second", "first"], false));
        assert_eq!(groups_of(&product, "mira"), ["only second"]);
        assert_eq!(users_of(&product, "eng"), ["jon"]);
    });
}

#[test]
fn nested_groups_are_walked_across_directories() {
    on_each_database(|database| {
        let world = World::new(database);
        let rules = json!({"groups": {"nested_groups": "preserve"}});
        let (first, second) = (
            Source::new(&world, "first", rules.clone()),
            Source::new(&world, "second", rules),
        );
        let mira = first.user("mira");
        let eng = first.group("eng", &[&mira]);
        first.group("staff", &[&eng]);
        let staff = second.group("Staff", &[]);
        second.group("everybody", &[&staff]);
        let product = Product::reader_of(&world, "first").json();
        change(&world, &product, sees(&["first", "second"], false));
        let nested = names(&product.get("/user/group/nested?username=mira"), "groups");
        assert_eq!(nested, ["eng", "everybody", "staff"]);
        let below = names(
            &product.get("/group/user/nested?groupname=everybody"),
            "users",
        );
        assert_eq!(below, ["mira"]);
        let children = names(
            &product.get("/group/child-group/nested?groupname=everybody"),
            "groups",
        );
        assert_eq!(children, ["eng", "staff"]);
        let parents = names(
            &product.get("/group/parent-group/direct?groupname=staff"),
            "groups",
        );
        assert_eq!(parents, ["everybody"]);
        let bulk = product.get("/group/membership");
        assert!(
            ok(&bulk).contains("<groups><group name=\"staff\"/></groups>"),
            "{}",
            bulk.text()
        );
    });
}

#[test]
fn writes_go_to_the_directory_that_has_what_is_written() {
    on_each_database(|database| {
        let world = World::new(database);
        two(&world);
        let product = Product::writer(&world);
        change(&world, &product, sees(&["first", "second"], true));
        let json = product.json();
        // Made in the first directory, and not a second time where another has it.
        let made = product.post("/group", "<group name=\"local\"/>");
        assert_eq!(made.status, 201);
        let taken = product.post("/group", "<group name=\"Only Second\"/>");
        assert_eq!(refusal(&taken), (400, "INVALID_GROUP".to_owned()));
        // Jon is of the second directory: the group is made there as well, and is one group to the product.
        let added = product.post("/group/user/direct?groupname=local", "<user name=\"jon\"/>");
        assert_eq!(added.status, 201, "{}", added.text());
        let added = product.post(
            "/user/group/direct?username=mira",
            "<group name=\"local\"/>",
        );
        assert_eq!(added.status, 201, "{}", added.text());
        let again = product.post(
            "/user/group/direct?username=MIRA",
            "<group name=\"local\"/>",
        );
        assert_eq!(refusal(&again).1, "MEMBERSHIP_ALREADY_EXISTS");
        assert_eq!(users_of(&json, "local"), ["jon", "mira"]);
        assert_eq!(search(&json, "group", "name = local"), ["local"]);
        let second = Product::reader_of(&world, "second").json();
        assert_eq!(users_of(&second, "local"), ["jon"]);
        for user in ["jon", "mira"] {
            let removed = product.delete(&format!(
                "/group/user/direct?groupname=local&username={user}"
            ));
            assert_eq!(removed.status, 204, "{}", removed.text());
        }
        assert_eq!(users_of(&json, "local"), Vec::<String>::new());
        // Attributes belong to the user that is seen.
        let body = "<attributes><attribute name=\"n\"><values><value>1</value></values></attribute></attributes>";
        assert_eq!(
            product.post("/user/attribute?username=jon", body).status,
            204
        );
        assert!(ok(&second.get("/user/attribute?username=jon")).contains("\"1\""));
        let missing = product.post("/user/attribute?username=nobody", body);
        assert_eq!(refusal(&missing), (404, "USER_NOT_FOUND".to_owned()));
    });
}

#[test]
fn only_members_of_login_groups_may_log_in() {
    on_each_database(|database| {
        let world = World::new(database);
        let source = Source::new(&world, "first", json!({}));
        let user = |name: &str| {
            source.user_with(
                json!({"userName": name, "displayName": name}),
                Some("secret"),
            )
        };
        let (mira, _jon) = (user("mira"), user("jon"));
        let staff = source.group("Jira-Users", &[&mira]);
        let product = Product::reader_of(&world, "first");
        let login = |name: &str, password: &str| {
            let body = format!("<password><value>{password}</value></password>");
            product.post(&format!("/authentication?username={name}"), &body)
        };
        let gate = |groups: Option<&[&str]>, only: bool| ApplicationChange {
            directories: Some(vec![DirectoryChoice {
                directory: "first".to_owned(),
                login_groups: groups
                    .map(|groups| groups.iter().map(|name| (*name).to_owned()).collect()),
            }]),
            only_with_access: Some(only),
            ..ApplicationChange::default()
        };
        ok(&login("jon", "secret"));
        change(
            &world,
            &product,
            gate(Some(&["jira-users", "admins"]), false),
        );
        ok(&login("mira", "secret"));
        assert_eq!(
            refusal(&login("jon", "secret")),
            (403, "APPLICATION_ACCESS_DENIED".to_owned())
        );
        assert_eq!(
            refusal(&login("jon", "wrong")).1,
            "INVALID_USER_AUTHENTICATION",
            "who does not know the password learns nothing of groups"
        );
        ok(&product.get("/user?username=jon"));
        // Whoever may not log in is not seen either.
        change(&world, &product, gate(Some(&["jira-users"]), true));
        let json = product.json();
        assert_eq!(refusal(&login("jon", "secret")).1, "USER_NOT_FOUND");
        assert_eq!(refusal(&product.get("/user?username=jon")).0, 404);
        assert_eq!(search(&json, "user", ""), ["mira"]);
        assert_eq!(users_of(&json, "jira-users"), ["mira"]);
        source.remove(&staff, &mira);
        // That the last one leaves is no mistake; what the limits let through is carried out.
        assert!(search(&json, "user", "").is_empty());
        change(&world, &product, gate(None, true));
        assert_eq!(search(&json, "user", ""), ["jon", "mira"]);
    });
}

/// A product forgets whoever is missing from a list: it is not to forget everybody because a group is called otherwise.
#[test]
fn a_login_group_that_is_renamed_is_followed_and_one_that_is_gone_empties_nothing() {
    on_each_database(|database| {
        let world = World::new(database);
        let rules = json!({"groups": {"rename": "follow", "on_source_deleted": "delete_if_empty_and_ours"}});
        let source = Source::new(&world, "first", rules);
        let (mira, _jon) = (source.user("mira"), source.user("jon"));
        let staff = source.group("jira-users", &[&mira]);
        let product = Product::reader_of(&world, "first");
        let gate = ApplicationChange {
            directories: Some(vec![DirectoryChoice {
                directory: "first".to_owned(),
                login_groups: Some(vec!["Jira-Users".to_owned()]),
            }]),
            only_with_access: Some(true),
            only_groups_with_access: Some(true),
            ..ApplicationChange::default()
        };
        change(&world, &product, gate);
        let json = product.json();
        assert_eq!(search(&json, "user", ""), ["mira"]);

        source.rename_group(&staff, "jira-people");
        assert_eq!(search(&json, "user", ""), ["mira"]);
        assert_eq!(search(&json, "group", ""), ["jira-people"]);
        let console = Console::new(&world);
        let path = format!(
            "/applications/{}",
            product.credentials.name.replace(' ', "%20")
        );
        let shown = console.show(&path)["directories"][0].clone();
        assert_eq!(shown["login_groups"], json!(["jira-people"]));
        assert_eq!(shown["lets_nobody_in"], Value::Null);
        let journal = console.show("/directories/first/journal");
        let renamed = journal["items"].as_array().unwrap().iter();
        let renamed = renamed
            .map(|entry| &entry["change"])
            .find(|it| it["change"] == "rename_group");
        assert_eq!(
            renamed.unwrap()["admitted_to"],
            json!([product.credentials.name])
        );

        let event = product.get("/event");
        let text = ok(&event);
        let token = crowd::answer::events(text.as_bytes(), |_| {})
            .unwrap()
            .token
            .unwrap();
        source.delete_group(&staff);
        world.run(world.provision.work_off()).unwrap();
        let failed = (503, "OPERATION_FAILED".to_owned());
        for path in [
            "/search?entity-type=user&max-results=-1&expand=user",
            "/search?entity-type=user",
            "/search?entity-type=group&max-results=-1",
            "/group/membership",
            &format!("/event/{token}"),
        ] {
            let answer = product.get(path);
            assert_eq!(refusal(&answer), failed, "{path}");
            assert!(answer.text().contains("jira-people"), "{}", answer.text());
        }
        // What a product asks to test the connection, and about one person, is answered.
        assert_eq!(refusal(&product.get("/user?username=mira")).0, 404);
        let shown = console.show(&path)["directories"][0].clone();
        assert_eq!(shown["missing_login_groups"], json!(["jira-people"]));
        assert_eq!(shown["lets_nobody_in"], true);
        let overview = console.show("/overview");
        let lag = &overview["applications"][0]["directories"][0];
        assert_eq!(lag["missing_login_groups"], json!(["jira-people"]));
    });
}

/// The former name is kept for some days: whoever may log in by it may by the new one, which outlives it.
#[test]
fn a_login_group_with_an_alias_lets_in_by_both_names() {
    on_each_database(|database| {
        let world = World::new(database);
        let source = Source::new(&world, "first", json!({"groups": {"rename": "alias"}}));
        let mira = source.user("mira");
        let staff = source.group("jira-users", &[&mira]);
        let other = source.group("board", &[&mira]);
        let product = Product::reader_of(&world, "first");
        let gate = ApplicationChange {
            directories: Some(vec![DirectoryChoice {
                directory: "first".to_owned(),
                login_groups: Some(vec!["jira-users".to_owned(), "board".to_owned()]),
            }]),
            ..ApplicationChange::default()
        };
        change(&world, &product, gate);
        source.rename_group(&staff, "jira-people");
        source.rename_group(&other, "choir");
        let path = format!(
            "/applications/{}",
            product.credentials.name.replace(' ', "%20")
        );
        let shown = Console::new(&world).show(&path)["directories"][0].clone();
        assert_eq!(
            shown["login_groups"],
            json!(["jira-users", "board", "jira-people", "choir"])
        );
    });
}

#[test]
fn groups_without_access_are_hidden_where_that_is_asked_for() {
    on_each_database(|database| {
        let world = World::new(database);
        let nests = json!({"groups": {"nested_groups": "preserve"}});
        let (first, second) = (
            Source::new(&world, "first", nests),
            Source::new(&world, "second", json!({})),
        );
        let (mira, jon) = (first.user("mira"), first.user("jon"));
        let admins = first.group("jira-admins", &[&jon]);
        first.group("jira-users", &[&mira, &admins]);
        first.group("board", &[&mira, &jon]);
        first.group("choir", &[&mira, &admins]);
        let ann = second.user("ann");
        second.group("choir", &[&ann]);
        let product = Product::writer(&world);
        let sees = |users: bool, groups: bool| ApplicationChange {
            directories: Some(vec![
                DirectoryChoice {
                    directory: "first".to_owned(),
                    login_groups: Some(vec!["Jira-Users".to_owned()]),
                },
                "second".into(),
            ]),
            only_with_access: Some(users),
            only_groups_with_access: Some(groups),
            ..ApplicationChange::default()
        };
        change(&world, &product, sees(true, false));
        let json = product.json();
        let all = ["board", "choir", "jira-admins", "jira-users"];
        assert_eq!(search(&json, "group", ""), all);
        change(&world, &product, sees(true, true));
        // The choir is seen by way of the second directory, which lets everybody in.
        let some = ["choir", "jira-admins", "jira-users"];
        assert_eq!(search(&json, "group", ""), some);
        assert_eq!(search(&json, "user", ""), ["ann", "jon", "mira"]);
        assert_eq!(refusal(&product.get("/group?groupname=board")).0, 404);
        let groups_of = |name: &str, depth: &str| -> Vec<String> {
            let path = format!("/user/group/{depth}?username={name}");
            let listed = json.get(&path).json();
            let groups = listed["groups"].as_array().unwrap().iter();
            groups
                .map(|group| group["name"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(groups_of("mira", "direct"), ["choir", "jira-users"]);
        assert_eq!(users_of(&json, "choir"), ["ann", "mira"]);
        assert_eq!(groups_of("jon", "direct"), ["jira-admins"]);
        assert_eq!(groups_of("jon", "nested"), some);
        let memberships = product.get("/group/membership").text().to_owned();
        assert!(!memberships.contains("board"), "{memberships}");
        assert!(memberships.contains("jira-admins"), "{memberships}");
        for (method, path) in [
            ("DELETE", "/group?groupname=board"),
            ("DELETE", "/group/user/direct?groupname=board&username=mira"),
            ("DELETE", "/group/attribute?groupname=board&attributename=x"),
        ] {
            let answer = world.send(product.ask(method, path));
            assert_eq!(
                refusal(&answer),
                (404, "GROUP_NOT_FOUND".to_owned()),
                "{path}"
            );
        }
        let changed = r#"{"name": "board", "type": "GROUP", "description": "x"}"#;
        let changed = product.send("PUT", "/group?groupname=board", changed);
        assert_eq!(refusal(&changed).0, 404);
        let made = product.post("/group", r#"{"name": "new", "type": "GROUP"}"#);
        assert_eq!(
            refusal(&made),
            (403, "APPLICATION_PERMISSION_DENIED".to_owned())
        );
        change(&world, &product, sees(true, false));
        assert_eq!(search(&json, "group", ""), all);
        let id = world.run(world.provision.store().read(|tx| tx.applications()));
        let id = id.unwrap()[0].public_id.clone();
        let alone = ApplicationChange {
            only_with_access: Some(false),
            only_groups_with_access: Some(true),
            ..ApplicationChange::default()
        };
        let refused = world.run(world.provision.change_application(&id, alone));
        assert!(refused.is_err(), "groups alone are not hidden");
    });
}

#[test]
fn whoever_is_not_seen_is_not_written_to_either() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::writer(&world);
        for aggregate in [false, true] {
            let (first, second) = (
                Source::new(&world, &format!("first {aggregate}"), json!({})),
                Source::new(&world, &format!("second {aggregate}"), json!({})),
            );
            let mira = first.user("mira");
            first.group("jira-users", &[&mira]);
            second.user("ann");
            let allowed = world.run(world.provision.allow_local_users(first.directory(), true));
            allowed.unwrap();
            let gate = |only: bool| ApplicationChange {
                directories: Some(vec![
                    DirectoryChoice {
                        directory: format!("first {aggregate}"),
                        login_groups: Some(vec!["jira-users".to_owned()]),
                    },
                    format!("second {aggregate}").as_str().into(),
                ]),
                only_with_access: Some(only),
                aggregate_memberships: Some(aggregate),
                ..ApplicationChange::default()
            };
            change(&world, &product, gate(false));
            let json = product.json();
            let lisa = r#"{"name": "lisa", "first-name": "Lisa", "last-name": "Local",
                "password": {"value": "a good one"}, "active": true}"#;
            assert_eq!(json.post("/user", lisa).status, 201);
            assert_eq!(
                product.post("/group", "<group name=\"locals\"/>").status,
                201
            );
            let member = "<user name=\"lisa\"/>";
            let locals = "/group/user/direct?groupname=locals";
            assert_eq!(product.post(locals, member).status, 201);
            let before = ok(&json.get("/user?username=lisa&expand=attributes")).to_owned();

            change(&world, &product, gate(true));
            let body = "<attributes><attribute name=\"n\"><values><value>1</value></values></attribute></attributes>";
            let password = "<password><value>another one</value></password>";
            let changed = "<user name=\"lisa\"><first-name>X</first-name></user>";
            let name = "<rename><new-name>anna</new-name></rename>";
            for (method, path, body) in [
                ("PUT", "/user?username=lisa", changed),
                ("POST", "/user/rename?username=lisa", name),
                ("POST", "/user/attribute?username=lisa", body),
                ("PUT", "/user/password?username=lisa", password),
                ("DELETE", "/user/password?username=lisa", ""),
                ("DELETE", &format!("{locals}&username=lisa"), ""),
                ("DELETE", "/user?username=lisa", ""),
                (
                    "POST",
                    "/user/group/direct?username=lisa",
                    "<group name=\"jira-users\"/>",
                ),
            ] {
                let answer = product.send(method, path, body);
                assert_eq!(
                    refusal(&answer),
                    (404, "USER_NOT_FOUND".to_owned()),
                    "{method} {path}: {}",
                    answer.text()
                );
            }
            let let_in = product.post("/group/user/direct?groupname=jira-users", member);
            assert_eq!(refusal(&let_in), (400, "USER_NOT_FOUND".to_owned()));

            // Nobody is made whom the application would not see.
            let newcomer = r#"{"name": "nils", "first-name": "Nils", "last-name": "New"}"#;
            let made = json.post("/user", newcomer);
            assert_eq!(
                refusal(&made),
                (403, "APPLICATION_PERMISSION_DENIED".to_owned())
            );
            assert!(made.text().contains("only_with_access"), "{}", made.text());
            // A directory that lets everybody in takes newcomers, though it comes behind.
            let open = second.directory();
            world
                .run(world.provision.allow_local_users(open, true))
                .unwrap();
            assert_eq!(json.post("/user", newcomer).status, 201);
            ok(&json.get("/user?username=nils"));
            let remove = product.send("DELETE", "/user?username=nils", "");
            assert_eq!(remove.status, 204);

            change(&world, &product, gate(false));
            let after = json.get("/user?username=lisa&expand=attributes");
            assert_eq!(ok(&after), before);
            assert_eq!(groups_of(&json, "lisa"), ["locals"]);
        }
    });
}

#[test]
fn a_long_list_of_several_directories_is_merged_piece_by_piece() {
    on_each_database(|database| {
        let world = World::new(database);
        let (first, second) = (
            Source::new(&world, "first", json!({})),
            Source::new(&world, "second", json!({})),
        );
        for number in 0..1_300 {
            if number % 3 != 0 {
                first.user(&format!("user{number:05}"));
            }
            if number % 2 == 0 {
                second.user(&format!("USER{number:05}"));
            }
        }
        let product = Product::reader_of(&world, "first").json();
        change(&world, &product, sees(&["first", "second"], true));
        let all = search(&product, "user", "");
        let expected: Vec<String> = (0..1_300)
            .filter_map(|number| match (number % 3 != 0, number % 2 == 0) {
                (true, _) => Some(format!("user{number:05}")),
                (false, true) => Some(format!("USER{number:05}")),
                (false, false) => None,
            })
            .collect();
        assert_eq!(all, expected);
        let some = search(&product, "user", "name = user0010*");
        assert_eq!(
            some.len(),
            expected[..]
                .iter()
                .filter(|name| name.to_lowercase().starts_with("user0010"))
                .count()
        );
    });
}

#[test]
fn a_token_is_good_for_one_mapping_only() {
    on_each_database(|database| {
        let world = World::new(database);
        two(&world);
        let product = Product::reader_of(&world, "first").json();
        let token = || {
            let answer = product.get("/event");
            answer.json()["newEventToken"].as_str().unwrap().to_owned()
        };
        let status = |token: &str| product.get(&format!("/event/{token}")).status;
        let mut known: Vec<String> = Vec::new();
        for mapping in [
            sees(&["first"], false),
            sees(&["second"], false),
            sees(&["first", "second"], false),
            sees(&["first", "second"], true),
            sees(&["second", "first"], true),
            ApplicationChange {
                directories: Some(vec![
                    "second".into(),
                    DirectoryChoice {
                        directory: "first".to_owned(),
                        login_groups: Some(vec!["eng".to_owned()]),
                    },
                ]),
                only_with_access: Some(true),
                ..ApplicationChange::default()
            },
        ] {
            change(&world, &product, mapping);
            let now = token();
            assert_eq!(status(&now), 200);
            for old in &known {
                assert_eq!(status(old), 410, "{old} at {now}");
            }
            let (store, positions) = now.rsplit_once(':').unwrap();
            let one = positions.split('.').next().unwrap();
            for broken in [
                format!("{store}:{positions}.1"),
                format!("{store}:{one}"),
                format!("{store}:{positions}."),
                format!("{store}x:{positions}"),
            ] {
                if broken != now {
                    assert_eq!(status(&broken), 410, "{broken}");
                }
            }
            known.push(now);
        }
    });
}
