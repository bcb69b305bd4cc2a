//! What a client asks of a list, as it was sent: in the query of a GET, or as the body of a POST to
//! `.search` (RFC 7644, 3.4.2 and 3.4.3; RFC 9865, 2).

use serde_json::{Map, Value};

use crate::ScimError;
use crate::catalogue;
use crate::name::echo;

/// Schema URN of the body of a search.
pub const SEARCH_URN: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The parameters of a list, not looked at yet. Those that aren't known are passed over: clients put
/// their own marks into a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchRequest {
    pub(crate) filter: Option<String>,
    pub(crate) sort_by: Option<String>,
    pub(crate) sort_order: Option<String>,
    pub(crate) start_index: Option<String>,
    pub(crate) count: Option<String>,
    pub(crate) cursor: Option<String>,
    pub(crate) attributes: Option<String>,
    pub(crate) excluded_attributes: Option<String>,
}

impl SearchRequest {
    /// Reads the decoded parameters of a query. Of one that is given twice the last counts.
    pub fn from_query<'q>(pairs: impl IntoIterator<Item = (&'q str, &'q str)>) -> SearchRequest {
        let mut request = SearchRequest::default();
        for (name, value) in pairs {
            if let Some(place) = request.place(name) {
                *place = Some(value.to_owned());
            }
        }
        request
    }

    /// Reads the body of a search. `null` is the same as absence, a number may be sent as a text.
    pub fn from_body(body: Map<String, Value>) -> Result<SearchRequest, ScimError> {
        let mut request = SearchRequest::default();
        for (name, value) in body {
            if name.eq_ignore_ascii_case("schemas") {
                check_schemas(&value)?;
                continue;
            }
            let Some(place) = request.place(&name) else {
                continue;
            };
            *place = text_of(&name, value)?;
        }
        Ok(request)
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name.to_ascii_lowercase().as_str() {
            "filter" => &mut self.filter,
            "sortby" => &mut self.sort_by,
            "sortorder" => &mut self.sort_order,
            "startindex" => &mut self.start_index,
            "count" => &mut self.count,
            "cursor" => &mut self.cursor,
            "attributes" => &mut self.attributes,
            "excludedattributes" => &mut self.excluded_attributes,
            _ => return None,
        })
    }

    /// What decides which resources there are and in which order: the same on all pages of a walk, so that
    /// a cursor belongs to it.
    pub fn identity(&self) -> String {
        let part = |part: &Option<String>| part.as_deref().unwrap_or_default().trim().to_owned();
        let order = part(&self.sort_order).to_ascii_lowercase();
        let sort = match part(&self.sort_by).to_ascii_lowercase() {
            by if by.is_empty() => by,
            by if order == "descending" => format!("{by} {order}"),
            by => by,
        };
        format!("{sort}\n{}", part(&self.filter))
    }
}

fn check_schemas(value: &Value) -> Result<(), ScimError> {
    let is_search = |urn: &Value| {
        urn.as_str()
            .is_some_and(|urn| urn.eq_ignore_ascii_case(SEARCH_URN))
    };
    let fits = match value {
        Value::Null => true,
        Value::Array(urns) => urns.is_empty() || urns.iter().any(is_search),
        other => is_search(other),
    };
    if fits {
        return Ok(());
    }
    Err(catalogue::SEARCH_UNREADABLE.error(format!(
        "The body of a search has 'schemas' [\"{SEARCH_URN}\"]; this one is something else. Correct 'schemas'."
    )))
}

/// A parameter as the query would have it: lists of names are joined with commas.
fn text_of(name: &str, value: Value) -> Result<Option<String>, ScimError> {
    let is_list = name.to_ascii_lowercase().ends_with("attributes");
    let is_number = ["startindex", "count"].contains(&name.to_ascii_lowercase().as_str());
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) if is_number => Ok(Some(number.to_string())),
        Value::Array(items) if is_list => {
            let names: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            names
                .map(|names| Some(names.join(",")))
                .ok_or_else(|| wrong(name, "a list of texts"))
        }
        _ if is_number => Err(wrong(name, "a whole number")),
        _ if is_list => Err(wrong(name, "a list of texts")),
        _ => Err(wrong(name, "a text")),
    }
}

fn wrong(name: &str, wanted: &str) -> ScimError {
    catalogue::PARAMETER_WRONG.error(format!("'{}' of a search must be {wanted}.", echo(name)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: Value) -> Result<SearchRequest, ScimError> {
        let Value::Object(map) = value else {
            panic!("no object")
        };
        SearchRequest::from_body(map)
    }

    #[test]
    fn a_body_says_the_same_as_a_query() {
        let query = SearchRequest::from_query([
            ("FILTER", "title pr"),
            ("sortBy", "userName"),
            ("startIndex", "7"),
            ("startIndex", "11"),
            ("count", "5"),
            ("attributes", "userName,name.givenName"),
            ("aadOptscim062020", ""),
        ]);
        let same = body(json!({
            "schemas": [SEARCH_URN], "filter": "title pr", "SortBy": "userName", "startIndex": 11, "count": "5",
            "attributes": ["userName", "name.givenName"], "cursor": null, "more": {"x": 1},
        }));
        assert_eq!(same.unwrap(), query);
        assert_eq!(body(json!({})).unwrap(), SearchRequest::default());
        assert_eq!(
            body(json!({"schemas": [], "cursor": ""}))
                .unwrap()
                .cursor
                .as_deref(),
            Some("")
        );
    }

    #[test]
    fn a_body_of_another_kind_is_refused() {
        for (wrong, keyword) in [
            (
                json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}),
                "invalidSyntax",
            ),
            (json!({"schemas": 7}), "invalidSyntax"),
            (json!({"filter": ["a"]}), "invalidValue"),
            (json!({"count": true}), "invalidValue"),
            (json!({"startIndex": {}}), "invalidValue"),
            (json!({"attributes": [1]}), "invalidValue"),
            (json!({"excludedAttributes": 1}), "invalidValue"),
            (json!({"cursor": 1}), "invalidValue"),
        ] {
            let error = body(wrong.clone()).unwrap_err();
            assert_eq!(error.scim_type.unwrap().as_str(), keyword, "{wrong}");
        }
    }

    #[test]
    fn a_walk_stays_itself_whatever_is_shown_of_it() {
        let identity = |pairs: &[(&'static str, &'static str)]| {
            SearchRequest::from_query(pairs.iter().copied()).identity()
        };
        let first = identity(&[("filter", "title pr"), ("sortBy", "userName")]);
        assert_eq!(
            identity(&[
                ("filter", " title pr"),
                ("sortBy", "username"),
                ("sortOrder", "ascending"),
                ("count", "9"),
                ("attributes", "id")
            ]),
            first
        );
        for other in [
            identity(&[("filter", "title pr")]),
            identity(&[
                ("filter", "title pr"),
                ("sortBy", "userName"),
                ("sortOrder", "descending"),
            ]),
            identity(&[("sortBy", "userName")]),
        ] {
            assert_ne!(other, first);
        }
    }
}
