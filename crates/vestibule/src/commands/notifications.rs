//! `vestibule notifications`: the channels by which administrators are told.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::{ChannelArgs, ChatArg, NotificationsArgs, NotificationsCommand, SecurityArg};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::Failure;
use crate::output::{Output, moment, quoted, table};

/// Where channels are.
const PLACE: &str = "notifications";

/// A channel, as far as a person is told of it.
#[derive(Deserialize)]
struct Channel {
    name: String,
    way: Value,
    events: Option<Vec<String>>,
    connectors: Option<Vec<String>>,
    state: String,
    last_success: Option<Timestamp>,
    last_error: Option<String>,
}

/// An event that channels tell.
#[derive(Serialize, Deserialize)]
struct Event {
    event: String,
    called: String,
}

/// Does what was asked.
pub fn run(args: &NotificationsArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        NotificationsCommand::List => {
            let all: Vec<Value> = door.list(&[PLACE])?;
            out.show(&all, |all| list(all))
        }
        NotificationsCommand::Events => {
            let all: Vec<Event> = door.list(&["notification-events"])?;
            out.show(&all, |all| {
                let rows = all
                    .iter()
                    .map(|one| [one.event.clone(), one.called.clone()]);
                table(["Event", "What it tells"], rows)
            })
        }
        NotificationsCommand::Create(channel) => {
            let made: Result<Value, Failure> = door.post(&[PLACE], &wish(channel));
            let made = made.map_err(|failure| told_of_flags(&door, failure))?;
            out.show(&made, saved)
        }
        NotificationsCommand::Set(channel) => {
            let path = [PLACE, &channel.name];
            let made: Result<Value, Failure> = door.ask(Method::PUT, &path, Some(&wish(channel)));
            let made = made.map_err(|failure| told_of_flags(&door, failure))?;
            out.show(&made, saved)
        }
        NotificationsCommand::Test { channel } => test(&door, channel, out),
        NotificationsCommand::Delete { channel } => {
            door.send(Method::DELETE, &[PLACE, channel], None)?;
            out.show(&json!({ "deleted": channel }), |_deleted| {
                format!("{channel} is deleted")
            })
        }
    }
}

/// A message that the guard over addresses refused, with what this command cannot know about that.
pub(super) fn told_of_flags(door: &Door, failure: Failure) -> Failure {
    match door.is_local() && failure.message.contains("outbound_allow") {
        true => failure.with(
            "this command goes by vestibule.toml and the environment; flags that a server was started with, such as \
             --outbound-allow, are not known here. To let the server do it, name it with --server, or use the console",
        ),
        false => failure,
    }
}

fn test(door: &Door, channel: &str, out: Output) -> Result<(), Failure> {
    let tested: Result<Value, Failure> = door.ask(Method::POST, &[PLACE, channel, "test"], None);
    let tested = tested.map_err(|failure| told_of_flags(door, failure))?;
    out.show(&tested, |tested| {
        let answer = tested["answer"].as_str().unwrap_or_default();
        format!("The test message was taken. The other end said: {answer}")
    })
}

/// The channel as the admin API takes it.
fn wish(args: &ChannelArgs) -> Value {
    let way = match (&args.mail_server, &args.webhook, args.chat) {
        (Some(host), _, _) => {
            let mut mail = json!({
                "host": host,
                "security": match args.security {
                    SecurityArg::Starttls => "starttls",
                    SecurityArg::Tls => "tls",
                    SecurityArg::None => "none",
                },
                "from": args.from,
                "to": args.to,
            });
            if let Some(port) = args.port {
                mail["port"] = json!(port);
            }
            if let Some(username) = &args.username {
                mail["username"] = json!(username);
            }
            json!({ "mail": mail })
        }
        (_, Some(url), _) => json!({ "webhook": { "url": url } }),
        (_, _, chat) => {
            let format = match chat {
                Some(ChatArg::Teams) => "teams",
                _ => "text",
            };
            json!({ "chat": { "format": format } })
        }
    };
    let mut wish = json!({
        "name": args.name,
        "enabled": !args.off,
        "way": way,
        "every_minutes": args.every_minutes,
    });
    if let Some(secret) = &args.secret {
        wish["secret"] = json!(secret);
    }
    if !args.events.is_empty() {
        wish["events"] = json!(args.events);
    }
    if !args.connectors.is_empty() {
        wish["connectors"] = json!(args.connectors);
    }
    wish
}

fn saved(made: &Value) -> String {
    let name = made["name"].as_str().unwrap_or_default();
    let told = format!(
        "The channel {name} is saved. Try it: vestibule notifications test {}",
        quoted(name)
    );
    match made["secret"].as_str() {
        None => told,
        Some(secret) => {
            format!("{told}\n\nThe key of its signatures, shown this once:\n\n{secret}")
        }
    }
}

fn list(all: &[Value]) -> String {
    let channels = all
        .iter()
        .filter_map(|one| Channel::deserialize(one).ok())
        .map(|channel| {
            let way = channel.way.as_object().and_then(|way| way.keys().next());
            let events = channel.events.map(|events| events.join(", "));
            let mut what = events.unwrap_or_else(|| "everything".to_owned());
            if let Some(names) = channel.connectors {
                what = format!("{what} of {}", names.join(", "));
            }
            let last = match (channel.last_error, channel.last_success) {
                (Some(error), _) => error,
                (None, Some(at)) => moment(at),
                (None, None) => String::new(),
            };
            [
                channel.name,
                way.cloned().unwrap_or_default(),
                what,
                channel.state,
                last,
            ]
        });
    table(
        ["Channel", "How", "What", "State", "Last message"],
        channels,
    )
}
