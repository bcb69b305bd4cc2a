//! Regular expressions from administrators: linear time, bounded size, and Java's replacement syntax.

use regex::{Regex, RegexBuilder};

use super::RuleError;

/// Longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 1024;
/// Largest compiled program, in bytes.
pub const PROGRAM_BYTES_MAX: usize = 256 * 1024;
/// Deepest nesting of a pattern.
pub const PATTERN_NESTING_MAX: u32 = 50;
/// Longest text an expression is run on, in bytes; longer texts match nothing.
pub const SUBJECT_BYTES_MAX: usize = 4096;

/// How an expression is to be matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// The whole text has to match, rather than some part.
    pub whole: bool,
    /// Case is ignored.
    pub ignore_case: bool,
    /// `.` matches line breaks too.
    pub any_char: bool,
}

/// Compiles an expression, or says what is wrong with it. `path` is where it stands in the rules.
pub(crate) fn compile(pattern: &str, manner: Manner, path: &str) -> Result<Regex, RuleError> {
    let refuse = |message: String, remedy: &str| RuleError::new(path, message, remedy);
    if pattern.len() > PATTERN_BYTES_MAX {
        let message = format!("the pattern has {} bytes", pattern.len());
        return Err(refuse(
            message,
            "shorten it to 1024 bytes, or split it over several rules",
        ));
    }
    if let Some(construct) = foreign_construct(pattern) {
        return Err(refuse(
            format!("the pattern uses {construct}, which this engine does not have"),
            "write it without; a list of plain alternatives, or a second rule, often does",
        ));
    }
    // Alone first: joined to the anchors, `a)(b` would pass, and errors would point at the wrong column.
    let alone = build(pattern, manner).map_err(|error| from_engine(path, &error))?;
    if !manner.whole {
        return Ok(alone);
    }
    build(&format!(r"\A(?:{pattern})\z"), manner).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => from_engine(path, &error),
        _ => refuse(
            "the pattern cannot be matched against a whole text".to_owned(),
            "leave out comments of the `(?x)` notation",
        ),
    })
}

fn build(pattern: &str, manner: Manner) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(manner.ignore_case)
        .dot_matches_new_line(manner.any_char)
        .size_limit(PROGRAM_BYTES_MAX)
        .nest_limit(PATTERN_NESTING_MAX)
        .build()
}

fn from_engine(path: &str, error: &regex::Error) -> RuleError {
    match error {
        regex::Error::CompiledTooBig(_) => RuleError::new(
            path,
            "the pattern is too large once compiled",
            "use smaller counted repetitions, or `[A-Za-z0-9_]` in place of `\\w`",
        ),
        other => {
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or(&text);
            let reason = reason.trim().trim_start_matches("error: ");
            RuleError::new(
                path,
                format!("the pattern cannot be read: {reason}"),
                "correct the pattern; a backslash makes a special character literal",
            )
        }
    }
}

/// Whether an expression matches empty text somewhere, which would double replacements.
pub(crate) fn matches_empty(regex: &Regex) -> bool {
    // Look-around assertions need neighbours to hold: word boundaries show on the later probes.
    ["", "a", "a b", "-", "\n"]
        .into_iter()
        .any(|probe| regex.find_iter(probe).any(|found| found.is_empty()))
}

/// Names what other engines have and this one does not, or reads differently.
fn foreign_construct(pattern: &str) -> Option<&'static str> {
    let bytes = pattern.as_bytes();
    let mut at = 0;
    let mut classes = 0_u32;
    let mut after_quantifier = false;
    while let Some(&byte) = bytes.get(at) {
        let rest = &pattern.as_bytes()[at..];
        let mut quantifier = false;
        let mut step = 1;
        match byte {
            b'\\' => {
                if let Some(name) = foreign_escape(rest) {
                    return Some(name);
                }
                step = escape_length(rest);
            }
            b'[' => classes += 1,
            b']' => classes = classes.saturating_sub(1),
            _ if classes > 0 => {}
            b'(' => {
                if let Some(name) = foreign_group(rest) {
                    return Some(name);
                }
                // The `?` of `(?:` is no quantifier.
                step = if rest.get(1) == Some(&b'?') { 2 } else { 1 };
            }
            b'+' if after_quantifier => return Some("a possessive quantifier such as `a++`"),
            b'*' | b'+' | b'?' | b'}' => quantifier = true,
            _ => {}
        }
        after_quantifier = quantifier;
        at += step;
    }
    None
}

