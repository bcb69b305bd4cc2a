//! The corpus of every target and some thousand mutations of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where its preparation fails"
)]

use std::collections::BTreeSet;

use fuzz::{Mutator, TARGETS, Target, corpus};

/// Mutations of a target; always the same.
const MUTATIONS: usize = 2_000;
/// Fewer files are no corpus.
const FILES_MIN: usize = 8;

fn replay(name: &str) {
    let target = Target::named(name).expect("a target of this name");
    let corpus = corpus::of(name).unwrap();
    assert!(corpus.len() >= FILES_MIN, "{} files", corpus.len());
    for (file, input) in &corpus {
        if let Err(wrong) = target.check(input) {
            panic!("{name}/{file}: {wrong}");
        }
    }
    let mut mutator = Mutator::new(corpus.len() as u64, target.words);
    for nth in 0..MUTATIONS {
        let input = mutator.next(&corpus);
        if let Err(wrong) = target.check(&input) {
            panic!("{name}, mutation {nth}: {wrong}\n{}", input.escape_ascii());
        }
    }
}

macro_rules! replayed {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_is_replayed_and_every_corpus_has_a_target() {
            let replayed = BTreeSet::from([$(stringify!($name).to_owned()),*]);
            let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
            assert_eq!(replayed, targets);
            let folders = std::fs::read_dir(corpus::folder("")).unwrap();
            let folders: BTreeSet<String> = folders
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            assert_eq!(folders, targets);
        }
    };
}

replayed![
    crowd_answer,
    crowd_body,
    crowd_cql,
    crowd_event_token,
    crowd_query,
    crowd_restriction,
    rules,
    scim_bulk,
    scim_filter,
    scim_headers,
    scim_json,
    scim_patch,
    scim_path,
    scim_resource,
    scim_schema,
    scim_search,
];

#[test]
fn the_same_seed_makes_the_same_input() {
    let corpus = vec![("a".to_owned(), b"emails[type eq \"work\"]".to_vec())];
    let made = |seed| {
        let mut mutator = Mutator::new(seed, &["or", "and"]);
        (0..50).map(|_| mutator.next(&corpus)).collect::<Vec<_>>()
    };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
}
