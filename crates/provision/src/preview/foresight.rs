//! Foresight: what the safety limits would let through of a preview, and what they would hold.

use std::cell::{Cell, RefCell};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use directory::name::folded;
use directory::{
    Change, CompiledLimits, ConnectorId, Guarding, Held, HeldDeletion, HoldKind, Limit,
    LimitSettings, Outcome, ReconcileMode, SourceGroupPk, Tally, UserPk, WindowCounts, all_fit,
    guard, plan,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{PassedByAll, ReadTx, StoredAccount};

use crate::ProvisionError;
use crate::loaded::LoadedConnector;
use crate::safety::{concerns, count_base, name_below};

/// The word for what nobody ever loses, by which nothing is held.
const BREAK_GLASS: &str = "break_glass";
/// Groups of which a summary tells how many memberships would be held.
const GROUPS_MAX: usize = 1_000;

/// What safety limits would do to effects of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitForecast {
    /// How many would take effect and count.
    pub passes: u64,
    /// How many would be kept back.
    pub held: u64,
    /// How many had taken effect in the window before.
    pub used: u64,
    /// How many may in the window; none if there is no limit.
    pub allowed: Option<u64>,
}

/// A change that would be kept back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeseenHold {
    /// The change.
    pub change: Change,
    /// By what: `limit`, `rejected`, `group_deletion`, `name_below` or `break_glass`.
    pub by: String,
    /// Whether it is kept back already, so that this is nothing new.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stands: bool,
}

/// What is done with effects that take something away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// What comes first is let through, up to the limits.
    InOrder,
    /// All of it is kept back; how much that is says whether it will stay so.
    Collect,
    /// All of it is let through, as all of it is within the limits.
    LetThrough,
    /// All of it is let through but what is held already.
    HeldAlready,
}

/// Of connectors that hold all or nothing: whether all that a first look found is within their limits.
pub(super) type Fits = BTreeMap<ConnectorId, bool>;

/// What the limits will do to a run. Those of the connector to which an account belongs count, whoever's rules are tried.
pub(super) struct Foresight<'t, 'c> {
    tx: &'t ReadTx<'c>,
    /// None where users are settled one by one, whatever the connector does in a run over everybody.
    fits: Option<Fits>,
    /// Whether nothing is asked but what is held already.
    held_already: bool,
    windows: BTreeMap<ConnectorId, Window<'t, 'c>>,
}

/// What the limits of all connectors do.
#[derive(Default)]
pub(super) struct Forecasts {
    /// Those of the connector whose rules are tried, by kind.
    pub(super) limits: BTreeMap<HoldKind, LimitForecast>,
    /// Those of others, by their names.
    pub(super) limits_of_others: BTreeMap<String, BTreeMap<HoldKind, LimitForecast>>,
    /// In which groups how many memberships are kept back.
    pub(super) held_by_group: BTreeMap<String, u64>,
}

impl<'t, 'c> Foresight<'t, 'c> {
    pub(super) fn new(tx: &'t ReadTx<'c>, fits: Fits) -> Self {
        Self {
            tx,
            fits: Some(fits),
            held_already: false,
            windows: BTreeMap::new(),
        }
    }

    /// For decisions that come one by one, and not in a run over everybody.
    pub(super) fn one_by_one(tx: &'t ReadTx<'c>) -> Self {
        Self {
            tx,
            fits: None,
            held_already: false,
            windows: BTreeMap::new(),
        }
    }

    /// For what is held already and stays as it is, whatever the limits let through.
    pub(super) fn held_already(tx: &'t ReadTx<'c>) -> Self {
        Self {
            held_already: true,
            ..Self::one_by_one(tx)
        }
    }

    /// Whether the limits of a connector let a run over everybody through as a whole or not at all.
    pub(super) fn is_all_or_nothing(connector: &LoadedConnector) -> bool {
        let settings = connector.limits.settings();
        settings.enabled && settings.reconcile == ReconcileMode::AllOrNothing
    }

