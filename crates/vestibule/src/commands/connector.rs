//! `vestibule connector`: the endpoints that identity providers write to.

use directory::{ConnectorState, PatchReply};
use jiff::SignedDuration;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::{ConnectorArgs, ConnectorCommand};
use crate::config::Settings;
use crate::door::{
    self, ConnectorDetail, ConnectorView, FlaggedUserView, NameConflictView, NewConnector,
    PendingMemberView, RotatedToken, SuppressedUserView,
};
use crate::exit::Failure;
use crate::output::{Output, counted, fields, moment, quoted, table};

use super::token::tokens;
use super::{credentials, dialect, pilot, release, rules, setup};

/// Does what was asked.
pub fn run(args: &ConnectorArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    if matches!(args.command, ConnectorCommand::Presets) {
        return out.show(&dialect::catalogue(), dialect::Catalogue::told);
    }
    let door = door::open(&args.door, settings)?;
    match &args.command {
        ConnectorCommand::Create { name, preset, directory } => {
            out.show(&door.create_connector(name, *preset, directory.as_deref())?, created)
        }
        // Answered above, without data.
        ConnectorCommand::Presets => Ok(()),
        ConnectorCommand::Departures { connector, on, off, reset } => {
            dialect::run(&door, connector, &dialect::changes(on, off, reset), out)
        }
        ConnectorCommand::List => out.show(&door.connectors()?, |all| list(all)),
        ConnectorCommand::Checklist { connector, application } => {
            setup::checklist(&door, connector, application.as_deref(), out)
        }
        ConnectorCommand::SetupLink { connector, list: true, .. } => {
            setup::links(&door, connector, out)
        }
        ConnectorCommand::SetupLink { connector, revoke: Some(id), .. } => {
            setup::revoke_link(&door, connector, id, out)
        }
        ConnectorCommand::SetupLink { connector, days, .. } => {
            setup::link(&door, connector, *days, out)
        }
        ConnectorCommand::Preset { connector, preset } => {
            let change = json!({ "preset": preset.as_str() });
            let path = ["connectors", connector.as_str()];
            let one: ConnectorDetail = door.ask(Method::PATCH, &path, Some(&change))?;
            out.show(&one, |one| format!("{} is for {} now.", one.connector.name, preset.name()))
        }
        ConnectorCommand::Show { connector } => {
            let mut one = door.connector(connector)?;
            one.warnings = door.rule_warnings(connector)?;
            out.show(&one, detail)
        }
        ConnectorCommand::Credentials(args) => credentials::run(args, &door, out),
        ConnectorCommand::Settings { connector, accept_passwords, patch_reply } => {
            let mut change = json!({});
            if let Some(accept) = accept_passwords {
                change["accept_passwords"] = json!(accept);
            }
            if let Some(reply) = patch_reply {
                change["patch_reply"] = json!(reply);
            }
            let path = ["connectors", connector.as_str()];
            let one: ConnectorDetail = match change == json!({}) {
                true => door.get(&path)?,
                false => door.ask(Method::PATCH, &path, Some(&json!({ "settings": change })))?,
            };
            out.show(&one.settings, |settings| {
                fields(&[
                    ("pushed passwords", if settings.accept_passwords { "kept" } else { "dropped" }),
                    ("answer to a PATCH", patch_answer(settings.patch_reply)),
                ])
            })
        }
        ConnectorCommand::RotateToken { connector, overlap } => {
            let overlap = SignedDuration::from_mins(i64::from(*overlap));
            out.show(&door.rotate_token(connector, overlap)?, rotated)
        }
        ConnectorCommand::Rules { connector, file: None, .. } => {
            out.json(&door.connector(connector)?.rules)
        }
        ConnectorCommand::Rules { connector, file: Some(path), terms } => {
            let wanted = rules::rules_in(path, connector)?;
            rules::written(&door, connector, wanted, terms, out)
        }
        ConnectorCommand::Schedule { connector, cron, time_zone } => {
            let path = ["connectors", connector.as_str()];
            let one: ConnectorDetail = match cron {
                None => door.get(&path)?,
                Some(cron) => {
                    let time_zone = time_zone.as_deref().unwrap_or("UTC");
                    let schedule = json!({"cron": cron, "time_zone": time_zone});
                    let change = json!({"settings": {"schedule": schedule}});
                    door.ask(Method::PATCH, &path, Some(&change))?
                }
            };
            out.show(&one, scheduled)
        }
        ConnectorCommand::Delete { connector, accounts, yes, wait } => {
            release::delete_connector(&door, connector, *accounts, (*yes, *wait), out)
        }
        ConnectorCommand::Move { connector, directory, accounts, yes, wait } => {
            let place = (directory.as_str(), *accounts);
            release::move_connector(&door, connector, place, (*yes, *wait), out)
        }
        ConnectorCommand::Transfer(args) => release::transfer(&door, args, out),
        ConnectorCommand::Waiting { connector } => {
            let waiting = Waiting {
                pending_members: door.pending_members(connector)?,
                name_conflicts: door.name_conflicts(connector)?,
                value_errors: door.value_errors(connector)?,
                suppressed: door.suppressed(connector)?,
            };
            out.show(&waiting, Waiting::told)
        }
        ConnectorCommand::RecordReads { connector, hours } => {
            let path = ["connectors", connector, "recording"];
            let until: Value = door.ask(Method::PUT, &path, Some(&json!({ "hours": hours })))?;
            out.show(&until, |until| match until["reads_recorded_until"].as_str() {
                Some(until) => format!("Reads of {connector} are recorded until {until}: vestibule requests tail --connector {connector}"),
                None => format!("Reads of {connector} are not recorded any more"),
            })
        }
        ConnectorCommand::Pause { connector } => {
            out.show(&door.set_state(connector, ConnectorState::Paused)?, |one| {
                format!(
                    "{} is paused: writes are kept, and have no effect until\n  vestibule connector resume {}",
                    one.connector.name,
                    quoted(&one.connector.name)
                )
            })
        }
        ConnectorCommand::Disable { connector } => {
            out.show(&door.set_state(connector, ConnectorState::Disabled)?, |one| {
                format!(
                    "{} is disabled: the identity provider gets 403 until\n  vestibule connector resume {}",
                    one.connector.name,
                    quoted(&one.connector.name)
                )
            })
        }
        ConnectorCommand::Rename { connector, name } => {
            out.show(&door.rename_connector(connector, name)?, |one| {
                format!("The connector is now called {}", one.connector.name)
            })
        }
        ConnectorCommand::Resume { connector } => {
            out.show(&door.set_state(connector, ConnectorState::Active)?, |one| {
                let name = &one.connector.name;
                match one.due {
                    0 => format!("{name} is active; nobody has to be evaluated."),
                    due => format!(
                        "{name} is active; {} being evaluated: vestibule connector show {} tells how many are left (due)",
                        counted(due, "user is", "users are"),
                        quoted(name)
                    ),
                }
            })
        }
    }
}

