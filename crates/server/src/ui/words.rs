//! Words of the admin API as people read them.

/// Why an account is as it is.
pub(super) fn reason(code: &str) -> &str {
    match code {
        "IDP_ACTIVE" => "the identity provider says active",
        "IDP_INACTIVE" => "the identity provider says inactive",
        "IDP_DELETED" => "the identity provider deleted the user",
        "NOT_IN_REQUIRED_GROUP" => "not in a required group",
        "DROPPED_BY_RULE" => "dropped by a rule",
        "FILTERED_NO_MATCH" => "out of scope",
        "DISABLED_BY_RULE" => "disabled by a rule",
        "INACTIVITY_RULE" => "has not logged in for long",
        "MANUAL" => "an administrator decided so",
        "CONFLICT" => "the name is taken",
        "HELD" => "held by a safety limit",
        "LOCAL" => "kept here",
        "OVERRIDE" => "an override says so",
        "COPIED" => "copied from elsewhere",
        other => other,
    }
}

/// What an override says.
pub(super) fn override_kind(word: &str) -> &str {
    match word {
        "keep_active" => "stays active",
        "exclude" => "may not log in",
        "add_to_group" => "is in the group",
        "keep_out_of_group" => "is not in the group",
        "keep_as_is" => "stays exactly as it is",
        other => other,
    }
}

/// What a credential may do.
pub(super) fn access(word: &str) -> &str {
    match word {
        "read-only" => "only read",
        "read-write" => "read and write",
        other => other,
    }
}

/// A text in pieces, those between backticks being names.
pub(super) fn pieces(text: &str) -> Vec<(bool, &str)> {
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(place, piece)| (place % 2 == 1, piece));
    pieces.filter(|(_, piece)| !piece.is_empty()).collect()
}
