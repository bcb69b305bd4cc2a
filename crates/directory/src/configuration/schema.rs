//! The JSON Schema of configuration files, made from the types that read them.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

use super::entries::Configuration;
use crate::connector::ConnectorSettings;

/// The JSON Schema (draft 2020-12) of a configuration file.
pub fn schema() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.transforms.push(Box::new(PlainWords));
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<Configuration>();
    schema.insert("title".to_owned(), "Vestibule configuration".into());
    schema.into()
}

/// The names of all settings of a connector, also of those that are left out when they say nothing.
pub(super) fn settings_names() -> Vec<String> {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<ConnectorSettings>();
    let members = schema.get("properties").and_then(Value::as_object);
    members
        .into_iter()
        .flat_map(|members| members.keys().cloned())
        .collect()
}

/// Takes the marks of Rust's documentation out of descriptions.
#[derive(Clone)]
struct PlainWords;

impl Transform for PlainWords {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::String(text)) = schema.get_mut("description") {
            *text = text.replace("[`", "`").replace("`]", "`");
        }
        transform_subschemas(self, schema);
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::rules::Target;

    #[test]
    fn the_schema_takes_the_targets_that_rules_take() {
        let schema = schema();
        let pattern = schema["$defs"]["Target"]["pattern"].as_str().unwrap();
        let pattern = Regex::new(pattern).unwrap();
        for target in [
            "username",
            "email",
            "groups",
            "attr:title",
            "attr: ",
            "attr:",
            "usrname",
            "username ",
            "prop:jira:level",
            "prop:jira:",
            "profile:confluence:phone",
            "profile:confluence:fax",
            "org:jsm",
            "avatar",
            "",
        ] {
            let is_read = Target::try_from(target.to_owned()).is_ok();
            assert_eq!(pattern.is_match(target), is_read, "{target:?}");
        }
    }
}
