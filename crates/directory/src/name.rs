//! Names compare by their fold, and most names are cheap to fold.

use std::borrow::Cow;

/// The form under which names are compared; borrowed when the name already has it.
///
/// Without an allocation for lower-case ASCII.
pub fn folded(name: &str) -> Cow<'_, str> {
    if !name.is_ascii() {
        Cow::Owned(name.to_lowercase())
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Whether two names mean the same user or group.
pub fn same(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        left.eq_ignore_ascii_case(right)
    } else {
        folded(left) == folded(right)
    }
}
