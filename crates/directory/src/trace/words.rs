//! What was found and done, in words.

use jiff::Timestamp;

use super::safety::kept_back;
use super::{
    AddedBy, ConditionEffect, Entry, GroupEffect, GroupSource, MembershipEffect, OverrideEffect,
    ScopeEffect, StepEffect, Suppressed,
};
use crate::cause::Trigger;
use crate::model::{Reason, Status};
use crate::name::quoted;
use crate::overrides::OverrideKind;

impl Entry {
    pub(super) fn text(&self) -> String {
        match self {
            Entry::Subject {
                trigger,
                groups,
                existing,
            } => subject_text(*trigger, *groups, *existing),
            Entry::Attribute { target, .. } => format!("`{target}`"),
            Entry::Step {
                target,
                step,
                before,
                effect,
            } => effect.text(target, step, before),
            Entry::Sought {
                target,
                by,
                value,
                found,
                redacted,
            } => {
                let by = by.as_str();
                let value = if *redacted { "[redacted]" } else { value };
                match found {
                    true => format!("`{target}` looks at the user with {by} {}", quoted(value)),
                    false => format!(
                        "`{target}`: no user with {by} {} is known yet",
                        quoted(value)
                    ),
                }
            }
            Entry::OldNameStays => {
                "`username` is empty, and nobody is known by no name, so the old one stays"
                    .to_owned()
            }
            Entry::Nameless => "`username` is empty, and nobody is known by no name".to_owned(),
            Entry::Suppressed(what) => what.text().to_owned(),
            Entry::Exempt { by } => format!("the account is exempt from cleanup by `{by}`"),
            Entry::Group {
                from,
                name,
                path,
                effect,
            } => group_text(from, name, path, effect),
            Entry::GroupsUntouched => {
                "no rule for group names matched, or one failed, so memberships stay as they are"
                    .to_owned()
            }
            Entry::NoNameMatched => {
                "no rule for group names matched, so the user is dropped".to_owned()
            }
            Entry::OutsideFilter { filter, effect } => effect.outside(filter),
            Entry::Scope(effect) => effect.text(),
            Entry::Condition { rule, effect, .. } => effect.text(rule),
            Entry::Renamed { name, now } => {
                format!(
                    "source group `{name}` is called `{now}` by now; the rules go on with `{name}`"
                )
            }
            Entry::FormerName {
                name,
                former,
                until,
            } => format!(
                "source group `{name}` was called `{former}` before; its members are in what the rules make of both names until {until}"
            ),
            Entry::Added { group, by } => by.text(group),
            Entry::Membership { group, effect } => effect.text(group),
            Entry::Frozen => {
                "memberships stay as they are, as the account is not active".to_owned()
            }
            Entry::Returned(Reason::IdpDeleted) => {
                "the user had been deleted and is back".to_owned()
            }
            Entry::Returned(reason) => format!(
                "the account was removed ({}); it is kept for the user's return",
                reason.as_str()
            ),
            Entry::Cleanup { reason, action } => {
                format!("{}: the rules say {}", reason.as_str(), action.as_str())
            }
            Entry::Met(met) => met.text(),
            Entry::NameReserved { name, until } => format!(
                "the user name `{name}` was somebody else's and is given to nobody before {until} (rule \
                 `accounts.names_reserved_days`); release it to let it go earlier"
            ),
            Entry::ManualStands => "an administrator's decision stands".to_owned(),
            Entry::InactivityStands { last, days, sticky } => {
                let days = days.map(|days| format!(" (rule `inactivity.days`: {days})"));
                let last = match last {
                    Some(last) => format!("the last log-in was at {last}"),
                    None => "no log-in is known".to_owned(),
                };
                let undone = match sticky {
                    true => "only an administrator undoes that",
                    false => {
                        "the next write of the identity provider that says active undoes that, and so does a log-in"
                    }
                };
                format!(
                    "the user had not logged in for long{}; {last}, and {undone}",
                    days.unwrap_or_default()
                )
            }
            Entry::NamePinned { wanted } => {
                format!(
                    "the user name stays, and does not become {}: names are pinned",
                    quoted(wanted)
                )
            }
            Entry::Inactive {
                since,
                days,
                action,
            } => {
                format!(
                    "no log-in since {since}, and `inactivity.days` is {days}: the rules say {}",
                    action.as_str()
                )
            }
            Entry::InactivityExempt { by } => {
                format!("days without a log-in do not count: `{by}` is exempt")
            }
            Entry::Later { at, action } => {
                format!("if nothing changes, {} follows at {at}", action.as_str())
            }
            Entry::AlsoKnown {
                connector,
                gives: true,
            } => format!("connector `{connector}` knows the same person"),
            Entry::AlsoKnown {
                connector,
                gives: false,
            } => format!(
                "connector `{connector}` knows the same person and gives nothing: its rules want no active account"
            ),
            Entry::DecidedBy {
                target,
                connector,
                value,
            } => {
                let value = value.as_ref().map(|it| format!(": {it}"));
                format!(
                    "`{target}` is what connector `{connector}` says, by the directory's precedence{}",
                    value.unwrap_or_default()
                )
            }
            Entry::GivenBy { group, connector } => {
                format!("`{group}` is given by connector `{connector}`")
            }
            Entry::Override {
                kind,
                actor,
                until,
                effect,
            } => override_text(kind, actor, *until, *effect),
            Entry::Safety {
                change,
                effect,
                hold,
            } => kept_back(change, effect, *hold),
        }
    }
}

