//! What administrators and tokens of this API may do, as the API takes and shows it.

use serde::Deserialize;
use store::{Rights, Role};
use utoipa::ToSchema;

use super::Answer;
use super::connectors;
use crate::App;

/// What an administrator or a token of this API may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RoleWord {
    /// Everything.
    Owner,
    /// Everything but administrators, tokens of this API, how administrators sign in, and notifications.
    Operator,
    /// Look at everything, and change nothing.
    Auditor,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Owner => Role::Owner,
            RoleWord::Operator => Role::Operator,
            RoleWord::Auditor => Role::Auditor,
        }
    }
}

/// The rights of a role within the connectors of these names or ids; without names, within all.
pub(super) async fn wanted(
    app: &App,
    role: RoleWord,
    names: Option<Vec<String>>,
) -> Answer<Rights> {
    Ok(Rights {
        role: role.into(),
        connectors: connectors::ids(app, names).await?,
    })
}
