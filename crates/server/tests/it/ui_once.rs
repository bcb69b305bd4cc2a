//! Forms that make something: sent twice, they make it once; and pages that show a secret once keep it in sight.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, ok};
use crate::http::Answer;
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::World;

const SETUP: &str = "/console/connectors/idp/setup";

/// A form that makes something.
struct Making {
    page: String,
    action: String,
    /// What is typed.
    fields: Vec<(&'static str, String)>,
    /// How often the thing is there.
    count: Count,
}

/// Forms that make something.
fn making(world: &World, person: &str) -> Vec<Making> {
    let console = Console::new(world);
    let application = ok(&console.post(
        "/applications",
        json!({"name": "old", "directories": ["default"]}),
    ));
    let id = application["id"].as_str().unwrap();
    let overrides = format!("/console/directories/default/users/{person}/overrides");
    let password = format!("/console/applications/{id}/password");
    let all = [
        (
            "/console/setup",
            "/console/setup",
            "provider=okta&product=none",
            Count::Items("/connectors"),
        ),
        (
            "/console/setup",
            "/console/setup",
            "provider=google&product=jira",
            Count::Items("/applications"),
        ),
        (
            "/console/connectors",
            "/console/connectors",
            "name=one&preset=generic",
            Count::Items("/connectors"),
        ),
        (
            SETUP,
            SETUP,
            "",
            Count::Members("/connectors/idp", "tokens"),
        ),
        (SETUP, SETUP, "product=crowd", Count::Items("/applications")),
        (
            SETUP,
            "/console/connectors/idp/setup-links",
            "days=3",
            Count::Items("/connectors/idp/setup-links"),
        ),
        (
            "/console/connectors/idp/tokens",
            "/console/connectors/idp/tokens",
            "label=two&access=read-only",
            Count::Members("/connectors/idp", "tokens"),
        ),
        (
            "/console/applications",
            "/console/applications",
            "name=wiki&directory=default&access=read-only",
            Count::Items("/applications"),
        ),
        (
            &*password,
            &*password,
            "",
            Count::Audited("reset_application_password"),
        ),
        (
            "/console/administrators",
            "/console/administrators",
            "role=auditor",
            Count::Items("/invitations"),
        ),
        (
            "/console/tokens",
            "/console/tokens",
            "label=ci&role=auditor",
            Count::Items("/tokens"),
        ),
        (
            "/console/notifications/new/webhook",
            "/console/notifications/new/webhook",
            "kind=webhook&name=ops&url=https://ops.example.com/&every_minutes=15&enabled=true&events=0",
            Count::Items("/notifications"),
        ),
        (
            &*overrides,
            &*overrides,
            "kind=keep_as_is&comment=x",
            Count::Items("/directories/default/overrides"),
        ),
        (
            "/console/account",
            "/console/account/second-factor",
            "",
            Count::Audited("begin_second_factor"),
        ),
    ];
    let typed = |text: &'static str| {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    };
    all.map(|(page, action, fields, count)| Making {
        page: page.to_owned(),
        action: action.to_owned(),
        fields: typed(fields),
        count,
    })
    .into()
}

enum Count {
    /// Items of a list.
    Items(&'static str),
    /// Members of a document that is a list.
    Members(&'static str, &'static str),
    /// Entries of the audit log.
    Audited(&'static str),
}

impl Count {
    fn now(&self, console: &Console<'_>) -> usize {
        let list = |value: &Value| value.as_array().unwrap().len();
        match self {
            Count::Items(path) => list(&console.show(path)["items"]),
            Count::Members(path, member) => list(&console.show(path)[member]),
            Count::Audited(action) => {
                list(&console.show(&format!("/audit?action={action}&succeeded=true"))["items"])
            }
        }
    }
}

fn sent<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// The page for a form that was sent before, and where it leads.
#[track_caller]
fn leads_on(answer: &Answer) -> String {
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("This form was sent already"));
    let (_, rest) = answer
        .text()
        .split_once("<a class=\"button\" href=\"")
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Whether several nodes can work on it.
fn is_shared(database: &TestDatabase) -> bool {
    database.url.starts_with("postgres")
}

#[test]
fn whatever_makes_something_makes_it_once_for_each_form_that_was_shown() {
    on_each_database(|database| {
        let world = World::new(database);
        let person = Idp::new(&world).user("mira");
        let node = is_shared(database).then(|| world.beside(database));
        let other = node.as_ref().unwrap_or(&world);
        let browser = Browser::signed_in(&world, "ann", Role::Owner);
        let console = Console::new(&world);
        let key = ok(&console.get("/directories/default/users/mira"))["key"].clone();
        assert!(!person.is_empty());
        for making in making(&world, key.as_str().unwrap()) {
            let Making {
                page,
                action,
                fields,
                count,
            } = making;
            let before = count.now(&console);
            let shown = browser.get(&page);
            let first = browser.send_form(&shown, &action, &sent(&fields));
            assert!(
                [200, 303].contains(&first.status),
                "{action}: {}",
                first.text()
            );
            assert_eq!(count.now(&console), before + 1, "{action} makes one");
            // Loaded again, and sent by a second click that another node takes.
            let place = leads_on(&browser.send_form(&shown, &action, &sent(&fields)));
            leads_on(&browser.at(other).send_form(&shown, &action, &sent(&fields)));
            assert_eq!(count.now(&console), before + 1, "{action} made another");
            let there = browser.get(&place);
            assert_eq!(
                there.status,
                200,
                "{action} leads to {place}: {}",
                there.text()
            );
        }
    });
}

#[test]
fn two_clicks_at_the_same_time_make_one() {
    on_each_database(|database| {
        let world = World::new(database);
        let node = is_shared(database).then(|| world.beside(database));
        let other = node.as_ref().unwrap_or(&world);
        let browser = Browser::signed_in(&world, "ann", Role::Owner);
        let console = Console::new(&world);
        let connectors = Count::Items("/connectors");
        let before = connectors.now(&console);
        let shown = browser.get("/console/setup");
        let wish = [("provider", "okta"), ("product", "jira")];
        let ask = browser
            .form_of(&shown, "/console/setup", &wish)
            .header("Cookie", &browser.cookie().unwrap());
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let clicks = [&world, other, &world, other].map(|node| {
                let ask = ask.clone();
                scope.spawn(move || node.send(ask).status)
            });
            clicks.map(|click| click.join().unwrap()).into()
        });
        let made = answers.iter().filter(|status| **status == 200).count();
        assert_eq!(made, 1, "{answers:?}");
        assert_eq!(Count::Items("/applications").now(&console), 1);
        assert_eq!(connectors.now(&console), before + 1);
    });
}

#[test]
fn a_form_that_was_refused_may_be_sent_again() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let place = "/console/connectors";
    let shown = browser.get(place);
    let send = |name| browser.send_form(&shown, place, &[("name", name), ("preset", "okta")]);
    assert_eq!(send("idp").status, 409, "the name is taken");
    assert_eq!(send("okta").status, 200, "back, and with another name");
    assert_eq!(leads_on(&send("okta")), "/console/connectors/okta/setup");
    // Another form is another wish.
    assert_eq!(
        browser
            .fill_in(place, place, &[("name", "second"), ("preset", "okta")])
            .status,
        200
    );
    let unnumbered = [
        ("form_token", &*crate::ui_browser::form_token(&shown)),
        ("name", "x"),
    ];
    assert_eq!(browser.submit(place, &unnumbered).status, 422);
    // What was sent in another session says nothing about this one.
    let other = Browser::signed_in(&world, "ben", Role::Owner);
    assert_eq!(
        other
            .fill_in(place, place, &[("name", "third"), ("preset", "okta")])
            .status,
        200
    );
}

