//! What products send, and what a Crowd server answers them.

use crowd::authentication::{AuthenticationContext, Password, ValidationFactors};
use crowd::group::GroupRequest;
use crowd::limits::{
    CQL_BYTES_MAX, MESSAGE_CHARS_MAX, RESTRICTION_DEPTH_MAX, RESTRICTION_NODES_MAX,
};
use crowd::query::{Query, decode_segment};
use crowd::user::{Rename, UserRequest};
use crowd::webhook::Webhook;
use crowd::{Attributes, Body, CrowdError, EventToken, Format, Restriction, answer, cql};

pub const WORDS: &[&str] = &[
    "<user name=\"a\">",
    "</user>",
    "<user name='a'/>",
    "<group name=\"g\">",
    "</group>",
    "<first-name>",
    "</first-name>",
    "<password><value>",
    "</value></password>",
    "<active>true</active>",
    "<attributes>",
    "</attributes>",
    "<attribute name=\"x\">",
    "<values><value>1</value></values>",
    "</attribute>",
    "<!-- c -->",
    "<?pi?>",
    "<![CDATA[x]]>",
    "&amp;",
    "&#x41;",
    "xmlns:a=\"b\"",
    "<validation-factors>",
    "<validation-factor><name>remote_address</name><value>::1</value></validation-factor>",
    "<authentication-context>",
    "<username>a</username>",
    "<new-name>b</new-name>",
    "<endpointUrl>http://x</endpointUrl>",
    "{\"name\":\"a\"}",
    "\"value\":",
    "\"attributes\":{\"attributes\":[{\"name\":\"x\",\"values\":[\"1\"]}]}",
    "\"active\":\"true\"",
    "null",
    "[",
    "]",
    "{",
    "}",
    ",",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "&b;",
    "<events newEventToken=\"a:1\">",
    "<users>",
    "<memberships>",
];
pub const RESTRICTION_WORDS: &[&str] = &[
    "<property-search-restriction>",
    "</property-search-restriction>",
    "<boolean-search-restriction boolean-logic=\"and\">",
    "</boolean-search-restriction>",
    "<restrictions>",
    "</restrictions>",
    "<property><name>email</name><type>STRING</type></property>",
    "<match-mode>CONTAINS</match-mode>",
    "<match-mode>NULL</match-mode>",
    "<value>x</value>",
    "<null-search-restriction/>",
    "{\"restriction-type\":\"property-search-restriction\",",
    "\"boolean-logic\":\"or\",",
    "\"restrictions\":[",
    "\"property\":{\"name\":\"email\",\"type\":\"STRING\"},",
    "\"match-mode\":\"EXACTLY_MATCHES\",",
    "\"value\":\"x\"",
    "null",
    ",",
    "}",
    "]",
];
pub const CQL_WORDS: &[&str] = &[
    "email",
    "name",
    "\"first name\"",
    " = ",
    " < ",
    ">",
    " and ",
    " OR ",
    "(",
    ")",
    "\"",
    "'",
    "\\",
    "*",
    "\\*",
    "a*",
    "*a*",
    "\"\\\"\"",
    "active = true",
    "createdDate > 2020-01-01",
    ",",
    " ",
];
pub const TOKEN_WORDS: &[&str] = &[
    "a:1",
    ":",
    ".",
    "-",
    "0",
    "00",
    "18446744073709551615",
    "18446744073709551616",
    "+1",
    "_",
    "1.2.3",
];
pub const QUERY_WORDS: &[&str] = &[
    "start-index=",
    "max-results=",
    "expand=user,group",
    "entity-type=user",
    "&",
    "=",
    "%",
    "%41",
    "%FF",
    "%zz",
    "+",
    "-1",
    "restriction=",
    "username=a",
    "groupname=",
    "18446744073709551616",
    "attributes",
    ",",
];

/// What a refusal may be.
fn refused(error: &CrowdError) {
    assert!((400..500).contains(&error.status), "{error:?}");
    assert!(
        error.message.chars().count() <= MESSAGE_CHARS_MAX,
        "{error:?}"
    );
    assert!(!error.message.chars().any(char::is_control), "{error:?}");
    let written = error.to_bytes(Format::Xml);
    let read = answer::refusal(&written).expect("a refusal that can be read");
    assert_eq!(read.reason, Some(error.reason));
}

