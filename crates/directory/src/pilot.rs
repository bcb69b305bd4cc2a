//! The pilot: a part of the users for whom a connector has effect while it is being tried out (BY-10).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::SourceUserPk;
use crate::name::same;
use crate::outcome::SourceGroup;

/// For whom a connector has effect; everybody else is only looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pilot {
    /// Users in one of these source groups, by the names that the identity provider uses.
    Groups(Vec<String>),
    /// So many of a hundred users, the same ones for as long as the number stands; a larger number adds others.
    Percent(u8),
}

impl Pilot {
    /// Whether the connector has effect for a user.
    pub fn has(&self, user: SourceUserPk, groups: &[SourceGroup]) -> bool {
        match self {
            Pilot::Groups(names) => groups
                .iter()
                .any(|group| names.iter().any(|name| same(name, &group.name))),
            Pilot::Percent(percent) => place_of_a_hundred(user) < *percent,
        }
    }
}

/// A number below a hundred that looks drawn by lot and is always the same for a user.
fn place_of_a_hundred(user: SourceUserPk) -> u8 {
    let digest = Sha256::digest(user.0.to_le_bytes());
    let number = u16::from_le_bytes([digest[0], digest[1]]) % 100;
    u8::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SourceGroupPk;

    #[test]
    fn a_larger_part_contains_a_smaller_one() {
        let part = |percent| -> Vec<i64> {
            let pilot = Pilot::Percent(percent);
            (1..2_001)
                .filter(|pk| pilot.has(SourceUserPk(*pk), &[]))
                .collect()
        };
        assert_eq!((part(0).len(), part(100).len()), (0, 2_000));
        let (small, large) = (part(10), part(30));
        assert!((120..280).contains(&small.len()), "{}", small.len());
        assert!(small.iter().all(|pk| large.contains(pk)));
        assert_eq!(part(10), small);
    }

    #[test]
    fn groups_are_those_of_the_provider() {
        let pilot: Pilot = serde_json::from_str(r#"{"groups": ["Pilots"]}"#).unwrap();
        let group = |name: &str| [SourceGroup::direct(SourceGroupPk(1), name)];
        assert!(pilot.has(SourceUserPk(1), &group("pilots")));
        assert!(!pilot.has(SourceUserPk(1), &group("others")));
        assert!(serde_json::from_str::<Pilot>(r#"{"groups": [], "percent": 3}"#).is_err());
    }
}
