//! Who has a user name that somebody else is to have, so that a conflict says with whom it is.

use std::fmt;

use directory::{DirectoryId, User};
use serde::{Deserialize, Serialize};
use store::ReadTx;

use crate::ProvisionError;
use crate::decide::Decision;

/// Who has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameHolder {
    /// The stable key of the account; none of one that a preview makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The name as the account has it now.
    pub name: String,
    /// The name of the connector to which it belongs; none if no identity provider brings it.
    pub connector: Option<String>,
}

impl NameHolder {
    /// Who has the name that somebody is refused in a directory; nobody if it is only kept for somebody.
    pub(crate) fn of_taken(
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        decision: &Decision,
    ) -> Result<Option<Self>, ProvisionError> {
        let Some(taken) = &decision.taken else {
            return Ok(None);
        };
        let found = tx.directory_user(directory, &taken.name)?;
        found.map(|user| Self::of(tx, &user)).transpose()
    }

    pub(crate) fn of(tx: &ReadTx<'_>, user: &User) -> Result<Self, ProvisionError> {
        let connector = match user.connector {
            Some(connector) => tx.connector(connector)?,
            None => None,
        };
        Ok(Self {
            key: Some(user.key.clone()),
            name: user.name.clone(),
            connector: connector.map(|it| it.connector.name),
        })
    }
}

impl fmt::Display for NameHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)?;
        if let Some(key) = &self.key {
            write!(f, " ({key})")?;
        }
        match &self.connector {
            Some(connector) => write!(f, " of connector `{connector}`"),
            None => f.write_str(" of no connector"),
        }
    }
}