/// Every document that clients send: what is accepted is written so that it reads back as the same.
pub fn body(input: &[u8]) {
    round::<UserRequest>(input);
    round::<GroupRequest>(input);
    round::<Password>(input);
    round::<ValidationFactors>(input);
    round::<AuthenticationContext>(input);
    round::<Rename>(input);
    round::<Webhook>(input);
    round::<Attributes>(input);
}

/// Searches are documents too, and small.
pub fn restriction(input: &[u8]) {
    for read in round::<Restriction>(input) {
        let (nodes, depth) = size(&read);
        assert!(
            nodes <= RESTRICTION_NODES_MAX && depth <= RESTRICTION_DEPTH_MAX,
            "{nodes} {depth}"
        );
        if let Some(text) = cql::print(&read)
            && let Ok(again) = cql::parse(&text)
        {
            assert_eq!(again, read, "{text}");
        }
    }
}

fn size(restriction: &Restriction) -> (usize, usize) {
    match restriction {
        Restriction::Everything | Restriction::Test { .. } => (1, 0),
        Restriction::And(parts) | Restriction::Or(parts) => {
            let inner = parts.iter().map(size);
            inner.fold((1, 1), |(nodes, depth), (more, below)| {
                (nodes + more, depth.max(below + 1))
            })
        }
    }
}

/// Reads a document by what the header says, and by itself; what XML can say at all goes both ways.
fn round<T: Body + PartialEq + std::fmt::Debug>(input: &[u8]) -> Vec<T> {
    let mut found = Vec::new();
    for kind in [None, Some("application/xml"), Some("application/json")] {
        let read = match T::read(input, kind) {
            Ok(read) => read,
            Err(error) => {
                refused(&error);
                continue;
            }
        };
        for format in [Format::Json, Format::Xml] {
            let written = read.to_bytes(format);
            let again = T::read(&written, Some(format.content_type()));
            // XML has no words for most control characters, so that what comes from JSON may lose them.
            if format == Format::Json || Format::of_body(kind, input) == Format::Xml {
                assert_eq!(again.as_ref(), Ok(&read), "{}", written.escape_ascii());
            }
        }
        found.push(read);
    }
    found
}

/// What is accepted is printed so that it reads back as the same.
pub fn cql(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let read = match cql::parse(text) {
        Ok(read) => read,
        Err(error) => return refused(&error),
    };
    let (nodes, depth) = size(&read);
    assert!(
        nodes <= RESTRICTION_NODES_MAX && depth <= RESTRICTION_DEPTH_MAX,
        "{nodes} {depth}"
    );
    let printed = cql::print(&read).expect("what was written in CQL can be");
    match cql::parse(&printed) {
        Ok(again) => assert_eq!(again, read, "{printed}"),
        // Quotes and parentheses that were left out may be too many.
        Err(error) => assert!(
            printed.len() > CQL_BYTES_MAX || depth > 1,
            "{printed}: {error:?}"
        ),
    }
}

/// A token is one spelling of one place.
pub fn event_token(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match EventToken::parse(text) {
        Ok(token) => {
            assert_eq!(token.to_string(), text);
            assert!(!token.sequences.is_empty());
        }
        Err(error) => refused(&error),
    }
}

/// The query of a request, and a piece of its path.
pub fn query(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Err(error) = decode_segment(text) {
        refused(&error);
    }
    let query = match Query::parse(text) {
        Ok(query) => query,
        Err(error) => return refused(&error),
    };
    query.expand();
    for error in [
        query.paging().err(),
        query.entity_type().err(),
        query.flag("x", true).err(),
    ]
    .into_iter()
    .flatten()
    {
        refused(&error);
    }
    if let Some(Err(error)) = query.get("restriction").map(cql::parse) {
        refused(&error);
    }
    Format::from_accept(Some(text));
}

/// The client's side: an answer is read or not, whatever it is.
pub fn answer(input: &[u8]) {
    let mut seen = 0;
    let _refusal = answer::refusal(input);
    let _user = answer::user(input);
    let _group = answer::group(input);
    let _attributes = answer::attributes(input);
    let _users = answer::users(input, |_| seen += 1);
    let _groups = answer::groups(input, |_| seen += 1);
    let _memberships = answer::memberships(input, |_| seen += 1);
    let _feed = answer::events(input, |_| seen += 1);
    assert!(seen <= input.len());
}
