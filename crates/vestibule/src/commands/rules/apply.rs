//! Putting rules in force: what safety limits would hold is told and agreed to first (BY-04).

use std::io::{self, IsTerminal};

use reqwest::Method;
use serde_json::{Value, json};

use super::{preview, rules_of, text, told};
use crate::cli::TermsArgs;
use crate::commands::jobs;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::output::{Output, agreed, counted, counted_in, quoted};

/// What safety limits would hold of a change of rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    /// At once.
    now: u64,
    /// When grace times end.
    later: u64,
}

impl Held {
    /// What a preview says.
    pub fn of(preview: &Value) -> Self {
        let summary = &preview["summary"];
        Self {
            now: in_limits(summary),
            later: in_limits(&summary["after_grace"]),
        }
    }

    /// Tells that something waits for a decision now, where that is so.
    pub fn told(self, connector: &str) -> Result<(), Failure> {
        if self.now == 0 {
            return Ok(());
        }
        let message = format!(
            "safety limits hold {} of the changes until somebody decides",
            self.now
        );
        Err(Failure::new(Exit::Held, message).with(format!(
            "vestibule holds list --connector {} tells which, once everybody is evaluated",
            quoted(connector)
        )))
    }

    fn is_nothing(self) -> bool {
        self.now == 0 && self.later == 0
    }
}

fn in_limits(forecast: &Value) -> u64 {
    let others = forecast["limits_of_others"].as_object().into_iter();
    let others = others.flatten().map(|(_, limits)| limits);
    let all = others.chain([&forecast["limits"]]);
    let kinds = all.filter_map(Value::as_object).flatten();
    kinds.filter_map(|(_, limit)| limit["held"].as_u64()).sum()
}

/// What safety limits would hold of new rules, which somebody has agreed to.
pub fn consent(door: &Door, connector: &str, rules: &Value, yes: bool) -> Result<Held, Failure> {
    let preview = preview(door, connector, &json!({ "rules": rules }))?;
    let held = Held::of(&preview);
    if held.is_nothing() {
        return Ok(held);
    }
    eprintln!("{}", told::limits(&preview["summary"]).join("\n"));
    if yes || (io::stdin().is_terminal() && agreed("Apply all the same? [y/N] ")?) {
        return Ok(held);
    }
    let changes = counted(held.now + held.later, "change", "changes");
    let message = format!("nothing was applied: safety limits would hold {changes}");
    let remedy =
        "say --yes to apply the rules all the same; vestibule rules preview shows whom it concerns";
    Err(Failure::new(Exit::Unconfirmed, message).with(remedy))
}

/// `vestibule rules apply --preview`: who names the preview has seen what it holds.
pub(super) fn previewed(
    door: &Door,
    connector: &str,
    id: &str,
    terms: &TermsArgs,
    out: Output,
) -> Result<(), Failure> {
    let held = Held::of(&door.get(&["connectors", connector, "rules", "previews", id])?);
    let mut body = terms_of(terms);
    body["preview"] = json!(id);
    put(door, connector, (&body, held), terms, out)
}

/// Rules that somebody wrote.
pub fn written(
    door: &Door,
    connector: &str,
    rules: Value,
    terms: &TermsArgs,
    out: Output,
) -> Result<(), Failure> {
    let held = consent(door, connector, &rules, terms.yes)?;
    let mut body = terms_of(terms);
    body["rules"] = rules;
    put(door, connector, (&body, held), terms, out)
}

/// Puts in force what was agreed to.
pub(super) fn put(
    door: &Door,
    connector: &str,
    (body, held): (&Value, Held),
    terms: &TermsArgs,
    out: Output,
) -> Result<(), Failure> {
    let path = ["connectors", connector, "rules", "apply"];
    let view = door
        .ask(Method::POST, &path, Some(body))
        .map_err(Failure::advised)?;
    done(door, &view, terms.wait, out)?;
    held.told(connector)
}

/// `vestibule rules rollback`
pub(super) fn rollback(
    door: &Door,
    connector: &str,
    number: i64,
    terms: &TermsArgs,
    out: Output,
) -> Result<(), Failure> {
    let former = rules_of(door, connector, Some(number))?["rules"].take();
    let held = consent(door, connector, &former, terms.yes)?;
    let number = number.to_string();
    let path = [
        "connectors",
        connector,
        "rules",
        "versions",
        &number,
        "rollback",
    ];
    let body = terms_of(terms);
    let view = door
        .ask(Method::POST, &path, Some(&body))
        .map_err(Failure::advised)?;
    done(door, &view, terms.wait, out)?;
    held.told(connector)
}

/// Tells of the rules in force, and of the job that evaluates everybody by them.
fn done(door: &Door, view: &Value, wait: bool, out: Output) -> Result<(), Failure> {
    let id = text(view, "job");
    let mut shown = view.clone();
    let job = match wait && !id.is_empty() {
        true => Some(jobs::followed(door, &id)?),
        false => None,
    };
    if let Some(job) = &job {
        shown["evaluation"] = serde_json::to_value(job).map_err(anyhow::Error::from)?;
    }
    out.show(&shown, |view| {
        let mut told = format!("Version {} of the rules is in force", view["version"]);
        told.push_str(&match &job {
            Some(_) => ".".to_owned(),
            None => {
                let due = counted_in(&view["due"], "user is", "users are");
                format!("; {due} being evaluated anew.")
            }
        });
        told.push_str(&told::warnings(&view["warnings"]));
        match &job {
            Some(job) => format!("{told}\n\n{}", jobs::shown(job)),
            None if id.is_empty() => told,
            None => format!("{told}\n  vestibule job show {id} --wait"),
        }
    })?;
    job.map_or(Ok(()), |job| jobs::outcome(&job))
}

pub(super) fn terms_of(terms: &TermsArgs) -> Value {
    json!({"comment": terms.comment, "anyway": terms.anyway})
}