impl ConditionEffect {
    pub(super) fn text(&self, rule: &str) -> String {
        match self {
            ConditionEffect::Off => format!("condition `{rule}` is off"),
            ConditionEffect::Shadow => {
                format!("condition `{rule}` is in the shadow, and has no effect")
            }
            ConditionEffect::NotSo => format!("condition `{rule}` does not hold"),
            ConditionEffect::Holds => format!("condition `{rule}` holds"),
            ConditionEffect::Drops => format!("condition `{rule}` holds and drops the user"),
            ConditionEffect::Disables => {
                format!("condition `{rule}` holds and disables the account")
            }
            ConditionEffect::DisablesSince(at) => {
                format!("condition `{rule}` holds and disables the account since {at}")
            }
            ConditionEffect::DisablesAt(at) => {
                format!("condition `{rule}` holds and will disable the account at {at}")
            }
            ConditionEffect::WithoutDate(attribute) => {
                format!("condition `{rule}` holds, and `{attribute}` has no date")
            }
            ConditionEffect::Failed(attribute, fault) => format!(
                "condition `{rule}` holds, and nothing comes of it: `{attribute}` {}",
                fault.as_str()
            ),
        }
    }
}

impl AddedBy {
    pub(super) fn text(&self, group: &str) -> String {
        match self {
            AddedBy::Always => format!("`{group}` is assigned to every active user"),
            AddedBy::NewAccount => format!("`{group}` comes with a new account"),
            AddedBy::GivenBefore => {
                format!("`{group}` came with the account, and nobody has taken it away")
            }
            AddedBy::Condition(rule) => format!("`{group}` is assigned by condition `{rule}`"),
            AddedBy::Refused(entry) => {
                format!("`{group}` is not assigned: it is in `protected` by `{entry}`")
            }
        }
    }
}

impl StepEffect {
    pub(super) fn text(&self, target: &str, step: &str, before: &str) -> String {
        match self {
            StepEffect::Became(after) => format!("`{target}`: {step} makes {after} of {before}"),
            StepEffect::Kept => format!("`{target}`: {step} keeps what is there, at {before}"),
            StepEffect::Dropped => format!("`{target}`: {step} drops the user, at {before}"),
            StepEffect::Failed(fault) => {
                format!("`{target}`: {step} fails: {before} {}", fault.as_str())
            }
        }
    }
}

fn override_text(
    kind: &OverrideKind,
    actor: &str,
    until: Option<Timestamp>,
    effect: OverrideEffect,
) -> String {
    let says = match kind {
        OverrideKind::KeepActive => "the account is kept active".to_owned(),
        OverrideKind::Exclude => "the user may not log in".to_owned(),
        OverrideKind::AddToGroup { group } => format!("the user is in `{group}`"),
        OverrideKind::KeepOutOfGroup { group } => format!("the user is kept out of `{group}`"),
        OverrideKind::KeepAsIs { .. } => {
            "the account stays as it is until the identity provider says something else of the user"
                .to_owned()
        }
    };
    let end = until.map_or_else(String::new, |until| format!(", until {until}"));
    let end = match effect {
        OverrideEffect::Stands => end,
        OverrideEffect::Ended => format!("{end}; it has ended"),
        OverrideEffect::NothingToKeep => format!("{end}; but there is no account"),
    };
    format!("override of {actor}: {says}{end}")
}

fn subject_text(
    trigger: Trigger,
    groups: Option<usize>,
    existing: Option<(Status, Reason)>,
) -> String {
    let before = match existing {
        None => "no account so far".to_owned(),
        Some((status, reason)) => {
            format!("account so far {} ({})", status.as_str(), reason.as_str())
        }
    };
    let source = match groups {
        None => "the identity provider deleted the user".to_owned(),
        Some(1) => "the user is in one source group".to_owned(),
        Some(count) => format!("the user is in {count} source groups"),
    };
    match trigger {
        // Somebody asks, and nothing happens.
        Trigger::Simulate => format!("{source}; {before}"),
        trigger => format!("{}: {source}; {before}", trigger.as_str()),
    }
}

