//! Where this server leaves the RFCs because real clients do: every departure has its name here.
//!
//! Some departures are pure widening and can't harm anybody, so they are always on and have no switch:
//!
//! | departure | seen from |
//! |---|---|
//! | `op` in any case | Entra: `Add`, `Replace`, `Remove` |
//! | truth values as text in any case | Entra: `"True"`; templates of OneLogin: `"true"` |
//! | attribute names and URNs in any case | Ping: `username Eq "x"` |
//! | filter values without quotes | authentik: `userName eq jane@example.org` |
//! | `emails[type eq "work"].value eq "x"` as a filter | Entra, matching on e-mail |
//! | extension attributes without their URN | Entra, older documents: path `manager` |
//! | dotted keys and keys with a URN in a PATCH without path | Entra with `aadOptscim062020` |
//! | one object where a list belongs, a text where an object belongs | OneLogin: `emails`; Entra: `manager` |
//! | unknown attributes, URNs, and read-only attributes in bodies are ignored | all |
//! | a missing `schemas`, in bodies and PATCH requests | several |
//! | `bulk.maxOperations` is the limit of one PATCH as well | authentik takes it for that |
//! | `remove` with a list in `value` removes what is listed | Entra, rauthy, authentik, JumpCloud |
//!
//! The others change what a request means and are switches of [`Dialect`].

use serde_json::Value;

/// Departures that a connector may switch. All presets accept what any client sends; [`Dialect::rfc`]
/// is for those who want the letter of the RFCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// An empty text clears an attribute. Entra sends `""` for an emptied attribute, Okta in PUT.
    pub empty_text_clears: bool,
    /// `attr[type eq "work"].value` creates the element that it doesn't find, where the RFC says
    /// `noTarget`. Entra relies on it.
    pub missing_element_is_created: bool,
    /// A PATCH path to a read-only attribute is ignored and reported, where the RFC says `mutability`.
    pub read_only_path_is_ignored: bool,
    /// A PUT without `active` keeps it, where the RFC would clear it. Okta's wizard apps and others
    /// leave it out and don't mean to disable anybody.
    pub absent_active_is_kept: bool,
    /// A role whose `value` is a JSON object in a text is unpacked. Entra's
    /// `AppRoleAssignmentsComplex` sends it so in PATCH.
    pub role_may_be_json: bool,
}

impl Dialect {
    /// What any client sends.
    pub const fn generic() -> Dialect {
        Dialect {
            empty_text_clears: true,
            missing_element_is_created: true,
            read_only_path_is_ignored: false,
            absent_active_is_kept: true,
            role_may_be_json: true,
        }
    }

    /// Okta. The same as [`Dialect::generic`]: one parser accepts the union.
    pub const fn okta() -> Dialect {
        Dialect::generic()
    }

    /// Microsoft Entra ID, with and without `aadOptscim062020`, which both reach one server in one day.
    pub const fn entra() -> Dialect {
        Dialect::generic()
    }

    /// The letter of the RFCs.
    pub const fn rfc() -> Dialect {
        Dialect {
            empty_text_clears: false,
            missing_element_is_created: false,
            read_only_path_is_ignored: false,
            absent_active_is_kept: false,
            role_may_be_json: false,
        }
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
