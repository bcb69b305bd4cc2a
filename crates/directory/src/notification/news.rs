//! What a channel is still to be told: what stands, less what it was told.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, Standing};
use crate::id::ConnectorId;

/// What a channel was told of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its mark then.
    pub mark: i64,
    /// How many things it was, or fewer that are left since.
    pub count: i64,
}

/// What a channel wants to hear of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Only these; everything if none are named.
    pub events: Option<BTreeSet<Event>>,
    /// Only what is about these connectors; everything, also what is about none, if none are named.
    pub connectors: Option<Vec<ConnectorId>>,
}

impl Wants {
    /// Whether this is wanted.
    pub fn has(&self, standing: &Standing) -> bool {
        let event = self.events.as_ref();
        let is_event = event.is_none_or(|events| events.contains(&standing.event));
        let is_within = match (&self.connectors, &standing.connector) {
            (None, _) => true,
            (Some(all), Some((connector, _))) => all.contains(connector),
            (Some(_), None) => false,
        };
        is_event && is_within
    }
}

/// How what stands differs from what a channel was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What is to be told.
    pub news: Vec<Standing>,
    /// What there is less of, and is to be remembered so: when it grows again, that is told.
    pub fewer: Vec<(String, Told)>,
    /// What no longer stands, and is told anew if it comes back.
    pub ended: Vec<String>,
}

/// Compares what stands with what a channel was told.
pub fn compare(standing: &[Standing], told: &BTreeMap<String, Told>, wants: &Wants) -> Comparison {
    let mut found = Comparison::default();
    let mut keys = BTreeSet::new();
    for one in standing.iter().filter(|one| wants.has(one)) {
        let key = one.key();
        match told.get(&key) {
            None if one.count == 0 => continue,
            Some(_) if one.count == 0 => found.news.push(one.clone()),
            Some(before) if one.mark <= before.mark && one.count <= before.count => {
                if one.count < before.count {
                    let fewer = Told {
                        count: one.count,
                        ..*before
                    };
                    found.fewer.push((key.clone(), fewer));
                }
            }
            _ => found.news.push(one.clone()),
        }
        keys.insert(key);
    }
    let ended = told.keys().filter(|key| !keys.contains(*key));
    found.ended = ended.cloned().collect();
    found
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn standing(
        event: Event,
        about: &str,
        connector: Option<i64>,
        mark: i64,
        count: i64,
    ) -> Standing {
        Standing {
            event,
            about: about.to_owned(),
            connector: connector.map(|id| (ConnectorId(id), format!("c{id}"))),
            mark,
            count,
            since: Timestamp::UNIX_EPOCH,
            title: String::new(),
            detail: String::new(),
            path: String::new(),
        }
    }

    fn told_of(all: &[Standing]) -> BTreeMap<String, Told> {
        let told = |one: &Standing| {
            let told = Told {
                mark: one.mark,
                count: one.count,
            };
            (one.key(), told)
        };
        all.iter().map(told).collect()
    }

    #[test]
    fn what_grows_or_comes_back_is_told_anew_and_nothing_else() {
        let holds = |mark, count| vec![standing(Event::HoldCreated, "idp", Some(1), mark, count)];
        let all = Wants::default();
        let mut told = told_of(&holds(7, 3));
        let news =
            |now: &[Standing], told: &BTreeMap<String, Told>| compare(now, told, &all).news.len();
        assert_eq!(news(&holds(7, 3), &BTreeMap::new()), 1);
        assert_eq!(news(&holds(7, 3), &told), 0);
        assert_eq!(news(&holds(8, 3), &told), 1, "another one");
        assert_eq!(news(&holds(7, 4), &told), 1, "one more that is older");
        // Two were decided, then one came that is not the newest.
        let fewer = compare(&holds(7, 1), &told, &all);
        assert_eq!((fewer.news.len(), fewer.fewer.len()), (0, 1));
        told.extend(fewer.fewer);
        assert_eq!(news(&holds(7, 2), &told), 1);
        assert_eq!(compare(&[], &told, &all).ended, ["hold.created idp"]);
    }

    #[test]
    fn that_it_is_over_is_told_to_who_was_told_that_it_was_not() {
        let silent = |count| vec![standing(Event::ApplicationSilent, "jira", None, 7, count)];
        let all = Wants::default();
        assert_eq!(
            compare(&silent(0), &BTreeMap::new(), &all),
            Comparison::default()
        );
        let told = told_of(&silent(1));
        let over = compare(&silent(0), &told, &all);
        assert_eq!((over.news, over.ended), (silent(0), Vec::new()));
        // Who knows nothing of either hears nothing.
        assert_eq!(compare(&[], &told, &all).ended.len(), 1);
    }

    #[test]
    fn a_channel_hears_what_it_wants() {
        let silent = standing(Event::ConnectorSilent, "a", Some(1), 0, 1);
        let token = standing(Event::TokenExpired, "b", None, 0, 1);
        let wants = |events: Option<Vec<Event>>, connectors: Option<Vec<i64>>| Wants {
            events: events.map(|all| all.into_iter().collect()),
            connectors: connectors.map(|all| all.into_iter().map(ConnectorId).collect()),
        };
        for (wants, hears) in [
            (wants(None, None), (true, true)),
            (wants(Some(vec![Event::TokenExpired]), None), (false, true)),
            (wants(None, Some(vec![1])), (true, false)),
            (wants(None, Some(vec![2])), (false, false)),
            (wants(Some(Vec::new()), None), (false, false)),
        ] {
            assert_eq!((wants.has(&silent), wants.has(&token)), hears, "{wants:?}");
        }
        // What is no longer wanted is forgotten, so that it is told when it is wanted again.
        let told = told_of(&[silent.clone(), token.clone()]);
        let none = wants(Some(Vec::new()), None);
        assert_eq!(compare(&[silent, token], &told, &none).ended.len(), 2);
    }

    proptest! {
        #[test]
        fn what_was_told_is_no_news(all in prop::collection::btree_map(0_u8..9, (0_i64..4, 1_i64..4), 0..9)) {
            let all: Vec<Standing> = all
                .into_iter()
                .map(|(about, (mark, count))| {
                    standing(Event::ALL[usize::from(about)], &about.to_string(), None, mark, count)
                })
                .collect();
            let found = compare(&all, &told_of(&all), &Wants::default());
            prop_assert_eq!(found, Comparison::default());
        }
    }
}
