//! Passwords that are known from breaches and long enough to be chosen here.
//!
//! `breached.bin` has the first six bytes of the SHA-256 of each, sorted: those of 15 characters and more among the
//! million most common ones of SecLists (10-million-password-list-top-1000000, MIT licence, Daniel Miessler), in
//! lower case.

use sha2::{Digest, Sha256};

const LIST: &[u8] = include_bytes!("breached.bin");
/// Bytes of one entry.
const ENTRY: usize = 6;

/// Whether a password is among them, however it is capitalised.
pub(crate) fn is_breached(password: &str) -> bool {
    let digest = Sha256::digest(password.to_lowercase().as_bytes());
    let wanted = &digest[..ENTRY];
    let (mut low, mut high) = (0, LIST.len() / ENTRY);
    while low < high {
        let middle = low.midpoint(high);
        let entry = &LIST[middle * ENTRY..(middle + 1) * ENTRY];
        match entry.cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_list_is_found_and_the_list_is_in_order() {
        for breached in [
            "PolniyPizdec0211",
            "hd764nw5d7e1vb1",
            "NEMVXYHEQDD5OQXYXYZI",
        ] {
            assert!(is_breached(breached), "{breached}");
        }
        assert!(!is_breached("copper river lantern mosaic"));
        let entries: Vec<&[u8]> = LIST.chunks(ENTRY).collect();
        assert_eq!(LIST.len() % ENTRY, 0);
        assert!(entries.len() > 9_000 && entries.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
