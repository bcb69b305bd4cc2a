//! Questions to the admin API, and what its answers mean for a command.

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Door;
use crate::exit::{Exit, Failure};

/// What the API says of a name that nothing has.
const NAMES_TOLD: &str = " The list of them tells their names.";
/// Items asked for in one page.
const PAGE: u32 = 200;

#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

/// A page of a list, and where the next begins.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    next: Option<String>,
}

/// An error of the admin API (RFC 9457).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    detail: String,
    errors: Vec<RuleProblem>,
}

#[derive(Deserialize)]
struct RuleProblem {
    path: String,
    message: String,
    remedy: String,
}

impl Door {
    /// The answer to a request, or the failure that it tells.
    pub fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        self.ask_with(method, path, &[], body)
    }

    /// The same with parameters.
    pub fn ask_with<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        let text = self.text(method, path, query, body)?;
        serde_json::from_str(&text).map_err(|error| {
            let message = format!("{} does not answer like a Vestibule: {error}", self.place());
            Failure::new(Exit::Failed, message)
        })
    }

    /// The same where the answer says nothing.
    pub fn send(&self, method: Method, path: &[&str], body: Option<&Value>) -> Result<(), Failure> {
        self.text(method, path, &[], body).map(drop)
    }

    /// The text of an answer, whatever its format.
    pub fn text(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<String, Failure> {
        let (status, text) = self.call(method, path, query, body)?;
        if status.is_success() {
            Ok(text)
        } else {
            Err(refusal(status, &text))
        }
    }

    /// What is at a path.
    pub fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.ask(Method::GET, path, None)
    }

    /// The same with parameters.
    pub fn get_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, Failure> {
        self.ask_with(Method::GET, path, query, None)
    }

    /// A list that has no pages.
    pub fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, Failure> {
        self.get::<List<T>>(path).map(|list| list.items)
    }

    /// A list with pages, all of them.
    pub fn all_pages<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Vec<T>, Failure> {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let mut query = query.to_vec();
            query.push(("limit", PAGE.to_string()));
            query.extend(after.take().map(|after| ("after", after)));
            let page: Page<T> = self.get_with(path, &query)?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// What a POST to a path gives.
    pub fn post<T: DeserializeOwned>(&self, path: &[&str], body: &Value) -> Result<T, Failure> {
        self.ask(Method::POST, path, Some(body))
    }
}

/// What an answer that is no success means.
pub(super) fn refusal(status: StatusCode, text: &str) -> Failure {
    let problem: Problem = serde_json::from_str(text).unwrap_or_default();
    let exit = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::Refused,
        StatusCode::NOT_FOUND => Exit::NotFound,
        StatusCode::CONFLICT => Exit::Conflict,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Exit::Usage,
        StatusCode::SERVICE_UNAVAILABLE => Exit::Store,
        _ => Exit::Failed,
    };
    let wrong: Vec<String> = problem
        .errors
        .iter()
        .map(|one| match one.path.as_str() {
            "" => format!("{}; {}", one.message, one.remedy),
            path => format!("{path}: {}; {}", one.message, one.remedy),
        })
        .collect();
    if !wrong.is_empty() {
        return Failure::new(exit, wrong.join("\n"));
    }
    match problem.detail.as_str() {
        "" => Failure::new(exit, format!("the server answered {status}")),
        detail => match detail.strip_suffix(NAMES_TOLD) {
            Some(told) => listed_by(told).map_or_else(
                || Failure::new(exit, told),
                |command| Failure::new(exit, told).with(format!("{command} shows what there is")),
            ),
            None => Failure::new(exit, detail),
        },
    }
}

/// The command that lists things of the kind that is not there.
fn listed_by(told: &str) -> Option<&'static str> {
    const LISTS: [(&str, &str); 9] = [
        ("connector", "vestibule connector list"),
        ("directory", "vestibule directory list"),
        ("application", "vestibule application list"),
        ("job", "vestibule job list"),
        ("hold", "vestibule holds list"),
        ("version of the rules", "vestibule rules versions CONNECTOR"),
        (
            "group",
            "vestibule group list CONNECTOR, or vestibule directory groups DIRECTORY,",
        ),
        ("user", "vestibule directory users DIRECTORY"),
        ("override", "vestibule override list"),
    ];
    let what = told.strip_prefix("There is no ")?;
    let is_it = |(kind, _): &&(&str, &str)| {
        what.strip_prefix(kind)
            .is_some_and(|rest| rest.starts_with(" '"))
    };
    LISTS.iter().find(is_it).map(|(_, command)| *command)
}
