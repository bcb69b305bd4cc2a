//! Required groups, seen from the groups that there are.

use super::CompiledRules;
use crate::outcome::SourceGroup;

impl CompiledRules {
    /// The entries of `scope.required_groups` that count.
    pub fn required_entries(&self) -> Vec<&str> {
        self.required.entries()
    }

    /// Those that the members of a source group meet by it.
    pub fn required_by(&self, group: &SourceGroup) -> Vec<&str> {
        let names = self.candidate_names(group);
        let met = names
            .iter()
            .flat_map(|name| self.required.all(name, Some(&group.name)));
        met.map(|entry| &**entry).collect()
    }
}
