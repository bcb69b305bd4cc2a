//! What is sent: the same message as mail, as the body of a webhook, and for a chat.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ChatFormat, Standing};

/// Things that one message tells in full; of more it tells how many.
pub const TOLD_MAX: usize = 50;
/// Characters of an id behind its prefix.
const ID_CHARS: usize = 32;

/// Why a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Something stands that is to be told.
    News,
    /// Somebody wants to see whether it arrives.
    Test,
}

/// A message of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same whenever the same is told, so that who gets it twice can know.
    pub id: String,
    /// Why it is sent.
    pub kind: MessageKind,
    /// When it was made.
    pub at: Timestamp,
    /// What it tells.
    pub news: Vec<Standing>,
}

impl Message {
    /// A message that tells a channel what it was not told.
    pub fn of_news(channel: &str, news: Vec<Standing>, at: Timestamp) -> Self {
        let mut digest = Sha256::new();
        digest.update(channel);
        for one in &news {
            let since = one.since.as_microsecond();
            digest.update(format!(
                "\0{} {} {} {since}",
                one.key(),
                one.mark,
                one.count
            ));
        }
        Self {
            id: id(&digest.finalize()),
            kind: MessageKind::News,
            at,
            news,
        }
    }

    /// A message that tells nothing but that it arrives.
    pub fn of_test(channel: &str, at: Timestamp) -> Self {
        let seed = format!("{channel}\0test {}", at.as_microsecond());
        Self {
            id: id(&Sha256::digest(seed)),
            kind: MessageKind::Test,
            at,
            news: Vec::new(),
        }
    }

    /// What it is about, in a line.
    pub fn subject(&self) -> String {
        match (self.kind, self.news.as_slice()) {
            (MessageKind::Test, _) => "Vestibule: a test message".to_owned(),
            (MessageKind::News, [one]) => format!("Vestibule: {}", one.title),
            (MessageKind::News, many) => format!("Vestibule: {} things to look at", many.len()),
        }
    }

    /// All of it as text, with links below this address if it is known.
    pub fn text(&self, base: Option<&str>) -> String {
        if self.kind == MessageKind::Test {
            return format!(
                "This message was asked for to see whether it arrives. It does.\n{}",
                link(base, "/console/notifications")
                    .map(|link| format!("\n{link}\n"))
                    .unwrap_or_default()
            );
        }
        let mut text = String::new();
        for one in self.news.iter().take(TOLD_MAX) {
            text.push_str(&one.title);
            text.push_str(&format!("\nSince {}.", minute(one.since)));
            if !one.detail.is_empty() {
                text.push('\n');
                text.push_str(&one.detail);
            }
            if let Some(link) = link(base, &one.path) {
                text.push('\n');
                text.push_str(&link);
            }
            text.push_str("\n\n");
        }
        if self.news.len() > TOLD_MAX {
            text.push_str(&format!("And {} more.\n\n", self.news.len() - TOLD_MAX));
        }
        text.push_str("Nothing of this is told again unless there is more of it.\n");
        text
    }

    /// The body of a webhook.
    pub fn payload(&self, base: Option<&str>) -> Value {
        let events = self.news.iter().take(TOLD_MAX).map(|one| {
            json!({
                "event": one.event,
                "about": one.about,
                "connector": one.connector.as_ref().map(|(_, name)| name),
                "count": one.count,
                "since": one.since,
                "title": one.title,
                "detail": one.detail,
                "url": link(base, &one.path),
            })
        });
        json!({
            "type": match self.kind {
                MessageKind::News => "notification",
                MessageKind::Test => "test",
            },
            "timestamp": self.at,
            "data": {
                "events": events.collect::<Vec<Value>>(),
                "more": self.news.len().saturating_sub(TOLD_MAX),
            },
        })
    }

    /// What a chat is sent.
    pub fn chat(&self, format: ChatFormat, base: Option<&str>) -> Value {
        let (subject, text) = (unmarked(&self.subject()), unmarked(&self.text(base)));
        match format {
            ChatFormat::Text => json!({ "text": format!("{subject}\n\n{text}") }),
            ChatFormat::Teams => {
                let block = |text: &str, weight: &str| json!({"type": "TextBlock", "text": text, "wrap": true, "weight": weight});
                let mut body = vec![block(&subject, "Bolder")];
                let parts = text.split("\n\n").map(str::trim);
                // One line break is none in a card.
                let parts = parts.filter(|part| !part.is_empty());
                body.extend(parts.map(|part| block(&part.replace('\n', "\n\n"), "Default")));
                json!({
                    "type": "message",
                    "attachments": [{
                        "contentType": "application/vnd.microsoft.card.adaptive",
                        "contentUrl": null,
                        "content": {
                            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                            "type": "AdaptiveCard",
                            "version": "1.4",
                            "body": body,
                        },
                    }],
                })
            }
        }
    }
}

