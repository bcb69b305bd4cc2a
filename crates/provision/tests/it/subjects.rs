//! Reading many subjects together gives what reading them one by one does.

use directory::{Rules, SourceUserPk};
use emulate::databases::on_each_database;
use serde_json::json;
use store::{StoreError, SubjectReader};

use crate::world::World;

#[test]
fn subjects_read_together_are_those_read_one_by_one() {
    on_each_database(|database| {
        let rules = json!({
            "mapping": [{"target": "attr:title", "source": {"attribute": "title"}}],
            "groups": {"always_assign": ["Everybody"]},
        });
        let rules: Rules = serde_json::from_value(rules).unwrap();
        let world = World::new(database, rules);
        let users: Vec<String> = (0..7)
            .map(|n| {
                let title = format!("Title {n}");
                world
                    .try_user(json!({"userName": format!("user{n}"), "title": title}))
                    .unwrap()
            })
            .collect();
        let inner = world.group("Inner", &[&users[0], &users[1]]);
        let middle = world.group("middle", &[&inner, &users[1], &users[2]]);
        let outer = world.group("Outer", &[&middle]);
        world.group("beside", &[&users[3], &inner]);
        world.add(&inner, &outer);
        world.delete_user(&users[5]);
        world.set_active(&users[6], false);
        world.work_off();

        let id = world.connector.connector.id;
        let store = world.provision.store();
        store
            .read_blocking(|tx| {
                let mut reader = SubjectReader::new(tx, id);
                let mut together = Vec::new();
                loop {
                    let last = together.last();
                    let last = last.map_or(SourceUserPk(0), |it: &store::StoredSubject| it.user.pk);
                    match reader.after(last, 3)? {
                        piece if piece.is_empty() => break,
                        piece => together.extend(piece),
                    }
                }
                assert_eq!(together.len(), 6);
                let mut pks: Vec<SourceUserPk> = together.iter().map(|it| it.user.pk).collect();
                pks.reverse();
                pks.push(SourceUserPk(1_000_000));
                let mut named = SubjectReader::new(tx, id).these(&pks)?;
                named.reverse();
                assert_eq!(named.len(), 6);
                for (subject, named) in together.iter().zip(&named) {
                    let pk = subject.user.pk;
                    let alone = tx.source_user_by_pk(id, pk)?.unwrap();
                    assert_eq!(subject.user.document, alone.document);
                    assert_eq!(subject.groups, tx.effective_source_groups(pk)?);
                    assert_eq!(subject.groups, named.groups);
                    let account = tx.account_of_source(pk)?.unwrap();
                    let found = subject.account.as_ref().unwrap();
                    assert_eq!(found.user, account.user);
                    assert_eq!(found.account, account.account);
                    assert_eq!(found.source, Some(pk));
                    assert_eq!(named.user.id, subject.user.id);
                    assert_eq!(found.account.attributes.extra.len(), 1);
                }
                assert!(together.iter().any(|it| it.groups.len() == 4));
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}
