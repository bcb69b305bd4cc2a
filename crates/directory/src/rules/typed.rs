//! Typed values: what somebody types stands for what the source of a row gives, to try the row (US-14).

use std::sync::Arc;

use super::source::Reader;
use super::{CompiledRules, Source, Target};

impl CompiledRules {
    /// Lets the rows of a target begin with these values.
    pub fn type_in(&mut self, target: &Target, values: &[String]) {
        for row in self.rows.iter_mut().filter(|row| row.target == *target) {
            row.reader = Reader::Typed(values.to_vec());
            row.from = Arc::from("the typed value");
        }
    }
}

/// Whether a row with this source reads the `userName`.
pub fn reads_user_name(target: &Target, source: Option<&Source>) -> bool {
    match source {
        Some(Source::Attribute(path)) => path.eq_ignore_ascii_case("userName"),
        Some(_) => false,
        None => *target == Target::Username,
    }
}
