//! Whatever an identity provider sends, the product sees: people, changes and groups, in every dialect, on both engines.

use std::cell::Cell;

use emulate::databases::on_each_database;
use emulate::entra::{Entra, Matching, PatchDialect};
use emulate::okta::{AppKind, Okta};
use emulate::provider::Provider;
use emulate::report::quietly;

use crate::house::{Connector, House, clean, follows, organization, tell};

#[test]
fn a_template_app_of_okta_is_followed() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("okta");
        let okta = Okta::new(&connector.url, &connector.token, AppKind::Template).unwrap();
        tell(is_followed(
            &house,
            &connector,
            Provider::Okta(okta.with_concurrency(4)),
            1,
        ));
    });
}

#[test]
fn a_wizard_app_of_okta_is_followed() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("okta");
        let okta = Okta::new(&connector.url, &connector.token, AppKind::Wizard).unwrap();
        tell(is_followed(
            &house,
            &connector,
            Provider::Okta(okta.with_concurrency(4)),
            2,
        ));
    });
}

#[test]
fn entra_is_followed() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("entra");
        let entra = Entra::new(&connector.url, &connector.token, PatchDialect::Classic).unwrap();
        tell(is_followed(&house, &connector, Provider::Entra(entra), 3));
    });
}

#[test]
fn entra_with_its_flag_is_followed() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("entra");
        let entra = Entra::new(&connector.url, &connector.token, PatchDialect::Flagged).unwrap();
        let entra = entra
            .with_matching(Matching::ExternalId)
            .with_members_per_request(10);
        tell(is_followed(&house, &connector, Provider::Entra(entra), 4));
    });
}

/// Everybody, then months of changes; after each step Jira sees it, by events alone.
async fn is_followed(house: &House, connector: &Connector, mut provider: Provider, seed: u64) {
    let mut jira = house.jira("jira", connector, "read-only");
    let mut organization = organization(40, 12, seed);
    clean(&provider.test().await);
    jira.test_connection().await.unwrap();

    clean(&provider.synchronize(&organization, &quietly).await);
    let first = house.sees(&mut jira, connector, &provider.picture()).await;
    assert!(first.full);
    follows(&jira.picture(), &organization);

    for _ in 0..12 {
        for _ in 0..4 {
            organization.next_event();
        }
        clean(&provider.synchronize(&organization, &quietly).await);
        let later = house.sees(&mut jira, connector, &provider.picture()).await;
        assert!(!later.full, "events must do: {later:?}");
        follows(&jira.picture(), &organization);
    }
    let idle = provider.synchronize(&organization, &quietly).await;
    clean(&idle);
    let last = house.sees(&mut jira, connector, &provider.picture()).await;
    assert_eq!(last.events, 0, "nothing was sent");
    let by_events = jira.picture();
    jira.synchronize_fully(&quietly).await.unwrap();
    assert_eq!(
        by_events.differences(&jira.picture()),
        Vec::<String>::new(),
        "events tell the whole truth"
    );
    if let Provider::Okta(okta) = &provider {
        clean(&okta.import_and_compare(&quietly).await);
    }
}

#[test]
fn a_user_whom_entra_deletes_is_disabled_and_can_come_again() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("entra");
        tell(async {
            let mut jira = house.jira("jira", &connector, "read-only");
            let job =
                || Entra::new(&connector.url, &connector.token, PatchDialect::Classic).unwrap();
            let mut entra = job();
            let mut organization = organization(5, 4, 7);
            let again = organization.clone();
            clean(&entra.cycle(&organization, &quietly).await);
            let person = organization.people()[0].clone();
            organization.leave(person.id);
            clean(&entra.cycle(&organization, &quietly).await);
            house.sees(&mut jira, &connector, &entra.picture()).await;
            assert_eq!(jira.is_active(&person.login), Some(false));

            organization.purge(person.id);
            let report = entra.cycle(&organization, &quietly).await;
            clean(&report);
            assert_eq!(report.count("users deleted"), 1);
            house.settle(&connector);
            jira.synchronize(&quietly).await.unwrap();
            assert_eq!(jira.is_active(&person.login), Some(false));

            let mut entra = job();
            let report = entra.cycle(&again, &quietly).await;
            clean(&report);
            assert_eq!(report.count("users created"), 1);
            house.sees(&mut jira, &connector, &entra.picture()).await;
            follows(&jira.picture(), &again);
        });
    });
}

