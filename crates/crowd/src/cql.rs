//! Crowd Query Language: `field op value`, joined by `and` and `or`, grouped by parentheses.
//!
//! `and` binds tighter than `or`; keywords count in any case. Operators are `=`, `<` and `>`. A value is bare,
//! or in double or single quotes; inside quotes a backslash takes the next character as it is. A `*` at
//! the start or the end of a value after `=` stands for anything; in quotes `\*` is a star.

mod lexer;

use crate::error::{CrowdError, echo};
use crate::limits::{CQL_BYTES_MAX, RESTRICTION_DEPTH_MAX, RESTRICTION_NODES_MAX};
use crate::restriction::{MatchMode, Restriction};

use lexer::{Lexer, Token, Word};

/// Reads a query; an empty one matches everything. Time and memory are linear in the text.
pub fn parse(text: &str) -> Result<Restriction, CrowdError> {
    if text.len() > CQL_BYTES_MAX {
        return Err(broken(format!("it is longer than {CQL_BYTES_MAX} bytes")));
    }
    if text.trim().is_empty() {
        return Ok(Restriction::Everything);
    }
    let mut parser = Parser {
        lexer: Lexer::new(text),
        depth: 0,
        tests: 0,
    };
    let restriction = parser.alternatives()?;
    match parser.lexer.next()? {
        Token::End => restriction.check(),
        found => Err(unexpected(
            &found,
            "\"and\", \"or\" or the end",
            parser.lexer.position(),
        )),
    }
}

/// Writes a restriction as a query that reads back as the same restriction.
///
/// None where CQL has no words for it: absence of a property, and connectives with fewer than two parts.
pub fn print(restriction: &Restriction) -> Option<String> {
    match restriction {
        Restriction::Everything => Some(String::new()),
        Restriction::Test {
            property,
            mode,
            value,
        } => print_test(property, *mode, value),
        Restriction::And(parts) => print_connective(" and ", parts),
        Restriction::Or(parts) => print_connective(" or ", parts),
    }
}

fn print_connective(word: &str, parts: &[Restriction]) -> Option<String> {
    let print_part = |part: &Restriction| match part {
        Restriction::Everything => None,
        Restriction::Test { .. } => print(part),
        Restriction::And(_) | Restriction::Or(_) => Some(format!("({})", print(part)?)),
    };
    let parts = parts.iter().map(print_part).collect::<Option<Vec<_>>>()?;
    (parts.len() > 1).then(|| parts.join(word))
}

fn print_test(property: &str, mode: MatchMode, value: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let field = match property {
        "" => return None,
        _ if property.bytes().all(plain) => property.to_owned(),
        _ => format!("\"{}\"", escaped(property)),
    };
    let value = escaped(value);
    Some(match mode {
        MatchMode::ExactlyMatches => format!("{field} = \"{value}\""),
        MatchMode::StartsWith => format!("{field} = \"{value}*\""),
        MatchMode::EndsWith => format!("{field} = \"*{value}\""),
        MatchMode::Contains => format!("{field} = \"*{value}*\""),
        MatchMode::LessThan => format!("{field} < \"{value}\""),
        MatchMode::GreaterThan => format!("{field} > \"{value}\""),
        MatchMode::Null => return None,
    })
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '*') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Recursive descent, one function for each level of binding.
struct Parser<'a> {
    lexer: Lexer<'a>,
    /// Open parentheses.
    depth: usize,
    /// Comparisons so far.
    tests: usize,
}

