//! The numbers by which the rooms speak of rows, each its own type so that none passes for another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// One connector: an endpoint for one application of one identity provider.
    ConnectorId;
    /// One directory: users, groups and memberships as the products see them.
    DirectoryId;
    /// One application: a product that attaches directories.
    ApplicationId;
    /// A user of the directory layer; never reused, stable across renames.
    UserPk;
    /// A group of the directory layer.
    GroupPk;
    /// A user of the source layer, as the identity provider wrote it.
    SourceUserPk;
    /// A job: work on many people that goes on by itself.
    JobId;
    /// A group of the source layer, as the identity provider wrote it.
    SourceGroupPk;
    /// An administrator's word about one user, beside the rules.
    OverrideId;
}
