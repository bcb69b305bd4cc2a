//! The ways by which administrators are told, and what can be no way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check_call_url;

/// People who get the mail of one channel.
pub const RECIPIENTS_MAX: usize = 50;
/// Minutes between two messages of a channel, if nothing else is said.
pub const EVERY_MINUTES_DEFAULT: u32 = 15;
/// The most that can be said: a week.
const EVERY_MINUTES_MAX: u32 = 7 * 24 * 60;
/// Characters of an address, a name or a host.
const TEXT_CHARS_MAX: usize = 500;

/// How a channel tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By mail. The secret is the password, if there is a user name.
    Mail(MailSettings),
    /// By a POST that is signed as Standard Webhooks say. The secret is the key of the signature.
    Webhook(WebhookSettings),
    /// By the incoming webhook of a chat. The secret is its URL.
    Chat(ChatSettings),
}

impl Way {
    /// The word for it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Way::Mail(_) => "mail",
            Way::Webhook(_) => "webhook",
            Way::Chat(_) => "chat",
        }
    }

    /// Where its secret goes: that of one place is not given to another.
    pub fn place(&self) -> String {
        match self {
            Way::Mail(mail) => format!(
                "mail {} {} {} {}",
                mail.host,
                mail.port(),
                mail.security.as_str(),
                mail.username
            ),
            Way::Webhook(webhook) => format!("webhook {}", webhook.url),
            Way::Chat(_) => "chat".to_owned(),
        }
    }
}

/// A mail server, and who writes to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// The mail server.
    pub host: String,
    /// Its port; 587 with `starttls`, 465 with `tls`, 25 with `none` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: MailSecurity,
    /// Who signs in there; nobody does if it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The address that the mail comes from, such as `vestibule@example.com`.
    pub from: String,
    /// The addresses that it goes to.
    pub to: Vec<String>,
}

impl MailSettings {
    /// The port, as it is set or as is usual.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            MailSecurity::Starttls => 587,
            MailSecurity::Tls => 465,
            MailSecurity::None => 25,
        })
    }
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// It begins in the clear and is encrypted before anything is said; a server that cannot do so gets no mail.
    #[default]
    Starttls,
    /// It is encrypted from the beginning.
    Tls,
    /// It is not: for a relay on the same machine or network, without a user name.
    None,
}

impl MailSecurity {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            MailSecurity::Starttls => "starttls",
            MailSecurity::Tls => "tls",
            MailSecurity::None => "none",
        }
    }
}

/// An endpoint that takes signed messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where to send, `https://HOST/PATH`.
    pub url: String,
}

/// A chat that takes messages at a URL of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChatSettings {
    /// What it understands.
    pub format: ChatFormat,
}

/// What the incoming webhook of a chat understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatFormat {
    /// `{"text": ...}`: Slack, Mattermost, Rocket.Chat, Google Chat.
    #[default]
    Text,
    /// An Adaptive Card, which Teams shows.
    Teams,
}

impl ChatFormat {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ChatFormat::Text => "text",
            ChatFormat::Teams => "teams",
        }
    }
}

/// What is wrong with the minutes between two messages, if anything.
pub fn check_every(minutes: u32) -> Result<(), String> {
    match minutes {
        1..=EVERY_MINUTES_MAX => Ok(()),
        _ => Err(format!("has to be 1 to {EVERY_MINUTES_MAX} minutes")),
    }
}

/// What is wrong with a way, if anything: the member, and what to do.
pub fn check_way(way: &Way) -> Result<(), (&'static str, String)> {
    match way {
        Way::Mail(mail) => check_mail(mail),
        Way::Webhook(webhook) => check_call_url(&webhook.url).map_err(|why| ("url", why)),
        Way::Chat(_) => Ok(()),
    }
}

