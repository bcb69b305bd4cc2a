//! What a check is: an id, a title in plain words, how binding it is, where that is written, and a conversation.

use std::fmt;

use serde::Serialize;

use crate::checks;
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::Talk;

/// One thing that a server does or does not do.
pub struct Check {
    /// Its name for `--only` and for reports: `USR-POST-01`.
    pub id: &'static str,
    /// What a good server does, in plain words.
    pub title: &'static str,
    /// How binding it is.
    pub level: Level,
    /// Where it is written, or who was seen doing it.
    pub source: &'static str,
    /// What goes wrong in practice if it fails.
    pub why: &'static str,
    /// What to change in the server.
    pub fix: &'static str,
    pub(crate) needs: Vec<Need>,
    pub(crate) is_alone: bool,
    pub(crate) play: Play,
}

/// The conversation of a check.
pub(crate) type Play = Box<dyn Fn(&Talk<'_>) -> Step + Send + Sync>;

/// How binding a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// An RFC says MUST, or data are lost or seen by others.
    Must,
    /// An RFC says SHOULD, or it is plain prudence.
    Should,
    /// A client that people have works so.
    Habit(Client),
}

impl Level {
    /// `must`, `should` or `habit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::Habit(_) => "habit",
        }
    }
}

/// A SCIM client that people have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// Okta, the apps of its catalogue and its template apps.
    Okta,
    /// Okta, apps made with its wizard.
    OktaWizard,
    /// Microsoft Entra ID as it comes.
    Entra,
    /// Microsoft Entra ID with the flag `aadOptscim062020`.
    EntraFlagged,
    /// authentik.
    Authentik,
    /// rauthy.
    Rauthy,
    /// Pocket ID.
    PocketId,
    /// PingFederate and PingOne.
    Ping,
    /// JumpCloud.
    JumpCloud,
    /// OneLogin.
    OneLogin,
    /// SailPoint.
    SailPoint,
    /// Extensions of Keycloak that push by SCIM.
    Keycloak,
    /// awslabs/ssosync and others that push in lots.
    SsoSync,
    /// Google Workspace, apps of its catalogue.
    Google,
    /// What Ory Polis hands on.
    Polis,
}

impl Client {
    /// All of them.
    pub const ALL: [Client; 15] = [
        Client::Okta,
        Client::OktaWizard,
        Client::Entra,
        Client::EntraFlagged,
        Client::Authentik,
        Client::Rauthy,
        Client::PocketId,
        Client::Ping,
        Client::JumpCloud,
        Client::OneLogin,
        Client::SailPoint,
        Client::Keycloak,
        Client::SsoSync,
        Client::Google,
        Client::Polis,
    ];

    /// The client of a word on the command line.
    pub fn parse(word: &str) -> Option<Client> {
        Client::ALL
            .into_iter()
            .find(|client| client.as_str() == word)
    }

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Client::Okta => "okta",
            Client::OktaWizard => "okta-wizard",
            Client::Entra => "entra",
            Client::EntraFlagged => "entra-flagged",
            Client::Authentik => "authentik",
            Client::Rauthy => "rauthy",
            Client::PocketId => "pocket-id",
            Client::Ping => "ping",
            Client::JumpCloud => "jumpcloud",
            Client::OneLogin => "onelogin",
            Client::SailPoint => "sailpoint",
            Client::Keycloak => "keycloak",
            Client::SsoSync => "ssosync",
            Client::Google => "google",
            Client::Polis => "polis",
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Client::Okta => "Okta",
            Client::OktaWizard => "Okta (wizard app)",
            Client::Entra => "Entra ID",
            Client::EntraFlagged => "Entra ID (aadOptscim062020)",
            Client::Authentik => "authentik",
            Client::Rauthy => "rauthy",
            Client::PocketId => "Pocket ID",
            Client::Ping => "Ping",
            Client::JumpCloud => "JumpCloud",
            Client::OneLogin => "OneLogin",
            Client::SailPoint => "SailPoint",
            Client::Keycloak => "Keycloak extensions",
            Client::SsoSync => "ssosync",
            Client::Google => "Google Workspace",
            Client::Polis => "Ory Polis",
        })
    }
}

/// The sections, by the first part of the ids, in the order of the report.
const SECTIONS: &[(&str, &str)] = &[
    ("DSC", "Discovery documents and their truth"),
    ("AUT", "Who may ask"),
    ("HTP", "Media types, routes and errors"),
    ("USR", "Users"),
    ("GRP", "Groups"),
    ("MEM", "Members of groups"),
    ("PAT", "PATCH as in the RFC"),
    ("DIA", "PATCH as clients write it"),
    ("FLT", "Filters"),
    ("PAG", "Pages"),
    ("CUR", "Cursors"),
    ("SRT", "Sorting"),
    ("SEA", "Queries by POST"),
    ("PRJ", "Parts of resources"),
    ("ETG", "Versions"),
    ("BLK", "Bulk"),
    ("UNI", "Characters of the world"),
    ("RAC", "At the same time"),
    ("ISO", "Tenants apart"),
    ("CLI", "Whole conversations of clients"),
];