#[test]
fn a_page_that_shows_a_secret_has_one_way_on() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let person = Idp::new(&world).user("mira");
    assert!(!person.is_empty());
    let key = Console::new(&world).show("/directories/default/users/mira")["key"].clone();
    for making in making(&world, key.as_str().unwrap()) {
        let Making {
            page,
            action,
            fields,
            ..
        } = making;
        let made = browser.fill_in(&page, &action, &sent(&fields));
        if !made.text().contains("go on</a>") {
            assert!(!made.text().contains("vst_"), "{action}: {}", made.text());
            continue;
        }
        let (_, main) = made.text().split_once("<main").unwrap();
        // Links of the guide to other sites open what they lead to; those of the console would lose the secret.
        let links: Vec<&str> = main
            .split("href=\"/console")
            .skip(1)
            .map(|rest| rest.split("</a>").next().unwrap())
            .collect();
        assert_eq!(links.len(), 1, "{action}: {links:?}");
        assert!(links[0].ends_with("go on"), "{action}: {links:?}");
        assert!(!main.contains("<form"), "{action}: {main}");
        let next = links[0].split('"').next().unwrap().replace("&#38;", "&");
        let next = browser.get(&format!("/console{next}"));
        assert_eq!(next.status, 200);
        assert!(!next.text().contains("go on</a>"), "{action}");
    }
}

#[test]
fn a_link_for_the_other_team_makes_one_token_for_each_form() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let made = ok(&console.post("/connectors/idp/setup-links", json!({})));
        let (_, rest) = made["link"]
            .as_str()
            .unwrap()
            .split_once("/connect/")
            .unwrap();
        let page = format!("/connect/{rest}");
        let guest = Browser::new(&world);
        let tokens = Count::Members("/connectors/idp", "tokens");
        let before = tokens.now(&console);
        let blank = [("before", "")];
        let first = guest.submit(&page, &blank);
        assert!(
            first.text().contains("data-copy=\"vst_scim_"),
            "{}",
            first.text()
        );
        let again = guest.submit(&page, &blank);
        assert_eq!(again.status, 409);
        assert!(again.text().contains("was shown then") && !again.text().contains("vst_scim_"));
        assert_eq!(tokens.now(&console), before + 1);
        let (_, rest) = again.text().split_once("name=\"before\" value=\"").unwrap();
        let known = rest.split('"').next().unwrap();
        assert_eq!(guest.submit(&page, &[("before", known)]).status, 200);
        assert_eq!(tokens.now(&console), before + 1, "one at a time");
    });
}
