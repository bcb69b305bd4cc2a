//! Logging in: passwords, and the factors that bind a session to a browser.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::codec::Codec;
use crate::error::CrowdError;
use crate::user::required_name;
use crate::xml::read::Element;
use crate::{json, xml};

/// The body of a login or of a password change. An empty body is a password that was not given.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password {
    /// The clear text.
    pub value: Option<String>,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Codec for Password {
    fn from_nothing() -> Result<Password, CrowdError> {
        Ok(Password::default())
    }

    fn from_xml(root: Element<'_, '_>) -> Result<Password, CrowdError> {
        Ok(Password {
            value: root.text_of("value"),
        })
    }

    fn from_json(root: &Value) -> Result<Password, CrowdError> {
        Ok(Password {
            value: json::read::text(root, &["value"])?,
        })
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        match &self.value {
            Some(value) => {
                xml::open(out, "password");
                xml::element(out, "value", value);
                xml::close(out, "password");
            }
            None => xml::empty(out, "password"),
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let mut object = json::Object::open(out);
        if let Some(value) = &self.value {
            object.text("value", value);
        }
        object.close();
    }
}

/// What a session is bound to, e.g. the browser's address. Order and repetition mean nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidationFactors(pub BTreeSet<(String, String)>);

/// The names under which the list of factors goes in JSON.
const FACTORS: [&str; 3] = [
    "validationFactors",
    "validation-factors",
    "validation-factor",
];

impl Codec for ValidationFactors {
    fn from_nothing() -> Result<ValidationFactors, CrowdError> {
        Ok(ValidationFactors::default())
    }

    fn from_xml(root: Element<'_, '_>) -> Result<ValidationFactors, CrowdError> {
        let factors = root.all("validation-factor").map(|factor| {
            let text = |name| factor.text_of(name).unwrap_or_default();
            (text("name"), text("value"))
        });
        Ok(ValidationFactors(factors.collect()))
    }

    fn from_json(root: &Value) -> Result<ValidationFactors, CrowdError> {
        let list = json::read::member(root, &FACTORS).unwrap_or(root);
        let mut factors = BTreeSet::new();
        for factor in list.as_array().into_iter().flatten() {
            let text = |name| json::read::text(factor, &[name]).map(Option::unwrap_or_default);
            factors.insert((text("name")?, text("value")?));
        }
        Ok(ValidationFactors(factors))
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        xml::open(out, "validation-factors");
        for (name, value) in &self.0 {
            xml::open(out, "validation-factor");
            xml::element(out, "name", name);
            xml::element(out, "value", value);
            xml::close(out, "validation-factor");
        }
        xml::close(out, "validation-factors");
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let mut object = json::Object::open(out);
        object.array(FACTORS[0], &self.0, |out, (name, value)| {
            let mut factor = json::Object::open(out);
            factor.text("name", name);
            factor.text("value", value);
            factor.close();
        });
        object.close();
    }
}

/// The body that opens a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationContext {
    /// Who logs in.
    pub username: String,
    /// The password; may be missing where the caller asks not to check it.
    pub password: Password,
    /// What the session is to be bound to.
    pub factors: ValidationFactors,
}

impl Codec for AuthenticationContext {
    fn from_xml(root: Element<'_, '_>) -> Result<AuthenticationContext, CrowdError> {
        let factors = root
            .child("validation-factors")
            .map(ValidationFactors::from_xml)
            .transpose()?;
        Ok(AuthenticationContext {
            username: required_name(
                root.text_of_any(&["username", "userName"]),
                "authentication context",
            )?,
            password: Password {
                value: root.text_of("password"),
            },
            factors: factors.unwrap_or_default(),
        })
    }

    fn from_json(root: &Value) -> Result<AuthenticationContext, CrowdError> {
        let username = json::read::text(root, &["username", "userName"])?;
        let factors = json::read::member(root, &["validation-factors", "validationFactors"]);
        Ok(AuthenticationContext {
            username: required_name(username, "authentication context")?,
            password: Password {
                value: json::read::text(root, &["password"])?,
            },
            factors: factors
                .map(ValidationFactors::from_json)
                .transpose()?
                .unwrap_or_default(),
        })
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        xml::open(out, "authentication-context");
        xml::element(out, "username", &self.username);
        if let Some(password) = &self.password.value {
            xml::element(out, "password", password);
        }
        self.factors.write_xml(out);
        xml::close(out, "authentication-context");
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let mut object = json::Object::open(out);
        object.text("username", &self.username);
        if let Some(password) = &self.password.value {
            object.text("password", password);
        }
        self.factors.write_json(object.member("validation-factors"));
        object.close();
    }
}
