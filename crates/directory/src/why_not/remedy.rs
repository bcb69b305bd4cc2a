//! What would have to be different, piece by piece and in words.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::id::SourceGroupPk;
use crate::model::Reason;
use crate::overrides::OverrideKind;
use crate::rules::RuleState;
use crate::trace::Suppressed;

/// One thing that would have to be different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The user is in one of the required groups, by these entries.
    RequiredGroup(Vec<String>),
    /// The filter of the scope holds.
    Filter(Arc<str>),
    /// A row takes the value from which it drops the user now.
    RowTakes {
        /// The row's target.
        target: Arc<str>,
        /// Where the value comes from.
        from: Arc<str>,
        /// What the user is dropped for.
        reason: Reason,
    },
    /// A step does not drop the user.
    StepTakes {
        /// The row's target.
        target: Arc<str>,
        /// The step's place in the rules.
        step: Arc<str>,
        /// The values at which it drops.
        before: String,
    },
    /// What the row for `active` reads says true.
    SaysTrue {
        /// The row's target.
        target: Arc<str>,
        /// Where the value comes from.
        from: Arc<str>,
    },
    /// The identity provider says that the user is active.
    SaysActive,
    /// The identity provider provisions the user again.
    ProvisionedAgain,
    /// A rule for names matches the name of a source group of the user.
    SomeNameMatches,
    /// A switch of the rules is on.
    SwitchedOn(Suppressed),
    /// A conditional rule that takes the account does not hold.
    ConditionFails(Arc<str>),
    /// The rows give a user name.
    UserName,
    /// An administrator lifts the decision on the account.
    DecisionLifted,
    /// An account that was cleaned up for inactivity is enabled.
    EnabledAgain {
        /// Whether only an administrator does that.
        sticky: bool,
    },
    /// The user logs in, which did not happen since then.
    LogIn(Timestamp),
    /// An override goes.
    OverrideEnds {
        /// What it says.
        kind: OverrideKind,
        /// Who said it.
        actor: String,
        /// When it ends by itself.
        until: Option<Timestamp>,
    },
    /// This entry goes from `groups.protected`.
    NotProtected(Arc<str>),
    /// This entry goes from `groups.never_assign`.
    NotNeverAssigned(Arc<str>),
    /// `groups.only_assign` has this name.
    OnlyAssigned(String),
    /// Groups are on.
    GroupsOn,
    /// The rules make the group of a source group's name.
    Becomes {
        /// The source group.
        source: SourceGroupPk,
        /// Its name.
        name: String,
        /// The name that is to come out.
        group: String,
        /// What comes out now.
        now: Becoming,
    },
    /// An administrator decides that a source group may feed the group of its name.
    MayFeed {
        /// The source group.
        source: SourceGroupPk,
        /// Its name.
        name: String,
        /// The group's name.
        group: String,
        /// Whether the decision was taken already, and was no.
        refused: bool,
    },
    /// Whoever is in a child group is in this one too.
    Flattened {
        /// The source group's name.
        name: String,
        /// Whether groups in groups mean nothing now; else products see them.
        ignored: bool,
    },
    /// A conditional rule that adds the group counts.
    ConditionCounts {
        /// The rule's name.
        rule: Arc<str>,
        /// What it is now.
        state: RuleState,
    },
    /// A conditional rule that adds the group holds.
    ConditionHolds {
        /// The rule's name.
        rule: Arc<str>,
        /// What it asks.
        when: Arc<str>,
    },
    /// Something of the user names the group.
    Named(String),
    /// `groups.always_assign` has the group.
    AlwaysAssigned(String),
    /// Another connector gives the group, as its word on groups counts.
    GivenBy {
        /// The connector's name.
        connector: Arc<str>,
        /// The group's name.
        group: String,
    },
    /// A hold is approved, so that what it keeps back takes effect.
    Approved {
        /// Its number.
        hold: i64,
        /// Whether somebody rejected it.
        rejected: bool,
    },
    /// All of one of these.
    OneOf(Vec<Vec<Remedy>>),
}

