//! Reads filters and value paths: `not` binds closer than `and`, `and` closer than `or` (RFC 7644, 3.4.2.2).

use super::lexer::{Lexer, SyntaxError, Token};
use super::{Filter, Op, Operand};
use crate::limits::FILTER_DEPTH_MAX;
use crate::path::{AttrPath, ValuePath, is_attribute_name};

type Read<T> = Result<T, SyntaxError>;

/// One reading of a text, with one token of foresight and a count of what was built.
pub(crate) struct Parser<'t> {
    lexer: Lexer<'t>,
    ahead: Option<Token<'t>>,
    depth: usize,
    nodes: usize,
    nodes_max: usize,
    in_brackets: bool,
}

impl<'t> Parser<'t> {
    pub fn new(text: &'t str, nodes_max: usize) -> Parser<'t> {
        Parser {
            lexer: Lexer::new(text),
            ahead: None,
            depth: 0,
            nodes: 0,
            nodes_max,
            in_brackets: false,
        }
    }

    /// A whole filter.
    pub fn filter(mut self) -> Read<Filter> {
        let filter = self.any_of()?;
        self.end()?;
        Ok(filter)
    }

    /// A whole `attr[filter]` or `attr[filter].sub`.
    pub fn value_path(mut self) -> Read<ValuePath> {
        let attr = match self.take()? {
            Token::Word(word) => self.path(word)?,
            other => {
                return Err(self
                    .lexer
                    .error(format!("an attribute was expected, not {other}")));
            }
        };
        let opened = self.take()?;
        if opened != Token::OpenBracket {
            return Err(self.lexer.error(format!("'[' was expected, not {opened}")));
        }
        let filter = self.bracket(&attr)?;
        let sub = self.sub_after_bracket()?;
        self.end()?;
        Ok(ValuePath {
            attr,
            filter: Some(filter),
            sub,
        })
    }

    fn peek(&mut self) -> Read<&Token<'t>> {
        let token = match self.ahead.take() {
            Some(token) => token,
            None => self.lexer.token()?,
        };
        Ok(self.ahead.insert(token))
    }

