//! Lists of group names: plain names, and expressions for whole names.

use std::collections::HashMap;
use std::sync::Arc;

use regex::Regex;

use super::RuleError;
use super::pattern::{self, Manner, SUBJECT_BYTES_MAX};
use crate::name::folded;

/// What stands before an entry that has no effect (BY-04).
pub(super) const SHADOW: &str = "shadow:";

/// A compiled list. Names match without regard to case, in either kind of entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameList {
    everything: Option<Arc<str>>,
    transformed: Entries,
    source: Entries,
}

#[derive(Clone, Debug, Default)]
struct Entries {
    /// From the folded name to the entry as written.
    plain: HashMap<String, Arc<str>>,
    patterns: Vec<(Regex, Arc<str>)>,
}

impl NameList {
    /// Compiles a list's entries; what is wrong with them goes into `errors`.
    pub(crate) fn compile(entries: &[String], path: &str, errors: &mut Vec<RuleError>) -> Self {
        let mut list = Self::default();
        for (index, entry) in entries.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let added = match entry.strip_prefix(SHADOW) {
                // It has to be right all the same.
                Some(entry) => Self::default().add(entry, &path),
                None => list.add(entry, &path),
            };
            errors.extend(added.err());
        }
        list
    }

    /// Adds a plain name.
    pub(crate) fn add_name(&mut self, name: &str) {
        let (fold, written) = (folded(name).into_owned(), Arc::from(name));
        self.transformed.plain.insert(fold, written);
    }

    /// Takes an entry out, as it was written.
    pub(crate) fn remove(&mut self, entry: &str) {
        for side in [&mut self.transformed, &mut self.source] {
            side.plain.retain(|_, written| **written != *entry);
            side.patterns.retain(|(_, written)| **written != *entry);
        }
    }

    fn add(&mut self, entry: &str, path: &str) -> Result<(), RuleError> {
        let (side, rest) = match entry.strip_prefix("source:") {
            Some(rest) => (&mut self.source, rest),
            None => (&mut self.transformed, entry),
        };
        let written: Arc<str> = Arc::from(entry);
        if let Some(pattern) = rest.strip_prefix("re:") {
            let manner = Manner {
                whole: true,
                ignore_case: true,
                any_char: true,
            };
            side.patterns
                .push((pattern::compile(pattern, manner, path)?, written));
        } else if rest.trim().is_empty() {
            let remedy = "remove the entry, or name a group; `re:.*` means every group";
            return Err(RuleError::new(path, "the entry names no group", remedy));
        } else {
            side.plain.insert(folded(rest).into_owned(), written);
        }
        Ok(())
    }

    /// Adds the entry that matches every name.
    pub(crate) fn add_everything(&mut self) {
        self.everything = Some(Arc::from("re:.*"));
    }

    pub(crate) fn remove_everything(&mut self) {
        self.everything = None;
    }

    /// Whether every name matches, without an entry that says so.
    pub(crate) fn has_everything(&self) -> bool {
        self.everything.is_some()
    }

    /// The entries as they were written, in order of their names.
    pub(crate) fn entries(&self) -> Vec<&str> {
        let lists = [&self.transformed, &self.source];
        let plain = lists.iter().flat_map(|list| list.plain.values());
        let patterns = lists.iter().flat_map(|list| &list.patterns);
        let all = plain.chain(patterns.map(|(_, written)| written));
        let mut all: Vec<&str> = all.chain(&self.everything).map(|it| &**it).collect();
        all.sort_unstable();
        all
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.everything.is_none() && self.transformed.is_empty() && self.source.is_empty()
    }

    /// The entry that matches a group, if one does. `source` is the identity provider's name for it.
    pub(crate) fn find(&self, name: &str, source: Option<&str>) -> Option<&Arc<str>> {
        self.everything
            .as_ref()
            .or_else(|| self.transformed.find(name))
            .or_else(|| self.source.find(source?))
    }

    /// The entry that matches every name that an entry of another list does, as far as that can be told: it matches the
    /// plain name, is the same pattern, or matches all names.
    pub(crate) fn covers(&self, entry: &str) -> Option<&Arc<str>> {
        if entry.starts_with(SHADOW) {
            return None;
        }
        let (is_source, rest) = match entry.strip_prefix("source:") {
            Some(rest) => (true, rest),
            None => (false, entry),
        };
        let Some(pattern) = rest.strip_prefix("re:") else {
            return match is_source {
                true => self.source.find(rest),
                false => self.find(rest, None),
            };
        };
        let everything = |text: &str| matches!(text, ".*" | "^.*" | ".*$" | "^.*$");
        let side = if is_source {
            &self.source
        } else {
            &self.transformed
        };
        let mut written = side.patterns.iter().map(|(_, written)| written);
        written.find(|it| {
            let other = it.strip_prefix("source:").unwrap_or(it);
            let other = other.strip_prefix("re:").unwrap_or(other);
            other == pattern || everything(other)
        })
    }

    /// All entries that match a group.
    pub(crate) fn all(&self, name: &str, source: Option<&str>) -> Vec<&Arc<str>> {
        let mut all = self.transformed.all(name);
        all.extend(source.map_or_else(Vec::new, |it| self.source.all(it)));
        all
    }
}

