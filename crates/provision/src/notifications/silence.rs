//! Whether an identity provider has stopped coming, told from when it came.

use directory::ConnectorId;
use directory::rhythm::{is_silent, may_be_silent, usual_pause};
use jiff::{SignedDuration, Timestamp};
use store::{ReadTx, StoreError, TokenKind};

/// From so many requests the rhythm of a connector is told.
const MOMENTS: i64 = 2_000;

/// When somebody came last, and how often usually.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SilenceReport {
    /// When it last asked for anything.
    pub last_heard: Option<Timestamp>,
    /// How much time usually passes between its visits, if enough of them are on record.
    pub usual_pause: Option<SignedDuration>,
    /// Whether it has been away for much longer.
    pub silent: bool,
}

/// When the identity provider of a connector came last, and how often it usually does.
pub fn silence_report(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
) -> Result<SilenceReport, StoreError> {
    let moments = tx.request_times(connector, MOMENTS)?;
    let last_heard = last_heard(tx, connector, moments.first().copied())?;
    let usual = usual_pause(&moments);
    let away = last_heard.map(|at| tx.now().duration_since(at));
    Ok(SilenceReport {
        last_heard,
        usual_pause: usual,
        silent: usual
            .zip(away)
            .is_some_and(|(usual, away)| is_silent(usual, away)),
    })
}

/// The report of a connector whose identity provider is silent; none of any other. Of one that came lately nothing more is
/// read than that, since it is asked for again and again.
pub(super) fn silent(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
) -> Result<Option<SilenceReport>, StoreError> {
    let newest = tx.request_times(connector, 1)?.pop();
    let away = last_heard(tx, connector, newest)?.map(|at| tx.now().duration_since(at));
    if !away.is_some_and(may_be_silent) {
        return Ok(None);
    }
    let report = silence_report(tx, connector)?;
    Ok(Some(report).filter(|report| report.silent))
}

/// When a connector was last heard of: by its newest request on record, or by a token, since plain reads are not on record.
fn last_heard(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    newest: Option<Timestamp>,
) -> Result<Option<Timestamp>, StoreError> {
    let tokens = tx.tokens(TokenKind::Scim(connector))?;
    let used = tokens.iter().filter_map(|token| token.last_used);
    Ok(used.chain(newest).max())
}
