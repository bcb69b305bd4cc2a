//! Whole organizations, sent by emulated identity providers in each of their dialects, and read back.

use std::collections::BTreeMap;

use emulate::databases::{TestDatabase, on_each_database};
use emulate::entra::{Entra, PatchDialect};
use emulate::okta::{AppKind, Okta};
use emulate::organization::{Organization, Size};
use emulate::picture::{Picture, Portrait};
use emulate::provider::Provider;
use emulate::report::{Report, quietly};
use serde_json::Value;

use crate::scim_idp::*;
use crate::world::World;

/// All resources of a collection, read by pages.
fn walk(idp: &Idp<'_>, collection: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let page = shown(&idp.get(&format!(
            "/{collection}?startIndex={}&count=7",
            all.len() + 1
        )));
        let items = page["Resources"].as_array().unwrap();
        if items.is_empty() {
            assert_eq!(page["totalResults"], all.len());
            return all;
        }
        all.extend(items.iter().cloned());
    }
}

/// What the server holds, as a reader of SCIM sees it.
fn seen(idp: &Idp<'_>) -> Picture {
    let mut picture = Picture::default();
    let mut names = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for user in walk(idp, "Users") {
        names.insert(text(&user["id"]), text(&user["userName"]));
        let email = text(&user["emails"][0]["value"]);
        let portrait = Portrait {
            active: user["active"] == true,
            display_name: text(&user["displayName"]),
            email,
        };
        picture.users.insert(text(&user["userName"]), portrait);
    }
    for group in walk(idp, "Groups") {
        let members = member_ids(&group)
            .into_iter()
            .map(|id| names[&id].clone())
            .collect();
        picture.groups.insert(text(&group["displayName"]), members);
    }
    picture
}

#[track_caller]
fn clean(what: &str, report: &Report) {
    assert!(
        report.is_clean(),
        "{what}: {report}: {:?}",
        report
            .failures
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    );
}

fn tell(database: &TestDatabase, provider: impl Fn(&str, &str) -> Provider) {
    let world = World::new(database);
    let idp = Idp::new(&world);
    let mut provider = provider(&idp.url(), &idp.token);
    let size = Size {
        people: 30,
        groups: 6,
        seed: 7,
        domain: "example.org".into(),
    };
    let mut organization = Organization::found(&size);
    clean("test", &world.run(provider.test()));
    for round in 0..4 {
        let report = world.run(provider.synchronize(&organization, &quietly));
        clean(&format!("round {round}"), &report);
        let differences = provider.picture().differences(&seen(&idp));
        assert!(
            differences.is_empty(),
            "round {round} of {}: {differences:#?}",
            provider.name()
        );
        for _ in 0..8 {
            organization.next_event();
        }
    }
    let before = walk(&idp, "Users");
    clean(
        "again",
        &world.run(provider.synchronize(&organization, &quietly)),
    );
    clean(
        "nothing new",
        &world.run(provider.synchronize(&organization, &quietly)),
    );
    assert_eq!(
        provider.picture().differences(&seen(&idp)),
        Vec::<String>::new()
    );
    assert!(before.len() >= 30);
}

#[test]
fn okta_with_a_template_app() {
    on_each_database(|database| {
        tell(database, |url, token| {
            Provider::Okta(Okta::new(url, token, AppKind::Template).unwrap())
        })
    });
}

#[test]
fn okta_with_a_wizard_app() {
    on_each_database(|database| {
        tell(database, |url, token| {
            Provider::Okta(Okta::new(url, token, AppKind::Wizard).unwrap())
        })
    });
}

#[test]
fn entra_in_its_old_dialect() {
    on_each_database(|database| {
        tell(database, |url, token| {
            Provider::Entra(Entra::new(url, token, PatchDialect::Classic).unwrap())
        })
    });
}

#[test]
fn entra_in_its_new_dialect() {
    on_each_database(|database| {
        tell(database, |url, token| {
            Provider::Entra(Entra::new(url, token, PatchDialect::Flagged).unwrap())
        })
    });
}

#[test]
fn okta_imports_what_it_pushed() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let mut okta = Okta::new(&idp.url(), &idp.token, AppKind::Template).unwrap();
        let organization = Organization::found(&Size {
            people: 40,
            groups: 5,
            seed: 3,
            domain: "example.org".into(),
        });
        clean(
            "push",
            &world.run(okta.synchronize(&organization, &quietly)),
        );
        clean("import", &world.run(okta.import_and_compare(&quietly)));
    });
}
