//! No statement of this crate reads a whole table that can be large.

use std::collections::BTreeSet;
use std::path::Path;

use directory::ConnectorId;
use emulate::databases::TestDatabase;
use store::probe::{RawRead, statement_of};
use store::{Arg, RequestQuery, Store, StoreError};

use crate::support::open;

/// Tables that grow with the people in them.
const LARGE: [&str; 23] = [
    "source_user",
    "source_email",
    "source_password",
    "source_group",
    "source_member",
    "source_group_member",
    "pending_reference",
    "due",
    "directory_user",
    "directory_group",
    "group_binding",
    "membership",
    "user_attribute",
    "group_attribute",
    "name_conflict",
    "journal",
    "group_nesting",
    "due_nesting",
    "sso_session",
    "user_password",
    "unique_value",
    "scim_request",
    "access_token",
];

/// What stands for a list of values: so many that the engine would rather go by something else.
const MANY: &str = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40";

/// Statements that go through an index from its beginning and stop at once.
const STOPS_EARLY: [&str; 1] = ["ORDER BY d.due_at LIMIT 1"];

#[test]
fn every_statement_finds_its_rows_by_an_index() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open(&database);
    let statements = statements();
    let planned: Vec<(&String, Vec<String>)> = statements
        .iter()
        .filter_map(|sql| Some((sql, plan(&store, sql)?)))
        .collect();
    assert!(
        planned.len() > 80,
        "only {} of {} statements were understood",
        planned.len(),
        statements.len()
    );
    let whole: Vec<String> = planned
        .iter()
        .filter(|(sql, _)| !STOPS_EARLY.iter().any(|end| sql.contains(end)))
        .flat_map(|(sql, steps)| {
            let scanned = steps.iter().filter(|step| scans_large(sql, step));
            scanned.map(move |step| format!("{step}\n    in {sql}"))
        })
        .collect();
    assert!(whole.is_empty(), "{}", whole.join("\n"));
}

/// The statements in the sources; what is filled in at run time becomes a number.
fn statements() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(path).unwrap();
            let is_statement = |text: &String| {
                ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "]
                    .iter()
                    .any(|verb| text.starts_with(verb))
            };
            found.extend(texts(&source).into_iter().filter(is_statement));
        }
    }
    found
}

/// The texts in quotes of a source file, lines joined and `{...}` replaced.
fn texts(source: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = source;
    while let Some((_, after)) = rest.split_once('"') {
        let mut text = String::new();
        let mut characters = after.char_indices();
        let mut end = after.len();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => drop(characters.next()),
                '{' => {
                    text.push_str(if text.ends_with("IN (") { MANY } else { "1" });
                    let _inside = characters.by_ref().find(|(_, character)| *character == '}');
                }
                '\n' => text.push(' '),
                _ => text.push(character),
            }
        }
        texts.push(text);
        rest = &after[end..];
    }
    texts
}

/// How the engine would carry out a statement; nothing if it is only a part of one, or its condition comes later.
fn plan(store: &Store, sql: &str) -> Option<Vec<String>> {
    if sql.contains(" WHERE 1 ") {
        return None;
    }
    let places = (1..=20)
        .take_while(|number| sql.contains(&format!("${number}")))
        .count();
    let explained = format!("EXPLAIN QUERY PLAN {sql}");
    let steps: Result<Vec<String>, StoreError> = store
        .read_blocking(|tx| tx.raw_query(&explained, vec![Arg::Null; places], |row| row.text(3)));
    steps.ok()
}

