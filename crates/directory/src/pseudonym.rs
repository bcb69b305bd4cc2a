//! Names that tell nobody who somebody was (US-32).

use sha2::{Digest, Sha256};

use crate::model::Attributes;
use crate::name::same;
use crate::surroundings::Surroundings;

/// The domain of addresses that reach nobody.
const DOMAIN: &str = "@user.anon";
/// How many digits a name has: more only if fewer are taken.
const DIGITS: [usize; 3] = [8, 16, 64];

/// The attributes of an account that was anonymised. The same key always gives the same, unless the name is
/// somebody else's.
pub(crate) fn attributes(key: &str, now: &str, around: &dyn Surroundings) -> Attributes {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(key.as_bytes()) {
        for half in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    let names = DIGITS.map(|digits| format!("user-{}", &hex[..digits]));
    let has = names.iter().find(|name| same(name, now));
    let username = has
        .or_else(|| names.iter().find(|name| !around.is_taken(name)))
        .unwrap_or(&names[DIGITS.len() - 1])
        .clone();
    Attributes {
        email: format!("{username}{DOMAIN}"),
        display_name: username.clone(),
        username,
        ..Attributes::default()
    }
}

/// Whether these are the attributes of an account that was anonymised.
pub(crate) fn is_one(attributes: &Attributes) -> bool {
    is_of(&attributes.username, &attributes.email)
}

/// Whether a user name and an address are such.
pub(crate) fn is_of(username: &str, email: &str) -> bool {
    username.starts_with("user-") && email.strip_suffix(DOMAIN) == Some(username)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::LookupBy;
    use crate::surroundings::Alone;

    struct Taken(&'static str);

    impl Surroundings for Taken {
        fn is_taken(&self, username: &str) -> bool {
            username == self.0
        }

        fn find_user(&self, _by: LookupBy, _value: &str) -> Option<scim::Resource> {
            None
        }
    }

    #[test]
    fn a_key_gives_one_name_which_tells_nothing() {
        let hidden = attributes("1:abc", "ann", &Alone);
        assert_eq!(hidden, attributes("1:abc", "bob", &Alone));
        assert_eq!(hidden.username.len(), "user-".len() + 8);
        assert_eq!(hidden.email, format!("{}@user.anon", hidden.username));
        assert!(is_one(&hidden) && hidden.first_name.is_empty() && hidden.extra.is_empty());
        assert_ne!(hidden.username, attributes("1:abd", "ann", &Alone).username);
    }

    #[test]
    fn a_name_that_somebody_has_grows() {
        let short = attributes("1:abc", "ann", &Alone).username;
        let taken = Taken(Box::leak(short.clone().into_boxed_str()));
        let long = attributes("1:abc", "ann", &taken).username;
        assert_eq!((long.len(), &long[..short.len()]), (5 + 16, &*short));
        assert_eq!(attributes("1:abc", &short, &taken).username, short);
        assert_eq!(attributes("1:abc", &long, &Alone).username, long);
    }
}
