//! What raises an alarm beside identity providers: products that stop fetching, groups that wait, and who reads the figures.

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use provision::{AddressRange, Writer};
use serde_json::json;
use server::Settings;
use store::Role;

use crate::api_console::{Console, ok};
use crate::api_notifications::{post_of, tell, webhook};
use crate::http::Ask;
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::{Product, World};

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn figure(world: &World, name: &str) -> String {
    let metrics = world.send(Ask::new("GET", "/metrics".to_owned()));
    let begins = format!("vestibule_{name}{{");
    let line = metrics
        .text()
        .lines()
        .find(|line| line.starts_with(&begins));
    line.and_then(|line| line.split(' ').next_back())
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_product_that_stops_fetching_is_told_of_and_that_it_comes_again() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        post_of(world);
        ok(&console.post("/notifications", webhook("ops")));
        let product = Product::reader(world);
        let show = || console.show("/overview")["applications"][0].clone();
        // Each hour, by some requests; and people log in all the time, which is no fetching.
        for _ in 0..7 {
            assert_eq!(product.get("/event").status, 200);
            assert_eq!(product.get("/group/membership").status, 200);
            show();
            world.wait(minutes(30));
            product.get("/user?username=nobody");
            show();
            world.wait(minutes(30));
        }
        let now = show();
        assert_eq!(
            (
                &now["silent"],
                now["usual_pause"].as_i64().map(|it| it / 60)
            ),
            (&json!(false), Some(60)),
            "{now}"
        );
        assert!(tell(world).is_empty());
        assert_eq!(figure(world, "application_silent"), "0");
        world.wait(minutes(100));
        assert!(tell(world).is_empty(), "not three times as long");
        // It still signs people in.
        product.get("/user?username=nobody");
        world.wait(minutes(30));
        let told = tell(world);
        let silent = "application.silent: The product reader has stopped fetching";
        assert_eq!(told, [[silent]]);
        assert_eq!(figure(world, "application_silent"), "1");
        assert_eq!(show()["silent"], true);
        let id = show()["id"].as_str().unwrap().to_owned();
        let browser = Browser::signed_in(world, "ann", Role::Auditor);
        for place in ["/console", &format!("/console/applications/{id}")] {
            let page = browser.text(place);
            assert!(
                page.contains("silent for 3 h, usually every 60 min"),
                "{page}"
            );
        }
        world.wait(minutes(60));
        assert!(tell(world).is_empty(), "once");
        assert_eq!(product.get("/event").status, 200);
        show();
        assert_eq!(
            tell(world),
            [["application.silent: The product reader fetches again"]]
        );
        assert_eq!(figure(world, "application_silent"), "0");
        world.wait(minutes(60));
        assert!(tell(world).is_empty());
        world.wait(minutes(121));
        assert_eq!(tell(world), [[silent]], "and once more");
        // Who is not there any more is not silent.
        assert_eq!(console.delete(&format!("/applications/{id}")).status, 204);
        world.wait(minutes(20));
        assert!(tell(world).is_empty());
        assert_eq!(figure(world, "application_silent"), "");
    });
}

#[test]
fn a_product_that_comes_seldom_or_all_the_time_is_not_silent() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let product = Product::reader(world);
        let show = || console.show("/overview")["applications"][0].clone();
        for _ in 0..40 {
            product.get("/event");
            show();
            world.wait(minutes(1));
        }
        world.wait(minutes(12));
        assert_eq!(show()["silent"], false, "a quarter of an hour is nothing");
        world.wait(minutes(5));
        assert_eq!(show()["silent"], true);
        let seldom = Product::writer(world);
        seldom.get("/event");
        world.wait(minutes(60 * 24 * 7));
        let all = console.show("/overview")["applications"].clone();
        let writer = all
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == "writer");
        assert_eq!(writer.unwrap()["usual_pause"], json!(null), "{all}");
        assert_eq!(writer.unwrap()["silent"], false, "{all}");
    });
}

#[test]
fn groups_that_wait_or_keep_a_former_name_are_told_of() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp) = (Console::new(world), Idp::new(world));
        let browser = Browser::signed_in(world, "ann", Role::Operator);
        post_of(world);
        ok(&console.post("/notifications", webhook("ops")));
        ok(&console.patch(
            "/connectors/idp",
            json!({"rules": {"groups": {"on_existing": "review", "rename": "pin"}}}),
        ));
        idp.user("ben");
        let writer = Writer {
            directory: world.connector.connector.directory,
            application: "jira".into(),
            request: String::new(),
        };
        let (dev, ben) = ("dev".into(), "ben".into());
        let put = world
            .provision
            .add_local_membership(&writer, dev, ben, Some(String::new()));
        world.run(put).unwrap();
        let ann = idp.user("ann");
        let dev = world.group("dev", &[&ann]);
        assert_eq!(
            tell(world),
            [["group.waiting: 1 group of idp waits for a decision"]]
        );
        world.wait(minutes(16));
        assert!(tell(world).is_empty());
        let adopt = format!("/console/connectors/idp/source-groups/{dev}/adopt");
        assert_eq!(browser.fill_in(&adopt, &adopt, &[]).status, 200);
        world.run(world.provision.work_off()).unwrap();
        assert!(tell(world).is_empty());

        world.patch_group(
            &dev,
            json!([{"op": "replace", "path": "displayName", "value": "developers"}]),
        );
        assert_eq!(
            tell(world),
            [["group.renamed: 1 group of idp that was renamed keeps its name in products"]]
        );
        assert_eq!(console.show("/connectors/idp")["pinned_groups"], 1);
        let renamed = "/console/connectors/idp/source-groups?state=renamed";
        for place in ["/console", "/console/connectors/idp"] {
            assert!(browser.text(place).contains(renamed), "{place}");
        }
        assert!(browser.text(renamed).contains("developers"));
    });
}

