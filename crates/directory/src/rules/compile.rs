//! Rules compiled: checked once, with every expression ready, so that deciding costs little.

use std::collections::BTreeSet;
use std::ops::BitOr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scim::{Resource, Selector};

use super::condition::{Asked, Asks, Condition};
use super::conditional::{self, Conditional};
use super::group_map::GroupMap;
use super::lifecycle::{CleanupAction, Loss};
use super::list::{NameList, SHADOW};
use super::names::NameRules;
use super::source::{Reader, describe};
use super::step::Steps;
use super::step_compile::{self, Use};
use super::{
    Accounts, Apply, Authority, Cleanup, Fault, Inactivity, LookupBy, MappingRow, NestedGroups,
    OnNoMatch, OnNull, Rename, RuleError, Rules, Source, Target,
};
use crate::model::{Membership, Origin, Reason};
use crate::name::folded;
use crate::trace::GroupSource;

/// Most mapping rows, group name rules and conditional rules together.
pub const RULES_MAX: usize = 500;
/// Most rows of the mapping of groups.
pub const GROUP_ROWS_MAX: usize = 10_000;
/// Longest time for which a renamed group has both names, in days.
pub const ALIAS_DAYS_MAX: u16 = 3_650;
/// Most entries in one list.
pub const LIST_ENTRIES_MAX: usize = 1_000;
/// Most steps in one row or rule.
pub const STEPS_MAX: usize = 100;
/// Longest grace time, in minutes: thirty days.
pub const GRACE_MINUTES_MAX: u32 = 30 * 24 * 60;
/// Longest time that rules count in days: ten years.
pub const DAYS_MAX: u32 = 3_650;
/// Longest name of a user, a group or an attribute, in characters.
pub const NAME_CHARS_MAX: usize = 255;

/// Rules that have been checked and are ready to run. Compile once, share.
#[derive(Clone, Debug)]
pub struct CompiledRules {
    pub(crate) rows: Vec<Row>,
    pub(crate) names: NameRules,
    pub(crate) only_assign: NameList,
    pub(crate) never_assign: NameList,
    pub(crate) always_assign: Vec<PlainGroup>,
    pub(crate) new_user_groups: Vec<PlainGroup>,
    pub(crate) never_remove: NameList,
    pub(crate) protected: NameList,
    pub(crate) group_map: Option<GroupMap>,
    pub(crate) conditions: Vec<Conditional>,
    pub(crate) authority: Authority,
    pub(crate) nested_groups: NestedGroups,
    pub(crate) required: NameList,
    pub(crate) grace: SignedDuration,
    pub(crate) cleanup: Cleanup,
    pub(crate) accounts: Accounts,
    /// Whoever it does not hold for is out of scope.
    pub(crate) filter: Option<Filter>,
    pub(crate) strip_exempt: NameList,
    pub(crate) inactivity: Option<CompiledInactivity>,
    exempt_when: Option<Filter>,
    exempt: NameList,
    create_empty: bool,
    asks: Asks,
}

/// A condition together with its text, for traces.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    condition: Condition,
    pub text: Arc<str>,
}

impl Filter {
    fn compile(text: Option<&String>, path: &str, errors: &mut Vec<RuleError>) -> Option<Self> {
        let text = text?;
        match Condition::compile(text, path) {
            Ok(condition) => Some(Self {
                condition,
                text: Arc::from(text.as_str()),
            }),
            Err(error) => {
                errors.push(error);
                None
            }
        }
    }

    pub(crate) fn holds(&self, asked: &Asked<'_>) -> bool {
        self.condition.holds(asked)
    }

    fn asks(&self) -> Asks {
        self.condition.asks()
    }
}

/// What becomes of people who no longer log in.
#[derive(Clone, Debug)]
pub(crate) struct CompiledInactivity {
    pub rule: Inactivity,
    pub days: SignedDuration,
    pub only: NameList,
    pub never: NameList,
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
    /// An attribute that is there and empty is a value.
    pub keeps_empty: bool,
    /// Whether the rules say what happens without a value.
    pub null_is_foreseen: bool,
    /// Targets of other rows whose results it reads.
    pub needs: Vec<Target>,
    /// The row counts for new accounts only.
    pub create_only: bool,
    /// Explanations do not show its values.
    pub redacted: bool,
}

