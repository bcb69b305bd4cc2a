//! Cuts a filter into tokens.

use std::fmt;

/// A piece of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    /// A name, an operator or a value without quotes.
    Word(&'t str),
    /// A text in quotes, unescaped.
    Text(String),
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Open => f.write_str("'('"),
            Token::Close => f.write_str("')'"),
            Token::OpenBracket => f.write_str("'['"),
            Token::CloseBracket => f.write_str("']'"),
            Token::Word(word) => write!(f, "'{}'", crate::name::echo(word)),
            Token::Text(text) => write!(f, "\"{}\"", crate::name::echo(text)),
            Token::End => f.write_str("the end"),
        }
    }
}

/// Why a text isn't a filter, and at which character (counted from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub at: usize,
    pub what: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}, {}", self.at, self.what)
    }
}

/// Hands out the tokens of a text one by one.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    /// Byte at which the next token is looked for.
    next: usize,
    /// Byte at which the last token began.
    began: usize,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str) -> Lexer<'t> {
        Lexer {
            text,
            next: 0,
            began: 0,
        }
    }

    /// An error at the last token.
    pub fn error(&self, what: impl Into<String>) -> SyntaxError {
        let at = self
            .text
            .get(..self.began)
            .map_or(0, |before| before.chars().count())
            + 1;
        SyntaxError {
            at,
            what: what.into(),
        }
    }

    pub fn token(&mut self) -> Result<Token<'t>, SyntaxError> {
        let rest = self.rest();
        let blank = rest.len() - rest.trim_start().len();
        self.began = self.next + blank;
        self.next = self.began;
        let rest = self.rest();
        let token = match rest.bytes().next() {
            None => return Ok(Token::End),
            Some(b'(') => Token::Open,
            Some(b')') => Token::Close,
            Some(b'[') => Token::OpenBracket,
            Some(b']') => Token::CloseBracket,
            Some(b'"') => return self.quoted(rest),
            Some(_) => return Ok(self.word(rest)),
        };
        self.next += 1;
        Ok(token)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.next..).unwrap_or_default()
    }

    fn word(&mut self, rest: &'t str) -> Token<'t> {
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"');
        let (word, _) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        self.next += word.len();
        Token::Word(word)
    }

    /// A JSON string; its end is the first quote that isn't escaped.
    fn quoted(&mut self, rest: &'t str) -> Result<Token<'t>, SyntaxError> {
        let mut escaped = false;
        let closing = rest.bytes().enumerate().skip(1).find_map(|(at, byte)| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes.then_some(at)
        });
        let Some(closing) = closing else {
            return Err(self.error("a text begins whose closing quote is missing"));
        };
        let (literal, _) = rest.split_at(closing + 1);
        self.next += literal.len();
        match serde_json::from_str(literal) {
            Ok(text) => Ok(Token::Text(text)),
            Err(_) => Err(self.error(
                "a text has a wrong escape; write \\\\ for a backslash and \\\" for a quote",
            )),
        }
    }
}
