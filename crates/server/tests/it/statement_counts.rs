//! How many statements a request costs, whatever there is: in a page, a group, a directory. A look-up for
//! each item of a list shows here as a number that grows.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::{Console, ok};
use crate::http::{Answer, Ask};
use crate::scim_idp::*;
use crate::world::{Product, World};

/// Members of the small group and of the large one.
const FEW: usize = 10;
const MANY: usize = 1_000;

/// Statements may come in batches of so many items.
const BATCHES: u64 = 4;

/// A world of many users, all in the group `large`, some in `small`.
struct Town<'w> {
    world: &'w World,
    idp: Idp<'w>,
    users: Vec<String>,
    small: String,
    large: String,
}

impl<'w> Town<'w> {
    fn new(world: &'w World) -> Town<'w> {
        let idp = Idp::new(world);
        let operations: Vec<Value> = (0..MANY)
            .map(|number| {
                let name = format!("user{number:04}");
                let data = json!({ "schemas": [CORE_USER], "userName": name, "active": true,
                    "emails": [{ "value": format!("{name}@example.org"), "primary": true }] });
                json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": data })
            })
            .collect();
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
        let made = shown(&idp.post("/Bulk", &body));
        let made = made["Operations"].as_array().unwrap().iter();
        let users: Vec<String> = made
            .map(|one| {
                let location = one["location"].as_str().unwrap();
                location.rsplit('/').next().unwrap().to_owned()
            })
            .collect();
        let ids: Vec<&str> = users.iter().map(String::as_str).collect();
        let small = idp.group("small", &ids[..FEW]);
        let large = idp.group("large", &ids);
        for number in 0..FEW {
            idp.group(&format!("more{number}"), &ids[..2]);
        }
        world.run(world.provision.work_off()).unwrap();
        Town {
            world,
            idp,
            users,
            small,
            large,
        }
    }

    /// The answer to a request and the statements that it took.
    fn send(&self, ask: Ask) -> (Answer, u64) {
        let statements = || self.world.provision.store().counts().statements;
        let before = statements();
        let answer = self.world.send(ask);
        (answer, statements() - before)
    }

    fn cost(&self, ask: Ask) -> u64 {
        let (answer, cost) = self.send(ask);
        assert!(answer.status < 300, "{}: {}", answer.status, answer.text());
        cost
    }

    /// A kind of request about little and about much: both cost the same, and no more than they may. Each is sent
    /// twice, since the first may have to find out who asks.
    #[track_caller]
    fn flat(&self, what: &str, most: u64, little: impl Fn() -> Ask, much: impl Fn() -> Ask) {
        self.grows(what, most, 0, little, much);
    }

    /// The same for what is read in batches.
    #[track_caller]
    fn grows(
        &self,
        what: &str,
        most: u64,
        by: u64,
        little: impl Fn() -> Ask,
        much: impl Fn() -> Ask,
    ) {
        let [_, few] = [self.cost(little()), self.cost(little())];
        let [_, many] = [self.cost(much()), self.cost(much())];
        eprintln!("  {what}: {few} and {many} statements");
        assert!(
            many <= few + by,
            "{what}: {few} statements, but {many} where there is more"
        );
        assert!(
            few <= most,
            "{what}: {few} statements where {most} are enough"
        );
    }
}

#[test]
fn reading_through_scim_costs_the_same_whatever_is_read() {
    on_each_database(|database| {
        let world = World::new(database);
        let town = Town::new(&world);
        let idp = &town.idp;
        let get = |path: String| move || idp.ask("GET", &path);
        let (in_many, in_one) = (&town.users[0], &town.users[MANY - 1]);
        let group = |id: &str| format!("/Groups/{id}");
        let list = |what: &str| format!("/Users?{what}");
        let of_members =
            |filter: &str| format!("/Groups?excludedAttributes=members&filter={filter}");
        for (what, most, little, much) in [
            (
                "a user",
                4,
                format!("/Users/{in_one}"),
                format!("/Users/{in_many}"),
            ),
            ("a group", 4, group(&town.small), group(&town.large)),
            (
                "a group without its members",
                3,
                group(&town.small) + "?excludedAttributes=members",
                group(&town.large) + "?excludedAttributes=members",
            ),
            (
                "a user by name",
                6,
                list("filter=userName%20eq%20%22user0999%22"),
                list("filter=userName%20eq%20%22user0000%22"),
            ),
            (
                "a group by name",
                6,
                "/Groups?filter=displayName%20eq%20%22small%22".into(),
                "/Groups?filter=displayName%20eq%20%22large%22".into(),
            ),
            ("a page of users", 7, list("count=1"), list("count=10")),
            (
                "a larger page of users",
                7,
                list("count=10"),
                list("count=100"),
            ),
            (
                "a late page of users",
                7,
                list("count=10"),
                list("count=10&startIndex=900"),
            ),
            (
                "a page by cursor",
                8,
                list("count=1&cursor"),
                list("count=100&cursor"),
            ),
            (
                "a sorted page",
                8,
                list("count=1&sortBy=userName"),
                list("count=100&sortBy=userName"),
            ),
            (
                "a filter that is no index",
                7,
                list("count=1&filter=emails%20pr"),
                list("count=100&filter=emails%20pr"),
            ),
            (
                "groups by the name of a member",
                6,
                of_members("members.display%20eq%20%22user0999%22"),
                of_members("members.display%20eq%20%22user0000%22"),
            ),
            (
                "groups by a part of the name of a member",
                8,
                of_members(
                    "displayName%20eq%20%22more1%22%20and%20members.display%20co%20%22user%22",
                ),
                of_members(
                    "displayName%20sw%20%22more%22%20and%20members.display%20co%20%22user%22",
                ),
            ),
            (
                "a page of groups without members",
                6,
                "/Groups?count=1&excludedAttributes=members".into(),
                "/Groups?count=12&excludedAttributes=members".into(),
            ),
        ] {
            town.flat(what, most, get(little), get(much));
        }
        // The members of a large group are streamed, by three statements; those of small ones are read together.
        town.grows(
            "a page of groups",
            8,
            BATCHES,
            get("/Groups?count=1".into()),
            get("/Groups?count=12".into()),
        );
        let searched = |count: usize| {
            let body = json!({ "filter": "displayName sw \"more\"", "count": count });
            move || idp.ask_with("POST", "/Groups/.search", &body)
        };
        town.flat("a search of small groups", 7, searched(2), searched(10));
        let search = |count: usize| {
            move || {
                idp.ask_with(
                    "POST",
                    "/.search",
                    &json!({ "filter": "externalId pr or id pr", "count": count }),
                )
            }
        };
        town.flat("a search of everything", 14, search(1), search(100));
    });
}

#[test]
fn writing_through_scim_costs_what_is_changed() {
    on_each_database(|database| {
        let world = World::new(database);
        let town = Town::new(&world);
        let idp = &town.idp;
        let fresh = std::cell::Cell::new(0);
        let name = || {
            fresh.set(fresh.get() + 1);
            format!("fresh{}", fresh.get())
        };
        let create = || {
            idp.ask_with(
                "POST",
                "/Users",
                &json!({ "schemas": [CORE_USER], "userName": name() }),
            )
        };
        town.flat("POST of a user", 20, create, create);

        let titled = |id: &String| {
            let path = format!("/Users/{id}");
            move |title: String| {
                idp.ask_with(
                    "PATCH",
                    &path,
                    &json!({ "schemas": [PATCH_OP],
                    "Operations": [{ "op": "replace", "path": "displayName", "value": title }] }),
                )
            }
        };
        let (in_one, in_many) = (titled(&town.users[MANY - 1]), titled(&town.users[0]));
        town.flat("PATCH of a user", 20, || in_one(name()), || in_many(name()));

        let put = |id: &String, user: &str| {
            let (path, user) = (format!("/Users/{id}"), user.to_owned());
            move |title: String| {
                idp.ask_with(
                    "PUT",
                    &path,
                    &json!({ "schemas": [CORE_USER], "userName": user, "displayName": title }),
                )
            }
        };
        let in_one = put(&town.users[MANY - 1], "user0999");
        let in_many = put(&town.users[0], "user0000");
        town.flat("PUT of a user", 20, || in_one(name()), || in_many(name()));

        let joining = |group: &String| {
            let path = format!("/Groups/{group}");
            let users = [idp.user(&name()), idp.user(&name())];
            let next = std::cell::Cell::new(0);
            move || {
                let user = &users[next.replace(1)];
                idp.ask_with("PATCH", &path, &json!({ "schemas": [PATCH_OP],
                    "Operations": [{ "op": "add", "path": "members", "value": [{ "value": user }] }] }))
            }
        };
        town.flat(
            "a member more",
            25,
            joining(&town.small),
            joining(&town.large),
        );

        let leaving = |group: &String, from: usize| {
            let path = format!("/Groups/{group}");
            let at = std::cell::Cell::new(from);
            let users = &town.users;
            move || {
                at.set(at.get() + 1);
                let gone = format!("members[value eq \"{}\"]", users[at.get()]);
                idp.ask_with(
                    "PATCH",
                    &path,
                    &json!({ "schemas": [PATCH_OP],
                    "Operations": [{ "op": "remove", "path": gone }] }),
                )
            }
        };
        town.flat(
            "a member less",
            25,
            leaving(&town.small, 2),
            leaving(&town.large, 20),
        );

        // The whole group is sent, with one member less each time.
        let whole = |group: &String, name: &'static str, all: usize| {
            let path = format!("/Groups/{group}");
            let without = std::cell::Cell::new(if all == FEW { 5 } else { 100 });
            let users = &town.users;
            move || {
                without.set(without.get() + 1);
                let members: Vec<Value> = users[..all]
                    .iter()
                    .enumerate()
                    .filter(|(nth, _)| *nth > without.get() || *nth < 2)
                    .map(|(_, id)| json!({ "value": id }))
                    .collect();
                idp.ask_with(
                    "PUT",
                    &path,
                    &json!({ "schemas": [CORE_GROUP], "displayName": name, "members": members }),
                )
            }
        };
        town.grows(
            "PUT of a group",
            30,
            BATCHES,
            whole(&town.small, "small", FEW),
            whole(&town.large, "large", MANY),
        );

        let gone = |from: usize| {
            let at = std::cell::Cell::new(from);
            let users = &town.users;
            move || {
                at.set(at.get() + 1);
                idp.ask("DELETE", &format!("/Users/{}", users[at.get()]))
            }
        };
        town.flat("DELETE of a user", 30, gone(200), gone(300));

        let bulk = |count: usize| {
            let name = &name;
            move || {
                let operations: Vec<Value> = (0..count)
                    .map(|_| {
                        let name = name();
                        json!({ "method": "POST", "path": "/Users", "bulkId": name,
                            "data": { "schemas": [CORE_USER], "userName": name } })
                    })
                    .collect();
                idp.ask_with("POST", "/Bulk", &json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations }))
            }
        };
        let [_, ten, twenty, forty] = [10, 10, 20, 40].map(|count| town.cost(bulk(count)()));
        eprintln!("  bulk of 10, 20, 40: {ten}, {twenty}, {forty} statements");
        assert!(
            forty - twenty <= 2 * (twenty - ten) + BATCHES,
            "each operation costs the same"
        );
        let single = {
            town.cost(create());
            town.cost(create())
        };
        assert!(
            forty <= 40 * (single + BATCHES),
            "an operation costs no more than a request: {forty}, {single}"
        );
    });
}