/// A group that rules name.
#[derive(Clone, Debug)]
pub(crate) struct PlainGroup {
    pub name: Arc<str>,
    pub fold: Arc<str>,
}

impl CompiledRules {
    /// Checks and compiles rules; says everything that is wrong with them at once.
    pub fn new(rules: &Rules) -> Result<Self, Vec<RuleError>> {
        let mut errors = Vec::new();
        check_sizes(rules, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let compiled = Self::compile(rules, &mut errors);
        super::lengths::check(rules, &mut errors);
        none_of(errors).map(|()| compiled)
    }

    /// Compiles rules that are in force already: texts that are too long, which no one may save any more, harm nobody.
    pub fn stored(rules: &Rules) -> Result<Self, Vec<RuleError>> {
        let mut errors = Vec::new();
        let compiled = Self::compile(rules, &mut errors);
        none_of(errors).map(|()| compiled)
    }

    fn compile(rules: &Rules, errors: &mut Vec<RuleError>) -> Self {
        super::identity::check(&rules.identity, &rules.mapping, errors);
        let groups = &rules.groups;
        let mut list = |entries: &[String], path| NameList::compile(entries, path, errors);
        let only_assign = list(&groups.only_assign, "groups.only_assign");
        let mut never_assign = list(&groups.never_assign, "groups.never_assign");
        let mut never_remove = list(&groups.never_remove, "groups.never_remove");
        let protected = list(&groups.protected, "groups.protected");
        let required = list(&rules.scope.required_groups, "scope.required_groups");
        let exempt = list(&rules.cleanup.exempt_groups, "cleanup.exempt_groups");
        let strip_exempt = list(&rules.cleanup.strip_exempt, "cleanup.strip_exempt");
        let inactivity = rules.inactivity.as_ref().map(|rule| CompiledInactivity {
            days: days(rule.days),
            only: list(&rule.only_groups, "inactivity.only_groups"),
            never: list(&rule.never, "inactivity.never"),
            rule: rule.clone(),
        });
        let exempt_when = rules.cleanup.exempt_when.as_ref();
        let exempt_when = Filter::compile(exempt_when, "cleanup.exempt_when", errors);
        let filter = Filter::compile(rules.scope.filter.as_ref(), "scope.filter", errors);
        let counts = rules.scope.state.is_active();
        let (filter, required) = (
            filter.filter(|_| counts),
            if counts {
                required
            } else {
                NameList::default()
            },
        );
        let inactivity = inactivity.filter(|it: &CompiledInactivity| it.rule.state.is_active());
        check_stages(&rules.cleanup, errors);
        if let Some(rule) = &rules.inactivity {
            check_inactivity(rule, errors);
        }
        if !groups.enabled {
            never_assign.add_everything();
            never_remove.add_everything();
        }
        let rows = compile_rows(&rules.mapping, errors);
        let filters = exempt_when.iter().chain(&filter).map(Filter::asks);
        let steps = rows.iter().map(|row| row.steps.asks);
        let asks = filters.chain(steps).fold(Asks::default(), BitOr::bitor);
        Self {
            asks,
            rows,
            names: NameRules::compile(&groups.names, "groups.names", errors),
            only_assign,
            never_assign,
            always_assign: plain_groups(&groups.always_assign, "groups.always_assign", errors),
            new_user_groups: plain_groups(
                &groups.new_user_groups,
                "groups.new_user_groups",
                errors,
            ),
            never_remove,
            protected,
            group_map: groups
                .mapping
                .as_ref()
                .map(|mapping| GroupMap::compile(mapping, errors)),
            conditions: conditional::compile(rules, errors),
            authority: groups.authority,
            nested_groups: groups.nested_groups,
            required,
            grace: SignedDuration::from_mins(i64::from(rules.scope.grace_minutes)),
            cleanup: rules.cleanup.clone(),
            accounts: rules.accounts,
            filter,
            strip_exempt,
            inactivity,
            exempt_when,
            exempt,
            create_empty: groups.create_empty,
        }
    }

    /// Whether a log-in of somebody with this reason for a status can come out as something else (US-35, US-38): rules
    /// ask what set an evaluation off, or a log-in wakes whom the rule for the inactive took.
    pub fn ask_at_log_in(&self, reason: Reason) -> bool {
        let wakes = |it: &CompiledInactivity| !it.rule.sticky;
        self.asks.trigger
            || (reason == Reason::InactivityRule && self.inactivity.as_ref().is_some_and(wakes))
    }

    /// Whether somebody who gets no account may be somebody who has one: none is made, or rules ask whether there is
    /// one (US-13, MO-05).
    pub fn ask_for_account(&self) -> bool {
        !self.accounts.create || self.asks.existing
    }

    /// Whether rows look at other users (XF-32).
    pub fn looks_at_others(&self) -> bool {
        self.rows.iter().any(|row| !row.steps.look_ups.is_empty())
    }

    /// Under what others may have looked for a user that was `before` and is `after`, if that makes a difference to
    /// them. Of what appears there is no `before`, of what goes no `after`.
    pub fn seen_by_others<'a>(
        &self,
        id: &'a str,
        before: Option<&'a Resource>,
        after: Option<&'a Resource>,
    ) -> Vec<(LookupBy, &'a str)> {
        let look_ups = || self.rows.iter().flat_map(|row| &row.steps.look_ups);
        let mut seen = Vec::new();
        for by in [LookupBy::Id, LookupBy::UserName, LookupBy::ExternalId] {
            if !look_ups().any(|(it, _)| *it == by) {
                continue;
            }
            let name = |user: Option<&'a Resource>| match by {
                LookupBy::Id => user.map(|_| id),
                LookupBy::UserName => user.and_then(Resource::user_name),
                LookupBy::ExternalId => user.and_then(Resource::external_id),
            };
            let (old, new) = (name(before), name(after));
            let differs = |(it, selector): &(LookupBy, Selector)| {
                let values = |user: Option<&'a Resource>| user.map(|it| selector.values(it));
                *it == by && values(before) != values(after)
            };
            if old != new || look_ups().any(differs) {
                seen.extend(old.map(|value| (by, value)));
                seen.extend(new.filter(|it| old != Some(it)).map(|value| (by, value)));
            }
        }
        seen
    }

    /// Until when a user name that somebody gave up then is kept from others (CR-08); none if it is not, or no more.
    pub fn reserved_until(&self, given_up: Timestamp, now: Timestamp) -> Option<Timestamp> {
        self.accounts.reserved_until(given_up, now)
    }

    /// Whether somebody who is out of scope can keep an account for a while (US-24).
    pub fn has_grace(&self) -> bool {
        !self.grace.is_zero() && (self.filter.is_some() || !self.required.is_empty())
    }

    /// The same rules, but nobody who is out of scope keeps an account for a while.
    pub fn without_grace(mut self) -> Self {
        self.grace = SignedDuration::ZERO;
        self
    }

    /// Whether a new user name waits for an administrator (US-29).
    pub fn holds_renames(&self) -> bool {
        self.accounts.rename == Rename::Hold
    }

    /// Whether a source group without members is to appear in the directory.
    pub fn creates_empty_groups(&self) -> bool {
        self.create_empty
    }

    /// Whether products see which groups are in which (PL-10).
    pub fn preserves_nesting(&self) -> bool {
        self.nested_groups == NestedGroups::Preserve
    }

    /// Whether those below a group are its users, so that nobody loses anything when a group leaves another one.
    pub fn flattens_nesting(&self) -> bool {
        self.nested_groups == NestedGroups::Flatten
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

    /// Whether a rule of this name gives groups with a new account only, so that whoever takes somebody out of one
    /// is not contradicted.
    pub fn gives_once(&self, rule: &str) -> bool {
        let groups = |row: &&Row| row.target == Target::Groups && *row.from == *rule;
        let mut rows = self.rows.iter().filter(groups).peekable();
        let only_once = rows.peek().is_some() && rows.all(|row| row.create_only);
        rule == Origin::NEW_USER_GROUPS || only_once
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
    pub(crate) fn exempts(&self, asked: &Asked<'_>, held: &[Membership]) -> Option<Arc<str>> {
        if let Some(filter) = &self.exempt_when
            && filter.holds(asked)
        {
            return Some(Arc::clone(&filter.text));
        }
        if self.exempt.is_empty() {
            return None;
        }
        let held = held
            .iter()
            .filter_map(|it| self.exempt.find(&it.group, None));
        let said = asked.groups.iter().filter_map(|group| {
            let names = self.candidate_names(group);
            let mut found = names
                .iter()
                .filter_map(|name| self.exempt.find(name, Some(&group.name)));
            found.next()
        });
        // The order of groups is nobody's; of several entries the first by name is told.
        held.chain(said).min().cloned()
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
            new_user_groups: Vec::new(),
            never_remove: NameList::default(),
            protected: NameList::default(),
            group_map: None,
            conditions: Vec::new(),
            authority: Authority::default(),
            nested_groups: NestedGroups::default(),
            required: NameList::default(),
            grace: SignedDuration::from_mins(10),
            cleanup: Cleanup::default(),
            accounts: Accounts::default(),
            filter: None,
            strip_exempt: NameList::default(),
            inactivity: None,
            exempt_when: None,
            exempt: NameList::default(),
            create_empty: true,
            asks: Asks::default(),
        }
    }
}

