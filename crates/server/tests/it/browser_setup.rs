//! The set-up of a connection, from the first click to the green end, with emulated identity providers and a product.

use emulate::databases::TestDatabase;
use emulate::entra::{Entra, PatchDialect};
use emulate::jira::Jira;
use emulate::okta::{AppKind, Okta};
use emulate::organization::{Organization, Size};
use emulate::provider::Provider;
use emulate::report::quietly;

use crate::browser::Console;
use crate::http::Ask;
use crate::world::World;

fn organization(seed: u64) -> Organization {
    Organization::found(&Size {
        people: 6,
        groups: 2,
        seed,
        domain: "example.org".into(),
    })
}

/// What stands in the row of a description list.
fn value(console: &Console<'_>, section: &str, row: usize) -> String {
    console.text(&format!(
        "[aria-labelledby={section}] dl.wide > div:nth-child({row}) code"
    ))
}

/// Chooses both sides and goes on.
fn choose(console: &Console<'_>, provider: &str, product: &str) {
    console.go("/console/setup");
    console.click(&format!("input[value={provider}]"));
    console.click(&format!("input[value='{product}']"));
    console.click("form.choose button");
    console.sees("shown this once");
}

fn jira(console: &Console<'_>) -> Jira {
    let row = |row| value(console, "product", row);
    Jira::new(&row(1), &row(2), &row(3)).unwrap()
}

/// The identity provider tests its connection and sends everybody.
fn push(world: &World, mut provider: Provider, seed: u64) {
    assert!(world.run(provider.test()).is_clean());
    let sent = world.run(provider.synchronize(&organization(seed), &quietly));
    assert!(sent.is_clean(), "{sent}");
}

#[test]
fn the_set_up_leads_from_nothing_to_green() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::fresh(&database);
    let console = Console::signed_in(&world);
    // Nobody is here yet: the account leads into the set-up.
    console.sees("Set up a connection");

    choose(&console, "okta", "jira");
    console.sees("Okta to Jira");
    console.sees("Browse App Catalog");
    console.sees("This address means the machine itself");
    let (url, token) = (
        value(&console, "provider", 1),
        value(&console, "provider", 2),
    );

    // A wrong token is told at once, without a click.
    let path = url.split_once(&world.address).unwrap().1.to_owned();
    let wrong =
        Ask::new("GET", format!("{path}/Users")).header("Authorization", "Bearer vst_scim_wrong");
    assert_eq!(world.send(wrong).status, 401);
    console.sees("was answered with 401");

    push(
        &world,
        Provider::Okta(Okta::new(&url, &token, AppKind::Template).unwrap()),
        1,
    );
    console.sees("5 of 7 done. Next: the product is attached.");

    let mut product = jira(&console);
    let stranger = Jira::new(&value(&console, "product", 1), "jira", "wrong").unwrap();
    assert!(world.run(stranger.test_connection()).is_err());
    console.sees("its password was wrong");
    world.run(product.test_connection()).unwrap();
    world.run(product.synchronize(&quietly)).unwrap();
    console.sees("Everything works.");
    console.sees("jira has everything.");
    assert_eq!(product.directory().users().count(), 6);

    // The connector of the first start became this one; its URL is as it was.
    console.go("/console/connectors");
    assert!(
        !console.text("main").contains("default"),
        "{}",
        console.shown()
    );

    // A second one lets the product that is there see its people too.
    console.go("/console/setup");
    let known = console.browser.run(
        "return document.querySelector('input[name=product]').value",
        &[],
    );
    choose(&console, "entra_optscim", known.unwrap().as_str().unwrap());
    let (url, token) = (
        value(&console, "provider", 1),
        value(&console, "provider", 2),
    );
    console.sees("?aadOptscim062020");
    let url = format!("{url}?aadOptscim062020");
    push(
        &world,
        Provider::Entra(Entra::new(&url, &token, PatchDialect::Flagged).unwrap()),
        2,
    );
    world.run(product.synchronize(&quietly)).unwrap();
    console.sees("Everything works.");
    assert_eq!(product.directory().users().count(), 12);

    // Find a person and read why.
    let (login, group) = {
        let all = organization(1);
        let group = all
            .groups()
            .find(|group| !group.members.is_empty())
            .unwrap();
        let person = all.person(*group.members.iter().next().unwrap()).unwrap();
        (person.login.clone(), group.name.clone())
    };
    console.go("/console/people");
    console.enter("search", &login[..login.len() - 3]);
    console.click("main form button");
    console.follow(&login);
    console.sees(&group);
    console.sees("Why");
}

#[test]
fn the_set_up_needs_no_scripts() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::fresh(&database);
    let console = Console::without_scripts(&world);
    choose(&console, "okta_wizard", "confluence");
    console.sees("Create App Integration");
    assert!(!console.browser.shown().unwrap().contains("Copied"));
    let (url, token) = (
        value(&console, "provider", 1),
        value(&console, "provider", 2),
    );
    let mut product = jira(&console);
    console.follow("I have copied it, go on");
    assert!(!console.text("main").contains(&token), "it is shown once");
    push(
        &world,
        Provider::Okta(Okta::new(&url, &token, AppKind::Wizard).unwrap()),
        3,
    );
    world.run(product.synchronize(&quietly)).unwrap();
    // The page loads itself again.
    console.sees("Everything works.");

    console.go("/console/people");
    let login = organization(3).people()[0].login.clone();
    console.enter("search", &login);
    console.click("main form button");
    console.follow(&login);
    console.sees("Why");
}
