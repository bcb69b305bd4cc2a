//! Whether an identity provider or a product has stopped coming, told from when it came.

use directory::rhythm::{is_silent, may_be_silent, usual_pause};
use directory::{ApplicationId, ConnectorId};
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

impl SilenceReport {
    /// From when somebody came, the newest first, and when they were last heard of in whatever way.
    fn new(moments: &[Timestamp], last_heard: Option<Timestamp>, now: Timestamp) -> Self {
        let usual = usual_pause(moments);
        let away = last_heard.map(|at| now.duration_since(at));
        Self {
            last_heard,
            usual_pause: usual,
            silent: usual
                .zip(away)
                .is_some_and(|(usual, away)| is_silent(usual, away)),
        }
    }
}

/// Whether somebody comes as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It was last heard of then, as it usually is.
    Here(Timestamp),
    /// It was last heard of then, and usually comes so often.
    Silent(Timestamp, SignedDuration),
}

impl Presence {
    /// Whether it has been away for much longer than usual.
    pub fn is_silent(self) -> bool {
        matches!(self, Presence::Silent(..))
    }

    /// Told from a report; of somebody who comes too seldom to have a rhythm nothing is told.
    fn of(report: SilenceReport, now: Timestamp) -> Option<Self> {
        let last = report.last_heard?;
        match (report.usual_pause, report.silent) {
            (Some(usual), true) => Some(Presence::Silent(last, usual)),
            (Some(_), false) => Some(Presence::Here(last)),
            (None, _) => (!may_be_silent(now.duration_since(last))).then_some(Presence::Here(last)),
        }
    }
}

/// When the identity provider of a connector came last, and how often it usually does.
pub fn silence_report(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
) -> Result<SilenceReport, StoreError> {
    let moments = tx.request_times(connector, MOMENTS)?;
    let last_heard = last_heard(tx, connector, moments.first().copied())?;
    Ok(SilenceReport::new(&moments, last_heard, tx.now()))
}

/// When a product came last to fetch, and how often it usually does.
pub fn poll_report(
    tx: &ReadTx<'_>,
    application: ApplicationId,
) -> Result<SilenceReport, StoreError> {
    let polls = tx.polls(application)?;
    Ok(SilenceReport::new(&polls, polls.first().copied(), tx.now()))
}

/// Whether the identity provider of a connector comes as usual. Of one that came lately nothing more is read than that,
/// since it is asked for again and again.
pub fn presence(tx: &ReadTx<'_>, connector: ConnectorId) -> Result<Option<Presence>, StoreError> {
    let now = tx.now();
    let newest = tx.request_times(connector, 1)?.pop();
    match last_heard(tx, connector, newest)? {
        None => Ok(None),
        Some(last) if !may_be_silent(now.duration_since(last)) => Ok(Some(Presence::Here(last))),
        Some(_) => Ok(Presence::of(silence_report(tx, connector)?, now)),
    }
}

/// Whether a product comes to fetch as usual.
pub(super) fn product_presence(
    tx: &ReadTx<'_>,
    application: ApplicationId,
) -> Result<Option<Presence>, StoreError> {
    Ok(Presence::of(poll_report(tx, application)?, tx.now()))
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
