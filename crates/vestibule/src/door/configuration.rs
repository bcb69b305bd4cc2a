//! Questions about the configuration, whose answers may be a list of mistakes in a file.

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Door;
use super::ask::refusal;
use crate::exit::Failure;

/// Something that is wrong with a configuration.
#[derive(Debug, Clone, Deserialize)]
pub struct ConfigurationMistake {
    /// Where in the document.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    field: String,
    errors: Vec<ConfigurationMistake>,
}

impl Door {
    /// What `plan` or `apply` says to a configuration, or what is wrong with it.
    pub fn configuration(
        &self,
        action: &str,
        body: &Value,
    ) -> Result<Result<Value, Vec<ConfigurationMistake>>, Failure> {
        let path = ["configuration", action];
        let (status, text) = self.call(Method::POST, &path, &[], Some(body))?;
        if status == StatusCode::UNPROCESSABLE_ENTITY {
            let problem: Problem = serde_json::from_str(&text).unwrap_or_default();
            if problem.field == "configuration" && !problem.errors.is_empty() {
                return Ok(Err(problem.errors));
            }
        }
        match status.is_success() {
            true => Ok(Ok(serde_json::from_str(&text).map_err(anyhow::Error::from)?)),
            false => Err(refusal(status, &text)),
        }
    }
}
