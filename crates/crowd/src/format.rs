//! Which of the two formats a caller writes and wants to read.

/// The two formats of the Crowd API. A request and its answer need not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// What Atlassian's own client speaks, and the answer when nothing is asked for.
    Xml,
    /// What nearly every other client asks for.
    Json,
}

impl Format {
    /// The value of `Content-Type` for an answer in this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Xml => "application/xml;charset=UTF-8",
            Format::Json => "application/json;charset=UTF-8",
        }
    }

    /// Chooses the format of the answer from the request's `Accept` header.
    ///
    /// The highest quality wins, then the more exact range, then XML. Whoever accepts neither format
    /// gets XML: an answer in the wrong format still carries its status and its version header.
    pub fn from_accept(accept: Option<&str>) -> Format {
        let mut xml = Preference::default();
        let mut json = Preference::default();
        for range in accept.unwrap_or("*/*").split(',').filter_map(Range::parse) {
            xml.consider(&range, Format::Xml);
            json.consider(&range, Format::Json);
        }
        if json.rank() > xml.rank() {
            Format::Json
        } else {
            Format::Xml
        }
    }

    /// Tells the format of a request body: by its `Content-Type`, and where that says nothing known,
    /// by its first character.
    pub fn of_body(content_type: Option<&str>, body: &[u8]) -> Format {
        let named = content_type.and_then(|text| {
            let (kind, _) = text.split_once(';').unwrap_or((text, ""));
            named_by(kind.rsplit_once('/').map_or(kind, |(_, sub)| sub))
        });
        named.unwrap_or_else(
            || match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
                Some(b'{' | b'[' | b'"') => Format::Json,
                _ => Format::Xml,
            },
        )
    }
}

/// The format that a media subtype names, suffixes (`+json`) included.
fn named_by(subtype: &str) -> Option<Format> {
    let subtype = subtype.trim().to_ascii_lowercase();
    match subtype.rsplit('+').next() {
        Some("xml") => Some(Format::Xml),
        Some("json") => Some(Format::Json),
        _ => None,
    }
}

/// One entry of an `Accept` header.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Quality in thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Range<'a>> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/').unwrap_or(("*", "*"));
        let quality = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("q")
                .then(|| parse_quality(value.trim()))
        });
        (!text.trim().is_empty()).then(|| Range {
            kind: kind.trim(),
            subtype: subtype.trim(),
            quality: quality.unwrap_or(1000),
        })
    }

    /// How exactly this range names the format: 2 by name, 1 by half, 0 by anything; none if it does not.
    fn exactness(&self, format: Format) -> Option<u8> {
        match (self.kind, self.subtype) {
            ("*", "*") => Some(0),
            ("application", "*") => Some(1),
            ("text", "*") => (format == Format::Xml).then_some(1),
            (_, subtype) => (named_by(subtype) == Some(format)).then_some(2),
        }
    }
}

/// A quality between 0 and 1 in thousandths; nonsense counts as 1, as if it had not been written.
fn parse_quality(text: &str) -> u16 {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => (value * 1000.0).round() as u16,
        _ => 1000,
    }
}

/// What the ranges seen so far say about one format.
#[derive(Default)]
struct Preference {
    found: Option<(u8, u16)>,
}

impl Preference {
    /// The most exact range decides the quality; of equals, the kinder one.
    fn consider(&mut self, range: &Range<'_>, format: Format) {
        if let Some(exactness) = range.exactness(format) {
            self.found = self.found.max(Some((exactness, range.quality)));
        }
    }

    /// Quality first, exactness second; unacceptable is below everything.
    fn rank(&self) -> (u16, u8) {
        match self.found {
            Some((exactness, quality)) if quality > 0 => (quality, exactness),
            _ => (0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_decides() {
        let cases = [
            (None, Format::Xml),
            (Some(""), Format::Xml),
            (Some("*/*"), Format::Xml),
            (Some("application/xml"), Format::Xml),
            (Some("application/json"), Format::Json),
            (Some("APPLICATION/JSON; charset=utf-8"), Format::Json),
            (Some("application/json, text/plain, */*"), Format::Json),
            (Some("application/json;q=0.5, application/xml"), Format::Xml),
            (
                Some("application/xml;q=0.5, application/json;q=0.9"),
                Format::Json,
            ),
            (Some("application/xml;q=0, */*"), Format::Json),
            (Some("application/json;q=0, */*"), Format::Xml),
            (Some("application/json, application/xml"), Format::Xml),
            (Some("application/*"), Format::Xml),
            (
                Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
                Format::Xml,
            ),
            (
                Some("text/html, image/gif, *; q=.2, */*; q=.2"),
                Format::Xml,
            ),
            (Some("text/plain"), Format::Xml),
            (Some("application/json;q=nonsense"), Format::Json),
            (Some(",;,/,=;q"), Format::Xml),
        ];
        for (accept, format) in cases {
            assert_eq!(Format::from_accept(accept), format, "{accept:?}");
        }
    }

    #[test]
    fn the_body_tells_its_format_when_the_header_does_not() {
        let cases: [(Option<&str>, &[u8], Format); 7] = [
            (Some("application/xml; charset=UTF-8"), b"{}", Format::Xml),
            (
                Some("application/json;charset=utf-8"),
                b"<a/>",
                Format::Json,
            ),
            (Some("text/xml"), b"", Format::Xml),
            (
                Some("application/x-www-form-urlencoded"),
                b" {\"value\":1}",
                Format::Json,
            ),
            (None, b"\n<password/>", Format::Xml),
            (None, b"", Format::Xml),
            (Some("application/octet-stream"), b"[", Format::Json),
        ];
        for (kind, body, format) in cases {
            assert_eq!(Format::of_body(kind, body), format, "{kind:?} {body:?}");
        }
    }
}