    /// Takes out of a decision about an account of a connector what would be kept back.
    pub(super) fn keep_back(
        &mut self,
        connector: &Arc<LoadedConnector>,
        existing: &StoredAccount,
        outcome: &mut Outcome,
    ) -> Result<Vec<ForeseenHold>, ProvisionError> {
        self.window(connector)?.keep_back(existing, outcome)
    }

    /// Whether the limits let these users of a connector get other names together.
    pub(super) fn lets_rename(
        &mut self,
        connector: &Arc<LoadedConnector>,
        users: &[UserPk],
    ) -> Result<bool, ProvisionError> {
        self.window(connector)?.lets_rename(users)
    }

    fn window(
        &mut self,
        connector: &Arc<LoadedConnector>,
    ) -> Result<&mut Window<'t, 'c>, ProvisionError> {
        let id = connector.connector.id;
        Ok(match self.windows.entry(id) {
            Entry::Occupied(window) => window.into_mut(),
            Entry::Vacant(place) => {
                let manner = match &self.fits {
                    _ if self.held_already => Manner::HeldAlready,
                    Some(fits) if Self::is_all_or_nothing(connector) => match fits.get(&id) {
                        Some(true) => Manner::LetThrough,
                        _ => Manner::Collect,
                    },
                    _ => Manner::InOrder,
                };
                place.insert(Window::new(self.tx, Arc::clone(connector), manner)?)
            }
        })
    }

    /// The last decision does not stand: its user is decided on again, when others have been.
    pub(super) fn forget(&mut self) {
        for window in self.windows.values_mut() {
            window.last = Footprint::default();
        }
    }

    /// The last decision stands: counts it.
    pub(super) fn count(&mut self) {
        self.windows.values_mut().for_each(Window::count);
    }

    /// Whether everything that was kept back is within the limits together, by connector.
    pub(super) fn fits(&self) -> Result<Fits, ProvisionError> {
        let windows = self.windows.iter();
        windows.map(|(id, it)| Ok((*id, it.all_fits()?))).collect()
    }

    /// What the limits do while the rules of a connector are tried.
    pub(super) fn forecasts(self, tried: ConnectorId) -> Result<Forecasts, ProvisionError> {
        let mut all = Forecasts::default();
        for (id, window) in self.windows {
            let limits = window.forecasts()?;
            if id == tried {
                all.limits = limits;
            } else {
                let name = window.connector.connector.name.clone();
                all.limits_of_others.insert(name, limits);
            }
            for (group, count) in window.by_group {
                *all.held_by_group.entry(group).or_default() += count;
            }
        }
        Ok(all)
    }
}

/// The window of a connector's limits as it will be.
struct Window<'t, 'c> {
    tx: &'t ReadTx<'c>,
    connector: Arc<LoadedConnector>,
    manner: Manner,
    unlimited: CompiledLimits,
    since: Timestamp,
    /// What had been let through before.
    used: BTreeMap<Tally, u64>,
    counts: BTreeMap<Tally, u64>,
    of_users: HashMap<UserPk, BTreeSet<Tally>>,
    deletions: BTreeMap<SourceGroupPk, HeldDeletion>,
    bases: RefCell<BTreeMap<Tally, u64>>,
    about: Cell<UserPk>,
    collected: BTreeMap<(HoldKind, String), u64>,
    forecasts: BTreeMap<HoldKind, LimitForecast>,
    by_group: BTreeMap<String, u64>,
    /// What the last decision adds to all these if it stands.
    last: Footprint,
}

/// What one decision counts for.
#[derive(Default)]
struct Footprint {
    collected: Vec<(HoldKind, String)>,
    passed: Vec<Tally>,
    /// Effects with their groups, and whether they are held.
    effects: Vec<(HoldKind, Option<String>, bool)>,
}

