//! Which holds a list shows: what decisions from it lead back to.

use serde::Deserialize;

use super::desk::segment;

/// Which holds to show.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    pub(super) connector: String,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) q: String,
    pub(super) after: String,
}

impl Wanted {
    /// The filters that a query names.
    pub(super) fn of_query(query: &str) -> Self {
        let mut wanted = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "connector" => &mut wanted.connector,
                "kind" => &mut wanted.kind,
                "state" => &mut wanted.state,
                "q" => &mut wanted.q,
                _ => continue,
            };
            *place = value.into_owned();
        }
        wanted
    }

    /// The filters as a query: what a decision leads back to.
    pub(super) fn query(&self) -> String {
        let said = [
            ("connector", &self.connector),
            ("kind", &self.kind),
            ("state", &self.state),
            ("q", &self.q),
        ];
        let said = said.into_iter().filter(|(_, value)| !value.is_empty());
        let said = said.map(|(name, value)| format!("{name}={}", segment(value)));
        said.collect::<Vec<_>>().join("&")
    }

    /// Whether it is about some of a connector's holds only.
    pub(super) fn is_narrow(&self) -> bool {
        !self.kind.is_empty() || !self.q.is_empty()
    }

    /// The list with these filters.
    pub(super) fn place(&self) -> String {
        match self.query().as_str() {
            "" => "/console/holds".to_owned(),
            query => format!("/console/holds?{query}"),
        }
    }

    /// A page about what the list has, from which these filters are found again.
    pub(super) fn within(&self, page: &str) -> String {
        match self.query().as_str() {
            "" => page.to_owned(),
            query => format!("{page}?{query}"),
        }
    }
}