/// Whether a text may be the name of a user or a group.
pub(crate) fn is_possible_name(name: &str) -> bool {
    name_fault(name).is_none()
}

/// What keeps a text from being the name of a user or a group.
pub(crate) fn name_fault(name: &str) -> Option<Fault> {
    if name.len() > NAME_CHARS_MAX && name.chars().count() > NAME_CHARS_MAX {
        return Some(Fault::NameTooLong);
    }
    let is_possible = !name.is_empty() && scim::name::refuse_name(name).is_none();
    (!is_possible).then_some(Fault::NotAName)
}

fn none_of(errors: Vec<RuleError>) -> Result<(), Vec<RuleError>> {
    match errors.is_empty() {
        true => Ok(()),
        false => Err(errors),
    }
}

fn check_sizes(rules: &Rules, errors: &mut Vec<RuleError>) {
    let mut at_most = |count: usize, max: usize, path: &str, what: &str| {
        if count > max {
            let message = format!("there are {count} {what}, and {max} are the most");
            let remedy = match what {
                "days" | "minutes" => "choose fewer",
                _ => "join or remove some",
            };
            errors.push(RuleError::new(path, message, remedy));
        }
    };
    let groups = &rules.groups;
    let count = rules.mapping.len() + groups.names.rules.len() + rules.conditions.len();
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
        (&groups.new_user_groups, "groups.new_user_groups"),
        (&groups.protected, "groups.protected"),
        (&groups.never_remove, "groups.never_remove"),
        (&rules.scope.required_groups, "scope.required_groups"),
        (&rules.cleanup.exempt_groups, "cleanup.exempt_groups"),
        (&rules.cleanup.strip_exempt, "cleanup.strip_exempt"),
    ] {
        at_most(list.len(), LIST_ENTRIES_MAX, path, "entries");
    }
    for (index, rule) in rules.conditions.iter().enumerate() {
        let path = format!("conditions[{index}].add_groups");
        at_most(rule.add_groups.len(), LIST_ENTRIES_MAX, &path, "entries");
    }
    let rows = groups.mapping.as_ref().map_or(0, |it| it.rows.len());
    at_most(rows, GROUP_ROWS_MAX, "groups.mapping.rows", "rows");
    for (index, row) in groups.mapping.iter().flat_map(|it| &it.rows).enumerate() {
        let path = format!("groups.mapping.rows[{index}].groups");
        at_most(row.groups.len(), LIST_ENTRIES_MAX, &path, "entries");
    }
    let (days, max) = (usize::from(groups.alias_days), usize::from(ALIAS_DAYS_MAX));
    at_most(days, max, "groups.alias_days", "days");
    let (minutes, max) = (
        rules.scope.grace_minutes as usize,
        GRACE_MINUTES_MAX as usize,
    );
    at_most(minutes, max, "scope.grace_minutes", "minutes");
    let (days, max) = (rules.accounts.names_reserved_days, DAYS_MAX as usize);
    at_most(days as usize, max, "accounts.names_reserved_days", "days");
    for (loss, name) in Loss::ALL {
        let days = rules.cleanup.later(loss).map_or(0, |it| it.after_days);
        let path = format!("cleanup.later.{name}.after_days");
        at_most(days as usize, DAYS_MAX as usize, &path, "days");
    }
    if let Some(rule) = &rules.inactivity {
        let (days, max) = (rule.days as usize, DAYS_MAX as usize);
        at_most(days, max, "inactivity.days", "days");
        let days = rule.sticky_days.unwrap_or_default() as usize;
        at_most(days, max, "inactivity.sticky_days", "days");
        for (list, path) in [
            (&rule.only_groups, "inactivity.only_groups"),
            (&rule.never, "inactivity.never"),
        ] {
            at_most(list.len(), LIST_ENTRIES_MAX, path, "entries");
        }
    }
}