impl<'t, 'c> Window<'t, 'c> {
    fn new(
        tx: &'t ReadTx<'c>,
        connector: Arc<LoadedConnector>,
        manner: Manner,
    ) -> Result<Self, ProvisionError> {
        let settings = connector.limits.settings();
        let since = tx.now() - SignedDuration::from_mins(i64::from(settings.window_minutes));
        let id = connector.connector.id;
        let passed = match manner {
            // Nothing is counted, so it makes no difference what was.
            Manner::HeldAlready => PassedByAll {
                deletions: tx.held_deletions(id)?,
                ..PassedByAll::default()
            },
            _ => tx.passed_by_all(id, since)?,
        };
        let unlimited = LimitSettings {
            enabled: false,
            ..settings.clone()
        };
        Ok(Self {
            tx,
            connector,
            manner,
            unlimited: CompiledLimits::new(&unlimited).map_err(ProvisionError::Limits)?,
            since,
            used: passed.counts.clone(),
            counts: passed.counts,
            of_users: passed.of_users,
            deletions: passed.deletions,
            bases: RefCell::default(),
            about: Cell::new(UserPk(0)),
            collected: BTreeMap::new(),
            forecasts: BTreeMap::new(),
            by_group: BTreeMap::new(),
            last: Footprint::default(),
        })
    }

    /// The last decision stands: counts it.
    fn count(&mut self) {
        let last = std::mem::take(&mut self.last);
        for key in last.collected {
            *self.collected.entry(key).or_default() += 1;
        }
        for tally in last.passed {
            if tally.counts_subjects() {
                let of_user = self.of_users.entry(self.about.get()).or_default();
                of_user.insert(tally.clone());
            }
            *self.counts.entry(tally).or_default() += 1;
        }
        for (kind, group, is_held) in last.effects {
            let forecast = self.forecasts.entry(kind).or_default();
            if !is_held {
                forecast.passes += 1;
                continue;
            }
            forecast.held += 1;
            if let Some(group) = group
                && (self.by_group.len() < GROUPS_MAX || self.by_group.contains_key(&group))
            {
                *self.by_group.entry(group).or_default() += 1;
            }
        }
    }

    /// Takes out of a decision what would be kept back.
    fn keep_back(
        &mut self,
        existing: &StoredAccount,
        outcome: &mut Outcome,
    ) -> Result<Vec<ForeseenHold>, ProvisionError> {
        let wanted = plan(Some(&existing.account), outcome);
        if !concerns(&self.connector, existing, &wanted) {
            return Ok(Vec::new());
        }
        self.about.set(existing.user.pk);
        let standing = match existing.holds {
            0 => Vec::new(),
            _ => self.tx.standing_holds(existing.user.pk)?,
        };
        let asks = self.manner != Manner::HeldAlready;
        let below = match asks {
            true => name_below(self.tx, &self.connector, existing, &wanted)?,
            false => None,
        };
        let renames_wait = asks && self.connector.rules.holds_renames();
        let guarding = Guarding {
            account: &existing.account,
            standing: &standing,
            deletions: &self.deletions,
            limits: match self.manner {
                Manner::LetThrough | Manner::HeldAlready => &self.unlimited,
                Manner::InOrder | Manner::Collect => &self.connector.limits,
            },
            name_is_below: below.is_some(),
            renames_wait,
            collects: self.manner == Manner::Collect,
        };
        let guarded = guard(&guarding, outcome, &*self)?;
        // A name about which somebody has to think is within no limit.
        let asks = |kind: HoldKind| kind == HoldKind::Rename && (below.is_some() || renames_wait);
        let begun = guarded.begun.iter().filter(|it| !asks(it.kind));
        self.last.collected = begun
            .map(|held| (held.kind, folded(&held.group).into_owned()))
            .collect();
        self.last.passed = guarded.passed;
        let held = held(outcome, &guarded.begun);
        let effects = wanted.changes.iter().filter_map(|change| {
            let is_held = held.iter().any(|it| it.change == *change);
            let group = change.group_name().map(str::to_owned);
            Some((HoldKind::of(change)?, group, is_held))
        });
        self.last.effects = effects.collect();
        Ok(held)
    }

