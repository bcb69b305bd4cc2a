//! Where this server leaves the RFCs because real clients do: every departure has its name here.
//!
//! Departures that are pure widening can harm nobody, so they are always on: [`ALWAYS`] lists them. Those
//! that change what a request means are switches: each is a [`Departure`], and a [`Dialect`] is a set of
//! them. The page `reference/dialects.md` of the book is written from this file.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A departure from the letter of the RFCs that is a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Departure {
    /// An empty text clears an attribute. Entra sends `""` where an expression yields nothing, Okta leaves
    /// it in a PUT, rauthy has empty family names.
    EmptyTextClears,
    /// `attr[type eq "work"].value` makes the element that it does not find, where RFC 7644 section 3.5.2.3
    /// says `noTarget`. Entra relies on it for the first work address of a person.
    MissingElementIsCreated,
    /// A PATCH path to a read-only attribute is ignored and reported, where RFC 7644 section 3.5.2 says
    /// `mutability`. For mappings that nobody can change.
    ReadOnlyPathIsIgnored,
    /// A PUT without `active` keeps it, where RFC 7644 section 3.5.1 clears it. A client that leaves it out
    /// does not mean to enable somebody who is disabled.
    AbsentActiveIsKept,
    /// A role whose `value` is a JSON object in a text is unpacked. Entra's `AppRoleAssignmentsComplex`
    /// sends it so in PATCH; from other clients such a text is a role with an odd name.
    RoleMayBeJson,
    /// A member that nobody knows is put aside and joins when it appears, where strict servers answer 400.
    /// Okta takes a 400 for final and gives the whole push up; Entra sends members before their users.
    UnknownMembersWait,
    /// A PATCH of a group is answered 204 unless the request names `attributes`. Both answers are right
    /// by RFC 7644 section 3.5.2; Entra asks for this one and reads no member list.
    GroupPatchHasNoBody,
    /// `replace` of `members` with exactly one member adds it. Entra was seen to send it so and to mean
    /// one more member; Microsoft's validator does it too. By the RFC the others would go.
    OneMemberReplaceAdds,
    /// A POST whose `externalId` one resource of the connector has takes that resource over instead of
    /// making a second one: for clients that lost their ids, and for Okta when somebody is unassigned,
    /// renamed and assigned again.
    KnownExternalIdIsAdopted,
}

impl Departure {
    /// Every departure, in the order of the documentation.
    pub const ALL: [Departure; 9] = [
        Departure::EmptyTextClears,
        Departure::MissingElementIsCreated,
        Departure::ReadOnlyPathIsIgnored,
        Departure::AbsentActiveIsKept,
        Departure::RoleMayBeJson,
        Departure::UnknownMembersWait,
        Departure::GroupPatchHasNoBody,
        Departure::OneMemberReplaceAdds,
        Departure::KnownExternalIdIsAdopted,
    ];

