//! Secrets sealed with a passphrase, so that a configuration can be taken to another server with them (US-45).
//!
//! A sealed text is `v1$PARAMETERS$SALT$BODY`. Parameters and salt say how argon2id makes a key of the passphrase; the body is
//! nonce, ciphertext and tag of AES-256-GCM, bound to the place of the secret.

use std::collections::BTreeMap;
use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use directory::configuration::KeptSecret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::passwords::HashError;
use crate::{Passwords, ProvisionError};

const VERSION: &str = "v1";
/// Memory that making a key takes, in KiB.
const MEMORY_KIB: u32 = 64 * 1_024;
/// How often it goes over that.
const PASSES: u32 = 3;
/// The most of both that a text may ask for: it comes from outside.
const MEMORY_KIB_MAX: u32 = 256 * 1_024;
const PASSES_MAX: u32 = 10;
const SALT_LEN: usize = 16;
/// Shortest passphrase that is sealed with, in characters: whoever has the file can guess at leisure.
const CHARS_MIN: usize = 15;
/// Longest passphrase, in characters.
const CHARS_MAX: usize = 1_000;
/// How many exports the texts of one file may come from: each takes a key.
pub(super) const KEYS_MAX: usize = 4;

/// What secrets of a configuration are sealed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

impl Passphrase {
    /// One to open with.
    pub fn to_open(text: String) -> Self {
        Self(text)
    }

    /// One to seal with, which has to be hard to guess.
    pub fn to_seal(text: String) -> Result<Self, ProvisionError> {
        match (CHARS_MIN..=CHARS_MAX).contains(&text.chars().count()) {
            true => Ok(Self(text)),
            false => Err(ProvisionError::invalid(
                "passphrase",
                format!(
                    "has to be {CHARS_MIN} to {CHARS_MAX} characters: whoever gets hold of the file can try as many as they like"
                ),
            )),
        }
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Passphrase")
    }
}

/// How a key is made of a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Recipe {
    memory_kib: u32,
    passes: u32,
    salt: Vec<u8>,
}

impl Recipe {
    fn new() -> Result<Self, ProvisionError> {
        Ok(Self {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: random(SALT_LEN)?,
        })
    }

    /// The recipe of a sealed text; none if it is none that this program would follow.
    pub(super) fn of(sealed: &str) -> Option<Self> {
        let (parameters, salt, _) = parts(sealed)?;
        let (memory, passes) = parameters.strip_prefix("m=")?.split_once(",t=")?;
        let recipe = Self {
            memory_kib: memory.parse().ok()?,
            passes: passes.parse().ok()?,
            salt: URL_SAFE_NO_PAD.decode(salt).ok()?,
        };
        let is_bounded = recipe.memory_kib <= MEMORY_KIB_MAX
            && (1..=PASSES_MAX).contains(&recipe.passes)
            && recipe.salt.len() == SALT_LEN;
        is_bounded.then_some(recipe)
    }

    fn head(&self) -> String {
        let Self {
            memory_kib,
            passes,
            salt,
        } = self;
        let salt = URL_SAFE_NO_PAD.encode(salt);
        format!("{VERSION}$m={memory_kib},t={passes}${salt}")
    }
}

/// Parameters, salt and body of a sealed text.
fn parts(sealed: &str) -> Option<(&str, &str, &str)> {
    let mut parts = sealed.trim().split('$');
    let (version, parameters, salt, body) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_ours = version == VERSION && parts.next().is_none();
    is_ours.then_some((parameters, salt, body))
}

/// A key that was made of a passphrase.
#[derive(Clone)]
pub(super) struct SealKey {
    head: String,
    key: LessSafeKey,
}

impl SealKey {
    /// A key for a new file.
    pub(super) async fn new(
        passphrase: &Passphrase,
        passwords: &Passwords,
    ) -> Result<Self, ProvisionError> {
        Self::by(&Recipe::new()?, passphrase, passwords).await
    }

