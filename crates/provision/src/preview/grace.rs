//! Grace: what comes for those who keep their accounts only until a grace time ends (US-24).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use directory::{
    Change, ConnectorId, HoldKind, Moment, Operation, Outcome, Plan, SourceGroup, Trigger, apply,
    plan,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{ReadTx, StoredAccount};

use super::foresight::{ForeseenHold, Foresight, LimitForecast};
use super::overlay::Overlay;
use super::user::tell;
use crate::decide::{Occasion, decide};
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::sharing::contribution;
use crate::{Provision, ProvisionError};

/// What becomes of an account when its grace time ends, if nothing else happens before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterGrace {
    /// When that is.
    pub at: Timestamp,
    /// What it is.
    pub operations: BTreeSet<Operation>,
    /// What would be done, in the words of the journal.
    pub changes: Vec<Change>,
    /// What would be kept back, and is not among these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<ForeseenHold>,
}

/// The same of everybody, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GraceForecast {
    /// When the first grace time ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// How many users have which operation then.
    pub operations: BTreeMap<Operation, u64>,
    /// What the safety limits would let through and hold then, by kind, with what they have let through by now.
    pub limits: BTreeMap<HoldKind, LimitForecast>,
    /// The same for the limits of other connectors, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits_of_others: BTreeMap<String, BTreeMap<HoldKind, LimitForecast>>,
}

/// The same rules without a grace time, for those who are in one.
pub(super) struct Graces<'t, 'c> {
    provision: &'t Provision,
    tx: &'t ReadTx<'c>,
    ended: Arc<LoadedConnector>,
    foresight: Option<Foresight<'t, 'c>>,
    forecast: GraceForecast,
}

impl<'t, 'c> Graces<'t, 'c> {
    /// None if the rules leave nobody in a grace time.
    pub(super) fn of(
        provision: &'t Provision,
        tx: &'t ReadTx<'c>,
        tried: &LoadedConnector,
    ) -> Option<Self> {
        tried.rules.has_grace().then(|| Self {
            provision,
            tx,
            ended: Arc::new(tried.without_grace()),
            foresight: None,
            forecast: GraceForecast::default(),
        })
    }

    /// Looks at what the safety limits would hold as well.
    pub(super) fn look_at_limits(&mut self) {
        self.foresight = Some(Foresight::one_by_one(self.tx));
    }

    /// What becomes of an account that has been decided about, at the end of its grace time; none if nothing does.
    pub(super) fn look_ahead(
        &mut self,
        world: &Overlay<'_, '_>,
        (person, groups): (&Person<'_>, Vec<SourceGroup>),
        (existing, before): (&StoredAccount, &Plan),
        at: Timestamp,
    ) -> Result<Option<AfterGrace>, ProvisionError> {
        let Some(account) = then(existing, before) else {
            return Ok(None);
        };
        let occasion = Occasion {
            now: at,
            trigger: Trigger::Reconcile,
            moment: Moment::Later,
        };
        let facts = Facts {
            groups,
            account: Some(account.clone()),
        };
        let outcome = decide(world, &self.ended, person, facts, occasion)?.outcome;
        let ended = Arc::clone(&self.ended);
        self.told(&ended, &account, outcome, at)
    }

    /// The same of an account of another connector, to which the rules only give: what they give ends.
    pub(super) fn look_ahead_shared(
        &mut self,
        world: &Overlay<'_, '_>,
        about: (&Person<'_>, &[SourceGroup]),
        (existing, before): (&StoredAccount, &Plan),
        at: Timestamp,
    ) -> Result<Option<AfterGrace>, ProvisionError> {
        let Some(account) = then(existing, before) else {
            return Ok(None);
        };
        let occasion = (at, Trigger::Reconcile);
        let gives = contribution(world, &self.ended, about, (&account, None), occasion)?;
        match self.provision.jointly(self.tx, &account, gives, at)? {
            Some((owner, outcome)) => self.told(&owner, &account, outcome, at),
            None => Ok(None),
        }
    }

    /// What a decision of the connector of an account makes of it; none if there is nothing to tell.
    fn told(
        &mut self,
        owner: &Arc<LoadedConnector>,
        account: &StoredAccount,
        mut outcome: Outcome,
        at: Timestamp,
    ) -> Result<Option<AfterGrace>, ProvisionError> {
        let held = match &mut self.foresight {
            Some(foresight) => foresight.keep_back(owner, account, &mut outcome)?,
            None => Vec::new(),
        };
        let plan = plan(Some(&account.account), &outcome);
        let mut operations = Operation::all_of(&plan, &outcome, false, false);
        if !held.is_empty() {
            tell(&mut operations, Operation::Held);
        }
        let is_told = |operation: &Operation| operation.is_seen() || *operation == Operation::Held;
        if !operations.iter().any(is_told) {
            self.forget();
            return Ok(None);
        }
        Ok(Some(AfterGrace {
            at,
            operations,
            changes: plan.changes,
            held,
        }))
    }

    /// The last look ahead does not stand.
    pub(super) fn forget(&mut self) {
        if let Some(foresight) = &mut self.foresight {
            foresight.forget();
        }
    }

    /// The last look ahead stands: counts it.
    pub(super) fn count(&mut self, after: &AfterGrace) {
        if let Some(foresight) = &mut self.foresight {
            foresight.count();
        }
        let first = self.forecast.first;
        self.forecast.first = Some(first.map_or(after.at, |first| first.min(after.at)));
        for operation in &after.operations {
            let count = self.forecast.operations.entry(*operation).or_default();
            *count += 1;
        }
    }

    /// What comes of everybody while the rules of a connector are tried.
    pub(super) fn forecast(self, tried: ConnectorId) -> Result<GraceForecast, ProvisionError> {
        let mut forecast = self.forecast;
        if let Some(foresight) = self.foresight {
            let all = foresight.forecasts(tried)?;
            forecast.limits = all.limits;
            forecast.limits_of_others = all.limits_of_others;
        }
        Ok(forecast)
    }
}

/// An account as it is once a plan has been carried out; none if there is none then.
fn then(existing: &StoredAccount, before: &Plan) -> Option<StoredAccount> {
    let account = apply(Some(&existing.account), before)?;
    Some(StoredAccount {
        account,
        ..existing.clone()
    })
}
