//! A text as a QR code (ISO/IEC 18004), drawn as SVG.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// Modules of white around the code, as the standard asks for.
const MARGIN: i32 = 4;

/// The picture, black on white whatever is around it; nothing if the text is too long for one.
pub(crate) fn svg(text: &str, title: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let length = (x..size).take_while(|x| code.get_module(*x, y)).count();
            let length = i32::try_from(length).unwrap_or_default();
            if length > 0 {
                let _infallible =
                    write!(path, "M{} {}h{length}v1h-{length}z", x + MARGIN, y + MARGIN);
            }
            x += length.max(1);
        }
    }
    let (side, title) = (size + 2 * MARGIN, escaped(title));
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{title}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_picture_and_a_book_does_not() {
        let drawn = svg("otpauth://totp/Vestibule:ann", "\"<b>").unwrap();
        assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>"));
        assert!(drawn.contains("aria-label=\"&quot;&lt;b>\""), "{drawn}");
        // The first row of a code begins with the seven dark modules of its corner.
        assert!(drawn.contains("M4 4h7v1h-7z"), "{drawn}");
        assert!(svg(&"x".repeat(5000), "").is_none());
    }
}
