//! Settings of a connector's credentials: checked and completed before they are stored.

use directory::form;
use directory::{
    CompiledLimits, ConnectorSettings, CredentialSettings, JwtAlgorithm, JwtSettings,
    LimitSettings, Preset,
};
use serde_json::{Map, Value};

use crate::ProvisionError;
use crate::address::checked_addresses;
use crate::pilot::checked_pilot;

/// Headers that mean something else to this server or to what stands before it.
const RESERVED_HEADERS: [&str; 14] = [
    "accept",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "if-match",
    "if-none-match",
    "proxy-authorization",
    "transfer-encoding",
    "x-forwarded-for",
    "x-request-id",
];

/// Settings with some members changed, each as a whole; `null` gives one its default.
pub fn changed_credentials(
    settings: &CredentialSettings,
    change: Map<String, Value>,
) -> Result<CredentialSettings, ProvisionError> {
    let unreadable =
        |error: serde_json::Error| ProvisionError::invalid("credentials", error.to_string());
    let mut whole = match serde_json::to_value(settings).map_err(unreadable)? {
        Value::Object(whole) => whole,
        _ => Map::new(),
    };
    for (name, value) in change {
        match value {
            Value::Null => whole.remove(&name),
            value => whole.insert(name, value),
        };
    }
    form::read(Value::Object(whole), "").map_err(|wrong| {
        let first = wrong.first().map(ToString::to_string);
        ProvisionError::invalid(
            "credentials",
            format!("cannot be used: {}", first.unwrap_or_default()),
        )
    })
}

fn checked_schedule(settings: &ConnectorSettings) -> Result<(), ProvisionError> {
    if let Some(schedule) = &settings.schedule {
        let wrong = |message| ProvisionError::invalid("schedule", message);
        schedule.compile().map_err(wrong)?;
    }
    Ok(())
}

/// The limits with some members changed, each as a whole; `null` in the place of a limit takes it away.
pub fn changed_limits(
    settings: &LimitSettings,
    change: Map<String, Value>,
) -> Result<LimitSettings, ProvisionError> {
    let unreadable =
        |error: serde_json::Error| ProvisionError::invalid("limits", error.to_string());
    let mut whole = match serde_json::to_value(settings).map_err(unreadable)? {
        Value::Object(whole) => whole,
        _ => Map::new(),
    };
    whole.extend(change);
    form::read(Value::Object(whole), "limits").map_err(ProvisionError::Limits)
}

/// The settings with what follows from the preset filled in.
pub(crate) fn checked_settings(
    mut settings: ConnectorSettings,
    preset: Preset,
) -> Result<ConnectorSettings, ProvisionError> {
    if let Some(pilot) = &settings.pilot {
        checked_pilot(pilot)?;
    }
    let credentials = &mut settings.credentials;
    credentials.addresses = checked_addresses(&credentials.addresses)?;
    if let Some(header) = &mut credentials.token_header {
        *header = checked_header(header)?;
    }
    let (min, max) = (
        CredentialSettings::ACCESS_TOKEN_MINUTES_MIN,
        CredentialSettings::ACCESS_TOKEN_MINUTES_MAX,
    );
    if !(min..=max).contains(&credentials.access_token_minutes) {
        let message = format!("is {min} to {max}");
        return Err(ProvisionError::invalid("access_token_minutes", message));
    }
    let least = CredentialSettings::RATE_MIN;
    if credentials.rate.is_some_and(|rate| rate < least) {
        let message =
            format!("is {least} at least: identity providers need that many requests a second");
        return Err(ProvisionError::invalid("rate", message));
    }
    if credentials.burst.is_some_and(|burst| burst < least) {
        let message = format!("is {least} at least");
        return Err(ProvisionError::invalid("burst", message));
    }
    credentials.jwt = credentials
        .jwt
        .take()
        .map(|jwt| checked_jwt(jwt, preset))
        .transpose()?;
    checked_schedule(&settings)?;
    CompiledLimits::new(&settings.limits).map_err(ProvisionError::Limits)?;
    Ok(settings)
}

fn checked_header(name: &str) -> Result<String, ProvisionError> {
    let name = name.trim().to_ascii_lowercase();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_token) {
        return Err(ProvisionError::invalid(
            "token_header",
            "is the name of a header, such as X-Api-Key",
        ));
    }
    if RESERVED_HEADERS.contains(&name.as_str()) {
        let message = format!(
            "'{name}' has a meaning of its own; choose another one, or use bare_token for Authorization"
        );
        return Err(ProvisionError::invalid("token_header", message));
    }
    Ok(name)
}

fn checked_jwt(given: JwtSettings, preset: Preset) -> Result<JwtSettings, ProvisionError> {
    let mut jwt = given;
    if let Some(tenant) = &jwt.tenant {
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        if tenant.is_empty() || tenant.len() > 255 || !tenant.bytes().all(is_id) {
            return Err(ProvisionError::invalid(
                "jwt.tenant",
                "is the id of the tenant, such as 6babcaad-604b-40ac-a9d7-9fd97c0b779f",
            ));
        }
        if let Some(known) = preset.signed_tokens(tenant) {
            if !is_guid(tenant) {
                return Err(ProvisionError::invalid(
                    "jwt.tenant",
                    "is the id of the tenant and not its domain, such as 6babcaad-604b-40ac-a9d7-9fd97c0b779f",
                ));
            }
            fill(&mut jwt, known);
        }
    }
    if jwt.issuer.is_empty() || jwt.audience.is_empty() {
        return Err(ProvisionError::invalid(
            "jwt",
            "needs issuer and audience, or with a preset that knows tenants the tenant",
        ));
    }
    if jwt.algorithms.is_empty() {
        jwt.algorithms = vec![JwtAlgorithm::RS256];
    }
    let fetched = jwt.keys_url.as_ref().unwrap_or(&jwt.issuer);
    if !is_safe_place(fetched) {
        return Err(ProvisionError::invalid(
            "jwt.keys_url",
            format!(
                "'{fetched}' does not begin with https://; keys that come over an open line prove nothing"
            ),
        ));
    }
    Ok(jwt)
}

