//! Any of the emulated identity providers, for those who don't care which.

use crate::entra::Entra;
use crate::http::Client;
use crate::okta::Okta;
use crate::organization::{GroupId, Organization, PersonId};
use crate::picture::Picture;
use crate::report::{Progress, Report};

/// One of the emulated identity providers.
pub enum Provider {
    /// Okta.
    Okta(Okta),
    /// Microsoft Entra ID.
    Entra(Entra),
}

impl Provider {
    /// The name by which people know it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Provider::Okta(_) => "Okta",
            Provider::Entra(_) => "Entra ID",
        }
    }

    /// The connection test of its setup page.
    pub async fn test(&mut self) -> Report {
        match self {
            Provider::Okta(okta) => okta.test_credentials().await,
            Provider::Entra(entra) => entra.test_connection().await,
        }
    }

    /// Sends everything in which the organization differs from what was sent before.
    pub async fn synchronize(
        &mut self,
        organization: &Organization,
        progress: &Progress<'_>,
    ) -> Report {
        match self {
            Provider::Okta(okta) => okta.synchronize(organization, progress).await,
            Provider::Entra(entra) => entra.cycle(organization, progress).await,
        }
    }

    /// What the server must hold if it took everything that it acknowledged.
    #[must_use]
    pub fn picture(&self) -> Picture {
        match self {
            Provider::Okta(okta) => okta.picture(),
            Provider::Entra(entra) => entra.picture(),
        }
    }

    /// The client, with its memory of exchanges.
    #[must_use]
    pub fn client(&self) -> &Client {
        match self {
            Provider::Okta(okta) => okta.client(),
            Provider::Entra(entra) => entra.client(),
        }
    }

    /// The id under which the server knows a person.
    #[must_use]
    pub fn remote_user(&self, person: PersonId) -> Option<&str> {
        match self {
            Provider::Okta(okta) => okta.remote_user(person),
            Provider::Entra(entra) => entra.remote_user(person),
        }
    }

    /// The id under which the server knows a group.
    #[must_use]
    pub fn remote_group(&self, group: GroupId) -> Option<&str> {
        match self {
            Provider::Okta(okta) => okta.remote_group(group),
            Provider::Entra(entra) => entra.remote_group(group),
        }
    }
}
