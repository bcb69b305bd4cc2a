//! `vestibule sign-in` and `vestibule webhook`: what applications do besides reading.

use serde_json::json;
use store::SignInSettings;

use crate::cli::{SignInArgs, SignInCommand, WebhookArgs, WebhookCommand};
use crate::config::Settings;
use crate::door::{self, WebhookView};
use crate::exit::Failure;
use crate::output::{Output, fields, moment, quoted, table};

/// `vestibule sign-in`
pub fn sign_in(args: &SignInArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        SignInCommand::Show { application } => out.show(&door.sign_in(application)?, told),
        SignInCommand::Set { application, edit } => {
            out.show(&door.change_sign_in(application, edit)?, told)
        }
        SignInCommand::LocalUsers { directory, allowed } => {
            door.allow_local_users(directory, *allowed)?;
            let done = json!({ "directory": directory, "local_users": allowed });
            out.show(&done, |_done| match allowed {
                true => "Applications with read-write access may make users in it.".to_owned(),
                false => "Nobody makes users in it any more; those who are there stay.".to_owned(),
            })
        }
    }
}

/// `vestibule webhook`
pub fn webhook(args: &WebhookArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        WebhookCommand::List { application } => {
            out.show(&door.webhooks(application)?, |all| list(all))
        }
        WebhookCommand::Create {
            application,
            url,
            secret,
        } => {
            let made = door.create_webhook(application, url, secret.as_deref())?;
            out.show(&made, |one| {
                let told = format!(
                    "Webhook {} is registered: {} is told of news from now on.",
                    one.id, one.url
                );
                format!(
                    "{told}\n  vestibule webhook list {} shows how that goes",
                    quoted(application)
                )
            })
        }
        WebhookCommand::Enable { application, id } => {
            let enabled = door.enable_webhook(application, *id)?;
            out.show(&enabled, |one| format!("{} is told again.", one.url))
        }
        WebhookCommand::Delete { application, id } => {
            door.delete_webhook(application, *id)?;
            out.show(&json!({ "deleted": id }), |_deleted| {
                "The webhook is deleted.".to_owned()
            })
        }
    }
}

fn told(settings: &SignInSettings) -> String {
    let domain = match settings.cookie_domain.as_str() {
        "" => "the product's own",
        domain => domain,
    };
    let secure = match settings.cookie_secure {
        Some(true) => "yes",
        Some(false) => "no",
        None => "if this server is reached over TLS",
    };
    fields(&[
        ("cookie", settings.cookie_name.as_str()),
        ("domain", domain),
        ("over TLS only", secure),
        (
            "minutes without use",
            &settings.session_idle_minutes.to_string(),
        ),
        ("minutes in all", &settings.session_life_minutes.to_string()),
    ])
}

fn list(all: &[WebhookView]) -> String {
    if all.is_empty() {
        return "The application has registered no webhook.".to_owned();
    }
    let rows = all.iter().map(|one| {
        let state = match (&one.disabled, one.failures) {
            (Some(since), _) => format!("given up {}", moment(*since)),
            (None, 0) => "fine".to_owned(),
            (None, failures) => format!("failed {failures} times"),
        };
        let told = one.last_success.map_or_else(|| "never".to_owned(), moment);
        let error = one.last_error.clone().unwrap_or_default();
        [one.id.to_string(), one.url.clone(), state, told, error]
    });
    table(["id", "url", "state", "last told", "last error"], rows)
}