impl Parser<'_> {
    /// `conjunction ("or" conjunction)*`
    fn alternatives(&mut self) -> Result<Restriction, CrowdError> {
        let mut parts = vec![self.conjunction()?];
        while self.lexer.take_keyword("or")? {
            parts.push(self.conjunction()?);
        }
        Ok(joined(parts, Restriction::Or))
    }

    /// `term ("and" term)*`
    fn conjunction(&mut self) -> Result<Restriction, CrowdError> {
        let mut parts = vec![self.term()?];
        while self.lexer.take_keyword("and")? {
            parts.push(self.term()?);
        }
        Ok(joined(parts, Restriction::And))
    }

    /// `"(" alternatives ")"` or a comparison.
    fn term(&mut self) -> Result<Restriction, CrowdError> {
        match self.lexer.next()? {
            Token::Open => self.group(),
            Token::Word(field) => self.comparison(&field),
            found => Err(unexpected(
                &found,
                "a field or \"(\"",
                self.lexer.position(),
            )),
        }
    }

    fn group(&mut self) -> Result<Restriction, CrowdError> {
        if self.depth == RESTRICTION_DEPTH_MAX {
            return Err(broken(format!(
                "it is nested deeper than {RESTRICTION_DEPTH_MAX}"
            )));
        }
        self.depth += 1;
        let inner = self.alternatives()?;
        self.depth -= 1;
        match self.lexer.next()? {
            Token::Close => Ok(inner),
            found => Err(unexpected(
                &found,
                "\"and\", \"or\" or \")\"",
                self.lexer.position(),
            )),
        }
    }

    fn comparison(&mut self, field: &Word) -> Result<Restriction, CrowdError> {
        if !field.quoted && field.text().contains('!') {
            return Err(broken("there is no not-equal"));
        }
        if field.letters.is_empty() {
            return Err(broken("a field has no name"));
        }
        self.tests += 1;
        if self.tests > RESTRICTION_NODES_MAX {
            return Err(broken(format!(
                "it has more than {RESTRICTION_NODES_MAX} parts"
            )));
        }
        let operator = match self.lexer.next()? {
            Token::Operator(operator) => operator,
            found => return Err(unexpected(&found, "=, < or >", self.lexer.position())),
        };
        let value = match self.lexer.next()? {
            Token::Word(value) => value,
            found => return Err(unexpected(&found, "a value", self.lexer.position())),
        };
        Ok(match operator {
            '<' => Restriction::test(field.text(), MatchMode::LessThan, value.text()),
            '>' => Restriction::test(field.text(), MatchMode::GreaterThan, value.text()),
            _ => equality(field.text(), &value),
        })
    }
}

/// Wildcards make a value a beginning, an end or a part.
fn equality(field: String, value: &Word) -> Restriction {
    let is_star = |letter: &lexer::Letter| letter.wild;
    let (inner, after) = match value.letters.split_last() {
        Some((last, rest)) if is_star(last) => (rest, true),
        _ => (value.letters.as_slice(), false),
    };
    let (inner, before) = match inner.split_first() {
        Some((first, rest)) if is_star(first) => (rest, true),
        _ => (inner, false),
    };
    let mode = match (before, after) {
        (false, false) => MatchMode::ExactlyMatches,
        (false, true) => MatchMode::StartsWith,
        (true, false) => MatchMode::EndsWith,
        (true, true) => MatchMode::Contains,
    };
    let value: String = inner.iter().map(|letter| letter.character).collect();
    Restriction::test(field, mode, value)
}

fn joined(
    mut parts: Vec<Restriction>,
    connect: fn(Vec<Restriction>) -> Restriction,
) -> Restriction {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            connect(parts)
        }
        None => Restriction::Everything,
    }
}

fn unexpected(found: &Token, expected: &str, position: usize) -> CrowdError {
    let found = match found {
        Token::End => "the end".to_owned(),
        Token::Open => "\"(\"".to_owned(),
        Token::Close => "\")\"".to_owned(),
        Token::Operator(operator) => format!("\"{operator}\""),
        Token::Word(word) => format!("<{}>", echo(&word.text())),
    };
    broken(format!(
        "at character {position} there is {found} instead of {expected}"
    ))
}

fn broken(why: impl std::fmt::Display) -> CrowdError {
    CrowdError::illegal_argument(format!("The query cannot be read: {why}."))
}
