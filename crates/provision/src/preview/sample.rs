//! Samples: what rules would do to a few users and groups, at once and without keeping anything (US-13).

use std::sync::Arc;

use directory::{ConnectorId, Rules, SourceGroupPk};
use serde::{Deserialize, Serialize};
use store::{ReadTx, StandingFilter};

use super::find_user;
use super::simulation::{Audience, Range, Simulation};
use super::user::PreviewedUser;
use crate::loaded::LoadedConnector;
use crate::{Provision, ProvisionError};

/// Users a sample looks at to find some for whom something would change.
const LOOKED_AT: usize = 200;
/// Source groups a sample looks at.
const GROUPS_LOOKED_AT: usize = 500;

/// What to show of whom.
#[derive(Debug, Clone, Default)]
pub struct SampleWish {
    /// The rules to try.
    pub rules: Rules,
    /// Somebody who is shown in any case, by `userName` or SCIM `id`.
    pub user: Option<String>,
    /// How many users to show.
    pub users: usize,
    /// How many groups to show.
    pub groups: usize,
}

/// A few users and groups, as they are and as they would be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Users, those for whom something would change first.
    pub users: Vec<PreviewedUser>,
    /// Groups, likewise.
    pub groups: Vec<SampledGroup>,
    /// How many users were looked at.
    pub looked_at: u64,
    /// For how many of them products would see a difference.
    pub changed: u64,
    /// How many of them would have a trouble that they do not have now.
    pub problems: u64,
}

/// A group of the identity provider, and the groups that its members get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledGroup {
    /// Its name at the identity provider.
    pub name: String,
    /// What becomes of it by the rules in force.
    pub before: Vec<String>,
    /// What would become of it.
    pub after: Vec<String>,
}

impl SampledGroup {
    fn changes(&self) -> bool {
        self.before != self.after
    }
}

impl Provision {
    /// What rules would do to a few of a connector's users and groups. Its cost does not grow with the connector.
    pub fn sample_rules(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        wish: &SampleWish,
    ) -> Result<Sample, ProvisionError> {
        let present = self.require_connector(tx, connector)?;
        let tried = Arc::new(present.with_rules(tx, wish.rules.clone())?);
        let mut shown = Vec::new();
        if let Some(name) = wish.user.as_deref() {
            let range = Range::User(find_user(tx, connector, name)?);
            let mut one = Few::default();
            Simulation::new(self, tx, &present, &tried, &mut one).run(range)?;
            shown = one.users;
        }
        let mut few = Few::default();
        let summary =
            Simulation::new(self, tx, &present, &tried, &mut few).run(Range::First(LOOKED_AT))?;
        let (changed, same): (Vec<_>, Vec<_>) = few
            .users
            .into_iter()
            .partition(PreviewedUser::is_noteworthy);
        for user in changed.into_iter().chain(same) {
            if shown.len() < wish.users && shown.iter().all(|one| one.id != user.id) {
                shown.push(user);
            }
        }
        Ok(Sample {
            users: shown,
            groups: groups(tx, (&present, &tried), wish.groups)?,
            looked_at: summary.users,
            changed: summary.changed,
            problems: summary.problems,
        })
    }
}

/// Keeps everybody it hears of.
#[derive(Default)]
struct Few {
    users: Vec<PreviewedUser>,
}

impl Audience for Few {
    fn user(&mut self, user: PreviewedUser) -> Result<(), ProvisionError> {
        self.users.push(user);
        Ok(())
    }

    fn progress(&mut self, _looked_at: u64) -> Result<(), ProvisionError> {
        Ok(())
    }

    fn wants_everybody(&self) -> bool {
        true
    }
}

fn groups(
    tx: &ReadTx<'_>,
    (present, tried): (&LoadedConnector, &LoadedConnector),
    most: usize,
) -> Result<Vec<SampledGroup>, ProvisionError> {
    let limit = i64::try_from(GROUPS_LOOKED_AT).unwrap_or(i64::MAX);
    let connector = present.connector.id;
    let found = tx.connector_groups(connector, StandingFilter::Any, SourceGroupPk(0), limit)?;
    let sampled = found.into_iter().map(|listed| {
        let seen = listed
            .standing
            .clone()
            .seen(listed.group.pk, listed.group.display_name.clone());
        SampledGroup {
            before: present.rules.effective_groups(&seen),
            after: tried.rules.effective_groups(&seen),
            name: listed.group.display_name,
        }
    });
    let (changed, same): (Vec<_>, Vec<_>) = sampled.partition(SampledGroup::changes);
    Ok(changed.into_iter().chain(same).take(most).collect())
}