fn patch_answer(reply: PatchReply) -> &'static str {
    match reply {
        PatchReply::Auto => "as the preset's client expects",
        PatchReply::Always200 => "always 200 with the resource",
        PatchReply::Always204 => "always 204",
    }
}

/// What waits for somebody.
#[derive(Serialize)]
struct Waiting {
    pending_members: Vec<PendingMemberView>,
    name_conflicts: Vec<NameConflictView>,
    value_errors: Vec<FlaggedUserView>,
    suppressed: Vec<SuppressedUserView>,
}

impl Waiting {
    fn told(&self) -> String {
        let mut parts = Vec::new();
        if !self.pending_members.is_empty() {
            let members = self.pending_members.iter();
            let rows = members.map(|one| [one.value.clone(), one.group.clone()]);
            parts.push(table(["member nobody knows", "named by group"], rows));
        }
        if !self.name_conflicts.is_empty() {
            let rows = self.name_conflicts.iter().map(|one| {
                [
                    one.user_name.clone(),
                    one.wanted.clone(),
                    one.held_by(),
                    moment(one.since),
                ]
            });
            parts.push(table(["user", "taken name", "held by", "since"], rows));
        }
        if !self.value_errors.is_empty() {
            let rows = self.value_errors.iter().map(|one| {
                let errors = one.errors.iter();
                let errors = errors.map(|error| format!("{} {}", error.target, error.message));
                let errors: Vec<String> = errors.collect();
                [one.user_name.clone(), errors.join("; "), moment(one.since)]
            });
            parts.push(table(["user", "value that cannot be used", "since"], rows));
        }
        if !self.suppressed.is_empty() {
            let rows = self.suppressed.iter().map(|one| {
                let texts: Vec<&str> = one.kept_back.iter().map(|it| it.text.as_str()).collect();
                [one.user_name.clone(), texts.join("; "), moment(one.since)]
            });
            parts.push(table(["user", "kept back by a switch", "since"], rows));
        }
        if parts.is_empty() {
            parts.push(
                "Nobody is waited for, no name is taken, all values can be used, and no switch keeps anything back."
                    .to_owned(),
            );
        }
        parts.join("\n\n")
    }
}

