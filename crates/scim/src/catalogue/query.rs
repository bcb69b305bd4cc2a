//! Errors of look-ups, lists and pages.

use super::section;

section! { QUERIES "Look-ups and lists"
FILTER_UNREADABLE "filter-unreadable" 400 InvalidFilter {
    meaning: "The filter cannot be read.",
    cause: "A matching rule that was typed by hand, or a value with quotation marks that are not escaped.",
    remedy: "Correct the matching attribute; a filter looks like `userName eq \"joy@example.org\"`.",
}
FILTER_TOO_LARGE "filter-too-large" 400 InvalidFilter {
    meaning: "The filter is too long.",
    cause: "A filter that lists very many values.",
    remedy: "Ask in several requests.",
}
FILTER_ATTRIBUTE_UNKNOWN "filter-attribute-unknown" 400 InvalidFilter {
    meaning: "The filter names an attribute that the resources do not have.",
    cause: "The matching attribute is misspelled, or is one of a schema that is not registered with the connector.",
    remedy: "Match by userName or externalId (users), or by displayName or externalId (groups); see `/Schemas` for the others.",
}
FILTER_ATTRIBUTE_NOT_OFFERED "filter-attribute-not-offered" 400 InvalidFilter {
    meaning: "The filter names an attribute that cannot be looked for.",
    cause: "Addresses of resources cannot be compared.",
    remedy: "Match by another attribute.",
}
FILTER_ON_SECRET "filter-on-secret" 403 Sensitive {
    meaning: "The filter names an attribute that is secret, whose value would be in the logs of every proxy.",
    cause: "A matching rule that looks for a password.",
    remedy: "Match by another attribute, and change what was sent.",
}
FILTER_COMPARISON_WRONG "filter-comparison-wrong" 400 InvalidFilter {
    meaning: "The filter compares what cannot be compared in this way.",
    cause: "A value of another type than the attribute, or an operator that the type does not have.",
    remedy: "Correct what the sentence names.",
}
SORT_WRONG "sort-wrong" 400 InvalidValue {
    meaning: "The list cannot be sorted as was asked.",
    cause: "`sortBy` names what is not an attribute with one value, or `sortOrder` is neither ascending nor descending.",
    remedy: "Sort by id, userName, externalId, displayName, meta.created or meta.lastModified.",
}
TOO_MANY_TO_SORT "too-many-to-sort" 400 TooMany {
    meaning: "Too many resources would have to be sorted by an attribute without an index.",
    cause: "A list of everything, sorted by an unusual attribute.",
    remedy: "Narrow the filter, or sort by id, userName, externalId, displayName, meta.created or meta.lastModified.",
}
PROJECTION_WRONG "projection-wrong" 400 InvalidValue {
    meaning: "`attributes` and `excludedAttributes` are both there, or name too much.",
    cause: "A setting of the client.",
    remedy: "Send one of the two, with fewer names.",
}
PARAMETER_WRONG "parameter-wrong" 400 InvalidValue {
    meaning: "A parameter of the query, or a member of a search, has a value that it cannot have.",
    cause: "A defect or a setting of the client.",
    remedy: "Correct the parameter that the sentence names.",
}
QUERY_NOT_UTF_EIGHT "query-not-utf-eight" 400 {
    meaning: "The query is not UTF-8.",
    cause: "A client that encodes in another character set.",
    remedy: "Encode as UTF-8, then with percent signs.",
}
SEARCH_UNREADABLE "search-unreadable" 400 InvalidSyntax {
    meaning: "The body of a search is something else.",
    cause: "`schemas` names another message than SearchRequest.",
    remedy: "Set it to `urn:ietf:params:scim:api:messages:2.0:SearchRequest`.",
}
DISCOVERY_NOT_FILTERED "discovery-not-filtered" 403 {
    meaning: "Discovery cannot be filtered (RFC 7644, section 4).",
    cause: "A defect of the client.",
    remedy: "Ask without `filter`.",
}
}

section! { PAGES "Pages by cursor"
CURSOR_WRONG "cursor-wrong" 400 InvalidCursor {
    meaning: "The cursor is not one of this query.",
    cause: "Endpoint, filter or sort are others than on the page before, or the cursor was changed on the way.",
    remedy: "Begin again with an empty cursor.",
}
CURSOR_EXPIRED "cursor-expired" 400 ExpiredCursor {
    meaning: "The cursor is older than 24 hours.",
    cause: "The client paused between two pages.",
    remedy: "Begin again with an empty cursor.",
}
COUNT_WRONG "count-wrong" 400 InvalidCount {
    meaning: "With a cursor, `count` is no number or not a possible one.",
    cause: "A setting of the client.",
    remedy: "Ask for 0 to 1,000 at a time.",
}
}
