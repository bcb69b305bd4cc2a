//! The secret key of an installation: what is derived from it cannot be made from the database alone.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
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
}
