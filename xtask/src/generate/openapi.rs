//! The OpenAPI document of the admin API, as the program prints it.

use anyhow::Result;

use crate::steps::Program;

/// The document.
pub fn document(program: &Program) -> Result<String> {
    program.say(&["openapi"])
}
