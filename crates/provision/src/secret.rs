//! Secrets that are shown once: tokens and application passwords.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::ProvisionError;

/// A secret on its way to the person who asked for it. It has no `Debug`, `Display` or
/// serialization that tells it; [`Secret::reveal`] is the only way to the text.
#[derive(Clone)]
pub struct Secret(String);

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters that carry 256 random bits in base 62.
const BODY_LENGTH: usize = 43;
const CHECK_LENGTH: usize = 6;

/// Prefix of a token for a SCIM endpoint.
pub(crate) const SCIM_PREFIX: &str = "vst_scim_";
/// Prefix of a token for the admin API.
pub(crate) const API_PREFIX: &str = "vst_api_";
/// Prefix of a secret of a client.
pub(crate) const CLIENT_PREFIX: &str = "vst_client_";
/// Prefix of an access token that a client was given for its secret.
pub(crate) const ACCESS_PREFIX: &str = "vst_access_";
/// Prefix of a generated application password.
pub(crate) const APPLICATION_PREFIX: &str = "vst_app_";
/// Prefix of an invitation of an administrator.
pub(crate) const INVITATION_PREFIX: &str = "vst_invite_";
/// Prefix of a link to the set-up of a connector.
pub(crate) const SETUP_PREFIX: &str = "vst_setup_";
/// Prefix of a session of the console.
pub(crate) const SESSION_PREFIX: &str = "vst_session_";

impl Secret {
    /// A new secret: prefix, 256 random bits, and six characters by which a mistyped or a leaked
    /// one is recognised.
    pub(crate) fn generate(prefix: &str) -> Result<Self, ProvisionError> {
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random).map_err(|error| {
            ProvisionError::invalid("random numbers", format!("the system gives none: {error}"))
        })?;
        let body = format!("{prefix}{}", base62(&random, BODY_LENGTH));
        let check = check(&body);
        Ok(Self(body + &check))
    }

    /// A secret in the form that others give it.
    pub(crate) fn of(text: String) -> Self {
        Self(text)
    }

    /// The text, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}

/// Whether a text can be one of our tokens: length, prefix and check characters are right.
/// Everything else is refused without asking the database.
pub(crate) fn is_well_formed(text: &str, prefix: &str) -> bool {
    if !text.is_ascii() || text.len() != prefix.len() + BODY_LENGTH + CHECK_LENGTH {
        return false;
    }
    let (body, written) = text.split_at(text.len() - CHECK_LENGTH);
    body.starts_with(prefix) && check(body) == written
}

fn check(body: &str) -> String {
    base62(&Sha256::digest(body.as_bytes())[..8], CHECK_LENGTH)
}

/// The number that the bytes are, in base 62, cut or filled to a length.
pub(crate) fn base62(bytes: &[u8], length: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::with_capacity(length);
    for _ in 0..length {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = remainder * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        digits.push(char::from(ALPHABET[remainder as usize]));
    }
    digits.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_distinct_and_recognised() {
        let one = Secret::generate(SCIM_PREFIX).unwrap();
        let two = Secret::generate(SCIM_PREFIX).unwrap();
        assert_ne!(one.reveal(), two.reveal());
        assert!(is_well_formed(one.reveal(), SCIM_PREFIX));
        assert!(!is_well_formed(one.reveal(), API_PREFIX));
        let mistyped = one.reveal().replace(&one.reveal()[12..13], "é");
        assert!(!is_well_formed(&mistyped, SCIM_PREFIX));
        let mut swapped = one.reveal().to_owned();
        let last = swapped.pop().unwrap();
        swapped.push(if last == 'a' { 'b' } else { 'a' });
        assert!(!is_well_formed(&swapped, SCIM_PREFIX));
        assert_eq!(format!("{one:?}"), "Secret");
    }
}
