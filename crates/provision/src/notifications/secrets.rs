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
pub(super) struct Kept {
    /// The secret, sealed.
    pub(super) sealed: Option<String>,
    /// A key that was made here, to be shown once.
    pub(super) made: Option<Secret>,
}

fn owner(id: &str, way: &Way) -> String {
    format!("{id} {}", way.place())
}

/// Seals what was given for a channel, or makes what it needs. Without a word what is there stays, if it would go to the
/// same place.
pub(super) fn keep(
    key: &SecretKey,
    id: &str,
    way: &Way,
    given: Option<&str>,
    before: Option<&Channel>,
) -> Result<Kept, ProvisionError> {
    let seal = |text: &str| key.seal(PURPOSE, &owner(id, way), text.as_bytes());
    let wrong = |why: &str| Err(ProvisionError::invalid("secret", why));
    let stays = before
        .filter(|before| before.draft.way.place() == way.place())
        .and_then(|before| before.sealed.clone());
    let (given, stays) = match given {
        None => (None, stays),
        Some("") => (None, None),
        Some(given) => (Some(given), None),
    };
    let sealed = match (way, given) {
        (_, None) if stays.is_some() => stays,
        (Way::Mail(mail), None) if mail.username.is_empty() => None,
        (Way::Mail(_), None) => return wrong("is missing: the password of the user name"),
        (Way::Mail(mail), Some(_)) if mail.username.is_empty() => {
            return wrong("is a password, and there is no user name");
        }
        (Way::Mail(_), Some(password)) => {
            let is_sendable = !password.chars().any(char::is_control)
                && password.chars().count() <= PASSWORD_CHARS_MAX;
            if !is_sendable {
                return wrong("is too long for a password, or has control characters");
            }
            Some(seal(password)?)
        }
        (Way::Webhook(_), None) => {
            let made = make()?;
            return Ok(Kept {
                sealed: Some(seal(made.reveal())?),
                made: Some(made),
            });
        }
        (Way::Webhook(_), Some(signing)) => {
            if signing_key(signing).is_none() {
                return wrong(
                    "is no key of signatures; write whsec_ and 24 to 64 bytes in Base64, or leave it out and one is made",
                );
            }
            Some(seal(signing)?)
        }
        (Way::Chat(_), None) => return wrong("is missing: the URL that the chat gave you"),
        (Way::Chat(_), Some(url)) => {
            check_call_url(url).map_err(|why| ProvisionError::invalid("secret", why))?;
            Some(seal(url)?)
        }
    };
    Ok(Kept { sealed, made: None })
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
    pub(super) fn channel_secret(
        &self,
        channel: &Channel,
    ) -> Result<Option<String>, ProvisionError> {
        let Some(sealed) = &channel.sealed else {
            return Ok(None);
        };
        let owner = owner(&channel.id, &channel.draft.way);
        let opened = self.key()?.open(PURPOSE, &owner, sealed)?;
        Ok(Some(String::from_utf8_lossy(&opened).into_owned()))
    }
}
