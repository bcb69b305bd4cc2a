//! Incremental synchronisation: what products are told, in which order, and when they have to begin anew.

use crowd::answer::Event;
use crowd::event::Operation;
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::json;

use crate::world::{Product, World, ok, refusal};

/// A product that remembers its token.
struct Follower<'w> {
    product: Product<'w>,
    token: String,
}

impl<'w> Follower<'w> {
    fn new(world: &'w World) -> Follower<'w> {
        let product = Product::reader(world);
        let token = token(ok(&product.get("/event")));
        Follower { product, token }
    }

    /// What happened since, in words: `-user name`, `+user name active`, `~name: groups`.
    fn news(&mut self) -> Vec<String> {
        let answer = self.product.get(&format!("/event/{}", self.token));
        let text = ok(&answer);
        let mut news = Vec::new();
        crowd::answer::events(text.as_bytes(), |event| news.push(words(event))).unwrap();
        self.token = token(text);
        news
    }

    fn has_to_begin_anew(&mut self) -> bool {
        let answer = self.product.get(&format!("/event/{}", self.token));
        let expired = answer.status == 410;
        if expired {
            assert_eq!(refusal(&answer).1, "EVENT_TOKEN_EXPIRED");
            self.token = token(ok(&self.product.get("/event")));
        }
        expired
    }
}

fn token(text: &str) -> String {
    crowd::answer::events(text.as_bytes(), |_| {})
        .unwrap()
        .token
        .unwrap()
}

fn words(event: Event) -> String {
    match event {
        Event::User {
            operation: Operation::Deleted,
            user,
            ..
        } => format!("-user {}", user.name),
        Event::User { user, .. } => format!(
            "+user {}{}",
            user.name,
            if user.active { "" } else { " (inactive)" }
        ),
        Event::Group {
            operation: Operation::Deleted,
            group,
            ..
        } => format!("-group {}", group.name),
        Event::Group { group, .. } => format!("+group {}", group.name),
        Event::UserMembership {
            operation: Operation::Updated,
            child,
            parents,
        } => format!("{child} in {}", parents.join(", ")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_new_is_an_empty_list_with_the_same_token() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let mut product = Follower::new(&world);
        let before = product.token.clone();
        assert!(product.news().is_empty());
        assert_eq!(product.token, before);
    });
}

#[test]
fn everyone_who_was_touched_is_told_once_as_they_are_now() {
    on_each_database(|database| {
        let world = World::new(database);
        let (mira, jon) = (world.mira(), world.user(json!({"userName": "jon"})));
        let eng = world.group("eng", &[&mira, &jon]);
        let mut product = Follower::new(&world);
        world.patch_user(&mira, "displayName", "One");
        world.patch_user(&mira, "displayName", "Two");
        world.patch_user(&mira, "active", false);
        world.remove(&eng, &jon);
        let amy = world.user(json!({"userName": "amy"}));
        world.add(&eng, &amy);
        world.group("ops", &[]);
        assert_eq!(
            product.news(),
            [
                "+group ops",
                "+user mira (inactive)",
                "+user amy",
                "jon in ",
                "amy in eng"
            ]
        );
        assert!(product.news().is_empty());
    });
}

#[test]
fn who_has_gone_is_told_by_the_name_the_product_knows() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::writer(&world);
        assert_eq!(product.post("/group", "<group name=\"old\"/>").status, 201);
        let mut follower = Follower::new(&world);
        assert_eq!(product.delete("/group?groupname=old").status, 204);
        assert_eq!(follower.news(), ["-group old"]);
        assert_eq!(
            product.post("/group", "<group name=\"brief\"/>").status,
            201
        );
        assert_eq!(product.delete("/group?groupname=brief").status, 204);
        assert!(
            follower.news().is_empty(),
            "what came and went was never known"
        );
        assert_eq!(
            product.post("/group", "<group name=\"again\"/>").status,
            201
        );
        let _known = follower.news();
        assert_eq!(product.delete("/group?groupname=again").status, 204);
        assert_eq!(
            product.post("/group", "<group name=\"Again\"/>").status,
            201
        );
        assert_eq!(follower.news(), ["-group again", "+group Again"]);
    });
}

#[test]
fn a_renamed_user_is_told_under_the_new_name_with_all_groups() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        world.group("eng", &[&mira]);
        let mut product = Follower::new(&world);
        world.patch_user(&mira, "userName", "mira.solberg");
        assert_eq!(
            product.news(),
            ["+user mira.solberg", "mira.solberg in eng"]
        );
        world.patch_user(&mira, "userName", "Mira.Solberg");
        assert_eq!(
            product.news(),
            ["+user Mira.Solberg"],
            "another case is no other name"
        );
    });
}

#[test]
fn a_group_in_another_case_is_told_as_the_same_group() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        let sales = world.group("sales", &[&mira]);
        let mut product = Follower::new(&world);
        let name = json!([{"op": "replace", "path": "displayName", "value": "Sales"}]);
        world.patch_group(&sales, name);
        assert_eq!(product.news(), ["+group Sales"], "nobody leaves it");
        let shown = product.product.get("/group?groupname=sales");
        assert!(ok(&shown).contains("name=\"Sales\""), "{}", ok(&shown));
    });
}

#[test]
fn names_that_are_handed_on_need_a_full_run() {
    on_each_database(|database| {
        let world = World::new(database);
        let (ann, ben) = (
            world.user(json!({"userName": "ann"})),
            world.user(json!({"userName": "ben"})),
        );
        let mut product = Follower::new(&world);
        world.patch_user(&ann, "userName", "former");
        world.patch_user(&ben, "userName", "ann");
        assert!(product.has_to_begin_anew());
        assert!(product.news().is_empty());
        world.patch_user(&ben, "userName", "swap");
        world.patch_user(&ann, "userName", "ann");
        world.patch_user(&ben, "userName", "former");
        assert!(product.has_to_begin_anew());
    });
}

