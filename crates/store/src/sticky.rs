//! Users who stay disabled although their identity provider says otherwise (KA-07).

use directory::{ConnectorId, DirectoryId, Reason, Status, UserPk};
use jiff::Timestamp;

use crate::directory_users::read_status;
use crate::{ReadTx, StoreError, args};

/// A user who stays disabled until an administrator says otherwise, or until a time comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickyUser {
    /// The row.
    pub pk: UserPk,
    /// The stable key.
    pub key: String,
    /// The user name.
    pub name: String,
    /// The full name.
    pub display_name: String,
    /// The e-mail address.
    pub email: String,
    /// The connector that owns the user.
    pub connector: ConnectorId,
    /// The identity provider's id.
    pub external_id: Option<String>,
    /// Disabled or anonymised.
    pub status: Status,
    /// An administrator's word, or days without a log-in.
    pub reason: Reason,
    /// Since when; unknown if it is so since before that was kept.
    pub since: Option<Timestamp>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// The last log-in that a product told of.
    pub last_login: Option<Timestamp>,
}

impl ReadTx<'_> {
    /// Users of a directory who stay disabled, for this reason or for any, from a place on.
    pub fn sticky_users(
        &self,
        directory: DirectoryId,
        reason: Option<Reason>,
        behind: UserPk,
        limit: i64,
    ) -> Result<Vec<StickyUser>, StoreError> {
        let reason = reason.map_or("", Reason::as_str);
        self.query(
            "SELECT pk, key, name, display_name, email, connector_pk, external_id, status, reason, status_since, \
             stays_until, last_login FROM directory_user \
             WHERE directory_pk = $1 AND reason IN ('MANUAL', 'INACTIVITY_RULE') AND status <> 'active' \
             AND status <> 'removed' AND connector_pk IS NOT NULL AND pk > $2 AND ($3 = '' OR reason = $3) \
             ORDER BY pk LIMIT $4",
            args![directory.0, behind.0, reason, limit],
            |row| {
                Ok(StickyUser {
                    pk: UserPk(row.int(0)?),
                    key: row.text(1)?,
                    name: row.text(2)?,
                    display_name: row.text(3)?,
                    email: row.text(4)?,
                    connector: ConnectorId(row.int(5)?),
                    external_id: row.opt_text(6)?,
                    status: read_status(row, 7)?,
                    reason: Reason::parse(row.str(8)?)
                        .ok_or_else(|| StoreError::corrupt("directory_user.reason"))?,
                    since: row.opt_time(9)?,
                    until: row.opt_time(10)?,
                    last_login: row.opt_time(11)?,
                })
            },
        )
    }
}