    /// Whether these users can get other names together. Where everybody is evaluated before anything is let through,
    /// nobody can have a name that another one has as yet.
    fn lets_rename(&self, users: &[UserPk]) -> Result<bool, ProvisionError> {
        let (_, limit) = self.limit_of(HoldKind::Rename);
        match self.manner {
            Manner::HeldAlready => Ok(true),
            Manner::LetThrough | Manner::Collect => Ok(limit.is_none()),
            Manner::InOrder => {
                let counts = |user: &&UserPk| {
                    let of_user = self.of_users.get(user);
                    of_user.is_none_or(|all| !all.contains(&Tally::Renames))
                };
                let fresh = users.iter().filter(counts).count() as u64;
                let renames = BTreeMap::from([((HoldKind::Rename, String::new()), fresh)]);
                all_fit(&self.connector.limits, &renames, self)
            }
        }
    }

    /// Whether everything that was kept back is within the limits together.
    fn all_fits(&self) -> Result<bool, ProvisionError> {
        all_fit(&self.connector.limits, &self.collected, self)
    }

    /// What the limits do, by kind.
    fn forecasts(&self) -> Result<BTreeMap<HoldKind, LimitForecast>, ProvisionError> {
        let mut forecasts = self.forecasts.clone();
        for (kind, forecast) in &mut forecasts {
            let (tally, limit) = self.limit_of(*kind);
            forecast.used = self.used.get(&tally).copied().unwrap_or_default();
            if let Some(limit) = limit {
                forecast.allowed = Some(limit.allowed(self.base(&tally)?));
            }
        }
        Ok(forecasts)
    }

    fn limit_of(&self, kind: HoldKind) -> (Tally, Option<Limit>) {
        let settings = self.connector.limits.settings();
        let (tally, limit) = match kind {
            HoldKind::Deactivation => (Tally::Deactivations, settings.deactivations),
            HoldKind::MembershipRemoval => (Tally::Memberships, settings.memberships),
            HoldKind::GroupDeletion => (Tally::GroupDeletions, settings.group_deletions),
            HoldKind::Rename => (Tally::Renames, settings.renames),
        };
        (tally, limit.filter(|_| settings.enabled))
    }
}

/// What of a decision is kept back.
fn held(outcome: &Outcome, begun: &[Held]) -> Vec<ForeseenHold> {
    outcome
        .kept_back()
        .map(|(change, effect)| ForeseenHold {
            change: change.clone(),
            by: effect.as_str().to_owned(),
            stands: effect.as_str() != BREAK_GLASS && begun.iter().all(|it| it.change != *change),
        })
        .collect()
}

impl WindowCounts for Window<'_, '_> {
    type Error = ProvisionError;

    fn passed(&self, tally: &Tally) -> u64 {
        self.counts.get(tally).copied().unwrap_or_default()
    }

    fn has_passed(&self, tally: &Tally) -> bool {
        let of_user = self.of_users.get(&self.about.get());
        of_user.is_some_and(|all| all.contains(tally))
    }

    fn base(&self, tally: &Tally) -> Result<u64, ProvisionError> {
        if let Some(base) = self.bases.borrow().get(tally) {
            return Ok(*base);
        }
        let connector = &self.connector.connector;
        let base = match self.tx.limit_base(connector.id, tally, self.since)? {
            Some(base) => base,
            None => {
                let used = self.used.get(tally).copied().unwrap_or_default();
                count_base(self.tx, connector, tally, used)?
            }
        };
        self.bases.borrow_mut().insert(tally.clone(), base);
        Ok(base)
    }
}