/// What comes of a source group's name now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Becoming {
    /// No row of the mapping has the group.
    Unmapped,
    /// No rule matches the name.
    Unmatched,
    /// These names; none if nothing is left of it.
    Names(Vec<String>),
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remedy::RequiredGroup(entries) => {
                write!(
                    f,
                    "be in one of the required groups: {}",
                    entries.join(", ")
                )
            }
            Remedy::Filter(filter) => {
                write!(f, "`scope.filter` must hold for the user: {filter}")
            }
            Remedy::RowTakes {
                target,
                from,
                reason,
            } => write!(
                f,
                "the value of {from} must be one that the row for `{target}` takes: it drops the user ({})",
                reason.as_str()
            ),
            Remedy::StepTakes {
                target,
                step,
                before,
            } => write!(
                f,
                "{step} of the row for `{target}` must not drop the user, as it does at {before}"
            ),
            Remedy::SaysTrue { target, from } => {
                write!(f, "{from}, from which `{target}` comes, must say true")
            }
            Remedy::SaysActive => {
                f.write_str("the identity provider must say that the user is active")
            }
            Remedy::ProvisionedAgain => {
                f.write_str("the identity provider must provision the user again")
            }
            Remedy::Approved {
                hold,
                rejected: false,
            } => write!(
                f,
                "for what is held to happen: hold {hold} must be approved (`vestibule holds approve {hold}`)"
            ),
            Remedy::Approved {
                hold,
                rejected: true,
            } => write!(
                f,
                "for what was rejected to happen: hold {hold} must be approved after all (`vestibule holds approve {hold}`)"
            ),
            Remedy::SomeNameMatches => f.write_str(
                "the name of a source group of the user must match a rule of `groups.names`",
            ),
            Remedy::SwitchedOn(switch) => f.write_str(match switch {
                Suppressed::Create => {
                    "`accounts.create` must be on, or there must be an account for the user to be linked with"
                }
                Suppressed::Update => {
                    "`accounts.update` must be on for attributes to follow the identity provider"
                }
                Suppressed::Enable => "`accounts.enable` must be on",
                Suppressed::Disable => {
                    "`accounts.disable` must be on for the account to be taken"
                }
            }),
            Remedy::ConditionFails(rule) => {
                write!(
                    f,
                    "the condition `{rule}` must not hold, which takes the account"
                )
            }
            Remedy::UserName => f.write_str("the rows of the mapping must give a user name"),
            Remedy::DecisionLifted => {
                f.write_str("an administrator must lift the decision on the account")
            }
            Remedy::EnabledAgain { sticky: true } => f.write_str(
                "an administrator must enable the account: it was cleaned up for inactivity, and that stays",
            ),
            Remedy::EnabledAgain { sticky: false } => f.write_str(
                "the identity provider must write the user once more, or the user log in: the account was cleaned up for inactivity",
            ),
            Remedy::LogIn(since) => write!(
                f,
                "the user must log in: that did not happen since {since}, longer than `inactivity.days` allows"
            ),
            Remedy::OverrideEnds { kind, actor, until } => {
                write!(f, "the override of {actor} must be removed")?;
                match (until, kind) {
                    (Some(until), _) => write!(f, "; it ends at {until}"),
                    (None, OverrideKind::KeepAsIs { .. }) => f.write_str(
                        "; it ends when the identity provider says something else of the user",
                    ),
                    (None, _) => Ok(()),
                }
            }
            Remedy::NotProtected(entry) => write!(f, "`{entry}` must go from `groups.protected`"),
            Remedy::NotNeverAssigned(entry) => {
                write!(f, "`{entry}` must go from `groups.never_assign`")
            }
            Remedy::OnlyAssigned(name) => write!(f, "`groups.only_assign` must have `{name}`"),
            Remedy::GroupsOn => f.write_str("`groups.enabled` must be on"),
            Remedy::Becomes {
                name, group, now, ..
            } => now.write(name, group, f),
            Remedy::MayFeed {
                name,
                group,
                refused,
                ..
            } => match refused {
                true => write!(
                    f,
                    "an administrator must take back the decision that `{name}` feeds no group"
                ),
                false => write!(
                    f,
                    "an administrator must decide that `{name}` may feed `{group}`"
                ),
            },
            Remedy::Flattened { name, ignored } => match ignored {
                true => write!(
                    f,
                    "`groups.nested_groups` must be `flatten`, or the user must be in `{name}` directly"
                ),
                false => write!(
                    f,
                    "`groups.nested_groups` must be `flatten`, or the user must be in `{name}` directly; products see \
                     the user in it by way of the groups between"
                ),
            },
            Remedy::ConditionCounts { rule, state } => write!(
                f,
                "the condition `{rule}` must be active, which is {}",
                match state {
                    RuleState::Shadow => "in the shadow",
                    RuleState::Active | RuleState::Off => "off",
                }
            ),
            Remedy::ConditionHolds { rule, when } => {
                write!(f, "the condition `{rule}` must hold for the user: {when}")
            }
            Remedy::Named(group) => write!(
                f,
                "be in a source group whose name becomes `{group}`, or have a mapping row for `groups` give it"
            ),
            Remedy::AlwaysAssigned(group) => {
                write!(f, "`groups.always_assign` must have `{group}`")
            }
            Remedy::GivenBy { connector, group } => write!(
                f,
                "connector `{connector}` must give `{group}`: by the directory's precedence its word on groups counts"
            ),
            Remedy::OneOf(ways) => {
                let all = |way: &Vec<Remedy>| {
                    let all: Vec<String> = way.iter().map(Remedy::to_string).collect();
                    all.join(", and ")
                };
                let ways: Vec<String> = ways.iter().map(all).collect();
                write!(f, "either {}", ways.join("; or "))
            }
        }
    }
}

impl Becoming {
    fn write(&self, name: &str, group: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Becoming::Unmapped => {
                write!(
                    f,
                    "a row of `groups.mapping` must make `{group}` of `{name}`"
                )
            }
            Becoming::Unmatched => write!(
                f,
                "a rule of `groups.names` must match `{name}` and make `{group}` of it"
            ),
            Becoming::Names(names) if names.is_empty() => write!(
                f,
                "the rules must make `{group}` of `{name}`, of which they leave nothing"
            ),
            Becoming::Names(names) => write!(
                f,
                "the rules must make `{group}` of `{name}`, of which they make `{}`",
                names.join("`, `")
            ),
        }
    }
}
