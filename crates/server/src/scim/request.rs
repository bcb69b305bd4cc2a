//! One request of a SCIM client: who asks, what for, and its body as JSON.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method};
use directory::{Cause, ConnectorId};
use percent_encoding::percent_decode_str;
use provision::JsonObject;
use scim::{
    Precondition, Projection, ResourceType, ResourceTypes, ScimError, SearchRequest, Warning,
    catalogue,
};

use super::Face;
use super::record::Notes;
use crate::authority::ScimCaller;
use crate::body::{self, BodyError};

/// Bodies above this many bytes are parsed on a thread that may take its time.
const PARSED_INLINE_BYTES_MAX: usize = 64 * 1024;

/// Notes of one request; a group of thousands may name thousands of strangers.
const NOTED_MAX: usize = 20;

/// A parameter of the query, decoded.
type Pair<'q> = (Cow<'q, str>, Cow<'q, str>);

/// What every handler of this face gets.
pub(super) struct Call {
    pub(super) face: Face,
    pub(super) caller: ScimCaller,
    pub(super) notes: Notes,
    pub(super) parts: Parts,
}

impl Call {
    pub(super) fn new(face: Face, caller: ScimCaller, parts: Parts) -> Call {
        Call {
            face,
            caller,
            notes: Notes::default(),
            parts,
        }
    }

    pub(super) fn method(&self) -> &Method {
        &self.parts.method
    }

    fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The connector that everything is confined to.
    pub(super) fn connector(&self) -> ConnectorId {
        self.caller.connector.connector.id
    }

    /// What resources of the connector can have.
    pub(super) fn types(&self) -> &ResourceTypes {
        &self.caller.connector.types
    }

    /// What users of the connector can have.
    pub(super) fn user_type(&self) -> &ResourceType {
        &self.caller.connector.types.user
    }

    /// What groups of the connector can have.
    pub(super) fn group_type(&self) -> &ResourceType {
        &self.caller.connector.types.group
    }

    /// Who acts, for the journal.
    pub(super) fn cause(&self) -> Cause {
        self.caller.cause.clone()
    }

    /// The address of a collection, such as that of users.
    pub(super) fn collection(&self, ty: &ResourceType) -> String {
        format!("{}{}", self.caller.base_url, ty.endpoint)
    }

    /// Whether the query has this parameter.
    pub(super) fn asks_for(&self, parameter: &str) -> Result<bool, ScimError> {
        Ok(self
            .pairs()?
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(parameter)))
    }

    /// What the query asks of a list.
    pub(super) fn search_request(&self) -> Result<SearchRequest, ScimError> {
        let pairs = self.pairs()?;
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()));
        Ok(SearchRequest::from_query(pairs))
    }

    /// What is to be shown of a single resource.
    pub(super) fn projection(&self, ty: &ResourceType) -> Result<Projection, ScimError> {
        if self.query().is_empty() {
            return Projection::parse(None, None, ty);
        }
        let pairs = self.pairs()?;
        let last = |wanted: &str| {
            let mut named = pairs
                .iter()
                .rev()
                .filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            named.next().map(|(_, value)| value.as_ref())
        };
        Projection::parse(last("attributes"), last("excludedAttributes"), ty)
    }

    fn pairs(&self) -> Result<Vec<Pair<'_>>, ScimError> {
        let parts = self.query().split('&').filter(|part| !part.is_empty());
        parts
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                Ok((decode(name)?, decode(value)?))
            })
            .collect()
    }

    /// What the request demands of the resource that it is about. A header may come in several lines.
    pub(super) fn precondition(&self) -> Precondition {
        let joined = |name: HeaderName| {
            let lines = self.parts.headers.get_all(name).iter();
            let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
            (!lines.is_empty()).then(|| lines.join(","))
        };
        let (among, not_among) = (joined(IF_MATCH), joined(IF_NONE_MATCH));
        Precondition::parse(among.as_deref(), not_among.as_deref())
    }

    /// The body as a JSON object.
    pub(super) async fn object(
        &self,
        body: Body,
        bytes_max: usize,
    ) -> Result<JsonObject, ScimError> {
        self.require_json()?;
        let bytes = body::read(&self.parts.headers, body, bytes_max)
            .await
            .map_err(body_error)?;
        self.notes.body(&bytes);
        if bytes.len() <= PARSED_INLINE_BYTES_MAX {
            return scim::json::read_object(&bytes);
        }
        let parsed = tokio::task::spawn_blocking(move || scim::json::read_object(&bytes)).await;
        parsed.unwrap_or_else(|error| {
            tracing::error!(%error, "reading a body failed");
            Err(catalogue::INTERNAL_ERROR
                .error("The server made a mistake while it read the request. Its log tells more."))
        })
    }

    /// A body without a type is taken for JSON, since it can be nothing else.
    fn require_json(&self) -> Result<(), ScimError> {
        let Some(sent) = self.parts.headers.get(CONTENT_TYPE) else {
            return Ok(());
        };
        let media_type = sent
            .to_str()
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        let is_json = media_type.eq_ignore_ascii_case("application/json")
            || media_type.eq_ignore_ascii_case("text/json")
            || media_type.to_ascii_lowercase().ends_with("+json");
        if is_json {
            return Ok(());
        }
        Err(catalogue::BODY_NOT_DECLARED_JSON
            .error("The body must be JSON. Send it with 'Content-Type: application/scim+json'."))
    }

    /// Leaves a note of what was ignored, for the administrator.
    pub(super) fn note(&self, warnings: &[Warning]) {
        self.notes.warn(warnings);
        let connector = &self.caller.connector.connector.public_id;
        let request = &self.caller.cause.request;
        for Warning { what, why } in warnings.iter().take(NOTED_MAX) {
            // Clients push placeholders as passwords with every user; only the rest is news.
            if what == "password" {
                tracing::debug!(%connector, %request, %why, "a pushed password was dropped");
            } else {
                tracing::info!(%connector, %request, %what, %why, "part of a SCIM request had no effect");
            }
        }
        if warnings.len() > NOTED_MAX {
            let more = warnings.len() - NOTED_MAX;
            tracing::info!(%connector, %request, more, "more parts of a SCIM request had no effect");
        }
    }
}

/// Decodes a part of a query, in which a plus sign is a blank.
fn decode(text: &str) -> Result<Cow<'_, str>, ScimError> {
    let refused = || {
        catalogue::QUERY_NOT_UTF_EIGHT
            .error("The query is not UTF-8. Encode it as UTF-8, then with percent signs.")
    };
    if !text.contains('+') {
        return percent_decode_str(text)
            .decode_utf8()
            .ok()
            .ok_or_else(refused);
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced)
        .decode_utf8()
        .ok()
        .ok_or_else(refused)?;
    Ok(Cow::Owned(decoded.into_owned()))
}

fn body_error(error: BodyError) -> ScimError {
    match error {
        BodyError::TooLarge(bytes) => catalogue::BODY_TOO_LARGE.error(format!(
            "The body is larger than {bytes} bytes. Send less in one request, such as fewer members."
        )),
        BodyError::Encoded => catalogue::BODY_COMPRESSED.error(
            "The body is compressed. Send it without Content-Encoding.",
        ),
        BodyError::TooSlow => catalogue::BODY_TOO_SLOW.error(
            "The body did not arrive in time. Send the request again.",
        ),
        BodyError::Broken => {
            catalogue::BODY_BROKEN_OFF.error("The connection broke before the body was complete.")
        }
    }
}
