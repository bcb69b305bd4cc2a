//! What a form of a page sent, and whether it came from a page of ours.

use std::collections::HashMap;

use axum::body::Body;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;

use super::page::Trouble;
use crate::App;
use crate::body;
use crate::limits::API_BODY_BYTES_MAX;

/// The fields of a form, by name.
pub(super) struct Fields(HashMap<String, String>);

impl Fields {
    /// Reads a form that a page of this server sent. What comes from elsewhere is refused before it is read.
    pub(super) async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Self, Trouble> {
        Self::read_within(app, headers, body, API_BODY_BYTES_MAX).await
    }

    /// The same of a form that may be so long.
    pub(super) async fn read_within(
        app: &App,
        headers: &HeaderMap,
        body: Body,
        bytes_max: usize,
    ) -> Result<Self, Trouble> {
        let bytes = Self::bytes(app, headers, body, bytes_max).await?;
        Ok(Self::parse(&bytes))
    }

    /// A form as it was sent.
    pub(super) async fn bytes(
        app: &App,
        headers: &HeaderMap,
        body: Body,
        bytes_max: usize,
    ) -> Result<Bytes, Trouble> {
        require_ours(app, headers)?;
        let read = body::read(headers, body, bytes_max).await;
        read.map_err(|_error| {
            Trouble::new(
                StatusCode::BAD_REQUEST,
                "The form did not arrive as a whole, or is too large. Send it again.",
            )
        })
    }

    /// Its fields.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// All fields but one, in the order of their names.
    pub(super) fn without(&self, name: &str) -> Vec<(String, String)> {
        let others = self.0.iter().filter(|(other, _)| *other != name);
        let mut others: Vec<_> = others
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        others.sort();
        others
    }

    /// A field without blanks around it; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map(|text| text.trim()).unwrap_or_default()
    }

    /// All fields as they were typed, by name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut all: Vec<(&str, &str)> = self
            .0
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// What was ticked among the boxes whose names begin so, in order.
    pub(super) fn ticked(&self, prefix: &str) -> Vec<String> {
        let names = self.0.keys().filter_map(|name| name.strip_prefix(prefix));
        let mut ticked: Vec<String> = names.map(str::to_owned).collect();
        ticked.sort();
        ticked
    }

    /// A field as it was typed.
    pub(super) fn exact(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

impl From<HashMap<String, String>> for Fields {
    fn from(fields: HashMap<String, String>) -> Self {
        Self(fields)
    }
}

/// Refuses what comes from elsewhere.
pub(super) fn require_ours(app: &App, headers: &HeaderMap) -> Result<(), Trouble> {
    match is_ours(app, headers) {
        true => Ok(()),
        false => Err(Trouble::new(
            StatusCode::FORBIDDEN,
            "The form was sent from another page than this console. Open the console and send it from there.",
        )),
    }
}

/// Whether a request comes from a page of this server, by what its browser says (Fetch Metadata, else Origin).
fn is_ours(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    match text(ORIGIN.as_str()) {
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            origin == app.base_url(headers) || (host.is_some() && host == text(HOST.as_str()))
        }
        // No browser of today; then the token of the form decides alone.
        None => true,
    }
}
