//! Sealed secrets of a file: opened where they stand, and told of where they cannot be.

use directory::RuleError;
use directory::configuration::{KeptSecret, Merged, Said, SecretSource, member};

use super::kept::place;
use super::seal::{KEYS_MAX, Passphrase, Recipe, SealKey, SealKeys};
use crate::{Passwords, ProvisionError};

const ANOTHER: &str = "take it from the export once more, or write {env: NAME} or {file: PATH}";

/// Why a sealed text stays closed.
enum Closed {
    /// It is none, as far as this program knows.
    Unknown,
    NoPassphrase,
    /// Its file comes from too many exports.
    OneTooMany,
    /// The key does not fit.
    Shut,
}

/// The keys for what is sealed in a configuration. Without a passphrase there are none.
pub(super) async fn keys_for(
    wanted: &Said,
    passphrase: Option<&Passphrase>,
    passwords: &Passwords,
) -> Result<SealKeys, ProvisionError> {
    let mut keys = SealKeys::new();
    let Some(passphrase) = passphrase else {
        return Ok(keys);
    };
    for object in &wanted.objects {
        let Some(SecretSource::Sealed(text)) = &object.secret else {
            continue;
        };
        let recipe = Recipe::of(text).filter(|recipe| !keys.contains_key(recipe));
        if let Some(recipe) = recipe.filter(|_| keys.len() < KEYS_MAX) {
            let key = SealKey::by(&recipe, passphrase, passwords).await?;
            keys.insert(recipe, key);
        }
    }
    Ok(keys)
}

/// Opens what is sealed, and tells of what cannot be.
pub(super) fn open_all(
    merged: &mut [Merged],
    keys: &SealKeys,
    passphrase: Option<&Passphrase>,
) -> Vec<RuleError> {
    let (mut closed, mut any_opened) = (Vec::new(), false);
    for one in merged {
        let Some(SecretSource::Sealed(text)) = &one.secret else {
            continue;
        };
        let opened = opened(one, text, keys, passphrase);
        any_opened |= opened.is_ok();
        one.secret = match opened {
            Ok(KeptSecret::Text(text)) => Some(SecretSource::Value(text)),
            Ok(other) => Some(SecretSource::Kept(other)),
            Err(why) => {
                let name = one.name.kind.secret().unwrap_or_default();
                closed.push((member(&one.path, name), why));
                None
            }
        };
    }
    let told = closed.into_iter();
    told.map(|(path, why)| why.told(path, any_opened)).collect()
}

fn opened(
    one: &Merged,
    text: &str,
    keys: &SealKeys,
    passphrase: Option<&Passphrase>,
) -> Result<KeptSecret, Closed> {
    let recipe = Recipe::of(text).ok_or(Closed::Unknown)?;
    passphrase.ok_or(Closed::NoPassphrase)?;
    let key = keys.get(&recipe).ok_or(Closed::OneTooMany)?;
    let place = place(&one.name, &one.after);
    key.open(&place, text).ok_or(Closed::Shut)
}

impl Closed {
    /// It in words. Where the passphrase opened others it is no mistake.
    fn told(self, path: String, any_opened: bool) -> RuleError {
        match self {
            Closed::Unknown => RuleError::new(
                path,
                "is no sealed text that this program can open: it is damaged, or of a later version",
                ANOTHER,
            ),
            Closed::NoPassphrase => RuleError::new(
                path,
                "is sealed, and no passphrase was given",
                "give the one that it was sealed with",
            ),
            Closed::OneTooMany => RuleError::new(
                path,
                format!("is of one export too many: one file has texts of {KEYS_MAX} at most"),
                "seal everything by one export",
            ),
            Closed::Shut if any_opened => RuleError::new(
                path,
                "cannot be opened: the text was changed, or sealed for another place or with another passphrase",
                ANOTHER,
            ),
            Closed::Shut => RuleError::new(
                path,
                "cannot be opened: the passphrase is not the one that it was sealed with, or the text was changed",
                "give the passphrase that `vestibule export --seal` was given",
            ),
        }
    }
}
