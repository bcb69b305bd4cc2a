//! A filter finds the same resources whether the indexes help or not.

use std::collections::BTreeSet;

use directory::{ConnectorId, SourceGroupPk, SourceUserPk};
use emulate::databases::on_each_database;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use scim::filter::Record;
use scim::{AttrRef, Dialect, Facts, Filter, Meta, Node, Resource, ResourceType};
use serde_json::{Value, json};
use store::probe::RawRead;
use store::{FilterPlan, Listed, ReadTx, Scope, Store, StoreError, args};

use crate::support::open;

/// Texts that are near each other: other case, other composition, prefixes, wildcards, quotes.
const WORDS: [&str; 14] = [
    "a",
    "A",
    "ab",
    "aB%",
    "a_",
    "Ångström",
    "A\u{30A}ngstro\u{308}m",
    "\u{212A}evin",
    "kevin",
    "ｋevin",
    "straße",
    "a\u{10FFFD}",
    "it's \\ \u{1F642}",
    "zz",
];

#[test]
fn users_are_found_alike() {
    on_each_database(|database| {
        let store = open(database);
        let connector = connector_with_people(&store, "first");
        // People of another connector with the same names are never found.
        connector_with_people(&store, "second");
        let everybody = users(&store, connector);
        let ids = everybody.iter().map(|user| user.id.clone()).collect();
        all_are_found_alike(&store, Listed::Users, connector, &everybody, ids);
    });
}

#[test]
fn groups_are_found_alike() {
    on_each_database(|database| {
        let store = open(database);
        let connector = connector_with_people(&store, "first");
        connector_with_people(&store, "second");
        let all = groups(&store, connector);
        let mut ids: Vec<String> = users(&store, connector)
            .into_iter()
            .map(|user| user.id)
            .collect();
        ids.extend(all.iter().map(|group| group.id.clone()));
        ids.push("not-there-yet".to_owned());
        all_are_found_alike(&store, Listed::Groups, connector, &all, ids);
    });
}

fn all_are_found_alike(
    store: &Store,
    listed: Listed,
    connector: ConnectorId,
    all: &[Known],
    ids: Vec<String>,
) {
    let times = all.iter().map(|known| known.meta.created).collect();
    let mut runner = TestRunner::new(Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    });
    let ty = type_of(listed);
    let outcome = runner.run(&filters(listed, ids, times), |text| {
        let Ok(node) = Filter::parse(&text).and_then(|filter| filter.resolve(ty)) else {
            // Such as an order of truth values.
            return Ok(());
        };
        let expected: BTreeSet<i64> = all
            .iter()
            .filter(|known| node.matches(*known))
            .map(|known| known.pk)
            .collect();
        let plan = FilterPlan::of(listed, connector, &node);
        prop_assert_eq!(
            found(store, listed, connector, all, &plan),
            expected,
            "{:?}",
            plan
        );
        Ok(())
    });
    outcome.unwrap();
}

/// What the plan's statement and then its residual let through.
fn found(
    store: &Store,
    listed: Listed,
    connector: ConnectorId,
    all: &[Known],
    plan: &FilterPlan,
) -> BTreeSet<i64> {
    let around = match listed {
        Listed::Users => "SELECT u.pk FROM source_user u WHERE u.connector_pk = ",
        Listed::Groups => "SELECT g.pk FROM source_group g WHERE g.connector_pk = ",
    };
    let sql = store::Sql::new(around)
        .bind(connector)
        .then(" AND (")
        .and_then(plan.sql.clone())
        .then(")");
    let candidates = store
        .read_blocking(|tx| tx.raw_query(&sql.text(), sql.args().to_vec(), |row| row.int(0)))
        .map_err(|error: StoreError| error)
        .unwrap();
    let known = |pk: &i64| all.iter().find(|known| known.pk == *pk).unwrap();
    let passes = |pk: &i64| {
        plan.residual
            .as_ref()
            .is_none_or(|residual: &Node| residual.matches(known(pk)))
    };
    candidates.into_iter().filter(passes).collect()
}

/// A stored resource with the lists that are kept beside its document.
struct Known {
    pk: i64,
    id: String,
    ty: &'static ResourceType,
    meta: Meta,
    resource: Resource,
    related: Vec<Value>,
}

