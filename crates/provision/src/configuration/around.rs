//! What a plan means for what is around: what an administrator has to know of a step, and what cannot go yet.

use directory::configuration::{Action, Kept, Kind, ObjectName, Plan, Said, Step};
use directory::name::same;
use directory::notification::Way;
use serde_json::{Map, Value};
use store::ReadTx;

use super::channels::way;
use crate::ProvisionError;
use crate::notifications::secrets::lacking;

/// The plan with what has to be known of it. What cannot go yet stays.
pub(super) fn with_surroundings(
    tx: &ReadTx<'_>,
    plan: Plan,
    present: &Said,
) -> Result<Plan, ProvisionError> {
    let mut steps: Vec<Step> = Vec::with_capacity(plan.steps.len());
    let mut kept = plan.kept;
    for mut step in plan.steps {
        step.notes = notes(tx, &step)?;
        let reason = match (step.action, step.object.kind) {
            (Action::Delete, Kind::Connector) => goes_first(&step.object, &steps, present),
            // Directories go last, when it is known what else does.
            (Action::Delete, Kind::Directory) => user_of(&step.object.name, &steps, present),
            _ => None,
        };
        match reason {
            Some(reason) => kept.push(Kept {
                object: step.object,
                reason,
            }),
            None => steps.push(step),
        }
    }
    Ok(Plan { steps, kept })
}

/// A connector whose removal another one of the same directory has to wait for, as a reason for that one's staying.
fn goes_first(connector: &ObjectName, steps: &[Step], present: &Said) -> Option<String> {
    let directory = |name: &ObjectName| {
        let found = present.find(name)?;
        found.body.get("directory").and_then(Value::as_str)
    };
    let here = directory(connector)?;
    let first = steps.iter().find(|step| {
        let goes = (step.action, step.object.kind) == (Action::Delete, Kind::Connector);
        goes && directory(&step.object).is_some_and(|there| same(there, here))
    })?;
    Some(format!(
        "the {} is removed from the same directory first; apply the file once more when it is gone",
        first.object
    ))
}

/// Who still uses a directory when the steps are done, as a reason for its staying.
fn user_of(directory: &str, steps: &[Step], present: &Said) -> Option<String> {
    let step_of = |name: &ObjectName| steps.iter().find(|step| step.object.is(name));
    for connector in present.all(Kind::Connector) {
        let feeds = connector.body.get("directory").and_then(Value::as_str);
        if !feeds.is_some_and(|name| same(name, directory)) {
            continue;
        }
        let goes = step_of(&connector.name).is_some_and(|step| step.action == Action::Delete);
        return Some(match goes {
            true => format!(
                "the {} feeds it until it is gone; apply the file once more then",
                connector.name
            ),
            false => format!("the {} feeds it", connector.name),
        });
    }
    let sees = |body: &Map<String, Value>| {
        let list = body.get("directories").and_then(Value::as_array);
        list.into_iter().flatten().any(|one| {
            let name = one.get("directory").and_then(Value::as_str);
            name.is_some_and(|name| same(name, directory))
        })
    };
    let viewer =
        present
            .all(Kind::Application)
            .find(|application| match step_of(&application.name) {
                Some(step) => step.action != Action::Delete && sees(&step.after),
                None => sees(&application.body),
            });
    viewer.map(|application| format!("the {} sees it", application.name))
}

fn notes(tx: &ReadTx<'_>, step: &Step) -> Result<Vec<String>, ProvisionError> {
    let generated = step.secret.is_none();
    let note = match (step.action, step.object.kind) {
        (Action::Create, Kind::Application) if generated => {
            "its password is generated and shown once".to_owned()
        }
        (Action::Create, Kind::Token) if generated => {
            "its text is generated and shown once".to_owned()
        }
        (Action::Create, Kind::Client) if generated => {
            "its id and its secret are generated and shown once".to_owned()
        }
        (Action::Change, Kind::Application | Kind::Token | Kind::Client) if !generated => {
            "the former one stops working at once".to_owned()
        }
        (Action::Create | Action::Change, Kind::Channel | Kind::Subscription) if generated => {
            match channel(step) {
                Some(note) => note,
                None => return Ok(Vec::new()),
            }
        }
        (Action::Change, Kind::Directory) if step.touches("precedence") => {
            "everybody whom its connectors know is evaluated anew, within their safety limits; `vestibule directory precedence` shows \
             what that does"
                .to_owned()
        }
        (Action::Change, Kind::Connector) if step.touches("rules") => {
            let users = users_of(tx, &step.object.name)?;
            format!(
                "everybody of it is evaluated anew ({users}), within its safety limits; a preview of its rules shows what that does"
            )
        }
        (Action::Change, Kind::Connector) if step.touches("settings.pilot") => {
            let users = users_of(tx, &step.object.name)?;
            format!("everybody of it is evaluated anew ({users}), within its safety limits")
        }
        (Action::Delete, Kind::Connector) => {
            let users = users_of(tx, &step.object.name)?;
            format!(
                "its source ({users}), its tokens and its rules go; their accounts stay in the directory, kept there by \
                 nobody else"
            )
        }
        (Action::Delete, Kind::Directory) => {
            "its local users and groups and its journal go with it".to_owned()
        }
        (Action::Delete, Kind::Application) => "the product cannot sign in any more".to_owned(),
        (Action::Delete, Kind::Channel) => "nobody is told by it any more".to_owned(),
        (Action::Delete, Kind::Subscription) => {
            "its endpoint is told nothing any more; one that is made again begins with what happens then"
                .to_owned()
        }
        (Action::Delete, Kind::Token | Kind::Client) => {
            "whoever uses it is refused from then on".to_owned()
        }
        _ => return Ok(Vec::new()),
    };
    Ok(vec![note])
}

/// What has to be known of a channel or a subscription that is given no secret.
fn channel(step: &Step) -> Option<String> {
    let moves = step
        .differences
        .iter()
        .any(|one| one.path == "url" || one.path == "way" || one.path.starts_with("way.webhook"));
    match (step.action, way(step.object.kind, &step.after)?) {
        (_, Way::Webhook(_)) if moves => {
            Some("the key of its signatures is generated and shown once".to_owned())
        }
        (Action::Create, way) => lacking(&way)
            .map(|what| format!("it tells nothing until it is given its secret: {what}")),
        _ => None,
    }
}

fn users_of(tx: &ReadTx<'_>, connector: &str) -> Result<String, ProvisionError> {
    let users = match tx.find_connector(connector)? {
        Some(stored) => tx.source_counts(stored.connector.id)?.users,
        None => 0,
    };
    Ok(match users {
        1 => "1 user".to_owned(),
        users => format!("{users} users"),
    })
}
