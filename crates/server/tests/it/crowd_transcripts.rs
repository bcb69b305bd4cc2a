//! Conversations of products with a Crowd server, letter by letter.

use emulate::databases::on_each_database;

use crate::world::{Product, World, ok};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const EVERYTHING: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><null-search-restriction/>";
const NOBODY: &str = "<property-search-restriction><match-mode>NULL</match-mode><property><name>name</name>\
    <type>STRING</type></property></property-search-restriction>";

/// A document with its lines put together and the declaration in front.
fn document(lines: &str) -> String {
    let lines: String = lines.lines().map(str::trim).collect();
    format!("{DECLARATION}{lines}")
}

fn token_in(events: &str) -> String {
    let mut token = None;
    let feed = crowd::answer::events(events.as_bytes(), |_| {}).unwrap();
    token.clone_from(&feed.token);
    assert!(feed.incremental);
    token.unwrap()
}

#[test]
fn the_connection_test_finds_nobody() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::reader(&world);
        let answer = product.post(
            "/search?entity-type=user&start-index=0&max-results=1&expand=user",
            NOBODY,
        );
        assert_eq!(ok(&answer), document("<users expand=\"user\"/>"));
        assert_eq!(
            answer.header("content-type"),
            Some("application/xml;charset=UTF-8")
        );
    });
}

#[test]
fn a_full_synchronisation_of_one_user_in_one_group() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        world.group("eng-platform", &[&mira]);
        let product = Product::reader(&world);
        let users = product.post(
            "/search?entity-type=user&start-index=0&max-results=-1&expand=user",
            EVERYTHING,
        );
        let key = crowd_key(ok(&users));
        assert_eq!(
            users.text(),
            document(&format!(
                "<users expand=\"user\"><user name=\"mira\" expand=\"attributes\"><first-name>Mira</first-name>
                 <last-name>Solberg</last-name><display-name>Mira Solberg</display-name><email>mira@example.test</email>
                 <key>{key}</key><created-date>2026-05-28T20:26:40.000Z</created-date>
                 <updated-date>2026-05-28T20:26:40.000Z</updated-date><active>true</active><attributes/></user></users>"
            ))
        );
        let groups = product.post(
            "/search?entity-type=group&start-index=0&max-results=-1&expand=group",
            EVERYTHING,
        );
        assert_eq!(
            ok(&groups),
            document(
                "<groups expand=\"group\"><group name=\"eng-platform\" expand=\"attributes\"><description/>
                 <type>GROUP</type><active>true</active><attributes/></group></groups>"
            )
        );
        assert_eq!(
            ok(&product.get("/group/membership")),
            document(
                "<memberships><membership group=\"eng-platform\"><users><user name=\"mira\"/></users><groups/>
                 </membership></memberships>"
            )
        );
        let events = product.get("/event");
        let token = token_in(ok(&events));
        assert_eq!(
            events.text(),
            document(&format!(
                "<events newEventToken=\"{token}\" incrementalSynchronisationAvailable=\"true\"/>"
            ))
        );
        let again = product.get(&format!("/event/{}", token.replace(':', "%3A")));
        assert_eq!(ok(&again), events.text());
    });
}

fn crowd_key(users: &str) -> String {
    let mut keys = Vec::new();
    crowd::answer::users(users.as_bytes(), |user| keys.extend(user.key)).unwrap();
    assert_eq!(keys.len(), 1);
    keys.remove(0)
}

#[test]
fn an_incremental_run_after_someone_was_deactivated_and_left_a_group() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        let group = world.group("eng-platform", &[&mira]);
        let product = Product::reader(&world);
        let token = token_in(ok(&product.get("/event")));
        world.remove(&group, &mira);
        world.patch_user(&mira, "active", false);
        let answer = product.get(&format!("/event/{}", token.replace(':', "%3A")));
        let next = token_in(ok(&answer));
        assert_ne!(next, token);
        let shown = ok(&product.get("/user?username=mira")).to_owned();
        let key = crowd::answer::user(shown.as_bytes()).unwrap().key.unwrap();
        assert_eq!(
            answer.text(),
            document(&format!(
                "<events newEventToken=\"{next}\" incrementalSynchronisationAvailable=\"true\">
                 <userEvent><operation>UPDATED</operation><user name=\"mira\" expand=\"attributes\"><first-name>Mira</first-name>
                 <last-name>Solberg</last-name><display-name>Mira Solberg</display-name><email>mira@example.test</email>
                 <key>{key}</key><created-date>2026-05-28T20:26:40.000Z</created-date>
                 <updated-date>2026-05-28T20:26:40.000Z</updated-date><active>false</active><attributes/></user>
                 <storedAttributes/><deletedAttributes/></userEvent>
                 <userMembershipEvent><operation>UPDATED</operation><childUser name=\"mira\"/><parentGroups/>
                 </userMembershipEvent></events>"
            ))
        );
    });
}

#[test]
fn a_single_check_without_an_accept_header() {
    on_each_database(|database| {
        let world = World::new(database);
        let user = world.user(serde_json::json!({"userName": "o'neil+ops@example.test"}));
        world.group("Eng Team & Co", &[&user]);
        world.group("Other", &[]);
        let product = Product::reader(&world).accepting(None);
        let path =
            "/group/user/direct?groupname=Eng+Team+%26+Co&username=o%27neil%2Bops%40example.test";
        let answer = product.get(path);
        let url = product.url();
        assert_eq!(
            ok(&answer),
            document(&format!(
                "<user name=\"o'neil+ops@example.test\"><link href=\"{url}/user?username=o%27neil%2Bops%40example.test\" rel=\"self\"/></user>"
            ))
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/xml;charset=UTF-8")
        );
        let answer = product.get(&path.replace("Eng+Team+%26+Co", "Other"));
        assert_eq!(
            crate::world::refusal(&answer),
            (404, "MEMBERSHIP_NOT_FOUND".to_owned())
        );
    });
}

#[test]
fn the_same_calls_in_json() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let product = Product::reader(&world).json();
        let url = product.url();
        let answer = product.get("/user?username=MIRA&expand=attributes");
        ok(&answer);
        let user = answer.json();
        assert_eq!(
            answer.header("content-type"),
            Some("application/json;charset=UTF-8")
        );
        assert_eq!(user["name"], "mira");
        assert_eq!(user["link"]["href"], format!("{url}/user?username=mira"));
        assert_eq!(user["active"], true);
        assert_eq!(user["created-date"], 1_780_000_000_000_i64);
        assert_eq!(user["attributes"]["attributes"], serde_json::json!([]));
        let latest = product.below("/crowd/rest/usermanagement/latest");
        let answer =
            latest.get("/search?entity-type=user&expand=user&restriction=email%3D%22mira*%22");
        ok(&answer);
        let users = answer.json();
        assert_eq!(users["expand"], "user");
        assert_eq!(users["users"][0]["email"], "mira@example.test");
        assert_eq!(
            users["users"][0]["link"]["href"],
            format!("{url}/user?username=mira")
        );
        let none = product.get("/search?entity-type=group&restriction=name%3Dnothing");
        ok(&none);
        assert_eq!(
            none.json(),
            serde_json::json!({"expand": "group", "groups": []})
        );
    });
}
