//! `vestibule subscriptions`: endpoints that are told of every change of directories.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::notifications::told_of_flags;
use crate::cli::{SubscriptionArgs, SubscriptionsArgs, SubscriptionsCommand};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::Failure;
use crate::output::{Output, moment, table};

/// Where subscriptions are.
const PLACE: &str = "subscriptions";

/// A subscription, as far as a person is told of it.
#[derive(Deserialize)]
struct Subscription {
    name: String,
    url: String,
    events: Option<Vec<String>>,
    directories: Option<Vec<String>>,
    state: String,
    last_success: Option<Timestamp>,
    last_error: Option<String>,
}

/// A message that was sent, or is to be.
#[derive(Deserialize)]
struct Delivery {
    id: String,
    directory: Option<String>,
    events: i64,
    state: String,
    created: Timestamp,
    last_try: Option<Timestamp>,
    answer: Option<String>,
}

/// An event that subscriptions are told of.
#[derive(Serialize, Deserialize)]
struct Event {
    event: String,
    called: String,
}

/// Does what was asked.
pub fn run(args: &SubscriptionsArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        SubscriptionsCommand::List => {
            let all: Vec<Value> = door.list(&[PLACE])?;
            out.show(&all, |all| list(all))
        }
        SubscriptionsCommand::Events => {
            let all: Vec<Event> = door.list(&["subscription-events"])?;
            out.show(&all, |all| {
                let rows = all
                    .iter()
                    .map(|one| [one.event.clone(), one.called.clone()]);
                table(["Event", "What it tells"], rows)
            })
        }
        SubscriptionsCommand::Create(wanted) => {
            let made: Result<Value, Failure> = door.post(&[PLACE], &wish(wanted));
            let made = made.map_err(|failure| told_of_flags(&door, failure))?;
            out.show(&made, saved)
        }
        SubscriptionsCommand::Set(wanted) => {
            let path = [PLACE, &wanted.name];
            let made: Result<Value, Failure> = door.ask(Method::PUT, &path, Some(&wish(wanted)));
            let made = made.map_err(|failure| told_of_flags(&door, failure))?;
            out.show(&made, saved)
        }
        SubscriptionsCommand::Test { subscription } => {
            sent(&door, &[PLACE, subscription, "test"], out)
        }
        SubscriptionsCommand::Send {
            subscription,
            delivery,
        } => sent(
            &door,
            &[PLACE, subscription, "deliveries", delivery, "send"],
            out,
        ),
        SubscriptionsCommand::Retry { subscription } => {
            let path = [PLACE, subscription, "retry"];
            let after: Value = door.ask(Method::POST, &path, None)?;
            out.show(&after, |_after| {
                format!("{subscription} is tried again by the running server")
            })
        }
        SubscriptionsCommand::Deliveries { subscription } => {
            let all: Vec<Value> = door.list(&[PLACE, subscription, "deliveries"])?;
            out.show(&all, |all| deliveries(all))
        }
        SubscriptionsCommand::Skip {
            subscription,
            delivery,
        } => {
            let path = [PLACE, subscription, "deliveries", delivery, "skip"];
            let skipped: Value = door.ask(Method::POST, &path, None)?;
            out.show(&skipped, |_skipped| {
                format!("{subscription} goes on without it; to send it later: vestibule subscriptions send '{subscription}' {delivery}")
            })
        }
        SubscriptionsCommand::Delete { subscription } => {
            door.send(Method::DELETE, &[PLACE, subscription], None)?;
            out.show(&json!({ "deleted": subscription }), |_deleted| {
                format!("{subscription} is deleted")
            })
        }
    }
}

fn sent(door: &Door, path: &[&str], out: Output) -> Result<(), Failure> {
    let sent: Result<Value, Failure> = door.ask(Method::POST, path, None);
    let sent = sent.map_err(|failure| told_of_flags(door, failure))?;
    out.show(&sent, |sent| {
        let answer = sent["answer"].as_str().unwrap_or_default();
        format!("The message was taken. The other end said: {answer}")
    })
}

/// The subscription as the admin API takes it.
fn wish(args: &SubscriptionArgs) -> Value {
    let mut wish = json!({ "name": args.name, "url": args.url, "enabled": !args.off });
    if !args.events.is_empty() {
        wish["events"] = json!(args.events);
    }
    if !args.directories.is_empty() {
        wish["directories"] = json!(args.directories);
    }
    if let Some(secret) = &args.secret {
        wish["secret"] = json!(secret);
    }
    wish
}

fn saved(made: &Value) -> String {
    let name = made["name"].as_str().unwrap_or_default();
    let told =
        format!("The subscription {name} is saved. Try it: vestibule subscriptions test '{name}'");
    match made["secret"].as_str() {
        None => told,
        Some(secret) => {
            format!("{told}\n\nThe key of its signatures, shown this once:\n\n{secret}")
        }
    }
}

fn list(all: &[Value]) -> String {
    let known = all
        .iter()
        .filter_map(|one| Subscription::deserialize(one).ok());
    let rows = known.map(|one| {
        let events = one.events.map(|events| events.join(", "));
        let mut what = events.unwrap_or_else(|| "everything".to_owned());
        if let Some(names) = one.directories {
            let names = match names.is_empty() {
                true => "directories that are gone".to_owned(),
                false => names.join(", "),
            };
            what = format!("{what} in {names}");
        }
        let last = match (one.last_error, one.last_success) {
            (Some(error), at) => match at {
                Some(at) => format!("{}; since then: {error}", moment(at)),
                None => format!("never: {error}"),
            },
            (None, Some(at)) => moment(at),
            (None, None) => String::new(),
        };
        [one.name, one.url, what, one.state, last]
    });
    table(
        ["Subscription", "Where", "What", "State", "Last told"],
        rows,
    )
}

fn deliveries(all: &[Value]) -> String {
    let known = all.iter().filter_map(|one| Delivery::deserialize(one).ok());
    let rows = known.map(|one| {
        [
            one.id,
            moment(one.last_try.unwrap_or(one.created)),
            one.directory.unwrap_or_default(),
            one.events.to_string(),
            one.state,
            one.answer.unwrap_or_default(),
        ]
    });
    table(
        ["Delivery", "Sent", "Directory", "Events", "State", "Answer"],
        rows,
    )
}