#[test]
fn reading_through_crowd_costs_the_same_whatever_is_read() {
    on_each_database(|database| {
        let world = World::new(database);
        let town = Town::new(&world);
        let product = Product::reader(&world);
        let reader = &product;
        let get = |path: &'static str| move || reader.ask("GET", path);
        for (what, most, by, little, much) in [
            (
                "a user",
                5,
                0,
                "/user?username=user0999",
                "/user?username=user0000",
            ),
            (
                "a user with attributes",
                6,
                0,
                "/user?username=user0999&expand=attributes",
                "/user?username=user0000&expand=attributes",
            ),
            (
                "a group",
                5,
                0,
                "/group?groupname=small",
                "/group?groupname=large",
            ),
            (
                "groups of a user",
                6,
                0,
                "/user/group/direct?username=user0999",
                "/user/group/direct?username=user0000",
            ),
            (
                "groups of a user, nested",
                8,
                BATCHES,
                "/user/group/nested?username=user0999",
                "/user/group/nested?username=user0000",
            ),
            (
                "users of a group",
                6,
                BATCHES,
                "/group/user/direct?groupname=small",
                "/group/user/direct?groupname=large",
            ),
            (
                "users of a group in full",
                7,
                BATCHES,
                "/group/user/direct?groupname=small&expand=user",
                "/group/user/direct?groupname=large&expand=user",
            ),
            (
                "users of a group, nested",
                8,
                BATCHES,
                "/group/user/nested?groupname=small",
                "/group/user/nested?groupname=large",
            ),
            (
                "one membership",
                6,
                0,
                "/group/user/direct?groupname=small&username=user0001",
                "/group/user/direct?groupname=large&username=user0001",
            ),
            (
                "names of users",
                6,
                BATCHES,
                "/search?entity-type=user&max-results=10",
                "/search?entity-type=user&max-results=1000",
            ),
            (
                "users in full",
                7,
                BATCHES,
                "/search?entity-type=user&max-results=10&expand=user",
                "/search?entity-type=user&max-results=1000&expand=user",
            ),
            (
                "users with attributes",
                8,
                // A batch is as many as one statement takes, and this is a page of 1,000.
                16,
                "/search?entity-type=user&max-results=10&expand=user,attributes",
                "/search?entity-type=user&max-results=1000&expand=user,attributes",
            ),
            (
                "groups in full",
                7,
                0,
                "/search?entity-type=group&max-results=1&expand=group",
                "/search?entity-type=group&max-results=12&expand=group",
            ),
        ] {
            town.grows(what, most, by, get(little), get(much));
        }
        let all = town.cost(product.ask("GET", "/group/membership"));
        eprintln!("  all memberships: {all} statements");
        assert!(all <= 20, "all memberships: {all} statements");

        let token = product.get("/event").text().to_owned();
        let token = token
            .split("newEventToken=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let quiet = {
            let ask = || product.ask("GET", &format!("/event/{token}"));
            town.cost(ask());
            town.cost(ask())
        };
        let change = |range: std::ops::Range<usize>| {
            for id in &town.users[range] {
                world.patch_user(id, "displayName", format!("Changed {id}"));
            }
        };
        let since = || product.ask("GET", &format!("/event/{token}"));
        change(20..21);
        let [_, one] = [town.cost(since()), town.cost(since())];
        change(21..80);
        let [_, many] = [town.cost(since()), town.cost(since())];
        eprintln!("  events, none, one and 60: {quiet}, {one}, {many} statements");
        assert!(quiet <= 5, "{quiet} statements where nothing is new");
        assert!(
            many <= one + 2 * BATCHES,
            "{one} statements for one event, {many} for 60"
        );
    });
}