impl Facts for Known {
    fn any(&self, attr: &AttrRef, test: &mut dyn FnMut(&Value) -> bool) -> bool {
        if ["groups", "members"].contains(&attr.attr()) {
            return self.related.iter().any(|element| match attr.sub() {
                Some(sub) => element.get(sub).is_some_and(&mut *test),
                None => test(element),
            });
        }
        let record = Record {
            ty: self.ty,
            id: &self.id,
            resource: &self.resource,
            meta: &self.meta,
        };
        record.any(attr, test)
    }
}

fn type_of(listed: Listed) -> &'static ResourceType {
    match listed {
        Listed::Users => ResourceType::user(),
        Listed::Groups => ResourceType::group(),
    }
}

fn pks(
    tx: &ReadTx<'_>,
    sql: &str,
    connector: ConnectorId,
) -> Result<Vec<(i64, String)>, StoreError> {
    tx.raw_query(sql, args![connector], |row| Ok((row.int(0)?, row.text(1)?)))
}

fn users(store: &Store, connector: ConnectorId) -> Vec<Known> {
    let read = |tx: &mut ReadTx<'_>| {
        let mut all = Vec::new();
        for (pk, id) in pks(
            tx,
            "SELECT pk, id FROM source_user WHERE connector_pk = $1",
            connector,
        )? {
            let user = tx.source_user(connector, &id)?.unwrap();
            let groups = tx.source_groups_of(connector, SourceUserPk(pk))?;
            let related = groups
                .iter()
                .map(|group| json!({"value": group.id, "display": group.display}))
                .collect();
            let resource = Resource::parse_stored(&user.document).unwrap();
            all.push(Known {
                pk,
                id,
                ty: ResourceType::user(),
                meta: user.meta,
                resource,
                related,
            });
        }
        Ok::<_, StoreError>(all)
    };
    store.read_blocking(read).unwrap()
}

fn groups(store: &Store, connector: ConnectorId) -> Vec<Known> {
    let read = |tx: &mut ReadTx<'_>| {
        let mut all = Vec::new();
        for (pk, id) in pks(
            tx,
            "SELECT pk, id FROM source_group WHERE connector_pk = $1",
            connector,
        )? {
            let group = tx.source_group(connector, &id)?.unwrap();
            let mut related = Vec::new();
            tx.source_members(SourceGroupPk(pk), &mut |member| {
                related.push(json!({"value": member.value}));
                Ok(())
            })?;
            let resource = Resource::parse_stored(&group.document).unwrap();
            all.push(Known {
                pk,
                id,
                ty: ResourceType::group(),
                meta: group.meta,
                resource,
                related,
            });
        }
        Ok::<_, StoreError>(all)
    };
    store.read_blocking(read).unwrap()
}

/// A connector with users and groups whose attributes are near each other, and some are missing.
fn connector_with_people(store: &Store, name: &'static str) -> ConnectorId {
    let connector = store
        .write_blocking(Scope::Settings, move |tx| {
            let directory = tx.insert_directory(name)?;
            let connector = tx.insert_connector(
                name,
                directory::Preset::Generic,
                directory.id,
                &directory::Rules::default(),
                &directory::ConnectorSettings::default(),
                ("admin", ""),
            )?;
            Ok::<_, StoreError>(connector.connector.id)
        })
        .unwrap();
    let folds: BTreeSet<String> = WORDS.iter().map(|word| scim::fold(word)).collect();
    let scope = Scope::Directory(directory::DirectoryId(1));
    let mut ids = Vec::new();
    for number in 0..folds.len() * 3 {
        let insert =
            move |tx: &mut store::WriteTx<'_>| tx.insert_source_user(connector, &person(number));
        ids.push(
            store
                .write_blocking(scope, insert)
                .map_err(|error: StoreError| error)
                .unwrap()
                .id,
        );
    }
    for (number, word) in folds.into_iter().enumerate() {
        let mut members: Vec<String> = ids
            .iter()
            .skip(number)
            .step_by(number + 2)
            .cloned()
            .collect();
        if number.is_multiple_of(3) {
            members.push("not-there-yet".to_owned());
        }
        let insert = move |tx: &mut store::WriteTx<'_>| {
            let mut body = json!({"displayName": word});
            if number.is_multiple_of(2) {
                body["externalId"] = json!(WORDS[number % WORDS.len()]);
            }
            let group =
                tx.insert_source_group(connector, &resource(ResourceType::group(), body))?;
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            tx.add_source_members(connector, group.pk, &members, &mut Default::default())?;
            Ok(group.id)
        };
        ids.push(
            store
                .write_blocking(scope, insert)
                .map_err(|error: StoreError| error)
                .unwrap(),
        );
    }
    connector
}