/// A text in which no chat finds a mention, or a link with other words, that somebody put into a name.
fn unmarked(text: &str) -> String {
    let text = text.replace('<', "‹").replace('>', "›");
    let mut plain = String::with_capacity(text.len());
    let mut before = ' ';
    for letter in text.replace("](", "] (").chars() {
        plain.push(letter);
        // An address has something before it, a mention has not.
        if letter == '@' && !before.is_alphanumeric() {
            plain.push('\u{200B}');
        }
        before = letter;
    }
    plain
}

fn id(digest: &[u8]) -> String {
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("msg_{}", &digits[..ID_CHARS.min(digits.len())])
}

fn link(base: Option<&str>, path: &str) -> Option<String> {
    let base = base?.trim_end_matches('/');
    Some(format!("{base}{path}"))
}

fn minute(at: Timestamp) -> String {
    format!("{} UTC", at.strftime("%Y-%m-%d %H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ConnectorId;
    use crate::notification::Event;

    fn news(count: usize) -> Vec<Standing> {
        let one = |number: usize| Standing {
            event: Event::HoldCreated,
            about: format!("c{number}"),
            connector: Some((ConnectorId(1), "okta".to_owned())),
            mark: 1,
            count: 3,
            since: Timestamp::from_second(1_700_000_000).unwrap(),
            title: "3 changes of okta wait for a decision".to_owned(),
            detail: "They are not carried out until then.".to_owned(),
            path: "/console/holds?connector=okta".to_owned(),
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn one_thing_is_the_subject_and_links_lead_to_where_one_acts() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let message = Message::of_news("ch", news(1), at);
        let subject = "Vestibule: 3 changes of okta wait for a decision";
        assert_eq!(message.subject(), subject);
        assert_eq!(
            message.text(Some("https://scim.example.com/")),
            "3 changes of okta wait for a decision\nSince 2023-11-14 22:13 UTC.\n\
             They are not carried out until then.\n\
             https://scim.example.com/console/holds?connector=okta\n\n\
             Nothing of this is told again unless there is more of it.\n"
        );
        assert!(!message.text(None).contains("http"));
        let payload = message.payload(None);
        assert_eq!(payload["type"], "notification");
        assert_eq!(payload["timestamp"], "2023-11-14T22:13:20Z");
        assert_eq!(payload["data"]["events"][0]["event"], "hold.created");
        assert_eq!(payload["data"]["events"][0]["url"], Value::Null);
        let chat = message.chat(ChatFormat::Text, None);
        assert!(chat["text"].as_str().unwrap().starts_with(subject));
        let card = &message.chat(ChatFormat::Teams, None)["attachments"][0]["content"];
        assert_eq!(card["body"][0]["text"], subject);
        assert_eq!(card["body"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn no_name_calls_everybody_in_a_chat_or_leads_elsewhere() {
        let mut told = news(1);
        told[0].title = "The token <!channel> [here](https://evil.example) @all ends".to_owned();
        told[0].detail = "Ask mira@example.test.".to_owned();
        let message = Message::of_news("ch", told, Timestamp::UNIX_EPOCH);
        for format in [ChatFormat::Text, ChatFormat::Teams] {
            let chat = message.chat(format, Some("https://scim.example.com"));
            let chat = chat.to_string();
            for live in ["<!", "](", "@all"] {
                assert!(!chat.contains(live), "{live} in {chat}");
            }
            for told in [
                "‹!channel› [here] (https://evil.example)",
                "mira@example.test",
                "https://scim.example.com/console/holds?connector=okta",
            ] {
                assert!(chat.contains(told), "{told} in {chat}");
            }
        }
        assert!(
            message.text(None).contains("<!channel>"),
            "in a mail it is nothing"
        );
    }

    #[test]
    fn many_things_are_counted() {
        let message = Message::of_news("ch", news(TOLD_MAX + 2), Timestamp::UNIX_EPOCH);
        assert_eq!(message.subject(), "Vestibule: 52 things to look at");
        assert!(message.text(None).contains("And 2 more."));
        let data = &message.payload(None)["data"];
        assert_eq!(data["events"].as_array().unwrap().len(), TOLD_MAX);
        assert_eq!(data["more"], 2);
    }

    #[test]
    fn the_same_news_have_the_same_id_whenever_they_are_told() {
        let at = Timestamp::UNIX_EPOCH;
        let id = |channel, news| Message::of_news(channel, news, at).id;
        let first = id("ch", news(2));
        assert_eq!(first.len(), "msg_".len() + ID_CHARS);
        assert_eq!(first, Message::of_news("ch", news(2), Timestamp::MAX).id);
        assert_ne!(first, id("other", news(2)));
        assert_ne!(first, id("ch", news(1)));
        let mut more = news(2);
        more[1].count = 4;
        assert_ne!(first, id("ch", more));
        let test = |at| Message::of_test("ch", at).id;
        assert_ne!(test(at), test(Timestamp::MAX));
    }
}
