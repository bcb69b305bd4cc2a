//! Users for whom switches of the rules keep something back (MO-05 to MO-08).

use directory::trace::Suppressed;
use directory::{ConnectorId, UserPk};
use jiff::Timestamp;

use crate::{ReadTx, Row, StoreError, WriteTx, args, connectors::json};

/// Where a list of them goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SuppressedPlace {
    /// Whether only those are left whose user the IdP deleted: they come after the others.
    pub deleted: bool,
    /// The number of the last one.
    pub last: i64,
}

/// Somebody for whom switches keep something back.
#[derive(Debug, Clone)]
pub struct SuppressedUser {
    /// Where it stands in the list.
    pub place: SuppressedPlace,
    /// The SCIM `id` and the document; none if the IdP deleted the user.
    pub source: Option<(String, String)>,
    /// Key and name of the account, if there is one.
    pub account: Option<(String, String)>,
    /// The switches.
    pub switches: Vec<Suppressed>,
    /// Since when it is so.
    pub since: Timestamp,
}

impl ReadTx<'_> {
    /// Those of a connector for whom switches keep something back, behind a place.
    pub fn suppressed_users(
        &self,
        connector: ConnectorId,
        behind: SuppressedPlace,
        limit: i64,
    ) -> Result<Vec<SuppressedUser>, StoreError> {
        let mut found = Vec::new();
        if !behind.deleted {
            found = self.query(
                "SELECT e.source_user_pk, e.suppressed, e.suppressed_since, u.id, u.document, d.key, d.name \
                 FROM value_error e JOIN source_user u ON u.pk = e.source_user_pk \
                 LEFT JOIN directory_user d ON d.source_user_pk = e.source_user_pk AND d.status <> 'removed' \
                 WHERE e.connector_pk = $1 AND e.suppressed <> '[]' AND e.source_user_pk > $2 \
                 ORDER BY e.source_user_pk LIMIT $3",
                args![connector.0, behind.last, limit],
                |row| {
                    Ok(SuppressedUser {
                        source: Some((row.text(3)?, row.text(4)?)),
                        account: row.opt_text(5)?.zip(row.opt_text(6)?),
                        ..read(row, false)?
                    })
                },
            )?;
        }
        let room = limit - i64::try_from(found.len()).unwrap_or(limit);
        if room > 0 {
            let last = if behind.deleted { behind.last } else { 0 };
            found.extend(self.query(
                "SELECT s.user_pk, s.suppressed, s.since, d.key, d.name FROM suppressed_account s \
                 JOIN directory_user d ON d.pk = s.user_pk \
                 WHERE s.connector_pk = $1 AND s.user_pk > $2 ORDER BY s.user_pk LIMIT $3",
                args![connector.0, last, room],
                |row| {
                    Ok(SuppressedUser {
                        account: Some((row.text(3)?, row.text(4)?)),
                        ..read(row, true)?
                    })
                },
            )?);
        }
        Ok(found)
    }
}

fn read(row: &Row<'_>, deleted: bool) -> Result<SuppressedUser, StoreError> {
    Ok(SuppressedUser {
        place: SuppressedPlace {
            deleted,
            last: row.int(0)?,
        },
        source: None,
        account: None,
        switches: serde_json::from_str(row.str(1)?)
            .map_err(|error| StoreError::corrupt(format!("suppressed: {error}")))?,
        since: row.time(2)?,
    })
}

impl WriteTx<'_> {
    /// Notes what switches keep back from an account whose user the IdP deleted; nothing, if nothing. What was so before
    /// stays as it is.
    pub fn note_suppressed_account(
        &self,
        connector: ConnectorId,
        user: UserPk,
        suppressed: &[Suppressed],
    ) -> Result<(), StoreError> {
        if suppressed.is_empty() {
            return self.clear_suppressed_account(user);
        }
        self.execute(
            "INSERT INTO suppressed_account (user_pk, connector_pk, suppressed, since) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (user_pk) DO UPDATE SET suppressed = excluded.suppressed, since = excluded.since, \
             connector_pk = excluded.connector_pk WHERE suppressed_account.suppressed <> excluded.suppressed",
            args![user.0, connector.0, json(&suppressed)?, self.now()],
        )?;
        Ok(())
    }

    /// Notes that nothing is kept back from an account by the deletion of its user.
    pub fn clear_suppressed_account(&self, user: UserPk) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM suppressed_account WHERE user_pk = $1",
            args![user.0],
        )?;
        Ok(())
    }
}