#[test]
fn a_login_costs_the_same_wherever_the_user_is() {
    on_each_database(|database| {
        let world = World::new(database);
        let town = Town::new(&world);
        world.set_password(&town.users[0], "long enough 1");
        world.set_password(&town.users[MANY - 1], "long enough 1");
        let product = Product::writer(&world);
        let login = |name: &'static str| {
            let product = &product;
            move || {
                product
                    .ask("POST", &format!("/authentication?username={name}"))
                    .header("Content-Type", "application/xml")
                    .body("<password><value>long enough 1</value></password>")
            }
        };
        town.flat("a login", 12, login("user0999"), login("user0000"));
    });
}

#[test]
fn lists_of_the_admin_api_cost_the_same_however_long_they_are() {
    on_each_database(|database| {
        let world = World::new(database);
        let town = Town::new(&world);
        let console = Console::new(&world);
        let reader = &console;
        let get = |path: &'static str| move || reader.ask("GET", path);
        for (what, most, little, much) in [
            (
                "users",
                8,
                "/directories/default/users?limit=1",
                "/directories/default/users?limit=100",
            ),
            (
                "groups",
                8,
                "/directories/default/groups?limit=1",
                "/directories/default/groups?limit=12",
            ),
            (
                "the journal",
                9,
                "/directories/default/journal?limit=1",
                "/directories/default/journal?limit=100",
            ),
            (
                "a user",
                14,
                "/directories/default/users/user0999",
                "/directories/default/users/user0000",
            ),
            (
                "a group",
                10,
                "/directories/default/groups/small",
                "/directories/default/groups/large",
            ),
            (
                "users of a connector",
                8,
                "/connectors/idp/users?limit=1",
                "/connectors/idp/users?limit=100",
            ),
            ("requests", 8, "/requests?limit=1", "/requests?limit=10"),
        ] {
            town.grows(what, most, BATCHES, get(little), get(much));
        }
        town.grows(
            "members",
            9,
            BATCHES,
            get("/directories/default/groups/small/members?limit=1"),
            get("/directories/default/groups/large/members?limit=100"),
        );
    });
}

