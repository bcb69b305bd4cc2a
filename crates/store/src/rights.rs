//! What those who administer this server may do: a role, and perhaps a bound to some connectors.

use directory::{ConnectorId, DirectoryId};

use crate::connectors::json;
use crate::{Role, Row, StoreError, StoredConnector};

/// What an administrator or a token of the admin API may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// What kind of thing.
    pub role: Role,
    /// Only with these connectors and what is theirs alone; none for everything.
    pub connectors: Option<Vec<ConnectorId>>,
}

impl Rights {
    /// All that a role may do.
    pub fn of(role: Role) -> Self {
        Self {
            role,
            connectors: None,
        }
    }

    /// Whether a connector is within these rights.
    pub fn reach(&self, connector: ConnectorId) -> bool {
        let bound = self.connectors.as_ref();
        bound.is_none_or(|bound| bound.contains(&connector))
    }

    /// Whether a directory is: whether all connectors that write to it are, and there is one.
    pub fn reach_directory(&self, directory: DirectoryId, connectors: &[StoredConnector]) -> bool {
        if self.connectors.is_none() {
            return true;
        }
        let writing = || {
            let all = connectors.iter().map(|stored| &stored.connector);
            all.filter(|connector| connector.directory == directory)
        };
        writing().next().is_some() && writing().all(|connector| self.reach(connector.id))
    }

    /// The bound as it is stored.
    pub(crate) fn stored_bound(&self) -> Result<Option<String>, StoreError> {
        self.connectors.as_ref().map(json).transpose()
    }
}

pub(crate) fn read_rights(
    row: &Row<'_>,
    role: usize,
    connectors: usize,
) -> Result<Rights, StoreError> {
    let role = Role::parse(row.str(role)?).ok_or_else(|| StoreError::corrupt("role"))?;
    let bound = row.opt_text(connectors)?;
    let connectors = bound
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| StoreError::corrupt(format!("connectors: {error}")))?;
    Ok(Rights { role, connectors })
}
