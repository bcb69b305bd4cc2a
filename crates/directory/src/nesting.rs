//! Groups in groups (PL-10): by which way somebody comes into a group, and why one group is in another.
//!
//! What identity providers and several connectors together say may be circular. Nothing here minds: a way never
//! passes a group twice, and a group that is fed by its own child is no child of itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::change::Change;
use crate::id::SourceGroupPk;
use crate::model::Origin;
use crate::rules::{Authority, CompiledRules};

/// The shortest way into each group that is reached: the groups passed on it, the innermost first; empty for a
/// direct membership. A step names a group that is reached and the group by which, none for a direct membership.
pub fn ways<G: Copy + Ord>(steps: &[(G, Option<G>)]) -> BTreeMap<G, Vec<G>> {
    let mut above: BTreeMap<G, BTreeSet<G>> = BTreeMap::new();
    let mut ways = BTreeMap::new();
    let mut next = VecDeque::new();
    for (group, by) in steps {
        match by {
            Some(by) => drop(above.entry(*by).or_default().insert(*group)),
            None => {
                if ways.insert(*group, Vec::new()).is_none() {
                    next.push_back(*group);
                }
            }
        }
    }
    next.make_contiguous().sort_unstable();
    while let Some(group) = next.pop_front() {
        let mut way = ways.get(&group).cloned().unwrap_or_default();
        way.push(group);
        for parent in above.get(&group).into_iter().flatten() {
            if !ways.contains_key(parent) {
                ways.insert(*parent, way.clone());
                next.push_back(*parent);
            }
        }
    }
    ways
}

/// What one connector knows about a group being in another.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The parent's name as the products see it.
    pub parent: &'a str,
    /// Why the child is in it so far; empty if it is not.
    pub before: &'a BTreeSet<Origin>,
    /// Source groups that feed the parent and contain a source group that feeds the child.
    pub granted: &'a BTreeSet<SourceGroupPk>,
    /// Source groups among the origins that belong to other connectors.
    pub of_others: &'a BTreeSet<SourceGroupPk>,
}

/// Why the child is in the parent from now on; empty if it is not. The authority over memberships (US-22) and
/// `never_remove` (US-18) hold for child groups as they do for users.
pub fn child_origins(place: &Place<'_>, rules: &CompiledRules) -> BTreeSet<Origin> {
    let mut origins = BTreeSet::new();
    // Whoever is in a group that was put into an administrative one would have its rights.
    let protected = rules.protects(place.parent, None).is_some();
    if rules.preserves_nesting() && !protected {
        origins.extend(place.granted.iter().copied().map(Origin::Idp));
    }
    let granted = !origins.is_empty();
    let only_adds = rules.authority == Authority::Additive || rules.never_removes(place.parent);
    if !granted && only_adds {
        return place.before.clone();
    }
    let stays = |origin: &&Origin| match origin {
        Origin::Idp(source) => place.of_others.contains(source),
        Origin::Copied => !granted && rules.authority != Authority::Strict,
        origin => {
            let stays = granted || protected || rules.authority != Authority::Strict;
            !origin.is_ours() && stays
        }
    };
    origins.extend(place.before.iter().filter(stays).cloned());
    origins
}