fn created(made: &NewConnector) -> String {
    let one = &made.connector;
    let lines = fields(&[("base URL", &one.base_url), ("token", &made.token)]);
    format!(
        "Connector {} ({}). Paste these into the identity provider; the token is shown this once:\n\n{lines}",
        one.name, one.preset
    )
}

fn rotated(made: &RotatedToken) -> String {
    let lines = fields(&[("base URL", &made.base_url), ("token", &made.token)]);
    format!(
        "The new token, shown this once. The old ones work until {}:\n\n{lines}",
        moment(made.old_tokens_end)
    )
}

fn list(all: &[ConnectorView]) -> String {
    if all.is_empty() {
        return "There is no connector yet:\n  vestibule connector create --name NAME --preset PRESET".to_owned();
    }
    let rows = all.iter().map(|one| {
        [
            one.name.clone(),
            one.preset.clone(),
            one.state.clone(),
            one.users.to_string(),
            one.groups.to_string(),
            undecided(one),
            one.base_url.clone(),
        ]
    });
    table(
        [
            "name",
            "preset",
            "state",
            "users",
            "groups",
            "to decide",
            "base url",
        ],
        rows,
    )
}

/// What waits for somebody to decide, in words; nothing if nothing does.
fn undecided(one: &ConnectorView) -> String {
    let all = [
        (one.open_holds, "hold", "holds"),
        (one.open_conflicts, "conflict", "conflicts"),
        (one.waiting_groups, "group", "groups"),
        (one.value_errors, "value", "values"),
    ];
    let open = all.into_iter().filter(|(count, _, _)| *count > 0);
    let open: Vec<String> = open
        .map(|(count, one, several)| counted(count, one, several))
        .collect();
    open.join(", ")
}

fn scheduled(one: &ConnectorDetail) -> String {
    let name = &one.connector.name;
    let (Some(schedule), Some(next)) = (&one.settings.schedule, one.next_run) else {
        return format!("{name} is not reconciled by itself");
    };
    format!(
        "{name} is reconciled at {} ({}); next at {}",
        schedule.cron,
        schedule.time_zone,
        moment(next)
    )
}

/// Since when it is not active, by whom, and what waits.
fn stopped(one: &ConnectorView) -> String {
    let Some(stopped) = &one.stopped else {
        return String::new();
    };
    let since = stopped
        .since
        .map(|since| format!("since {} ", moment(since)));
    let by = stopped.by.as_ref().map(|by| format!("by {by}, "));
    format!(
        "{}{}{} to take effect",
        since.unwrap_or_default(),
        by.unwrap_or_default(),
        counted(stopped.waiting, "user waits", "users wait")
    )
}

/// For whom alone it has effect; nothing if for everybody.
fn pilot_of(one: &ConnectorDetail) -> String {
    let pilot = one.settings.pilot.as_ref();
    pilot.map_or_else(String::new, |pilot| {
        format!("has effect for {} only", pilot::in_words(pilot))
    })
}

fn detail(one: &ConnectorDetail) -> String {
    let connector = &one.connector;
    let head = fields(&[
        ("name", &connector.name),
        ("id", &connector.id),
        ("preset", &connector.preset),
        ("state", &connector.state),
        ("stopped", &stopped(connector)),
        ("base URL", &connector.base_url),
        ("directory", &connector.directory),
        ("pilot", &pilot_of(one)),
        ("users", &connector.users.to_string()),
        ("groups", &connector.groups.to_string()),
        ("due", &one.due.to_string()),
        ("open holds", &connector.open_holds.to_string()),
        ("open conflicts", &connector.open_conflicts.to_string()),
        ("waiting groups", &connector.waiting_groups.to_string()),
        ("value errors", &connector.value_errors.to_string()),
        ("kept back by switches", &connector.suppressed.to_string()),
        ("next run", &one.next_run.map(moment).unwrap_or_default()),
        ("created", &moment(one.created)),
        ("updated", &moment(one.updated)),
    ]);
    let tokens = tokens(&one.tokens);
    let mut told = format!("{head}\n\n{tokens}");
    for one in &one.warnings {
        told.push_str(&format!(
            "\n\nwarning: {}: {}; {}",
            one.path, one.message, one.remedy
        ));
    }
    told
}
