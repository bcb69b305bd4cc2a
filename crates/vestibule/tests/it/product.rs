//! A product that writes: local groups live beside those of the identity provider, and who may not write is told so.

use emulate::databases::on_each_database;
use emulate::jira::{JiraError, Login};
use emulate::okta::{AppKind, Okta};
use emulate::organization::Event;
use emulate::report::quietly;

use crate::house::{House, clean, organization, tell};

#[test]
fn local_groups_of_a_product_outlive_every_synchronisation() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("okta");
        tell(async {
            let mut writer = house.jira("jira", &connector, "read-write");
            let mut other = house.jira("confluence", &connector, "read-only");
            let mut okta = Okta::new(&connector.url, &connector.token, AppKind::Template).unwrap();
            let mut organization = organization(10, 4, 31);
            clean(&okta.synchronize(&organization, &quietly).await);
            for jira in [&mut writer, &mut other] {
                house.sees(jira, &connector, &okta.picture()).await;
            }
            let login = organization.people()[0].login.clone();
            writer
                .create_group("local & \"own\" <team>", "made in Jira")
                .await
                .unwrap();
            writer
                .add_member("LOCAL & \"own\" <team>", &login.to_uppercase())
                .await
                .unwrap();
            writer
                .set_attributes(&login, &[("lastAuthenticated", &["1717236000000"])])
                .await
                .unwrap();
            assert!(
                writer
                    .is_member("local & \"own\" <team>", &login)
                    .await
                    .unwrap()
            );

            let mut wanted = okta.picture();
            wanted
                .groups
                .insert("local & \"own\" <team>".to_owned(), [login.clone()].into());
            for jira in [&mut writer, &mut other] {
                assert!(!house.sees(jira, &connector, &wanted).await.full);
            }
            // The one in the local group is renamed and moves about: the local membership stays.
            let id = organization.people()[0].id;
            assert!(matches!(
                organization.rename_person(id),
                Some(Event::Renamed { .. })
            ));
            organization.move_person(id);
            clean(&okta.synchronize(&organization, &quietly).await);
            let renamed = organization.people()[0].login.clone();
            let mut wanted = okta.picture();
            wanted.groups.insert(
                "local & \"own\" <team>".to_owned(),
                [renamed.clone()].into(),
            );
            for jira in [&mut writer, &mut other] {
                house.sees(jira, &connector, &wanted).await;
            }
            writer
                .remove_member("local & \"own\" <team>", &renamed)
                .await
                .unwrap();
            writer.delete_group("local & \"own\" <team>").await.unwrap();
            for jira in [&mut writer, &mut other] {
                house.sees(jira, &connector, &okta.picture()).await;
            }
        });
    });
}

#[test]
fn who_may_only_read_cannot_write_and_nobody_logs_in_without_a_password() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("okta");
        tell(async {
            let mut jira = house.jira("jira", &connector, "read-only");
            let mut okta = Okta::new(&connector.url, &connector.token, AppKind::Wizard).unwrap();
            let organization = organization(3, 2, 32);
            clean(&okta.synchronize(&organization, &quietly).await);
            house.sees(&mut jira, &connector, &okta.picture()).await;
            let refused = jira.create_group("x", "").await.unwrap_err();
            assert!(matches!(refused, JiraError::Permission(_)), "{refused}");
            let login = &organization.people()[0].login;
            for (name, password) in [(login.as_str(), ""), (login, "guess"), ("nobody", "guess")] {
                let denied = jira.log_in(name, password).await.unwrap();
                assert!(matches!(denied, Login::Denied(_)), "{denied:?}");
            }
            let stranger = emulate::jira::Jira::new(&house.crowd_url(), "jira", "wrong").unwrap();
            let refused = stranger.test_connection().await.unwrap_err();
            assert!(matches!(refused, JiraError::Credentials(_)), "{refused}");
        });
    });
}