/// A directory or a source may be all there is: where a statement names the rows that it is about, or wants only some,
/// it must not go through all of one.
#[test]
fn no_statement_about_a_few_goes_through_a_whole_directory_or_source() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open(&database);
    let mut wide = Vec::new();
    for sql in statements() {
        let steps = plan(&store, &sql).unwrap_or_default();
        let sorts =
            sql.contains(" LIMIT ") && steps.iter().any(|step| step.contains("TEMP B-TREE"));
        let names = sql.contains(MANY) || sql.contains("pk IN (SELECT") || sql.contains("id = $");
        let through = steps.iter().filter(|step| goes_through_all(&sql, step));
        if (sorts || names) && !THROUGH_ALL.iter().any(|known| sql.contains(known)) {
            wide.extend(through.map(|step| format!("{step}\n    in {sql}")));
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}

/// Statements that are about all of a directory or source, though they look otherwise.
const THROUGH_ALL: [&str; 5] = [
    "WHERE source_group_pk IN (SELECT pk FROM source_group WHERE connector_pk",
    "DELETE FROM sso_session WHERE user_pk IN (SELECT d.pk",
    // Only the end of the index is looked at.
    "(SELECT max(j.pk) FROM journal j",
    // The index has those alone who are counted.
    "AND u.connector_pk IS NULL AND u.status",
    // What is filled in here is what an index is made of.
    "AND 1 >= $2 AND 1 < $3 ORDER BY 1",
];

/// Whether a step goes through all rows of a large table that belong to one directory or connector.
fn goes_through_all(sql: &str, step: &str) -> bool {
    let is_wide = ["(directory_pk=?)", "(connector_pk=?)"]
        .iter()
        .any(|end| step.ends_with(end));
    is_wide && scans_large(sql, &step.replacen("SEARCH ", "SCAN ", 1))
}

/// Whether a step goes through a whole large table.
fn scans_large(sql: &str, step: &str) -> bool {
    let Some(name) = step
        .strip_prefix("SCAN ")
        .and_then(|rest| rest.split(' ').next())
    else {
        return false;
    };
    let words: Vec<&str> = sql
        .split([' ', ',', '(', ')'])
        .filter(|word| !word.is_empty())
        .collect();
    let table = words
        .windows(2)
        .find(|pair| pair[1] == name && LARGE.contains(&pair[0]))
        .map_or(name, |pair| pair[0]);
    LARGE.contains(&table)
}

#[test]
fn a_request_is_found_by_what_few_have() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open(&database);
    let by_id = RequestQuery {
        request: Some("0a1b".to_owned()),
        limit: 100,
        ..RequestQuery::default()
    };
    let of_connector = RequestQuery {
        connector: Some(ConnectorId(1)),
        ..by_id.clone()
    };
    let failed = RequestQuery {
        status: Some((400, 599)),
        ..of_connector.clone()
    };
    let about = RequestQuery {
        connector: Some(ConnectorId(1)),
        resource_id: Some("2c".to_owned()),
        status: Some((200, 299)),
        limit: 1,
        ..RequestQuery::default()
    };
    let called = RequestQuery {
        resource_id: None,
        resource_name: Some("mira".to_owned()),
        ..about.clone()
    };
    let by_request = "USING INDEX scim_request_request (request=?";
    for (query, index) in [
        (by_id, by_request),
        (of_connector, by_request),
        (failed, by_request),
        (
            about,
            "scim_request_resource (connector_pk=? AND resource_id=?",
        ),
        (
            called,
            "scim_request_name (connector_pk=? AND resource_name_fold=?",
        ),
    ] {
        let sql = statement_of(&query);
        let explained = format!("EXPLAIN QUERY PLAN {}", sql.text());
        let steps: Result<Vec<String>, StoreError> = store
            .read_blocking(|tx| tx.raw_query(&explained, sql.args().to_vec(), |row| row.text(3)));
        let steps = steps.unwrap();
        let told = &steps[0];
        assert!(told.contains(index), "{query:?}: {steps:?}");
    }
}

#[test]
fn texts_are_read_as_the_compiler_reads_them() {
    let source =
        "let a = \"SELECT \\\n    1 FROM x WHERE y IN ({list})\"; let b = \"it \\\"is\\\"\";";
    assert_eq!(
        texts(source),
        [
            format!("SELECT     1 FROM x WHERE y IN ({MANY})"),
            "it is".to_owned()
        ]
    );
}