#[test]
fn lists_of_what_an_administrator_made_cost_the_same_however_many_there_are() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let lists = [
            ("/connectors", 6),
            ("/directories", 6),
            ("/applications", 5),
            ("/connectors/other0/clients", 6),
        ];
        let made = |number: usize| {
            let name = format!("other{number}");
            ok(&console.post("/connectors", json!({ "name": name })));
            ok(&console.post("/connectors/other0/clients", json!({ "label": name })));
            ok(&console.post(
                "/applications",
                json!({ "name": name, "directories": [name, "default"] }),
            ));
        };
        let cost = |path: &str| {
            let statements = || world.provision.store().counts().statements;
            let before = statements();
            let listed = console.show(path)["items"].as_array().unwrap().len();
            (listed, statements() - before)
        };
        made(0);
        let few = lists.map(|(path, _)| [cost(path), cost(path)][1]);
        for number in 1..20 {
            made(number);
        }
        let many = lists.map(|(path, _)| [cost(path), cost(path)][1]);
        for (((path, most), (few, once)), (many, again)) in lists.iter().zip(few).zip(many) {
            assert_eq!(few + 19, many, "{path}");
            assert_eq!(once, again, "{path}: statements for {few} and for {many}");
            assert!(once <= *most, "{path}: {once} statements");
        }
    });
}
