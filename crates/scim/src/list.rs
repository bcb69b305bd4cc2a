//! The query of a list: filter, page, and which attributes to show (RFC 7644, 3.4.2).

use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::name::echo;
use crate::{Filter, Node, Projection, ResourceType, ScimError};

/// What a client asks of `GET /Users` or `GET /Groups`. Parameters that aren't known, `sortBy` among
/// them, are passed over: clients put their own marks into the query.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// Which resources.
    pub filter: Option<Node>,
    /// Place of the first one, counted from 1.
    pub start_index: u64,
    /// The most to be given; 0 asks for the total only.
    pub count: u32,
    /// What is shown of each.
    pub projection: Projection,
}

impl ListQuery {
    /// Reads the decoded parameters of the query. Of one that is given twice the last counts.
    pub fn parse<'q>(
        pairs: impl IntoIterator<Item = (&'q str, &'q str)>,
        ty: &ResourceType,
    ) -> Result<ListQuery, ScimError> {
        let (mut filter, mut start_index, mut count) = (None, 1, i64::from(PAGE_DEFAULT));
        let (mut attributes, mut excluded) = (None, None);
        for (name, value) in pairs {
            match name.to_ascii_lowercase().as_str() {
                "filter" => filter = Some(value),
                "startindex" => start_index = number("startIndex", value)?.unwrap_or(1),
                "count" => count = number("count", value)?.unwrap_or(PAGE_DEFAULT.into()),
                "attributes" => attributes = Some(value),
                "excludedattributes" => excluded = Some(value),
                _ => {}
            }
        }
        let count = count.clamp(0, PAGE_MAX.into());
        Ok(ListQuery {
            filter: filter
                .map(|filter| Filter::parse(filter)?.resolve(ty))
                .transpose()?,
            start_index: start_index.max(1).unsigned_abs(),
            count: u32::try_from(count).unwrap_or(PAGE_MAX),
            projection: Projection::parse(attributes, excluded, ty)?,
        })
    }
}

/// A whole number; one beyond 64 bits counts as the largest. `None` if the parameter is empty.
fn number(name: &str, text: &str) -> Result<Option<i64>, ScimError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ScimError::invalid_value(format!(
            "'{name}' must be a whole number, not '{}'.",
            echo(text)
        )));
    }
    let beyond = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    Ok(Some(text.parse().unwrap_or(beyond)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
                    ("sortBy", "userName"),
                    ("x", "%"),
                ],
                1,
                100,
            ),
        ] {
            let query = parse(&pairs).unwrap();
            assert_eq!(
                (query.start_index, query.count),
                (start, count),
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
            Some(crate::ScimType::InvalidFilter)
        );
    }
}