fn check_mail(mail: &MailSettings) -> Result<(), (&'static str, String)> {
    let wrong = |member, why: &str| Err((member, why.to_owned()));
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:_".contains(c);
    if mail.host.is_empty() || mail.host.len() > 253 || !mail.host.chars().all(is_host) {
        return wrong(
            "host",
            "is no name of a mail server, such as smtp.example.com",
        );
    }
    if mail.port == Some(0) {
        return wrong("port", "has to be 1 to 65535");
    }
    let is_long = |text: &str| text.chars().count() > TEXT_CHARS_MAX;
    if is_long(&mail.username) || mail.username.chars().any(char::is_control) {
        return wrong("username", "is too long, or has control characters");
    }
    if mail.security == MailSecurity::None && !mail.username.is_empty() {
        return wrong(
            "security",
            "without encryption no password is sent: choose 'starttls' or 'tls', or leave the user name out",
        );
    }
    if !is_address(&mail.from) {
        return wrong("from", "is no mail address, such as vestibule@example.com");
    }
    if mail.to.is_empty() || mail.to.len() > RECIPIENTS_MAX {
        return Err((
            "to",
            format!("has to be 1 to {RECIPIENTS_MAX} mail addresses"),
        ));
    }
    match mail.to.iter().find(|to| !is_address(to)) {
        Some(wrong) => Err(("to", format!("'{wrong}' is no mail address"))),
        None => Ok(()),
    }
}

/// Whether a text has the form of a mail address that can be written to.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>(),;:\"\\[]".contains(c);
    !local.is_empty()
        && !domain.is_empty()
        && text.chars().count() <= 254
        && local.chars().all(|c| is_plain(c) && c != '@')
        && domain.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> MailSettings {
        MailSettings {
            host: "smtp.example.com".into(),
            username: "vestibule".into(),
            from: "vestibule@example.com".into(),
            to: vec!["ops@example.com".into()],
            ..MailSettings::default()
        }
    }

    #[test]
    fn the_usual_port_follows_from_the_protection() {
        let port = |security, port| {
            MailSettings {
                security,
                port,
                ..mail()
            }
            .port()
        };
        assert_eq!(port(MailSecurity::Starttls, None), 587);
        assert_eq!(port(MailSecurity::Tls, None), 465);
        assert_eq!(port(MailSecurity::None, None), 25);
        assert_eq!(port(MailSecurity::Tls, Some(2525)), 2525);
    }

    #[test]
    fn what_can_be_no_way_is_refused_with_its_member() {
        let refused = |change: fn(&mut MailSettings)| {
            let mut mail = mail();
            change(&mut mail);
            check_way(&Way::Mail(mail)).err().map(|(member, _)| member)
        };
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|mail| mail.to.push("b.c+d@x.example".into())), None);
        assert_eq!(
            refused(|mail| mail.host = "smtp example".into()),
            Some("host")
        );
        assert_eq!(refused(|mail| mail.host.clear()), Some("host"));
        assert_eq!(refused(|mail| mail.port = Some(0)), Some("port"));
        assert_eq!(
            refused(|mail| mail.username = "a\nb".into()),
            Some("username")
        );
        assert_eq!(
            refused(|mail| mail.security = MailSecurity::None),
            Some("security")
        );
        assert_eq!(refused(|mail| mail.from = "vestibule".into()), Some("from"));
        assert_eq!(
            refused(|mail| mail.from = "a b@example.com".into()),
            Some("from")
        );
        assert_eq!(
            refused(|mail| mail.from = "a@b\r\nBcc: c@d".into()),
            Some("from")
        );
        assert_eq!(refused(|mail| mail.to.clear()), Some("to"));
        assert_eq!(
            refused(|mail| mail.to = vec!["a@b".into(); RECIPIENTS_MAX]),
            None
        );
        assert_eq!(
            refused(|mail| mail.to = vec!["a@b".into(); RECIPIENTS_MAX + 1]),
            Some("to")
        );
        assert_eq!(refused(|mail| mail.to.push("a@b, c@d".into())), Some("to"));
        for url in ["", "ftp://a", "https://u:p@a/", "https://a/ b"] {
            let way = Way::Webhook(WebhookSettings { url: url.into() });
            assert!(check_way(&way).is_err(), "{url}");
        }
        assert!(check_call_url("https://hooks.example.com/x?y=z").is_ok());
        assert!(check_every(1).is_ok() && check_every(EVERY_MINUTES_MAX).is_ok());
        assert!(check_every(0).is_err() && check_every(EVERY_MINUTES_MAX + 1).is_err());
    }
}
