//! The path of a request below the base URL, taken apart. Clients join paths as they like, so empty segments are
//! passed over; each of the others is decoded.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The segments of a path; none if one of them is no text, or has a control character, which no id has and a
/// database may not take.
pub fn segments(path: &str) -> Option<Vec<String>> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.map(decoded).collect()
}

fn decoded(segment: &str) -> Option<String> {
    let text = match segment.contains('%') {
        true => percent_decode_str(segment).decode_utf8().ok()?,
        false => Cow::Borrowed(segment),
    };
    (!text.contains(char::is_control)).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_are_forgiven_and_segments_decoded() {
        let of = |path: &str| segments(path).map(|segments| segments.join("|"));
        for (path, expected) in [
            ("", Some("")),
            ("//Users/", Some("Users")),
            ("/Users/a%20b%2Fc", Some("Users|a b/c")),
            ("/Users/100%", Some("Users|100%")),
            ("/Users/%FF", None),
            ("/Users/a%00", None),
        ] {
            assert_eq!(of(path).as_deref(), expected, "{path}");
        }
    }
}
