//! Which endpoint a path means. Clients write the base URL with and without a slash at its end and
//! join paths to it as they like, so empty segments are passed over.

use axum::http::Method;
use percent_encoding::percent_decode_str;

/// An endpoint below the base URL of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Users,
    User(String),
    Groups,
    Group(String),
    ServiceProviderConfig,
    ResourceTypes,
    ResourceType(String),
    Schemas,
    Schema(String),
    /// A part of SCIM that is not served.
    NotOffered(&'static str),
    Unknown,
}

const COLLECTION: &[Method] = &[Method::GET, Method::HEAD, Method::POST];
const RESOURCE: &[Method] = &[
    Method::GET,
    Method::HEAD,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];
const DISCOVERY: &[Method] = &[Method::GET, Method::HEAD];

impl Route {
    /// Reads a path below the base URL.
    pub(super) fn of(path: &str) -> Route {
        let decoded = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(decode);
        let Some(segments) = decoded.collect::<Option<Vec<String>>>() else {
            return Route::Unknown;
        };
        let mut segments = segments.into_iter();
        let (Some(first), second, None) = (segments.next(), segments.next(), segments.next())
        else {
            return Route::Unknown;
        };
        match (first.to_ascii_lowercase().as_str(), second) {
            ("users" | "groups", Some(second)) if second == ".search" => {
                Route::NotOffered("POST .search")
            }
            (".search", None) => Route::NotOffered("POST .search"),
            ("bulk", None) => Route::NotOffered("Bulk"),
            ("me", _) => Route::NotOffered("Me"),
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
            _ => DISCOVERY,
        }
    }
}

/// No id has a control character, and a database may not take one.
fn decode(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    (!text.contains(char::is_control)).then(|| text.into_owned())
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
            ("/Users/.search", Route::NotOffered("POST .search")),
            ("/Me", Route::NotOffered("Me")),
            ("", Route::Unknown),
            ("/", Route::Unknown),
            ("/Users/1/2", Route::Unknown),
            ("/Users/%FF", Route::Unknown),
            ("/Users/a%00", Route::Unknown),
            ("/Devices", Route::Unknown),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
