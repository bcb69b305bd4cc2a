//! Cursors (RFC 9865): a position in a list, sealed. Nothing is kept on the server, so a cursor holds on
//! every node and after a restart; the seal binds it to one connector, one endpoint, one filter and one sort.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use provision::ProvisionError;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use scim::limits::CURSOR_SECONDS;
use scim::{ScimError, SortKey, catalogue};
use serde::{Deserialize, Serialize};
use store::{Listed, Position, ReadTx};

/// A cursor opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The page lies next to it.
    pub(super) position: Position,
    /// Before it, not after it.
    pub(super) backwards: bool,
}

/// What is inside a cursor, in this order.
#[derive(Serialize, Deserialize)]
struct Content(i64, bool, char, i64, SortKey);

/// Makes cursors of one query, and opens them.
pub(super) struct Seal {
    key: LessSafeKey,
    query: Vec<u8>,
    now: Timestamp,
}

impl Seal {
    /// The seal for what one query of one connector asks.
    pub(super) fn new(tx: &ReadTx<'_>, query: &str) -> Result<Seal, ProvisionError> {
        let secret = tx.cursor_key()?;
        Seal::with(&secret, query, tx.now()).ok_or_else(|| {
            ProvisionError::from(
                catalogue::INTERNAL_ERROR.error("Cursors cannot be made at the moment."),
            )
        })
    }

    fn with(secret: &str, query: &str, now: Timestamp) -> Option<Seal> {
        let key = digest(&SHA256, secret.as_bytes());
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_ref()).ok()?;
        Some(Seal {
            key: LessSafeKey::new(key),
            query: query.as_bytes().to_vec(),
            now,
        })
    }

    /// A text of letters, digits, hyphens and underscores. `once` must never come twice.
    pub(super) fn close(&self, cursor: &Cursor, once: [u8; 16]) -> Option<String> {
        let Cursor {
            position,
            backwards,
        } = cursor;
        let listed = match position.listed {
            Listed::Users => 'u',
            Listed::Groups => 'g',
        };
        let (issued, key) = (self.now.as_second(), position.key.clone());
        let content = Content(issued, *backwards, listed, position.pk, key);
        let mut text = serde_json::to_vec(&content).ok()?;
        let nonce: [u8; NONCE_LEN] = once.last_chunk().copied()?;
        let sealed_as = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(sealed_as, Aad::from(&self.query), &mut text)
            .ok()?;
        let mut whole = nonce.to_vec();
        whole.append(&mut text);
        Some(URL_SAFE_NO_PAD.encode(whole))
    }

    /// Opens a cursor of the same query.
    pub(super) fn open(&self, text: &str) -> Result<Cursor, ScimError> {
        let content = self.content(text).ok_or_else(|| {
            catalogue::CURSOR_WRONG.error(
                "The cursor is not one of this query. Filter and sort must be the same on all pages; begin again with an empty cursor.",
            )
        })?;
        let Content(issued, backwards, listed, pk, key) = content;
        if self.now.as_second().saturating_sub(issued) > CURSOR_SECONDS {
            return Err(catalogue::CURSOR_EXPIRED.error(format!(
                "The cursor is older than {} hours. Begin again with an empty cursor.",
                CURSOR_SECONDS / 3_600
            )));
        }
        let listed = match listed {
            'g' => Listed::Groups,
            _ => Listed::Users,
        };
        Ok(Cursor {
            position: Position { key, listed, pk },
            backwards,
        })
    }

    fn content(&self, text: &str) -> Option<Content> {
        let whole = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = whole.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(&self.query), &mut sealed)
            .ok()?;
        serde_json::from_slice(opened).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test ends where its preparation fails"
    )]

    use scim::SortValue;

    use super::*;

    fn seal(query: &str, now: i64) -> Seal {
        Seal::with("secret", query, Timestamp::from_second(now).unwrap()).unwrap()
    }

    fn cursor() -> Cursor {
        Cursor {
            position: Position {
                key: SortKey::of(SortValue::Text("Ä b".into())),
                listed: Listed::Groups,
                pk: 7,
            },
            backwards: true,
        }
    }

    #[test]
    fn a_cursor_is_of_one_query_and_of_unreserved_characters() {
        let text = seal("1 users", 0).close(&cursor(), [7; 16]).unwrap();
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(text.bytes().all(unreserved), "{text}");
        assert_eq!(seal("1 users", 9).open(&text).unwrap(), cursor());
        let refused = |seal: &Seal, text: &str| seal.open(text).unwrap_err().scim_type.unwrap();
        for other in ["2 users", "1 groups", ""] {
            assert_eq!(refused(&seal(other, 0), &text).as_str(), "invalidCursor");
        }
        let other_secret = Seal::with("other", "1 users", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(refused(&other_secret, &text).as_str(), "invalidCursor");
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character has bits that mean nothing.
            if let Ok(opened) = seal("1 users", 0).open(&changed) {
                assert_eq!((at, opened), (text.len() - 1, cursor()));
            }
        }
        for nonsense in ["", "x", "AAAA", "%", "ä"] {
            assert_eq!(
                refused(&seal("1 users", 0), nonsense).as_str(),
                "invalidCursor"
            );
        }
    }

    #[test]
    fn a_cursor_has_a_lifetime() {
        let text = seal("q", 1_000).close(&cursor(), [1; 16]).unwrap();
        assert!(seal("q", 1_000 + CURSOR_SECONDS).open(&text).is_ok());
        let error = seal("q", 1_001 + CURSOR_SECONDS).open(&text).unwrap_err();
        assert_eq!(error.scim_type.unwrap().as_str(), "expiredCursor");
    }
}
