//! An issuer of signed tokens: it publishes its keys over real HTTP, changes them, and can be down.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde_json::{Value, json};

use crate::report::lock;

/// Why a key could not be made.
#[derive(Debug, thiserror::Error)]
#[error("a key could not be made: {0}")]
pub struct KeyError(String);

impl KeyError {
    fn from_cause(cause: impl std::fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// A key with which tokens are signed.
pub struct SigningKey {
    /// Its name.
    pub kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
    Ed(Box<Ed25519KeyPair>),
}

impl SigningKey {
    /// The one RSA key that there is: making one takes long, and this one protects nothing.
    pub fn rsa(kid: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(RSA_KEY).map_err(KeyError::from_cause)?;
        let pair = RsaKeyPair::from_pkcs8(&bytes).map_err(KeyError::from_cause)?;
        Ok(Self::with(kid, Pair::Rsa(Box::new(pair))))
    }

    /// A new key on the curve P-256.
    pub fn ec(kid: &str) -> Result<Self, KeyError> {
        let (random, way) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let bytes = EcdsaKeyPair::generate_pkcs8(way, &random).map_err(KeyError::from_cause)?;
        let pair = EcdsaKeyPair::from_pkcs8(way, bytes.as_ref(), &random);
        Ok(Self::with(
            kid,
            Pair::Ec(Box::new(pair.map_err(KeyError::from_cause)?)),
        ))
    }

    /// A new key on the curve Ed25519.
    pub fn ed(kid: &str) -> Result<Self, KeyError> {
        let bytes =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(KeyError::from_cause)?;
        let pair = Ed25519KeyPair::from_pkcs8(bytes.as_ref()).map_err(KeyError::from_cause)?;
        Ok(Self::with(kid, Pair::Ed(Box::new(pair))))
    }

    fn with(kid: &str, pair: Pair) -> Self {
        Self {
            kid: kid.to_owned(),
            pair,
        }
    }

    /// The algorithm that it signs with.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        }
    }

    /// Its public half, as it is published (RFC 7517).
    #[must_use]
    pub fn published(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match &self.pair {
            Pair::Rsa(pair) => {
                let public: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
                json!({"kty": "RSA", "n": text(&public.n), "e": text(&public.e)})
            }
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (&point[1..33], &point[33..65]);
                json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
        };
        key["kid"] = self.kid.as_str().into();
        key["use"] = "sig".into();
        key
    }

    /// A token with these claims, as an honest issuer makes it.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        let head = json!({"typ": "JWT", "alg": self.algorithm(), "kid": self.kid});
        self.token_with(&head, claims)
    }

    /// A token with this head, whatever it says; signed as this key signs.
    #[must_use]
    pub fn token_with(&self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(head), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                match pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature) {
                    Ok(()) => signature,
                    Err(_) => Vec::new(),
                }
            }
            Pair::Ec(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .unwrap_or_default(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

#[derive(Default)]
struct State {
    keys: Vec<Value>,
    is_down: bool,
    fetches: usize,
}

/// A running issuer. It ends with the process.
pub struct Issuer {
    /// What stands in `iss`.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Issuer {
    /// Starts one on a free port, without a key.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::<Mutex<State>>::default();
        let (answering, base) = (Arc::clone(&state), url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who asks and goes away is no concern of the others.
                drop(answer(stream, &base, &answering));
            }
        });
        Ok(Self { url, state })
    }

    /// Where its keys are.
    #[must_use]
    pub fn keys_url(&self) -> String {
        format!("{}/keys", self.url)
    }

    /// Publishes these keys in the place of those before.
    pub fn publish(&self, keys: &[&SigningKey]) {
        let keys = keys.iter().map(|key| key.published()).collect();
        lock(&self.state).keys = keys;
    }

    /// Stops to answer, or starts again.
    pub fn set_down(&self, is_down: bool) {
        lock(&self.state).is_down = is_down;
    }

    /// How often its keys were asked for.
    #[must_use]
    pub fn fetches(&self) -> usize {
        lock(&self.state).fetches
    }
}

