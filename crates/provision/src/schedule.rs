//! Connectors that are reconciled by themselves, each run by one node.

use directory::{Connector, ConnectorId, ConnectorState, JobKind};
use store::WriteTx;

use crate::jobs::begin_sweep;
use crate::{Provision, ProvisionError};

/// Who acts when nobody does.
const ACTOR: &str = "schedule";

impl Provision {
    /// Begins the runs whose time has come. A run that a node began is none any more for the others: what they would
    /// begin is checked in the transaction that plans the next one.
    pub async fn run_schedules(&self) -> Result<(), ProvisionError> {
        let due: Vec<ConnectorId> = self
            .store()
            .read(|tx| Ok::<_, ProvisionError>(tx.scheduled_connectors()?))
            .await?;
        for id in due {
            let place = self.place_of(id).await?;
            self.write_at(place, |_, tx, connector| run(tx, &connector.connector))
                .await?;
        }
        Ok(())
    }
}

fn run(tx: &WriteTx<'_>, connector: &Connector) -> Result<(), ProvisionError> {
    let next = tx.connector_times(connector.id)?.next_run;
    if next.is_none_or(|next| next > tx.now()) {
        return Ok(());
    }
    // What is paused catches up when it is active again; what is disabled has nothing new.
    if connector.state == ConnectorState::Active {
        begin_sweep(tx, connector, JobKind::Reconcile, ACTOR)?;
    }
    plan_next_run(tx, connector)
}

/// Notes when a connector is to be reconciled next.
pub(crate) fn plan_next_run(tx: &WriteTx<'_>, connector: &Connector) -> Result<(), ProvisionError> {
    let wrong = |message| ProvisionError::invalid("schedule", message);
    let timing = match &connector.settings.schedule {
        Some(schedule) => schedule.compile().map_err(wrong)?,
        None => None,
    };
    let next = timing.and_then(|timing| timing.next(tx.now(), &connector.public_id));
    Ok(tx.set_next_run(connector.id, next)?)
}