/// The change from one set of reasons to another; none if they are the same.
pub fn change(
    group: &str,
    child: &str,
    before: &BTreeSet<Origin>,
    after: &BTreeSet<Origin>,
) -> Option<Change> {
    let (group, child) = (group.to_owned(), child.to_owned());
    match (before.is_empty(), after.is_empty()) {
        _ if before == after => None,
        (true, _) => Some(Change::AddChildGroup {
            group,
            child,
            origins: after.clone(),
        }),
        (_, true) => Some(Change::RemoveChildGroup {
            group,
            child,
            origins: before.clone(),
        }),
        _ => Some(Change::SetChildGroupOrigins {
            group,
            child,
            before: before.clone(),
            after: after.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    #[test]
    fn the_shortest_way_is_told_and_circles_end() {
        // The user is in 1 and 4; 1 is in 2, 2 in 3, 3 in 1 again; 4 is in 3 too.
        let steps = [
            (1, None),
            (4, None),
            (2, Some(1)),
            (3, Some(2)),
            (1, Some(3)),
            (3, Some(4)),
        ];
        let ways = ways(&steps);
        assert_eq!(ways[&1], [0; 0]);
        assert_eq!(ways[&2], [1]);
        assert_eq!(ways[&3], [4]);
        assert_eq!(ways.len(), 4);
    }

    fn compiled(written: serde_json::Value) -> CompiledRules {
        let rules: Rules = serde_json::from_value(written).unwrap();
        CompiledRules::new(&rules).unwrap()
    }

    fn idp(numbers: &[i64]) -> BTreeSet<Origin> {
        let groups = numbers.iter().map(|number| SourceGroupPk(*number));
        groups.map(Origin::Idp).collect()
    }

    fn groups(numbers: &[i64]) -> BTreeSet<SourceGroupPk> {
        numbers
            .iter()
            .map(|number| SourceGroupPk(*number))
            .collect()
    }

    #[test]
    fn each_connector_ends_only_its_own_reasons() {
        let rules = compiled(serde_json::json!({"groups": {"nested_groups": "preserve"}}));
        let mut before = idp(&[1, 7]);
        before.insert(Origin::Local);
        let place = Place {
            parent: "staff",
            before: &before,
            granted: &groups(&[2]),
            of_others: &groups(&[7]),
        };
        let mut wanted = idp(&[2, 7]);
        wanted.insert(Origin::Local);
        assert_eq!(child_origins(&place, &rules), wanted);
        let nothing = Place {
            granted: &groups(&[]),
            ..place
        };
        wanted.remove(&Origin::Idp(SourceGroupPk(2)));
        assert_eq!(child_origins(&nothing, &rules), wanted);
    }

    #[test]
    fn flatten_and_ignore_nest_nothing() {
        for word in ["flatten", "ignore"] {
            let rules = compiled(serde_json::json!({"groups": {"nested_groups": word}}));
            let place = Place {
                parent: "staff",
                before: &idp(&[1]),
                granted: &groups(&[1]),
                of_others: &groups(&[]),
            };
            assert!(child_origins(&place, &rules).is_empty(), "{word}");
        }
    }

    #[test]
    fn authority_and_protection_hold_for_child_groups() {
        let with = |more: serde_json::Value| {
            let mut groups = serde_json::json!({"nested_groups": "preserve"});
            groups
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            compiled(serde_json::json!({"groups": groups}))
        };
        let mut before = idp(&[1]);
        before.insert(Origin::Local);
        let place = Place {
            parent: "staff",
            before: &before,
            granted: &groups(&[]),
            of_others: &groups(&[]),
        };
        let strict = with(serde_json::json!({"authority": "strict"}));
        assert!(child_origins(&place, &strict).is_empty());
        let owned = with(serde_json::json!({}));
        assert_eq!(
            child_origins(&place, &owned),
            BTreeSet::from([Origin::Local])
        );
        let additive = with(serde_json::json!({"authority": "additive"}));
        assert_eq!(child_origins(&place, &additive), before);
        let protected = with(serde_json::json!({"authority": "strict", "never_remove": ["Staff"]}));
        assert_eq!(child_origins(&place, &protected), before);
    }

    #[test]
    fn a_change_is_told_only_where_there_is_one() {
        let (none, one, two) = (idp(&[]), idp(&[1]), idp(&[1, 2]));
        assert_eq!(change("a", "b", &one, &one), None);
        let kind = |before, after| change("a", "b", before, after).map(|change| change.kind());
        assert_eq!(kind(&none, &one), Some("add_child_group"));
        assert_eq!(kind(&one, &two), Some("set_child_group_origins"));
        assert_eq!(kind(&one, &none), Some("remove_child_group"));
    }
}
