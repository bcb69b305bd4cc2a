//! Which endpoint a path means. Clients write the base URL with and without a slash at its end.

use super::search::Searched;
use axum::http::Method;

/// An endpoint below the base URL of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// The base URL itself: all resources.
    Root,
    /// A search in a body.
    Search(Searched),
    Users,
    User(String),
    Groups,
    Group(String),
    ServiceProviderConfig,
    ResourceTypes,
    ResourceType(String),
    Schemas,
    Schema(String),
    Bulk,
    /// The user who is calling (RFC 7644 section 3.11); a token stands for none.
    Me,
    Unknown,
}

const COLLECTION: &[Method] = &[Method::GET, Method::HEAD, Method::POST, Method::OPTIONS];
const RESOURCE: &[Method] = &[
    Method::GET,
    Method::HEAD,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];
const DISCOVERY: &[Method] = &[Method::GET, Method::HEAD, Method::OPTIONS];
const ACTION: &[Method] = &[Method::POST, Method::OPTIONS];

impl Route {
    /// Reads a path below the base URL.
    pub(super) fn of(path: &str) -> Route {
        let Some(segments) = scim::segments(path) else {
            return Route::Unknown;
        };
        let mut segments = segments.into_iter();
        let (first, second, None) = (segments.next(), segments.next(), segments.next()) else {
            return Route::Unknown;
        };
        let Some(first) = first else {
            return Route::Root;
        };
        match (first.to_ascii_lowercase().as_str(), second) {
            ("users", Some(second)) if second == ".search" => Route::Search(Searched::Users),
            ("groups", Some(second)) if second == ".search" => Route::Search(Searched::Groups),
            (".search", None) => Route::Search(Searched::All),
            ("bulk", None) => Route::Bulk,
            ("me", _) => Route::Me,
            ("users", None) => Route::Users,
            ("users", Some(id)) => Route::User(id),
            ("groups", None) => Route::Groups,
            ("groups", Some(id)) => Route::Group(id),
            ("serviceproviderconfig" | "serviceproviderconfigs", None) => {
                Route::ServiceProviderConfig
            }
            ("resourcetypes", None) => Route::ResourceTypes,
            ("resourcetypes", Some(name)) => Route::ResourceType(name),
            ("schemas", None) => Route::Schemas,
            ("schemas", Some(urn)) => Route::Schema(urn),
            _ => Route::Unknown,
        }
    }

    /// The methods that it has.
    pub(super) fn methods(&self) -> &'static [Method] {
        match self {
            Route::Users | Route::Groups => COLLECTION,
            Route::User(_) | Route::Group(_) => RESOURCE,
            Route::Bulk | Route::Search(_) => ACTION,
            _ => DISCOVERY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_are_forgiven_and_segments_decoded() {
        for (path, route) in [
            ("/Users", Route::Users),
            ("//Users/", Route::Users),
            ("/users", Route::Users),
            ("/Users/a%20b", Route::User("a b".into())),
            ("/Groups/1/", Route::Group("1".into())),
            ("/Schemas/urn%3Aietf:x", Route::Schema("urn:ietf:x".into())),
            ("/Users/.search", Route::Search(Searched::Users)),
            ("/.search/", Route::Search(Searched::All)),
            ("/Bulk", Route::Bulk),
            ("/Bulk/1", Route::Unknown),
            ("/Me", Route::Me),
            ("/Me/1", Route::Me),
            ("", Route::Root),
            ("/", Route::Root),
            ("/Users/1/2", Route::Unknown),
            ("/Users/%FF", Route::Unknown),
            ("/Users/a%00", Route::Unknown),
            ("/Devices", Route::Unknown),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
