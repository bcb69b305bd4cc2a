//! Recording what identity providers read, for as long as somebody wants to look at it.

use directory::ConnectorId;
use jiff::{SignedDuration, Timestamp};
use store::Scope;

use crate::webhooks::later;
use crate::{Provision, ProvisionError};

/// Reads are recorded for no longer than a week.
const HOURS_MAX: u32 = 7 * 24;

impl Provision {
    /// Has reads of a connector recorded for so many hours from now on, or no more. Gives until when.
    pub async fn record_reads(
        &self,
        connector: ConnectorId,
        hours: u32,
    ) -> Result<Option<Timestamp>, ProvisionError> {
        if hours > HOURS_MAX {
            return Err(ProvisionError::invalid(
                "hours",
                format!("has to be 0 to {HOURS_MAX}"),
            ));
        }
        self.store()
            .write(Scope::Settings, move |tx| {
                let time = SignedDuration::from_hours(hours.into());
                let until = (hours > 0).then(|| later(tx.now(), time));
                tx.set_reads_recorded(connector, until)?;
                Ok(until)
            })
            .await
    }
}
