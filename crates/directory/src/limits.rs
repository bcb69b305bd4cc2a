//! Safety limits: how much worse one connector may make a directory within a while (BY-02).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{NameList, RuleError};

/// How much a connector may take away before the rest waits for an administrator. The limits are on
/// unless they are switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Whether anything is counted and held at all.
    pub enabled: bool,
    /// How long an effect counts, in minutes, 1 to 1440.
    pub window_minutes: u32,
    /// Accounts that are disabled or removed, of all active ones; no limit if `null`.
    pub deactivations: Option<Limit>,
    /// Memberships that end in one group, of all in it; no limit if `null`.
    pub group_memberships: Option<Limit>,
    /// Memberships that end in all groups together, of all there are; no limit if `null`.
    pub memberships: Option<Limit>,
    /// Groups that the identity provider deletes; no limit if `null`.
    pub group_deletions: Option<Limit>,
    /// Accounts whose user name changes; no limit if `null`.
    pub renames: Option<Limit>,
    /// Leaver priority: so many users in a window whom the identity provider sets inactive are always disabled, and
    /// count for no other limit.
    pub leavers: u32,
    /// What happens when an evaluation of everybody (new rules, a reconcile) takes away more than the limits say.
    pub reconcile: ReconcileMode,
    /// User names, or expressions behind `re:`, of accounts from which nothing is ever taken.
    pub break_glass_users: Vec<String>,
    /// Group names, or expressions behind `re:`, of groups that nobody is ever taken out of.
    pub break_glass_groups: Vec<String>,
    /// After how many minutes a held effect is let through unasked; never if left out.
    pub auto_approve_after_minutes: Option<u32>,
}

/// What is let through of an evaluation of everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReconcileMode {
    /// What comes first, up to the limits.
    #[default]
    InOrder,
    /// Everything if all of it is within the limits, else nothing that takes anything away.
    AllOrNothing,
}

/// A limit: the larger of a number and a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// So many in any case.
    pub at_least: u32,
    /// This share of what there is, in per cent, 0 to 100.
    #[serde(default)]
    pub percent: u32,
}

impl Limit {
    /// A limit of a number or a share, whichever is larger.
    pub const fn new(at_least: u32, percent: u32) -> Self {
        Self { at_least, percent }
    }

    /// How many are let through where there are `base`.
    pub fn allowed(self, base: u64) -> u64 {
        let share = u128::from(base) * u128::from(self.percent) / 100;
        u64::try_from(share)
            .unwrap_or(u64::MAX)
            .max(u64::from(self.at_least))
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            window_minutes: 60,
            deactivations: Some(Limit::new(10, 5)),
            group_memberships: Some(Limit::new(50, 10)),
            memberships: Some(Limit::new(50, 20)),
            group_deletions: Some(Limit::new(3, 0)),
            renames: Some(Limit::new(10, 0)),
            leavers: 0,
            reconcile: ReconcileMode::InOrder,
            break_glass_users: Vec::new(),
            break_glass_groups: Vec::new(),
            auto_approve_after_minutes: None,
        }
    }
}

impl LimitSettings {
    /// The longest window, in minutes.
    pub const WINDOW_MINUTES_MAX: u32 = 24 * 60;

