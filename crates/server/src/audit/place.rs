//! What an entry is about, as a path: as people read it, and by ids, which stay when names change.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use provision::ProvisionError;
use store::ReadTx;

use crate::api::BASE;

/// A path as people read and search it: its segments are decoded, but for those that would not be segments then.
pub(crate) fn readable(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let decoded = percent_decode_str(segment).decode_utf8();
        let is_clear = |text: &Cow<'_, str>| {
            !text.contains(|letter: char| letter == '/' || letter.is_control())
        };
        decoded
            .ok()
            .filter(is_clear)
            .unwrap_or(Cow::Borrowed(segment))
    });
    segments.collect::<Vec<_>>().join("/")
}

/// A path as somebody typed it who searches: from the base of the admin API or below it, with slashes too many or too few.
pub(crate) fn wanted(typed: &str) -> String {
    let typed = typed.trim();
    let typed = typed.strip_prefix(BASE).unwrap_or(typed);
    let segments = typed.split('/').filter(|segment| !segment.is_empty());
    segments
        .map(|segment| format!("/{}", readable(segment)))
        .collect()
}

/// The same path with the ids of what has a name, as far as it is there.
pub(crate) fn by_ids(tx: &ReadTx<'_>, readable: &str) -> Result<String, ProvisionError> {
    let mut segments: Vec<String> = readable.split('/').map(str::to_owned).collect();
    for nth in 2..segments.len().min(5) {
        let before: Vec<&str> = segments[1..nth].iter().map(String::as_str).collect();
        if let Some(id) = id(tx, &before, &segments[nth])? {
            segments[nth] = id;
        }
    }
    Ok(segments.join("/"))
}

fn id(tx: &ReadTx<'_>, before: &[&str], name: &str) -> Result<Option<String>, ProvisionError> {
    Ok(match *before {
        ["connectors"] => tx
            .find_connector(name)?
            .map(|found| found.connector.public_id),
        ["directories"] => tx.find_directory(name)?.map(|found| found.public_id),
        ["directories", directory, "users"] => match tx.find_directory(directory)? {
            Some(found) => tx.directory_user(found.id, name)?.map(|user| user.key),
            None => None,
        },
        ["applications"] => tx.application(name)?.map(|found| found.public_id),
        ["administrators"] => tx.find_administrator(name)?.map(|found| found.id),
        ["notifications"] => tx.find_channel(name)?.map(|found| found.id),
        ["subscriptions"] => tx.find_subscription(name)?.map(|found| found.id),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_as_far_as_they_stay_paths() {
        for (path, told) in [
            ("/connectors/okta%20eu", "/connectors/okta eu"),
            ("/connectors/%C3%BC/rules", "/connectors/ü/rules"),
            ("/connectors/a%2Fb/tokens", "/connectors/a%2Fb/tokens"),
            ("/connectors/a%00b", "/connectors/a%00b"),
            ("/connectors/%FF", "/connectors/%FF"),
        ] {
            assert_eq!(readable(path), told);
        }
    }

    #[test]
    fn whoever_searches_need_not_mind_slashes() {
        for typed in [
            "/connectors/okta eu",
            " connectors/okta%20eu/ ",
            "/api/v1/connectors//okta eu",
        ] {
            assert_eq!(wanted(typed), "/connectors/okta eu");
        }
        assert_eq!(wanted("/"), "");
    }
}
