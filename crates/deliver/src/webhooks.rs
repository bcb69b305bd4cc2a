//! Webhooks: telling applications that there is something new, as a Crowd server does: a POST without a body,
//! with the application's own token in `Authorization: Basic`. What is new they ask for themselves.
//!
//! A webhook is behind when the journals of its directories have grown since it was last told. However much
//! happened, it is told once; it is never called twice at a time, by whichever node.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use provision::{ClaimedWebhook, Provision, ProvisionError};

use crate::{Client, Request, rounds};

/// How often is looked for webhooks that are behind; what happens meanwhile is told in one call.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Webhooks called at once.
const AT_ONCE_MAX: usize = 8;
/// The whole exchange ends by then; well before the claim does.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls webhooks for ever.
pub async fn call_webhooks(provision: Provision, client: Client) {
    let failed = "webhooks could not be looked at";
    let round = || call_webhooks_once(&provision, &client);
    rounds::for_ever(LOOK_EVERY, AT_ONCE_MAX, failed, round).await;
}

/// Calls the webhooks that are behind, a bounded number. Returns how many were called.
pub async fn call_webhooks_once(
    provision: &Provision,
    client: &Client,
) -> Result<usize, ProvisionError> {
    let claimed = provision.claim_webhooks(AT_ONCE_MAX).await?.into_iter();
    let calls = claimed.map(|claimed| call(provision.clone(), client.clone(), claimed));
    Ok(rounds::side_by_side(calls).await)
}

/// Calls one webhook and notes what came of it.
async fn call(provision: Provision, client: Client, claimed: ClaimedWebhook) {
    let id = claimed.webhook.id;
    let outcome = ping(&client, &claimed).await;
    if let Err(why) = &outcome {
        tracing::info!(webhook = id, %why, "a webhook could not be told");
    }
    match provision.report_webhook(claimed, outcome).await {
        Ok(after) if after.disabled.is_some() => {
            tracing::warn!(
                webhook = id,
                why = after.last_error,
                "a webhook is given up; enable it when its endpoint answers again"
            );
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(webhook = id, %error, "the call of a webhook could not be noted")
        }
    }
}

/// Sends the call; an error is a sentence for the administrator.
async fn ping(client: &Client, claimed: &ClaimedWebhook) -> Result<(), String> {
    let mut request = Request::new(Method::POST, &claimed.webhook.url).within(TIMEOUT);
    if let Some(token) = &claimed.webhook.token {
        let mut value = HeaderValue::from_str(&format!("Basic {token}"))
            .map_err(|error| format!("the token cannot be sent: {error}"))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let answer = client
        .send(request)
        .await
        .map_err(|error| error.to_string())?;
    match answer.is_success() {
        true => Ok(()),
        false => Err(format!(
            "the endpoint answered with status {}",
            answer.status
        )),
    }
}

#[cfg(test)]
mod tests {
    use emulate::databases::TestDatabase;
    use provision::{AddressRange, ApplicationDraft, Guard, Passwords, Reach};
    use store::{Access, Database, Environment, Store, Webhook};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn client(allowed: &[&str]) -> Client {
        let allowed = allowed
            .iter()
            .map(|text| AddressRange::parse(text).unwrap());
        Client::new(Guard::new(Reach::Public, allowed.collect()))
    }

    /// An endpoint that answers each call with the next of these statuses, and gives the calls back.
    async fn endpoint(statuses: &'static [u16]) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let calls = tokio::spawn(async move {
            let mut calls = Vec::new();
            for status in statuses {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = vec![0; 4096];
                let read = stream.read(&mut asked).await.unwrap();
                calls.push(String::from_utf8(asked[..read].to_vec()).unwrap());
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            calls
        });
        (url, calls)
    }

    /// Use cases on a new store with one application, and a way to make news for it.
    async fn prepared(database: &TestDatabase) -> (Provision, directory::ApplicationId) {
        let store = Store::open(
            &Database::parse(&database.url).unwrap(),
            Environment::system(),
        );
        let provision = Provision::new(store.unwrap());
        provision.prepare().await.unwrap();
        let draft = ApplicationDraft {
            name: "jira".into(),
            access: Access::ReadWrite,
            addresses: Vec::new(),
            directories: Vec::new(),
            aggregate_memberships: false,
            only_with_access: false,
            only_groups_with_access: false,
        };
        let passwords = Passwords::default();
        let made = provision.create_application(draft, &passwords).await;
        (provision, made.unwrap().0.id)
    }

    async fn make_news(provision: &Provision, name: &str) {
        let application = provision.store().read(|tx| tx.application("jira")).await;
        let writer = provision::Writer {
            directory: application.unwrap().unwrap().mapping.directories[0].directory,
            application: "jira".into(),
            request: String::new(),
        };
        let made = provision.create_local_group(&writer, name.into(), String::new());
        made.await.unwrap();
    }

    async fn only(provision: &Provision, application: directory::ApplicationId) -> Webhook {
        let found = provision
            .store()
            .read(move |tx| tx.webhooks_of(application))
            .await;
        found.unwrap().remove(0)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_endpoint_is_told_as_crowd_tells_it() {
        let database = TestDatabase::sqlite().unwrap();
        let (provision, jira) = prepared(&database).await;
        let (url, calls) = endpoint(&[204, 204]).await;
        let made = provision.register_webhook(jira, url, Some("abc".into()));
        made.await.unwrap();
        let client = client(&["127.0.0.0/8"]);
        let once = || call_webhooks_once(&provision, &client);
        assert_eq!(once().await.unwrap(), 0);
        make_news(&provision, "one").await;
        make_news(&provision, "two").await;
        assert_eq!(once().await.unwrap(), 1, "however much happened");
        assert_eq!(once().await.unwrap(), 0);
        make_news(&provision, "three").await;
        assert_eq!(once().await.unwrap(), 1);
        let calls = calls.await.unwrap();
        let call = calls[0].to_ascii_lowercase();
        assert!(call.starts_with("post /hook http/1.1\r\n"), "{call}");
        assert!(call.contains("authorization: basic abc\r\n"), "{call}");
        assert!(call.ends_with("\r\n\r\n"), "no body: {call}");
        assert!(only(&provision, jira).await.last_success.is_some());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_goes_wrong_is_noted_for_the_administrator() {
        let database = TestDatabase::sqlite().unwrap();
        let (provision, jira) = prepared(&database).await;
        let (url, _calls) = endpoint(&[500]).await;
        let made = provision.register_webhook(jira, url, None).await.unwrap();
        make_news(&provision, "one").await;
        let to_itself = client(&["127.0.0.0/8"]);
        assert_eq!(call_webhooks_once(&provision, &to_itself).await.unwrap(), 1);
        let why = only(&provision, jira).await.last_error.unwrap();
        assert_eq!(why, "the endpoint answered with status 500");
        // Not at once again; and not to this machine without leave.
        assert_eq!(call_webhooks_once(&provision, &to_itself).await.unwrap(), 0);
        provision.enable_webhook(made.id).await.unwrap();
        let guarded = client(&[]);
        assert_eq!(call_webhooks_once(&provision, &guarded).await.unwrap(), 1);
        let why = only(&provision, jira).await.last_error.unwrap();
        assert!(why.contains("outbound_allow"), "{why}");
    }
}