#[test]
fn figures_are_for_this_machine_and_for_tokens_that_see_everything() {
    on_each_database(|database| {
        let range = |text| AddressRange::parse(text).unwrap();
        let settings = Settings {
            trusted_proxies: vec![range("127.0.0.1")],
            metrics_from: vec![range("192.0.2.0/24")],
            ..Settings::default()
        };
        let world = &World::with_settings(database, settings);
        let console = Console::new(world);
        let ask = || Ask::new("GET", "/metrics");
        let from = |address: &str| world.send(ask().header("X-Forwarded-For", address));
        assert_eq!(world.send(ask()).status, 200);
        assert_eq!(from("192.0.2.7").status, 200, "listed");
        let refused = from("203.0.113.9");
        assert_eq!(refused.status, 401);
        assert!(refused.header("www-authenticate").is_some());
        assert!(!refused.text().contains("vestibule_"));
        let with = |token: &str| {
            let ask = ask().header("X-Forwarded-For", "203.0.113.9");
            world.send(ask.header("Authorization", &format!("Bearer {token}")))
        };
        assert_eq!(with("vst_api_wrong").status, 401);
        let token = |wish| {
            let made = ok(&console.post("/tokens", wish));
            made["token"].as_str().unwrap().to_owned()
        };
        let auditor = token(json!({"label": "prometheus", "role": "auditor"}));
        assert_eq!(with(&auditor).status, 200);
        let confined = json!({"label": "some", "role": "auditor", "connectors": ["idp"]});
        assert_eq!(with(&token(confined)).status, 403);
    });
    // A proxy on this machine of which the settings do not know passes on what comes from elsewhere.
    on_each_database(|database| {
        let world = &World::new(database);
        let ask = || Ask::new("GET", "/metrics");
        assert_eq!(world.send(ask()).status, 200);
        for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"] {
            assert_eq!(
                world.send(ask().header(name, "127.0.0.1")).status,
                401,
                "{name}"
            );
        }
    });
}

#[test]
fn the_figures_tell_how_long_tokens_have_left() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let id = console.show("/connectors/idp")["id"].clone();
        let id = id.as_str().unwrap();
        let left = |kind: &str, connector: &str| {
            let labels =
                format!("token_remaining_seconds{{kind=\"{kind}\",connector=\"{connector}\"");
            let text = world.send(Ask::new("GET", "/metrics")).text().to_owned();
            let line = text.lines().find(|line| line.contains(&labels));
            let seconds = line.and_then(|line| line.split(' ').next_back()?.parse::<i64>().ok());
            assert!(!text.contains("vst_") && !text.contains("ci-"), "{text}");
            seconds
        };
        assert_eq!(left("Token", id), None, "nothing that ends");
        let ends = |hours: i64| (world.provision.store().now() + minutes(60 * hours)).to_string();
        for (label, hours) in [("ci-late", 48), ("ci-first", 24)] {
            let wish = json!({"label": label, "expires": ends(hours)});
            ok(&console.post("/connectors/idp/tokens", wish));
        }
        let wish = json!({"label": "ci-api", "role": "auditor", "expires": ends(72)});
        ok(&console.post("/tokens", wish));
        let hours = |seconds: Option<i64>| seconds.map(|seconds| (seconds + 60) / 3_600);
        assert_eq!(hours(left("Token", id)), Some(24));
        assert_eq!(hours(left("ApiToken", "")), Some(72));
        world.wait(minutes(25 * 60));
        assert_eq!(hours(left("Token", id)), Some(23), "the next one");
        world.wait(minutes(24 * 60));
        assert_eq!(left("Token", id), None);

        // Of what is deleted nothing is told.
        let source = format!("source_users{{connector=\"{id}\"");
        let figures = || world.send(Ask::new("GET", "/metrics")).text().to_owned();
        assert!(figures().contains(&source));
        ok(&console.delete("/connectors/idp?accounts=keep"));
        world.run(world.provision.work_off()).unwrap();
        assert!(!figures().contains(&source));
    });
}
