//! `vestibule directory precedence`: whose word counts where several connectors know the same person.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, counted_in, quoted, table};

/// What is asked for.
pub struct Wish<'a> {
    /// The connectors, the first first.
    pub order: &'a [String],
    /// Other orders for single targets, as written.
    pub targets: &'a [String],
    /// Whether each account is to be spoken of by one connector alone.
    pub off: bool,
    /// Whether it is to hold.
    pub yes: bool,
}

/// `vestibule directory precedence`
pub fn precedence(
    door: &Door,
    directory: &str,
    wish: &Wish<'_>,
    out: Output,
) -> Result<(), Failure> {
    let path = ["directories", directory, "precedence"];
    let asks = wish.off || !wish.order.is_empty() || !wish.targets.is_empty();
    if !asks {
        let sharing: Value = door.get(&path)?;
        return out.show(&sharing, shown);
    }
    if !wish.yes {
        return preview(door, directory, wish, out);
    }
    let begun: Value = match wish.off {
        true => door.ask(Method::DELETE, &path, None)?,
        false => door.ask(Method::PUT, &path, Some(&body(wish)?))?,
    };
    out.show(&begun, |begun| {
        let jobs = begun["jobs"].as_array().map_or(0, Vec::len);
        format!(
            "Everybody is evaluated by it, by {}: vestibule job list --directory {}",
            counted(jobs, "job", "jobs"),
            quoted(directory)
        )
    })
}

fn preview(door: &Door, directory: &str, wish: &Wish<'_>, out: Output) -> Result<(), Failure> {
    if wish.off {
        let sharing: Value = door.get(&["directories", directory, "precedence"])?;
        out.show(&sharing, shown)?;
    } else {
        let path = ["directories", directory, "precedence", "preview"];
        let (mut items, mut after) = (Vec::new(), None::<i64>);
        let shared = loop {
            let query: Vec<(&str, String)> =
                after.iter().map(|it| ("after", it.to_string())).collect();
            let mut page: Value = door.ask_with(Method::POST, &path, &query, Some(&body(wish)?))?;
            if let Value::Array(more) = page["items"].take() {
                items.extend(more);
            }
            after = page["next"].as_i64();
            if after.is_none() {
                break page["shared_accounts"].take();
            }
        };
        let told = json!({"shared_accounts": shared, "items": items});
        out.show(&told, previewed)?;
    }
    let message = "nothing was done: this is what it would touch";
    Err(Failure::new(Exit::Pending, message).with("say --yes to do it"))
}

fn body(wish: &Wish<'_>) -> Result<Value, Failure> {
    let mut targets = Map::new();
    for written in wish.targets {
        let Some((target, connectors)) = written.split_once('=') else {
            let message = format!("--target {written} names no connectors");
            let remedy = "write it as email=Okta,Entra";
            return Err(Failure::new(Exit::Usage, message).with(remedy));
        };
        let connectors: Vec<&str> = connectors.split(',').map(str::trim).collect();
        targets.insert(target.trim().to_owned(), json!(connectors));
    }
    Ok(json!({"order": wish.order, "targets": targets}))
}

fn names(list: &Value) -> String {
    let all = list.as_array().into_iter().flatten();
    let names: Vec<&str> = all.filter_map(Value::as_str).collect();
    names.join(", ")
}

fn shown(sharing: &Value) -> String {
    let precedence = &sharing["precedence"];
    if precedence.is_null() {
        return "Each account is spoken of by one connector alone.".to_owned();
    }
    let mut rows = vec![["everything else".to_owned(), names(&precedence["order"])]];
    for (target, order) in precedence["targets"].as_object().into_iter().flatten() {
        rows.push([target.clone(), names(order)]);
    }
    format!(
        "{} spoken of by several connectors.\n\n{}",
        counted_in(&sharing["shared_accounts"], "account is", "accounts are"),
        table(["target", "whose word counts first"], rows)
    )
}

fn previewed(told: &Value) -> String {
    let items = told["items"].as_array().map(Vec::as_slice);
    let items = items.unwrap_or_default();
    let first = format!(
        "Of {} that several connectors speak of, {} would change.",
        counted_in(&told["shared_accounts"], "account", "accounts"),
        items.len()
    );
    if items.is_empty() {
        return first;
    }
    let word = |value: &Value| value.as_str().unwrap_or_default().replace('_', " ");
    let rows = items.iter().map(|item| {
        let changes = item["changes"].as_array().into_iter().flatten();
        let changes: Vec<String> = changes
            .map(|change| match change["group"].as_str() {
                Some(group) => format!("{} {group}", word(&change["change"])),
                None => word(&change["change"]),
            })
            .collect();
        [word(&item["user"]), changes.join(", ")]
    });
    format!("{first}\n\n{}", table(["user", "changes"], rows))
}
