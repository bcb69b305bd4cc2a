//! The rules as an administrator writes them: plain data, every default documented here.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::list::SHADOW;
use super::{
    Cleanup, ConditionalRule, GroupRules, Identity, Inactivity, Rename, RuleError, RuleState, Step,
    Target,
};
use crate::form;

/// Everything configurable about what a connector's writes mean. The default changes nothing on
/// the way: every user, every group, under the names the identity provider uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Where each attribute comes from. A target without a row has its default row:
    /// `username` from `userName`; `display_name` from `displayName`, else `name.formatted`, else
    /// given and family name, else `userName`; `first_name` and `last_name` from `name`; `email`
    /// from the primary, else the work, else the first address; `active` from `active`, true if
    /// absent.
    pub mapping: Vec<MappingRow>,
    /// Which groups, under which names.
    pub groups: GroupRules,
    /// What happens to users who are so or so.
    pub conditions: Vec<ConditionalRule>,
    /// Who has an account at all.
    pub scope: Scope,
    /// Which account that exists already becomes a new user's own.
    pub identity: Identity,
    /// What may be done to accounts.
    pub accounts: Accounts,
    /// What becomes of those who lose theirs.
    pub cleanup: Cleanup,
    /// What becomes of those who no longer log in; nothing if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactivity: Option<Inactivity>,
}

impl Rules {
    /// The rules that a connector begins with, unless something else is said.
    pub fn for_new_connector() -> Self {
        Self {
            groups: GroupRules::for_new_connector(),
            accounts: Accounts::for_new_connector(),
            ..Self::default()
        }
    }
}

/// Rules as somebody writes them: what is not said is as in [`Rules::for_new_connector`], so that nobody switches a
/// safeguard off by saying nothing. Whatever is wrong with their form is kept, to be told all at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRules(Result<Rules, Vec<RuleError>>);

impl Default for WrittenRules {
    fn default() -> Self {
        Self(Ok(Rules::for_new_connector()))
    }
}

impl WrittenRules {
    /// The rules, or everything that is wrong with their form.
    pub fn read(self) -> Result<Rules, Vec<RuleError>> {
        self.0
    }

    /// Adds to rules as they are written what a new connector has where they say nothing.
    pub(crate) fn complete(written: &mut serde_json::Map<String, serde_json::Value>) {
        let mut choose = |part: &str, name: &str, value| {
            let nothing = serde_json::Value::Object(serde_json::Map::new());
            if let serde_json::Value::Object(said) = written.entry(part).or_insert(nothing) {
                said.entry(name).or_insert(value);
            }
        };
        for (name, value) in GroupRules::choices_for_new_connector() {
            choose("groups", name, value);
        }
        let days = Accounts::for_new_connector().names_reserved_days;
        choose("accounts", "names_reserved_days", days.into());
    }
}

impl<'de> Deserialize<'de> for WrittenRules {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let mut written = serde_json::Value::deserialize(reader)?;
        if let serde_json::Value::Object(members) = &mut written {
            WrittenRules::complete(members);
        }
        let read = form::read(written, "").map_err(|mut errors| {
            for error in errors.iter_mut().filter(|it| it.path.is_empty()) {
                "rules".clone_into(&mut error.path);
            }
            errors
        });
        Ok(Self(read))
    }
}

/// A part of rules as somebody writes it, with whatever is wrong with its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<T>(serde_json::Value, std::marker::PhantomData<T>);

impl<T: serde::de::DeserializeOwned + Serialize> Written<T> {
    /// The part, or everything that is wrong with its form; places are told as below `path`.
    pub fn read(self, path: &str) -> Result<T, Vec<RuleError>> {
        form::read(self.0, path)
    }
}

impl<'de, T> Deserialize<'de> for Written<T> {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let written = serde_json::Value::deserialize(reader)?;
        Ok(Self(written, std::marker::PhantomData))
    }
}

/// One row of the mapping table: a target, its source, and what happens on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingRow {
    /// What is set.
    pub target: Target,
    /// Where the value comes from; the target's default source if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What is done to the value, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Whether the row counts at every evaluation or only for a new account.
    #[serde(default, skip_serializing_if = "Apply::is_always")]
    pub apply: Apply,
    /// What happens if steps that must match something matched nothing.
    #[serde(default)]
    pub on_no_match: OnNoMatch,
    /// What happens if there is no value. Left out: `keep` for `username`, `email` and
    /// `display_name`, else `clear`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_null: Option<OnNull>,
    /// Whether an empty text counts as no value. Off, an attribute that is there and empty empties the target, whatever
    /// `on_null` says.
    #[serde(default = "yes", skip_serializing_if = "is_on")]
    pub empty_as_null: bool,
    /// Whether the row counts.
    #[serde(default, skip_serializing_if = "RuleState::is_active")]
    pub state: RuleState,
}

fn yes() -> bool {
    true
}

fn is_on(flag: &bool) -> bool {
    *flag
}

impl MappingRow {
    /// The row that a target without one has.
    pub fn default_for(target: Target) -> Self {
        Self {
            target,
            source: None,
            steps: Vec::new(),
            apply: Apply::default(),
            on_no_match: OnNoMatch::default(),
            on_null: None,
            empty_as_null: true,
            state: RuleState::default(),
        }
    }
}

