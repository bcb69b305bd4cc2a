//! Names and labels that administrators give: what stands beside others on pages and in logs.

use scim::name::refuse_name;

use crate::ProvisionError;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 100;

/// A name for something that administrators make: 1 to 100 characters, all of them to be seen.
pub(crate) fn checked_name(name: &str) -> Result<String, ProvisionError> {
    checked_text("name", name, 1)
}

/// A text that stands beside others on pages and in logs: what cannot be seen could hide them, or turn them around.
pub(crate) fn checked_text(
    member: &'static str,
    text: &str,
    chars_min: usize,
) -> Result<String, ProvisionError> {
    let text = text.trim();
    let fits = (chars_min..=NAME_CHARS_MAX).contains(&text.chars().count());
    let unseen = refuse_name(text);
    if fits && unseen.is_none() {
        return Ok(text.to_owned());
    }
    let unseen = unseen.unwrap_or("control or invisible characters");
    Err(ProvisionError::invalid(
        member,
        format!("needs {chars_min} to {NAME_CHARS_MAX} characters, without {unseen}"),
    ))
}