#[test]
fn okta_links_a_group_that_is_there_and_its_members_stay() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("okta");
        tell(async {
            let mut jira = house.jira("jira", &connector, "read-only");
            let organization = organization(12, 6, 9);
            let mut first = Okta::new(&connector.url, &connector.token, AppKind::Template).unwrap();
            clean(&first.synchronize(&organization, &quietly).await);
            let group = organization
                .groups()
                .find(|group| group.members.len() > 1)
                .unwrap();
            let remote = first.remote_group(group.id).unwrap().to_owned();

            // The same app, set up again: it knows nothing, finds everybody, and links.
            let mut second =
                Okta::new(&connector.url, &connector.token, AppKind::Template).unwrap();
            let person = *group.members.iter().next().unwrap();
            clean(&second.synchronize_person(&organization, person).await);
            clean(&second.link_group(&organization, group.id, &remote).await);
            house.sees(&mut jira, &connector, &first.picture()).await;

            clean(&second.push_now(&organization, group.id).await);
            house.settle(&connector);
            jira.synchronize(&quietly).await.unwrap();
            let login = organization.person(person).unwrap().login.clone();
            assert_eq!(
                jira.members_of(&group.name),
                Some([login].into()),
                "a full push replaces all"
            );

            clean(&second.unlink_group(group.id, true).await);
            house.settle(&connector);
            jira.synchronize(&quietly).await.unwrap();
            assert_eq!(
                jira.members_of(&group.name),
                Some([].into()),
                "it stays, without people"
            );
        });
    });
}

#[test]
fn provisioning_on_demand_works_before_and_between_cycles() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("entra");
        tell(async {
            let mut jira = house.jira("jira", &connector, "read-only");
            let mut entra =
                Entra::new(&connector.url, &connector.token, PatchDialect::Flagged).unwrap();
            let organization = organization(8, 4, 11);
            let person = organization.people()[2].id;
            clean(&entra.provision_on_demand(&organization, person).await);
            let group = organization.groups_of(person).next().unwrap().id;
            clean(&entra.provision_group_on_demand(&organization, group).await);
            house.sees(&mut jira, &connector, &entra.picture()).await;
            clean(&entra.cycle(&organization, &quietly).await);
            house.sees(&mut jira, &connector, &entra.picture()).await;
            follows(&jira.picture(), &organization);
        });
    });
}

#[test]
fn products_that_ask_in_the_middle_of_a_load_get_answers_that_hold() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("entra");
        tell(async {
            let mut by_events = house.jira("jira", &connector, "read-only");
            let mut anew = house.jira("confluence", &connector, "read-only");
            let mut organization = organization(24, 6, 13);
            let entra =
                Entra::new(&connector.url, &connector.token, PatchDialect::Classic).unwrap();
            let mut entra = entra.with_concurrency(8);
            for _ in 0..2 {
                let loading = Cell::new(true);
                let load = async {
                    clean(&entra.cycle(&organization, &quietly).await);
                    loading.set(false);
                };
                let asking = async {
                    while loading.get() {
                        by_events.synchronize(&quietly).await.unwrap();
                        // Its three lists come one after the other and may differ; each holds in itself.
                        anew.synchronize_fully(&quietly).await.unwrap();
                    }
                };
                tokio::join!(load, asking);
                let done = house
                    .sees(&mut by_events, &connector, &entra.picture())
                    .await;
                assert!(!done.full, "{done:?}");
                house.sees(&mut anew, &connector, &entra.picture()).await;
                for _ in 0..30 {
                    organization.next_event();
                }
            }
        });
    });
}
