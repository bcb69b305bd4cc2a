//! Secrets of channels: which are needed, and how they are kept.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use directory::check_call_url;
use directory::notification::Way;
use store::Channel;

use crate::secret::Secret;
use crate::{Provision, ProvisionError, SecretKey};

/// What the secret of a channel is sealed for.
const PURPOSE: &str = "notification channel";
/// What a key of signatures begins with (Standard Webhooks).
const SIGNING_PREFIX: &str = "whsec_";
/// Bytes of such a key.
const SIGNING_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of one that is made here.
const SIGNING_BYTES_MADE: usize = 32;
/// Characters of a password.
const PASSWORD_CHARS_MAX: usize = 1_000;

/// What becomes of the secret of a channel.
pub(crate) struct Kept {
    /// The secret, sealed.
    pub(crate) sealed: Option<String>,
    /// A key that was made here, to be shown once.
    pub(crate) made: Option<Secret>,
}

fn owner(id: &str, way: &Way) -> String {
    format!("{id} {}", way.place())
}

/// Whether a channel has to have the secret without which it can tell nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It has to.
    Now,
    /// It is given one later.
    Later,
}

/// What a way lacks without a secret; nothing if it needs none, or one is made for it.
pub(crate) fn lacking(way: &Way) -> Option<&'static str> {
    match way {
        Way::Mail(mail) if mail.username.is_empty() => None,
        Way::Mail(_) => Some("the password of the user name"),
        Way::Webhook(_) => None,
        Way::Chat(_) => Some("the URL that the chat gave you"),
    }
}

/// Refuses a secret that the way cannot have.
pub(crate) fn check_secret(way: &Way, given: &str) -> Result<(), ProvisionError> {
    let wrong = |why: &str| Err(ProvisionError::invalid("secret", why));
    match way {
        Way::Mail(mail) if mail.username.is_empty() => {
            wrong("is a password, and there is no user name")
        }
        Way::Mail(_) => {
            let is_sendable =
                !given.chars().any(char::is_control) && given.chars().count() <= PASSWORD_CHARS_MAX;
            match is_sendable {
                true => Ok(()),
                false => wrong("is too long for a password, or has control characters"),
            }
        }
        Way::Webhook(_) if signing_key(given).is_none() => wrong(
            "is no key of signatures; write whsec_ and 24 to 64 bytes in Base64, or leave it out and one is made",
        ),
        Way::Webhook(_) => Ok(()),
        Way::Chat(_) => check_call_url(given).map_err(|why| ProvisionError::invalid("secret", why)),
    }
}

/// Seals what was given for a channel, or makes what it needs. Without a word what is there stays, if it would go to the
/// same place; `before` is the way that was, with its secret.
pub(crate) fn keep(
    key: &SecretKey,
    id: &str,
    way: &Way,
    (given, need): (Option<&str>, Need),
    before: Option<(Way, Option<String>)>,
) -> Result<Kept, ProvisionError> {
    let seal = |text: &str| key.seal(PURPOSE, &owner(id, way), text.as_bytes());
    let kept = |sealed| Ok(Kept { sealed, made: None });
    let stays = before
        .filter(|(was, _)| given.is_none() && was.place() == way.place())
        .and_then(|(_, sealed)| sealed);
    if stays.is_some() {
        return kept(stays);
    }
    if let Some(given) = given.filter(|given| !given.is_empty()) {
        check_secret(way, given)?;
        return kept(Some(seal(given)?));
    }
    match (lacking(way), way) {
        (Some(what), _) if need == Need::Now => Err(ProvisionError::invalid(
            "secret",
            format!("is missing: {what}"),
        )),
        (None, Way::Webhook(_)) => {
            let made = make()?;
            Ok(Kept {
                sealed: Some(seal(made.reveal())?),
                made: Some(made),
            })
        }
        _ => kept(None),
    }
}

fn make() -> Result<Secret, ProvisionError> {
    let mut bytes = [0; SIGNING_BYTES_MADE];
    getrandom::fill(&mut bytes).map_err(|error| {
        ProvisionError::invalid("random numbers", format!("the system gives none: {error}"))
    })?;
    Ok(Secret::of(format!(
        "{SIGNING_PREFIX}{}",
        STANDARD.encode(bytes)
    )))
}

/// The bytes of a key of signatures (Standard Webhooks); none if the text is none.
pub fn signing_key(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text.strip_prefix(SIGNING_PREFIX)?).ok()?;
    SIGNING_BYTES.contains(&bytes.len()).then_some(bytes)
}

impl Provision {
    /// The secret of a channel, opened.
    pub(crate) fn channel_secret(
        &self,
        channel: &Channel,
    ) -> Result<Option<String>, ProvisionError> {
        let Some(sealed) = &channel.sealed else {
            return Ok(None);
        };
        self.open_secret(&channel.id, &channel.draft.way, sealed)
            .map(Some)
    }

    /// What was sealed for a way of this id, opened.
    pub(crate) fn open_secret(
        &self,
        id: &str,
        way: &Way,
        sealed: &str,
    ) -> Result<String, ProvisionError> {
        let opened = self.key()?.open(PURPOSE, &owner(id, way), sealed)?;
        Ok(String::from_utf8_lossy(&opened).into_owned())
    }
}
