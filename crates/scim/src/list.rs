//! The query of a list: filter, order, page, and which attributes to show (RFC 7644, 3.4.2; RFC 9865).

use crate::catalogue;
use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::name::echo;
use crate::{Filter, Node, Projection, ResourceType, ScimError, SearchRequest, Sort};

/// What a client asks of `GET /Users` or `GET /Groups`, or of one type in a search of several.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// Which resources.
    pub filter: Option<Node>,
    /// In which order; that of their creation if the client doesn't say.
    pub sort: Option<Sort>,
    /// Where the page begins.
    pub paging: Paging,
    /// The most to be given; 0 asks for the total only.
    pub count: u32,
    /// What is shown of each.
    pub projection: Projection,
}

/// How a client walks through pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// By the place of the first resource.
    Index {
        /// That place, counted from 1.
        start: u64,
    },
    /// By what the page before said. Empty for the first page.
    Cursor(String),
}

impl ListQuery {
    /// Reads the decoded parameters of a query.
    pub fn parse<'q>(
        pairs: impl IntoIterator<Item = (&'q str, &'q str)>,
        ty: &ResourceType,
    ) -> Result<ListQuery, ScimError> {
        SearchRequest::from_query(pairs).resolve(ty)
    }

    /// Whether the page is found by a cursor.
    pub fn by_cursor(&self) -> bool {
        matches!(self.paging, Paging::Cursor(_))
    }
}

impl SearchRequest {
    /// What is asked of one type of resource.
    pub fn resolve(&self, ty: &ResourceType) -> Result<ListQuery, ScimError> {
        self.resolve_among(ty, &[ty])
    }

    /// What is asked of one of several types that are searched together. A filter that holds of no resource
    /// of the type is [`Node::never`].
    pub fn resolve_among(
        &self,
        ty: &ResourceType,
        types: &[&ResourceType],
    ) -> Result<ListQuery, ScimError> {
        let filter = match &self.filter {
            Some(filter) => Some(Filter::parse(filter)?.resolve_among(ty, types)?),
            None => None,
        };
        let by = self.sort_by.as_deref().map(str::trim);
        let sort = match by.filter(|by| !by.is_empty()) {
            Some(by) => Some(Sort::parse(by, self.sort_order.as_deref(), ty, types)?),
            None => None,
        };
        let paging = self.paging()?;
        Ok(ListQuery {
            filter: filter.filter(|filter| !filter.is_always()),
            sort,
            count: self.page_size(&paging)?,
            paging,
            projection: Projection::parse(
                self.attributes.as_deref(),
                self.excluded_attributes.as_deref(),
                ty,
            )?,
        })
    }

    fn paging(&self) -> Result<Paging, ScimError> {
        let start = match &self.start_index {
            Some(start) => number(start).map_err(|text| not_a_number("startIndex", &text))?,
            None => None,
        };
        match (&self.cursor, start.unwrap_or(1)) {
            (None, start) => Ok(Paging::Index {
                start: start.max(1).unsigned_abs(),
            }),
            (Some(cursor), ..=1) => Ok(Paging::Cursor(cursor.trim().to_owned())),
            (Some(_), _) => Err(catalogue::PARAMETER_WRONG.error(
                "A page is found by 'startIndex' or by 'cursor', not by both. Leave one out.",
            )),
        }
    }

    /// By index a size that is too large is lowered, as clients expect; by cursor RFC 9865 has it refused.
    fn page_size(&self, paging: &Paging) -> Result<u32, ScimError> {
        let by_cursor = matches!(paging, Paging::Cursor(_));
        let count = match self.count.as_deref().map(number) {
            None => None,
            Some(Ok(count)) => count,
            Some(Err(text)) if by_cursor => {
                return Err(catalogue::COUNT_WRONG.error(not_a_number("count", &text).detail));
            }
            Some(Err(text)) => return Err(not_a_number("count", &text)),
        };
        let count = count.unwrap_or(PAGE_DEFAULT.into()).max(0);
        match u32::try_from(count) {
            Ok(count) if count <= PAGE_MAX => Ok(count),
            _ if by_cursor => Err(catalogue::COUNT_WRONG.error(format!(
                "'count' must be between 0 and {PAGE_MAX} when pages are found by a cursor."
            ))),
            _ => Ok(PAGE_MAX),
        }
    }
}

/// A whole number; one beyond 64 bits counts as the largest. `None` if the parameter is empty.
fn number(text: &str) -> Result<Option<i64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(text.to_owned());
    }
    let beyond = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    Ok(Some(text.parse().unwrap_or(beyond)))
}

fn not_a_number(name: &str, text: &str) -> ScimError {
    catalogue::PARAMETER_WRONG.error(format!(
        "'{name}' must be a whole number, not '{}'. Correct the query.",
        echo(text)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScimType;

    fn parse(pairs: &[(&str, &str)]) -> Result<ListQuery, ScimError> {
        ListQuery::parse(pairs.iter().copied(), ResourceType::user())
    }

    #[test]
    fn pages_are_clamped_and_unknown_parameters_passed_over() {
        for (pairs, start, count) in [
            (vec![], 1, 100),
            (vec![("startIndex", "0"), ("count", "-3")], 1, 0),
            (vec![("startIndex", "-9223372036854775808")], 1, 100),
            (vec![("startIndex", "101"), ("count", "1000")], 101, 1_000),
            (vec![("count", "1001")], 1, 1_000),
            (vec![("count", "99999999999999999999999")], 1, 1_000),
            (vec![("startindex", "5"), ("COUNT", "2")], 5, 2),
            (
                vec![
                    ("count", ""),
                    ("aadOptscim062020", ""),
                    ("sortBy", ""),
                    ("sortOrder", "sideways"),
                    ("x", "%"),
                ],
                1,
                100,
            ),
        ] {
            let query = parse(&pairs).unwrap();
            let paging = Paging::Index { start };
            assert_eq!((query.paging, query.count), (paging, count), "{pairs:?}");
        }
    }

    #[test]
    fn a_cursor_and_an_index_are_two_ways() {
        for (pairs, cursor, count) in [
            (vec![("cursor", "")], "", 100),
            (vec![("cursor", "abc"), ("count", "1000")], "abc", 1_000),
            (
                vec![("cursor", "abc"), ("startIndex", "1"), ("count", "-1")],
                "abc",
                0,
            ),
        ] {
            let query = parse(&pairs).unwrap();
            assert_eq!(
                (query.paging, query.count),
                (Paging::Cursor(cursor.into()), count)
            );
        }
        for (pairs, keyword) in [
            (
                vec![("cursor", ""), ("count", "1001")],
                ScimType::InvalidCount,
            ),
            (
                vec![("cursor", ""), ("count", "ten")],
                ScimType::InvalidCount,
            ),
            (
                vec![("cursor", ""), ("startIndex", "2")],
                ScimType::InvalidValue,
            ),
        ] {
            assert_eq!(
                parse(&pairs).unwrap_err().scim_type,
                Some(keyword),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn what_is_no_number_or_filter_is_refused() {
        for pairs in [
            [("count", "ten")],
            [("startIndex", "1.5")],
            [("count", "-")],
            [("startIndex", "0x1")],
        ] {
            assert_eq!(parse(&pairs).unwrap_err().status, 400, "{pairs:?}");
        }
        assert_eq!(
            parse(&[("filter", "")]).unwrap_err().scim_type,
            Some(ScimType::InvalidFilter)
        );
    }
}
