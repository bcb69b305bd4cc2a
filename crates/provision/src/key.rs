//! The secret key of an installation: what is derived from it cannot be made from the database alone.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::Sha256;

use crate::ProvisionError;

/// 256 random bits that every node of an installation shares and that are not in the database.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// A new key.
    pub fn generate() -> Result<Self, ProvisionError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            ProvisionError::invalid("random numbers", format!("the system gives none: {error}"))
        })?;
        Ok(Self(bytes))
    }

    /// Reads what [`SecretKey::reveal`] gives; space around it does not count.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The key as 64 hexadecimal digits, to be kept in a file.
    pub fn reveal(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// 256 bits that follow from the key, a purpose and a text, and tell nothing of the key.
    pub(crate) fn derive(&self, purpose: &str, text: &str) -> Result<[u8; 32], ProvisionError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .map_err(|error| ProvisionError::invalid("secret key", error.to_string()))?;
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        Ok(mac.finalize().into_bytes().into())
    }
}

/// Secrets that have to be read again, for the store: sealed for one purpose and one owner, and good for no other.
impl SecretKey {
    /// Seals a secret (AES-256-GCM, nonce first) as hexadecimal digits.
    pub(crate) fn seal(
        &self,
        purpose: &str,
        owner: &str,
        secret: &[u8],
    ) -> Result<String, ProvisionError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| {
            ProvisionError::invalid("random numbers", format!("the system gives none: {error}"))
        })?;
        let mut bytes = secret.to_vec();
        let sealed = self.sealing(purpose)?.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(owner.as_bytes()),
            &mut bytes,
        );
        sealed.map_err(|_unspecified| ProvisionError::invalid("secret", "cannot be sealed"))?;
        let all = nonce.iter().chain(&bytes);
        Ok(all.map(|byte| format!("{byte:02x}")).collect())
    }

    /// Opens what was sealed for this purpose and owner.
    pub(crate) fn open(
        &self,
        purpose: &str,
        owner: &str,
        sealed: &str,
    ) -> Result<Vec<u8>, ProvisionError> {
        let unreadable = || {
            ProvisionError::invalid(
                "secret key",
                "is not the one that this secret was sealed with; give the server its old key file back, or set the secret anew",
            )
        };
        let mut bytes = unhex(sealed).ok_or_else(unreadable)?;
        if bytes.len() < NONCE_LEN {
            return Err(unreadable());
        }
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_length| unreadable())?;
        let aad = Aad::from(owner.as_bytes());
        let opened = self
            .sealing(purpose)?
            .open_in_place(nonce, aad, &mut sealed);
        let opened = opened.map_err(|_unspecified| unreadable())?;
        Ok(opened.to_vec())
    }

    fn sealing(&self, purpose: &str) -> Result<LessSafeKey, ProvisionError> {
        let key = self.derive("seal", purpose)?;
        let key = UnboundKey::new(&AES_256_GCM, &key)
            .map_err(|_length| ProvisionError::invalid("secret key", "cannot be used"))?;
        Ok(LessSafeKey::new(key))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_tells_purposes_apart() {
        let key = SecretKey::generate().unwrap();
        let read = SecretKey::parse(&format!(" {}\n", key.reveal())).unwrap();
        let first = key.derive("one", "salt").unwrap();
        assert_eq!(first, read.derive("one", "salt").unwrap());
        assert_ne!(first, key.derive("two", "salt").unwrap());
        assert_ne!(first, key.derive("one", "salt2").unwrap());
        assert_ne!(
            first,
            SecretKey::generate()
                .unwrap()
                .derive("one", "salt")
                .unwrap()
        );
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            assert!(SecretKey::parse(text).is_none(), "{text}");
        }
        assert_eq!(format!("{key:?}"), "SecretKey");
    }

    #[test]
    fn what_is_sealed_opens_for_its_owner_and_purpose_alone() {
        let key = SecretKey::generate().unwrap();
        let sealed = key.seal("totp", "ann", b"secret").unwrap();
        assert_ne!(sealed, key.seal("totp", "ann", b"secret").unwrap());
        assert!(!sealed.contains("736563726574"));
        assert_eq!(key.open("totp", "ann", &sealed).unwrap(), b"secret");
        let other = SecretKey::generate().unwrap();
        let changed = sealed.replace(&sealed[30..32], "zz");
        for refused in [
            key.open("totp", "bob", &sealed),
            key.open("oidc", "ann", &sealed),
            other.open("totp", "ann", &sealed),
            key.open("totp", "ann", &sealed[..20]),
            key.open("totp", "ann", &changed),
            key.open("totp", "ann", ""),
        ] {
            assert!(refused.is_err());
        }
    }
}
