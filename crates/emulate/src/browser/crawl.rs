//! Walks a site as a visitor would, by its links, and looks at one page of each kind.

use std::collections::{BTreeMap, VecDeque};

use super::{Browser, BrowserError};

/// A page that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its kind, fit for the name of a file: `connectors-x-setup`.
    pub kind: String,
    /// Its address.
    pub url: String,
}

/// One page of each kind that links lead to from here. Pages of one kind differ in names and ids only.
pub fn crawl(browser: &Browser, start: &str) -> Result<Vec<Seen>, BrowserError> {
    let origin = origin(start);
    let mut found = BTreeMap::new();
    let mut waiting = VecDeque::from([start.to_owned()]);
    while let Some(url) = waiting.pop_front() {
        let kind = kind(&url, &origin);
        if found.contains_key(&kind) {
            continue;
        }
        browser.open(&url)?;
        found.insert(kind, url);
        let links = browser.run(
            "return [...document.querySelectorAll('a[href]')].map(a => a.href)",
            &[],
        )?;
        let links = links
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|link| link.as_str());
        let inside = format!("{origin}/console");
        let links = links
            .filter_map(|link| link.split('#').next())
            .filter(|link| link.starts_with(&inside));
        waiting.extend(links.map(str::to_owned));
    }
    Ok(found
        .into_iter()
        .map(|(kind, url)| Seen { kind, url })
        .collect())
}

fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    format!("{scheme}://{}", rest.split('/').next().unwrap_or_default())
}

/// Names and ids follow the collections that they are in: every second segment is one.
fn kind(url: &str, origin: &str) -> String {
    let path = url.strip_prefix(origin).unwrap_or(url);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let segments = path.trim_matches('/').split('/').skip(1).enumerate();
    let words = segments.map(|(at, segment)| if at % 2 == 0 { segment } else { "x" });
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    let names = names.filter(|name| !name.is_empty());
    let words: Vec<&str> = words.chain(names).collect();
    match words.as_slice() {
        [] => "overview".to_owned(),
        words => words.join("-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_differ_in_names_are_of_one_kind() {
        let of = |path: &str| kind(&format!("http://h:1{path}"), "http://h:1");
        assert_eq!(of("/console"), "overview");
        assert_eq!(
            of("/console/connectors/okta"),
            of("/console/connectors/entra")
        );
        assert_eq!(of("/console/connectors/okta/rules"), "connectors-x-rules");
        assert_eq!(
            of("/console/people?search=a&directory=b"),
            "people-search-directory"
        );
        assert_eq!(origin("http://h:1/console/x"), "http://h:1");
    }
}
