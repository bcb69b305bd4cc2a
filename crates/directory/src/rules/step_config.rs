//! The steps of a row or a rule as an administrator writes them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// One step on the way from a source's value to a target (XF).
///
/// A value is nothing, one text, or a list of texts. A step for one text is applied to each of a list; nothing stays
/// nothing, except for `default`, `coalesce`, `template`, `constant`, `now` and `if`. Case counts unless `i` is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields, remote = "Self")]
#[schemars(transform = add_bare_words)]
pub enum Step {
    /// Lower case, of any script, independent of locale.
    Lower,
    /// Upper case, of any script, independent of locale.
    Upper,
    /// The first letter of each word in upper case, the others in lower case.
    Title,
    /// No white space at either end.
    Trim,
    /// Runs of white space become one space.
    CollapseSpaces,
    /// No spaces at all.
    StripSpaces,
    /// What is before the last `@`; unchanged if there is none or it comes first.
    StripDomain,
    /// `bob_partner.com#EXT#@t.example` becomes `bob@partner.com`; other names are unchanged.
    GuestToEmail,
    /// Letters without their marks, and those that are not of ASCII in two: `ß` becomes `ss`.
    AsciiFold,
    /// Replaces every occurrence of a text.
    Replace {
        /// The text looked for, literally.
        find: String,
        /// What takes its place.
        with: String,
        /// Whether case is ignored.
        #[serde(default)]
        i: bool,
    },
    /// Replaces what a regular expression matches.
    RegexReplace {
        /// The expression; linear-time syntax without look-around and back-references.
        pattern: String,
        /// What takes the place of a match; `$1`, `${name}` and `\$` as in Java.
        with: String,
        /// How much has to match.
        #[serde(default)]
        mode: RegexMode,
        /// Whether case is ignored.
        #[serde(default)]
        i: bool,
    },
    /// What a group of a regular expression matches; nothing if the expression does not.
    RegexExtract {
        /// The expression; it may match any part of the text.
        pattern: String,
        /// Number or name of the group. Left out: the first, or the whole match if there are no groups.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupRef>,
        /// Whether case is ignored.
        #[serde(default)]
        i: bool,
    },
    /// Text with `${path}` in it, as the source of that name; `${value}` is the value so far.
    Template(String),
    /// If there is no value: the first of these attributes that has one.
    Coalesce(Vec<String>),
    /// A value where there is none.
    Default(String),
    /// This value, whatever there was.
    Constant(String),
    /// Text put in front.
    Prefix {
        /// The text.
        text: String,
        /// Only where the value does not begin with it yet.
        #[serde(default)]
        unless_present: bool,
    },
    /// Text put behind.
    Suffix {
        /// The text.
        text: String,
        /// Only where the value does not end with it yet.
        #[serde(default)]
        unless_present: bool,
    },
    /// A part of the text, in characters; shorter where the text ends.
    Substring {
        /// The first character, counted from 0.
        start: usize,
        /// How many; all that follow if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        len: Option<usize>,
    },
    /// The first characters.
    Left(usize),
    /// The last characters.
    Right(usize),
    /// Makes a list of a text.
    Split {
        /// What stands between the parts.
        sep: String,
        /// Whether white space around the parts goes.
        #[serde(default = "yes")]
        trim: bool,
        /// Whether empty parts go.
        #[serde(default = "yes")]
        drop_empty: bool,
    },
    /// Makes one text of a list.
    Join {
        /// What is put between the values.
        sep: String,
    },
    /// One value of a list, counted from 0; nothing if the list is shorter.
    Item(usize),
    /// The first value of a list.
    First,
    /// The last value of a list.
    Last,
    /// One word of a text; nothing if it has fewer.
    Word {
        /// Which, counted from 0.
        n: usize,
        /// What stands between words; several in a row count as one.
        #[serde(default = "space")]
        sep: String,
    },
    /// No value twice, whatever its case; the first spelling stays.
    Unique,
    /// The values of a list in order.
    Sort,
    /// How many values there are.
    Count,
    /// Looks a text up in a table.
    Map {
        /// From a value to what takes its place: one text, or several.
        table: BTreeMap<String, OneOrMany>,
        /// What becomes of a value that is not in the table.
        #[serde(default)]
        default: MapDefault,
        /// Whether case is ignored.
        #[serde(default)]
        i: bool,
    },
    /// Only values that an expression matches as a whole.
    KeepIf {
        /// The expression.
        pattern: String,
        /// Whether case is ignored.
        #[serde(default)]
        i: bool,
    },
    /// Only values that an expression does not match as a whole.
    DropIf {
        /// The expression.
        pattern: String,
        /// Whether case is ignored.
        #[serde(default)]
        i: bool,
    },
    /// Replaces runs of characters that user names should not have; at both ends they go.
    UsernameSafe {
        /// The characters that stay, as a class of a regular expression.
        #[serde(default = "safe_characters")]
        allowed: String,
        /// What takes the place of a run of others.
        #[serde(default = "underscore")]
        replace: String,
    },
    /// A number behind a user name that another has. Only when the account is made; the row then stays as it is.
    UniqueSuffix {
        /// What stands before the number.
        #[serde(default)]
        sep: String,
        /// The highest number tried; the first is 2.
        #[serde(default = "ninety_nine")]
        max: u32,
    },
    /// A pseudonym: the same text gives the same lower-case hexadecimal digits, which do not tell it.
    Hash {
        /// The key, of 16 characters or more; another key gives other pseudonyms.
        key: String,
        /// How many digits, 8 to 64.
        #[serde(default = "sixteen")]
        len: usize,
    },
    /// Reads a date and writes it as ISO 8601 in UTC.
    DateParse {
        /// The format with fields as `%d.%m.%Y`; ISO 8601 if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<String>,
    },
    /// Writes an ISO 8601 date in another format, in UTC.
    DateFormat {
        /// The format with fields as `%d.%m.%Y`.
        format: String,
    },
    /// Adds to an ISO 8601 date; negative numbers take away.
    DateAdd(DateSpan),
    /// Whole units from an ISO 8601 date to another; negative if the other is earlier.
    DateDiff {
        /// The other date: `now`, an ISO 8601 date, or an attribute.
        #[serde(default = "now")]
        to: String,
        /// What is counted.
        #[serde(default)]
        unit: DateUnit,
    },
    /// The time of the evaluation as ISO 8601, whatever there was.
    Now,
    /// `true` or `false` from spellings of them; case does not count.
    ToBool {
        /// Spellings of true.
        #[serde(default = "yes_words", rename = "true")]
        truths: Vec<String>,
        /// Spellings of false.
        #[serde(default = "no_words", rename = "false")]
        falsehoods: Vec<String>,
    },
    /// If there is no value, the target stays as the directory has it.
    IgnoreIfEmpty,
    /// Steps that depend on the user.
    If {
        /// A SCIM filter over the user; `groups`, `trigger` and `existing` may be asked too.
        when: String,
        /// The steps if it holds.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        then: Vec<Step>,
        /// The steps if it does not.
        #[serde(default, rename = "else", skip_serializing_if = "Vec::is_empty")]
        otherwise: Vec<Step>,
    },
    /// Drops the user.
    DropUserIf {
        /// A SCIM filter, as in `if`.
        when: String,
    },
    /// The value goes on, and explanations show `[redacted]`.
    Redact,
    /// An attribute of another user of the connector; nothing if there is no such user.
    LookupUser {
        /// What the value is of the other user.
        #[serde(default)]
        by: LookupBy,
        /// The attribute that is read.
        #[serde(default = "user_name", rename = "return")]
        attribute: String,
    },
}