/// A second stage comes after the first, and takes more.
fn check_stages(cleanup: &Cleanup, errors: &mut Vec<RuleError>) {
    for (loss, name) in Loss::ALL {
        let Some(later) = cleanup.later(loss) else {
            continue;
        };
        let first = cleanup.first(loss);
        if later.after_days == 0 {
            let path = format!("cleanup.later.{name}.after_days");
            let message = "after no days there is no second stage";
            let remedy = "write 1 or more, or make it the first stage";
            errors.push(RuleError::new(path, message, remedy));
        }
        if later.action.severity() <= first.severity() {
            let path = format!("cleanup.later.{name}.action");
            let (first, then) = (first.as_str(), later.action.as_str());
            let message = format!("`{then}` takes no more than `{first}`, which happens at once");
            let remedy = "write an action that takes more, or remove the second stage";
            errors.push(RuleError::new(path, message, remedy));
        }
    }
}

fn check_inactivity(rule: &Inactivity, errors: &mut Vec<RuleError>) {
    if rule.days == 0 {
        let message = "nobody logs in all the time";
        let remedy = "write 1 or more";
        errors.push(RuleError::new("inactivity.days", message, remedy));
    }
    if rule.sticky_days.is_some() && !rule.sticky {
        let message = "without `sticky` the next word of the identity provider counts anyway";
        let remedy = "switch `sticky` on, or leave this out";
        errors.push(RuleError::new("inactivity.sticky_days", message, remedy));
    }
    if rule.sticky_days == Some(0) {
        let message = "after no days nothing sticks";
        let remedy = "write 1 or more, leave it out for ever, or switch `sticky` off";
        errors.push(RuleError::new("inactivity.sticky_days", message, remedy));
    }
    let message = match rule.action {
        CleanupAction::Keep => "`keep` does nothing",
        CleanupAction::Delete if rule.sticky => {
            "nobody could bring back what a sticky rule deletes"
        }
        _ => return,
    };
    let remedy = "write `disable` or `anonymise`";
    errors.push(RuleError::new("inactivity.action", message, remedy));
}

