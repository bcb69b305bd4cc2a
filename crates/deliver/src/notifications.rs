//! Notifications: telling administrators of what stands, by mail, by a signed webhook, or in a chat.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use directory::notification::{Message, Way};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue};
use provision::{
    AddressRange, ClaimedNotification, Guard, Letter, NotificationSender, Provision,
    ProvisionError, Reach, Sent, signing_key,
};
use sha2::Sha256;

use crate::{Client, Request, mail, rounds};

/// How often is looked for something to tell.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Messages sent at once.
const AT_ONCE_MAX: usize = 8;
/// The whole exchange with a webhook or a chat ends by then; well before the claim does.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Characters of an answer that are told.
const TOLD_CHARS: usize = 200;

/// Sends messages to administrators.
pub struct Notifier {
    /// For mail servers, which usually are in a private network.
    near: Client,
    /// For webhooks and chats: what they answer is shown, so that they could tell of what only this server can reach.
    public: Client,
    base: Option<String>,
}

impl Notifier {
    /// One that reaches beside public addresses those that are allowed, and links to the console below this address, if
    /// it is known.
    pub fn new(allowed: &[AddressRange], base: Option<String>) -> Self {
        let client = |reach| Client::new(Guard::new(reach, allowed.to_vec()));
        Self {
            near: client(Reach::Network),
            public: client(Reach::Public),
            base,
        }
    }

    async fn deliver(
        &self,
        way: &Way,
        secret: Option<&str>,
        message: &Message,
    ) -> Result<String, String> {
        let base = self.base.as_deref();
        match way {
            Way::Mail(settings) => mail::send(&self.near, settings, secret, message, base).await,
            Way::Webhook(settings) => {
                let letter = Letter {
                    url: settings.url.clone(),
                    secret: secret.unwrap_or_default().to_owned(),
                    id: message.id.clone(),
                    at: message.at,
                    body: message.payload(base).to_string(),
                };
                self.post_letter(&letter).await
            }
            Way::Chat(settings) => {
                let url = secret.ok_or("the URL of the chat is missing; set it anew")?;
                let body = message.chat(settings.format, base).to_string();
                self.post_to(url, body, Vec::new()).await
            }
        }
    }

    async fn post_letter(&self, letter: &Letter) -> Result<String, String> {
        let headers = signed(letter)?;
        self.post_to(&letter.url, letter.body.clone(), headers)
            .await
    }

    async fn post_to(
        &self,
        url: &str,
        body: String,
        headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<String, String> {
        let mut request = Request::post(url, "application/json", body)
            .within(TIMEOUT)
            .answered_within(ANSWER_BYTES_MAX);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = self.public.send(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&answer.body);
        let text: String = text.trim().chars().take(TOLD_CHARS).collect();
        let said = match text.is_empty() {
            true => format!("status {}", answer.status),
            false => format!("status {}: {text}", answer.status),
        };
        match answer.is_success() {
            true => Ok(said),
            false => Err(format!("it answered with {said}")),
        }
    }
}

impl NotificationSender for Notifier {
    fn send<'s>(&'s self, way: &'s Way, secret: Option<&'s str>, message: &'s Message) -> Sent<'s> {
        Box::pin(self.deliver(way, secret, message))
    }

    fn post<'s>(&'s self, letter: &'s Letter) -> Sent<'s> {
        Box::pin(self.post_letter(letter))
    }
}

/// The headers by which an endpoint knows who sent a body, and when (Standard Webhooks).
fn signed(letter: &Letter) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let unusable = "the key of the signature cannot be used; set it anew";
    let key = signing_key(&letter.secret).ok_or(unusable)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_length| unusable)?;
    let (id, at, body) = (&letter.id, letter.at.as_second(), &letter.body);
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let header = |name: &'static str, text: String| {
        let value = HeaderValue::from_str(&text).map_err(|_bytes| unusable)?;
        Ok::<_, String>((HeaderName::from_static(name), value))
    };
    Ok(vec![
        header("webhook-id", id.clone())?,
        header("webhook-timestamp", at.to_string())?,
        header("webhook-signature", format!("v1,{signature}"))?,
    ])
}

