//! Rules compiled: checked once, with every expression ready, so that deciding costs little.

use std::ops::BitOr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scim::{Resource, Selector};

use super::condition::{Asked, Asks, Condition};
use super::conditional::{self, Conditional};
use super::group_map::GroupMap;
use super::list::{NameList, SHADOW};
use super::names::NameRules;
use super::row::{Row, compile_rows};
use super::sizes::{check_inactivity, check_sizes, check_stages};
use super::{
    Accounts, Authority, Cleanup, Fault, Inactivity, LookupBy, NestedGroups, Rename, RuleError,
    Rules, Target,
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

/// So many days of 24 hours.
pub(crate) fn days(count: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
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