fn group_text(from: &GroupSource, name: &str, path: &[String], effect: &GroupEffect) -> String {
    let origin = match from {
        GroupSource::Idp(_) if !path.is_empty() => {
            format!(
                "source group `{name}`, by way of `{}`,",
                path.join("` in `")
            )
        }
        GroupSource::Idp(_) => format!("source group `{name}`"),
        GroupSource::Row(row) => format!("`{name}` from {row}"),
    };
    match effect {
        GroupEffect::Granted => format!("{origin} is assigned"),
        GroupEffect::GrantedAs(name) => format!("{origin} is assigned as `{name}`"),
        GroupEffect::NoRuleMatched => format!("{origin} is left out: no rule matches its name"),
        GroupEffect::TransformedAway => {
            format!("{origin} is left out: nothing is left of its name")
        }
        GroupEffect::Failed(fault) => {
            format!(
                "{origin} is left out: its name {} under the rules of `groups.names`",
                fault.as_str()
            )
        }
        GroupEffect::NotAName(name) => {
            format!("{origin} is left out: {} cannot name a group", quoted(name))
        }
        GroupEffect::Unmapped => {
            format!("{origin} is left out: no row of `groups.mapping` has it")
        }
        GroupEffect::Waiting(name) => format!(
            "{origin} waits: `{name}` has members from elsewhere, and nobody has decided yet what to do about it"
        ),
        GroupEffect::Ignored => {
            format!("{origin} is left out: an administrator decided so")
        }
        GroupEffect::Protected { name, entry } => {
            format!("{origin} is left out: `{name}` is in `protected` by `{entry}`")
        }
        GroupEffect::NotInOnlyAssign(name) => {
            format!("{origin} is left out: `{name}` is not in `only_assign`")
        }
        GroupEffect::NeverAssign { name, entry } => {
            format!("{origin} is left out: `{name}` is in `never_assign` by `{entry}`")
        }
        GroupEffect::NestingPreserved(_) => {
            format!("{origin} is no membership of its own: products see which groups are in which")
        }
        GroupEffect::NestingIgnored => {
            format!("{origin} is left out: the rules ignore groups in groups")
        }
    }
}

impl ScopeEffect {
    fn outside(&self, filter: &str) -> String {
        let effect = match self {
            ScopeEffect::In { .. } => "the user is in scope".to_owned(),
            ScopeEffect::Waiting => "the user waits".to_owned(),
            ScopeEffect::Grace { until } => format!("the user keeps the account until {until}"),
            ScopeEffect::Out { since } => format!("the user is out of scope since {since}"),
        };
        format!("{effect}, as `scope.filter` does not hold: {filter}")
    }

    pub(super) fn text(&self) -> String {
        match self {
            ScopeEffect::In { group, entry } => {
                format!("`{group}` is a required group by `{entry}`")
            }
            ScopeEffect::Waiting => "the user is in no required group and waits for one".to_owned(),
            ScopeEffect::Grace { until } => {
                format!("the user is in no required group and keeps the account until {until}")
            }
            ScopeEffect::Out { since } => {
                format!("the user is in no required group since {since}")
            }
        }
    }
}

impl MembershipEffect {
    pub(super) fn text(&self, group: &str) -> String {
        match self {
            MembershipEffect::Removed => format!("`{group}` goes: nothing grants it any more"),
            MembershipEffect::Protected(entry) => {
                format!("`{group}` stays: it is in `never_remove` by `{entry}`")
            }
            MembershipEffect::NotOurs => {
                format!("`{group}` stays: this connector did not assign it")
            }
            MembershipEffect::HandsOff(entry) => format!(
                "`{group}` stays: it is in `protected` by `{entry}`, and this connector did not assign it"
            ),
            MembershipEffect::NotGivenBack(entry) => {
                format!("`{group}` is not given back: it is in `protected` by `{entry}`")
            }
            MembershipEffect::Additive => format!("`{group}` stays: the rules only add"),
            MembershipEffect::Restored => {
                format!("`{group}` is given back, as the user had it before")
            }
            MembershipEffect::Stripped => {
                format!("`{group}` goes: `strip_groups` takes the groups of accounts that are lost")
            }
            MembershipEffect::StripExempt(entry) => {
                format!("`{group}` stays: it is in `strip_exempt` by `{entry}`")
            }
        }
    }
}

impl Suppressed {
    /// What it held back, as a sentence.
    pub const fn text(self) -> &'static str {
        match self {
            Suppressed::Create => "no account is made: `accounts.create` is off",
            Suppressed::Update => "attributes stay as they are: `accounts.update` is off",
            Suppressed::Enable => "the account stays disabled: `accounts.enable` is off",
            Suppressed::Disable => "cleanup is suppressed: `accounts.disable` is off",
        }
    }
}
