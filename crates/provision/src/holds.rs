//! Decisions about holds: approved, rejected, and carried out.

use directory::name::folded;
use directory::{
    Cause, ConnectorId, ConnectorState, HoldKind, HoldState, JobKind, Limit, Tally, Trigger,
    WindowCounts,
};
use jiff::{SignedDuration, Timestamp};
use store::{HoldChoice, ReadTx, Scope, WriteTx};

use crate::hold_jobs::begin_decision;
use crate::loaded::LoadedConnector;
use crate::nesting::settle_children;
use crate::safety::Window;
use crate::settle::AT_ONCE_MAX;
use crate::{BegunJob, Provision, ProvisionError};

/// How long a hold may wait until it is reported.
const ESCALATED_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How long what was let through is remembered: longer than any window.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(25);
/// Groups for which [`Provision::limits`] tells how much is left.
const GROUPS_SHOWN_MAX: i64 = 100;

/// What became of a decision about holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldsDecided {
    /// How many holds it was about.
    pub decided: u64,
    /// How many of the connector are still open.
    pub open: i64,
}

/// What came of a decision about holds.
#[derive(Debug)]
pub enum HoldsAnswer {
    /// They were few: all of it is done.
    Now(HoldsDecided),
    /// They are many: a job decides.
    Later(Box<BegunJob>),
}

/// How much of a connector's limits is used up.
#[derive(Debug, Clone)]
pub struct LimitReport {
    /// When the window began: what happened earlier counts no more.
    pub since: Timestamp,
    /// One line for each limit.
    pub uses: Vec<LimitUse>,
}

/// How much of one limit is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitUse {
    /// Its name in the settings.
    pub limit: &'static str,
    /// The group, if it is about one; by its folded name if it is gone.
    pub group: Option<String>,
    /// How many were let through in the window.
    pub passed: u64,
    /// How many may be; none if there is no limit.
    pub allowed: Option<u64>,
    /// Of how many a share was taken.
    pub of: u64,
}

impl LimitUse {
    /// How many more may be let through; none if there is no limit.
    pub fn left(&self) -> Option<u64> {
        self.allowed
            .map(|allowed| allowed.saturating_sub(self.passed))
    }
}

impl Provision {
    /// Approves holds of a connector: each user is evaluated anew with the hold lifted, so that what takes effect is
    /// what the IdP says by then. Many are a job.
    pub async fn approve_holds(
        &self,
        connector: ConnectorId,
        choice: HoldChoice,
        actor: &str,
    ) -> Result<HoldsAnswer, ProvisionError> {
        let decided = self
            .decide_holds(connector, choice, JobKind::ApproveHolds, actor)
            .await?;
        self.wake_worker();
        Ok(decided)
    }

    /// Rejects open holds of a connector: what they keep back stays kept back until the IdP says something else. Many are
    /// a job.
    pub async fn reject_holds(
        &self,
        connector: ConnectorId,
        choice: HoldChoice,
        actor: &str,
    ) -> Result<HoldsAnswer, ProvisionError> {
        let decided = self
            .decide_holds(connector, choice, JobKind::RejectHolds, actor)
            .await?;
        self.wake_worker();
        Ok(decided)
    }

