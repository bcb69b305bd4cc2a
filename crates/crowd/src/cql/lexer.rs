//! The words and signs of a query.

use std::iter::Peekable;
use std::str::CharIndices;

use crate::error::CrowdError;

/// One word or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Open,
    Close,
    /// `=`, `<` or `>`.
    Operator(char),
    Word(Word),
    End,
}

/// A field, a keyword or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub letters: Vec<Letter>,
    pub quoted: bool,
}

/// A character of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    pub character: char,
    /// True for a star that was not escaped.
    pub wild: bool,
}

impl Word {
    pub fn text(&self) -> String {
        self.letters.iter().map(|letter| letter.character).collect()
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        !self.quoted && self.text().eq_ignore_ascii_case(keyword)
    }
}

/// Takes a query apart, one token ahead of its reader.
pub struct Lexer<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    ahead: Option<Token>,
    /// Where the last token began, in bytes.
    start: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Lexer<'a> {
        Lexer {
            text,
            rest: text.char_indices().peekable(),
            ahead: None,
            start: 0,
        }
    }

    /// Where the last token began, in characters from 1.
    pub fn position(&self) -> usize {
        self.text
            .get(..self.start)
            .map_or(0, |before| before.chars().count())
            + 1
    }

    /// Takes the next token.
    pub fn next(&mut self) -> Result<Token, CrowdError> {
        match self.ahead.take() {
            Some(token) => Ok(token),
            None => self.read(),
        }
    }

    /// Takes the next token if it is this keyword.
    pub fn take_keyword(&mut self, keyword: &str) -> Result<bool, CrowdError> {
        match self.next()? {
            Token::Word(word) if word.is_keyword(keyword) => Ok(true),
            other => {
                self.ahead = Some(other);
                Ok(false)
            }
        }
    }

    fn read(&mut self) -> Result<Token, CrowdError> {
        while self.rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        let Some(&(at, c)) = self.rest.peek() else {
            self.start = self.text.len();
            return Ok(Token::End);
        };
        self.start = at;
        let token = match c {
            '(' => Token::Open,
            ')' => Token::Close,
            '=' | '<' | '>' => Token::Operator(c),
            '"' | '\'' => {
                self.rest.next();
                return self.quoted(c);
            }
            _ => return Ok(self.bare()),
        };
        self.rest.next();
        Ok(token)
    }

    fn bare(&mut self) -> Token {
        let in_word = |c: char| !c.is_whitespace() && !matches!(c, '(' | ')' | '=' | '<' | '>');
        let mut letters = Vec::new();
        while let Some((_, character)) = self.rest.next_if(|(_, c)| in_word(*c)) {
            letters.push(Letter {
                character,
                wild: character == '*',
            });
        }
        Token::Word(Word {
            letters,
            quoted: false,
        })
    }

    fn quoted(&mut self, quote: char) -> Result<Token, CrowdError> {
        let mut letters = Vec::new();
        while let Some((_, c)) = self.rest.next() {
            if c == quote {
                return Ok(Token::Word(Word {
                    letters,
                    quoted: true,
                }));
            }
            let escaped = c == '\\';
            let character = if escaped {
                self.rest.next().map(|(_, c)| c)
            } else {
                Some(c)
            };
            let Some(character) = character else { break };
            letters.push(Letter {
                character,
                wild: character == '*' && !escaped,
            });
        }
        let position = self.position();
        Err(super::broken(format!(
            "the quote at character {position} does not end"
        )))
    }
}