fn foreign_group(rest: &[u8]) -> Option<&'static str> {
    let starts = |prefix: &str| rest.starts_with(prefix.as_bytes());
    if starts("(?=") || starts("(?!") {
        Some("look-ahead `(?=` or `(?!`")
    } else if starts("(?<=") || starts("(?<!") {
        Some("look-behind `(?<=` or `(?<!`")
    } else if starts("(?>") {
        Some("an atomic group `(?>`")
    } else {
        None
    }
}

fn foreign_escape(rest: &[u8]) -> Option<&'static str> {
    match rest.get(1) {
        Some(b'1'..=b'9') => Some("a back-reference such as `\\1`"),
        Some(b'k') => Some("a back-reference by name `\\k<...>`"),
        Some(b'Q' | b'E') => Some("a quotation `\\Q...\\E`"),
        Some(b'G') => Some("the anchor `\\G`"),
        Some(b'Z') => Some("the anchor `\\Z` (`\\z` is the end of the text)"),
        Some(b'R') => Some("the line break `\\R`"),
        Some(b'X') => Some("the grapheme `\\X`"),
        Some(b'h' | b'H') => Some("the horizontal space `\\h`"),
        _ => None,
    }
}

/// How many bytes an escape takes, so that the braces of `\p{L}` are not read as a repetition.
fn escape_length(rest: &[u8]) -> usize {
    let braced = matches!(rest.get(1), Some(b'p' | b'P' | b'x' | b'u' | b'U' | b'b'))
        && rest.get(2) == Some(&b'{');
    match rest.iter().position(|byte| *byte == b'}') {
        Some(end) if braced => end + 1,
        _ => 2,
    }
}

/// A replacement, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replacement(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Reads Java's notation: `$1`, `${name}`, and a backslash before what is meant literally.
    /// `$12` means group 12 where there is one, else group 1 and the text `2`.
    pub(crate) fn parse(text: &str, regex: &Regex, path: &str) -> Result<Self, RuleError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' => literal.push(chars.next().ok_or_else(|| {
                    let remedy = "write two backslashes for one";
                    RuleError::new(path, "the replacement ends with a single backslash", remedy)
                })?),
                '$' => {
                    let group = match chars.peek() {
                        Some('{') => named_group(&mut chars, regex, path)?,
                        _ => numbered_group(&mut chars, regex, path)?,
                    };
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Group(group));
                }
                other => literal.push(other),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self(pieces))
    }

    /// Writes the replacement for one match.
    pub(crate) fn expand(&self, found: &regex::Captures<'_>, into: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => into.push_str(text),
                Piece::Group(group) => {
                    into.push_str(found.get(*group).map_or("", |group| group.as_str()));
                }
            }
        }
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn numbered_group(chars: &mut Chars<'_>, regex: &Regex, path: &str) -> Result<usize, RuleError> {
    let mut digits = chars.clone();
    let Some(mut group) = digits.next().and_then(digit) else {
        return Err(RuleError::new(
            path,
            "a `$` in the replacement is followed by neither a number nor `{name}`",
            "write `\\$` for a dollar sign",
        ));
    };
    chars.next();
    while let Some(next) = chars.peek().copied().and_then(digit) {
        let longer = group * 10 + next;
        if longer >= regex.captures_len() {
            break;
        }
        group = longer;
        chars.next();
    }
    if group >= regex.captures_len() {
        return Err(RuleError::new(
            path,
            format!(
                "the replacement uses group {group}, and the pattern has {}",
                regex.captures_len() - 1
            ),
            "add parentheses to the pattern, or use a smaller number",
        ));
    }
    Ok(group)
}

fn digit(c: char) -> Option<usize> {
    c.to_digit(10).and_then(|digit| digit.try_into().ok())
}