    fn take(&mut self) -> Read<Token<'t>> {
        match self.ahead.take() {
            Some(token) => Ok(token),
            None => self.lexer.token(),
        }
    }

    /// Takes the next token if it is this word.
    fn took_word(&mut self, keyword: &str) -> Read<bool> {
        let found = matches!(self.peek()?, Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        if found {
            self.ahead = None;
        }
        Ok(found)
    }

    fn end(&mut self) -> Read<()> {
        match self.take()? {
            Token::End => Ok(()),
            Token::Word(word) => Err(self.lexer.error(format!(
                "'and' or 'or' was expected, not '{}'; put a value with blanks in double quotes",
                crate::name::echo(word)
            ))),
            other => Err(self.lexer.error(format!("{other} is not expected"))),
        }
    }

    fn built(&mut self, filter: Filter) -> Read<Filter> {
        self.nodes += 1;
        if self.nodes > self.nodes_max {
            return Err(self
                .lexer
                .error(format!("it has more than {} parts", self.nodes_max)));
        }
        Ok(filter)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth == FILTER_DEPTH_MAX {
            return Err(self.lexer.error(format!(
                "it is nested deeper than {FILTER_DEPTH_MAX} levels"
            )));
        }
        self.depth += 1;
        let inner = read(self)?;
        self.depth -= 1;
        Ok(inner)
    }

    fn any_of(&mut self) -> Read<Filter> {
        let mut terms = vec![self.all_of()?];
        while self.took_word("or")? {
            terms.push(self.all_of()?);
        }
        self.join(terms, Filter::Or)
    }

    fn all_of(&mut self) -> Read<Filter> {
        let mut terms = vec![self.term()?];
        while self.took_word("and")? {
            terms.push(self.term()?);
        }
        self.join(terms, Filter::And)
    }

    fn join(
        &mut self,
        mut terms: Vec<Filter>,
        connective: fn(Vec<Filter>) -> Filter,
    ) -> Read<Filter> {
        match (terms.len(), terms.pop()) {
            (1, Some(only)) => Ok(only),
            (_, last) => {
                terms.extend(last);
                self.built(connective(terms))
            }
        }
    }

    fn term(&mut self) -> Read<Filter> {
        match self.take()? {
            Token::Open => self.group(),
            Token::Word(word)
                if word.eq_ignore_ascii_case("not") && *self.peek()? == Token::Open =>
            {
                self.ahead = None;
                let inner = self.group()?;
                self.built(Filter::Not(Box::new(inner)))
            }
            Token::Word(word) => {
                let path = self.path(word)?;
                self.expression(path)
            }
            other => Err(self
                .lexer
                .error(format!("an attribute was expected, not {other}"))),
        }
    }

    fn group(&mut self) -> Read<Filter> {
        let inner = self.deeper(Self::any_of)?;
        match self.take()? {
            Token::Close => Ok(inner),
            other => Err(self.lexer.error(format!("')' was expected, not {other}"))),
        }
    }

    fn path(&self, word: &str) -> Read<AttrPath> {
        AttrPath::read(word).ok_or_else(|| {
            self.lexer.error(format!(
                "'{}' is not the name of an attribute",
                crate::name::echo(word)
            ))
        })
    }

    /// What follows an attribute: a comparison, `pr`, or a filter in brackets.
    fn expression(&mut self, path: AttrPath) -> Read<Filter> {
        match self.take()? {
            Token::Word(word) => self.comparison(path, word),
            Token::OpenBracket => self.element(path),
            other => Err(self.lexer.error(format!(
                "a comparison was expected, such as eq, not {other}"
            ))),
        }
    }

    fn comparison(&mut self, path: AttrPath, word: &str) -> Read<Filter> {
        if word.eq_ignore_ascii_case("pr") {
            return self.built(Filter::Present(path));
        }
        let Some(op) = Op::parse(word) else {
            let detail = format!(
                "'{}' is not a comparison; there are eq, ne, co, sw, ew, gt, ge, lt, le and pr",
                crate::name::echo(word)
            );
            return Err(self.lexer.error(detail));
        };
        let value = match self.take()? {
            Token::Text(text) => Operand::Quoted(text),
            Token::Word(word) if word.starts_with('\'') => {
                return Err(self
                    .lexer
                    .error("a value is put in double quotes, not in single ones"));
            }
            Token::Word(word) => Operand::Bare(word.to_owned()),
            other => {
                return Err(self
                    .lexer
                    .error(format!("a value was expected, not {other}")));
            }
        };
        self.built(Filter::Test { path, op, value })
    }

    /// `attr[filter]`, or `attr[filter].sub op value`, which clients send and the RFC knows in paths only:
    /// it means that one element fits the filter and the comparison.
    fn element(&mut self, path: AttrPath) -> Read<Filter> {
        let inner = self.bracket(&path)?;
        let inner = match self.sub_after_bracket()? {
            None => inner,
            Some(attr) => {
                let test = self.expression(AttrPath {
                    urn: None,
                    attr,
                    sub: None,
                })?;
                match inner {
                    Filter::And(mut terms) => {
                        terms.push(test);
                        Filter::And(terms)
                    }
                    other => self.built(Filter::And(vec![other, test]))?,
                }
            }
        };
        self.built(Filter::Element {
            path,
            filter: Box::new(inner),
        })
    }

    /// The filter after `[`, up to and with `]`.
    fn bracket(&mut self, path: &AttrPath) -> Read<Filter> {
        if self.in_brackets || path.sub.is_some() {
            return Err(self
                .lexer
                .error("a filter in brackets stands only after the name of a list"));
        }
        self.in_brackets = true;
        let inner = self.deeper(Self::any_of)?;
        self.in_brackets = false;
        match self.take()? {
            Token::CloseBracket => Ok(inner),
            other => Err(self.lexer.error(format!("']' was expected, not {other}"))),
        }
    }

    fn sub_after_bracket(&mut self) -> Read<Option<String>> {
        let &Token::Word(word) = self.peek()? else {
            return Ok(None);
        };
        let Some(sub) = word.strip_prefix('.') else {
            return Ok(None);
        };
        if !is_attribute_name(sub) {
            return Err(self.lexer.error(format!(
                "'{}' is not the name of an attribute",
                crate::name::echo(sub)
            )));
        }
        self.ahead = None;
        Ok(Some(sub.to_owned()))
    }
}