fn person(number: usize) -> Resource {
    let word = |offset: usize| WORDS[(number * 5 + offset) % WORDS.len()];
    let folds: Vec<String> = WORDS
        .iter()
        .map(|word| scim::fold(word))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    // Three users for each name that folds differently.
    let own = format!(
        "{}{}",
        folds[number % folds.len()],
        ["", ".b", ".x"][number / folds.len() % 3]
    );
    let mut body = json!({"userName": own, "title": word(1)});
    if !number.is_multiple_of(3) {
        body["displayName"] = json!(word(2));
    }
    if !number.is_multiple_of(4) {
        body["externalId"] = json!(word(3));
    }
    if !number.is_multiple_of(5) {
        body["active"] = json!(number.is_multiple_of(2));
    }
    if !number.is_multiple_of(7) {
        body["emails"] = json!([{"value": word(4), "type": "work", "primary": true}, {"value": word(5), "type": "home"}]);
    }
    resource(ResourceType::user(), body)
}

fn resource(ty: &ResourceType, body: Value) -> Resource {
    let Value::Object(map) = body else {
        panic!("no object")
    };
    Resource::from_request(ty, map, &Dialect::generic())
        .unwrap()
        .0
}

/// Filters, as a client writes them.
fn filters(listed: Listed, ids: Vec<String>, times: Vec<jiff::Timestamp>) -> BoxedStrategy<String> {
    let op = || {
        select(vec![
            "eq", "eq", "eq", "ne", "sw", "co", "ew", "gt", "ge", "lt", "le",
        ])
    };
    let word = || select(WORDS.to_vec()).prop_map(|word| Value::from(word).to_string());
    let id = || select(ids.clone()).prop_map(|id| Value::from(id).to_string());
    let texts = match listed {
        Listed::Users => vec![
            "userName",
            "displayName",
            "externalId",
            "emails",
            "emails.value",
            "title",
            "emails.type",
        ],
        Listed::Groups => vec!["displayName", "externalId"],
    };
    let keys = match listed {
        Listed::Users => vec!["id", "groups", "groups.value"],
        Listed::Groups => vec!["id", "members", "members.value"],
    };
    let element = match listed {
        Listed::Users => "emails",
        Listed::Groups => "members",
    };
    let text = (select(texts.clone()), op(), word())
        .prop_map(|(attr, op, value)| format!("{attr} {op} {value}"));
    let key = (select(keys.clone()), op(), id())
        .prop_map(|(attr, op, value)| format!("{attr} {op} {value}"));
    let present = select([texts, keys].concat()).prop_map(|attr| format!("{attr} pr"));
    let active = (select(vec!["eq", "ne"]), any::<bool>())
        .prop_map(|(op, value)| format!("active {op} {value}"));
    let time = (
        select(vec!["meta.created", "meta.lastModified"]),
        op(),
        select(times),
        -1_001..1_002_i64,
    )
        .prop_map(|(attr, op, time, nanoseconds)| {
            let near = time + jiff::SignedDuration::from_nanos(nanoseconds);
            format!("{attr} {op} \"{near}\"")
        });
    let inner = prop_oneof![
        (op(), word()).prop_map(|(op, value)| format!("value {op} {value}")),
        (op(), id()).prop_map(|(op, value)| format!("value {op} {value}")),
        select(vec!["work", "home"]).prop_map(|kind| format!("type eq \"{kind}\"")),
    ];
    let inner = inner.prop_recursive(2, 4, 2, |inner| {
        (inner.clone(), select(vec!["and", "or"]), inner)
            .prop_map(|(a, word, b)| format!("({a} {word} {b})"))
    });
    let bracket = inner.prop_map(move |inner| format!("{element}[{inner}]"));
    let leaf = prop_oneof![4 => text, 2 => key, 1 => present, 1 => active, 1 => time, 2 => bracket];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(|terms| format!("({})", terms.join(" and "))),
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(|terms| format!("({})", terms.join(" or "))),
            inner.prop_map(|term| format!("not ({term})")),
        ]
    })
    .boxed()
}
