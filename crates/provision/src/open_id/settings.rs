//! How administrators sign in at an OpenID provider, and what that makes of a person.

use directory::ConnectorId;
use serde::{Deserialize, Serialize};
use store::{Rights, Role};

use crate::administrators::check_rights;
use crate::{JsonObject, ProvisionError};

/// Characters of a text of the settings.
const TEXT_CHARS_MAX: usize = 500;
/// Groups that are given a role.
const ROLES_MAX: usize = 200;
/// Characters of a name that a provider gives.
const NAME_CHARS_MAX: usize = 100;

/// How administrators sign in at an OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenIdSettings {
    /// Whether the way is open.
    pub enabled: bool,
    /// The provider, to the letter as it names itself.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// The secret of this server there, sealed.
    pub sealed_secret: Option<String>,
    /// What the button says.
    pub label: String,
    /// What is asked for, besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that names a person.
    pub name_claim: String,
    /// The claim that has the person's groups.
    pub groups_claim: String,
    /// What groups give.
    pub roles: Vec<GroupRole>,
}

impl Default for OpenIdSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            issuer: String::new(),
            client_id: String::new(),
            sealed_secret: None,
            label: String::new(),
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            name_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            roles: Vec::new(),
        }
    }
}

/// What the members of a group at the provider may do here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRole {
    /// The group, as the provider writes it.
    pub group: String,
    /// What its members are.
    pub role: Role,
    /// The connectors that they are confined to.
    #[serde(default)]
    pub connectors: Option<Vec<ConnectorId>>,
}

/// Who somebody is by the provider's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIdPerson {
    /// The provider's own name for the person; never changes.
    pub subject: String,
    /// What the person is called.
    pub name: String,
    /// The person's groups.
    pub groups: Vec<String>,
}

impl OpenIdPerson {
    /// Who the claims say it is.
    pub fn from_claims(claims: &JsonObject, settings: &OpenIdSettings) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(|value| value.as_str());
        let subject = text("sub").filter(|subject| !subject.is_empty())?;
        let names = [
            settings.name_claim.as_str(),
            "preferred_username",
            "email",
            "name",
            "sub",
        ];
        let name = names.into_iter().find_map(text).unwrap_or(subject);
        let name = name
            .chars()
            .filter(|c| !c.is_control())
            .take(NAME_CHARS_MAX);
        let groups = match claims.get(&settings.groups_claim) {
            Some(serde_json::Value::Array(all)) => {
                all.iter().filter_map(|one| one.as_str()).collect()
            }
            Some(serde_json::Value::String(one)) => vec![one.as_str()],
            _ => Vec::new(),
        };
        Some(Self {
            subject: subject.to_owned(),
            name: name.collect::<String>().trim().to_owned(),
            groups: groups.into_iter().map(str::to_owned).collect(),
        })
    }
}

impl OpenIdSettings {
    /// What somebody with these groups may do: the most of what any of them gives.
    pub fn rights(&self, groups: &[String]) -> Option<Rights> {
        let fitting = || self.roles.iter().filter(|one| groups.contains(&one.group));
        let role = Role::ALL
            .into_iter()
            .find(|role| fitting().any(|one| one.role == *role))?;
        let mut connectors = Some(Vec::new());
        for one in fitting().filter(|one| one.role == role) {
            match (&mut connectors, &one.connectors) {
                (Some(all), Some(more)) => all.extend(more),
                _ => connectors = None,
            }
        }
        let connectors = connectors.map(|mut all| {
            all.sort_unstable();
            all.dedup();
            all
        });
        Some(Rights { role, connectors })
    }

