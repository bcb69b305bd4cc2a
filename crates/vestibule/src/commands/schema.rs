//! `vestibule schema`: what a connector's users and groups have besides what SCIM itself knows.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{ResourceTypeArg, SchemaArgs, SchemaCommand};
use crate::config::Settings;
use crate::door::{self, ChangedSchema, SchemaView, SchemaWish};
use crate::exit::{Exit, Failure};
use crate::output::{Output, table};

/// Does what was asked.
pub fn run(args: &SchemaArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        SchemaCommand::List { connector } => out.show(&door.schemas(connector)?, |all| list(all)),
        SchemaCommand::Show { connector, urn } => {
            let found = door.schema(connector, urn)?;
            out.json(&SchemaWish {
                resource_types: found.resource_types,
                required: found.required,
                document: found.document,
            })
        }
        SchemaCommand::Put {
            connector,
            file,
            resource_type,
            required,
            reveal,
        } => {
            let mut wish = read(file)?;
            if !resource_type.is_empty() {
                wish.resource_types = resource_type.iter().map(|kind| name(*kind)).collect();
            }
            wish.required |= required;
            let urn = wish.document.get("id").and_then(Value::as_str);
            let urn = urn.unwrap_or_default().to_owned();
            if urn.is_empty() {
                let message = format!("{}: the schema has no `id`", file.display());
                return Err(Failure::new(Exit::Usage, message)
                    .with("write its URN, such as urn:example:params:scim:staff:1.0:User"));
            }
            let changed = door.put_schema(connector, &urn, &wish, *reveal)?;
            out.show(&changed, |changed| {
                format!(
                    "{urn} is registered. {}",
                    told(changed, "are checked when they are written again")
                )
            })
        }
        SchemaCommand::Delete {
            connector,
            urn,
            reveal,
        } => {
            let changed = door.delete_schema(connector, urn, *reveal)?;
            out.show(&changed, |changed| {
                format!(
                    "{urn} is forgotten. {}",
                    told(changed, "are not checked any more")
                )
            })
        }
    }
}

fn name(kind: ResourceTypeArg) -> String {
    match kind {
        ResourceTypeArg::User => "User",
        ResourceTypeArg::Group => "Group",
    }
    .to_owned()
}

/// A file holds the document alone, or what `show` prints.
fn read(path: &Path) -> Result<SchemaWish, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("{} cannot be read: {error}", path.display());
        Failure::new(Exit::Usage, message)
    })?;
    let wrong = |error: String| {
        Failure::new(Exit::Usage, format!("{}: {error}", path.display()))
            .with("the page \"Custom schemas\" of the documentation shows how a schema is written")
    };
    let value = server::yaml::parse_json(&text).map_err(wrong)?;
    let value = match value.get("document") {
        Some(_) => value,
        None => json!({ "document": value }),
    };
    let mut wish: SchemaWish =
        serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
    if wish.resource_types.is_empty() {
        wish.resource_types.push("User".to_owned());
    }
    Ok(wish)
}

fn told(changed: &ChangedSchema, then: &str) -> String {
    let stored = &changed.stored;
    if stored.users + stored.groups == 0 {
        return "Nothing is stored under its URN.".to_owned();
    }
    format!(
        "{} users and {} groups have data under its URN; they stay as they are and {then}.",
        stored.users, stored.groups
    )
}

fn list(all: &[SchemaView]) -> String {
    if all.is_empty() {
        return "There is no schema yet:\n  vestibule schema put CONNECTOR --file FILE".to_owned();
    }
    let rows = all.iter().map(|one| {
        let attributes = one.document.get("attributes").and_then(Value::as_array);
        [
            one.urn.clone(),
            one.resource_types.join(", "),
            if one.required { "yes" } else { "no" }.to_owned(),
            attributes.map_or(0, Vec::len).to_string(),
        ]
    });
    table(["urn", "of", "required", "attributes"], rows)
}