    async fn decide_holds(
        &self,
        connector: ConnectorId,
        choice: HoldChoice,
        kind: JobKind,
        actor: &str,
    ) -> Result<HoldsAnswer, ProvisionError> {
        let directory = self.directory_of(connector).await?;
        let (this, actor) = (self.clone(), actor.to_owned());
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let state = kind.decides().unwrap_or(HoldState::Rejected);
                let at_once = AT_ONCE_MAX as i64;
                if choice.id.is_none() && tx.count_open_holds(connector, &choice)? > at_once {
                    let loaded = this.require_connector(tx, connector)?;
                    let begun = begin_decision(tx, &loaded.connector, kind, &choice, &actor)?;
                    return Ok(HoldsAnswer::Later(Box::new(begun)));
                }
                let decided = tx.decide_holds(connector, &choice, state, &actor)?;
                if state == HoldState::Approved {
                    let loaded = this.require_connector(tx, connector)?;
                    if loaded.connector.state == ConnectorState::Active {
                        this.release_approved(tx, &loaded, at_once, "")?;
                    }
                }
                let open = tx.hold_figures(connector)?.open;
                Ok(HoldsAnswer::Now(HoldsDecided { decided, open }))
            })
            .await
    }

    /// Lets approved holds take effect, by a request if it is known. Returns how many.
    pub(crate) fn release_approved(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        limit: i64,
        request: &str,
    ) -> Result<u64, ProvisionError> {
        let id = connector.connector.id;
        let approved = tx.approved_holds(id, limit)?;
        for (hold, user, by) in &approved {
            let cause = Cause {
                trigger: Trigger::Reconcile,
                connector: Some(id),
                actor: by.clone(),
                request: request.to_owned(),
            };
            let Some(user) = *user else {
                let kind = tx.hold(*hold)?.map(|it| it.kind);
                if let (Some(HoldKind::MembershipRemoval), Some(group)) =
                    (kind, tx.group_of_deletion(*hold)?)
                {
                    settle_children(tx, connector, group, None, &cause)?;
                    if tx.hold_state(*hold)? == Some(HoldState::Approved) {
                        tx.end_hold(*hold, None, HoldState::Cancelled)?;
                    }
                    continue;
                }
                if let Some(group) = tx.group_of_deletion(*hold)? {
                    tx.mark_members_of_directory_group_due(id, group, &cause)?;
                    tx.mark_departed_of_directory_group_due(id, group)?;
                }
                tx.end_hold(*hold, None, HoldState::Released)?;
                continue;
            };
            // The look at one of a user's holds settles all of them.
            if tx.hold_state(*hold)? != Some(HoldState::Approved) {
                continue;
            }
            let settled = tx.attempt(|tx| match tx.account(user)? {
                Some(account) => match account.source {
                    Some(source) => self.settle(tx, connector, source, &cause),
                    None => self.settle_deleted(tx, connector, &account, &cause),
                },
                None => Ok(()),
            })?;
            if let Err(error) = settled {
                tracing::error!(%error, hold, "a user cannot be evaluated, so the hold is open again");
                tx.reopen_hold(*hold)?;
            } else if tx.hold_state(*hold)? == Some(HoldState::Approved) {
                tx.end_hold(*hold, Some(user), HoldState::Released)?;
            }
        }
        Ok(approved.len() as u64)
    }

    /// What time does to holds: those that may be approved unasked are, those that wait for long are reported, and
    /// what counts no more is forgotten.
    pub async fn keep_holds(&self) -> Result<(), ProvisionError> {
        let patient = self
            .store()
            .read(move |tx| {
                let mut patient = Vec::new();
                for stored in tx.connectors()? {
                    let after = stored.connector.settings.limits.auto_approve_after_minutes;
                    if let Some(minutes) = after {
                        let before = tx.now() - SignedDuration::from_mins(i64::from(minutes));
                        patient.push((stored.connector.id, before));
                    }
                }
                Ok::<_, ProvisionError>(patient)
            })
            .await?;
        for (connector, before) in patient {
            let choice = HoldChoice {
                before: Some(before),
                ..HoldChoice::default()
            };
            self.approve_holds(connector, choice, "approved by time")
                .await?;
        }
        let waiting = self
            .store()
            .write(Scope::Settings, move |tx| {
                tx.forget_passed(tx.now() - REMEMBERED)?;
                Ok::<_, ProvisionError>(tx.escalate_holds(tx.now() - ESCALATED_AFTER)?)
            })
            .await?;
        for (connector, count) in waiting {
            tracing::warn!(
                connector,
                count,
                "held changes have waited for more than 24 hours; see `vestibule holds list`"
            );
        }
        Ok(())
    }

    /// How much of a connector's limits is used up at this moment.
    pub fn limits(
        &self,
        tx: &ReadTx<'_>,
        connector: &LoadedConnector,
    ) -> Result<LimitReport, ProvisionError> {
        let settings = connector.limits.settings().clone();
        let minutes = i64::from(settings.window_minutes);
        let since = tx.now() - SignedDuration::from_mins(minutes);
        let id = connector.connector.id;
        let groups = tx.passed_by_group(id, since, GROUPS_SHOWN_MAX)?;
        let names = groups.iter().map(|(group, _)| group.clone());
        let window = Window::with_groups(tx, connector, names)?;
        let mut uses = vec![
            use_of(
                &window,
                "deactivations",
                Tally::Deactivations,
                settings.deactivations,
            )?,
            use_of(
                &window,
                "memberships",
                Tally::Memberships,
                settings.memberships,
            )?,
            use_of(
                &window,
                "group_deletions",
                Tally::GroupDeletions,
                settings.group_deletions,
            )?,
            use_of(&window, "renames", Tally::Renames, settings.renames)?,
        ];
        if settings.leavers > 0 {
            let limit = Some(Limit::new(settings.leavers, 0));
            uses.push(use_of(&window, "leavers", Tally::Leavers, limit)?);
        }
        for (group, _) in groups {
            let tally = Tally::GroupMemberships(folded(&group).into_owned());
            let limit = settings.group_memberships;
            let known = tx.directory_group(connector.connector.directory, &group)?;
            uses.push(LimitUse {
                group: Some(known.map_or(group, |known| known.name)),
                ..use_of(&window, "group_memberships", tally, limit)?
            });
        }
        Ok(LimitReport { since, uses })
    }
}

fn use_of(
    window: &Window<'_, '_>,
    limit: &'static str,
    tally: Tally,
    set: Option<Limit>,
) -> Result<LimitUse, ProvisionError> {
    let of = match set {
        Some(limit) if limit.percent > 0 => window.base(&tally)?,
        _ => 0,
    };
    Ok(LimitUse {
        limit,
        passed: window.passed(&tally),
        allowed: set.map(|limit| limit.allowed(of)),
        of,
        group: match tally {
            Tally::GroupMemberships(group) => Some(group),
            _ => None,
        },
    })
}
