//! Rules compiled: checked once, with every expression ready, so that deciding costs little.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;

use super::condition::{Asked, Condition};
use super::list::NameList;
use super::names::NameRules;
use super::source::{Reader, describe};
use super::step::Steps;
use super::step_compile::{self, Use};
use super::{
    Accounts, Apply, Authority, Cleanup, GroupRules, MappingRow, NestedGroups, OnNoMatch, OnNull,
    RuleError, Rules, Source, Target,
};
use crate::name::folded;
use crate::trace::GroupSource;

/// Most mapping rows and group name rules together.
pub const RULES_MAX: usize = 500;
/// Most entries in one list.
pub const LIST_ENTRIES_MAX: usize = 1_000;
/// Most steps in one row or rule.
pub const STEPS_MAX: usize = 100;
/// Longest grace time, in minutes: thirty days.
pub const GRACE_MINUTES_MAX: u32 = 30 * 24 * 60;
/// Longest name of a user, a group or an attribute, in characters.
pub const NAME_CHARS_MAX: usize = 255;

/// Rules that have been checked and are ready to run. Compile once, share.
#[derive(Clone, Debug)]
pub struct CompiledRules {
    pub(crate) rows: Vec<Row>,
    pub(crate) names: NameRules,
    pub(crate) only_assign: NameList,
    pub(crate) never_assign: NameList,
    pub(crate) always_assign: Vec<AlwaysGroup>,
    pub(crate) never_remove: NameList,
    pub(crate) authority: Authority,
    pub(crate) nested_groups: NestedGroups,
    pub(crate) required: NameList,
    pub(crate) grace: SignedDuration,
    pub(crate) cleanup: Cleanup,
    pub(crate) accounts: Accounts,
    exempt_when: Option<(Condition, Arc<str>)>,
    exempt: NameList,
    create_empty: bool,
}

/// A compiled mapping row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub target: Target,
    /// The target as traces name it.
    pub label: Arc<str>,
    /// The source as traces name it.
    pub from: Arc<str>,
    pub reader: Reader,
    pub steps: Steps,
    pub on_no_match: OnNoMatch,
    pub on_null: OnNull,
    /// Targets of other rows whose results it reads.
    pub needs: Vec<Target>,
    /// The row counts for new accounts only.
    pub create_only: bool,
    /// Explanations do not show its values.
    pub redacted: bool,
}

/// A group every active user is in.
#[derive(Clone, Debug)]
pub(crate) struct AlwaysGroup {
    pub name: Arc<str>,
    pub fold: String,
}