/// Steps that may be written as a word alone, since nothing has to be said with them.
const BARE: [&str; 6] = [
    "username_safe",
    "unique_suffix",
    "date_parse",
    "date_diff",
    "to_bool",
    "lookup_user",
];

/// Adds the words to the schema.
fn add_bare_words(schema: &mut schemars::Schema) {
    if let Some(serde_json::Value::Array(ways)) = schema.get_mut("oneOf") {
        ways.push(serde_json::json!({
            "description": "The same with what is usual for all of it.",
            "type": "string",
            "enum": BARE,
        }));
    }
}

impl Serialize for Step {
    fn serialize<S: serde::Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        Step::serialize(self, writer)
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(StepReader)
    }
}

struct StepReader;

impl<'de> Visitor<'de> for StepReader {
    type Value = Step;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a step, which is a word or an object with one member,")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Step, E> {
        if BARE.contains(&word) {
            let usual = serde_json::json!({ word: {} });
            return Step::deserialize(usual).map_err(E::custom);
        }
        let read: Result<Step, E> = Step::deserialize(word.into_deserializer());
        read.map_err(
            |error| match error.to_string().starts_with("invalid type") {
                true => E::custom(format!(
                    "`{word}` says too little alone: more belongs to this step"
                )),
                false => error,
            },
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Step, A::Error> {
        Step::deserialize(MapAccessDeserializer::new(members))
    }
}

/// How much of a value a `regex_replace` must match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegexMode {
    /// The whole value; otherwise the step has matched nothing, and `on_no_match` decides.
    #[default]
    Whole,
    /// The first match is replaced; without one the value stays.
    First,
    /// Every match is replaced; the expression must not match empty text.
    All,
}