    /// Its name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Departure::EmptyTextClears => "empty_text_clears",
            Departure::MissingElementIsCreated => "missing_element_is_created",
            Departure::ReadOnlyPathIsIgnored => "read_only_path_is_ignored",
            Departure::AbsentActiveIsKept => "absent_active_is_kept",
            Departure::RoleMayBeJson => "role_may_be_json",
            Departure::UnknownMembersWait => "unknown_members_wait",
            Departure::GroupPatchHasNoBody => "group_patch_has_no_body",
            Departure::OneMemberReplaceAdds => "one_member_replace_adds",
            Departure::KnownExternalIdIsAdopted => "known_external_id_is_adopted",
        }
    }

    /// Reads its name in settings.
    pub fn parse(text: &str) -> Option<Departure> {
        Departure::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// What the server does, in a sentence for administrators.
    pub const fn about(self) -> &'static str {
        match self {
            Departure::EmptyTextClears => "An empty text clears an attribute.",
            Departure::MissingElementIsCreated => {
                "A PATCH to `emails[type eq \"work\"].value` makes the element if there is none, instead of `noTarget`."
            }
            Departure::ReadOnlyPathIsIgnored => {
                "A PATCH path to a read-only attribute is ignored and reported, instead of `mutability`."
            }
            Departure::AbsentActiveIsKept => {
                "A PUT without `active` keeps the state of the person, instead of clearing it."
            }
            Departure::RoleMayBeJson => {
                "A role whose `value` is a JSON object in a text is unpacked."
            }
            Departure::UnknownMembersWait => {
                "A member that nobody knows is put aside and joins when it appears, instead of a 400 for the whole request."
            }
            Departure::GroupPatchHasNoBody => {
                "A PATCH of a group is answered 204, unless the request names `attributes`."
            }
            Departure::OneMemberReplaceAdds => {
                "A PATCH that replaces `members` with exactly one member adds it. Nobody can be removed by replacing down to one member then."
            }
            Departure::KnownExternalIdIsAdopted => {
                "A POST with an `externalId` that one resource of the connector has takes it over, instead of making a second one. Whoever can choose an `externalId` at the identity provider can take over that resource: switch it on only where it is a fixed id."
            }
        }
    }

    /// Who needs it, as far as that was seen.
    pub const fn seen_from(self) -> &'static str {
        match self {
            Departure::EmptyTextClears => "Entra, Okta, rauthy",
            Departure::MissingElementIsCreated
            | Departure::RoleMayBeJson
            | Departure::GroupPatchHasNoBody => "Entra",
            Departure::ReadOnlyPathIsIgnored => "mappings that cannot be changed",
            Departure::AbsentActiveIsKept => "several clients that send PUT",
            Departure::UnknownMembersWait => "Okta, Entra",
            Departure::OneMemberReplaceAdds => "Entra, now and then; Microsoft's validator",
            Departure::KnownExternalIdIsAdopted => {
                "clients that lost their ids; Okta after a rename without assignment"
            }
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Departures that are pure widening and have no switch: what is accepted, and from whom it was seen.
pub const ALWAYS: [(&str, &str); 18] = [
    ("`op` in any case: `Add`, `Replace`, `Remove`", "Entra"),
    (
        "truth values as text in any case: `\"True\"`",
        "Entra; templates of OneLogin",
    ),
    (
        "names of attributes, URNs and operators in any case: `username Eq \"x\"`",
        "PingFederate",
    ),
    (
        "filter values without quotes: `userName eq jane@example.org`",
        "authentik, Microsoft's collection",
    ),
    (
        "the filter `emails[type eq \"work\"].value eq \"x\"`",
        "Entra, matching on e-mail",
    ),
    (
        "extension attributes without their URN: path `manager`",
        "Entra, older documents",
    ),
    (
        "dotted keys and keys with a URN in a PATCH without path",
        "Entra with `aadOptscim062020`",
    ),
    ("one object where a list belongs", "OneLogin: `emails`"),
    ("a text where an object belongs: `manager`", "Entra"),
    (
        "`managerId` in the place of `value` of `manager`",
        "OneLogin, templates",
    ),
    (
        "`null`, an empty list and absence are the same",
        "Entra, OneLogin, rauthy",
    ),
    (
        "unknown attributes, and read-only ones in bodies (`id`, `meta`, `groups`), are passed over",
        "all",
    ),
    (
        "unknown URNs in `schemas`, also those of SCIM 1, misspelt ones and Microsoft's own",
        "Entra, OneLogin",
    ),
    (
        "`schemas` is missing, or does not name an extension that is used",
        "Entra, OneLogin",
    ),
    (
        "`remove` of `members` with a list in `value` removes what is listed, and nobody else",
        "Entra, rauthy, authentik, JumpCloud",
    ),
    (
        "`add` with the path `members[value eq \"id\"]` adds that member",
        "an unknown client of Bitwarden's server",
    ),
    (
        "adding a member who is in, removing one who is not: no change, no error, no new version",
        "all",
    ),
    (
        "`bulk.maxOperations` is the limit of one PATCH as well",
        "authentik takes it for that",
    ),
];

/// Which departures are in force. One parser accepts what any client sends; a dialect only decides what
/// is ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect(u16);

impl Dialect {
    /// What fits a client that nobody knows.
    pub const fn generic() -> Dialect {
        Dialect::rfc()
            .with(Departure::EmptyTextClears)
            .with(Departure::MissingElementIsCreated)
            .with(Departure::AbsentActiveIsKept)
            .with(Departure::RoleMayBeJson)
            .with(Departure::UnknownMembersWait)
    }

    /// A known client that has nothing to do with Microsoft: a role that looks like JSON is a text.
    pub const fn plain() -> Dialect {
        Dialect::generic().without(Departure::RoleMayBeJson)
    }

    /// Microsoft Entra ID, with and without `aadOptscim062020`, which both reach one server in one day.
    pub const fn entra() -> Dialect {
        Dialect::generic().with(Departure::GroupPatchHasNoBody)
    }

    /// The letter of the RFCs: no departure at all.
    pub const fn rfc() -> Dialect {
        Dialect(0)
    }

    /// Whether a departure is in force.
    pub const fn has(self, departure: Departure) -> bool {
        self.0 & departure.bit() != 0
    }

    /// The same with one departure more.
    #[must_use]
    pub const fn with(self, departure: Departure) -> Dialect {
        Dialect(self.0 | departure.bit())
    }

    /// The same with one departure less.
    #[must_use]
    pub const fn without(self, departure: Departure) -> Dialect {
        Dialect(self.0 & !departure.bit())
    }

    /// The departures that are in force.
    pub fn departures(self) -> impl Iterator<Item = Departure> {
        Departure::ALL.into_iter().filter(move |one| self.has(*one))
    }
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect::generic()
    }
}

/// Value and display name of a role that was packed as JSON into a text.
pub(crate) fn unpack_role(text: &str) -> Option<(String, Option<String>)> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let packed: Value = serde_json::from_str(text).ok()?;
    let part = |name: &str| {
        packed
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let value = part("value")?.to_owned();
    Some((
        value,
        part("displayName")
            .or_else(|| part("display"))
            .map(str::to_owned),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_settings_and_in_json() {
        for departure in Departure::ALL {
            assert_eq!(Departure::parse(departure.as_str()), Some(departure));
            let json = serde_json::to_string(&departure).unwrap();
            assert_eq!(json, format!("\"{departure}\""));
        }
        assert_eq!(Departure::parse("EmptyTextClears"), None);
    }

    #[test]
    fn a_dialect_is_a_set() {
        let all = Departure::ALL
            .into_iter()
            .fold(Dialect::rfc(), Dialect::with);
        assert_eq!(all.departures().collect::<Vec<_>>(), Departure::ALL);
        for departure in Departure::ALL {
            assert!(!all.without(departure).has(departure));
            let one = Dialect::rfc().with(departure);
            assert_eq!(one.departures().collect::<Vec<_>>(), [departure]);
        }
    }
}