    pub(super) fn check(&self) -> Result<(), ProvisionError> {
        let wrong = |field, message: &str| Err(ProvisionError::invalid(field, message));
        let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
        let is_local = local.iter().any(|host| {
            let rest = self.issuer.strip_prefix(host);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        if !self.issuer.starts_with("https://") && !is_local {
            return wrong(
                "issuer",
                "is no https:// address; take it from the provider's discovery document, to the letter",
            );
        }
        if self.client_id.is_empty() {
            return wrong(
                "client_id",
                "is missing; register this server at the provider",
            );
        }
        let scopes = self.scopes.iter().map(String::as_str);
        let texts = [
            &self.issuer,
            &self.client_id,
            &self.label,
            &self.name_claim,
            &self.groups_claim,
        ];
        for text in texts.into_iter().map(String::as_str).chain(scopes.clone()) {
            if text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
                return wrong(
                    "open_id",
                    "has a text that is too long, or has control characters",
                );
            }
        }
        if scopes
            .clone()
            .any(|scope| scope.is_empty() || scope.contains(' '))
        {
            return wrong(
                "scopes",
                "has one that is empty or has a blank; name each by itself",
            );
        }
        if self.roles.len() > ROLES_MAX {
            return wrong("roles", "are more than 200 groups");
        }
        for (at, one) in self.roles.iter().enumerate() {
            if one.group.is_empty() {
                return wrong("roles", "has one without a group");
            }
            if self.roles[..at]
                .iter()
                .any(|other| other.group == one.group)
            {
                return Err(ProvisionError::invalid(
                    "roles",
                    format!("names the group '{}' twice", one.group),
                ));
            }
            check_rights(&Rights {
                role: one.role,
                connectors: one.connectors.clone(),
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(roles: &[(&str, Role, Option<&[i64]>)]) -> OpenIdSettings {
        let role = |(group, role, connectors): &(&str, Role, Option<&[i64]>)| GroupRole {
            group: (*group).to_owned(),
            role: *role,
            connectors: connectors.map(|all| all.iter().copied().map(ConnectorId).collect()),
        };
        OpenIdSettings {
            issuer: "https://idp.example.org".into(),
            client_id: "vestibule".into(),
            roles: roles.iter().map(role).collect(),
            ..OpenIdSettings::default()
        }
    }

    #[test]
    fn the_group_that_gives_most_counts_and_confinements_add_up() {
        let settings = given(&[
            ("admins", Role::Owner, None),
            ("ops-eu", Role::Operator, Some(&[2, 1])),
            ("ops-us", Role::Operator, Some(&[3, 2])),
            ("ops", Role::Operator, None),
            ("audit", Role::Auditor, None),
        ]);
        let rights = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|text| (*text).to_owned()).collect();
            let found = settings.rights(&groups)?;
            let numbers = found
                .connectors
                .map(|all| all.iter().map(|id| id.0).collect::<Vec<_>>());
            Some((found.role, numbers))
        };
        assert_eq!(rights(&["nobody", "Admins"]), None);
        assert_eq!(rights(&["audit", "admins"]), Some((Role::Owner, None)));
        assert_eq!(
            rights(&["ops-eu", "audit"]),
            Some((Role::Operator, Some(vec![1, 2])))
        );
        assert_eq!(
            rights(&["ops-eu", "ops-us"]),
            Some((Role::Operator, Some(vec![1, 2, 3])))
        );
        assert_eq!(rights(&["ops-eu", "ops"]), Some((Role::Operator, None)));
    }

    #[test]
    fn a_person_is_who_the_claims_say() {
        let settings = given(&[]);
        let person = |claims: serde_json::Value| {
            let serde_json::Value::Object(claims) = claims else {
                unreachable!()
            };
            OpenIdPerson::from_claims(&claims, &settings)
        };
        let found = person(json!({"sub": "1", "email": "a@b", "groups": ["x", 1, "y"]})).unwrap();
        assert_eq!((found.name.as_str(), found.groups.len()), ("a@b", 2));
        assert_eq!(
            person(json!({"sub": "1", "groups": "x"})).unwrap().groups,
            ["x"]
        );
        assert_eq!(
            person(json!({"sub": "1", "preferred_username": " a\nb "}))
                .unwrap()
                .name,
            "ab"
        );
        assert!(person(json!({"email": "a@b"})).is_none());
        assert!(person(json!({"sub": ""})).is_none());
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        assert!(given(&[("a", Role::Owner, None)]).check().is_ok());
        let wrong = |change: fn(&mut OpenIdSettings)| {
            let mut settings = given(&[("a", Role::Owner, None)]);
            change(&mut settings);
            assert!(settings.check().is_err(), "{settings:?}");
        };
        wrong(|settings| settings.issuer = "http://idp.example.org".into());
        wrong(|settings| settings.issuer = "http://localhost.example.org".into());
        wrong(|settings| settings.client_id = String::new());
        wrong(|settings| settings.scopes = vec!["a b".into()]);
        wrong(|settings| settings.roles.push(settings.roles[0].clone()));
        wrong(|settings| settings.roles[0].connectors = Some(vec![ConnectorId(1)]));
        let mut local = given(&[]);
        local.issuer = "http://127.0.0.1:9000".into();
        assert!(local.check().is_ok());
    }
}