    /// The key that a recipe makes of a passphrase.
    pub(super) async fn by(
        recipe: &Recipe,
        passphrase: &Passphrase,
        passwords: &Passwords,
    ) -> Result<Self, ProvisionError> {
        let (recipe, text) = (recipe.clone(), passphrase.0.clone());
        let head = recipe.head();
        let bytes = passwords.run(move || {
            let failed = |error: argon2::Error| HashError::Failed(error.to_string());
            let length = Some(AES_256_GCM.key_len());
            let parameters =
                Params::new(recipe.memory_kib, recipe.passes, 1, length).map_err(failed)?;
            let mut key = [0; 32];
            Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
                .hash_password_into(text.as_bytes(), &recipe.salt, &mut key)
                .map_err(failed)?;
            Ok(key)
        });
        let bytes = bytes
            .await
            .map_err(|error| ProvisionError::invalid("passphrase", error.to_string()))?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes)
            .map_err(|_length| ProvisionError::invalid("passphrase", "makes no key"))?;
        Ok(Self {
            head,
            key: LessSafeKey::new(key),
        })
    }

    /// Seals a secret for a place.
    pub(super) fn seal(&self, place: &str, secret: &KeptSecret) -> Result<String, ProvisionError> {
        let failed = || ProvisionError::invalid("secret", "cannot be sealed");
        let mut bytes = serde_json::to_vec(secret).map_err(|_unwritable| failed())?;
        let nonce = random(NONCE_LEN)?;
        let unique = Nonce::try_assume_unique_for_key(&nonce).map_err(|_length| failed())?;
        self.key
            .seal_in_place_append_tag(unique, Aad::from(place.as_bytes()), &mut bytes)
            .map_err(|_unspecified| failed())?;
        let body = [nonce, bytes].concat();
        Ok(format!("{}${}", self.head, URL_SAFE_NO_PAD.encode(body)))
    }

    /// Opens what was sealed for a place.
    pub(super) fn open(&self, place: &str, sealed: &str) -> Option<KeptSecret> {
        let (_, _, body) = parts(sealed)?;
        let mut bytes = URL_SAFE_NO_PAD.decode(body).ok()?;
        if bytes.len() < NONCE_LEN {
            return None;
        }
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
        let aad = Aad::from(place.as_bytes());
        let opened = self.key.open_in_place(nonce, aad, &mut sealed).ok()?;
        serde_json::from_slice(opened).ok()
    }
}

/// The keys for the sealed texts of one file.
pub(super) type SealKeys = BTreeMap<Recipe, SealKey>;

fn random(length: usize) -> Result<Vec<u8>, ProvisionError> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|error| {
        ProvisionError::invalid("random numbers", format!("the system gives none: {error}"))
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn key(text: &str, recipe: &Recipe) -> SealKey {
        let passphrase = Passphrase::to_open(text.to_owned());
        let made = SealKey::by(recipe, &passphrase, &Passwords::default()).await;
        made.ok().unwrap()
    }

    #[tokio::test]
    async fn what_is_sealed_opens_with_its_passphrase_at_its_place_alone() {
        let mut recipe = Recipe::new().unwrap();
        (recipe.memory_kib, recipe.passes) = (64, 1);
        let (ours, other) = (key("ours", &recipe).await, key("other", &recipe).await);
        let secret = KeptSecret::Text("hidden".to_owned());
        let sealed = ours.seal("here", &secret).unwrap();
        assert_ne!(sealed, ours.seal("here", &secret).unwrap());
        assert!(Recipe::of(&sealed) == Some(recipe) && !sealed.contains("hidden"));
        assert!(ours.open("here", &sealed) == Some(secret));
        assert!(ours.open("there", &sealed).is_none());
        assert!(other.open("here", &sealed).is_none());
        let body = sealed.rfind('$').unwrap() + 1;
        for place in body..sealed.len() {
            let mut damaged = sealed.clone().into_bytes();
            damaged[place] = if damaged[place] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert!(ours.open("here", &damaged).is_none(), "{damaged}");
            assert!(ours.open("here", &sealed[..place]).is_none());
        }
    }

    #[test]
    fn a_text_cannot_ask_for_more_than_is_usual() {
        let salt = URL_SAFE_NO_PAD.encode([7; SALT_LEN]);
        let known = |text: &str| Recipe::of(text).is_some();
        assert!(known(&format!("v1$m=65536,t=3${salt}$AAAA")));
        assert!(known(&format!(
            "v1$m={MEMORY_KIB_MAX},t={PASSES_MAX}${salt}$"
        )));
        for wrong in [
            format!("v1$m={},t=3${salt}$AAAA", MEMORY_KIB_MAX + 1),
            format!("v1$m=65536,t={}${salt}$AAAA", PASSES_MAX + 1),
            format!("v1$m=65536,t=0${salt}$AAAA"),
            format!("v2$m=65536,t=3${salt}$AAAA"),
            format!("v1$m=65536,t=3${salt}$AAAA$"),
            "v1$m=65536,t=3$AAAA$AAAA".to_owned(),
            "v1$m=65536$$".to_owned(),
            "vst_scim_x".to_owned(),
            String::new(),
        ] {
            assert!(!known(&wrong), "{wrong}");
        }
    }

    #[test]
    fn a_passphrase_to_seal_with_is_long() {
        let seals = |count: usize| Passphrase::to_seal("é".repeat(count)).is_ok();
        assert!(seals(CHARS_MIN) && seals(CHARS_MAX));
        assert!(!seals(CHARS_MIN - 1) && !seals(CHARS_MAX + 1));
        let shown = format!("{:?}", Passphrase::to_open("secret".to_owned()));
        assert_eq!(shown, "Passphrase");
    }
}
