//! How the demo is told: calm lines for a person, one JSON object a line for a machine.

use std::path::Path;
use std::time::Duration;

use emulate::http::Exchange;
use serde_json::{Value, json};

use super::cast::{Cast, Side};
use crate::exit::Failure;
use crate::output::{Output, Reader, fields};

/// So many requests of one change are shown.
const SHOWN_EXCHANGES: usize = 4;
/// Long lines are cut after so many characters.
const WIDTH: usize = 150;

/// Tells the story.
pub struct Teller {
    out: Output,
    reading_time: Duration,
}

impl Teller {
    /// A teller who leaves so much time between scenes.
    pub fn new(out: Output, reading_time: Duration) -> Teller {
        Teller { out, reading_time }
    }

    /// The first words: where everything is, and who plays.
    pub fn opening(
        &self,
        url: &str,
        welcome: Option<&str>,
        kept: Option<&Path>,
        cast: &Cast,
    ) -> Result<(), Failure> {
        let pairs = cast.sides.iter().map(|side| (side.provider.name(), side));
        if self.out.reader == Reader::Machine {
            let sides: Vec<Value> = pairs
                .map(|(provider, side)| {
                    json!({ "provider": provider, "base_url": side.connector.base_url, "token": side.connector.token,
                        "product": side.product_name, "server_url": side.application.url,
                        "application": side.application.name, "password": side.application.password })
                })
                .collect();
            return self.json(&json!({ "url": url, "welcome": welcome, "sides": sides }));
        }
        let place = match kept {
            Some(folder) => format!("Everything is kept in {}.", folder.display()),
            None => "Everything is in a temporary folder and gone at the end.".to_owned(),
        };
        let mut text = format!("Vestibule is running at {url}. {place}\n");
        for (provider, side) in pairs {
            text.push_str(&format!(
                "  {provider:<8} -> connector {0:<5} -> directory {0:<5} <- {1}\n",
                side.connector.name, side.product_name
            ));
        }
        let console = format!("{url}/console");
        let console = welcome.unwrap_or(&console);
        text.push_str(&format!("Look at it in a browser: {console}\n"));
        text.push_str("The identity providers and the products are emulated; what they say is said over real HTTP.");
        self.out.text(&text)
    }

    /// The title of a scene.
    pub fn scene(&self, title: &str) -> Result<(), Failure> {
        match self.out.reader {
            Reader::Machine => self.json(&json!({ "scene": title })),
            Reader::Person => self.out.text(&format!("\n{}", capitalised(title))),
        }
    }

    /// Somebody did or saw something.
    pub fn line(&self, who: &str, what: &str) -> Result<(), Failure> {
        match self.out.reader {
            Reader::Machine => self.json(&json!({ "who": who, "what": what })),
            Reader::Person => self.out.text(&cut(&format!("  {who:<10}  {what}"))),
        }
    }

    /// Something went wrong.
    pub fn wrong(&self, who: &str, what: &str) -> Result<(), Failure> {
        match self.out.reader {
            Reader::Machine => self.json(&json!({ "who": who, "wrong": what })),
            Reader::Person => self.out.text(&format!("  {who:<10}  WRONG: {what}")),
        }
    }

    /// The writing requests of a change, with what they said.
    pub fn exchanges(&self, exchanges: &[Exchange]) -> Result<(), Failure> {
        let writes: Vec<&Exchange> = exchanges
            .iter()
            .filter(|each| each.method != "GET")
            .collect();
        for exchange in writes.iter().take(SHOWN_EXCHANGES) {
            let Exchange {
                method,
                path,
                status,
                request,
                ..
            } = exchange;
            self.line(
                "",
                &format!("{method} {} -> {status}  {}", short(path), said(request)),
            )?;
        }
        match writes.len().saturating_sub(SHOWN_EXCHANGES) {
            0 => Ok(()),
            more => self.line("", &format!("... and {more} more")),
        }
    }

    /// The last words.
    pub fn closing(&self, failures: u64, sides: &[Side], once: bool) -> Result<(), Failure> {
        if self.out.reader == Reader::Machine {
            return self.json(&json!({ "failures": failures }));
        }
        let end = match failures {
            0 => "Every product sees exactly what its identity provider has sent.",
            _ => "Not everything went as it should.",
        };
        if once {
            return self.out.text(&format!("\n{end}"));
        }
        let mut text = format!("\n{end} The server goes on until Ctrl-C; to try it yourself:\n");
        for side in sides {
            text.push_str(&format!("\n  {} connector\n", side.provider.name()));
            text.push_str(&indented(&[
                ("base URL", &side.connector.base_url),
                ("token", &side.connector.token),
            ]));
            text.push_str(&format!("\n  {} application\n", side.product_name));
            let application = &side.application;
            text.push_str(&indented(&[
                ("server URL", &application.url),
                ("name", &application.name),
                ("password", &application.password),
            ]));
        }
        self.out.text(&text)
    }

    /// Leaves time to read.
    pub async fn pause(&self) {
        tokio::time::sleep(self.reading_time).await;
    }

    fn json(&self, value: &Value) -> Result<(), Failure> {
        self.out.text(&value.to_string())
    }
}

fn indented(pairs: &[(&str, &str)]) -> String {
    fields(pairs)
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect()
}

/// A path from the endpoint on: what comes before is the same on every line.
fn short(path: &str) -> &str {
    let endpoint = ["/Users", "/Groups"]
        .iter()
        .find_map(|endpoint| path.find(endpoint));
    endpoint.map_or(path, |at| &path[at..])
}

/// What a request said: the operations of a PATCH, or the body without what is the same in all.
fn said(request: &str) -> String {
    let Ok(Value::Object(mut body)) = serde_json::from_str(request) else {
        return request.to_owned();
    };
    if let Some(operations) = body.get("Operations") {
        return operations.to_string();
    }
    body.retain(|name, _| !matches!(name.as_str(), "schemas" | "meta" | "id" | "password"));
    Value::Object(body).to_string()
}

fn capitalised(title: &str) -> String {
    let mut letters = title.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn cut(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    line.chars().take(WIDTH - 1).chain(['…']).collect()
}
