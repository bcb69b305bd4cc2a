//! The steps of a row or a rule as a form shows them.

use super::shape::{Inside, Member, Shape, Variant};

/// Steps, in order.
pub(super) static STEPS: Shape = Shape::List {
    item: &STEP,
    noun: "Step",
    none: "No step: the value is taken as it comes.",
    fresh: "\"trim\"",
};

static STEP: Shape = Shape::Tagged(&[
    plain("lower", "lower case"),
    plain("upper", "upper case"),
    plain("title", "first letters in upper case"),
    plain("trim", "without blanks around it"),
    plain("collapse_spaces", "runs of blanks become one"),
    plain("strip_spaces", "without any blanks"),
    plain("strip_domain", "without @ and what follows"),
    plain("guest_to_email", "guest name to e-mail (#EXT#)"),
    plain("ascii_fold", "letters without accents"),
    with(
        "replace",
        "replace a text",
        &REPLACE,
        r#"{"find":"","with":"","i":false}"#,
    ),
    with(
        "regex_replace",
        "replace by regular expression",
        &REGEX_REPLACE,
        r#"{"pattern":"","with":"","mode":"whole","i":false}"#,
    ),
    with(
        "regex_extract",
        "extract by regular expression",
        &REGEX_EXTRACT,
        r#"{"pattern":"","i":false}"#,
    ),
    one(
        "template",
        "text with ${path} and ${value}",
        "Template",
        &Shape::Text,
        "\"${value}\"",
    ),
    one(
        "coalesce",
        "if empty: the first of attributes",
        "Attributes, one on a line",
        &Shape::Lines,
        "[]",
    ),
    one("default", "if empty: a text", "Text", &Shape::Text, "\"\""),
    one("constant", "always a text", "Text", &Shape::Text, "\"\""),
    with(
        "prefix",
        "put in front",
        &AFFIX,
        r#"{"text":"","unless_present":true}"#,
    ),
    with(
        "suffix",
        "put behind",
        &AFFIX,
        r#"{"text":"","unless_present":true}"#,
    ),
    with(
        "substring",
        "a part, by position",
        &SUBSTRING,
        r#"{"start":0}"#,
    ),
    one(
        "left",
        "the first characters",
        "How many",
        &Shape::Number,
        "8",
    ),
    one(
        "right",
        "the last characters",
        "How many",
        &Shape::Number,
        "8",
    ),
    with(
        "split",
        "split into a list",
        &SPLIT,
        r#"{"sep":",","trim":true,"drop_empty":true}"#,
    ),
    with("join", "join a list", &JOIN, r#"{"sep":", "}"#),
    one(
        "item",
        "one of a list",
        "Which, counted from 0",
        &Shape::Number,
        "0",
    ),
    plain("first", "the first of a list"),
    plain("last", "the last of a list"),
    with("word", "one word", &WORD, r#"{"n":0,"sep":" "}"#),
    plain("unique", "no value twice"),
    plain("sort", "in order"),
    plain("count", "how many there are"),
    with(
        "map",
        "look up in a table",
        &MAP,
        r#"{"table":{},"default":"pass","i":true}"#,
    ),
    with(
        "keep_if",
        "only values that match",
        &PATTERN,
        r#"{"pattern":"","i":false}"#,
    ),
    with(
        "drop_if",
        "without values that match",
        &PATTERN,
        r#"{"pattern":"","i":false}"#,
    ),
    with(
        "username_safe",
        "only characters of user names",
        &USERNAME_SAFE,
        r#"{"allowed":"[A-Za-z0-9._@+-]","replace":"_"}"#,
    ),
    with(
        "unique_suffix",
        "a number if the name is taken",
        &UNIQUE_SUFFIX,
        r#"{"sep":"","max":99}"#,
    ),
    with("hash", "a pseudonym", &HASH, r#"{"key":"","len":16}"#),
    with("date_parse", "read a date", &DATE_PARSE, "{}"),
    with(
        "date_format",
        "write a date",
        &DATE_FORMAT,
        r#"{"format":"%Y-%m-%d"}"#,
    ),
    with(
        "date_add",
        "add to a date",
        &DATE_SPAN,
        r#"{"years":0,"months":0,"weeks":0,"days":0,"hours":0,"minutes":0}"#,
    ),
    with(
        "date_diff",
        "time from a date to another",
        &DATE_DIFF,
        r#"{"to":"now","unit":"days"}"#,
    ),
    plain("now", "the present time"),
    with(
        "to_bool",
        "true or false",
        &TO_BOOL,
        r#"{"true":["true","1","yes","y","on"],"false":["false","0","no","n","off"]}"#,
    ),
    plain("ignore_if_empty", "if empty: leave the target as it is"),
    with(
        "if",
        "steps that depend on the user",
        &IF,
        r#"{"when":"","then":[],"else":[]}"#,
    ),
    with(
        "drop_user_if",
        "drop the user if",
        &DROP_USER_IF,
        r#"{"when":""}"#,
    ),
    plain("redact", "hide the value in explanations"),
    with(
        "lookup_user",
        "an attribute of another user",
        &LOOKUP_USER,
        r#"{"by":"id","return":"userName"}"#,
    ),
]);

const fn plain(tag: &'static str, label: &'static str) -> Variant {
    Variant {
        tag,
        label,
        inside: None,
    }
}

const fn with(
    tag: &'static str,
    label: &'static str,
    shape: &'static Shape,
    fresh: &'static str,
) -> Variant {
    one(tag, label, "", shape, fresh)
}

const fn one(
    tag: &'static str,
    label: &'static str,
    inside: &'static str,
    shape: &'static Shape,
    fresh: &'static str,
) -> Variant {
    Variant {
        tag,
        label,
        inside: Some(Inside {
            shape,
            label: inside,
            fresh,
        }),
    }
}

/// A member of a record.
pub(super) const fn member(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    shape: Shape,
) -> Member {
    Member {
        name,
        label,
        hint,
        shape,
    }
}

const CASE: Member = member("i", "Upper and lower case are the same", "", Shape::Switch);
const EXPRESSION: Member = member("pattern", "Regular expression", "", Shape::Text);
const SEPARATOR: Member = member("sep", "What stands between", "", Shape::Text);
const WHEN: Member = member(
    "when",
    "When",
    "A SCIM filter, such as title eq \"Intern\".",
    Shape::Text,
);

static REPLACE: Shape = Shape::Record(&[
    member("find", "Text", "", Shape::Text),
    member("with", "Becomes", "", Shape::Text),
    CASE,
]);
static REGEX_REPLACE: Shape = Shape::Record(&[
    EXPRESSION,
    member(
        "with",
        "Becomes",
        "$1 stands for the first group.",
        Shape::Text,
    ),
    member(
        "mode",
        "Has to match",
        "",
        Shape::Choice(&[
            ("whole", "the whole value"),
            ("first", "a part; the first is replaced"),
            ("all", "a part; each is replaced"),
        ]),
    ),
    CASE,
]);
static REGEX_EXTRACT: Shape = Shape::Record(&[
    EXPRESSION,
    member(
        "group",
        "Group",
        "Number or name; empty for the first.",
        Shape::Json,
    ),
    CASE,
]);
static AFFIX: Shape = Shape::Record(&[
    member("text", "Text", "", Shape::Text),
    member(
        "unless_present",
        "Only where it is not there yet",
        "",
        Shape::Switch,
    ),
]);
static SUBSTRING: Shape = Shape::Record(&[
    member(
        "start",
        "First character, counted from 0",
        "",
        Shape::Number,
    ),
    member(
        "len",
        "How many",
        "Empty for all that follow.",
        Shape::Number,
    ),
]);
static SPLIT: Shape = Shape::Record(&[
    SEPARATOR,
    member("trim", "Blanks around the parts go", "", Shape::Switch),
    member("drop_empty", "Empty parts go", "", Shape::Switch),
]);
static JOIN: Shape = Shape::Record(&[SEPARATOR]);
static WORD: Shape = Shape::Record(&[
    member("n", "Which, counted from 0", "", Shape::Number),
    SEPARATOR,
]);
static MAP: Shape = Shape::Record(&[
    member(
        "table",
        "Table",
        "One on a line: value = new value. Several new values with | between.",
        Shape::Table,
    ),
    member(
        "default",
        "What is not in the table",
        "",
        Shape::Tagged(&MAP_DEFAULTS),
    ),
    CASE,
]);
static MAP_DEFAULTS: [Variant; 5] = [
    plain("pass", "has not matched"),
    plain("null", "goes"),
    plain("keep", "leaves the target as it is"),
    plain("drop_user", "drops the user"),
    one("value", "becomes a text", "Text", &Shape::Text, "\"\""),
];
static PATTERN: Shape = Shape::Record(&[EXPRESSION, CASE]);
static USERNAME_SAFE: Shape = Shape::Record(&[
    member(
        "allowed",
        "Characters that stay",
        "As a class of a regular expression.",
        Shape::Text,
    ),
    member("replace", "Others become", "", Shape::Text),
]);
static UNIQUE_SUFFIX: Shape = Shape::Record(&[
    member("sep", "What stands before the number", "", Shape::Text),
    member("max", "Highest number", "", Shape::Number),
]);
static HASH: Shape = Shape::Record(&[
    member(
        "key",
        "Key",
        "16 characters or more; another key gives other pseudonyms.",
        Shape::Text,
    ),
    member("len", "Digits, 8 to 64", "", Shape::Number),
]);
static DATE_PARSE: Shape = Shape::Record(&[member(
    "format",
    "Format",
    "With fields as %d.%m.%Y; empty for ISO 8601.",
    Shape::Optional,
)]);
static DATE_FORMAT: Shape = Shape::Record(&[member(
    "format",
    "Format",
    "With fields as %d.%m.%Y.",
    Shape::Text,
)]);
/// What is added to a date.
pub(super) static DATE_SPAN: Shape = Shape::Record(&[
    member("years", "Years", "", Shape::Number),
    member("months", "Months", "", Shape::Number),
    member("weeks", "Weeks", "", Shape::Number),
    member("days", "Days", "", Shape::Number),
    member("hours", "Hours", "", Shape::Number),
    member("minutes", "Minutes", "", Shape::Number),
]);
static DATE_DIFF: Shape = Shape::Record(&[
    member("to", "To", "now, a date, or an attribute.", Shape::Text),
    member(
        "unit",
        "In",
        "",
        Shape::Choice(&[
            ("weeks", "weeks"),
            ("days", "days"),
            ("hours", "hours"),
            ("minutes", "minutes"),
            ("seconds", "seconds"),
        ]),
    ),
]);
static TO_BOOL: Shape = Shape::Record(&[
    member("true", "Means true", "", Shape::Lines),
    member("false", "Means false", "", Shape::Lines),
]);
static IF: Shape = Shape::Record(&[
    WHEN,
    member("then", "If so", "", Shape::Nested(&STEPS)),
    member("else", "If not", "", Shape::Nested(&STEPS)),
]);
static DROP_USER_IF: Shape = Shape::Record(&[WHEN]);
static LOOKUP_USER: Shape = Shape::Record(&[
    member(
        "by",
        "The value is the other user’s",
        "",
        Shape::Choice(&[
            ("id", "SCIM id"),
            ("user_name", "userName"),
            ("external_id", "externalId"),
        ]),
    ),
    member(
        "return",
        "Attribute that is read",
        "",
        Shape::Suggested("paths"),
    ),
]);