/// Whether it is 32 hexadecimal digits in groups: the usual way to write a UUID.
fn is_guid(text: &str) -> bool {
    let mut groups = text.split('-');
    let fits = |length: usize, group: Option<&str>| {
        group.is_some_and(|group| {
            group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    [8, 4, 4, 4, 12]
        .into_iter()
        .all(|length| fits(length, groups.next()))
        && groups.next().is_none()
}

/// What was given stays; what was left out follows from the tenant.
fn fill(jwt: &mut JwtSettings, known: JwtSettings) {
    if jwt.issuer.is_empty() {
        jwt.issuer = known.issuer;
        jwt.keys_url = jwt.keys_url.take().or(known.keys_url);
    }
    if jwt.audience.is_empty() {
        jwt.audience = known.audience;
    }
    if jwt.algorithms.is_empty() {
        jwt.algorithms = known.algorithms;
    }
    if jwt.claims.is_empty() {
        jwt.claims = known.claims;
    }
}

/// TLS, or this very machine: for trying things out.
fn is_safe_place(url: &str) -> bool {
    let here = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    url.starts_with("https://") || here.iter().any(|begin| url.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(credentials: CredentialSettings) -> Result<CredentialSettings, String> {
        let settings = ConnectorSettings {
            credentials,
            ..ConnectorSettings::default()
        };
        checked_settings(settings, Preset::Entra)
            .map(|settings| settings.credentials)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_tenant_says_it_all_where_the_preset_knows_tenants() {
        let tenant = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";
        let only_tenant = JwtSettings {
            tenant: Some(tenant.into()),
            ..JwtSettings::default()
        };
        let settings = CredentialSettings {
            jwt: Some(only_tenant.clone()),
            ..CredentialSettings::default()
        };
        let jwt = checked(settings.clone()).unwrap().jwt.unwrap();
        assert!(jwt.issuer.contains(tenant) && jwt.issuer.starts_with("https://"));
        assert!(!jwt.audience.is_empty() && jwt.claims.contains_key("appid"));
        assert_eq!(jwt.algorithms, [JwtAlgorithm::RS256]);
        for domain in ["example.org", "example", "6babcaad-604b-40ac-a9d7"] {
            let settings = CredentialSettings {
                jwt: Some(JwtSettings {
                    tenant: Some(domain.into()),
                    ..JwtSettings::default()
                }),
                ..CredentialSettings::default()
            };
            let refused = checked(settings).unwrap_err().to_string();
            assert!(refused.contains("not its domain"), "{refused}");
        }
        let own = ConnectorSettings {
            credentials: settings,
            ..ConnectorSettings::default()
        };
        let refused = checked_settings(own, Preset::Generic).unwrap_err();
        assert!(refused.to_string().contains("issuer"), "{refused}");
    }

    #[test]
    fn members_change_as_a_whole_and_null_forgets_them() {
        let change = |settings: &CredentialSettings, json: Value| {
            let Value::Object(change) = json else {
                unreachable!()
            };
            changed_credentials(settings, change)
        };
        let first = serde_json::json!({"basic": true, "token_header": "x-api-key"});
        let first = change(&CredentialSettings::default(), first).unwrap();
        assert!(first.basic && first.token_header.is_some());
        let second = change(&first, serde_json::json!({"token_header": null})).unwrap();
        assert!(second.basic && second.token_header.is_none());
        let refused = change(&first, serde_json::json!({"Basic": true})).unwrap_err();
        assert!(refused.to_string().contains("Basic"), "{refused}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_to_do() {
        let with = CredentialSettings::default;
        for (settings, said) in [
            (
                CredentialSettings {
                    access_token_minutes: 59,
                    ..with()
                },
                "60 to 360",
            ),
            (
                CredentialSettings {
                    access_token_minutes: 361,
                    ..with()
                },
                "60 to 360",
            ),
            (
                CredentialSettings {
                    rate: Some(24),
                    ..with()
                },
                "25 at least",
            ),
            (
                CredentialSettings {
                    burst: Some(0),
                    ..with()
                },
                "25 at least",
            ),
            (
                CredentialSettings {
                    token_header: Some("Host".into()),
                    ..with()
                },
                "of its own",
            ),
            (
                CredentialSettings {
                    token_header: Some("a b".into()),
                    ..with()
                },
                "X-Api-Key",
            ),
            (
                CredentialSettings {
                    addresses: vec!["10.0.0.0/40".into()],
                    ..with()
                },
                "range",
            ),
        ] {
            let refused = checked(settings).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
        let plain = JwtSettings {
            issuer: "http://idp.example.org".into(),
            audience: "us".into(),
            ..JwtSettings::default()
        };
        let refused = checked(CredentialSettings {
            jwt: Some(plain),
            ..with()
        })
        .unwrap_err();
        assert!(refused.contains("https://"), "{refused}");
    }
}