/// Tells administrators for ever.
pub async fn tell_administrators(provision: Provision) {
    let failed = "it could not be looked for something to tell";
    let round = || tell_administrators_once(&provision);
    rounds::for_ever(LOOK_EVERY, AT_ONCE_MAX, failed, round).await;
}

/// Sends what channels have to tell, a bounded number. Returns how many messages that were.
pub async fn tell_administrators_once(provision: &Provision) -> Result<usize, ProvisionError> {
    let claimed = provision
        .claim_notifications(AT_ONCE_MAX)
        .await?
        .into_iter();
    let sending = claimed.map(|claimed| send(provision.clone(), claimed));
    Ok(rounds::side_by_side(sending).await)
}

async fn send(provision: Provision, claimed: ClaimedNotification) {
    let name = claimed.channel.draft.name.clone();
    match provision.send_notification(claimed).await {
        Ok(after) => {
            if let Some(why) = after.last_error {
                tracing::warn!(channel = name, why, "administrators could not be told");
            }
        }
        Err(error) => {
            tracing::warn!(channel = name, %error, "what came of a notification could not be noted")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use directory::notification::{ChatFormat, ChatSettings, Wants, WebhookSettings};
    use emulate::databases::TestDatabase;
    use jiff::{SignedDuration, Timestamp};
    use provision::ChannelWish;
    use serde_json::Value;
    use store::{ChannelDraft, Database, Environment, Store};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A request that an endpoint got: its headers and its body.
    type Got = (HashMap<String, String>, String);

    /// An endpoint that answers each request with the next of these statuses.
    async fn endpoint(statuses: &'static [u16]) -> (String, tokio::task::JoinHandle<Vec<Got>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let got = tokio::spawn(async move {
            let mut all = Vec::new();
            for status in statuses {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut text = String::new();
                let (head, body) = loop {
                    let mut piece = vec![0; 4096];
                    let read = stream.read(&mut piece).await.unwrap();
                    text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
                    let Some((head, body)) = text.split_once("\r\n\r\n") else {
                        continue;
                    };
                    let lines = head.lines().filter_map(|line| line.split_once(": "));
                    let lines =
                        lines.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
                    let head: HashMap<String, String> = lines.collect();
                    if head["content-length"] == body.len().to_string() {
                        break (head, body.to_owned());
                    }
                };
                all.push((head, body));
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            all
        });
        (url, got)
    }

    /// Whatever is allowed now, at sending: at the time of the channels everything was.
    fn prepared(database: &TestDatabase, allowed: &[&str]) -> Provision {
        let store = Store::open(
            &Database::parse(&database.url).unwrap(),
            Environment::system(),
        );
        let provision = Provision::new(store.unwrap());
        let ranges = |texts: &[&str]| -> Vec<AddressRange> {
            let ranges = texts.iter().map(|text| AddressRange::parse(text).unwrap());
            ranges.collect()
        };
        provision.allow_outbound(ranges(&["0.0.0.0/0", "::/0"]));
        let base = "https://scim.example.com".to_owned();
        let notifier = Notifier::new(&ranges(allowed), Some(base));
        provision.notify_with(Arc::new(notifier));
        provision
    }

    fn wish(name: &str, way: Way, secret: Option<String>) -> ChannelWish {
        ChannelWish {
            draft: ChannelDraft {
                name: name.to_owned(),
                way,
                wants: Wants::default(),
                every_minutes: 15,
                enabled: true,
            },
            secret,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_endpoint_can_check_who_sent_and_a_chat_reads_it() {
        let database = TestDatabase::sqlite().unwrap();
        let provision = prepared(&database, &["127.0.0.0/8"]);
        let (url, hook) = endpoint(&[500, 204]).await;
        let way = Way::Webhook(WebhookSettings { url });
        let made = provision.create_channel(wish("hook", way, None)).await;
        let (_, secret) = made.unwrap();
        let (url, chat) = endpoint(&[200]).await;
        let way = Way::Chat(ChatSettings {
            format: ChatFormat::Text,
        });
        let made = provision.create_channel(wish("chat", way, Some(url))).await;
        made.unwrap();
        let once = || tell_administrators_once(&provision);
        assert_eq!(once().await.unwrap(), 0, "nothing stands");
        let expires = Timestamp::now() + SignedDuration::from_hours(100);
        let token = provision.create_api_token("script", Some(expires));
        token.await.unwrap();
        assert_eq!(once().await.unwrap(), 2);
        assert_eq!(once().await.unwrap(), 0, "one was told, the other waits");
        let failing = provision.store().read(|tx| tx.channels()).await.unwrap();
        assert_eq!(
            failing[1].last_error.as_deref(),
            Some("it answered with status 500: ok")
        );
        let answer = provision.test_channel("hook").await.unwrap();
        assert_eq!(answer.as_deref(), Ok("status 204"));

        let signed_with = secret.unwrap();
        let key = signed_with.reveal().strip_prefix("whsec_").unwrap();
        let key = STANDARD.decode(key).unwrap();
        let hook = hook.await.unwrap();
        for (head, body) in &hook {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            let signed = format!(
                "{}.{}.{body}",
                head["webhook-id"], head["webhook-timestamp"]
            );
            mac.update(signed.as_bytes());
            let signature = STANDARD.encode(mac.finalize().into_bytes());
            assert_eq!(head["webhook-signature"], format!("v1,{signature}"));
        }
        let told: Value = serde_json::from_str(&hook[0].1).unwrap();
        assert_eq!(told["data"]["events"][0]["event"], "token.expiring");
        let link = &told["data"]["events"][0]["url"];
        assert_eq!(link, "https://scim.example.com/console/tokens");
        let test: Value = serde_json::from_str(&hook[1].1).unwrap();
        assert_eq!(test["type"], "test");
        let chat = chat.await.unwrap();
        let said: Value = serde_json::from_str(&chat[0].1).unwrap();
        let said = said["text"].as_str().unwrap();
        assert!(
            said.contains("The token script of the admin API ends on"),
            "{said}"
        );
        assert!(!chat[0].0.contains_key("webhook-signature"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_is_led_to_this_machine_and_no_url_of_a_chat_is_told() {
        let database = TestDatabase::sqlite().unwrap();
        let provision = prepared(&database, &[]);
        let way = Way::Chat(ChatSettings::default());
        let url = "http://127.0.0.1:9/T0/s3cret".to_owned();
        let made = provision.create_channel(wish("chat", way, Some(url))).await;
        made.unwrap();
        let why = provision.test_channel("chat").await.unwrap().unwrap_err();
        assert!(why.contains("outbound_allow"), "{why}");
        assert!(!why.contains("s3cret"), "{why}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn webhooks_and_chats_reach_no_private_network_unless_it_is_allowed() {
        let database = TestDatabase::sqlite().unwrap();
        let provision = prepared(&database, &[]);
        // A name is resolved, and what it leads to counts.
        for (name, url) in [
            ("private", "http://10.1.2.3:22/x"),
            ("link-local", "http://169.254.1.1/x"),
            ("metadata", "http://169.254.169.254/latest/meta-data"),
            ("written otherwise", "http://0x7f.1/x"),
            ("mapped", "http://[::ffff:192.168.0.1]/x"),
            ("by name", "http://localhost:9/x"),
        ] {
            let way = Way::Webhook(WebhookSettings { url: url.into() });
            let made = provision.create_channel(wish(name, way, None)).await;
            made.unwrap();
            let why = provision.test_channel(name).await.unwrap().unwrap_err();
            assert!(why.contains("outbound_allow"), "{name}: {why}");
        }
    }

    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        // The example of the specification's reference libraries.
        let mut letter = Letter {
            url: String::new(),
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            at: Timestamp::from_second(1_614_265_330).unwrap(),
            body: r#"{"test": 2432232314}"#.to_owned(),
        };
        let headers = signed(&letter).unwrap();
        assert_eq!(headers[0].1, "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers[1].1, "1614265330");
        assert_eq!(
            headers[2].1,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        letter.secret = "whsec_!".to_owned();
        assert!(signed(&letter).is_err());
    }
}
