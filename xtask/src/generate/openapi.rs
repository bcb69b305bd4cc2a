//! Descriptions for other programs: the OpenAPI document and the schema of configuration files, as the program prints them.

use anyhow::Result;

use crate::steps::Program;

/// The OpenAPI document of the admin API.
pub fn document(program: &Program) -> Result<String> {
    program.say(&["openapi"])
}

/// The JSON Schema of configuration files.
pub fn configuration(program: &Program) -> Result<String> {
    program.say(&["export", "--schema"])
}
