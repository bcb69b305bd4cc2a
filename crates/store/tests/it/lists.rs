//! Lists that are sorted and walked: what the database orders and what is sorted in memory are one order.

use directory::{ConnectorId, ConnectorSettings, DirectoryId, Preset, Rules};
use emulate::databases::{TestDatabase, on_each_database};
use scim::{Dialect, Resource, ResourceType, SearchRequest};
use serde_json::{Value, json};
use store::probe::RawRead;
use store::{
    ListError, ListPart, ListRequest, Listed, Page, Position, Scope, Store, StoreError, Window,
};

use crate::support::open;

fn connector(store: &Store) -> ConnectorId {
    let made = store.write_blocking(Scope::Settings, |tx| {
        let directory = tx.insert_directory("main")?;
        let (rules, settings) = (Rules::default(), ConnectorSettings::default());
        let connector = tx.insert_connector(
            "idp",
            Preset::Generic,
            directory.id,
            &rules,
            &settings,
            ("admin", ""),
        )?;
        Ok::<_, StoreError>(connector.connector.id)
    });
    made.unwrap()
}

fn insert(store: &Store, connector: ConnectorId, bodies: Vec<Value>) {
    let users: Vec<Resource> = bodies
        .into_iter()
        .map(|body| {
            let map = body.as_object().unwrap().clone();
            Resource::from_request(ResourceType::user(), map, &Dialect::generic())
                .unwrap()
                .0
        })
        .collect();
    let inserted = store.write_blocking(Scope::Directory(DirectoryId(1)), move |tx| {
        for user in &users {
            tx.insert_source_user(connector, user)?;
        }
        Ok::<_, StoreError>(())
    });
    inserted.unwrap();
}

fn page(
    store: &Store,
    connector: ConnectorId,
    query: &[(&str, &str)],
    window: Window<'_>,
) -> Result<(Page, Vec<Position>), ListError> {
    let ty = ResourceType::user();
    let query = SearchRequest::from_query(query.iter().copied())
        .resolve(ty)
        .unwrap();
    let part = ListPart {
        listed: Listed::Users,
        ty,
        filter: query.filter.as_ref(),
        sort: query.sort.as_ref(),
    };
    let request = ListRequest {
        parts: &[part],
        window,
        with_total: true,
    };
    store.read_blocking(|tx| {
        let page = tx.list_source(connector, &request)?;
        let positions: Result<_, StoreError> = page
            .items
            .iter()
            .map(|item| tx.position(connector, &part, item))
            .collect();
        Ok((page, positions?))
    })
}

#[test]
fn a_walk_by_any_column_is_in_the_order_of_positions() {
    on_each_database(|database| {
        let store = open(database);
        let connector = connector(&store);
        let people = (0..30_usize).map(|number| {
            let mut body = json!({"userName": format!("{}{number}", ["B", "a", "É"][number % 3])});
            if !number.is_multiple_of(3) {
                body["displayName"] = json!(["x", "X", "y"][number % 3]);
            }
            if number.is_multiple_of(4) {
                body["externalId"] = json!(["b", "B"][number / 4 % 2]);
                body["title"] = json!("t");
            }
            body
        });
        insert(&store, connector, people.collect());
        for by in [
            "id",
            "userName",
            "externalId",
            "displayName",
            "meta.created",
            "meta.lastModified",
            "title",
        ] {
            for order in ["ascending", "descending"] {
                for backwards in [false, true] {
                    let query = [("sortBy", by), ("sortOrder", order)];
                    let mut seen: Vec<Position> = Vec::new();
                    loop {
                        let window = Window::Cursor {
                            from: seen.last(),
                            backwards,
                            count: 4,
                        };
                        let (page, mut positions) =
                            page(&store, connector, &query, window).unwrap();
                        assert_eq!(page.total, Some(30));
                        if backwards {
                            positions.reverse();
                        }
                        seen.extend(positions);
                        if !page.more {
                            break;
                        }
                    }
                    let mut expected = seen.clone();
                    expected.sort();
                    if (order == "descending") != backwards {
                        expected.reverse();
                    }
                    assert_eq!(seen.len(), 30);
                    assert_eq!(seen, expected, "{by} {order} {backwards}");
                }
            }
        }
    });
}

#[test]
fn what_is_too_much_to_sort_is_refused_unless_an_index_has_its_order() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open(&database);
    let connector = connector(&store);
    let long = "\u{10FFFD}".repeat(4_000);
    let people = (0..2_200_usize).map(|number| {
        json!({"userName": format!("u{number}"), "title": format!("{long}{number}"), "active": number < 9})
    });
    insert(&store, connector, people.collect());
    let window = Window::Index {
        skip: 0,
        count: 2,
        hint: None,
    };
    let by = |query: &[(&str, &str)]| page(&store, connector, query, window);
    let refused = by(&[("sortBy", "title")]).unwrap_err();
    assert!(matches!(refused, ListError::TooMany), "{refused}");
    assert_eq!(by(&[("sortBy", "userName")]).unwrap().0.total, Some(2_200));
    let narrowed = by(&[("sortBy", "title"), ("filter", "active eq true")])
        .unwrap()
        .0;
    assert_eq!((narrowed.total, narrowed.items.len()), (Some(9), 2));
}

#[test]
fn sorted_pages_are_read_from_their_index() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open(&database);
    for (column, index) in [
        ("id", "source_user_id"),
        ("user_name_fold", "source_user_user_name"),
        ("external_id", "source_user_external_id"),
        ("display_name_fold", "source_user_display_name"),
        ("created", "source_user_created"),
        ("modified", "source_user_modified"),
    ] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT u.pk, u.document FROM source_user u WHERE u.connector_pk = 1 \
             AND u.{column} IS NOT NULL AND u.{column} <= 7 AND (u.{column} < 7 OR u.pk < 9) \
             ORDER BY u.{column} DESC, u.pk DESC LIMIT 10"
        );
        let steps: Result<Vec<String>, StoreError> =
            store.read_blocking(|tx| tx.raw_query(&sql, Vec::new(), |row| row.text(3)));
        let steps = steps.unwrap();
        assert!(steps[0].contains(index), "{column}: {steps:?}");
        assert!(
            !steps.iter().any(|step| step.contains("TEMP B-TREE")),
            "{steps:?}"
        );
    }
}