fn named_group(chars: &mut Chars<'_>, regex: &Regex, path: &str) -> Result<usize, RuleError> {
    chars.next();
    let mut name = String::new();
    loop {
        match chars.next() {
            Some('}') => break,
            Some(c) => name.push(c),
            None => {
                let message = "a `${` in the replacement is not closed";
                return Err(RuleError::new(path, message, "add the `}`"));
            }
        }
    }
    let found = match name.parse::<usize>() {
        Ok(number) => Some(number).filter(|number| *number < regex.captures_len()),
        Err(_) => regex.capture_names().position(|group| group == Some(&name)),
    };
    found.ok_or_else(|| {
        RuleError::new(
            path,
            format!("the replacement uses group `{name}`, which the pattern does not have"),
            "name the group in the pattern: `(?<name>...)`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pattern: &str) -> String {
        let whole = Manner {
            whole: true,
            ..Manner::default()
        };
        compile(pattern, whole, "p").unwrap_err().message
    }

    fn replaced(pattern: &str, with: &str, text: &str) -> String {
        let regex = compile(pattern, Manner::default(), "p").unwrap();
        let replacement = Replacement::parse(with, &regex, "p").unwrap();
        let mut out = String::new();
        replacement.expand(&regex.captures(text).unwrap(), &mut out);
        out
    }

    #[test]
    fn what_other_engines_have_is_refused_by_name() {
        for (pattern, name) in [
            ("(?=a)b", "look-ahead"),
            ("a(?!b)", "look-ahead"),
            ("(?<=a)b", "look-behind"),
            ("(?<!a)b", "look-behind"),
            ("(?>a|b)", "atomic group"),
            (r"(a)\1", "back-reference"),
            (r"(?<x>a)\k<x>", "back-reference by name"),
            (r"\Qa.b\E", "quotation"),
            ("a++", "possessive"),
            ("a*+b", "possessive"),
            ("a{2}+", "possessive"),
            (r"a\Z", "anchor"),
        ] {
            assert!(
                refused(pattern).contains(name),
                "{pattern}: {}",
                refused(pattern)
            );
        }
    }

    #[test]
    fn look_alikes_of_those_are_accepted() {
        for pattern in [
            r"[(?=]",
            r"\(\?=",
            r"\p{L}+",
            r"(?:a)+",
            r"(?i)a+",
            r"(?<name>a)+",
            r"[+*]+",
            r"a+?",
            r"\++",
            r"\\+",
            r"[a-z&&[^b]]+",
            r"[[:alpha:]]+",
            r"\x{41}+",
        ] {
            compile(pattern, Manner::default(), "p").unwrap_or_else(|e| panic!("{pattern}: {e}"));
        }
    }

    #[test]
    fn large_deep_and_broken_patterns_are_refused_with_a_remedy() {
        assert!(refused(&"a".repeat(1025)).contains("1025 bytes"));
        assert!(compile(&"a".repeat(1024), Manner::default(), "p").is_ok());
        assert!(refused(r"(\pL{50}){50}").contains("too large"));
        assert!(refused(&format!("{}a{}", "(".repeat(60), ")".repeat(60))).contains("read"));
        assert!(refused("a)(b").contains("read"));
        assert!(refused("[a").contains("read"));
        assert!(refused("(?x)a # note").contains("whole text"));
    }

    #[test]
    fn the_whole_text_has_to_match() {
        let whole = Manner {
            whole: true,
            ..Manner::default()
        };
        let regex = compile("a|ab", whole, "p").unwrap();
        assert!(regex.is_match("ab") && !regex.is_match("abc") && !regex.is_match("ab\n"));
    }

    #[test]
    fn replacements_read_as_in_java() {
        assert_eq!(replaced("(a)", "$1x", "a"), "ax", "not a group named 1x");
        assert_eq!(replaced("(a)", "$12", "a"), "a2", "there is no group 12");
        assert_eq!(replaced("(?<who>.*)@.*", "${who}!", "ann@x"), "ann!");
        assert_eq!(replaced("(a)", r"\$1\\", "a"), r"$1\");
        assert_eq!(
            replaced("(a)|(b)", "<$2>", "a"),
            "<>",
            "a group that took no part"
        );
        assert_eq!(replaced("a", "$0$0", "a"), "aa");
    }

    #[test]
    fn replacements_that_cannot_work_are_refused() {
        let regex = compile("(a)", Manner::default(), "p").unwrap();
        for with in ["$2", "$", "$x", "${none}", "${1", "a\\"] {
            assert!(Replacement::parse(with, &regex, "p").is_err(), "{with}");
        }
    }

    #[test]
    fn expressions_that_match_nothing_at_all_are_known() {
        for pattern in [".*", "a*", "(a|)", r"\b", "^", "(?m)$", r"\B"] {
            assert!(
                matches_empty(&compile(pattern, Manner::default(), "p").unwrap()),
                "{pattern}"
            );
        }
        for pattern in ["a+", ".", r"\bfoo\b", "^a"] {
            assert!(
                !matches_empty(&compile(pattern, Manner::default(), "p").unwrap()),
                "{pattern}"
            );
        }
    }
}
