//! The public keys of issuers, kept so that tokens can be checked without asking for each, and for a
//! while also when the issuer cannot be asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use directory::JwtAlgorithm;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use provision::{IssuerKeys, KeysPlace};
use serde_json::Value;

/// Keys are asked for anew after this time, so that a key that was taken back stops working.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// Keys are used for so long while the issuer cannot be asked.
const USABLE: SignedDuration = SignedDuration::from_hours(24);
/// The issuer is asked this often at most, whatever keys are named in tokens.
const ASKED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// An issuer of which no key is known is asked this often, so that a mistake is soon mended.
const FIRST_ASKED_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// Issuers that are remembered.
const ISSUERS_MAX: usize = 1_000;
/// Keys of one issuer.
const KEYS_MAX: usize = 100;

/// A key that can check signatures.
pub(super) struct Key {
    kid: Option<String>,
    algorithms: Vec<JwtAlgorithm>,
    pub(super) decoding: DecodingKey,
}

/// Why there is no key.
pub(super) enum NoKey {
    /// The issuer does not publish it.
    Unknown,
    /// The issuer cannot be asked; the text says why.
    Unavailable(String),
}

#[derive(Default)]
struct State {
    keys: Vec<Arc<Key>>,
    fetched: Option<Timestamp>,
    tried: Option<Timestamp>,
    trouble: String,
}

#[derive(Default)]
struct Issuer {
    state: Mutex<State>,
    /// One asks, the others wait for what it hears.
    asking: tokio::sync::Mutex<()>,
}

/// The keys of all issuers.
pub(super) struct Keys {
    source: Option<Arc<dyn IssuerKeys>>,
    issuers: Mutex<HashMap<KeysPlace, Arc<Issuer>>>,
}

impl Keys {
    pub(super) fn new(source: Option<Arc<dyn IssuerKeys>>) -> Self {
        Self {
            source,
            issuers: Mutex::default(),
        }
    }

    /// The key that a token names, or the only one that it can mean.
    pub(super) async fn key(
        &self,
        place: &KeysPlace,
        kid: Option<&str>,
        algorithm: JwtAlgorithm,
        now: Timestamp,
    ) -> Result<Arc<Key>, NoKey> {
        let issuer = self.issuer(place);
        let (known, is_fresh, may_ask) = issuer.with(|state| {
            let usable = state.is_younger(state.fetched, USABLE, now);
            let known = usable.then(|| state.find(kid, algorithm)).flatten();
            let is_fresh = state.is_younger(state.fetched, FRESH, now);
            (known, is_fresh, state.may_ask(now))
        });
        match known {
            Some(key) => {
                // Nobody waits for an issuer whose keys are at hand.
                if !is_fresh && may_ask {
                    let (source, place) = (self.source.clone(), place.clone());
                    tokio::spawn(async move { ask(source, &place, &issuer, now).await });
                }
                return Ok(key);
            }
            None if may_ask => ask(self.source.clone(), place, &issuer, now).await,
            None => {}
        }
        issuer.with(|state| {
            if !state.is_younger(state.fetched, USABLE, now) {
                return Err(NoKey::Unavailable(state.trouble.clone()));
            }
            state.find(kid, algorithm).ok_or(NoKey::Unknown)
        })
    }

    fn issuer(&self, place: &KeysPlace) -> Arc<Issuer> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issuers.get(place) {
            return Arc::clone(known);
        }
        // Only settings of connectors name issuers; more than this many were changed often.
        if issuers.len() >= ISSUERS_MAX {
            issuers.clear();
        }
        Arc::clone(issuers.entry(place.clone()).or_default())
    }
}

/// Asks an issuer, unless somebody did so while this waited for its turn.
async fn ask(
    source: Option<Arc<dyn IssuerKeys>>,
    place: &KeysPlace,
    issuer: &Issuer,
    now: Timestamp,
) {
    let _turn = issuer.asking.lock().await;
    if !issuer.with(|state| state.may_ask(now)) {
        return;
    }
    let fetched = match &source {
        Some(source) => source.fetch(place).await,
        None => Err("this server was started without a client to fetch keys with".to_owned()),
    };
    let read = fetched.and_then(|text| read(&text));
    issuer.with(|state| {
        state.tried = Some(now);
        match read {
            Ok(keys) => {
                (state.keys, state.fetched) = (keys, Some(now));
                state.trouble.clear();
            }
            Err(why) => {
                let issuer = &place.issuer;
                tracing::warn!(issuer, why, "the keys of an issuer could not be fetched");
                state.trouble = why;
            }
        }
    });
}

impl Issuer {
    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// A clock that was set back makes nothing younger.
    fn is_younger(&self, time: Option<Timestamp>, age: SignedDuration, now: Timestamp) -> bool {
        time.is_some_and(|time| now.duration_since(time).abs() < age)
    }

    fn may_ask(&self, now: Timestamp) -> bool {
        let every = match self.fetched {
            Some(_) => ASKED_EVERY,
            None => FIRST_ASKED_EVERY,
        };
        !self.is_younger(self.tried, every, now)
    }

    fn find(&self, kid: Option<&str>, algorithm: JwtAlgorithm) -> Option<Arc<Key>> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithms.contains(&algorithm));
        let found = match kid {
            Some(_) => fitting.find(|key| key.kid.as_deref() == kid),
            None => {
                let first = fitting.next();
                first.filter(|_| fitting.next().is_none())
            }
        };
        found.map(Arc::clone)
    }
}

/// The keys of a set that can check signatures; others are passed over (RFC 7517 section 5).
fn read(text: &str) -> Result<Vec<Arc<Key>>, String> {
    let set: Value =
        serde_json::from_str(text).map_err(|error| format!("the key set is not JSON: {error}"))?;
    let all = set
        .get("keys")
        .and_then(Value::as_array)
        .ok_or("the key set has no member 'keys'")?;
    let usable: Vec<Arc<Key>> = all
        .iter()
        .take(KEYS_MAX)
        .filter_map(|one| usable(one).map(Arc::new))
        .collect();
    match usable.is_empty() {
        true => Err("the key set has no key that can check a signature".to_owned()),
        false => Ok(usable),
    }
}

fn usable(value: &Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let is_for_signatures = matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    );
    let mut algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => vec![
            JwtAlgorithm::RS256,
            JwtAlgorithm::RS384,
            JwtAlgorithm::RS512,
            JwtAlgorithm::PS256,
            JwtAlgorithm::PS384,
            JwtAlgorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            vec![JwtAlgorithm::ES256]
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => {
            vec![JwtAlgorithm::ES384]
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            vec![JwtAlgorithm::EdDSA]
        }
        // A shared secret in a public place is none.
        _ => return None,
    };
    // A key that says what it is for is for nothing else.
    if let Some(named) = value.get("alg").and_then(Value::as_str) {
        algorithms.retain(|algorithm| algorithm.as_str() == named);
    }
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    (is_for_signatures && !algorithms.is_empty()).then_some(Key {
        kid: jwk.common.key_id,
        algorithms,
        decoding,
    })
}
