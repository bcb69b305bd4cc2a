//! Filters of the fake server: parsed into a tree, evaluated on JSON.

use serde_json::{Value, json};

use super::resource::{attribute, is_true, truth};

pub enum Node {
    Test(String, String, Value),
    Has(String),
    Any(String, Box<Node>, Option<Box<Node>>),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
}

struct Parser<'t> {
    tokens: Vec<&'t str>,
    at: usize,
    depth: usize,
    flat: bool,
}

const COMPARES: &[&str] = &["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];

/// Takes a filter apart. `flat` is the fault that `or` binds as tightly as `and`.
pub fn parse(text: &str, flat: bool) -> Option<Node> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
        flat,
    };
    let node = parser.or()?;
    (parser.at == parser.tokens.len()).then_some(node)
}

fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '(' | ')' | '[' | ']' => 1,
            '"' => {
                let mut escaped = false;
                let close = rest.char_indices().skip(1).find(|(_, c)| {
                    let closes = *c == '"' && !escaped;
                    escaped = *c == '\\' && !escaped;
                    closes
                })?;
                close.0 + 1
            }
            _ => rest
                .find(|c: char| c.is_whitespace() || "()[]\"".contains(c))
                .unwrap_or(rest.len()),
        };
        found.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    Some(found)
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let token = self.tokens.get(self.at).copied()?;
        self.at += 1;
        Some(token)
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self
            .tokens
            .get(self.at)
            .is_some_and(|token| token.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > 100 {
            return None;
        }
        let mut left = self.and()?;
        while self.takes("or") {
            let right = if self.flat { self.one()? } else { self.and()? };
            left = Node::Or(Box::new(left), Box::new(right));
            while self.flat && self.takes("and") {
                left = Node::And(Box::new(left), Box::new(self.one()?));
            }
        }
        self.depth -= 1;
        Some(left)
    }

    fn and(&mut self) -> Option<Node> {
        let mut left = self.one()?;
        while !(self.flat && self.tokens.get(self.at) == Some(&"or")) && self.takes("and") {
            left = Node::And(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Node> {
        if self.takes("not") {
            self.takes("(").then_some(())?;
            let inner = self.or()?;
            return self.takes(")").then(|| Node::Not(Box::new(inner)));
        }
        if self.takes("(") {
            let inner = self.or()?;
            return self.takes(")").then_some(inner);
        }
        let name = self
            .next()
            .filter(|name| name.starts_with(|c: char| c.is_alphabetic()))?
            .to_owned();
        if self.takes("[") {
            let inner = self.or()?;
            self.takes("]").then_some(())?;
            let part = self
                .tokens
                .get(self.at)
                .and_then(|token| token.strip_prefix('.'));
            let then = match part {
                Some(sub) => {
                    self.at += 1;
                    Some(Box::new(self.test(sub.to_owned())?))
                }
                None => None,
            };
            return Some(Node::Any(name, Box::new(inner), then));
        }
        self.test(name)
    }

    fn test(&mut self, name: String) -> Option<Node> {
        let operator = self.next()?.to_lowercase();
        if operator == "pr" {
            return Some(Node::Has(name));
        }
        COMPARES.contains(&operator.as_str()).then_some(())?;
        let token = self.next().filter(|token| !"()[]".contains(token))?;
        let value = match token.starts_with('"') {
            true => serde_json::from_str(token).ok()?,
            // Without quotes it is a number, a boolean, or a text all the same.
            false => serde_json::from_str(token).unwrap_or_else(|_| json!(token)),
        };
        if value.is_boolean() && !matches!(operator.as_str(), "eq" | "ne") {
            return None;
        }
        Some(Node::Test(name, operator, value))
    }
}

/// All values that a name means in a resource.
fn values(resource: &Value, name: &str) -> Vec<Value> {
    let (top, sub) = attribute(name);
    let mut found = vec![resource.clone()];
    for part in top.into_iter().chain(sub) {
        found = found
            .into_iter()
            .flat_map(|value| {
                let key = value.as_object().and_then(|map| {
                    map.keys()
                        .find(|key| key.eq_ignore_ascii_case(&part))
                        .cloned()
                });
                match key.map(|key| value[&key].clone()) {
                    Some(Value::Array(list)) => list,
                    Some(other) => vec![other],
                    None => Vec::new(),
                }
            })
            .collect();
    }
    found
}

/// Whether the node is true of the resource. `exact` is the fault that nothing is folded.
pub fn is_met(node: &Node, resource: &Value, exact: bool) -> bool {
    match node {
        Node::And(a, b) => is_met(a, resource, exact) && is_met(b, resource, exact),
        Node::Or(a, b) => is_met(a, resource, exact) || is_met(b, resource, exact),
        Node::Not(a) => !is_met(a, resource, exact),
        Node::Has(name) => !values(resource, name).is_empty(),
        Node::Any(name, inner, then) => values(resource, name).iter().any(|value| {
            is_met(inner, value, exact)
                && then.as_ref().is_none_or(|then| is_met(then, value, exact))
        }),
        Node::Test(name, operator, wanted) => {
            let found = values(resource, name);
            let name = name.to_lowercase();
            let exact = exact || name == "externalid" || name == "id";
            let met = |value: &Value| compares(value, operator, wanted, exact);
            match operator.as_str() {
                "ne" => !found
                    .iter()
                    .any(|value| compares(value, "eq", wanted, exact)),
                _ => found.iter().any(met),
            }
        }
    }
}

fn compares(value: &Value, operator: &str, wanted: &Value, exact: bool) -> bool {
    let value = match value {
        Value::Object(map) => map.get("value").unwrap_or(&Value::Null),
        other => other,
    };
    if value.is_boolean() {
        return operator == "eq" && truth(wanted) == Some(is_true(value));
    }
    let (Some(mut a), Some(mut b)) = (
        value.as_str().map(str::to_owned),
        wanted.as_str().map(str::to_owned),
    ) else {
        return operator == "eq" && value == wanted;
    };
    if let (Ok(x), Ok(y)) = (a.parse::<jiff::Timestamp>(), b.parse::<jiff::Timestamp>()) {
        (a, b) = (
            format!("{:020}", x.as_microsecond()),
            format!("{:020}", y.as_microsecond()),
        );
    }
    if !exact {
        (a, b) = (a.to_lowercase(), b.to_lowercase());
    }
    match operator {
        "eq" => a == b,
        "co" => a.contains(&b),
        "sw" => a.starts_with(&b),
        "ew" => a.ends_with(&b),
        "gt" => a > b,
        "ge" => a >= b,
        "lt" => a < b,
        _ => a <= b,
    }
}