fn answer(mut stream: TcpStream, base: &str, state: &Mutex<State>) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") && head.len() < 16 * 1024 {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&piece[..count]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (status, body) = {
        let mut state = lock(state);
        match path {
            "/.well-known/openid-configuration" if !state.is_down => (
                "200 OK",
                json!({"issuer": base, "jwks_uri": format!("{base}/keys")}),
            ),
            "/keys" => {
                state.fetches += 1;
                match state.is_down {
                    false => ("200 OK", json!({"keys": state.keys})),
                    true => ("503 Service Unavailable", json!({})),
                }
            }
            _ if state.is_down => ("503 Service Unavailable", json!({})),
            _ => ("404 Not Found", json!({})),
        }
    };
    let body = body.to_string();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// PKCS 8, in base64.
const RSA_KEY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDZONRh/bPQ5rFjMMubGv1ytoqlSrJy+KVmIw9sTbMsWcoFXnnw\
     e59TBwr5DuE8eDilbXextILdIKmAzynoUKpLdL7oRyiG5mQsRV4BsiSJc0/FwTauwNmLLQ421dpxsACeLQaI0M6qkbJ0saicCIJ6\
     O31guUqZkBncEYi4mm/y9+fPoxz98pJXEmk/SjIy6SdxePvkk0rNMJfmz7BLugljuuRTKbO9y44+fSQlOejUUcuWw1c2OinNucqI\
     Bu08BC1dVR0tejT4YcUYbhKiAewtuXrop0UA8hrTSLfpD28RC976Lvx9unHQGauUB8Jxxjl0IS9J468J83wLkUm59yInAgMBAAEC\
     ggEAA5BeZJO167TYhDj+84d9ifBuQluPYycS/wwTnxL7bnnQldTH4VGccTezLcvP0E54Dt2XSznscakVdDO5C2jOg6fmaC1cxzsE\
     nUl7Z5b6R9G1s5NI2vzaSQd4qK0R2oUkSU4pvPyfdaVEPes7siakjfxBz7ExF9k9aLW+kRvFyUET0ShCFq6e2ry6Duy28eaC0iU5\
     2il5aYZX8/a2zS7fMVJ+uRFrfuuXDCS9+be4sEEuJlSbsyiqz+YFKNe6Q3zCD+bZIiJkRCTbZy5KJN1p67Bok4cWbmasBwTbGkHY\
     sQBQlCAgWvi2kXItFjg9pmk7I+wKZZgAaVF7q9vKUvUAQQKBgQD13xjccF/RyLcZhaqG9Nbr3pGtSYu75Xl03t3VNSxyjxlinRWn\
     Ap37tVrMOvZpCCL/BAS4feePmkr8yjpW1U8d06IPxJIwueggtyVhtKWXz5bCzKbVlNbALXsDxA32lLG8HkqlzJQHSfKgoh7LStRy\
     eX52Sceu4FIOIKkkadTIcwKBgQDiK5oOlC0xUCG8RIhVKD6JymjcDHJI/RPUvlVMOmDhoV4gpHqpQVtGM4KNnLiXgXTOB67ULSj4\
     qgdiAtNlYmzqGVHPPT9gcIE6PUG+oy8waRRe/mIYDaJb+S+/OCTQ50Ris4PBvnCdAzBZ29TbQYX4nRRGDLrYIfvydzQhPNM2fQKB\
     gQCSeL+UwxUyIoKBn9GA6GcIyOS7+O5Xl1MNvp8knrLF5F3ZE3+MqNB43QckV5Pn6kL+7OPrDIZgVCiMA+VRSW4CdMs83XvBr16L\
     7s9EL5vennpPvh89aZetkOqRycAPv3FKgjkyIHenB/SUoT/7F68MKzidO0LL+TKo2+gnmyx55QKBgCbAa8QFtXyWi0EzyNw2agi3\
     6qGRbF9/JU+1UO4frovaV0NmizHG5fmwR7U13hbvcnD+tgDawANjNqKfc1MSuzCdJ/xHNT2z6SBucH5WfXZg+sGP+oS+iUwS9RBh\
     cUVt6rSyp2eh1q/AZR9wYBc1Mdw4Jcoe0kDICeAwdnkfb90NAoGAMEpDh8ddmn4/RBOtOBSRCicbQ3EFOga+GkGuPJ6o37NbHKV/\
     31zfQvNf0QgNb7HZH3IohS7USgWoqbyzSNqa8VfUzYl2xlWmGyv5U2WRlfKaVbGrmvqIUPlmX3199LvvTIbeRyeD3CYyN7rifBdI\
     qnVlxScIcx5rqEwzCBM60OA=";