    fn all(&self) -> [(&'static str, Option<Limit>); 5] {
        [
            ("deactivations", self.deactivations),
            ("group_memberships", self.group_memberships),
            ("memberships", self.memberships),
            ("group_deletions", self.group_deletions),
            ("renames", self.renames),
        ]
    }
}

/// Limits ready for use.
#[derive(Clone, Debug)]
pub struct CompiledLimits {
    pub(crate) settings: LimitSettings,
    pub(crate) break_glass_users: NameList,
    pub(crate) break_glass_groups: NameList,
}

impl CompiledLimits {
    /// Checks limits; everything that is wrong is named.
    pub fn new(settings: &LimitSettings) -> Result<Self, Vec<RuleError>> {
        let mut errors = Vec::new();
        let max = LimitSettings::WINDOW_MINUTES_MAX;
        if !(1..=max).contains(&settings.window_minutes) {
            errors.push(RuleError::new(
                "limits.window_minutes",
                "the window is too short or too long",
                format!("choose 1 to {max} minutes"),
            ));
        }
        for (name, limit) in settings.all() {
            if limit.is_some_and(|limit| limit.percent > 100) {
                errors.push(RuleError::new(
                    format!("limits.{name}.percent"),
                    "the share is more than everything",
                    "choose 0 to 100, or leave the whole limit empty for none",
                ));
            }
        }
        for (name, list) in [
            ("break_glass_users", &settings.break_glass_users),
            ("break_glass_groups", &settings.break_glass_groups),
        ] {
            if let Some(index) = list.iter().position(|it| it.starts_with("shadow:")) {
                errors.push(RuleError::new(
                    format!("limits.{name}[{index}]"),
                    "who is protected always is, so nothing here can be in the shadow",
                    "take `shadow:` away, or remove the entry",
                ));
            }
        }
        if settings.auto_approve_after_minutes == Some(0) {
            errors.push(RuleError::new(
                "limits.auto_approve_after_minutes",
                "nothing would ever be held",
                "choose 1 minute at least, or set `enabled` to false",
            ));
        }
        let mut list = |entries: &[String], name: &str| {
            let path = format!("limits.{name}");
            for (index, entry) in entries.iter().enumerate() {
                if entry.starts_with("source:") {
                    errors.push(RuleError::new(
                        format!("{path}[{index}]"),
                        "the entry speaks of the identity provider's names",
                        "name what products see, without `source:`",
                    ));
                }
            }
            NameList::compile(entries, &path, &mut errors)
        };
        let break_glass_users = list(&settings.break_glass_users, "break_glass_users");
        let break_glass_groups = list(&settings.break_glass_groups, "break_glass_groups");
        match errors.is_empty() {
            true => Ok(Self {
                settings: settings.clone(),
                break_glass_users,
                break_glass_groups,
            }),
            false => Err(errors),
        }
    }

    /// Whether anything can be kept back at all.
    pub fn guard_anything(&self) -> bool {
        self.settings.enabled
            || !self.break_glass_users.is_empty()
            || !self.break_glass_groups.is_empty()
    }

    /// As they were written.
    pub fn settings(&self) -> &LimitSettings {
        &self.settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_of_number_and_share_counts() {
        let limit = Limit::new(10, 5);
        assert_eq!(
            [0, 200, 219, 220, 1000].map(|base| limit.allowed(base)),
            [10, 10, 10, 11, 50]
        );
        assert_eq!(Limit::new(3, 0).allowed(u64::MAX), 3);
        assert_eq!(Limit::new(0, 100).allowed(u64::MAX), u64::MAX);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let wrong: LimitSettings = serde_json::from_value(serde_json::json!({
            "window_minutes": 0,
            "renames": {"at_least": 1, "percent": 101},
            "break_glass_users": ["ok", "re:("],
            "break_glass_groups": ["source:x"],
            "auto_approve_after_minutes": 0,
        }))
        .unwrap();
        let errors = CompiledLimits::new(&wrong).unwrap_err();
        let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "limits.window_minutes",
                "limits.renames.percent",
                "limits.auto_approve_after_minutes",
                "limits.break_glass_users[1]",
                "limits.break_glass_groups[0]",
            ]
        );
        assert!(CompiledLimits::new(&LimitSettings::default()).is_ok());
    }

    #[test]
    fn a_limit_can_be_taken_away_and_the_rest_left_out() {
        let some: LimitSettings = serde_json::from_str(r#"{"renames": null}"#).unwrap();
        assert_eq!(some.renames, None);
        assert_eq!(some.deactivations, LimitSettings::default().deactivations);
        assert!(serde_json::from_str::<LimitSettings>(r#"{"rename": 3}"#).is_err());
    }
}