/// A product that keeps attributes forgets only those that it is told have gone.
#[test]
fn attributes_that_went_are_named_and_those_that_came_back_are_not() {
    on_each_database(|database| {
        let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        let mapping = json!([{"target": "attr:department", "source": {"attribute": department}}]);
        let rules = serde_json::from_value(json!({ "mapping": mapping })).unwrap();
        let world = World::with_rules(database, rules);
        let mira = world.mira();
        world.patch_user(&mira, department, "Platform");
        let writer = Product::writer(&world);
        assert_eq!(writer.post("/group", "<group name=\"eng\"/>").status, 201);
        let set = |owner: &str, names: &[&str]| {
            let list: String = names
                .iter()
                .map(|name| {
                    format!(
                        "<attribute name=\"{name}\"><values><value>1</value></values></attribute>"
                    )
                })
                .collect();
            let body = format!("<attributes>{list}</attributes>");
            assert_eq!(writer.post(owner, &body).status, 204);
        };
        let (of_mira, of_eng) = (
            "/user/attribute?username=mira",
            "/group/attribute?groupname=eng",
        );
        set(of_mira, &["theme", "tour"]);
        set(of_eng, &["colour"]);
        let mut product = Follower::new(&world);
        let mut lost = || {
            let answer = product.product.get(&format!("/event/{}", product.token));
            let text = ok(&answer);
            product.token = token(text);
            let mut lost = Vec::new();
            crowd::answer::events(text.as_bytes(), |event| match event {
                Event::User { user, deleted, .. } => lost.push((user.name, deleted)),
                Event::Group { group, deleted, .. } => lost.push((group.name, deleted)),
                other => panic!("{other:?}"),
            })
            .unwrap();
            lost
        };
        let told = |name: &str, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            (name.to_owned(), names)
        };

        let none: [&str; 0] = [];
        world.patch_user(&mira, department, serde_json::Value::Null);
        assert_eq!(lost(), [told("mira", &["department"])]);
        world.patch_user(&mira, "displayName", "Mira S.");
        assert_eq!(lost(), [told("mira", &none)]);

        for path in [
            format!("{of_mira}&attributename=theme"),
            format!("{of_mira}&attributename=tour"),
        ] {
            assert_eq!(writer.delete(&path).status, 204);
        }
        assert_eq!(
            writer
                .delete(&format!("{of_eng}&attributename=colour"))
                .status,
            204
        );
        set(of_mira, &["Tour"]);
        assert_eq!(lost(), [told("eng", &["colour"]), told("mira", &["theme"])]);
    });
}

#[test]
fn tokens_that_are_none_of_ours_send_the_product_back() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::reader(&world);
        let (store, sequence) = {
            let token = token(ok(&product.get("/event")));
            let (store, sequence) = token.rsplit_once(':').unwrap();
            (store.to_owned(), sequence.parse::<u64>().unwrap())
        };
        for token in [
            format!("{store}:{}", sequence + 1),
            format!("{store}:{}", u64::MAX),
            format!("0000:{sequence}"),
            format!("{store}0:{sequence}"),
            "0000%3A1".to_owned(),
            "nonsense".to_owned(),
            "a/b/c".to_owned(),
            "%ff".to_owned(),
            "%2F".to_owned(),
            "..%2F..".to_owned(),
            String::new(),
        ] {
            for product in [&product, &product.json()] {
                let answer = product.get(&format!("/event/{token}"));
                assert_eq!(
                    refusal(&answer),
                    (410, "EVENT_TOKEN_EXPIRED".to_owned()),
                    "{token}"
                );
            }
        }
        for colon in [":", "%3A", "%3a"] {
            ok(&product.get(&format!("/event/{store}{colon}{sequence}")));
        }
    });
}

#[test]
fn a_change_during_a_full_synchronisation_is_not_missed() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        let product = Product::reader(&world);
        let everything = "<null-search-restriction/>";
        ok(&product.post(
            "/search?entity-type=user&max-results=-1&expand=user",
            everything,
        ));
        world.patch_user(&mira, "active", false);
        ok(&product.post(
            "/search?entity-type=group&max-results=-1&expand=group",
            everything,
        ));
        ok(&product.get("/group/membership"));
        let mut follower = Follower {
            token: token(ok(&product.get("/event"))),
            product,
        };
        assert_eq!(follower.news(), ["+user mira (inactive)"]);
        assert!(follower.news().is_empty());
    });
}

#[test]
fn a_full_synchronisation_that_never_ended_is_forgotten() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        ok(&product.post("/search?entity-type=user&max-results=-1&expand=user", ""));
        world.mira();
        world.wait(SignedDuration::from_mins(31));
        let mut follower = Follower {
            token: token(ok(&product.get("/event"))),
            product,
        };
        assert!(follower.news().is_empty());
    });
}

#[test]
fn json_clients_find_the_two_members_they_read() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::reader(&world).json();
        let answer = product.get("/event");
        ok(&answer);
        let first = answer.json();
        assert_eq!(first["incrementalSynchronisationAvailable"], true);
        world.user(json!({"userName": "jon"}));
        let answer = product.get(&format!(
            "/event/{}",
            first["newEventToken"].as_str().unwrap()
        ));
        ok(&answer);
        assert_ne!(answer.json()["newEventToken"], first["newEventToken"]);
        assert_eq!(
            answer.json()["events"][0]["userEvent"]["user"]["name"],
            "jon"
        );
    });
}