impl Rules {
    /// These rules with what is in the shadow made active. A row comes out of it in place of the one for its target.
    pub fn with_shadows(&self) -> Rules {
        let mut rules = self.clone();
        let is_shadow = |row: &&MappingRow| row.state == RuleState::Shadow;
        let shadows: Vec<Target> = self
            .mapping
            .iter()
            .filter(is_shadow)
            .map(|row| row.target.clone())
            .collect();
        for row in &mut rules.mapping {
            row.state = match row.state {
                RuleState::Shadow => RuleState::Active,
                RuleState::Active
                    if row.target != Target::Groups && shadows.contains(&row.target) =>
                {
                    RuleState::Off
                }
                state => state,
            };
        }
        for state in rules.states() {
            if *state == RuleState::Shadow {
                *state = RuleState::Active;
            }
        }
        for entry in rules.lists().into_iter().flatten() {
            if let Some(rest) = entry.strip_prefix(SHADOW) {
                *entry = rest.to_owned();
            }
        }
        rules
    }

    /// Whether anything is in the shadow.
    pub fn has_shadows(&self) -> bool {
        *self != self.with_shadows()
    }

    /// The states of all rules but those of mapping rows.
    fn states(&mut self) -> impl Iterator<Item = &mut RuleState> {
        let names = self.groups.names.rules.iter_mut().map(|it| &mut it.state);
        let rows = self.groups.mapping.iter_mut().flat_map(|it| &mut it.rows);
        let conditions = self.conditions.iter_mut().map(|it| &mut it.state);
        names
            .chain(rows.map(|it| &mut it.state))
            .chain(conditions)
            .chain([&mut self.scope.state])
            .chain(self.inactivity.iter_mut().map(|it| &mut it.state))
    }

    /// The lists of groups.
    fn lists(&mut self) -> Vec<&mut Vec<String>> {
        let groups = &mut self.groups;
        let mut lists = vec![
            &mut groups.only_assign,
            &mut groups.never_assign,
            &mut groups.always_assign,
            &mut groups.new_user_groups,
            &mut groups.protected,
            &mut groups.never_remove,
            &mut self.scope.required_groups,
            &mut self.cleanup.strip_exempt,
            &mut self.cleanup.exempt_groups,
        ];
        if let Some(rule) = &mut self.inactivity {
            lists.extend([&mut rule.only_groups, &mut rule.never]);
        }
        lists
    }
}

/// When a row counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Apply {
    /// At every evaluation.
    #[default]
    Always,
    /// When the account is made; afterwards the target stays as it is.
    CreateOnly,
}

impl Apply {
    fn is_always(&self) -> bool {
        *self == Apply::Always
    }
}

/// Where a row's value comes from (US-11). Attributes are named by RFC 7644 paths, filters included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// One attribute, e.g. `emails[type eq "work"].value`.
    Attribute(String),
    /// The first of several attributes that has a value.
    FirstOf(Vec<String>),
    /// Text with `${path}` in it; a missing part is empty, and if all are missing so is the value.
    Template(String),
    /// Always the same text.
    Constant(String),
    /// The primary address, else the one for work, else the first.
    EmailPrimary,
    /// The names of the user's groups, as the identity provider calls them.
    Groups,
    /// What another row made of its target.
    Result(Target),
}

/// What happens if no transformation applied (US-12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnNoMatch {
    /// Values that matched nothing go through.
    #[default]
    Pass,
    /// If nothing matched, what the directory has stays; else values that matched nothing go.
    Keep,
    /// Values that matched nothing go.
    Clear,
    /// If nothing matched, the user is dropped; else values that matched nothing go.
    DropUser,
}

/// What happens if there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnNull {
    /// What the directory has stays.
    Keep,
    /// The target is emptied.
    Clear,
    /// The user is dropped.
    DropUser,
}

/// Who has an account at all (US-24).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// A SCIM filter over the user; it has to hold for whoever is to have an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// A user must be in one of these groups; everyone may if there are none. Entries as in [`GroupRules`].
    pub required_groups: Vec<String>,
    /// Minutes for which an account outlives its being in scope, so that a client that removes
    /// and adds again harms nobody.
    pub grace_minutes: u32,
    /// Whether the filter and the required groups count.
    #[serde(skip_serializing_if = "RuleState::is_active")]
    pub state: RuleState,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            filter: None,
            required_groups: Vec::new(),
            grace_minutes: 10,
            state: RuleState::default(),
        }
    }
}

/// What may be done to accounts (MO-05 to MO-08). What a switch holds back is told by explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// New ones are made.
    pub create: bool,
    /// Attributes follow the identity provider.
    pub update: bool,
    /// Disabled ones are enabled again.
    pub enable: bool,
    /// Active ones are disabled, or deleted.
    pub disable: bool,
    /// Whether user names follow the identity provider's.
    pub rename: Rename,
    /// For how many days a user name that somebody gave up, by a rename or with the account, is given to nobody else
    /// (CR-08). 0 for none; new connectors begin with 30.
    pub names_reserved_days: u32,
}

impl Accounts {
    /// What a new connector begins with.
    pub fn for_new_connector() -> Self {
        Self {
            names_reserved_days: 30,
            ..Self::default()
        }
    }
}

impl Accounts {
    /// Until when a user name that somebody gave up then is kept from others; none if it is not, or no more.
    pub fn reserved_until(&self, given_up: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let until = given_up.checked_add(super::days(self.names_reserved_days));
        until.ok().filter(|until| now < *until)
    }

    /// Names that were given up at this time or before are kept from nobody.
    pub fn given_up_since(&self, now: Timestamp) -> Timestamp {
        let since = now.checked_sub(super::days(self.names_reserved_days));
        since.unwrap_or(Timestamp::MIN)
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            create: true,
            update: true,
            enable: true,
            disable: true,
            rename: Rename::default(),
            names_reserved_days: 0,
        }
    }
}
