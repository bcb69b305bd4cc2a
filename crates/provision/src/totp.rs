//! One-time codes that follow from a secret and the time (RFC 6238, RFC 4226), and the texts around them.

use ring::hmac;

/// Seconds that a code is good.
const STEP_SECONDS: i64 = 30;
/// Digits of a code.
const DIGITS: usize = 6;
/// Steps that a clock may be off, before and behind.
const DRIFT: i64 = 1;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes of a secret, as RFC 4226 section 4 recommends.
pub(crate) const SECRET_BYTES: usize = 20;

/// The step whose code was shown, if there is one near this time and after the one that was taken last.
pub(crate) fn taken_step(
    secret: &[u8],
    shown: &str,
    seconds: i64,
    last: Option<i64>,
) -> Option<i64> {
    let shown = digits(shown)?;
    let now = seconds.div_euclid(STEP_SECONDS);
    // All are compared, so that the time does not tell which one it was.
    let mut found = None;
    for step in now - DRIFT..=now + DRIFT {
        if code(secret, step) == shown && last.is_none_or(|last| step > last) {
            found = Some(step);
        }
    }
    found
}

/// Whether a text is meant as a code, blanks aside: recovery codes are longer.
pub(crate) fn is_code(shown: &str) -> bool {
    digits(shown).is_some()
}

fn digits(shown: &str) -> Option<u32> {
    let text: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
    let fits = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// The code of a step, as a number.
fn code(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 15);
    let cut = bytes.get(offset..offset + 4).unwrap_or_default();
    let number = cut
        .iter()
        .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    (number & 0x7fff_ffff) % 10_u32.pow(6)
}

/// Bytes in base 32 (RFC 4648 section 6) without padding; a rest of bits is filled with zeros.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// A recovery code as it is kept and compared: letters and digits alone, in capitals.
pub(crate) fn plain(shown: &str) -> String {
    let letters = shown.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_uppercase()).collect()
}

/// A text in groups of four, for people.
pub(crate) fn grouped(text: &str) -> String {
    let groups: Vec<&str> = text
        .as_bytes()
        .chunks(4)
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238 appendix B, of eight digits the last six.
        for (seconds, shown) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = seconds / STEP_SECONDS;
            assert_eq!(taken_step(SECRET, shown, seconds, None), Some(step));
            let apart = format!(" {} {}", &shown[..3], &shown[3..]);
            assert_eq!(taken_step(SECRET, &apart, seconds, None), Some(step));
        }
    }

    #[test]
    fn a_clock_may_be_off_by_one_step_and_no_code_is_taken_twice() {
        let shown = "287082"; // of step 1
        for (seconds, taken) in [
            (0, true),
            (30, true),
            (60, true),
            (89, true),
            (90, false),
            (-31, false),
        ] {
            assert_eq!(
                taken_step(SECRET, shown, seconds, None).is_some(),
                taken,
                "{seconds}"
            );
        }
        assert_eq!(taken_step(SECRET, shown, 59, Some(1)), None);
        assert_eq!(taken_step(SECRET, shown, 59, Some(0)), Some(1));
        for wrong in ["287083", "28708", "2870820", "28708a", "", "２８７０８２"] {
            assert_eq!(taken_step(SECRET, wrong, 59, None), None, "{wrong}");
        }
    }

    #[test]
    fn base_32_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(plain(" abcd-EFGH 2345"), "ABCDEFGH2345");
        assert_eq!(grouped("ABCDEFGH23"), "ABCD-EFGH-23");
    }

    proptest! {
        #[test]
        fn whatever_is_shown_is_answered(shown in "\\PC{0,12}", seconds in any::<i32>()) {
            taken_step(SECRET, &shown, i64::from(seconds), None);
            prop_assert_eq!(plain(&grouped(&plain(&shown))), plain(&shown));
        }
    }
}