impl Entries {
    fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.patterns.is_empty()
    }

    fn find(&self, name: &str) -> Option<&Arc<str>> {
        if self.is_empty() {
            return None;
        }
        let fold = folded(name);
        if let Some(entry) = self.plain.get(fold.as_ref()) {
            return Some(entry);
        }
        self.matching(name, &fold).next()
    }

    fn all(&self, name: &str) -> Vec<&Arc<str>> {
        let fold = folded(name);
        let plain = self.plain.get(fold.as_ref()).into_iter();
        plain.chain(self.matching(name, &fold)).collect()
    }

    /// The patterns that match. Look-alikes of a listed name fold to it, and what is written in full width may be
    /// meant so.
    fn matching(&self, name: &str, fold: &str) -> impl Iterator<Item = &Arc<str>> {
        let fits = name.len() <= SUBJECT_BYTES_MAX;
        let hit = move |regex: &Regex| {
            fits && (regex.is_match(name) || (fold != name && regex.is_match(fold)))
        };
        let patterns = self.patterns.iter();
        patterns.filter_map(move |(regex, entry)| hit(regex).then_some(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> NameList {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        let mut errors = Vec::new();
        let list = NameList::compile(&entries, "list", &mut errors);
        assert_eq!(errors, []);
        list
    }

    #[test]
    fn plain_entries_are_literal_and_ignore_case() {
        let list = list(&["Jira.Users", "re: is not at the start"]);
        assert!(list.find("jira.users", None).is_some());
        assert!(list.find("jiraxusers", None).is_none());
        assert!(
            list.find("ＪＩＲＡ.USERS", None).is_some(),
            "full width folds"
        );
    }

    #[test]
    fn expressions_match_the_whole_name_and_ignore_case() {
        let list = list(&["re:jira-.*"]);
        assert!(list.find("jira-users", None).is_some());
        assert!(list.find("JIRA-Users", None).is_some());
        assert!(list.find("ｊira-users", None).is_some(), "full width folds");
        assert!(list.find("my-jira-users", None).is_none());
        assert_eq!(
            list.find("jira-x", None).map(AsRef::as_ref),
            Some("re:jira-.*")
        );
    }

    #[test]
    fn source_entries_look_at_the_name_before_transformation() {
        let list = list(&["source:App Jira", "source:re:x-.*"]);
        assert!(list.find("jira", Some("app jira")).is_some());
        assert!(list.find("jira", Some("x-1")).is_some());
        assert!(list.find("app jira", Some("other")).is_none());
        assert!(list.find("app jira", None).is_none());
    }

    #[test]
    fn entries_in_the_shadow_have_no_effect_and_have_to_be_right() {
        let list = list(&["shadow:re:jira-.*", "shadow:source:x", "a"]);
        assert!(list.find("jira-users", Some("x")).is_none());
        assert_eq!(list.entries(), ["a"]);
        let mut errors = Vec::new();
        NameList::compile(&["shadow:re:(".to_owned()], "list", &mut errors);
        assert_eq!(errors[0].path, "list[0]");
    }

    #[test]
    fn bad_entries_are_reported_by_their_place() {
        let mut errors = Vec::new();
        let entries = ["ok", "", "re:(", "source:"].map(str::to_owned);
        NameList::compile(&entries, "groups.only_assign", &mut errors);
        let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "groups.only_assign[1]",
                "groups.only_assign[2]",
                "groups.only_assign[3]"
            ]
        );
    }

    #[test]
    fn everything_is_everything() {
        let mut list = NameList::default();
        assert!(list.is_empty());
        list.add_everything();
        assert!(list.find("two\nlines", None).is_some());
        assert!(list.find("", None).is_some());
    }
}
