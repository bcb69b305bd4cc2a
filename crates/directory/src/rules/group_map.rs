//! The mapping of source groups to groups, one by one (MO-13).

use std::collections::{BTreeMap, HashMap};

use super::compile::{PlainGroup, plain_groups};
use super::step::{Fault, Item};
use super::{GroupMapping, RuleError, Unmapped};
use crate::id::SourceGroupPk;

/// A compiled mapping. Rows name SCIM ids; whoever knows the source says which groups these are.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupMap {
    rows: BTreeMap<String, Vec<PlainGroup>>,
    known: HashMap<SourceGroupPk, Vec<PlainGroup>>,
    unmapped: Unmapped,
}

/// Where the names of a source group come from.
#[derive(Debug)]
pub(crate) enum Naming<'a> {
    /// An administrator gave this one group its name.
    Own(&'a str),
    /// Rows of the mapping.
    Mapped(&'a [PlainGroup]),
    /// No row has the group, and such groups are left out.
    Unmapped,
    /// The rules for names.
    Rules(Vec<Item<'a>>),
    /// A rule for names failed.
    Failed(Fault),
}

impl Naming<'_> {
    /// Whether something says what becomes of the group.
    pub(crate) fn matched(&self) -> bool {
        match self {
            Naming::Own(_) | Naming::Mapped(_) | Naming::Failed(_) => true,
            Naming::Unmapped => false,
            Naming::Rules(items) => items.iter().any(|item| item.matched),
        }
    }
}

impl GroupMap {
    /// Compiles the rows; what is wrong with them goes into `errors`.
    pub(crate) fn compile(mapping: &GroupMapping, errors: &mut Vec<RuleError>) -> Self {
        let mut rows: BTreeMap<String, Vec<PlainGroup>> = BTreeMap::new();
        for (index, row) in mapping.rows.iter().enumerate() {
            let path = format!("groups.mapping.rows[{index}]");
            if row.source.id.trim().is_empty() {
                let remedy =
                    "give the SCIM id of the group; the list of the connector's groups has it";
                errors.push(RuleError::new(
                    format!("{path}.source.id"),
                    "is empty",
                    remedy,
                ));
            }
            let path = format!("{path}.groups");
            if row.groups.is_empty() {
                let remedy = "name the groups that its members get, or remove the row";
                errors.push(RuleError::new(
                    path.as_str(),
                    "the row names no group",
                    remedy,
                ));
            }
            let groups = plain_groups(&row.groups, &path, errors);
            if !row.state.is_active() {
                continue;
            }
            let all = rows.entry(row.source.id.clone()).or_default();
            for group in groups {
                if all.iter().all(|it| it.fold != group.fold) {
                    all.push(group);
                }
            }
        }
        Self {
            rows,
            known: HashMap::new(),
            unmapped: mapping.unmapped,
        }
    }

    /// The SCIM ids that rows name.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// Says which source groups have these ids.
    pub(crate) fn bind(&mut self, groups: &HashMap<String, SourceGroupPk>) {
        let rows = self.rows.iter();
        self.known = rows
            .filter_map(|(id, targets)| Some((*groups.get(id)?, targets.clone())))
            .collect();
    }

    /// What the mapping says of a group; none if it leaves it to the rules for names.
    pub(crate) fn naming(&self, group: SourceGroupPk) -> Option<Naming<'_>> {
        match (self.known.get(&group), self.unmapped) {
            (Some(targets), _) => Some(Naming::Mapped(targets)),
            (None, Unmapped::Ignore) => Some(Naming::Unmapped),
            (None, Unmapped::Pass) => None,
        }
    }
}