/// A group of a regular expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "the number or the name of a group belongs here")]
pub enum GroupRef {
    /// By its number; 0 is the whole match.
    Number(usize),
    /// By its name.
    Name(String),
}

/// One text or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a text, or a list of texts, belongs here")]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(text) => std::slice::from_ref(text),
            OneOrMany::Many(texts) => texts,
        }
    }
}

/// What becomes of a value that a table does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MapDefault {
    /// It has not matched, and `on_no_match` decides.
    #[default]
    Pass,
    /// It goes.
    Null,
    /// The target stays as the directory has it.
    Keep,
    /// The user is dropped.
    DropUser,
    /// This takes its place.
    Value(String),
}

/// How another user is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LookupBy {
    /// By the SCIM `id`, as in `manager.value`.
    #[default]
    Id,
    /// By `userName`, without regard to case.
    UserName,
    /// By `externalId`.
    ExternalId,
}

impl LookupBy {
    /// The attribute's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            LookupBy::Id => "id",
            LookupBy::UserName => "userName",
            LookupBy::ExternalId => "externalId",
        }
    }
}

/// What is added to a date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DateSpan {
    /// Years of the calendar.
    pub years: i32,
    /// Months of the calendar.
    pub months: i32,
    /// Weeks.
    pub weeks: i32,
    /// Days.
    pub days: i32,
    /// Hours.
    pub hours: i32,
    /// Minutes.
    pub minutes: i32,
}

/// What is counted between two dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateUnit {
    /// Weeks of seven days.
    Weeks,
    /// Days of 24 hours.
    #[default]
    Days,
    /// Hours.
    Hours,
    /// Minutes.
    Minutes,
    /// Seconds.
    Seconds,
}

fn yes() -> bool {
    true
}

fn space() -> String {
    " ".to_owned()
}

fn safe_characters() -> String {
    "[A-Za-z0-9._@+-]".to_owned()
}

fn underscore() -> String {
    "_".to_owned()
}

fn ninety_nine() -> u32 {
    99
}

fn sixteen() -> usize {
    16
}

fn now() -> String {
    "now".to_owned()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn yes_words() -> Vec<String> {
    words(&["true", "1", "yes", "y", "on"])
}

fn no_words() -> Vec<String> {
    words(&["false", "0", "no", "n", "off"])
}

fn user_name() -> String {
    "userName".to_owned()
}
