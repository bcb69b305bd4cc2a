//! The targets: what is read, and which laws hold of it.

mod crowd;
mod rules;
mod scim;

use crate::Target;

/// All of them.
pub const TARGETS: &[Target] = &[
    target("crowd_answer", crowd::answer, crowd::WORDS),
    target("crowd_body", crowd::body, crowd::WORDS),
    target("crowd_cql", crowd::cql, crowd::CQL_WORDS),
    target("crowd_event_token", crowd::event_token, crowd::TOKEN_WORDS),
    target("crowd_query", crowd::query, crowd::QUERY_WORDS),
    target(
        "crowd_restriction",
        crowd::restriction,
        crowd::RESTRICTION_WORDS,
    ),
    target("rules", rules::rules, rules::WORDS),
    target("scim_bulk", scim::bulk, scim::BULK_WORDS),
    target("scim_filter", scim::filter, scim::FILTER_WORDS),
    target("scim_headers", scim::headers, scim::HEADER_WORDS),
    target("scim_json", scim::json, scim::JSON_WORDS),
    target("scim_patch", scim::patch, scim::PATCH_WORDS),
    target("scim_path", scim::path, scim::FILTER_WORDS),
    target("scim_resource", scim::resource, scim::RESOURCE_WORDS),
    target("scim_schema", scim::schema, scim::SCHEMA_WORDS),
    target("scim_search", scim::search, scim::SEARCH_WORDS),
];

const fn target(name: &'static str, run: fn(&[u8]), words: &'static [&'static str]) -> Target {
    Target { name, run, words }
}
