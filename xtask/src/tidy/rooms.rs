//! Which room a file belongs to.

/// Where a Rust file lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The crate: `scim`, `store` ...; `xtask` and `fuzz` for the workshops outside `crates`.
    pub room: &'a str,
    /// Whether the whole file is test, bench or example code.
    pub is_test: bool,
}

/// Finds the place of a path from the top of the project; `None` for files outside every room.
pub fn place(path: &str) -> Option<Place<'_>> {
    let mut parts = path.split('/');
    let room = match parts.next()? {
        "crates" => parts.next()?,
        workshop @ ("xtask" | "fuzz") => workshop,
        _ => return None,
    };
    let is_test = parts.clone().any(is_test_part) || room == "fuzz";
    Some(Place { room, is_test })
}

fn is_test_part(part: &str) -> bool {
    matches!(part, "tests" | "tests.rs" | "benches" | "examples") || part.ends_with("_tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_rooms() {
        let room = |path| place(path).map(|p| (p.room, p.is_test));
        assert_eq!(
            room("crates/scim/src/filter/parse.rs"),
            Some(("scim", false))
        );
        assert_eq!(
            room("crates/scim/src/filter/tests.rs"),
            Some(("scim", true))
        );
        assert_eq!(room("crates/store/tests/it/main.rs"), Some(("store", true)));
        assert_eq!(room("xtask/src/test.rs"), Some(("xtask", false)));
        assert_eq!(room("fuzz/fuzz_targets/filter.rs"), Some(("fuzz", true)));
        assert_eq!(room("docs/src/theme.rs"), None);
    }
}
