//! Which names products see for a source group.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::group_map::Naming;
use super::{CompiledRules, Fault, is_possible_name};
use crate::id::SourceGroupPk;
use crate::outcome::{Review, SourceGroup};

impl CompiledRules {
    /// Whether only an administrator undoes what came of inactivity (US-35).
    pub(crate) fn is_inactivity_sticky(&self) -> bool {
        self.inactivity.as_ref().is_none_or(|it| it.rule.sticky)
    }

    /// The SCIM ids of groups that the rules name. Nothing comes of these rules before [`bind`](Self::bind) has said
    /// which groups they are.
    pub fn named_groups(&self) -> Vec<&str> {
        self.group_map.iter().flat_map(|map| map.ids()).collect()
    }

    /// Says which source groups have the ids that the rules name.
    pub fn bind(&mut self, groups: &HashMap<String, SourceGroupPk>) {
        if let Some(map) = &mut self.group_map {
            map.bind(groups);
        }
    }

    /// The name products see for a source group; none if the rules take it away or filter it.
    pub fn effective_group(&self, source: &SourceGroup) -> Option<String> {
        self.effective_groups(source).into_iter().next()
    }

    /// All names products see for a source group; more than one if a rule splits it or rows map it to several. That
    /// its group still waits for a decision takes nothing away.
    pub fn effective_groups(&self, source: &SourceGroup) -> Vec<String> {
        if source.review() == Review::Ignored {
            return Vec::new();
        }
        self.candidate_names(source)
            .into_iter()
            .filter(|name| {
                let source = Some(source.name.as_str());
                is_possible_name(name)
                    && self.lists_admit(name, source)
                    && self.protects(name, source).is_none()
            })
            .map(Cow::into_owned)
            .collect()
    }

    /// The names of a source group before the lists, without a former one.
    pub(crate) fn candidate_names<'a>(&'a self, source: &'a SourceGroup) -> Vec<Cow<'a, str>> {
        match self.naming(source) {
            Naming::Own(name) => vec![Cow::Borrowed(name)],
            Naming::Mapped(groups) => groups.iter().map(|it| Cow::Borrowed(&*it.name)).collect(),
            Naming::Unmapped | Naming::Failed(_) => Vec::new(),
            Naming::Rules(items) => items
                .into_iter()
                .filter(|item| item.matched || self.names.on_no_match.passes())
                .map(|item| item.text)
                .collect(),
        }
    }

    /// What is wrong with what the rules for names make of the name of a source group, if anything.
    pub fn name_fault(&self, source: &SourceGroup) -> Option<Fault> {
        match self.naming(source) {
            Naming::Failed(fault) => Some(fault),
            Naming::Own(_) | Naming::Mapped(_) | Naming::Unmapped | Naming::Rules(_) => None,
        }
    }

    /// Whether it is the rules for names that say what a source group becomes, and nobody who named just this one.
    pub fn are_names_by_rules(&self, source: &SourceGroup) -> bool {
        matches!(self.naming(source), Naming::Rules(_) | Naming::Failed(_))
    }

    /// The entry of `groups.protected` that has a name of a source group.
    pub fn protecting_entry(&self, source: &SourceGroup) -> Option<Arc<str>> {
        let names = self.candidate_names(source);
        let mut entries = names
            .iter()
            .filter_map(|name| self.protects(name, Some(source.name.as_str())));
        entries.next().cloned()
    }

    /// Where the names of a source group come from, and which they are.
    pub(crate) fn naming<'a>(&'a self, source: &'a SourceGroup) -> Naming<'a> {
        if let Some(name) = source
            .standing
            .as_ref()
            .and_then(|it| it.own_name.as_deref())
        {
            return Naming::Own(name);
        }
        self.group_map
            .as_ref()
            .and_then(|map| map.naming(source.id))
            .unwrap_or_else(|| self.naming_by_rules(&source.name))
    }

    /// What the rules for names make of a name.
    pub(crate) fn naming_by_rules<'a>(&self, name: &'a str) -> Naming<'a> {
        match self.names.transform(name) {
            Ok(items) => Naming::Rules(items),
            Err(fault) => Naming::Failed(fault),
        }
    }

    /// The entry of `groups.protected` that has a group.
    pub fn protects(&self, name: &str, source: Option<&str>) -> Option<&Arc<str>> {
        self.protected.find(name, source)
    }

    /// Whether the lists let a group through (US-21).
    pub(crate) fn lists_admit(&self, name: &str, source: Option<&str>) -> bool {
        self.is_listed_only(name, source) && self.never_assign.find(name, source).is_none()
    }

    /// Whether the group may be assigned as far as `only_assign` goes (US-19).
    pub(crate) fn is_listed_only(&self, name: &str, source: Option<&str>) -> bool {
        self.only_assign.is_empty() || self.only_assign.find(name, source).is_some()
    }
}