/// The name of a section for people.
pub fn section_title(section: &str) -> &'static str {
    let found = SECTIONS.iter().find(|(id, _)| *id == section);
    found.map_or("Other", |(_, title)| title)
}

impl Check {
    /// The section: what is before the first dash of the id.
    pub fn section(&self) -> &'static str {
        self.id.split('-').next().unwrap_or(self.id)
    }

    /// Whether nothing is written.
    pub fn is_reading(&self) -> bool {
        !self.needs.contains(&Need::Write)
    }

    /// What goes wrong in practice.
    pub(crate) fn why(mut self, why: &'static str) -> Check {
        self.why = why;
        self
    }

    /// What to change.
    pub(crate) fn fix(mut self, fix: &'static str) -> Check {
        self.fix = fix;
        self
    }

    /// Only against servers that have all of this.
    pub(crate) fn needs(mut self, needs: &[Need]) -> Check {
        self.needs.extend_from_slice(needs);
        self
    }

    /// It writes nothing, and can be run against live data.
    pub(crate) fn reading(mut self) -> Check {
        self.needs.retain(|need| *need != Need::Write);
        self
    }

    /// No other check may write meanwhile.
    pub(crate) fn alone(mut self) -> Check {
        self.is_alone = true;
        self
    }
}

fn check(
    id: &'static str,
    level: Level,
    source: &'static str,
    title: &'static str,
    play: impl Fn(&Talk<'_>) -> Step + Send + Sync + 'static,
) -> Check {
    Check {
        id,
        title,
        level,
        source,
        why: "",
        fix: "",
        needs: vec![Need::Write],
        is_alone: false,
        play: Box::new(play),
    }
}

/// An RFC says MUST, or data are lost or seen by others.
pub(crate) fn must(
    id: &'static str,
    source: &'static str,
    title: &'static str,
    play: impl Fn(&Talk<'_>) -> Step + Send + Sync + 'static,
) -> Check {
    check(id, Level::Must, source, title, play)
}

/// An RFC says SHOULD, or it is plain prudence.
pub(crate) fn should(
    id: &'static str,
    source: &'static str,
    title: &'static str,
    play: impl Fn(&Talk<'_>) -> Step + Send + Sync + 'static,
) -> Check {
    check(id, Level::Should, source, title, play)
}

/// A client works so.
pub(crate) fn habit(
    id: &'static str,
    client: Client,
    title: &'static str,
    play: impl Fn(&Talk<'_>) -> Step + Send + Sync + 'static,
) -> Check {
    check(
        id,
        Level::Habit(client),
        "what this client sends",
        title,
        play,
    )
}

/// All checks in the order of the report.
pub fn all() -> Vec<Check> {
    let mut all = checks::all();
    let place = |check: &Check| {
        let section = check.section();
        SECTIONS.iter().position(|(id, _)| *id == section)
    };
    // Stable: within a section they stay as they were written.
    all.sort_by_key(place);
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_check_tells_all_about_itself() {
        let mut ids = BTreeSet::new();
        for check in all() {
            let id = check.id;
            assert!(ids.insert(id), "{id} is there twice");
            for text in [check.title, check.source, check.why, check.fix] {
                assert!(!text.is_empty(), "{id}");
            }
            assert!(!check.title.ends_with('.'), "{id}: a title is no sentence");
            assert!(check.why.ends_with('.') && check.fix.ends_with('.'), "{id}");
            assert_ne!(section_title(check.section()), "Other", "{id}");
            let parts: Vec<&str> = id.split('-').collect();
            let is_number =
                |part: &str| part.len() == 2 && part.chars().all(|c| c.is_ascii_digit());
            assert!(
                parts.len() >= 2 && is_number(parts[parts.len() - 1]),
                "{id}"
            );
        }
        assert!(ids.len() > 200, "{}", ids.len());
        for (section, _) in SECTIONS {
            assert!(ids.iter().any(|id| id.starts_with(section)), "{section}");
        }
    }

    #[test]
    fn every_client_has_a_habit() {
        let checks = all();
        for client in Client::ALL {
            let has = checks
                .iter()
                .any(|check| check.level == Level::Habit(client));
            assert!(has, "{client}");
        }
    }
}
