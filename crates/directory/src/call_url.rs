//! Addresses that this server calls because somebody said so: of webhooks and chats.

/// Longest URL that is called, in bytes.
pub const CALL_URL_BYTES_MAX: usize = 2_048;

/// What is wrong with a URL that is to be called, if anything, and what to do.
pub fn check_call_url(url: &str) -> Result<(), String> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_good = !authority.is_empty()
        && !authority.contains('@')
        && url.len() <= CALL_URL_BYTES_MAX
        && url.bytes().all(|byte| byte.is_ascii_graphic());
    match is_good {
        true => Ok(()),
        false => Err(
            "is no address that can be called; write https://HOST/PATH, without user name and password"
                .to_owned(),
        ),
    }
}