/// So many days of 24 hours.
pub(crate) fn days(count: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}

fn compile_rows(rows: &[MappingRow], errors: &mut Vec<RuleError>) -> Vec<Row> {
    let mut seen = BTreeSet::new();
    let mut stored = BTreeSet::new();
    let mut compiled = Vec::with_capacity(rows.len() + 6);
    for (index, row) in rows.iter().enumerate() {
        let path = format!("mapping[{index}]");
        if !row.state.is_active() {
            // What does not count yet has to be right all the same.
            let wrong = Row::compile(row, &path, errors).err();
            errors.extend(wrong);
            continue;
        }
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
    pub(crate) fn compile(
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
            keeps_empty: !row.empty_as_null,
            null_is_foreseen: row.on_null.is_some(),
        })
    }
}

/// Groups named plainly, to put users into; what is wrong with the names goes into `errors`.
pub(crate) fn plain_groups(
    names: &[String],
    path: &str,
    errors: &mut Vec<RuleError>,
) -> Vec<PlainGroup> {
    let mut groups = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let (name, counts) = match name.strip_prefix(SHADOW) {
            Some(name) => (name, false),
            None => (name.as_str(), true),
        };
        let message = if name.starts_with("re:") || name.starts_with("source:") {
            "an expression names no group that users could be put into"
        } else if name.chars().count() > NAME_CHARS_MAX {
            "this is no possible name of a group, as it has more than 255 characters"
        } else if !is_possible_name(name) {
            "this is no possible name of a group"
        } else {
            groups.extend(counts.then(|| PlainGroup {
                name: Arc::from(name),
                fold: Arc::from(folded(name).as_ref()),
            }));
            continue;
        };
        errors.push(RuleError::new(
            format!("{path}[{index}]"),
            message,
            "write the group's plain name",
        ));
    }
    groups
}