impl CompiledRules {
    /// Checks and compiles rules; says everything that is wrong with them at once.
    pub fn new(rules: &Rules) -> Result<Self, Vec<RuleError>> {
        let mut errors = Vec::new();
        check_sizes(rules, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let groups = &rules.groups;
        let mut list = |entries: &[String], path| NameList::compile(entries, path, &mut errors);
        let only_assign = list(&groups.only_assign, "groups.only_assign");
        let mut never_assign = list(&groups.never_assign, "groups.never_assign");
        let mut never_remove = list(&groups.never_remove, "groups.never_remove");
        let required = list(&rules.scope.required_groups, "scope.required_groups");
        let exempt = list(&rules.cleanup.exempt_groups, "cleanup.exempt_groups");
        let exempt_when = rules.cleanup.exempt_when.as_deref().and_then(|text| {
            match Condition::compile(text, "cleanup.exempt_when") {
                Ok(condition) => Some((condition, Arc::from(text))),
                Err(error) => {
                    errors.push(error);
                    None
                }
            }
        });
        if !groups.enabled {
            never_assign.add_everything();
            never_remove.add_everything();
        }
        let compiled = Self {
            rows: compile_rows(&rules.mapping, &mut errors),
            names: NameRules::compile(&groups.names, "groups.names", &mut errors),
            only_assign,
            never_assign,
            always_assign: compile_always(groups, &mut errors),
            never_remove,
            authority: groups.authority,
            nested_groups: groups.nested_groups,
            required,
            grace: SignedDuration::from_mins(i64::from(rules.scope.grace_minutes)),
            cleanup: rules.cleanup.clone(),
            accounts: rules.accounts,
            exempt_when,
            exempt,
            create_empty: groups.create_empty,
        };
        if errors.is_empty() {
            Ok(compiled)
        } else {
            Err(errors)
        }
    }

    /// The name products see for a source group; none if the rules take it away or filter it.
    pub fn effective_group(&self, source_name: &str) -> Option<String> {
        self.effective_groups(source_name).into_iter().next()
    }

    /// All names products see for a source group; more than one if a rule splits it.
    pub fn effective_groups(&self, source_name: &str) -> Vec<String> {
        self.names
            .transform(source_name)
            .into_iter()
            .filter(|item| item.matched || self.names.on_no_match.passes())
            .map(|item| item.text.into_owned())
            .filter(|name| is_possible_name(name) && self.lists_admit(name, Some(source_name)))
            .collect()
    }

    /// Whether a source group without members is to appear in the directory.
    pub fn creates_empty_groups(&self) -> bool {
        self.create_empty
    }

    /// Whether products see which groups are in which (PL-10).
    pub fn preserves_nesting(&self) -> bool {
        self.nested_groups == NestedGroups::Preserve
    }

    /// Whether it is a row for new accounts only that names this group.
    pub(crate) fn is_for_newcomers(&self, source: &GroupSource) -> bool {
        match source {
            GroupSource::Idp(_) => false,
            GroupSource::Row(from) => self
                .rows
                .iter()
                .any(|row| row.create_only && Arc::ptr_eq(&row.from, from)),
        }
    }

    /// Whether being in a group has to do with those whom the identity provider put into its child groups: they
    /// become its users, or it counts as a required group of theirs.
    pub fn reaches_below(&self) -> bool {
        match self.nested_groups {
            NestedGroups::Flatten => true,
            NestedGroups::Preserve => !self.required.is_empty(),
            NestedGroups::Ignore => false,
        }
    }

    /// Whether memberships in a group are never removed (US-18).
    pub fn never_removes(&self, group: &str) -> bool {
        self.never_remove.find(group, None).is_some()
    }

    /// What exempts a person from cleanup (US-34): the entry or the condition.
    pub(crate) fn exempts(&self, asked: &Asked<'_>) -> Option<Arc<str>> {
        if let Some((condition, text)) = &self.exempt_when
            && condition.holds(asked)
        {
            return Some(Arc::clone(text));
        }
        if self.exempt.is_empty() {
            return None;
        }
        let memberships = asked.existing.into_iter().flat_map(|it| &it.memberships);
        let held = memberships.filter_map(|it| self.exempt.find(&it.group, None));
        let said = asked.groups.iter().filter_map(|group| {
            let names = self.names.transform(&group.name);
            let mut found = names
                .iter()
                .filter_map(|name| self.exempt.find(&name.text, Some(&group.name)));
            found.next()
        });
        // The order of groups is nobody's; of several entries the first by name is told.
        held.chain(said).min().cloned()
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

impl Default for CompiledRules {
    /// The default rules, compiled.
    fn default() -> Self {
        Self {
            rows: compile_rows(&[], &mut Vec::new()),
            names: NameRules::default(),
            only_assign: NameList::default(),
            never_assign: NameList::default(),
            always_assign: Vec::new(),
            never_remove: NameList::default(),
            authority: Authority::default(),
            nested_groups: NestedGroups::default(),
            required: NameList::default(),
            grace: SignedDuration::from_mins(10),
            cleanup: Cleanup::default(),
            accounts: Accounts::default(),
            exempt_when: None,
            exempt: NameList::default(),
            create_empty: true,
        }
    }
}

/// Whether a text may be the name of a user or a group.
pub(crate) fn is_possible_name(name: &str) -> bool {
    !name.is_empty()
        && (name.len() <= NAME_CHARS_MAX || name.chars().count() <= NAME_CHARS_MAX)
        && scim::name::refuse_name(name).is_none()
}

fn check_sizes(rules: &Rules, errors: &mut Vec<RuleError>) {
    let mut at_most = |count: usize, max: usize, path: &str, what: &str| {
        if count > max {
            let message = format!("there are {count} {what}, and {max} are the most");
            errors.push(RuleError::new(path, message, "join or remove some"));
        }
    };
    let groups = &rules.groups;
    let count = rules.mapping.len() + groups.names.rules.len();
    at_most(count, RULES_MAX, "mapping", "rules");
    for (index, row) in rules.mapping.iter().enumerate() {
        let path = format!("mapping[{index}].steps");
        at_most(step_compile::count(&row.steps), STEPS_MAX, &path, "steps");
    }
    for (index, rule) in groups.names.rules.iter().enumerate() {
        let path = format!("groups.names.rules[{index}].steps");
        at_most(step_compile::count(&rule.steps), STEPS_MAX, &path, "steps");
    }
    for (list, path) in [
        (&groups.only_assign, "groups.only_assign"),
        (&groups.never_assign, "groups.never_assign"),
        (&groups.always_assign, "groups.always_assign"),
        (&groups.never_remove, "groups.never_remove"),
        (&rules.scope.required_groups, "scope.required_groups"),
        (&rules.cleanup.exempt_groups, "cleanup.exempt_groups"),
    ] {
        at_most(list.len(), LIST_ENTRIES_MAX, path, "entries");
    }
    let (minutes, max) = (
        rules.scope.grace_minutes as usize,
        GRACE_MINUTES_MAX as usize,
    );
    at_most(minutes, max, "scope.grace_minutes", "minutes");
}

fn compile_rows(rows: &[MappingRow], errors: &mut Vec<RuleError>) -> Vec<Row> {
    let mut seen = BTreeSet::new();
    let mut stored = BTreeSet::new();
    let mut compiled = Vec::with_capacity(rows.len() + 6);
    for (index, row) in rows.iter().enumerate() {
        let path = format!("mapping[{index}]");
        let again = row.target != Target::Groups && !seen.insert(&row.target);
        let stored_again = row.target.attribute().is_some_and(|it| !stored.insert(it));
        if again || stored_again {
            let message = format!("`{}` has a row already", row.target);
            let remedy = "keep one row; `first_of` tries several attributes in order";
            errors.push(RuleError::new(format!("{path}.target"), message, remedy));
        }
        match Row::compile(row, &path, errors) {
            Ok(row) => compiled.push((row, path)),
            Err(error) => errors.push(error),
        }
    }
    for target in [
        Target::Username,
        Target::Email,
        Target::DisplayName,
        Target::FirstName,
        Target::LastName,
        Target::Active,
    ] {
        if !seen.contains(&target) {
            match Row::compile(&MappingRow::default_for(target), "defaults", errors) {
                Ok(row) => compiled.push((row, "defaults".to_owned())),
                Err(error) => errors.push(error),
            }
        }
    }
    in_order(compiled, errors)
}

/// Puts rows behind those whose results they read, and otherwise leaves their order. Rows that read each other's
/// results in a circle have no order.
fn in_order(mut waiting: Vec<(Row, String)>, errors: &mut Vec<RuleError>) -> Vec<Row> {
    let known: BTreeSet<Target> = waiting.iter().map(|(row, _)| row.target.clone()).collect();
    let mut done: BTreeSet<Target> = BTreeSet::new();
    let mut hidden: BTreeSet<Target> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let ready = |(row, _): &(Row, String)| {
            let mut needed = row.needs.iter();
            needed.all(|target| done.contains(target) || !known.contains(target))
        };
        let Some(next) = waiting.iter().position(ready) else {
            let labels: Vec<String> = waiting
                .iter()
                .map(|(row, _)| format!("`{}`", row.label))
                .collect();
            for (row, path) in &waiting {
                let message = format!(
                    "`{}` waits for itself: the rows for {} read each other's results",
                    row.label,
                    labels.join(", ")
                );
                let remedy = "let one of them read an attribute of the user instead of `result`";
                errors.push(RuleError::new(path.clone(), message, remedy));
            }
            break;
        };
        let (mut row, path) = waiting.remove(next);
        for target in &row.needs {
            if !known.contains(target) {
                let message = format!("no row sets `{target}`");
                errors.push(RuleError::new(
                    path.clone(),
                    message,
                    "add the row, or read an attribute",
                ));
            }
            row.redacted |= hidden.contains(target);
        }
        if row.redacted {
            hidden.insert(row.target.clone());
        }
        done.insert(row.target.clone());
        ordered.push(row);
    }
    ordered
}

impl Row {
    fn compile(
        row: &MappingRow,
        path: &str,
        errors: &mut Vec<RuleError>,
    ) -> Result<Self, RuleError> {
        let purpose = Use::Row(&row.target);
        let steps = Steps::compile(&row.steps, purpose, &format!("{path}.steps"), errors);
        let reader = match &row.source {
            Some(source) => Reader::compile(source, &format!("{path}.source"))?,
            None => Reader::default_for(&row.target).ok_or_else(|| {
                RuleError::new(
                    format!("{path}.source"),
                    format!("`{}` has no default source", row.target),
                    "name one, e.g. {\"attribute\": \"title\"}; names of source groups change in `groups.names`",
                )
            })??,
        };
        if let Some(name) = row.target.attribute()
            && name.chars().count() > NAME_CHARS_MAX
        {
            let message = "the attribute's name has more than 255 characters";
            return Err(RuleError::new(
                format!("{path}.target"),
                message,
                "shorten it",
            ));
        }
        let on_null = row.on_null.unwrap_or(match row.target {
            Target::Username | Target::Email | Target::DisplayName => OnNull::Keep,
            _ => OnNull::Clear,
        });
        let mut needs = Vec::new();
        reader.needs(&mut needs);
        steps.needs(&mut needs);
        Ok(Self {
            create_only: row.apply == Apply::CreateOnly || steps.create_only,
            redacted: steps.redacted,
            needs,
            label: row.target.to_string().into(),
            from: match &row.source {
                Some(Source::Constant(_)) if steps.redacted => "constant".into(),
                source => describe(source.as_ref(), &row.target).into(),
            },
            target: row.target.clone(),
            reader,
            steps,
            on_no_match: row.on_no_match,
            on_null,
        })
    }
}

fn compile_always(groups: &GroupRules, errors: &mut Vec<RuleError>) -> Vec<AlwaysGroup> {
    let mut always = Vec::new();
    for (index, name) in groups.always_assign.iter().enumerate() {
        let message = if name.starts_with("re:") || name.starts_with("source:") {
            "an expression names no group that users could be put into"
        } else if !is_possible_name(name) {
            "this is no possible name of a group"
        } else {
            always.push(AlwaysGroup {
                name: Arc::from(name.as_str()),
                fold: folded(name).into_owned(),
            });
            continue;
        };
        let path = format!("groups.always_assign[{index}]");
        errors.push(RuleError::new(
            path,
            message,
            "write the group's plain name",
        ));
    }
    always
}
