//! Who or what made a change, kept beside it for ever.

use serde::{Deserialize, Serialize};

use crate::id::ConnectorId;

/// What set an evaluation off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A write of the identity provider.
    Scim,
    /// A log-in, or an explicit refresh of one user.
    Login,
    /// A new evaluation of what is stored: by hand, by schedule, after a change of rules.
    Reconcile,
    /// A preview; nothing is committed.
    Simulate,
    /// An import of files or of another server.
    Import,
    /// A product wrote what it may write itself.
    Product,
    /// An administrator takes back what was done before.
    Undo,
}

impl Trigger {
    /// The word kept in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Trigger::Scim => "scim",
            Trigger::Login => "login",
            Trigger::Reconcile => "reconcile",
            Trigger::Simulate => "simulate",
            Trigger::Import => "import",
            Trigger::Product => "product",
            Trigger::Undo => "undo",
        }
    }

    /// Reads the word kept in the journal.
    pub fn parse(text: &str) -> Option<Trigger> {
        [
            Trigger::Scim,
            Trigger::Login,
            Trigger::Reconcile,
            Trigger::Simulate,
            Trigger::Import,
            Trigger::Product,
            Trigger::Undo,
        ]
        .into_iter()
        .find(|trigger| trigger.as_str() == text)
    }
}

/// The cause of a change: what set it off, through which connector, by whom, in which request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What set the evaluation off.
    pub trigger: Trigger,
    /// The connector it came through; none for local work.
    pub connector: Option<ConnectorId>,
    /// Who acted: a token's name, an administrator, an application.
    pub actor: String,
    /// The request id, to find the request in the logs; empty if there was none.
    pub request: String,
}
