//! The checks themselves, a module for each part of SCIM.

mod bulk;
mod callers;
mod clients;
mod clients_few;
mod cursor;
mod dialects;
mod discovery;
mod filters;
mod groups;
mod members;
mod members_edge;
mod pages;
mod patch;
mod projection;
mod races;
mod schemas;
mod search;
mod sorting;
mod tenants;
mod unicode;
mod users;
mod users_create;
mod versions;
mod wire;

use crate::catalogue::Check;

/// All of them, in the order in which the modules have them.
pub(crate) fn all() -> Vec<Check> {
    [
        discovery::checks,
        schemas::checks,
        callers::checks,
        wire::checks,
        users_create::checks,
        users::checks,
        groups::checks,
        members::checks,
        members_edge::checks,
        patch::checks,
        dialects::checks,
        filters::checks,
        pages::checks,
        cursor::checks,
        sorting::checks,
        search::checks,
        projection::checks,
        versions::checks,
        bulk::checks,
        unicode::checks,
        races::checks,
        tenants::checks,
        clients::checks,
        clients_few::checks,
    ]
    .into_iter()
    .flat_map(|section| section())
    .collect()
}
