//! Webhooks: where an application wants to hear that there are events.

use serde_json::Value;

use crate::codec::Codec;
use crate::error::CrowdError;
use crate::xml::read::Element;
use crate::{json, xml};

/// A webhook, in requests without and in answers with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The number under which the server keeps it.
    pub id: Option<i64>,
    /// Where to send.
    pub endpoint_url: String,
    /// What the endpoint recognises the sender by.
    pub token: Option<String>,
}

impl Codec for Webhook {
    fn from_xml(root: Element<'_, '_>) -> Result<Webhook, CrowdError> {
        Ok(Webhook {
            id: root.text_of("id").map(|text| number(&text)).transpose()?,
            endpoint_url: required_url(root.text_of_any(&["endpointUrl", "endpoint-url"]))?,
            token: root.text_of("token"),
        })
    }

    fn from_json(root: &Value) -> Result<Webhook, CrowdError> {
        Ok(Webhook {
            id: json::read::text(root, &["id"])?
                .map(|text| number(&text))
                .transpose()?,
            endpoint_url: required_url(json::read::text(root, &["endpointUrl", "endpoint-url"])?)?,
            token: json::read::text(root, &["token"])?,
        })
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        xml::open(out, "webhook");
        if let Some(id) = self.id {
            xml::element(out, "id", &id.to_string());
        }
        xml::element(out, "endpointUrl", &self.endpoint_url);
        if let Some(token) = &self.token {
            xml::element(out, "token", token);
        }
        xml::close(out, "webhook");
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let mut object = json::Object::open(out);
        if let Some(id) = self.id {
            object.number("id", id);
        }
        object.text("endpointUrl", &self.endpoint_url);
        if let Some(token) = &self.token {
            object.text("token", token);
        }
        object.close();
    }
}

fn number(text: &str) -> Result<i64, CrowdError> {
    let broken = |_| CrowdError::illegal_argument("The webhook's id is not a number.");
    text.trim().parse().map_err(broken)
}

fn required_url(text: Option<String>) -> Result<String, CrowdError> {
    text.filter(|url| !url.trim().is_empty())
        .ok_or_else(|| CrowdError::illegal_argument("The webhook has no endpointUrl."))
}
